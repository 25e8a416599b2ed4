//! The commands of a session and the moments between them: where in the journal each begins.
//!
//! A moment is the world as it stood when the student began to type a command; the last moment is the journal's end. It is
//! a prefix of the journal, so undo, redo and going back are replays ([`super::replay`]).

use crate::base::time::Timestamp;
use crate::os::kernel::lines::{Mark, Note};
use crate::os::kernel::{Kernel, TtyId};

use super::journal::{Input, Journal};

/// A command line that a shell took: on the host or in a container.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Command {
    /// What was typed.
    pub text: String,
    /// The console at which it was typed.
    pub tty: TtyId,
    /// Whether the shell ran in that console itself, and not behind a program such as `docker exec -it`.
    pub is_direct: bool,
    /// Inputs of the journal before its first key.
    pub begins: usize,
    /// When its prompt came.
    pub prompted: Timestamp,
    /// When it was taken.
    pub taken: Timestamp,
    /// Its status, once it has ended.
    pub status: Option<i32>,
    line: u32,
}

/// A place in a journal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Moment {
    /// Inputs before it.
    pub inputs: usize,
    /// The time up to which the world runs on after the last of them.
    pub until: Timestamp,
}

/// The commands so far.
#[derive(Clone, Default, Debug)]
pub struct Commands {
    all: Vec<Command>,
    /// Inputs up to the Enter of the last one.
    taken: usize,
}

impl Commands {
    /// The commands in the order in which they were taken.
    pub fn all(&self) -> &[Command] {
        &self.all
    }

    /// The moment before the command of this number, counted from 0; any greater number is the end.
    pub fn moment(&self, journal: &Journal, index: usize) -> Moment {
        let end = Moment { inputs: journal.inputs.len(), until: journal.end };
        let Some(command) = self.all.get(index) else { return end };
        let first_key = journal.inputs.get(command.begins).map_or(journal.end, |(time, _)| *time);
        Moment { inputs: command.begins, until: first_key.max(command.prompted).min(journal.end) }
    }

    /// Takes in what the shells told, before anything more is typed.
    pub(super) fn collect(&mut self, kernel: &Kernel, journal: &Journal, is_console: impl Fn(TtyId) -> bool) {
        for note in kernel.take_line_notes() {
            match note {
                Note::Taken { line, tty, begins, taken, text } => {
                    let places = Places { inputs: &journal.inputs, typed: kernel.typed_bytes() };
                    let is_direct = is_console(tty);
                    let Some((begins_at, taken_at, tty)) = places.of(is_direct.then_some(tty), begins, taken) else {
                        continue;
                    };
                    let begins_at = self.in_order(begins_at, tty);
                    self.taken = self.taken.max(taken_at);
                    let (prompted, taken) = (begins.time, taken.time);
                    let status = None;
                    self.all.push(Command { text, tty, is_direct, begins: begins_at, prompted, taken, status, line });
                }
                Note::Ended { line, status } => {
                    if let Some(command) = self.all.iter_mut().rev().find(|command| command.line == line) {
                        command.status = Some(status);
                    }
                }
            }
        }
    }

    /// Where a command begins that was typed from input `begins` on: not before the Enter of the last one, which would undo
    /// that too. But two that were pasted in one piece have no moment between them.
    fn in_order(&self, begins: usize, tty: TtyId) -> usize {
        match self.all.last() {
            Some(last) if begins < self.taken && last.tty == tty => last.begins,
            _ => begins.max(self.taken),
        }
    }
}

/// Finds inputs by what had been typed.
struct Places<'a> {
    inputs: &'a [(Timestamp, Input)],
    /// Bytes in all of them.
    typed: u64,
}

impl Places<'_> {
    /// The input in which a command's first key is, the one after its Enter, and its console, which for a shell behind a
    /// program is the one typed into last.
    fn of(&self, console: Option<TtyId>, begins: Mark, taken: Mark) -> Option<(usize, usize, TtyId)> {
        let entered = self.typed_until(taken.typed);
        let typed = self.inputs.iter().take(entered).rev();
        let tty = console.or_else(|| typed.into_iter().find_map(|(_, input)| typed_into(input)).map(|(tty, _)| tty))?;
        let entered = self.unread_from(entered, tty, taken.unread);
        let begins = self.unread_from(self.typed_until(begins.typed), tty, begins.unread).min(entered);
        let others = self.inputs.iter().take(entered).skip(begins);
        let others = others.take_while(|(_, input)| typed_into(input).is_none_or(|(into, _)| into != tty)).count();
        Some((begins + others, entered, tty))
    }

    /// How many inputs there were when `typed` bytes had been typed.
    fn typed_until(&self, typed: u64) -> usize {
        let (mut count, mut sum) = (self.inputs.len(), self.typed);
        while count > 0 && sum > typed {
            count -= 1;
            let bytes = self.inputs.get(count).and_then(|(_, input)| typed_into(input)).map_or(0, |(_, bytes)| bytes);
            sum -= bytes as u64;
        }
        count
    }

    /// The place of the first of the last `unread` bytes that were typed into a console before input `count`.
    fn unread_from(&self, mut count: usize, tty: TtyId, mut unread: usize) -> usize {
        while count > 0 && unread > 0 {
            count -= 1;
            let bytes =
                self.inputs.get(count).and_then(|(_, input)| typed_into(input)).filter(|(into, _)| *into == tty);
            unread = unread.saturating_sub(bytes.map_or(0, |(_, bytes)| bytes));
        }
        count
    }
}

/// The console of keys, and how many bytes they are.
fn typed_into(input: &Input) -> Option<(TtyId, usize)> {
    match input {
        Input::Type { tty, bytes } => Some((TtyId(*tty), bytes.len())),
        _ => None,
    }
}
