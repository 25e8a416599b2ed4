//! Images: references, configs, manifests, history, the content-addressed store.
//!
//! An image is a value: the bytes of its config JSON, whose SHA-256 is its name, and a stack of layers named by that
//! config. Nothing here runs a process, builds an image or knows a container; who uses an image is told from outside.

pub mod change;
pub mod config;
pub mod delete;
pub mod manifest;
pub mod memo;
pub mod reference;
pub mod step;
pub mod store;

pub use config::{ContainerConfig, History, Image, ImageConfig};
pub use memo::DigestMemo;
pub use reference::{Reference, Repository};
pub use store::Store;
