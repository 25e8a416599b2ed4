//! Command lines that interactive shells took: where in what was typed each begins, and how it ended.
//!
//! Shells tell ([`Proc::line_begins`], [`Proc::line_taken`], [`Proc::line_ended`]); whoever owns the terminals takes the
//! notes. A line's place is counted in bytes typed into consoles, not in time, so that a line typed ahead of its prompt
//! belongs to its own command.

use super::{Kernel, Proc, TtyId};
use crate::base::time::Timestamp;

/// Notes that are kept until they are taken.
const MAX_NOTES: usize = 65_536;

/// A place in what was typed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Mark {
    /// The time.
    pub time: Timestamp,
    /// Bytes typed into all consoles up to then.
    pub typed: u64,
    /// Bytes of them that the line's own terminal has not handed over yet.
    pub unread: usize,
}

/// What a shell told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Note {
    /// It took a line and runs it.
    Taken {
        /// The line's number.
        line: u32,
        /// The shell's terminal.
        tty: TtyId,
        /// When its prompt came.
        begins: Mark,
        /// When it was complete.
        taken: Mark,
        /// The line; the lines, if a quote or a block went on.
        text: String,
    },
    /// The line has been carried out.
    Ended {
        /// The line's number.
        line: u32,
        /// `$?` after it.
        status: i32,
    },
}

#[derive(Default)]
pub(super) struct Notes {
    notes: Vec<Note>,
    next_line: u32,
    pub(super) typed: u64,
}

impl Proc {
    /// The place where the line begins that a terminal's prompt asks for.
    pub fn line_begins(&self, id: TtyId) -> Mark {
        let (time, state) = (self.now(), self.kernel.state.borrow());
        let unread = state.ttys.get(&id).map_or(0, super::tty::Tty::unread);
        Mark { time, typed: state.lines.typed, unread }
    }

    /// Tells that a line was taken, and gives its number.
    pub fn line_taken(&self, tty: TtyId, begins: Mark, text: &[u8]) -> u32 {
        let taken = self.line_begins(tty);
        let notes = &mut self.kernel.state.borrow_mut().lines;
        let line = notes.next_line;
        notes.next_line += 1;
        let text = String::from_utf8_lossy(text).into_owned();
        notes.push(Note::Taken { line, tty, begins, taken, text });
        line
    }

    /// Tells that a line has been carried out.
    pub fn line_ended(&self, line: u32, status: i32) {
        self.kernel.state.borrow_mut().lines.push(Note::Ended { line, status });
    }
}

impl Notes {
    fn push(&mut self, note: Note) {
        if self.notes.len() < MAX_NOTES {
            self.notes.push(note);
        }
    }
}

impl Kernel {
    /// What shells told since the last call.
    pub fn take_line_notes(&self) -> Vec<Note> {
        std::mem::take(&mut self.state.borrow_mut().lines.notes)
    }

    /// Bytes typed into all consoles so far.
    pub fn typed_bytes(&self) -> u64 {
        self.state.borrow().lines.typed
    }
}
