//! `netstat` and `ss`: who listens. Nothing but TCP is simulated, and of connections that are open neither tells.

use super::program::{Done, Run, run, spec};
use crate::os::args::{flag, value};
use crate::os::kernel::Proc;
use crate::os::kernel::net::Listening;

spec!(
    NETSTAT,
    "netstat",
    "[-ralntup]",
    [
        flag('r', "route"),
        flag('a', "all"),
        flag('l', "listening"),
        flag('n', "numeric"),
        flag('t', "tcp"),
        flag('u', "udp"),
        flag('w', "raw"),
        flag('x', "unix"),
        flag('e', "extend"),
        flag('W', "wide"),
        flag('i', "interfaces"),
        flag('p', "programs"),
        flag('4', ""),
    ]
);
spec!(
    SS,
    "ss",
    "[ OPTIONS ] [ FILTER ]",
    [
        flag('n', "numeric"),
        flag('a', "all"),
        flag('l', "listening"),
        flag('t', "tcp"),
        flag('u', "udp"),
        flag('x', "unix"),
        flag('p', "processes"),
        flag('H', "no-header"),
        flag('4', "ipv4"),
        flag('s', "summary"),
        value('f', "family"),
    ],
    usage_status: 255,
);

/// Names of ports in `/etc/services` that programs print without `-n`.
pub const SERVICES: [(u16, &str); 8] = [
    (21, "ftp"),
    (22, "ssh"),
    (25, "smtp"),
    (53, "domain"),
    (80, "http"),
    (443, "https"),
    (3306, "mysql"),
    (5432, "postgresql"),
];

/// A port by name, where it has one.
pub fn service(port: u16) -> Option<&'static str> {
    SERVICES.iter().find(|(known, _)| *known == port).map(|(_, name)| *name)
}

/// `netstat`.
pub async fn main(proc: Proc) -> i32 {
    run(proc, &NETSTAT, |run| Box::pin(netstat(run))).await
}

/// `ss`.
pub async fn ss(proc: Proc) -> i32 {
    run(proc, &SS, |run| Box::pin(sockets(run))).await
}

/// What listens here, unless only other protocols or open connections are asked for.
fn listening(run: &Run) -> Vec<Listening> {
    let net = run.proc.net();
    let others = ["udp", "unix", "raw"].iter().any(|kind| run.args.has(*kind));
    let tcp = run.args.has("tcp") || !others;
    let wanted = run.args.has("all") || run.args.has("listening");
    if tcp && wanted { run.proc.kernel().network(|network| network.listeners(net)) } else { Vec::new() }
}

/// The first process that listens and may be seen, as `PID` and name.
fn owner(run: &Run, listening: &Listening) -> Option<(u32, String)> {
    let uid = run.proc.cred().uid;
    let all = run.proc.processes();
    let seen = all.iter().filter(|p| listening.owners.contains(&p.gpid) && (uid == 0 || p.uid == uid));
    seen.map(|p| (p.pid, p.comm.to_string())).next()
}

async fn netstat(run: &mut Run) -> Done {
    if run.args.has("route") {
        let numeric = run.args.has("numeric");
        return super::ifconfig::routes(run, numeric, true).await;
    }
    if run.args.has("interfaces") || run.args.has("extend") {
        run.complain("this listing is not simulated in Capas").await;
        return Ok(1);
    }
    let what = match (run.args.has("all"), run.args.has("listening")) {
        (true, _) => "servers and established",
        (_, true) => "only servers",
        _ => "w/o servers",
    };
    let programs = run.args.has("programs");
    if programs && run.proc.cred().uid != 0 {
        let text = match run.is_busybox() {
            true => "netstat: showing only processes with your user ID\n",
            false => {
                "(Not all processes could be identified, non-owned process info\n will not be shown, you would have to be root to see it all.)\n"
            }
        };
        run.proc.eprint(text).await;
    }
    let last = if programs { "PID/Program name    " } else { "" };
    let mut out = format!(
        "Active Internet connections ({what})\nProto Recv-Q Send-Q Local Address           Foreign Address         State       {last}\n"
    );
    for each in listening(run) {
        let port = match service(each.port).filter(|_| !run.args.has("numeric")) {
            Some(name) => name.to_owned(),
            None => each.port.to_string(),
        };
        let last = match owner(run, &each) {
            Some((pid, name)) if programs => format!("{:<20}", format!("{pid}/{name}")),
            None if programs => format!("{:<20}", "-"),
            _ => String::new(),
        };
        let local = format!("{}:{port}", each.address);
        out.push_str(&format!("tcp        0      0 {local:<23} {:<23} LISTEN      {last}\n", "0.0.0.0:*"));
    }
    run.put(out).await?;
    Ok(0)
}

async fn sockets(run: &mut Run) -> Done {
    if run.args.has("summary") {
        run.complain("the summary is not simulated in Capas").await;
        return Ok(1);
    }
    // ss fits its columns to what is in them; the address ends and the port begins at the colon.
    let processes = run.args.has("processes");
    let one = run.args.has("tcp") != run.args.has("udp");
    let mut rows = vec![[
        "State".to_owned(),
        "Recv-Q".to_owned(),
        "Send-Q".to_owned(),
        "Local Address".to_owned(),
        "Port".to_owned(),
        "Peer Address".to_owned(),
        "Port".to_owned(),
        "Process".to_owned(),
    ]];
    for each in listening(run) {
        let port = match service(each.port).filter(|_| !run.args.has("numeric")) {
            Some(name) => name.to_owned(),
            None => each.port.to_string(),
        };
        let process = owner(run, &each).filter(|_| processes);
        let process = process.map(|(pid, name)| format!("users:((\"{name}\",pid={pid}))")).unwrap_or_default();
        let (state, zero, backlog) = ("LISTEN".to_owned(), "0".to_owned(), "4096".to_owned());
        let (address, peer, any) = (each.address.to_string(), "0.0.0.0".to_owned(), "*".to_owned());
        rows.push([state, zero, backlog, address, port, peer, any, process]);
    }
    if run.args.has("no-header") {
        rows.remove(0);
    }
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(String::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..8).map(width).collect();
    let w = |column: usize| widths.get(column).copied().unwrap_or(0);
    let kind = if one { "" } else { "Netid " };
    let mut out = String::new();
    for (place, [state, received, sent, local, port, peer, any, process]) in rows.iter().enumerate() {
        let kind = if kind.is_empty() || place == 0 && !run.args.has("no-header") { kind } else { "tcp   " };
        out.push_str(&format!(
            "{kind}{state:<a$} {received:<b$} {sent:<c$} {local:>d$}:{port:<e$} {peer:>f$}:{any:<g$}{process:<h$}\n",
            a = w(0),
            b = w(1),
            c = w(2),
            d = w(3),
            e = w(4),
            f = w(5),
            g = w(6),
            h = w(7)
        ));
    }
    run.put(out).await?;
    Ok(0)
}
