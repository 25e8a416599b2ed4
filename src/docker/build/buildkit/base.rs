//! Base images: what a reference means, and the layers below a stage.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use super::super::error::{BuildError, Located, PullProblem};
use super::super::plan::Base;
use super::super::trace::Part;
use super::super::world::{DOWNLOAD_RATE, EXTRACT_RATE, FetchEvent, Held, World};
use super::state::BaseImage;
use super::together::Task;
use super::{Purpose, Solver};
use crate::base::digest::{BlobDigest, ChainId, ManifestDigest};
use crate::docker::daemon::api::build::BuildEvent;
use crate::docker::dockerfile::Span;
use crate::docker::image::config::Image;
use crate::docker::image::reference::Reference;
use crate::docker::registry::Published;
use crate::os::fs::tree::Tree;

impl Solver<'_> {
    /// Asks what the base images are, all at once.
    pub(super) async fn load_metadata(&self) -> Result<(), Located> {
        let mut wanted: Vec<(Reference, String, Span)> = Vec::new();
        for stage in self.reachable() {
            if let Base::Image(reference, name) = &stage.base {
                wanted.push((reference.clone(), name.clone(), stage.stage.span));
            }
            wanted.extend(
                stage.images.iter().map(|(reference, name)| (reference.clone(), name.clone(), stage.stage.span)),
            );
        }
        for stage in self.reachable() {
            let (Some(_), Base::Image(reference, name)) = (&stage.foreign, &stage.base) else { continue };
            // Images of the simulated registries are for one platform only.
            let step = self.trace.start(format!("[internal] load metadata for {reference}"));
            let reference = reference.to_string();
            let error = BuildError::Pull { name: name.clone(), reference, why: PullProblem::Platform };
            let text = error.to_string();
            step.fail(text.split_once(": ").map_or_else(|| text.clone(), |(_, rest)| rest.to_owned()));
            return Err(error.at(stage.stage.span));
        }
        let mut asked = BTreeSet::new();
        wanted.retain(|(reference, ..)| asked.insert(reference.to_string()));
        let ask = |(reference, name, span)| -> Task<'_, Located> {
            Box::pin(async move { self.load_metadata_of(reference, name, span).await })
        };
        let loaded = self.bell.all(wanted.into_iter().map(ask).collect()).await;
        loaded.inspect_err(|_| self.trace.cancel())
    }

    pub(super) async fn load_metadata_of(&self, reference: Reference, name: String, span: Span) -> Result<(), Located> {
        let canonical = reference.to_string();
        let step = self.trace.start(format!("[internal] load metadata for {canonical}"));
        let local = self.local(&reference);
        if let Some(image) = local.filter(|_| !self.request.pull) {
            (self.world.sleep)(World::duration(3, 0, 1)).await;
            self.images.borrow_mut().insert(canonical, image);
            step.done();
            return Ok(());
        }
        let resolve = (self.world.resolve)(reference.clone());
        match resolve.await {
            Ok(published) => {
                // The image itself comes when its first stage starts.
                let digest = published.digest();
                let known = self
                    .world
                    .cache
                    .borrow()
                    .source(&canonical)
                    .filter(|source| source.digest == digest)
                    .map(|source| source.image.clone());
                if let Some(image) = known {
                    let base = self.base(image, Some(digest))?;
                    self.images.borrow_mut().insert(canonical, base);
                }
                step.done();
            }
            Err(why) => {
                let error = BuildError::Pull { name, reference: canonical, why };
                let text = error.to_string();
                step.fail(
                    text.split_once(": failed to").map_or_else(|| text.clone(), |(_, rest)| format!("failed to{rest}")),
                );
                return Err(error.at(span));
            }
        }
        Ok(())
    }

    /// An image of the local store.
    pub(super) fn local(&self, reference: &Reference) -> Option<BaseImage> {
        let image = {
            let store = self.world.store.borrow();
            store.lookup(reference).and_then(|id| store.image(id)).cloned()?
        };
        self.base(image, None).ok()
    }

    /// An image whose layers are in the store.
    pub(super) fn base(&self, image: Image, digest: Option<ManifestDigest>) -> Result<BaseImage, BuildError> {
        let chain = image.config().chain_id();
        let held = chain.and_then(|chain| Held::new(&self.world.store, chain)).map(Rc::new);
        let tree = self.world.store.borrow().tree(chain)?;
        Ok(BaseImage { image, digest, held, tree })
    }

    /// The image of a registry as a download would bring it, and how long that would take.
    pub(super) fn published(&self, published: &Published, span: Span) -> (BaseImage, Duration) {
        let store = self.world.store.borrow();
        let mut chain: Option<ChainId> = None;
        let (mut size, mut missing, mut packed) = (0, 0, 0);
        for layer in &published.layers {
            let next = chain.map_or(ChainId(layer.diff_id.0), |below| below.then(layer.diff_id));
            chain = Some(next);
            size += layer.layer.size_bytes();
            if store.layer(next).is_none() {
                missing += layer.layer.size_bytes();
                packed += layer.blob.size_bytes;
            }
        }
        self.trace.tell(BuildEvent::Base { span, size_bytes: Some(size), download_bytes: packed });
        let tree = match self.purpose {
            Purpose::Check => Tree::empty(),
            _ => Tree::of(published.layers.iter().map(|layer| layer.layer.as_ref())),
        };
        let took = World::duration(5, packed, DOWNLOAD_RATE / 1_000_000)
            + World::duration(0, missing, EXTRACT_RATE / 1_000_000);
        (BaseImage { image: published.image.clone(), digest: Some(published.digest()), held: None, tree }, took)
    }

    /// The base image of a stage, fetched if it is not here.
    pub(super) async fn fetch(
        &self,
        reference: &Reference,
        name: &str,
        span: Span,
        text: &dyn Fn(&str) -> String,
    ) -> Result<BaseImage, Located> {
        let canonical = reference.to_string();
        // The step has its number whether or not another stage's vertex stands for it.
        let vertex = |what: &str| text(&format!("FROM {canonical}{what}"));
        if self.purpose != Purpose::Check && self.bases.borrow().contains_key(&canonical) {
            vertex("");
            self.bell.until(|| self.bases.borrow().get(&canonical).copied().filter(|here| *here)).await;
        }
        let known = self.images.borrow().get(&canonical).cloned();
        if let Some(base) = known {
            let size_bytes = Some(self.size_of(&base));
            self.trace.tell(BuildEvent::Base { span, size_bytes, download_bytes: 0 });
            if self.purpose != Purpose::Build {
                self.bases.borrow_mut().insert(canonical, true);
                return Ok(base);
            }
            if self.bases.borrow_mut().insert(canonical.clone(), true).is_some() {
                return Ok(base);
            }
            let suffix = base.digest.map(|digest| format!("@{digest}")).unwrap_or_default();
            let step = self.trace.start(vertex(&suffix));
            let seen = self.world.cache.borrow_mut().use_base(format!("{canonical}{}", base.image.id()));
            if seen || base.digest.is_some() {
                step.cached()
            } else {
                step.done()
            }
            return Ok(base);
        }
        let pull = |why| BuildError::Pull { name: name.to_owned(), reference: canonical.clone(), why };
        self.bases.borrow_mut().insert(canonical.clone(), false);
        let published = (self.world.resolve)(reference.clone()).await.map_err(|why| pull(why).at(span))?;
        if self.purpose != Purpose::Build {
            let (base, took) = self.published(&published, span);
            if self.purpose == Purpose::Foresee {
                (self.world.sleep)(took).await;
            }
            self.images.borrow_mut().insert(canonical.clone(), base.clone());
            self.bases.borrow_mut().insert(canonical, true);
            self.bell.ring();
            return Ok(base);
        }
        let digest = published.digest();
        let step = self.trace.start(vertex(&format!("@{digest}")));
        let resolve = step.status(format!("resolve {canonical}@{digest}"), 0, 0);
        (self.world.sleep)(World::duration(5, 0, 1)).await;
        resolve.done();
        let parts = Rc::new(RefCell::new(BTreeMap::<(bool, BlobDigest), Part>::new()));
        let step = Rc::new(step);
        let downloaded = Rc::new(Cell::new(0));
        let sink: Rc<dyn Fn(FetchEvent)> = {
            let (parts, step, downloaded) = (Rc::clone(&parts), Rc::clone(&step), Rc::clone(&downloaded));
            Rc::new(move |event| {
                let mut parts = parts.borrow_mut();
                match event {
                    FetchEvent::Download { blob, current, total } => {
                        let part =
                            parts.entry((false, blob)).or_insert_with(|| step.status(blob.to_string(), 0, total));
                        part.at(current, total);
                        if current >= total {
                            downloaded.set(downloaded.get() + total);
                        }
                        if current >= total
                            && let Some(part) = parts.remove(&(false, blob))
                        {
                            part.done();
                        }
                    }
                    FetchEvent::Extract { blob, done: false } => {
                        parts.insert((true, blob), step.status(format!("extracting {blob}"), 0, 0));
                    }
                    FetchEvent::Extract { blob, done: true } => {
                        if let Some(part) = parts.remove(&(true, blob)) {
                            part.done();
                        }
                    }
                }
            })
        };
        let fetched = (self.world.fetch)(reference.clone(), Rc::clone(&sink)).await;
        drop(sink);
        parts.borrow_mut().clear();
        drop(parts);
        let step = Rc::into_inner(step);
        let fetched = match fetched {
            Ok(fetched) => fetched,
            Err(why) => {
                let error = pull(why);
                if let Some(step) = step {
                    step.fail(error.to_string());
                }
                return Err(error.at(span));
            }
        };
        if let Some(step) = step {
            step.done();
        }
        let own = fetched.chain.map(|chain| Held::adopt(&self.world.store, chain));
        let kept = fetched.chain.and_then(|chain| Held::new(&self.world.store, chain));
        let mut cache = self.world.cache.borrow_mut();
        cache.add_source(canonical.clone(), fetched.digest, fetched.image.clone(), kept);
        cache.use_base(format!("{canonical}{}", fetched.image.id()));
        drop(cache);
        let base = self.base(fetched.image, Some(fetched.digest))?;
        drop(own);
        let (size_bytes, download_bytes) = (Some(self.size_of(&base)), downloaded.get());
        self.trace.tell(BuildEvent::Base { span, size_bytes, download_bytes });
        self.images.borrow_mut().insert(canonical.clone(), base.clone());
        self.bases.borrow_mut().insert(canonical, true);
        self.bell.ring();
        Ok(base)
    }

    pub(super) fn size_of(&self, base: &BaseImage) -> u64 {
        let store = self.world.store.borrow();
        store.stack(base.held.as_ref().map(|held| held.chain())).iter().map(|layer| layer.size_bytes).sum()
    }
}
