//! `docker container run`.

use crate::docker::cli::command::*;
use crate::docker::cli::value::Kind::*;

/// `docker container run`.
pub static COMMAND: Command = Command {
    usage: "[OPTIONS] IMAGE [COMMAND] [ARG...]",
    short: "Create and run a new container from an image",
    alias_line: "docker container run, docker run",
    flags: &[
        super::flags::CONTAINER,
        &[
            flag('d', "detach", Bool(false), "Run container in background and print container ID"),
            long("detach-keys", Text, "Override the key sequence for detaching a container"),
            long("pull", Text, "Pull image before running (\"always\", \"missing\", \"never\") (default \"missing\")"),
            long("sig-proxy", Bool(true), "Proxy received signals to the process (default true)"),
        ],
    ],
    arity: Arity::AtLeast(1),
    stop_at_operand: true,
    ..Command::new("run")
};
