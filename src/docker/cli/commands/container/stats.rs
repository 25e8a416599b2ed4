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
            TABLE_FORMAT,
        ),
        long("no-stream", Bool(false), "Disable streaming stats and only pull the first result"),
        long("no-trunc", Bool(false), "Do not truncate output"),
    ]],
    arity: Arity::Any,
    ..Command::new("stats")
};
