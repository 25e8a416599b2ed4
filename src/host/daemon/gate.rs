//! Where the connections of the real socket leave their requests and the machine takes them.
//!
//! The process waits for the connection through the kernel's own waiters, as for everything in the machine; the connection
//! waits for the process through channels. Whoever hangs up ends the process.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::task::Poll;

use hyper::body::Bytes;
use tokio::sync::mpsc::error::{TryRecvError, TrySendError};
use tokio::sync::{Notify, mpsc, oneshot};

use crate::docker::daemon::api::Daemon;
use crate::docker::http::exchange::{Ask, Call, Head, Peer, Untaken};
use crate::os::kernel::signal::{Disposition, Signal};
use crate::os::kernel::wait::Waiters;
use crate::os::kernel::{Kernel, ProcessSpec};

/// Pieces of a body on their way.
const PIECES: usize = 64;

/// The first part of an answer, and where the rest comes.
pub struct Begun {
    /// The first part.
    pub head: Head,
    /// The body's pieces.
    pub body: mpsc::Receiver<Bytes>,
}

/// A connection, as the process sees it.
struct Line {
    kernel: Kernel,
    link: Rc<Link>,
    head: Cell<Option<oneshot::Sender<Begun>>>,
    to: RefCell<Option<mpsc::Sender<Bytes>>>,
    input: RefCell<mpsc::Receiver<Bytes>>,
}

impl Peer for Line {
    fn begin(&self, head: Head) {
        let (to, body) = mpsc::channel(PIECES);
        *self.to.borrow_mut() = Some(to);
        if let Some(begun) = self.head.take() {
            // Nobody may be waiting any more; the first write tells.
            drop(begun.send(Begun { head, body }));
        }
    }

    fn offer(&self, bytes: Vec<u8>) -> Result<(), Untaken> {
        let to = self.to.borrow();
        let Some(to) = to.as_ref() else { return Err(Untaken::Gone) };
        to.try_send(Bytes::from(bytes)).map_err(|error| match error {
            TrySendError::Closed(_) => Untaken::Gone,
            TrySendError::Full(back) => Untaken::Full(back.into()),
        })
    }

    fn poll_input(&self) -> Poll<Option<Vec<u8>>> {
        match self.input.borrow_mut().try_recv() {
            Ok(bytes) => Poll::Ready(Some(bytes.into())),
            Err(TryRecvError::Disconnected) => Poll::Ready(None),
            Err(TryRecvError::Empty) => {
                self.link.waiters.add(self.kernel.current());
                Poll::Pending
            }
        }
    }

    fn poll_gone(&self) -> Poll<()> {
        if self.link.is_gone.get() {
            return Poll::Ready(());
        }
        self.link.waiters.add(self.kernel.current());
        Poll::Pending
    }
}

/// What a connection and a process know of one another.
pub struct Link {
    is_gone: Cell<bool>,
    waiters: Waiters,
    work: Rc<Notify>,
}

impl Link {
    /// Wakes the process.
    pub fn wake(&self) {
        self.waiters.wake();
        self.work.notify_one();
    }
}

/// Dropping it tells the process that the connection is gone.
pub struct Presence(Rc<Link>);

impl Presence {
    /// The link.
    pub fn link(&self) -> &Link {
        &self.0
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        self.0.is_gone.set(true);
        self.0.wake();
    }
}

struct Arrived {
    ask: Ask,
    head: oneshot::Sender<Begun>,
    link: Rc<Link>,
    input: mpsc::Receiver<Bytes>,
}

/// Where connections leave their requests and the machine takes them.
pub struct Gate {
    kernel: Kernel,
    daemon: Daemon,
    arrived: RefCell<VecDeque<Arrived>>,
    work: Rc<Notify>,
}

/// A request that has been left: what the connection keeps of it.
pub struct Left {
    /// The answer, when it comes.
    pub head: oneshot::Receiver<Begun>,
    /// Where raw input goes. Dropping it ends the input; wake the process after both.
    pub input: mpsc::Sender<Bytes>,
    /// That the connection is still there.
    pub presence: Presence,
}

impl Gate {
    /// A gate to a machine.
    pub fn new(kernel: &Kernel, daemon: &Daemon) -> Self {
        Self {
            kernel: kernel.clone(),
            daemon: daemon.clone(),
            arrived: RefCell::default(),
            work: Rc::new(Notify::new()),
        }
    }

    /// Leaves a request.
    pub fn leave(&self, ask: Ask) -> Left {
        let link =
            Rc::new(Link { is_gone: Cell::new(false), waiters: self.kernel.waiters(), work: Rc::clone(&self.work) });
        let (answer, head) = oneshot::channel();
        let (input, read) = mpsc::channel(PIECES);
        self.arrived.borrow_mut().push_back(Arrived { ask, head: answer, link: Rc::clone(&link), input: read });
        self.work.notify_one();
        Left { head, input, presence: Presence(link) }
    }

    /// Waits until there is work for the machine.
    pub async fn work(&self) {
        self.work.notified().await;
    }

    /// Makes processes of the requests that have come.
    pub fn admit(&self) {
        let arrived = std::mem::take(&mut *self.arrived.borrow_mut());
        for Arrived { ask, head, link, input } in arrived {
            let null = self.kernel.null();
            let spec = ProcessSpec {
                program: "/usr/bin/dockerd".into(),
                args: vec!["dockerd".into()],
                stdio: [null.clone(), null.clone(), null],
                tty: None,
                cgroup: String::new(),
                cwd: "/".into(),
                ..self.daemon.host().clone()
            };
            let (kernel, daemon) = (self.kernel.clone(), self.daemon.clone());
            // Too many processes: the connection is told by the answer that never comes.
            let _ = self.kernel.spawn_with(spec, |proc| {
                proc.on_signal(Signal::PIPE, Disposition::Ignore);
                let (head, input) = (Cell::new(Some(head)), RefCell::new(input));
                let line = Line { kernel, link, head, to: RefCell::default(), input };
                let call = Call::new(proc, daemon, ask, Rc::new(line));
                Box::pin(async move {
                    call.run().await;
                    0
                })
            });
        }
    }
}
