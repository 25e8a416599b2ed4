//! `docker system df`.

use crate::docker::cli::command::*;
use crate::docker::cli::value::Kind::*;

/// `docker system df`.
pub static COMMAND: Command = Command {
    usage: "[OPTIONS]",
    short: "Show docker disk usage",
    flags: &[&[
        long(
            "format",
            Text,
            "Format output using a custom template:\n'table':            Print output in table format with column headers (default)\n'table TEMPLATE':   Print output in table format using the given Go template\n'json':             Print in JSON format\n'TEMPLATE':         Print output using the given Go template.\nRefer to https://docs.docker.com/go/formatting/ for more information about formatting output with templates",
        ),
        flag('v', "verbose", Bool(false), "Show detailed information on space usage"),
    ]],
    ..Command::new("df")
};
