//! `docker container exec`.

use crate::docker::cli::command::*;
use crate::docker::cli::value::Kind::*;

/// `docker container exec`.
pub static COMMAND: Command = Command {
    usage: "[OPTIONS] CONTAINER COMMAND [ARG...]",
    short: "Execute a command in a running container",
    alias_line: "docker container exec, docker exec",
    flags: &[&[
        flag('d', "detach", Bool(false), "Detached mode: run command in the background"),
        long("detach-keys", Text, "Override the key sequence for detaching a container"),
        flag('e', "env", Env, "Set environment variables"),
        long("env-file", List, "Read in a file of environment variables"),
        flag('i', "interactive", Bool(false), "Keep STDIN open even if not attached"),
        long("privileged", Bool(false), "Give extended privileges to the command"),
        flag('t', "tty", Bool(false), "Allocate a pseudo-TTY"),
        flag('u', "user", Text, "Username or UID (format: \"<name|uid>[:<group|gid>]\")"),
        flag('w', "workdir", Text, "Working directory inside the container"),
    ]],
    arity: Arity::AtLeast(2),
    stop_at_operand: true,
    ..Command::new("exec")
};
