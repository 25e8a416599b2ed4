//! `sleep`.

use std::time::Duration;

use super::program::{Done, Run, quoted, run, spec, text};
use crate::os::kernel::Proc;

spec!(SPEC, "sleep", "NUMBER[SUFFIX]...", []);

/// `sleep`.
pub async fn main(proc: Proc) -> i32 {
    run(proc, &SPEC, |run| Box::pin(body(run))).await
}

async fn body(run: &mut Run) -> Done {
    if run.args.operands.is_empty() {
        return Ok(run.missing("missing operand").await);
    }
    let mut total = Duration::ZERO;
    let mut bad = None;
    for operand in &run.args.operands {
        match interval(&text(operand)) {
            Some(time) => total = total.saturating_add(time),
            None => bad = Some(format!("invalid time interval {}", quoted(operand))),
        }
    }
    if let Some(bad) = bad {
        return Ok(run.usage(bad).await);
    }
    while run.proc.sleep(total).await.is_err() {
        run.proc.take_signal();
    }
    Ok(0)
}

/// `1.5`, `2m`, `1h`, `infinity`; at most a century.
pub fn interval(text: &str) -> Option<Duration> {
    const CENTURY: f64 = 100.0 * 365.0 * 86_400.0;
    if text == "infinity" || text == "inf" {
        return Some(Duration::from_secs_f64(CENTURY));
    }
    let (number, unit) = match text.chars().last()? {
        's' => (text.strip_suffix('s')?, 1.0),
        'm' => (text.strip_suffix('m')?, 60.0),
        'h' => (text.strip_suffix('h')?, 3600.0),
        'd' => (text.strip_suffix('d')?, 86_400.0),
        _ => (text, 1.0),
    };
    if !number.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    let seconds = number.parse::<f64>().ok().filter(|n| n.is_finite())? * unit;
    Some(Duration::from_secs_f64(seconds.min(CENTURY)))
}
