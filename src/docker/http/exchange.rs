//! One request and its answer: what is asked, who asks, and what goes back.
//!
//! A request is at work in a process of the machine, as whatever waits there does. Who asks is a [`Peer`]: a connection
//! inside of the machine ([`super::server`]), or one of a real socket. Whoever hangs up ends the work.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use serde_json::Value;

use crate::base::rope::Rope;
use crate::docker::cli::client::race;
use crate::docker::cli::config;
use crate::docker::daemon::api::image::Credentials;
use crate::docker::daemon::api::{API_VERSION, Daemon, DaemonError, Filters, SERVER_VERSION};
use crate::os::kernel::Proc;

/// Bytes of a piece of a large body.
const PIECE_BYTES: u64 = 1 << 18;
/// Until a slow client is looked at again, in the machine's time.
const SLOW: Duration = Duration::from_millis(5);

/// What a client asks.
pub struct Ask {
    /// The method.
    pub method: String,
    /// The version that the path begins with.
    pub version: Option<String>,
    /// The path without the version, cut at its slashes.
    pub path: Vec<String>,
    /// What follows the question mark.
    pub query: Query,
    /// The headers, their names in small letters.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Rope,
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
    /// A request as it came: the first line's method and target, the headers, the body.
    pub fn new(method: &str, target: &str, headers: Vec<(String, String)>, body: Rope) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut path: Vec<String> = path.split('/').filter(|part| !part.is_empty()).map(unescape).collect();
        let version = path.first().and_then(|first| first.strip_prefix('v'));
        let version = version.filter(|text| super::routes::version(text).is_some()).map(str::to_owned);
        if version.is_some() {
            path.remove(0);
        }
        let mut ask = Self {
            method: method.to_owned(),
            version,
            path,
            query: Query::parse(query),
            headers,
            body,
            upgrade: false,
        };
        ask.upgrade = ask.header("upgrade").is_some();
        ask
    }

    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|header| header.0 == name).map(|header| header.1.as_str())
    }

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
        let body = self.body.to_vec();
        if body.trim_ascii().is_empty() {
            return Ok(Value::Object(serde_json::Map::new()));
        }
        serde_json::from_slice(&body).map_err(|error| Refusal::new(400, format!("invalid JSON: {error}")))
    }

    /// What `X-Registry-Auth` tells of the account.
    pub fn credentials(&self) -> Option<Credentials> {
        let text = self.header("x-registry-auth")?;
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

/// The first part of an answer.
pub struct Head {
    /// The status.
    pub status: u16,
    /// `Content-Type`; empty for none.
    pub kind: String,
    /// Further headers.
    pub headers: Vec<(&'static str, String)>,
    /// How long the body is, if that is known.
    pub length: Option<u64>,
}

impl Head {
    /// All headers but those of HTTP itself, by name (moby `api/server/middleware/version.go`).
    pub fn lines(&self) -> Vec<(String, String)> {
        let server = format!("Docker/{SERVER_VERSION} (linux)");
        let own = [("Api-Version", API_VERSION), ("Docker-Experimental", "false"), ("Ostype", "linux")];
        let mut lines: BTreeMap<String, String> =
            own.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        lines.insert("Server".to_owned(), server);
        lines.extend(self.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        if !self.kind.is_empty() {
            lines.insert("Content-Type".to_owned(), self.kind.clone());
        }
        lines.into_iter().collect()
    }
}

/// Why a piece was not taken.
pub enum Untaken {
    /// There is no room yet.
    Full(Vec<u8>),
    /// Nobody reads any more.
    Gone,
}

/// The other side of a request.
pub trait Peer {
    /// Takes the first part of the answer.
    fn begin(&self, head: Head);

    /// Takes a piece of the body.
    ///
    /// # Errors
    /// Why it was not taken.
    fn offer(&self, bytes: Vec<u8>) -> Result<(), Untaken>;

    /// What comes on a raw stream, `None` at its end; the process that asks is woken when there is more.
    fn poll_input(&self) -> Poll<Option<Vec<u8>>>;

    /// Whether the other side has hung up; the process that asks is woken when it does.
    fn poll_gone(&self) -> Poll<()>;
}

/// A request at work, in its process.
pub struct Call {
    /// The process.
    pub proc: Proc,
    /// The daemon.
    pub daemon: Daemon,
    /// What is asked.
    pub ask: Ask,
    peer: std::rc::Rc<dyn Peer>,
    has_begun: Cell<bool>,
}

/// Where a streamed answer goes.
pub struct Outlet<'a> {
    call: &'a Call,
}

impl Outlet<'_> {
    /// Sends bytes, waiting for a slow client. `false` when nobody reads any more.
    pub async fn write(&self, bytes: impl Into<Vec<u8>>) -> bool {
        let mut bytes = bytes.into();
        loop {
            match self.call.peer.offer(bytes) {
                Ok(()) => return true,
                Err(Untaken::Gone) => return false,
                Err(Untaken::Full(back)) => {
                    bytes = back;
                    self.call.daemon.kernel().sleep(SLOW).await;
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
    /// A request of `peer`.
    pub fn new(proc: Proc, daemon: Daemon, ask: Ask, peer: std::rc::Rc<dyn Peer>) -> Self {
        Self { proc, daemon, ask, peer, has_begun: Cell::new(false) }
    }

    /// Begins an answer whose body follows.
    pub fn stream(&self, status: u16, kind: &str) -> Outlet<'_> {
        self.begin(status, kind, Vec::new(), None)
    }

    fn begin(&self, status: u16, kind: &str, headers: Vec<(&'static str, String)>, length: Option<u64>) -> Outlet<'_> {
        if !self.has_begun.replace(true) {
            self.peer.begin(Head { status, kind: kind.to_owned(), headers, length });
        }
        Outlet { call: self }
    }

    /// What comes on a raw stream; `None` at its end.
    pub async fn input(&self) -> Option<Vec<u8>> {
        poll_fn(|_| self.peer.poll_input()).await
    }

    /// Answers, unless the client hangs up before.
    pub async fn run(&self) {
        race(self.work(), poll_fn(|_| self.peer.poll_gone())).await;
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
        if self.ask.method != "HEAD" {
            outlet.rope(&answer.body).await;
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
