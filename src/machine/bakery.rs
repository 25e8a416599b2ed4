//! The bakery: builds the catalogue's images from their recipes, on the day they were built, in a world of its own.
//!
//! An image follows from its recipe alone: not from the session's seed or clock, nor from what was baked before.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::rc::{Rc, Weak};

use crate::base::digest::{BlobDigest, DiffId, Digest};
use crate::base::rope::Rope;
use crate::base::time::Timestamp;
use crate::docker::build;
use crate::docker::daemon::api::build::{BuildContext, BuildRequest, BuilderVersion};
use crate::docker::image::manifest::Blob;
use crate::docker::image::memo::{DigestMemo, TarFacts};
use crate::docker::image::reference::Reference;
use crate::docker::image::store::Store;
use crate::docker::registry::recipes::{self, Recipe};
use crate::docker::registry::{Baker, Published, Registry};
use crate::os::fs::layer::Layer;
use crate::os::fs::mounts::{Cred, Mount, Mounts};
use crate::os::fs::overlay::Overlay;
use crate::os::fs::tree::Tree;
use crate::os::fs::xz;
use crate::os::kernel::{Kernel, ProcessSpec, Programs, Stop};
use crate::os::userland::packages;

use super::build_world::{Site, world};

/// Work after which a recipe is given up: they are all much shorter.
const FUEL: u64 = 200_000_000;

/// What is smaller is summed up again rather than kept.
const SUMMED_BYTES: u64 = 1 << 20;

/// What the catalogue's layers hash to, written by `capas bake`: a line a layer.
static LOCK: &str = include_str!("../../static/catalogue/lock");

/// A memo that knows the catalogue's digests, so that megabytes need not be hashed again. A line that is not of the lock's
/// form is skipped: the layer is hashed when it is met.
pub fn memo() -> DigestMemo {
    DigestMemo::reading(|| LOCK.lines().filter_map(parse_line).collect())
}

fn parse_line(line: &str) -> Option<(Digest, TarFacts)> {
    let mut words = line.split(' ');
    let mut digest = || format!("sha256:{}", words.next()?).parse::<Digest>().ok();
    let (key, diff_id) = (digest()?, digest()?);
    // What was only summed up, such as an archive that was added, was never packed.
    let blob = digest();
    let mut number = || words.next()?.parse::<u64>().ok();
    let size_bytes = number()?;
    let blob = blob.zip(number()).map(|(blob, size_bytes)| Blob { digest: BlobDigest(blob), size_bytes });
    Some((key, TarFacts { diff_id: DiffId(diff_id), size_bytes, blob }))
}

/// The lock file's text for all recipes, everything hashed anew.
///
/// # Errors
/// The first build that fails: its output and what made it fail.
pub fn lock(programs: &Programs) -> Result<String, String> {
    let memo = DigestMemo::new();
    let registry = registry(programs, &memo);
    for recipe in recipes::all() {
        let tag = recipe.tags().next().unwrap_or("latest");
        let name = format!("docker.io/{}:{tag}", recipe.repository);
        let reference = Reference::parse(&name).map_err(|error| format!("{name}: {error}"))?;
        if registry.resolve(&reference).is_err() {
            return Err(format!("{name}: {}", bake(programs, &memo, recipe).err().unwrap_or_default()));
        }
    }
    let line = |(key, facts): &(Digest, TarFacts)| {
        let Some(blob) = facts.blob else {
            let worth = facts.size_bytes > SUMMED_BYTES;
            return worth.then(|| format!("{} {} - {}\n", key.hex(), facts.diff_id.0.hex(), facts.size_bytes));
        };
        Some(format!(
            "{} {} {} {} {}\n",
            key.hex(),
            facts.diff_id.0.hex(),
            blob.digest.0.hex(),
            facts.size_bytes,
            blob.size_bytes
        ))
    };
    Ok(memo.entries().iter().filter_map(line).collect())
}

/// What machines may share, as it follows from the catalogue alone: digests, and images that are baked. A handle.
#[derive(Clone)]
pub struct Catalogue {
    memo: DigestMemo,
    baked: Rc<RefCell<BTreeMap<(&'static str, &'static str), Rc<Baked>>>>,
    host: Rc<OnceCell<Tree>>,
}

/// What came of a recipe, and the images that it asked the registry for, which must be there too.
struct Baked {
    published: Option<Published>,
    bases: Vec<Reference>,
}

impl Catalogue {
    /// Only what the lock file knows.
    pub fn new() -> Self {
        Self { memo: memo(), baked: Rc::default(), host: Rc::default() }
    }

    /// The root file system of the student's computer.
    pub fn host(&self) -> Tree {
        self.host.get_or_init(|| Tree::of([&super::host::root()])).clone()
    }

    /// The digests.
    pub const fn memo(&self) -> &DigestMemo {
        &self.memo
    }

    /// A registry with the whole catalogue; images are baked when they are first asked for by anybody.
    pub fn registry(&self, programs: &Programs) -> Rc<Registry> {
        let bakery = Bakery::new(programs, &self.memo);
        let (baker, baked) = (Rc::clone(&bakery), Rc::clone(&self.baked));
        bakery.open(Rc::new(move |recipe| {
            let key = (recipe.repository, recipe.tags);
            let known = baked.borrow().get(&key).cloned();
            let found = known.unwrap_or_else(|| {
                let bases = Rc::new(RefCell::new(Vec::new()));
                let published = baker.bake(recipe, &bases).ok();
                let fresh = Rc::new(Baked { published, bases: bases.take() });
                baked.borrow_mut().insert(key, Rc::clone(&fresh));
                fresh
            });
            if let Some(registry) = baker.registry.borrow().upgrade() {
                found.bases.iter().for_each(|base| drop(registry.resolve(base)));
            }
            found.published.clone()
        }))
    }
}

impl Default for Catalogue {
    fn default() -> Self {
        Self::new()
    }
}

/// Everything recipes are baked with.
struct Bakery {
    programs: Programs,
    memo: DigestMemo,
    registry: RefCell<Weak<Registry>>,
}

/// A registry whose images are baked for it alone.
pub fn registry(programs: &Programs, memo: &DigestMemo) -> Rc<Registry> {
    let bakery = Bakery::new(programs, memo);
    let baker = Rc::clone(&bakery);
    bakery.open(Rc::new(move |recipe| baker.bake(recipe, &Rc::default()).ok()))
}

impl Bakery {
    fn new(programs: &Programs, memo: &DigestMemo) -> Rc<Self> {
        Rc::new(Self { programs: programs.clone(), memo: memo.clone(), registry: RefCell::new(Weak::new()) })
    }

    /// Opens the registry that base images come from, too.
    fn open(&self, baker: Baker) -> Rc<Registry> {
        let registry = Rc::new(Registry::new(baker));
        *self.registry.borrow_mut() = Rc::downgrade(&registry);
        registry
    }

    /// Builds a recipe and notes which images it was built on; an error is the build's output and what made it fail.
    fn bake(&self, recipe: &'static Recipe, bases: &Rc<RefCell<Vec<Reference>>>) -> Result<Published, String> {
        let kernel = Kernel::new(seed(recipe), recipe.built(), self.programs.clone());
        let store = Rc::new(RefCell::new(Store::new(self.memo.clone())));
        let registry = self.registry.borrow().upgrade().ok_or("no registry")?;
        let noted = Rc::clone(bases);
        let net = kernel.network(|network| network.add());
        let world = world(Site {
            kernel: kernel.clone(),
            store: Rc::clone(&store),
            registry: Rc::new(move |reference| {
                noted.borrow_mut().push(reference.clone());
                registry.resolve(reference)
            }),
            net,
            is_patient: false,
            seed: seed(recipe),
        });
        let request = BuildRequest {
            version: BuilderVersion::Classic,
            context: BuildContext { files: recipe.context(archive, program), ..BuildContext::default() },
            dockerfile: recipe.dockerfile.into(),
            dockerfile_name: "Dockerfile".to_owned(),
            ..BuildRequest::default()
        };
        let outcome = Rc::new(RefCell::new(None));
        let said = Rc::new(RefCell::new(String::new()));
        let (slot, log) = (Rc::clone(&outcome), Rc::clone(&said));
        let sink: crate::docker::daemon::api::build::BuildSink = Rc::new(move |event| {
            use crate::docker::daemon::api::build::BuildEvent;
            if let BuildEvent::Stream(bytes) | BuildEvent::ErrorStream(bytes) = event {
                log.borrow_mut().push_str(&String::from_utf8_lossy(&bytes));
            }
        });
        let started = kernel.spawn_with(spec(&kernel, net), |_| {
            Box::pin(async move {
                let built = build::build(&world, &request, &sink).await;
                *slot.borrow_mut() = Some(built);
                0
            })
        });
        started.map_err(|error| error.to_string())?;
        let mut fuel = FUEL;
        while outcome.borrow().is_none() && fuel > 0 {
            match kernel.run(1 << 20, None) {
                Stop::Until(time) => kernel.advance_to(time),
                Stop::OutOfFuel => {}
                Stop::Idle => break,
            }
            fuel = fuel.saturating_sub(1 << 20);
        }
        kernel.halt();
        let built = outcome.borrow_mut().take();
        match built {
            Some(Ok(outcome)) => outcome
                .image
                .and_then(|id| Published::of(&store.borrow(), id))
                .ok_or_else(|| "no such image".to_owned()),
            Some(Err(failure)) => Err(format!("{}\n{}", said.borrow(), failure.message)),
            None => Err(format!("{}\nthe build does not end", said.borrow())),
        }
    }
}

/// Bakes one recipe for those who check the catalogue.
///
/// # Errors
/// The build's output and what made it fail.
pub fn bake(programs: &Programs, memo: &DigestMemo, recipe: &'static Recipe) -> Result<Published, String> {
    let reference = |tag: &str| Reference::parse(&format!("docker.io/{}:{tag}", recipe.repository)).ok();
    let bakery = Bakery::new(programs, memo);
    let registry = registry(programs, memo);
    *bakery.registry.borrow_mut() = Rc::downgrade(&registry);
    debug_assert!(recipe.tags().all(|tag| reference(tag).is_some()));
    bakery.bake(recipe, &Rc::default())
}

pub(super) fn spec(kernel: &Kernel, net: crate::os::kernel::net::NetId) -> ProcessSpec {
    let overlay = Rc::new(RefCell::new(Overlay::new(1, Tree::empty(), 0)));
    ProcessSpec {
        program: "builder".into(),
        args: vec!["builder".into()],
        env: Vec::new(),
        cwd: "/".into(),
        cred: Cred::ROOT,
        mounts: Rc::new(RefCell::new(Mounts::new(Mount::overlay("/", "none", "tmpfs", &overlay)))),
        net,
        hostname: Rc::new(RefCell::new("buildkitsandbox".to_owned())),
        stdio: [kernel.null(), kernel.null(), kernel.null()],
        tty: None,
        pid_namespace: None,
        cgroup: String::new(),
    }
}

/// Ids in an image's history follow from its recipe.
fn seed(recipe: &Recipe) -> u64 {
    let digest = Digest::of(format!("{}:{}\n{}", recipe.repository, recipe.tags, recipe.dockerfile).as_bytes());
    digest.as_bytes().iter().take(8).fold(0, |seed, byte| seed << 8 | u64::from(*byte))
}

fn archive(name: &str, release: &str) -> Option<Rope> {
    let (release, lines) = release.split_once('\n').unwrap_or((release, ""));
    let layer: Layer = if release == "busybox" {
        packages::rootfs::busybox(packages::release("v3.15")?)
    } else {
        let known = packages::release(release);
        let built = known.map_or_else(|| Timestamp::from_date(2021, 12, 1), |release| release.built);
        let mut root = match known {
            Some(release) => packages::rootfs::rootfs(release, &[]),
            None => packages::rootfs::Rootfs::new(built),
        };
        packages::files::unpack_lines(&mut root, lines, built);
        root.into_layer()
    };
    let tar = layer.to_tar();
    Some(if name.ends_with(".xz") { xz::store(&tar) } else { tar })
}

fn program(name: &str, size_bytes: u64) -> Rope {
    use crate::os::kernel::exec::{Flavour, header};
    let mut rope = Rope::from(header(name, Flavour::Gnu));
    let rest = size_bytes.saturating_sub(rope.len());
    rope.push(&Rope::bulk(size_bytes, rest));
    rope
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::size::{human_size, human_size3};

    #[test]
    fn the_lock_file_holds_what_the_recipes_hash_to() {
        let mut programs = Programs::new();
        super::super::host::register(&mut programs);
        let lock = lock(&programs).unwrap_or_else(|error| panic!("{error}"));
        assert!(lock == LOCK, "static/catalogue/lock is out of date: run `cargo run -- bake`");
    }

    /// The names, sizes and numbers of layers that the module and the real images' pages show.
    #[test]
    fn images_have_the_layers_and_sizes_of_the_real_ones() {
        let mut programs = Programs::new();
        super::super::host::register(&mut programs);
        let registry = registry(&programs, &memo());
        let image = |name: &str| {
            let reference = Reference::parse(name).unwrap().with_default_tag();
            registry.resolve(&reference).unwrap_or_else(|error| panic!("{name}: {error}"))
        };
        for (name, layers, size) in [
            ("ubuntu", 1, "72.8MB"),
            ("debian:stretch-slim", 1, "55.3MB"),
            ("postgres:11", 13, "283MB"),
            ("nginx", 6, "142MB"),
            ("alpine", 1, "5.59MB"),
            ("busybox", 1, "1.24MB"),
            ("hello-world", 1, "13.3kB"),
            ("kubernetescourse/slides-docker", 9, "142MB"),
        ] {
            let published = image(name);
            let bytes = published.layers.iter().map(|layer| layer.layer.size_bytes()).sum();
            assert_eq!((published.layers.len(), human_size3(bytes).as_str()), (layers, size), "{name}");
        }
        let blobs = |name: &str| -> Vec<Blob> { image(name).layers.iter().map(|layer| layer.blob).collect() };
        assert_eq!(blobs("postgres:11").first(), blobs("debian:stretch-slim").first());
        assert_eq!(blobs("kubernetescourse/slides-docker")[..6], blobs("nginx")[..]);
        assert_eq!(blobs("nginx").first(), blobs("debian:bullseye-slim").first());
        // What the module's pull shows of the layer that is on its way.
        assert_eq!(human_size(blobs("postgres:11")[8].size_bytes), "71.52MB");
    }
}
