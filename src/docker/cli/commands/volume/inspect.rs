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
        FORMAT,
    )]],
    arity: Arity::AtLeast(1),
    ..Command::new("inspect")
};
