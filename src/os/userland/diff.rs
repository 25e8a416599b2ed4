//! `diff` (normal and unified, files and `-r` refused) and `cmp`.

use super::program::{Done, Run, number, run, spec};
use crate::base::rope::Rope;
use crate::os::args::{flag, long_flag, optional, value};
use crate::os::kernel::Proc;

spec!(
    SPEC,
    "diff",
    "[OPTION]... FILES",
    [flag('u', ""), value('U', "unified"), flag('q', "brief"), flag('s', "report-identical-files"), flag('N', "new-file"), flag('r', "recursive"), flag('a', "text"), optional('\0', "color"), long_flag("normal")],
    usage_status: 2
);
spec!(CMP, "cmp", "[OPTION]... FILE1 [FILE2 [SKIP1 [SKIP2]]]", [flag('s', "quiet"), flag('s', "silent"), flag('l', "verbose"), flag('b', "print-bytes")], usage_status: 2);

/// Most lines that are compared one with one: beyond it the middle counts as changed.
const MAX_CELLS: usize = 16_000_000;

/// `diff`.
pub async fn main(proc: Proc) -> i32 {
    run(proc, &SPEC, |run| Box::pin(body(run))).await
}

/// `cmp`.
pub async fn cmp(proc: Proc) -> i32 {
    run(proc, &CMP, |run| Box::pin(cmp_body(run))).await
}

async fn pair(run: &mut Run) -> Result<(Rope, Rope), i32> {
    let operands = run.args.operands.clone();
    let (Some(a), Some(b)) = (operands.first(), operands.get(1)) else {
        let text = match operands.first() {
            Some(only) => format!("missing operand after '{only}'"),
            None => "missing operand after 'diff'".to_owned(),
        };
        return Err(run.missing(text).await);
    };
    match (run.slurp(a).await, run.slurp(b).await) {
        (Some(a), Some(b)) => Ok((a, b)),
        _ => Err(2),
    }
}

async fn cmp_body(run: &mut Run) -> Done {
    let (a, b) = match pair(run).await {
        Ok(pair) => pair,
        Err(status) => return Ok(status),
    };
    if a == b {
        return Ok(0);
    }
    if run.args.has('s') {
        return Ok(1);
    }
    let names: Vec<String> = run.args.operands.iter().map(|n| n.to_string()).collect();
    let (first, second) = (names.first().cloned().unwrap_or_default(), names.get(1).cloned().unwrap_or_default());
    let (mut at, mut line) = (0u64, 1u64);
    loop {
        run.proc.tick().await;
        let (x, y) = (a.slice(at..at + 65_536).to_vec(), b.slice(at..at + 65_536).to_vec());
        if let Some(index) = x.iter().zip(&y).position(|(x, y)| x != y) {
            line += x.iter().take(index).filter(|b| **b == b'\n').count() as u64;
            run.put(format!("{first} {second} differ: byte {}, line {line}\n", at + index as u64 + 1)).await?;
            return Ok(1);
        }
        if x.len() != y.len() || x.is_empty() {
            let short = if a.len() < b.len() { first } else { second };
            let bytes = a.len().min(b.len());
            run.complain(format!("EOF on {short} after byte {bytes}")).await;
            return Ok(1);
        }
        line += x.iter().filter(|b| **b == b'\n').count() as u64;
        at += x.len() as u64;
    }
}

/// One step from one file to the other.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Same(usize, usize),
    Less(usize),
    More(usize),
}

fn steps(a: &[Vec<u8>], b: &[Vec<u8>]) -> Vec<Step> {
    let head = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let most = a.len().min(b.len()) - head;
    let tail = a.iter().rev().zip(b.iter().rev()).take(most).take_while(|(x, y)| x == y).count();
    let x = a.get(head..a.len() - tail).unwrap_or_default();
    let y = b.get(head..b.len() - tail).unwrap_or_default();
    let mut out: Vec<Step> = (0..head).map(|i| Step::Same(i, i)).collect();
    let (mut i, mut j) = (0, 0);
    let width = y.len() + 1;
    if x.len().saturating_mul(width) <= MAX_CELLS {
        // Lengths of the longest common subsequence of the rest, from the end.
        let mut table = vec![0u32; (x.len() + 1) * width];
        let at = |table: &[u32], i: usize, j: usize| table.get(i * width + j).copied().unwrap_or(0);
        for i in (0..x.len()).rev() {
            for j in (0..y.len()).rev() {
                let value = if x.get(i) == y.get(j) {
                    at(&table, i + 1, j + 1) + 1
                } else {
                    at(&table, i + 1, j).max(at(&table, i, j + 1))
                };
                if let Some(cell) = table.get_mut(i * width + j) {
                    *cell = value;
                }
            }
        }
        while i < x.len() && j < y.len() {
            if x.get(i) == y.get(j) {
                out.push(Step::Same(head + i, head + j));
                (i, j) = (i + 1, j + 1);
            } else if at(&table, i + 1, j) >= at(&table, i, j + 1) {
                out.push(Step::Less(head + i));
                i += 1;
            } else {
                out.push(Step::More(head + j));
                j += 1;
            }
        }
    }
    out.extend((i..x.len()).map(|i| Step::Less(head + i)));
    out.extend((j..y.len()).map(|j| Step::More(head + j)));
    out.extend((0..tail).map(|t| Step::Same(a.len() - tail + t, b.len() - tail + t)));
    out
}

async fn body(run: &mut Run) -> Done {
    let (a, b) = match pair(run).await {
        Ok(pair) => pair,
        Err(status) => return Ok(status),
    };
    let names: Vec<String> = run.args.operands.iter().map(|n| n.to_string()).collect();
    let (first, second) = (names.first().cloned().unwrap_or_default(), names.get(1).cloned().unwrap_or_default());
    if a == b {
        if run.args.has('s') {
            run.put(format!("Files {first} and {second} are identical\n")).await?;
        }
        return Ok(0);
    }
    if run.args.has('q') {
        run.put(format!("Files {first} and {second} differ\n")).await?;
        return Ok(1);
    }
    let binary = a.head(4096).contains(&0) || b.head(4096).contains(&0) || a.len().max(b.len()) > 64 << 20;
    if binary && !run.args.has('a') {
        run.put(format!("Binary files {first} and {second} differ\n")).await?;
        return Ok(2);
    }
    let split =
        |rope: &Rope| -> Vec<Vec<u8>> { rope.to_vec().split_inclusive(|b| *b == b'\n').map(<[u8]>::to_vec).collect() };
    let (a, b) = (split(&a), split(&b));
    let steps = steps(&a, &b);
    let unified = run.args.has('u') || run.args.has('U') || run.is_busybox();
    let context: usize = run.args.value('U').and_then(|n| number(n)).unwrap_or(3);
    if unified {
        for (mark, name) in [("---", &first), ("+++", &second)] {
            let time = run
                .proc
                .stat(name.as_bytes())
                .map(|s| super::date::strftime("%Y-%m-%d %H:%M:%S.%N %z", s.meta.mtime))
                .unwrap_or_default();
            let line = if run.is_busybox() { format!("{mark} {name}\n") } else { format!("{mark} {name}\t{time}\n") };
            run.put(line).await?;
        }
    }
    let pad = if unified { context } else { 0 };
    let changed: Vec<usize> =
        steps.iter().enumerate().filter(|(_, s)| !matches!(s, Step::Same(..))).map(|row| row.0).collect();
    let mut hunks: Vec<(usize, usize)> = Vec::new();
    for at in changed {
        let (from, to) = (at.saturating_sub(pad), (at + pad + 1).min(steps.len()));
        match hunks.last_mut() {
            Some(last) if last.1 >= from => last.1 = to,
            _ => hunks.push((from, to)),
        }
    }
    for (from, to) in hunks {
        let hunk = steps.get(from..to).unwrap_or_default();
        let before = steps.get(..from).unwrap_or_default();
        let skipped = |more: bool| {
            before.iter().filter(|s| matches!(s, Step::Same(..)) || matches!(s, Step::More(_)) == more).count()
        };
        let (a_from, b_from) = (skipped(false), skipped(true));
        let a_count = hunk.iter().filter(|s| !matches!(s, Step::More(_))).count();
        let b_count = hunk.iter().filter(|s| !matches!(s, Step::Less(_))).count();
        let mut out: Vec<u8> = Vec::new();
        let mut line = |mark: &str, bytes: &[u8]| {
            out.extend_from_slice(mark.as_bytes());
            out.extend_from_slice(bytes);
            if !bytes.ends_with(b"\n") {
                out.extend_from_slice(b"\n\\ No newline at end of file\n");
            }
        };
        let of = |lines: &[Vec<u8>], index: usize| lines.get(index).cloned().unwrap_or_default();
        if unified {
            let range = |from: usize, count: usize| match count {
                0 => format!("{from},0"),
                1 => format!("{}", from + 1),
                n => format!("{},{n}", from + 1),
            };
            line("", format!("@@ -{} +{} @@\n", range(a_from, a_count), range(b_from, b_count)).as_bytes());
            for step in hunk {
                match step {
                    Step::Same(i, _) => line(" ", &of(&a, *i)),
                    Step::Less(i) => line("-", &of(&a, *i)),
                    Step::More(j) => line("+", &of(&b, *j)),
                }
            }
        } else {
            let range = |from: usize, count: usize| match count {
                0 => from.to_string(),
                1 => (from + 1).to_string(),
                n => format!("{},{}", from + 1, from + n),
            };
            let letter = match (a_count, b_count) {
                (0, _) => "a",
                (_, 0) => "d",
                _ => "c",
            };
            line("", format!("{}{letter}{}\n", range(a_from, a_count), range(b_from, b_count)).as_bytes());
            for step in hunk {
                if let Step::Less(i) = step {
                    line("< ", &of(&a, *i));
                }
            }
            if letter == "c" {
                line("", b"---\n");
            }
            for step in hunk {
                if let Step::More(j) = step {
                    line("> ", &of(&b, *j));
                }
            }
        }
        run.put(out).await?;
    }
    Ok(1)
}
