//! The patterns of `${name#pattern}`, `${name%pattern}` and `${name/pattern/text}`: `*`, `?` and literal characters.
//!
//! Matching follows all states at once, so it takes time proportional to pattern times text, whatever they hold.

/// A pattern that can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// A backslash before anything but `*`, `?`, `\`, `}` or `/`.
    #[error("invalid escape '\\{0}'")]
    Escape(char),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Any,
    Many,
    One(char),
}

/// A pattern.
#[derive(Debug, Clone)]
pub struct Pattern {
    parts: Vec<Part>,
}

/// A match: from `start`, `end` exclusive, in characters.
type Range = (usize, usize);

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// A backslash that escapes nothing.
    pub fn new(text: &str) -> Result<Self, PatternError> {
        let mut parts = Vec::new();
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            parts.push(match c {
                '*' => Part::Many,
                '?' => Part::Any,
                // The closing brace and the slash are escaped only to end nothing; the escape is no part of the pattern.
                '\\' if matches!(chars.peek(), Some('}' | '/')) => continue,
                '\\' => match chars.next() {
                    Some(c @ ('*' | '?' | '\\')) => Part::One(c),
                    c => return Err(PatternError::Escape(c.unwrap_or('\u{fffd}'))),
                },
                c => Part::One(c),
            });
        }
        Ok(Self { parts })
    }

    /// `value` without the shortest (or longest) prefix that matches.
    pub fn trim_prefix(&self, value: &str, longest: bool) -> String {
        let chars: Vec<char> = value.chars().collect();
        match find(&self.parts, &chars, 0, true, longest) {
            Some((_, end)) => chars.into_iter().skip(end).collect(),
            None => value.to_owned(),
        }
    }

    /// `value` without the shortest (or longest) suffix that matches.
    pub fn trim_suffix(&self, value: &str, longest: bool) -> String {
        let chars: Vec<char> = value.chars().rev().collect();
        let parts: Vec<Part> = self.parts.iter().rev().copied().collect();
        match find(&parts, &chars, 0, true, longest) {
            Some((_, end)) => chars.into_iter().skip(end).rev().collect(),
            None => value.to_owned(),
        }
    }

    /// `value` with the first (or every) longest match replaced; `None` where that has more than `max_bytes`.
    pub fn replace(&self, value: &str, replacement: &str, all: bool, max_bytes: usize) -> Option<String> {
        let chars: Vec<char> = value.chars().collect();
        let mut out = String::new();
        let mut at = 0;
        while let Some((start, end)) = find(&self.parts, &chars, at, false, true) {
            out.extend(chars.get(at..start).unwrap_or_default());
            out.push_str(replacement);
            if out.len() > max_bytes {
                return None;
            }
            at = end;
            if start == end {
                // An empty match moves on by a character, or it would match here for ever.
                out.extend(chars.get(end));
                at += 1;
            }
            if !all || at > chars.len() {
                break;
            }
        }
        out.extend(chars.get(at..).unwrap_or_default());
        (out.len() <= max_bytes).then_some(out)
    }
}

/// The leftmost match from `from` on (at `from` only, if anchored): the shortest or longest of those.
fn find(parts: &[Part], text: &[char], from: usize, anchored: bool, longest: bool) -> Option<Range> {
    // `states[i]` is the smallest start of a match whose next part is `i`.
    let mut states: Vec<Option<usize>> = vec![None; parts.len() + 1];
    let mut best: Option<Range> = None;
    for at in from..=text.len() {
        if best.is_none()
            && (at == from || !anchored)
            && let Some(first @ None) = states.first_mut()
        {
            *first = Some(at);
        }
        // A `*` may match nothing.
        for (index, part) in parts.iter().enumerate() {
            if *part == Part::Many {
                let start = states.get(index).copied().flatten();
                if let Some(next) = states.get_mut(index + 1) {
                    *next = earliest(*next, start);
                }
            }
        }
        if let Some(start) = states.last().copied().flatten()
            && best.is_none_or(|(old, _)| start <= old)
        {
            best = Some((start, at));
            if !longest {
                return best;
            }
        }
        let Some(c) = text.get(at) else { break };
        let mut next = vec![None; states.len()];
        for (index, part) in parts.iter().enumerate() {
            let start = states.get(index).copied().flatten();
            let to = match part {
                Part::Many => index,
                Part::Any => index + 1,
                Part::One(wanted) if wanted == c => index + 1,
                Part::One(_) => continue,
            };
            if let Some(slot) = next.get_mut(to) {
                *slot = earliest(*slot, start);
            }
        }
        if let Some((start, _)) = best {
            next.iter_mut().for_each(|state| *state = state.filter(|other| *other <= start));
        }
        states = next;
        if states.iter().all(Option::is_none) && (best.is_some() || anchored) {
            break;
        }
    }
    best
}

fn earliest(a: Option<usize>, b: Option<usize>) -> Option<usize> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn matches(parts: &[Part], text: &[char]) -> bool {
        match parts.split_first() {
            None => text.is_empty(),
            Some((Part::Many, rest)) => (0..=text.len()).any(|n| matches(rest, &text[n..])),
            Some((part, rest)) => text
                .split_first()
                .is_some_and(|(c, tail)| (*part == Part::Any || *part == Part::One(*c)) && matches(rest, tail)),
        }
    }

    proptest! {
        #[test]
        fn matching_agrees_with_trying_everything(pattern in "[ab*?]{0,6}", text in "[ab]{0,10}") {
            let pattern = Pattern::new(&pattern).unwrap();
            let chars: Vec<char> = text.chars().collect();
            let ends: Vec<usize> = (0..=chars.len()).filter(|end| matches(&pattern.parts, &chars[..*end])).collect();
            let cut = |end: Option<&usize>| end.map_or(text.clone(), |end| chars[*end..].iter().collect());
            prop_assert_eq!(pattern.trim_prefix(&text, false), cut(ends.first()));
            prop_assert_eq!(pattern.trim_prefix(&text, true), cut(ends.last()));
            let leftmost = (0..=chars.len()).find_map(|start| {
                (start..=chars.len()).rev().find(|end| matches(&pattern.parts, &chars[start..*end])).map(|end| (start, end))
            });
            prop_assert_eq!(find(&pattern.parts, &chars, 0, false, true), leftmost);
        }
    }

    #[test]
    fn a_pattern_of_many_stars_ends_soon() {
        let text = "a".repeat(20_000);
        let pattern = Pattern::new("*a*a*a*a*a*b").unwrap();
        assert_eq!(pattern.replace(&text, "x", true, text.len()).as_ref(), Some(&text));
        assert_eq!(pattern.trim_suffix(&text, true), text);
    }
}
