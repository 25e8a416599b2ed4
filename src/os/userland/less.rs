//! `less` and `more`: a pager with the everyday keys; output that is no terminal gets everything.

use bstr::{BString, ByteSlice};

use super::program::{Done, Run, run, spec};
use crate::base::errno::Errno;
use crate::os::args::flag;
use crate::os::kernel::tty::Termios;
use crate::os::kernel::{Fd, Open, Proc, TtyId};

spec!(
    SPEC,
    "less",
    "[OPTION]... [FILE]...",
    [
        flag('R', ""),
        flag('r', ""),
        flag('S', ""),
        flag('N', ""),
        flag('F', ""),
        flag('X', ""),
        flag('i', ""),
        flag('e', ""),
        flag('E', "")
    ]
);

/// Most that is paged, in bytes.
const MAX_BYTES: u64 = 32 << 20;

/// `less`.
pub async fn main(proc: Proc) -> i32 {
    run(proc, &SPEC, |run| Box::pin(body(run))).await
}

async fn body(run: &mut Run) -> Done {
    let tty = run.proc.tty_of(1);
    if run.args.operands.is_empty() && run.proc.tty_of(0).is_some() {
        run.proc.eprint("Missing filename (\"less --help\" for help)\n").await;
        return Ok(1);
    }
    let mut all = Vec::new();
    let mut name = BString::default();
    for path in run.inputs() {
        let Some(content) = run.slurp(&path).await else { continue };
        match tty {
            None => run.put_rope(&content).await?,
            Some(_) => all.extend_from_slice(&content.slice(0..MAX_BYTES).to_vec()),
        }
        name = path;
    }
    let Some(id) = tty.filter(|_| run.status == 0) else { return Ok(0) };
    let keys = if run.proc.tty_of(0).is_some() { Ok(0) } else { run.proc.open(b"/dev/tty", Open::READ) };
    let rows = usize::from(run.proc.win_size(id).rows).saturating_sub(1).max(1);
    let lines: Vec<&[u8]> = all.lines().collect();
    let Some(keys) = keys.ok().filter(|_| !(run.args.has('F') && lines.len() <= rows)) else {
        run.put(&all).await?;
        return Ok(0);
    };
    let before = run.proc.termios(id);
    run.proc.set_termios(id, Termios { nl_to_crnl: true, ..Termios::RAW });
    let paged = page(run, id, keys, &lines, &name).await;
    run.proc.set_termios(id, before);
    paged.map(|()| 0)
}

async fn page(run: &mut Run, id: TtyId, keys: Fd, lines: &[&[u8]], name: &BString) -> Result<(), Errno> {
    let (mut top, mut search, mut typing): (usize, Vec<u8>, Option<Vec<u8>>) = (0, Vec::new(), None);
    run.put("\x1b[?1049h").await?;
    loop {
        let size = run.proc.win_size(id);
        let (rows, cols) = (usize::from(size.rows).saturating_sub(1).max(1), usize::from(size.cols));
        let end = lines.len().saturating_sub(rows);
        top = top.min(end);
        let mut out = b"\x1b[H\x1b[2J".to_vec();
        for line in 0..rows {
            match lines.get(top + line) {
                Some(line) => {
                    let shown: Vec<u8> =
                        line.chars().filter(|c| !c.is_control() || *c == '\x1b').take(cols).collect::<String>().into();
                    out.extend_from_slice(&shown);
                }
                None => out.push(b'~'),
            }
            out.push(b'\n');
        }
        let prompt = match &typing {
            Some(text) => [b"/", text.as_slice()].concat(),
            None if top >= end => b"\x1b[7m(END)\x1b[0m".to_vec(),
            None if top == 0 && name != "-" => [b"\x1b[7m", name.as_slice(), b"\x1b[0m"].concat(),
            None => b":".to_vec(),
        };
        out.extend_from_slice(&prompt);
        run.put(out).await?;
        run.flush().await?;
        let key = match run.proc.read(keys, 16).await {
            Ok(key) if !key.is_empty() => key.to_vec(),
            Err(Errno::EINTR) => {
                run.proc.take_signal();
                continue;
            }
            _ => break,
        };
        if let Some(text) = &mut typing {
            match key.as_slice() {
                b"\r" | b"\n" => {
                    if !text.is_empty() {
                        search.clone_from(text);
                    }
                    typing = None;
                    top =
                        lines.iter().skip(top + 1).position(|l| l.contains_str(&search)).map_or(top, |at| top + 1 + at);
                }
                b"\x7f" | b"\x08" => drop(text.pop()),
                b"\x03" | b"\x1b" => typing = None,
                other => text.extend_from_slice(other),
            }
            continue;
        }
        match key.as_slice() {
            b"q" | b"Q" | b"\x03" => break,
            b" " | b"f" | b"\x1b[6~" | b"\x06" => top += rows,
            b"b" | b"\x1b[5~" | b"\x02" => top = top.saturating_sub(rows),
            b"j" | b"\r" | b"\n" | b"\x1b[B" | b"\x1bOB" => top += 1,
            b"k" | b"\x1b[A" | b"\x1bOA" => top = top.saturating_sub(1),
            b"d" => top += rows / 2,
            b"u" => top = top.saturating_sub(rows / 2),
            b"g" | b"<" | b"\x1b[H" => top = 0,
            b"G" | b">" | b"\x1b[F" => top = end,
            b"/" => typing = Some(Vec::new()),
            b"n" => {
                top = lines.iter().skip(top + 1).position(|l| l.contains_str(&search)).map_or(top, |at| top + 1 + at)
            }
            _ => {}
        }
    }
    run.put("\x1b[?1049l").await
}
