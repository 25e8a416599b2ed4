//! `docker compose ps`, `logs`, `config` and what else only looks.

use super::Cascade;
use crate::base::sort::Arrange;
use crate::base::time::Timestamp;
use std::future::Future;
use std::pin::Pin;

use serde_json::{Map, Value};

use crate::base::size::human_size3;
use crate::base::table::tabulate;
use crate::docker::cli::client::{Answer, Client, Running, join, race};
use crate::docker::cli::columns::{Columns, filters, indented_json, short_id, template_error};
use crate::docker::cli::command::*;
use crate::docker::cli::commands::container::{logs as container_logs, rows};
use crate::docker::cli::compose::convert::{LABEL, config_hash};
use crate::docker::cli::compose::engine::Member;
use crate::docker::cli::compose::project::Project;
use crate::docker::cli::error::CliError;
use crate::docker::cli::parse::Invocation;
use crate::docker::cli::value::Kind::*;
use crate::docker::cli::when;
use crate::docker::daemon::api::container::{ListOptions, LogsOptions, StopOptions};
use crate::docker::daemon::api::{Filters, Patterns};
use crate::os::kernel::{Disposition, Signal};

/// `docker compose config`.
pub static CONFIG: Command = Command {
    usage: "[OPTIONS] [SERVICE...]",
    short: "Parse, resolve and render compose file in canonical format",
    aliases: &["convert"],
    flags: &[&[
        long("environment", Bool(false), "Print environment used for interpolation."),
        long("format", Text, "Format the output. Values: [yaml | json]"),
        long("hash", Text, "Print the service config hash, one per line."),
        long("images", Bool(false), "Print the image names, one per line."),
        long("lock-image-digests", Bool(false), "Produces an override file with image digests").not_simulated(),
        long("networks", Bool(false), "Print the network names, one per line."),
        long(
            "no-consistency",
            Bool(false),
            "Don't check model consistency - warning: may produce invalid Compose output",
        )
        .not_simulated(),
        long("no-env-resolution", Bool(false), "Don't resolve service env files"),
        long("no-interpolate", Bool(false), "Don't interpolate environment variables"),
        long("no-normalize", Bool(false), "Don't normalize compose model").not_simulated(),
        long("no-path-resolution", Bool(false), "Don't resolve file paths").not_simulated(),
        flag('o', "output", Text, "Save to file (default to stdout)"),
        long("profiles", Bool(false), "Print the profile names, one per line."),
        flag('q', "quiet", Bool(false), "Only validate the configuration, don't print anything"),
        long("resolve-image-digests", Bool(false), "Pin image tags to digests").not_simulated(),
        long("services", Bool(false), "Print the service names, one per line."),
        long("variables", Bool(false), "Print model variables and default values.").not_simulated(),
        long("volumes", Bool(false), "Print the volume names, one per line."),
    ]],
    arity: Arity::Any,
    verb: Verb::Run(config),
    ..Command::new("config")
};

/// `docker compose images`.
pub static IMAGES: Command = Command {
    usage: "[OPTIONS] [SERVICE...]",
    short: "List images used by the created containers",
    flags: &[&[flag('q', "quiet", Bool(false), "Only display IDs")]],
    arity: Arity::Any,
    verb: Verb::Run(images),
    ..Command::new("images")
};

/// `docker compose logs`.
pub static LOGS: Command = Command {
    usage: "[OPTIONS] [SERVICE...]",
    short: "View output from containers",
    flags: &[&[
        flag('f', "follow", Bool(false), "Follow log output"),
        long("index", Int, "index of the container if service has multiple replicas"),
        long("no-color", Bool(false), "Produce monochrome output"),
        long("no-log-prefix", Bool(false), "Don't print prefix in logs"),
        long(
            "since",
            Text,
            "Show logs since timestamp (e.g. 2013-01-02T13:23:37Z) or relative (e.g. 42m for 42 minutes)",
        ),
        flag(
            'n',
            "tail",
            Text,
            "Number of lines to show from the end of the logs for each container (default \"all\")",
        ),
        flag('t', "timestamps", Bool(false), "Show timestamps"),
        long(
            "until",
            Text,
            "Show logs before a timestamp (e.g. 2013-01-02T13:23:37Z) or relative (e.g. 42m for 42 minutes)",
        ),
    ]],
    arity: Arity::Any,
    verb: Verb::Run(logs),
    ..Command::new("logs")
};

/// `docker compose ls`.
pub static LS: Command = Command {
    usage: "[OPTIONS]",
    short: "List running compose projects",
    flags: &[&[
        flag('a', "all", Bool(false), "Show all stopped Compose projects"),
        long("filter", Filter, "Filter output based on conditions provided"),
        long("format", Text, "Format the output. Values: [table | json] (default \"table\")"),
        flag('q', "quiet", Bool(false), "Only display project names"),
    ]],
    verb: Verb::Run(ls),
    ..Command::new("ls")
};

/// `docker compose port`.
pub static PORT: Command = Command {
    usage: "[OPTIONS] SERVICE PRIVATE_PORT",
    short: "Print the public port for a port binding",
    flags: &[&[
        long("index", Int, "Index of the container if service has multiple replicas"),
        long("protocol", Text, "tcp or udp (default \"tcp\")"),
    ]],
    arity: Arity::Exactly(2),
    verb: Verb::Run(port),
    ..Command::new("port")
};

/// `docker compose ps`.
pub static PS: Command = Command {
    usage: "[OPTIONS] [SERVICE...]",
    short: "List containers",
    flags: &[&[
        flag('a', "all", Bool(false), "Show all stopped containers (including those created by the run command)"),
        long("filter", Text, "Filter services by a property (supported filters: status)"),
        long("format", Text, TABLE_FORMAT),
        long("no-trunc", Bool(false), "Don't truncate output"),
        long("orphans", Bool(true), "Include orphaned services (not declared by project) (default true)"),
        flag('q', "quiet", Bool(false), "Only display IDs"),
        long("services", Bool(false), "Display services"),
        long(
            "status",
            List,
            "Filter services by status. Values: [paused | restarting | removing | running | dead | created | exited]",
        ),
    ]],
    arity: Arity::Any,
    verb: Verb::Run(ps),
    ..Command::new("ps")
};

/// `docker compose top`.
pub static TOP: Command = Command {
    usage: "[SERVICES...]",
    short: "Display the running processes",
    arity: Arity::Any,
    verb: Verb::Run(top),
    ..Command::new("top")
};

/// A container's name without its project's.
pub fn short_name<'a>(project: &Project, name: &'a str) -> &'a str {
    name.strip_prefix(project.name.as_str()).and_then(|rest| rest.strip_prefix('-')).unwrap_or(name)
}

fn ps<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        let project = Project::load(client, given).await?;
        let mut status = given.strings("status");
        if let Some(filter) = given.string("filter").filter(|filter| !filter.is_empty()) {
            match filter.split_once('=') {
                Some(("status", wanted)) => status.push(wanted.to_owned()),
                Some(("source", _)) => return Err(CliError::new("source filter is not simulated in Capas")),
                Some((name, _)) => return Err(CliError::new(format!("unknown filter {name}"))),
                None => return Err(CliError::new("arguments to --filter should be in form KEY=VAL")),
            }
        }
        let mut members = project.members_of(client, &given.operand_strings())?;
        if !given.bool("orphans") {
            members.retain(|member| project.services.contains_key(&member.service));
        }
        members.retain(|member| match status.is_empty() {
            true => given.bool("all") || matches!(member.row.state, "running" | "restarting" | "paused"),
            false => status.iter().any(|wanted| wanted == member.row.state),
        });
        if given.bool("quiet") {
            let ids: String = members.iter().map(|member| format!("{}\n", member.row.id)).collect();
            return client.print(ids).await;
        }
        if given.bool("services") {
            let mut names: Vec<&str> = members.iter().map(|member| member.service.as_str()).collect();
            names.dedup();
            return client.print(names.iter().map(|name| format!("{name}\n")).collect::<String>()).await;
        }
        let truncated = !given.bool("no-trunc");
        let fields = |member: &Member| {
            let mut row = rows::container(&member.row, truncated, client.now());
            if let Some(row) = row.as_object_mut() {
                row.insert("Name".to_owned(), member.name().into());
                row.insert("Service".to_owned(), member.service.clone().into());
                row.insert("Project".to_owned(), project.name.clone().into());
                let brief = client.daemon.container_inspect(&member.row.id, false).ok();
                let state = |path: &str| brief.as_ref().and_then(|document| document.pointer(path)).cloned();
                row.insert("Health".to_owned(), state("/State/Health/Status").unwrap_or_else(|| "".into()));
                row.insert("ExitCode".to_owned(), state("/State/ExitCode").unwrap_or_else(|| 0.into()));
            }
            row
        };
        let rows: Vec<Value> = members.iter().map(fields).collect();
        let format = given.string("format").filter(|format| !format.is_empty() && format != "table");
        let format = format.unwrap_or_else(|| DEFAULT.to_owned());
        client.print(CONTAINERS.render(&format, &rows).map_err(template_error)?).await
    })
}

const DEFAULT: &str =
    "table {{.Name}}\t{{.Image}}\t{{.Command}}\t{{.Service}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}";

static CONTAINERS: Columns = Columns {
    go_type: "*formatter.ContainerContext",
    titles: &[
        ("ID", "CONTAINER ID"),
        ("Name", "NAME"),
        ("Names", "NAMES"),
        ("Image", "IMAGE"),
        ("Command", "COMMAND"),
        ("Service", "SERVICE"),
        ("Project", "PROJECT"),
        ("RunningFor", "CREATED"),
        ("CreatedAt", "CREATED AT"),
        ("Status", "STATUS"),
        ("State", "STATE"),
        ("Health", "HEALTH"),
        ("ExitCode", "EXIT CODE"),
        ("Ports", "PORTS"),
        ("Size", "SIZE"),
        ("Labels", "LABELS"),
        ("Mounts", "MOUNTS"),
        ("Networks", "NETWORKS"),
    ],
};

fn images<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        let project = Project::load(client, given).await?;
        let members = project.members_of(client, &given.operand_strings())?;
        let mut table = vec![
            ["CONTAINER", "REPOSITORY", "TAG", "PLATFORM", "IMAGE ID", "SIZE", "CREATED"].map(str::to_owned).to_vec(),
        ];
        for member in &members {
            let document = client.daemon.image_inspect(&member.row.image_id)?;
            let text = |field: &str| document.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
            if given.bool("quiet") {
                client.say(text("Id").trim_start_matches("sha256:")).await?;
                continue;
            }
            let (repository, tag) = member.row.image.rsplit_once(':').unwrap_or((&member.row.image, "latest"));
            let created = crate::base::time::Timestamp::parse_rfc3339(&text("Created")).unwrap_or_default();
            table.push(vec![
                member.name().to_owned(),
                repository.to_owned(),
                tag.to_owned(),
                format!("{}/{}", text("Os"), text("Architecture")),
                short_id(&text("Id")),
                human_size3(document.get("Size").and_then(Value::as_u64).unwrap_or(0)),
                when::ago(created, client.now()),
            ]);
        }
        if given.bool("quiet") { Ok(()) } else { client.print(tabulate(&table)).await }
    })
}

fn ls<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        let wanted = filters(given);
        if let Some(other) = wanted.keys().find(|key| *key != "name") {
            return Err(CliError::new(format!("unknown filter {other}")));
        }
        let names = Patterns::of(&wanted, "name");
        let filters = Filters::from([("label".to_owned(), vec![format!("{LABEL}.project")])]);
        let options = ListOptions { all: given.bool("all"), filters, ..ListOptions::default() };
        let mut projects: Map<String, Value> = Map::new();
        for found in client.daemon.container_list(&options)? {
            let label = |key: &str| found.labels.get(&format!("{LABEL}.{key}")).cloned().unwrap_or_default();
            let entry = projects.entry(label("project")).or_insert_with(|| Value::Object(Map::new()));
            if let Some(entry) = entry.as_object_mut() {
                let count = entry.get(found.state).and_then(Value::as_u64).unwrap_or(0);
                entry.insert(found.state.to_owned(), (count + 1).into());
                entry.insert("files".to_owned(), label("project.config_files").into());
            }
        }
        projects.sort_keys();
        let mut table = vec![vec!["NAME".to_owned(), "STATUS".to_owned(), "CONFIG FILES".to_owned()]];
        for (name, entry) in &projects {
            let mut states: Vec<String> = Vec::new();
            for (state, count) in entry.as_object().into_iter().flatten().filter(|(key, _)| *key != "files") {
                states.push(format!("{state}({count})"));
            }
            states.arrange();
            let files = entry.get("files").and_then(Value::as_str).unwrap_or_default().to_owned();
            if names.match_text(name) {
                table.push(vec![name.clone(), states.join(", "), files]);
            }
        }
        let rows = table.get(1..).unwrap_or_default();
        if given.bool("quiet") {
            return client
                .print(rows.iter().flatten().step_by(3).map(|name| format!("{name}\n")).collect::<String>())
                .await;
        }
        match given.string("format").as_deref() {
            None | Some("" | "table") => {}
            Some("json") => {
                let one = |row: &Vec<String>| {
                    let keys = ["Name", "Status", "ConfigFiles"].map(str::to_owned);
                    Value::Object(keys.into_iter().zip(row.iter().cloned().map(Value::String)).collect())
                };
                return client.say(Value::Array(rows.iter().map(one).collect()).to_string()).await;
            }
            Some(other) => {
                return Err(CliError::new(format!("format value {other:?} could not be parsed: parsing failed")));
            }
        }
        client.print(tabulate(&table)).await
    })
}

fn port<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        let (service, private) = (given.operand(0), given.operand(1));
        let mut without = given.clone();
        without.operands.truncate(1);
        let project = Project::load(client, &without).await?;
        let index = given.int("index").and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
        let member = project.running(client, &service, index)?;
        let protocol = given.string("protocol").unwrap_or_else(|| "tcp".to_owned());
        let found = member.row.ports.iter().find(|p| p.private_port.to_string() == private && p.protocol == protocol);
        match found.and_then(|port| Some((port.ip.clone()?, port.public_port?))) {
            Some((ip, public)) => client.say(rows::host_port(&ip, public.to_string())).await,
            None => Err(CliError::new(format!("no port {private}/{protocol} for container {}", member.name()))),
        }
    })
}

fn top<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        let project = Project::load(client, given).await?;
        let mut table: Vec<Vec<String>> = Vec::new();
        for member in project.members_of(client, &given.operand_strings())? {
            if member.row.state != "running" {
                continue;
            }
            let top = client.daemon.container_top(&member.row.id, &[])?;
            if table.is_empty() {
                table.push(["SERVICE".to_owned(), "#".to_owned()].into_iter().chain(top.titles).collect());
            }
            for process in top.processes {
                table.push([member.service.clone(), member.number.to_string()].into_iter().chain(process).collect());
            }
        }
        client.print(tabulate(&table)).await
    })
}

/// Colours of the prefixes, in their order (docker/compose `cmd/formatter/colors.go`).
const COLOURS: [u8; 6] = [36, 33, 32, 35, 34, 96];

/// Prints what containers write, each line with its container's name; ends with the last of them.
async fn print_logs(
    client: &Client,
    project: &Project,
    members: &[Member],
    options: &LogsOptions,
    given: &Invocation,
    ended: &dyn Fn(&Member, i64),
) -> Answer {
    let colour = client.stdout_tty().is_some() && !given.bool("no-color");
    let bare = given.bool("no-log-prefix");
    let names: Vec<&str> = members.iter().map(|member| short_name(project, member.name())).collect();
    let widest = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    let mut work: Vec<Pin<Box<dyn Future<Output = Answer> + '_>>> = Vec::new();
    for ((member, name), index) in members.iter().zip(&names).zip(0..) {
        let prefix = match (bare, colour) {
            (true, _) => String::new(),
            (_, true) => {
                format!("\x1b[{}m{name:<widest$}  | \x1b[0m", COLOURS.get(index % COLOURS.len()).copied().unwrap_or(36))
            }
            (_, false) => format!("{name:<widest$}  | "),
        };
        let frames = client.daemon.container_logs(&member.row.id, options)?;
        let follows = options.follow;
        work.push(Box::pin(async move {
            while let Some(frame) = frames.next().await {
                let bytes = frame.bytes.to_vec();
                let text = String::from_utf8_lossy(&bytes);
                for line in text.lines() {
                    client.print(format!("{prefix}{line}\n")).await?;
                }
            }
            if follows {
                let code = client.daemon.container_brief(&member.row.id).map_or(0, |brief| brief.exit_code);
                client.print(format!("{name} exited with code {code}\n")).await?;
                ended(member, code);
            }
            Ok(())
        }));
    }
    join(work).await.into_iter().collect()
}

fn logs<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        let project = Project::load(client, given).await?;
        let options = container_logs::options(client, given)?;
        let mut members = project.members_of(client, &given.operand_strings())?;
        if let Some(index) = given.int("index") {
            members.retain(|member| i64::try_from(member.number) == Ok(index));
        }
        print_logs(client, &project, &members, &options, given, &|_, _| {}).await
    })
}

/// `up` without `-d`: shows what the containers write until they end or Ctrl-C stops them.
pub async fn follow_until_interrupt(
    client: &Client,
    project: &Project,
    members: &[Member],
    given: &Invocation,
    cascade: &Cascade,
    begun: Timestamp,
) -> Answer {
    client.proc.on_signal(Signal::INT, Disposition::Handle);
    let timestamps = given.bool("timestamps");
    // What a container wrote in an earlier life is not told again.
    let since = Some(begun);
    let options = LogsOptions { follow: true, stdout: true, stderr: true, timestamps, since, ..LogsOptions::default() };
    let interrupted = async {
        client.proc.pause().await;
        Ok(true)
    };
    // Whose end ends the others, and its status.
    let first = std::cell::RefCell::new(None);
    let ended = |member: &Member, code: i64| {
        let aborts = cascade.stops || cascade.fails && code != 0;
        if aborts && first.borrow().is_none() {
            *first.borrow_mut() = Some((member.service.clone(), code));
        }
    };
    let logs = async { print_logs(client, project, members, &options, given, &ended).await.map(|()| false) };
    let aborted = std::future::poll_fn(|_| match first.borrow().is_some() {
        true => std::task::Poll::Ready(Ok(false)),
        false => std::task::Poll::Pending,
    });
    let was_interrupted = race(interrupted, race(logs, aborted)).await?;
    let aborting = first.borrow().clone();
    if !was_interrupted && aborting.is_none() {
        return Ok(());
    }
    client.proc.on_signal(Signal::INT, Disposition::Default);
    client
        .say(match aborting {
            Some(_) => "Aborting on container exit...",
            None => "Gracefully stopping... (press Ctrl+C again to force)",
        })
        .await?;
    project
        .each(client, &[], ["Stopping", "Stopping", "Stopped"], true, async |member| {
            client.daemon.container_stop(&member.row.id, StopOptions::default()).await?;
            Ok(true)
        })
        .await?;
    let Some((service, code)) = aborting else { return Err(CliError::Status(130)) };
    let code = match &cascade.code_of {
        Some(wanted) if *wanted != service => {
            let own = members.iter().find(|member| member.service == *wanted);
            own.and_then(|member| client.daemon.container_brief(&member.row.id).ok()).map_or(0, |brief| brief.exit_code)
        }
        _ => code,
    };
    CliError::of_status(code)
}

fn config<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        let project = Project::load(client, given).await?;
        let selected = project.selected(&given.operand_strings(), false)?;
        let lines = |names: Vec<String>| names.iter().map(|name| format!("{name}\n")).collect::<String>();
        if given.bool("quiet") {
            return Ok(());
        }
        if given.bool("services") {
            return client.print(lines(selected)).await;
        }
        if given.bool("volumes") {
            return client.print(lines(project.volumes.keys().cloned().collect())).await;
        }
        if given.bool("images") {
            let image = |name: &String| project.services.get(name).map(|service| project.image(name, service));
            return client.print(lines(selected.iter().filter_map(image).collect())).await;
        }
        if given.bool("networks") {
            return client.print(lines(project.used_networks())).await;
        }
        if given.bool("profiles") {
            return client.print(lines(project.profiles.clone())).await;
        }
        if given.bool("environment") {
            let all = project.environment.iter().map(|(name, value)| format!("{name}={value}"));
            return client.print(lines(all.collect())).await;
        }
        if let Some(wanted) = given.string("hash").filter(|wanted| !wanted.is_empty()) {
            let wanted: Vec<&str> = wanted.split(',').collect();
            let hash = |name: &String| Some(format!("{name} {}", config_hash(project.services.get(name)?)));
            let shown = selected.iter().filter(|name| wanted == ["*"] || wanted.contains(&name.as_str()));
            return client.print(lines(shown.filter_map(hash).collect())).await;
        }
        let mut project = project;
        if !given.bool("no-env-resolution") {
            project.read_env_files(client).await?;
        }
        let mut document = document(&project, &selected);
        let is_json = given.string("format").as_deref() == Some("json");
        if given.bool("no-interpolate") {
            // What is printed then is the file's model, whose keys are sorted.
            document.sort_all_objects();
        } else {
            escape_dollars(&mut document);
        }
        if !is_json && let Some(Value::Object(services)) = document.get_mut("services") {
            // Only JSON tells of commands that are not there (compose-go `ShellCommand`).
            for service in services.values_mut().filter_map(Value::as_object_mut) {
                service.retain(|key, value| !(value.is_null() && matches!(key.as_str(), "command" | "entrypoint")));
            }
        }
        let mut out = String::new();
        if is_json {
            out = indented_json(&document).replace("    ", "  ") + "\n";
        } else {
            write_yaml(&document, 0, &mut out);
        }
        match given.string("output").filter(|file| !file.is_empty()) {
            Some(file) => {
                client.proc.write_file(file.as_bytes(), &out.into_bytes().into()).await.map_err(CliError::write)
            }
            None => client.print(out).await,
        }
    })
}

/// The project in its canonical form, as far as it is simulated: what is short is written out, names are the daemon's.
fn document(project: &Project, selected: &[String]) -> Value {
    let mut services = Map::new();
    let mut sorted: Vec<&String> = selected.iter().collect();
    sorted.arrange();
    for name in sorted {
        let Some(service) = project.services.get(name) else { continue };
        services.insert(name.clone(), project.canonical(service));
    }
    let section = |entries: &std::collections::BTreeMap<String, Map<String, Value>>, used: &[String]| {
        let mut out = Map::new();
        for key in used {
            let mut entry = entries.get(key).cloned().unwrap_or_default();
            entry.insert("name".to_owned(), project.real_name(entries, key).0.into());
            entry.sort_keys();
            out.insert(key.clone(), Value::Object(entry));
        }
        Value::Object(out)
    };
    let volumes: Vec<String> = project.volumes.keys().cloned().collect();
    let mut out = Map::new();
    out.insert("name".to_owned(), project.name.clone().into());
    out.insert("services".to_owned(), Value::Object(services));
    out.insert("networks".to_owned(), section(&project.networks, &project.used_networks()));
    if !volumes.is_empty() {
        out.insert("volumes".to_owned(), section(&project.volumes, &volumes));
    }
    Value::Object(out)
}

/// What `config` prints can be read again: a dollar is no variable there (docker/compose `cmd/compose/config.go`).
fn escape_dollars(value: &mut Value) {
    match value {
        Value::String(text) => *text = text.replace('$', "$$"),
        Value::Array(items) => items.iter_mut().for_each(escape_dollars),
        Value::Object(map) => map.values_mut().for_each(escape_dollars),
        _ => {}
    }
}

/// YAML as go-yaml writes it with an indent of two.
fn write_yaml(value: &Value, indent: usize, out: &mut String) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                out.push_str(&format!("{:indent$}{key}:", ""));
                write_child(value, indent + 2, out);
            }
        }
        Value::Array(items) => {
            for item in items {
                let mut text = String::new();
                match item {
                    Value::Object(_) | Value::Array(_) => write_yaml(item, indent + 2, &mut text),
                    other => text = format!("{:width$}{}\n", "", scalar(other), width = indent + 2),
                }
                let body = text.get(indent + 2..).unwrap_or_default();
                out.push_str(&format!("{:indent$}- {body}", ""));
            }
        }
        other => out.push_str(&format!("{:indent$}{}\n", "", scalar(other))),
    }
}

fn write_child(value: &Value, indent: usize, out: &mut String) {
    match value {
        Value::Object(map) if map.is_empty() => out.push_str(" {}\n"),
        Value::Array(items) if items.is_empty() => out.push_str(" []\n"),
        Value::Object(_) | Value::Array(_) => {
            out.push('\n');
            write_yaml(value, indent, out);
        }
        other => out.push_str(&format!(" {}\n", scalar(other))),
    }
}

fn scalar(value: &Value) -> String {
    let Value::String(text) = value else { return value.to_string() };
    let reads_back = crate::docker::cli::compose::yaml::parse(text).is_ok_and(|back| back == *value);
    if reads_back && !text.contains('\n') { text.clone() } else { format!("{text:?}") }
}
