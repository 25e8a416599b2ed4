//! `docker network rm`.

use crate::docker::cli::client::{Client, Running};
use crate::docker::cli::command::*;
use crate::docker::cli::error::CliError;
use crate::docker::cli::parse::Invocation;
use crate::docker::cli::value::Kind::*;
use crate::docker::daemon::api::Class;

/// `docker network rm`.
pub static COMMAND: Command = Command {
    aliases: &["remove"],
    usage: "NETWORK [NETWORK...]",
    short: "Remove one or more networks",
    alias_line: "docker network rm, docker network remove",
    flags: &[&[flag('f', "force", Bool(false), "Do not error if the network does not exist")]],
    arity: Arity::AtLeast(1),
    verb: Verb::Run(run),
    ..Command::new("rm")
};

fn run<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        // As the real client does: each refusal where it happens, and at the end a status that says no more.
        let mut failed = false;
        for name in given.operand_strings() {
            match client.daemon.network_remove(&name) {
                Ok(removed) => client.say(removed).await?,
                Err(error) if given.bool("force") && error.class() == Class::NotFound => {}
                Err(error) => {
                    client.complain_of(&error).await;
                    failed = true;
                }
            }
        }
        if failed { Err(CliError::new("exit status 1")) } else { Ok(()) }
    })
}
