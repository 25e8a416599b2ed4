//! `docker container run`.

use super::pull;
use crate::docker::cli::client::{Answer, Client, Running};
use crate::docker::cli::command::*;
use crate::docker::cli::create;
use crate::docker::cli::error::{CliError, with_help};
use crate::docker::cli::parse::Invocation;
use crate::docker::cli::session;
use crate::docker::cli::value::Kind::*;
use crate::docker::daemon::api::container::{AttachOptions, WaitCondition};

/// `docker container run`.
pub static COMMAND: Command = Command {
    usage: "[OPTIONS] IMAGE [COMMAND] [ARG...]",
    short: "Create and run a new container from an image",
    alias_line: "docker container run, docker run",
    flags: &[
        super::flags::CONTAINER,
        &[
            flag('d', "detach", Bool(false), "Run container in background and print container ID"),
            long("detach-keys", Text, "Override the key sequence for detaching a container"),
            long("pull", Text, "Pull image before running (\"always\", \"missing\", \"never\") (default \"missing\")"),
            long("sig-proxy", Bool(true), "Proxy received signals to the process (default true)"),
        ],
    ],
    arity: Arity::AtLeast(1),
    stop_at_operand: true,
    verb: Verb::Run(run),
    ..Command::new("run")
};

fn run<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        pull::check(given).map_err(|why| CliError::with_help("run", &why))?;
        let mut request = create::request(client, given).await.map_err(|why| CliError::with_help("run", &why))?;
        let detach = given.bool("detach");
        let config = &mut request.config;
        if detach {
            if given.changed("attach") {
                return Err(CliError::new("conflicting options: cannot specify both --attach and --detach"));
            }
            (config.attach_stdin, config.attach_stdout, config.attach_stderr, config.stdin_once) =
                (false, false, false, false);
        } else {
            check_tty(client, config.attach_stdin, config.tty)?;
        }
        let (stdin, stdout, stderr) = (config.attach_stdin, config.attach_stdout, config.attach_stderr);
        let auto_remove = request.host.auto_remove;
        let id = pull::create(client, given, request).await.map_err(framed)?;
        if !stdout && !stderr {
            client.say(&id).await?;
        }
        let attach = AttachOptions { stdin, stdout, stderr, logs: false };
        let attached = match stdin || stdout || stderr {
            true => Some(client.daemon.container_attach(&id, attach)?),
            false => None,
        };
        let condition = if auto_remove { WaitCondition::Removed } else { WaitCondition::NextExit };
        let wait = client.daemon.container_wait(&id, condition)?;
        client.daemon.container_start(&id).await.map_err(|error| CliError::run(&error))?;
        if let Some(attached) = attached {
            let keys = given.string("detach-keys").unwrap_or_default();
            let proxy = given.bool("sig-proxy");
            let options = session::Options { peer: session::Peer::Container(&id, proxy), stdin, detach_keys: &keys };
            if session::run(client, attached, options).await? == session::End::Detached {
                return Ok(());
            }
        }
        if !stdout && !stderr {
            return Ok(());
        }
        exit_status(wait.ended().await.status_code)
    })
}

/// As the frame of `docker run` has it, whoever spoke.
fn framed(error: CliError) -> CliError {
    match error {
        CliError::Says(_, text) => CliError::with_help("run", &text),
        CliError::Refused(_, text, errors) => CliError::Refused(125, with_help("run", &text), errors),
        status @ CliError::Status(_) => status,
    }
}

/// docker/cli `CheckTty`.
///
/// # Errors
/// A terminal is asked for where there is none.
pub fn check_tty(client: &Client, stdin: bool, tty: bool) -> Answer {
    if stdin && tty && client.stdin_tty().is_none() {
        return Err(CliError::new("the input device is not a TTY"));
    }
    Ok(())
}

/// The client ends as the container did.
///
/// # Errors
/// A status that is not 0.
pub fn exit_status(code: i64) -> Answer {
    match code {
        0 => Ok(()),
        code => Err(CliError::Status((code & 0xff) as u8)),
    }
}
