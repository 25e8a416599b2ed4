//! `docker compose exec` and `run`.

use super::delegate;
use crate::docker::cli::client::{Client, Running};
use crate::docker::cli::command::*;
use crate::docker::cli::compose::engine::Up;
use crate::docker::cli::compose::project::Project;
use crate::docker::cli::create;
use crate::docker::cli::error::CliError;
use crate::docker::cli::parse::Invocation;
use crate::docker::cli::session;
use crate::docker::cli::value::Kind::*;
use crate::docker::daemon::api::container::{AttachOptions, WaitCondition};

/// `docker compose exec`.
pub static EXEC: Command = Command {
    usage: "[OPTIONS] SERVICE COMMAND [ARGS...]",
    short: "Execute a command in a running container",
    flags: &[&[
        flag('d', "detach", Bool(false), "Detached mode: Run command in the background"),
        flag('e', "env", List, "Set environment variables"),
        long("index", Int, "Index of the container if service has multiple replicas"),
        flag(
            'T',
            "no-TTY",
            Bool(false),
            "Disable pseudo-TTY allocation. By default 'docker compose exec' allocates a TTY.",
        ),
        long("privileged", Bool(false), "Give extended privileges to the process"),
        flag('u', "user", Text, "Run the command as this user"),
        flag('w', "workdir", Text, "Path to workdir directory for this command"),
        flag('i', "interactive", Bool(true), "Keep STDIN open even if not attached").hidden(),
        flag('t', "tty", Bool(true), "Allocate a pseudo-TTY").hidden(),
    ]],
    arity: Arity::AtLeast(2),
    stop_at_operand: true,
    verb: Verb::Run(exec),
    ..Command::new("exec")
};

/// `docker compose run`.
pub static RUN: Command = Command {
    usage: "[OPTIONS] SERVICE [COMMAND] [ARGS...]",
    short: "Run a one-off command on a service",
    flags: &[&[
        long("build", Bool(false), "Build image before starting container"),
        flag('d', "detach", Bool(false), "Run container in background and print container ID"),
        long("entrypoint", Text, "Override the entrypoint of the image"),
        flag('e', "env", List, "Set environment variables"),
        flag('l', "label", List, "Add or override a label"),
        long("name", Text, "Assign a name to the container"),
        flag('T', "no-TTY", Bool(false), "Disable pseudo-TTY allocation (default: auto-detected)"),
        long("no-deps", Bool(false), "Don't start linked services"),
        flag('p', "publish", List, "Publish a container's port(s) to the host"),
        long("rm", Bool(false), "Automatically remove the container when it exits"),
        flag('u', "user", Text, "Run as specified username or uid"),
        flag('v', "volume", List, "Bind mount a volume"),
        flag('w', "workdir", Text, "Working directory inside the container"),
    ]],
    arity: Arity::AtLeast(1),
    stop_at_operand: true,
    verb: Verb::Run(run),
    ..Command::new("run")
};

fn passed(given: &Invocation, flags: &[&'static str]) -> Vec<String> {
    let mut words = Vec::new();
    for flag in flags {
        words.extend(given.strings(flag).into_iter().flat_map(|value| [format!("--{flag}"), value]));
    }
    words
}

fn exec<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        let (service, command) = (given.operand(0), given.operand_strings().split_off(1));
        let mut without = given.clone();
        without.operands.truncate(1);
        let project = Project::load(client, &without).await?;
        let index = given.int("index").and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
        let member = project.running(client, &service, index)?;
        let mut words = vec!["exec".to_owned()];
        words.extend(passed(given, &["env", "user", "workdir"]));
        let tty = !given.bool("no-TTY") && given.bool("tty") && client.stdin_tty().is_some();
        for (wanted, flag) in [
            (given.bool("detach"), "-d"),
            (given.bool("privileged"), "--privileged"),
            (given.bool("interactive") && !given.bool("detach"), "-i"),
            (tty && !given.bool("detach"), "-t"),
        ] {
            words.extend(wanted.then(|| flag.to_owned()));
        }
        words.push(member.row.id);
        words.extend(command);
        delegate(client, &words).await
    })
}

fn run<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        let (service, command) = (given.operand(0), given.operand_strings().split_off(1));
        let mut without = given.clone();
        without.operands.truncate(1);
        let project = Project::load(client, &without).await?;
        let needs = match project.services.get(&service) {
            Some(found) => project.needs(found),
            None => return Err(CliError::new(format!("no such service: {service}"))),
        };
        if !given.bool("no-deps") && !needs.is_empty() {
            project.up(client, &needs, &Up::default()).await?;
        }
        // The image and the networks, not the service's own containers.
        let own = Up { no_start: true, no_deps: true, build: given.bool("build"), ..Up::default() };
        let own = Up { scale: [(service.clone(), 0)].into(), ..own };
        let there = project.members_of(client, std::slice::from_ref(&service))?.len();
        project
            .up(client, std::slice::from_ref(&service), &Up { scale: [(service.clone(), there)].into(), ..own })
            .await?;
        let mut flags = passed(given, &["env", "entrypoint", "label", "publish", "user", "volume", "workdir"]);
        let detach = given.bool("detach");
        let tty = !given.bool("no-TTY") && !detach && client.stdin_tty().is_some();
        flags.extend((!detach).then(|| "-i".to_owned()));
        flags.extend(tty.then(|| "-t".to_owned()));
        flags.extend(given.bool("rm").then(|| "--rm".to_owned()));
        let ids = project.members_of(client, &[])?.len();
        let seed = format!("{}{service}{ids}{}", project.name, client.now().0);
        let short = crate::base::digest::Digest::of(seed.as_bytes()).short();
        let name = given.string("name").unwrap_or_else(|| format!("{}-{service}-run-{short}", project.name));
        let (_, mut request) = project.request(client, &service, &name, 1, Some((&flags, &command))).await?;
        create::detach(&mut request.config, detach);
        let auto_remove = request.host.auto_remove;
        let id = client.daemon.container_create(request)?.id;
        let condition = if auto_remove { WaitCondition::Removed } else { WaitCondition::NextExit };
        if detach {
            client.daemon.container_start(&id).await?;
            return client.say(name).await;
        }
        let attach = AttachOptions { stdin: true, stdout: true, stderr: true, logs: false };
        let attached = client.daemon.container_attach(&id, attach)?;
        let wait = client.daemon.container_wait(&id, condition)?;
        client.daemon.container_start(&id).await.map_err(|error| CliError::run(&error))?;
        let options = session::Options { peer: session::Peer::Container(&id, true), stdin: true, detach_keys: "" };
        if session::run(client, attached, options).await? == session::End::Detached {
            return Ok(());
        }
        match wait.ended().await.status_code {
            0 => Ok(()),
            code => Err(CliError::Status((code & 0xff) as u8)),
        }
    })
}
