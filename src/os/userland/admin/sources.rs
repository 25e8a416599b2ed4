//! Where packages come from: the release of a system, its package sources, and the lists that `update` fetches.
//!
//! A list is a file of the real one's size; that it is there is what makes a source's packages known.

use bstr::ByteSlice;

use super::text_of;
use crate::base::digest::Digest;
use crate::base::rope::Rope;
use crate::os::kernel::Proc;
use crate::os::userland::packages::{self, Release};

/// Where apt keeps its lists.
pub const LISTS: &str = "/var/lib/apt/lists";
/// An index grows when it is unpacked and packed again for reading.
const UNPACKED_PERCENT: u64 = 205;

/// The release that `/etc/os-release` names, when the catalogue has it.
pub async fn release(proc: &Proc) -> Option<&'static Release> {
    let text = text_of(proc, "/etc/os-release").await;
    let field = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        line.map(|value| value.trim_matches('"').to_owned())
    };
    if field("ID").as_deref() == Some("alpine") {
        let version = field("VERSION_ID")?;
        let branch = version.rsplit_once('.').map_or(version.as_str(), |(branch, _)| branch);
        return packages::release(&format!("v{branch}"));
    }
    match field("VERSION_CODENAME") {
        Some(codename) => packages::release(&codename),
        // Debian 9 has no code name there, but in brackets.
        None => packages::release(field("VERSION")?.split_once('(')?.1.trim_end_matches(')')),
    }
}

/// A line of `sources.list`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Source {
    /// Where.
    pub uri: String,
    /// The suite (`bullseye-security`).
    pub suite: String,
    /// The components (`main`).
    pub components: Vec<String>,
}

/// A file that `update` fetches.
pub struct Index {
    /// Its name under [`LISTS`].
    pub name: String,
    /// What is shown of it: `bullseye/main amd64 Packages`, `bullseye InRelease`.
    pub label: String,
    /// The size of what is downloaded.
    pub download_bytes: u64,
    /// The size of what is kept.
    pub kept_bytes: u64,
}

impl Source {
    /// Reads one line; `None` for comments and for sources of source packages.
    pub fn parse(line: &str) -> Option<Self> {
        let rest = line.trim().strip_prefix("deb ")?.trim_start();
        let rest = match rest.strip_prefix('[') {
            Some(options) => options.split_once(']')?.1,
            None => rest,
        };
        let mut words = rest.split_whitespace().map(str::to_owned);
        Some(Self { uri: words.next()?, suite: words.next()?, components: words.collect() })
    }

    /// The line again, without options.
    pub fn line(&self) -> String {
        format!("deb {} {} {}", self.uri, self.suite, self.components.join(" "))
    }

    /// Whether it is the release's own archive.
    pub fn is_archive(&self, release: &Release) -> bool {
        let own = self.uri.contains("debian.org") || self.uri.contains("ubuntu.com");
        own && self.suite.starts_with(release.codename)
    }

    /// The host's name.
    pub fn host(&self) -> &str {
        let rest = self.uri.split_once("://").map_or(self.uri.as_str(), |(_, rest)| rest);
        rest.split(['/', ':']).next().unwrap_or_default()
    }

    /// The files that belong to it.
    pub fn indexes(&self) -> Vec<Index> {
        let place = self.uri.split_once("://").map_or(self.uri.as_str(), |(_, rest)| rest);
        let stem = format!("{}_dists_{}", place.trim_end_matches('/'), self.suite).replace('/', "_");
        let release_bytes = self.release_bytes();
        let mut out = vec![Index {
            name: format!("{stem}_InRelease"),
            label: format!("{} InRelease", self.suite),
            download_bytes: release_bytes,
            kept_bytes: release_bytes,
        }];
        for component in &self.components {
            let download_bytes = self.index_bytes(component);
            out.push(Index {
                name: format!("{stem}_{component}_binary-amd64_Packages.lz4"),
                label: format!("{}/{component} amd64 Packages", self.suite),
                download_bytes,
                kept_bytes: download_bytes * UNPACKED_PERCENT / 100,
            });
        }
        out
    }

    fn release_bytes(&self) -> u64 {
        match (self.uri.contains("ubuntu.com"), self.suite.contains(['-', '/'])) {
            (true, false) => 265_000,
            (true, true) => 114_000,
            (false, false) if self.uri.contains("debian.org") => 116_000,
            (false, true) => 44_100,
            _ => 4_010,
        }
    }

    /// Sizes of the real indexes at the end of 2021.
    fn index_bytes(&self, component: &str) -> u64 {
        let kind = self.suite.rsplit_once(['-', '/']).map_or("", |(_, kind)| kind);
        if self.uri.contains("ubuntu.com") {
            return match (kind, component) {
                ("", "main") => 1_275_000,
                ("", "universe") => 11_300_000,
                ("", "multiverse") => 177_000,
                ("", _) => 33_400,
                ("updates" | "security", "main") => 1_680_000,
                ("updates" | "security", "universe") => 1_121_000,
                ("updates" | "security", "restricted") => 752_000,
                ("updates" | "security", _) => 33_300,
                _ => 6_320,
            };
        }
        if self.uri.contains("debian.org") {
            return match kind {
                "" => 8_183_000,
                "security" => 102_000,
                "updates" if self.suite.contains('/') => 776_000,
                _ => 2_592,
            };
        }
        if self.uri.contains("postgresql.org") { 243_000 } else { 12_600 }
    }
}

impl Index {
    /// The file itself.
    pub fn content(&self, key: &str) -> Rope {
        let digest = Digest::of(format!("{key} {}", self.name).as_bytes());
        let seed = digest.as_bytes().iter().take(8).fold(0, |seed, byte| seed << 8 | u64::from(*byte));
        Rope::bulk(seed, self.kept_bytes)
    }
}

/// The sources in `/etc/apt/sources.list` and `/etc/apt/sources.list.d`.
pub async fn sources(proc: &Proc) -> Vec<Source> {
    let mut text = text_of(proc, "/etc/apt/sources.list").await;
    for entry in proc.readdir(b"/etc/apt/sources.list.d").unwrap_or_default() {
        if entry.name.ends_with(b".list") {
            text.push('\n');
            text.push_str(&text_of(proc, &format!("/etc/apt/sources.list.d/{}", entry.name)).await);
        }
    }
    text.lines().filter_map(Source::parse).collect()
}

/// The sources whose lists have been fetched.
pub async fn known(proc: &Proc) -> Vec<Source> {
    let files: Vec<String> = match proc.readdir(LISTS.as_bytes()) {
        Ok(entries) => entries.iter().map(|entry| entry.name.to_str_lossy().into_owned()).collect(),
        Err(_) => return Vec::new(),
    };
    let mut sources = sources(proc).await;
    sources.retain(|source| source.indexes().iter().skip(1).any(|index| files.contains(&index.name)));
    sources
}

/// What lines of sources offer, for [`Release::candidates`]; `None` for the release's own packages when its archive is
/// not among them.
pub struct Offer {
    /// The lines, for packages of other repositories.
    pub lines: String,
    /// Whether the release's own archive is there.
    pub archive: bool,
}

/// What the fetched lists offer.
pub fn offer(sources: &[Source], release: &Release) -> Offer {
    Offer {
        lines: sources.iter().map(Source::line).collect::<Vec<_>>().join("\n"),
        archive: sources.iter().any(|source| source.is_archive(release)),
    }
}

impl Offer {
    /// The packages of a name, the newest first.
    pub fn candidates(&self, release: &'static Release, name: &str) -> Vec<packages::Package> {
        let mut found = release.candidates(name, &self.lines);
        found.retain(|package| self.archive || package.record.origin.is_some());
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn source_lines_are_read_with_and_without_options() {
        let source =
            Source::parse("deb [ signed-by=/k.asc ] http://apt.postgresql.org/pub/repos/apt/ stretch-pgdg main 11");
        let source = source.unwrap();
        assert_eq!((source.suite.as_str(), source.components.len()), ("stretch-pgdg", 2));
        assert_eq!(source.indexes()[0].name, "apt.postgresql.org_pub_repos_apt_dists_stretch-pgdg_InRelease");
        assert_eq!(Source::parse("# deb http://deb.debian.org/debian bullseye main"), None);
        assert_eq!(Source::parse("deb-src http://deb.debian.org/debian bullseye main"), None);
    }

    #[test]
    fn a_foreign_repository_is_not_the_archive() {
        let bullseye = packages::release("bullseye").unwrap();
        let nginx = Source::parse("deb https://nginx.org/packages/mainline/debian/ bullseye nginx").unwrap();
        let debian = Source::parse("deb http://deb.debian.org/debian bullseye main").unwrap();
        assert!(!nginx.is_archive(bullseye) && debian.is_archive(bullseye));
        let offer = offer(&[nginx], bullseye);
        assert!(offer.candidates(bullseye, "curl").is_empty());
        assert_eq!(offer.candidates(bullseye, "nginx").len(), 1);
    }
}
