//! `docker container exec`.

use super::run::{check_tty, exit_status};
use crate::docker::cli::client::{Client, Running};
use crate::docker::cli::command::*;
use crate::docker::cli::create::read_variables;
use crate::docker::cli::error::CliError;
use crate::docker::cli::parse::Invocation;
use crate::docker::cli::session;
use crate::docker::cli::value::Kind::*;
use crate::docker::daemon::api::container::ExecConfig;
use crate::docker::daemon::api::{DaemonError, RuntimeError};

/// `docker container exec`.
pub static COMMAND: Command = Command {
    usage: "[OPTIONS] CONTAINER COMMAND [ARG...]",
    short: "Execute a command in a running container",
    alias_line: "docker container exec, docker exec",
    flags: &[&[
        flag('d', "detach", Bool(false), "Detached mode: run command in the background"),
        long("detach-keys", Text, "Override the key sequence for detaching a container"),
        flag('e', "env", Env, "Set environment variables"),
        long("env-file", List, "Read in a file of environment variables"),
        flag('i', "interactive", Bool(false), "Keep STDIN open even if not attached"),
        long("privileged", Bool(false), "Give extended privileges to the command"),
        flag('t', "tty", Bool(false), "Allocate a pseudo-TTY"),
        flag('u', "user", Text, "Username or UID (format: \"<name|uid>[:<group|gid>]\")"),
        flag('w', "workdir", Text, "Working directory inside the container"),
    ]],
    arity: Arity::AtLeast(2),
    stop_at_operand: true,
    verb: Verb::Run(run),
    ..Command::new("exec")
};

fn run<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        let name = given.operand(0);
        let (detach, tty) = (given.bool("detach"), given.bool("tty"));
        let env =
            read_variables(client, &given.strings("env-file"), &given.strings("env")).await.map_err(CliError::new)?;
        client.daemon.container_brief(&name)?;
        let stdin = given.bool("interactive") && !detach;
        if !detach {
            check_tty(client, stdin, tty)?;
        }
        let console_size = client.stdout_tty().filter(|_| tty).map_or([0, 0], |id| {
            let size = client.proc.win_size(id);
            [size.rows, size.cols]
        });
        let config = ExecConfig {
            cmd: given.operand_strings().split_off(1),
            tty,
            attach_stdin: stdin,
            attach_stdout: !detach,
            attach_stderr: !detach,
            env,
            working_dir: given.string("workdir").unwrap_or_default(),
            user: given.string("user").unwrap_or_default(),
            privileged: given.bool("privileged"),
            console_size,
        };
        let id = client.daemon.exec_create(&name, config)?;
        let attached = match client.daemon.exec_start(&id, detach) {
            Ok(Some(attached)) => attached,
            Ok(None) => return Ok(()),
            // The daemon has given its answer by then, so that the reason comes as output.
            Err(error @ DaemonError::Exec(_)) if !detach => {
                client.print(format!("{error}\r\n")).await?;
                let status = error.runtime().map_or(126, RuntimeError::exit_status);
                return Err(CliError::Status(u8::try_from(status).unwrap_or(126)));
            }
            Err(error) => return Err(error.into()),
        };
        let keys = given.string("detach-keys").unwrap_or_default();
        let options = session::Options { peer: session::Peer::Exec(&id), stdin, detach_keys: &keys };
        match session::run(client, attached, options).await? {
            session::End::Detached => Err(CliError::new("read escape sequence")),
            session::End::Closed => exit_status(client.daemon.exec_inspect(&id)?.exit_code.unwrap_or(0)),
        }
    })
}
