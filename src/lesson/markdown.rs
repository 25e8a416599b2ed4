//! The Markdown of exercises: paragraphs, lists, headings, code, emphasis, links. What it is not is text.
//!
//! It gives blocks, no HTML: whoever draws them decides what a link or a command may do, and nothing that an author writes
//! can become markup.

/// A block.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Block {
    /// A paragraph.
    Paragraph(Vec<Span>),
    /// A heading of any level.
    Heading(Vec<Span>),
    /// A list.
    List {
        /// Whether its items are numbered.
        is_numbered: bool,
        /// The items.
        items: Vec<Vec<Span>>,
    },
    /// A fenced block.
    Code {
        /// What stands behind the opening fence.
        info: String,
        /// Its lines.
        text: String,
    },
}

/// A part of a line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Span {
    /// Text.
    Text(String),
    /// `code`.
    Code(String),
    /// **strong**.
    Strong(Vec<Self>),
    /// *emphasis*.
    Emphasis(Vec<Self>),
    /// A link.
    Link {
        /// What is shown.
        text: Vec<Self>,
        /// Where it leads, as written.
        target: String,
    },
}

/// How deep marks may stand in marks.
const MAX_DEPTH: u32 = 4;

/// Reads blocks.
pub fn blocks(text: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut paragraph = String::new();
    let mut items: Vec<String> = Vec::new();
    let mut is_numbered = false;
    let mut lines = text.lines();
    let flush = |found: &mut Vec<Block>, paragraph: &mut String, items: &mut Vec<String>, is_numbered: bool| {
        if !paragraph.is_empty() {
            found.push(Block::Paragraph(spans(&std::mem::take(paragraph))));
        }
        if !items.is_empty() {
            let items = std::mem::take(items).iter().map(|item| spans(item)).collect();
            found.push(Block::List { is_numbered, items });
        }
    };
    while let Some(line) = lines.next() {
        let trimmed = line.trim();
        if let Some(info) = trimmed.strip_prefix("```") {
            flush(&mut found, &mut paragraph, &mut items, is_numbered);
            let body: Vec<&str> = lines.by_ref().take_while(|line| line.trim() != "```").collect();
            found.push(Block::Code { info: info.trim().to_owned(), text: body.join("\n") });
        } else if trimmed.is_empty() {
            flush(&mut found, &mut paragraph, &mut items, is_numbered);
        } else if let Some(heading) = trimmed.strip_prefix('#') {
            flush(&mut found, &mut paragraph, &mut items, is_numbered);
            found.push(Block::Heading(spans(heading.trim_start_matches('#').trim())));
        } else if let Some((numbered, item)) = item_of(trimmed) {
            if !paragraph.is_empty() || (!items.is_empty() && numbered != is_numbered) {
                flush(&mut found, &mut paragraph, &mut items, is_numbered);
            }
            is_numbered = numbered;
            items.push(item.to_owned());
        } else {
            let to = items.last_mut().unwrap_or(&mut paragraph);
            if !to.is_empty() {
                to.push(' ');
            }
            to.push_str(trimmed);
        }
    }
    flush(&mut found, &mut paragraph, &mut items, is_numbered);
    found
}

/// A list item's text, and whether it is numbered.
fn item_of(line: &str) -> Option<(bool, &str)> {
    if let Some(rest) = line.strip_prefix("- ").or_else(|| line.strip_prefix("* ")) {
        return Some((false, rest.trim()));
    }
    let (number, rest) = line.split_once(". ")?;
    (!number.is_empty() && number.len() < 4 && number.bytes().all(|b| b.is_ascii_digit()))
        .then_some((true, rest.trim()))
}

/// Reads the parts of a line.
pub fn spans(text: &str) -> Vec<Span> {
    spans_within(text, MAX_DEPTH)
}

fn spans_within(text: &str, depth: u32) -> Vec<Span> {
    let mut found = Vec::new();
    let mut plain = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        match if depth > 0 { marked(rest, depth - 1) } else { None } {
            Some((span, tail)) => {
                if !plain.is_empty() {
                    found.push(Span::Text(std::mem::take(&mut plain)));
                }
                found.push(span);
                rest = tail;
            }
            None => {
                plain.push(c);
                rest = rest.get(c.len_utf8()..).unwrap_or_default();
            }
        }
    }
    if !plain.is_empty() {
        found.push(Span::Text(plain));
    }
    found
}

/// The marked part that a text begins with, and what follows it.
fn marked(text: &str, depth: u32) -> Option<(Span, &str)> {
    let enclosed = |mark: &str| {
        let (inner, tail) = text.strip_prefix(mark)?.split_once(mark)?;
        (!inner.is_empty() && !inner.starts_with(' ') && !inner.ends_with(' ')).then_some((inner, tail))
    };
    if let Some((code, tail)) = text.strip_prefix('`').and_then(|rest| rest.split_once('`')) {
        return Some((Span::Code(code.to_owned()), tail));
    }
    if let Some((inner, tail)) = enclosed("**") {
        return Some((Span::Strong(spans_within(inner, depth)), tail));
    }
    if let Some((inner, tail)) = enclosed("*") {
        return Some((Span::Emphasis(spans_within(inner, depth)), tail));
    }
    let (shown, rest) = text.strip_prefix('[')?.split_once("](")?;
    let (target, tail) = rest.split_once(')')?;
    (!shown.contains('[')).then(|| (Span::Link { text: spans_within(shown, depth), target: target.to_owned() }, tail))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Span {
        Span::Text(text.to_owned())
    }

    #[test]
    fn blocks_are_told_apart() {
        let found = blocks("Uno\ndos.\n\n- a\n  b\n- c\n\n1. x\n\n```sh\n$ ls\n\n```\n### T\n");
        assert_eq!(
            found,
            [
                Block::Paragraph(vec![text("Uno dos.")]),
                Block::List { is_numbered: false, items: vec![vec![text("a b")], vec![text("c")]] },
                Block::List { is_numbered: true, items: vec![vec![text("x")]] },
                Block::Code { info: "sh".to_owned(), text: "$ ls\n".to_owned() },
                Block::Heading(vec![text("T")]),
            ]
        );
    }

    #[test]
    fn marks_nest_and_what_is_no_mark_is_text() {
        let strong = Span::Strong(vec![text("b "), Span::Code("*c*".to_owned())]);
        assert_eq!(spans("a **b `*c*`** 2 * 3 * 4"), [text("a "), strong, text(" 2 * 3 * 4")]);
        let link = Span::Link { text: vec![text("x")], target: "y.md".to_owned() };
        assert_eq!(spans("[x](y.md) <b>"), [link, text(" <b>")]);
        assert_eq!(spans(&"*".repeat(9)).len(), 1);
    }
}
