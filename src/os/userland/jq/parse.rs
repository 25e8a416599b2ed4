//! The grammar of jq.

use serde_json::Value;

use super::DEPTH;

/// A filter that was read.
#[derive(Clone, Debug)]
pub(super) enum Filter {
    Identity,
    Recurse,
    Literal(Value),
    Variable(String),
    /// `.a`, `."a"`, `.[expr]`: of what, the key, whether errors are left out.
    Index(Box<Filter>, Box<Filter>),
    Slice(Box<Filter>, Option<Box<Filter>>, Option<Box<Filter>>),
    Each(Box<Filter>),
    Try(Box<Filter>),
    Pipe(Box<Filter>, Box<Filter>),
    Comma(Box<Filter>, Box<Filter>),
    Binary(&'static str, Box<Filter>, Box<Filter>),
    Negative(Box<Filter>),
    List(Option<Box<Filter>>),
    Object(Vec<(Filter, Filter)>),
    If(Vec<(Filter, Filter)>, Box<Filter>),
    /// Pieces of text with values between them.
    Text(Vec<Filter>),
    Format(String),
    Call(String, Vec<Filter>),
}

struct Parser<'a> {
    rest: &'a str,
    depth: usize,
}

type Parsed = Result<Filter, String>;

/// Reads a filter; the error is the reason.
pub(super) fn parse(program: &str) -> Parsed {
    let mut parser = Parser { rest: program, depth: 0 };
    parser.blank();
    if parser.rest.is_empty() {
        return Ok(Filter::Identity);
    }
    let filter = parser.pipe()?;
    parser.blank();
    if parser.rest.is_empty() { Ok(filter) } else { Err(parser.unexpected()) }
}

/// Operators from the weakest to the strongest.
const OPERATORS: [&[&str]; 6] =
    [&["//"], &["or"], &["and"], &["==", "!=", "<=", ">=", "<", ">"], &["+", "-"], &["*", "/", "%"]];

impl Parser<'_> {
    fn blank(&mut self) {
        loop {
            self.rest = self.rest.trim_start();
            if !self.rest.starts_with('#') {
                return;
            }
            self.rest = self.rest.split_once('\n').map_or("", |(_, rest)| rest);
        }
    }

    fn unexpected(&self) -> String {
        match self.rest.chars().next() {
            None => "syntax error, unexpected end of file".to_owned(),
            Some(c) => format!("syntax error, unexpected '{c}'"),
        }
    }

    fn eat(&mut self, mark: &str) -> bool {
        self.blank();
        let Some(after) = self.rest.strip_prefix(mark) else { return false };
        let is_word = mark.ends_with(|c: char| c.is_ascii_alphanumeric());
        if is_word && after.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_') {
            return false;
        }
        self.rest = after;
        true
    }

    fn expect(&mut self, mark: &str) -> Result<(), String> {
        if self.eat(mark) { Ok(()) } else { Err(self.unexpected()) }
    }

    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, String>) -> Result<T, String> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err("the filter is nested too deeply".to_owned());
        }
        let found = read(self);
        self.depth -= 1;
        found
    }

    fn pipe(&mut self) -> Parsed {
        self.deeper(|parser| {
            for word in ["def", "reduce", "foreach", "label"] {
                if parser.eat(word) {
                    return Err(format!("{word} is not simulated in Capas"));
                }
            }
            let mut parts = vec![parser.comma()?];
            loop {
                parser.blank();
                if parser.rest.starts_with("||") || !parser.eat("|") {
                    break;
                }
                parts.push(parser.comma()?);
                if parts.len() > DEPTH {
                    return Err("the filter is too long".to_owned());
                }
            }
            let last = parts.pop().ok_or_else(|| "syntax error".to_owned())?;
            Ok(parts.into_iter().rev().fold(last, |right, left| Filter::Pipe(Box::new(left), Box::new(right))))
        })
    }

    fn comma(&mut self) -> Parsed {
        let (mut left, mut many) = (self.binary(0)?, 0);
        while self.eat(",") {
            let right = self.binary(0)?;
            left = Filter::Comma(Box::new(left), Box::new(right));
            many += 1;
            if many > DEPTH {
                return Err("the filter is too long".to_owned());
            }
        }
        Ok(left)
    }

    fn binary(&mut self, level: usize) -> Parsed {
        let Some(operators) = OPERATORS.get(level) else { return self.postfix() };
        let mut left = self.binary(level + 1)?;
        let mut many = 0;
        loop {
            self.blank();
            // `/` is no beginning of `//`, `|=` and its like change what they stand behind.
            let longer = |operator: &str| operator == "/" && self.rest.starts_with("//");
            let found = operators.iter().find(|operator| self.rest.starts_with(**operator) && !longer(operator));
            let Some(operator) = found.copied() else { return Ok(left) };
            if !self.eat(operator) {
                return Ok(left);
            }
            if self.rest.starts_with('=') || many > DEPTH {
                return Err("assignments are not simulated in Capas".to_owned());
            }
            many += 1;
            let right = if operator == "//" { self.binary(level)? } else { self.binary(level + 1)? };
            left = Filter::Binary(operator, Box::new(left), Box::new(right));
        }
    }

    fn postfix(&mut self) -> Parsed {
        self.deeper(|parser| {
            let mut filter = parser.term()?;
            let mut many = 0;
            loop {
                many += 1;
                if many > DEPTH {
                    return Err("the path is too long".to_owned());
                }
                if parser.rest.starts_with('.') && !parser.rest.starts_with("..") {
                    let after = parser.rest.get(1..).unwrap_or_default();
                    if after.starts_with('[') {
                        parser.rest = after;
                        continue;
                    }
                    match parser.field()? {
                        Some(key) => filter = Filter::Index(Box::new(filter), Box::new(key)),
                        None => return Err(parser.unexpected()),
                    }
                } else if parser.rest.starts_with('[') {
                    filter = parser.bracket(filter)?;
                } else if parser.rest.starts_with('?') && !parser.rest.starts_with("?//") {
                    parser.rest = parser.rest.get(1..).unwrap_or_default();
                    filter = Filter::Try(Box::new(filter));
                } else {
                    return Ok(filter);
                }
            }
        })
    }

    /// `.name` or `."name"`, with its dot.
    fn field(&mut self) -> Result<Option<Filter>, String> {
        let Some(after) = self.rest.strip_prefix('.') else { return Ok(None) };
        if after.starts_with('"') {
            self.rest = after;
            return self.string().map(Some);
        }
        let end = after.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(after.len());
        let (name, rest) = after.split_at_checked(end).unwrap_or((after, ""));
        if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
            return Ok(None);
        }
        self.rest = rest;
        Ok(Some(Filter::Literal(Value::String(name.to_owned()))))
    }

    fn bracket(&mut self, of: Filter) -> Parsed {
        self.expect("[")?;
        if self.eat("]") {
            return Ok(Filter::Each(Box::new(of)));
        }
        if self.eat(":") {
            let end = self.pipe()?;
            self.expect("]")?;
            return Ok(Filter::Slice(Box::new(of), None, Some(Box::new(end))));
        }
        let first = self.pipe()?;
        if self.eat(":") {
            let end = if self.eat("]") {
                None
            } else {
                let end = self.pipe()?;
                self.expect("]")?;
                Some(Box::new(end))
            };
            return Ok(Filter::Slice(Box::new(of), Some(Box::new(first)), end));
        }
        self.expect("]")?;
        Ok(Filter::Index(Box::new(of), Box::new(first)))
    }

    fn word(&mut self) -> &str {
        let end = self.rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, ""));
        self.rest = rest;
        word
    }

    fn term(&mut self) -> Parsed {
        self.blank();
        if self.rest.starts_with("..") {
            self.rest = self.rest.get(2..).unwrap_or_default();
            return Ok(Filter::Recurse);
        }
        if let Some(key) = self.field()? {
            return Ok(Filter::Index(Box::new(Filter::Identity), Box::new(key)));
        }
        let first = self.rest.chars().next();
        match first {
            Some('.') => {
                self.rest = self.rest.get(1..).unwrap_or_default();
                Ok(Filter::Identity)
            }
            Some('"') => self.string(),
            Some('(') => {
                self.expect("(")?;
                let inner = self.pipe()?;
                self.expect(")")?;
                Ok(inner)
            }
            Some('[') => {
                self.expect("[")?;
                if self.eat("]") {
                    return Ok(Filter::List(None));
                }
                let inner = self.pipe()?;
                self.expect("]")?;
                Ok(Filter::List(Some(Box::new(inner))))
            }
            Some('{') => self.object(),
            Some('-') => {
                self.expect("-")?;
                Ok(Filter::Negative(Box::new(self.postfix()?)))
            }
            Some('$') => {
                self.expect("$")?;
                let name = self.word().to_owned();
                if self.eat("as") {
                    return Err("variables of one's own are not simulated in Capas".to_owned());
                }
                Ok(Filter::Variable(name))
            }
            Some('@') => {
                self.expect("@")?;
                let name = self.word().to_owned();
                if self.eat("\"") {
                    self.rest = self.rest.trim_start_matches(' ');
                    return Err("formats before a text are not simulated in Capas".to_owned());
                }
                Ok(Filter::Format(name))
            }
            Some(c) if c.is_ascii_digit() => {
                let is_digit = |c: char| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E');
                let end = self.rest.find(|c: char| !is_digit(c)).unwrap_or(self.rest.len());
                let (digits, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, ""));
                let value = serde_json::from_str(digits).map_err(|_| format!("invalid numeric literal {digits}"))?;
                self.rest = rest;
                Ok(Filter::Literal(value))
            }
            Some(c) if c.is_ascii_alphabetic() || c == '_' => self.call(),
            _ => Err(self.unexpected()),
        }
    }

    fn call(&mut self) -> Parsed {
        let name = self.word().to_owned();
        match name.as_str() {
            "null" => return Ok(Filter::Literal(Value::Null)),
            "true" => return Ok(Filter::Literal(Value::Bool(true))),
            "false" => return Ok(Filter::Literal(Value::Bool(false))),
            "if" => return self.condition(),
            "try" => {
                let body = self.postfix()?;
                if self.eat("catch") {
                    return Err("catch is not simulated in Capas".to_owned());
                }
                return Ok(Filter::Try(Box::new(body)));
            }
            "then" | "elif" | "else" | "end" | "and" | "or" | "as" => {
                return Err(format!("syntax error, unexpected {name}"));
            }
            _ => {}
        }
        let mut arguments = Vec::new();
        if self.rest.starts_with('(') {
            self.expect("(")?;
            arguments.push(self.pipe()?);
            while self.eat(";") {
                arguments.push(self.pipe()?);
            }
            self.expect(")")?;
        }
        let known = FUNCTIONS.iter().any(|(known, count)| *known == name && *count == arguments.len());
        if known {
            Ok(Filter::Call(name, arguments))
        } else {
            Err(format!("{name}/{} is not defined", arguments.len()))
        }
    }

    fn condition(&mut self) -> Parsed {
        let mut cases = Vec::new();
        loop {
            let test = self.pipe()?;
            self.expect("then")?;
            cases.push((test, self.pipe()?));
            if cases.len() > DEPTH {
                return Err("the filter is too long".to_owned());
            }
            if self.eat("elif") {
                continue;
            }
            let otherwise = if self.eat("else") { self.pipe()? } else { Filter::Identity };
            self.expect("end")?;
            return Ok(Filter::If(cases, Box::new(otherwise)));
        }
    }

    fn object(&mut self) -> Parsed {
        self.expect("{")?;
        let mut pairs = Vec::new();
        while !self.eat("}") {
            if !pairs.is_empty() {
                self.expect(",")?;
            }
            self.blank();
            let (key, short) = match self.rest.chars().next() {
                Some('"') => (self.string()?, None),
                Some('(') => {
                    self.expect("(")?;
                    let key = self.pipe()?;
                    self.expect(")")?;
                    (key, None)
                }
                Some('$') => {
                    self.expect("$")?;
                    let name = self.word().to_owned();
                    (Filter::Literal(Value::String(name.clone())), Some(Filter::Variable(name)))
                }
                Some(c) if c.is_ascii_alphabetic() || c == '_' => {
                    (Filter::Literal(Value::String(self.word().to_owned())), None)
                }
                _ => return Err(self.unexpected()),
            };
            let value = match (self.eat(":"), short) {
                (true, _) => self.alternatives()?,
                (false, Some(short)) => short,
                (false, None) => Filter::Index(Box::new(Filter::Identity), Box::new(key.clone())),
            };
            pairs.push((key, value));
        }
        Ok(Filter::Object(pairs))
    }

    /// A value within an object: pipes, no commas.
    fn alternatives(&mut self) -> Parsed {
        self.deeper(|parser| {
            let left = parser.binary(0)?;
            if parser.eat("|") { Ok(Filter::Pipe(Box::new(left), Box::new(parser.alternatives()?))) } else { Ok(left) }
        })
    }

    /// A text with `\(...)` in it.
    fn string(&mut self) -> Parsed {
        self.rest = self.rest.strip_prefix('"').unwrap_or(self.rest);
        let (mut pieces, mut literal) = (Vec::new(), String::new());
        loop {
            let Some(c) = self.rest.chars().next() else { return Err("syntax error, unfinished text".to_owned()) };
            self.rest = self.rest.get(c.len_utf8()..).unwrap_or_default();
            match c {
                '"' => break,
                '\\' => {
                    if self.rest.starts_with('(') {
                        pieces.push(Filter::Literal(Value::String(std::mem::take(&mut literal))));
                        self.expect("(")?;
                        pieces.push(self.pipe()?);
                        self.expect(")")?;
                        continue;
                    }
                    let Some(escaped) = self.rest.chars().next() else { return Err(self.unexpected()) };
                    self.rest = self.rest.get(escaped.len_utf8()..).unwrap_or_default();
                    literal.push(match escaped {
                        'n' => '\n',
                        't' => '\t',
                        'r' => '\r',
                        'u' => {
                            let (digits, rest) = self.rest.split_at_checked(4).unwrap_or((self.rest, ""));
                            self.rest = rest;
                            u32::from_str_radix(digits, 16).ok().and_then(char::from_u32).unwrap_or('\u{fffd}')
                        }
                        other => other,
                    });
                }
                c => literal.push(c),
            }
        }
        if pieces.is_empty() {
            return Ok(Filter::Literal(Value::String(literal)));
        }
        pieces.push(Filter::Literal(Value::String(literal)));
        Ok(Filter::Text(pieces))
    }
}

/// Functions with the number of their arguments.
const FUNCTIONS: [(&str, usize); 57] = [
    ("add", 0),
    ("all", 0),
    ("any", 0),
    ("any", 1),
    ("all", 1),
    ("arrays", 0),
    ("ascii_downcase", 0),
    ("ascii_upcase", 0),
    ("contains", 1),
    ("empty", 0),
    ("endswith", 1),
    ("error", 0),
    ("error", 1),
    ("first", 0),
    ("first", 1),
    ("flatten", 0),
    ("floor", 0),
    ("from_entries", 0),
    ("fromjson", 0),
    ("group_by", 1),
    ("has", 1),
    ("in", 1),
    ("index", 1),
    ("inside", 1),
    ("join", 1),
    ("keys", 0),
    ("keys_unsorted", 0),
    ("last", 0),
    ("length", 0),
    ("limit", 2),
    ("ltrimstr", 1),
    ("map", 1),
    ("map_values", 1),
    ("max", 0),
    ("max_by", 1),
    ("min", 0),
    ("min_by", 1),
    ("not", 0),
    ("range", 1),
    ("range", 2),
    ("recurse", 0),
    ("reverse", 0),
    ("rtrimstr", 1),
    ("select", 1),
    ("sort", 0),
    ("sort_by", 1),
    ("split", 1),
    ("startswith", 1),
    ("test", 1),
    ("to_entries", 0),
    ("tojson", 0),
    ("tonumber", 0),
    ("tostring", 0),
    ("type", 0),
    ("unique", 0),
    ("unique_by", 1),
    ("values", 0),
];
