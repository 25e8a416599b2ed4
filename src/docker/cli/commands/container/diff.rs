//! `docker container diff`.

use crate::docker::cli::client::{Client, Running};
use crate::docker::cli::command::*;
use crate::docker::cli::parse::Invocation;
use crate::docker::daemon::api::container::ChangeKind;

/// `docker container diff`.
pub static COMMAND: Command = Command {
    usage: "CONTAINER",
    short: "Inspect changes to files or directories on a container's filesystem",
    alias_line: "docker container diff, docker diff",
    arity: Arity::Exactly(1),
    verb: Verb::Run(run),
    ..Command::new("diff")
};

fn run<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        let mut lines = Vec::new();
        for change in client.daemon.container_changes(&given.operand(0))? {
            let letter: &[u8] = match change.kind {
                ChangeKind::Modify => b"C ",
                ChangeKind::Add => b"A ",
                ChangeKind::Delete => b"D ",
            };
            lines.extend_from_slice(&[letter, &change.path, b"\n"].concat());
        }
        client.print(lines).await
    })
}
