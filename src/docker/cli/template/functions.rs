//! The functions of templates: Go's own and those of docker/cli (`templates/templates.go`).

use std::cmp::Ordering;

use serde_json::Value;

use super::exec::{Val, truth};
use super::typed::{self, Kind};
use super::{format, go_json};

/// Why a function cannot answer.
pub(super) enum Problem {
    /// It says so.
    Call(String),
    /// This argument is of a wrong type (`None`: it is no value at all).
    Argument { index: usize, wanted: &'static str, found: Option<&'static str> },
}

/// Names with the fewest and most arguments.
const FUNCTIONS: [(&str, usize, usize); 24] = [
    ("and", 1, MANY),
    ("or", 1, MANY),
    ("not", 1, 1),
    ("eq", 1, MANY),
    ("ne", 2, 2),
    ("lt", 2, 2),
    ("le", 2, 2),
    ("gt", 2, 2),
    ("ge", 2, 2),
    ("len", 1, 1),
    ("index", 1, MANY),
    ("slice", 1, MANY),
    ("print", 0, MANY),
    ("printf", 1, MANY),
    ("println", 0, MANY),
    ("json", 1, 1),
    ("split", 2, 2),
    ("join", 2, 2),
    ("title", 1, 1),
    ("lower", 1, 1),
    ("upper", 1, 1),
    ("pad", 3, 3),
    ("truncate", 2, 2),
    ("urlquery", 0, MANY),
];

const MANY: usize = usize::MAX;

pub(super) fn exists(name: &str) -> bool {
    FUNCTIONS.iter().any(|(known, ..)| *known == name)
}

/// How many arguments it wants, when it got another number of them.
pub(super) fn wrong_count(name: &str, count: usize) -> Option<String> {
    let (_, least, most) = FUNCTIONS.iter().find(|(known, ..)| *known == name)?;
    match count {
        _ if (*least..=*most).contains(&count) => None,
        _ if *most == MANY => Some(format!("at least {least}")),
        _ => Some(least.to_string()),
    }
}

/// docker/cli `HeaderFunctions`.
pub(super) fn keeps_header(name: &str) -> bool {
    matches!(name, "json" | "split" | "join" | "title" | "lower" | "upper" | "truncate")
}

pub(super) fn call(name: &str, arguments: &[Val<'_>]) -> Result<Option<Value>, Problem> {
    let value = |index: usize| arguments.get(index).and_then(Option::as_deref);
    let text = |index: usize| match value(index) {
        Some(Value::String(text)) => Ok(text.clone()),
        other => Err(wrong_type(index, "string", other)),
    };
    let int = |index: usize| match value(index) {
        Some(Value::Number(number)) if number.is_i64() || number.is_u64() => Ok(number.as_i64().unwrap_or(i64::MAX)),
        other => Err(wrong_type(index, "int", other)),
    };
    let string = |text: String| Ok(Some(Value::String(text)));
    match name {
        "not" => Ok(Some(Value::Bool(!truth(value(0))))),
        "eq" | "ne" | "lt" | "le" | "gt" | "ge" => compare(name, arguments).map(|answer| Some(Value::Bool(answer))),
        "len" => match value(0) {
            Some(Value::String(text)) => Ok(Some(text.len().into())),
            Some(Value::Array(items)) => Ok(Some(items.len().into())),
            Some(Value::Object(map)) => match typed::kind(map) {
                Some(Kind::Struct { of, .. }) => Err(Problem::Call(format!("len of type {}", of.name))),
                Some(Kind::NilList) => Ok(Some(0.into())),
                _ => Ok(Some(typed::entries(map).count().into())),
            },
            Some(Value::Null) | None => Err(Problem::Call("len of nil pointer".to_owned())),
            Some(other) => Err(Problem::Call(format!("len of type {}", format::type_name(other)))),
        },
        "index" => index(arguments),
        "slice" => slice(arguments),
        "print" => string(format::print(arguments)),
        "println" => string(format::println(arguments)),
        "printf" => string(format::printf(&text(0)?, arguments.get(1..).unwrap_or_default())),
        "json" => string(go_json(&value(0).map_or(Value::Null, typed::plain))),
        "split" => {
            let (whole, separator) = (text(0)?, text(1)?);
            let parts: Vec<Value> = match separator.as_str() {
                "" => whole.chars().map(|c| Value::String(c.to_string())).collect(),
                _ => whole.split(separator.as_str()).map(|part| Value::String(part.to_owned())).collect(),
            };
            Ok(Some(Value::Array(parts)))
        }
        "join" => match value(0) {
            Some(Value::Array(items)) => {
                let items: Vec<String> = items.iter().map(|item| format::display(Some(item), false)).collect();
                string(items.join(&text(1)?))
            }
            Some(Value::Null) | None => string(String::new()),
            Some(Value::Object(map)) if matches!(typed::kind(map), Some(Kind::NilList)) => string(String::new()),
            other => Err(wrong_type(0, "[]string", other)),
        },
        "title" => string(title(&text(0)?)),
        "lower" => string(text(0)?.to_lowercase()),
        "upper" => string(text(0)?.to_uppercase()),
        "pad" => {
            let blanks = |n: i64| " ".repeat(usize::try_from(n.clamp(0, 10_000)).unwrap_or(0));
            let (text, before, after) = (text(0)?, int(1)?, int(2)?);
            string(if text.is_empty() { text } else { blanks(before) + &text + &blanks(after) })
        }
        "truncate" => {
            let (mut text, length) = (text(0)?, int(1)?);
            let length = usize::try_from(length).map_err(|_| Problem::Call("slice bounds out of range".to_owned()))?;
            if text.len() >= length {
                // Go cuts bytes; a character that would be cut in two is dropped.
                let end = (0..=length).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
                text.truncate(end);
            }
            string(text)
        }
        "urlquery" => {
            let mut out = String::new();
            for byte in format::print(arguments).bytes() {
                match byte {
                    b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
                    b' ' => out.push('+'),
                    _ => out.push_str(&format!("%{byte:02X}")),
                }
            }
            string(out)
        }
        _ => Err(Problem::Call("no such function".to_owned())),
    }
}

fn wrong_type(index: usize, wanted: &'static str, value: Option<&Value>) -> Problem {
    Problem::Argument { index, wanted, found: value.filter(|value| !value.is_null()).map(format::type_name) }
}

/// Go's `strings.Title`: the first letter of each word.
fn title(text: &str) -> String {
    let mut out = String::new();
    let mut inside = false;
    for c in text.chars() {
        if inside {
            out.push(c)
        } else {
            out.extend(c.to_uppercase())
        }
        inside = c.is_alphanumeric() || c == '_' || c == '\'';
    }
    out
}

fn index(arguments: &[Val<'_>]) -> Result<Option<Value>, Problem> {
    let Some((first, rest)) = arguments.split_first() else { return Ok(None) };
    let mut item = first.as_deref();
    for key in rest {
        item = match (item, key.as_deref()) {
            (Some(Value::Object(map)), Some(Value::String(key))) => match typed::kind(map) {
                Some(Kind::Map { zero, .. }) => Some(map.get(key).unwrap_or(zero)),
                Some(Kind::Struct { of, .. }) => {
                    return Err(Problem::Call(format!("can't index item of type {}", of.name)));
                }
                _ => map.get(key),
            },
            (Some(Value::Object(map)), Some(Value::Number(number)))
                if matches!(typed::kind(map), Some(Kind::NilList)) =>
            {
                return Err(Problem::Call(format!("index out of range: {number}")));
            }
            (Some(Value::Array(items)), Some(Value::Number(number))) => {
                let found = number.as_u64().and_then(|n| usize::try_from(n).ok()).and_then(|n| items.get(n));
                match found {
                    Some(item) => Some(item),
                    None => return Err(Problem::Call(format!("index out of range: {number}"))),
                }
            }
            (Some(Value::String(text)), Some(Value::Number(number))) => {
                let found =
                    number.as_u64().and_then(|n| usize::try_from(n).ok()).and_then(|n| text.as_bytes().get(n).copied());
                match found {
                    Some(byte) => {
                        let byte_of_text = Value::from(byte);
                        return if rest.len() == 1 { Ok(Some(byte_of_text)) } else { Err(not_indexed(&byte_of_text)) };
                    }
                    None => return Err(Problem::Call(format!("index out of range: {number}"))),
                }
            }
            (None | Some(Value::Null), _) => return Err(Problem::Call("index of untyped nil".to_owned())),
            (Some(Value::Object(_)), other) => {
                let kind = other.map_or("nil", format::type_name);
                return Err(Problem::Call(format!("value has type {kind}; should be string")));
            }
            (Some(Value::Array(_) | Value::String(_)), other) => {
                let kind = other.map_or("nil", format::type_name);
                return Err(Problem::Call(format!("cannot index slice/array with type {kind}")));
            }
            (Some(other), _) => {
                return Err(not_indexed(other));
            }
        };
    }
    Ok(item.cloned())
}

fn not_indexed(value: &Value) -> Problem {
    Problem::Call(format!("can't index item of type {}", format::type_name(value)))
}

fn slice(arguments: &[Val<'_>]) -> Result<Option<Value>, Problem> {
    let Some(item) = arguments.first().and_then(Option::as_deref) else {
        return Err(Problem::Call("slice of untyped nil".to_owned()));
    };
    let length = match item {
        Value::String(text) => text.len(),
        Value::Array(items) => items.len(),
        other => return Err(Problem::Call(format!("can't slice item of type {}", format::type_name(other)))),
    };
    let mut bounds = [0, length];
    for (bound, argument) in bounds.iter_mut().zip(arguments.iter().skip(1)) {
        let number = argument.as_deref().and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok());
        *bound = number.filter(|n| *n <= length).ok_or_else(|| {
            Problem::Call(format!("index out of range: {}", format::display(argument.as_deref(), false)))
        })?;
    }
    let [from, to] = bounds;
    if from > to {
        return Err(Problem::Call(format!("invalid slice index: {from} > {to}")));
    }
    Ok(Some(match item {
        Value::Array(items) => Value::Array(items.get(from..to).unwrap_or_default().to_vec()),
        _ => Value::String(item.as_str().and_then(|text| text.get(from..to)).unwrap_or_default().to_owned()),
    }))
}

fn compare(name: &str, arguments: &[Val<'_>]) -> Result<bool, Problem> {
    let Some((first, rest)) = arguments.split_first() else { return Ok(false) };
    if rest.is_empty() {
        return Err(Problem::Call("missing argument for comparison".to_owned()));
    }
    if name == "eq" {
        for other in rest {
            if order(first.as_deref(), other.as_deref(), true)? == Some(Ordering::Equal) {
                return Ok(true);
            }
        }
        return Ok(false);
    }
    let second = rest.first().and_then(Option::as_deref);
    let order = order(first.as_deref(), second, name == "ne")?;
    Ok(match name {
        "ne" => order != Some(Ordering::Equal),
        "lt" => order == Some(Ordering::Less),
        "le" => matches!(order, Some(Ordering::Less | Ordering::Equal)),
        "gt" => order == Some(Ordering::Greater),
        _ => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
    })
}

fn order(a: Option<&Value>, b: Option<&Value>, equality: bool) -> Result<Option<Ordering>, Problem> {
    let equal = |same: bool| Ok(Some(if same { Ordering::Equal } else { Ordering::Less }));
    match (a, b) {
        (Some(Value::String(a)), Some(Value::String(b))) => Ok(Some(a.cmp(b))),
        (Some(Value::Number(a)), Some(Value::Number(b))) if a.is_f64() == b.is_f64() => {
            Ok(a.as_f64().partial_cmp(&b.as_f64()))
        }
        (Some(Value::Bool(a)), Some(Value::Bool(b))) if equality => equal(a == b),
        (None | Some(Value::Null), None | Some(Value::Null)) if equality => equal(true),
        (None | Some(Value::Null), _) | (_, None | Some(Value::Null)) if equality => equal(false),
        (Some(Value::Array(_) | Value::Object(_)), _) | (_, Some(Value::Array(_) | Value::Object(_))) if equality => {
            Err(Problem::Call("non-comparable type".to_owned()))
        }
        (Some(Value::Array(_) | Value::Object(_) | Value::Bool(_)), _) | (None | Some(Value::Null), _) => {
            Err(Problem::Call("invalid type for comparison".to_owned()))
        }
        _ => Err(Problem::Call("incompatible types for comparison".to_owned())),
    }
}
