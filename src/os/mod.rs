//! The simulated operating system: files, processes, shell and programs. Nothing here mentions Docker.

pub mod fs;
