//! What a student has done in lessons, as it is kept and exported.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// The form of the file.
const VERSION: u64 = 1;
/// Lessons that are remembered.
const MAX_LESSONS: usize = 1000;

/// How an exercise was solved.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Done {
    /// The fewest commands.
    pub commands: u64,
    /// Hints that were seen.
    pub hints: u64,
    /// Whether the solution was seen.
    pub saw_solution: bool,
}

/// The exercises that were solved.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Progress {
    done: BTreeMap<String, Done>,
}

impl Progress {
    /// Reads what was kept; nothing from a text that is no progress.
    pub fn parse(text: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(text).ok()?;
        if value.get("capas_progress")?.as_u64()? != VERSION {
            return None;
        }
        let number = |done: &Value, name: &str| done.get(name).and_then(Value::as_u64).unwrap_or(0);
        let lessons = value.get("lessons")?.as_object()?.iter().take(MAX_LESSONS);
        let done = lessons.map(|(id, done)| {
            let saw_solution = done.get("saw_solution").and_then(Value::as_bool).unwrap_or(false);
            (id.clone(), Done { commands: number(done, "commands"), hints: number(done, "hints"), saw_solution })
        });
        Some(Self { done: done.collect() })
    }

    /// As it is kept.
    pub fn to_text(&self) -> String {
        let lessons: serde_json::Map<String, Value> = self
            .done
            .iter()
            .map(|(id, done)| {
                let value = json!({"commands": done.commands, "hints": done.hints, "saw_solution": done.saw_solution});
                (id.clone(), value)
            })
            .collect();
        json!({"capas_progress": VERSION, "lessons": lessons}).to_string()
    }

    /// How an exercise was solved.
    pub fn of(&self, id: &str) -> Option<Done> {
        self.done.get(id).copied()
    }

    /// Notes that an exercise was solved; the better of two ways is kept.
    pub fn note(&mut self, id: &str, done: Done) {
        let rank = |done: &Done| (done.saw_solution, done.commands, done.hints);
        if self.done.len() < MAX_LESSONS && self.of(id).is_none_or(|known| rank(&done) < rank(&known)) {
            self.done.insert(id.to_owned(), done);
        }
    }

    /// Takes in what another one knows.
    pub fn merge(&mut self, other: &Self) {
        for (id, done) in &other.done {
            self.note(id, *done);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_survives_a_file_and_keeps_the_better_way() {
        let mut progress = Progress::default();
        progress.note("a", Done { commands: 3, hints: 1, saw_solution: false });
        progress.note("a", Done { commands: 2, hints: 0, saw_solution: true });
        let mut other = Progress::parse(&progress.to_text()).unwrap();
        assert_eq!(other, progress);
        assert_eq!(other.of("a").map(|done| done.commands), Some(3));
        other.note("a", Done { commands: 2, hints: 2, saw_solution: false });
        progress.merge(&other);
        assert_eq!(progress.of("a").map(|done| done.commands), Some(2));
        assert!(Progress::parse("{}").is_none() && Progress::parse("<x>").is_none());
    }
}
