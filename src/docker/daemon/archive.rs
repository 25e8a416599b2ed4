//! Files in and out of containers, and containers as images: `cp`, `diff`, `export`, `commit`.

use std::sync::Arc;

use super::api::container::{ChangeKind, CommitRequest, FilesystemChange, PathStat, PutArchiveOptions};
use super::api::system::EventKind;
use super::container::{ContainerId, State};
use super::errors::DaemonError;
use super::events::{Logged, Sealed};
use super::files;
use super::handle::{Daemon, World};
use crate::base::digest::ImageId;
use crate::base::errno::Errno;
use crate::base::path;
use crate::base::rope::Rope;
use crate::docker::dockerfile::parse;
use crate::docker::dockerfile::quote::go_quote;
use crate::docker::image::change;
use crate::docker::image::config::{ContainerConfig, Form, History, Image, ImageConfig};
use crate::docker::image::reference::Reference;
use crate::os::fs::archive::{self, UnpackError};
use crate::os::fs::mounts::{Caller, Mounts};
use crate::os::fs::overlay::Difference;

impl World {
    /// A container's files as a client of `cp` sees them: its layers, its volumes and the files of its network.
    fn container_files(&self, id: ContainerId) -> Result<Mounts, DaemonError> {
        let state = self.state.borrow();
        let missing = || DaemonError::NoSuchContainer(id.to_string());
        let container = state.containers.get(&id).ok_or_else(missing)?;
        let mut mounts = self.files_of(container)?;
        self.bind_network_files(&mut mounts, container)?;
        Ok(mounts)
    }
}

/// The path as from the root, a trailing `/.` or slash told apart.
fn absolute(path: &[u8]) -> bstr::BString {
    path::join(b"/", path)
}

impl Daemon {
    /// A container's files as `cp` sees them: its layers, its volumes and the files of its network. For those who only look.
    ///
    /// # Errors
    /// No such container.
    pub fn container_files(&self, name: &str) -> Result<Mounts, DaemonError> {
        self.0.container_files(self.0.find(name)?)
    }

    /// `GET /containers/{id}/changes`.
    ///
    /// # Errors
    /// No such container.
    pub fn container_changes(&self, name: &str) -> Result<Vec<FilesystemChange>, DaemonError> {
        let id = self.0.find(name)?;
        let differences = self.0.with(id, |c| c.root.borrow().differences()).unwrap_or_default();
        let kind = |difference| match difference {
            Difference::Added => ChangeKind::Add,
            Difference::Changed => ChangeKind::Modify,
            Difference::Deleted => ChangeKind::Delete,
        };
        Ok(differences.into_iter().map(|(path, d)| FilesystemChange { kind: kind(d), path }).collect())
    }

    /// `HEAD /containers/{id}/archive`.
    ///
    /// # Errors
    /// No such container or file.
    pub fn archive_stat(&self, name: &str, path: &[u8]) -> Result<PathStat, DaemonError> {
        let id = self.0.find(name)?;
        let mounts = self.0.container_files(id)?;
        stat(&mounts, name, path)
    }

    /// `GET /containers/{id}/archive`: a tar whose top entry is the last name of `path`, which may be a dot.
    ///
    /// # Errors
    /// No such container or file.
    pub fn archive_get(&self, name: &str, path: &[u8]) -> Result<(Rope, PathStat), DaemonError> {
        let id = self.0.find(name)?;
        let mounts = self.0.container_files(id)?;
        let stat = stat(&mounts, name, path)?;
        let at = path::normalize(&absolute(path));
        // moby `daemon/archive_unix.go` `containerArchivePath`: the last element of the path as it was written.
        let is_content = path.ends_with(b"/.") || path == b".";
        let as_name =
            if is_content || stat.name == "/" || stat.name.is_empty() { b".".to_vec() } else { stat.name.to_vec() };
        let tar = archive::pack(&mounts, &Caller::root(), &at, &as_name, false)?;
        Ok((tar, stat))
    }

    /// `PUT /containers/{id}/archive`: unpacks a tar in the directory `path`.
    ///
    /// # Errors
    /// No such container or directory; what can't be written.
    pub fn archive_put(
        &self,
        name: &str,
        path: &[u8],
        tar: &Rope,
        options: PutArchiveOptions,
    ) -> Result<(), DaemonError> {
        let id = self.0.find(name)?;
        let mounts = self.0.container_files(id)?;
        let at = absolute(path);
        let place = mounts.find(&Caller::root(), &at, true).map_err(|_| no_file(name, path))?;
        if !mounts.stat(&Caller::root(), &at, true)?.is_dir() {
            return Err(DaemonError::NotADirectory);
        }
        if place.read_only {
            let read_only_root = self.0.with(id, |c| c.host.read_only_rootfs) == Some(true);
            return Err(if read_only_root { DaemonError::ReadOnlyRootfs } else { DaemonError::ReadOnlyVolume });
        }
        let owner = (!options.copy_uid_gid).then_some((0, 0));
        let who = files::root(self.0.kernel.now());
        let unpacked = archive::unpack(&mounts, &who, &place.path, tar, options.no_overwrite_dir_non_dir, owner);
        unpacked.map_err(|error| match error {
            UnpackError::Tar(error) => DaemonError::Tar(error),
            UnpackError::Errno(error) => DaemonError::Errno(error),
            UnpackError::Overwrite { directory_is_there, path } => {
                let (what, by) =
                    if directory_is_there { ("directory", "non-directory") } else { ("non-directory", "directory") };
                DaemonError::Overwrite { what, by, path: path.to_string() }
            }
        })?;
        self.0.emit_container(id, "extract-to-dir", &[]);
        self.0.changed();
        Ok(())
    }

    /// `GET /containers/{id}/export`: the merged files, without volumes.
    ///
    /// # Errors
    /// No such container.
    pub fn container_export(&self, name: &str) -> Result<Rope, DaemonError> {
        let id = self.0.find(name)?;
        let root = self.0.with(id, |c| std::rc::Rc::clone(&c.root));
        let root = root.ok_or_else(|| DaemonError::NoSuchContainer(name.to_owned()))?;
        let mounts = Mounts::new(crate::os::fs::mounts::Mount::overlay("/", "overlay", "overlay", &root));
        let tar = archive::pack(&mounts, &Caller::root(), b"/", b"", true)?;
        self.0.emit_container(id, "export", &[]);
        Ok(tar)
    }

    /// `POST /commit`.
    ///
    /// # Errors
    /// No such container, a name that can't be one, a change that can't be made.
    pub fn commit(&self, request: CommitRequest) -> Result<ImageId, DaemonError> {
        let world = &self.0;
        let id = world.find(&request.container)?;
        let reference = match request.reference.as_str() {
            "" => None,
            text => Some(Reference::parse(text)?),
        };
        let found = world.with(id, |c| {
            let pausable = request.pause && matches!(c.state, State::Running(_));
            (c.root.borrow().upper(), c.image, c.chain, c.config.clone(), pausable)
        });
        let Some((layer, image, chain, own, _)) = found else {
            return Err(DaemonError::NoSuchContainer(request.container));
        };
        let mut config = own.clone();
        apply_changes(&mut config, &request.changes)?;
        let now = world.kernel.now();
        let mut store = world.store.borrow_mut();
        let base = store.image(image).map(|image| image.config().clone()).unwrap_or_default();
        let (empty, paths) = (layer.is_empty(), layer.len());
        let held = if empty { None } else { Some(store.register(chain, Arc::new(layer))?) };
        let mut diff_ids = base.diff_ids.clone();
        diff_ids.extend(held.and_then(|held| store.layer(held)).map(|layer| layer.diff_id));
        let mut history = base.history.clone();
        history.push(History {
            created: Some(now),
            created_by: own.cmd.as_deref().unwrap_or_default().join(" "),
            author: request.author.clone(),
            comment: request.comment.clone(),
            empty_layer: empty,
        });
        let document = ImageConfig {
            architecture: base.architecture.clone(),
            variant: base.variant.clone(),
            os: base.os.clone(),
            author: request.author,
            comment: request.comment.clone(),
            config: config.clone(),
            container: id.to_string(),
            container_config: Some(own),
            created: Some(now),
            docker_version: super::api::SERVER_VERSION.to_owned(),
            history,
            inline_cache: Vec::new(),
            diff_ids,
        };
        let made = store.add_image(Image::new(document, Form::Classic))?;
        store.set_parent(made, image);
        let sealed = held.and_then(|held| store.layer(held)).map(super::super::image::store::StoredLayer::named);
        // The image holds the layer from now on.
        if let Some(held) = held {
            store.release(held);
        }
        if let Some(reference) = reference.clone() {
            store.tag(reference, made, now);
        }
        drop(store);
        if let Some(layer) = sealed {
            world.collect_file_events();
            world.events.push_all([Logged::Sealed(Sealed { container: id.to_string(), layer, paths })]);
        }
        world.emit_container(id, "commit", &[("comment", request.comment), ("imageID", made.to_string())]);
        if let Some(reference) = reference {
            let name = reference.with_default_tag().familiar();
            world.emit(EventKind::Image, "tag", made.to_string(), &[("name", name)]);
        }
        Ok(made)
    }
}

fn no_file(container: &str, path: &[u8]) -> DaemonError {
    DaemonError::NoSuchFile { path: String::from_utf8_lossy(path).into_owned(), container: container.to_owned() }
}

fn stat(mounts: &Mounts, container: &str, path: &[u8]) -> Result<PathStat, DaemonError> {
    let at = absolute(path);
    let who = Caller::root();
    let found = mounts.stat(&who, &at, false).map_err(|error| match error {
        Errno::ENOENT | Errno::ENOTDIR => no_file(container, path),
        other => DaemonError::Errno(other),
    })?;
    let normal = path::normalize(&at);
    let target = mounts.readlink(&who, &normal).ok();
    let link_target = match target {
        // Links are told as absolute paths within the container.
        Some(target) => mounts
            .find(&who, &normal, true)
            .map_or_else(|_| path::normalize(&path::join(path::parent(&normal), &target)), |place| place.path),
        None => bstr::BString::default(),
    };
    Ok(PathStat {
        name: path::file_name(&normal).to_owned(),
        size_bytes: found.size_bytes,
        mode: found.mode(),
        mtime: found.meta.mtime,
        link_target,
    })
}

/// Changes a config as the instructions of `--change` say (moby `builder/dockerfile/builder.go`, `BuildFromConfig`).
///
/// # Errors
/// Instructions that can't be read, are none, or say what can't be.
pub fn apply_changes(config: &mut ContainerConfig, lines: &[String]) -> Result<(), DaemonError> {
    let bad = |why: &dyn std::fmt::Display| DaemonError::BadChange(why.to_string());
    let check = |keyword: &str| match keyword.to_lowercase() {
        keyword if CHANGES.contains(&keyword.as_str()) => Ok(()),
        keyword => Err(bad(&format_args!("{} is not a valid change command", go_quote(&keyword)))),
    };
    for line in lines {
        check(line.split_whitespace().next().unwrap_or_default())?;
    }
    // All of them are one text, below a line that makes it a Dockerfile.
    let file = parse(&format!("FROM scratch\n{}", lines.join("\n"))).map_err(|mut error| {
        (error.span.start, error.span.end) = (error.span.start.saturating_sub(1), error.span.end.saturating_sub(1));
        bad(&error)
    })?;
    if file.stages.len() > 1 {
        check("from")?;
    }
    let mut cmd_set = false;
    for instruction in file.stages.iter().flat_map(|stage| &stage.instructions) {
        check(&instruction.keyword)?;
        let escape = file.directives.escape;
        let (command, _) = change::expand(&instruction.command, escape, &config.env).map_err(|error| bad(&error))?;
        change::apply(config, &command, &mut cmd_set).map_err(|error| bad(&error))?;
    }
    Ok(())
}

/// What `--change` takes.
const CHANGES: [&str; 11] = [
    "cmd",
    "entrypoint",
    "healthcheck",
    "env",
    "expose",
    "label",
    "onbuild",
    "stopsignal",
    "user",
    "volume",
    "workdir",
];
