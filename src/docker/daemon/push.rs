//! What goes to a registry: pushes, logins, searches (moby `distribution/push_v2.go`, `registry`).
//!
//! A registry keeps a blob once: what it has in this repository is not sent, what it has in another is mounted.

use super::api::Filters;
use super::api::image::{Credentials, Progress, ProgressSink, PullOptions, SearchResult};
use super::api::system::EventKind;
use super::errors::DaemonError;
use super::handle::Daemon;
use super::pull::{LINK_BYTES, ROUND_TRIP, STEP, unreachable};
use super::remote::is_local;
use crate::base::digest::ImageId;
use crate::docker::image::reference::{DEFAULT_DOMAIN, Reference, Repository};
use crate::docker::registry::{Published, PublishedLayer, Registry};

/// Uploads at a time (dockerd `--max-concurrent-uploads`).
const UPLOADS: usize = 5;
/// Results of a search that asks for no number (moby `registry/search.go`).
const SEARCH_RESULTS: usize = 25;

impl Daemon {
    /// `POST /images/{name}/push`. Dropping the future stops the push.
    ///
    /// # Errors
    /// There is nothing to push; what the registry refuses.
    pub async fn image_push(&self, name: &str, options: PullOptions, sink: ProgressSink) -> Result<(), DaemonError> {
        let reference = Reference::parse(name)?;
        let repository = reference.repository();
        sink(Progress::Line { id: String::new(), status: format!("The push refers to repository [{repository}]") });
        let own: Vec<(Reference, ImageId)> = {
            let store = self.0.store.borrow();
            let own = store.references().filter(|(known, _)| known.repository() == repository);
            own.map(|(known, id)| (known.clone(), id)).collect()
        };
        if own.is_empty() {
            return Err(DaemonError::NothingToPush(repository.familiar()));
        }
        if reference.digest().is_some() {
            return Err(DaemonError::PushDigest);
        }
        let is_meant =
            |known: &Reference| known.tag().is_some() && (options.all_tags || known.tag() == reference.tag());
        let meant: Vec<&(Reference, ImageId)> = own.iter().filter(|(known, _)| is_meant(known)).collect();
        if meant.is_empty() {
            return Err(DaemonError::NoSuchTag(reference.familiar()));
        }
        self.0.kernel.sleep(ROUND_TRIP).await;
        let is_local = is_local(repository.domain());
        if is_local {
            self.find_remote(repository).await?;
        } else if repository.domain() != DEFAULT_DOMAIN {
            return Err(unreachable(repository.domain()));
        }
        for (tagged, id) in meant {
            let published = Published::of(&self.0.store.borrow(), *id);
            let Some(published) = published else { continue };
            let published = if is_local { self.publish_remote(published) } else { published };
            self.push_one(tagged, *id, published, options.credentials.as_ref(), &sink).await?;
        }
        Ok(())
    }

    async fn push_one(
        &self,
        reference: &Reference,
        id: ImageId,
        published: Published,
        credentials: Option<&Credentials>,
        sink: &ProgressSink,
    ) -> Result<(), DaemonError> {
        let repository = reference.repository();
        let tell = |layer: &PublishedLayer, status: &str, detail: Option<(u64, u64)>| {
            sink(Progress::Layer { id: layer.diff_id.short(), status: status.to_owned(), detail });
        };
        // The topmost layer first.
        let waiting: Vec<&PublishedLayer> = published.layers.iter().rev().collect();
        waiting.iter().for_each(|layer| tell(layer, "Preparing", None));
        waiting.iter().skip(UPLOADS).for_each(|layer| tell(layer, "Waiting", None));
        self.0.kernel.sleep(ROUND_TRIP).await;
        let registry = &self.0.registry;
        let is_owner = |own: &Credentials| {
            registry.authenticate(&own.username, &own.password) && Registry::may_push(repository, &own.username)
        };
        let is_local = is_local(repository.domain());
        if !is_local && !credentials.is_some_and(is_owner) {
            return Err(DaemonError::PushDenied);
        }
        let mut missing = Vec::new();
        for layer in waiting {
            let holder = match is_local {
                true if self.remote_has(repository, layer.blob.digest).await? => Some(repository.clone()),
                true => self.remote_mount(repository, layer).await?,
                false => self.holder(repository, layer),
            };
            match holder {
                Some(holder) if holder == *repository => tell(layer, "Layer already exists", None),
                Some(holder) => tell(layer, &format!("Mounted from {}", holder.path()), None),
                None => missing.push(layer),
            }
        }
        let waiting = missing;
        let mut uploads: Vec<(&PublishedLayer, u64)> = waiting.into_iter().map(|layer| (layer, 0)).collect();
        while !uploads.is_empty() {
            self.0.kernel.sleep(STEP).await;
            let part = LINK_BYTES / 10 / uploads.len().min(UPLOADS) as u64;
            for (layer, sent) in uploads.iter_mut().take(UPLOADS) {
                // What is sent is compressed; what is told of is what it was made from.
                *sent = layer.blob.size_bytes.min(*sent + part);
                let size = layer.layer.size_bytes();
                let done = u128::from(size) * u128::from(*sent) / u128::from(layer.blob.size_bytes.max(1));
                tell(layer, "Pushing", Some((u64::try_from(done).unwrap_or(size), size)));
                if *sent == layer.blob.size_bytes {
                    if is_local {
                        self.send_layer(repository, layer).await?;
                    }
                    tell(layer, "Pushed", None);
                }
            }
            uploads.retain(|(layer, sent)| *sent < layer.blob.size_bytes);
        }
        self.0.kernel.sleep(ROUND_TRIP).await;
        let size = published.manifest.to_json().len();
        let digest = match is_local {
            true => {
                self.send_manifest(reference, &published).await?;
                published.digest()
            }
            false => registry.publish(reference, published),
        };
        let named = Reference::digested(repository.clone(), digest);
        self.0.store.borrow_mut().tag(named, id, self.0.kernel.now());
        let status = format!("{}: digest: {digest} size: {size}", reference.tag().unwrap_or_default());
        sink(Progress::Line { id: String::new(), status });
        self.0.emit(EventKind::Image, "push", reference.familiar(), &[("name", repository.familiar())]);
        Ok(())
    }

    /// The repository from which the registry has a layer: this one, else one that the layer was pulled from.
    fn holder(&self, repository: &Repository, layer: &PublishedLayer) -> Option<Repository> {
        let holders = self.0.registry.holders(repository.domain(), layer.blob.digest);
        if holders.contains(repository) {
            return Some(repository.clone());
        }
        let store = self.0.store.borrow();
        let has = |id: ImageId| store.image(id).is_some_and(|image| image.config().diff_ids.contains(&layer.diff_id));
        let pulled = store.references().filter(|(known, id)| known.digest().is_some() && has(*id));
        let mut pulled = pulled.map(|(known, _)| known.repository());
        pulled.find(|known| holders.contains(known)).cloned().or_else(|| holders.into_iter().next_back())
    }

    /// `POST /auth`: what the registry answers.
    ///
    /// # Errors
    /// No such registry; another password.
    pub async fn auth(&self, server: &str, credentials: &Credentials) -> Result<String, DaemonError> {
        self.0.kernel.sleep(ROUND_TRIP).await;
        let host = server.trim_start_matches("https://").trim_start_matches("http://");
        let host = host.split('/').next().unwrap_or_default();
        if !matches!(host, "docker.io" | "index.docker.io" | "registry-1.docker.io") {
            return Err(unreachable(host));
        }
        match self.0.registry.authenticate(&credentials.username, &credentials.password) {
            true => Ok("Login Succeeded".to_owned()),
            false => Err(DaemonError::Unauthorized),
        }
    }

    /// `GET /images/search`. A limit of 0 is the default.
    ///
    /// # Errors
    /// A limit out of range, an unknown filter.
    pub async fn image_search(
        &self,
        term: &str,
        limit: i64,
        filters: &Filters,
    ) -> Result<Vec<SearchResult>, DaemonError> {
        const KNOWN: [&str; 3] = ["is-automated", "is-official", "stars"];
        if let Some(name) = filters.keys().find(|name| !KNOWN.contains(&name.as_str())) {
            return Err(DaemonError::BadFilter(name.clone()));
        }
        let count = match usize::try_from(limit) {
            Ok(0) => SEARCH_RESULTS,
            Ok(count @ 1..=100) => count,
            _ => return Err(DaemonError::SearchLimit(limit)),
        };
        let value = |name: &str| filters.get(name).and_then(|values| values.first());
        let stars: u32 = match value("stars") {
            None => 0,
            Some(text) => text.parse().map_err(|_| bad_value("stars", text))?,
        };
        let flag = |name: &'static str| match value(name).map(String::as_str) {
            None => Ok(None),
            Some("true" | "1") => Ok(Some(true)),
            Some("false" | "0") => Ok(Some(false)),
            Some(text) => Err(bad_value(name, text)),
        };
        let (official, automated) = (flag("is-official")?, flag("is-automated")?);
        self.0.kernel.sleep(ROUND_TRIP).await;
        let found = self.0.registry.search(term).into_iter().map(|(name, description, star_count)| SearchResult {
            is_official: !name.contains('/'),
            description: description.to_owned(),
            name,
            star_count,
        });
        // Nothing is built automatically any more.
        let fits = |one: &SearchResult| {
            one.star_count >= stars && official.is_none_or(|own| own == one.is_official) && automated != Some(true)
        };
        Ok(found.filter(fits).take(count).collect())
    }
}

fn bad_value(name: &str, value: &str) -> DaemonError {
    DaemonError::BadFilterValue { name: name.to_owned(), value: value.to_owned() }
}
