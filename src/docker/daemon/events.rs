//! The event log: append-only, bounded, read with cursors. It feeds `docker events` and the pictures.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};

use super::api::Filters;
use super::api::build::BuildEvent;
use super::api::layers::{LayerEvent, LayerName};
use super::api::stream::{Receiver, Sender, stream};
use super::api::system::{EventKind, EventMessage};
use super::container::Container;
use super::errors::DaemonError;
use super::handle::{Daemon, World, matches_label};
use crate::base::digest::DiffId;
use crate::base::time::Timestamp;
use crate::os::fs::overlay::FsEvent;

/// Events that are kept (moby `daemon/events` keeps 256; the pictures want more).
const MAX_EVENTS: usize = 4096;

/// What happened in a container's files: for teaching, not part of `docker events`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileEvent {
    /// The container's id.
    pub container: String,
    /// What happened.
    pub event: FsEvent,
    /// Of a copy-up or a whiteout, the image's layer that held the file; `None` where the daemon itself had put it.
    pub from: Option<DiffId>,
}

/// A container's writable layer became a layer of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The container's id.
    pub container: String,
    /// The layer.
    pub layer: LayerName,
    /// How many paths it has.
    pub paths: usize,
}

/// An entry of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Logged {
    /// One that `docker events` shows.
    Docker(EventMessage),
    /// One about a file of a container.
    File(FileEvent),
    /// What a build tells of a step: a hit, a miss and why, its layer.
    Build(BuildEvent),
    /// One about a layer.
    Layer(LayerEvent),
    /// A commit.
    Sealed(Sealed),
    /// What a client was refused, and when.
    Refused(DaemonError, Timestamp),
}

#[derive(Default)]
struct Inner {
    entries: VecDeque<Logged>,
    /// The number of the first entry that is kept.
    first: u64,
    followers: Vec<(Option<Timestamp>, Filters, Sender<EventMessage>)>,
}

/// The log.
#[derive(Default)]
pub struct EventLog(RefCell<Inner>);

impl EventLog {
    /// Appends an event.
    pub fn push(
        &self,
        kind: EventKind,
        action: String,
        id: String,
        attributes: BTreeMap<String, String>,
        time: Timestamp,
    ) {
        let event = EventMessage { kind, action, id, attributes, time };
        let mut inner = self.0.borrow_mut();
        inner.followers.retain(|(until, filters, to)| {
            if until.is_some_and(|until| until < event.time) {
                return false;
            }
            if matches(&event, filters) { to.push(event.clone()) } else { to.is_open() }
        });
        append(&mut inner, Logged::Docker(event));
    }

    /// Appends what is for teaching.
    pub fn push_all(&self, entries: impl IntoIterator<Item = Logged>) {
        let mut inner = self.0.borrow_mut();
        for entry in entries {
            append(&mut inner, entry);
        }
    }

    /// Appends what a build tells of its steps; its progress is no event.
    pub fn push_build(&self, event: &BuildEvent) {
        if matches!(event, BuildEvent::Cache { .. } | BuildEvent::Base { .. } | BuildEvent::Layer { .. }) {
            append(&mut self.0.borrow_mut(), Logged::Build(event.clone()));
        }
    }

    /// The entries from `cursor` on, and the cursor after them.
    pub fn since(&self, cursor: u64) -> (Vec<Logged>, u64) {
        let inner = self.0.borrow();
        let skip = usize::try_from(cursor.saturating_sub(inner.first)).unwrap_or(usize::MAX);
        let out: Vec<Logged> = inner.entries.iter().skip(skip).cloned().collect();
        (out, inner.first + inner.entries.len() as u64)
    }
}

fn append(inner: &mut Inner, entry: Logged) {
    if inner.entries.len() >= MAX_EVENTS {
        inner.entries.pop_front();
        inner.first += 1;
    }
    inner.entries.push_back(entry);
}

fn matches(event: &EventMessage, filters: &Filters) -> bool {
    let name = event.attributes.get("name").map_or("", String::as_str);
    let of = |kind: EventKind, value: &str| {
        event.kind == kind && (event.id.starts_with(value) || name == value)
            || (kind == EventKind::Image
                && event.attributes.get("image").is_some_and(|i| i == value || i.split(':').next() == Some(value)))
    };
    filters.iter().all(|(key, values)| {
        let any = |test: &dyn Fn(&str) -> bool| values.iter().any(|value| test(value));
        match key.as_str() {
            "type" => any(&|v| event.kind.name() == v),
            "event" => any(&|v| event.action == v || event.action.split(':').next() == Some(v)),
            "container" => any(&|v| of(EventKind::Container, v)),
            "image" => any(&|v| of(EventKind::Image, v)),
            "volume" => any(&|v| of(EventKind::Volume, v)),
            "network" => any(&|v| of(EventKind::Network, v)),
            "label" => values.iter().all(|v| matches_label(&event.attributes, v)),
            _ => true,
        }
    })
}

impl Daemon {
    /// `GET /events`: past ones since `since`, then, unless `until` is past, those that come.
    ///
    /// # Errors
    /// An unknown filter.
    pub fn events(
        &self,
        since: Option<Timestamp>,
        until: Option<Timestamp>,
        filters: &Filters,
    ) -> Result<Receiver<EventMessage>, DaemonError> {
        const KNOWN: [&str; 12] = [
            "config",
            "container",
            "daemon",
            "event",
            "image",
            "label",
            "network",
            "node",
            "plugin",
            "scope",
            "type",
            "volume",
        ];
        if let Some(name) = filters.keys().find(|name| !KNOWN.contains(&name.as_str())) {
            return Err(DaemonError::BadFilter(name.clone()));
        }
        let (to, from) = stream(&self.0.kernel);
        let mut inner = self.0.events.0.borrow_mut();
        if since.is_some() || until.is_some() {
            for entry in &inner.entries {
                let Logged::Docker(event) = entry else { continue };
                let in_time = since.is_none_or(|s| event.time >= s) && until.is_none_or(|u| event.time <= u);
                if in_time && matches(event, filters) {
                    to.push(event.clone());
                }
            }
        }
        if until.is_none_or(|until| until > self.0.kernel.now()) {
            inner.followers.push((until, filters.clone(), to));
        }
        Ok(from)
    }

    /// Notes what a client was refused, for those who explain it.
    pub fn note_refusals(&self, errors: &[DaemonError]) {
        let now = self.0.kernel.now();
        for error in errors {
            append(&mut self.0.events.0.borrow_mut(), Logged::Refused(error.clone(), now));
        }
        if !errors.is_empty() {
            self.0.changed();
        }
    }

    /// The name of the container with this id.
    pub fn container_name(&self, id: &str) -> Option<String> {
        let state = self.0.state.borrow();
        let id = state.resolve(id).ok()?;
        state.containers.get(&id).map(|container| container.name.clone())
    }

    /// Everything that happened from `cursor` on, files included, and the next cursor: for pictures and checks.
    pub fn log_since(&self, cursor: u64) -> (Vec<Logged>, u64) {
        self.0.collect_file_events();
        self.0.events.since(cursor)
    }
}

impl World {
    /// Moves what happened in containers' files and to layers into the log.
    pub fn collect_file_events(&self) {
        let drained: Vec<Logged> = {
            let state = self.state.borrow();
            state.containers.values().flat_map(|container| self.take_file_events(container)).collect()
        };
        if !drained.is_empty() {
            self.changed();
        }
        self.events.push_all(drained);
        self.collect_layer_events();
    }

    /// What happened in a container's files since the last call.
    pub(super) fn take_file_events(&self, container: &Container) -> Vec<Logged> {
        // An event may be told while somebody is at the store or the files: then the next look takes them.
        let (Ok(store), Ok(mut root)) = (self.store.try_borrow(), container.root.try_borrow_mut()) else {
            return Vec::new();
        };
        let events = root.take_events();
        if events.is_empty() {
            return Vec::new();
        }
        let stack: Vec<DiffId> = store.stack(container.chain).iter().map(|layer| layer.diff_id).collect();
        let lower = root.lower();
        let logged = |event: FsEvent| {
            let from = match &event {
                FsEvent::CopiedUp { from, .. } => Some(*from),
                FsEvent::WhitedOut(path) | FsEvent::MadeOpaque(path) => lower.get(path).map(|node| node.layer),
                FsEvent::Created(_) => None,
            };
            let from = from.and_then(|from| stack.get(usize::from(from)).copied());
            Logged::File(FileEvent { container: container.id.to_string(), event, from })
        };
        events.into_iter().map(logged).collect()
    }

    /// Moves what happened to layers into the log, unless somebody is at the store: then the next one does.
    pub(super) fn collect_layer_events(&self) {
        let Ok(mut store) = self.store.try_borrow_mut() else { return };
        let events = store.take_events();
        drop(store);
        if !events.is_empty() {
            self.changed();
            self.events.push_all(events.into_iter().map(Logged::Layer));
        }
    }
}
