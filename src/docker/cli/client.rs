//! The client's side of a running command: its process, its terminal, its connection to the daemon.
//!
//! What verbs share and what is no daemon's business is here: writing, asking, doing one thing to many objects.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};

use bstr::{BString, ByteSlice};

use crate::base::errno::Errno;
use crate::base::rope::Rope;
use crate::base::time::Timestamp;
use crate::docker::daemon::api::{Daemon, DaemonError};
use crate::os::fs::node::Kind;
use crate::os::kernel::{Open, Proc, TtyId};

use super::error::{CliError, from_daemon};
use super::help::Screen;

/// What a verb answers: nothing when all went well.
pub type Answer<T = ()> = Result<T, CliError>;

/// A verb at work.
pub type Running<'a> = Pin<Box<dyn Future<Output = Answer> + 'a>>;

/// The client of one command line.
pub struct Client {
    /// Its process.
    pub proc: Proc,
    /// The daemon it talks to.
    pub daemon: Daemon,
}

impl Client {
    /// Writes to standard output.
    ///
    /// # Errors
    /// What writing gives: nobody reads any more.
    pub async fn print(&self, text: impl AsRef<[u8]>) -> Answer {
        self.proc.print(text).await.map_err(CliError::write)
    }

    /// Writes a line to standard output.
    ///
    /// # Errors
    /// As [`Self::print`].
    pub async fn say(&self, line: impl AsRef<str>) -> Answer {
        self.print(format!("{}\n", line.as_ref())).await
    }

    /// Writes a line to standard error.
    pub async fn complain(&self, line: impl AsRef<str>) {
        self.proc.eprint(format!("{}\n", line.as_ref())).await;
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        self.proc.now()
    }

    /// The terminal on standard input.
    pub fn stdin_tty(&self) -> Option<TtyId> {
        self.proc.tty_of(0)
    }

    /// The terminal on standard output.
    pub fn stdout_tty(&self) -> Option<TtyId> {
        self.proc.tty_of(1)
    }

    /// The width of the terminal on standard output.
    pub fn width(&self) -> Option<usize> {
        self.stdout_tty().map(|tty| usize::from(self.proc.win_size(tty).cols))
    }

    /// Where help is printed to.
    pub fn screen(&self) -> Screen {
        screen(&self.proc)
    }

    /// A variable of the environment, as text.
    pub fn env(&self, name: &str) -> Option<String> {
        self.proc.getenv(name).map(|value| value.to_str_lossy().into_owned())
    }

    /// The student's home directory.
    pub fn home(&self) -> String {
        self.env("HOME").unwrap_or_default()
    }

    /// Reads a file of the host. The error is Go's: `open /nope: no such file or directory`.
    ///
    /// # Errors
    /// The file is not there, not readable or a directory.
    pub async fn read_file(&self, path: &str) -> Result<Rope, String> {
        let fail = |errno: Errno| format!("open {path}: {}", go_errno(errno));
        self.proc.read_file(path.as_bytes()).await.map_err(fail)
    }

    /// Checks that a file can be made at `path` (docker/cli `ValidateOutputPath`); an empty path is standard output.
    ///
    /// # Errors
    /// There is no such directory, or something else is there.
    pub fn check_output(&self, path: &str) -> Result<(), String> {
        let dir = path.rsplit_once('/').map_or("", |(dir, _)| if dir.is_empty() { "/" } else { dir });
        if let (false, Err(errno)) = (dir.is_empty(), self.proc.stat(dir.as_bytes())) {
            return Err(format!("invalid output path: stat {dir}: {}", go_errno(errno)));
        }
        match self.proc.stat(path.as_bytes()) {
            Ok(stat) if !path.is_empty() && !matches!(stat.kind, Kind::File | Kind::Dir) => {
                let path = crate::os::args::pflag::go_quote(path.as_bytes());
                Err(format!("invalid output path: {path} must be a directory or a regular file"))
            }
            _ => Ok(()),
        }
    }

    /// Writes an archive to a file, or to standard output when `path` is empty.
    ///
    /// # Errors
    /// The file can't be written.
    pub async fn put(&self, path: &str, content: &Rope) -> Answer {
        if path.is_empty() {
            return self.proc.write_rope(1, content).await.map_err(CliError::write);
        }
        let fail = |errno| CliError::new(format!("open {path}: {}", go_errno(errno)));
        let fd = self.proc.open(path.as_bytes(), Open { create: Some(0o600), ..Open::WRITE }).map_err(fail)?;
        let written = self.proc.write_rope(fd, content).await;
        // What counts is whether it was written.
        let _ = self.proc.close(fd);
        written.map_err(fail)
    }

    /// Reads a line from standard input; `None` at its end.
    pub async fn read_line(&self) -> Option<BString> {
        let mut line = BString::default();
        loop {
            let byte = self.proc.read(0, 1).await.ok()?.to_vec();
            match byte.first() {
                Some(b'\n') => return Some(line),
                Some(byte) if line.len() < 1 << 16 => line.push(*byte),
                Some(_) => {}
                None if line.is_empty() => return None,
                None => return Some(line),
            }
        }
    }

    /// Asks whether to go on (docker/cli `PromptForConfirmation`).
    ///
    /// # Errors
    /// As [`Self::print`].
    pub async fn confirm(&self, question: &str) -> Answer<bool> {
        self.print(format!("{question} [y/N] ")).await?;
        let line = self.read_line().await.unwrap_or_default();
        Ok(line.trim_ascii().eq_ignore_ascii_case(b"y"))
    }

    /// Prints what the daemon refused, where more follows.
    pub async fn complain_of(&self, error: &DaemonError) {
        self.daemon.note_refusals(std::slice::from_ref(error));
        self.complain(from_daemon(error)).await;
    }

    /// Does one thing to many objects, one after the other; prints the names of those that went well.
    ///
    /// # Errors
    /// What the daemon refused, a line each.
    pub async fn each(&self, names: &[String], act: impl AsyncFn(&str) -> Result<(), DaemonError>) -> Answer {
        let mut refused = Vec::new();
        for name in names {
            match act(name).await {
                Ok(()) => self.say(name).await?,
                Err(error) => refused.push(error),
            }
        }
        CliError::all(refused)
    }

    /// Does one thing to many objects at once (docker/cli `parallelOperation`); prints the names of those that went well.
    ///
    /// # Errors
    /// What the daemon refused, a line each.
    pub async fn at_once(&self, names: &[String], act: impl AsyncFn(&str) -> Result<(), DaemonError>) -> Answer {
        let work: Vec<Pin<Box<dyn Future<Output = Result<(), DaemonError>> + '_>>> =
            names.iter().map(|name| Box::pin(act(name)) as _).collect();
        let mut refused = Vec::new();
        for (name, result) in names.iter().zip(join(work).await) {
            match result {
                Ok(()) => self.say(name).await?,
                Err(error) => refused.push(error),
            }
        }
        CliError::all(refused)
    }
}

/// Where help is printed to, from a process's terminals.
pub fn screen(proc: &Proc) -> Screen {
    Screen {
        width: proc.tty_of(0).map_or(80, |tty| usize::from(proc.win_size(tty).cols)),
        terminal: proc.tty_of(1).is_some(),
        home: proc.getenv("HOME").unwrap_or_default().to_str_lossy().into_owned(),
    }
}

/// Go's words for an error number: those of `strerror` without the capital.
pub fn go_errno(errno: Errno) -> String {
    let text = errno.strerror();
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_lowercase().chain(chars).collect(),
        None => String::new(),
    }
}

/// The first of two to end.
pub async fn race<T>(first: impl Future<Output = T>, second: impl Future<Output = T>) -> T {
    let (mut first, mut second) = (Box::pin(first), Box::pin(second));
    poll_fn(|context| match first.as_mut().poll(context) {
        Poll::Ready(value) => Poll::Ready(value),
        Poll::Pending => second.as_mut().poll(context),
    })
    .await
}

/// Runs futures side by side until all have ended.
pub async fn join<T>(mut work: Vec<Pin<Box<dyn Future<Output = T> + '_>>>) -> Vec<T> {
    let mut done: Vec<Option<T>> = work.iter().map(|_| None).collect();
    poll_fn(|context: &mut Context<'_>| {
        let mut all = true;
        for (future, slot) in work.iter_mut().zip(&mut done) {
            if slot.is_none() {
                match future.as_mut().poll(context) {
                    Poll::Ready(value) => *slot = Some(value),
                    Poll::Pending => all = false,
                }
            }
        }
        if all { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    done.into_iter().flatten().collect()
}

/// Runs `main` and, beside it, `side`; ends with `main`. Progress is shown so while the daemon works.
pub async fn beside<T>(main: impl Future<Output = T>, side: impl Future<Output = ()>) -> T {
    let (mut main, mut side) = (Box::pin(main), Box::pin(side));
    let mut side_ended = false;
    poll_fn(|context| {
        if let Poll::Ready(value) = main.as_mut().poll(context) {
            return Poll::Ready(value);
        }
        if !side_ended {
            side_ended = side.as_mut().poll(context).is_ready();
        }
        Poll::Pending
    })
    .await
}

/// What a sink collects until the client comes to write it.
pub type Queue<T> = std::rc::Rc<RefCell<Vec<T>>>;
