//! The daemon's state as plain data, for pictures. Not part of Docker's API.

use std::net::Ipv4Addr;

use super::container::Port;
use crate::base::digest::{BlobDigest, DiffId, ImageId};

/// Everything that is drawn.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Changes with every change.
    pub revision: u64,
    /// The images, newest first.
    pub images: Vec<ImageView>,
    /// The containers, newest first.
    pub containers: Vec<ContainerView>,
    /// The volumes, by name.
    pub volumes: Vec<VolumeView>,
    /// The networks, by name.
    pub networks: Vec<NetworkView>,
    /// What pulls are bringing: names, and the layers that are here, lowest first.
    pub arriving: Vec<(String, Vec<LayerView>)>,
}

/// A line of an image's history, with its layer if it has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerView {
    /// `None` for lines without a layer.
    pub diff_id: Option<DiffId>,
    /// Bytes.
    pub size_bytes: u64,
    /// The instruction.
    pub created_by: String,
    /// How many files it has.
    pub files: usize,
    /// Under which name a registry keeps it, where one was pulled or pushed.
    pub blob: Option<BlobDigest>,
}

/// An image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageView {
    /// The image.
    pub id: ImageId,
    /// `nginx:latest`, ...
    pub tags: Vec<String>,
    /// History and layers, lowest first.
    pub layers: Vec<LayerView>,
    /// Bytes of all layers.
    pub size_bytes: u64,
    /// `nginx@sha256:…`: what registries call it.
    pub digests: Vec<String>,
}

/// A container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerView {
    /// 64 hexadecimal digits.
    pub id: String,
    /// Without the slash.
    pub name: String,
    /// Its image, as written.
    pub image: String,
    /// Its image.
    pub image_id: ImageId,
    /// `running`, ...
    pub state: &'static str,
    /// Its exit code, once it ended.
    pub exit_code: Option<i64>,
    /// Published and exposed ports.
    pub ports: Vec<Port>,
    /// Paths in the writable layer.
    pub changed_files: usize,
    /// Bytes in the writable layer.
    pub size_bytes: u64,
    /// Volumes that it mounts: name and path.
    pub volumes: Vec<(String, String)>,
    /// Networks and addresses.
    pub networks: Vec<(String, Ipv4Addr)>,
    /// The layers below its own, lowest first, once its image is deleted: they stay for its sake.
    pub base: Vec<LayerView>,
}

/// A volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VolumeView {
    /// Its name.
    pub name: String,
    /// Bytes.
    pub size_bytes: u64,
    /// Whether it was made without a name.
    pub anonymous: bool,
}

/// A network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkView {
    /// Its name.
    pub name: String,
    /// `bridge`, `host`, `null`.
    pub driver: String,
    /// `172.17.0.0/16`.
    pub subnet: Option<String>,
}
