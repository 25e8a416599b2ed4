//! The daemon's settings, `/etc/docker/daemon.json` (moby `daemon/config/config.go`). Settings that are not simulated are
//! refused by name, so that none is taken and has no effect.

use std::collections::BTreeMap;

use serde_json::Value;

/// What the file sets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// `debug`.
    pub debug: bool,
    /// `experimental`.
    pub experimental: bool,
    /// `live-restore`: containers run on without the daemon.
    pub live_restore: bool,
    /// `labels` of the daemon.
    pub labels: Vec<String>,
    /// `registry-mirrors`.
    pub mirrors: Vec<String>,
    /// `insecure-registries`.
    pub insecure: Vec<String>,
    /// `dns`: name servers of containers that name none.
    pub dns: Vec<String>,
    /// `dns-search`.
    pub dns_search: Vec<String>,
    /// `dns-opts`.
    pub dns_options: Vec<String>,
    /// `log-driver` of containers that name none.
    pub log_driver: String,
    /// `log-opts`, with that driver.
    pub log_options: BTreeMap<String, String>,
}

/// What dockerd knows and Capas does not do.
const NOT_SIMULATED: &str = "allow-direct-routing api-cors-header authorization-plugins bip bridge bridge-accept-fwmark builder cgroup-parent containerd containerd-namespace containerd-plugins-namespace cpu-rt-period cpu-rt-runtime data-root default-address-pools default-cgroupns-mode default-gateway default-gateway-v6 default-ipc-mode default-network-opts default-runtime default-shm-size default-ulimits exec-opts exec-root features fixed-cidr fixed-cidr-v6 group host-gateway-ip host-gateway-ips http-proxy https-proxy icc init init-path ip ip-forward ip-forward-no-drop ip-masq iptables ip6tables ipv6 log-format metrics-addr mtu network-control-plane-mtu no-new-privileges no-proxy node-generic-resources oom-score-adjust pidfile proxies raw-logs runtimes seccomp-profile selinux-enabled shutdown-timeout storage-driver storage-opts swarm-default-advertise-addr tls tlscacert tlscert tlskey tlsverify userland-proxy userland-proxy-path userns-remap validate";
/// What changes nothing here: how many transfers go side by side is the link's business, and dockerd's own log has one level.
const WITHOUT_EFFECT: [&str; 4] =
    ["log-level", "max-concurrent-downloads", "max-concurrent-uploads", "max-download-attempts"];

/// How Go's `encoding/json` complains where the text goes wrong.
fn complaint(text: &str, error: &serde_json::Error) -> String {
    if error.is_eof() {
        return "unexpected EOF".to_owned();
    }
    let line = text.lines().nth(error.line().saturating_sub(1)).unwrap_or_default();
    let found = line.chars().nth(error.column().saturating_sub(1)).unwrap_or('\n');
    let told = error.to_string();
    let place = if told.starts_with("key must be a string") {
        "looking for beginning of object key string"
    } else if told.starts_with("expected `:`") {
        "after object key"
    } else if told.starts_with("expected `,` or `}`") {
        "after object key:value pair"
    } else if told.starts_with("expected `,` or `]`") {
        "after array element"
    } else if told.starts_with("trailing comma") {
        "looking for beginning of object key string"
    } else {
        "looking for beginning of value"
    };
    format!("invalid character '{found}' {place}")
}

impl Settings {
    /// Reads the file.
    ///
    /// # Errors
    /// dockerd's own words, or that a setting is not simulated.
    pub fn read(text: &str) -> Result<Self, String> {
        let mut own = Self::default();
        if text.trim().is_empty() {
            return Ok(own);
        }
        let document: Value = serde_json::from_str(text).map_err(|error| complaint(text, &error))?;
        let Value::Object(settings) = document else {
            return Err("json: cannot unmarshal into Go value of type map[string]interface {}".to_owned());
        };
        let mut unknown = Vec::new();
        for (name, value) in &settings {
            let flag = || value.as_bool().ok_or_else(|| wrong(name, value, "bool"));
            let word = || value.as_str().map(str::to_owned).ok_or_else(|| wrong(name, value, "string"));
            let list = || {
                let words = value.as_array().ok_or_else(|| wrong(name, value, "[]string"))?;
                let word = |item: &Value| item.as_str().map(str::to_owned).ok_or_else(|| wrong(name, item, "string"));
                words.iter().map(word).collect::<Result<Vec<_>, _>>()
            };
            match name.as_str() {
                "debug" => own.debug = flag()?,
                "experimental" => own.experimental = flag()?,
                "live-restore" => own.live_restore = flag()?,
                "labels" => own.labels = list()?,
                "registry-mirrors" => {
                    own.mirrors = list()?.into_iter().map(|url| url.trim_end_matches('/').to_owned() + "/").collect();
                }
                "insecure-registries" => own.insecure = list()?,
                "dns" => own.dns = list()?,
                "dns-search" => own.dns_search = list()?,
                "dns-opts" => own.dns_options = list()?,
                "log-driver" => own.log_driver = word()?,
                "log-opts" => {
                    for (option, value) in value.as_object().ok_or_else(|| wrong(name, value, "map[string]string"))? {
                        let text = value.as_str().ok_or_else(|| wrong(name, value, "string"))?;
                        own.log_options.insert(option.clone(), text.to_owned());
                    }
                }
                "hosts" => {
                    return Err(format!(
                        "the following directives are specified both as a flag and in the configuration file: hosts: (from flag: [fd://], from file: [{}])",
                        list()?.join(" ")
                    ));
                }
                other if WITHOUT_EFFECT.contains(&other) => {}
                other if NOT_SIMULATED.split(' ').any(|known| known == other) => {
                    return Err(format!("\"{other}\" is not simulated in Capas"));
                }
                other => unknown.push(other.to_owned()),
            }
        }
        if let Some(label) = own.labels.iter().find(|label| !label.contains('=')) {
            return Err(format!("bad attribute format: {label}"));
        }
        if let Some(server) = own.dns.iter().find(|server| server.parse::<std::net::IpAddr>().is_err()) {
            return Err(format!("bad attribute: {server} is not an ip address"));
        }
        match unknown.as_slice() {
            [] => Ok(own),
            names => {
                Err(format!("the following directives don't match any configuration option: {}", names.join(", ")))
            }
        }
    }
}

fn wrong(name: &str, value: &Value, wanted: &str) -> String {
    let found = match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    format!("json: cannot unmarshal {found} into Go struct field Config.{name} of type {wanted}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_or_refused_in_dockerds_words() {
        let text = r#"{"debug": true, "labels": ["place=lab"], "registry-mirrors": ["https://m.test"], "log-opts": {"max-size": "1m"}}"#;
        let own = Settings::read(text).unwrap();
        assert!(own.debug && own.labels == ["place=lab"] && own.mirrors == ["https://m.test/"]);
        assert_eq!(own.log_options.get("max-size").map(String::as_str), Some("1m"));
        assert_eq!(Settings::read(""), Ok(Settings::default()));
        let why = |text: &str| Settings::read(text).err().unwrap_or_default();
        assert_eq!(why("{\"nonsense\": 1}"), "the following directives don't match any configuration option: nonsense");
        assert_eq!(
            why("{\"debug\": \"yes\"}"),
            "json: cannot unmarshal string into Go struct field Config.debug of type bool"
        );
        assert_eq!(why("{\"debug\": true,}"), "invalid character '}' looking for beginning of object key string");
        assert_eq!(why("{\"debug\": true"), "unexpected EOF");
        assert_eq!(why("{debug: true}"), "invalid character 'd' looking for beginning of object key string");
        assert_eq!(why("{\"bip\": \"10.0.0.1/24\"}"), "\"bip\" is not simulated in Capas");
        assert!(why("{\"hosts\": [\"tcp://0.0.0.0\"]}").contains("from flag: [fd://], from file: [tcp://0.0.0.0]"));
        assert!(why("[]").starts_with("json:") && why("{\"labels\": [\"x\"]}").contains("bad attribute format"));
    }
}
