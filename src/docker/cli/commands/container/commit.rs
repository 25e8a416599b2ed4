//! `docker container commit`.

use crate::docker::cli::command::*;
use crate::docker::cli::value::Kind::*;

/// `docker container commit`.
pub static COMMAND: Command = Command {
    usage: "[OPTIONS] CONTAINER [REPOSITORY[:TAG]]",
    short: "Create a new image from a container's changes",
    alias_line: "docker container commit, docker commit",
    flags: &[&[
        flag('a', "author", Text, "Author (e.g., \"John Hannibal Smith <hannibal@a-team.com>\")"),
        flag('c', "change", List, "Apply Dockerfile instruction to the created image"),
        flag('m', "message", Text, "Commit message"),
        flag('p', "pause", Bool(true), "Pause container during commit (default true)"),
    ]],
    arity: Arity::Between(1, 2),
    stop_at_operand: true,
    ..Command::new("commit")
};
