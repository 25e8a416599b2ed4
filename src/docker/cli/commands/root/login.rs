//! `docker login`.

use crate::docker::cli::command::*;
use crate::docker::cli::value::Kind::*;

/// `docker login`.
pub static COMMAND: Command = Command {
    usage: "[OPTIONS] [SERVER]",
    short: "Authenticate to a registry",
    long: "Authenticate to a registry.\nDefaults to Docker Hub if no server is specified.",
    flags: &[&[
        flag('p', "password", Text, "Password or Personal Access Token (PAT)"),
        long("password-stdin", Bool(false), "Take the Password or Personal Access Token (PAT) from stdin"),
        flag('u', "username", Text, "Username"),
    ]],
    arity: Arity::AtMost(1),
    ..Command::new("login")
};
