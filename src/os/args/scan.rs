//! The walk over the words of a command line.
//!
//! Knows where options, their values and operands begin and end in both dialects; leaves every text to `getopt` and `pflag`.

use bstr::{BStr, BString, ByteSlice};

/// Whether an option takes a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Takes {
    /// Never: `-l`.
    Nothing,
    /// Always: `-n 5`, `-n5`, `--lines=5`, `--lines 5`.
    Value,
    /// Only when attached: `--color=auto` (and `-i.bak` in getopt). All of pflag's booleans are such: `--rm=false`.
    Attached,
}

/// One option: a short letter, a long name, or both.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Opt {
    /// The letter; `'\0'` when there is none.
    pub short: char,
    /// The name without dashes; empty when there is none.
    pub long: &'static str,
    /// Whether it takes a value.
    pub takes: Takes,
}

/// An option without a value. An empty `long` means that there is only the letter.
pub const fn flag(short: char, long: &'static str) -> Opt {
    Opt { short, long, takes: Takes::Nothing }
}

/// An option with a value.
pub const fn value(short: char, long: &'static str) -> Opt {
    Opt { short, long, takes: Takes::Value }
}

/// An option whose value is optional and then attached: `-i.bak`, `--color=auto`.
pub const fn optional(short: char, long: &'static str) -> Opt {
    Opt { short, long, takes: Takes::Attached }
}

/// An option without a letter and without a value.
pub const fn long_flag(long: &'static str) -> Opt {
    flag('\0', long)
}

/// An option without a letter, with a value.
pub const fn long_value(long: &'static str) -> Opt {
    value('\0', long)
}

/// An option without a letter, with an optional value.
pub const fn long_optional(long: &'static str) -> Opt {
    optional('\0', long)
}

/// What differs between the dialects.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Syntax {
    /// Go's pflag: `-p=x` means `x`, an attached short value of a boolean needs `=`, names are never abbreviated.
    pub pflag: bool,
    /// Whether the first operand ends the options (`env`, `docker run`).
    pub stop_at_operand: bool,
    /// `-5` is this option with the value 5 (`head -5`).
    pub digits: Option<char>,
}

/// An option as it was given.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Occurrence {
    /// Its place in the table of options.
    pub index: usize,
    /// Its value, when there was one.
    pub value: Option<BString>,
    /// Whether it was written with its letter.
    pub short: bool,
}

/// Why the words cannot be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fault {
    /// No option has this name (without dashes and value).
    UnknownLong(BString),
    /// No option has the first letter of the rest of this cluster.
    UnknownShort(BString),
    /// The name of an option that was given without its value.
    LongNeedsValue(BString),
    /// The rest of a cluster whose first letter needs a value.
    ShortNeedsValue(BString),
    /// The name of an option that was given with a value that it does not take.
    TakesNoValue(BString),
    /// An abbreviation and the names that it may stand for.
    Ambiguous(BString, Vec<&'static str>),
    /// A word that is no option and no operand (pflag: `--=x`, `---x`).
    BadSyntax(BString),
    /// A value that an option did not accept: its place in the table, the value and the reason.
    Invalid(usize, BString, String),
}

/// What the words say.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Words {
    /// The options in the order given.
    pub occurrences: Vec<Occurrence>,
    /// The operands in the order given.
    pub operands: Vec<BString>,
    /// How many operands stood before `--`.
    pub operands_before_dashes: Option<usize>,
}

/// Decides whether an option accepts a value; the reason is the error's text.
pub type Accept<'a> = &'a dyn Fn(usize, Option<&BStr>) -> Result<(), String>;

/// Reads `words` (without the program's name) by the table `options`.
///
/// `accept` is asked in order, so that the first fault on the line is the one that is reported.
pub fn scan(options: &[Opt], syntax: Syntax, words: &[BString], accept: Accept<'_>) -> Result<Words, Fault> {
    let mut scanner = Scanner { options, syntax, accept, rest: words.iter(), words: Words::default() };
    while let Some(word) = scanner.rest.next() {
        match word.as_slice() {
            b"--" => {
                scanner.words.operands_before_dashes = Some(scanner.words.operands.len());
                scanner.words.operands.extend(scanner.rest.cloned());
                break;
            }
            [b'-', b'-', long @ ..] => scanner.long(long)?,
            [b'-', cluster @ ..] if !cluster.is_empty() => scanner.cluster(cluster)?,
            _ => {
                scanner.words.operands.push(word.clone());
                if syntax.stop_at_operand {
                    scanner.words.operands.extend(scanner.rest.cloned());
                    break;
                }
            }
        }
    }
    Ok(scanner.words)
}

struct Scanner<'a> {
    options: &'a [Opt],
    syntax: Syntax,
    accept: Accept<'a>,
    rest: std::slice::Iter<'a, BString>,
    words: Words,
}

impl Scanner<'_> {
    fn push(&mut self, index: usize, value: Option<&[u8]>, short: bool) -> Result<(), Fault> {
        let value = value.map(BStr::new);
        (self.accept)(index, value)
            .map_err(|reason| Fault::Invalid(index, value.map(ToOwned::to_owned).unwrap_or_default(), reason))?;
        self.words.occurrences.push(Occurrence { index, value: value.map(ToOwned::to_owned), short });
        Ok(())
    }

    fn long(&mut self, word: &[u8]) -> Result<(), Fault> {
        if self.syntax.pflag && matches!(word.first(), Some(b'-' | b'=')) {
            return Err(Fault::BadSyntax([b"--", word].concat().into()));
        }
        let (name, value) = match word.split_once_str("=") {
            Some((name, value)) => (name, Some(value)),
            None => (word, None),
        };
        let (index, option) = self.find_long(name)?;
        let value = match (option.takes, value) {
            (Takes::Nothing, Some(_)) => return Err(Fault::TakesNoValue(option.long.into())),
            (Takes::Value, None) => match self.rest.next() {
                Some(next) => Some(next.as_slice()),
                None => return Err(Fault::LongNeedsValue(option.long.into())),
            },
            (_, value) => value,
        };
        self.push(index, value, false)
    }

    fn find_long(&self, name: &[u8]) -> Result<(usize, Opt), Fault> {
        let named = || self.options.iter().copied().enumerate().filter(|(_, option)| !option.long.is_empty());
        if let Some(found) = named().find(|(_, option)| option.long.as_bytes() == name) {
            return Ok(found);
        }
        if self.syntax.pflag {
            return Err(Fault::UnknownLong(name.into()));
        }
        let mut candidates = named().filter(|(_, option)| option.long.as_bytes().starts_with(name));
        let first = candidates.next().ok_or_else(|| Fault::UnknownLong(name.into()))?;
        let others: Vec<_> = candidates.map(|(_, option)| option).collect();
        // Two names of one option (same letter and arity) are no ambiguity.
        if others.iter().any(|o| first.1.short == '\0' || o.short != first.1.short || o.takes != first.1.takes) {
            let names = std::iter::once(first.1.long).chain(others.iter().map(|o| o.long)).collect();
            return Err(Fault::Ambiguous(name.into(), names));
        }
        Ok(first)
    }

    fn cluster(&mut self, mut cluster: &[u8]) -> Result<(), Fault> {
        if let (Some(letter), true) = (self.syntax.digits, cluster.iter().all(u8::is_ascii_digit)) {
            let index = self.find_short(letter).ok_or_else(|| Fault::UnknownShort(cluster.into()))?;
            return self.push(index, Some(cluster), true);
        }
        while let Some((&letter, tail)) = cluster.split_first() {
            let Some(index) = self.find_short(char::from(letter)) else {
                return Err(Fault::UnknownShort(cluster.into()));
            };
            let takes = self.options.get(index).map_or(Takes::Nothing, |option| option.takes);
            let after_equals = tail.strip_prefix(b"=").filter(|value| self.syntax.pflag && !value.is_empty());
            let value = match (takes, after_equals) {
                (_, Some(value)) => Some(value),
                (Takes::Nothing, None) => None,
                (Takes::Attached, None) => Some(tail).filter(|tail| !self.syntax.pflag && !tail.is_empty()),
                (Takes::Value, None) if !tail.is_empty() => Some(tail),
                (Takes::Value, None) => match self.rest.next() {
                    Some(next) => {
                        self.push(index, Some(next), true)?;
                        return Ok(());
                    }
                    None => return Err(Fault::ShortNeedsValue(cluster.into())),
                },
            };
            self.push(index, value, true)?;
            if value.is_some() {
                return Ok(());
            }
            cluster = tail;
        }
        Ok(())
    }

    fn find_short(&self, letter: char) -> Option<usize> {
        self.options.iter().position(|option| option.short == letter && letter != '\0')
    }
}
