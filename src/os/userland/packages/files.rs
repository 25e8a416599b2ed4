//! The files of a package, read from its lines in the catalogue.

use crate::base::digest::Digest;
use crate::base::rope::Rope;
use crate::os::fs::node::{Content, Entry, Meta};
use crate::os::kernel::exec::{self, Flavour};

use super::{Family, Package};

/// A file that a package brings.
#[derive(Clone, Debug)]
pub struct PackagedFile {
    /// Its path as the package names it: `/bin/ls` also where `/bin` is a link.
    pub path: String,
    /// What it is.
    pub kind: PackagedKind,
    /// Permission bits.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Whether it is shipped in the archive. Others are made when the package is configured, and `dpkg -L` is silent on them.
    pub shipped: bool,
    /// Whether it is a configuration file, which stays when the package is removed and not purged.
    pub conffile: bool,
}

/// What a packaged file is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PackagedKind {
    /// A directory.
    Dir,
    /// A symbolic link.
    Symlink(String),
    /// A text that is kept as it is.
    Text(String),
    /// An executable that runs a simulated program, with its size in bytes.
    Program(String, u64),
    /// Library code or tables of so many bytes.
    Bulk(u64),
}

/// The part of a token after its name: `:mode:uid:gid`.
fn attributes(text: &str, mode: u32) -> (&str, u32, u32, u32) {
    let mut parts = text.split(':');
    let name = parts.next().unwrap_or_default();
    let mode = parts.next().and_then(|part| u32::from_str_radix(part, 8).ok()).unwrap_or(mode);
    let mut number = || parts.next().and_then(|part| part.parse().ok()).unwrap_or(0);
    (name, mode, number(), number())
}

/// Whether files of this directory are programs unless something else is said.
fn holds_programs(dir: &str) -> bool {
    ["/bin", "/sbin", "/games"].iter().any(|end| dir.ends_with(end))
}

/// Reads lines of the catalogue. Sizes of libraries and programs are those listed times `scale` / 10,000.
fn read_lines(body: &str, scale: u64, expand: &dyn Fn(String) -> String, out: &mut Vec<PackagedFile>) {
    let mut lines = body.lines().peekable();
    while let Some(line) = lines.next() {
        match line.split_at_checked(1) {
            Some(("/", _)) => read_folder(line, scale, out),
            Some((mark @ ("=" | "~"), rest)) => {
                let (path, mode, uid, gid) = attributes(rest, 0o644);
                let mut text = String::new();
                while let Some(line) = lines.next_if(|line| line.starts_with('\t')) {
                    text.push_str(line.strip_prefix('\t').unwrap_or(line));
                    text.push('\n');
                }
                let shipped = mark == "=";
                let conffile = shipped && path.starts_with("/etc/");
                let kind = PackagedKind::Text(expand(text));
                out.push(PackagedFile { path: path.to_owned(), kind, mode, uid, gid, shipped, conffile });
            }
            Some(("&", rest)) => {
                let (link, target) = rest.split_once(' ').unwrap_or((rest, ""));
                let choice = format!("/etc/alternatives/{}", link.rsplit('/').next().unwrap_or_default());
                for (path, target) in [(link, choice.as_str()), (&choice, target)] {
                    out.push(made_link(path, target));
                }
            }
            _ => {}
        }
    }
}

fn read_folder(line: &str, scale: u64, out: &mut Vec<PackagedFile>) {
    let shipped = true;
    let mut words = line.split(' ');
    let dir = words.next().unwrap_or_default();
    let Some(first) = words.next() else {
        let (path, mode, uid, gid) = attributes(dir, 0o755);
        let path = path.trim_end_matches('/').to_owned();
        out.push(PackagedFile { path, kind: PackagedKind::Dir, mode, uid, gid, shipped, conffile: false });
        return;
    };
    let dir = dir.trim_end_matches('/');
    let mut words = std::iter::once(first).chain(words);
    while let Some(word) = words.next() {
        if let Some((names, target)) = word.split_once('>') {
            for name in names.split(',') {
                out.push(PackagedFile { shipped, ..made_link(&format!("{dir}/{name}"), target) });
            }
            continue;
        }
        let size = words.next().and_then(|word| word.parse().ok()).unwrap_or(0u64);
        // The size in this release: libraries grow from one to the next.
        let size = size.saturating_mul(scale) / 10_000;
        let (token, program) = match word.split_once('!') {
            Some((name, rest)) => {
                let (program, attributes) = rest.split_at(rest.find(':').unwrap_or(rest.len()));
                (format!("{name}{attributes}"), Some(program.to_owned()))
            }
            None => (word.to_owned(), None),
        };
        let (name, _, _, _) = attributes(&token, 0);
        let program = program.or_else(|| holds_programs(dir).then(|| name.to_owned()));
        let (name, mode, uid, gid) = attributes(&token, if program.is_some() { 0o755 } else { 0o644 });
        let path = format!("{dir}/{name}");
        let kind = match program {
            Some(program) => PackagedKind::Program(program, size),
            None => PackagedKind::Bulk(size),
        };
        let conffile = path.starts_with("/etc/");
        out.push(PackagedFile { path, kind, mode, uid, gid, shipped, conffile });
    }
}

/// The files that lines of the catalogue describe, as they stand there.
pub fn read_text(lines: &str) -> Vec<PackagedFile> {
    let mut files = Vec::new();
    read_lines(lines, 10_000, &|text| text, &mut files);
    files
}

/// Puts what lines of the catalogue describe into a root file system.
pub fn unpack_lines(root: &mut super::rootfs::Rootfs, lines: &str, built: crate::base::time::Timestamp) {
    for file in read_text(lines) {
        let meta = Meta { mode: file.mode, uid: file.uid, gid: file.gid, mtime: built };
        let seed = |size: u64| seed(&format!("{} {size}", file.path));
        let entry = match &file.kind {
            PackagedKind::Dir => Entry::dir(meta),
            PackagedKind::Symlink(target) => Entry::symlink(meta, target.as_str()),
            PackagedKind::Text(text) => Entry::file(meta, text.as_str()),
            PackagedKind::Program(program, size) => {
                Entry::file(meta, executable(program, Flavour::Gnu, *size, seed(*size)))
            }
            PackagedKind::Bulk(size) => Entry::new(meta, Content::File(Rope::bulk(seed(*size), *size))),
        };
        root.put(&file.path, entry);
    }
}

/// The seed of bulk that follows from a text.
pub fn seed(text: &str) -> u64 {
    Digest::of(text.as_bytes()).as_bytes().iter().take(8).fold(0, |seed, byte| seed << 8 | u64::from(*byte))
}

impl Package {
    /// Its files and directories, in the catalogue's order.
    pub fn files(&self) -> Vec<PackagedFile> {
        let mut out = Vec::new();
        for body in &self.record.bodies {
            read_lines(body, self.release.scale, &|text| self.expand(text), &mut out);
        }
        out
    }

    /// Fills in what differs between releases.
    fn expand(&self, text: String) -> String {
        if !text.contains('{') {
            return text;
        }
        let release = self.release;
        let issue = match release.family {
            Family::Ubuntu => format!("Ubuntu {}", release.version.split(" (").next().unwrap_or_default()),
            // alpine-baselayout names the branch only.
            Family::Alpine => format!("{} {}", release.family.name(), release.codename.trim_start_matches('v')),
            Family::Debian => format!("{} {}", release.family.name(), release.version_id),
        };
        text.replace("{codename}", release.codename).replace("{issue}", &issue).replace("{version}", release.version_id)
    }

    /// The commands that configure the package once its files are there, as a shell script; empty when there are none.
    pub fn post_install(&self) -> String {
        let lines = self.record.bodies.iter().flat_map(|body| body.lines());
        let commands: Vec<&str> = lines.filter_map(|line| line.strip_prefix('$')).collect();
        if commands.is_empty() { String::new() } else { format!("#!/bin/sh\nset -e\n{}\n", commands.join("\n")) }
    }

    /// The bytes it occupies once installed, in KiB, as `Installed-Size` counts them.
    pub fn installed_kib(&self) -> u64 {
        let sizes = self.files().into_iter().filter(|file| file.shipped).map(|file| match file.kind {
            PackagedKind::Program(_, size) | PackagedKind::Bulk(size) => size.div_ceil(1024),
            PackagedKind::Text(text) => (text.len() as u64).div_ceil(1024),
            PackagedKind::Dir | PackagedKind::Symlink(_) => 1,
        });
        sizes.sum::<u64>().saturating_add(8)
    }

    /// The bytes of its archive: what is downloaded. Packages are packed a bit tighter than gzip does.
    pub fn download_bytes(&self) -> u64 {
        let noise = u64::from(Digest::of(self.record.name.as_bytes()).as_bytes()[0]);
        self.installed_kib().saturating_mul(300).saturating_add(noise * 4 + 1200)
    }

    /// The file as it stands in a file system of this release.
    pub fn entry(&self, file: &PackagedFile) -> Entry {
        let meta = Meta { mode: file.mode, uid: file.uid, gid: file.gid, mtime: self.release.built };
        match &file.kind {
            PackagedKind::Dir => Entry::dir(meta),
            PackagedKind::Symlink(target) => Entry::symlink(meta, target.as_str()),
            PackagedKind::Text(text) => Entry::file(meta, text.as_str()),
            PackagedKind::Program(program, size) => {
                let flavour = match self.record.name {
                    "busybox" | "busybox-extras" => Flavour::Busybox,
                    _ => Flavour::Gnu,
                };
                Entry::file(meta, executable(program, flavour, *size, self.seed(&file.path)))
            }
            PackagedKind::Bulk(size) => Entry::new(meta, Content::File(Rope::bulk(self.seed(&file.path), *size))),
        }
    }

    /// The seed of a bulk file: the same file of the same version has the same bytes everywhere.
    fn seed(&self, path: &str) -> u64 {
        seed(&format!("{} {} {path}", self.record.name, self.version))
    }
}

fn made_link(path: &str, target: &str) -> PackagedFile {
    PackagedFile {
        path: path.to_owned(),
        kind: PackagedKind::Symlink(target.to_owned()),
        mode: 0o777,
        uid: 0,
        gid: 0,
        shipped: false,
        conffile: false,
    }
}

/// An executable of `size` bytes that runs the simulated `program`; it is larger when its header needs more.
pub fn executable(program: &str, flavour: Flavour, size: u64, seed: u64) -> Rope {
    let mut content = Rope::from(exec::header(program, flavour));
    let head = content.len();
    content.push(&Rope::bulk(seed, size).slice(head..size));
    content
}

#[cfg(test)]
mod tests {
    use super::super::{release, releases};
    use super::*;

    fn file(release_name: &str, package: &str, path: &str) -> PackagedFile {
        let package = release(release_name).unwrap().package(package).unwrap();
        package.files().into_iter().find(|file| file.path == path).unwrap()
    }

    #[test]
    fn programs_name_what_they_run_and_have_their_size() {
        let ls = file("bullseye", "coreutils", "/bin/ls");
        let PackagedKind::Program(program, size) = &ls.kind else { panic!("{ls:?}") };
        assert_eq!((program.as_str(), ls.mode), ("ls", 0o755));
        let package = release("bullseye").unwrap().package("coreutils").unwrap();
        let entry = package.entry(&ls);
        assert_eq!(entry.content.size_bytes(), *size);
        let Content::File(rope) = entry.content else { panic!() };
        assert_eq!(exec::recognise(&rope.head(exec::HEAD_BYTES)), exec::Format::Program("ls".into(), Flavour::Gnu));
    }

    #[test]
    fn modes_owners_links_and_texts_are_read() {
        let su = file("focal", "util-linux", "/bin/su");
        assert_eq!(su.mode, 0o4755);
        assert_eq!(file("focal", "base-files", "/tmp").mode, 0o1777);
        assert_eq!(file("focal", "dash", "/bin/sh").kind, PackagedKind::Symlink("dash".into()));
        let shadow = file("focal", "base-passwd", "/etc/shadow");
        assert_eq!((shadow.mode, shadow.gid, shadow.shipped), (0o640, 42, false));
        let hostname = file("focal", "base-files", "/etc/hostname");
        assert_eq!(hostname.kind, PackagedKind::Text("focal\n".into()));
        assert_eq!(file("v3.15", "busybox", "/bin/ls").kind, PackagedKind::Symlink("/bin/busybox".into()));
        let PackagedKind::Text(conf) = file("bullseye", "nginx-common", "/etc/nginx/nginx.conf").kind else { panic!() };
        assert!(conf.contains("\n\tworker_connections 768;\n"), "{conf}");
    }

    #[test]
    fn names_are_plain_and_sizes_plausible() {
        for release in releases() {
            for name in release.names("") {
                for file in release.package(name).unwrap().files() {
                    assert!(
                        file.path.starts_with('/') && !file.path.contains(['!', ':', '>', ' ']),
                        "{name}: {file:?}"
                    );
                    if let PackagedKind::Program(program, _) = &file.kind {
                        assert!(!program.is_empty(), "{name}: {file:?}");
                    }
                }
            }
        }
    }
}
