//! Checks: what a goal asks of the machine's state. Any way that leads there counts.
//!
//! A check is one line of a goal; [`KINDS`] lists what it may begin with, and each kind's file says how it goes on. A
//! line of a measure compares: `layers of mi-web <= 3`. `no` before a check turns it round.

mod answer;
mod change;
mod compare;
mod container;
mod file;
mod history;
mod image;
mod layer;
mod network;
mod port;
mod volume;

use std::fmt;
use std::rc::Rc;

use super::measure::FIRST_WORDS;
use super::say::Say;
use super::scene::Scene;
use super::words::Words;

/// Why a check does not hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Miss {
    /// The reason, for the student.
    pub say: Say,
    /// Whether something is nearly as it should be, so that the reason is news.
    pub near: bool,
}

impl Miss {
    /// Nothing of it is there yet.
    pub const fn far(say: Say) -> Self {
        Self { say, near: false }
    }

    /// Something is there, but not as it should be.
    pub const fn near(say: Say) -> Self {
        Self { say, near: true }
    }
}

/// One thing that is asked.
pub trait Check: fmt::Debug {
    /// Looks whether it is so.
    ///
    /// # Errors
    /// Why not.
    fn judge(&self, scene: &Scene<'_>) -> Result<(), Miss>;

    /// What is asked; of its opposite, if `negated`.
    fn tell(&self, negated: bool) -> Say;
}

/// Reads what follows a kind's word.
type Parse = fn(&mut Words) -> Result<Rc<dyn Check>, Say>;

/// What a check may begin with.
const KINDS: [(&str, Parse); 10] = [
    ("container", container::parse),
    ("image", image::parse),
    ("volume", volume::parse),
    ("network", network::parse),
    ("file", file::parse),
    ("change", change::parse),
    ("whiteout", layer::parse),
    ("port", port::parse),
    ("history", history::parse),
    ("answer", answer::parse),
];

/// Reads a check.
///
/// # Errors
/// What can't be understood.
pub fn parse(line: &str) -> Result<Rc<dyn Check>, Say> {
    let mut words = Words::of(line)?;
    let negated = words.take("no");
    let check = parse_words(&mut words)?;
    if words.peek().is_some() {
        return Err(words.unexpected(if negated { "" } else { "…" }));
    }
    Ok(if negated { Rc::new(Not(check)) } else { check })
}

fn parse_words(words: &mut Words) -> Result<Rc<dyn Check>, Say> {
    let first = words.peek().unwrap_or_default().to_owned();
    if let Some((_, parse)) = KINDS.iter().find(|(word, _)| *word == first) {
        drop(words.next());
        return parse(words);
    }
    if FIRST_WORDS.contains(&first.as_str()) {
        return compare::parse(words);
    }
    let kinds: Vec<&str> = KINDS.iter().map(|(word, _)| *word).chain(FIRST_WORDS).collect();
    Err(words.unexpected(&kinds.join(", ")))
}

/// The opposite of a check.
#[derive(Debug)]
struct Not(Rc<dyn Check>);

impl Check for Not {
    fn judge(&self, scene: &Scene<'_>) -> Result<(), Miss> {
        match self.0.judge(scene) {
            Ok(()) => Err(Miss::far(Say::new(["todavía es así: {0}", "it still is so: {0}"]).say(self.0.tell(false)))),
            Err(_) => Ok(()),
        }
    }

    fn tell(&self, negated: bool) -> Say {
        self.0.tell(!negated)
    }
}

/// A list of sentences' parts with commas.
fn list(says: Vec<Say>) -> Say {
    Say::joined(says, [", ", ", "])
}
