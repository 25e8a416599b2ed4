//! `/containers` and `/exec`.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use serde::Serialize;
use serde_json::Value;

use super::Filters;
use super::network::EndpointRequest;
use super::stream::{Frame, Receiver};
use crate::base::time::Timestamp;
use crate::docker::image::config::ContainerConfig;
use crate::os::kernel::process::Handle;

/// `POST /containers/create`.
#[derive(Debug, Clone, Default)]
pub struct CreateRequest {
    /// `--name`; the daemon makes one up when there is none.
    pub name: Option<String>,
    /// What the image's config is overridden with. `image` is the image as the user wrote it.
    pub config: ContainerConfig,
    /// What concerns the host.
    pub host: HostConfig,
    /// The networks to join at start, by name; empty joins that of `host.network_mode`.
    pub networks: BTreeMap<String, EndpointRequest>,
}

/// What a create answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreateResponse {
    /// 64 hexadecimal digits.
    pub id: String,
    /// What the client prints as `WARNING: …`.
    pub warnings: Vec<String>,
}

/// Where a container's port is published.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PortBinding {
    /// The host's address; empty means all.
    #[serde(rename = "HostIp")]
    pub host_ip: String,
    /// The host's port or a range; empty lets the daemon choose.
    pub host_port: String,
}

/// `--restart`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct RestartPolicy {
    /// `no`, `always`, `unless-stopped`, `on-failure`; empty means `no`.
    pub name: String,
    /// For `on-failure`; 0 is without limit.
    pub maximum_retry_count: i64,
}

impl Default for RestartPolicy {
    fn default() -> Self {
        Self { name: "no".to_owned(), maximum_retry_count: 0 }
    }
}

/// The kind of a mount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum MountKind {
    /// A folder or file of the host.
    Bind,
    /// A named or anonymous volume.
    Volume,
    /// Memory.
    Tmpfs,
}

impl MountKind {
    /// As it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bind => "bind",
            Self::Volume => "volume",
            Self::Tmpfs => "tmpfs",
        }
    }
}

/// `--mount`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MountRequest {
    /// What is mounted.
    pub kind: MountKind,
    /// The host's path, or the volume's name (empty: anonymous).
    pub source: String,
    /// Where in the container.
    pub target: String,
    /// Refuses writes.
    pub read_only: bool,
    /// `volume-nocopy`.
    pub no_copy: bool,
    /// `tmpfs-size`, in bytes; 0 is without limit.
    pub tmpfs_size_bytes: u64,
    /// `tmpfs-mode`.
    pub tmpfs_mode: Option<u32>,
}

/// `--ulimit`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Ulimit {
    /// `nofile`, ...
    pub name: String,
    /// What cannot be raised.
    pub hard: i64,
    /// What counts.
    pub soft: i64,
}

/// What a container may use: the flags of `run` that `update` takes too.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resources {
    /// `--memory`, in bytes.
    pub memory_bytes: Option<i64>,
    /// `--memory-swap`, in bytes; -1 is without limit.
    pub memory_swap_bytes: Option<i64>,
    /// `--memory-reservation`, in bytes.
    pub memory_reservation_bytes: Option<i64>,
    /// `--memory-swappiness`.
    pub memory_swappiness: Option<i64>,
    /// `--cpus`, in billionths.
    pub nano_cpus: Option<i64>,
    /// `--cpu-shares`.
    pub cpu_shares: Option<i64>,
    /// `--cpu-period`, in microseconds.
    pub cpu_period: Option<i64>,
    /// `--cpu-quota`, in microseconds.
    pub cpu_quota: Option<i64>,
    /// `--cpuset-cpus`.
    pub cpuset_cpus: Option<String>,
    /// `--cpuset-mems`.
    pub cpuset_mems: Option<String>,
    /// `--blkio-weight`.
    pub blkio_weight: Option<i64>,
    /// `--pids-limit`.
    pub pids_limit: Option<i64>,
    /// `--oom-kill-disable`.
    pub oom_kill_disable: Option<bool>,
    /// `--ulimit`.
    pub ulimits: Vec<Ulimit>,
}

/// What of a container concerns the host.
#[derive(Debug, Clone, Default)]
pub struct HostConfig {
    /// `-v` with a source: `/host:/container:ro`, `volume:/path`. Anonymous volumes are in `config.volumes`.
    pub binds: Vec<String>,
    /// `--mount`.
    pub mounts: Vec<MountRequest>,
    /// `--tmpfs`: options by path.
    pub tmpfs: BTreeMap<String, String>,
    /// `--volumes-from`.
    pub volumes_from: Vec<String>,
    /// `default` or empty, `bridge`, `host`, `none`, `container:NAME`, or a network's name.
    pub network_mode: String,
    /// `-p`: by `80/tcp`.
    pub port_bindings: BTreeMap<String, Vec<PortBinding>>,
    /// `-P`.
    pub publish_all_ports: bool,
    /// `--restart`.
    pub restart_policy: RestartPolicy,
    /// `--rm`.
    pub auto_remove: bool,
    /// `--dns`.
    pub dns: Vec<String>,
    /// `--dns-option`.
    pub dns_options: Vec<String>,
    /// `--dns-search`.
    pub dns_search: Vec<String>,
    /// `--add-host`, as `name:address`.
    pub extra_hosts: Vec<String>,
    /// `--link`.
    pub links: Vec<String>,
    /// What it may use.
    pub resources: Resources,
    /// `--cap-add`, as written.
    pub cap_add: Vec<String>,
    /// `--cap-drop`, as written.
    pub cap_drop: Vec<String>,
    /// `--group-add`.
    pub group_add: Vec<String>,
    /// `--security-opt`.
    pub security_opt: Vec<String>,
    /// `--pid`: `host`, `container:NAME` or empty.
    pub pid_mode: String,
    /// `--ipc`: empty for the daemon's default.
    pub ipc_mode: String,
    /// `--uts`: `host` or empty.
    pub uts_mode: String,
    /// `--oom-score-adj`.
    pub oom_score_adj: i64,
    /// `--log-driver`; empty for the daemon's default.
    pub log_driver: String,
    /// `--log-opt`.
    pub log_options: BTreeMap<String, String>,
    /// `--sysctl`.
    pub sysctls: BTreeMap<String, String>,
    /// `--annotation`.
    pub annotations: BTreeMap<String, String>,
    /// `--device`: path on the host, path in the container, permissions.
    pub devices: Vec<[String; 3]>,
    /// `--gpus`: the driver asked for.
    pub gpu_driver: Option<String>,
    /// `--storage-opt`.
    pub storage_options: Vec<String>,
    /// `--runtime`.
    pub runtime: String,
    /// `--cidfile`.
    pub cid_file: String,
    /// `--privileged`.
    pub privileged: bool,
    /// `--read-only`.
    pub read_only_rootfs: bool,
    /// `--shm-size`, in bytes; 0 is the default.
    pub shm_size_bytes: i64,
    /// `--init`.
    pub init: Option<bool>,
    /// The terminal's height and width at creation.
    pub console_size: [u16; 2],
}

/// `POST /containers/{id}/stop` and `restart`.
#[derive(Debug, Clone, Default)]
pub struct StopOptions {
    /// `--signal`.
    pub signal: Option<String>,
    /// `--timeout`; negative waits for ever.
    pub timeout_seconds: Option<i64>,
}

/// What to wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WaitCondition {
    /// Not running: at once for a container that isn't.
    #[default]
    NotRunning,
    /// The next end, even of a container that has not started.
    NextExit,
    /// Removal.
    Removed,
}

/// How a container ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct WaitResponse {
    /// Its exit code.
    pub status_code: i64,
}

/// A wait that has been registered: nothing that happens from now on is missed.
pub struct Wait {
    pub(in super::super) receiver: Receiver<i64>,
}

impl Wait {
    /// Waits.
    pub async fn ended(&self) -> WaitResponse {
        WaitResponse { status_code: self.receiver.next().await.unwrap_or(0) }
    }
}

/// `DELETE /containers/{id}`.
#[derive(Debug, Clone, Copy, Default)]
pub struct RemoveOptions {
    /// `--force`: a running one is killed.
    pub force: bool,
    /// `--volumes`: anonymous volumes go too.
    pub volumes: bool,
}

/// `GET /containers/json`.
#[derive(Debug, Clone, Default)]
pub struct ListOptions {
    /// Not only the running ones.
    pub all: bool,
    /// The newest so many, running or not; 0 is without limit.
    pub limit: usize,
    /// With sizes.
    pub size: bool,
    /// `id name label exited status ancestor before since volume network publish expose health`.
    pub filters: Filters,
}

/// A port in a list.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Port {
    /// The host's address, of a published port.
    #[serde(rename = "IP", skip_serializing_if = "Option::is_none")]
    pub ip: Option<String>,
    /// The container's port.
    pub private_port: u16,
    /// The host's port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_port: Option<u16>,
    /// `tcp` or `udp`.
    #[serde(rename = "Type")]
    pub protocol: String,
}

/// A mount as lists and inspections show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct MountPoint {
    /// What is mounted.
    #[serde(rename = "Type")]
    pub kind: MountKind,
    /// The volume's name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The host's path.
    pub source: String,
    /// Where in the container.
    pub destination: String,
    /// `local`, for volumes.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub driver: String,
    /// Options as written.
    pub mode: String,
    /// Whether it takes writes.
    #[serde(rename = "RW")]
    pub writable: bool,
    /// How mounts spread.
    pub propagation: String,
}

/// A row of `docker ps`.
#[derive(Debug, Clone)]
pub struct ContainerSummary {
    /// 64 hexadecimal digits.
    pub id: String,
    /// Names with a leading slash; links add further ones.
    pub names: Vec<String>,
    /// The image as the user wrote it, or its id when the name now means another one.
    pub image: String,
    /// `sha256:…`.
    pub image_id: String,
    /// The command line.
    pub command: String,
    /// When it was created.
    pub created: Timestamp,
    /// Exposed and published ports, sorted.
    pub ports: Vec<Port>,
    /// Bytes in the writable layer, when asked for.
    pub size_rw_bytes: Option<u64>,
    /// Bytes of all files, when asked for.
    pub size_root_fs_bytes: Option<u64>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// `running`, `exited`, ...
    pub state: &'static str,
    /// `Up 2 hours`, `Exited (0) 3 seconds ago`, ...
    pub status: String,
    /// The networks' names.
    pub networks: Vec<String>,
    /// Mounts.
    pub mounts: Vec<MountPoint>,
}

/// `GET /containers/{id}/logs`.
#[derive(Debug, Clone, Default)]
pub struct LogsOptions {
    /// Goes on with what comes.
    pub follow: bool,
    /// Standard output.
    pub stdout: bool,
    /// Standard error.
    pub stderr: bool,
    /// Not before.
    pub since: Option<Timestamp>,
    /// Not after.
    pub until: Option<Timestamp>,
    /// Each line with its time.
    pub timestamps: bool,
    /// Only the last so many lines.
    pub tail: Option<usize>,
    /// Extra details (labels and environment named by log options).
    pub details: bool,
}

/// `POST /containers/{id}/attach`.
#[derive(Debug, Clone, Copy, Default)]
pub struct AttachOptions {
    /// Writes go to the container's standard input.
    pub stdin: bool,
    /// Standard output is sent.
    pub stdout: bool,
    /// Standard error is sent.
    pub stderr: bool,
    /// First what was logged so far.
    pub logs: bool,
}

/// An attached connection.
pub struct Attached {
    /// Whether the container has a terminal, so that the client's should be raw.
    pub tty: bool,
    /// Where to write input: `proc.write_handle(&stdin, &bytes)`. Dropping it is the end of the input.
    pub stdin: Option<Handle>,
    /// Output in the order in which it was written; ends with the process.
    pub output: Receiver<Frame>,
}

/// `POST /containers/{id}/exec`.
#[derive(Debug, Clone, Default)]
pub struct ExecConfig {
    /// The command.
    pub cmd: Vec<String>,
    /// With a terminal.
    pub tty: bool,
    /// Standard input is attached.
    pub attach_stdin: bool,
    /// Standard output is attached.
    pub attach_stdout: bool,
    /// Standard error is attached.
    pub attach_stderr: bool,
    /// `--env`.
    pub env: Vec<String>,
    /// `--workdir`.
    pub working_dir: String,
    /// `--user`.
    pub user: String,
    /// `--privileged`.
    pub privileged: bool,
    /// The terminal's height and width.
    pub console_size: [u16; 2],
}

/// `GET /exec/{id}/json`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecInspect {
    /// 64 hexadecimal digits.
    pub id: String,
    /// The container.
    pub container_id: String,
    /// Whether it runs.
    pub running: bool,
    /// Its exit code, once it ended.
    pub exit_code: Option<i64>,
    /// Its number on the host.
    pub pid: u32,
}

/// `GET /containers/{id}/top`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Top {
    /// Column titles of `ps`.
    pub titles: Vec<String>,
    /// One row a process.
    pub processes: Vec<Vec<String>>,
}

/// `GET /containers/{id}/stats?one-shot`.
#[derive(Debug, Clone, PartialEq)]
pub struct Stats {
    /// 64 hexadecimal digits.
    pub id: String,
    /// With a leading slash.
    pub name: String,
    /// Processor time used since the start, in nanoseconds.
    pub cpu_nanos: u64,
    /// Processor time per time since the last reading, in percent of one processor.
    pub cpu_percent: f64,
    /// Memory in use, in bytes.
    pub memory_bytes: u64,
    /// Memory that may be used, in bytes.
    pub memory_limit_bytes: u64,
    /// Processes.
    pub pids: u64,
    /// Bytes received and sent.
    pub network_bytes: [u64; 2],
    /// Bytes read and written.
    pub block_bytes: [u64; 2],
}

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// `C`.
    Modify,
    /// `A`.
    Add,
    /// `D`.
    Delete,
}

/// A row of `docker diff`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilesystemChange {
    /// What became of it.
    pub kind: ChangeKind,
    /// The absolute path.
    pub path: bstr::BString,
}

/// `HEAD /containers/{id}/archive`: what `X-Docker-Container-Path-Stat` tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathStat {
    /// The last name of the path.
    pub name: bstr::BString,
    /// Bytes.
    pub size_bytes: u64,
    /// Type and permissions as `st_mode` has them.
    pub mode: u32,
    /// When it was changed.
    pub mtime: Timestamp,
    /// Where a symbolic link leads, as an absolute path in the container.
    pub link_target: bstr::BString,
}

impl PathStat {
    /// Whether it is a directory.
    pub const fn is_dir(&self) -> bool {
        self.mode & 0o170_000 == 0o040_000
    }

    /// Whether it is a symbolic link.
    pub const fn is_symlink(&self) -> bool {
        self.mode & 0o170_000 == 0o120_000
    }
}

/// `PUT /containers/{id}/archive`.
#[derive(Debug, Clone, Copy, Default)]
pub struct PutArchiveOptions {
    /// A directory may not be replaced by a file, nor the other way round.
    pub no_overwrite_dir_non_dir: bool,
    /// Owners are those of the archive (`cp -a`), else the container's root.
    pub copy_uid_gid: bool,
}

/// `POST /commit`.
#[derive(Debug, Clone, Default)]
pub struct CommitRequest {
    /// The container.
    pub container: String,
    /// `repository[:tag]`; empty leaves the image without a name.
    pub reference: String,
    /// `--message`.
    pub comment: String,
    /// `--author`.
    pub author: String,
    /// `--change`: Dockerfile instructions.
    pub changes: Vec<String>,
    /// The container stands still meanwhile.
    pub pause: bool,
}

/// `POST /containers/{id}/update`; `None` leaves things as they are.
#[derive(Debug, Clone, Default)]
pub struct UpdateRequest {
    /// `--restart`.
    pub restart_policy: Option<RestartPolicy>,
    /// What was given of them.
    pub resources: Resources,
}

/// A container as the client needs it between two calls.
#[derive(Debug, Clone)]
pub struct ContainerBrief {
    /// 64 hexadecimal digits.
    pub id: String,
    /// Without the slash.
    pub name: String,
    /// `created`, `running`, `paused`, `restarting`, `removing`, `exited`, `dead`.
    pub state: &'static str,
    /// Whether it runs (also when paused).
    pub running: bool,
    /// The last exit code.
    pub exit_code: i64,
    /// Whether there is a terminal.
    pub tty: bool,
    /// Whether standard input is open.
    pub open_stdin: bool,
    /// The address in its first network.
    pub address: Option<Ipv4Addr>,
    /// Published ports.
    pub ports: Vec<Port>,
}

/// A JSON document.
pub type Document = Value;

/// What a prune freed: ids and bytes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PruneReport {
    /// What is gone, by id or name (images: the lines of `docker rmi`).
    pub deleted: Vec<String>,
    /// Bytes.
    pub space_reclaimed_bytes: u64,
}
