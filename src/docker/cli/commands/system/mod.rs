//! `docker system`: its verbs.

use crate::docker::cli::command::Noun;

pub mod df;
pub mod events;
pub mod info;
pub mod prune;

/// `docker system`.
pub static SYSTEM: Noun =
    Noun::new("system", "Manage Docker", &[&df::COMMAND, &events::COMMAND, &info::COMMAND, &prune::COMMAND]);
