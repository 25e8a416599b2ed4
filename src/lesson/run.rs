//! Exercises at a machine: their start state, and their steps.

use std::time::Duration;

use super::exercise::{Exercise, Step};
use super::transcript::control;
use crate::machine::host::HOME;
use crate::machine::{Config, Machine, Stop};

/// A program in front that is silent for this long waits for the student.
const QUIET: Duration = Duration::from_secs(12);
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

/// Switches a machine on and does an exercise's setup. The same seed gives the same machine.
pub fn start(exercise: &Exercise, seed: u64) -> Start {
    let mut machine = Machine::new(Config { seed, ..Config::default() });
    let tty = machine.console();
    drop(machine.settle(tty, QUIET, LIMIT));
    for step in &exercise.setup {
        perform(&mut machine, step);
    }
    if !exercise.setup.is_empty() {
        // The student finds an empty screen.
        machine.input(tty, b"\x0c");
        drop(machine.settle(tty, Duration::ZERO, LIMIT));
    }
    Start { inputs: machine.journal().inputs.len(), entered: machine.entered_count(), machine }
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
