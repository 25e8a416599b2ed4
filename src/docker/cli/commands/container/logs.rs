//! `docker container logs`.

use crate::docker::cli::command::*;
use crate::docker::cli::value::Kind::*;

/// `docker container logs`.
pub static COMMAND: Command = Command {
    usage: "[OPTIONS] CONTAINER",
    short: "Fetch the logs of a container",
    alias_line: "docker container logs, docker logs",
    flags: &[&[
        long("details", Bool(false), "Show extra details provided to logs"),
        flag('f', "follow", Bool(false), "Follow log output"),
        long(
            "since",
            Text,
            "Show logs since timestamp (e.g. \"2013-01-02T13:23:37Z\") or relative (e.g. \"42m\" for 42 minutes)",
        ),
        flag('n', "tail", Text, "Number of lines to show from the end of the logs (default \"all\")"),
        flag('t', "timestamps", Bool(false), "Show timestamps"),
        long(
            "until",
            Text,
            "Show logs before a timestamp (e.g. \"2013-01-02T13:23:37Z\") or relative (e.g. \"42m\" for 42 minutes)",
        ),
    ]],
    arity: Arity::Exactly(1),
    ..Command::new("logs")
};
