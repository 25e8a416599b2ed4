//! `tr`.

use super::pattern::in_class;
use super::program::{Done, PIECE, Run, quoted, run, spec};
use crate::os::args::flag;
use crate::os::kernel::Proc;

spec!(
    SPEC,
    "tr",
    "[OPTION]... STRING1 [STRING2]",
    [
        flag('c', "complement"),
        flag('C', ""),
        flag('d', "delete"),
        flag('s', "squeeze-repeats"),
        flag('t', "truncate-set1")
    ]
);

/// `tr`.
pub async fn main(proc: Proc) -> i32 {
    run(proc, &SPEC, |run| Box::pin(body(run))).await
}

/// The bytes that a set names, in order.
fn set(text: &[u8], length: usize) -> Vec<u8> {
    let mut out: Vec<u8> = Vec::new();
    let plain = super::echo::unescape(text, false).0;
    let mut at = 0;
    while let Some(byte) = plain.get(at).copied() {
        let rest = plain.get(at..).unwrap_or_default();
        if let Some(class) = rest.strip_prefix(b"[:")
            && let Some(end) = class.windows(2).position(|pair| pair == b":]")
        {
            let name = class.get(..end).unwrap_or_default();
            out.extend((0..=255).filter(|b| in_class(name, *b)));
            at += end + 4;
        } else if let [b'[', repeated, b'*', b']', ..] = rest {
            let missing = length.saturating_sub(out.len());
            out.extend(std::iter::repeat_n(*repeated, missing));
            at += 4;
        } else if let [from, b'-', to, ..] = rest
            && from <= to
        {
            out.extend(*from..=*to);
            at += 3;
        } else {
            out.push(byte);
            at += 1;
        }
    }
    out
}

async fn body(run: &mut Run) -> Done {
    let (delete, squeeze) = (run.args.has('d'), run.args.has('s'));
    let complement = run.args.has('c') || run.args.has('C');
    let operands = run.args.operands.clone();
    let (first, second) = match operands.as_slice() {
        [] => return Ok(run.missing("missing operand").await),
        [first] if delete || squeeze => (first, None),
        [first] => {
            let text = format!("missing operand after {}\nTwo strings must be given when translating.", quoted(first));
            return Ok(run.usage(text).await);
        }
        [_, extra] if delete && !squeeze => {
            let text = format!(
                "extra operand {}\nOnly one string may be given when deleting without squeezing repeats.",
                quoted(extra)
            );
            return Ok(run.usage(text).await);
        }
        [first, second] => (first, Some(second)),
        [_, _, extra, ..] => return Ok(run.usage(format!("extra operand {}", quoted(extra))).await),
    };
    let mut from = set(first, 0);
    if complement {
        from = (0..=255).filter(|b| !from.contains(b)).collect();
    }
    let to = second.map(|second| set(second, from.len()));
    let mut map: Vec<Option<u8>> = (0..=255).map(Some).collect();
    if delete {
        for byte in &from {
            if let Some(slot) = map.get_mut(usize::from(*byte)) {
                *slot = None;
            }
        }
    } else if let Some(to) = &to {
        if to.is_empty() {
            run.complain("when not truncating set1, string2 must be non-empty").await;
            return Ok(1);
        }
        for (index, byte) in from.iter().enumerate() {
            let new = to.get(index).or(to.last()).copied();
            if let Some(slot) = map.get_mut(usize::from(*byte)) {
                *slot = new;
            }
        }
    }
    let squeezed: Vec<u8> = if squeeze { to.unwrap_or(from) } else { Vec::new() };
    let mut last = None;
    loop {
        let piece = match run.proc.read(0, PIECE).await {
            Ok(piece) if piece.is_empty() => return Ok(0),
            Ok(piece) => piece.to_vec(),
            Err(error) => {
                run.complain(format!("read error: {}", error.strerror())).await;
                return Ok(1);
            }
        };
        let mut out = Vec::with_capacity(piece.len());
        for byte in piece {
            let Some(new) = map.get(usize::from(byte)).copied().flatten() else { continue };
            if last == Some(new) && squeezed.contains(&new) {
                continue;
            }
            last = Some(new);
            out.push(new);
        }
        run.put(out).await?;
        run.flush().await?;
    }
}
