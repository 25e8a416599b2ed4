//! The daemon: containers, images, volumes, networks, events; `api` is its only door.
//!
//! [`handle::Daemon`] is a handle whose methods return owned values; all state is behind it. Work that outlasts a
//! request (a container's supervision, a stop's grace) runs in processes of the host, as with the real shim, so that a
//! client that goes away takes nothing with it. Builders and the build cache are given by the machine.

pub mod api;
pub mod archive;
pub mod container;
pub mod create;
pub mod errors;
pub mod events;
pub mod files;
pub mod graph;
pub mod handle;
pub mod health;
pub mod image;
pub mod layers;
pub mod lifetime;
pub mod limits;
pub mod links;
pub mod load;
pub mod logs;
pub mod names;
pub mod network;
pub mod pull;
pub mod push;
pub mod query;
pub mod remote;
pub mod resolv;
mod rootfs;
pub mod run;
pub mod save;
pub mod settings;
pub mod snapshot;
pub mod system;
#[cfg(test)]
mod tests;
pub mod users;
pub mod volume;
pub mod volume_mounts;
