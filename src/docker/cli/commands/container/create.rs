//! `docker container create`.

use crate::docker::cli::command::*;
use crate::docker::cli::value::Kind::*;

/// `docker container create`.
pub static COMMAND: Command = Command {
    usage: "[OPTIONS] IMAGE [COMMAND] [ARG...]",
    short: "Create a new container",
    alias_line: "docker container create, docker create",
    flags: &[
        super::flags::CONTAINER,
        &[long("pull", Text, "Pull image before creating (\"always\", \"|missing\", \"never\") (default \"missing\")")],
    ],
    arity: Arity::AtLeast(1),
    stop_at_operand: true,
    ..Command::new("create")
};
