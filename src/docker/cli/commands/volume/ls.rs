//! `docker volume ls`.

use crate::docker::cli::command::*;
use crate::docker::cli::value::Kind::*;

/// `docker volume ls`.
pub static COMMAND: Command = Command {
    aliases: &["list"],
    usage: "[OPTIONS]",
    short: "List volumes",
    alias_line: "docker volume ls, docker volume list",
    flags: &[&[
        long("cluster", Bool(false), "Display only cluster volumes, and use cluster volume list formatting"),
        flag('f', "filter", Filter, "Provide filter values (e.g. \"dangling=true\")"),
        long(
            "format",
            Text,
            TABLE_FORMAT,
        ),
        flag('q', "quiet", Bool(false), "Only display volume names"),
    ]],
    ..Command::new("ls")
};
