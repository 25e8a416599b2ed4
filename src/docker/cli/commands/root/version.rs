//! `docker version`.

use crate::docker::cli::command::*;
use crate::docker::cli::value::Kind::*;

/// `docker version`.
pub static COMMAND: Command = Command {
    usage: "[OPTIONS]",
    short: "Show the Docker version information",
    flags: &[&[flag(
        'f',
        "format",
        Text,
        "Format output using a custom template:\n'json':             Print in JSON format\n'TEMPLATE':         Print output using the given Go template.\nRefer to https://docs.docker.com/go/formatting/ for more information about formatting output with templates",
    )]],
    ..Command::new("version")
};
