//! `hostname`.

use super::program::{Done, Run, run, spec, text};
use crate::os::args::flag;
use crate::os::kernel::Proc;

spec!(
    SPEC,
    "hostname",
    "[OPTION]... [NAME]",
    [
        flag('s', "short"),
        flag('f', "fqdn"),
        flag('i', "ip-address"),
        flag('I', "all-ip-addresses"),
        flag('d', "domain")
    ]
);

/// `hostname`.
pub async fn main(proc: Proc) -> i32 {
    run(proc, &SPEC, |run| Box::pin(body(run))).await
}

async fn body(run: &mut Run) -> Done {
    if let Some(name) = run.args.operands.first().cloned() {
        if let Err(error) = run.proc.set_hostname(&text(&name)) {
            let what = if run.is_busybox() { "sethostname: " } else { "you must be root to change the host name" };
            let why = if run.is_busybox() { error.strerror() } else { "" };
            run.complain(format!("{what}{why}")).await;
            return Ok(1);
        }
        return Ok(0);
    }
    let name = run.proc.hostname();
    if run.args.has('I') {
        let net = run.proc.net();
        let addresses: Vec<String> = run.proc.kernel().network(|network| {
            let namespace = network.get(net);
            namespace.map(|ns| ns.interfaces.iter().map(|i| i.address.to_string()).collect()).unwrap_or_default()
        });
        run.put(addresses.iter().map(|address| format!("{address} ")).collect::<String>() + "\n").await?;
        return Ok(0);
    }
    if run.args.has('i') {
        // The addresses of the name, not of the devices.
        let Ok(addresses) = run.proc.resolve(&name).await else {
            let why = if run.is_busybox() { "unknown host" } else { "Name or service not known" };
            let text = if run.is_busybox() { format!("{name}: {why}") } else { why.to_owned() };
            run.complain(text).await;
            return Ok(1);
        };
        let words: Vec<String> = addresses.iter().map(ToString::to_string).collect();
        run.put(words.join(" ") + "\n").await?;
        return Ok(0);
    }
    let full = if run.args.has('f') || run.args.has('d') { full_name(run, &name).await } else { name.clone() };
    let shown = match (full.split_once('.'), name.split_once('.')) {
        (_, Some((short, _))) if run.args.has('s') => short.to_owned(),
        (Some((_, domain)), _) if run.args.has('d') => domain.to_owned(),
        (None, _) if run.args.has('d') => String::new(),
        _ => full,
    };
    run.put(format!("{shown}\n")).await?;
    Ok(0)
}

/// The name with its domain: the first of the names that `/etc/hosts` has beside it.
async fn full_name(run: &Run, name: &str) -> String {
    let hosts = run.proc.read_file(b"/etc/hosts").await.map(|rope| text(&rope.head(1 << 16))).unwrap_or_default();
    let lines = hosts.lines().map(|line| line.split('#').next().unwrap_or_default());
    let mut names = lines.map(|line| line.split_whitespace().skip(1).collect::<Vec<_>>());
    let found =
        names.find(|names| names.contains(&name)).and_then(|names| names.first().map(|name| (*name).to_owned()));
    found.unwrap_or_else(|| name.to_owned())
}
