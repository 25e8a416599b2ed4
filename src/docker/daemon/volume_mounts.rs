//! Volumes of the driver `local` with options: a folder or a `tmpfs` that is mounted on the volume's own folder while a
//! container that has it runs (moby `volume/local/local_unix.go`).

use std::collections::BTreeMap;

use super::api::system::EventKind;
use super::container::{Container, ContainerId, ContainerMount, MountSource, TmpfsOptions};
use super::errors::DaemonError;
use super::handle::World;
use super::rootfs::{mount_tmpfs, tmpfs};
use super::volume::VolumeRecord;
use crate::os::fs::mounts::Caller;
use crate::os::fs::overlay::ROOT;
use crate::os::kernel::mount::tmpfs_bytes;

/// Bytes of a tmpfs without a size.
const TMPFS_BYTES: u64 = 256 << 20;
/// Which option wants which others.
const WANTED: [(&str, &[&str]); 3] = [("device", &["type"]), ("o", &["device", "type"]), ("type", &["device"])];

/// Looks at the options of a volume that is created.
///
/// # Errors
/// One that is unknown, or wants another one.
pub fn check_options(name: &str, options: &BTreeMap<String, String>) -> Result<(), DaemonError> {
    let bad = |why: String| DaemonError::VolumeOption { name: name.to_owned(), why };
    if let Some(unknown) = options.keys().find(|key| !matches!(key.as_str(), "type" | "o" | "device" | "size")) {
        return Err(bad(format!("invalid option: \"{unknown}\"")));
    }
    if options.contains_key("size") {
        return Err(bad("quota size requested but no quota support".to_owned()));
    }
    let missing = WANTED.iter().filter(|(have, _)| options.contains_key(*have)).flat_map(|(_, wanted)| *wanted);
    match missing.into_iter().find(|wanted| !options.contains_key(**wanted)) {
        Some(wanted) => Err(bad(format!("missing required option: \"{wanted}\""))),
        None => Ok(()),
    }
}

impl World {
    /// Mounts what a container's volumes are made of, where nobody else has.
    ///
    /// # Errors
    /// A device that is not there, a kind of file system that is not simulated.
    pub fn mount_volumes(&self, container: &Container) -> Result<(), DaemonError> {
        for mount in &container.mounts {
            let MountSource::Volume { name, .. } = &mount.source else { continue };
            let record = self.state.borrow().volumes.get(name).cloned();
            if let Some(record) = record.filter(|record| !record.options.is_empty()) {
                self.mount_volume(&record)?;
            }
        }
        Ok(())
    }

    fn mount_volume(&self, record: &VolumeRecord) -> Result<(), DaemonError> {
        let at = record.mountpoint();
        let mut host = self.host.mounts.borrow_mut();
        if host.table().iter().any(|mount| mount.at == at) {
            return Ok(());
        }
        let option = |key: &str| record.options.get(key).map_or("", String::as_str);
        let (device, words) = (option("device"), option("o"));
        let failed = |why: String| DaemonError::VolumeMount { at: at.clone(), device: device.to_owned(), why };
        match option("type") {
            "tmpfs" => {
                let mut options = TmpfsOptions { exec: true, ..TmpfsOptions::default() };
                for word in words.split(',').filter(|word| !word.is_empty()) {
                    let (key, value) = word.split_once('=').unwrap_or((word, ""));
                    let number = || value.parse().map_err(|_| failed("invalid argument".to_owned()));
                    match key {
                        "size" => {
                            options.size_bytes =
                                tmpfs_bytes(value).ok_or_else(|| failed("invalid argument".to_owned()))?
                        }
                        "mode" => options.mode = u32::from_str_radix(value, 8).ok(),
                        "uid" => options.uid = number()?,
                        "gid" => options.gid = number()?,
                        "ro" => options.read_only = true,
                        "noexec" => options.exec = false,
                        _ => {}
                    }
                }
                let given = Some(options.size_bytes).filter(|bytes| *bytes > 0);
                let fs = tmpfs(self, given.unwrap_or(TMPFS_BYTES), options.mode.unwrap_or(0o1777));
                let now = self.kernel.now();
                fs.borrow_mut().set_meta(ROOT, now, |meta| (meta.uid, meta.gid) = (options.uid, options.gid))?;
                Ok(mount_tmpfs(&mut host, &at, device, &fs, given, options)?)
            }
            "none" | "bind" | "" if words.split(',').any(|word| matches!(word, "bind" | "rbind")) => {
                let missing = |_| failed("no such file or directory".to_owned());
                let place = host.find(&Caller::root(), device.as_bytes(), true).map_err(missing)?;
                let read_only = words.split(',').any(|word| word == "ro");
                Ok(host.bind(&place, at.as_bytes(), read_only, "/dev/vda1")?)
            }
            other => Err(failed(format!("file systems of type \"{other}\" are not simulated in Capas"))),
        }
    }

    /// Undoes it for the volumes that no other running container has.
    pub fn unmount_volumes(&self, id: ContainerId, mounts: &[ContainerMount]) {
        let state = self.state.borrow();
        for mount in mounts {
            let MountSource::Volume { name, .. } = &mount.source else { continue };
            let Some(record) = state.volumes.get(name).filter(|record| !record.options.is_empty()) else { continue };
            let in_use = state.users_of_volume(name).any(|other| other.id != id && other.state.run().is_some());
            if !in_use && let Ok(mut host) = self.host.mounts.try_borrow_mut() {
                // One that failed to be mounted is not there.
                let _ = host.unmount(record.mountpoint().as_bytes());
            }
        }
    }

    /// Tells of a container's volumes: `mount` as it starts, `unmount` as it ends.
    pub fn tell_of_volumes(&self, id: ContainerId, action: &'static str) {
        let mounts = self.with(id, |c| c.mounts.clone()).unwrap_or_default();
        for mount in mounts {
            let MountSource::Volume { name, .. } = &mount.source else { continue };
            let mut attributes = vec![("container", id.to_string())];
            if action == "mount" {
                attributes.push(("destination", mount.point.destination.clone()));
            }
            attributes.push(("driver", "local".to_owned()));
            if action == "mount" {
                attributes.push(("propagation", mount.point.propagation.clone()));
                attributes.push(("read/write", mount.point.writable.to_string()));
            }
            self.emit(EventKind::Volume, action, name.clone(), &attributes);
        }
    }
}
