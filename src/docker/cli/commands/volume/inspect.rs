//! `docker volume inspect`.

use crate::docker::cli::client::{Client, Running};
use crate::docker::cli::command::*;
use crate::docker::cli::error::from_daemon;
use crate::docker::cli::inspect::{Document, inspect};
use crate::docker::cli::parse::Invocation;
use crate::docker::cli::template::VOLUME;
use crate::docker::cli::value::Kind::*;

/// `docker volume inspect`.
pub static COMMAND: Command = Command {
    usage: "[OPTIONS] VOLUME [VOLUME...]",
    short: "Display detailed information on one or more volumes",
    flags: &[&[flag('f', "format", Text, FORMAT)]],
    arity: Arity::AtLeast(1),
    verb: Verb::Run(run),
    ..Command::new("inspect")
};

fn run<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        let find = |name: &str| match client.daemon.volume_inspect(name) {
            Ok(volume) => {
                let value = serde_json::to_value(volume).map_err(|error| error.to_string())?;
                Ok(Document { value, of: Some(&VOLUME) })
            }
            Err(error) => Err(from_daemon(&error)),
        };
        inspect(client, &given.operand_strings(), &given.string("format").unwrap_or_default(), find).await
    })
}
