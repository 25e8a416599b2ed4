//! `docker manifest`: its verbs. Only looking at one is simulated, as no registry here holds manifest lists.

use serde_json::Value;

use crate::docker::cli::client::{Client, Running};
use crate::docker::cli::command::*;
use crate::docker::cli::error::CliError;
use crate::docker::cli::parse::Invocation;
use crate::docker::cli::value::Kind::*;
use crate::docker::daemon::api::{Class, DaemonError};
use crate::docker::image::manifest::indented;
use crate::docker::image::reference::Reference;

/// `docker manifest`.
pub static MANIFEST: Noun = Noun {
    long: "The **docker manifest** command has subcommands for managing image manifests and\nmanifest lists. A manifest list allows you to use one name to refer to the same image\nbuilt for multiple architectures.\n\nTo see help for a subcommand, use:\n\n    docker manifest CMD --help\n\nFor full details on using docker manifest lists, see the registry v2 specification.",
    ..Noun::new(
        "manifest",
        "Manage Docker image manifests and manifest lists",
        &[&ANNOTATE, &CREATE, &INSPECT, &PUSH, &RM],
    )
};

const INSECURE: &str = "Allow communication with an insecure registry";

static ANNOTATE: Command = Command {
    usage: "[OPTIONS] MANIFEST_LIST MANIFEST",
    short: "Add additional information to a local image manifest",
    flags: &[&[
        long("arch", Text, "Set architecture"),
        long("os", Text, "Set operating system"),
        long("os-features", Strings, "Set operating system feature"),
        long("os-version", Text, "Set operating system version"),
        long("variant", Text, "Set architecture variant"),
    ]],
    arity: Arity::Exactly(2),
    ..Command::new("annotate")
};

static CREATE: Command = Command {
    usage: "MANIFEST_LIST MANIFEST [MANIFEST...]",
    short: "Create a local manifest list for annotating and pushing to a registry",
    flags: &[&[
        flag('a', "amend", Bool(false), "Amend an existing manifest list"),
        long("insecure", Bool(false), INSECURE),
    ]],
    arity: Arity::AtLeast(2),
    ..Command::new("create")
};

static INSPECT: Command = Command {
    usage: "[OPTIONS] [MANIFEST_LIST] MANIFEST",
    short: "Display an image manifest, or manifest list",
    flags: &[&[
        long("insecure", Bool(false), INSECURE),
        flag('v', "verbose", Bool(false), "Output additional info including layers and platform").not_simulated(),
    ]],
    arity: Arity::Between(1, 2),
    verb: Verb::Run(inspect),
    ..Command::new("inspect")
};

static PUSH: Command = Command {
    usage: "[OPTIONS] MANIFEST_LIST",
    short: "Push a manifest list to a repository",
    flags: &[&[
        long("insecure", Bool(false), "Allow push to an insecure registry"),
        flag('p', "purge", Bool(false), "Remove the local manifest list after push"),
    ]],
    arity: Arity::Exactly(1),
    ..Command::new("push")
};

static RM: Command = Command {
    usage: "MANIFEST_LIST [MANIFEST_LIST...]",
    short: "Delete one or more manifest lists from local storage",
    arity: Arity::AtLeast(1),
    ..Command::new("rm")
};

fn inspect<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        let parse = |text: &str| Reference::parse(text).map_err(|error| CliError::new(error.to_string()));
        let name = parse(&given.operand(0))?.normalized().with_default_tag();
        let name = match name.tag() {
            Some(tag) => format!("{}:{tag}", name.repository()),
            None => name.familiar(),
        };
        if given.operands.len() > 1 {
            return Err(CliError::new(format!("No such manifest: {name}")));
        }
        let found = client.daemon.remote_manifest(&parse(&given.operand(0))?.with_default_tag()).await;
        let json = found.map_err(|error: DaemonError| match error.class() {
            Class::NotFound | Class::Forbidden => CliError::new(format!("no such manifest: {name}")),
            _ => CliError::new(error.to_string()),
        })?;
        let value: Value = serde_json::from_slice(&json).unwrap_or_default();
        let text = String::from_utf8_lossy(&indented(&value, 8)).replace("        ", "\t");
        client.say(text).await
    })
}
