//! `docker container diff`.

use crate::docker::cli::command::*;

/// `docker container diff`.
pub static COMMAND: Command = Command {
    usage: "CONTAINER",
    short: "Inspect changes to files or directories on a container's filesystem",
    alias_line: "docker container diff, docker diff",
    arity: Arity::Exactly(1),
    ..Command::new("diff")
};
