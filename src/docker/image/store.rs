//! The local store: layers by chain id, images by id, references to images (moby `layer`, `image`, `reference`).
//!
//! Everything is content-addressed, so what is equal is held once. A layer lives as long as something counts on it: an
//! image, a layer above, a holder (a container, a build). Images live until they are deleted. Which containers use an
//! image is told from outside.

use crate::base::sort::Arrange;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use super::config::Image;
use super::memo::DigestMemo;
use super::reference::{AnyReference, Reference, ReferenceError};
use crate::base::digest::{BlobDigest, ChainId, DiffId, FolderId, ImageId};
use crate::base::time::Timestamp;
use crate::os::fs::layer::Layer;
use crate::os::fs::tree::Tree;

/// The longest stack of layers (moby `layer/layer_store.go` `maxLayerDepth`).
pub const MAX_LAYER_DEPTH: usize = 125;
/// Events that are kept until somebody takes them.
const MAX_EVENTS: usize = 1024;

/// What happened to a layer: for teaching, not part of `docker events`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LayerEvent {
    /// A layer that was not here before was stored: pulled, built, loaded or committed.
    Arrived(LayerName),
    /// Somebody wanted to store a layer that is here already.
    Shared(LayerName),
    /// The last that counted on a layer is gone, and the layer with it.
    Freed(LayerName),
}

/// A layer that something happened to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LayerName {
    /// Its place on top of others.
    pub chain_id: ChainId,
    /// The digest of its files.
    pub diff_id: DiffId,
    /// The sum of its files.
    pub size_bytes: u64,
}

/// Why the store refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// moby `layer.ErrMaxDepthExceeded`.
    #[error("max depth exceeded")]
    MaxDepth,
    /// moby `layer.ErrLayerDoesNotExist`.
    #[error("layer does not exist")]
    NoSuchLayer,
    /// moby `image/store.go` `Create`.
    #[error("too many non-empty layers in History section")]
    HistoryLayers,
    /// moby `daemon/images/image.go` `ErrImageDoesNotExist`.
    #[error("No such image: {0}")]
    NoSuchImage(String),
    /// A name that can't be one.
    #[error("{0}")]
    Reference(#[from] ReferenceError),
}

/// A layer in its place on top of others.
#[derive(Debug, Clone)]
pub struct StoredLayer {
    /// The name of the whole stack up to here.
    pub chain_id: ChainId,
    /// The name of this layer.
    pub diff_id: DiffId,
    /// The stack below.
    pub parent: Option<ChainId>,
    /// The layer.
    pub layer: Arc<Layer>,
    /// The whole stack merged.
    pub tree: Tree,
    /// The sum of this layer's files, in bytes.
    pub size_bytes: u64,
    /// Where the storage driver keeps it (moby `layer` `cacheID`): another place each time that it comes.
    pub folder: FolderId,
    depth: usize,
    count: usize,
}

impl StoredLayer {
    /// How events name it.
    pub const fn named(&self) -> LayerName {
        LayerName { chain_id: self.chain_id, diff_id: self.diff_id, size_bytes: self.size_bytes }
    }
}

#[derive(Debug, Clone)]
struct StoredImage {
    image: Image,
    parent: Option<ImageId>,
    children: BTreeSet<ImageId>,
    last_tagged: Option<Timestamp>,
}

/// Layers, images and references.
#[derive(Debug, Clone, Default)]
pub struct Store {
    memo: DigestMemo,
    layers: BTreeMap<ChainId, StoredLayer>,
    images: BTreeMap<ImageId, StoredImage>,
    references: BTreeMap<Reference, ImageId>,
    /// Under which name registries keep a layer (moby `distribution/metadata` `V2MetadataService`).
    blobs: BTreeMap<DiffId, BlobDigest>,
    events: VecDeque<LayerEvent>,
    /// What folders' names follow from, and how many have been drawn.
    folders: (String, u64),
}

impl Store {
    /// An empty store that looks digests up in `memo` first.
    pub fn new(memo: DigestMemo) -> Self {
        Self { memo, ..Self::default() }
    }

    /// Draws the names of folders from `seed`, those of layers that are here too.
    pub fn draw_folders(&mut self, seed: &str) {
        self.folders = (seed.to_owned(), 0);
        let mut layers = std::mem::take(&mut self.layers);
        layers.values_mut().for_each(|layer| layer.folder = self.next_folder());
        self.layers = layers;
    }

    fn next_folder(&mut self) -> FolderId {
        let (seed, drawn) = &mut self.folders;
        *drawn += 1;
        FolderId::drawn(seed, drawn)
    }

    /// The table of digests.
    pub fn memo(&self) -> &DigestMemo {
        &self.memo
    }

    // Layers.

    /// Puts `layer` on top of `parent` and holds the result, which the caller gives back with [`Self::release`].
    ///
    /// # Errors
    /// `NoSuchLayer` for an unknown parent, `MaxDepth`.
    pub fn register(&mut self, parent: Option<ChainId>, layer: Arc<Layer>) -> Result<ChainId, StoreError> {
        let diff_id = self.memo.diff_id(&layer.to_tar());
        let (below, depth) = match parent {
            None => (Tree::empty(), 1),
            Some(parent) => {
                let parent = self.layers.get(&parent).ok_or(StoreError::NoSuchLayer)?;
                (parent.tree.clone(), parent.depth + 1)
            }
        };
        if depth > MAX_LAYER_DEPTH {
            return Err(StoreError::MaxDepth);
        }
        let chain_id = parent.map_or(ChainId(diff_id.0), |parent| parent.then(diff_id));
        if let Some(known) = self.layers.get_mut(&chain_id) {
            known.count += 1;
            self.note_shared(chain_id);
            return Ok(chain_id);
        }
        let tree = below.with(&layer);
        let size_bytes = layer.size_bytes();
        let folder = self.next_folder();
        let stored = StoredLayer { chain_id, diff_id, parent, layer, tree, size_bytes, folder, depth, count: 1 };
        self.note(LayerEvent::Arrived(stored.named()));
        self.layers.insert(chain_id, stored);
        if let Some(parent) = parent.and_then(|parent| self.layers.get_mut(&parent)) {
            parent.count += 1;
        }
        Ok(chain_id)
    }

    /// Counts one more holder of a stack.
    ///
    /// # Errors
    /// `NoSuchLayer`.
    pub fn hold(&mut self, chain: ChainId) -> Result<(), StoreError> {
        self.layers.get_mut(&chain).ok_or(StoreError::NoSuchLayer)?.count += 1;
        Ok(())
    }

    /// Counts one holder less; the layers that nobody counts on any more are removed and named, top first.
    pub fn release(&mut self, chain: ChainId) -> Vec<ChainId> {
        let mut removed = Vec::new();
        let mut next = Some(chain);
        while let Some(chain) = next {
            let Some(layer) = self.layers.get_mut(&chain) else { break };
            layer.count = layer.count.saturating_sub(1);
            if layer.count > 0 {
                break;
            }
            next = layer.parent;
            let name = layer.named();
            self.layers.remove(&chain);
            self.note(LayerEvent::Freed(name));
            removed.push(chain);
        }
        removed
    }

    fn note(&mut self, event: LayerEvent) {
        if self.events.len() >= MAX_EVENTS {
            self.events.pop_front();
        }
        self.events.push_back(event);
    }

    /// Notes that a layer was found here that would otherwise have been stored.
    pub fn note_shared(&mut self, chain: ChainId) {
        if let Some(layer) = self.layers.get(&chain) {
            self.note(LayerEvent::Shared(layer.named()));
        }
    }

    /// Takes what happened to layers since the last call; the oldest is lost when nobody takes it.
    pub fn take_events(&mut self) -> Vec<LayerEvent> {
        self.events.drain(..).collect()
    }

    /// Remembers under which name a registry keeps a layer.
    pub fn note_blob(&mut self, layer: DiffId, blob: BlobDigest) {
        self.blobs.insert(layer, blob);
    }

    /// Under which name a registry keeps a layer, where one was pulled or pushed.
    pub fn blob_of(&self, layer: DiffId) -> Option<BlobDigest> {
        self.blobs.get(&layer).copied()
    }

    /// A layer.
    pub fn layer(&self, chain: ChainId) -> Option<&StoredLayer> {
        self.layers.get(&chain)
    }

    /// All layers.
    pub fn layers(&self) -> impl Iterator<Item = &StoredLayer> {
        self.layers.values()
    }

    /// The layers of a stack, lowest first.
    pub fn stack(&self, chain: Option<ChainId>) -> Vec<&StoredLayer> {
        let mut out = Vec::new();
        let mut next = chain;
        while let Some(layer) = next.and_then(|chain| self.layers.get(&chain)) {
            out.push(layer);
            next = layer.parent;
        }
        out.reverse();
        out
    }

    /// The merged files of a stack; an empty tree for no layers.
    ///
    /// # Errors
    /// `NoSuchLayer`.
    pub fn tree(&self, chain: Option<ChainId>) -> Result<Tree, StoreError> {
        match chain {
            None => Ok(Tree::empty()),
            Some(chain) => self.layers.get(&chain).map(|layer| layer.tree.clone()).ok_or(StoreError::NoSuchLayer),
        }
    }

    // Images.

    /// Adds an image whose layers are here. Adding one that is here already changes nothing.
    ///
    /// # Errors
    /// `NoSuchLayer`, or `HistoryLayers` when the history tells of more layers than there are.
    pub fn add_image(&mut self, image: Image) -> Result<ImageId, StoreError> {
        let id = image.id();
        if self.images.contains_key(&id) {
            return Ok(id);
        }
        let config = image.config();
        if config.history.iter().filter(|line| !line.empty_layer).count() > config.diff_ids.len() {
            return Err(StoreError::HistoryLayers);
        }
        if let Some(chain) = config.chain_id() {
            self.hold(chain)?;
        }
        self.images.insert(id, StoredImage { image, parent: None, children: BTreeSet::new(), last_tagged: None });
        Ok(id)
    }

    /// Notes that `child` was made from `parent` (classic builder, `docker commit`).
    pub fn set_parent(&mut self, child: ImageId, parent: ImageId) {
        if child == parent || !self.images.contains_key(&parent) {
            return;
        }
        let Some(old) = self.images.get_mut(&child).map(|image| image.parent.replace(parent)) else { return };
        if let Some(old) = old.and_then(|old| self.images.get_mut(&old)) {
            old.children.remove(&child);
        }
        if let Some(parent) = self.images.get_mut(&parent) {
            parent.children.insert(child);
        }
    }

    /// An image.
    pub fn image(&self, id: ImageId) -> Option<&Image> {
        self.images.get(&id).map(|stored| &stored.image)
    }

    /// All images, by id.
    pub fn images(&self) -> impl Iterator<Item = &Image> {
        self.images.values().map(|stored| &stored.image)
    }

    /// The image this one was made from, if that is here.
    pub fn parent(&self, id: ImageId) -> Option<ImageId> {
        self.images.get(&id)?.parent
    }

    /// The images made from this one.
    pub fn children(&self, id: ImageId) -> impl Iterator<Item = ImageId> {
        self.images.get(&id).into_iter().flat_map(|stored| stored.children.iter().copied())
    }

    /// When a reference was last pointed at this image.
    pub fn last_tagged(&self, id: ImageId) -> Option<Timestamp> {
        self.images.get(&id)?.last_tagged
    }

    /// The sum of an image's layers, in bytes.
    pub fn image_size_bytes(&self, id: ImageId) -> u64 {
        let chain = self.image(id).and_then(|image| image.config().chain_id());
        self.stack(chain).iter().map(|layer| layer.size_bytes).sum()
    }

    /// Removes an image and its parent links; the layers that go with it are named, top first. References to it must
    /// be gone.
    pub fn remove_image(&mut self, id: ImageId) -> Vec<ChainId> {
        let Some(stored) = self.images.remove(&id) else { return Vec::new() };
        if let Some(parent) = stored.parent.and_then(|parent| self.images.get_mut(&parent)) {
            parent.children.remove(&id);
        }
        for child in stored.children {
            if let Some(child) = self.images.get_mut(&child) {
                child.parent = None;
            }
        }
        stored.image.config().chain_id().map(|chain| self.release(chain)).unwrap_or_default()
    }

    // References.

    /// Points a tagged or digested reference at an image; the image it pointed at before is returned.
    pub fn tag(&mut self, reference: Reference, id: ImageId, now: Timestamp) -> Option<ImageId> {
        if let Some(stored) = self.images.get_mut(&id) {
            stored.last_tagged = Some(now);
        }
        self.references.insert(reference.normalized(), id).filter(|old| *old != id)
    }

    /// Removes a reference.
    pub fn untag(&mut self, reference: &Reference) -> Option<ImageId> {
        self.references.remove(&reference.clone().normalized())
    }

    /// The image a reference points at; `latest` where no tag is given.
    pub fn lookup(&self, reference: &Reference) -> Option<ImageId> {
        self.references.get(&reference.clone().normalized()).copied()
    }

    /// All references.
    pub fn references(&self) -> impl Iterator<Item = (&Reference, ImageId)> {
        self.references.iter().map(|(reference, id)| (reference, *id))
    }

    /// The references to an image, sorted by their text.
    pub fn references_to(&self, id: ImageId) -> Vec<Reference> {
        let own = self.references.iter().filter(|(_, to)| **to == id);
        let mut out: Vec<Reference> = own.map(|(reference, _)| reference.clone()).collect();
        out.arrange_by_key(ToString::to_string);
        out
    }

    /// The image that a user means by a name, an id or the beginning of an id (moby `ImageService.GetImage`).
    ///
    /// # Errors
    /// `NoSuchImage`, also when several ids begin so; `Reference` for what can be neither.
    pub fn resolve(&self, text: &str) -> Result<ImageId, StoreError> {
        let reference = match AnyReference::parse(text)? {
            AnyReference::Id(digest) => {
                let id = ImageId(digest);
                let known = self.images.contains_key(&id);
                return if known { Ok(id) } else { Err(StoreError::NoSuchImage(digest.to_string())) };
            }
            AnyReference::Named(reference) => reference,
        };
        if let Some(id) = self.lookup(&reference) {
            return Ok(id);
        }
        let mut matches = self.images.keys().filter(|id| is_id_prefix(**id, text));
        match (matches.next(), matches.next()) {
            (Some(id), None) => Ok(*id),
            _ => Err(StoreError::NoSuchImage(reference.with_default_tag().familiar())),
        }
    }
}

/// Whether `text` begins the id, with or without `sha256:` (moby `isImageIDPrefix`).
pub fn is_id_prefix(id: ImageId, text: &str) -> bool {
    !text.is_empty() && (id.to_string().starts_with(text) || id.0.hex().starts_with(text))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::docker::image::config::{Form, History, ImageConfig};
    use crate::os::fs::layer::Change;
    use crate::os::fs::node::{Entry, Meta};
    use proptest::prelude::*;

    pub fn layer(name: &str) -> Arc<Layer> {
        let file = Entry::file(Meta::root(0o644, Timestamp(0)), name);
        Arc::new([(name.into(), Change::Put(Arc::new(file)))].into_iter().collect())
    }

    /// An image of these layers on top of `base`.
    pub fn add(store: &mut Store, base: Option<ImageId>, layers: &[&str], comment: &str) -> ImageId {
        let mut config = base.map_or_else(ImageConfig::default, |base| store.image(base).unwrap().config().clone());
        config.comment = comment.to_owned();
        let mut chain = config.chain_id();
        let mut held = Vec::new();
        for name in layers {
            let top = store.register(chain, layer(name)).unwrap();
            config.diff_ids.push(store.layer(top).unwrap().diff_id);
            held.push(top);
            chain = Some(top);
        }
        let id = store.add_image(Image::new(config, Form::BuildKit)).unwrap();
        held.into_iter().rev().for_each(|chain| drop(store.release(chain)));
        id
    }

    pub fn name(text: &str) -> Reference {
        Reference::parse(text).unwrap().with_default_tag()
    }

    #[test]
    fn equal_layers_are_held_once() {
        let mut store = Store::default();
        let debian = add(&mut store, None, &["a"], "debian");
        let web = add(&mut store, Some(debian), &["b"], "web");
        let db = add(&mut store, None, &["a", "c"], "db");
        assert_eq!(store.layers().count(), 3);
        assert_eq!(store.image_size_bytes(web), 2);
        assert_eq!(store.remove_image(web).len(), 1);
        assert_eq!(store.remove_image(debian), []);
        assert_eq!(store.remove_image(db).len(), 2);
        assert_eq!(store.layers().count(), 0);
    }

    #[test]
    fn a_name_an_id_and_the_beginning_of_an_id_find_an_image() {
        let mut store = Store::default();
        let id = add(&mut store, None, &["a"], "x");
        store.tag(name("web"), id, Timestamp(0));
        let digest = id.to_string();
        for text in ["web", "web:latest", "docker.io/library/web", &digest, &id.0.hex(), &id.short()] {
            assert_eq!(store.resolve(text), Ok(id), "{text}");
        }
        assert_eq!(store.resolve("web:v2").unwrap_err().to_string(), "No such image: web:v2");
        assert_eq!(store.resolve("nope").unwrap_err().to_string(), "No such image: nope:latest");
        assert_eq!(
            store.resolve("A:b:c").unwrap_err().to_string(),
            "invalid reference format: repository name (library/A) must be lowercase"
        );
        assert_eq!(store.resolve("").unwrap_err().to_string(), "invalid reference format");
    }

    #[test]
    fn a_stack_has_at_most_125_layers() {
        let mut store = Store::default();
        let mut chain = None;
        for index in 0..MAX_LAYER_DEPTH {
            chain = Some(store.register(chain, layer(&format!("f{index}"))).unwrap());
        }
        assert_eq!(store.register(chain, layer("more")), Err(StoreError::MaxDepth));
        let unknown = ChainId(crate::base::digest::Digest::of(b"x"));
        assert_eq!(store.register(Some(unknown), layer("x")), Err(StoreError::NoSuchLayer));
    }

    #[test]
    fn an_image_needs_its_layers() {
        let mut store = Store::default();
        let missing =
            ImageConfig { diff_ids: vec![DiffId(crate::base::digest::Digest::of(b"x"))], ..Default::default() };
        assert_eq!(store.add_image(Image::new(missing, Form::BuildKit)), Err(StoreError::NoSuchLayer));
        let lying = ImageConfig { history: vec![History::default()], ..Default::default() };
        assert_eq!(store.add_image(Image::new(lying, Form::BuildKit)), Err(StoreError::HistoryLayers));
    }

    /// What should be true after every operation.
    pub fn check(store: &Store) {
        let mut counts: BTreeMap<ChainId, usize> = BTreeMap::new();
        for image in store.images() {
            let chain = image.config().chain_id();
            assert_eq!(store.stack(chain).len(), image.config().diff_ids.len(), "an image lost a layer");
            chain.into_iter().for_each(|chain| *counts.entry(chain).or_default() += 1);
        }
        for layer in store.layers() {
            layer.parent.into_iter().for_each(|parent| *counts.entry(parent).or_default() += 1);
        }
        for layer in store.layers() {
            assert_eq!(Some(&layer.count), counts.get(&layer.chain_id), "a count is wrong");
        }
        for (reference, id) in store.references() {
            assert!(store.image(id).is_some(), "{reference} points nowhere");
        }
    }

    #[test]
    fn layers_arrive_once_are_shared_and_go() {
        let mut store = Store::default();
        let a = add(&mut store, None, &["base", "a"], "a");
        let kinds = |store: &mut Store| -> Vec<&str> {
            let kind = |event| match event {
                LayerEvent::Arrived(_) => "arrived",
                LayerEvent::Shared(_) => "shared",
                LayerEvent::Freed(_) => "freed",
            };
            store.take_events().into_iter().map(kind).collect()
        };
        assert_eq!(kinds(&mut store), ["arrived", "arrived"]);
        add(&mut store, None, &["base", "b"], "b");
        assert_eq!(kinds(&mut store), ["shared", "arrived"]);
        store.untag(&name("a"));
        store.remove_image(a);
        assert_eq!(kinds(&mut store), ["freed"]);
    }

    proptest! {
        #[test]
        fn counts_stay_true(ops in prop::collection::vec((0u8..3, 0usize..6, 0usize..6), 0..40)) {
            let mut store = Store::default();
            let names = ["a", "b", "c", "d", "e", "f"];
            for (op, x, y) in ops {
                let some: Vec<ImageId> = store.images().map(Image::id).collect();
                match op {
                    0 => { add(&mut store, some.get(x).copied(), &[names[x], names[y]], names[y]); }
                    1 => if let Some(id) = some.get(x) { store.tag(name(names[y]), *id, Timestamp(0)); },
                    _ => if let Some(id) = some.get(x) && store.references_to(*id).is_empty() { store.remove_image(*id); },
                }
                check(&store);
            }
        }
    }
}
