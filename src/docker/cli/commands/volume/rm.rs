//! `docker volume rm`.

use crate::docker::cli::command::*;
use crate::docker::cli::value::Kind::*;

/// `docker volume rm`.
pub static COMMAND: Command = Command {
    aliases: &["remove"],
    usage: "[OPTIONS] VOLUME [VOLUME...]",
    short: "Remove one or more volumes",
    long: "Remove one or more volumes. You cannot remove a volume that is in use by a container.",
    alias_line: "docker volume rm, docker volume remove",
    flags: &[&[flag('f', "force", Bool(false), "Force the removal of one or more volumes")]],
    arity: Arity::AtLeast(1),
    ..Command::new("rm")
};
