//! What file systems of 3, 30 and 125 layers and 10,000 files cost: look-up, listing, creation, copy-up.
#![expect(
    clippy::disallowed_types,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "it measures time and tells it"
)]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use bstr::{BStr, BString};
use capas::base::time::Timestamp;
use capas::os::fs::layer::{Change, Layer};
use capas::os::fs::node::{Content, Entry, Meta};
use capas::os::fs::overlay::{Ino, Overlay, ROOT};
use capas::os::fs::tree::Tree;

const FILES: usize = 10_000;
const DIRS: usize = 100;
const NOW: Timestamp = Timestamp::from_seconds(1);
const META: Meta = Meta::root(0o755, NOW);

fn tree(layers: usize) -> Tree {
    let stack: Vec<Layer> = (0..layers)
        .map(|layer| {
            let dirs = (0..DIRS).map(|dir| (BString::from(format!("d{dir}")), Change::Put(Arc::new(Entry::dir(META)))));
            let files = (layer..FILES).step_by(layers).map(|file| {
                let path = BString::from(format!("d{}/f{file}", file % DIRS));
                (path, Change::Put(Arc::new(Entry::file(META, "text"))))
            });
            dirs.chain(files).collect()
        })
        .collect();
    Tree::of(&stack)
}

/// The best of several runs, in nanoseconds an item.
fn time(items: usize, mut run: impl FnMut(&mut Overlay), fresh: impl Fn() -> Overlay) -> f64 {
    let one = |_| {
        let mut overlay = fresh();
        let start = Instant::now();
        run(&mut overlay);
        start.elapsed().as_nanos() as f64 / items as f64
    };
    (0..15).map(one).fold(f64::INFINITY, f64::min)
}

fn find(overlay: &mut Overlay, file: usize) -> Ino {
    let dir = overlay.lookup(ROOT, BStr::new(&format!("d{}", file % DIRS))).unwrap();
    overlay.lookup(dir, BStr::new(&format!("f{file}"))).unwrap()
}

fn main() {
    let mut lookups = Vec::new();
    for layers in [3, 30, 125] {
        let tree = tree(layers);
        let fresh = || Overlay::new(1, tree.clone(), u64::MAX);
        let lookup = time(
            FILES,
            |o| {
                (0..FILES).for_each(|file| {
                    black_box(find(o, file));
                })
            },
            fresh,
        );
        let readdir = time(
            FILES,
            |o| {
                for dir in 0..DIRS {
                    let dir = o.lookup(ROOT, BStr::new(&format!("d{dir}"))).unwrap();
                    black_box(o.readdir(dir).unwrap());
                }
            },
            fresh,
        );
        let create = time(
            FILES,
            |o| {
                for file in 0..FILES {
                    let dir = o.lookup(ROOT, BStr::new(&format!("d{}", file % DIRS))).unwrap();
                    o.create(dir, BStr::new(&format!("new{file}")), META, Content::Fifo, NOW).unwrap();
                }
            },
            fresh,
        );
        let copy_up = time(
            FILES,
            |o| {
                (0..FILES).for_each(|file| {
                    let ino = find(o, file);
                    o.copy_up(ino).unwrap();
                })
            },
            fresh,
        );
        println!(
            "{layers:3} layers: lookup {lookup:.0} ns, readdir {readdir:.0} ns a name, create {create:.0} ns, copy-up {copy_up:.0} ns"
        );
        lookups.push(lookup);
    }
    println!("lookup 125:3 = {:.2}", lookups[2] / lookups[0]);
}
