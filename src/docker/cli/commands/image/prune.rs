//! `docker image prune`.

use crate::docker::cli::command::*;
use crate::docker::cli::value::Kind::*;

/// `docker image prune`.
pub static COMMAND: Command = Command {
    usage: "[OPTIONS]",
    short: "Remove unused images",
    flags: &[&[
        flag('a', "all", Bool(false), "Remove all unused images, not just dangling ones"),
        long("filter", Filter, "Provide filter values (e.g. \"until=<timestamp>\")"),
        flag('f', "force", Bool(false), "Do not prompt for confirmation"),
    ]],
    ..Command::new("prune")
};
