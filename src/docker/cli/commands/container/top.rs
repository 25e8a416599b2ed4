//! `docker container top`.

use crate::base::table::tabulate_with;
use crate::docker::cli::client::{Client, Running};
use crate::docker::cli::command::*;
use crate::docker::cli::parse::Invocation;

/// `docker container top`.
pub static COMMAND: Command = Command {
    usage: "CONTAINER [ps OPTIONS]",
    short: "Display the running processes of a container",
    alias_line: "docker container top, docker top",
    arity: Arity::AtLeast(1),
    stop_at_operand: true,
    verb: Verb::Run(run),
    ..Command::new("top")
};

fn run<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        let top = client.daemon.container_top(&given.operand(0), &given.operand_strings().split_off(1))?;
        let rows: Vec<Vec<String>> = std::iter::once(top.titles).chain(top.processes).collect();
        client.print(tabulate_with(&rows, 20, 3)).await
    })
}
