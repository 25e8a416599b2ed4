//! Proves an exercise: unsolved at its start, solved by its solution, and not by its solution less the last command.

use super::exercise::{Exercise, Flaw, Par, Step};
use super::measure::Value;
use super::run::{self, Start};
use super::say::Say;
use super::scene::Scene;
use crate::machine::Machine;

/// The seed of proofs. Nothing an exercise asks may depend on it.
const SEED: u64 = 1;

/// What is wrong with an exercise that can be read; nothing if it holds.
pub fn prove(exercise: &Exercise) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    let mut fail = |line, reason| flaws.push(Flaw { line, reason });
    let Start { mut machine, entered, .. } = run::start(exercise, SEED);
    if exercise.is_solved(&Scene::new(&machine)) {
        fail(0, Say::new(["ya está resuelto al empezar", "it is solved at the start"]));
    }
    // The last command takes with it what is typed into its program.
    let last = exercise.solution.iter().rposition(|step| !matches!(step, Step::Type(_) | Step::Wait(_))).unwrap_or(0);
    let mut asked = vec![false; exercise.questions.len()];
    for (at, step) in exercise.solution.iter().enumerate() {
        if at == last && at > 0 && exercise.is_solved(&Scene::new(&machine)) {
            let reason = Say::new([
                "se resuelve sin la última orden de la solución: `{0}`",
                "it is solved without the last command of its solution: `{0}`",
            ]);
            fail(0, reason.text(told(step)));
        }
        let question = exercise.questions.iter().enumerate().find(|(index, question)| {
            matches!(step, Step::Command(text) if *text == question.command) && asked.get(*index) == Some(&false)
        });
        let before = question.and_then(|(_, question)| question.before(&Scene::new(&machine)));
        run::perform(&mut machine, step);
        if let Some((index, question)) = question {
            if let Some(asked) = asked.get_mut(index) {
                *asked = true;
            }
            let answer = question.answer(before.as_ref(), &Scene::new(&machine));
            if let Some(reason) = wrong_options(answer.as_ref(), &question.options) {
                fail(question.line(), reason);
            }
        }
    }
    for (question, _) in exercise.questions.iter().zip(&asked).filter(|(_, asked)| !**asked) {
        let reason = Say::new([
            "la solución no usa la orden de esta pregunta: `{0}`",
            "the solution does not use the command of this question: `{0}`",
        ]);
        fail(question.line(), reason.text(&question.command));
    }
    for (goal, verdict) in exercise.goals.iter().zip(exercise.judge(&Scene::new(&machine))) {
        if let Err(miss) = verdict {
            let reason = Say::new(["la solución no cumple «{0}»: {1}", "the solution does not meet “{0}”: {1}"]);
            let told = goal.tell(crate::base::language::Language::English);
            fail(0, reason.text(told).say(miss.say));
        }
    }
    if let Some(reason) = exercise.par.as_ref().and_then(|par| misses_par(par, exercise, &machine, entered)) {
        fail(0, reason);
    }
    flaws
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
