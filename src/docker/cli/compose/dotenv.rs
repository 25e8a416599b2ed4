//! Files of variables: `.env`, `--env-file` and the services' `env_file` (compose-go `dotenv/parser.go`).
//!
//! It knows texts only; who reads the files, and which of them wins, is others' business.

use std::collections::BTreeMap;

use super::project::{Variables, substitute};

/// Reads `KEY=value` lines in their order. Values may be quoted and then go over several lines; those that are not in
/// single quotes are filled in from `outer` and from the lines above. A name alone takes its value from `outer`.
///
/// # Errors
/// A name that can't be one, a quote without its end, a broken `${…}`.
pub fn parse(text: &str, outer: &BTreeMap<String, String>) -> Result<Vec<(String, String)>, String> {
    let mut known = outer.clone();
    let mut out: Vec<(String, String)> = Vec::new();
    let mut rest = text.trim_start_matches('\u{feff}');
    loop {
        rest = rest.trim_start();
        if rest.is_empty() {
            return Ok(out);
        }
        if let Some(comment) = rest.strip_prefix('#') {
            rest = after_line(comment);
            continue;
        }
        let line = 1 + text
            .len()
            .checked_sub(rest.len())
            .and_then(|at| text.get(..at))
            .unwrap_or_default()
            .matches('\n')
            .count();
        let at = |problem: String| format!("line {line}: {problem}");
        if let Some(name) = rest.strip_prefix("export").filter(|rest| rest.starts_with([' ', '\t'])) {
            rest = name.trim_start_matches([' ', '\t']);
        }
        let end = rest.find(['=', ':', '\n']).unwrap_or(rest.len());
        let (key, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
        let key = key.trim();
        if let Some(bad) = key.chars().find(|c| !(c.is_alphanumeric() || "_.-[]".contains(*c))) {
            let near = rest.lines().next().unwrap_or_default();
            return Err(at(format!("unexpected character {:?} in variable name {near:?}", bad.to_string())));
        }
        let Some(after) = after.strip_prefix(['=', ':']) else {
            // A name alone is handed on where the outside has it.
            out.extend(outer.get(key).map(|value| (key.to_owned(), value.clone())));
            rest = after;
            continue;
        };
        let (value, more) = value(after.trim_start_matches([' ', '\t']), &known).map_err(at)?;
        rest = more;
        known.entry(key.to_owned()).or_insert_with(|| value.clone());
        if !outer.contains_key(key) {
            known.insert(key.to_owned(), value.clone());
        }
        out.push((key.to_owned(), value));
    }
}

fn after_line(text: &str) -> &str {
    text.split_once('\n').map_or("", |(_, rest)| rest)
}

/// The value at the start of a text, and what comes after it.
fn value<'a>(text: &'a str, known: &BTreeMap<String, String>) -> Result<(String, &'a str), String> {
    let filled = |text: &str| substitute(text, &mut Variables { env: known, unset: &mut Vec::new() }, 0);
    let Some(quote) = text.chars().next().filter(|first| matches!(first, '"' | '\'')) else {
        let (line, rest) = text.split_once('\n').unwrap_or((text, ""));
        let comment = line.char_indices().zip(std::iter::once(' ').chain(line.chars()));
        let end = comment.clone().find(|((_, c), before)| *c == '#' && before.is_whitespace()).map(|((at, _), _)| at);
        let own = line.get(..end.unwrap_or(line.len())).unwrap_or_default();
        return Ok((filled(own.trim_end())?, rest));
    };
    let inside = text.get(1..).unwrap_or_default();
    let mut out = String::new();
    let mut chars = inside.char_indices();
    while let Some((at, c)) = chars.next() {
        if c == quote {
            let rest = after_line(inside.get(at + 1..).unwrap_or_default());
            return Ok((if quote == '"' { filled(&out)? } else { out }, rest));
        }
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next().map(|(_, next)| next) {
            Some(next) if next == quote => out.push(next),
            Some('n') if quote == '"' => out.push('\n'),
            Some('r') if quote == '"' => out.push('\r'),
            Some('t') if quote == '"' => out.push('\t'),
            Some('$') if quote == '"' => out.push_str("$$"),
            Some('\\') if quote == '"' => out.push('\\'),
            next => {
                out.push('\\');
                out.extend(next);
            }
        }
    }
    Err(format!("unterminated quoted value {}", text.lines().next().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_quoted_filled_in_and_cut_at_comments() {
        let outer = BTreeMap::from([("HOME".to_owned(), "/root".to_owned())]);
        let one = |text: &str| parse(text, &outer).unwrap().pop().unwrap().1;
        for (text, expected) in [
            ("A=1234#5 # c", "1234#5"),
            ("A = b ", "b"),
            ("A: b", "b"),
            ("export A=b", "b"),
            ("A=\"a # b\" # c", "a # b"),
            ("A='$HOME'", "$HOME"),
            ("A=\"x\\ny\"", "x\ny"),
            ("A='x\\ny'", "x\\ny"),
            ("A=\"x\ny\"", "x\ny"),
            ("A=$HOME/b", "/root/b"),
            ("A=\"\\$HOME\"", "$HOME"),
            ("A=${NO:-x}", "x"),
            ("B=1\nA=${B}2", "12"),
            ("HOME", "/root"),
            ("# c\n\nA=", ""),
        ] {
            assert_eq!(one(text), expected, "{text:?}");
        }
        assert_eq!(parse("NADA", &outer), Ok(Vec::new()));
        assert_eq!(parse("A=1\nB=\"x", &outer), Err("line 2: unterminated quoted value \"x".to_owned()));
        assert_eq!(
            parse("A!=1", &outer),
            Err("line 1: unexpected character \"!\" in variable name \"A!=1\"".to_owned())
        );
    }
}
