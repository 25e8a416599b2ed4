//! What a build needs from outside: a store, a cache, time, images from registries and a way to run commands.
//!
//! The machine gives a build the daemon's; the catalogue gives it a world of its own with a date that stands still.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use bstr::BString;

use super::cache::BuildCache;
use super::error::PullProblem;
use crate::base::digest::{BlobDigest, ChainId, ImageId, ManifestDigest};
use crate::base::rng::Rng;
use crate::base::time::Timestamp;
use crate::docker::image::config::Image;
use crate::docker::image::reference::Reference;
use crate::docker::image::store::Store;
use crate::docker::registry::Published;
use crate::os::fs::layer::Layer;
use crate::os::fs::overlay::Overlay;
use crate::os::fs::tree::Tree;

/// Bytes a second on the simulated link.
pub const DOWNLOAD_RATE: u64 = 10_000_000;
/// Bytes a second when unpacking.
pub const EXTRACT_RATE: u64 = 80_000_000;

/// A future of this one thread.
pub type Later<T> = Pin<Box<dyn Future<Output = T>>>;

/// A file system mounted into a build container (`RUN --mount`).
#[derive(Clone)]
pub struct RunMount {
    /// Where in the container.
    pub at: BString,
    /// The file system.
    pub overlay: Rc<RefCell<Overlay>>,
    /// The path in it that is mounted.
    pub path: BString,
    /// Whether writing fails.
    pub read_only: bool,
    /// Changes are thrown away with the step: writes to a bind mount.
    pub kind: &'static str,
}

/// A command to run in a build container.
pub struct RunStep {
    /// The files below.
    pub lower: Tree,
    /// The command's words.
    pub args: Vec<String>,
    /// `NAME=value`.
    pub env: Vec<String>,
    /// The working directory, made if missing.
    pub cwd: String,
    /// A user of the image: name or number, with an optional group; empty for root.
    pub user: String,
    /// The host name.
    pub hostname: String,
    /// `default`, `none` or `host`.
    pub network: String,
    /// `--add-host`: `name:address`, further lines of `/etc/hosts`.
    pub extra_hosts: Vec<String>,
    /// Further mounts.
    pub mounts: Vec<RunMount>,
    /// Where its output goes: whether it is an error's, and the bytes.
    pub output: Rc<dyn Fn(bool, &[u8])>,
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunEnd {
    /// Its exit status.
    pub code: i32,
    /// What it wrote.
    pub layer: Layer,
}

/// Why a command did not start, as runc says it: `exec: "/bin/sh": stat /bin/sh: no such file or directory`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartError(pub String);

/// What is told of a base image on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FetchEvent {
    /// A blob is being downloaded.
    Download {
        /// The blob.
        blob: BlobDigest,
        /// Bytes here.
        current: u64,
        /// All bytes.
        total: u64,
    },
    /// A layer is being unpacked.
    Extract {
        /// The blob.
        blob: BlobDigest,
        /// Whether it is done.
        done: bool,
    },
}

/// A base image whose layers are in the store.
pub struct Fetched {
    /// The image, which is not in the store: BuildKit leaves no name behind.
    pub image: Image,
    /// Its stack, held once for the one who fetched it.
    pub chain: Option<ChainId>,
    /// The manifest's digest.
    pub digest: ManifestDigest,
}

/// Asks a registry what a reference means.
pub type Resolve = Rc<dyn Fn(Reference) -> Later<Result<Rc<Published>, PullProblem>>>;
/// Downloads a base image for BuildKit.
pub type Fetch = Rc<dyn Fn(Reference, Rc<dyn Fn(FetchEvent)>) -> Later<Result<Fetched, PullProblem>>>;
/// Pulls an image as `docker pull` does, output included, for the classic builder.
pub type Pull = Rc<dyn Fn(Reference, Rc<dyn Fn(&[u8])>) -> Later<Result<ImageId, PullProblem>>>;
/// Runs a command.
pub type Run = Rc<dyn Fn(RunStep) -> Later<Result<RunEnd, StartError>>>;

/// Everything a build needs.
#[derive(Clone)]
pub struct World {
    /// The local store.
    pub store: Rc<RefCell<Store>>,
    /// BuildKit's cache.
    pub cache: Rc<RefCell<BuildCache>>,
    /// Identities of containers and snapshots.
    pub random: Rc<RefCell<Rng>>,
    /// The time.
    pub now: Rc<dyn Fn() -> Timestamp>,
    /// Lets time pass.
    pub sleep: Rc<dyn Fn(Duration) -> Later<()>>,
    /// Registries.
    pub resolve: Resolve,
    /// Registries, for BuildKit.
    pub fetch: Fetch,
    /// Registries, for the classic builder.
    pub pull: Pull,
    /// The kernel.
    pub run: Run,
    /// The daemon's version, which classic images keep.
    pub docker_version: &'static str,
    /// `amd64`.
    pub architecture: &'static str,
}

impl World {
    /// A random lower-case word, as BuildKit's `identity.NewID` writes.
    pub fn identity(&self) -> String {
        const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
        let mut random = self.random.borrow_mut();
        (0..25).map(|_| DIGITS.get(random.below(36) as usize).map_or('0', |d| char::from(*d))).collect()
    }

    /// BuildKit's name of a snapshot in an error: a UUID and an identity.
    pub fn snapshot(&self) -> String {
        let id = self.random.borrow_mut().id();
        let hex = crate::base::digest::hex(id.get(..16).unwrap_or_default());
        let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
        let (a, b, c, d, e) = (part(0, 8), part(8, 12), part(13, 16), part(17, 20), part(20, 32));
        format!("{a}-{b}-4{c}-8{d}-{e}::{}", self.identity())
    }

    /// How long work on `bytes` takes: what it costs at all, and so many megabytes a second.
    pub fn duration(millis: u64, bytes: u64, megabytes_per_second: u64) -> Duration {
        Duration::from_millis(millis) + Duration::from_micros(bytes / megabytes_per_second.max(1))
    }
}

/// A stack that stays in the store while this lives.
pub struct Held {
    store: Rc<RefCell<Store>>,
    chain: ChainId,
}

impl Held {
    /// Takes over a hold that `Store::register` or a fetch left.
    pub fn adopt(store: &Rc<RefCell<Store>>, chain: ChainId) -> Self {
        Self { store: Rc::clone(store), chain }
    }

    /// Holds a stack once more; `None` when it is not there.
    pub fn new(store: &Rc<RefCell<Store>>, chain: ChainId) -> Option<Self> {
        store.borrow_mut().hold(chain).ok()?;
        Some(Self::adopt(store, chain))
    }

    /// The stack.
    pub fn chain(&self) -> ChainId {
        self.chain
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // A build that is cancelled drops its holds wherever it stood; nobody borrows the store across an await.
        if let Ok(mut store) = self.store.try_borrow_mut() {
            store.release(self.chain);
        }
    }
}
