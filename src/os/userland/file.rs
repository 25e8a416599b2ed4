//! `file`: what a file's content makes it.

use bstr::ByteSlice;

use super::program::{Done, Run, run, spec};
use crate::os::args::{flag, long_flag};
use crate::os::fs::node::Kind;
use crate::os::kernel::Proc;

spec!(
    SPEC,
    "file",
    "[OPTION...] [FILE...]",
    [flag('b', "brief"), flag('L', "dereference"), flag('i', "mime"), long_flag("mime-type")]
);

/// `file`.
pub async fn main(proc: Proc) -> i32 {
    run(proc, &SPEC, |run| Box::pin(body(run))).await
}

async fn body(run: &mut Run) -> Done {
    if run.args.operands.is_empty() {
        return Ok(run.missing("missing operand").await);
    }
    if run.args.has('i') || run.args.has("mime-type") {
        run.complain("MIME types are not simulated").await;
        return Ok(1);
    }
    let operands = run.args.operands.clone();
    let width = operands.iter().map(|o| o.len()).max().unwrap_or(0) + 1;
    for path in operands {
        let what = describe(run, &path).await;
        let prefix = if run.args.has('b') { String::new() } else { format!("{:width$} ", format!("{path}:")) };
        run.put(format!("{prefix}{what}\n")).await?;
    }
    Ok(0)
}

async fn describe(run: &Run, path: &[u8]) -> String {
    let stat = if run.args.has('L') { run.proc.stat(path) } else { run.proc.lstat(path) };
    let stat = match stat {
        Ok(stat) => stat,
        Err(error) => {
            let name = path.to_str_lossy();
            return format!("cannot open `{name}' ({})", error.strerror());
        }
    };
    match stat.kind {
        Kind::Dir if stat.meta.mode & 0o1000 != 0 => return "sticky, directory".to_owned(),
        Kind::Dir => return "directory".to_owned(),
        Kind::Symlink => {
            let target = run.proc.readlink(path).unwrap_or_default();
            let broken = if run.proc.stat(path).is_err() { "broken symbolic link to" } else { "symbolic link to" };
            return format!("{broken} {target}");
        }
        Kind::Fifo => return "fifo (named pipe)".to_owned(),
        Kind::Socket => return "socket".to_owned(),
        Kind::CharDevice | Kind::BlockDevice => {
            let (major, minor) = stat.device.unwrap_or_default();
            let kind = if stat.kind == Kind::CharDevice { "character" } else { "block" };
            return format!("{kind} special ({major}/{minor})");
        }
        Kind::File => {}
    }
    let head = match run.proc.read_file(path).await {
        Ok(content) => content.head(4096),
        Err(_) => return "regular file, no read permission".to_owned(),
    };
    let script = head.strip_prefix(b"#!").and_then(|rest| rest.lines().next());
    let text = match head.as_slice() {
        [] => "empty",
        [0x7f, b'E', b'L', b'F', ..] => "ELF 64-bit LSB executable, x86-64, version 1 (SYSV)",
        [0x1f, 0x8b, ..] => "gzip compressed data",
        [0xfd, b'7', b'z', b'X', b'Z', ..] => "XZ compressed data",
        [0x89, b'P', b'N', b'G', ..] => "PNG image data",
        [b'P', b'K', 3, 4, ..] => "Zip archive data",
        _ if head.get(257..262) == Some(b"ustar") => "POSIX tar archive",
        _ if script.is_some_and(|s| s.ends_with(b"/bash")) => "Bourne-Again shell script, ASCII text executable",
        _ if script.is_some_and(|s| s.ends_with(b"/sh")) => "POSIX shell script, ASCII text executable",
        _ if head.contains(&0) => "data",
        _ if head.trim_ascii_start().to_ascii_lowercase().starts_with(b"<!doctype html") => "HTML document, ASCII text",
        _ if head.is_ascii() => "ASCII text",
        // A character may be cut at the end of what was read.
        _ if head.to_str().map_or_else(|e| e.valid_up_to() + 4 > head.len(), |_| true) => "UTF-8 Unicode text",
        _ => "ISO-8859 text",
    };
    text.to_owned()
}
