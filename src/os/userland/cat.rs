//! `cat`.

use super::program::{Done, PIECE, Run, chomp, maybe_quoted, run, spec};
use crate::base::errno::Errno;
use crate::os::args::flag;
use crate::os::kernel::{Fd, Proc};

spec!(
    SPEC,
    "cat",
    "[OPTION]... [FILE]...",
    [
        flag('A', "show-all"),
        flag('b', "number-nonblank"),
        flag('e', ""),
        flag('E', "show-ends"),
        flag('n', "number"),
        flag('s', "squeeze-blank"),
        flag('t', ""),
        flag('T', "show-tabs"),
        flag('u', ""),
        flag('v', "show-nonprinting"),
    ]
);

/// `cat`.
pub async fn main(proc: Proc) -> i32 {
    run(proc, &SPEC, |run| Box::pin(body(run))).await
}

#[derive(Default)]
struct Marks {
    number: bool,
    number_nonblank: bool,
    squeeze: bool,
    ends: bool,
    tabs: bool,
    nonprinting: bool,
    line: u64,
    at_start: bool,
    blank_before: bool,
}

async fn body(run: &mut Run) -> Done {
    let has = |letter: char| run.args.has(letter);
    let mut marks = Marks {
        number: has('n') && !has('b'),
        number_nonblank: has('b'),
        squeeze: has('s'),
        ends: has('E') || has('A') || has('e'),
        tabs: has('T') || has('A') || has('t'),
        nonprinting: has('v') || has('A') || has('e') || has('t'),
        at_start: true,
        ..Marks::default()
    };
    let plain =
        !(marks.number || marks.number_nonblank || marks.squeeze || marks.ends || marks.tabs || marks.nonprinting);
    for path in run.inputs() {
        let copied = match run.input(&path) {
            Ok(fd) => {
                let copied = if plain { copy(run, fd).await? } else { show(run, fd, &mut marks).await? };
                run.done_with(fd);
                copied
            }
            Err(error) if run.is_busybox() => {
                run.complain(format!("can't open '{path}': {}", error.strerror())).await;
                continue;
            }
            Err(error) => Err(error),
        };
        if let Err(error) = copied {
            if run.is_busybox() {
                run.complain(format!("read error: {}", error.strerror())).await;
            } else {
                run.complain([maybe_quoted(&path).as_slice(), b": ", error.strerror().as_bytes()].concat()).await;
            }
        }
    }
    Ok(0)
}

/// The outer error is one of writing, the inner one of reading.
async fn copy(run: &mut Run, fd: Fd) -> Result<Result<(), Errno>, Errno> {
    loop {
        match run.proc.read(fd, 1 << 24).await {
            Ok(piece) if piece.is_empty() => return Ok(Ok(())),
            Ok(piece) => run.put_rope(&piece).await?,
            Err(error) => return Ok(Err(error)),
        }
    }
}

async fn show(run: &mut Run, fd: Fd, marks: &mut Marks) -> Result<Result<(), Errno>, Errno> {
    let mut lines = super::program::Lines::new(&run.proc, fd);
    loop {
        let line = match lines.next().await {
            Ok(Some(line)) => line,
            Ok(None) => return Ok(Ok(())),
            Err(error) => return Ok(Err(error)),
        };
        let (content, ended) = chomp(&line);
        let blank = content.is_empty() && marks.at_start;
        if blank && marks.blank_before && marks.squeeze {
            continue;
        }
        marks.blank_before = blank;
        let mut out = Vec::with_capacity(content.len() + 8);
        if marks.at_start && (marks.number || marks.number_nonblank && !blank) {
            marks.line += 1;
            out.extend_from_slice(format!("{:6}\t", marks.line).as_bytes());
        }
        for byte in content {
            visible(*byte, marks, &mut out);
        }
        if ended {
            if marks.ends {
                out.push(b'$');
            }
            out.push(b'\n');
        }
        marks.at_start = ended;
        run.put(&out).await?;
        if line.len() as u64 >= PIECE {
            run.flush().await?;
        }
    }
}

fn visible(byte: u8, marks: &Marks, out: &mut Vec<u8>) {
    match byte {
        b'\t' if marks.tabs => out.extend_from_slice(b"^I"),
        b'\t' => out.push(b'\t'),
        _ if !marks.nonprinting => out.push(byte),
        _ => {
            let low = if byte >= 128 {
                out.extend_from_slice(b"M-");
                byte - 128
            } else {
                byte
            };
            match low {
                0..32 => out.extend_from_slice(&[b'^', low + 64]),
                127 => out.extend_from_slice(b"^?"),
                _ => out.push(low),
            }
        }
    }
}
