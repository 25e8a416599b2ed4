//! The daemon itself: info, version, disk usage, builds.

use serde_json::json;

use super::api::build::{BuildFuture, BuildRequest, BuildSink};
use super::api::container::{Document, PruneReport};
use super::api::system::{DiskUsage, EventKind, Version};
use super::api::{API_VERSION, Filters, SERVER_VERSION};
use super::container::State;
use super::errors::DaemonError;
use super::handle::Daemon;
use super::query::ImageNames;
use super::settings::Settings;
use crate::base::time::Timestamp;
use crate::os::kernel::proc_fs::MEMORY_BYTES;

const KERNEL: &str = "5.15.0-91-generic";
/// The revision that it was built from.
pub const COMMIT: &str = "4c9b3b0";
const CONTAINERD: &str = "bcc810d6b9066471b0b6fa75f557a15a1cbf31bb";
const RUNC: &str = "v1.2.4-0-g6c52b3f";
const INIT: &str = "de40ad0";
const GO: &str = "go1.22.11";
const BUILT: &str = "Wed Jan 22 13:41:48 2025";

/// What `/info` tells of registries: those of this machine are spoken to without TLS.
fn registries(settings: &Settings) -> Document {
    let mut hosts = serde_json::Map::new();
    let official = json!({"Mirrors": settings.mirrors, "Name": "docker.io", "Official": true, "Secure": true});
    hosts.insert("docker.io".to_owned(), official);
    let mut networks = vec!["::1/128".to_owned(), "127.0.0.0/8".to_owned()];
    for registry in &settings.insecure {
        if registry.contains('/') {
            networks.push(registry.clone());
        } else {
            let open = json!({"Mirrors": [], "Name": registry, "Official": false, "Secure": false});
            hosts.insert(registry.clone(), open);
        }
    }
    json!({
        "AllowNondistributableArtifactsCIDRs": null,
        "AllowNondistributableArtifactsHostnames": null,
        "InsecureRegistryCIDRs": networks,
        "IndexConfigs": hosts,
        "Mirrors": settings.mirrors,
    })
}

impl Daemon {
    /// `GET /info`.
    pub fn info(&self) -> Document {
        let settings = self.settings();
        let state = self.0.state.borrow();
        let count = |test: fn(&State) -> bool| state.containers.values().filter(|c| test(&c.state)).count();
        let images = {
            let store = self.0.store.borrow();
            store
                .images()
                .filter(|i| !store.references_to(i.id()).is_empty() || store.children(i.id()).next().is_none())
                .count()
        };
        json!({
            "ID": self.0.daemon_id,
            "Containers": state.containers.len(),
            "ContainersRunning": count(|s| matches!(s, State::Running(_) | State::Restarting(_))),
            "ContainersPaused": count(|s| matches!(s, State::Paused(_))),
            "ContainersStopped": count(|s| matches!(s, State::Created(_) | State::Exited(_))),
            "Images": images,
            "Driver": "overlay2",
            "DriverStatus": [
                ["Backing Filesystem", "extfs"],
                ["Supports d_type", "true"],
                ["Using metacopy", "false"],
                ["Native Overlay Diff", "true"],
                ["userxattr", "false"],
            ],
            "Plugins": {
                "Volume": ["local"],
                "Network": ["bridge", "host", "null"],
                "Log": ["json-file"],
            },
            "LoggingDriver": if settings.log_driver.is_empty() { "json-file" } else { &settings.log_driver },
            "CgroupDriver": "systemd",
            "CgroupVersion": "2",
            "KernelVersion": KERNEL,
            "OperatingSystem": "Capas (simulated Linux)",
            "OSType": "linux",
            "Architecture": "x86_64",
            "NCPU": 2,
            "MemTotal": MEMORY_BYTES,
            "IndexServerAddress": "https://index.docker.io/v1/",
            "DockerRootDir": "/var/lib/docker",
            "Name": *self.0.host.hostname.borrow(),
            "ServerVersion": SERVER_VERSION,
            "Runtimes": {"io.containerd.runc.v2": {"path": "runc"}, "runc": {"path": "runc"}},
            "DefaultRuntime": "runc",
            "Swarm": {"NodeID": "", "NodeAddr": "", "LocalNodeState": "inactive", "ControlAvailable": false, "Error": "", "RemoteManagers": null},
            "InitBinary": "docker-init",
            "ContainerdCommit": {"ID": CONTAINERD},
            "RuncCommit": {"ID": RUNC},
            "InitCommit": {"ID": INIT},
            "SecurityOptions": ["name=apparmor", "name=seccomp,profile=builtin", "name=cgroupns"],
            "LiveRestoreEnabled": settings.live_restore,
            "SystemTime": self.0.kernel.now().rfc3339_nano(),
            "NEventsListener": 0,
            "Debug": settings.debug,
            "ExperimentalBuild": settings.experimental,
            "Labels": settings.labels,
            "RegistryConfig": registries(&settings),
            "Warnings": null,
        })
    }

    /// `GET /version`.
    pub fn version(&self) -> Version {
        let experimental = self.settings().experimental;
        let detail = |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Version {
            platform: "Docker Engine - Community".to_owned(),
            components: vec![
                (
                    "Engine".to_owned(),
                    SERVER_VERSION.to_owned(),
                    detail(&[
                        ("ApiVersion", API_VERSION),
                        ("Arch", "amd64"),
                        ("BuildTime", BUILT),
                        ("Experimental", if experimental { "true" } else { "false" }),
                        ("GitCommit", COMMIT),
                        ("GoVersion", GO),
                        ("KernelVersion", KERNEL),
                        ("MinAPIVersion", "1.24"),
                        ("Os", "linux"),
                    ]),
                ),
                ("containerd".to_owned(), "1.7.25".to_owned(), detail(&[("GitCommit", CONTAINERD)])),
                ("runc".to_owned(), "1.2.4".to_owned(), detail(&[("GitCommit", RUNC)])),
                ("docker-init".to_owned(), "0.19.0".to_owned(), detail(&[("GitCommit", INIT)])),
            ],
            version: SERVER_VERSION.to_owned(),
            api_version: API_VERSION.to_owned(),
            min_api_version: "1.24".to_owned(),
            git_commit: COMMIT.to_owned(),
            go_version: GO.to_owned(),
            os: "linux".to_owned(),
            arch: "amd64".to_owned(),
            kernel_version: KERNEL.to_owned(),
            build_time: BUILT.to_owned(),
        }
    }

    /// `GET /system/df`.
    ///
    /// # Errors
    /// None today; the route may fail.
    pub fn disk_usage(&self) -> Result<DiskUsage, DaemonError> {
        let (images, layers_size_bytes) = self.image_usage();
        let containers = {
            let (state, mut known) = (self.0.state.borrow(), ImageNames::new());
            state.newest_first().into_iter().map(|c| self.0.summary(c, true, &mut known)).collect()
        };
        let volumes = self.volume_list(&Filters::new())?;
        let build_cache = self.0.cache_usage.borrow().clone().map(|usage| usage()).unwrap_or_default();
        Ok(DiskUsage { layers_size_bytes, images, containers, volumes, build_cache })
    }

    /// `POST /build`.
    ///
    /// # Errors
    /// A machine without a builder.
    pub fn build(&self, request: BuildRequest, sink: BuildSink) -> Result<BuildFuture, DaemonError> {
        let builder = self.0.builder.borrow().clone();
        let builder = builder.ok_or(DaemonError::NotSimulated("a build on this machine"))?;
        let world = std::rc::Rc::clone(&self.0);
        Ok(Box::pin(async move {
            let tags = request.tags.clone();
            let log = std::rc::Rc::clone(&world);
            let sink: BuildSink = std::rc::Rc::new(move |event| {
                log.events.push_build(&event);
                sink(event);
            });
            let built = builder(request, sink).await;
            // The store is shared with the builder: what it did there is news.
            world.changed();
            if let Ok(outcome) = &built {
                for tag in tags {
                    let Some(id) = outcome.image.map(|id| id.to_string()) else { continue };
                    world.emit(EventKind::Image, "tag", id, &[("name", tag.familiar())]);
                }
            }
            built
        }))
    }

    /// `POST /build/prune`.
    ///
    /// # Errors
    /// A machine without a builder.
    pub fn builder_prune(&self, all: bool, filters: &Filters) -> Result<PruneReport, DaemonError> {
        let prune = self.0.cache_prune.borrow().clone();
        let until = filters.get("until").and_then(|v| v.first()).and_then(|v| v.parse().ok()).map(Timestamp);
        prune.map(|prune| prune(all, until)).ok_or(DaemonError::NotSimulated("a build cache on this machine"))
    }
}
