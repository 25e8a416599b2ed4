//! Go's `fmt` for JSON values: `%v` and the verbs that people use in `--format`.

use crate::base::sort::Arrange;
use serde_json::Value;

use super::exec::Val;
use super::lex::quote;
use super::typed::{self, Kind};

/// `%v`, as `print` writes a value; pointers that stand inside of one are shown as addresses.
pub(super) fn display(value: Option<&Value>, is_inside: bool) -> String {
    match value {
        None => "<no value>".to_owned(),
        Some(Value::Null) => "<nil>".to_owned(),
        Some(Value::Bool(value)) => value.to_string(),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(items)) => {
            let items: Vec<String> = items.iter().map(|item| display(Some(item), true)).collect();
            format!("[{}]", items.join(" "))
        }
        Some(Value::Object(map)) => typed::show(map, is_inside).unwrap_or_else(|| {
            let mut items: Vec<String> =
                typed::entries(map).map(|(key, item)| format!("{key}:{}", display(Some(item), true))).collect();
            items.arrange();
            format!("map[{}]", items.join(" "))
        }),
    }
}

/// The Go type that stands for the value in errors.
pub(super) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "nil",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float64",
        Value::Number(_) => "int",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    }
}

/// Go's `Sprint`: a blank between two values when neither is a string.
pub(super) fn print(values: &[Val<'_>]) -> String {
    let mut out = String::new();
    let mut before_is_text = true;
    for (index, value) in values.iter().enumerate() {
        let is_text = value.as_deref().is_some_and(Value::is_string);
        if index > 0 && !is_text && !before_is_text {
            out.push(' ');
        }
        out.push_str(&argument(value.as_deref()));
        before_is_text = is_text;
    }
    out
}

/// Go's `Sprintln`.
pub(super) fn println(values: &[Val<'_>]) -> String {
    let values: Vec<String> = values.iter().map(|value| argument(value.as_deref())).collect();
    values.join(" ") + "\n"
}

fn argument(value: Option<&Value>) -> String {
    let Some(value) = value else { return "<nil>".to_owned() };
    // `Sprint` shows what a pointer that it is given points to.
    let is_pointer = value.as_object().and_then(typed::kind);
    let mark = if matches!(is_pointer, Some(Kind::Struct { is_pointer: true, .. })) { "&" } else { "" };
    format!("{mark}{}", display(Some(value), false))
}

#[derive(Default)]
struct Directive {
    minus: bool,
    plus: bool,
    zero: bool,
    space: bool,
    sharp: bool,
    width: Option<usize>,
    precision: Option<usize>,
}

/// The widest that a directive may ask for.
const MAX_WIDTH: usize = 10_000;

/// Go's `Sprintf`.
pub(super) fn printf(format: &str, values: &[Val<'_>]) -> String {
    let mut out = String::new();
    let mut chars = format.chars().peekable();
    let mut next = values.iter();
    let mut used = 0;
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let mut directive = Directive::default();
        while let Some(flag) = chars.next_if(|c| "-+0 #".contains(*c)) {
            match flag {
                '-' => directive.minus = true,
                '+' => directive.plus = true,
                '0' => directive.zero = true,
                ' ' => directive.space = true,
                _ => directive.sharp = true,
            }
        }
        directive.width = digits(&mut chars);
        if chars.next_if_eq(&'.').is_some() {
            directive.precision = Some(digits(&mut chars).unwrap_or(0));
        }
        match chars.next() {
            None => out.push_str("%!(NOVERB)"),
            Some('%') => out.push('%'),
            Some(verb) => match next.next() {
                None => out.push_str(&format!("%!{verb}(MISSING)")),
                Some(value) => {
                    used += 1;
                    out.push_str(&pad(&directive, &one(verb, &directive, value.as_deref()), value.as_deref()));
                }
            },
        }
    }
    if used < values.len() {
        let extra: Vec<String> = next
            .map(|value| match value {
                Some(value) => format!("{}={}", type_name(value), display(Some(value), false)),
                None => "<nil>".to_owned(),
            })
            .collect();
        out.push_str(&format!("%!(EXTRA {})", extra.join(", ")));
    }
    out
}

fn digits(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<usize> {
    let mut number = None;
    while let Some(digit) = chars.next_if(char::is_ascii_digit) {
        let digit = digit.to_digit(10).unwrap_or(0) as usize;
        number = Some((number.unwrap_or(0) * 10 + digit).min(MAX_WIDTH));
    }
    number
}

fn pad(directive: &Directive, text: &str, value: Option<&Value>) -> String {
    let width = directive.width.unwrap_or(0);
    let missing = width.saturating_sub(text.chars().count());
    let blanks = " ".repeat(missing);
    match directive {
        _ if missing == 0 => text.to_owned(),
        Directive { minus: true, .. } => text.to_owned() + &blanks,
        Directive { zero: true, .. } if matches!(value, Some(Value::Number(_))) => {
            let (sign, digits) = text.split_at_checked(usize::from(text.starts_with(['-', '+']))).unwrap_or(("", text));
            format!("{sign}{}{digits}", "0".repeat(missing))
        }
        _ => blanks + text,
    }
}

fn one(verb: char, directive: &Directive, value: Option<&Value>) -> String {
    let wrong = || match value {
        Some(Value::Null) | None => format!("%!{verb}(<nil>)"),
        Some(value) => format!("%!{verb}({}={})", type_name(value), display(Some(value), false)),
    };
    let cut = |text: String| match directive.precision {
        Some(precision) => text.chars().take(precision).collect(),
        None => text,
    };
    match (verb, value) {
        ('v', Some(Value::String(text))) if directive.sharp => quote(text),
        ('v', value) => argument(value),
        ('T', Some(value)) => type_name(value).to_owned(),
        ('T', None) => "<nil>".to_owned(),
        ('s', Some(Value::String(text))) => cut(text.clone()),
        ('q', Some(Value::String(text))) => quote(&cut(text.clone())),
        ('x' | 'X', Some(Value::String(text))) => {
            let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
            if verb == 'X' { hex.to_uppercase() } else { hex }
        }
        ('t', Some(Value::Bool(value))) => value.to_string(),
        (_, Some(Value::Array(items))) if matches!(verb, 's' | 'q' | 'd') => {
            let items: Vec<String> = items.iter().map(|item| one(verb, directive, Some(item))).collect();
            format!("[{}]", items.join(" "))
        }
        (_, Some(Value::Number(number))) => match (verb, number.as_i64(), number.as_f64()) {
            ('d', Some(int), _) if directive.plus && int >= 0 => format!("+{int}"),
            ('d', Some(int), _) if directive.space && int >= 0 => format!(" {int}"),
            ('d', Some(int), _) => int.to_string(),
            ('x', Some(int), _) => format!("{}{:x}", if int < 0 { "-" } else { "" }, int.unsigned_abs()),
            ('X', Some(int), _) => format!("{}{:X}", if int < 0 { "-" } else { "" }, int.unsigned_abs()),
            ('o', Some(int), _) => format!("{}{:o}", if int < 0 { "-" } else { "" }, int.unsigned_abs()),
            ('b', Some(int), _) => format!("{}{:b}", if int < 0 { "-" } else { "" }, int.unsigned_abs()),
            ('c', Some(int), _) => u32::try_from(int).ok().and_then(char::from_u32).unwrap_or('\u{fffd}').to_string(),
            ('q', Some(int), _) => match u32::try_from(int).ok().and_then(char::from_u32) {
                Some(c) => format!("'{c}'"),
                None => wrong(),
            },
            ('f' | 'F', None, Some(float)) => format!("{float:.*}", directive.precision.unwrap_or(6)),
            ('g', None, Some(float)) => float.to_string(),
            _ => wrong(),
        },
        _ => wrong(),
    }
}
