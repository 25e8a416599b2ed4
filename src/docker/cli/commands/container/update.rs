//! `docker container update`.

use crate::docker::cli::client::{Client, Running};
use crate::docker::cli::command::*;
use crate::docker::cli::create;
use crate::docker::cli::error::CliError;
use crate::docker::cli::parse::Invocation;
use crate::docker::cli::value::Kind::*;
use crate::docker::daemon::api::container::UpdateRequest;

/// `docker container update`.
pub static COMMAND: Command = Command {
    usage: "[OPTIONS] CONTAINER [CONTAINER...]",
    short: "Update configuration of one or more containers",
    alias_line: "docker container update, docker update",
    flags: &[&[
        long("blkio-weight", Uint16, "Block IO (relative weight), between 10 and 1000, or 0 to disable (default 0)")
            .not_simulated(),
        long("cpu-period", Int, "Limit CPU CFS (Completely Fair Scheduler) period"),
        long("cpu-quota", Int, "Limit CPU CFS (Completely Fair Scheduler) quota"),
        long("cpu-rt-period", Int, "Limit the CPU real-time period in microseconds").not_simulated(),
        long("cpu-rt-runtime", Int, "Limit the CPU real-time runtime in microseconds").not_simulated(),
        flag('c', "cpu-shares", Int, "CPU shares (relative weight)"),
        long("cpus", Decimal, "Number of CPUs"),
        long("cpuset-cpus", Text, "CPUs in which to allow execution (0-3, 0,1)"),
        long("cpuset-mems", Text, "MEMs in which to allow execution (0-3, 0,1)").not_simulated(),
        flag('m', "memory", Bytes, "Memory limit"),
        long("memory-reservation", Bytes, "Memory soft limit"),
        long("memory-swap", SwapBytes, "Swap limit equal to memory plus swap: -1 to enable unlimited swap"),
        long("pids-limit", Int, "Tune container pids limit (set -1 for unlimited)"),
        long("restart", Text, "Restart policy to apply when a container exits"),
    ]],
    arity: Arity::AtLeast(1),
    verb: Verb::Run(run),
    ..Command::new("update")
};

fn run<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        if given.given().next().is_none() {
            return Err(CliError::new("you must provide one or more flags when using this command"));
        }
        let restart = given.string("restart").map(|text| create::restart(&text)).transpose().map_err(CliError::new)?;
        let request = UpdateRequest { restart_policy: restart, resources: create::resources(given) };
        let (mut warnings, mut refused) = (Vec::new(), Vec::new());
        for name in given.operand_strings() {
            match client.daemon.container_update(&name, request.clone()) {
                Ok(told) => {
                    client.say(&name).await?;
                    warnings.extend(told);
                }
                Err(error) => refused.push(error),
            }
        }
        if !warnings.is_empty() {
            client.say(warnings.join("\n")).await?;
        }
        CliError::all(refused)
    })
}
