//! What builders get from the machine: containers to run steps in, and images from registries.
//!
//! The daemon's builder and the catalogue's bakery use the same parts; they differ in kernel, store and clock.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use crate::base::digest::{ChainId, ImageId};
use crate::base::rng::Rng;
use crate::docker::build::cache::{BuildCache, CacheRecord};
use crate::docker::build::error::PullProblem;
use crate::docker::build::sandbox::Sandbox;
use crate::docker::build::world::{DOWNLOAD_RATE, EXTRACT_RATE, FetchEvent, Fetched, World};
use crate::docker::daemon::api::container::PruneReport;
use crate::docker::daemon::api::system::{BuildCachePrune, BuildCacheRecord, BuildCacheUsage};
use crate::docker::image::reference::Reference;
use crate::docker::image::store::Store;
use crate::docker::registry::{Published, RegistryError};
use crate::os::kernel::Kernel;
use crate::os::kernel::net::{NetId, Network};

/// Where a builder works.
pub struct Site {
    /// The kernel that runs steps.
    pub kernel: Kernel,
    /// Where images go.
    pub store: Rc<RefCell<Store>>,
    /// Where base images come from.
    pub registry: Rc<dyn Fn(&Reference) -> Result<Rc<Published>, RegistryError>>,
    /// The network of steps that have one.
    pub net: NetId,
    /// Whether downloads take their time.
    pub is_patient: bool,
    /// Identities follow from it.
    pub seed: u64,
}

/// A builder's world at a site.
pub fn world(site: Site) -> World {
    let site = Rc::new(site);
    let (clock, sleeper, resolver) = (site.kernel.clone(), site.kernel.clone(), Rc::clone(&site));
    let (fetcher, puller) = (Rc::clone(&site), Rc::clone(&site));
    let (inside, outside, net) = (site.kernel.clone(), site.kernel.clone(), site.net);
    World {
        store: Rc::clone(&site.store),
        cache: Rc::new(RefCell::new(BuildCache::default())),
        random: Rc::new(RefCell::new(Rng::new(site.seed))),
        now: Rc::new(move || clock.now()),
        sleep: Rc::new(move |time| Box::pin(sleep(sleeper.clone(), time))),
        resolve: Rc::new(move |reference| {
            let found = (resolver.registry)(&reference).map_err(problem);
            Box::pin(std::future::ready(found))
        }),
        fetch: Rc::new(move |reference, tell| Box::pin(fetch(Rc::clone(&fetcher), reference, tell))),
        pull: Rc::new(move |reference, _| {
            let site = Rc::clone(&puller);
            Box::pin(async move {
                let fetched = fetch(Rc::clone(&site), reference.clone(), Rc::new(|_| ())).await?;
                let mut store = site.store.borrow_mut();
                let id: ImageId = store.add_image(fetched.image).map_err(|_| PullProblem::NotFound)?;
                store.tag(reference.with_default_tag(), id, site.kernel.now());
                if let Some(chain) = fetched.chain {
                    store.release(chain);
                }
                Ok(id)
            })
        }),
        run: Sandbox {
            attach: Rc::new(move |mode| if mode == "none" { inside.network(Network::add) } else { net }),
            detach: Rc::new(move |id| {
                if id != net {
                    outside.network(|network| network.remove(id));
                }
            }),
            ..Sandbox::isolated(&site.kernel)
        }
        .runner(),
        docker_version: "27.5.1",
        architecture: "amd64",
    }
}

/// What a world's build cache tells of itself, and how it is pruned.
pub fn cache_of(world: &World) -> (BuildCacheUsage, BuildCachePrune) {
    let (store, cache) = (Rc::clone(&world.store), Rc::clone(&world.cache));
    let usage: BuildCacheUsage = Rc::new(move || {
        let records = cache.borrow().records(&store.borrow());
        let record = |record: CacheRecord| BuildCacheRecord {
            id: record.id,
            kind: record.kind.to_owned(),
            description: record.description,
            size_bytes: record.size_bytes,
            created: record.created,
            last_used: record.last_used,
            usage_count: u32::try_from(record.uses).unwrap_or(u32::MAX),
            in_use: false,
            shared: record.shared,
        };
        records.into_iter().map(record).collect()
    });
    let (store, cache) = (Rc::clone(&world.store), Rc::clone(&world.cache));
    let prune: BuildCachePrune = Rc::new(move |all, until| {
        let (gone, holds) = cache.borrow_mut().prune(&store.borrow(), all, until);
        // Layers go when their holds do, and the store is free again by then.
        drop(holds);
        PruneReport {
            space_reclaimed_bytes: gone.iter().filter(|record| !record.shared).map(|record| record.size_bytes).sum(),
            deleted: gone.into_iter().map(|record| record.id).collect(),
        }
    });
    (usage, prune)
}

const fn problem(error: RegistryError) -> PullProblem {
    match error {
        RegistryError::Denied => PullProblem::Denied,
        RegistryError::ManifestUnknown => PullProblem::NotFound,
        RegistryError::Unreachable => PullProblem::Unreachable,
    }
}

async fn sleep(kernel: Kernel, time: Duration) {
    let until = kernel.now() + time;
    // A signal that the builder's process handles does not shorten a download.
    while kernel.current_process().sleep(until.since(kernel.now())).await.is_err() {
        kernel.current_process().tick().await;
    }
}

/// Brings a base image's layers into the store.
async fn fetch(site: Rc<Site>, reference: Reference, tell: Rc<dyn Fn(FetchEvent)>) -> Result<Fetched, PullProblem> {
    let published = (site.registry)(&reference).map_err(problem)?;
    let mut chain: Option<ChainId> = None;
    for layer in &published.layers {
        let next = chain.map_or(ChainId(layer.diff_id.0), |below| below.then(layer.diff_id));
        let known = site.store.borrow_mut().hold(next).is_ok();
        if !known {
            let blob = layer.blob.digest;
            if site.is_patient {
                let steps = 1 + layer.blob.size_bytes / (DOWNLOAD_RATE / 4);
                for step in 1..=steps {
                    let part = layer.blob.size_bytes / steps;
                    sleep(site.kernel.clone(), Duration::from_micros(part / (DOWNLOAD_RATE / 1_000_000))).await;
                    tell(FetchEvent::Download { blob, current: part * step, total: layer.blob.size_bytes });
                }
                tell(FetchEvent::Extract { blob, done: false });
                let micros = layer.layer.size_bytes() / (EXTRACT_RATE / 1_000_000);
                sleep(site.kernel.clone(), Duration::from_micros(micros)).await;
            }
            // The stack grew too deep, which no published image is.
            let registered = site.store.borrow_mut().register(chain, layer.layer.clone());
            registered.map_err(|_| PullProblem::NotFound)?;
            tell(FetchEvent::Extract { blob, done: true });
        }
        if let Some(below) = chain.replace(next) {
            site.store.borrow_mut().release(below);
        }
    }
    Ok(Fetched { image: published.image.clone(), chain, digest: published.digest() })
}
