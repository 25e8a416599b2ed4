//! Transcripts: Markdown files that are tests, for developers and teachers alike.
//!
//! A heading starts a fresh machine. A fenced block with `path=` in its info string is a file put on the host (relative
//! paths start at the student's home folder); a `console` block is a session: `$ ` types a host command, `» ` types into
//! the program in front (`^C`, `^D`, `^[` and so on are control characters), `? n` is the status of the last command,
//! `+5s` lets time pass, other lines are what the terminal shows. `<id:name>` stands for hexadecimal digits that are the
//! same wherever the name is; `<*>` for any text in a line; a line `…` for any lines.

use std::collections::BTreeMap;
use std::time::Duration;

use super::screen;
use crate::machine::host::HOME;
use crate::machine::{Config, Machine};

/// Terminal width of transcripts: wide enough for Docker's progress bars.
const COLS: u16 = 120;
/// A program in front that is silent for this long waits for the student.
const QUIET: Duration = Duration::from_secs(12);
/// Virtual time after which a command is taken to run for ever.
const LIMIT: Duration = Duration::from_secs(600);

/// A line that did not come out as written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// The line of the file, from 1.
    pub line: usize,
    /// What was typed.
    pub command: String,
    /// What the file says.
    pub expected: Vec<String>,
    /// What the terminal showed.
    pub actual: Vec<String>,
}

/// What came of running a transcript.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Report {
    /// Headings with a session that were run.
    pub cases: usize,
    /// What was typed, all in all.
    pub steps: usize,
    /// What went wrong.
    pub failures: Vec<Failure>,
    /// The file with the true outputs.
    pub updated: String,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Action {
    Host(String),
    Type(String),
    Status,
    Wait(Duration),
}

struct Step {
    line: usize,
    raw: String,
    action: Action,
    expected: Vec<String>,
}

/// Runs a transcript.
pub fn run(text: &str) -> Report {
    let mut report = Report::default();
    let mut session = Session::new();
    let mut lines = text.lines().enumerate().peekable();
    while let Some((_, line)) = lines.next() {
        report.updated.push_str(line);
        report.updated.push('\n');
        if line.starts_with('#') {
            session = Session::new();
            continue;
        }
        let Some(info) = line.strip_prefix("```") else { continue };
        let mut body = Vec::new();
        let mut end = String::from("```");
        for (number, line) in lines.by_ref() {
            if line.starts_with("```") {
                line.clone_into(&mut end);
                break;
            }
            body.push((number + 1, line));
        }
        if let Some(path) = info.split_whitespace().find_map(|word| word.strip_prefix("path=")) {
            let content: String = body.iter().flat_map(|(_, line)| [*line, "\n"]).collect();
            report.updated.push_str(&content);
            session.put(path, &content);
        } else if info.trim() == "console" {
            if !session.counted {
                session.counted = true;
                report.cases += 1;
            }
            for step in steps(&body) {
                session.step(step, &mut report);
            }
        } else {
            body.iter().for_each(|(_, line)| {
                report.updated.push_str(line);
                report.updated.push('\n');
            });
        }
        report.updated.push_str(&end);
        report.updated.push('\n');
    }
    report
}

fn steps(body: &[(usize, &str)]) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for (line, text) in body {
        let action = if let Some(command) = text.strip_prefix("$ ") {
            Some(Action::Host(command.to_owned()))
        } else if let Some(typed) = text.strip_prefix("» ").or_else(|| (*text == "»").then_some("")) {
            Some(Action::Type(typed.to_owned()))
        } else if text.starts_with("? ") {
            Some(Action::Status)
        } else {
            text.strip_prefix('+').and_then(duration).map(Action::Wait)
        };
        match (action, steps.last_mut()) {
            (Some(action), _) => {
                steps.push(Step { line: *line, raw: (*text).to_owned(), action, expected: Vec::new() });
            }
            (None, Some(step)) => step.expected.push((*text).to_owned()),
            (None, None) => {}
        }
    }
    steps
}

fn duration(text: &str) -> Option<Duration> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at_checked(digits)?;
    let number: u64 = number.parse().ok()?;
    match unit {
        "ms" => Some(Duration::from_millis(number)),
        "s" => Some(Duration::from_secs(number)),
        "m" => Some(Duration::from_secs(number.checked_mul(60)?)),
        "h" => Some(Duration::from_secs(number.checked_mul(3600)?)),
        _ => None,
    }
}

/// A machine with a person at it.
pub struct Session {
    machine: Machine,
    prompt: Vec<u8>,
    ids: BTreeMap<String, String>,
    counted: bool,
}

impl Default for Session {
    fn default() -> Self {
        Self::new()
    }
}

impl Session {
    /// A fresh machine whose prompt has come.
    pub fn new() -> Self {
        let mut machine = Machine::new(Config { cols: COLS, rows: 40, ..Config::default() });
        let tty = machine.console();
        let shown = machine.settle(tty, QUIET, LIMIT);
        let mut session = Self { machine, prompt: Vec::new(), ids: BTreeMap::new(), counted: false };
        session.note_prompt(&shown);
        session
    }

    fn note_prompt(&mut self, shown: &[u8]) {
        let at = shown.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
        self.prompt = shown.get(at..).unwrap_or_default().to_vec();
    }

    fn put(&mut self, path: &str, content: &str) {
        let at = if path.starts_with('/') { path.to_owned() } else { format!("{HOME}/{path}") };
        // A file that can't be put is missed by the session that needs it.
        let _ = self.machine.put_file(&at, content.as_bytes());
    }

    /// Types a command and Return; gives what the terminal shows until the next prompt.
    pub fn command(&mut self, text: &str) -> Vec<String> {
        self.enter(text.as_bytes(), b"\r")
    }

    fn enter(&mut self, text: &[u8], end: &[u8]) -> Vec<String> {
        let tty = self.machine.console();
        if end == b"\r" {
            self.machine.input(tty, text);
            // What is typed is echoed; that is no output.
            drop(self.machine.settle(tty, Duration::ZERO, LIMIT));
            self.machine.input(tty, end);
        } else {
            self.machine.input(tty, text);
        }
        let mut shown = self.machine.settle(tty, QUIET, LIMIT);
        if end == b"\r" {
            // Up to the end of the first line it is what was typed, shown once more.
            let typed = shown.iter().position(|b| *b == b'\n').map_or(0, |at| at + 1);
            shown.drain(..typed);
        }
        let lines = self.without_prompt(&shown);
        self.note_prompt(&shown);
        lines
    }

    /// The output as lines, without the prompt at the end.
    fn without_prompt(&self, shown: &[u8]) -> Vec<String> {
        let at = shown.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
        let mut lines = screen::lines(shown, COLS);
        let last = screen::lines(shown.get(at..).unwrap_or_default(), COLS);
        let prompt = last.last().is_some_and(|line| {
            let line = line.trim_end();
            line.ends_with(['$', '#', '>']) && !line.is_empty()
        });
        if prompt && lines.last() == last.last() {
            lines.pop();
        }
        lines
    }

    fn step(&mut self, step: Step, report: &mut Report) {
        report.steps += 1;
        let tty = self.machine.console();
        let (actual, shown_raw) = match &step.action {
            Action::Host(command) => (self.command(command), step.raw.clone()),
            Action::Type(text) => {
                let bytes = control(text);
                let ends = text.starts_with('^') && bytes.len() == 1;
                (self.enter(&bytes, if ends { b"" } else { b"\r" }), step.raw.clone())
            }
            Action::Wait(time) => {
                let until = self.machine.now() + *time;
                self.machine.advance_to(until);
                while self.machine.run(1 << 20) == crate::machine::Stop::OutOfFuel && self.machine.now() < until {}
                let shown = self.machine.take_output(tty);
                (screen::lines(&shown, COLS), step.raw.clone())
            }
            Action::Status => {
                let status = self.command("echo $?").join("");
                (Vec::new(), format!("? {status}"))
            }
        };
        report.updated.push_str(&shown_raw);
        report.updated.push('\n');
        let matches = self.matches(&step.expected, &actual) && shown_raw == step.raw;
        let kept = if matches { &step.expected } else { &actual };
        kept.iter().for_each(|line| {
            report.updated.push_str(line);
            report.updated.push('\n');
        });
        if !matches {
            let (mut expected, mut actual) = (step.expected, actual);
            if shown_raw != step.raw {
                expected.insert(0, step.raw.clone());
                actual.insert(0, shown_raw);
            }
            report.failures.push(Failure { line: step.line, command: step.raw, expected, actual });
        }
    }

    fn matches(&mut self, expected: &[String], actual: &[String]) -> bool {
        match expected.split_first() {
            None => actual.is_empty(),
            Some((first, rest)) if first == "…" => (0..=actual.len()).any(|skip| {
                let ids = self.ids.clone();
                let found = self.matches(rest, actual.get(skip..).unwrap_or_default());
                if !found {
                    self.ids = ids;
                }
                found
            }),
            Some((first, rest)) => match actual.split_first() {
                Some((line, others)) => {
                    line_matches(first.trim_end(), line, &mut self.ids) && self.matches(rest, others)
                }
                None => false,
            },
        }
    }
}

/// Whether a line is as a pattern says; new names are bound.
fn line_matches(pattern: &str, line: &str, ids: &mut BTreeMap<String, String>) -> bool {
    if let Some(rest) = pattern.strip_prefix("<*>") {
        return line
            .char_indices()
            .map(|(at, _)| at)
            .chain([line.len()])
            .any(|at| line.get(at..).is_some_and(|tail| line_matches(rest, tail, ids)));
    }
    if let Some((name, rest)) = pattern.strip_prefix("<id:").and_then(|p| p.split_once('>')) {
        let digits = line.chars().take_while(char::is_ascii_hexdigit).count();
        let Some((found, tail)) = line.split_at_checked(digits) else { return false };
        let same = match ids.get(name) {
            // A short id stands for the long one it starts.
            Some(known) => !found.is_empty() && (known.starts_with(found) || found.starts_with(known.as_str())),
            None => digits >= 6,
        };
        if same {
            let longer = ids.get(name).is_none_or(|known| known.len() < found.len());
            if longer {
                ids.insert(name.to_owned(), found.to_owned());
            }
        }
        return same && line_matches(rest, tail, ids);
    }
    let mut pattern_chars = pattern.chars();
    match (pattern_chars.next(), line.chars().next()) {
        (None, None) => true,
        (Some(a), Some(b)) if a == b => {
            let (rest, tail) = (pattern_chars.as_str(), line.get(b.len_utf8()..).unwrap_or_default());
            line_matches(rest, tail, ids)
        }
        _ => false,
    }
}

/// `^C` and the like as control characters.
pub(super) fn control(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, chars.peek()) {
            ('^', Some(key)) if matches!(key, '@'..='_') => {
                bytes.push(*key as u8 ^ 64);
                chars.next();
            }
            _ => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_bind_once_and_must_match_later() {
        let mut ids = BTreeMap::new();
        assert!(line_matches("<id:a> up", "0123456789ab up", &mut ids));
        assert!(!line_matches("<id:a> up", "ffff456789ab up", &mut ids));
        assert!(line_matches("x <*> <id:a>", "x any thing 0123456789abcdef", &mut ids));
    }

    #[test]
    fn control_characters_are_written_with_a_caret() {
        assert_eq!(control("a^C^D"), [b'a', 3, 4]);
    }
}
