//! From words to nodes (Go `text/template/parse/parse.go`).

use serde_json::{Number, Value};

use super::MAX_DEPTH;
use super::functions;
use super::lex::{Placed, Token, lex, quote};

/// A part of a template.
#[derive(Debug, Clone)]
pub(super) enum Node {
    Text(String),
    Action(Pipe),
    If(Pipe, Vec<Node>, Vec<Node>),
    With(Pipe, Vec<Node>, Vec<Node>),
    Range(Pipe, Vec<Node>, Vec<Node>),
    Break,
    Continue,
}

/// Commands whose results go into one another, perhaps into variables.
#[derive(Debug, Clone, Default)]
pub(super) struct Pipe {
    pub(super) variables: Vec<String>,
    pub(super) assigns: bool,
    pub(super) commands: Vec<Vec<Operand>>,
}

/// An operand with the byte that it starts at.
#[derive(Debug, Clone)]
pub(super) struct Operand {
    pub(super) term: Term,
    pub(super) at: usize,
}

#[derive(Debug, Clone)]
pub(super) enum Term {
    Dot,
    Nil,
    Bool(bool),
    /// A number and how it was written.
    Number(Value, String),
    /// A string and how it was written.
    Quoted(String, String),
    Field(Vec<String>),
    Variable(String, Vec<String>),
    Function(String),
    Pipe(Box<Pipe>, Vec<String>),
}

pub(super) fn parse(text: &str) -> Result<Vec<Node>, String> {
    let mut parser = Parser { tokens: lex(text), next: 0, variables: vec!["$".to_owned()], loops: 0, depth: 0 };
    let (nodes, end) = parser.list().map_err(|message| parser.locate(text, &message))?;
    match end {
        End::Text => Ok(nodes),
        End::Close => Err(parser.locate(text, "unexpected {{end}}")),
        End::Else => Err(parser.locate(text, "unexpected {{else}}")),
    }
}

/// What ended a list of nodes. After `Else`, the parser stands behind the word.
#[derive(PartialEq)]
enum End {
    Text,
    Close,
    Else,
}

struct Parser {
    tokens: Vec<Placed>,
    next: usize,
    variables: Vec<String>,
    loops: usize,
    depth: usize,
}

impl Parser {
    fn locate(&self, text: &str, message: &str) -> String {
        let at = self.tokens.get(self.next.saturating_sub(1)).map_or(0, |(_, at)| *at);
        let line = text.get(..at).unwrap_or("").matches('\n').count() + 1;
        format!("template: :{line}: {message}")
    }

    fn peek(&self) -> &Token {
        self.tokens.get(self.next).map_or(&Token::End, |(token, _)| token)
    }

    fn peek_behind_blanks(&mut self) -> &Token {
        if *self.peek() == Token::Space {
            self.next += 1;
        }
        self.peek()
    }

    fn advance(&mut self) -> Placed {
        let placed = self.tokens.get(self.next).cloned().unwrap_or((Token::End, 0));
        self.next += 1;
        placed
    }

    fn advance_behind_blanks(&mut self) -> Placed {
        self.peek_behind_blanks();
        self.advance()
    }

    fn list(&mut self) -> Result<(Vec<Node>, End), String> {
        let mut nodes = Vec::new();
        loop {
            match self.advance().0 {
                Token::Text(text) => nodes.push(Node::Text(text)),
                Token::Left => match self.action()? {
                    Ok(node) => nodes.push(node),
                    Err(end) => return Ok((nodes, end)),
                },
                Token::End => return Ok((nodes, End::Text)),
                Token::Error(message) => return Err(message),
                token => return Err(unexpected(&token, "input")),
            }
        }
    }

    fn action(&mut self) -> Result<Result<Node, End>, String> {
        let Token::Word(word) = self.peek_behind_blanks().clone() else {
            return self.pipeline("command", false).map(Node::Action).map(Ok);
        };
        match word.as_str() {
            "if" | "with" | "range" => {
                self.next += 1;
                self.control(&word).map(Ok)
            }
            "end" => {
                self.next += 1;
                match self.advance_behind_blanks().0 {
                    Token::Right => Ok(Err(End::Close)),
                    token => Err(unexpected(&token, "end")),
                }
            }
            "else" => {
                self.next += 1;
                // `else if` keeps the pipeline for `control`.
                match self.peek_behind_blanks().clone() {
                    Token::Word(word) if matches!(word.as_str(), "if" | "with") => Ok(Err(End::Else)),
                    _ => match self.advance_behind_blanks().0 {
                        Token::Right => Ok(Err(End::Else)),
                        token => Err(unexpected(&token, "else")),
                    },
                }
            }
            "break" | "continue" => {
                self.next += 1;
                match self.advance_behind_blanks().0 {
                    Token::Right if self.loops == 0 => Err(format!("{{{{{word}}}}} outside {{{{range}}}}")),
                    Token::Right => Ok(Ok(if word == "break" { Node::Break } else { Node::Continue })),
                    token => Err(unexpected(&token, &format!("{{{{{word}}}}}"))),
                }
            }
            "define" | "block" | "template" => Err(format!("{{{{{word}}}}} is not simulated in Capas")),
            _ => self.pipeline("command", false).map(Node::Action).map(Ok),
        }
    }

    fn control(&mut self, word: &str) -> Result<Node, String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err("exceeded maximum template depth".to_owned());
        }
        let known = self.variables.len();
        let pipe = self.pipeline(word, word == "range")?;
        self.loops += usize::from(word == "range");
        let (list, end) = self.list()?;
        self.loops -= usize::from(word == "range");
        let otherwise = match end {
            End::Text => return Err("unexpected EOF".to_owned()),
            End::Close => Vec::new(),
            End::Else => match self.peek().clone() {
                // `{{else if x}}` is `{{else}}{{if x}}` with one `{{end}}` for both.
                Token::Word(next) if next == "if" && word == "if" || next == "with" && word == "with" => {
                    self.next += 1;
                    vec![self.control(word)?]
                }
                _ => match self.list()? {
                    (list, End::Close) => list,
                    (_, End::Else) => return Err("expected end; found {{else}}".to_owned()),
                    (_, End::Text) => return Err("unexpected EOF".to_owned()),
                },
            },
        };
        self.variables.truncate(known);
        self.depth -= 1;
        Ok(match word {
            "if" => Node::If(pipe, list, otherwise),
            "with" => Node::With(pipe, list, otherwise),
            _ => Node::Range(pipe, list, otherwise),
        })
    }

    fn pipeline(&mut self, context: &str, range: bool) -> Result<Pipe, String> {
        let mut pipe = Pipe::default();
        self.declarations(&mut pipe, context, range)?;
        loop {
            match self.advance_behind_blanks().0 {
                Token::Right => {
                    if pipe.commands.is_empty() {
                        return Err(format!("missing value for {context}"));
                    }
                    self.variables.extend(if pipe.assigns { Vec::new() } else { pipe.variables.clone() });
                    return check_stages(pipe);
                }
                Token::Mark(')') if context == "parenthesized pipeline" => {
                    if pipe.commands.is_empty() {
                        return Err(format!("missing value for {context}"));
                    }
                    return check_stages(pipe);
                }
                Token::Error(message) => return Err(message),
                Token::Mark('(')
                | Token::Dot
                | Token::Field(_)
                | Token::Variable(_)
                | Token::Word(_)
                | Token::Number(_)
                | Token::Quoted(_)
                | Token::Char(_) => {
                    self.next -= 1;
                    let command = self.command()?;
                    pipe.commands.push(command);
                }
                token => return Err(unexpected(&token, context)),
            }
        }
    }

    /// `$x :=`, `$x =`, `$i, $e :=`.
    fn declarations(&mut self, pipe: &mut Pipe, context: &str, range: bool) -> Result<(), String> {
        let start = self.next;
        while let Token::Variable(name) = self.peek_behind_blanks().clone() {
            self.next += 1;
            match self.peek_behind_blanks().clone() {
                Token::Declare | Token::Mark('=') => {
                    pipe.assigns = *self.peek() == Token::Mark('=');
                    self.next += 1;
                    pipe.variables.push(name);
                    return Ok(());
                }
                Token::Mark(',') if range && pipe.variables.is_empty() => {
                    self.next += 1;
                    pipe.variables.push(name);
                }
                Token::Mark(',') if range => return Err(format!("too many declarations in {context}")),
                _ => break,
            }
        }
        pipe.variables.clear();
        self.next = start;
        Ok(())
    }

    /// Operands up to a bar, the action's end or a parenthesis.
    fn command(&mut self) -> Result<Vec<Operand>, String> {
        let mut operands = Vec::new();
        loop {
            self.peek_behind_blanks();
            if let Some(operand) = self.operand()? {
                operands.push(operand);
            }
            match self.advance().0 {
                Token::Space => (),
                Token::Right | Token::Mark(')') => {
                    self.next -= 1;
                    break;
                }
                Token::Mark('|') => break,
                Token::Error(message) => return Err(message),
                token => return Err(unexpected(&token, "operand")),
            }
        }
        if operands.is_empty() { Err("empty command".to_owned()) } else { Ok(operands) }
    }

    fn operand(&mut self) -> Result<Option<Operand>, String> {
        let (token, at) = self.advance_behind_blanks();
        let term = match token {
            Token::Word(word) => match word.as_str() {
                "true" | "false" => Term::Bool(word == "true"),
                "nil" => Term::Nil,
                _ if functions::exists(&word) => Term::Function(word),
                _ => return Err(format!("function {} not defined", quote(&word))),
            },
            Token::Dot => Term::Dot,
            Token::Field(name) => Term::Field(vec![name]),
            Token::Variable(name) if self.variables.contains(&name) => Term::Variable(name, Vec::new()),
            Token::Variable(name) => return Err(format!("undefined variable {}", quote(&name))),
            Token::Number(text) => Term::Number(number(&text)?, text),
            Token::Char(text) => Term::Number(character(&text)?.into(), text),
            Token::Quoted(text) => Term::Quoted(unquote(&text).ok_or("invalid syntax")?, text),
            Token::Mark('(') => {
                self.depth += 1;
                if self.depth > MAX_DEPTH {
                    return Err("max expression depth exceeded".to_owned());
                }
                let pipe = self.pipeline("parenthesized pipeline", false)?;
                self.depth -= 1;
                Term::Pipe(Box::new(pipe), Vec::new())
            }
            _ => {
                self.next -= 1;
                return Ok(None);
            }
        };
        self.chain(Operand { term, at }).map(Some)
    }

    /// Fields that follow without a blank: `.A.B`, `$x.A`, `(..).A`.
    fn chain(&mut self, mut operand: Operand) -> Result<Operand, String> {
        // Go gives a chain the place of its second part.
        let mut first = true;
        while let Token::Field(name) = self.peek().clone() {
            let at = self.advance().1;
            match &mut operand.term {
                Term::Field(names) | Term::Variable(_, names) | Term::Pipe(_, names) => names.push(name),
                term => return Err(format!("unexpected . after term {}", quote(&term.text()))),
            }
            if std::mem::take(&mut first) && !matches!(operand.term, Term::Pipe(..)) {
                operand.at = at;
            }
        }
        Ok(operand)
    }
}

/// Only the first command of a pipeline may be a plain value.
fn check_stages(pipe: Pipe) -> Result<Pipe, String> {
    for (index, command) in pipe.commands.iter().enumerate().skip(1) {
        if let Some(Operand {
            term: Term::Bool(_) | Term::Dot | Term::Nil | Term::Number(..) | Term::Quoted(..), ..
        }) = command.first()
        {
            return Err(format!("non executable command in pipeline stage {}", index + 1));
        }
    }
    Ok(pipe)
}

impl Term {
    /// As Go prints the node.
    pub(super) fn text(&self) -> String {
        let fields = |names: &[String]| names.iter().map(|name| format!(".{name}")).collect::<String>();
        match self {
            Self::Dot => ".".to_owned(),
            Self::Nil => "nil".to_owned(),
            Self::Bool(value) => value.to_string(),
            Self::Number(_, text) | Self::Quoted(_, text) => text.clone(),
            Self::Field(names) => fields(names),
            Self::Variable(name, names) => name.clone() + &fields(names),
            Self::Function(name) => name.clone(),
            Self::Pipe(pipe, names) => format!("({}){}", pipe.text(), fields(names)),
        }
    }
}

impl Pipe {
    fn text(&self) -> String {
        let mut text = self.variables.join(", ");
        if !text.is_empty() {
            text.push_str(if self.assigns { " = " } else { " := " });
        }
        let commands: Vec<String> = self.commands.iter().map(|command| command_text(command)).collect();
        text + &commands.join(" | ")
    }
}

/// A command as Go prints it.
pub(super) fn command_text(command: &[Operand]) -> String {
    let operands: Vec<String> = command.iter().map(|operand| operand.term.text()).collect();
    operands.join(" ")
}

fn unexpected(token: &Token, context: &str) -> String {
    let text = match token {
        Token::Text(text) | Token::Number(text) | Token::Quoted(text) | Token::Char(text) | Token::Variable(text) => {
            quote(text)
        }
        Token::Word(text) if is_keyword(text) => format!("<{text}>"),
        Token::Word(text) => quote(text),
        Token::Field(name) => quote(&format!(".{name}")),
        Token::Left => quote("{{"),
        Token::Right => quote("}}"),
        Token::Space => quote(" "),
        Token::Dot => "<.>".to_owned(),
        Token::Mark(c) => quote(&c.to_string()),
        Token::Declare => quote(":="),
        Token::Error(message) => return message.clone(),
        Token::End => "EOF".to_owned(),
    };
    format!("unexpected {text} in {context}")
}

fn is_keyword(word: &str) -> bool {
    matches!(
        word,
        "if" | "with" | "range" | "end" | "else" | "break" | "continue" | "define" | "block" | "template" | "nil"
    )
}

fn number(text: &str) -> Result<Value, String> {
    if let Ok(int) = crate::docker::cli::value::parse_int(text.replace('_', "").as_bytes()) {
        return Ok(int.into());
    }
    if text.contains(['.', 'e', 'E']) && !text.starts_with("0x") {
        return match text.replace('_', "").parse::<f64>().ok().and_then(Number::from_f64) {
            Some(number) => Ok(Value::Number(number)),
            None => Err(format!("illegal number syntax: {}", quote(text))),
        };
    }
    if text.trim_start_matches(['+', '-']).chars().all(|c| c.is_ascii_digit()) && text.len() > 1 {
        return Err(format!("integer overflow: {}", quote(text)));
    }
    Err(format!("illegal number syntax: {}", quote(text)))
}

fn character(text: &str) -> Result<u32, String> {
    let malformed = || format!("malformed character constant: {text}");
    let inner = text.strip_prefix('\'').and_then(|text| text.strip_suffix('\'')).ok_or_else(malformed)?;
    let inner = unquote(&format!("\"{}\"", inner.replace("\\'", "'").replace('"', "\\\""))).ok_or_else(malformed)?;
    let mut chars = inner.chars();
    match (chars.next(), chars.next()) {
        (Some(c), None) => Ok(u32::from(c)),
        _ => Err(malformed()),
    }
}

/// Go's `strconv.Unquote`.
fn unquote(text: &str) -> Option<String> {
    if let Some(raw) = text.strip_prefix('`') {
        return Some(raw.strip_suffix('`')?.replace('\r', ""));
    }
    let mut chars = text.strip_prefix('"')?.strip_suffix('"')?.chars();
    let mut out = String::new();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        let escape = chars.next()?;
        let digits = match escape {
            'a' => '\x07'.into(),
            'b' => '\x08'.into(),
            'f' => '\x0c'.into(),
            'n' => '\n'.into(),
            'r' => '\r'.into(),
            't' => '\t'.into(),
            'v' => '\x0b'.into(),
            '\\' | '"' => escape.into(),
            'x' => hex(&mut chars, 2)?,
            'u' => hex(&mut chars, 4)?,
            'U' => hex(&mut chars, 8)?,
            '0'..='7' => {
                let text: String = std::iter::once(escape).chain(chars.by_ref().take(2)).collect();
                u32::from_str_radix(&text, 8).ok().filter(|_| text.len() == 3)?
            }
            _ => return None,
        };
        out.push(char::from_u32(digits)?);
    }
    Some(out)
}

fn hex(chars: &mut std::str::Chars<'_>, count: usize) -> Option<u32> {
    let text: String = chars.by_ref().take(count).collect();
    u32::from_str_radix(&text, 16).ok().filter(|_| text.len() == count)
}
