//! `docker image tag`.

use crate::docker::cli::client::{Client, Running};
use crate::docker::cli::command::*;
use crate::docker::cli::error::CliError;
use crate::docker::cli::parse::Invocation;
use crate::docker::image::reference::{Reference, is_identifier};
use crate::os::args::pflag::go_quote;

/// `docker image tag`.
pub static COMMAND: Command = Command {
    usage: "SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]",
    short: "Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE",
    alias_line: "docker image tag, docker tag",
    arity: Arity::Exactly(2),
    stop_at_operand: true,
    verb: Verb::Run(run),
    ..Command::new("tag")
};

fn run<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        let parse = |text: &str| {
            Reference::parse(text).map_err(|error| {
                let quoted = go_quote(text.as_bytes());
                CliError::new(format!("Error parsing reference: {quoted} is not a valid repository/tag: {error}"))
            })
        };
        let (source, target) = (given.operand(0), given.operand(1));
        if !is_identifier(&source) && !source.starts_with("sha256:") {
            parse(&source)?;
        }
        parse(&target)?;
        client.daemon.image_tag(&source, &target)?;
        Ok(())
    })
}
