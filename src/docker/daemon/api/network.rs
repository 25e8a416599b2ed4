//! `/networks`.

use std::collections::BTreeMap;

use crate::base::time::Timestamp;

/// How a container joins a network.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EndpointRequest {
    /// `--network-alias`.
    pub aliases: Vec<String>,
    /// `--ip`.
    pub ipv4_address: String,
    /// `--mac-address`.
    pub mac_address: String,
    /// `--link`.
    pub links: Vec<String>,
}

/// `POST /networks/create`.
#[derive(Debug, Clone, Default)]
pub struct NetworkCreate {
    /// The name.
    pub name: String,
    /// The driver; empty means `bridge`.
    pub driver: String,
    /// `--internal`.
    pub internal: bool,
    /// `--attachable`.
    pub attachable: bool,
    /// `--subnet`, in order.
    pub subnets: Vec<String>,
    /// `--gateway`, in order.
    pub gateways: Vec<String>,
    /// `--ip-range`, in order.
    pub ip_ranges: Vec<String>,
    /// `--opt`.
    pub options: BTreeMap<String, String>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
}

/// A row of `docker network ls`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkSummary {
    /// The name.
    pub name: String,
    /// 64 hexadecimal digits.
    pub id: String,
    /// When it was created.
    pub created: Timestamp,
    /// `local`.
    pub scope: String,
    /// `bridge`, `host`, `null`.
    pub driver: String,
    /// Cut off from outside.
    pub internal: bool,
    /// Labels.
    pub labels: BTreeMap<String, String>,
}
