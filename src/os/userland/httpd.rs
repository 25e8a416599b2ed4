//! A server of static files: Apache, as `httpd` of its own image and as `apache2` of Debian's packages, and Python's
//! `http.server`.

use crate::base::sort::Arrange;
use std::net::Ipv4Addr;

use bstr::{BString, ByteSlice};

use super::http::{percent_decode, read_head};
use crate::base::errno::Errno;
use crate::base::path;
use crate::base::rope::Rope;
use crate::os::kernel::exec::{Format, HEAD_BYTES, recognise};
use crate::os::kernel::{Disposition, Fd, Open, Proc, Signal};

/// Whose words a server uses.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    Apache,
    Python,
}

/// The version of the image `httpd`.
const APACHE: &str = "Apache/2.4.51 (Unix)";

/// What is served, and how it is told of.
#[derive(Clone)]
struct Site {
    root: String,
    ports: Vec<u16>,
    style: Style,
    /// What the server calls itself.
    server: String,
    /// Where requests are noted, unless on standard output; where errors, unless on standard error.
    logs: Option<[String; 2]>,
    /// Where its number stands while it runs.
    pid_file: Option<String>,
    /// Whether PHP is a module of it.
    has_php: bool,
}

/// A directive's values in a configuration.
fn settings(text: &str, name: &str) -> Vec<String> {
    let lines = text.lines().map(str::trim).filter_map(|line| line.split_once(char::is_whitespace));
    lines
        .filter(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim().trim_matches('"').to_owned())
        .collect()
}

fn ports_of(text: &str) -> Vec<u16> {
    let mut ports: Vec<u16> =
        settings(text, "Listen").iter().filter_map(|text| text.rsplit(':').next()?.parse().ok()).collect();
    if ports.is_empty() {
        ports.push(80);
    }
    ports
}

/// What is said when nobody named the server.
async fn warn_of_name(proc: &Proc, name: &str) {
    let net = proc.net();
    let own = proc.kernel().network(|n| n.get(net).and_then(|ns| ns.interfaces.first().map(|i| i.address)));
    let own = own.unwrap_or(Ipv4Addr::LOCALHOST);
    proc.eprint(format!("AH00558: {name}: Could not reliably determine the server's fully qualified domain name, using {own}. Set the 'ServerName' directive globally to suppress this message\n")).await;
}

/// `httpd`: serves the `DocumentRoot` of its configuration on the ports that it listens on.
pub async fn main(proc: Proc) -> i32 {
    let args: Vec<String> = proc.args().iter().skip(1).map(|arg| arg.to_str_lossy().into_owned()).collect();
    if args.iter().any(|arg| arg == "-v") {
        let _ = proc.print(format!("Server version: {APACHE}\nServer built:   Nov 12 2021 00:00:00\n")).await;
        return 0;
    }
    let root = "/usr/local/apache2";
    let file = format!("{root}/conf/httpd.conf");
    let Ok(text) = proc.read_file(file.as_bytes()).await else {
        proc.eprint(format!("httpd: Could not open configuration file {file}: No such file or directory\n")).await;
        return 1;
    };
    let text = text.to_vec();
    let text = text.to_str_lossy();
    let documents = settings(&text, "DocumentRoot").pop().unwrap_or_else(|| format!("{root}/htdocs"));
    if args.iter().any(|arg| arg == "-t") {
        proc.eprint("Syntax OK\n").await;
        return 0;
    }
    if settings(&text, "ServerName").is_empty() {
        // Once for each reading of the configuration.
        warn_of_name(&proc, "httpd").await;
        warn_of_name(&proc, "httpd").await;
    }
    let (root, ports, server) = (documents, ports_of(&text), APACHE.to_owned());
    let site = Site { root, ports, style: Style::Apache, server, logs: None, pid_file: None, has_php: false };
    announce(&proc, &site, "httpd -D FOREGROUND").await;
    serve(proc, site).await
}

/// Tells that it runs.
async fn announce(proc: &Proc, site: &Site, line: &str) {
    let time = super::date::strftime("%a %b %d %H:%M:%S.000000 %Y", proc.now());
    let (pid, server) = (proc.pid(), &site.server);
    let text = format!(
        "[{time}] [mpm_event:notice] [pid {pid}:tid 1] AH00489: {server} configured -- resuming normal operations\n\
         [{time}] [core:notice] [pid {pid}:tid 1] AH00094: Command line: '{line}'\n"
    );
    note(proc, site, 1, &text).await;
}

/// Writes to one of the logs.
async fn note(proc: &Proc, site: &Site, which: usize, text: &str) {
    match site.logs.as_ref().and_then(|logs| logs.get(which)) {
        Some(path) => {
            let Ok(fd) = proc.open(path.as_bytes(), Open::APPEND) else { return };
            let _ = proc.write(fd, text.as_bytes()).await;
            let _ = proc.close(fd);
        }
        None if which == 0 => drop(proc.print(text).await),
        None => proc.eprint(text).await,
    }
}

/// The version of Debian's package, as its database tells it.
async fn debian_version(proc: &Proc) -> String {
    let status = proc.read_file(b"/var/lib/dpkg/status").await.map(|rope| rope.to_vec()).unwrap_or_default();
    let status = status.to_str_lossy();
    let after = status.split("\n\n").find(|entry| entry.starts_with("Package: apache2-bin\n"));
    let version = after.and_then(|entry| entry.lines().find_map(|line| line.strip_prefix("Version: ")));
    // An image that brings it outside of packages has it in the executable.
    let head = proc.read_file(b"/proc/self/exe").await.map(|file| file.head(HEAD_BYTES).to_vec()).unwrap_or_default();
    let own = crate::os::kernel::exec::version(&head).unwrap_or_else(|| "2.4".to_owned());
    let version = version.and_then(|version| version.split('-').next()).unwrap_or(&own);
    let release = proc.read_file(b"/etc/os-release").await.map(|rope| rope.to_vec()).unwrap_or_default();
    let name = if release.contains_str("ID=ubuntu") { "Ubuntu" } else { "Debian" };
    format!("Apache/{version} ({name})")
}

/// `apache2`: the same server with Debian's layout. Its environment comes from `/etc/apache2/envvars`, which `apache2ctl`
/// reads.
pub async fn apache2(proc: Proc) -> i32 {
    let args: Vec<String> = proc.args().iter().skip(1).map(|arg| arg.to_str_lossy().into_owned()).collect();
    // The image `php` loads PHP as a module, and its environment tells which.
    let php = proc.getenv("PHP_VERSION").map(|version| format!(" PHP/{}", version.to_str_lossy()));
    let server = debian_version(&proc).await + php.as_deref().unwrap_or_default();
    if args.iter().any(|arg| arg == "-v") {
        return i32::from(proc.print(format!("Server version: {server}\n")).await.is_err());
    }
    let Ok(main) = proc.read_file(b"/etc/apache2/apache2.conf").await else {
        proc.eprint(
            "apache2: Could not open configuration file /etc/apache2/apache2.conf: No such file or directory\n",
        )
        .await;
        return 1;
    };
    let variable = |name: &str| proc.getenv(name).map(|value| value.to_str_lossy().into_owned());
    let (Some(run_dir), Some(log_dir)) = (variable("APACHE_RUN_DIR"), variable("APACHE_LOG_DIR")) else {
        let time = super::date::strftime("%a %b %d %H:%M:%S.000000 %Y", proc.now());
        proc.eprint(format!("[{time}] [core:warn] [pid {}] AH00111: Config variable ${{APACHE_RUN_DIR}} is not defined\napache2: Syntax error on line 80 of /etc/apache2/apache2.conf: DefaultRuntimeDir must be a valid directory, absolute or relative to ServerRoot\n", proc.pid())).await;
        return 1;
    };
    let mut text = main.to_vec().to_str_lossy().into_owned();
    let mut files = vec![BString::from("/etc/apache2/ports.conf")];
    for dir in ["conf-enabled", "sites-enabled"] {
        let mut names: Vec<BString> = proc
            .readdir(format!("/etc/apache2/{dir}").as_bytes())
            .unwrap_or_default()
            .into_iter()
            .map(|e| e.name)
            .collect();
        names.arrange();
        files.extend(
            names
                .into_iter()
                .filter(|name| name.ends_with(b".conf"))
                .map(|name| BString::from(format!("/etc/apache2/{dir}/{name}"))),
        );
    }
    for file in files {
        let more = proc.read_file(&file).await.map(|rope| rope.to_vec()).unwrap_or_default();
        // What only holds with a module that isn't loaded is left out.
        let (more, mut within) = (more.to_str_lossy().into_owned(), false);
        for line in more.lines() {
            within = (within || line.trim().starts_with("<IfModule")) && !line.trim().starts_with("</IfModule");
            if !within {
                text.push('\n');
                text.push_str(line);
            }
        }
    }
    let pid_file = variable("APACHE_PID_FILE").unwrap_or_else(|| format!("{run_dir}/apache2.pid"));
    let written = proc.read_file(pid_file.as_bytes()).await.map(|rope| rope.to_vec()).unwrap_or_default();
    let running = written.trim_ascii().to_str_lossy().parse::<i64>().ok().filter(|pid| proc.kill(*pid, None).is_ok());
    let value =
        |name: &str| args.iter().position(|arg| arg == name).and_then(|at| args.get(at + 1)).map(String::as_str);
    if settings(&text, "ServerName").is_empty() {
        warn_of_name(&proc, "apache2").await;
    }
    if args.iter().any(|arg| arg == "-t") {
        proc.eprint("Syntax OK\n").await;
        return 0;
    }
    match (value("-k").unwrap_or("start"), running) {
        ("stop" | "graceful-stop", Some(pid)) => return i32::from(proc.kill(pid, Some(Signal::TERM)).is_err()),
        ("stop" | "graceful-stop", None) => {
            let _ = proc.print("httpd (no pid file) not running\n").await;
            return 0;
        }
        ("restart" | "graceful", Some(pid)) => {
            let _ = proc.kill(pid, Some(Signal::TERM));
            let _ = proc.sleep(std::time::Duration::from_millis(200)).await;
        }
        ("start", Some(pid)) => {
            let _ = proc.print(format!("httpd (pid {pid}) already running\n")).await;
            return 0;
        }
        _ => {}
    }
    let documents = settings(&text, "DocumentRoot").pop().unwrap_or_else(|| "/var/www/html".to_owned());
    let site = Site {
        root: documents,
        ports: ports_of(&text),
        style: Style::Apache,
        server,
        logs: Some([format!("{log_dir}/access.log"), format!("{log_dir}/error.log")]),
        pid_file: Some(pid_file),
        has_php: php.is_some(),
    };
    let _ = proc.mkdir(run_dir.as_bytes(), 0o755);
    if let Err(status) = listen(&proc, &site).await {
        return status;
    }
    if value("-D").is_some_and(|word| word == "FOREGROUND")
        || args.iter().any(|arg| arg == "-DFOREGROUND" || arg == "-X")
    {
        announce(&proc, &site, "/usr/sbin/apache2 -D FOREGROUND").await;
        return answer_all(proc, site).await;
    }
    let child = proc.fork(move |child| {
        Box::pin(async move {
            child.set_session();
            announce(&child, &site, "/usr/sbin/apache2").await;
            answer_all(child, site).await
        })
    });
    i32::from(child.is_err())
}

/// `python3 -m http.server [PORT]`.
pub async fn python(proc: Proc, args: &[String]) -> i32 {
    let mut port = 8000;
    let mut dir = proc.cwd().to_str_lossy().into_owned();
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        match arg.as_str() {
            "-d" | "--directory" => dir = rest.next().cloned().unwrap_or_default(),
            "-b" | "--bind" => drop(rest.next()),
            number => match number.parse() {
                Ok(number) => port = number,
                Err(_) => {
                    proc.eprint(format!("usage: server.py [-h] [--cgi] [--bind ADDRESS] [--directory DIRECTORY] [port]\nserver.py: error: argument port: invalid int value: '{number}'\n")).await;
                    return 2;
                }
            },
        }
    }
    let _ = proc.print(format!("Serving HTTP on 0.0.0.0 port {port} (http://0.0.0.0:{port}/) ...\n")).await;
    let server = "SimpleHTTP/0.6 Python/3.9.9".to_owned();
    serve(
        proc,
        Site { root: dir, ports: vec![port], style: Style::Python, server, logs: None, pid_file: None, has_php: false },
    )
    .await
}

async fn serve(proc: Proc, site: Site) -> i32 {
    match listen(&proc, &site).await {
        Ok(()) => answer_all(proc, site).await,
        Err(status) => status,
    }
}

async fn listen(proc: &Proc, site: &Site) -> Result<(), i32> {
    for port in &site.ports {
        if proc.listen(Ipv4Addr::UNSPECIFIED, *port).is_err() {
            let text = match site.style {
                Style::Apache => format!(
                    "(98)Address already in use: AH00072: make_sock: could not bind to address 0.0.0.0:{port}\nno listening sockets available, shutting down\n"
                ),
                Style::Python => "OSError: [Errno 98] Address already in use\n".to_owned(),
            };
            proc.eprint(text).await;
            return Err(1);
        }
    }
    Ok(())
}

async fn answer_all(proc: Proc, site: Site) -> i32 {
    let style = site.style;
    if let Some(file) = &site.pid_file {
        let _ = proc.write_file(file.as_bytes(), &format!("{}\n", proc.pid()).as_str().into()).await;
    }
    for signal in [Signal::TERM, Signal::INT, Signal::WINCH] {
        let ends = signal != Signal::WINCH || style == Style::Apache;
        // The first process of a container has no defaults: Python ends by none but SIGINT there.
        if ends && (style == Style::Apache || signal == Signal::INT) {
            proc.on_signal(signal, Disposition::Handle);
        }
    }
    loop {
        match proc.accept(&site.ports).await {
            Ok((fd, _, peer)) => {
                // One after the other: a request is answered at once.
                let _ = answer(&proc, fd, &peer, &site).await;
                let _ = proc.close(fd);
            }
            Err(Errno::EINTR) => {
                if proc.take_signal().is_some() {
                    let text = match style {
                        Style::Apache => "AH00492: caught SIGWINCH, shutting down gracefully\n",
                        Style::Python => "\nKeyboard interrupt received, exiting.\n",
                    };
                    note(&proc, &site, 1, text).await;
                    if let Some(file) = &site.pid_file {
                        let _ = proc.unlink(file.as_bytes());
                    }
                    return 0;
                }
            }
            Err(_) => return 1,
        }
    }
}

async fn answer(proc: &Proc, fd: Fd, peer: &str, site: &Site) -> Result<(), Errno> {
    let (root, style) = (site.root.as_str(), site.style);
    let Some(head) = read_head(proc, fd).await? else { return Ok(()) };
    let start = head.start.to_str_lossy().into_owned();
    let mut words = start.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or("/"));
    let place = target.split(['?', '#']).next().unwrap_or_default();
    let decoded = percent_decode(place.as_bytes());
    // Normalising keeps `..` below the root.
    let inside = path::normalize(&path::join(b"/", &decoded));
    let mut file = path::normalize(&[root.as_bytes(), inside.as_slice()].concat());
    let mut listing = None;
    let mut moved = false;
    if proc.stat(&file).is_ok_and(|stat| stat.is_dir()) {
        if place.ends_with('/') {
            let names: &[&[u8]] = if site.has_php { &[b"index.php", b"index.html"] } else { &[b"index.html"] };
            let index = names.iter().map(|name| path::join(&file, name)).find(|index| proc.stat(index).is_ok());
            if let Some(index) = index {
                file = index;
            } else {
                listing = Some(page(proc, &file, place, style));
            }
        } else {
            moved = true;
        }
    }
    if site.has_php && file.ends_with(b".php") && proc.stat(&file).is_ok() {
        return script(proc, fd, peer, site, &start, &file).await;
    }
    let found = match listing {
        Some(page) => Ok(Rope::from(page.as_str())),
        None => proc.read_file(&file).await,
    };
    let (status, reason, body) = match (method, moved, found) {
        ("GET" | "HEAD", true, _) => (301, "Moved Permanently", Rope::new()),
        ("GET" | "HEAD", false, Ok(body)) => (200, "OK", body),
        ("GET" | "HEAD", false, Err(Errno::EACCES)) => (403, "Forbidden", error_page(403, "Forbidden", style)),
        ("GET" | "HEAD", false, Err(_)) => (
            404,
            if style == Style::Python { "File not found" } else { "Not Found" },
            error_page(404, "Not Found", style),
        ),
        _ => (501, "Not Implemented", error_page(501, "Not Implemented", style)),
    };
    let date = super::date::strftime("%a, %d %b %Y %H:%M:%S GMT", proc.now());
    let version = if style == Style::Apache { "HTTP/1.1" } else { "HTTP/1.0" };
    let location = if moved { format!("Location: {place}/\r\n") } else { String::new() };
    let kind = if status == 200 { media_type(&file) } else { "text/html" };
    let modified = proc.stat(&file).ok().filter(|stat| status == 200 && !stat.is_dir()).map(|stat| stat.meta.mtime);
    let stamp = modified.map(|time| {
        let date = super::date::strftime("%a, %d %b %Y %H:%M:%S GMT", time);
        // Apache's ETag: the size and the time of change in microseconds.
        let tag = format!("ETag: \"{:x}-{:x}\"\r\nAccept-Ranges: bytes\r\n", body.len(), time.seconds() * 1_000_000);
        format!("Last-Modified: {date}\r\n{}", if style == Style::Apache { tag } else { String::new() })
    });
    let (stamp, length) = (stamp.unwrap_or_default(), body.len());
    let (server, end) =
        (&site.server, head.get("Connection").is_some_and(|value| value.eq_ignore_ascii_case(b"close")));
    let end = if end && style == Style::Apache { "Connection: close\r\n" } else { "" };
    let text = match style {
        Style::Apache => format!(
            "{version} {status} {reason}\r\nDate: {date}\r\nServer: {server}\r\n{location}{stamp}Content-Length: {length}\r\n{end}Content-Type: {kind}\r\n\r\n"
        ),
        Style::Python => format!(
            "{version} {status} {reason}\r\nServer: {server}\r\nDate: {date}\r\n{location}Content-type: {kind}\r\nContent-Length: {length}\r\n{stamp}\r\n"
        ),
    };
    let host = peer.rsplit_once(':').map_or(peer, |(host, _)| host);
    let time = super::date::strftime("%d/%b/%Y:%H:%M:%S +0000", proc.now());
    match style {
        Style::Apache => {
            let line = format!("{host} - - [{time}] \"{start}\" {status} {}", body.len());
            // Debian's log format is `combined`.
            let field = |name: &str| head.get(name).map_or_else(|| "-".to_owned(), ToString::to_string);
            let more = format!(" \"{}\" \"{}\"", field("Referer"), field("User-Agent"));
            let more = if site.logs.is_some() { more } else { String::new() };
            note(proc, site, 0, &format!("{line}{more}\n")).await;
        }
        Style::Python => {
            let time = super::date::strftime("%d/%b/%Y %H:%M:%S", proc.now());
            proc.eprint(format!("{host} - - [{time}] \"{start}\" {status} -\n")).await;
        }
    }
    let mut message = Rope::from(text.as_str());
    if method != "HEAD" {
        message.push(&body);
    }
    proc.write_rope(fd, &message).await
}

/// A page of PHP: the language is not simulated, but a file may be a simulated program, which is run as through CGI.
async fn script(proc: &Proc, fd: Fd, peer: &str, site: &Site, start: &str, file: &[u8]) -> Result<(), Errno> {
    let (read, write) = proc.pipe()?;
    let mut words = start.split(' ');
    let (method, target) = (words.next().unwrap_or_default().to_owned(), words.next().unwrap_or("/").to_owned());
    let (path, mut env) = (BString::from(file), proc.env());
    env.push(format!("REQUEST_URI={target}").into());
    let child = proc.fork(move |child| {
        Box::pin(async move {
            let _ = child.dup2(write, 1);
            for signal in [Signal::TERM, Signal::INT, Signal::WINCH] {
                child.on_signal(signal, Disposition::Default);
            }
            // PHP reads a page, so it needs no execute bit; what a page says is a program or nothing.
            let head = child.read_file(&path).await.map(|page| page.head(HEAD_BYTES).to_vec()).unwrap_or_default();
            let Format::Program(name, _) = recognise(&head) else { return 255 };
            let Some(main) = child.kernel().program(name.as_str().into()) else { return 255 };
            child.set_env(env);
            main(child).await
        })
    });
    let _ = proc.close(write);
    let output = match child {
        Ok(pid) => {
            let output = proc.read_all(read).await.unwrap_or_default();
            while proc.wait(Some(pid), false).await == Err(Errno::EINTR) {
                proc.take_signal();
            }
            output
        }
        Err(_) => Rope::new(),
    };
    let _ = proc.close(read);
    let output = output.to_vec().to_str_lossy().into_owned();
    let (heads, body) = output.split_once("\n\n").unwrap_or(("", ""));
    let status = heads.lines().find_map(|line| line.strip_prefix("Status: "));
    let (status, body) = match (output.is_empty(), status) {
        (true, _) => ("500 Internal Server Error", "PHP is not simulated in Capas\n"),
        (false, status) => (status.unwrap_or("200 OK"), body),
    };
    let heads: String =
        heads.lines().filter(|line| !line.starts_with("Status: ")).map(|line| format!("{line}\r\n")).collect();
    let date = super::date::strftime("%a, %d %b %Y %H:%M:%S GMT", proc.now());
    let text = format!(
        "HTTP/1.1 {status}\r\nDate: {date}\r\nServer: {}\r\n{heads}Content-Length: {}\r\nContent-Type: text/html; charset=UTF-8\r\n\r\n",
        site.server,
        body.len()
    );
    let host = peer.rsplit_once(':').map_or(peer, |(host, _)| host);
    let time = super::date::strftime("%d/%b/%Y:%H:%M:%S +0000", proc.now());
    let code = status.split(' ').next().unwrap_or_default();
    note(proc, site, 0, &format!("{host} - - [{time}] \"{start}\" {code} {} \"-\" \"-\"\n", body.len())).await;
    let body = if method == "HEAD" { "" } else { body };
    proc.write(fd, format!("{text}{body}").as_bytes()).await
}

fn error_page(status: u16, reason: &str, style: Style) -> Rope {
    let text = match style {
        Style::Apache => {
            let why = if status == 404 { "The requested URL was not found on this server." } else { "" };
            format!(
                "<!DOCTYPE HTML PUBLIC \"-//IETF//DTD HTML 2.0//EN\">\n<html><head>\n<title>{status} {reason}</title>\n</head><body>\n<h1>{reason}</h1>\n<p>{why}</p>\n</body></html>\n"
            )
        }
        Style::Python => format!(
            "<!DOCTYPE HTML>\n<html>\n<head><title>Error response</title></head>\n<body>\n<h1>Error response</h1>\n<p>Error code: {status}</p>\n<p>Message: {reason}.</p>\n</body>\n</html>\n"
        ),
    };
    text.as_str().into()
}

/// What a directory without an index shows.
fn page(proc: &Proc, dir: &BString, place: &str, style: Style) -> String {
    let mut names: Vec<String> = Vec::new();
    for entry in proc.readdir(dir).unwrap_or_default() {
        let slash = if proc.stat(&path::join(dir, &entry.name)).is_ok_and(|stat| stat.is_dir()) { "/" } else { "" };
        names.push(format!("{}{slash}", entry.name));
    }
    names.arrange();
    let title =
        if style == Style::Python { format!("Directory listing for {place}") } else { format!("Index of {place}") };
    let items: String = names.iter().map(|name| format!("<li><a href=\"{name}\">{name}</a></li>\n")).collect();
    format!(
        "<!DOCTYPE HTML>\n<html>\n<head>\n<title>{title}</title>\n</head>\n<body>\n<h1>{title}</h1>\n<ul>\n{items}</ul>\n</body>\n</html>\n"
    )
}

fn media_type(path: &[u8]) -> &'static str {
    match path.rsplit_once_str(".").map_or(&b""[..], |(_, end)| end) {
        b"html" | b"htm" | b"" => "text/html",
        b"css" => "text/css",
        b"js" => "application/javascript",
        b"json" => "application/json",
        b"png" => "image/png",
        b"jpg" | b"jpeg" => "image/jpeg",
        b"svg" => "image/svg+xml",
        b"txt" | b"md" | b"log" => "text/plain",
        _ => "application/octet-stream",
    }
}
