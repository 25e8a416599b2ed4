//! Builds: plan, cache, context, execution, progress.
//!
//! A build turns a Dockerfile and a context into an image in the store. It knows no terminal and no client: it tells
//! what it does in [`crate::docker::daemon::api::build::BuildEvent`]s.

pub mod change;
pub mod context;
pub mod error;
pub mod files;
