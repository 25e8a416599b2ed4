//! `docker container rename`.

use crate::docker::cli::client::{Client, Running};
use crate::docker::cli::command::*;
use crate::docker::cli::error::CliError;
use crate::docker::cli::parse::Invocation;

/// `docker container rename`.
pub static COMMAND: Command = Command {
    usage: "CONTAINER NEW_NAME",
    short: "Rename a container",
    alias_line: "docker container rename, docker rename",
    arity: Arity::Exactly(2),
    verb: Verb::Run(run),
    ..Command::new("rename")
};

fn run<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        let (old, new) = (given.operand(0), given.operand(1));
        if old.trim().is_empty() || new.trim().is_empty() {
            return Err(CliError::new("Error: Neither old nor new names may be empty"));
        }
        if let Err(error) = client.daemon.container_rename(old.trim(), new.trim()) {
            client.complain_of(&error).await;
            return Err(CliError::new(format!("Error: failed to rename container named {}", old.trim())));
        }
        Ok(())
    })
}
