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

/// Whether every link names a container.
///
/// # Errors
/// One that does not.
pub fn check(containers: &Containers, links: &[String]) -> Result<(), DaemonError> {
    for link in links {
        let (target, _) = names(link);
        if let Err(why) = containers.resolve(target) {
            return Err(DaemonError::BadLink { name: target.to_owned(), why: Box::new(why) });
        }
    }
    Ok(())
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
