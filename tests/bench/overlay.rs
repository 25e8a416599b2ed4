//! What file systems of 3, 30 and 125 layers and 10,000 files cost: look-up, listing, creation, copy-up; beside them the
//! kernel's overlayfs on the same files (as root on Linux, mounts in /dev/shm), and what 10,000 containers weigh.
//!
//! `cargo bench`; in WebAssembly: `cargo bench --target wasm32-wasip1` with `tests/bench/wasi.mjs` as the runner (README).
#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
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
        match kernel::measure(layers) {
            Ok([lookup, readdir, create, copy_up]) => println!(
                "  kernel's: lookup {lookup:.0} ns, readdir {readdir:.0} ns a name, create {create:.0} ns, copy-up {copy_up:.0} ns"
            ),
            Err(why) => println!("  kernel's: not measured, {why}"),
        }
    }
    println!("lookup 125:3 = {:.2}", lookups[2] / lookups[0]);
    weigh_containers();
}

/// Memory of writable layers over one image: nothing that they share is copied.
fn weigh_containers() {
    const CONTAINERS: usize = 10_000;
    let tree = tree(30);
    let before = resident_bytes();
    let containers: Vec<Overlay> = (0..CONTAINERS as u64)
        .map(|dev| {
            let mut overlay = Overlay::new(dev, tree.clone(), u64::MAX);
            let ino = find(&mut overlay, 7);
            overlay.write(ino, 0, &"what the container wrote".into(), NOW).unwrap();
            overlay
        })
        .collect();
    let written: u64 = containers.iter().map(Overlay::resident_bytes).sum();
    match (before, resident_bytes()) {
        (Some(before), Some(after)) => println!(
            "{CONTAINERS} containers of one image, one file of {FILES} changed in each: {} bytes a container, {} of them written",
            after.saturating_sub(before) / CONTAINERS as u64,
            written / CONTAINERS as u64
        ),
        _ => println!("{CONTAINERS} containers: {written} bytes written; the process's memory is not known here"),
    }
}

/// The process's memory, in bytes.
fn resident_bytes() -> Option<u64> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    Some(statm.split(' ').nth(1)?.parse::<u64>().ok()? * 4096)
}

/// The kernel's overlayfs with the files of [`tree`].
#[cfg(target_os = "linux")]
mod kernel {
    use std::ffi::CString;
    use std::fs;
    use std::path::{Path, PathBuf};
    use std::time::Instant;

    use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};

    use super::{DIRS, FILES};

    /// Nanoseconds of a look-up, a name of a listing, a creation, a copy-up; the best of several fresh mounts, so that the
    /// kernel's own cache of names is as empty as ours.
    pub fn measure(layers: usize) -> Result<[f64; 4], String> {
        let root = PathBuf::from(format!("/dev/shm/capas-bench-{}-{layers}", std::process::id()));
        let result = fill(&root, layers).map_err(|error| error.to_string()).and_then(|()| run(&root, layers));
        drop(fs::remove_dir_all(&root));
        result
    }

    fn fill(root: &Path, layers: usize) -> std::io::Result<()> {
        for layer in 0..layers {
            for dir in 0..DIRS {
                fs::create_dir_all(root.join(format!("{layer}/d{dir}")))?;
            }
            for file in (layer..FILES).step_by(layers) {
                fs::write(root.join(format!("{layer}/d{}/f{file}", file % DIRS)), "text")?;
            }
        }
        fs::create_dir_all(root.join("merged"))
    }

    fn run(root: &Path, layers: usize) -> Result<[f64; 4], String> {
        let mut best = [f64::INFINITY; 4];
        let merged = root.join("merged");
        let place = |file: usize| merged.join(format!("d{}/f{file}", file % DIRS));
        for _ in 0..3 {
            for dir in ["upper", "work"] {
                drop(fs::remove_dir_all(root.join(dir)));
                fs::create_dir(root.join(dir)).map_err(|error| error.to_string())?;
            }
            // Short names, since all options must fit in a page.
            std::env::set_current_dir(root).map_err(|error| error.to_string())?;
            let lower: Vec<String> = (0..layers).rev().map(|layer| layer.to_string()).collect();
            let options = CString::new(format!("lowerdir={},upperdir=upper,workdir=work", lower.join(":")));
            let options = options.map_err(|error| error.to_string())?;
            mount("overlay", &merged, "overlay", MountFlags::empty(), options.as_c_str())
                .map_err(|error| format!("no overlay can be mounted: {error}"))?;
            let times = [
                time(FILES, || (0..FILES).try_for_each(|file| fs::metadata(place(file)).map(drop))),
                time(FILES, || {
                    (0..DIRS).try_for_each(|dir| fs::read_dir(merged.join(format!("d{dir}"))).map(|d| d.for_each(drop)))
                }),
                time(FILES, || {
                    (0..FILES).try_for_each(|file| {
                        fs::File::create(merged.join(format!("d{}/new{file}", file % DIRS))).map(drop)
                    })
                }),
                time(FILES, || {
                    (0..FILES).try_for_each(|file| fs::OpenOptions::new().append(true).open(place(file)).map(drop))
                }),
            ];
            drop(std::env::set_current_dir("/"));
            unmount(&merged, UnmountFlags::DETACH).unwrap_or_default();
            for (best, time) in best.iter_mut().zip(times) {
                *best = best.min(time?);
            }
        }
        Ok(best)
    }

    fn time(items: usize, run: impl FnOnce() -> std::io::Result<()>) -> Result<f64, String> {
        let start = Instant::now();
        run().map_err(|error| error.to_string())?;
        Ok(start.elapsed().as_nanos() as f64 / items as f64)
    }
}

#[cfg(not(target_os = "linux"))]
mod kernel {
    pub fn measure(_: usize) -> Result<[f64; 4], String> {
        Err("there is no overlayfs here".to_owned())
    }
}
