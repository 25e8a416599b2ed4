//! `docker container pause`.

use crate::docker::cli::client::{Client, Running};
use crate::docker::cli::command::*;
use crate::docker::cli::parse::Invocation;

/// `docker container pause`.
pub static COMMAND: Command = Command {
    usage: "CONTAINER [CONTAINER...]",
    short: "Pause all processes within one or more containers",
    alias_line: "docker container pause, docker pause",
    arity: Arity::AtLeast(1),
    verb: Verb::Run(run),
    ..Command::new("pause")
};

fn run<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(
        async move { client.each(&given.operand_strings(), async |name| client.daemon.container_pause(name)).await },
    )
}
