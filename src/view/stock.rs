//! From the daemon's snapshot to the facts that the picture is made of.

use std::collections::BTreeSet;

use crate::base::digest::ChainId;
use crate::docker::daemon::api::snapshot::{ContainerView, ImageView, LayerView, Snapshot};
use crate::view::picture::{
    ContainerFact, ContainerState, ImageFact, LayerFact, NetworkFact, PortFact, Stock, VolumeFact,
};

impl Stock {
    /// The facts of a snapshot, oldest first.
    pub fn of(snapshot: &Snapshot) -> Self {
        let mut stock = Self::default();
        let mut known = BTreeSet::new();
        for image in snapshot.images.iter().rev() {
            stock.add_image(image, &mut known);
        }
        for (name, stack) in &snapshot.arriving {
            stock.arriving.push(name.clone());
            stack.iter().fold(None, |below, line| stock.add_layer(line, below, &mut known).or(below));
        }
        for view in snapshot.containers.iter().rev() {
            let base = view.base.iter().fold(None, |below, line| stock.add_layer(line, below, &mut known).or(below));
            stock.containers.push(ContainerFact { base, ..container(view) });
        }
        stock.volumes = snapshot
            .volumes
            .iter()
            .map(|volume| VolumeFact { name: volume.name.clone(), size_bytes: volume.size_bytes })
            .collect();
        stock.networks = snapshot
            .networks
            .iter()
            .map(|network| NetworkFact { name: network.name.clone(), driver: network.driver.clone() })
            .collect();
        stock
    }

    fn add_image(&mut self, image: &ImageView, known: &mut BTreeSet<ChainId>) {
        let mut top: Option<ChainId> = None;
        let mut created_by = Vec::new();
        for line in &image.layers {
            let Some(chain_id) = self.add_layer(line, top, known) else { continue };
            created_by.push(line.created_by.clone());
            top = Some(chain_id);
        }
        // Registries know an image by its repository and digest; what it is called there is what it is called here.
        let repositories: Vec<&str> = image.digests.iter().filter_map(|digest| digest.split('@').next()).collect();
        let of_registry = |tag: &&String| tag.rsplit_once(':').is_some_and(|(name, _)| repositories.contains(&name));
        let published = image.tags.iter().filter(of_registry).cloned().collect();
        self.images.push(ImageFact {
            id: image.id,
            names: image.tags.clone(),
            top,
            created_by,
            size_bytes: image.size_bytes,
            published,
        });
    }

    fn add_layer(
        &mut self,
        line: &LayerView,
        parent: Option<ChainId>,
        known: &mut BTreeSet<ChainId>,
    ) -> Option<ChainId> {
        let diff_id = line.diff_id?;
        let chain_id = parent.map_or(ChainId(diff_id.0), |below| below.then(diff_id));
        if known.insert(chain_id) {
            let blob = line.blob.map(|blob| blob.short());
            self.layers.push(LayerFact { chain_id, diff_id, parent, size_bytes: line.size_bytes, blob });
        }
        Some(chain_id)
    }
}

fn container(view: &ContainerView) -> ContainerFact {
    ContainerFact {
        id: view.id.clone(),
        name: view.name.clone(),
        image: view.image_id,
        state: match view.state {
            "running" | "restarting" => ContainerState::Running,
            "paused" => ContainerState::Paused,
            "exited" | "dead" | "removing" => {
                ContainerState::Exited(i32::try_from(view.exit_code.unwrap_or(0)).unwrap_or(-1))
            }
            _ => ContainerState::Created,
        },
        ports: ports(view),
        changed_paths: view.changed_files,
        size_bytes: view.size_bytes,
        attached: false,
        volumes: view.volumes.iter().map(|(name, _)| name.clone()).collect(),
        networks: view.networks.iter().map(|(name, _)| name.clone()).collect(),
        recent: Vec::new(),
        base: None,
    }
}

/// A port that is published on IPv4 and IPv6 counts once; one that is only exposed leads nowhere.
fn ports(view: &ContainerView) -> Vec<PortFact> {
    let mut found: Vec<PortFact> = Vec::new();
    for port in &view.ports {
        let Some(host) = port.public_port else { continue };
        let fact = PortFact { host, container: port.private_port, protocol: port.protocol.clone() };
        if !found.contains(&fact) {
            found.push(fact);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::digest::{BlobDigest, DiffId, Digest, ImageId};
    use crate::docker::daemon::api::container::Port;
    use crate::docker::daemon::api::snapshot::{NetworkView, VolumeView};
    use crate::view::picture::{Arrivals, Picture};

    fn image(name: &str, layers: &[Option<&str>]) -> ImageView {
        let line = |layer: &Option<&str>| LayerView {
            diff_id: layer.map(|text| DiffId(Digest::of(text.as_bytes()))),
            size_bytes: 7,
            created_by: layer.map_or("CMD [\"bash\"]".to_owned(), |text| format!("RUN /bin/sh -c {text} # buildkit")),
            files: 1,
            blob: layer.map(|text| BlobDigest(Digest::of(text.as_bytes()))),
        };
        ImageView {
            id: ImageId(Digest::of(name.as_bytes())),
            tags: vec![name.to_owned()],
            layers: layers.iter().map(line).collect(),
            size_bytes: 7,
            digests: vec![format!("{name}@sha256:1")],
        }
    }

    #[test]
    fn a_snapshot_becomes_a_forest() {
        let port = |ip: &str, public_port| Port {
            ip: Some(ip.to_owned()),
            private_port: 8003,
            public_port,
            protocol: "tcp".to_owned(),
        };
        let snapshot = Snapshot {
            revision: 1,
            images: vec![image("app:1", &[Some("base"), None, Some("app")]), image("base:1", &[Some("base"), None])],
            containers: vec![ContainerView {
                base: Vec::new(),
                id: "a".repeat(64),
                name: "web".to_owned(),
                image: "app:1".to_owned(),
                image_id: ImageId(Digest::of(b"app:1")),
                state: "exited",
                exit_code: Some(137),
                ports: vec![port("0.0.0.0", Some(9003)), port("::", Some(9003)), port("", None)],
                changed_files: 2,
                size_bytes: 10,
                volumes: Vec::new(),
                networks: Vec::new(),
            }],
            volumes: vec![VolumeView { name: "v".to_owned(), size_bytes: 1, anonymous: false }],
            networks: vec![NetworkView { name: "bridge".to_owned(), driver: "bridge".to_owned(), subnet: None }],
            arriving: vec![("on:its-way".to_owned(), image("", &[Some("base"), Some("new")]).layers)],
        };
        let picture = Picture::of(&Stock::of(&snapshot), &mut Arrivals::default());
        assert_eq!(picture.slabs().iter().map(|slab| slab.used_by.len()).collect::<Vec<_>>(), [2, 1, 0]);
        // What has no such name in a registry is not there.
        assert_eq!(picture.registry.iter().map(|entry| entry.name.as_str()).collect::<Vec<_>>(), ["on:its-way"]);
        let container = &picture.containers()[0].fact;
        assert_eq!(container.state, ContainerState::Exited(137));
        assert_eq!(container.ports, [PortFact { host: 9003, container: 8003, protocol: "tcp".to_owned() }]);
        assert_eq!((picture.volumes.len(), picture.networks.len()), (1, 0));
    }
}
