//! `docker network ls`.

use crate::docker::cli::command::*;
use crate::docker::cli::value::Kind::*;

/// `docker network ls`.
pub static COMMAND: Command = Command {
    aliases: &["list"],
    usage: "[OPTIONS]",
    short: "List networks",
    alias_line: "docker network ls, docker network list",
    flags: &[&[
        flag('f', "filter", Filter, "Provide filter values (e.g. \"driver=bridge\")"),
        long(
            "format",
            Text,
            "Format output using a custom template:\n'table':            Print output in table format with column headers (default)\n'table TEMPLATE':   Print output in table format using the given Go template\n'json':             Print in JSON format\n'TEMPLATE':         Print output using the given Go template.\nRefer to https://docs.docker.com/go/formatting/ for more information about formatting output with templates",
        ),
        long("no-trunc", Bool(false), "Do not truncate the output"),
        flag('q', "quiet", Bool(false), "Only display network IDs"),
    ]],
    ..Command::new("ls")
};
