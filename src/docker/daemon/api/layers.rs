//! The layers below an image or a container, and what happens to layers. Not part of Docker's API: it is what the real
//! daemon shows to nobody and Capas is for.

use std::sync::Arc;

use crate::base::digest::{ChainId, DiffId, ImageId};
use crate::os::fs::layer::Layer;
use crate::os::fs::tree::Tree;

pub use crate::docker::image::store::{LayerEvent, LayerName};

/// The layers of an image or a container.
#[derive(Debug, Clone)]
pub struct LayerStack {
    /// The container's name, or the image's first name, or its short id.
    pub name: String,
    /// The image that it is of or is made from; `None` where there is only a layer.
    pub image: Option<ImageId>,
    /// Whether it is a container.
    pub is_container: bool,
    /// The layers, lowest first. A container's last one is its writable layer, as it is now.
    pub layers: Vec<StackLayer>,
    /// What covers paths of a container without being in a layer.
    pub mounts: Vec<MountView>,
}

/// A layer of a stack.
#[derive(Debug, Clone)]
pub struct StackLayer {
    /// What it is.
    pub role: LayerRole,
    /// Its changes.
    pub layer: Arc<Layer>,
    /// The files of the stack up to here.
    pub tree: Tree,
    /// The sum of its own files, in bytes.
    pub size_bytes: u64,
    /// The step that made it; empty when no history tells.
    pub created_by: String,
    /// The images that use it, by name or short id.
    pub used_by: Vec<String>,
}

/// What a layer of a stack is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LayerRole {
    /// A layer of the image.
    Image {
        /// The digest of its files.
        diff_id: DiffId,
        /// Its place on top of others.
        chain_id: ChainId,
    },
    /// The mount points that the daemon makes in every container (overlay2's `-init`).
    Init,
    /// A container's own.
    Writable,
}

impl LayerRole {
    /// The digest of an image's layer.
    pub const fn diff_id(self) -> Option<DiffId> {
        match self {
            Self::Image { diff_id, .. } => Some(diff_id),
            Self::Init | Self::Writable => None,
        }
    }
}

/// A mount over a container's layers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MountView {
    /// Where.
    pub destination: String,
    /// `volume`, `bind`, `tmpfs`.
    pub kind: &'static str,
    /// The volume's name, or the path of the host.
    pub source: String,
}
