//! `tac`, `rev`, `nl`, `base64`: all of the input, turned into something else.

use super::program::{Done, Run, number, run, spec};
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

const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn encode(run: &Run, bytes: &[u8]) -> Option<Vec<u8>> {
    if run.args.has('d') {
        let known = |byte: &u8| !run.args.has('i') || LETTERS.contains(byte);
        return bytes_of_base64(&bytes.iter().copied().filter(known).collect::<Vec<u8>>());
    }
    let out = base64_of(bytes);
    let wrap = run.args.value('w').and_then(|w| number::<usize>(w)).unwrap_or(76);
    if wrap == 0 {
        return Some(out);
    }
    Some(out.chunks(wrap).flat_map(|line| line.iter().copied().chain([b'\n'])).collect())
}

/// Bytes in base64 (RFC 4648), on one line.
pub(super) fn base64_of(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for group in bytes.chunks(3) {
        let bits = group.iter().chain(&[0, 0]).take(3).fold(0usize, |bits, b| bits << 8 | usize::from(*b));
        for place in 0..4 {
            out.push(if place <= group.len() { LETTERS[bits >> (18 - 6 * place) & 63] } else { b'=' });
        }
    }
    out
}

/// What base64 stands for; `None` where a character is none of its letters. Blanks and padding are passed over.
pub(super) fn bytes_of_base64(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let (mut bits, mut have) = (0u32, 0);
    for byte in text.iter().filter(|b| !b.is_ascii_whitespace() && **b != b'=') {
        let value = LETTERS.iter().position(|letter| letter == byte)?;
        (bits, have) = (bits << 6 | value as u32, have + 6);
        if have >= 8 {
            have -= 8;
            out.push((bits >> have & 0xff) as u8);
        }
    }
    Some(out)
}
