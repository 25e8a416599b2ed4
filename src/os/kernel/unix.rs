//! Sockets of the file system (`AF_UNIX`): a listener stands at a path, whoever may write to that file may connect.
//!
//! A listener is known by its file, not by its path, so that a bind mount of the file leads to the same one.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use super::file::{Object, Open, OpenFile};
use super::net::Incoming;
use super::pipe::Pipe;
use super::wait::Waiters;
use super::{Fd, Gpid, Proc};
use crate::base::errno::Errno;
use crate::os::fs::mounts::{How, Node};
use crate::os::fs::node::Content;

/// A file that is listened on: its file system and its number there.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct SocketFile(u64, u64);

pub(super) struct Listener {
    pub owner: Gpid,
    backlog: VecDeque<Incoming>,
    waiters: Rc<Waiters>,
}

impl Proc {
    /// Makes a socket at `path` and listens on it until this process ends.
    ///
    /// # Errors
    /// `EEXIST` when something is there, and those of a walk.
    pub fn listen_at(&self, path: &[u8], mode: u32) -> Result<SocketFile, Errno> {
        self.mknod(path, mode, Content::Socket)?;
        let file = self.socket_file(path)?;
        let waiters = Rc::new(Waiters::new(&self.kernel.queue));
        let listener = Listener { owner: self.gpid, backlog: VecDeque::new(), waiters };
        self.kernel.state.borrow_mut().sockets.insert(file, listener);
        Ok(file)
    }

    /// Finds a socket that this process may write to.
    fn socket_file(&self, path: &[u8]) -> Result<SocketFile, Errno> {
        let who = self.caller();
        let how = How { wanted: 2, create: None, exclusive: false, truncate: false };
        let place = self.mounts(|m| m.open(&who, path, how))?;
        match (place.content()?, &place.node) {
            (Content::Socket, Node::Ino(_)) => place.stat().map(|stat| SocketFile(stat.dev, stat.ino)),
            _ => Err(Errno::ECONNREFUSED),
        }
    }

    /// Waits for somebody to connect.
    ///
    /// # Errors
    /// `EINVAL` when it is not listened on, `EMFILE`.
    pub async fn accept_at(&self, socket: SocketFile) -> Result<Fd, Errno> {
        let file = poll_fn(|_| {
            let mut state = self.kernel.state.borrow_mut();
            let Some(listener) = state.sockets.get_mut(&socket) else { return Poll::Ready(Err(Errno::EINVAL)) };
            match listener.backlog.pop_front() {
                Some(incoming) => Poll::Ready(Ok(incoming.file)),
                None => {
                    listener.waiters.add(self.gpid);
                    Poll::Pending
                }
            }
        })
        .await?;
        self.install(file, 0)
    }

    /// Connects to the socket at `path`.
    ///
    /// # Errors
    /// `ENOENT`, `EACCES`, `ECONNREFUSED` where nobody listens, `EMFILE`.
    pub fn connect_at(&self, path: &[u8]) -> Result<Fd, Errno> {
        let file = self.socket_file(path)?;
        let (up, down) = (Pipe::new(&self.kernel.queue), Pipe::new(&self.kernel.queue));
        let own = Object::Socket { receive: Rc::clone(&down), send: Rc::clone(&up), peer: String::new() };
        let far = Object::Socket { receive: up, send: down, peer: String::new() };
        let waiters = {
            let mut state = self.kernel.state.borrow_mut();
            let listener = state.sockets.get_mut(&file).ok_or(Errno::ECONNREFUSED)?;
            let file = OpenFile::new(far, Open::READ_WRITE);
            listener.backlog.push_back(Incoming { file, peer: String::new() });
            Rc::clone(&listener.waiters)
        };
        waiters.wake();
        self.install(OpenFile::new(own, Open::READ_WRITE), 0)
    }

    /// Whether somebody listens on the socket at `path` and this process may connect.
    ///
    /// # Errors
    /// As [`Self::connect_at`].
    pub fn can_connect_at(&self, path: &[u8]) -> Result<(), Errno> {
        let file = self.socket_file(path)?;
        self.kernel.state.borrow().sockets.get(&file).map(|_| ()).ok_or(Errno::ECONNREFUSED)
    }
}

impl super::State {
    /// Takes out what a process listened on. To be dropped by the caller: that closes connections.
    pub(super) fn release_sockets(&mut self, owner: Gpid) -> Vec<Listener> {
        let own = self.sockets.iter().filter(|(_, listener)| listener.owner == owner).map(|(file, _)| *file);
        let own: Vec<SocketFile> = own.collect();
        own.iter().filter_map(|file| self.sockets.remove(file)).collect()
    }
}
