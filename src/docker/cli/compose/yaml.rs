//! The YAML that compose files are written in: block and flow collections, scalars, block scalars, anchors and merges.
//!
//! One document; no tags, no complex keys. What is not understood is an error with its line, as from go-yaml.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// Collections inside of one another.
const MAX_DEPTH: usize = 32;
/// Nodes that all aliases together may stand for.
const MAX_NODES: usize = 50_000;

/// What is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct YamlError(pub usize, pub &'static str);

const NO_KEY: &str = "did not find expected key";
const NO_ITEM: &str = "did not find expected '-' indicator";
const NOT_HERE: &str = "mapping values are not allowed in this context";

type Parsed<T = Value> = Result<T, YamlError>;

struct Reader<'a> {
    lines: Vec<&'a str>,
    at: usize,
    depth: usize,
    nodes: usize,
    anchors: BTreeMap<String, Value>,
}

/// Reads a document.
///
/// # Errors
/// The first thing that is no YAML, or not of this kind.
pub fn parse(text: &str) -> Parsed {
    let mut reader = Reader { lines: text.lines().collect(), at: 0, depth: 0, nodes: 0, anchors: BTreeMap::new() };
    if reader.peek()?.is_some_and(|(_, line)| line == "---") {
        reader.at += 1;
    }
    let value = reader.node(0)?;
    match reader.peek()? {
        Some((_, line)) if line != "..." && line != "---" => Err(reader.error(NO_KEY)),
        _ => Ok(value),
    }
}

/// A line without its comment.
fn bare(line: &str) -> &str {
    let (mut quote, mut before) = (None, ' ');
    for (at, c) in line.char_indices() {
        match (quote, c) {
            (None, '#') if before.is_whitespace() => return line.get(..at).unwrap_or(line).trim_end(),
            (None, '"' | '\'') if before.is_whitespace() || "[{,:-".contains(before) => quote = Some(c),
            (Some(q), _) if c == q && !(q == '"' && before == '\\') => quote = None,
            _ => {}
        }
        before = c;
    }
    line.trim_end()
}

/// Where a key ends: at a colon that a blank or the end follows, outside of quotes.
fn key_end(text: &str) -> Option<usize> {
    if let Some(quote) = text.chars().next().filter(|c| matches!(c, '"' | '\'')) {
        let end = text.get(1..)?.find(quote)? + 2;
        return text
            .get(end..)?
            .trim_start()
            .starts_with(':')
            .then(|| end + text.get(end..).map_or(0, |t| t.len() - t.trim_start().len()));
    }
    if text.starts_with(['[', '{']) {
        return None;
    }
    text.match_indices(':')
        .map(|(at, _)| at)
        .find(|at| text.get(at + 1..).is_some_and(|t| t.is_empty() || t.starts_with(' ')))
}

impl<'a> Reader<'a> {
    const fn error(&self, what: &'static str) -> YamlError {
        YamlError(self.at + 1, what)
    }

    /// The next line that says something: its indent and text.
    fn peek(&mut self) -> Parsed<Option<(usize, &'a str)>> {
        while let Some(line) = self.lines.get(self.at) {
            let text = bare(line);
            let inner = text.trim_start_matches(' ');
            if inner.starts_with('\t') {
                return Err(self.error("found character that cannot start any token"));
            }
            if !inner.is_empty() {
                return Ok(Some((text.len() - inner.len(), inner)));
            }
            self.at += 1;
        }
        Ok(None)
    }

    fn count(&mut self, nodes: usize) -> Parsed<()> {
        self.nodes += nodes;
        if self.nodes > MAX_NODES { Err(self.error("document contains excessive aliasing")) } else { Ok(()) }
    }

    /// What stands at `indent` or deeper.
    fn node(&mut self, least: usize) -> Parsed {
        self.depth += 1;
        self.count(1)?;
        if self.depth > MAX_DEPTH {
            return Err(self.error("exceeded max depth"));
        }
        let value = match self.peek()? {
            Some((indent, _)) if indent < least => Ok(Value::Null),
            Some((indent, text)) if text == "-" || text.starts_with("- ") => self.sequence(indent),
            Some((indent, text)) if key_end(text).is_some() => self.mapping(indent),
            Some((indent, text)) => {
                self.at += 1;
                self.value(text, indent)
            }
            None => Ok(Value::Null),
        };
        self.depth -= 1;
        value
    }

    fn sequence(&mut self, own: usize) -> Parsed {
        let mut items = Vec::new();
        while let Some((indent, text)) = self.peek()? {
            let Some(rest) =
                text.strip_prefix('-').filter(|rest| indent == own && (rest.is_empty() || rest.starts_with(' ')))
            else {
                if indent > own {
                    return Err(self.error(NO_ITEM));
                }
                break;
            };
            let inner = rest.trim_start();
            if inner.is_empty() {
                self.at += 1;
                items.push(self.node(own + 1)?);
            } else if key_end(inner).is_some() || inner.starts_with("- ") {
                // The item's own collection begins on this line: read it as if the dash were a blank.
                let column = text.len() - inner.len() + indent;
                items.push(self.inline(column, inner)?);
            } else {
                self.at += 1;
                items.push(self.value(inner, own)?);
            }
        }
        Ok(Value::Array(items))
    }

    /// A collection that begins in the middle of the line, at `column`.
    fn inline(&mut self, column: usize, inner: &'a str) -> Parsed {
        if inner.starts_with("- ") {
            return Err(self.error("a list directly in a list is not simulated"));
        }
        let mut map = Map::new();
        self.entry(column, inner, &mut map)?;
        self.rest_of_mapping(column, map)
    }

    fn mapping(&mut self, own: usize) -> Parsed {
        self.rest_of_mapping(own, Map::new())
    }

    fn rest_of_mapping(&mut self, own: usize, mut map: Map<String, Value>) -> Parsed {
        while let Some((indent, text)) = self.peek()? {
            if indent < own || text == "---" || text == "..." {
                break;
            }
            if indent > own || key_end(text).is_none() {
                return Err(self.error(if key_end(text).is_some() { NOT_HERE } else { NO_KEY }));
            }
            self.entry(own, text, &mut map)?;
        }
        Ok(Value::Object(map))
    }

    fn entry(&mut self, own: usize, text: &'a str, map: &mut Map<String, Value>) -> Parsed<()> {
        let end = key_end(text).ok_or_else(|| self.error(NO_KEY))?;
        let (key, rest) = (text.get(..end).unwrap_or_default().trim(), text.get(end + 1..).unwrap_or_default().trim());
        let key = match self.scalar(key)? {
            Value::String(key) => key,
            Value::Null => String::new(),
            other => other.to_string(),
        };
        self.at += 1;
        let value = self.after_key(rest, own)?;
        if key == "<<" {
            let merged = match value {
                Value::Array(all) => all,
                one => vec![one],
            };
            for (key, value) in merged.iter().filter_map(Value::as_object).flatten() {
                map.entry(key.clone()).or_insert_with(|| value.clone());
            }
            return Ok(());
        }
        map.insert(key, value);
        Ok(())
    }

    fn after_key(&mut self, rest: &'a str, own: usize) -> Parsed {
        if let Some(anchored) = rest.strip_prefix('&') {
            let (name, rest) = anchored.split_once(' ').unwrap_or((anchored, ""));
            let value = self.after_key(rest.trim(), own)?;
            self.anchors.insert(name.to_owned(), value.clone());
            return Ok(value);
        }
        if !rest.is_empty() {
            return self.value(rest, own);
        }
        match self.peek()? {
            // A list may stand as far left as its key.
            Some((indent, text)) if indent == own && (text == "-" || text.starts_with("- ")) => self.node(own),
            Some((indent, _)) if indent > own => self.node(own + 1),
            _ => Ok(Value::Null),
        }
    }

    /// A value that begins on the line before this one; `own` is the indent of what it belongs to.
    fn value(&mut self, text: &'a str, own: usize) -> Parsed {
        if let Some(name) = text.strip_prefix('*') {
            let value = self.anchors.get(name.trim()).cloned().ok_or(YamlError(self.at, "unknown anchor"))?;
            self.count(size(&value))?;
            return Ok(value);
        }
        if let Some(mode) = text.chars().next().filter(|c| matches!(c, '|' | '>')) {
            return Ok(Value::String(self.block(mode, text, own)));
        }
        if text.starts_with(['[', '{']) {
            let mut all = text.to_owned();
            while !is_balanced(&all) {
                let Some((_, more)) = self.peek()? else {
                    return Err(YamlError(self.at, "did not find expected ',' or ']'"));
                };
                all.push(' ');
                all.push_str(more);
                self.at += 1;
            }
            let mut flow = Flow { rest: &all, line: self.at, depth: 0 };
            let value = flow.value()?;
            return if flow.rest.trim().is_empty() { Ok(value) } else { Err(YamlError(self.at, NO_KEY)) };
        }
        let mut all = text.to_owned();
        let quote = text.chars().next().filter(|c| matches!(c, '"' | '\''));
        // A scalar goes on where lines are indented further.
        while let Some((indent, more)) = self.peek()? {
            let open = quote.is_some_and(|q| all.len() < 2 || !all.ends_with(q));
            if !open && (indent <= own || quote.is_some() || key_end(more).is_some()) {
                break;
            }
            all.push(' ');
            all.push_str(more);
            self.at += 1;
        }
        if quote.is_none() && key_end(&all).is_some() {
            return Err(YamlError(self.at, NOT_HERE));
        }
        self.scalar(&all)
    }

    fn scalar(&self, text: &str) -> Parsed {
        scalar(text).ok_or(YamlError(self.at.max(1), "found unexpected end of stream"))
    }

    /// `|` keeps lines, `>` joins them; `-` drops the last newline.
    fn block(&mut self, mode: char, head: &str, own: usize) -> String {
        let mut lines: Vec<&str> = Vec::new();
        let mut indent = None;
        while let Some(line) = self.lines.get(self.at) {
            let inner = line.trim_start_matches(' ');
            let here = line.len() - inner.len();
            if inner.trim().is_empty() {
                lines.push("");
            } else if here <= own {
                break;
            } else {
                let indent = *indent.get_or_insert(here);
                lines.push(line.get(indent.min(here)..).unwrap_or_default());
            }
            self.at += 1;
        }
        while lines.last().is_some_and(|line| line.is_empty()) {
            lines.pop();
        }
        let mut out = if mode == '|' {
            lines.join("\n")
        } else {
            let mut out = String::new();
            for line in lines {
                match (line.is_empty(), out.is_empty() || out.ends_with('\n')) {
                    (true, _) => out.push('\n'),
                    (false, true) => out.push_str(line),
                    (false, false) => out.extend([" ", line]),
                }
            }
            out
        };
        if !head.contains('-') {
            out.push('\n');
        }
        out
    }
}

fn size(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(size).sum::<usize>(),
        Value::Object(map) => 1 + map.values().map(size).sum::<usize>(),
        _ => 1,
    }
}

fn is_balanced(text: &str) -> bool {
    let (mut depth, mut quote) = (0i32, None);
    for c in text.chars() {
        match (quote, c) {
            (None, '[' | '{') => depth += 1,
            (None, ']' | '}') => depth -= 1,
            (None, '"' | '\'') => quote = Some(c),
            (Some(q), _) if q == c => quote = None,
            _ => {}
        }
    }
    depth <= 0
}

/// A scalar by YAML's core schema; `None` for a quote that does not end.
fn scalar(text: &str) -> Option<Value> {
    if let Some(rest) = text.strip_prefix('\'') {
        return Some(Value::String(rest.strip_suffix('\'')?.replace("''", "'")));
    }
    if let Some(rest) = text.strip_prefix('"') {
        let mut out = String::new();
        let mut chars = rest.strip_suffix('"')?.chars();
        while let Some(c) = chars.next() {
            match c {
                '\\' => out.push(match chars.next()? {
                    'n' => '\n',
                    't' => '\t',
                    'r' => '\r',
                    '0' => '\0',
                    'e' => '\x1b',
                    other => other,
                }),
                c => out.push(c),
            }
        }
        return Some(Value::String(out));
    }
    Some(match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => true.into(),
        "false" | "False" | "FALSE" => false.into(),
        _ => {
            let plain = text.trim_start_matches(['-', '+']);
            let number = plain.starts_with(|c: char| c.is_ascii_digit()) && !plain.contains(['e', 'E', '_']);
            let float = || text.parse::<f64>().ok().and_then(serde_json::Number::from_f64).map(Value::Number);
            let int = || text.parse::<i64>().ok().map(Value::from);
            let found = if number { int().or_else(|| float().filter(|_| text.contains('.'))) } else { None };
            found.unwrap_or_else(|| Value::String(text.to_owned()))
        }
    })
}

/// `[a, {b: c}]`.
struct Flow<'a> {
    rest: &'a str,
    line: usize,
    depth: usize,
}

impl Flow<'_> {
    fn fail<T>(&self, what: &'static str) -> Parsed<T> {
        Err(YamlError(self.line, what))
    }

    fn skip(&mut self) -> Option<char> {
        self.rest = self.rest.trim_start();
        self.rest.chars().next()
    }

    fn eat(&mut self, wanted: char) -> bool {
        let found = self.skip() == Some(wanted);
        if found {
            self.rest = self.rest.get(wanted.len_utf8()..).unwrap_or_default();
        }
        found
    }

    fn value(&mut self) -> Parsed {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return self.fail("exceeded max depth");
        }
        let value = if self.eat('[') {
            let mut items = Vec::new();
            while !self.eat(']') {
                items.push(self.value()?);
                if !self.eat(',') && self.skip() != Some(']') {
                    return self.fail("did not find expected ',' or ']'");
                }
            }
            Value::Array(items)
        } else if self.eat('{') {
            let mut map = Map::new();
            while !self.eat('}') {
                let key = self.word(true)?;
                let key = key.as_str().map_or_else(|| key.to_string(), ToOwned::to_owned);
                let value = if self.eat(':') { self.value()? } else { Value::Null };
                map.insert(key, value);
                if !self.eat(',') && self.skip() != Some('}') {
                    return self.fail("did not find expected ',' or '}'");
                }
            }
            Value::Object(map)
        } else {
            self.word(false)?
        };
        self.depth -= 1;
        Ok(value)
    }

    fn word(&mut self, is_key: bool) -> Parsed {
        let end = match self.skip() {
            Some(quote @ ('"' | '\'')) => self.rest.get(1..).and_then(|t| t.find(quote)).map(|at| at + 2),
            Some(_) => Some(
                self.rest.find(|c| matches!(c, ',' | ']' | '}') || (is_key && c == ':')).unwrap_or(self.rest.len()),
            ),
            None => None,
        };
        let Some(end) = end.filter(|end| *end > 0) else { return self.fail("did not find expected node content") };
        let (word, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, ""));
        self.rest = rest;
        scalar(word.trim_end()).ok_or(YamlError(self.line, "found unexpected end of stream"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_compose_file_is_read() {
        let text = "# a comment\nversion: '3.8'\nx-common: &common\n  restart: always\n  environment: {A: 1, B: \"two # no comment\"}\n\
            services:\n  web:\n    <<: *common\n    image: nginx:1.21   # the server\n    ports:\n    - \"8080:80\"\n    - target: 443\n      published: 8443\n\
            \n    command: [\"nginx\", \"-g\",\n      'daemon off;']\n  db:\n    image: postgres:11\n    healthcheck:\n      test: pg_isready -U \"postgres\"\n    environment:\n      - A=b: c\n      - EMPTY=\n\
            \n    entrypoint: |\n      one\n        two\n    label: >-\n      joined\n      lines\nvolumes:\n  data:\n  other: {}\n";
        let value = parse(text).unwrap();
        assert_eq!(value["services"]["web"]["ports"], json!(["8080:80", {"target": 443, "published": 8443}]));
        assert_eq!(value["services"]["web"]["restart"], "always");
        assert_eq!(value["services"]["web"]["environment"], json!({"A": 1, "B": "two # no comment"}));
        assert_eq!(value["services"]["web"]["command"], json!(["nginx", "-g", "daemon off;"]));
        assert_eq!(value["services"]["db"]["entrypoint"], "one\n  two\n");
        assert_eq!(value["services"]["db"]["label"], "joined lines");
        assert_eq!(value["services"]["db"]["healthcheck"]["test"], "pg_isready -U \"postgres\"");
        assert_eq!(value["volumes"], json!({"data": null, "other": {}}));
        assert_eq!(value["version"], "3.8");
    }

    #[test]
    fn mistakes_have_lines() {
        let error = |text| parse(text).unwrap_err();
        assert_eq!(error("a:\n  b: 1\n   c: 2\n"), YamlError(3, NOT_HERE));
        assert_eq!(error("a: 1\n\tb: 2\n").0, 2);
        assert_eq!(error("a: b: c\n"), YamlError(1, NOT_HERE));
        assert!(parse("a: [1, 2\n").is_err());
        assert!(parse(&"[".repeat(1000)).is_err());
    }
}
