//! `docker system info`.

use crate::docker::cli::command::*;
use crate::docker::cli::value::Kind::*;

/// `docker system info`.
pub static COMMAND: Command = Command {
    usage: "[OPTIONS]",
    short: "Display system-wide information",
    alias_line: "docker system info, docker info",
    flags: &[&[flag(
        'f',
        "format",
        Text,
        "Format output using a custom template:\n'json':             Print in JSON format\n'TEMPLATE':         Print output using the given Go template.\nRefer to https://docs.docker.com/go/formatting/ for more information about formatting output with templates",
    )]],
    ..Command::new("info")
};
