//! A server of static files: Apache's `httpd`, and Python's `http.server`.

use crate::base::sort::Arrange;
use std::net::Ipv4Addr;

use bstr::{BString, ByteSlice};

use super::http::{percent_decode, read_head};
use crate::base::errno::Errno;
use crate::base::path;
use crate::base::rope::Rope;
use crate::os::kernel::{Disposition, Fd, Proc, Signal};

/// Whose words a server uses.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    Apache,
    Python,
}

const APACHE: &str = "Apache/2.4.51 (Unix)";

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
    let settings = |name: &str| -> Vec<String> {
        let lines = text.lines().map(str::trim).filter_map(|line| line.split_once(char::is_whitespace));
        lines
            .filter(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim().trim_matches('"').to_owned())
            .collect()
    };
    let documents = settings("DocumentRoot").pop().unwrap_or_else(|| format!("{root}/htdocs"));
    let mut ports: Vec<u16> =
        settings("Listen").iter().filter_map(|text| text.rsplit(':').next()?.parse().ok()).collect();
    if ports.is_empty() {
        ports.push(80);
    }
    if args.iter().any(|arg| arg == "-t") {
        proc.eprint("Syntax OK\n").await;
        return 0;
    }
    proc.eprint("AH00558: httpd: Could not reliably determine the server's fully qualified domain name. Set the 'ServerName' directive globally to suppress this message\n").await;
    let time = super::date::strftime("%a %b %d %H:%M:%S.000000 %Y", proc.now());
    let pid = proc.pid();
    proc.eprint(format!(
        "[{time}] [mpm_event:notice] [pid {pid}:tid 1] AH00489: {APACHE} configured -- resuming normal operations\n"
    ))
    .await;
    proc.eprint(format!("[{time}] [core:notice] [pid {pid}:tid 1] AH00094: Command line: 'httpd -D FOREGROUND'\n"))
        .await;
    serve(proc, &documents, &ports, Style::Apache).await
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
    serve(proc, &dir, &[port], Style::Python).await
}

async fn serve(proc: Proc, root: &str, ports: &[u16], style: Style) -> i32 {
    for port in ports {
        if proc.listen(Ipv4Addr::UNSPECIFIED, *port).is_err() {
            let text = match style {
                Style::Apache => format!(
                    "(98)Address already in use: AH00072: make_sock: could not bind to address 0.0.0.0:{port}\nno listening sockets available, shutting down\n"
                ),
                Style::Python => "OSError: [Errno 98] Address already in use\n".to_owned(),
            };
            proc.eprint(text).await;
            return 1;
        }
    }
    for signal in [Signal::TERM, Signal::INT, Signal::WINCH] {
        let ends = signal != Signal::WINCH || style == Style::Apache;
        // The first process of a container has no defaults: Python ends by none but SIGINT there.
        if ends && (style == Style::Apache || signal == Signal::INT) {
            proc.on_signal(signal, Disposition::Handle);
        }
    }
    loop {
        match proc.accept(ports).await {
            Ok((fd, _, peer)) => {
                // One after the other: a request is answered at once.
                let _ = answer(&proc, fd, &peer, root, style).await;
                let _ = proc.close(fd);
            }
            Err(Errno::EINTR) => {
                if proc.take_signal().is_some() {
                    let text = match style {
                        Style::Apache => "AH00492: caught SIGWINCH, shutting down gracefully\n",
                        Style::Python => "\nKeyboard interrupt received, exiting.\n",
                    };
                    proc.eprint(text).await;
                    return 0;
                }
            }
            Err(_) => return 1,
        }
    }
}

async fn answer(proc: &Proc, fd: Fd, peer: &str, root: &str, style: Style) -> Result<(), Errno> {
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
            let index = path::join(&file, b"index.html");
            if proc.stat(&index).is_ok() {
                file = index;
            } else {
                listing = Some(page(proc, &file, place, style));
            }
        } else {
            moved = true;
        }
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
    let (version, server) = match style {
        Style::Apache => ("HTTP/1.1", APACHE),
        Style::Python => ("HTTP/1.0", "SimpleHTTP/0.6 Python/3.9.9"),
    };
    let location = if moved { format!("Location: {place}/\r\n") } else { String::new() };
    let kind = if status == 200 { media_type(&file) } else { "text/html" };
    let text = format!(
        "{version} {status} {reason}\r\nDate: {date}\r\nServer: {server}\r\n{location}Content-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    let host = peer.rsplit_once(':').map_or(peer, |(host, _)| host);
    let time = super::date::strftime("%d/%b/%Y:%H:%M:%S +0000", proc.now());
    match style {
        Style::Apache => proc.print(format!("{host} - - [{time}] \"{start}\" {status} {}\n", body.len())).await?,
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
