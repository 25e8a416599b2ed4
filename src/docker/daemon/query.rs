//! Looking at containers: lists, inspections, logs, processes, figures.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use serde_json::{Map, Value, json};

use super::api::container::{
    ContainerBrief, ContainerSummary, Document, ListOptions, LogsOptions, MountRequest, Stats, Top,
};
use super::api::stream::{Frame, Receiver, stream};
use super::container::{Container, ContainerId, State, parse_port};
use super::errors::DaemonError;
use super::graph;
use super::handle::{Daemon, Patterns, World, matches_label};
use super::rootfs::folder;
use crate::base::digest::ImageId;
use crate::base::time::Timestamp;
use crate::docker::image::config::Form;
use crate::os::kernel::proc_fs::MEMORY_BYTES;
use crate::os::kernel::process::ProcessInfo;

const STATES: [&str; 7] = ["created", "running", "paused", "restarting", "removing", "exited", "dead"];
const FILTERS: [&str; 14] = [
    "ancestor", "before", "exited", "expose", "health", "id", "label", "name", "network", "publish", "since", "status",
    "volume", "is-task",
];

/// The ports of a filter, `8000-8080/tcp` (moby `daemon/list.go`, go-connections `nat`).
struct Ports {
    from: u16,
    to: u16,
    protocol: String,
}

impl Ports {
    fn parse(filter: &'static str, text: &str) -> Result<Self, DaemonError> {
        if text.contains(':') {
            return Err(DaemonError::PortFilterColon { filter, text: text.to_owned() });
        }
        let (range, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
        let (from, to) = range.split_once('-').unwrap_or((range, range));
        let bad = |why: String| DaemonError::PortFilter { filter, text: text.to_owned(), why };
        let number = |part: &str| part.parse::<u16>().map_err(|_| bad(no_number(part)));
        let (from, to) = (number(from)?, number(to)?);
        if from > to {
            return Err(bad(format!("invalid range specified for port: {range}")));
        }
        Ok(Self { from, to, protocol: protocol.to_owned() })
    }

    fn contain(&self, port: u16, protocol: &str) -> bool {
        (self.from..=self.to).contains(&port) && self.protocol == protocol
    }
}

/// Go's `strconv.ParseUint`.
fn no_number(text: &str) -> String {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let why = if digits { "value out of range" } else { "invalid syntax" };
    if text.is_empty() {
        "empty string specified for ports".to_owned()
    } else {
        format!("strconv.ParseUint: parsing \"{text}\": {why}")
    }
}

/// Which images the names of containers' images lead to.
pub type ImageNames = BTreeMap<String, Option<ImageId>>;

impl World {
    fn image_name(&self, container: &Container, known: &mut ImageNames) -> String {
        let name = &container.config.image;
        let image = match known.get(name) {
            Some(image) => *image,
            None => {
                let image = self.store.borrow().resolve(name).ok();
                known.insert(name.clone(), image);
                image
            }
        };
        // A name that has moved on to another image no longer tells which this is.
        if image == Some(container.image) { name.clone() } else { container.image.short() }
    }

    /// A row of `docker ps`; `known` is for the rows of one list.
    pub fn summary(&self, container: &Container, size: bool, known: &mut ImageNames) -> ContainerSummary {
        let root = container.root.borrow();
        let (rw, all) = if size {
            let rw = root.upper_size_bytes();
            (Some(rw), Some(rw.saturating_add(self.store.borrow().image_size_bytes(container.image))))
        } else {
            (None, None)
        };
        ContainerSummary {
            id: container.id.to_string(),
            names: super::links::names_of(&self.state.borrow(), container),
            image: self.image_name(container, known),
            image_id: container.image.to_string(),
            command: container.command().join(" "),
            created: container.created,
            ports: container.ports(),
            size_rw_bytes: rw,
            size_root_fs_bytes: all,
            labels: container.config.labels.clone(),
            state: container.state.name(),
            status: container.state.status(self.kernel.now(), container.health.as_ref()),
            networks: container.endpoints.keys().cloned().collect(),
            mounts: container.mounts.iter().map(|mount| mount.point.clone()).collect(),
        }
    }

    fn processes_of(&self, id: ContainerId) -> Vec<ProcessInfo> {
        let cgroup = id.to_string();
        self.kernel.processes(None).into_iter().filter(|process| process.cgroup == cgroup).collect()
    }
}

impl Daemon {
    /// `GET /containers/json`, newest first.
    ///
    /// # Errors
    /// An unknown filter or value.
    pub fn container_list(&self, options: &ListOptions) -> Result<Vec<ContainerSummary>, DaemonError> {
        if let Some(name) = options.filters.keys().find(|name| !FILTERS.contains(&name.as_str())) {
            return Err(DaemonError::BadFilter(name.clone()));
        }
        let values = |key: &str| options.filters.get(key);
        if let Some(bad) = values("status").into_iter().flatten().find(|v| !STATES.contains(&v.as_str())) {
            return Err(DaemonError::BadStatus(bad.clone()));
        }
        let mut codes = Vec::new();
        for value in values("exited").into_iter().flatten() {
            let bad = || DaemonError::BadFilterValue { name: "exited".to_owned(), value: value.clone() };
            codes.push(value.parse::<i64>().map_err(|_| bad())?);
        }
        let state = self.0.state.borrow();
        let edge = |key: &str| -> Result<Option<Timestamp>, DaemonError> {
            let Some(name) = values(key).and_then(|v| v.first()) else { return Ok(None) };
            let id = state.resolve(name)?;
            Ok(state.containers.get(&id).map(|c| c.created))
        };
        let (before, since) = (edge("before")?, edge("since")?);
        let any = |key: &str, test: &dyn Fn(&str) -> bool| values(key).is_none_or(|v| v.iter().any(|v| test(v)));
        let ancestor = |container: &Container, wanted: &str| {
            let store = self.0.store.borrow();
            let Ok(id) = store.resolve(wanted) else { return false };
            let chain = store.image(id).and_then(|image| image.config().chain_id());
            container.image == id
                || chain.is_some_and(|chain| store.stack(container.chain).iter().any(|l| l.chain_id == chain))
        };
        // Some filters speak of containers that don't run, so they imply `--all`.
        let all = options.all
            || options.limit > 0
            || !codes.is_empty()
            || ["status", "before", "since"].iter().any(|key| options.filters.contains_key(*key));
        let (names, ids) = (Patterns::of(&options.filters, "name"), Patterns::of(&options.filters, "id"));
        let ports = |key: &'static str| -> Result<Option<Vec<Ports>>, DaemonError> {
            let Some(texts) = values(key) else { return Ok(None) };
            texts.iter().map(|text| Ports::parse(key, text)).collect::<Result<_, _>>().map(Some)
        };
        let (publish, expose) = (ports("publish")?, ports("expose")?);
        let has = |wanted: &Option<Vec<Ports>>, port: u16, protocol: &str| {
            wanted.as_ref().is_some_and(|wanted| wanted.iter().any(|ports| ports.contain(port, protocol)))
        };
        let wanted = |c: &Container| {
            (all || c.state.run().is_some() || matches!(c.state, State::Restarting(_)))
                && (ids.is_empty() || ids.match_text(&c.id.0.hex()))
                && (names.match_text(&c.name) || names.match_text(&format!("/{}", c.name)))
                // There are no tasks without a swarm.
                && any("is-task", &|v| matches!(v, "false" | "0"))
                && any("status", &|v| c.state.name() == v)
                && any("ancestor", &|v| ancestor(c, v))
                && any("network", &|v| {
                    c.endpoints
                        .iter()
                        .any(|(name, e)| name == v || e.network.is_some_and(|id| id.0.hex().starts_with(v)))
                })
                && any("volume", &|v| c.mounts.iter().any(|m| m.point.name == v || m.point.destination == v))
                && (publish.is_none() || c.published.iter().any(|p| {
                    has(&publish, p.public, &p.protocol) || has(&publish, p.private, &p.protocol)
                }))
                && (expose.is_none() || c.config.exposed_ports.iter().filter_map(|port| parse_port(port)).any(
                    |(port, protocol)| has(&expose, port, &protocol),
                ))
                && any("health", &|v| v == c.health.as_ref().map_or("none", |h| h.status.name()))
                && values("label").is_none_or(|v| v.iter().all(|v| matches_label(&c.config.labels, v)))
                && (codes.is_empty() || matches!(&c.state, State::Exited(ended) if codes.contains(&ended.code)))
                && before.is_none_or(|before| c.created < before)
                && since.is_none_or(|since| c.created > since)
        };
        let found = state.newest_first().into_iter().filter(|c| wanted(c));
        let limit = if options.limit == 0 { usize::MAX } else { options.limit };
        let mut known = ImageNames::new();
        Ok(found.take(limit).map(|container| self.0.summary(container, options.size, &mut known)).collect())
    }

    /// What the client needs of an inspection, typed.
    ///
    /// # Errors
    /// No such container.
    pub fn container_brief(&self, name: &str) -> Result<ContainerBrief, DaemonError> {
        let id = self.0.find(name)?;
        let brief = self.0.with(id, |c| ContainerBrief {
            id: c.id.to_string(),
            name: c.name.clone(),
            state: c.state.name(),
            running: c.state.run().is_some() || matches!(c.state, State::Restarting(_)),
            exit_code: c.state.ended().map_or(0, |ended| ended.code),
            tty: c.config.tty,
            open_stdin: c.config.open_stdin,
            address: c.endpoints.values().find_map(|endpoint| endpoint.address),
            ports: c.ports(),
        });
        brief.ok_or_else(|| DaemonError::NoSuchContainer(name.to_owned()))
    }

    /// `GET /containers/{id}/logs`: frames hold whole lines, with their times when asked for.
    ///
    /// # Errors
    /// No such container.
    pub fn container_logs(&self, name: &str, options: &LogsOptions) -> Result<Receiver<Frame>, DaemonError> {
        let id = self.0.find(name)?;
        if self.0.with(id, |c| c.host.log_driver == "none") == Some(true) {
            return Err(DaemonError::NoLogReading);
        }
        let (to, from) = stream(&self.0.kernel);
        self.0.with(id, |c| {
            let running = c.state.run().is_some() || matches!(c.state, State::Restarting(_));
            c.log.read(options, running, to);
        });
        Ok(from)
    }

    /// `GET /containers/{id}/top`: as the host's `ps -ef`, or with `aux`, shows the container's processes.
    ///
    /// # Errors
    /// One that does not run.
    pub fn container_top(&self, name: &str, ps_args: &[String]) -> Result<Top, DaemonError> {
        let id = self.0.find(name)?;
        let run = self.0.with(id, |c| c.state.run().cloned()).flatten();
        if run.is_none() {
            return Err(DaemonError::NotRunning(id.to_string()));
        }
        let users = super::files::lines(&self.0.host.mounts.borrow(), b"/etc/passwd");
        let user = |uid: u32| {
            let found = users.iter().find(|line| line.split(':').nth(2) == Some(uid.to_string().as_str()));
            found.and_then(|line| line.split(':').next()).map_or_else(|| uid.to_string(), ToOwned::to_owned)
        };
        let aux = ps_args.iter().any(|arg| arg.contains("aux"));
        let titles = if aux {
            "USER PID %CPU %MEM VSZ RSS TTY STAT START TIME COMMAND"
        } else {
            "UID PID PPID C STIME TTY TIME CMD"
        };
        let row = |p: ProcessInfo| {
            let time = p.started.civil();
            let started = format!("{:02}:{:02}", time.hour, time.minute);
            let seconds = p.cpu_micros / 1_000_000;
            let tty = p.pts.map_or_else(|| "?".to_owned(), |number| format!("pts/{number}"));
            let used = format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
            let command = bstr::join(" ", &p.args);
            let command = String::from_utf8_lossy(&command).into_owned();
            if aux {
                let kib = (p.memory_bytes / 1024).to_string();
                let zero = "0.0".to_owned();
                let state = p.state.to_string();
                vec![
                    user(p.uid),
                    p.gpid.to_string(),
                    zero.clone(),
                    zero,
                    kib.clone(),
                    kib,
                    tty,
                    state,
                    started,
                    used,
                    command,
                ]
            } else {
                vec![user(p.uid), p.gpid.to_string(), p.ppid.to_string(), "0".to_owned(), started, tty, used, command]
            }
        };
        Ok(Top {
            titles: titles.split(' ').map(ToOwned::to_owned).collect(),
            processes: self.0.processes_of(id).into_iter().map(row).collect(),
        })
    }

    /// `GET /containers/{id}/stats`. Memory is that of the running programs' files.
    ///
    /// # Errors
    /// No such container.
    pub fn container_stats(&self, name: &str) -> Result<Stats, DaemonError> {
        let id = self.0.find(name)?;
        let (own_name, run, limit) = self
            .0
            .with(id, |c| (c.name.clone(), c.state.run().cloned(), c.host.resources.memory_bytes.unwrap_or(0)))
            .unwrap_or_default();
        let cgroup = id.to_string();
        let (memory_bytes, pids) = self.0.kernel.cgroup_now(&cgroup);
        let usage = self.0.kernel.cgroup(&cgroup).1;
        let now = self.0.kernel.now();
        // The share of the time since the last reading, or since the start.
        let (then, used) = self
            .0
            .with(id, |c| c.last_stats.replace((now, usage.cpu_nanos)))
            .flatten()
            .unwrap_or_else(|| (run.as_ref().map_or(now, |run| run.started), 0));
        let passed = now.since(then).as_nanos();
        #[expect(clippy::cast_precision_loss, reason = "a percentage that is shown with two digits")]
        let cpu_percent = match passed {
            0 => 0.0,
            passed => usage.cpu_nanos.saturating_sub(used) as f64 / passed as f64 * 100.0,
        };
        let is_up = run.is_some();
        let network_bytes = run.as_ref().map(|run| self.0.kernel.network(|n| n.get(run.net).map(|ns| ns.traffic)));
        Ok(Stats {
            id: cgroup,
            name: format!("/{own_name}"),
            cpu_nanos: usage.cpu_nanos,
            cpu_percent,
            memory_bytes,
            // One that is not up has no group whose files could be read.
            memory_limit_bytes: match u64::try_from(limit) {
                _ if !is_up => 0,
                Ok(limit) if limit > 0 => limit,
                _ => MEMORY_BYTES,
            },
            pids,
            network_bytes: network_bytes.flatten().unwrap_or_default(),
            block_bytes: if is_up { [usage.read_bytes, usage.written_bytes] } else { [0, 0] },
        })
    }

    /// `GET /containers/{id}/json`.
    ///
    /// # Errors
    /// No such container.
    pub fn container_inspect(&self, name: &str, size: bool) -> Result<Document, DaemonError> {
        let id = self.0.find(name)?;
        let state = self.0.state.borrow();
        let missing = || DaemonError::NoSuchContainer(name.to_owned());
        let c = state.containers.get(&id).ok_or_else(missing)?;
        let words = c.command();
        let (program, args) = words.split_first().map_or((String::new(), Vec::new()), |(p, a)| (p.clone(), a.to_vec()));
        let dir = folder(id);
        let net_dir = folder(self.0.network_owner(c));
        let file = |dir: &str, name: &str| {
            if c.state.ended().is_some_and(|e| e.started.is_none() && e.finished.is_none()) {
                String::new()
            } else {
                format!("{dir}/{name}")
            }
        };
        let execs: Vec<&String> = state
            .execs
            .values()
            .filter(|e| e.container == id && matches!(e.state, super::run::ExecState::Running(_)))
            .map(|e| &e.id)
            .collect();
        let layer = |part: &str| graph::part(&c.folder.name(), part);
        let mut lower = vec![graph::part(&graph::init_of(c), "diff")];
        {
            let store = self.0.store.borrow();
            let stack = store.stack(c.chain);
            lower.extend(stack.iter().rev().map(|l| graph::part(&l.folder.name(), "diff")));
        }
        let mut out = json!({
            "Id": id.to_string(),
            "Created": c.created.rfc3339_nano(),
            "Path": program,
            "Args": args,
            "State": state_document(c),
            "Image": c.image.to_string(),
            "ResolvConfPath": file(&net_dir, "resolv.conf"),
            "HostnamePath": file(&net_dir, "hostname"),
            "HostsPath": file(&net_dir, "hosts"),
            "LogPath": file(&dir, &format!("{id}-json.log")),
            "Name": format!("/{}", c.name),
            "RestartCount": c.restart_count,
            "Driver": "overlay2",
            "Platform": "linux",
            "MountLabel": "",
            "ProcessLabel": "",
            "AppArmorProfile": match c.state.run() {
                Some(_) if c.host.is_unconfined() => "unconfined",
                Some(_) => "docker-default",
                None => "",
            },
            "ExecIDs": if execs.is_empty() { Value::Null } else { json!(execs) },
            "HostConfig": host_document(c, &super::links::shown(&state, c)),
            "GraphDriver": {
                "Data": {
                    "ID": id.to_string(),
                    "LowerDir": lower.join(":"),
                    "MergedDir": layer("merged"),
                    "UpperDir": layer("diff"),
                    "WorkDir": layer("work"),
                },
                "Name": "overlay2",
            },
        });
        if let Some(fields) = out.as_object_mut() {
            if size {
                let rw = c.root.borrow().upper_size_bytes();
                let image = self.0.store.borrow().image_size_bytes(c.image);
                fields.insert("SizeRw".to_owned(), rw.into());
                fields.insert("SizeRootFs".to_owned(), rw.saturating_add(image).into());
            }
            let mounts: Vec<_> = c.mounts.iter().map(|mount| &mount.point).collect();
            fields.insert("Mounts".to_owned(), json!(mounts));
            fields.insert("Config".to_owned(), c.config.to_value(Form::Classic));
            fields.insert("NetworkSettings".to_owned(), networks_document(&state, c));
        }
        Ok(out)
    }
}

const NEVER: &str = "0001-01-01T00:00:00Z";

fn state_document(c: &Container) -> Value {
    let time = |time: Option<Timestamp>| time.map_or_else(|| NEVER.to_owned(), Timestamp::rfc3339_nano);
    let run = c.state.run();
    let ended = c.state.ended();
    let mut out = json!({
        "Status": c.state.name(),
        "Running": run.is_some() || matches!(c.state, State::Restarting(_)),
        "Paused": matches!(c.state, State::Paused(_)),
        "Restarting": matches!(c.state, State::Restarting(_)),
        "OOMKilled": c.oom_killed,
        "Dead": false,
        "Pid": run.map_or(0, |run| run.gpid),
        "ExitCode": ended.map_or(0, |ended| ended.code),
        "Error": ended.map_or("", |ended| ended.error.as_str()),
        "StartedAt": time(run.map(|run| run.started).or_else(|| ended.and_then(|e| e.started))),
        "FinishedAt": time(run.map_or_else(|| ended.and_then(|e| e.finished), |run| run.finished)),
    });
    if let (Some(health), Some(out)) = (&c.health, out.as_object_mut()) {
        out.insert("Health".to_owned(), health.document());
    }
    out
}

fn host_document(c: &Container, links: &[String]) -> Value {
    let (host, res) = (&c.host, &c.host.resources);
    let list = |items: &[String]| if items.is_empty() { json!([]) } else { json!(items) };
    let or_null = |items: &[String]| if items.is_empty() { Value::Null } else { json!(items) };
    let mode = match host.network_mode.as_str() {
        "" | "default" => "bridge",
        other => other,
    };
    let mut out = json!({
        "Binds": or_null(&host.binds),
        "ContainerIDFile": host.cid_file,
        "LogConfig": {"Type": host.log_driver(), "Config": host.log_options},
        "NetworkMode": mode,
        "PortBindings": host.port_bindings,
        "RestartPolicy": {
            "Name": if host.restart_policy.name.is_empty() { "no" } else { &host.restart_policy.name },
            "MaximumRetryCount": host.restart_policy.maximum_retry_count,
        },
        "AutoRemove": host.auto_remove,
        "VolumeDriver": "",
        "VolumesFrom": or_null(&host.volumes_from),
        "ConsoleSize": host.console_size,
        "CapAdd": or_null(&host.cap_add),
        "CapDrop": or_null(&host.cap_drop),
        "CgroupnsMode": "private",
        "Dns": list(&host.dns),
        "DnsOptions": list(&host.dns_options),
        "DnsSearch": list(&host.dns_search),
        "ExtraHosts": or_null(&host.extra_hosts),
        "GroupAdd": or_null(&host.group_add),
        "IpcMode": if host.ipc_mode.is_empty() { "private" } else { &host.ipc_mode },
        "Cgroup": "",
        "Links": or_null(links),
        "OomScoreAdj": host.oom_score_adj,
        "PidMode": host.pid_mode,
        "Privileged": host.privileged,
        "PublishAllPorts": host.publish_all_ports,
        "ReadonlyRootfs": host.read_only_rootfs,
        "SecurityOpt": or_null(&host.security_opt),
        "UTSMode": host.uts_mode,
        "UsernsMode": "",
        "ShmSize": if host.shm_size_bytes > 0 { host.shm_size_bytes } else { 64 << 20 },
        "Runtime": "runc",
        "Isolation": "",
        "CpuShares": res.cpu_shares.unwrap_or(0),
        "Memory": res.memory_bytes.unwrap_or(0),
        "NanoCpus": res.nano_cpus.unwrap_or(0),
    });
    let device = |[host, container, access]: &[String; 3]| json!({"PathOnHost": host, "PathInContainer": container, "CgroupPermissions": access});
    let devices: Vec<Value> = host.devices.iter().map(device).collect();
    // A second document: the macro nests once a field.
    let rest = json!({
        "CgroupParent": "",
        "BlkioWeight": res.blkio_weight.unwrap_or(0),
        "BlkioWeightDevice": [],
        "BlkioDeviceReadBps": [],
        "BlkioDeviceWriteBps": [],
        "BlkioDeviceReadIOps": [],
        "BlkioDeviceWriteIOps": [],
        "CpuPeriod": res.cpu_period.unwrap_or(0),
        "CpuQuota": res.cpu_quota.unwrap_or(0),
        "CpuRealtimePeriod": 0,
        "CpuRealtimeRuntime": 0,
        "CpusetCpus": res.cpuset_cpus.as_deref().unwrap_or_default(),
        "CpusetMems": res.cpuset_mems.as_deref().unwrap_or_default(),
        "Devices": devices,
        "DeviceCgroupRules": null,
        "DeviceRequests": null,
        "MemoryReservation": res.memory_reservation_bytes.unwrap_or(0),
        "MemorySwap": res.memory_swap_bytes.unwrap_or(0),
        "MemorySwappiness": res.memory_swappiness,
        "OomKillDisable": res.oom_kill_disable,
        "PidsLimit": res.pids_limit,
        "Ulimits": res.ulimits,
        "CpuCount": 0,
        "CpuPercent": 0,
        "IOMaximumIOps": 0,
        "IOMaximumBandwidth": 0,
        "MaskedPaths": ["/proc/asound", "/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware", "/sys/devices/virtual/powercap"],
        "ReadonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"],
    });
    if let (Some(out), Value::Object(rest)) = (out.as_object_mut(), rest) {
        out.extend(rest);
        let mut put = |name: &str, value: Value| drop(out.insert(name.to_owned(), value));
        if let Some(init) = host.init {
            put("Init", init.into());
        }
        if !host.tmpfs.is_empty() {
            put("Tmpfs", json!(host.tmpfs));
        }
        if !host.mounts.is_empty() {
            put("Mounts", host.mounts.iter().map(mount_document).collect());
        }
        if !host.sysctls.is_empty() {
            put("Sysctls", json!(host.sysctls));
        }
        if !host.annotations.is_empty() {
            put("Annotations", json!(host.annotations));
        }
    }
    out
}

fn mount_document(mount: &MountRequest) -> Value {
    let mut out = json!({"Type": mount.kind, "Target": mount.target});
    if let Some(out) = out.as_object_mut() {
        if !mount.source.is_empty() {
            out.insert("Source".to_owned(), mount.source.clone().into());
        }
        if mount.read_only {
            out.insert("ReadOnly".to_owned(), true.into());
        }
        let mut options = serde_json::Map::new();
        if mount.tmpfs_size_bytes > 0 {
            options.insert("SizeBytes".to_owned(), mount.tmpfs_size_bytes.into());
        }
        if let Some(mode) = mount.tmpfs_mode {
            options.insert("Mode".to_owned(), mode.into());
        }
        if !options.is_empty() {
            out.insert("TmpfsOptions".to_owned(), options.into());
        }
    }
    out
}

fn networks_document(state: &super::handle::State, c: &Container) -> Value {
    let mut ports: Map<String, Value> = Map::new();
    if c.state.run().is_some() {
        for exposed in &c.config.exposed_ports {
            ports.insert(exposed.clone(), Value::Null);
        }
    }
    for port in &c.published {
        let key = format!("{}/{}", port.private, port.protocol);
        let mut bindings = vec![json!({"HostIp": port.address.to_string(), "HostPort": port.public.to_string()})];
        if port.address.is_unspecified() {
            bindings.push(json!({"HostIp": "::", "HostPort": port.public.to_string()}));
        }
        match ports.get_mut(&key) {
            Some(Value::Array(have)) => have.extend(bindings),
            _ => drop(ports.insert(key, Value::Array(bindings))),
        }
    }
    let text = |address: Option<Ipv4Addr>| address.map(|a| a.to_string()).unwrap_or_default();
    let mut networks: Map<String, Value> = Map::new();
    let mut default = (String::new(), String::new(), String::new(), 0, String::new());
    for (name, endpoint) in &c.endpoints {
        let network = state.network(name).ok();
        let (subnet, gateway) = match (endpoint.address, network) {
            (Some(_), Some(network)) => (network.subnet.map_or(0, |s| s.prefix), text(network.gateway)),
            _ => (0, String::new()),
        };
        let address = text(endpoint.address);
        if name == "bridge" {
            default = (endpoint.endpoint_id.clone(), gateway.clone(), address.clone(), subnet, endpoint.mac.clone());
        }
        let aliases = &endpoint.request.aliases;
        let names: Vec<String> = if network.is_some_and(super::network::Network::has_names) {
            std::iter::once(c.name.clone()).chain(aliases.iter().cloned()).chain([c.id.short()]).collect()
        } else {
            Vec::new()
        };
        networks.insert(
            name.clone(),
            json!({
                "IPAMConfig": if endpoint.request.ipv4_address.is_empty() { Value::Null } else { json!({"IPv4Address": endpoint.request.ipv4_address}) },
                "Links": null,
                "Aliases": if aliases.is_empty() { Value::Null } else { json!(aliases) },
                "MacAddress": endpoint.mac,
                "DriverOpts": null,
                "GwPriority": 0,
                "NetworkID": endpoint.network.map(|id| id.to_string()).unwrap_or_default(),
                "EndpointID": endpoint.endpoint_id,
                "Gateway": gateway,
                "IPAddress": address,
                "IPPrefixLen": subnet,
                "IPv6Gateway": "",
                "GlobalIPv6Address": "",
                "GlobalIPv6PrefixLen": 0,
                "DNSNames": if names.is_empty() { Value::Null } else { json!(names) },
            }),
        );
    }
    json!({
        "Bridge": "",
        "SandboxID": c.state.run().map_or_else(String::new, |run| crate::base::digest::Digest::of(&run.net.0.to_le_bytes()).hex()),
        "SandboxKey": c.state.run().map_or_else(String::new, |run| format!("/var/run/docker/netns/{}", crate::base::digest::Digest::of(&run.net.0.to_le_bytes()).short())),
        "Ports": ports,
        "HairpinMode": false,
        "LinkLocalIPv6Address": "",
        "LinkLocalIPv6PrefixLen": 0,
        "SecondaryIPAddresses": null,
        "SecondaryIPv6Addresses": null,
        "EndpointID": default.0,
        "Gateway": default.1,
        "GlobalIPv6Address": "",
        "GlobalIPv6PrefixLen": 0,
        "IPAddress": default.2,
        "IPPrefixLen": default.3,
        "IPv6Gateway": "",
        "MacAddress": default.4,
        "Networks": networks,
    })
}
