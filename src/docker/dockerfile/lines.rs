//! Lines: directives, comments, continuations and here-documents (BuildKit `frontend/dockerfile/parser`).
//!
//! What comes out is one [`Line`] an instruction, with its keyword, flags and the rest still as text.

use super::error::{ParseError, Problem, Span};
use super::words::Lex;

/// Directives at the top of the file: `# syntax=`, `# escape=`, `# check=`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directives {
    /// The frontend image asked for. It changes nothing here.
    pub syntax: Option<String>,
    /// The escape character: `\` or a backtick.
    pub escape: char,
    /// Options of the checks, such as `skip=all`.
    pub check: Option<String>,
}

impl Default for Directives {
    fn default() -> Self {
        Self { syntax: None, escape: '\\', check: None }
    }
}

/// A here-document (`<<EOF`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heredoc {
    /// The word that ends it, and the name of the file that COPY makes of it.
    pub name: String,
    /// Whether variables in it are expanded: not when a part of the word was quoted.
    pub expand: bool,
    /// `<<-`: leading tabs are dropped.
    pub chomp: bool,
    /// Its lines.
    pub content: String,
}

impl Heredoc {
    /// Reads `<<EOF`, `<<-"EOF"`, `3<<EOF`; `None` for any other word (BuildKit `heredocFromMatch`).
    pub fn parse(word: &str) -> Option<Self> {
        let rest = word.trim_start_matches(|c: char| c.is_ascii_digit()).strip_prefix("<<")?;
        let (chomp, rest) = rest.strip_prefix('-').map_or((false, rest), |rest| (true, rest));
        if rest.is_empty() || rest.contains('<') {
            return None;
        }
        let lex = Lex { keep_unset: true, ..Lex::new('\\') };
        let none: &[String] = &[];
        let plain = lex.expand(rest, none).ok()?.words;
        let raw = Lex { raw_quotes: true, ..lex }.expand(rest, none).ok()?.words;
        let quotes = |text: &str| text.chars().filter(|c| matches!(c, '\'' | '"')).count();
        match (plain.as_slice(), raw.as_slice()) {
            ([name], [raw]) => {
                Some(Self { name: name.clone(), expand: quotes(name) == quotes(raw), chomp, content: String::new() })
            }
            _ => None,
        }
    }

    /// The content, without leading tabs when it is a `<<-`.
    pub fn text(&self) -> String {
        if !self.chomp {
            return self.content.clone();
        }
        self.content.split_inclusive('\n').map(|line| line.trim_start_matches('\t')).collect()
    }
}

/// An instruction's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The keyword as written.
    pub keyword: String,
    /// The words that start with `--` right after the keyword.
    pub flags: Vec<String>,
    /// The arguments.
    pub rest: String,
    /// All of it on one line, trimmed.
    pub code: String,
    /// Here-documents, in order.
    pub heredocs: Vec<Heredoc>,
    /// Where it stands.
    pub span: Span,
    /// The comment right above.
    pub comment: Option<String>,
    /// Lines of a continuation that are empty: a thing to warn of.
    pub empty_continuation: Option<Span>,
}

/// The file, line by line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Source {
    /// Directives.
    pub directives: Directives,
    /// Instructions.
    pub lines: Vec<Line>,
}

/// Reads directives and instructions.
///
/// # Errors
/// A repeated directive, a bad escape, an unterminated here-document, no instruction at all.
pub fn read(text: &str) -> Result<Source, ParseError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut raw = text.split_inclusive('\n').enumerate().peekable();
    let directives = read_directives(text)?;
    let mut lines = Vec::new();
    let mut last = 0;
    let mut comment = None;
    while let Some((index, line)) = raw.next() {
        let start = index + 1;
        last = start;
        let line = trim_newline(line).trim_start();
        if line.is_empty() || line.starts_with('#') {
            comment = line.strip_prefix('#').map(|text| text.trim().to_owned());
            continue;
        }
        let comment = comment.take();
        let (mut code, mut more) = trim_continuation(line, directives.escape);
        let mut empty = None;
        while more {
            let Some((index, line)) = raw.next() else { break };
            last = index + 1;
            let line = trim_newline(line);
            if line.trim_start().starts_with('#') {
                continue;
            }
            if line.trim_start().is_empty() {
                empty = Some(Span { start: last, end: last });
                continue;
            }
            let (part, again) = trim_continuation(line, directives.escape);
            code.push_str(&part);
            more = again;
        }
        if code.trim().is_empty() {
            continue;
        }
        let (keyword, flags, rest) = split_command(&code);
        let mut heredocs = Vec::new();
        if can_hold_heredocs(&keyword, &rest) {
            for mut heredoc in heredocs_of(&code) {
                let mut terminated = false;
                for (index, line) in raw.by_ref() {
                    last = index + 1;
                    let word = trim_newline(line);
                    let word = if heredoc.chomp { word.trim_start_matches('\t') } else { word };
                    if word == heredoc.name {
                        terminated = true;
                        break;
                    }
                    heredoc.content.push_str(line);
                }
                if !terminated {
                    return Err(ParseError::at(Span { start, end: last }, Problem::UnterminatedHeredoc));
                }
                heredocs.push(heredoc);
            }
        }
        let span = Span { start, end: last };
        let code = code.trim().to_owned();
        lines.push(Line { keyword, flags, rest, code, heredocs, span, comment, empty_continuation: empty });
    }
    if lines.is_empty() {
        return Err(ParseError::at(Span { start: last, end: last }, Problem::NoInstructions));
    }
    Ok(Source { directives, lines })
}

fn read_directives(text: &str) -> Result<Directives, ParseError> {
    let mut directives = Directives::default();
    let mut seen_escape = false;
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let Some((name, value)) = directive(trim_newline(line)) else { break };
        let repeated = match name.as_str() {
            "syntax" => directives.syntax.replace(value).is_some(),
            "check" => directives.check.replace(value).is_some(),
            "escape" => {
                directives.escape = match value.as_str() {
                    "\\" => '\\',
                    "`" => '`',
                    _ => return Err(ParseError::at(Span::line(index + 1), Problem::EscapeToken(value))),
                };
                std::mem::replace(&mut seen_escape, true)
            }
            _ => break,
        };
        if repeated {
            return Err(ParseError::at(Span::line(index + 1), Problem::RepeatedDirective(name)));
        }
    }
    Ok(directives)
}

/// `# name = value`, the name in lower case.
fn directive(line: &str) -> Option<(String, String)> {
    let (name, value) = line.strip_prefix('#')?.split_once('=')?;
    let name = name.trim();
    let word = name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(|c| c.is_ascii_alphanumeric());
    let value = value.trim();
    (word && !value.is_empty()).then(|| (name.to_ascii_lowercase(), value.to_owned()))
}

fn trim_newline(line: &str) -> &str {
    line.trim_end_matches(['\r', '\n'])
}

/// The line without its continuation character, and whether there was one. A doubled one is no continuation.
fn trim_continuation(line: &str, escape: char) -> (String, bool) {
    match line.trim_end_matches([' ', '\t']).strip_suffix(escape) {
        Some(rest) if !rest.ends_with(escape) => (rest.to_owned(), true),
        _ => (line.to_owned(), false),
    }
}

fn can_hold_heredocs(keyword: &str, rest: &str) -> bool {
    let (keyword, rest) = if keyword.eq_ignore_ascii_case("onbuild") {
        let (inner, _, rest) = split_command(rest);
        (inner, rest)
    } else {
        (keyword.to_owned(), rest.to_owned())
    };
    ["add", "copy", "run"].contains(&keyword.to_ascii_lowercase().as_str()) && json_list(&rest).is_none()
}

fn heredocs_of(code: &str) -> Vec<Heredoc> {
    let lex = Lex { raw_quotes: true, raw_escapes: true, keep_unset: true, ..Lex::new('\\') };
    let none: &[String] = &[];
    match lex.expand(code, none) {
        Ok(expanded) => expanded.words.iter().filter_map(|word| Heredoc::parse(word)).collect(),
        Err(_) => Vec::new(),
    }
}

/// A JSON array of strings: `Some(Ok)`; another JSON array: `Some(Err)`; anything else: `None`.
pub fn json_list(rest: &str) -> Option<Result<Vec<String>, Problem>> {
    if !rest.trim_start().starts_with('[') {
        return None;
    }
    let values: Vec<serde_json::Value> = serde_json::from_str(rest).ok()?;
    let strings: Option<Vec<String>> = values.iter().map(|v| v.as_str().map(ToOwned::to_owned)).collect();
    Some(strings.ok_or(Problem::JsonStrings))
}

/// Keyword, flags, rest (BuildKit `parser/split_command.go`).
pub fn split_command(line: &str) -> (String, Vec<String>, String) {
    let line = line.trim();
    let Some((keyword, rest)) = line.split_once(char::is_whitespace) else {
        return (line.to_owned(), Vec::new(), String::new());
    };
    let (flags, rest) = split_flags(rest);
    (keyword.to_owned(), flags, rest.trim().to_owned())
}

/// Takes the leading words that start with `--`, quotes and backslashes taken off.
fn split_flags(line: &str) -> (Vec<String>, String) {
    let chars: Vec<char> = line.chars().collect();
    let mut flags: Vec<String> = Vec::new();
    let rest_from = |at: usize| chars.iter().skip(at).collect::<String>();
    let mut at = 0;
    loop {
        while chars.get(at).is_some_and(|c| c.is_whitespace()) {
            at += 1;
        }
        if !(chars.get(at) == Some(&'-') && chars.get(at + 1) == Some(&'-')) {
            return (flags, rest_from(at));
        }
        let mut word = String::new();
        let mut quote = None;
        while let Some(c) = chars.get(at).copied() {
            match (quote, c) {
                (None, c) if c.is_whitespace() => break,
                (None, '\'' | '"') => quote = Some(c),
                (Some(open), c) if open == c => quote = None,
                (_, '\\') => {
                    at += 1;
                    word.extend(chars.get(at));
                }
                (_, c) => word.push(c),
            }
            at += 1;
        }
        if word == "--" {
            return (flags, rest_from(at));
        }
        flags.push(word);
    }
}

/// Words separated by blanks, quotes and escapes kept in them (BuildKit `parser/line_parsers.go` `parseWords`).
pub fn quoted_words(rest: &str, escape: char) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut blank_is_word = false;
    let mut quote: Option<char> = None;
    let mut chars = rest.chars().peekable();
    while let Some(c) = chars.next() {
        if quote.is_none() && c.is_whitespace() {
            if blank_is_word || !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
            blank_is_word = false;
            continue;
        }
        if c == escape && quote != Some('\'') {
            // An escape at the end of the line is dropped.
            let Some(escaped) = chars.next() else { break };
            word.push(c);
            word.push(escaped);
            continue;
        }
        match quote {
            None if matches!(c, '\'' | '"') => {
                quote = Some(c);
                blank_is_word = true;
            }
            Some(open) if open == c => quote = None,
            _ => {}
        }
        word.push(c);
    }
    if blank_is_word || !word.is_empty() {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(text: &str) -> Vec<String> {
        read(text).unwrap().lines.into_iter().map(|line| line.code).collect()
    }

    #[test]
    fn continued_lines_are_one_instruction() {
        let text = "FROM a\n# comment\nRUN one \\\n  # inside\n\n  && two \\  \n  && three\n  CMD x\n";
        assert_eq!(codes(text), ["FROM a", "RUN one   && two   && three", "CMD x"]);
        let source = read(text).unwrap();
        assert_eq!(source.lines[1].span, Span { start: 3, end: 7 });
        assert_eq!(source.lines[1].empty_continuation, Some(Span::line(5)));
        assert_eq!(codes("# escape=`\r\nFROM a\r\nRUN a `\r\n  b\\\r\n"), ["FROM a", "RUN a   b\\"]);
        assert_eq!(codes("RUN a \\"), ["RUN a"]);
        assert_eq!(codes("RUN echo \\\\\nRUN b"), ["RUN echo \\\\", "RUN b"]);
    }

    #[test]
    fn directives_come_first_and_once() {
        let source = read("# syntax = docker/dockerfile:1\n#check=skip=all\nFROM a").unwrap();
        assert_eq!(source.directives.syntax.as_deref(), Some("docker/dockerfile:1"));
        assert_eq!(source.directives.check.as_deref(), Some("skip=all"));
        let late = read("# just a comment\n# escape=`\nFROM a").unwrap();
        assert_eq!(late.directives.escape, '\\');
        for (text, error) in [
            ("# escape=x\nFROM a", "invalid escape token 'x' does not match ` or \\"),
            ("# escape=`\n# escape=`\nFROM a", "only one escape parser directive can be used"),
            ("# nothing\n\n", "file with no instructions"),
            ("RUN <<EOF\nx\n", "unterminated heredoc"),
        ] {
            assert_eq!(read(text).unwrap_err().to_string(), error);
        }
    }

    #[test]
    fn heredocs_end_at_their_word() {
        let source = read("COPY <<a.txt <<-\"b.txt\" /x/\none $A\na.txt\n\ttwo\n\tb.txt\nRUN x").unwrap();
        let docs = &source.lines[0].heredocs;
        assert_eq!((docs[0].content.as_str(), docs[0].expand, docs[0].chomp), ("one $A\n", true, false));
        assert_eq!((docs[1].text().as_str(), docs[1].expand, docs[1].name.as_str()), ("two\n", false, "b.txt"));
        assert_eq!(source.lines[0].span, Span { start: 1, end: 5 });
        assert_eq!(source.lines.len(), 2);
        assert!(read("ENV a=<<EOF\n").unwrap().lines[0].heredocs.is_empty());
        assert!(read("RUN [\"cat\", \"<<EOF\"]\n").unwrap().lines[0].heredocs.is_empty());
    }

    #[test]
    fn flags_come_before_the_arguments() {
        let (keyword, flags, rest) = split_command("COPY --from=a --chown='x y' -- --b c");
        assert_eq!((keyword.as_str(), flags), ("COPY", vec!["--from=a".to_owned(), "--chown=x y".to_owned()]));
        assert_eq!(rest, "--b c");
        assert_eq!(
            quoted_words(r#"a="b c" d='e f'g h\ i "" k"#, '\\'),
            ["a=\"b c\"", "d='e f'g", "h\\ i", "\"\"", "k"]
        );
    }
}
