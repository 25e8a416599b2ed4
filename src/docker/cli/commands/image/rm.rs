//! `docker image rm`.

use crate::docker::cli::client::{Client, Running};
use crate::docker::cli::command::*;
use crate::docker::cli::error::CliError;
use crate::docker::cli::parse::Invocation;
use crate::docker::cli::value::Kind::*;
use crate::docker::daemon::api::Class;

/// `docker image rm`.
pub static COMMAND: Command = Command {
    aliases: &["remove"],
    usage: "[OPTIONS] IMAGE [IMAGE...]",
    short: "Remove one or more images",
    alias_line: "docker image rm, docker image remove, docker rmi",
    flags: &[&[
        flag('f', "force", Bool(false), "Force removal of the image"),
        long("no-prune", Bool(false), "Do not delete untagged parents"),
        long(
            "platform",
            Strings,
            "Remove only the given platform variant. Formatted as \"os[/arch[/variant]]\" (e.g., \"linux/amd64\")",
        )
        .since_api("1.50"),
    ]],
    arity: Arity::AtLeast(1),
    verb: Verb::Run(run),
    ..Command::new("rm")
};

fn run<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        let (force, prune) = (given.bool("force"), !given.bool("no-prune"));
        let (mut refused, mut fatal) = (Vec::new(), false);
        for name in given.operand_strings() {
            match client.daemon.image_remove(&name, force, prune) {
                Ok(removals) => {
                    let lines: String = removals.iter().map(|removal| format!("{removal}\n")).collect();
                    client.print(lines).await?;
                }
                Err(error) => {
                    fatal |= error.class() != Class::NotFound;
                    refused.push(error);
                }
            }
        }
        match CliError::all(refused) {
            Err(CliError::Refused(_, text, _)) if force && !fatal => {
                client.complain(text).await;
                Ok(())
            }
            result => result,
        }
    })
}
