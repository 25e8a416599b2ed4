//! Patterns of names (`*.txt`) and of lines (POSIX regular expressions).
//!
//! Regular expressions are translated for `regex-lite`: alternatives match leftmost-first rather than longest, and
//! back-references inside a pattern are refused.

use bstr::{BString, ByteSlice};
use regex_lite::{Regex, RegexBuilder};

/// Whether a name matches a shell pattern: `*`, `?`, `[a-z]`, `[!x]`, `\`.
pub fn glob(pattern: &[u8], name: &[u8]) -> bool {
    // The classic walk with one place to come back to: linear in practice, quadratic at worst.
    let (mut p, mut n) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    loop {
        match pattern.get(p) {
            Some(b'*') => {
                back = Some((p, n));
                p += 1;
                continue;
            }
            None if n == name.len() => return true,
            Some(_) => {
                if let (Some(next), Some(byte)) = (step(pattern, p, name.get(n)), name.get(n)) {
                    let _ = byte;
                    p = next;
                    n += 1;
                    continue;
                }
            }
            None => {}
        }
        match back {
            Some((star, from)) if from < name.len() => {
                back = Some((star, from + 1));
                p = star + 1;
                n = from + 1;
            }
            _ => return false,
        }
    }
}

/// Matches one byte at `p`; the place in the pattern after it.
fn step(pattern: &[u8], p: usize, byte: Option<&u8>) -> Option<usize> {
    let byte = *byte?;
    match *pattern.get(p)? {
        b'?' => Some(p + 1),
        b'\\' => match pattern.get(p + 1) {
            Some(escaped) => (*escaped == byte).then_some(p + 2),
            None => (byte == b'\\').then_some(p + 1),
        },
        b'[' => {
            let (matched, next) = bracket(pattern, p, byte).unwrap_or((byte == b'[', p + 1));
            matched.then_some(next)
        }
        literal => (literal == byte).then_some(p + 1),
    }
}

fn bracket(pattern: &[u8], p: usize, byte: u8) -> Option<(bool, usize)> {
    let mut at = p + 1;
    let negated = matches!(pattern.get(at), Some(b'!' | b'^'));
    at += usize::from(negated);
    let (first, mut found) = (at, false);
    loop {
        let low = *pattern.get(at)?;
        if low == b']' && at > first {
            return Some((found != negated, at + 1));
        }
        if low == b'[' && pattern.get(at + 1) == Some(&b':') {
            let rest = pattern.get(at + 2..)?;
            let end = rest.find(b":]")?;
            found |= in_class(rest.get(..end)?, byte);
            at += end + 4;
            continue;
        }
        if pattern.get(at + 1) == Some(&b'-') && pattern.get(at + 2).is_some_and(|high| *high != b']') {
            let high = *pattern.get(at + 2)?;
            found |= (low..=high).contains(&byte);
            at += 3;
        } else {
            found |= low == byte;
            at += 1;
        }
    }
}

/// Whether a byte is in a POSIX class such as `alpha`.
pub fn in_class(name: &[u8], byte: u8) -> bool {
    match name {
        b"alpha" => byte.is_ascii_alphabetic(),
        b"digit" => byte.is_ascii_digit(),
        b"alnum" => byte.is_ascii_alphanumeric(),
        b"upper" => byte.is_ascii_uppercase(),
        b"lower" => byte.is_ascii_lowercase(),
        b"space" => byte.is_ascii_whitespace() || byte == 0x0b,
        b"blank" => byte == b' ' || byte == b'\t',
        b"punct" => byte.is_ascii_punctuation(),
        b"cntrl" => byte.is_ascii_control(),
        b"print" => (b' '..0x7f).contains(&byte),
        b"graph" => byte.is_ascii_graphic(),
        b"xdigit" => byte.is_ascii_hexdigit(),
        _ => false,
    }
}

/// How a regular expression is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Grammar {
    /// `\(a\|b\)`, `\{1,2\}`.
    Basic,
    /// `(a|b)`, `{1,2}`.
    Extended,
    /// No special characters.
    Fixed,
}

/// Translates and compiles. The error is GNU's text.
pub fn compile(pattern: &[u8], grammar: Grammar, ignore_case: bool) -> Result<Regex, String> {
    build(&translate(pattern, grammar)?, ignore_case)
}

/// Compiles an expression that is already in `regex-lite`'s own form.
pub fn build(expression: &str, ignore_case: bool) -> Result<Regex, String> {
    RegexBuilder::new(expression)
        .case_insensitive(ignore_case)
        .dot_matches_new_line(true)
        .size_limit(1 << 20)
        .build()
        .map_err(|_| "Invalid regular expression".to_owned())
}

/// Translates into `regex-lite`'s form.
pub fn translate(pattern: &[u8], grammar: Grammar) -> Result<String, String> {
    let text = as_text(pattern);
    if grammar == Grammar::Fixed {
        return Ok(regex_lite::escape(&text));
    }
    let basic = grammar == Grammar::Basic;
    let mut out = String::new();
    let mut chars = text.chars().peekable();
    // At the start of an expression a star is itself, and in basic ones a caret means the start.
    let mut at_start = true;
    let mut depth = 0usize;
    while let Some(c) = chars.next() {
        let mut starts = false;
        match c {
            '\\' => match chars.next() {
                None => return Err("Trailing backslash".to_owned()),
                Some('(') if basic => {
                    depth += 1;
                    starts = true;
                    out.push('(');
                }
                Some(')') if basic => {
                    depth = depth.checked_sub(1).ok_or("Unmatched ) or \\)")?;
                    out.push(')');
                }
                Some('|') if basic => {
                    starts = true;
                    out.push('|');
                }
                Some('{') if basic => interval(&mut chars, &mut out, true)?,
                Some(c @ ('+' | '?')) if basic => out.push(c),
                Some(c @ '1'..='9') => return Err(format!("back-references (\\{c}) are not simulated")),
                Some('<') => out.push_str("\\b"),
                Some('>') => out.push_str("\\b"),
                Some(c @ ('w' | 'W' | 's' | 'S' | 'b' | 'B')) => out.extend(['\\', c]),
                Some('n') => out.push('\n'),
                Some('t') => out.push('\t'),
                Some('`') => out.push('^'),
                Some('\'') => out.push('$'),
                Some(c) => out.push_str(&regex_lite::escape(&c.to_string())),
            },
            '[' => class(&mut chars, &mut out)?,
            '.' => out.push('.'),
            '*' if at_start => out.push_str("\\*"),
            '*' => out.push('*'),
            '^' if basic && !at_start => out.push_str("\\^"),
            '^' => {
                starts = true;
                out.push('^');
            }
            '$' => {
                let rest: String = chars.clone().take(2).collect();
                let at_end = rest.is_empty() || rest == "\\)" || rest == "\\|" || !basic;
                out.push_str(if at_end { "$" } else { "\\$" });
            }
            '(' if !basic => {
                depth += 1;
                starts = true;
                out.push('(');
            }
            ')' if !basic && depth > 0 => {
                depth -= 1;
                out.push(')');
            }
            ')' => out.push_str("\\)"),
            '|' if !basic => {
                starts = true;
                out.push('|');
            }
            '+' | '?' if !basic && !at_start => out.push(c),
            '{' if !basic && !at_start && chars.peek().is_some_and(char::is_ascii_digit) => {
                interval(&mut chars, &mut out, false)?;
            }
            c => out.push_str(&regex_lite::escape(&c.to_string())),
        }
        at_start = starts;
    }
    if depth > 0 {
        return Err("Unmatched ( or \\(".to_owned());
    }
    Ok(out)
}

type Chars<'a> = std::iter::Peekable<std::str::Chars<'a>>;

fn interval(chars: &mut Chars<'_>, out: &mut String, basic: bool) -> Result<(), String> {
    let mut inside = String::new();
    loop {
        match chars.next() {
            Some('}') if !basic => break,
            Some('\\') if basic && chars.peek() == Some(&'}') => {
                chars.next();
                break;
            }
            Some(c @ ('0'..='9' | ',')) => inside.push(c),
            Some(_) => return Err("Invalid content of \\{\\}".to_owned()),
            None => return Err("Unmatched { or \\{".to_owned()),
        }
    }
    // `{,3}` is `{0,3}`.
    let inside = if inside.starts_with(',') { format!("0{inside}") } else { inside };
    if inside.split(',').any(|n| n.parse::<u32>().is_ok_and(|n| n > 1000)) {
        return Err("Regular expression too big".to_owned());
    }
    out.push_str(&format!("{{{inside}}}"));
    Ok(())
}

fn class(chars: &mut Chars<'_>, out: &mut String) -> Result<(), String> {
    out.push('[');
    if chars.peek() == Some(&'^') {
        chars.next();
        out.push('^');
    }
    let mut first = true;
    loop {
        let c = chars.next().ok_or("Unmatched [, [^, [:, [., or [=")?;
        match c {
            ']' if !first => break,
            '[' if matches!(chars.peek(), Some(':')) => {
                chars.next();
                let mut name = String::new();
                loop {
                    match chars.next().ok_or("Unmatched [, [^, [:, [., or [=")? {
                        ':' if chars.peek() == Some(&']') => break,
                        c => name.push(c),
                    }
                }
                chars.next();
                if !"alpha digit alnum upper lower space blank punct cntrl print graph xdigit"
                    .split(' ')
                    .any(|k| k == name)
                {
                    return Err("Invalid character class name".to_owned());
                }
                out.push_str(&format!("[:{name}:]"));
            }
            // regex-lite gives these a meaning inside brackets that POSIX doesn't.
            '[' | ']' | '\\' | '^' | '&' | '~' => out.extend(['\\', c]),
            '-' if first || chars.peek() == Some(&']') => out.push_str("\\-"),
            c => out.push(c),
        }
        first = false;
    }
    out.push(']');
    Ok(())
}

/// Bytes as text in which every byte that is not UTF-8 is a character of its own (Latin-1), so that nothing is lost.
pub fn as_text(bytes: &[u8]) -> String {
    match bytes.to_str() {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|b| char::from(*b)).collect(),
    }
}

/// The way back of [`as_text`] for text that came from `original`.
pub fn as_bytes(text: &str, original: &[u8]) -> BString {
    if original.is_utf8() {
        return text.into();
    }
    text.chars()
        .flat_map(|c| u8::try_from(u32::from(c)).map_or_else(|_| c.to_string().into_bytes(), |b| vec![b]))
        .collect::<Vec<u8>>()
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_match_as_fnmatch_does() {
        for (pattern, name, matches) in [
            ("*.txt", "a.txt", true),
            ("*.txt", "a.txt2", false),
            ("a?c", "abc", true),
            ("[a-c]*", "bat", true),
            ("[!a-c]*", "bat", false),
            ("**x", "aax", true),
            ("a\\*", "a*", true),
            ("[", "[", true),
            ("[[:digit:]]", "5", true),
            ("*a*b*c", "xxaxxbxxc", true),
            ("", "", true),
            ("*", "", true),
        ] {
            assert_eq!(glob(pattern.as_bytes(), name.as_bytes()), matches, "{pattern} {name}");
        }
    }

    #[test]
    fn posix_expressions_are_translated() {
        for (pattern, grammar, text, matched) in [
            ("a\\(b\\|c\\)", Grammar::Basic, "xac", Some("ac")),
            ("a(b|c)", Grammar::Extended, "xac", Some("ac")),
            ("a(b", Grammar::Basic, "a(b", Some("a(b")),
            ("*a", Grammar::Basic, "*a", Some("*a")),
            ("[]x]", Grammar::Basic, "]", Some("]")),
            ("[[:alpha:]_-]*", Grammar::Basic, "ab-1", Some("ab-")),
            ("x\\{2\\}", Grammar::Basic, "xxx", Some("xx")),
            ("a+", Grammar::Basic, "aa", None),
            ("a\\+", Grammar::Basic, "aa", Some("aa")),
            ("^$", Grammar::Basic, "", Some("")),
            ("a.c", Grammar::Fixed, "abc", None),
        ] {
            let found = compile(pattern.as_bytes(), grammar, false).unwrap();
            assert_eq!(found.find(text).map(|m| m.as_str()), matched, "{pattern}");
        }
        assert_eq!(translate(b"a\\", Grammar::Basic).unwrap_err(), "Trailing backslash");
        assert_eq!(translate(b"(a", Grammar::Extended).unwrap_err(), "Unmatched ( or \\(");
    }
}
