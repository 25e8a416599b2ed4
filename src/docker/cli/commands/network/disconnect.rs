//! `docker network disconnect`.

use crate::docker::cli::client::{Client, Running};
use crate::docker::cli::command::*;
use crate::docker::cli::parse::Invocation;
use crate::docker::cli::value::Kind::*;

/// `docker network disconnect`.
pub static COMMAND: Command = Command {
    usage: "[OPTIONS] NETWORK CONTAINER",
    short: "Disconnect a container from a network",
    flags: &[&[flag('f', "force", Bool(false), "Force the container to disconnect from a network")]],
    arity: Arity::Exactly(2),
    verb: Verb::Run(run),
    ..Command::new("disconnect")
};

fn run<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        client.daemon.network_disconnect(&given.operand(0), &given.operand(1), given.bool("force"))?;
        Ok(())
    })
}
