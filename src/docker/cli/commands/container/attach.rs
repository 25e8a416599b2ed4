//! `docker container attach`.

use crate::docker::cli::command::*;
use crate::docker::cli::value::Kind::*;

/// `docker container attach`.
pub static COMMAND: Command = Command {
    usage: "[OPTIONS] CONTAINER",
    short: "Attach local standard input, output, and error streams to a running container",
    alias_line: "docker container attach, docker attach",
    flags: &[&[
        long("detach-keys", Text, "Override the key sequence for detaching a container"),
        long("no-stdin", Bool(false), "Do not attach STDIN"),
        long("sig-proxy", Bool(true), "Proxy all received signals to the process (default true)"),
    ]],
    arity: Arity::Exactly(1),
    ..Command::new("attach")
};
