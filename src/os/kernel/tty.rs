//! Terminals with Linux's line discipline (n_tty): echo, erase, signals, end of file, raw mode.
//!
//! The master side is the page, a real terminal, or a process (`docker run -t`); the slave side is `/dev/tty`.

use std::collections::VecDeque;
use std::rc::Rc;

use bstr::ByteSlice;

use super::signal::Signal;
use super::wait::{RunQueue, Waiters};

/// A terminal of the machine; its number in `/dev/pts` is [`super::Kernel::pts_number`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct TtyId(pub u32);

/// Unread input beyond this is dropped, as a real terminal's is.
const MAX_INPUT: usize = 4 << 20;
/// Unread output beyond this makes writers wait.
const MAX_OUTPUT: usize = 256 << 10;

/// The settings that programs change (`termios`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Termios {
    /// Lines are edited here and handed over whole (`ICANON`).
    pub canonical: bool,
    /// What is typed is shown (`ECHO`).
    pub echo: bool,
    /// Ctrl-C, Ctrl-Z and Ctrl-\ send signals (`ISIG`).
    pub signals: bool,
    /// Return is read as newline (`ICRNL`).
    pub cr_to_nl: bool,
    /// Newline is written as return and newline (`OPOST`, `ONLCR`).
    pub nl_to_crnl: bool,
}

impl Termios {
    /// A fresh terminal's settings.
    pub const COOKED: Self = Self { canonical: true, echo: true, signals: true, cr_to_nl: true, nl_to_crnl: true };
    /// Every key goes through as it is (`cfmakeraw`).
    pub const RAW: Self = Self { canonical: false, echo: false, signals: false, cr_to_nl: false, nl_to_crnl: false };
}

/// Columns and rows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WinSize {
    /// Columns.
    pub cols: u16,
    /// Rows.
    pub rows: u16,
}

pub(super) struct Tty {
    pub termios: Termios,
    pub size: WinSize,
    /// The process group that gets signals and may read.
    pub foreground: u32,
    pub session: u32,
    /// Input that can be read.
    input: VecDeque<u8>,
    /// Ends of lines in `input`, counted: a canonical read waits for one.
    lines: usize,
    /// Behind the last line in `input` there may be the beginning of one, typed while keys went through raw.
    has_tail: bool,
    /// A line that is still being typed.
    line: Vec<u8>,
    /// Ctrl-D was typed at the start of a line.
    end_of_file: bool,
    output: Vec<u8>,
    /// No master is left: reads end, writes fail.
    pub hung_up: bool,
    /// The master is outside of the machine. It is never waited for, as when it takes output is not in the journal;
    /// writing takes time instead.
    pub is_console: bool,
    /// Whose `/dev/pts` it is in: see [`super::pts`].
    pub instance: String,
    /// Its number there.
    pub number: u32,
    /// The user of its first session.
    pub owner: u32,
    pub can_read: Waiters,
    pub can_write: Waiters,
    /// Whoever reads the master side.
    pub master: Waiters,
}

/// A signal that typing caused.
pub(super) type Caused = Option<Signal>;

impl Tty {
    pub fn new(queue: &Rc<RunQueue>, size: WinSize) -> Self {
        Self {
            termios: Termios::COOKED,
            size,
            foreground: 0,
            session: 0,
            input: VecDeque::new(),
            lines: 0,
            has_tail: false,
            line: Vec::new(),
            end_of_file: false,
            output: Vec::new(),
            hung_up: false,
            is_console: false,
            instance: String::new(),
            number: 0,
            owner: 0,
            can_read: Waiters::new(queue),
            can_write: Waiters::new(queue),
            master: Waiters::new(queue),
        }
    }

    /// Takes one typed byte. A signal is for the foreground group.
    pub fn typed(&mut self, byte: u8) -> Caused {
        let termios = self.termios;
        let byte = if byte == b'\r' && termios.cr_to_nl { b'\n' } else { byte };
        if termios.signals {
            let signal = match byte {
                3 => Some(Signal::INT),
                28 => Some(Signal::QUIT),
                26 => Some(Signal::TSTP),
                _ => None,
            };
            if signal.is_some() {
                self.line.clear();
                self.input.clear();
                self.lines = 0;
                self.has_tail = false;
                self.echo(byte);
                return signal;
            }
        }
        if !termios.canonical {
            if self.input.len() < MAX_INPUT {
                self.lines += usize::from(ends_line(byte));
                self.input.push_back(byte);
            }
            self.echo(byte);
            self.can_read.wake();
            return None;
        }
        self.take_tail();
        match byte {
            0x7f | 8 => self.erase_character(),
            21 => {
                while !self.line.is_empty() {
                    self.erase_character();
                }
            }
            23 => {
                while self.line.last().is_some_and(|b| *b == b' ') {
                    self.erase_character();
                }
                while self.line.last().is_some_and(|b| *b != b' ') {
                    self.erase_character();
                }
            }
            4 => {
                if self.line.is_empty() {
                    self.end_of_file = true;
                } else {
                    self.hand_over();
                }
                self.can_read.wake();
            }
            b'\n' => {
                self.line.push(b'\n');
                self.echo(b'\n');
                self.hand_over();
                self.can_read.wake();
            }
            _ => {
                if self.input.len() + self.line.len() < MAX_INPUT {
                    self.line.push(byte);
                    self.echo(byte);
                }
            }
        }
        None
    }

    fn hand_over(&mut self) {
        self.input.extend(self.line.drain(..));
        self.lines += 1;
    }

    fn erase_character(&mut self) {
        let Some((last, _)) = self.line.char_indices().map(|(at, _, c)| (at, c)).next_back() else { return };
        let erased = self.line.split_off(last);
        if self.termios.echo {
            let columns = if erased.len() == 1 && erased.first().is_some_and(|b| *b < 32) { 2 } else { 1 };
            for _ in 0..columns {
                self.write(b"\x08 \x08");
            }
        }
    }

    fn echo(&mut self, byte: u8) {
        if !self.termios.echo {
            return;
        }
        match byte {
            b'\n' | b'\t' | 32..=126 | 128.. => self.write(&[byte]),
            // Control characters are shown as ^X.
            _ => self.write(&[b'^', byte ^ 64]),
        }
    }

    /// Takes program output.
    pub fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if *byte == b'\n' && self.termios.nl_to_crnl {
                self.output.push(b'\r');
            }
            self.output.push(*byte);
        }
        self.master.wake();
    }

    /// Whether writers should wait for the master to catch up.
    pub const fn is_full(&self) -> bool {
        self.output.len() > MAX_OUTPUT && !self.is_console
    }

    pub fn take_output(&mut self) -> Vec<u8> {
        let out = std::mem::take(&mut self.output);
        if !out.is_empty() {
            self.can_write.wake();
        }
        out
    }

    /// Bytes for a reader, at most `max`; `None` to wait. Empty means end of file.
    pub fn read(&mut self, max: usize) -> Option<Vec<u8>> {
        if self.termios.canonical {
            if self.lines == 0 {
                if self.end_of_file || self.hung_up {
                    self.end_of_file = false;
                    return Some(Vec::new());
                }
                return None;
            }
            let mut out = Vec::new();
            while out.len() < max
                && let Some(byte) = self.input.pop_front()
            {
                out.push(if byte == b'\r' { b'\n' } else { byte });
                if ends_line(byte) {
                    self.lines -= 1;
                    break;
                }
            }
            if self.input.is_empty() {
                self.lines = 0;
            }
            return Some(out);
        }
        if self.input.is_empty() {
            return self.hung_up.then(Vec::new);
        }
        let count = max.min(self.input.len());
        let out: Vec<u8> = self.input.drain(..count).collect();
        let ends = out.iter().filter(|byte| ends_line(**byte)).count();
        self.lines = if self.input.is_empty() { 0 } else { self.lines.saturating_sub(ends) };
        Some(out)
    }

    /// Typed bytes that nobody has read.
    pub fn unread(&self) -> usize {
        self.input.len() + self.line.len()
    }

    /// Whether a read would not wait.
    pub fn is_readable(&self) -> bool {
        let has_input = if self.termios.canonical { self.lines > 0 } else { !self.input.is_empty() };
        self.hung_up || self.end_of_file || has_input
    }

    /// Changes settings. What was typed so far stays readable, as with `TCSADRAIN`. The bytes stay where they are: a
    /// shell goes back and forth for every line of what was pasted.
    pub fn set_termios(&mut self, termios: Termios) {
        if self.termios.canonical && !termios.canonical {
            self.input.extend(self.line.drain(..));
        }
        if !self.termios.canonical && termios.canonical {
            self.has_tail = true;
            if self.lines == 0 {
                self.take_tail();
            }
        }
        self.termios = termios;
    }

    /// What was typed ahead behind the last end of a line becomes the line that is being typed.
    fn take_tail(&mut self) {
        if std::mem::take(&mut self.has_tail) {
            let end = self.input.iter().rposition(|byte| ends_line(*byte)).map_or(0, |at| at + 1);
            self.line.extend(self.input.drain(end..));
        }
    }
}

/// Return typed ahead ends a line too, once lines are read.
const fn ends_line(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tty() -> Tty {
        Tty::new(&Rc::new(RunQueue::default()), WinSize { cols: 80, rows: 24 })
    }

    fn type_all(tty: &mut Tty, bytes: &[u8]) {
        for byte in bytes {
            tty.typed(*byte);
        }
    }

    #[test]
    fn canonical_lines_are_edited_before_they_are_read() {
        let mut t = tty();
        type_all(&mut t, "ab\u{f1}".as_bytes());
        assert_eq!(t.read(99), None);
        type_all(&mut t, b"\x7fc\rnext");
        assert_eq!(t.read(99).as_deref(), Some(&b"abc\n"[..]));
        assert_eq!(t.read(99), None);
        assert_eq!(t.take_output(), "ab\u{f1}\x08 \x08c\r\nnext".as_bytes());
    }

    #[test]
    fn ctrl_d_ends_the_file_only_at_the_start_of_a_line() {
        let mut t = tty();
        type_all(&mut t, b"x\x04");
        assert_eq!(t.read(9).as_deref(), Some(&b"x"[..]));
        type_all(&mut t, b"\x04");
        assert_eq!(t.read(9).as_deref(), Some(&b""[..]));
        assert_eq!(t.read(9), None);
    }

    #[test]
    fn ctrl_c_is_a_signal_unless_raw() {
        let mut t = tty();
        assert_eq!(t.typed(3), Some(Signal::INT));
        assert_eq!(t.take_output(), b"^C");
        t.set_termios(Termios::RAW);
        assert_eq!(t.typed(3), None);
        assert_eq!(t.read(9).as_deref(), Some(&b"\x03"[..]));
    }

    #[test]
    fn what_was_typed_ahead_of_a_change_of_mode_becomes_lines() {
        let mut t = tty();
        t.set_termios(Termios::RAW);
        type_all(&mut t, b"one\rtwo\rth");
        assert_eq!(t.read(4).as_deref(), Some(&b"one\r"[..]));
        t.set_termios(Termios::COOKED);
        assert_eq!(t.read(99).as_deref(), Some(&b"two\n"[..]));
        assert_eq!(t.read(99), None);
        type_all(&mut t, b"ree\r");
        assert_eq!(t.read(99).as_deref(), Some(&b"three\n"[..]));
        assert!(!t.is_readable());
    }
}
