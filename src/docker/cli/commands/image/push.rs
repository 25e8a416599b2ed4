//! `docker image push`.

use crate::docker::cli::command::*;
use crate::docker::cli::value::Kind::*;

/// `docker image push`.
pub static COMMAND: Command = Command {
    usage: "[OPTIONS] NAME[:TAG]",
    short: "Upload an image to a registry",
    alias_line: "docker image push, docker push",
    flags: &[&[
        flag('a', "all-tags", Bool(false), "Push all tags of an image to the repository"),
        long("disable-content-trust", Bool(true), "Skip image signing (default true)"),
        long(
            "platform",
            Text,
            "Push a platform-specific manifest as a single-platform image to the registry.\nImage index won't be pushed, meaning that other manifests, including attestations won't be preserved.\n'os[/arch[/variant]]': Explicit platform (eg. linux/amd64)",
        ),
        flag('q', "quiet", Bool(false), "Suppress verbose output"),
    ]],
    arity: Arity::Exactly(1),
    ..Command::new("push")
};
