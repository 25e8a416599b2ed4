//! `docker volume ls`.

use crate::docker::cli::command::*;
use crate::docker::cli::value::Kind::*;

/// `docker volume ls`.
pub static COMMAND: Command = Command {
    aliases: &["list"],
    usage: "[OPTIONS]",
    short: "List volumes",
    alias_line: "docker volume ls, docker volume list",
    flags: &[&[
        long("cluster", Bool(false), "Display only cluster volumes, and use cluster volume list formatting"),
        flag('f', "filter", Filter, "Provide filter values (e.g. \"dangling=true\")"),
        long(
            "format",
            Text,
            "Format output using a custom template:\n'table':            Print output in table format with column headers (default)\n'table TEMPLATE':   Print output in table format using the given Go template\n'json':             Print in JSON format\n'TEMPLATE':         Print output using the given Go template.\nRefer to https://docs.docker.com/go/formatting/ for more information about formatting output with templates",
        ),
        flag('q', "quiet", Bool(false), "Only display volume names"),
    ]],
    ..Command::new("ls")
};
