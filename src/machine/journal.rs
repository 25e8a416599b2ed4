//! The journal: everything that came into a machine, and when. With the seed it is the whole session.

use serde::{Deserialize, Serialize};

use super::Config;
use super::browser::Request;
use super::content::Content;
use crate::base::time::Timestamp;

/// The form of journals that this program writes and reads.
pub const VERSION: u32 = 1;

/// One input.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    /// Keys.
    Type {
        /// The terminal.
        tty: u32,
        /// What was typed.
        bytes: Vec<u8>,
    },
    /// A new size of a terminal.
    Resize {
        /// The terminal.
        tty: u32,
        /// Columns.
        cols: u16,
        /// Rows.
        rows: u16,
    },
    /// Another terminal.
    OpenConsole {
        /// Columns.
        cols: u16,
        /// Rows.
        rows: u16,
    },
    /// A file dropped on the host.
    PutFile {
        /// Its path.
        path: String,
        /// Its bytes.
        content: Content,
    },
    /// A file that the student saved or dropped: with the student's own rights.
    SaveFile {
        /// Its path.
        path: String,
        /// Its bytes.
        content: Content,
    },
    /// A request of the student's browser.
    Fetch(Request),
}

/// A session.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Journal {
    /// [`VERSION`] when it was written.
    pub version: u32,
    /// The machine's seed.
    pub seed: u64,
    /// When it was switched on.
    pub epoch: Timestamp,
    /// Columns of the first terminal.
    pub cols: u16,
    /// Rows of the first terminal.
    pub rows: u16,
    /// `NAME=value` in the environment of the student's shells.
    #[serde(default)]
    pub env: Vec<String>,
    /// What came in, in order of time.
    pub inputs: Vec<(Timestamp, Input)>,
    /// The time up to which the machine ran.
    pub end: Timestamp,
}

impl Journal {
    /// An empty session.
    pub fn new(config: &Config) -> Self {
        Self {
            version: VERSION,
            seed: config.seed,
            epoch: config.epoch,
            cols: config.cols,
            rows: config.rows,
            env: config.env.clone(),
            inputs: Vec::new(),
            end: config.epoch,
        }
    }

    /// What its machine was made from.
    pub fn config(&self) -> Config {
        Config { seed: self.seed, epoch: self.epoch, cols: self.cols, rows: self.rows, env: self.env.clone() }
    }

    /// Puts the inputs of a later part of the same session behind these; whether it is one.
    #[must_use]
    pub fn append(&mut self, part: Self) -> bool {
        let head = |journal: &Self| (journal.seed, journal.epoch, journal.cols, journal.rows);
        let is_later = part.inputs.first().is_none_or(|(time, _)| *time >= self.end);
        if head(self) != head(&part) || self.env != part.env || !is_later {
            return false;
        }
        self.inputs.extend(part.inputs);
        self.end = part.end.max(self.end);
        true
    }
}
