//! Runs a template over a value (Go `text/template/exec.go`).

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::format;
use super::functions;
use super::lex::quote;
use super::parse::{Node, Operand, Pipe, Term, command_text};
use super::typed::{self, Kind};
use crate::base::sort::Arrange;

/// What a template is run over.
#[derive(Clone, Copy, Debug)]
pub struct Dot<'a> {
    /// The value.
    pub value: &'a Value,
    /// How missing fields are told.
    pub mode: Mode,
}

/// What the value stands for in Go, which decides what a missing field means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// A formatter's context of this type: a missing field is an error that names it. A field that is called with a name is looked up in
    /// the object of that field (`.Label "x"`).
    Context(&'static str),
    /// The header of a table: functions leave their first argument as it is, missing fields have no value.
    Header,
    /// A struct of Go's whose JSON names may differ in case (`.ID` is `id`): a missing field is an error that names the type.
    Struct(&'static str),
    /// What `inspect` shows with its Go types ([`super::document`]): fields are Go's, and each has a value.
    Typed,
    /// The JSON that `inspect` shows: missing keys are errors.
    Inspect,
}

/// `None` is Go's "no value": a key that a map does not have. What stands in the document is not copied.
pub(super) type Val<'v> = Option<Cow<'v, Value>>;

/// Fields that are maps in Docker's API types.
const MAPS: [&str; 17] = [
    "Labels",
    "Annotations",
    "Networks",
    "Ports",
    "Volumes",
    "ExposedPorts",
    "PortBindings",
    "Options",
    "DriverOpts",
    "Sysctls",
    "Tmpfs",
    "Data",
    "StorageOpt",
    "Config",
    "Containers",
    "Attributes",
    "Details",
];

pub(super) fn execute(text: &str, nodes: &[Node], dot: &Dot<'_>, out: &mut String) -> Result<(), String> {
    let value = Some(Cow::Borrowed(dot.value));
    let variables = vec![("$".to_owned(), value.clone())];
    let mut run = Run { text, mode: dot.mode, variables, out, root: dot.value };
    run.walk(nodes, &value).map(drop)
}

/// Whether a loop goes on.
#[derive(PartialEq)]
enum Flow {
    Next,
    Break,
    Continue,
}

struct Run<'a, 'v> {
    text: &'a str,
    mode: Mode,
    variables: Vec<(String, Val<'v>)>,
    out: &'a mut String,
    root: &'v Value,
}

/// The longest output of one execution.
const MAX_OUTPUT: usize = 16 << 20;

impl<'v> Run<'_, 'v> {
    fn walk(&mut self, nodes: &[Node], dot: &Val<'v>) -> Result<Flow, String> {
        for node in nodes {
            if self.out.len() > MAX_OUTPUT {
                return Err("template: output is too long".to_owned());
            }
            match node {
                Node::Text(text) => self.out.push_str(text),
                Node::Action(pipe) => {
                    let value = self.pipe(pipe, dot)?;
                    if pipe.variables.is_empty() {
                        self.out.push_str(&format::display(value.as_deref(), false));
                    }
                }
                Node::If(pipe, list, otherwise) | Node::With(pipe, list, otherwise) => {
                    let known = self.variables.len();
                    let value = self.pipe(pipe, dot)?;
                    let with = matches!(node, Node::With(..));
                    let flow = match truth(value.as_deref()) {
                        true => self.walk(list, if with { &value } else { dot })?,
                        false => self.walk(otherwise, dot)?,
                    };
                    self.variables.truncate(known);
                    if flow != Flow::Next {
                        return Ok(flow);
                    }
                }
                Node::Range(pipe, list, otherwise) => self.range(pipe, list, otherwise, dot)?,
                Node::Break => return Ok(Flow::Break),
                Node::Continue => return Ok(Flow::Continue),
            }
        }
        Ok(Flow::Next)
    }

    fn range(&mut self, pipe: &Pipe, list: &[Node], otherwise: &[Node], dot: &Val<'v>) -> Result<(), String> {
        let known = self.variables.len();
        let mut quiet = pipe.clone();
        let names = std::mem::take(&mut quiet.variables);
        let value = self.pipe(&quiet, dot)?;
        let items = match items(&value) {
            Some(items) => items,
            None => {
                let (at, text) = pipe_place(pipe);
                let shown = format::display(value.as_deref(), false);
                return Err(self.error(at, &text, &format!("range can't iterate over {shown}")));
            }
        };
        if items.is_empty() {
            self.walk(otherwise, dot)?;
        }
        for (key, item) in items {
            match names.as_slice() {
                [] => (),
                [one] => self.variables.push((one.clone(), Some(item.clone()))),
                [index, element, ..] => {
                    self.variables.push((index.clone(), Some(Cow::Owned(key))));
                    self.variables.push((element.clone(), Some(item.clone())));
                }
            }
            let flow = self.walk(list, &Some(item))?;
            self.variables.truncate(known);
            if flow == Flow::Break {
                break;
            }
        }
        Ok(())
    }

    fn pipe(&mut self, pipe: &Pipe, dot: &Val<'v>) -> Result<Val<'v>, String> {
        let mut value: Option<Val<'v>> = None;
        for command in &pipe.commands {
            value = Some(self.command(command, dot, value)?);
        }
        let value = value.flatten();
        for name in &pipe.variables {
            match self.variables.iter_mut().rev().find(|(known, _)| known == name) {
                Some(variable) if pipe.assigns => variable.1 = value.clone(),
                None if pipe.assigns => {
                    let (at, text) = pipe_place(pipe);
                    return Err(self.error(at, &text, &format!("undefined variable: {name}")));
                }
                _ => self.variables.push((name.clone(), value.clone())),
            }
        }
        Ok(value)
    }

    fn command(&mut self, command: &[Operand], dot: &Val<'v>, piped: Option<Val<'v>>) -> Result<Val<'v>, String> {
        let Some((first, rest)) = command.split_first() else { return Ok(None) };
        let plain = rest.is_empty() && piped.is_none();
        match &first.term {
            Term::Function(name) => self.call(name, first, command, dot, piped),
            Term::Field(names) => {
                let mut arguments = self.arguments(rest, dot)?;
                arguments.extend(piped);
                self.fields(dot.clone(), names, first, &arguments)
            }
            Term::Variable(name, names) => {
                let mut arguments = self.arguments(rest, dot)?;
                arguments.extend(piped);
                if names.is_empty() && !arguments.is_empty() {
                    return Err(self.no_function(first));
                }
                let value = self.variable(name);
                self.fields(value, names, first, &arguments)
            }
            Term::Pipe(_, names) if names.is_empty() && !plain => Err(self.no_function(first)),
            Term::Pipe(pipe, names) => {
                let value = self.pipe(pipe, dot)?;
                let mut arguments = self.arguments(rest, dot)?;
                arguments.extend(piped);
                self.fields(value, names, first, &arguments)
            }
            Term::Nil => Err(self.error(first.at, "nil", "nil is not a command")),
            _ if !plain => Err(self.no_function(first)),
            _ => self.operand(first, dot),
        }
    }

    fn no_function(&self, operand: &Operand) -> String {
        let text = operand.term.text();
        self.error(operand.at, &text, &format!("can't give argument to non-function {text}"))
    }

    fn arguments(&mut self, operands: &[Operand], dot: &Val<'v>) -> Result<Vec<Val<'v>>, String> {
        operands.iter().map(|operand| self.operand(operand, dot)).collect()
    }

    fn operand(&mut self, operand: &Operand, dot: &Val<'v>) -> Result<Val<'v>, String> {
        match &operand.term {
            Term::Dot => Ok(dot.clone()),
            Term::Nil => Ok(owned(Value::Null)),
            Term::Bool(value) => Ok(owned(Value::Bool(*value))),
            Term::Number(value, _) => Ok(owned(value.clone())),
            Term::Quoted(text, _) => Ok(owned(Value::String(text.clone()))),
            Term::Field(names) => self.fields(dot.clone(), names, operand, &[]),
            Term::Variable(name, names) => {
                let value = self.variable(name);
                self.fields(value, names, operand, &[])
            }
            Term::Pipe(pipe, names) => {
                let value = self.pipe(pipe, dot)?;
                self.fields(value, names, operand, &[])
            }
            Term::Function(name) => self.call(name, operand, std::slice::from_ref(operand), dot, None),
        }
    }

    fn variable(&self, name: &str) -> Val<'v> {
        self.variables.iter().rev().find(|(known, _)| known == name).and_then(|(_, value)| value.clone())
    }

    fn call(
        &mut self,
        name: &str,
        first: &Operand,
        command: &[Operand],
        dot: &Val<'v>,
        piped: Option<Val<'v>>,
    ) -> Result<Val<'v>, String> {
        let rest = command.get(1..).unwrap_or_default();
        if matches!(name, "and" | "or") {
            // These two look at no more arguments than they need.
            let mut value = owned(Value::Null);
            for operand in rest {
                value = self.operand(operand, dot)?;
                if truth(value.as_deref()) == (name == "or") {
                    return Ok(value);
                }
            }
            return Ok(piped.unwrap_or(value));
        }
        let mut arguments = self.arguments(rest, dot)?;
        arguments.extend(piped);
        let count = arguments.len();
        if let Some(wanted) = functions::wrong_count(name, count) {
            return Err(self.error(
                first.at,
                name,
                &format!("wrong number of args for {name}: want {wanted} got {count}"),
            ));
        }
        if self.mode == Mode::Header && functions::keeps_header(name) {
            return Ok(arguments.into_iter().next().flatten());
        }
        if let ("json", Some(Some(value))) = (name, arguments.first_mut())
            && let Some(map) = value.as_object()
        {
            match self.mode {
                Mode::Context(_) if self.is_root(value) => {
                    // Fields that want an argument are no part of a row's JSON.
                    let plain: Map<_, _> =
                        map.iter().filter(|(_, value)| !value.is_object()).map(owned_entry).collect();
                    return Ok(owned(Value::String(html_safe(&super::go_json(&Value::Object(plain))))));
                }
                // Of the oldest fields those that are empty are left out.
                Mode::Struct(_) => {
                    let is_shown = |key: &str, value: &Value| !(key.starts_with(char::is_lowercase) && value == "");
                    let shown = map.iter().filter(|(key, value)| is_shown(key, value)).map(owned_entry).collect();
                    *value = Cow::Owned(Value::Object(shown));
                }
                _ => {}
            }
        }
        functions::call(name, &arguments).map(|value| value.map(Cow::Owned)).map_err(|problem| match problem {
            functions::Problem::Call(text) => {
                self.error(first.at, &command_text(command), &format!("error calling {name}: {text}"))
            }
            functions::Problem::Argument { index, wanted, found } => {
                let operand = rest.get(index).unwrap_or(first);
                let text = match (&operand.term, found) {
                    (Term::Bool(_) | Term::Number(..) | Term::Quoted(..), _) => {
                        let wanted = if wanted == "int" { "integer" } else { wanted };
                        format!("expected {wanted}; found {}", operand.term.text())
                    }
                    (_, Some(found)) => format!("wrong type for value; expected {wanted}; got {found}"),
                    (_, None) => format!("invalid value; expected {wanted}"),
                };
                self.error(operand.at, &operand.term.text(), &text)
            }
        })
    }

    /// Goes down a chain of fields; the last one gets the arguments.
    fn fields(
        &self,
        value: Val<'v>,
        names: &[String],
        operand: &Operand,
        arguments: &[Val<'v>],
    ) -> Result<Val<'v>, String> {
        let mut value = value;
        let mut parent: Option<&str> = None;
        for (index, name) in names.iter().enumerate() {
            let is_last = index + 1 == names.len();
            let arguments = if is_last { arguments } else { &[] };
            value = self.field(value, name, parent, operand, arguments)?;
            parent = Some(name);
        }
        Ok(value)
    }

    fn field(
        &self,
        value: Val<'v>,
        name: &str,
        parent: Option<&str>,
        operand: &Operand,
        arguments: &[Val<'v>],
    ) -> Result<Val<'v>, String> {
        let place = last_place(operand);
        let fail = |text: &str| Err(self.error(place.at, &place.term.text(), text));
        let found = match value.as_deref() {
            Some(Value::Object(map)) if self.mode == Mode::Typed => match typed::kind(map) {
                Some(Kind::Struct { of, .. }) => match (typed::key(map, of, name), of.field(name)) {
                    (Some(key), _) => Some(key),
                    (None, Some(known)) => return Ok(owned(typed::zero(&known))),
                    (None, None) => return fail(&format!("can't evaluate field {name} in type {}", of.name)),
                },
                Some(Kind::Map { .. }) | None => Some(name),
                Some(_) => return fail(&format!("can't evaluate field {name}")),
            },
            Some(Value::Object(map)) => match (self.mode, parent) {
                (Mode::Struct(_), parent) if !parent.is_some_and(|parent| MAPS.contains(&parent)) => {
                    let same = |key: &str| key.eq_ignore_ascii_case(name) && name.starts_with(char::is_uppercase);
                    map.keys().find(|key| same(key)).map(String::as_str)
                }
                _ => Some(name),
            },
            Some(Value::Null) if self.mode == Mode::Inspect => {
                return fail(&format!("nil pointer evaluating interface {{}}.{name}"));
            }
            None => return fail(&format!("nil data; no entry for key {}", quote(name))),
            Some(other) => {
                let kind = format::type_name(other);
                return fail(&format!("can't evaluate field {name} in type {kind}"));
            }
        };
        let is_root = value.as_deref().is_some_and(|value| self.is_root(value));
        let found: Val<'v> = found.and_then(|key| match &value {
            Some(Cow::Borrowed(value)) => value.get(key).map(Cow::Borrowed),
            Some(Cow::Owned(value)) => value.get(key).cloned().map(Cow::Owned),
            None => None,
        });
        let texts: Vec<Option<&str>> = arguments.iter().map(|value| value.as_deref().and_then(Value::as_str)).collect();
        match (self.mode, found) {
            (Mode::Context(_), Some(labels)) if labels.is_object() && is_root && !arguments.is_empty() => {
                match texts.as_slice() {
                    [Some(key)] => Ok(owned(labels.get(key).cloned().unwrap_or_else(|| Value::String(String::new())))),
                    _ => fail(&format!("wrong number of args for {name}: want 1 got {}", arguments.len())),
                }
            }
            (Mode::Context(_), Some(_)) if is_root && !arguments.is_empty() => {
                fail(&format!("wrong number of args for {name}: want 0 got {}", arguments.len()))
            }
            (_, Some(_)) if !arguments.is_empty() => {
                fail(&format!("{name} has arguments but cannot be invoked as function"))
            }
            (_, Some(found)) => Ok(Some(found)),
            (Mode::Struct(_), None) if parent.is_some_and(|parent| MAPS.contains(&parent)) => Ok(None),
            (Mode::Context(kind) | Mode::Struct(kind), None) => {
                fail(&format!("can't evaluate field {name} in type {kind}"))
            }
            // docker/cli `SubHeaderContext.Label`.
            (Mode::Header, None) if name == "Label" => match texts.as_slice() {
                [Some(label)] => {
                    let last = label.rsplit('.').next().unwrap_or("");
                    Ok(owned(Value::String(last.replace(['-', '_'], " "))))
                }
                _ => fail(&format!("wrong number of args for Label: want 1 got {}", arguments.len())),
            },
            (Mode::Header, None) => Ok(None),
            (Mode::Typed, None) => Ok(None),
            (Mode::Inspect, None) => fail(&format!("map has no entry for key {}", quote(name))),
        }
    }

    /// Whether it is what the template is run over, and not something that looks like it.
    fn is_root(&self, value: &Value) -> bool {
        std::ptr::eq(value, self.root)
    }

    /// Go's `state.errorf`, with line and column of the place.
    fn error(&self, at: usize, node: &str, message: &str) -> String {
        let before = self.text.get(..at).unwrap_or("");
        let line = before.matches('\n').count() + 1;
        let column = before.rfind('\n').map_or(at, |newline| at - newline - 1);
        format!("template: :{line}:{column}: executing \"\" at <{node}>: {message}")
    }
}

fn owned<'v>(value: Value) -> Val<'v> {
    Some(Cow::Owned(value))
}

fn owned_entry((key, value): (&String, &Value)) -> (String, Value) {
    (key.clone(), value.clone())
}

/// What a loop goes through, with keys; nothing if that is no value for a loop.
fn items<'v>(value: &Val<'v>) -> Option<Vec<(Value, Cow<'v, Value>)>> {
    let list = |items: &mut dyn Iterator<Item = Cow<'v, Value>>| {
        items.enumerate().map(|(at, item)| (at.into(), item)).collect()
    };
    let sorted = |mut items: Vec<(Value, Cow<'v, Value>)>| {
        items.arrange_by(|a, b| a.0.as_str().cmp(&b.0.as_str()));
        items
    };
    let key = |key: &String| Value::String(key.clone());
    Some(match value {
        Some(Cow::Borrowed(Value::Array(items))) => list(&mut items.iter().map(Cow::Borrowed)),
        Some(Cow::Owned(Value::Array(items))) => list(&mut items.iter().cloned().map(Cow::Owned)),
        Some(value) if value.is_object() => match (value.as_object().and_then(typed::kind), value) {
            (Some(Kind::Struct { .. } | Kind::Time(_)), _) => return None,
            (Some(Kind::NilList), _) => Vec::new(),
            (_, Cow::Borrowed(Value::Object(map))) => {
                sorted(typed::entries(map).map(|(name, item)| (key(name), Cow::Borrowed(item))).collect())
            }
            (_, Cow::Owned(Value::Object(map))) => {
                sorted(typed::entries(map).map(|(name, item)| (key(name), Cow::Owned(item.clone()))).collect())
            }
            _ => return None,
        },
        None => Vec::new(),
        Some(value) => match (value.is_null(), value.as_u64()) {
            (true, _) => Vec::new(),
            (_, Some(count)) if count <= 100_000 => list(&mut (0..count).map(|n| Cow::Owned(n.into()))),
            _ => return None,
        },
    })
}

fn pipe_place(pipe: &Pipe) -> (usize, String) {
    let first = pipe.commands.first().and_then(|command| command.first());
    first.map_or((0, String::new()), |operand| (operand.at, operand.term.text()))
}

/// Go's `json.Marshal`, as opposed to an encoder, escapes what HTML would read as markup.
fn html_safe(json: &str) -> String {
    json.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

/// Go tells of the operand that it looked at last.
fn last_place(operand: &Operand) -> &Operand {
    match &operand.term {
        Term::Pipe(pipe, _) => pipe.commands.last().and_then(|command| command.last()).map_or(operand, last_place),
        _ => operand,
    }
}

/// Go's `template.IsTrue`.
pub(super) fn truth(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => false,
        Some(Value::Bool(value)) => *value,
        Some(Value::Number(number)) => number.as_f64() != Some(0.0),
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Array(items)) => !items.is_empty(),
        Some(Value::Object(map)) => match typed::kind(map) {
            Some(Kind::Struct { .. } | Kind::Time(_)) => true,
            Some(Kind::Duration(nanos)) => nanos != 0,
            Some(Kind::NilList) => false,
            _ => typed::entries(map).next().is_some(),
        },
    }
}
