//! `docker network inspect`.

use crate::docker::cli::client::{Client, Running};
use crate::docker::cli::command::*;
use crate::docker::cli::error::from_daemon;
use crate::docker::cli::inspect::{Document, inspect};
use crate::docker::cli::parse::Invocation;
use crate::docker::cli::template::NETWORK;
use crate::docker::cli::value::Kind::*;

/// `docker network inspect`.
pub static COMMAND: Command = Command {
    usage: "[OPTIONS] NETWORK [NETWORK...]",
    short: "Display detailed information on one or more networks",
    flags: &[&[flag('f', "format", Text, FORMAT), flag('v', "verbose", Bool(false), "Verbose output for diagnostics")]],
    arity: Arity::AtLeast(1),
    verb: Verb::Run(run),
    ..Command::new("inspect")
};

fn run<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        let find = |name: &str| match client.daemon.network_inspect(name) {
            Ok(value) => Ok(Document { value, of: Some(&NETWORK) }),
            Err(error) => Err(from_daemon(&error)),
        };
        inspect(client, &given.operand_strings(), &given.string("format").unwrap_or_default(), find).await
    })
}
