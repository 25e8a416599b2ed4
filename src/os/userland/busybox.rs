//! `busybox`: one file that is many programs, chosen by the name it is called by.

use bstr::{BString, ByteSlice};

use crate::base::path;
use crate::os::args::getopt::BUSYBOX;
use crate::os::kernel::Proc;

/// Programs of the table that are no applets of busybox.
const FOREIGN: [&str; 37] = [
    "apache2",
    "apk",
    "apt",
    "apt-get",
    "bash",
    "busybox",
    "column",
    "curl",
    "dig",
    "dpkg",
    "edit",
    "file",
    "getcap",
    "getfattr",
    "getconf",
    "host",
    "jq",
    "lscpu",
    "message",
    "nano",
    "nginx",
    "redis-cli",
    "redis-server",
    "runtime",
    "service",
    "setcap",
    "setfattr",
    "sha224sum",
    "sha384sum",
    "ss",
    "stress",
    "sudo",
    "tini",
    "vim",
    "xdg-open",
    "xz",
    "which.debianutils",
];

/// The administrator's programs that busybox has too.
const ACCOUNTS: [&str; 4] = ["addgroup", "adduser", "delgroup", "deluser"];

fn applets(proc: &Proc) -> Vec<&'static str> {
    let mut names = proc.kernel().program_names();
    let of_administrators = |name: &str| super::admin::names().any(|own| own == name) && !ACCOUNTS.contains(&name);
    // The shell is another module's, and so are programs that are no part of a system.
    let own = |name: &str| matches!(name, "ash" | "sh") || super::names().any(|known| known == name);
    names.retain(|name| own(name) && !FOREIGN.contains(name) && !of_administrators(name));
    names
}

/// `busybox`.
pub async fn main(proc: Proc) -> i32 {
    let args = proc.args();
    let called = args.first().map(|name| path::file_name(name).to_owned()).unwrap_or_default();
    // A login shell is called `-sh`.
    let called: BString = called.strip_prefix(b"-").unwrap_or(&called).into();
    if called != "busybox" {
        return apply(proc, called).await;
    }
    let rest: Vec<BString> = args.into_iter().skip(1).collect();
    match rest.first().map(|word| word.to_str_lossy().into_owned()).as_deref() {
        None | Some("--help") => {
            let list: Vec<&str> = applets(&proc);
            let help = format!(
                "{BUSYBOX}\nBusyBox is copyrighted by many authors between 1998-2015.\nLicensed under GPLv2. See source distribution for detailed\ncopyright notices.\n\nUsage: busybox [function [arguments]...]\n   or: busybox --list[-full]\n   or: busybox --install [-s] [DIR]\n   or: function [arguments]...\n\n\tBusyBox is a multi-call binary that combines many common Unix\n\tutilities into a single executable.  Most people will create a\n\tlink to busybox for each function they wish to use and BusyBox\n\twill act like whatever it was invoked as.\n\nCurrently defined functions:\n{}\n",
                columns(&list)
            );
            i32::from(proc.print(help).await.is_err())
        }
        Some("--list") => {
            let list: String = applets(&proc).iter().map(|name| format!("{name}\n")).collect();
            i32::from(proc.print(list).await.is_err())
        }
        Some("--install") => install(&proc, &rest).await,
        Some(_) => {
            let name = rest.first().cloned().unwrap_or_default();
            proc.set_args(rest);
            apply(proc, name).await
        }
    }
}

fn columns(names: &[&str]) -> String {
    let (mut out, mut width) = (String::from("\t"), 0);
    for (index, name) in names.iter().enumerate() {
        let comma = if index + 1 < names.len() { ", " } else { "" };
        if width + name.len() + 2 > 70 {
            out.push_str("\n\t");
            width = 0;
        }
        out.push_str(name);
        out.push_str(comma);
        width += name.len() + 2;
    }
    out
}

async fn install(proc: &Proc, rest: &[BString]) -> i32 {
    let symbolic = rest.iter().any(|word| word == "-s");
    let dir: BString =
        rest.iter().skip(1).find(|word| !word.starts_with(b"-")).cloned().unwrap_or_else(|| "/bin".into());
    let own = proc.realpath(b"/proc/self/exe").unwrap_or_else(|_| "/bin/busybox".into());
    let mut status = 0;
    for name in applets(proc) {
        let at = path::join(&dir, name.as_bytes());
        let made = if symbolic { proc.symlink(&own, &at) } else { proc.link(&own, &at) };
        if let Err(error) = made
            && error != crate::base::errno::Errno::EEXIST
        {
            proc.eprint(format!("busybox: {at}: {}\n", error.strerror())).await;
            status = 1;
        }
    }
    status
}

async fn apply(proc: Proc, name: BString) -> i32 {
    let found = proc.kernel().program(name.as_bstr()).filter(|_| !FOREIGN.iter().any(|foreign| name == *foreign));
    match found {
        Some(main) => main(proc).await,
        None => {
            proc.eprint(format!("{name}: applet not found\n")).await;
            127
        }
    }
}
