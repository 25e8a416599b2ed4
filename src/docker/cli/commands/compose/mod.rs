//! `docker compose`: its verbs. What they do is in `docker::cli::compose`.

mod follow;
mod look;
mod run;

use crate::docker::cli::client::{Answer, Client, Running, race};
use crate::docker::cli::command::*;
use crate::docker::cli::compose::engine::{Member, Up};
use crate::docker::cli::compose::project::Project;
use crate::docker::cli::compose::steps::Steps;
use crate::docker::cli::compose::{COMPOSE_VERSION, convert};
use crate::docker::cli::error::CliError;
use crate::docker::cli::parse::Invocation;
use crate::docker::cli::value::Kind::*;
use crate::docker::daemon::api::container::{RemoveOptions, StopOptions};

/// `docker compose`.
pub static COMPOSE: Noun = Noun {
    place: Place::Plugin,
    long: "Define and run multi-container applications with Docker",
    flags: &[
        long("all-resources", Bool(false), "Include all resources, even those not used by services").not_simulated(),
        long(
            "ansi",
            Text,
            "Control when to print ANSI control characters (\"never\"|\"always\"|\"auto\") (default \"auto\")",
        ),
        long("compatibility", Bool(false), "Run compose in backward compatibility mode"),
        long("dry-run", Bool(false), "Execute command in dry run mode").not_simulated(),
        long("env-file", List, "Specify an alternate environment file"),
        flag('f', "file", List, "Compose configuration files"),
        long("parallel", Int, "Control max parallelism, -1 for unlimited (default -1)").not_simulated(),
        long("profile", List, "Specify a profile to enable"),
        long("progress", Text, "Set type of progress output (auto, tty, plain, json, quiet)"),
        long(
            "project-directory",
            Text,
            "Specify an alternate working directory\n(default: the path of the, first specified, Compose file)",
        ),
        flag('p', "project-name", Text, "Project name"),
    ],
    ..Noun::new(
        "compose",
        "Docker Compose",
        &[
            &follow::ATTACH,
            &BUILD,
            &absent("commit", "Create a new image from a service container's changes"),
            &look::CONFIG,
            &run::CP,
            &CREATE,
            &DOWN,
            &follow::EVENTS,
            &run::EXEC,
            &run::EXPORT,
            &look::IMAGES,
            &KILL,
            &look::LOGS,
            &look::LS,
            &PAUSE,
            &look::PORT,
            &look::PS,
            &absent("publish", "Publish compose application"),
            &PULL,
            &run::PUSH,
            &RESTART,
            &RM,
            &run::RUN,
            &SCALE,
            &START,
            &run::STATS,
            &STOP,
            &look::TOP,
            &UNPAUSE,
            &UP,
            &VERSION,
            &follow::WAIT,
            &absent("watch", "Watch build context for service and rebuild/refresh containers when files are updated"),
        ],
    )
};

const fn absent(name: &'static str, short: &'static str) -> Command {
    Command { short, arity: Arity::Any, ..Command::new(name) }
}

const TIMEOUT: Flag = flag('t', "timeout", Int, "Specify a shutdown timeout in seconds");

static BUILD: Command = Command {
    usage: "[OPTIONS] [SERVICE...]",
    short: "Build or rebuild services",
    flags: &[&[
        long("build-arg", List, "Set build-time variables for services"),
        long("no-cache", Bool(false), "Do not use cache when building the image"),
        long("pull", Bool(false), "Always attempt to pull a newer version of the image"),
        flag('q', "quiet", Bool(false), "Suppress the build output"),
        long("push", Bool(false), "Push service images").not_simulated(),
        long("with-dependencies", Bool(false), "Also build dependencies (transitively)"),
    ]],
    arity: Arity::Any,
    verb: Verb::Run(build),
    ..Command::new("build")
};

static CREATE: Command = Command {
    usage: "[OPTIONS] [SERVICE...]",
    short: "Creates containers for a service",
    flags: &[&[
        long("build", Bool(false), "Build images before starting containers"),
        long(
            "force-recreate",
            Bool(false),
            "Recreate containers even if their configuration and image haven't changed",
        ),
        long("no-build", Bool(false), "Don't build an image, even if it's policy"),
        long(
            "no-recreate",
            Bool(false),
            "If containers already exist, don't recreate them. Incompatible with --force-recreate.",
        ),
        long("remove-orphans", Bool(false), "Remove containers for services not defined in the Compose file"),
        long(
            "scale",
            List,
            "Scale SERVICE to NUM instances. Overrides the `scale` setting in the Compose file if present.",
        ),
    ]],
    arity: Arity::Any,
    verb: Verb::Run(create),
    ..Command::new("create")
};

static DOWN: Command = Command {
    usage: "[OPTIONS] [SERVICES]",
    short: "Stop and remove containers, networks",
    flags: &[&[
        long("remove-orphans", Bool(false), "Remove containers for services not defined in the Compose file"),
        long(
            "rmi",
            Text,
            "Remove images used by services. \"local\" remove only images that don't have a custom tag (\"local\"|\"all\")",
        ),
        TIMEOUT,
        flag(
            'v',
            "volumes",
            Bool(false),
            "Remove named volumes declared in the \"volumes\" section of the Compose file and anonymous volumes attached to containers",
        ),
    ]],
    arity: Arity::Any,
    verb: Verb::Run(down),
    ..Command::new("down")
};

static KILL: Command = Command {
    usage: "[OPTIONS] [SERVICE...]",
    short: "Force stop service containers",
    flags: &[&[flag('s', "signal", Text, "SIGNAL to send to the container (default \"SIGKILL\")")]],
    arity: Arity::Any,
    verb: Verb::Run(kill),
    ..Command::new("kill")
};

static PAUSE: Command = Command {
    usage: "[SERVICE...]",
    short: "Pause services",
    arity: Arity::Any,
    verb: Verb::Run(pause),
    ..Command::new("pause")
};

static PULL: Command = Command {
    usage: "[OPTIONS] [SERVICE...]",
    short: "Pull service images",
    flags: &[&[flag('q', "quiet", Bool(false), "Pull without printing progress information")]],
    arity: Arity::Any,
    verb: Verb::Run(pull),
    ..Command::new("pull")
};

static RESTART: Command = Command {
    usage: "[OPTIONS] [SERVICE...]",
    short: "Restart service containers",
    flags: &[&[long("no-deps", Bool(false), "Don't restart dependent services"), TIMEOUT]],
    arity: Arity::Any,
    verb: Verb::Run(restart),
    ..Command::new("restart")
};

static RM: Command = Command {
    usage: "[OPTIONS] [SERVICE...]",
    short: "Removes stopped service containers",
    flags: &[&[
        flag('f', "force", Bool(false), "Don't ask to confirm removal"),
        flag('s', "stop", Bool(false), "Stop the containers, if required, before removing"),
        flag('v', "volumes", Bool(false), "Remove any anonymous volumes attached to containers"),
    ]],
    arity: Arity::Any,
    verb: Verb::Run(rm),
    ..Command::new("rm")
};

static SCALE: Command = Command {
    usage: "[SERVICE=REPLICAS...]",
    short: "Scale services",
    flags: &[&[long("no-deps", Bool(false), "Don't start linked services")]],
    arity: Arity::AtLeast(1),
    verb: Verb::Run(scale),
    ..Command::new("scale")
};

static START: Command = Command {
    usage: "[SERVICE...]",
    short: "Start services",
    arity: Arity::Any,
    verb: Verb::Run(start),
    ..Command::new("start")
};

static STOP: Command = Command {
    usage: "[OPTIONS] [SERVICE...]",
    short: "Stop services",
    flags: &[&[TIMEOUT]],
    arity: Arity::Any,
    verb: Verb::Run(stop),
    ..Command::new("stop")
};

static UNPAUSE: Command = Command {
    usage: "[SERVICE...]",
    short: "Unpause services",
    arity: Arity::Any,
    verb: Verb::Run(unpause),
    ..Command::new("unpause")
};

static UP: Command = Command {
    usage: "[OPTIONS] [SERVICE...]",
    short: "Create and start containers",
    flags: &[&[
        long(
            "abort-on-container-exit",
            Bool(false),
            "Stops all containers if any container was stopped. Incompatible with -d",
        ),
        long(
            "abort-on-container-failure",
            Bool(false),
            "Stops all containers if any container exited with failure. Incompatible with -d",
        ),
        long("always-recreate-deps", Bool(false), "Recreate dependent containers. Incompatible with --no-recreate.")
            .not_simulated(),
        long("attach", List, "Restrict attaching to the specified services. Incompatible with --attach-dependencies."),
        long("attach-dependencies", Bool(false), "Automatically attach to log output of dependent services"),
        long("build", Bool(false), "Build images before starting containers"),
        flag('d', "detach", Bool(false), "Detached mode: Run containers in the background"),
        long(
            "exit-code-from",
            Text,
            "Return the exit code of the selected service container. Implies --abort-on-container-exit",
        ),
        long(
            "force-recreate",
            Bool(false),
            "Recreate containers even if their configuration and image haven't changed",
        ),
        long(
            "menu",
            Bool(false),
            "Enable interactive shortcuts when running attached. Incompatible with --detach. Can also be enable/disable by setting COMPOSE_MENU environment var.",
        ),
        long("no-attach", List, "Do not attach (stream logs) to the specified services"),
        long("no-build", Bool(false), "Don't build an image, even if it's policy"),
        long("no-color", Bool(false), "Produce monochrome output"),
        long("no-deps", Bool(false), "Don't start linked services"),
        long("no-log-prefix", Bool(false), "Don't print prefix in logs"),
        long(
            "no-recreate",
            Bool(false),
            "If containers already exist, don't recreate them. Incompatible with --force-recreate.",
        ),
        long("no-start", Bool(false), "Don't start the services after creating them"),
        long("pull", Text, "Pull image before running (\"always\"|\"missing\"|\"never\") (default \"policy\")"),
        long("quiet-pull", Bool(false), "Pull without printing progress information"),
        long("remove-orphans", Bool(false), "Remove containers for services not defined in the Compose file"),
        flag(
            'V',
            "renew-anon-volumes",
            Bool(false),
            "Recreate anonymous volumes instead of retrieving data from the previous containers",
        )
        .not_simulated(),
        long(
            "scale",
            List,
            "Scale SERVICE to NUM instances. Overrides the `scale` setting in the Compose file if present.",
        ),
        TIMEOUT,
        long("timestamps", Bool(false), "Show timestamps"),
        long("wait", Bool(false), "Wait for services to be running|healthy. Implies detached mode."),
        long("wait-timeout", Int, "Maximum duration in seconds to wait for the project to be running|healthy"),
        flag('w', "watch", Bool(false), "Watch source code and rebuild/refresh containers when files are updated.")
            .not_simulated(),
        flag('y', "yes", Bool(false), "Assume \"yes\" as answer to all prompts and run non-interactively"),
    ]],
    arity: Arity::Any,
    verb: Verb::Run(up),
    ..Command::new("up")
};

static VERSION: Command = Command {
    usage: "[OPTIONS]",
    short: "Show the Docker Compose version information",
    flags: &[&[
        flag('f', "format", Text, "Format the output. Values: [pretty | json]. (Default: pretty)"),
        long("short", Bool(false), "Shows only Compose's version number"),
    ]],
    verb: Verb::Run(version),
    ..Command::new("version")
};

fn scales(texts: &[String]) -> Answer<std::collections::BTreeMap<String, usize>> {
    let bad = |text: &str| CliError::new(format!("invalid --scale option {text:?}. Should be SERVICE=NUM"));
    let one = |text: &String| {
        let (name, number) = text.split_once('=').ok_or_else(|| bad(text))?;
        Ok((name.to_owned(), number.parse().map_err(|_| bad(text))?))
    };
    texts.iter().map(one).collect()
}

fn build<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        let project = Project::load(client, given).await?;
        let asked = given.operand_strings();
        let mut more: Vec<String> =
            given.strings("build-arg").into_iter().flat_map(|arg| ["--build-arg".to_owned(), arg]).collect();
        more.extend(given.bool("quiet").then(|| "-q".to_owned()));
        let mut steps = Steps::new("Building", project.progress);
        for name in project.selected(&asked, !given.bool("with-dependencies"))? {
            if project.services.get(&name).is_some_and(|service| service.contains_key("build")) {
                project.build(client, &name, given.bool("no-cache"), given.bool("pull"), &more).await?;
                steps.done(client, &name, "Built").await;
            }
        }
        Ok(())
    })
}

fn create<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        let project = Project::load(client, given).await?;
        let up = Up {
            build: given.bool("build"),
            no_build: given.bool("no-build"),
            force_recreate: given.bool("force-recreate"),
            no_recreate: given.bool("no-recreate"),
            remove_orphans: given.bool("remove-orphans"),
            scale: scales(&given.strings("scale"))?,
            no_start: true,
            ..Up::default()
        };
        project.up(client, &given.operand_strings(), &up).await.map(drop)
    })
}

/// What `--pull` takes (compose-go `types.PullPolicy...`).
const PULL_POLICIES: [&str; 5] = ["always", "never", "build", "missing", "if_not_present"];

fn up<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        if given.bool("force-recreate") && given.bool("no-recreate") {
            return Err(CliError::new("--force-recreate and --no-recreate are incompatible"));
        }
        if given.bool("menu") {
            return Err(CliError::Says(125, "docker: --menu is not simulated in Capas".to_owned()));
        }
        let cascade = cascade(given)?;
        let pull = given.string("pull").filter(|pull| !matches!(pull.as_str(), "" | "policy"));
        if let Some(other) = pull.as_ref().filter(|pull| !PULL_POLICIES.contains(&pull.as_str())) {
            // docker/compose `cmd/compose/create.go`.
            return Err(CliError::new(format!("invalid --pull option {other:?}")));
        }
        let project = Project::load(client, given).await?;
        let up = Up {
            build: given.bool("build"),
            no_build: given.bool("no-build"),
            force_recreate: given.bool("force-recreate"),
            no_recreate: given.bool("no-recreate"),
            no_deps: given.bool("no-deps"),
            no_start: given.bool("no-start"),
            remove_orphans: given.bool("remove-orphans"),
            knows_orphans: false,
            wait: given.bool("wait"),
            pull,
            quiet_pull: given.bool("quiet-pull"),
            timeout_seconds: given.int("timeout"),
            scale: scales(&given.strings("scale"))?,
            is_around: false,
        };
        if let Some(service) = cascade.code_of.as_ref().filter(|service| !project.services.contains_key(*service)) {
            return Err(CliError::new(format!("no such service: {service}")));
        }
        let asked = given.operand_strings();
        let begun = client.now();
        let raised = project.up(client, &asked, &up);
        let mut members = match given.int("wait-timeout").and_then(|seconds| u64::try_from(seconds).ok()) {
            Some(seconds) if up.wait && seconds > 0 => {
                let late = async {
                    client.daemon.kernel().sleep(std::time::Duration::from_secs(seconds)).await;
                    Err(CliError::new("application not healthy after ".to_owned() + &format!("{seconds}s")))
                };
                race(raised, late).await?
            }
            _ => raised.await?,
        };
        if given.bool("detach") || up.wait || up.no_start {
            return Ok(());
        }
        let (only, never) = (given.strings("attach"), given.strings("no-attach"));
        let is_meant = |service: &String| {
            let opted_out = project.services.get(service).and_then(|own| own.get("attach")) == Some(&false.into());
            match only.is_empty() {
                false => only.contains(service),
                // Of what was asked for, and not of what that needs.
                true if asked.contains(service) => true,
                true => !opted_out && (asked.is_empty() || given.bool("attach-dependencies")),
            }
        };
        members.retain(|m| is_meant(&m.service) && !never.contains(&m.service));
        let names: Vec<&str> = members.iter().map(|m| look::short_name(&project, m.name())).collect();
        client.say(format!("Attaching to {}", names.join(", "))).await?;
        look::follow_until_interrupt(client, &project, &members, given, &cascade, begun).await
    })
}

/// What the end of one container does to the others of an `up` that is attached.
#[derive(Default)]
struct Cascade {
    /// It stops them.
    stops: bool,
    /// It stops them when it failed.
    fails: bool,
    /// The service whose exit status counts.
    code_of: Option<String>,
}

/// docker/compose `cmd/compose/up.go` `validateFlags`.
fn cascade(given: &Invocation) -> Answer<Cascade> {
    let code_of = given.string("exit-code-from").filter(|service| !service.is_empty());
    let stops = given.bool("abort-on-container-exit") || code_of.is_some();
    let fails = given.bool("abort-on-container-failure");
    let stays = stops || fails || !given.strings("attach").is_empty() || given.bool("attach-dependencies");
    for flag in ["wait", "detach"] {
        if given.bool(flag) && stays {
            return Err(CliError::new(format!(
                "--{flag} cannot be combined with --abort-on-container-exit, --abort-on-container-failure, --attach, --attach-dependencies or --watch"
            )));
        }
    }
    if stops && fails {
        return Err(CliError::new("--abort-on-container-failure cannot be combined with --abort-on-container-exit"));
    }
    Ok(Cascade { stops, fails, code_of })
}

fn down<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        let rmi = given.string("rmi");
        if rmi.as_deref().is_some_and(|which| !matches!(which, "all" | "local")) {
            return Err(CliError::new(format!("invalid value for --rmi: {:?}", rmi.unwrap_or_default())));
        }
        let project = Project::load(client, given).await?;
        let (volumes, orphans) = (given.bool("volumes"), given.bool("remove-orphans"));
        project.down(client, &given.operand_strings(), volumes, rmi.as_deref(), orphans, given.int("timeout")).await
    })
}

fn pull<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        let project = Project::load(client, given).await?;
        let mut selected = project.selected(&given.operand_strings(), true)?;
        selected.retain(|name| project.services.get(name).is_some_and(|service| service.contains_key("image")));
        project.pull(client, &selected, given.bool("quiet")).await
    })
}

fn scale<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        let scale = scales(&given.operand_strings())?;
        let asked: Vec<String> = scale.keys().cloned().collect();
        let mut without = given.clone();
        without.operands.clear();
        let project = Project::load(client, &without).await?;
        let up = Up { scale, no_deps: given.bool("no-deps"), ..Up::default() };
        project.up(client, &asked, &up).await.map(drop)
    })
}

fn stop_options(given: &Invocation) -> StopOptions {
    StopOptions { signal: None, timeout_seconds: given.int("timeout") }
}

/// Does one thing to the containers of services.
async fn each(
    client: &Client,
    given: &Invocation,
    words: [&'static str; 3],
    backwards: bool,
    act: impl AsyncFn(&Member) -> Answer<bool>,
) -> Answer {
    let project = Project::load(client, given).await?;
    project.each(client, &given.operand_strings(), words, backwards, act).await
}

fn stop<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(each(client, given, ["Stopping", "Stopping", "Stopped"], true, async |member| {
        client.daemon.container_stop(&member.row.id, stop_options(given)).await?;
        Ok(true)
    }))
}

fn restart<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        let project = Project::load(client, given).await?;
        let mut asked = given.operand_strings();
        if !given.bool("no-deps") {
            asked = project.restarted_with(&asked);
        }
        let words = ["Restarting", "Restarting", "Started"];
        project
            .each(client, &asked, words, false, async |member| {
                if !given.bool("no-deps") {
                    let mut steps = Steps::new("Restarting", project.progress);
                    project.await_needs(client, &member.service, &mut steps).await?;
                }
                client.daemon.container_restart(&member.row.id, stop_options(given)).await?;
                Ok(true)
            })
            .await
    })
}

fn start<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(each(client, given, ["Running", "Starting", "Started"], false, async |member| {
        client.daemon.container_start(&member.row.id).await?;
        Ok(true)
    }))
}

fn pause<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(each(client, given, ["Running", "Pausing", "Paused"], false, async |member| {
        client.daemon.container_pause(&member.row.id)?;
        Ok(true)
    }))
}

fn unpause<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(each(client, given, ["Running", "Unpausing", "Unpaused"], false, async |member| {
        client.daemon.container_unpause(&member.row.id)?;
        Ok(true)
    }))
}

fn kill<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(each(client, given, ["Killing", "Killing", "Killed"], true, async |member| {
        if member.row.state == "running" {
            client.daemon.container_kill(&member.row.id, &given.string("signal").unwrap_or_default()).await?;
        }
        Ok(true)
    }))
}

fn rm<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        let project = Project::load(client, given).await?;
        let asked = given.operand_strings();
        if given.bool("stop") {
            project
                .each(client, &asked, ["Stopping", "Stopping", "Stopped"], true, async |member| {
                    client.daemon.container_stop(&member.row.id, StopOptions::default()).await?;
                    Ok(true)
                })
                .await?;
        }
        let gone: Vec<Member> =
            project.members_of(client, &asked)?.into_iter().filter(|m| m.row.state != "running").collect();
        if gone.is_empty() {
            client.complain("No stopped containers").await;
            return Ok(());
        }
        let names: Vec<&str> = gone.iter().map(Member::name).collect();
        // docker/compose `pkg/compose/remove.go`: with --force the text is told, not asked.
        let what = format!("Going to remove {}", names.join(", "));
        if given.bool("force") {
            client.say(what).await?;
        } else if !client.confirm(&format!("? {what}")).await? {
            return Ok(());
        }
        let mut steps = Steps::new("Removing", project.progress);
        for name in names {
            let id = format!("Container {name}");
            steps.working(client, &id, "Removing").await;
            client.daemon.container_remove(name, RemoveOptions { force: true, volumes: given.bool("volumes") }).await?;
            steps.done(client, &id, "Removed").await;
        }
        Ok(())
    })
}

fn version<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        match given.string("format").as_deref() {
            _ if given.bool("short") => client.say(COMPOSE_VERSION.trim_start_matches('v')).await,
            Some("json") => client.say(format!("{{\"version\":\"{COMPOSE_VERSION}\"}}")).await,
            _ => client.say(format!("Docker Compose version {COMPOSE_VERSION}")).await,
        }
    })
}

/// Runs a verb of the docker client with words that compose made.
async fn delegate(client: &Client, words: &[String]) -> Answer {
    let given = convert::invocation(client, words)?;
    match given.command.verb {
        Verb::Run(run) => run(client, &given).await,
        Verb::NotSimulated => Ok(()),
    }
}
