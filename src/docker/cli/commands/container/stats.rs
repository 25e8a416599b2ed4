//! `docker container stats`.

use crate::docker::cli::command::*;
use crate::docker::cli::value::Kind::*;

/// `docker container stats`.
pub static COMMAND: Command = Command {
    usage: "[OPTIONS] [CONTAINER...]",
    short: "Display a live stream of container(s) resource usage statistics",
    alias_line: "docker container stats, docker stats",
    flags: &[&[
        flag('a', "all", Bool(false), "Show all containers (default shows just running)"),
        long(
            "format",
            Text,
            "Format output using a custom template:\n'table':            Print output in table format with column headers (default)\n'table TEMPLATE':   Print output in table format using the given Go template\n'json':             Print in JSON format\n'TEMPLATE':         Print output using the given Go template.\nRefer to https://docs.docker.com/go/formatting/ for more information about formatting output with templates",
        ),
        long("no-stream", Bool(false), "Disable streaming stats and only pull the first result"),
        long("no-trunc", Bool(false), "Do not truncate output"),
    ]],
    arity: Arity::Any,
    ..Command::new("stats")
};
