//! `cut`.

use super::program::{Done, Lines, Run, chomp, number, run, spec};
use crate::os::args::{flag, long_flag, long_value, value};
use crate::os::kernel::Proc;
use bstr::ByteSlice;

spec!(
    SPEC,
    "cut",
    "OPTION... [FILE]...",
    [
        value('b', "bytes"),
        value('c', "characters"),
        value('d', "delimiter"),
        value('f', "fields"),
        flag('s', "only-delimited"),
        flag('n', ""),
        long_flag("complement"),
        long_value("output-delimiter")
    ]
);

/// `cut`.
pub async fn main(proc: Proc) -> i32 {
    run(proc, &SPEC, |run| Box::pin(body(run))).await
}

/// Ranges such as `1,3-5,7-`, from one.
fn ranges(text: &[u8]) -> Option<Vec<(usize, usize)>> {
    text.split_str(",")
        .map(|part| match part.split_once_str("-") {
            None => number(part).map(|n: usize| (n, n)),
            Some((from, to)) if !(from.is_empty() && to.is_empty()) => {
                let from = if from.is_empty() { 1 } else { number(from)? };
                let to = if to.is_empty() { usize::MAX } else { number(to)? };
                (from <= to).then_some((from, to))
            }
            Some(_) => None,
        })
        .map(|range| range.filter(|range| range.0 > 0))
        .collect()
}

async fn body(run: &mut Run) -> Done {
    let Some(letter) = run.args.last_of(&['b', 'c', 'f']) else {
        return Ok(run.missing("you must specify a list of bytes, characters, or fields").await);
    };
    let given = run.args.value(letter).map(ToOwned::to_owned).unwrap_or_default();
    let Some(ranges) = ranges(&given) else {
        let what = if letter == 'f' { "invalid field value" } else { "invalid byte or character range" };
        return Ok(run.usage(format!("{what} '{given}'")).await);
    };
    let delimiter = match run.args.value('d') {
        Some(d) if d.len() == 1 => d.first().copied().unwrap_or(b'\t'),
        Some(_) => return Ok(run.usage("the delimiter must be a single character").await),
        None => b'\t',
    };
    let joint = run.args.value("output-delimiter").map_or_else(|| vec![delimiter], |d| d.to_vec());
    let complement = run.args.has("complement");
    let wanted = |index: usize| ranges.iter().any(|(from, to)| (*from..=*to).contains(&index)) != complement;
    let only = run.args.has('s');
    for path in run.inputs() {
        let fd = match run.input(&path) {
            Ok(fd) => fd,
            Err(error) => {
                run.complain_path(&path, error).await;
                continue;
            }
        };
        let mut lines = Lines::new(&run.proc, fd);
        loop {
            let line = match lines.next().await {
                Ok(Some(line)) => line,
                Ok(None) => break,
                Err(error) => {
                    run.complain_path(&path, error).await;
                    break;
                }
            };
            let line = chomp(&line).0;
            let mut out: Vec<u8> = match letter {
                'f' if !line.contains(&delimiter) => {
                    if only {
                        continue;
                    }
                    line.to_vec()
                }
                'f' => {
                    let fields = line.split(|b| *b == delimiter).zip(1..).filter(|(_, index)| wanted(*index));
                    fields.map(|(field, _)| field).collect::<Vec<_>>().join(joint.as_slice())
                }
                'b' => line.iter().zip(1..).filter(|(_, index)| wanted(*index)).map(|(b, _)| *b).collect(),
                _ => {
                    let chars = line.char_indices().zip(1..).filter(|(_, index)| wanted(*index));
                    chars.flat_map(|((from, to, _), _)| line.get(from..to).unwrap_or_default().to_vec()).collect()
                }
            };
            out.push(b'\n');
            run.put(out).await?;
        }
        run.done_with(fd);
    }
    Ok(0)
}
