//! Images: lists, histories, names, removal, pulls.

use crate::base::sort::Arrange;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::api::Filters;
use super::api::container::{Document, PruneReport};
use super::api::image::{HistoryItem, ImageListOptions, ImageSummary, Removal};
use super::api::system::EventKind;
use super::errors::DaemonError;
use super::graph;
use super::handle::{Daemon, World, is_wanted, matches_label, prunable};
use crate::base::digest::{ChainId, ImageId};
use crate::base::time::Timestamp;
use crate::docker::image::config::{Form, History, ImageConfig};
use crate::docker::image::delete::{self, DeleteOptions, Usage};
use crate::docker::image::reference::{Reference, ReferenceError};
use crate::docker::image::store::{Store, StoredLayer};

impl World {
    /// Who uses an image.
    pub fn usage(&self, id: ImageId) -> Usage {
        let mut usage = Usage::default();
        for container in self.state.borrow().containers.values().filter(|c| c.image == id) {
            let to = if container.state.run().is_some() { &mut usage.running } else { &mut usage.stopped };
            to.get_or_insert_with(|| container.id.short());
        }
        usage
    }

    /// What `docker images` shows of one.
    pub fn image_summary(&self, store: &Store, id: ImageId) -> Option<ImageSummary> {
        let config = store.image(id)?.config();
        let (mut repo_tags, mut repo_digests) = (Vec::new(), Vec::new());
        for reference in store.references_to(id) {
            let to = if reference.digest().is_some() { &mut repo_digests } else { &mut repo_tags };
            to.push(reference.familiar());
        }
        Some(ImageSummary {
            id,
            parent_id: store.parent(id).map(|parent| parent.to_string()).unwrap_or_default(),
            repo_tags,
            repo_digests,
            created: config.created,
            size_bytes: store.image_size_bytes(id),
            shared_size_bytes: -1,
            containers: -1,
            labels: config.config.labels.clone(),
        })
    }

    /// The lines of an image's history with the layers they made.
    pub fn history_with_layers(store: &Store, id: ImageId) -> Vec<(History, Option<ChainId>)> {
        let Some(image) = store.image(id) else { return Vec::new() };
        let mut chains = store.stack(image.config().chain_id()).into_iter().map(|layer| layer.chain_id);
        image
            .config()
            .history
            .iter()
            .map(|line| (line.clone(), if line.empty_layer { None } else { chains.next() }))
            .collect()
    }
}

fn newest_first(images: &mut [ImageSummary]) {
    images.arrange_by_key(|image| std::cmp::Reverse((image.created, image.id)));
}

impl Daemon {
    /// `GET /images/json`, newest first.
    ///
    /// # Errors
    /// An unknown filter, an image to compare with that is not there.
    pub fn image_list(&self, options: &ImageListOptions) -> Result<Vec<ImageSummary>, DaemonError> {
        const KNOWN: [&str; 6] = ["before", "dangling", "label", "reference", "since", "until"];
        if let Some(name) = options.filters.keys().find(|name| !KNOWN.contains(&name.as_str())) {
            return Err(DaemonError::BadFilter(name.clone()));
        }
        let store = self.0.store.borrow();
        let created = |name: &str| -> Result<Option<Timestamp>, DaemonError> {
            let id = store.resolve(name)?;
            Ok(store.image(id).and_then(|image| image.config().created))
        };
        let first = |key: &str| options.filters.get(key).and_then(|values| values.first());
        let before = first("before").map(|name| created(name)).transpose()?;
        let since = first("since").map(|name| created(name)).transpose()?;
        let dangling = is_wanted(&options.filters, "dangling")?;
        let mut out = Vec::new();
        for image in store.images() {
            let id = image.id();
            let has_names = !store.references_to(id).is_empty();
            // What is between two images of a classic build is shown with --all only.
            if !has_names && store.children(id).next().is_some() && !options.all {
                continue;
            }
            let Some(mut summary) = self.0.image_summary(&store, id) else { continue };
            if dangling.is_some_and(|wanted| wanted != summary.repo_tags.is_empty())
                || before.is_some_and(|before| summary.created >= before)
                || since.is_some_and(|since| summary.created <= since)
                || !options.filters.get("label").is_none_or(|v| v.iter().all(|v| matches_label(&summary.labels, v)))
            {
                continue;
            }
            if let Some(patterns) = options.filters.get("reference") {
                let matches = |name: &String| {
                    let repository = name.rsplit_once([':', '@']).map_or(name.as_str(), |(repository, _)| repository);
                    patterns.iter().any(|p| glob(p, name) || glob(p, repository))
                };
                summary.repo_tags.retain(|name| matches(name));
                summary.repo_digests.retain(|name| matches(name));
                if summary.repo_tags.is_empty() && summary.repo_digests.is_empty() {
                    continue;
                }
            }
            out.push(summary);
        }
        newest_first(&mut out);
        Ok(out)
    }

    /// `GET /images/{name}/history`, newest first.
    ///
    /// # Errors
    /// No such image.
    pub fn image_history(&self, name: &str) -> Result<Vec<HistoryItem>, DaemonError> {
        let store = self.0.store.borrow();
        let id = store.resolve(name)?;
        let mut out: Vec<HistoryItem> = World::history_with_layers(&store, id)
            .into_iter()
            .map(|(line, chain)| HistoryItem {
                id: "<missing>".to_owned(),
                created: line.created,
                created_by: line.created_by,
                tags: Vec::new(),
                size_bytes: chain.and_then(|chain| store.layer(chain)).map_or(0, |layer| layer.size_bytes),
                comment: line.comment,
            })
            .collect();
        out.reverse();
        // Only images that are here have ids: this one and, of a classic build, those it was made from.
        let mut next = Some(id);
        for item in &mut out {
            let Some(own) = next else { break };
            item.id = own.to_string();
            item.tags =
                store.references_to(own).iter().filter(|r| r.digest().is_none()).map(Reference::familiar).collect();
            next = store.parent(own);
        }
        Ok(out)
    }

    /// `GET /images/{name}/json`.
    ///
    /// # Errors
    /// No such image.
    pub fn image_inspect(&self, name: &str) -> Result<Document, DaemonError> {
        let store = self.0.store.borrow();
        let id = store.resolve(name)?;
        let missing = || DaemonError::NoSuchImage(name.to_owned());
        let config = store.image(id).ok_or_else(missing)?.config();
        let summary = self.0.image_summary(&store, id).ok_or_else(missing)?;
        let stack = store.stack(config.chain_id());
        let dir = |layer: &StoredLayer, part: &str| graph::part(&layer.folder.name(), part);
        let mut driver = serde_json::Map::new();
        if let Some((top, below)) = stack.split_last() {
            if !below.is_empty() {
                let lower: Vec<String> = below.iter().rev().map(|layer| dir(layer, "diff")).collect();
                driver.insert("LowerDir".to_owned(), lower.join(":").into());
            }
            for (key, part) in [("MergedDir", "merged"), ("UpperDir", "diff"), ("WorkDir", "work")] {
                driver.insert(key.to_owned(), dir(top, part).into());
            }
        }
        let time = |time: Option<Timestamp>| time.map_or_else(String::new, Timestamp::rfc3339_nano);
        let diff_ids: Vec<String> = config.diff_ids.iter().map(ToString::to_string).collect();
        Ok(json!({
            "Id": id.to_string(),
            "RepoTags": summary.repo_tags,
            "RepoDigests": summary.repo_digests,
            "Parent": summary.parent_id,
            "Comment": config.history.last().map_or("", |line| line.comment.as_str()),
            "Created": time(config.created),
            "DockerVersion": config.docker_version,
            "Author": config.author,
            "Config": config.config.to_value(Form::Classic),
            "Architecture": config.architecture,
            "Os": config.os,
            "Size": summary.size_bytes,
            "GraphDriver": {"Data": Value::Object(driver), "Name": "overlay2"},
            "RootFS": {"Type": "layers", "Layers": diff_ids},
            "Metadata": {
                "LastTagTime": store.last_tagged(id).map_or_else(|| "0001-01-01T00:00:00Z".to_owned(), Timestamp::rfc3339_nano),
            },
        }))
    }

    /// `POST /images/{name}/tag`.
    ///
    /// # Errors
    /// No such image; a name that can't be one.
    pub fn image_tag(&self, name: &str, target: &str) -> Result<(), DaemonError> {
        let reference = Reference::parse(target)?;
        let id = self.0.store.borrow().resolve(name)?;
        // What a digest begins with can't be a name (moby `reference/store.go` `AddTag`).
        if reference.repository().familiar() == "sha256" {
            return Err(ReferenceError::DigestName.into());
        }
        let familiar = reference.clone().with_default_tag().familiar();
        self.0.store.borrow_mut().tag(reference, id, self.0.kernel.now());
        self.0.emit(EventKind::Image, "tag", id.to_string(), &[("name", familiar)]);
        Ok(())
    }

    /// `DELETE /images/{name}`: what went; each prints as the line of `docker rmi`.
    ///
    /// # Errors
    /// No such image; what keeps it.
    pub fn image_remove(&self, name: &str, force: bool, prune_parents: bool) -> Result<Vec<Removal>, DaemonError> {
        let options = DeleteOptions { force, prune_parents };
        let removed = delete::delete(&mut self.0.store.borrow_mut(), name, options, &|id| self.0.usage(id));
        let removed = removed.map_err(|error| match error {
            delete::DeleteError::Store(error) => DaemonError::Store(error),
            other => DaemonError::Delete(other),
        })?;
        self.tell_removals(&removed);
        Ok(removed)
    }

    fn tell_removals(&self, removed: &[Removal]) {
        for removal in removed {
            match removal {
                Removal::Untagged(_, id) => {
                    self.0.emit(EventKind::Image, "untag", id.to_string(), &[("name", id.to_string())]);
                }
                Removal::Image(id) => {
                    self.0.emit(EventKind::Image, "delete", id.to_string(), &[("name", id.to_string())]);
                }
                Removal::Layer(_) => self.0.changed(),
            }
        }
    }

    /// `POST /images/prune`: those without a name, or, with `dangling=false`, all that nobody uses.
    ///
    /// # Errors
    /// An unknown filter.
    pub fn image_prune(&self, filters: &Filters) -> Result<PruneReport, DaemonError> {
        if let Some(name) = filters.keys().find(|n| !matches!(n.as_str(), "dangling" | "label" | "label!" | "until")) {
            return Err(DaemonError::BadFilter(name.clone()));
        }
        let all = is_wanted(filters, "dangling")? == Some(false);
        let keep = |store: &Store, id: ImageId| {
            let goes =
                |config: &ImageConfig| prunable(filters, &config.config.labels, config.created.unwrap_or_default());
            !store.image(id).is_some_and(|image| goes(image.config()))
        };
        let (removed, space_reclaimed_bytes) =
            delete::prune(&mut self.0.store.borrow_mut(), all, &keep, &|id| self.0.usage(id));
        self.tell_removals(&removed);
        Ok(PruneReport { deleted: removed.iter().map(ToString::to_string).collect(), space_reclaimed_bytes })
    }

    /// The images with what they share and who uses them, and the bytes of all layers: for `system df`.
    pub(super) fn image_usage(&self) -> (Vec<ImageSummary>, u64) {
        let store = self.0.store.borrow();
        let mut users: BTreeMap<ChainId, BTreeSet<ImageId>> = BTreeMap::new();
        for image in store.images() {
            for layer in store.stack(image.config().chain_id()) {
                users.entry(layer.chain_id).or_default().insert(image.id());
            }
        }
        let total = users.keys().filter_map(|chain| store.layer(*chain)).map(|layer| layer.size_bytes).sum();
        let containers = self.0.state.borrow();
        let mut out = Vec::new();
        for image in store.images() {
            let id = image.id();
            if store.references_to(id).is_empty() && store.children(id).next().is_some() {
                continue;
            }
            let Some(mut summary) = self.0.image_summary(&store, id) else { continue };
            let shared = |chain: &ChainId| users.get(chain).is_some_and(|users| users.len() > 1);
            let stack = store.stack(image.config().chain_id());
            let bytes: u64 = stack.iter().filter(|l| shared(&l.chain_id)).map(|l| l.size_bytes).sum();
            summary.shared_size_bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
            let count = containers.containers.values().filter(|c| c.image == id).count();
            summary.containers = i64::try_from(count).unwrap_or(i64::MAX);
            out.push(summary);
        }
        newest_first(&mut out);
        (out, total)
    }
}

/// Go's `path.Match`, less its character classes.
fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        let byte = text.get(t).copied();
        match pattern.get(p).copied() {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(b'?') if byte != Some(b'/') => {
                p += 1;
                t += 1;
            }
            Some(other) if Some(other) == byte => {
                p += 1;
                t += 1;
            }
            // A star takes one byte more, but no slash.
            _ => match star {
                Some((at, from)) if text.get(from) != Some(&b'/') => {
                    star = Some((at, from + 1));
                    p = at + 1;
                    t = from + 1;
                }
                _ => return false,
            },
        }
    }
    pattern.get(p..).unwrap_or_default().iter().all(|byte| *byte == b'*')
}
