//! `ps`, `kill`, `mount` (listing): what runs and what is mounted.

use crate::base::sort::Arrange;
use bstr::{BString, ByteSlice};

use super::names::Names;
use super::program::{Done, Run, number, run_as, spec, text};
use crate::base::errno::Errno;
use crate::base::time::Timestamp;
use crate::os::args::{flag, value};
use crate::os::kernel::mount::tmpfs_bytes;
use crate::os::kernel::proc_fs::MEMORY_BYTES;
use crate::os::kernel::process::ProcessInfo;
use crate::os::kernel::{Proc, Signal};

spec!(
    PS,
    "ps",
    "[options]",
    [
        flag('a', ""),
        flag('A', ""),
        flag('e', ""),
        flag('f', ""),
        flag('l', ""),
        flag('u', ""),
        flag('x', ""),
        flag('w', ""),
        flag('H', ""),
        flag('T', ""),
        value('o', "format"),
        value('p', "pid"),
        value('C', ""),
        flag('\0', "no-headers"),
        value('\0', "sort")
    ]
);
spec!(KILL, "kill", "[options] <pid> [...]", [flag('l', "list"), value('s', "signal"), value('n', "")]);
spec!(
    MOUNT,
    "mount",
    "[options]",
    [flag('a', ""), flag('l', ""), value('t', "types"), value('o', "options"), flag('v', ""), flag('\0', "bind")]
);

spec!(UMOUNT, "umount", "[options] <source> | <directory>", [flag('l', "lazy"), flag('f', "force")]);

/// `ps`: BSD letters need no dash.
pub async fn main(proc: Proc) -> i32 {
    let mut argv = proc.args();
    for word in argv.iter_mut().skip(1) {
        if !word.starts_with(b"-") && word.iter().all(|b| b"auxfwelT".contains(b)) {
            word.insert(0, b'+');
        }
    }
    // A plus stands for a word of BSD letters, which mean other things than a dash's.
    let bsd: Vec<u8> = argv.iter().filter_map(|w| w.strip_prefix(b"+")).flatten().copied().collect();
    argv.retain(|w| !w.starts_with(b"+"));
    run_as(proc, &PS, &argv, |run| Box::pin(body(run, bsd))).await
}

/// `kill`: `-9` and `-TERM` are signals.
pub async fn kill(proc: Proc) -> i32 {
    let mut argv = proc.args();
    if let Some(word) = argv.get_mut(1)
        && let Some(name) = word.strip_prefix(b"-")
        && Signal::parse(&text(name)).is_some()
    {
        *word = [b"-s", name].concat().into();
    }
    run_as(proc, &KILL, &argv, |run| Box::pin(kill_body(run))).await
}

/// `mount`.
pub async fn mount(proc: Proc) -> i32 {
    super::program::run(proc, &MOUNT, |run| Box::pin(mount_body(run))).await
}

fn tty(process: &ProcessInfo) -> String {
    process.pts.map_or_else(|| "?".to_owned(), |number| format!("pts/{number}"))
}

/// The command line, or the name in brackets.
pub(super) fn command(process: &ProcessInfo) -> String {
    let name = text(&process.comm);
    match (process.state, process.args.is_empty()) {
        ('Z', _) => format!("[{name}] <defunct>"),
        (_, true) => format!("[{name}]"),
        _ => process.args.iter().map(|a| text(a)).collect::<Vec<_>>().join(" "),
    }
}

/// Processor time in hours, minutes and seconds.
pub(super) fn cpu(process: &ProcessInfo) -> (u64, u64, u64) {
    let seconds = process.cpu_micros / 1_000_000;
    (seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// When a process started: a time today, else a day.
fn started(process: &ProcessInfo, now: Timestamp) -> String {
    let same_day = process.started.seconds().div_euclid(86_400) == now.seconds().div_euclid(86_400);
    super::date::strftime(if same_day { "%H:%M" } else { "%b%d" }, process.started)
}

/// The state with `s` for a leader of a session and `+` for the foreground.
fn state(process: &ProcessInfo) -> String {
    let leader = if process.session == process.pid { "s" } else { "" };
    let front = if process.tty.is_some() && process.session != process.pid { "+" } else { "" };
    format!("{}{leader}{front}", process.state)
}

async fn body(run: &mut Run, bsd: Vec<u8>) -> Done {
    let names = Names::load(&run.proc).await;
    let now = run.proc.now();
    let own = run.proc.gpid();
    let mut processes = run.proc.processes();
    processes.arrange_by_key(|p| p.pid);
    let mine = processes.iter().find(|p| p.gpid == own).map(|p| (p.tty, p.uid));
    if run.is_busybox()
        && let Some(format) = run.args.value('o').map(|f| text(f))
    {
        return busybox_columns(run, &format, &processes, &names).await;
    }
    if run.is_busybox() {
        run.put("PID   USER     TIME  COMMAND\n").await?;
        for p in &processes {
            let (hours, minutes, seconds) = cpu(p);
            let user: String = text(&names.user(p.uid)).chars().take(8).collect();
            run.put(format!("{:5} {user:<8} {:2}:{seconds:02} {}\n", p.pid, hours * 60 + minutes, command(p))).await?;
        }
        return Ok(0);
    }
    let has = |letter: char| run.args.has(letter);
    let all = has('e') || has('A') || (bsd.contains(&b'a') && bsd.contains(&b'x'));
    let pids: Option<Vec<u32>> =
        run.args.value('p').map(|list| list.split(|b| *b == b',' || *b == b' ').filter_map(number).collect());
    let comm = run.args.value('C').map(ToOwned::to_owned);
    processes.retain(|p| match (&pids, &comm) {
        (Some(pids), _) => pids.contains(&p.pid),
        (None, Some(comm)) => p.comm == *comm,
        _ if all => true,
        _ if bsd.contains(&b'x') => mine.is_some_and(|(_, uid)| uid == p.uid),
        _ if bsd.contains(&b'a') || has('a') => p.tty.is_some(),
        _ => mine.is_some_and(|(tty, uid)| tty == p.tty && uid == p.uid),
    });
    if (pids.is_some() || comm.is_some()) && processes.is_empty() {
        run.status = 1;
    }
    let headed = !run.args.has("no-headers");
    let user = |p: &ProcessInfo| {
        let name = text(&names.user(p.uid));
        if name.chars().count() > 8 { name.chars().take(7).collect::<String>() + "+" } else { name }
    };
    let mut out = String::new();
    if let Some(format) = run.args.value('o').map(|f| text(f)) {
        let columns: Vec<String> = format.split([',', ' ']).map(str::to_owned).collect();
        return custom(run, &columns, &processes, &names, headed).await;
    }
    if bsd.contains(&b'u') || has('u') {
        if headed {
            out.push_str("USER         PID %CPU %MEM    VSZ   RSS TTY      STAT START   TIME COMMAND\n");
        }
        for p in &processes {
            let (hours, minutes, seconds) = cpu(p);
            let rss = resident_kib(p);
            let percent = rss as f64 * 1024.0 * 100.0 / MEMORY_BYTES as f64;
            out.push_str(&format!(
                "{:<8} {:>7}  0.0 {percent:>4.1} {:>6} {rss:>5} {:<8} {:<4} {:>5} {:>3}:{seconds:02} {}\n",
                user(p),
                p.pid,
                rss * 2,
                tty(p),
                state(p),
                started(p, now),
                hours * 60 + minutes,
                command(p)
            ));
        }
    } else if has('f') {
        if headed {
            out.push_str("UID          PID    PPID  C STIME TTY          TIME CMD\n");
        }
        for p in &processes {
            let (hours, minutes, seconds) = cpu(p);
            out.push_str(&format!(
                "{:<8} {:>7} {:>7}  0 {} {:<8} {hours:02}:{minutes:02}:{seconds:02} {}\n",
                user(p),
                p.pid,
                p.ppid,
                started(p, now),
                tty(p),
                command(p)
            ));
        }
    } else if !bsd.is_empty() {
        if headed {
            out.push_str("    PID TTY      STAT   TIME COMMAND\n");
        }
        for p in &processes {
            let (hours, minutes, seconds) = cpu(p);
            out.push_str(&format!(
                "{:>7} {:<8} {:<4} {:>3}:{seconds:02} {}\n",
                p.pid,
                tty(p),
                state(p),
                hours * 60 + minutes,
                command(p)
            ));
        }
    } else {
        if headed {
            out.push_str("    PID TTY          TIME CMD\n");
        }
        for p in &processes {
            let (hours, minutes, seconds) = cpu(p);
            out.push_str(&format!("{:>7} {:<8} {hours:02}:{minutes:02}:{seconds:02} {}\n", p.pid, tty(p), p.comm));
        }
    }
    run.put(out).await?;
    Ok(0)
}

/// Resident memory: nothing is really resident, so a program counts as what its arguments and environment hold and two
/// pages of code.
pub(super) fn resident_kib(process: &ProcessInfo) -> u64 {
    let held: usize = process.args.iter().chain(&process.env).map(|w| w.len()).sum();
    8 + (held as u64).div_ceil(1024)
}

/// Columns of busybox (`procps/ps.c`, `out_spec`): name, title, width; numbers stand at the right.
const BUSYBOX: [(&str, &str, usize); 11] = [
    ("user", "USER", 8),
    ("comm", "COMMAND", 16),
    ("args", "COMMAND", 256),
    ("pid", "PID", 5),
    ("ppid", "PPID", 5),
    ("pgid", "PGID", 5),
    ("time", "TIME", 5),
    ("tty", "TT", 6),
    ("sid", "SID", 5),
    ("stat", "STAT", 4),
    ("rss", "RSS", 4),
];

async fn busybox_columns(run: &mut Run, format: &str, processes: &[ProcessInfo], names: &Names) -> Done {
    let mut columns = Vec::new();
    for word in format.split([',', ' ']).filter(|word| !word.is_empty()) {
        let (name, title) = word.split_once('=').map_or((word, None), |(name, title)| (name, Some(title)));
        let Some((name, default, width)) = BUSYBOX.iter().find(|(known, ..)| *known == name) else {
            let known: Vec<&str> = BUSYBOX.iter().map(|(known, ..)| *known).collect();
            run.complain(format!("bad -o argument '{name}', supported arguments: {}", known.join(","))).await;
            return Ok(1);
        };
        columns.push((*name, title.unwrap_or(default).to_owned(), *width));
    }
    let mut out = String::new();
    if columns.iter().any(|(_, title, _)| !title.is_empty()) {
        let cells: Vec<String> = columns.iter().map(|(_, title, width)| format!("{title:<width$}")).collect();
        out.push_str(&format!("{}\n", cells.join(" ").trim_end()));
    }
    for p in processes {
        let (hours, minutes, seconds) = cpu(p);
        let cell = |(name, _, width): &(&str, String, usize)| {
            let number = |n: u64| format!("{n:>width$}");
            let text = |text: String| format!("{:<width$}", text.chars().take(*width).collect::<String>());
            match *name {
                "user" => text(names.user(p.uid).to_string()),
                "comm" => text(p.comm.to_string()),
                "args" => text(command(p)),
                "pid" => number(p.pid.into()),
                "ppid" => number(p.ppid.into()),
                "pgid" => number(p.group.into()),
                "sid" => number(p.session.into()),
                "time" => format!("{:2}:{seconds:02}", hours * 60 + minutes),
                "tty" => text(tty(p)),
                "stat" => text(p.state.to_string()),
                _ => number(resident_kib(p)),
            }
        };
        let cells: Vec<String> = columns.iter().map(cell).collect();
        out.push_str(&format!("{}\n", cells.join(" ").trim_end()));
    }
    run.put(out).await?;
    Ok(0)
}

async fn custom(run: &mut Run, columns: &[String], processes: &[ProcessInfo], names: &Names, headed: bool) -> Done {
    let mut table: Vec<Vec<String>> = Vec::new();
    let keys: Vec<&str> = columns.iter().map(|c| c.split('=').next().unwrap_or_default()).collect();
    let head = |key: &str| match key {
        "user" | "euser" => "USER",
        "cmd" => "CMD",
        "args" | "command" => "COMMAND",
        "comm" | "ucmd" => "COMMAND",
        "stat" => "STAT",
        "state" | "s" => "S",
        "tty" | "tname" => "TTY",
        "time" => "TIME",
        "pid" => "PID",
        "ppid" => "PPID",
        "pgid" => "PGID",
        "sid" => "SID",
        "uid" => "UID",
        "gid" => "GID",
        _ => "",
    };
    if let Some(unknown) = keys.iter().find(|key| head(key).is_empty()) {
        let message = format!("error: unknown user-defined format specifier \"{unknown}\"\n");
        run.proc.eprint(message).await;
        return Ok(1);
    }
    if headed && !columns.iter().all(|c| c.ends_with('=')) {
        table.push(keys.iter().map(|key| head(key).to_owned()).collect());
    }
    for p in processes {
        let (hours, minutes, seconds) = cpu(p);
        let cell = |key: &&str| match *key {
            "user" | "euser" => names.user(p.uid).to_string(),
            "cmd" | "args" | "command" => command(p),
            "comm" | "ucmd" => p.comm.to_string(),
            "stat" => state(p),
            "state" | "s" => p.state.to_string(),
            "tty" | "tname" => tty(p),
            "time" => format!("{hours:02}:{minutes:02}:{seconds:02}"),
            "pid" => p.pid.to_string(),
            "ppid" => p.ppid.to_string(),
            "pgid" => p.group.to_string(),
            "sid" => p.session.to_string(),
            "gid" => p.gid.to_string(),
            _ => p.uid.to_string(),
        };
        table.push(keys.iter().map(cell).collect());
    }
    let numeric = |key: &str| matches!(key, "pid" | "ppid" | "pgid" | "sid" | "uid" | "gid");
    let least = |key: &str| match key {
        "pid" | "ppid" | "pgid" | "sid" => 7,
        "uid" | "gid" => 5,
        "user" | "euser" | "tty" | "tname" | "time" => 8,
        "comm" => 15,
        "stat" => 4,
        _ => 0,
    };
    for row in table {
        let mut line = String::new();
        for (index, (cell, key)) in row.iter().zip(&keys).enumerate() {
            let w = least(key);
            let piece = if numeric(key) {
                format!("{cell:>w$}")
            } else if index + 1 == row.len() {
                cell.clone()
            } else {
                format!("{cell:<w$}")
            };
            if index > 0 {
                line.push(' ');
            }
            line.push_str(&piece);
        }
        line.push('\n');
        run.put(line).await?;
    }
    Ok(0)
}

async fn kill_body(run: &mut Run) -> Done {
    if run.args.has('l') {
        let names: Vec<&str> = Signal::ALL.iter().map(|row| row.1).collect();
        run.put(names.join(" ") + "\n").await?;
        return Ok(0);
    }
    let given = run.args.value('s').or_else(|| run.args.value('n')).map(|s| text(s));
    let signal = match given.as_deref().map(Signal::parse) {
        None => Signal::TERM,
        Some(Some(signal)) => signal,
        Some(None) => {
            let given = given.unwrap_or_default();
            let text = if run.is_busybox() {
                format!("bad signal name '{given}'")
            } else {
                format!("unknown signal name {given}")
            };
            run.complain(text).await;
            return Ok(1);
        }
    };
    if run.args.operands.is_empty() {
        return Ok(run.missing("no process ID specified").await);
    }
    for operand in run.args.operands.clone() {
        let Some(pid) = number::<i64>(&operand) else {
            let text = if run.is_busybox() {
                format!("invalid number '{operand}'")
            } else {
                format!("failed to parse argument: '{operand}'")
            };
            run.complain(text).await;
            continue;
        };
        let signal = (signal.0 != 0).then_some(signal);
        if let Err(error) = run.proc.kill(pid, signal) {
            let text = if run.is_busybox() {
                format!("can't kill pid {pid}: {}", error.strerror())
            } else {
                format!("sending signal to {pid} failed: {}", error.strerror())
            };
            run.complain(text).await;
        }
    }
    Ok(0)
}

async fn mount_body(run: &mut Run) -> Done {
    if !run.args.operands.is_empty() && run.proc.may_mount() {
        return mount_one(run).await;
    }
    if !run.args.operands.is_empty() && run.is_busybox() {
        run.complain("permission denied (are you root?)").await;
        return Ok(1);
    }
    if !run.args.operands.is_empty() {
        let why = if run.proc.real_uid() == 0 { "permission denied." } else { "must be superuser to use mount." };
        let target: BString = run.args.operands.last().cloned().unwrap_or_default();
        run.complain(format!("{target}: {why}")).await;
        return Ok(32);
    }
    let wanted = run.args.value('t').map(|t| text(t));
    let lines = run.proc.mounts(|m| {
        let shown = m.shown().filter(|m| wanted.as_ref().is_none_or(|w| w.split(',').any(|w| w == m.fs_type)));
        let line = |m: &crate::os::fs::mounts::Mount| {
            let mode = if m.read_only { "ro" } else { "rw" };
            format!("{} on {} type {} ({mode},{})\n", m.source, m.at.as_bstr(), m.fs_type, m.options)
        };
        Ok::<_, Errno>(shown.map(line).collect::<String>())
    });
    run.put(lines.unwrap_or_default()).await?;
    Ok(0)
}

/// `mount -t tmpfs [-o OPTIONS] SOURCE DIRECTORY`; there are no other file systems to mount.
async fn mount_one(run: &mut Run) -> Done {
    let kind = run.args.value('t').map(|t| text(t)).unwrap_or_default();
    let operands = run.args.operands.clone();
    let (Some(source), Some(at), 2) = (operands.first(), operands.get(1), operands.len()) else {
        run.complain("mounting without a source and a directory is not simulated in Capas").await;
        return Ok(1);
    };
    if kind != "tmpfs" {
        run.complain("mounting other than -t tmpfs is not simulated in Capas").await;
        return Ok(1);
    }
    let (mut shown, mut size_bytes, mut mode, mut read_only) = ("relatime".to_owned(), 256 << 20, 0o1777, false);
    let options: Vec<String> = run.args.values('o').map(|o| text(o)).collect();
    for option in options.iter().flat_map(|o| o.split(',')) {
        let (key, value) = option.split_once('=').unwrap_or((option, ""));
        let known = match key {
            "ro" | "rw" => {
                read_only = key == "ro";
                continue;
            }
            "size" => tmpfs_bytes(value).map(|bytes| {
                size_bytes = bytes;
                shown += &format!(",size={}k", bytes.div_ceil(1024));
            }),
            "mode" => u32::from_str_radix(value, 8).ok().map(|bits| {
                mode = bits;
                shown += &format!(",mode={bits:o}");
            }),
            "noexec" | "nosuid" | "nodev" => {
                shown = format!("{key},{shown}");
                Some(())
            }
            _ => None,
        };
        if known.is_none() {
            run.complain(format!("the option {option} is not simulated in Capas")).await;
            return Ok(1);
        }
    }
    if let Err(error) = run.proc.mount_tmpfs(&text(source), at, size_bytes, mode, &shown, read_only) {
        run.complain(format!("mounting {source} on {at} failed: {}", error.strerror())).await;
        return Ok(if run.is_busybox() { 255 } else { 32 });
    }
    Ok(0)
}

/// `umount`.
pub async fn umount(proc: Proc) -> i32 {
    super::program::run(proc, &UMOUNT, |run| Box::pin(umount_body(run))).await
}

async fn umount_body(run: &mut Run) -> Done {
    let mut status = 0;
    for at in run.args.operands.clone() {
        if let Err(error) = run.proc.unmount(&at) {
            let busybox = run.is_busybox();
            let text = match busybox {
                true => format!("can't unmount {at}: {}", error.strerror()),
                false => format!("{at}: {}.", error.strerror().to_lowercase()),
            };
            run.complain(text).await;
            status = if busybox { 1 } else { 32 };
        }
    }
    Ok(status)
}
