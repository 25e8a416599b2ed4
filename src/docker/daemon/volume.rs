//! Volumes: folders of the host under `/var/lib/docker/volumes`, known by name.

use std::collections::BTreeMap;

use super::api::Filters;
use super::api::container::PruneReport;
use super::api::system::EventKind;
use super::api::volume::{Volume, VolumeCreate};
use super::container::{Container, MountSource};
use super::errors::DaemonError;
use super::files;
use super::handle::{Daemon, Patterns, State, World, is_wanted, matches_label, prunable};
use crate::base::time::Timestamp;

/// Where volumes are.
pub const VOLUMES: &str = "/var/lib/docker/volumes";
/// The label of volumes that were made without a name.
pub const ANONYMOUS: &str = "com.docker.volume.anonymous";

/// A volume.
#[derive(Debug, Clone)]
pub struct VolumeRecord {
    /// Its name.
    pub name: String,
    /// When it was created.
    pub created: Timestamp,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Options.
    pub options: BTreeMap<String, String>,
}

impl VolumeRecord {
    /// Its files' folder on the host.
    pub fn mountpoint(&self) -> String {
        format!("{VOLUMES}/{}/_data", self.name)
    }
}

impl State {
    /// The containers that have a volume.
    pub fn users_of_volume<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Container> {
        self.containers.values().filter(move |c| {
            c.mounts.iter().any(|m| matches!(&m.source, MountSource::Volume { name: have, .. } if have == name))
        })
    }
}

impl World {
    /// Makes a volume, or finds the one of that name.
    pub fn ensure_volume(&self, request: VolumeCreate, anonymous: bool) -> Result<VolumeRecord, DaemonError> {
        if !matches!(request.driver.as_str(), "" | "local") {
            return Err(DaemonError::NoVolumeDriver(request.driver));
        }
        let mut labels = request.labels;
        let name = if request.name.is_empty() { self.new_id().hex() } else { request.name };
        if anonymous {
            labels.insert(ANONYMOUS.to_owned(), String::new());
        }
        if let Some(found) = self.state.borrow().volumes.get(&name) {
            return Ok(found.clone());
        }
        let valid = name.len() > 1
            && name.starts_with(|c: char| c.is_ascii_alphanumeric())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'));
        if name.len() == 1 {
            return Err(DaemonError::VolumeNameTooShort(name));
        }
        if !valid {
            return Err(DaemonError::BadVolumeName(name));
        }
        super::volume_mounts::check_options(&name, &request.driver_opts)?;
        let now = self.kernel.now();
        let record = VolumeRecord { name, created: now, labels, options: request.driver_opts };
        files::mkdir_all(&self.host.mounts.borrow(), record.mountpoint().as_bytes(), 0o755, now)?;
        self.state.borrow_mut().volumes.insert(record.name.clone(), record.clone());
        self.emit(EventKind::Volume, "create", record.name.clone(), &[("driver", "local".to_owned())]);
        Ok(record)
    }

    /// Removes a volume that nobody has.
    pub fn delete_volume(&self, name: &str) -> Result<u64, DaemonError> {
        let record = self.state.borrow_mut().volumes.remove(name);
        let Some(record) = record else { return Ok(0) };
        let now = self.kernel.now();
        let mounts = self.host.mounts.borrow();
        let size = files::size_bytes(&mounts, record.mountpoint().as_bytes());
        files::remove_all(&mounts, format!("{VOLUMES}/{name}").as_bytes(), now)?;
        drop(mounts);
        self.emit(EventKind::Volume, "destroy", name.to_owned(), &[("driver", "local".to_owned())]);
        Ok(size)
    }

    fn volume(&self, record: &VolumeRecord) -> Volume {
        let some = |table: &BTreeMap<String, String>| (!table.is_empty()).then(|| table.clone());
        Volume {
            // Volumes' times have no fractions.
            created_at: Timestamp::from_seconds(record.created.seconds()).rfc3339_nano(),
            driver: "local".to_owned(),
            labels: some(&record.labels),
            mountpoint: record.mountpoint(),
            name: record.name.clone(),
            options: some(&record.options),
            scope: "local".to_owned(),
            size_bytes: files::size_bytes(&self.host.mounts.borrow(), record.mountpoint().as_bytes()),
            ref_count: self.state.borrow().users_of_volume(&record.name).count() as u64,
        }
    }
}

impl Daemon {
    /// `POST /volumes/create`; one that is there is answered as it is.
    ///
    /// # Errors
    /// A name that can't be one, an unknown driver.
    pub fn volume_create(&self, request: VolumeCreate) -> Result<Volume, DaemonError> {
        let anonymous = request.name.is_empty();
        let record = self.0.ensure_volume(request, anonymous)?;
        Ok(self.0.volume(&record))
    }

    /// `GET /volumes`, by name.
    ///
    /// # Errors
    /// An unknown filter.
    pub fn volume_list(&self, filters: &Filters) -> Result<Vec<Volume>, DaemonError> {
        for name in filters.keys() {
            if !matches!(name.as_str(), "dangling" | "driver" | "label" | "name") {
                return Err(DaemonError::BadFilter(name.clone()));
            }
        }
        let dangling = is_wanted(filters, "dangling")?;
        let records: Vec<VolumeRecord> = {
            let state = self.0.state.borrow();
            let any =
                |key: &str, test: &dyn Fn(&str) -> bool| filters.get(key).is_none_or(|v| v.iter().any(|v| test(v)));
            let names = Patterns::of(filters, "name");
            let wanted = |r: &&VolumeRecord| {
                names.match_text(&r.name)
                    && any("driver", &|v| v == "local")
                    && dangling.is_none_or(|wanted| wanted == state.users_of_volume(&r.name).next().is_none())
                    && filters.get("label").is_none_or(|v| v.iter().all(|v| matches_label(&r.labels, v)))
            };
            state.volumes.values().filter(wanted).cloned().collect()
        };
        Ok(records.iter().map(|record| self.0.volume(record)).collect())
    }

    /// `GET /volumes/{name}`.
    ///
    /// # Errors
    /// No such volume.
    pub fn volume_inspect(&self, name: &str) -> Result<Volume, DaemonError> {
        let record = self.0.state.borrow().volumes.get(name).cloned();
        record.map(|record| self.0.volume(&record)).ok_or_else(|| DaemonError::NoSuchVolume(name.to_owned()))
    }

    /// `DELETE /volumes/{name}`.
    ///
    /// # Errors
    /// No such volume (unless forced), or one that containers have.
    pub fn volume_remove(&self, name: &str, force: bool) -> Result<(), DaemonError> {
        {
            let state = self.0.state.borrow();
            if !state.volumes.contains_key(name) {
                return if force { Ok(()) } else { Err(DaemonError::NoSuchVolume(name.to_owned())) };
            }
            let users: Vec<String> = state.users_of_volume(name).map(|c| c.id.to_string()).collect();
            if !users.is_empty() {
                return Err(DaemonError::VolumeInUse { name: name.to_owned(), containers: users.join(", ") });
            }
        }
        self.0.delete_volume(name).map(drop)
    }

    /// `POST /volumes/prune`: anonymous ones that nobody has, or with `all` every one.
    ///
    /// # Errors
    /// An unknown filter.
    pub fn volume_prune(&self, filters: &Filters) -> Result<PruneReport, DaemonError> {
        for name in filters.keys() {
            if !matches!(name.as_str(), "all" | "label" | "label!") {
                return Err(DaemonError::BadFilter(name.clone()));
            }
        }
        let all = is_wanted(filters, "all")? == Some(true);
        let names: Vec<String> = {
            let state = self.0.state.borrow();
            let unused = |r: &&VolumeRecord| {
                state.users_of_volume(&r.name).next().is_none()
                    && (all || r.labels.contains_key(ANONYMOUS))
                    && prunable(filters, &r.labels, r.created)
            };
            state.volumes.values().filter(unused).map(|r| r.name.clone()).collect()
        };
        let mut report = PruneReport::default();
        for name in names {
            report.space_reclaimed_bytes += self.0.delete_volume(&name)?;
            report.deleted.push(name);
        }
        Ok(report)
    }
}
