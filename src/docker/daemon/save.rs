//! `docker save`: images as a docker-archive that is also an OCI layout (moby `image/tarexport/save.go`, since Docker 25).
//!
//! Layers travel uncompressed under their diff ids, configs under the image ids, so that nothing gets a new name. The
//! `blobs` of Docker's oldest format, which nothing points at any more, are left out.

use std::collections::BTreeMap;

use bstr::BString;
use serde_json::{Map, Value, json};

use super::api::system::EventKind;
use super::errors::DaemonError;
use super::handle::Daemon;
use crate::base::digest::{Digest, ImageId};
use crate::base::rope::Rope;
use crate::base::time::Timestamp;
use crate::docker::image::config::{Image, go_json};
use crate::docker::image::manifest::ManifestForm;
use crate::docker::image::reference::{AnyReference, Reference};
use crate::docker::image::store::{Store, StoreError};
use crate::os::fs::node::{Content, Entry, Meta};
use crate::os::fs::tar;

/// The media type of an uncompressed layer.
const LAYER_MEDIA_TYPE: &str = "application/vnd.oci.image.layer.v1.tar";
/// The media type of an index.
const INDEX_MEDIA_TYPE: &str = "application/vnd.oci.image.index.v1+json";
/// The annotation with the image's full name.
pub(super) const NAME_ANNOTATION: &str = "io.containerd.image.name";

/// The annotation with its tag.
pub(super) const REF_ANNOTATION: &str = "org.opencontainers.image.ref.name";

/// An image with the names that it is saved under.
type Chosen = (ImageId, Vec<Reference>);

/// Where a blob stands in the archive.
fn blob_path(digest: Digest) -> String {
    format!("blobs/sha256/{}", digest.hex())
}

impl Daemon {
    /// `GET /images/get`: a docker-archive that is also an OCI layout.
    ///
    /// # Errors
    /// No such image; an image without layers.
    pub fn image_save(&self, names: &[String]) -> Result<Rope, DaemonError> {
        let store = self.0.store.borrow();
        let mut chosen: Vec<Chosen> = Vec::new();
        for name in names {
            choose(&store, name, &mut chosen)?;
        }
        let mut out = Archive::default();
        let (mut manifests, mut index) = (Vec::new(), Vec::new());
        let mut repositories: BTreeMap<String, Value> = BTreeMap::new();
        for (id, references) in &chosen {
            let image = store.image(*id).ok_or_else(|| StoreError::NoSuchImage(id.to_string()))?;
            let layers = out.put_image(&store, image);
            let Some(top) = image.config().diff_ids.last() else { return Err(DaemonError::EmptyExport) };
            let manifest = go_json(&json!({
                "schemaVersion": 2,
                "mediaType": ManifestForm::Oci.media_type(),
                "config": {
                    "mediaType": ManifestForm::Oci.config_media_type(),
                    "digest": id.to_string(),
                    "size": image.bytes().len(),
                },
                "layers": layers,
            }));
            let digest = Digest::of(&manifest);
            let descriptor = json!({
                "mediaType": ManifestForm::Oci.media_type(),
                "digest": digest.to_string(),
                "size": manifest.len(),
            });
            out.put(blob_path(digest), Timestamp(0), manifest.into());
            for reference in references {
                let tag = reference.tag().unwrap_or_default();
                let tags = repositories.entry(reference.repository().familiar()).or_insert_with(|| json!({}));
                if let Value::Object(tags) = tags {
                    tags.insert(tag.to_owned(), top.0.hex().into());
                }
                let mut named = descriptor.clone();
                if let Value::Object(named) = &mut named {
                    let annotations = json!({NAME_ANNOTATION: reference.to_string(), REF_ANNOTATION: tag});
                    named.insert("annotations".to_owned(), annotations);
                }
                index.push(named);
            }
            if references.is_empty() {
                index.push(descriptor);
            }
            // The parent only where it is saved too (moby `validatedParentLinks`).
            let parent = store.parent(*id).filter(|parent| chosen.iter().any(|(id, _)| id == parent));
            manifests.push(item(image, references, parent, &layers));
        }
        let line = |value: &Value| {
            let mut text = go_json(value);
            text.push(b'\n');
            Rope::from(text)
        };
        if !repositories.is_empty() {
            let all: Map<String, Value> = repositories.into_iter().collect();
            out.put("repositories".into(), Timestamp(0), line(&all.into()));
        }
        out.put("manifest.json".into(), Timestamp(0), line(&manifests.into()));
        out.put("oci-layout".into(), Timestamp(0), r#"{"imageLayoutVersion": "1.0.0"}"#.into());
        let index = json!({"schemaVersion": 2, "mediaType": INDEX_MEDIA_TYPE, "manifests": index});
        out.put("index.json".into(), Timestamp(0), go_json(&index).into());
        drop(store);
        for (id, _) in &chosen {
            self.0.emit(EventKind::Image, "save", id.to_string(), &[("name", id.to_string())]);
        }
        Ok(out.finish())
    }
}

/// What a name of the command line adds (moby `tarExporter.parseNames`).
fn choose(store: &Store, name: &str, chosen: &mut Vec<Chosen>) -> Result<(), DaemonError> {
    let mut add = |id: ImageId, reference: Option<&Reference>| {
        let at = chosen.iter().position(|(known, _)| *known == id).unwrap_or_else(|| {
            chosen.push((id, Vec::new()));
            chosen.len() - 1
        });
        if let (Some((_, references)), Some(reference)) = (chosen.get_mut(at), reference)
            && reference.digest().is_none()
            && !references.contains(reference)
        {
            references.push(reference.clone());
        }
    };
    let reference = match AnyReference::parse(name).map_err(StoreError::Reference)? {
        AnyReference::Named(reference) => reference,
        AnyReference::Id(_) => {
            add(store.resolve(name)?, None);
            return Ok(());
        }
    };
    if reference.is_name_only() {
        // A name without a tag means all tags.
        let own = store.references().filter(|(known, _)| known.repository() == reference.repository());
        let own: Vec<_> = own.collect();
        own.iter().for_each(|(known, id)| add(*id, Some(known)));
        if own.is_empty() {
            add(store.resolve(name).map_err(|_| StoreError::NoSuchImage(name.to_owned()))?, None);
        }
    } else if reference.repository().familiar() == "sha256" {
        add(store.resolve(name)?, None);
    } else {
        add(store.lookup(&reference).ok_or(DaemonError::NoReference)?, Some(&reference));
    }
    Ok(())
}

/// An image in `manifest.json`.
fn item(image: &Image, references: &[Reference], parent: Option<ImageId>, layers: &[Value]) -> Value {
    let diff_ids = &image.config().diff_ids;
    let mut out = Map::new();
    out.insert("Config".into(), blob_path(image.id().0).into());
    let names: Vec<Value> = references.iter().map(|reference| reference.familiar().into()).collect();
    out.insert("RepoTags".into(), if names.is_empty() { Value::Null } else { names.into() });
    out.insert("Layers".into(), diff_ids.iter().map(|id| Value::from(blob_path(id.0))).collect());
    if let Some(parent) = parent {
        out.insert("Parent".into(), parent.to_string().into());
    }
    // An older type of descriptor, with another order of its fields.
    let sources: BTreeMap<String, Value> = diff_ids
        .iter()
        .zip(layers)
        .map(|(id, layer)| {
            let size = layer.get("size").cloned().unwrap_or_default();
            let id = id.to_string();
            (id.clone(), json!({"mediaType": LAYER_MEDIA_TYPE, "size": size, "digest": id}))
        })
        .collect();
    out.insert("LayerSources".into(), Value::Object(sources.into_iter().collect()));
    out.into()
}

/// The files of the archive, in the order of their names.
#[derive(Default)]
struct Archive(BTreeMap<BString, Entry>);

impl Archive {
    fn put(&mut self, path: String, time: Timestamp, content: Rope) {
        self.0.insert(path.into(), Entry::file(Meta::root(0o644, time), content));
    }

    /// An image's config and layers; the layers' descriptors.
    fn put_image(&mut self, store: &Store, image: &Image) -> Vec<Value> {
        let created = image.config().created.unwrap_or(Timestamp(0));
        self.put(blob_path(image.id().0), created, image.bytes().into());
        let mut layers = Vec::new();
        for layer in store.stack(image.config().chain_id()) {
            let tar = layer.layer.to_tar();
            let digest = layer.diff_id.to_string();
            layers.push(json!({"mediaType": LAYER_MEDIA_TYPE, "digest": digest, "size": tar.len()}));
            self.put(blob_path(layer.diff_id.0), created, tar);
        }
        layers
    }

    fn finish(mut self) -> Rope {
        for dir in ["blobs", "blobs/sha256"] {
            let meta = Meta::root(0o755, Timestamp(0));
            self.0.insert(dir.into(), Entry::new(meta, Content::Dir { opaque: false }));
        }
        let mut out = tar::Writer::new();
        self.0.iter().for_each(|(path, entry)| out.entry(path, entry));
        out.finish()
    }
}
