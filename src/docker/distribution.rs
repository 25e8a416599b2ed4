//! `registry`, the program of the image `registry:2`: a registry that keeps what is pushed to it in files.
//!
//! It speaks the distribution specification's API (the routes that a daemon and `curl` use) and keeps the layout of
//! distribution's file system driver, `docker/registry/v2/{blobs,repositories}` below its root directory, so that a volume
//! there outlives the container. What is not in those files it does not know. Deleting is off, as in the image's own
//! configuration.

use crate::base::sort::Arrange;
use std::net::Ipv4Addr;

use bstr::ByteSlice;
use serde_json::{Value, json};

use crate::base::digest::Digest;
use crate::base::errno::Errno;
use crate::base::rope::Rope;
use crate::os::fs::node::Kind;
use crate::os::kernel::{Disposition, Fd, Proc, Signal};
use crate::os::userland::http::{Head, percent_decode, read_body, read_head};

const VERSION: &str = "v2.7.1";
/// Folders below each other, at most, in the name of a repository.
const MAX_DEPTH: usize = 16;

/// A registry's settings.
struct Config {
    root: String,
    port: u16,
}

/// What is asked: the name of a repository and what of it.
#[derive(Debug, PartialEq, Eq)]
enum Target<'a> {
    Base,
    Catalog,
    Tags(&'a str),
    Manifest(&'a str, &'a str),
    Blob(&'a str, &'a str),
    /// The upload's number; empty to begin one.
    Upload(&'a str, &'a str),
}

impl<'a> Target<'a> {
    fn parse(path: &'a str) -> Option<Self> {
        let rest = path.strip_prefix("/v2")?;
        match rest.strip_prefix('/').unwrap_or(rest) {
            "" => Some(Self::Base),
            "_catalog" => Some(Self::Catalog),
            rest => {
                if let Some(name) = rest.strip_suffix("/tags/list") {
                    return Some(Self::Tags(name));
                }
                if let Some((name, upload)) = rest.rsplit_once("/blobs/uploads") {
                    return Some(Self::Upload(name, upload.trim_matches('/')));
                }
                if let Some((name, digest)) = rest.rsplit_once("/blobs/") {
                    return Some(Self::Blob(name, digest));
                }
                rest.rsplit_once("/manifests/").map(|(name, reference)| Self::Manifest(name, reference))
            }
        }
    }

    fn name(&self) -> Option<&str> {
        match self {
            Self::Base | Self::Catalog => None,
            Self::Tags(name) | Self::Manifest(name, _) | Self::Blob(name, _) | Self::Upload(name, _) => Some(name),
        }
    }
}

/// What is answered.
struct Answer {
    status: u16,
    reason: &'static str,
    headers: Vec<(&'static str, String)>,
    body: Rope,
}

impl Answer {
    fn new(status: u16, reason: &'static str) -> Self {
        Self { status, reason, headers: Vec::new(), body: Rope::new() }
    }

    fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    fn json(status: u16, reason: &'static str, value: &Value) -> Self {
        let answer = Self::new(status, reason).with("Content-Type", "application/json; charset=utf-8");
        Self { body: format!("{value}\n").as_str().into(), ..answer }
    }

    /// distribution `registry/api/errcode`.
    fn error(status: u16, reason: &'static str, code: &str, message: &str, detail: &Value) -> Self {
        let error = json!({"code": code, "message": message, "detail": detail});
        Self::json(status, reason, &json!({"errors": [error]}))
    }
}

/// `registry serve CONFIG`.
pub async fn main(proc: Proc) -> i32 {
    let args: Vec<String> = proc.args().iter().skip(1).map(|arg| arg.to_str_lossy().into_owned()).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["-v" | "--version"] => {
            // Nobody may be reading.
            let _ = proc.print(format!("registry github.com/docker/distribution {VERSION}\n")).await;
            0
        }
        ["serve", file] => match proc.read_file(file.as_bytes()).await {
            Ok(text) => serve(&proc, &configure(&proc, &text.to_vec().to_str_lossy())).await,
            Err(errno) => {
                let why = errno.strerror().to_lowercase();
                proc.eprint(format!("configuration error: open {file}: {why}\n")).await;
                1
            }
        },
        ["garbage-collect", ..] => {
            proc.eprint("registry: garbage-collect is not simulated in Capas\n").await;
            1
        }
        _ => {
            let usage = "`registry`\n\nUsage:\n  registry [flags]\n  registry [command]\n\nAvailable Commands:\n  garbage-collect `garbage-collect` deletes layers not referenced by any manifests\n  help            Help about any command\n  serve           `serve` stores and distributes Docker images\n";
            proc.eprint(usage).await;
            1
        }
    }
}

/// The two settings that matter here; variables of the environment come before the file.
fn configure(proc: &Proc, text: &str) -> Config {
    let line = |key: &str| {
        let values = text.lines().filter_map(|line| line.trim().strip_prefix(key)?.trim().strip_prefix(':'));
        values.map(|value| value.trim().trim_matches(['"', '\'']).to_owned()).find(|value| !value.is_empty())
    };
    let env = |name: &str| proc.getenv(name).map(|value| value.to_str_lossy().into_owned());
    let root = env("REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY").or_else(|| line("rootdirectory"));
    let address = env("REGISTRY_HTTP_ADDR").or_else(|| line("addr")).unwrap_or_default();
    Config {
        root: root.unwrap_or_else(|| "/var/lib/registry".to_owned()),
        port: address.rsplit(':').next().and_then(|port| port.parse().ok()).unwrap_or(5000),
    }
}

async fn log(proc: &Proc, level: &str, message: &str) {
    let time = proc.now().rfc3339_nano();
    proc.eprint(format!("time=\"{time}\" level={level} msg=\"{message}\" go.version=go1.11.2 version={VERSION}\n"))
        .await;
}

async fn serve(proc: &Proc, config: &Config) -> i32 {
    if proc.listen(Ipv4Addr::UNSPECIFIED, config.port).is_err() {
        log(proc, "fatal", &format!("listen tcp :{}: bind: address already in use", config.port)).await;
        return 1;
    }
    log(proc, "info", &format!("listening on [::]:{}", config.port)).await;
    for signal in [Signal::TERM, Signal::INT] {
        proc.on_signal(signal, Disposition::Handle);
    }
    let files = Files { proc, base: format!("{}/docker/registry/v2", config.root) };
    let mut uploads = 0_u64;
    loop {
        match proc.accept(&[config.port]).await {
            Ok((fd, _, peer)) => {
                // A client that goes away in the middle has no answer.
                let _ = converse(&files, fd, &peer, &mut uploads).await;
                let _ = proc.close(fd);
            }
            // The runtime of Go ends by its signals, with 2.
            Err(Errno::EINTR) if proc.take_signal().is_some() => return 2,
            Err(Errno::EINTR) => {}
            Err(_) => return 1,
        }
    }
}

async fn converse(files: &Files<'_>, fd: Fd, peer: &str, uploads: &mut u64) -> Result<(), Errno> {
    let proc = files.proc;
    let Some(head) = read_head(proc, fd).await? else { return Ok(()) };
    let start = head.start.to_str_lossy().into_owned();
    let mut words = start.split(' ');
    let (method, address) = (words.next().unwrap_or_default(), words.next().unwrap_or("/"));
    let has_body = matches!(method, "PUT" | "POST" | "PATCH");
    let body =
        if has_body && head.get("content-length").is_some() { read_body(proc, fd, &head).await? } else { Rope::new() };
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    let parameter = |name: &str| {
        let values = query.split('&').filter_map(|pair| pair.split_once('='));
        values.filter(|(key, _)| *key == name).map(|(_, v)| percent_decode(v.as_bytes()).to_string()).next()
    };
    let answer = match Target::parse(path) {
        Some(target) if target.name().is_none_or(is_name) => {
            files.answer(method, &target, &head, &body, &parameter, uploads).await
        }
        _ => Ok(Answer::error(404, "Not Found", "NAME_INVALID", "invalid repository name", &Value::Null)),
    };
    let answer = answer.unwrap_or_else(|errno| {
        let detail = json!({"DriverName": "filesystem", "Enclosed": errno.strerror()});
        Answer::error(500, "Internal Server Error", "UNKNOWN", "unknown error", &detail)
    });
    let mut text = format!("HTTP/1.1 {} {}\r\n", answer.status, answer.reason);
    let length = answer.headers.iter().any(|(name, _)| *name == "Content-Length");
    for (name, value) in &answer.headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    if !length {
        text.push_str(&format!("Content-Length: {}\r\n", answer.body.len()));
    }
    text.push_str(
        "Docker-Distribution-Api-Version: registry/2.0\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n",
    );
    let mut whole = Rope::from(text.as_str());
    if method != "HEAD" {
        whole.push(&answer.body);
    }
    proc.write_rope(fd, &whole).await?;
    let agent = head.get("user-agent").map(|agent| agent.to_str_lossy().into_owned()).unwrap_or_default();
    let time = crate::os::userland::date::strftime("%d/%b/%Y:%H:%M:%S +0000", proc.now());
    let line = format!("{peer} - - [{time}] \"{start}\" {} {} \"\" \"{agent}\"\n", answer.status, answer.body.len());
    proc.print(line).await
}

/// distribution `reference.NameRegexp`, near enough to keep paths inside.
fn is_name(name: &str) -> bool {
    let is_part = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
            && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c))
    };
    name.len() < 256 && name.split('/').count() <= MAX_DEPTH && name.split('/').all(is_part)
}

/// A tag, as a file's name.
fn is_tag(tag: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    tag.len() <= 128 && tag.starts_with(is_word) && tag.chars().all(|c| is_word(c) || c == '.' || c == '-')
}

/// The registry's files.
struct Files<'a> {
    proc: &'a Proc,
    base: String,
}

impl Files<'_> {
    async fn answer(
        &self,
        method: &str,
        target: &Target<'_>,
        head: &Head,
        body: &Rope,
        parameter: &impl Fn(&str) -> Option<String>,
        uploads: &mut u64,
    ) -> Result<Answer, Errno> {
        match (method, target) {
            ("GET" | "HEAD", Target::Base) => Ok(Answer::json(200, "OK", &json!({}))),
            ("GET", Target::Catalog) => {
                let mut names = Vec::new();
                self.repositories("", 0, &mut names);
                Ok(Answer::json(200, "OK", &json!({"repositories": names})))
            }
            ("GET", Target::Tags(name)) => Ok(self.tags(name)),
            ("GET" | "HEAD", Target::Manifest(name, reference)) => self.manifest(name, reference).await,
            ("PUT", Target::Manifest(name, reference)) => self.put_manifest(name, reference, body).await,
            ("GET" | "HEAD", Target::Blob(name, digest)) => self.blob(name, digest).await,
            ("POST", Target::Upload(name, "")) => self.begin(name, head, parameter, uploads).await,
            ("PATCH", Target::Upload(name, upload)) => self.append(name, upload, body).await,
            ("PUT", Target::Upload(name, upload)) => self.finish(name, upload, body, parameter("digest")).await,
            _ => {
                let message = "The operation is unsupported.";
                Ok(Answer::error(405, "Method Not Allowed", "UNSUPPORTED", message, &Value::Null))
            }
        }
    }

    fn data(&self, digest: Digest) -> String {
        let hex = digest.hex();
        format!("{}/blobs/sha256/{}/{hex}/data", self.base, hex.get(..2).unwrap_or_default())
    }

    fn repository(&self, name: &str) -> String {
        format!("{}/repositories/{name}", self.base)
    }

    fn layer_link(&self, name: &str, digest: Digest) -> String {
        format!("{}/_layers/sha256/{}/link", self.repository(name), digest.hex())
    }

    fn revision_link(&self, name: &str, digest: Digest) -> String {
        format!("{}/_manifests/revisions/sha256/{}/link", self.repository(name), digest.hex())
    }

    fn tag_link(&self, name: &str, tag: &str) -> String {
        format!("{}/_manifests/tags/{tag}/current/link", self.repository(name))
    }

    /// Writes a file; folders on the way are made.
    async fn put(&self, path: &str, content: &Rope) -> Result<(), Errno> {
        for (at, _) in path.match_indices('/').skip(1) {
            match self.proc.mkdir(path.get(..at).unwrap_or_default().as_bytes(), 0o755) {
                Ok(()) | Err(Errno::EEXIST) => {}
                Err(errno) => return Err(errno),
            }
        }
        self.proc.write_file(path.as_bytes(), content).await
    }

    async fn link(&self, path: &str, digest: Digest) -> Result<(), Errno> {
        self.put(path, &digest.to_string().as_str().into()).await
    }

    fn is_there(&self, path: &str) -> bool {
        self.proc.stat(path.as_bytes()).is_ok()
    }

    fn folders(&self, path: &str) -> Vec<String> {
        let entries = self.proc.readdir(path.as_bytes()).unwrap_or_default();
        let folders = entries.into_iter().filter(|entry| entry.kind == Kind::Dir);
        let mut names: Vec<String> = folders.map(|entry| entry.name.to_string()).collect();
        names.arrange();
        names
    }

    fn repositories(&self, below: &str, depth: usize, names: &mut Vec<String>) {
        if depth > MAX_DEPTH {
            return;
        }
        for part in self.folders(&self.repository(below)) {
            if part == "_manifests" {
                names.push(below.to_owned());
            } else if !part.starts_with('_') {
                let name = if below.is_empty() { part } else { format!("{below}/{part}") };
                self.repositories(&name, depth + 1, names);
            }
        }
    }

    fn tags(&self, name: &str) -> Answer {
        if !self.is_there(&self.repository(name)) {
            let message = "repository name not known to registry";
            return Answer::error(404, "Not Found", "NAME_UNKNOWN", message, &json!({"name": name}));
        }
        let tags = self.folders(&format!("{}/_manifests/tags", self.repository(name)));
        let tags = if tags.is_empty() { Value::Null } else { json!(tags) };
        Answer::json(200, "OK", &json!({"name": name, "tags": tags}))
    }

    async fn manifest(&self, name: &str, reference: &str) -> Result<Answer, Errno> {
        let unknown = |detail: Value| Answer::error(404, "Not Found", "MANIFEST_UNKNOWN", "manifest unknown", &detail);
        let digest = match reference.parse::<Digest>() {
            Ok(digest) => Some(digest).filter(|digest| self.is_there(&self.revision_link(name, *digest))),
            Err(_) if !is_tag(reference) => None,
            Err(_) => {
                let link = self.proc.read_file(self.tag_link(name, reference).as_bytes()).await.unwrap_or_default();
                String::from_utf8_lossy(&link.to_vec()).trim().parse().ok()
            }
        };
        let Some(digest) = digest else { return Ok(unknown(json!({"Tag": reference}))) };
        let body = self.proc.read_file(self.data(digest).as_bytes()).await?;
        let document: Value = serde_json::from_slice(&body.to_vec()).unwrap_or_default();
        let kind = document.get("mediaType").and_then(Value::as_str).unwrap_or("application/json").to_owned();
        let answer = Answer::new(200, "OK").with("Content-Type", kind).with("Etag", format!("\"{digest}\""));
        Ok(Answer { body, ..answer.with("Docker-Content-Digest", digest.to_string()) })
    }

    async fn put_manifest(&self, name: &str, reference: &str, body: &Rope) -> Result<Answer, Errno> {
        let invalid =
            |code: &str, message: &str, detail: Value| Answer::error(400, "Bad Request", code, message, &detail);
        let digest = body.digest();
        let named: Option<Digest> = reference.parse().ok();
        if named.is_some_and(|named| named != digest) {
            return Ok(invalid("DIGEST_INVALID", "provided digest did not match uploaded content", Value::Null));
        }
        if named.is_none() && !is_tag(reference) {
            return Ok(invalid("TAG_INVALID", "manifest tag did not match URI", Value::Null));
        }
        let Ok(document) = serde_json::from_slice::<Value>(&body.to_vec()) else {
            return Ok(invalid("MANIFEST_INVALID", "manifest invalid", json!({})));
        };
        // What it refers to must be here.
        let layers = document.get("layers").and_then(Value::as_array).into_iter().flatten();
        for blob in document.get("config").into_iter().chain(layers) {
            let blob = blob.get("digest").and_then(Value::as_str).unwrap_or_default();
            let is_here = blob.parse().is_ok_and(|digest| self.is_there(&self.layer_link(name, digest)));
            if !is_here {
                let detail = json!({"digest": blob});
                return Ok(invalid("MANIFEST_BLOB_UNKNOWN", "blob unknown to registry", detail));
            }
        }
        self.put(&self.data(digest), body).await?;
        self.link(&self.revision_link(name, digest), digest).await?;
        if named.is_none() {
            let tag = format!("{}/_manifests/tags/{reference}", self.repository(name));
            self.link(&format!("{tag}/index/sha256/{}/link", digest.hex()), digest).await?;
            self.link(&self.tag_link(name, reference), digest).await?;
        }
        let location = format!("/v2/{name}/manifests/{digest}");
        Ok(Answer::new(201, "Created").with("Location", location).with("Docker-Content-Digest", digest.to_string()))
    }

    async fn blob(&self, name: &str, text: &str) -> Result<Answer, Errno> {
        let digest = text.parse().ok().filter(|digest| self.is_there(&self.layer_link(name, *digest)));
        let Some(digest) = digest else {
            let detail = json!({"digest": text});
            return Ok(Answer::error(404, "Not Found", "BLOB_UNKNOWN", "blob unknown to registry", &detail));
        };
        let body = self.proc.read_file(self.data(digest).as_bytes()).await?;
        let answer = Answer::new(200, "OK").with("Content-Type", "application/octet-stream");
        let answer = answer.with("Content-Length", body.len().to_string());
        Ok(Answer { body, ..answer.with("Docker-Content-Digest", digest.to_string()) })
    }

    fn upload(&self, name: &str, upload: &str) -> String {
        format!("{}/_uploads/{upload}/data", self.repository(name))
    }

    fn accepted(head: Option<&Head>, name: &str, upload: &str, length: u64) -> Answer {
        let host = head.and_then(|head| head.get("host")).map(|host| host.to_str_lossy().into_owned());
        let host = host.map_or_else(String::new, |host| format!("http://{host}"));
        Answer::new(202, "Accepted")
            .with("Location", format!("{host}/v2/{name}/blobs/uploads/{upload}"))
            .with("Docker-Upload-Uuid", upload)
            .with("Range", format!("0-{}", length.saturating_sub(1)))
    }

    /// An upload begins, unless the blob can be had from another repository.
    async fn begin(
        &self,
        name: &str,
        head: &Head,
        parameter: &impl Fn(&str) -> Option<String>,
        uploads: &mut u64,
    ) -> Result<Answer, Errno> {
        let mount = parameter("mount").and_then(|digest| digest.parse().ok());
        if let (Some(digest), Some(from)) = (mount, parameter("from").filter(|from| is_name(from)))
            && self.is_there(&self.layer_link(&from, digest))
        {
            return self.created(name, digest).await;
        }
        *uploads += 1;
        let seed = format!("{name} {uploads} {}", self.proc.now().rfc3339_nano());
        let hex = Digest::of(seed.as_bytes()).hex();
        let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
        let upload = [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-");
        self.put(&self.upload(name, &upload), &Rope::new()).await?;
        Ok(Self::accepted(Some(head), name, &upload, 0))
    }

    async fn so_far(&self, name: &str, upload: &str) -> Option<Rope> {
        let is_number = upload.len() == 36 && upload.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
        if !is_number {
            return None;
        }
        self.proc.read_file(self.upload(name, upload).as_bytes()).await.ok()
    }

    fn no_upload() -> Answer {
        Answer::error(404, "Not Found", "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry", &Value::Null)
    }

    async fn append(&self, name: &str, upload: &str, body: &Rope) -> Result<Answer, Errno> {
        let Some(mut content) = self.so_far(name, upload).await else { return Ok(Self::no_upload()) };
        content.push(body);
        self.put(&self.upload(name, upload), &content).await?;
        Ok(Self::accepted(None, name, upload, content.len()))
    }

    async fn finish(&self, name: &str, upload: &str, body: &Rope, named: Option<String>) -> Result<Answer, Errno> {
        let Some(mut content) = self.so_far(name, upload).await else { return Ok(Self::no_upload()) };
        content.push(body);
        let digest = content.digest();
        if named.and_then(|named| named.parse().ok()) != Some(digest) {
            let message = "provided digest did not match uploaded content";
            return Ok(Answer::error(400, "Bad Request", "DIGEST_INVALID", message, &Value::Null));
        }
        self.put(&self.data(digest), &content).await?;
        let at = self.upload(name, upload);
        self.proc.unlink(at.as_bytes())?;
        let folder = at.strip_suffix("/data").unwrap_or(&at);
        self.proc.rmdir(folder.as_bytes())?;
        self.created(name, digest).await
    }

    async fn created(&self, name: &str, digest: Digest) -> Result<Answer, Errno> {
        self.link(&self.layer_link(name, digest), digest).await?;
        let answer = Answer::new(201, "Created").with("Location", format!("/v2/{name}/blobs/{digest}"));
        Ok(answer.with("Docker-Content-Digest", digest.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_name_what_is_asked_for() {
        assert_eq!(Target::parse("/v2/"), Some(Target::Base));
        assert_eq!(Target::parse("/v2/_catalog"), Some(Target::Catalog));
        assert_eq!(Target::parse("/v2/a/b/tags/list"), Some(Target::Tags("a/b")));
        assert_eq!(Target::parse("/v2/a/manifests/1"), Some(Target::Manifest("a", "1")));
        assert_eq!(Target::parse("/v2/a/blobs/sha256:00"), Some(Target::Blob("a", "sha256:00")));
        assert_eq!(Target::parse("/v2/a/blobs/uploads/"), Some(Target::Upload("a", "")));
        assert_eq!(Target::parse("/v1/a"), None);
    }

    #[test]
    fn names_stay_inside() {
        assert!(is_name("a/b-c.d"));
        assert!(!is_name("../a") && !is_name("a/../b") && !is_name("_layers/a") && !is_name("A") && !is_name(""));
        assert!(is_tag("1.0-x") && !is_tag("../x") && !is_tag(""));
    }
}
