//! `docker network create`.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::docker::cli::client::{Client, Running};
use crate::docker::cli::command::*;
use crate::docker::cli::create::pairs;
use crate::docker::cli::error::CliError;
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
        check_addresses(&request).map_err(CliError::new)?;
        let id = client.daemon.network_create(request)?;
        client.say(id).await
    })
}

/// What the client looks at before it asks the daemon (docker/cli `cli/command/network/create.go`, `createIPAMConfig`).
fn check_addresses(request: &NetworkCreate) -> Result<(), String> {
    let (subnets, ranges, gateways) = (&request.subnets, &request.ip_ranges, &request.gateways);
    if subnets.len() < ranges.len() || subnets.len() < gateways.len() {
        return Err("every ip-range or gateway must have a corresponding subnet".to_owned());
    }
    for (at, subnet) in subnets.iter().enumerate() {
        for other in subnets.iter().take(at) {
            if holds(subnet, other)? || holds(other, subnet)? {
                return Err("multiple overlapping subnet configuration is not supported".to_owned());
            }
        }
    }
    let range = |one: &str, other: &str, subnet: &str| {
        format!("cannot configure multiple ranges ({one}, {other}) on the same subnet ({subnet})")
    };
    let gateway = |one: &str, other: &str, subnet: &str| {
        format!("cannot configure multiple gateways ({one}, {other}) for the same subnet ({subnet})")
    };
    assign(subnets, ranges, "range", &range)?;
    assign(subnets, gateways, "gateway", &gateway)
}

/// Each of `parts` is in a subnet of its own.
fn assign(
    subnets: &[String],
    parts: &[String],
    what: &str,
    twice: &dyn Fn(&str, &str, &str) -> String,
) -> Result<(), String> {
    let mut taken: BTreeMap<&str, &str> = BTreeMap::new();
    for part in parts {
        let mut found = false;
        for subnet in subnets {
            if holds(subnet, part)? {
                if let Some(other) = taken.insert(subnet, part) {
                    return Err(twice(part, other, subnet));
                }
                found = true;
            }
        }
        if !found {
            return Err(format!("no matching subnet for {what} {part}"));
        }
    }
    Ok(())
}

/// Whether an address, or the first one of a network, is in a subnet.
fn holds(subnet: &str, part: &str) -> Result<bool, String> {
    let invalid = || format!("invalid subnet: invalid CIDR address: {subnet}");
    let (base, prefix) = subnet.split_once('/').ok_or_else(invalid)?;
    let (base, prefix): (IpAddr, u32) = base.parse().ok().zip(prefix.parse().ok()).ok_or_else(invalid)?;
    let address = part.split('/').next().unwrap_or(part);
    let address: IpAddr = address.parse().map_err(|_| format!("invalid CIDR address: {part}"))?;
    let bits = |address: IpAddr| match address {
        IpAddr::V4(v4) => (32, u128::from(u32::from(v4))),
        IpAddr::V6(v6) => (128, u128::from(v6)),
    };
    let ((width, base), (other, address)) = (bits(base), bits(address));
    if prefix > width {
        return Err(invalid());
    }
    let shift = width - prefix;
    Ok(width == other && base.checked_shr(shift).unwrap_or(0) == address.checked_shr(shift).unwrap_or(0))
}
