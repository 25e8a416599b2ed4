//! `docker image pull`.

use crate::docker::cli::client::{Client, Running};
use crate::docker::cli::command::*;
use crate::docker::cli::error::CliError;
use crate::docker::cli::parse::Invocation;
use crate::docker::cli::transfer::{self, To};
use crate::docker::cli::value::Kind::*;
use crate::docker::cli::value::check_platform;
use crate::docker::image::reference::Reference;

/// `docker image pull`.
pub static COMMAND: Command = Command {
    usage: "[OPTIONS] NAME[:TAG|@DIGEST]",
    short: "Download an image from a registry",
    alias_line: "docker image pull, docker pull",
    flags: &[&[
        flag('a', "all-tags", Bool(false), "Download all tagged images in the repository"),
        long("disable-content-trust", Bool(true), "Skip image verification (default true)"),
        long("platform", Text, "Set platform if server is multi-platform capable"),
        flag('q', "quiet", Bool(false), "Suppress verbose output"),
    ]],
    arity: Arity::Exactly(1),
    verb: Verb::Run(run),
    ..Command::new("pull")
};

fn run<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        let all_tags = given.bool("all-tags");
        let quiet = given.bool("quiet");
        let mut reference = Reference::parse(&given.operand(0)).map_err(|error| CliError::new(error.to_string()))?;
        let platform = given.string("platform").filter(|platform| !platform.is_empty());
        platform.as_deref().map_or(Ok(()), check_platform).map_err(CliError::new)?;
        if all_tags && !reference.is_name_only() {
            return Err(CliError::new("tag can't be used with --all-tags/-a"));
        }
        if !all_tags && reference.is_name_only() {
            reference = reference.with_default_tag();
            if !quiet {
                client.say("Using default tag: latest").await?;
            }
        }
        let to = if quiet { To::Nowhere } else { To::Stdout };
        transfer::pull(client, &reference, all_tags, platform, to).await?;
        client.say(reference.to_string()).await
    })
}
