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
pub static VOLUME: Noun = Noun::new(
    "volume",
    "Manage volumes",
    &[&create::COMMAND, &inspect::COMMAND, &ls::COMMAND, &prune::COMMAND, &rm::COMMAND, &update::COMMAND],
);
