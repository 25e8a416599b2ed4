//! From the flags of `run` and `create` to a request (docker/cli `cli/command/container/opts.go`, `parse`).
//!
//! Every text of an error is the real client's. What the daemon refuses is left to the daemon.

mod env;
mod mounts;
mod ports;

use std::collections::BTreeMap;

use crate::docker::daemon::api::container::{CreateRequest, HostConfig, Resources, RestartPolicy, Ulimit};
use crate::docker::daemon::api::network::EndpointRequest;
use crate::docker::image::config::{ContainerConfig, Healthcheck};

use super::client::Client;
use super::parse::Invocation;
use super::value;

pub use env::read_variables;

/// The request that the flags make. The error is what `docker: …` says.
///
/// # Errors
/// Flags that contradict one another, files that can't be read, ports that are none.
pub async fn request(client: &Client, given: &Invocation) -> Result<CreateRequest, String> {
    let streams: Vec<String> = given.strings("attach").iter().map(|name| name.to_ascii_lowercase()).collect();
    let attaches = |name: &str| streams.iter().any(|stream| stream == name);
    let interactive = given.bool("interactive");
    let (exposed_ports, port_bindings) = ports::published(&given.strings("publish"), &given.strings("expose"))?;
    let (binds, volumes) = mounts::binds(&given.strings("volume"), &client.proc.cwd())?;
    let env = env::read_variables(client, &given.strings("env-file"), &given.strings("env")).await?;
    let restart_policy = restart(&given.string("restart").unwrap_or_else(|| "no".to_owned()))?;
    let healthcheck = healthcheck(given)?;
    let attach_stdin = interactive || attaches("stdin");
    let config = ContainerConfig {
        hostname: given.string("hostname").unwrap_or_default(),
        domainname: given.string("domainname").unwrap_or_default(),
        user: given.string("user").unwrap_or_default(),
        attach_stdin,
        attach_stdout: streams.is_empty() || attaches("stdout"),
        attach_stderr: streams.is_empty() || attaches("stderr"),
        exposed_ports,
        tty: given.bool("tty"),
        open_stdin: interactive,
        stdin_once: interactive && attach_stdin,
        env,
        cmd: Some(given.operand_strings().split_off(1)).filter(|words| !words.is_empty()),
        healthcheck,
        image: given.operand(0),
        volumes,
        working_dir: given.string("workdir").unwrap_or_default(),
        entrypoint: given.string("entrypoint").map(|program| vec![program]),
        labels: env::read_labels(client, &given.strings("label-file"), &given.strings("label")).await?,
        stop_signal: given.string("stop-signal").unwrap_or_default(),
        stop_timeout_seconds: given.int("stop-timeout"),
        ..ContainerConfig::default()
    };
    for (flag, is_mode, name) in [("pid", "container:", "PID"), ("uts", "", "UTS")] {
        let mode = given.string(flag).unwrap_or_default();
        let shares = !is_mode.is_empty() && mode.strip_prefix(is_mode).is_some_and(|other| !other.is_empty());
        if !matches!(mode.as_str(), "" | "host") && !shares {
            return Err(format!("--{flag}: invalid {name} mode"));
        }
    }
    if given.strings("storage-opt").iter().any(|option| !option.contains('=')) {
        return Err("invalid storage option".to_owned());
    }
    let swappiness = given.int("memory-swappiness").unwrap_or(-1);
    if !(-1..=100).contains(&swappiness) {
        return Err(format!("invalid value: {swappiness}. Valid memory swappiness range is 0-100"));
    }
    let security_opt = given.strings("security-opt");
    for option in &security_opt {
        let (name, value) = option.split_once('=').or_else(|| option.split_once(':')).unwrap_or((option, ""));
        if value.is_empty() && name != "no-new-privileges" {
            return Err(format!("Invalid --security-opt: {}", crate::os::args::pflag::go_quote(option.as_bytes())));
        }
        if name == "seccomp"
            && !matches!(value, "unconfined" | "builtin")
            && client.proc.stat(value.as_bytes()).is_err()
        {
            return Err(format!("opening seccomp profile ({value}) failed: open {value}: no such file or directory"));
        }
    }
    let auto_remove = given.bool("rm");
    if auto_remove && !matches!(restart_policy.name.as_str(), "" | "no") {
        return Err("conflicting options: cannot specify both --restart and --rm".to_owned());
    }
    let (network_mode, networks) = networks(given)?;
    let bytes = |flag: &str| given.string(flag).and_then(|text| value::parse_bytes(&text).ok()).unwrap_or(0);
    let host = HostConfig {
        binds,
        mounts: mounts::requests(&given.strings("mount"))?,
        tmpfs: given.strings("tmpfs").iter().map(|text| pair(text, ':')).collect(),
        volumes_from: given.strings("volumes-from"),
        network_mode,
        port_bindings,
        publish_all_ports: given.bool("publish-all"),
        restart_policy,
        auto_remove,
        dns: given.strings("dns"),
        dns_options: [given.strings("dns-option"), given.strings("dns-opt")].concat(),
        dns_search: given.strings("dns-search"),
        extra_hosts: given.strings("add-host").iter().map(|host| host.replacen('=', ":", 1)).collect(),
        links: given.strings("link"),
        resources: resources(given),
        cap_add: given.strings("cap-add"),
        cap_drop: given.strings("cap-drop"),
        group_add: given.strings("group-add"),
        security_opt,
        pid_mode: given.string("pid").unwrap_or_default(),
        ipc_mode: String::new(),
        uts_mode: given.string("uts").unwrap_or_default(),
        oom_score_adj: given.int("oom-score-adj").unwrap_or(0),
        log_driver: given.string("log-driver").unwrap_or_default(),
        log_options: pairs(&given.strings("log-opt")),
        sysctls: pairs(&given.strings("sysctl")),
        annotations: pairs(&given.strings("annotation")),
        devices: given.strings("device").iter().map(|text| device(text)).collect::<Result<_, _>>()?,
        gpu_driver: given.string("gpus").map(|text| gpu_driver(&text)),
        storage_options: given.strings("storage-opt"),
        runtime: given.string("runtime").unwrap_or_default(),
        cid_file: given.string("cidfile").unwrap_or_default(),
        privileged: given.bool("privileged"),
        read_only_rootfs: given.bool("read-only"),
        shm_size_bytes: bytes("shm-size"),
        init: given.changed("init").then(|| given.bool("init")),
        console_size: client.stdout_tty().filter(|_| config.tty).map_or([0, 0], |tty| {
            let size = client.proc.win_size(tty);
            [size.rows, size.cols]
        }),
    };
    let name = given.string("name").filter(|name| !name.is_empty());
    Ok(CreateRequest { name, config, host, networks })
}

/// What `--detach` makes of the streams.
pub const fn detach(config: &mut ContainerConfig, detach: bool) {
    if detach {
        (config.attach_stdin, config.attach_stdout, config.attach_stderr, config.stdin_once) =
            (false, false, false, false);
    }
}

/// What a container may use, from the flags that `run` and `update` share.
pub fn resources(given: &Invocation) -> Resources {
    let has = |flag: &str| given.given().any(|(name, _)| name == flag);
    let bytes = |flag: &'static str| {
        let text = has(flag).then(|| given.string(flag)).flatten()?;
        if text == "-1" { Some(-1) } else { value::parse_bytes(&text).ok() }
    };
    let int = |flag: &'static str| has(flag).then(|| given.int(flag)).flatten();
    let text = |flag: &'static str| has(flag).then(|| given.string(flag)).flatten();
    let ulimit = |text: &String| {
        let (name, limits) = text.split_once('=')?;
        let (soft, hard) = limits.split_once(':').unwrap_or((limits, limits));
        Some(Ulimit { name: name.to_owned(), soft: soft.parse().ok()?, hard: hard.parse().ok()? })
    };
    Resources {
        memory_bytes: bytes("memory"),
        memory_swap_bytes: bytes("memory-swap"),
        memory_reservation_bytes: bytes("memory-reservation"),
        memory_swappiness: int("memory-swappiness").filter(|value| *value != -1),
        nano_cpus: text("cpus").and_then(|text| value::parse_nano(&text).ok()),
        cpu_shares: int("cpu-shares"),
        cpu_period: int("cpu-period"),
        cpu_quota: int("cpu-quota"),
        cpuset_cpus: text("cpuset-cpus"),
        cpuset_mems: text("cpuset-mems"),
        blkio_weight: int("blkio-weight"),
        pids_limit: int("pids-limit"),
        oom_kill_disable: has("oom-kill-disable").then(|| given.bool("oom-kill-disable")),
        ulimits: if has("ulimit") { given.strings("ulimit").iter().filter_map(ulimit).collect() } else { Vec::new() },
    }
}

/// The driver of a `--gpus` request: `all`, `2`, `driver=nvidia,count=1`.
fn gpu_driver(text: &str) -> String {
    text.split(',').find_map(|field| field.strip_prefix("driver=")).unwrap_or_default().to_owned()
}

/// docker/cli `parseDevice` and `validateDevice`.
fn device(text: &str) -> Result<[String; 3], String> {
    let mut parts = text.split(':');
    let source = parts.next().unwrap_or_default().to_owned();
    let is_mode = |text: &str| !text.is_empty() && text.chars().all(|c| "rwm".contains(c));
    let (target, mode) = match (parts.next(), parts.next(), parts.next()) {
        (None, ..) => (source.clone(), "rwm"),
        (Some(mode), None, _) if is_mode(mode) => (source.clone(), mode),
        (Some(target), None, _) => (target.to_owned(), "rwm"),
        (Some(target), Some(mode), None) if is_mode(mode) => (target.to_owned(), mode),
        _ => return Err(format!("bad format for path: {text}")),
    };
    if !target.starts_with('/') {
        return Err(format!("{target} is not an absolute path"));
    }
    Ok([source, target, mode.to_owned()])
}

/// `KEY=VALUE` texts as a map.
pub fn pairs(texts: &[String]) -> BTreeMap<String, String> {
    texts.iter().map(|text| pair(text, '=')).collect()
}

/// Whether Go's `net.ParseMAC` takes it: six, eight or twenty bytes with colons, hyphens or, by two, dots.
fn is_mac(text: &str) -> bool {
    let hex = |part: &str, digits: usize| part.len() == digits && part.bytes().all(|b| b.is_ascii_hexdigit());
    let parts = |mark: char, digits: usize| {
        let parts: Vec<&str> = text.split(mark).collect();
        parts.iter().all(|part| hex(part, digits)) && matches!(parts.len() * digits / 2, 6 | 8 | 20)
    };
    parts(':', 2) || parts('-', 2) || parts('.', 4)
}

/// `KEY:VALUE`, `KEY=VALUE`; the value may be missing.
fn pair(text: &str, separator: char) -> (String, String) {
    let (key, value) = text.split_once(separator).unwrap_or((text, ""));
    (key.to_owned(), value.to_owned())
}

/// docker/cli `opts.ParseRestartPolicy`.
///
/// # Errors
/// A policy without a name, a count that is no number.
pub fn restart(text: &str) -> Result<RestartPolicy, String> {
    let invalid = |what: &str| format!("invalid restart policy format: {what}");
    let (name, count) = match text.split_once(':') {
        None => (text, None),
        Some(("", _)) => return Err(invalid("no policy provided before colon")),
        Some((name, count)) => (name, Some(count)),
    };
    let maximum_retry_count = match count {
        None | Some("") => 0,
        Some(count) => count.parse().map_err(|_| invalid("maximum retry count must be an integer"))?,
    };
    Ok(RestartPolicy { name: name.to_owned(), maximum_retry_count })
}

fn healthcheck(given: &Invocation) -> Result<Option<Healthcheck>, String> {
    let duration = |flag: &str| given.string(flag).and_then(|text| value::parse_duration(&text).ok()).unwrap_or(0);
    let check = Healthcheck {
        test: match given.string("health-cmd").filter(|command| !command.is_empty()) {
            Some(command) => vec!["CMD-SHELL".to_owned(), command],
            None => Vec::new(),
        },
        interval_nanos: duration("health-interval"),
        timeout_nanos: duration("health-timeout"),
        start_period_nanos: duration("health-start-period"),
        start_interval_nanos: duration("health-start-interval"),
        retries: given.int("health-retries").unwrap_or(0),
    };
    let is_set = check != Healthcheck::default();
    if given.bool("no-healthcheck") {
        if is_set {
            return Err("--no-healthcheck conflicts with --health-* options".to_owned());
        }
        return Ok(Some(Healthcheck { test: vec!["NONE".to_owned()], ..Healthcheck::default() }));
    }
    for (flag, number) in [
        ("interval", check.interval_nanos),
        ("timeout", check.timeout_nanos),
        ("retries", check.retries),
        ("start-period", check.start_period_nanos),
        ("start-interval", check.start_interval_nanos),
    ] {
        if number < 0 {
            return Err(format!("--health-{flag} cannot be negative"));
        }
    }
    Ok(is_set.then_some(check))
}

/// The mode, which is the first network's name, and the networks that are joined with settings of their own.
fn networks(given: &Invocation) -> Result<(String, BTreeMap<String, EndpointRequest>), String> {
    let mut wanted: Vec<(String, EndpointRequest)> = Vec::new();
    for text in [given.strings("network"), given.strings("net")].concat() {
        wanted.push(endpoint(&text));
    }
    if wanted.is_empty() {
        wanted.push(("default".to_owned(), EndpointRequest::default()));
    }
    let mode = wanted.first().map(|(name, _)| name.clone()).unwrap_or_default();
    let is_user_defined =
        !matches!(mode.as_str(), "default" | "bridge" | "host" | "none") && !mode.starts_with("container:");
    let aliases = [given.strings("network-alias"), given.strings("net-alias")].concat();
    if !aliases.is_empty() && !is_user_defined {
        return Err("network-scoped aliases are only supported for user-defined networks".to_owned());
    }
    if let Some((_, first)) = wanted.first_mut() {
        if !aliases.is_empty() && !first.aliases.is_empty() {
            return Err(both("network-alias", "per-network alias"));
        }
        first.aliases.extend(aliases);
        first.links.extend(given.strings("link").into_iter().filter(|_| is_user_defined));
        for (flag, field) in [("ip", &mut first.ipv4_address), ("mac-address", &mut first.mac_address)] {
            if let Some(text) = given.string(flag) {
                if flag == "mac-address" && !is_mac(&text) {
                    return Err(format!("{text} is not a valid mac address"));
                }
                *field = text;
            }
        }
    }
    let mut networks = BTreeMap::new();
    let several = wanted.len() > 1;
    for (name, endpoint) in wanted {
        if !several && endpoint == EndpointRequest::default() {
            break;
        }
        if networks.contains_key(&name) {
            return Err(format!(
                "network {} is specified multiple times",
                crate::os::args::pflag::go_quote(name.as_bytes())
            ));
        }
        networks.insert(name, endpoint);
    }
    Ok((mode, networks))
}

fn both(flag: &str, other: &str) -> String {
    format!("conflicting options: cannot specify both --{flag} and {other}")
}

/// `--network NAME` or `--network name=NAME,alias=A,ip=…`.
fn endpoint(text: &str) -> (String, EndpointRequest) {
    let mut endpoint = EndpointRequest::default();
    if !text.contains('=') {
        return (text.to_owned(), endpoint);
    }
    let mut name = String::new();
    for field in text.split(',') {
        let (key, value) = pair(field, '=');
        match key.trim().to_ascii_lowercase().as_str() {
            "name" => name = value,
            "alias" => endpoint.aliases.push(value),
            "ip" => endpoint.ipv4_address = value,
            "mac-address" => endpoint.mac_address = value,
            // The flag's value has been checked; the daemon has no use for the others.
            _ => {}
        }
    }
    (name, endpoint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn restart_policies_have_counts() {
        let policy = |name: &str, count| Ok(RestartPolicy { name: name.to_owned(), maximum_retry_count: count });
        assert_eq!(restart("on-failure:3"), policy("on-failure", 3));
        assert_eq!(restart("always"), policy("always", 0));
        assert!(restart(":3").unwrap_err().ends_with("no policy provided before colon"));
        assert!(restart("on-failure:x").unwrap_err().ends_with("maximum retry count must be an integer"));
    }

    #[test]
    fn networks_may_carry_settings() {
        let (name, endpoint) = endpoint("name=foo,alias=a,alias=b,ip=1.2.3.4");
        assert_eq!((name.as_str(), endpoint.aliases.len(), endpoint.ipv4_address.as_str()), ("foo", 2, "1.2.3.4"));
    }
}
