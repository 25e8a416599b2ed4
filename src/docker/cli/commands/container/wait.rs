//! `docker container wait`.

use crate::docker::cli::command::*;

/// `docker container wait`.
pub static COMMAND: Command = Command {
    usage: "CONTAINER [CONTAINER...]",
    short: "Block until one or more containers stop, then print their exit codes",
    alias_line: "docker container wait, docker wait",
    arity: Arity::AtLeast(1),
    ..Command::new("wait")
};
