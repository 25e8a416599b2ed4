//! A network without wires: namespaces with addresses, bridges between them, listeners, forwarded ports.
//!
//! A connection is two pipes. Nothing leaves the machine.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::Ipv4Addr;
use std::rc::Rc;

use super::Gpid;
use super::process::Handle;
use super::wait::Waiters;
use crate::base::errno::Errno;
use crate::base::sort::Arrange;

/// A network namespace's number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct NetId(pub u32);

/// A bridge's number.
pub type BridgeId = u32;

/// The end of a connection that the listener gets.
pub(super) struct Incoming {
    pub file: Handle,
    pub peer: String,
}

pub(super) struct Listener {
    pub address: Ipv4Addr,
    /// The processes that hold it open: who asked for it and their later children. It ends with the last of them.
    pub owners: BTreeSet<Gpid>,
    pub backlog: VecDeque<Incoming>,
    pub waiters: Rc<Waiters>,
}

/// Where connections to a published port go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Forward {
    /// The namespace.
    pub to: NetId,
    /// The port there.
    pub port: u16,
}

/// A network namespace.
pub struct Namespace {
    /// Interfaces: the bridge, the name (`eth0`), the address, the length of its prefix.
    pub interfaces: Vec<Interface>,
    /// Names that this namespace's DNS knows.
    pub names: BTreeMap<String, Vec<Ipv4Addr>>,
    /// Published ports, by address and port.
    pub forwards: BTreeMap<(Ipv4Addr, u16), Forward>,
    pub(super) listeners: BTreeMap<u16, Listener>,
    /// Names of addresses (`web.app`), for those who ask the other way round.
    pub pointers: BTreeMap<Ipv4Addr, String>,
    /// Bytes that came in and went out through the interfaces.
    pub traffic: [u64; 2],
    /// The first port that anyone may listen on (`net.ipv4.ip_unprivileged_port_start`).
    pub first_free_port: u16,
    /// Neighbours whose hardware address was asked for (ARP).
    pub neighbours: BTreeSet<Ipv4Addr>,
    /// Settings below `/proc/sys/net` that are not as Linux has them at first, by path.
    pub settings: BTreeMap<String, String>,
}

/// Settings of a network namespace, by their paths below `/proc/sys/net`, and what Linux 5.15 has for them. They are shown
/// and kept; only the first is acted by.
pub const SETTINGS: [(&str, &str); 12] = [
    (FIRST_PORT, "1024"),
    ("core/somaxconn", "4096"),
    ("ipv4/icmp_echo_ignore_all", "0"),
    ("ipv4/ip_forward", "1"),
    ("ipv4/ip_local_port_range", "32768\t60999"),
    ("ipv4/ping_group_range", "0\t2147483647"),
    ("ipv4/tcp_fin_timeout", "60"),
    ("ipv4/tcp_keepalive_intvl", "75"),
    ("ipv4/tcp_keepalive_probes", "9"),
    ("ipv4/tcp_keepalive_time", "7200"),
    ("ipv4/tcp_max_syn_backlog", "256"),
    ("ipv4/tcp_syncookies", "1"),
];
/// The first port that anyone may listen on.
pub const FIRST_PORT: &str = "ipv4/ip_unprivileged_port_start";

impl Namespace {
    /// The value of a setting, if there is such a one.
    pub fn setting(&self, path: &str) -> Option<String> {
        let (_, first) = SETTINGS.iter().find(|row| row.0 == path)?;
        if path == FIRST_PORT {
            return Some(self.first_free_port.to_string());
        }
        Some(self.settings.get(path).cloned().unwrap_or_else(|| (*first).to_owned()))
    }

    /// Changes a setting; whether there is such a one that takes the value.
    pub fn set(&mut self, path: &str, value: &str) -> bool {
        if !SETTINGS.iter().any(|row| row.0 == path) {
            return false;
        }
        if path == FIRST_PORT {
            let Ok(port) = value.trim().parse() else { return false };
            self.first_free_port = port;
        } else {
            self.settings.insert(path.to_owned(), value.split_whitespace().collect::<Vec<_>>().join("\t"));
        }
        true
    }
}

impl Default for Namespace {
    fn default() -> Self {
        let (names, forwards, listeners) = Default::default();
        Self {
            interfaces: Vec::new(),
            names,
            forwards,
            listeners,
            traffic: [0; 2],
            first_free_port: 1024,
            pointers: BTreeMap::new(),
            neighbours: BTreeSet::new(),
            settings: BTreeMap::new(),
        }
    }
}

/// A network interface.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Interface {
    /// Such as `eth0`.
    pub name: String,
    /// The bridge it is plugged into.
    pub bridge: BridgeId,
    /// Its address.
    pub address: Ipv4Addr,
    /// The length of its network's prefix in bits.
    pub prefix: u8,
    /// The gateway, where it has one.
    pub gateway: Option<Ipv4Addr>,
    /// Its hardware address.
    pub mac: String,
    /// Its number, one of the whole machine; 0 where nobody has asked for one ([`Network::number`]).
    pub index: u32,
    /// Whether it is an end of a cable whose other end, with the next number, is plugged into a bridge of the host. A
    /// bridge itself is no end of one.
    pub cable: bool,
}

/// A device as `ip link` lists it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Link {
    /// Its number.
    pub index: u32,
    /// Its name.
    pub name: String,
    /// The number of the cable's other end.
    pub peer: Option<u32>,
    /// The bridge that it is plugged into, by name.
    pub master: Option<String>,
    /// Its hardware address; none for the loopback.
    pub mac: Option<String>,
    /// Its address and the length of its prefix.
    pub address: Option<(Ipv4Addr, u8)>,
    /// Whether something is at the other end.
    pub carrier: bool,
    /// Bytes that came in and went out.
    pub traffic: [u64; 2],
}

/// A line of the routing table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RouteLine {
    /// The network and the length of its prefix; 0.0.0.0/0 for everything else.
    pub to: (Ipv4Addr, u8),
    /// The next hop.
    pub via: Option<Ipv4Addr>,
    /// The device.
    pub device: String,
    /// The own address there.
    pub source: Ipv4Addr,
}

/// A port that is listened on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listening {
    /// On this address.
    pub address: Ipv4Addr,
    /// The port.
    pub port: u16,
    /// By these processes; none when it is the daemon's proxy.
    pub owners: Vec<Gpid>,
}

/// Bytes that are counted as one packet: a full segment of TCP on an Ethernet.
pub const PACKET_BYTES: u64 = 1448;

/// The mask of a prefix.
pub fn mask(prefix: u8) -> Ipv4Addr {
    Ipv4Addr::from(u32::MAX.checked_shl(32 - u32::from(prefix.min(32))).unwrap_or(0))
}

/// An address's network and its broadcast address.
pub fn network_of(address: Ipv4Addr, prefix: u8) -> (Ipv4Addr, Ipv4Addr) {
    let mask = u32::from(mask(prefix));
    let bits = u32::from(address);
    (Ipv4Addr::from(bits & mask), Ipv4Addr::from(bits | !mask))
}

/// All namespaces.
#[derive(Default)]
pub struct Network {
    namespaces: BTreeMap<NetId, Namespace>,
    next: u32,
    next_port: u16,
    next_index: u32,
}

/// What a connection attempt found.
pub(super) enum Route {
    /// A listener in this namespace.
    To(NetId, u16),
    /// A published port without a listener behind it: accepted by the proxy, then reset.
    Reset,
}

/// Hosts of the Internet that have a name and answer a `ping`: as much of it as there is beside the registries.
const INTERNET: [(&str, Ipv4Addr); 7] = [
    ("google.com", Ipv4Addr::new(142, 250, 184, 14)),
    ("www.google.com", Ipv4Addr::new(142, 250, 184, 4)),
    ("github.com", Ipv4Addr::new(140, 82, 121, 3)),
    ("example.com", Ipv4Addr::new(93, 184, 216, 34)),
    ("rubygems.org", Ipv4Addr::new(151, 101, 1, 227)),
    ("dns.google", Ipv4Addr::new(8, 8, 8, 8)),
    ("one.one.one.one", Ipv4Addr::new(1, 1, 1, 1)),
];

/// Whether an address is one of the Internet's, which takes longer to reach.
pub fn is_far(address: Ipv4Addr) -> bool {
    INTERNET.iter().any(|(_, known)| *known == address)
}

impl Namespace {
    /// Whether there is a way out: a gateway, or a bridge of its own, as only the machine itself has.
    fn is_outward(&self) -> bool {
        self.interfaces.iter().any(|i| i.gateway.is_some() || !i.cable)
    }

    /// The address of an Internet host, where there is a way to it.
    pub(super) fn far(&self, name: &str) -> Option<Ipv4Addr> {
        let found = INTERNET.iter().find(|(known, _)| *known == name).map(|(_, address)| *address);
        found.filter(|_| self.is_outward())
    }
}

impl Network {
    /// A new namespace with only its loopback.
    pub fn add(&mut self) -> NetId {
        self.next += 1;
        self.namespaces.insert(NetId(self.next), Namespace::default());
        NetId(self.next)
    }

    /// Removes a namespace.
    pub fn remove(&mut self, id: NetId) {
        self.namespaces.remove(&id);
    }

    /// A namespace.
    pub fn get(&self, id: NetId) -> Option<&Namespace> {
        self.namespaces.get(&id)
    }

    /// A namespace, to be changed.
    pub fn get_mut(&mut self, id: NetId) -> Option<&mut Namespace> {
        self.namespaces.get_mut(&id)
    }

    /// Numbers for an interface and, if it has one, the other end of its cable.
    pub fn number(&mut self, cable: bool) -> u32 {
        let index = self.next_index.max(2);
        self.next_index = index + 1 + u32::from(cable);
        index
    }

    /// The devices of a namespace, the loopback first.
    pub fn links(&self, id: NetId) -> Vec<Link> {
        let Some(ns) = self.namespaces.get(&id) else { return Vec::new() };
        let loopback = Link {
            index: 1,
            name: "lo".to_owned(),
            peer: None,
            master: None,
            mac: None,
            address: Some((Ipv4Addr::LOCALHOST, 8)),
            carrier: true,
            traffic: [0, 0],
        };
        let mut links = vec![loopback];
        for (place, own) in ns.interfaces.iter().enumerate() {
            let plugged = |other: &&Interface| other.cable && other.bridge == own.bridge;
            let others = || self.namespaces.values().flat_map(|ns| &ns.interfaces).filter(plugged);
            links.push(Link {
                index: own.index,
                name: own.name.clone(),
                peer: own.cable.then_some(own.index + 1),
                master: None,
                mac: Some(own.mac.clone()),
                address: Some((own.address, own.prefix)),
                carrier: own.cable || others().next().is_some(),
                // Only a namespace as a whole is metered.
                traffic: if place == 0 { ns.traffic } else { [0, 0] },
            });
            for other in others().filter(|_| !own.cable) {
                let hash = crate::base::digest::Digest::of(format!("{} {}", other.mac, other.index).as_bytes()).hex();
                let digits = |from: usize, count: usize| hash.get(from..from + count).unwrap_or_default();
                let bytes: Vec<&str> = (0..5).map(|n| digits(10 + 2 * n, 2)).collect();
                links.push(Link {
                    index: other.index + 1,
                    name: format!("veth{}", digits(0, 7)),
                    peer: Some(other.index),
                    master: Some(own.name.clone()),
                    mac: Some(format!("0a:{}", bytes.join(":"))),
                    address: None,
                    carrier: true,
                    traffic: [0, 0],
                });
            }
        }
        links.get_mut(1..).unwrap_or_default().arrange_by_key(|link| link.index);
        links
    }

    /// The routing table of a namespace.
    pub fn routes(&self, id: NetId) -> Vec<RouteLine> {
        let Some(ns) = self.namespaces.get(&id) else { return Vec::new() };
        let line = |i: &Interface, to, via| RouteLine { to, via, device: i.name.clone(), source: i.address };
        let default = ns.interfaces.iter().find(|i| i.gateway.is_some());
        let mut lines: Vec<RouteLine> =
            default.map(|i| line(i, (Ipv4Addr::UNSPECIFIED, 0), i.gateway)).into_iter().collect();
        lines.extend(ns.interfaces.iter().map(|i| line(i, (network_of(i.address, i.prefix).0, i.prefix), None)));
        lines
    }

    /// What is listened on in a namespace, published ports among it, in the order of ports.
    pub fn listeners(&self, id: NetId) -> Vec<Listening> {
        let Some(ns) = self.namespaces.get(&id) else { return Vec::new() };
        let own = ns.listeners.iter().map(|(port, listener)| Listening {
            address: listener.address,
            port: *port,
            owners: listener.owners.iter().copied().collect(),
        });
        let published =
            ns.forwards.keys().map(|(address, port)| Listening { address: *address, port: *port, owners: Vec::new() });
        let mut all: Vec<Listening> = own.chain(published).collect();
        all.arrange_by_key(|listening| listening.port);
        all
    }

    /// The neighbours that a namespace has spoken to and that are still there, with hardware address and device.
    pub fn neighbours(&self, id: NetId) -> Vec<(Ipv4Addr, Option<String>, String)> {
        let Some(ns) = self.namespaces.get(&id) else { return Vec::new() };
        let mut found = Vec::new();
        for address in &ns.neighbours {
            let within = |i: &&Interface| network_of(i.address, i.prefix).0 == network_of(*address, i.prefix).0;
            let Some(own) = ns.interfaces.iter().find(within) else { continue };
            let all = self.namespaces.values().flat_map(|ns| &ns.interfaces);
            let mac = all.filter(|i| i.bridge == own.bridge && i.address == *address).map(|i| i.mac.clone()).next();
            found.push((*address, mac, own.name.clone()));
        }
        found
    }

    /// Remembers who was asked for on a network that this namespace is on.
    fn note_neighbour(&mut self, id: NetId, address: Ipv4Addr) {
        let Some(ns) = self.namespaces.get_mut(&id) else { return };
        let is_own = ns.interfaces.iter().any(|i| i.address == address);
        let within = |i: &Interface| network_of(i.address, i.prefix).0 == network_of(address, i.prefix).0;
        let next = if is_own || address.is_loopback() {
            None
        } else if ns.interfaces.iter().any(within) {
            Some(address)
        } else {
            ns.interfaces.iter().find_map(|i| i.gateway)
        };
        // As many as Linux keeps without being asked to forget some (`gc_thresh1`).
        if ns.neighbours.len() < 128 {
            ns.neighbours.extend(next);
        }
    }

    /// The address that a connection from one namespace to another comes from: the own one on a network that both are on.
    pub(super) fn source(&self, from: NetId, to: NetId) -> Ipv4Addr {
        let Some(own) = self.namespaces.get(&from) else { return Ipv4Addr::LOCALHOST };
        let far =
            self.namespaces.get(&to).filter(|_| from != to).map(|ns| ns.interfaces.as_slice()).unwrap_or_default();
        let meets = |i: &&Interface| {
            far.iter().any(|other| network_of(i.address, i.prefix) == network_of(other.address, i.prefix))
        };
        own.interfaces.iter().find(meets).or(own.interfaces.first()).map_or(Ipv4Addr::LOCALHOST, |i| i.address)
    }

    /// The ports that something listens on in a namespace.
    pub fn listening(&self, id: NetId) -> Vec<u16> {
        self.namespaces.get(&id).map(|ns| ns.listeners.keys().copied().collect()).unwrap_or_default()
    }

    /// Counts what came from or went to a peer that is not this namespace itself.
    pub(super) fn count(&mut self, id: NetId, peer: &str, received: u64, sent: u64) {
        let Some(ns) = self.namespaces.get_mut(&id) else { return };
        let address: Option<Ipv4Addr> = peer.split(':').next().and_then(|text| text.parse().ok());
        if address.is_some_and(|a| !a.is_loopback() && ns.interfaces.iter().all(|i| i.address != a)) {
            ns.traffic[0] += received;
            ns.traffic[1] += sent;
        }
    }

    /// A child shares what its parent listens on.
    pub(super) fn share(&mut self, id: NetId, parent: Gpid, child: Gpid) {
        for listener in self.namespaces.get_mut(&id).into_iter().flat_map(|ns| ns.listeners.values_mut()) {
            if listener.owners.contains(&parent) {
                listener.owners.insert(child);
            }
        }
    }

    /// Takes out what only this process listened on. To be dropped by the caller: that closes connections.
    pub(super) fn release(&mut self, id: NetId, owner: Gpid) -> Vec<Listener> {
        let Some(ns) = self.namespaces.get_mut(&id) else { return Vec::new() };
        let left = |listener: &mut Listener| listener.owners.remove(&owner) && listener.owners.is_empty();
        let ports: Vec<u16> = ns.listeners.iter_mut().filter_map(|(port, l)| left(l).then_some(*port)).collect();
        ports.iter().filter_map(|port| ns.listeners.remove(port)).collect()
    }

    pub(super) fn ephemeral_port(&mut self) -> u16 {
        self.next_port = if self.next_port < 32_768 || self.next_port > 60_000 { 32_768 } else { self.next_port + 1 };
        self.next_port
    }

    /// Whether something at this address answers, whatever it listens on.
    ///
    /// # Errors
    /// `EHOSTUNREACH` where nobody of the own network has it, `ETIMEDOUT` where a gateway takes the packet and nothing
    /// comes back (Docker's isolation of bridges drops it), `ENETUNREACH`.
    pub fn reach(&mut self, from: NetId, address: Ipv4Addr) -> Result<(), Errno> {
        self.note_neighbour(from, address);
        let near = |i: &Interface| network_of(i.address, i.prefix).0 == network_of(address, i.prefix).0;
        let is_near = self.namespaces.get(&from).is_some_and(|ns| ns.interfaces.iter().any(near));
        if !is_near && let Some(answer) = self.beyond(from, address) {
            return answer;
        }
        match self.route(from, address, 0) {
            Err(Errno::EHOSTUNREACH) if !is_near => Err(Errno::ETIMEDOUT),
            Err(error @ (Errno::EHOSTUNREACH | Errno::ENETUNREACH)) => Err(error),
            _ => Ok(()),
        }
    }

    /// What a host of the Internet answers, where there is a way to it.
    fn beyond(&self, from: NetId, address: Ipv4Addr) -> Option<Result<(), Errno>> {
        let ns = self.namespaces.get(&from)?;
        let known = INTERNET.iter().any(|(_, known)| *known == address);
        (known && ns.is_outward()).then_some(Ok(()))
    }

    /// Where a connection that is now opened ends.
    pub(super) fn call(&mut self, from: NetId, address: Ipv4Addr, port: u16) -> Result<Route, Errno> {
        self.note_neighbour(from, address);
        self.route(from, address, port)
    }

    /// Where a connection from `from` to `address:port` ends.
    fn route(&self, from: NetId, address: Ipv4Addr, port: u16) -> Result<Route, Errno> {
        let own = self.namespaces.get(&from).ok_or(Errno::ENETUNREACH)?;
        let local = address.is_loopback()
            || address.is_unspecified()
            || own.interfaces.iter().any(|interface| interface.address == address);
        if local {
            return self.deliver(from, address, port);
        }
        let within = |i: &Interface| network_of(i.address, i.prefix).0 == network_of(address, i.prefix).0;
        if !own.interfaces.iter().any(|i| i.gateway.is_some() || within(i)) {
            return Err(Errno::ENETUNREACH);
        }
        let bridges: Vec<BridgeId> = own.interfaces.iter().map(|interface| interface.bridge).collect();
        let target = self
            .namespaces
            .iter()
            .find(|(_, ns)| ns.interfaces.iter().any(|i| i.address == address && bridges.contains(&i.bridge)));
        match target {
            Some((id, _)) => self.deliver(*id, address, port),
            None => Err(Errno::EHOSTUNREACH),
        }
    }

    fn deliver(&self, to: NetId, address: Ipv4Addr, port: u16) -> Result<Route, Errno> {
        let ns = self.namespaces.get(&to).ok_or(Errno::EHOSTUNREACH)?;
        let listens = |ns: &Namespace, port: u16, address: Ipv4Addr| {
            ns.listeners.get(&port).is_some_and(|l| l.address.is_unspecified() || l.address == address)
        };
        if listens(ns, port, address) {
            return Ok(Route::To(to, port));
        }
        let forward =
            ns.forwards.get(&(address, port)).or_else(|| ns.forwards.get(&(Ipv4Addr::UNSPECIFIED, port))).copied();
        let Some(forward) = forward else { return Err(Errno::ECONNREFUSED) };
        let inside = self.namespaces.get(&forward.to).filter(|inside| {
            let address = inside.interfaces.first().map_or(Ipv4Addr::LOCALHOST, |i| i.address);
            listens(inside, forward.port, address)
        });
        Ok(if inside.is_some() { Route::To(forward.to, forward.port) } else { Route::Reset })
    }
}
