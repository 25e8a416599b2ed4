//! Words: quotes, escapes and `$variables` in the arguments of an instruction (BuildKit `frontend/dockerfile/shell`).
//!
//! This is the Dockerfile's own small shell, not the shell that runs `RUN`. It knows no instruction; callers give it
//! the variables in scope.

use std::collections::BTreeSet;

use super::quote::go_quote;
use super::trim::{Pattern, PatternError};

/// `${a:-${b:-…}}` may nest this deep.
const MAX_DEPTH: usize = 100;

/// What a text expands to may be this much longer than it is, in bytes: replacements within replacements, or `ENV A=$A$A` in every line, would fill any
/// memory. BuildKit has no such limit; what Linux gives to a program is never as long.
pub const MAX_BYTES: usize = 1 << 20;

/// A word that can't be read (BuildKit `shell/lex.go`).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WordProblem {
    /// `'abc`.
    #[error("unexpected end of statement while looking for matching single-quote")]
    SingleQuote,
    /// `"abc`.
    #[error("unexpected end of statement while looking for matching double-quote")]
    DoubleQuote,
    /// `${abc`.
    #[error("syntax error: missing '}}'")]
    MissingBrace,
    /// `${abc/def`.
    #[error("syntax error: missing '/' in ${{}}")]
    MissingSlash,
    /// `${}`.
    #[error("syntax error: bad substitution")]
    BadSubstitution,
    /// `${abc=def}`.
    #[error("unsupported modifier ({0}) in substitution")]
    Modifier(String),
    /// `${abc:?def}` with abc unset or empty.
    #[error("{name}: {message}")]
    Required {
        /// The variable.
        name: String,
        /// What the author wrote after `?`, or the default.
        message: String,
    },
    /// It would be [`MAX_BYTES`] longer than it is; our own.
    #[error("expansion adds more than {MAX_BYTES} bytes")]
    TooLong,
    /// `${abc#\x}`.
    #[error("invalid pattern ({pattern}) in substitution: {problem}")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        problem: PatternError,
    },
}

/// A [`WordProblem`] with the text it is in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("failed to process {}: {problem}", go_quote(source_text))]
pub struct WordError {
    /// The whole text.
    pub source_text: String,
    /// What is wrong.
    pub problem: WordProblem,
}

/// The variables in scope.
pub trait Variables {
    /// The value of `name`, if it is set.
    fn get(&self, name: &str) -> Option<&str>;
}

impl Variables for [(String, String)] {
    fn get(&self, name: &str) -> Option<&str> {
        self.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

impl Variables for [String] {
    fn get(&self, name: &str) -> Option<&str> {
        self.iter().rev().find_map(|word| match word.split_once('=') {
            Some((key, value)) => (key == name).then_some(value),
            None => (word == name).then_some(""),
        })
    }
}

/// How words are read.
#[derive(Debug, Clone, Copy)]
pub struct Lex {
    /// The escape character: `\`, or a backtick by directive.
    pub escape: char,
    /// Quotes stay in the result.
    pub raw_quotes: bool,
    /// Escapes stay in the result.
    pub raw_escapes: bool,
    /// Quotes are ordinary characters.
    pub skip_quotes: bool,
    /// `$name` stays as written where `name` is unset.
    pub keep_unset: bool,
}

/// A text after expansion.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Expanded {
    /// The text as one word.
    pub text: String,
    /// The text split at unquoted blanks.
    pub words: Vec<String>,
    /// Variables that were set.
    pub matched: BTreeSet<String>,
    /// Variables that were not.
    pub unmatched: BTreeSet<String>,
}

impl Lex {
    /// Expands everything.
    pub const fn new(escape: char) -> Self {
        Self { escape, raw_quotes: false, raw_escapes: false, skip_quotes: false, keep_unset: false }
    }

    /// Expands `source`.
    ///
    /// # Errors
    /// Unbalanced quotes and braces, bad substitutions, `${name:?message}`.
    pub fn expand(&self, source: &str, variables: &(impl Variables + ?Sized)) -> Result<Expanded, WordError> {
        let mut reader = Reader {
            lex: *self,
            chars: source.chars().collect(),
            at: 0,
            depth: 0,
            max_bytes: MAX_BYTES + source.len(),
            variables: &|name| variables.get(name).map(ToOwned::to_owned),
            expanded: Expanded::default(),
        };
        match reader.until(None, self.raw_escapes) {
            Ok((text, words)) => Ok(Expanded { text, words, ..reader.expanded }),
            Err(problem) => Err(WordError { source_text: source.to_owned(), problem }),
        }
    }
}

struct Reader<'a> {
    lex: Lex,
    chars: Vec<char>,
    at: usize,
    depth: usize,
    max_bytes: usize,
    variables: &'a dyn Fn(&str) -> Option<String>,
    expanded: Expanded,
}

/// Collects words split at blanks that come from outside quotes.
#[derive(Default)]
struct Words {
    done: Vec<String>,
    word: String,
}

impl Words {
    fn push(&mut self, c: char) {
        if !c.is_whitespace() {
            self.word.push(c);
        } else if !self.word.is_empty() {
            self.done.push(std::mem::take(&mut self.word));
        }
    }

    fn finish(mut self) -> Vec<String> {
        if !self.word.is_empty() {
            self.done.push(self.word);
        }
        self.done
    }
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek();
        self.at += usize::from(c.is_some());
        c
    }

    /// Reads until `stop` (which is eaten) or the end.
    fn until(&mut self, stop: Option<char>, raw_escapes: bool) -> Result<(String, Vec<String>), WordProblem> {
        if self.depth >= MAX_DEPTH {
            return Err(WordProblem::BadSubstitution);
        }
        self.depth += 1;
        let outer = std::mem::replace(&mut self.lex.raw_escapes, raw_escapes);
        let result = self.until_inner(stop);
        self.lex.raw_escapes = outer;
        self.depth -= 1;
        result
    }

    fn until_inner(&mut self, stop: Option<char>) -> Result<(String, Vec<String>), WordProblem> {
        let (mut text, mut words) = (String::new(), Words::default());
        while let Some(c) = self.peek() {
            if stop == Some(c) {
                self.next();
                return Ok((text, words.finish()));
            }
            match c {
                '$' => {
                    let value = self.dollar()?;
                    if text.len() + value.len() > self.max_bytes {
                        return Err(WordProblem::TooLong);
                    }
                    value.chars().for_each(|c| words.push(c));
                    text.push_str(&value);
                }
                '\'' | '"' if !self.lex.skip_quotes => {
                    let value = if c == '"' { self.double_quote()? } else { self.single_quote()? };
                    if text.len() + value.len() > self.max_bytes {
                        return Err(WordProblem::TooLong);
                    }
                    words.word.push_str(&value);
                    text.push_str(&value);
                }
                _ if c == self.lex.escape => {
                    self.next();
                    if self.lex.raw_escapes {
                        words.word.push(c);
                        text.push(c);
                    }
                    // An escape at the very end escapes nothing and is dropped.
                    let Some(c) = self.next() else { break };
                    words.word.push(c);
                    text.push(c);
                }
                _ => {
                    self.next();
                    words.push(c);
                    text.push(c);
                }
            }
        }
        if stop.is_some() {
            return Err(WordProblem::MissingBrace);
        }
        Ok((text, words.finish()))
    }

    fn single_quote(&mut self) -> Result<String, WordProblem> {
        let mut out = String::new();
        let open = self.next().filter(|_| self.lex.raw_quotes);
        out.extend(open);
        loop {
            match self.next() {
                None => return Err(WordProblem::SingleQuote),
                Some('\'') => {
                    out.extend(open);
                    return Ok(out);
                }
                Some(c) => out.push(c),
            }
        }
    }

    fn double_quote(&mut self) -> Result<String, WordProblem> {
        let mut out = String::new();
        let open = self.next().filter(|_| self.lex.raw_quotes);
        out.extend(open);
        loop {
            match self.peek() {
                None => return Err(WordProblem::DoubleQuote),
                Some('"') => {
                    self.next();
                    out.extend(open);
                    return Ok(out);
                }
                Some('$') => {
                    out.push_str(&self.dollar()?);
                    if out.len() > self.max_bytes {
                        return Err(WordProblem::TooLong);
                    }
                }
                Some(mut c) => {
                    self.next();
                    if c == self.lex.escape {
                        if self.lex.raw_escapes {
                            out.push(c);
                        }
                        match self.peek() {
                            None => continue,
                            Some(escaped) if matches!(escaped, '"' | '$') || escaped == self.lex.escape => {
                                self.next();
                                c = escaped;
                            }
                            Some(_) => {}
                        }
                    }
                    out.push(c);
                }
            }
        }
    }

    fn dollar(&mut self) -> Result<String, WordProblem> {
        self.next();
        if self.peek() != Some('{') {
            let name = self.name();
            if name.is_empty() {
                return Ok("$".to_owned());
            }
            let value = self.get(&name);
            return Ok(match value {
                None if self.lex.keep_unset => format!("${name}"),
                value => value.unwrap_or_default(),
            });
        }
        self.next();
        match self.peek() {
            None => return Err(WordProblem::MissingBrace),
            Some('{' | '}' | ':') => return Err(WordProblem::BadSubstitution),
            Some(_) => {}
        }
        let name = self.name();
        let Some(first) = self.next() else { return Err(WordProblem::MissingBrace) };
        let mut modifier = String::from(first);
        let mut operator = first;
        match first {
            '}' => {
                let value = self.get(&name);
                return Ok(match value {
                    None if self.lex.keep_unset => format!("${{{name}}}"),
                    value => value.unwrap_or_default(),
                });
            }
            ':' => {
                operator = self.next().ok_or(WordProblem::MissingBrace)?;
                modifier.push(operator);
            }
            '/' => return self.replace(&name),
            '+' | '-' | '?' | '#' | '%' => {}
            _ => return Err(WordProblem::Modifier(modifier)),
        }
        let (word, _) = self.until(Some('}'), matches!(operator, '#' | '%'))?;
        let value = self.get(&name);
        if value.is_none() && self.lex.keep_unset {
            return Ok(format!("${{{name}{modifier}{word}}}"));
        }
        let unset = match &value {
            None => true,
            Some(value) => first == ':' && value.is_empty(),
        };
        let set = value.is_some();
        let value = value.unwrap_or_default();
        match operator {
            '-' => Ok(if unset { word } else { value }),
            '+' => Ok(if unset { String::new() } else { word }),
            '?' if unset => {
                let default = if set { "is not allowed to be empty" } else { "is not allowed to be unset" };
                let message = if word.is_empty() { default.to_owned() } else { word };
                Err(WordProblem::Required { name, message })
            }
            '?' => Ok(value),
            '#' | '%' => {
                let greedy = word.starts_with(operator);
                let word = if greedy { word.chars().skip(1).collect() } else { word };
                let pattern = compile(&word)?;
                Ok(if operator == '#' {
                    pattern.trim_prefix(&value, greedy)
                } else {
                    pattern.trim_suffix(&value, greedy)
                })
            }
            _ => Err(WordProblem::Modifier(modifier)),
        }
    }

    /// `${name/pattern/replacement}` and `${name//pattern/replacement}`, after the first slash.
    fn replace(&mut self, name: &str) -> Result<String, WordProblem> {
        let all = self.peek() == Some('/');
        if all {
            self.next();
        }
        let (pattern, _) = self.until(Some('/'), true).map_err(|problem| match problem {
            WordProblem::MissingBrace if self.peek().is_none() => WordProblem::MissingSlash,
            problem => problem,
        })?;
        let (replacement, _) = self.until(Some('}'), true)?;
        match self.get(name) {
            None if self.lex.keep_unset => Ok(format!("${{{name}/{pattern}/{replacement}}}")),
            value => {
                let replaced =
                    compile(&pattern)?.replace(&value.unwrap_or_default(), &replacement, all, self.max_bytes);
                replaced.ok_or(WordProblem::TooLong)
            }
        }
    }

    /// A name, a positional parameter or a special one; empty where there is none.
    fn name(&mut self) -> String {
        let mut name = String::new();
        match self.peek() {
            Some(c) if c.is_numeric() => {
                while let Some(c) = self.peek().filter(|c| c.is_numeric()) {
                    name.push(c);
                    self.next();
                }
            }
            Some(c @ ('@' | '*' | '#' | '?' | '-' | '$' | '!')) => {
                self.next();
                name.push(c);
            }
            _ => {
                while let Some(c) = self.peek().filter(|c| c.is_alphanumeric() || *c == '_') {
                    name.push(c);
                    self.next();
                }
            }
        }
        name
    }

    fn get(&mut self, name: &str) -> Option<String> {
        let value = (self.variables)(name);
        let names = if value.is_some() { &mut self.expanded.matched } else { &mut self.expanded.unmatched };
        names.insert(name.to_owned());
        value
    }
}

fn compile(pattern: &str) -> Result<Pattern, WordProblem> {
    Pattern::new(pattern).map_err(|problem| WordProblem::Pattern { pattern: pattern.to_owned(), problem })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn expand(source: &str, env: &[&str]) -> Result<Expanded, WordError> {
        let env: Vec<String> = env.iter().map(ToString::to_string).collect();
        Lex::new('\\').expand(source, env.as_slice())
    }

    #[test]
    fn replacements_within_replacements_fill_no_memory() {
        let nested = |depth| format!("{}x{}", "${A//a/".repeat(depth), "}".repeat(depth));
        assert_eq!(expand(&nested(3), &["A=aa"]).unwrap().text, "x".repeat(8));
        for source in [nested(90), format!("\"{}\"", nested(90))] {
            assert_eq!(expand(&source, &["A=aa"]).unwrap_err().problem, WordProblem::TooLong);
        }
        let long = format!("A={}", "a".repeat(MAX_BYTES / 2));
        assert!(expand("$A", &[&long]).is_ok());
        assert_eq!(expand("$A$A$A", &[&long]).unwrap_err().problem, WordProblem::TooLong);
        // A text that is long itself may be.
        let here = format!("{}$B", "t".repeat(2 * MAX_BYTES));
        assert!(expand(&here, &["B=b"]).unwrap().text.ends_with("tb"));
    }

    /// The cases are those of moby `builder/dockerfile/shell/envVarTest`; `error` is any error.
    #[test]
    fn words_expand_as_buildkit_expands_them() {
        let cases = r#"
hello|hello
he'll'o|hello
he'llo|error
he\'llo|he'llo
he\\'llo|error
abc\tdef|abctdef
"abc\tdef"|abc\tdef
"abc\\tdef"|abc\tdef
'abc\tdef'|abc\tdef
hello\|hello
hello\\|hello\
"hello|error
"hello\"|error
"hel'lo"|hel'lo
'hello\'|hello\
'hello\\there'|hello\\there
"''"|''
$.|$.
$1|
he$1x|hex
he$.x|he$.x
he$pwd.|he.
he$PWD|he/home
he\$PWD|he$PWD
he\\$PWD|he\/home
"he\$PWD"|he$PWD
"he\\$PWD"|he\/home
\${}|${}
he\${}xx|he${}xx
${}|error
he${}xx|error
he${hi}xx|hexx
he${PWD}|he/home
he${.}|error
he${XXX:-000}xx|he000xx
he${PWD:-000}xx|he/homexx
he${XXX:-$PWD}xx|he/homexx
he${XXX:-${PWD:-yyy}}xx|he/homexx
he${XXX:-${YYY:-yyy}}xx|heyyyxx
he${XXX:YYY}|error
he${XXX:+${PWD}}xx|hexx
he${PWD:+${SHELL}}xx|hebashxx
he${PWD:+000}xx|he000xx
'he${XX}'|he${XX}
"he'$PWD'"|he'/home'
'\$PWD'|\$PWD
'"hello"'|"hello"
he${PWD|error
he${PWD:=000}xx|error
he${PWD:+${PWD}:}xx|he/home:xx
he${XXX:-\$PWD:}xx|he$PWD:xx
he${XXX:-\${PWD}z}xx|he${PWDz}xx
안'녕'하세요|안녕하세요
"안녕\t하세요"|안녕\t하세요
$KOREAN|한국어
${{aaa}|error
${aaa}}|}
${aaa:-bbb}}|bbb}
${aaa:-bbb|error
${aaa:-${bbb:-ccc}}|ccc
${aaa:-bbb ${foo}|error
${aaa:-bbb {foo}|bbb {foo
${:-bbb}|error
"#;
        for line in cases.lines().filter(|line| !line.is_empty()) {
            let (source, expected) = line.split_once('|').unwrap();
            let got = expand(source, &["PWD=/home", "SHELL=bash", "KOREAN=한국어", "NULL="]);
            let got = got.map_or("error".to_owned(), |expanded| expanded.text);
            assert_eq!(got, expected, "{source}");
        }
    }

    /// The cases are those of BuildKit `shell/lex_test.go`, TestProcessWithMatches.
    #[test]
    fn patterns_trim_and_replace() {
        for (source, env, expected) in [
            (r"${FOO#()[]{\}^$.\*\?|\\}", &["FOO=()[]{}^$.*?|\\x"][..], "x"),
            (r"${FOO%%\**}", &["FOO=xx**"], "xx"),
            ("${FOO#*x*y}", &["FOO=xxyy"], "y"),
            ("${FOO#*}", &["FOO=xxyy"], "xxyy"),
            ("${FOO#$BAR}", &["FOO=xxyy", "BAR=x"], "xyy"),
            ("${FOO#}", &["FOO=xxyy"], "xxyy"),
            ("${FOO##*x}", &["FOO=xxyy"], "yy"),
            (r"${FOO#?\?}", &["FOO=???y"], "?y"),
            ("${ABC:-.}${FOO%x}${ABC:-.}", &["FOO=xxyy"], ".xxyy."),
            (r"${FOO%%\**\*}", &["FOO=a***yy*"], "a"),
            ("${FOO/$N/.} - ${FOO//$N/.}", &["FOO=/foo*/*/*.txt", r"N=\*/"], "/foo.*/*.txt - /foo..*.txt"),
            ("${FOO/$N/} - ${FOO//$N/}", &["FOO=/tmp/tmp/bar.txt", "N=/tmp"], "/tmp/bar.txt - /bar.txt"),
            ("${FOO/$N/$R} - ${FOO//$N/$R}", &["FOO=/a/foo/b/c.txt", "N=/?/", "R=/"], "/foo/b/c.txt - /foo/c.txt"),
            (r"${FOO//\//\/}", &["FOO=/tmp/foo.txt"], r"\/tmp\/foo.txt"),
            ("${FOO/$BAR/ww}", &["FOO=xxyy", "BAR="], "wwxxyy"),
            ("${FOO///}", &["FOO=xxyy"], "xxyy"),
            ("${FOO-aaa} ${BAR-bbb} ${BAZ-ccc}", &["FOO=xxx", "BAR="], "xxx  ccc"),
            ("${FOO+aaa} ${BAR+bbb} ${BAZ+ccc}", &["FOO=xxx", "BAR="], "aaa bbb "),
        ] {
            assert_eq!(expand(source, env).map(|e| e.text).as_deref(), Ok(expected), "{source}");
        }
        for source in ["${FOO//ww}", "${FOO//}", r"${FOO#\x}", "${FOO=aaa}", "${BAZ:?}"] {
            assert!(expand(source, &["FOO=xxyy"]).is_err(), "{source}");
        }
    }

    #[test]
    fn errors_quote_the_text() {
        let error = expand("a${BAR:?needed $FOO}", &["FOO=x", "BAR="]).unwrap_err();
        assert_eq!(error.to_string(), r#"failed to process "a${BAR:?needed $FOO}": BAR: needed x"#);
        let error = expand("${BAZ?}", &[]).unwrap_err();
        assert_eq!(error.to_string(), r#"failed to process "${BAZ?}": BAZ: is not allowed to be unset"#);
        let deep = "${a:-".repeat(10_000);
        assert!(expand(&deep, &[]).is_err());
    }

    #[test]
    fn blanks_split_outside_quotes_only() {
        let expanded = expand("80 $P 'a b' \"c $P\"", &["P=1 2"]).unwrap();
        assert_eq!(expanded.words, ["80", "1", "2", "a b", "c 1 2"]);
        assert_eq!(expanded.matched.into_iter().collect::<Vec<_>>(), ["P"]);
    }

    #[test]
    fn raw_mode_keeps_quotes_and_unset_variables() {
        let lex = Lex { raw_quotes: true, keep_unset: true, ..Lex::new('\\') };
        let env = ["A=1".to_owned()];
        let text = lex.expand(r#"echo "$A $B" 'x' ${C:-d}"#, env.as_slice()).unwrap().text;
        assert_eq!(text, r#"echo "1 $B" 'x' ${C:-d}"#);
    }

    proptest! {
        #[test]
        fn any_text_expands_or_fails(source in r#"[$\{\}:#%/*?\\'"a-c -]{0,40}"#) {
            let _ = expand(&source, &["a=xyz", "b=", "c=a*b"]);
        }
    }
}
