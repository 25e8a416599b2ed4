//! `docker image build`.

use crate::docker::cli::command::*;
use crate::docker::cli::value::Kind::*;

/// `docker image build`.
pub static COMMAND: Command = Command {
    usage: "[OPTIONS] PATH | URL | -",
    short: "Build an image from a Dockerfile",
    alias_line: "docker image build, docker build, docker builder build",
    flags: &[&[
        long("add-host", HostIp, "Add a custom host-to-IP mapping (\"host:ip\")"),
        long("build-arg", List, "Set build-time variables"),
        long("cache-from", Strings, "Images to consider as cache sources"),
        long("cgroup-parent", Text, "Set the parent cgroup for the \"RUN\" instructions during build").not_simulated(),
        long("compress", Bool(false), "Compress the build context using gzip"),
        long("cpu-period", Int, "Limit the CPU CFS (Completely Fair Scheduler) period").not_simulated(),
        long("cpu-quota", Int, "Limit the CPU CFS (Completely Fair Scheduler) quota").not_simulated(),
        flag('c', "cpu-shares", Int, "CPU shares (relative weight)").not_simulated(),
        long("cpuset-cpus", Text, "CPUs in which to allow execution (0-3, 0,1)").not_simulated(),
        long("cpuset-mems", Text, "MEMs in which to allow execution (0-3, 0,1)").not_simulated(),
        long("disable-content-trust", Bool(true), "Skip image verification (default true)"),
        flag('f', "file", Text, "Name of the Dockerfile (Default is \"PATH/Dockerfile\")"),
        long("force-rm", Bool(false), "Always remove intermediate containers"),
        long("iidfile", Text, "Write the image ID to the file"),
        long("isolation", Text, "Container isolation technology").not_simulated(),
        long("label", Label, "Set metadata for an image"),
        flag('m', "memory", Bytes, "Memory limit"),
        long("memory-swap", SwapBytes, "Swap limit equal to memory plus swap: -1 to enable unlimited swap")
            .not_simulated(),
        long("network", Text, "Set the networking mode for the RUN instructions during build (default \"default\")"),
        long("no-cache", Bool(false), "Do not use cache when building the image"),
        long("platform", Text, "Set platform if server is multi-platform capable"),
        long("pull", Bool(false), "Always attempt to pull a newer version of the image"),
        flag('q', "quiet", Bool(false), "Suppress the build output and print image ID on success"),
        long("rm", Bool(true), "Remove intermediate containers after a successful build (default true)"),
        long("security-opt", Strings, "Security options").not_simulated(),
        long("shm-size", Bytes, "Size of \"/dev/shm\""),
        long("squash", Bool(false), "Squash newly built layers into a single new layer").not_simulated(),
        flag('t', "tag", List, "Name and optionally a tag in the \"name:tag\" format"),
        long("target", Text, "Set the target build stage to build."),
        long("ulimit", Ulimit, "Ulimit options (default [])").not_simulated(),
    ]],
    arity: Arity::Exactly(1),
    ..Command::new("build")
};
