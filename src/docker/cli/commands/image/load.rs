//! `docker image load`.

use crate::docker::cli::client::{Client, Running, go_errno};
use crate::docker::cli::command::*;
use crate::docker::cli::error::CliError;
use crate::docker::cli::parse::Invocation;
use crate::docker::cli::transfer::{self, To};
use crate::docker::cli::value::Kind::*;
use crate::docker::daemon::api::image::{Progress, ProgressSink};
use std::rc::Rc;

/// `docker image load`.
pub static COMMAND: Command = Command {
    usage: "[OPTIONS]",
    short: "Load an image from a tar archive or STDIN",
    alias_line: "docker image load, docker load",
    flags: &[&[
        flag('i', "input", Text, "Read from tar archive file, instead of STDIN"),
        long(
            "platform",
            Text,
            "Load only the given platform variant. Formatted as \"os[/arch[/variant]]\" (e.g., \"linux/amd64\")",
        )
        .since_api("1.48"),
        flag('q', "quiet", Bool(false), "Suppress the load output"),
    ]],
    verb: Verb::Run(run),
    ..Command::new("load")
};

fn run<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        let input = given.string("input").unwrap_or_default();
        if input.is_empty() && client.stdin_tty().is_some() {
            return Err(CliError::new("requested load from stdin, but stdin is empty"));
        }
        let archive = match input.is_empty() {
            true => client.proc.read_all(0).await.map_err(|errno| CliError::new(go_errno(errno)))?,
            false => client.read_file(&input).await.map_err(CliError::new)?,
        };
        // Quietly, only what was loaded is told; what is no terminal shows no bars (docker/cli `runLoad`).
        let quiet = given.bool("quiet") || client.proc.tty_of(1).is_none();
        transfer::show(client, To::Stdout, |sink| {
            let sink: ProgressSink = Rc::new(move |message| match message {
                Progress::Layer { .. } if quiet => {}
                message => sink(message),
            });
            async move { client.daemon.image_load(&archive, sink).await }
        })
        .await
    })
}
