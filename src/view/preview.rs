//! What is in a file, as far as one wants to look: text, or the first bytes of what is none.

use bstr::{BString, ByteSlice};

use crate::base::rope::Rope;
use crate::docker::daemon::api::layers::LayerStack;
use crate::os::fs::node::{Content, Entry};

/// Bytes of a text that are shown.
const TEXT_BYTES: u64 = 24 << 10;
/// Bytes of a dump.
const DUMP_BYTES: u64 = 256;
/// Bytes that tell whether a file is text.
const SNIFF_BYTES: usize = 2048;

/// A file, looked at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Preview {
    /// `-rw-r--r--`.
    pub mode: String,
    /// Its owner's number.
    pub uid: u32,
    /// Its group's number.
    pub gid: u32,
    /// Its length.
    pub size_bytes: u64,
    /// What it holds.
    pub body: Body,
}

/// What a file holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Body {
    /// Nothing.
    Empty,
    /// Text, and whether it goes on.
    Text(String, bool),
    /// The first bytes as `hexdump -C` shows them, and how many of all bytes are generated when somebody reads them.
    Bytes {
        /// The lines.
        dump: String,
        /// Bytes of bulk.
        bulk_bytes: u64,
    },
    /// A link to there.
    Link(BString),
    /// A folder.
    Folder,
    /// A device, pipe or socket.
    Special,
}

impl Preview {
    /// The file that is seen at `path` at the layer `top`, or, when it is hidden there, the one that is hidden.
    pub fn at(stack: &LayerStack, top: usize, path: &[u8]) -> Option<Self> {
        let seen = |layer: usize| stack.layers.get(layer)?.tree.get(path);
        let node = seen(top).or_else(|| (0..top).rev().find_map(seen))?;
        Some(Self::of(&node.entry))
    }

    /// What a layer has.
    pub fn of(entry: &Entry) -> Self {
        let stat = crate::os::fs::node::Stat {
            dev: 0,
            ino: 0,
            kind: entry.content.kind(),
            meta: entry.meta,
            ctime: entry.meta.mtime,
            nlink: 1,
            size_bytes: entry.content.size_bytes(),
            device: None,
        };
        let body = match &entry.content {
            Content::File(rope) => body(rope),
            Content::Dir { .. } => Body::Folder,
            Content::Symlink(target) => Body::Link(target.clone()),
            _ => Body::Special,
        };
        let meta = entry.meta;
        Self { mode: stat.mode_string(), uid: meta.uid, gid: meta.gid, size_bytes: stat.size_bytes, body }
    }
}

fn body(rope: &Rope) -> Body {
    if rope.is_empty() {
        return Body::Empty;
    }
    let head = rope.head(TEXT_BYTES);
    if is_text(head.get(..SNIFF_BYTES).unwrap_or(&head)) {
        return Body::Text(head.to_str_lossy().into_owned(), rope.len() > TEXT_BYTES);
    }
    let bulk_bytes = rope.len().saturating_sub(rope.resident_bytes());
    Body::Bytes { dump: dump(&rope.head(DUMP_BYTES)), bulk_bytes }
}

/// Text has no control characters but blanks and colours; a character may be cut at the end.
fn is_text(bytes: &[u8]) -> bool {
    let valid = match std::str::from_utf8(bytes) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none(),
    };
    valid && !bytes.iter().any(|byte| matches!(byte, 0..=8 | 14..=26 | 28..=31))
}

/// As `hexdump -C`.
fn dump(bytes: &[u8]) -> String {
    let mut out = String::new();
    for (at, line) in bytes.chunks(16).enumerate() {
        out.push_str(&format!("{:08x} ", at * 16));
        for column in 0..16 {
            let gap = if column == 8 { "  " } else { " " };
            match line.get(column) {
                Some(byte) => out.push_str(&format!("{gap}{byte:02x}")),
                None => out.push_str(&format!("{gap}  ")),
            }
        }
        let shown = |byte: &u8| if matches!(byte, 32..=126) { char::from(*byte) } else { '.' };
        out.push_str(&format!("  |{}|\n", line.iter().map(shown).collect::<String>()));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_shown_and_other_bytes_are_dumped() {
        assert_eq!(body(&"hola ñ\n".into()), Body::Text("hola ñ\n".to_owned(), false));
        assert_eq!(body(&Rope::new()), Body::Empty);
        let long = "a".repeat(TEXT_BYTES as usize + 1);
        assert!(matches!(body(&long.as_str().into()), Body::Text(text, true) if text.len() == TEXT_BYTES as usize));
        let Body::Bytes { dump, bulk_bytes } = body(&Rope::from(vec![0x7f, b'E', 0])) else { panic!() };
        assert_eq!(bulk_bytes, 0);
        assert_eq!(dump, format!("00000000  7f 45 00{}  |.E.|\n", " ".repeat(40)));
    }

    #[test]
    fn bulk_is_named_and_only_its_head_is_made() {
        let mut rope = Rope::from(vec![0u8; 10]);
        rope.push(&Rope::bulk(1, 1 << 40));
        let Body::Bytes { dump, bulk_bytes } = body(&rope) else { panic!() };
        assert_eq!((dump.lines().count(), bulk_bytes), (16, 1 << 40));
    }
}
