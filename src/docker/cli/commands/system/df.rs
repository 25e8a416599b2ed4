//! `docker system df`.

use crate::docker::cli::command::*;
use crate::docker::cli::value::Kind::*;

/// `docker system df`.
pub static COMMAND: Command = Command {
    usage: "[OPTIONS]",
    short: "Show docker disk usage",
    flags: &[&[
        long("format", Text, TABLE_FORMAT),
        flag('v', "verbose", Bool(false), "Show detailed information on space usage"),
    ]],
    ..Command::new("df")
};
