//! `docker network disconnect`.

use crate::docker::cli::command::*;
use crate::docker::cli::value::Kind::*;

/// `docker network disconnect`.
pub static COMMAND: Command = Command {
    usage: "[OPTIONS] NETWORK CONTAINER",
    short: "Disconnect a container from a network",
    flags: &[&[flag('f', "force", Bool(false), "Force the container to disconnect from a network")]],
    arity: Arity::Exactly(2),
    ..Command::new("disconnect")
};
