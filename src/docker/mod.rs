//! Docker: Dockerfiles, images, registries, the daemon, builds, the command line, and the program that shows layers as text.

pub mod build;
pub mod capas;
pub mod cli;
pub mod daemon;
pub mod distribution;
pub mod dockerfile;
pub mod http;
pub mod image;
pub mod registry;
