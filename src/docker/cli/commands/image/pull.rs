//! `docker image pull`.

use crate::docker::cli::command::*;
use crate::docker::cli::value::Kind::*;

/// `docker image pull`.
pub static COMMAND: Command = Command {
    usage: "[OPTIONS] NAME[:TAG|@DIGEST]",
    short: "Download an image from a registry",
    alias_line: "docker image pull, docker pull",
    flags: &[&[
        flag('a', "all-tags", Bool(false), "Download all tagged images in the repository"),
        long("disable-content-trust", Bool(true), "Skip image verification (default true)"),
        long("platform", Text, "Set platform if server is multi-platform capable"),
        flag('q', "quiet", Bool(false), "Suppress verbose output"),
    ]],
    arity: Arity::Exactly(1),
    ..Command::new("pull")
};
