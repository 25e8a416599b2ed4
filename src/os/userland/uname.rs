//! `uname`, `nproc`, `tty`, `clear`, `uptime`, `free`: what machine this is.

use super::program::{Done, Run, run, spec};
use crate::os::args::flag;
use crate::os::kernel::Proc;
use crate::os::kernel::proc_fs::MEMORY_BYTES;

spec!(
    SPEC,
    "uname",
    "[OPTION]...",
    [
        flag('a', "all"),
        flag('s', "kernel-name"),
        flag('n', "nodename"),
        flag('r', "kernel-release"),
        flag('v', "kernel-version"),
        flag('m', "machine"),
        flag('p', "processor"),
        flag('i', "hardware-platform"),
        flag('o', "operating-system")
    ]
);
spec!(NPROC, "nproc", "[OPTION]...", [flag('\0', "all")]);
spec!(TTY, "tty", "[OPTION]...", [flag('s', "silent")], usage_status: 2);
spec!(CLEAR, "clear", "[options]", [flag('x', ""), flag('V', "")]);
spec!(UPTIME, "uptime", "[options]", [flag('p', "pretty"), flag('s', "since")]);
spec!(
    FREE,
    "free",
    "[options]",
    [
        flag('b', "bytes"),
        flag('k', "kibi"),
        flag('m', "mebi"),
        flag('g', "gibi"),
        flag('h', "human"),
        flag('t', "total"),
        flag('w', "wide")
    ]
);

/// `uname`.
pub async fn main(proc: Proc) -> i32 {
    run(proc, &SPEC, |run| Box::pin(body(run))).await
}

/// `nproc`.
pub async fn nproc(proc: Proc) -> i32 {
    run(proc, &NPROC, |run| Box::pin(nproc_body(run))).await
}

/// `tty`.
pub async fn tty(proc: Proc) -> i32 {
    run(proc, &TTY, |run| Box::pin(tty_body(run))).await
}

/// `clear`.
pub async fn clear(proc: Proc) -> i32 {
    run(proc, &CLEAR, |run| Box::pin(clear_body(run))).await
}

/// `uptime`.
pub async fn uptime(proc: Proc) -> i32 {
    run(proc, &UPTIME, |run| Box::pin(uptime_body(run))).await
}

/// `free`.
pub async fn free(proc: Proc) -> i32 {
    run(proc, &FREE, |run| Box::pin(free_body(run))).await
}

async fn body(run: &mut Run) -> Done {
    let version =
        run.proc.read_file(b"/proc/version").await.map(|r| super::program::text(&r.head(400))).unwrap_or_default();
    // `Linux version RELEASE (who) VERSION...`
    let mut words = version.split_whitespace().skip(2);
    let release = words.next().unwrap_or("5.15.0-91-generic").to_owned();
    let rest: Vec<&str> = words.skip(1).collect();
    let version = if rest.is_empty() { "#101 SMP".to_owned() } else { rest.join(" ") };
    let all = run.args.has('a');
    let any = "snrvmpio".chars().any(|letter| run.args.has(letter));
    let host = run.proc.hostname();
    let system = if run.is_busybox() { "Linux" } else { "GNU/Linux" };
    let parts = [
        ('s', "Linux"),
        ('n', &host),
        ('r', &release),
        ('v', &version),
        ('m', "x86_64"),
        ('p', "x86_64"),
        ('i', "x86_64"),
        ('o', system),
    ];
    let shown =
        |letter: char| (all && !matches!(letter, 'p' | 'i')) || run.args.has(letter) || (!all && !any && letter == 's');
    let words: Vec<&str> = parts.iter().filter(|part| shown(part.0)).map(|part| part.1).collect();
    let line = words.join(" ") + "\n";
    run.put(line).await?;
    Ok(0)
}

async fn nproc_body(run: &mut Run) -> Done {
    let cpus = run.proc.limits().cpus.map_or(2, u64::count_ones);
    run.put(format!("{cpus}\n")).await?;
    Ok(0)
}

async fn tty_body(run: &mut Run) -> Done {
    let tty = run.proc.pts_of(0);
    if !run.args.has('s') {
        match tty {
            Some(number) => run.put(format!("/dev/pts/{number}\n")).await?,
            None => run.put("not a tty\n").await?,
        }
    }
    Ok(i32::from(tty.is_none()))
}

async fn clear_body(run: &mut Run) -> Done {
    run.put("\x1b[H\x1b[2J\x1b[3J").await?;
    Ok(0)
}

async fn uptime_body(run: &mut Run) -> Done {
    let boot = run.proc.kernel().boot_time();
    let up = run.proc.now().since(boot).as_secs();
    let (days, hours, minutes) = (up / 86_400, up / 3600 % 24, up / 60 % 60);
    if run.args.has('s') {
        run.put(super::date::strftime("%Y-%m-%d %H:%M:%S\n", boot)).await?;
        return Ok(0);
    }
    if run.args.has('p') {
        let plural = |n: u64, unit: &str| format!("{n} {unit}{}", if n == 1 { "" } else { "s" });
        let mut parts = Vec::new();
        if days > 0 {
            parts.push(plural(days, "day"));
        }
        if hours > 0 {
            parts.push(plural(hours, "hour"));
        }
        parts.push(plural(minutes, "minute"));
        run.put(format!("up {}\n", parts.join(", "))).await?;
        return Ok(0);
    }
    let line = uptime_line(run);
    run.put(format!("{line}\n")).await?;
    Ok(0)
}

/// The line of `uptime`, which `top` begins with too.
pub fn uptime_line(run: &Run) -> String {
    let now = run.proc.now();
    let up = now.since(run.proc.kernel().boot_time()).as_secs();
    let (days, hours, minutes) = (up / 86_400, up / 3600 % 24, up / 60 % 60);
    let days = match days {
        0 => String::new(),
        1 => "1 day, ".to_owned(),
        n => format!("{n} days, "),
    };
    let time = if hours > 0 { format!("{hours:2}:{minutes:02}") } else { format!("{minutes} min") };
    format!(" {} up {days}{time},  0 users,  load average: 0.00, 0.01, 0.05", super::date::strftime("%T", now))
}

async fn free_body(run: &mut Run) -> Done {
    // The same three quarters and seven eighths that /proc/meminfo tells.
    let (total, free, available) = (MEMORY_BYTES, MEMORY_BYTES / 4 * 3, MEMORY_BYTES / 8 * 7);
    let used = total - available;
    let cache = total - free - used;
    let busybox = run.is_busybox();
    let unit = run.args.last_of(&['b', 'k', 'm', 'g', 'h']).unwrap_or('k');
    let show = |bytes: u64| match unit {
        'b' => bytes.to_string(),
        'm' => (bytes >> 20).to_string(),
        'g' => (bytes >> 30).to_string(),
        'h' if busybox && bytes == 0 => "0".to_owned(),
        'h' if busybox => super::ls::busybox_human(bytes),
        'h' if bytes == 0 => "0B".to_owned(),
        'h' if bytes >= 1 << 30 => format!("{:.1}Gi", bytes as f64 / (1u64 << 30) as f64),
        'h' => format!("{}Mi", bytes >> 20),
        _ => (bytes >> 10).to_string(),
    };
    // Busybox's first column is narrower by one.
    let first = if busybox { 7 } else { 8 };
    let row = |name: &str, values: &[u64]| {
        let cells: String = values.iter().map(|v| format!("{:>12}", show(*v))).collect();
        format!("{name:<first$}{cells}\n")
    };
    let mut out =
        " ".repeat(first - 7) + "              total        used        free      shared  buff/cache   available\n";
    out.push_str(&row("Mem:", &[total, used, free, 0, cache, available]));
    out.push_str(&row("Swap:", &[0, 0, 0]));
    run.put(out).await?;
    Ok(0)
}
