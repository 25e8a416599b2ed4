//! `.dockerignore`: which files of a build context are left out (moby/patternmatcher), and the wildcards of `COPY`
//! (Go's `path/filepath`.Match).
//!
//! Paths here are relative to the context, with slashes and without a leading one.

use regex_lite::Regex;

/// A pattern that can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IgnoreError {
    /// `!` alone.
    #[error("illegal exclusion pattern: \"!\"")]
    LoneExclusion,
    /// Go's `filepath.ErrBadPattern`.
    #[error("syntax error in pattern")]
    BadPattern,
}

/// The patterns of an ignore file, comments and blank lines left out (moby/patternmatcher `ignorefile`).
pub fn read_patterns(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    for line in text.strip_prefix('\u{feff}').unwrap_or(text).lines() {
        if line.starts_with('#') || line.trim().is_empty() {
            continue;
        }
        let line = line.trim();
        let (exclusion, pattern) = match line.strip_prefix('!') {
            Some(rest) => ("!", rest.trim()),
            None => ("", line),
        };
        let mut pattern = if pattern.is_empty() { String::new() } else { clean(pattern) };
        if pattern.len() > 1
            && let Some(relative) = pattern.strip_prefix('/')
        {
            pattern = relative.to_owned();
        }
        out.push(format!("{exclusion}{pattern}"));
    }
    out
}

/// Go's `path.Clean`.
pub fn clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut names: Vec<&str> = Vec::new();
    for name in path.split('/') {
        match name {
            "" | "." => {}
            ".." if names.last().is_some_and(|last| *last != "..") => {
                names.pop();
            }
            ".." if rooted => {}
            name => names.push(name),
        }
    }
    match (rooted, names.is_empty()) {
        (true, _) => format!("/{}", names.join("/")),
        (false, true) => ".".to_owned(),
        (false, false) => names.join("/"),
    }
}

#[derive(Debug)]
enum Test {
    Exact,
    Prefix,
    Suffix,
    Regex(Regex),
}

#[derive(Debug)]
struct Pattern {
    text: String,
    exclusion: bool,
    test: Test,
}

/// A list of patterns; later ones win, `!` takes back.
#[derive(Debug, Default)]
pub struct Matcher {
    patterns: Vec<Pattern>,
}

/// Which patterns matched a directory: what is in it matches too.
#[derive(Debug, Clone, Default)]
pub struct ParentMatch(Vec<bool>);

impl Matcher {
    /// Reads patterns.
    ///
    /// # Errors
    /// A lone `!`, a broken `[class]` or a trailing backslash.
    pub fn new<S: AsRef<str>>(patterns: &[S]) -> Result<Self, IgnoreError> {
        let mut out = Vec::new();
        for pattern in patterns {
            let pattern = pattern.as_ref().trim();
            if pattern.is_empty() {
                continue;
            }
            let cleaned = clean(pattern);
            let (exclusion, text) = match cleaned.strip_prefix('!') {
                Some("") => return Err(IgnoreError::LoneExclusion),
                Some(rest) => (true, rest.to_owned()),
                None => (false, cleaned),
            };
            wildcard_match(&text, ".")?;
            let test = compile(&text)?;
            out.push(Pattern { text, exclusion, test });
        }
        Ok(Self { patterns: out })
    }

    /// Whether there are no patterns.
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// Whether some pattern takes back what others match, so that a matched directory can't be skipped as a whole.
    pub fn has_exclusions(&self) -> bool {
        self.patterns.iter().any(|pattern| pattern.exclusion)
    }

    /// Whether `path` matches, given how its directory did (`MatchesUsingParentResults`); and what to give to what
    /// is in it. The context's root is given `ParentMatch::default()`.
    pub fn matches(&self, path: &str, parent: &ParentMatch) -> (bool, ParentMatch) {
        let mut matched = false;
        let mut own = vec![false; self.patterns.len()];
        for (index, (pattern, own)) in self.patterns.iter().zip(own.iter_mut()).enumerate() {
            let mut hit = parent.0.get(index).copied().unwrap_or(false);
            if !hit {
                // A pattern is worth a look only where it would change the answer.
                if pattern.exclusion != matched {
                    continue;
                }
                hit = pattern.matches(path);
            }
            *own = hit;
            if hit {
                matched = !pattern.exclusion;
            }
        }
        (matched, ParentMatch(own))
    }

    /// Whether `path` or a directory it is in matches.
    pub fn matches_or_parent_matches(&self, path: &str) -> bool {
        let path = clean(path);
        if path == "." {
            return false;
        }
        let mut parent = ParentMatch::default();
        let mut matched = false;
        for (at, _) in path.match_indices('/').chain(std::iter::once((path.len(), ""))) {
            (matched, parent) = self.matches(path.get(..at).unwrap_or_default(), &parent);
        }
        matched
    }
}

impl Pattern {
    fn matches(&self, path: &str) -> bool {
        match &self.test {
            Test::Exact => path == self.text,
            Test::Prefix => self.text.strip_suffix("**").is_some_and(|prefix| path.starts_with(prefix)),
            Test::Suffix => {
                let suffix = self.text.strip_prefix("**").unwrap_or(&self.text);
                path.ends_with(suffix) || suffix.strip_prefix('/').is_some_and(|name| path == name)
            }
            Test::Regex(regex) => regex.is_match(path),
        }
    }
}

fn compile(pattern: &str) -> Result<Test, IgnoreError> {
    #[derive(PartialEq)]
    enum Simple {
        Exact,
        Prefix,
        Suffix,
        No,
    }
    let mut regex = String::from("^");
    let mut simple = Simple::Exact;
    let mut chars = pattern.chars().peekable();
    let mut first = true;
    while let Some(c) = chars.next() {
        match c {
            '*' if chars.peek() == Some(&'*') => {
                chars.next();
                chars.next_if_eq(&'/');
                if chars.peek().is_some() {
                    regex.push_str("(.*/)?");
                    simple = Simple::No;
                } else if simple == Simple::Exact {
                    simple = Simple::Prefix;
                } else {
                    regex.push_str(".*");
                    simple = Simple::No;
                }
                if first {
                    simple = Simple::Suffix;
                }
            }
            '*' => {
                regex.push_str("[^/]*");
                simple = Simple::No;
            }
            '?' => {
                regex.push_str("[^/]");
                simple = Simple::No;
            }
            '.' | '+' | '(' | ')' | '|' | '{' | '}' | '$' => {
                regex.push('\\');
                regex.push(c);
            }
            '\\' => {
                regex.push('\\');
                if let Some(escaped) = chars.next() {
                    // A letter after a backslash would be a class to the regular expression, as it is in Go's.
                    regex.push(escaped);
                    simple = Simple::No;
                }
            }
            '[' | ']' => {
                regex.push(c);
                simple = Simple::No;
            }
            c => regex.push(c),
        }
        first = false;
    }
    Ok(match simple {
        Simple::Exact => Test::Exact,
        Simple::Prefix => Test::Prefix,
        Simple::Suffix => Test::Suffix,
        Simple::No => {
            regex.push('$');
            Test::Regex(Regex::new(&format!("(?s){regex}")).map_err(|_| IgnoreError::BadPattern)?)
        }
    })
}

/// Go's `filepath.Match`: `*`, `?` and `[classes]` that don't match a slash.
///
/// # Errors
/// A broken class or a trailing backslash, wherever it stands.
pub fn wildcard_match(pattern: &str, name: &str) -> Result<bool, IgnoreError> {
    let pattern: Vec<Part> = parse_wildcards(pattern)?;
    let name: Vec<char> = name.chars().collect();
    // The set of positions in `name` that the parts so far can reach.
    let mut reached = vec![false; name.len() + 1];
    if let Some(first) = reached.first_mut() {
        *first = true;
    }
    for part in &pattern {
        let mut next = vec![false; reached.len()];
        let mut carry = false;
        for (at, slot) in next.iter_mut().enumerate() {
            let here = reached.get(at).copied().unwrap_or(false);
            let before = at.checked_sub(1);
            let passed = before.and_then(|before| name.get(before));
            match part {
                Part::Star => {
                    carry = here || (carry && passed.is_some_and(|c| *c != '/'));
                    *slot = carry;
                }
                Part::One(test) => {
                    *slot = before.and_then(|before| reached.get(before)).copied().unwrap_or(false)
                        && passed.is_some_and(|c| test.accepts(*c));
                }
            }
        }
        reached = next;
    }
    Ok(reached.last().copied().unwrap_or(false))
}

/// Whether a name holds wildcards (BuildKit `containsWildcards`).
pub fn has_wildcards(name: &str) -> bool {
    let mut chars = name.chars();
    while let Some(c) = chars.next() {
        match c {
            '*' | '?' | '[' => return true,
            '\\' => {
                chars.next();
            }
            _ => {}
        }
    }
    false
}

enum Part {
    Star,
    One(One),
}

enum One {
    Any,
    Char(char),
    Class { negated: bool, ranges: Vec<(char, char)> },
}

impl One {
    fn accepts(&self, c: char) -> bool {
        match self {
            Self::Any => c != '/',
            Self::Char(own) => *own == c,
            Self::Class { negated, ranges } => ranges.iter().any(|(low, high)| (*low..=*high).contains(&c)) != *negated,
        }
    }
}

fn parse_wildcards(pattern: &str) -> Result<Vec<Part>, IgnoreError> {
    let mut out = Vec::new();
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        out.push(match c {
            '*' => Part::Star,
            '?' => Part::One(One::Any),
            '\\' => Part::One(One::Char(chars.next().ok_or(IgnoreError::BadPattern)?)),
            '[' => {
                let negated = chars.next_if_eq(&'^').is_some();
                let mut ranges = Vec::new();
                loop {
                    if chars.peek() == Some(&']') && !ranges.is_empty() {
                        chars.next();
                        break;
                    }
                    let mut bound = || match chars.next() {
                        None | Some('-' | ']') => Err(IgnoreError::BadPattern),
                        Some('\\') => chars.next().ok_or(IgnoreError::BadPattern),
                        Some(c) => Ok(c),
                    };
                    let low = bound()?;
                    let mut high = low;
                    if chars.next_if_eq(&'-').is_some() {
                        high = match chars.next() {
                            None | Some('-' | ']') => return Err(IgnoreError::BadPattern),
                            Some('\\') => chars.next().ok_or(IgnoreError::BadPattern)?,
                            Some(c) => c,
                        };
                    }
                    ranges.push((low, high));
                }
                Part::One(One::Class { negated, ranges })
            }
            c => Part::One(One::Char(c)),
        });
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// moby/patternmatcher patternmatcher_test.go, TestMatches (`MatchesOrParentMatches`) and TestMatch.
    #[test]
    fn patterns_match_as_in_moby() {
        for (pattern, path, expected) in [
            ("**", "file", true),
            ("**/", "dir/file", true),
            ("**/**", "dir/file", true),
            ("dir/**", "dir/dir2/file", true),
            ("**/dir", "dir/file", true),
            ("**/dir2/*", "dir/dir2/file", true),
            ("**file", "dir/dir/file", true),
            ("**/file*txt", "dir/dir/file.txt", true),
            ("**/**/*.txt2", "dir/dir/file.txt", false),
            ("**/*.txt", "file.txt", true),
            ("a**/*.txt", "a/dir/dir/file.txt", true),
            ("a/*.txt", "a/dir/file.txt", false),
            ("a/*.txt**", "a/file.txt", true),
            ("a[b-d]e", "ace", true),
            ("a[b-d]e", "aae", false),
            ("a[^b-d]e", "aze", true),
            (".*", ".foo", true),
            (".*", "foo", false),
            ("abc.def", "abcZdef", false),
            ("abc?def", "abcZdef", true),
            ("**/foo/bar", "foo/bar", true),
            ("**/foo/bar", "dir/dir2/foo/bar", true),
            ("abc/**", "abc", false),
            ("**/.foo", "bar.foo", false),
            ("a(b)c/def", "a(b)c/def", true),
            ("a.|)$(}+{bc", "a.|)$(}+{bc", true),
            ("dist/*.whl", "dist/proxy.py-2.4.0rc3.dev36+g08acad9.whl", true),
            (r"a\*b", "a*b", true),
            ("a*", "ab/c", true),
            ("a*b", "a/b", false),
            ("a?b", "a☺b", true),
            ("[x\\-]", "-", true),
            ("node_modules", "node_modules/a/b.js", true),
            ("node_modules", "src/node_modules", false),
        ] {
            let matcher = Matcher::new(&[pattern]).unwrap();
            assert_eq!(matcher.matches_or_parent_matches(path), expected, "{pattern} {path}");
        }
        for pattern in ["[]a]", "[-]", "[x-]", "[-x]", "\\", "[a-b-c]", "[", "[^", "a["] {
            assert_eq!(Matcher::new(&[pattern]).unwrap_err(), IgnoreError::BadPattern, "{pattern}");
        }
        assert_eq!(Matcher::new(&["!"]).unwrap_err(), IgnoreError::LoneExclusion);
    }

    #[test]
    fn the_last_pattern_that_matches_wins() {
        for (patterns, path, expected) in [
            (&["**", "!util/docker/web"][..], "util/docker/web/foo", false),
            (&["**", "!util/docker/web", "util/docker/web/foo"], "util/docker/web/foo", true),
            (&["docs", "!docs/README.md"], "docs/README.md", false),
            (&["docs/*", "!docs/README.md"], "docs/a.md", true),
            (&["!fileutils.go", "*.go"], "fileutils.go", true),
            (&["*.md", "!README*.md", "README-secret.md"], "README-secret.md", true),
        ] {
            assert_eq!(
                Matcher::new(patterns).unwrap().matches_or_parent_matches(path),
                expected,
                "{patterns:?} {path}"
            );
        }
    }

    #[test]
    fn an_ignore_file_is_read_line_by_line() {
        assert_eq!(
            read_patterns("\u{feff}# comment\n\n /a/b/ \n! /c/../d\n*.log\n!\n/\n"),
            ["a/b", "!d", "*.log", "!", "/"]
        );
    }

    #[test]
    fn wildcards_match_as_in_go() {
        for (pattern, name, expected) in [
            ("a*b*c*d*e*/f", "axbxcxdxexxx/f", true),
            ("a*b*c*d*e*/f", "axbxcxdxe/xxx/f", false),
            ("a*b?c*x", "abxbbxdbxebxczzx", true),
            ("a*b?c*x", "abxbbxdbxebxczzy", false),
            ("*.txt", "a/b.txt", false),
            ("[a-ζ]*", "α", true),
            ("", "", true),
            ("*", "", true),
        ] {
            assert_eq!(wildcard_match(pattern, name), Ok(expected), "{pattern} {name}");
        }
        assert!(has_wildcards("a*") && !has_wildcards(r"a\*") && has_wildcards("a[b"));
    }

    proptest::proptest! {
        /// Any text is a list of patterns or a refusal, and matching them ends.
        #[test]
        fn any_ignore_file_is_read_or_refused(text in "([!*?/.a\\[\\]\\\\^-]{0,6}\n|\\PC{0,12}\n){0,5}", path in "[a./]{0,12}") {
            let patterns = read_patterns(&text);
            let made = Matcher::new(&patterns);
            // A refusal is about one of the patterns.
            proptest::prop_assert!(made.is_ok() || patterns.iter().any(|pattern| Matcher::new(std::slice::from_ref(pattern)).is_err()));
            if let Ok(matcher) = made {
                let (direct, _) = matcher.matches(&path, &ParentMatch::default());
                proptest::prop_assert!(!patterns.is_empty() || !direct);
                matcher.matches_or_parent_matches(&path);
            }
        }
    }
}
