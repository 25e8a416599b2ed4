//! `docker image save`.

use crate::docker::cli::client::{Client, Running};
use crate::docker::cli::command::*;
use crate::docker::cli::error::CliError;
use crate::docker::cli::parse::Invocation;
use crate::docker::cli::value::Kind::*;

/// `docker image save`.
pub static COMMAND: Command = Command {
    usage: "[OPTIONS] IMAGE [IMAGE...]",
    short: "Save one or more images to a tar archive (streamed to STDOUT by default)",
    alias_line: "docker image save, docker save",
    flags: &[&[
        flag('o', "output", Text, "Write to a file, instead of STDOUT"),
        long(
            "platform",
            Text,
            "Save only the given platform variant. Formatted as \"os[/arch[/variant]]\" (e.g., \"linux/amd64\")",
        )
        .since_api("1.48"),
    ]],
    arity: Arity::AtLeast(1),
    verb: Verb::Run(run),
    ..Command::new("save")
};

fn run<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        let output = given.string("output").unwrap_or_default();
        if output.is_empty() && client.stdout_tty().is_some() {
            return Err(CliError::new("cowardly refusing to save to a terminal. Use the -o flag or redirect"));
        }
        client.check_output(&output).map_err(|why| CliError::new(format!("failed to save image: {why}")))?;
        let archive = client.daemon.image_save(&given.operand_strings())?;
        client.put(&output, &archive).await
    })
}
