//! `paste`, `comm`, `fold`, `split`, `column`, `shuf`, `strings`, `expand`: lines put together, taken apart and laid out.

use std::cmp::Ordering;

use bstr::{BString, ByteSlice};

use super::program::{Done, Lines, Run, chomp, maybe_quoted, number, quoted, run, spec, text};
use crate::base::errno::Errno;
use crate::base::rope::Rope;
use crate::os::args::number::gnu_size;
use crate::os::args::{flag, long_flag, value};
use crate::os::kernel::Proc;

spec!(
    PASTE,
    "paste",
    "[OPTION]... [FILE]...",
    [value('d', "delimiters"), flag('s', "serial"), flag('z', "zero-terminated")]
);
spec!(
    COMM,
    "comm",
    "[OPTION]... FILE1 FILE2",
    [flag('1', ""), flag('2', ""), flag('3', ""), long_flag("nocheck-order")]
);
spec!(FOLD, "fold", "[OPTION]... [FILE]...", [value('w', "width"), flag('s', "spaces"), flag('b', "bytes")], digits: Some('w'));
spec!(
    SPLIT,
    "split",
    "[OPTION]... [FILE [PREFIX]]",
    [value('b', "bytes"), value('l', "lines"), value('a', "suffix-length"), flag('d', ""), long_flag("numeric-suffixes")],
    digits: Some('l')
);
spec!(
    COLUMN,
    "column",
    "[options] [<file>...]",
    [
        flag('t', "table"),
        value('s', "separator"),
        value('o', "output-separator"),
        value('c', "output-width"),
        value('N', "table-columns")
    ]
);
spec!(
    SHUF,
    "shuf",
    "[OPTION]... [FILE]",
    [flag('e', "echo"), value('i', "input-range"), value('n', "head-count"), value('o', "output"), flag('r', "repeat")]
);
spec!(STRINGS, "strings", "[option(s)] [file(s)]", [flag('a', "all"), flag('f', "print-file-name"), value('n', "bytes"), value('t', "radix"), flag('o', "")], digits: Some('n'));
spec!(EXPAND, "expand", "[OPTION]... [FILE]...", [value('t', "tabs"), flag('i', "initial")]);

/// `paste`.
pub async fn paste(proc: Proc) -> i32 {
    run(proc, &PASTE, |run| Box::pin(paste_body(run))).await
}

/// `comm`.
pub async fn comm(proc: Proc) -> i32 {
    run(proc, &COMM, |run| Box::pin(comm_body(run))).await
}

/// `fold`.
pub async fn fold(proc: Proc) -> i32 {
    run(proc, &FOLD, |run| Box::pin(fold_body(run))).await
}

/// `split`.
pub async fn split(proc: Proc) -> i32 {
    run(proc, &SPLIT, |run| Box::pin(split_body(run))).await
}

/// `column`.
pub async fn column(proc: Proc) -> i32 {
    run(proc, &COLUMN, |run| Box::pin(column_body(run))).await
}

/// `shuf`.
pub async fn shuf(proc: Proc) -> i32 {
    run(proc, &SHUF, |run| Box::pin(shuf_body(run))).await
}

/// `strings`.
pub async fn strings(proc: Proc) -> i32 {
    run(proc, &STRINGS, |run| Box::pin(strings_body(run))).await
}

/// `expand`.
pub async fn expand(proc: Proc) -> i32 {
    run(proc, &EXPAND, |run| Box::pin(expand_body(run))).await
}

/// An operand's lines, to be taken one by one.
fn open(run: &Run, path: &[u8]) -> Result<Lines, Errno> {
    Ok(Lines::new(&run.proc, run.input(path)?))
}

/// The next line without its end.
async fn next(lines: &mut Lines) -> Result<Option<Vec<u8>>, Errno> {
    Ok(lines.next().await?.map(|line| chomp(&line).0.to_vec()))
}

async fn paste_body(run: &mut Run) -> Done {
    let raw = run.args.value('d').map_or_else(|| b"\t".to_vec(), |d| d.to_vec());
    // `\n`, `\t`, `\\` and `\0` (nothing).
    let (mut delimiters, mut bytes): (Vec<Vec<u8>>, _) = (Vec::new(), raw.into_iter());
    while let Some(byte) = bytes.next() {
        delimiters.push(match (byte, if byte == b'\\' { bytes.next() } else { None }) {
            (b'\\', Some(b'n')) => vec![b'\n'],
            (b'\\', Some(b't')) => vec![b'\t'],
            (b'\\', Some(b'0')) => Vec::new(),
            (b'\\', Some(other)) => vec![other],
            _ => vec![byte],
        });
    }
    let delimiter = |place: usize| delimiters.get(place % delimiters.len().max(1)).cloned().unwrap_or_default();
    let mut files = Vec::new();
    for path in run.inputs() {
        match open(run, &path) {
            Ok(lines) => files.push(lines),
            Err(error) => run.complain_path(&path, error).await,
        }
    }
    if run.args.has('s') {
        for lines in &mut files {
            let (mut place, mut out) = (0, Vec::new());
            while let Some(line) = next(lines).await? {
                if place > 0 {
                    out.extend(delimiter(place - 1));
                }
                out.extend(line);
                place += 1;
            }
            out.push(b'\n');
            run.put(out).await?;
        }
        return Ok(0);
    }
    loop {
        let (mut out, mut any) = (Vec::new(), false);
        for (place, lines) in files.iter_mut().enumerate() {
            if place > 0 {
                out.extend(delimiter(place - 1));
            }
            if let Some(line) = next(lines).await? {
                any = true;
                out.extend(line);
            }
        }
        if !any {
            return Ok(0);
        }
        out.push(b'\n');
        run.put(out).await?;
    }
}

async fn comm_body(run: &mut Run) -> Done {
    let [first, second] = run.args.operands.as_slice() else {
        let text = match run.args.operands.last() {
            Some(last) => format!("missing operand after {}", quoted(last)),
            None => "missing operand".to_owned(),
        };
        return Ok(run.missing(text).await);
    };
    let (first, second) = (first.clone(), second.clone());
    let mut both = Vec::new();
    for path in [first, second] {
        match open(run, &path) {
            Ok(lines) => both.push(lines),
            Err(error) => {
                run.complain_path(&path, error).await;
                return Ok(1);
            }
        }
    }
    let [left, right] = both.as_mut_slice() else { return Ok(1) };
    let hidden = ['1', '2', '3'].map(|letter| run.args.has(letter));
    let [no_left, no_right, no_both] = hidden;
    let (mut a, mut b) = (next(left).await?, next(right).await?);
    loop {
        let order = match (&a, &b) {
            (None, None) => return Ok(0),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(a), Some(b)) => a.cmp(b),
        };
        let tabs = match order {
            Ordering::Less => 0,
            Ordering::Greater => usize::from(!no_left),
            Ordering::Equal => usize::from(!no_left) + usize::from(!no_right),
        };
        let hidden = match order {
            Ordering::Less => no_left,
            Ordering::Greater => no_right,
            Ordering::Equal => no_both,
        };
        let line = if order == Ordering::Greater { b.clone() } else { a.clone() };
        if !hidden {
            run.put(["\t".repeat(tabs).as_bytes(), &line.unwrap_or_default(), b"\n"].concat()).await?;
        }
        if order != Ordering::Greater {
            a = next(left).await?;
        }
        if order != Ordering::Less {
            b = next(right).await?;
        }
    }
}

async fn fold_body(run: &mut Run) -> Done {
    let width = run.args.value('w').map_or(Some(80), |w| number::<usize>(w)).filter(|w| *w > 0);
    let Some(width) = width else {
        let text = format!("invalid number of columns: {}", quoted(run.args.value('w').map_or(b"", |w| w)));
        run.complain(text).await;
        return Ok(1);
    };
    let spaces = run.args.has('s');
    for path in run.inputs() {
        let Some(rope) = run.slurp(&path).await else { continue };
        for line in rope.to_vec().split_inclusive(|byte| *byte == b'\n') {
            let (mut rest, newline) = chomp(line);
            while rest.len() > width {
                let piece = rest.get(..width).unwrap_or_default();
                let cut = piece.rfind_byte(b' ').filter(|_| spaces).map_or(width, |at| at + 1);
                let (piece, after) = rest.split_at_checked(cut).unwrap_or((rest, b""));
                run.put([piece, b"\n"].concat()).await?;
                rest = after;
            }
            run.put([rest, if newline { b"\n" } else { b"" }].concat()).await?;
        }
    }
    Ok(0)
}

async fn split_body(run: &mut Run) -> Done {
    let path = run.args.operands.first().cloned().unwrap_or_else(|| "-".into());
    let prefix = run.args.operands.get(1).cloned().unwrap_or_else(|| "x".into());
    let length = run.args.value('a').map_or(Some(2), |a| number::<u32>(a)).filter(|a| (1..=10).contains(a));
    let bytes = run.args.value('b').map(|b| gnu_size(b).filter(|b| *b > 0));
    let lines = run.args.value('l').map_or(Some(1000), |l| number::<usize>(l)).filter(|l| *l > 0);
    let (Some(length), Some(lines), false) = (length, lines, bytes == Some(None)) else {
        let usage = run.usage("invalid number").await;
        return Ok(usage);
    };
    let numeric = run.args.has('d') || run.args.has("numeric-suffixes");
    let Some(rope) = run.slurp(&path).await else { return Ok(1) };
    let mut ends = Vec::new();
    match bytes.flatten() {
        Some(size) => {
            let mut at = 0;
            while at < rope.len() {
                at = at.saturating_add(size).min(rope.len());
                ends.push(at);
                run.proc.tick().await;
            }
        }
        None => {
            let (mut at, mut count) = (0, 0);
            for line in rope.to_vec().split_inclusive(|byte| *byte == b'\n') {
                at += line.len() as u64;
                count += 1;
                if count % lines == 0 {
                    ends.push(at);
                }
            }
            if ends.last() != Some(&at) && at > 0 {
                ends.push(at);
            }
        }
    }
    let (base, mut start) = (if numeric { 10 } else { 26 }, 0);
    for (place, end) in ends.into_iter().enumerate() {
        let (mut rest, mut suffix) = (place, Vec::new());
        for _ in 0..length {
            suffix.insert(0, if numeric { b'0' } else { b'a' } + (rest % base) as u8);
            rest /= base;
        }
        if rest > 0 {
            run.complain("output file suffixes exhausted").await;
            return Ok(1);
        }
        let name: BString = [prefix.as_slice(), &suffix].concat().into();
        if let Err(error) = run.proc.write_file(&name, &rope.slice(start..end)).await {
            run.complain_path(&name, error).await;
            return Ok(1);
        }
        start = end;
    }
    Ok(0)
}

async fn column_body(run: &mut Run) -> Done {
    let mut rows = Vec::new();
    for path in run.inputs() {
        let Some(rope) = run.slurp(&path).await else { continue };
        rows.extend(text(&rope.to_vec()).lines().filter(|line| !line.trim().is_empty()).map(str::to_owned));
    }
    if !run.args.has('t') {
        // Filled column by column, as wide as the screen.
        let screen = run.proc.tty_of(1).map_or(80, |id| usize::from(run.proc.win_size(id).cols));
        let screen = run.args.value('c').and_then(|c| number::<usize>(c)).unwrap_or(screen);
        let widest = rows.iter().map(|row| row.chars().count()).max().unwrap_or(0);
        let cell = (widest + 8) / 8 * 8;
        let columns = (screen / cell.max(1)).max(1);
        let height = rows.len().div_ceil(columns);
        for line in 0..height {
            let cells: Vec<&String> = rows.iter().skip(line).step_by(height.max(1)).collect();
            let mut out = String::new();
            for (place, text) in cells.iter().enumerate() {
                out.push_str(text);
                if place + 1 < cells.len() {
                    out.push_str(&"\t".repeat((cell - text.chars().count()).div_ceil(8)));
                }
            }
            run.put(out + "\n").await?;
        }
        return Ok(0);
    }
    let separators = run.args.value('s').map(|s| text(s));
    let between = run.args.value('o').map_or_else(|| "  ".to_owned(), |o| text(o));
    let mut table: Vec<Vec<String>> = Vec::new();
    if let Some(names) = run.args.value('N') {
        table.push(text(names).split(',').map(str::to_owned).collect());
    }
    table.extend(rows.iter().map(|row| match &separators {
        Some(separators) => row.split(|c| separators.contains(c)).map(str::to_owned).collect::<Vec<_>>(),
        None => row.split_whitespace().map(str::to_owned).collect(),
    }));
    let columns = table.iter().map(Vec::len).max().unwrap_or(0);
    let width =
        |n: usize| table.iter().filter_map(|row| row.get(n)).map(|cell| cell.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    for row in &table {
        let mut cells = Vec::new();
        for (cell, width) in row.iter().zip(&widths) {
            cells.push(if cells.len() + 1 == columns { cell.clone() } else { format!("{cell:<width$}") });
        }
        run.put(cells.join(&between) + "\n").await?;
    }
    Ok(0)
}

async fn shuf_body(run: &mut Run) -> Done {
    let mut items: Vec<BString> = Vec::new();
    if let Some(range) = run.args.value('i').map(|i| text(i)) {
        let ends = range.split_once('-').and_then(|(a, b)| Some((a.parse::<u64>().ok()?, b.parse::<u64>().ok()?)));
        let Some((first, last)) = ends.filter(|(first, last)| first <= last && last - first < 1 << 20) else {
            run.complain(format!("invalid input range: {}", quoted(range.as_bytes()))).await;
            return Ok(1);
        };
        items.extend((first..=last).map(|n| BString::from(n.to_string())));
    } else if run.args.has('e') {
        items.clone_from(&run.args.operands);
    } else {
        let path = run.args.operands.first().cloned().unwrap_or_else(|| "-".into());
        let Some(rope) = run.slurp(&path).await else { return Ok(1) };
        items.extend(rope.to_vec().lines().map(BString::from));
    }
    let count = run.args.value('n').map_or(Some(usize::MAX), |n| number::<usize>(n));
    let Some(count) = count else {
        run.complain("invalid line count").await;
        return Ok(1);
    };
    // Chance is the kernel's: the same machine shuffles the same way.
    let seed = u64::from(run.proc.gpid()) << 32 ^ run.proc.now().0.cast_unsigned();
    let mut rng = run.proc.kernel().rng(seed);
    let mut out = Vec::new();
    if run.args.has('r') {
        for _ in 0..count.min(1 << 20) {
            let Some(item) = items.get(rng.below(items.len().max(1) as u64) as usize) else { break };
            out.extend_from_slice(&[item.as_slice(), b"\n"].concat());
        }
    } else {
        let mut left = count;
        while left > 0 && !items.is_empty() {
            let item = items.swap_remove(rng.below(items.len() as u64) as usize);
            out.extend_from_slice(&[item.as_slice(), b"\n"].concat());
            left -= 1;
        }
    }
    match run.args.value('o').map(ToOwned::to_owned) {
        Some(path) => {
            if let Err(error) = run.proc.write_file(&path, &Rope::from(out)).await {
                run.complain_path(&path, error).await;
            }
        }
        None => run.put(out).await?,
    }
    Ok(0)
}

async fn strings_body(run: &mut Run) -> Done {
    let least = run.args.value('n').map_or(Some(4), |n| number::<usize>(n)).filter(|n| *n > 0);
    let Some(least) = least else {
        run.complain("invalid minimum string length").await;
        return Ok(1);
    };
    let radix = match run.args.has('o') {
        true => Some(b'o'),
        false => run.args.value('t').and_then(|t| t.first().copied()),
    };
    for path in run.inputs() {
        let Some(rope) = run.slurp(&path).await else { continue };
        let (mut at, mut found, mut began) = (0u64, Vec::new(), 0u64);
        // In pieces: a program's bulk need not be held at once.
        while at <= rope.len() {
            let piece = rope.slice(at..(at + (1 << 16)).min(rope.len())).to_vec();
            for (place, byte) in piece.iter().copied().chain((piece.len() < 1 << 16).then_some(0)).enumerate() {
                if byte == b'\t' || (b' '..=b'~').contains(&byte) {
                    if found.is_empty() {
                        began = at + place as u64;
                    }
                    found.push(byte);
                    continue;
                }
                if found.len() >= least {
                    let name = if run.args.has('f') { format!("{}: ", maybe_quoted(&path)) } else { String::new() };
                    let offset = match radix {
                        Some(b'd') => format!("{began:7} "),
                        Some(b'x') => format!("{began:7x} "),
                        Some(_) => format!("{began:7o} "),
                        None => String::new(),
                    };
                    run.put([name.as_bytes(), offset.as_bytes(), &found, b"\n"].concat()).await?;
                }
                found.clear();
            }
            run.proc.work(16).await;
            at += 1 << 16;
        }
    }
    Ok(0)
}

async fn expand_body(run: &mut Run) -> Done {
    let width = run.args.value('t').map_or(Some(8), |t| number::<usize>(t)).filter(|t| (1..=256).contains(t));
    let Some(width) = width else {
        run.complain("tab size cannot be 0").await;
        return Ok(1);
    };
    for path in run.inputs() {
        let Some(rope) = run.slurp(&path).await else { continue };
        let (mut out, mut column) = (Vec::new(), 0);
        for byte in rope.to_vec() {
            match byte {
                b'\t' => {
                    let blanks = width - column % width;
                    out.extend(std::iter::repeat_n(b' ', blanks));
                    column += blanks;
                }
                byte => {
                    out.push(byte);
                    column = if byte == b'\n' { 0 } else { column + 1 };
                }
            }
        }
        run.put(out).await?;
    }
    Ok(0)
}
