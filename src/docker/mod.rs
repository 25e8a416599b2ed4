//! Docker: Dockerfiles, images, registries, the daemon, builds and the command line.

pub mod build;
pub mod cli;
pub mod daemon;
pub mod dockerfile;
pub mod image;
pub mod registry;
