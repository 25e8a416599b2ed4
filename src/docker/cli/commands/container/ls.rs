//! `docker container ls`.

use super::rows;
use crate::base::time::Timestamp;
use crate::docker::cli::client::{Client, Running};
use crate::docker::cli::columns::{filters, may_ask_for, template_error};
use crate::docker::cli::command::*;
use crate::docker::cli::error::CliError;
use crate::docker::cli::parse::Invocation;
use crate::docker::cli::template::{Dot, Mode, Template};
use crate::docker::cli::value::Kind::*;
use crate::docker::daemon::api::container::{ContainerSummary, ListOptions};

/// `docker container ls`.
pub static COMMAND: Command = Command {
    aliases: &["list", "ps"],
    usage: "[OPTIONS]",
    short: "List containers",
    alias_line: "docker container ls, docker container list, docker container ps, docker ps",
    flags: &[&[
        flag('a', "all", Bool(false), "Show all containers (default shows just running)"),
        flag('f', "filter", Filter, "Filter output based on conditions provided"),
        long("format", Text, TABLE_FORMAT),
        flag('n', "last", Int, "Show n last created containers (includes all states) (default -1)"),
        flag('l', "latest", Bool(false), "Show the latest created container (includes all states)"),
        long("no-trunc", Bool(false), "Don't truncate output"),
        flag('q', "quiet", Bool(false), "Only display container IDs"),
        flag('s', "size", Bool(false), "Display total file sizes"),
    ]],
    verb: Verb::Run(run),
    ..Command::new("ls")
};

fn run<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        let format = given.string("format").unwrap_or_default();
        let (quiet, mut size) = (given.bool("quiet"), given.bool("size"));
        if !format.is_empty() {
            // Docker tries the template on an empty container before it asks the daemon.
            let template =
                Template::parse(&format).map_err(|e| CliError::new(format!("failed to parse template: {e}")))?;
            let mut out = String::new();
            let dot = Dot { value: &rows::container(&empty(client), true, client.now()), mode: CONTEXT };
            template.execute(&dot, &mut out).map_err(|e| CliError::new(format!("failed to execute template: {e}")))?;
            size |= !quiet && !given.changed("size") && format.contains(".Size");
        }
        let last = given.int("last").unwrap_or(-1);
        let options = ListOptions {
            all: given.bool("all"),
            limit: if last == -1 && given.bool("latest") { 1 } else { usize::try_from(last).unwrap_or(0) },
            size,
            filters: filters(given),
        };
        let truncated = !given.bool("no-trunc");
        let containers = client.daemon.container_list(&options)?;
        let (layout, now) = (layout(&format, quiet, size), client.now());
        let names = rows::CONTAINERS.titles.iter().map(|(name, _)| *name).chain(["Label"]);
        let asked: Vec<&str> = names.filter(|name| may_ask_for(&layout, name)).collect();
        let wanted = |name: &str| asked.contains(&name);
        let rows: Vec<_> = containers.iter().map(|c| rows::fields(c, truncated, now, &wanted)).collect();
        let text = rows::CONTAINERS.render(&layout, &rows).map_err(template_error)?;
        client.print(text).await
    })
}

const CONTEXT: Mode = Mode::Context("*formatter.ContainerContext");

/// docker/cli `NewContainerFormat`.
fn layout(format: &str, quiet: bool, size: bool) -> String {
    let column = |name: &str| if size { format!("\\t{{{{.{name}}}}}") } else { String::new() };
    match format {
        _ if quiet && format == "raw" => "container_id: {{.ID}}".to_owned(),
        _ if quiet => "{{.ID}}".to_owned(),
        "" | "table" => {
            let columns =
                "table {{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}";
            columns.to_owned() + &column("Size")
        }
        "raw" => {
            let lines = "container_id: {{.ID}}\nimage: {{.Image}}\ncommand: {{.Command}}\ncreated_at: {{.CreatedAt}}\n\
                         state: {{- pad .State 1 0}}\nstatus: {{- pad .Status 1 0}}\nnames: {{.Names}}\n\
                         labels: {{- pad .Labels 1 0}}\nports: {{- pad .Ports 1 0}}\n";
            lines.to_owned() + if size { "size: {{.Size}}\n" } else { "" }
        }
        _ => format.to_owned(),
    }
}

fn empty(client: &Client) -> ContainerSummary {
    ContainerSummary {
        id: String::new(),
        names: Vec::new(),
        image: String::new(),
        image_id: String::new(),
        command: String::new(),
        created: Timestamp(client.now().0),
        ports: Vec::new(),
        size_rw_bytes: None,
        size_root_fs_bytes: None,
        labels: std::collections::BTreeMap::new(),
        state: "",
        status: String::new(),
        networks: Vec::new(),
        mounts: Vec::new(),
    }
}
