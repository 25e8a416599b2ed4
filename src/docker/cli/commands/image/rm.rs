//! `docker image rm`.

use crate::docker::cli::command::*;
use crate::docker::cli::value::Kind::*;

/// `docker image rm`.
pub static COMMAND: Command = Command {
    aliases: &["remove"],
    usage: "[OPTIONS] IMAGE [IMAGE...]",
    short: "Remove one or more images",
    alias_line: "docker image rm, docker image remove, docker rmi",
    flags: &[&[
        flag('f', "force", Bool(false), "Force removal of the image"),
        long("no-prune", Bool(false), "Do not delete untagged parents"),
        long(
            "platform",
            Strings,
            "Remove only the given platform variant. Formatted as \"os[/arch[/variant]]\" (e.g., \"linux/amd64\")",
        )
        .since_api("1.50"),
    ]],
    arity: Arity::AtLeast(1),
    ..Command::new("rm")
};
