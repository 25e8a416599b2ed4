//! The grammar of awk.

use super::{E, Flow, Program, Rule, S};
use crate::os::userland::pattern::{Grammar, compile};

#[derive(Clone, PartialEq, Debug)]
enum T {
    Num(f64),
    Str(String),
    Re(String),
    Name(String),
    /// A name directly before a parenthesis.
    Func(String),
    Op(&'static str),
    End,
}

const OPS: [&str; 44] = [
    "&&", "||", "==", "!=", "<=", ">=", ">>", "!~", "++", "--", "+=", "-=", "*=", "/=", "%=", "^=", "**", "{", "}",
    "(", ")", "[", "]", ";", "\n", ",", "+", "-", "*", "/", "%", "^", "!", "<", ">", "|", "?", ":", "~", "$", "=", "&",
    "\\", "@",
];

/// Nested blocks and parentheses.
const MAX_DEPTH: usize = 60;
/// Operators in a row that a statement has at most (`a b c`, `1 + 2 + 3`): each makes its tree a level deeper.
const MAX_LINKS: usize = 200;

/// Escapes of awk's strings.
pub(super) fn unescape(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('r') => out.push('\r'),
            Some('a') => out.push('\u{7}'),
            Some('0') => {
                let rest: String = chars.clone().take(2).take_while(char::is_ascii_digit).collect();
                for _ in 0..rest.len() {
                    chars.next();
                }
                out.extend(u32::from_str_radix(&rest, 8).ok().and_then(char::from_u32));
            }
            Some(c @ ('"' | '\\' | '/')) => out.push(c),
            Some(c) => out.extend(['\\', c]),
            None => out.push('\\'),
        }
    }
    out
}

fn lex(source: &str) -> Result<Vec<T>, String> {
    let chars: Vec<char> = source.chars().collect();
    let mut out: Vec<T> = Vec::new();
    let mut at = 0;
    while let Some(c) = chars.get(at).copied() {
        let run = |from: usize, test: &dyn Fn(char) -> bool| {
            chars.iter().skip(from).take_while(|c| test(**c)).collect::<String>()
        };
        let value_before =
            matches!(out.last(), Some(T::Num(_) | T::Str(_) | T::Name(_) | T::Op(")" | "]" | "$" | "++" | "--")));
        match c {
            ' ' | '\t' | '\r' => at += 1,
            '#' => at += run(at, &|c| c != '\n').chars().count(),
            '\\' if chars.get(at + 1) == Some(&'\n') => at += 2,
            '"' | '/' if c == '"' || !value_before => {
                let mut text = String::new();
                let mut inside = false;
                at += 1;
                loop {
                    match chars.get(at).copied() {
                        None | Some('\n') => {
                            return Err(format!(
                                "runaway {} {c}{text} ...",
                                if c == '"' { "string constant" } else { "regular expression" }
                            ));
                        }
                        Some(end) if end == c && !inside => break,
                        Some('\\') => {
                            let next = chars.get(at + 1).copied().unwrap_or('\\');
                            match next {
                                '/' => text.push('/'),
                                't' if c == '/' => text.push('\t'),
                                next => text.extend(['\\', next]),
                            }
                            at += 1;
                        }
                        Some(other) => {
                            inside = c == '/' && (other == '[' || inside && other != ']');
                            text.push(other);
                        }
                    }
                    at += 1;
                }
                at += 1;
                out.push(if c == '"' { T::Str(unescape(&text)) } else { T::Re(text) });
            }
            '0'..='9' | '.' => {
                let mut text = run(at, &|c| c.is_ascii_digit() || c == '.');
                if matches!(chars.get(at + text.len()), Some('e' | 'E')) {
                    let power = run(at + text.len() + 1, &|c| c.is_ascii_digit() || c == '-');
                    text = if power.is_empty() { text } else { format!("{text}e{power}") };
                }
                at += text.len();
                out.push(T::Num(text.parse().map_err(|_| format!("syntax error at or near {text}"))?));
            }
            c if c.is_ascii_alphabetic() || c == '_' => {
                let name = run(at, &|c| c.is_ascii_alphanumeric() || c == '_');
                at += name.len();
                let called = chars.get(at) == Some(&'(') && !is_word(&name);
                out.push(if called { T::Func(name) } else { T::Name(name) });
            }
            _ => {
                let rest: String = chars.iter().skip(at).take(2).collect();
                let Some(op) = OPS.iter().find(|op| rest.starts_with(**op)) else {
                    return Err(format!("syntax error at or near {c}"));
                };
                at += op.len();
                out.push(T::Op(if *op == "**" { "^" } else { op }));
            }
        }
    }
    Ok(out)
}

fn is_word(name: &str) -> bool {
    matches!(
        name,
        "if" | "else"
            | "while"
            | "for"
            | "do"
            | "in"
            | "print"
            | "printf"
            | "next"
            | "exit"
            | "return"
            | "break"
            | "continue"
            | "delete"
            | "function"
            | "func"
            | "getline"
            | "BEGIN"
            | "END"
    )
}

struct Parser {
    tokens: Vec<T>,
    at: usize,
    depth: usize,
    links: usize,
    /// In `print a > b` the `>` is no comparison, in `for (x in a)` the `in` is not taken as one.
    no_gt: bool,
    no_in: bool,
}

type Got<T> = Result<T, String>;

pub(super) fn parse(source: &str) -> Got<Program> {
    let mut p = Parser { tokens: lex(source)?, at: 0, depth: 0, links: 0, no_gt: false, no_in: false };
    let mut program = Program::default();
    loop {
        p.blank();
        p.links = 0;
        if *p.peek() == T::End {
            return Ok(program);
        }
        if p.word("function") || p.word("func") {
            let (T::Name(name) | T::Func(name)) = p.next() else { return Err(p.near()) };
            p.expect("(")?;
            let mut parameters = Vec::new();
            while let T::Name(parameter) = p.peek().clone() {
                p.at += 1;
                parameters.push(parameter);
                p.op(",");
                p.newlines();
            }
            p.expect(")")?;
            p.newlines();
            let body = p.block()?;
            program.functions.insert(name, (parameters, body));
            continue;
        }
        let mut rule = Rule { begin: p.word("BEGIN"), end: false, from: None, to: None, body: None };
        rule.end = !rule.begin && p.word("END");
        if !rule.begin && !rule.end && *p.peek() != T::Op("{") {
            rule.from = Some(p.expression()?);
            if p.op(",") {
                p.newlines();
                rule.to = Some(p.expression()?);
            }
        }
        if *p.peek() == T::Op("{") {
            rule.body = Some(p.block()?);
        } else if rule.begin || rule.end {
            return Err(p.near());
        }
        program.rules.push(rule);
    }
}

impl Parser {
    fn peek(&self) -> &T {
        self.tokens.get(self.at).unwrap_or(&T::End)
    }

    fn next(&mut self) -> T {
        self.at += 1;
        self.tokens.get(self.at - 1).cloned().unwrap_or(T::End)
    }

    fn op(&mut self, op: &str) -> bool {
        let is = matches!(self.peek(), T::Op(own) if *own == op);
        self.at += usize::from(is);
        is
    }

    fn word(&mut self, word: &str) -> bool {
        let is = matches!(self.peek(), T::Name(own) if own == word);
        self.at += usize::from(is);
        is
    }

    fn expect(&mut self, op: &str) -> Got<()> {
        if self.op(op) { Ok(()) } else { Err(self.near()) }
    }

    fn near(&self) -> String {
        let what = match self.peek() {
            T::Num(number) => number.to_string(),
            T::Str(text) => format!("\"{text}\""),
            T::Re(text) => format!("/{text}/"),
            T::Name(name) | T::Func(name) => name.clone(),
            T::Op("\n") | T::End => "end of line".to_owned(),
            T::Op(op) => (*op).to_owned(),
        };
        format!("syntax error at or near {what}")
    }

    fn newlines(&mut self) {
        while self.op("\n") {}
    }

    fn blank(&mut self) {
        while self.op("\n") || self.op(";") {}
    }

    fn deeper<T>(&mut self, parse: impl FnOnce(&mut Self) -> Got<T>) -> Got<T> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err("program too deeply nested".to_owned());
        }
        let got = parse(self);
        self.depth -= 1;
        got
    }

    /// One more operator in a row.
    fn link(&mut self) -> Got<()> {
        self.links += 1;
        if self.links > MAX_LINKS { Err("expression is too long".to_owned()) } else { Ok(()) }
    }

    fn block(&mut self) -> Got<S> {
        self.expect("{")?;
        let mut all = Vec::new();
        loop {
            self.blank();
            if self.op("}") {
                return Ok(S::Block(all));
            }
            all.push(self.statement()?);
        }
    }

    fn statement(&mut self) -> Got<S> {
        self.links = 0;
        self.deeper(Self::statement_here)
    }

    /// The statement that a loop or a condition governs; an empty one is allowed.
    fn governed(&mut self) -> Got<Box<S>> {
        self.newlines();
        if self.op(";") { Ok(Box::new(S::Block(Vec::new()))) } else { Ok(Box::new(self.statement()?)) }
    }

    fn statement_here(&mut self) -> Got<S> {
        if *self.peek() == T::Op("{") {
            return self.block();
        }
        if self.word("if") {
            self.expect("(")?;
            let test = self.expression()?;
            self.expect(")")?;
            let yes = self.governed()?;
            let back = self.at;
            self.blank();
            if self.word("else") {
                return Ok(S::If(test, yes, Some(self.governed()?)));
            }
            self.at = back;
            return Ok(S::If(test, yes, None));
        }
        if self.word("while") {
            self.expect("(")?;
            let test = self.expression()?;
            self.expect(")")?;
            return Ok(S::For(None, Some(test), None, self.governed()?, false));
        }
        if self.word("do") {
            let body = self.governed()?;
            self.blank();
            if !self.word("while") {
                return Err(self.near());
            }
            self.expect("(")?;
            let test = self.expression()?;
            self.expect(")")?;
            return Ok(S::For(None, Some(test), None, body, true));
        }
        if self.word("for") {
            self.expect("(")?;
            if let [T::Name(name), T::Name(word), T::Name(array), T::Op(")")] =
                self.tokens.get(self.at..self.at + 4).unwrap_or_default()
                && word == "in"
            {
                let (name, array) = (name.clone(), array.clone());
                self.at += 4;
                return Ok(S::Each(name, array, self.governed()?));
            }
            let start = if *self.peek() == T::Op(";") { None } else { Some(Box::new(self.simple()?)) };
            self.expect(";")?;
            let test = if *self.peek() == T::Op(";") { None } else { Some(self.expression()?) };
            self.expect(";")?;
            let step = if *self.peek() == T::Op(")") { None } else { Some(Box::new(self.simple()?)) };
            self.expect(")")?;
            return Ok(S::For(start, test, step, self.governed()?, false));
        }
        let s = self.simple()?;
        if !matches!(self.peek(), T::Op(";" | "\n" | "}") | T::End) {
            return Err(self.near());
        }
        Ok(s)
    }

    fn simple(&mut self) -> Got<S> {
        for (word, flow) in [
            ("next", Flow::Next),
            ("break", Flow::Break),
            ("continue", Flow::Continue),
            ("exit", Flow::Exit),
            ("return", Flow::Return),
        ] {
            if self.word(word) {
                let ends = matches!(self.peek(), T::Op(";" | "\n" | "}") | T::End);
                return Ok(S::Leave(flow, if ends { None } else { Some(self.expression()?) }));
            }
        }
        if self.word("delete") {
            let T::Name(name) = self.next() else { return Err(self.near()) };
            let subscripts = if self.op("[") { Some(self.list("]")?) } else { None };
            return Ok(S::Delete(name, subscripts));
        }
        let plain = self.word("print");
        if plain || self.word("printf") {
            let no_gt = std::mem::replace(&mut self.no_gt, true);
            let mut args = Vec::new();
            if !matches!(self.peek(), T::Op(";" | "\n" | "}" | ">" | ">>" | "|") | T::End) {
                args.push(self.expression()?);
                while self.op(",") {
                    self.newlines();
                    args.push(self.expression()?);
                }
            }
            // `print (a, b)` has two arguments.
            if args.len() == 1
                && matches!(args.first(), Some(E::Group(inner)) if inner.len() > 1)
                && let Some(E::Group(inner)) = args.pop()
            {
                args = inner;
            }
            let append = self.op(">>");
            let to = if append || self.op(">") { Some((self.concatenation()?, append)) } else { None };
            self.no_gt = no_gt;
            if *self.peek() == T::Op("|") {
                return Err("pipes in awk are not simulated in Capas".to_owned());
            }
            return Ok(S::Print(args, !plain, to));
        }
        Ok(S::Expr(self.expression()?))
    }

    fn list(&mut self, end: &str) -> Got<Vec<E>> {
        let (no_gt, no_in) = (std::mem::take(&mut self.no_gt), std::mem::take(&mut self.no_in));
        let mut all = Vec::new();
        self.newlines();
        while !self.op(end) {
            all.push(self.expression()?);
            self.newlines();
            if !self.op(",") && !matches!(self.peek(), T::Op(own) if *own == end) {
                return Err(self.near());
            }
            self.newlines();
        }
        (self.no_gt, self.no_in) = (no_gt, no_in);
        Ok(all)
    }

    fn expression(&mut self) -> Got<E> {
        self.deeper(Self::ternary)
    }

    fn ternary(&mut self) -> Got<E> {
        let left = self.binary(0)?;
        if self.op("?") {
            self.newlines();
            let yes = self.expression()?;
            self.newlines();
            self.expect(":")?;
            self.newlines();
            return Ok(E::If(Box::new(left), Box::new(yes), Box::new(self.expression()?)));
        }
        if matches!(left, E::Var(_) | E::Idx(..) | E::Field(_)) {
            for (op, letter) in
                [("=", '='), ("+=", '+'), ("-=", '-'), ("*=", '*'), ("/=", '/'), ("%=", '%'), ("^=", '^')]
            {
                if self.op(op) {
                    self.newlines();
                    return Ok(E::Set(Box::new(left), letter, Box::new(self.expression()?)));
                }
            }
        }
        Ok(left)
    }

    /// `||`, `&&`, `in`, matches, comparisons; then concatenation.
    fn binary(&mut self, level: usize) -> Got<E> {
        const LEVELS: [&[&str]; 5] = [&["||"], &["&&"], &[], &["~", "!~"], &["<", "<=", "==", "!=", ">", ">="]];
        let Some(ops) = LEVELS.get(level) else { return self.concatenation() };
        let mut left = self.binary(level + 1)?;
        loop {
            if level == 2 {
                if self.no_in || !self.word("in") {
                    return Ok(left);
                }
                self.link()?;
                let T::Name(array) = self.next() else { return Err(self.near()) };
                left = E::In(if let E::Group(inner) = left { inner } else { vec![left] }, array);
                continue;
            }
            let op = match self.peek() {
                T::Op(op) if ops.contains(op) && !(self.no_gt && *op == ">") => *op,
                _ => return Ok(left),
            };
            self.at += 1;
            self.link()?;
            if level < 2 {
                self.newlines();
            }
            let right = self.binary(level + 1)?;
            // An assignment may stand on the right: `a && b = 1`.
            left = E::Bin(op, Box::new(left), Box::new(right));
        }
    }

    fn concatenation(&mut self) -> Got<E> {
        let mut left = self.sum(0)?;
        while match self.peek() {
            T::Num(_) | T::Str(_) | T::Func(_) | T::Op("$" | "(" | "!" | "-" | "+" | "++" | "--") => true,
            T::Name(name) => !is_word(name),
            _ => false,
        } {
            self.link()?;
            left = E::Bin(" ", Box::new(left), Box::new(self.sum(0)?));
        }
        if *self.peek() == T::Op("|") || matches!(self.peek(), T::Name(name) if name == "getline") {
            return Err("pipes and getline in awk are not simulated in Capas".to_owned());
        }
        Ok(left)
    }

    fn sum(&mut self, level: usize) -> Got<E> {
        const LEVELS: [&[&str]; 2] = [&["+", "-"], &["*", "/", "%"]];
        let Some(ops) = LEVELS.get(level) else { return self.unary() };
        let mut left = self.sum(level + 1)?;
        while let T::Op(op) = self.peek()
            && ops.contains(op)
        {
            let op = *op;
            self.at += 1;
            self.link()?;
            left = E::Bin(op, Box::new(left), Box::new(self.sum(level + 1)?));
        }
        Ok(left)
    }

    fn unary(&mut self) -> Got<E> {
        for (op, letter) in [("!", '!'), ("-", '-'), ("+", '+')] {
            if self.op(op) {
                return Ok(E::Un(letter, Box::new(self.deeper(Self::unary)?)));
            }
        }
        let left = self.postfix()?;
        if self.op("^") {
            return Ok(E::Bin("^", Box::new(left), Box::new(self.deeper(Self::unary)?)));
        }
        Ok(left)
    }

    fn postfix(&mut self) -> Got<E> {
        for (op, by) in [("++", 1.0), ("--", -1.0)] {
            if self.op(op) {
                return Ok(E::Inc(Box::new(self.primary()?), by, false));
            }
        }
        let e = self.primary()?;
        if matches!(e, E::Var(_) | E::Idx(..) | E::Field(_)) {
            for (op, by) in [("++", 1.0), ("--", -1.0)] {
                if self.op(op) {
                    return Ok(E::Inc(Box::new(e), by, true));
                }
            }
        }
        Ok(e)
    }

    fn primary(&mut self) -> Got<E> {
        let back = self.at;
        Ok(match self.next() {
            T::Num(number) => E::Num(number),
            T::Str(text) => E::Str(text),
            T::Re(text) => E::Re(compile(text.as_bytes(), Grammar::Extended, false)?),
            T::Op("$") => E::Field(Box::new(self.deeper(|p| match p.peek() {
                T::Op("++" | "--") => p.postfix(),
                T::Op("-") => p.unary(),
                _ => p.primary(),
            })?)),
            T::Op("(") => E::Group(self.list(")")?),
            T::Op("-") => E::Un('-', Box::new(self.primary()?)),
            T::Func(name) => {
                self.expect("(")?;
                E::Call(name, self.list(")")?)
            }
            T::Name(name) if name == "length" => E::Call(name, Vec::new()),
            T::Name(name) if !is_word(&name) => {
                if self.op("[") {
                    E::Idx(name, self.list("]")?)
                } else {
                    E::Var(name)
                }
            }
            _ => {
                self.at = back;
                return Err(self.near());
            }
        })
    }
}
