//! `sort`, in the order of bytes (the C locale, as in a container).

use crate::base::sort::Arrange;
use std::cmp::Ordering;

use bstr::{BString, ByteSlice};

use super::program::{Done, Lines, Run, number, quoted, run, spec};
use crate::base::rope::Rope;
use crate::os::args::{flag, value};
use crate::os::kernel::Proc;

spec!(
    SPEC,
    "sort",
    "[OPTION]... [FILE]...",
    [
        flag('b', "ignore-leading-blanks"),
        flag('d', "dictionary-order"),
        flag('f', "ignore-case"),
        flag('g', "general-numeric-sort"),
        flag('h', "human-numeric-sort"),
        flag('M', "month-sort"),
        flag('n', "numeric-sort"),
        flag('r', "reverse"),
        flag('V', "version-sort"),
        flag('c', "check"),
        flag('m', "merge"),
        flag('s', "stable"),
        flag('u', "unique"),
        flag('z', "zero-terminated"),
        value('k', "key"),
        value('o', "output"),
        value('t', "field-separator"),
        value('S', "buffer-size"),
        value('T', "temporary-directory"),
    ],
    usage_status: 2
);

/// `sort`.
pub async fn main(proc: Proc) -> i32 {
    run(proc, &SPEC, |run| Box::pin(body(run))).await
}

#[derive(Clone, Copy, Default)]
struct Order {
    numeric: bool,
    general: bool,
    human: bool,
    month: bool,
    version: bool,
    fold: bool,
    dictionary: bool,
    blanks: bool,
    reverse: bool,
}

#[derive(Clone, Copy)]
struct Key {
    from: (usize, usize),
    to: Option<(usize, usize)>,
    order: Order,
}

impl Order {
    fn set(&mut self, letter: u8) -> bool {
        match letter {
            b'n' => self.numeric = true,
            b'g' => self.general = true,
            b'h' => self.human = true,
            b'M' => self.month = true,
            b'V' => self.version = true,
            b'f' => self.fold = true,
            b'd' => self.dictionary = true,
            b'b' => self.blanks = true,
            b'r' => self.reverse = true,
            b'i' => {}
            _ => return false,
        }
        true
    }

    const fn is_plain(&self) -> bool {
        !(self.numeric
            || self.general
            || self.human
            || self.month
            || self.version
            || self.fold
            || self.dictionary
            || self.blanks
            || self.reverse)
    }
}

async fn body(run: &mut Run) -> Done {
    let mut global = Order::default();
    for (option, _) in run.args.iter() {
        if let (Ok(letter), false) =
            (u8::try_from(option.short), matches!(option.short, 'k' | 't' | 'o' | 'S' | 'T' | 'm'))
        {
            global.set(letter);
        }
    }
    let separator = match run.args.value('t') {
        Some(t) if t.len() == 1 => t.first().copied(),
        Some(t) if t == "\\0" => Some(0),
        Some(t) if t.is_empty() => {
            run.complain("empty tab").await;
            return Ok(2);
        }
        Some(t) => {
            let text = format!("multi-character tab {}", quoted(t));
            run.complain(text).await;
            return Ok(2);
        }
        None => None,
    };
    let mut keys = Vec::new();
    let given: Vec<BString> = run.args.values('k').map(ToOwned::to_owned).collect();
    for text in given {
        match key(&text, global) {
            Some(key) => keys.push(key),
            None => {
                run.complain(format!("-: invalid field specification {}", quoted(&text))).await;
                return Ok(2);
            }
        }
    }
    if keys.is_empty() {
        keys.push(Key { from: (0, 0), to: None, order: global });
    }
    let end = if run.args.has('z') { 0 } else { b'\n' };
    let mut lines: Vec<Vec<u8>> = Vec::new();
    for path in run.inputs() {
        let fd = match run.input(&path) {
            Ok(fd) => fd,
            Err(error) => {
                let text = if run.is_busybox() {
                    format!("{path}: {}", error.strerror())
                } else {
                    format!("cannot read: {path}: {}", error.strerror())
                };
                run.complain(text).await;
                return Ok(2);
            }
        };
        let mut reader = Lines::separated(&run.proc, fd, end);
        loop {
            match reader.next().await {
                Ok(Some(mut line)) => {
                    if line.last() == Some(&end) {
                        line.pop();
                    }
                    lines.push(line);
                }
                Ok(None) => break,
                Err(error) => {
                    run.complain(format!("read failed: {path}: {}", error.strerror())).await;
                    return Ok(2);
                }
            }
        }
        run.done_with(fd);
    }
    let (unique, stable) = (run.args.has('u'), run.args.has('s'));
    let by_keys = |a: &[u8], b: &[u8]| {
        keys.iter().map(|key| compare(key, separator, a, b)).find(|o| o.is_ne()).unwrap_or(Ordering::Equal)
    };
    let order = |a: &Vec<u8>, b: &Vec<u8>| {
        by_keys(a, b).then_with(|| match (unique || stable, global.reverse) {
            (true, _) => Ordering::Equal,
            (false, true) => b.cmp(a),
            (false, false) => a.cmp(b),
        })
    };
    if run.args.has('c') {
        let bad = lines.windows(2).position(|pair| match pair {
            [a, b] => order(a, b).is_gt() || (unique && by_keys(a, b).is_eq()),
            _ => false,
        });
        if let Some(at) = bad {
            let line = lines.get(at + 1).cloned().unwrap_or_default();
            let path = run.inputs().into_iter().next().unwrap_or_default();
            run.complain([path.as_slice(), format!(":{}: disorder: ", at + 2).as_bytes(), &line].concat()).await;
            return Ok(1);
        }
        return Ok(0);
    }
    lines.arrange_by(order);
    if unique {
        lines.dedup_by(|b, a| by_keys(a, b).is_eq());
    }
    if let Some(path) = run.args.value('o').map(ToOwned::to_owned) {
        let mut out = Rope::new();
        for line in &lines {
            out.push_bytes(&[line.as_slice(), &[end]].concat());
        }
        if let Err(error) = run.proc.write_file(&path, &out).await {
            run.complain(format!("open failed: {path}: {}", error.strerror())).await;
            return Ok(2);
        }
        return Ok(0);
    }
    for line in lines {
        run.put([line.as_slice(), &[end]].concat()).await?;
    }
    Ok(0)
}

/// `F[.C][OPTS][,F[.C][OPTS]]`.
fn key(text: &[u8], global: Order) -> Option<Key> {
    let (start, end) = match text.split_once_str(",") {
        Some((start, end)) => (start, Some(end)),
        None => (text, None),
    };
    let mut own = Order::default();
    let mut place = |text: &[u8]| {
        let letters = text.iter().rev().take_while(|b| b.is_ascii_alphabetic()).count();
        let (digits, letters) = text.split_at_checked(text.len() - letters)?;
        if !letters.iter().all(|letter| own.set(*letter)) {
            return None;
        }
        match digits.split_once_str(".") {
            Some((field, character)) => Some((number::<usize>(field)?, number::<usize>(character)?)),
            None => Some((number::<usize>(digits)?, 0)),
        }
    };
    let (field, character) = place(start)?;
    let to = match end {
        Some(end) => Some(place(end)?),
        None => None,
    };
    let order = if own.is_plain() { global } else { own };
    Some(Key { from: (field.checked_sub(1)?, character.saturating_sub(1)), to, order })
}

/// Where field `index` starts and ends. Without a separator a field takes the blanks before it along.
fn field(line: &[u8], separator: Option<u8>, index: usize) -> (usize, usize) {
    let mut at = 0;
    for step in 0.. {
        let rest = line.get(at..).unwrap_or_default();
        let len = match separator {
            Some(separator) => rest.find_byte(separator).unwrap_or(rest.len()),
            None => {
                let blanks = rest.iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
                blanks + rest.iter().skip(blanks).take_while(|b| !matches!(b, b' ' | b'\t')).count()
            }
        };
        if step == index {
            return (at, at + len);
        }
        at += len + usize::from(separator.is_some());
        if at >= line.len() {
            break;
        }
    }
    (line.len(), line.len())
}

fn extract<'a>(key: &Key, separator: Option<u8>, line: &'a [u8]) -> &'a [u8] {
    let start = if key.from == (0, 0) { 0 } else { field(line, separator, key.from.0).0 + key.from.1 };
    let end = match key.to {
        None => line.len(),
        Some((0, _)) => line.len(),
        Some((to, 0)) => field(line, separator, to - 1).1,
        Some((to, character)) => field(line, separator, to - 1).0 + character,
    };
    let end = end.min(line.len());
    let part = line.get(start.min(end)..end).unwrap_or_default();
    if key.order.blanks { part.trim_ascii_start() } else { part }
}

fn compare(key: &Key, separator: Option<u8>, a: &[u8], b: &[u8]) -> Ordering {
    let (a, b) = (extract(key, separator, a), extract(key, separator, b));
    let order = key.order;
    let found = if order.numeric || order.general {
        numeric(a).total_cmp(&numeric(b))
    } else if order.human {
        human(a).total_cmp(&human(b))
    } else if order.month {
        month(a).cmp(&month(b))
    } else if order.version {
        version(a, b)
    } else {
        let kept = |bytes: &[u8]| -> Vec<u8> {
            let all = bytes.iter().filter(|b| !order.dictionary || b.is_ascii_alphanumeric() || **b == b' ');
            all.map(|b| if order.fold { b.to_ascii_uppercase() } else { *b }).collect()
        };
        if order.fold || order.dictionary { kept(a).cmp(&kept(b)) } else { a.cmp(b) }
    };
    if order.reverse { found.reverse() } else { found }
}

fn numeric(text: &[u8]) -> f64 {
    let text = text.trim_ascii_start();
    let mut len = 0;
    let mut point = false;
    for (at, byte) in text.iter().enumerate() {
        match byte {
            b'-' if at == 0 => {}
            b'0'..=b'9' => {}
            b'.' if !point => point = true,
            _ => break,
        }
        len = at + 1;
    }
    let number = text.get(..len).unwrap_or_default();
    let number: f64 = number.to_str().ok().and_then(|n| n.trim_end_matches('.').parse().ok()).unwrap_or(0.0);
    // Zero has one place in the order.
    if number == 0.0 { 0.0 } else { number }
}

fn human(text: &[u8]) -> f64 {
    let rest = text.trim_ascii_start();
    let unit = rest.iter().find(|b| b.is_ascii_alphabetic()).copied().unwrap_or(b' ').to_ascii_uppercase();
    let power = b"KMGTPE".find_byte(unit).map_or(0, |at| at as i32 + 1);
    numeric(text) * 1024f64.powi(power)
}

fn month(text: &[u8]) -> usize {
    let head = text.trim_ascii_start().get(..3).unwrap_or_default().to_ascii_lowercase();
    crate::base::time::MONTHS.iter().position(|m| m.as_bytes().to_ascii_lowercase() == head).map_or(0, |m| m + 1)
}

/// Numbers inside the text count as numbers.
fn version(a: &[u8], b: &[u8]) -> Ordering {
    let (mut a, mut b) = (a, b);
    loop {
        let text = |s: &[u8]| s.iter().take_while(|c| !c.is_ascii_digit()).count();
        let digits = |s: &[u8]| s.iter().take_while(|c| c.is_ascii_digit()).count();
        let (ta, tb) = (text(a), text(b));
        let found = a.get(..ta).cmp(&b.get(..tb));
        if found.is_ne() {
            return found;
        }
        (a, b) = (a.get(ta..).unwrap_or_default(), b.get(tb..).unwrap_or_default());
        let (da, db) = (digits(a), digits(b));
        let strip = |s: &[u8]| -> Vec<u8> { s.iter().copied().skip_while(|c| *c == b'0').collect() };
        let (na, nb) = (strip(a.get(..da).unwrap_or_default()), strip(b.get(..db).unwrap_or_default()));
        let found = na.len().cmp(&nb.len()).then_with(|| na.cmp(&nb));
        if found.is_ne() {
            return found;
        }
        (a, b) = (a.get(da..).unwrap_or_default(), b.get(db..).unwrap_or_default());
        if a.is_empty() || b.is_empty() {
            return a.len().cmp(&b.len());
        }
    }
}
