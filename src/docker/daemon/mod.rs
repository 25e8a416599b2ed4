//! The daemon: containers, images, volumes, networks, events; `api` is its only door.
