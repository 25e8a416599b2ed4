//! `docker container unpause`.

use crate::docker::cli::command::*;

/// `docker container unpause`.
pub static COMMAND: Command = Command {
    usage: "CONTAINER [CONTAINER...]",
    short: "Unpause all processes within one or more containers",
    alias_line: "docker container unpause, docker unpause",
    arity: Arity::AtLeast(1),
    ..Command::new("unpause")
};
