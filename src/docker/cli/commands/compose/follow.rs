//! `docker compose` verbs that stay with running services: `attach`, `events`, `wait`.

use serde_json::json;

use super::delegate;
use crate::docker::cli::client::{Client, Running, join};
use crate::docker::cli::command::*;
use crate::docker::cli::compose::engine::members;
use crate::docker::cli::compose::project::Project;
use crate::docker::cli::error::CliError;
use crate::docker::cli::parse::Invocation;
use crate::docker::cli::value::Kind::*;
use crate::docker::daemon::api::Filters;
use crate::docker::daemon::api::container::WaitCondition;

/// Labels of compose's own.
const OWN: &str = "com.docker.compose.";

/// `docker compose attach`.
pub static ATTACH: Command = Command {
    usage: "[OPTIONS] SERVICE",
    short: "Attach local standard input, output, and error streams to a service's running container",
    flags: &[&[
        long("detach-keys", Text, "Override the key sequence for detaching from a container."),
        long("index", Int, "index of the container if service has multiple replicas."),
        long("no-stdin", Bool(false), "Do not attach STDIN"),
        long("sig-proxy", Bool(true), "Proxy all received signals to the process (default true)"),
    ]],
    arity: Arity::Exactly(1),
    verb: Verb::Run(attach),
    ..Command::new("attach")
};

/// `docker compose events`.
pub static EVENTS: Command = Command {
    usage: "[OPTIONS] [SERVICE...]",
    short: "Receive real time events from containers",
    flags: &[&[
        long("json", Bool(false), "Output events as a stream of json objects"),
        long("since", Text, "Show all events created since timestamp").not_simulated(),
        long("until", Text, "Stream events until this timestamp").not_simulated(),
    ]],
    arity: Arity::Any,
    verb: Verb::Run(events),
    ..Command::new("events")
};

/// `docker compose wait`.
pub static WAIT: Command = Command {
    usage: "SERVICE [SERVICE...] [OPTIONS]",
    short: "Block until containers of all (or specified) services stop.",
    flags: &[&[long("down-project", Bool(false), "Drops project when the first container stops")]],
    arity: Arity::AtLeast(1),
    verb: Verb::Run(wait),
    ..Command::new("wait")
};

fn attach<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        let project = Project::load(client, given).await?;
        let index = given.int("index").and_then(|index| usize::try_from(index).ok()).unwrap_or(0);
        let member = project.running(client, &given.operand(0), index)?;
        let mut words = vec!["attach".to_owned()];
        words.extend(given.bool("no-stdin").then(|| "--no-stdin".to_owned()));
        words.push(format!("--sig-proxy={}", given.bool("sig-proxy")));
        if let Some(keys) = given.string("detach-keys") {
            words.extend(["--detach-keys".to_owned(), keys]);
        }
        words.push(member.row.id.clone());
        delegate(client, &words).await
    })
}

/// docker/compose `pkg/compose/wait.go`.
fn wait<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        let project = Project::load(client, given).await?;
        let asked = given.operand_strings();
        let waited = project.members_of(client, &asked)?;
        if waited.is_empty() {
            return Err(CliError::new(format!("no containers for project {:?}", project.name)));
        }
        let mut waits = Vec::new();
        for member in &waited {
            waits.push((&member.row.id, client.daemon.container_wait(&member.row.id, WaitCondition::NotRunning)?));
        }
        let one = async |id: &String, wait: crate::docker::daemon::api::container::Wait| {
            let code = wait.ended().await.status_code;
            client.say(format!("container {id:?} exited with status code {code}")).await?;
            Ok::<i64, CliError>(code)
        };
        let mut status = 0;
        if given.bool("down-project") {
            // The first that stops is enough.
            let mut work: Vec<_> = waits.into_iter().map(|(id, wait)| Box::pin(one(id, wait))).collect();
            status = std::future::poll_fn(|context| {
                let ready = work.iter_mut().map(|work| work.as_mut().poll(context)).find(std::task::Poll::is_ready);
                ready.unwrap_or(std::task::Poll::Pending)
            })
            .await?;
            drop(work);
            project.down(client, &[], false, None, false, None).await?;
        } else {
            let work = waits.into_iter().map(|(id, wait)| Box::pin(one(id, wait)) as _).collect();
            for code in join(work).await {
                status = code?;
            }
        }
        CliError::of_status(status)
    })
}

fn events<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        let project = Project::load(client, given).await?;
        let asked = given.operand_strings();
        project.selected(&asked, true)?;
        drop(members(client, &project.name, false)?);
        let filters = Filters::from([
            ("type".to_owned(), vec!["container".to_owned()]),
            ("label".to_owned(), vec![format!("{OWN}project={}", project.name)]),
        ]);
        let events = client.daemon.events(None, None, &filters)?;
        while let Some(event) = events.next().await {
            let service = event.attributes.get(&format!("{OWN}service")).cloned().unwrap_or_default();
            let is_once = event.attributes.get(&format!("{OWN}oneoff")).is_some_and(|text| text == "True");
            if is_once || !asked.is_empty() && !asked.contains(&service) {
                continue;
            }
            let shown = event.attributes.iter().filter(|(name, _)| !name.starts_with(OWN));
            let line = if given.bool("json") {
                let attributes: serde_json::Map<_, _> =
                    shown.map(|(name, value)| (name.clone(), value.as_str().into())).collect();
                json!({
                    "action": event.action,
                    "attributes": attributes,
                    "id": event.id,
                    "service": service,
                    "time": event.time.rfc3339_nano(),
                    "type": "container",
                })
                .to_string()
            } else {
                let attributes: Vec<String> = shown.map(|(name, value)| format!("{name}={value}")).collect();
                let time = crate::docker::cli::when::fixed(event.time).replace('T', " ");
                let time = time.get(..26).unwrap_or_default();
                format!("{time} container {} {} ({})", event.action, event.id, attributes.join(", "))
            };
            client.say(line).await?;
        }
        Ok(())
    })
}
