//! `docker image history`.

use crate::docker::cli::command::*;
use crate::docker::cli::value::Kind::*;

/// `docker image history`.
pub static COMMAND: Command = Command {
    usage: "[OPTIONS] IMAGE",
    short: "Show the history of an image",
    alias_line: "docker image history, docker history",
    flags: &[&[
        long(
            "format",
            Text,
            TABLE_FORMAT,
        ),
        flag('H', "human", Bool(true), "Print sizes and dates in human readable format (default true)"),
        long("no-trunc", Bool(false), "Don't truncate output"),
        long(
            "platform",
            Text,
            "Show history for the given platform. Formatted as \"os[/arch[/variant]]\" (e.g., \"linux/amd64\")",
        )
        .since_api("1.48"),
        flag('q', "quiet", Bool(false), "Only show image IDs"),
    ]],
    arity: Arity::Exactly(1),
    ..Command::new("history")
};
