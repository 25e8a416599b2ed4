//! Running other programs: fork, exec, wait.

use bstr::BString;

use crate::base::errno::Errno;
use crate::os::kernel::Proc;
use crate::os::kernel::syscall::Waited;

/// Runs a command to its end and returns its status as the shell would show it: 127 when there is none.
pub async fn status_of(proc: &Proc, command: Vec<BString>) -> i32 {
    let Some(program) = command.first().cloned() else { return 0 };
    let name = proc.args().first().cloned().unwrap_or_default();
    let child = proc.fork(|child| {
        Box::pin(async move {
            let env = child.env();
            let started = match child.search(program.as_ref()) {
                Ok(path) => child.exec(&path, command, env).await,
                Err(error) => Err(error),
            };
            match started {
                Ok(status) => status,
                Err(error) => {
                    child.eprint(format!("{name}: {program}: {}\n", error.strerror())).await;
                    if error == Errno::ENOENT { 127 } else { 126 }
                }
            }
        })
    });
    let Ok(child) = child else { return 126 };
    loop {
        match proc.wait(Some(child), false).await {
            Ok(Waited::Ended(_, status)) => return status.code(),
            Ok(Waited::Stopped(..)) => {}
            Err(Errno::EINTR) => drop(proc.take_signal()),
            Err(_) => return 126,
        }
    }
}
