//! The daemon: containers, images, volumes, networks, events; `api` is its only door.

pub mod api;
