//! The Engine API over HTTP, as it is on `/var/run/docker.sock`: requests in, answers out.
//!
//! [`routes`] is the table; the other files answer over [`crate::docker::daemon::api`]. Nothing here knows a real socket:
//! inside of the machine [`server`] reads and writes HTTP itself; `capas daemon` brings requests from outside.

mod build;
mod containers;
mod create;
pub mod exchange;
mod images;
mod networks;
mod progress;
mod routes;
pub mod server;
mod streams;
mod system;
mod volumes;
