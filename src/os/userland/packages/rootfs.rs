//! Root file systems made of packages, as debootstrap and Alpine's build scripts make them.

use crate::base::sort::Arrange;
use std::collections::BTreeMap;
use std::sync::Arc;

use bstr::BString;

use super::files::{PackagedKind, executable};
use super::{Family, Package, Release};
use crate::base::time::Timestamp;
use crate::os::fs::layer::{Change, Layer};
use crate::os::fs::node::{Content, Entry, Meta};
use crate::os::kernel::exec::Flavour;

/// The directories that a merged `/usr` replaces with links.
const MERGED: [&str; 6] = ["bin", "sbin", "lib", "lib64", "lib32", "libx32"];

/// A root file system that is being filled; directories above a path appear by themselves.
#[derive(Debug, Default)]
pub struct Rootfs {
    entries: BTreeMap<BString, Change>,
    merged_usr: bool,
    built: Timestamp,
}

impl Rootfs {
    /// An empty root whose directories carry the time `built`.
    pub fn new(built: Timestamp) -> Self {
        Self { built, ..Self::default() }
    }

    /// Where a path of a package really is: below `/usr` when `/bin` and its like are links.
    pub fn place(merged_usr: bool, path: &str) -> String {
        let relative = path.trim_start_matches('/');
        let top = relative.split('/').next().unwrap_or_default();
        let inside = relative.len() > top.len();
        if merged_usr && inside && MERGED.contains(&top) { format!("usr/{relative}") } else { relative.to_owned() }
    }

    /// Puts an entry at an absolute path, in place of what is there.
    pub fn put(&mut self, path: &str, entry: Entry) {
        let at = Self::place(self.merged_usr, path);
        for (slash, _) in at.match_indices('/') {
            let dir = at.get(..slash).unwrap_or_default();
            let meta = Meta::root(0o755, self.built);
            self.entries.entry(dir.into()).or_insert_with(|| Change::Put(Arc::new(Entry::dir(meta))));
        }
        self.entries.insert(at.into(), Change::Put(Arc::new(entry)));
    }

    /// Puts a text file that root owns.
    pub fn text(&mut self, path: &str, mode: u32, text: &str) {
        self.put(path, Entry::file(Meta::root(mode, self.built), text));
    }

    /// The text of a file; empty when there is none.
    pub fn read(&self, path: &str) -> String {
        let at = Self::place(self.merged_usr, path);
        match self.entries.get(bstr::BStr::new(at.as_bytes())) {
            Some(Change::Put(entry)) => match &entry.content {
                Content::File(rope) => String::from_utf8_lossy(&rope.to_vec()).into_owned(),
                _ => String::new(),
            },
            _ => String::new(),
        }
    }

    /// Puts a symbolic link.
    pub fn symlink(&mut self, path: &str, target: &str) {
        self.put(path, Entry::symlink(Meta::root(0o777, self.built), target));
    }

    /// Puts an empty directory that root owns.
    pub fn dir(&mut self, path: &str, mode: u32) {
        self.put(path, Entry::dir(Meta::root(mode, self.built)));
    }

    /// Another name for a file that is already there.
    pub fn hard_link(&mut self, path: &str, target: &str) {
        let (at, target) = (Self::place(self.merged_usr, path), Self::place(self.merged_usr, target));
        self.entries.insert(at.into(), Change::HardLink(target.into()));
    }

    /// Puts a package's files.
    pub fn unpack(&mut self, package: &Package) {
        for file in package.files() {
            let known =
                |path: &str| self.entries.contains_key(bstr::BStr::new(Self::place(self.merged_usr, path).as_bytes()));
            // A directory keeps the owner and mode that the first package gave it, unless this one says otherwise.
            let plain = file.mode == 0o755 && file.uid == 0 && file.gid == 0;
            if file.kind == PackagedKind::Dir && plain && known(&file.path) {
                continue;
            }
            // The first alternative stays: it has the highest priority.
            if !file.shipped && matches!(file.kind, PackagedKind::Symlink(_)) && known(&file.path) {
                continue;
            }
            self.put(&file.path, package.entry(&file));
        }
    }

    /// The finished changeset.
    pub fn into_layer(self) -> Layer {
        Layer::new(self.entries)
    }
}

/// The base system of a release, with further packages and what they need.
pub fn rootfs(release: &'static Release, extra: &[&str]) -> Rootfs {
    let mut root = Rootfs::new(release.built);
    root.merged_usr = release.merged_usr;
    if release.merged_usr {
        for dir in MERGED {
            root.merged_usr = false;
            root.symlink(&format!("/{dir}"), &format!("usr/{dir}"));
            root.dir(&format!("/usr/{dir}"), 0o755);
        }
        root.merged_usr = true;
    }
    let packages = closure(release, extra);
    for package in &packages {
        root.unpack(package);
    }
    match release.family {
        Family::Alpine => {
            root.dir("/lib/apk/db", 0o755);
            let stanzas: Vec<String> = packages.iter().map(Package::apk_stanza).collect();
            root.text("/lib/apk/db/installed", 0o644, &(stanzas.join("\n") + "\n"));
            root.text("/lib/apk/db/triggers", 0o644, "");
            root.text("/lib/apk/db/lock", 0o600, "");
        }
        Family::Debian | Family::Ubuntu => debian_files(&mut root, release, &packages),
    }
    root
}

/// The base packages and `extra` with what they need, each once.
fn closure(release: &'static Release, extra: &[&str]) -> Vec<Package> {
    let mut packages: Vec<Package> = release.base().collect();
    let all_sources = release.origins();
    let mut wanted: Vec<&str> = extra.to_vec();
    while let Some(name) = wanted.pop() {
        if packages.iter().any(|package| package.name() == name) {
            continue;
        }
        if let Some(package) = release.candidates(name, &all_sources).first() {
            wanted.extend(package.depends());
            packages.push(*package);
        }
    }
    packages.arrange_by_key(Package::name);
    packages
}

fn debian_files(root: &mut Rootfs, release: &'static Release, packages: &[Package]) {
    root.text("/usr/lib/os-release", 0o644, &os_release(release));
    root.text("/etc/debian_version", 0o644, &format!("{}\n", release.debian_version));
    root.text("/etc/apt/sources.list", 0o644, &sources_list(release));
    if release.family == Family::Ubuntu {
        let short = release.version.split(" (").next().unwrap_or_default();
        root.text(
            "/etc/lsb-release",
            0o644,
            &format!(
                "DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE={}\nDISTRIB_CODENAME={}\nDISTRIB_DESCRIPTION=\"Ubuntu {short}\"\n",
                release.version_id, release.codename
            ),
        );
    }
    let mut status = String::new();
    for package in packages {
        status.push_str(&package.status_stanza());
        status.push('\n');
        root.text(&format!("/var/lib/dpkg/info/{}.list", package.info_name()), 0o644, &package.list_text());
        let script = package.post_install();
        if !script.is_empty() {
            root.text(&format!("/var/lib/dpkg/info/{}.postinst", package.info_name()), 0o755, &script);
        }
    }
    root.text("/var/lib/dpkg/info/format", 0o644, "1\n");
    root.text("/var/lib/dpkg/status", 0o644, &status);
    root.text("/var/lib/dpkg/available", 0o644, "");
    root.text("/var/lib/apt/extended_states", 0o644, "");
}

/// The text of `/etc/os-release`.
pub fn os_release(release: &Release) -> String {
    let Release { codename, family, version_id, version, .. } = release;
    let name = family.name();
    match family {
        Family::Ubuntu => {
            let short = version.split(" (").next().unwrap_or_default();
            format!(
                "PRETTY_NAME=\"Ubuntu {short}\"\nNAME=\"Ubuntu\"\nVERSION_ID=\"{version_id}\"\nVERSION=\"{version}\"\n\
                 VERSION_CODENAME={codename}\nID=ubuntu\nID_LIKE=debian\nHOME_URL=\"https://www.ubuntu.com/\"\n\
                 SUPPORT_URL=\"https://help.ubuntu.com/\"\nBUG_REPORT_URL=\"https://bugs.launchpad.net/ubuntu/\"\n\
                 UBUNTU_CODENAME={codename}\n"
            )
        }
        _ => format!(
            "PRETTY_NAME=\"{name} {version}\"\nNAME=\"{name}\"\nVERSION_ID=\"{version_id}\"\nVERSION=\"{version}\"\n\
             VERSION_CODENAME={codename}\nID={}\nHOME_URL=\"https://www.debian.org/\"\n\
             SUPPORT_URL=\"https://www.debian.org/support\"\nBUG_REPORT_URL=\"https://bugs.debian.org/\"\n",
            family.id()
        ),
    }
}

fn sources_list(release: &Release) -> String {
    let codename = release.codename;
    if release.family == Family::Ubuntu {
        let mut out = String::new();
        for suite in ["", "-updates", "-backports"] {
            out.push_str(&format!(
                "deb http://archive.ubuntu.com/ubuntu/ {codename}{suite} main restricted universe multiverse\n"
            ));
        }
        out.push_str(&format!(
            "deb http://security.ubuntu.com/ubuntu/ {codename}-security main restricted universe multiverse\n"
        ));
        return out;
    }
    let security = if codename == "stretch" { "stretch/updates".to_owned() } else { format!("{codename}-security") };
    let day = release.built.rfc3339_nano().split('T').next().unwrap_or_default().replace('-', "");
    let snapshot = format!("# deb http://snapshot.debian.org/archive/debian/{day}T000000Z");
    format!(
        "{snapshot} {codename} main\ndeb http://deb.debian.org/debian {codename} main\n\
         deb http://security.debian.org/debian-security {security} main\n\
         deb http://deb.debian.org/debian {codename}-updates main\n"
    )
}

/// The root file system of the `busybox` image: one program under hundreds of names.
pub fn busybox(alpine: &'static Release) -> Layer {
    let mut root = Rootfs::new(alpine.built);
    let seed = 0x62_7573_7962_6f78;
    root.put(
        "/bin/[",
        Entry::file(Meta::root(0o755, alpine.built), executable("busybox", Flavour::Busybox, 1_239_072, seed)),
    );
    for file in alpine.package("busybox").map(|package| package.files()).unwrap_or_default() {
        let name = file.path.rsplit('/').next().unwrap_or_default();
        if matches!(&file.kind, PackagedKind::Symlink(target) if target == "/bin/busybox") && name != "[" {
            root.hard_link(&format!("/bin/{name}"), "/bin/[");
        }
    }
    root.hard_link("/bin/busybox", "/bin/[");
    for (path, mode) in [
        ("/dev", 0o755),
        ("/etc/network/if-down.d", 0o755),
        ("/etc/network/if-up.d", 0o755),
        ("/home", 0o755),
        ("/root", 0o700),
        ("/tmp", 0o1777),
        ("/usr/sbin", 0o755),
        ("/var/spool/mail", 0o755),
        ("/var/www", 0o755),
    ] {
        root.dir(path, mode);
    }
    root.text(
        "/etc/passwd",
        0o644,
        "root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1:daemon:/usr/sbin:/bin/false\nbin:x:2:2:bin:/bin:/bin/false\n\
         sys:x:3:3:sys:/dev:/bin/false\nsync:x:4:100:sync:/bin:/bin/sync\nmail:x:8:8:mail:/var/spool/mail:/bin/false\n\
         www-data:x:33:33:www-data:/var/www:/bin/false\noperator:x:37:37:Operator:/var:/bin/false\n\
         nobody:x:65534:65534:nobody:/home:/bin/false\n",
    );
    root.text(
        "/etc/group",
        0o644,
        "root:x:0:\ndaemon:x:1:\nbin:x:2:\nsys:x:3:\nadm:x:4:\ntty:x:5:\ndisk:x:6:\nlp:x:7:\nmail:x:8:\nwww-data:x:33:\n\
         operator:x:37:\nusers:x:100:\nnogroup:x:65534:\n",
    );
    root.text(
        "/etc/shadow",
        0o640,
        "root:*:10933:0:99999:7:::\ndaemon:*:10933:0:99999:7:::\nnobody:*:10933:0:99999:7:::\n",
    );
    root.into_layer()
}

#[cfg(test)]
mod tests {
    use super::super::release;
    use super::*;
    use crate::os::fs::node::Content;

    fn layer(codename: &str) -> Layer {
        rootfs(release(codename).unwrap(), &[]).into_layer()
    }

    #[test]
    fn base_systems_have_the_sizes_of_the_real_ones() {
        let mut wrong = Vec::new();
        for (codename, megabytes) in [
            ("stretch", 55.3),
            ("bullseye", 80.4),
            ("bookworm", 74.8),
            ("bionic", 63.1),
            ("focal", 72.8),
            ("jammy", 77.8),
            ("v3.15", 5.59),
        ] {
            let layer = layer(codename);
            let size = layer.size_bytes() as f64 / 1e6;
            if (size / megabytes - 1.0).abs() > 0.001 || layer.len() < 90 {
                wrong.push(format!("{codename}: {size} MB in {} files, not {megabytes}", layer.len()));
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
        let busybox = busybox(release("v3.15").unwrap()).size_bytes();
        assert!((1_100_000..1_300_000).contains(&busybox), "{busybox}");
    }

    #[test]
    fn merged_usr_makes_links_and_split_usr_does_not() {
        let (focal, stretch) = (layer("focal"), layer("stretch"));
        let content = |layer: &Layer, path: &str| match layer.get(path.as_bytes()) {
            Some(Change::Put(entry)) => entry.content.clone(),
            other => panic!("{path}: {other:?}"),
        };
        assert_eq!(content(&focal, "bin"), Content::Symlink("usr/bin".into()));
        assert!(focal.get(b"bin/ls").is_none() && focal.get(b"usr/bin/ls").is_some());
        assert_eq!(content(&stretch, "bin"), Content::Dir { opaque: false });
        assert!(stretch.get(b"bin/ls").is_some());
    }

    #[test]
    fn the_system_files_name_the_release() {
        let layer = layer("focal");
        let text = |path: &str| match layer.get(path.as_bytes()) {
            Some(Change::Put(entry)) => match &entry.content {
                Content::File(rope) => String::from_utf8(rope.to_vec()).unwrap(),
                other => panic!("{path}: {other:?}"),
            },
            other => panic!("{path}: {other:?}"),
        };
        assert!(text("usr/lib/os-release").starts_with("PRETTY_NAME=\"Ubuntu 20.04.3 LTS\"\n"));
        assert!(text("etc/passwd").starts_with("root:x:0:0:root:/root:/bin/bash\n"));
        assert!(text("var/lib/dpkg/status").contains("Package: coreutils\n"));
        assert!(text("var/lib/dpkg/info/coreutils.list").contains("\n/bin/ls\n"));
    }

    #[test]
    fn every_parent_is_a_directory_or_a_link() {
        for codename in ["stretch", "focal", "v3.15"] {
            let layer = layer(codename);
            for (path, _) in layer.entries() {
                let Some(at) = bstr::ByteSlice::rfind(path.as_ref() as &[u8], b"/") else { continue };
                let parent = layer.get(&path[..at]);
                let dir = matches!(parent, Some(Change::Put(entry)) if matches!(entry.content, Content::Dir { .. }));
                assert!(dir, "{codename}: {path}");
            }
        }
    }

    #[test]
    fn further_packages_bring_what_they_need() {
        let layer = rootfs(release("jammy").unwrap(), &["nginx-module-njs", "curl"]).into_layer();
        for path in ["usr/bin/njs", "usr/bin/curl", "usr/lib/x86_64-linux-gnu/libcurl.so.4"] {
            assert!(layer.get(path.as_bytes()).is_some(), "{path}");
        }
    }
}
