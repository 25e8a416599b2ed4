//! `stat`.

use super::ls::blocks_kib;
use super::names::Names;
use super::program::{Done, Run, quoted, run, spec, text};
use crate::base::time::Timestamp;
use crate::os::args::{flag, long_value, value};
use crate::os::fs::node::{Kind, Stat};
use crate::os::kernel::Proc;

spec!(
    SPEC,
    "stat",
    "[OPTION]... FILE...",
    [
        value('c', "format"),
        flag('L', "dereference"),
        flag('f', "file-system"),
        flag('t', "terse"),
        long_value("printf")
    ]
);

/// `stat`.
pub async fn main(proc: Proc) -> i32 {
    run(proc, &SPEC, |run| Box::pin(body(run))).await
}

async fn body(run: &mut Run) -> Done {
    if run.args.operands.is_empty() {
        return Ok(run.missing("missing operand").await);
    }
    if run.args.has('f') {
        run.complain("-f is not simulated").await;
        return Ok(1);
    }
    let names = Names::load(&run.proc).await;
    let format = run.args.value('c').map(|f| text(f) + "\n");
    let format = format.or_else(|| {
        let given = run.args.value("printf")?;
        Some(text(&super::echo::unescape(given, false).0))
    });
    for path in run.args.operands.clone() {
        let stat = if run.args.has('L') { run.proc.stat(&path) } else { run.proc.lstat(&path) };
        let stat = match stat {
            Ok(stat) => stat,
            Err(error) if run.is_busybox() => {
                run.complain_of("cannot stat", &path, error).await;
                continue;
            }
            Err(error) => {
                run.complain(format!("cannot statx {}: {}", quoted(&path), error.strerror())).await;
                continue;
            }
        };
        let out = match &format {
            Some(format) => fill(run, format, &path, &stat, &names),
            None => whole(run, &path, &stat, &names),
        };
        run.put(out).await?;
    }
    Ok(0)
}

fn whole(run: &Run, path: &[u8], stat: &Stat, names: &Names) -> String {
    let item = |format: &str| fill(run, format, path, stat, names);
    let size_line = format!(
        "  Size: {:<10}\tBlocks: {:<10} IO Block: {:<6} {}\n",
        stat.size_bytes,
        blocks_kib(stat) * 2,
        4096,
        kind_name(stat)
    );
    let device = match stat.device {
        Some((major, minor)) => format!(" Device type: {major},{minor}"),
        None => String::new(),
    };
    let access = format!(
        "Access: ({:04o}/{})  Uid: ({:5}/{:>8})   Gid: ({:5}/{:>8})\n",
        stat.meta.mode,
        stat.mode_string(),
        stat.meta.uid,
        names.user(stat.meta.uid),
        stat.meta.gid,
        names.group(stat.meta.gid)
    );
    format!(
        "{}{size_line}Device: {},{}\tInode: {:<11} Links: {}{device}\n{}Access: {}\nModify: {}\nChange: {}\n Birth: -\n",
        item("  File: %N\n").replace('\'', ""),
        stat.dev >> 8,
        stat.dev & 0xff,
        stat.ino,
        stat.nlink,
        access,
        time(stat.meta.mtime),
        time(stat.meta.mtime),
        time(stat.ctime),
    )
}

fn time(time: Timestamp) -> String {
    let c = time.civil();
    format!(
        "{}-{:02}-{:02} {:02}:{:02}:{:02}.{:09} +0000",
        c.year, c.month, c.day, c.hour, c.minute, c.second, c.nanosecond
    )
}

/// The kind in words.
fn kind_name(stat: &Stat) -> &'static str {
    match stat.kind {
        Kind::File if stat.size_bytes == 0 => "regular empty file",
        Kind::File => "regular file",
        Kind::Dir => "directory",
        Kind::Symlink => "symbolic link",
        Kind::Fifo => "fifo",
        Kind::CharDevice => "character special file",
        Kind::BlockDevice => "block special file",
        Kind::Socket => "socket",
    }
}

fn fill(run: &Run, format: &str, path: &[u8], stat: &Stat, names: &Names) -> String {
    let mut out = String::new();
    let mut chars = format.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let piece = match chars.next() {
            Some('n') => text(path),
            Some('N') => match run.proc.readlink(path) {
                Ok(target) => format!("{} -> {}", quoted(path), quoted(&target)),
                Err(_) => quoted(path).to_string(),
            },
            Some('s') => stat.size_bytes.to_string(),
            Some('b') => (blocks_kib(stat) * 2).to_string(),
            Some('B') => "512".to_owned(),
            Some('o') => "4096".to_owned(),
            Some('F') => kind_name(stat).to_owned(),
            Some('f') => format!("{:x}", stat.mode()),
            Some('a') => format!("{:o}", stat.meta.mode),
            Some('A') => stat.mode_string(),
            Some('u') => stat.meta.uid.to_string(),
            Some('U') => names.user(stat.meta.uid).to_string(),
            Some('g') => stat.meta.gid.to_string(),
            Some('G') => names.group(stat.meta.gid).to_string(),
            Some('h') => stat.nlink.to_string(),
            Some('i') => stat.ino.to_string(),
            Some('d') => stat.dev.to_string(),
            Some('D') => format!("{:x}", stat.dev),
            Some('t') => format!("{:x}", stat.device.map_or(0, |d| d.0)),
            Some('T') => format!("{:x}", stat.device.map_or(0, |d| d.1)),
            Some('x' | 'y') => time(stat.meta.mtime),
            Some('X' | 'Y') => stat.meta.mtime.seconds().to_string(),
            Some('z') => time(stat.ctime),
            Some('Z') => stat.ctime.seconds().to_string(),
            Some('w') => "-".to_owned(),
            Some('W') => "0".to_owned(),
            Some('%') => "%".to_owned(),
            Some(_) => "?".to_owned(),
            None => "%".to_owned(),
        };
        out.push_str(&piece);
    }
    out
}
