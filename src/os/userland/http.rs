//! HTTP/1.1 as clients and servers here need it: heads, lengths, chunks.

use bstr::{BString, ByteSlice};

use crate::base::errno::Errno;
use crate::base::rope::Rope;
use crate::os::kernel::{Fd, Proc};

/// Longest head that is read, in bytes.
const MAX_HEAD: usize = 64 << 10;

/// A message's first line and headers, and what was read beyond them.
pub struct Head {
    /// The first line.
    pub start: BString,
    /// Names and values in order.
    pub headers: Vec<(BString, BString)>,
    /// The head as it came, with its empty line.
    pub raw: BString,
    /// The beginning of the body.
    pub rest: Rope,
}

impl Head {
    /// A header's value, whatever the case of its name.
    pub fn get(&self, name: &str) -> Option<&BString> {
        self.headers.iter().find(|row| row.0.eq_ignore_ascii_case(name.as_bytes())).map(|row| &row.1)
    }
}

/// Reads a head; `None` when the peer closes before its end.
///
/// # Errors
/// Those of a read; `EMSGSIZE` stands for a head that is too long and is given as `EINVAL`.
pub async fn read_head(proc: &Proc, fd: Fd) -> Result<Option<Head>, Errno> {
    let mut bytes: Vec<u8> = Vec::new();
    loop {
        let end = bytes.find(b"\r\n\r\n").map(|at| at + 4).or_else(|| bytes.find(b"\n\n").map(|at| at + 2));
        if let Some(end) = end {
            let (head, rest) = bytes.split_at_checked(end).unwrap_or((&bytes, &[]));
            let mut lines = head.lines();
            let start = lines.next().unwrap_or_default().into();
            let header = |line: &[u8]| line.split_once_str(":").map(|(n, v)| (n.into(), v.trim_ascii().into()));
            return Ok(Some(Head {
                start,
                headers: lines.filter_map(header).collect(),
                raw: head.into(),
                rest: rest.into(),
            }));
        }
        if bytes.len() > MAX_HEAD {
            return Err(Errno::EINVAL);
        }
        let piece = proc.read(fd, 4096).await?;
        if piece.is_empty() {
            return Ok(None);
        }
        bytes.extend_from_slice(&piece.to_vec());
    }
}

/// Reads a body of known length, in chunks, or to the end of the connection.
///
/// # Errors
/// Those of a read.
pub async fn read_body(proc: &Proc, fd: Fd, head: &Head) -> Result<Rope, Errno> {
    let mut body = head.rest.clone();
    if head.get("transfer-encoding").is_some_and(|v| v.eq_ignore_ascii_case(b"chunked")) {
        let mut raw = body;
        raw.push(&proc.read_all(fd).await?);
        return Ok(unchunk(&raw));
    }
    let length = head.get("content-length").and_then(|v| super::program::number::<u64>(v));
    while length.is_none_or(|length| body.len() < length) {
        let want = length.map_or(1 << 24, |length| length - body.len());
        let piece = proc.read(fd, want.min(1 << 24)).await?;
        if piece.is_empty() {
            break;
        }
        body.push(&piece);
    }
    if let Some(length) = length {
        body.truncate(length.min(body.len()));
    }
    Ok(body)
}

fn unchunk(raw: &Rope) -> Rope {
    let mut out = Rope::new();
    let mut at = 0;
    loop {
        let line = raw.slice(at..at + 64).to_vec();
        let Some(end) = line.find(b"\n") else { return out };
        let digits = line.get(..end).unwrap_or_default().trim_ascii();
        let digits = digits.split_str(";").next().unwrap_or_default();
        let Some(size) = digits.to_str().ok().and_then(|d| u64::from_str_radix(d, 16).ok()) else { return out };
        if size == 0 {
            return out;
        }
        let from = at + end as u64 + 1;
        out.push(&raw.slice(from..from.saturating_add(size)));
        at = from.saturating_add(size).saturating_add(2);
    }
}

/// A URL's host, port and path.
pub struct Url {
    /// `http` or another scheme.
    pub scheme: String,
    /// The host.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The path with its query.
    pub path: String,
    /// `host` or `host:port`, for the `Host` header.
    pub authority: String,
    /// The socket of the file system that the host is reached by, if that is another way.
    pub socket: Option<BString>,
}

impl Url {
    /// Reads a URL; the scheme may be missing. `None` for a port that is no number.
    pub fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
        let rest = rest.split('#').next().unwrap_or_default();
        let at = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(at)?;
        let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        let default = if scheme == "https" { 443 } else { 80 };
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, "")) => (host, default),
            Some((host, port)) => (host, port.parse().ok()?),
            None => (authority, default),
        };
        let slash = if path.starts_with('/') { "" } else { "/" };
        Some(Self {
            scheme: scheme.to_ascii_lowercase(),
            host: host.to_owned(),
            port,
            path: format!("{slash}{path}"),
            authority: authority.to_owned(),
            socket: None,
        })
    }

    /// Where a `Location` leads.
    pub fn join(&self, location: &str) -> Option<Self> {
        Some(Self { socket: self.socket.clone(), ..self.joined(location)? })
    }

    fn joined(&self, location: &str) -> Option<Self> {
        if location.contains("://") {
            return Self::parse(location);
        }
        let base = format!("{}://{}", self.scheme, self.authority);
        if location.starts_with('/') {
            return Self::parse(&format!("{base}{location}"));
        }
        let dir = self.path.rsplit_once('/').map_or("", |(dir, _)| dir);
        Self::parse(&format!("{base}{dir}/{location}"))
    }
}

/// The name of a status.
pub const fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        204 => "No Content",
        206 => "Partial Content",
        301 => "Moved Permanently",
        302 => "Moved Temporarily",
        304 => "Not Modified",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Not Allowed",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        505 => "HTTP Version Not Supported",
        _ => "Unknown",
    }
}

/// Decodes `%20`.
pub fn percent_decode(text: &[u8]) -> BString {
    let mut out = BString::default();
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        let digits =
            text.get(at + 1..at + 3).and_then(|d| d.to_str().ok()).and_then(|d| u8::from_str_radix(d, 16).ok());
        match (byte, digits) {
            (b'%', Some(value)) => {
                out.push(value);
                at += 3;
            }
            (other, _) => {
                out.push(*other);
                at += 1;
            }
        }
    }
    out
}
