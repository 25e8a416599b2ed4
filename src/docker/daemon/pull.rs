//! Pulls: three downloads at a time, extraction in order, in virtual time (moby `distribution/xfer`, `pull_v2.go`).

use std::rc::Rc;
use std::time::Duration;

use super::api::image::{Progress, ProgressSink, PullOptions};
use super::api::system::EventKind;
use super::errors::DaemonError;
use super::handle::{Daemon, World};
use crate::base::digest::{ChainId, ImageId};
use crate::docker::image::reference::Reference;
use crate::docker::registry::{Published, RegistryError};

/// Downloads at a time (dockerd `--max-concurrent-downloads`).
const DOWNLOADS: usize = 3;
/// Bytes a second of the link, shared by the downloads.
pub(super) const LINK_BYTES: u64 = 10_000_000;
/// Bytes a second of unpacking, of the uncompressed layer.
pub(super) const EXTRACT_BYTES: u64 = 60_000_000;
/// How often progress is told.
pub(super) const STEP: Duration = Duration::from_millis(100);
/// A question to the registry and its answer.
pub(super) const ROUND_TRIP: Duration = Duration::from_millis(120);

/// What a layer is doing.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Waiting,
    Downloading(u64),
    Downloaded,
    Extracting(u64),
    Done,
}

struct Job {
    short: String,
    blob_bytes: u64,
    tar_bytes: u64,
    phase: Phase,
}

/// Layers that a cancelled pull has put into the store are given back.
struct Holds {
    world: Rc<World>,
    chain: Option<ChainId>,
    /// What pictures know the pull by.
    number: u64,
}

impl Holds {
    fn new(world: &Rc<World>, name: &str) -> Self {
        let number = world.arriving.borrow().keys().last().map_or(0, |last| last + 1);
        world.arriving.borrow_mut().insert(number, (name.to_owned(), None));
        world.changed();
        Self { world: Rc::clone(world), chain: None, number }
    }

    /// Holds one more layer: the stack up to it. The stack that was held before is given back.
    fn replace(&mut self, chain: ChainId) -> Option<ChainId> {
        if let Some((_, top)) = self.world.arriving.borrow_mut().get_mut(&self.number) {
            *top = Some(chain);
        }
        self.chain.replace(chain)
    }
}

impl Drop for Holds {
    fn drop(&mut self) {
        self.world.arriving.borrow_mut().remove(&self.number);
        self.world.changed();
        if let Some(chain) = self.chain
            && let Ok(mut store) = self.world.store.try_borrow_mut()
        {
            store.release(chain);
        }
    }
}

impl Daemon {
    /// `POST /images/create?fromImage=`. Dropping the future stops the pull.
    ///
    /// # Errors
    /// What the registry refuses, in Docker's words.
    pub async fn image_pull(
        &self,
        reference: &str,
        options: PullOptions,
        sink: ProgressSink,
    ) -> Result<(), DaemonError> {
        let reference = Reference::parse(reference)?;
        if options.all_tags && reference.is_name_only() {
            let tags = self.0.registry.tags(reference.repository());
            if tags.is_empty() {
                return Err(DaemonError::PullDenied(reference.repository().familiar()));
            }
            for tag in tags {
                let tagged = Reference::tagged(reference.repository().clone(), &tag)?;
                self.pull_one(&tagged, &sink).await?;
            }
            return Ok(());
        }
        self.pull_one(&reference.with_default_tag(), &sink).await.map(drop)
    }

    /// Asks a registry, in Docker's words.
    ///
    /// # Errors
    /// What the registry refuses.
    pub async fn resolve_remote(&self, reference: &Reference) -> Result<Rc<Published>, DaemonError> {
        self.0.kernel.sleep(ROUND_TRIP).await;
        if super::remote::is_local(reference.repository().domain()) {
            return self.fetch_remote(reference).await;
        }
        self.0.registry.resolve(reference).map_err(|error| match error {
            RegistryError::Denied => DaemonError::PullDenied(reference.repository().familiar()),
            RegistryError::ManifestUnknown => DaemonError::ManifestUnknown(reference.familiar()),
            RegistryError::Unreachable => unreachable(reference.repository().domain()),
        })
    }

    /// A registry's manifest. It is the client that asks for it; it does so with what the daemon knows of registries.
    ///
    /// # Errors
    /// What the registry refuses.
    pub async fn remote_manifest(&self, reference: &Reference) -> Result<Vec<u8>, DaemonError> {
        Ok(self.resolve_remote(reference).await?.manifest.to_json())
    }

    /// Pulls one image and names it.
    ///
    /// # Errors
    /// What the registry or the store refuses.
    pub async fn pull_one(&self, reference: &Reference, sink: &ProgressSink) -> Result<ImageId, DaemonError> {
        let published = self.resolve_remote(reference).await?;
        let line = |id: &str, status: String| sink(Progress::Line { id: id.to_owned(), status });
        let label = reference
            .tag()
            .map_or_else(|| reference.digest().map(|digest| digest.to_string()).unwrap_or_default(), ToOwned::to_owned);
        let name = reference.repository();
        // The name as the registry has it: official images are shown with `library/`, others without their host.
        line(&label, format!("Pulling from {}", name.path()));
        let id = published.image.id();
        let digest = published.digest();
        let (had, before) = {
            let store = self.0.store.borrow();
            (store.image(id).is_some(), store.lookup(reference))
        };
        if !had {
            self.fetch_layers(&reference.familiar(), &published, sink).await?;
        }
        {
            let now = self.0.kernel.now();
            let mut store = self.0.store.borrow_mut();
            if reference.digest().is_none() {
                store.tag(reference.clone(), id, now);
            }
            store.tag(Reference::digested(reference.repository().clone(), digest), id, now);
        }
        line("", format!("Digest: {digest}"));
        let familiar = reference.familiar();
        let status = if before == Some(id) {
            format!("Status: Image is up to date for {familiar}")
        } else {
            format!("Status: Downloaded newer image for {familiar}")
        };
        line("", status);
        self.0.emit(EventKind::Image, "pull", familiar.clone(), &[("name", name.familiar())]);
        Ok(id)
    }

    /// Brings an image's layers and config into the store. `name` is what pictures call it until it is there.
    ///
    /// # Errors
    /// What the store refuses.
    pub async fn fetch_layers(
        &self,
        name: &str,
        published: &Published,
        sink: &ProgressSink,
    ) -> Result<ImageId, DaemonError> {
        let world = &self.0;
        let tell = |job: &Job, status: &str, detail: Option<(u64, u64)>| {
            sink(Progress::Layer { id: job.short.clone(), status: status.to_owned(), detail });
        };
        let mut holds = Holds::new(world, name);
        let mut jobs = Vec::new();
        for layer in &published.layers {
            let next = holds.chain.map_or(ChainId(layer.diff_id.0), |chain| chain.then(layer.diff_id));
            let known =
                jobs.iter().all(|job: &Job| job.phase == Phase::Done) && world.store.borrow_mut().hold(next).is_ok();
            let mut job = Job {
                short: layer.blob.digest.short(),
                blob_bytes: layer.blob.size_bytes,
                tar_bytes: layer.layer.size_bytes(),
                phase: Phase::Waiting,
            };
            if known {
                job.phase = Phase::Done;
                let mut store = world.store.borrow_mut();
                store.note_shared(next);
                store.note_blob(layer.diff_id, layer.blob.digest);
                if let Some(below) = holds.replace(next) {
                    store.release(below);
                }
                tell(&job, "Already exists", None);
            } else {
                tell(&job, "Pulling fs layer", None);
            }
            jobs.push(job);
        }
        for job in jobs.iter().filter(|job| job.phase == Phase::Waiting).skip(DOWNLOADS) {
            tell(job, "Waiting", None);
        }
        world.kernel.sleep(ROUND_TRIP).await;
        while jobs.iter().any(|job| job.phase != Phase::Done) {
            start_downloads(&mut jobs);
            world.kernel.sleep(STEP).await;
            let active = jobs.iter().filter(|job| matches!(job.phase, Phase::Downloading(_))).count() as u64;
            let part = LINK_BYTES / 10 / active.max(1);
            for job in &mut jobs {
                let Phase::Downloading(done) = job.phase else { continue };
                let done = done.saturating_add(part);
                if done < job.blob_bytes {
                    job.phase = Phase::Downloading(done);
                    tell(job, "Downloading", Some((done, job.blob_bytes)));
                } else {
                    job.phase = Phase::Downloaded;
                    tell(job, "Downloading", Some((job.blob_bytes, job.blob_bytes)));
                    tell(job, "Verifying Checksum", None);
                    tell(job, "Download complete", None);
                }
            }
            // Layers are unpacked one on top of the other, so strictly in order.
            let mut budget = EXTRACT_BYTES / 10;
            for (job, layer) in jobs.iter_mut().zip(&published.layers) {
                let done = match job.phase {
                    Phase::Done => continue,
                    Phase::Downloaded => 0,
                    Phase::Extracting(done) => done,
                    Phase::Waiting | Phase::Downloading(_) => break,
                };
                let now = done.saturating_add(budget).min(job.tar_bytes);
                budget = budget.saturating_sub(now - done);
                let share = u128::from(job.blob_bytes) * u128::from(now) / u128::from(job.tar_bytes.max(1));
                let share = if now == job.tar_bytes { job.blob_bytes } else { u64::try_from(share).unwrap_or(0) };
                tell(job, "Extracting", Some((share, job.blob_bytes)));
                if now < job.tar_bytes {
                    job.phase = Phase::Extracting(now);
                    break;
                }
                let mut store = world.store.borrow_mut();
                let chain = store.register(holds.chain, layer.layer.clone())?;
                store.note_blob(layer.diff_id, layer.blob.digest);
                if let Some(below) = holds.replace(chain) {
                    store.release(below);
                }
                drop(store);
                world.changed();
                job.phase = Phase::Done;
                tell(job, "Pull complete", None);
            }
        }
        let id = world.store.borrow_mut().add_image(published.image.clone())?;
        world.changed();
        Ok(id)
    }
}

/// A registry that is not there.
pub(super) fn unreachable(domain: &str) -> DaemonError {
    let host = domain.to_owned();
    match domain.split_once(':').unwrap_or((domain, "80")) {
        ("localhost" | "127.0.0.1", port) => DaemonError::RegistryRefuses { port: port.to_owned(), host },
        _ => DaemonError::NoRegistry { host },
    }
}

fn start_downloads(jobs: &mut [Job]) {
    let active = jobs.iter().filter(|job| matches!(job.phase, Phase::Downloading(_))).count();
    let free = DOWNLOADS.saturating_sub(active);
    for job in jobs.iter_mut().filter(|job| job.phase == Phase::Waiting).take(free) {
        job.phase = Phase::Downloading(0);
    }
}
