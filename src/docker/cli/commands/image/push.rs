//! `docker image push`.

use crate::docker::cli::client::{Client, Running};
use crate::docker::cli::command::*;
use crate::docker::cli::error::CliError;
use crate::docker::cli::parse::Invocation;
use crate::docker::cli::transfer::{self, To};
use crate::docker::cli::value::Kind::*;
use crate::docker::cli::value::check_platform;
use crate::docker::daemon::api::image::PullOptions;
use crate::docker::image::reference::Reference;

/// `docker image push`.
pub static COMMAND: Command = Command {
    usage: "[OPTIONS] NAME[:TAG]",
    short: "Upload an image to a registry",
    alias_line: "docker image push, docker push",
    flags: &[&[
        flag('a', "all-tags", Bool(false), "Push all tags of an image to the repository"),
        long("disable-content-trust", Bool(true), "Skip image signing (default true)"),
        long(
            "platform",
            Text,
            "Push a platform-specific manifest as a single-platform image to the registry.\nImage index won't be pushed, meaning that other manifests, including attestations won't be preserved.\n'os[/arch[/variant]]': Explicit platform (eg. linux/amd64)",
        ),
        flag('q', "quiet", Bool(false), "Suppress verbose output"),
    ]],
    arity: Arity::Exactly(1),
    verb: Verb::Run(run),
    ..Command::new("push")
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
        let credentials = transfer::credentials(client, &reference).await;
        let options = PullOptions { all_tags, platform, credentials };
        let to = if quiet { To::Nowhere } else { To::Stdout };
        let name = reference.familiar();
        transfer::show(client, to, |sink| client.daemon.image_push(&name, options, sink)).await?;
        if quiet {
            client.say(reference.to_string()).await?;
        }
        Ok(())
    })
}
