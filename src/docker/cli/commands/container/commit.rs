//! `docker container commit`.

use crate::docker::cli::client::{Client, Running};
use crate::docker::cli::command::*;
use crate::docker::cli::error::CliError;
use crate::docker::cli::parse::Invocation;
use crate::docker::cli::value::Kind::*;
use crate::docker::daemon::api::container::CommitRequest;
use crate::docker::image::reference::Reference;

/// `docker container commit`.
pub static COMMAND: Command = Command {
    usage: "[OPTIONS] CONTAINER [REPOSITORY[:TAG]]",
    short: "Create a new image from a container's changes",
    alias_line: "docker container commit, docker commit",
    flags: &[&[
        flag('a', "author", Text, "Author (e.g., \"John Hannibal Smith <hannibal@a-team.com>\")"),
        flag('c', "change", List, "Apply Dockerfile instruction to the created image"),
        flag('m', "message", Text, "Commit message"),
        flag('p', "pause", Bool(true), "Pause container during commit (default true)"),
    ]],
    arity: Arity::Between(1, 2),
    stop_at_operand: true,
    verb: Verb::Run(run),
    ..Command::new("commit")
};

fn run<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        let reference = given.operand(1);
        if !reference.is_empty() {
            Reference::parse(&reference).map_err(|error| CliError::new(error.to_string()))?;
        }
        let request = CommitRequest {
            container: given.operand(0),
            reference,
            comment: given.string("message").unwrap_or_default(),
            author: given.string("author").unwrap_or_default(),
            changes: given.strings("change"),
            pause: given.bool("pause"),
        };
        let id = client.daemon.commit(request)?;
        client.say(id.to_string()).await
    })
}
