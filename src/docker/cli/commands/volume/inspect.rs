//! `docker volume inspect`.

use crate::docker::cli::command::*;
use crate::docker::cli::value::Kind::*;

/// `docker volume inspect`.
pub static COMMAND: Command = Command {
    usage: "[OPTIONS] VOLUME [VOLUME...]",
    short: "Display detailed information on one or more volumes",
    flags: &[&[flag(
        'f',
        "format",
        Text,
        "Format output using a custom template:\n'json':             Print in JSON format\n'TEMPLATE':         Print output using the given Go template.\nRefer to https://docs.docker.com/go/formatting/ for more information about formatting output with templates",
    )]],
    arity: Arity::AtLeast(1),
    ..Command::new("inspect")
};
