//! `docker context`: its verbs. There is one context, `default`, and one daemon that it leads to.

use serde_json::{Value, json};

use crate::base::digest::Digest;
use crate::docker::cli::client::{Client, Running};
use crate::docker::cli::columns::{Columns, row, template_error};
use crate::docker::cli::command::*;
use crate::docker::cli::error::CliError;
use crate::docker::cli::inspect::{Document, inspect};
use crate::docker::cli::parse::Invocation;
use crate::docker::cli::value::Kind::*;

/// `docker context`.
pub static CONTEXT: Noun =
    Noun::new("context", "Manage contexts", &[&CREATE, &EXPORT, &IMPORT, &INSPECT, &LS, &RM, &SHOW, &UPDATE, &USE]);

const HOST: &str = "unix:///var/run/docker.sock";

macro_rules! endpoint {
    ($short:literal, $verb:literal) => {
        concat!(
            $short,
            "\n\nDocker endpoint config:\n\nNAME                DESCRIPTION\nfrom                Copy named context's Docker endpoint configuration\nhost                Docker endpoint on which to connect\nca                  Trust certs signed only by this CA\ncert                Path to TLS certificate file\nkey                 Path to TLS key file\nskip-tls-verify     Skip TLS certificate validation\n\nExample:\n\n$ docker context ",
            $verb,
            " my-context --description \"some description\" --docker \"host=tcp://myserver:2376,ca=~/ca-file,cert=~/cert-file,key=~/key-file\""
        )
    };
}

static CREATE: Command = Command {
    usage: "[OPTIONS] CONTEXT",
    short: "Create a context",
    long: endpoint!("Create a context", "create"),
    flags: &[&[
        long("description", Text, "Description of the context"),
        long("docker", Other("stringToString"), "set the docker endpoint (default [])"),
        long("from", Text, "create context from a named context"),
    ]],
    arity: Arity::Exactly(1),
    ..Command::new("create")
};

static EXPORT: Command = Command {
    usage: "[OPTIONS] CONTEXT [FILE|-]",
    short: "Export a context to a tar archive FILE or a tar stream on STDOUT.",
    arity: Arity::Between(1, 2),
    ..Command::new("export")
};

static IMPORT: Command = Command {
    usage: "CONTEXT FILE|-",
    short: "Import a context from a tar or zip file",
    arity: Arity::Exactly(2),
    ..Command::new("import")
};

static INSPECT: Command = Command {
    usage: "[OPTIONS] [CONTEXT] [CONTEXT...]",
    short: "Display detailed information on one or more contexts",
    flags: &[&[flag('f', "format", Text, FORMAT)]],
    arity: Arity::Any,
    verb: Verb::Run(run_inspect),
    ..Command::new("inspect")
};

static LS: Command = Command {
    aliases: &["list"],
    usage: "[OPTIONS]",
    short: "List contexts",
    alias_line: "docker context ls, docker context list",
    flags: &[&[long("format", Text, TABLE_FORMAT), flag('q', "quiet", Bool(false), "Only show context names")]],
    verb: Verb::Run(run_ls),
    ..Command::new("ls")
};

static RM: Command = Command {
    aliases: &["remove"],
    usage: "CONTEXT [CONTEXT...]",
    short: "Remove one or more contexts",
    alias_line: "docker context rm, docker context remove",
    flags: &[&[flag('f', "force", Bool(false), "Force the removal of a context in use")]],
    arity: Arity::AtLeast(1),
    verb: Verb::Run(run_rm),
    ..Command::new("rm")
};

static SHOW: Command =
    Command { short: "Print the name of the current context", verb: Verb::Run(run_show), ..Command::new("show") };

static UPDATE: Command = Command {
    usage: "[OPTIONS] CONTEXT",
    short: "Update a context",
    long: endpoint!("Update a context", "update"),
    flags: &[&[
        long("description", Text, "Description of the context"),
        long("docker", Other("stringToString"), "set the docker endpoint (default [])"),
    ]],
    arity: Arity::Exactly(1),
    ..Command::new("update")
};

static USE: Command = Command {
    usage: "CONTEXT",
    short: "Set the current docker context",
    arity: Arity::Just(1),
    verb: Verb::Run(run_use),
    ..Command::new("use")
};

static CONTEXTS: Columns = Columns {
    go_type: "*formatter.clientContextContext",
    titles: &[
        ("Current", "CURRENT"),
        ("Name", "NAME"),
        ("Description", "DESCRIPTION"),
        ("DockerEndpoint", "DOCKER ENDPOINT"),
        ("Error", "ERROR"),
    ],
};

/// docker/cli `cli/context/store`: a context that is nowhere.
fn missing(client: &Client, name: &str) -> String {
    let (home, folder) = (client.home(), Digest::of(name.as_bytes()).hex());
    format!(
        "context \"{name}\": context not found: open {home}/.docker/contexts/meta/{folder}/meta.json: no such file or directory"
    )
}

/// docker/cli `store.ValidateContextName`.
fn is_name(name: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || "_.+-".contains(c);
    name.len() > 1 && name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.chars().all(inner)
}

fn document(client: &Client, name: &str) -> Result<Value, String> {
    if name != "default" {
        return Err(missing(client, name));
    }
    Ok(json!({
        "Name": "default",
        "Metadata": {},
        "Endpoints": {"docker": {"Host": HOST, "SkipTLSVerify": false}},
        "TLSMaterial": {},
        "Storage": {"MetadataPath": "<IN MEMORY>", "TLSPath": "<IN MEMORY>"},
    }))
}

fn run_inspect<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        let mut names = given.operand_strings();
        if names.is_empty() {
            names.push("default".to_owned());
        }
        let format = given.string("format").unwrap_or_default();
        let find = |name: &str| document(client, name).map(|value| Document { value, of: None });
        inspect(client, &names, &format, find).await
    })
}

fn run_ls<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        if given.bool("quiet") {
            return client.say("default").await;
        }
        let format = given.string("format").unwrap_or_default();
        let is_table = format.is_empty() || format.starts_with("table");
        let layout = match format.as_str() {
            "" | "table" => {
                "table {{.Name}}{{if .Current}} *{{end}}\t{{.Description}}\t{{.DockerEndpoint}}\t{{.Error}}"
            }
            other => other,
        };
        let fields = row([
            ("Current", true.into()),
            ("Name", "default".into()),
            ("Description", "Current DOCKER_HOST based configuration".into()),
            ("DockerEndpoint", HOST.into()),
            ("Error", "".into()),
        ]);
        let text = CONTEXTS.render(layout, &[fields]).map_err(template_error)?;
        // The header is no current context.
        client.print(if is_table { text.replacen("NAME *  ", "NAME    ", 1) } else { text }).await
    })
}

fn run_rm<'a>(_client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        let why = |name: &String| match name.as_str() {
            "default" => "context \"default\" cannot be removed".to_owned(),
            name => format!("context \"{name}\" does not exist"),
        };
        let lines: Vec<String> = given.operand_strings().iter().map(why).collect();
        Err(CliError::new(lines.join("\n")))
    })
}

fn run_show<'a>(client: &'a Client, _given: &'a Invocation) -> Running<'a> {
    Box::pin(client.say("default"))
}

fn run_use<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        let name = given.operand(0);
        if !is_name(&name) {
            let rule = "^[a-zA-Z0-9][a-zA-Z0-9_.+-]+$";
            return Err(CliError::new(format!(
                "context name \"{name}\" is invalid, names are validated against regexp \"{rule}\""
            )));
        }
        if name != "default" {
            return Err(CliError::new(missing(client, &name)));
        }
        client.say("default").await?;
        client.complain("Current context is now \"default\"").await;
        Ok(())
    })
}
