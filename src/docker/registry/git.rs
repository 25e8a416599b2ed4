//! Git repositories that builds may take as their context: what the simulated network has of them.
//!
//! A repository is its branches, each one commit with its files (`static/repositories`). Ids are git's own: the SHA-1 of
//! blobs, trees and commits as git writes them.

use std::collections::BTreeMap;
use std::sync::Arc;

use bstr::BString;

use crate::base::digest::hex;
use crate::base::sha1::sha1;
use crate::base::time::Timestamp;
use crate::os::fs::layer::{Change, Layer};
use crate::os::fs::node::{Entry, Meta};

/// A repository.
#[derive(Debug)]
pub struct Repository {
    /// Its address without the scheme and `.git`.
    pub address: &'static str,
    /// Its branches, the default one first.
    pub branches: &'static [Branch],
}

/// A branch, which is one commit.
#[derive(Debug)]
pub struct Branch {
    /// Its name.
    pub name: &'static str,
    /// What the commit says.
    pub message: &'static str,
    /// The day of the commit: year, month, day.
    pub made: (i64, u8, u8),
    /// Its files: paths and texts.
    pub files: &'static [(&'static str, &'static str)],
}

macro_rules! files {
    ($folder:literal: $($path:literal)+) => {
        &[$(($path, include_str!(concat!("../../../static/repositories/", $folder, "/", $path)))),+]
    };
}

/// All repositories.
pub static REPOSITORIES: &[Repository] = &[Repository {
    address: "github.com/capas-edu/ejemplos",
    branches: &[
        Branch {
            name: "main",
            message: "Dos ejemplos",
            made: (2025, 3, 1),
            files: files!("ejemplos/main": "Dockerfile" "README.md" "estatico/Dockerfile" "estatico/index.html" "etapas/Dockerfile"),
        },
        Branch {
            name: "v2",
            message: "Otra portada",
            made: (2025, 4, 1),
            files: files!("ejemplos/v2": "Dockerfile" "README.md" "estatico/Dockerfile" "estatico/index.html"),
        },
    ],
}];

/// A remote as it is written: `https://host/owner/name.git#ref:folder` (BuildKit `util/gitutil/git_ref.go`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remote {
    /// The address with its scheme, as git is told it.
    pub url: String,
    /// Its host.
    pub host: String,
    /// Host and path, without `.git`.
    pub address: String,
    /// A branch or a commit; empty for the default branch.
    pub reference: String,
    /// A folder of it; empty for the whole.
    pub folder: String,
}

impl Remote {
    /// Reads an address; `None` for one that means no repository.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, fragment) = text.split_once('#').unwrap_or((text, ""));
        let (reference, folder) = fragment.split_once(':').unwrap_or((fragment, ""));
        let schemes = ["https://", "http://", "git://", "ssh://"];
        let scheme = schemes.iter().find(|scheme| address.starts_with(**scheme));
        let (url, rest) = match scheme {
            Some(scheme) => (address.to_owned(), address.strip_prefix(scheme)?),
            None if address.starts_with("github.com/") => (format!("https://{address}"), address),
            None => (address.to_owned(), address.strip_prefix("git@")?),
        };
        // Of web addresses only those that end so are repositories.
        if scheme.is_some_and(|scheme| scheme.starts_with("http")) && !rest.ends_with(".git") {
            return None;
        }
        let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest);
        let host = rest.split(['/', ':']).next().filter(|host| !host.is_empty())?.to_owned();
        let address = rest.strip_suffix(".git").unwrap_or(rest).replacen(':', "/", 1);
        let folder = folder.trim_matches('/').to_owned();
        Some(Self { url, host, address, reference: reference.to_owned(), folder })
    }

    /// The repository, if the simulated network has it.
    pub fn repository(&self) -> Option<&'static Repository> {
        REPOSITORIES.iter().find(|repository| repository.address == self.address)
    }

    /// Whether the simulated network has anything of its host.
    pub fn is_host_known(&self) -> bool {
        REPOSITORIES.iter().any(|repository| repository.address.split('/').next() == Some(&self.host))
    }
}

impl Repository {
    /// The branch that a reference means: a branch's name or the id of its commit.
    pub fn find(&self, reference: &str) -> Option<&'static Branch>
    where
        Self: 'static,
    {
        let is_meant = |branch: &&Branch| {
            let short = reference.strip_prefix("refs/heads/").unwrap_or(reference);
            short.is_empty() || branch.name == short || reference.len() >= 7 && branch.id().starts_with(reference)
        };
        REPOSITORIES.iter().find(|own| own.address == self.address)?.branches.iter().find(is_meant)
    }
}

impl Branch {
    /// The id of its commit.
    pub fn id(&self) -> String {
        let (year, month, day) = self.made;
        let seconds = Timestamp::from_date(year, month, day).0 / 1_000_000_000;
        let who = format!("Capas <capas@example.org> {seconds} +0000");
        let tree = hex(&tree(self.files));
        hex(&object("commit", format!("tree {tree}\nauthor {who}\ncommitter {who}\n\n{}\n", self.message).as_bytes()))
    }

    /// The files of a folder as a clone at `now` leaves them; `None` if there is no such folder.
    pub fn files(&self, folder: &str, now: Timestamp) -> Option<Layer> {
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let mut out: BTreeMap<BString, Change> = BTreeMap::new();
        for (path, text) in self.files {
            let Some(path) = path.strip_prefix(&prefix) else { continue };
            for (at, _) in path.match_indices('/') {
                let dir = Entry::dir(Meta::root(0o755, now));
                out.insert(path.get(..at).unwrap_or_default().into(), Change::Put(Arc::new(dir)));
            }
            out.insert(path.into(), Change::Put(Arc::new(Entry::file(Meta::root(0o644, now), *text))));
        }
        (!out.is_empty()).then(|| Layer::new(out))
    }
}

fn object(kind: &str, content: &[u8]) -> [u8; 20] {
    let mut bytes = format!("{kind} {}\0", content.len()).into_bytes();
    bytes.extend_from_slice(content);
    sha1(&bytes)
}

/// The id of a tree; git sorts folders as if their names ended in `/`.
fn tree(files: &[(&str, &str)]) -> [u8; 20] {
    let mut rows: BTreeMap<String, (&str, [u8; 20])> = BTreeMap::new();
    let mut folders: BTreeMap<&str, Vec<(&str, &str)>> = BTreeMap::new();
    for (path, text) in files {
        match path.split_once('/') {
            Some((folder, rest)) => folders.entry(folder).or_default().push((rest, text)),
            None => drop(rows.insert((*path).to_owned(), ("100644", object("blob", text.as_bytes())))),
        }
    }
    for (name, files) in folders {
        rows.insert(format!("{name}/"), ("40000", tree(&files)));
    }
    let mut content = Vec::new();
    for (name, (mode, id)) in rows {
        content.extend_from_slice(format!("{mode} {}\0", name.trim_end_matches('/')).as_bytes());
        content.extend_from_slice(&id);
    }
    object("tree", &content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_buildkit_reads_them() {
        let read =
            |text: &str| Remote::parse(text).map(|r| format!("{} {} {} {}", r.url, r.address, r.reference, r.folder));
        for (text, expected) in [
            ("https://github.com/a/b.git", Some("https://github.com/a/b.git github.com/a/b  ")),
            ("https://github.com/a/b.git#v2:x/y", Some("https://github.com/a/b.git github.com/a/b v2 x/y")),
            ("https://github.com/a/b.git#:x/", Some("https://github.com/a/b.git github.com/a/b  x")),
            ("github.com/a/b", Some("https://github.com/a/b github.com/a/b  ")),
            ("git@github.com:a/b.git#main", Some("git@github.com:a/b.git github.com/a/b main ")),
            ("git://example.org/b", Some("git://example.org/b example.org/b  ")),
            ("https://github.com/a/b", None),
            ("./folder", None),
            ("git@", None),
        ] {
            assert_eq!(read(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn ids_are_those_of_git() {
        // `git init -b main`, the files, `git commit` with this author, date and message.
        let repository = &REPOSITORIES[0];
        let ids: Vec<String> = repository.branches.iter().map(Branch::id).collect();
        assert_eq!(ids, ["446c6dc6d58a5ccde6b44de5dd70797e41f1edb5", "b5eeaf60ae618f7277d1d09dcd7e831c48b1a715"]);
        assert_eq!(repository.find("").map(|branch| branch.name), Some("main"));
        assert_eq!(repository.find(&ids[1]).map(|branch| branch.name), Some("v2"));
        assert!(repository.find("nope").is_none());
    }

    #[test]
    fn a_folder_of_a_branch_is_a_context() {
        let branch = REPOSITORIES[0].find("v2").unwrap();
        let paths = |folder: &str| -> Vec<String> {
            branch
                .files(folder, Timestamp(0))
                .iter()
                .flat_map(Layer::entries)
                .map(|(path, _)| path.to_string())
                .collect()
        };
        assert_eq!(paths("estatico"), ["Dockerfile", "index.html"]);
        assert_eq!(paths(""), ["Dockerfile", "README.md", "estatico", "estatico/Dockerfile", "estatico/index.html"]);
        assert!(paths("nope").is_empty());
    }
}
