//! `docker builder prune`.

use crate::docker::cli::command::*;
use crate::docker::cli::value::Kind::*;

/// `docker builder prune`.
pub static COMMAND: Command = Command {
    short: "Remove build cache",
    flags: &[&[
        flag('a', "all", Bool(false), "Remove all unused build cache, not just dangling ones"),
        long("filter", Filter, "Provide filter values (e.g. \"until=24h\")"),
        flag('f', "force", Bool(false), "Do not prompt for confirmation"),
        long("keep-storage", Bytes, "Amount of disk space to keep for cache"),
    ]],
    ..Command::new("prune")
};
