//! What a build leaves: an image, or files.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use super::super::error::{BuildError, Located};
use super::super::world::World;
use super::state::State;
use super::{MAX_RESIDENT_BYTES, Solver, inline};
use crate::base::digest::ImageId;
use crate::base::rope::Rope;
use crate::docker::daemon::api::build::Export;
use crate::docker::image::config::{Form, History, Image, ImageConfig};
use crate::os::fs::archive;
use crate::os::fs::mounts::{Caller, Mount, Mounts};
use crate::os::fs::overlay::Overlay;

/// How long an image takes to be written down.
pub(super) const NAMING: Duration = Duration::from_millis(2);

impl Solver<'_> {
    /// The result's files as a tar (BuildKit `exporter/local`, `exporter/tar`).
    pub(super) async fn export_files(&self, export: Export) -> Result<Rope, Located> {
        let Some(state) = self.done.borrow_mut().remove(&self.plan.target) else {
            return Err(BuildError::Target(String::new()).into());
        };
        let (name, what) = match export {
            Export::Tar => ("exporting to client tarball", "sending tarball"),
            _ => ("exporting to client directory", "copying files"),
        };
        let step = self.trace.start(name);
        let root = Rc::new(RefCell::new(Overlay::new(2, state.tree, MAX_RESIDENT_BYTES)));
        let mounts = Mounts::new(Mount::overlay("/", "overlay", "overlay", &root));
        let packed = archive::pack(&mounts, &Caller::root(), b"/", b"", true);
        let tar = packed.map_err(|errno| BuildError::File { path: "/".to_owned(), errno })?;
        let part = step.status(what, tar.len(), 0);
        (self.world.sleep)(World::duration(12, tar.len(), 400)).await;
        part.done();
        step.done();
        Ok(tar)
    }

    /// The image of a stage.
    pub(super) fn image(&self, mut state: State) -> Image {
        for (key, value) in &self.request.labels {
            state.config.labels.insert(key.clone(), value.clone());
        }
        let inline_cache = if self.request.inline_cache { inline::document(&state) } else { Vec::new() };
        let history = with_times(state.history);
        Image::new(
            ImageConfig {
                architecture: self.world.architecture.to_owned(),
                os: "linux".to_owned(),
                author: state.author,
                config: state.config,
                created: history.iter().rev().find_map(|line| line.created),
                history,
                inline_cache,
                diff_ids: state.diff_ids,
                ..ImageConfig::default()
            },
            Form::BuildKit,
        )
    }

    /// How long the layers of a stage take to become an image's.
    pub(super) fn time_of_export(&self, state: &State) -> Duration {
        if state.missed.is_none() {
            return Duration::ZERO;
        }
        let store = self.world.store.borrow();
        World::duration(24, store.stack(state.chain()).last().map_or(0, |layer| layer.size_bytes), 250)
    }

    pub(super) async fn export(&self) -> Result<ImageId, Located> {
        let Some(state) = self.done.borrow_mut().remove(&self.plan.target) else {
            return Err(BuildError::Target(String::new()).into());
        };
        let step = self.trace.start("exporting to image");
        let layers = step.status("exporting layers", 0, 0);
        (self.world.sleep)(self.time_of_export(&state)).await;
        layers.done();
        if self.request.inline_cache {
            let preparing = step.status("preparing layers for inline cache", 0, 0);
            (self.world.sleep)(World::duration(3, 0, 1)).await;
            preparing.done();
        }
        // A linked layer is held by nobody else before the image is.
        let held = state.held.clone();
        let image = self.image(state);
        let id = image.id();
        let writing = step.status(format!("writing image {id}"), 0, 0);
        self.world.store.borrow_mut().add_image(image)?;
        drop(held);
        (self.world.sleep)(NAMING).await;
        writing.done();
        for tag in &self.request.tags {
            let naming = step.status(format!("naming to {tag}"), 0, 0);
            self.world.store.borrow_mut().tag(tag.clone(), id, (self.world.now)());
            naming.done();
        }
        step.done();
        Ok(id)
    }
}

/// Gives lines without a layer a time: that of the first layer after them, or of the last before (moby
/// `mobyexporter/writer.go` `normalizeLayersAndHistory`).
pub(super) fn with_times(mut history: Vec<History>) -> Vec<History> {
    let mut created = None;
    let mut missing = false;
    for line in &history {
        if line.created.is_some() {
            created = line.created;
            if missing {
                break;
            }
        } else {
            missing = true;
        }
    }
    missing = false;
    for line in &mut history {
        if line.created.is_some() {
            if missing {
                created = line.created;
            }
        } else {
            missing = true;
            line.created = created;
        }
    }
    history
}
