//! `docker container create`.

use super::pull;
use crate::docker::cli::client::{Client, Running};
use crate::docker::cli::command::*;
use crate::docker::cli::create;
use crate::docker::cli::error::CliError;
use crate::docker::cli::parse::Invocation;
use crate::docker::cli::value::Kind::*;

/// `docker container create`.
pub static COMMAND: Command = Command {
    usage: "[OPTIONS] IMAGE [COMMAND] [ARG...]",
    short: "Create a new container",
    alias_line: "docker container create, docker create",
    flags: &[
        super::flags::CONTAINER,
        &[long("pull", Text, "Pull image before creating (\"always\", \"|missing\", \"never\") (default \"missing\")")],
    ],
    arity: Arity::AtLeast(1),
    stop_at_operand: true,
    verb: Verb::Run(run),
    ..Command::new("create")
};

fn run<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        pull::check(given).map_err(|why| CliError::with_help("create", &why))?;
        let request = create::request(client, given).await.map_err(|why| CliError::with_help("create", &why))?;
        let id = pull::create(client, given, request).await?;
        client.say(id).await
    })
}
