//! `docker system info`.

use serde_json::{Value, json};

use crate::base::size::bytes_size;
use crate::docker::cli::client::{Client, Running};
use crate::docker::cli::command::*;
use crate::docker::cli::commands::root::version::show;
use crate::docker::cli::compose::COMPOSE_VERSION;
use crate::docker::cli::config::{Config, HUB};
use crate::docker::cli::connection;
use crate::docker::cli::parse::Invocation;
use crate::docker::cli::value::Kind::*;
use crate::docker::cli::{BUILDX_VERSION, CLIENT_API_VERSION, CLIENT_BUILT, CLIENT_COMMIT, CLIENT_GO, CLIENT_VERSION};

/// `docker system info`.
pub static COMMAND: Command = Command {
    usage: "[OPTIONS]",
    short: "Display system-wide information",
    alias_line: "docker system info, docker info",
    flags: &[&[flag('f', "format", Text, FORMAT)]],
    verb: Verb::Run(run),
    ..Command::new("info")
};

/// The client's plugins: name, description, version.
const PLUGINS: [(&str, &str, &str); 2] =
    [("buildx", "Docker Buildx", BUILDX_VERSION), ("compose", "Docker Compose", COMPOSE_VERSION)];
const PLUGIN_FOLDER: &str = "/usr/libexec/docker/cli-plugins";

fn run<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        if let Err(error) = connection::reach(client, "Get v1.50/info") {
            if given.string("format").is_none_or(|format| format.is_empty()) {
                let text = format!(
                    "Client:\n Version:    {CLIENT_VERSION}\n Context:    default\n Debug Mode: false\n\nServer:\n"
                );
                client.print(text).await?;
            }
            return Err(error);
        }
        let mut info = client.daemon.info();
        if let Some(format) = given.string("format").filter(|format| !format.is_empty()) {
            if let Some(fields) = info.as_object_mut() {
                fields.insert("ClientInfo".to_owned(), client_document());
            }
            return show(client, &format, &info, "system.dockerInfo").await;
        }
        let user = Config::read(client).await.credentials(HUB).map(|account| account.username).unwrap_or_default();
        client.print(text(&info, &user)).await
    })
}

fn client_document() -> Value {
    json!({
        "Debug": false,
        "Version": CLIENT_VERSION,
        "DefaultAPIVersion": CLIENT_API_VERSION,
        "GitCommit": CLIENT_COMMIT,
        "GoVersion": CLIENT_GO,
        "Os": "linux",
        "Arch": "amd64",
        "BuildTime": CLIENT_BUILT,
        "Context": "default",
        "Plugins": PLUGINS.map(|(name, description, version)| json!({
            "SchemaVersion": "0.1.0",
            "Vendor": "Docker Inc.",
            "Version": version,
            "ShortDescription": description,
            "Name": name,
            "Path": format!("{PLUGIN_FOLDER}/docker-{name}"),
        })),
        "Warnings": null,
    })
}

/// What a line shows: its title, where the value is in the document, and whether it is left out when it is empty.
const LINES: [(&str, &str); 35] = [
    ("Server:", ""),
    (" Containers:", "/Containers"),
    ("  Running:", "/ContainersRunning"),
    ("  Paused:", "/ContainersPaused"),
    ("  Stopped:", "/ContainersStopped"),
    (" Images:", "/Images"),
    (" Server Version:", "/ServerVersion"),
    (" Storage Driver:", "/Driver"),
    ("  *", "/DriverStatus"),
    (" Logging Driver:", "/LoggingDriver"),
    (" Cgroup Driver:", "/CgroupDriver"),
    (" Cgroup Version:", "/CgroupVersion"),
    (" Plugins:", ""),
    ("  Volume:", "/Plugins/Volume"),
    ("  Network:", "/Plugins/Network"),
    ("  Log:", "/Plugins/Log"),
    (" Swarm:", "/Swarm/LocalNodeState"),
    (" Runtimes:", "/Runtimes"),
    (" Default Runtime:", "/DefaultRuntime"),
    (" Init Binary:", "/InitBinary"),
    (" containerd version:", "/ContainerdCommit/ID"),
    (" runc version:", "/RuncCommit/ID"),
    (" init version:", "/InitCommit/ID"),
    (" Security Options:", ""),
    ("  =", "/SecurityOptions"),
    (" Kernel Version:", "/KernelVersion"),
    (" Operating System:", "/OperatingSystem"),
    (" OSType:", "/OSType"),
    (" Architecture:", "/Architecture"),
    (" CPUs:", "/NCPU"),
    (" Total Memory:", "/MemTotal"),
    (" Name:", "/Name"),
    (" ID:", "/ID"),
    (" Docker Root Dir:", "/DockerRootDir"),
    (" Debug Mode:", "/Debug"),
];

/// docker/cli `cli/command/system/info.go`, `prettyPrintInfo`.
fn text(info: &Value, user: &str) -> String {
    let mut out =
        format!("Client:\n Version:    {CLIENT_VERSION}\n Context:    default\n Debug Mode: false\n Plugins:\n");
    for (name, description, version) in PLUGINS {
        out.push_str(&format!(
            "  {name}: {description} (Docker Inc.)\n    Version:  {version}\n    Path:     {PLUGIN_FOLDER}/docker-{name}\n"
        ));
    }
    out.push('\n');
    for (title, pointer) in LINES {
        let value = info.pointer(pointer).filter(|_| !pointer.is_empty());
        let line = match (title, value) {
            ("  *", Some(Value::Array(pairs))) => {
                pairs.iter().map(|p| format!("  {}: {}\n", plain(&p[0]), plain(&p[1]))).collect()
            }
            ("  =", Some(Value::Array(options))) => options.iter().map(|option| security(&plain(option))).collect(),
            (" Total Memory:", Some(bytes)) => format!("{title} {}\n", bytes_size(bytes.as_u64().unwrap_or(0))),
            (_, Some(value)) => format!("{title} {}\n", plain(value)),
            (_, None) => format!("{title}\n"),
        };
        out.push_str(&line);
    }
    if info.pointer("/Debug") == Some(&Value::Bool(true)) {
        for (title, pointer) in [("System Time", "/SystemTime"), ("EventsListeners", "/NEventsListener")] {
            out.push_str(&format!("  {title}: {}\n", info.pointer(pointer).map(plain).unwrap_or_default()));
        }
    }
    if !user.is_empty() {
        out.push_str(&format!(" Username: {user}\n"));
    }
    let list = |pointer: &str| -> Vec<String> {
        info.pointer(pointer).and_then(Value::as_array).into_iter().flatten().map(plain).collect()
    };
    let open = info.pointer("/RegistryConfig/IndexConfigs").and_then(Value::as_object).into_iter().flatten();
    let open = open.filter(|(_, config)| config.pointer("/Secure") == Some(&Value::Bool(false)));
    let mut insecure: Vec<String> = open.map(|(name, _)| name.clone()).collect();
    insecure.extend(list("/RegistryConfig/InsecureRegistryCIDRs"));
    let yes = |pointer: &str| info.pointer(pointer).map(plain).unwrap_or_default();
    out.push_str(&block("Labels", &list("/Labels")));
    out.push_str(&format!(" Experimental: {}\n", yes("/ExperimentalBuild")));
    out.push_str(&block("Insecure Registries", &insecure));
    out.push_str(&block("Registry Mirrors", &list("/RegistryConfig/Mirrors")));
    out + &format!(" Live Restore Enabled: {}\n\n", yes("/LiveRestoreEnabled"))
}

/// A list below its title; nothing when it is empty.
fn block(title: &str, lines: &[String]) -> String {
    if lines.is_empty() { String::new() } else { format!(" {title}:\n  {}\n", lines.join("\n  ")) }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(" "),
        Value::Object(map) => map.keys().cloned().collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}

/// `name=seccomp,profile=builtin`.
fn security(option: &str) -> String {
    let mut out = String::new();
    for (key, value) in option.split(',').filter_map(|pair| pair.split_once('=')) {
        out.push_str(&match key {
            "name" => format!("  {value}\n"),
            "profile" => format!("   Profile: {value}\n"),
            _ => format!("   {key}: {value}\n"),
        });
    }
    out
}
