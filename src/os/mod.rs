//! The simulated operating system: files, processes, shell and programs. Nothing here mentions Docker.

pub mod args;
pub mod fs;
pub mod kernel;
pub mod shell;
pub mod userland;
