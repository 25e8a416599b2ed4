//! From bytes to the syntax tree: a recursive-descent parser for POSIX `sh` and the parts of bash in daily use.
//!
//! It reads one line (with whatever that line needs to be complete) at a time, as shells do, so that earlier lines run
//! before later ones are read. Nesting is bounded, every scan is linear and nothing is retried, so hostile input ends in
//! a syntax error soon. (`brush-parser` was tried first: its word grammar takes time exponential in the depth of
//! unclosed `$((`: 30 bytes take seconds. It also reads text only, not bytes.)
//! Words in quotes, here-documents and arithmetic are in `parse_word.rs`, commands in `parse_command.rs`.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use bstr::{BString, ByteSlice};

use super::ast::*;
use super::dialect::Dialect;

/// How deep commands, quotes and substitutions may be nested.
pub(super) const MAX_DEPTH: u32 = 60;

/// Why a text is not a command.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fault {
    /// More lines are needed; what is missing, if it has a name.
    Incomplete(&'static str),
    /// A quote or bracket without its other half.
    Unterminated(u8),
    /// A word or operator where there can be none.
    Unexpected(BString),
    /// Too deeply nested.
    TooDeep,
}

/// A fault and the line it was found on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SyntaxError {
    /// What is wrong.
    pub fault: Fault,
    /// The line, from 1.
    pub line: u32,
    /// That line's text.
    pub text: BString,
}

impl SyntaxError {
    /// Whether further lines could make it a command.
    pub fn is_incomplete(&self) -> bool {
        matches!(self.fault, Fault::Incomplete(_) | Fault::Unterminated(_))
    }
}

pub(super) type Parse<T> = Result<T, SyntaxError>;

pub(super) struct PendingDoc {
    pub delimiter: BString,
    pub quoted: bool,
    pub strip_tabs: bool,
    pub body: Rc<OnceCell<Word>>,
}

/// A parser over a text that is read line by line.
pub struct Parser {
    pub(super) src: Vec<u8>,
    pub(super) at: usize,
    pub(super) line: u32,
    pub(super) depth: u32,
    pub(super) dialect: Dialect,
    pub(super) pending: Vec<PendingDoc>,
    pub(super) aliases: Option<Rc<BTreeMap<BString, BString>>>,
    /// Aliases being expanded, with the distance from the end of the source at which each ends.
    pub(super) expanding: Vec<(BString, usize)>,
    /// At the end of the source a here-document ends too (else more lines are asked for).
    pub(super) last: bool,
    /// A reserved word or command may follow an alias that ended in a blank.
    pub(super) alias_next: bool,
    /// The source ends with a backslash before its last newline.
    continued: bool,
}

/// Operators, longest first.
const OPERATORS: &[&str] = &[
    "&>>", "<<<", "<<-", ";;&", "&&", "||", ";;", ";&", "<<", ">>", "<&", ">&", "<>", ">|", "&>", "|&", "&", "|", ";",
    "<", ">", "(", ")", "\n",
];
/// Those that only bash has.
const BASH_OPERATORS: &[&str] = &["&>>", "<<<", ";;&", ";&", "&>", "|&"];

/// Whether a byte ends an unquoted word.
pub(super) const fn is_meta(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b';' | b'&' | b'|' | b'<' | b'>' | b'(' | b')' | 0)
}

/// Whether bytes are a variable's name.
pub fn is_name(text: &[u8]) -> bool {
    text.first().is_some_and(|b| b.is_ascii_alphabetic() || *b == b'_')
        && text.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'_')
}

impl Parser {
    /// A parser over `src`. NUL bytes are dropped, as bash drops them. With `last`, no more lines can come.
    pub fn new(src: &[u8], dialect: Dialect, aliases: Option<Rc<BTreeMap<BString, BString>>>, last: bool) -> Self {
        let src = src.iter().copied().filter(|b| *b != 0).collect();
        Self {
            src,
            at: 0,
            line: 1,
            depth: 0,
            dialect,
            pending: Vec::new(),
            aliases,
            expanding: Vec::new(),
            last,
            alias_next: false,
            continued: false,
        }
    }

    /// Starts counting lines at `line`.
    pub const fn at_line(mut self, line: u32) -> Self {
        self.line = line;
        self
    }

    /// Whether the source ended with a backslash before its last newline, and more lines can come.
    pub const fn asks_for_more(&self) -> bool {
        self.continued && !self.last
    }

    /// The line that comes next, from 1.
    pub const fn line(&self) -> u32 {
        self.line
    }

    pub(super) fn sub(&self, src: &[u8]) -> Parser {
        let mut sub = Parser::new(src, self.dialect, self.aliases.clone(), true).at_line(self.line);
        sub.depth = self.depth;
        sub
    }

    /// Changes the aliases for the lines to come.
    pub fn set_aliases(&mut self, aliases: Option<Rc<BTreeMap<BString, BString>>>) {
        self.aliases = aliases;
    }

    /// The commands of the next line; `None` at the end.
    ///
    /// # Errors
    /// A syntax error, which may be that more lines are needed.
    pub fn next_line(&mut self) -> Parse<Option<List>> {
        self.skip_newlines()?;
        if self.at_end() {
            return Ok(None);
        }
        let mut list = List::default();
        loop {
            list.items.push(Rc::new(self.and_or()?));
            match self.operator() {
                Some("\n") => {
                    self.newline()?;
                    break;
                }
                Some(";" | "&") => {
                    let background = self.operator() == Some("&");
                    if let Some(item) = list.items.last_mut().and_then(Rc::get_mut) {
                        item.background = background;
                    }
                    self.at += 1;
                    self.skip_blanks();
                    if self.operator() == Some("\n") {
                        self.newline()?;
                        break;
                    }
                }
                None if self.at_end() => break,
                _ => return Err(self.unexpected()),
            }
            if self.at_end() {
                break;
            }
        }
        if !self.pending.is_empty() {
            self.read_here_documents()?;
        }
        Ok(Some(list))
    }

    /// Whether all of the text has been read.
    pub fn is_done(&mut self) -> bool {
        self.rest().iter().all(u8::is_ascii_whitespace)
    }

    pub(super) fn at_end(&self) -> bool {
        self.at >= self.src.len()
    }

    pub(super) fn peek(&self) -> u8 {
        self.peek_at(0)
    }

    pub(super) fn peek_at(&self, ahead: usize) -> u8 {
        self.src.get(self.at + ahead).copied().unwrap_or(0)
    }

    pub(super) fn rest(&self) -> &[u8] {
        self.src.get(self.at..).unwrap_or_default()
    }

    pub(super) fn bump(&mut self) -> u8 {
        let byte = self.peek();
        if byte == b'\n' {
            self.line += 1;
        }
        self.at = (self.at + 1).min(self.src.len());
        byte
    }

    pub(super) fn error(&self, fault: Fault) -> SyntaxError {
        SyntaxError { fault, line: self.line, text: self.current_line() }
    }

    fn current_line(&self) -> BString {
        let at = self.at.min(self.src.len());
        let start = self.src.get(..at).and_then(|head| head.rfind_byte(b'\n')).map_or(0, |found| found + 1);
        let end = self.src.get(at..).and_then(|tail| tail.find_byte(b'\n')).map_or(self.src.len(), |found| at + found);
        let line = self.src.get(start..end).unwrap_or_default();
        line.get(..line.len().min(4096)).unwrap_or_default().into()
    }

    /// The error for what stands here.
    pub(super) fn unexpected(&mut self) -> SyntaxError {
        self.skip_blanks();
        if self.at_end() {
            return self.error(Fault::Incomplete(""));
        }
        let token: BString = match self.operator() {
            Some("\n") => "newline".into(),
            Some(op) => op.into(),
            None => {
                let end = self.rest().iter().position(|b| is_meta(*b)).unwrap_or(self.rest().len()).min(200);
                self.rest().get(..end).unwrap_or_default().into()
            }
        };
        self.error(Fault::Unexpected(token))
    }

    pub(super) fn skip_blanks(&mut self) {
        loop {
            match self.peek() {
                b' ' | b'\t' => self.at += 1,
                b'\\' if self.peek_at(1) == b'\n' => {
                    self.at += 2;
                    self.line += 1;
                    self.continued = self.at_end();
                }
                b'#' => {
                    let end = self.rest().find_byte(b'\n').unwrap_or(self.rest().len());
                    self.at += end;
                }
                _ => return,
            }
        }
    }

    pub(super) fn skip_newlines(&mut self) -> Parse<()> {
        loop {
            self.skip_blanks();
            if self.peek() != b'\n' || self.at_end() {
                return Ok(());
            }
            self.newline()?;
        }
    }

    pub(super) fn newline(&mut self) -> Parse<()> {
        self.bump();
        self.read_here_documents()
    }

    /// The operator that stands here.
    pub(super) fn operator(&self) -> Option<&'static str> {
        let rest = self.rest();
        OPERATORS
            .iter()
            .copied()
            .find(|op| rest.starts_with(op.as_bytes()) && (self.dialect.is_bash() || !BASH_OPERATORS.contains(op)))
    }

    /// Takes the operator if it stands here.
    pub(super) fn take(&mut self, op: &str) -> bool {
        self.skip_blanks();
        let found = self.operator() == Some(op);
        if found {
            self.at += op.len();
        }
        found
    }

    /// The unquoted plain word that stands here, not taken.
    pub(super) fn peek_plain(&self) -> &[u8] {
        let rest = self.rest();
        let end = rest.iter().position(|b| is_meta(*b)).unwrap_or(rest.len());
        let word = rest.get(..end).unwrap_or_default();
        if word.iter().any(|b| matches!(b, b'\\' | b'\'' | b'"' | b'$' | b'`')) { b"" } else { word }
    }

    pub(super) fn deeper<T>(&mut self, with: impl FnOnce(&mut Self) -> Parse<T>) -> Parse<T> {
        if self.depth >= MAX_DEPTH {
            return Err(self.error(Fault::TooDeep));
        }
        self.depth += 1;
        let result = with(self);
        self.depth -= 1;
        result
    }

    /// Reads the texts of the here-documents begun on the line before.
    pub(super) fn read_here_documents(&mut self) -> Parse<()> {
        for doc in std::mem::take(&mut self.pending) {
            let mut body = Vec::new();
            let first_line = self.line;
            loop {
                if self.at_end() {
                    if self.last {
                        break;
                    }
                    return Err(self.error(Fault::Incomplete("here-document")));
                }
                let end = self.rest().find_byte(b'\n');
                let has_newline = end.is_some();
                let mut line = self.rest().get(..end.unwrap_or(self.rest().len())).unwrap_or_default().to_vec();
                self.at += line.len() + usize::from(has_newline);
                self.line += 1;
                if doc.strip_tabs {
                    let tabs = line.iter().take_while(|b| **b == b'\t').count();
                    line.drain(..tabs);
                }
                if line == *doc.delimiter {
                    break;
                }
                body.extend_from_slice(&line);
                if has_newline {
                    body.push(b'\n');
                } else if !self.last {
                    return Err(self.error(Fault::Incomplete("here-document")));
                }
            }
            let word = if doc.quoted {
                Word::quoted(body)
            } else {
                let mut sub = self.sub(&body).at_line(first_line);
                Word { parts: sub.quoted_parts(super::parse_word::Stop::End)? }
            };
            let _ = doc.body.set(word);
        }
        Ok(())
    }

    /// Whether `((` here closes with `))`, so that it is arithmetic and not a subshell in a subshell; where the inner text
    /// ends. `None` when it never closes.
    pub(super) fn arith_end(&self, from: usize) -> Option<Result<usize, ()>> {
        let mut depth = 0usize;
        let mut at = from;
        while let Some(byte) = self.src.get(at) {
            match byte {
                b'\\' => at += 1,
                b'\'' => at += self.src.get(at + 1..)?.find_byte(b'\'')? + 1,
                b'(' => depth += 1,
                b')' if depth == 0 => {
                    return Some(if self.src.get(at + 1) == Some(&b')') { Ok(at) } else { Err(()) });
                }
                b')' => depth -= 1,
                _ => {}
            }
            at += 1;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backslash_before_the_last_newline_asks_for_more() {
        let parsed = |text: &str, last: bool| {
            let mut parser = Parser::new(text.as_bytes(), Dialect::Bash, None, last);
            loop {
                match parser.next_line() {
                    Ok(Some(_)) => {}
                    Ok(None) if parser.asks_for_more() => return Err(true),
                    Ok(None) => return Ok(()),
                    Err(error) => return Err(error.is_incomplete()),
                }
            }
        };
        for text in ["echo a \\\n", "echo a\\\n", "\\\n", "echo a | \\\n", "echo a; \\\n", "echo 'a\\\n"] {
            assert_eq!(parsed(text, false), Err(true), "{text:?}");
        }
        for text in ["echo a \\\n b\n", "echo a\\\nb\n", "echo a # \\\n", "echo 'a\\\n'\n", "echo a \\\\\n"] {
            assert_eq!(parsed(text, false), Ok(()), "{text:?}");
        }
        assert_eq!(parsed("echo a \\\n", true), Ok(()));
    }
}
