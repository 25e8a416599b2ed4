//! `docker search`.

use crate::docker::cli::command::*;
use crate::docker::cli::value::Kind::*;

/// `docker search`.
pub static COMMAND: Command = Command {
    usage: "[OPTIONS] TERM",
    short: "Search Docker Hub for images",
    flags: &[&[
        flag('f', "filter", Filter, "Filter output based on conditions provided"),
        long("format", Text, "Pretty-print search using a Go template"),
        long("limit", Int, "Max number of search results"),
        long("no-trunc", Bool(false), "Don't truncate output"),
    ]],
    arity: Arity::Exactly(1),
    ..Command::new("search")
};
