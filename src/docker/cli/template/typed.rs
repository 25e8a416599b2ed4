//! JSON with its Go types: what `inspect` runs a template over first.
//!
//! An object that is a struct, a map with elements of a type, a nil slice and a time carry a mark, under a key that nobody can
//! write in an argument. Everything else stays as it is in JSON.

use serde_json::{Map, Value, json};

use super::format::display;
use super::types::{Struct, Type, is_same, named};
use crate::base::digest::Digest;
use crate::base::time::{Timestamp, go_duration};

/// The key of the mark.
const MARK: &str = "\0";
/// Documents are not deeper.
const MAX_DEPTH: usize = 32;

/// What a marked object is.
#[derive(Clone, Copy)]
pub(super) enum Kind<'a> {
    /// A struct, or a pointer to one.
    Struct { of: &'static Struct, is_pointer: bool },
    /// A map whose elements are `zero` where there are none.
    Map { zero: &'a Value, is_nil: bool },
    /// A slice that is nil.
    NilList,
    /// `time.Time` in RFC 3339.
    Time(&'a str),
    /// `time.Duration` in nanoseconds.
    Duration(i64),
}

/// A document with its types.
pub fn document(value: &Value, of: &'static Struct) -> Value {
    with_type(Some(value), &Type::Of(of), 0)
}

fn with_type(value: Option<&Value>, of: &Type, depth: usize) -> Value {
    let value = value.filter(|value| !value.is_null());
    match (of, value) {
        (_, Some(value)) if depth > MAX_DEPTH => value.clone(),
        (Type::Of(of) | Type::Embedded(of), value) => structure(value, of, false, depth),
        (Type::Pointer(of), Some(value)) => structure(Some(value), of, true, depth),
        (Type::Pointer(_) | Type::Maybe | Type::Any, None) => Value::Null,
        (Type::List(item), Some(Value::Array(items))) => {
            items.iter().map(|value| with_type(Some(value), item, depth + 1)).collect()
        }
        (Type::List(_), None) => json!({ MARK: "nil" }),
        (Type::Map(item), value @ (Some(Value::Object(_)) | None)) => {
            let zero = if matches!(item, Type::Map(_)) { Value::Null } else { with_type(None, item, depth + 1) };
            let mut map = Map::new();
            map.insert(MARK.to_owned(), json!([zero, value.is_none()]));
            for (key, value) in value.and_then(Value::as_object).into_iter().flatten().filter(|(key, _)| *key != MARK) {
                map.insert(key.clone(), with_type(Some(value), item, depth + 1));
            }
            Value::Object(map)
        }
        (Type::Time, value) => {
            json!({ MARK: "time", "of": value.and_then(Value::as_str).unwrap_or("0001-01-01T00:00:00Z") })
        }
        (Type::Duration, value) => json!({ MARK: "duration", "of": value.and_then(Value::as_i64).unwrap_or(0) }),
        (Type::Text, None) => json!(""),
        (Type::Bool, None) => json!(false),
        (Type::Int, None) => json!(0),
        (_, Some(value)) => value.clone(),
    }
}

fn structure(value: Option<&Value>, of: &'static Struct, is_pointer: bool, depth: usize) -> Value {
    let mut map = Map::new();
    map.insert(MARK.to_owned(), json!([of.name, is_pointer, "struct"]));
    for (key, value) in value.and_then(Value::as_object).into_iter().flatten().filter(|(key, _)| *key != MARK) {
        let known = of.json_field(key);
        let typed =
            known.map_or_else(|| value.clone(), |of| with_type(Some(value).filter(|v| !v.is_null()), &of, depth + 1));
        map.insert(key.clone(), typed);
    }
    Value::Object(map)
}

/// What an object is, if it has a mark.
pub(super) fn kind(map: &Map<String, Value>) -> Option<Kind<'_>> {
    match map.get(MARK)? {
        Value::String(text) if text == "nil" => Some(Kind::NilList),
        Value::String(text) if text == "time" => Some(Kind::Time(map.get("of")?.as_str()?)),
        Value::String(_) => Some(Kind::Duration(map.get("of")?.as_i64()?)),
        Value::Array(mark) => match mark.as_slice() {
            [Value::String(name), pointer, _] => {
                Some(Kind::Struct { of: named(name)?, is_pointer: *pointer == Value::Bool(true) })
            }
            [zero, is_nil] => Some(Kind::Map { zero, is_nil: *is_nil == Value::Bool(true) }),
            _ => None,
        },
        _ => None,
    }
}

/// The entries of an object without its mark.
pub(super) fn entries(map: &Map<String, Value>) -> impl Iterator<Item = (&String, &Value)> {
    map.iter().filter(|(key, _)| *key != MARK)
}

/// The key in JSON of a struct's field, if it is there.
pub(super) fn key<'a>(map: &'a Map<String, Value>, of: &'static Struct, name: &str) -> Option<&'a str> {
    of.field(name)?;
    map.keys().find(|json| is_same(name, json)).map(String::as_str)
}

/// What a field is that JSON leaves out.
pub(super) fn zero(of: &Type) -> Value {
    with_type(None, of, 0)
}

/// JSON again.
pub(super) fn plain(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(plain).collect(),
        Value::Object(map) => match kind(map) {
            Some(Kind::NilList | Kind::Map { is_nil: true, .. }) => Value::Null,
            Some(Kind::Time(text)) => json!(text),
            Some(Kind::Duration(nanos)) => json!(nanos),
            _ => Value::Object(entries(map).map(|(key, value)| (key.clone(), plain(value))).collect()),
        },
        other => other.clone(),
    }
}

/// `%v` of a marked object, which may stand in another one.
pub(super) fn show(map: &Map<String, Value>, is_inside: bool) -> Option<String> {
    Some(match kind(map)? {
        Kind::NilList => "[]".to_owned(),
        Kind::Time(text) => Timestamp::parse_rfc3339(text)
            .map_or_else(|| text.to_owned(), |time| time.rfc3339_nano().replace('T', " ").replace('Z', " +0000 UTC")),
        Kind::Duration(nanos) => go_duration(nanos),
        Kind::Struct { is_pointer: true, .. } if is_inside => address(&Value::Object(map.clone())),
        Kind::Struct { of, .. } => fields(map, of),
        Kind::Map { .. } => return None,
    })
}

/// Where Go would have put a value: no two runs agree on it, and here no two values do.
fn address(value: &Value) -> String {
    let digest = Digest::of(value.to_string().as_bytes()).hex();
    format!("0xc000{}0", digest.get(..5).unwrap_or_default())
}

fn fields(map: &Map<String, Value>, of: &'static Struct) -> String {
    let texts = of.fields.iter().map(|(name, known)| match known {
        Type::Embedded(inner) => fields(map, inner),
        _ => match key(map, of, name).and_then(|key| map.get(key)) {
            Some(value) if matches!(known, Type::Maybe) && !value.is_null() => address(value),
            Some(value) => display(Some(value), true),
            None => display(Some(&zero(known)), true),
        },
    });
    format!("{{{}}}", texts.collect::<Vec<_>>().join(" "))
}
