//! `docker system info`.

use crate::docker::cli::command::*;
use crate::docker::cli::value::Kind::*;

/// `docker system info`.
pub static COMMAND: Command = Command {
    usage: "[OPTIONS]",
    short: "Display system-wide information",
    alias_line: "docker system info, docker info",
    flags: &[&[flag('f', "format", Text, FORMAT)]],
    ..Command::new("info")
};
