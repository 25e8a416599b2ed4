//! Packages: what Debian, Ubuntu and Alpine releases are made of, as data, and root file systems made from them.
//!
//! The catalogue says which files a package brings and how large they are; the same data answers `dpkg -L`, fills base
//! images and feeds `apt-get` and `apk`, so the three can't disagree. Large files are bulk whose bytes follow from package,
//! version and path. The programs that install packages are in `userland`; this module only knows what there is.
//!
//! The texts are under `static/packages/`; its `README.md` tells their format and where they come from.

pub mod dpkg;
pub mod files;
pub mod rootfs;
pub mod version;

use crate::base::sort::Arrange;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::OnceLock;

use crate::base::time::Timestamp;

const DEBIAN: &str = include_str!("../../../../static/packages/debian.list");
const DEBIAN_MORE: &str = include_str!("../../../../static/packages/debian.more");
const ALPINE: &str = include_str!("../../../../static/packages/alpine.list");
const RELEASES: &str = include_str!("../../../../static/packages/releases");

/// The version of a package that is part of another one in a release.
const ABSENT: &str = "-";

/// Whose packages a release uses.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Family {
    /// Debian: dpkg and apt.
    Debian,
    /// Ubuntu: dpkg and apt, other names and sources.
    Ubuntu,
    /// Alpine: apk and busybox.
    Alpine,
}

impl Family {
    /// `ID` of `/etc/os-release`.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Debian => "debian",
            Self::Ubuntu => "ubuntu",
            Self::Alpine => "alpine",
        }
    }

    /// The distribution's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Debian => "Debian GNU/Linux",
            Self::Ubuntu => "Ubuntu",
            Self::Alpine => "Alpine Linux",
        }
    }
}

/// A package as the catalogue holds it, before a release gives it a version.
#[derive(Debug)]
pub struct Record {
    /// Its name.
    pub name: &'static str,
    /// Its section (`utils`); Alpine's repository (`main`).
    pub section: &'static str,
    /// A word that a line of the package sources must hold for this record to be seen (`nginx.org`).
    pub origin: Option<&'static str>,
    /// One line that says what it is.
    pub synopsis: &'static str,
    /// Names of the packages it needs, as its own release calls them.
    pub depends: Vec<&'static str>,
    /// Names of those that are installed with it unless it is asked for alone.
    pub recommends: Vec<&'static str>,
    version: &'static str,
    bodies: Vec<&'static str>,
}

/// A release of a distribution.
#[derive(Debug)]
pub struct Release {
    /// Its code name (`bullseye`); Alpine's branch (`v3.15`).
    pub codename: &'static str,
    /// Whose packages it uses.
    pub family: Family,
    /// `VERSION_ID` of `/etc/os-release`.
    pub version_id: &'static str,
    /// `VERSION` of `/etc/os-release`.
    pub version: &'static str,
    /// The text of `/etc/debian_version`.
    pub debian_version: &'static str,
    /// The time that the files of its base image carry.
    pub built: Timestamp,
    /// Whether `/bin`, `/sbin` and `/lib` are links into `/usr`.
    pub merged_usr: bool,
    scale: u64,
    base: Vec<&'static str>,
    versions: BTreeMap<&'static str, &'static str>,
}

/// A package of a release.
#[derive(Clone, Copy, Debug)]
pub struct Package {
    /// What the catalogue says of it.
    pub record: &'static Record,
    /// Where it is installed.
    pub release: &'static Release,
    /// Its version there.
    pub version: &'static str,
}

#[derive(Debug, Default)]
struct Catalogue {
    debian: BTreeMap<&'static str, Vec<Record>>,
    releases: Vec<Release>,
}

fn catalogue() -> &'static Catalogue {
    // A constant that is too long to be written as one.
    static CATALOGUE: OnceLock<Catalogue> = OnceLock::new();
    CATALOGUE.get_or_init(|| {
        let mut debian = BTreeMap::new();
        read_records(DEBIAN, &mut debian);
        read_records(DEBIAN_MORE, &mut debian);
        Catalogue { debian, releases: read_releases(RELEASES) }
    })
}

/// Alpine's packages. Apart, because the student's computer is made without them, and never inlined, so that the text comes
/// with the part of the page's program that asks for it.
#[inline(never)]
fn alpine() -> &'static BTreeMap<&'static str, Vec<Record>> {
    static ALPINE_RECORDS: OnceLock<BTreeMap<&'static str, Vec<Record>>> = OnceLock::new();
    ALPINE_RECORDS.get_or_init(|| {
        let mut alpine = BTreeMap::new();
        read_records(ALPINE, &mut alpine);
        alpine
    })
}

/// The lines of `text` with what follows each, cut where `starts` holds.
fn sections(text: &'static str, starts: fn(&str) -> bool) -> Vec<(&'static str, &'static str)> {
    let mut out: Vec<(&str, &str)> = Vec::new();
    let (mut at, mut open): (usize, Option<(&str, usize)>) = (0, None);
    for line in text.split_inclusive('\n') {
        if starts(line) {
            if let Some((head, from)) = open {
                out.push((head, text.get(from..at).unwrap_or_default()));
            }
            open = Some((line.trim_end_matches('\n'), at + line.len()));
        }
        at += line.len();
    }
    if let Some((head, from)) = open {
        out.push((head, text.get(from..).unwrap_or_default()));
    }
    out
}

fn read_records(text: &'static str, into: &mut BTreeMap<&'static str, Vec<Record>>) {
    for (head, body) in sections(text, |line| line.starts_with(['*', '+'])) {
        if let Some(name) = head.strip_prefix('+') {
            if let Some(record) = into.get_mut(name).and_then(|records| records.last_mut()) {
                record.bodies.push(body);
            }
            continue;
        }
        let mut words = head.trim_start_matches('*').split(' ');
        let name = words.next().unwrap_or_default();
        let version = words.next().unwrap_or_default();
        let section = words.next().unwrap_or_default();
        let origin = words.next().and_then(|word| word.strip_prefix('%'));
        let (synopsis, mut body) = body.split_once('\n').unwrap_or((body, ""));
        let mut names = |mark: char| -> Vec<&'static str> {
            let Some(rest) = body.strip_prefix(mark) else { return Vec::new() };
            let (line, rest) = rest.split_once('\n').unwrap_or((rest, ""));
            body = rest;
            line.split(' ').collect()
        };
        let (depends, recommends) = (names('>'), names('<'));
        let record = Record { name, section, origin, synopsis, depends, recommends, version, bodies: vec![body] };
        into.entry(name).or_default().push(record);
    }
}

fn read_releases(text: &'static str) -> Vec<Release> {
    let read = |(head, body): (&'static str, &'static str)| {
        let mut words = head.trim_start_matches('@').splitn(8, ' ');
        let mut word = || words.next().unwrap_or_default();
        let (codename, family, version_id, built) = (word(), word(), word(), word());
        let (merged, scale, debian_version, version) = (word(), word(), word(), word());
        let (base_lines, other_lines) = body.split_once("-\n").unwrap_or((body, ""));
        let pairs = |lines: &'static str| lines.lines().map(|line| line.split_once(' ').unwrap_or((line, "")));
        Release {
            codename,
            family: match family {
                "debian" => Family::Debian,
                "ubuntu" => Family::Ubuntu,
                _ => Family::Alpine,
            },
            version_id,
            version,
            debian_version,
            built: Timestamp::parse_rfc3339(&format!("{built}T00:00:00Z")).unwrap_or_default(),
            merged_usr: merged == "merged",
            scale: scale.parse().unwrap_or(10_000),
            base: pairs(base_lines).map(|(name, _)| name).collect(),
            versions: pairs(base_lines).chain(pairs(other_lines)).filter(|(_, version)| !version.is_empty()).collect(),
        }
    };
    let all = sections(text, |line| line.starts_with('@'));
    // `^name` takes over the packages of another release.
    let body = |own: &'static str| match own.strip_prefix('^') {
        Some(name) => all
            .iter()
            .find(|(head, _)| head.split(' ').next() == Some(&format!("@{}", name.trim_end())))
            .map_or("", |(_, body)| body),
        None => own,
    };
    all.iter().map(|(head, own)| read((*head, body(own)))).collect()
}

/// All releases.
pub fn releases() -> impl Iterator<Item = &'static Release> {
    catalogue().releases.iter()
}

/// The release with this code name.
pub fn release(codename: &str) -> Option<&'static Release> {
    releases().find(|release| release.codename == codename)
}

/// A name without the library version at its end: what stays when a release brings another one (`libssl1.1`, `libssl3`).
fn stem(name: &str) -> &str {
    name.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | '-'))
}

impl Release {
    fn records(&self) -> &'static BTreeMap<&'static str, Vec<Record>> {
        match self.family {
            Family::Debian | Family::Ubuntu => &catalogue().debian,
            Family::Alpine => alpine(),
        }
    }

    fn with(&'static self, record: &'static Record) -> Package {
        let version = match record.origin {
            // Another repository has its own versions.
            Some(_) => record.version,
            None => self.versions.get(record.name).copied().unwrap_or(record.version),
        };
        Package { record, release: self, version }
    }

    /// Every record of `name` that package sources with these lines offer, the newest version first.
    pub fn candidates(&'static self, name: &str, sources: &str) -> Vec<Package> {
        let records = self.records().get(name).map(Vec::as_slice).unwrap_or_default();
        if self.versions.get(name) == Some(&ABSENT) {
            return Vec::new();
        }
        let seen = |record: &&'static Record| record.origin.is_none_or(|origin| sources.contains(origin));
        let mut found: Vec<Package> = records.iter().filter(seen).map(|record| self.with(record)).collect();
        found.arrange_by(|a, b| version::compare(b.version, a.version));
        found
    }

    /// The package of the distribution itself with this name.
    pub fn package(&'static self, name: &str) -> Option<Package> {
        self.candidates(name, "").into_iter().next()
    }

    /// What fulfils a dependency on `name` here: the package, or the one whose name differs in the library version only.
    pub fn provider(&'static self, name: &str) -> Option<&'static str> {
        let records = self.records();
        let absent = match self.versions.get_key_value(name) {
            Some((name, version)) if *version != ABSENT => return Some(name),
            other => other.is_some(),
        };
        let alike = |other: &&&'static str| stem(other) == stem(name) && records.contains_key(**other);
        let here = self.versions.keys().filter(alike).max_by(|a, b| version::compare(a, b));
        let here = here.filter(|name| self.versions.get(**name) != Some(&ABSENT));
        here.or_else(|| records.get_key_value(name).map(|(name, _)| name).filter(|_| !absent)).copied()
    }

    /// The packages of the base system, in order of their names.
    pub fn base(&'static self) -> impl Iterator<Item = Package> {
        self.base.iter().filter_map(|name| self.package(name))
    }

    /// The words that make package sources offer everything.
    pub fn origins(&'static self) -> String {
        let origins = self.records().values().flatten().filter_map(|record| record.origin);
        origins.fold(String::new(), |words, origin| words + " " + origin)
    }

    /// Every package name that `sources` offer.
    pub fn names(&'static self, sources: &str) -> impl Iterator<Item = &'static str> {
        let offered = move |records: &[Record]| {
            records.iter().any(|record| record.origin.is_none_or(|origin| sources.contains(origin)))
        };
        // A package that is part of another here has a record, and no version.
        let is_here = |name: &str| self.versions.get(name) != Some(&ABSENT);
        self.records().iter().filter(move |(name, records)| is_here(name) && offered(records)).map(|(name, _)| *name)
    }
}

impl Package {
    /// Its name.
    pub const fn name(&self) -> &'static str {
        self.record.name
    }

    /// Names of the packages it needs, as its release calls them.
    pub fn depends(&self) -> Vec<&'static str> {
        self.here(&self.record.depends)
    }

    /// Names of the packages that usually come with it, as its release calls them.
    pub fn recommends(&self) -> Vec<&'static str> {
        self.here(&self.record.recommends)
    }

    fn here(&self, names: &[&'static str]) -> Vec<&'static str> {
        let mut names: Vec<&str> = names.iter().filter_map(|name| self.release.provider(name)).collect();
        names.dedup();
        names.retain(|name| *name != self.name());
        names
    }

    /// dpkg's architecture: `all` for what holds no machine code.
    pub fn architecture(&self) -> &'static str {
        let machine_code = self.record.bodies.iter().any(|body| {
            body.lines().any(|line| line.starts_with('/') && (line.contains("bin ") || line.contains(".so")))
        });
        if machine_code { "amd64" } else { "all" }
    }

    /// Whether its name in dpkg's tables carries the architecture, as that of a library does.
    pub fn is_multiarch_same(&self) -> bool {
        self.architecture() == "amd64"
            && self.record.section == "libs"
            && self.record.name.starts_with("lib")
            && !matches!(self.record.name, "libc-bin" | "libpam-modules-bin" | "libcap2-bin")
    }
}

/// Orders versions as dpkg does.
pub fn compare_versions(a: &str, b: &str) -> Ordering {
    version::compare(a, b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_base_package_is_in_the_catalogue() {
        for release in releases() {
            for name in &release.base {
                assert!(release.package(name).is_some(), "{}: {name}", release.codename);
            }
            assert!(release.base.len() > 10 && release.built.seconds() > 0, "{}", release.codename);
        }
    }

    #[test]
    fn every_dependency_can_be_fulfilled() {
        for release in releases() {
            let sources = release.origins();
            for name in release.names(&sources) {
                for package in release.candidates(name, &sources) {
                    for needed in &package.record.depends {
                        if release.versions.get(needed) == Some(&ABSENT) {
                            continue;
                        }
                        assert!(release.provider(needed).is_some(), "{}: {name} needs {needed}", release.codename);
                    }
                }
            }
        }
    }

    #[test]
    fn a_release_fulfils_a_dependency_with_its_own_library() {
        let (stretch, jammy) = (release("stretch").unwrap(), release("jammy").unwrap());
        assert_eq!(stretch.provider("libssl3"), Some("libssl1.1"));
        assert_eq!(jammy.provider("libssl1.1"), Some("libssl3"));
        assert_eq!(stretch.provider("libtinfo6"), Some("libtinfo5"));
        assert_eq!(stretch.package("curl").unwrap().version, "7.52.1-5+deb9u16");
    }

    #[test]
    fn another_repository_is_seen_only_with_its_source() {
        let bullseye = release("bullseye").unwrap();
        let names = |sources: &str| -> Vec<&str> {
            bullseye.candidates("nginx", sources).iter().map(|package| package.version).collect()
        };
        assert_eq!(names("deb http://deb.debian.org/debian bullseye main"), ["1.18.0-6.1"]);
        assert_eq!(names("deb https://nginx.org/packages/"), ["1.21.4-1~bullseye", "1.18.0-6.1"]);
    }
}
