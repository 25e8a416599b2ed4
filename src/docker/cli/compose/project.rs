//! A project: its file found, read, filled in and checked (compose-spec/compose-go).

use crate::base::sort::Arrange;
use std::collections::BTreeMap;

use bstr::BString;
use serde_json::{Map, Value};

use super::dotenv;
use super::files::Reader;
use super::named;
use super::steps::Mode;
use crate::base::path;
use crate::docker::cli::client::{Answer, Client};
use crate::docker::cli::error::CliError;
use crate::docker::cli::parse::Invocation;

/// The names that are looked for, in this order.
const FILES: [&str; 4] = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];
/// What a service may have here.
const SERVICE: [&str; 48] = [
    "build",
    "cap_add",
    "cap_drop",
    "command",
    "container_name",
    "cpu_shares",
    "cpus",
    "cpuset",
    "depends_on",
    "deploy",
    "devices",
    "dns",
    "dns_search",
    "domainname",
    "entrypoint",
    "env_file",
    "environment",
    "expose",
    "extra_hosts",
    "group_add",
    "healthcheck",
    "hostname",
    "image",
    "init",
    "labels",
    "links",
    "logging",
    "mem_limit",
    "mem_reservation",
    "network_mode",
    "networks",
    "pid",
    "pids_limit",
    "ports",
    "privileged",
    "profiles",
    "pull_policy",
    "read_only",
    "restart",
    "scale",
    "secrets",
    "security_opt",
    "shm_size",
    "stdin_open",
    "stop_grace_period",
    "stop_signal",
    "tmpfs",
    "tty",
];
/// `develop` is for `watch` alone.
const SERVICE_MORE: [&str; 8] =
    ["develop", "ulimits", "user", "volumes", "working_dir", "configs", "platform", "attach"];
/// What a service may have, and not here.
const ABSENT: [&str; 16] = [
    "annotations",
    "blkio_config",
    "cgroup",
    "cgroup_parent",
    "credential_spec",
    "device_cgroup_rules",
    "external_links",
    "gpus",
    "ipc",
    "isolation",
    "mac_address",
    "models",
    "post_start",
    "pre_stop",
    "provider",
    "sysctls",
];
/// What a project may have.
const TOP: [&str; 7] = ["configs", "name", "networks", "secrets", "services", "version", "volumes"];

/// A project.
#[derive(Debug, Clone)]
pub struct Project {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub dir: String,
    /// The file's absolute path, or several with commas.
    pub files: String,
    /// Services by name.
    pub services: BTreeMap<String, Map<String, Value>>,
    /// Networks by their names in the file.
    pub networks: BTreeMap<String, Map<String, Value>>,
    /// Volumes by their names in the file.
    pub volumes: BTreeMap<String, Map<String, Value>>,
    /// Secrets by name.
    pub secrets: BTreeMap<String, Map<String, Value>>,
    /// Configs by name.
    pub configs: BTreeMap<String, Map<String, Value>>,
    /// Services of profiles that are not enabled.
    pub disabled: Vec<String>,
    /// Every profile that a service names.
    pub profiles: Vec<String>,
    /// The variables that the file was filled in with.
    pub environment: BTreeMap<String, String>,
    /// What stands between the parts of a container's name: `_` with `--compatibility`.
    pub separator: char,
    /// How its work is shown.
    pub progress: Mode,
}

/// A text of a scalar.
pub fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// The texts of a list, or of a lone scalar.
pub fn texts(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::Array(items)) => items.iter().map(text).collect(),
        Some(Value::Null) | None => Vec::new(),
        Some(one) => vec![text(one)],
    }
}

/// Pairs of a map, or of a list of `KEY=VALUE`; `None` for a key alone.
pub fn pairs(value: Option<&Value>) -> Vec<(String, Option<String>)> {
    match value {
        Some(Value::Object(map)) => {
            map.iter().map(|(k, v)| (k.clone(), Some(v).filter(|v| !v.is_null()).map(text))).collect()
        }
        other => {
            let split = |word: String| match word.split_once('=') {
                Some((key, value)) => (key.to_owned(), Some(value.to_owned())),
                None => (word, None),
            };
            texts(other).into_iter().map(split).collect()
        }
    }
}

/// The names that a list has, or a map's keys.
pub fn names(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::Object(map)) => map.keys().cloned().collect(),
        other => texts(other),
    }
}

/// A project's name from a directory's (compose-go `loader.NormalizeProjectName`).
fn normalized(name: &str) -> String {
    let kept = |c: &char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-');
    let name: String = name.to_ascii_lowercase().chars().filter(kept).collect();
    name.trim_start_matches(['_', '-']).to_owned()
}

impl Project {
    /// The project that the flags and the directory mean.
    ///
    /// # Errors
    /// No file, mistakes in it.
    pub async fn load(client: &Client, given: &Invocation) -> Answer<Self> {
        let cwd = client.proc.cwd();
        let absolute = |file: &str| path::normalize(&path::join(&cwd, file.as_bytes())).to_string();
        let place = given.string("project-directory").map(|dir| absolute(&dir));
        let home = place.clone().unwrap_or_else(|| cwd.to_string());
        let mut env = Self::environment(client, given, &home).await?;
        let mut files: Vec<String> = given.strings("file");
        if files.is_empty()
            && let Some(all) = env.get("COMPOSE_FILE").filter(|all| !all.is_empty())
        {
            let between = env.get("COMPOSE_PATH_SEPARATOR").map_or(":", String::as_str);
            files = all.split(between).map(str::to_owned).collect();
        }
        if files.is_empty() {
            let mut dir = BString::from(home.as_str());
            loop {
                let found = FILES.iter().map(|name| path::join(&dir, name.as_bytes()));
                if let Some(found) = found.into_iter().find(|file| client.proc.stat(file).is_ok()) {
                    files.push(found.to_string());
                    break;
                }
                if *dir == *b"/" {
                    let name = given.string("project-name").or_else(|| env.get("COMPOSE_PROJECT_NAME").cloned());
                    if let Some(name) = name.filter(|_| named::is_enough_for(given.command.name)) {
                        let progress = Mode::chosen(given, &env)?;
                        return named::project(client, name, home, env, progress);
                    }
                    return Err(CliError::Says(14, "no configuration file provided: not found".to_owned()));
                }
                dir = path::parent(&dir).to_owned();
            }
        }
        let stdin = |file: &str| if file == "-" { file.to_owned() } else { absolute(file) };
        let files: Vec<String> = files.iter().map(|file| stdin(file)).collect();
        let first = files.first().cloned().unwrap_or_default();
        let dir = match place {
            Some(dir) => dir,
            None if first == "-" => absolute("."),
            None => String::from_utf8_lossy(path::parent(first.as_bytes())).into_owned(),
        };
        // The file may be elsewhere, with an `.env` of its own, which what is known already goes before.
        if dir != home {
            for (key, value) in Self::environment(client, given, &dir).await? {
                env.entry(key).or_insert(value);
            }
        }
        let mut reader = Reader {
            client,
            env: &env,
            unset: Vec::new(),
            is_raw: given.changed("no-interpolate") && given.bool("no-interpolate"),
        };
        let mut all = Map::new();
        for file in &files {
            let mut own = reader.read(file).await?;
            reader.complete(&mut own, file, &dir).await?;
            merge(&mut all, own);
        }
        let unset = reader.unset;
        for name in unset {
            warn(client, &format!("The {name:?} variable is not set. Defaulting to a blank string.")).await;
        }
        if all.contains_key("version") {
            let what = format!(
                "{first}: the attribute `version` is obsolete, it will be ignored, please remove it to avoid potential confusion"
            );
            warn(client, &what).await;
        }
        let base = String::from_utf8_lossy(path::file_name(dir.as_bytes())).into_owned();
        let name = given
            .string("project-name")
            .or_else(|| env.get("COMPOSE_PROJECT_NAME").cloned())
            .or_else(|| all.get("name").map(text))
            .unwrap_or_else(|| normalized(&base));
        if name.is_empty() || name != normalized(&name) {
            return Err(CliError::new(format!(
                "invalid project name {name:?}: must consist only of lowercase alphanumeric characters, hyphens, and underscores as well as start with a letter or number"
            )));
        }
        let mut project = Self {
            name,
            dir,
            files: files.join(","),
            services: section(&all, "services"),
            networks: section(&all, "networks"),
            volumes: section(&all, "volumes"),
            secrets: section(&all, "secrets"),
            configs: section(&all, "configs"),
            disabled: Vec::new(),
            profiles: Vec::new(),
            environment: env.clone(),
            separator: if given.bool("compatibility")
                || env.get("COMPOSE_COMPATIBILITY").is_some_and(|on| on == "true" || on == "1")
            {
                '_'
            } else {
                '-'
            },
            progress: Mode::chosen(given, &env)?,
        };
        project.check(&first, &all).map_err(|why| CliError::Says(15, why))?;
        let mut profiles = given.strings("profile");
        profiles.extend(env.get("COMPOSE_PROFILES").into_iter().flat_map(|all| all.split(',')).map(str::to_owned));
        let asked = given.operand_strings();
        let disabled = &mut project.disabled;
        project.services.retain(|name, service| {
            let own = texts(service.get("profiles"));
            let is_enabled = own.is_empty()
                || asked.contains(name)
                || own.iter().any(|p| profiles.contains(p) || profiles.iter().any(|p| p == "*"));
            if !is_enabled {
                disabled.push(name.clone());
            }
            project.profiles.extend(own);
            is_enabled
        });
        project.profiles.arrange();
        project.profiles.dedup();
        Ok(project)
    }

    /// The client's variables over those of `.env`.
    async fn environment(client: &Client, given: &Invocation, dir: &str) -> Answer<BTreeMap<String, String>> {
        let mut outer = BTreeMap::new();
        for word in client.proc.env() {
            let word = String::from_utf8_lossy(&word).into_owned();
            if let Some((key, value)) = word.split_once('=') {
                outer.insert(key.to_owned(), value.to_owned());
            }
        }
        let mut chosen = given.strings("env-file");
        if chosen.is_empty() {
            let all = outer.get("COMPOSE_ENV_FILES").filter(|all| !all.is_empty());
            chosen = all.map(|all| all.split(',').map(str::to_owned).collect()).unwrap_or_default();
        }
        let files = if chosen.is_empty() { vec![format!("{dir}/.env")] } else { chosen.clone() };
        let mut env = BTreeMap::new();
        for file in files {
            match client.proc.read_file(file.as_bytes()).await {
                Ok(bytes) => {
                    let read = dotenv::parse(&String::from_utf8_lossy(&bytes.to_vec()), &outer);
                    env.extend(read.map_err(|why| CliError::new(format!("failed to read {file}: {why}")))?);
                }
                Err(_) if chosen.is_empty() => {}
                Err(_) => return Err(CliError::new(format!("couldn't find env file: {file}"))),
            }
        }
        env.extend(outer);
        Ok(env)
    }

    /// Puts what the services' `env_file` hold into their `environment`, which wins.
    ///
    /// # Errors
    /// A file that is not there.
    pub async fn read_env_files(&mut self, client: &Client) -> Answer {
        let names: Vec<String> = self.services.keys().cloned().collect();
        for name in names {
            let Some(service) = self.services.get(&name).filter(|service| service.contains_key("env_file")) else {
                continue;
            };
            let mut all: Map<String, Value> = Map::new();
            all.extend(self.env_of_files(client, service).await?.into_iter().map(|(k, v)| (k, Value::String(v))));
            for (key, value) in pairs(service.get("environment")) {
                let own = value.or_else(|| self.environment.get(&key).cloned());
                all.insert(key, own.map_or(Value::Null, Value::String));
            }
            if let Some(service) = self.services.get_mut(&name) {
                service.remove("env_file");
                service.insert("environment".to_owned(), Value::Object(all));
            }
        }
        Ok(())
    }

    /// The variables of a service's `env_file`; those of a later file win.
    ///
    /// # Errors
    /// A file that is not there or can't be read.
    pub async fn env_of_files(
        &self,
        client: &Client,
        service: &Map<String, Value>,
    ) -> Answer<BTreeMap<String, String>> {
        let files = match service.get("env_file") {
            None => Vec::new(),
            Some(Value::Array(items)) => items.clone(),
            Some(one) => vec![one.clone()],
        };
        let mut all = BTreeMap::new();
        for file in files {
            let is_required = file.get("required").is_none_or(|required| *required != Value::Bool(false));
            let is_raw = file.get("format").map(text).as_deref() == Some("raw");
            let path = file.get("path").map_or_else(|| text(&file), text);
            let path = path::normalize(&path::join(self.dir.as_bytes(), path.as_bytes())).to_string();
            match client.proc.read_file(path.as_bytes()).await {
                Ok(bytes) => {
                    let content = String::from_utf8_lossy(&bytes.to_vec()).into_owned();
                    if is_raw {
                        let lines = content.lines().filter(|line| !line.starts_with('#'));
                        all.extend(
                            lines.filter_map(|line| line.split_once('=')).map(|(k, v)| (k.to_owned(), v.to_owned())),
                        );
                        continue;
                    }
                    let read = dotenv::parse(&content, &self.environment);
                    all.extend(read.map_err(|why| CliError::new(format!("failed to read {path}: {why}")))?);
                }
                Err(_) if !is_required => {}
                Err(_) => return Err(CliError::new(env_file_missing(&path))),
            }
        }
        Ok(all)
    }

    fn check(&self, file: &str, all: &Map<String, Value>) -> Result<(), String> {
        let unknown =
            |path: &str, key: &str| format!("validating {file}: {path}additional properties '{key}' not allowed");
        for key in all.keys() {
            if key == "models" {
                return Err(format!("'{key}' is not simulated in Capas"));
            }
            if !TOP.contains(&key.as_str()) && !key.starts_with("x-") {
                return Err(unknown("", key));
            }
        }
        for kind in ["services", "networks", "volumes", "secrets", "configs"] {
            match all.get(kind) {
                None | Some(Value::Null | Value::Object(_)) => {}
                Some(_) => return Err(format!("validating {file}: {kind} must be a mapping")),
            }
            for (name, value) in all.get(kind).and_then(Value::as_object).into_iter().flatten() {
                if !(value.is_object() || (value.is_null() && kind != "services")) {
                    return Err(format!("validating {file}: {kind}.{name} must be a mapping"));
                }
            }
        }
        for (name, network) in &self.networks {
            for key in ["enable_ipv6", "enable_ipv4"] {
                if network.get(key).is_some_and(|value| *value == Value::Bool(key == "enable_ipv6")) {
                    return Err(format!("networks.{name}.{key} is not simulated in Capas"));
                }
            }
        }
        if self.services.is_empty() {
            return Err("no service selected".to_owned());
        }
        for (name, service) in &self.services {
            for key in service.keys() {
                let key = key.as_str();
                if ABSENT.contains(&key) {
                    return Err(format!("services.{name}.{key} is not simulated in Capas"));
                }
                if !SERVICE.contains(&key) && !SERVICE_MORE.contains(&key) && !key.starts_with("x-") {
                    return Err(unknown(&format!("services.{name} "), key));
                }
            }
            let policy = service.get("pull_policy").map(text).unwrap_or_default();
            if policy.starts_with("every_") || matches!(policy.as_str(), "daily" | "weekly") {
                return Err(format!("services.{name}.pull_policy: {policy} is not simulated in Capas"));
            }
            if !service.contains_key("image") && !service.contains_key("build") {
                return Err(format!(
                    "service {name:?} has neither an image nor a build context specified: invalid compose project"
                ));
            }
            for other in names(service.get("depends_on")) {
                if !self.services.contains_key(&other) {
                    return Err(format!(
                        "service {name:?} depends on undefined service {other:?}: invalid compose project"
                    ));
                }
            }
            for volume in service.get("volumes").and_then(Value::as_array).into_iter().flatten() {
                if let Some(volume) = named_volume(volume).filter(|name| !self.volumes.contains_key(name)) {
                    return Err(format!(
                        "service {name:?} refers to undefined volume {volume}: invalid compose project"
                    ));
                }
            }
            let replicas = service.get("deploy").and_then(|deploy| deploy.get("replicas")).or(service.get("scale"));
            if let (Some(own), Some(2..)) = (service.get("container_name"), replicas.and_then(Value::as_u64)) {
                return Err(format!(
                    "services.deploy.replicas: can't set container_name and {name} as container name must be unique: invalid compose project",
                    name = text(own)
                ));
            }
            for network in names(service.get("networks")) {
                if network != "default" && !self.networks.contains_key(&network) {
                    return Err(format!(
                        "service {name:?} refers to undefined network {network}: invalid compose project"
                    ));
                }
            }
        }
        self.order().map(drop)
    }

    /// Services in the order of their dependencies.
    ///
    /// # Errors
    /// A dependency that leads back to itself.
    pub fn order(&self) -> Result<Vec<String>, String> {
        let mut done: Vec<String> = Vec::new();
        while done.len() < self.services.len() {
            let ready: Vec<String> = (self.services.iter())
                .filter(|(name, service)| {
                    !done.contains(name)
                        && self
                            .needs(service)
                            .iter()
                            .all(|other| done.contains(other) || !self.services.contains_key(other))
                })
                .map(|(name, _)| name.clone())
                .collect();
            if ready.is_empty() {
                return Err(format!("dependency cycle detected: {}", self.cycle(&done).join(" -> ")));
            }
            done.extend(ready);
        }
        Ok(done)
    }

    /// A way from a service back to itself, among those that are not done.
    fn cycle(&self, done: &[String]) -> Vec<String> {
        let mut way: Vec<String> =
            self.services.keys().find(|name| !done.contains(name)).cloned().into_iter().collect();
        while let Some(service) = way.last().and_then(|name| self.services.get(name)) {
            let next =
                self.needs(service).into_iter().find(|name| !done.contains(name) && self.services.contains_key(name));
            let Some(next) = next else { break };
            if let Some(at) = way.iter().position(|name| *name == next) {
                way.drain(..at);
                way.push(next);
                break;
            }
            way.push(next);
        }
        way
    }

    /// What must be there before a service: dependencies, links, shared namespaces.
    pub fn needs(&self, service: &Map<String, Value>) -> Vec<String> {
        let links = texts(service.get("links"));
        let links = links.iter().map(|link| link.split(':').next().unwrap_or_default().to_owned());
        let mode = service.get("network_mode").map(text).unwrap_or_default();
        let shared = mode.strip_prefix("service:").map(str::to_owned);
        names(service.get("depends_on")).into_iter().chain(links).chain(shared).collect()
    }

    /// What a network or volume is called at the daemon, and whether somebody else made it.
    pub fn real_name(&self, section: &BTreeMap<String, Map<String, Value>>, name: &str) -> (String, bool) {
        let entry = section.get(name);
        let external = entry.and_then(|entry| entry.get("external")).is_some_and(|v| *v == Value::Bool(true));
        let own = entry.and_then(|entry| entry.get("name")).map(text);
        let default = if external { name.to_owned() } else { format!("{}_{name}", self.name) };
        (own.unwrap_or(default), external)
    }

    /// The image of a service.
    pub fn image(&self, name: &str, service: &Map<String, Value>) -> String {
        service.get("image").map_or_else(|| format!("{}{}{name}", self.name, self.separator), text)
    }

    /// The networks that services use, by their names in the file.
    pub fn used_networks(&self) -> Vec<String> {
        self.networks_of(&self.services.keys().cloned().collect::<Vec<_>>())
    }

    /// The volumes that some services use, by their names in the file.
    pub fn volumes_of(&self, services: &[String]) -> Vec<String> {
        let own = services.iter().filter_map(|name| self.services.get(name)?.get("volumes")?.as_array());
        own.flatten().filter_map(named_volume).collect()
    }

    /// The networks that some services use, by their names in the file.
    pub fn networks_of(&self, services: &[String]) -> Vec<String> {
        let mut used: Vec<String> = Vec::new();
        let chosen = services.iter().filter_map(|name| self.services.get(name));
        for service in chosen.filter(|service| !service.contains_key("network_mode")) {
            let own = names(service.get("networks"));
            used.extend(if own.is_empty() { vec!["default".to_owned()] } else { own });
        }
        used.arrange();
        used.dedup();
        used
    }
}

/// The name of a volume in an entry of a service's `volumes`, where it is one.
fn named_volume(entry: &Value) -> Option<String> {
    match entry {
        Value::Object(map) if map.get("type").map(text).as_deref() == Some("volume") => map.get("source").map(text),
        Value::String(spec) => {
            let (source, _) = spec.split_once(':')?;
            (!source.starts_with(['/', '.', '~', '\\']) && !source.is_empty()).then(|| source.to_owned())
        }
        _ => None,
    }
}

fn section(all: &Map<String, Value>, name: &str) -> BTreeMap<String, Map<String, Value>> {
    let entries = all.get(name).and_then(Value::as_object).into_iter().flatten();
    entries.map(|(name, value)| (name.clone(), value.as_object().cloned().unwrap_or_default())).collect()
}

/// A later file over an earlier one: maps are merged, lists of a service are joined, the rest is replaced.
pub fn merge(into: &mut Map<String, Value>, from: Map<String, Value>) {
    for (key, value) in from {
        match (into.get_mut(&key), value) {
            (Some(Value::Object(old)), Value::Object(new)) => merge(old, new),
            (Some(Value::Array(old)), Value::Array(new)) if key != "command" && key != "entrypoint" => {
                let more: Vec<Value> = new.into_iter().filter(|item| !old.contains(item)).collect();
                old.extend(more);
            }
            (_, value) => drop(into.insert(key, value)),
        }
    }
}

/// What is said of an `env_file` that is not there (compose-go).
pub fn env_file_missing(path: &str) -> String {
    format!("env file {path} not found: stat {path}: no such file or directory")
}

/// Fills in `$NAME`, `${NAME:-default}` and their like in all texts.
///
/// # Errors
/// A text that is no template, or demands a value.
pub fn interpolate(value: &mut Value, path: &mut Vec<String>, env: &mut Variables<'_>) -> Result<(), String> {
    match value {
        Value::String(text) if text.contains('$') => {
            *text = substitute(text, env, 0)
                .map_err(|why| format!("error while interpolating {}: {why}", path.join(".")))?;
        }
        Value::Array(items) => {
            for item in items {
                path.push("[]".to_owned());
                interpolate(item, path, env)?;
                path.pop();
            }
        }
        Value::Object(map) => {
            for (key, item) in map {
                path.push(key.clone());
                interpolate(item, path, env)?;
                path.pop();
            }
        }
        _ => {}
    }
    Ok(())
}

/// What texts are filled in with, and which names had no value.
pub struct Variables<'a> {
    /// Their values.
    pub env: &'a BTreeMap<String, String>,
    /// Those without one.
    pub unset: &'a mut Vec<String>,
}

impl Variables<'_> {
    /// The value of a name that is used without a default.
    fn plain(&mut self, name: &str) -> &str {
        if !self.env.contains_key(name) && !self.unset.iter().any(|known| known == name) {
            self.unset.push(name.to_owned());
        }
        self.env.get(name).map_or("", String::as_str)
    }
}

pub(super) fn substitute(text: &str, env: &mut Variables<'_>, depth: usize) -> Result<String, String> {
    let bad = || format!("invalid interpolation format for {text:?}. You may need to escape any $ with another $");
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        if let Some(more) = after.strip_prefix('$') {
            out.push('$');
            rest = more;
        } else if let Some(inner) = after.strip_prefix('{') {
            let mut open = 1;
            let end = inner.char_indices().find_map(|(at, c)| {
                open += i32::from(c == '{') - i32::from(c == '}');
                (open == 0).then_some(at)
            });
            let (inner, more) = end.and_then(|at| Some((inner.get(..at)?, inner.get(at + 1..)?))).ok_or_else(bad)?;
            rest = more;
            let split = inner.find(|c| !is_name(c)).unwrap_or(inner.len());
            let (name, how) = inner.split_at_checked(split).ok_or_else(bad)?;
            if name.is_empty() || depth > 8 {
                return Err(bad());
            }
            let (strict, how) = how.strip_prefix(':').map_or((false, how), |how| (true, how));
            let all = env.env;
            let value = all.get(name).filter(|value| !strict || !value.is_empty());
            let mut word = |how: &str| substitute(how.get(1..).unwrap_or_default(), env, depth + 1);
            match (how.chars().next(), value) {
                (None, _) if !strict => out.push_str(env.plain(name)),
                (Some('-'), Some(value)) | (Some('?'), Some(value)) => out.push_str(value),
                (Some('-'), None) => out.push_str(&word(how)?),
                (Some('?'), None) => {
                    return Err(format!("required variable {name} is missing a value: {}", word(how)?));
                }
                (Some('+'), value) => out.push_str(&if value.is_some() { word(how)? } else { String::new() }),
                _ => return Err(bad()),
            }
        } else {
            let split = after.find(|c| !is_name(c)).unwrap_or(after.len());
            let (name, more) = after.split_at_checked(split).ok_or_else(bad)?;
            if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
                return Err(bad());
            }
            out.push_str(env.plain(name));
            rest = more;
        }
    }
    out.push_str(rest);
    Ok(out)
}

/// A warning, as logrus writes it to a terminal or elsewhere.
pub async fn warn(client: &Client, what: &str) {
    if client.proc.tty_of(2).is_some() {
        client.complain(format!("\x1b[33mWARN\x1b[0m[0000] {what} ")).await;
    } else {
        let time = client.now().rfc3339_nano();
        let seconds = time.split(['.', 'Z']).next().unwrap_or_default();
        client.complain(format!("time=\"{seconds}Z\" level=warning msg={what:?}")).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_have_defaults_and_demands() {
        let env: BTreeMap<String, String> =
            [("A", "1"), ("E", "")].into_iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
        let mut unset = Vec::new();
        let mut ok = |text| substitute(text, &mut Variables { env: &env, unset: &mut unset }, 0).unwrap();
        assert_eq!(ok("$A-${A}-${B:-x${A}}-${E-y}-${E:-z}-$$A"), "1-1-x1--z-$A");
        assert_eq!(ok("$B${C}$B${D:-}"), "");
        assert_eq!(unset, ["B", "C"]);
        let mut fail = |text| substitute(text, &mut Variables { env: &env, unset: &mut unset }, 0).unwrap_err();
        assert_eq!(fail("${B:?need it}"), "required variable B is missing a value: need it");
        assert!(fail("${").contains("invalid interpolation format"));
    }

    #[test]
    fn project_names_are_plain() {
        assert_eq!(normalized("Mi App_1"), "miapp_1");
        assert_eq!(normalized("_x"), "x");
    }
}
