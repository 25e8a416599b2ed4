//! `docker image prune`.

use crate::base::size::human_size;
use crate::docker::cli::client::{Client, Running};
use crate::docker::cli::columns::prune_filters;
use crate::docker::cli::command::*;
use crate::docker::cli::parse::Invocation;
use crate::docker::cli::value::Kind::*;
use crate::docker::daemon::api::container::PruneReport;

/// `docker image prune`.
pub static COMMAND: Command = Command {
    usage: "[OPTIONS]",
    short: "Remove unused images",
    flags: &[&[
        flag('a', "all", Bool(false), "Remove all unused images, not just dangling ones"),
        long("filter", Filter, "Provide filter values (e.g. \"until=<timestamp>\")"),
        flag('f', "force", Bool(false), "Do not prompt for confirmation"),
    ]],
    verb: Verb::Run(run),
    ..Command::new("prune")
};

fn run<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        let all = given.bool("all");
        let question = match all {
            true => "WARNING! This will remove all images without at least one container associated to them.",
            false => "WARNING! This will remove all dangling images.",
        };
        let question = format!("{question}\nAre you sure you want to continue?");
        if !given.bool("force") && !client.confirm(&question).await? {
            return Ok(());
        }
        let mut filters = prune_filters(client, given)?;
        filters.insert("dangling".to_owned(), vec![(!all).to_string()]);
        let report = client.daemon.image_prune(&filters)?;
        client.print(text(&report)).await?;
        client.say(format!("Total reclaimed space: {}", human_size(report.space_reclaimed_bytes))).await
    })
}

/// What went, followed by an empty line.
pub fn text(report: &PruneReport) -> String {
    if report.deleted.is_empty() {
        return String::new();
    }
    let lower = |line: &String| match line.split_once(' ') {
        Some((verb, rest)) => format!("{} {rest}\n", verb.to_lowercase()),
        None => format!("{line}\n"),
    };
    let lines: String = report.deleted.iter().map(lower).collect();
    format!("Deleted Images:\n{lines}\n")
}
