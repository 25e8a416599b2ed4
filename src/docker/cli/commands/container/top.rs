//! `docker container top`.

use crate::docker::cli::command::*;

/// `docker container top`.
pub static COMMAND: Command = Command {
    usage: "CONTAINER [ps OPTIONS]",
    short: "Display the running processes of a container",
    alias_line: "docker container top, docker top",
    arity: Arity::AtLeast(1),
    stop_at_operand: true,
    ..Command::new("top")
};
