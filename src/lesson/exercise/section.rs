//! The body of an exercise: prose, then sections.

use std::rc::Rc;
use std::time::Duration;

use super::{Asked, Flaw, Goal, Question, Step, check};
use crate::lesson::check::Check;
use crate::lesson::measure::Measure;
use crate::lesson::say::Say;
use crate::lesson::words::Words;

/// What a section is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Prose,
    Setup,
    Goals,
    Questions,
    Hints,
    Solution,
}

/// Headings of sections, in lower case.
const HEADINGS: [(&str, Kind); 10] = [
    ("inicio", Kind::Setup),
    ("setup", Kind::Setup),
    ("objetivos", Kind::Goals),
    ("goals", Kind::Goals),
    ("preguntas", Kind::Questions),
    ("questions", Kind::Questions),
    ("pistas", Kind::Hints),
    ("hints", Kind::Hints),
    ("solución", Kind::Solution),
    ("solution", Kind::Solution),
];

/// What was read.
#[derive(Default)]
pub(super) struct Read {
    pub(super) prose: String,
    pub(super) setup: Vec<Step>,
    pub(super) goals: Vec<Goal>,
    pub(super) questions: Vec<Question>,
    pub(super) hints: Vec<String>,
    pub(super) solution: Vec<Step>,
}

/// Reads the lines from index `from` on.
pub(super) fn read(lines: &[&str], from: usize, flaws: &mut Vec<Flaw>) -> Read {
    let mut read = Read::default();
    let mut kind = Kind::Prose;
    let mut at = from;
    while let Some(line) = lines.get(at) {
        at += 1;
        if let Some(info) = line.trim_start().strip_prefix("```") {
            let length =
                lines.get(at..).unwrap_or_default().iter().position(|line| line.trim_start().starts_with("```"));
            let Some(length) = length else {
                flaws.push(flaw(at, ["este bloque no se cierra", "this block is not closed"]));
                break;
            };
            let body = lines.get(at..at + length).unwrap_or_default();
            read.block(kind, info.trim(), body, at + 1, flaws);
            at += length + 1;
            continue;
        }
        if let Some(heading) = line.strip_prefix("## ") {
            let heading = heading.trim().to_lowercase();
            if let Some((_, found)) = HEADINGS.iter().find(|(name, _)| *name == heading) {
                kind = *found;
                continue;
            }
            if kind != Kind::Prose {
                let names: Vec<&str> = HEADINGS.iter().map(|(name, _)| *name).collect();
                let reason = Say::new(["no hay ninguna sección `{0}`: {1}", "there is no section `{0}`: {1}"]);
                flaws.push(Flaw { line: at, reason: reason.text(heading).text(names.join(", ")) });
                continue;
            }
        }
        read.line(kind, line, at, flaws);
    }
    read.prose = read.prose.trim().to_owned();
    read
}

fn flaw(line: usize, texts: [&'static str; 2]) -> Flaw {
    Flaw { line, reason: Say::new(texts) }
}

impl Read {
    /// A line outside of blocks.
    fn line(&mut self, kind: Kind, line: &str, at: usize, flaws: &mut Vec<Flaw>) {
        match kind {
            Kind::Prose => {
                self.prose.push_str(line);
                self.prose.push('\n');
            }
            Kind::Hints => {
                let text = line.trim();
                let item =
                    text.split_once(['.', ')']).filter(|(n, _)| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
                let item =
                    item.map(|(_, rest)| rest).or_else(|| text.strip_prefix("- ").or_else(|| text.strip_prefix("* ")));
                match (item, self.hints.last_mut()) {
                    _ if text.is_empty() => {}
                    (Some(item), _) => self.hints.push(item.trim().to_owned()),
                    (None, Some(last)) => {
                        last.push(' ');
                        last.push_str(text);
                    }
                    (None, None) => {
                        flaws.push(flaw(at, ["las pistas son una lista: `1. …`", "hints are a list: `1. …`"]))
                    }
                }
            }
            _ if line.trim().is_empty() => {}
            // Remarks between the blocks of a section are for its readers.
            Kind::Setup | Kind::Solution | Kind::Questions => {}
            Kind::Goals => {
                flaws.push(flaw(at, ["los objetivos van en un bloque ```goals", "goals stand in a block ```goals"]))
            }
        }
    }

    /// A fenced block; its first line is line `first` of the file.
    fn block(&mut self, kind: Kind, info: &str, body: &[&str], first: usize, flaws: &mut Vec<Flaw>) {
        match kind {
            Kind::Prose => {
                let text = body.join("\n");
                self.prose.push_str(&format!("```{info}\n{text}{}```\n", if text.is_empty() { "" } else { "\n" }));
            }
            Kind::Setup => read_steps(info, body, first, &mut self.setup, flaws),
            Kind::Solution => read_steps(info, body, first, &mut self.solution, flaws),
            Kind::Goals => self.goals.extend(read_goals(body, first, flaws)),
            Kind::Questions => match read_question(body, first) {
                Ok(question) => self.questions.push(question),
                Err(flaw) => flaws.push(flaw),
            },
            Kind::Hints => {
                if let Some(last) = self.hints.last_mut() {
                    last.push_str(&format!("\n```{info}\n{}\n```\n", body.join("\n")));
                } else {
                    flaws.push(flaw(first, ["las pistas son una lista: `1. …`", "hints are a list: `1. …`"]));
                }
            }
        }
    }
}

fn read_steps(info: &str, body: &[&str], first: usize, steps: &mut Vec<Step>, flaws: &mut Vec<Flaw>) {
    if let Some(path) = info.split_whitespace().find_map(|word| word.strip_prefix("path=")) {
        let content = body.iter().flat_map(|line| [*line, "\n"]).collect();
        steps.push(Step::File { path: path.to_owned(), content });
        return;
    }
    let mut lines = body.iter().enumerate();
    while let Some((at, line)) = lines.next() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(typed) = line.strip_prefix("» ").or_else(|| (*line == "»").then_some("")) {
            steps.push(Step::Type(typed.to_owned()));
            continue;
        }
        if let Some(time) = line.strip_prefix('+').and_then(duration) {
            steps.push(Step::Wait(time));
            continue;
        }
        let mut command = line.strip_prefix("$ ").unwrap_or(line).to_owned();
        let delimiter = heredoc(&command);
        let is_open = |last: &str| match &delimiter {
            Some(delimiter) => last.trim_start_matches('\t') != delimiter,
            None => last.ends_with('\\'),
        };
        let mut last = if delimiter.is_some() { "" } else { line };
        while is_open(last) {
            let Some((_, next)) = lines.next() else {
                flaws.push(flaw(first + at, ["esta orden no acaba", "this command does not end"]));
                return;
            };
            command.push('\n');
            command.push_str(next);
            last = next;
        }
        steps.push(Step::Command(command));
    }
}

/// The word that ends a command's here-document.
fn heredoc(command: &str) -> Option<String> {
    let (_, rest) = command.split_once("<<")?;
    let word = rest.trim_start_matches('-').trim_start();
    if word.starts_with('<') {
        return None;
    }
    let word: String =
        word.trim_start_matches(['\'', '"']).chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    (!word.is_empty()).then_some(word)
}

fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at_checked(text.find(|c: char| !c.is_ascii_digit())?)?;
    let number: u64 = number.parse().ok()?;
    match unit {
        "s" => Some(Duration::from_secs(number)),
        "m" => Some(Duration::from_secs(number.checked_mul(60)?)),
        "h" => Some(Duration::from_secs(number.checked_mul(3600)?)),
        _ => None,
    }
}

/// `# sentence` begins a goal that all checks up to the next such line belong to; before the first, each check is a
/// goal of its own. `or CHECK` is another way of the check before it.
fn read_goals(body: &[&str], first: usize, flaws: &mut Vec<Flaw>) -> Vec<Goal> {
    let mut goals: Vec<Goal> = Vec::new();
    let mut with_sentence = false;
    for (at, line) in body.iter().enumerate() {
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        if let Some(sentence) = line.strip_prefix('#') {
            if goals.last().is_some_and(|goal| goal.checks.is_empty()) {
                flaws.push(flaw(first + at - 1, ["este objetivo no comprueba nada", "this goal checks nothing"]));
            }
            with_sentence = true;
            goals.push(Goal { text: Some(sentence.trim().to_owned()), checks: Vec::new() });
            continue;
        }
        let (or, text) = line.strip_prefix("or ").map_or((false, line), |rest| (true, rest));
        let check = match check::parse(text) {
            Ok(check) => check,
            Err(reason) => {
                flaws.push(Flaw { line: first + at, reason });
                continue;
            }
        };
        match goals.last_mut() {
            Some(goal) if or => match goal.checks.last_mut() {
                Some(any) => any.push(check),
                None => flaws.push(flaw(first + at, ["`or` sigue a otra comprobación", "`or` follows another check"])),
            },
            Some(goal) if with_sentence => goal.checks.push(vec![check]),
            _ => goals.push(Goal { text: None, checks: vec![vec![check]] }),
        }
    }
    if goals.last().is_some_and(|goal| goal.checks.is_empty()) && flaws.is_empty() {
        flaws.push(flaw(
            first + body.len().saturating_sub(1),
            ["este objetivo no comprueba nada", "this goal checks nothing"],
        ));
    }
    goals
}

/// `$ command`, `? question`, `= answer`, `* option`, `! remark`.
fn read_question(body: &[&str], first: usize) -> Result<Question, Flaw> {
    let (mut command, mut text, mut remark) = (String::new(), String::new(), String::new());
    let (mut options, mut asked) = (Vec::new(), None);
    let join = |to: &mut String, more: &str| {
        if !to.is_empty() {
            to.push(' ');
        }
        to.push_str(more.trim());
    };
    for (at, line) in body.iter().enumerate() {
        let Some((mark, rest)) = line.split_once(' ') else { continue };
        match mark {
            "$" => join(&mut command, rest),
            "?" => join(&mut text, rest),
            "!" => join(&mut remark, rest),
            "*" => options.push(rest.trim().to_owned()),
            "=" => asked = Some(read_asked(rest).map_err(|reason| Flaw { line: first + at, reason })?),
            _ => {
                return Err(flaw(
                    first + at,
                    [
                        "una pregunta tiene líneas `$ orden`, `? pregunta`, `= respuesta`, `* opción`, `! comentario`",
                        "a question has lines `$ command`, `? question`, `= answer`, `* option`, `! remark`",
                    ],
                ));
            }
        }
    }
    match asked {
        Some(asked) if !command.is_empty() && !text.is_empty() => {
            Ok(Question { command, text, options, remark, asked, line: first })
        }
        _ => Err(flaw(
            first,
            [
                "una pregunta pide líneas `$ orden`, `? pregunta` y `= respuesta`",
                "a question needs lines `$ command`, `? question` and `= answer`",
            ],
        )),
    }
}

/// `MEASURE`, `added MEASURE`, `whether CHECK`.
fn read_asked(text: &str) -> Result<Asked, Say> {
    if let Some(check) = text.strip_prefix("whether ") {
        let check: Rc<dyn Check> = check::parse(check)?;
        return Ok(Asked::Whether(check));
    }
    let mut words = Words::of(text)?;
    let added = words.take("added");
    let measure = Measure::parse(&mut words)?;
    if words.peek().is_some() {
        return Err(words.unexpected(""));
    }
    Ok(if added { Asked::Added(measure) } else { Asked::Is(measure) })
}
