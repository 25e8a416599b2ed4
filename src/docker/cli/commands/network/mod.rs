//! `docker network`: its verbs.

use crate::docker::cli::command::Noun;

pub mod connect;
pub mod create;
pub mod disconnect;
pub mod inspect;
pub mod ls;
pub mod prune;
pub mod rm;

/// `docker network`.
pub static NETWORK: Noun = Noun::new(
    "network",
    "Manage networks",
    &[
        &connect::COMMAND,
        &create::COMMAND,
        &disconnect::COMMAND,
        &inspect::COMMAND,
        &ls::COMMAND,
        &prune::COMMAND,
        &rm::COMMAND,
    ],
);
