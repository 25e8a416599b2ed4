//! `/dev` as a small file system: the nodes that every Linux, and every container, has.

use bstr::BStr;

use crate::base::time::Timestamp;
use crate::os::fs::node::{Content, Meta};
use crate::os::fs::overlay::{Overlay, ROOT};
use crate::os::fs::tree::Tree;

/// Nodes with their major and minor numbers (`Documentation/admin-guide/devices.txt`).
const NODES: [(&str, u32, u32); 6] =
    [("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9), ("tty", 5, 0)];
/// Links as systemd and runc make them.
const LINKS: [(&str, &str); 5] = [
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
    ("ptmx", "pts/ptmx"),
];

/// A `/dev` with the standard nodes and places for `pts` and `shm`.
pub fn dev(dev: u64, now: Timestamp) -> Overlay {
    let mut overlay = Overlay::new(dev, Tree::empty(), 64 << 20);
    let mut add =
        |dir, name: &str, mode, content| overlay.create(dir, BStr::new(name), Meta::root(mode, now), content, now);
    let mut made = Vec::new();
    for (name, major, minor) in NODES {
        made.push(add(ROOT, name, 0o666, Content::CharDevice(major, minor)));
    }
    for (name, target) in LINKS {
        made.push(add(ROOT, name, 0o777, Content::Symlink(target.into())));
    }
    made.push(add(ROOT, "shm", 0o1777, Content::Dir { opaque: false }));
    made.push(add(ROOT, "pts", 0o755, Content::Dir { opaque: false }));
    debug_assert!(made.iter().all(Result::is_ok), "an empty file system takes these names");
    overlay.take_events();
    overlay
}
