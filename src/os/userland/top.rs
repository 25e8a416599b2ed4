//! `top`: the processes, again and again, in the layout of busybox or of procps.

use std::time::Duration;

use super::names::Names;
use super::program::{Done, Run, number, run, spec, text};
use super::ps::{command, cpu, resident_kib};
use super::uname::uptime_line;
use crate::base::errno::Errno;
use crate::base::sort::Arrange;
use crate::base::time::Timestamp;
use crate::os::args::{flag, value};
use crate::os::kernel::proc_fs::MEMORY_BYTES;
use crate::os::kernel::process::ProcessInfo;
use crate::os::kernel::tty::{Termios, TtyId};
use crate::os::kernel::{Disposition, Proc, Signal};

spec!(
    SPEC,
    "top",
    "[-bcHi1] [-n COUNT] [-d SECONDS] [-p PID]",
    [
        flag('b', "batch"),
        flag('c', ""),
        flag('H', ""),
        flag('i', ""),
        flag('1', ""),
        flag('m', ""),
        value('n', ""),
        value('d', ""),
        value('p', ""),
        value('u', ""),
        value('o', ""),
        value('w', ""),
    ]
);

/// Processors that the machine has.
const CPUS: u64 = 2;

/// `top`.
pub async fn main(proc: Proc) -> i32 {
    run(proc, &SPEC, |run| Box::pin(body(run))).await
}

/// How much each process had computed when the screen before was drawn.
struct Before {
    at: Timestamp,
    micros: Vec<(u32, u64)>,
}

async fn body(run: &mut Run) -> Done {
    let busybox = run.is_busybox();
    let batch = run.args.has('b');
    let keys = run.proc.tty_of(0).filter(|_| !batch);
    if !busybox && !batch && (keys.is_none() || run.proc.tty_of(1).is_none()) {
        run.complain("failed tty get").await;
        return Ok(1);
    }
    let usual = if busybox { 5.0 } else { 3.0 };
    let every = run.args.value('d').and_then(|d| number::<f64>(d)).unwrap_or(usual).clamp(0.1, 1e6);
    let count = run.args.value('n').and_then(|n| number::<u64>(n)).unwrap_or(u64::MAX);
    let before = keys.map(|id| (id, run.proc.termios(id)));
    if let Some((id, settings)) = before {
        run.proc.set_termios(id, Termios { canonical: false, echo: false, ..settings });
        for signal in [Signal::INT, Signal::TERM] {
            run.proc.on_signal(signal, Disposition::Handle);
        }
    }
    let status = screens(run, keys, Duration::from_secs_f64(every), count).await;
    if let Some((id, settings)) = before {
        run.proc.set_termios(id, settings);
        run.put("\n").await?;
    }
    status
}

async fn screens(run: &mut Run, keys: Option<TtyId>, every: Duration, count: u64) -> Done {
    let names = Names::load(&run.proc).await;
    let mut before = Before { at: run.proc.kernel().boot_time(), micros: Vec::new() };
    let mut shown = 0;
    while shown < count {
        screen(run, &names, &mut before, keys).await?;
        shown += 1;
        if shown == count {
            break;
        }
        let Some(_) = keys else {
            run.proc.sleep(every).await?;
            continue;
        };
        // A key or the time, whichever comes first.
        let proc = run.proc.clone();
        let key = async { proc.read(0, 16).await };
        let time = async { proc.sleep(every).await.map(|()| b"\n".as_slice().into()) };
        match futures_lite::future::or(key, time).await {
            Ok(key) if key.is_empty() => return Ok(0),
            Ok(key) if key.to_vec().iter().any(|byte| matches!(byte, b'q' | b'Q' | 3)) => return Ok(0),
            Ok(_) => {}
            Err(Errno::EINTR) => match run.proc.take_signal() {
                Some(Signal::INT) if !run.is_busybox() => return Ok(0),
                Some(signal @ (Signal::INT | Signal::TERM)) => return Ok(128 + i32::from(signal.0)),
                _ => {}
            },
            Err(error) => return Err(error),
        }
    }
    Ok(0)
}

async fn screen(run: &mut Run, names: &Names, before: &mut Before, keys: Option<TtyId>) -> Result<(), Errno> {
    let busybox = run.is_busybox();
    let now = run.proc.now();
    let mut processes = run.proc.processes();
    if let Some(pids) = run.args.value('p') {
        let pids: Vec<u32> = pids.split(|byte| *byte == b',').filter_map(number).collect();
        processes.retain(|process| pids.contains(&process.pid));
    }
    if let Some(user) = run.args.value('u') {
        processes.retain(|process| names.user(process.uid) == *user);
    }
    // In thousandths of a processor since the last screen, or since the process began.
    let shares: Vec<(u32, u64)> = processes
        .iter()
        .map(|process| {
            let known = before.micros.iter().find(|(gpid, _)| *gpid == process.gpid);
            let (since, micros) = known.map_or((process.started, 0), |(_, micros)| (before.at, *micros));
            let elapsed = now.since(since).as_micros().max(1) as u64;
            (process.gpid, process.cpu_micros.saturating_sub(micros).saturating_mul(1000) / elapsed)
        })
        .collect();
    before.at = now;
    before.micros = processes.iter().map(|process| (process.gpid, process.cpu_micros)).collect();
    let share =
        |process: &ProcessInfo| shares.iter().find(|(gpid, _)| *gpid == process.gpid).map_or(0, |(_, share)| *share);
    processes.arrange_by(|a, b| share(b).cmp(&share(a)).then_with(|| a.pid.cmp(&b.pid)));
    let busy = (shares.iter().map(|(_, share)| *share).sum::<u64>() / CPUS).min(1000);
    let (mut lines, header) =
        if busybox { busybox_head(&run.proc, &processes, busy) } else { procps_head(run, &processes, busy) };
    let above = lines.len();
    lines.push(header);
    for process in &processes {
        let full = run.args.has('c');
        lines.push(match busybox {
            true => busybox_line(process, names, share(process) / CPUS),
            false => procps_line(process, names, share(process), full),
        });
    }
    let batch = run.args.has('b');
    let (cols, rows) = match keys {
        Some(id) => (usize::from(run.proc.win_size(id).cols), usize::from(run.proc.win_size(id).rows)),
        None if busybox && !batch => (80, 24),
        None => (usize::MAX, usize::MAX),
    };
    let mut out = String::new();
    if !batch {
        out.push_str(if busybox { "\x1b[H\x1b[J" } else { "\x1b[H\x1b[2J" });
    }
    for (place, line) in lines.iter().take(rows.saturating_sub(1)).enumerate() {
        let line: String = line.chars().take(cols).collect();
        let line = line.trim_end();
        if place == above && !batch {
            out.push_str(&format!("\x1b[7m{line}\x1b[m\n"));
        } else {
            out.push_str(&format!("{line}\n"));
        }
    }
    if batch && !busybox {
        out.push('\n');
    }
    run.put(out).await?;
    run.flush().await
}

fn busybox_head(proc: &Proc, processes: &[ProcessInfo], busy: u64) -> (Vec<String>, String) {
    let kib = MEMORY_BYTES / 1024;
    let (free, cached) = (kib / 4 * 3, kib / 8);
    let running = processes.iter().filter(|process| process.state == 'R').count();
    let last = processes.iter().map(|process| process.pid).max().unwrap_or(0).max(proc.pid());
    (
        vec![
            format!("Mem: {}K used, {free}K free, 0K shrd, 0K buff, {cached}K cached", kib - free),
            format!(
                "CPU: {:>3}% usr   0% sys   0% nic {:>3}% idle   0% io   0% irq   0% sirq",
                busy / 10,
                100 - busy / 10
            ),
            format!("Load average: 0.00 0.01 0.05 {running}/{} {last}", processes.len()),
        ],
        "  PID  PPID USER     STAT   VSZ %VSZ CPU %CPU COMMAND".to_owned(),
    )
}

fn busybox_line(process: &ProcessInfo, names: &Names, share: u64) -> String {
    let kib = process.memory_bytes / 1024;
    let size = if kib >= 100_000 { format!("{}m", kib / 1024) } else { kib.to_string() };
    let user: String = text(&names.user(process.uid)).chars().take(8).collect();
    format!(
        "{:5}{:6} {user:<8} {:<4}{size:>6}{:>4}%{:>4}{:>4}% {}",
        process.pid,
        process.ppid,
        process.state,
        process.memory_bytes * 100 / MEMORY_BYTES,
        u64::from(process.gpid) % CPUS,
        share / 10,
        command(process)
    )
}

fn procps_head(run: &Run, processes: &[ProcessInfo], busy: u64) -> (Vec<String>, String) {
    let count = |state: char| processes.iter().filter(|process| process.state == state).count();
    let mebi = |bytes: u64| bytes as f64 / 1_048_576.0;
    let (total, free, used) = (MEMORY_BYTES, MEMORY_BYTES / 4 * 3, MEMORY_BYTES / 8);
    (
        vec![
            format!("top -{}", uptime_line(run)),
            format!(
                "Tasks: {:3} total, {:3} running, {:3} sleeping, {:3} stopped, {:3} zombie",
                processes.len(),
                count('R'),
                count('S'),
                count('T'),
                count('Z')
            ),
            format!(
                "%Cpu(s): {:4.1} us,  0.0 sy,  0.0 ni,{:5.1} id,  0.0 wa,  0.0 hi,  0.0 si,  0.0 st",
                busy as f64 / 10.0,
                100.0 - busy as f64 / 10.0
            ),
            format!(
                "MiB Mem : {:8.1} total, {:8.1} free, {:8.1} used, {:8.1} buff/cache",
                mebi(total),
                mebi(free),
                mebi(used),
                mebi(total - free - used)
            ),
            format!(
                "MiB Swap: {:8.1} total, {:8.1} free, {:8.1} used. {:8.1} avail Mem",
                0.0,
                0.0,
                0.0,
                mebi(total - used)
            ),
            String::new(),
        ],
        "    PID USER      PR  NI    VIRT    RES    SHR S  %CPU  %MEM     TIME+ COMMAND".to_owned(),
    )
}

fn procps_line(process: &ProcessInfo, names: &Names, share: u64, full: bool) -> String {
    let rss = resident_kib(process);
    let (hours, minutes, seconds) = cpu(process);
    let name = if full { command(process) } else { process.comm.to_string() };
    let user: String = text(&names.user(process.uid)).chars().take(8).collect();
    format!(
        "{:>7} {user:<8}  20   0 {:>7} {rss:>6} {:>6} {} {:>5.1} {:>5.1} {:>3}:{seconds:02}.{:02} {name}",
        process.pid,
        rss * 2,
        rss / 2,
        process.state,
        share as f64 / 10.0,
        rss as f64 * 1024.0 * 100.0 / MEMORY_BYTES as f64,
        hours * 60 + minutes,
        process.cpu_micros / 10_000 % 100
    )
}
