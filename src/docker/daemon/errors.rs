//! What the daemon refuses, in Docker's words.
//!
//! `Display` is what follows `Error response from daemon: `. The class, which gives the HTTP status, and what a start
//! failed of, which gives the client's exit status, come from the variant, never from the text.

use crate::base::digest::{Digest, DigestError};
use crate::docker::image::config::ConfigError;
use crate::docker::image::delete::DeleteError;
use crate::docker::image::reference::ReferenceError;
use crate::docker::image::store::StoreError;
use crate::os::fs::packed::PackedError;
use crate::os::fs::tar::TarError;

/// The kind of an error (moby `errdefs/defs.go`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// 400.
    InvalidParameter,
    /// 403.
    Forbidden,
    /// 404.
    NotFound,
    /// 409.
    Conflict,
    /// 500.
    System,
    /// 501.
    NotImplemented,
}

/// Why a container's process did not start (runc, as containerd and dockerd pass it on).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuntimeError {
    /// A name that is nowhere in `$PATH` (Go `exec.ErrNotFound`).
    #[error("exec: \"{0}\": executable file not found in $PATH")]
    NotInPath(String),
    /// A path that is not there.
    #[error("exec: \"{0}\": stat {0}: no such file or directory")]
    NoSuchFile(String),
    /// A directory (Go `exec.findExecutable`).
    #[error("exec: \"{0}\": is a directory: permission denied")]
    IsDirectory(String),
    /// No execute bit.
    #[error("exec: \"{0}\": permission denied")]
    NotExecutable(String),
    /// A user that the container's `/etc/passwd` does not have (runc libcontainer `user`).
    #[error("unable to find user {0}: no matching entries in passwd file")]
    NoUser(String),
    /// A group that the container's `/etc/group` does not have.
    #[error("unable to find group {0}: no matching entries in group file")]
    NoGroup(String),
    /// A number that no user or group may have (moby/sys `user.ErrRange`).
    #[error("uids and gids must be in range 0-2147483647")]
    IdRange,
    /// The working directory is a file.
    #[error("mkdir {0}: not a directory")]
    WorkingDirNotDirectory(String),
    /// A relative working directory for `exec`.
    #[error("Cwd must be an absolute path")]
    CwdNotAbsolute,
    /// A working directory that `exec` does not find (runc `libcontainer/init_linux.go`).
    #[error("chdir to cwd (\"{0}\") set in config.json failed: no such file or directory")]
    NoCwd(String),
    /// A file cannot be mounted on a directory, or the other way round.
    #[error(
        "error mounting \"{source_path}\" to rootfs at \"{target}\": mount {source_path}:{target} (via /proc/self/fd/6), flags: 0x5000: not a directory: Are you trying to mount a directory onto a file (or vice-versa)? Check if the specified host path exists and is the expected type"
    )]
    MountKind {
        /// The host's path.
        source_path: String,
        /// The container's.
        target: String,
    },
    /// A mount over a part of `/proc` (runc `libcontainer/rootfs_linux.go` `checkProcMount`).
    #[error(
        "error mounting \"{source_path}\" to rootfs at \"{target}\": create mountpoint for {target} mount: check proc-safety of {target} mount: \"{root}{target}\" cannot be mounted because it is inside /proc"
    )]
    InsideProc {
        /// The host's path.
        source_path: String,
        /// The container's.
        target: String,
        /// Where the container's files are on the host.
        root: String,
    },
    /// A program that Capas has as a file only.
    #[error("exec: \"{0}\": this program is not simulated in Capas")]
    NotSimulated(String),
    /// The machine is full.
    #[error("fork/exec /proc/self/exe: {0}")]
    Spawn(crate::base::errno::Errno),
}

impl RuntimeError {
    /// What the client exits with (docker/cli `runStartContainerErr`): 127 not found, 126 not executable, else 125.
    pub const fn exit_status(&self) -> i32 {
        match self {
            Self::NotInPath(_) | Self::NoSuchFile(_) | Self::NoCwd(_) => 127,
            Self::IsDirectory(_) | Self::NotExecutable(_) | Self::NotSimulated(_) => 126,
            Self::MountKind { .. }
            | Self::NoUser(_)
            | Self::NoGroup(_)
            | Self::IdRange
            | Self::WorkingDirNotDirectory(_)
            | Self::CwdNotAbsolute
            | Self::InsideProc { .. }
            | Self::Spawn(_) => 125,
        }
    }
}

/// Why an archive is no image (moby `image/tarexport/load.go`).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// Its tar is damaged.
    #[error("{0}")]
    Tar(TarError),
    /// It is compressed, and damaged.
    #[error("{0}")]
    Packed(PackedError),
    /// A file that is not in it, as Go tells it.
    #[error("open /var/lib/docker/tmp/docker-import-{number}/{path}: no such file or directory")]
    Missing {
        /// The folder's number.
        number: u64,
        /// The file.
        path: String,
    },
    /// Go `encoding/json` `SyntaxError`.
    #[error("invalid character '{0}' looking for beginning of value")]
    Json(char),
    /// A document of another shape.
    #[error("json: cannot unmarshal manifest: it has another shape than an image's")]
    Shape,
    /// `Load`.
    #[error("invalid manifest, manifest cannot be null (but can be [])")]
    NullManifest,
    /// The config is none.
    #[error("{0}")]
    Config(ConfigError),
    /// `Load`, for an image of Windows.
    #[error("cannot load {0} image on linux")]
    Os(String),
    /// `Load`.
    #[error("invalid manifest, layers length mismatch: expected {expected}, got {actual}")]
    LayerCount {
        /// How many the manifest tells.
        expected: usize,
        /// How many the config tells.
        actual: usize,
    },
    /// `Load`.
    #[error("invalid tag {0:?}")]
    Tag(String),
    /// `legacyLoad`.
    #[error("invalid target ID: {0}")]
    Target(String),
    /// A descriptor's digest.
    #[error("{0}")]
    BadDigest(DigestError),
    /// A blob that is not what its name says (containerd `content/local/writer.go`).
    #[error("unexpected commit digest {got}, expected {expected}: failed precondition")]
    Digest {
        /// What the descriptor tells.
        expected: Digest,
        /// What the bytes are.
        got: Digest,
    },
}

/// Why an address can't be had (moby `api/types/network/endpoint.go`, `runconfig/errors.go`).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointProblem {
    /// In a network that came with the daemon.
    #[error("user specified IP address is supported on user defined networks only")]
    OnDefault,
    /// It is none.
    #[error("invalid IPv4 address: {0}")]
    NoAddress(String),
    /// It is in another network.
    #[error("no configured subnet or ip-range contain the IP address {0}")]
    Outside(String),
    /// Nobody chose the network's addresses.
    #[error("user specified IP address is supported only when connecting to networks with user configured subnets")]
    NoSubnet,
}

/// An error of the daemon.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DaemonError {
    /// moby/sys `mount/flags_linux.go` `MergeTmpfsOptions`, which prints the option split at its `=`.
    #[error("invalid tmpfs option [{}]", .0.splitn(2, '=').map(|part| format!("{part:?}")).collect::<Vec<_>>().join(" "))]
    TmpfsOption(String),
    /// moby `container/view.go` `ErrNotFound`, `daemon/container.go`.
    #[error("No such container: {0}")]
    NoSuchContainer(String),
    /// moby `daemon/container.go` `containerNotFound` for a prefix of several ids.
    #[error("multiple IDs found with provided prefix: {0}")]
    AmbiguousId(String),
    /// moby `daemon/images/image.go` `ErrImageDoesNotExist`.
    #[error("No such image: {0}")]
    NoSuchImage(String),
    /// moby `daemon/exec.go` `errExecNotFound`.
    #[error("No such exec instance: {0}")]
    NoSuchExec(String),
    /// moby `daemon/create_unix.go`: the image has a file where it wants a volume.
    #[error("cannot mount volume over existing file, file exists {0}")]
    VolumeOverFile(String),
    /// moby `volume/service/errors.go`.
    #[error("get {0}: no such volume")]
    NoSuchVolume(String),
    /// moby `volume/service/errors.go` `volumeInUse`.
    #[error("remove {name}: volume is in use - [{containers}]")]
    VolumeInUse {
        /// The volume.
        name: String,
        /// Full ids.
        containers: String,
    },
    /// moby `volume/local/local.go` `validateName`.
    #[error(
        "create {0}: \"{0}\" includes invalid characters for a local volume name, only \"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed. If you intended to pass a host directory, use absolute path"
    )]
    BadVolumeName(String),
    /// moby `volume/local/local.go` `validateName`.
    #[error("create {0}: volume name is too short, names should be at least two alphanumeric characters")]
    VolumeNameTooShort(String),
    /// moby `volume/drivers/extpoint.go`.
    #[error("error looking up volume plugin {0}: plugin \"{0}\" not found")]
    NoVolumeDriver(String),
    /// libnetwork `error.go` `ErrNoSuchNetwork`.
    #[error("network {0} not found")]
    NoSuchNetwork(String),
    /// libnetwork `error.go` `NetworkNameError`.
    #[error("network with name {0} already exists")]
    NetworkExists(String),
    /// libnetwork `error.go` `ActiveEndpointsError`.
    #[error("error while removing network: network {name} has active endpoints (name:\"{endpoints}\")")]
    NetworkInUse {
        /// The network.
        name: String,
        /// Endpoints' names.
        endpoints: String,
    },
    /// moby `daemon/network.go` `deleteNetwork`.
    #[error("{0} is a pre-defined network and cannot be removed")]
    PredefinedNetwork(String),
    /// moby `daemon/network.go` `createNetwork`.
    #[error("operation is not permitted on predefined {0} network ")]
    PredefinedNetworkCreate(String),
    /// libnetwork `ipamutils`, a pool that overlaps.
    #[error("invalid pool request: Pool overlaps with other one on this address space")]
    PoolOverlaps,
    /// All local pools are used up.
    #[error("all predefined address pools have been fully subnetted")]
    NoPool,
    /// A subnet that can't be read.
    #[error("invalid CIDR address: {0}")]
    BadSubnet(String),
    /// libnetwork `controller.go`.
    #[error("could not resolve driver \"{0}\": plugin \"{0}\" not found")]
    NoNetworkDriver(String),
    /// moby `daemon/container_operations.go`.
    #[error("endpoint with name {endpoint} already exists in network {network}")]
    EndpointExists {
        /// The container's name.
        endpoint: String,
        /// The network's.
        network: String,
    },
    /// moby `daemon/container_operations.go` `ForceEndpointDelete`.
    #[error("container {container} is not connected to network {network}")]
    NotConnected {
        /// The container's id.
        container: String,
        /// The network's name.
        network: String,
    },
    /// moby `daemon/container_operations.go` `ErrConflictHostNetwork` family.
    #[error("container cannot be connected to host network or disconnected from host network")]
    HostNetwork,
    /// moby `runconfig/errors.go` `ErrConflictNoNetwork`.
    #[error("container cannot be connected to multiple networks with one of the networks in private (none) mode")]
    NoneNetwork,
    /// An address that is taken or outside.
    #[error("Address already in use")]
    AddressInUse,
    /// moby `daemon/container_operations.go` `validateEndpointSettings`.
    #[error("invalid endpoint settings:\n{0}")]
    BadEndpoint(EndpointProblem),
    /// moby `daemon/create.go`.
    #[error("invalid config for network {network}: {why}")]
    BadNetworkConfig {
        /// The network's name.
        network: String,
        /// What is wrong.
        why: Box<DaemonError>,
    },
    /// moby `volume/local/local_unix.go` `validateOpts`.
    #[error("create {name}: {why}")]
    VolumeOption {
        /// The volume.
        name: String,
        /// What is wrong.
        why: String,
    },
    /// moby `volume/local/local_unix.go` `mount`.
    #[error(
        "error while mounting volume '{at}': failed to mount local volume: mount {device}:{at}, flags: 0x1000: {why}"
    )]
    VolumeMount {
        /// The volume's own folder.
        at: String,
        /// What was to be mounted there.
        device: String,
        /// What is wrong.
        why: String,
    },
    /// moby `daemon/list.go` `portOp`.
    #[error("filter for '{filter}' should not contain ':': {text}")]
    PortFilterColon {
        /// The filter.
        filter: &'static str,
        /// Its value.
        text: String,
    },
    /// moby `daemon/list.go` `portOp`.
    #[error("error while looking up for {filter} {text}: {why}")]
    PortFilter {
        /// The filter.
        filter: &'static str,
        /// Its value.
        text: String,
        /// What is wrong.
        why: String,
    },
    /// moby `daemon/container_operations_unix.go` `setupLinkedContainers`.
    #[error("Cannot link to a non running container: /{name} AS {alias}")]
    LinkNotRunning {
        /// The container that is named.
        name: String,
        /// The link's own name.
        alias: String,
    },
    /// libnetwork `controller.go`.
    #[error("only one instance of \"{0}\" network is allowed")]
    OnlyOneNetwork(&'static str),
    /// moby `daemon/cluster/errors.go`: networks over several machines need a swarm.
    #[error(
        "This node is not a swarm manager. Use \"docker swarm init\" or \"docker swarm join\" to connect this node to swarm and try again."
    )]
    NoSwarm,
    /// moby `daemon/daemon_unix.go` `registerLinks`.
    #[error("could not get container for {name}: {why}")]
    BadLink {
        /// The container that is named.
        name: String,
        /// What is wrong with it.
        why: Box<DaemonError>,
    },
    /// moby `daemon/names.go`.
    #[error(
        "Conflict. The container name \"/{name}\" is already in use by container \"{id}\". You have to remove (or rename) that container to be able to reuse that name."
    )]
    NameTaken {
        /// The name.
        name: String,
        /// Who has it.
        id: String,
    },
    /// moby `daemon/names.go`.
    #[error("Invalid container name ({0}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed")]
    BadName(String),
    /// moby `daemon/rename.go`.
    #[error("Renaming a container with the same name as its current name")]
    SameName,
    /// moby `daemon/rename.go`.
    #[error("Neither old nor new names may be empty")]
    EmptyName,
    /// moby `daemon/create.go`.
    #[error("No command specified")]
    NoCommand,
    /// moby `daemon/exec.go`.
    #[error("No exec command specified")]
    NoExecCommand,
    /// moby `daemon/errors.go` `errNotRunning`.
    #[error("container {0} is not running")]
    NotRunning(String),
    /// moby `daemon/container_operations.go` `getNetworkedContainer`.
    #[error("cannot join network of a non running container: {0}")]
    JoinNotRunning(String),
    /// The same: a container that names itself.
    #[error("cannot join own network")]
    JoinSelf,
    /// moby `daemon/container_operations_unix.go` `setupContainerDirs`.
    #[error("failed to join {namespace} namespace: {why}")]
    Join {
        /// `PID`.
        namespace: &'static str,
        /// What the other container is not.
        why: Box<DaemonError>,
    },
    /// moby `daemon/kill.go` over `errNotRunning`.
    #[error("cannot kill container: {name}: container {id} is not running")]
    KillNotRunning {
        /// As the user wrote it.
        name: String,
        /// Its id.
        id: String,
    },
    /// moby `daemon/kill.go`.
    #[error("Invalid signal: {0}")]
    BadSignal(String),
    /// moby `daemon/errors.go` `errContainerIsRestarting`.
    #[error("Container {0} is restarting, wait until the container is running")]
    Restarting(String),
    /// moby `daemon/errors.go` `errExecPaused`.
    #[error("Container {0} is paused, unpause the container before exec")]
    ExecPaused(String),
    /// moby `daemon/pause.go` `errPaused`.
    #[error("Container {0} is already paused")]
    Paused(String),
    /// moby `daemon/unpause.go`.
    #[error("Container {0} is not paused")]
    NotPaused(String),
    /// moby `daemon/start.go`.
    #[error("cannot start a paused container, try unpause instead")]
    StartPaused,
    /// moby `daemon/attach.go`.
    #[error("container {0} is paused, unpause the container before attach")]
    AttachPaused(String),
    /// moby `daemon/delete.go`.
    #[error(
        "cannot remove container \"/{name}\": container is {state}: {hint} the container before removing or force remove"
    )]
    RemoveRunning {
        /// Its name.
        name: String,
        /// `running` or `paused`.
        state: &'static str,
        /// `stop` or `unpause and then stop`.
        hint: &'static str,
    },
    /// A container that something still removes.
    #[error("removal of container {0} is already in progress")]
    RemovalInProgress(String),
    /// moby `daemon/start.go` over the runtime's own words.
    #[error(
        "failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: {0}: unknown"
    )]
    Start(RuntimeError),
    /// moby `daemon/exec.go` over the runtime's own words.
    #[error("OCI runtime exec failed: exec failed: unable to start container process: {0}: unknown")]
    Exec(RuntimeError),
    /// A runtime's words of a user before there is a process (moby `daemon/oci_linux.go`).
    #[error("{0}")]
    Runtime(RuntimeError),
    /// libnetwork `endpoint.go`, `portallocator`.
    #[error(
        "driver failed programming external connectivity on endpoint {name} ({endpoint}): Bind for {address}:{port} failed: port is already allocated"
    )]
    PortAllocated {
        /// The container's name.
        name: String,
        /// The endpoint's id.
        endpoint: String,
        /// The host's address.
        address: String,
        /// The host's port.
        port: u16,
    },
    /// A process of the host listens there (libnetwork `portmapper`, docker-proxy).
    #[error(
        "driver failed programming external connectivity on endpoint {name} ({endpoint}): failed to bind port {address}:{port}/tcp: Error starting userland proxy: listen tcp4 {address}:{port}: bind: address already in use"
    )]
    PortInUse {
        /// The container's name.
        name: String,
        /// The endpoint's id.
        endpoint: String,
        /// The host's address.
        address: String,
        /// The host's port.
        port: u16,
    },
    /// moby `runconfig`, `nat.ParsePort`.
    #[error("invalid port specification: \"{0}\"")]
    BadPort(String),
    /// moby `daemon/errors.go` `containerFileNotFound`.
    #[error("Could not find the file {path} in container {container}")]
    NoSuchFile {
        /// The path.
        path: String,
        /// As the user wrote it.
        container: String,
    },
    /// moby `daemon/archive.go` `ErrExtractPointNotDirectory`.
    #[error("extraction point is not a directory")]
    NotADirectory,
    /// moby `daemon/archive.go` `ErrRootFSReadOnly`.
    #[error("container rootfs is marked read-only")]
    ReadOnlyRootfs,
    /// A mount on a volume that is read-only.
    #[error("mounted volume is marked read-only")]
    ReadOnlyVolume,
    /// moby `pkg/archive`: a directory by a file or the other way round.
    #[error("cannot overwrite {what} \"{path}\" with {by} \"{path}\"")]
    Overwrite {
        /// `directory`.
        what: &'static str,
        /// `non-directory`.
        by: &'static str,
        /// The path.
        path: String,
    },
    /// moby `volume/mounts/linux_parser.go`.
    #[error("invalid volume specification: '{0}'")]
    BadVolumeSpec(String),
    /// moby `volume/mounts/linux_parser.go`, `errBindSourceDoesNotExist`.
    #[error("invalid mount config for type \"bind\": bind source path does not exist: {0}")]
    NoBindSource(String),
    /// moby `volume/mounts/mounts.go`.
    #[error("Duplicate mount point: {0}")]
    DuplicateMount(String),
    /// moby `volume/mounts/linux_parser.go`.
    #[error("invalid mount path: '{0}' mount path must be absolute")]
    RelativeMount(String),
    /// moby `daemon/network/filter.go` `filterNetworkByType`.
    #[error("invalid filter: 'type'='{0}'")]
    BadNetworkType(String),
    /// moby `volume/mounts/validate.go`, `ErrVolumeTargetIsRoot`.
    #[error("invalid specification: destination can't be '/'")]
    MountOnRoot,
    /// moby `volume/mounts/linux_parser.go`: a mount that is wrong, with what was asked for where that was a text.
    #[error("{}invalid mount config for type \"{kind}\": {why}", spec.as_ref().map_or_else(String::new, |spec| format!("invalid volume specification: '{spec}': ")))]
    BadMount {
        /// `SOURCE:TARGET`.
        spec: Option<String>,
        /// `bind`.
        kind: &'static str,
        /// What is wrong.
        why: Box<DaemonError>,
    },
    /// moby `volume/mounts/linux_parser.go` `errInvalidMode`.
    #[error("invalid mode: {0}")]
    BadMountMode(String),
    /// moby `container/container.go` `SetupWorkingDirectory`.
    #[error("Cannot mkdir: {0} is not a directory")]
    WorkingDirIsFile(String),
    /// moby `daemon/container.go`, working directory.
    #[error("the working directory '{0}' is invalid, it needs to be an absolute path")]
    RelativeWorkingDir(String),
    /// moby `daemon/container.go`, restart policies.
    #[error(
        "invalid restart policy: unknown policy '{0}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'"
    )]
    BadRestartPolicy(String),
    /// moby `api/types/container/hostconfig.go`.
    #[error("invalid restart policy: maximum retry count can only be used with 'on-failure'")]
    RestartCount,
    /// The same.
    #[error("invalid restart policy: maximum retry count cannot be negative")]
    NegativeRestartCount,
    /// moby `daemon/update.go`.
    #[error("Restart policy cannot be updated because AutoRemove is enabled for the container")]
    UpdateAutoRemove,
    /// moby `daemon/container.go`.
    #[error("can't create 'AutoRemove' container with restart policy")]
    AutoRemoveRestart,
    /// moby `daemon/daemon_unix.go`, `verifyPlatformContainerResources`.
    #[error("{0}")]
    BadResources(&'static str),
    /// The same: processors that are none.
    #[error("Invalid value {0} for cpuset cpus")]
    BadCpus(String),
    /// The same: processors that the machine does not have.
    #[error("Requested CPUs are not available - requested {asked}, available: {available}")]
    NoSuchCpus {
        /// As asked for.
        asked: String,
        /// What there is.
        available: &'static str,
    },
    /// moby `oci/caps/utils.go` `NormalizeLegacyCapabilities`.
    #[error("invalid {flag}: unknown capability: \"{name}\"")]
    BadCapability {
        /// `CapAdd` or `CapDrop`.
        flag: &'static str,
        /// With its prefix.
        name: String,
    },
    /// moby `daemon/runtime_unix.go`.
    #[error("unknown or invalid runtime name: {0}")]
    BadRuntime(String),
    /// moby `daemon/logger/factory.go`.
    #[error("logger: no log driver named '{0}' is registered")]
    BadLogDriver(String),
    /// moby `daemon/logger/jsonfilelog/jsonfilelog.go` `ValidateLogOpt`.
    #[error("unknown log opt '{option}' for {driver} log driver")]
    BadLogOption {
        /// Its name.
        option: String,
        /// The driver.
        driver: String,
    },
    /// moby `daemon/logger/logger.go` `ErrReadLogsNotSupported`.
    #[error("configured logging driver does not support reading")]
    NoLogReading,
    /// moby `oci/devices_linux.go` `DevicesFromPath`.
    #[error("error gathering device information while adding custom device \"{0}\": no such file or directory")]
    NoDevice(String),
    /// The same: something else than a device.
    #[error("error gathering device information while adding custom device \"{0}\": not a device node")]
    NotADevice(String),
    /// moby `daemon/container.go`: an update that fails, with the container's id.
    #[error("Cannot update container {id}: {cause}")]
    Update {
        /// 64 digits.
        id: String,
        /// Why.
        cause: Box<DaemonError>,
    },
    /// moby `daemon/nvidia_linux.go`, `devices.go` `handleDevice`: there is no such driver on this machine.
    #[error("could not select device driver \"{driver}\" with capabilities: [[gpu]]")]
    NoGpu {
        /// As asked for.
        driver: String,
    },
    /// moby `daemon/graphdriver/overlay2/overlay.go` `New`, on ext4.
    #[error("--storage-opt is supported only for overlay over xfs with 'pquota' mount option")]
    StorageOption,
    /// moby `api/types/filters/errors.go` `invalidFilter`.
    #[error("invalid filter '{0}'")]
    BadFilter(String),
    /// The same with a value.
    #[error("invalid filter '{name}=[{value}]'")]
    BadFilterValue {
        /// The filter's name.
        name: String,
        /// Its value.
        value: String,
    },
    /// A status that is none.
    #[error("invalid filter 'status={0}'")]
    BadStatus(String),
    /// A text that is no reference.
    #[error("{0}")]
    Reference(#[from] ReferenceError),
    /// The store refuses.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// An image stays.
    #[error("{0}")]
    Delete(#[from] DeleteError),
    /// moby `distribution/errors.go`.
    #[error(
        "pull access denied for {0}, repository does not exist or may require 'docker login': denied: requested access to the resource is denied"
    )]
    PullDenied(String),
    /// moby `distribution/errors.go`.
    #[error("manifest for {0} not found: manifest unknown: manifest unknown")]
    ManifestUnknown(String),
    /// A registry's host that does not answer (Go `net`, `net/http`).
    #[error("Get \"https://{host}/v2/\": dial tcp: lookup {host} on 127.0.0.53:53: no such host")]
    NoRegistry {
        /// The host.
        host: String,
    },
    /// moby `distribution/pull.go`.
    #[error("no matching manifest for {0} in the manifest list entries")]
    NoPlatform(String),
    /// moby `distribution/push.go`.
    #[error("An image does not exist locally with the tag: {0}")]
    NothingToPush(String),
    /// moby `distribution/push_v2.go`.
    #[error("tag does not exist: {0}")]
    NoSuchTag(String),
    /// moby `distribution/push_v2.go`.
    #[error("cannot push a digest reference")]
    PushDigest,
    /// A registry on the host where nothing listens (Go `net`).
    #[error("Get \"http://{host}/v2/\": dial tcp 127.0.0.1:{port}: connect: connection refused")]
    RegistryRefuses {
        /// The host with its port.
        host: String,
        /// The port.
        port: String,
    },
    /// What listens there is no registry (distribution `registry/client/errors.go` `UnexpectedHTTPResponseError`).
    #[error(
        "error parsing HTTP {status} response body: invalid character '{found}' looking for beginning of value: {body:?}"
    )]
    NotARegistry {
        /// The status.
        status: u16,
        /// The first character of the body.
        found: char,
        /// The body.
        body: String,
    },
    /// A registry's own words.
    #[error("{0}")]
    RegistryError(String),
    /// moby `registry/search.go`.
    #[error("limit {0} is outside the range of [1, 100]")]
    SearchLimit(i64),
    /// A registry that refuses.
    #[error("denied: requested access to the resource is denied")]
    PushDenied,
    /// A login that is refused.
    #[error("Get \"https://registry-1.docker.io/v2/\": unauthorized: incorrect username or password")]
    Unauthorized,
    /// A damaged archive.
    #[error("Error processing tar file(exit status 1): {0}")]
    Tar(#[from] TarError),
    /// An archive that can't be loaded or imported.
    #[error("{0}")]
    Load(#[from] LoadError),
    /// moby `image/tarexport/save.go` `saveImage`.
    #[error("empty export - not implemented")]
    EmptyExport,
    /// moby `reference/store.go` `ErrDoesNotExist`.
    #[error("reference does not exist")]
    NoReference,
    /// A digest that is not that of the bytes.
    #[error("invalid diffID for layer {index}: expected \"{expected}\", got \"{got}\"")]
    WrongDiffId {
        /// Which layer.
        index: usize,
        /// What the config tells.
        expected: String,
        /// What the bytes are.
        got: String,
    },
    /// An instruction that `--change` can't take.
    #[error("{0}")]
    BadChange(String),
    /// A disk that is full and the like.
    #[error("{0}")]
    Errno(crate::base::errno::Errno),
    /// moby `daemon/daemon_unix.go` `verifyPlatformContainerSettings`.
    #[error("Invalid value {0}, range for oom score adj is [-1000, 1000]")]
    BadOomScore(i64),
    /// What is not simulated says so.
    #[error("{0} is not simulated in Capas")]
    NotSimulated(&'static str),
}

impl From<crate::base::errno::Errno> for DaemonError {
    fn from(errno: crate::base::errno::Errno) -> Self {
        Self::Errno(errno)
    }
}

impl DaemonError {
    /// The same about a mount of a kind, and of a text where there was one.
    pub fn of_mount(self, kind: &'static str, spec: Option<&String>) -> Self {
        match self {
            Self::DuplicateMount(_) => self,
            why => Self::BadMount { spec: spec.cloned(), kind, why: Box::new(why) },
        }
    }

    /// The error's class.
    pub const fn class(&self) -> Class {
        match self {
            Self::NoSuchContainer(_)
            | Self::NoSuchImage(_)
            | Self::NoSuchExec(_)
            | Self::NoSuchVolume(_)
            | Self::NoSuchNetwork(_)
            | Self::NoVolumeDriver(_)
            | Self::NoNetworkDriver(_)
            | Self::PullDenied(_)
            | Self::ManifestUnknown(_)
            | Self::NoPlatform(_)
            | Self::NoReference
            | Self::NoSuchFile { .. }
            | Self::Store(StoreError::NoSuchImage(_))
            | Self::Delete(DeleteError::Store(_)) => Class::NotFound,
            Self::NameTaken { .. }
            | Self::NotRunning(_)
            | Self::JoinNotRunning(_)
            | Self::KillNotRunning { .. }
            | Self::Restarting(_)
            | Self::ExecPaused(_)
            | Self::Paused(_)
            | Self::NotPaused(_)
            | Self::StartPaused
            | Self::AttachPaused(_)
            | Self::RemoveRunning { .. }
            | Self::RemovalInProgress(_)
            | Self::VolumeInUse { .. }
            | Self::NetworkExists(_)
            | Self::Delete(_) => Class::Conflict,
            Self::NetworkInUse { .. }
            | Self::PredefinedNetwork(_)
            | Self::PredefinedNetworkCreate(_)
            | Self::PoolOverlaps
            | Self::HostNetwork
            | Self::NoneNetwork
            | Self::OnlyOneNetwork(_)
            | Self::EndpointExists { .. } => Class::Forbidden,
            Self::AmbiguousId(_)
            | Self::BadVolumeName(_)
            | Self::VolumeNameTooShort(_)
            | Self::BadSubnet(_)
            | Self::BadEndpoint(_)
            | Self::BadLink { .. }
            | Self::VolumeOption { .. }
            | Self::PortFilterColon { .. }
            | Self::PortFilter { .. }
            | Self::LinkNotRunning { .. }
            | Self::BadNetworkConfig { .. }
            | Self::BadName(_)
            | Self::SameName
            | Self::EmptyName
            | Self::NoCommand
            | Self::NoExecCommand
            | Self::BadSignal(_)
            | Self::Start(_)
            | Self::Runtime(_)
            | Self::BadPort(_)
            | Self::NotADirectory
            | Self::ReadOnlyRootfs
            | Self::ReadOnlyVolume
            | Self::Overwrite { .. }
            | Self::BadVolumeSpec(_)
            | Self::NoBindSource(_)
            | Self::DuplicateMount(_)
            | Self::RelativeMount(_)
            | Self::BadNetworkType(_)
            | Self::MountOnRoot
            | Self::BadMount { .. }
            | Self::BadMountMode(_)
            | Self::RelativeWorkingDir(_)
            | Self::BadRestartPolicy(_)
            | Self::RestartCount
            | Self::NegativeRestartCount
            | Self::UpdateAutoRemove
            | Self::AutoRemoveRestart
            | Self::BadResources(_)
            | Self::BadCpus(_)
            | Self::NoSuchCpus { .. }
            | Self::BadCapability { .. }
            | Self::BadRuntime(_)
            | Self::BadLogDriver(_)
            | Self::BadLogOption { .. }
            | Self::StorageOption
            | Self::BadFilter(_)
            | Self::BadFilterValue { .. }
            | Self::BadStatus(_)
            | Self::Reference(_)
            | Self::SearchLimit(_)
            | Self::BadOomScore(_)
            | Self::BadChange(_) => Class::InvalidParameter,
            Self::NotSimulated(_) => Class::NotImplemented,
            _ => Class::System,
        }
    }

    /// The HTTP status.
    pub const fn http_status(&self) -> u16 {
        match self.class() {
            Class::InvalidParameter => 400,
            Class::Forbidden => 403,
            Class::NotFound => 404,
            Class::Conflict => 409,
            Class::System => 500,
            Class::NotImplemented => 501,
        }
    }

    /// Why a process did not start, for the client's exit status.
    pub const fn runtime(&self) -> Option<&RuntimeError> {
        match self {
            Self::Start(error) | Self::Exec(error) | Self::Runtime(error) => Some(error),
            _ => None,
        }
    }
}
