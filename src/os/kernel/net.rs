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
    /// Bytes that came in and went out through the interfaces.
    pub traffic: [u64; 2],
    /// The first port that anyone may listen on (`net.ipv4.ip_unprivileged_port_start`).
    pub first_free_port: u16,
}

impl Default for Namespace {
    fn default() -> Self {
        let (names, forwards, listeners) = Default::default();
        Self { interfaces: Vec::new(), names, forwards, listeners, traffic: [0; 2], first_free_port: 1024 }
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
}

/// All namespaces.
#[derive(Default)]
pub struct Network {
    namespaces: BTreeMap<NetId, Namespace>,
    next: u32,
    next_port: u16,
}

/// What a connection attempt found.
pub(super) enum Route {
    /// A listener in this namespace.
    To(NetId, u16),
    /// A published port without a listener behind it: accepted by the proxy, then reset.
    Reset,
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
    /// `EHOSTUNREACH`, `ENETUNREACH`.
    pub fn reach(&self, from: NetId, address: Ipv4Addr) -> Result<(), Errno> {
        match self.route(from, address, 0) {
            Err(error @ (Errno::EHOSTUNREACH | Errno::ENETUNREACH)) => Err(error),
            _ => Ok(()),
        }
    }

    /// Where a connection from `from` to `address:port` ends.
    pub(super) fn route(&self, from: NetId, address: Ipv4Addr, port: u16) -> Result<Route, Errno> {
        let own = self.namespaces.get(&from).ok_or(Errno::ENETUNREACH)?;
        let local = address.is_loopback()
            || address.is_unspecified()
            || own.interfaces.iter().any(|interface| interface.address == address);
        if local {
            return self.deliver(from, address, port);
        }
        if own.interfaces.is_empty() {
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
