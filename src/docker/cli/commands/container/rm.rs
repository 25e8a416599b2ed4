//! `docker container rm`.

use crate::docker::cli::client::{Client, Running};
use crate::docker::cli::command::*;
use crate::docker::cli::error::{CliError, from_daemon};
use crate::docker::cli::parse::Invocation;
use crate::docker::cli::value::Kind::*;
use crate::docker::daemon::api::Class;
use crate::docker::daemon::api::container::RemoveOptions;

/// `docker container rm`.
pub static COMMAND: Command = Command {
    aliases: &["remove"],
    usage: "[OPTIONS] CONTAINER [CONTAINER...]",
    short: "Remove one or more containers",
    alias_line: "docker container rm, docker container remove, docker rm",
    flags: &[&[
        flag('f', "force", Bool(false), "Force the removal of a running container (uses SIGKILL)"),
        flag('l', "link", Bool(false), "Remove the specified link").not_simulated(),
        flag('v', "volumes", Bool(false), "Remove anonymous volumes associated with the container"),
    ]],
    arity: Arity::AtLeast(1),
    verb: Verb::Run(run),
    ..Command::new("rm")
};

fn run<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        let force = given.bool("force");
        let options = RemoveOptions { force, volumes: given.bool("volumes") };
        let names: Vec<String> = given.operand_strings().iter().map(|name| name.trim_matches('/').to_owned()).collect();
        if names.iter().any(String::is_empty) {
            return Err(CliError::new("container name cannot be empty"));
        }
        let mut refused = Vec::new();
        for name in &names {
            match client.daemon.container_remove(name, options).await {
                Ok(()) => client.say(name).await?,
                Err(error) if force && error.class() == Class::NotFound => client.complain(from_daemon(&error)).await,
                Err(error) => refused.push(error),
            }
        }
        CliError::all(refused)
    })
}
