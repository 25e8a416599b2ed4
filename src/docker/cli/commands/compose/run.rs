//! `docker compose exec` and `run`.

use super::delegate;
use crate::docker::cli::client::{Answer, Client, Running};
use crate::docker::cli::command::*;
use crate::docker::cli::compose::convert::{LABEL, shell_words};
use crate::docker::cli::compose::dotenv;
use crate::docker::cli::compose::engine::Up;
use crate::docker::cli::compose::project::Project;
use crate::docker::cli::compose::steps::Steps;
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
        long("cap-add", List, "Add Linux capabilities"),
        long("cap-drop", List, "Drop Linux capabilities"),
        flag('d', "detach", Bool(false), "Run container in background and print container ID"),
        long("entrypoint", Text, "Override the entrypoint of the image"),
        flag('e', "env", List, "Set environment variables"),
        long("env-from-file", List, "Set environment variables from file"),
        flag('i', "interactive", Bool(true), "Keep STDIN open even if not attached (default true)"),
        flag('l', "label", List, "Add or override a label"),
        long("name", Text, "Assign a name to the container"),
        flag('T', "no-TTY", Bool(false), "Disable pseudo-TTY allocation (default: auto-detected)"),
        long("no-deps", Bool(false), "Don't start linked services"),
        flag('p', "publish", List, "Publish a container's port(s) to the host"),
        long("pull", Text, "Pull image before running (\"always\"|\"missing\"|\"never\") (default \"policy\")"),
        flag('q', "quiet", Bool(false), "Don't print anything to STDOUT").not_simulated(),
        long("quiet-build", Bool(false), "Suppress progress output from the build process").not_simulated(),
        long("quiet-pull", Bool(false), "Pull without printing progress information"),
        long("remove-orphans", Bool(false), "Remove containers for services not defined in the Compose file"),
        long("rm", Bool(false), "Automatically remove the container when it exits"),
        flag('P', "service-ports", Bool(false), "Run command with all service's ports enabled and mapped to the host"),
        long(
            "use-aliases",
            Bool(false),
            "Use the service's network useAliases in the network(s) the container connects to",
        )
        .not_simulated(),
        flag('u', "user", Text, "Run as specified username or uid"),
        flag('v', "volume", List, "Bind mount a volume"),
        flag('w', "workdir", Text, "Working directory inside the container"),
        // Other names of theirs (docker/compose `normalizeRunFlags`).
        long("volumes", List, "Bind mount a volume").hidden(),
        long("labels", List, "Add or override a label").hidden(),
    ]],
    arity: Arity::AtLeast(1),
    stop_at_operand: true,
    verb: Verb::Run(run),
    ..Command::new("run")
};

/// `docker compose cp`.
pub static CP: Command = Command {
    usage: "[OPTIONS] SERVICE:SRC_PATH DEST_PATH|-\n\tdocker compose cp [OPTIONS] SRC_PATH|- SERVICE:DEST_PATH",
    short: "Copy files/folders between a service container and the local filesystem",
    flags: &[&[
        long("all", Bool(false), "Include containers created by the run command").not_simulated(),
        flag('a', "archive", Bool(false), "Archive mode (copy all uid/gid information)"),
        flag('L', "follow-link", Bool(false), "Always follow symbol link in SRC_PATH"),
        long("index", Int, "Index of the container if service has multiple replicas"),
    ]],
    arity: Arity::Exactly(2),
    verb: Verb::Run(cp),
    ..Command::new("cp")
};

/// `docker compose export`.
pub static EXPORT: Command = Command {
    usage: "[OPTIONS] SERVICE",
    short: "Export a service container's filesystem as a tar archive",
    flags: &[&[
        long("index", Int, "index of the container if service has multiple replicas."),
        flag('o', "output", Text, "Write to a file, instead of STDOUT"),
    ]],
    arity: Arity::Exactly(1),
    verb: Verb::Run(export),
    ..Command::new("export")
};

/// `docker compose push`.
pub static PUSH: Command = Command {
    usage: "[OPTIONS] [SERVICE...]",
    short: "Push service images",
    flags: &[&[
        long("ignore-push-failures", Bool(false), "Push what it can and ignores images with push failures"),
        long("include-deps", Bool(false), "Also push images of services declared as dependencies").not_simulated(),
        flag('q', "quiet", Bool(false), "Push without printing progress information"),
    ]],
    arity: Arity::Any,
    verb: Verb::Run(push),
    ..Command::new("push")
};

/// `docker compose stats`.
pub static STATS: Command = Command {
    usage: "[OPTIONS] [SERVICE]",
    short: "Display a live stream of container(s) resource usage statistics",
    flags: &[&[
        flag('a', "all", Bool(false), "Show all containers (default shows just running)"),
        long("format", Text, TABLE_FORMAT),
        long("no-stream", Bool(false), "Disable streaming stats and only pull the first result"),
        long("no-trunc", Bool(false), "Do not truncate output"),
    ]],
    arity: Arity::AtMost(1),
    verb: Verb::Run(stats),
    ..Command::new("stats")
};

/// The project, where operands are no names of services.
async fn project(client: &Client, given: &Invocation, services: usize) -> Answer<Project> {
    let mut without = given.clone();
    without.operands.truncate(services);
    Project::load(client, &without).await
}

fn index(given: &Invocation) -> usize {
    given.int("index").and_then(|n| usize::try_from(n).ok()).unwrap_or(0)
}

fn cp<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        let project = project(client, given, 0).await?;
        let mut words = vec!["cp".to_owned()];
        words.extend(given.bool("archive").then(|| "-a".to_owned()));
        words.extend(given.bool("follow-link").then(|| "-L".to_owned()));
        let (mut name, mut shown) = (None, vec!["copy".to_owned()]);
        for operand in given.operand_strings() {
            match operand.split_once(':').filter(|(name, _)| !name.contains(['/', '.']) && !name.is_empty()) {
                Some((service, path)) => {
                    let all = project.members_of(client, &[service.to_owned()])?;
                    let wanted = index(given);
                    let member = all.into_iter().find(|member| wanted == 0 || member.number == wanted);
                    let none = || CliError::new(format!("no container found for service {service:?}"));
                    let member = member.ok_or_else(none)?;
                    shown.push(format!("{}:{path}", member.name()));
                    words.push(format!("{}:{path}", member.row.id));
                    name = Some(member.name().to_owned());
                }
                None => {
                    shown.push(operand.clone());
                    words.push(operand);
                }
            }
            shown.push("to".to_owned());
        }
        let Some(name) = name else { return Err(CliError::new("unknown copy direction")) };
        shown.pop();
        if words.last().is_some_and(|to| to == "-") {
            return delegate(client, &words).await;
        }
        words.insert(1, "-q".to_owned());
        let (mut steps, what) = (Steps::new("Copying", project.progress), format!("{name} {}", shown.join(" ")));
        steps.working(client, &what, "Copying").await;
        match delegate(client, &words).await {
            Ok(()) => steps.done(client, &what, "Copied").await,
            Err(error) => {
                steps.failed(client, &what).await;
                return Err(error);
            }
        }
        Ok(())
    })
}

fn export<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        let project = project(client, given, 1).await?;
        let member = project.running(client, &given.operand(0), index(given))?;
        let mut words = vec!["export".to_owned()];
        words.extend(given.string("output").into_iter().flat_map(|file| ["-o".to_owned(), file]));
        words.push(member.row.id);
        delegate(client, &words).await
    })
}

fn push<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        let project = project(client, given, usize::MAX).await?;
        for name in project.selected(&given.operand_strings(), false)? {
            let Some(service) = project.services.get(&name).filter(|service| service.contains_key("build")) else {
                continue;
            };
            let mut words = vec!["push".to_owned()];
            words.extend(given.bool("quiet").then(|| "-q".to_owned()));
            words.push(project.image(&name, service));
            match delegate(client, &words).await {
                Err(_) if given.bool("ignore-push-failures") => {}
                other => other?,
            }
        }
        Ok(())
    })
}

fn stats<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        let project = project(client, given, usize::MAX).await?;
        let mut members = project.members_of(client, &given.operand_strings())?;
        members.retain(|member| given.bool("all") || member.row.state == "running");
        let mut words = vec!["stats".to_owned()];
        for flag in ["no-stream", "no-trunc"] {
            words.extend(given.bool(flag).then(|| format!("--{flag}")));
        }
        words.extend(passed(given, &["format"]));
        words.extend(members.into_iter().map(|member| member.row.id));
        if words.last().is_some_and(|last| last.starts_with('-') || last == "stats") {
            return Ok(());
        }
        delegate(client, &words).await
    })
}

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
        let project = project(client, given, 1).await?;
        let member = project.running(client, &service, index(given))?;
        let mut words = vec!["exec".to_owned()];
        words.extend(passed(given, &["env", "user", "workdir"]));
        let is_terminal = client.stdin_tty().is_some() && client.stdout_tty().is_some();
        let tty = !given.bool("no-TTY") && given.bool("tty") && is_terminal;
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
        let project = project(client, given, 1).await?;
        let needs = match project.services.get(&service) {
            Some(found) => project.needs(found),
            None => return Err(CliError::new(format!("no such service: {service}"))),
        };
        if !given.bool("no-deps") && !needs.is_empty() {
            let up = Up {
                quiet_pull: given.bool("quiet-pull"),
                remove_orphans: given.bool("remove-orphans"),
                ..Up::default()
            };
            project.up(client, &needs, &up).await?;
        }
        // The image and the networks; the service's own containers stay as they are.
        let own = Up {
            knows_orphans: !given.bool("no-deps") && !needs.is_empty(),
            no_deps: true,
            is_around: true,
            build: given.bool("build"),
            pull: given.string("pull").filter(|pull| !matches!(pull.as_str(), "" | "policy")),
            quiet_pull: given.bool("quiet-pull"),
            remove_orphans: given.bool("remove-orphans"),
            ..Up::default()
        };
        project.up(client, std::slice::from_ref(&service), &own).await?;
        let mut flags = passed(given, &["cap-add", "cap-drop", "label", "publish", "user", "volume", "workdir"]);
        for (flag, other) in [("--label", "labels"), ("--volume", "volumes")] {
            flags.extend(given.strings(other).into_iter().flat_map(|value| [flag.to_owned(), value]));
        }
        let mut variables = Vec::new();
        for file in given.strings("env-from-file") {
            let Ok(bytes) = client.proc.read_file(file.as_bytes()).await else {
                return Err(CliError::new(format!("open {file}: no such file or directory")));
            };
            let read = dotenv::parse(&String::from_utf8_lossy(&bytes.to_vec()), &project.environment);
            let read = read.map_err(|why| CliError::new(format!("failed to read {file}: {why}")))?;
            variables.extend(read.into_iter().map(|(key, value)| format!("{key}={value}")));
        }
        variables.extend(given.strings("env").into_iter().filter_map(|word| match word.contains('=') {
            true => Some(word),
            // A name alone takes the project's value, `.env` and all.
            false => project.environment.get(&word).map(|value| format!("{word}={value}")),
        }));
        flags.extend(variables.into_iter().flat_map(|word| ["--env".to_owned(), word]));
        let detach = given.bool("detach");
        let is_terminal = client.stdin_tty().is_some() && client.stdout_tty().is_some();
        let tty = !given.bool("no-TTY") && !detach && is_terminal;
        let stdin = given.bool("interactive");
        flags.extend((!detach && stdin).then(|| "-i".to_owned()));
        flags.extend(tty.then(|| "-t".to_owned()));
        flags.extend(given.bool("rm").then(|| "--rm".to_owned()));
        // A one-off container is not started again (compose `applyRunOptions`).
        flags.extend(["--restart".to_owned(), "no".to_owned()]);
        if given.bool("service-ports") {
            flags.extend(project.ports(&service).into_iter().flat_map(|port| ["-p".to_owned(), port]));
        }
        let ids = project.members_of(client, &[])?.len();
        let seed = format!("{}{service}{ids}{}", project.name, client.now().0);
        let slug = crate::base::digest::Digest::of(seed.as_bytes());
        flags.extend(["--label".to_owned(), format!("{LABEL}.slug={}", slug.hex())]);
        let (between, short) = (project.separator, slug.short());
        let name = given
            .string("name")
            .unwrap_or_else(|| format!("{}{between}{service}{between}run{between}{short}", project.name));
        let (_, mut request) = project.request(client, &service, &name, 1, Some((&flags, &command))).await?;
        if given.changed("entrypoint") {
            // It does without the service's command too (docker/compose `applyRunOptions`).
            request.config.entrypoint = Some(shell_words(&given.string("entrypoint").unwrap_or_default()));
            request.config.cmd = Some(command.clone());
        }
        create::detach(&mut request.config, detach);
        let auto_remove = request.host.auto_remove;
        let id = client.daemon.container_create(request)?.id;
        let condition = if auto_remove { WaitCondition::Removed } else { WaitCondition::NextExit };
        if detach {
            client.daemon.container_start(&id).await?;
            return client.say(name).await;
        }
        let attach = AttachOptions { stdin, stdout: true, stderr: true, logs: false };
        let attached = client.daemon.container_attach(&id, attach)?;
        let wait = client.daemon.container_wait(&id, condition)?;
        client.daemon.container_start(&id).await?;
        let options = session::Options { peer: session::Peer::Container(&id, true), stdin, detach_keys: "" };
        if session::run(client, attached, options).await? == session::End::Detached {
            return Ok(());
        }
        match wait.ended().await.status_code {
            0 => Ok(()),
            code => Err(CliError::Status((code & 0xff) as u8)),
        }
    })
}
