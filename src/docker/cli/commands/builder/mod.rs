//! `docker builder`: its verbs.

use crate::docker::cli::command::Noun;

pub mod prune;

/// `docker builder`.
pub static BUILDER: Noun = Noun {
    name: "builder",
    short: "Manage builds",
    verbs: &[&super::image::build::COMMAND, &prune::COMMAND],
    swarm: false,
};
