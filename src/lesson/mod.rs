//! Lessons, exercises and their checks, transcripts.

pub mod screen;
pub mod transcript;
