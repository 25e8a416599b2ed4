//! `docker compose`: projects of services over the daemon's API, with the words of docker/compose.
//!
//! A service becomes the words of a `docker create` that means the same, read by the client's own tables: what compose
//! does and what the docker client does can't differ.

pub mod convert;
pub mod dotenv;
pub mod engine;
pub mod files;
pub mod named;
pub mod project;
pub mod steps;
pub mod yaml;

/// The version whose words these are.
pub const COMPOSE_VERSION: &str = "v2.36.2";
