//! `seq` and `yes`.

use super::program::{Done, Run, quoted, run, spec, text};
use crate::os::args::{flag, value};
use crate::os::kernel::Proc;

spec!(SPEC, "seq", "[OPTION]... [FIRST [INCREMENT]] LAST", [value('s', "separator"), flag('w', "equal-width")]);
spec!(YES, "yes", "[STRING]...", []);

/// `seq`: negative numbers are no options.
pub async fn main(proc: Proc) -> i32 {
    let mut argv = proc.args();
    let negative =
        |w: &bstr::BString| w.first() == Some(&b'-') && w.get(1).is_some_and(|b| b.is_ascii_digit() || *b == b'.');
    if let Some(at) = argv.iter().position(negative) {
        argv.insert(at, "--".into());
    }
    super::program::run_as(proc, &SPEC, &argv, |run| Box::pin(body(run))).await
}

/// `yes`.
pub async fn yes(proc: Proc) -> i32 {
    run(proc, &YES, |run| Box::pin(yes_body(run))).await
}

async fn body(run: &mut Run) -> Done {
    let words: Vec<String> = run.args.operands.iter().map(|w| text(w)).collect();
    let mut numbers = Vec::new();
    for word in &words {
        match word.parse::<f64>() {
            Ok(number) if number.is_finite() => numbers.push(number),
            _ => return Ok(run.usage(format!("invalid floating point argument: {}", quoted(word.as_bytes()))).await),
        }
    }
    let (first, step, last) = match numbers.as_slice() {
        [last] => (1.0, 1.0, *last),
        [first, last] => (*first, 1.0, *last),
        [first, step, last] => (*first, *step, *last),
        [] => return Ok(run.missing("missing operand").await),
        _ => {
            let extra = words.get(3).cloned().unwrap_or_default();
            return Ok(run.usage(format!("extra operand {}", quoted(extra.as_bytes()))).await);
        }
    };
    if step == 0.0 {
        return Ok(run.usage("invalid Zero increment value: '0'").await);
    }
    let decimals = words.iter().map(|w| w.split_once('.').map_or(0, |(_, d)| d.len())).max().unwrap_or(0).min(20);
    let separator = run.args.value('s').map_or_else(|| "\n".to_owned(), |s| text(s));
    let width =
        if run.args.has('w') { format!("{first:.decimals$}").len().max(format!("{last:.decimals$}").len()) } else { 0 };
    let mut index = 0u64;
    loop {
        let value = first + step * index as f64;
        let slack = step.abs() * 1e-9;
        if (step > 0.0 && value > last + slack) || (step < 0.0 && value < last - slack) {
            break;
        }
        let gap = if index > 0 { separator.as_str() } else { "" };
        run.put(format!("{gap}{value:0width$.decimals$}")).await?;
        run.proc.tick().await;
        index += 1;
    }
    if index > 0 {
        run.put("\n").await?;
    }
    Ok(0)
}

async fn yes_body(run: &mut Run) -> Done {
    let words: Vec<&[u8]> = run.args.operands.iter().map(|w| w.as_slice()).collect();
    let mut line = if words.is_empty() { b"y".to_vec() } else { words.join(b" ".as_slice()) };
    line.push(b'\n');
    let many = line.repeat(4096usize.div_ceil(line.len()));
    loop {
        run.proc.write(1, &many).await?;
    }
}
