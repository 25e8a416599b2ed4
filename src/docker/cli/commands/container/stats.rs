//! `docker container stats`.

use crate::base::size::{bytes_size, human_size3};
use crate::docker::cli::client::{Client, Running};
use crate::docker::cli::columns::{Columns, row, short_id, template_error};
use crate::docker::cli::command::*;
use crate::docker::cli::error::CliError;
use crate::docker::cli::parse::Invocation;
use crate::docker::cli::value::Kind::*;
use crate::docker::cli::when;
use crate::docker::daemon::api::container::{ListOptions, Stats};
use serde_json::Value;

/// `docker container stats`.
pub static COMMAND: Command = Command {
    usage: "[OPTIONS] [CONTAINER...]",
    short: "Display a live stream of container(s) resource usage statistics",
    alias_line: "docker container stats, docker stats",
    flags: &[&[
        flag('a', "all", Bool(false), "Show all containers (default shows just running)"),
        long("format", Text, TABLE_FORMAT),
        long("no-stream", Bool(false), "Disable streaming stats and only pull the first result"),
        long("no-trunc", Bool(false), "Do not truncate output"),
    ]],
    arity: Arity::Any,
    verb: Verb::Run(run),
    ..Command::new("stats")
};

fn run<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        let names = given.operand_strings();
        let stream = !given.bool("no-stream");
        let format = match given.string("format").filter(|format| !format.is_empty()) {
            None => DEFAULT.to_owned(),
            Some(format) if format == "table" => DEFAULT.to_owned(),
            Some(format) => format,
        };
        let short = !given.bool("no-trunc");
        loop {
            if !stream {
                // The daemon looks twice, a second apart, to tell how much was used meanwhile.
                for name in &names {
                    let _ = client.daemon.container_stats(name);
                }
                if names.is_empty() {
                    for container in client.daemon.container_list(&ListOptions::default())? {
                        let _ = client.daemon.container_stats(&container.id);
                    }
                }
            }
            client.proc.sleep(when::SECOND).await.map_err(|_| CliError::Status(130))?;
            let (mut rows, mut refused) = (Vec::new(), Vec::new());
            let listed = match names.is_empty() {
                true => {
                    let options = ListOptions { all: given.bool("all"), ..ListOptions::default() };
                    client.daemon.container_list(&options)?.into_iter().map(|container| container.id).collect()
                }
                false => names.clone(),
            };
            for name in &listed {
                match client.daemon.container_stats(name) {
                    Ok(stats) => rows.push(fields(&stats, name, short)),
                    // One that has just gone is left out.
                    Err(_) if names.is_empty() => {}
                    Err(error) => refused.push(error),
                }
            }
            CliError::all(refused)?;
            let text = STATS.render(&format, &rows).map_err(template_error)?;
            if !stream {
                return client.print(text).await;
            }
            let lines: String = text.split('\n').map(|line| format!("{line} \x1b[K\n")).collect();
            client.print(format!("\x1b[H{lines}\x1b[J")).await?;
        }
    })
}

const DEFAULT: &str =
    "table {{.ID}}\t{{.Name}}\t{{.CPUPerc}}\t{{.MemUsage}}\t{{.MemPerc}}\t{{.NetIO}}\t{{.BlockIO}}\t{{.PIDs}}";

static STATS: Columns = Columns {
    go_type: "*container.statsContext",
    titles: &[
        ("Container", "CONTAINER"),
        ("Name", "NAME"),
        ("ID", "CONTAINER ID"),
        ("CPUPerc", "CPU %"),
        ("MemUsage", "MEM USAGE / LIMIT"),
        ("MemPerc", "MEM %"),
        ("NetIO", "NET I/O"),
        ("BlockIO", "BLOCK I/O"),
        ("PIDs", "PIDS"),
    ],
};

fn fields(stats: &Stats, name: &str, short: bool) -> Value {
    let both = |[a, b]: [u64; 2]| format!("{} / {}", human_size3(a), human_size3(b));
    let percent = match stats.memory_limit_bytes {
        0 => 0.0,
        limit => stats.memory_bytes as f64 / limit as f64 * 100.0,
    };
    let id = |id: &str| if short { short_id(id) } else { id.to_owned() };
    row([
        ("Container", if name == stats.id { id(name) } else { name.to_owned() }.into()),
        ("Name", stats.name.trim_start_matches('/').into()),
        ("ID", id(&stats.id).into()),
        ("CPUPerc", format!("{:.2}%", stats.cpu_percent).into()),
        ("MemUsage", format!("{} / {}", bytes_size(stats.memory_bytes), bytes_size(stats.memory_limit_bytes)).into()),
        ("MemPerc", format!("{percent:.2}%").into()),
        ("NetIO", both(stats.network_bytes).into()),
        ("BlockIO", both(stats.block_bytes).into()),
        ("PIDs", stats.pids.to_string().into()),
    ])
}
