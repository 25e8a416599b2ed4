//! The daemon's API: the only door through which the docker client reaches it.

pub mod build;
