//! Files and layers: what the project exists for.
//!
//! [`layer::Layer`] is an immutable changeset, [`tree::Tree`] a stack of them merged. Nothing here knows a process or Docker, and
//! nothing asks a clock: callers pass the time of a change.

pub mod archive;
pub mod capability;
pub mod gzip;
pub mod layer;
pub mod mounts;
pub mod node;
pub mod overlay;
pub mod packed;
pub mod stack;
pub mod tar;
pub mod tree;
pub mod xz;
