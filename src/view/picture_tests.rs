//! The forest from stacks, and a small world for the tests of its neighbours.

use super::*;
use crate::base::digest::Digest;

/// A stock that tests build up.
#[derive(Default)]
pub struct World(pub Stock);

impl World {
    /// Adds an image of these layers, the lowest first; layers with the same text are the same.
    pub fn image(mut self, name: &str, layers: &[&str]) -> Self {
        let mut parent: Option<ChainId> = None;
        for layer in layers {
            let diff_id = DiffId(Digest::of(layer.as_bytes()));
            let chain_id = parent.map_or(ChainId(diff_id.0), |below| below.then(diff_id));
            if !self.0.layers.iter().any(|known| known.chain_id == chain_id) {
                self.0.layers.push(LayerFact { chain_id, diff_id, parent, size_bytes: 100, blob: None });
            }
            parent = Some(chain_id);
        }
        self.0.images.push(ImageFact {
            id: ImageId(Digest::of(format!("{name}{layers:?}").as_bytes())),
            names: if name.is_empty() { Vec::new() } else { vec![name.to_owned()] },
            top: parent,
            created_by: layers.iter().map(|layer| format!("RUN /bin/sh -c {layer} # buildkit")).collect(),
            size_bytes: 100 * layers.len() as u64,
            published: if name.contains('/') { vec![name.to_owned()] } else { Vec::new() },
        });
        self
    }

    /// Adds a running container on the last image added.
    pub fn container(mut self, name: &str) -> Self {
        let image = self.0.images.last().unwrap().id;
        self.0.containers.push(ContainerFact {
            id: Digest::of(name.as_bytes()).hex(),
            name: name.to_owned(),
            image,
            state: ContainerState::Running,
            ports: vec![PortFact { host: 9003, container: 8003, protocol: "tcp".to_owned() }],
            changed_paths: 0,
            size_bytes: 0,
            attached: false,
            volumes: Vec::new(),
            networks: Vec::new(),
            recent: Vec::new(),
            base: None,
        });
        self
    }

    /// The picture for somebody who sees it the first time.
    pub fn picture(&self) -> Picture {
        Picture::of(&self.0, &mut Arrivals::default())
    }
}

/// `base(name)[above, above]`, layers by their commands.
fn sketch(tree: &Tree) -> String {
    let layers: Vec<String> =
        tree.slabs.iter().map(|s| s.instruction.as_ref().map_or("?", |i| &i.rest).to_owned()).collect();
    let names: Vec<&str> = tree.images.iter().map(ImageLabel::title).collect();
    let mut above: Vec<String> = tree.containers.iter().map(|c| format!("+{}", c.fact.name)).collect();
    above.extend(tree.branches.iter().map(|branch| sketch(branch)));
    format!("{}({})[{}]", layers.join("/"), names.join(","), above.join(" "))
}

fn sketches(picture: &Picture) -> Vec<String> {
    picture.trees.iter().map(|tree| sketch(tree)).collect()
}

#[test]
fn a_shared_base_is_drawn_once() {
    let world = World::default()
        .image("debian:stretch-slim", &["deb"])
        .image("postgres:11", &["deb", "p1", "p2"])
        .image("ubuntu:latest", &["ubu"]);
    let picture = world.picture();
    assert_eq!(sketches(&picture), ["deb(debian:stretch-slim)[p1/p2(postgres:11)[]]", "ubu(ubuntu:latest)[]"]);
    assert_eq!(picture.slabs().len(), 4);
    assert_eq!(picture.slabs()[0].used_by, ["debian:stretch-slim", "postgres:11"]);
    assert_eq!(
        picture.totals,
        Totals { images: 3, layers: 4, running: 0, containers: 0, disk_bytes: 400, saved_bytes: 100 }
    );
}

#[test]
fn images_without_a_name_for_their_base_branch_where_they_part() {
    let world = World::default().image("a", &["base", "x", "a"]).image("b", &["base", "x", "b"]);
    assert_eq!(sketches(&world.picture()), ["base/x()[a(a)[] b(b)[]]"]);
}

#[test]
fn containers_stand_on_their_image() {
    let world = World::default().image("slides", &["s"]).container("uno").container("dos").image("more", &["s", "m"]);
    let picture = world.picture();
    assert_eq!(sketches(&picture), ["s(slides)[+uno +dos m(more)[]]"]);
    assert_eq!(picture.containers()[0].image_title, "slides");
    assert_eq!(picture.totals.running, 2);
}

#[test]
fn two_names_of_one_image_are_one_image() {
    let mut world = World::default().image("web:v1", &["s"]);
    world.0.images[0].names.push("web:latest".to_owned());
    assert_eq!(world.picture().images()[0].names, ["web:v1", "web:latest"]);
    assert_eq!(world.picture().totals.images, 1);
    assert!(world.picture().has_image("web:latest"));
}

#[test]
fn the_same_layer_on_another_base_is_another_slab_of_the_same_colour() {
    let world = World::default().image("a", &["one", "same"]).image("b", &["two", "same"]);
    let picture = world.picture();
    let same: Vec<&Slab> =
        picture.slabs().into_iter().filter(|s| s.instruction.as_ref().unwrap().rest == "same").collect();
    assert_eq!(same.len(), 2);
    assert_ne!(same[0].chain_id, same[1].chain_id);
    assert_eq!((same[0].tint, &same[0].short), (same[1].tint, &same[1].short));
}

#[test]
fn images_without_layers_are_there() {
    let world = World::default().image("empty", &[]).container("c");
    assert_eq!(sketches(&world.picture()), ["(empty)[+c]"]);
}

#[test]
fn intermediate_images_are_not_shown_and_dangling_ones_are() {
    let world = World::default().image("", &["a"]).image("built", &["a", "b"]).image("", &["z"]);
    assert_eq!(sketches(&world.picture()), ["a/b(built)[]", "z(<none>)[]"]);
    assert_eq!(world.picture().totals.images, 2);
}

#[test]
fn layers_on_their_way_are_there_without_instruction() {
    let mut world = World::default().image("a", &["x"]);
    world.0.images.clear();
    assert_eq!(sketches(&world.picture()), ["?()[]"]);
}

#[test]
fn what_joins_later_comes_last() {
    let mut arrivals = Arrivals::default();
    let first = World::default().image("z", &["z"]).image("a", &["a"]);
    Picture::of(&first.0, &mut arrivals);
    let mut second = World::default().image("m", &["m"]).image("a", &["a"]).image("z", &["z"]);
    second.0.layers.reverse();
    assert_eq!(sketches(&Picture::of(&second.0, &mut arrivals)), ["z(z)[]", "a(a)[]", "m(m)[]"]);
}

#[test]
fn what_a_registry_has_stays_there_when_it_is_gone_here() {
    let mut arrivals = Arrivals::default();
    let hub = World::default().image("ana/web:1", &["s", "t"]).image("own", &["o"]);
    let picture = Picture::of(&hub.0, &mut arrivals);
    let told = |picture: &Picture| -> Vec<(String, usize, bool)> {
        picture.registry.iter().map(|entry| (entry.name.clone(), entry.tints.len(), entry.is_here)).collect()
    };
    assert_eq!(told(&picture), [("ana/web:1".to_owned(), 2, true)]);
    let gone = Picture::of(&Stock::default(), &mut arrivals);
    assert_eq!(told(&gone), [("ana/web:1".to_owned(), 2, false)]);
}

#[test]
fn a_filter_keeps_what_leads_to_what_fits() {
    let world =
        World::default().image("base", &["b"]).image("app", &["b", "a"]).image("other", &["o"]).container("web");
    let picture = world.picture();
    assert_eq!(sketches(&picture.filtered("APP")), ["b(base)[a(app)[]]"]);
    assert_eq!(sketches(&picture.filtered("web")), ["o(other)[+web]"]);
    assert_eq!(sketches(&picture.filtered("nope")), [""; 0]);
    assert_eq!(picture.filtered(" "), picture);
}

#[test]
fn trees_that_did_not_change_are_the_same_ones() {
    let old = World::default().image("a", &["a"]).image("b", &["b"]).picture();
    let mut new = World::default().image("a", &["a"]).image("b", &["b"]).container("c").picture();
    new.reuse(&old);
    let same: Vec<bool> = new.trees.iter().zip(&old.trees).map(|(new, old)| Rc::ptr_eq(new, old)).collect();
    assert_eq!(same, [true, false]);
}

#[test]
fn a_loop_of_parents_ends() {
    let mut world = World::default().image("a", &["x", "y"]);
    let (x, y) = (world.0.layers[0].chain_id, world.0.layers[1].chain_id);
    world.0.layers[0].parent = Some(y);
    assert_eq!(world.0.layers[1].parent, Some(x));
    assert_eq!(world.picture().trees.len(), 0);
}

#[test]
fn a_container_whose_image_is_deleted_stands_on_the_layers_it_keeps() {
    let mut world = World::default().image("debian", &["a"]).image("web", &["a", "b", "c"]).container("uno");
    let image = world.0.images.pop().unwrap();
    world.0.containers[0].base = image.top;
    let picture = world.picture();
    let slabs: Vec<(Option<&str>, bool)> = picture
        .slabs()
        .iter()
        .map(|slab| (slab.instruction.as_ref().map(|step| step.rest.as_str()), slab.is_left))
        .collect();
    assert_eq!(slabs, [(Some("a"), false), (None, true), (None, true)]);
    let [container] = picture.containers()[..] else { panic!("{picture:?}") };
    assert_eq!((container.fact.name.as_str(), &container.image_title), ("uno", &image.id.short()));
    assert_eq!((picture.totals.images, picture.totals.containers), (1, 1));
}
