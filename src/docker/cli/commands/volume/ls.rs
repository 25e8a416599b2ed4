//! `docker volume ls`.

use super::rows;
use crate::docker::cli::client::{Client, Running};
use crate::docker::cli::columns::{filters, template_error};
use crate::docker::cli::command::*;
use crate::docker::cli::parse::Invocation;
use crate::docker::cli::value::Kind::*;

/// `docker volume ls`.
pub static COMMAND: Command = Command {
    aliases: &["list"],
    usage: "[OPTIONS]",
    short: "List volumes",
    alias_line: "docker volume ls, docker volume list",
    flags: &[&[
        long("cluster", Bool(false), "Display only cluster volumes, and use cluster volume list formatting")
            .not_simulated(),
        flag('f', "filter", Filter, "Provide filter values (e.g. \"dangling=true\")"),
        long("format", Text, TABLE_FORMAT),
        flag('q', "quiet", Bool(false), "Only display volume names"),
    ]],
    verb: Verb::Run(run),
    ..Command::new("ls")
};

fn run<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        let format = given.string("format").unwrap_or_default();
        let layout = match format.as_str() {
            "" | "table" | "raw" if given.bool("quiet") => "{{.Name}}",
            "" | "table" => "table {{.Driver}}\t{{.Name}}",
            "raw" => "name: {{.Name}}\ndriver: {{.Driver}}\n",
            _ => &format,
        };
        let rows: Vec<_> = client.daemon.volume_list(&filters(given))?.iter().map(|v| rows::volume(v, false)).collect();
        client.print(rows::VOLUMES.render(layout, &rows).map_err(template_error)?).await
    })
}
