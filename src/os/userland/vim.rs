//! `vi` and `vim`: a small modal editor with the everyday keys.
//!
//! Normal mode knows `hjkl w b 0 ^ $ gg G i a I A o O x dd D yy p u J r / n ZZ` with counts; the command line knows
//! `:w :q :wq :x :q! :w! :N :s` and `:set`. What it does not know it says, as vim does.

use bstr::ByteSlice;

use super::nano::key_len;
use super::pattern::as_text;
use super::program::{Done, Run, run, spec};
use crate::base::errno::Errno;
use crate::base::rope::Rope;
use crate::os::args::flag;
use crate::os::kernel::tty::Termios;
use crate::os::kernel::{Disposition, Proc, Signal};

spec!(SPEC, "vim", "[arguments] [file ..]", [flag('R', ""), flag('n', ""), flag('e', ""), flag('y', "")]);

/// Largest file that is edited, in bytes.
const MAX_BYTES: u64 = 8 << 20;
/// States that `u` goes back to.
const MAX_UNDO: usize = 100;

type Text = Vec<Vec<char>>;

struct Editor {
    name: String,
    lines: Text,
    row: usize,
    col: usize,
    top: usize,
    saved: Text,
    undo: Vec<(Text, usize)>,
    yanked: Text,
    /// Keys of a command that is not whole yet.
    keys: String,
    inserting: bool,
    /// What is typed after `:` or `/`, with that character.
    prompt: Option<String>,
    sought: String,
    status: String,
    /// A file to be written before the next key, and whether to leave then.
    write: Option<(String, bool)>,
    leave: bool,
}

/// `vim`.
pub async fn main(proc: Proc) -> i32 {
    run(proc, &SPEC, |run| Box::pin(body(run))).await
}

async fn body(run: &mut Run) -> Done {
    let Some(id) = run.proc.tty_of(1).filter(|_| run.proc.tty_of(0).is_some()) else {
        run.proc.eprint("Vim: Warning: Output is not to a terminal\n").await;
        return Ok(1);
    };
    let name = run.args.operands.iter().find(|w| !w.starts_with(b"+")).map(|w| super::program::text(w));
    let name = name.unwrap_or_default();
    let read = if name.is_empty() { Ok(Rope::new()) } else { run.proc.read_file(name.as_bytes()).await };
    let (text, status) = match read {
        Ok(rope) if rope.len() <= MAX_BYTES => {
            let text = as_text(&rope.to_vec());
            let status = format!("\"{name}\" {}L, {}B", text.lines().count(), rope.len());
            (text, if name.is_empty() { String::new() } else { status })
        }
        Ok(_) => (String::new(), format!("\"{name}\" {}", Errno::EFBIG.strerror())),
        Err(Errno::ENOENT) => (String::new(), format!("\"{name}\" [New]")),
        Err(Errno::EISDIR) => (String::new(), format!("\"{name}\" is a directory")),
        Err(_) => (String::new(), format!("\"{name}\" [Permission Denied]")),
    };
    let mut lines: Text = text.lines().map(|line| line.chars().collect()).collect();
    if lines.is_empty() {
        lines.push(Vec::new());
    }
    let mut e = Editor {
        name,
        saved: lines.clone(),
        lines,
        row: 0,
        col: 0,
        top: 0,
        undo: Vec::new(),
        yanked: Vec::new(),
        keys: String::new(),
        inserting: false,
        prompt: None,
        sought: String::new(),
        status,
        write: None,
        leave: false,
    };
    let mut written = run.proc.open_editor();
    super::edit::tell(run, e.name.as_bytes());
    let before = run.proc.termios(id);
    run.proc.set_termios(id, Termios::RAW);
    run.proc.on_signal(Signal::WINCH, Disposition::Handle);
    run.put("\x1b[?1049h").await?;
    let mut pending: Vec<u8> = Vec::new();
    while !e.leave {
        let size = run.proc.win_size(id);
        run.put(e.draw(usize::from(size.rows).max(2), usize::from(size.cols))).await?;
        run.flush().await?;
        match run.proc.read(0, 4096).await {
            Ok(keys) if keys.is_empty() => break,
            Ok(keys) => pending.extend_from_slice(&keys.to_vec()),
            Err(Errno::EINTR) => drop(run.proc.take_signal()),
            Err(_) => break,
        }
        while !e.leave {
            // Escape followed by a letter is two keys here; only the arrows are one.
            let len = match pending.as_slice() {
                [0x1b, b'[' | b'O', ..] => key_len(&pending),
                [0x1b, ..] => Some(1),
                _ => key_len(&pending),
            };
            let Some(len) = len else { break };
            run.proc.tick().await;
            let key: Vec<u8> = pending.drain(..len).collect();
            e.key(&key);
            if let Some((name, leave)) = e.write.take() {
                let text: String = e.lines.iter().flat_map(|line| line.iter().chain(&['\n'])).collect();
                let content = Rope::from(text.as_str());
                match run.proc.write_file(name.as_bytes(), &content).await {
                    Ok(()) => {
                        written.wrote(&run.proc, name.as_bytes(), content);
                        e.status = format!("\"{name}\" {}L, {}B written", e.lines.len(), text.len());
                        e.saved = e.lines.clone();
                        e.leave = leave;
                        if e.name.is_empty() {
                            e.name = name;
                        }
                    }
                    Err(Errno::EACCES) => e.status = "E212: Can't open file for writing".to_owned(),
                    Err(error) => e.status = format!("E514: Write error ({})", error.strerror()),
                }
            }
        }
    }
    run.put("\x1b[?1049l").await?;
    run.flush().await?;
    run.proc.set_termios(id, before);
    run.proc.close_editor(written);
    Ok(0)
}

impl Editor {
    fn line(&mut self) -> &mut Vec<char> {
        if self.lines.is_empty() {
            self.lines.push(Vec::new());
        }
        self.row = self.row.min(self.lines.len() - 1);
        let row = self.row;
        &mut self.lines[row]
    }

    fn draw(&mut self, rows: usize, cols: usize) -> String {
        let body = rows - 1;
        if self.row < self.top {
            self.top = self.row;
        } else if self.row >= self.top + body {
            self.top = self.row + 1 - body;
        }
        let mut out = String::from("\x1b[?25l\x1b[H\x1b[2J");
        let shift = (self.col + 1).saturating_sub(cols);
        for index in self.top..self.top + body {
            match self.lines.get(index) {
                Some(line) => {
                    let skip = if index == self.row { shift } else { 0 };
                    out.extend(line.iter().skip(skip).take(cols).map(|c| if c.is_control() { ' ' } else { *c }));
                }
                None => out.push_str("\x1b[94m~\x1b[0m"),
            }
            out.push_str("\r\n");
        }
        let last = match &self.prompt {
            Some(prompt) => prompt.clone(),
            None if self.inserting => "\x1b[1m-- INSERT --\x1b[0m".to_owned(),
            None => self.status.chars().take(cols).collect(),
        };
        let at = match &self.prompt {
            Some(prompt) => (rows, prompt.chars().count() + 1),
            None => (self.row - self.top + 1, self.col - shift + 1),
        };
        out + &format!("{last}\x1b[{};{}H\x1b[?25h", at.0, at.1)
    }

    fn key(&mut self, key: &[u8]) {
        let text = key.to_str_lossy().into_owned();
        if let Some(mut prompt) = self.prompt.take() {
            match key {
                b"\r" | b"\n" => self.command(&prompt),
                b"\x1b" | b"\x03" => {}
                b"\x7f" | b"\x08" => {
                    prompt.pop();
                    self.prompt = Some(prompt).filter(|p| !p.is_empty());
                }
                _ if key.starts_with(b"\x1b") => self.prompt = Some(prompt),
                _ => self.prompt = Some(prompt + &text),
            }
            return;
        }
        let arrow = match key {
            b"\x1b[A" | b"\x1bOA" => Some('k'),
            b"\x1b[B" | b"\x1bOB" => Some('j'),
            b"\x1b[C" | b"\x1bOC" => Some('l'),
            b"\x1b[D" | b"\x1bOD" => Some('h'),
            b"\x1b[H" | b"\x1bOH" | b"\x1b[1~" => Some('0'),
            b"\x1b[F" | b"\x1bOF" | b"\x1b[4~" => Some('$'),
            b"\x1b[3~" if !self.inserting => Some('x'),
            _ => None,
        };
        match (arrow, self.inserting) {
            (Some(arrow), _) => self.motion(arrow, 1),
            (None, true) => self.insert(key, &text),
            (None, false) if key == b"\x1b" || key == b"\x03" => self.keys.clear(),
            (None, false) if key.starts_with(b"\x1b") => {}
            (None, false) => {
                self.keys.push_str(if key == b"\r" { "j" } else { &text });
                self.normal();
            }
        }
        let inserting = self.inserting;
        let width = self.line().len();
        self.col = self.col.min(if inserting { width } else { width.saturating_sub(1) });
    }

    fn remember(&mut self) {
        if self.undo.len() >= MAX_UNDO {
            self.undo.remove(0);
        }
        self.undo.push((self.lines.clone(), self.row));
    }

    fn insert(&mut self, key: &[u8], text: &str) {
        let col = self.col.min(self.line().len());
        match key {
            b"\x1b" | b"\x03" => {
                self.inserting = false;
                self.col = col.saturating_sub(1);
            }
            b"\r" | b"\n" => {
                let tail = self.line().split_off(col);
                self.lines.insert(self.row + 1, tail);
                (self.row, self.col) = (self.row + 1, 0);
            }
            b"\x7f" | b"\x08" if col > 0 => {
                self.line().remove(col - 1);
                self.col = col - 1;
            }
            b"\x7f" | b"\x08" if self.row > 0 => {
                let line = self.lines.remove(self.row);
                self.row -= 1;
                self.col = self.line().len();
                self.line().extend(line);
            }
            b"\x1b[3~" if col < self.line().len() => drop(self.line().remove(col)),
            _ if key.starts_with(b"\x1b") => {}
            _ => {
                for c in text.chars().filter(|c| !c.is_control() || *c == '\t') {
                    let at = self.col;
                    self.line().insert(at, c);
                    self.col += 1;
                }
            }
        }
    }

    fn motion(&mut self, motion: char, count: usize) {
        let is_word = |c: &char| c.is_alphanumeric() || *c == '_';
        for _ in 0..count.min(100_000) {
            let line = self.line().clone();
            let class =
                |at: usize| line.get(at).map_or(0, |c| if c.is_whitespace() { 0 } else { 1 + u8::from(is_word(c)) });
            match motion {
                'h' => self.col = self.col.saturating_sub(1),
                'l' => self.col += 1,
                'k' => self.row = self.row.saturating_sub(1),
                'j' => self.row = (self.row + 1).min(self.lines.len() - 1),
                '0' => self.col = 0,
                '^' => self.col = line.iter().position(|c| !c.is_whitespace()).unwrap_or(0),
                '$' => self.col = line.len(),
                'w' => {
                    let start = class(self.col);
                    while self.col < line.len() && class(self.col) == start && start != 0 {
                        self.col += 1;
                    }
                    while self.col < line.len() && class(self.col) == 0 {
                        self.col += 1;
                    }
                    if self.col >= line.len() && self.row + 1 < self.lines.len() {
                        (self.row, self.col) = (self.row + 1, 0);
                    }
                }
                _ => {
                    while self.col > 0 && class(self.col - 1) == 0 {
                        self.col -= 1;
                    }
                    let start = class(self.col.saturating_sub(1));
                    while self.col > 0 && class(self.col - 1) == start {
                        self.col -= 1;
                    }
                }
            }
        }
    }

    /// Does the command in `keys` once it is whole.
    fn normal(&mut self) {
        let keys = self.keys.clone();
        let digits: String = keys.chars().take_while(char::is_ascii_digit).collect();
        let digits = if digits.starts_with('0') { "" } else { digits.as_str() };
        let command = keys.strip_prefix(digits).unwrap_or_default();
        let count: usize = digits.parse().unwrap_or(1);
        if command.is_empty() || matches!(command, "d" | "g" | "y" | "r" | "Z" | "c") {
            return;
        }
        self.keys.clear();
        self.status.clear();
        let last = self.lines.len() - 1;
        let first = command.chars().next().unwrap_or_default();
        if "hjklwb0^$".contains(first) {
            return self.motion(first, count);
        }
        match command {
            ":" | "/" => self.prompt = Some(command.to_owned()),
            "n" => self.search(),
            "gg" => self.row = if digits.is_empty() { 0 } else { (count - 1).min(last) },
            "G" => self.row = if digits.is_empty() { last } else { (count - 1).min(last) },
            "ZZ" => self.command(":x"),
            "\x06" => self.row = (self.row + 20).min(last),
            "\x02" => self.row = self.row.saturating_sub(20),
            "yy" => self.yanked = self.lines.iter().skip(self.row).take(count).cloned().collect(),
            "u" => match self.undo.pop() {
                Some((lines, row)) => (self.lines, self.row) = (lines, row),
                None => self.status = "Already at oldest change".to_owned(),
            },
            _ => {
                self.remember();
                self.change(command, count);
            }
        }
    }

    fn change(&mut self, command: &str, count: usize) {
        let width = self.line().len();
        let col = self.col.min(width);
        match command {
            "i" => self.inserting = true,
            "a" => (self.inserting, self.col) = (true, (col + 1).min(width)),
            "A" => (self.inserting, self.col) = (true, width),
            "I" => {
                self.motion('^', 1);
                self.inserting = true;
            }
            "o" | "O" => {
                self.row += usize::from(command == "o");
                self.lines.insert(self.row, Vec::new());
                (self.inserting, self.col) = (true, 0);
            }
            "x" => drop(self.line().drain(col..(col + count).min(width))),
            "D" => self.line().truncate(col),
            "C" => {
                self.line().truncate(col);
                self.inserting = true;
            }
            "dd" => {
                let end = (self.row + count).min(self.lines.len());
                self.yanked = self.lines.drain(self.row..end).collect();
                self.line();
                self.col = 0;
            }
            "cc" => {
                self.line().clear();
                (self.inserting, self.col) = (true, 0);
            }
            "dw" | "cw" => {
                self.motion('w', count);
                let end = if self.col > col { self.col } else { width };
                self.col = col;
                self.line().drain(col..end.min(width));
                self.inserting = command == "cw";
            }
            "p" | "P" => {
                let at = if command == "p" { self.row + 1 } else { self.row };
                let yanked = self.yanked.clone();
                self.lines.splice(at..at, yanked);
                self.row = at.min(self.lines.len() - 1);
            }
            "J" if self.row + 1 < self.lines.len() => {
                let next = self.lines.remove(self.row + 1);
                self.line().push(' ');
                self.line().extend(next.into_iter().skip_while(|c| c.is_whitespace()));
            }
            _ => {
                if let Some(c) = command.strip_prefix('r').and_then(|rest| rest.chars().next())
                    && let Some(place) = self.line().get_mut(col)
                {
                    *place = c;
                    return;
                }
                // Nothing was changed.
                self.undo.pop();
            }
        }
    }

    fn search(&mut self) {
        let count = self.lines.len();
        for step in 0..=count {
            let row = (self.row + step) % count;
            let from = if step == 0 { self.col + 1 } else { 0 };
            let tail: String = self.lines.get(row).into_iter().flatten().skip(from).collect();
            if let Some((before, _)) = tail.split_once(&self.sought) {
                (self.row, self.col) = (row, from + before.chars().count());
                return;
            }
        }
        self.status = format!("E486: Pattern not found: {}", self.sought);
    }

    fn command(&mut self, typed: &str) {
        if let Some(sought) = typed.strip_prefix('/') {
            if !sought.is_empty() {
                self.sought = sought.to_owned();
            }
            return self.search();
        }
        let typed = typed.trim_start_matches(':').trim();
        let (verb, name) = typed.split_once(' ').unwrap_or((typed, ""));
        let name = if name.is_empty() { self.name.clone() } else { name.to_owned() };
        let changed = self.lines != self.saved;
        match verb {
            "w" | "w!" | "wq" | "wq!" | "x" | "x!" if name.is_empty() => self.status = "E32: No file name".to_owned(),
            "x" if !changed => self.leave = true,
            "w" | "w!" => self.write = Some((name, false)),
            "wq" | "wq!" | "x" | "x!" => self.write = Some((name, true)),
            "q" if changed => {
                self.status = "E37: No write since last change (add ! to override)".to_owned();
            }
            "q" | "q!" | "qa" | "qa!" => self.leave = true,
            "" | "set" | "syntax" | "noh" => {}
            "$" => self.row = self.lines.len() - 1,
            _ => match (typed.parse::<usize>(), self.substitute(typed)) {
                (Ok(line), _) => self.row = line.saturating_sub(1).min(self.lines.len() - 1),
                (_, true) => {}
                _ => self.status = format!("E492: Not an editor command: {typed}"),
            },
        }
    }

    /// `s/old/new/g` and `%s/old/new/g` with plain texts.
    fn substitute(&mut self, typed: &str) -> bool {
        let (all, rest) = typed.strip_prefix('%').map_or((false, typed), |rest| (true, rest));
        let Some(rest) = rest.strip_prefix("s/") else { return false };
        let mut parts = rest.split('/');
        let (old, new) = (parts.next().unwrap_or_default().to_owned(), parts.next().unwrap_or_default().to_owned());
        let every = parts.next() == Some("g");
        self.remember();
        let here = self.row;
        for (row, line) in self.lines.iter_mut().enumerate().filter(|(row, _)| all || *row == here) {
            let text: String = line.iter().collect();
            if text.contains(&old) && !old.is_empty() {
                *line = text.replacen(&old, &new, if every { usize::MAX } else { 1 }).chars().collect();
                self.row = row;
            }
        }
        true
    }
}
