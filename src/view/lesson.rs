//! A goal's picture beside the student's own: what is there, what is missing, what is too much, what is otherwise.
//!
//! Ids and digests follow from when something was made, so parts are matched by their names and their instructions.

use std::collections::BTreeMap;

use crate::view::picture::{ContainerBox, ContainerState, Picture, Slab, Tree};

/// How a part of the goal or of the student's own world stands to the other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mark {
    /// In both.
    There,
    /// In the goal only.
    Missing,
    /// In the student's world only.
    Extra,
    /// In both, but not alike.
    Wrong,
}

/// An image with its layers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StackPart {
    /// Its name.
    pub name: String,
    /// How it stands.
    pub mark: Mark,
    /// Its layers, the lowest first.
    pub layers: Vec<LayerPart>,
}

/// A layer of an image.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LayerPart {
    /// What made it.
    pub step: String,
    /// Its colour.
    pub tint: u8,
    /// The sum of its files.
    pub size_bytes: u64,
    /// How it stands.
    pub mark: Mark,
}

/// A container.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ContainerPart {
    /// Its name, or that of its image if the goal does not depend on it.
    pub name: String,
    /// What it does in the goal, or in the student's world where the goal has none.
    pub state: ContainerState,
    /// What it does in the student's world, where that differs.
    pub own_state: Option<ContainerState>,
    /// Published ports: host and inside.
    pub ports: Vec<(u16, u16)>,
    /// How it stands.
    pub mark: Mark,
}

/// A volume or a network.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NamePart {
    /// Its name.
    pub name: String,
    /// How it stands.
    pub mark: Mark,
}

/// A goal against the student's world.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Comparison {
    /// The images.
    pub images: Vec<StackPart>,
    /// The containers.
    pub containers: Vec<ContainerPart>,
    /// The volumes.
    pub volumes: Vec<NamePart>,
    /// The networks.
    pub networks: Vec<NamePart>,
}

impl Comparison {
    /// Compares.
    pub fn of(own: &Picture, goal: &Picture) -> Self {
        let volumes = |picture: &Picture| picture.volumes.iter().map(|volume| volume.name.clone()).collect();
        let networks = |picture: &Picture| picture.networks.iter().map(|network| network.name.clone()).collect();
        Self {
            images: images(own, goal),
            containers: containers(own, goal),
            volumes: names(volumes(own), volumes(goal)),
            networks: names(networks(own), networks(goal)),
        }
    }
}

fn names(own: Vec<String>, goal: Vec<String>) -> Vec<NamePart> {
    let extra: Vec<String> = own.iter().filter(|name| !goal.contains(name)).cloned().collect();
    let marked = goal.into_iter().map(|name| {
        let mark = if own.contains(&name) { Mark::There } else { Mark::Missing };
        NamePart { name, mark }
    });
    marked.chain(extra.into_iter().map(|name| NamePart { name, mark: Mark::Extra })).collect()
}

/// The named images of a picture with the layers below them.
fn stacks(picture: &Picture) -> BTreeMap<String, Vec<&Slab>> {
    let mut found = BTreeMap::new();
    let mut open: Vec<(Vec<&Slab>, &Tree)> = picture.trees.iter().map(|tree| (Vec::new(), tree.as_ref())).collect();
    while let Some((mut below, tree)) = open.pop() {
        below.extend(&tree.slabs);
        for name in tree.images.iter().flat_map(|image| &image.names) {
            found.insert(name.clone(), below.clone());
        }
        open.extend(tree.branches.iter().map(|branch| (below.clone(), branch.as_ref())));
    }
    found
}

/// Whether two layers are the same one, or were made by the same instruction and are as large.
fn alike(one: &Slab, other: &Slab) -> bool {
    one.diff_id == other.diff_id
        || (one.instruction.is_some() && one.instruction == other.instruction && one.size_bytes == other.size_bytes)
}

fn images(own: &Picture, goal: &Picture) -> Vec<StackPart> {
    let (own, goal) = (stacks(own), stacks(goal));
    let part = |slab: &Slab, mark| {
        let step = slab.instruction.as_ref().map_or_else(String::new, |step| format!("{} {}", step.keyword, step.rest));
        LayerPart { step: step.trim().to_owned(), tint: slab.tint, size_bytes: slab.size_bytes, mark }
    };
    let mut found = Vec::new();
    for (name, wanted) in &goal {
        let Some(have) = own.get(name) else {
            let layers = wanted.iter().map(|slab| part(slab, Mark::Missing)).collect();
            found.push(StackPart { name: name.clone(), mark: Mark::Missing, layers });
            continue;
        };
        let mut layers = Vec::new();
        for at in 0..wanted.len().max(have.len()) {
            match (wanted.get(at), have.get(at)) {
                (Some(wanted), Some(have)) if alike(wanted, have) => layers.push(part(have, Mark::There)),
                (Some(wanted), Some(_)) => layers.push(part(wanted, Mark::Wrong)),
                (Some(wanted), None) => layers.push(part(wanted, Mark::Missing)),
                (None, Some(have)) => layers.push(part(have, Mark::Extra)),
                (None, None) => {}
            }
        }
        let mark = if layers.iter().all(|layer| layer.mark == Mark::There) { Mark::There } else { Mark::Wrong };
        found.push(StackPart { name: name.clone(), mark, layers });
    }
    for (name, have) in own.iter().filter(|(name, _)| !goal.contains_key(*name)) {
        let layers = have.iter().map(|slab| part(slab, Mark::Extra)).collect();
        found.push(StackPart { name: name.clone(), mark: Mark::Extra, layers });
    }
    found
}

fn containers(own: &Picture, goal: &Picture) -> Vec<ContainerPart> {
    let (own, goal) = (own.containers(), goal.containers());
    let ports = |c: &ContainerBox| c.fact.ports.iter().map(|port| (port.host, port.container)).collect::<Vec<_>>();
    let mut taken: Vec<&str> = Vec::new();
    let mut found = Vec::new();
    for wanted in &goal {
        // A container that the goal names by accident (`trusting_poitras`) is any of its image.
        let free = |c: &&&ContainerBox| !taken.contains(&c.fact.id.as_str());
        let same_name = own.iter().find(|c| c.fact.name == wanted.fact.name);
        let is_named_by_chance = |c: &ContainerBox| c.fact.name.contains('_');
        let stand_in = || {
            let named_so = |name: &str| goal.iter().any(|goal| goal.fact.name == name);
            own.iter().filter(free).find(|c| c.image_title == wanted.image_title && !named_so(&c.fact.name))
        };
        let have = same_name.or_else(|| if is_named_by_chance(wanted) { stand_in() } else { None });
        let mut part = ContainerPart {
            name: have.map_or(&wanted.fact.name, |have| &have.fact.name).clone(),
            state: wanted.fact.state,
            own_state: None,
            ports: ports(wanted),
            mark: Mark::Missing,
        };
        if let Some(have) = have {
            taken.push(&have.fact.id);
            let same = have.fact.state == wanted.fact.state
                && have.image_title == wanted.image_title
                && ports(have) == ports(wanted);
            part.mark = if same { Mark::There } else { Mark::Wrong };
            part.own_state = (have.fact.state != wanted.fact.state).then_some(have.fact.state);
        }
        found.push(part);
    }
    for extra in own.iter().filter(|c| !taken.contains(&c.fact.id.as_str())) {
        found.push(ContainerPart {
            name: extra.fact.name.clone(),
            state: extra.fact.state,
            own_state: None,
            ports: ports(extra),
            mark: Mark::Extra,
        });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::picture::tests::World;

    #[test]
    fn parts_are_marked_by_name_and_not_by_id() {
        let goal = World::default().image("a:latest", &["x", "y"]).image("b:latest", &["z"]).container("uno");
        let mut own = World::default().image("a:latest", &["x", "w", "v"]).image("c:latest", &["u"]).container("uno");
        own.0.containers[0].state = ContainerState::Exited(0);
        let comparison = Comparison::of(&own.picture(), &goal.picture());
        let marks: Vec<(&str, Mark)> =
            comparison.images.iter().map(|image| (image.name.as_str(), image.mark)).collect();
        assert_eq!(marks, [("a:latest", Mark::Wrong), ("b:latest", Mark::Missing), ("c:latest", Mark::Extra)]);
        let layers: Vec<Mark> = comparison.images[0].layers.iter().map(|layer| layer.mark).collect();
        assert_eq!(layers, [Mark::There, Mark::Wrong, Mark::Extra]);
        assert_eq!(comparison.containers[0].mark, Mark::Wrong);
        assert_eq!(comparison.containers[0].own_state, Some(ContainerState::Exited(0)));
    }
}
