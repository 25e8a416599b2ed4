//! `docker image save`.

use crate::docker::cli::command::*;
use crate::docker::cli::value::Kind::*;

/// `docker image save`.
pub static COMMAND: Command = Command {
    usage: "[OPTIONS] IMAGE [IMAGE...]",
    short: "Save one or more images to a tar archive (streamed to STDOUT by default)",
    alias_line: "docker image save, docker save",
    flags: &[&[
        flag('o', "output", Text, "Write to a file, instead of STDOUT"),
        long(
            "platform",
            Text,
            "Save only the given platform variant. Formatted as \"os[/arch[/variant]]\" (e.g., \"linux/amd64\")",
        )
        .since_api("1.48"),
    ]],
    arity: Arity::AtLeast(1),
    ..Command::new("save")
};
