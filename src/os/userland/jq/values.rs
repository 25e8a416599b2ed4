//! Values of jq: their order, what operators and functions make of them, the formats they are written in.

use std::cmp::Ordering;

use serde_json::{Map, Number, Value};

use super::DEPTH;
use crate::base::sort::Arrange;
use crate::os::userland::program::text;

/// The name of its type.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Whether a condition takes it for true.
pub(super) fn is_true(value: &Value) -> bool {
    !matches!(value, Value::Null | Value::Bool(false))
}

/// What messages show of a value: eleven bytes at most.
pub(super) fn glance(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() > 11 { text.chars().take(10).collect::<String>() + "..." } else { text }
}

/// A number as it is printed: whole where it is.
pub(super) fn number(n: f64) -> Value {
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
pub(super) fn compare(a: &Value, b: &Value) -> Ordering {
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

/// Whether one value holds all of another.
pub(super) fn contains(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::String(a), Value::String(b)) => a.contains(b.as_str()),
        (Value::Array(a), Value::Array(b)) => b.iter().all(|b| a.iter().any(|a| contains(a, b))),
        (Value::Object(a), Value::Object(b)) => b.iter().all(|(key, b)| a.get(key).is_some_and(|a| contains(a, b))),
        _ => compare(a, b).is_eq(),
    }
}

/// A text as it is, another value as JSON.
pub(super) fn as_text(value: &Value) -> String {
    if let Value::String(text) = value { text.clone() } else { value.to_string() }
}

/// `.[key]`.
pub(super) fn index(value: &Value, key: &Value) -> Result<Value, String> {
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

/// `.[from:to]`.
pub(super) fn slice(value: &Value, from: Option<&Value>, to: Option<&Value>) -> Result<Value, String> {
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

/// What `.[]` yields.
pub(super) fn items(value: &Value) -> Result<Vec<Value>, String> {
    match value {
        Value::Array(list) => Ok(list.clone()),
        Value::Object(map) => Ok(map.values().cloned().collect()),
        Value::Null => Err("Cannot iterate over null (null)".to_owned()),
        other => Err(format!("Cannot iterate over {} ({})", kind(other), glance(other))),
    }
}

/// An operator between two values.
pub(super) fn calculate(operator: &str, a: &Value, b: &Value) -> Result<Value, String> {
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

/// A function of one argument.
pub(super) fn with_argument(name: &str, input: &Value, argument: &Value) -> Result<Value, String> {
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
            let regex = crate::os::userland::pattern::build(b, false)
                .map_err(|_| format!("{b} (at offset 0) is not a valid regex"))?;
            Ok(Value::Bool(regex.is_match(a)))
        }
        (_, input, _) => Err(format!("{} ({}) cannot be matched by {name}", kind(input), glance(input))),
    }
}

/// A function without arguments.
pub(super) fn plain(name: &str, input: &Value) -> Result<Value, String> {
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
pub(super) fn formatted(name: &str, input: &Value) -> Result<String, String> {
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
        "base64" => crate::base::base64::encode(as_text(input).as_bytes()),
        "base64d" => {
            let bytes = crate::base::base64::decode(as_text(input).as_bytes());
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
