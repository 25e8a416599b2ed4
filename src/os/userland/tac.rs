//! `tac`, `rev`, `nl`, `base64`: all of the input, turned into something else.

use super::program::{Done, Run, number, run, spec};
use crate::base::base64;
use crate::os::args::{flag, value};
use crate::os::kernel::Proc;

spec!(TAC, "tac", "[OPTION]... [FILE]...", []);
spec!(REV, "rev", "[options] [file ...]", []);
spec!(
    NL,
    "nl",
    "[OPTION]... [FILE]...",
    [value('b', "body-numbering"), value('w', "number-width"), value('s', "number-separator")]
);
spec!(BASE64, "base64", "[OPTION]... [FILE]", [flag('d', "decode"), flag('i', "ignore-garbage"), value('w', "wrap")]);

type Turn = fn(&Run, &[u8]) -> Option<Vec<u8>>;

/// `tac`.
pub async fn main(proc: Proc) -> i32 {
    run(proc, &TAC, |run| Box::pin(body(run, tac))).await
}

/// `rev`.
pub async fn rev(proc: Proc) -> i32 {
    run(proc, &REV, |run| Box::pin(body(run, |_, text| Some(reversed(text))))).await
}

/// `nl`.
pub async fn nl(proc: Proc) -> i32 {
    run(proc, &NL, |run| Box::pin(body(run, number_lines))).await
}

/// `base64`.
pub async fn base64(proc: Proc) -> i32 {
    run(proc, &BASE64, |run| Box::pin(body(run, encode))).await
}

async fn body(run: &mut Run, turn: Turn) -> Done {
    for path in run.inputs() {
        let Some(rope) = run.slurp(&path).await else { continue };
        match turn(run, &rope.to_vec()) {
            Some(out) => run.put(out).await?,
            None => run.complain("invalid input").await,
        }
    }
    Ok(0)
}

fn tac(_: &Run, text: &[u8]) -> Option<Vec<u8>> {
    Some(text.split_inclusive(|b| *b == b'\n').rev().flatten().copied().collect())
}

fn reversed(text: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(text);
    let turned = text.split_inclusive('\n').flat_map(|line| {
        let (line, end) = line.strip_suffix('\n').map_or((line, None), |line| (line, Some('\n')));
        line.chars().rev().chain(end)
    });
    turned.collect::<String>().into_bytes()
}

fn number_lines(run: &Run, text: &[u8]) -> Option<Vec<u8>> {
    let all = run.args.value('b').is_some_and(|b| b == "a");
    let width = run.args.value('w').and_then(|w| number::<usize>(w)).unwrap_or(6).min(100);
    let separator = run.args.value('s').map_or(b"\t".to_vec(), |s| s.to_vec());
    let (mut out, mut count) = (Vec::new(), 0);
    for line in text.split_inclusive(|b| *b == b'\n') {
        if all || line != b"\n" {
            count += 1;
            out.extend_from_slice(format!("{count:>width$}").as_bytes());
            out.extend_from_slice(&separator);
        } else {
            out.extend(std::iter::repeat_n(b' ', width + separator.len()));
        }
        out.extend_from_slice(line);
    }
    if !out.is_empty() && !out.ends_with(b"\n") {
        out.push(b'\n');
    }
    Some(out)
}

fn encode(run: &Run, bytes: &[u8]) -> Option<Vec<u8>> {
    if run.args.has('d') {
        let known = |byte: &u8| !run.args.has('i') || base64::LETTERS.contains(byte);
        return base64::decode(&bytes.iter().copied().filter(known).collect::<Vec<u8>>());
    }
    let out = base64::encode(bytes).into_bytes();
    let wrap = run.args.value('w').and_then(|w| number::<usize>(w)).unwrap_or(76);
    if wrap == 0 {
        return Some(out);
    }
    Some(out.chunks(wrap).flat_map(|line| line.iter().copied().chain([b'\n'])).collect())
}
