//! `docker system prune`.

use crate::base::size::human_size;
use crate::base::sort::Arrange;
use crate::docker::cli::client::{Client, Running};
use crate::docker::cli::columns::prune_filters;
use crate::docker::cli::command::*;
use crate::docker::cli::commands::{builder, container, image, network, volume};
use crate::docker::cli::error::CliError;
use crate::docker::cli::parse::Invocation;
use crate::docker::cli::value::Kind::*;
use crate::docker::daemon::api::Filters;

/// `docker system prune`.
pub static COMMAND: Command = Command {
    usage: "[OPTIONS]",
    short: "Remove unused data",
    flags: &[&[
        flag('a', "all", Bool(false), "Remove all unused images not just dangling ones"),
        long("filter", Filter, "Provide filter values (e.g. \"label=<key>=<value>\")"),
        flag('f', "force", Bool(false), "Do not prompt for confirmation"),
        long("volumes", Bool(false), "Prune anonymous volumes"),
    ]],
    verb: Verb::Run(run),
    ..Command::new("prune")
};

fn run<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        let (all, volumes) = (given.bool("all"), given.bool("volumes"));
        let mut filters = prune_filters(client, given)?;
        if volumes && filters.contains_key("until") {
            return Err(CliError::new("ERROR: The \"until\" filter is not supported with \"--volumes\""));
        }
        let question = question(all, volumes, &given.strings("filter"));
        if !given.bool("force") && !client.confirm(&question).await? {
            return Ok(());
        }
        let (daemon, mut bytes) = (&client.daemon, 0);
        let report = daemon.container_prune(&filters)?;
        bytes += report.space_reclaimed_bytes;
        client.print(container::prune::text(&report)).await?;
        client.print(network::prune::text(&daemon.network_prune(&filters)?)).await?;
        if volumes {
            let report = daemon.volume_prune(&filters)?;
            bytes += report.space_reclaimed_bytes;
            client.print(volume::prune::text(&report)).await?;
        }
        // The build cache knows no labels.
        let until: Filters =
            filters.iter().filter(|(k, _)| *k == "until").map(|(k, v)| (k.clone(), v.clone())).collect();
        filters.insert("dangling".to_owned(), vec![(!all).to_string()]);
        let report = daemon.image_prune(&filters)?;
        bytes += report.space_reclaimed_bytes;
        client.print(image::prune::text(&report)).await?;
        let report = daemon.builder_prune(all, &until)?;
        bytes += report.space_reclaimed_bytes;
        client.print(builder::prune::text(&report)).await?;
        client.say(format!("Total reclaimed space: {}", human_size(bytes))).await
    })
}

/// docker/cli `cli/command/system/prune.go`, `confirmationMessage`.
fn question(all: bool, volumes: bool, filters: &[String]) -> String {
    let mut out =
        "WARNING! This will remove:\n  - all stopped containers\n  - all networks not used by at least one container\n"
            .to_owned();
    if volumes {
        out.push_str("  - all anonymous volumes not used by at least one container\n");
    }
    out.push_str(match all {
        true => "  - all images without at least one container associated to them\n  - all build cache\n",
        false => "  - all dangling images\n  - unused build cache\n",
    });
    if !filters.is_empty() {
        let mut filters = filters.to_vec();
        filters.arrange();
        out.push_str(&format!("\n  Items to be pruned will be filtered with:\n  - {}\n", filters.join("\n  - ")));
    }
    out + "\nAre you sure you want to continue?"
}
