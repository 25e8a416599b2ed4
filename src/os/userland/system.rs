//! `mountpoint`, `getconf`, `lscpu`, `who`, `last`, `dmesg`, `logger`, `pstree`, `lsof`, `fuser`, `hostid`: what the system
//! says of itself.

use std::net::Ipv4Addr;

use super::names::Names;
use super::program::{Done, Run, number, run, spec, text};
use crate::base::sort::Arrange;
use crate::os::args::{flag, optional, value};
use crate::os::kernel::Proc;
use crate::os::kernel::process::ProcessInfo;

spec!(
    MOUNTPOINT,
    "mountpoint",
    "[-qd] </path/to/directory>",
    [flag('q', "quiet"), flag('d', "fs-devno"), flag('n', "")]
);
spec!(GETCONF, "getconf", "[-v specification] variable_name [pathname]", [flag('a', ""), value('v', "")], usage_status: 2);
spec!(LSCPU, "lscpu", "[options]", [flag('e', "extended"), flag('p', "parse"), flag('J', "json")]);
spec!(
    WHO,
    "who",
    "[OPTION]... [ FILE | ARG1 ARG2 ]",
    [flag('a', "all"), flag('b', "boot"), flag('H', "heading"), flag('q', "count"), flag('u', "users"), flag('m', "")]
);
spec!(LAST, "last", "[options] [<username>...]", [value('n', "limit"), value('f', "file"), flag('x', "system")], digits: Some('n'));
spec!(
    DMESG,
    "dmesg",
    "[options]",
    [
        flag('c', "read-clear"),
        flag('T', "ctime"),
        flag('H', "human"),
        flag('w', "follow"),
        value('n', "console-level"),
        value('s', "buffer-size")
    ]
);
spec!(
    LOGGER,
    "logger",
    "[options] [<message>]",
    [flag('s', "stderr"), value('t', "tag"), value('p', "priority"), flag('i', "")]
);
spec!(
    PSTREE,
    "pstree",
    "[-p] [PID|USER]",
    [
        flag('p', "show-pids"),
        flag('a', "arguments"),
        flag('A', "ascii"),
        flag('U', "unicode"),
        flag('n', "numeric-sort"),
        flag('c', "compact-not")
    ]
);
spec!(
    LSOF,
    "lsof",
    "[-i [:PORT]] [-nP] [names]",
    [optional('i', ""), flag('n', ""), flag('P', ""), flag('t', ""), value('p', ""), value('s', "")]
);
spec!(
    FUSER,
    "fuser",
    "[-m] [-k] [-s] [-4] FILE or PORT/PROTO",
    [flag('m', ""), flag('k', ""), flag('s', ""), flag('4', ""), flag('v', ""), value('n', "")]
);
spec!(HOSTID, "hostid", "", []);

/// `mountpoint`.
pub async fn mountpoint(proc: Proc) -> i32 {
    run(proc, &MOUNTPOINT, |run| Box::pin(mountpoint_body(run))).await
}

/// `getconf`.
pub async fn getconf(proc: Proc) -> i32 {
    run(proc, &GETCONF, |run| Box::pin(getconf_body(run))).await
}

/// `lscpu`.
pub async fn lscpu(proc: Proc) -> i32 {
    run(proc, &LSCPU, |run| Box::pin(lscpu_body(run))).await
}

/// `who`: nobody writes `utmp` here, so there is nobody to tell of.
pub async fn who(proc: Proc) -> i32 {
    run(proc, &WHO, |run| Box::pin(who_body(run))).await
}

/// `last`.
pub async fn last(proc: Proc) -> i32 {
    run(proc, &LAST, |run| Box::pin(last_body(run))).await
}

/// `dmesg`: the kernel has no log to be read.
pub async fn dmesg(proc: Proc) -> i32 {
    run(proc, &DMESG, |run| Box::pin(dmesg_body(run))).await
}

/// `logger`.
pub async fn logger(proc: Proc) -> i32 {
    run(proc, &LOGGER, |run| Box::pin(logger_body(run))).await
}

/// `pstree`.
pub async fn pstree(proc: Proc) -> i32 {
    run(proc, &PSTREE, |run| Box::pin(pstree_body(run))).await
}

/// `lsof`: ports only.
pub async fn lsof(proc: Proc) -> i32 {
    run(proc, &LSOF, |run| Box::pin(lsof_body(run))).await
}

/// `fuser`: ports only.
pub async fn fuser(proc: Proc) -> i32 {
    run(proc, &FUSER, |run| Box::pin(fuser_body(run))).await
}

/// `hostid`: the address of the host's name, its halves turned round, as glibc makes it up.
pub async fn hostid(proc: Proc) -> i32 {
    run(proc, &HOSTID, |run| Box::pin(hostid_body(run))).await
}

async fn mountpoint_body(run: &mut Run) -> Done {
    let Some(path) = run.args.operands.first().cloned() else {
        return Ok(run.missing("bad usage").await);
    };
    let quiet = run.args.has('q');
    let real = match run.proc.realpath(&path) {
        Ok(real) => real,
        Err(error) => {
            if !quiet {
                run.complain(format!("{path}: {}", error.strerror())).await;
            }
            return Ok(1);
        }
    };
    let is_one = run.proc.mounts(|mounts| Ok(mounts.shown().any(|mount| mount.at == real))).unwrap_or(false);
    if !quiet {
        run.put(format!("{path} is {}a mountpoint\n", if is_one { "" } else { "not " })).await?;
    }
    // util-linux answers 32 since 2.37.
    Ok(if is_one {
        0
    } else if run.is_busybox() {
        1
    } else {
        32
    })
}

async fn getconf_body(run: &mut Run) -> Done {
    let cpus = run.proc.limits().cpus.map_or(2, u64::count_ones).to_string();
    let table = [
        ("ARG_MAX", "2097152"),
        ("CHAR_BIT", "8"),
        ("CLK_TCK", "100"),
        ("HOST_NAME_MAX", "64"),
        ("INT_MAX", "2147483647"),
        ("LONG_BIT", "64"),
        ("NAME_MAX", "255"),
        ("OPEN_MAX", "1024"),
        ("PAGESIZE", "4096"),
        ("PAGE_SIZE", "4096"),
        ("PATH", "/bin:/usr/bin"),
        ("PATH_MAX", "4096"),
        ("_NPROCESSORS_CONF", "2"),
        ("_NPROCESSORS_ONLN", cpus.as_str()),
    ];
    if run.args.has('a') {
        let lines: String = table.iter().map(|(name, value)| format!("{name:<34} {value}\n")).collect();
        run.put(lines).await?;
        return Ok(0);
    }
    let Some(name) = run.args.operands.first().map(|name| text(name)) else {
        run.proc
            .eprint("Usage: getconf [-v specification] variable_name [pathname]\n       getconf -a [pathname]\n")
            .await;
        return Ok(2);
    };
    match table.iter().find(|(known, _)| *known == name) {
        Some((_, value)) => run.put(format!("{value}\n")).await?,
        None => {
            run.complain(format!("Unrecognized variable `{name}'")).await;
            return Ok(2);
        }
    }
    Ok(0)
}

async fn lscpu_body(run: &mut Run) -> Done {
    if ['e', 'p', 'J'].iter().any(|letter| run.args.has(*letter)) {
        run.complain("this form of the list is not simulated in Capas").await;
        return Ok(1);
    }
    let info = run.proc.read_file(b"/proc/cpuinfo").await.map(|rope| text(&rope.head(1 << 16))).unwrap_or_default();
    let field = |name: &str| {
        let mut values = info.lines().filter_map(|line| line.split_once(':')).filter(|(key, _)| key.trim() == name);
        values.next().map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
    };
    let count = info.lines().filter(|line| line.starts_with("processor")).count();
    let list: Vec<String> = (0..count).map(|n| n.to_string()).collect();
    let rows = [
        ("Architecture:", "x86_64".to_owned()),
        ("CPU op-mode(s):", "32-bit, 64-bit".to_owned()),
        ("Byte Order:", "Little Endian".to_owned()),
        ("CPU(s):", count.to_string()),
        ("On-line CPU(s) list:", list.join(",")),
        ("Vendor ID:", field("vendor_id")),
        ("Model name:", field("model name")),
    ];
    run.put(rows.iter().map(|(name, value)| format!("{name:<33}{value}\n")).collect::<String>()).await?;
    Ok(0)
}

async fn who_body(run: &mut Run) -> Done {
    if run.args.has('b') {
        let boot = super::date::strftime("%Y-%m-%d %H:%M", run.proc.kernel().boot_time());
        run.put(format!("         system boot  {boot}\n")).await?;
    } else if run.args.has('q') {
        run.put("# users=0\n").await?;
    } else if run.args.has('H') {
        // Nobody has logged in.
        run.put("NAME     LINE         TIME             COMMENT\n").await?;
    }
    Ok(0)
}

async fn last_body(run: &mut Run) -> Done {
    let path = run.args.value('f').map_or_else(|| "/var/log/wtmp".into(), ToOwned::to_owned);
    match run.proc.stat(&path) {
        Ok(stat) => {
            let begins = super::date::strftime("%a %b %e %H:%M:%S %Y", stat.meta.mtime);
            run.put(format!("\nwtmp begins {begins}\n")).await?;
            Ok(0)
        }
        Err(error) => {
            run.complain(format!("cannot open {path}: {}", error.strerror())).await;
            Ok(1)
        }
    }
}

async fn dmesg_body(run: &mut Run) -> Done {
    // `kernel.dmesg_restrict`: it takes CAP_SYSLOG.
    const CAP_SYSLOG: u32 = 34;
    let text = match (run.proc.cred().is_capable(CAP_SYSLOG), run.is_busybox()) {
        (true, _) => "the kernel's log is not simulated in Capas",
        (false, true) => "klogctl: Operation not permitted",
        (false, false) => "read kernel buffer failed: Operation not permitted",
    };
    run.complain(text).await;
    Ok(1)
}

async fn logger_body(run: &mut Run) -> Done {
    let words: Vec<String> = run.args.operands.iter().map(|word| text(word)).collect();
    let mut lines = vec![words.join(" ")];
    if words.is_empty() {
        let rope = run.slurp(b"-").await.unwrap_or_default();
        lines = text(&rope.to_vec()).lines().map(str::to_owned).collect();
    }
    let tag = match run.args.value('t') {
        Some(tag) => text(tag),
        None => run.proc.getenv("USER").map_or_else(|| "root".to_owned(), |user| text(&user)),
    };
    let time = super::date::strftime("%b %e %H:%M:%S", run.proc.now());
    for line in &lines {
        if run.args.has('s') {
            run.proc.eprint(format!("<13>{time} {tag}: {line}\n")).await;
        }
    }
    // Nobody reads `/dev/log` where no daemon made it.
    if run.proc.stat(b"/dev/log").is_err() {
        if !run.is_busybox() {
            run.complain("socket /dev/log: No such file or directory").await;
            return Ok(1);
        }
        return Ok(0);
    }
    run.complain("sending to /dev/log is not simulated in Capas").await;
    Ok(1)
}

async fn pstree_body(run: &mut Run) -> Done {
    let mut all = run.proc.processes();
    all.arrange_by_key(|process| process.pid);
    let names = Names::load(&run.proc).await;
    let wanted = run.args.operands.first().map(|word| text(word));
    let roots: Vec<u32> = match &wanted {
        None => all.iter().filter(|p| all.iter().all(|other| other.pid != p.ppid)).map(|p| p.pid).collect(),
        Some(word) => match word.parse::<u32>() {
            Ok(pid) => all.iter().filter(|p| p.pid == pid).map(|p| p.pid).collect(),
            Err(_) => {
                let uid = names.users.get(word.as_bytes()).map(|user| user.uid);
                let own = |p: &&ProcessInfo| Some(p.uid) == uid;
                let is_top = |p: &&ProcessInfo| !all.iter().filter(own).any(|other| other.pid == p.ppid);
                all.iter().filter(own).filter(is_top).map(|p| p.pid).collect()
            }
        },
    };
    if roots.is_empty() {
        if let Some(word) = wanted.filter(|word| word.parse::<u32>().is_err()) {
            run.proc.eprint(format!("No such user name: {word}\n")).await;
        }
        return Ok(1);
    }
    let utf8 = ["LC_ALL", "LANG"].iter().any(|name| run.proc.getenv(name).is_some_and(|v| text(&v).contains("UTF-8")));
    let unicode = (utf8 || run.args.has('U')) && !run.args.has('A') && !run.is_busybox();
    let tree = Tree { all: &all, pids: run.args.has('p'), compact: !run.args.has('p') && !run.args.has('c'), unicode };
    let mut out = String::new();
    for root in roots {
        tree.draw(root, 1, "", 0, &mut out);
    }
    run.put(out).await?;
    Ok(0)
}

struct Tree<'a> {
    all: &'a [ProcessInfo],
    pids: bool,
    compact: bool,
    unicode: bool,
}

impl Tree<'_> {
    fn children(&self, pid: u32) -> Vec<&ProcessInfo> {
        let mut children: Vec<&ProcessInfo> = self.all.iter().filter(|p| p.ppid == pid && p.pid != pid).collect();
        if !self.pids {
            children.arrange_by_key(|process| process.comm.clone());
        }
        children
    }

    /// Writes a process and, behind it, those below. `margin` is what stands in front of further lines.
    fn draw(&self, pid: u32, count: usize, margin: &str, depth: usize, out: &mut String) {
        let Some(process) = self.all.iter().find(|process| process.pid == pid) else { return };
        let mut label = text(&process.comm);
        if self.pids {
            label.push_str(&format!("({pid})"));
        }
        if count > 1 {
            label = format!("{count}*[{label}]");
        }
        out.push_str(&label);
        let children = self.children(pid);
        // Leaves of one name are one entry.
        let mut entries: Vec<(u32, usize)> = Vec::new();
        let mut last: Option<&ProcessInfo> = None;
        for child in children {
            let leaf = self.children(child.pid).is_empty();
            match (entries.last_mut(), last) {
                (Some(entry), Some(before)) if self.compact && leaf && before.comm == child.comm => entry.1 += 1,
                _ => entries.push((child.pid, 1)),
            }
            last = leaf.then_some(child);
        }
        if entries.is_empty() || depth > 100 {
            out.push('\n');
            return;
        }
        let [single, first, next, end, bar] = if self.unicode {
            ["───", "─┬─", " ├─", " └─", " │ "]
        } else {
            ["---", "-+-", " |-", " `-", " | "]
        };
        let blank = format!("{margin}{}", " ".repeat(label.chars().count()));
        let many = entries.len();
        for (place, (child, count)) in entries.into_iter().enumerate() {
            let is_last = place + 1 == many;
            if place > 0 {
                out.push_str(&blank);
            }
            out.push_str(match (place, many, is_last) {
                (0, 1, _) => single,
                (0, ..) => first,
                (_, _, true) => end,
                _ => next,
            });
            let below = format!("{blank}{}", if is_last { "   " } else { bar });
            self.draw(child, count, &below, depth + 1, out);
        }
    }
}

/// Who listens on a port: pid, name, user, address.
fn listeners(run: &Run, port: Option<u16>) -> Vec<(ProcessInfo, Ipv4Addr, u16)> {
    let net = run.proc.net();
    let uid = run.proc.cred().uid;
    let mut processes = run.proc.processes();
    processes.retain(|process| uid == 0 || process.uid == uid);
    processes.arrange_by_key(|process| process.pid);
    let mut found = Vec::new();
    let listening = run.proc.kernel().network(|network| network.listeners(net));
    for process in processes {
        for each in listening.iter().filter(|each| port.is_none_or(|port| port == each.port)) {
            if each.owners.contains(&process.gpid) {
                found.push((process.clone(), each.address, each.port));
            }
        }
    }
    found
}

async fn lsof_body(run: &mut Run) -> Done {
    if !run.args.has('i') {
        run.complain("listing open files is not simulated in Capas: only -i is").await;
        return Ok(1);
    }
    // `-i :80` as well as `-i:80`, `-iTCP:80`.
    let given =
        run.args.value('i').or_else(|| run.args.operands.first().map(|word| word.as_ref())).map(|word| text(word));
    let port = given.as_deref().and_then(|word| word.rsplit(':').next()).and_then(|word| word.parse().ok());
    let names = Names::load(&run.proc).await;
    let found = listeners(run, port);
    if found.is_empty() {
        return Ok(1);
    }
    let mut out = String::new();
    if !run.args.has('t') {
        out.push_str("COMMAND PID USER   FD   TYPE DEVICE SIZE/OFF NODE NAME\n");
    }
    for (process, address, port) in found {
        if run.args.has('t') {
            out.push_str(&format!("{}\n", process.pid));
            continue;
        }
        let place = match (super::netstat::service(port).filter(|_| !run.args.has('P')), address.is_unspecified()) {
            (Some(name), true) => format!("*:{name}"),
            (Some(name), false) => format!("{address}:{name}"),
            (None, true) => format!("*:{port}"),
            (None, false) => format!("{address}:{port}"),
        };
        let (name, user) = (text(&process.comm), names.user(process.uid));
        out.push_str(&format!(
            "{name:<7} {:>3} {user:<6} -    IPv4      -      0t0  TCP {place} (LISTEN)\n",
            process.pid
        ));
    }
    run.put(out).await?;
    Ok(0)
}

async fn fuser_body(run: &mut Run) -> Done {
    let words = run.args.operands.clone();
    if words.is_empty() {
        run.proc.eprint("No process specification given\n").await;
        return Ok(1);
    }
    let mut status = 1;
    for word in words {
        let word = text(&word);
        let Some(port) = word.strip_suffix("/tcp").and_then(|port| number::<u16>(port.as_bytes())) else {
            run.complain("finding who has a file open is not simulated in Capas: only PORT/tcp is").await;
            return Ok(1);
        };
        let found = listeners(run, Some(port));
        let pids: String = found.iter().map(|(process, ..)| format!("{:>6}", process.pid)).collect();
        if found.is_empty() {
            continue;
        }
        status = 0;
        if !run.args.has('s') {
            run.proc.eprint(format!("{:<21}", format!("{word}:"))).await;
            run.put(pids).await?;
            run.flush().await?;
            run.proc.eprint("\n").await;
        }
        if run.args.has('k') {
            for (process, ..) in found {
                let _ = run.proc.kill(i64::from(process.pid), Some(crate::os::kernel::Signal::KILL));
            }
        }
    }
    Ok(status)
}

async fn hostid_body(run: &mut Run) -> Done {
    let name = run.proc.hostname();
    let address = run.proc.resolve(&name).await.ok().and_then(|all| all.first().copied());
    let number = address.map_or(0, |address| u32::from(address).swap_bytes().rotate_left(16));
    run.put(format!("{number:08x}\n")).await?;
    Ok(0)
}

/// `add-shell`: the shells that one may log in with.
pub async fn add_shell(proc: Proc) -> i32 {
    shells(proc, true).await
}

/// `remove-shell`.
pub async fn remove_shell(proc: Proc) -> i32 {
    shells(proc, false).await
}

async fn shells(proc: Proc, add: bool) -> i32 {
    let words: Vec<String> = proc.args().iter().skip(1).map(|word| text(word)).collect();
    let file = proc.read_file(b"/etc/shells").await.map(|rope| text(&rope.head(1 << 16))).unwrap_or_default();
    let mut lines: Vec<&str> = file.lines().filter(|line| !words.iter().any(|word| word == line)).collect();
    if add {
        lines.extend(words.iter().map(String::as_str));
    }
    let whole: String = lines.iter().map(|line| format!("{line}\n")).collect();
    match proc.write_file(b"/etc/shells", &whole.as_str().into()).await {
        Ok(()) => 0,
        Err(error) => {
            proc.eprint(format!(
                "{}: /etc/shells: {}\n",
                if add { "add-shell" } else { "remove-shell" },
                error.strerror()
            ))
            .await;
            1
        }
    }
}
