//! `docker system prune`.

use crate::docker::cli::command::*;
use crate::docker::cli::value::Kind::*;

/// `docker system prune`.
pub static COMMAND: Command = Command {
    usage: "[OPTIONS]",
    short: "Remove unused data",
    flags: &[&[
        flag('a', "all", Bool(false), "Remove all unused images not just dangling ones"),
        long("filter", Filter, "Provide filter values (e.g. \"label=<key>=<value>\")"),
        flag('f', "force", Bool(false), "Do not prompt for confirmation"),
        long("volumes", Bool(false), "Prune anonymous volumes"),
    ]],
    ..Command::new("prune")
};
