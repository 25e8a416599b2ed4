//! The programs: one file each, and a table.

pub mod packages;
