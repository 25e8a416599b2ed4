//! Lessons, exercises and their checks, transcripts.

pub mod blocks;
mod check;
pub mod exercise;
pub mod grade;
pub mod index;
pub mod markdown;
mod measure;
pub mod prove;
pub mod record;
pub mod run;
pub mod say;
pub mod scene;
pub mod screen;
pub mod slides;
pub mod submission;
pub mod transcript;
mod words;

pub use check::Miss;
pub use measure::Value;
