//! `docker image import`.

use crate::docker::cli::command::*;
use crate::docker::cli::value::Kind::*;

/// `docker image import`.
pub static COMMAND: Command = Command {
    usage: "[OPTIONS] file|URL|- [REPOSITORY[:TAG]]",
    short: "Import the contents from a tarball to create a filesystem image",
    alias_line: "docker image import, docker import",
    flags: &[&[
        flag('c', "change", List, "Apply Dockerfile instruction to the created image"),
        flag('m', "message", Text, "Set commit message for imported image"),
        long("platform", Text, "Set platform if server is multi-platform capable"),
    ]],
    arity: Arity::AtLeast(1),
    ..Command::new("import")
};
