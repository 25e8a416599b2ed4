//! Exercises at a machine: their start state, and their steps.

use std::collections::VecDeque;
use std::time::Duration;

use super::exercise::{Exercise, Step};
use super::transcript::control;
use crate::machine::bakery::Catalogue;
use crate::machine::host::HOME;
use crate::machine::{Config, Machine, Stop};

/// A program in front that is silent for this long waits for the student: a pull with `-q` says nothing for a minute.
const QUIET: Duration = Duration::from_secs(300);
/// Virtual time after which a command is taken to run for ever.
const LIMIT: Duration = Duration::from_secs(600);

/// A machine as an exercise begins, and how much of its past is the exercise's own.
pub struct Start {
    /// The machine.
    pub machine: Machine,
    /// Inputs of the journal that the setup made.
    pub inputs: usize,
    /// Command lines that the setup entered.
    pub entered: usize,
}

/// Steps that are done at a machine nobody watches, one at a time, so that a page stays alive meanwhile.
pub struct Rehearsal {
    machine: Machine,
    steps: VecDeque<Step>,
}

impl Rehearsal {
    /// An exercise's setup, at a fresh machine. The same seed gives the same machine. What is found out about the
    /// catalogue is shared with others.
    pub fn setup(exercise: &Exercise, seed: u64, catalogue: &Catalogue) -> Self {
        let mut machine = Machine::with_catalogue(Config { seed, ..Config::default() }, catalogue.clone());
        let tty = machine.console();
        drop(machine.settle(tty, QUIET, LIMIT));
        Self { machine, steps: exercise.setup.iter().cloned().collect() }
    }

    /// The setup, and then the solution.
    pub fn whole(exercise: &Exercise, seed: u64, catalogue: &Catalogue) -> Self {
        let mut rehearsal = Self::setup(exercise, seed, catalogue);
        rehearsal.steps.extend(exercise.solution.iter().cloned());
        rehearsal
    }

    /// Does the next step; whether there was one.
    pub fn step(&mut self) -> bool {
        let next = self.steps.pop_front();
        if let Some(step) = &next {
            perform(&mut self.machine, step);
        }
        next.is_some()
    }

    /// The machine as it stands now.
    pub fn finish(self) -> Start {
        let machine = self.machine;
        Start { inputs: machine.journal().inputs.len(), entered: machine.entered_count(), machine }
    }
}

/// Switches a machine on and does an exercise's setup.
pub fn start(exercise: &Exercise, seed: u64) -> Start {
    start_with(exercise, seed, &Catalogue::new())
}

/// The same, with what other machines found out about the catalogue.
pub fn start_with(exercise: &Exercise, seed: u64, catalogue: &Catalogue) -> Start {
    let mut rehearsal = Rehearsal::setup(exercise, seed, catalogue);
    while rehearsal.step() {}
    rehearsal.finish()
}

/// Does one step, as a student would at the terminal, and waits for its end. What was shown is dropped.
pub fn perform(machine: &mut Machine, step: &Step) {
    let tty = machine.console();
    match step {
        Step::Command(text) => {
            for line in text.lines() {
                machine.input(tty, line.as_bytes());
                drop(machine.settle(tty, Duration::ZERO, LIMIT));
                machine.input(tty, b"\r");
                drop(machine.settle(tty, QUIET, LIMIT));
            }
        }
        Step::Type(text) => {
            let mut bytes = control(text);
            if !(text.starts_with('^') && bytes.len() == 1) {
                bytes.push(b'\r');
            }
            machine.input(tty, &bytes);
            drop(machine.settle(tty, QUIET, LIMIT));
        }
        Step::Wait(time) => {
            let until = machine.now() + *time;
            machine.advance_to(until);
            while machine.run(1 << 20) == Stop::OutOfFuel && machine.now() < until {}
            drop(machine.take_output(tty));
        }
        Step::File { path, content } => {
            let at = if path.starts_with('/') { path.clone() } else { format!("{HOME}/{path}") };
            // A file that can't be put is missed by the commands that need it.
            let _ = machine.put_file(&at, content.as_bytes());
        }
    }
}

/// How many commands a solution has, as a student's are counted.
pub fn command_count(steps: &[Step]) -> usize {
    steps.iter().filter(|step| matches!(step, Step::Command(_))).count()
}
