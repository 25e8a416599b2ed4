//! Servers that give each connection a child of its own, as databases do: one client does not hold up the others.

use crate::base::errno::Errno;
use crate::os::kernel::{Fd, Proc, Signal, Task};

/// Serves connections until one of the signals `ends` comes, which is the answer; `None` when no more can be accepted. The
/// signals, and that of children that end, are to be handled.
pub async fn serve_each(
    proc: &Proc,
    ports: &[u16],
    ends: &[Signal],
    serve: impl Fn(Proc, Fd, String) -> Task,
) -> Option<Signal> {
    loop {
        match proc.accept(ports).await {
            Ok((fd, _, peer)) => {
                // Without a child nobody serves it: it is closed.
                let _ = proc.fork(|child| serve(child, fd, peer));
                let _ = proc.close(fd);
            }
            Err(Errno::EINTR) => match proc.take_signal() {
                Some(signal) if ends.contains(&signal) => return Some(signal),
                _ => while let Ok(Some(_)) = proc.try_wait(None, false) {},
            },
            Err(_) => return None,
        }
    }
}
