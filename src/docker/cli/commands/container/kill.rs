//! `docker container kill`.

use crate::docker::cli::client::{Client, Running};
use crate::docker::cli::command::*;
use crate::docker::cli::parse::Invocation;
use crate::docker::cli::value::Kind::*;

/// `docker container kill`.
pub static COMMAND: Command = Command {
    usage: "[OPTIONS] CONTAINER [CONTAINER...]",
    short: "Kill one or more running containers",
    alias_line: "docker container kill, docker kill",
    flags: &[&[flag('s', "signal", Text, "Signal to send to the container")]],
    arity: Arity::AtLeast(1),
    verb: Verb::Run(run),
    ..Command::new("kill")
};

fn run<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        let signal = given.string("signal").filter(|signal| !signal.is_empty()).unwrap_or_else(|| "KILL".to_owned());
        client.at_once(&given.operand_strings(), async |name| client.daemon.container_kill(name, &signal).await).await
    })
}
