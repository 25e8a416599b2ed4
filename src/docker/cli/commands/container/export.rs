//! `docker container export`.

use crate::docker::cli::command::*;
use crate::docker::cli::value::Kind::*;

/// `docker container export`.
pub static COMMAND: Command = Command {
    usage: "[OPTIONS] CONTAINER",
    short: "Export a container's filesystem as a tar archive",
    alias_line: "docker container export, docker export",
    flags: &[&[flag('o', "output", Text, "Write to a file, instead of STDOUT")]],
    arity: Arity::Exactly(1),
    ..Command::new("export")
};
