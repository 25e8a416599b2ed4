//! What each piece of a command line means: programs, docker's commands, every flag and its value, names, operators.
//!
//! A line of a terminal (with its prompt), a command of a lesson or an instruction of a Dockerfile goes in, pieces with their
//! places come out ([`gloss`]). Flags and usage come from the tables with which the client parses, so that what is explained
//! is what runs; what a name stands for just now comes from the picture.

mod docker;
mod dockerfile;
mod shell;
mod split;

use crate::base::sort::Arrange;
use std::ops::Range;

use super::picture::Picture;
use super::texts::Language;
use super::texts::gloss::GlossTexts;

/// An explained piece of a line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Piece {
    /// Where it stands, in bytes of the line.
    pub range: Range<usize>,
    /// What it is: `-t, --tty`.
    pub title: String,
    /// Docker's own words about it; empty when it is not Docker's.
    pub docker: &'static str,
    /// Ours, a sentence each.
    pub says: Vec<String>,
}

/// Lines longer than this are not explained.
const MAX_BYTES: usize = 4000;

/// The pieces of a line, in their order. Nothing for what is no command: `is_command` says whether the whole line is one; a
/// line of a terminal is one behind its prompt.
pub fn gloss(line: &str, is_command: bool, picture: &Picture, language: Language) -> Vec<Piece> {
    if line.len() > MAX_BYTES {
        return Vec::new();
    }
    let mut found = Found::new(picture, language);
    if let Some(at) = prompt(line) {
        shell::line(&mut found, line.get(at..).unwrap_or_default(), at);
    } else if dockerfile::is_instruction(line) {
        dockerfile::line(&mut found, line);
    } else if is_command || starts_with_docker(line) {
        shell::line(&mut found, line, 0);
    }
    // Letters of a flag are counted without its quotes: with some inside, a place may fall into a character.
    for Range { start, end } in found.pieces.iter_mut().map(|piece| &mut piece.range) {
        *start = line.floor_char_boundary(*start);
        *end = line.ceil_char_boundary(*end);
    }
    found.pieces.retain(|piece| !piece.range.is_empty());
    found.pieces.arrange_by_key(|piece| piece.range.start);
    found.pieces
}

/// What of a command line the shell or the client cannot take for anything, and what is known in its place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Slip {
    /// Where it stands, in bytes of the line.
    pub range: Range<usize>,
    /// What it was taken for.
    pub kind: SlipKind,
    /// What was typed.
    pub wrong: String,
    /// The names that are known there.
    pub names: Vec<String>,
}

/// What an unknown word was taken for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SlipKind {
    /// A program.
    Program,
    /// A command of docker or of one of its nouns.
    Command,
    /// A flag of this command.
    Flag(String),
}

/// The slips of a command, the first one first.
pub fn slips(command: &str, picture: &Picture) -> Vec<Slip> {
    let mut found = Found::new(picture, Language::English);
    if command.len() <= MAX_BYTES {
        shell::line(&mut found, command, 0);
    }
    found.slips.retain(|slip| command.is_char_boundary(slip.range.start) && command.is_char_boundary(slip.range.end));
    found.slips.arrange_by_key(|slip| slip.range.start);
    found.slips
}

/// The piece at a place of the line.
pub fn piece_at(pieces: &[Piece], byte: usize) -> Option<&Piece> {
    pieces.iter().filter(|piece| piece.range.contains(&byte)).min_by_key(|piece| piece.range.len())
}

/// Where the command begins behind a prompt (`root@8f1c:/# `, `~ $ `, `> `).
pub fn prompt(line: &str) -> Option<usize> {
    let end = |text: &str| text.ends_with(['$', '#', '>', '%']);
    let (first, rest) = line.split_once(' ')?;
    let is_place = |text: &str| text.starts_with(['/', '~']);
    if end(first) && (first.len() == 1 || first.contains(['@', '/', '~', ':']) || first.contains('$')) {
        return (!first.contains(['"', '\'', '=', '<'])).then_some(first.len() + 1);
    }
    let (second, _) = rest.split_once(' ')?;
    (is_place(first) && second.len() == 1 && end(second)).then_some(first.len() + second.len() + 2)
}

fn starts_with_docker(line: &str) -> bool {
    let mut words = line.split_whitespace();
    let first = words.next().unwrap_or_default();
    first == "docker" && words.next().is_some_and(|word| word.starts_with(|c: char| c.is_ascii_lowercase() || c == '-'))
}

/// What was found so far, and what it is explained with.
struct Found<'a> {
    pieces: Vec<Piece>,
    slips: Vec<Slip>,
    picture: &'a Picture,
    texts: &'static GlossTexts,
    language: Language,
}

impl<'a> Found<'a> {
    fn new(picture: &'a Picture, language: Language) -> Self {
        Self { pieces: Vec::new(), slips: Vec::new(), picture, texts: language.gloss(), language }
    }

    fn slip<'n>(&mut self, range: Range<usize>, kind: SlipKind, wrong: &str, names: impl Iterator<Item = &'n str>) {
        self.slips.push(Slip { range, kind, wrong: wrong.to_owned(), names: names.map(str::to_owned).collect() });
    }

    fn add(&mut self, range: Range<usize>, title: impl Into<String>, docker: &'static str, says: Vec<String>) {
        if !range.is_empty() {
            let says = says.into_iter().filter(|text| !text.is_empty()).collect();
            self.pieces.push(Piece { range, title: title.into(), docker, says });
        }
    }
}

#[cfg(test)]
mod tests;
