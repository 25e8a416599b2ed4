//! `docker container port`.

use super::rows::host_port;
use crate::base::sort::Arrange;
use crate::docker::cli::client::{Client, Running};
use crate::docker::cli::command::*;
use crate::docker::cli::error::CliError;
use crate::docker::cli::parse::Invocation;

/// `docker container port`.
pub static COMMAND: Command = Command {
    usage: "CONTAINER [PRIVATE_PORT[/PROTO]]",
    short: "List port mappings or a specific mapping for the container",
    alias_line: "docker container port, docker port",
    arity: Arity::Between(1, 2),
    verb: Verb::Run(run),
    ..Command::new("port")
};

fn run<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        let name = given.operand(0);
        let container = client.daemon.container_brief(&name)?;
        let mut ports: Vec<_> = container.ports.iter().filter(|port| port.public_port.is_some()).collect();
        ports.arrange();
        ports.arrange_by_key(|port| port.private_port);
        let wanted = given.operands.get(1).map(|_| given.operand(1));
        let mut lines = String::new();
        for port in ports {
            let own = format!("{}/{}", port.private_port, port.protocol);
            let host =
                host_port(port.ip.as_deref().unwrap_or_default(), port.public_port.unwrap_or_default().to_string());
            match &wanted {
                None => lines.push_str(&format!("{own} -> {host}\n")),
                Some(text) if *text == own || format!("{text}/tcp") == own => lines.push_str(&format!("{host}\n")),
                Some(_) => {}
            }
        }
        if let (Some(text), true) = (&wanted, lines.is_empty()) {
            return Err(CliError::new(format!("Error: No public port '{text}' published for {name}")));
        }
        client.print(lines).await
    })
}
