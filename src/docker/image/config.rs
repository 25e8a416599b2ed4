//! Image configs: the JSON document whose SHA-256 is the image's id.
//!
//! Fields are written in the order and with the omissions of the tool that made the image, so that the bytes are
//! those a real daemon would hash. A config that was read keeps its own bytes: an id never changes by being loaded.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::base::base64;
use crate::base::digest::{ChainId, DiffId, Digest, ImageId};
use crate::base::time::Timestamp;

/// The field of BuildKit's inline cache (`exporter/containerimage/writer.go` `patchImageConfig`): base64, as Go writes bytes.
const INLINE_CACHE: &str = "moby.buildkit.cache.v0";

/// Who wrote a config, which decides its fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The classic builder and `docker commit` (moby `image/image.go` over `api/types/container/config.go`).
    Classic,
    /// BuildKit (moby/docker-image-spec `specs-go/v1/image.go`).
    BuildKit,
}

/// A health check (moby/docker-image-spec `HealthcheckConfig`). Times are nanoseconds; 0 inherits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Healthcheck {
    /// `NONE`, or `CMD` and arguments, or `CMD-SHELL` and a command.
    pub test: Vec<String>,
    /// Time between checks.
    pub interval_nanos: i64,
    /// Time until a check counts as hung.
    pub timeout_nanos: i64,
    /// Time in which failures don't count.
    pub start_period_nanos: i64,
    /// Time between checks during the start period.
    pub start_interval_nanos: i64,
    /// Consecutive failures until unhealthy.
    pub retries: i64,
}

/// What a container starts with (moby `api/types/container/config.go`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContainerConfig {
    /// Host name.
    pub hostname: String,
    /// Domain name.
    pub domainname: String,
    /// User name or uid, with an optional `:group`.
    pub user: String,
    /// Whether standard input is attached.
    pub attach_stdin: bool,
    /// Whether standard output is attached.
    pub attach_stdout: bool,
    /// Whether standard error is attached.
    pub attach_stderr: bool,
    /// Ports as `80/tcp`.
    pub exposed_ports: BTreeSet<String>,
    /// Whether there is a terminal.
    pub tty: bool,
    /// Whether standard input is open.
    pub open_stdin: bool,
    /// Whether standard input closes after the first client.
    pub stdin_once: bool,
    /// `NAME=value` words, in order.
    pub env: Vec<String>,
    /// The command, or the arguments of the entrypoint. `Some([])` differs from `None` only in the JSON.
    pub cmd: Option<Vec<String>>,
    /// The health check.
    pub healthcheck: Option<Healthcheck>,
    /// Set by BuildKit next to CMD and ENTRYPOINT.
    pub args_escaped: bool,
    /// The image this was created from.
    pub image: String,
    /// Mount points of anonymous volumes.
    pub volumes: BTreeSet<String>,
    /// The working directory.
    pub working_dir: String,
    /// The entrypoint.
    pub entrypoint: Option<Vec<String>>,
    /// Instructions to run in builds on top of this.
    pub on_build: Vec<String>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// The signal that stops a container.
    pub stop_signal: String,
    /// Seconds until a stop becomes a kill.
    pub stop_timeout_seconds: Option<i64>,
    /// The shell of shell forms; empty means `/bin/sh -c`.
    pub shell: Vec<String>,
}

impl ContainerConfig {
    /// The value of an environment variable.
    pub fn env(&self, name: &str) -> Option<&str> {
        self.env.iter().rev().find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
    }

    /// Sets an environment variable in its place, or at the end.
    pub fn set_env(&mut self, name: &str, value: &str) {
        let word = format!("{name}={value}");
        match self.env.iter_mut().find(|old| old.split('=').next() == Some(name)) {
            Some(old) => *old = word,
            None => self.env.push(word),
        }
    }

    /// The JSON value, fields in order.
    pub fn to_value(&self, form: Form) -> Value {
        let mut out = Fields(Map::new());
        match form {
            Form::Classic => self.classic(&mut out),
            Form::BuildKit => self.buildkit(&mut out),
        }
        Value::Object(out.0)
    }

    fn classic(&self, out: &mut Fields) {
        out.put("Hostname", self.hostname.clone());
        out.put("Domainname", self.domainname.clone());
        out.put("User", self.user.clone());
        out.put("AttachStdin", self.attach_stdin);
        out.put("AttachStdout", self.attach_stdout);
        out.put("AttachStderr", self.attach_stderr);
        out.put_if(!self.exposed_ports.is_empty(), "ExposedPorts", set(&self.exposed_ports));
        out.put("Tty", self.tty);
        out.put("OpenStdin", self.open_stdin);
        out.put("StdinOnce", self.stdin_once);
        out.put("Env", null_if_empty(&self.env));
        out.put("Cmd", self.cmd.clone());
        self.put_healthcheck(out);
        out.put_if(self.args_escaped, "ArgsEscaped", true);
        out.put("Image", self.image.clone());
        out.put("Volumes", if self.volumes.is_empty() { Value::Null } else { set(&self.volumes) });
        out.put("WorkingDir", self.working_dir.clone());
        out.put("Entrypoint", self.entrypoint.clone());
        out.put("OnBuild", null_if_empty(&self.on_build));
        out.put("Labels", if self.labels.is_empty() { Value::Null } else { table(&self.labels) });
        out.put_text("StopSignal", &self.stop_signal);
        out.put_if(self.stop_timeout_seconds.is_some(), "StopTimeout", self.stop_timeout_seconds);
        out.put_if(!self.shell.is_empty(), "Shell", self.shell.clone());
    }

    fn buildkit(&self, out: &mut Fields) {
        out.put_text("User", &self.user);
        out.put_if(!self.exposed_ports.is_empty(), "ExposedPorts", set(&self.exposed_ports));
        out.put_if(!self.env.is_empty(), "Env", self.env.clone());
        let some = |list: &Option<Vec<String>>| list.as_ref().is_some_and(|l| !l.is_empty());
        out.put_if(some(&self.entrypoint), "Entrypoint", self.entrypoint.clone());
        out.put_if(some(&self.cmd), "Cmd", self.cmd.clone());
        out.put_if(!self.volumes.is_empty(), "Volumes", set(&self.volumes));
        out.put_text("WorkingDir", &self.working_dir);
        out.put_if(!self.labels.is_empty(), "Labels", table(&self.labels));
        out.put_text("StopSignal", &self.stop_signal);
        out.put_if(self.args_escaped, "ArgsEscaped", true);
        self.put_healthcheck(out);
        out.put_if(!self.on_build.is_empty(), "OnBuild", self.on_build.clone());
        out.put_if(!self.shell.is_empty(), "Shell", self.shell.clone());
    }

    fn put_healthcheck(&self, out: &mut Fields) {
        let Some(check) = &self.healthcheck else { return };
        let mut fields = Fields(Map::new());
        fields.put_if(!check.test.is_empty(), "Test", check.test.clone());
        for (name, value) in [
            ("Interval", check.interval_nanos),
            ("Timeout", check.timeout_nanos),
            ("StartPeriod", check.start_period_nanos),
            ("StartInterval", check.start_interval_nanos),
            ("Retries", check.retries),
        ] {
            fields.put_if(value != 0, name, value);
        }
        out.put("Healthcheck", Value::Object(fields.0));
    }

    /// Reads what either form wrote.
    pub fn from_value(value: &Value) -> Result<Self, ConfigError> {
        let from = Reader::new(value)?;
        let healthcheck = match from.value("Healthcheck") {
            None => None,
            Some(check) => {
                let check = Reader::new(check)?;
                Some(Healthcheck {
                    test: check.texts("Test")?.unwrap_or_default(),
                    interval_nanos: check.number("Interval")?.unwrap_or(0),
                    timeout_nanos: check.number("Timeout")?.unwrap_or(0),
                    start_period_nanos: check.number("StartPeriod")?.unwrap_or(0),
                    start_interval_nanos: check.number("StartInterval")?.unwrap_or(0),
                    retries: check.number("Retries")?.unwrap_or(0),
                })
            }
        };
        Ok(Self {
            hostname: from.text("Hostname")?,
            domainname: from.text("Domainname")?,
            user: from.text("User")?,
            attach_stdin: from.flag("AttachStdin")?,
            attach_stdout: from.flag("AttachStdout")?,
            attach_stderr: from.flag("AttachStderr")?,
            exposed_ports: from.keys("ExposedPorts")?,
            tty: from.flag("Tty")?,
            open_stdin: from.flag("OpenStdin")?,
            stdin_once: from.flag("StdinOnce")?,
            env: from.texts("Env")?.unwrap_or_default(),
            cmd: from.texts("Cmd")?,
            healthcheck,
            args_escaped: from.flag("ArgsEscaped")?,
            image: from.text("Image")?,
            volumes: from.keys("Volumes")?,
            working_dir: from.text("WorkingDir")?,
            entrypoint: from.texts("Entrypoint")?,
            on_build: from.texts("OnBuild")?.unwrap_or_default(),
            labels: from.table("Labels")?,
            stop_signal: from.text("StopSignal")?,
            stop_timeout_seconds: from.number("StopTimeout")?,
            shell: from.texts("Shell")?.unwrap_or_default(),
        })
    }
}

/// One line of `docker history` (OCI image spec, `config.md`, "history").
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    /// When.
    pub created: Option<Timestamp>,
    /// The instruction, in its builder's words.
    pub created_by: String,
    /// Who, as MAINTAINER says.
    pub author: String,
    /// `buildkit.dockerfile.v0`, or a commit's message.
    pub comment: String,
    /// Whether there is no layer for this line.
    pub empty_layer: bool,
}

impl History {
    /// The JSON value, fields in order.
    pub fn to_value(&self) -> Value {
        let mut out = Fields(Map::new());
        out.put_if(self.created.is_some(), "created", self.created.map(Timestamp::rfc3339_nano));
        out.put_text("author", &self.author);
        out.put_text("created_by", &self.created_by);
        out.put_text("comment", &self.comment);
        out.put_if(self.empty_layer, "empty_layer", true);
        Value::Object(out.0)
    }
}

/// An image's config document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImageConfig {
    /// `amd64`.
    pub architecture: String,
    /// `v8`, for some architectures.
    pub variant: String,
    /// `linux`.
    pub os: String,
    /// Who.
    pub author: String,
    /// A commit's message.
    pub comment: String,
    /// What containers start with.
    pub config: ContainerConfig,
    /// The id of the container that was committed (classic builder).
    pub container: String,
    /// The config of that container (classic builder).
    pub container_config: Option<ContainerConfig>,
    /// When.
    pub created: Option<Timestamp>,
    /// The daemon's version (classic builder).
    pub docker_version: String,
    /// How, oldest first.
    pub history: Vec<History>,
    /// BuildKit's inline cache: a JSON list of what made which layer, or nothing.
    pub inline_cache: Vec<u8>,
    /// The layers, lowest first.
    pub diff_ids: Vec<DiffId>,
}

impl ImageConfig {
    /// The chain id of the whole stack; `None` for an image without layers.
    pub fn chain_id(&self) -> Option<ChainId> {
        ChainId::of(&self.diff_ids)
    }

    /// The document's bytes. Both writers sort the top level (moby `Image.MarshalJSON`, `patchImageConfig`).
    pub fn to_json(&self, form: Form) -> Vec<u8> {
        let mut out = Fields(Map::new());
        out.put_text("architecture", &self.architecture);
        out.put_text("author", &self.author);
        out.put_text("comment", &self.comment);
        out.put("config", self.config.to_value(form));
        if form == Form::Classic {
            out.put_text("container", &self.container);
            out.put("container_config", self.container_config.clone().unwrap_or_default().to_value(form));
        }
        out.put("created", self.created.map(Timestamp::rfc3339_nano));
        if form == Form::Classic {
            out.put_text("docker_version", &self.docker_version);
        }
        out.put_if(!self.history.is_empty(), "history", self.history.iter().map(History::to_value).collect::<Vec<_>>());
        let cache = &self.inline_cache;
        out.put_if(form == Form::BuildKit && !cache.is_empty(), INLINE_CACHE, base64::encode(cache));
        out.put("os", self.os.clone());
        let mut rootfs = Fields(Map::new());
        rootfs.put("type", "layers");
        let diff_ids: Vec<String> = self.diff_ids.iter().map(ToString::to_string).collect();
        rootfs.put_if(form == Form::BuildKit || !diff_ids.is_empty(), "diff_ids", null_if_empty(&diff_ids));
        out.put("rootfs", Value::Object(rootfs.0));
        out.put_text("variant", &self.variant);
        go_json(&Value::Object(out.0))
    }

    /// Reads a config document.
    pub fn from_json(bytes: &[u8]) -> Result<Self, ConfigError> {
        let value: Value = serde_json::from_slice(bytes).map_err(|_| ConfigError::Json)?;
        let from = Reader::new(&value)?;
        let created = |from: &Reader<'_>| -> Result<Option<Timestamp>, ConfigError> {
            match from.text("created")?.as_str() {
                "" => Ok(None),
                text => Timestamp::parse_rfc3339(text).map(Some).ok_or(ConfigError::Field("created")),
            }
        };
        let mut history = Vec::new();
        for line in from.list("history")? {
            let line = Reader::new(line)?;
            history.push(History {
                created: created(&line)?,
                created_by: line.text("created_by")?,
                author: line.text("author")?,
                comment: line.text("comment")?,
                empty_layer: line.flag("empty_layer")?,
            });
        }
        let diff_ids = match from.value("rootfs") {
            None => return Err(ConfigError::NoRootFs),
            Some(rootfs) => Reader::new(rootfs)?.texts("diff_ids")?.unwrap_or_default(),
        };
        let diff_ids = diff_ids.iter().map(|id| id.parse()).collect::<Result<Vec<DiffId>, _>>();
        let config_of = |name| from.value(name).map(ContainerConfig::from_value).transpose();
        Ok(Self {
            architecture: from.text("architecture")?,
            variant: from.text("variant")?,
            os: from.text("os")?,
            author: from.text("author")?,
            comment: from.text("comment")?,
            config: config_of("config")?.unwrap_or_default(),
            container: from.text("container")?,
            container_config: config_of("container_config")?,
            created: created(&from)?,
            docker_version: from.text("docker_version")?,
            history,
            // What is no cache hinders nobody from loading an image.
            inline_cache: from
                .text(INLINE_CACHE)
                .ok()
                .and_then(|text| base64::decode(text.as_bytes()))
                .unwrap_or_default(),
            diff_ids: diff_ids.map_err(|_| ConfigError::Field("diff_ids"))?,
        })
    }
}

/// An image: a config document and its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    id: ImageId,
    bytes: Arc<[u8]>,
    config: Arc<ImageConfig>,
}

impl Image {
    /// Writes `config` and names it.
    pub fn new(config: ImageConfig, form: Form) -> Self {
        let bytes = config.to_json(form);
        Self { id: ImageId(Digest::of(&bytes)), bytes: bytes.into(), config: Arc::new(config) }
    }

    /// Reads a config document and keeps its bytes.
    pub fn from_json(bytes: &[u8]) -> Result<Self, ConfigError> {
        let config = ImageConfig::from_json(bytes)?;
        Ok(Self { id: ImageId(Digest::of(bytes)), bytes: bytes.into(), config: Arc::new(config) })
    }

    /// The SHA-256 of the config document.
    pub fn id(&self) -> ImageId {
        self.id
    }

    /// The config document.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The config document, read.
    pub fn config(&self) -> &ImageConfig {
        &self.config
    }
}

/// A document that is no image config.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// No JSON, or no object where one is needed.
    #[error("invalid image config: not a JSON object")]
    Json,
    /// A field of the wrong type.
    #[error("invalid image config: bad value of field {0}")]
    Field(&'static str),
    /// moby `image/image.go`, `NewFromJSON`.
    #[error("invalid image JSON, no RootFS key")]
    NoRootFs,
}

/// Writes a value as Go's `encoding/json` does: compact, with `<`, `>`, `&` and two line separators escaped.
pub fn go_json(value: &Value) -> Vec<u8> {
    // These characters occur in JSON only inside strings, so they can be replaced in the text.
    let text = value.to_string();
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("\\u003c"),
            '>' => out.push_str("\\u003e"),
            '&' => out.push_str("\\u0026"),
            '\u{2028}' => out.push_str("\\u2028"),
            '\u{2029}' => out.push_str("\\u2029"),
            _ => out.push(c),
        }
    }
    out.into_bytes()
}

struct Fields(Map<String, Value>);

impl Fields {
    fn put(&mut self, name: &str, value: impl Into<Value>) {
        self.0.insert(name.to_owned(), value.into());
    }

    fn put_if(&mut self, condition: bool, name: &str, value: impl Into<Value>) {
        if condition {
            self.put(name, value);
        }
    }

    fn put_text(&mut self, name: &str, value: &str) {
        self.put_if(!value.is_empty(), name, value);
    }
}

fn null_if_empty(list: &[String]) -> Value {
    if list.is_empty() { Value::Null } else { list.to_vec().into() }
}

fn set(names: &BTreeSet<String>) -> Value {
    names.iter().map(|name| (name.clone(), Value::Object(Map::new()))).collect::<Map<_, _>>().into()
}

fn table(table: &BTreeMap<String, String>) -> Value {
    table.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect::<Map<_, _>>().into()
}

/// Reads fields; `null` counts as absent, as in Go.
struct Reader<'a>(&'a Map<String, Value>);

impl<'a> Reader<'a> {
    fn new(value: &'a Value) -> Result<Self, ConfigError> {
        value.as_object().map(Self).ok_or(ConfigError::Json)
    }

    fn value(&self, name: &str) -> Option<&'a Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    fn read<T>(&self, name: &'static str, read: fn(&'a Value) -> Option<T>) -> Result<Option<T>, ConfigError> {
        self.value(name).map(|value| read(value).ok_or(ConfigError::Field(name))).transpose()
    }

    fn text(&self, name: &'static str) -> Result<String, ConfigError> {
        Ok(self.read(name, Value::as_str)?.unwrap_or_default().to_owned())
    }

    fn flag(&self, name: &'static str) -> Result<bool, ConfigError> {
        Ok(self.read(name, Value::as_bool)?.unwrap_or_default())
    }

    fn number(&self, name: &'static str) -> Result<Option<i64>, ConfigError> {
        self.read(name, Value::as_i64)
    }

    fn list(&self, name: &'static str) -> Result<&'a [Value], ConfigError> {
        Ok(self.read(name, |value| value.as_array().map(Vec::as_slice))?.unwrap_or_default())
    }

    fn texts(&self, name: &'static str) -> Result<Option<Vec<String>>, ConfigError> {
        self.read(name, |value| value.as_array()?.iter().map(|text| text.as_str().map(ToOwned::to_owned)).collect())
    }

    fn keys(&self, name: &'static str) -> Result<BTreeSet<String>, ConfigError> {
        Ok(self.read(name, |value| Some(value.as_object()?.keys().cloned().collect()))?.unwrap_or_default())
    }

    fn table(&self, name: &'static str) -> Result<BTreeMap<String, String>, ConfigError> {
        let read = |value: &'a Value| {
            value.as_object()?.iter().map(|(k, v)| Some((k.clone(), v.as_str()?.to_owned()))).collect()
        };
        Ok(self.read(name, read)?.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> ImageConfig {
        let mut config = ContainerConfig { cmd: Some(vec!["sh".into()]), ..ContainerConfig::default() };
        config.set_env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        ImageConfig {
            architecture: "amd64".into(),
            os: "linux".into(),
            config,
            created: Some(Timestamp::from_date(2022, 1, 5)),
            history: vec![
                History { created_by: "ADD file:1 in / ".into(), ..History::default() },
                History { created_by: "CMD [\"sh\"] && <x>".into(), empty_layer: true, ..History::default() },
            ],
            diff_ids: vec![DiffId(Digest::of(b"layer"))],
            ..ImageConfig::default()
        }
    }

    #[test]
    fn each_builder_has_its_own_fields() {
        let classic = String::from_utf8(sample().to_json(Form::Classic)).unwrap();
        assert!(classic.starts_with(
            r#"{"architecture":"amd64","config":{"Hostname":"","Domainname":"","User":"","AttachStdin":false,"AttachStdout":false,"AttachStderr":false,"Tty":false,"OpenStdin":false,"StdinOnce":false,"Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],"Cmd":["sh"],"Image":"","Volumes":null,"WorkingDir":"","Entrypoint":null,"OnBuild":null,"Labels":null},"container_config":{"Hostname":"#
        ), "{classic}");
        let buildkit = String::from_utf8(sample().to_json(Form::BuildKit)).unwrap();
        assert_eq!(
            buildkit,
            r#"{"architecture":"amd64","config":{"Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],"Cmd":["sh"]},"created":"2022-01-05T00:00:00Z","history":[{"created_by":"ADD file:1 in / "},{"created_by":"CMD [\"sh\"] \u0026\u0026 \u003cx\u003e","empty_layer":true}],"os":"linux","rootfs":{"type":"layers","diff_ids":["sha256:LAYER"]}}"#
                .replace("sha256:LAYER", &DiffId(Digest::of(b"layer")).to_string())
        );
    }

    #[test]
    fn reading_what_was_written_gives_the_same_image() {
        for form in [Form::Classic, Form::BuildKit] {
            let mut config = sample();
            config.config.labels.insert("a".into(), "b".into());
            config.config.volumes.insert("/data".into());
            if form == Form::BuildKit {
                config.inline_cache = b"[{}]".to_vec();
            }
            config.config.exposed_ports.insert("80/tcp".into());
            config.config.healthcheck =
                Some(Healthcheck { test: vec!["NONE".into()], retries: 3, ..Healthcheck::default() });
            let image = Image::new(config, form);
            let read = Image::from_json(image.bytes()).unwrap();
            assert_eq!(read.id(), image.id());
            assert_eq!(read.config().to_json(form), image.bytes());
        }
    }

    #[test]
    fn what_is_no_config_is_refused() {
        assert_eq!(Image::from_json(b"{"), Err(ConfigError::Json));
        assert_eq!(Image::from_json(b"[]"), Err(ConfigError::Json));
        assert_eq!(Image::from_json(b"{}"), Err(ConfigError::NoRootFs));
        assert_eq!(Image::from_json(br#"{"rootfs":{"diff_ids":["x"]}}"#), Err(ConfigError::Field("diff_ids")));
        assert_eq!(Image::from_json(br#"{"os":3,"rootfs":{}}"#), Err(ConfigError::Field("os")));
    }

    #[test]
    fn env_is_replaced_in_place() {
        let mut config = sample().config;
        config.set_env("A", "1");
        config.set_env("PATH", "/bin");
        assert_eq!(config.env, ["PATH=/bin", "A=1"]);
        assert_eq!(config.env("A"), Some("1"));
        assert_eq!(config.env("B"), None);
    }
}
