//! `--link` on the default bridge: another container's addresses and settings as variables, and its name in `/etc/hosts`
//! (Docker's documentation of legacy links; moby `daemon/links`).

use super::container::{Container, State, parse_port};
use super::errors::DaemonError;
use super::handle::State as Containers;
use crate::base::sort::Arrange;

/// Both names of a link; the alias is the container's name where there is none.
pub fn names(link: &str) -> (&str, &str) {
    let (target, alias) = link.split_once(':').unwrap_or((link, link));
    (target.trim_start_matches('/'), alias.rsplit('/').next().unwrap_or(alias))
}

/// The links with the numbers of the containers in place of their names, which may change (moby `daemon_unix.go`
/// `registerLinks`).
///
/// # Errors
/// One that names no container, or one without a network of its own.
pub fn resolve(containers: &Containers, links: &[String]) -> Result<Vec<String>, DaemonError> {
    let one = |link: &String| {
        let (target, alias) = names(link);
        let find = |name: &str| {
            let found = containers.resolve(name);
            found.map_err(|why| DaemonError::BadLink { name: name.to_owned(), why: Box::new(why) })
        };
        let mut id = find(target)?;
        // Who shares a network is where that is. Renamed containers may share in a ring.
        for _ in 0..containers.containers.len() {
            let Some(mode) = containers.containers.get(&id).map(|c| c.host.network_mode.as_str()) else { break };
            match mode.strip_prefix("container:") {
                Some(owner) => id = find(owner)?,
                None if mode == "host" => return Err(DaemonError::BadResources(HOST_LINKED)),
                None => break,
            }
        }
        Ok(format!("{id}:{alias}"))
    };
    links.iter().map(one).collect()
}

/// What a container on the host's network and links are to one another.
pub const HOST_LINKED: &str =
    "conflicting options: host type networking can't be used with links. This would result in undefined behavior";

/// The links of a container as `inspect` shows them.
pub fn shown(containers: &Containers, container: &Container) -> Vec<String> {
    let one = |link: &String| {
        let (target, alias) = names(link);
        let linked = containers.containers.get(&containers.resolve(target).ok()?)?;
        Some(format!("/{}:/{}/{alias}", linked.name, container.name))
    };
    container.host.links.iter().filter_map(one).collect()
}

/// All names of a container: its own, and those by which others link to it.
pub fn names_of(containers: &Containers, container: &Container) -> Vec<String> {
    let own = container.id.to_string();
    let mut all = vec![format!("/{}", container.name)];
    for other in containers.containers.values() {
        let aliases = other.host.links.iter().map(|link| names(link)).filter(|(target, _)| *target == own);
        all.extend(aliases.map(|(_, alias)| format!("/{}/{alias}", other.name)));
    }
    all.arrange();
    all
}

/// The variables that links set in a container that starts.
///
/// # Errors
/// A container that does not run.
pub fn environment(containers: &Containers, container: &Container) -> Result<Vec<String>, DaemonError> {
    let mut env = Vec::new();
    for link in &container.host.links {
        let (target, alias) = names(link);
        let Some(linked) = containers.resolve(target).ok().and_then(|id| containers.containers.get(&id)) else {
            continue;
        };
        let path = format!("/{}/{alias}", container.name);
        if !matches!(linked.state, State::Running(_) | State::Paused(_)) {
            return Err(DaemonError::LinkNotRunning { name: linked.name.clone(), alias: path });
        }
        let Some(address) = linked.endpoints.values().find_map(|endpoint| endpoint.address) else { continue };
        let prefix = alias.to_uppercase().replace('-', "_");
        let mut ports: Vec<(u16, String)> =
            linked.config.exposed_ports.iter().filter_map(|port| parse_port(port)).collect();
        ports.arrange();
        if let Some((port, protocol)) = ports.first() {
            env.push(format!("{prefix}_PORT={protocol}://{address}:{port}"));
        }
        for (port, protocol) in &ports {
            let name = format!("{prefix}_PORT_{port}_{}", protocol.to_uppercase());
            env.push(format!("{name}={protocol}://{address}:{port}"));
            env.push(format!("{name}_ADDR={address}"));
            env.push(format!("{name}_PORT={port}"));
            env.push(format!("{name}_PROTO={protocol}"));
        }
        env.push(format!("{prefix}_NAME={path}"));
        let own = linked.config.env.iter().filter(|word| !word.starts_with("PATH=") && !word.starts_with("HOME="));
        env.extend(own.filter(|word| word.contains('=')).map(|word| format!("{prefix}_ENV_{word}")));
    }
    Ok(env)
}
