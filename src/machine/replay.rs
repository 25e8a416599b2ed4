//! Replaying a journal in slices, so that whoever shows it stays alive whatever the journal holds.

use std::rc::Rc;

use super::commands::Moment;
use super::journal::{Input, Journal};
use super::{Machine, TtyId};

/// A machine on its way to a moment of a journal.
pub struct Replay {
    machine: Machine,
    journal: Rc<Journal>,
    target: Moment,
}

impl Replay {
    /// Switches on the machine that a journal begins with.
    pub fn new(journal: Rc<Journal>, target: Moment) -> Self {
        Self { machine: Machine::new(journal.config()), journal, target }
    }

    /// The same, beside a machine whose knowledge of digests and of the catalogue it shares.
    pub fn beside(machine: &Machine, journal: Rc<Journal>, target: Moment) -> Self {
        Self { machine: Machine::with_catalogue(journal.config(), machine.catalogue.clone()), journal, target }
    }

    /// Goes on for `fuel` units of work, or up to the next command or change of the terminals; whether it has arrived.
    pub fn step(&mut self, fuel: u64) -> bool {
        let (mut left, commands) = (fuel, self.machine.commands.all().len());
        loop {
            let at = self.machine.journal.inputs.len();
            let next = self.journal.inputs.get(at).filter(|_| at < self.target.inputs);
            let time = next.map_or(self.target.until, |(time, _)| *time);
            if !self.machine.run_towards(time, &mut left) {
                return false;
            }
            let is_typed = matches!(next, Some((_, Input::Type { .. })));
            match next {
                Some((_, input)) => self.machine.apply(input.clone()),
                None => return true,
            }
            if !is_typed || self.machine.commands.all().len() != commands {
                return false;
            }
            // An input costs something even where nothing runs on it.
            left = left.saturating_sub(1);
        }
    }

    /// What is replayed.
    pub fn journal(&self) -> Rc<Journal> {
        Rc::clone(&self.journal)
    }

    /// Inputs that are done, and how many there are to do.
    pub const fn progress(&self) -> (usize, usize) {
        (self.machine.journal.inputs.len(), self.target.inputs)
    }

    /// Takes what a terminal was sent so far.
    pub fn take_output(&mut self, tty: TtyId) -> Vec<u8> {
        self.machine.take_output(tty)
    }

    /// The machine as far as it came.
    pub const fn machine(&self) -> &Machine {
        &self.machine
    }

    /// The machine.
    pub fn into_machine(self) -> Machine {
        // What was asked of the desktop then is no wish of now.
        self.machine.take_wishes();
        self.machine
    }
}
