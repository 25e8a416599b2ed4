//! The student's browser on the host: it asks the servers of the machine's own network, as `curl` there would.
//!
//! A request is an input of the machine and stands in the journal, as it may change what the server remembers (its logs, at
//! the least). The answer is outside of the machine: it waits here until somebody takes it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use bstr::ByteSlice;
use serde::{Deserialize, Serialize};

use crate::base::rope::Rope;
use crate::os::kernel::{Kernel, ProcessSpec};
use crate::os::userland::curl::{Failure, exchange};
use crate::os::userland::http::Url;

/// Answers that nobody takes are kept up to this number.
const MAX_KEPT: usize = 64;
/// Addresses that one request is led to at most (Fetch standard: 20).
const MAX_REDIRECTS: usize = 20;
/// The name that the browser gives servers.
const AGENT: &str = "Mozilla/5.0 (X11; Linux x86_64) Capas";

/// What a browser asks for.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Request {
    /// The address.
    pub url: String,
    /// `GET` when empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub method: String,
    /// What the body is.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub content_type: String,
    /// A form's content.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub body: String,
}

/// A server's answer.
#[derive(Clone, Debug)]
pub struct Page {
    /// Where it came from in the end.
    pub url: String,
    /// Its status.
    pub status: u16,
    /// `Content-Type`.
    pub content_type: String,
    /// The body.
    pub body: Rope,
}

/// Why there is none. Which error a browser shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NoPage {
    /// The address is none.
    BadAddress,
    /// Not `http`.
    Scheme,
    /// Nobody has this name.
    UnknownHost,
    /// Nobody listens there.
    Refused,
    /// The server hung up without an answer.
    Empty,
    /// What came is not HTTP, or was cut off.
    Broken,
    /// It is led in circles.
    TooManyRedirects,
}

/// The answers that wait.
#[derive(Clone, Default)]
pub struct Browser(Rc<RefCell<Answers>>);

#[derive(Default)]
struct Answers {
    next: u32,
    by_request: BTreeMap<u32, Result<Page, NoPage>>,
}

impl Browser {
    /// Starts a request; gives its number.
    pub fn ask(&self, kernel: &Kernel, spec: ProcessSpec, request: Request) -> u32 {
        let mut answers = self.0.borrow_mut();
        let number = answers.next;
        answers.next = answers.next.wrapping_add(1);
        drop(answers);
        let waiting = Rc::clone(&self.0);
        let spec = ProcessSpec { program: "/usr/bin/browser".into(), args: vec!["browser".into()], ..spec };
        let started = kernel.spawn_with(spec, move |proc| {
            Box::pin(async move {
                let answer = visit(&proc, &request).await;
                let by_request = &mut waiting.borrow_mut().by_request;
                by_request.insert(number, answer);
                while by_request.len() > MAX_KEPT {
                    by_request.pop_first();
                }
                0
            })
        });
        if started.is_err() {
            self.0.borrow_mut().by_request.insert(number, Err(NoPage::Broken));
        }
        number
    }

    /// Takes an answer that has come.
    pub fn take(&self, number: u32) -> Option<Result<Page, NoPage>> {
        self.0.borrow_mut().by_request.remove(&number)
    }
}

async fn visit(proc: &crate::os::kernel::Proc, request: &Request) -> Result<Page, NoPage> {
    let mut url = Url::parse(&request.url).filter(|url| !url.host.is_empty()).ok_or(NoPage::BadAddress)?;
    let mut method = if request.method.is_empty() { "GET" } else { request.method.as_str() };
    let mut body = request.body.as_bytes();
    for _ in 0..MAX_REDIRECTS {
        if url.scheme != "http" {
            return Err(NoPage::Scheme);
        }
        // A line break would begin a header of the page's own making.
        if [&url.path, &url.authority, &request.content_type, &request.method].iter().any(|s| s.contains(['\r', '\n']))
        {
            return Err(NoPage::BadAddress);
        }
        url.path = url.path.replace(' ', "%20");
        let mut headers = format!("User-Agent: {AGENT}\r\nAccept: */*\r\nConnection: close\r\n");
        if !body.is_empty() {
            headers.push_str(&format!("Content-Type: {}\r\nContent-Length: {}\r\n", request.content_type, body.len()));
        }
        let answer = exchange(proc, &url, method, &headers, &body.into(), false).await.map_err(
            |Failure(number, _)| match number {
                6 => NoPage::UnknownHost,
                7 => NoPage::Refused,
                52 => NoPage::Empty,
                _ => NoPage::Broken,
            },
        )?;
        let header = |name: &str| answer.head.get(name).map(|value| value.to_str_lossy().into_owned());
        if let (301 | 302 | 303 | 307 | 308, Some(location)) = (answer.status, header("location")) {
            url = url.join(&location).ok_or(NoPage::BadAddress)?;
            // Fetch standard, HTTP-redirect fetch, 12: a form that was sent is not sent again.
            if answer.status == 303 || (answer.status <= 302 && method == "POST") {
                (method, body) = ("GET", b"");
            }
            continue;
        }
        return Ok(Page {
            url: format!("http://{}{}", url.authority, url.path),
            status: answer.status,
            content_type: header("content-type").unwrap_or_default(),
            body: answer.body,
        });
    }
    Err(NoPage::TooManyRedirects)
}
