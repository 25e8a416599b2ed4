//! `POST /containers/create` and `DELETE /containers/{id}`: a container's beginning and end.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::api::Filters;
use super::api::container::{
    CreateRequest, CreateResponse, HostConfig, MountKind, MountPoint, PruneReport, RemoveOptions, RestartPolicy,
    WaitCondition,
};
use super::api::network::EndpointRequest;
use super::api::volume::VolumeCreate;
use super::container::{
    Console, Container, ContainerId, ContainerMount, Ended, Endpoint, MountSource, State, TmpfsOptions, merge,
};
use super::errors::DaemonError;
use super::files;
use super::handle::{Daemon, World, prunable};
use super::links;
use super::logs::Log;
use super::names::{is_restricted_name, random_name};
use super::rootfs::{folder, writable_layer};
use crate::base::path;
use crate::docker::image::config::ContainerConfig;
use crate::os::fs::mounts::{Caller, Mount, Mounts};
use crate::os::fs::node::Kind;
use crate::os::kernel::Signal;

impl Daemon {
    /// `POST /containers/create`.
    ///
    /// # Errors
    /// No such image, a name that is taken or bad, settings that contradict one another.
    pub fn container_create(&self, request: CreateRequest) -> Result<CreateResponse, DaemonError> {
        let world = &self.0;
        let mut request = request;
        let settings = self.settings();
        if request.host.log_driver.is_empty() {
            // What the daemon's settings say holds for all who say nothing of it.
            request.host.log_driver = settings.log_driver;
            for (option, value) in settings.log_options {
                request.host.log_options.entry(option).or_insert(value);
            }
        }
        request.host.resources.check()?;
        let warnings = request.host.resources.discard();
        request.host.check_privileges()?;
        check_host(&request.host)?;
        check_modes(&request.config, &request.host)?;
        if !request.host.storage_options.is_empty() {
            return Err(DaemonError::StorageOption);
        }
        let (image, chain, image_config) = {
            let store = world.store.borrow();
            let id = store.resolve(&request.config.image)?;
            let config = store.image(id).map(|image| image.config().clone()).unwrap_or_default();
            (id, config.chain_id(), config.config)
        };
        let mut config = merge(request.config, &image_config);
        if config.entrypoint.iter().flatten().chain(config.cmd.iter().flatten()).next().is_none() {
            return Err(DaemonError::NoCommand);
        }
        if !config.working_dir.is_empty() && !config.working_dir.starts_with('/') {
            return Err(DaemonError::RelativeWorkingDir(config.working_dir));
        }
        if !config.stop_signal.is_empty() && Signal::parse(&config.stop_signal).is_none() {
            return Err(DaemonError::BadSignal(config.stop_signal));
        }
        let id = ContainerId(world.new_id());
        let name = world.choose_name(request.name.as_deref())?;
        let mode = request.host.network_mode.clone();
        if config.hostname.is_empty() {
            config.hostname = if mode == "host" { world.host.hostname.borrow().clone() } else { id.short() };
        }
        request.host.links = links::resolve(&world.state.borrow(), &request.host.links)?;
        let endpoints = world.endpoints(&request.host, request.networks)?;
        let mounts = world.resolve_mounts(&request.host, &config)?;
        let now = world.kernel.now();
        let overlay = {
            let mut store = world.store.borrow_mut();
            let tree = store.tree(chain)?;
            for target in &config.volumes {
                let at = path::normalize(target.as_bytes());
                if tree.get(&at).is_some_and(|node| node.kind() != Kind::Dir) {
                    let folder = crate::base::digest::FolderId::drawn(&world.daemon_id, id);
                    let folder = folder.name();
                    return Err(DaemonError::VolumeOverFile(format!("/var/lib/docker/overlay2/{folder}/merged{at}")));
                }
            }
            if let Some(chain) = chain {
                store.hold(chain)?;
            }
            writable_layer(world.kernel.new_dev(), &tree, now)
        };
        let log = Log::new(&request.host);
        let container = Container {
            id,
            folder: crate::base::digest::FolderId::drawn(&world.daemon_id, id),
            name,
            created: now,
            image,
            chain,
            config,
            host: request.host,
            root: Rc::new(RefCell::new(overlay)),
            state: State::Created(Ended::default()),
            health: None,
            oom_killed: false,
            oom_kills_before: 0,
            mounts,
            endpoints,
            published: Vec::new(),
            console: Console::default(),
            sinks: Vec::new(),
            log,
            waiters: Vec::new(),
            last_stats: None,
            restart_count: 0,
            stopped_by_user: false,
            removing: false,
            generation: 0,
        };
        world.make_working_dir(&container)?;
        world.mount_volumes(&container)?;
        let populated = world.populate_volumes(&container);
        world.unmount_volumes(id, &container.mounts);
        populated?;
        world.write_network_files(&container)?;
        world.state.borrow_mut().containers.insert(id, container);
        world.emit_container(id, "create", &[]);
        Ok(CreateResponse { id: id.to_string(), warnings })
    }

    /// `POST /containers/{id}/rename`.
    ///
    /// # Errors
    /// No such container; a name that is taken or bad.
    pub fn container_rename(&self, name: &str, new_name: &str) -> Result<(), DaemonError> {
        let id = self.0.find(name)?;
        let new_name = new_name.strip_prefix('/').unwrap_or(new_name);
        if new_name.is_empty() {
            return Err(DaemonError::EmptyName);
        }
        let old = self.0.with(id, |c| c.name.clone()).unwrap_or_default();
        if old == new_name {
            return Err(DaemonError::SameName);
        }
        let chosen = self.0.choose_name(Some(new_name))?;
        self.0.with(id, |c| c.name = chosen);
        self.0.refresh_names();
        self.0.emit_container(id, "rename", &[("oldName", format!("/{old}"))]);
        Ok(())
    }

    /// `DELETE /containers/{id}`.
    ///
    /// # Errors
    /// No such container; one that runs, unless forced.
    pub async fn container_remove(&self, name: &str, options: RemoveOptions) -> Result<(), DaemonError> {
        let id = self.0.find(name)?;
        let state = self.0.with(id, |c| (c.state.clone(), c.name.clone(), c.removing));
        let Some((state, own_name, removing)) = state else { return Ok(()) };
        if removing {
            return Err(DaemonError::RemovalInProgress(name.to_owned()));
        }
        let hint = match state {
            State::Running(_) | State::Restarting(_) => Some("stop"),
            State::Paused(_) => Some("unpause and then stop"),
            State::Created(_) | State::Exited(_) => None,
        };
        if let Some(hint) = hint {
            if !options.force {
                return Err(DaemonError::RemoveRunning { name: own_name, state: state.name(), hint });
            }
            self.kill_and_wait(id, Signal::KILL).await;
        }
        self.0.destroy(id, options.volumes);
        Ok(())
    }

    /// `POST /containers/prune`.
    ///
    /// # Errors
    /// An unknown filter.
    pub fn container_prune(&self, filters: &Filters) -> Result<PruneReport, DaemonError> {
        if let Some(name) = filters.keys().find(|n| !matches!(n.as_str(), "until" | "label" | "label!")) {
            return Err(DaemonError::BadFilter(name.clone()));
        }
        let gone: Vec<(ContainerId, u64)> = {
            let state = self.0.state.borrow();
            let unused = |c: &&Container| {
                matches!(c.state, State::Created(_) | State::Exited(_))
                    && !c.removing
                    && prunable(filters, &c.config.labels, c.created)
            };
            let size = |c: &Container| (c.id, c.root.borrow().upper_size_bytes());
            state.newest_first().into_iter().filter(unused).map(size).collect()
        };
        let mut report = PruneReport::default();
        for (id, size) in gone {
            self.0.destroy(id, false);
            report.deleted.push(id.to_string());
            report.space_reclaimed_bytes = report.space_reclaimed_bytes.saturating_add(size);
        }
        Ok(report)
    }
}

/// moby `container.ValidateRestartPolicy`.
pub(super) fn check_restart(policy: &RestartPolicy) -> Result<(), DaemonError> {
    match policy.name.as_str() {
        "" | "no" | "always" | "unless-stopped" if policy.maximum_retry_count != 0 => Err(DaemonError::RestartCount),
        "" | "no" | "always" | "unless-stopped" => Ok(()),
        "on-failure" if policy.maximum_retry_count < 0 => Err(DaemonError::NegativeRestartCount),
        "on-failure" => Ok(()),
        other => Err(DaemonError::BadRestartPolicy(other.to_owned())),
    }
}

fn check_host(host: &HostConfig) -> Result<(), DaemonError> {
    check_restart(&host.restart_policy)?;
    if host.auto_remove && !matches!(host.restart_policy.name.as_str(), "" | "no") {
        return Err(DaemonError::AutoRemoveRestart);
    }
    if !matches!(host.runtime.as_str(), "" | "runc") {
        return Err(DaemonError::BadRuntime(host.runtime.clone()));
    }
    match host.log_driver.as_str() {
        "" | "json-file" | "local" | "none" => {}
        "awslogs" | "fluentd" | "gcplogs" | "gelf" | "journald" | "splunk" | "syslog" => {
            return Err(DaemonError::NotSimulated("this log driver"));
        }
        other => return Err(DaemonError::BadLogDriver(other.to_owned())),
    }
    if let Some(option) = host
        .log_options
        .keys()
        .find(|key| !matches!(key.as_str(), "max-size" | "max-file" | "compress" | "labels" | "env" | "tag" | "mode"))
    {
        return Err(DaemonError::BadLogOption { option: option.clone(), driver: host.log_driver().to_owned() });
    }
    Ok(())
}

const NO_CONTAINER: &str = "Invalid network mode: invalid container format container:<name|id>";

/// What the modes of namespaces leave no room for (moby `runconfig/hostconfig_unix.go` `validateNetMode`).
fn check_modes(config: &ContainerConfig, host: &HostConfig) -> Result<(), DaemonError> {
    if host.network_mode == "container" {
        return Err(DaemonError::BadResources(NO_CONTAINER));
    }
    let (named, linked) = (!config.hostname.is_empty(), !host.links.is_empty());
    let publishes = !host.port_bindings.is_empty() || host.publish_all_ports;
    let conflicts: &[(bool, &'static str)] = match host.network_mode.strip_prefix("container:") {
        Some(other) => &[
            (other.is_empty(), NO_CONTAINER),
            (named, "conflicting options: hostname and the network mode"),
            (
                linked,
                "conflicting options: container type network can't be used with links. This would result in undefined behavior",
            ),
            (!host.dns.is_empty(), "conflicting options: dns and the network mode"),
            (!host.extra_hosts.is_empty(), "conflicting options: custom host-to-IP mapping and the network mode"),
            (publishes, "conflicting options: port publishing and the container type network mode"),
            (
                !config.exposed_ports.is_empty(),
                "conflicting options: port exposing and the container type network mode",
            ),
        ],
        None => &[
            (named && host.uts_mode == "host", "conflicting options: hostname and the UTS mode"),
            (linked && host.network_mode == "host", links::HOST_LINKED),
        ],
    };
    match conflicts.iter().find(|(is_there, _)| *is_there) {
        Some((_, text)) => Err(DaemonError::BadResources(text)),
        None => Ok(()),
    }
}

impl World {
    fn choose_name(&self, wanted: Option<&str>) -> Result<String, DaemonError> {
        let taken = |name: &str| self.state.borrow().containers.values().find(|c| c.name == name).map(|c| c.id);
        if let Some(wanted) = wanted.map(|name| name.strip_prefix('/').unwrap_or(name)).filter(|n| !n.is_empty()) {
            if !is_restricted_name(wanted) {
                return Err(DaemonError::BadName(wanted.to_owned()));
            }
            return match taken(wanted) {
                Some(id) => Err(DaemonError::NameTaken { name: wanted.to_owned(), id: id.to_string() }),
                None => Ok(wanted.to_owned()),
            };
        }
        for attempt in 0..6 {
            let name = random_name(&mut self.rng.borrow_mut(), attempt);
            if taken(&name).is_none() {
                return Ok(name);
            }
        }
        Ok(self.new_id().short())
    }

    fn endpoints(
        &self,
        host: &HostConfig,
        wanted: BTreeMap<String, EndpointRequest>,
    ) -> Result<BTreeMap<String, Endpoint>, DaemonError> {
        let mut out = BTreeMap::new();
        let mode = match host.network_mode.as_str() {
            "" | "default" => "bridge",
            other => other,
        };
        if mode.starts_with("container:") {
            return Ok(out);
        }
        let state = self.state.borrow();
        for (name, request) in wanted {
            let name = if name == "default" { "bridge" } else { &name };
            let network = state.network(name)?;
            network.check(&request)?;
            out.insert(network.name.clone(), Endpoint::wanted(request));
        }
        // A network that does not exist is missed at the start, as with Docker.
        let name = state.network(mode).map_or(mode, |network| network.name.as_str());
        out.entry(name.to_owned()).or_insert_with(|| Endpoint::wanted(EndpointRequest::default()));
        Ok(out)
    }

    fn resolve_mounts(&self, host: &HostConfig, config: &ContainerConfig) -> Result<Vec<ContainerMount>, DaemonError> {
        let mut out: BTreeMap<String, ContainerMount> = BTreeMap::new();
        for from in &host.volumes_from {
            let (name, mode) = from.split_once(':').unwrap_or((from, ""));
            if !mode
                .split(',')
                .all(|flag| matches!(flag, "" | "ro" | "rw" | "z" | "Z" | "cached" | "consistent" | "delegated"))
            {
                return Err(DaemonError::BadMountMode(mode.to_owned()));
            }
            let id = self.find(name)?;
            for mut mount in self.with(id, |c| c.mounts.clone()).unwrap_or_default() {
                mount.point.writable &= !mode.split(',').any(|flag| flag == "ro");
                // What is taken over is as it is: the image adds nothing to it (moby `registerMountPoints`).
                if let MountSource::Volume { copy, .. } = &mut mount.source {
                    *copy = false;
                }
                out.insert(mount.point.destination.clone(), mount);
            }
        }
        let mut seen = BTreeSet::new();
        for bind in &host.binds {
            let bad = || DaemonError::BadVolumeSpec(bind.clone());
            let mut parts = bind.split(':');
            let (source, target) = (parts.next().ok_or_else(bad)?, parts.next().ok_or_else(bad)?);
            let mode = parts.next().unwrap_or("");
            if parts.next().is_some() || source.is_empty() || target.is_empty() {
                return Err(bad());
            }
            let is_bind = source.starts_with('/');
            let known = |flag: &str| match flag {
                "" | "ro" | "rw" | "z" | "Z" => true,
                "nocopy" => !is_bind,
                "private" | "rprivate" | "shared" | "rshared" | "slave" | "rslave" | "cached" | "consistent"
                | "delegated" => is_bind,
                _ => false,
            };
            if !mode.split(',').all(known) {
                return Err(DaemonError::BadMountMode(mode.to_owned()));
            }
            if mode.split(',').any(|flag| flag.ends_with("shared") || flag.ends_with("slave")) {
                return Err(DaemonError::NotSimulated("a bind that is shared or a slave"));
            }
            let flag = |wanted: &str| mode.split(',').any(|flag| flag == wanted);
            let kind = if is_bind { "bind" } else { "volume" };
            let target = target_of(target, &mut seen).map_err(|why| why.of_mount(kind, Some(bind)))?;
            let mount = if is_bind {
                let now = self.kernel.now();
                let mounts = self.host.mounts.borrow();
                if mounts.find(&Caller::root(), source.as_bytes(), true).is_err() {
                    files::mkdir_all(&mounts, source.as_bytes(), 0o755, now)?;
                }
                bind_mount(source, &target, mode, !flag("ro"))
            } else {
                let request = VolumeCreate { name: source.to_owned(), ..VolumeCreate::default() };
                self.volume_mount(request, false, &target, mode, !flag("ro"), !flag("nocopy"))?
            };
            out.insert(target, mount);
        }
        for wanted in &host.mounts {
            let target = target_of(&wanted.target, &mut seen).map_err(|why| why.of_mount(wanted.kind.name(), None))?;
            let mount = match wanted.kind {
                MountKind::Bind => {
                    let mounts = self.host.mounts.borrow();
                    if mounts.find(&Caller::root(), wanted.source.as_bytes(), true).is_err() {
                        return Err(DaemonError::NoBindSource(wanted.source.clone()));
                    }
                    bind_mount(&wanted.source, &target, "", !wanted.read_only)
                }
                MountKind::Volume => {
                    let request = VolumeCreate { name: wanted.source.clone(), ..VolumeCreate::default() };
                    let anonymous = wanted.source.is_empty();
                    self.volume_mount(request, anonymous, &target, "z", !wanted.read_only, !wanted.no_copy)?
                }
                MountKind::Tmpfs => {
                    let (size_bytes, mode) = (wanted.tmpfs_size_bytes, wanted.tmpfs_mode);
                    let read_only = wanted.read_only;
                    let options = TmpfsOptions { size_bytes, mode, read_only, ..TmpfsOptions::default() };
                    tmpfs_mount(&target, options)
                }
            };
            out.insert(target, mount);
        }
        for (target, options) in &host.tmpfs {
            let target = target_of(target, &mut seen)?;
            let options = TmpfsOptions::parse(options)?;
            out.insert(target.clone(), tmpfs_mount(&target, options));
        }
        for target in &config.volumes {
            let target = path::normalize(target.as_bytes()).to_string();
            if target == "/" {
                return Err(DaemonError::MountOnRoot.of_mount("volume", Some(&target)));
            }
            if let std::collections::btree_map::Entry::Vacant(slot) = out.entry(target.clone()) {
                slot.insert(self.volume_mount(VolumeCreate::default(), true, &target, "", true, true)?);
            }
        }
        Ok(out.into_values().collect())
    }

    fn volume_mount(
        &self,
        request: VolumeCreate,
        anonymous: bool,
        target: &str,
        mode: &str,
        writable: bool,
        copy: bool,
    ) -> Result<ContainerMount, DaemonError> {
        let record = self.ensure_volume(request, anonymous)?;
        let point = MountPoint {
            kind: MountKind::Volume,
            name: record.name.clone(),
            source: record.mountpoint(),
            destination: target.to_owned(),
            driver: "local".to_owned(),
            mode: mode.to_owned(),
            writable,
            propagation: String::new(),
        };
        Ok(ContainerMount { point, source: MountSource::Volume { name: record.name, anonymous, copy } })
    }

    /// Makes the working directory in the container's own files (moby `SetupWorkingDirectory`).
    fn make_working_dir(&self, container: &Container) -> Result<(), DaemonError> {
        let dir = container.config.working_dir.as_str();
        if dir.is_empty() {
            return Ok(());
        }
        let files = Mounts::new(Mount::overlay("/", "overlay", "overlay", &container.root));
        match files.stat(&Caller::root(), dir.as_bytes(), true) {
            Ok(stat) if stat.is_dir() => Ok(()),
            Ok(_) => Err(DaemonError::WorkingDirIsFile(path::normalize(dir.as_bytes()).to_string())),
            Err(_) => Ok(files::mkdir_all(&files, dir.as_bytes(), 0o755, self.kernel.now()).map(drop)?),
        }
    }

    /// Removes a container that does not run, with everything that is its own.
    pub fn destroy(&self, id: ContainerId, volumes: bool) {
        self.unpublish_ports(id);
        self.leave_networks(id);
        self.collect_file_events();
        let Some(mut container) = self.state.borrow_mut().containers.remove(&id) else { return };
        container.removing = true;
        self.kernel.remove_cgroup(&id.to_string());
        let code = container.state.ended().map_or(0, |ended| ended.code);
        container.tell(code, &[WaitCondition::NotRunning, WaitCondition::NextExit, WaitCondition::Removed]);
        self.state.borrow_mut().execs.retain(|_, exec| exec.container != id);
        if let Some(chain) = container.chain {
            self.store.borrow_mut().release(chain);
        }
        let anonymous = container.mounts.iter().filter_map(|mount| match &mount.source {
            MountSource::Volume { name, anonymous: true, .. } if volumes => Some(name.clone()),
            _ => None,
        });
        for name in anonymous {
            let used = self.state.borrow().users_of_volume(&name).next().is_some();
            if !used {
                // A folder that can't be removed stays, as it would on a real host.
                let _ = self.delete_volume(&name);
            }
        }
        let now = self.kernel.now();
        let _ = files::remove_all(&self.host.mounts.borrow(), folder(id).as_bytes(), now);
        let attributes = [("image", container.config.image.clone()), ("name", container.name.clone())];
        self.emit(super::api::system::EventKind::Container, "destroy", id.to_string(), &attributes);
        drop(container);
    }
}

/// Where a mount goes to, cleaned; `seen` are those before it.
fn target_of(target: &str, seen: &mut BTreeSet<String>) -> Result<String, DaemonError> {
    if !target.starts_with('/') {
        return Err(DaemonError::RelativeMount(target.to_owned()));
    }
    let clean = path::normalize(target.as_bytes()).to_string();
    if clean == "/" {
        return Err(DaemonError::MountOnRoot);
    }
    if !seen.insert(clean.clone()) {
        return Err(DaemonError::DuplicateMount(clean));
    }
    Ok(clean)
}

fn bind_mount(source: &str, target: &str, mode: &str, writable: bool) -> ContainerMount {
    let point = MountPoint {
        kind: MountKind::Bind,
        name: String::new(),
        source: path::normalize(source.as_bytes()).to_string(),
        destination: target.to_owned(),
        driver: String::new(),
        mode: mode.to_owned(),
        writable,
        propagation: "rprivate".to_owned(),
    };
    ContainerMount { point, source: MountSource::Bind }
}

fn tmpfs_mount(target: &str, options: TmpfsOptions) -> ContainerMount {
    let point = MountPoint {
        kind: MountKind::Tmpfs,
        name: String::new(),
        source: String::new(),
        destination: target.to_owned(),
        driver: String::new(),
        mode: String::new(),
        writable: !options.read_only,
        propagation: String::new(),
    };
    ContainerMount { point, source: MountSource::Tmpfs(options) }
}
