//! `docker container port`.

use crate::docker::cli::command::*;

/// `docker container port`.
pub static COMMAND: Command = Command {
    usage: "CONTAINER [PRIVATE_PORT[/PROTO]]",
    short: "List port mappings or a specific mapping for the container",
    alias_line: "docker container port, docker port",
    arity: Arity::Between(1, 2),
    ..Command::new("port")
};
