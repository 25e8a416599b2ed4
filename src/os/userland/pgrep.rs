//! `pgrep`, `pkill`, `pidof`, `killall`: processes by name.

use crate::base::sort::Arrange;
use regex_lite::Regex;

use super::pattern::{self, Grammar};
use super::program::{Done, Run, number, run_as, spec, text};
use crate::base::path;
use crate::os::args::{flag, value};
use crate::os::kernel::process::ProcessInfo;
use crate::os::kernel::{Proc, Signal};

spec!(
    PGREP,
    "pgrep",
    "[options] <pattern>",
    [
        flag('a', "list-full"),
        flag('l', "list-name"),
        flag('f', "full"),
        flag('x', "exact"),
        flag('v', "inverse"),
        flag('c', "count"),
        flag('n', "newest"),
        flag('o', "oldest"),
        flag('e', "echo"),
        flag('i', "ignore-case"),
        value('d', "delimiter"),
        value('P', "parent"),
        value('\0', "signal")
    ]
);
spec!(PIDOF, "pidof", "[options] [program [...]]", [flag('s', "single-shot"), flag('x', "")]);
spec!(
    KILLALL,
    "killall",
    "[OPTION]... [--] NAME...",
    [flag('q', "quiet"), flag('e', "exact"), flag('v', "verbose"), value('s', "signal")]
);

/// `pgrep`; Debian's `pkill` is a link to it.
pub async fn main(proc: Proc) -> i32 {
    if called(&proc) == "pkill" {
        return pkill(proc).await;
    }
    let argv = proc.args();
    run_as(proc, &PGREP, &argv, |run| Box::pin(by_pattern(run, None))).await
}

/// `pkill`: `-9` and `-HUP` are signals.
pub async fn pkill(proc: Proc) -> i32 {
    let (argv, signal) = with_signal(&proc);
    run_as(proc, &PGREP, &argv, move |run| Box::pin(by_pattern(run, Some(signal)))).await
}

/// `killall`.
pub async fn killall(proc: Proc) -> i32 {
    let (argv, signal) = with_signal(&proc);
    run_as(proc, &KILLALL, &argv, move |run| Box::pin(killall_body(run, signal))).await
}

/// `pidof`.
pub async fn pidof(proc: Proc) -> i32 {
    let argv = proc.args();
    run_as(proc, &PIDOF, &argv, |run| Box::pin(pidof_body(run))).await
}

/// `killall5`: only as `pidof`, which Debian links to it.
pub async fn killall5(proc: Proc) -> i32 {
    if called(&proc) == "pidof" {
        return pidof(proc).await;
    }
    proc.eprint("killall5: signalling every process is not simulated in Capas\n").await;
    126
}

/// The name that the program was called by.
fn called(proc: &Proc) -> String {
    proc.args().first().map(|word| text(path::file_name(word))).unwrap_or_default()
}

/// The arguments without a signal among them, and that signal.
fn with_signal(proc: &Proc) -> (Vec<bstr::BString>, Signal) {
    let mut argv = proc.args();
    let signal = |word: &bstr::BString| word.strip_prefix(b"-").and_then(|name| Signal::parse(&text(name)));
    let Some(at) = argv.iter().skip(1).position(|word| signal(word).is_some()) else { return (argv, Signal::TERM) };
    let word = argv.remove(at + 1);
    (argv, signal(&word).unwrap_or(Signal::TERM))
}

/// The other processes, oldest first.
fn others(run: &Run) -> Vec<ProcessInfo> {
    let own = run.proc.gpid();
    let mut processes = run.proc.processes();
    processes.retain(|p| p.gpid != own && p.state != 'Z');
    processes.arrange_by_key(|p| p.pid);
    processes
}

fn line(process: &ProcessInfo) -> String {
    process.args.iter().map(|word| text(word)).collect::<Vec<_>>().join(" ")
}

async fn by_pattern(run: &mut Run, signal: Option<Signal>) -> Done {
    let given = run.args.operands.clone();
    let parents: Option<Vec<u32>> =
        run.args.value('P').map(|list| list.split(|b| *b == b',').filter_map(number).collect());
    let pattern = match given.as_slice() {
        [] if parents.is_some() => None,
        [pattern] => Some(text(pattern)),
        [] => {
            return misused(run, "no matching criteria specified").await;
        }
        _ => {
            return misused(run, "only one pattern can be provided").await;
        }
    };
    let signal = match (signal, run.args.value("signal").map(|name| text(name))) {
        (Some(_), Some(name)) => match Signal::parse(&name) {
            Some(signal) => Some(signal),
            None => {
                run.complain(format!("Unknown signal \"{name}\".")).await;
                return Ok(2);
            }
        },
        (signal, _) => signal,
    };
    let regex = match pattern.map(|p| compile(&p, run.args.has('x'), run.args.has('i'))).transpose() {
        Ok(regex) => regex,
        Err(message) => {
            run.complain(message).await;
            return Ok(2);
        }
    };
    let matches = |p: &ProcessInfo| {
        let subject = if run.args.has('f') { line(p) } else { text(&p.comm) };
        regex.as_ref().is_none_or(|regex| regex.is_match(&subject))
            && parents.as_ref().is_none_or(|parents| parents.contains(&p.ppid))
    };
    let mut found = others(run);
    let inverse = run.args.has('v');
    found.retain(|p| matches(p) != inverse);
    if run.args.has('n') {
        found.drain(..found.len().saturating_sub(1));
    } else if run.args.has('o') {
        found.truncate(1);
    }
    if run.args.has('c') {
        run.put(format!("{}\n", found.len())).await?;
    }
    let mut lines = Vec::new();
    for process in &found {
        match signal {
            Some(signal) => {
                if let Err(error) = run.proc.kill(process.pid.into(), (signal.0 != 0).then_some(signal)) {
                    run.complain(format!("killing pid {} failed: {}", process.pid, error.strerror())).await;
                } else if run.args.has('e') {
                    lines.push(format!("{} killed (pid {})", process.comm, process.pid));
                }
            }
            None if run.args.has('c') => (),
            None if run.args.has('a') => lines.push(format!("{} {}", process.pid, line(process))),
            None if run.args.has('l') => lines.push(format!("{} {}", process.pid, process.comm)),
            None => lines.push(process.pid.to_string()),
        }
    }
    let between = run.args.value('d').map_or_else(|| "\n".to_owned(), |d| text(d));
    if !lines.is_empty() {
        run.put(lines.join(&between) + "\n").await?;
    }
    Ok(if found.is_empty() { 1 } else { run.status })
}

async fn misused(run: &mut Run, message: &str) -> Done {
    run.complain(message).await;
    let name = run.name.clone();
    run.proc.eprint(format!("Try `{name} --help' for more information.\n")).await;
    Ok(2)
}

fn compile(pattern: &str, exact: bool, any_case: bool) -> Result<Regex, String> {
    let pattern = if exact { format!("^({pattern})$") } else { pattern.to_owned() };
    pattern::compile(pattern.as_bytes(), Grammar::Extended, any_case)
}

async fn killall_body(run: &mut Run, signal: Signal) -> Done {
    let signal = match run.args.value('s').map(|name| text(name)) {
        Some(name) => match Signal::parse(&name) {
            Some(signal) => signal,
            None => {
                run.complain(format!("{name}: unknown signal; killall -l lists signals.")).await;
                return Ok(1);
            }
        },
        None => signal,
    };
    if run.args.operands.is_empty() {
        return Ok(run.missing("no process selection criteria").await);
    }
    for name in run.args.operands.clone() {
        let found: Vec<ProcessInfo> = others(run).into_iter().filter(|p| p.comm == name).collect();
        if found.is_empty() && !run.args.has('q') {
            run.complain(format!("{name}: no process {}", if run.is_busybox() { "killed" } else { "found" })).await;
        }
        for process in found {
            if let Err(error) = run.proc.kill(process.pid.into(), (signal.0 != 0).then_some(signal)) {
                run.complain(format!("{name}({}): {}", process.pid, error.strerror())).await;
            } else if run.args.has('v') {
                run.proc.eprint(format!("Killed {name}({}) with signal {}\n", process.pid, signal.0)).await;
            }
        }
    }
    Ok(0)
}

async fn pidof_body(run: &mut Run) -> Done {
    let names = run.args.operands.clone();
    // The youngest first, as the real one.
    let found = others(run).into_iter().rev().filter(|p| names.contains(&p.comm));
    let mut pids: Vec<String> = found.map(|p| p.pid.to_string()).collect();
    if run.args.has('s') {
        pids.truncate(1);
    }
    if pids.is_empty() {
        return Ok(1);
    }
    run.put(pids.join(" ") + "\n").await?;
    Ok(0)
}
