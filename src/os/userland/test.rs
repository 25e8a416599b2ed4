//! `test` and `[`.

use bstr::BString;

use super::program::{number, text};
use crate::base::path;
use crate::os::fs::node::Kind;
use crate::os::kernel::Proc;

/// `test` and `[`: told apart by name.
pub async fn main(proc: Proc) -> i32 {
    let args = proc.args();
    let called = args.first().map(|a| path::file_name(a).to_owned()).unwrap_or_default();
    let mut words: Vec<BString> = args.into_iter().skip(1).collect();
    if called == "[" && words.pop().is_none_or(|last| last != "]") {
        proc.eprint("[: missing ']'\n").await;
        return 2;
    }
    let mut parser = Parser { proc: &proc, words: &words, at: 0, depth: 0 };
    let value = match words.as_slice() {
        [] => Ok(false),
        // One word is true unless it is empty, whatever it says.
        [only] => Ok(!only.is_empty()),
        _ => parser.or().and_then(|value| match parser.words.get(parser.at) {
            None => Ok(value),
            Some(extra) => Err(format!("extra argument '{extra}'")),
        }),
    };
    match value {
        Ok(value) => i32::from(!value),
        Err(message) => {
            proc.eprint(format!("{called}: {message}\n")).await;
            2
        }
    }
}

struct Parser<'a> {
    proc: &'a Proc,
    words: &'a [BString],
    at: usize,
    depth: usize,
}

impl Parser<'_> {
    fn is(&self, offset: usize, word: &str) -> bool {
        self.words.get(self.at + offset).is_some_and(|w| w == word)
    }

    fn or(&mut self) -> Result<bool, String> {
        let mut value = self.and()?;
        while self.is(0, "-o") {
            self.at += 1;
            value |= self.and()?;
        }
        Ok(value)
    }

    fn and(&mut self) -> Result<bool, String> {
        let mut value = self.not()?;
        while self.is(0, "-a") {
            self.at += 1;
            value &= self.not()?;
        }
        Ok(value)
    }

    fn not(&mut self) -> Result<bool, String> {
        self.depth += 1;
        if self.depth > 200 {
            return Err("too many arguments".to_owned());
        }
        if self.is(0, "!") && self.words.len() > self.at + 1 {
            self.at += 1;
            return Ok(!self.not()?);
        }
        if self.is(0, "(") {
            self.at += 1;
            let value = self.or()?;
            if !self.is(0, ")") {
                return Err("')' expected".to_owned());
            }
            self.at += 1;
            return Ok(value);
        }
        self.primary()
    }

    fn primary(&mut self) -> Result<bool, String> {
        let word = |offset: usize| self.words.get(self.at + offset).cloned();
        let Some(first) = word(0) else { return Err("argument expected".to_owned()) };
        if let (Some(op), Some(second)) = (word(1), word(2))
            && let Some(value) = self.binary(&first, &text(&op), &second)?
        {
            self.at += 3;
            return Ok(value);
        }
        if let Some(operand) = word(1)
            && let [b'-', letter] = first.as_slice()
            && let Some(value) = self.unary(*letter, &operand)
        {
            self.at += 2;
            return Ok(value);
        }
        if first.len() == 2 && first.starts_with(b"-") && word(1).is_some() {
            return Err(format!("'{first}': unary operator expected"));
        }
        self.at += 1;
        Ok(!first.is_empty())
    }

    fn binary(&self, a: &BString, op: &str, b: &BString) -> Result<Option<bool>, String> {
        let integer = |w: &BString| number::<i64>(w.trim_ascii()).ok_or_else(|| format!("invalid integer '{w}'"));
        let mtime = |p: &BString| self.proc.stat(p).ok().map(|s| s.meta.mtime);
        let id = |p: &BString| self.proc.stat(p).ok().map(|s| (s.dev, s.ino));
        Ok(Some(match op {
            "=" | "==" => a == b,
            "!=" => a != b,
            "<" => a < b,
            ">" => a > b,
            "-eq" => integer(a)? == integer(b)?,
            "-ne" => integer(a)? != integer(b)?,
            "-lt" => integer(a)? < integer(b)?,
            "-le" => integer(a)? <= integer(b)?,
            "-gt" => integer(a)? > integer(b)?,
            "-ge" => integer(a)? >= integer(b)?,
            "-nt" => mtime(a) > mtime(b),
            "-ot" => mtime(a) < mtime(b),
            "-ef" => id(a).is_some() && id(a) == id(b),
            _ => return Ok(None),
        }))
    }

    fn unary(&self, letter: u8, operand: &BString) -> Option<bool> {
        let stat = || self.proc.stat(operand).ok();
        let kind = |kind: Kind| stat().is_some_and(|s| s.kind == kind);
        let bit = |bit: u32| stat().is_some_and(|s| s.meta.mode & bit != 0);
        Some(match letter {
            b'n' => !operand.is_empty(),
            b'z' => operand.is_empty(),
            b'e' => stat().is_some(),
            b'f' => kind(Kind::File),
            b'd' => kind(Kind::Dir),
            b'p' => kind(Kind::Fifo),
            b'S' => kind(Kind::Socket),
            b'c' => kind(Kind::CharDevice),
            b'b' => kind(Kind::BlockDevice),
            b'h' | b'L' => self.proc.lstat(operand).is_ok_and(|s| s.kind == Kind::Symlink),
            b's' => stat().is_some_and(|s| s.size_bytes > 0),
            b'r' => self.proc.access(operand, 4).is_ok(),
            b'w' => self.proc.access(operand, 2).is_ok(),
            b'x' => self.proc.access(operand, 1).is_ok(),
            b'u' => bit(0o4000),
            b'g' => bit(0o2000),
            b'k' => bit(0o1000),
            b'O' => stat().is_some_and(|s| s.meta.uid == self.proc.cred().uid),
            b'G' => stat().is_some_and(|s| s.meta.gid == self.proc.cred().gid),
            b't' => number(operand).is_some_and(|fd| self.proc.tty_of(fd).is_some()),
            _ => return None,
        })
    }
}
