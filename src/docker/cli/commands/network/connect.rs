//! `docker network connect`.

use crate::docker::cli::client::{Client, Running};
use crate::docker::cli::command::*;
use crate::docker::cli::parse::Invocation;
use crate::docker::cli::value::Kind::*;
use crate::docker::daemon::api::network::EndpointRequest;

/// `docker network connect`.
pub static COMMAND: Command = Command {
    usage: "[OPTIONS] NETWORK CONTAINER",
    short: "Connect a container to a network",
    flags: &[&[
        long("alias", Strings, "Add network-scoped alias for the container"),
        long("driver-opt", Strings, "driver options for the network").not_simulated(),
        long(
            "gw-priority",
            Int,
            "Highest gw-priority provides the default gateway. Accepts positive and negative values.",
        )
        .since_api("1.48"),
        long("ip", Text, "IPv4 address (e.g., \"172.30.100.104\")"),
        long("ip6", Text, "IPv6 address (e.g., \"2001:db8::33\")").not_simulated(),
        long("link", Link, "Add link to another container"),
        long("link-local-ip", Strings, "Add a link-local address for the container").not_simulated(),
    ]],
    arity: Arity::Exactly(2),
    verb: Verb::Run(run),
    ..Command::new("connect")
};

fn run<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        let endpoint = EndpointRequest {
            aliases: given.lists("alias"),
            ipv4_address: given.string("ip").unwrap_or_default(),
            mac_address: String::new(),
            links: given.strings("link"),
        };
        client.daemon.network_connect(&given.operand(0), &given.operand(1), endpoint)?;
        Ok(())
    })
}
