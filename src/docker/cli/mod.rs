//! The docker command line: one file a verb, one table a noun.
//!
//! `command` says what a command is, `commands` declares them all, `parse` reads words by those tables and `help` prints them.
//! Output has its own parts: `template` (Go's), `columns`, `progress`. Nothing here knows how the daemon does its work: verbs reach it
//! through `docker::daemon::api` only. `error` decides exit statuses and frames, once.

pub mod columns;
pub mod command;
pub mod commands;
pub mod error;
pub mod help;
pub mod parse;
pub mod progress;
pub mod template;
pub mod value;

/// The version of the client whose words these are.
pub const CLIENT_VERSION: &str = "28.2.2";
/// The commit that the client was built from.
pub const CLIENT_COMMIT: &str = "e6534b4";
/// The API that a 27.5.1 daemon speaks: newer flags are refused.
pub const SERVER_API_VERSION: &str = "1.47";
