//! `nslookup`, `dig`, `host`: what the network's name server says. `/etc/hosts` is not its business.

use std::net::Ipv4Addr;

use super::program::{Done, Run, run, spec, text};
use crate::base::digest::Digest;
use crate::os::args::{flag, value};
use crate::os::kernel::Proc;

spec!(NSLOOKUP, "nslookup", "[-type=QUERY_TYPE] [-debug] HOST [DNS_SERVER]", []);
spec!(
    DIG,
    "dig",
    "[@server] [name] [q-type] [+option]",
    [value('x', ""), value('t', ""), value('p', ""), flag('4', "")]
);
spec!(HOST, "host", "[-aCdilrTvVw] [-t type] hostname [server]", [value('t', ""), flag('a', ""), flag('4', "")]);

/// `nslookup`.
pub async fn nslookup(proc: Proc) -> i32 {
    let mut argv = proc.args();
    let kinds: Vec<String> = argv
        .iter()
        .filter_map(|word| {
            text(word).strip_prefix("-type=").or(text(word).strip_prefix("-query=")).map(str::to_lowercase)
        })
        .collect();
    argv.retain(|word| !word.starts_with(b"-type=") && !word.starts_with(b"-query=") && word != "-debug");
    super::program::run_as(proc, &NSLOOKUP, &argv, |run| Box::pin(lookup(run, kinds))).await
}

/// `dig`.
pub async fn dig(proc: Proc) -> i32 {
    run(proc, &DIG, |run| Box::pin(dig_body(run))).await
}

/// `host`.
pub async fn host(proc: Proc) -> i32 {
    run(proc, &HOST, |run| Box::pin(host_body(run))).await
}

/// The first name server in `/etc/resolv.conf`.
async fn server(proc: &Proc) -> String {
    let conf = proc.read_file(b"/etc/resolv.conf").await.map(|rope| text(&rope.head(1 << 16))).unwrap_or_default();
    let mut servers = conf.lines().filter_map(|line| line.strip_prefix("nameserver"));
    servers.next().map_or_else(|| "127.0.0.1".to_owned(), |word| word.trim().to_owned())
}

/// Whether a server answers: the network's own where there is a network. Others are beyond it.
fn answers(proc: &Proc, server: &str, given: bool) -> bool {
    let net = proc.net();
    let plugged = proc.kernel().network(|network| network.get(net).is_some_and(|ns| !ns.interfaces.is_empty()));
    plugged && (!given || server == "127.0.0.11")
}

/// An answer: the lines' owner, type and value.
enum Answer {
    Addresses(Vec<Ipv4Addr>),
    Pointer(String),
    Nothing,
    Unknown,
}

fn ask(proc: &Proc, name: &str, kind: &str) -> Answer {
    if let Some(address) = kind.eq_ignore_ascii_case("ptr").then(|| unreversed(name)).flatten() {
        return proc.lookup_address(address).map_or(Answer::Unknown, Answer::Pointer);
    }
    match (proc.lookup(name), kind.to_ascii_lowercase().as_str()) {
        (Ok(addresses), "a" | "any") => Answer::Addresses(addresses),
        (Ok(_), _) => Answer::Nothing,
        (Err(_), _) => Answer::Unknown,
    }
}

/// The name under which an address is looked up.
fn reversed(address: Ipv4Addr) -> String {
    let [a, b, c, d] = address.octets();
    format!("{d}.{c}.{b}.{a}.in-addr.arpa")
}

fn unreversed(name: &str) -> Option<Ipv4Addr> {
    let address: Ipv4Addr = name.trim_end_matches('.').strip_suffix(".in-addr.arpa")?.parse().ok()?;
    let [a, b, c, d] = address.octets();
    Some(Ipv4Addr::new(d, c, b, a))
}

async fn lookup(run: &mut Run, kinds: Vec<String>) -> Done {
    let operands: Vec<String> = run.args.operands.iter().map(|word| text(word)).collect();
    let Some(name) = operands.first().cloned() else {
        if run.is_busybox() {
            return Ok(run.missing("").await);
        }
        run.complain("the interactive mode is not simulated in Capas").await;
        return Ok(1);
    };
    let busybox = run.is_busybox();
    let given = operands.get(1).cloned();
    let server = match &given {
        Some(name) => match run.proc.resolve(name).await.ok().and_then(|all| all.first().copied()) {
            Some(address) => address.to_string(),
            None if busybox => {
                run.complain(format!("bad address '{name}'")).await;
                return Ok(1);
            }
            None => {
                run.complain(format!("couldn't get address for '{name}': not found")).await;
                return Ok(1);
            }
        },
        None => server(&run.proc).await,
    };
    if !answers(&run.proc, &server, given.is_some()) {
        // Five seconds and another five for the second try, or bind's three tries.
        run.proc.sleep(std::time::Duration::from_secs(if busybox { 10 } else { 15 })).await?;
        run.put(";; connection timed out; no servers could be reached\n\n").await?;
        return Ok(1);
    }
    let port = if busybox { ":53" } else { "#53" };
    let mut out = format!("Server:\t\t{server}\nAddress:\t{server}{port}\n\n");
    let reverse = name.parse::<Ipv4Addr>().ok().map(reversed);
    let kinds: Vec<&str> = match (&reverse, kinds.first()) {
        (Some(_), _) => vec!["ptr"],
        (_, Some(kind)) => vec![kind.as_str()],
        (_, None) => vec!["a", "aaaa"],
    };
    let asked = reverse.unwrap_or_else(|| name.clone());
    let mut status = 0;
    for (place, kind) in kinds.iter().enumerate() {
        match ask(&run.proc, &asked, kind) {
            Answer::Addresses(addresses) => {
                out.push_str("Non-authoritative answer:\n");
                let lines = addresses.iter().map(|address| format!("Name:\t{name}\nAddress: {address}\n"));
                out.push_str(&(lines.collect::<String>() + "\n"));
            }
            Answer::Pointer(pointer) if busybox => {
                out.push_str(&format!("Non-authoritative answer:\n{asked}\tname = {pointer}\n\n"));
            }
            Answer::Pointer(pointer) => {
                out = format!("{asked}\tname = {pointer}.\n\n");
            }
            Answer::Nothing if busybox => out.push_str("Non-authoritative answer:\n\n"),
            // bind says nothing of a second question that has no answer.
            Answer::Nothing if place > 0 => {}
            Answer::Nothing => {
                out.push_str(&format!("Non-authoritative answer:\n*** Can't find {name}: No answer\n\n"))
            }
            Answer::Unknown => {
                status = 1;
                if busybox || place == 0 {
                    out.push_str(&format!("** server can't find {asked}: NXDOMAIN\n\n"));
                }
            }
        }
    }
    run.put(out).await?;
    Ok(status)
}

async fn dig_body(run: &mut Run) -> Done {
    let (mut name, mut kind, mut given, mut options) = (None, "A".to_owned(), None, Vec::new());
    for word in run.args.operands.iter().map(|word| text(word)) {
        match word.split_at_checked(1) {
            Some(("@", host)) => given = Some(host.to_owned()),
            Some(("+", option)) => options.push(option.to_owned()),
            _ if ["a", "aaaa", "any", "cname", "mx", "ns", "ptr", "soa", "srv", "txt"]
                .contains(&word.to_ascii_lowercase().as_str())
                && name.is_some() =>
            {
                kind = word.to_ascii_uppercase();
            }
            _ => name = Some(word),
        }
    }
    if let Some(wanted) = run.args.value('t') {
        kind = text(wanted).to_ascii_uppercase();
    }
    if let Some(address) = run.args.value('x').map(|x| text(x)) {
        let Ok(address) = address.parse() else {
            run.proc.eprint(format!("Invalid IP address {address}\n")).await;
            return Ok(1);
        };
        (name, kind) = (Some(reversed(address)), "PTR".to_owned());
    }
    let Some(name) = name.map(|name| name.trim_end_matches('.').to_owned()) else {
        run.complain("asking for the root servers is not simulated in Capas").await;
        return Ok(1);
    };
    let server = match &given {
        Some(host) => match run.proc.resolve(host).await.ok().and_then(|all| all.first().copied()) {
            Some(address) => address.to_string(),
            None => {
                run.complain(format!("couldn't get address for '{host}': not found")).await;
                return Ok(10);
            }
        },
        None => server(&run.proc).await,
    };
    let has = |option: &str| options.iter().any(|given| given == option);
    let banner = format!("\n; <<>> DiG 9.16.22 <<>> {}\n;; global options: +cmd\n", {
        let words: Vec<String> = run.proc.args().iter().skip(1).map(|word| text(word)).collect();
        words.join(" ")
    });
    if !answers(&run.proc, &server, given.is_some()) {
        run.proc.sleep(std::time::Duration::from_secs(15)).await?;
        let banner = if has("short") { String::new() } else { banner };
        run.put(format!("{banner};; connection timed out; no servers could be reached\n")).await?;
        return Ok(9);
    }
    let answer = ask(&run.proc, &name, &kind);
    let status = if matches!(answer, Answer::Unknown) { "NXDOMAIN" } else { "NOERROR" };
    let values: Vec<String> = match answer {
        Answer::Addresses(addresses) => addresses.iter().map(ToString::to_string).collect(),
        Answer::Pointer(pointer) => vec![format!("{pointer}.")],
        _ => Vec::new(),
    };
    let lines: Vec<String> =
        values.iter().map(|value| format!("{:<23} 600\tIN\t{kind}\t{value}\n", format!("{name}."))).collect();
    if has("short") {
        run.put(values.iter().map(|value| format!("{value}\n")).collect::<String>()).await?;
        return Ok(0);
    }
    if has("noall") {
        if has("answer") {
            run.put(lines.concat()).await?;
        }
        return Ok(0);
    }
    let id = Digest::of(format!("{name} {kind} {}", run.proc.now().seconds()).as_bytes())
        .as_bytes()
        .iter()
        .take(2)
        .fold(0u32, |id, b| id << 8 | u32::from(*b));
    let mut out = banner;
    out.push_str(&format!(
        ";; Got answer:\n;; ->>HEADER<<- opcode: QUERY, status: {status}, id: {id}\n;; flags: qr rd ra; QUERY: 1, ANSWER: {}, AUTHORITY: 0, ADDITIONAL: 0\n\n;; QUESTION SECTION:\n;{:<30} IN\t{kind}\n\n",
        values.len(),
        format!("{name}.")
    ));
    if !lines.is_empty() {
        out.push_str(&format!(";; ANSWER SECTION:\n{}\n", lines.concat()));
    }
    // A question is a header of 12 bytes, the name and two numbers; each answer points back at the name.
    let size = 12 + name.len() + 2 + 4 + values.len() * 16;
    out.push_str(&format!(
        ";; Query time: 0 msec\n;; SERVER: {server}#53({server})\n;; WHEN: {}\n;; MSG SIZE  rcvd: {size}\n\n",
        super::date::strftime("%a %b %d %H:%M:%S UTC %Y", run.proc.now())
    ));
    run.put(out).await?;
    Ok(0)
}

async fn host_body(run: &mut Run) -> Done {
    let Some(name) = run.args.operands.first().map(|word| text(word)) else {
        return Ok(run.missing("a name is missing").await);
    };
    let server = server(&run.proc).await;
    if !answers(&run.proc, &server, false) {
        run.proc.sleep(std::time::Duration::from_secs(10)).await?;
        run.put(";; connection timed out; no servers could be reached\n").await?;
        return Ok(1);
    }
    let reverse = name.parse::<Ipv4Addr>().ok().map(reversed);
    let kind = match (&reverse, run.args.value('t')) {
        (Some(_), _) => "ptr".to_owned(),
        (_, Some(kind)) => text(kind),
        _ => "a".to_owned(),
    };
    let asked = reverse.unwrap_or(name);
    let (out, status) = match ask(&run.proc, &asked, &kind) {
        Answer::Addresses(all) => (all.iter().map(|a| format!("{asked} has address {a}\n")).collect(), 0),
        Answer::Pointer(pointer) => (format!("{asked} domain name pointer {pointer}.\n"), 0),
        Answer::Nothing => (format!("{asked} has no {} record\n", kind.to_ascii_uppercase()), 0),
        Answer::Unknown => (format!("Host {asked} not found: 3(NXDOMAIN)\n"), 1),
    };
    run.put(out).await?;
    Ok(status)
}
