//! Decks of slides as tests: what a slide shows as the output of its commands, against the machine.
//!
//! A deck is Markdown for reveal.js. Its code blocks run from top to bottom in one machine, as the plugin's buttons would
//! run them; blocks in speaker notes are not run. What differs from one run to another on any computer (ids, ages) is
//! not compared, and neither is the number of blanks; a line `...` or `…` stands for any lines.

use super::blocks::{self, Block, Kind};
use super::transcript::{Failure, Report, Session};

/// Whether a Markdown file is a deck: it has separators of slides, notes, or attributes for elements.
pub fn is_deck(text: &str) -> bool {
    let mut fenced = false;
    let mut rules = 0;
    for (at, line) in text.lines().enumerate() {
        let line = line.trim_end();
        if line.starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            if is_notes(line) || is_all(line, '^') || attributes(line).is_some() {
                return true;
            }
            // Front matter begins with such a line too.
            rules += usize::from(is_all(line, '-') && at > 0);
        }
    }
    rules > 0 && !text.starts_with("---")
}

/// Runs a deck.
pub fn run(text: &str) -> Report {
    let mut deck = Deck { session: Session::new(), report: Report::default(), commands: Vec::new(), wanted: None };
    let mut notes = false;
    let mut lines = text.lines().enumerate();
    // A block waits for the line after it, which may carry its attributes.
    let mut pending: Option<Fence> = None;
    while let Some((number, line)) = lines.next() {
        let line = line.trim_end();
        let attributes = attributes(line);
        if let Some(mut fence) = pending.take() {
            if line.is_empty() {
                pending = Some(fence);
                continue;
            }
            if let Some(("element", attributes)) = attributes {
                fence.attributes = attributes.to_owned();
            }
            deck.block(&fence);
        }
        if is_all(line, '^') || is_all(line, '-') {
            notes = false;
            deck.wanted = None;
        } else if is_notes(line) {
            notes = true;
        } else if let Some(("slide", attributes)) = attributes {
            deck.wanted = attribute(attributes, "data-capas-state");
        } else if let Some(info) = line.strip_prefix("```") {
            let mut source = String::new();
            for (_, line) in lines.by_ref() {
                if line.starts_with("```") {
                    break;
                }
                source.push_str(line);
                source.push('\n');
            }
            let language = info.split([' ', '[', '{']).next().unwrap_or_default();
            if let (Some(kind), false) = (Kind::from_language(language), notes) {
                pending = Some(Fence { line: number + 2, kind, source, attributes: String::new() });
            }
        }
    }
    if let Some(fence) = pending {
        deck.block(&fence);
    }
    deck.report
}

struct Fence {
    /// The line of the file, from 1, of its first line.
    line: usize,
    kind: Kind,
    source: String,
    attributes: String,
}

struct Deck {
    session: Session,
    report: Report,
    /// All that was run so far.
    commands: Vec<String>,
    /// The state that the slide asks for.
    wanted: Option<String>,
}

impl Deck {
    fn block(&mut self, fence: &Fence) {
        if attribute(&fence.attributes, "data-capas").as_deref() == Some("off") {
            return;
        }
        if let Some(state) = attribute(&fence.attributes, "data-capas-state").or_else(|| self.wanted.take()) {
            self.prepare(state.trim());
        }
        match blocks::split(fence.kind, &fence.source) {
            Block::Commands(steps) => {
                self.report.cases += usize::from(!steps.is_empty());
                for step in steps {
                    let actual = self.type_in(&step.command);
                    self.report.steps += 1;
                    if !step.output.is_empty() && !matches(&step.output, &actual) {
                        let line = fence.line + step.from;
                        let Some(command) = step.command.lines().next().map(str::to_owned) else { continue };
                        self.report.failures.push(Failure { line, command, expected: step.output, actual });
                    }
                }
            }
            Block::Dockerfile(text) => {
                let file = attribute(&fence.attributes, "data-capas-file").unwrap_or_else(|| "Dockerfile".to_owned());
                let build = attribute(&fence.attributes, "data-capas-then");
                let mut end = "EOF".to_owned();
                while text.lines().any(|line| line == end) {
                    end.push('F');
                }
                self.type_in(&format!("cat > {file} <<'{end}'\n{text}{end}"));
                self.type_in(&build.unwrap_or_else(|| format!("docker build -f {file} .")));
            }
        }
    }

    fn prepare(&mut self, state: &str) {
        self.session = Session::new();
        let commands = match state {
            "fresh" => Vec::new(),
            "previous" => std::mem::take(&mut self.commands),
            _ => state.split(";;").map(|command| command.trim().to_owned()).filter(|one| !one.is_empty()).collect(),
        };
        for command in commands {
            self.type_in(&command);
        }
    }

    fn type_in(&mut self, command: &str) -> Vec<String> {
        self.commands.push(command.to_owned());
        self.session.command(&command.replace('\n', "\r"))
    }
}

fn is_notes(line: &str) -> bool {
    let line = line.to_ascii_lowercase();
    line.starts_with("notes:") || line.starts_with("note:")
}

/// A line of three or more of `sign` and nothing else.
fn is_all(line: &str, sign: char) -> bool {
    line.len() >= 3 && line.chars().all(|c| c == sign)
}

/// `slide` or `element` and the attributes of a comment such as `<!-- .element: class="fragment" -->`.
fn attributes(line: &str) -> Option<(&'static str, &str)> {
    let (_, comment) = line.split_once("<!--")?;
    let (comment, _) = comment.split_once("-->")?;
    let comment = comment.trim_start();
    let of = |name: &'static str| {
        let rest = comment.strip_prefix('.')?.strip_prefix(name)?.trim_start().strip_prefix(':')?;
        Some((name, rest))
    };
    of("slide").or_else(|| of("element"))
}

/// The value of an attribute in double or single quotes.
fn attribute(text: &str, name: &str) -> Option<String> {
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(name) {
        rest = after;
        let begins = before.is_empty() || before.ends_with(char::is_whitespace);
        if let (true, Some(value)) = (begins, after.strip_prefix('=')) {
            let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
            return value.get(1..)?.split_once(quote).map(|(value, _)| value.to_owned());
        }
    }
    None
}

/// Whether what a slide shows is what the machine says.
fn matches(shown: &[String], actual: &[String]) -> bool {
    let plain = |lines: &[String]| -> Vec<String> {
        lines.iter().map(|line| comparable(line)).filter(|line| !line.is_empty()).collect()
    };
    fn fits(shown: &[String], actual: &[String]) -> bool {
        match shown.split_first() {
            None => actual.is_empty(),
            Some((first, rest)) if first == "..." || first == "…" => {
                (0..=actual.len()).any(|skip| fits(rest, actual.get(skip..).unwrap_or_default()))
            }
            Some((first, rest)) => actual.split_first().is_some_and(|(line, more)| first == line && fits(rest, more)),
        }
    }
    fits(&plain(shown), &plain(actual))
}

/// A line without what no two runs have in common.
fn comparable(line: &str) -> String {
    const UNITS: [&str; 8] = ["second", "minute", "hour", "day", "week", "month", "year", "ago"];
    let mut words: Vec<String> = Vec::new();
    for word in line.split_whitespace() {
        let bare = word.strip_prefix("sha256:").unwrap_or(word);
        let end = bare.trim_end_matches([':', ')', ',', '.']);
        let start = end.trim_start_matches('(');
        let is_id = start.len() >= 12 && start.chars().all(|c| c.is_ascii_hexdigit());
        let unit = word.trim_end_matches('s');
        if is_id {
            words.push(word.replace(start, "<id>"));
        } else if UNITS.contains(&unit) {
            // The number or the words before it: `2`, `About a`, `Less than a`.
            while words.last().is_some_and(|word| is_amount(word)) {
                words.pop();
            }
            words.push("<time>".to_owned());
        } else {
            words.push(word.to_owned());
        }
    }
    words.join(" ")
}

fn is_amount(word: &str) -> bool {
    word.chars().all(|c| c.is_ascii_digit()) || matches!(word, "About" | "a" | "an" | "Less" | "than" | "<time>")
}

#[cfg(test)]
mod tests {
    use super::*;

    const DECK: &str = "### Uno\n\n```bash\n> docker pull -q alpine\n> docker run --rm alpine echo hola\nhola\n> echo $((1 + 1))\n3\n```\n\nnotes:\n\n\
        ```bash\n> echo no\nsí\n```\n\n^^^^^^\n\n<!-- .slide: data-capas-state=\"touch a;; touch b\" -->\n\n```console\n$ ls\na  b\n\
        $ exit 3\n```\n\n------\n\n```Dockerfile\nFROM alpine\nRUN echo x > /y\n```\n<!-- .element: data-capas-then=\"docker build -q -t mia .\" -->\n\n\
        ```bash\n> docker run --rm mia cat /y\nx\n```\n<!-- .element: class=\"fragment\" -->\n";

    #[test]
    fn what_slides_show_is_held_against_the_machine() {
        for text in [DECK.to_owned(), DECK.replace('\n', "\r\n")] {
            assert!(is_deck(&text));
            let report = run(&text);
            let failed: Vec<_> = report.failures.iter().map(|f| (f.line, f.actual.join("\n"))).collect();
            assert_eq!(failed, [(7, "2".to_owned())]);
            assert_eq!((report.cases, report.steps), (3, 6));
        }
    }

    #[test]
    fn ids_and_ages_are_not_compared() {
        let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
        let shown =
            "CONTAINER ID   IMAGE   CREATED          STATUS\n7c1ea225545c   nginx   About a minute ago   Up 2 seconds";
        let actual = "CONTAINER ID  IMAGE  CREATED  STATUS\n0123456789ab  nginx  3 weeks ago  Up About an hour";
        assert!(matches(&lines(shown), &lines(actual)));
        assert!(!matches(&lines("7c1ea225545c nginx"), &lines("7c1ea225545c httpd")));
        assert!(matches(&lines("a\n...\nz"), &lines("a\nb\nc\nz")));
        assert!(!matches(&lines("a\n...\nz"), &lines("a\nb\nc")));
    }

    #[test]
    fn transcripts_and_exercises_are_no_decks() {
        assert!(!is_deck("# A claim\n\n```console\n$ ls\n---\n```\n"));
        assert!(!is_deck("---\ntitle: x\n---\n\n## Goal\n"));
        assert!(is_deck("# Uno\n\n---\n\n# Dos\n"));
    }
}
