//! `docker container rename`.

use crate::docker::cli::command::*;

/// `docker container rename`.
pub static COMMAND: Command = Command {
    usage: "CONTAINER NEW_NAME",
    short: "Rename a container",
    alias_line: "docker container rename, docker rename",
    arity: Arity::Exactly(2),
    ..Command::new("rename")
};
