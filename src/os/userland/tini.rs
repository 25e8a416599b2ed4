//! `tini`: a first process that starts one other, passes signals on to it and takes in what others leave behind.

use bstr::BString;

use crate::base::errno::Errno;
use crate::os::kernel::syscall::Waited;
use crate::os::kernel::{Disposition, Proc, Signal};

const PASSED: [Signal; 8] =
    [Signal::HUP, Signal::INT, Signal::QUIT, Signal::TERM, Signal::USR1, Signal::USR2, Signal::WINCH, Signal::CONT];

/// `tini`.
pub async fn main(proc: Proc) -> i32 {
    let mut command: Vec<BString> = proc.args().into_iter().skip(1).collect();
    while let Some(option) = command.first().filter(|word| word.starts_with(b"-")).cloned() {
        command.remove(0);
        match option.as_slice() {
            b"--" => break,
            // Process 1 takes in orphans anyway, and there is nothing to warn of.
            b"-s" | b"-w" | b"-v" => {}
            _ => {
                proc.eprint(format!("tini: {option} is not simulated in Capas\n")).await;
                return 1;
            }
        }
    }
    if command.is_empty() {
        proc.eprint("Usage: tini [OPTIONS] PROGRAM -- [ARGS]\n").await;
        return 1;
    }
    for signal in PASSED {
        proc.on_signal(signal, Disposition::Handle);
    }
    let Ok(child) = proc.fork(move |child| {
        Box::pin(async move {
            for signal in PASSED {
                child.on_signal(signal, Disposition::Default);
            }
            let Some(program) = command.first().cloned() else { return 0 };
            let env = child.env();
            let started = match child.search(program.as_ref()) {
                Ok(path) => child.exec(&path, command, env).await,
                Err(error) => Err(error),
            };
            match started {
                Ok(status) => status,
                Err(error) => {
                    child.eprint(format!("[FATAL tini (7)] exec {program} failed: {}\n", error.strerror())).await;
                    if error == Errno::ENOENT { 127 } else { 126 }
                }
            }
        })
    }) else {
        return 1;
    };
    loop {
        match proc.wait(None, false).await {
            Ok(Waited::Ended(pid, status)) if pid == child => return status.code(),
            Ok(_) => {}
            Err(Errno::EINTR) => {
                while let Some(signal) = proc.take_signal() {
                    // A child that has just ended needs no signal.
                    let _ = proc.kill(i64::from(child), Some(signal));
                }
            }
            Err(_) => return 1,
        }
    }
}
