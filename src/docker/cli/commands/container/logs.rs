//! `docker container logs`.

use crate::docker::cli::client::{Answer, Client, Running};
use crate::docker::cli::command::*;
use crate::docker::cli::error::CliError;
use crate::docker::cli::parse::Invocation;
use crate::docker::cli::value::Kind::*;
use crate::docker::cli::when;
use crate::docker::daemon::api::container::LogsOptions;
use crate::docker::daemon::api::stream::Source;

/// `docker container logs`.
pub static COMMAND: Command = Command {
    usage: "[OPTIONS] CONTAINER",
    short: "Fetch the logs of a container",
    alias_line: "docker container logs, docker logs",
    flags: &[&[
        long("details", Bool(false), "Show extra details provided to logs"),
        flag('f', "follow", Bool(false), "Follow log output"),
        long(
            "since",
            Text,
            "Show logs since timestamp (e.g. \"2013-01-02T13:23:37Z\") or relative (e.g. \"42m\" for 42 minutes)",
        ),
        flag('n', "tail", Text, "Number of lines to show from the end of the logs (default \"all\")"),
        flag('t', "timestamps", Bool(false), "Show timestamps"),
        long(
            "until",
            Text,
            "Show logs before a timestamp (e.g. \"2013-01-02T13:23:37Z\") or relative (e.g. \"42m\" for 42 minutes)",
        ),
    ]],
    arity: Arity::Exactly(1),
    verb: Verb::Run(run),
    ..Command::new("logs")
};

/// What the flags ask for that `docker logs` and `docker compose logs` share.
///
/// # Errors
/// A time that is none.
pub fn options(client: &Client, given: &Invocation) -> Answer<LogsOptions> {
    let time = |flag: &str| match given.string(flag) {
        Some(text) if !text.is_empty() => when::parse(&text, client.now())
            .map(Some)
            .map_err(|why| CliError::new(format!("invalid value for \"{flag}\": {why}"))),
        _ => Ok(None),
    };
    Ok(LogsOptions {
        follow: given.bool("follow"),
        stdout: true,
        stderr: true,
        since: time("since")?,
        until: time("until")?,
        timestamps: given.bool("timestamps"),
        // What is no number means all, as for the daemon.
        tail: given.string("tail").and_then(|text| text.parse().ok()),
        details: false,
    })
}

fn run<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        let name = given.operand(0);
        let options = LogsOptions { details: given.bool("details"), ..options(client, given)? };
        let tty = client.daemon.container_brief(&name)?.tty;
        let frames = client.daemon.container_logs(&name, &options)?;
        while let Some(frame) = frames.next().await {
            let fd = if frame.source == Source::Stderr && !tty { 2 } else { 1 };
            client.proc.write_rope(fd, &frame.bytes).await.map_err(CliError::write)?;
        }
        Ok(())
    })
}
