//! `docker volume rm`.

use crate::docker::cli::client::{Client, Running};
use crate::docker::cli::command::*;
use crate::docker::cli::parse::Invocation;
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
    verb: Verb::Run(run),
    ..Command::new("rm")
};

fn run<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        let force = given.bool("force");
        client.each(&given.operand_strings(), async |name| client.daemon.volume_remove(name, force)).await
    })
}
