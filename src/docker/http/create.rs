//! `POST /containers/create` and `update`: the documents of a client made into requests.
//!
//! A field that Capas does not know is let through while it has Go's zero value; anything else is refused, as it would
//! otherwise be a wish that is silently not granted.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::exchange::{Answer, Call, Refusal, Routed};
use super::networks::endpoint;
use super::streams::console_size;
use super::volumes::{table, text};
use crate::docker::daemon::api::container::{
    CreateRequest, HostConfig, MountKind, MountRequest, PortBinding, Resources, RestartPolicy, Ulimit, UpdateRequest,
};
use crate::docker::image::config::ContainerConfig;

/// Fields of `HostConfig` that clients fill in whatever is asked for, with values that are the same as nothing.
const IDLE: [(&str, &str); 6] = [
    ("Isolation", "default"),
    ("UsernsMode", "host"),
    ("Cgroup", ""),
    ("CgroupnsMode", "private"),
    ("VolumeDriver", "local"),
    ("IpcMode", "private"),
];

/// Takes fields out of a document; what is left at the end is what nobody knows.
struct Fields(Map<String, Value>);

impl Fields {
    fn take(&mut self, name: &str) -> Value {
        self.0.shift_remove(name).unwrap_or_default()
    }

    fn text(&mut self, name: &str) -> String {
        self.take(name).as_str().unwrap_or_default().to_owned()
    }

    fn flag(&mut self, name: &str) -> bool {
        self.take(name).as_bool().unwrap_or(false)
    }

    fn number(&mut self, name: &str) -> i64 {
        self.take(name).as_i64().unwrap_or(0)
    }

    /// A number that counts only if it is not 0.
    fn limit(&mut self, name: &str) -> Option<i64> {
        Some(self.number(name)).filter(|number| *number != 0)
    }

    fn texts(&mut self, name: &str) -> Vec<String> {
        let list = self.take(name);
        list.as_array().into_iter().flatten().filter_map(Value::as_str).map(ToOwned::to_owned).collect()
    }

    fn table(&mut self, name: &str) -> BTreeMap<String, String> {
        table(&json!({"a": self.take(name)}), "a")
    }

    fn list(&mut self, name: &str) -> Vec<Value> {
        match self.take(name) {
            Value::Array(list) => list,
            _ => Vec::new(),
        }
    }

    /// Refuses what was not taken and asks for something.
    fn end(self) -> Result<(), Refusal> {
        let is_idle = |name: &str, value: &Value| {
            is_zero(value) || IDLE.iter().any(|(idle, same)| *idle == name && value.as_str() == Some(same))
        };
        match self.0.iter().find(|(name, value)| !is_idle(name, value)) {
            Some((name, _)) => Err(Refusal::not_simulated(name)),
            None => Ok(()),
        }
    }
}

/// Go's zero values, as JSON tells them.
fn is_zero(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(on) => !on,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.iter().all(is_zero),
        Value::Object(fields) => fields.values().all(is_zero),
    }
}

/// `POST /containers/create`.
pub async fn create(call: &Call) -> Routed {
    let query = &call.ask.query;
    if let Some(other) = query.given("platform").filter(|p| !matches!(p.as_str(), "linux/amd64" | "linux" | "amd64")) {
        return Err(Refusal::not_simulated(&format!("the platform {other}")));
    }
    let body = call.ask.json()?;
    let bad = |_| Refusal::new(400, "invalid container config");
    let request = CreateRequest {
        name: query.given("name"),
        config: ContainerConfig::from_value(&body).map_err(bad)?,
        host: host_config(body.get("HostConfig"))?,
        networks: networks(&body),
    };
    Ok(Some(Answer::json(201, &json!(call.daemon.container_create(request)?))))
}

/// The networks that are joined with settings of their own: a client names the first one even where there are none.
fn networks(body: &Value) -> BTreeMap<String, crate::docker::daemon::api::network::EndpointRequest> {
    let endpoints = body.pointer("/NetworkingConfig/EndpointsConfig").and_then(Value::as_object);
    let endpoints: BTreeMap<_, _> =
        endpoints.into_iter().flatten().map(|(name, settings)| (name.clone(), endpoint(settings))).collect();
    let says_nothing = endpoints.len() == 1 && endpoints.values().all(|endpoint| *endpoint == Default::default());
    if says_nothing { BTreeMap::new() } else { endpoints }
}

fn host_config(body: Option<&Value>) -> Result<HostConfig, Refusal> {
    let mut from = Fields(body.and_then(Value::as_object).cloned().unwrap_or_default());
    let resources = resources(&mut from);
    let mut log = Fields(from.take("LogConfig").as_object().cloned().unwrap_or_default());
    let size = json!({"ConsoleSize": from.take("ConsoleSize")});
    let host = HostConfig {
        binds: from.texts("Binds"),
        mounts: from.list("Mounts").iter().map(mount).collect::<Result<_, _>>()?,
        tmpfs: from.table("Tmpfs"),
        volumes_from: from.texts("VolumesFrom"),
        network_mode: from.text("NetworkMode"),
        port_bindings: port_bindings(&from.take("PortBindings")),
        publish_all_ports: from.flag("PublishAllPorts"),
        restart_policy: restart_policy(&from.take("RestartPolicy")).unwrap_or_default(),
        auto_remove: from.flag("AutoRemove"),
        dns: from.texts("Dns"),
        dns_options: from.texts("DnsOptions"),
        dns_search: from.texts("DnsSearch"),
        extra_hosts: from.texts("ExtraHosts"),
        links: from.texts("Links"),
        resources,
        cap_add: from.texts("CapAdd"),
        cap_drop: from.texts("CapDrop"),
        group_add: from.texts("GroupAdd"),
        security_opt: from.texts("SecurityOpt"),
        pid_mode: from.text("PidMode"),
        ipc_mode: String::new(),
        uts_mode: from.text("UTSMode"),
        oom_score_adj: from.number("OomScoreAdj"),
        log_driver: log.text("Type"),
        log_options: log.table("Config"),
        sysctls: from.table("Sysctls"),
        annotations: from.table("Annotations"),
        devices: from.list("Devices").iter().map(device).collect(),
        gpu_driver: gpu_driver(&from.list("DeviceRequests"))?,
        storage_options: from.table("StorageOpt").into_iter().map(|(key, value)| format!("{key}={value}")).collect(),
        runtime: from.text("Runtime"),
        cid_file: from.text("ContainerIDFile"),
        privileged: from.flag("Privileged"),
        read_only_rootfs: from.flag("ReadonlyRootfs"),
        shm_size_bytes: from.number("ShmSize"),
        init: from.take("Init").as_bool(),
        console_size: console_size(&size),
    };
    // What the daemon hides of /proc follows from other fields.
    for follows in ["MaskedPaths", "ReadonlyPaths"] {
        from.take(follows);
    }
    from.end()?;
    Ok(host)
}

fn restart_policy(value: &Value) -> Option<RestartPolicy> {
    let count = value.get("MaximumRetryCount").and_then(Value::as_i64).unwrap_or(0);
    let name = text(value, "Name");
    (!name.is_empty() || count != 0).then_some(RestartPolicy { name, maximum_retry_count: count })
}

fn resources(from: &mut Fields) -> Resources {
    let ulimit = |value: &Value| {
        let number = |name: &str| value.get(name).and_then(Value::as_i64).unwrap_or(0);
        Ulimit { name: text(value, "Name"), hard: number("Hard"), soft: number("Soft") }
    };
    Resources {
        memory_bytes: from.limit("Memory"),
        memory_swap_bytes: from.limit("MemorySwap"),
        memory_reservation_bytes: from.limit("MemoryReservation"),
        // The client says -1 for "as it is".
        memory_swappiness: from.take("MemorySwappiness").as_i64().filter(|percent| *percent >= 0),
        nano_cpus: from.limit("NanoCpus"),
        cpu_shares: from.limit("CpuShares"),
        cpu_period: from.limit("CpuPeriod"),
        cpu_quota: from.limit("CpuQuota"),
        cpuset_cpus: Some(from.text("CpusetCpus")).filter(|text| !text.is_empty()),
        cpuset_mems: Some(from.text("CpusetMems")).filter(|text| !text.is_empty()),
        blkio_weight: from.limit("BlkioWeight"),
        pids_limit: from.limit("PidsLimit"),
        oom_kill_disable: from.take("OomKillDisable").as_bool().filter(|on| *on),
        ulimits: from.list("Ulimits").iter().map(ulimit).collect(),
    }
}

fn port_bindings(value: &Value) -> BTreeMap<String, Vec<PortBinding>> {
    let binding = |value: &Value| PortBinding { host_ip: text(value, "HostIp"), host_port: text(value, "HostPort") };
    let bindings = |value: &Value| value.as_array().into_iter().flatten().map(binding).collect();
    let ports = value.as_object().into_iter().flatten();
    ports.map(|(port, value)| (port.clone(), bindings(value))).collect()
}

fn device(value: &Value) -> [String; 3] {
    ["PathOnHost", "PathInContainer", "CgroupPermissions"].map(|name| text(value, name))
}

/// Only graphics cards are asked for in this way.
fn gpu_driver(requests: &[Value]) -> Result<Option<String>, Refusal> {
    let Some(request) = requests.first() else { return Ok(None) };
    let is_gpu =
        request.pointer("/Capabilities/0").and_then(Value::as_array).is_some_and(|c| c.contains(&"gpu".into()));
    if is_gpu { Ok(Some(text(request, "Driver"))) } else { Err(Refusal::not_simulated("DeviceRequests")) }
}

fn mount(value: &Value) -> Result<MountRequest, Refusal> {
    let mut from = Fields(value.as_object().cloned().unwrap_or_default());
    let kind = match from.text("Type").as_str() {
        "bind" => MountKind::Bind,
        "volume" | "" => MountKind::Volume,
        "tmpfs" => MountKind::Tmpfs,
        other => return Err(Refusal::not_simulated(&format!("a mount of type {other}"))),
    };
    let mut options = |name: &str| Fields(from.take(name).as_object().cloned().unwrap_or_default());
    let (mut bind, mut volume, mut tmpfs) = (options("BindOptions"), options("VolumeOptions"), options("TmpfsOptions"));
    // How mounts spread between namespaces makes no difference here, nor does how a Mac caches.
    bind.take("Propagation");
    from.take("Consistency");
    let request = MountRequest {
        kind,
        source: from.text("Source"),
        target: from.text("Target"),
        read_only: from.flag("ReadOnly"),
        no_copy: volume.flag("NoCopy"),
        tmpfs_size_bytes: tmpfs.take("SizeBytes").as_u64().unwrap_or(0),
        // Go's mode is the bits themselves where only permissions are set.
        tmpfs_mode: tmpfs.take("Mode").as_u64().and_then(|mode| u32::try_from(mode & 0o7777).ok()).filter(|m| *m > 0),
    };
    for rest in [from, bind, volume, tmpfs] {
        rest.end()?;
    }
    Ok(request)
}

/// `POST /containers/{id}/update`.
pub async fn update(call: &Call) -> Routed {
    let mut from = Fields(call.ask.json()?.as_object().cloned().unwrap_or_default());
    let request =
        UpdateRequest { restart_policy: restart_policy(&from.take("RestartPolicy")), resources: resources(&mut from) };
    from.end()?;
    let warnings = call.daemon.container_update(call.ask.part(1), request)?;
    let warnings = if warnings.is_empty() { Value::Null } else { json!(warnings) };
    Ok(Some(Answer::json(200, &json!({"Warnings": warnings}))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_that_nobody_knows_is_refused_and_a_zero_is_none() {
        assert!(host_config(Some(&json!({"CgroupParent": "", "BlkioDeviceReadBps": [], "KernelMemory": 0}))).is_ok());
        assert!(host_config(Some(&json!({"CgroupParent": "/x"}))).is_err());
        assert!(mount(&json!({"Type": "npipe", "Target": "/a"})).is_err());
        assert!(mount(&json!({"Type": "volume", "Target": "/a", "VolumeOptions": {"Subpath": "x"}})).is_err());
    }

    #[test]
    fn the_document_of_a_client_is_the_request_of_a_client() {
        let host = host_config(Some(&json!({
            "Binds": ["v:/v"], "NetworkMode": "default", "PortBindings": {"80/tcp": [{"HostIp": "", "HostPort": "8080"}]},
            "RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 3}, "Memory": 1024, "MemorySwappiness": -1,
            "ConsoleSize": [24, 80], "Init": null, "LogConfig": {"Type": "", "Config": {}},
        })))
        .unwrap();
        assert_eq!((host.binds.as_slice(), host.console_size), (&["v:/v".to_owned()][..], [24, 80]));
        assert_eq!(host.restart_policy.maximum_retry_count, 3);
        assert_eq!((host.resources.memory_bytes, host.resources.memory_swappiness), (Some(1024), None));
        assert_eq!(host.port_bindings.get("80/tcp").map(Vec::len), Some(1));
    }

    #[test]
    fn one_network_without_settings_is_only_a_mode() {
        let body = |endpoints: Value| json!({"NetworkingConfig": {"EndpointsConfig": endpoints}});
        assert!(networks(&body(json!({"default": {"Aliases": null}}))).is_empty());
        assert_eq!(networks(&body(json!({"red": {"Aliases": ["a"]}}))).len(), 1);
        assert_eq!(networks(&body(json!({"red": {}, "blue": {}}))).len(), 2);
    }
}
