//! `docker buildx build`: the flags and the help of docker/buildx; the work is that of `docker image build`.

use crate::docker::cli::command::*;
use crate::docker::cli::commands::image::build::{EXPLAIN, run};
use crate::docker::cli::value::Kind::*;

/// `docker buildx build`.
pub static COMMAND: Command = Command {
    aliases: &["b"],
    usage: "[OPTIONS] PATH | URL | -",
    short: "Start a build",
    alias_line: "docker build, docker builder build, docker image build, docker buildx b",
    flags: &[&[
        long("add-host", HostIp, "Add a custom host-to-IP mapping (format: \"host:ip\")"),
        long("allow", List, "Allow extra privileged entitlement (e.g., \"network.host\", \"security.insecure\")"),
        long("annotation", List, "Add annotation to the image").not_simulated(),
        long("attest", List, "Attestation parameters (format: \"type=sbom,generator=image\")").not_simulated(),
        long("build-arg", List, "Set build-time variables"),
        long("build-context", List, "Additional build contexts (e.g., name=path)"),
        long("builder", Text, "Override the configured builder instance (default \"default\")"),
        long("cache-from", List, "External cache sources (e.g., \"user/app:cache\", \"type=local,src=path/to/dir\")"),
        long("cache-to", List, "Cache export destinations (e.g., \"user/app:cache\", \"type=local,dest=path/to/dir\")"),
        long("call", Text, "Set method for evaluating build (\"check\", \"outline\", \"targets\") (default \"build\")"),
        long("cgroup-parent", Text, "Set the parent cgroup for the \"RUN\" instructions during build").not_simulated(),
        long("check", Bool(false), "Shorthand for \"--call=check\""),
        flag('D', "debug", Bool(false), "Enable debug logging"),
        EXPLAIN,
        flag('f', "file", Text, "Name of the Dockerfile (default: \"PATH/Dockerfile\")"),
        long("iidfile", Text, "Write the image ID to a file"),
        long("label", Label, "Set metadata for an image"),
        long("load", Bool(false), "Shorthand for \"--output=type=docker\""),
        long("metadata-file", Text, "Write build result metadata to a file"),
        long(
            "network",
            Text,
            "Set the networking mode for the \"RUN\" instructions during build (default \"default\")",
        ),
        long("no-cache", Bool(false), "Do not use cache when building the image"),
        long("no-cache-filter", List, "Do not cache specified stages"),
        flag('o', "output", List, "Output destination (format: \"type=local,dest=path\")"),
        long("platform", Text, "Set target platform for build"),
        long(
            "progress",
            Text,
            "Set type of progress output (\"auto\", \"quiet\", \"plain\", \"tty\", \"rawjson\"). Use plain to show container output (default \"auto\")",
        ),
        long("provenance", Text, "Shorthand for \"--attest=type=provenance\""),
        long("pull", Bool(false), "Always attempt to pull all referenced images"),
        long("push", Bool(false), "Shorthand for \"--output=type=registry,unpack=false\""),
        flag('q', "quiet", Bool(false), "Suppress the build output and print image ID on success"),
        long("sbom", Text, "Shorthand for \"--attest=type=sbom\"").not_simulated(),
        long("secret", List, "Secret to expose to the build (format: \"id=mysecret[,src=/local/secret]\")"),
        long("shm-size", Bytes, "Shared memory size for build containers").not_simulated(),
        long(
            "ssh",
            List,
            "SSH agent socket or keys to expose to the build (format: \"default|<id>[=<socket>|<key>[,<key>]]\")",
        ),
        flag('t', "tag", Tag, "Name and optionally a tag (format: \"name:tag\")"),
        long("target", Text, "Set the target build stage to build"),
        long("ulimit", Ulimit, "Ulimit options (default [])").not_simulated(),
        // What the classic builder had and docker/buildx takes without a word.
        long("rm", Bool(true), "Remove intermediate containers after a successful build").hidden(),
        long("force-rm", Bool(false), "Always remove intermediate containers").hidden(),
        long("compress", Bool(false), "Compress the build context using gzip").hidden(),
    ]],
    arity: Arity::Exactly(1),
    verb: Verb::Run(run),
    ..Command::new("build")
};
