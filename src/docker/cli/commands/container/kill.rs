//! `docker container kill`.

use crate::docker::cli::command::*;
use crate::docker::cli::value::Kind::*;

/// `docker container kill`.
pub static COMMAND: Command = Command {
    usage: "[OPTIONS] CONTAINER [CONTAINER...]",
    short: "Kill one or more running containers",
    alias_line: "docker container kill, docker kill",
    flags: &[&[flag('s', "signal", Text, "Signal to send to the container")]],
    arity: Arity::AtLeast(1),
    ..Command::new("kill")
};
