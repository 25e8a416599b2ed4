//! The daemon's handle and the world behind it.
//!
//! State is borrowed for the length of a statement and never across an await; nothing that may call back (closing files,
//! the network) happens under the borrow of the state.

use crate::base::sort::Arrange;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use regex_lite::Regex;

use super::api::Filters;
use super::api::build::Builder;
use super::api::system::{BuildCachePrune, BuildCacheUsage, EventKind};
use super::container::{Container, ContainerId};
use super::errors::DaemonError;
use super::events::EventLog;
use super::network::{Network, NetworkId};
use super::run::Exec;
use super::volume::VolumeRecord;
use crate::base::digest::{ChainId, Digest, FolderId};
use crate::base::rng::Rng;
use crate::base::time::Timestamp;
use crate::docker::image::store::Store;
use crate::docker::registry::Registry;
use crate::os::kernel::net::BridgeId;
use crate::os::kernel::{Kernel, ProcessSpec};

/// What a daemon is made of.
pub struct DaemonConfig {
    /// The kernel.
    pub kernel: Kernel,
    /// The image store, which the builder shares.
    pub store: Rc<RefCell<Store>>,
    /// The registries.
    pub registry: Registry,
    /// How a process of the host starts: its mounts, network, host name. The daemon's own processes start so.
    pub host: ProcessSpec,
}

/// Everything that changes.
#[derive(Default)]
pub struct State {
    /// Containers.
    pub containers: BTreeMap<ContainerId, Container>,
    /// Execs by id.
    pub execs: BTreeMap<String, Exec>,
    /// Volumes by name.
    pub volumes: BTreeMap<String, VolumeRecord>,
    /// Networks.
    pub networks: BTreeMap<NetworkId, Network>,
    /// The last bridge's number.
    pub next_bridge: BridgeId,
    /// The last port that was chosen for somebody.
    pub next_port: u16,
}

/// The daemon's world.
pub struct World {
    /// The kernel.
    pub kernel: Kernel,
    /// Images and layers.
    pub store: Rc<RefCell<Store>>,
    /// The registries.
    pub registry: Registry,
    /// The host's process template.
    pub host: ProcessSpec,
    /// What changes.
    pub state: RefCell<State>,
    /// Ids and names.
    pub rng: RefCell<Rng>,
    /// What happened.
    pub events: EventLog,
    /// Grows with every change.
    pub revision: Cell<u64>,
    /// The daemon's own id.
    pub daemon_id: String,
    /// What pulls are bringing: names and the tops of the stacks that they put together, by the pull's number.
    pub(super) arriving: RefCell<BTreeMap<u64, (String, Option<ChainId>)>>,
    /// Containers whose files are mounted on the host.
    pub(super) merged: RefCell<BTreeMap<ContainerId, FolderId>>,
    pub(super) builder: RefCell<Option<Builder>>,
    pub(super) cache_usage: RefCell<Option<BuildCacheUsage>>,
    pub(super) cache_prune: RefCell<Option<BuildCachePrune>>,
    /// What `daemon.json` sets.
    pub(super) settings: RefCell<super::settings::Settings>,
    /// Who starts the daemon when it is called.
    pub(super) activate: RefCell<Option<Rc<dyn Fn() -> bool>>>,
}

/// The daemon: a handle, cheap to clone.
#[derive(Clone)]
pub struct Daemon(pub(super) Rc<World>);

impl Daemon {
    /// Starts a daemon.
    pub fn new(config: DaemonConfig) -> Self {
        let mut rng = config.kernel.rng(0x64_6f63_6b65);
        let mut id = [0; 16];
        rng.fill(&mut id);
        let hex = crate::base::digest::hex(&id);
        let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default().to_owned();
        let daemon_id = [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-");
        config.store.borrow_mut().draw_folders(&daemon_id);
        let world = World {
            events: EventLog::default(),
            kernel: config.kernel,
            store: config.store,
            registry: config.registry,
            host: config.host,
            state: RefCell::default(),
            rng: RefCell::new(rng),
            revision: Cell::new(1),
            daemon_id,
            arriving: RefCell::default(),
            merged: RefCell::default(),
            builder: RefCell::default(),
            cache_usage: RefCell::default(),
            cache_prune: RefCell::default(),
            settings: RefCell::default(),
            activate: RefCell::default(),
        };
        world.make_default_networks();
        let world = Rc::new(world);
        super::graph::mount(&world);
        Self(world)
    }

    /// The kernel.
    pub fn kernel(&self) -> &Kernel {
        &self.0.kernel
    }

    /// The image store. Nobody may hold a borrow across an await.
    pub fn store(&self) -> &Rc<RefCell<Store>> {
        &self.0.store
    }

    /// The registries.
    pub fn registry(&self) -> &Registry {
        &self.0.registry
    }

    /// The host's process template.
    pub fn host(&self) -> &ProcessSpec {
        &self.0.host
    }

    /// Installs who builds.
    pub fn set_builder(&self, builder: Builder) {
        *self.0.builder.borrow_mut() = Some(builder);
    }

    /// Installs what tells of the build cache and prunes it.
    pub fn set_build_cache(&self, usage: BuildCacheUsage, prune: BuildCachePrune) {
        *self.0.cache_usage.borrow_mut() = Some(usage);
        *self.0.cache_prune.borrow_mut() = Some(prune);
    }

    /// Tells that something changed that the daemon can't see, such as the store after a build.
    pub fn touch(&self) {
        self.0.changed();
    }
}

impl World {
    /// 32 random bytes.
    pub fn new_id(&self) -> Digest {
        Digest::from_bytes(self.rng.borrow_mut().id())
    }

    /// Notes a change.
    pub fn changed(&self) {
        self.revision.set(self.revision.get() + 1);
    }

    /// Logs an event; it is a change too.
    pub fn emit(&self, kind: EventKind, action: &str, id: String, attributes: &[(&str, String)]) {
        self.changed();
        // What led to the event stands before it.
        self.collect_layer_events();
        let attributes = attributes.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect();
        self.events.push(kind, action.to_owned(), id, attributes, self.kernel.now());
    }

    /// Logs an event of a container, with its image, name and labels.
    pub fn emit_container(&self, id: ContainerId, action: &str, more: &[(&str, String)]) {
        let mut attributes: Vec<(&str, String)> = Vec::new();
        {
            let state = self.state.borrow();
            if let Some(container) = state.containers.get(&id) {
                attributes.push(("image", container.config.image.clone()));
                attributes.push(("name", container.name.clone()));
                let labels: Vec<(String, String)> =
                    container.config.labels.iter().map(|(k, v)| (k.clone(), v.clone())).collect();
                let mut all: BTreeMap<String, String> = labels.into_iter().collect();
                all.extend(attributes.iter().map(|(k, v)| ((*k).to_owned(), v.clone())));
                all.extend(more.iter().map(|(k, v)| ((*k).to_owned(), v.clone())));
                let files = self.take_file_events(container);
                drop(state);
                self.changed();
                self.events.push_all(files);
                self.collect_layer_events();
                self.events.push(EventKind::Container, action.to_owned(), id.to_string(), all, self.kernel.now());
                return;
            }
        }
        attributes.extend(more.iter().cloned());
        self.emit(EventKind::Container, action, id.to_string(), &attributes);
    }

    /// Does something with a container.
    pub fn with<T>(&self, id: ContainerId, with: impl FnOnce(&mut Container) -> T) -> Option<T> {
        self.state.borrow_mut().containers.get_mut(&id).map(with)
    }

    /// The container that is meant.
    pub fn find(&self, name: &str) -> Result<ContainerId, DaemonError> {
        self.state.borrow().resolve(name)
    }
}

impl State {
    /// A container by name, id or the beginning of its id (moby `daemon/container.go` `GetContainer`).
    ///
    /// # Errors
    /// None, or several.
    pub fn resolve(&self, text: &str) -> Result<ContainerId, DaemonError> {
        let missing = || DaemonError::NoSuchContainer(text.to_owned());
        if text.is_empty() {
            return Err(missing());
        }
        let hex = |id: &ContainerId| id.0.hex();
        if let Some(id) = self.containers.keys().find(|id| hex(id) == text) {
            return Ok(*id);
        }
        let bare = text.strip_prefix('/').unwrap_or(text);
        if let Some(container) = self.containers.values().find(|c| c.name == bare) {
            return Ok(container.id);
        }
        let mut found = self.containers.keys().filter(|id| hex(id).starts_with(text));
        match (found.next(), found.next()) {
            (Some(id), None) => Ok(*id),
            (Some(_), Some(_)) => Err(DaemonError::AmbiguousId(text.to_owned())),
            _ => Err(missing()),
        }
    }

    /// The containers, newest first.
    pub fn newest_first(&self) -> Vec<&Container> {
        let mut all: Vec<&Container> = self.containers.values().collect();
        all.arrange_by_key(|container| std::cmp::Reverse((container.created, container.id)));
        all
    }
}

/// The values of a filter that is read as regular expressions (moby `api/types/filters` `Args.Match`).
pub struct Patterns(Option<Vec<(String, Option<Regex>)>>);

impl Patterns {
    /// The values under a key.
    pub fn of(filters: &Filters, key: &str) -> Self {
        Self(filters.get(key).map(|values| values.iter().map(|v| (v.clone(), Regex::new(v).ok())).collect()))
    }

    /// Whether there are none, so that everything passes.
    pub const fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Whether the text is one of the values or is found by one. No values let everything pass.
    pub fn match_text(&self, text: &str) -> bool {
        let Some(values) = &self.0 else { return true };
        values.iter().any(|(value, regex)| value == text || regex.as_ref().is_some_and(|regex| regex.is_match(text)))
    }
}

/// Whether labels match `key` or `key=value`.
pub fn matches_label(labels: &BTreeMap<String, String>, wanted: &str) -> bool {
    match wanted.split_once('=') {
        Some((key, value)) => labels.get(key).is_some_and(|have| have == value),
        None => labels.contains_key(wanted),
    }
}

/// The value of a filter that is true or false (moby `filters.GetBoolOrDefault`).
///
/// # Errors
/// Any other value.
pub fn is_wanted(filters: &Filters, name: &str) -> Result<Option<bool>, DaemonError> {
    match filters.get(name).map(Vec::as_slice) {
        None | Some([]) => Ok(None),
        Some([value]) if matches!(value.as_str(), "1" | "true") => Ok(Some(true)),
        Some([value]) if matches!(value.as_str(), "0" | "false") => Ok(Some(false)),
        Some(values) => Err(DaemonError::BadFilterValue { name: name.to_owned(), value: values.join(" ") }),
    }
}

/// Whether the filters of a prune let it have an object. The client sends `until` as nanoseconds since 1970.
pub fn prunable(filters: &Filters, labels: &BTreeMap<String, String>, created: Timestamp) -> bool {
    let values = |key: &str| filters.get(key).into_iter().flatten();
    values("until").all(|v| v.parse().is_ok_and(|nanos: i64| created.0 < nanos))
        && values("label").all(|v| matches_label(labels, v))
        && !values("label!").any(|v| matches_label(labels, v))
}
