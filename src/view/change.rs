//! What changed between two pictures, in the order in which one would tell it. The page's caption under the layers.

use std::collections::BTreeMap;

use crate::base::digest::ChainId;
use crate::view::picture::{ContainerBox, ContainerState, ImageLabel, Picture};

/// Something that a student should notice.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Change {
    /// An image came.
    ImageCame {
        /// Its name.
        name: String,
        /// Layers that were not there.
        new_layers: usize,
        /// Layers that were.
        reused_layers: usize,
    },
    /// An image that was there has another name.
    Named {
        /// The new name.
        name: String,
    },
    /// An image went.
    ImageWent {
        /// Its name.
        name: String,
        /// Layers that went with it.
        freed_layers: usize,
    },
    /// Layers came that no image uses yet.
    LayersCame {
        /// How many.
        layers: usize,
    },
    /// A container was made, and runs or not.
    ContainerCame {
        /// Its name.
        name: String,
        /// The image below it.
        image: String,
        /// Whether it runs.
        running: bool,
    },
    /// A container started.
    Started {
        /// Its name.
        name: String,
    },
    /// A container ended.
    Ended {
        /// Its name.
        name: String,
        /// Its exit status.
        status: i32,
    },
    /// A container and its writable layer went.
    ContainerWent {
        /// Its name.
        name: String,
        /// How many changed paths went with it.
        lost_paths: usize,
    },
    /// A container's writable layer is not as it was.
    Wrote {
        /// Its name.
        name: String,
        /// Paths that differ from the image now.
        paths: usize,
    },
}

/// What happened from `old` to `new`.
pub fn changes(old: &Picture, new: &Picture) -> Vec<Change> {
    let mut found = Vec::new();
    images(old, new, &mut found);
    containers(old, new, &mut found);
    found
}

fn stacks(picture: &Picture) -> BTreeMap<String, Vec<ChainId>> {
    let mut found = BTreeMap::new();
    let mut open: Vec<(Vec<ChainId>, _)> = picture.trees.iter().map(|tree| (Vec::new(), tree.as_ref())).collect();
    while let Some((mut below, tree)) = open.pop() {
        below.extend(tree.slabs.iter().map(|slab| slab.chain_id));
        for image in &tree.images {
            found.insert(image.id.to_string(), below.clone());
        }
        open.extend(tree.branches.iter().map(|branch| (below.clone(), branch.as_ref())));
    }
    found
}

fn images(old: &Picture, new: &Picture, found: &mut Vec<Change>) {
    let (old_images, new_images) = (old.images(), new.images());
    let had = |image: &ImageLabel| old_images.iter().find(|known| known.id == image.id).copied();
    let (old_slabs, new_slabs) = (old.slabs(), new.slabs());
    let was_there = |chain: &ChainId| old_slabs.iter().any(|s| s.chain_id == *chain && s.instruction.is_some());
    let is_there = |chain: &ChainId| new_slabs.iter().any(|slab| slab.chain_id == *chain);
    let (old_stacks, new_stacks) = (stacks(old), stacks(new));
    for image in &new_images {
        match had(image) {
            None => {
                let stack = new_stacks.get(&image.id.to_string()).map(Vec::as_slice).unwrap_or_default();
                let reused_layers = stack.iter().filter(|chain| was_there(chain)).count();
                let new_layers = stack.len() - reused_layers;
                found.push(Change::ImageCame { name: image.title().to_owned(), new_layers, reused_layers });
            }
            Some(before) => {
                let fresh = image.names.iter().filter(|name| !before.names.contains(name));
                found.extend(fresh.map(|name| Change::Named { name: name.clone() }));
            }
        }
    }
    for image in old_images.iter().filter(|image| !new_images.iter().any(|known| known.id == image.id)) {
        let stack = old_stacks.get(&image.id.to_string()).map(Vec::as_slice).unwrap_or_default();
        let freed_layers = stack.iter().filter(|chain| !is_there(chain)).count();
        found.push(Change::ImageWent { name: image.title().to_owned(), freed_layers });
    }
    let layers = new_slabs
        .iter()
        .filter(|slab| slab.instruction.is_none() && !old_slabs.iter().any(|known| known.chain_id == slab.chain_id))
        .count();
    if layers > 0 {
        found.push(Change::LayersCame { layers });
    }
}

fn containers(old: &Picture, new: &Picture, found: &mut Vec<Change>) {
    let (old_boxes, new_boxes) = (old.containers(), new.containers());
    let same = |boxes: &[&ContainerBox], id: &str| boxes.iter().any(|known| known.fact.id == id);
    for after in &new_boxes {
        let name = after.fact.name.clone();
        let running = after.fact.state == ContainerState::Running;
        let Some(before) = old_boxes.iter().find(|known| known.fact.id == after.fact.id) else {
            found.push(Change::ContainerCame { name, image: after.image_title.clone(), running });
            continue;
        };
        match (before.fact.state, after.fact.state) {
            (a, b) if a == b => {}
            (ContainerState::Paused, ContainerState::Running) => {}
            (_, ContainerState::Running) => found.push(Change::Started { name: name.clone() }),
            (_, ContainerState::Exited(status)) => found.push(Change::Ended { name: name.clone(), status }),
            _ => {}
        }
        if before.fact.changed_paths != after.fact.changed_paths {
            found.push(Change::Wrote { name, paths: after.fact.changed_paths });
        }
    }
    for before in old_boxes.iter().filter(|before| !same(&new_boxes, &before.fact.id)) {
        found.push(Change::ContainerWent { name: before.fact.name.clone(), lost_paths: before.fact.changed_paths });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::picture::tests::World;

    #[test]
    fn a_pull_tells_what_it_could_reuse() {
        let old = World::default().image("debian", &["d"]);
        let new = World::default().image("debian", &["d"]).image("postgres", &["d", "1", "2"]);
        assert_eq!(
            changes(&old.picture(), &new.picture()),
            [Change::ImageCame { name: "postgres".to_owned(), new_layers: 2, reused_layers: 1 }]
        );
        assert_eq!(
            changes(&new.picture(), &old.picture()),
            [Change::ImageWent { name: "postgres".to_owned(), freed_layers: 2 }]
        );
        assert_eq!(changes(&new.picture(), &new.picture()), []);
    }

    #[test]
    fn a_container_comes_writes_ends_and_goes() {
        let image = World::default().image("u", &["u"]);
        let mut run = World::default().image("u", &["u"]).container("web");
        let started = changes(&image.picture(), &run.picture());
        let (name, image_name) = ("web".to_owned(), "u".to_owned());
        assert_eq!(started, [Change::ContainerCame { name: name.clone(), image: image_name, running: true }]);
        let before = run.picture();
        run.0.containers[0].changed_paths = 2;
        assert_eq!(changes(&before, &run.picture()), [Change::Wrote { name: name.clone(), paths: 2 }]);
        let before = run.picture();
        run.0.containers[0].state = ContainerState::Exited(137);
        assert_eq!(changes(&before, &run.picture()), [Change::Ended { name: name.clone(), status: 137 }]);
        assert_eq!(changes(&run.picture(), &image.picture()), [Change::ContainerWent { name, lost_paths: 2 }]);
    }
}
