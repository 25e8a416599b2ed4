//! `docker container prune`.

use crate::base::size::human_size;
use crate::docker::cli::client::{Client, Running};
use crate::docker::cli::columns::prune_filters;
use crate::docker::cli::command::*;
use crate::docker::cli::parse::Invocation;
use crate::docker::cli::value::Kind::*;
use crate::docker::daemon::api::container::PruneReport;

/// `docker container prune`.
pub static COMMAND: Command = Command {
    usage: "[OPTIONS]",
    short: "Remove all stopped containers",
    flags: &[&[
        long("filter", Filter, "Provide filter values (e.g. \"until=<timestamp>\")"),
        flag('f', "force", Bool(false), "Do not prompt for confirmation"),
    ]],
    verb: Verb::Run(run),
    ..Command::new("prune")
};

fn run<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        let question = "WARNING! This will remove all stopped containers.\nAre you sure you want to continue?";
        if !given.bool("force") && !client.confirm(question).await? {
            return Ok(());
        }
        let report = client.daemon.container_prune(&prune_filters(client, given)?)?;
        client.print(text(&report)).await?;
        client.say(format!("Total reclaimed space: {}", human_size(report.space_reclaimed_bytes))).await
    })
}

/// What went, followed by an empty line.
pub fn text(report: &PruneReport) -> String {
    if report.deleted.is_empty() {
        return String::new();
    }
    format!("Deleted Containers:\n{}\n\n", report.deleted.join("\n"))
}
