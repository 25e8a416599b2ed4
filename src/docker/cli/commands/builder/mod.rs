//! `docker builder`: its verbs.

use crate::docker::cli::command::Noun;

pub mod prune;

/// `docker builder`.
pub static BUILDER: Noun = Noun::new("builder", "Manage builds", &[&super::image::build::COMMAND, &prune::COMMAND]);
