//! `docker container wait`.

use crate::docker::cli::client::{Client, Running};
use crate::docker::cli::command::*;
use crate::docker::cli::error::CliError;
use crate::docker::cli::parse::Invocation;
use crate::docker::daemon::api::container::WaitCondition;

/// `docker container wait`.
pub static COMMAND: Command = Command {
    usage: "CONTAINER [CONTAINER...]",
    short: "Block until one or more containers stop, then print their exit codes",
    alias_line: "docker container wait, docker wait",
    arity: Arity::AtLeast(1),
    verb: Verb::Run(run),
    ..Command::new("wait")
};

fn run<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        let mut refused = Vec::new();
        for name in given.operand_strings() {
            match client.daemon.container_wait(&name, WaitCondition::NotRunning) {
                Ok(wait) => client.say(wait.ended().await.status_code.to_string()).await?,
                Err(error) => refused.push(error),
            }
        }
        CliError::all(refused)
    })
}
