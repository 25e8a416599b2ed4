//! Rows of containers (docker/cli `cli/command/formatter/container.go`).

use crate::base::sort::Arrange;
use serde_json::Value;

use crate::base::size::human_size3;
use crate::base::time::Timestamp;
use crate::docker::cli::columns::{Columns, ellipsis, labels, row, short_id};
use crate::docker::cli::when;
use crate::docker::daemon::api::container::{ContainerSummary, Port};
use crate::docker::image::reference::Reference;
use crate::os::args::pflag::go_quote;

/// What `docker ps` can show.
pub static CONTAINERS: Columns = Columns {
    go_type: "*formatter.ContainerContext",
    titles: &[
        ("ID", "CONTAINER ID"),
        ("Names", "NAMES"),
        ("Image", "IMAGE"),
        ("Command", "COMMAND"),
        ("CreatedAt", "CREATED AT"),
        ("RunningFor", "CREATED"),
        ("Ports", "PORTS"),
        ("State", "STATE"),
        ("Status", "STATUS"),
        ("Size", "SIZE"),
        ("Labels", "LABELS"),
        ("Mounts", "MOUNTS"),
        ("LocalVolumes", "LOCAL VOLUMES"),
        ("Networks", "NETWORKS"),
        ("Platform", "PLATFORM"),
    ],
};

/// The fields of a container.
pub fn container(container: &ContainerSummary, truncated: bool, now: Timestamp) -> Value {
    fields(container, truncated, now, &|_| true)
}

/// The fields of a container that are `wanted`: of a thousand containers nobody makes more.
pub fn fields(container: &ContainerSummary, truncated: bool, now: Timestamp, wanted: &dyn Fn(&str) -> bool) -> Value {
    let names = container.names.iter().map(|name| name.trim_start_matches('/'));
    let names: Vec<&str> = match truncated {
        // Names of links have slashes inside.
        true => names.filter(|name| !name.contains('/')).take(1).collect(),
        false => names.collect(),
    };
    let cut = |text: &str, length: usize| if truncated { ellipsis(text, length) } else { text.to_owned() };
    let size = || {
        let size = human_size3(container.size_rw_bytes.unwrap_or(0));
        match container.size_root_fs_bytes {
            Some(bytes) if bytes > 0 => format!("{size} (virtual {})", human_size3(bytes)),
            _ => size,
        }
    };
    let mounts = || {
        let mounts = (container.mounts.iter())
            .map(|mount| cut(if mount.name.is_empty() { &mount.source } else { &mount.name }, 15));
        mounts.collect::<Vec<String>>().join(",")
    };
    let local_volumes = || container.mounts.iter().filter(|mount| mount.driver == "local").count();
    let all: [(&'static str, &dyn Fn() -> Value); 16] = [
        ("ID", &|| if truncated { short_id(&container.id) } else { container.id.clone() }.into()),
        ("Names", &|| names.join(",").into()),
        ("Image", &|| image(container, truncated).into()),
        ("Command", &|| go_quote(cut(&container.command, 20).as_bytes()).into()),
        ("CreatedAt", &|| when::go_seconds(container.created).into()),
        ("RunningFor", &|| when::ago(container.created, now).into()),
        ("Ports", &|| ports(&container.ports).into()),
        ("State", &|| container.state.into()),
        ("Status", &|| container.status.clone().into()),
        ("Size", &|| size().into()),
        ("Label", &|| container.labels.iter().map(|(k, v)| (k.clone(), Value::from(v.clone()))).collect()),
        ("Labels", &|| labels(&container.labels).into()),
        ("Mounts", &|| mounts().into()),
        ("LocalVolumes", &|| local_volumes().to_string().into()),
        ("Networks", &|| container.networks.join(",").into()),
        ("Platform", &|| Value::Null),
    ];
    row(all.into_iter().filter(|(name, _)| wanted(name)).map(|(name, value)| (name, value())))
}

/// The image as it was named, without a digest; its short id when it was named by that.
fn image(container: &ContainerSummary, truncated: bool) -> String {
    let name = &container.image;
    if name.is_empty() {
        return "<no image>".to_owned();
    }
    if !truncated {
        return name.clone();
    }
    if short_id(&container.image_id) == short_id(name) {
        return short_id(name);
    }
    match Reference::parse(name) {
        Ok(reference) if reference.digest().is_some() => match reference.tag() {
            Some(tag) => format!("{}:{tag}", reference.repository().familiar()),
            None => reference.repository().familiar(),
        },
        Ok(reference) => reference.familiar(),
        Err(_) => name.clone(),
    }
}

/// Ports as `docker ps` shows them: first ranges that are the same on both sides, then the others (`DisplayablePorts`).
pub fn ports(ports: &[Port]) -> String {
    let mut sorted: Vec<&Port> = ports.iter().collect();
    sorted.arrange_by_key(|port| (port.private_port, port.ip.clone(), port.public_port, port.protocol.clone()));
    // By address and protocol, in the order in which they come up: what is complete, and the range that still grows.
    let mut done: Vec<String> = Vec::new();
    let mut open: Vec<((Option<&str>, &str), (u16, u16))> = Vec::new();
    let mut mapped = Vec::new();
    for port in sorted {
        let number = port.private_port;
        if let (Some(ip), Some(public)) = (&port.ip, port.public_port)
            && public != number
        {
            mapped.push(format!("{}->{number}/{}", host_port(ip, public.to_string()), port.protocol));
            continue;
        }
        let key = (port.ip.as_deref(), port.protocol.as_str());
        match open.iter_mut().find(|(known, _)| *known == key) {
            None => open.push((key, (number, number))),
            Some((_, range)) if range.1.checked_add(1) == Some(number) => range.1 = number,
            Some((_, range)) => {
                done.push(group(key, *range));
                *range = (number, number);
            }
        }
    }
    done.extend(open.into_iter().map(|(key, range)| group(key, range)));
    done.extend(mapped);
    done.join(", ")
}

fn group((ip, protocol): (Option<&str>, &str), (first, last): (u16, u16)) -> String {
    let range = if first == last { first.to_string() } else { format!("{first}-{last}") };
    match ip {
        Some(ip) => format!("{}->{range}/{protocol}", host_port(ip, range.clone())),
        None => format!("{range}/{protocol}"),
    }
}

/// Go's `net.JoinHostPort`.
pub fn host_port(ip: &str, port: String) -> String {
    if ip.contains(':') { format!("[{ip}]:{port}") } else { format!("{ip}:{port}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(ip: Option<&str>, private_port: u16, public_port: Option<u16>) -> Port {
        Port { ip: ip.map(str::to_owned), private_port, public_port, protocol: "tcp".to_owned() }
    }

    /// The same ports, shown by the real client.
    #[test]
    fn ports_are_grouped_as_docker_groups_them() {
        let all = [
            port(Some("0.0.0.0"), 80, Some(8080)),
            port(Some("::"), 80, Some(8080)),
            port(None, 443, None),
            port(Some("0.0.0.0"), 81, Some(81)),
            port(Some("0.0.0.0"), 82, Some(82)),
        ];
        assert_eq!(ports(&all), "0.0.0.0:81-82->81-82/tcp, 443/tcp, 0.0.0.0:8080->80/tcp, [::]:8080->80/tcp");
        assert_eq!(ports(&[port(None, 80, None), port(None, 81, None), port(None, 90, None)]), "80-81/tcp, 90/tcp");
    }
}
