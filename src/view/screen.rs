//! What a terminal shows: bytes of a program in, rows of styled text out.
//!
//! The emulation is `avt`'s, which keeps little of what scrolled away: enough for a change of size to bring it back. This
//! module decodes UTF-8 across chunks, keeps the rest in blocks of rows that never change, and hands out the same `Rc` for
//! a row that did not change, so that whoever draws can compare pointers. It knows neither the page nor the machine.

use std::ops::Range;
use std::rc::Rc;

use avt::parser::{EdScope, Function};
use avt::{Color, Line, Observation, Observer, Operation, Pen, ScreenKind, Terminal};

use super::wrap;

/// Rows kept above the screen.
pub const SCROLLBACK_LINES: usize = 100_000;
/// Lines that the emulation itself keeps above the screen.
const EMULATED_LINES: usize = 500;
/// The id of the first line: rows that are wrapped anew may need lower ones.
const FIRST_ID: u64 = 1 << 40;
/// Rows in one block of history.
const BLOCK_ROWS: usize = 100;
/// The ids of rows of the alternate screen start here, far from those of lines.
const ALTERNATE_IDS: u64 = 1 << 62;
/// Most rows and columns a screen may have.
const MAX_SIDE: u16 = 1000;
/// Most lines that are read out at once.
const SPOKEN_LINES: u64 = 60;

/// A colour of the terminal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ink {
    /// The text colour of the theme.
    Text,
    /// The background of the theme.
    Ground,
    /// One of the 16 colours that a theme defines.
    Palette(u8),
    /// A fixed colour.
    Rgb(u8, u8, u8),
}

/// How text looks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Style {
    /// Colour of the glyphs; `inverse` is already worked in.
    pub ink: Ink,
    /// Colour behind them.
    pub paper: Ink,
    /// SGR 1.
    pub bold: bool,
    /// SGR 2.
    pub faint: bool,
    /// SGR 3.
    pub italic: bool,
    /// SGR 4.
    pub underline: bool,
    /// SGR 9.
    pub strike: bool,
}

/// Text of one style.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Run {
    /// The characters.
    pub text: String,
    /// How they look.
    pub style: Style,
    /// 0 for text in cells of the font's own width; 1 or 2 for one glyph that must be held to so many cells, as fonts
    /// disagree about its width.
    pub cells: u8,
}

/// A row of the screen or of the history.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// Stays with the line while it scrolls.
    pub id: u64,
    /// The styled text, without blanks at the end.
    pub runs: Vec<Run>,
    /// Whether the line goes on in the next row.
    pub wrapped: bool,
}

/// Rows that have scrolled off the screen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Block {
    /// The id of the first row.
    pub id: u64,
    /// The rows, oldest first.
    pub rows: Vec<Rc<Row>>,
}

/// All there is to draw.
#[derive(Clone, PartialEq, Debug)]
pub struct Shown {
    /// What has scrolled away, oldest first. Empty while a program has the alternate screen.
    pub history: Rc<Vec<Rc<Block>>>,
    /// The rows of the screen, from the top.
    pub rows: Vec<Rc<Row>>,
    /// Column and row of the cursor, unless it is hidden.
    pub cursor: Option<(usize, usize)>,
}

/// A terminal's screen.
pub struct Screen {
    terminal: Terminal,
    watch: Watch,
    undecoded: Vec<u8>,
    history: Rc<Vec<Rc<Block>>>,
    /// The id of the line after the last one in `history`.
    history_end: u64,
    rows: Vec<Rc<Row>>,
    tail: Vec<u8>,
    bracketed_paste: bool,
    spoken_end: u64,
}

/// What happened in the terminal since it was last looked at.
#[derive(Default)]
struct Watch {
    dirty: Vec<bool>,
    resized: bool,
    cleared_history: bool,
    /// The id of the oldest line that the emulation has.
    oldest: u64,
    /// Ids below this are in the history already.
    known: u64,
    /// Rows that the emulation let go of before anybody looked at them.
    passed: Vec<Rc<Row>>,
}

impl Observer for Watch {
    type Output = ();

    fn before(&mut self, _: &mut Observation<'_>, operation: &Operation) {
        if matches!(operation, Operation::Function(Function::Ed(EdScope::SavedLines) | Function::Ris)) {
            self.cleared_history = true;
        }
    }

    fn resized(&mut self, _: usize, rows: usize) {
        self.resized = true;
        self.dirty.clear();
        self.dirty.resize(rows, true);
    }

    fn dirty(&mut self, rows: Range<usize>) {
        for row in rows {
            if let Some(flag) = self.dirty.get_mut(row) {
                *flag = true;
            }
        }
    }

    fn evicted(&mut self, _: &mut Observation<'_>, line: &Line) {
        if self.oldest >= self.known {
            self.passed.push(Rc::new(row_of(self.oldest, line)));
        }
        self.oldest += 1;
    }

    fn end(&mut self, _: &mut Observation<'_>) {}
}

impl Screen {
    /// An empty screen. Sizes are held between 1 and 1000.
    pub fn new(cols: u16, rows: u16) -> Self {
        let (cols, rows) = (bounded(cols), bounded(rows));
        // The size is at least 1 by 1, which is all that can be refused; the fallback is the same and cannot be reached.
        let terminal = Terminal::with_scrollback(cols, rows, Some(EMULATED_LINES));
        let mut screen = Self {
            terminal: match terminal {
                Ok(terminal) => terminal,
                Err(_) => return Self::new(80, 24),
            },
            watch: Watch { dirty: vec![true; rows], oldest: FIRST_ID, known: FIRST_ID, ..Watch::default() },
            undecoded: Vec::new(),
            history: Rc::default(),
            history_end: FIRST_ID,
            rows: Vec::new(),
            tail: Vec::new(),
            bracketed_paste: false,
            spoken_end: 0,
        };
        screen.update();
        screen
    }

    /// Takes output of the program. A character may be cut in two between calls.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.note_modes(bytes);
        let mut text = String::with_capacity(bytes.len());
        let joined;
        let mut rest = if self.undecoded.is_empty() {
            bytes
        } else {
            joined = [self.undecoded.as_slice(), bytes].concat();
            joined.as_slice()
        };
        let mut undecoded = Vec::new();
        while !rest.is_empty() {
            match std::str::from_utf8(rest) {
                Ok(valid) => {
                    text.push_str(valid);
                    break;
                }
                Err(error) => {
                    let (valid, after) = rest.split_at_checked(error.valid_up_to()).unwrap_or((rest, &[]));
                    text.push_str(std::str::from_utf8(valid).unwrap_or_default());
                    let Some(bad) = error.error_len() else {
                        undecoded = after.to_vec();
                        break;
                    };
                    text.push(char::REPLACEMENT_CHARACTER);
                    rest = after.get(bad..).unwrap_or(&[]);
                }
            }
        }
        self.undecoded = undecoded;
        self.terminal.feed_with(text.as_str(), &mut self.watch);
        if self.watch.cleared_history {
            self.forget_history();
        }
        self.update();
    }

    /// `ESC[3J`, which the emulation passes over: goes on with a terminal that has only what is on the screen, or else a
    /// resize would bring back lines that were cleared away.
    fn forget_history(&mut self) {
        let first = self.first_row_id();
        let (cols, rows) = self.size();
        if let Ok(mut terminal) = Terminal::with_scrollback(cols, rows, Some(EMULATED_LINES)) {
            terminal.feed(self.terminal.dump().as_str());
            self.terminal = terminal;
            // Ids of lines go on.
            self.watch.oldest = first;
        }
    }

    /// Changes the size; lines that were wrapped are wrapped again.
    pub fn resize(&mut self, cols: u16, rows: u16) {
        let (old_cols, _) = self.size();
        // The emulation wraps what it has anew; what it let go of is wrapped here.
        self.watch.known = self.watch.oldest;
        self.history_end = self.watch.oldest;
        let mut kept = wrap::rows_below(&self.history, self.watch.oldest);
        if old_cols != bounded(cols) {
            kept = wrap::wrapped(kept, bounded(cols));
        }
        self.history = Rc::new(wrap::blocks(kept, self.watch.oldest, BLOCK_ROWS));
        self.terminal.resize_with(bounded(cols), bounded(rows), &mut self.watch);
        self.update();
    }

    /// Columns and rows.
    pub fn size(&self) -> (usize, usize) {
        self.terminal.size()
    }

    /// What to draw. Cheap: rows and blocks are shared.
    pub fn shown(&self) -> Shown {
        let alternate = self.terminal.active_screen_kind() == ScreenKind::Alternate;
        let (cols, _) = self.size();
        Shown {
            history: if alternate { Rc::default() } else { Rc::clone(&self.history) },
            rows: self.rows.clone(),
            cursor: self.terminal.cursor().position().map(|(col, row)| (col.min(cols.saturating_sub(1)), row)),
        }
    }

    /// Whether arrow keys are to be sent in their application form (DECCKM).
    pub fn application_cursor_keys(&self) -> bool {
        self.terminal.cursor_key_app_mode()
    }

    /// Whether the program asked for pastes to be marked (mode 2004).
    pub fn bracketed_paste(&self) -> bool {
        self.bracketed_paste
    }

    /// Whether anything has been printed.
    pub fn is_written(&self) -> bool {
        !self.history.is_empty() || self.rows.iter().any(|row| !row.runs.is_empty())
    }

    /// Whether nothing but at most one prompt line has been printed.
    pub fn is_fresh(&self) -> bool {
        self.history.is_empty() && self.rows.iter().skip(1).all(|row| row.runs.is_empty())
    }

    /// The lines printed since the last call, for a screen reader; long output is cut at the front. The alternate
    /// screen is not read out.
    pub fn take_spoken(&mut self) -> String {
        if self.terminal.active_screen_kind() == ScreenKind::Alternate {
            return String::new();
        }
        let end = self.first_row_id().saturating_add(self.terminal.cursor().row as u64);
        let start = self.spoken_end.max(end.saturating_sub(SPOKEN_LINES)).max(self.watch.oldest);
        self.spoken_end = end;
        let skip = usize::try_from(start.saturating_sub(self.watch.oldest)).unwrap_or(usize::MAX);
        let take = usize::try_from(end.saturating_sub(start)).unwrap_or(0);
        let mut text = String::new();
        for line in self.terminal.primary_screen().all_lines().skip(skip).take(take) {
            let line_text = line.text();
            text.push_str(if line.is_wrapped() { &line_text } else { line_text.trim_end() });
            if !line.is_wrapped() {
                text.push('\n');
            }
        }
        text
    }

    fn note_modes(&mut self, bytes: &[u8]) {
        const SWITCH: &[u8] = b"\x1b[?2004";
        if self.tail.is_empty() && !bytes.contains(&0x1b) {
            return;
        }
        let text = [self.tail.as_slice(), bytes].concat();
        for window in text.windows(SWITCH.len() + 1) {
            if let Some((last, SWITCH)) = window.split_last() {
                match last {
                    b'h' => self.bracketed_paste = true,
                    b'l' => self.bracketed_paste = false,
                    _ => {}
                }
            }
        }
        // Only what may still be the beginning of a switch is kept.
        let keep = text.iter().rev().take(SWITCH.len()).position(|byte| *byte == 0x1b).map_or(0, |at| at + 1);
        self.tail = text.get(text.len().saturating_sub(keep)..).unwrap_or(&[]).to_vec();
    }

    /// The id of the row at the top of the primary screen.
    fn first_row_id(&self) -> u64 {
        let lines = self.terminal.primary_screen().all_lines().count();
        let (_, rows) = self.size();
        self.watch.oldest.saturating_add(lines.saturating_sub(rows) as u64)
    }

    fn update(&mut self) {
        let first = self.first_row_id();
        if self.watch.resized || self.watch.cleared_history {
            if self.watch.cleared_history {
                self.history = Rc::default();
                self.history_end = self.watch.oldest;
                self.watch.passed.clear();
            }
            self.spoken_end = self.spoken_end.min(first.saturating_add(self.terminal.cursor().row as u64));
        }
        self.extend_history(first);
        let alternate = self.terminal.active_screen_kind() == ScreenKind::Alternate;
        let first_shown = if alternate { ALTERNATE_IDS } else { first };
        let moved = self.watch.resized
            || self.watch.cleared_history
            || self.rows.first().is_none_or(|row| row.id != first_shown);
        let old_first = self.rows.first().map_or(0, |row| row.id);
        let mut rows = Vec::with_capacity(self.rows.len());
        for (at, line) in self.terminal.screen().visible_lines().enumerate() {
            let id = first_shown.saturating_add(at as u64);
            let old = id.checked_sub(old_first).and_then(|i| self.rows.get(usize::try_from(i).ok()?));
            let clean = !moved && self.watch.dirty.get(at) == Some(&false);
            rows.push(match old {
                Some(old) if clean => Rc::clone(old),
                _ => {
                    let row = row_of(id, line);
                    match old {
                        Some(old) if **old == row => Rc::clone(old),
                        _ => Rc::new(row),
                    }
                }
            });
        }
        self.rows = rows;
        self.watch.dirty.fill(false);
        self.watch.resized = false;
        self.watch.cleared_history = false;
    }

    fn extend_history(&mut self, first: u64) {
        let passed = std::mem::take(&mut self.watch.passed);
        let start = passed.last().map_or(self.history_end, |row| row.id + 1).max(self.watch.oldest);
        if passed.is_empty() && start >= first {
            return;
        }
        let skip = usize::try_from(start.saturating_sub(self.watch.oldest)).unwrap_or(usize::MAX);
        let count = usize::try_from(first.saturating_sub(start)).unwrap_or(0);
        let emulated =
            self.terminal.primary_screen().all_lines().skip(skip).take(count).enumerate().map(|(at, line)| {
                let id = start.saturating_add(at as u64);
                let old = self.rows.iter().find(|row| row.id == id);
                let row = row_of(id, line);
                match old {
                    Some(old) if **old == row => Rc::clone(old),
                    _ => Rc::new(row),
                }
            });
        let rows: Vec<Rc<Row>> = passed.into_iter().chain(emulated).collect();
        let history = Rc::make_mut(&mut self.history);
        for row in rows {
            match history.last_mut() {
                Some(block) if block.rows.len() < BLOCK_ROWS => Rc::make_mut(block).rows.push(row),
                _ => history.push(Rc::new(Block { id: row.id, rows: vec![row] })),
            }
        }
        let whole_blocks = SCROLLBACK_LINES / BLOCK_ROWS;
        let gone = history.len().saturating_sub(whole_blocks + 1);
        history.drain(..gone);
        self.history_end = first;
        self.watch.known = first;
    }
}

fn bounded(side: u16) -> usize {
    usize::from(side.clamp(1, MAX_SIDE))
}

fn row_of(id: u64, line: &Line) -> Row {
    let cells = line.cells();
    let used = cells.len() - cells.iter().rev().take_while(|c| c.char() == ' ' && c.pen().is_default()).count();
    let mut runs: Vec<Run> = Vec::new();
    for cell in cells.iter().take(used) {
        if cell.width() == 0 {
            continue;
        }
        let style = style_of(cell.pen());
        let cells = if is_steady(cell.char()) && cell.width() == 1 { 0 } else { cell.width() };
        match runs.last_mut() {
            Some(run) if run.style == style && run.cells == 0 && cells == 0 => run.text.push(cell.char()),
            _ => runs.push(Run { text: cell.char().to_string(), style, cells }),
        }
    }
    Row { id, runs, wrapped: line.is_wrapped() }
}

/// Characters that a monospaced font itself has: everything else may come from another font with another width.
fn is_steady(c: char) -> bool {
    matches!(c, ' '..='\u{24f}' | '\u{2010}'..='\u{2026}' | '\u{2500}'..='\u{257f}')
}

fn style_of(pen: &Pen) -> Style {
    let mut ink = pen.foreground().map_or(Ink::Text, ink_of);
    let mut paper = pen.background().map_or(Ink::Ground, ink_of);
    if pen.is_inverse() {
        std::mem::swap(&mut ink, &mut paper);
    }
    Style {
        ink,
        paper,
        bold: pen.is_bold(),
        faint: pen.is_faint(),
        italic: pen.is_italic(),
        underline: pen.is_underline(),
        strike: pen.is_strikethrough(),
    }
}

/// The colours above 15 are xterm's: a cube of 216 and 24 greys.
fn ink_of(color: Color) -> Ink {
    match color {
        Color::Indexed(index @ 0..=15) => Ink::Palette(index),
        Color::Indexed(index @ 16..=231) => {
            let level = |n: u8| if n == 0 { 0 } else { 55 + 40 * n };
            let cube = index - 16;
            Ink::Rgb(level(cube / 36), level(cube / 6 % 6), level(cube % 6))
        }
        Color::Indexed(index) => {
            let grey = 8 + 10 * (index - 232);
            Ink::Rgb(grey, grey, grey)
        }
        Color::RGB(rgb) => Ink::Rgb(rgb.r, rgb.g, rgb.b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(screen: &Screen) -> Vec<String> {
        screen.shown().rows.iter().map(|row| row_text(row)).collect()
    }

    fn row_text(row: &Row) -> String {
        row.runs.iter().map(|run| run.text.as_str()).collect()
    }

    fn history(screen: &Screen) -> Vec<String> {
        screen.shown().history.iter().flat_map(|block| block.rows.iter().map(|row| row_text(row))).collect()
    }

    #[test]
    fn pull_progress_is_redrawn_in_place() {
        let mut screen = Screen::new(40, 4);
        screen.feed(b"aaa: Downloading\r\nbbb: Waiting\r\n");
        screen.feed(b"\x1b[2A\x1b[2K\raaa: Pull complete\r\x1b[2B");
        assert_eq!(text(&screen), ["aaa: Pull complete", "bbb: Waiting", "", ""]);
        assert_eq!(screen.shown().cursor, Some((0, 2)));
    }

    #[test]
    fn only_changed_rows_are_new() {
        let mut screen = Screen::new(40, 3);
        screen.feed(b"one\r\ntwo\r\n");
        let before = screen.shown();
        screen.feed(b"\x1b[1A\rTWO");
        let after = screen.shown();
        let same: Vec<bool> = before.rows.iter().zip(&after.rows).map(|(a, b)| Rc::ptr_eq(a, b)).collect();
        assert_eq!(same, [true, false, true]);
    }

    #[test]
    fn scrolled_lines_keep_their_id_and_are_kept_within_bounds() {
        let mut screen = Screen::new(20, 3);
        screen.feed(b"first\r\n");
        let id = screen.shown().rows[0].id;
        for n in 0..20 {
            screen.feed(format!("line {n}\r\n").as_bytes());
        }
        let shown = screen.shown();
        assert_eq!(shown.history[0].rows[0].id, id);
        assert_eq!(history(&screen)[0], "first");
        assert_eq!(history(&screen).len() + 3, 22);
        let all: String = (0..6000).map(|n| format!("line {n}\r\n")).collect();
        for piece in all.as_bytes().chunks(7_777) {
            screen.feed(piece);
        }
        let kept = history(&screen);
        assert_eq!(kept.len(), 6_019);
        assert_eq!(kept.last().map(String::as_str), Some("line 5997"));
        assert_eq!(kept[2_019], "line 1998");
        let ids: Vec<u64> =
            screen.shown().history.iter().flat_map(|block| block.rows.iter().map(|row| row.id)).collect();
        assert!(ids.windows(2).all(|pair| pair[0] + 1 == pair[1]));
        let mut flood = Screen::new(20, 3);
        flood.feed("x\r\n".repeat(250_000).as_bytes());
        let kept = history(&flood).len();
        assert!((SCROLLBACK_LINES..=SCROLLBACK_LINES + 2 * BLOCK_ROWS).contains(&kept), "{kept}");
    }

    #[test]
    fn clearing_drops_the_history_only_when_asked_to() {
        let mut screen = Screen::new(20, 2);
        screen.feed(b"a\r\nb\r\nc\r\n\x1b[H\x1b[2J");
        assert_eq!(&history(&screen)[..2], ["a", "b"]);
        screen.feed(b"\x1b[H\x1b[2J\x1b[3J");
        assert_eq!(history(&screen), Vec::<String>::new());
        screen.feed(b"d\r\ne\r\nf");
        assert_eq!(history(&screen), ["d"]);
    }

    #[test]
    fn what_was_cleared_does_not_come_back_with_a_resize() {
        let mut screen = Screen::new(20, 4);
        screen.feed(b"a\r\nb\r\n$ clear\r\n");
        screen.feed(b"\x1b[H\x1b[2J\x1b[3J$ ");
        assert_eq!(text(&screen), ["$", "", "", ""]);
        assert_eq!(history(&screen), Vec::<String>::new());
        screen.resize(20, 6);
        assert_eq!(text(&screen), ["$", "", "", "", "", ""]);
        assert_eq!(history(&screen), Vec::<String>::new());
    }

    #[test]
    fn resizing_wraps_again() {
        let mut screen = Screen::new(10, 3);
        screen.feed(b"0123456789abcdef\r\nend");
        assert_eq!(text(&screen), ["0123456789", "abcdef", "end"]);
        assert!(screen.shown().rows[0].wrapped);
        screen.resize(20, 3);
        assert_eq!(text(&screen), ["0123456789abcdef", "end", ""]);
        screen.resize(0, 0);
        assert_eq!(screen.size(), (1, 1));
    }

    #[test]
    fn colours_are_the_themes_or_xterms() {
        let mut screen = Screen::new(40, 1);
        screen.feed(b"\x1b[31mr\x1b[0m\x1b[38;5;196mx\x1b[38;2;1;2;3mt\x1b[0;7mi\x1b[0m \x1b[1;94mb");
        let shown = screen.shown();
        let inks: Vec<(Ink, Ink)> = shown.rows[0].runs.iter().map(|r| (r.style.ink, r.style.paper)).collect();
        assert_eq!(
            inks,
            [
                (Ink::Palette(1), Ink::Ground),
                (Ink::Rgb(255, 0, 0), Ink::Ground),
                (Ink::Rgb(1, 2, 3), Ink::Ground),
                (Ink::Ground, Ink::Text),
                (Ink::Text, Ink::Ground),
                (Ink::Palette(12), Ink::Ground),
            ]
        );
        assert!(shown.rows[0].runs[5].style.bold);
    }

    #[test]
    fn an_editor_leaves_the_screen_as_it_was() {
        let mut screen = Screen::new(20, 2);
        screen.feed(b"a\r\nb\r\nshell$ ");
        let before = (text(&screen), history(&screen));
        screen.feed(b"\x1b[?1049h\x1b[H~ vi ~\x1b[?1h\x1b[?25l");
        assert_eq!(text(&screen)[0], "~ vi ~");
        assert!(screen.application_cursor_keys());
        assert_eq!(screen.shown().cursor, None);
        assert_eq!(history(&screen), Vec::<String>::new());
        screen.feed(b"\x1b[?1l\x1b[?25h\x1b[?1049l");
        assert_eq!((text(&screen), history(&screen)), before);
        assert!(!screen.application_cursor_keys());
    }

    #[test]
    fn characters_cut_in_two_arrive_whole_and_bad_bytes_show() {
        let mut screen = Screen::new(20, 1);
        let snowman = "ñ☃".as_bytes();
        for byte in snowman {
            screen.feed(&[*byte]);
        }
        screen.feed(b"\xff\x00!\xc3");
        screen.feed(b"(");
        assert_eq!(text(&screen), ["ñ☃\u{fffd}!\u{fffd}("]);
        assert_eq!(screen.shown().rows[0].runs.iter().map(|r| r.cells).collect::<Vec<_>>(), [0, 1, 1, 0, 1, 0]);
    }

    #[test]
    fn wide_characters_take_two_cells() {
        let mut screen = Screen::new(20, 1);
        screen.feed("a💻b".as_bytes());
        let cells: Vec<(String, u8)> =
            screen.shown().rows[0].runs.iter().map(|run| (run.text.clone(), run.cells)).collect();
        assert_eq!(cells, [("a".to_owned(), 0), ("💻".to_owned(), 2), ("b".to_owned(), 0)]);
        assert_eq!(screen.shown().cursor, Some((4, 0)));
    }

    #[test]
    fn bracketed_paste_is_noticed_across_chunks() {
        let mut screen = Screen::new(20, 2);
        for chunk in [&b"x\x1b[?20"[..], b"0", b"4h$ "] {
            screen.feed(chunk);
        }
        assert!(screen.bracketed_paste());
        screen.feed(b"\x1b[?2004l");
        assert!(!screen.bracketed_paste());
        assert_eq!(text(&screen)[0], "x$");
    }

    #[test]
    fn output_is_read_out_once() {
        let mut screen = Screen::new(20, 3);
        screen.feed(b"$ ls\r\na\r\nb\r\n$ ");
        assert_eq!(screen.take_spoken(), "$ ls\na\nb\n");
        screen.feed(b"pwd\r\n/root\r\n$ ");
        assert_eq!(screen.take_spoken(), "$ pwd\n/root\n");
        assert_eq!(screen.take_spoken(), "");
    }

    #[test]
    fn a_fresh_screen_has_a_prompt_at_most() {
        let mut screen = Screen::new(20, 3);
        assert!(screen.is_fresh());
        screen.feed(b"$ docker ps");
        assert!(screen.is_fresh());
        screen.feed(b"\r\nCONTAINER");
        assert!(!screen.is_fresh());
    }

    #[test]
    fn what_the_emulation_let_go_of_is_wrapped_anew_too() {
        let mut screen = Screen::new(10, 3);
        for n in 0..2_000 {
            screen.feed(format!("{n:04}56789abcdef\r\n").as_bytes());
        }
        assert_eq!(history(&screen)[..2], ["000056789a", "bcdef"]);
        screen.resize(20, 3);
        let wide = history(&screen);
        assert_eq!((wide[0].as_str(), wide[1_000].as_str()), ("000056789abcdef", "100056789abcdef"));
        // A line that was half let go of is in two rows.
        assert!((1_998..=1_999).contains(&wide.len()), "{}", wide.len());
        screen.resize(5, 3);
        let narrow = history(&screen);
        assert_eq!(narrow[..4], ["00005", "6789a", "bcdef", "00015"]);
        assert!((5_998..=5_999).contains(&narrow.len()), "{}", narrow.len());
        let mut ids: Vec<u64> =
            screen.shown().history.iter().flat_map(|block| block.rows.iter().map(|row| row.id)).collect();
        let count = ids.len();
        ids.dedup();
        assert_eq!(ids.len(), count);
        assert!(ids.is_sorted());
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_in_any_pieces_draw_the_same(bytes in proptest::collection::vec(0u8..=255, 0..400), cut in 0usize..400) {
            let mut whole = Screen::new(17, 5);
            whole.feed(&bytes);
            let mut pieces = Screen::new(17, 5);
            let (a, b) = bytes.split_at(cut.min(bytes.len()));
            pieces.feed(a);
            pieces.resize(17, 5);
            pieces.feed(b);
            proptest::prop_assert_eq!(text(&whole), text(&pieces));
            whole.resize(5, 2);
            whole.feed(&bytes);
        }
    }
}
