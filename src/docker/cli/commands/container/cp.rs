//! `docker container cp`.

use crate::docker::cli::command::*;
use crate::docker::cli::value::Kind::*;

/// `docker container cp`.
pub static COMMAND: Command = Command {
    foreign_aliases: &["copy"],
    usage: "[OPTIONS] CONTAINER:SRC_PATH DEST_PATH|-\n\tdocker cp [OPTIONS] SRC_PATH|- CONTAINER:DEST_PATH",
    short: "Copy files/folders between a container and the local filesystem",
    long: "Copy files/folders between a container and the local filesystem\n\nUse '-' as the source to read a tar archive from stdin\nand extract it to a directory destination in a container.\nUse '-' as the destination to stream a tar archive of a\ncontainer source to stdout.",
    alias_line: "docker container cp, docker cp",
    flags: &[&[
        flag('a', "archive", Bool(false), "Archive mode (copy all uid/gid information)"),
        flag('L', "follow-link", Bool(false), "Always follow symbol link in SRC_PATH"),
        flag(
            'q',
            "quiet",
            Bool(false),
            "Suppress progress output during copy. Progress output is automatically suppressed if no terminal is attached",
        ),
    ]],
    arity: Arity::Exactly(2),
    ..Command::new("cp")
};
