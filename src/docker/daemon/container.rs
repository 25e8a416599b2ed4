//! A container: what it was created with, its writable layer, its state.
//!
//! The state is one value; transitions are methods. Processes, mounts and networks are made by [`super::run`].

use crate::base::sort::Arrange;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::net::Ipv4Addr;
use std::rc::Rc;

use super::api::container::{HostConfig, MountPoint, Port, WaitCondition};
use super::api::network::EndpointRequest;
use super::api::stream::{Frame, Sender, Source};
use super::errors::DaemonError;
use super::health::{self, Health};
use super::logs::Log;
use super::network::NetworkId;
use crate::base::digest::{ChainId, Digest, FolderId, ImageId};
use crate::base::rope::Rope;
use crate::base::time::{Timestamp, human_duration};
use crate::docker::image::config::ContainerConfig;
use crate::os::fs::mounts::{Backing, Mounts};
use crate::os::fs::overlay::Overlay;
use crate::os::kernel::net::NetId;
use crate::os::kernel::process::Handle;
use crate::os::kernel::{Gpid, TtyId};

/// A container's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ContainerId(pub Digest);

impl ContainerId {
    /// The first 12 digits.
    pub fn short(self) -> String {
        self.0.short()
    }
}

impl fmt::Display for ContainerId {
    /// 64 hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.hex())
    }
}

/// A container's process and what it lives in.
#[derive(Clone)]
pub struct Run {
    /// Since when.
    pub started: Timestamp,
    /// The process's number on the host.
    pub gpid: Gpid,
    /// Its pid namespace.
    pub namespace: u32,
    /// Its files.
    pub mounts: Rc<RefCell<Mounts>>,
    /// Its network.
    pub net: NetId,
    /// Its host name.
    pub hostname: Rc<RefCell<String>>,
    /// The process of the host that watches over it.
    pub shim: Option<Gpid>,
    /// Its environment.
    pub env: Vec<String>,
    /// When it ended the last time.
    pub finished: Option<Timestamp>,
}

/// How a container ended, or failed to start.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ended {
    /// When it had started, if it had.
    pub started: Option<Timestamp>,
    /// When it ended.
    pub finished: Option<Timestamp>,
    /// Its exit code.
    pub code: i64,
    /// Why it did not start.
    pub error: String,
}

/// What a container is doing.
#[derive(Clone)]
pub enum State {
    /// Never ran; a start may have failed.
    Created(Ended),
    /// Runs.
    Running(Run),
    /// Runs, frozen.
    Paused(Run),
    /// Ended and will be started again.
    Restarting(Ended),
    /// Ended.
    Exited(Ended),
}

impl State {
    /// The API's word.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Created(_) => "created",
            Self::Running(_) => "running",
            Self::Paused(_) => "paused",
            Self::Restarting(_) => "restarting",
            Self::Exited(_) => "exited",
        }
    }

    /// The process, where there is one.
    pub const fn run(&self) -> Option<&Run> {
        match self {
            Self::Running(run) | Self::Paused(run) => Some(run),
            _ => None,
        }
    }

    /// How it ended, where it did.
    pub const fn ended(&self) -> Option<&Ended> {
        match self {
            Self::Created(ended) | Self::Restarting(ended) | Self::Exited(ended) => Some(ended),
            _ => None,
        }
    }

    /// What `docker ps` shows (moby `container/state.go` `String`).
    pub fn status(&self, now: Timestamp, health: Option<&Health>) -> String {
        let health = health.map_or("", |health| health.status.shown());
        let ago = |time: Option<Timestamp>| human_duration(now.since(time.unwrap_or(now)));
        match self {
            Self::Created(_) => "Created".to_owned(),
            Self::Running(run) => format!("Up {}{health}", human_duration(now.since(run.started))),
            Self::Paused(run) => format!("Up {} (Paused)", human_duration(now.since(run.started))),
            Self::Restarting(ended) => format!("Restarting ({}) {} ago", ended.code, ago(ended.finished)),
            Self::Exited(ended) => format!("Exited ({}) {} ago", ended.code, ago(ended.finished)),
        }
    }
}

/// What a mount takes its files from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MountSource {
    /// A volume by name.
    Volume {
        /// Its name.
        name: String,
        /// Made for this container and removed with it.
        anonymous: bool,
        /// An empty volume gets what the image has there.
        copy: bool,
    },
    /// A path of the host.
    Bind,
    /// Memory.
    Tmpfs(TmpfsOptions),
}

/// What a tmpfs is mounted with; what is not given is as Docker has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TmpfsOptions {
    /// At most so many bytes; 0 is without a limit of its own.
    pub size_bytes: u64,
    /// Permission bits of its root.
    pub mode: Option<u32>,
    /// Its root's owner.
    pub uid: u32,
    /// Its root's group.
    pub gid: u32,
    /// Refuses changes.
    pub read_only: bool,
    /// Programs in it can be run.
    pub exec: bool,
}

impl TmpfsOptions {
    /// `--tmpfs`'s list, such as `size=64m,mode=1770,exec` (moby/sys `mount/flags_linux.go` `MergeTmpfsOptions`).
    ///
    /// # Errors
    /// An option that tmpfs does not have, or whose value is none.
    pub fn parse(list: &str) -> Result<Self, DaemonError> {
        let mut options = Self::default();
        for option in list.split(',').filter(|option| !option.is_empty()) {
            let invalid = || DaemonError::TmpfsOption(option.to_owned());
            match option.split_once('=') {
                None => match option {
                    "ro" => options.read_only = true,
                    "rw" => options.read_only = false,
                    "exec" => options.exec = true,
                    "noexec" => options.exec = false,
                    // Nothing here is a device or set-id program of somebody else's, and times of access are not kept.
                    "defaults" | "nosuid" | "suid" | "nodev" | "dev" | "async" | "atime" | "noatime" | "diratime"
                    | "nodiratime" | "relatime" | "norelatime" | "strictatime" | "nostrictatime" | "private"
                    | "rprivate" | "shared" | "rshared" | "slave" | "rslave" => {}
                    _ => return Err(invalid()),
                },
                Some(("size", value)) => {
                    let bytes = crate::base::size::parse_ram(value).and_then(|n| u64::try_from(n).ok());
                    options.size_bytes = bytes.ok_or_else(invalid)?;
                }
                Some(("mode", value)) => {
                    options.mode = Some(u32::from_str_radix(value, 8).map_err(|_| invalid())? & 0o7777);
                }
                Some(("uid", value)) => options.uid = value.parse().map_err(|_| invalid())?,
                Some(("gid", value)) => options.gid = value.parse().map_err(|_| invalid())?,
                // Limits that no file system of a sandbox comes near, and where memory lies in the machine.
                Some(("nr_inodes" | "nr_blocks" | "mpol", _)) => {}
                Some(_) => return Err(invalid()),
            }
        }
        Ok(options)
    }
}

/// A mount of a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerMount {
    /// As it is shown.
    pub point: MountPoint,
    /// Where the files are.
    pub source: MountSource,
}

/// A container's place in a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// As it was asked for.
    pub request: EndpointRequest,
    /// The network, once joined.
    pub network: Option<NetworkId>,
    /// 64 digits, while joined.
    pub endpoint_id: String,
    /// The address, while joined.
    pub address: Option<Ipv4Addr>,
    /// The hardware address, while joined.
    pub mac: String,
}

impl Endpoint {
    /// A place that is yet to be taken.
    pub fn wanted(request: EndpointRequest) -> Self {
        Self { request, network: None, endpoint_id: String::new(), address: None, mac: String::new() }
    }

    /// Gives the place up.
    pub fn leave(&mut self) {
        self.endpoint_id.clear();
        self.address = None;
        self.mac.clear();
    }
}

/// A port of the host that leads into a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedPort {
    /// The container's port.
    pub private: u16,
    /// `tcp` or `udp`.
    pub protocol: String,
    /// The host's address.
    pub address: Ipv4Addr,
    /// The host's port.
    pub public: u16,
}

/// Standard streams, made before the start so that clients can attach first.
#[derive(Default)]
pub struct Console {
    /// The terminal.
    pub tty: Option<TtyId>,
    /// What the process reads.
    pub stdin: Option<Handle>,
    /// What clients write to; dropping the last is the end of the input.
    pub stdin_writer: Option<Handle>,
}

/// A client that gets output.
pub struct Sink {
    /// Where to.
    pub to: Sender<Frame>,
    /// Standard output wanted.
    pub stdout: bool,
    /// Standard error wanted.
    pub stderr: bool,
}

/// A container.
pub struct Container {
    /// Its id.
    pub id: ContainerId,
    /// Where the storage driver keeps its writable layer (moby `layer` `mountID`).
    pub folder: FolderId,
    /// Its name without the slash.
    pub name: String,
    /// When it was created.
    pub created: Timestamp,
    /// Its image.
    pub image: ImageId,
    /// Its layers.
    pub chain: Option<ChainId>,
    /// What it starts with: the request over the image's config.
    pub config: ContainerConfig,
    /// What concerns the host.
    pub host: HostConfig,
    /// Its files: the writable layer over the image's.
    pub root: Rc<RefCell<Overlay>>,
    /// What it does.
    pub state: State,
    /// How it is, where that is checked.
    pub health: Option<Health>,
    /// A process of the run that is or was last was killed for want of memory.
    pub oom_killed: bool,
    /// How many had been killed so before it started.
    pub oom_kills_before: u64,
    /// Its mounts.
    pub mounts: Vec<ContainerMount>,
    /// Its networks by name.
    pub endpoints: BTreeMap<String, Endpoint>,
    /// Ports that lead into it now.
    pub published: Vec<PublishedPort>,
    /// Standard streams.
    pub console: Console,
    /// Attached clients.
    pub sinks: Vec<Sink>,
    /// What it wrote.
    pub log: Log,
    /// Who waits.
    pub waiters: Vec<(WaitCondition, Sender<i64>)>,
    /// When its figures were last read, and the processor time until then in nanoseconds.
    pub last_stats: Option<(Timestamp, u64)>,
    /// Restarts by policy.
    pub restart_count: u32,
    /// Somebody stopped it, so policies leave it alone.
    pub stopped_by_user: bool,
    /// Somebody removes it.
    pub removing: bool,
    /// Restarts a user caused: a back-off that is under way is off.
    pub generation: u64,
}

impl Container {
    /// The command line's words.
    pub fn command(&self) -> Vec<String> {
        let entrypoint = self.config.entrypoint.iter().flatten();
        entrypoint.chain(self.config.cmd.iter().flatten()).cloned().collect()
    }

    /// Takes output: to the log and to whoever is attached. The sinks that want it are returned, to be waited for.
    pub fn output(&mut self, source: Source, bytes: &Rope, now: Timestamp) -> Vec<Sender<Frame>> {
        self.log.write(source, bytes, now);
        self.sinks.retain(|sink| sink.to.is_open());
        let wanted = |sink: &&Sink| match source {
            Source::Stdout => sink.stdout,
            Source::Stderr => sink.stderr,
        };
        self.sinks.iter().filter(wanted).map(|sink| sink.to.clone()).collect()
    }

    /// Tells everybody who waits for `happened`.
    pub fn tell(&mut self, code: i64, happened: &[WaitCondition]) {
        self.waiters.retain(|(condition, to)| {
            if happened.contains(condition) {
                to.push(code);
                false
            } else {
                to.is_open()
            }
        });
    }

    /// Exposed and published ports, sorted as `docker ps` does.
    pub fn ports(&self) -> Vec<Port> {
        let mut out: Vec<Port> = Vec::new();
        for port in &self.published {
            let shown = |ip: &str| Port {
                ip: Some(ip.to_owned()),
                private_port: port.private,
                public_port: Some(port.public),
                protocol: port.protocol.clone(),
            };
            out.push(shown(&port.address.to_string()));
            if port.address.is_unspecified() {
                out.push(shown("::"));
            }
        }
        if self.state.run().is_some() {
            for exposed in &self.config.exposed_ports {
                let Some((private, protocol)) = parse_port(exposed) else { continue };
                if !self.published.iter().any(|port| port.private == private && port.protocol == protocol) {
                    out.push(Port { ip: None, private_port: private, public_port: None, protocol });
                }
            }
        }
        out.arrange_by(|a, b| (a.private_port, &a.protocol).cmp(&(b.private_port, &b.protocol)));
        out
    }

    /// The paths that the writable layer changes.
    pub fn changed_files(&self) -> usize {
        self.root.borrow().changed_paths()
    }

    /// The backing of its root.
    pub fn backing(&self) -> Backing {
        Backing::Overlay(Rc::clone(&self.root))
    }
}

/// `80/tcp` or `80`.
pub fn parse_port(text: &str) -> Option<(u16, String)> {
    let (port, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    Some((port.parse().ok()?, protocol.to_owned()))
}

/// The request over the image's config (moby `daemon/commit.go` `merge`).
pub fn merge(mut own: ContainerConfig, image: &ContainerConfig) -> ContainerConfig {
    let or = |own: &mut String, image: &String| {
        if own.is_empty() {
            own.clone_from(image);
        }
    };
    or(&mut own.user, &image.user);
    or(&mut own.working_dir, &image.working_dir);
    or(&mut own.stop_signal, &image.stop_signal);
    own.exposed_ports.extend(image.exposed_ports.iter().cloned());
    own.volumes.extend(image.volumes.iter().cloned());
    for word in &image.env {
        let name = word.split('=').next().unwrap_or_default();
        if !own.env.iter().any(|have| have.split('=').next() == Some(name)) {
            own.env.push(word.clone());
        }
    }
    for (name, value) in &image.labels {
        own.labels.entry(name.clone()).or_insert_with(|| value.clone());
    }
    // An entrypoint of one's own does without the image's command; `[""]` means none.
    if own.entrypoint.as_ref().is_none_or(Vec::is_empty) {
        if own.cmd.as_ref().is_none_or(Vec::is_empty) {
            own.cmd.clone_from(&image.cmd);
        }
        own.entrypoint.clone_from(&image.entrypoint);
    } else if own.entrypoint.as_ref().is_some_and(|words| matches!(words.as_slice(), [one] if one.is_empty())) {
        own.entrypoint = None;
    }
    health::merge(&mut own.healthcheck, image.healthcheck.as_ref());
    if own.stop_timeout_seconds.is_none() {
        own.stop_timeout_seconds = image.stop_timeout_seconds;
    }
    if own.shell.is_empty() {
        own.shell.clone_from(&image.shell);
    }
    own
}
