//! Dockerfiles: lines, typed instructions with spans, words, ignore rules, checks.
//!
//! Text in, values out: nothing here knows an image, a file system or a build. The grammar and the words of errors
//! are BuildKit's.

pub mod error;
pub mod ignore;
pub mod instruction;
pub mod lines;
pub mod lint;
pub mod mount;
pub mod parse;
pub mod quote;
pub mod trim;
pub mod words;

pub use error::{ParseError, Problem, Span};
pub use instruction::{Command, Dockerfile, Instruction, Stage};
pub use parse::{parse, parse_trigger};
