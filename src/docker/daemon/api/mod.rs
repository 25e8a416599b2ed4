//! The daemon's API: the only door through which the docker client reaches it.
//!
//! It mirrors Docker Engine API 1.47: what a request asks and what a response tells, in types. [`Daemon`] is the
//! connection; a method is a route. Inspections are JSON documents, as templates and `jq` go through them field by
//! field. What lasts (logs, events, attached output) comes through a [`stream::Receiver`].

pub mod build;
pub mod container;
pub mod image;
pub mod layers;
pub mod network;
pub mod snapshot;
pub mod stream;
pub mod system;
pub mod volume;

use std::collections::BTreeMap;

pub use super::errors::{Class, DaemonError, RuntimeError};
pub use super::handle::{Daemon, Patterns};
pub use crate::os::fs::capability::NAMES as CAPABILITIES;

/// `--filter`: values by name, as the API's JSON map.
pub type Filters = BTreeMap<String, Vec<String>>;

/// The API's version.
pub const API_VERSION: &str = "1.47";
/// The daemon's version.
pub const SERVER_VERSION: &str = "27.5.1";
