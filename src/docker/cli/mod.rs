//! The docker command line: one file a verb, one table a noun.
//!
//! `command` says what a command is, `commands` declares them all, `parse` reads words by those tables and `help` prints them.
//! Output has its own parts: `template` (Go's), `columns`, `progress`. Nothing here knows how the daemon does its work: verbs reach it
//! through `docker::daemon::api` only. `error` decides exit statuses and frames, once.

pub mod client;
pub mod columns;
pub mod command;
pub mod commands;
pub mod complete;
pub mod compose;
pub mod config;
pub mod connection;
pub mod create;
pub mod error;
pub mod fidelity;
pub mod help;
pub mod inspect;
pub mod parse;
pub mod progress;
pub mod session;
pub mod template;
pub mod transfer;
pub mod value;
pub mod when;

use crate::docker::daemon::api::Daemon;
use crate::os::args::Stop;
use crate::os::kernel::Proc;

/// The version of the client whose words these are.
pub const CLIENT_VERSION: &str = "28.2.2";
/// The commit that the client was built from.
pub const CLIENT_COMMIT: &str = "e6534b4";
/// When the client was built.
pub const CLIENT_BUILT: &str = "Fri May 30 12:07:14 2025";
/// The compiler that built the client.
pub const CLIENT_GO: &str = "go1.24.3";
/// The API that the client speaks by itself.
pub const CLIENT_API_VERSION: &str = "1.50";
/// The version of the client's plugin that builds.
pub const BUILDX_VERSION: &str = "v0.24.0";
/// The commit that the plugin was built from.
pub const BUILDX_COMMIT: &str = "d0e5e86c8b88ae4865040bc96917c338f4dd673c";
/// The API that a 27.5.1 daemon speaks: newer flags are refused.
pub const SERVER_API_VERSION: &str = "1.47";

/// The program `docker`: reads its words, runs the verb, writes what goes wrong, and answers the exit status.
pub async fn main(proc: Proc, daemon: Daemon) -> i32 {
    let words = proc.args().split_off(1.min(proc.args().len()));
    let client = client::Client { proc, daemon };
    let stop = match parse::parse(&commands::ROOT, &words, &client.screen()) {
        Ok(invocation) => match invocation.command.verb {
            command::Verb::Run(run) => {
                let ran = match connection::check(&client, &invocation) {
                    Ok(()) => run(&client, &invocation).await,
                    Err(error) => Err(error),
                };
                match ran {
                    Ok(()) => Stop::default(),
                    Err(error) => {
                        client.daemon.note_refusals(error.refusals());
                        error.into_stop()
                    }
                }
            }
            command::Verb::NotSimulated => error::not_simulated(&format!("'{}'", invocation.path)),
        },
        Err(stop) => stop,
    };
    if !stop.out.is_empty() && client.proc.print(&stop.out).await.is_err() {
        return 1;
    }
    if !stop.err.is_empty() {
        client.proc.eprint(&stop.err).await;
    }
    i32::from(stop.status)
}
