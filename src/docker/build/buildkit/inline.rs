//! A cache that images carry: which step made which layer, written into an image's config and taken from it again
//! (BuildKit `cache/remotecache/inline`, `remotecache/v1/spec.go`; moby `builder-next/adapters/localinlinecache`).
//!
//! It is what the docker driver has of cache exports and imports without containerd's image store. Only layers of the
//! image itself are told of; what other stages did is not.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::super::cache::{CacheKey, Done};
use super::super::error::BuildError;
use super::super::trace::Step;
use super::super::world::{DOWNLOAD_RATE, EXTRACT_RATE, Held, World};
use super::Solver;
use super::lookup::Making;
use super::state::State;
use crate::base::digest::{ChainId, DiffId};
use crate::base::time::Timestamp;
use crate::docker::image::config::ImageConfig;
use crate::docker::image::manifest::Blob;
use crate::docker::image::reference::Reference;
use crate::docker::registry::Published;
use crate::os::fs::layer::Layer;

/// A step of a stage, by what it leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Record {
    key: CacheKey,
    /// Its layer's place in the stage, and when it was made.
    layer: Option<(usize, Timestamp)>,
    /// Whether its layer fits on any other.
    linked: bool,
}

impl Record {
    /// What a stage starts from.
    pub(super) const fn base(key: CacheKey) -> Self {
        Self { key, layer: None, linked: false }
    }

    /// A step that left the topmost of `depth` layers.
    pub(super) const fn of(key: CacheKey, depth: usize, created: Timestamp, linked: bool) -> Self {
        Self { key, layer: Some((depth.saturating_sub(1), created)), linked }
    }
}

/// A layer that another build made.
#[derive(Clone)]
pub(super) struct Imported {
    layer: Arc<Layer>,
    diff_id: DiffId,
    /// Its compressed form, where it has to come from a registry.
    blob: Option<Blob>,
    created: Timestamp,
}

/// What made the layers of a stage: `CacheConfig.Records` as JSON.
pub(super) fn document(state: &State) -> Vec<u8> {
    let records = state.records.iter().enumerate().map(|(at, record)| {
        let mut fields = Map::new();
        if let Some((layer, created)) = record.layer {
            fields.insert("layers".to_owned(), json!([{"layer": layer, "createdAt": created.rfc3339_nano()}]));
        }
        fields.insert("digest".to_owned(), record.key.digest().to_string().into());
        if let (false, Some(below)) = (record.linked, at.checked_sub(1)) {
            fields.insert("inputs".to_owned(), json!([[{"link": below}]]));
        }
        Value::Object(fields)
    });
    Value::Array(records.collect()).to_string().into_bytes()
}

/// Which layer of an image stands for which step, as its cache tells: what can't be read or has no layer is none.
fn read(config: &ImageConfig) -> Vec<(CacheKey, usize, Timestamp)> {
    let records: Vec<Value> = serde_json::from_slice(&config.inline_cache).unwrap_or_default();
    let mut out = Vec::new();
    for record in &records {
        let key = record.get("digest").and_then(Value::as_str).and_then(|text| text.parse().ok());
        let Some(key) = key.map(CacheKey::from_digest) else { continue };
        for result in record.get("layers").and_then(Value::as_array).into_iter().flatten() {
            let layer = result.get("layer").and_then(Value::as_u64).and_then(|layer| usize::try_from(layer).ok());
            let created = result.get("createdAt").and_then(Value::as_str).and_then(Timestamp::parse_rfc3339);
            out.extend(layer.map(|layer| (key, layer, created.unwrap_or_default())));
        }
    }
    out
}

impl Solver<'_> {
    /// Asks the images of `--cache-from` for their caches. One that can't be had hinders no build.
    pub(super) async fn import_caches(&self) {
        for name in &self.request.cache_from {
            let step = self.trace.start(format!("importing cache manifest from {name}"));
            match self.import(name, &step).await {
                Ok(()) => step.done(),
                Err(why) => step.fail(format!("failed to configure registry cache importer: {why}")),
            }
        }
    }

    async fn import(&self, name: &str, step: &Step) -> Result<(), String> {
        let reference = Reference::parse(name).map_err(|error| error.to_string())?.with_default_tag();
        if self.import_local(&reference) {
            (self.world.sleep)(World::duration(2, 0, 1)).await;
            return Ok(());
        }
        let resolve = (self.world.resolve)(reference.clone());
        let published = resolve.await.map_err(|why| why.buildkit(&reference.to_string()))?;
        let media_type = published.manifest.form.media_type();
        step.status(format!("inferred cache manifest type: {media_type}"), 0, 0).done();
        (self.world.sleep)(World::duration(5, published.image.bytes().len() as u64, DOWNLOAD_RATE / 1_000_000)).await;
        self.import_published(&published);
        Ok(())
    }

    /// An image that is here already (moby `localinlinecache` `tryImportLocal`); its layers need not be fetched.
    fn import_local(&self, reference: &Reference) -> bool {
        let store = self.world.store.borrow();
        let Some(image) = store.lookup(reference).and_then(|id| store.image(id)) else { return false };
        let stack = store.stack(image.config().chain_id());
        for (key, index, created) in read(image.config()) {
            let Some(stored) = stack.get(index) else { continue };
            let layer = Arc::clone(&stored.layer);
            let imported = Imported { layer, diff_id: stored.diff_id, blob: None, created };
            self.imported.borrow_mut().entry(key).or_insert(imported);
        }
        true
    }

    fn import_published(&self, published: &Published) {
        for (key, index, created) in read(published.image.config()) {
            let Some(layer) = published.layers.get(index) else { continue };
            let (blob, diff_id) = (Some(layer.blob), layer.diff_id);
            let imported = Imported { layer: Arc::clone(&layer.layer), diff_id, blob, created };
            self.imported.borrow_mut().entry(key).or_insert(imported);
        }
    }

    /// Puts a step that the cache does not know and an imported one does into the cache, its layer fetched.
    pub(super) async fn bring(&self, state: &State, step: &Step, making: &Making) -> Result<(), BuildError> {
        if self.world.cache.borrow().peek(making.key).is_some() {
            return Ok(());
        }
        let Some(found) = self.imported.borrow().get(&making.key).cloned() else { return Ok(()) };
        let below = state.chain();
        let chain = below.map_or(ChainId(found.diff_id.0), |below| below.then(found.diff_id));
        let is_here = self.world.store.borrow().layer(chain).is_some();
        if let Some(blob) = found.blob.filter(|_| !is_here) {
            // moby `builder-next/worker`: what is pulled for a cached step shows under it.
            let part = step.status(format!("pulling {}", blob.digest), 0, 0);
            let unpacking = World::duration(0, found.layer.size_bytes(), EXTRACT_RATE / 1_000_000);
            (self.world.sleep)(World::duration(5, blob.size_bytes, DOWNLOAD_RATE / 1_000_000) + unpacking).await;
            part.done();
        }
        let size_bytes = found.layer.size_bytes();
        let chain = self.world.store.borrow_mut().register(below, found.layer)?;
        let held = Some(Held::adopt(&self.world.store, chain));
        let Making { key, inputs, name, .. } = making;
        let done = Done {
            id: self.world.identity(),
            parent: (!inputs.linked).then_some(state.key),
            inputs: inputs.clone(),
            description: name.clone(),
            held,
            size_bytes,
            took: (self.world.now)().since(step.started()),
            created: found.created,
        };
        self.world.cache.borrow_mut().insert(*key, done);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::digest::Digest;

    #[test]
    fn what_is_written_is_read_again_and_what_is_no_cache_is_none() {
        let key = |text: &[u8]| CacheKey::of("run", None, &[text]);
        let at = Timestamp::from_date(2026, 1, 2);
        let mut state = State::default();
        state.records.push(Record::of(key(b"a"), 2, at, false));
        state.records.push(Record::of(key(b"b"), 3, at, true));
        let cache = document(&state);
        let [a, b] = [key(b"a"), key(b"b")].map(|key| key.digest());
        let base = Record::base(state.key).key.digest();
        assert_eq!(
            String::from_utf8(cache.clone()).unwrap(),
            format!(
                r#"[{{"digest":"{base}"}},{{"layers":[{{"layer":1,"createdAt":"2026-01-02T00:00:00Z"}}],"digest":"{a}","inputs":[[{{"link":0}}]]}},{{"layers":[{{"layer":2,"createdAt":"2026-01-02T00:00:00Z"}}],"digest":"{b}"}}]"#
            )
        );
        let config = |inline_cache| ImageConfig { inline_cache, ..ImageConfig::default() };
        assert_eq!(read(&config(cache)), [(key(b"a"), 1, at), (key(b"b"), 2, at)]);
        let odd = format!(r#"[{{"digest":"{}","layers":[{{"layer":-1}},{{}}]}},{{"digest":"x"}},7]"#, Digest::of(b"x"));
        for text in ["", "{}", "[", odd.as_str()] {
            assert_eq!(read(&config(text.as_bytes().to_vec())), []);
        }
    }
}
