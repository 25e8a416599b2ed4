//! `docker system events`.

use serde_json::{Value, json};

use crate::docker::cli::client::{Client, Running, race};
use crate::docker::cli::columns::filters;
use crate::docker::cli::command::*;
use crate::docker::cli::error::CliError;
use crate::docker::cli::parse::Invocation;
use crate::docker::cli::template::{Dot, Mode, Template};
use crate::docker::cli::value::Kind::*;
use crate::docker::cli::when;
use crate::docker::daemon::api::system::{EventKind, EventMessage};

/// `docker system events`.
pub static COMMAND: Command = Command {
    usage: "[OPTIONS]",
    short: "Get real time events from the server",
    alias_line: "docker system events, docker events",
    flags: &[&[
        flag('f', "filter", Filter, "Filter output based on conditions provided"),
        long("format", Text, FORMAT),
        long("since", Text, "Show all events created since timestamp"),
        long("until", Text, "Stream events until this timestamp"),
    ]],
    verb: Verb::Run(run),
    ..Command::new("events")
};

const MODE: Mode = Mode::Struct("*events.Message");

fn run<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        let format = given.string("format").unwrap_or_default();
        let bad = |why: String| CliError::Says(64, format!("Error parsing format: {why}"));
        let template = match format.as_str() {
            "" => None,
            "json" => Some(Template::parse("{{json .}}").map_err(bad)?),
            format => Some(Template::parse(format).map_err(bad)?),
        };
        if let Some(template) = &template {
            // Docker tries the template on an event without anything.
            let empty = json!({"status": "", "id": "", "from": "", "Type": "", "Action": "", "Actor": {"ID": "", "Attributes": {}}, "scope": "", "time": 0, "timeNano": 0});
            template.execute(&Dot { value: &empty, mode: MODE }, &mut String::new()).map_err(bad)?;
        }
        let time = |flag: &str| match given.string(flag).filter(|text| !text.is_empty()) {
            Some(text) => when::parse(&text, client.now()).map(Some).map_err(CliError::new),
            None => Ok(None),
        };
        let (since, until) = (time("since")?, time("until")?);
        let events = client.daemon.events(since, until, &filters(given))?;
        let end = async {
            match until {
                Some(until) if until > client.now() => client.proc.sleep(until.since(client.now())).await.ok(),
                _ => std::future::pending().await,
            };
            None
        };
        let mut end = Box::pin(end);
        while let Some(event) = race(events.next(), &mut end).await {
            match &template {
                None => client.say(line(&event)).await?,
                Some(template) => {
                    let mut out = String::new();
                    let value = document(&event);
                    template.execute(&Dot { value: &value, mode: MODE }, &mut out).map_err(CliError::new)?;
                    client.say(out).await?;
                }
            }
        }
        Ok(())
    })
}

/// docker/cli `prettyPrintEvent`.
fn line(event: &EventMessage) -> String {
    let mut out = format!("{} {} {} {}", when::fixed(event.time), event.kind.name(), event.action, event.id);
    if !event.attributes.is_empty() {
        let pairs: Vec<String> = event.attributes.iter().map(|(key, value)| format!("{key}={value}")).collect();
        out.push_str(&format!(" ({})", pairs.join(", ")));
    }
    out
}

/// The API's JSON; the three oldest fields are those of containers and images only.
fn document(event: &EventMessage) -> Value {
    let mut out = serde_json::Map::new();
    let old = |text: &str| match event.kind {
        EventKind::Container | EventKind::Image => Value::from(text),
        _ => Value::from(""),
    };
    out.insert("status".to_owned(), old(&event.action));
    out.insert("id".to_owned(), old(&event.id));
    let image = event.attributes.get("image").filter(|_| event.kind == EventKind::Container);
    out.insert("from".to_owned(), image.map_or("", String::as_str).into());
    let rest = json!({
        "Type": event.kind.name(),
        "Action": event.action,
        "Actor": {"ID": event.id, "Attributes": event.attributes},
        "scope": "local",
        "time": event.time.seconds(),
        "timeNano": event.time.0,
    });
    if let Value::Object(rest) = rest {
        out.extend(rest);
    }
    Value::Object(out)
}
