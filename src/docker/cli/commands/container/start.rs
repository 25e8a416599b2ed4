//! `docker container start`.

use crate::docker::cli::command::*;
use crate::docker::cli::value::Kind::*;

/// `docker container start`.
pub static COMMAND: Command = Command {
    usage: "[OPTIONS] CONTAINER [CONTAINER...]",
    short: "Start one or more stopped containers",
    alias_line: "docker container start, docker start",
    flags: &[&[
        flag('a', "attach", Bool(false), "Attach STDOUT/STDERR and forward signals"),
        long("checkpoint", Text, "Restore from this checkpoint").not_simulated(),
        long("checkpoint-dir", Text, "Use a custom checkpoint storage directory").not_simulated(),
        long("detach-keys", Text, "Override the key sequence for detaching a container"),
        flag('i', "interactive", Bool(false), "Attach container's STDIN"),
    ]],
    arity: Arity::AtLeast(1),
    ..Command::new("start")
};
