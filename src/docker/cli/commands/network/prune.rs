//! `docker network prune`.

use crate::docker::cli::command::*;
use crate::docker::cli::value::Kind::*;

/// `docker network prune`.
pub static COMMAND: Command = Command {
    usage: "[OPTIONS]",
    short: "Remove all unused networks",
    flags: &[&[
        long("filter", Filter, "Provide filter values (e.g. \"until=<timestamp>\")"),
        flag('f', "force", Bool(false), "Do not prompt for confirmation"),
    ]],
    ..Command::new("prune")
};
