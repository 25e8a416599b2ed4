//! Shell patterns: `*`, `?`, `[...]`, with quoted characters behind backslashes.

use bstr::{BString, ByteSlice};

/// The special characters of patterns.
pub(super) const SPECIAL: &[u8] = b"*?[]\\-!^";

/// Appends text that stands for itself.
pub(super) fn push_quoted(pattern: &mut Vec<u8>, text: &[u8]) {
    for byte in text {
        if SPECIAL.contains(byte) {
            pattern.push(b'\\');
        }
        pattern.push(*byte);
    }
}

/// Whether there is anything special in a pattern.
pub(super) fn is_pattern(pattern: &[u8]) -> bool {
    let mut at = 0;
    while let Some(byte) = pattern.get(at) {
        match byte {
            b'\\' => at += 1,
            b'*' | b'?' => return true,
            b'[' if class_end(pattern, at).is_some() => return true,
            _ => {}
        }
        at += 1;
    }
    false
}

/// The text a pattern without special characters stands for.
pub(super) fn literal(pattern: &[u8]) -> BString {
    let mut out = BString::default();
    let mut bytes = pattern.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => out.extend(bytes.next()),
            _ => out.push(*byte),
        }
    }
    out
}

/// The index of the `]` that closes the `[` at `at`.
fn class_end(pattern: &[u8], at: usize) -> Option<usize> {
    let mut end = at + 1;
    if matches!(pattern.get(end), Some(b'!' | b'^')) {
        end += 1;
    }
    let first = end;
    loop {
        match pattern.get(end)? {
            b']' if end > first => return Some(end),
            b'[' if pattern.get(end + 1) == Some(&b':') => match pattern.get(end..).and_then(|rest| rest.find(b":]")) {
                Some(close) => end += close + 2,
                None => end += 1,
            },
            b'\\' => end += 2,
            _ => end += 1,
        }
    }
}

fn next_char(text: &[u8], at: usize) -> (char, usize) {
    let (c, len) = bstr::decode_utf8(text.get(at..).unwrap_or_default());
    match c {
        Some(c) => (c, len),
        // A byte that is no text counts as a character of its own.
        None => (char::from(text.get(at).copied().unwrap_or(0)), 1),
    }
}

fn in_class(class: &[u8], c: char) -> bool {
    let negated = matches!(class.first(), Some(b'!' | b'^'));
    let mut at = usize::from(negated);
    let mut found = false;
    while at < class.len() {
        if class.get(at..).is_some_and(|rest| rest.starts_with(b"[:"))
            && let Some(end) = class.get(at..).and_then(|rest| rest.find(b":]"))
        {
            let name = class.get(at + 2..at + end).unwrap_or_default();
            found |= match name {
                b"alpha" => c.is_alphabetic(),
                b"digit" => c.is_ascii_digit(),
                b"alnum" => c.is_alphanumeric(),
                b"upper" => c.is_uppercase(),
                b"lower" => c.is_lowercase(),
                b"space" => c.is_whitespace(),
                b"blank" => c == ' ' || c == '\t',
                b"punct" => c.is_ascii_punctuation(),
                b"cntrl" => c.is_control(),
                b"xdigit" => c.is_ascii_hexdigit(),
                b"print" => !c.is_control(),
                b"graph" => !c.is_control() && !c.is_whitespace(),
                _ => false,
            };
            at += end + 2;
            continue;
        }
        if class.get(at) == Some(&b'\\') && at + 1 < class.len() {
            at += 1;
        }
        let (low, len) = next_char(class, at);
        at += len;
        if class.get(at) == Some(&b'-') && at + 1 < class.len() {
            at += 1;
            if class.get(at) == Some(&b'\\') && at + 1 < class.len() {
                at += 1;
            }
            let (high, len) = next_char(class, at);
            at += len;
            found |= (low..=high).contains(&c);
        } else {
            found |= low == c;
        }
    }
    found != negated
}

/// Whether a pattern matches a whole text. Time is at most pattern times text.
pub(super) fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    loop {
        let step = match pattern.get(p) {
            Some(b'*') => {
                star = Some((p + 1, t));
                p += 1;
                continue;
            }
            None if t >= text.len() => return true,
            _ if t >= text.len() => return false,
            None => None,
            Some(b'?') => Some((1, next_char(text, t).1)),
            Some(b'[') => match class_end(pattern, p) {
                Some(end) => {
                    let (c, len) = next_char(text, t);
                    in_class(pattern.get(p + 1..end).unwrap_or_default(), c).then_some((end + 1 - p, len))
                }
                None => (text.get(t) == Some(&b'[')).then_some((1, 1)),
            },
            Some(b'\\') if p + 1 < pattern.len() => (pattern.get(p + 1) == text.get(t)).then_some((2, 1)),
            Some(byte) => (Some(byte) == text.get(t)).then_some((1, 1)),
        };
        match (step, star) {
            (Some((pattern_step, text_step)), _) => {
                p += pattern_step;
                t += text_step;
            }
            (None, Some((after, from))) => {
                p = after;
                t = from + next_char(text, from).1;
                star = Some((after, t));
            }
            (None, None) => return false,
        }
    }
}

/// Ends of the prefixes of a text (or, for `suffix`, starts of its suffixes), the shortest first.
fn cuts(text: &[u8], suffix: bool) -> Vec<usize> {
    let mut cuts: Vec<usize> = text.char_indices().map(|(start, _, _)| start).collect();
    cuts.push(text.len());
    if suffix {
        cuts.reverse();
    }
    cuts
}

/// `${x#pattern}` and its three relatives.
pub(super) fn trim<'a>(text: &'a [u8], pattern: &[u8], suffix: bool, longest: bool) -> &'a [u8] {
    let mut cuts = cuts(text, suffix);
    if longest {
        cuts.reverse();
    }
    for cut in cuts {
        let (head, tail) = text.split_at(cut.min(text.len()));
        let (removed, kept) = if suffix { (tail, head) } else { (head, tail) };
        if matches(pattern, removed) {
            return kept;
        }
    }
    text
}

/// `${x/pattern/with}`: the longest match at the first place that has one.
pub(super) fn replace(text: &[u8], pattern: &[u8], with: &[u8], mode: u8) -> BString {
    let mut out = BString::default();
    if pattern.is_empty() && mode != b'#' && mode != b'%' {
        return text.into();
    }
    if mode == b'%' {
        for cut in cuts(text, true).into_iter().rev() {
            let (head, tail) = text.split_at(cut.min(text.len()));
            if matches(pattern, tail) {
                out.extend_from_slice(head);
                out.extend_from_slice(with);
                return out;
            }
        }
        return text.into();
    }
    let plain = (!is_pattern(pattern)).then(|| literal(pattern));
    let mut at = 0;
    while at <= text.len() {
        let rest = text.get(at..).unwrap_or_default();
        let found = match &plain {
            Some(plain) => rest.starts_with(plain).then_some(plain.len()),
            None => {
                cuts(rest, false).into_iter().rev().find(|cut| matches(pattern, rest.get(..*cut).unwrap_or_default()))
            }
        };
        match found {
            Some(len) if len > 0 || mode == b'#' => {
                out.extend_from_slice(with);
                at += len;
                if mode != b'/' {
                    break;
                }
            }
            _ if mode == b'#' => break,
            _ => {
                if rest.is_empty() {
                    break;
                }
                let len = next_char(text, at).1;
                out.extend_from_slice(rest.get(..len).unwrap_or_default());
                at += len;
            }
        }
    }
    out.extend_from_slice(text.get(at..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_whole_texts() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("*.txt", "a.txt", true),
            ("*.txt", "a.txt.", false),
            ("a?c", "a\u{f1}c", true),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[]x]", "]", true),
            ("[[:digit:]]*", "1a", true),
            ("\\*", "*", true),
            ("\\*", "a", false),
            ("a*b*c", "aXbYbZc", true),
            ("[", "[", true),
            ("[a", "[a", true),
        ] {
            assert_eq!(matches(pattern.as_bytes(), text.as_bytes()), expected, "{pattern} {text}");
        }
        assert!(!matches("a*".repeat(30).as_bytes(), "a".repeat(29).as_bytes()));
    }

    #[test]
    fn parts_of_values_are_cut_off_and_replaced() {
        assert_eq!(trim(b"a/b/c", b"*/", false, false), b"b/c");
        assert_eq!(trim(b"a/b/c", b"*/", false, true), b"c");
        assert_eq!(trim(b"a.b.c", b".*", true, false), b"a.b");
        assert_eq!(trim(b"a.b.c", b".*", true, true), b"a");
        assert_eq!(replace(b"banana", b"a", b"o", 0), "bonana");
        assert_eq!(replace(b"banana", b"a", b"o", b'/'), "bonono");
        assert_eq!(replace(b"banana", b"b*n", b"X", 0), "Xa");
        assert_eq!(replace(b"banana", b"a", b"X", b'%'), "bananX");
        assert_eq!(replace(b"banana", b"x", b"X", b'#'), "banana");
    }
}
