//! `du` and `df`.

use super::ls::{blocks_kib, busybox_human, human};
use super::program::{Done, Run, number, run, spec};
use super::walk::Walk;
use crate::os::args::{flag, long_value, value};
use crate::os::kernel::Proc;
use crate::os::kernel::proc_fs::MEMORY_BYTES;
use bstr::BString;
use std::collections::{BTreeMap, BTreeSet};

spec!(
    SPEC,
    "du",
    "[OPTION]... [FILE]...",
    [
        flag('a', "all"),
        flag('b', "bytes"),
        flag('c', "total"),
        flag('h', "human-readable"),
        flag('k', ""),
        flag('m', ""),
        flag('s', "summarize"),
        flag('x', "one-file-system"),
        value('d', "max-depth"),
        long_value("exclude")
    ]
);
spec!(
    DF,
    "df",
    "[OPTION]... [FILE]...",
    [
        flag('a', "all"),
        flag('h', "human-readable"),
        flag('k', ""),
        flag('m', ""),
        flag('T', "print-type"),
        flag('P', "portability"),
        flag('l', "local")
    ]
);
/// The disk that everything lies on, in bytes.
const DISK_BYTES: u64 = 40 << 30;

/// `du`.
pub async fn main(proc: Proc) -> i32 {
    run(proc, &SPEC, |run| Box::pin(body(run))).await
}

/// `df`.
pub async fn df(proc: Proc) -> i32 {
    run(proc, &DF, |run| Box::pin(df_body(run))).await
}

async fn body(run: &mut Run) -> Done {
    let operands = if run.args.operands.is_empty() { vec![".".into()] } else { run.args.operands.clone() };
    let bytes = run.args.has('b');
    let deepest = if run.args.has('s') { 0 } else { run.args.value('d').and_then(|n| number(n)).unwrap_or(usize::MAX) };
    let letter = run.args.last_of(&['h', 'k', 'm', 'b']);
    let show = |size: u64| match letter {
        Some('h') if size == 0 => "0".to_owned(),
        Some('h') => human(size),
        Some('b') => size.to_string(),
        Some('m') => size.div_ceil(1 << 20).to_string(),
        _ => size.div_ceil(1024).to_string(),
    };
    let exclude: Vec<BString> = run.args.values("exclude").map(ToOwned::to_owned).collect();
    let (mut seen, mut total) = (BTreeSet::new(), 0);
    for operand in operands {
        let mut walk = Walk::new(&run.proc, &operand);
        // Sums of directories that are open, by depth.
        let mut sums: BTreeMap<usize, u64> = BTreeMap::new();
        while let Some(visit) = walk.next().await {
            let stat = match visit.stat {
                Ok(stat) => stat,
                Err(error) => {
                    run.complain_of("cannot access", &visit.path, error).await;
                    continue;
                }
            };
            if let Some(error) = visit.unlisted {
                run.complain_of("cannot read directory", &visit.path, error).await;
            }
            let name = crate::base::path::file_name(&visit.path);
            if exclude.iter().any(|p| super::pattern::glob(p, name)) {
                walk.prune();
                continue;
            }
            let own = if bytes { stat.size_bytes } else { blocks_kib(&stat) * 1024 };
            if stat.is_dir() && !visit.leaving {
                sums.insert(visit.depth, own);
                continue;
            }
            let size = if visit.leaving {
                sums.remove(&visit.depth).unwrap_or(own)
            } else if stat.nlink > 1 && !seen.insert((stat.dev, stat.ino)) {
                continue;
            } else {
                own
            };
            match visit.depth.checked_sub(1) {
                Some(up) => *sums.entry(up).or_default() += size,
                None => total += size,
            }
            if visit.depth == 0 || ((stat.is_dir() || run.args.has('a')) && visit.depth <= deepest) {
                run.put([show(size).as_bytes(), b"\t", &visit.path, b"\n"].concat()).await?;
            }
        }
    }
    if run.args.has('c') {
        run.put(format!("{}\ttotal\n", show(total))).await?;
    }
    Ok(0)
}

/// The size among a file system's options; a `tmpfs` without one may take half of the memory.
fn told_size(options: &str) -> u64 {
    let kib =
        options.split(',').find_map(|option| option.strip_prefix("size=")?.strip_suffix('k')?.parse::<u64>().ok());
    kib.map_or(MEMORY_BYTES / 2, |kib| kib * 1024).max(1)
}

/// Bytes of the files of the file system that is mounted there.
async fn held_below(proc: &Proc, at: &BString) -> u64 {
    let (mut held, mut dev) = (0, None);
    let mut walk = Walk::new(proc, at);
    while let Some(visit) = walk.next().await {
        let Ok(stat) = &visit.stat else { continue };
        if *dev.get_or_insert(stat.dev) != stat.dev {
            walk.prune();
        } else if !visit.leaving && !stat.is_dir() {
            held += blocks_kib(stat) * 1024;
        }
    }
    held
}

async fn df_body(run: &mut Run) -> Done {
    let all = run.args.has('a');
    let mounts = run.proc.mounts(|m| {
        Ok(m.shown()
            .map(|mount| (mount.source.clone(), mount.fs_type.clone(), mount.at.clone(), told_size(&mount.options)))
            .collect::<Vec<_>>())
    });
    let mut rows: Vec<(String, String, BString, u64)> = mounts.unwrap_or_default();
    rows.retain(|row| all || !matches!(row.1.as_str(), "proc" | "sysfs" | "devpts" | "mqueue" | "cgroup" | "cgroup2"));
    // What the caller can't reach, as containers' files on the host, is left out.
    rows.retain(|row| run.proc.stat(&row.2).is_ok());
    if !run.args.operands.is_empty() {
        let mut chosen = Vec::new();
        for operand in run.args.operands.clone() {
            match run.proc.realpath(&operand) {
                Ok(path) => {
                    let within =
                        |at: &BString| at == "/" || path == *at || path.starts_with(&[at.as_slice(), b"/"].concat());
                    chosen.extend(rows.iter().filter(|row| within(&row.2)).max_by_key(|row| row.2.len()).cloned());
                }
                Err(error) => run.complain_path(&operand, error).await,
            }
        }
        rows = chosen;
        if rows.is_empty() {
            return Ok(1);
        }
    }
    // All of the disk's file systems share its room; what is used is what the root holds.
    let mut used = 0;
    let mut walk = Walk::new(&run.proc, b"/");
    while let Some(visit) = walk.next().await {
        if let (Ok(stat), false) = (&visit.stat, visit.leaving) {
            used += blocks_kib(stat) * 1024;
        }
        if !visit.leaving && (visit.path == "/proc" || visit.path == "/sys" || visit.path == "/dev") {
            walk.prune();
        }
    }
    let busybox = run.is_busybox();
    let (human_sizes, mebi) = (run.args.has('h'), run.args.has('m'));
    let show = |bytes: u64| match (human_sizes, mebi) {
        (true, _) if bytes == 0 => "0".to_owned(),
        (true, _) if busybox => busybox_human(bytes),
        (true, _) => human(bytes),
        (_, true) => bytes.div_ceil(1 << 20).to_string(),
        _ => bytes.div_ceil(1024).to_string(),
    };
    let typed = run.args.has('T');
    let unit = if human_sizes {
        "Size"
    } else if mebi {
        "1M-blocks"
    } else {
        "1K-blocks"
    };
    let available = if human_sizes { "Avail" } else { "Available" };
    let mut table: Vec<Vec<String>> =
        vec![["Filesystem", unit, "Used", available, "Use%", "Mounted on"].map(str::to_owned).to_vec()];
    for (source, fs_type, at, told) in &rows {
        let (size, used) = match fs_type.as_str() {
            "tmpfs" => (*told, held_below(&run.proc, at).await.min(*told)),
            _ => (DISK_BYTES, used.min(DISK_BYTES)),
        };
        let percent = format!("{}%", (used * 100).div_ceil(size));
        table.push(vec![source.clone(), show(size), show(used), show(size - used), percent, at.to_string()]);
    }
    if typed {
        let kinds = std::iter::once("Type".to_owned()).chain(rows.iter().map(|row| row.1.clone()));
        for (row, kind) in table.iter_mut().zip(kinds) {
            row.insert(1, kind);
        }
    }
    if busybox {
        // Its columns keep their width; a long name has a line of its own (`coreutils/df.c`).
        let kind = if typed { " Type      " } else { "" };
        let unit = if human_sizes { "     Size" } else { unit };
        run.put(format!("{:<20}{kind} {unit:>9}      Used Available Use% Mounted on\n", "Filesystem")).await?;
        for row in table.iter().skip(1) {
            let [source, rest @ ..] = row.as_slice() else { continue };
            let (kind, rest) = match rest {
                [kind, rest @ ..] if typed => (format!(" {kind:<10}"), rest),
                rest => (String::new(), rest),
            };
            let [size, used, left, percent, at] = rest else { continue };
            let source = match source.chars().count() > 20 {
                true => format!("{source}\n{:20}", ""),
                false => format!("{source:<20}"),
            };
            run.put(format!("{source}{kind} {size:>9} {used:>9} {left:>9} {percent:>4} {at}\n")).await?;
        }
        return Ok(0);
    }
    let columns = table.first().map_or(0, Vec::len);
    let left = if typed { 2 } else { 1 };
    let least = |c: usize| match c {
        0 => 14,
        c if c >= left && c + 2 < columns => 5,
        _ => 0,
    };
    let widest =
        |c: usize| table.iter().filter_map(|row| row.get(c)).map(|cell| cell.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(|c| widest(c).max(least(c))).collect();
    for row in &table {
        let mut line = String::new();
        for (c, (cell, w)) in row.iter().zip(&widths).enumerate() {
            if c > 0 {
                line.push(' ');
            }
            match c {
                c if c + 1 == columns => line.push_str(cell),
                c if c < left => line.push_str(&format!("{cell:<w$}")),
                _ => line.push_str(&format!("{cell:>w$}")),
            }
        }
        line.push('\n');
        run.put(line).await?;
    }
    Ok(0)
}
