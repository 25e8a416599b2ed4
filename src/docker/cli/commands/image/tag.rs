//! `docker image tag`.

use crate::docker::cli::command::*;

/// `docker image tag`.
pub static COMMAND: Command = Command {
    usage: "SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]",
    short: "Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE",
    alias_line: "docker image tag, docker tag",
    arity: Arity::Exactly(2),
    stop_at_operand: true,
    ..Command::new("tag")
};
