//! `docker volume create`.

use crate::docker::cli::client::{Client, Running};
use crate::docker::cli::command::*;
use crate::docker::cli::create::pairs;
use crate::docker::cli::error::CliError;
use crate::docker::cli::parse::Invocation;
use crate::docker::cli::value::Kind::*;
use crate::docker::daemon::api::volume::VolumeCreate;

/// `docker volume create`.
pub static COMMAND: Command = Command {
    usage: "[OPTIONS] [VOLUME]",
    short: "Create a volume",
    flags: &[&[
        long(
            "availability",
            Text,
            "Cluster Volume availability (\"active\", \"pause\", \"drain\") (default \"active\")",
        )
        .not_simulated(),
        flag('d', "driver", Text, "Specify volume driver name (default \"local\")"),
        long("group", Text, "Cluster Volume group (cluster volumes)").not_simulated(),
        long("label", Label, "Set metadata for a volume"),
        long("limit-bytes", Bytes, "Minimum size of the Cluster Volume in bytes").not_simulated(),
        long("name", Text, "Specify volume name").hidden(),
        flag('o', "opt", Map, "Set driver specific options (default map[])"),
        long("required-bytes", Bytes, "Maximum size of the Cluster Volume in bytes").not_simulated(),
        long("scope", Text, "Cluster Volume access scope (\"single\", \"multi\") (default \"single\")").not_simulated(),
        long("secret", Map, "Cluster Volume secrets (default map[])").not_simulated(),
        long(
            "sharing",
            Text,
            "Cluster Volume access sharing (\"none\", \"readonly\", \"onewriter\", \"all\") (default \"none\")",
        )
        .not_simulated(),
        long("topology-preferred", List, "A topology that the Cluster Volume would be preferred in").not_simulated(),
        long("topology-required", List, "A topology that the Cluster Volume must be accessible from").not_simulated(),
        long("type", Text, "Cluster Volume access type (\"mount\", \"block\") (default \"block\")").not_simulated(),
    ]],
    arity: Arity::AtMost(1),
    verb: Verb::Run(run),
    ..Command::new("create")
};

fn run<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        let (name, operand) = (given.string("name").unwrap_or_default(), given.operand(0));
        if !name.is_empty() && !operand.is_empty() {
            let text = "conflicting options: cannot specify a volume-name through both --name and as a positional arg";
            return Err(CliError::new(text));
        }
        let request = VolumeCreate {
            name: if operand.is_empty() { name } else { operand },
            driver: given.string("driver").unwrap_or_default(),
            driver_opts: pairs(&given.strings("opt")),
            labels: pairs(&given.strings("label")),
        };
        let volume = client.daemon.volume_create(request)?;
        client.say(volume.name).await
    })
}
