//! A machine as the checks see it: they look, and change nothing.

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::sync::Arc;

use bstr::ByteSlice;
use serde_json::Value;

use crate::base::digest::{ChainId, ImageId};
use crate::docker::daemon::api::snapshot::{ContainerView, Snapshot};
use crate::docker::image::config::ImageConfig;
use crate::docker::image::reference::Reference;
use crate::machine::Machine;
use crate::machine::host::HOME;
use crate::os::fs::layer::{Change, Layer};
use crate::os::fs::mounts::{Caller, Mounts};
use crate::os::fs::node::{Content, Entry, Kind, Stat};
use crate::os::fs::tree::Tree;

/// Bytes of a file that are looked at.
const MAX_READ: u64 = 1 << 20;

/// A machine at one moment.
pub struct Scene<'a> {
    machine: &'a Machine,
    snapshot: OnceCell<Snapshot>,
}

/// An image's layers and config, from the store or, where it is not there, from its registry.
pub struct Stack {
    /// The config.
    pub config: ImageConfig,
    /// The layers, lowest first.
    pub layers: Vec<Arc<Layer>>,
}

/// A file that was found.
pub struct Found {
    /// Kind, mode, owner.
    pub kind: Kind,
    /// Permission bits.
    pub mode: u32,
    /// The owner's number.
    pub uid: u32,
    /// The beginning of its content, of a regular file.
    pub text: Option<Vec<u8>>,
}

/// Whose files are meant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Whose {
    /// The student's computer.
    Host,
    /// A container.
    Container(String),
    /// An image.
    Image(String),
    /// A volume.
    Volume(String),
}

impl<'a> Scene<'a> {
    /// Looks at a machine.
    pub const fn new(machine: &'a Machine) -> Self {
        Self { machine, snapshot: OnceCell::new() }
    }

    /// The machine.
    pub const fn machine(&self) -> &Machine {
        self.machine
    }

    /// What the daemon holds.
    pub fn snapshot(&self) -> &Snapshot {
        self.snapshot.get_or_init(|| self.machine.daemon().snapshot())
    }

    /// The containers, newest first.
    pub fn containers(&self) -> &[ContainerView] {
        &self.snapshot().containers
    }

    /// A container by its name.
    pub fn container(&self, name: &str) -> Option<&ContainerView> {
        self.containers().iter().find(|container| container.name == name)
    }

    /// A container's `docker inspect`.
    pub fn document(&self, container: &ContainerView) -> Value {
        self.machine.daemon().container_inspect(&container.id, false).unwrap_or_default()
    }

    /// The image of a name or an id.
    pub fn image(&self, name: &str) -> Option<ImageId> {
        self.machine.daemon().store().borrow().resolve(name).ok()
    }

    /// Its size in bytes.
    pub fn image_size_bytes(&self, name: &str) -> Option<u64> {
        let id = self.image(name)?;
        Some(self.machine.daemon().store().borrow().image_size_bytes(id))
    }

    /// An image's layers, whether it is here or only in its registry.
    pub fn stack(&self, name: &str) -> Option<Stack> {
        let daemon = self.machine.daemon();
        if let Some(id) = self.image(name) {
            let store = daemon.store().borrow();
            let config = store.image(id)?.config().clone();
            let layers = store.stack(config.chain_id()).into_iter().map(|stored| Arc::clone(&stored.layer)).collect();
            return Some(Stack { config, layers });
        }
        let published = daemon.registry().resolve(&Reference::parse(name).ok()?.with_default_tag()).ok()?;
        let layers = published.layers.iter().map(|layer| Arc::clone(&layer.layer)).collect();
        Some(Stack { config: published.image.config().clone(), layers })
    }

    /// The files of a host, a container or a volume, and where its root is.
    fn mounts(&self, whose: &Whose) -> Option<(Mounts, String)> {
        let daemon = self.machine.daemon();
        match whose {
            Whose::Host => Some((self.machine.host_files().borrow().clone(), String::new())),
            Whose::Volume(name) => {
                let volume = daemon.volume_inspect(name).ok()?;
                Some((self.machine.host_files().borrow().clone(), volume.mountpoint))
            }
            Whose::Container(name) => {
                let container = self.container(name)?;
                Some((daemon.container_files(&container.id).ok()?, String::new()))
            }
            Whose::Image(_) => None,
        }
    }

    /// A file; symbolic links are followed, but in images.
    pub fn file(&self, whose: &Whose, path: &str) -> Option<Found> {
        if let Whose::Image(name) = whose {
            let tree = Tree::of(self.stack(name)?.layers.iter().map(Arc::as_ref));
            let node = tree.get(path.as_bytes())?;
            return Some(found_entry(&node.entry));
        }
        let (mounts, root) = self.mounts(whose)?;
        let path = format!("{root}{}", absolute(path));
        let place = mounts.find(&Caller::root(), path.as_bytes(), true).ok()?;
        let Stat { kind, meta, .. } = place.stat().ok()?;
        let text = match place.content() {
            Ok(Content::File(rope)) => Some(rope.head(MAX_READ)),
            _ => None,
        };
        Some(Found { kind, mode: meta.mode, uid: meta.uid, text })
    }

    /// The text of a file of the host.
    pub fn host_text(&self, path: &str) -> Option<String> {
        let found = self.file(&Whose::Host, path)?;
        found.text.map(|text| text.to_str_lossy().into_owned())
    }

    /// Whether that, whose files are meant, is there at all.
    pub fn has(&self, whose: &Whose) -> bool {
        match whose {
            Whose::Image(name) => self.image(name).is_some(),
            whose => self.mounts(whose).is_some(),
        }
    }

    /// The sum of the layers of all images, each counted once, in bytes.
    pub fn disk_bytes(&self) -> u64 {
        let store = self.machine.daemon().store().borrow();
        let mut used: BTreeSet<ChainId> = BTreeSet::new();
        let mut sum = 0u64;
        for image in store.images() {
            for layer in store.stack(image.config().chain_id()) {
                if used.insert(layer.chain_id) {
                    sum = sum.saturating_add(layer.size_bytes);
                }
            }
        }
        sum
    }

    /// How many layers the images have, each counted once.
    pub fn layer_count(&self) -> usize {
        let store = self.machine.daemon().store().borrow();
        let stacks = store.images().flat_map(|image| store.stack(image.config().chain_id()));
        stacks.map(|layer| layer.chain_id).collect::<BTreeSet<ChainId>>().len()
    }
}

impl Stack {
    /// The chain ids, lowest first.
    pub fn chains(&self) -> Vec<ChainId> {
        let mut at: Option<ChainId> = None;
        let mut chains = Vec::new();
        for diff_id in &self.config.diff_ids {
            let chain = at.map_or(ChainId(diff_id.0), |below| below.then(*diff_id));
            chains.push(chain);
            at = Some(chain);
        }
        chains
    }

    /// Bytes that layers hold and that nobody sees, as a higher layer replaces or hides them.
    pub fn hidden_bytes(&self) -> u64 {
        let tree = Tree::of(self.layers.iter().map(Arc::as_ref));
        let puts = self.layers.iter().flat_map(|layer| layer.entries());
        puts.fold(0, |sum, (path, change)| match change {
            Change::Put(entry) if entry.content.kind() == Kind::File => {
                let seen = tree.get(path).is_some_and(|node| Arc::ptr_eq(&node.entry, entry));
                sum.saturating_add(if seen { 0 } else { entry.content.size_bytes() })
            }
            _ => sum,
        })
    }

    /// How many layers put a file at a path.
    pub fn copies(&self, path: &str) -> usize {
        let path = path.trim_start_matches('/').as_bytes();
        self.layers.iter().filter(|layer| matches!(layer.get(path), Some(Change::Put(_)))).count()
    }

    /// Whether a layer hides what a lower one has at a path.
    pub fn hides(&self, path: &str) -> bool {
        let path = path.trim_start_matches('/').as_bytes();
        self.layers.iter().any(|layer| matches!(layer.get(path), Some(Change::Whiteout)))
    }
}

fn found_entry(entry: &Entry) -> Found {
    let text = match &entry.content {
        Content::File(rope) => Some(rope.head(MAX_READ)),
        _ => None,
    };
    Found { kind: entry.content.kind(), mode: entry.meta.mode, uid: entry.meta.uid, text }
}

/// A path of the host as the student writes it: `~` and relative paths start at the student's folder.
pub fn absolute(path: &str) -> String {
    match path.strip_prefix("~/") {
        _ if path.starts_with('/') => path.to_owned(),
        Some(rest) => format!("{HOME}/{rest}"),
        None => format!("{HOME}/{path}"),
    }
}
