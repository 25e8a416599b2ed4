//! `ping`: whoever has the address on a network that this one is on answers.

use std::net::Ipv4Addr;
use std::time::Duration;

use super::program::{Done, Run, number, run, spec, text};
use crate::base::errno::Errno;
use crate::os::args::{flag, value};
use crate::os::kernel::net::is_far;
use crate::os::kernel::{Disposition, Proc, Signal};

spec!(
    SPEC,
    "ping",
    "[options] <destination>",
    [value('c', ""), value('i', ""), value('W', ""), value('w', ""), value('s', ""), flag('q', ""), flag('n', ""), flag('4', "")],
    usage_status: 2,
);

/// `ping`.
pub async fn main(proc: Proc) -> i32 {
    run(proc, &SPEC, |run| Box::pin(body(run))).await
}

async fn body(run: &mut Run) -> Done {
    let Some(host) = run.args.operands.first().map(|host| text(host)) else {
        return Ok(run.missing("usage error: Destination address required").await);
    };
    let Some(address) = run.proc.resolve(&host).await.ok().and_then(|all| all.first().copied()) else {
        let busybox = run.is_busybox();
        run.complain(if busybox {
            format!("bad address '{host}'")
        } else {
            format!("{host}: Name or service not known")
        })
        .await;
        return Ok(if busybox { 1 } else { 2 });
    };
    let count: u64 = run.args.value('c').and_then(|c| number(c)).unwrap_or(u64::MAX);
    let wait = run.args.value('i').and_then(|i| number::<f64>(i)).filter(|i| *i > 0.0 && *i < 1e6).unwrap_or(1.0);
    let net = run.proc.net();
    let reach = |run: &Run, to: Ipv4Addr| run.proc.kernel().network(|network| network.reach(net, to));
    let own = run.proc.kernel().network(|n| n.get(net).and_then(|ns| ns.interfaces.first().map(|i| i.address)));
    let busybox = run.is_busybox();
    let data = run.args.value('s').and_then(|s| number::<u32>(s)).unwrap_or(56).min(65_507);
    let sizes = if busybox { format!("{data} data bytes") } else { format!("{data}({}) bytes of data.", data + 28) };
    let head = format!("PING {host} ({address}){} {sizes}\n", if busybox { ":" } else { "" });
    if reach(run, address) == Err(Errno::ENETUNREACH) {
        if busybox {
            run.put(head).await?;
        }
        run.complain(if busybox { "sendto: Network unreachable" } else { "connect: Network is unreachable" }).await;
        return Ok(if busybox { 1 } else { 2 });
    }
    let quiet = run.args.has('q');
    run.put(head).await?;
    run.proc.on_signal(Signal::INT, Disposition::Handle);
    let (start, mut sent, mut received, mut unreachable) = (run.proc.now(), 0u64, 0u64, 0u64);
    // iputils asks who has the address, unless it is told not to.
    let known = run.proc.lookup_address(address).filter(|_| !run.args.has('n'));
    let name = match (host == address.to_string(), known) {
        (true, None) => host.clone(),
        (_, known) => format!("{} ({address})", known.unwrap_or_else(|| host.clone())),
    };
    let deadline = run.args.value('w').and_then(|w| number::<u64>(w)).unwrap_or(u64::MAX);
    let mut times: Vec<u64> = Vec::new();
    let bytes = data + 8;
    while sent < count {
        sent += 1;
        let reached = reach(run, address);
        if reached.is_ok() {
            received += 1;
            let far = is_far(address);
            let micros = 40 + sent * 7 % 50 + if far { 11_300 } else { 0 };
            let (hops, time) = (if far { 115 } else { 64 }, format!("{}.{:03}", micros / 1000, micros % 1000));
            if times.len() < 1 << 20 {
                times.push(micros);
            }
            let line = match busybox {
                true => format!("{bytes} bytes from {address}: seq={} ttl={hops} time={time} ms\n", sent - 1),
                false => format!("{bytes} bytes from {name}: icmp_seq={sent} ttl={hops} time={time} ms\n"),
            };
            if !quiet {
                run.put(line).await?;
            }
        } else if reached == Err(Errno::EHOSTUNREACH) && !busybox && !quiet {
            unreachable += 1;
            let own = own.unwrap_or(Ipv4Addr::LOCALHOST);
            run.put(format!("From {own} icmp_seq={sent} Destination Host Unreachable\n")).await?;
        }
        run.flush().await?;
        if run.proc.now().since(start).as_secs_f64() + wait > deadline as f64 {
            break;
        }
        if sent < count && run.proc.sleep(Duration::from_secs_f64(wait)).await.is_err() {
            break;
        }
    }
    let lost = (sent - received) * 100 / sent.max(1);
    let millis = run.proc.now().since(start).as_millis();
    run.put(match busybox {
        true => format!("\n--- {host} ping statistics ---\n{sent} packets transmitted, {received} packets received, {lost}% packet loss\n"),
        false => {
            let errors = if unreachable > 0 { format!("+{unreachable} errors, ") } else { String::new() };
            format!("\n--- {host} ping statistics ---\n{sent} packets transmitted, {received} received, {errors}{lost}% packet loss, time {millis}ms\n")
        }
    })
    .await?;
    let (least, most) = (times.iter().min().copied().unwrap_or(0), times.iter().max().copied().unwrap_or(0));
    let count = times.len() as u64;
    if let Some(mean) = times.iter().sum::<u64>().checked_div(count) {
        let ms = |micros: u64| format!("{}.{:03}", micros / 1000, micros % 1000);
        let squares = times.iter().map(|t| t.abs_diff(mean).pow(2)).sum::<u64>() / count;
        run.put(match busybox {
            true => format!("round-trip min/avg/max = {}/{}/{} ms\n", ms(least), ms(mean), ms(most)),
            false => {
                let deviation = ms(squares.isqrt());
                format!("rtt min/avg/max/mdev = {}/{}/{}/{deviation} ms\n", ms(least), ms(mean), ms(most))
            }
        })
        .await?;
    }
    Ok(i32::from(received == 0))
}
