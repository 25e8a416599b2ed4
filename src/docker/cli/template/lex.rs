//! Words of a template (Go `text/template/parse/lex.go`).

/// A word.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// Text outside of actions.
    Text(String),
    /// `{{`.
    Left,
    /// `}}`.
    Right,
    /// A blank between arguments.
    Space,
    /// `.`.
    Dot,
    /// `.Name`, without the dot.
    Field(String),
    /// `$x`, `$`.
    Variable(String),
    /// A function's name or a keyword.
    Word(String),
    /// A number as written.
    Number(String),
    /// A string as written, with its quotes.
    Quoted(String),
    /// A character constant as written.
    Char(String),
    /// `|`, `(`, `)`, `,`, `=` or another character.
    Mark(char),
    /// `:=`.
    Declare,
    /// An error.
    Error(String),
    /// The end of the text.
    End,
}

/// A word with the byte that it starts at.
pub(super) type Placed = (Token, usize);

pub(super) fn lex(text: &str) -> Vec<Placed> {
    let mut lexer = Lexer { text, at: 0, out: Vec::new(), parens: 0 };
    if let Err(message) = lexer.text() {
        lexer.out.push((Token::Error(message), lexer.at));
    }
    lexer.out.push((Token::End, text.len()));
    lexer.out
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    out: Vec<Placed>,
    parens: usize,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn push(&mut self, token: Token, length: usize) {
        self.out.push((token, self.at));
        self.at += length;
    }

    fn text(&mut self) -> Result<(), String> {
        let mut trim = false;
        loop {
            let rest = self.rest();
            let start = rest.find("{{");
            let mut text = rest.get(..start.unwrap_or(rest.len())).unwrap_or("");
            let length = text.len();
            let trim_next = start.and_then(|start| rest.get(start + 2..)).is_some_and(is_left_trim);
            if trim {
                text = text.trim_start_matches(BLANKS);
            }
            if trim_next {
                text = text.trim_end_matches(BLANKS);
            }
            if !text.is_empty() {
                self.out.push((Token::Text(text.to_owned()), self.at));
            }
            self.at += length;
            if start.is_none() {
                return Ok(());
            }
            let left = if trim_next { 4 } else { 2 };
            let inside = self.rest().get(left..).unwrap_or("");
            if inside.starts_with("/*") {
                trim = self.comment(left)?;
                continue;
            }
            self.push(Token::Left, left);
            self.parens = 0;
            trim = self.action()?;
        }
    }

    fn comment(&mut self, left: usize) -> Result<bool, String> {
        let rest = self.rest();
        let inside = rest.get(left + 2..).unwrap_or("");
        let end = inside.find("*/").ok_or("unclosed comment")?;
        let after = inside.get(end + 2..).unwrap_or("");
        let (length, trim) = match after {
            _ if after.starts_with("}}") => (2, false),
            _ if is_right_trim(after) => (4, true),
            _ => return Err("comment ends before closing delimiter".to_owned()),
        };
        self.at += left + 2 + end + 2 + length;
        Ok(trim)
    }

    /// Up to `}}`; tells whether the text behind it is to be trimmed.
    fn action(&mut self) -> Result<bool, String> {
        loop {
            let rest = self.rest();
            let right_trim = is_right_trim(rest);
            if right_trim || rest.starts_with("}}") {
                if self.parens > 0 {
                    return Err("unclosed left paren".to_owned());
                }
                self.push(Token::Right, if right_trim { 4 } else { 2 });
                return Ok(right_trim);
            }
            let Some(c) = rest.chars().next() else { return Err("unclosed action".to_owned()) };
            match c {
                ' ' | '\t' | '\r' | '\n' => {
                    let mut length = rest.len() - rest.trim_start_matches(BLANKS).len();
                    // A blank before `-}}` belongs to it.
                    if length > 1 && is_right_trim(rest.get(length - 1..).unwrap_or("")) {
                        length -= 1;
                    }
                    self.push(Token::Space, length);
                }
                ':' if rest.starts_with(":=") => self.push(Token::Declare, 2),
                ':' => return Err("expected :=".to_owned()),
                '"' => self.quoted()?,
                '`' => {
                    let end = rest.get(1..).unwrap_or("").find('`').ok_or("unterminated raw quoted string")?;
                    self.push(Token::Quoted(rest.get(..end + 2).unwrap_or("").to_owned()), end + 2);
                }
                '\'' => self.character()?,
                '.' if !rest.get(1..).unwrap_or("").starts_with(|c: char| c.is_ascii_digit()) => {
                    let name = word(rest.get(1..).unwrap_or(""));
                    self.named(Token::Dot, Token::Field, name, 1)?;
                }
                '$' => {
                    let name = word(rest.get(1..).unwrap_or(""));
                    let full = rest.get(..name.len() + 1).unwrap_or("").to_owned();
                    self.terminated(name.len() + 1)?;
                    self.push(Token::Variable(full), name.len() + 1);
                }
                '(' => {
                    self.parens += 1;
                    self.push(Token::Mark('('), 1);
                }
                ')' => {
                    self.parens = self.parens.checked_sub(1).ok_or("unexpected right paren")?;
                    self.push(Token::Mark(')'), 1);
                }
                '+' | '-' | '.' | '0'..='9' => self.number()?,
                c if is_word(c) => {
                    let name = word(rest);
                    self.named(Token::Dot, Token::Word, name, 0)?;
                }
                c if c.is_ascii_graphic() => self.push(Token::Mark(c), 1),
                c => return Err(format!("unrecognized character in action: {}", unicode(c))),
            }
        }
    }

    fn named(
        &mut self,
        bare: Token,
        full: impl FnOnce(String) -> Token,
        name: &str,
        prefix: usize,
    ) -> Result<(), String> {
        let length = name.len() + prefix;
        if name.is_empty() {
            self.push(bare, length);
            return Ok(());
        }
        self.terminated(length)?;
        self.push(full(name.to_owned()), length);
        Ok(())
    }

    /// Names end at blanks, at the action's end and at a few marks.
    fn terminated(&self, length: usize) -> Result<(), String> {
        let rest = self.rest().get(length..).unwrap_or("");
        match rest.chars().next() {
            None => Ok(()),
            Some(' ' | '\t' | '\r' | '\n' | '.' | ',' | '|' | ':' | ')' | '(' | '=') => Ok(()),
            Some(_) if rest.starts_with("}}") => Ok(()),
            Some(c) => Err(format!("bad character {}", unicode(c))),
        }
    }

    fn quoted(&mut self) -> Result<(), String> {
        let rest = self.rest();
        let mut escaped = false;
        for (index, c) in rest.char_indices().skip(1) {
            match c {
                '\n' => break,
                '"' if !escaped => {
                    self.push(Token::Quoted(rest.get(..=index).unwrap_or("").to_owned()), index + 1);
                    return Ok(());
                }
                _ => escaped = c == '\\' && !escaped,
            }
        }
        Err("unterminated quoted string".to_owned())
    }

    fn character(&mut self) -> Result<(), String> {
        let rest = self.rest();
        let mut escaped = false;
        for (index, c) in rest.char_indices().skip(1) {
            match c {
                '\n' => break,
                '\'' if !escaped => {
                    self.push(Token::Char(rest.get(..=index).unwrap_or("").to_owned()), index + 1);
                    return Ok(());
                }
                _ => escaped = c == '\\' && !escaped,
            }
        }
        Err("unterminated character constant".to_owned())
    }

    fn number(&mut self) -> Result<(), String> {
        let rest = self.rest();
        let unsigned = rest.trim_start_matches(['+', '-']);
        let sign = (rest.len() - unsigned.len()).min(1);
        let body = rest.get(sign..).unwrap_or("");
        let hex = body.starts_with("0x") || body.starts_with("0X");
        let digits = |c: char| if hex { c.is_ascii_hexdigit() || c == '_' } else { c.is_ascii_digit() || c == '_' };
        let mut length = sign + if hex { 2 } else { 0 };
        let mut accept = |set: &dyn Fn(char) -> bool, most: usize| {
            let tail = rest.get(length..).unwrap_or("");
            let end = tail.char_indices().take_while(|(i, c)| *i < most && set(*c)).count();
            length += end;
            end
        };
        accept(&digits, usize::MAX);
        if accept(&|c| c == '.', 1) == 1 {
            accept(&digits, usize::MAX);
        }
        if !hex && accept(&|c| matches!(c, 'e' | 'E'), 1) == 1 {
            accept(&|c| matches!(c, '+' | '-'), 1);
            accept(&|c| c.is_ascii_digit(), usize::MAX);
        }
        let tail = rest.get(length..).unwrap_or("");
        if let Some(next) = tail.chars().next().filter(|c| is_word(*c)) {
            let bad = rest.get(..length + next.len_utf8()).unwrap_or("");
            return Err(format!("bad number syntax: {}", quote(bad)));
        }
        self.push(Token::Number(rest.get(..length).unwrap_or("").to_owned()), length);
        Ok(())
    }
}

const BLANKS: [char; 4] = [' ', '\t', '\r', '\n'];

fn is_left_trim(inside: &str) -> bool {
    inside.strip_prefix('-').is_some_and(|rest| rest.starts_with(BLANKS))
}

fn is_right_trim(rest: &str) -> bool {
    rest.strip_prefix(BLANKS).is_some_and(|rest| rest.starts_with("-}}"))
}

fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

fn word(text: &str) -> &str {
    let end = text.find(|c: char| !is_word(c)).unwrap_or(text.len());
    text.get(..end).unwrap_or("")
}

/// Go's `%#U`.
fn unicode(c: char) -> String {
    format!("U+{:04X} '{c}'", u32::from(c))
}

/// Go's `%q` of a string.
pub(super) fn quote(text: &str) -> String {
    crate::os::args::pflag::go_quote(text.as_bytes())
}
