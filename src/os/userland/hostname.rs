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
    if run.args.has('i') || run.args.has('I') {
        let net = run.proc.net();
        let addresses: Vec<String> = run.proc.kernel().network(|network| {
            let namespace = network.get(net);
            namespace.map(|ns| ns.interfaces.iter().map(|i| i.address.to_string()).collect()).unwrap_or_default()
        });
        let end = if run.args.has('I') { " \n" } else { "\n" };
        run.put(format!("{}{end}", addresses.join(" "))).await?;
        return Ok(0);
    }
    let shown = match name.split_once('.') {
        Some((short, _)) if run.args.has('s') => short.to_owned(),
        Some((_, domain)) if run.args.has('d') => domain.to_owned(),
        None if run.args.has('d') => String::new(),
        _ => name,
    };
    run.put(format!("{shown}\n")).await?;
    Ok(0)
}
