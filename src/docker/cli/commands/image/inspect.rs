//! `docker image inspect`.

use crate::docker::cli::client::{Client, Running};
use crate::docker::cli::command::*;
use crate::docker::cli::error::from_daemon;
use crate::docker::cli::inspect::{Document, inspect};
use crate::docker::cli::parse::Invocation;
use crate::docker::cli::template::IMAGE;
use crate::docker::cli::value::Kind::*;

/// `docker image inspect`.
pub static COMMAND: Command = Command {
    usage: "[OPTIONS] IMAGE [IMAGE...]",
    short: "Display detailed information on one or more images",
    flags: &[&[
        flag('f', "format", Text, FORMAT),
        long("platform", Text, "Inspect a specific platform of the multi-platform image.\nIf the image or the server is not multi-platform capable, the command will error out if the platform does not match.\n'os[/arch[/variant]]': Explicit platform (eg. linux/amd64)").since_api("1.49"),
    ]],
    arity: Arity::AtLeast(1),
    verb: Verb::Run(run),
    ..Command::new("inspect")
};

fn run<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        let find = |name: &str| match client.daemon.image_inspect(name) {
            Ok(value) => Ok(Document { value, of: Some(&IMAGE) }),
            Err(error) => Err(from_daemon(&error)),
        };
        inspect(client, &given.operand_strings(), &given.string("format").unwrap_or_default(), find).await
    })
}
