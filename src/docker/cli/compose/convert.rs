//! A service as the words of `docker create` and `docker build`.

use crate::base::sort::Arrange;
use serde_json::{Map, Value};

use super::COMPOSE_VERSION;
use super::project::{Project, names, pairs, text, texts};
use crate::base::digest::Digest;
use crate::base::path;
use crate::docker::cli::client::{Answer, Client};
use crate::docker::cli::commands::ROOT;
use crate::docker::cli::create;
use crate::docker::cli::error::CliError;
use crate::docker::cli::parse::{self, Invocation};
use crate::docker::cli::value::parse_bytes;
use crate::docker::daemon::api::container::CreateRequest;

/// What of a service is a size in bytes.
const SIZES: [&str; 4] = ["mem_limit", "mem_reservation", "memswap_limit", "shm_size"];
/// The prefix of compose's labels.
pub const LABEL: &str = "com.docker.compose";

/// Reads words of the docker client that compose made.
///
/// # Errors
/// What the client would say of them.
pub fn invocation(client: &Client, words: &[String]) -> Answer<Invocation> {
    let words: Vec<_> = words.iter().map(|word| word.as_str().into()).collect();
    parse::parse(&ROOT, &words, &client.screen()).map_err(|stop| {
        let text = String::from_utf8_lossy(&stop.err).into_owned();
        let first = text.lines().next().unwrap_or_default();
        CliError::new(first.trim_start_matches("docker: ").to_owned())
    })
}

/// Words of a shell-like text: quotes and backslashes (mattn/go-shellwords).
pub fn shell_words(text: &str) -> Vec<String> {
    let (mut out, mut word, mut any, mut quote) = (Vec::new(), String::new(), false, None);
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (None, '\'' | '"') => (quote, any) = (Some(c), true),
            (Some(q), _) if q == c => quote = None,
            (None | Some('"'), '\\') => {
                word.extend(chars.next());
                any = true;
            }
            (None, c) if c.is_whitespace() => {
                if any {
                    out.push(std::mem::take(&mut word));
                }
                any = false;
            }
            (_, c) => {
                word.push(c);
                any = true;
            }
        }
    }
    if any {
        out.push(word);
    }
    out
}

/// A command or entrypoint: a list, or a text that is cut into words.
fn command(value: &Value) -> Vec<String> {
    match value {
        Value::String(line) => shell_words(line),
        other => texts(Some(other)),
    }
}

/// What the service's containers are made from, so that a change is seen.
pub fn config_hash(service: &Map<String, Value>) -> String {
    let mut sorted = service.clone();
    for name in ["build", "pull_policy", "deploy", "scale", "depends_on", "profiles"] {
        sorted.remove(name);
    }
    sorted.sort_keys();
    Digest::of(Value::Object(sorted).to_string().as_bytes()).hex()
}

impl Project {
    /// A path of the file, which is relative to the project's directory.
    pub fn path(&self, text: &str) -> String {
        path::normalize(&path::join(self.dir.as_bytes(), text.as_bytes())).to_string()
    }

    /// A volume of a service as `-v` has it.
    fn volume(&self, client: &Client, value: &Value) -> Result<Vec<String>, String> {
        let Value::Object(map) = value else {
            let spec = text(value);
            let Some((source, rest)) = spec.split_once(':') else { return Ok(vec!["-v".to_owned(), spec]) };
            return Ok(vec!["-v".to_owned(), format!("{}:{rest}", self.source(client, source)?)]);
        };
        let field = |name: &str| map.get(name).map(text).unwrap_or_default();
        let (kind, target) = (field("type"), field("target"));
        let read_only = if map.get("read_only") == Some(&Value::Bool(true)) { ":ro" } else { "" };
        Ok(match kind.as_str() {
            "tmpfs" => vec!["--tmpfs".to_owned(), target],
            _ if field("source").is_empty() => vec!["-v".to_owned(), target],
            "bind" => vec!["-v".to_owned(), format!("{}:{target}{read_only}", self.path(&field("source")))],
            _ => vec!["-v".to_owned(), format!("{}:{target}{read_only}", self.source(client, &field("source"))?)],
        })
    }

    fn source(&self, client: &Client, source: &str) -> Result<String, String> {
        if let Some(rest) = source.strip_prefix("~/") {
            return Ok(format!("{}/{rest}", client.home()));
        }
        if source.starts_with(['.', '/']) {
            return Ok(self.path(source));
        }
        if !self.volumes.contains_key(source) {
            return Err(format!("undefined volume {source}: invalid compose project"));
        }
        Ok(self.real_name(&self.volumes, source).0)
    }

    /// The ports of a service as `-p` has them.
    pub fn ports(&self, name: &str) -> Vec<String> {
        let ports = self.services.get(name).and_then(|service| service.get("ports")).and_then(Value::as_array);
        ports.into_iter().flatten().map(Self::port).collect()
    }

    fn port(value: &Value) -> String {
        let Value::Object(map) = value else { return text(value) };
        let field = |name: &str| map.get(name).map(text).filter(|text| !text.is_empty());
        let mut out = field("host_ip").map(|ip| format!("{ip}:")).unwrap_or_default();
        match field("published") {
            Some(published) => out.push_str(&format!("{published}:")),
            None if !out.is_empty() => out.push(':'),
            None => {}
        }
        out.push_str(&field("target").unwrap_or_default());
        out.push_str(&field("protocol").map(|protocol| format!("/{protocol}")).unwrap_or_default());
        out
    }

    /// The name of a service's container.
    pub fn container_name(&self, name: &str, number: usize) -> String {
        let own = self.services.get(name).and_then(|service| service.get("container_name"));
        let between = self.separator;
        own.map_or_else(|| format!("{}{between}{name}{between}{number}", self.name), text)
    }

    /// The flags of `docker create` or `run` for a service, without a name and ports.
    fn flags(&self, client: &Client, name: &str, service: &Map<String, Value>) -> Result<Vec<String>, String> {
        let mut words: Vec<String> = Vec::new();
        let mut put = |flag: &str, value: String| words.extend([flag.to_owned(), value]);
        for (key, value) in pairs(service.get("environment")) {
            put("-e", value.map_or_else(|| key.clone(), |value| format!("{key}={value}")));
        }
        for (key, value) in pairs(service.get("labels")) {
            put("--label", format!("{key}={}", value.unwrap_or_default()));
        }
        let limits = |name: &str| service.get("deploy")?.get("resources")?.get("limits")?.get(name).map(text);
        let plain = [
            ("restart", "--restart"),
            ("working_dir", "-w"),
            ("user", "-u"),
            ("hostname", "-h"),
            ("domainname", "--domainname"),
            ("stop_signal", "--stop-signal"),
            ("mem_limit", "--memory"),
            ("mem_reservation", "--memory-reservation"),
            ("cpus", "--cpus"),
            ("cpu_shares", "--cpu-shares"),
            ("cpuset", "--cpuset-cpus"),
            ("pids_limit", "--pids-limit"),
            ("pid", "--pid"),
            ("shm_size", "--shm-size"),
            ("platform", "--platform"),
        ];
        for (key, flag) in plain {
            if let Some(value) = service.get(key).map(text).filter(|value| !value.is_empty()) {
                put(flag, value);
            }
        }
        for (limit, flag) in [("memory", "--memory"), ("cpus", "--cpus"), ("pids", "--pids-limit")] {
            if let Some(value) = limits(limit) {
                put(flag, value);
            }
        }
        if let Some(time) = service.get("stop_grace_period").map(text) {
            let nanos = crate::docker::cli::value::parse_duration(&time)
                .map_err(|why| format!("services.{name}.stop_grace_period: {why}"))?;
            put("--stop-timeout", (nanos / 1_000_000_000).to_string());
        }
        for (key, flag) in [
            ("cap_add", "--cap-add"),
            ("cap_drop", "--cap-drop"),
            ("devices", "--device"),
            ("dns", "--dns"),
            ("dns_search", "--dns-search"),
            ("expose", "--expose"),
            ("group_add", "--group-add"),
            ("security_opt", "--security-opt"),
            ("tmpfs", "--tmpfs"),
        ] {
            texts(service.get(key)).into_iter().for_each(|value| put(flag, value));
        }
        for host in pairs(service.get("extra_hosts")) {
            put("--add-host", host.1.map_or_else(|| host.0.clone(), |address| format!("{}:{address}", host.0)));
        }
        for (key, value) in service.get("ulimits").and_then(Value::as_object).into_iter().flatten() {
            let side = |side: &str| value.get(side).map(text);
            let limit =
                side("soft").zip(side("hard")).map_or_else(|| text(value), |(soft, hard)| format!("{soft}:{hard}"));
            put("--ulimit", format!("{key}={limit}"));
        }
        if let Some(driver) = service.get("logging").and_then(|logging| logging.get("driver")) {
            put("--log-driver", text(driver));
        }
        for (key, value) in pairs(service.get("logging").and_then(|logging| logging.get("options"))) {
            put("--log-opt", format!("{key}={}", value.unwrap_or_default()));
        }
        for (kind, default, section) in [("secrets", "/run/secrets/", &self.secrets), ("configs", "/", &self.configs)] {
            for item in service.get(kind).and_then(Value::as_array).into_iter().flatten() {
                let source = item.get("source").map_or_else(|| text(item), text);
                let target = item.get("target").map_or_else(|| source.clone(), text);
                let file = section.get(&source).and_then(|entry| entry.get("file")).map(text);
                let file = file.ok_or_else(|| {
                    format!("services.{name}.{kind}.{source}: other than from a file is not simulated in Capas")
                })?;
                let target = if target.starts_with('/') { target } else { format!("{default}{target}") };
                put("-v", format!("{}:{target}:ro", self.path(&file)));
            }
        }
        for (key, flag) in [
            ("tty", "-t"),
            ("stdin_open", "-i"),
            ("privileged", "--privileged"),
            ("read_only", "--read-only"),
            ("init", "--init"),
        ] {
            if service.get(key) == Some(&Value::Bool(true)) {
                words.push(flag.to_owned());
            }
        }
        for volume in service.get("volumes").and_then(Value::as_array).into_iter().flatten() {
            words.extend(self.volume(client, volume)?);
        }
        Ok(words)
    }

    /// The networks of a service as `--network` has them; `aliases` are the container's further names there.
    fn network_flags(&self, name: &str, service: &Map<String, Value>, aliases: &[String]) -> Vec<String> {
        if let Some(mode) = service.get("network_mode").map(text) {
            let mode = match mode.strip_prefix("service:") {
                Some(other) => format!("container:{}", self.container_name(other, 1)),
                None => mode,
            };
            return vec!["--network".to_owned(), mode];
        }
        let mut own = names(service.get("networks"));
        if own.is_empty() {
            own.push("default".to_owned());
        }
        let mut words = Vec::new();
        for network in own {
            let settings = service.get("networks").and_then(|networks| networks.get(&network));
            let mut spec = format!("name={}", self.real_name(&self.networks, &network).0);
            let more = texts(settings.and_then(|settings| settings.get("aliases")));
            for alias in aliases.iter().chain([&name.to_owned()]).chain(&more) {
                spec.push_str(&format!(",alias={alias}"));
            }
            if let Some(ip) = settings.and_then(|settings| settings.get("ipv4_address")) {
                spec.push_str(&format!(",ip={}", text(ip)));
            }
            words.extend(["--network".to_owned(), spec]);
        }
        words
    }

    /// The request that makes a container of a service. `run` is the command of `compose run`, whose container is one-off.
    ///
    /// # Errors
    /// What the docker client or compose finds wrong.
    pub async fn request(
        &self,
        client: &Client,
        name: &str,
        container: &str,
        number: usize,
        run: Option<(&[String], &[String])>,
    ) -> Answer<(Invocation, CreateRequest)> {
        let missing = || CliError::new(format!("no such service: {name}"));
        let service = self.services.get(name).ok_or_else(missing)?;
        let mut words = vec!["create".to_owned(), "--name".to_owned(), container.to_owned()];
        let own = pairs(service.get("environment"));
        for (key, value) in self.env_of_files(client, service).await? {
            if !own.iter().any(|(other, _)| *other == key) {
                words.extend(["-e".to_owned(), format!("{key}={value}")]);
            }
        }
        words.extend(self.flags(client, name, service).map_err(CliError::new)?);
        let aliases = if run.is_some() { Vec::new() } else { vec![container.to_owned()] };
        words.extend(self.network_flags(name, service, &aliases));
        if run.is_none() {
            words.extend(self.ports(name).into_iter().flat_map(|port| ["-p".to_owned(), port]));
        }
        for link in texts(service.get("links")) {
            let (other, alias) = link.split_once(':').unwrap_or((&link, &link));
            words.extend(["--link".to_owned(), format!("{}:{alias}", self.container_name(other, 1))]);
        }
        let needs = names(service.get("depends_on"));
        let need = |name: &String| {
            let entry = service.get("depends_on").and_then(|needs| needs.get(name));
            let restart = entry.and_then(|entry| entry.get("restart")) == Some(&Value::Bool(true));
            format!("{name}:{}:{restart}", self.condition(service, name))
        };
        let labels = [
            ("config-hash", config_hash(service)),
            ("container-number", number.to_string()),
            ("depends_on", needs.iter().map(need).collect::<Vec<_>>().join(",")),
            ("oneoff", if run.is_some() { "True" } else { "False" }.to_owned()),
            ("project", self.name.clone()),
            ("project.config_files", self.files.clone()),
            ("project.working_dir", self.dir.clone()),
            ("service", name.to_owned()),
            ("version", COMPOSE_VERSION.trim_start_matches('v').to_owned()),
        ];
        words.extend(labels.iter().flat_map(|(key, value)| ["--label".to_owned(), format!("{LABEL}.{key}={value}")]));
        words.extend(run.map(|(flags, _)| flags.to_vec()).unwrap_or_default());
        words.push(self.image(name, service));
        match run.map(|(_, command)| command).filter(|command| !command.is_empty()) {
            Some(own) => words.extend(own.iter().cloned()),
            None => words.extend(service.get("command").map(command).unwrap_or_default()),
        }
        let given = invocation(client, &words)?;
        let mut request = create::request(client, &given).await.map_err(CliError::new)?;
        if let Some(entrypoint) = service.get("entrypoint").filter(|_| !given.changed("entrypoint")) {
            request.config.entrypoint = Some(command(entrypoint));
        }
        if let Some(check) = service.get("healthcheck").and_then(Value::as_object) {
            request.config.healthcheck = Some(healthcheck(check).map_err(CliError::new)?);
        }
        Ok((given, request))
    }

    /// A service as `config` shows it: what is short is written out.
    pub fn canonical(&self, service: &Map<String, Value>) -> Value {
        let mut out = service.clone();
        let object = |all: Vec<(String, Value)>| Value::Object(all.into_iter().collect());
        if service.contains_key("environment") {
            let mut all = pairs(service.get("environment"));
            all.arrange();
            let one = |(key, value): (String, Option<String>)| (key, value.map_or(Value::Null, Value::String));
            out.insert("environment".to_owned(), object(all.into_iter().map(one).collect()));
        }
        for key in ["command", "entrypoint"] {
            let words = service.get(key).map(command).map(|words| words.into_iter().map(Value::String).collect());
            out.insert(key.to_owned(), words.map_or(Value::Null, Value::Array));
        }
        // Sizes are texts of bytes there.
        if let Some(Value::Object(limits)) =
            out.get_mut("deploy").and_then(|deploy| deploy.pointer_mut("/resources/limits"))
            && let Some(bytes) = limits.get("memory").and_then(|size| parse_bytes(&text(size)).ok())
        {
            limits.insert("memory".to_owned(), bytes.to_string().into());
        }
        for key in SIZES {
            if let Some(bytes) = service.get(key).and_then(|size| parse_bytes(&text(size)).ok()) {
                out.insert(key.to_owned(), bytes.to_string().into());
            }
        }
        if let Some(build) = service.get("build") {
            let mut build = build
                .as_object()
                .cloned()
                .unwrap_or_else(|| [("context".to_owned(), build.clone())].into_iter().collect());
            let context = build.get("context").map_or_else(|| ".".to_owned(), text);
            build.insert("context".to_owned(), self.path(&context).into());
            build.entry("dockerfile").or_insert_with(|| "Dockerfile".into());
            out.insert("build".to_owned(), Value::Object(build));
        }
        if service.get("depends_on").is_some_and(Value::is_array) {
            let one = |name: String| {
                let how = [("condition".to_owned(), "service_started".into()), ("required".to_owned(), true.into())];
                (name, object(how.into()))
            };
            out.insert(
                "depends_on".to_owned(),
                object(names(service.get("depends_on")).into_iter().map(one).collect()),
            );
        }
        if !service.contains_key("network_mode") {
            let mut own = names(service.get("networks"));
            if own.is_empty() {
                own.push("default".to_owned());
            }
            let settings =
                |name: &String| service.get("networks").and_then(|n| n.get(name)).cloned().unwrap_or_default();
            let all = own.iter().map(|name| (name.clone(), settings(name))).collect();
            out.insert("networks".to_owned(), object(all));
        }
        let ports = service.get("ports").and_then(Value::as_array).into_iter().flatten();
        let ports: Vec<Value> =
            ports.map(|port| if port.is_object() { port.clone() } else { port_document(&text(port)) }).collect();
        if !ports.is_empty() {
            out.insert("ports".to_owned(), ports.into());
        }
        let volumes = service.get("volumes").and_then(Value::as_array).into_iter().flatten();
        let volumes: Vec<Value> =
            volumes.map(|v| if v.is_object() { v.clone() } else { self.volume_document(&text(v)) }).collect();
        if !volumes.is_empty() {
            out.insert("volumes".to_owned(), volumes.into());
        }
        out.sort_keys();
        Value::Object(out)
    }

    fn volume_document(&self, spec: &str) -> Value {
        let mut parts = spec.split(':');
        let (first, second, mode) = (parts.next().unwrap_or_default(), parts.next(), parts.next());
        let mut out = Map::new();
        let mut put = |key: &str, value: Value| drop(out.insert(key.to_owned(), value));
        let is_path = first.starts_with(['.', '/', '~']) && second.is_some();
        put("type", if is_path { "bind" } else { "volume" }.into());
        if let Some(target) = second {
            put("source", if is_path { self.path(first) } else { first.to_owned() }.into());
            put("target", target.into());
        } else {
            put("target", first.into());
        }
        if mode.is_some_and(|mode| mode.split(',').any(|flag| flag == "ro")) {
            put("read_only", true.into());
        }
        put(
            if is_path { "bind" } else { "volume" },
            if is_path { serde_json::json!({"create_host_path": true}) } else { Value::Object(Map::new()) },
        );
        Value::Object(out)
    }

    /// What a service waits for in another.
    pub fn condition(&self, service: &Map<String, Value>, other: &str) -> String {
        let own = service.get("depends_on").and_then(|all| all.get(other)).and_then(|one| one.get("condition"));
        own.map_or_else(|| "service_started".to_owned(), text)
    }

    /// The words of `docker build` for a service that is built.
    pub fn build_words(&self, name: &str, no_cache: bool, pull: bool, more: &[String]) -> Option<Vec<String>> {
        let service = self.services.get(name)?;
        let build = service.get("build")?;
        let field = |key: &str| build.get(key);
        let context = field("context").map_or_else(|| build.as_str().unwrap_or(".").to_owned(), text);
        let context = if context.contains("://") { context } else { self.path(&context) };
        let mut words = vec!["build".to_owned(), "-t".to_owned(), self.image(name, service)];
        if let Some(file) = field("dockerfile").map(text) {
            let file = if file.starts_with('/') { file } else { format!("{context}/{file}") };
            words.extend(["-f".to_owned(), file]);
        }
        for (key, flag) in [("args", "--build-arg"), ("labels", "--label")] {
            for (key, value) in pairs(field(key)) {
                words.extend([flag.to_owned(), value.map_or_else(|| key.clone(), |value| format!("{key}={value}"))]);
            }
        }
        for (key, flag) in [("target", "--target"), ("network", "--network")] {
            words.extend(field(key).into_iter().flat_map(|value| [flag.to_owned(), text(value)]));
        }
        for tag in texts(field("tags")) {
            words.extend(["-t".to_owned(), tag]);
        }
        words.extend(no_cache.then(|| "--no-cache".to_owned()));
        words.extend(pull.then(|| "--pull".to_owned()));
        words.extend(more.iter().cloned());
        words.push(context);
        Some(words)
    }
}

fn port_document(spec: &str) -> Value {
    let (rest, protocol) = spec.split_once('/').unwrap_or((spec, "tcp"));
    let mut parts = rest.rsplitn(3, ':');
    let (target, published, ip) = (parts.next().unwrap_or_default(), parts.next(), parts.next());
    let mut out = Map::new();
    out.insert("mode".to_owned(), "ingress".into());
    out.extend(ip.map(|ip| ("host_ip".to_owned(), ip.into())));
    out.insert("target".to_owned(), target.parse::<u16>().map_or_else(|_| target.into(), Value::from));
    out.extend(published.map(|port| ("published".to_owned(), port.into())));
    out.insert("protocol".to_owned(), protocol.into());
    Value::Object(out)
}

fn healthcheck(check: &Map<String, Value>) -> Result<crate::docker::image::config::Healthcheck, String> {
    let time = |name: &str| match check.get(name) {
        Some(value) => crate::docker::cli::value::parse_duration(&text(value)),
        None => Ok(0),
    };
    let test = match check.get("test") {
        _ if check.get("disable") == Some(&Value::Bool(true)) => vec!["NONE".to_owned()],
        Some(Value::String(line)) => vec!["CMD-SHELL".to_owned(), line.clone()],
        other => texts(other),
    };
    Ok(crate::docker::image::config::Healthcheck {
        test,
        interval_nanos: time("interval")?,
        timeout_nanos: time("timeout")?,
        start_period_nanos: time("start_period")?,
        start_interval_nanos: time("start_interval")?,
        retries: check.get("retries").and_then(Value::as_i64).unwrap_or(0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_cut_like_a_shell_cuts_them() {
        assert_eq!(shell_words("sh -c 'echo \"a b\"' x\\ y \"\""), ["sh", "-c", "echo \"a b\"", "x y", ""]);
    }
}
