//! `docker container start`.

use super::run::exit_status;
use crate::docker::cli::client::{Client, Running};
use crate::docker::cli::command::*;
use crate::docker::cli::error::CliError;
use crate::docker::cli::parse::Invocation;
use crate::docker::cli::session;
use crate::docker::cli::value::Kind::*;
use crate::docker::daemon::api::container::{AttachOptions, WaitCondition};

/// `docker container start`.
pub static COMMAND: Command = Command {
    usage: "[OPTIONS] CONTAINER [CONTAINER...]",
    short: "Start one or more stopped containers",
    alias_line: "docker container start, docker start",
    flags: &[&[
        flag('a', "attach", Bool(false), "Attach STDOUT/STDERR and forward signals"),
        long("checkpoint", Text, "Restore from this checkpoint").not_simulated(),
        long("checkpoint-dir", Text, "Use a custom checkpoint storage directory").not_simulated(),
        long("detach-keys", Text, "Override the key sequence for detaching a container"),
        flag('i', "interactive", Bool(false), "Attach container's STDIN"),
    ]],
    arity: Arity::AtLeast(1),
    verb: Verb::Run(run),
    ..Command::new("start")
};

fn run<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        let names = given.operand_strings();
        if !given.bool("attach") && !given.bool("interactive") {
            let mut failed = Vec::new();
            for name in &names {
                match client.daemon.container_start(name).await {
                    Ok(()) => client.say(name).await?,
                    Err(error) => {
                        client.complain_of(&error).await;
                        failed.push(name.clone());
                    }
                }
            }
            return match failed.is_empty() {
                true => Ok(()),
                false => Err(CliError::new(format!("Error: failed to start containers: {}", failed.join(", ")))),
            };
        }
        let [name] = names.as_slice() else {
            return Err(CliError::new("you cannot start and attach multiple containers at once"));
        };
        let container = client.daemon.container_brief(name)?;
        let stdin = given.bool("interactive") && container.open_stdin;
        let attach = AttachOptions { stdin, stdout: true, stderr: true, logs: false };
        let attached = client.daemon.container_attach(&container.id, attach)?;
        let wait = client.daemon.container_wait(&container.id, WaitCondition::NextExit)?;
        client.daemon.container_start(&container.id).await?;
        let keys = given.string("detach-keys").unwrap_or_default();
        let peer = session::Peer::Container(&container.id, !container.tty);
        let options = session::Options { peer, stdin, detach_keys: &keys };
        if session::run(client, attached, options).await? == session::End::Detached {
            return Ok(());
        }
        exit_status(wait.ended().await.status_code)
    })
}
