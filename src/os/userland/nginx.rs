//! `nginx`: a small HTTP server with nginx's own configuration, pages and log lines.
//!
//! It reads `listen`, `root`, `index`, `location /PREFIX` with `root`, `return` and `autoindex`, `worker_processes`,
//! `access_log` and `error_log`, `proxy_pass` over HTTP with `upstream`; directives that it doesn't know are taken as if
//! they did nothing, as they don't change which bytes a static file has. FastCGI is refused when a request reaches it.

use bstr::{BString, ByteSlice};

mod config;
mod master;

use config::{Config, Location, Proxy, Server, errno_number, host_and_port, load, servers_of};
use master::{Start, append, line, make_ready, master, notice};

use super::date::strftime;
use super::http::{Head, percent_decode, read_body, read_head, reason};
use super::program::{Done, Run, below, number, run, spec, text};
use crate::base::errno::Errno;
use crate::base::path;
use crate::base::rope::Rope;
use crate::os::args::{flag, value};
use crate::os::fs::node::Kind;
use crate::os::kernel::{Fd, Proc, Signal};

spec!(
    SPEC,
    "nginx",
    "[-?hvVtTq] [-s signal] [-p prefix] [-e filename] [-c filename] [-g directives]",
    [
        value('c', ""),
        value('g', ""),
        value('p', ""),
        value('e', ""),
        value('s', ""),
        flag('t', ""),
        flag('T', ""),
        flag('q', ""),
        flag('v', ""),
        flag('V', ""),
        flag('h', ""),
        flag('?', "")
    ]
);

/// The version, unless `NGINX_VERSION` tells another (as the image does).
const VERSION: &str = "1.27.0";
/// Where errors go, as long as nothing else was read.
const ERROR_LOG: &str = "/var/log/nginx/error.log";

/// `nginx`.
pub async fn main(proc: Proc) -> i32 {
    run(proc, &SPEC, |run| Box::pin(body(run))).await
}

async fn body(run: &mut Run) -> Done {
    let version = run.proc.getenv("NGINX_VERSION").map_or_else(|| VERSION.to_owned(), |v| text(&v));
    if run.args.has('v') || run.args.has('V') {
        run.proc.eprint(format!("nginx version: nginx/{version}\n")).await;
        return Ok(0);
    }
    let file = run.args.value('c').map_or_else(|| "/etc/nginx/nginx.conf".to_owned(), |c| text(c));
    let extra = run.args.value('g').map(|g| text(g)).unwrap_or_default();
    let start = Start { file: file.clone(), extra, version };
    let loaded = load(&run.proc, &start).await;
    let config = match loaded {
        Ok(config) => config,
        Err(message) => {
            log(run, "emerg", &message).await;
            if run.args.has('t') {
                run.proc.eprint(format!("nginx: configuration file {file} test failed\n")).await;
            }
            return Ok(1);
        }
    };
    if run.args.has('t') {
        let text = format!(
            "nginx: the configuration file {file} syntax is ok\nnginx: configuration file {file} test is successful\n"
        );
        run.proc.eprint(text).await;
        return Ok(0);
    }
    if let Some(signal) = run.args.value('s').map(|s| text(s)) {
        return signal_master(run, &config, &signal).await;
    }
    if let Err(message) = make_ready(&run.proc, &config, &[]).await {
        log(run, "emerg", &message).await;
        return Ok(1);
    }
    if config.daemon {
        let child = run.proc.fork(move |proc| {
            Box::pin(async move {
                proc.set_session();
                master(&proc, config, start).await
            })
        });
        return Ok(i32::from(child.is_err()));
    }
    let proc = run.proc.clone();
    Ok(master(&proc, config, start).await)
}

/// What goes wrong before the configuration is in force: to the error log that is compiled in, and to who started it.
async fn log(run: &Run, level: &str, message: &str) {
    append(&run.proc, ERROR_LOG, line(&run.proc, level, message).as_bytes()).await;
    run.proc.eprint(format!("nginx: [{level}] {message}\n")).await;
}

async fn signal_master(run: &mut Run, config: &Config, name: &str) -> Done {
    let signal = match name {
        "stop" => Signal::TERM,
        "quit" => Signal::QUIT,
        "reload" => Signal::HUP,
        "reopen" => Signal::USR1,
        _ => {
            run.proc.eprint(format!("nginx: invalid option: \"-s {name}\"\n")).await;
            return Ok(1);
        }
    };
    let pid = run.proc.read_file(config.pid.as_bytes()).await.ok().and_then(|p| number::<i64>(p.head(20).trim_ascii()));
    let Some(pid) = pid else {
        log(run, "error", &format!("open() \"{}\" failed (2: No such file or directory)", config.pid)).await;
        return Ok(1);
    };
    notice(&run.proc, config, "signal process started").await;
    match run.proc.kill(pid, Some(signal)) {
        Ok(()) => Ok(0),
        Err(error) => {
            log(run, "alert", &format!("kill({pid}, {}) failed (3: {})", signal.0, error.strerror())).await;
            Ok(1)
        }
    }
}

/// An answer before it is written.
struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Rope,
}

async fn connection(proc: &Proc, config: &Config, version: &str, fd: Fd, port: u16, peer: &str) -> Result<(), Errno> {
    let head = match read_head(proc, fd).await {
        Ok(Some(head)) => head,
        Ok(None) => return Ok(()),
        Err(error) => return Err(error),
    };
    if head.get("content-length").is_some() {
        read_body(proc, fd, &head).await?;
    }
    let words: Vec<BString> = head.start.split_str(" ").map(BString::from).collect();
    let server = config.servers.iter().find(|s| s.ports.contains(&port));
    let (method, mut answer) = match (words.as_slice(), server) {
        ([method, target, protocol], Some(server)) if protocol.starts_with(b"HTTP/1.") => {
            (text(method), respond(proc, config, server, &text(method), target, &head, version, peer).await)
        }
        _ => ("GET".to_owned(), error_page(400, version)),
    };
    let now = proc.now();
    let mut out = format!(
        "HTTP/1.1 {} {}\r\nServer: nginx/{version}\r\nDate: {}\r\n",
        answer.status,
        reason(answer.status),
        strftime("%a, %d %b %Y %H:%M:%S GMT", now)
    );
    if !answer.headers.iter().any(|row| row.0 == "Content-Type") && answer.status != 304 {
        answer.headers.insert(0, ("Content-Type", "text/html".to_owned()));
    }
    let length = answer.body.len();
    let kind = answer.headers.iter().position(|row| row.0 == "Content-Type");
    for (index, (name, value)) in answer.headers.iter().enumerate() {
        out.push_str(&format!("{name}: {value}\r\n"));
        if Some(index) == kind {
            out.push_str(&format!("Content-Length: {length}\r\n"));
        }
    }
    let at = out
        .find("Content-Length")
        .and_then(|at| out.get(at..)?.find("\r\n").map(|end| at + end + 2))
        .unwrap_or(out.len());
    let at = if let Some(modified) = out.find("Last-Modified") {
        out.get(modified..).and_then(|r| r.find("\r\n")).map_or(at, |e| modified + e + 2)
    } else {
        at
    };
    // A connection ends with its answer here, which a server may do at any time; what is said is what was agreed on.
    let asked = head.get("Connection").map(|value| text(value).to_ascii_lowercase());
    let kept = head.start.ends_with(b"HTTP/1.1") && asked.as_deref() != Some("close");
    out.insert_str(at, if kept { "Connection: keep-alive\r\n" } else { "Connection: close\r\n" });
    out.push_str("\r\n");
    let mut all: Rope = out.as_str().into();
    let sent = if method == "HEAD" || answer.status == 304 { 0 } else { length };
    if sent > 0 {
        all.push(&answer.body);
    }
    let written = proc.write_rope(fd, &all).await;
    let field = |name: &str| head.get(name).map_or_else(|| "-".to_owned(), |v| text(v));
    let client = peer.split(':').next().unwrap_or_default();
    let line = format!(
        "{client} - - [{}] \"{}\" {} {sent} \"{}\" \"{}\" \"-\"\n",
        strftime("%d/%b/%Y:%H:%M:%S +0000", now),
        text(&head.start),
        answer.status,
        field("referer"),
        field("user-agent")
    );
    append(proc, &config.access_log, line.as_bytes()).await;
    written
}

fn error_page(status: u16, version: &str) -> Answer {
    let title = format!("{status} {}", if status == 302 { "Found" } else { reason(status) });
    let body = format!(
        "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n<hr><center>nginx/{version}</center>\r\n</body>\r\n</html>\r\n"
    );
    Answer { status, headers: vec![("Content-Type", "text/html".to_owned())], body: body.as_str().into() }
}

#[expect(clippy::too_many_arguments, reason = "one argument a thing that an answer depends on")]
async fn respond(
    proc: &Proc,
    config: &Config,
    server: &Server,
    method: &str,
    target: &[u8],
    head: &Head,
    version: &str,
    peer: &str,
) -> Answer {
    let uri = target.split_str("?").next().unwrap_or_default();
    let decoded = path::normalize(&percent_decode(uri));
    let uri =
        if uri.ends_with(b"/") && decoded != "/" { [decoded.as_slice(), b"/"].concat() } else { decoded.to_vec() };
    let matches =
        |l: &&Location| if l.exact { uri == l.prefix.as_bytes() } else { uri.starts_with(l.prefix.as_bytes()) };
    let exact = server.locations.iter().find(|l| l.exact && uri == l.prefix.as_bytes());
    let place = exact
        .or_else(|| server.locations.iter().filter(matches).max_by_key(|l| l.prefix.len()))
        .unwrap_or(&server.base);
    if let Some((status, text)) = place.answer.as_ref().or(server.base.answer.as_ref()) {
        if (300..400).contains(status) {
            let mut page = error_page(*status, version);
            page.headers.push(("Location", text.replace("$request_uri", &super::program::text(target))));
            return page;
        }
        let mut page = error_page(*status, version);
        if !text.is_empty() {
            page.body = text.as_str().into();
            page.headers = vec![("Content-Type", "application/octet-stream".to_owned())];
        }
        return page;
    }
    let place = fallback(proc, server, place, &uri);
    if let Some(to) = &place.proxy {
        return match forward(proc, config, place, to, method, target, head, peer).await {
            Ok(answer) => answer,
            Err(message) => {
                complain(proc, config, &message, head, peer).await;
                error_page(502, version)
            }
        };
    }
    if let Some(directive) = &place.foreign {
        let message = format!("{directive} is not simulated");
        complain(proc, config, &message, head, peer).await;
        return error_page(501, version);
    }
    if method != "GET" && method != "HEAD" {
        return error_page(405, version);
    }
    let found = find(proc, place, &uri).await;
    let (status, message) = match found {
        Ok(Found::File(at)) => match answer_file(proc, &at, head, 200).await {
            Ok(answer) => return answer,
            Err(error) => (403, format!("open() \"{at}\" failed ({}: {})", errno_number(error), error.strerror())),
        },
        Ok(Found::Redirect) => {
            let host = head.get("host").map_or_else(|| "localhost".to_owned(), |h| text(h));
            let mut page = error_page(301, version);
            page.headers.push(("Location", format!("http://{host}{}/", text(&uri))));
            return page;
        }
        Ok(Found::Listing(at)) => return listing(proc, &at, &uri),
        Ok(Found::Forbidden(at)) => (403, format!("directory index of \"{at}\" is forbidden")),
        Err((at, error)) => {
            let status = if error == Errno::EACCES { 403 } else { 404 };
            (status, format!("open() \"{at}\" failed ({}: {})", errno_number(error), error.strerror()))
        }
    };
    complain(proc, config, &message, head, peer).await;
    if let Some((_, page)) = place.error_pages.iter().find(|row| row.0 == status)
        && let Ok(Found::File(at)) = find(proc, place, page.as_bytes()).await
        && let Ok(answer) = answer_file(proc, &at, head, status).await
    {
        return answer;
    }
    error_page(status, version)
}

/// The named location that `try_files` falls back to, where none of its files is there.
fn fallback<'a>(proc: &Proc, server: &'a Server, place: &'a Location, uri: &[u8]) -> &'a Location {
    let Some((last, files)) = place.try_files.split_last().filter(|(last, _)| last.starts_with('@')) else {
        return place;
    };
    let root = place.root.as_deref().unwrap_or("/etc/nginx/html");
    let is_there = |file: &String| {
        let full = format!("{root}{}", file.replace("$uri", &text(uri)));
        proc.stat(full.as_bytes()).is_ok_and(|stat| (stat.kind == Kind::Dir) == full.ends_with('/'))
    };
    if files.iter().any(is_there) {
        return place;
    }
    server.locations.iter().find(|location| location.prefix == *last).unwrap_or(place)
}

/// Asks another server and passes its answer on; the error is a line for the log.
#[expect(clippy::too_many_arguments, reason = "one argument a thing that the request depends on")]
async fn forward(
    proc: &Proc,
    config: &Config,
    place: &Location,
    proxy: &Proxy,
    method: &str,
    target: &[u8],
    head: &Head,
    peer: &str,
) -> Result<Answer, String> {
    let target = text(target);
    let path = match &proxy.path {
        Some(path) => format!("{path}{}", target.strip_prefix(&place.prefix).unwrap_or_default()),
        None => target,
    };
    let own = head.get("host").map_or_else(|| proxy.to.clone(), |host| text(host));
    let host = if place.passes_host { own } else { proxy.to.clone() };
    let client = peer.split(':').next().unwrap_or_default();
    let request =
        format!("{method} {path} HTTP/1.0\r\nHost: {host}\r\nX-Forwarded-For: {client}\r\nConnection: close\r\n\r\n");
    let mut why = String::from("no live upstreams while connecting to upstream");
    for (server, _) in servers_of(config, proxy) {
        let (name, port) = host_and_port(&server);
        let Some(address) = proc.resolve(&name).await.ok().and_then(|found| found.first().copied()) else { continue };
        let fd = match proc.connect((address, port)).await {
            Ok(fd) => fd,
            Err(error) => {
                let number = errno_number(error);
                why = format!("connect() failed ({number}: {}) while connecting to upstream", error.strerror());
                continue;
            }
        };
        let sent = proc.write(fd, request.as_bytes()).await;
        let answer = proc.read_all(fd).await;
        let _ = proc.close(fd);
        match (sent, answer) {
            (Ok(()), Ok(bytes)) if !bytes.is_empty() => return Ok(passed_on(&bytes)),
            _ => why = "upstream prematurely closed connection while reading response header from upstream".to_owned(),
        }
    }
    Err(why)
}

/// What another server answered, as an answer of this one.
fn passed_on(bytes: &Rope) -> Answer {
    let all = bytes.to_vec();
    let end = all.find(b"\r\n\r\n").unwrap_or(all.len());
    let head = text(all.get(..end).unwrap_or_default());
    let body = all.get(end + 4..).unwrap_or_default();
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(502);
    let names = ["Content-Type", "Location", "Last-Modified", "ETag", "X-Powered-By", "Set-Cookie", "Cache-Control"];
    let mut headers = Vec::new();
    for line in head.lines().skip(1) {
        let Some((name, value)) = line.split_once(':') else { continue };
        let known = names.into_iter().find(|known| known.eq_ignore_ascii_case(name));
        headers.extend(known.map(|known| (known, value.trim().to_owned())));
    }
    Answer { status, headers, body: Rope::from(body.to_vec()) }
}

async fn complain(proc: &Proc, config: &Config, message: &str, head: &Head, peer: &str) {
    let time = strftime("%Y/%m/%d %H:%M:%S", proc.now());
    let pid = proc.pid();
    let host = head.get("host").map(|h| text(h)).unwrap_or_default();
    let client = peer.split(':').next().unwrap_or_default();
    let line = format!(
        "{time} [error] {pid}#{pid}: *1 {message}, client: {client}, server: localhost, request: \"{}\", host: \"{host}\"\n",
        text(&head.start)
    );
    append(proc, &config.error_log, line.as_bytes()).await;
}

enum Found {
    File(BString),
    Redirect,
    Listing(BString),
    Forbidden(BString),
}

async fn find(proc: &Proc, place: &Location, uri: &[u8]) -> Result<Found, (BString, Errno)> {
    let root = place.root.clone().unwrap_or_else(|| "/etc/nginx/html".to_owned());
    let at = |uri: &[u8]| -> BString {
        match &place.alias {
            Some(alias) => [alias.as_bytes(), uri.get(place.prefix.len()..).unwrap_or_default()].concat().into(),
            None => [root.as_bytes(), uri].concat().into(),
        }
    };
    let mut file = at(uri);
    for (index, candidate) in place.try_files.iter().enumerate() {
        proc.tick().await;
        let expanded = candidate.replace("$uri", &text(uri));
        let full = at(expanded.as_bytes());
        let last = index + 1 == place.try_files.len();
        if last && expanded.starts_with('=') {
            return Err((file, Errno::ENOENT));
        }
        let is_there = proc.stat(&full).is_ok_and(|s| (s.kind == Kind::Dir) == expanded.ends_with('/'));
        if is_there || last {
            file = full;
            break;
        }
    }
    let stat = proc.stat(&file).map_err(|error| (file.clone(), error))?;
    if stat.kind != Kind::Dir {
        return Ok(Found::File(file));
    }
    if !file.ends_with(b"/") {
        return Ok(Found::Redirect);
    }
    let default = ["index.html".to_owned()];
    for name in place.index.as_deref().unwrap_or(&default) {
        let index = below(&file, name.as_bytes());
        if proc.stat(&index).is_ok() {
            return Ok(Found::File(index));
        }
    }
    if place.autoindex { Ok(Found::Listing(file)) } else { Ok(Found::Forbidden(file)) }
}

async fn answer_file(proc: &Proc, at: &[u8], head: &Head, status: u16) -> Result<Answer, Errno> {
    let stat = proc.stat(at)?;
    let content = proc.read_file(at).await?;
    let modified = strftime("%a, %d %b %Y %H:%M:%S GMT", stat.meta.mtime);
    let etag = format!("\"{:x}-{:x}\"", stat.meta.mtime.seconds(), content.len());
    let same = head.get("if-none-match").is_some_and(|tag| *tag == etag.as_str())
        || (head.get("if-none-match").is_none()
            && head.get("if-modified-since").is_some_and(|t| *t == modified.as_str()));
    if same && status == 200 {
        let headers = vec![("Last-Modified", modified), ("ETag", etag)];
        return Ok(Answer { status: 304, headers, body: Rope::new() });
    }
    let mut headers = vec![("Content-Type", mime(at).to_owned()), ("Last-Modified", modified), ("ETag", etag)];
    if status == 200 {
        headers.push(("Accept-Ranges", "bytes".to_owned()));
    }
    Ok(Answer { status, headers, body: content })
}

fn listing(proc: &Proc, dir: &[u8], uri: &[u8]) -> Answer {
    let title = format!("Index of {}", text(uri));
    let mut body = format!(
        "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<h1>{title}</h1><hr><pre><a href=\"../\">../</a>\r\n"
    );
    let entries = proc.readdir(dir).unwrap_or_default();
    for entry in entries.iter().filter(|e| !e.name.starts_with(b".")) {
        let Ok(stat) = proc.stat(&below(dir, &entry.name)) else { continue };
        let slash = if stat.is_dir() { "/" } else { "" };
        let name = format!("{}{slash}", entry.name);
        let size = if stat.is_dir() { "-".to_owned() } else { stat.size_bytes.to_string() };
        let gap = " ".repeat(51usize.saturating_sub(name.chars().count()));
        body.push_str(&format!(
            "<a href=\"{name}\">{name}</a>{gap}{}{size:>20}\r\n",
            strftime("%d-%b-%Y %H:%M", stat.meta.mtime)
        ));
    }
    body.push_str("</pre><hr></body>\r\n</html>\r\n");
    Answer { status: 200, headers: vec![("Content-Type", "text/html".to_owned())], body: body.as_str().into() }
}

/// A file's type by its ending (nginx `mime.types`).
fn mime(at: &[u8]) -> &'static str {
    let name = path::file_name(at);
    let ending = name.rsplit_once_str(".").map_or(b"".as_slice(), |(_, ending)| ending);
    match ending.to_ascii_lowercase().as_slice() {
        b"html" | b"htm" | b"shtml" => "text/html",
        b"css" => "text/css",
        b"xml" => "text/xml",
        b"gif" => "image/gif",
        b"jpeg" | b"jpg" => "image/jpeg",
        b"js" => "application/javascript",
        b"txt" => "text/plain",
        b"png" => "image/png",
        b"svg" | b"svgz" => "image/svg+xml",
        b"webp" => "image/webp",
        b"ico" => "image/x-icon",
        b"woff" => "font/woff",
        b"woff2" => "font/woff2",
        b"json" => "application/json",
        b"pdf" => "application/pdf",
        b"zip" => "application/zip",
        b"wasm" => "application/wasm",
        b"mp4" => "video/mp4",
        _ => "application/octet-stream",
    }
}
