//! Values without a world: nothing here knows a process, a file system or Docker.
//!
//! Every function is pure. What depends on time, randomness or files takes them as arguments.

pub mod base64;
pub mod digest;
pub mod errno;
pub mod language;
pub mod packed;
pub mod path;
pub mod rng;
pub mod rope;
pub mod sha1;
pub mod size;
pub mod sort;
pub mod table;
pub mod time;
