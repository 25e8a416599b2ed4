//! `capas`, the machine in a real terminal: the only place of the host program that does input and output.

use std::process::ExitCode;

/// Runs the command line of `capas`.
pub fn main() -> ExitCode {
    ExitCode::SUCCESS
}
