//! `docker inspect`.

use crate::docker::cli::command::*;
use crate::docker::cli::value::Kind::*;

/// `docker inspect`.
pub static COMMAND: Command = Command {
    usage: "[OPTIONS] NAME|ID [NAME|ID...]",
    short: "Return low-level information on Docker objects",
    flags: &[&[
        flag(
            'f',
            "format",
            Text,
            "Format output using a custom template:\n'json':             Print in JSON format\n'TEMPLATE':         Print output using the given Go template.\nRefer to https://docs.docker.com/go/formatting/ for more information about formatting output with templates",
        ),
        flag('s', "size", Bool(false), "Display total file sizes if the type is container"),
        long("type", Text, "Only inspect objects of the given type"),
    ]],
    arity: Arity::AtLeast(1),
    ..Command::new("inspect")
};
