//! `docker container attach`.

use super::run::{check_tty, exit_status};
use crate::docker::cli::client::{Client, Running};
use crate::docker::cli::command::*;
use crate::docker::cli::error::CliError;
use crate::docker::cli::parse::Invocation;
use crate::docker::cli::session;
use crate::docker::cli::value::Kind::*;
use crate::docker::daemon::api::container::{AttachOptions, WaitCondition};

/// `docker container attach`.
pub static COMMAND: Command = Command {
    usage: "[OPTIONS] CONTAINER",
    short: "Attach local standard input, output, and error streams to a running container",
    alias_line: "docker container attach, docker attach",
    flags: &[&[
        long("detach-keys", Text, "Override the key sequence for detaching a container"),
        long("no-stdin", Bool(false), "Do not attach STDIN"),
        long("sig-proxy", Bool(true), "Proxy all received signals to the process (default true)"),
    ]],
    arity: Arity::Exactly(1),
    verb: Verb::Run(run),
    ..Command::new("attach")
};

fn run<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        let name = given.operand(0);
        let container = client.daemon.container_brief(&name)?;
        match container.state {
            "paused" => return Err(CliError::new("You cannot attach to a paused container, unpause it first")),
            "restarting" => {
                return Err(CliError::new("You cannot attach to a restarting container, wait until it is running"));
            }
            _ if !container.running => {
                return Err(CliError::new("You cannot attach to a stopped container, start it first"));
            }
            _ => {}
        }
        let no_stdin = given.bool("no-stdin");
        check_tty(client, !no_stdin, container.tty)?;
        let wait = client.daemon.container_wait(&container.id, WaitCondition::NotRunning)?;
        let stdin = !no_stdin && container.open_stdin;
        let attach = AttachOptions { stdin, stdout: true, stderr: true, logs: false };
        let attached = client.daemon.container_attach(&container.id, attach)?;
        let keys = given.string("detach-keys").unwrap_or_default();
        let peer = session::Peer::Container(&container.id, given.bool("sig-proxy") && !container.tty);
        let options = session::Options { peer, stdin, detach_keys: &keys };
        match session::run(client, attached, options).await? {
            session::End::Detached => Err(CliError::new("read escape sequence")),
            session::End::Closed => exit_status(wait.ended().await.status_code),
        }
    })
}
