//! `redis-server` and `redis-cli`: a small key-value server that speaks RESP, and its client.
//!
//! Strings, lists, sets and hashes with times to live; `SAVE` and the end write what there is to `dump.rdb` in a form of
//! its own. Commands that are not here are refused by name, as Redis refuses unknown ones.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::time::Duration;

use bstr::{BString, ByteSlice};

use super::program::number;
use super::serve_each::serve_each;
use crate::base::time::Timestamp;
use crate::os::kernel::{Disposition, Fd, Proc, Signal, Task};

/// Keys that a server holds.
const MAX_KEYS: usize = 100_000;
/// Bytes of one request.
const MAX_REQUEST: usize = 1 << 20;
const PORT: u16 = 6379;

/// A value.
#[derive(Clone, Debug, PartialEq)]
enum Item {
    Text(BString),
    List(VecDeque<BString>),
    Set(BTreeSet<BString>),
    Hash(BTreeMap<BString, BString>),
}

impl Item {
    const fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "string",
            Self::List(_) => "list",
            Self::Set(_) => "set",
            Self::Hash(_) => "hash",
        }
    }
}

/// What a server answers.
#[derive(Clone, Debug, PartialEq)]
enum Reply {
    Status(&'static str),
    Error(String),
    Int(i64),
    Bulk(BString),
    Nil,
    Array(Vec<Reply>),
}

impl Reply {
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Status(text) => out.extend_from_slice(format!("+{text}\r\n").as_bytes()),
            Self::Error(text) => out.extend_from_slice(format!("-{text}\r\n").as_bytes()),
            Self::Int(n) => out.extend_from_slice(format!(":{n}\r\n").as_bytes()),
            Self::Bulk(bytes) => {
                out.extend_from_slice(format!("${}\r\n", bytes.len()).as_bytes());
                out.extend_from_slice(bytes);
                out.extend_from_slice(b"\r\n");
            }
            Self::Nil => out.extend_from_slice(b"$-1\r\n"),
            Self::Array(items) => {
                out.extend_from_slice(format!("*{}\r\n", items.len()).as_bytes());
                items.iter().for_each(|item| item.write(out));
            }
        }
    }

    /// As `redis-cli` shows it to a terminal.
    fn show(&self, indent: usize) -> String {
        match self {
            Self::Status(text) => format!("{text}\n"),
            Self::Error(text) => format!("(error) {text}\n"),
            Self::Int(n) => format!("(integer) {n}\n"),
            Self::Bulk(bytes) => format!(
                "\"{}\"\n",
                bytes.to_str_lossy().replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
            ),
            Self::Nil => "(nil)\n".to_owned(),
            Self::Array(items) if items.is_empty() => "(empty array)\n".to_owned(),
            Self::Array(items) => {
                let width = items.len().to_string().len();
                let one = |(n, item): (usize, &Self)| {
                    let blank = if n == 0 { 0 } else { indent };
                    format!("{:blank$}{:>width$}) {}", "", n + 1, item.show(indent + width + 2))
                };
                items.iter().enumerate().map(one).collect()
            }
        }
    }

    /// As `redis-cli` writes it elsewhere.
    fn plain(&self) -> Vec<u8> {
        match self {
            Self::Status(text) => format!("{text}\n").into_bytes(),
            Self::Error(text) => format!("{text}\n").into_bytes(),
            Self::Int(n) => format!("{n}\n").into_bytes(),
            Self::Bulk(bytes) => [bytes.as_slice(), b"\n"].concat(),
            Self::Nil => b"\n".to_vec(),
            Self::Array(items) if items.is_empty() => b"\n".to_vec(),
            Self::Array(items) => items.iter().flat_map(Self::plain).collect(),
        }
    }
}

#[derive(Default)]
struct Store {
    items: BTreeMap<BString, (Item, Option<Timestamp>)>,
    password: BString,
    changes: u64,
    connections: u64,
}

const WRONG_TYPE: &str = "WRONGTYPE Operation against a key holding the wrong kind of value";
const NO_INTEGER: &str = "ERR value is not an integer or out of range";

type Answered = Result<Reply, String>;

impl Store {
    fn live(&mut self, key: &[u8], now: Timestamp) -> Option<&mut Item> {
        let key = bstr::BStr::new(key);
        if self.items.get(key).is_some_and(|(_, until)| until.is_some_and(|until| until <= now)) {
            self.items.remove(key);
        }
        self.items.get_mut(key).map(|(item, _)| item)
    }

    fn put(&mut self, key: &[u8], item: Item) -> Result<(), String> {
        if self.items.len() >= MAX_KEYS {
            return Err("OOM command not allowed when used memory > 'maxmemory'.".to_owned());
        }
        self.items.insert(key.into(), (item, None));
        self.changes += 1;
        Ok(())
    }

    fn list(&mut self, key: &[u8], now: Timestamp) -> Result<&mut VecDeque<BString>, String> {
        if self.live(key, now).is_none() {
            self.put(key, Item::List(VecDeque::new()))?;
        }
        match self.live(key, now) {
            Some(Item::List(list)) => Ok(list),
            _ => Err(WRONG_TYPE.to_owned()),
        }
    }

    fn text(&mut self, key: &[u8], now: Timestamp) -> Result<Option<BString>, String> {
        match self.live(key, now) {
            Some(Item::Text(text)) => Ok(Some(text.clone())),
            Some(_) => Err(WRONG_TYPE.to_owned()),
            None => Ok(None),
        }
    }

    fn add(&mut self, key: &[u8], by: i64, now: Timestamp) -> Answered {
        let old = match self.text(key, now)? {
            Some(text) => number::<i64>(&text).ok_or(NO_INTEGER)?,
            None => 0,
        };
        let new = old.checked_add(by).ok_or("ERR increment or decrement would overflow")?;
        let until = self.items.get(bstr::BStr::new(key)).and_then(|(_, until)| *until);
        self.put(key, Item::Text(new.to_string().into()))?;
        if let Some(entry) = self.items.get_mut(bstr::BStr::new(key)) {
            entry.1 = until;
        }
        Ok(Reply::Int(new))
    }

    fn drop_empty(&mut self, key: &[u8]) {
        let is_empty = match self.items.get(bstr::BStr::new(key)) {
            Some((Item::List(list), _)) => list.is_empty(),
            Some((Item::Set(set), _)) => set.is_empty(),
            Some((Item::Hash(hash), _)) => hash.is_empty(),
            _ => false,
        };
        if is_empty {
            self.items.remove(bstr::BStr::new(key));
        }
    }

    fn run(&mut self, words: &[BString], now: Timestamp) -> Answered {
        let Some((name, args)) = words.split_first() else { return Ok(Reply::Nil) };
        let upper = name.to_ascii_uppercase();
        let upper = upper.to_str_lossy();
        let wrong = || format!("ERR wrong number of arguments for '{}' command", name.to_str_lossy().to_lowercase());
        let int = |text: &BString| number::<i64>(text).ok_or_else(|| NO_INTEGER.to_owned());
        let bulk = |text: &BString| Reply::Bulk(text.clone());
        let count = |n: usize| Reply::Int(i64::try_from(n).unwrap_or(i64::MAX));
        let ok = Ok(Reply::Status("OK"));
        match (upper.as_ref(), args) {
            ("PING", []) => Ok(Reply::Status("PONG")),
            ("PING" | "ECHO", [text]) => Ok(bulk(text)),
            ("SELECT" | "AUTH" | "CLIENT" | "READONLY", _) => ok,
            ("COMMAND", _) => Ok(Reply::Array(Vec::new())),
            ("SAVE" | "FLUSHDB" | "FLUSHALL", _) => {
                if upper != "SAVE" {
                    self.items.clear();
                }
                ok
            }
            ("BGSAVE", _) => Ok(Reply::Status("Background saving started")),
            ("DBSIZE", []) => Ok(count(self.items.len())),
            ("SET", [key, value, options @ ..]) => {
                let mut until = None;
                let mut rest = options.iter();
                while let Some(option) = rest.next() {
                    match option.to_ascii_uppercase().as_slice() {
                        b"EX" => {
                            let seconds = int(rest.next().ok_or("ERR syntax error")?)?;
                            until = Some(
                                now + Duration::from_secs(
                                    u64::try_from(seconds).map_err(|_| "ERR invalid expire time in 'set' command")?,
                                ),
                            );
                        }
                        b"NX" if self.live(key, now).is_some() => return Ok(Reply::Nil),
                        b"XX" if self.live(key, now).is_none() => return Ok(Reply::Nil),
                        b"NX" | b"XX" => {}
                        _ => return Err("ERR syntax error".to_owned()),
                    }
                }
                self.put(key, Item::Text(value.clone()))?;
                if let Some(entry) = self.items.get_mut(bstr::BStr::new(key.as_slice())) {
                    entry.1 = until;
                }
                ok
            }
            ("SETEX", [key, seconds, value]) => {
                self.run(&["SET".into(), key.clone(), value.clone(), "EX".into(), seconds.clone()], now)
            }
            ("SETNX", [key, value]) => {
                let set = self.run(&["SET".into(), key.clone(), value.clone(), "NX".into()], now)?;
                Ok(Reply::Int(i64::from(set != Reply::Nil)))
            }
            ("MSET", pairs) if !pairs.is_empty() && pairs.len() % 2 == 0 => {
                for pair in pairs.chunks(2) {
                    if let [key, value] = pair {
                        self.put(key, Item::Text(value.clone()))?;
                    }
                }
                ok
            }
            ("GET", [key]) => Ok(self.text(key, now)?.map_or(Reply::Nil, Reply::Bulk)),
            ("MGET", keys) if !keys.is_empty() => {
                let one = |key: &BString| self.text(key, now).ok().flatten().map_or(Reply::Nil, Reply::Bulk);
                Ok(Reply::Array(keys.iter().map(one).collect()))
            }
            ("STRLEN", [key]) => Ok(count(self.text(key, now)?.map_or(0, |text| text.len()))),
            ("APPEND", [key, more]) => {
                let mut text = self.text(key, now)?.unwrap_or_default();
                text.extend_from_slice(more);
                let len = text.len();
                self.put(key, Item::Text(text))?;
                Ok(count(len))
            }
            ("INCR", [key]) => self.add(key, 1, now),
            ("DECR", [key]) => self.add(key, -1, now),
            ("INCRBY", [key, by]) => self.add(key, int(by)?, now),
            ("DECRBY", [key, by]) => self.add(key, int(by)?.saturating_neg(), now),
            ("DEL" | "UNLINK", keys) if !keys.is_empty() => {
                let gone = keys
                    .iter()
                    .filter(|key| self.live(key, now).is_some() && self.items.remove(*key).is_some())
                    .count();
                self.changes += gone as u64;
                Ok(count(gone))
            }
            ("EXISTS", keys) if !keys.is_empty() => {
                Ok(count(keys.iter().filter(|key| self.live(key, now).is_some()).count()))
            }
            ("KEYS", [pattern]) => {
                // A pattern of many stars takes for ever.
                if pattern.iter().filter(|byte| **byte == b'*').count() > 4 {
                    return Err("ERR patterns with more than four stars are not simulated".to_owned());
                }
                let keys: Vec<BString> = self.items.keys().cloned().collect();
                let alive = keys.into_iter().filter(|key| self.live(key, now).is_some() && fits(pattern, key));
                Ok(Reply::Array(alive.map(Reply::Bulk).collect()))
            }
            ("TYPE", [key]) => Ok(Reply::Status(self.live(key, now).map_or("none", |item| item.kind()))),
            ("EXPIRE", [key, seconds]) => {
                let seconds = int(seconds)?;
                if self.live(key, now).is_none() {
                    return Ok(Reply::Int(0));
                }
                if let Some(entry) = self.items.get_mut(key) {
                    entry.1 = Some(now + Duration::from_secs(u64::try_from(seconds).unwrap_or(0)));
                }
                Ok(Reply::Int(1))
            }
            ("PERSIST", [key]) => {
                let had = self.items.get_mut(key).and_then(|entry| entry.1.take());
                Ok(Reply::Int(i64::from(had.is_some())))
            }
            ("TTL", [key]) => {
                if self.live(key, now).is_none() {
                    return Ok(Reply::Int(-2));
                }
                let until = self.items.get(key).and_then(|entry| entry.1);
                Ok(until.map_or(Reply::Int(-1), |until| {
                    count(usize::try_from(until.since(now).as_secs_f64().ceil() as u64).unwrap_or(0))
                }))
            }
            ("LPUSH" | "RPUSH", [key, values @ ..]) if !values.is_empty() => {
                let list = self.list(key, now)?;
                for value in values {
                    if upper == "LPUSH" { list.push_front(value.clone()) } else { list.push_back(value.clone()) }
                }
                let len = list.len();
                self.changes += 1;
                Ok(count(len))
            }
            ("LPOP" | "RPOP", [key]) => {
                if self.live(key, now).is_none() {
                    return Ok(Reply::Nil);
                }
                let list = self.list(key, now)?;
                let got = if upper == "LPOP" { list.pop_front() } else { list.pop_back() };
                self.drop_empty(key);
                Ok(got.map_or(Reply::Nil, Reply::Bulk))
            }
            ("LLEN", [key]) => Ok(match self.live(key, now) {
                None => Reply::Int(0),
                Some(Item::List(list)) => count(list.len()),
                Some(_) => return Err(WRONG_TYPE.to_owned()),
            }),
            ("LRANGE", [key, from, to]) => {
                let (from, to) = (int(from)?, int(to)?);
                let list = match self.live(key, now) {
                    None => return Ok(Reply::Array(Vec::new())),
                    Some(Item::List(list)) => list,
                    Some(_) => return Err(WRONG_TYPE.to_owned()),
                };
                let len = i64::try_from(list.len()).unwrap_or(i64::MAX);
                let at = |n: i64| if n < 0 { (len + n).max(0) } else { n };
                let skip = usize::try_from(at(from)).unwrap_or(0);
                let take = usize::try_from((at(to) + 1 - at(from)).max(0)).unwrap_or(0);
                Ok(Reply::Array(list.iter().skip(skip).take(take).map(bulk).collect()))
            }
            ("SADD", [key, values @ ..]) if !values.is_empty() => {
                if self.live(key, now).is_none() {
                    self.put(key, Item::Set(BTreeSet::new()))?;
                }
                let Some(Item::Set(set)) = self.live(key, now) else { return Err(WRONG_TYPE.to_owned()) };
                Ok(count(values.iter().filter(|value| set.insert((*value).clone())).count()))
            }
            ("SREM" | "SMEMBERS" | "SCARD" | "SISMEMBER", [key, values @ ..]) => {
                let empty = &mut BTreeSet::new();
                let set = match self.live(key, now) {
                    None => empty,
                    Some(Item::Set(set)) => set,
                    Some(_) => return Err(WRONG_TYPE.to_owned()),
                };
                let answer = match (upper.as_ref(), values) {
                    ("SMEMBERS", []) => Reply::Array(set.iter().map(bulk).collect()),
                    ("SCARD", []) => count(set.len()),
                    ("SISMEMBER", [value]) => Reply::Int(i64::from(set.contains(value))),
                    ("SREM", values) if !values.is_empty() => {
                        count(values.iter().filter(|value| set.remove(*value)).count())
                    }
                    _ => return Err(wrong()),
                };
                self.drop_empty(key);
                Ok(answer)
            }
            ("HSET" | "HMSET", [key, pairs @ ..]) if !pairs.is_empty() && pairs.len() % 2 == 0 => {
                if self.live(key, now).is_none() {
                    self.put(key, Item::Hash(BTreeMap::new()))?;
                }
                let Some(Item::Hash(hash)) = self.live(key, now) else { return Err(WRONG_TYPE.to_owned()) };
                let mut new = 0;
                for pair in pairs.chunks(2) {
                    if let [field, value] = pair {
                        new += usize::from(hash.insert(field.clone(), value.clone()).is_none());
                    }
                }
                if upper == "HMSET" { ok } else { Ok(count(new)) }
            }
            ("HGET" | "HGETALL" | "HDEL" | "HLEN" | "HKEYS" | "HVALS" | "HEXISTS", [key, fields @ ..]) => {
                let empty = &mut BTreeMap::new();
                let hash = match self.live(key, now) {
                    None => empty,
                    Some(Item::Hash(hash)) => hash,
                    Some(_) => return Err(WRONG_TYPE.to_owned()),
                };
                let answer = match (upper.as_ref(), fields) {
                    ("HGET", [field]) => hash.get(field).map_or(Reply::Nil, bulk),
                    ("HGETALL", []) => Reply::Array(hash.iter().flat_map(|(k, v)| [bulk(k), bulk(v)]).collect()),
                    ("HKEYS", []) => Reply::Array(hash.keys().map(bulk).collect()),
                    ("HVALS", []) => Reply::Array(hash.values().map(bulk).collect()),
                    ("HLEN", []) => count(hash.len()),
                    ("HEXISTS", [field]) => Reply::Int(i64::from(hash.contains_key(field))),
                    ("HDEL", fields) if !fields.is_empty() => {
                        count(fields.iter().filter(|field| hash.remove(*field).is_some()).count())
                    }
                    _ => return Err(wrong()),
                };
                self.drop_empty(key);
                Ok(answer)
            }
            ("INFO", _) => {
                let text = format!(
                    "# Server\r\nredis_version:{}\r\nredis_mode:standalone\r\nos:Linux\r\ntcp_port:{PORT}\r\n\r\n# Clients\r\nconnected_clients:1\r\n\r\n# Stats\r\ntotal_connections_received:{}\r\n\r\n# Keyspace\r\ndb0:keys={},expires={}\r\n",
                    VERSION,
                    self.connections,
                    self.items.len(),
                    self.items.values().filter(|(_, until)| until.is_some()).count()
                );
                Ok(Reply::Bulk(text.into()))
            }
            ("CONFIG", [what, key, ..]) if what.eq_ignore_ascii_case(b"get") => {
                let value: BString = match key.as_slice() {
                    b"requirepass" => self.password.clone(),
                    b"maxmemory" => "0".into(),
                    b"save" => "3600 1 300 100 60 10000".into(),
                    b"dir" => "/data".into(),
                    _ => return Ok(Reply::Array(Vec::new())),
                };
                Ok(Reply::Array(vec![bulk(key), Reply::Bulk(value)]))
            }
            (known, _) if KNOWN.contains(&known) => Err(wrong()),
            _ => {
                let args: Vec<String> = args.iter().map(|arg| format!("'{}' ", arg.to_str_lossy())).collect();
                Err(format!(
                    "ERR unknown command '{}', with args beginning with: {}",
                    name.to_str_lossy(),
                    args.concat()
                ))
            }
        }
    }

    /// What `dump.rdb` holds here: the commands that make it again.
    fn dump(&self) -> Vec<u8> {
        let mut out = b"REDIS0009\n".to_vec();
        for (key, (item, until)) in &self.items {
            let mut words: Vec<BString> = match item {
                Item::Text(text) => vec!["SET".into(), key.clone(), text.clone()],
                Item::List(list) => ["RPUSH".into(), key.clone()].into_iter().chain(list.iter().cloned()).collect(),
                Item::Set(set) => ["SADD".into(), key.clone()].into_iter().chain(set.iter().cloned()).collect(),
                Item::Hash(hash) => ["HSET".into(), key.clone()]
                    .into_iter()
                    .chain(hash.iter().flat_map(|(k, v)| [k.clone(), v.clone()]))
                    .collect(),
            };
            Reply::Array(words.drain(..).map(Reply::Bulk).collect()).write(&mut out);
            if let Some(until) = until {
                let at = until.seconds().to_string();
                Reply::Array(
                    [BString::from("EXPIREAT"), key.clone(), at.into()].into_iter().map(Reply::Bulk).collect(),
                )
                .write(&mut out);
            }
        }
        out
    }

    fn load(&mut self, bytes: &[u8], now: Timestamp) {
        let mut rest = bytes.strip_prefix(b"REDIS0009\n").unwrap_or_default();
        while let Some((words, used)) = request(rest) {
            match words.as_slice() {
                [name, key, at] if *name == "EXPIREAT" => {
                    let until = number::<i64>(at).map(|seconds| Timestamp(seconds.saturating_mul(1_000_000_000)));
                    if let Some(entry) = self.items.get_mut(key) {
                        entry.1 = until;
                    }
                }
                // What was written can be done again.
                words => drop(self.run(words, now)),
            }
            rest = rest.get(used..).unwrap_or_default();
        }
    }
}

const VERSION: &str = "6.2.6";
const KNOWN: [&str; 34] = [
    "PING", "ECHO", "DBSIZE", "SET", "SETEX", "SETNX", "MSET", "GET", "MGET", "STRLEN", "APPEND", "INCR", "DECR",
    "INCRBY", "DECRBY", "DEL", "UNLINK", "EXISTS", "KEYS", "TYPE", "EXPIRE", "PERSIST", "TTL", "LPUSH", "RPUSH",
    "LPOP", "RPOP", "LLEN", "LRANGE", "SADD", "HSET", "HMSET", "CONFIG", "SREM",
];

/// Whether a key fits a pattern of `KEYS`: `*` and `?`.
fn fits(pattern: &[u8], key: &[u8]) -> bool {
    match pattern.split_first() {
        None => key.is_empty(),
        Some((b'*', rest)) => (0..=key.len()).any(|at| fits(rest, key.get(at..).unwrap_or_default())),
        Some((b'?', rest)) => key.split_first().is_some_and(|(_, key)| fits(rest, key)),
        Some((byte, rest)) => key.split_first().is_some_and(|(first, key)| first == byte && fits(rest, key)),
    }
}

/// The first request in `bytes` and its length: an array of bulks, or a line of words.
fn request(bytes: &[u8]) -> Option<(Vec<BString>, usize)> {
    let line_end = |from: usize| bytes.get(from..)?.find(b"\n").map(|at| from + at);
    let first = line_end(0)?;
    let line = bytes.get(..first)?.trim_ascii();
    let Some(count) = line.strip_prefix(b"*").and_then(number::<usize>) else {
        let words = line.split(|byte| byte.is_ascii_whitespace()).filter(|word| !word.is_empty());
        return Some((words.map(BString::from).collect(), first + 1));
    };
    let (mut words, mut at) = (Vec::new(), first + 1);
    for _ in 0..count.min(10_000) {
        let end = line_end(at)?;
        let len: usize = number(bytes.get(at..end)?.trim_ascii().strip_prefix(b"$")?)?;
        let word = bytes.get(end + 1..(end + 1).checked_add(len)?)?;
        words.push(word.into());
        at = end + 1 + len + 2;
    }
    (at <= bytes.len()).then_some((words, at))
}

fn log(proc: &Proc, mark: char, text: &str) -> String {
    let time = super::date::strftime("%d %b %Y %H:%M:%S", proc.now());
    let millis = proc.now().civil().nanosecond / 1_000_000;
    format!("{}:M {time}.{millis:03} {mark} {text}\n", proc.pid())
}

/// `redis-server`.
pub async fn server(proc: Proc) -> i32 {
    let args: Vec<String> = proc.args().iter().skip(1).map(|arg| arg.to_str_lossy().into_owned()).collect();
    if args.iter().any(|arg| arg == "--version" || arg == "-v") {
        let _ = proc
            .print(format!(
                "Redis server v={VERSION} sha=00000000:0 malloc=jemalloc-5.1.0 bits=64 build=b61f37314a089f19\n"
            ))
            .await;
        return 0;
    }
    let option = |name: &str| args.iter().position(|arg| arg == name).and_then(|at| args.get(at + 1));
    let store = Rc::new(RefCell::new(Store::default()));
    store.borrow_mut().password = option("--requirepass").cloned().unwrap_or_default().into();
    let port = option("--port").and_then(|text| text.parse().ok()).unwrap_or(PORT);
    let pid = proc.pid();
    let time = super::date::strftime("%d %b %Y %H:%M:%S.000", proc.now());
    let _ = proc.print(format!("{pid}:C {time} # oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo\n{pid}:C {time} # Redis version={VERSION}, bits=64, commit=00000000, modified=0, pid={pid}, just started\n")).await;
    let dir = if proc.stat(b"/data").is_ok() { "/data" } else { "." };
    let file = format!("{dir}/dump.rdb");
    if let Ok(bytes) = proc.read_file(file.as_bytes()).await {
        let now = proc.now();
        store.borrow_mut().load(&bytes.to_vec(), now);
    }
    if let Err(error) = proc.listen(Ipv4Addr::UNSPECIFIED, port) {
        let text = log(
            &proc,
            '#',
            &format!("Warning: Could not create server TCP listening socket *:{port}: bind: {}", error.strerror()),
        );
        let _ = proc.print(text).await;
        return 1;
    }
    // `proc-title-template`: the program and where it listens.
    let called = proc.args().first().cloned().unwrap_or_default();
    proc.set_args(vec![format!("{called} *:{port}").into()]);
    // The children of connections that have ended are taken in.
    for signal in [Signal::TERM, Signal::INT, Signal::CHLD] {
        proc.on_signal(signal, Disposition::Handle);
    }
    let _ = proc.print(log(&proc, '*', &format!("Running mode=standalone, port={port}."))).await;
    let _ = proc.print(log(&proc, '#', "Server initialized")).await;
    let _ = proc.print(log(&proc, '*', "Ready to accept connections")).await;
    let connection = |child, fd, _| -> Task {
        store.borrow_mut().connections += 1;
        Box::pin(serve(child, fd, Rc::clone(&store), file.clone()))
    };
    if serve_each(&proc, &[port], &[Signal::TERM, Signal::INT], connection).await.is_none() {
        return 1;
    }
    let _ = proc.print(log(&proc, '#', "User requested shutdown...")).await;
    let _ = proc.print(log(&proc, '*', "Saving the final RDB snapshot before exiting.")).await;
    let dump = store.borrow().dump();
    let saved = proc.write_file(file.as_bytes(), &dump.into()).await;
    let _ =
        proc.print(log(&proc, '*', if saved.is_ok() { "DB saved on disk" } else { "Error saving DB on disk" })).await;
    let _ = proc.print(log(&proc, '#', "Redis is now ready to exit, bye bye...")).await;
    0
}

async fn serve(proc: Proc, fd: Fd, store: Rc<RefCell<Store>>, file: String) -> i32 {
    for signal in [Signal::TERM, Signal::INT] {
        proc.on_signal(signal, Disposition::Default);
    }
    let mut bytes: Vec<u8> = Vec::new();
    let mut is_known = store.borrow().password.is_empty();
    loop {
        while let Some((words, used)) = request(&bytes) {
            bytes.drain(..used.min(bytes.len()));
            let name = words.first().map(|name| name.to_ascii_uppercase()).unwrap_or_default();
            let now = proc.now();
            let reply = if name == b"AUTH" {
                is_known = words.last() == Some(&store.borrow().password);
                if is_known {
                    Reply::Status("OK")
                } else {
                    Reply::Error("WRONGPASS invalid username-password pair or user is disabled.".to_owned())
                }
            } else if !is_known {
                Reply::Error("NOAUTH Authentication required.".to_owned())
            } else if name == b"QUIT" {
                let _ = proc.write(fd, b"+OK\r\n").await;
                return 0;
            } else {
                store.borrow_mut().run(&words, now).unwrap_or_else(Reply::Error)
            };
            if matches!(name.as_slice(), b"SAVE" | b"BGSAVE") {
                let dump = store.borrow().dump();
                let _ = proc.write_file(file.as_bytes(), &dump.into()).await;
            }
            let mut out = Vec::new();
            reply.write(&mut out);
            if proc.write(fd, &out).await.is_err() {
                return 0;
            }
        }
        match proc.read(fd, 1 << 16).await {
            Ok(more) if !more.is_empty() && bytes.len() < MAX_REQUEST => bytes.extend(more.to_vec()),
            _ => return 0,
        }
    }
}

/// Reads one reply.
async fn reply(proc: &Proc, fd: Fd, bytes: &mut Vec<u8>) -> Option<Reply> {
    loop {
        if let Some((reply, used)) = parse_reply(bytes, 0) {
            bytes.drain(..used);
            return Some(reply);
        }
        let more = proc.read(fd, 1 << 16).await.ok()?;
        if more.is_empty() {
            return None;
        }
        bytes.extend(more.to_vec());
    }
}

fn parse_reply(bytes: &[u8], depth: usize) -> Option<(Reply, usize)> {
    let end = bytes.find(b"\r\n")?;
    let (mark, line) = bytes.get(..end)?.split_first()?;
    let mut at = end + 2;
    let text = line.to_str_lossy().into_owned();
    let reply = match mark {
        b'+' => match text.as_str() {
            "OK" => Reply::Status("OK"),
            "PONG" => Reply::Status("PONG"),
            "Background saving started" => Reply::Status("Background saving started"),
            other => Reply::Status(["none", "string", "list", "set", "hash"].into_iter().find(|kind| *kind == other)?),
        },
        b'-' => Reply::Error(text),
        b':' => Reply::Int(text.parse().ok()?),
        b'$' => match text.parse::<i64>().ok()? {
            len if len < 0 => Reply::Nil,
            len => {
                let len = usize::try_from(len).ok()?;
                let word = bytes.get(at..at.checked_add(len)?)?;
                bytes.get(at + len..at + len + 2)?;
                at += len + 2;
                Reply::Bulk(word.into())
            }
        },
        b'*' if depth < 8 => {
            let mut items = Vec::new();
            for _ in 0..text.parse::<usize>().ok()?.min(1_000_000) {
                let (item, used) = parse_reply(bytes.get(at..)?, depth + 1)?;
                at += used;
                items.push(item);
            }
            Reply::Array(items)
        }
        _ => return None,
    };
    Some((reply, at))
}

/// `redis-cli`.
pub async fn cli(proc: Proc) -> i32 {
    let (mut host, mut port, mut password) = ("127.0.0.1".to_owned(), PORT, None);
    let mut args = proc.args().into_iter().skip(1).peekable();
    while let Some(arg) = args.next_if(|arg| arg.starts_with(b"-")) {
        let mut value = || args.next().unwrap_or_default().to_str_lossy().into_owned();
        match arg.as_slice() {
            b"-h" => host = value(),
            b"-p" => port = value().parse().unwrap_or(PORT),
            b"-a" | b"--pass" => password = Some(value()),
            b"-n" => drop(value()),
            b"-v" | b"--version" => {
                let _ = proc.print(format!("redis-cli {VERSION}\n")).await;
                return 0;
            }
            b"--raw" | b"--no-auth-warning" => {}
            _ => {
                proc.eprint(format!("Unrecognized option or bad number of args for: '{arg}'\n")).await;
                return 1;
            }
        }
    }
    let refused = |why: &str| format!("Could not connect to Redis at {host}:{port}: {why}\n");
    let address = match proc.resolve(&host).await {
        Ok(found) => found.first().copied(),
        Err(_) => None,
    };
    let Some(address) = address else {
        proc.eprint(refused("Name or service not known")).await;
        return 1;
    };
    let fd = match proc.connect((address, port)).await {
        Ok(fd) => fd,
        Err(error) => {
            proc.eprint(refused(error.strerror())).await;
            return 1;
        }
    };
    let mut bytes = Vec::new();
    if let Some(password) = password {
        let mut out = Vec::new();
        Reply::Array(vec![Reply::Bulk("AUTH".into()), Reply::Bulk(password.into())]).write(&mut out);
        let sent = proc.write(fd, &out).await;
        if sent.is_err() || reply(&proc, fd, &mut bytes).await.is_none() {
            return 1;
        }
    }
    let is_terminal = proc.tty_of(1).is_some();
    let command: Vec<BString> = args.collect();
    let interactive = command.is_empty();
    let mut typed: Vec<u8> = Vec::new();
    loop {
        let words = if interactive {
            if proc.tty_of(0).is_some() {
                let _ = proc.print(format!("{host}:{port}> ")).await;
            }
            let line = loop {
                if let Some(at) = typed.find(b"\n") {
                    break typed.drain(..=at).collect::<Vec<u8>>();
                }
                match proc.read(0, 4096).await {
                    Ok(more) if !more.is_empty() => typed.extend(more.to_vec()),
                    _ => return 0,
                }
            };
            let line = line.to_str_lossy().into_owned();
            let words = words(&line);
            match words.first().map(|word| word.to_ascii_lowercase()) {
                None => continue,
                Some(word) if matches!(word.as_slice(), b"exit" | b"quit") => return 0,
                Some(_) => words,
            }
        } else {
            command.clone()
        };
        let mut out = Vec::new();
        Reply::Array(words.into_iter().map(Reply::Bulk).collect()).write(&mut out);
        let sent = proc.write(fd, &out).await;
        let Some(answer) = reply(&proc, fd, &mut bytes).await.filter(|_| sent.is_ok()) else {
            proc.eprint("Error: Server closed the connection\n").await;
            return 1;
        };
        let shown = if is_terminal { answer.show(0).into_bytes() } else { answer.plain() };
        if proc.print(shown).await.is_err() {
            return 1;
        }
        if !interactive {
            return i32::from(matches!(answer, Reply::Error(_)));
        }
    }
}

/// The words of a line; quotes hold blanks.
fn words(line: &str) -> Vec<BString> {
    let (mut out, mut word, mut quote, mut any) = (Vec::new(), String::new(), None, false);
    for c in line.trim().chars() {
        match (quote, c) {
            (None, '"' | '\'') => (quote, any) = (Some(c), true),
            (Some(q), _) if q == c => quote = None,
            (None, c) if c.is_whitespace() => {
                if any {
                    out.push(BString::from(std::mem::take(&mut word)));
                }
                any = false;
            }
            (_, c) => {
                word.push(c);
                any = true;
            }
        }
    }
    if any {
        out.push(word.into());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(store: &mut Store, line: &str, now: i64) -> String {
        let reply = store.run(&words(line), Timestamp(now * 1_000_000_000)).unwrap_or_else(Reply::Error);
        reply.show(0).trim_end().to_owned()
    }

    #[test]
    fn values_have_kinds_and_times() {
        let mut store = Store::default();
        let mut ask = |line: &str, now| run(&mut store, line, now);
        assert_eq!(ask("SET saludo \"hola mundo\" EX 10", 0), "OK");
        assert_eq!(
            (ask("GET saludo", 5), ask("TTL saludo", 5)),
            ("\"hola mundo\"".to_owned(), "(integer) 5".to_owned())
        );
        assert_eq!((ask("GET saludo", 10), ask("TTL saludo", 10)), ("(nil)".to_owned(), "(integer) -2".to_owned()));
        assert_eq!(ask("INCR visitas", 0), "(integer) 1");
        assert_eq!(ask("INCRBY visitas 9", 0), "(integer) 10");
        assert_eq!(ask("RPUSH lista a b c", 0), "(integer) 3");
        assert_eq!(ask("LRANGE lista 0 -1", 0), "1) \"a\"\n2) \"b\"\n3) \"c\"");
        assert_eq!(ask("GET lista", 0), format!("(error) {WRONG_TYPE}"));
        assert_eq!(ask("HSET h a 1 b 2", 0), "(integer) 2");
        assert_eq!(ask("KEYS *i*", 0), "1) \"lista\"\n2) \"visitas\"");
        assert_eq!(ask("GET", 0), "(error) ERR wrong number of arguments for 'get' command");
        assert_eq!(ask("FOO bar", 0), "(error) ERR unknown command 'FOO', with args beginning with: 'bar'");
    }

    #[test]
    fn what_is_saved_comes_back() {
        let mut store = Store::default();
        for line in ["SET a 1", "RPUSH l x y", "HSET h f v", "SET t 1 EX 100"] {
            run(&mut store, line, 0);
        }
        let mut other = Store::default();
        other.load(&store.dump(), Timestamp(0));
        assert_eq!(other.items, store.items);
    }

    #[test]
    fn requests_come_in_pieces_and_in_two_forms() {
        assert_eq!(request(b"*2\r\n$3\r\nGET\r\n$1\r\na\r\nrest"), Some((vec!["GET".into(), "a".into()], 20)));
        assert_eq!(request(b"*2\r\n$3\r\nGET\r\n$1\r\n"), None);
        assert_eq!(request(b"PING\r\n"), Some((vec!["PING".into()], 6)));
        assert_eq!(request(b"$9999999999999999999\r\n").map(|r| r.0.len()), Some(1));
    }
}
