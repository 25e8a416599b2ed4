//! The layers below images and containers, for those who look inside.

use crate::base::sort::Arrange;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::api::layers::{LayerRole, LayerStack, MountView, StackLayer};
use super::container::{Container, MountSource};
use super::handle::{Daemon, World};
use super::rootfs::{folder, init_layer};
use crate::base::digest::{ChainId, ImageId};
use crate::docker::image::store::{Store, StoredLayer};

/// The names of the images that use a layer.
type Users = BTreeMap<ChainId, Vec<String>>;

impl Daemon {
    /// The layers of a container or else an image, by name, id or the beginning of one.
    pub fn layer_stack(&self, name: &str) -> Option<LayerStack> {
        let world = &self.0;
        let store = world.store.borrow();
        let Ok(id) = world.find(name) else {
            let image = store.resolve(name).ok()?;
            let layers = stack(&store, &users(&store), Some(image), store.image(image)?.config().chain_id());
            let name = name_of(&store, image);
            return Some(LayerStack { name, image: Some(image), is_container: false, layers, mounts: Vec::new() });
        };
        let state = world.state.borrow();
        let container = state.containers.get(&id)?;
        let mut layers = stack(&store, &users(&store), Some(container.image), container.chain);
        let below = layers.last().map(|layer| layer.tree.clone()).unwrap_or_default();
        let init = init_layer(&below, container.created);
        let own = container.root.borrow().upper();
        for (role, layer) in [(LayerRole::Init, init), (LayerRole::Writable, own)] {
            let below = layers.last().map(|layer| layer.tree.clone()).unwrap_or_default();
            layers.push(StackLayer {
                role,
                tree: below.with(&layer),
                size_bytes: layer.size_bytes(),
                layer: Arc::new(layer),
                created_by: String::new(),
                used_by: Vec::new(),
            });
        }
        Some(LayerStack {
            name: container.name.clone(),
            image: Some(container.image),
            is_container: true,
            layers,
            mounts: mounts(container),
        })
    }

    /// The stack whose uppermost layer is this one, whatever image it is of.
    pub fn layer_stack_to(&self, top: ChainId) -> Option<LayerStack> {
        let store = self.0.store.borrow();
        let name = store.layer(top)?.diff_id.short();
        // An image that has the whole stack tells how its layers were made.
        let image = store
            .images()
            .find(|image| store.stack(image.config().chain_id()).iter().any(|layer| layer.chain_id == top));
        let image = image.map(|image| image.id());
        let layers = stack(&store, &users(&store), image, Some(top));
        Some(LayerStack { name, image: None, is_container: false, layers, mounts: Vec::new() })
    }

    /// Every layer that is stored, each once, what stands on others after them.
    pub fn layers(&self) -> Vec<StackLayer> {
        let store = self.0.store.borrow();
        let users = users(&store);
        let mut seen: BTreeMap<ChainId, usize> = BTreeMap::new();
        let mut out: Vec<StackLayer> = Vec::new();
        let tops = store.images().filter_map(|image| Some((image.id(), image.config().chain_id()?)));
        let mut tops: Vec<(Option<ImageId>, ChainId)> = tops.map(|(id, chain)| (Some(id), chain)).collect();
        tops.extend(store.layers().map(|layer| (None, layer.chain_id)));
        for (image, chain) in tops {
            for layer in stack(&store, &users, image, Some(chain)) {
                let LayerRole::Image { chain_id, .. } = layer.role else { continue };
                if seen.insert(chain_id, out.len()).is_none() {
                    out.push(layer);
                }
            }
        }
        out
    }
}

/// An image's first name, or its short id.
fn name_of(store: &Store, image: ImageId) -> String {
    let names = store.references_to(image);
    let tagged = names.iter().find(|name| name.tag().is_some());
    tagged.map_or_else(|| image.short(), |name| name.familiar())
}

/// The layers up to `top`, with the steps of `image`.
fn stack(store: &Store, users: &Users, image: Option<ImageId>, top: Option<ChainId>) -> Vec<StackLayer> {
    let history = image.map(|image| World::history_with_layers(store, image)).unwrap_or_default();
    let steps: BTreeMap<ChainId, String> =
        history.into_iter().filter_map(|(line, chain)| Some((chain?, line.created_by))).collect();
    let look = |stored: &StoredLayer| StackLayer {
        role: LayerRole::Image { diff_id: stored.diff_id, chain_id: stored.chain_id },
        layer: Arc::clone(&stored.layer),
        tree: stored.tree.clone(),
        size_bytes: stored.size_bytes,
        created_by: steps.get(&stored.chain_id).cloned().unwrap_or_default(),
        used_by: users.get(&stored.chain_id).cloned().unwrap_or_default(),
    };
    store.stack(top).into_iter().map(look).collect()
}

/// The names of the images that use a layer.
fn users(store: &Store) -> Users {
    let mut users = Users::new();
    for image in store.images() {
        let name = name_of(store, image.id());
        for layer in store.stack(image.config().chain_id()) {
            users.entry(layer.chain_id).or_default().push(name.clone());
        }
    }
    for names in users.values_mut() {
        names.arrange();
    }
    users
}

/// The mounts of a container: those asked for, and the three files that the daemon writes for it.
fn mounts(container: &Container) -> Vec<MountView> {
    let view = |mount: &super::container::ContainerMount| {
        let (kind, source) = match &mount.source {
            MountSource::Volume { name, .. } => ("volume", name.clone()),
            MountSource::Bind => ("bind", mount.point.source.clone()),
            MountSource::Tmpfs(_) => ("tmpfs", String::new()),
        };
        MountView { destination: mount.point.destination.clone(), kind, source }
    };
    let mut all: Vec<MountView> = container.mounts.iter().map(view).collect();
    for file in ["hostname", "hosts", "resolv.conf"] {
        let destination = format!("/etc/{file}");
        if all.iter().all(|mount| mount.destination != destination) {
            let source = format!("{}/{file}", folder(container.id));
            all.push(MountView { destination, kind: "bind", source });
        }
    }
    all
}
