//! One request and its answer, between a connection and the process of the machine that does the work.
//!
//! The process waits for the connection through the kernel's own waiters, as for everything in the machine; the connection
//! waits for the process through channels. Whoever hangs up ends the process.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use hyper::body::Bytes;
use hyper::{HeaderMap, Method};
use serde_json::Value;
use tokio::sync::mpsc::error::{TryRecvError, TrySendError};
use tokio::sync::{Notify, mpsc, oneshot};

use crate::base::rope::Rope;
use crate::docker::cli::client::race;
use crate::docker::cli::config;
use crate::docker::daemon::api::image::Credentials;
use crate::docker::daemon::api::{Daemon, DaemonError, Filters};
use crate::os::kernel::signal::{Disposition, Signal};
use crate::os::kernel::wait::Waiters;
use crate::os::kernel::{Kernel, Proc, ProcessSpec};

/// Pieces of a body on their way.
const PIECES: usize = 64;
/// Bytes of a piece of a large body.
const PIECE_BYTES: u64 = 1 << 18;
/// Until a slow client is looked at again, in the machine's time.
const SLOW: Duration = Duration::from_millis(5);

/// What a client asks.
pub struct Ask {
    /// The method.
    pub method: Method,
    /// The version that the path begins with.
    pub version: Option<String>,
    /// The path without the version, cut at its slashes.
    pub path: Vec<String>,
    /// What follows the question mark.
    pub query: Query,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// Whether the connection is to become a raw stream.
    pub upgrade: bool,
}

/// The parameters of a request.
#[derive(Default)]
pub struct Query(BTreeMap<String, Vec<String>>);

impl Query {
    /// Reads `a=1&b=%2F`.
    pub fn parse(text: &str) -> Self {
        let mut values: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let decode = |text: &str| unescape(&text.replace('+', " "));
            values.entry(decode(key)).or_default().push(decode(value));
        }
        Self(values)
    }

    /// All values of a parameter.
    pub fn all(&self, name: &str) -> Vec<String> {
        self.0.get(name).cloned().unwrap_or_default()
    }

    /// A parameter's value, or nothing.
    pub fn text(&self, name: &str) -> String {
        self.0.get(name).and_then(|values| values.first()).cloned().unwrap_or_default()
    }

    /// The value, if it is not empty.
    pub fn given(&self, name: &str) -> Option<String> {
        Some(self.text(name)).filter(|text| !text.is_empty())
    }

    /// moby `api/server/httputils/form.go` `BoolValue`.
    pub fn flag(&self, name: &str) -> bool {
        !matches!(self.text(name).trim().to_ascii_lowercase().as_str(), "" | "0" | "no" | "false" | "none")
    }

    /// A number, if it is one.
    pub fn number<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.text(name).parse().ok()
    }

    /// `filters`: `{"label":{"a":true}}`, or lists as old clients send them.
    ///
    /// # Errors
    /// What is no such document.
    pub fn filters(&self) -> Result<Filters, Refusal> {
        let mut filters = Filters::new();
        let Some(text) = self.given("filters") else { return Ok(filters) };
        let bad = || Refusal::new(400, "invalid filter");
        let Ok(Value::Object(fields)) = serde_json::from_str(&text) else { return Err(bad()) };
        for (name, values) in fields {
            let values = match values {
                Value::Object(values) => {
                    values.into_iter().filter(|(_, on)| on == &Value::Bool(true)).map(|(v, _)| v).collect()
                }
                Value::Array(values) => values.iter().filter_map(Value::as_str).map(ToOwned::to_owned).collect(),
                _ => return Err(bad()),
            };
            filters.insert(name, values);
        }
        Ok(filters)
    }
}

/// Percent-encoded text.
pub fn unescape(text: &str) -> String {
    let (mut out, mut bytes) = (Vec::new(), text.bytes());
    while let Some(byte) = bytes.next() {
        let mut ahead = bytes.clone();
        let digit = |byte: Option<u8>| byte.and_then(|b| char::from(b).to_digit(16)).and_then(|d| u8::try_from(d).ok());
        match (byte, digit(ahead.next()), digit(ahead.next())) {
            (b'%', Some(high), Some(low)) => {
                out.push(high * 16 + low);
                bytes = ahead;
            }
            _ => out.push(byte),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

impl Ask {
    /// A part of the path, or nothing.
    pub fn part(&self, index: usize) -> &str {
        self.path.get(index).map_or("", String::as_str)
    }

    /// The image whose name stands between the first part of the path and the last `after` ones.
    pub fn image(&self, after: usize) -> String {
        let end = self.path.len().saturating_sub(after).max(1);
        self.path.get(1..end).unwrap_or_default().join("/")
    }

    /// The body as JSON; an empty one is an empty object.
    ///
    /// # Errors
    /// What is no JSON.
    pub fn json(&self) -> Result<Value, Refusal> {
        if self.body.trim_ascii().is_empty() {
            return Ok(Value::Object(serde_json::Map::new()));
        }
        serde_json::from_slice(&self.body).map_err(|error| Refusal::new(400, format!("invalid JSON: {error}")))
    }

    /// What `X-Registry-Auth` tells of the account.
    pub fn credentials(&self) -> Option<Credentials> {
        let text = self.headers.get("x-registry-auth")?.to_str().ok()?;
        let text: String = text.trim_end_matches('=').replace('-', "+").replace('_', "/");
        let padded = format!("{text}{}", "=".repeat((4 - text.len() % 4) % 4));
        let account: Value = serde_json::from_slice(&config::decode(&padded)?).ok()?;
        let field = |name: &str| account.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        Some(Credentials { username: field("username"), password: field("password") })
            .filter(|c| !c.username.is_empty())
    }
}

/// Why a request is refused: a status and words.
#[derive(Debug)]
pub struct Refusal {
    status: u16,
    message: String,
}

impl Refusal {
    /// A refusal of our own.
    pub fn new(status: u16, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }

    /// What Docker has and Capas has not.
    pub fn not_simulated(what: &str) -> Self {
        Self::new(501, format!("{what} is not simulated in Capas"))
    }
}

impl From<DaemonError> for Refusal {
    fn from(error: DaemonError) -> Self {
        Self::new(error.http_status(), error.to_string())
    }
}

/// An answer that is there as a whole.
pub struct Answer {
    status: u16,
    kind: &'static str,
    headers: Vec<(&'static str, String)>,
    body: Rope,
}

impl Answer {
    /// A status without a body.
    pub fn empty(status: u16) -> Self {
        Self { status, kind: "", headers: Vec::new(), body: Rope::new() }
    }

    /// A JSON document, ended by a line break as Go's encoder does.
    pub fn json(status: u16, value: &Value) -> Self {
        let body = format!("{value}\n").into_bytes().into();
        Self { status, kind: "application/json", headers: Vec::new(), body }
    }

    /// Bytes.
    pub fn bytes(kind: &'static str, body: Rope) -> Self {
        Self { status: 200, kind, headers: Vec::new(), body }
    }

    /// With a header.
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// What a route gives: an answer, or nothing when it has streamed one.
pub type Routed = Result<Option<Answer>, Refusal>;

/// The first part of an answer, for the connection.
pub struct Head {
    /// The status.
    pub status: u16,
    /// `Content-Type`; empty for none.
    pub kind: String,
    /// Further headers.
    pub headers: Vec<(&'static str, String)>,
    /// The body's pieces.
    pub body: mpsc::Receiver<Bytes>,
    /// How long the body is, if that is known.
    pub length: Option<u64>,
}

/// What a connection and a process know of one another.
pub struct Link {
    is_gone: Cell<bool>,
    waiters: Waiters,
    work: Rc<Notify>,
}

impl Link {
    /// Wakes the process.
    pub fn wake(&self) {
        self.waiters.wake();
        self.work.notify_one();
    }
}

/// Dropping it tells the process that the connection is gone.
pub struct Presence(Rc<Link>);

impl Presence {
    /// The link.
    pub fn link(&self) -> &Link {
        &self.0
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        self.0.is_gone.set(true);
        self.0.wake();
    }
}

/// A request at work, in its process.
pub struct Call {
    /// The process.
    pub proc: Proc,
    /// The daemon.
    pub daemon: Daemon,
    /// What is asked.
    pub ask: Ask,
    kernel: Kernel,
    link: Rc<Link>,
    head: Cell<Option<oneshot::Sender<Head>>>,
    input: RefCell<mpsc::Receiver<Bytes>>,
}

/// Where a streamed answer goes.
pub struct Outlet<'a> {
    call: &'a Call,
    to: mpsc::Sender<Bytes>,
}

impl Outlet<'_> {
    /// Sends bytes, waiting for a slow client. `false` when nobody reads any more.
    pub async fn write(&self, bytes: impl Into<Bytes>) -> bool {
        let mut bytes = bytes.into();
        loop {
            match self.to.try_send(bytes) {
                Ok(()) => return true,
                Err(TrySendError::Closed(_)) => return false,
                Err(TrySendError::Full(back)) => {
                    bytes = back;
                    self.call.kernel.sleep(SLOW).await;
                }
            }
        }
    }

    /// Sends a document on a line of its own.
    pub async fn json(&self, value: &Value) -> bool {
        self.write(format!("{value}\r\n")).await
    }

    /// Sends many bytes.
    pub async fn rope(&self, rope: &Rope) -> bool {
        let mut reader = rope.reader();
        while reader.remaining() > 0 {
            let Some(piece) = reader.take_bytes(reader.remaining().min(PIECE_BYTES)) else { return false };
            if !self.write(piece).await {
                return false;
            }
        }
        true
    }
}

impl Call {
    /// Begins an answer whose body follows.
    pub fn stream(&self, status: u16, kind: &str) -> Outlet<'_> {
        self.begin(status, kind, Vec::new(), None)
    }

    fn begin(&self, status: u16, kind: &str, headers: Vec<(&'static str, String)>, length: Option<u64>) -> Outlet<'_> {
        let (to, body) = mpsc::channel(PIECES);
        if let Some(head) = self.head.take() {
            // Nobody may be waiting any more; the first write tells.
            drop(head.send(Head { status, kind: kind.to_owned(), headers, body, length }));
        }
        Outlet { call: self, to }
    }

    /// What comes on a raw stream; `None` at its end.
    pub async fn input(&self) -> Option<Bytes> {
        poll_fn(|_| match self.input.borrow_mut().try_recv() {
            Ok(bytes) => Poll::Ready(Some(bytes)),
            Err(TryRecvError::Disconnected) => Poll::Ready(None),
            Err(TryRecvError::Empty) => {
                self.link.waiters.add(self.kernel.current());
                Poll::Pending
            }
        })
        .await
    }

    /// Waits until the client has hung up.
    async fn gone(&self) {
        poll_fn(|_| {
            if self.link.is_gone.get() {
                return Poll::Ready(());
            }
            self.link.waiters.add(self.kernel.current());
            Poll::Pending
        })
        .await;
    }

    async fn work(&self) {
        match super::routes::route(self).await {
            Ok(None) => {}
            Ok(Some(answer)) => self.answer(answer).await,
            Err(Refusal { status, message }) => {
                let body = serde_json::json!({"message": message});
                self.answer(Answer::json(status, &body)).await;
            }
        }
    }

    async fn answer(&self, answer: Answer) {
        let length = answer.body.len();
        let outlet = self.begin(answer.status, answer.kind, answer.headers, Some(length));
        if self.ask.method != Method::HEAD {
            outlet.rope(&answer.body).await;
        }
    }
}

struct Arrived {
    ask: Ask,
    head: oneshot::Sender<Head>,
    link: Rc<Link>,
    input: mpsc::Receiver<Bytes>,
}

/// Where connections leave their requests and the machine takes them.
pub struct Gate {
    kernel: Kernel,
    daemon: Daemon,
    arrived: RefCell<VecDeque<Arrived>>,
    work: Rc<Notify>,
}

/// A request that has been left: what the connection keeps of it.
pub struct Left {
    /// The answer, when it comes.
    pub head: oneshot::Receiver<Head>,
    /// Where raw input goes. Dropping it ends the input; wake the process after both.
    pub input: mpsc::Sender<Bytes>,
    /// That the connection is still there.
    pub presence: Presence,
}

impl Gate {
    /// A gate to a machine.
    pub fn new(kernel: &Kernel, daemon: &Daemon) -> Self {
        Self {
            kernel: kernel.clone(),
            daemon: daemon.clone(),
            arrived: RefCell::default(),
            work: Rc::new(Notify::new()),
        }
    }

    /// Leaves a request.
    pub fn leave(&self, ask: Ask) -> Left {
        let link =
            Rc::new(Link { is_gone: Cell::new(false), waiters: self.kernel.waiters(), work: Rc::clone(&self.work) });
        let (answer, head) = oneshot::channel();
        let (input, read) = mpsc::channel(PIECES);
        self.arrived.borrow_mut().push_back(Arrived { ask, head: answer, link: Rc::clone(&link), input: read });
        self.work.notify_one();
        Left { head, input, presence: Presence(link) }
    }

    /// Waits until there is work for the machine.
    pub async fn work(&self) {
        self.work.notified().await;
    }

    /// Makes processes of the requests that have come.
    pub fn admit(&self) {
        let arrived = std::mem::take(&mut *self.arrived.borrow_mut());
        for Arrived { ask, head, link, input } in arrived {
            let null = self.kernel.null();
            let spec = ProcessSpec {
                program: "/usr/bin/dockerd".into(),
                args: vec!["dockerd".into()],
                stdio: [null.clone(), null.clone(), null],
                tty: None,
                cgroup: String::new(),
                cwd: "/".into(),
                ..self.daemon.host().clone()
            };
            let (kernel, daemon) = (self.kernel.clone(), self.daemon.clone());
            // Too many processes: the connection is told by the answer that never comes.
            let _ = self.kernel.spawn_with(spec, |proc| {
                proc.on_signal(Signal::PIPE, Disposition::Ignore);
                let (head, input) = (Cell::new(Some(head)), RefCell::new(input));
                let call = Call { proc, daemon, ask, kernel, link, head, input };
                Box::pin(async move {
                    race(call.work(), call.gone()).await;
                    0
                })
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_unescaped_and_may_come_twice() {
        let query = Query::parse("t=a%3A1&t=b&q=0&rm=1&empty=&space=a+b&bad=%zz");
        assert_eq!(query.all("t"), ["a:1", "b"]);
        assert_eq!((query.flag("q"), query.flag("rm"), query.flag("none")), (false, true, false));
        assert_eq!((query.text("space").as_str(), query.text("bad").as_str()), ("a b", "%zz"));
        assert_eq!(query.given("empty"), None);
    }

    #[test]
    fn filters_come_as_sets_or_as_lists() {
        let query = |text: &str| Query(BTreeMap::from([("filters".to_owned(), vec![text.to_owned()])])).filters();
        let expected = Filters::from([("label".to_owned(), vec!["a=1".to_owned()])]);
        assert_eq!(query(r#"{"label":{"a=1":true}}"#).unwrap(), expected);
        assert_eq!(query(r#"{"label":["a=1"]}"#).unwrap(), expected);
        assert!(query("label").is_err());
        assert!(query("").unwrap().is_empty());
    }
}
