//! The list of exercises: `README.md` beside them, a heading a chapter and a link a lesson.

use super::markdown::{self, Block, Span};

/// A path of exercises.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Index {
    /// The chapters.
    pub chapters: Vec<Chapter>,
}

/// A chapter.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Chapter {
    /// Its title, number included.
    pub title: String,
    /// What it is about.
    pub about: Vec<Span>,
    /// Its exercises.
    pub lessons: Vec<Entry>,
}

/// An exercise in the list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Its id, which is its file's name.
    pub id: String,
    /// Its title.
    pub title: String,
}

impl Index {
    /// Reads the list. What is no link to a Markdown file beside it is left out.
    pub fn parse(text: &str) -> Self {
        let mut index = Self::default();
        // The first heading is the path's own.
        for block in markdown::blocks(text).into_iter().skip(1) {
            match (block, index.chapters.last_mut()) {
                (Block::Heading(spans), _) => {
                    index.chapters.push(Chapter { title: plain(&spans), ..Chapter::default() });
                }
                (Block::Paragraph(spans), Some(chapter)) => chapter.about = spans,
                (Block::List { items, .. }, Some(chapter)) => {
                    chapter.lessons.extend(items.iter().filter_map(|item| entry(item)))
                }
                _ => {}
            }
        }
        index
    }

    /// All exercises in order.
    pub fn lessons(&self) -> impl Iterator<Item = &Entry> {
        self.chapters.iter().flat_map(|chapter| &chapter.lessons)
    }

    /// The one after an exercise.
    pub fn after(&self, id: &str) -> Option<&Entry> {
        self.lessons().skip_while(|entry| entry.id != id).nth(1)
    }

    /// An exercise's title.
    pub fn title_of(&self, id: &str) -> Option<&str> {
        self.lessons().find(|entry| entry.id == id).map(|entry| entry.title.as_str())
    }
}

fn entry(item: &[Span]) -> Option<Entry> {
    let Some(Span::Link { text, target }) = item.first() else { return None };
    let id = target.strip_suffix(".md").filter(|id| !id.contains('/'))?;
    Some(Entry { id: id.to_owned(), title: plain(text) })
}

/// Spans as bare text.
fn plain(spans: &[Span]) -> String {
    let text = |span: &Span| match span {
        Span::Text(text) | Span::Code(text) => text.clone(),
        Span::Strong(inner) | Span::Emphasis(inner) | Span::Link { text: inner, .. } => plain(inner),
    };
    spans.iter().map(text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_links_is_read_by_chapters() {
        let index = Index::parse(
            "# T\n\n## 1. A\n\nSobre `a`.\n\n- [Uno `x`](uno.md)\n- [Dos](dos.md)\n- [no](http://x/y.md)\n\n## 2. B\n\n- [Tres](tres.md)\n",
        );
        assert_eq!(index.chapters.len(), 2);
        assert_eq!(index.lessons().map(|entry| entry.id.as_str()).collect::<Vec<_>>(), ["uno", "dos", "tres"]);
        assert_eq!(index.after("dos").map(|entry| entry.title.as_str()), Some("Tres"));
        assert_eq!((index.title_of("uno"), index.after("tres")), (Some("Uno x"), None));
    }
}
