//! The session as the page around a frame drives it: commands that type themselves one after the other, what they
//! printed, files, the state of Docker, and what was typed so far.

use std::collections::VecDeque;

use serde_json::Value;

use super::{Session, Topic};
use crate::machine::Input;
use crate::ui::dom;
use crate::view::embed::{self, Options, Panes};

/// Bytes that are kept of one command's output.
const MAX_HEARD: usize = 1 << 20;

/// What is listened to while a command runs.
#[derive(Default)]
pub(super) struct Heard {
    console: Option<usize>,
    bytes: Vec<u8>,
    last_ms: f64,
    journal: usize,
}

impl Heard {
    pub(super) fn hear(&mut self, at: usize, bytes: &[u8]) {
        if self.console == Some(at) {
            self.last_ms = dom::now_ms();
            let room = MAX_HEARD.saturating_sub(self.bytes.len());
            self.bytes.extend(bytes.iter().take(room));
        }
    }

    /// A command is typed: what counts is what comes after its Enter.
    pub(super) fn before(&mut self, typed: &[u8]) {
        if typed == b"\r" {
            self.bytes.clear();
        }
    }

    /// Whether anything came in since the last call.
    pub(super) fn is_journal_longer(&mut self, inputs: usize) -> bool {
        let longer = inputs != self.journal;
        self.journal = inputs;
        longer
    }
}

/// What a terminal waits for.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Waiting {
    /// The shell, for a command.
    Command,
    /// A program, for input perhaps: it reads and has been quiet for so many milliseconds.
    Input(f64),
    /// Nothing: something runs.
    Nothing,
}

impl Session {
    /// What the address asked for.
    pub fn options(&self) -> &Options {
        &self.0.options
    }

    /// What the page shows.
    pub fn panes(&self) -> Panes {
        self.0.panes.get()
    }

    /// Shows other panes.
    pub fn show_panes(&self, panes: Panes) {
        self.0.panes.set(panes);
        self.tell(&[Topic::Stage]);
    }

    /// Lets a command of any number of lines type itself, with Enter, and listens to what it prints. A `fast` one appears
    /// at once.
    pub fn run_command(&self, at: usize, command: &str, fast: bool) {
        let text = command.replace('\n', "\r");
        {
            let mut state = self.0.state.borrow_mut();
            state.heard.console = Some(at);
            state.heard.bytes.clear();
            state.heard.last_ms = dom::now_ms();
        }
        if fast || self.types_at_once(at) {
            self.send_always(at, text.as_bytes());
            self.0.state.borrow_mut().heard.before(b"\r");
            self.send_always(at, b"\r");
        } else {
            self.type_next(at, text.bytes().chain([b'\r']).collect());
        }
    }

    /// Types at once what is still to be typed.
    pub fn type_rest(&self, at: usize) {
        let mut state = self.0.state.borrow_mut();
        if let Some((console, rest, _)) = state.typing.take() {
            state.pending.push_front((console, rest));
        }
        let (own, others) = std::mem::take(&mut state.pending).into_iter().partition(|(console, _)| *console == at);
        state.pending = others;
        let own: VecDeque<(usize, VecDeque<u8>)> = own;
        for (_, bytes) in own {
            state.type_now(at, &Vec::from(bytes));
        }
    }

    /// Types characters, also where the visitor can't.
    pub fn type_text(&self, at: usize, text: &str) {
        self.send_always(at, text.as_bytes());
    }

    /// The machine's seed.
    pub fn seed(&self) -> u64 {
        self.0.state.borrow().machine.journal().seed
    }

    /// The width of a terminal in cells.
    pub fn columns(&self, at: usize) -> u16 {
        let state = self.0.state.borrow();
        state.consoles.get(at).map_or(80, |console| u16::try_from(console.screen.size().0).unwrap_or(80))
    }

    /// Takes what was printed since the last [`Self::run_command`].
    pub fn take_heard(&self) -> Vec<u8> {
        std::mem::take(&mut self.0.state.borrow_mut().heard.bytes)
    }

    /// What a terminal waits for.
    pub fn waiting(&self, at: usize) -> Waiting {
        let state = self.0.state.borrow();
        let Some(console) = state.consoles.get(at) else { return Waiting::Nothing };
        if !state.pending.is_empty() || state.typing.is_some() || state.time.is_settling() {
            Waiting::Nothing
        } else if !state.machine.is_busy(console.tty) {
            Waiting::Command
        } else if state.machine.kernel().is_read_from(console.tty) {
            Waiting::Input(dom::now_ms() - state.heard.last_ms)
        } else {
            Waiting::Nothing
        }
    }

    /// Puts a file on the host; a relative path begins in the student's home folder.
    ///
    /// # Errors
    /// The kernel's, in its words.
    pub fn put_file(&self, path: &str, content: &[u8]) -> Result<(), String> {
        let path =
            if path.starts_with('/') { path.to_owned() } else { format!("{}/{path}", crate::machine::host::HOME) };
        let put = self.0.state.borrow_mut().machine.put_file(&path, content);
        self.pump();
        put.map_err(|errno| format!("{path}: {errno}"))
    }

    /// What Docker holds, as the page around is told.
    pub fn docker_state(&self) -> Value {
        embed::state(&self.0.state.borrow().machine.daemon().snapshot())
    }

    /// What was typed since the journal had `from` entries, by terminal, and how many it has now.
    pub fn typed_since(&self, from: usize) -> (Vec<(usize, String)>, usize) {
        let state = self.0.state.borrow();
        let inputs = &state.machine.journal().inputs;
        let typed = inputs.iter().skip(from).filter_map(|(_, input)| match input {
            Input::Type { tty, bytes } => {
                let at = state.consoles.iter().position(|console| console.tty.0 == *tty)?;
                Some((at, String::from_utf8_lossy(bytes).into_owned()))
            }
            _ => None,
        });
        (typed.collect(), inputs.len())
    }
}
