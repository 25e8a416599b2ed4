//! `/info`, `/version`, `/events`, `/system/df`.

use std::collections::BTreeMap;

use serde::Serialize;

use super::container::ContainerSummary;
use super::image::ImageSummary;
use super::volume::Volume;
use crate::base::time::Timestamp;

/// `GET /version`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Version {
    /// `Docker Engine - Community`.
    #[serde(skip)]
    pub platform: String,
    /// The components: name, version, details in order.
    #[serde(skip)]
    pub components: Vec<(String, String, Vec<(String, String)>)>,
    /// The daemon's version.
    pub version: String,
    /// The API's version.
    pub api_version: String,
    /// The oldest that is spoken.
    #[serde(rename = "MinAPIVersion")]
    pub min_api_version: String,
    /// The commit.
    pub git_commit: String,
    /// The compiler.
    pub go_version: String,
    /// `linux`.
    pub os: String,
    /// `amd64`.
    pub arch: String,
    /// The kernel.
    pub kernel_version: String,
    /// When it was built.
    pub build_time: String,
}

/// What kind of thing an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EventKind {
    /// `container`.
    Container,
    /// `image`.
    Image,
    /// `volume`.
    Volume,
    /// `network`.
    Network,
    /// `builder`.
    Builder,
    /// `daemon`.
    Daemon,
}

impl EventKind {
    /// The API's word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Container => "container",
            Self::Image => "image",
            Self::Volume => "volume",
            Self::Network => "network",
            Self::Builder => "builder",
            Self::Daemon => "daemon",
        }
    }
}

/// `GET /events`: one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventMessage {
    /// What it is about.
    pub kind: EventKind,
    /// `create`, `start`, `die`, ...
    pub action: String,
    /// The actor's id.
    pub id: String,
    /// What is known of the actor.
    pub attributes: BTreeMap<String, String>,
    /// When.
    pub time: Timestamp,
}

/// A record of the build cache, as `system df` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildCacheRecord {
    /// Its id.
    pub id: String,
    /// `regular`, `source.local`, ...
    pub kind: String,
    /// What made it.
    pub description: String,
    /// Bytes.
    pub size_bytes: u64,
    /// When it was made.
    pub created: Timestamp,
    /// When it was last used.
    pub last_used: Timestamp,
    /// How often.
    pub usage_count: u32,
    /// Whether a build uses it now.
    pub in_use: bool,
    /// Whether an image has the same layer.
    pub shared: bool,
}

/// `GET /system/df`.
#[derive(Debug, Clone, Default)]
pub struct DiskUsage {
    /// Bytes of all layers, each counted once.
    pub layers_size_bytes: u64,
    /// Images, with shared sizes and containers.
    pub images: Vec<ImageSummary>,
    /// Containers, with sizes.
    pub containers: Vec<ContainerSummary>,
    /// Volumes.
    pub volumes: Vec<Volume>,
    /// The build cache.
    pub build_cache: Vec<BuildCacheRecord>,
}

/// What the build cache tells about itself; installed by the machine, as the cache is the builder's.
pub type BuildCacheUsage = std::rc::Rc<dyn Fn() -> Vec<BuildCacheRecord>>;
/// Prunes the build cache: whether all of it, and what was not used since when; what went and how many bytes.
pub type BuildCachePrune = std::rc::Rc<dyn Fn(bool, Option<Timestamp>) -> super::container::PruneReport>;
