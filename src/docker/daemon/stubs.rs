//! Routes that are declared and not served yet: each says so and fails.
#![expect(unused_variables, reason = "the bodies come next")]

use super::api::image::{Credentials, ProgressSink, PullOptions, SearchResult};
use super::errors::DaemonError;
use super::handle::Daemon;

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
