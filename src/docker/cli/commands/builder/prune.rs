//! `docker builder prune`.

use crate::base::size::human_size;
use crate::docker::cli::client::{Client, Running};
use crate::docker::cli::columns::prune_filters;
use crate::docker::cli::command::*;
use crate::docker::cli::error::CliError;
use crate::docker::cli::parse::Invocation;
use crate::docker::cli::value::Kind::*;
use crate::docker::daemon::api::container::PruneReport;

/// `docker builder prune`.
pub static COMMAND: Command = Command {
    short: "Remove build cache",
    flags: &[&[
        flag('a', "all", Bool(false), "Remove all unused build cache, not just dangling ones"),
        long("filter", Filter, "Provide filter values (e.g. \"until=24h\")"),
        flag('f', "force", Bool(false), "Do not prompt for confirmation"),
        long("keep-storage", Bytes, "Amount of disk space to keep for cache").not_simulated(),
    ]],
    verb: Verb::Run(run),
    ..Command::new("prune")
};

fn run<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        let all = given.bool("all");
        let filters = prune_filters(client, given)?;
        if let Some(name) = filters.keys().find(|name| *name != "until") {
            return Err(CliError::Says(125, format!("docker: --filter {name} is not simulated in Capas")));
        }
        let what = if all { "build cache" } else { "dangling build cache" };
        let question = format!("WARNING! This will remove all {what}.\nAre you sure you want to continue?");
        if !given.bool("force") && !client.confirm(&question).await? {
            return Ok(());
        }
        let report = client.daemon.builder_prune(all, &filters)?;
        client.print(text(&report)).await?;
        client.say(format!("Total reclaimed space: {}", human_size(report.space_reclaimed_bytes))).await
    })
}

/// What went, followed by an empty line.
pub fn text(report: &PruneReport) -> String {
    if report.deleted.is_empty() {
        return String::new();
    }
    format!("Deleted build cache objects:\n{}\n\n", report.deleted.join("\n"))
}
