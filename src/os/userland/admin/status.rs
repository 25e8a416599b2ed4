//! dpkg's database as it stands in a file system: `/var/lib/dpkg/status` and apt's note of what came by itself.

use std::collections::{BTreeMap, BTreeSet};

use super::text_of;
use crate::base::errno::Errno;
use crate::base::rope::Rope;
use crate::os::kernel::Proc;
use crate::os::userland::packages::Package;

/// dpkg's database.
pub const STATUS: &str = "/var/lib/dpkg/status";
/// Where apt notes which packages came as dependencies.
pub const STATES: &str = "/var/lib/apt/extended_states";
/// Where dpkg keeps each package's list of files and scripts.
pub const INFO: &str = "/var/lib/dpkg/info";

/// A package's stanza.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stanza(pub String);

impl Stanza {
    /// A field's value, its first line.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.0.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.field("Package").unwrap_or_default()
    }

    /// Its version.
    pub fn version(&self) -> &str {
        self.field("Version").unwrap_or_default()
    }

    /// Its architecture.
    pub fn architecture(&self) -> &str {
        self.field("Architecture").unwrap_or("all")
    }

    /// Whether it is installed, not only its configuration.
    pub fn is_installed(&self) -> bool {
        self.field("Status").is_some_and(|status| status.ends_with(" installed"))
    }

    /// Names of the packages it needs.
    pub fn depends(&self) -> impl Iterator<Item = &str> {
        self.list("Depends")
    }

    /// Names of the packages that usually come with it.
    pub fn recommends(&self) -> impl Iterator<Item = &str> {
        self.list("Recommends")
    }

    fn list(&self, field: &str) -> impl Iterator<Item = &str> {
        let words = self.field(field).unwrap_or_default().split(',');
        words.map(|word| word.trim().split(' ').next().unwrap_or_default()).filter(|word| !word.is_empty())
    }

    /// `libc6:amd64` where dpkg writes it so, else the bare name.
    pub fn info_name(&self) -> String {
        match self.field("Multi-Arch") {
            Some("same") => format!("{}:{}", self.name(), self.architecture()),
            _ => self.name().to_owned(),
        }
    }

    /// dpkg's three letters without the third: `ii`, `rc`.
    pub fn letters(&self) -> &'static str {
        if self.is_installed() { "ii" } else { "rc" }
    }
}

/// Every package that dpkg knows of.
#[derive(Default, Debug)]
pub struct Database {
    /// By name.
    pub stanzas: BTreeMap<String, Stanza>,
    /// Names of those that came as dependencies.
    pub auto: BTreeSet<String>,
}

impl Database {
    /// Reads it.
    pub async fn load(proc: &Proc) -> Self {
        let text = text_of(proc, STATUS).await;
        let stanzas = text.split("\n\n").map(|stanza| Stanza(stanza.trim_matches('\n').to_owned()));
        let stanzas = stanzas.filter(|stanza| !stanza.name().is_empty());
        let states = text_of(proc, STATES).await;
        let auto = states
            .split("\n\n")
            .map(|state| Stanza(state.trim_matches('\n').to_owned()))
            .filter(|state| state.field("Auto-Installed") == Some("1"))
            .map(|state| state.name().to_owned())
            .collect();
        Self { stanzas: stanzas.map(|stanza| (stanza.name().to_owned(), stanza)).collect(), auto }
    }

    /// Writes it.
    ///
    /// # Errors
    /// Those of writing a file.
    pub async fn save(&self, proc: &Proc) -> Result<(), Errno> {
        let text: String =
            self.stanzas.values().map(|stanza| format!("{}\n\n", stanza.0.trim_end_matches('\n'))).collect();
        proc.write_file(STATUS.as_bytes(), &Rope::from(text.as_str())).await?;
        self.save_states(proc).await
    }

    /// Writes which packages came as dependencies.
    ///
    /// # Errors
    /// Those of writing a file.
    pub async fn save_states(&self, proc: &Proc) -> Result<(), Errno> {
        let mut text = String::new();
        for name in self.auto.iter().filter(|name| self.is_installed(name)) {
            text.push_str(&format!("Package: {name}\nArchitecture: amd64\nAuto-Installed: 1\n\n"));
        }
        proc.write_file(STATES.as_bytes(), &Rope::from(text.as_str())).await
    }

    /// Whether a package is installed.
    pub fn is_installed(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// An installed package.
    pub fn get(&self, name: &str) -> Option<&Stanza> {
        self.stanzas.get(name).filter(|stanza| stanza.is_installed())
    }

    /// Notes that a package is installed.
    pub fn add(&mut self, package: &Package) {
        self.stanzas.insert(package.name().to_owned(), Stanza(package.status_stanza()));
    }

    /// Notes that only a package's configuration is left.
    pub fn keep_configuration(&mut self, name: &str) {
        if let Some(stanza) = self.stanzas.get_mut(name) {
            stanza.0 = stanza.0.replace("Status: install ok installed", "Status: deinstall ok config-files");
        }
    }

    /// The installed packages, by name.
    pub fn installed(&self) -> impl Iterator<Item = &Stanza> {
        self.stanzas.values().filter(|stanza| stanza.is_installed())
    }
}

/// How many files and directories dpkg's lists name: what `(Reading database ...` counts.
pub async fn count_files(proc: &Proc) -> usize {
    let mut count = 0;
    for entry in proc.readdir(INFO.as_bytes()).unwrap_or_default() {
        if entry.name.ends_with(b".list") {
            count += text_of(proc, &format!("{INFO}/{}", entry.name)).await.lines().count();
        }
    }
    count
}
