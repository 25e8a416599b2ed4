//! `docker network rm`.

use crate::docker::cli::command::*;
use crate::docker::cli::value::Kind::*;

/// `docker network rm`.
pub static COMMAND: Command = Command {
    aliases: &["remove"],
    usage: "NETWORK [NETWORK...]",
    short: "Remove one or more networks",
    alias_line: "docker network rm, docker network remove",
    flags: &[&[flag('f', "force", Bool(false), "Do not error if the network does not exist")]],
    arity: Arity::AtLeast(1),
    ..Command::new("rm")
};
