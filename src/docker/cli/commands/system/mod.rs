//! `docker system`: its verbs.

use crate::docker::cli::command::Noun;

pub mod df;
pub mod events;
pub mod info;
pub mod prune;

/// `docker system`.
pub static SYSTEM: Noun = Noun {
    name: "system",
    short: "Manage Docker",
    verbs: &[&df::COMMAND, &events::COMMAND, &info::COMMAND, &prune::COMMAND],
    swarm: false,
};
