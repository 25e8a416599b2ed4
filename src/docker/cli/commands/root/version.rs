//! `docker version`.

use crate::docker::cli::command::*;
use crate::docker::cli::value::Kind::*;

/// `docker version`.
pub static COMMAND: Command = Command {
    usage: "[OPTIONS]",
    short: "Show the Docker version information",
    flags: &[&[flag('f', "format", Text, FORMAT)]],
    ..Command::new("version")
};
