//! nginx's configuration: directives, what they mean for servers and their places, and which servers stand behind a proxy.

use super::ERROR_LOG;
use super::master::Start;
use crate::base::errno::Errno;
use crate::base::path;
use crate::os::kernel::Proc;
use crate::os::userland::program::{below, text};

/// A directive with its arguments and, if it has one, its block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Directive {
    pub(super) words: Vec<String>,
    pub(super) block: Vec<Directive>,
    pub(super) line: usize,
    pub(super) file: String,
}

impl Directive {
    pub(super) fn name(&self) -> &str {
        self.words.first().map_or("", String::as_str)
    }

    pub(super) fn arg(&self, index: usize) -> &str {
        self.words.get(index).map_or("", String::as_str)
    }
}

/// Splits a configuration into directives. The error is nginx's text.
pub(super) fn parse(source: &str, file: &str) -> Result<Vec<Directive>, String> {
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
pub(super) struct Location {
    pub(super) prefix: String,
    pub(super) exact: bool,
    pub(super) root: Option<String>,
    pub(super) alias: Option<String>,
    pub(super) index: Option<Vec<String>>,
    pub(super) autoindex: bool,
    pub(super) answer: Option<(u16, String)>,
    pub(super) foreign: Option<String>,
    pub(super) proxy: Option<Proxy>,
    /// Whether the client's `Host` goes on to where requests are sent.
    pub(super) passes_host: bool,
    pub(super) error_pages: Vec<(u16, String)>,
    pub(super) try_files: Vec<String>,
}

/// Where `proxy_pass` sends requests.
#[derive(Clone, Debug)]
pub(super) struct Proxy {
    /// A host with its port, or an upstream.
    pub(super) to: String,
    /// What stands in the place of the location's prefix, if anything.
    pub(super) path: Option<String>,
    /// Where the directive stands.
    pub(super) at: String,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Server {
    pub(super) ports: Vec<u16>,
    pub(super) base: Location,
    pub(super) locations: Vec<Location>,
}

#[derive(Clone, Debug)]
pub(super) struct Config {
    pub(super) servers: Vec<Server>,
    /// The servers of each `upstream`, with where they stand.
    pub(super) upstreams: Vec<(String, Vec<(String, String)>)>,
    pub(super) daemon: bool,
    pub(super) workers: usize,
    pub(super) user: Option<String>,
    pub(super) access_log: String,
    pub(super) error_log: String,
    /// The least that is told of.
    pub(super) log_level: String,
    pub(super) pid: String,
}

pub(super) struct Loader<'a> {
    pub(super) proc: &'a Proc,
    pub(super) prefix: String,
    pub(super) files: usize,
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
                    .filter(|n| crate::os::userland::pattern::glob(&name, n) && !n.starts_with(b"."))
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

pub(super) const fn errno_number(error: Errno) -> i32 {
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

pub(super) fn location(directives: &[Directive], base: &Location) -> Location {
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

pub(super) fn configure(top: &[Directive]) -> Result<Config, String> {
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
pub(super) const WITHIN: [&str; 16] = [
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

/// Reads the configuration that a master was started with. The error is nginx's text.
pub(super) async fn load(proc: &Proc, start: &Start) -> Result<Config, String> {
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

/// The servers that a name of `proxy_pass` stands for: those of its upstream, or itself.
pub(super) fn servers_of(config: &Config, proxy: &Proxy) -> Vec<(String, String)> {
    let known = config.upstreams.iter().find(|(name, _)| *name == proxy.to);
    known.map_or_else(|| vec![(proxy.to.clone(), proxy.at.clone())], |(_, servers)| servers.clone())
}

pub(super) fn host_and_port(server: &str) -> (String, u16) {
    let (host, port) = server.rsplit_once(':').unwrap_or((server, "80"));
    (host.to_owned(), port.parse().unwrap_or(80))
}

/// Names of servers are looked up once, at the start; the error is nginx's.
pub(super) async fn upstreams(proc: &Proc, config: &Config) -> Result<(), String> {
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
