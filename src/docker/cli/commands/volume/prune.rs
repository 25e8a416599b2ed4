//! `docker volume prune`.

use crate::docker::cli::command::*;
use crate::docker::cli::value::Kind::*;

/// `docker volume prune`.
pub static COMMAND: Command = Command {
    usage: "[OPTIONS]",
    short: "Remove unused local volumes",
    flags: &[&[
        flag('a', "all", Bool(false), "Remove all unused volumes, not just anonymous ones"),
        long("filter", Filter, "Provide filter values (e.g. \"label=<label>\")"),
        flag('f', "force", Bool(false), "Do not prompt for confirmation"),
    ]],
    ..Command::new("prune")
};
