//! `npm start` of an Express application as the generator writes it: it says what it runs, listens on a port and answers
//! with its one page. The language behind it is not simulated: the image brings this program in place of `npm`.

use std::net::Ipv4Addr;

use bstr::ByteSlice;

use super::date::strftime;
use super::http::read_head;
use crate::base::errno::Errno;
use crate::os::kernel::{Disposition, Proc, Signal};

const PAGE: &str = "<!DOCTYPE html><html><head><title>Express</title><link rel=\"stylesheet\" href=\"/stylesheets/style.css\"></head><body><h1>Express</h1><p>Welcome to Express</p></body></html>";
const MISSING: &str =
    "<!DOCTYPE html><html><head><title></title></head><body><h1>Not Found</h1><h2>404</h2></body></html>";
/// What Node.js takes when it idles.
const HEAP_BYTES: u64 = 18 << 20;
/// What a page costs, in ticks of the processor.
const PAGE_TICKS: u64 = 60_000;
/// How many of them at a time, so that a limit on the processor is felt.
const SLICE: u64 = 500;

/// `npm start`.
pub async fn main(proc: Proc) -> i32 {
    let args = proc.args();
    if args.get(1).is_none_or(|verb| verb != "start") {
        proc.eprint("npm: only `npm start` of this application is simulated in Capas\n").await;
        return 1;
    }
    let port = proc.getenv("PORT").and_then(|port| port.to_str_lossy().parse().ok()).unwrap_or(3000);
    let _ = proc.print("\n> express@0.0.0 start /app\n> node ./bin/www\n\n").await;
    if proc.listen(Ipv4Addr::UNSPECIFIED, port).is_err() {
        proc.eprint(format!("Port {port} is already in use\n")).await;
        return 1;
    }
    for signal in [Signal::TERM, Signal::INT] {
        proc.on_signal(signal, Disposition::Handle);
    }
    proc.set_heap(HEAP_BYTES).await;
    loop {
        match proc.accept(&[port]).await {
            Ok((fd, ..)) => {
                if let Ok(Some(head)) = read_head(&proc, fd).await {
                    for _ in 0..PAGE_TICKS / SLICE {
                        proc.work(SLICE).await;
                    }
                    let start = head.start.to_str_lossy().into_owned();
                    let path = start.split(' ').nth(1).unwrap_or("/").to_owned();
                    let (status, body) = if path == "/" { ("200 OK", PAGE) } else { ("404 Not Found", MISSING) };
                    let date = strftime("%a, %d %b %Y %H:%M:%S GMT", proc.now());
                    let answer = format!(
                        "HTTP/1.1 {status}\r\nX-Powered-By: Express\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\nDate: {date}\r\nConnection: close\r\n\r\n{body}",
                        body.len()
                    );
                    let _ = proc.write(fd, answer.as_bytes()).await;
                    let code = status.split(' ').next().unwrap_or_default();
                    let _ = proc.print(format!("GET {path} {code} 4.207 ms - {}\n", body.len())).await;
                }
                let _ = proc.close(fd);
            }
            Err(Errno::EINTR) => {
                if proc.take_signal().is_some() {
                    return 143;
                }
            }
            Err(_) => return 1,
        }
    }
}
