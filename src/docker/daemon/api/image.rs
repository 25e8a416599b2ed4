//! `/images`.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::Filters;
use crate::base::digest::ImageId;
use crate::base::time::Timestamp;

pub use crate::docker::image::delete::Removal;

/// A message of a long operation (moby `pkg/jsonmessage`, `JSONMessage`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// A line of its own: `Digest: sha256:…`. With an id: `latest: Pulling from library/nginx`.
    Line {
        /// What it is about; empty for none.
        id: String,
        /// The text.
        status: String,
    },
    /// A line that is redrawn in place: `a2abf6c4d29d: Downloading [=>  ] 1MB/3MB`.
    Layer {
        /// The short id that names the line.
        id: String,
        /// `Downloading`.
        status: String,
        /// Bytes done and all bytes, where there is a bar.
        detail: Option<(u64, u64)>,
    },
    /// Output as it is: `Loaded image: nginx:latest`.
    Stream(String),
}

/// Where progress goes.
pub type ProgressSink = Rc<dyn Fn(Progress)>;

/// Who pulls or pushes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Credentials {
    /// The account's name.
    pub username: String,
    /// Its password or token.
    pub password: String,
}

/// `POST /images/create?fromImage=`.
#[derive(Clone, Default)]
pub struct PullOptions {
    /// `--all-tags`.
    pub all_tags: bool,
    /// `--platform`.
    pub platform: Option<String>,
    /// What the client has stored for the registry.
    pub credentials: Option<Credentials>,
}

/// `GET /images/json`.
#[derive(Debug, Clone, Default)]
pub struct ImageListOptions {
    /// Intermediate images too.
    pub all: bool,
    /// `dangling label before since reference until`.
    pub filters: Filters,
}

/// A row of `docker images`, before it is split by tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageSummary {
    /// The image.
    pub id: ImageId,
    /// The image it was made from, or empty.
    pub parent_id: String,
    /// `nginx:latest`, ...
    pub repo_tags: Vec<String>,
    /// `nginx@sha256:…`, ...
    pub repo_digests: Vec<String>,
    /// When it was created.
    pub created: Option<Timestamp>,
    /// The sum of the layers, in bytes.
    pub size_bytes: u64,
    /// Bytes in layers that other images have too; -1 when not asked for.
    pub shared_size_bytes: i64,
    /// Containers; -1 when not asked for.
    pub containers: i64,
    /// Labels.
    pub labels: BTreeMap<String, String>,
}

/// A row of `docker history`, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryItem {
    /// `sha256:…` or `<missing>`.
    pub id: String,
    /// When.
    pub created: Option<Timestamp>,
    /// How.
    pub created_by: String,
    /// The names of the image.
    pub tags: Vec<String>,
    /// Bytes.
    pub size_bytes: u64,
    /// A message.
    pub comment: String,
}

/// A row of `docker search`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchResult {
    /// The repository.
    pub name: String,
    /// What it is.
    pub description: String,
    /// Stars.
    pub star_count: u32,
    /// Whether Docker keeps it.
    pub is_official: bool,
}
