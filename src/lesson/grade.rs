//! Grading by doing it again: a submission is replayed, and what its machine then is, counts.
//!
//! Nothing here takes longer than it is told to: whoever shows a page calls [`Grading::step`] until there is no more.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use super::exercise::Exercise;
use super::run::{self, Rehearsal, Start};
use super::say::Say;
use super::scene::Scene;
use super::submission::Submission;
use crate::base::time::Timestamp;
use crate::machine::bakery::Catalogue;
use crate::machine::host::HOME;
use crate::machine::{Config, Input, Machine, Stop};

/// Work that the replay of a submission may take, in units of fuel: far more than any solution of the course.
const MAX_FUEL: u64 = 20_000_000;
/// Work that an input costs besides what runs on it.
const INPUT_FUEL: u64 = 100;
/// Work between two looks at the budget, where nobody waits.
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
    /// Inputs of the journal up to its Enter, and when the next one came.
    inputs: usize,
    until: Timestamp,
}

/// A machine that does a journal again, a slice of work at a time.
struct Again {
    machine: Machine,
    submission: Rc<Submission>,
    /// Inputs to do, and the time up to which the machine runs after them.
    inputs: usize,
    until: Timestamp,
    fuel: u64,
}

/// How far a slice came.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reached {
    /// Something still runs.
    Nothing,
    /// The next input is due.
    Input,
    /// The end.
    End,
    /// The end of the work that is given.
    Limit,
}

impl Again {
    fn new(submission: &Rc<Submission>, inputs: usize, until: Timestamp, catalogue: &Catalogue) -> Self {
        let machine = Machine::with_catalogue(submission.journal.config(), catalogue.clone());
        Self { machine, submission: Rc::clone(submission), inputs, until, fuel: MAX_FUEL }
    }

    /// How many inputs are done.
    fn done(&self) -> usize {
        self.machine.journal().inputs.len()
    }

    fn next(&self) -> Option<&(Timestamp, Input)> {
        self.submission.journal.inputs.get(self.done()).filter(|_| self.done() < self.inputs)
    }

    /// Runs towards the next input, for about `slice` units of work at most.
    fn run(&mut self, slice: u64) -> Reached {
        let (time, reached) = self.next().map_or((self.until, Reached::End), |(time, _)| (*time, Reached::Input));
        let kernel = self.machine.kernel();
        let before = kernel.spent();
        kernel.advance_to(time);
        let stop = kernel.run(slice.min(self.fuel), Some(time));
        let (more, spent) = (stop == Stop::OutOfFuel && kernel.now() < time, kernel.spent() - before);
        self.fuel = self.fuel.saturating_sub(spent);
        match more {
            true if self.fuel == 0 => Reached::Limit,
            true => Reached::Nothing,
            false => reached,
        }
    }

    /// Takes the input that is due; whether there is work left for it.
    fn take(&mut self) -> bool {
        if let Some((_, input)) = self.next().cloned() {
            self.machine.apply(input);
        }
        self.fuel = self.fuel.saturating_sub(INPUT_FUEL);
        self.fuel > 0
    }
}

/// A submission's machine on its way to how it was after a command.
pub struct Revisit(Again);

impl Revisit {
    /// Begins anew and goes to how it was after a command of a submission that was graded.
    pub fn new(submission: &Rc<Submission>, taken: &Taken, catalogue: &Catalogue) -> Self {
        Self(Again::new(submission, taken.inputs, taken.until, catalogue))
    }

    /// Goes on for about `fuel` units of work; whether there is more to do.
    pub fn step(&mut self, fuel: u64) -> bool {
        match self.0.run(fuel) {
            Reached::Nothing => true,
            Reached::Input => self.0.take(),
            Reached::End | Reached::Limit => false,
        }
    }

    /// The machine, with what its terminals printed.
    pub fn finish(self) -> Machine {
        // What was asked of the desktop then is no wish of now.
        self.0.machine.take_wishes();
        self.0.machine
    }
}

/// How an exercise begins: the inputs that its setup makes, and how many commands they enter.
struct Beginning {
    inputs: Vec<(Timestamp, Input)>,
    entered: usize,
}

impl Beginning {
    fn of(start: Start) -> Self {
        Self { inputs: start.machine.journal().inputs.clone(), entered: start.entered }
    }
}

/// Grades submissions of one exercise.
pub struct Grader {
    exercise: Rc<Exercise>,
    /// By the machine's seed.
    beginnings: BTreeMap<u64, Beginning>,
    catalogue: Catalogue,
}

impl Grader {
    /// A grader of an exercise. What its machines find out about the catalogue is shared with others.
    pub const fn new(exercise: Rc<Exercise>, catalogue: Catalogue) -> Self {
        Self { exercise, beginnings: BTreeMap::new(), catalogue }
    }

    /// How a submission's lesson begins, for [`Self::learn`]. Without it [`Self::begin`] finds it out itself, which takes as
    /// long as the lesson's setup does.
    pub fn rehearse(&self, submission: &Submission) -> Rehearsal {
        Rehearsal::setup(&self.exercise, submission.journal.seed, &self.catalogue)
    }

    /// Learns from a rehearsal how the lesson begins.
    pub fn learn(&mut self, rehearsal: Rehearsal) {
        let start = rehearsal.finish();
        let seed = start.machine.journal().seed;
        self.beginnings.insert(seed, Beginning::of(start));
    }

    /// Grades a submission.
    pub fn grade(&mut self, submission: &Rc<Submission>) -> Grade {
        let mut grading = match self.begin(submission) {
            Ok(grading) => grading,
            Err(say) => return Grade::tampered(say),
        };
        while grading.step(SLICE) {}
        grading.finish()
    }

    /// Begins to grade a submission.
    ///
    /// # Errors
    /// Why it can't have come about in the lesson: [`Grade::tampered`] makes a grade of it.
    pub fn begin(&mut self, submission: &Rc<Submission>) -> Result<Grading, Say> {
        let journal = &submission.journal;
        let beginning = self
            .beginnings
            .entry(journal.seed)
            .or_insert_with(|| Beginning::of(run::start_with(&self.exercise, journal.seed, &self.catalogue)));
        let setup = beginning.inputs.len();
        let config = Config { seed: journal.seed, ..Config::default() };
        let begins_so = journal.inputs.get(..setup).is_some_and(|begin| begin == beginning.inputs.as_slice());
        let is_own_computer = (journal.epoch, journal.cols, journal.rows) == (config.epoch, config.cols, config.rows);
        if !begins_so || !is_own_computer || !journal.env.is_empty() {
            return Err(Say::new(["no empieza como empieza la lección", "it does not begin as the lesson begins"]));
        }
        let own = journal.inputs.get(setup..).unwrap_or_default();
        let outside =
            own.iter().any(|(_, input)| matches!(input, Input::PutFile { path, .. } if !is_at_home(path.as_bytes())));
        if outside {
            return Err(Say::new(["pone ficheros donde un alumno no puede", "it puts files where a student can't"]));
        }
        let in_order = journal.inputs.windows(2).all(|pair| matches!(pair, [(a, _), (b, _)] if a <= b));
        if !in_order || journal.inputs.last().is_some_and(|(last, _)| journal.end < *last) {
            return Err(Say::new(["su tiempo va hacia atrás", "its time runs backwards"]));
        }
        Ok(Grading {
            exercise: Rc::clone(&self.exercise),
            again: Again::new(submission, journal.inputs.len(), journal.end, &self.catalogue),
            setup,
            entered: beginning.entered,
            seen: beginning.entered,
            lines_end: setup,
            first: own.iter().find(|(_, input)| is_key(input)).map(|(time, _)| *time),
            steps: Vec::new(),
            solved: None,
            is_endless: false,
        })
    }
}

/// Whether a path is in the student's folder, also where it goes up.
fn is_at_home(path: &[u8]) -> bool {
    let inside = path.strip_prefix(HOME.as_bytes()).is_some_and(|rest| rest.starts_with(b"/"));
    inside && crate::base::path::components(path).all(|name| name != "..")
}

impl Grade {
    /// The grade of what can't have come about in the lesson.
    pub const fn tampered(why: Say) -> Self {
        Self { verdict: Verdict::Tampered(why), commands: 0, time: Duration::ZERO, par: None, steps: Vec::new() }
    }
}

/// A submission that is being graded.
pub struct Grading {
    exercise: Rc<Exercise>,
    again: Again,
    /// Inputs of the setup.
    setup: usize,
    /// Commands of the setup.
    entered: usize,
    /// Commands that were looked at.
    seen: usize,
    /// Inputs up to the last Enter.
    lines_end: usize,
    first: Option<Timestamp>,
    steps: Vec<Taken>,
    solved: Option<(u64, Timestamp, Option<u64>)>,
    is_endless: bool,
}

impl Grading {
    /// Goes on for about `fuel` units of work; whether there is more to do.
    pub fn step(&mut self, fuel: u64) -> bool {
        match self.again.run(fuel) {
            Reached::Nothing => return true,
            Reached::Input => {
                let ends = self.again.next().is_some_and(|(_, input)| ends_line(input));
                // Before the next command, what the last one did is there.
                if self.again.done() >= self.setup && ends {
                    self.look(false);
                }
                let goes_on = self.again.take();
                if ends {
                    self.lines_end = self.again.done();
                }
                if goes_on {
                    return true;
                }
                self.is_endless = true;
            }
            Reached::End => {}
            Reached::Limit => self.is_endless = true,
        }
        false
    }

    /// Inputs that are done, and how many there are.
    pub fn progress(&self) -> (usize, usize) {
        (self.again.done(), self.again.inputs)
    }

    /// The grade.
    pub fn finish(mut self) -> Grade {
        self.look(true);
        let (machine, end) = (&self.again.machine, self.again.until);
        let commands = (self.seen - self.entered) as u64;
        let (commands, end, today) = self.solved.unwrap_or_else(|| (commands, machine.now().min(end), None));
        let par = self.exercise.par.as_ref().zip(today).map(|(par, today)| (today, par.is_reached_by(today)));
        let verdict = match (self.solved.is_some(), self.is_endless) {
            (true, _) => Verdict::Solved,
            (false, true) => Verdict::Endless,
            (false, false) => Verdict::Unsolved,
        };
        let time = self.first.map_or(Duration::ZERO, |first| end.since(first));
        Grade { verdict, commands, time, par, steps: self.steps }
    }

    /// Judges, if a command was entered since the last look or this is the `last` one.
    fn look(&mut self, last: bool) {
        let machine = &self.again.machine;
        let all = machine.entered_count();
        if all == self.seen && !last {
            return;
        }
        let scene = Scene::new(machine);
        let met = self.exercise.judge(&scene).iter().filter(|verdict| verdict.is_ok()).count();
        let since = |time: Timestamp| self.first.map_or(Duration::ZERO, |first| time.since(first));
        let entered = machine.entered();
        let fresh = entered.iter().skip(self.seen);
        let (inputs, until) = (self.lines_end, machine.now());
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
            self.solved = Some((commands, machine.now(), today));
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
        let exercise = Rc::new(Exercise::parse(TEXT).unwrap());
        let mut grader = Grader::new(Rc::clone(&exercise), Catalogue::new());
        let solved = submission(&exercise, &["docker ps -a", "docker run --name uno busybox true", "docker rm uno"]);
        let grade = grader.grade(&Rc::new(Submission::parse(&solved.to_text()).unwrap()));
        assert_eq!((grade.verdict, grade.commands, grade.par), (Verdict::Solved, 2, Some((2, false))));
        let met: Vec<(&str, usize)> = grade.steps.iter().map(|step| (step.text.as_str(), step.met)).collect();
        assert_eq!(met, [("docker ps -a", 0), ("docker run --name uno busybox true", 1), ("docker rm uno", 0)]);
        let unsolved = submission(&exercise, &["docker run busybox true"]);
        assert_eq!(grader.grade(&Rc::new(unsolved)).verdict, Verdict::Unsolved);
    }

    #[test]
    fn what_was_tampered_with_does_not_count() {
        let exercise = Rc::new(Exercise::parse(TEXT).unwrap());
        let mut grader = Grader::new(Rc::clone(&exercise), Catalogue::new());
        let solved = submission(&exercise, &["docker run --name uno busybox true"]);
        let mut other_setup = solved.clone();
        other_setup.journal.inputs.remove(0);
        assert!(matches!(grader.grade(&Rc::new(other_setup)).verdict, Verdict::Tampered(_)));
        let mut other_command = solved.clone();
        for (_, input) in &mut other_command.journal.inputs {
            if let Input::Type { bytes, .. } = input {
                let text = String::from_utf8_lossy(bytes).replace("--name uno", "--name dos");
                *bytes = text.into_bytes();
            }
        }
        assert_eq!(grader.grade(&Rc::new(other_command)).verdict, Verdict::Unsolved);
        let mut cut = solved.clone();
        cut.journal.inputs.pop();
        assert_eq!(grader.grade(&Rc::new(cut)).verdict, Verdict::Unsolved);
        let mut backwards = solved;
        backwards.journal.end = Timestamp(0);
        assert!(matches!(grader.grade(&Rc::new(backwards)).verdict, Verdict::Tampered(_)));
    }

    #[test]
    fn endless_work_ends() {
        let exercise = Rc::new(Exercise::parse(TEXT).unwrap());
        let mut endless = submission(&exercise, &[]);
        let end = endless.journal.end;
        let bytes = b"while :; do :; done\r".to_vec();
        endless.journal.inputs.push((end, Input::Type { tty: 0, bytes }));
        endless.journal.end = end + Duration::from_secs(86_400 * 365);
        assert_eq!(Grader::new(exercise, Catalogue::new()).grade(&Rc::new(endless)).verdict, Verdict::Endless);
    }
}
