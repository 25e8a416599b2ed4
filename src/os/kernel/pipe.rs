//! Bounded pipes: a writer waits when the reader is slow, as in a kernel.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::wait::{RunQueue, Waiters};
use crate::base::rope::Rope;

/// Bytes a pipe holds (Linux's default).
pub const CAPACITY: u64 = 65_536;
/// Bulk takes this much less room: it is a few words in memory, however long.
const BULK_WEIGHT: u64 = 4096;

/// A pipe or one direction of a socket.
pub struct Pipe {
    /// Its inode number, by which `/proc/PID/fd` names it.
    pub(super) number: u32,
    content: RefCell<Rope>,
    /// Open ends.
    pub(super) readers: Cell<u32>,
    pub(super) writers: Cell<u32>,
    /// The peer went away without taking what was sent.
    pub(super) reset: Cell<bool>,
    pub(super) can_read: Waiters,
    pub(super) can_write: Waiters,
}

/// What came of trying to read.
pub enum Got {
    /// Bytes.
    Bytes(Rope),
    /// No writer is left.
    End,
    /// Nothing yet.
    Wait,
}

impl Pipe {
    /// An empty pipe without open ends.
    pub fn new(queue: &Rc<RunQueue>) -> Rc<Self> {
        Rc::new(Self {
            number: queue.number_pipe(),
            content: RefCell::default(),
            readers: Cell::new(0),
            writers: Cell::new(0),
            reset: Cell::new(false),
            can_read: Waiters::new(queue),
            can_write: Waiters::new(queue),
        })
    }

    /// Takes at most `max` bytes.
    pub fn take(&self, max: u64) -> Got {
        let mut content = self.content.borrow_mut();
        if content.is_empty() {
            return if self.writers.get() == 0 { Got::End } else { Got::Wait };
        }
        let bytes = content.slice(0..max);
        let len = content.len();
        *content = content.slice(bytes.len()..len);
        drop(content);
        self.can_write.wake();
        Got::Bytes(bytes)
    }

    /// Puts in as much from the front of `bytes` as there is room for; returns how much.
    pub fn put(&self, bytes: &Rope) -> u64 {
        let mut content = self.content.borrow_mut();
        let weight = content.resident_bytes() + (content.len() - content.resident_bytes()) / BULK_WEIGHT;
        let room = CAPACITY.saturating_sub(weight);
        // Bulk is counted by its weight, so that a large file takes a few steps, not thousands.
        let factor = if bytes.resident_bytes() * 2 > bytes.len() { 1 } else { BULK_WEIGHT / 4 };
        let count = bytes.len().min(room.saturating_mul(factor));
        if count > 0 {
            content.push(&bytes.slice(0..count));
            drop(content);
            self.can_read.wake();
        }
        count
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.content.borrow().is_empty()
    }

    pub(super) fn open_reader(&self) {
        self.readers.set(self.readers.get() + 1);
    }

    pub(super) fn open_writer(&self) {
        self.writers.set(self.writers.get() + 1);
    }

    pub(super) fn close_reader(&self) {
        self.readers.set(self.readers.get().saturating_sub(1));
        if self.readers.get() == 0 {
            self.can_write.wake();
        }
    }

    pub(super) fn close_writer(&self) {
        self.writers.set(self.writers.get().saturating_sub(1));
        if self.writers.get() == 0 {
            self.can_read.wake();
        }
    }
}
