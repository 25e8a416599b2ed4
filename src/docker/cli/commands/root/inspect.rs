//! `docker inspect`: the first object of that name among containers, images, networks and volumes.

use crate::docker::cli::client::{Client, Running};
use crate::docker::cli::command::*;
use crate::docker::cli::error::{CliError, from_daemon};
use crate::docker::cli::inspect::{Document, inspect};
use crate::docker::cli::parse::Invocation;
use crate::docker::cli::template::{CONTAINER, IMAGE, NETWORK, VOLUME};
use crate::docker::cli::value::Kind::*;
use crate::docker::daemon::api::{Class, DaemonError};

/// `docker inspect`.
pub static COMMAND: Command = Command {
    usage: "[OPTIONS] NAME|ID [NAME|ID...]",
    short: "Return low-level information on Docker objects",
    flags: &[&[
        flag('f', "format", Text, FORMAT),
        flag('s', "size", Bool(false), "Display total file sizes if the type is container"),
        long("type", Text, "Only inspect objects of the given type"),
    ]],
    arity: Arity::AtLeast(1),
    verb: Verb::Run(run),
    ..Command::new("inspect")
};

/// What can be looked for, in Docker's order, and what can't.
const KINDS: [&str; 4] = ["container", "image", "network", "volume"];
const OTHERS: [&str; 6] = ["config", "node", "plugin", "secret", "service", "task"];
const ONE_OF: &str = "must be one of \"config\", \"container\", \"image\", \"network\", \"node\", \"plugin\", \"secret\", \"service\", \"task\", \"volume\"";

fn run<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        let wanted = given.string("type").unwrap_or_default();
        if OTHERS.contains(&wanted.as_str()) {
            return Err(CliError::Says(125, format!("docker: --type {wanted} is not simulated in Capas")));
        }
        if given.changed("type") && !KINDS.contains(&wanted.as_str()) {
            let head =
                if wanted.is_empty() { "type is empty".to_owned() } else { format!("unknown type: \"{wanted}\"") };
            return Err(CliError::new(format!("{head}: {ONE_OF}")));
        }
        let (size, format) = (given.bool("size"), given.string("format").unwrap_or_default());
        let find = |name: &str| {
            for kind in KINDS.iter().filter(|kind| wanted.is_empty() || **kind == wanted) {
                match look(client, kind, name, size) {
                    Err(error) if wanted.is_empty() && error.class() == Class::NotFound => {}
                    found => return found.map_err(|error| from_daemon(&error)),
                }
            }
            Err(format!("Error: No such object: {name}"))
        };
        inspect(client, &given.operand_strings(), &format, find).await
    })
}

fn look(client: &Client, kind: &str, name: &str, size: bool) -> Result<Document, DaemonError> {
    let (value, of) = match kind {
        "container" => (client.daemon.container_inspect(name, size)?, &CONTAINER),
        "image" => (client.daemon.image_inspect(name)?, &IMAGE),
        "network" => (client.daemon.network_inspect(name)?, &NETWORK),
        _ => (serde_json::to_value(client.daemon.volume_inspect(name)?).unwrap_or_default(), &VOLUME),
    };
    Ok(Document { value, of: Some(of) })
}
