//! `POST /build`: what a client asks of a build and what it is told while the build runs.
//!
//! The trace has the shape of BuildKit's `client.SolveStatus` (vertices, statuses, logs, warnings), the classic
//! builder's output that of moby's JSON stream. Who builds is installed from outside ([`Builder`]); how a trace looks
//! on a terminal is the client's business.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use crate::base::digest::ImageId;
use crate::base::rope::Rope;
use crate::base::time::Timestamp;
use crate::docker::dockerfile::Span;
use crate::docker::dockerfile::lint;
use crate::docker::image::reference::Reference;
use crate::os::fs::layer::Layer;

/// Which builder: `DOCKER_BUILDKIT=0` asks for the classic one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BuilderVersion {
    /// The builder of old: one image an instruction.
    Classic,
    /// BuildKit.
    #[default]
    BuildKit,
}

/// A build context as the client sends it, ignored files left out.
#[derive(Debug, Clone, Default)]
pub struct BuildContext {
    /// The files, paths relative to the context's root.
    pub files: Arc<Layer>,
    /// `.dockerignore`, or the Dockerfile's own ignore file: its name and content.
    pub ignore_file: Option<(String, Rope)>,
    /// The patterns of the ignore file.
    pub ignore_patterns: Vec<String>,
}

/// A context with a name, which stages and copies may ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NamedContext {
    /// A folder's files.
    Files(Arc<Layer>),
    /// `docker-image://…`.
    Image(Reference),
}

/// What becomes of a build's result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Export {
    /// An image in the store.
    #[default]
    Image,
    /// Its files, for a directory of the client.
    Local,
    /// Its files, for an archive of the client.
    Tar,
}

/// What is asked of a build.
#[derive(Debug, Clone, Default)]
pub struct BuildRequest {
    /// Which builder.
    pub version: BuilderVersion,
    /// The files.
    pub context: BuildContext,
    /// The address that BuildKit itself fetches context and Dockerfile from.
    pub remote: Option<String>,
    /// The Dockerfile's text. Classic builds send it in the context, BuildKit on its own.
    pub dockerfile: Rope,
    /// Its name as shown: `Dockerfile`.
    pub dockerfile_name: String,
    /// The client found no Dockerfile; BuildKit finds out when it asks for it.
    pub is_dockerfile_missing: bool,
    /// `--tag`.
    pub tags: Vec<Reference>,
    /// `--build-arg`; without a value the client's own variable counts, which it has looked up.
    pub build_args: BTreeMap<String, String>,
    /// `--label`.
    pub labels: BTreeMap<String, String>,
    /// `--target`.
    pub target: Option<String>,
    /// `--no-cache`.
    pub no_cache: bool,
    /// `--no-cache-filter`: stages whose steps are done anew.
    pub no_cache_filter: Vec<String>,
    /// `--build-context`, by name.
    pub contexts: BTreeMap<String, NamedContext>,
    /// What becomes of the result.
    pub export: Export,
    /// `--cache-from`: images whose layers may stand for steps, as written.
    pub cache_from: Vec<String>,
    /// `--cache-to type=inline`: the image is to tell what made its layers.
    pub inline_cache: bool,
    /// `--pull`.
    pub pull: bool,
    /// `--network`.
    pub network: Option<String>,
    /// `--add-host`: `name:address`.
    pub extra_hosts: Vec<String>,
    /// Names of `--build-arg` whose variable the client does not have.
    pub unset_args: Vec<String>,
    /// `--allow`: entitlements.
    pub allow: Vec<String>,
    /// `--secret`, by id.
    pub secrets: BTreeMap<String, Rope>,
    /// `--ssh`: the ids of agents that are forwarded.
    pub ssh: BTreeSet<String>,
    /// `--check`: the Dockerfile is checked and nothing is built.
    pub check: bool,
    /// `--rm=false` keeps intermediate containers (classic only).
    pub keep_intermediate: bool,
}

/// The number of a vertex: 1 for the first that started.
pub type VertexId = u32;

/// One step of a BuildKit build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vertex {
    /// Its number.
    pub id: VertexId,
    /// `[2/3] RUN make`.
    pub name: String,
    /// When it started.
    pub started: Option<Timestamp>,
    /// When it ended.
    pub completed: Option<Timestamp>,
    /// Whether the cache answered.
    pub cached: bool,
    /// Why it failed.
    pub error: Option<String>,
}

/// A part of a vertex with progress of its own: `transferring context: 2B`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VertexStatus {
    /// The vertex.
    pub vertex: VertexId,
    /// The text, which names it.
    pub id: String,
    /// Bytes done.
    pub current: u64,
    /// All bytes, or 0 when not known.
    pub total: u64,
    /// When it started.
    pub started: Timestamp,
    /// When something was last known of it.
    pub at: Timestamp,
    /// When it ended.
    pub completed: Option<Timestamp>,
}

/// Why the cache could not answer. BuildKit knows and does not tell; the pictures do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MissReason {
    /// Nothing like it was built before.
    New,
    /// The instruction reads otherwise.
    Instruction {
        /// What stood there before.
        before: String,
    },
    /// Files that it copies or mounts changed.
    Files {
        /// Some of them, at most twenty.
        changed: Vec<String>,
    },
    /// A step before it was not cached.
    Parent {
        /// That step, on one line.
        instruction: String,
        /// Where it stands.
        span: Span,
    },
    /// Variables that it sees changed, or its working directory, user or network.
    Environment {
        /// Their names.
        changed: Vec<String>,
    },
    /// The base image is another one.
    Base,
    /// `--no-cache`.
    Refused,
}

impl std::fmt::Display for MissReason {
    /// As `docker build --explain-cache` says it: words of our own, as BuildKit has none.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let some = |names: &[String]| {
            let more = names.len().saturating_sub(3);
            let shown = names.iter().take(3).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            if more > 0 { format!("{shown} and {more} more") } else { shown }
        };
        match self {
            Self::New => f.write_str("nothing like it was built before"),
            Self::Instruction { before } => write!(f, "the instruction changed; it was `{before}`"),
            Self::Files { changed } if changed.is_empty() => f.write_str("files that it copies changed"),
            Self::Files { changed } => write!(f, "{} changed", some(changed)),
            Self::Parent { instruction, span } => {
                write!(f, "it stands on line {}, `{instruction}`, which was not cached", span.start)
            }
            Self::Environment { changed } if changed.is_empty() => f.write_str("what it sees changed"),
            Self::Environment { changed } => write!(f, "{} changed", some(changed)),
            Self::Base => f.write_str("what it stands on is another image"),
            Self::Refused => f.write_str("the cache was not asked (--no-cache)"),
        }
    }
}

/// How many bytes a step's layer has or will have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LayerSize {
    /// The sum of its files.
    Exact(u64),
    /// What the same instruction wrote the last time.
    LastTime(u64),
    /// Only running it would tell.
    Unknown,
}

/// What a build tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BuildEvent {
    /// How many vertices there will be, as far as is known.
    Total(u32),
    /// A vertex is as this says now.
    Vertex(Vertex),
    /// A part of a vertex is as this says now.
    Status(VertexStatus),
    /// What a command wrote.
    Log {
        /// The vertex.
        vertex: VertexId,
        /// When.
        at: Timestamp,
        /// The bytes, not cut at lines.
        bytes: Vec<u8>,
    },
    /// A build check.
    Warning {
        /// The vertex that it is shown under.
        vertex: VertexId,
        /// The rule, what breaks it and where.
        warning: lint::Warning,
    },
    /// Text of the classic builder, on standard output.
    Stream(Vec<u8>),
    /// The same, on standard error.
    ErrorStream(Vec<u8>),
    /// A step was found in the cache, or why it was not (both builders).
    Cache {
        /// The instruction on one line.
        instruction: String,
        /// Where it stands.
        span: Span,
        /// `None` for a hit.
        miss: Option<MissReason>,
    },
    /// What an image that a stage starts from costs.
    Base {
        /// Where the FROM stands.
        span: Span,
        /// Its size, unless it is not known before it is here.
        size_bytes: Option<u64>,
        /// What of it must be downloaded.
        download_bytes: u64,
    },
    /// A step has its layer.
    Layer {
        /// Where the instruction stands.
        span: Span,
        /// Its size.
        size: LayerSize,
        /// How long it took; `None` where only running it would tell.
        took: Option<Duration>,
    },
}

/// Lines of a Dockerfile that an error points at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceExcerpt {
    /// The file's name.
    pub file: String,
    /// Its text.
    pub text: String,
    /// The lines.
    pub span: Span,
}

/// A build that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildFailure {
    /// In the builder's words, without `failed to solve: `.
    pub message: String,
    /// Where in the Dockerfile.
    pub source: Option<SourceExcerpt>,
    /// The client's exit status: 1, or that of the command for the classic builder.
    pub code: i32,
}

/// A build that went well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildOutcome {
    /// The image, if there is one.
    pub image: Option<ImageId>,
    /// The files as a tar, where those were asked for.
    pub files: Option<Rope>,
    /// What the checks stopped at (`--check`), which fails no build.
    pub check_failure: Option<BuildFailure>,
    /// How long it took.
    pub took: Duration,
}

/// Where a build's events go.
pub type BuildSink = Rc<dyn Fn(BuildEvent)>;

/// The end of a build, when it comes.
pub type BuildFuture = Pin<Box<dyn Future<Output = Result<BuildOutcome, BuildFailure>>>>;

/// Who builds: installed in the daemon by the machine.
pub type Builder = Rc<dyn Fn(BuildRequest, BuildSink) -> BuildFuture>;
