//! `docker container inspect`.

use crate::docker::cli::command::*;
use crate::docker::cli::value::Kind::*;

/// `docker container inspect`.
pub static COMMAND: Command = Command {
    usage: "[OPTIONS] CONTAINER [CONTAINER...]",
    short: "Display detailed information on one or more containers",
    flags: &[&[
        flag(
            'f',
            "format",
            Text,
            FORMAT,
        ),
        flag('s', "size", Bool(false), "Display total file sizes"),
    ]],
    arity: Arity::AtLeast(1),
    ..Command::new("inspect")
};
