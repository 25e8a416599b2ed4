//! `docker network ls`.

use crate::docker::cli::command::*;
use crate::docker::cli::value::Kind::*;

/// `docker network ls`.
pub static COMMAND: Command = Command {
    aliases: &["list"],
    usage: "[OPTIONS]",
    short: "List networks",
    alias_line: "docker network ls, docker network list",
    flags: &[&[
        flag('f', "filter", Filter, "Provide filter values (e.g. \"driver=bridge\")"),
        long(
            "format",
            Text,
            TABLE_FORMAT,
        ),
        long("no-trunc", Bool(false), "Do not truncate the output"),
        flag('q', "quiet", Bool(false), "Only display network IDs"),
    ]],
    ..Command::new("ls")
};
