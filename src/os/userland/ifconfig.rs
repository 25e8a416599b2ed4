//! `ifconfig`, `route`, `arp`: the older net-tools, and busybox's.

use std::net::Ipv4Addr;

use super::program::{Done, Run, run, spec, text};
use crate::base::sort::Arrange;
use crate::os::args::{flag, value};
use crate::os::fs::capability::CAP_NET_ADMIN;
use crate::os::kernel::Proc;
use crate::os::kernel::net::{Link, PACKET_BYTES, mask, network_of};

spec!(IFCONFIG, "ifconfig", "[-a] [interface]", [flag('a', ""), flag('s', "")]);
spec!(ROUTE, "route", "[-n]", [flag('n', ""), flag('e', "")]);
spec!(ARP, "arp", "[-an] [-i if] [hostname]", [flag('a', ""), flag('n', ""), flag('v', ""), value('i', "")]);

/// `ifconfig`.
pub async fn main(proc: Proc) -> i32 {
    run(proc, &IFCONFIG, |run| Box::pin(ifconfig(run))).await
}

/// `route`.
pub async fn route(proc: Proc) -> i32 {
    run(proc, &ROUTE, |run| Box::pin(route_body(run))).await
}

/// `arp`.
pub async fn arp(proc: Proc) -> i32 {
    run(proc, &ARP, |run| Box::pin(neighbours(run))).await
}

async fn ifconfig(run: &mut Run) -> Done {
    let net = run.proc.net();
    let mut links = run.proc.kernel().network(|network| network.links(net));
    if run.args.operands.len() > 1 {
        return refuse(run, "SIOCSIFADDR").await;
    }
    if let Some(wanted) = run.args.operands.first().map(|name| text(name)) {
        links.retain(|link| link.name == wanted);
        if links.is_empty() {
            let message = match run.is_busybox() {
                true => format!("ifconfig: {wanted}: error fetching interface information: Device not found\n"),
                false => format!("{wanted}: error fetching interface information: Device not found\n"),
            };
            run.proc.eprint(message).await;
            return Ok(1);
        }
    }
    // By name, as both print them.
    links.arrange_by_key(|link| link.name.clone());
    let busybox = run.is_busybox();
    let lines: String =
        links.iter().map(|link| if busybox { busybox_text(link) } else { net_tools_text(link) }).collect();
    run.put(lines).await?;
    Ok(0)
}

async fn refuse(run: &mut Run, call: &str) -> Done {
    let why = match run.proc.cred().is_capable(CAP_NET_ADMIN) {
        true => "changing the network is not simulated in Capas".to_owned(),
        false => format!("{call}: Operation not permitted"),
    };
    if run.is_busybox() || !why.starts_with("SIO") {
        run.complain(why).await;
    } else {
        run.proc.eprint(format!("{why}\n")).await;
    }
    Ok(1)
}

/// Bytes in a unit, as both print them after the number.
fn human(bytes: u64, places: [&str; 4]) -> String {
    let (mut amount, mut unit) = (bytes as f64, 0);
    let step = if places[1].contains('i') { 1024.0 } else { 1000.0 };
    while amount >= step && unit < 3 {
        amount /= step;
        unit += 1;
    }
    format!("{amount:.1} {}", places.get(unit).copied().unwrap_or_default())
}

fn net_tools_text(link: &Link) -> String {
    let loopback = link.mac.is_none();
    let (bits, flags) = match (loopback, link.carrier) {
        (true, _) => (73, "UP,LOOPBACK,RUNNING"),
        (_, true) => (4163, "UP,BROADCAST,RUNNING,MULTICAST"),
        (_, false) => (4099, "UP,BROADCAST,MULTICAST"),
    };
    let mtu = if loopback { 65_536 } else { 1500 };
    let mut out = format!("{}: flags={bits}<{flags}>  mtu {mtu}\n", link.name);
    if let Some((address, prefix)) = link.address {
        out.push_str(&format!("        inet {address}  netmask {}", mask(prefix)));
        if !loopback {
            out.push_str(&format!("  broadcast {}", network_of(address, prefix).1));
        }
        out.push('\n');
    }
    match &link.mac {
        Some(mac) => out.push_str(&format!("        ether {mac}  txqueuelen 0  (Ethernet)\n")),
        None => out.push_str("        loop  txqueuelen 1000  (Local Loopback)\n"),
    }
    let units = ["B", "KB", "MB", "GB"];
    let [received, sent] = link.traffic;
    out.push_str(&format!(
        "        RX packets {}  bytes {received} ({})\n        RX errors 0  dropped 0  overruns 0  frame 0\n        TX packets {}  bytes {sent} ({})\n        TX errors 0  dropped 0 overruns 0  carrier 0  collisions 0\n\n",
        received.div_ceil(PACKET_BYTES),
        human(received, units),
        sent.div_ceil(PACKET_BYTES),
        human(sent, units)
    ));
    out
}

fn busybox_text(link: &Link) -> String {
    let head = match &link.mac {
        Some(mac) => format!("Link encap:Ethernet  HWaddr {}  ", mac.to_uppercase()),
        None => "Link encap:Local Loopback  ".to_owned(),
    };
    let mut out = format!("{:<9} {head}\n", link.name);
    if let Some((address, prefix)) = link.address {
        let broadcast = match link.mac {
            Some(_) => format!("  Bcast:{}", network_of(address, prefix).1),
            None => String::new(),
        };
        out.push_str(&format!("          inet addr:{address}{broadcast}  Mask:{}\n", mask(prefix)));
    }
    let (flags, mtu, queue) = match (&link.mac, link.carrier) {
        (None, _) => ("UP LOOPBACK RUNNING", 65_536, "1000 "),
        (_, true) => ("UP BROADCAST RUNNING MULTICAST", 1500, "0 "),
        (_, false) => ("UP BROADCAST MULTICAST", 1500, "0 "),
    };
    let units = ["B", "KiB", "MiB", "GiB"];
    let [received, sent] = link.traffic;
    out.push_str(&format!(
        "          {flags}  MTU:{mtu}  Metric:1\n          RX packets:{} errors:0 dropped:0 overruns:0 frame:0\n          TX packets:{} errors:0 dropped:0 overruns:0 carrier:0\n          collisions:0 txqueuelen:{queue}\n          RX bytes:{received} ({})  TX bytes:{sent} ({})\n\n",
        received.div_ceil(PACKET_BYTES),
        sent.div_ceil(PACKET_BYTES),
        human(received, units),
        human(sent, units)
    ));
    out
}

async fn route_body(run: &mut Run) -> Done {
    if !run.args.operands.is_empty() {
        return refuse(run, "SIOCADDRT").await;
    }
    let numeric = run.args.has('n');
    routes(run, numeric, false).await
}

/// The routing table as `route`, or as `netstat -r` prints it.
pub async fn routes(run: &mut Run, numeric: bool, netstat: bool) -> Done {
    let net = run.proc.net();
    let columns = if netstat { "  MSS Window  irtt" } else { "Metric Ref    Use" };
    let mut out =
        format!("Kernel IP routing table\nDestination     Gateway         Genmask         Flags {columns} Iface\n");
    for route in run.proc.kernel().network(|network| network.routes(net)) {
        let address = |address: Ipv4Addr, nothing: &str| match (numeric, address.is_unspecified()) {
            (false, true) => nothing.to_owned(),
            (true, _) => address.to_string(),
            (false, _) => run.proc.lookup_address(address).unwrap_or_else(|| address.to_string()),
        };
        let via = address(route.via.unwrap_or(Ipv4Addr::UNSPECIFIED), if run.is_busybox() { "*" } else { "0.0.0.0" });
        let flags = if route.via.is_some() { "UG" } else { "U" };
        out.push_str(&format!(
            "{:<15} {via:<15} {:<15} {flags:<5} {} {}\n",
            address(route.to.0, "default"),
            mask(route.to.1).to_string(),
            if netstat { "    0 0          0" } else { "0      0        0" },
            route.device
        ));
    }
    run.put(out).await?;
    Ok(0)
}

async fn neighbours(run: &mut Run) -> Done {
    let net = run.proc.net();
    let wanted = run.args.operands.first().map(|name| text(name));
    let mut found = run.proc.kernel().network(|network| network.neighbours(net));
    if let Some(name) = &wanted {
        let address = run.proc.resolve(name).await.ok().and_then(|all| all.first().copied());
        found.retain(|(other, ..)| Some(*other) == address);
    }
    let bsd = run.is_busybox() || run.args.has('a');
    let mut out = String::new();
    if !bsd && !found.is_empty() {
        out.push_str("Address                  HWtype  HWaddress           Flags Mask            Iface\n");
    }
    for (address, mac, device) in found {
        let name = run.proc.lookup_address(address).filter(|_| !run.args.has('n'));
        out.push_str(&match (bsd, mac) {
            (true, Some(mac)) => {
                let gap = if run.is_busybox() { "  " } else { " " };
                format!("{} ({address}) at {mac} [ether]{gap}on {device}\n", name.as_deref().unwrap_or("?"))
            }
            (true, None) => format!("{} ({address}) at <incomplete>  on {device}\n", name.as_deref().unwrap_or("?")),
            (false, mac) => {
                let name = name.unwrap_or_else(|| address.to_string());
                let (kind, mac, flags) = match mac {
                    Some(mac) => ("ether", mac, "C"),
                    None => ("", "(incomplete)".to_owned(), ""),
                };
                format!("{name:<24} {kind:<7} {mac:<19} {flags:<21} {device}\n")
            }
        });
    }
    run.put(out).await?;
    Ok(0)
}
