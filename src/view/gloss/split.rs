//! A line as words and operators with their places. It serves the eye: what does not end (a quote, a bracket) ends with the
//! line.

use std::ops::Range;

/// What a token is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// A word.
    Word,
    /// `|`, `&&`, `;`, `&`, `(`: a command begins behind it.
    Operator,
    /// `>`, `2>>`, `<`, `<<`: a word of its own follows.
    Redirect,
    /// `# ...`.
    Comment,
}

/// A word or an operator.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Token {
    pub kind: Kind,
    pub range: Range<usize>,
    /// A word without its quotes, an operator as it stands.
    pub text: String,
    /// The places of what `$(...)` encloses.
    pub inner: Vec<Range<usize>>,
}

const OPERATORS: [&str; 9] = ["&&", "||", ";;", "|&", "|", ";", "&", "(", ")"];
const REDIRECTS: [&str; 8] = ["<<<", "<<-", "<<", "&>>", "&>", ">>", ">", "<"];

/// The tokens of a line.
pub(super) fn split(line: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(rest) = line.get(at..).filter(|rest| !rest.is_empty()) {
        let blank = rest.len() - rest.trim_start().len();
        if blank > 0 {
            at += blank;
            continue;
        }
        if rest.starts_with('#') {
            tokens.push(Token { kind: Kind::Comment, range: at..line.len(), text: rest.to_owned(), inner: Vec::new() });
            break;
        }
        let (kind, length) = operator(rest);
        let token = if length > 0 {
            Token {
                kind,
                range: at..at + length,
                text: rest.get(..length).unwrap_or_default().to_owned(),
                inner: Vec::new(),
            }
        } else {
            word(line, at)
        };
        at = token.range.end.max(at + 1);
        tokens.push(token);
    }
    tokens
}

/// The operator at the start of a text, and its length; 0 when there is none.
fn operator(text: &str) -> (Kind, usize) {
    // `2>` and `2>&1` begin with a digit.
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let behind = text.get(digits..).unwrap_or_default();
    let redirect = REDIRECTS.iter().find(|known| behind.starts_with(**known));
    if let Some(known) = redirect.filter(|known| digits == 0 || !known.starts_with('&')) {
        let length = digits + known.len();
        // `2>&1` is whole in itself.
        let copied = text.get(length..).and_then(|rest| rest.strip_prefix('&'));
        let fd = copied.map_or(0, |rest| rest.bytes().take_while(|b| b.is_ascii_digit() || *b == b'-').count());
        return (Kind::Redirect, length + if fd > 0 { fd + 1 } else { 0 });
    }
    (Kind::Operator, OPERATORS.iter().find(|known| text.starts_with(**known)).map_or(0, |known| known.len()))
}

fn word(line: &str, start: usize) -> Token {
    let mut token = Token { kind: Kind::Word, range: start..line.len(), text: String::new(), inner: Vec::new() };
    let mut quote = None;
    let mut chars = line.char_indices().skip_while(|(at, _)| *at < start).peekable();
    while let Some((at, c)) = chars.next() {
        let next = chars.peek().map(|(_, next)| *next);
        match (quote, c) {
            (None, ' ' | '\t' | '\n' | '|' | ';' | '&' | ')' | '<' | '>' | '(') => {
                token.range.end = at;
                break;
            }
            (Some('\''), '\'') | (Some('"'), '"') => quote = None,
            (None, '\'' | '"') => quote = Some(c),
            (None | Some('"'), '\\') if next.is_some() => token.text.extend(chars.next().map(|(_, c)| c)),
            (None | Some('"'), '$') if next == Some('(') => {
                let from = at + 2;
                let end = closing(line, from);
                token.inner.push(from..end);
                token.text.push_str(line.get(at..(end + 1).min(line.len())).unwrap_or_default());
                while chars.peek().is_some_and(|(next, _)| *next <= end) {
                    chars.next();
                }
            }
            _ => token.text.push(c),
        }
    }
    token
}

/// Where the bracket that is open at `from` closes.
fn closing(line: &str, from: usize) -> usize {
    let mut depth = 1_usize;
    for (at, byte) in line.bytes().enumerate().skip(from) {
        match byte {
            b'(' => depth += 1,
            b')' if depth == 1 => return at,
            b')' => depth -= 1,
            _ => {}
        }
    }
    line.len()
}
