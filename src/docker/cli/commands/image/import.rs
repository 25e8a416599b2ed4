//! `docker image import`.

use crate::docker::cli::client::{Client, Running, go_errno};
use crate::docker::cli::command::*;
use crate::docker::cli::error::CliError;
use crate::docker::cli::parse::Invocation;
use crate::docker::cli::value::Kind::*;
use crate::docker::cli::value::check_platform;

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
    verb: Verb::Run(run),
    ..Command::new("import")
};

fn run<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        let source = given.operand(0);
        let platform = given.string("platform").unwrap_or_default();
        check_platform(&platform).map_err(CliError::new)?;
        if source.contains("://") {
            return Err(CliError::new("importing from a URL is not simulated in Capas"));
        }
        let archive = match source.as_str() {
            "-" => client.proc.read_all(0).await.map_err(|errno| CliError::new(go_errno(errno)))?,
            path => client.read_file(path).await.map_err(CliError::new)?,
        };
        let (message, changes) = (given.string("message").unwrap_or_default(), given.strings("change"));
        let id = client.daemon.image_import(&archive, &given.operand(1), &message, &changes).await?;
        client.say(id.to_string()).await
    })
}
