//! `docker container pause`.

use crate::docker::cli::command::*;

/// `docker container pause`.
pub static COMMAND: Command = Command {
    usage: "CONTAINER [CONTAINER...]",
    short: "Pause all processes within one or more containers",
    alias_line: "docker container pause, docker pause",
    arity: Arity::AtLeast(1),
    ..Command::new("pause")
};
