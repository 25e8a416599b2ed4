//! What lasts: a bounded queue between the daemon and a client, on which the client's process waits.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use crate::base::rope::Rope;
use crate::os::kernel::Kernel;
use crate::os::kernel::wait::Waiters;

/// Items a queue holds until its sender waits or, where it can't wait, drops the oldest.
const CAPACITY: usize = 1024;

struct Shared<T> {
    kernel: Kernel,
    items: RefCell<VecDeque<T>>,
    senders: Cell<usize>,
    open: Cell<bool>,
    can_read: Waiters,
    can_write: Waiters,
}

/// The reading end. Dropping it tells the senders.
pub struct Receiver<T>(Rc<Shared<T>>);

/// The writing end. When the last one is dropped the stream ends.
pub struct Sender<T>(Rc<Shared<T>>);

/// A new stream.
pub fn stream<T>(kernel: &Kernel) -> (Sender<T>, Receiver<T>) {
    let shared = Rc::new(Shared {
        kernel: kernel.clone(),
        items: RefCell::default(),
        senders: Cell::new(1),
        open: Cell::new(true),
        can_read: kernel.waiters(),
        can_write: kernel.waiters(),
    });
    (Sender(Rc::clone(&shared)), Receiver(shared))
}

impl<T> Receiver<T> {
    /// Waits for the next item; `None` at the end. Dropping the future loses nothing, so it can be raced with others.
    pub async fn next(&self) -> Option<T> {
        poll_fn(|_| match self.try_next() {
            Some(item) => Poll::Ready(Some(item)),
            None if self.0.senders.get() == 0 => Poll::Ready(None),
            None => {
                self.0.can_read.add(self.0.kernel.current());
                Poll::Pending
            }
        })
        .await
    }

    /// The next item, if it is here.
    pub fn try_next(&self) -> Option<T> {
        let item = self.0.items.borrow_mut().pop_front();
        if item.is_some() {
            self.0.can_write.wake();
        }
        item
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        self.0.open.set(false);
        self.0.can_write.wake();
    }
}

impl<T> Sender<T> {
    /// Sends without waiting; when the reader is too slow the oldest item is lost. `false` when nobody reads any more.
    pub fn push(&self, item: T) -> bool {
        if self.0.open.get() {
            let mut items = self.0.items.borrow_mut();
            if items.len() >= CAPACITY {
                items.pop_front();
            }
            items.push_back(item);
            self.0.can_read.wake();
        }
        self.0.open.get()
    }

    /// Sends, waiting for room. `false` when nobody reads any more.
    pub async fn send(&self, item: T) -> bool {
        poll_fn(|_| {
            if !self.0.open.get() || self.0.items.borrow().len() < CAPACITY {
                return Poll::Ready(());
            }
            self.0.can_write.add(self.0.kernel.current());
            Poll::Pending
        })
        .await;
        self.push(item)
    }

    /// Whether somebody still reads.
    pub fn is_open(&self) -> bool {
        self.0.open.get()
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.0.senders.set(self.0.senders.get() + 1);
        Self(Rc::clone(&self.0))
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.0.senders.set(self.0.senders.get().saturating_sub(1));
        if self.0.senders.get() == 0 {
            self.0.can_read.wake();
        }
    }
}

/// Which of a process's outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Standard output, or a terminal.
    Stdout,
    /// Standard error.
    Stderr,
}

/// A piece of output.
#[derive(Debug, Clone)]
pub struct Frame {
    /// Where it was written.
    pub source: Source,
    /// The bytes, not cut at lines.
    pub bytes: Rope,
}
