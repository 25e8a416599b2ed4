//! `dockerd` as a process of the host: it listens on `/var/run/docker.sock` and answers each connection in a process.
//!
//! A connection is one request: the daemon ends it with the answer, as a server may.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use bstr::ByteSlice;

use super::exchange::{Ask, Call, Head, Peer, Untaken};
use crate::base::errno::Errno;
use crate::base::rope::Rope;
use crate::docker::cli::client::beside;
use crate::docker::daemon::api::Daemon;
use crate::docker::daemon::settings::Settings;
use crate::os::kernel::signal::{Disposition, Signal};
use crate::os::kernel::wait::Waiters;
use crate::os::kernel::{Fd, Kernel, Proc};
use crate::os::userland::date::strftime;
use crate::os::userland::http::{read_body, read_head};

/// Where the daemon listens.
pub const SOCKET: &str = "/run/docker.sock";
/// Who may connect: root and the group `docker`.
const MODE: u32 = 0o660;
/// Pieces of an answer on their way.
const PIECES: usize = 64;
/// A longer body than Go's server holds back goes in chunks (`net/http` `bufferBeforeChunkingSize`).
const HELD_BYTES: u64 = 2048;

/// The number of the daemon's process.
pub const PID_FILE: &str = "/run/docker.pid";

/// Serves the daemon until it is told to end; containers stop with it. SIGHUP makes it read its settings again.
///
/// # Errors
/// What dockerd says when it can't start.
pub async fn serve(proc: &Proc, daemon: &Daemon, group: u32) -> Result<(), String> {
    let told = proc.read_file(PID_FILE.as_bytes()).await.unwrap_or_default().to_vec();
    let other = told.trim_ascii().to_str_lossy().parse::<i64>().ok();
    if let Some(pid) = other.filter(|pid| *pid != i64::from(proc.pid()) && proc.kill(*pid, None).is_ok()) {
        return Err(format!(
            "failed to start daemon, ensure docker is not running or delete /var/run/docker.pid: process with PID {pid} is still running"
        ));
    }
    daemon.set_settings(settings(proc).await?);
    proc.on_signal(Signal::PIPE, Disposition::Ignore);
    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        proc.on_signal(signal, Disposition::Handle);
    }
    // A socket that a killed daemon has left is in the way.
    let _ = proc.unlink(SOCKET.as_bytes());
    let made = proc.listen_at(SOCKET.as_bytes(), MODE);
    let Ok(socket) = made else { return Err("failed to listen on /var/run/docker.sock".to_owned()) };
    let _ = proc.chmod(SOCKET.as_bytes(), MODE);
    let _ = proc.chown(SOCKET.as_bytes(), None, Some(group), false);
    let _ = proc.write_file(PID_FILE.as_bytes(), &Rope::from(proc.pid().to_string().as_str())).await;
    daemon.restore().await;
    loop {
        let accepted = async { Some(proc.accept_at(socket).await) };
        let called = async {
            match proc.pause().await {
                Signal::HUP => Some(Err(Errno::EINTR)),
                _ => None,
            }
        };
        let fd = match futures_lite::future::or(called, accepted).await {
            None => break,
            Some(Ok(fd)) => fd,
            Some(Err(Errno::EINTR)) => {
                again(proc, daemon).await;
                continue;
            }
            Some(Err(_)) => return Err("too many open files".to_owned()),
        };
        let own = daemon.clone();
        // No more processes: the connection is closed without an answer.
        let _ = proc.fork(move |child| {
            Box::pin(async move {
                for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
                    child.on_signal(signal, Disposition::Default);
                }
                answer(&child, own, fd).await;
                0
            })
        });
        let _ = proc.close(fd);
        while let Ok(Some(_)) = proc.try_wait(None, false) {}
    }
    end(proc, daemon).await;
    Ok(())
}

/// Work apart, so that the page's program need not have it to begin with.
type Apart<'a> = std::pin::Pin<Box<dyn Future<Output = ()> + 'a>>;

/// Takes new settings; those that can't be read are not taken.
#[inline(never)]
fn again<'a>(proc: &'a Proc, daemon: &'a Daemon) -> Apart<'a> {
    Box::pin(async move {
        if let Ok(settings) = settings(proc).await {
            daemon.set_settings(settings);
        }
    })
}

#[inline(never)]
fn end<'a>(proc: &'a Proc, daemon: &'a Daemon) -> Apart<'a> {
    Box::pin(async move {
        daemon.shut_down().await;
        for path in [SOCKET, PID_FILE] {
            let _ = proc.unlink(path.as_bytes());
        }
    })
}

/// What `daemon.json` says.
async fn settings(proc: &Proc) -> Result<Settings, String> {
    let Ok(text) = proc.read_file(b"/etc/docker/daemon.json").await else { return Ok(Settings::default()) };
    taken(&text.head(1 << 20))
}

#[inline(never)]
fn taken(text: &[u8]) -> Result<Settings, String> {
    Settings::read(&text.to_str_lossy())
        .map_err(|why| format!("unable to configure the Docker daemon with file /etc/docker/daemon.json: {why}"))
}

/// A connection of the machine, as the request at work sees it.
struct Wire {
    kernel: Kernel,
    head: RefCell<Option<Head>>,
    out: RefCell<VecDeque<Vec<u8>>>,
    input: RefCell<VecDeque<Vec<u8>>>,
    input_ended: Cell<bool>,
    is_raw: Cell<bool>,
    is_gone: Cell<bool>,
    is_done: Cell<bool>,
    changed: Waiters,
}

impl Peer for Wire {
    fn begin(&self, head: Head) {
        self.is_raw.set(head.status == 101);
        *self.head.borrow_mut() = Some(head);
        self.changed.wake();
    }

    fn offer(&self, bytes: Vec<u8>) -> Result<(), Untaken> {
        if self.is_gone.get() {
            return Err(Untaken::Gone);
        }
        let mut out = self.out.borrow_mut();
        if out.len() >= PIECES {
            return Err(Untaken::Full(bytes));
        }
        out.push_back(bytes);
        self.changed.wake();
        Ok(())
    }

    fn poll_input(&self) -> Poll<Option<Vec<u8>>> {
        match self.input.borrow_mut().pop_front() {
            Some(bytes) => Poll::Ready(Some(bytes)),
            None if self.input_ended.get() => Poll::Ready(None),
            None => {
                self.changed.add(self.kernel.current());
                Poll::Pending
            }
        }
    }

    fn poll_gone(&self) -> Poll<()> {
        if self.is_gone.get() {
            return Poll::Ready(());
        }
        self.changed.add(self.kernel.current());
        Poll::Pending
    }
}

impl Wire {
    /// Waits until `look` finds something.
    async fn until<T>(&self, look: impl Fn() -> Option<T>) -> T {
        poll_fn(|_| match look() {
            Some(found) => Poll::Ready(found),
            None => {
                self.changed.add(self.kernel.current());
                Poll::Pending
            }
        })
        .await
    }

    /// Writes the answer as it comes.
    async fn write(&self, proc: &Proc, fd: Fd) -> Result<(), Errno> {
        let ended = || self.is_done.get() || self.is_gone.get();
        let head = self.until(|| self.head.borrow_mut().take().map(Some).or_else(|| ended().then_some(None))).await;
        let Some(head) = head else { return Ok(()) };
        let in_chunks = !self.is_raw.get() && head.length.is_none_or(|length| length > HELD_BYTES);
        let mut text = format!("HTTP/1.1 {} {}\r\n", head.status, reason(head.status));
        for (name, value) in head.lines() {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        if self.is_raw.get() {
            text.push_str("Connection: Upgrade\r\nUpgrade: tcp\r\n");
        } else {
            text.push_str(&format!("Date: {}\r\n", strftime("%a, %d %b %Y %H:%M:%S GMT", proc.now())));
            match head.length {
                Some(length) if !in_chunks && head.status != 204 => {
                    text.push_str(&format!("Content-Length: {length}\r\n"));
                }
                _ if in_chunks => text.push_str("Transfer-Encoding: chunked\r\n"),
                _ => {}
            }
        }
        text.push_str("\r\n");
        proc.write(fd, text.as_bytes()).await?;
        loop {
            let piece =
                self.until(|| self.out.borrow_mut().pop_front().map(Some).or_else(|| ended().then_some(None))).await;
            match piece {
                Some(bytes) if bytes.is_empty() => {}
                Some(bytes) if in_chunks => {
                    let mut chunk = Rope::from(format!("{:x}\r\n", bytes.len()).as_str());
                    chunk.push(&bytes.as_slice().into());
                    chunk.push(&"\r\n".into());
                    proc.write_rope(fd, &chunk).await?;
                }
                Some(bytes) => proc.write_rope(fd, &bytes.as_slice().into()).await?,
                None if in_chunks => return proc.write(fd, b"0\r\n\r\n").await.map(drop),
                None => return Ok(()),
            }
        }
    }

    /// Reads what comes after the request: input of a raw stream, or the end of the connection.
    async fn read(&self, proc: &Proc, fd: Fd) {
        while let Ok(bytes) = proc.read(fd, 1 << 16).await
            && !bytes.is_empty()
        {
            self.input.borrow_mut().push_back(bytes.to_vec());
            self.changed.wake();
        }
        self.input_ended.set(true);
        // Who hijacked the connection may have closed its half; who did not is gone.
        self.is_gone.set(self.is_gone.get() || !self.is_raw.get());
        self.changed.wake();
    }
}

/// Reads a request and answers it.
async fn answer(proc: &Proc, daemon: Daemon, fd: Fd) {
    let Ok(Some(head)) = read_head(proc, fd).await else { return };
    let has_body = head.get("content-length").is_some() || head.get("transfer-encoding").is_some();
    let body = if has_body { read_body(proc, fd, &head).await } else { Ok(Rope::new()) };
    let Ok(body) = body else { return };
    let text = |bytes: &[u8]| bytes.to_str_lossy().into_owned();
    let mut words = head.start.split_str(" ");
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let headers = head.headers.iter().map(|(name, value)| (text(name).to_ascii_lowercase(), text(value))).collect();
    let ask = Ask::new(&text(method), &text(target), headers, body);
    let wire = Rc::new(Wire {
        kernel: proc.kernel().clone(),
        head: RefCell::default(),
        out: RefCell::default(),
        input: RefCell::default(),
        input_ended: Cell::new(false),
        is_raw: Cell::new(false),
        is_gone: Cell::new(false),
        is_done: Cell::new(false),
        changed: proc.kernel().waiters(),
    });
    let call = Call::new(proc.clone(), daemon, ask, Rc::clone(&wire) as Rc<dyn Peer>);
    let work = async {
        call.run().await;
        wire.is_done.set(true);
        wire.changed.wake();
        std::future::pending::<()>().await;
    };
    let write = async {
        if wire.write(proc, fd).await.is_err() {
            wire.is_gone.set(true);
            wire.changed.wake();
        }
    };
    let others = async {
        beside(work, wire.read(proc, fd)).await;
    };
    beside(write, others).await;
}

/// The name of a status.
const fn reason(status: u16) -> &'static str {
    match status {
        101 => "UPGRADED",
        200 => "OK",
        201 => "Created",
        204 => "No Content",
        304 => "Not Modified",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        406 => "Not Acceptable",
        409 => "Conflict",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        _ => "Internal Server Error",
    }
}
