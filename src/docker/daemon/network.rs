//! Networks: bridges with addresses, who is in them under which names, and ports of the host that lead into them.

use crate::base::sort::Arrange;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::Ipv4Addr;

use serde_json::{Map, Value, json};

use super::api::Filters;
use super::api::container::{Document, PruneReport};
use super::api::network::{EndpointRequest, NetworkCreate, NetworkSummary};
use super::api::system::EventKind;
use super::container::{Container, ContainerId, Endpoint, PublishedPort, parse_port};
use super::errors::{DaemonError, EndpointProblem};
use super::handle::{Daemon, Patterns, State, World, is_wanted, matches_label, prunable};
use crate::base::digest::Digest;
use crate::base::time::Timestamp;
use crate::os::kernel::net::{BridgeId, Forward, Interface, NetId};

/// A network's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct NetworkId(pub Digest);

impl fmt::Display for NetworkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.hex())
    }
}

/// An IPv4 network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subnet {
    /// Its first address.
    pub base: Ipv4Addr,
    /// The length of its prefix in bits.
    pub prefix: u8,
}

impl Subnet {
    /// `172.17.0.0/16`.
    pub fn parse(text: &str) -> Option<Self> {
        let (base, prefix) = text.split_once('/')?;
        let (base, prefix): (Ipv4Addr, u8) = (base.parse().ok()?, prefix.parse().ok()?);
        (8..=30).contains(&prefix).then(|| Self { base: Ipv4Addr::from(u32::from(base) & mask(prefix)), prefix })
    }

    fn contains(self, address: Ipv4Addr) -> bool {
        u32::from(address) & mask(self.prefix) == u32::from(self.base)
    }

    fn overlaps(self, other: Self) -> bool {
        self.contains(other.base) || other.contains(self.base)
    }

    fn host(self, number: u32) -> Option<Ipv4Addr> {
        let address = Ipv4Addr::from(u32::from(self.base).checked_add(number)?);
        self.contains(address).then_some(address)
    }

    fn last(self) -> u32 {
        !mask(self.prefix)
    }
}

impl fmt::Display for Subnet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.base, self.prefix)
    }
}

const fn mask(prefix: u8) -> u32 {
    if prefix == 0 { 0 } else { u32::MAX << (32 - prefix as u32) }
}

/// A network.
#[derive(Debug, Clone)]
pub struct Network {
    /// Its id.
    pub id: NetworkId,
    /// Its name.
    pub name: String,
    /// `bridge`, `host`, `ipvlan`, `macvlan`, `null`.
    pub driver: &'static str,
    /// When it was created.
    pub created: Timestamp,
    /// Addresses, of a bridge.
    pub subnet: Option<Subnet>,
    /// Whether the subnet was asked for and not taken from a pool.
    pub is_configured: bool,
    /// The part of the subnet that addresses are given out of.
    pub range: Option<Subnet>,
    /// The host's own address, of a bridge.
    pub gateway: Option<Ipv4Addr>,
    /// The bridge's number.
    pub bridge: BridgeId,
    /// Cut off from outside.
    pub internal: bool,
    /// Containers may attach by hand.
    pub attachable: bool,
    /// Options.
    pub options: BTreeMap<String, String>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
}

impl Network {
    /// Whether it came with the daemon.
    pub fn is_predefined(&self) -> bool {
        matches!(self.name.as_str(), "bridge" | "host" | "none")
    }

    /// Whether containers find one another by name.
    pub fn has_names(&self) -> bool {
        self.subnet.is_some() && self.name != "bridge"
    }

    /// Why a container can't have the address that it asks for (moby `daemon/container_operations.go`,
    /// `validateEndpointSettings`).
    fn refusal(&self, request: &EndpointRequest) -> Option<DaemonError> {
        let text = &request.ipv4_address;
        if text.is_empty() {
            return None;
        }
        let why = match (text.parse(), self.subnet) {
            _ if self.is_predefined() => EndpointProblem::OnDefault,
            (Err(_), _) => EndpointProblem::NoAddress(text.clone()),
            (Ok(address), Some(subnet)) if self.is_configured && subnet.contains(address) => return None,
            _ if self.is_configured => EndpointProblem::Outside(text.clone()),
            _ => EndpointProblem::NoSubnet,
        };
        Some(DaemonError::BadEndpoint(why))
    }

    /// The same for a container that is created.
    ///
    /// # Errors
    /// An address that it can't have.
    pub fn check(&self, request: &EndpointRequest) -> Result<(), DaemonError> {
        match self.refusal(request) {
            Some(why) => Err(DaemonError::BadNetworkConfig { network: self.name.clone(), why: Box::new(why) }),
            None => Ok(()),
        }
    }

    /// The bridge's name on the host.
    pub fn interface(&self) -> String {
        if self.name == "bridge" { "docker0".to_owned() } else { format!("br-{}", self.id.0.short()) }
    }
}

/// The default address pools (libnetwork `ipamutils`).
fn pools() -> impl Iterator<Item = Subnet> {
    let big = (17..32u8).map(|n| Subnet { base: Ipv4Addr::new(172, n, 0, 0), prefix: 16 });
    big.chain((0..16u8).map(|n| Subnet { base: Ipv4Addr::new(192, 168, n * 16, 0), prefix: 20 }))
}

impl State {
    /// A network by name, id or the beginning of its id.
    pub fn network(&self, name: &str) -> Result<&Network, DaemonError> {
        if let Some(found) = self.networks.values().find(|n| n.name == name) {
            return Ok(found);
        }
        let mut found = self.networks.values().filter(|n| !name.is_empty() && n.id.0.hex().starts_with(name));
        match (found.next(), found.next()) {
            (Some(network), None) => Ok(network),
            _ => Err(DaemonError::NoSuchNetwork(name.to_owned())),
        }
    }

    /// Who is in a network.
    fn members<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (&'a Container, &'a Endpoint)> {
        self.containers.values().filter_map(move |c| Some((c, c.endpoints.get(name)?)))
    }

    fn free_address(&self, network: &Network, wanted: &str) -> Result<Option<Ipv4Addr>, DaemonError> {
        let Some(subnet) = network.subnet else { return Ok(None) };
        let mut used: BTreeSet<Ipv4Addr> = self.members(&network.name).filter_map(|(_, e)| e.address).collect();
        used.extend(network.gateway);
        if !wanted.is_empty() {
            let address: Ipv4Addr = wanted.parse().map_err(|_| DaemonError::BadSubnet(wanted.to_owned()))?;
            if !subnet.contains(address) || used.contains(&address) {
                return Err(DaemonError::AddressInUse);
            }
            return Ok(Some(address));
        }
        let range = network.range.unwrap_or(subnet);
        let ends = [subnet.base, Ipv4Addr::from(u32::from(subnet.base) | subnet.last())];
        let hosts = (0..=range.last()).filter_map(|n| range.host(n)).filter(|address| !ends.contains(address));
        let free = hosts.into_iter().find(|address| !used.contains(address));
        free.map(Some).ok_or(DaemonError::NoPool)
    }
}

impl World {
    /// Makes the three networks every daemon has.
    pub fn make_default_networks(&self) {
        for (name, driver) in [("bridge", "bridge"), ("host", "host"), ("none", "null")] {
            let create = NetworkCreate {
                name: name.to_owned(),
                driver: driver.to_owned(),
                subnets: if driver == "bridge" { vec!["172.17.0.0/16".to_owned()] } else { Vec::new() },
                ..NetworkCreate::default()
            };
            // These names and addresses are free in a new world.
            let _ = self.add_network(create);
        }
    }

    fn add_network(&self, create: NetworkCreate) -> Result<NetworkId, DaemonError> {
        let id = NetworkId(self.new_id());
        let mut state = self.state.borrow_mut();
        let driver = match create.driver.as_str() {
            "" | "bridge" => "bridge",
            "macvlan" => "macvlan",
            "ipvlan" => "ipvlan",
            "host" => "host",
            "null" => "null",
            "overlay" => return Err(DaemonError::NoSwarm),
            other => return Err(DaemonError::NoNetworkDriver(other.to_owned())),
        };
        if matches!(driver, "host" | "null") && state.networks.values().any(|network| network.driver == driver) {
            return Err(DaemonError::OnlyOneNetwork(driver));
        }
        let (mut subnet, mut range) = (None, None);
        if !matches!(driver, "host" | "null") {
            let used: Vec<Subnet> = state.networks.values().filter_map(|n| n.subnet).collect();
            subnet = Some(match create.subnets.first() {
                Some(text) => {
                    let subnet = Subnet::parse(text).ok_or_else(|| DaemonError::BadSubnet(text.clone()))?;
                    if used.iter().any(|other| other.overlaps(subnet)) {
                        return Err(DaemonError::PoolOverlaps);
                    }
                    subnet
                }
                None => pools().find(|p| !used.iter().any(|u| u.overlaps(*p))).ok_or(DaemonError::NoPool)?,
            });
        }
        let parse = |text: &String| Subnet::parse(text).ok_or_else(|| DaemonError::BadSubnet(text.clone()));
        if let Some(text) = create.ip_ranges.first() {
            range = Some(parse(text)?);
        }
        let gateway = match create.gateways.first() {
            Some(text) => Some(text.parse().map_err(|_| DaemonError::BadSubnet(text.clone()))?),
            // The first address that may be given out.
            None => range
                .or(subnet)
                .and_then(|from| if Some(from.base) == subnet.map(|s| s.base) { from.host(1) } else { from.host(0) }),
        };
        state.next_bridge += 1;
        let network = Network {
            id,
            name: create.name,
            driver,
            created: self.kernel.now(),
            subnet,
            is_configured: !create.subnets.is_empty(),
            range,
            gateway,
            bridge: state.next_bridge,
            internal: create.internal,
            attachable: create.attachable,
            options: create.options,
            labels: create.labels,
        };
        // The host has no address in a network that is another one's than its own.
        if let (Some(address), Some(subnet), "bridge") = (gateway, subnet, driver) {
            let interface = Interface {
                name: network.interface(),
                bridge: network.bridge,
                address,
                prefix: subnet.prefix,
                gateway: None,
                mac: mac(address),
                index: self.kernel.network(|n| n.number(false)),
                cable: false,
            };
            self.kernel.network(|n| {
                if let Some(host) = n.get_mut(self.host.net) {
                    host.interfaces.push(interface);
                }
            });
        }
        state.networks.insert(id, network);
        Ok(id)
    }

    /// Gives a container's process its interfaces: joins every network that it is to be in.
    pub fn join_networks(&self, id: ContainerId, net: NetId) -> Result<(), DaemonError> {
        let names: Vec<String> = {
            let state = self.state.borrow();
            state.containers.get(&id).map(|c| c.endpoints.keys().cloned().collect()).unwrap_or_default()
        };
        for name in names {
            self.join_network(id, net, &name)?;
        }
        self.refresh_names();
        Ok(())
    }

    fn join_network(&self, id: ContainerId, net: NetId, name: &str) -> Result<(), DaemonError> {
        let endpoint_id = Digest::from_bytes(self.rng.borrow_mut().id()).hex();
        let mut state = self.state.borrow_mut();
        let network = state.network(name)?.clone();
        let request = state.containers.get(&id).and_then(|c| c.endpoints.get(name)).map(|e| e.request.clone());
        let Some(request) = request else { return Ok(()) };
        let address = state.free_address(&network, &request.ipv4_address)?;
        let Some(container) = state.containers.get_mut(&id) else { return Ok(()) };
        let container_name = container.name.clone();
        let Some(endpoint) = container.endpoints.get_mut(name) else { return Ok(()) };
        endpoint.network = Some(network.id);
        endpoint.endpoint_id = endpoint_id;
        endpoint.address = address;
        endpoint.mac = match (request.mac_address.is_empty(), address) {
            (false, _) => request.mac_address,
            (true, Some(address)) => mac(address),
            (true, None) => String::new(),
        };
        let mac = endpoint.mac.clone();
        if let (Some(address), Some(subnet)) = (address, network.subnet) {
            self.kernel.network(|n| {
                let index = n.number(true);
                if let Some(ns) = n.get_mut(net) {
                    let interface = Interface {
                        name: format!("eth{}", ns.interfaces.len()),
                        bridge: network.bridge,
                        address,
                        prefix: subnet.prefix,
                        gateway: network.gateway.filter(|_| !network.internal),
                        mac,
                        index,
                        cable: true,
                    };
                    ns.interfaces.push(interface);
                }
            });
        }
        drop(state);
        let attributes =
            [("container", id.to_string()), ("name", network.name.clone()), ("type", network.driver.to_owned())];
        let _ = container_name;
        self.emit(EventKind::Network, "connect", network.id.to_string(), &attributes);
        Ok(())
    }

    /// Takes a container's addresses away; its networks stay its own.
    pub fn leave_networks(&self, id: ContainerId) {
        let mut left = Vec::new();
        {
            let mut state = self.state.borrow_mut();
            let Some(container) = state.containers.get_mut(&id) else { return };
            for (name, endpoint) in &mut container.endpoints {
                if !endpoint.endpoint_id.is_empty() {
                    left.push((name.clone(), endpoint.network));
                }
                endpoint.leave();
            }
        }
        for (name, network) in left {
            let Some(network) = network else { continue };
            let attributes = [("container", id.to_string()), ("name", name), ("type", "bridge".to_owned())];
            self.emit(EventKind::Network, "disconnect", network.to_string(), &attributes);
        }
        self.refresh_names();
    }

    /// Tells every running container's DNS who is in its networks.
    pub fn refresh_names(&self) {
        let state = self.state.borrow();
        for container in state.containers.values() {
            let Some(run) = container.state.run() else { continue };
            let mut names: BTreeMap<String, Vec<Ipv4Addr>> = BTreeMap::new();
            let mut pointers = BTreeMap::new();
            for network_name in container.endpoints.keys() {
                let Ok(network) = state.network(network_name) else { continue };
                let Some(gateway) = network.gateway else { continue };
                names.entry("host.docker.internal".to_owned()).or_default().push(gateway);
                if !network.has_names() {
                    continue;
                }
                for (member, endpoint) in state.members(network_name) {
                    let Some(address) = endpoint.address else { continue };
                    let mut own = vec![member.name.clone(), member.id.short(), member.config.hostname.clone()];
                    own.extend(endpoint.request.aliases.iter().cloned());
                    let qualified = format!("{}.{}", member.name, network.name);
                    pointers.insert(address, qualified.clone());
                    own.push(qualified);
                    own.arrange();
                    own.dedup();
                    for name in own {
                        names.entry(name.to_ascii_lowercase()).or_default().push(address);
                    }
                }
            }
            // Only where the host was asked for is the host known by name (`--add-host name:host-gateway`).
            names.remove("host.docker.internal");
            self.kernel.network(|n| {
                if let Some(ns) = n.get_mut(run.net) {
                    ns.names = names;
                    ns.pointers = pointers;
                }
            });
        }
    }

    /// Opens the ports of the host that lead into a container.
    pub fn publish_ports(&self, id: ContainerId, net: NetId) -> Result<(), DaemonError> {
        let wanted = {
            let state = self.state.borrow();
            let Some(container) = state.containers.get(&id) else { return Ok(()) };
            let endpoint = container.endpoints.values().find(|e| e.address.is_some());
            let Some(endpoint) = endpoint else { return Ok(()) };
            let mut wanted = Vec::new();
            for (port, bindings) in &container.host.port_bindings {
                let (private, protocol) = parse_port(port).ok_or_else(|| DaemonError::BadPort(port.clone()))?;
                for binding in bindings {
                    wanted.push((private, protocol.clone(), binding.host_ip.clone(), binding.host_port.clone()));
                }
            }
            if container.host.publish_all_ports {
                for port in &container.config.exposed_ports {
                    if !container.host.port_bindings.contains_key(port)
                        && let Some((private, protocol)) = parse_port(port)
                    {
                        wanted.push((private, protocol, String::new(), String::new()));
                    }
                }
            }
            // Where the network says that ports of any address go (moby `bridge.go` `DefaultBindingIP`).
            let network = container.endpoints.iter().find(|row| row.1.address.is_some()).map(|row| row.0);
            let network = network.and_then(|name| state.network(name).ok());
            if let Some(own) = network.and_then(|n| n.options.get("com.docker.network.bridge.host_binding_ipv4")) {
                wanted.iter_mut().filter(|row| row.2.is_empty()).for_each(|row| row.2.clone_from(own));
            }
            (wanted, container.name.clone(), endpoint.endpoint_id.clone())
        };
        let (mut wanted, name, endpoint) = wanted;
        // A port that is free to choose must not take one that is asked for (moby `sortAndNormPBs`).
        wanted.arrange_by_key(|row| (row.3.is_empty(), row.3.contains('-')));
        for (private, protocol, address_text, range) in wanted {
            let address = match address_text.as_str() {
                "" | "::" => Ipv4Addr::UNSPECIFIED,
                "localhost" => Ipv4Addr::LOCALHOST,
                text => text.parse().map_err(|_| DaemonError::BadPort(text.to_owned()))?,
            };
            let bounds = match range.split_once('-') {
                _ if range.is_empty() => None,
                Some((low, high)) => low.parse::<u16>().ok().zip(high.parse::<u16>().ok()),
                None => range.parse::<u16>().ok().map(|port| (port, port)),
            };
            if bounds.is_none() && !range.is_empty() {
                return Err(DaemonError::BadPort(range));
            }
            let public = self.allocate(address, &protocol, bounds).map_err(|taken| match taken {
                Taken::ByContainer(port) => DaemonError::PortAllocated {
                    name: name.clone(),
                    endpoint: endpoint.clone(),
                    address: address.to_string(),
                    port,
                },
                Taken::ByProcess(port) => DaemonError::PortInUse {
                    name: name.clone(),
                    endpoint: endpoint.clone(),
                    address: address.to_string(),
                    port,
                },
            })?;
            let mut state = self.state.borrow_mut();
            if let Some(container) = state.containers.get_mut(&id) {
                container.published.push(PublishedPort { private, protocol: protocol.clone(), address, public });
            }
            if protocol == "tcp" {
                self.kernel.network(|n| {
                    if let Some(host) = n.get_mut(self.host.net) {
                        host.forwards.insert((address, public), Forward { to: net, port: private });
                    }
                });
            }
        }
        Ok(())
    }

    fn allocate(&self, address: Ipv4Addr, protocol: &str, bounds: Option<(u16, u16)>) -> Result<u16, Taken> {
        let mut state = self.state.borrow_mut();
        let listening = self.kernel.network(|n| n.listening(self.host.net));
        let taken = |state: &State, port: u16| {
            let published = state.containers.values().flat_map(|c| &c.published).any(|p| {
                p.public == port
                    && p.protocol == protocol
                    && (p.address == address || p.address.is_unspecified() || address.is_unspecified())
            });
            if published {
                Some(Taken::ByContainer(port))
            } else if protocol == "tcp" && listening.contains(&port) {
                Some(Taken::ByProcess(port))
            } else {
                None
            }
        };
        if let Some((low, high)) = bounds {
            let mut error = Taken::ByContainer(low);
            for port in low..=high {
                match taken(&state, port) {
                    None => return Ok(port),
                    Some(why) => error = why,
                }
            }
            return Err(error);
        }
        for _ in 0..28_000u32 {
            let port = if state.next_port < 32_768 || state.next_port > 60_998 { 32_768 } else { state.next_port + 1 };
            state.next_port = port;
            if taken(&state, port).is_none() {
                return Ok(port);
            }
        }
        Err(Taken::ByContainer(0))
    }

    /// Closes the ports that lead into a container.
    pub fn unpublish_ports(&self, id: ContainerId) {
        let published = {
            let mut state = self.state.borrow_mut();
            state.containers.get_mut(&id).map(|c| std::mem::take(&mut c.published)).unwrap_or_default()
        };
        self.kernel.network(|n| {
            if let Some(host) = n.get_mut(self.host.net) {
                for port in published.iter().filter(|port| port.protocol == "tcp") {
                    host.forwards.remove(&(port.address, port.public));
                }
            }
        });
    }
}

/// Who has a port.
#[derive(Clone, Copy)]
enum Taken {
    ByContainer(u16),
    ByProcess(u16),
}

/// The hardware address that Docker derives from an IPv4 address (libnetwork `netutils`).
fn mac(address: Ipv4Addr) -> String {
    let [a, b, c, d] = address.octets();
    format!("02:42:{a:02x}:{b:02x}:{c:02x}:{d:02x}")
}

impl Daemon {
    /// `POST /networks/create`: the id.
    ///
    /// # Errors
    /// A name that is taken or predefined, an unknown driver, addresses that overlap.
    pub fn network_create(&self, request: NetworkCreate) -> Result<String, DaemonError> {
        if matches!(request.name.as_str(), "bridge" | "host" | "none" | "default") {
            return Err(DaemonError::PredefinedNetworkCreate(request.name));
        }
        if self.0.state.borrow().networks.values().any(|n| n.name == request.name) {
            return Err(DaemonError::NetworkExists(request.name));
        }
        let name = request.name.clone();
        let id = self.0.add_network(request)?;
        let driver = self.0.state.borrow().networks.get(&id).map(|network| network.driver).unwrap_or_default();
        self.0.emit(EventKind::Network, "create", id.to_string(), &[("name", name), ("type", driver.to_owned())]);
        Ok(id.to_string())
    }

    /// `GET /networks`.
    ///
    /// # Errors
    /// An unknown filter.
    pub fn network_list(&self, filters: &Filters) -> Result<Vec<NetworkSummary>, DaemonError> {
        for name in filters.keys() {
            if !matches!(name.as_str(), "dangling" | "driver" | "id" | "label" | "name" | "scope" | "type") {
                return Err(DaemonError::BadFilter(name.clone()));
            }
        }
        let dangling = is_wanted(filters, "dangling")?;
        let mut types = filters.get("type").into_iter().flatten();
        if let Some(other) = types.find(|kind| !matches!(kind.as_str(), "builtin" | "custom")) {
            return Err(DaemonError::BadNetworkType(other.clone()));
        }
        let state = self.0.state.borrow();
        let any = |key: &str, test: &dyn Fn(&str) -> bool| filters.get(key).is_none_or(|v| v.iter().any(|v| test(v)));
        let (names, ids) = (Patterns::of(filters, "name"), Patterns::of(filters, "id"));
        let mut out: Vec<NetworkSummary> = state
            .networks
            .values()
            .filter(|n| {
                any("driver", &|v| n.driver == v)
                    && ids.match_text(&n.id.0.hex())
                    && names.match_text(&n.name)
                    && any("scope", &|v| v == "local")
                    && any("type", &|v| (v == "builtin") == n.is_predefined())
                    && dangling
                        .is_none_or(|wanted| wanted == (!n.is_predefined() && state.members(&n.name).next().is_none()))
                    && filters.get("label").is_none_or(|v| v.iter().all(|v| matches_label(&n.labels, v)))
            })
            .map(|n| NetworkSummary {
                name: n.name.clone(),
                id: n.id.to_string(),
                created: n.created,
                scope: "local".to_owned(),
                driver: n.driver.to_owned(),
                internal: n.internal,
                labels: n.labels.clone(),
            })
            .collect();
        out.arrange_by(|a, b| a.name.cmp(&b.name));
        Ok(out)
    }

    /// `GET /networks/{id}`.
    ///
    /// # Errors
    /// No such network.
    pub fn network_inspect(&self, name: &str) -> Result<Document, DaemonError> {
        let state = self.0.state.borrow();
        let network = state.network(name)?;
        let mut containers = Map::new();
        for (member, endpoint) in state.members(&network.name) {
            if endpoint.endpoint_id.is_empty() {
                continue;
            }
            let address = match (endpoint.address, network.subnet) {
                (Some(address), Some(subnet)) => format!("{address}/{}", subnet.prefix),
                _ => String::new(),
            };
            let one = json!({
                "Name": member.name,
                "EndpointID": endpoint.endpoint_id,
                "MacAddress": endpoint.mac,
                "IPv4Address": address,
                "IPv6Address": "",
            });
            containers.insert(member.id.to_string(), one);
        }
        let config: Vec<Value> = match network.subnet {
            None => Vec::new(),
            Some(subnet) => {
                let mut one = Map::from_iter([("Subnet".to_owned(), json!(subnet.to_string()))]);
                if let Some(range) = network.range {
                    one.insert("IPRange".to_owned(), json!(range.to_string()));
                }
                one.insert("Gateway".to_owned(), json!(network.gateway.map(|g| g.to_string()).unwrap_or_default()));
                vec![Value::Object(one)]
            }
        };
        let mut options: Map<String, Value> = Map::new();
        if network.name == "bridge" {
            for (key, value) in [
                ("com.docker.network.bridge.default_bridge", "true"),
                ("com.docker.network.bridge.enable_icc", "true"),
                ("com.docker.network.bridge.enable_ip_masquerade", "true"),
                ("com.docker.network.bridge.host_binding_ipv4", "0.0.0.0"),
                ("com.docker.network.bridge.name", "docker0"),
                ("com.docker.network.driver.mtu", "1500"),
            ] {
                options.insert(key.to_owned(), value.into());
            }
        }
        options.extend(network.options.iter().map(|(k, v)| (k.clone(), Value::from(v.as_str()))));
        Ok(json!({
            "Name": network.name,
            "Id": network.id.to_string(),
            "Created": network.created.rfc3339_nano(),
            "Scope": "local",
            "Driver": network.driver,
            "EnableIPv4": true,
            "EnableIPv6": false,
            "IPAM": {
                "Driver": "default",
                "Options": if network.is_predefined() { Value::Null } else { json!({}) },
                "Config": if config.is_empty() { Value::Null } else { Value::Array(config) },
            },
            "Internal": network.internal,
            "Attachable": network.attachable,
            "Ingress": false,
            "ConfigFrom": {"Network": ""},
            "ConfigOnly": false,
            "Containers": containers,
            "Options": options,
            "Labels": network.labels,
        }))
    }

    /// `POST /networks/{id}/connect`.
    ///
    /// # Errors
    /// Unknown names; a container that is in it already; the host's network.
    pub fn network_connect(
        &self,
        network: &str,
        container: &str,
        endpoint: EndpointRequest,
    ) -> Result<(), DaemonError> {
        let (id, name, net) = {
            let mut state = self.0.state.borrow_mut();
            let network = state.network(network)?.clone();
            let id = state.resolve(container)?;
            let Some(container) = state.containers.get_mut(&id) else { return Ok(()) };
            if network.driver == "host" || container.host.network_mode == "host" {
                return Err(DaemonError::HostNetwork);
            }
            if network.driver == "null" || container.host.network_mode == "none" {
                return Err(DaemonError::NoneNetwork);
            }
            if container.endpoints.contains_key(&network.name) {
                let endpoint = container.name.clone();
                return Err(DaemonError::EndpointExists { endpoint, network: network.name });
            }
            if let Some(why) = network.refusal(&endpoint) {
                return Err(why);
            }
            container.endpoints.insert(network.name.clone(), Endpoint::wanted(endpoint));
            (id, network.name, container.state.run().map(|run| run.net))
        };
        if let Some(net) = net {
            self.0.join_network(id, net, &name)?;
            self.0.refresh_names();
        }
        self.0.changed();
        Ok(())
    }

    /// `POST /networks/{id}/disconnect`.
    ///
    /// # Errors
    /// Unknown names; a container that is not in it.
    pub fn network_disconnect(&self, network: &str, container: &str, _force: bool) -> Result<(), DaemonError> {
        let gone = {
            let mut state = self.0.state.borrow_mut();
            let network = state.network(network)?.clone();
            let id = state.resolve(container)?;
            if network.driver == "host" {
                return Err(DaemonError::HostNetwork);
            }
            let Some(container) = state.containers.get_mut(&id) else { return Ok(()) };
            let Some(endpoint) = container.endpoints.remove(&network.name) else {
                return Err(DaemonError::NotConnected { container: id.to_string(), network: network.name });
            };
            if let (Some(run), Some(address)) = (container.state.run(), endpoint.address) {
                self.0.kernel.network(|n| {
                    if let Some(ns) = n.get_mut(run.net) {
                        ns.interfaces.retain(|interface| interface.address != address);
                    }
                });
            }
            (network.id, [("container", id.to_string()), ("name", network.name), ("type", network.driver.to_owned())])
        };
        self.0.refresh_names();
        self.0.emit(EventKind::Network, "disconnect", gone.0.to_string(), &gone.1);
        Ok(())
    }

    /// `DELETE /networks/{id}`: the name.
    ///
    /// # Errors
    /// A predefined network, or one that containers are in.
    pub fn network_remove(&self, name: &str) -> Result<String, DaemonError> {
        let network = {
            let mut state = self.0.state.borrow_mut();
            let network = state.network(name)?.clone();
            if network.is_predefined() {
                return Err(DaemonError::PredefinedNetwork(network.name));
            }
            let active: Vec<&Container> = state
                .members(&network.name)
                .filter(|(_, endpoint)| !endpoint.endpoint_id.is_empty())
                .map(|(container, _)| container)
                .collect();
            if let Some(first) = active.first() {
                return Err(DaemonError::NetworkInUse {
                    name: format!("{} id {}", network.name, network.id),
                    endpoints: first.name.clone(),
                });
            }
            state.networks.remove(&network.id);
            network
        };
        self.0.kernel.network(|n| {
            if let Some(host) = n.get_mut(self.0.host.net) {
                host.interfaces.retain(|interface| interface.bridge != network.bridge);
            }
        });
        let attributes = [("name", network.name.clone()), ("type", network.driver.to_owned())];
        self.0.emit(EventKind::Network, "destroy", network.id.to_string(), &attributes);
        Ok(network.name)
    }

    /// `POST /networks/prune`: those that no container is in.
    ///
    /// # Errors
    /// An unknown filter.
    pub fn network_prune(&self, filters: &Filters) -> Result<PruneReport, DaemonError> {
        for name in filters.keys() {
            if !matches!(name.as_str(), "until" | "label" | "label!") {
                return Err(DaemonError::BadFilter(name.clone()));
            }
        }
        let names: Vec<String> = {
            let state = self.0.state.borrow();
            let unused = |n: &&Network| {
                !n.is_predefined() && state.members(&n.name).next().is_none() && prunable(filters, &n.labels, n.created)
            };
            state.networks.values().filter(unused).map(|n| n.name.clone()).collect()
        };
        let deleted = names.into_iter().filter_map(|name| self.network_remove(&name).ok()).collect();
        Ok(PruneReport { deleted, space_reclaimed_bytes: 0 })
    }
}
