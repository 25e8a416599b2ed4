//! `docker image ls`.

use crate::docker::cli::command::*;
use crate::docker::cli::value::Kind::*;

/// `docker image ls`.
pub static COMMAND: Command = Command {
    aliases: &["list"],
    usage: "[OPTIONS] [REPOSITORY[:TAG]]",
    short: "List images",
    alias_line: "docker image ls, docker image list, docker images",
    flags: &[&[
        flag('a', "all", Bool(false), "Show all images (default hides intermediate images)"),
        long("digests", Bool(false), "Show digests"),
        flag('f', "filter", Filter, "Filter output based on conditions provided"),
        long(
            "format",
            Text,
            TABLE_FORMAT,
        ),
        long("no-trunc", Bool(false), "Don't truncate output"),
        flag('q', "quiet", Bool(false), "Only show image IDs"),
        long("tree", Bool(false), "List multi-platform images as a tree (EXPERIMENTAL)").not_simulated(),
    ]],
    arity: Arity::AtMost(1),
    ..Command::new("ls")
};
