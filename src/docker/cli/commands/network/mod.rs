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
pub static NETWORK: Noun = Noun {
    name: "network",
    short: "Manage networks",
    verbs: &[
        &connect::COMMAND,
        &create::COMMAND,
        &disconnect::COMMAND,
        &inspect::COMMAND,
        &ls::COMMAND,
        &prune::COMMAND,
        &rm::COMMAND,
    ],
    swarm: false,
};
