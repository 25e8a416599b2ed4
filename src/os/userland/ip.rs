//! `ip`: addresses, devices, routes and neighbours of the network namespace that it runs in. It changes nothing.

use super::program::{Done, Run, spec, text};
use crate::os::args::flag;
use crate::os::fs::mounts::CAP_NET_ADMIN;
use crate::os::kernel::Proc;
use crate::os::kernel::net::{Link, network_of};

spec!(
    SPEC,
    "ip",
    "[OPTIONS] address|route|link|neigh|rule [ARGS]",
    [flag('4', ""), flag('6', ""), flag('o', "oneline"), flag('b', "brief"), flag('s', "statistics"), flag('h', "human")],
    usage_status: 255,
);

/// `ip`.
pub async fn main(proc: Proc) -> i32 {
    let mut argv = proc.args();
    for word in &mut argv {
        // iproute2 abbreviates long options that have one dash.
        match word.as_slice() {
            b"-br" | b"-brief" => *word = "-b".into(),
            b"-oneline" => *word = "-o".into(),
            _ => {}
        }
    }
    super::program::run_as(proc, &SPEC, &argv, |run| Box::pin(body(run))).await
}

/// Busybox's `ipaddr`, `iplink`, `iproute`, `ipneigh`: the object is in the name.
pub async fn named(proc: Proc) -> i32 {
    let mut argv = proc.args();
    let name = argv.first().map(|name| text(crate::base::path::file_name(name))).unwrap_or_default();
    argv.splice(..argv.len().min(1), ["ip".into(), name.trim_start_matches("ip").into()]);
    proc.set_args(argv);
    main(proc).await
}

async fn body(run: &mut Run) -> Done {
    let words: Vec<String> = run.args.operands.iter().map(|word| text(word)).collect();
    let mut words = words.iter().map(String::as_str);
    let Some(object) = words.next() else {
        let usage = run.usage("an object is missing").await;
        return Ok(usage);
    };
    let objects = ["address", "link", "route", "neighbour", "rule"];
    let object = objects.iter().find(|name| name.starts_with(object)).copied().or(match object {
        "neighbor" => Some("neighbour"),
        _ => None,
    });
    let Some(object) = object else {
        let given = text(run.args.operands.first().map_or(b"", |word| word));
        if run.is_busybox() {
            return Ok(run.missing("").await);
        }
        run.proc.eprint(format!("Object \"{given}\" is unknown, try \"ip help\".\n")).await;
        return Ok(1);
    };
    let rest: Vec<&str> = words.collect();
    let (verb, rest) = match rest.split_first() {
        None => ("show", &[][..]),
        Some((verb, rest)) if "show".starts_with(verb) || "list".starts_with(verb) => ("show", rest),
        Some((verb, _)) if object == "route" && *verb == "get" => ("get", rest.get(1..).unwrap_or_default()),
        Some((verb, _)) if ["add", "del", "delete", "set", "flush", "replace", "change"].contains(verb) => {
            return refuse(run).await;
        }
        // `ip a eth0` is short for `ip a show dev eth0`.
        Some(_) => ("show", rest.as_slice()),
    };
    let device = rest.iter().copied().find(|word| !["dev", "up", "scope", "global"].contains(word));
    let is_wanted = |name: &str| device.is_none_or(|device| device == name);
    let net = run.proc.net();
    let kernel = run.proc.kernel().clone();
    if let (Some(device), "address" | "link") = (device, object)
        && kernel.network(|network| network.links(net).iter().all(|link| link.name != device))
    {
        let message = match run.is_busybox() {
            true => format!("ip: can't find device '{device}'\n"),
            false => format!("Device \"{device}\" does not exist.\n"),
        };
        run.proc.eprint(message).await;
        return Ok(1);
    }
    let mut out = String::new();
    match object {
        "address" | "link" => {
            for link in kernel.network(|network| network.links(net)) {
                if is_wanted(&link.name) {
                    out.push_str(&link_text(run, &link, object == "address"));
                }
            }
        }
        "rule" => {
            out.push_str("0:\tfrom all lookup local\n32766:\tfrom all lookup main\n32767:\tfrom all lookup default\n")
        }
        "neighbour" if !run.args.has('6') => {
            for (address, mac, device) in kernel.network(|network| network.neighbours(net)) {
                let state = mac.map_or_else(|| "FAILED".to_owned(), |mac| format!("lladdr {mac} REACHABLE"));
                out.push_str(&format!("{address} dev {device} {state}\n"));
            }
        }
        "route" if verb == "get" => return route_get(run, device).await,
        "route" if !run.args.has('6') => {
            for route in kernel.network(|network| network.routes(net)) {
                if !(is_wanted(&route.device) || device == Some("default") && route.via.is_some()) {
                    continue;
                }
                out.push_str(&match (route.via, run.is_busybox()) {
                    (Some(via), _) => format!("default via {via} dev {} \n", route.device),
                    (None, true) => {
                        format!(
                            "{}/{} dev {} scope link  src {} \n",
                            route.to.0, route.to.1, route.device, route.source
                        )
                    }
                    (None, false) => format!(
                        "{}/{} dev {} proto kernel scope link src {} \n",
                        route.to.0, route.to.1, route.device, route.source
                    ),
                });
            }
        }
        _ => {}
    }
    run.put(out).await?;
    Ok(0)
}

/// What would change something.
async fn refuse(run: &mut Run) -> Done {
    let text = if run.proc.cred().is_capable(CAP_NET_ADMIN) {
        "ip: changing the network is not simulated in Capas\n"
    } else if run.is_busybox() {
        "ip: RTNETLINK answers: Operation not permitted\n"
    } else {
        "RTNETLINK answers: Operation not permitted\n"
    };
    run.proc.eprint(text).await;
    Ok(2)
}

async fn route_get(run: &mut Run, to: Option<&str>) -> Done {
    let Some(to) = to.and_then(|to| to.parse::<std::net::Ipv4Addr>().ok()) else {
        run.proc.eprint("Error: any valid prefix is expected rather than the one given.\n").await;
        return Ok(1);
    };
    let net = run.proc.net();
    let routes = run.proc.kernel().network(|network| network.routes(net));
    let found = routes.iter().filter(|route| network_of(to, route.to.1).0 == route.to.0).max_by_key(|route| route.to.1);
    let own = routes.iter().any(|route| route.source == to) || to.is_loopback();
    let line = match (own, found) {
        (true, _) => format!("local {to} dev lo src {to} uid {} \n    cache <local> \n", run.proc.cred().uid),
        (_, Some(route)) => {
            let via = route.via.map(|via| format!("via {via} ")).unwrap_or_default();
            format!("{to} {via}dev {} src {} uid {} \n    cache \n", route.device, route.source, run.proc.cred().uid)
        }
        _ => {
            run.proc.eprint("RTNETLINK answers: Network is unreachable\n").await;
            return Ok(2);
        }
    };
    run.put(line).await?;
    Ok(0)
}

/// A device as a whole, in the form that the options ask for.
fn link_text(run: &Run, link: &Link, addresses: bool) -> String {
    let busybox = run.is_busybox();
    let loopback = link.mac.is_none();
    let shown = link.address.filter(|_| addresses && !run.args.has('6'));
    // A cable that ends here is named by its other end.
    let name = link.peer.map_or_else(|| link.name.clone(), |peer| format!("{}@if{peer}", link.name));
    let state = match (loopback, link.carrier) {
        (true, _) => "UNKNOWN",
        (false, true) => "UP",
        (false, false) => "DOWN",
    };
    let mac = link.mac.as_deref().unwrap_or("00:00:00:00:00:00");
    let flags = match (loopback, link.carrier) {
        (true, _) => "LOOPBACK,UP,LOWER_UP",
        (_, true) if busybox && link.peer.is_some() => "BROADCAST,MULTICAST,UP,LOWER_UP,M-DOWN",
        (_, true) => "BROADCAST,MULTICAST,UP,LOWER_UP",
        (_, false) => "NO-CARRIER,BROADCAST,MULTICAST,UP",
    };
    if run.args.has('b') {
        let last = match shown {
            Some((address, prefix)) => format!("{address}/{prefix} "),
            None if addresses => String::new(),
            None => format!("{mac} <{flags}> "),
        };
        return format!("{name:<16} {state:<14} {last}\n");
    }
    let inet = shown.map(|(address, prefix)| {
        let broadcast = match loopback {
            true => String::new(),
            false => format!(" brd {}", network_of(address, prefix).1),
        };
        let scope = if loopback { "host" } else { "global" };
        format!("inet {address}/{prefix}{broadcast} scope {scope} {}", link.name)
    });
    let life = "       valid_lft forever preferred_lft forever";
    if run.args.has('o') && addresses {
        return inet.map_or_else(String::new, |inet| format!("{}: {}    {inet}\\{life}\n", link.index, link.name));
    }
    if run.args.has('4') && addresses && inet.is_none() || run.args.has('6') && addresses {
        return String::new();
    }
    let mtu = if loopback { 65_536 } else { 1500 };
    let master = link.master.as_ref().map(|master| format!(" master {master}")).unwrap_or_default();
    let mut out = format!("{}: {name}: <{flags}> mtu {mtu} qdisc noqueue{master} state {state} ", link.index);
    match (busybox, addresses, loopback) {
        (true, _, true) => out.push_str("qlen 1000"),
        (true, _, false) => {}
        (false, true, true) => out.push_str("group default qlen 1000"),
        (false, true, false) => out.push_str("group default "),
        (false, false, true) => out.push_str("mode DEFAULT group default qlen 1000"),
        (false, false, false) => out.push_str("mode DEFAULT group default "),
    }
    let (kind, all) = if loopback { ("loopback", "00:00:00:00:00:00") } else { ("ether", "ff:ff:ff:ff:ff:ff") };
    let far = if busybox || link.peer.is_none() { "" } else { " link-netnsid 0" };
    let end = if run.args.has('o') { "\\" } else { "\n" };
    // `-4` leaves the hardware address out.
    if !(run.args.has('4') && addresses && !busybox) {
        out.push_str(&format!("{end}    link/{kind} {mac} brd {all}{far}"));
    }
    out.push('\n');
    if let Some(inet) = inet {
        out.push_str(&format!("    {inet}\n{life}\n"));
    }
    out
}
