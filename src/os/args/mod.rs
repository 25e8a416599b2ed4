//! One option parser with two dialects, options as data.
//!
//! `scan` walks the words and knows both syntaxes; `getopt` speaks GNU's and busybox's words on top of it, `pflag` Go's (Docker's).
//! Nothing here prints: errors are values that know their text. What an option means is left to the program that declares it.

pub mod getopt;
pub mod number;
pub mod pflag;
pub mod scan;

pub use getopt::{Flavour, Parsed, Spec, Stop, getopt};
pub use scan::{Opt, Takes, flag, long_flag, long_optional, long_value, optional, value};
