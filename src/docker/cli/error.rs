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

use crate::os::args::Stop;

use super::command::{Arity, Command};
use super::help;

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
pub fn bad_arity(command: &Command, path: &str) -> Stop {
    let plural = |n: u8| if n == 1 { "argument" } else { "arguments" };
    let (problem, hint) = match command.arity {
        Arity::Any | Arity::None => ("accepts no arguments".to_owned(), "Run"),
        Arity::Exactly(n) => (format!("requires {n} {}", plural(n)), "Run"),
        Arity::AtLeast(n) => (format!("requires at least {n} {}", plural(n)), "See"),
        Arity::AtMost(n) => (format!("requires at most {n} {}", plural(n)), "SRun"),
        Arity::Between(a, b) => (format!("requires at least {a} and at most {b} {}", plural(b)), "Run"),
    };
    let use_line = help::use_line(command, path);
    fail(1, format!("docker: '{path}' {problem}\n\nUsage:  {use_line}\n\n{hint} '{path} --help' for more information"))
}

/// An unknown word where a command is expected.
pub fn unknown_command(path: &str, word: &[u8]) -> Stop {
    let head = [format!("docker: unknown command: {path} ").as_bytes(), word].concat();
    let tail = match path {
        "docker" => format!("\n\nRun '{path} --help' for more information"),
        _ => format!("\n\nUsage:  {path}\n\nRun '{path} --help' for more information"),
    };
    fail(1, [head.as_slice(), tail.as_bytes()].concat())
}

/// A real flag or command that Capas does not simulate: it says so and fails.
pub fn not_simulated(what: &str) -> Stop {
    fail(125, format!("docker: {what} is not simulated in Capas"))
}
