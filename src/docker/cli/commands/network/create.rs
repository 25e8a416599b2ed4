//! `docker network create`.

use crate::docker::cli::client::{Client, Running};
use crate::docker::cli::command::*;
use crate::docker::cli::create::pairs;
use crate::docker::cli::parse::Invocation;
use crate::docker::cli::value::Kind::*;
use crate::docker::daemon::api::network::NetworkCreate;

/// `docker network create`.
pub static COMMAND: Command = Command {
    usage: "[OPTIONS] NETWORK",
    short: "Create a network",
    flags: &[&[
        long("attachable", Bool(false), "Enable manual container attachment"),
        long("aux-address", Map, "Auxiliary IPv4 or IPv6 addresses used by Network driver (default map[])")
            .not_simulated(),
        long("config-from", Text, "The network from which to copy the configuration").not_simulated(),
        long("config-only", Bool(false), "Create a configuration only network").not_simulated(),
        flag('d', "driver", Text, "Driver to manage the Network (default \"bridge\")"),
        long("gateway", Strings, "IPv4 or IPv6 Gateway for the master subnet"),
        long("ingress", Bool(false), "Create swarm routing-mesh network").not_simulated(),
        long("internal", Bool(false), "Restrict external access to the network"),
        long("ip-range", Strings, "Allocate container ip from a sub-range"),
        long("ipam-driver", Text, "IP Address Management Driver (default \"default\")").not_simulated(),
        long("ipam-opt", Map, "Set IPAM driver specific options (default map[])").not_simulated(),
        long("ipv4", Bool(true), "Enable or disable IPv4 address assignment (default true)").since_api("1.48"),
        long("ipv6", Bool(false), "Enable or disable IPv6 address assignment").not_simulated(),
        long("label", Label, "Set metadata on a network"),
        flag('o', "opt", Map, "Set driver specific options (default map[])"),
        long("scope", Text, "Control the network's scope").not_simulated(),
        long("subnet", Strings, "Subnet in CIDR format that represents a network segment"),
    ]],
    arity: Arity::Exactly(1),
    verb: Verb::Run(run),
    ..Command::new("create")
};

fn run<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        let request = NetworkCreate {
            name: given.operand(0),
            driver: given.string("driver").unwrap_or_default(),
            internal: given.bool("internal"),
            attachable: given.bool("attachable"),
            subnets: given.lists("subnet"),
            gateways: given.lists("gateway"),
            ip_ranges: given.lists("ip-range"),
            options: pairs(&given.strings("opt")),
            labels: pairs(&given.strings("label")),
        };
        let id = client.daemon.network_create(request)?;
        client.say(id).await
    })
}
