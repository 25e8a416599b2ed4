//! Port specifications (docker/go-connections `nat/nat.go`).

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::docker::cli::value::parse_uint;
use crate::docker::daemon::api::container::PortBinding;

/// Ports by `80/tcp` with what they are bound to.
pub type Bindings = BTreeMap<String, Vec<PortBinding>>;

/// The ports of `--publish` and `--expose`: exposed ones, and bindings.
///
/// # Errors
/// What is no port, in go-connections' words.
pub fn published(publish: &[String], expose: &[String]) -> Result<(BTreeSet<String>, Bindings), String> {
    let mut exposed = BTreeSet::new();
    let mut bindings = Bindings::new();
    for text in publish {
        for (port, binding) in mapping(&standard_notation(text)?)? {
            exposed.insert(port.clone());
            bindings.entry(port).or_default().push(binding);
        }
    }
    for text in expose {
        if text.contains(':') {
            return Err(format!("invalid port format for --expose: {text}"));
        }
        let (port, protocol) = split_protocol(text);
        let (first, last) =
            range(port).map_err(|why| format!("invalid range format for --expose: {text}, error: {why}"))?;
        exposed.extend((first..=last).map(|port| format!("{port}/{protocol}")));
    }
    Ok((exposed, bindings))
}

/// docker/cli `convertToStandardNotation`: `published=80,target=8080` as `80:8080/tcp`.
fn standard_notation(text: &str) -> Result<String, String> {
    if !text.contains('=') {
        return Ok(text.to_owned());
    }
    let (mut published, mut target, mut protocol) = ("", "", "tcp");
    for field in text.split(',') {
        let invalid = || format!("invalid publish opts format (should be name=value but got '{field}')");
        match field.split_once('=').ok_or_else(invalid)? {
            ("published", value) => published = value,
            ("target", value) => target = value,
            ("protocol", value) => protocol = value,
            _ => {}
        }
    }
    Ok(format!("{published}:{target}/{protocol}"))
}

fn split_protocol(text: &str) -> (&str, &str) {
    match text.split_once('/') {
        Some((port, "")) => (port, "tcp"),
        Some((port, protocol)) => (port, protocol),
        None => (text, "tcp"),
    }
}

/// `80` or `80-90`.
fn range(text: &str) -> Result<(u64, u64), String> {
    if text.is_empty() {
        return Err("empty string specified for ports.".to_owned());
    }
    let port = |text: &str| parse_uint(text.as_bytes(), u64::from(u16::MAX));
    match text.split_once('-') {
        None => port(text).map(|port| (port, port)),
        Some((first, last)) => {
            let (first, last) = (port(first)?, port(last)?);
            if last < first { Err(format!("invalid range specified for port: {text}")) } else { Ok((first, last)) }
        }
    }
}

/// `[IP:][HOST:]CONTAINER[/PROTOCOL]`, with ranges.
fn mapping(text: &str) -> Result<Vec<(String, PortBinding)>, String> {
    let (rest, container) = text.rsplit_once(':').unwrap_or(("", text));
    let (ip, host) = rest.rsplit_once(':').unwrap_or(("", rest));
    let (container, protocol) = split_protocol(container);
    let ip = ip.strip_prefix('[').and_then(|ip| ip.strip_suffix(']')).unwrap_or(ip);
    if !ip.is_empty() && ip.parse::<IpAddr>().is_err() {
        return Err(format!("invalid IP address: {ip}"));
    }
    if container.is_empty() {
        return Err(format!("no port specified: {text}<empty>"));
    }
    let (first, last) = range(container).map_err(|_| format!("invalid containerPort: {container}"))?;
    let hosts = match host {
        "" => None,
        _ => Some(range(host).map_err(|_| format!("invalid hostPort: {host}"))?),
    };
    if hosts.is_some_and(|(from, to)| to - from != last - first) && first != last {
        return Err(format!("invalid ranges specified for container and host Ports: {container} and {host}"));
    }
    let protocol_name = protocol.to_ascii_lowercase();
    if !matches!(protocol_name.as_str(), "tcp" | "udp" | "sctp") {
        return Err(format!("invalid proto: {protocol}"));
    }
    let binding = |offset: u64| {
        let host_port = match hosts {
            None => String::new(),
            Some((from, to)) if first == last && from != to => format!("{from}-{to}"),
            Some((from, _)) => (from + offset).to_string(),
        };
        PortBinding { host_ip: ip.to_owned(), host_port }
    };
    Ok((0..=last - first).map(|offset| (format!("{}/{protocol_name}", first + offset), binding(offset))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bindings(text: &str) -> Vec<(String, String)> {
        let found = mapping(&standard_notation(text).unwrap()).unwrap();
        found.into_iter().map(|(port, b)| (port, format!("{}:{}", b.host_ip, b.host_port))).collect()
    }

    #[test]
    fn ports_may_be_ranges_and_have_addresses() {
        let pairs = |list: &[(&str, &str)]| -> Vec<(String, String)> {
            list.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
        };
        for (text, expected) in [
            ("8080:80", pairs(&[("80/tcp", ":8080")])),
            ("127.0.0.1:9000:9000/udp", pairs(&[("9000/udp", "127.0.0.1:9000")])),
            ("5000", pairs(&[("5000/tcp", ":")])),
            ("7000-7001:8000-8001", pairs(&[("8000/tcp", ":7000"), ("8001/tcp", ":7001")])),
            ("8000-8010:80", pairs(&[("80/tcp", ":8000-8010")])),
            ("[::1]:80:80", pairs(&[("80/tcp", "::1:80")])),
            ("0.0.0.0::80", pairs(&[("80/tcp", "0.0.0.0:")])),
            ("published=80,target=8080", pairs(&[("8080/tcp", ":80")])),
        ] {
            assert_eq!(bindings(text), expected, "{text}");
        }
    }

    /// Asked of the real client.
    #[test]
    fn what_is_no_port_is_told_in_docker_s_words() {
        for (text, error) in [
            ("80:80/foo", "invalid proto: foo"),
            ("1:2:3:4:5", "invalid IP address: 1:2:3"),
            ("80-81:80-82", "invalid ranges specified for container and host Ports: 80-82 and 80-81"),
            ("-1:80", "invalid hostPort: -1"),
            ("127.0.0.1:80", "invalid hostPort: 127.0.0.1"),
            ("x:80:80", "invalid IP address: x"),
            ("80:x", "invalid containerPort: x"),
            ("70000:80", "invalid hostPort: 70000"),
            ("80:", "no port specified: 80:<empty>"),
            ("foo=80", "no port specified: :/tcp<empty>"),
            ("", "no port specified: <empty>"),
        ] {
            assert_eq!(published(&[text.to_owned()], &[]).unwrap_err(), error, "{text}");
        }
        for (text, error) in [
            ("x-y", "invalid range format for --expose: x-y, error: strconv.ParseUint: parsing \"x\": invalid syntax"),
            ("90-80", "invalid range format for --expose: 90-80, error: invalid range specified for port: 90-80"),
            ("80:", "invalid port format for --expose: 80:"),
        ] {
            assert_eq!(published(&[], &[text.to_owned()]).unwrap_err(), error, "{text}");
        }
    }
}
