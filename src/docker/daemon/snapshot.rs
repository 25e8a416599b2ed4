//! The daemon's state as plain data, for pictures.

use super::api::snapshot::{ContainerView, ImageView, LayerView, NetworkView, Snapshot, VolumeView};
use super::container::{Container, MountSource};
use super::files;
use super::handle::{Daemon, World};
use super::volume::ANONYMOUS;
use crate::base::digest::ChainId;
use crate::base::sort::Arrange;
use crate::docker::image::store::{Store, StoredLayer};

impl Daemon {
    /// A number that is another one after every change, writes to containers' files included.
    pub fn revision(&self) -> u64 {
        self.0.collect_file_events();
        self.0.revision.get()
    }

    /// Everything that is drawn.
    pub fn snapshot(&self) -> Snapshot {
        let revision = self.revision();
        let images = self.image_list(&super::api::image::ImageListOptions { all: true, ..Default::default() });
        let images = images.unwrap_or_default().into_iter().map(|summary| {
            let store = self.0.store.borrow();
            let layers = World::history_with_layers(&store, summary.id).into_iter();
            let layers =
                layers.map(|(line, chain)| layer(&store, chain.and_then(|chain| store.layer(chain)), line.created_by));
            let mut layers: Vec<LayerView> = layers.collect();
            // Imported images may tell of fewer layers than they have.
            let told = layers.iter().filter(|layer| layer.diff_id.is_some()).count();
            let chain = store.image(summary.id).and_then(|image| image.config().chain_id());
            let untold = store.stack(chain).into_iter().skip(told);
            layers.extend(untold.map(|stored| layer(&store, Some(stored), String::new())));
            ImageView {
                id: summary.id,
                tags: summary.repo_tags,
                layers,
                size_bytes: summary.size_bytes,
                digests: summary.repo_digests,
            }
        });
        let images = images.collect();
        let arriving = {
            let store = self.0.store.borrow();
            let tops = self.0.arriving.borrow();
            let stack = |(name, top): &(String, Option<ChainId>)| {
                let stack = store.stack(*top).into_iter();
                (name.clone(), stack.map(|stored| layer(&store, Some(stored), String::new())).collect())
            };
            tops.values().map(stack).collect()
        };
        let state = self.0.state.borrow();
        let host = self.0.host.mounts.borrow();
        let volumes = state.volumes.values().map(|volume| VolumeView {
            name: volume.name.clone(),
            size_bytes: files::size_bytes(&host, volume.mountpoint().as_bytes()),
            anonymous: volume.labels.contains_key(ANONYMOUS),
        });
        let networks = state.networks.values().map(|network| NetworkView {
            name: network.name.clone(),
            driver: network.driver.to_owned(),
            subnet: network.subnet.map(|subnet| subnet.to_string()),
        });
        let mut networks: Vec<NetworkView> = networks.collect();
        networks.arrange_by(|a, b| a.name.cmp(&b.name));
        Snapshot {
            revision,
            images,
            containers: state
                .newest_first()
                .into_iter()
                .map(|container| view(container, &self.0.store.borrow()))
                .collect(),
            volumes: volumes.collect(),
            networks,
            arriving,
        }
    }
}

fn layer(store: &Store, stored: Option<&StoredLayer>, created_by: String) -> LayerView {
    LayerView {
        diff_id: stored.map(|layer| layer.diff_id),
        size_bytes: stored.map_or(0, |layer| layer.size_bytes),
        created_by,
        files: stored.map_or(0, |layer| layer.layer.len()),
        blob: stored.and_then(|layer| store.blob_of(layer.diff_id)),
    }
}

fn view(container: &Container, store: &Store) -> ContainerView {
    let volume = |mount: &super::container::ContainerMount| match &mount.source {
        MountSource::Volume { name, .. } => Some((name.clone(), mount.point.destination.clone())),
        _ => None,
    };
    ContainerView {
        id: container.id.to_string(),
        name: container.name.clone(),
        image: container.config.image.clone(),
        image_id: container.image,
        state: container.state.name(),
        exit_code: container.state.ended().filter(|ended| ended.finished.is_some()).map(|ended| ended.code),
        ports: container.ports(),
        changed_files: container.changed_files(),
        size_bytes: container.root.borrow().upper_size_bytes(),
        volumes: container.mounts.iter().filter_map(volume).collect(),
        networks: container
            .endpoints
            .iter()
            .filter_map(|(name, endpoint)| Some((name.clone(), endpoint.address?)))
            .collect(),
        base: match store.image(container.image) {
            Some(_) => Vec::new(),
            None => store
                .stack(container.chain)
                .into_iter()
                .map(|stored| layer(store, Some(stored), String::new()))
                .collect(),
        },
    }
}
