//! `docker container rm`.

use crate::docker::cli::command::*;
use crate::docker::cli::value::Kind::*;

/// `docker container rm`.
pub static COMMAND: Command = Command {
    aliases: &["remove"],
    usage: "[OPTIONS] CONTAINER [CONTAINER...]",
    short: "Remove one or more containers",
    alias_line: "docker container rm, docker container remove, docker rm",
    flags: &[&[
        flag('f', "force", Bool(false), "Force the removal of a running container (uses SIGKILL)"),
        flag('l', "link", Bool(false), "Remove the specified link"),
        flag('v', "volumes", Bool(false), "Remove anonymous volumes associated with the container"),
    ]],
    arity: Arity::AtLeast(1),
    ..Command::new("rm")
};
