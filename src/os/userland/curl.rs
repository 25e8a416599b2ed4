//! `curl` and `wget`, for `http`.

use bstr::{BString, ByteSlice};

use super::http::{Head, Url, read_body, read_head};
use super::program::{Done, Run, run, spec, text};
use crate::base::errno::Errno;
use crate::base::path;
use crate::base::rope::Rope;
use crate::base::time::Timestamp;
use crate::os::args::{flag, long_flag, long_value, value};
use crate::os::kernel::{Fd, Proc};

spec!(
    SPEC,
    "curl",
    "[options...] <url>",
    [
        value('A', "user-agent"),
        value('d', "data"),
        value('e', "referer"),
        flag('f', "fail"),
        flag('G', "get"),
        value('H', "header"),
        flag('i', "include"),
        flag('I', "head"),
        flag('k', "insecure"),
        flag('L', "location"),
        value('m', "max-time"),
        flag('N', "no-buffer"),
        value('o', "output"),
        flag('O', "remote-name"),
        flag('s', "silent"),
        flag('S', "show-error"),
        value('u', "user"),
        flag('v', "verbose"),
        value('w', "write-out"),
        value('X', "request"),
        flag('4', "ipv4"),
        long_value("connect-timeout"),
        long_value("retry"),
        long_value("retry-delay"),
        long_flag("retry-connrefused"),
        long_value("data-raw"),
        long_value("unix-socket"),
        long_value("url"),
        long_flag("compressed"),
        long_flag("fail-with-body"),
        long_flag("http1.1"),
        long_flag("no-progress-meter"),
        flag('V', "version"),
        flag('#', "progress-bar"),
    ],
    usage_status: 2
);

/// The version that the program calls itself.
const VERSION: &str = "7.88.1";
spec!(
    WGET,
    "wget",
    "[OPTION]... [URL]...",
    [
        flag('q', "quiet"),
        value('O', "output-document"),
        flag('S', "server-response"),
        value('T', "timeout"),
        value('t', "tries"),
        flag('c', "continue"),
        value('P', "directory-prefix"),
        long_flag("spider"),
        long_flag("no-check-certificate"),
        long_value("header")
    ]
);

/// `curl`.
pub async fn main(proc: Proc) -> i32 {
    run(proc, &SPEC, |run| Box::pin(body(run))).await
}

/// `wget`.
pub async fn wget(proc: Proc) -> i32 {
    run(proc, &WGET, |run| Box::pin(wget_body(run))).await
}

/// A failure with curl's number and text.
pub struct Failure(pub i32, pub String);

/// A request that was answered.
pub struct Exchange {
    /// The answer's head.
    pub head: Head,
    /// Its body.
    pub body: Rope,
    /// Its status.
    pub status: u16,
    /// Where it came from.
    pub address: String,
}

const TOO_MANY: usize = 50;

/// Connects to a server: the descriptor and where it leads.
async fn dial(proc: &Proc, url: &Url, start: Timestamp, verbose: bool) -> Result<(Fd, String), Failure> {
    let (address, port) = match &url.socket {
        Some(path) => (path.to_string(), 0),
        None => {
            let addresses = proc.resolve(&url.host).await;
            let Some(address) = addresses.ok().and_then(|all| all.first().copied()) else {
                return Err(Failure(6, format!("Could not resolve host: {}", url.host)));
            };
            (address.to_string(), url.port)
        }
    };
    if verbose {
        proc.eprint(format!("*   Trying {address}:{port}...\n")).await;
    }
    let connected = match (&url.socket, address.parse()) {
        (None, Ok(address)) => proc.connect((address, port)).await,
        _ => proc.connect_at(address.as_bytes()),
    };
    match connected {
        Ok(fd) => Ok((fd, address)),
        Err(error) => {
            let millis = proc.now().since(start).as_millis();
            if verbose {
                proc.eprint(format!("* connect to {address} port {} failed: {}\n", url.port, error.strerror())).await;
            }
            let text = format!(
                "Failed to connect to {} port {} after {millis} ms: Couldn't connect to server",
                url.host, url.port
            );
            Err(Failure(7, text))
        }
    }
}

/// Asks a server.
///
/// # Errors
/// As curl numbers them.
pub async fn exchange(
    proc: &Proc,
    url: &Url,
    method: &str,
    headers: &str,
    data: &Rope,
    verbose: bool,
) -> Result<Exchange, Failure> {
    if url.scheme != "http" {
        let known = matches!(url.scheme.as_str(), "https" | "ftp" | "file");
        let text = if known {
            format!("{} is not simulated", url.scheme)
        } else {
            format!("Protocol \"{}\" not supported or disabled in libcurl", url.scheme)
        };
        return Err(Failure(1, text));
    }
    let start = proc.now();
    let (fd, address) = dial(proc, url, start, verbose).await?;
    let request = format!("{method} {} HTTP/1.1\r\nHost: {}\r\n{headers}\r\n", url.path, url.authority);
    if verbose {
        let shown: String = request.lines().map(|line| format!("> {line}\n")).collect();
        proc.eprint(format!("* Connected to {} ({address}) port {} (#0)\n{shown}", url.host, url.port)).await;
    }
    let mut whole = Rope::from(request.as_str());
    whole.push(data);
    let sent = proc.write_rope(fd, &whole).await;
    let head = match sent {
        Ok(()) => read_head(proc, fd).await,
        Err(error) => Err(error),
    };
    let head = match head {
        Ok(Some(head)) => head,
        Ok(None) => return Err(Failure(52, "Empty reply from server".to_owned())),
        Err(Errno::ECONNRESET | Errno::EPIPE) => {
            return Err(Failure(56, "Recv failure: Connection reset by peer".to_owned()));
        }
        Err(error) => return Err(Failure(56, format!("Recv failure: {}", error.strerror()))),
    };
    if !head.start.starts_with(b"HTTP/") {
        return Err(Failure(1, "Received HTTP/0.9 when not allowed".to_owned()));
    }
    if verbose {
        let shown: String = head.raw.lines().map(|line| format!("< {}\n", text(line))).collect();
        proc.eprint(shown).await;
    }
    let status = head.start.split_str(" ").nth(1).and_then(super::program::number).unwrap_or(0);
    let none = method == "HEAD" || status == 204 || status == 304;
    let body = if none { Ok(Rope::new()) } else { read_body(proc, fd, &head).await };
    let _ = proc.close(fd);
    match body {
        Ok(body) => Ok(Exchange { head, body, status, address }),
        Err(error) => Err(Failure(56, format!("Recv failure: {}", error.strerror()))),
    }
}

async fn body(run: &mut Run) -> Done {
    if run.args.has('V') {
        let text = format!(
            "curl {VERSION} (x86_64-pc-linux-gnu) libcurl/{VERSION}\nRelease-Date: 2023-02-20\nProtocols: http\nFeatures: \n"
        );
        run.put(text).await?;
        return Ok(0);
    }
    let mut urls = run.args.operands.clone();
    urls.extend(run.args.values("url").map(ToOwned::to_owned).collect::<Vec<_>>());
    if urls.is_empty() {
        run.proc.eprint("curl: try 'curl --help' or 'curl --manual' for more information\n").await;
        return Ok(2);
    }
    let mut last = 0;
    for given in urls {
        let fetched = fetch(run, &given).await?;
        if let (Err(_), Some(format)) = (&fetched, run.args.value('w').map(ToOwned::to_owned)) {
            // A transfer that failed is told of, too.
            let told = [("http_code", "000"), ("response_code", "000"), ("size_download", "0"), ("num_redirects", "0")];
            write_out(run, &format, &told.map(|(name, value)| (name, value.to_owned()))).await?;
        }
        match fetched {
            Ok(()) => {}
            Err(Failure(code, message)) => {
                if !run.args.has('s') || run.args.has('S') {
                    let _ = run.flush().await;
                    run.proc.eprint(format!("curl: ({code}) {message}\n")).await;
                }
                last = code;
            }
        }
    }
    Ok(last)
}

async fn fetch(run: &mut Run, given: &[u8]) -> Result<Result<(), Failure>, Errno> {
    let Some(mut url) = Url::parse(&text(given)) else {
        return Ok(Err(Failure(3, "URL using bad/illegal format or missing URL".to_owned())));
    };
    if url.host.is_empty() {
        return Ok(Err(Failure(3, "URL using bad/illegal format or missing URL".to_owned())));
    }
    url.socket = run.args.value("unix-socket").map(ToOwned::to_owned);
    let data: Vec<BString> = run
        .args
        .iter()
        .filter(|(o, _)| o.long == "data" || o.long == "data-raw")
        .filter_map(|(_, v)| v.map(ToOwned::to_owned))
        .collect();
    let mut data: BString = bstr::join("&", data).into();
    if let Some(file) = data.strip_prefix(b"@").map(BString::from) {
        match run.slurp(&file).await {
            Some(content) => {
                data = content
                    .head(1 << 24)
                    .into_iter()
                    .filter(|b| !matches!(b, b'\r' | b'\n'))
                    .collect::<Vec<u8>>()
                    .into()
            }
            None => return Ok(Err(Failure(26, format!("Failed to open {file}")))),
        }
    }
    if run.args.has('G') && !data.is_empty() {
        let joint = if url.path.contains('?') { '&' } else { '?' };
        url.path.push(joint);
        url.path.push_str(&text(&data));
        data.clear();
    }
    let head_only = run.args.has('I');
    let default = if head_only {
        "HEAD"
    } else if data.is_empty() {
        "GET"
    } else {
        "POST"
    };
    let method = run.args.value('X').map_or_else(|| default.to_owned(), |m| text(m));
    let agent = run.args.value('A').map_or_else(|| format!("curl/{VERSION}"), |a| text(a));
    let mut headers = format!("User-Agent: {agent}\r\nAccept: */*\r\n");
    for header in run.args.values('H') {
        headers.push_str(&format!("{}\r\n", text(header)));
    }
    if !data.is_empty() {
        headers.push_str(&format!(
            "Content-Length: {}\r\nContent-Type: application/x-www-form-urlencoded\r\n",
            data.len()
        ));
    }
    let verbose = run.args.has('v');
    let seconds = |key: &str| run.args.value(key).map(|value| super::program::number::<f64>(value));
    let limits = [seconds("max-time"), seconds("connect-timeout")];
    if limits.contains(&Some(None)) {
        return Ok(Err(Failure(2, "option -m: expected a proper numerical parameter".to_owned())));
    }
    let limit = limits.first().copied().flatten().flatten().filter(|limit| *limit > 0.0 && *limit < 1e9);
    let start = run.proc.now();
    let mut hops = 0;
    let done = loop {
        let (proc, data) = (run.proc.clone(), Rope::from(data.as_slice()));
        let asked = async { exchange(&proc, &url, &method, &headers, &data, verbose).await };
        let late = async {
            let spent = proc.now().since(start).as_secs_f64();
            match limit {
                Some(limit) => drop(proc.sleep(std::time::Duration::from_secs_f64((limit - spent).max(0.0))).await),
                None => std::future::pending::<()>().await,
            }
            let millis = proc.now().since(start).as_millis();
            Err(Failure(28, format!("Operation timed out after {millis} milliseconds with 0 bytes received")))
        };
        let done = match futures_lite::future::or(asked, late).await {
            Ok(done) => done,
            Err(failure) => return Ok(Err(failure)),
        };
        let location = done.head.get("location").map(|l| text(l));
        if run.args.has('i') || head_only {
            run.put(&done.head.raw).await?;
        }
        match location.filter(|_| run.args.has('L') && (300..400).contains(&done.status)) {
            Some(location) if hops < TOO_MANY => {
                hops += 1;
                match url.join(&location) {
                    Some(next) => url = next,
                    None => break done,
                }
            }
            Some(_) => return Ok(Err(Failure(47, format!("Maximum ({TOO_MANY}) redirects followed")))),
            None => break done,
        }
    };
    if run.args.has('f') && done.status >= 400 {
        return Ok(Err(Failure(22, format!("The requested URL returned error: {}", done.status))));
    }
    let file = if run.args.has('O') {
        Some(path::file_name(url.path.split('?').next().unwrap_or_default().as_bytes()).to_owned())
    } else {
        run.args.value('o').map(ToOwned::to_owned)
    };
    match file {
        Some(name) if name.is_empty() => return Ok(Err(Failure(23, "Remote file name has no length!".to_owned()))),
        Some(name) if name != "-" => {
            if !run.args.has('s') {
                run.proc.eprint(progress(done.body.len())).await;
            }
            if let Err(error) = run.proc.write_file(&name, &done.body).await {
                run.proc.eprint(format!("Warning: Failed to open the file {name}: {}\n", error.strerror())).await;
                return Ok(Err(Failure(23, "Failure writing output to destination".to_owned())));
            }
        }
        _ => {
            if !run.args.has('s') && run.proc.tty_of(1).is_none() && !head_only {
                run.proc.eprint(progress(done.body.len())).await;
            }
            run.put_rope(&done.body).await?;
        }
    }
    if let Some(format) = run.args.value('w').map(ToOwned::to_owned) {
        let kind = done.head.get("content-type").map(|v| text(v)).unwrap_or_default();
        let total = format!("{:.6}", run.proc.now().since(start).as_secs_f64());
        let status = format!("{:03}", done.status);
        let version = text(done.head.start.get(5..8).unwrap_or_default());
        let told = [
            ("http_code", status.clone()),
            ("response_code", status),
            ("size_download", done.body.len().to_string()),
            ("size_header", done.head.raw.len().to_string()),
            ("content_type", kind),
            ("remote_ip", done.address.clone()),
            ("remote_port", url.port.to_string()),
            ("num_redirects", hops.to_string()),
            ("method", method),
            ("scheme", url.scheme.to_uppercase()),
            ("http_version", version.trim_end_matches(".0").to_owned()),
            ("url_effective", format!("{}://{}{}", url.scheme, url.authority, url.path)),
            ("time_total", total.clone()),
            ("time_starttransfer", total.clone()),
            ("time_connect", total.clone()),
            ("time_namelookup", total),
            ("time_appconnect", "0.000000".to_owned()),
            ("time_pretransfer", "0.000000".to_owned()),
            ("time_redirect", "0.000000".to_owned()),
        ];
        write_out(run, &format, &told).await?;
    }
    Ok(Ok(()))
}

/// What `-w` asks for: `%{name}` and escapes.
async fn write_out(run: &mut Run, format: &[u8], told: &[(&str, String)]) -> Result<(), Errno> {
    let format = text(&super::echo::unescape(format, false).0);
    let (mut rest, mut out) = (format.as_str(), String::new());
    while let Some((before, after)) = rest.split_once("%{") {
        out.push_str(before);
        let Some((name, after)) = after.split_once('}') else {
            out.push_str("%{");
            rest = after;
            break;
        };
        match told.iter().find(|(known, _)| *known == name) {
            Some((_, value)) => out.push_str(value),
            None => run.proc.eprint(format!("curl: unknown --write-out variable: '{name}'\n")).await,
        }
        rest = after;
    }
    out.push_str(rest);
    run.put(out.replace("%%", "%")).await
}

/// curl's progress meter after a transfer that took no time.
fn progress(bytes: u64) -> String {
    format!(
        "  % Total    % Received % Xferd  Average Speed   Time    Time     Time  Current\n                                 Dload  Upload   Total   Spent    Left  Speed\n\r  0     0    0     0    0     0      0      0 --:--:-- --:--:-- --:--:--     0\r100 {bytes:5}  100 {bytes:5}    0     0  {bytes:5}      0 --:--:-- --:--:-- --:--:-- {bytes:5}\n"
    )
}

async fn wget_body(run: &mut Run) -> Done {
    if run.args.operands.is_empty() {
        return Ok(run.missing("missing URL").await);
    }
    let quiet = run.args.has('q');
    for given in run.args.operands.clone() {
        let Some(mut url) = Url::parse(&text(&given)) else {
            run.complain(format!("{given}: Bad port number.")).await;
            continue;
        };
        let mut headers =
            "User-Agent: Wget/1.21.3\r\nAccept: */*\r\nAccept-Encoding: identity\r\nConnection: close\r\n".to_owned();
        for header in run.args.values("header") {
            headers.push_str(&format!("{}\r\n", text(header)));
        }
        let mut hops = 0;
        let done = loop {
            let address = run.proc.resolve(&url.host).await.ok().and_then(|all| all.first().copied());
            if let (Some(address), false) = (address, quiet) {
                let date = super::date::strftime("%F %T", run.proc.now());
                let (host, port) = (&url.host, url.port);
                run.proc
                    .eprint(match run.is_busybox() {
                        true => format!("Connecting to {host} ({address}:{port})\n"),
                        false if *host == address.to_string() => {
                            format!("--{date}--  {}://{}{}\n", url.scheme, url.authority, url.path)
                        }
                        false => format!(
                            "--{date}--  {}://{}{}\nResolving {host} ({host})... {address}\n",
                            url.scheme, url.authority, url.path
                        ),
                    })
                    .await;
            }
            match exchange(&run.proc, &url, "GET", &headers, &Rope::new(), false).await {
                Ok(done) if (300..400).contains(&done.status) && hops < 20 => {
                    hops += 1;
                    match done.head.get("location").and_then(|l| url.join(&text(l))) {
                        Some(next) => url = next,
                        None => break Some(done),
                    }
                }
                Ok(done) => break Some(done),
                Err(Failure(6, _)) if run.is_busybox() => {
                    run.complain(format!("bad address '{}'", url.host)).await;
                    break None;
                }
                Err(Failure(6, _)) => {
                    run.complain(format!("unable to resolve host address '{}'", url.host)).await;
                    run.status = 4;
                    break None;
                }
                Err(Failure(7, _)) if run.is_busybox() => {
                    run.complain(format!("can't connect to remote host ({}): Connection refused", url.host)).await;
                    break None;
                }
                Err(Failure(7, _)) => {
                    run.proc
                        .eprint(format!("Connecting to {}:{}... failed: Connection refused.\n", url.host, url.port))
                        .await;
                    run.status = 4;
                    break None;
                }
                Err(Failure(_, message)) => {
                    run.complain(message).await;
                    break None;
                }
            }
        };
        let Some(done) = done else { continue };
        let busybox = run.is_busybox();
        let kind = done.head.get("content-type").map(|kind| text(kind)).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().to_owned();
        if !quiet && !busybox {
            let place = match url.host == done.address {
                true => format!("{}:{}", done.address, url.port),
                false => format!("{0} ({0})|{1}|:{2}", url.host, done.address, url.port),
            };
            let line = text(done.head.start.split_once_str(" ").map_or(b"".as_slice(), |(_, rest)| rest));
            run.proc
                .eprint(format!(
                    "Connecting to {place}... connected.\nHTTP request sent, awaiting response... {line}\n"
                ))
                .await;
        }
        if run.args.has('S') {
            let head: String = done
                .head
                .raw
                .lines()
                .filter(|line| !line.is_empty())
                .map(|line| format!("  {}\n", text(line)))
                .collect();
            run.proc.eprint(head).await;
        }
        if done.status >= 400 {
            let line = text(done.head.start.split_once_str(" ").map_or(b"".as_slice(), |(_, rest)| rest));
            if run.is_busybox() {
                run.complain(format!("server returned error: {}", text(&done.head.start))).await;
            } else {
                if !quiet {
                    let date = super::date::strftime("%F %T", run.proc.now());
                    run.proc.eprint(format!("{date} ERROR {}.\n\n", line.replacen(' ', ": ", 1))).await;
                }
                run.status = 8;
            }
            continue;
        }
        if run.args.has("spider") {
            continue;
        }
        let own = path::file_name(url.path.split('?').next().unwrap_or_default().as_bytes()).to_owned();
        let own = if own.is_empty() { "index.html".into() } else { own };
        let name: BString = run.args.value('O').map_or(own, ToOwned::to_owned);
        let (length, shown) = (done.body.len(), name == "-");
        if !quiet && !busybox {
            let to = if shown { "STDOUT".to_owned() } else { format!("'{name}'") };
            run.proc.eprint(format!("Length: {length} [{kind}]\nSaving to: {to}\n\n")).await;
        } else if !quiet {
            run.proc
                .eprint(if shown { "writing to stdout\n".to_owned() } else { format!("saving to '{name}'\n") })
                .await;
        }
        let place = run.args.value('P').filter(|_| !shown).map_or_else(|| name.clone(), |dir| path::join(dir, &name));
        if shown {
            run.put_rope(&done.body).await?;
        } else if let Err(error) = run.proc.write_file(&place, &done.body).await {
            run.complain_path(&place, error).await;
            continue;
        }
        if quiet {
            continue;
        }
        let stars = "*".repeat(32);
        run.proc
            .eprint(match (busybox, shown) {
                (true, true) => format!("{name:<20} 100% |{stars}| {length:>5}  0:00:00 ETA\nwritten to stdout\n"),
                (true, false) => format!("{name:<20} 100% |{stars}| {length:>5}  0:00:00 ETA\n'{name}' saved\n"),
                (false, _) => {
                    let date = super::date::strftime("%F %T", run.proc.now());
                    let to = if shown { "written to stdout".to_owned() } else { format!("'{place}' saved") };
                    format!("     0K{:>56}100%  0.00 =0s\n\n{date} (--.-KB/s) - {to} [{length}/{length}]\n\n", "")
                }
            })
            .await;
    }
    Ok(0)
}
