//! `nc`: a connection, or someone who waits for one, between standard input and output. Also `telnet` to a port that
//! speaks lines, and `traceroute`.

use std::net::Ipv4Addr;
use std::time::Duration;

use super::netstat::service;
use super::program::{Done, PIECE, Run, number, run, spec, text};
use crate::base::errno::Errno;
use crate::os::args::{flag, value};
use crate::os::kernel::{Fd, Proc, Signal};

spec!(
    NC,
    "nc",
    "[-lnvz] [-p PORT] [-w SEC] [HOST] [PORT]",
    [
        flag('l', ""),
        flag('k', ""),
        flag('n', ""),
        flag('v', ""),
        flag('z', ""),
        flag('N', ""),
        flag('u', ""),
        flag('4', ""),
        value('p', ""),
        value('s', ""),
        value('q', ""),
        value('w', ""),
        value('i', ""),
        value('e', ""),
    ]
);
spec!(TELNET, "telnet", "[-a] [-l USER] HOST [PORT]", [flag('a', ""), value('l', "")]);
spec!(
    TRACEROUTE,
    "traceroute",
    "[-4In] [-m MAXTTL] [-q PROBES] [-w WAIT_SEC] HOST [BYTES]",
    [flag('4', ""), flag('I', ""), flag('n', ""), value('m', ""), value('q', ""), value('w', "")]
);

/// `nc`.
pub async fn main(proc: Proc) -> i32 {
    run(proc, &NC, |run| Box::pin(body(run))).await
}

/// `telnet`.
pub async fn telnet(proc: Proc) -> i32 {
    run(proc, &TELNET, |run| Box::pin(telnet_body(run))).await
}

/// `traceroute`.
pub async fn traceroute(proc: Proc) -> i32 {
    run(proc, &TRACEROUTE, |run| Box::pin(trace(run))).await
}

/// Connects, giving up after some seconds.
async fn connect(run: &Run, to: (Ipv4Addr, u16), limit: Option<f64>) -> Result<Fd, Errno> {
    // Who doesn't answer at all takes longer than a short limit.
    let net = run.proc.net();
    let away = run.proc.kernel().network(|network| network.reach(net, to.0)) == Err(Errno::EHOSTUNREACH);
    match limit.filter(|limit| away && *limit < 3.0) {
        Some(limit) => {
            run.proc.sleep(Duration::from_secs_f64(limit)).await?;
            Err(Errno::ETIMEDOUT)
        }
        None => run.proc.connect(to).await,
    }
}

/// What a word means as ports: `80`, `http`, `20-25`.
fn ports(word: &str) -> Option<Vec<u16>> {
    if let Some((first, last)) = word.split_once('-') {
        let (first, last) = (first.parse::<u16>().ok()?, last.parse::<u16>().ok()?);
        return (first <= last).then(|| (first..=last).collect());
    }
    let named = super::netstat::SERVICES.iter().find(|(_, name)| *name == word).map(|(port, _)| *port);
    word.parse().ok().or(named).map(|port| vec![port])
}

async fn body(run: &mut Run) -> Done {
    if run.args.has('u') || run.args.has('e') {
        run.complain("UDP and -e are not simulated in Capas").await;
        return Ok(1);
    }
    let words: Vec<String> = run.args.operands.iter().map(|word| text(word)).collect();
    let limit = run.args.value('w').and_then(|w| number::<f64>(w)).filter(|w| *w > 0.0 && *w < 1e6);
    if run.args.has('l') {
        // openbsd's takes the port, or address and port, as operands.
        let port = run.args.value('p').map(|p| text(p)).or_else(|| words.last().cloned());
        let Some(port) = port.and_then(|port| port.parse::<u16>().ok()) else {
            return Ok(run.missing("missing port with option -l").await);
        };
        return serve(run, port).await;
    }
    let [host, port] = words.as_slice() else {
        return Ok(run.missing("missing hostname and port").await);
    };
    let Some(ports) = ports(port) else {
        let why = if run.is_busybox() { "bad port" } else { "port number invalid:" };
        run.complain(format!("{why} {port}")).await;
        return Ok(1);
    };
    let Some(address) = run.proc.resolve(host).await.ok().and_then(|all| all.first().copied()) else {
        let message = match run.is_busybox() {
            true => format!("bad address '{host}'"),
            false => format!("getaddrinfo for host \"{host}\" port {port}: Name or service not known"),
        };
        run.complain(message).await;
        return Ok(1);
    };
    let (verbose, busybox) = (run.args.has('v'), run.is_busybox());
    let mut status = 1;
    for port in ports {
        let shown = format!("{host} ({address}:{port})");
        match connect(run, (address, port), limit).await {
            Ok(fd) => {
                status = 0;
                if verbose {
                    let name = service(port).unwrap_or("*");
                    let place = if *host == address.to_string() { host.clone() } else { format!("{host} ({address})") };
                    run.proc
                        .eprint(match busybox {
                            true => format!("{shown} open\n"),
                            false => format!("Connection to {place} {port} port [tcp/{name}] succeeded!\n"),
                        })
                        .await;
                }
                if !run.args.has('z') {
                    converse(run, fd, busybox || run.args.has('N') || run.args.has('q')).await?;
                }
                let _ = run.proc.close(fd);
            }
            Err(Errno::EINTR) => return Ok(130),
            Err(error) => {
                let why = if error == Errno::ETIMEDOUT && busybox { "timed out" } else { error.strerror() };
                if busybox && (verbose || !run.args.has('z')) {
                    run.complain(format!("{shown}: {why}")).await;
                } else if !busybox && verbose {
                    run.complain(format!("connect to {host} ({address}) port {port} (tcp) failed: {why}")).await;
                }
            }
        }
    }
    run.status = status;
    Ok(status)
}

async fn serve(run: &mut Run, port: u16) -> Done {
    if let Err(error) = run.proc.listen(Ipv4Addr::UNSPECIFIED, port) {
        let what = if run.is_busybox() { "bind: " } else { "" };
        run.complain(format!("{what}{}", error.strerror())).await;
        return Ok(1);
    }
    let (busybox, verbose) = (run.is_busybox(), run.args.has('v'));
    if verbose {
        run.proc
            .eprint(match busybox {
                true => format!("listening on 0.0.0.0:{port} ...\n"),
                false => format!("Listening on 0.0.0.0 {port}\n"),
            })
            .await;
    }
    loop {
        let (fd, _, peer) = run.proc.accept(&[port]).await?;
        if !run.args.has('k') {
            run.proc.unlisten(port);
        }
        if verbose {
            let (address, from) = peer.split_once(':').unwrap_or((&peer, ""));
            run.proc
                .eprint(match busybox {
                    true => format!("connect to 0.0.0.0:{port} from {peer} ({peer})\n"),
                    false => format!("Connection received on {address} {from}\n"),
                })
                .await;
        }
        converse(run, fd, true).await?;
        let _ = run.proc.close(fd);
        if !run.args.has('k') {
            return Ok(0);
        }
    }
}

/// Passes bytes both ways until the other side ends. `hang_up`: whether the end of standard input is told.
async fn converse(run: &mut Run, fd: Fd, hang_up: bool) -> Result<(), Errno> {
    run.flush().await?;
    let sender = run.proc.fork(move |child| {
        Box::pin(async move {
            while let Ok(piece) = child.read(0, PIECE).await
                && !piece.is_empty()
            {
                if child.write_rope(fd, &piece).await.is_err() {
                    return 1;
                }
            }
            if hang_up {
                let _ = child.shutdown(fd);
            }
            0
        })
    })?;
    let ended = loop {
        match run.proc.read(fd, PIECE).await {
            Ok(piece) if piece.is_empty() => break Ok(()),
            Ok(piece) => {
                if let Err(error) = run.proc.write_rope(1, &piece).await {
                    break Err(error);
                }
            }
            Err(Errno::ECONNRESET) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    let _ = run.proc.kill(i64::from(sender), Some(Signal::KILL));
    let _ = run.proc.wait(Some(sender), false).await;
    ended
}

async fn telnet_body(run: &mut Run) -> Done {
    let words: Vec<String> = run.args.operands.iter().map(|word| text(word)).collect();
    let Some(host) = words.first() else {
        return Ok(run.missing("a host is missing").await);
    };
    let port = words.get(1).map_or("23", String::as_str);
    let (busybox, host) = (run.is_busybox(), host.clone());
    let Some(port) = ports(port).and_then(|all| all.first().copied()) else {
        run.complain(format!("bad port '{port}'")).await;
        return Ok(1);
    };
    let Some(address) = run.proc.resolve(&host).await.ok().and_then(|all| all.first().copied()) else {
        let message = match busybox {
            true => format!("bad address '{host}'"),
            false => format!("could not resolve {host}/{port}: Name or service not known"),
        };
        run.complain(message).await;
        return Ok(1);
    };
    if !busybox {
        run.put(format!("Trying {address}...\n")).await?;
        run.flush().await?;
    }
    let fd = match run.proc.connect((address, port)).await {
        Ok(fd) => fd,
        Err(error) => {
            let message = match busybox {
                true => format!("can't connect to remote host ({address}): {}", error.strerror()),
                false => format!("Unable to connect to remote host: {}", error.strerror()),
            };
            run.complain(message).await;
            return Ok(1);
        }
    };
    run.put(match busybox {
        true => format!("Connected to {host}\n\nEntering character mode\nEscape character is '^]'.\n\n"),
        false => format!("Connected to {host}.\nEscape character is '^]'.\n"),
    })
    .await?;
    converse(run, fd, false).await?;
    let _ = run.proc.close(fd);
    run.proc
        .eprint(if busybox { "Connection closed by foreign host\r\n" } else { "Connection closed by foreign host.\n" })
        .await;
    Ok(1)
}

async fn trace(run: &mut Run) -> Done {
    let Some(host) = run.args.operands.first().map(|word| text(word)) else {
        return Ok(run.missing("Specify \"host\" missing argument.").await);
    };
    let Some(address) = run.proc.resolve(&host).await.ok().and_then(|all| all.first().copied()) else {
        let message = match run.is_busybox() {
            true => format!("bad address '{host}'"),
            false => format!("{host}: Name or service not known"),
        };
        run.complain(message).await;
        return Ok(if run.is_busybox() { 1 } else { 2 });
    };
    let limit = |letter: char, usual: u32, most: u32| {
        run.args.value(letter).and_then(|v| number::<u32>(v)).filter(|n| (1..=most).contains(n)).unwrap_or(usual)
    };
    let (hops, probes, wait) = (limit('m', 30, 255), limit('q', 3, 10), limit('w', 5, 60));
    let size = if run.is_busybox() { 46 } else { 60 };
    run.put(format!("traceroute to {host} ({address}), {hops} hops max, {size} byte packets\n")).await?;
    let net = run.proc.net();
    let numeric = run.args.has('n');
    let named = |proc: &Proc, address: Ipv4Addr| {
        let known = proc.lookup_address(address).unwrap_or_else(|| address.to_string());
        if numeric { address.to_string() } else { format!("{known} ({address})") }
    };
    let times: String = (1..=probes).map(|n| format!("  0.0{:02} ms", 3 + n * 4)).collect();
    match run.proc.kernel().network(|network| network.reach(net, address)) {
        Ok(()) => {
            let line = format!(" 1  {}{times}\n", named(&run.proc, address));
            run.put(line).await?;
        }
        Err(Errno::ENETUNREACH) => {
            run.complain("sendto: Network unreachable").await;
            return Ok(1);
        }
        Err(_) => {
            // The gateway answers, and nobody behind it.
            let routes = run.proc.kernel().network(|network| network.routes(net));
            let gateway = routes.iter().find_map(|route| route.via);
            for hop in 1..=hops {
                let line = match gateway.filter(|_| hop == 1) {
                    Some(gateway) => format!("{hop:2}  {}{times}\n", named(&run.proc, gateway)),
                    None => {
                        run.proc.sleep(Duration::from_secs(u64::from(wait * probes))).await?;
                        format!("{hop:2} {}\n", "  *".repeat(probes as usize))
                    }
                };
                run.put(line).await?;
                run.flush().await?;
            }
        }
    }
    Ok(0)
}
