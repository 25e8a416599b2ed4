//! Words: quotes, parameters, substitutions.

use std::rc::Rc;

use bstr::{BString, ByteSlice};

use super::ast::*;
use super::dialect::Dialect;
use super::parse::{Fault, Parse, Parser, is_meta};

/// Where a word ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stop {
    /// At a blank or operator.
    Meta,
    /// At a blank only: the right side of `=~`.
    Blank,
    /// At the `}` of an unquoted `${`.
    Brace,
    /// At the `}` or `/` of an unquoted `${x/`.
    Slash,
    /// At the closing `"`.
    Quote,
    /// At the `}` of a `${` in double quotes.
    QuotedBrace,
    /// At the end of the text.
    End,
}

impl Parser {
    /// The word that stands here, if one does.
    pub(super) fn word(&mut self) -> Parse<Option<Word>> {
        self.skip_blanks();
        let process = self.dialect == Dialect::Bash && matches!(self.rest(), [b'<' | b'>', b'(', ..]);
        if self.at_end() || (is_meta(self.peek()) && !process) {
            return Ok(None);
        }
        Ok(Some(Word { parts: self.parts(Stop::Meta)? }))
    }

    /// Parts of an unquoted word.
    pub(super) fn parts(&mut self, stop: Stop) -> Parse<Vec<Part>> {
        let mut parts = Vec::new();
        let mut text: Vec<u8> = Vec::new();
        let mut parens = 0usize;
        loop {
            if self.at_end() {
                if stop == Stop::Brace || stop == Stop::Slash {
                    return Err(self.error(Fault::Unterminated(b'}')));
                }
                break;
            }
            let byte = self.peek();
            let ends = match stop {
                Stop::Meta => is_meta(byte),
                Stop::Blank => match byte {
                    b'(' => {
                        parens += 1;
                        false
                    }
                    b')' if parens > 0 => {
                        parens -= 1;
                        false
                    }
                    b' ' | b'\t' => parens == 0,
                    _ => matches!(byte, b'\n' | b')'),
                },
                Stop::Brace => byte == b'}',
                Stop::Slash => byte == b'}' || byte == b'/',
                _ => false,
            };
            if ends
                && !(stop == Stop::Meta
                    && self.dialect == Dialect::Bash
                    && matches!(self.rest(), [b'<' | b'>', b'(', ..]))
            {
                break;
            }
            match byte {
                b'<' | b'>' if stop == Stop::Meta => {
                    self.at += 2;
                    flush(&mut parts, &mut text);
                    let list = self.deeper(|p| p.list_until_paren())?;
                    parts.push(Part::Process(byte == b'<', Rc::new(list)));
                }
                b'\\' => {
                    self.at += 1;
                    if self.at_end() {
                        if !self.last {
                            return Err(self.error(Fault::Incomplete("")));
                        }
                        text.push(b'\\');
                    } else if self.peek() == b'\n' {
                        self.bump();
                        if self.at_end() && !self.last {
                            return Err(self.error(Fault::Incomplete("")));
                        }
                    } else {
                        flush(&mut parts, &mut text);
                        let escaped = self.bump();
                        match parts.last_mut() {
                            Some(Part::Quoted(quoted)) => quoted.push(escaped),
                            _ => parts.push(Part::Quoted(vec![escaped].into())),
                        }
                    }
                }
                b'\'' => {
                    flush(&mut parts, &mut text);
                    self.at += 1;
                    let Some(end) = self.rest().find_byte(b'\'') else {
                        return Err(self.error(Fault::Unterminated(b'\'')));
                    };
                    parts.push(Part::Quoted(self.take_text(end)));
                    self.at += 1;
                }
                b'"' => {
                    flush(&mut parts, &mut text);
                    self.at += 1;
                    let inner = self.deeper(|p| p.quoted_parts(Stop::Quote))?;
                    parts.push(Part::Double(inner));
                }
                b'$' if self.peek_at(1) == b'\'' && self.dialect != Dialect::Dash => {
                    flush(&mut parts, &mut text);
                    self.at += 2;
                    parts.push(Part::Quoted(self.ansi_c()?));
                }
                b'$' if self.peek_at(1) == b'"' && self.dialect == Dialect::Bash => self.at += 1,
                b'$' | b'`' => self.dollar(&mut parts, &mut text, false)?,
                _ => text.push(self.bump()),
            }
        }
        flush(&mut parts, &mut text);
        Ok(parts)
    }

    fn take_text(&mut self, len: usize) -> BString {
        let text = self.rest().get(..len).unwrap_or_default().to_vec();
        self.line += u32::try_from(text.iter().filter(|b| **b == b'\n').count()).unwrap_or(0);
        self.at += len;
        text.into()
    }

    /// Parts inside double quotes, a here-document or arithmetic.
    pub(super) fn quoted_parts(&mut self, stop: Stop) -> Parse<Vec<Part>> {
        let mut parts = Vec::new();
        let mut text: Vec<u8> = Vec::new();
        loop {
            if self.at_end() {
                match stop {
                    Stop::Quote => return Err(self.error(Fault::Unterminated(b'"'))),
                    Stop::QuotedBrace => return Err(self.error(Fault::Unterminated(b'}'))),
                    _ => break,
                }
            }
            match self.peek() {
                b'"' if stop == Stop::Quote => {
                    self.at += 1;
                    break;
                }
                b'}' if stop == Stop::QuotedBrace => break,
                b'"' if stop == Stop::QuotedBrace => {
                    flush_quoted(&mut parts, &mut text);
                    self.at += 1;
                    parts.extend(self.deeper(|p| p.quoted_parts(Stop::Quote))?);
                }
                b'\\' => {
                    self.at += 1;
                    match self.peek() {
                        b'\n' => drop(self.bump()),
                        b'$' | b'`' | b'\\' => text.push(self.bump()),
                        b'"' if stop != Stop::End => text.push(self.bump()),
                        b'}' if stop == Stop::QuotedBrace => text.push(self.bump()),
                        _ => text.push(b'\\'),
                    }
                }
                b'$' | b'`' => self.dollar(&mut parts, &mut text, true)?,
                _ => text.push(self.bump()),
            }
        }
        flush_quoted(&mut parts, &mut text);
        Ok(parts)
    }

    fn dollar(&mut self, parts: &mut Vec<Part>, text: &mut Vec<u8>, quoted: bool) -> Parse<()> {
        let save = |parts: &mut Vec<Part>, text: &mut Vec<u8>| {
            if quoted { flush_quoted(parts, text) } else { flush(parts, text) }
        };
        if self.peek() == b'`' {
            save(parts, text);
            self.at += 1;
            let inner = self.backquoted(quoted)?;
            let list = self.deeper(|p| p.sub(&inner).whole())?;
            parts.push(Part::Command(Rc::new(list)));
            return Ok(());
        }
        match self.peek_at(1) {
            b'(' if self.peek_at(2) == b'(' => {
                let start = self.at + 3;
                match self.arith_end(start) {
                    None => return Err(self.error(Fault::Unterminated(b')'))),
                    Some(Ok(end)) => {
                        save(parts, text);
                        let inner = self.src.get(start..end).unwrap_or_default().to_vec();
                        let parsed = self.deeper(|p| p.sub(&inner).quoted_parts(Stop::End))?;
                        self.at = start;
                        self.take_text(end - start);
                        self.at += 2;
                        parts.push(Part::Arith(parsed));
                    }
                    Some(Err(())) => self.command_substitution(parts, text, save)?,
                }
            }
            b'(' => self.command_substitution(parts, text, save)?,
            b'{' => {
                save(parts, text);
                let start = self.at;
                self.at += 2;
                let part = self.deeper(|p| p.braced(start, quoted))?;
                parts.push(part);
            }
            byte if byte == b'_' || byte.is_ascii_alphabetic() => {
                save(parts, text);
                self.at += 1;
                let name = self.name();
                parts.push(param(name, ParamOp::Value));
            }
            byte @ (b'0'..=b'9' | b'@' | b'*' | b'#' | b'?' | b'-' | b'$' | b'!') => {
                save(parts, text);
                self.at += 2;
                parts.push(param(vec![byte].into(), ParamOp::Value));
            }
            _ => {
                self.at += 1;
                text.push(b'$');
            }
        }
        Ok(())
    }

    fn command_substitution(
        &mut self,
        parts: &mut Vec<Part>,
        text: &mut Vec<u8>,
        save: impl Fn(&mut Vec<Part>, &mut Vec<u8>),
    ) -> Parse<()> {
        save(parts, text);
        self.at += 2;
        let list = self.deeper(|p| p.list_until_paren())?;
        parts.push(Part::Command(Rc::new(list)));
        Ok(())
    }

    fn name(&mut self) -> BString {
        let rest = self.rest();
        let len = rest.iter().position(|b| !b.is_ascii_alphanumeric() && *b != b'_').unwrap_or(rest.len());
        self.take_text(len)
    }

    fn backquoted(&mut self, quoted: bool) -> Parse<Vec<u8>> {
        let mut inner = Vec::new();
        loop {
            if self.at_end() {
                return Err(self.error(Fault::Unterminated(b'`')));
            }
            match self.bump() {
                b'`' => return Ok(inner),
                b'\\' => match self.peek() {
                    byte @ (b'`' | b'\\' | b'$') => {
                        inner.push(byte);
                        self.at += 1;
                    }
                    b'"' if quoted => {
                        inner.push(b'"');
                        self.at += 1;
                    }
                    _ => inner.push(b'\\'),
                },
                byte => inner.push(byte),
            }
        }
    }

    /// The inside of `${`, up to and with its `}`.
    fn braced(&mut self, start: usize, quoted: bool) -> Parse<Part> {
        let (length, mut indirect) = match (self.peek(), self.peek_at(1)) {
            (b'#', b'}') => (false, false),
            (b'#', b'?' | b'-' | b'#' | b'$' | b'!') if self.peek_at(2) != b'}' => (false, false),
            (b'#', b':' | b'+' | b'=' | b'%' | b'/') => (false, false),
            (b'#', _) => (true, false),
            (b'!', next) if self.dialect == Dialect::Bash && (next == b'_' || next.is_ascii_alphanumeric()) => {
                (false, true)
            }
            _ => (false, false),
        };
        if length || indirect {
            self.at += 1;
        }
        let name: BString = match self.peek() {
            byte if byte == b'_' || byte.is_ascii_alphabetic() => self.name(),
            b'0'..=b'9' => {
                let len = self.rest().iter().position(|b| !b.is_ascii_digit()).unwrap_or(self.rest().len());
                self.take_text(len)
            }
            b'@' | b'*' | b'#' | b'?' | b'-' | b'$' | b'!' => vec![self.bump()].into(),
            _ => return self.bad(start),
        };
        let mut index = None;
        if self.peek() == b'[' && self.dialect == Dialect::Bash {
            index = Some(self.index()?);
        }
        let (stop, slash) = if quoted { (Stop::QuotedBrace, Stop::QuotedBrace) } else { (Stop::Brace, Stop::Slash) };
        let op = match self.peek() {
            b'}' if length => ParamOp::Length,
            b'}' => ParamOp::Value,
            _ if length => return self.bad(start),
            b'*' | b'@' if indirect && self.peek_at(1) == b'}' => {
                self.at += 1;
                indirect = false;
                ParamOp::Names
            }
            b':' if matches!(self.peek_at(1), b'-' | b'=' | b'+' | b'?') => {
                let op = self.peek_at(1);
                self.at += 2;
                ParamOp::Default { op, null: true, word: self.brace_word(stop)? }
            }
            op @ (b'-' | b'=' | b'+' | b'?') => {
                self.at += 1;
                ParamOp::Default { op, null: false, word: self.brace_word(stop)? }
            }
            op @ (b'#' | b'%') => {
                self.at += 1;
                let longest = self.peek() == op;
                self.at += usize::from(longest);
                // Quotes keep their meaning in a pattern even within double quotes.
                ParamOp::Trim { suffix: op == b'%', longest, pattern: self.brace_word(Stop::Brace)? }
            }
            b'/' if self.dialect != Dialect::Dash => {
                self.at += 1;
                let mode = match self.peek() {
                    mode @ (b'/' | b'#' | b'%') => {
                        self.at += 1;
                        mode
                    }
                    _ => 0,
                };
                let pattern = self.brace_word(Stop::Slash)?;
                let _ = slash;
                let with = if self.peek() == b'/' {
                    self.at += 1;
                    self.brace_word(stop)?
                } else {
                    Word::default()
                };
                ParamOp::Replace { mode, pattern, with }
            }
            b':' if self.dialect != Dialect::Dash => {
                self.at += 1;
                let text = self.until_brace()?;
                let colon = split_colon(&text);
                let parse = |p: &mut Self, text: &[u8]| -> Parse<Word> {
                    Ok(Word { parts: p.sub(text).quoted_parts(Stop::End)? })
                };
                let offset = parse(self, text.get(..colon).unwrap_or_default())?;
                let length = match text.get(colon + 1..) {
                    Some(length) if colon < text.len() => Some(parse(self, length)?),
                    _ => None,
                };
                ParamOp::Slice(offset, length)
            }
            op @ (b'^' | b',') if self.dialect == Dialect::Bash => {
                self.at += 1;
                let all = self.peek() == op;
                self.at += usize::from(all);
                ParamOp::Case { upper: op == b'^', all }
            }
            b'@' if self.dialect == Dialect::Bash && self.peek_at(1).is_ascii_alphabetic() => {
                let op = self.peek_at(1);
                self.at += 2;
                ParamOp::Transform(op)
            }
            0 if self.at_end() => return Err(self.error(Fault::Unterminated(b'}'))),
            _ => return self.bad(start),
        };
        if self.peek() != b'}' {
            return self.bad(start);
        }
        self.at += 1;
        Ok(Part::Param(Box::new(Param { name, index, indirect, op })))
    }

    fn brace_word(&mut self, stop: Stop) -> Parse<Word> {
        let parts = self.deeper(|p| if stop == Stop::QuotedBrace { p.quoted_parts(stop) } else { p.parts(stop) })?;
        Ok(Word { parts })
    }

    /// `[index]`, taken.
    pub(super) fn index(&mut self) -> Parse<Word> {
        let Some(end) = matching(self.rest(), b'[', b']') else {
            return Err(self.error(Fault::Unterminated(b']')));
        };
        let inner = self.rest().get(1..end).unwrap_or_default().to_vec();
        self.take_text(end + 1);
        let parts = self.deeper(|p| {
            let mut sub = p.sub(&inner);
            if matches!(inner.first(), Some(b'"' | b'\'')) { sub.parts(Stop::End) } else { sub.quoted_parts(Stop::End) }
        })?;
        Ok(Word { parts })
    }

    fn until_brace(&mut self) -> Parse<BString> {
        let mut depth = 0usize;
        for (len, byte) in self.rest().iter().enumerate() {
            match byte {
                b'{' => depth += 1,
                b'}' if depth == 0 => return Ok(self.take_text(len)),
                b'}' => depth -= 1,
                _ => {}
            }
        }
        Err(self.error(Fault::Unterminated(b'}')))
    }

    fn bad(&mut self, start: usize) -> Parse<Part> {
        self.until_brace()?;
        self.at += 1;
        Ok(Part::Bad(self.src.get(start..self.at).unwrap_or_default().into()))
    }

    fn ansi_c(&mut self) -> Parse<BString> {
        let mut len = 0;
        loop {
            match self.rest().get(len) {
                None => return Err(self.error(Fault::Unterminated(b'\''))),
                Some(b'\'') => break,
                Some(b'\\') => len += 2,
                Some(_) => len += 1,
            }
        }
        let raw = self.take_text(len);
        self.at += 1;
        Ok(super::escape::unescape(&raw, super::escape::Escapes::AnsiC).0)
    }
}

/// Where the bracket that `text` starts with is closed.
fn matching(text: &[u8], open: u8, close: u8) -> Option<usize> {
    let mut depth = 0usize;
    for (at, byte) in text.iter().enumerate() {
        if *byte == open {
            depth += 1;
        } else if *byte == close {
            depth -= 1;
            if depth == 0 {
                return Some(at);
            }
        } else if *byte == b'\n' {
            return None;
        }
    }
    None
}

/// Where `offset:length` is divided; a `?:` within parentheses or an expression does not count.
fn split_colon(text: &[u8]) -> usize {
    let (mut depth, mut choices) = (0i32, 0i32);
    for (at, byte) in text.iter().enumerate() {
        match byte {
            b'(' | b'{' | b'[' => depth += 1,
            b')' | b'}' | b']' => depth -= 1,
            b'?' if depth == 0 => choices += 1,
            b':' if depth == 0 && choices > 0 => choices -= 1,
            b':' if depth == 0 => return at,
            _ => {}
        }
    }
    text.len()
}

pub(super) fn param(name: BString, op: ParamOp) -> Part {
    Part::Param(Box::new(Param { name, index: None, indirect: false, op }))
}

fn flush(parts: &mut Vec<Part>, text: &mut Vec<u8>) {
    if !text.is_empty() {
        parts.push(Part::Literal(std::mem::take(text).into()));
    }
}

fn flush_quoted(parts: &mut Vec<Part>, text: &mut Vec<u8>) {
    if !text.is_empty() {
        parts.push(Part::Quoted(std::mem::take(text).into()));
    }
}
