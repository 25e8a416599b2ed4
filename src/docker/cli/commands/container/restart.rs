//! `docker container restart`.

use crate::docker::cli::client::{Client, Running};
use crate::docker::cli::command::*;
use crate::docker::cli::parse::Invocation;
use crate::docker::cli::value::Kind::*;
use crate::docker::daemon::api::container::StopOptions;

/// `docker container restart`.
pub static COMMAND: Command = Command {
    usage: "[OPTIONS] CONTAINER [CONTAINER...]",
    short: "Restart one or more containers",
    alias_line: "docker container restart, docker restart",
    flags: &[&[
        flag('s', "signal", Text, "Signal to send to the container"),
        long("time", Int, "Seconds to wait before killing the container (deprecated: use --timeout)").hidden(),
        flag('t', "timeout", Int, "Seconds to wait before killing the container"),
    ]],
    arity: Arity::AtLeast(1),
    verb: Verb::Run(run),
    ..Command::new("restart")
};

fn run<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        if given.changed("time") {
            client.complain("Flag --time has been deprecated, use --timeout instead".to_owned()).await;
        }
        let options =
            StopOptions { signal: given.string("signal"), timeout_seconds: given.int("timeout").or(given.int("time")) };
        client
            .at_once(&given.operand_strings(), async |name| {
                client.daemon.container_restart(name, options.clone()).await
            })
            .await
    })
}
