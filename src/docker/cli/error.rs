//! Exit statuses and the frames around errors, decided once.
//!
//! | what | frame | status |
//! |---|---|---|
//! | the daemon refuses | `Error response from daemon: TEXT` | 1 |
//! | the same in `run` and `create` | `docker: Error response from daemon: TEXT`, blank line, `Run 'docker run --help' ..` | 125 (126, 127) |
//! | a flag is wrong | `TEXT`, blank line, `Usage:  ..`, blank line, `Run '.. --help' for more information` | 125 |
//! | the operands are too few or too many | `docker: 'docker rm' requires ..` and the same | 1 |
//! | the command is unknown | `docker: unknown command: docker rn` .. | 1 |
//! | not simulated | `docker: --gpus is not simulated in Capas` | 125 |

use bstr::BString;

use crate::base::errno::Errno;
use crate::docker::daemon::api::{DaemonError, RuntimeError};
use crate::os::args::Stop;

use super::command::{Arity, Command};
use super::help;

/// Why a verb ends without success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CliError {
    /// What the client or, framed already, the daemon says; on standard error, with the status.
    Says(u8, String),
    /// What the daemon says, framed already, and why it refused: for those who explain it.
    Refused(u8, String, Vec<DaemonError>),
    /// Nothing more to say: the status of a container's process, or what is told was told.
    Status(u8),
}

impl CliError {
    /// The client's own words, status 1.
    pub fn new(text: impl Into<String>) -> Self {
        Self::Says(1, text.into())
    }

    /// The client's own words as `run` and `create` frame them, status 125.
    pub fn with_help(command: &str, text: &str) -> Self {
        Self::Says(125, with_help(command, text))
    }

    /// Standard output is gone.
    pub fn write(errno: Errno) -> Self {
        Self::new(format!("write /dev/stdout: {}", super::client::go_errno(errno)))
    }

    /// Nothing but the status of a container that ended; nothing at all when that is 0.
    ///
    /// # Errors
    /// When it is another.
    pub fn of_status(status: i64) -> Result<(), Self> {
        match u8::try_from(status).unwrap_or(255) {
            0 => Ok(()),
            status => Err(Self::Status(status)),
        }
    }

    /// What refused, a line each; nothing when nothing did.
    ///
    /// # Errors
    /// When there is an error in the list.
    pub fn all(errors: Vec<DaemonError>) -> Result<(), Self> {
        if errors.is_empty() {
            return Ok(());
        }
        let lines: Vec<String> = errors.iter().map(from_daemon).collect();
        Err(Self::Refused(1, lines.join("\n"), errors))
    }

    /// The frame and status of a container that could not be made or started by `docker run` (docker/cli `toStatusError`).
    pub fn run(error: &DaemonError) -> Self {
        let status = error.runtime().map_or(125, RuntimeError::exit_status);
        let status = u8::try_from(status).unwrap_or(125);
        Self::Refused(status, with_help("run", &from_daemon(error)), vec![error.clone()])
    }

    /// Why the daemon refused, if it did.
    pub fn refusals(&self) -> &[DaemonError] {
        match self {
            Self::Refused(_, _, errors) => errors,
            Self::Says(..) | Self::Status(_) => &[],
        }
    }

    /// As the process ends.
    pub fn into_stop(self) -> Stop {
        match self {
            Self::Says(status, text) | Self::Refused(status, text, _) => fail(status, text),
            Self::Status(status) => Stop { status, ..Stop::default() },
        }
    }
}

impl From<DaemonError> for CliError {
    fn from(error: DaemonError) -> Self {
        Self::Refused(1, from_daemon(&error), vec![error])
    }
}

/// `Error response from daemon: …`.
pub fn from_daemon(error: &DaemonError) -> String {
    format!("Error response from daemon: {error}")
}

/// docker/cli `withHelp`.
pub fn with_help(command: &str, text: &str) -> String {
    format!("docker: {text}\n\nRun 'docker {command} --help' for more information")
}

/// The client ends with a text on standard error.
pub fn fail(status: u8, text: impl AsRef<[u8]>) -> Stop {
    let mut err = BString::from(text.as_ref());
    err.push(b'\n');
    Stop { status, out: BString::default(), err }
}

/// docker/cli `FlagErrorFunc`.
pub fn bad_flag(message: &[u8], use_line: &str, path: &str) -> Stop {
    let frame = format!("\n\nUsage:  {use_line}\n\nRun '{path} --help' for more information");
    fail(125, [message, frame.as_bytes()].concat())
}

/// docker/cli `cli/required.go`, with its two slips (`See`, `SRun`).
pub fn bad_arity(command: &Command, path: &str, count: usize) -> Stop {
    let plural = |n: u8| if n == 1 { "argument" } else { "arguments" };
    let (problem, hint) = match command.arity {
        Arity::Any | Arity::None => ("accepts no arguments".to_owned(), "Run"),
        Arity::Just(n) => return fail(1, format!("accepts {n} arg(s), received {count}")),
        Arity::Exactly(n) => (format!("requires {n} {}", plural(n)), "Run"),
        Arity::AtLeast(n) => (format!("requires at least {n} {}", plural(n)), "See"),
        Arity::AtMost(n) => (format!("requires at most {n} {}", plural(n)), "SRun"),
        Arity::Between(a, b) => (format!("requires at least {a} and at most {b} {}", plural(b)), "Run"),
    };
    let use_line = help::use_line(command, path);
    fail(1, format!("docker: '{path}' {problem}\n\nUsage:  {use_line}\n\n{hint} '{path} --help' for more information"))
}

/// An unknown word where a command is expected.
pub fn unknown_command(path: &str, use_line: &str, word: &[u8]) -> Stop {
    let head = [format!("docker: unknown command: {path} ").as_bytes(), word].concat();
    let tail = match path {
        "docker" => format!("\n\nRun '{path} --help' for more information"),
        _ => format!("\n\nUsage:  {use_line}\n\nRun '{path} --help' for more information"),
    };
    fail(1, [head.as_slice(), tail.as_bytes()].concat())
}

/// A real flag or command that Capas does not simulate: it says so and fails.
pub fn not_simulated(what: &str) -> Stop {
    fail(125, format!("docker: {what} is not simulated in Capas"))
}
