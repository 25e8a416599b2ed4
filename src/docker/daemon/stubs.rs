//! Routes that are declared and not served yet: each says so and fails.
#![expect(unused_variables, reason = "the bodies come next")]

use super::api::image::{Credentials, ProgressSink, PullOptions, SearchResult};
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
}
