//! `docker volume prune`.

use crate::base::size::human_size;
use crate::docker::cli::client::{Client, Running};
use crate::docker::cli::columns::prune_filters;
use crate::docker::cli::command::*;
use crate::docker::cli::parse::Invocation;
use crate::docker::cli::value::Kind::*;
use crate::docker::daemon::api::container::PruneReport;

/// `docker volume prune`.
pub static COMMAND: Command = Command {
    usage: "[OPTIONS]",
    short: "Remove unused local volumes",
    flags: &[&[
        flag('a', "all", Bool(false), "Remove all unused volumes, not just anonymous ones"),
        long("filter", Filter, "Provide filter values (e.g. \"label=<label>\")"),
        flag('f', "force", Bool(false), "Do not prompt for confirmation"),
    ]],
    verb: Verb::Run(run),
    ..Command::new("prune")
};

fn run<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        let all = given.bool("all");
        let which = if all { "all local volumes" } else { "anonymous local volumes" };
        let question = format!(
            "WARNING! This will remove {which} not used by at least one container.\nAre you sure you want to continue?"
        );
        if !given.bool("force") && !client.confirm(&question).await? {
            return Ok(());
        }
        let mut filters = prune_filters(client, given)?;
        if all {
            filters.insert("all".to_owned(), vec!["true".to_owned()]);
        }
        let report = client.daemon.volume_prune(&filters)?;
        client.print(text(&report)).await?;
        client.say(format!("Total reclaimed space: {}", human_size(report.space_reclaimed_bytes))).await
    })
}

/// What went, followed by an empty line.
pub fn text(report: &PruneReport) -> String {
    if report.deleted.is_empty() {
        return String::new();
    }
    format!("Deleted Volumes:\n{}\n\n", report.deleted.join("\n"))
}
