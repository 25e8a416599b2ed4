//! `timeout` and `watch`: commands that run others by the clock.

use std::time::Duration;

use bstr::BString;

use super::program::{Done, Run, number, quoted, run, spec, text};
use super::spawn::status_of;
use crate::os::args::{flag, value};
use crate::os::kernel::{Proc, Signal};

spec!(TIMEOUT, "timeout", "[OPTION] DURATION COMMAND [ARG]...", [value('s', "signal"), value('k', "kill-after"), flag('f', "foreground"), flag('v', "verbose")], stop_at_operand: true, usage_status: 125);
spec!(WATCH, "watch", "[options] command", [value('n', "interval"), flag('t', "no-title"), flag('d', "differences"), flag('x', "exec")], stop_at_operand: true);

/// `timeout`.
pub async fn main(proc: Proc) -> i32 {
    run(proc, &TIMEOUT, |run| Box::pin(body(run))).await
}

/// `watch`.
pub async fn watch(proc: Proc) -> i32 {
    run(proc, &WATCH, |run| Box::pin(watch_body(run))).await
}

async fn body(run: &mut Run) -> Done {
    let mut command = run.args.operands.clone();
    if command.len() < 2 {
        return Ok(run.missing("missing operand").await);
    }
    let time = command.remove(0);
    let (digits, unit) = match time.last() {
        Some(b'm') => (&time[..time.len() - 1], 60.0),
        Some(b'h') => (&time[..time.len() - 1], 3600.0),
        Some(b's') => (&time[..time.len() - 1], 1.0),
        _ => (&time[..], 1.0),
    };
    let Some(seconds) = number::<f64>(digits).map(|n| n * unit).filter(|n| (0.0..1e9).contains(n)) else {
        return Ok(run.usage(format!("invalid time interval {}", quoted(&time))).await);
    };
    let signal = run.args.value('s').map_or(Some(Signal::TERM), |s| Signal::parse(&text(s)));
    let Some(signal) = signal else { return Ok(run.usage("invalid signal").await) };
    // A second process keeps the time, so that this one can wait for the command.
    let Ok(child) = run.proc.fork(move |child| Box::pin(async move { status_of(&child, command).await })) else {
        return Ok(125);
    };
    let timer = run.proc.fork(move |timer| {
        Box::pin(async move {
            let _ = timer.sleep(Duration::from_secs_f64(seconds)).await;
            let children = timer.processes().into_iter().filter(|p| p.ppid == child).map(|p| p.pid);
            for pid in children.chain([child]) {
                let _ = timer.kill(i64::from(pid), Some(signal));
            }
            0
        })
    });
    let mut ended = None;
    while ended.is_none() {
        match run.proc.wait(Some(child), false).await {
            Ok(crate::os::kernel::syscall::Waited::Ended(_, status)) => ended = Some(status),
            Err(crate::base::errno::Errno::ECHILD) => return Ok(125),
            _ => drop(run.proc.take_signal()),
        }
    }
    let status = ended.map_or(125, |status| status.code());
    let Ok(timer) = timer else { return Ok(status) };
    // The timer is gone when it was the one to end the command.
    let fired = matches!(run.proc.try_wait(Some(timer), false), Ok(Some(_)));
    let _ = run.proc.kill(i64::from(timer), Some(Signal::KILL));
    Ok(match (fired || status == 128 + i32::from(signal.0), signal) {
        (true, Signal::KILL) => 137,
        (true, _) if run.is_busybox() => 143,
        (true, _) => 124,
        _ => status,
    })
}

async fn watch_body(run: &mut Run) -> Done {
    let words: Vec<String> = run.args.operands.iter().map(|word| text(word)).collect();
    if words.is_empty() {
        return Ok(run.missing("no command given").await);
    }
    let line = words.join(" ");
    let every = run.args.value('n').and_then(|n| number::<f64>(n)).unwrap_or(2.0).clamp(0.1, 1e6);
    loop {
        let now = super::date::strftime("%a %b %e %H:%M:%S %Y", run.proc.now());
        let title = format!("Every {every:.1}s: {line}");
        let cols = run.proc.tty_of(1).map_or(80, |id| usize::from(run.proc.win_size(id).cols));
        let width = cols.saturating_sub(now.len());
        let head = if run.args.has('t') { String::new() } else { format!("{title:<width$}{now}\n\n") };
        run.put(format!("\x1b[H\x1b[2J{head}")).await?;
        run.flush().await?;
        let command: Vec<BString> = ["sh", "-c", &line].map(Into::into).into();
        status_of(&run.proc, command).await;
        run.proc.sleep(Duration::from_secs_f64(every)).await?;
    }
}
