//! The picture of layers: which layers there are, what stands on what, who uses them.
//!
//! Layers form a forest: a layer stands on its parent, and every layer is drawn once however many images use it. Images
//! are names on the layer that is their top; containers are thin writable layers on top of their image. This module
//! turns the daemon's facts into that forest and its text twin's counts; it draws nothing and asks nobody.

use crate::base::sort::Arrange;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::base::digest::{ChainId, DiffId, ImageId};
use crate::view::deeds::Touch;

pub use crate::docker::image::step::{Instruction, instruction_of};

/// How many tints layers have.
pub const TINTS: u8 = 24;
/// The hues of the first half of the tints; the second half has the same ones, hatched. The style sheet has them too.
pub const HUES: [u16; 12] = [250, 65, 160, 20, 300, 110, 205, 345, 140, 45, 275, 185];
/// Names that are remembered of registries.
const MAX_PUBLISHED: usize = 60;

/// What the daemon knows, as plain facts.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Stock {
    /// Every layer that is stored, in any order; also those that no image uses (yet).
    pub layers: Vec<LayerFact>,
    /// The images, also those without a name.
    pub images: Vec<ImageFact>,
    /// The containers, in any state, oldest first.
    pub containers: Vec<ContainerFact>,
    /// The volumes.
    pub volumes: Vec<VolumeFact>,
    /// The networks.
    pub networks: Vec<NetworkFact>,
    /// Names of images that are being pulled.
    pub arriving: Vec<String>,
}

/// A stored layer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LayerFact {
    /// What it is stored under: itself on its base.
    pub chain_id: ChainId,
    /// The digest of its own files.
    pub diff_id: DiffId,
    /// The layer below.
    pub parent: Option<ChainId>,
    /// The sum of its files.
    pub size_bytes: u64,
    /// The short name of its blob in a registry, where it was pulled or pushed.
    pub blob: Option<String>,
}

/// An image.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ImageFact {
    /// Its id.
    pub id: ImageId,
    /// Its names as `docker image ls` shows them: `ubuntu:latest`.
    pub names: Vec<String>,
    /// Its uppermost layer; an image may have none.
    pub top: Option<ChainId>,
    /// `created_by` of its layers, the lowest first, steps without a layer left out.
    pub created_by: Vec<String>,
    /// What `docker image ls` shows.
    pub size_bytes: u64,
    /// Those of its names under which a registry has it.
    pub published: Vec<String>,
}

/// A container.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ContainerFact {
    /// 64 hexadecimal digits.
    pub id: String,
    /// Its name without the slash.
    pub name: String,
    /// The image it was made from.
    pub image: ImageId,
    /// What it does.
    pub state: ContainerState,
    /// Published ports.
    pub ports: Vec<PortFact>,
    /// How many paths of its writable layer differ from the image.
    pub changed_paths: usize,
    /// The size of its writable layer.
    pub size_bytes: u64,
    /// Whether a student's terminal is in it now.
    pub attached: bool,
    /// Names of volumes that it mounts.
    pub volumes: Vec<String>,
    /// Names of its networks.
    pub networks: Vec<String>,
    /// What last became of its files, the oldest first.
    pub recent: Vec<Touch>,
    /// The layer on which it stands, once its image is deleted.
    pub base: Option<ChainId>,
}

/// What a container does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ContainerState {
    /// Made, never started.
    Created,
    /// Its process runs.
    Running,
    /// Its process is frozen.
    Paused,
    /// It ended with this status.
    Exited(i32),
}

/// A port of the host that leads into a container.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PortFact {
    /// The port of the host.
    pub host: u16,
    /// The port inside.
    pub container: u16,
    /// `tcp` or `udp`.
    pub protocol: String,
}

/// A volume.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VolumeFact {
    /// Its name.
    pub name: String,
    /// The sum of its files.
    pub size_bytes: u64,
}

/// A network.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NetworkFact {
    /// Its name.
    pub name: String,
    /// `bridge`, `host`, `none`.
    pub driver: String,
}

/// The picture.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Picture {
    /// The trees of layers, in the order in which their roots arrived.
    pub trees: Vec<Rc<Tree>>,
    /// What registries have, as far as it was seen.
    pub registry: Vec<RegistryEntry>,
    /// The volumes, by name.
    pub volumes: Vec<VolumeFact>,
    /// The networks made by the student: Docker's own three are left out.
    pub networks: Vec<NetworkFact>,
    /// The sums.
    pub totals: Totals,
}

/// An image of a registry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RegistryEntry {
    /// Its name.
    pub name: String,
    /// The tints of its layers, the lowest first.
    pub tints: Vec<u8>,
    /// Whether it is also here.
    pub is_here: bool,
}

/// The sums below a picture.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Totals {
    /// Images, as `docker image ls` counts them.
    pub images: usize,
    /// Layers stored.
    pub layers: usize,
    /// Containers that run.
    pub running: usize,
    /// All containers.
    pub containers: usize,
    /// Bytes that the layers take.
    pub disk_bytes: u64,
    /// Bytes that they would take more if every image had its own copies.
    pub saved_bytes: u64,
}

/// Layers one on the other, what stands on the uppermost, and the trees that go on from there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tree {
    /// Names the tree among its neighbours: the chain id of its lowest layer, or the image's id if it has no layer.
    pub key: String,
    /// The layers, the lowest first. Empty only for an image without layers.
    pub slabs: Vec<Slab>,
    /// The images whose top is the uppermost layer.
    pub images: Vec<ImageLabel>,
    /// The containers of these images.
    pub containers: Vec<ContainerBox>,
    /// What is built on the uppermost layer.
    pub branches: Vec<Rc<Tree>>,
}

/// One layer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Slab {
    /// Its place: the same layer on another base is another slab.
    pub chain_id: ChainId,
    /// The digest of its files.
    pub diff_id: DiffId,
    /// 12 digits of `diff_id`.
    pub short: String,
    /// Its colour, below [`TINTS`]. The same layer has the same everywhere.
    pub tint: u8,
    /// The sum of its files.
    pub size_bytes: u64,
    /// What made it. Absent while no image that uses it is known: it is being downloaded or built.
    pub instruction: Option<Instruction>,
    /// The names of the images that use it.
    pub used_by: Vec<String>,
    /// The short name of its blob in a registry, where it was pulled or pushed.
    pub blob: Option<String>,
    /// Its image is deleted: it stays because a container stands on it.
    pub is_left: bool,
}

/// An image's names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ImageLabel {
    /// Its id.
    pub id: ImageId,
    /// Its names; empty for a dangling image.
    pub names: Vec<String>,
    /// The sum of its layers.
    pub size_bytes: u64,
}

impl ImageLabel {
    /// The first name, or `<none>` as Docker writes it.
    pub fn title(&self) -> &str {
        self.names.first().map_or("<none>", String::as_str)
    }
}

/// A container on its image.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ContainerBox {
    /// What the daemon says.
    pub fact: ContainerFact,
    /// The name of its image.
    pub image_title: String,
}

/// Remembers in which order things came, so that a picture does not shuffle when something joins it.
#[derive(Clone, Default, Debug)]
pub struct Arrivals {
    order: BTreeMap<String, usize>,
    /// What was seen of registries: names and tints, in the order in which they came.
    published: Vec<(String, Vec<u8>)>,
}

impl Arrivals {
    fn note<'a>(&mut self, keys: impl Iterator<Item = &'a str>) {
        for key in keys {
            let next = self.order.len();
            self.order.entry(key.to_owned()).or_insert(next);
        }
    }

    fn rank(&self, key: &str) -> usize {
        self.order.get(key).copied().unwrap_or(usize::MAX)
    }
}

impl Picture {
    /// Draws the facts up. New layers and images come after those that `arrivals` has seen.
    pub fn of(stock: &Stock, arrivals: &mut Arrivals) -> Self {
        let forest = Forest::new(stock, arrivals);
        let mut trees: Vec<Rc<Tree>> = forest.roots.iter().map(|root| Rc::new(forest.tree(root))).collect();
        trees.extend(stock.images.iter().filter(|image| image.top.is_none() && forest.is_shown(image)).map(|image| {
            let images = vec![label_of(image)];
            let containers = forest.containers_on(&images);
            let key = image.id.to_string();
            Rc::new(Tree { key, slabs: Vec::new(), images, containers, branches: Vec::new() })
        }));
        let mut volumes = stock.volumes.clone();
        volumes.arrange_by(|a, b| a.name.cmp(&b.name));
        let mut networks: Vec<NetworkFact> =
            stock.networks.iter().filter(|n| !matches!(n.name.as_str(), "bridge" | "host" | "none")).cloned().collect();
        networks.arrange_by(|a, b| a.name.cmp(&b.name));
        let registry = arrivals.registry(stock, &forest);
        Self { trees, registry, volumes, networks, totals: forest.totals() }
    }

    /// Takes over from `old` the trees that did not change, so that whoever draws can tell by their address.
    pub fn reuse(&mut self, old: &Self) {
        reuse(&mut self.trees, &old.trees);
    }

    /// Only the trees that have something to do with `text`: a name of an image or container, digits of an id, a part of
    /// an instruction. Sums and the rest stay.
    pub fn filtered(&self, text: &str) -> Self {
        let text = text.trim().to_lowercase();
        let mut picture = self.clone();
        if !text.is_empty() {
            picture.trees = self.trees.iter().filter_map(|tree| tree.filtered(&text)).map(Rc::new).collect();
        }
        picture
    }

    /// Whether there is nothing to draw.
    pub fn is_empty(&self) -> bool {
        self.trees.is_empty() && self.registry.is_empty() && self.volumes.is_empty() && self.networks.is_empty()
    }

    /// Every tree, bases before what stands on them.
    pub fn all_trees(&self) -> Vec<&Tree> {
        let mut found: Vec<&Tree> = Vec::new();
        let mut open: Vec<&Tree> = self.trees.iter().rev().map(Rc::as_ref).collect();
        while let Some(tree) = open.pop() {
            found.push(tree);
            open.extend(tree.branches.iter().rev().map(Rc::as_ref));
        }
        found
    }

    /// Every layer, bases before what stands on them.
    pub fn slabs(&self) -> Vec<&Slab> {
        self.all_trees().into_iter().flat_map(|tree| &tree.slabs).collect()
    }

    /// Every container.
    pub fn containers(&self) -> Vec<&ContainerBox> {
        self.all_trees().into_iter().flat_map(|tree| &tree.containers).collect()
    }

    /// Every image that is shown.
    pub fn images(&self) -> Vec<&ImageLabel> {
        self.all_trees().into_iter().flat_map(|tree| &tree.images).collect()
    }

    /// Whether an image of this name is there.
    pub fn has_image(&self, name: &str) -> bool {
        self.images().iter().any(|image| image.names.iter().any(|known| known == name))
    }
}

fn reuse(trees: &mut [Rc<Tree>], old: &[Rc<Tree>]) {
    for tree in trees {
        let Some(known) = old.iter().find(|known| known.key == tree.key) else { continue };
        if known == tree {
            *tree = Rc::clone(known);
        } else if let Some(own) = Rc::get_mut(tree) {
            reuse(&mut own.branches, &known.branches);
        }
    }
}

impl Arrivals {
    /// Notes what the images tell of registries. What is gone from here is still there.
    fn registry(&mut self, stock: &Stock, forest: &Forest<'_>) -> Vec<RegistryEntry> {
        let mut here = BTreeSet::new();
        for name in &stock.arriving {
            if self.published.iter().all(|(known, _)| known != name) {
                self.published.push((name.clone(), Vec::new()));
            }
        }
        for image in &stock.images {
            for name in &image.published {
                here.insert(name.clone());
                let tints = forest.tints(image);
                match self.published.iter_mut().find(|(known, _)| known == name) {
                    Some(known) => known.1 = tints,
                    None => self.published.push((name.clone(), tints)),
                }
            }
        }
        let excess = self.published.len().saturating_sub(MAX_PUBLISHED);
        self.published.drain(..excess);
        let entry = |(name, tints): &(String, Vec<u8>)| RegistryEntry {
            name: name.clone(),
            tints: tints.clone(),
            is_here: here.contains(name),
        };
        self.published.iter().map(entry).collect()
    }
}

impl Tree {
    /// The branches that lead to something that fits, all of it when the tree itself fits.
    fn filtered(&self, text: &str) -> Option<Self> {
        let fits = |name: &str| name.to_lowercase().contains(text);
        let step = |slab: &Slab| slab.instruction.as_ref().is_some_and(|step| fits(&step.keyword) || fits(&step.rest));
        let own =
            self.images.iter().any(|image| image.names.iter().any(|name| fits(name)) || fits(&image.id.to_string()))
                || self.containers.iter().any(|container| fits(&container.fact.name) || fits(&container.fact.id))
                || self.slabs.iter().any(|slab| fits(&slab.diff_id.to_string()) || step(slab));
        let branches: Vec<Rc<Self>> =
            self.branches.iter().filter_map(|branch| branch.filtered(text)).map(Rc::new).collect();
        (own || !branches.is_empty()).then(|| Self { branches, ..self.clone() })
    }
}

/// The facts with their cross references.
struct Forest<'a> {
    stock: &'a Stock,
    known: BTreeMap<ChainId, &'a LayerFact>,
    roots: Vec<&'a LayerFact>,
    children: BTreeMap<ChainId, Vec<&'a LayerFact>>,
    tops: BTreeMap<ChainId, Vec<&'a ImageFact>>,
    instructions: BTreeMap<ChainId, Instruction>,
    used_by: BTreeMap<ChainId, Vec<&'a ImageFact>>,
    image_names: BTreeMap<ImageId, &'a str>,
    in_use: BTreeSet<ImageId>,
    /// Layers of deleted images that stay because containers stand on them.
    left: BTreeSet<ChainId>,
    /// Those on which the containers stand.
    bases: BTreeSet<ChainId>,
}

impl<'a> Forest<'a> {
    fn new(stock: &'a Stock, arrivals: &mut Arrivals) -> Self {
        let known: BTreeMap<ChainId, &LayerFact> = stock.layers.iter().map(|layer| (layer.chain_id, layer)).collect();
        let mut instructions = BTreeMap::new();
        let mut used_by: BTreeMap<ChainId, Vec<&ImageFact>> = BTreeMap::new();
        let mut tops: BTreeMap<ChainId, Vec<&ImageFact>> = BTreeMap::new();
        for image in &stock.images {
            if let Some(top) = image.top {
                tops.entry(top).or_default().push(image);
            }
            let mut at = image.top.and_then(|top| known.get(&top));
            let mut steps = image.created_by.iter().rev();
            // A chain is at most as long as there are layers, whatever the parents say.
            for _ in 0..stock.layers.len() {
                let Some(layer) = at else { break };
                used_by.entry(layer.chain_id).or_default().push(image);
                if let Some(step) = steps.next() {
                    instructions.entry(layer.chain_id).or_insert_with(|| instruction_of(step));
                }
                at = layer.parent.and_then(|parent| known.get(&parent));
            }
        }
        let keys: Vec<String> = stock.layers.iter().map(|layer| layer.chain_id.to_string()).collect();
        arrivals.note(keys.iter().map(String::as_str));
        let ids: Vec<String> = stock.images.iter().map(|image| image.id.to_string()).collect();
        arrivals.note(ids.iter().map(String::as_str));
        let mut roots = Vec::new();
        let mut children: BTreeMap<ChainId, Vec<&LayerFact>> = BTreeMap::new();
        for layer in &stock.layers {
            match layer.parent.filter(|parent| known.contains_key(parent)) {
                Some(parent) => children.entry(parent).or_default().push(layer),
                None => roots.push(layer),
            }
        }
        let rank = |layer: &&LayerFact| arrivals.rank(&layer.chain_id.to_string());
        roots.arrange_by_key(rank);
        for siblings in children.values_mut() {
            siblings.arrange_by_key(rank);
        }
        let image_names =
            stock.images.iter().map(|i| (i.id, i.names.first().map_or("<none>", String::as_str))).collect();
        let in_use = stock.containers.iter().map(|container| container.image).collect();
        let bases: BTreeSet<ChainId> = stock.containers.iter().filter_map(|container| container.base).collect();
        let mut left = BTreeSet::new();
        for base in &bases {
            let mut at = known.get(base);
            while let Some(layer) =
                at.filter(|layer| !used_by.contains_key(&layer.chain_id) && left.insert(layer.chain_id))
            {
                at = layer.parent.and_then(|parent| known.get(&parent));
            }
        }
        Self { stock, known, roots, children, tops, instructions, used_by, image_names, in_use, left, bases }
    }

    /// Images without a name are shown when nothing stands on them or a container uses them: the others are the
    /// intermediate steps of a classic build.
    fn is_shown(&self, image: &ImageFact) -> bool {
        !image.names.is_empty()
            || self.in_use.contains(&image.id)
            || image.top.is_none_or(|top| {
                let users = self.used_by.get(&top).map_or(0, Vec::len);
                users <= 1 && !self.children.contains_key(&top)
            })
    }

    /// The tints of an image's layers, the lowest first.
    fn tints(&self, image: &ImageFact) -> Vec<u8> {
        let mut tints = Vec::new();
        let mut at = image.top;
        while let Some(layer) = at.and_then(|chain| self.known.get(&chain)).filter(|_| tints.len() < self.known.len()) {
            tints.push(tint_of(layer.diff_id));
            at = layer.parent;
        }
        tints.reverse();
        tints
    }

    fn tree(&self, bottom: &LayerFact) -> Tree {
        let mut slabs = vec![self.slab(bottom)];
        let mut top = bottom;
        for _ in 0..self.stock.layers.len() {
            let has_image = self.tops.get(&top.chain_id).is_some_and(|images| images.iter().any(|i| self.is_shown(i)))
                || self.bases.contains(&top.chain_id);
            match self.children.get(&top.chain_id).map(Vec::as_slice) {
                Some([only]) if !has_image => {
                    slabs.push(self.slab(only));
                    top = only;
                }
                _ => break,
            }
        }
        let images: Vec<ImageLabel> = self
            .tops
            .get(&top.chain_id)
            .into_iter()
            .flatten()
            .filter(|image| self.is_shown(image))
            .map(|image| label_of(image))
            .collect();
        let mut containers = self.containers_on(&images);
        let is_left = |container: &&ContainerFact| container.base == Some(top.chain_id);
        containers.extend(self.stock.containers.iter().filter(is_left).map(|container| self.container(container)));
        // As deep as there are branchings, at most as many as an image may have layers.
        let above = self.children.get(&top.chain_id).into_iter().flatten();
        let branches = above.map(|child| Rc::new(self.tree(child))).collect();
        Tree { key: bottom.chain_id.to_string(), slabs, images, containers, branches }
    }

    fn slab(&self, layer: &LayerFact) -> Slab {
        let users = self.used_by.get(&layer.chain_id).map(Vec::as_slice).unwrap_or_default();
        Slab {
            chain_id: layer.chain_id,
            diff_id: layer.diff_id,
            short: layer.diff_id.short(),
            tint: tint_of(layer.diff_id),
            size_bytes: layer.size_bytes,
            instruction: self.instructions.get(&layer.chain_id).cloned(),
            used_by: users.iter().filter(|i| self.is_shown(i)).map(|i| label_of(i).title().to_owned()).collect(),
            blob: layer.blob.clone(),
            is_left: self.left.contains(&layer.chain_id),
        }
    }

    fn containers_on(&self, images: &[ImageLabel]) -> Vec<ContainerBox> {
        self.stock
            .containers
            .iter()
            .filter(|container| images.iter().any(|image| image.id == container.image))
            .map(|container| self.container(container))
            .collect()
    }

    fn container(&self, container: &ContainerFact) -> ContainerBox {
        // Docker, too, calls a deleted image by its id.
        let title =
            self.image_names.get(&container.image).map_or_else(|| container.image.short(), |name| (*name).to_owned());
        ContainerBox { fact: container.clone(), image_title: title }
    }

    fn totals(&self) -> Totals {
        let shown = self.stock.images.iter().filter(|image| self.is_shown(image));
        let disk_bytes = self.stock.layers.iter().fold(0u64, |sum, layer| sum.saturating_add(layer.size_bytes));
        let saved_bytes = self.stock.layers.iter().fold(0u64, |sum, layer| {
            let users = self.used_by.get(&layer.chain_id).map(Vec::as_slice).unwrap_or_default();
            let users = users.iter().filter(|image| self.is_shown(image)).count() as u64;
            sum.saturating_add(layer.size_bytes.saturating_mul(users.saturating_sub(1)))
        });
        let running = |c: &&ContainerFact| matches!(c.state, ContainerState::Running | ContainerState::Paused);
        Totals {
            images: shown.count(),
            layers: self.stock.layers.len(),
            running: self.stock.containers.iter().filter(running).count(),
            containers: self.stock.containers.len(),
            disk_bytes,
            saved_bytes,
        }
    }
}

fn label_of(image: &ImageFact) -> ImageLabel {
    ImageLabel { id: image.id, names: image.names.clone(), size_bytes: image.size_bytes }
}

/// The tint of a layer: of its digest only, so that it is the same in every session.
pub fn tint_of(diff_id: DiffId) -> u8 {
    tint_of_hex(&diff_id.short())
}

/// The tint that belongs to the digits of an id.
pub fn tint_of_hex(digits: &str) -> u8 {
    let number = digits.get(..4).and_then(|first| u16::from_str_radix(first, 16).ok()).unwrap_or(0);
    (number % u16::from(TINTS)) as u8
}

#[cfg(test)]
#[path = "picture_tests.rs"]
pub mod tests;
