//! Routes that are declared and not served yet: each says so and fails.
#![expect(unused_variables, reason = "the bodies come next")]

use super::api::Filters;
use super::api::build::{BuildFuture, BuildRequest, BuildSink, Builder};
use super::api::container::*;
use super::api::image::*;
use super::api::network::*;
use super::api::stream::*;
use super::api::system::*;
use super::api::volume::*;
use super::errors::DaemonError;
use super::handle::Daemon;
use crate::base::digest::ImageId;
use crate::base::rope::Rope;
use crate::base::time::Timestamp;

type Answer<T> = Result<T, DaemonError>;

const fn not_yet<T>() -> Answer<T> {
    Err(DaemonError::NotSimulated("this request"))
}

impl Daemon {
    // Containers. A container is named by its name, its id or the beginning of its id.

    /// `POST /containers/create`.
    pub fn container_create(&self, request: CreateRequest) -> Answer<CreateResponse> {
        not_yet()
    }
    /// `POST /containers/{id}/start`. Starting a running one changes nothing.
    pub async fn container_start(&self, name: &str) -> Answer<()> {
        not_yet()
    }
    /// `POST /containers/{id}/stop`: the stop signal, a grace, SIGKILL. Goes on when the client goes away.
    pub async fn container_stop(&self, name: &str, options: StopOptions) -> Answer<()> {
        not_yet()
    }
    /// `POST /containers/{id}/restart`.
    pub async fn container_restart(&self, name: &str, options: StopOptions) -> Answer<()> {
        not_yet()
    }
    /// `POST /containers/{id}/kill`.
    pub async fn container_kill(&self, name: &str, signal: &str) -> Answer<()> {
        not_yet()
    }
    /// `POST /containers/{id}/pause`.
    pub fn container_pause(&self, name: &str) -> Answer<()> {
        not_yet()
    }
    /// `POST /containers/{id}/unpause`.
    pub fn container_unpause(&self, name: &str) -> Answer<()> {
        not_yet()
    }
    /// `POST /containers/{id}/wait`: register before what shall be waited for is caused.
    pub fn container_wait(&self, name: &str, condition: WaitCondition) -> Answer<Wait> {
        not_yet()
    }
    /// `POST /containers/{id}/rename`.
    pub fn container_rename(&self, name: &str, new_name: &str) -> Answer<()> {
        not_yet()
    }
    /// `DELETE /containers/{id}`.
    pub async fn container_remove(&self, name: &str, options: RemoveOptions) -> Answer<()> {
        not_yet()
    }
    /// `POST /containers/prune`.
    pub fn container_prune(&self, filters: &Filters) -> Answer<PruneReport> {
        not_yet()
    }
    /// `POST /containers/{id}/update`; warnings.
    pub fn container_update(&self, name: &str, request: UpdateRequest) -> Answer<Vec<String>> {
        not_yet()
    }
    /// `POST /containers/{id}/resize`.
    pub fn container_resize(&self, name: &str, height: u16, width: u16) -> Answer<()> {
        not_yet()
    }
    /// `GET /containers/{id}/json`.
    pub fn container_inspect(&self, name: &str, size: bool) -> Answer<Document> {
        not_yet()
    }
    /// What the client needs of an inspection, typed.
    pub fn container_brief(&self, name: &str) -> Answer<ContainerBrief> {
        not_yet()
    }
    /// `GET /containers/json`, newest first.
    pub fn container_list(&self, options: &ListOptions) -> Answer<Vec<ContainerSummary>> {
        not_yet()
    }
    /// `GET /containers/{id}/logs`: frames hold whole lines, with their times when asked for.
    pub fn container_logs(&self, name: &str, options: &LogsOptions) -> Answer<Receiver<Frame>> {
        not_yet()
    }
    /// `POST /containers/{id}/attach`, before or after the start.
    pub fn container_attach(&self, name: &str, options: AttachOptions) -> Answer<Attached> {
        not_yet()
    }
    /// `POST /containers/{id}/exec`: the id of the exec.
    pub fn exec_create(&self, name: &str, config: ExecConfig) -> Answer<String> {
        not_yet()
    }
    /// `POST /exec/{id}/start`; attached unless `detach`.
    pub fn exec_start(&self, id: &str, detach: bool) -> Answer<Option<Attached>> {
        not_yet()
    }
    /// `GET /exec/{id}/json`.
    pub fn exec_inspect(&self, id: &str) -> Answer<ExecInspect> {
        not_yet()
    }
    /// `POST /exec/{id}/resize`.
    pub fn exec_resize(&self, id: &str, height: u16, width: u16) -> Answer<()> {
        not_yet()
    }
    /// `GET /containers/{id}/top`.
    pub fn container_top(&self, name: &str, ps_args: &[String]) -> Answer<Top> {
        not_yet()
    }
    /// `GET /containers/{id}/stats`.
    pub fn container_stats(&self, name: &str) -> Answer<Stats> {
        not_yet()
    }
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

    /// `GET /images/json`, newest first.
    pub fn image_list(&self, options: &ImageListOptions) -> Answer<Vec<ImageSummary>> {
        not_yet()
    }
    /// `GET /images/{name}/json`.
    pub fn image_inspect(&self, name: &str) -> Answer<Document> {
        not_yet()
    }
    /// `GET /images/{name}/history`, newest first.
    pub fn image_history(&self, name: &str) -> Answer<Vec<HistoryItem>> {
        not_yet()
    }
    /// `POST /images/{name}/tag`.
    pub fn image_tag(&self, name: &str, target: &str) -> Answer<()> {
        not_yet()
    }
    /// `DELETE /images/{name}`: what went; each prints as the line of `docker rmi`.
    pub fn image_remove(&self, name: &str, force: bool, prune_parents: bool) -> Answer<Vec<Removal>> {
        not_yet()
    }
    /// `POST /images/prune`.
    pub fn image_prune(&self, filters: &Filters) -> Answer<PruneReport> {
        not_yet()
    }
    /// `POST /images/create?fromImage=`. Dropping the future stops the pull.
    pub async fn image_pull(&self, reference: &str, options: PullOptions, sink: ProgressSink) -> Answer<()> {
        not_yet()
    }
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

    /// `POST /volumes/create`; one that is there is answered as it is.
    pub fn volume_create(&self, request: VolumeCreate) -> Answer<Volume> {
        not_yet()
    }
    /// `GET /volumes`, by name.
    pub fn volume_list(&self, filters: &Filters) -> Answer<Vec<Volume>> {
        not_yet()
    }
    /// `GET /volumes/{name}`.
    pub fn volume_inspect(&self, name: &str) -> Answer<Volume> {
        not_yet()
    }
    /// `DELETE /volumes/{name}`.
    pub fn volume_remove(&self, name: &str, force: bool) -> Answer<()> {
        not_yet()
    }
    /// `POST /volumes/prune`.
    pub fn volume_prune(&self, filters: &Filters) -> Answer<PruneReport> {
        not_yet()
    }

    // Networks.

    /// `POST /networks/create`: the id.
    pub fn network_create(&self, request: NetworkCreate) -> Answer<String> {
        not_yet()
    }
    /// `GET /networks`.
    pub fn network_list(&self, filters: &Filters) -> Answer<Vec<NetworkSummary>> {
        not_yet()
    }
    /// `GET /networks/{id}`.
    pub fn network_inspect(&self, name: &str) -> Answer<Document> {
        not_yet()
    }
    /// `POST /networks/{id}/connect`.
    pub fn network_connect(&self, network: &str, container: &str, endpoint: EndpointRequest) -> Answer<()> {
        not_yet()
    }
    /// `POST /networks/{id}/disconnect`.
    pub fn network_disconnect(&self, network: &str, container: &str, force: bool) -> Answer<()> {
        not_yet()
    }
    /// `DELETE /networks/{id}`: the name.
    pub fn network_remove(&self, name: &str) -> Answer<String> {
        not_yet()
    }
    /// `POST /networks/prune`.
    pub fn network_prune(&self, filters: &Filters) -> Answer<PruneReport> {
        not_yet()
    }

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
    /// `GET /events`: past ones since `since`, then, unless `until` is past, those that come.
    pub fn events(
        &self,
        since: Option<Timestamp>,
        until: Option<Timestamp>,
        filters: &Filters,
    ) -> Answer<Receiver<EventMessage>> {
        not_yet()
    }
    /// `POST /build`.
    pub fn build(&self, request: BuildRequest, sink: BuildSink) -> Answer<BuildFuture> {
        not_yet()
    }
    /// Installs who builds.
    pub fn set_builder(&self, builder: Builder) {}
    /// `POST /build/prune`.
    pub fn builder_prune(&self, all: bool) -> Answer<PruneReport> {
        not_yet()
    }
}
