//! Exercises: Markdown files that a teacher writes.
//!
//! Front matter between two lines `---`, then prose, then sections under `## Setup`, `## Goals`, `## Questions`,
//! `## Hints`, `## Solution` or their Spanish names. README.md, "How to write an exercise", shows one; `capas test` proves
//! that it can be solved. What can't be understood is told with its line.

mod section;

use std::rc::Rc;
use std::time::Duration;

use super::check::{self, Check, Miss};
use super::measure::{self, Measure, Value};
use super::say::Say;
use super::scene::Scene;
use super::words::Words;
use crate::base::language::Language;
use crate::base::size::human_size3;

/// Bytes of a file that is read as an exercise.
const MAX_BYTES: usize = 256 << 10;

/// An exercise.
#[derive(Clone, Debug)]
pub struct Exercise {
    /// Its name: the same in every language.
    pub id: String,
    /// Its title.
    pub title: String,
    /// The chapter it is in, from 1.
    pub level: u8,
    /// Its place in the path.
    pub order: u32,
    /// Ids of what should be done before.
    pub needs: Vec<String>,
    /// What is to be beaten.
    pub par: Option<Par>,
    /// What the student reads, as Markdown.
    pub prose: String,
    /// What happens before the student comes.
    pub setup: Vec<Step>,
    /// What is asked.
    pub goals: Vec<Goal>,
    /// Questions to be asked before a command runs.
    pub questions: Vec<Question>,
    /// Hints, each saying more than the one before, as Markdown.
    pub hints: Vec<String>,
    /// One way to the goals.
    pub solution: Vec<Step>,
}

/// What is to be beaten.
#[derive(Clone, Debug)]
pub enum Par {
    /// So many commands.
    Commands(u64),
    /// So much of a measure.
    Measure(Beaten),
}

/// A measure and the value that is as good as the author's.
#[derive(Clone, Debug)]
pub struct Beaten {
    measure: Measure,
    /// The value.
    pub at_most: u64,
}

/// Something that is done at the machine.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// A command, typed at the prompt; here-documents and continued lines have several lines.
    Command(String),
    /// A line for the program in front, where `^C` and the like are control characters.
    Type(String),
    /// Time that passes.
    Wait(Duration),
    /// A file that is put on the student's computer.
    File {
        /// Its path; a relative one starts at the student's folder.
        path: String,
        /// Its text.
        content: String,
    },
}

/// A goal: a sentence, and checks that must all hold.
#[derive(Clone, Debug)]
pub struct Goal {
    text: Option<String>,
    /// Of each list one check must hold.
    checks: Vec<Vec<Rc<dyn Check>>>,
}

/// A question that is asked before a command runs; the machine answers it when it has run.
#[derive(Clone, Debug)]
pub struct Question {
    /// The command.
    pub command: String,
    /// The question, as Markdown.
    pub text: String,
    /// What can be chosen; without any, the student writes.
    pub options: Vec<String>,
    /// What is said when it is answered, as Markdown.
    pub remark: String,
    asked: Asked,
    line: usize,
}

#[derive(Clone, Debug)]
enum Asked {
    /// A measure after the command.
    Is(Measure),
    /// What the command adds to a measure.
    Added(Measure),
    /// Whether a check holds after the command.
    Whether(Rc<dyn Check>),
}

/// Something wrong with an exercise.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Flaw {
    /// The line of the file, from 1; 0 for the whole of it.
    pub line: usize,
    /// What is wrong.
    pub reason: Say,
}

/// Whether a Markdown file is an exercise and no transcript: it begins with front matter.
pub fn is_exercise(text: &str) -> bool {
    text.lines().next().is_some_and(|line| line.trim_end() == "---")
}

impl Exercise {
    /// Reads an exercise.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn parse(text: &str) -> Result<Self, Vec<Flaw>> {
        if text.len() > MAX_BYTES {
            let reason = Say::new([
                "el fichero es demasiado grande: {0} bytes como mucho",
                "the file is too large: {0} bytes at most",
            ]);
            return Err(vec![Flaw { line: 0, reason: reason.text(MAX_BYTES) }]);
        }
        let mut reader = Reader::default();
        let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
        let body = reader.front_matter(&lines);
        let Reader { id, title, level, order, needs, par, mut flaws } = reader;
        let mut read = section::read(&lines, body, &mut flaws);
        for (is_missing, reason) in [
            (id.is_empty(), Say::new(["falta `id:` en la cabecera", "the front matter lacks `id:`"])),
            (title.is_empty(), Say::new(["falta `title:` en la cabecera", "the front matter lacks `title:`"])),
            (level == 0, Say::new(["falta `level:` en la cabecera", "the front matter lacks `level:`"])),
            (read.prose.is_empty(), Say::new(["falta el enunciado", "there is no text for the student"])),
            (read.goals.is_empty(), Say::new(["faltan objetivos: `## Objetivos`", "there are no goals: `## Goals`"])),
            (
                read.solution.is_empty(),
                Say::new(["falta la solución: `## Solución`", "there is no solution: `## Solution`"]),
            ),
        ] {
            // What was there but could not be read has told so itself.
            if is_missing && flaws.is_empty() {
                flaws.push(Flaw { line: 0, reason });
            }
        }
        if !flaws.is_empty() {
            return Err(flaws);
        }
        let prose = std::mem::take(&mut read.prose);
        let section::Read { setup, goals, questions, hints, solution, .. } = read;
        Ok(Self { id, title, level, order, needs, par, prose, setup, goals, questions, hints, solution })
    }

    /// Which goals are met, and what is nearly so.
    pub fn judge(&self, scene: &Scene<'_>) -> Vec<Result<(), Miss>> {
        self.goals.iter().map(|goal| goal.judge(scene)).collect()
    }

    /// Whether all goals are met.
    pub fn is_solved(&self, scene: &Scene<'_>) -> bool {
        self.goals.iter().all(|goal| goal.judge(scene).is_ok())
    }
}

impl Goal {
    fn judge(&self, scene: &Scene<'_>) -> Result<(), Miss> {
        let any = |checks: &Vec<Rc<dyn Check>>| {
            let mut best: Option<Miss> = None;
            for check in checks {
                match check.judge(scene) {
                    Ok(()) => return Ok(()),
                    Err(miss) if best.as_ref().is_none_or(|best| miss.near && !best.near) => best = Some(miss),
                    Err(_) => {}
                }
            }
            best.map_or(Ok(()), Err)
        };
        let mut first: Option<Miss> = None;
        for checks in &self.checks {
            match any(checks) {
                Ok(()) => {}
                Err(miss) if first.as_ref().is_none_or(|first| miss.near && !first.near) => first = Some(miss),
                Err(_) => {}
            }
        }
        // Of a goal of several checks, some of which hold, what is missing is news.
        let some = self.checks.len() > 1 && self.checks.iter().any(|checks| any(checks).is_ok());
        first.map_or(Ok(()), |miss| Err(Miss { near: miss.near || some, ..miss }))
    }

    /// The goal in words: those of its author, or what its checks say. Inline Markdown.
    pub fn tell(&self, language: Language) -> String {
        if let Some(text) = &self.text {
            return text.clone();
        }
        let or = Say::new([" o ", " or "]).in_language(language);
        let told: Vec<String> = self
            .checks
            .iter()
            .map(|any| any.iter().map(|check| check.tell(false).in_language(language)).collect::<Vec<_>>().join(&or))
            .collect();
        told.join("; ")
    }
}

impl Par {
    /// What the value of today is, against the one to be beaten.
    pub fn today(&self, commands: u64, scene: &Scene<'_>) -> Option<u64> {
        match self {
            Self::Commands(_) => Some(commands),
            Self::Measure(beaten) => beaten.measure.of(scene)?.number(),
        }
    }

    /// Whether a value is as good as the author's; sizes as Docker rounds them.
    pub fn is_reached_by(&self, today: u64) -> bool {
        today <= self.at_most() || (self.is_bytes() && human_size3(today) == human_size3(self.at_most()))
    }

    const fn is_bytes(&self) -> bool {
        matches!(
            self,
            Self::Measure(Beaten {
                measure: Measure::Size(_) | Measure::Waste(_) | Measure::Disk | Measure::Written(_),
                ..
            })
        )
    }

    /// The value to be beaten.
    pub const fn at_most(&self) -> u64 {
        match self {
            Self::Commands(n) => *n,
            Self::Measure(beaten) => beaten.at_most,
        }
    }

    /// A value in words: `3 órdenes`, `12.5MB`.
    pub fn tell(&self, value: u64) -> Say {
        match self {
            Self::Commands(_) if value == 1 => Say::new(["1 orden", "1 command"]),
            Self::Commands(_) => Say::new(["{0} órdenes", "{0} commands"]).text(value),
            Self::Measure(_) if self.is_bytes() => Value::Bytes(value).tell(),
            Self::Measure(_) => Value::Count(value).tell(),
        }
    }

    /// What is counted.
    pub fn subject(&self) -> Say {
        match self {
            Self::Commands(_) => Say::new(["órdenes", "commands"]),
            Self::Measure(beaten) => beaten.measure.tell(),
        }
    }
}

impl Question {
    /// What is to be remembered before the command runs.
    pub fn before(&self, scene: &Scene<'_>) -> Option<Value> {
        match &self.asked {
            Asked::Added(measure) => measure.of(scene),
            _ => None,
        }
    }

    /// The answer, once the command has run.
    pub fn answer(&self, before: Option<&Value>, scene: &Scene<'_>) -> Option<Value> {
        match &self.asked {
            Asked::Is(measure) => measure.of(scene),
            Asked::Whether(check) => Some(Value::Truth(check.judge(scene).is_ok())),
            Asked::Added(measure) => {
                let after = measure.of(scene)?;
                Some(before.map_or(after.clone(), |before| after.minus(before)))
            }
        }
    }

    /// Where it stands in its file.
    pub const fn line(&self) -> usize {
        self.line
    }
}

/// Reads the front matter.
#[derive(Default)]
struct Reader {
    id: String,
    title: String,
    level: u8,
    order: u32,
    needs: Vec<String>,
    par: Option<Par>,
    flaws: Vec<Flaw>,
}

impl Reader {
    /// Reads it and gives the index of the first line after it.
    fn front_matter(&mut self, lines: &[&str]) -> usize {
        let end = lines.iter().skip(1).position(|line| *line == "---").map(|at| at + 1);
        let (Some(&"---"), Some(end)) = (lines.first(), end) else {
            let reason = Say::new([
                "un ejercicio empieza por una cabecera entre dos líneas `---`",
                "an exercise begins with front matter between two lines `---`",
            ]);
            self.flaws.push(Flaw { line: 1, reason });
            return 0;
        };
        for (at, line) in lines.iter().enumerate().take(end).skip(1) {
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            if let Err(reason) = self.field(line) {
                self.flaws.push(Flaw { line: at + 1, reason });
            }
        }
        end + 1
    }

    fn field(&mut self, line: &str) -> Result<(), Say> {
        let Some((key, value)) = line.split_once(':') else {
            return Err(Say::new(["esta línea no es `clave: valor`", "this line is not `key: value`"]));
        };
        let value = value.trim();
        let is_id = |text: &str| {
            !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        };
        let bad_id = |text: &str| {
            let say = Say::new([
                "`{0}` no es un id: minúsculas sin acentos, cifras y guiones",
                "`{0}` is no id: lower-case letters, digits, hyphens",
            ]);
            Err(say.text(text))
        };
        let bad_number = || Say::new(["`{0}` no es un número", "`{0}` is no number"]).text(value);
        match key.trim() {
            "id" if is_id(value) => value.clone_into(&mut self.id),
            "id" => return bad_id(value),
            "title" => value.clone_into(&mut self.title),
            "level" => self.level = value.parse().map_err(|_| bad_number())?,
            "order" => self.order = value.parse().map_err(|_| bad_number())?,
            "needs" => {
                let needs: Vec<&str> = value.split(',').map(str::trim).filter(|id| !id.is_empty()).collect();
                if let Some(bad) = needs.iter().find(|id| !is_id(id)) {
                    return bad_id(bad);
                }
                self.needs = needs.into_iter().map(ToOwned::to_owned).collect();
            }
            "par" => self.par = Some(parse_par(value)?),
            other => {
                let say = Say::new([
                    "no hay ninguna clave `{0}`: id, title, level, order, needs, par",
                    "there is no key `{0}`: id, title, level, order, needs, par",
                ]);
                return Err(say.text(other));
            }
        }
        Ok(())
    }
}

/// `3 commands`, or a value and its measure: `12.5MB size of mi-web`.
fn parse_par(text: &str) -> Result<Par, Say> {
    let mut words = Words::of(text)?;
    let value = measure::number(&words.need(Say::new(["un número", "a number"]))?)?;
    if words.take("commands") || words.take("command") {
        return Ok(Par::Commands(value));
    }
    let measure = Measure::parse(&mut words)?;
    Ok(Par::Measure(Beaten { measure, at_most: value }))
}

#[cfg(test)]
mod tests;
