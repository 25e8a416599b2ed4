//! `rails server`: Puma with an application. It serves what lies in `public/` and the welcome page; what the application's
//! own Ruby would answer says that Ruby is not simulated. A database that cannot be reached is an error page, as in Rails.

use std::net::Ipv4Addr;

use bstr::ByteSlice;

use super::database::{self, Trouble};
use super::{App, version};
use crate::base::errno::Errno;
use crate::base::path;
use crate::base::rope::Rope;
use crate::os::kernel::{Disposition, Fd, Open, Proc, Signal};
use crate::os::userland::date::strftime;
use crate::os::userland::http::{percent_decode, read_head};
use crate::os::userland::ruby::gems;

/// What Puma with Rails takes when it idles.
const HEAP_BYTES: u64 = 92 << 20;
/// What starting takes, in ticks of the processor.
const START_TICKS: u64 = 400_000;
const PAGE_TICKS: u64 = 8_000;
/// How many of them at a time, so that a limit on the processor is felt.
const SLICE: u64 = 1_000;

struct Options {
    binding: Option<String>,
    port: u16,
    pid_file: String,
    is_daemon: bool,
}

fn read(proc: &Proc, app: &mut App, args: &[String]) -> Result<Options, String> {
    let environment = |name: &str| proc.getenv(name).map(|value| value.to_str_lossy().into_owned());
    let mut options = Options {
        binding: environment("BINDING"),
        port: environment("PORT").and_then(|port| port.parse().ok()).unwrap_or(3000),
        pid_file: environment("PIDFILE").unwrap_or_else(|| "tmp/pids/server.pid".to_owned()),
        is_daemon: false,
    };
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        let (flag, inline) = match arg.split_once('=') {
            Some((flag, value)) if flag.starts_with("--") => (flag, Some(value.to_owned())),
            _ => match arg.split_at_checked(2) {
                Some((flag, value)) if !arg.starts_with("--") && !value.is_empty() => (flag, Some(value.to_owned())),
                _ => (arg.as_str(), None),
            },
        };
        let mut value = || inline.clone().or_else(|| rest.next().cloned()).unwrap_or_default();
        match flag {
            "-b" | "--binding" => options.binding = Some(value()),
            "-p" | "--port" => {
                let text = value();
                options.port = text
                    .parse()
                    .map_err(|_| format!("Expected numeric value for option '--port'; got \"{text}\"\n"))?;
            }
            "-e" | "--environment" => app.environment = value(),
            "-P" | "--pid" => options.pid_file = value(),
            "-d" | "--daemon" => options.is_daemon = true,
            "-u" | "--using" => drop(value()),
            other => return Err(format!("rails: `rails server {other}` is not simulated in Capas\n")),
        }
    }
    Ok(options)
}

/// `rails server`.
pub async fn main(proc: &Proc, mut app: App, args: &[String]) -> i32 {
    let options = match read(proc, &mut app, args) {
        Ok(options) => options,
        Err(why) => {
            proc.eprint(why).await;
            return 1;
        }
    };
    if proc.chdir(app.dir.as_bytes()).is_err() {
        return 1;
    }
    for _ in 0..START_TICKS / SLICE {
        proc.work(SLICE).await;
    }
    let text = format!(
        "=> Booting Puma\n=> Rails {} application starting in {} \n=> Run `bin/rails server --help` for more startup options\n",
        version(),
        app.environment
    );
    let _ = proc.print(text).await;
    let written = proc.read_file(options.pid_file.as_bytes()).await.map(|file| file.to_vec()).unwrap_or_default();
    let running = written.trim_ascii().to_str_lossy().parse::<i64>().ok().filter(|pid| proc.kill(*pid, None).is_ok());
    if running.is_some() {
        let file = path::join(app.dir.as_bytes(), options.pid_file.as_bytes());
        let text = format!("A server is already running. Check {}.\nExiting\n", file.to_str_lossy());
        proc.eprint(text).await;
        return 1;
    }
    if options.is_daemon {
        let child = proc.fork(move |child| {
            Box::pin(async move {
                child.set_session();
                serve(&child, &app, &options).await
            })
        });
        return i32::from(child.is_err());
    }
    serve(proc, &app, &options).await
}

async fn serve(proc: &Proc, app: &App, options: &Options) -> i32 {
    let release = app.home.release();
    let binding = options
        .binding
        .clone()
        .unwrap_or_else(|| if app.environment == "development" { "localhost" } else { "0.0.0.0" }.to_owned());
    let address = match binding.as_str() {
        "localhost" => Ipv4Addr::LOCALHOST,
        "::" | "[::]" => Ipv4Addr::UNSPECIFIED,
        text => text.parse().unwrap_or(Ipv4Addr::UNSPECIFIED),
    };
    let puma = gems::gem("puma").map_or("5", |gem| gem.version);
    let threads = proc.getenv("RAILS_MAX_THREADS").map_or("5".to_owned(), |text| text.to_str_lossy().into_owned());
    let text = format!(
        "Puma starting in single mode...\n* Puma version: {puma} (ruby {}-p{}) (\"Zawgyi\")\n*  Min threads: {threads}\n*  Max threads: {threads}\n*  Environment: {}\n*          PID: {}\n",
        release.number,
        release.patch,
        app.environment,
        proc.pid()
    );
    let _ = proc.print(text).await;
    if proc.listen(address, options.port).is_err() {
        proc.eprint(format!(
            "Exiting\nAddress already in use - bind(2) for \"{binding}\" port {} (Errno::EADDRINUSE)\n",
            options.port
        ))
        .await;
        return 1;
    }
    let listening = match binding.as_str() {
        "localhost" => format!("* Listening on http://127.0.0.1:{0}\n* Listening on http://[::1]:{0}\n", options.port),
        other => format!("* Listening on http://{other}:{}\n", options.port),
    };
    let _ = proc.print(format!("{listening}Use Ctrl-C to stop\n")).await;
    let _ = super::new::write(proc, &options.pid_file, &proc.pid().to_string(), 0o644).await;
    for signal in [Signal::TERM, Signal::INT] {
        proc.on_signal(signal, Disposition::Handle);
    }
    proc.set_heap(HEAP_BYTES).await;
    loop {
        match proc.accept(&[options.port]).await {
            Ok((fd, _, peer)) => {
                // A client that is gone needs no answer.
                let _ = answer(proc, app, fd, &peer).await;
                let _ = proc.close(fd);
            }
            Err(Errno::EINTR) => {
                let Some(signal) = proc.take_signal() else { continue };
                let stop = if signal == Signal::INT { "^C" } else { "" };
                let time = strftime("%Y-%m-%d %H:%M:%S +0000", proc.now());
                let text = format!(
                    "{stop}- Gracefully stopping, waiting for requests to finish\n=== puma shutdown: {time} ===\n- Goodbye!\nExiting\n"
                );
                let _ = proc.print(text.trim_start_matches("^C")).await;
                let _ = proc.unlink(options.pid_file.as_bytes());
                return if signal == Signal::TERM { 143 } else { 1 };
            }
            Err(_) => return 1,
        }
    }
}

/// What an application answers itself, and the log's last line.
struct Page {
    status: &'static str,
    body: String,
}

fn page(status: &'static str, title: &str, body: &str) -> Page {
    let body = format!(
        "<!DOCTYPE html>\n<html>\n<head>\n<meta charset=\"utf-8\">\n<title>{title}</title>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    );
    Page { status, body }
}

async fn answer(proc: &Proc, app: &App, fd: Fd, peer: &str) -> Result<(), Errno> {
    let Some(head) = read_head(proc, fd).await? else { return Ok(()) };
    let start = head.start.to_str_lossy().into_owned();
    let mut words = start.split(' ');
    let (method, target) = (words.next().unwrap_or_default().to_owned(), words.next().unwrap_or("/").to_owned());
    let place = target.split(['?', '#']).next().unwrap_or_default().to_owned();
    let decoded = percent_decode(place.as_bytes());
    // Normalising keeps `..` below the root.
    let inside = path::normalize(&path::join(b"/", &decoded));
    let file = [app.path("public").as_bytes(), inside.as_slice()].concat();
    if matches!(method.as_str(), "GET" | "HEAD") && proc.stat(&file).is_ok_and(|stat| !stat.is_dir()) {
        let body = proc.read_file(&file).await?;
        return send(proc, fd, "200 OK", kind(&inside), &body).await;
    }
    let time = strftime("%Y-%m-%d %H:%M:%S +0000", proc.now());
    let peer = peer.split(':').next().unwrap_or_default();
    log(proc, app, &format!("Started {method} \"{target}\" for {peer} at {time}\n")).await;
    let page = match database::check(proc, app).await {
        Err(why) => trouble(proc, app, &why).await,
        Ok(()) => route(proc, app, &method, &place).await,
    };
    send(proc, fd, page.status, "text/html; charset=utf-8", &Rope::from(page.body.as_str())).await
}

async fn trouble(proc: &Proc, app: &App, why: &Trouble) -> Page {
    log(proc, app, &format!("  \n{} ({}):\n  \n", why.class, why.text)).await;
    if app.environment != "development" {
        let body = app.text(proc, "public/500.html").await;
        return Page { status: "500 Internal Server Error", body };
    }
    page(
        "500 Internal Server Error",
        "Action Controller: Exception caught",
        &format!("<h1>{}</h1>\n<pre>{}</pre>", why.class, why.text),
    )
}

async fn route(proc: &Proc, app: &App, method: &str, place: &str) -> Page {
    let routes = app.text(proc, "config/routes.rb").await;
    let lines: Vec<&str> = routes.lines().map(str::trim).filter(|line| !line.starts_with('#')).collect();
    let first = place.trim_start_matches('/').split(['/', '.']).next().unwrap_or_default();
    let has_root = lines.iter().any(|line| line.starts_with("root ") || line.starts_with("root("));
    let is_named = |line: &&str| {
        let words: Vec<&str> = line.split([' ', ',', '"', '\'', ':', '/']).filter(|word| !word.is_empty()).collect();
        matches!(words.first(), Some(&("resources" | "resource" | "get" | "post" | "match")))
            && words.get(1) == Some(&first)
    };
    if place == "/" && !has_root && app.environment == "development" {
        log(proc, app, "Processing by Rails::WelcomeController#index as HTML\n").await;
        let begun = proc.now();
        for _ in 0..PAGE_TICKS / SLICE {
            proc.work(SLICE).await;
        }
        let took = proc.now().since(begun).as_secs_f64() * 1000.0;
        log(proc, app, &format!("Completed 200 OK in {took:.0}ms (Views: {took:.1}ms | ActiveRecord: 0.0ms)\n")).await;
        let release = app.home.release();
        let body = format!(
            "<h1>Rails</h1>\n<ul>\n<li>Rails version: {}</li>\n<li>Ruby version: {}</li>\n</ul>",
            version(),
            release.line()
        );
        return page("200 OK", "Ruby on Rails", &body);
    }
    if (place == "/" && has_root) || (place != "/" && lines.iter().any(is_named)) {
        let body = "<h1>Rails</h1>\n<p>The application answers this address with Ruby of its own, which is not simulated in Capas.</p>";
        return page("501 Not Implemented", "Rails", body);
    }
    log(proc, app, &format!("  \nActionController::RoutingError (No route matches [{method}] \"{place}\"):\n  \n"))
        .await;
    if app.environment != "development" {
        let body = app.text(proc, "public/404.html").await;
        return Page { status: "404 Not Found", body };
    }
    page(
        "404 Not Found",
        "Action Controller: Exception caught",
        &format!("<h1>Routing Error</h1>\n<h2>No route matches [{method}] \"{place}\"</h2>"),
    )
}

/// Both to standard output and to the log of the environment, as `rails server` does.
async fn log(proc: &Proc, app: &App, text: &str) {
    let _ = proc.print(text).await;
    if let Ok(fd) = proc.open(app.path(&format!("log/{}.log", app.environment)).as_bytes(), Open::APPEND) {
        let _ = proc.write(fd, text.as_bytes()).await;
        let _ = proc.close(fd);
    }
}

fn kind(name: &[u8]) -> &'static str {
    match name.rsplit_once_str(".").map(|(_, ending)| ending) {
        Some(b"html") => "text/html; charset=utf-8",
        Some(b"txt") => "text/plain",
        Some(b"css") => "text/css",
        Some(b"js") => "text/javascript",
        Some(b"png") => "image/png",
        Some(b"ico") => "image/vnd.microsoft.icon",
        _ => "application/octet-stream",
    }
}

async fn send(proc: &Proc, fd: Fd, status: &str, kind: &str, body: &Rope) -> Result<(), Errno> {
    let head = format!(
        "HTTP/1.1 {status}\r\nX-Frame-Options: SAMEORIGIN\r\nX-Content-Type-Options: nosniff\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    proc.write(fd, head.as_bytes()).await?;
    proc.write_rope(fd, body).await
}
