//! `docker container export`.

use crate::docker::cli::client::{Client, Running};
use crate::docker::cli::command::*;
use crate::docker::cli::error::CliError;
use crate::docker::cli::parse::Invocation;
use crate::docker::cli::value::Kind::*;

/// `docker container export`.
pub static COMMAND: Command = Command {
    usage: "[OPTIONS] CONTAINER",
    short: "Export a container's filesystem as a tar archive",
    alias_line: "docker container export, docker export",
    flags: &[&[flag('o', "output", Text, "Write to a file, instead of STDOUT")]],
    arity: Arity::Exactly(1),
    verb: Verb::Run(run),
    ..Command::new("export")
};

fn run<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        let output = given.string("output").unwrap_or_default();
        if output.is_empty() && client.stdout_tty().is_some() {
            return Err(CliError::new(
                "cowardly refusing to export to a terminal, specify a file path or redirect stdout",
            ));
        }
        client.check_output(&output).map_err(|why| CliError::new(format!("failed to export container: {why}")))?;
        let archive = client.daemon.container_export(&given.operand(0))?;
        client.put(&output, &archive).await
    })
}
