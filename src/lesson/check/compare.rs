//! `MEASURE = N`, also `<`, `<=`, `>`, `>=`; instead of a number another measure.
//!
//! `layers of mi-web <= 3`, `size of mi-web:2 < size of mi-web:1`, `containers running of nginx >= 2`

use std::rc::Rc;

use super::{Check, Miss};
use crate::lesson::measure::{Measure, Value, number};
use crate::lesson::say::Say;
use crate::lesson::scene::Scene;
use crate::lesson::words::Words;

#[derive(Debug)]
struct Compare {
    left: Measure,
    operator: Operator,
    right: Right,
}

#[derive(Debug)]
enum Right {
    Number(u64),
    Measure(Measure),
}

#[derive(Clone, Copy, Debug)]
enum Operator {
    Equal,
    Less,
    AtMost,
    More,
    AtLeast,
}

const OPERATORS: [(&str, Operator); 5] = [
    ("=", Operator::Equal),
    ("<", Operator::Less),
    ("<=", Operator::AtMost),
    (">", Operator::More),
    (">=", Operator::AtLeast),
];

impl Operator {
    const fn holds(self, left: u64, right: u64) -> bool {
        match self {
            Self::Equal => left == right,
            Self::Less => left < right,
            Self::AtMost => left <= right,
            Self::More => left > right,
            Self::AtLeast => left >= right,
        }
    }

    const fn words(self) -> Say {
        Say::new(match self {
            Self::Equal => ["exactamente", "exactly"],
            Self::Less => ["menos de", "less than"],
            Self::AtMost => ["como mucho", "at most"],
            Self::More => ["más de", "more than"],
            Self::AtLeast => ["al menos", "at least"],
        })
    }
}

pub(super) fn parse(words: &mut Words) -> Result<Rc<dyn Check>, Say> {
    let left = Measure::parse(words)?;
    let Some((_, operator)) = OPERATORS.iter().find(|(sign, _)| words.take(sign)) else {
        return Err(words.unexpected("= < <= > >="));
    };
    let is_number = words.peek().is_some_and(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    let right = if is_number {
        Right::Number(number(&words.next().unwrap_or_default())?)
    } else {
        Right::Measure(Measure::parse(words)?)
    };
    Ok(Rc::new(Compare { left, operator: *operator, right }))
}

impl Check for Compare {
    fn judge(&self, scene: &Scene<'_>) -> Result<(), Miss> {
        let missing = |measure: &Measure| {
            Miss::far(Say::new(["aún no se puede saber: {0}", "it can't be told yet: {0}"]).say(measure.tell()))
        };
        let left = self.left.of(scene).ok_or_else(|| missing(&self.left))?;
        let right = match &self.right {
            Right::Number(n) => match left {
                Value::Bytes(_) => Value::Bytes(*n),
                _ => Value::Count(*n),
            },
            Right::Measure(measure) => measure.of(scene).ok_or_else(|| missing(measure))?,
        };
        let holds = match (left.number(), right.number()) {
            (Some(left), Some(right)) => self.operator.holds(left, right),
            _ => left == right,
        };
        if holds {
            return Ok(());
        }
        let miss = Say::new(["{0}: ahora {1}, y se pide {2} {3}", "{0}: now {1}, and {2} {3} is asked for"]);
        let say = miss.say(self.left.tell()).say(left.tell()).say(self.operator.words()).say(right.tell());
        // From nothing to something is no near miss.
        Err(Miss { say, near: left.number() != Some(0) })
    }

    fn tell(&self, negated: bool) -> Say {
        let right = match &self.right {
            Right::Number(n) => {
                let bytes =
                    matches!(self.left, Measure::Disk | Measure::Size(_) | Measure::Waste(_) | Measure::Written(_));
                if bytes { Value::Bytes(*n).tell() } else { Value::Count(*n).tell() }
            }
            Right::Measure(measure) => Say::new(["lo que {0}", "as much as {0}"]).say(measure.tell()),
        };
        let texts = if negated { ["{0}: no {1} {2}", "{0}: not {1} {2}"] } else { ["{0}: {1} {2}"; 2] };
        Say::new(texts).say(self.left.tell()).say(self.operator.words()).say(right)
    }
}
