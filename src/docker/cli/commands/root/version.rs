//! `docker version`.

use serde_json::{Value, json};

use crate::docker::cli::client::{Answer, Client, Running};
use crate::docker::cli::command::*;
use crate::docker::cli::connection;
use crate::docker::cli::error::CliError;
use crate::docker::cli::parse::Invocation;
use crate::docker::cli::template::{Dot, Mode, Template};
use crate::docker::cli::value::Kind::*;
use crate::docker::cli::{
    CLIENT_API_VERSION, CLIENT_BUILT, CLIENT_COMMIT, CLIENT_GO, CLIENT_VERSION, SERVER_API_VERSION,
};
use crate::docker::daemon::api::system::Version;

/// `docker version`.
pub static COMMAND: Command = Command {
    usage: "[OPTIONS]",
    short: "Show the Docker version information",
    flags: &[&[flag('f', "format", Text, FORMAT)]],
    verb: Verb::Run(run),
    ..Command::new("version")
};

fn run<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        if let Err(error) = connection::reach(client, "Get v1.50/version") {
            if given.string("format").is_none_or(|format| format.is_empty()) {
                client.print(client_table(CLIENT_API_VERSION)).await?;
            }
            return Err(error);
        }
        let server = client.daemon.version();
        match given.string("format").filter(|format| !format.is_empty()) {
            Some(format) => show(client, &format, &document(&server), "version.versionInfo").await,
            None => client.print(table(&server)).await,
        }
    })
}

/// Prints one document through a `--format`.
///
/// # Errors
/// A template that is none (status 64) or that fails.
pub async fn show(client: &Client, format: &str, value: &Value, go_type: &'static str) -> Answer {
    let format = if format == "json" { "{{json .}}" } else { format };
    let bad = |why| CliError::Says(64, format!("template parsing error: {why}"));
    let template = Template::parse(format).map_err(bad)?;
    let mut out = String::new();
    let ran = template.execute(&Dot { value, mode: Mode::Struct(go_type) }, &mut out);
    client.say(out).await?;
    ran.map_err(CliError::new)
}

fn document(server: &Version) -> Value {
    let components = server.components.iter().map(|(name, version, details)| {
        let details: serde_json::Map<_, _> = details.iter().map(|(k, v)| (k.clone(), v.as_str().into())).collect();
        json!({"Name": name, "Version": version, "Details": details})
    });
    let mut all = serde_json::Map::new();
    all.insert("Platform".to_owned(), json!({"Name": server.platform}));
    all.insert("Components".to_owned(), components.collect());
    if let Ok(Value::Object(rest)) = serde_json::to_value(server) {
        all.extend(rest);
    }
    json!({
        "Client": {
            "Version": CLIENT_VERSION,
            "ApiVersion": SERVER_API_VERSION,
            "DefaultAPIVersion": CLIENT_API_VERSION,
            "GitCommit": CLIENT_COMMIT,
            "GoVersion": CLIENT_GO,
            "Os": "linux",
            "Arch": "amd64",
            "BuildTime": CLIENT_BUILT,
            "Context": "default",
        },
        "Server": all,
    })
}

/// docker/cli `defaultVersionTemplate`.
fn table(server: &Version) -> String {
    let mut out = client_table(&format!("{SERVER_API_VERSION} (downgraded from {CLIENT_API_VERSION})"));
    let push =
        |out: &mut String, name: &str, value: &str| out.push_str(&format!("{:<20}{value}\n", format!("{name}:")));
    out.push_str(&format!("\nServer: {}\n", server.platform));
    for (name, version, details) in &server.components {
        out.push_str(&format!(" {name}:\n"));
        push(&mut out, "  Version", version);
        if name != "Engine" {
            details.iter().for_each(|(key, value)| push(&mut out, &format!("  {key}"), value));
            continue;
        }
        let detail = |key: &str| details.iter().find(|(name, _)| name == key).map_or("", |(_, value)| value.as_str());
        push(
            &mut out,
            "  API version",
            &format!("{} (minimum version {})", server.api_version, server.min_api_version),
        );
        push(&mut out, "  Go version", &server.go_version);
        push(&mut out, "  Git commit", &server.git_commit);
        push(&mut out, "  Built", &server.build_time);
        push(&mut out, "  OS/Arch", &format!("{}/{}", server.os, server.arch));
        push(&mut out, "  Experimental", detail("Experimental"));
    }
    out
}

/// The client's part, which is told without a daemon, too.
fn client_table(api: &str) -> String {
    let mut out = "Client:\n".to_owned();
    let client = [
        (" Version", CLIENT_VERSION),
        (" API version", api),
        (" Go version", CLIENT_GO),
        (" Git commit", CLIENT_COMMIT),
        (" Built", CLIENT_BUILT),
        (" OS/Arch", "linux/amd64"),
        (" Context", "default"),
    ];
    let push =
        |out: &mut String, name: &str, value: &str| out.push_str(&format!("{:<20}{value}\n", format!("{name}:")));
    client.iter().for_each(|(name, value)| push(&mut out, name, value));
    out
}
