//! Routes that are declared and not served yet: each says so and fails.
#![expect(unused_variables, reason = "the bodies come next")]

use super::api::build::{BuildFuture, BuildRequest, BuildSink};
use super::api::container::*;
use super::api::image::*;
use super::api::system::*;
use super::errors::DaemonError;
use super::handle::Daemon;
use crate::base::digest::ImageId;
use crate::base::rope::Rope;

type Answer<T> = Result<T, DaemonError>;

const fn not_yet<T>() -> Answer<T> {
    Err(DaemonError::NotSimulated("this request"))
}

impl Daemon {
    // Containers. A container is named by its name, its id or the beginning of its id.

    /// `GET /containers/{id}/changes`.
    pub fn container_changes(&self, name: &str) -> Answer<Vec<FilesystemChange>> {
        not_yet()
    }
    /// `HEAD /containers/{id}/archive`.
    pub fn archive_stat(&self, name: &str, path: &[u8]) -> Answer<PathStat> {
        not_yet()
    }
    /// `GET /containers/{id}/archive`: a tar whose top entry is the last name of `path`.
    pub fn archive_get(&self, name: &str, path: &[u8]) -> Answer<(Rope, PathStat)> {
        not_yet()
    }
    /// `PUT /containers/{id}/archive`: unpacks a tar in the directory `path`.
    pub fn archive_put(&self, name: &str, path: &[u8], tar: &Rope, options: PutArchiveOptions) -> Answer<()> {
        not_yet()
    }
    /// `GET /containers/{id}/export`.
    pub fn container_export(&self, name: &str) -> Answer<Rope> {
        not_yet()
    }
    /// `POST /commit`.
    pub fn commit(&self, request: CommitRequest) -> Answer<ImageId> {
        not_yet()
    }

    // Images.

    /// `POST /images/{name}/push`.
    pub async fn image_push(&self, reference: &str, options: PullOptions, sink: ProgressSink) -> Answer<()> {
        not_yet()
    }
    /// `GET /images/get`: a docker-archive that is also an OCI layout.
    pub fn image_save(&self, names: &[String]) -> Answer<Rope> {
        not_yet()
    }
    /// `POST /images/load`.
    pub async fn image_load(&self, archive: &Rope, sink: ProgressSink) -> Answer<()> {
        not_yet()
    }
    /// `POST /images/create?fromSrc=`.
    pub fn image_import(&self, archive: &Rope, reference: &str, message: &str, changes: &[String]) -> Answer<ImageId> {
        not_yet()
    }
    /// `GET /images/search`.
    pub async fn image_search(&self, term: &str, limit: usize) -> Answer<Vec<SearchResult>> {
        not_yet()
    }
    /// `POST /auth`.
    pub async fn auth(&self, server: &str, credentials: &Credentials) -> Answer<String> {
        not_yet()
    }

    // Volumes.

    // Networks.

    // The daemon itself.

    /// `GET /info`.
    pub fn info(&self) -> Document {
        Document::Null
    }
    /// `GET /version`.
    pub fn version(&self) -> Answer<Version> {
        not_yet()
    }
    /// `GET /system/df`.
    pub fn disk_usage(&self) -> Answer<DiskUsage> {
        not_yet()
    }
    /// `POST /build`.
    pub fn build(&self, request: BuildRequest, sink: BuildSink) -> Answer<BuildFuture> {
        not_yet()
    }
    /// `POST /build/prune`.
    pub fn builder_prune(&self, all: bool) -> Answer<PruneReport> {
        not_yet()
    }
}
