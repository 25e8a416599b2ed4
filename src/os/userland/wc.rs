//! `wc`.

use bstr::ByteSlice;

use super::program::{Done, PIECE, Run, run, spec};
use crate::base::errno::Errno;
use crate::os::args::flag;
use crate::os::fs::node::Kind;
use crate::os::kernel::{Fd, Proc};

spec!(
    SPEC,
    "wc",
    "[OPTION]... [FILE]...",
    [flag('c', "bytes"), flag('m', "chars"), flag('l', "lines"), flag('w', "words"), flag('L', "max-line-length")]
);

/// `wc`.
pub async fn main(proc: Proc) -> i32 {
    run(proc, &SPEC, |run| Box::pin(body(run))).await
}

#[derive(Clone, Copy, Default)]
struct Counts {
    lines: u64,
    words: u64,
    chars: u64,
    bytes: u64,
    longest: u64,
}

async fn body(run: &mut Run) -> Done {
    let any = ['c', 'm', 'l', 'w', 'L'].iter().any(|letter| run.args.has(*letter));
    let only_bytes = any && !['m', 'l', 'w', 'L'].iter().any(|letter| run.args.has(*letter));
    let inputs = run.inputs();
    let mut rows = Vec::new();
    let mut total = Counts::default();
    let mut regular = 0;
    for path in &inputs {
        let opened = run.input(path);
        let counted = match opened {
            Ok(fd) => {
                let stat = run.proc.fstat(fd);
                let regular_bytes = stat.ok().filter(|s| s.kind == Kind::File).map(|s| s.size_bytes);
                regular += regular_bytes.unwrap_or(1 << 20);
                let counted = match regular_bytes {
                    Some(bytes) if only_bytes && fd != 0 => Ok(Counts { bytes, ..Counts::default() }),
                    _ => count(run, fd, only_bytes).await,
                };
                run.done_with(fd);
                counted
            }
            Err(error) => Err(error),
        };
        match counted {
            Ok(counts) => {
                total.lines += counts.lines;
                total.words += counts.words;
                total.chars += counts.chars;
                total.bytes += counts.bytes;
                total.longest = total.longest.max(counts.longest);
                rows.push((counts, path.clone()));
            }
            Err(error) => {
                run.complain_path(path, error).await;
                if error == Errno::EISDIR {
                    rows.push((Counts::default(), path.clone()));
                }
            }
        }
    }
    let unnamed = run.args.operands.is_empty();
    if inputs.len() > 1 {
        rows.push((total, "total".into()));
    }
    let chosen = |letter: char| run.args.has(letter) || (!any && letter != 'm' && letter != 'L');
    let chosen = [chosen('l'), chosen('w'), chosen('m'), chosen('c'), chosen('L')];
    let shown = |counts: &Counts| {
        let [lines, words, chars, bytes, longest] = chosen;
        let all = [
            (lines, counts.lines),
            (words, counts.words),
            (chars, counts.chars),
            (bytes, counts.bytes),
            (longest, counts.longest),
        ];
        all.into_iter().filter(|row| row.0).map(|row| row.1).collect::<Vec<u64>>()
    };
    let columns = shown(&total).len();
    let width = if columns == 1 && inputs.len() == 1 {
        1
    } else if unnamed || regular >= 1 << 20 && regular.to_string().len() < 7 {
        7
    } else {
        regular.to_string().len()
    };
    let width = if unnamed && columns == 1 { 1 } else { width };
    for (counts, path) in rows {
        let numbers: Vec<String> = shown(&counts).iter().map(|n| format!("{n:>width$}")).collect();
        let mut line = numbers.join(" ").into_bytes();
        if !unnamed {
            line.push(b' ');
            line.extend_from_slice(&path);
        }
        line.push(b'\n');
        run.put(line).await?;
    }
    Ok(0)
}

async fn count(run: &Run, fd: Fd, only_bytes: bool) -> Result<Counts, Errno> {
    let mut counts = Counts::default();
    let (mut in_word, mut column) = (false, 0u64);
    loop {
        let piece = run.proc.read(fd, if only_bytes { 1 << 24 } else { PIECE }).await?;
        if piece.is_empty() {
            break;
        }
        counts.bytes += piece.len();
        if only_bytes {
            continue;
        }
        let piece = piece.to_vec();
        counts.chars += piece.iter().filter(|b| (**b & 0xc0) != 0x80).count() as u64;
        counts.lines += piece.find_iter(b"\n").count() as u64;
        for byte in piece {
            let space = byte.is_ascii_whitespace() || byte == 0x0b;
            counts.words += u64::from(!space && !in_word);
            in_word = !space;
            column = match byte {
                b'\n' | b'\r' | 0x0c => 0,
                b'\t' => column + 8 - column % 8,
                _ => column + u64::from(byte & 0xc0 != 0x80),
            };
            counts.longest = counts.longest.max(column);
        }
    }
    Ok(counts)
}
