//! `jq`: a filter over JSON values: paths, iteration, pipes, comma, operators, construction, `if`, and the functions that
//! one meets every day. Variables, definitions and reductions are refused.

use std::cmp::Ordering;

use serde_json::{Map, Number, Value};

use super::program::{Done, Run, spec, text};
use crate::base::sort::Arrange;
use crate::os::args::{flag, value};
use crate::os::kernel::Proc;

spec!(
    SPEC,
    "jq",
    "[OPTIONS] FILTER [FILES...]",
    [
        flag('r', "raw-output"),
        flag('j', "join-output"),
        flag('c', "compact-output"),
        flag('s', "slurp"),
        flag('n', "null-input"),
        flag('e', "exit-status"),
        flag('R', "raw-input"),
        flag('S', "sort-keys"),
        flag('M', "monochrome-output"),
        flag('C', "color-output"),
        flag('a', "ascii-output"),
        flag('\0', "tab"),
        value('\0', "indent"),
        flag('V', "version"),
    ],
    usage_status: 2,
);

/// How deep a filter may be nested, and a value that it makes.
const DEPTH: usize = 100;
/// Values that one filter may yield for one input.
const MOST: usize = 1 << 18;

/// `jq`.
pub async fn main(proc: Proc) -> i32 {
    let mut argv = proc.args();
    // `--arg` takes two words and binds a variable.
    let mut named = Vec::new();
    while let Some(place) = argv.iter().position(|word| word == "--arg" || word == "--argjson") {
        let taken: Vec<_> = argv.splice(place..(place + 3).min(argv.len()), []).collect();
        let [option, name, value] = taken.as_slice() else {
            proc.eprint("jq: --arg takes two parameters (e.g. --arg varname value)\n").await;
            return 2;
        };
        let value = match option == "--arg" {
            true => Value::String(text(value)),
            false => match serde_json::from_slice(value) {
                Ok(value) => value,
                Err(_) => {
                    proc.eprint("jq: Invalid JSON text passed to --argjson\n").await;
                    return 2;
                }
            },
        };
        named.push((text(name), value));
    }
    super::program::run_as(proc, &SPEC, &argv, |run| Box::pin(body(run, named))).await
}

async fn body(run: &mut Run, named: Vec<(String, Value)>) -> Done {
    if run.args.has('V') {
        run.put("jq-1.6\n").await?;
        return Ok(0);
    }
    let mut operands = run.args.operands.clone();
    if operands.is_empty() {
        let usage = "Usage:\tjq [OPTIONS] FILTER [FILES...]\n\tjq [OPTIONS] --args FILTER [ARGUMENTS...]\n\tjq [OPTIONS] --jsonargs FILTER [JSON_VALUES...]\n";
        run.proc.eprint(usage).await;
        return Ok(2);
    }
    let program = text(&operands.remove(0));
    let filter = match parse(&program) {
        Ok(filter) => filter,
        Err(why) => {
            run.proc.eprint(format!("jq: error: {why} (Unix shell quoting issues?) at <top-level>, line 1:\n{program}\njq: 1 compile error\n")).await;
            return Ok(3);
        }
    };
    if operands.is_empty() {
        operands.push("-".into());
    }
    let mut inputs = Vec::new();
    let mut status = 0;
    if run.args.has('n') {
        inputs.push(Value::Null);
        operands.clear();
    }
    for path in operands {
        let rope = match run.input(&path) {
            Ok(fd) => {
                let read = run.proc.read_all(fd).await;
                run.done_with(fd);
                read
            }
            Err(error) => Err(error),
        };
        let bytes = match rope {
            Ok(rope) => rope.to_vec(),
            Err(error) => {
                run.proc.eprint(format!("jq: error: Could not open {path}: {}\n", error.strerror())).await;
                status = 2;
                continue;
            }
        };
        if run.args.has('R') {
            match run.args.has('s') {
                true => inputs.push(Value::String(text(&bytes))),
                false => inputs.extend(text(&bytes).lines().map(|line| Value::String(line.to_owned()))),
            }
            continue;
        }
        for value in serde_json::Deserializer::from_slice(&bytes).into_iter::<Value>() {
            match value {
                Ok(value) => inputs.push(value),
                Err(error) => {
                    run.proc
                        .eprint(format!(
                            "parse error: Invalid literal at line {}, column {}\n",
                            error.line(),
                            error.column()
                        ))
                        .await;
                    status = 2;
                    break;
                }
            }
        }
    }
    if run.args.has('s') && !run.args.has('R') {
        inputs = vec![Value::Array(inputs)];
    }
    let mut last = None;
    for input in inputs {
        run.proc.work(64).await;
        let mut out = Vec::new();
        let mut scope = Scope { named: &named, left: MOST, depth: 0 };
        let done = scope.run(&filter, &input, &mut out);
        for value in out {
            let shown = show(run, &value);
            last = Some(value);
            run.put(shown).await?;
        }
        if let Err(why) = done {
            run.flush().await?;
            run.proc.eprint(format!("jq: error (at <stdin>:0): {why}\n")).await;
            status = 5;
        }
    }
    Ok(match (status, run.args.has('e'), last) {
        (0, true, None) => 4,
        (0, true, Some(Value::Null | Value::Bool(false))) => 1,
        (status, ..) => status,
    })
}

fn show(run: &Run, value: &Value) -> String {
    let end = if run.args.has('j') { "" } else { "\n" };
    if let Value::String(text) = value
        && (run.args.has('r') || run.args.has('j'))
    {
        return format!("{text}{end}");
    }
    let sorted;
    let value = if run.args.has('S') {
        sorted = sort_keys(value, 0);
        &sorted
    } else {
        value
    };
    let indent = match run.args.value("indent").map(|n| text(n).parse::<usize>()) {
        Some(Ok(n)) => " ".repeat(n.min(7)),
        _ if run.args.has("tab") => "\t".to_owned(),
        _ => "  ".to_owned(),
    };
    let mut out = String::new();
    if run.args.has('c') || indent.is_empty() {
        out.push_str(&value.to_string())
    } else {
        pretty(value, &indent, 0, &mut out)
    }
    out + end
}

fn sort_keys(value: &Value, depth: usize) -> Value {
    match value {
        Value::Object(map) if depth < DEPTH => {
            let mut keys: Vec<&String> = map.keys().collect();
            keys.arrange();
            keys.into_iter().filter_map(|key| Some((key.clone(), sort_keys(map.get(key)?, depth + 1)))).collect()
        }
        Value::Array(list) if depth < DEPTH => list.iter().map(|item| sort_keys(item, depth + 1)).collect(),
        other => other.clone(),
    }
}

/// As jq lays it out: empty lists and objects stay closed.
fn pretty(value: &Value, indent: &str, depth: usize, out: &mut String) {
    let line = |depth: usize| format!("\n{}", indent.repeat(depth));
    match value {
        Value::Array(list) if !list.is_empty() => {
            out.push('[');
            for (place, item) in list.iter().enumerate() {
                out.push_str(if place > 0 { "," } else { "" });
                out.push_str(&line(depth + 1));
                pretty(item, indent, depth + 1, out);
            }
            out.push_str(&line(depth));
            out.push(']');
        }
        Value::Object(map) if !map.is_empty() => {
            out.push('{');
            for (place, (key, item)) in map.iter().enumerate() {
                out.push_str(if place > 0 { "," } else { "" });
                out.push_str(&line(depth + 1));
                out.push_str(&format!("{}: ", Value::String(key.clone())));
                pretty(item, indent, depth + 1, out);
            }
            out.push_str(&line(depth));
            out.push('}');
        }
        other => out.push_str(&other.to_string()),
    }
}

#[derive(Clone, Debug)]
enum Filter {
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

fn parse(program: &str) -> Parsed {
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

struct Scope<'a> {
    named: &'a [(String, Value)],
    left: usize,
    depth: usize,
}

type Ran = Result<(), String>;

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn is_true(value: &Value) -> bool {
    !matches!(value, Value::Null | Value::Bool(false))
}

/// What messages show of a value: eleven bytes at most.
fn glance(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() > 11 { text.chars().take(10).collect::<String>() + "..." } else { text }
}

fn number(n: f64) -> Value {
    if n.fract() == 0.0 && n.abs() < 9e15 {
        Value::from(n as i64)
    } else {
        Number::from_f64(n).map_or(Value::Null, Value::Number)
    }
}

fn rank(value: &Value) -> u8 {
    match value {
        Value::Null => 0,
        Value::Bool(false) => 1,
        Value::Bool(true) => 2,
        Value::Number(_) => 3,
        Value::String(_) => 4,
        Value::Array(_) => 5,
        Value::Object(_) => 6,
    }
}

/// jq's order of all values.
fn compare(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64().partial_cmp(&b.as_f64()).unwrap_or(Ordering::Equal),
        (Value::String(a), Value::String(b)) => a.cmp(b),
        (Value::Array(a), Value::Array(b)) => {
            let differs = a.iter().zip(b).map(|(a, b)| compare(a, b)).find(|order| order.is_ne());
            differs.unwrap_or_else(|| a.len().cmp(&b.len()))
        }
        (Value::Object(a), Value::Object(b)) => {
            let sorted = |map: &Map<String, Value>| {
                let mut keys: Vec<String> = map.keys().cloned().collect();
                keys.arrange();
                keys
            };
            let (left, right) = (sorted(a), sorted(b));
            left.cmp(&right).then_with(|| {
                let pairs = left.iter().filter_map(|key| Some(compare(a.get(key)?, b.get(key)?)));
                pairs.into_iter().find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
            })
        }
        _ => rank(a).cmp(&rank(b)),
    }
}

fn contains(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::String(a), Value::String(b)) => a.contains(b.as_str()),
        (Value::Array(a), Value::Array(b)) => b.iter().all(|b| a.iter().any(|a| contains(a, b))),
        (Value::Object(a), Value::Object(b)) => b.iter().all(|(key, b)| a.get(key).is_some_and(|a| contains(a, b))),
        _ => compare(a, b).is_eq(),
    }
}

fn as_text(value: &Value) -> String {
    if let Value::String(text) = value { text.clone() } else { value.to_string() }
}

impl Scope<'_> {
    fn all(&mut self, filter: &Filter, input: &Value) -> Result<Vec<Value>, String> {
        let mut out = Vec::new();
        self.run(filter, input, &mut out)?;
        Ok(out)
    }

    fn one(&mut self, filter: &Filter, input: &Value) -> Result<Value, String> {
        Ok(self.all(filter, input)?.into_iter().next().unwrap_or(Value::Null))
    }

    fn yields(&mut self, value: Value, out: &mut Vec<Value>) -> Ran {
        self.left = self.left.checked_sub(1).ok_or_else(|| "more values than Capas counts".to_owned())?;
        out.push(value);
        Ok(())
    }

    fn run(&mut self, filter: &Filter, input: &Value, out: &mut Vec<Value>) -> Ran {
        self.depth += 1;
        if self.depth > DEPTH * 4 {
            return Err("the filter is nested too deeply".to_owned());
        }
        let done = self.step(filter, input, out);
        self.depth -= 1;
        done
    }

    fn step(&mut self, filter: &Filter, input: &Value, out: &mut Vec<Value>) -> Ran {
        match filter {
            Filter::Identity => self.yields(input.clone(), out),
            Filter::Recurse => self.recurse(input, out, 0),
            Filter::Literal(value) => self.yields(value.clone(), out),
            Filter::Variable(name) => match self.named.iter().find(|(known, _)| known == name) {
                Some((_, value)) => self.yields(value.clone(), out),
                None => Err(format!("${name} is not defined")),
            },
            Filter::Index(of, key) => {
                for value in self.all(of, input)? {
                    for key in self.all(key, input)? {
                        let found = index(&value, &key)?;
                        self.yields(found, out)?;
                    }
                }
                Ok(())
            }
            Filter::Slice(of, from, to) => {
                let from = from.as_ref().map(|from| self.one(from, input)).transpose()?;
                let to = to.as_ref().map(|to| self.one(to, input)).transpose()?;
                for value in self.all(of, input)? {
                    let found = slice(&value, from.as_ref(), to.as_ref())?;
                    self.yields(found, out)?;
                }
                Ok(())
            }
            Filter::Each(of) => {
                for value in self.all(of, input)? {
                    for item in items(&value)? {
                        self.yields(item, out)?;
                    }
                }
                Ok(())
            }
            Filter::Try(body) => {
                let _ = self.run(body, input, out);
                Ok(())
            }
            Filter::Pipe(left, right) => {
                for value in self.all(left, input)? {
                    self.run(right, &value, out)?;
                }
                Ok(())
            }
            Filter::Comma(left, right) => {
                self.run(left, input, out)?;
                self.run(right, input, out)
            }
            Filter::Negative(of) => {
                for value in self.all(of, input)? {
                    let value = value.as_f64().map(|n| number(-n));
                    let value = value.ok_or_else(|| "this value cannot be negated".to_owned())?;
                    self.yields(value, out)?;
                }
                Ok(())
            }
            Filter::Binary(operator, left, right) => self.binary(operator, left, right, input, out),
            Filter::List(None) => self.yields(Value::Array(Vec::new()), out),
            Filter::List(Some(of)) => {
                let list = self.all(of, input)?;
                self.yields(Value::Array(list), out)
            }
            Filter::Object(pairs) => {
                // Every choice of keys and values makes an object.
                let mut made = vec![Map::new()];
                for (key, value) in pairs {
                    let (keys, values) = (self.all(key, input)?, self.all(value, input)?);
                    let mut next = Vec::new();
                    for map in &made {
                        for key in &keys {
                            let Value::String(key) = key else {
                                return Err("Object keys must be strings".to_owned());
                            };
                            for value in &values {
                                let mut map = map.clone();
                                map.insert(key.clone(), value.clone());
                                next.push(map);
                                self.left = self
                                    .left
                                    .checked_sub(1)
                                    .ok_or_else(|| "more values than Capas counts".to_owned())?;
                            }
                        }
                    }
                    made = next;
                }
                made.into_iter().try_for_each(|map| self.yields(Value::Object(map), out))
            }
            Filter::If(cases, otherwise) => {
                for (test, then) in cases {
                    if is_true(&self.one(test, input)?) {
                        return self.run(then, input, out);
                    }
                }
                self.run(otherwise, input, out)
            }
            Filter::Text(pieces) => {
                let mut text = String::new();
                for piece in pieces {
                    text.push_str(&as_text(&self.one(piece, input)?));
                }
                self.yields(Value::String(text), out)
            }
            Filter::Format(name) => {
                let text = formatted(name, input)?;
                self.yields(Value::String(text), out)
            }
            Filter::Call(name, arguments) => self.call(name, arguments, input, out),
        }
    }

    fn recurse(&mut self, value: &Value, out: &mut Vec<Value>, depth: usize) -> Ran {
        self.yields(value.clone(), out)?;
        if depth > DEPTH * 2 {
            return Err("the value is nested too deeply".to_owned());
        }
        match value {
            Value::Array(list) => list.iter().try_for_each(|item| self.recurse(item, out, depth + 1)),
            Value::Object(map) => map.values().try_for_each(|item| self.recurse(item, out, depth + 1)),
            _ => Ok(()),
        }
    }

    fn binary(&mut self, operator: &str, left: &Filter, right: &Filter, input: &Value, out: &mut Vec<Value>) -> Ran {
        if operator == "//" {
            let found: Vec<Value> = self.all(left, input).unwrap_or_default().into_iter().filter(is_true).collect();
            if found.is_empty() {
                return self.run(right, input, out);
            }
            return found.into_iter().try_for_each(|value| self.yields(value, out));
        }
        if operator == "and" || operator == "or" {
            for value in self.all(left, input)? {
                if is_true(&value) == (operator == "or") {
                    self.yields(Value::Bool(operator == "or"), out)?;
                    continue;
                }
                for value in self.all(right, input)? {
                    self.yields(Value::Bool(is_true(&value)), out)?;
                }
            }
            return Ok(());
        }
        // The right side is the outer loop.
        for b in self.all(right, input)? {
            for a in self.all(left, input)? {
                let value = calculate(operator, &a, &b)?;
                self.yields(value, out)?;
            }
        }
        Ok(())
    }

    /// Items with what a filter makes of each, in the order of that.
    fn keyed(&mut self, list: &[Value], by: Option<&Filter>) -> Result<Vec<(Value, Value)>, String> {
        let mut keyed = Vec::new();
        for item in list {
            let key = match by {
                Some(by) => Value::Array(self.all(by, item)?),
                None => item.clone(),
            };
            keyed.push((key, item.clone()));
        }
        keyed.arrange_by(|a, b| compare(&a.0, &b.0));
        Ok(keyed)
    }

    fn call(&mut self, name: &str, arguments: &[Filter], input: &Value, out: &mut Vec<Value>) -> Ran {
        let first = arguments.first();
        let list = || match input {
            Value::Array(list) => Ok(list.as_slice()),
            other => Err(format!("Cannot index {} with number", kind(other))),
        };
        let value = match (name, first) {
            ("empty", _) => return Ok(()),
            ("error", None) => return Err(as_text(input)),
            ("error", Some(why)) => return Err(as_text(&self.one(why, input)?)),
            ("recurse", _) => return self.recurse(input, out, 0),
            ("select", Some(test)) => {
                for value in self.all(test, input)? {
                    if is_true(&value) {
                        self.yields(input.clone(), out)?;
                    }
                }
                return Ok(());
            }
            ("values", _) if input.is_null() => return Ok(()),
            ("arrays", _) if !input.is_array() => return Ok(()),
            ("values" | "arrays", _) => input.clone(),
            ("first", Some(of)) => match self.all(of, input)?.into_iter().next() {
                Some(value) => value,
                None => return Ok(()),
            },
            ("limit", Some(count)) => {
                let count = self.one(count, input)?.as_u64().unwrap_or(0) as usize;
                let of = arguments.get(1).unwrap_or(&Filter::Identity);
                let all = self.all(of, input)?;
                return all.into_iter().take(count).try_for_each(|value| self.yields(value, out));
            }
            ("range", Some(bound)) => {
                let mut ends = vec![self.one(bound, input)?.as_f64().unwrap_or(0.0)];
                match arguments.get(1) {
                    Some(end) => ends.push(self.one(end, input)?.as_f64().unwrap_or(0.0)),
                    None => ends.insert(0, 0.0),
                }
                let (mut at, end) = (ends.first().copied().unwrap_or(0.0), ends.last().copied().unwrap_or(0.0));
                while at < end {
                    self.yields(number(at), out)?;
                    at += 1.0;
                }
                return Ok(());
            }
            ("map", Some(by)) => {
                let mut made = Vec::new();
                for item in items(input)? {
                    self.run(by, &item, &mut made)?;
                }
                Value::Array(made)
            }
            ("map_values", Some(by)) => match input {
                Value::Object(map) => {
                    let mut made = Map::new();
                    for (key, item) in map {
                        if let Some(value) = self.all(by, item)?.into_iter().next() {
                            made.insert(key.clone(), value);
                        }
                    }
                    Value::Object(made)
                }
                _ => {
                    let mut made = Vec::new();
                    for item in items(input)? {
                        made.extend(self.all(by, &item)?.into_iter().next());
                    }
                    Value::Array(made)
                }
            },
            ("any" | "all", by) => {
                let mut truths = Vec::new();
                for item in items(input)? {
                    truths.push(match by {
                        Some(by) => is_true(&self.one(by, &item)?),
                        None => is_true(&item),
                    });
                }
                Value::Bool(if name == "any" { truths.contains(&true) } else { !truths.contains(&false) })
            }
            ("sort" | "sort_by", by) => {
                Value::Array(self.keyed(list()?, by)?.into_iter().map(|(_, item)| item).collect())
            }
            ("group_by" | "unique" | "unique_by", by) => {
                let mut groups: Vec<(Value, Vec<Value>)> = Vec::new();
                for (key, item) in self.keyed(list()?, by)? {
                    match groups.last_mut().filter(|(last, _)| compare(last, &key).is_eq()) {
                        Some((_, group)) => group.push(item),
                        None => groups.push((key, vec![item])),
                    }
                }
                let whole = name == "group_by";
                let made = groups
                    .into_iter()
                    .filter_map(|(_, group)| if whole { Some(Value::Array(group)) } else { group.into_iter().next() });
                Value::Array(made.collect())
            }
            ("min" | "min_by", by) => self.keyed(list()?, by)?.into_iter().next().map_or(Value::Null, |(_, item)| item),
            ("max" | "max_by", by) => self.keyed(list()?, by)?.pop().map_or(Value::Null, |(_, item)| item),
            ("has" | "in", Some(key)) => {
                let key = self.one(key, input)?;
                let (of, key) = if name == "has" { (input, &key) } else { (&key, input) };
                match (of, key) {
                    (Value::Object(map), Value::String(key)) => Value::Bool(map.contains_key(key)),
                    (Value::Array(list), Value::Number(n)) => {
                        Value::Bool(n.as_u64().is_some_and(|n| (n as usize) < list.len()))
                    }
                    (of, key) => return Err(format!("Cannot check whether {} has a {} key", kind(of), kind(key))),
                }
            }
            (_, Some(argument)) => {
                let argument = self.one(argument, input)?;
                with_argument(name, input, &argument)?
            }
            (_, None) => plain(name, input)?,
        };
        self.yields(value, out)
    }
}

fn index(value: &Value, key: &Value) -> Result<Value, String> {
    Ok(match (value, key) {
        (Value::Object(map), Value::String(key)) => map.get(key).cloned().unwrap_or(Value::Null),
        (Value::Array(list), Value::Number(n)) => {
            let at = n.as_f64().unwrap_or(0.0).floor();
            let at = if at < 0.0 { at + list.len() as f64 } else { at };
            if at < 0.0 { Value::Null } else { list.get(at as usize).cloned().unwrap_or(Value::Null) }
        }
        (Value::Null, Value::String(_) | Value::Number(_) | Value::Null) => Value::Null,
        (value, Value::String(key)) => return Err(format!("Cannot index {} with \"{key}\"", kind(value))),
        (value, key) => return Err(format!("Cannot index {} with {}", kind(value), kind(key))),
    })
}

fn slice(value: &Value, from: Option<&Value>, to: Option<&Value>) -> Result<Value, String> {
    let ends = |length: usize| {
        let place = |end: Option<&Value>, usual: f64| {
            let at = end.and_then(Value::as_f64).unwrap_or(usual);
            (if at < 0.0 { at + length as f64 } else { at }).clamp(0.0, length as f64) as usize
        };
        (place(from, 0.0), place(to, length as f64))
    };
    match value {
        Value::Array(list) => {
            let (from, to) = ends(list.len());
            Ok(Value::Array(list.get(from..to).unwrap_or_default().to_vec()))
        }
        Value::String(text) => {
            let (from, to) = ends(text.chars().count());
            Ok(Value::String(text.chars().skip(from).take(to.saturating_sub(from)).collect()))
        }
        Value::Null => Ok(Value::Null),
        other => Err(format!("Cannot index {} with object", kind(other))),
    }
}

fn items(value: &Value) -> Result<Vec<Value>, String> {
    match value {
        Value::Array(list) => Ok(list.clone()),
        Value::Object(map) => Ok(map.values().cloned().collect()),
        Value::Null => Err("Cannot iterate over null (null)".to_owned()),
        other => Err(format!("Cannot iterate over {} ({})", kind(other), glance(other))),
    }
}

fn calculate(operator: &str, a: &Value, b: &Value) -> Result<Value, String> {
    let order = compare(a, b);
    let truth = match operator {
        "==" => Some(order.is_eq()),
        "!=" => Some(order.is_ne()),
        "<" => Some(order.is_lt()),
        "<=" => Some(order.is_le()),
        ">" => Some(order.is_gt()),
        ">=" => Some(order.is_ge()),
        _ => None,
    };
    if let Some(truth) = truth {
        return Ok(Value::Bool(truth));
    }
    let refused =
        |what: &str| Err(format!("{} ({}) and {} ({}) cannot be {what}", kind(a), glance(a), kind(b), glance(b)));
    match (operator, a, b) {
        ("+", Value::Null, other) | ("+", other, Value::Null) => Ok(other.clone()),
        ("+", Value::String(a), Value::String(b)) => {
            if a.len() + b.len() > 1 << 24 {
                Err("the text is too long for Capas".to_owned())
            } else {
                Ok(Value::String(format!("{a}{b}")))
            }
        }
        ("+", Value::Array(a), Value::Array(b)) => Ok(Value::Array(a.iter().chain(b).cloned().collect())),
        ("+" | "*", Value::Object(a), Value::Object(b)) => {
            let mut map = a.clone();
            for (key, value) in b {
                let value = match (operator, map.get(key)) {
                    ("*", Some(old @ Value::Object(_))) if value.is_object() => calculate("*", old, value)?,
                    _ => value.clone(),
                };
                map.insert(key.clone(), value);
            }
            Ok(Value::Object(map))
        }
        ("-", Value::Array(a), Value::Array(b)) => {
            Ok(Value::Array(a.iter().filter(|a| b.iter().all(|b| compare(a, b).is_ne())).cloned().collect()))
        }
        ("/", Value::String(a), Value::String(b)) => Ok(Value::Array(a.split(b.as_str()).map(Value::from).collect())),
        (_, Value::Number(x), Value::Number(y)) => {
            let (x, y) = (x.as_f64().unwrap_or(0.0), y.as_f64().unwrap_or(0.0));
            match operator {
                "+" => Ok(number(x + y)),
                "-" => Ok(number(x - y)),
                "*" => Ok(number(x * y)),
                _ if y == 0.0 => refused("divided because the divisor is zero"),
                "/" => Ok(number(x / y)),
                _ if y.trunc() == 0.0 => refused("divided because the divisor is zero"),
                _ => Ok(number(x.trunc() % y.trunc())),
            }
        }
        ("+", ..) => refused("added"),
        ("-", ..) => refused("subtracted"),
        ("*", ..) => refused("multiplied"),
        _ => refused("divided"),
    }
}

fn with_argument(name: &str, input: &Value, argument: &Value) -> Result<Value, String> {
    match (name, input, argument) {
        ("contains", a, b) | ("inside", b, a) => Ok(Value::Bool(contains(a, b))),
        ("startswith", Value::String(a), Value::String(b)) => Ok(Value::Bool(a.starts_with(b.as_str()))),
        ("endswith", Value::String(a), Value::String(b)) => Ok(Value::Bool(a.ends_with(b.as_str()))),
        ("startswith" | "endswith", ..) => Err(format!("{name}() requires string inputs")),
        ("ltrimstr", Value::String(a), Value::String(b)) => Ok(Value::from(a.strip_prefix(b.as_str()).unwrap_or(a))),
        ("rtrimstr", Value::String(a), Value::String(b)) => Ok(Value::from(a.strip_suffix(b.as_str()).unwrap_or(a))),
        ("ltrimstr" | "rtrimstr", a, _) => Ok(a.clone()),
        ("split", Value::String(a), Value::String(b)) if b.is_empty() => {
            Ok(Value::Array(a.chars().map(|c| Value::from(c.to_string())).collect()))
        }
        ("split", Value::String(a), Value::String(b)) => {
            Ok(Value::Array(a.split(b.as_str()).map(Value::from).collect()))
        }
        ("split", ..) => Err("split input and separator must be strings".to_owned()),
        ("join", Value::Array(list), Value::String(between)) => {
            let words: Vec<String> =
                list.iter().map(|item| if item.is_null() { String::new() } else { as_text(item) }).collect();
            Ok(Value::String(words.join(between)))
        }
        ("index", Value::String(a), Value::String(b)) => Ok(a
            .find(b.as_str())
            .map_or(Value::Null, |at| Value::from(a.get(..at).map_or(0, |head| head.chars().count())))),
        ("index", Value::Array(list), b) => {
            Ok(list.iter().position(|a| compare(a, b).is_eq()).map_or(Value::Null, Value::from))
        }
        ("test", Value::String(a), Value::String(b)) => {
            let regex =
                super::pattern::build(b, false).map_err(|_| format!("{b} (at offset 0) is not a valid regex"))?;
            Ok(Value::Bool(regex.is_match(a)))
        }
        (_, input, _) => Err(format!("{} ({}) cannot be matched by {name}", kind(input), glance(input))),
    }
}

fn plain(name: &str, input: &Value) -> Result<Value, String> {
    Ok(match (name, input) {
        ("length", Value::Null) => Value::from(0),
        ("length", Value::String(text)) => Value::from(text.chars().count()),
        ("length", Value::Array(list)) => Value::from(list.len()),
        ("length", Value::Object(map)) => Value::from(map.len()),
        ("length", Value::Number(n)) => number(n.as_f64().unwrap_or(0.0).abs()),
        ("length", Value::Bool(_)) => return Err(format!("boolean ({input}) has no length")),
        ("not", value) => Value::Bool(!is_true(value)),
        ("keys" | "keys_unsorted", Value::Object(map)) => {
            let mut keys: Vec<&String> = map.keys().collect();
            if name == "keys" {
                keys.arrange();
            }
            keys.into_iter().map(|key| Value::from(key.as_str())).collect()
        }
        ("keys" | "keys_unsorted", Value::Array(list)) => (0..list.len()).map(Value::from).collect(),
        ("keys" | "keys_unsorted", other) => return Err(format!("{} ({}) has no keys", kind(other), glance(other))),
        ("add", value) => {
            let mut sum = Value::Null;
            for item in items(value)? {
                sum = calculate("+", &sum, &item)?;
            }
            sum
        }
        ("first", value) => index(value, &Value::from(0))?,
        ("last", value) => index(value, &Value::from(-1))?,
        ("reverse", Value::Array(list)) => list.iter().rev().cloned().collect(),
        ("reverse", Value::String(text)) => Value::String(text.chars().rev().collect()),
        ("reverse", Value::Null) => Value::Array(Vec::new()),
        ("flatten", Value::Array(list)) => {
            let mut flat = Vec::new();
            flatten(list, &mut flat, 0);
            Value::Array(flat)
        }
        ("floor", Value::Number(n)) => number(n.as_f64().unwrap_or(0.0).floor()),
        ("tostring", value) => Value::String(as_text(value)),
        ("tojson", value) => Value::String(value.to_string()),
        ("fromjson", Value::String(text)) => {
            serde_json::from_str(text).map_err(|_| format!("{text} (while parsing '{text}')"))?
        }
        ("tonumber", Value::Number(_)) => input.clone(),
        ("tonumber", Value::String(text)) => match text.trim().parse::<f64>() {
            Ok(n) => number(n),
            Err(_) => return Err("Invalid numeric literal".to_owned()),
        },
        ("type", value) => Value::from(kind(value)),
        ("ascii_downcase", Value::String(text)) => Value::String(text.to_ascii_lowercase()),
        ("ascii_upcase", Value::String(text)) => Value::String(text.to_ascii_uppercase()),
        ("to_entries", Value::Object(map)) => map
            .iter()
            .map(|(key, value)| {
                Value::Object(
                    [("key".to_owned(), Value::from(key.as_str())), ("value".to_owned(), value.clone())]
                        .into_iter()
                        .collect(),
                )
            })
            .collect(),
        ("from_entries", Value::Array(list)) => {
            let mut map = Map::new();
            for item in list {
                let get = |names: [&str; 3]| names.iter().find_map(|name| item.get(*name).cloned());
                let key = get(["key", "name", "k"]).map(|key| as_text(&key)).unwrap_or_else(|| "null".to_owned());
                map.insert(key, get(["value", "Value", "v"]).unwrap_or(Value::Null));
            }
            Value::Object(map)
        }
        (_, other) => return Err(format!("{} ({}) cannot be used with {name}", kind(other), glance(other))),
    })
}

fn flatten(list: &[Value], out: &mut Vec<Value>, depth: usize) {
    for item in list {
        match item {
            Value::Array(inner) if depth < DEPTH => flatten(inner, out, depth + 1),
            other => out.push(other.clone()),
        }
    }
}

/// `@csv` and its like.
fn formatted(name: &str, input: &Value) -> Result<String, String> {
    let row = || match input {
        Value::Array(list) => Ok(list),
        other => Err(format!("{} ({}) cannot be {name}-formatted, only an array can be", kind(other), glance(other))),
    };
    Ok(match name {
        "text" => as_text(input),
        "json" => input.to_string(),
        "csv" | "tsv" => {
            let mut cells = Vec::new();
            for item in row()? {
                cells.push(match item {
                    Value::String(text) if name == "csv" => format!("\"{}\"", text.replace('"', "\"\"")),
                    Value::String(text) => {
                        text.replace('\\', "\\\\").replace('\t', "\\t").replace('\n', "\\n").replace('\r', "\\r")
                    }
                    Value::Null => String::new(),
                    Value::Array(_) | Value::Object(_) => {
                        return Err(format!("{} ({}) is not valid in a csv row", kind(item), glance(item)));
                    }
                    other => other.to_string(),
                });
            }
            cells.join(if name == "csv" { "," } else { "\t" })
        }
        "sh" => {
            let quoted = |value: &Value| match value {
                Value::String(text) => format!("'{}'", text.replace('\'', "'\\''")),
                other => other.to_string(),
            };
            match input {
                Value::Array(list) => list.iter().map(quoted).collect::<Vec<_>>().join(" "),
                other => quoted(other),
            }
        }
        "html" => as_text(input)
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
            .replace('\'', "&#39;")
            .replace('"', "&quot;"),
        "base64" => String::from_utf8_lossy(&super::tac::base64_of(as_text(input).as_bytes())).into_owned(),
        "base64d" => {
            let bytes = super::tac::bytes_of_base64(as_text(input).as_bytes());
            text(&bytes.ok_or_else(|| format!("{} ({}) is not valid base64 data", kind(input), glance(input)))?)
        }
        "uri" => {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
            as_text(input)
                .bytes()
                .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
                .collect()
        }
        other => return Err(format!("{other} is not a valid format")),
    })
}
