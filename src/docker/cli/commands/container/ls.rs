//! `docker container ls`.

use crate::docker::cli::command::*;
use crate::docker::cli::value::Kind::*;

/// `docker container ls`.
pub static COMMAND: Command = Command {
    aliases: &["list", "ps"],
    usage: "[OPTIONS]",
    short: "List containers",
    alias_line: "docker container ls, docker container list, docker container ps, docker ps",
    flags: &[&[
        flag('a', "all", Bool(false), "Show all containers (default shows just running)"),
        flag('f', "filter", Filter, "Filter output based on conditions provided"),
        long(
            "format",
            Text,
            TABLE_FORMAT,
        ),
        flag('n', "last", Int, "Show n last created containers (includes all states) (default -1)"),
        flag('l', "latest", Bool(false), "Show the latest created container (includes all states)"),
        long("no-trunc", Bool(false), "Don't truncate output"),
        flag('q', "quiet", Bool(false), "Only display container IDs"),
        flag('s', "size", Bool(false), "Display total file sizes"),
    ]],
    ..Command::new("ls")
};
