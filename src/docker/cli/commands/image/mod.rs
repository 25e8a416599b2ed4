//! `docker image`: its verbs.

use crate::docker::cli::command::Noun;

pub mod build;
pub mod build_cache;
mod build_output;
pub mod history;
pub mod import;
pub mod inspect;
pub mod load;
pub mod ls;
pub mod prune;
pub mod pull;
pub mod push;
pub mod rm;
pub mod rows;
pub mod save;
pub mod tag;

/// `docker image`.
pub static IMAGE: Noun = Noun::new(
    "image",
    "Manage images",
    &[
        &build::COMMAND,
        &history::COMMAND,
        &import::COMMAND,
        &inspect::COMMAND,
        &load::COMMAND,
        &ls::COMMAND,
        &prune::COMMAND,
        &pull::COMMAND,
        &push::COMMAND,
        &rm::COMMAND,
        &save::COMMAND,
        &tag::COMMAND,
    ],
);
