//! Proves an exercise: unsolved at its start, solved by its solution, and not by its solution less the last command.

use std::rc::Rc;

use super::exercise::{Exercise, Flaw, Par, Step};
use super::measure::Value;
use super::run::{self, Rehearsal, Start};
use super::say::Say;
use super::scene::Scene;
use crate::base::language::Language;
use crate::machine::Machine;
use crate::machine::bakery::Catalogue;

/// The seed of proofs. Nothing an exercise asks may depend on it.
const SEED: u64 = 1;

/// What is wrong with an exercise that can be read; nothing if it holds.
pub fn prove(exercise: &Exercise) -> Vec<Flaw> {
    let mut proof = Proof::new(Rc::new(exercise.clone()), &Catalogue::new());
    while proof.step() {}
    proof.finish()
}

/// A proof that is made step by step, so that a page stays alive meanwhile.
pub struct Proof {
    exercise: Rc<Exercise>,
    stage: Stage,
    /// Which questions the solution has come past.
    asked: Vec<bool>,
    flaws: Vec<Flaw>,
}

enum Stage {
    Setup(Box<Rehearsal>),
    /// The step of the solution that comes next.
    Solution(Box<Start>, usize),
    Done,
}

impl Proof {
    /// Begins a proof. What is found out about the catalogue is shared with others.
    pub fn new(exercise: Rc<Exercise>, catalogue: &Catalogue) -> Self {
        let setup = Rehearsal::setup(&exercise, SEED, catalogue);
        let asked = vec![false; exercise.questions.len()];
        Self { exercise, stage: Stage::Setup(Box::new(setup)), asked, flaws: Vec::new() }
    }

    fn fail(&mut self, line: usize, reason: Say) {
        self.flaws.push(Flaw { line, reason });
    }

    /// Does the next step; whether there was one.
    pub fn step(&mut self) -> bool {
        match std::mem::replace(&mut self.stage, Stage::Done) {
            Stage::Setup(mut setup) => {
                self.stage = if setup.step() {
                    Stage::Setup(setup)
                } else {
                    let start = setup.finish();
                    if self.exercise.is_solved(&Scene::new(&start.machine)) {
                        self.fail(0, Say::new(["ya está resuelto al empezar", "it is solved at the start"]));
                    }
                    Stage::Solution(Box::new(start), 0)
                };
                true
            }
            Stage::Solution(mut start, at) => {
                let exercise = Rc::clone(&self.exercise);
                match exercise.solution.get(at) {
                    Some(step) => {
                        self.perform(&mut start.machine, at, step);
                        self.stage = Stage::Solution(start, at + 1);
                    }
                    None => self.judge(&start),
                }
                true
            }
            Stage::Done => false,
        }
    }

    /// What was found wrong.
    pub fn finish(self) -> Vec<Flaw> {
        self.flaws
    }

    fn perform(&mut self, machine: &mut Machine, at: usize, step: &Step) {
        let exercise = Rc::clone(&self.exercise);
        // The last command takes with it what is typed into its program.
        let is_command = |step: &Step| !matches!(step, Step::Type(_) | Step::Wait(_));
        let last = exercise.solution.iter().rposition(is_command).unwrap_or(0);
        if at == last && at > 0 && exercise.is_solved(&Scene::new(machine)) {
            let reason = Say::new([
                "se resuelve sin la última orden de la solución: `{0}`",
                "it is solved without the last command of its solution: `{0}`",
            ]);
            self.fail(0, reason.text(told(step)));
        }
        let question = exercise
            .questions
            .iter()
            .zip(&mut self.asked)
            .find(|(question, asked)| matches!(step, Step::Command(text) if *text == question.command) && !**asked);
        let Some((question, asked)) = question else { return run::perform(machine, step) };
        *asked = true;
        let before = question.before(&Scene::new(machine));
        run::perform(machine, step);
        let answer = question.answer(before.as_ref(), &Scene::new(machine));
        if let Some(reason) = wrong_options(answer.as_ref(), &question.options) {
            self.fail(question.line(), reason);
        }
    }

    /// After the last step.
    fn judge(&mut self, start: &Start) {
        let exercise = Rc::clone(&self.exercise);
        let asked = std::mem::take(&mut self.asked);
        for (question, _) in exercise.questions.iter().zip(&asked).filter(|(_, asked)| !**asked) {
            let reason = Say::new([
                "la solución no usa la orden de esta pregunta: `{0}`",
                "the solution does not use the command of this question: `{0}`",
            ]);
            self.fail(question.line(), reason.text(&question.command));
        }
        for (goal, verdict) in exercise.goals.iter().zip(exercise.judge(&Scene::new(&start.machine))) {
            if let Err(miss) = verdict {
                let reason = Say::new(["la solución no cumple «{0}»: {1}", "the solution does not meet “{0}”: {1}"]);
                let told = goal.tell(Language::English);
                self.fail(0, reason.text(told).say(miss.say));
            }
        }
        let par = exercise.par.as_ref();
        if let Some(reason) = par.and_then(|par| misses_par(par, &exercise, &start.machine, start.entered)) {
            self.fail(0, reason);
        }
    }
}

fn told(step: &Step) -> String {
    match step {
        Step::Command(text) | Step::Type(text) => text.lines().next().unwrap_or_default().to_owned(),
        Step::File { path, .. } => path.clone(),
        Step::Wait(time) => format!("+{}s", time.as_secs()),
    }
}

fn wrong_options(answer: Option<&Value>, options: &[String]) -> Option<Say> {
    let Some(answer) = answer else {
        return Some(Say::new([
            "la respuesta a esta pregunta no se puede saber",
            "the answer to this question can't be told",
        ]));
    };
    let right = options.iter().filter(|option| answer.is_meant_by(option)).count();
    let reason = match right {
        _ if options.is_empty() => return None,
        0 => Say::new(["ninguna opción es la respuesta: {0}", "no option is the answer: {0}"]),
        1 => return None,
        _ => Say::new(["más de una opción es la respuesta: {0}", "more than one option is the answer: {0}"]),
    };
    Some(reason.say(answer.tell()))
}

fn misses_par(par: &Par, exercise: &Exercise, machine: &Machine, entered: usize) -> Option<Say> {
    let commands = machine.entered_count().saturating_sub(entered).max(run::command_count(&exercise.solution));
    let today = par.today(commands as u64, &Scene::new(machine));
    let reason = Say::new([
        "la solución no llega a la marca de `par`: {0}, y no {1}",
        "the solution does not reach `par`: {0}, not {1}",
    ]);
    let none = Say::new([
        "`par` mide algo que la solución no hace",
        "`par` measures something that the solution does not make",
    ]);
    match today {
        None => Some(none),
        Some(today) if !par.is_reached_by(today) => Some(reason.say(par.tell(today)).say(par.tell(par.at_most()))),
        Some(_) => None,
    }
}
