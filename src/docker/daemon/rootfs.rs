//! What a container's process sees as `/`: its layers, `/proc`, `/dev`, `/sys`, the files the daemon writes, its mounts.
//!
//! The mount points of these are an init layer below the writable one, as with overlay2, so that they are no change of
//! the container's.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::rc::Rc;

use bstr::BString;

use super::container::{Container, ContainerId, ContainerMount, MountSource, TmpfsOptions};
use super::errors::{DaemonError, RuntimeError};
use super::files;
use super::handle::World;
use super::limits::SysFs;
use super::links;
use crate::base::errno::Errno;
use crate::base::rope::Rope;
use crate::base::time::Timestamp;
use crate::os::fs::archive;
use crate::os::fs::layer::{Change, Layer};
use crate::os::fs::mounts::{Caller, Mount, Mounts};
use crate::os::fs::node::{Content, Entry, Kind, Meta};
use crate::os::fs::overlay::{Overlay, ROOT};
use crate::os::fs::tree::Tree;
use crate::os::kernel::TtyId;
use crate::os::kernel::proc_fs::ProcFs;
use crate::os::kernel::pts::{PTS_MAJOR, PtsFs};

/// Bytes that one container's writable layer may hold in memory.
const WRITABLE_BYTES: u64 = 1 << 30;
/// Bytes of a tmpfs without a size.
const TMPFS_BYTES: u64 = 256 << 20;
/// `/dev/shm` by default.
const SHM_BYTES: u64 = 64 << 20;

/// The host's init for containers that ask for one.
const INIT: &str = "/usr/bin/docker-init";
/// Where such a container has it.
pub const INIT_INSIDE: &str = "/sbin/docker-init";

/// The files that a container's own folder holds.
pub fn folder(id: ContainerId) -> String {
    format!("/var/lib/docker/containers/{id}")
}

/// A writable layer over an image, with the init layer between.
pub fn writable_layer(dev: u64, image: &Tree, now: Timestamp) -> Overlay {
    // The folder that is the root is as old as the container, and has the image's owner and mode.
    let mut root = image.get(b"").map_or_else(|| Meta::root(0o755, now), |node| node.entry.meta);
    root.mtime = now;
    let root: Layer = [(BString::default(), Change::Put(Entry::dir(root).into()))].into_iter().collect();
    Overlay::new(dev, image.with(&init_layer(image, now)).with(&root), WRITABLE_BYTES)
}

/// The mount points of a container that its image does not have (moby `daemon/initlayer/setup_unix.go`).
pub fn init_layer(image: &Tree, now: Timestamp) -> Layer {
    let mut entries: BTreeMap<BString, Change> = BTreeMap::new();
    let mut put = |path: &str, entry: Entry| {
        if image.get(path.as_bytes()).is_none() {
            entries.insert(path.into(), Change::Put(entry.into()));
        }
    };
    for dir in ["dev", "dev/pts", "dev/shm", "etc", "proc", "sys"] {
        put(dir, Entry::dir(Meta::root(0o755, now)));
    }
    for file in [".dockerenv", "dev/console", "etc/hostname", "etc/hosts", "etc/resolv.conf"] {
        put(file, Entry::file(Meta::root(0o755, now), ""));
    }
    put("etc/mtab", Entry::symlink(Meta::root(0o777, now), "/proc/mounts"));
    Layer::new(entries)
}

fn dev_fs(world: &World, tty: Option<TtyId>, devices: &[(String, Content)]) -> Rc<RefCell<Overlay>> {
    let now = world.kernel.now();
    let mut entries: BTreeMap<BString, Change> = BTreeMap::new();
    let root = Entry::dir(Meta::root(0o755, now));
    entries.insert(BString::default(), Change::Put(root.into()));
    let mut put = |path: &str, mode: u32, content: Content| {
        let entry = Entry::new(Meta::root(mode, now), content);
        entries.insert(path.into(), Change::Put(entry.into()));
    };
    for (name, minor) in [("null", 3), ("zero", 5), ("full", 7), ("random", 8), ("urandom", 9)] {
        put(name, 0o666, Content::CharDevice(1, minor));
    }
    put("tty", 0o666, Content::CharDevice(5, 0));
    for (path, device) in devices {
        put(path, 0o660, device.clone());
    }
    if tty.is_some() {
        put("console", 0o620, Content::CharDevice(PTS_MAJOR, 0));
    }
    for (name, target) in [
        ("core", "/proc/kcore"),
        ("fd", "/proc/self/fd"),
        ("ptmx", "pts/ptmx"),
        ("stdin", "/proc/self/fd/0"),
        ("stdout", "/proc/self/fd/1"),
        ("stderr", "/proc/self/fd/2"),
    ] {
        put(name, 0o777, Content::Symlink(target.into()));
    }
    for (name, mode) in [("pts", 0o755), ("shm", 0o1777), ("mqueue", 0o1777)] {
        put(name, mode, Content::Dir { opaque: false });
    }
    let tree = Tree::of([&Layer::new(entries)]);
    Rc::new(RefCell::new(Overlay::new(world.kernel.new_dev(), tree, SHM_BYTES)))
}

pub(super) fn tmpfs(world: &World, size_bytes: u64, mode: u32) -> Rc<RefCell<Overlay>> {
    let now = world.kernel.now();
    let root = Entry::dir(Meta::root(mode, now));
    let layer: Layer = [(BString::default(), Change::Put(root.into()))].into_iter().collect();
    Rc::new(RefCell::new(Overlay::new(world.kernel.new_dev(), Tree::of([&layer]), size_bytes)))
}

/// A `tmpfs`, of which `size_bytes` are told only where they are given.
pub(super) fn mount_tmpfs(
    mounts: &mut Mounts,
    at: &str,
    source: &str,
    fs: &Rc<RefCell<Overlay>>,
    size: Option<u64>,
    options: TmpfsOptions,
) -> Result<(), Errno> {
    let mut mount = Mount::overlay(at, source, "tmpfs", fs);
    let noexec = if options.exec { "" } else { "noexec," };
    let mut text = format!("nosuid,nodev,{noexec}relatime");
    if let Some(bytes) = size {
        text += &format!(",size={}k", bytes.div_ceil(1024));
    }
    if let Some(mode) = options.mode {
        text += &format!(",mode={mode:o}");
    }
    for (name, id) in [("uid", options.uid), ("gid", options.gid)] {
        if id != 0 {
            text += &format!(",{name}={id}");
        }
    }
    mount.options = text;
    mount.read_only = options.read_only;
    mounts.mount(mount)
}

/// With `--read-only`, the root is remounted after its mount points have been made.
fn frozen(mounts: Mounts, container: &Container) -> Result<Mounts, DaemonError> {
    let mut table = mounts.table().to_vec();
    let Some(root) = table.first_mut().filter(|_| container.host.read_only_rootfs) else { return Ok(mounts) };
    root.read_only = true;
    let mut read_only = Mounts::new(root.clone());
    for mount in table.into_iter().skip(1) {
        read_only.mount(mount)?;
    }
    Ok(read_only)
}

/// Files below `/proc` that may be covered (runc `libcontainer/rootfs_linux.go` `checkProcMount`).
const COVERABLE: [&str; 9] =
    ["cpuinfo", "diskstats", "meminfo", "stat", "swaps", "uptime", "loadavg", "slabinfo", "net/dev"];

impl World {
    /// Only the container's layers and its volumes.
    pub fn files_of(&self, container: &Container) -> Result<Mounts, DaemonError> {
        let mut mounts = self.layers_of(container);
        for mount in &container.mounts {
            self.add_mount(&mut mounts, mount)?;
        }
        frozen(mounts, container)
    }

    fn layers_of(&self, container: &Container) -> Mounts {
        let mut root = Mount::overlay("/", "overlay", "overlay", &container.root);
        root.options = super::graph::mount_options(&self.store.borrow(), container);
        Mounts::new(root)
    }

    /// The container whose network this one has: itself, or the one that it shares with.
    pub(super) fn network_owner(&self, container: &Container) -> ContainerId {
        let shared = container.host.network_mode.strip_prefix("container:");
        shared.and_then(|other| self.state.borrow().resolve(other).ok()).unwrap_or(container.id)
    }

    /// The files of a container's network are the host's (moby `container.NetworkMounts`).
    pub(super) fn bind_network_files(&self, mounts: &mut Mounts, container: &Container) -> Result<(), DaemonError> {
        let owner = self.network_owner(container);
        for (name, at) in [("hosts", "/etc/hosts"), ("hostname", "/etc/hostname"), ("resolv.conf", "/etc/resolv.conf")]
        {
            let path = format!("{}/{name}", folder(owner));
            if !container.mounts.iter().any(|mount| mount.point.destination == at) {
                let place = self.host.mounts.borrow().find(&Caller::root(), path.as_bytes(), true)?;
                mounts.bind(&place, at.as_bytes(), container.host.read_only_rootfs, "/dev/vda1")?;
            }
        }
        Ok(())
    }

    /// Everything a container's process sees.
    pub fn rootfs(&self, container: &Container, tty: Option<TtyId>) -> Result<Mounts, DaemonError> {
        let mut mounts = self.layers_of(container);
        // What the user mounts at a place stands in for what is usually there (moby `daemon/oci_linux.go` `withMounts`).
        let is_usual = |at: &str| !container.mounts.iter().any(|mount| mount.point.destination == at);
        if is_usual("/proc") {
            mounts.mount(Mount::synthetic("/proc", "proc", Rc::new(ProcFs::new(self.kernel.clone()))))?;
        }
        if is_usual("/dev") {
            let dev = dev_fs(self, tty, &self.devices(container)?);
            let mut mount = Mount::overlay("/dev", "tmpfs", "tmpfs", &dev);
            "nosuid,size=65536k,mode=755,inode64".clone_into(&mut mount.options);
            mounts.mount(mount)?;
        }
        if is_usual("/dev/pts") {
            let pts = PtsFs::new(self.kernel.clone(), &container.id.to_string());
            let mut pts = Mount::synthetic("/dev/pts", "devpts", Rc::new(pts));
            "nosuid,noexec,relatime,gid=5,mode=620,ptmxmode=666".clone_into(&mut pts.options);
            mounts.mount(pts)?;
        }
        if is_usual("/dev/shm") {
            let bytes = u64::try_from(container.host.shm_size_bytes).ok().filter(|n| *n > 0).unwrap_or(SHM_BYTES);
            let fs = tmpfs(self, bytes, 0o1777);
            mount_tmpfs(&mut mounts, "/dev/shm", "shm", &fs, Some(bytes), TmpfsOptions::default())?;
        }
        if is_usual("/sys") {
            let files = SysFs { now: self.kernel.now(), kernel: self.kernel.clone(), cgroup: container.id.to_string() };
            let mut sys = Mount::synthetic("/sys", "sysfs", Rc::new(files));
            sys.read_only = !container.host.privileged;
            mounts.mount(sys)?;
        }
        for mount in &container.mounts {
            let target = &mount.point.destination;
            if target.strip_prefix("/proc/").is_some_and(|below| !COVERABLE.contains(&below)) {
                return Err(DaemonError::Start(RuntimeError::InsideProc {
                    source_path: mount.point.source.clone(),
                    target: target.clone(),
                    root: super::graph::part(&container.folder.name(), "merged"),
                }));
            }
            self.add_mount(&mut mounts, mount)?;
        }
        self.bind_network_files(&mut mounts, container)?;
        let who = Caller::root();
        if !container.host.privileged && is_usual("/proc") {
            // moby `oci/defaults.go`, `ReadonlyPaths`, of what is there.
            for at in ["/proc/sys", "/proc/sysrq-trigger"] {
                let place = mounts.find(&who, at.as_bytes(), true)?;
                let mut mount = Mount::synthetic(at, "proc", Rc::new(ProcFs::new(self.kernel.clone())));
                (mount.backing, mount.root, mount.read_only) = (place.backing, place.node, true);
                mounts.mount(mount)?;
            }
        }
        if container.host.init == Some(true) {
            let place = self.host.mounts.borrow().find(&who, INIT.as_bytes(), true)?;
            if mounts.stat(&who, INIT_INSIDE.as_bytes(), true).is_err() {
                files::mkdir_all(&mounts, b"/sbin", 0o755, self.kernel.now())?;
                files::write(&mounts, INIT_INSIDE.as_bytes(), 0o755, &Rope::new(), self.kernel.now())?;
            }
            mounts.bind(&place, INIT_INSIDE.as_bytes(), true, "/dev/vda1")?;
        }
        frozen(mounts, container)
    }

    /// The nodes of `--device`, as the host has them: path below `/dev` and device.
    fn devices(&self, container: &Container) -> Result<Vec<(String, Content)>, DaemonError> {
        let host = self.host.mounts.borrow();
        let node = |[from, to, _]: &[String; 3]| {
            let missing = || DaemonError::NoDevice(from.clone());
            let found = host.find(&Caller::root(), from.as_bytes(), true).map_err(|_| missing())?;
            let below = to.strip_prefix("/dev/").filter(|name| !name.contains('/'));
            let node = found.content()?;
            if !matches!(node, Content::CharDevice(..) | Content::BlockDevice(..)) {
                return Err(DaemonError::NotADevice(from.clone()));
            }
            let below = below.ok_or(DaemonError::NotSimulated("--device to other than directly below /dev"))?;
            Ok((below.to_owned(), node))
        };
        container.host.devices.iter().map(node).collect()
    }

    fn add_mount(&self, mounts: &mut Mounts, mount: &ContainerMount) -> Result<(), DaemonError> {
        let now = self.kernel.now();
        let at = mount.point.destination.as_str();
        if let MountSource::Tmpfs(options) = mount.source {
            files::mkdir_all(mounts, at.as_bytes(), 0o755, now)?;
            let given = Some(options.size_bytes).filter(|n| *n > 0);
            let fs = tmpfs(self, given.unwrap_or(TMPFS_BYTES), options.mode.unwrap_or(0o1777));
            fs.borrow_mut().set_meta(ROOT, now, |meta| (meta.uid, meta.gid) = (options.uid, options.gid))?;
            return Ok(mount_tmpfs(mounts, at, "tmpfs", &fs, given, options)?);
        }
        let host = self.host.mounts.borrow();
        let place = host.find(&Caller::root(), mount.point.source.as_bytes(), true)?;
        let is_dir = place.meta()?.0 == Kind::Dir;
        match mounts.stat(&Caller::root(), at.as_bytes(), true) {
            Ok(stat) if stat.is_dir() != is_dir => {
                return Err(DaemonError::Start(RuntimeError::MountKind {
                    source_path: mount.point.source.clone(),
                    target: at.to_owned(),
                }));
            }
            Ok(_) => {}
            Err(_) if is_dir => drop(files::mkdir_all(mounts, at.as_bytes(), 0o755, now)?),
            Err(_) => drop(files::write(mounts, at.as_bytes(), 0o755, &Rope::new(), now)?),
        }
        // A volume may be a file system of its own.
        let volume =
            host.table().iter().rfind(|mounted| mounted.at == place.path && mounted.fs_type == "tmpfs").cloned();
        if let Some(mut volume) = volume {
            volume.at = at.into();
            volume.read_only |= !mount.point.writable;
            return Ok(mounts.mount(volume)?);
        }
        Ok(mounts.bind(&place, at.as_bytes(), !mount.point.writable, "/dev/vda1")?)
    }

    /// Fills empty volumes with what the image has at their place (moby `daemon/create_unix.go` `populateVolumes`).
    pub fn populate_volumes(&self, container: &Container) -> Result<(), DaemonError> {
        let now = self.kernel.now();
        let image = Mounts::new(Mount::overlay("/", "overlay", "overlay", &container.root));
        let who = Caller::root();
        for mount in &container.mounts {
            let MountSource::Volume { copy: true, .. } = mount.source else { continue };
            let at = mount.point.destination.as_bytes();
            let Ok(stat) = image.stat(&who, at, true) else { continue };
            let host = self.host.mounts.borrow();
            let to = mount.point.source.as_bytes();
            if !stat.is_dir() || !host.readdir(&who, to)?.is_empty() {
                continue;
            }
            let real = image.find(&who, at, true)?.path;
            let tar = archive::pack(&image, &Caller::root(), &real, b"", true)?;
            archive::unpack(&host, &files::root(now), to, &tar, false, None)
                .map_err(|_| DaemonError::Errno(Errno::EIO))?;
            let root = files::root(now);
            host.chown(&root, to, Some(stat.meta.uid), Some(stat.meta.gid), false)?;
            host.chmod(&root, to, stat.meta.mode)?;
        }
        Ok(())
    }

    /// Writes `/etc/hosts`, `/etc/hostname`, `/etc/resolv.conf` of a container into its folder on the host.
    pub fn write_network_files(&self, container: &Container) -> Result<(), DaemonError> {
        let now = self.kernel.now();
        let host = self.host.mounts.borrow();
        let write = |name: &str, text: String| {
            let path = format!("{}/{name}", folder(container.id));
            files::write(&host, path.as_bytes(), 0o644, &text.into_bytes().into(), now).map(drop)
        };
        let hostname = &container.config.hostname;
        write("hostname", format!("{hostname}\n"))?;
        let mut hosts = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nfe00::\tip6-localnet\n\
            ff00::\tip6-mcastprefix\nff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n"
            .to_owned();
        let state = self.state.borrow();
        let gateway = container
            .endpoints
            .keys()
            .filter_map(|name| state.network(name).ok()?.gateway)
            .next()
            .unwrap_or(Ipv4Addr::new(172, 17, 0, 1));
        for extra in &container.host.extra_hosts {
            if let Some((name, address)) = extra.split_once([':', '=']) {
                let address = if address == "host-gateway" { gateway.to_string() } else { address.to_owned() };
                hosts.push_str(&format!("{address}\t{name}\n"));
            }
        }
        for link in &container.host.links {
            let (target, alias) = links::names(link);
            let linked = state.resolve(target).ok().and_then(|id| state.containers.get(&id));
            let address = linked.and_then(|c| c.endpoints.values().find_map(|e| e.address));
            if let (Some(address), Some(linked)) = (address, linked) {
                hosts.push_str(&format!("{address}\t{alias} {}", linked.config.hostname));
                if alias != linked.name {
                    hosts.push_str(&format!(" {}", linked.name));
                }
                hosts.push('\n');
            }
        }
        for address in container.endpoints.values().filter_map(|e| e.address) {
            match container.config.domainname.as_str() {
                "" => hosts.push_str(&format!("{address}\t{hostname}\n")),
                domain => hosts.push_str(&format!("{address}\t{hostname}.{domain} {hostname}\n")),
            }
        }
        write("hosts", hosts)?;
        let user_defined =
            container.endpoints.keys().any(|name| state.network(name).is_ok_and(super::network::Network::has_names));
        let resolv = super::resolv::text(&container.host, &self.settings.borrow(), user_defined);
        write("resolv.conf", resolv)?;
        Ok(())
    }
}
