//! `docker image build`.
//!
//! The client's part: it finds the Dockerfile, reads the context, asks the daemon and shows what it tells. Progress is
//! docker/buildx's on standard error; with `DOCKER_BUILDKIT=0` it is the classic client's on standard output.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bstr::BString;

use super::build_cache;
use super::build_output::{self, Output};
use crate::base::path;
use crate::base::rope::Rope;
use crate::base::size::human_size;
use crate::docker::build::context::{self, ContextError};
use crate::docker::build::progress::{self, Display, Mode, REFRESH_MILLIS, Size};
use crate::docker::cli::client::{Answer, Client, Queue, Running, beside};
use crate::docker::cli::command::*;
use crate::docker::cli::error::CliError;
use crate::docker::cli::parse::Invocation;
use crate::docker::cli::value::Kind::*;
use crate::docker::cli::value::check_platform;
use crate::docker::daemon::api::build::{
    BuildContext, BuildEvent, BuildFailure, BuildOutcome, BuildRequest, BuildSink, BuilderVersion, NamedContext,
};
use crate::docker::dockerfile::quote::go_quote;
use crate::docker::image::reference::Reference;
use crate::docker::registry::git::Remote;
use crate::os::fs::layer::Change;
use crate::os::fs::node::{Content, Entry, Kind as FileKind, Meta};
use crate::os::fs::packed::Packing;
use crate::os::kernel::signal::{Disposition, Signal};

/// docker/cli `cmd/docker/builder.go`.
const DEPRECATED: &str = "DEPRECATED: The legacy builder is deprecated and will be removed in a future release.
            BuildKit is currently disabled; enable it by removing the DOCKER_BUILDKIT=0
            environment-variable.
";

/// docker/buildx `driver.MultiPlatform`: what the docker driver can't do without containerd's image store.
const MULTI_PLATFORM: &str = "ERROR: Multi-platform build is not supported for the docker driver.
Switch to a different driver, or turn on the containerd image store, and try again.
Learn more at https://docs.docker.com/go/build-multi-platform/";

/// Bytes of a key that are looked at.
const MAX_KEY_BYTES: u64 = 64 << 10;
/// The largest secret (BuildKit `secretsprovider/store.go` `MaxSecretSize`).
const MAX_SECRET_BYTES: u64 = 500 * 1024;

/// A flag that Docker does not have.
pub const EXPLAIN: Flag = long(
    "explain-cache",
    Bool(false),
    "Tell of every step whether the cache had it, and why not (Capas only, not in Docker)",
);

/// `docker image build`.
pub static COMMAND: Command = Command {
    usage: "[OPTIONS] PATH | URL | -",
    short: "Build an image from a Dockerfile",
    alias_line: "docker image build, docker build, docker builder build",
    flags: &[&[
        long("add-host", HostIp, "Add a custom host-to-IP mapping (\"host:ip\")"),
        long("build-arg", List, "Set build-time variables"),
        long("cache-from", Strings, "Images to consider as cache sources"),
        long("cgroup-parent", Text, "Set the parent cgroup for the \"RUN\" instructions during build").not_simulated(),
        long("compress", Bool(false), "Compress the build context using gzip"),
        long("cpu-period", Int, "Limit the CPU CFS (Completely Fair Scheduler) period").not_simulated(),
        long("cpu-quota", Int, "Limit the CPU CFS (Completely Fair Scheduler) quota").not_simulated(),
        flag('c', "cpu-shares", Int, "CPU shares (relative weight)").not_simulated(),
        long("cpuset-cpus", Text, "CPUs in which to allow execution (0-3, 0,1)").not_simulated(),
        long("cpuset-mems", Text, "MEMs in which to allow execution (0-3, 0,1)").not_simulated(),
        long("disable-content-trust", Bool(true), "Skip image verification (default true)"),
        flag('f', "file", Text, "Name of the Dockerfile (Default is \"PATH/Dockerfile\")"),
        long("force-rm", Bool(false), "Always remove intermediate containers"),
        long("iidfile", Text, "Write the image ID to the file"),
        long("isolation", Text, "Container isolation technology").not_simulated(),
        long("label", Label, "Set metadata for an image"),
        flag('m', "memory", Bytes, "Memory limit").not_simulated(),
        long("memory-swap", SwapBytes, "Swap limit equal to memory plus swap: -1 to enable unlimited swap")
            .not_simulated(),
        long("network", Text, "Set the networking mode for the RUN instructions during build (default \"default\")"),
        long("no-cache", Bool(false), "Do not use cache when building the image"),
        long("platform", Text, "Set platform if server is multi-platform capable"),
        long("pull", Bool(false), "Always attempt to pull a newer version of the image"),
        flag('q', "quiet", Bool(false), "Suppress the build output and print image ID on success"),
        long("rm", Bool(true), "Remove intermediate containers after a successful build (default true)"),
        long("security-opt", Strings, "Security options").not_simulated(),
        long("shm-size", Bytes, "Size of \"/dev/shm\"").not_simulated(),
        long("squash", Bool(false), "Squash newly built layers into a single new layer").not_simulated(),
        flag('t', "tag", Tag, "Name and optionally a tag in the \"name:tag\" format"),
        long("target", Text, "Set the target build stage to build."),
        long("ulimit", Ulimit, "Ulimit options (default [])").not_simulated(),
        // docker/buildx has these; the help is that of the client without it.
        long("progress", Text, "Set type of progress output (\"auto\", \"quiet\", \"plain\", \"tty\", \"rawjson\")")
            .hidden(),
        long("secret", List, "Secret to expose to the build (format: \"id=mysecret[,src=/local/secret]\")").hidden(),
        long("load", Bool(false), "Shorthand for \"--output=type=docker\"").hidden(),
        long("check", Bool(false), "Shorthand for \"--call=check\"").hidden(),
        long("call", Text, "Set method for evaluating build (\"check\", \"outline\", \"targets\")").hidden(),
        flag('D', "debug", Bool(false), "Enable debug logging").hidden(),
        flag('o', "output", List, "Output destination (format: \"type=local,dest=path\")").hidden(),
        long("push", Bool(false), "Shorthand for \"--output=type=registry,unpack=false\"").hidden(),
        long("metadata-file", Text, "Write build result metadata to a file").hidden(),
        long("no-cache-filter", List, "Do not cache specified stages").hidden(),
        long("build-context", List, "Additional build contexts (e.g., name=path)").hidden(),
        long("cache-to", List, "Cache export destinations").hidden(),
        long("builder", Text, "Override the configured builder instance").hidden(),
        long("provenance", Text, "Shorthand for \"--attest=type=provenance\"").hidden(),
        long("sbom", Text, "Shorthand for \"--attest=type=sbom\"").hidden(),
        long("ssh", List, "SSH agent socket or keys to expose to the build").hidden(),
        long("allow", List, "Allow extra privileged entitlement").hidden(),
        long("annotation", List, "Add annotation to the image").hidden().not_simulated(),
        long("attest", List, "Attestation parameters").hidden().not_simulated(),
        EXPLAIN.hidden(),
    ]],
    arity: Arity::Exactly(1),
    verb: Verb::Run(run),
    ..Command::new("build")
};

/// Builds: also what `docker buildx build` does.
pub fn run<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        let platform = given.string("platform").unwrap_or_default();
        let disabled = client.env("DOCKER_BUILDKIT").is_some_and(|value| matches!(value.as_str(), "0" | "false"));
        if platform.contains(',') && !disabled {
            return Err(CliError::new(MULTI_PLATFORM));
        }
        check_platform(&platform).map_err(CliError::new)?;
        let version = if disabled { BuilderVersion::Classic } else { BuilderVersion::BuildKit };
        let quiet = given.bool("quiet");
        let mode = mode(client, given, quiet)?;
        if disabled {
            client.complain(DEPRECATED).await;
        }
        if let Some(name) = given.given().map(|(name, _)| name).find(|name| disabled && BUILDKIT_ONLY.contains(name)) {
            // The client without docker/buildx does not know the flag.
            let usage = "Usage:  docker build [OPTIONS] PATH | URL | -";
            let text = format!("unknown flag: --{name}\n\n{usage}\n\nRun 'docker build --help' for more information");
            return Err(CliError::Says(125, text));
        }
        let mut request = options(client, given, version).await?;
        caches(client, given, &mut request).await?;
        let outputs = outputs(client, given, &mut request)?;
        read(client, given, &mut request).await?;
        let tags = request.tags.clone();
        let (check, name) = (request.check, request.dockerfile_name.clone());
        let text = String::from_utf8_lossy(&request.dockerfile.to_vec()).into_owned();
        let teaching: Rc<RefCell<Vec<BuildEvent>>> = Rc::default();
        let mut told = true;
        let built = match version {
            BuilderVersion::Classic => {
                let (built, has_told) = classic(client, request, quiet, &teaching).await?;
                told = has_told;
                built
            }
            BuilderVersion::BuildKit => {
                let mut display = Display::new(mode);
                if given.debug || given.bool("debug") {
                    display.expand_warnings(&name, &text);
                }
                buildkit(client, request, display, &teaching).await?
            }
        };
        let teaching = teaching.take();
        if given.bool("explain-cache") {
            client.proc.eprint(progress::cache_report(&teaching)).await;
        }
        let outcome = match built {
            Ok(outcome) => outcome,
            Err(failure) if disabled && told => {
                return Err(CliError::Says(u8::try_from(failure.code).unwrap_or(1), failure.message));
            }
            // What is wrong before the first step is no part of the stream (moby `postBuild`, `errf`).
            Err(failure) if disabled => {
                return Err(CliError::new(format!("Error response from daemon: {}", failure.message)));
            }
            Err(failure) => {
                client.proc.eprint(progress::failure(&failure)).await;
                return Err(CliError::Status(u8::try_from(failure.code).unwrap_or(1)));
            }
        };
        if check {
            return report(client, &name, &text, &teaching, &outcome).await;
        }
        for output in &outputs {
            output.deliver(client, &outcome, &tags).await?;
        }
        if let Some(file) = given.string("metadata-file").filter(|_| !disabled) {
            write(client, &file, &build_output::metadata(&outcome, &tags)).await?;
        }
        let id = outcome.image.map(|id| id.to_string()).unwrap_or_default();
        if let Some(file) = given.string("iidfile") {
            write(client, &file, &id).await?;
        }
        if quiet && !id.is_empty() { client.say(id).await } else { Ok(()) }
    })
}

/// What `--check` found, on standard output; an error of the Dockerfile comes last.
async fn report(client: &Client, name: &str, text: &str, events: &[BuildEvent], outcome: &BuildOutcome) -> Answer {
    let mut warnings = Vec::new();
    for event in events {
        if let BuildEvent::Warning { warning, .. } = event {
            warnings.push(warning.clone());
        }
    }
    let failure = outcome.check_failure.as_ref();
    client.print(progress::check_report(name, text, &warnings, failure.is_some())).await?;
    if let Some(failure) = failure {
        if !warnings.is_empty() {
            client.print("\n").await?;
        }
        let excerpt = failure.source.as_ref().map(progress::excerpt).unwrap_or_default();
        client.proc.eprint(format!("ERROR: {}\n{excerpt}\n", failure.message)).await;
    }
    if warnings.is_empty() && failure.is_none() { Ok(()) } else { Err(CliError::Status(1)) }
}

fn not_simulated(what: &str) -> CliError {
    CliError::Says(125, format!("docker: {what} is not simulated in Capas"))
}

async fn write(client: &Client, file: &str, text: &str) -> Answer {
    let written = client.proc.write_file(file.as_bytes(), &Rope::from(text)).await;
    written.map_err(|errno| CliError::new(format!("open {file}: {}", errno.strerror().to_lowercase())))
}

/// Which images' caches are asked, and whether the new one is to have its own.
async fn caches(client: &Client, given: &Invocation, request: &mut BuildRequest) -> Answer {
    if request.version == BuilderVersion::Classic {
        request.cache_from = given.lists("cache-from");
        return Ok(());
    }
    request.cache_from = build_cache::sources(client, &given.strings("cache-from")).await?;
    request.inline_cache = build_cache::is_inline(&given.strings("cache-to"), &request.build_args)?;
    Ok(())
}

/// Where the result goes.
fn outputs(client: &Client, given: &Invocation, request: &mut BuildRequest) -> Answer<Vec<Output>> {
    let mut outputs = Vec::new();
    for text in given.strings("output") {
        outputs.push(Output::parse(&text, &mut request.tags)?);
    }
    if given.bool("push") {
        outputs.push(Output::push());
    }
    // Without containerd's image store there is no place for attestations: `false` is how it is anyway.
    for name in ["provenance", "sbom"] {
        if let Some(value) = given.string(name).filter(|value| !matches!(value.as_str(), "false" | "0")) {
            return Err(not_simulated(&format!("--{name}={value}")));
        }
    }
    for output in &outputs {
        output.check(client)?;
        output.ask(request);
    }
    Ok(outputs)
}

/// Flags that the classic builder's client does not have.
const BUILDKIT_ONLY: [&str; 12] = [
    "check",
    "call",
    "output",
    "push",
    "metadata-file",
    "no-cache-filter",
    "build-context",
    "cache-to",
    "secret",
    "ssh",
    "progress",
    "load",
];

/// How progress is shown.
fn mode(client: &Client, given: &Invocation, quiet: bool) -> Answer<Mode> {
    let chosen = given.string("progress").or_else(|| client.env("BUILDKIT_PROGRESS")).unwrap_or_default();
    Ok(match chosen.as_str() {
        _ if quiet => Mode::Quiet,
        "quiet" => Mode::Quiet,
        "plain" => Mode::Plain,
        "" | "auto" if client.proc.tty_of(2).is_none() => Mode::Plain,
        "" | "auto" | "tty" => Mode::Tty,
        "rawjson" => Mode::RawJson,
        other => return Err(CliError::new(format!("ERROR: invalid progress mode {other}"))),
    })
}

/// What the flags ask for.
async fn options(client: &Client, given: &Invocation, version: BuilderVersion) -> Answer<BuildRequest> {
    let mut request = BuildRequest {
        version,
        target: given.string("target").filter(|target| !target.is_empty()),
        no_cache: given.bool("no-cache"),
        check: given.bool("check"),
        no_cache_filter: given
            .strings("no-cache-filter")
            .iter()
            .flat_map(|n| n.split(',').map(str::to_owned))
            .collect(),
        pull: given.bool("pull"),
        network: given.string("network").filter(|mode| !mode.is_empty()),
        keep_intermediate: !given.bool("rm") && !given.bool("force-rm"),
        ..BuildRequest::default()
    };
    for tag in given.strings("tag") {
        request.tags.push(build_output::tag(&tag)?);
    }
    match given.string("call").unwrap_or_default().as_str() {
        "" | "build" => {}
        "check" | "lint" => request.check = true,
        other => return Err(CliError::Says(125, format!("docker: --call={other} is not simulated in Capas"))),
    }
    for context in given.strings("build-context") {
        let (name, place) = context
            .split_once('=')
            .ok_or_else(|| CliError::new(format!("ERROR: invalid context value: {context}, expected key=value")))?;
        request.contexts.insert(name.to_lowercase(), named_context(client, place)?);
    }
    for arg in given.strings("build-arg") {
        match arg.split_once('=') {
            Some((key, value)) => drop(request.build_args.insert(key.to_owned(), value.to_owned())),
            None => match client.env(&arg) {
                Some(value) => drop(request.build_args.insert(arg, value)),
                None => request.unset_args.push(arg),
            },
        }
    }
    request.extra_hosts = given
        .strings("add-host")
        .iter()
        .map(|host| host.replacen('=', ":", 1).replace("host-gateway", "172.17.0.1"))
        .collect();
    for label in given.strings("label") {
        let (key, value) = label.split_once('=').unwrap_or((&label, ""));
        request.labels.insert(key.to_owned(), value.to_owned());
    }
    for text in given.strings("secret") {
        let (id, content) = secret(client, &text).await?;
        request.secrets.insert(id, content);
    }
    for text in given.strings("ssh") {
        request.ssh.insert(agent(client, &text).await?);
    }
    if version == BuilderVersion::BuildKit {
        entitle(client, given, &mut request)?;
    }
    Ok(request)
}

/// What the build is allowed, and the network that its steps get (docker/buildx `build/opt.go`).
fn entitle(client: &Client, given: &Invocation, request: &mut BuildRequest) -> Answer {
    let builder = given.string("builder").or_else(|| client.env("BUILDX_BUILDER")).unwrap_or_default();
    if !matches!(builder.as_str(), "" | "default") {
        return Err(CliError::new(format!("ERROR: no builder {} found", go_quote(&builder))));
    }
    for name in given.lists("allow") {
        match name.as_str() {
            "network.host" | "security.insecure" => request.allow.push(name),
            _ => return Err(not_simulated(&format!("--allow {name}"))),
        }
    }
    match request.network.as_deref() {
        None | Some("default" | "none") => {}
        Some("host") => request.allow.push("network.host".to_owned()),
        Some(other) => {
            return Err(CliError::new(format!(
                "ERROR: network mode {} not supported by buildkit - you can define a custom network for your builder using the network driver-opt in buildx create",
                go_quote(other)
            )));
        }
    }
    Ok(())
}

/// The id of an agent whose socket or keys are there (docker/buildx `util/buildflags/ssh.go`, BuildKit
/// `session/sshforward/sshprovider/agentprovider.go`). Nothing here speaks to it.
async fn agent(client: &Client, text: &str) -> Answer<String> {
    let fail = |why: String| Err(CliError::new(format!("ERROR: {why}")));
    let (id, paths) = text.split_once('=').unwrap_or((text, ""));
    let id = if id.is_empty() { "default" } else { id };
    let socket = client.env("SSH_AUTH_SOCK").unwrap_or_default();
    let paths: Vec<&str> = match paths {
        "" if socket.is_empty() => {
            return fail("invalid empty ssh agent socket: make sure SSH_AUTH_SOCK is set".to_owned());
        }
        "" => vec![socket.as_str()],
        paths => paths.split(',').collect(),
    };
    for name in paths {
        let Ok(stat) = client.proc.stat(&path::join(&client.proc.cwd(), name.as_bytes())) else {
            return fail(format!("stat {name}: no such file or directory"));
        };
        if stat.kind == FileKind::Socket {
            continue;
        }
        let key = client.read_file(name).await.map_err(|why| CliError::new(format!("ERROR: {why}")))?;
        let key = String::from_utf8_lossy(&key.head(MAX_KEY_BYTES)).into_owned();
        let is_key = key.lines().any(|line| line.starts_with("-----BEGIN ") && line.ends_with(" PRIVATE KEY-----"));
        if !is_key {
            return fail(format!("failed to parse {name}: ssh: no key found"));
        }
    }
    Ok(id.to_owned())
}

/// A secret's name and what it is (docker/buildx `util/buildflags/secrets.go`, BuildKit `secretsprovider/store.go`).
async fn secret(client: &Client, text: &str) -> Answer<(String, Rope)> {
    let fail = |why: String| Err(CliError::new(format!("ERROR: {why}")));
    let (mut kind, mut id, mut file, mut variable) = (String::new(), String::new(), String::new(), String::new());
    for field in text.split(',') {
        let Some((key, value)) = field.split_once('=') else {
            return fail(format!("invalid field '{field}' must be a key=value pair"));
        };
        let key = key.to_lowercase();
        let place = match key.as_str() {
            "type" if !matches!(value, "file" | "env") => {
                return fail(format!("unsupported secret type {}", go_quote(value)));
            }
            "type" => &mut kind,
            "id" => &mut id,
            "source" | "src" => &mut file,
            "env" => &mut variable,
            _ => return fail(format!("unexpected key '{key}' in '{field}'")),
        };
        value.clone_into(place);
    }
    if kind == "env" && variable.is_empty() {
        variable = std::mem::take(&mut file);
    }
    if id.is_empty() {
        return fail("secret missing ID".to_owned());
    }
    if variable.is_empty() && file.is_empty() {
        let name = if client.env(&id).is_some() { &mut variable } else { &mut file };
        name.clone_from(&id);
    }
    if file.is_empty() {
        return Ok((id, Rope::from(client.env(&variable).unwrap_or_default().as_str())));
    }
    if client.proc.stat(&path::join(&client.proc.cwd(), file.as_bytes())).is_err() {
        return fail(format!("failed to stat {file}: stat {file}: no such file or directory"));
    }
    let content = client.read_file(&file).await.map_err(|why| CliError::new(format!("ERROR: {why}")))?;
    if content.len() > MAX_SECRET_BYTES {
        return fail(format!("secret {id} too big. max size 500KB"));
    }
    Ok((id, content))
}

/// What `--build-context` names: an image or a folder.
fn named_context(client: &Client, place: &str) -> Answer<NamedContext> {
    if let Some(image) = place.strip_prefix("docker-image://") {
        let reference = Reference::parse(image).map_err(|error| CliError::new(format!("ERROR: {error}")))?;
        return Ok(NamedContext::Image(reference.with_default_tag()));
    }
    if place.contains("://") {
        return Err(CliError::Says(125, format!("docker: a context from {place} is not simulated in Capas")));
    }
    let folder = path::normalize(&path::join(&client.proc.cwd(), place.as_bytes()));
    if client.proc.stat(&folder).is_err() {
        let why = format!("ERROR: failed to get build context {place}: stat {place}: no such file or directory");
        return Err(CliError::new(why));
    }
    let read = client.proc.mounts(|mounts| Ok(context::from_folder(mounts, &client.proc.caller(), &folder, "", &[])));
    match read {
        Ok(Ok(context)) => Ok(NamedContext::Files(context.files)),
        Ok(Err(why)) => Err(CliError::new(format!("ERROR: {}", context_error(&why, false)))),
        Err(errno) => Err(CliError::new(format!("ERROR: {}", errno.strerror().to_lowercase()))),
    }
}

/// Finds the Dockerfile and reads the context.
async fn read(client: &Client, given: &Invocation, request: &mut BuildRequest) -> Answer {
    let classic = request.version == BuilderVersion::Classic;
    let fail = |why: String| CliError::new(if classic { why } else { format!("ERROR: {why}") });
    let operand = given.operand(0);
    let file = given.string("file").filter(|file| !file.is_empty());
    if operand == "-" {
        return read_stdin(client, file, request, &fail).await;
    }
    let is_address = ["http://", "https://", "git@", "git://", "github.com/", "ssh://"]
        .iter()
        .any(|start| operand.starts_with(start));
    if is_address {
        return remote(&operand, file, request, &fail);
    }
    let folder = path::normalize(&path::join(&client.proc.cwd(), operand.as_bytes()));
    match client.proc.stat(&folder) {
        Err(_) => return Err(fail(format!("unable to prepare context: path {operand:?} not found"))),
        Ok(stat) if !stat.is_dir() => {
            return Err(fail(format!("unable to prepare context: context must be a directory: {folder}")));
        }
        Ok(_) => {}
    }
    let mut at = path::join(&folder, b"Dockerfile");
    match &file {
        Some(file) => at = path::normalize(&path::join(&client.proc.cwd(), file.as_bytes())),
        // The name may be written small.
        None if client.proc.stat(&at).is_err() => {
            let small = path::join(&folder, b"dockerfile");
            if client.proc.stat(&small).is_ok() {
                at = small;
            }
        }
        None => {}
    }
    request.dockerfile_name = path::file_name(&at).to_string();
    if file.as_deref() == Some("-") {
        request.dockerfile_name = "Dockerfile".to_owned();
        request.dockerfile = client.proc.read_all(0).await.unwrap_or_default();
    } else {
        match client.proc.read_file(&at).await {
            Ok(text) => request.dockerfile = text,
            Err(_) if classic => {
                return Err(fail(format!(
                    "unable to prepare context: unable to evaluate symlinks in Dockerfile path: lstat {at}: no such file or directory"
                )));
            }
            Err(_) => request.is_dockerfile_missing = true,
        }
    }
    let inside =
        at.strip_prefix(folder.as_slice()).map(|rest| String::from_utf8_lossy(rest).trim_start_matches('/').to_owned());
    let own = inside.unwrap_or_else(|| request.dockerfile_name.clone());
    let keep: &[&str] = if classic { &[own.as_str(), ".dockerignore"] } else { &[] };
    let read =
        client.proc.mounts(|mounts| Ok(context::from_folder(mounts, &client.proc.caller(), &folder, &own, keep)));
    let read = read.map_err(|errno| fail(errno.strerror().to_lowercase()))?;
    request.context = read.map_err(|why| fail(context_error(&why, classic)))?;
    Ok(())
}

/// A context that is fetched from an address: by BuildKit itself, or by the classic client.
fn remote(
    operand: &str,
    file: Option<String>,
    request: &mut BuildRequest,
    fail: &dyn Fn(String) -> CliError,
) -> Answer {
    let is_git = Remote::parse(operand).is_some();
    let rest = operand.split_once("://").map_or(operand, |(_, rest)| rest);
    let host = rest.split(['/', ':', '?', '#']).next().unwrap_or_default();
    if !is_git && (host == "localhost" || host.starts_with("127.") || host.parse::<std::net::IpAddr>().is_ok()) {
        return Err(not_simulated(&format!("a build from {operand}")));
    }
    if request.version == BuilderVersion::Classic {
        // The student's host has no git.
        return Err(fail(match is_git {
            true => {
                "unable to prepare context: unable to find 'git': exec: \"git\": executable file not found in $PATH"
                    .to_owned()
            }
            false => format!(
                "unable to prepare context: unable to download remote context {operand}: Get {operand:?}: dial tcp: lookup {host}: no such host"
            ),
        }));
    }
    request.dockerfile_name = file.unwrap_or_else(|| "Dockerfile".to_owned());
    request.remote = Some(operand.to_owned());
    Ok(())
}

/// What a client says of a context that it can't read: the classic one looks at all of it before it sends anything
/// (docker/cli `ValidateContextDirectory`), the other one's refusal comes back from BuildKit.
fn context_error(why: &ContextError, classic: bool) -> String {
    match why {
        ContextError::File { call: "lstat", path, .. } if classic => {
            format!("error checking context: can't stat '{path}'")
        }
        ContextError::File { path, .. } if classic => {
            format!("error checking context: no permission to read from '{path}'")
        }
        ContextError::Ignore { problem, .. } if classic => format!("error checking context: {problem}"),
        why => format!("failed to solve: error from sender: {why}"),
    }
}

/// A Dockerfile or a whole context from standard input.
async fn read_stdin(
    client: &Client,
    file: Option<String>,
    request: &mut BuildRequest,
    fail: &dyn Fn(String) -> CliError,
) -> Answer {
    let classic = request.version == BuilderVersion::Classic;
    if file.as_deref() == Some("-") {
        return Err(fail("invalid argument: can't use stdin for both build context and dockerfile".to_owned()));
    }
    let input = client.proc.read_all(0).await.unwrap_or_default();
    let head = input.head(265);
    let is_archive = Packing::of(&head).is_some() || head.get(257..262) == Some(b"ustar");
    if !is_archive {
        if file.is_some() && !classic {
            let why = "ambiguous Dockerfile source: both stdin and flag correspond to Dockerfiles";
            return Err(fail(why.to_owned()));
        }
        request.dockerfile_name = "Dockerfile".to_owned();
        if classic {
            // The client makes an archive with the Dockerfile in it (docker/cli `GetContextFromReader`).
            let entry = Entry::new(Meta::root(0o600, client.proc.now()), Content::File(input.clone()));
            let files = [(BString::from("Dockerfile"), Change::Put(Arc::new(entry)))];
            request.context.files = Arc::new(files.into_iter().collect());
        }
        request.dockerfile = input;
        return Ok(());
    }
    request.dockerfile_name = file.unwrap_or_else(|| "Dockerfile".to_owned());
    request.context = context::from_archive(&input).map_err(|why| fail(why.to_string()))?;
    match request.context.files.get(request.dockerfile_name.as_bytes()) {
        Some(Change::Put(entry)) if entry.content.kind() == FileKind::File => {
            if let Content::File(text) = &entry.content {
                request.dockerfile = text.clone();
            }
        }
        _ => request.is_dockerfile_missing = true,
    }
    Ok(())
}

/// Events on their way to the terminal; those that progress does not show go to `teaching`, and with `check` the warnings.
fn queue(check: bool, teaching: &Rc<RefCell<Vec<BuildEvent>>>) -> (Queue<BuildEvent>, BuildSink) {
    let queue: Queue<BuildEvent> = Rc::default();
    let (sink, teaching) = (Rc::clone(&queue), Rc::clone(teaching));
    let sink = move |event: BuildEvent| match event {
        BuildEvent::Cache { .. } => teaching.borrow_mut().push(event),
        BuildEvent::Warning { .. } if check => teaching.borrow_mut().push(event),
        event => sink.borrow_mut().push(event),
    };
    (queue, Rc::new(sink))
}

type Built = Result<BuildOutcome, BuildFailure>;

async fn buildkit(
    client: &Client,
    request: BuildRequest,
    display: Display,
    teaching: &Rc<RefCell<Vec<BuildEvent>>>,
) -> Answer<Built> {
    let (queue, sink) = queue(request.check, teaching);
    let build = client.daemon.build(request, sink)?;
    let display = RefCell::new(display);
    let size = || match client.proc.tty_of(2) {
        None => Size { width: 80, height: 10 },
        Some(tty) => {
            let size = client.proc.win_size(tty);
            Size { width: usize::from(size.cols), height: usize::from(size.rows) }
        }
    };
    let take = || {
        let events = std::mem::take(&mut *queue.borrow_mut());
        let mut display = display.borrow_mut();
        events.iter().for_each(|event| display.update(event));
    };
    let stopped = Cell::new(false);
    client.proc.on_signal(Signal::INT, Disposition::Handle);
    let show = async {
        loop {
            // A signal that the client handles does not stop its progress.
            let _ = client.proc.sleep(Duration::from_millis(REFRESH_MILLIS)).await;
            stopped.set(stopped.get() || client.proc.take_signal().is_some());
            take();
            let text = display.borrow_mut().refresh(client.now(), size());
            client.proc.eprint(text).await;
        }
    };
    // Dropping the build ends what it runs and gives back what it holds; what it put into the cache stays there.
    let mut build = build;
    let ends = poll_fn(|context| match stopped.get() {
        true => Poll::Ready(Err(canceled())),
        false => build.as_mut().poll(context),
    });
    let built = beside(ends, show).await;
    drop(build);
    client.proc.on_signal(Signal::INT, Disposition::Default);
    take();
    if stopped.get() {
        display.borrow_mut().cancel(client.now());
    }
    let text = display.borrow_mut().finish(client.now(), size());
    client.proc.eprint(text).await;
    Ok(built)
}

/// The failure of a build that was told to stop (BuildKit: a gRPC status; 128 and the signal's number).
fn canceled() -> BuildFailure {
    BuildFailure { message: format!("Canceled: {}", progress::CANCELED), source: None, code: 130 }
}

/// Runs a classic build and shows what it tells; also whether it told anything.
async fn classic(
    client: &Client,
    request: BuildRequest,
    quiet: bool,
    teaching: &Rc<RefCell<Vec<BuildEvent>>>,
) -> Answer<(Built, bool)> {
    if !quiet {
        let size = tar_size_bytes(&request.context);
        // The line of a progress that has ended (moby `pkg/streamformatter` `rawProgressFormatter`).
        client.say(format!("Sending build context to Docker daemon  {}\r\r", human_size(size))).await?;
    }
    let (queue, sink) = queue(false, teaching);
    let build = client.daemon.build(request, sink)?;
    let told = Cell::new(false);
    let write = async || {
        let events = std::mem::take(&mut *queue.borrow_mut());
        for event in &events {
            told.set(told.get() || matches!(event, BuildEvent::Stream(_) | BuildEvent::ErrorStream(_)));
            match event {
                _ if quiet => {}
                BuildEvent::Stream(bytes) => client.print(bytes).await?,
                BuildEvent::ErrorStream(bytes) => client.proc.eprint(bytes).await,
                _ => {}
            }
        }
        Answer::Ok(())
    };
    let show = async {
        loop {
            poll_fn(|_| if queue.borrow().is_empty() { Poll::Pending } else { Poll::Ready(()) }).await;
            if write().await.is_err() {
                return;
            }
        }
    };
    let built = beside(build, show).await;
    write().await?;
    Ok((built, told.get()))
}

/// The size of the context as an archive, which is what the classic client sends.
fn tar_size_bytes(context: &BuildContext) -> u64 {
    context.files.to_tar().len()
}
