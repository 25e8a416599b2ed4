//! `docker logout`.

use crate::docker::cli::client::{Client, Running};
use crate::docker::cli::command::*;
use crate::docker::cli::config::{Config, HUB};
use crate::docker::cli::error::CliError;
use crate::docker::cli::parse::Invocation;

/// `docker logout`.
pub static COMMAND: Command = Command {
    usage: "[SERVER]",
    short: "Log out from a registry",
    long: "Log out from a registry.\nIf no server is specified, the default is defined by the daemon.",
    arity: Arity::AtMost(1),
    verb: Verb::Run(run),
    ..Command::new("logout")
};

fn run<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        let server = given.operand(0);
        let server = if server.is_empty() { HUB } else { &server };
        client.say(format!("Removing login credentials for {server}")).await?;
        let mut config = Config::read(client).await;
        if config.set(server, None) {
            config.write(client).await.map_err(CliError::new)?;
        }
        Ok(())
    })
}
