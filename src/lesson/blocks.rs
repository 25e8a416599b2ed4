//! Code blocks of slides: which of their lines are commands and which are output.
//!
//! The same rules, in JavaScript, are in `www/embed/blocks.js`, where a slide gets its buttons before any program is
//! loaded; `tests/decks/blocks.json` holds both to them.

/// What a block's language makes of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Commands of a shell, with or without prompts.
    Shell,
    /// What a terminal shows: lines without a prompt are output.
    Console,
    /// A Dockerfile.
    Dockerfile,
}

impl Kind {
    /// From the first word of a fence's info string; `None` if such a block can't be run.
    pub fn from_language(language: &str) -> Option<Self> {
        let language = language.to_ascii_lowercase();
        let language = ["language-", "lang-"].iter().find_map(|p| language.strip_prefix(p)).unwrap_or(&language);
        match language {
            "bash" | "sh" | "shell" | "zsh" | "shell-session" | "shellsession" => Some(Self::Shell),
            "console" | "terminal" => Some(Self::Console),
            "dockerfile" | "docker" => Some(Self::Dockerfile),
            _ => None,
        }
    }
}

/// A command of a block.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    /// What is typed, of one or more lines.
    pub command: String,
    /// What the block shows as its output.
    pub output: Vec<String>,
    /// Its first line in the block, from 0.
    pub from: usize,
    /// The line after it.
    pub to: usize,
}

/// What is in a block.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Block {
    /// A Dockerfile's text.
    Dockerfile(String),
    /// Commands in their order.
    Commands(Vec<Step>),
}

/// A line with a prompt.
#[derive(Clone, Copy)]
struct Mark<'a> {
    sign: char,
    /// What stands after the prompt; empty if nothing does.
    typed: &'a str,
}

/// Splits a block into its commands.
pub fn split(kind: Kind, source: &str) -> Block {
    let text = source.replace("\r\n", "\n").replace('\r', "\n");
    let text = text.trim_end_matches('\n');
    let lines: Vec<&str> = text.split('\n').collect();
    if kind == Kind::Dockerfile {
        return if text.trim().is_empty() {
            Block::Commands(Vec::new())
        } else {
            Block::Dockerfile(format!("{text}\n"))
        };
    }
    let marks: Vec<Option<Mark<'_>>> = lines.iter().map(|line| prompt(line)).collect();
    let typed = |mark: &Option<Mark<'_>>| mark.is_some_and(|mark| !mark.typed.is_empty());
    // `#` is the prompt of a root shell in a console, or after a command that opened one; in a script it is a comment.
    let has_prompts = marks.iter().any(|mark| typed(mark) && mark.is_some_and(|mark| mark.sign != '#'));
    let has_root = lines
        .iter()
        .zip(&marks)
        .any(|(line, mark)| typed(mark) && mark.is_some_and(|mark| mark.sign == '#') && !is_bare(line));
    if !has_prompts && !has_root && kind != Kind::Console {
        return if looks_like_dockerfile(&lines) {
            Block::Dockerfile(format!("{text}\n"))
        } else {
            Block::Commands(script_steps(&lines))
        };
    }
    let mut steps: Vec<Step> = Vec::new();
    let mut in_container = false;
    let mut at = 0;
    while let (Some(line), Some(mark)) = (lines.get(at), marks.get(at)) {
        let is_comment = is_bare(line) && !in_container && kind != Kind::Console;
        match mark.filter(|mark| !mark.typed.is_empty() && !is_comment) {
            Some(mark) => {
                let end = command_end(&lines, at, mark.typed);
                let command = continued(lines.get(at + 1..end).unwrap_or_default(), mark.typed);
                if opens_shell(&command) {
                    in_container = true;
                } else if command.split(|c: char| !c.is_alphanumeric()).next() == Some("exit") {
                    in_container = false;
                }
                steps.push(Step { command, output: Vec::new(), from: at, to: end });
                at = end;
            }
            None => {
                if let (Some(last), false, true) = (steps.last_mut(), is_comment, mark.is_none()) {
                    last.output.push((*line).to_owned());
                }
                at += 1;
            }
        }
    }
    for step in &mut steps {
        while step.output.last().is_some_and(|line| line.trim().is_empty()) {
            step.output.pop();
        }
    }
    Block::Commands(steps)
}

/// Whether a line begins with nothing but `#`: a comment, or root's prompt.
fn is_bare(line: &str) -> bool {
    line.strip_prefix('#').is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace))
}

/// The prompt of a line: `$`, `#` or `>` at its start, or after who and where (`user@host:~`, `root@3f2a:/`, `/ `,
/// `bash-5.1`, `PS C:\>`).
fn prompt(line: &str) -> Option<Mark<'_>> {
    line.char_indices().filter(|(_, c)| matches!(c, '$' | '#' | '>')).find_map(|(at, sign)| {
        let (before, rest) = (line.get(..at)?, line.get(at + 1..)?);
        let ends = rest.is_empty() || rest.starts_with(char::is_whitespace);
        (ends && is_place(before)).then(|| Mark { sign, typed: rest.trim_start() })
    })
}

/// Whether `text` is what may stand before the sign of a prompt.
fn is_place(text: &str) -> bool {
    if text.is_empty() {
        return true;
    }
    let words = text.split_whitespace().count();
    let version = text.strip_prefix("bash-").or_else(|| text.strip_prefix("sh-"));
    if version.is_some_and(|version| !version.is_empty() && version.chars().all(|c| c.is_ascii_digit() || c == '.')) {
        return true;
    }
    let drive = text.strip_prefix("PS ").unwrap_or(text);
    let mut letters = drive.chars();
    if let (Some('a'..='z' | 'A'..='Z'), Some(':'), Some('\\')) = (letters.next(), letters.next(), letters.next()) {
        return !drive.contains('>');
    }
    match text.chars().next() {
        Some('/') => words == 1 && text.ends_with(char::is_whitespace),
        Some('~') => words == 1,
        _ => {
            // user@host:place, user@host place
            let at = text.split_once('@');
            at.is_some_and(|(user, host)| !user.is_empty() && !user.contains(char::is_whitespace) && !host.is_empty())
                && words <= 2
        }
    }
}

/// Whether lines without any prompt are a Dockerfile that was marked as something else.
fn looks_like_dockerfile(lines: &[&str]) -> bool {
    let is_from = |line: &str| {
        let mut words = line.split_whitespace();
        words.next() == Some("FROM") && words.next().is_some()
    };
    let first = lines.iter().map(|line| line.trim()).find(|line| !line.is_empty() && !line.starts_with('#'));
    first.is_some_and(|first| is_from(first) || first.starts_with("ARG ")) && lines.iter().any(|line| is_from(line))
}

/// Every command of a script: lines without prompts. Comments are not commands.
fn script_steps(lines: &[&str]) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        if line.trim().is_empty() || line.trim_start().starts_with('#') {
            at += 1;
            continue;
        }
        let end = command_end(lines, at, line);
        let command = continued(lines.get(at + 1..end).unwrap_or_default(), line);
        steps.push(Step { command, output: Vec::new(), from: at, to: end });
        at = end;
    }
    steps
}

fn opens_shell(command: &str) -> bool {
    let mut words = command.split_whitespace().peekable();
    let sudo = words.next_if(|word| *word == "sudo").is_some();
    match words.next() {
        Some("docker") => {
            let words: Vec<&str> = words.collect();
            let has = |name: &str| words.contains(&name);
            has("-it") || has("-ti") || (has("-i") && has("-t")) || (has("--interactive") && has("--tty"))
        }
        Some("su" | "-i" | "-s") => sudo,
        _ => false,
    }
}

/// The line after a command that begins at line `at`: over backslashes, open quotes, `&&` and `|`, and here-documents.
fn command_end(lines: &[&str], at: usize, first: &str) -> usize {
    let mut text = first.to_owned();
    let mut end = at + 1;
    while let (Some(line), true) = (lines.get(end), is_open(&text)) {
        text.push('\n');
        text.push_str(unprompted(line));
        end += 1;
    }
    for (word, tabs) in here_documents(&text) {
        while let Some(line) = lines.get(end) {
            end += 1;
            let line = unprompted(line);
            if (if tabs { line.trim_start_matches('\t') } else { line }) == word {
                break;
            }
        }
    }
    end
}

/// The command's text: prompts of continuation lines are taken away if each of them has one.
fn continued(rest: &[&str], first: &str) -> String {
    let is_prompted = rest.iter().all(|line| *line == ">" || line.starts_with("> "));
    let mut text = first.to_owned();
    for line in rest {
        text.push('\n');
        text.push_str(if is_prompted { unprompted(line) } else { line });
    }
    text.truncate(text.trim_end().len());
    text
}

fn unprompted(line: &str) -> &str {
    line.strip_prefix("> ").or_else(|| line.strip_prefix('>')).unwrap_or(line)
}

/// Whether a shell would ask for another line after `text`.
fn is_open(text: &str) -> bool {
    let mut quote = None;
    let mut before = '\n';
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some('\''), '\'') => quote = None,
            (Some('\''), _) => {}
            (_, '\\') => {
                if chars.next().is_none() {
                    return true;
                }
            }
            (Some(open), _) => {
                if c == open {
                    quote = None;
                }
            }
            (None, '"' | '\'' | '`') => quote = Some(c),
            (None, '#') if before.is_whitespace() => {
                while chars.next_if(|c| *c != '\n').is_some() {}
                if chars.peek().is_none() {
                    return false;
                }
            }
            (None, _) => {}
        }
        before = c;
    }
    let end = text.trim_end();
    quote.is_some() || end.ends_with("&&") || end.ends_with('|')
}

/// The words that end the here-documents of a command, and whether tabs before them are passed over.
fn here_documents(text: &str) -> Vec<(String, bool)> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("<<") {
        rest = after;
        if let Some(string) = after.strip_prefix('<') {
            rest = string;
            continue;
        }
        if before.ends_with('<') {
            continue;
        }
        let (tabs, after) = after.strip_prefix('-').map_or((false, after), |after| (true, after));
        let after = after.trim_start_matches([' ', '\t']);
        let word = match after.chars().next() {
            Some(quote @ ('\'' | '"')) => {
                after.get(1..).and_then(|inner| inner.split_once(quote)).map(|(word, _)| word.to_owned())
            }
            _ => {
                let bare = after.strip_prefix('\\').unwrap_or(after);
                Some(bare.chars().take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '-')).collect())
            }
        };
        found.extend(word.filter(|word| !word.is_empty()).map(|word| (word, tabs)));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn blocks_are_split_as_the_plugin_splits_them() {
        let cases: Value = serde_json::from_str(include_str!("../../tests/decks/blocks.json")).unwrap();
        for case in cases.as_array().unwrap() {
            let kind = Kind::from_language(case["kind"].as_str().unwrap()).unwrap();
            let expected = match case.get("dockerfile") {
                Some(text) => Block::Dockerfile(text.as_str().unwrap().to_owned()),
                None => Block::Commands(case["steps"].as_array().unwrap().iter().map(step).collect()),
            };
            assert_eq!(split(kind, case["source"].as_str().unwrap()), expected, "{}", case["name"]);
        }
    }

    fn step(value: &Value) -> Step {
        let number = |name: &str| usize::try_from(value[name].as_u64().unwrap()).unwrap();
        let output = value["output"].as_array().unwrap().iter().map(|line| line.as_str().unwrap().to_owned());
        Step {
            command: value["command"].as_str().unwrap().to_owned(),
            output: output.collect(),
            from: number("from"),
            to: number("to"),
        }
    }

    #[test]
    fn languages_of_fences() {
        assert_eq!(Kind::from_language("language-Bash"), Some(Kind::Shell));
        assert_eq!(Kind::from_language("Dockerfile"), Some(Kind::Dockerfile));
        assert_eq!(Kind::from_language("yaml"), None);
    }
}
