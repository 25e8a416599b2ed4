//! `docker network inspect`.

use crate::docker::cli::command::*;
use crate::docker::cli::value::Kind::*;

/// `docker network inspect`.
pub static COMMAND: Command = Command {
    usage: "[OPTIONS] NETWORK [NETWORK...]",
    short: "Display detailed information on one or more networks",
    flags: &[&[
        flag(
            'f',
            "format",
            Text,
            FORMAT,
        ),
        flag('v', "verbose", Bool(false), "Verbose output for diagnostics"),
    ]],
    arity: Arity::AtLeast(1),
    ..Command::new("inspect")
};
