//! Steps and the cache: what is there already, why something is not, and what is new.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use super::super::cache::{CacheKey, Done, Inputs};
use super::super::error::{BuildError, Located};
use super::super::trace::Step;
use super::super::world::Held;
use super::inline::Record;
use super::state::State;
use super::{Purpose, Solver};
use crate::base::digest::ChainId;
use crate::base::time::Timestamp;
use crate::docker::daemon::api::build::{BuildEvent, LayerSize, MissReason};
use crate::docker::dockerfile::Span;
use crate::os::fs::layer::Layer;

/// A step on its way into the cache.
pub(super) struct Making {
    pub(super) key: CacheKey,
    pub(super) inputs: Inputs,
    pub(super) name: String,
    pub(super) span: Span,
    pub(super) started: Timestamp,
}

impl Solver<'_> {
    /// Starts a step, unless another stage has the very same one: then it waits for that one, and there is no vertex.
    pub(super) async fn begin(&self, key: CacheKey, name: &str) -> (Option<Step>, Timestamp) {
        if self.purpose == Purpose::Build {
            let known = self.steps.borrow().contains_key(&key);
            if known {
                self.expect(self.total.get().saturating_sub(1));
                self.bell.until(|| self.steps.borrow().get(&key).copied().filter(|done| *done)).await;
                return (None, (self.world.now)());
            }
            self.steps.borrow_mut().insert(key, false);
        }
        let step = self.trace.start(name);
        let started = step.started();
        (Some(step), started)
    }

    /// Tells those who wait for a step that the cache has it.
    pub(super) fn is_done(&self, key: CacheKey) {
        self.steps.borrow_mut().insert(key, true);
        self.bell.ring();
    }

    /// Takes a step from the cache, if it is there; tells either way.
    pub(super) async fn probe(
        &self,
        state: &mut State,
        step: Option<Step>,
        making: &Making,
    ) -> Result<(Option<Timestamp>, Option<Step>), BuildError> {
        let Making { key, inputs, span, .. } = making;
        let (key, span) = (*key, *span);
        let filter = &self.request.no_cache_filter;
        let refused = self.request.no_cache || filter.iter().any(|name| name.eq_ignore_ascii_case(&state.stage));
        if !refused && let Some(step) = &step {
            self.bring(state, step, making).await?;
        }
        let hit = match self.purpose {
            // Another stage has just done it.
            Purpose::Build if step.is_none() => self.world.cache.borrow_mut().lookup(key, (self.world.now)()),
            _ if refused || (state.unknown && !inputs.linked) => None,
            Purpose::Build => self.world.cache.borrow_mut().lookup(key, (self.world.now)()),
            _ => self.world.cache.borrow().peek(key),
        };
        let Some(hit) = hit else {
            let miss = match &state.missed {
                _ if refused => MissReason::Refused,
                Some((instruction, span)) if !inputs.linked => {
                    MissReason::Parent { instruction: instruction.clone(), span: *span }
                }
                _ => self.world.cache.borrow().explain((!inputs.linked).then_some(state.key), inputs),
            };
            state.missed.get_or_insert_with(|| (inputs.code.clone(), span));
            self.trace.cache(&inputs.code, span, Some(miss));
            return Ok((None, step));
        };
        self.trace.cache(&inputs.code, span, None);
        if let Some(step) = step {
            step.cached();
        }
        let size = LayerSize::Exact(hit.size_bytes);
        self.trace.tell(BuildEvent::Layer { span, size, took: Some(Duration::ZERO) });
        let held = if inputs.linked { self.relink(state, hit.chain)? } else { Held::new(&self.world.store, hit.chain) };
        // In foresight the stage's own layers may be in no store.
        let layer = self.world.store.borrow().layer(hit.chain).map(|stored| Arc::clone(&stored.layer));
        if let (Purpose::Foresee, true, Some(layer)) = (self.purpose, inputs.linked, layer) {
            state.tree = state.tree.with(&layer);
            state.key = CacheKey::of("linked", Some(state.key), &[key.as_bytes()]);
            return Ok((Some(hit.created), None));
        }
        let above = if inputs.linked { CacheKey::of("linked", Some(state.key), &[key.as_bytes()]) } else { key };
        self.enter(state, held, above)?;
        state.records.push(Record::of(key, state.diff_ids.len(), hit.created, inputs.linked));
        Ok((Some(hit.created), None))
    }

    /// Puts the layer on top of a stack onto the stage's own layers: what `COPY --link` made fits anywhere.
    pub(super) fn relink(&self, state: &State, chain: ChainId) -> Result<Option<Held>, BuildError> {
        if self.purpose != Purpose::Build {
            return Ok(None);
        }
        let layer = self.world.store.borrow().layer(chain).map(|stored| Arc::clone(&stored.layer));
        let Some(layer) = layer else { return Ok(None) };
        let chain = self.world.store.borrow_mut().register(state.chain(), layer)?;
        Ok(Some(Held::adopt(&self.world.store, chain)))
    }

    /// Makes a stack the stage's own.
    pub(super) fn enter(&self, state: &mut State, held: Option<Held>, key: CacheKey) -> Result<(), BuildError> {
        state.held = held.map(Rc::new);
        state.key = key;
        let store = self.world.store.borrow();
        state.tree = store.tree(state.chain())?;
        state.diff_ids = store.stack(state.chain()).iter().map(|layer| layer.diff_id).collect();
        Ok(())
    }

    /// Puts a new layer on the stage and into the cache.
    pub(super) fn commit(&self, state: &mut State, layer: Layer, making: Making) -> Result<Timestamp, BuildError> {
        let now = (self.world.now)();
        let linked = making.inputs.linked;
        let Making { key, inputs, name, span, started } = making;
        let (size_bytes, took) = (layer.size_bytes(), now.since(started));
        self.trace.tell(BuildEvent::Layer { span, size: LayerSize::Exact(size_bytes), took: Some(took) });
        if self.purpose == Purpose::Foresee {
            state.tree = state.tree.with(&layer);
            state.key = key;
            return Ok(now);
        }
        let chain = self.world.store.borrow_mut().register(state.chain(), Arc::new(layer))?;
        let held = Held::adopt(&self.world.store, chain);
        let kept = Held::new(&self.world.store, chain);
        let parent = (!inputs.linked).then_some(state.key);
        let above = if inputs.linked { CacheKey::of("linked", Some(state.key), &[key.as_bytes()]) } else { key };
        let id = self.world.identity();
        let done = Done { id, parent, inputs, description: name, held: kept, size_bytes, took, created: now };
        self.world.cache.borrow_mut().insert(key, done);
        self.enter(state, Some(held), above)?;
        state.records.push(Record::of(key, state.diff_ids.len(), now, linked));
        Ok(now)
    }

    /// In foresight: a step that only doing it would tell of leaves what it left the last time, or nobody knows what.
    pub(super) async fn assume(&self, state: &mut State, making: Making) -> Timestamp {
        let last = self.world.cache.borrow().last_time(&making.inputs.code);
        state.key = making.key;
        let (size, took) = match last {
            Some(hit) if !state.unknown => {
                (self.world.sleep)(hit.took).await;
                if let Some(stored) = self.world.store.borrow().layer(hit.chain) {
                    state.tree = state.tree.with(&stored.layer);
                }
                (LayerSize::LastTime(hit.size_bytes), Some(hit.took))
            }
            last => {
                state.unknown = true;
                let size = last.map_or(LayerSize::Unknown, |hit| LayerSize::LastTime(hit.size_bytes));
                (size, last.map(|hit| hit.took))
            }
        };
        self.trace.tell(BuildEvent::Layer { span: making.span, size, took });
        (self.world.now)()
    }
}

pub(super) fn finish(
    step: Option<Step>,
    made: Result<Timestamp, BuildError>,
    span: Span,
) -> Result<Timestamp, Located> {
    match (made, step) {
        (Ok(created), Some(step)) => {
            step.done();
            Ok(created)
        }
        (Ok(created), None) => Ok(created),
        (Err(error), step) => {
            if let Some(step) = step {
                step.fail(error.to_string());
            }
            Err(error.at(span))
        }
    }
}
