//! `/var/lib/docker/overlay2` and `/var/lib/docker/image` on the host: layers and images where the real daemon keeps them.
//!
//! Nothing is stored twice: a file is made of the image store and the containers when somebody looks (moby
//! `daemon/graphdriver/overlay2`, `layer/filestore.go`, `image/fs.go`, `image/refstore`). It can't be written, apart from
//! the `merged` directory of a running container, which is the container's own file system, mounted.
//!
//! A folder's name is drawn, not derived from what it holds: `layerdb` says which layer (`cache-id`) and which container
//! (`mount-id`) it belongs to.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::{Rc, Weak};

use bstr::{BStr, BString, ByteSlice};
use serde_json::{Map, Value, json};

use super::container::{Container, ContainerId};
use super::handle::World;
use super::rootfs::init_layer;
use crate::base::digest::{ChainId, Digest, FolderId, ImageId};
use crate::base::path;
use crate::base::time::Timestamp;
use crate::docker::image::store::{Store, StoredLayer};
use crate::os::fs::layer::{Change, Layer};
use crate::os::fs::mounts::{Made, Mount, Synthetic};
use crate::os::fs::node::{Content, Entry, Kind, Meta};

/// Where the daemon keeps things.
const ROOT: &str = "/var/lib/docker";
/// The folder of layers.
const OVERLAY: &str = "/var/lib/docker/overlay2";
/// Letters of a layer's short name (moby `overlay2` `idLength`).
const LINK_LETTERS: usize = 26;

/// The part of a layer's folder, as `docker inspect` names it.
pub fn part(name: &str, part: &str) -> String {
    format!("{OVERLAY}/{name}/{part}")
}

/// The folder of a container's mount points.
pub fn init_of(container: &Container) -> String {
    format!("{}-init", container.folder.name())
}

/// The folder of this name.
fn folder_of(name: &str) -> Option<FolderId> {
    Some(FolderId(format!("sha256:{name}").parse().ok()?))
}

/// The short name of a folder, by which mounts call it: 26 letters that Docker draws too and that follow from the drawn name here.
fn link_of(folder: &str) -> String {
    let digest = Digest::of(folder.as_bytes());
    let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let letter = |byte: &u8| letters.get(usize::from(byte % 32)).copied().map_or('A', char::from);
    digest.as_bytes().iter().take(LINK_LETTERS).map(letter).collect()
}

/// The options of a container's root in `/proc/mounts`.
pub fn mount_options(store: &Store, container: &Container) -> String {
    let own = container.folder.name();
    let lower: Vec<String> = below_container(store, container).iter().map(|l| part("l", &link_of(l))).collect();
    format!("relatime,lowerdir={},upperdir={},workdir={}", lower.join(":"), part(&own, "diff"), part(&own, "work"))
}

/// The folders below a container's own, uppermost first.
fn below_container(store: &Store, container: &Container) -> Vec<String> {
    let stack = store.stack(container.chain);
    std::iter::once(init_of(container)).chain(stack.iter().rev().map(|layer| layer.folder.name())).collect()
}

/// Mounts both on the host.
pub fn mount(world: &Rc<World>) {
    let host = world.host.mounts.borrow();
    let now = world.kernel.now();
    for (part, mode) in [("", 0o710), ("/overlay2", 0o710), ("/image", 0o700)] {
        let at = format!("{ROOT}{part}");
        // A host without a place for them has none.
        drop(super::files::mkdir_all(&host, at.as_bytes(), mode, now));
    }
    drop(host);
    for (at, is_image) in [(OVERLAY, false), ("/var/lib/docker/image", true)] {
        let files = Graph { world: Rc::downgrade(world), is_image, upper: RefCell::default() };
        // It is a folder of the host's disk, and no mount that one sees.
        let mount = Mount::synthetic(at, "", Rc::new(files));
        let _ = world.host.mounts.borrow_mut().mount(mount);
    }
}

impl World {
    /// Mounts a container's files at its `merged` directory, for as long as it runs.
    pub(super) fn mount_merged(&self, container: &Container) {
        self.merged.borrow_mut().insert(container.id, container.folder);
        let at = part(&container.folder.name(), "merged");
        let mut mount = Mount::overlay(&at, "overlay", "overlay", &container.root);
        mount.options = mount_options(&self.store.borrow(), container);
        if let Ok(mut host) = self.host.mounts.try_borrow_mut() {
            // A host without `/var/lib/docker` shows nothing.
            let _ = host.mount(mount);
        }
    }

    /// Undoes it.
    pub(super) fn unmount_merged(&self, id: ContainerId) {
        if let Some(folder) = self.merged.borrow_mut().remove(&id)
            && let Ok(mut host) = self.host.mounts.try_borrow_mut()
        {
            let _ = host.unmount(part(&folder.name(), "merged").as_bytes());
        }
    }
}

/// The files of one of the two.
struct Graph {
    world: Weak<World>,
    is_image: bool,
    /// The writable layer that was looked at last: whose, at which change, what it was.
    upper: RefCell<Option<(ContainerId, u64, Rc<Layer>)>>,
}

fn dir(mode: u32) -> Entry {
    Entry::new(Meta::root(mode, Timestamp(0)), Content::Dir { opaque: false })
}

fn file(mode: u32, text: impl Into<crate::base::rope::Rope>) -> Entry {
    Entry::file(Meta::root(mode, Timestamp(0)), text.into())
}

/// A folder with what it holds, by name.
type Folder = BTreeMap<String, Entry>;

/// What stands at a path.
enum Found {
    /// A folder of the daemon's own.
    Folder(Meta, Folder),
    /// A file of the daemon's own.
    File(Entry),
    /// A place in a layer.
    In(Rc<Layer>, BString),
}

impl Graph {
    fn find(&self, at: &BStr) -> Option<Found> {
        let world = self.world.upgrade()?;
        let mut names = path::components(at).map(|name| name.to_str().ok());
        if self.is_image {
            image(&world, names.collect::<Option<Vec<_>>>()?.as_slice())
        } else {
            // What is below `diff` may have any name.
            let (Some(folder), part) = (names.next(), names.next()) else {
                return Some(Found::Folder(Meta::root(0o710, Timestamp(0)), self.folders(&world)?));
            };
            let (folder, part) = (folder?, part.map_or(Some(""), |part| part)?);
            self.in_overlay(&world, folder, part, at)
        }
    }

    /// The folders of all layers.
    fn folders(&self, world: &World) -> Option<Folder> {
        let (store, state) = (world.store.try_borrow().ok()?, world.state.try_borrow().ok()?);
        let own = state.containers.values().flat_map(|c| [c.folder.name(), init_of(c)]);
        let mut all: Folder =
            store.layers().map(|layer| layer.folder.name()).chain(own).map(|name| (name, dir(0o710))).collect();
        all.insert("l".to_owned(), dir(0o700));
        Some(all)
    }

    fn in_overlay(&self, world: &World, folder: &str, part: &str, at: &BStr) -> Option<Found> {
        if folder == "l" {
            let link = |name: &String| {
                let target = Content::Symlink(format!("../{name}/diff").into());
                (link_of(name), Entry::new(Meta::root(0o777, Timestamp(0)), target))
            };
            let mut links: Folder = self.folders(world)?.keys().filter(|name| *name != "l").map(link).collect();
            return match part {
                "" => Some(Found::Folder(Meta::root(0o700, Timestamp(0)), links)),
                name if at.find_iter(b"/").count() == 1 => links.remove(name).map(Found::File),
                _ => None,
            };
        }
        let (layer, lower, is_own) = self.layer(world, folder)?;
        let rest = at.splitn_str(3, "/").nth(2).unwrap_or_default();
        if part == "diff" {
            return Some(Found::In(layer, rest.into()));
        }
        let mut files =
            Folder::from([("diff".to_owned(), dir(0o755)), ("link".to_owned(), file(0o644, link_of(folder).as_str()))]);
        if !is_own {
            files.insert("committed".to_owned(), file(0o600, ""));
        }
        if !lower.is_empty() {
            let links: Vec<String> = lower.iter().map(|name| format!("l/{}", link_of(name))).collect();
            files.insert("lower".to_owned(), file(0o644, links.join(":").as_str()));
            files.insert("work".to_owned(), dir(0o700));
        }
        if world.merged.try_borrow().is_ok_and(|merged| merged.values().any(|own| own.name() == folder)) {
            files.insert("merged".to_owned(), dir(0o755));
        }
        match (part, rest) {
            ("", _) => Some(Found::Folder(Meta::root(0o710, Timestamp(0)), files)),
            ("work", b"") if files.contains_key("work") => {
                let within = if files.contains_key("merged") {
                    Folder::from([("work".to_owned(), dir(0))])
                } else {
                    Folder::new()
                };
                Some(Found::Folder(Meta::root(0o700, Timestamp(0)), within))
            }
            ("work", b"work") if files.contains_key("merged") => {
                Some(Found::Folder(Meta::root(0, Timestamp(0)), Folder::new()))
            }
            (name, b"") => match files.remove(name)? {
                // The mount hides it.
                entry if entry.content.kind() == Kind::Dir => Some(Found::Folder(entry.meta, Folder::new())),
                entry => Some(Found::File(entry)),
            },
            _ => None,
        }
    }

    /// What a folder holds, the folders below it, uppermost first, and whether it is a container's own.
    fn layer(&self, world: &World, folder: &str) -> Option<(Rc<Layer>, Vec<String>, bool)> {
        let (store, state) = (world.store.try_borrow().ok()?, world.state.try_borrow().ok()?);
        let (name, is_init) = folder.strip_suffix("-init").map_or((folder, false), |name| (name, true));
        let wanted = folder_of(name)?;
        if let Some(container) = state.containers.values().find(|c| c.folder == wanted) {
            let mut lower = below_container(&store, container);
            if is_init {
                lower.remove(0);
                let below = store.tree(container.chain).ok()?;
                return Some((Rc::new(init_layer(&below, container.created)), lower, false));
            }
            return Some((self.upper_of(container)?, lower, true));
        }
        let stored = store.layers().find(|layer| !is_init && layer.folder == wanted)?;
        let below = store.stack(stored.parent);
        Some((Rc::new(Layer::clone(&stored.layer)), below.iter().rev().map(|l| l.folder.name()).collect(), false))
    }

    /// When what is not of a layer was made: with its container, else with the machine.
    fn made_at(&self, at: &BStr) -> Timestamp {
        let Some(world) = self.world.upgrade() else { return Timestamp(0) };
        let boot = world.kernel.boot_time();
        let Ok(state) = world.state.try_borrow() else { return boot };
        let mut names = path::components(at).filter_map(|name| name.to_str().ok());
        // A folder of its own, or one that bears its id (in `layerdb/mounts`).
        let container = |name: &str| {
            let folder = folder_of(name.strip_suffix("-init").unwrap_or(name))?;
            let by_id = state.containers.get(&ContainerId(folder.0));
            by_id.or_else(|| state.containers.values().find(|container| container.folder == folder))
        };
        names.find_map(container).map_or(boot, |container| container.created)
    }

    fn upper_of(&self, container: &Container) -> Option<Rc<Layer>> {
        let root = container.root.try_borrow().ok()?;
        let mut known = self.upper.try_borrow_mut().ok()?;
        match &*known {
            Some((id, change, layer)) if *id == container.id && *change == root.changes() => Some(Rc::clone(layer)),
            _ => {
                let layer = Rc::new(root.upper());
                *known = Some((container.id, root.changes(), Rc::clone(&layer)));
                Some(layer)
            }
        }
    }
}

/// What a layer's archive has at a path, as overlayfs keeps it: a whiteout is a device with the number 0.
fn in_layer(layer: &Layer, at: &[u8]) -> Option<Entry> {
    let change = layer.get(at);
    let change = match change {
        Some(Change::HardLink(target)) => layer.get(target),
        change => change,
    };
    match change {
        Some(Change::Put(entry)) => Some(Entry::clone(entry)),
        Some(Change::Whiteout) => Some(Entry::new(Meta::root(0, Timestamp(0)), Content::CharDevice(0, 0))),
        Some(Change::HardLink(_)) => None,
        None if at.is_empty() || layer.names_below(at).next().is_some() => Some(dir(0o755)),
        None => None,
    }
}

/// `/var/lib/docker/image/overlay2`.
fn image(world: &World, names: &[&str]) -> Option<Found> {
    let store = world.store.try_borrow().ok()?;
    let folder = |names: Vec<String>| {
        let entries = names.into_iter().map(|name| (name, dir(0o700))).collect();
        Some(Found::Folder(Meta::root(0o700, Timestamp(0)), entries))
    };
    let fixed = |names: &[&str]| folder(names.iter().map(|name| (*name).to_owned()).collect());
    let files = |mut all: Folder, rest: &[&str]| match rest {
        [] => Some(Found::Folder(Meta::root(0o700, Timestamp(0)), all)),
        [name] => all.remove(*name).map(Found::File),
        _ => None,
    };
    let chain_of = |name: &str| Some(ChainId(format!("sha256:{name}").parse().ok()?));
    match names {
        [] => fixed(&["overlay2"]),
        ["overlay2"] => {
            let mut all: Folder =
                ["distribution", "imagedb", "layerdb"].map(|name| (name.to_owned(), dir(0o700))).into();
            all.insert("repositories.json".to_owned(), repositories(&store));
            Some(Found::Folder(Meta::root(0o700, Timestamp(0)), all))
        }
        ["overlay2", "repositories.json"] => Some(Found::File(repositories(&store))),
        ["overlay2", "distribution"] => fixed(&["diffid-by-digest"]),
        ["overlay2", "distribution", "diffid-by-digest"] => fixed(&["sha256"]),
        ["overlay2", "distribution", "diffid-by-digest", "sha256", rest @ ..] => {
            let of = |layer: &StoredLayer| {
                Some((store.blob_of(layer.diff_id)?.0.hex(), file(0o644, layer.diff_id.to_string().as_str())))
            };
            files(store.layers().filter_map(of).collect(), rest)
        }
        ["overlay2", "imagedb"] => fixed(&["content", "metadata"]),
        ["overlay2", "imagedb", "content" | "metadata"] => fixed(&["sha256"]),
        ["overlay2", "imagedb", "content", "sha256", rest @ ..] => {
            let of = |image: &crate::docker::image::config::Image| (image.id().0.hex(), file(0o600, image.bytes()));
            files(store.images().map(of).collect(), rest)
        }
        ["overlay2", "imagedb", "metadata", "sha256"] => folder(
            store
                .images()
                .filter(|image| !metadata(&store, image.id()).is_empty())
                .map(|image| image.id().0.hex())
                .collect(),
        ),
        ["overlay2", "imagedb", "metadata", "sha256", id, rest @ ..] => {
            let id = ImageId(format!("sha256:{id}").parse().ok()?);
            files(Some(metadata(&store, id)).filter(|all| !all.is_empty())?, rest)
        }
        ["overlay2", "layerdb"] => fixed(&["mounts", "sha256"]),
        ["overlay2", "layerdb", "sha256"] => folder(store.layers().map(|layer| layer.chain_id.0.hex()).collect()),
        ["overlay2", "layerdb", "sha256", chain, rest @ ..] => {
            let layer = store.layer(chain_of(chain)?)?;
            let mut all = Folder::from([
                ("cache-id".to_owned(), file(0o644, layer.folder.name().as_str())),
                ("diff".to_owned(), file(0o644, layer.diff_id.to_string().as_str())),
                ("size".to_owned(), file(0o644, layer.size_bytes.to_string().as_str())),
            ]);
            if let Some(parent) = layer.parent {
                all.insert("parent".to_owned(), file(0o644, parent.to_string().as_str()));
            }
            files(all, rest)
        }
        ["overlay2", "layerdb", "mounts", rest @ ..] => {
            let state = world.state.try_borrow().ok()?;
            let [id, rest @ ..] = rest else {
                return folder(state.containers.keys().map(ToString::to_string).collect());
            };
            let container = state.containers.values().find(|c| c.id.to_string() == *id)?;
            let mut all = Folder::from([
                ("init-id".to_owned(), file(0o644, init_of(container).as_str())),
                ("mount-id".to_owned(), file(0o644, container.folder.name().as_str())),
            ]);
            if let Some(parent) = container.chain {
                all.insert("parent".to_owned(), file(0o644, parent.to_string().as_str()));
            }
            files(all, rest)
        }
        _ => None,
    }
}

/// What is known of an image beside its config.
fn metadata(store: &Store, id: ImageId) -> Folder {
    let mut all = Folder::new();
    if let Some(parent) = store.parent(id) {
        all.insert("parent".to_owned(), file(0o600, parent.to_string().as_str()));
    }
    if let Some(time) = store.last_tagged(id) {
        all.insert("lastUpdated".to_owned(), file(0o600, time.rfc3339_nano().as_str()));
    }
    all
}

/// Names and what they mean.
fn repositories(store: &Store) -> Entry {
    let mut all: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    for (reference, id) in store.references() {
        let name = reference.familiar();
        let repository = name.split('@').next().unwrap_or_default();
        let repository = match reference.tag() {
            Some(tag) => repository.strip_suffix(&format!(":{tag}")).unwrap_or(repository),
            None => repository,
        };
        all.entry(repository.to_owned()).or_default().insert(name.clone(), id.to_string().into());
    }
    file(0o600, json!({ "Repositories": all }).to_string().as_str())
}

impl Synthetic for Graph {
    fn get(&self, at: &BStr) -> Option<Made> {
        let (mut meta, content) = match self.find(at)? {
            Found::Folder(meta, _) => (meta, Content::Dir { opaque: false }),
            Found::File(entry) => (entry.meta, entry.content),
            Found::In(layer, path) => in_layer(&layer, &path).map(|entry| (entry.meta, entry.content))?,
        };
        if meta.mtime == Timestamp(0) {
            meta.mtime = self.made_at(at);
        }
        Some(Made { meta, content })
    }

    fn list(&self, at: &BStr) -> Vec<BString> {
        match self.find(at) {
            Some(Found::Folder(_, files)) => files.into_keys().map(BString::from).collect(),
            Some(Found::In(layer, path)) => {
                let names: BTreeSet<BString> = layer.names_below(&path).map(BStr::to_owned).collect();
                names.into_iter().collect()
            }
            _ => Vec::new(),
        }
    }

    fn has_sizes(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn a_layer_is_shown_as_overlayfs_keeps_it() {
        let meta = Meta::root(0o640, Timestamp(7));
        let layer: Layer = [
            (BString::from("a/b/c"), Change::Put(Arc::new(Entry::file(meta, "text")))),
            ("a/b0".into(), Change::HardLink("a/b/c".into())),
            ("gone".into(), Change::Whiteout),
        ]
        .into_iter()
        .collect();
        let kind = |at: &str| in_layer(&layer, at.as_bytes()).map(|entry| entry.content.kind());
        assert_eq!([kind(""), kind("a"), kind("a/b")], [Some(Kind::Dir); 3]);
        assert_eq!([kind("a/b/c"), kind("a/b0")], [Some(Kind::File); 2]);
        assert_eq!((kind("gone"), kind("a/b/c/d"), kind("b")), (Some(Kind::CharDevice), None, None));
        let names = |at: &str| layer.names_below(at.as_bytes()).map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(
            (names(""), names("a"), names("a/b")),
            (vec!["a".into(), "a".into(), "gone".into()], vec!["b".into(), "b0".into()], vec!["c".into()])
        );
    }

    #[test]
    fn short_names_have_26_letters_of_base_32() {
        let link = link_of("x");
        assert!(
            link.len() == 26 && link.bytes().all(|b| b.is_ascii_uppercase() || (b'2'..=b'7').contains(&b)),
            "{link}"
        );
        assert_ne!(link, link_of("y"));
    }
}
