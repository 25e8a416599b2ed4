//! Manifests: what a registry serves for a tag, and whose SHA-256 is the digest at the end of a pull.
//!
//! Written with the indentation of the tool that pushes; a manifest that was read keeps its bytes.

use serde_json::{Map, Value};

use super::config::go_json;
use crate::base::digest::{BlobDigest, Digest, ManifestDigest};

/// The two formats Docker pushes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ManifestForm {
    /// Docker image manifest version 2, schema 2: the classic image store.
    Docker,
    /// OCI image manifest.
    Oci,
}

impl ManifestForm {
    /// The manifest's media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Docker => "application/vnd.docker.distribution.manifest.v2+json",
            Self::Oci => "application/vnd.oci.image.manifest.v1+json",
        }
    }

    /// The media type of the image config.
    pub fn config_media_type(self) -> &'static str {
        match self {
            Self::Docker => "application/vnd.docker.container.image.v1+json",
            Self::Oci => "application/vnd.oci.image.config.v1+json",
        }
    }

    /// The media type of a gzip-compressed layer.
    pub fn layer_media_type(self) -> &'static str {
        match self {
            Self::Docker => "application/vnd.docker.image.rootfs.diff.tar.gzip",
            Self::Oci => "application/vnd.oci.image.layer.v1.tar+gzip",
        }
    }
}

/// A blob's size and digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blob {
    /// The SHA-256 of its bytes.
    pub digest: BlobDigest,
    /// Their number.
    pub size_bytes: u64,
}

/// An image manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// The format.
    pub form: ManifestForm,
    /// The config blob.
    pub config: Blob,
    /// The layer blobs, lowest first.
    pub layers: Vec<Blob>,
}

/// A document that is no image manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// No JSON of a manifest's shape.
    #[error("manifest invalid: manifest invalid")]
    Invalid,
    /// A media type other than the two.
    #[error("unsupported manifest media type and no default available")]
    MediaType,
}

impl Manifest {
    /// The document's bytes (distribution `schema2.FromStruct`: three spaces; OCI: two).
    pub fn to_json(&self) -> Vec<u8> {
        let descriptor = |media_type: &str, blob: &Blob| {
            let mut out = Map::new();
            out.insert("mediaType".into(), media_type.into());
            match self.form {
                ManifestForm::Docker => {
                    out.insert("size".into(), blob.size_bytes.into());
                    out.insert("digest".into(), blob.digest.to_string().into());
                }
                ManifestForm::Oci => {
                    out.insert("digest".into(), blob.digest.to_string().into());
                    out.insert("size".into(), blob.size_bytes.into());
                }
            }
            Value::Object(out)
        };
        let mut out = Map::new();
        out.insert("schemaVersion".into(), 2.into());
        out.insert("mediaType".into(), self.form.media_type().into());
        out.insert("config".into(), descriptor(self.form.config_media_type(), &self.config));
        let layers = self.layers.iter().map(|blob| descriptor(self.form.layer_media_type(), blob)).collect();
        out.insert("layers".into(), Value::Array(layers));
        indented(&Value::Object(out), if self.form == ManifestForm::Docker { 3 } else { 2 })
    }

    /// The digest of [`Self::to_json`].
    pub fn digest(&self) -> ManifestDigest {
        ManifestDigest(Digest::of(&self.to_json()))
    }

    /// Reads a manifest of either format.
    pub fn from_json(bytes: &[u8]) -> Result<Self, ManifestError> {
        let value: Value = serde_json::from_slice(bytes).map_err(|_| ManifestError::Invalid)?;
        let form = [ManifestForm::Docker, ManifestForm::Oci]
            .into_iter()
            .find(|form| value.get("mediaType").and_then(Value::as_str) == Some(form.media_type()))
            .ok_or(ManifestError::MediaType)?;
        let blob = |value: &Value| {
            let digest = value.get("digest")?.as_str()?.parse().ok()?;
            Some(Blob { digest, size_bytes: value.get("size")?.as_u64()? })
        };
        let config = value.get("config").and_then(blob).ok_or(ManifestError::Invalid)?;
        let layers = value.get("layers").and_then(Value::as_array).ok_or(ManifestError::Invalid)?;
        let layers = layers.iter().map(blob).collect::<Option<Vec<_>>>().ok_or(ManifestError::Invalid)?;
        Ok(Self { form, config, layers })
    }
}

/// Go's `json.MarshalIndent` with `width` spaces a level.
pub fn indented(value: &Value, width: usize) -> Vec<u8> {
    let mut out = Vec::new();
    indent_into(value, width, width, &mut out);
    out
}

fn indent_into(value: &Value, width: usize, depth: usize, out: &mut Vec<u8>) {
    let line = |out: &mut Vec<u8>, depth: usize| {
        out.push(b'\n');
        out.resize(out.len() + depth, b' ');
    };
    match value {
        Value::Array(items) if !items.is_empty() => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                out.extend_from_slice(if index == 0 { b"" } else { b"," });
                line(out, depth);
                indent_into(item, width, depth + width, out);
            }
            line(out, depth - width);
            out.push(b']');
        }
        Value::Object(fields) if !fields.is_empty() => {
            out.push(b'{');
            for (index, (name, item)) in fields.iter().enumerate() {
                out.extend_from_slice(if index == 0 { b"" } else { b"," });
                line(out, depth);
                out.extend_from_slice(&go_json(&Value::from(name.as_str())));
                out.extend_from_slice(b": ");
                indent_into(item, width, depth + width, out);
            }
            line(out, depth - width);
            out.push(b'}');
        }
        _ => out.extend_from_slice(&go_json(value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(form: ManifestForm) -> Manifest {
        let blob = |text: &str, size_bytes| Blob { digest: BlobDigest(Digest::of(text.as_bytes())), size_bytes };
        Manifest { form, config: blob("config", 1457), layers: vec![blob("layer", 772_792)] }
    }

    /// `docker push` of a one-layer image prints `size: 527` with a six-digit layer (distribution schema2 tests).
    #[test]
    fn a_docker_manifest_of_one_layer_has_527_bytes() {
        assert_eq!(sample(ManifestForm::Docker).to_json().len(), 527);
    }

    #[test]
    fn reading_what_was_written_gives_the_same_manifest() {
        for form in [ManifestForm::Docker, ManifestForm::Oci] {
            let manifest = sample(form);
            assert_eq!(Manifest::from_json(&manifest.to_json()), Ok(manifest));
        }
        assert_eq!(Manifest::from_json(b"{}"), Err(ManifestError::MediaType));
        assert_eq!(Manifest::from_json(b"nope"), Err(ManifestError::Invalid));
    }
}
