//! Any bytes as an archive: packed or plain, as a layer, as a tree, and written again.
//!
//! `cargo +nightly fuzz run --fuzz-dir tests/fuzz archives -- -rss_limit_mb=512 -max_total_time=60`. Beside panics and
//! memory, it finds a layer that is not the same after its own archive, or that a tree shows otherwise.
#![no_main]

use capas::base::rope::Rope;
use capas::os::fs::layer::{Change, Layer};
use capas::os::fs::node::{Content, Kind};
use capas::os::fs::packed;
use capas::os::fs::tree::Tree;
use libfuzzer_sys::fuzz_target;

/// What a file may unpack to here, in bytes.
const LIMIT_BYTES: u64 = 1 << 24;

fuzz_target!(|bytes: &[u8]| {
    let Ok(plain) = packed::plain(&Rope::from(bytes), LIMIT_BYTES) else { return };
    assert!(plain.len() <= LIMIT_BYTES || plain.len() == bytes.len() as u64);
    let Ok(layer) = Layer::from_archive(&plain) else { return };
    // Nothing is made of nothing: what its files hold is in the archive.
    let held = layer.size_bytes();
    assert!(held <= plain.len(), "{held} bytes of {}", plain.len());
    assert!(layer.to_tar().is_same(&plain));
    for (path, change) in layer.entries() {
        assert!(!path.starts_with(b"/") && !path.ends_with(b"/") && !path.split(|b| *b == b'/').any(|part| part == b".."));
        if let Change::HardLink(target) = change {
            assert!(matches!(layer.get(target), Some(Change::Put(_) | Change::Whiteout | Change::HardLink(_))));
        }
        // A socket has no place in an archive.
        assert!(!matches!(change, Change::Put(entry) if entry.content == Content::Socket));
    }
    let tree = Tree::of([&layer, &layer]);
    let mut todo = vec![tree.root()];
    while let Some(node) = todo.pop() {
        assert!(node.kind() == Kind::Dir || node.children.is_empty());
        todo.extend(node.children.values());
    }
    let own: Layer = layer.entries().map(|(path, change)| (path.to_owned(), change.clone())).collect();
    let again = Layer::from_tar(&own.to_tar());
    assert_eq!(again.as_ref(), Ok(&own));
});
