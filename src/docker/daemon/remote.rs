//! Registries on this machine's own network, spoken to over HTTP: those of `localhost`, which need no TLS.
//!
//! Layers go there as gzip. A large one is stored in it rather than deflated: so it stays what it is here, a few numbers
//! that its bytes can be made from. What the registry has is asked for first and never sent again; what is here is never fetched.

use std::rc::Rc;

use bstr::ByteSlice;
use serde_json::Value;

use super::errors::DaemonError;
use super::handle::Daemon;
use super::pull::unreachable;
use crate::base::digest::{BlobDigest, ChainId, Digest};
use crate::base::rope::Rope;
use crate::docker::image::config::Image;
use crate::docker::image::manifest::{Blob, Manifest, ManifestForm};
use crate::docker::image::reference::{Reference, Repository};
use crate::docker::registry::{Published, PublishedLayer};
use crate::os::fs::gzip;
use crate::os::fs::layer::Layer;
use crate::os::fs::packed::Packing;
use crate::os::userland::curl::{Exchange, exchange};
use crate::os::userland::http::Url;

/// Layers up to this size are deflated.
const DEFLATED_BYTES: u64 = 32 << 20;
/// The most that a layer may unpack to.
const MAX_LAYER_BYTES: u64 = 1 << 33;

/// Whether a registry is on this machine (moby `registry/config.go`: 127.0.0.0/8 needs no TLS).
pub(super) fn is_local(domain: &str) -> bool {
    let host = domain.rsplit_once(':').map_or(domain, |(host, _)| host);
    host == "localhost" || host.strip_prefix("127.").is_some_and(|rest| rest.split('.').count() == 3)
}

/// A layer's compressed form.
fn packed(tar: &Rope) -> Rope {
    if tar.len() <= DEFLATED_BYTES { gzip::compress(tar) } else { gzip::store(tar) }
}

impl Daemon {
    async fn ask(
        &self,
        repository: &Repository,
        method: &str,
        path: &str,
        body: &Rope,
    ) -> Result<Exchange, DaemonError> {
        let address =
            if path.contains("://") { path.to_owned() } else { format!("http://{}{path}", repository.domain()) };
        let url = Url::parse(&address).ok_or_else(|| unreachable(repository.domain()))?;
        let kind = ManifestForm::Docker.media_type();
        let mut headers = format!("User-Agent: docker/{} go/go1.22.11\r\n", super::api::SERVER_VERSION);
        headers.push_str("Accept-Encoding: identity\r\nConnection: close\r\n");
        if path.contains("/manifests/") {
            let name = if method == "PUT" { "Content-Type" } else { "Accept" };
            headers.push_str(&format!("{name}: {kind}\r\n"));
        }
        if matches!(method, "PUT" | "POST" | "PATCH") {
            headers.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        let proc = self.0.kernel.current_process();
        exchange(&proc, &url, method, &headers, body, false).await.map_err(|_| unreachable(repository.domain()))
    }

    /// Looks whether a registry is there.
    ///
    /// # Errors
    /// Nothing listens, or what does is no registry.
    pub(super) async fn find_remote(&self, repository: &Repository) -> Result<(), DaemonError> {
        let answer = self.ask(repository, "GET", "/v2/", &Rope::new()).await?;
        if answer.status == 200 { Ok(()) } else { Err(misunderstood(&answer)) }
    }

    /// An image of such a registry; only layers that are not here are fetched.
    ///
    /// # Errors
    /// What the registry refuses; blobs that are not what they are called.
    pub(super) async fn fetch_remote(&self, reference: &Reference) -> Result<Rc<Published>, DaemonError> {
        let repository = reference.repository();
        self.find_remote(repository).await?;
        let name = repository.path();
        let wanted = match reference.digest() {
            Some(digest) => digest.to_string(),
            None => reference.tag().unwrap_or("latest").to_owned(),
        };
        let answer = self.ask(repository, "GET", &format!("/v2/{name}/manifests/{wanted}"), &Rope::new()).await?;
        if answer.status == 404 {
            return Err(DaemonError::ManifestUnknown(reference.familiar()));
        }
        let manifest = Manifest::from_json(&answer.body.to_vec()).map_err(|_| misunderstood(&answer))?;
        let config = self.fetch_blob(repository, manifest.config.digest).await?;
        let image = Image::from_json(&config.to_vec()).map_err(|_| misunderstood(&answer))?;
        let mut layers = Vec::new();
        let mut chain: Option<ChainId> = None;
        for (diff_id, blob) in image.config().diff_ids.clone().into_iter().zip(&manifest.layers) {
            let next = chain.map_or(ChainId(diff_id.0), |chain| chain.then(diff_id));
            chain = Some(next);
            let here = self.0.store.borrow().layer(next).map(|stored| stored.layer.clone());
            let layer = match here {
                Some(layer) => layer,
                None => {
                    let packed = self.fetch_blob(repository, blob.digest).await?;
                    let tar = Packing::Gzip.decompress(&packed, MAX_LAYER_BYTES).map_err(|_| misunderstood(&answer))?;
                    Layer::from_tar(&tar)?.into()
                }
            };
            layers.push(PublishedLayer { blob: *blob, diff_id, layer });
        }
        Ok(Rc::new(Published { image, layers, manifest }))
    }

    async fn fetch_blob(&self, repository: &Repository, digest: BlobDigest) -> Result<Rope, DaemonError> {
        let path = format!("/v2/{}/blobs/{digest}", repository.path());
        let answer = self.ask(repository, "GET", &path, &Rope::new()).await?;
        let got: Digest = answer.body.digest();
        match answer.status {
            200 if got == digest.0 => Ok(answer.body),
            200 => Err(super::errors::LoadError::Digest { expected: digest.0, got }.into()),
            _ => Err(misunderstood(&answer)),
        }
    }

    /// An image as it goes to such a registry.
    pub(super) fn publish_remote(&self, mut published: Published) -> Published {
        let memo = self.0.store.borrow().memo().clone();
        for layer in &mut published.layers {
            let tar = layer.layer.to_tar();
            if tar.len() > DEFLATED_BYTES {
                let stored = packed(&tar);
                layer.blob = Blob { digest: BlobDigest(stored.digest()), size_bytes: stored.len() };
            } else {
                layer.blob = memo.blob(&tar);
            }
        }
        published.manifest.layers = published.layers.iter().map(|layer| layer.blob).collect();
        published
    }

    /// Whether a repository of such a registry has a blob.
    ///
    /// # Errors
    /// Nothing listens.
    pub(super) async fn remote_has(&self, repository: &Repository, digest: BlobDigest) -> Result<bool, DaemonError> {
        let path = format!("/v2/{}/blobs/{digest}", repository.path());
        Ok(self.ask(repository, "HEAD", &path, &Rope::new()).await?.status == 200)
    }

    /// Has a blob mounted from one of the registry's other repositories; its name if that went well.
    ///
    /// # Errors
    /// Nothing listens.
    pub(super) async fn remote_mount(
        &self,
        repository: &Repository,
        layer: &PublishedLayer,
    ) -> Result<Option<Repository>, DaemonError> {
        let others: Vec<Repository> = {
            let store = self.0.store.borrow();
            let has = |id| store.image(id).is_some_and(|image| image.config().diff_ids.contains(&layer.diff_id));
            let known = store.references().filter(|(known, id)| known.digest().is_some() && has(*id));
            let known = known.map(|(known, _)| known.repository());
            known.filter(|other| other.domain() == repository.domain() && *other != repository).cloned().collect()
        };
        let Some(other) = others.into_iter().next() else { return Ok(None) };
        let path =
            format!("/v2/{}/blobs/uploads/?mount={}&from={}", repository.path(), layer.blob.digest, other.path());
        let answer = self.ask(repository, "POST", &path, &Rope::new()).await?;
        Ok((answer.status == 201).then_some(other))
    }

    /// Sends a layer.
    ///
    /// # Errors
    /// What the registry refuses.
    pub(super) async fn send_layer(&self, repository: &Repository, layer: &PublishedLayer) -> Result<(), DaemonError> {
        self.send_blob(repository, layer.blob.digest, &packed(&layer.layer.to_tar())).await
    }

    async fn send_blob(&self, repository: &Repository, digest: BlobDigest, blob: &Rope) -> Result<(), DaemonError> {
        let path = format!("/v2/{}/blobs/uploads/", repository.path());
        let begun = self.ask(repository, "POST", &path, &Rope::new()).await?;
        let Some(location) = begun.head.get("location").filter(|_| begun.status == 202) else {
            return Err(misunderstood(&begun));
        };
        let location = location.to_str_lossy().into_owned();
        let mark = if location.contains('?') { '&' } else { '?' };
        let sent = self.ask(repository, "PUT", &format!("{location}{mark}digest={digest}"), blob).await?;
        if sent.status == 201 { Ok(()) } else { Err(misunderstood(&sent)) }
    }

    /// Sends the config and the manifest, which make an image of the layers.
    ///
    /// # Errors
    /// What the registry refuses.
    pub(super) async fn send_manifest(&self, reference: &Reference, published: &Published) -> Result<(), DaemonError> {
        let repository = reference.repository();
        let config = published.manifest.config.digest;
        if !self.remote_has(repository, config).await? {
            self.send_blob(repository, config, &published.image.bytes().into()).await?;
        }
        let path = format!("/v2/{}/manifests/{}", repository.path(), reference.tag().unwrap_or("latest"));
        let sent = self.ask(repository, "PUT", &path, &published.manifest.to_json().into()).await?;
        if sent.status == 201 { Ok(()) } else { Err(misunderstood(&sent)) }
    }
}

/// An answer that is none of a registry's, or a refusal in its words (distribution `registry/client/errors.go`).
fn misunderstood(answer: &Exchange) -> DaemonError {
    let body = answer.body.head(1 << 12);
    let document: Value = serde_json::from_slice(&body).unwrap_or_default();
    let error = document.pointer("/errors/0");
    match error.and_then(|error| error.get("message")).and_then(Value::as_str) {
        Some(message) => {
            let code = error.and_then(|error| error.get("code")).and_then(Value::as_str).unwrap_or_default();
            DaemonError::RegistryError(format!("{}: {message}", code.to_lowercase().replace('_', " ")))
        }
        None => {
            let text = body.to_str_lossy().into_owned();
            let found = text.chars().next().unwrap_or(' ');
            DaemonError::NotARegistry { status: answer.status, found, body: text }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_is_this_machine() {
        assert!(is_local("localhost:5000") && is_local("localhost") && is_local("127.0.0.1:5000"));
        assert!(!is_local("docker.io") && !is_local("example.com:5000") && !is_local("127.example.com"));
    }
}
