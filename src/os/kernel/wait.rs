//! Who runs next, and who waits for what.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, VecDeque};
use std::rc::Rc;

use super::Gpid;

/// Processes that can go on, in the order in which they became able to.
#[derive(Default)]
pub struct RunQueue {
    queue: RefCell<(VecDeque<Gpid>, BTreeSet<Gpid>)>,
    /// The inode number that a pipe got last.
    pipes: Cell<u32>,
}

impl RunQueue {
    /// An inode number for a new pipe.
    pub fn number_pipe(&self) -> u32 {
        self.pipes.set(self.pipes.get().wrapping_add(1));
        self.pipes.get()
    }

    /// Puts a process at the end, once.
    pub fn wake(&self, gpid: Gpid) {
        let mut queue = self.queue.borrow_mut();
        if gpid != 0 && queue.1.insert(gpid) {
            queue.0.push_back(gpid);
        }
    }

    /// Takes the first.
    pub fn pop(&self) -> Option<Gpid> {
        let mut queue = self.queue.borrow_mut();
        let gpid = queue.0.pop_front()?;
        queue.1.remove(&gpid);
        Some(gpid)
    }

    /// Whether nobody can go on.
    pub fn is_empty(&self) -> bool {
        self.queue.borrow().0.is_empty()
    }
}

/// Processes that wait for one thing.
pub struct Waiters {
    waiting: RefCell<BTreeSet<Gpid>>,
    queue: Rc<RunQueue>,
}

impl Waiters {
    /// Nobody waits; whoever will is woken through `queue`.
    pub fn new(queue: &Rc<RunQueue>) -> Self {
        Self { waiting: RefCell::default(), queue: Rc::clone(queue) }
    }

    /// Adds a process.
    pub fn add(&self, gpid: Gpid) {
        self.waiting.borrow_mut().insert(gpid);
    }

    /// Whether a process waits here.
    pub fn is_waiting(&self, gpid: Gpid) -> bool {
        self.waiting.borrow().contains(&gpid)
    }

    /// Whether any process waits here.
    pub fn is_anyone_waiting(&self) -> bool {
        !self.waiting.borrow().is_empty()
    }

    /// Wakes all; each looks again whether it can go on.
    pub fn wake(&self) {
        for gpid in std::mem::take(&mut *self.waiting.borrow_mut()) {
            self.queue.wake(gpid);
        }
    }
}
