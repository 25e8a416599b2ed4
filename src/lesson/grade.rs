//! Grading by doing it again: a submission is replayed, and what its machine then is, counts.

use std::collections::BTreeMap;
use std::time::Duration;

use super::exercise::Exercise;
use super::run;
use super::say::Say;
use super::scene::Scene;
use super::submission::Submission;
use crate::base::time::Timestamp;
use crate::machine::host::HOME;
use crate::machine::{Input, Machine, Stop};

/// Work that the replay of a submission may take.
const MAX_FUEL: u64 = 60_000_000;
/// Work between two looks at the budget.
const SLICE: u64 = 1 << 18;

/// How a submission stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// All goals were met at some moment.
    Solved,
    /// They never were.
    Unsolved,
    /// It can't have come about in the lesson.
    Tampered(Say),
    /// Its replay takes more work than is given.
    Endless,
}

/// A graded submission.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Grade {
    /// How it stands.
    pub verdict: Verdict,
    /// Commands up to the solution, or all.
    pub commands: u64,
    /// From the first key to the solution, or to the end.
    pub time: Duration,
    /// The value to be beaten, and whether it was reached.
    pub par: Option<(u64, bool)>,
    /// What was done.
    pub steps: Vec<Taken>,
}

/// A command of a submission.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Taken {
    /// Since the first key.
    pub at: Duration,
    /// The command.
    pub text: String,
    /// Whether it was typed in a container.
    pub is_inside: bool,
    /// Goals that were met after it.
    pub met: usize,
    /// Inputs of the journal up to when it had run, and the time then.
    inputs: usize,
    until: Timestamp,
}

/// The machine as it was after a command of a submission that was graded; `None` if that takes too much work.
pub fn machine_after(submission: &Submission, taken: &Taken) -> Option<Machine> {
    let mut machine = Machine::new(submission.journal.config());
    let mut fuel = MAX_FUEL;
    for (time, input) in submission.journal.inputs.iter().take(taken.inputs) {
        if !run_until(&machine, *time, &mut fuel) {
            return None;
        }
        machine.apply(input.clone());
    }
    run_until(&machine, taken.until, &mut fuel).then_some(machine)
}

/// Runs until the clock shows `time`; whether the work was enough for it.
fn run_until(machine: &Machine, time: Timestamp, fuel: &mut u64) -> bool {
    let kernel = machine.kernel();
    kernel.advance_to(time);
    while kernel.run(SLICE, Some(time)) == Stop::OutOfFuel && kernel.now() < time {
        *fuel = fuel.saturating_sub(SLICE);
        if *fuel == 0 {
            return false;
        }
    }
    true
}

/// Grades submissions of one exercise.
pub struct Grader<'a> {
    exercise: &'a Exercise,
    /// The inputs that the setup makes, by the machine's seed, and how many commands they enter.
    starts: BTreeMap<u64, (Vec<(Timestamp, Input)>, usize)>,
}

impl<'a> Grader<'a> {
    /// A grader of an exercise.
    pub const fn new(exercise: &'a Exercise) -> Self {
        Self { exercise, starts: BTreeMap::new() }
    }

    /// Grades a submission.
    pub fn grade(&mut self, submission: &Submission) -> Grade {
        let journal = &submission.journal;
        let (setup, entered) = self.starts.entry(journal.seed).or_insert_with(|| {
            let start = run::start(self.exercise, journal.seed);
            (start.machine.journal().inputs.clone(), start.entered)
        });
        let tampered = |say: [&'static str; 2]| Grade {
            verdict: Verdict::Tampered(Say::new(say)),
            commands: 0,
            time: Duration::ZERO,
            par: None,
            steps: Vec::new(),
        };
        let config = crate::machine::Config { seed: journal.seed, ..crate::machine::Config::default() };
        let begins_so = journal.inputs.get(..setup.len()).is_some_and(|begin| begin == setup.as_slice());
        if !begins_so || (journal.epoch, journal.cols, journal.rows) != (config.epoch, config.cols, config.rows) {
            return tampered(["no empieza como empieza la lección", "it does not begin as the lesson begins"]);
        }
        let own = journal.inputs.get(setup.len()..).unwrap_or_default();
        let outside =
            own.iter().any(|(_, input)| matches!(input, Input::PutFile { path, .. } if !path.starts_with(HOME)));
        if outside {
            return tampered(["pone ficheros donde un alumno no puede", "it puts files where a student can't"]);
        }
        let in_order = journal.inputs.windows(2).all(|pair| matches!(pair, [(a, _), (b, _)] if a <= b));
        if !in_order || journal.inputs.last().is_some_and(|(last, _)| journal.end < *last) {
            return tampered(["su tiempo va hacia atrás", "its time runs backwards"]);
        }
        Replay::new(self.exercise, submission, setup.len(), *entered).grade(submission)
    }
}

/// A replay under way.
struct Replay<'a> {
    exercise: &'a Exercise,
    machine: Machine,
    fuel: u64,
    /// Inputs of the setup.
    setup: usize,
    /// Commands of the setup.
    entered: usize,
    /// Commands that were looked at.
    seen: usize,
    first: Option<Timestamp>,
    steps: Vec<Taken>,
    solved: Option<(u64, Timestamp, Option<u64>)>,
}

impl<'a> Replay<'a> {
    fn new(exercise: &'a Exercise, submission: &Submission, setup: usize, entered: usize) -> Self {
        let first =
            submission.journal.inputs.iter().skip(setup).find(|(_, input)| is_key(input)).map(|(time, _)| *time);
        Self {
            exercise,
            machine: Machine::new(submission.journal.config()),
            fuel: MAX_FUEL,
            setup,
            entered,
            seen: entered,
            first,
            steps: Vec::new(),
            solved: None,
        }
    }

    fn grade(mut self, submission: &Submission) -> Grade {
        let journal = &submission.journal;
        let mut is_endless = false;
        for (at, (time, input)) in journal.inputs.iter().enumerate() {
            if !run_until(&self.machine, *time, &mut self.fuel) {
                is_endless = true;
                break;
            }
            // Before the next command, what the last one did is there.
            if at >= self.setup && ends_line(input) {
                self.look(false);
            }
            self.machine.apply(input.clone());
        }
        is_endless |= !is_endless && !run_until(&self.machine, journal.end, &mut self.fuel);
        self.look(true);
        let commands = (self.seen - self.entered) as u64;
        let (commands, end, today) =
            self.solved.unwrap_or_else(|| (commands, self.machine.now().min(journal.end), None));
        let par = self.exercise.par.as_ref().zip(today).map(|(par, today)| (today, par.is_reached_by(today)));
        let verdict = match (self.solved.is_some(), is_endless) {
            (true, _) => Verdict::Solved,
            (false, true) => Verdict::Endless,
            (false, false) => Verdict::Unsolved,
        };
        let time = self.first.map_or(Duration::ZERO, |first| end.since(first));
        Grade { verdict, commands, time, par, steps: self.steps }
    }

    /// Judges, if a command was entered since the last look or this is the `last` one.
    fn look(&mut self, last: bool) {
        let all = self.machine.entered_count();
        if all == self.seen && !last {
            return;
        }
        let scene = Scene::new(&self.machine);
        let met = self.exercise.judge(&scene).iter().filter(|verdict| verdict.is_ok()).count();
        let since = |time: Timestamp| self.first.map_or(Duration::ZERO, |first| time.since(first));
        let entered = self.machine.entered();
        let fresh = entered.iter().skip(self.seen);
        let (inputs, until) = (self.machine.journal().inputs.len(), self.machine.now());
        self.steps.extend(fresh.map(|line| Taken {
            at: since(line.at),
            text: line.text.clone(),
            is_inside: !line.cgroup.is_empty(),
            met,
            inputs,
            until,
        }));
        if self.solved.is_none() && met == self.exercise.goals.len() {
            let commands = (all - self.entered) as u64;
            let today = self.exercise.par.as_ref().and_then(|par| par.today(commands, &scene));
            self.solved = Some((commands, self.machine.now(), today));
        }
        self.seen = all;
    }
}

const fn is_key(input: &Input) -> bool {
    // The page clears the screen and tells the size before the student comes.
    matches!(input, Input::Type { bytes, .. } if !matches!(bytes.as_slice(), [0x0c]))
}

fn ends_line(input: &Input) -> bool {
    matches!(input, Input::Type { bytes, .. } if bytes.contains(&b'\r') || bytes.contains(&4))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lesson::exercise::Step;
    use crate::lesson::run::perform;

    const TEXT: &str = "---\nid: uno\ntitle: Uno\nlevel: 1\npar: 1 command\n---\n\nHaz.\n\n## Setup\n\n```sh\n\
        docker pull -q busybox\n```\n\n## Goals\n\n```goals\ncontainer uno stopped image busybox\n```\n\n## Solution\n\n\
        ```sh\ndocker run --name uno busybox true\n```\n";

    fn submission(exercise: &Exercise, commands: &[&str]) -> Submission {
        let mut machine = run::start(exercise, 1).machine;
        for command in commands {
            perform(&mut machine, &Step::Command((*command).to_owned()));
        }
        let journal = machine.journal().clone();
        Submission { lesson: "uno".to_owned(), name: String::new(), hints: 0, saw_solution: false, journal }
    }

    #[test]
    fn a_solved_lesson_is_solved_again() {
        let exercise = Exercise::parse(TEXT).unwrap();
        let mut grader = Grader::new(&exercise);
        let solved = submission(&exercise, &["docker ps -a", "docker run --name uno busybox true", "docker rm uno"]);
        let grade = grader.grade(&Submission::parse(&solved.to_text()).unwrap());
        assert_eq!((grade.verdict, grade.commands, grade.par), (Verdict::Solved, 2, Some((2, false))));
        let met: Vec<(&str, usize)> = grade.steps.iter().map(|step| (step.text.as_str(), step.met)).collect();
        assert_eq!(met, [("docker ps -a", 0), ("docker run --name uno busybox true", 1), ("docker rm uno", 0)]);
        let unsolved = submission(&exercise, &["docker run busybox true"]);
        assert_eq!(grader.grade(&unsolved).verdict, Verdict::Unsolved);
    }

    #[test]
    fn what_was_tampered_with_does_not_count() {
        let exercise = Exercise::parse(TEXT).unwrap();
        let mut grader = Grader::new(&exercise);
        let solved = submission(&exercise, &["docker run --name uno busybox true"]);
        let mut other_setup = solved.clone();
        other_setup.journal.inputs.remove(0);
        assert!(matches!(grader.grade(&other_setup).verdict, Verdict::Tampered(_)));
        let mut other_command = solved.clone();
        for (_, input) in &mut other_command.journal.inputs {
            if let Input::Type { bytes, .. } = input {
                let text = String::from_utf8_lossy(bytes).replace("--name uno", "--name dos");
                *bytes = text.into_bytes();
            }
        }
        assert_eq!(grader.grade(&other_command).verdict, Verdict::Unsolved);
        let mut cut = solved.clone();
        cut.journal.inputs.pop();
        assert_eq!(grader.grade(&cut).verdict, Verdict::Unsolved);
        let mut backwards = solved;
        backwards.journal.end = Timestamp(0);
        assert!(matches!(grader.grade(&backwards).verdict, Verdict::Tampered(_)));
    }

    #[test]
    fn endless_work_ends() {
        let exercise = Exercise::parse(TEXT).unwrap();
        let mut endless = submission(&exercise, &[]);
        let end = endless.journal.end;
        let bytes = b"while :; do :; done\r".to_vec();
        endless.journal.inputs.push((end, Input::Type { tty: 0, bytes }));
        endless.journal.end = end + Duration::from_secs(86_400 * 365);
        assert_eq!(Grader::new(&exercise).grade(&endless).verdict, Verdict::Endless);
    }
}
