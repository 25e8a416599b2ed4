//! `docker container inspect`.

use crate::docker::cli::client::{Client, Running};
use crate::docker::cli::command::*;
use crate::docker::cli::error::from_daemon;
use crate::docker::cli::inspect::{Document, inspect};
use crate::docker::cli::parse::Invocation;
use crate::docker::cli::template::CONTAINER;
use crate::docker::cli::value::Kind::*;

/// `docker container inspect`.
pub static COMMAND: Command = Command {
    usage: "[OPTIONS] CONTAINER [CONTAINER...]",
    short: "Display detailed information on one or more containers",
    flags: &[&[flag('f', "format", Text, FORMAT), flag('s', "size", Bool(false), "Display total file sizes")]],
    arity: Arity::AtLeast(1),
    verb: Verb::Run(run),
    ..Command::new("inspect")
};

fn run<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        let size = given.bool("size");
        let find = |name: &str| match client.daemon.container_inspect(name, size) {
            Ok(value) => Ok(Document { value, of: Some(&CONTAINER) }),
            Err(error) => Err(from_daemon(&error)),
        };
        inspect(client, &given.operand_strings(), &given.string("format").unwrap_or_default(), find).await
    })
}
