//! `ping`: whoever has the address on a network that this one is on answers.

use std::net::Ipv4Addr;
use std::time::Duration;

use super::program::{Done, Run, number, run, spec, text};
use crate::base::errno::Errno;
use crate::os::args::{flag, value};
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
    if reach(run, address) == Err(Errno::ENETUNREACH) {
        run.complain(if run.is_busybox() { "sendto: Network unreachable" } else { "connect: Network is unreachable" })
            .await;
        return Ok(if run.is_busybox() { 1 } else { 2 });
    }
    let busybox = run.is_busybox();
    let sizes = if busybox { "56 data bytes".to_owned() } else { "56(84) bytes of data.".to_owned() };
    run.put(format!("PING {host} ({address}){} {sizes}\n", if busybox { ":" } else { "" })).await?;
    run.proc.on_signal(Signal::INT, Disposition::Handle);
    let (start, mut sent, mut received) = (run.proc.now(), 0u64, 0u64);
    let name = if host == address.to_string() { host.clone() } else { format!("{host} ({address})") };
    while sent < count {
        sent += 1;
        if reach(run, address).is_ok() {
            received += 1;
            let time = format!("0.0{}", 40 + sent * 7 % 50);
            let line = match busybox {
                true => format!("64 bytes from {address}: seq={} ttl=64 time={time} ms\n", sent - 1),
                false => format!("64 bytes from {name}: icmp_seq={sent} ttl=64 time={time} ms\n"),
            };
            run.put(line).await?;
        } else if !busybox {
            let own = own.unwrap_or(Ipv4Addr::LOCALHOST);
            run.put(format!("From {own} icmp_seq={sent} Destination Host Unreachable\n")).await?;
        }
        run.flush().await?;
        if sent < count && run.proc.sleep(Duration::from_secs_f64(wait)).await.is_err() {
            break;
        }
    }
    let lost = (sent - received) * 100 / sent.max(1);
    let millis = run.proc.now().since(start).as_millis();
    run.put(match busybox {
        true => format!("\n--- {host} ping statistics ---\n{sent} packets transmitted, {received} packets received, {lost}% packet loss\n"),
        false => {
            let errors = if received < sent { format!("+{} errors, ", sent - received) } else { String::new() };
            format!("\n--- {host} ping statistics ---\n{sent} packets transmitted, {received} received, {errors}{lost}% packet loss, time {millis}ms\n")
        }
    })
    .await?;
    Ok(i32::from(received == 0))
}
