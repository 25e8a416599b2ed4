//! `docker volume`: its verbs.

use crate::docker::cli::command::Noun;

pub mod create;
pub mod inspect;
pub mod ls;
pub mod prune;
pub mod rm;
pub mod rows;
pub mod update;

/// `docker volume`.
pub static VOLUME: Noun = Noun {
    name: "volume",
    short: "Manage volumes",
    verbs: &[&create::COMMAND, &inspect::COMMAND, &ls::COMMAND, &prune::COMMAND, &rm::COMMAND, &update::COMMAND],
    swarm: false,
};
