//! `stress`: work that is there to be limited: processor, memory.

use std::time::Duration;

use super::program::{Done, Run, number, run, spec, text};
use crate::os::args::{flag, long_value, value};
use crate::os::kernel::syscall::Waited;
use crate::os::kernel::{Proc, Signal, Status};

spec!(
    SPEC,
    "stress",
    "[OPTION [ARG]] ...",
    [
        value('c', "cpu"),
        value('i', "io"),
        value('m', "vm"),
        long_value("vm-bytes"),
        long_value("vm-hang"),
        flag('\0', "vm-keep"),
        value('t', "timeout"),
        flag('v', "verbose"),
        flag('q', "quiet"),
    ]
);
/// Workers of a kind.
const MAX_WORKERS: u64 = 64;
/// What a memory worker takes by default.
const VM_BYTES: u64 = 256 << 20;

/// `stress`.
pub async fn main(proc: Proc) -> i32 {
    run(proc, &SPEC, |run| Box::pin(body(run))).await
}

async fn body(run: &mut Run) -> Done {
    let count = |run: &Run, name: &'static str| run.args.value(name).and_then(|n| number::<u64>(n)).unwrap_or(0);
    let (cpu, io, vm) = (count(run, "cpu"), count(run, "io"), count(run, "vm"));
    if cpu + io + vm == 0 || cpu.max(io).max(vm) > MAX_WORKERS {
        return Ok(run.usage("no workers").await);
    }
    let bytes = run
        .args
        .value("vm-bytes")
        .map_or(Some(VM_BYTES), |size| crate::base::size::parse_ram(&text(size)).and_then(|n| u64::try_from(n).ok()));
    let Some(bytes) = bytes else { return Ok(run.usage("invalid number of bytes").await) };
    let me = run.proc.pid();
    run.put(format!("stress: info: [{me}] dispatching hogs: {cpu} cpu, {io} io, {vm} vm, 0 hdd\n")).await?;
    run.flush().await?;
    let mut workers = Vec::new();
    for kind in std::iter::repeat_n(0, (cpu + io) as usize).chain(std::iter::repeat_n(bytes, vm as usize)) {
        let worker = run.proc.fork(move |worker| {
            Box::pin(async move {
                if kind > 0 {
                    worker.set_heap(kind).await;
                }
                loop {
                    worker.tick().await;
                }
            })
        })?;
        workers.push(worker);
    }
    let time = run.args.value("timeout").and_then(|t| number::<u64>(text(t).trim_end_matches('s').as_bytes()));
    let timer = match time {
        Some(seconds) => Some(run.proc.fork(move |timer| {
            Box::pin(async move {
                let _ = timer.sleep(Duration::from_secs(seconds)).await;
                0
            })
        })?),
        None => None,
    };
    let started = run.proc.now();
    let Waited::Ended(pid, status) = run.proc.wait(None, false).await? else { return Ok(1) };
    for worker in workers {
        // The one that has ended needs no signal.
        let _ = run.proc.kill(i64::from(worker), Some(Signal::KILL));
    }
    let spent = run.proc.now().since(started).as_secs();
    if Some(pid) == timer {
        run.put(format!("stress: info: [{me}] successful run completed in {spent}s\n")).await?;
        return Ok(0);
    }
    let how = match status {
        Status::Signaled(signal) => format!("got signal {}", signal.0),
        Status::Exited(code) => format!("returned error {code}"),
    };
    run.put(format!(
        "stress: FAIL: [{me}] (415) <-- worker {pid} {how}\nstress: WARN: [{me}] (417) now reaping child worker processes\n\
         stress: FAIL: [{me}] (451) failed run completed in {spent}s\n"
    ))
    .await?;
    Ok(1)
}
