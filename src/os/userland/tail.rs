//! `tail`, also of files that grow.

use std::time::Duration;

use bstr::BString;

use super::head::{cannot_open, header};
use super::program::{Done, PIECE, Run, quoted, spec, text};
use super::sleep::interval;
use crate::base::errno::Errno;
use crate::base::rope::Rope;
use crate::os::args::number::gnu_size;
use crate::os::args::{flag, long_value, optional, value};
use crate::os::kernel::{Fd, Open, Proc};

spec!(
    SPEC,
    "tail",
    "[OPTION]... [FILE]...",
    [
        value('n', "lines"),
        value('c', "bytes"),
        optional('f', "follow"),
        flag('F', ""),
        flag('q', "quiet"),
        flag('v', "verbose"),
        value('s', "sleep-interval"),
        flag('\0', "retry"),
        long_value("pid"),
    ],
    digits: Some('n')
);

/// `tail`.
pub async fn main(proc: Proc) -> i32 {
    // `-f` takes no attached value, but `--follow` does; `-5f` is old but common.
    let argv: Vec<BString> = proc
        .args()
        .into_iter()
        .flat_map(|word| match word.as_slice() {
            [b'-', digits @ .., b'f'] if !digits.is_empty() && digits.iter().all(u8::is_ascii_digit) => {
                vec![[b"-n", digits].concat().into(), "-f".into()]
            }
            [b'-', b'f', rest @ ..] if !rest.is_empty() => vec!["-f".into(), [b"-", rest].concat().into()],
            _ => vec![word],
        })
        .collect();
    super::program::run_as(proc, &SPEC, &argv, |run| Box::pin(body(run))).await
}

async fn body(run: &mut Run) -> Done {
    let bytes = run.args.last_of(&['n', 'c']) == Some('c');
    let given = run.args.value(if bytes { 'c' } else { 'n' }).map(ToOwned::to_owned);
    let given: BString = given.unwrap_or_else(|| "10".into());
    let (from_start, digits) = match given.strip_prefix(b"+") {
        Some(digits) => (true, digits),
        None => (false, given.strip_prefix(b"-").unwrap_or(&given)),
    };
    let Some(count) = gnu_size(digits) else {
        let what = if bytes { "bytes" } else { "lines" };
        run.complain(format!("invalid number of {what}: {}", quoted(&given))).await;
        return Ok(1);
    };
    let pause = run.args.value('s').and_then(|s| interval(&text(s))).unwrap_or(Duration::from_secs(1));
    let follow = run.args.has('f') || run.args.has('F');
    let retry = run.args.has('F') || run.args.has("retry");
    let inputs = run.inputs();
    let headed = run.args.has('v') || (inputs.len() > 1 && !run.args.has('q'));
    let mut open: Vec<(BString, Option<Fd>, u64)> = Vec::new();
    for (index, path) in inputs.into_iter().enumerate() {
        let fd = match run.input(&path) {
            Ok(fd) => fd,
            Err(error) => {
                cannot_open(run, &path, error).await;
                if retry && follow {
                    open.push((path, None, 0));
                }
                continue;
            }
        };
        if headed {
            header(run, &path, index == 0).await?;
        }
        match run.proc.read_all(fd).await {
            Ok(content) => {
                let start = if bytes {
                    start_of_bytes(&content, count, from_start)
                } else {
                    start_of_lines(run, &content, count, from_start).await
                };
                run.put_rope(&content.slice(start..content.len())).await?;
                open.push((path, Some(fd), content.len()));
            }
            Err(error) => run.complain_of("error reading", &path, error).await,
        }
    }
    if !follow || open.iter().all(|(path, ..)| path == "-") {
        return Ok(0);
    }
    follow_files(run, open, pause, headed, retry).await
}

fn start_of_bytes(content: &Rope, count: u64, from_start: bool) -> u64 {
    if from_start { count.saturating_sub(1) } else { content.len().saturating_sub(count) }
}

/// Where the last `count` lines begin, or line `count` from the start.
async fn start_of_lines(run: &Run, content: &Rope, count: u64, from_start: bool) -> u64 {
    if from_start {
        let (mut at, mut left) = (0, count.saturating_sub(1));
        while left > 0 && at < content.len() {
            run.proc.tick().await;
            let piece = content.slice(at..at + PIECE).to_vec();
            for byte in piece {
                at += 1;
                if byte == b'\n' {
                    left -= 1;
                    if left == 0 {
                        return at;
                    }
                }
            }
        }
        return if left > 0 { content.len() } else { at };
    }
    if count == 0 {
        return content.len();
    }
    let (mut end, mut left) = (content.len(), count);
    while end > 0 {
        run.proc.tick().await;
        let from = end.saturating_sub(PIECE);
        let piece = content.slice(from..end).to_vec();
        for (index, byte) in piece.iter().enumerate().rev() {
            let at = from + index as u64;
            if *byte == b'\n' && at + 1 != content.len() {
                left -= 1;
                if left == 0 {
                    return at + 1;
                }
            }
        }
        end = from;
    }
    0
}

async fn follow_files(
    run: &mut Run,
    mut open: Vec<(BString, Option<Fd>, u64)>,
    pause: Duration,
    headed: bool,
    retry: bool,
) -> Done {
    let mut last = open.len().saturating_sub(1);
    loop {
        run.flush().await?;
        if run.proc.sleep(pause).await == Err(Errno::EINTR) {
            run.proc.take_signal();
        }
        for (index, (path, fd, seen)) in open.iter_mut().enumerate() {
            if fd.is_none() {
                if let Ok(new) = run.proc.open(path, Open::READ) {
                    let text = format!("{} has appeared;  following new file", quoted(path));
                    run.complain(text).await;
                    (*fd, *seen) = (Some(new), 0);
                }
                continue;
            }
            let Some(own) = *fd else { continue };
            // A lower file that is copied up gets a new inode: look at the path again.
            if let (Ok(now), Ok(then)) = (run.proc.stat(path), run.proc.fstat(own))
                && (retry || path != "-")
                && (now.dev, now.ino, now.size_bytes < *seen) != (then.dev, then.ino, false)
                && let Ok(new) = run.proc.open(path, Open::READ)
            {
                let _ = run.proc.close(own);
                *fd = Some(new);
                if now.size_bytes < *seen {
                    let text = format!("{path}: file truncated");
                    run.complain(text).await;
                    *seen = 0;
                }
                let _ = run.proc.seek(new, *seen);
            }
            let Some(own) = *fd else { continue };
            while let Ok(piece) = run.proc.read(own, 1 << 20).await
                && !piece.is_empty()
            {
                if headed && index != last {
                    header(run, path, false).await?;
                }
                last = index;
                *seen += piece.len();
                run.put_rope(&piece).await?;
            }
        }
    }
}
