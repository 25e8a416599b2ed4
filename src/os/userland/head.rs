//! `head`.

use super::program::{Done, Lines, PIECE, Run, chomp, quoted, run, spec};
use crate::base::errno::Errno;
use crate::os::args::number::gnu_size;
use crate::os::args::{flag, value};
use crate::os::kernel::{Fd, Proc};

spec!(
    SPEC,
    "head",
    "[OPTION]... [FILE]...",
    [value('n', "lines"), value('c', "bytes"), flag('q', "quiet"), flag('q', "silent"), flag('v', "verbose")],
    digits: Some('n')
);

/// `head`.
pub async fn main(proc: Proc) -> i32 {
    run(proc, &SPEC, |run| Box::pin(body(run))).await
}

async fn body(run: &mut Run) -> Done {
    let bytes = run.args.last_of(&['n', 'c']) == Some('c');
    let given = run.args.value(if bytes { 'c' } else { 'n' }).map(ToOwned::to_owned);
    let given = given.unwrap_or_else(|| "10".into());
    let (but_last, digits) = match given.strip_prefix(b"-") {
        Some(digits) => (true, digits),
        None => (false, given.strip_prefix(b"+").unwrap_or(&given)),
    };
    let Some(count) = gnu_size(digits) else {
        let what = if bytes { "bytes" } else { "lines" };
        run.complain(format!("invalid number of {what}: {}", quoted(&given))).await;
        return Ok(1);
    };
    let inputs = run.inputs();
    let headed = run.args.has('v') || (inputs.len() > 1 && !run.args.has('q'));
    let mut first = true;
    for path in inputs {
        let fd = match run.input(&path) {
            Ok(fd) => fd,
            Err(error) => {
                cannot_open(run, &path, error).await;
                continue;
            }
        };
        if headed {
            header(run, &path, first).await?;
        }
        first = false;
        let done = match (bytes, but_last) {
            (true, false) => head_bytes(run, fd, count).await?,
            (true, true) => all_but(run, fd, count).await?,
            (false, false) => head_lines(run, fd, count).await?,
            (false, true) => all_but_lines(run, fd, count).await?,
        };
        run.done_with(fd);
        if let Err(error) = done {
            run.complain_of("error reading", &path, error).await;
        }
    }
    Ok(0)
}

/// Complains that a file can't be opened, as `head` and `tail` do.
pub async fn cannot_open(run: &mut Run, path: &[u8], error: Errno) {
    if run.is_busybox() {
        run.complain_path(path, error).await;
    } else {
        run.complain(format!("cannot open {} for reading: {}", quoted(path), error.strerror())).await;
    }
}

/// `==> name <==`.
///
/// # Errors
/// Those of a write.
pub async fn header(run: &mut Run, path: &[u8], first: bool) -> Result<(), Errno> {
    let name: &[u8] = if path == b"-" { b"standard input" } else { path };
    let gap: &[u8] = if first { b"" } else { b"\n" };
    run.put([gap, b"==> ", name, b" <==\n"].concat()).await
}

type Copied = Result<Result<(), Errno>, Errno>;

async fn head_bytes(run: &mut Run, fd: Fd, mut count: u64) -> Copied {
    while count > 0 {
        match run.proc.read(fd, count.min(1 << 24)).await {
            Ok(piece) if piece.is_empty() => break,
            Ok(piece) => {
                count -= piece.len();
                run.put_rope(&piece).await?;
            }
            Err(error) => return Ok(Err(error)),
        }
    }
    Ok(Ok(()))
}

async fn head_lines(run: &mut Run, fd: Fd, mut count: u64) -> Copied {
    while count > 0 {
        let piece = match run.proc.read(fd, PIECE / 16).await {
            Ok(piece) if piece.is_empty() => break,
            Ok(piece) => piece.to_vec(),
            Err(error) => return Ok(Err(error)),
        };
        let mut end = piece.len();
        for (at, byte) in piece.iter().enumerate() {
            if *byte == b'\n' {
                count -= 1;
                if count == 0 {
                    end = at + 1;
                    break;
                }
            }
        }
        run.put(piece.get(..end).unwrap_or_default()).await?;
    }
    Ok(Ok(()))
}

async fn all_but(run: &mut Run, fd: Fd, count: u64) -> Copied {
    match run.proc.read_all(fd).await {
        Ok(all) => {
            let kept = all.slice(0..all.len().saturating_sub(count));
            run.put_rope(&kept).await?;
            Ok(Ok(()))
        }
        Err(error) => Ok(Err(error)),
    }
}

async fn all_but_lines(run: &mut Run, fd: Fd, count: u64) -> Copied {
    let mut lines = Lines::new(&run.proc, fd);
    let mut held = std::collections::VecDeque::new();
    loop {
        match lines.next().await {
            Ok(Some(line)) => {
                debug_assert!(chomp(&line).1 || !line.is_empty());
                held.push_back(line);
                if held.len() as u64 > count
                    && let Some(line) = held.pop_front()
                {
                    run.put(line).await?;
                }
            }
            Ok(None) => return Ok(Ok(())),
            Err(error) => return Ok(Err(error)),
        }
    }
}
