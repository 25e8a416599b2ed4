//! Colours for the editor: a line of a file in, pieces with what they are out. It serves the eye and knows only as much of
//! each language as that needs.

use crate::docker::dockerfile::parse::INSTRUCTIONS;

/// What a file is written in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Syntax {
    /// Dockerfiles.
    Dockerfile,
    /// Shell scripts, ignore files, `.env`, YAML, Python, configuration: comments begin with `#`.
    Hash,
    /// JavaScript, JSON, CSS, C: comments begin with `//`.
    Slash,
    /// HTML, XML, SVG.
    Markup,
    /// Anything else.
    Plain,
}

impl Syntax {
    /// By a file's name.
    pub fn of(name: &str) -> Self {
        let name = name.to_ascii_lowercase();
        let end = name.rsplit('.').next().unwrap_or_default();
        match end {
            "dockerfile" => Self::Dockerfile,
            _ if name.starts_with("dockerfile") || name.starts_with("containerfile") => Self::Dockerfile,
            "sh" | "bash" | "py" | "rb" | "yml" | "yaml" | "toml" | "conf" | "cfg" | "ini" | "env" | "bashrc"
            | "profile" | "bash_logout" | "dockerignore" | "gitignore" | "makefile" => Self::Hash,
            "js" | "mjs" | "ts" | "json" | "css" | "c" | "h" | "go" | "rs" | "java" | "php" => Self::Slash,
            "html" | "htm" | "xml" | "svg" => Self::Markup,
            _ => Self::Plain,
        }
    }
}

/// What a piece of a line is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Token {
    /// Text.
    Plain,
    /// An instruction, a tag.
    Keyword,
    /// A comment.
    Comment,
    /// A string.
    String,
    /// `$NAME`, `${NAME}`.
    Variable,
    /// `--flag`, `key:`.
    Flag,
}

/// The pieces of a line. `goes_on` says whether it continues the one before; whether the next one continues this one comes
/// back.
pub fn line(syntax: Syntax, text: &str, goes_on: bool) -> (Vec<(Token, &str)>, bool) {
    let trimmed = text.trim_start();
    let comment = match syntax {
        Syntax::Dockerfile | Syntax::Hash => trimmed.starts_with('#'),
        Syntax::Slash => trimmed.starts_with("//") || trimmed.starts_with("/*") || trimmed.starts_with("* "),
        Syntax::Markup => trimmed.starts_with("<!--"),
        Syntax::Plain => return (vec![(Token::Plain, text)], false),
    };
    if comment {
        // A comment between the lines of an instruction does not end it.
        return (vec![(Token::Comment, text)], goes_on && syntax == Syntax::Dockerfile);
    }
    let mut pieces = Pieces { text, from: 0, found: Vec::new() };
    let mut chars = text.char_indices().peekable();
    let mut words = 0;
    while let Some((at, c)) = chars.next() {
        let starts_word =
            text.get(..at).is_none_or(|before| before.is_empty() || before.ends_with([' ', '\t', '[', ',']));
        let end = |wanted: &dyn Fn(char) -> bool| {
            text.get(at + c.len_utf8()..)
                .and_then(|rest| rest.find(|c| !wanted(c)))
                .map_or(text.len(), |end| at + c.len_utf8() + end)
        };
        let word = |c: char| c.is_alphanumeric() || c == '_';
        let (token, to) = match c {
            '"' | '\'' => match text.get(at + 1..).and_then(|rest| rest.find(c)) {
                Some(length) => (Token::String, at + 1 + length + 1),
                None => continue,
            },
            '$' => match text.get(at + 1..) {
                Some(rest) if rest.starts_with('{') => match rest.find('}') {
                    Some(length) => (Token::Variable, at + 1 + length + 1),
                    None => continue,
                },
                _ => (Token::Variable, end(&word)),
            },
            '#' if syntax == Syntax::Hash && starts_word => (Token::Comment, text.len()),
            '-' if starts_word => (Token::Flag, end(&|c| word(c) || c == '-')),
            '<' if syntax == Syntax::Markup => (Token::Keyword, end(&|c| word(c) || "/!-".contains(c))),
            '>' if syntax == Syntax::Markup => (Token::Keyword, at + 1),
            _ if word(c) && starts_word => {
                let to = end(&word);
                words += 1;
                let found = text.get(at..to).unwrap_or_default();
                let is_instruction = syntax == Syntax::Dockerfile
                    && INSTRUCTIONS.iter().chain(&["AS"]).any(|known| known.eq_ignore_ascii_case(found))
                    && ((words == 1 && !goes_on) || found.eq_ignore_ascii_case("AS"));
                let is_key =
                    syntax == Syntax::Hash && words == 1 && text.get(to..).is_some_and(|r| r.starts_with([':', '=']));
                match (is_instruction, is_key) {
                    (true, _) => (Token::Keyword, to),
                    (_, true) => (Token::Flag, to),
                    _ => (Token::Plain, to),
                }
            }
            _ => continue,
        };
        if token != Token::Plain {
            pieces.add(token, at, to);
        }
        while chars.peek().is_some_and(|(next, _)| *next < to) {
            chars.next();
        }
    }
    (pieces.end(), syntax == Syntax::Dockerfile && text.trim_end().ends_with('\\'))
}

struct Pieces<'a> {
    text: &'a str,
    from: usize,
    found: Vec<(Token, &'a str)>,
}

impl<'a> Pieces<'a> {
    fn add(&mut self, token: Token, at: usize, to: usize) {
        let pairs = [(Token::Plain, self.from, at), (token, at, to)];
        for (token, from, to) in pairs {
            if let Some(piece) = self.text.get(from..to).filter(|piece| !piece.is_empty()) {
                self.found.push((token, piece));
            }
        }
        self.from = to;
    }

    fn end(mut self) -> Vec<(Token, &'a str)> {
        self.add(Token::Plain, self.text.len(), self.text.len());
        self.found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(syntax: Syntax, text: &str, goes_on: bool) -> String {
        let mark = |(token, piece): &(Token, &str)| match token {
            Token::Plain => (*piece).to_owned(),
            Token::Keyword => format!("<{piece}>"),
            Token::Comment => format!("({piece})"),
            Token::String => format!("«{piece}»"),
            Token::Variable => format!("[{piece}]"),
            Token::Flag => format!("_{piece}_"),
        };
        line(syntax, text, goes_on).0.iter().map(mark).collect()
    }

    #[test]
    fn dockerfiles_are_coloured_by_instruction() {
        let docker = |text| marked(Syntax::Dockerfile, text, false);
        assert_eq!(docker("FROM node:10 AS build"), "<FROM> node:10 <AS> build");
        assert_eq!(docker("COPY --from=build ${HOME}/x /run"), "<COPY> _--from_=build [${HOME}]/x /run");
        assert_eq!(docker("CMD [\"run\", \"it\"]"), "<CMD> [«\"run\"», «\"it\"»]");
        assert_eq!(docker("RUN echo $A run"), "<RUN> echo [$A] run");
        assert_eq!(docker("# RUN"), "(# RUN)");
        assert_eq!(marked(Syntax::Dockerfile, "  run más", true), "  run más");
        assert!(line(Syntax::Dockerfile, "RUN a \\", false).1);
        assert!(line(Syntax::Dockerfile, "# b", true).1);
    }

    #[test]
    fn other_languages_have_comments_keys_and_tags() {
        assert_eq!(marked(Syntax::Hash, "port: 80 # aquí", false), "_port_: 80 (# aquí)");
        assert_eq!(marked(Syntax::Markup, "<h1 id='x'>Hola</h1>", false), "<<h1> id=«'x'»<>>Hola<</h1><>>");
        assert_eq!(marked(Syntax::Plain, "FROM \"x\"", false), "FROM \"x\"");
        assert_eq!(Syntax::of("Dockerfile.dev"), Syntax::Dockerfile);
        assert_eq!(Syntax::of("index.html"), Syntax::Markup);
    }

    proptest::proptest! {
        #[test]
        fn nothing_of_a_line_is_lost(text in "[-#$\"'{}\\\\a-zñ <>/:=,\\[]{0,40}", goes_on: bool) {
            for syntax in [Syntax::Dockerfile, Syntax::Hash, Syntax::Slash, Syntax::Markup, Syntax::Plain] {
                let whole: String = line(syntax, &text, goes_on).0.iter().map(|piece| piece.1).collect();
                proptest::prop_assert_eq!(&whole, &text);
            }
        }
    }
}
