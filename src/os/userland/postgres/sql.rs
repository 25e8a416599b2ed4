//! SQL's words: identifiers folded to lower case unless quoted, strings, numbers, marks.

/// A word of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    /// An identifier or keyword without quotes, in lower case.
    Plain(String),
    /// A quoted identifier.
    Quoted(String),
    /// A string.
    Text(String),
    /// A number.
    Number(String),
    /// One character.
    Mark(char),
}

impl Word {
    /// Whether it is this keyword.
    pub fn is(&self, keyword: &str) -> bool {
        matches!(self, Self::Plain(word) if word == keyword)
    }

    /// As an error shows it.
    pub fn show(&self) -> String {
        match self {
            Self::Plain(text) | Self::Number(text) => text.clone(),
            Self::Quoted(text) => format!("\"{text}\""),
            Self::Text(text) => format!("'{text}'"),
            Self::Mark(c) => c.to_string(),
        }
    }
}

/// The words of a statement; an unfinished string ends with the text.
pub fn words(source: &str) -> Vec<Word> {
    let mut out = Vec::new();
    let mut chars = source.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            c if c.is_whitespace() => {}
            '-' if chars.peek() == Some(&'-') => while chars.next_if(|c| *c != '\n').is_some() {},
            '"' | '\'' => {
                let mut text = String::new();
                while let Some(inner) = chars.next() {
                    if inner == c && chars.next_if_eq(&c).is_none() {
                        break;
                    }
                    text.push(inner);
                }
                out.push(if c == '"' { Word::Quoted(text) } else { Word::Text(text) });
            }
            c if c.is_ascii_digit() => {
                let mut text = c.to_string();
                while let Some(c) = chars.next_if(|c| c.is_ascii_digit() || *c == '.') {
                    text.push(c);
                }
                out.push(Word::Number(text));
            }
            c if c.is_alphabetic() || c == '_' => {
                let mut text = c.to_string();
                while let Some(c) = chars.next_if(|c| c.is_alphanumeric() || matches!(c, '_' | '$')) {
                    text.push(c);
                }
                out.push(Word::Plain(text.to_lowercase()));
            }
            c => out.push(Word::Mark(c)),
        }
    }
    out
}

/// Cuts a text into statements at `;`; what follows the last one is not finished.
pub fn statements(source: &str) -> (Vec<String>, String) {
    let (mut done, mut current, mut quote, mut comment) = (Vec::new(), String::new(), None, false);
    let mut before = ' ';
    for c in source.chars() {
        match (quote, c) {
            _ if comment => comment = c != '\n',
            (None, '-') if before == '-' => {
                current.pop();
                comment = true;
            }
            (None, ';') => done.push(std::mem::take(&mut current)),
            _ => {
                match quote {
                    Some(open) if open == c => quote = None,
                    None if matches!(c, '"' | '\'') => quote = Some(c),
                    _ => {}
                }
                current.push(c);
            }
        }
        before = c;
    }
    (done, current)
}

/// An identifier as SQL writes it: quoted where it must be.
pub fn name(name: &str) -> String {
    let plain = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && !name.is_empty();
    if plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

/// A string as SQL writes it.
pub fn text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A statement's words from left to right.
pub struct Cursor<'a> {
    /// All of them.
    pub words: &'a [Word],
    /// Those that are taken.
    pub at: usize,
    /// The statement.
    pub source: &'a str,
}

/// The error is a line of the server.
pub type Result<T> = std::result::Result<T, String>;

impl Cursor<'_> {
    /// The next word.
    pub fn peek(&self) -> Option<&Word> {
        self.words.get(self.at)
    }

    /// Takes it.
    pub fn next(&mut self) -> Option<Word> {
        let word = self.words.get(self.at).cloned();
        self.at += usize::from(word.is_some());
        word
    }

    /// Takes it if it is this keyword.
    pub fn take(&mut self, keyword: &str) -> bool {
        let found = self.peek().is_some_and(|word| word.is(keyword));
        self.at += usize::from(found);
        found
    }

    /// Takes it if it is this mark.
    pub fn mark(&mut self, mark: char) -> bool {
        let found = self.peek() == Some(&Word::Mark(mark));
        self.at += usize::from(found);
        found
    }

    /// The error of a word that doesn't belong here, with the line it stands on.
    pub fn wrong(&self) -> String {
        let source = self.source.trim();
        let line = source.lines().next().unwrap_or_default();
        match self.peek() {
            None => format!(
                "ERROR:  syntax error at end of input\nLINE 1: {line}\n{}^",
                " ".repeat(8 + line.chars().count())
            ),
            Some(word) => {
                let shown = word.show();
                let at = line.to_lowercase().find(&shown.to_lowercase()).unwrap_or(0);
                let column = line.get(..at).map_or(0, |before| before.chars().count());
                format!("ERROR:  syntax error at or near \"{shown}\"\nLINE 1: {line}\n{}^", " ".repeat(8 + column))
            }
        }
    }

    /// Takes a name; anything else is an error.
    pub fn identifier(&mut self) -> Result<String> {
        match self.peek().cloned() {
            Some(Word::Plain(text) | Word::Quoted(text)) => {
                self.at += 1;
                Ok(text)
            }
            _ => Err(self.wrong()),
        }
    }

    /// Takes `IF EXISTS`, or `IF NOT EXISTS`.
    pub fn if_exists(&mut self, not: bool) -> bool {
        let start = self.at;
        let found = self.take("if") && (!not || self.take("not")) && self.take("exists");
        if !found {
            self.at = start;
        }
        found
    }

    /// Nothing may follow.
    pub fn end(&self) -> Result<()> {
        if self.at < self.words.len() { Err(self.wrong()) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_fold_and_quotes_keep() {
        let plain = |text: &str| Word::Plain(text.to_owned());
        assert_eq!(
            words("Create DATABASE \"blog-Dev\" -- c\n x('it''s', 1.5)"),
            vec![
                plain("create"),
                plain("database"),
                Word::Quoted("blog-Dev".to_owned()),
                plain("x"),
                Word::Mark('('),
                Word::Text("it's".to_owned()),
                Word::Mark(','),
                Word::Number("1.5".to_owned()),
                Word::Mark(')'),
            ]
        );
    }

    #[test]
    fn a_semicolon_in_quotes_ends_nothing() {
        let (done, rest) = statements("select ';'; select 2 -- a;b\n; sel");
        assert_eq!(done.len(), 2);
        assert_eq!(rest.trim(), "sel");
        assert_eq!((name("blog-dev"), name("blog")), ("\"blog-dev\"".to_owned(), "blog".to_owned()));
    }
}
