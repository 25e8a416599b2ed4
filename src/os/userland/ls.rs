//! `ls`.

use crate::base::sort::Arrange;
use bstr::{BString, ByteSlice};

use super::names::Names;
use super::program::{Done, Run, below, maybe_quoted, run, spec};
use crate::base::errno::Errno;
use crate::base::time::{MONTHS, Timestamp};
use crate::os::args::{flag, long_flag, long_optional, long_value, value};
use crate::os::fs::node::{Kind, Stat};
use crate::os::kernel::Proc;

spec!(
    SPEC,
    "ls",
    "[OPTION]... [FILE]...",
    [
        flag('a', "all"),
        flag('A', "almost-all"),
        flag('l', ""),
        flag('h', "human-readable"),
        flag('R', "recursive"),
        flag('d', "directory"),
        flag('1', ""),
        flag('t', ""),
        flag('S', ""),
        flag('r', "reverse"),
        flag('i', "inode"),
        flag('F', "classify"),
        flag('p', ""),
        flag('C', ""),
        flag('x', ""),
        flag('m', ""),
        flag('g', ""),
        flag('o', ""),
        flag('n', "numeric-uid-gid"),
        flag('s', "size"),
        flag('L', "dereference"),
        flag('H', ""),
        flag('U', ""),
        flag('v', ""),
        flag('X', ""),
        flag('c', ""),
        flag('u', ""),
        flag('k', ""),
        flag('G', "no-group"),
        flag('N', "literal"),
        flag('Q', "quote-name"),
        long_optional("color"),
        long_flag("full-time"),
        long_flag("group-directories-first"),
        long_value("time-style"),
        value('w', "width"),
        value('I', "ignore"),
    ],
    usage_status: 2
);

/// `ls`.
pub async fn main(proc: Proc) -> i32 {
    run(proc, &SPEC, |run| Box::pin(body(run))).await
}

/// `dir` and `vdir` are not told apart: one entry of a listing.
struct Row {
    name: BString,
    stat: Stat,
    target: Option<(BString, Option<Stat>)>,
}

struct Style {
    long: bool,
    columns: bool,
    tty: bool,
    color: bool,
    width: usize,
    now: Timestamp,
    names: Names,
}

async fn body(run: &mut Run) -> Done {
    let tty = run.proc.tty_of(1);
    let layout = run.args.last_of(&['l', '1', 'C', 'x', 'm', 'g', 'o', 'n']);
    let long = matches!(layout, Some('l' | 'g' | 'o' | 'n'))
        || run.args.has("full-time")
        || (layout == Some('1') && run.args.has('l'));
    let color = match run.args.iter().filter(|(option, _)| option.long == "color").last() {
        Some((_, None)) => true,
        Some((_, Some(when))) => when == "always" || when == "yes" || (when == "auto" && tty.is_some()),
        None => run.is_busybox() && tty.is_some(),
    };
    let columns = run.proc.getenv("COLUMNS").and_then(|c| super::program::number::<usize>(&c));
    let width = run.args.value('w').and_then(|w| super::program::number(w)).or(columns);
    let style = Style {
        long,
        columns: !long && (matches!(layout, Some('C' | 'x')) || (layout.is_none() && tty.is_some())),
        tty: tty.is_some(),
        color,
        width: width.unwrap_or_else(|| tty.map_or(80, |id| usize::from(run.proc.win_size(id).cols))),
        now: run.proc.now(),
        names: if long && !run.args.has('n') { Names::load(&run.proc).await } else { Names::default() },
    };
    let operands = if run.args.operands.is_empty() { vec![".".into()] } else { run.args.operands.clone() };
    let (mut files, mut dirs) = (Vec::new(), Vec::new());
    for path in &operands {
        // A link to a directory is listed as the directory, except in a long listing.
        let follow = run.args.has('L') || run.args.has('H') || !(style.long || run.args.has('d') || run.args.has('F'));
        let stat = match run.proc.stat(path) {
            Ok(stat) if follow || path.ends_with(b"/") => Ok(stat),
            _ => run.proc.lstat(path),
        };
        match stat {
            Ok(stat) if stat.is_dir() && !run.args.has('d') => dirs.push(row(run, path.clone(), path, stat)),
            Ok(stat) => files.push(row(run, path.clone(), path, stat)),
            Err(error) => {
                if run.is_busybox() {
                    run.complain_path(path, error).await;
                    continue;
                }
                run.complain_of("cannot access", path, error).await;
                run.status = 2;
            }
        }
    }
    sort(run, &mut files);
    sort(run, &mut dirs);
    print(run, &style, &files, false).await?;
    let mut headed = operands.len() > 1 || run.args.has('R');
    let mut first = files.is_empty();
    let mut stack: Vec<BString> = dirs.into_iter().rev().map(|row| row.name).collect();
    while let Some(dir) = stack.pop() {
        let rows = match list(run, &dir).await {
            Ok(rows) => rows,
            Err(error) => {
                run.complain_of("cannot open directory", &dir, error).await;
                run.status = 2;
                continue;
            }
        };
        if headed {
            let gap = if first { "" } else { "\n" };
            run.put([gap.as_bytes(), quote_name(&style, &dir).as_slice(), b":\n"].concat()).await?;
        }
        (first, headed) = (false, headed || !stack.is_empty());
        print(run, &style, &rows, true).await?;
        if run.args.has('R') {
            let inner = rows.iter().filter(|row| row.stat.is_dir() && row.name != "." && row.name != "..");
            let inner: Vec<BString> = inner.map(|row| below(&dir, &row.name)).collect();
            stack.extend(inner.into_iter().rev());
        }
    }
    Ok(0)
}

fn row(run: &Run, name: BString, path: &[u8], stat: Stat) -> Row {
    let target = match stat.kind {
        Kind::Symlink => run.proc.readlink(path).ok().map(|text| (text, run.proc.stat(path).ok())),
        _ => None,
    };
    Row { name, stat, target }
}

async fn list(run: &mut Run, dir: &[u8]) -> Result<Vec<Row>, Errno> {
    let entries = run.proc.readdir(dir)?;
    let mut rows = Vec::with_capacity(entries.len() + 2);
    let ignored: Vec<BString> = run.args.values('I').map(ToOwned::to_owned).collect();
    let all = run.args.last_of(&['a', 'A']);
    let mut listed: Vec<BString> = if all == Some('a') { vec![".".into(), "..".into()] } else { Vec::new() };
    listed.extend(entries.into_iter().map(|e| e.name).filter(|name| all.is_some() || !name.starts_with(b".")));
    for name in listed {
        run.proc.tick().await;
        if ignored.iter().any(|pattern| super::pattern::glob(pattern, &name)) {
            continue;
        }
        let path = below(dir, &name);
        let stat = if run.args.has('L') {
            run.proc.stat(&path).or_else(|_| run.proc.lstat(&path))
        } else {
            run.proc.lstat(&path)
        };
        match stat {
            Ok(stat) => rows.push(row(run, name, &path, stat)),
            Err(error) => run.complain_of("cannot access", &path, error).await,
        }
    }
    sort(run, &mut rows);
    Ok(rows)
}

fn sort(run: &Run, rows: &mut [Row]) {
    match run.args.last_of(&['t', 'S', 'U', 'X', 'v']) {
        Some('U') => return,
        Some('t') => {
            rows.arrange_by(|a, b| b.stat.meta.mtime.cmp(&a.stat.meta.mtime).then_with(|| a.name.cmp(&b.name)))
        }
        Some('S') => {
            rows.arrange_by(|a, b| b.stat.size_bytes.cmp(&a.stat.size_bytes).then_with(|| a.name.cmp(&b.name)))
        }
        Some('X') => {
            rows.arrange_by(|a, b| extension(&a.name).cmp(extension(&b.name)).then_with(|| a.name.cmp(&b.name)))
        }
        _ => rows.arrange_by(|a, b| a.name.cmp(&b.name)),
    }
    if run.args.has('r') {
        rows.reverse();
    }
    if run.args.has("group-directories-first") {
        rows.arrange_by_key(|row| !row.stat.is_dir());
    }
}

fn extension(name: &[u8]) -> &[u8] {
    name.rfind_byte(b'.').and_then(|at| name.get(at..)).unwrap_or_default()
}

async fn print(run: &mut Run, style: &Style, rows: &[Row], total: bool) -> Result<(), Errno> {
    if total && (style.long || run.args.has('s')) {
        let blocks: u64 = rows.iter().map(|row| blocks_kib(&row.stat)).sum();
        let text = if run.args.has('h') { human(blocks * 1024) } else { blocks.to_string() };
        run.put(format!("total {text}\n")).await?;
    }
    if rows.is_empty() {
        return Ok(());
    }
    if style.long {
        return print_long(run, style, rows).await;
    }
    let inode_width = rows.iter().map(|row| row.stat.ino.to_string().len()).max().unwrap_or(0);
    let cells: Vec<(Vec<u8>, usize)> = rows
        .iter()
        .map(|row| {
            let (mut shown, mut width) = paint(run, style, row);
            if run.args.has('s') {
                let text = format!("{} ", blocks_kib(&row.stat));
                width += text.len();
                shown.splice(0..0, text.bytes());
            }
            if run.args.has('i') {
                let text = if style.columns {
                    format!("{:inode_width$} ", row.stat.ino)
                } else {
                    format!("{} ", row.stat.ino)
                };
                width += text.len();
                shown.splice(0..0, text.bytes());
            }
            (shown, width)
        })
        .collect();
    if run.args.last_of(&['l', '1', 'C', 'x', 'm']) == Some('m') {
        let names: Vec<&[u8]> = cells.iter().map(|cell| cell.0.as_slice()).collect();
        run.put(names.join(b", ".as_slice())).await?;
        return run.put("\n").await;
    }
    if !style.columns {
        for (cell, _) in cells {
            run.put([cell.as_slice(), b"\n"].concat()).await?;
        }
        return Ok(());
    }
    let across = run.args.last_of(&['C', 'x']) == Some('x');
    run.put(in_columns(&cells, style.width, across)).await
}

/// Cells in as many columns as fit, two spaces apart.
fn in_columns(cells: &[(Vec<u8>, usize)], width: usize, across: bool) -> Vec<u8> {
    let count = cells.len();
    let place = |index: usize, lines: usize, columns: usize| {
        if across { (index / columns, index % columns) } else { (index % lines, index / lines) }
    };
    let mut best = (count, vec![0; 1]);
    let limit = count.min(width / 3).max(1);
    for columns in (1..=limit).rev() {
        let lines = count.div_ceil(columns);
        let mut widths = vec![0; columns];
        for (index, (_, width)) in cells.iter().enumerate() {
            let (_, column) = place(index, lines, columns);
            if let Some(own) = widths.get_mut(column) {
                *own = (*own).max(width + 2);
            }
        }
        let last = widths.iter().rposition(|w| *w > 0).unwrap_or(0);
        let sum: usize = widths.iter().sum::<usize>().saturating_sub(if last < columns { 2 } else { 0 });
        if sum < width || columns == 1 {
            best = (lines, widths);
            break;
        }
    }
    let (lines, widths) = best;
    let columns = widths.len();
    let mut out = Vec::new();
    for line in 0..lines {
        let mut gap = 0;
        for column in 0..columns {
            let index = if across { line * columns + column } else { column * lines + line };
            let Some((cell, own)) = cells.get(index) else { break };
            out.extend(std::iter::repeat_n(b' ', gap));
            out.extend_from_slice(cell);
            gap = widths.get(column).copied().unwrap_or(0).saturating_sub(*own);
        }
        out.push(b'\n');
    }
    out
}

async fn print_long(run: &mut Run, style: &Style, rows: &[Row]) -> Result<(), Errno> {
    let numeric = run.args.has('n');
    let owner =
        |row: &Row| if numeric { row.stat.meta.uid.to_string().into() } else { style.names.user(row.stat.meta.uid) };
    let group =
        |row: &Row| if numeric { row.stat.meta.gid.to_string().into() } else { style.names.group(row.stat.meta.gid) };
    let human_sizes = run.args.has('h');
    let any_device = rows.iter().filter_map(|row| row.stat.device).map(|d| d.1.to_string().len()).max();
    let size = |row: &Row| match (row.stat.device, human_sizes) {
        (Some((major, minor)), _) => format!("{major}, {minor:>w$}", w = any_device.unwrap_or(1)),
        (None, true) => human(row.stat.size_bytes),
        (None, false) => row.stat.size_bytes.to_string(),
    };
    let widest = |f: &dyn Fn(&Row) -> usize| rows.iter().map(f).max().unwrap_or(0);
    let links = widest(&|r| r.stat.nlink.to_string().len());
    let owners = widest(&|r| owner(r).len());
    let groups = widest(&|r| group(r).len());
    let sizes = widest(&|r| size(r).len());
    let inodes = widest(&|r| r.stat.ino.to_string().len());
    let blocks = widest(&|r| blocks_kib(&r.stat).to_string().len());
    let (show_owner, show_group) = (!run.args.has('g'), !run.args.has('o') && !run.args.has('G'));
    let full = run.args.has("full-time") || run.args.value("time-style").is_some_and(|v| v == "full-iso");
    let long_iso = run.args.value("time-style").is_some_and(|v| v == "long-iso");
    let busybox = run.is_busybox();
    for row in rows {
        let mut line = String::new();
        if run.args.has('i') {
            line.push_str(&format!("{:inodes$} ", row.stat.ino));
        }
        if run.args.has('s') {
            line.push_str(&format!("{:blocks$} ", blocks_kib(&row.stat)));
        }
        // Busybox's columns are as wide whatever is in them (`coreutils/ls.c` display_single).
        let links = if busybox { 4 } else { links };
        line.push_str(&format!("{} {:>links$} ", row.stat.mode_string(), row.stat.nlink));
        for (name, width, shown) in [(owner(row), owners, show_owner), (group(row), groups, show_group)] {
            match (shown, busybox) {
                (true, true) => line.push_str(&format!("{:<8.8} ", name.to_string())),
                (true, false) => line.push_str(&format!("{name:width$} ")),
                _ => {}
            }
        }
        let time = if run.args.has('c') { row.stat.ctime } else { row.stat.meta.mtime };
        let time = if full {
            let c = time.civil();
            format!(
                "{}-{:02}-{:02} {:02}:{:02}:{:02}.{:09} +0000",
                c.year, c.month, c.day, c.hour, c.minute, c.second, c.nanosecond
            )
        } else if long_iso {
            let c = time.civil();
            format!("{}-{:02}-{:02} {:02}:{:02}", c.year, c.month, c.day, c.hour, c.minute)
        } else {
            file_time(time, style.now)
        };
        line.push_str(&match (busybox, row.stat.device) {
            (true, Some((major, minor))) => format!("{major:4},{minor:4} {time} "),
            (true, None) if human_sizes => format!("{:>7} {time} ", busybox_human(row.stat.size_bytes)),
            (true, None) => format!("{:>9} {time} ", row.stat.size_bytes),
            _ => format!("{:>sizes$} {time} ", size(row)),
        });
        let mut line = line.into_bytes();
        line.extend_from_slice(&paint(run, style, row).0);
        if let Some((target, _)) = &row.target {
            line.extend_from_slice(b" -> ");
            line.extend_from_slice(&quote_name(style, target));
        }
        line.push(b'\n');
        run.put(line).await?;
    }
    Ok(())
}

/// Half a year back a time of day is shown, further the year.
pub fn file_time(time: Timestamp, now: Timestamp) -> String {
    const HALF_YEAR: i64 = 31_556_952 / 2;
    let c = time.civil();
    let month = MONTHS.get(usize::from(c.month).saturating_sub(1)).copied().unwrap_or("Jan");
    let age = now.seconds().saturating_sub(time.seconds());
    if (0..=HALF_YEAR).contains(&age) {
        format!("{month} {:2} {:02}:{:02}", c.day, c.hour, c.minute)
    } else {
        format!("{month} {:2}  {}", c.day, c.year)
    }
}

/// Disk use in KiB, on a file system with blocks of 4 KiB.
pub const fn blocks_kib(stat: &Stat) -> u64 {
    match stat.kind {
        Kind::File => stat.size_bytes.div_ceil(4096) * 4,
        Kind::Dir => 4,
        // A short link is kept in its inode.
        _ => 0,
    }
}

/// A size with a unit, rounded up, as `ls -h`, `du -h` and `df -h` show it.
pub fn human(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["K", "M", "G", "T", "P", "E"];
    if bytes < 1024 {
        return bytes.to_string();
    }
    let mut unit = 1024u128;
    for (index, name) in UNITS.iter().enumerate() {
        let tenths = (u128::from(bytes) * 10).div_ceil(unit);
        if tenths < 100 {
            return format!("{}.{}{name}", tenths / 10, tenths % 10);
        }
        let whole = u128::from(bytes).div_ceil(unit);
        if whole < 1024 || index + 1 == UNITS.len() {
            return format!("{whole}{name}");
        }
        unit *= 1024;
    }
    bytes.to_string()
}

/// The same in busybox's form: one decimal, rounded (`libbb/human_readable.c`).
pub fn busybox_human(bytes: u64) -> String {
    let (mut size, mut unit) = (bytes as f64, 0);
    while size >= 1023.95 && unit < 6 {
        size /= 1024.0;
        unit += 1;
    }
    match ["", "K", "M", "G", "T", "P", "E"].get(unit) {
        Some(name) if unit > 0 => format!("{size:.1}{name}"),
        _ => bytes.to_string(),
    }
}

fn quote_name(style: &Style, name: &[u8]) -> BString {
    if style.tty { maybe_quoted(name) } else { name.into() }
}

/// The name with colour and type mark, and how wide it is.
fn paint(run: &Run, style: &Style, row: &Row) -> (Vec<u8>, usize) {
    let name = if run.args.has('Q') {
        [b"\"", row.name.as_slice(), b"\""].concat().into()
    } else if style.tty && !run.args.has('N') && !run.is_busybox() {
        maybe_quoted(&row.name)
    } else if style.tty {
        row.name.iter().map(|b| if *b < b' ' || *b == 127 { b'?' } else { *b }).collect::<Vec<u8>>().into()
    } else {
        row.name.clone()
    };
    let mut width = name.chars().count();
    let mut out = Vec::new();
    match color_of(row).filter(|_| style.color) {
        Some(color) => {
            out.extend_from_slice(format!("\x1b[{color}m").as_bytes());
            out.extend_from_slice(&name);
            out.extend_from_slice(b"\x1b[0m");
        }
        None => out.extend_from_slice(&name),
    }
    let executable = row.stat.kind == Kind::File && row.stat.meta.mode & 0o111 != 0;
    let mark = match row.stat.kind {
        Kind::Dir if run.args.has('F') || run.args.has('p') => b"/".as_slice(),
        _ if !run.args.has('F') => b"",
        Kind::Symlink if !style.long => b"@",
        Kind::Fifo => b"|",
        Kind::Socket => b"=",
        Kind::File if executable => b"*",
        _ => b"",
    };
    out.extend_from_slice(mark);
    width += mark.len();
    (out, width)
}

/// dircolors' defaults.
fn color_of(row: &Row) -> Option<&'static str> {
    let mode = row.stat.meta.mode;
    Some(match row.stat.kind {
        Kind::Dir if mode & 0o1002 == 0o1002 => "30;42",
        Kind::Dir if mode & 0o002 != 0 => "34;42",
        Kind::Dir => "01;34",
        Kind::Symlink if row.target.as_ref().is_some_and(|(_, stat)| stat.is_none()) => "40;31;01",
        Kind::Symlink => "01;36",
        Kind::Fifo => "40;33",
        Kind::Socket => "01;35",
        Kind::CharDevice | Kind::BlockDevice => "40;33;01",
        Kind::File if mode & 0o4000 != 0 => "37;41",
        Kind::File if mode & 0o2000 != 0 => "30;43",
        Kind::File if mode & 0o111 != 0 => "01;32",
        Kind::File => {
            let archive = [".tar", ".tgz", ".gz", ".xz", ".zip", ".bz2", ".deb", ".jar"];
            return archive.iter().any(|end| row.name.ends_with(end.as_bytes())).then_some("01;31");
        }
    })
}
