//! A student's machine to which lines are typed, for tests of what they do.

use std::time::Duration;

use capas::base::rope::Rope;
use capas::machine::{Config, Machine};

const HOME: &str = capas::machine::host::HOME;

/// The machine, at its host's prompt.
pub struct Session(pub Machine);

impl Session {
    /// A fresh one.
    pub fn new() -> Self {
        Self(Machine::new(Config { cols: 200, rows: 40, ..Config::default() }))
    }

    /// What a command prints when nobody looks.
    pub fn types(&mut self, line: &str) -> String {
        let tty = self.0.console();
        let (quiet, limit) = (Duration::from_secs(12), Duration::from_secs(3600));
        self.0.settle(tty, quiet, limit);
        self.0.input(tty, format!("{{ {line}; }} > out 2>&1 < /dev/null\r").as_bytes());
        self.0.settle(tty, quiet, limit);
        String::from_utf8_lossy(&self.file("out").to_vec()).into_owned()
    }

    /// Puts a file into the home folder.
    pub fn put(&mut self, name: &str, content: &Rope) {
        self.0.put_file(&format!("{HOME}/{name}"), &content.to_vec()).unwrap();
    }

    /// A file of the home folder.
    pub fn file(&self, name: &str) -> Rope {
        self.0.file(&format!("{HOME}/{name}")).unwrap()
    }
}
