//! `docker container restart`.

use crate::docker::cli::command::*;
use crate::docker::cli::value::Kind::*;

/// `docker container restart`.
pub static COMMAND: Command = Command {
    usage: "[OPTIONS] CONTAINER [CONTAINER...]",
    short: "Restart one or more containers",
    alias_line: "docker container restart, docker restart",
    flags: &[&[
        flag('s', "signal", Text, "Signal to send to the container"),
        long("time", Int, "Seconds to wait before killing the container (deprecated: use --timeout)").hidden(),
        flag('t', "timeout", Int, "Seconds to wait before killing the container"),
    ]],
    arity: Arity::AtLeast(1),
    ..Command::new("restart")
};
