//! `/volumes`.

use std::collections::BTreeMap;

use serde::Serialize;

/// `POST /volumes/create`.
#[derive(Debug, Clone, Default)]
pub struct VolumeCreate {
    /// The name; empty makes one up.
    pub name: String,
    /// The driver; empty means `local`.
    pub driver: String,
    /// `--opt`.
    pub driver_opts: BTreeMap<String, String>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
}

/// A volume, fields in Docker's order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Volume {
    /// RFC 3339.
    pub created_at: String,
    /// `local`.
    pub driver: String,
    /// Labels; `null` when there are none.
    pub labels: Option<BTreeMap<String, String>>,
    /// The host's path.
    pub mountpoint: String,
    /// The name.
    pub name: String,
    /// Options; `null` when there are none.
    pub options: Option<BTreeMap<String, String>>,
    /// `local`.
    pub scope: String,
    /// Bytes, for `system df`.
    #[serde(skip)]
    pub size_bytes: u64,
    /// Containers that have it, for `system df`.
    #[serde(skip)]
    pub ref_count: u64,
}
