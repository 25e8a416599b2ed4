//! Tells what a build does, step by step, with the time of each.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use super::progress::CANCELED;
use super::world::World;
use crate::base::time::Timestamp;
use crate::docker::daemon::api::build::{BuildEvent, BuildSink, MissReason, Vertex, VertexId, VertexStatus};
use crate::docker::dockerfile::Span;
use crate::docker::dockerfile::lint::Warning;

/// Where a build tells what it does.
#[derive(Clone)]
pub struct Trace {
    sink: BuildSink,
    now: Rc<dyn Fn() -> Timestamp>,
    last: Rc<Cell<VertexId>>,
    open: Rc<RefCell<BTreeMap<VertexId, Vertex>>>,
}

impl Trace {
    /// Tells `sink`.
    pub fn new(world: &World, sink: &BuildSink) -> Self {
        Self { sink: Rc::clone(sink), now: Rc::clone(&world.now), last: Rc::default(), open: Rc::default() }
    }

    /// Tells an event.
    pub fn tell(&self, event: BuildEvent) {
        (self.sink)(event);
    }

    /// Starts a vertex.
    pub fn start(&self, name: impl Into<String>) -> Step {
        let id = self.last.get() + 1;
        self.last.set(id);
        let started = Some((self.now)());
        let vertex = Vertex { id, name: name.into(), started, completed: None, cached: false, error: None };
        self.open.borrow_mut().insert(id, vertex.clone());
        self.tell(BuildEvent::Vertex(vertex.clone()));
        Step { trace: self.clone(), vertex }
    }

    /// Ends what has not ended: something else failed.
    pub fn cancel(&self) {
        let open = std::mem::take(&mut *self.open.borrow_mut());
        for vertex in open.into_values() {
            let (completed, error) = (Some((self.now)()), Some(CANCELED.to_owned()));
            self.tell(BuildEvent::Vertex(Vertex { completed, error, ..vertex }));
        }
    }

    /// Tells of a build check. Checks are shown under the first vertex, which read the Dockerfile.
    pub fn warn(&self, warning: &Warning) {
        self.tell(BuildEvent::Warning { vertex: 1, warning: warning.clone() });
    }

    /// Tells whether the cache had a step.
    pub fn cache(&self, instruction: &str, span: Span, miss: Option<MissReason>) {
        self.tell(BuildEvent::Cache { instruction: instruction.to_owned(), span, miss });
    }
}

/// A vertex that has started.
pub struct Step {
    trace: Trace,
    vertex: Vertex,
}

impl Step {
    /// Starts a part with progress of its own.
    pub fn status(&self, id: impl Into<String>, current: u64, total: u64) -> Part {
        let now = (self.trace.now)();
        let status = VertexStatus {
            vertex: self.vertex.id,
            id: id.into(),
            current,
            total,
            started: now,
            at: now,
            completed: None,
        };
        self.trace.tell(BuildEvent::Status(status.clone()));
        Part { trace: self.trace.clone(), status }
    }

    /// When it started.
    pub fn started(&self) -> Timestamp {
        self.vertex.started.unwrap_or_default()
    }

    /// A function that tells what a command writes.
    pub fn log(&self) -> Rc<dyn Fn(bool, &[u8])> {
        let (trace, vertex) = (self.trace.clone(), self.vertex.id);
        Rc::new(move |_, bytes| {
            trace.tell(BuildEvent::Log { vertex, at: (trace.now)(), bytes: bytes.to_vec() });
        })
    }

    fn finish(mut self, cached: bool, error: Option<String>) {
        self.trace.open.borrow_mut().remove(&self.vertex.id);
        self.vertex.completed = Some((self.trace.now)());
        self.vertex.cached = cached;
        self.vertex.error = error;
        self.trace.tell(BuildEvent::Vertex(self.vertex));
    }

    /// Ends well.
    pub fn done(self) {
        self.finish(false, None);
    }

    /// Ends by the cache.
    pub fn cached(self) {
        self.finish(true, None);
    }

    /// Ends badly.
    pub fn fail(self, error: String) {
        self.finish(false, Some(error));
    }
}

/// A part of a vertex.
pub struct Part {
    trace: Trace,
    status: VertexStatus,
}

impl Part {
    /// Tells how far it is.
    pub fn at(&mut self, current: u64, total: u64) {
        (self.status.current, self.status.total) = (current, total);
        self.status.at = (self.trace.now)();
        self.trace.tell(BuildEvent::Status(self.status.clone()));
    }

    /// Ends.
    pub fn done(mut self) {
        let now = (self.trace.now)();
        self.status.at = now;
        self.status.completed = Some(now);
        self.trace.tell(BuildEvent::Status(self.status));
    }
}
