//! A line of a goal, split into words as a shell would, and a cursor over them.

use super::say::Say;

/// Words still to be read.
#[derive(Clone, Debug)]
pub struct Words {
    words: Vec<String>,
    at: usize,
}

impl Words {
    /// Splits a line at blanks; `"…"` keeps blanks, and in it `\"`, `\\` and `\n` are what they are in C.
    ///
    /// # Errors
    /// A quote that is not closed.
    pub fn of(line: &str) -> Result<Self, Say> {
        let mut words = Vec::new();
        let mut chars = line.chars().peekable();
        while let Some(c) = chars.next() {
            if c.is_whitespace() {
                continue;
            }
            let mut word = String::new();
            if c == '"' {
                loop {
                    match chars.next() {
                        None => return Err(Say::new(["faltan unas comillas de cierre", "a closing quote is missing"])),
                        Some('"') => break,
                        Some('\\') => match chars.next() {
                            Some('n') => word.push('\n'),
                            Some(c) => word.push(c),
                            None => {}
                        },
                        Some(c) => word.push(c),
                    }
                }
            } else {
                word.push(c);
                while let Some(c) = chars.next_if(|c| !c.is_whitespace()) {
                    word.push(c);
                }
            }
            words.push(word);
        }
        Ok(Self { words, at: 0 })
    }

    /// The next word, which stays.
    pub fn peek(&self) -> Option<&str> {
        self.words.get(self.at).map(String::as_str)
    }

    /// The next word.
    pub fn next(&mut self) -> Option<String> {
        let word = self.words.get(self.at)?.clone();
        self.at += 1;
        Some(word)
    }

    /// Takes the next word if it is `word`.
    pub fn take(&mut self, word: &str) -> bool {
        let is = self.peek() == Some(word);
        self.at += usize::from(is);
        is
    }

    /// The next word, which has to be there.
    ///
    /// # Errors
    /// The line has ended.
    pub fn need(&mut self, what: Say) -> Result<String, Say> {
        self.next().ok_or_else(|| Say::new(["falta {0}", "{0} is missing"]).say(what))
    }

    /// The next word, which has to be `word`.
    ///
    /// # Errors
    /// Another word, or none.
    pub fn expect(&mut self, word: &str) -> Result<(), Say> {
        if self.take(word) { Ok(()) } else { Err(self.unexpected(word)) }
    }

    /// Says that the next word is none of those that fit.
    pub fn unexpected(&self, fitting: &str) -> Say {
        match self.peek() {
            Some(word) => Say::new([
                "`{0}` no se entiende aquí; cabría: {1}",
                "`{0}` makes no sense here; what could stand here: {1}",
            ])
            .text(word)
            .text(fitting),
            None => {
                Say::new(["la línea acaba donde cabría: {0}", "the line ends where there could be: {0}"]).text(fitting)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_keep_blanks() {
        let mut words = Words::of(r#"file ~/a containing "dos palabras \"x\"""#).unwrap();
        assert!(words.take("file") && !words.take("x"));
        assert_eq!(words.next().as_deref(), Some("~/a"));
        assert!(words.expect("containing").is_ok());
        assert_eq!(words.next().as_deref(), Some("dos palabras \"x\""));
        assert!(words.next().is_none() && Words::of("\"abc").is_err());
    }
}
