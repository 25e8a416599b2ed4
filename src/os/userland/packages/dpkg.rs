//! The texts of dpkg's and apk's databases, written from the catalogue.

use std::fmt::Write as _;

use super::files::PackagedKind;
use super::{Family, Package};

impl Package {
    /// Its stanza of `/var/lib/dpkg/status`, without the empty line after it.
    pub fn status_stanza(&self) -> String {
        let record = self.record;
        let maintainer = match (self.release.family, record.origin) {
            (_, Some(origin)) => format!("{origin} packaging <packages@{origin}>"),
            (Family::Ubuntu, None) => "Ubuntu Developers <ubuntu-devel-discuss@lists.ubuntu.com>".to_owned(),
            _ => "Debian Package Maintainers <packages@qa.debian.org>".to_owned(),
        };
        let base = self.release.base().any(|package| package.name() == record.name);
        let mut out = format!("Package: {}\n", record.name);
        if base && matches!(record.section, "utils" | "shells" | "admin") {
            out.push_str("Essential: yes\n");
        }
        let priority = if base { "required" } else { "optional" };
        let _ = write!(
            out,
            "Status: install ok installed\nPriority: {priority}\nSection: {}\nInstalled-Size: {}\nMaintainer: {maintainer}\n\
             Architecture: {}\n",
            record.section,
            self.installed_kib(),
            self.architecture(),
        );
        if self.is_multiarch_same() {
            out.push_str("Multi-Arch: same\n");
        }
        let _ = writeln!(out, "Version: {}", self.version);
        let depends = self.depends();
        if !depends.is_empty() {
            let _ = writeln!(out, "Depends: {}", depends.join(", "));
        }
        let recommends = self.recommends();
        if !recommends.is_empty() {
            let _ = writeln!(out, "Recommends: {}", recommends.join(", "));
        }
        let _ = writeln!(out, "Description: {}", record.synopsis);
        out
    }

    /// The name of its files under `/var/lib/dpkg/info`, without the ending.
    pub fn info_name(&self) -> String {
        if self.is_multiarch_same() { format!("{}:amd64", self.record.name) } else { self.record.name.to_owned() }
    }

    /// The text of its `.list`: every path it ships, each after the directories above it.
    pub fn list_text(&self) -> String {
        let mut paths = vec!["/.".to_owned()];
        for file in self.files().iter().filter(|file| file.shipped) {
            for (at, _) in file.path.match_indices('/').skip(1) {
                let dir = file.path.get(..at).unwrap_or_default();
                if !paths.iter().any(|path| path == dir) {
                    paths.push(dir.to_owned());
                }
            }
            if !paths.contains(&file.path) {
                paths.push(file.path.clone());
            }
        }
        paths.join("\n") + "\n"
    }

    /// Its stanza of `/lib/apk/db/installed`, without the empty line after it.
    pub fn apk_stanza(&self) -> String {
        let mut out = format!(
            "P:{}\nV:{}\nA:x86_64\nS:{}\nI:{}\nT:{}\n",
            self.record.name,
            self.version,
            self.download_bytes(),
            self.installed_kib().saturating_mul(1024),
            self.record.synopsis,
        );
        let depends = self.depends();
        if !depends.is_empty() {
            let _ = writeln!(out, "D:{}", depends.join(" "));
        }
        let mut last = String::new();
        for file in self.files().iter().filter(|file| file.shipped && file.kind != PackagedKind::Dir) {
            let (dir, name) = file.path.trim_start_matches('/').rsplit_once('/').unwrap_or(("", &file.path));
            if dir != last {
                let _ = writeln!(out, "F:{dir}");
                dir.clone_into(&mut last);
            }
            let _ = writeln!(out, "R:{name}");
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::super::release;

    #[test]
    fn a_stanza_has_dpkgs_fields_in_dpkgs_order() {
        let stanza = release("bullseye").unwrap().package("libacl1").unwrap().status_stanza();
        let fields: Vec<&str> =
            stanza.lines().filter_map(|line| line.split_once(": ")).map(|(field, _)| field).collect();
        let wanted = "Package Status Priority Section Installed-Size Maintainer Architecture Multi-Arch Version Depends Description";
        assert_eq!(fields.join(" "), wanted);
    }

    #[test]
    fn a_list_names_directories_before_their_files() {
        let list = release("bullseye").unwrap().package("hostname").unwrap().list_text();
        assert!(list.starts_with("/.\n/bin\n/bin/dnsdomainname\n"), "{list}");
        let bash = release("bullseye").unwrap().package("bash").unwrap().list_text();
        assert!(
            bash.contains("\n/etc\n/etc/skel\n/etc/skel/.bashrc\n")
                || bash.contains("\n/usr\n/usr/bin\n/usr/bin/bashbug\n"),
            "{bash}"
        );
    }
}
