//! `nginx`: a small HTTP server with nginx's own configuration, pages and log lines.
//!
//! It reads `listen`, `root`, `index`, `location /PREFIX` with `root`, `return` and `autoindex`, `worker_processes`,
//! `access_log` and `error_log`, `proxy_pass` over HTTP with `upstream`; directives that it doesn't know are taken as if
//! they did nothing, as they don't change which bytes a static file has. FastCGI is refused when a request reaches it.

use bstr::{BString, ByteSlice};

mod master;

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

/// A directive with its arguments and, if it has one, its block.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Directive {
    words: Vec<String>,
    block: Vec<Directive>,
    line: usize,
    file: String,
}

impl Directive {
    fn name(&self) -> &str {
        self.words.first().map_or("", String::as_str)
    }

    fn arg(&self, index: usize) -> &str {
        self.words.get(index).map_or("", String::as_str)
    }
}

/// Splits a configuration into directives. The error is nginx's text.
fn parse(source: &str, file: &str) -> Result<Vec<Directive>, String> {
    let mut stack: Vec<(Vec<Directive>, Vec<String>, usize)> = Vec::new();
    let (mut done, mut words): (Vec<Directive>, Vec<String>) = (Vec::new(), Vec::new());
    let (mut line, mut start) = (1, 1);
    let mut chars = source.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\n' => line += 1,
            '#' => {
                while chars.peek().is_some_and(|c| *c != '\n') {
                    chars.next();
                }
            }
            c if c.is_whitespace() => {}
            ';' if words.is_empty() => return Err(format!("unexpected \";\" in {file}:{line}")),
            ';' => done.push(Directive {
                words: std::mem::take(&mut words),
                block: Vec::new(),
                line: start,
                file: file.to_owned(),
            }),
            '{' => {
                if stack.len() > 20 {
                    return Err(format!("too many nested blocks in {file}:{line}"));
                }
                stack.push((std::mem::take(&mut done), std::mem::take(&mut words), start));
            }
            '}' => {
                if !words.is_empty() {
                    return Err(format!("unexpected \"}}\" in {file}:{line}"));
                }
                let Some((outer, words, start)) = stack.pop() else {
                    return Err(format!("unexpected \"}}\" in {file}:{line}"));
                };
                let block = std::mem::replace(&mut done, outer);
                done.push(Directive { words, block, line: start, file: file.to_owned() });
            }
            quote @ ('"' | '\'') => {
                let mut word = String::new();
                for c in chars.by_ref() {
                    if c == quote {
                        break;
                    }
                    line += usize::from(c == '\n');
                    word.push(c);
                }
                words.push(word);
            }
            c => {
                if words.is_empty() {
                    start = line;
                }
                let mut word = c.to_string();
                while let Some(c) = chars.next_if(|c| !c.is_whitespace() && !matches!(c, ';' | '{' | '}')) {
                    word.push(c);
                }
                words.push(word);
            }
        }
    }
    if !stack.is_empty() {
        return Err(format!("unexpected end of file, expecting \"}}\" in {file}:{line}"));
    }
    if !words.is_empty() {
        return Err(format!("unexpected end of file, expecting \";\" or \"}}\" in {file}:{line}"));
    }
    Ok(done)
}

/// One place of a server: a prefix and what happens below it.
#[derive(Clone, Debug, Default)]
struct Location {
    prefix: String,
    exact: bool,
    root: Option<String>,
    alias: Option<String>,
    index: Option<Vec<String>>,
    autoindex: bool,
    answer: Option<(u16, String)>,
    foreign: Option<String>,
    proxy: Option<Proxy>,
    /// Whether the client's `Host` goes on to where requests are sent.
    passes_host: bool,
    error_pages: Vec<(u16, String)>,
    try_files: Vec<String>,
}

/// Where `proxy_pass` sends requests.
#[derive(Clone, Debug)]
struct Proxy {
    /// A host with its port, or an upstream.
    to: String,
    /// What stands in the place of the location's prefix, if anything.
    path: Option<String>,
    /// Where the directive stands.
    at: String,
}

#[derive(Clone, Debug, Default)]
struct Server {
    ports: Vec<u16>,
    base: Location,
    locations: Vec<Location>,
}

#[derive(Clone, Debug)]
struct Config {
    servers: Vec<Server>,
    /// The servers of each `upstream`, with where they stand.
    upstreams: Vec<(String, Vec<(String, String)>)>,
    daemon: bool,
    workers: usize,
    user: Option<String>,
    access_log: String,
    error_log: String,
    /// The least that is told of.
    log_level: String,
    pid: String,
}

struct Loader<'a> {
    proc: &'a Proc,
    prefix: String,
    files: usize,
}

impl Loader<'_> {
    async fn load(&mut self, file: &str) -> Result<Vec<Directive>, String> {
        let content = self.proc.read_file(file.as_bytes()).await;
        let content =
            content.map_err(|e| format!("open() \"{file}\" failed ({}: {})", errno_number(e), e.strerror()))?;
        let parsed = parse(&text(&content.head(1 << 20)), file)?;
        self.include(parsed, file).await
    }

    /// Puts included files in the place of their `include`.
    async fn include(&mut self, parsed: Vec<Directive>, file: &str) -> Result<Vec<Directive>, String> {
        let mut out = Vec::new();
        for mut directive in parsed {
            if directive.name() != "include" {
                let block = std::mem::take(&mut directive.block);
                directive.block = Box::pin(self.include(block, file)).await?;
                out.push(directive);
                continue;
            }
            let pattern = path::join(self.prefix.as_bytes(), directive.arg(1).as_bytes());
            let (dir, name) = (path::parent(&pattern).to_owned(), path::file_name(&pattern).to_owned());
            let magic = name.iter().any(|b| b"*?[".contains(b));
            let names = if magic {
                let entries = self.proc.readdir(&dir).unwrap_or_default();
                entries
                    .into_iter()
                    .map(|e| e.name)
                    .filter(|n| super::pattern::glob(&name, n) && !n.starts_with(b"."))
                    .collect()
            } else {
                vec![name]
            };
            for name in names {
                self.files += 1;
                if self.files > 200 {
                    return Err(format!("too many included files in {file}:{}", directive.line));
                }
                let at = text(&below(&dir, &name));
                out.extend(Box::pin(self.load(&at)).await?);
            }
        }
        Ok(out)
    }
}

const fn errno_number(error: Errno) -> i32 {
    match error {
        Errno::EPERM => 1,
        Errno::EACCES => 13,
        Errno::EISDIR => 21,
        Errno::ENOTDIR => 20,
        Errno::ECONNREFUSED => 111,
        Errno::EHOSTUNREACH => 113,
        Errno::ENOSPC => 28,
        Errno::EROFS => 30,
        Errno::EADDRINUSE => 98,
        _ => 2,
    }
}

fn location(directives: &[Directive], base: &Location) -> Location {
    let mut out = Location { prefix: String::new(), ..base.clone() };
    for d in directives {
        match d.name() {
            "root" => out.root = Some(d.arg(1).to_owned()),
            "alias" => out.alias = Some(d.arg(1).to_owned()),
            "index" => out.index = Some(d.words.iter().skip(1).cloned().collect()),
            "autoindex" => out.autoindex = d.arg(1) == "on",
            "return" => {
                let status = d.arg(1).parse().unwrap_or(302);
                let body = if d.arg(1).parse::<u16>().is_ok() { d.arg(2) } else { d.arg(1) };
                out.answer = Some((status, body.to_owned()));
            }
            "error_page" => {
                let page = d.words.last().cloned().unwrap_or_default();
                out.error_pages
                    .extend(d.words.iter().filter_map(|w| w.parse().ok()).map(|status| (status, page.clone())));
            }
            "try_files" => out.try_files = d.words.iter().skip(1).cloned().collect(),
            "proxy_pass" if d.arg(1).starts_with("http://") => {
                let target = d.arg(1).strip_prefix("http://").unwrap_or_default();
                let (to, path) = match target.split_once('/') {
                    Some((to, path)) => (to, Some(format!("/{path}"))),
                    None => (target, None),
                };
                out.proxy = Some(Proxy { to: to.to_owned(), path, at: format!("{}:{}", d.file, d.line) });
            }
            "proxy_set_header" if d.arg(1).eq_ignore_ascii_case("host") => out.passes_host = d.arg(2).starts_with('$'),
            "proxy_pass" | "fastcgi_pass" | "uwsgi_pass" | "grpc_pass" => out.foreign = Some(d.name().to_owned()),
            _ => {}
        }
    }
    out
}

fn configure(top: &[Directive]) -> Result<Config, String> {
    let mut config = Config {
        servers: Vec::new(),
        upstreams: Vec::new(),
        daemon: true,
        workers: 1,
        user: None,
        access_log: "/var/log/nginx/access.log".to_owned(),
        error_log: ERROR_LOG.to_owned(),
        log_level: "error".to_owned(),
        pid: "/run/nginx.pid".to_owned(),
    };
    let http = top.iter().filter(|d| d.name() == "http").flat_map(|d| &d.block);
    for d in top.iter().chain(http.clone()) {
        match d.name() {
            "daemon" => config.daemon = d.arg(1) != "off",
            "worker_processes" => config.workers = if d.arg(1) == "auto" { 2 } else { d.arg(1).parse().unwrap_or(1) },
            "user" => config.user = Some(d.arg(1).to_owned()),
            "access_log" => d.arg(1).clone_into(&mut config.access_log),
            "error_log" => {
                d.arg(1).clone_into(&mut config.error_log);
                let level = if d.arg(2).is_empty() { "error" } else { d.arg(2) };
                level.clone_into(&mut config.log_level);
            }
            "pid" => d.arg(1).clone_into(&mut config.pid),
            _ => {}
        }
    }
    config.workers = config.workers.clamp(1, 16);
    let blocks: Vec<Directive> = http.cloned().collect();
    for upstream in blocks.iter().filter(|d| d.name() == "upstream") {
        let servers = upstream.block.iter().filter(|d| d.name() == "server");
        let servers = servers.map(|d| (d.arg(1).to_owned(), format!("{}:{}", d.file, d.line))).collect();
        config.upstreams.push((upstream.arg(1).to_owned(), servers));
    }
    let base = location(&blocks, &Location::default());
    for server in blocks.iter().filter(|d| d.name() == "server") {
        let own = location(&server.block, &base);
        let mut out = Server { base: own.clone(), ..Server::default() };
        for d in &server.block {
            match d.name() {
                "listen" => {
                    let word = d.arg(1);
                    if word.starts_with("unix:") {
                        continue;
                    }
                    let port = word.rsplit_once(':').map_or(word, |(_, port)| port);
                    let port = port.parse::<u16>();
                    let port = if word.contains('.') && !word.contains(':') { Ok(80) } else { port };
                    out.ports
                        .push(port.map_err(|_| format!("invalid port in \"{word}\" of the \"listen\" directive"))?);
                }
                "location" => {
                    let inherited = Location { answer: None, proxy: None, try_files: Vec::new(), ..own.clone() };
                    let mut at = location(&d.block, &inherited);
                    let (modifier, prefix) = if d.words.len() > 2 { (d.arg(1), d.arg(2)) } else { ("", d.arg(1)) };
                    // Regular expressions are left out: nothing static depends on them here.
                    if modifier.starts_with('~') {
                        continue;
                    }
                    (at.exact, at.prefix) = (modifier == "=", prefix.to_owned());
                    out.locations.push(at);
                }
                _ => {}
            }
        }
        if out.ports.is_empty() {
            out.ports.push(80);
        }
        out.ports.dedup();
        config.servers.push(out);
    }
    Ok(config)
}

/// Directives of `http`, `server` and `location` alone.
const WITHIN: [&str; 16] = [
    "listen",
    "server_name",
    "root",
    "index",
    "location",
    "server",
    "alias",
    "autoindex",
    "return",
    "error_page",
    "try_files",
    "proxy_pass",
    "rewrite",
    "access_log",
    "upstream",
    "default_type",
];

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

/// Reads the configuration that a master was started with. The error is nginx's text.
async fn load(proc: &Proc, start: &Start) -> Result<Config, String> {
    let mut loader = Loader { proc, prefix: text(path::parent(start.file.as_bytes())), files: 0 };
    let mut top = loader.load(&start.file).await?;
    for directive in parse(&start.extra, "command line")? {
        // Only directives of the main context have a place there.
        if WITHIN.contains(&directive.name()) {
            return Err(format!("\"{}\" directive is not allowed here in command line", directive.name()));
        }
        top.push(directive);
    }
    let config = configure(&top)?;
    upstreams(proc, &config).await?;
    Ok(config)
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

/// The servers that a name of `proxy_pass` stands for: those of its upstream, or itself.
fn servers_of(config: &Config, proxy: &Proxy) -> Vec<(String, String)> {
    let known = config.upstreams.iter().find(|(name, _)| *name == proxy.to);
    known.map_or_else(|| vec![(proxy.to.clone(), proxy.at.clone())], |(_, servers)| servers.clone())
}

fn host_and_port(server: &str) -> (String, u16) {
    let (host, port) = server.rsplit_once(':').unwrap_or((server, "80"));
    (host.to_owned(), port.parse().unwrap_or(80))
}

/// Names of servers are looked up once, at the start; the error is nginx's.
async fn upstreams(proc: &Proc, config: &Config) -> Result<(), String> {
    for place in config.servers.iter().flat_map(|server| server.locations.iter().chain([&server.base])) {
        for (server, at) in place.proxy.iter().flat_map(|proxy| servers_of(config, proxy)) {
            if server.contains("://") {
                return Err(format!("invalid host in upstream \"{server}\" in {at}"));
            }
            let (host, _) = host_and_port(&server);
            if !server.contains('$') && proc.resolve(&host).await.is_err() {
                return Err(format!("host not found in upstream \"{server}\" in {at}"));
            }
        }
    }
    Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn configurations_are_read_as_nginx_reads_them() {
        let source = "worker_processes auto;\nhttp {\n root /srv;\n server { listen 8003; listen [::]:8003;\n location / { index a.html; } }\n}\n";
        let config = configure(&parse(source, "x").unwrap()).unwrap();
        assert_eq!((config.workers, config.servers.len()), (2, 1));
        assert_eq!(config.servers[0].ports, [8003]);
        assert_eq!(config.servers[0].locations[0].root.as_deref(), Some("/srv"));
        assert_eq!(parse("a", "f").unwrap_err(), "unexpected end of file, expecting \";\" or \"}\" in f:1");
        assert_eq!(parse("http {", "f").unwrap_err(), "unexpected end of file, expecting \"}\" in f:1");
    }
}
