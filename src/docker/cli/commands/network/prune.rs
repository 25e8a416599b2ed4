//! `docker network prune`.

use crate::docker::cli::client::{Client, Running};
use crate::docker::cli::columns::prune_filters;
use crate::docker::cli::command::*;
use crate::docker::cli::parse::Invocation;
use crate::docker::cli::value::Kind::*;
use crate::docker::daemon::api::container::PruneReport;

/// `docker network prune`.
pub static COMMAND: Command = Command {
    usage: "[OPTIONS]",
    short: "Remove all unused networks",
    flags: &[&[
        long("filter", Filter, "Provide filter values (e.g. \"until=<timestamp>\")"),
        flag('f', "force", Bool(false), "Do not prompt for confirmation"),
    ]],
    verb: Verb::Run(run),
    ..Command::new("prune")
};

fn run<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        let question = "WARNING! This will remove all custom networks not used by at least one container.\nAre you sure you want to continue?";
        if !given.bool("force") && !client.confirm(question).await? {
            return Ok(());
        }
        client.print(text(&client.daemon.network_prune(&prune_filters(client, given)?)?)).await
    })
}

/// What went, followed by an empty line.
pub fn text(report: &PruneReport) -> String {
    if report.deleted.is_empty() {
        return String::new();
    }
    format!("Deleted Networks:\n{}\n\n", report.deleted.join("\n"))
}
