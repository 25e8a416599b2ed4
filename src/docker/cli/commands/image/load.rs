//! `docker image load`.

use crate::docker::cli::command::*;
use crate::docker::cli::value::Kind::*;

/// `docker image load`.
pub static COMMAND: Command = Command {
    usage: "[OPTIONS]",
    short: "Load an image from a tar archive or STDIN",
    alias_line: "docker image load, docker load",
    flags: &[&[
        flag('i', "input", Text, "Read from tar archive file, instead of STDIN"),
        long(
            "platform",
            Text,
            "Load only the given platform variant. Formatted as \"os[/arch[/variant]]\" (e.g., \"linux/amd64\")",
        )
        .since_api("1.48"),
        flag('q', "quiet", Bool(false), "Suppress the load output"),
    ]],
    ..Command::new("load")
};
