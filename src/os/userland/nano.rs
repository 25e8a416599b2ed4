//! `nano`: a small full-screen editor with nano's everyday keys.

use bstr::{BString, ByteSlice};

use super::pattern::as_text;
use super::program::{Done, Run, run, spec};
use crate::base::errno::Errno;
use crate::base::rope::Rope;
use crate::os::args::{flag, value};
use crate::os::kernel::history::OpenEditor;
use crate::os::kernel::tty::Termios;
use crate::os::kernel::{Disposition, Proc, Signal, TtyId};

spec!(
    SPEC,
    "nano",
    "[OPTIONS] [[+LINE[,COLUMN]] FILE]...",
    [flag('l', "linenumbers"), flag('w', "nowrap"), value('T', "tabsize"), flag('v', "view")]
);

/// Largest file that is edited, in bytes.
const MAX_BYTES: u64 = 8 << 20;
const VERSION: &str = "7.2";

/// `nano`.
pub async fn main(proc: Proc) -> i32 {
    run(proc, &SPEC, |run| Box::pin(body(run))).await
}

/// What the last line but two shows.
#[derive(PartialEq, Eq)]
enum Mode {
    Edit,
    Save { name: String, leaving: bool },
    Leave,
    Search(String),
}

struct Editor {
    name: String,
    lines: Vec<Vec<char>>,
    row: usize,
    col: usize,
    top: usize,
    changed: bool,
    cut: Vec<Vec<char>>,
    /// Whether the last key cut a line, so that the next one is added to it.
    cutting: bool,
    sought: String,
    status: String,
    mode: Mode,
    written: OpenEditor,
}

async fn body(run: &mut Run) -> Done {
    let Some(id) = run.proc.tty_of(1).filter(|_| run.proc.tty_of(0).is_some()) else {
        run.proc.eprint("Standard input is not a terminal\n").await;
        return Ok(1);
    };
    let name = run.args.operands.iter().find(|w| !w.starts_with(b"+")).cloned().unwrap_or_default();
    let read = if name.is_empty() { Err(Errno::ENOENT) } else { run.proc.read_file(&name).await };
    let (text, status) = match read {
        Ok(content) if content.len() > MAX_BYTES => {
            run.proc.eprint(format!("nano: {name}: {}\n", Errno::EFBIG.strerror())).await;
            return Ok(1);
        }
        Ok(content) => {
            let text = as_text(&content.to_vec());
            let count = text.lines().count();
            (text, format!("Read {count} line{}", if count == 1 { "" } else { "s" }))
        }
        Err(Errno::ENOENT) if name.is_empty() => (String::new(), String::new()),
        Err(Errno::ENOENT) => (String::new(), "New File".to_owned()),
        Err(Errno::EISDIR) => (String::new(), format!("\"{name}\" is a directory")),
        Err(error) => (String::new(), format!("Error reading {name}: {}", error.strerror())),
    };
    let mut lines: Vec<Vec<char>> = text.lines().map(|l| l.chars().collect()).collect();
    lines.push(Vec::new());
    let mut editor = Editor {
        name: super::program::text(&name),
        lines,
        row: 0,
        col: 0,
        top: 0,
        changed: false,
        cut: Vec::new(),
        cutting: false,
        sought: String::new(),
        status,
        mode: Mode::Edit,
        written: run.proc.open_editor(),
    };
    super::edit::tell(run, &name);
    let before = run.proc.termios(id);
    run.proc.set_termios(id, Termios::RAW);
    run.proc.on_signal(Signal::WINCH, Disposition::Handle);
    let done = edit(run, id, &mut editor).await;
    run.put("\x1b[?1049l").await?;
    run.flush().await?;
    run.proc.set_termios(id, before);
    run.proc.close_editor(editor.written);
    done.map(|()| 0)
}

async fn edit(run: &mut Run, id: TtyId, editor: &mut Editor) -> Result<(), Errno> {
    run.put("\x1b[?1049h").await?;
    let mut pending: Vec<u8> = Vec::new();
    loop {
        let size = run.proc.win_size(id);
        let (rows, cols) = (usize::from(size.rows), usize::from(size.cols));
        let screen = editor.draw(rows, cols);
        run.put(screen).await?;
        run.flush().await?;
        match run.proc.read(0, 4096).await {
            Ok(keys) if keys.is_empty() => return Ok(()),
            Ok(keys) => pending.extend_from_slice(&keys.to_vec()),
            Err(Errno::EINTR) => {
                run.proc.take_signal();
                continue;
            }
            Err(error) => return Err(error),
        }
        while let Some(len) = key_len(&pending) {
            run.proc.tick().await;
            let key: Vec<u8> = pending.drain(..len).collect();
            if editor.key(run, &key, rows.saturating_sub(4).max(1)).await {
                return Ok(());
            }
        }
    }
}

/// The bytes of the first key; `None` when it is not whole.
pub fn key_len(bytes: &[u8]) -> Option<usize> {
    match bytes {
        [] => None,
        [0x1b, b'[' | b'O', rest @ ..] => match rest.iter().position(|b| (0x40..=0x7e).contains(b)) {
            Some(at) => Some(at + 3),
            None => Some(bytes.len()),
        },
        [0x1b, _, ..] => Some(2),
        [first, ..] if *first >= 0xc0 => {
            let want = if *first >= 0xf0 {
                4
            } else if *first >= 0xe0 {
                3
            } else {
                2
            };
            (bytes.len() >= want).then_some(want)
        }
        _ => Some(1),
    }
}

impl Editor {
    fn line(&mut self) -> &mut Vec<char> {
        if self.row >= self.lines.len() {
            self.lines.push(Vec::new());
            self.row = self.lines.len() - 1;
        }
        // The row exists: it was made above when it was missing.
        let row = self.row;
        &mut self.lines[row]
    }

    fn draw(&mut self, rows: usize, cols: usize) -> Vec<u8> {
        let body = rows.saturating_sub(4).max(1);
        if self.row < self.top || self.row >= self.top + body {
            self.top = self.row.saturating_sub(body / 2);
        }
        let shown = if self.name.is_empty() { "New Buffer" } else { &self.name };
        let mark = if self.changed { "*" } else { " " };
        let left = format!("  GNU nano {VERSION}");
        let middle = cols.saturating_sub(shown.chars().count()) / 2;
        let title = format!("{left:<middle$}{shown}{mark}");
        let mut out =
            format!("\x1b[?25l\x1b[H\x1b[2J\x1b[7m{:<cols$}\x1b[0m\r\n", title.chars().take(cols).collect::<String>());
        let shift = (self.col + 2).saturating_sub(cols);
        for index in self.top..self.top + body {
            if let Some(line) = self.lines.get(index) {
                let skip = if index == self.row { shift } else { 0 };
                out.extend(
                    line.iter().skip(skip).take(cols).map(|c| if *c == '\t' || c.is_control() { ' ' } else { *c }),
                );
            }
            out.push_str("\r\n");
        }
        let prompt = match &self.mode {
            Mode::Edit if self.status.is_empty() => String::new(),
            Mode::Edit => {
                let text = format!("[ {} ]", self.status);
                let gap = cols.saturating_sub(text.chars().count()) / 2;
                format!("{}\x1b[7m{text}\x1b[0m", " ".repeat(gap))
            }
            Mode::Save { name, .. } => format!("\x1b[7m{:<cols$}\x1b[0m", format!("File Name to Write: {name}")),
            Mode::Leave => format!("\x1b[7m{:<cols$}\x1b[0m", "Save modified buffer? "),
            Mode::Search(text) => format!("\x1b[7m{:<cols$}\x1b[0m", format!("Search: {text}")),
        };
        out.push_str(&prompt);
        out.push_str("\r\n");
        let (first, second): (&[(&str, &str)], &[(&str, &str)]) = match self.mode {
            Mode::Edit => (
                &[("^G", "Help"), ("^O", "Write Out"), ("^W", "Where Is"), ("^K", "Cut"), ("^C", "Location")],
                &[("^X", "Exit"), ("^A", "Home"), ("^E", "End"), ("^U", "Paste"), ("^V", "Next Page")],
            ),
            Mode::Leave => (&[(" Y", "Yes")], &[(" N", "No"), ("^C", "Cancel")]),
            _ => (&[("^M", "Enter")], &[("^C", "Cancel")]),
        };
        let width = (cols / 5).max(8);
        let bar = |keys: &[(&str, &str)]| -> String {
            let fits = keys.iter().take((cols / width).max(1));
            fits.map(|(key, what)| format!("\x1b[7m{key}\x1b[0m {:<w$}", what, w = width.saturating_sub(3))).collect()
        };
        out.push_str(&format!("{}\r\n{}", bar(first), bar(second)));
        let (row, col) = match &self.mode {
            Mode::Edit => (self.row - self.top + 2, self.col - shift.min(self.col) + 1),
            Mode::Save { name, .. } => (body + 2, 21 + name.chars().count()),
            Mode::Leave => (body + 2, 23),
            Mode::Search(text) => (body + 2, 9 + text.chars().count()),
        };
        out.push_str(&format!("\x1b[{row};{col}H\x1b[?25h"));
        out.into_bytes()
    }

    /// Does what a key says; tells whether the editor ends.
    async fn key(&mut self, run: &Run, key: &[u8], page: usize) -> bool {
        match std::mem::replace(&mut self.mode, Mode::Edit) {
            Mode::Edit => return self.edit_key(key, page),
            Mode::Leave => match key {
                b"y" | b"Y" => self.mode = Mode::Save { name: self.name.clone(), leaving: true },
                b"n" | b"N" => return true,
                b"\x03" => self.status = "Cancelled".to_owned(),
                _ => self.mode = Mode::Leave,
            },
            Mode::Save { mut name, leaving } => match key {
                b"\r" | b"\n" if !name.is_empty() => return self.save(run, name).await && leaving,
                b"\x03" | b"\r" | b"\n" => self.status = "Cancelled".to_owned(),
                other => {
                    type_into(&mut name, other);
                    self.mode = Mode::Save { name, leaving };
                }
            },
            Mode::Search(mut text) => match key {
                b"\r" | b"\n" => {
                    if !text.is_empty() {
                        self.sought = text;
                    }
                    self.search();
                }
                b"\x03" => self.status = "Cancelled".to_owned(),
                other => {
                    type_into(&mut text, other);
                    self.mode = Mode::Search(text);
                }
            },
        }
        false
    }

    fn search(&mut self) {
        let needle = self.sought.to_lowercase();
        let count = self.lines.len();
        for step in 0..=count {
            let row = (self.row + step) % count.max(1);
            let from = if step == 0 { self.col + 1 } else { 0 };
            let Some(line) = self.lines.get(row) else { continue };
            let tail: String = line.iter().skip(from).collect::<String>().to_lowercase();
            if let Some(at) = tail.find(&needle) {
                let before = tail.get(..at).map_or(0, |t| t.chars().count());
                (self.row, self.col) = (row, from + before);
                return;
            }
        }
        self.status = format!("\"{}\" not found", self.sought);
    }

    async fn save(&mut self, run: &Run, name: String) -> bool {
        let mut lines: Vec<String> = self.lines.iter().map(|l| l.iter().collect()).collect();
        if lines.last().is_some_and(String::is_empty) {
            lines.pop();
        }
        let text: String = lines.iter().map(|l| format!("{l}\n")).collect();
        let content = Rope::from(text.as_str());
        match run.proc.write_file(name.as_bytes(), &content).await {
            Ok(()) => {
                self.written.wrote(&run.proc, name.as_bytes(), content);
                self.status = format!("Wrote {} line{}", lines.len(), if lines.len() == 1 { "" } else { "s" });
                (self.name, self.changed) = (name, false);
                true
            }
            Err(error) => {
                self.status = format!("Error writing {name}: {}", error.strerror());
                false
            }
        }
    }

    fn edit_key(&mut self, key: &[u8], page: usize) -> bool {
        self.status.clear();
        let was_cutting = std::mem::take(&mut self.cutting);
        let width = self.line().len();
        self.col = self.col.min(width);
        match key {
            b"\x18" if self.changed => self.mode = Mode::Leave,
            b"\x18" => return true,
            b"\x0f" | b"\x13" => self.mode = Mode::Save { name: self.name.clone(), leaving: false },
            b"\x17" => self.mode = Mode::Search(String::new()),
            b"\x03" => {
                let percent = (self.row + 1) * 100 / self.lines.len().max(1);
                self.status = format!(
                    "line {}/{} ({percent}%), col {}/{}",
                    self.row + 1,
                    self.lines.len(),
                    self.col + 1,
                    width + 1
                );
            }
            b"\x1b[A" | b"\x1bOA" | b"\x10" => self.row = self.row.saturating_sub(1),
            b"\x1b[B" | b"\x1bOB" | b"\x0e" => self.row = (self.row + 1).min(self.lines.len().saturating_sub(1)),
            b"\x1b[C" | b"\x1bOC" | b"\x06" => {
                if self.col < width {
                    self.col += 1;
                } else if self.row + 1 < self.lines.len() {
                    (self.row, self.col) = (self.row + 1, 0);
                }
            }
            b"\x1b[D" | b"\x1bOD" | b"\x02" => {
                if self.col > 0 {
                    self.col -= 1;
                } else if self.row > 0 {
                    self.row -= 1;
                    self.col = self.line().len();
                }
            }
            b"\x1b[H" | b"\x1bOH" | b"\x1b[1~" | b"\x01" => self.col = 0,
            b"\x1b[F" | b"\x1bOF" | b"\x1b[4~" | b"\x05" => self.col = width,
            b"\x1b[5~" | b"\x19" => self.row = self.row.saturating_sub(page),
            b"\x1b[6~" | b"\x16" => self.row = (self.row + page).min(self.lines.len().saturating_sub(1)),
            b"\x0b" => {
                if !was_cutting {
                    self.cut.clear();
                }
                if self.row < self.lines.len() {
                    let line = self.lines.remove(self.row);
                    self.cut.push(line);
                    self.changed = true;
                }
                if self.lines.is_empty() {
                    self.lines.push(Vec::new());
                }
                (self.row, self.col, self.cutting) = (self.row.min(self.lines.len() - 1), 0, true);
            }
            b"\x15" => {
                for line in self.cut.clone() {
                    self.lines.insert(self.row, line);
                    self.row += 1;
                    self.changed = true;
                }
            }
            b"\r" | b"\n" => {
                let at = self.col;
                let tail = self.line().split_off(at);
                self.lines.insert(self.row + 1, tail);
                (self.row, self.col, self.changed) = (self.row + 1, 0, true);
            }
            b"\x7f" | b"\x08" => self.rub_out(),
            b"\x1b[3~" | b"\x04" => {
                if self.col < width {
                    let at = self.col;
                    self.line().remove(at);
                    self.changed = true;
                } else if self.row + 1 < self.lines.len() {
                    let next = self.lines.remove(self.row + 1);
                    self.line().extend(next);
                    self.changed = true;
                }
            }
            b"\x07" => self.status = "The help text is not simulated".to_owned(),
            other => {
                let typed: Vec<char> = other.to_str_lossy().chars().filter(|c| !c.is_control() || *c == '\t').collect();
                for c in typed.into_iter().filter(|_| !other.starts_with(b"\x1b")) {
                    let at = self.col;
                    self.line().insert(at, c);
                    self.col += 1;
                    self.changed = true;
                }
            }
        }
        let width = self.line().len();
        self.col = self.col.min(width);
        false
    }

    fn rub_out(&mut self) {
        if self.col > 0 {
            self.col -= 1;
            let at = self.col;
            self.line().remove(at);
            self.changed = true;
        } else if self.row > 0 {
            let line = self.lines.remove(self.row);
            self.row -= 1;
            self.col = self.line().len();
            self.line().extend(line);
            self.changed = true;
        }
    }
}

fn type_into(text: &mut String, key: &[u8]) {
    match key {
        b"\x7f" | b"\x08" => drop(text.pop()),
        other if !other.starts_with(b"\x1b") => {
            text.extend(BString::from(other).to_str_lossy().chars().filter(|c| !c.is_control()))
        }
        _ => {}
    }
}
