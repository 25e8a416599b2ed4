//! The line editor: keys in, edits and screen updates out. It knows no terminal and no files.
//!
//! Bytes are fed one by one; the screen is redrawn only when asked, so a long paste costs one redraw. Tab and Enter come
//! back as [`Key`]s for the shell to act on.

use bstr::{BString, ByteSlice};

/// What a byte led to that the shell must act on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Key {
    /// Nothing but edits.
    None,
    /// Return: the line is complete.
    Enter,
    /// Ctrl-C.
    Interrupt,
    /// Ctrl-D on an empty line.
    EndOfFile,
    /// Tab; `true` when it is the second in a row.
    Complete(bool),
    /// Ctrl-L.
    Clear,
}

/// What has been read of an escape sequence.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Pending {
    None,
    Escape,
    Csi(Vec<u8>),
    Ss3,
    /// Ctrl-V: the next byte is taken as it is.
    Verbatim,
}

/// The state of the line being typed.
pub struct Editor {
    text: Vec<char>,
    /// Bytes of a character that is not complete.
    partial: Vec<u8>,
    at: usize,
    prompt: String,
    pending: Pending,
    kill: Vec<char>,
    history: Vec<BString>,
    /// Which line of the history is shown; its length for the one being typed.
    shown: usize,
    draft: Vec<char>,
    pasting: bool,
    last_was_tab: bool,
    /// Ctrl-R: what is searched for.
    search: Option<(String, Option<usize>)>,
    /// What the screen shows of it; `None` when the next redraw starts where the cursor is.
    drawn: Option<Drawn>,
}

/// What was last drawn of a line.
struct Drawn {
    /// Columns of the prompt.
    start: usize,
    /// The text up to the cursor.
    text: Vec<char>,
}

impl Drawn {
    /// The row of the cursor below the first, in a terminal of so many columns: one that became wider or narrower has wrapped
    /// anew what it shows, and took the cursor along.
    fn row(&self, columns: usize) -> usize {
        let (mut row, mut column) = (self.start / columns, self.start % columns);
        for c in &self.text {
            if *c == '\n' {
                (row, column) = (row + 1, 0);
                continue;
            }
            let wide = width(*c);
            if column + wide > columns {
                (row, column) = (row + 1, 0);
            }
            column += wide;
            if column >= columns {
                (row, column) = (row + 1, 0);
            }
        }
        row
    }
}

/// Columns of a character: 0 for combining marks, 2 for East Asian and emoji.
pub fn width(c: char) -> usize {
    match u32::from(c) {
        0..=31 | 127 => 2,
        0x300..=0x36f | 0x200b..=0x200f | 0xfe00..=0xfe0f | 0x20d0..=0x20ff => 0,
        0x1100..=0x115f
        | 0x2e80..=0x303e
        | 0x3041..=0xa4cf
        | 0xac00..=0xd7a3
        | 0xf900..=0xfaff
        | 0xfe30..=0xfe6f
        | 0xff00..=0xff60
        | 0xffe0..=0xffe6
        | 0x1f300..=0x1f64f
        | 0x1f680..=0x1f6ff
        | 0x1f900..=0x1f9ff
        | 0x20000..=0x3fffd => 2,
        _ => 1,
    }
}

/// Columns of a prompt: escape sequences and what stands between `\[` and `\]` take none.
fn prompt_width(prompt: &str) -> usize {
    let mut columns = 0;
    let mut chars = prompt.rsplit('\n').next().unwrap_or_default().chars();
    while let Some(c) = chars.next() {
        match c {
            '\u{1}' => {
                for hidden in chars.by_ref() {
                    if hidden == '\u{2}' {
                        break;
                    }
                }
            }
            '\u{1b}' => {
                let mut first = true;
                for hidden in chars.by_ref() {
                    if hidden.is_ascii_alphabetic() || (!first && hidden == '\u{7}') {
                        break;
                    }
                    first = false;
                }
            }
            c => columns += width(c),
        }
    }
    columns
}

impl Editor {
    /// An empty line behind a prompt.
    pub fn new(prompt: &str, history: Vec<BString>) -> Self {
        let shown = history.len();
        Self {
            text: Vec::new(),
            partial: Vec::new(),
            at: 0,
            prompt: prompt.to_owned(),
            pending: Pending::None,
            kill: Vec::new(),
            history,
            shown,
            draft: Vec::new(),
            pasting: false,
            last_was_tab: false,
            search: None,
            drawn: None,
        }
    }

    /// The text.
    pub fn text(&self) -> BString {
        self.text.iter().collect::<String>().into()
    }

    /// The text before the cursor.
    pub fn before(&self) -> BString {
        self.text.iter().take(self.at).collect::<String>().into()
    }

    /// Puts text at the cursor.
    pub fn insert(&mut self, text: &str) {
        let chars: Vec<char> = text.chars().collect();
        let count = chars.len();
        self.text.splice(self.at..self.at, chars);
        self.at += count;
    }

    /// Removes this many characters before the cursor.
    pub fn erase(&mut self, count: usize) {
        let from = self.at.saturating_sub(count);
        self.text.drain(from..self.at);
        self.at = from;
    }

    /// Takes a byte.
    pub fn feed(&mut self, byte: u8) -> Key {
        let was_tab = std::mem::take(&mut self.last_was_tab);
        match std::mem::replace(&mut self.pending, Pending::None) {
            Pending::Verbatim => {
                self.insert(&char::from(byte).to_string());
                return Key::None;
            }
            Pending::Escape => {
                match byte {
                    b'[' => self.pending = Pending::Csi(Vec::new()),
                    b'O' => self.pending = Pending::Ss3,
                    b'b' | b'B' => self.at = self.word_start(),
                    b'f' | b'F' => self.at = self.word_end(),
                    b'd' | b'D' => {
                        let end = self.word_end();
                        self.kill = self.text.drain(self.at..end).collect();
                    }
                    127 | 8 => self.kill_back(self.word_start()),
                    b'.' => {
                        let word = self
                            .history
                            .last()
                            .and_then(|l| l.to_str_lossy().split_whitespace().last().map(str::to_owned));
                        self.insert(&word.unwrap_or_default());
                    }
                    _ => {}
                }
                return Key::None;
            }
            Pending::Csi(mut seen) => {
                if (0x40..=0x7e).contains(&byte) {
                    self.sequence(&seen, byte);
                } else if seen.len() < 16 {
                    seen.push(byte);
                    self.pending = Pending::Csi(seen);
                }
                return Key::None;
            }
            Pending::Ss3 => {
                self.sequence(b"", byte);
                return Key::None;
            }
            Pending::None => {}
        }
        if self.pasting && matches!(byte, b'\r' | b'\n') {
            self.insert("\n");
            return Key::None;
        }
        if self.pasting && byte == b'\t' {
            self.insert("\t");
            return Key::None;
        }
        if self.search.is_some() && self.searching(byte) {
            return Key::None;
        }
        match byte {
            b'\r' | b'\n' => return Key::Enter,
            0 => {}
            1 => self.at = 0,
            2 => self.at = self.at.saturating_sub(1),
            3 => return Key::Interrupt,
            4 if self.text.is_empty() => return Key::EndOfFile,
            4 => self.delete(),
            5 => self.at = self.text.len(),
            6 => self.at = (self.at + 1).min(self.text.len()),
            8 | 127 => self.erase(1),
            9 => {
                self.last_was_tab = true;
                return Key::Complete(was_tab);
            }
            11 => self.kill = self.text.split_off(self.at),
            12 => return Key::Clear,
            14 => self.later(),
            16 => self.earlier(),
            18 => self.search = Some((String::new(), None)),
            20 if self.at > 0 && self.text.len() > 1 => {
                let at = self.at.min(self.text.len() - 1);
                self.text.swap(at - 1, at);
                self.at = at + 1;
            }
            21 => self.kill_back(0),
            22 => self.pending = Pending::Verbatim,
            23 => {
                let mut from = self.at;
                while from > 0 && self.text.get(from - 1).is_some_and(|c| c.is_whitespace()) {
                    from -= 1;
                }
                while from > 0 && self.text.get(from - 1).is_some_and(|c| !c.is_whitespace()) {
                    from -= 1;
                }
                self.kill_back(from);
            }
            25 => {
                let kill: String = self.kill.iter().collect();
                self.insert(&kill);
            }
            27 => self.pending = Pending::Escape,
            byte if byte < 32 => {}
            byte => self.character(byte),
        }
        Key::None
    }

    fn character(&mut self, byte: u8) {
        self.partial.push(byte);
        match std::str::from_utf8(&self.partial) {
            Ok(text) => {
                let text = text.to_owned();
                self.partial.clear();
                self.insert(&text);
            }
            Err(error) if error.error_len().is_some() => {
                self.partial.clear();
                self.insert("\u{fffd}");
            }
            Err(_) => {}
        }
    }

    fn sequence(&mut self, seen: &[u8], last: u8) {
        match (seen, last) {
            (b"200", b'~') => self.pasting = true,
            (b"201", b'~') => self.pasting = false,
            (b"3", b'~') => self.delete(),
            (b"1" | b"7", b'~') | (_, b'H') => self.at = 0,
            (b"4" | b"8", b'~') | (_, b'F') => self.at = self.text.len(),
            (b"1;5" | b"1;3", b'C') => self.at = self.word_end(),
            (b"1;5" | b"1;3", b'D') => self.at = self.word_start(),
            (_, b'A') => self.earlier(),
            (_, b'B') => self.later(),
            (_, b'C') => self.at = (self.at + 1).min(self.text.len()),
            (_, b'D') => self.at = self.at.saturating_sub(1),
            _ => {}
        }
    }

    fn delete(&mut self) {
        if self.at < self.text.len() {
            self.text.remove(self.at);
        }
    }

    fn kill_back(&mut self, from: usize) {
        self.kill = self.text.drain(from..self.at).collect();
        self.at = from;
    }

    fn word_start(&self) -> usize {
        let mut at = self.at;
        while at > 0 && self.text.get(at - 1).is_some_and(|c| !c.is_alphanumeric()) {
            at -= 1;
        }
        while at > 0 && self.text.get(at - 1).is_some_and(|c| c.is_alphanumeric()) {
            at -= 1;
        }
        at
    }

    fn word_end(&self) -> usize {
        let mut at = self.at;
        while self.text.get(at).is_some_and(|c| !c.is_alphanumeric()) {
            at += 1;
        }
        while self.text.get(at).is_some_and(|c| c.is_alphanumeric()) {
            at += 1;
        }
        at
    }

    fn show_history(&mut self, at: usize) {
        if self.shown == self.history.len() {
            self.draft = std::mem::take(&mut self.text);
        }
        self.shown = at;
        self.text = match self.history.get(at) {
            Some(line) => line.to_str_lossy().chars().collect(),
            None => std::mem::take(&mut self.draft),
        };
        self.at = self.text.len();
    }

    fn earlier(&mut self) {
        if self.shown > 0 {
            self.show_history(self.shown - 1);
        }
    }

    fn later(&mut self) {
        if self.shown < self.history.len() {
            self.show_history(self.shown + 1);
        }
    }

    /// A byte while Ctrl-R is in effect; `false` when it ends the search and means what it always means.
    fn searching(&mut self, byte: u8) -> bool {
        let Some((mut wanted, found)) = self.search.take() else { return false };
        let mut from = self.history.len();
        match byte {
            18 => from = found.unwrap_or(from),
            7 => return true,
            8 | 127 => drop(wanted.pop()),
            32..=126 | 128.. => wanted.push(char::from(byte)),
            _ => {
                if let Some(at) = found {
                    self.show_history(at);
                }
                return false;
            }
        }
        let hit = self.history.iter().take(from).rposition(|line| line.contains_str(&wanted));
        self.search = Some((wanted, hit.or(found)));
        true
    }

    /// What to write so that the screen shows the line, `columns` wide.
    pub fn redraw(&mut self, columns: usize) -> String {
        let columns = columns.max(2);
        let mut out = String::new();
        let row = self.drawn.as_ref().map_or(0, |drawn| drawn.row(columns));
        if row > 0 {
            out.push_str(&format!("\x1b[{row}A"));
        }
        out.push_str("\r\x1b[J");
        let found;
        let (prompt, text, cursor): (String, &[char], usize) = match &self.search {
            Some((wanted, hit)) => {
                let line = hit.and_then(|at| self.history.get(at)).cloned().unwrap_or_default();
                found = line.to_str_lossy().chars().collect::<Vec<char>>();
                (format!("(reverse-i-search)`{wanted}': "), &found, 0)
            }
            None => (self.prompt.rsplit('\n').next().unwrap_or_default().to_owned(), &self.text, self.at),
        };
        out.extend(prompt.chars().filter(|c| !matches!(c, '\u{1}' | '\u{2}')));
        // Where each character lands, as the terminal will wrap it.
        let start = prompt_width(&prompt);
        let (mut row, mut column) = (start / columns, start % columns);
        let (mut cursor_row, mut cursor_column) = (row, column);
        for (at, c) in text.iter().enumerate() {
            if at == cursor {
                (cursor_row, cursor_column) = (row, column);
            }
            if *c == '\n' {
                out.push_str("\r\n");
                (row, column) = (row + 1, 0);
                continue;
            }
            let wide = width(*c);
            if column + wide > columns {
                (row, column) = (row + 1, 0);
            }
            if u32::from(*c) < 32 {
                out.push('^');
                out.extend(char::from_u32(u32::from(*c) ^ 64));
            } else {
                out.push(*c);
            }
            column += wide;
            if column >= columns {
                (row, column) = (row + 1, 0);
                // A full line leaves the cursor waiting at its end: make it wrap now.
                out.push_str(" \r");
            }
        }
        if cursor >= text.len() {
            (cursor_row, cursor_column) = (row, column);
        }
        if row > cursor_row {
            out.push_str(&format!("\x1b[{}A", row - cursor_row));
        }
        if (row, column) != (cursor_row, cursor_column) {
            out.push('\r');
            if cursor_column > 0 {
                out.push_str(&format!("\x1b[{cursor_column}C"));
            }
        }
        let text = text.get(..cursor.min(text.len())).unwrap_or_default().to_vec();
        self.drawn = Some(Drawn { start, text });
        out
    }

    /// Forgets where the line was drawn: the next redraw starts where the cursor is.
    pub fn start_over(&mut self) {
        self.drawn = None;
    }

    /// Moves to the end, for the last redraw before the line runs.
    pub fn finish(&mut self) {
        self.search = None;
        self.at = self.text.len();
    }

    /// Whether the last key only added a character at the end, so that its echo is all there is to draw.
    pub fn is_plain_end(&self) -> bool {
        self.search.is_none() && self.at == self.text.len() && self.pending == Pending::None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(bytes: &[u8]) -> (Editor, Vec<Key>) {
        let mut editor = Editor::new("$ ", vec!["first".into(), "second line".into()]);
        let keys = bytes.iter().map(|b| editor.feed(*b)).filter(|k| *k != Key::None).collect();
        (editor, keys)
    }

    #[test]
    fn keys_edit_as_readline_does() {
        for (keys, text) in [
            ("abc\x01X", "Xabc"),
            ("abc\x1b[D\x1b[DX", "aXbc"),
            ("abc def\x17", "abc "),
            ("abc def\x15", ""),
            ("abc def\x01\x0b\x19\x19", "abc defabc def"),
            ("a\u{f1}\x7fb", "ab"),
            ("\x1b[A", "second line"),
            ("\x1b[A\x1b[A", "first"),
            ("draft\x1b[A\x1b[B", "draft"),
            ("one two\x1bbX", "one Xtwo"),
            ("\x12fir\x05!", "first!"),
            ("a\0b", "ab"),
            ("\x1b[200~a\rb\x1b[201~", "a\nb"),
            ("abc\x1b[H\x1b[3~", "bc"),
        ] {
            assert_eq!(typed(keys.as_bytes()).0.text(), text, "{keys:?}");
        }
        assert_eq!(typed(b"a\r").1, [Key::Enter]);
        assert_eq!(typed(b"\x04").1, [Key::EndOfFile]);
        assert_eq!(typed(b"\t\t").1, [Key::Complete(false), Key::Complete(true)]);
    }

    #[test]
    fn wrapped_lines_are_redrawn_from_their_first_row() {
        let mut editor = typed("0123456789".as_bytes()).0;
        assert_eq!(editor.redraw(5), "\r\x1b[J$ 012 \r34567 \r89");
        assert_eq!(editor.drawn.as_ref().map(|drawn| drawn.row(5)), Some(2));
        editor.feed(1);
        assert_eq!(editor.redraw(5), "\x1b[2A\r\x1b[J$ 012 \r34567 \r89\x1b[2A\r\x1b[2C");
    }

    #[test]
    fn any_bytes_are_taken_and_drawn() {
        let mut rng = crate::base::rng::Rng::new(5);
        for _ in 0..200 {
            let mut bytes = [0; 60];
            rng.fill(&mut bytes);
            let mut editor = typed(&bytes).0;
            editor.redraw(3);
        }
    }
}
