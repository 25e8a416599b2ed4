//! `docker logout`.

use crate::docker::cli::command::*;

/// `docker logout`.
pub static COMMAND: Command = Command {
    usage: "[SERVER]",
    short: "Log out from a registry",
    long: "Log out from a registry.\nIf no server is specified, the default is defined by the daemon.",
    arity: Arity::AtMost(1),
    ..Command::new("logout")
};
