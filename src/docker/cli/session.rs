//! A session with a container's process: input, output, signals and the window's size (docker/cli `hijack.go`, `signals.go`, `tty.go`).
//!
//! All of it runs in the client's one process: whatever can go on goes on at each turn. The terminal is given back as it was, however
//! the session ends.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::{pending, poll_fn};
use std::task::Poll;

use crate::base::errno::Errno;
use crate::docker::daemon::api::container::Attached;
use crate::docker::daemon::api::stream::Source;
use crate::os::kernel::tty::Termios;
use crate::os::kernel::{Disposition, Proc, Signal, TtyId};

use super::client::{Answer, Client, race};
use super::error::CliError;

/// How a session ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// The process closed its output.
    Closed,
    /// The keys for detaching were typed.
    Detached,
}

/// Who is on the other side.
#[derive(Clone, Copy, Debug)]
pub enum Peer<'a> {
    /// A container's main process; whether it gets the client's signals.
    Container(&'a str, bool),
    /// One started by `exec`.
    Exec(&'a str),
}

/// What a session is like.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// The other side.
    pub peer: Peer<'a>,
    /// Whether input goes there.
    pub stdin: bool,
    /// `--detach-keys`; empty for the default.
    pub detach_keys: &'a str,
}

/// Control-P, Control-Q.
const DETACH: &[u8] = &[16, 17];
/// Input read at once, in bytes.
const CHUNK: u64 = 1 << 16;
/// Signals that end the client when it does not forward them.
const PROXIED: [Signal; 8] =
    [Signal::HUP, Signal::INT, Signal::QUIT, Signal::TERM, Signal::USR1, Signal::USR2, Signal::ALRM, Signal::CONT];

/// A terminal that is set to raw; dropping this sets it back.
struct Raw<'a> {
    proc: &'a Proc,
    tty: TtyId,
    before: Termios,
}

impl<'a> Raw<'a> {
    fn new(proc: &'a Proc, tty: TtyId) -> Self {
        let before = proc.termios(tty);
        proc.set_termios(tty, Termios::RAW);
        Self { proc, tty, before }
    }
}

impl Drop for Raw<'_> {
    fn drop(&mut self) {
        self.proc.set_termios(self.tty, self.before);
    }
}

/// Streams until the process ends or the user detaches.
///
/// # Errors
/// Output that can't be written, keys for detaching that are none.
pub async fn run(client: &Client, attached: Attached, options: Options<'_>) -> Answer<End> {
    let keys = detach_keys(options.detach_keys)?;
    let Attached { tty, stdin, output } = attached;
    let _raw = match client.stdin_tty() {
        Some(id) if tty && options.stdin => Some(Raw::new(&client.proc, id)),
        _ => None,
    };
    let signals = Signals::default();
    let proxies = matches!(options.peer, Peer::Container(_, true));
    let catch = |signal| client.proc.on_signal(signal, Disposition::Handle);
    if proxies {
        PROXIED.into_iter().for_each(catch);
    }
    if tty {
        catch(Signal::WINCH);
        resize(client, options.peer);
    }
    let show = async {
        while let Some(frame) = output.next().await {
            let fd = if frame.source == Source::Stderr && !tty { 2 } else { 1 };
            client.proc.write_rope(fd, &frame.bytes).await.map_err(CliError::write)?;
        }
        Ok(End::Closed)
    };
    let feed = async {
        if let (Some(stdin), true) = (stdin, options.stdin) {
            let mut typed = Detach { keys: &keys, held: Vec::new() };
            loop {
                match client.proc.read(0, CHUNK).await {
                    Ok(bytes) if bytes.is_empty() => break,
                    Ok(bytes) if tty => {
                        let Some(bytes) = typed.pass(&bytes.to_vec()) else { return Ok(End::Detached) };
                        if client.proc.write_handle(&stdin, &bytes.as_slice().into()).await.is_err() {
                            break;
                        }
                    }
                    Ok(bytes) => {
                        if client.proc.write_handle(&stdin, &bytes).await.is_err() {
                            break;
                        }
                    }
                    Err(Errno::EINTR) => {}
                    Err(_) => break,
                }
            }
            // Here the end of the input is passed on.
            drop(stdin);
        }
        pending().await
    };
    let forward = async {
        let mut hits = 0;
        loop {
            let signal = signals.next().await;
            match (signal, options.peer) {
                (Signal::WINCH, peer) => resize(client, peer),
                (signal, Peer::Container(name, _)) => {
                    // A container that is gone needs no signal.
                    let _ = client.daemon.container_kill(name, &signal.0.to_string()).await;
                    hits += u32::from(matches!(signal, Signal::INT | Signal::TERM));
                    if hits >= 3 {
                        client.complain("\ngot 3 SIGTERM/SIGINTs, forcefully exiting").await;
                        return Err(CliError::Status(1));
                    }
                }
                _ => {}
            }
        }
    };
    // Signals are taken first, so that nothing that waits is interrupted by them.
    race(signals.take(&client.proc), race(forward, race(feed, show))).await
}

/// Signals on their way from the kernel to whoever forwards them.
#[derive(Default)]
struct Signals(RefCell<VecDeque<Signal>>);

impl Signals {
    async fn take<T>(&self, proc: &Proc) -> T {
        loop {
            let signal = proc.pause().await;
            self.0.borrow_mut().push_back(signal);
        }
    }

    async fn next(&self) -> Signal {
        poll_fn(|_| match self.0.borrow_mut().pop_front() {
            Some(signal) => Poll::Ready(signal),
            None => Poll::Pending,
        })
        .await
    }
}

/// Tells the other side the size of the terminal.
fn resize(client: &Client, peer: Peer<'_>) {
    let Some(tty) = client.stdout_tty() else { return };
    let size = client.proc.win_size(tty);
    // A process that is gone needs no size.
    let _ = match peer {
        Peer::Container(name, _) => client.daemon.container_resize(name, size.rows, size.cols),
        Peer::Exec(id) => client.daemon.exec_resize(id, size.rows, size.cols),
    };
}

/// Looks for the keys for detaching in what is typed (moby/term `NewEscapeProxy`).
struct Detach<'a> {
    keys: &'a [u8],
    held: Vec<u8>,
}

impl Detach<'_> {
    /// What is to be passed on; `None` when the keys were typed.
    fn pass(&mut self, typed: &[u8]) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        for &byte in typed {
            if self.keys.get(self.held.len()) != Some(&byte) {
                out.append(&mut self.held);
            }
            if self.keys.get(self.held.len()) == Some(&byte) {
                self.held.push(byte);
                if self.held.len() == self.keys.len() {
                    return None;
                }
            } else {
                out.push(byte);
            }
        }
        Some(out)
    }
}

/// moby/term `ToBytes`: `ctrl-p,ctrl-q`, `a,b`.
fn detach_keys(text: &str) -> Answer<Vec<u8>> {
    if text.is_empty() {
        return Ok(DETACH.to_vec());
    }
    let key = |name: &str| match name.as_bytes() {
        [byte] => Some(*byte),
        [b'c', b't', b'r', b'l', b'-', byte] => match byte {
            b'a'..=b'z' => Some(byte - b'a' + 1),
            b'@' => Some(0),
            b'[' => Some(27),
            b'\\' => Some(28),
            b']' => Some(29),
            b'^' => Some(30),
            b'_' => Some(31),
            _ => None,
        },
        b"DEL" => Some(127),
        _ => None,
    };
    let keys = text.split(',').map(|name| key(name).ok_or_else(|| format!("Unknown character: '{name}'")));
    keys.collect::<Result<_, _>>().map_err(|why| CliError::new(format!("invalid detach keys ({text}): {why}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_p_control_q_detaches_even_in_two_pieces() {
        let mut typed = Detach { keys: DETACH, held: Vec::new() };
        assert_eq!(typed.pass(b"ab\x10").unwrap(), b"ab");
        assert_eq!(typed.pass(b"c\x10\x10").unwrap(), b"\x10c\x10");
        assert_eq!(typed.pass(b"\x11"), None);
    }

    #[test]
    fn keys_for_detaching_can_be_chosen() {
        assert_eq!(detach_keys("ctrl-a,x,DEL").unwrap(), [1, b'x', 127]);
        assert_eq!(detach_keys("foo"), Err(CliError::new("invalid detach keys (foo): Unknown character: 'foo'")));
    }
}
