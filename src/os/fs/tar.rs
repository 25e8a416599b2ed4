//! tar archives over ropes: a deterministic writer and a distrustful reader.
//!
//! Written form: ustar (POSIX.1-1988) with PAX records where a value does not fit. Read forms: v7, ustar, PAX, GNU
//! long names and base-256 numbers. File contents are slices of the archive's rope, so bulk stays symbolic.

use std::collections::BTreeMap;

use bstr::{BString, ByteSlice};

use super::node::{Content, Entry, Meta, Xattrs};
use crate::base::path;
use crate::base::rope::{self, Rope};
use crate::base::time::Timestamp;

const BLOCK: u64 = 512;
/// More entries than any real image has.
const MAX_ENTRIES: usize = 1_000_000;
/// What PAX records of extended attributes begin with (star; Go's `archive/tar` and GNU tar write the same).
const XATTR_PREFIX: &[u8] = b"SCHILY.xattr.";
/// Longest extended header that is read, in bytes.
const MAX_EXTENDED: u64 = 1 << 20;

/// Writes an archive.
#[derive(Default)]
pub struct Writer {
    out: Rope,
}

impl Writer {
    /// An empty archive.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends a file. A directory gets its trailing slash here.
    pub fn entry(&mut self, path: &[u8], entry: &Entry) {
        let mut name = BString::from(path);
        if matches!(entry.content, Content::Dir { .. }) && !name.ends_with(b"/") {
            name.push(b'/');
        }
        let (flag, link, content) = match &entry.content {
            Content::File(rope) => (b'0', BString::default(), Some(rope)),
            Content::Symlink(target) => (b'2', target.clone(), None),
            Content::CharDevice(..) => (b'3', BString::default(), None),
            Content::BlockDevice(..) => (b'4', BString::default(), None),
            Content::Dir { .. } => (b'5', BString::default(), None),
            Content::Fifo => (b'6', BString::default(), None),
            // A socket means nothing outside its machine; tar leaves it out.
            Content::Socket => return,
        };
        let size = content.map_or(0, Rope::len);
        self.header(&name, &link, flag, entry, size);
        if let Some(content) = content {
            self.out.push(content);
            self.pad();
        }
    }

    /// Appends another name for a file that is already in the archive.
    pub fn hard_link(&mut self, path: &[u8], target: &[u8]) {
        let entry = Entry::new(Meta::root(0o644, Timestamp(0)), Content::Fifo);
        self.header(path, target, b'1', &entry, 0);
    }

    /// Ends the archive.
    pub fn finish(mut self) -> Rope {
        self.out.push_bytes(&[0; 1024]);
        self.out
    }

    fn header(&mut self, name: &[u8], link: &[u8], flag: u8, entry: &Entry, size: u64) {
        let (meta, device) = (&entry.meta, entry.content.device());
        let mut records: BTreeMap<BString, Vec<u8>> = BTreeMap::new();
        let (prefix, short) = split_name(name).unwrap_or_else(|| {
            records.insert("path".into(), name.to_vec());
            (&[], name.get(..100).unwrap_or(name))
        });
        if link.len() > 100 {
            records.insert("linkpath".into(), link.to_vec());
        }
        if size >= 1 << 33 {
            records.insert("size".into(), size.to_string().into_bytes());
        }
        if meta.uid >= 1 << 21 {
            records.insert("uid".into(), meta.uid.to_string().into_bytes());
        }
        if meta.gid >= 1 << 21 {
            records.insert("gid".into(), meta.gid.to_string().into_bytes());
        }
        if !(0..1 << 33).contains(&meta.mtime.seconds()) {
            records.insert("mtime".into(), meta.mtime.seconds().to_string().into_bytes());
        }
        for (name, value) in entry.xattrs.iter() {
            records.insert([XATTR_PREFIX, name].concat().into(), value.to_vec());
        }
        if !records.is_empty() {
            let body: Vec<u8> = records.iter().flat_map(|(key, value)| pax_record(key, value)).collect();
            let own = Meta::root(0o644, Timestamp(0));
            self.raw_header(b"", b"PaxHeaders.0/x", b"", b'x', &own, body.len() as u64, None);
            self.out.push_bytes(&body);
            self.pad();
        }
        self.raw_header(prefix, short, link, flag, meta, size, device);
    }

    #[expect(clippy::too_many_arguments, reason = "one argument a header field")]
    fn raw_header(
        &mut self,
        prefix: &[u8],
        name: &[u8],
        link: &[u8],
        flag: u8,
        meta: &Meta,
        size: u64,
        device: Option<(u32, u32)>,
    ) {
        let mut block = [0u8; BLOCK as usize];
        let mut put = |at: usize, bytes: &[u8], max: usize| {
            for (to, from) in block.iter_mut().skip(at).zip(bytes.iter().take(max)) {
                *to = *from;
            }
        };
        put(0, name, 100);
        put(100, octal(u64::from(meta.mode), 7).as_bytes(), 8);
        put(108, octal(u64::from(meta.uid), 7).as_bytes(), 8);
        put(116, octal(u64::from(meta.gid), 7).as_bytes(), 8);
        put(124, octal(size, 11).as_bytes(), 12);
        put(136, octal(u64::try_from(meta.mtime.seconds()).unwrap_or(0), 11).as_bytes(), 12);
        put(148, b"        ", 8);
        put(156, &[flag], 1);
        put(157, link, 100);
        put(257, b"ustar\x0000", 8);
        if let Some((major, minor)) = device {
            put(329, octal(u64::from(major), 7).as_bytes(), 8);
            put(337, octal(u64::from(minor), 7).as_bytes(), 8);
        }
        put(345, prefix, 155);
        let sum: u64 = block.iter().map(|b| u64::from(*b)).sum();
        let sum = format!("{sum:06o}\0 ");
        for (to, from) in block.iter_mut().skip(148).zip(sum.bytes()) {
            *to = from;
        }
        self.out.push_bytes(&block);
    }

    fn pad(&mut self) {
        let rest = (self.out.len() % BLOCK) as usize;
        if rest != 0 {
            self.out.push_bytes(&vec![0; BLOCK as usize - rest]);
        }
    }
}

/// Octal in `width` digits, the value cut to what fits (the true value is then in a PAX record).
fn octal(value: u64, width: usize) -> String {
    let max = (1u64 << (3 * width)) - 1;
    format!("{:0width$o}", value.min(max))
}

/// Splits a long name at a slash into ustar's prefix (155 bytes) and name (100 bytes).
fn split_name(name: &[u8]) -> Option<(&[u8], &[u8])> {
    if name.len() <= 100 {
        return Some((&[], name));
    }
    (1..name.len().min(156)).rev().find_map(|at| {
        let (prefix, rest) = name.split_at_checked(at)?;
        let rest = rest.strip_prefix(b"/")?;
        (!rest.is_empty() && rest.len() <= 100).then_some((prefix, rest))
    })
}

/// One PAX record, whose length counts its own digits.
fn pax_record(key: &[u8], value: &[u8]) -> Vec<u8> {
    let rest = key.len() + value.len() + 3;
    let mut len = rest + 1;
    while rest + len.to_string().len() != len {
        len += 1;
    }
    let mut record = format!("{len} ").into_bytes();
    record.extend_from_slice(key);
    record.push(b'=');
    record.extend_from_slice(value);
    record.push(b'\n');
    record
}

/// What an archive has at a path.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Body {
    /// A file.
    Entry(Entry),
    /// Another name of the file at this path.
    HardLink(BString),
}

/// One item of an archive.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Item {
    /// Relative to the root, normalized, without slashes at its ends; the root is empty.
    pub path: BString,
    /// The file.
    pub body: Body,
    /// The metadata in the header (of a hard link too).
    pub meta: Meta,
}

/// Why an archive is refused. The first two are Go's `archive/tar` texts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TarError {
    /// A header's checksum or a number is wrong.
    #[error("archive/tar: invalid tar header")]
    Header,
    /// The archive ends inside a file.
    #[error("unexpected EOF")]
    Truncated,
    /// A name that would leave the root (moby `pkg/archive` `breakoutError`).
    #[error("invalid path {0:?}: it leaves the archive's root")]
    Breakout(BString),
    /// More directories in each other than there may be.
    #[error("a name is too deep: more than {MAX} directories (a limit of Capas)", MAX = path::MAX_DEPTH)]
    TooDeep,
    /// A hard link to a file that the archive does not have, or not yet (Go `os.Link`).
    #[error("link /{target} /{path}: no such file or directory")]
    Link {
        /// The link.
        path: BString,
        /// What it should be another name of.
        target: BString,
    },
    /// A type of entry that can't be unpacked.
    #[error("unhandled tar header type {0}")]
    Type(u8),
    /// A name or the number of entries is beyond the limits.
    #[error("archive is too large")]
    TooLarge,
}

/// Reads an archive item by item.
pub struct Reader<'a> {
    rope: rope::Reader<'a>,
    entries: usize,
    done: bool,
}

impl<'a> Reader<'a> {
    /// A reader of an uncompressed archive.
    pub const fn new(archive: &'a Rope) -> Self {
        Self { rope: archive.reader(), entries: 0, done: false }
    }

    /// How many bytes of the archive have been read.
    pub const fn position(&self) -> u64 {
        self.rope.position()
    }

    fn read(&mut self) -> Result<Option<Item>, TarError> {
        let mut extended: BTreeMap<BString, BString> = BTreeMap::new();
        loop {
            if self.rope.remaining() == 0 {
                return Ok(None);
            }
            let block = self.rope.take_bytes(BLOCK).ok_or(TarError::Truncated)?;
            if block.iter().all(|b| *b == 0) {
                return Ok(None);
            }
            self.entries += 1;
            if self.entries > MAX_ENTRIES {
                return Err(TarError::TooLarge);
            }
            let header = Header::parse(&block)?;
            let size = match extended.get(bstr::BStr::new("size")) {
                Some(text) => parse_decimal(text).ok_or(TarError::Header)?,
                None => header.size,
            };
            match header.flag {
                b'x' | b'g' | b'L' | b'K' => {
                    if size > MAX_EXTENDED {
                        return Err(TarError::TooLarge);
                    }
                    let body = self.body(size)?.to_vec();
                    match header.flag {
                        b'x' => extended.extend(parse_pax(&body).ok_or(TarError::Header)?),
                        b'L' => drop(extended.insert("path".into(), c_string(&body).into())),
                        b'K' => drop(extended.insert("linkpath".into(), c_string(&body).into())),
                        _ => {}
                    }
                }
                flag => return self.item(&header, flag, size, &extended).map(Some),
            }
        }
    }

    fn item(
        &mut self,
        header: &Header,
        flag: u8,
        size: u64,
        extended: &BTreeMap<BString, BString>,
    ) -> Result<Item, TarError> {
        let text = |key: &str| extended.get(bstr::BStr::new(key));
        let raw = text("path").unwrap_or(&header.name);
        let link = text("linkpath").unwrap_or(&header.link);
        let mut meta = header.meta;
        if let Some(uid) = text("uid").and_then(parse_decimal) {
            meta.uid = u32::try_from(uid).map_err(|_| TarError::Header)?;
        }
        if let Some(gid) = text("gid").and_then(parse_decimal) {
            meta.gid = u32::try_from(gid).map_err(|_| TarError::Header)?;
        }
        if let Some(seconds) = text("mtime").and_then(|t| t.to_str().ok()?.split('.').next()?.parse().ok()) {
            meta.mtime = Timestamp::from_seconds(seconds);
        }
        let at = relative(raw)?;
        let content = match flag {
            b'0' | 0 | b'7' if raw.ends_with(b"/") => Content::Dir { opaque: false },
            b'0' | 0 | b'7' => Content::File(self.body(size)?),
            b'1' => return Ok(Item { path: at, body: Body::HardLink(relative(link)?), meta }),
            b'2' => Content::Symlink(link.clone()),
            b'3' => Content::CharDevice(header.major, header.minor),
            b'4' => Content::BlockDevice(header.major, header.minor),
            b'5' => Content::Dir { opaque: false },
            b'6' => Content::Fifo,
            other => return Err(TarError::Type(other)),
        };
        let mut xattrs = Xattrs::default();
        for (key, value) in extended {
            if let Some(name) = key.strip_prefix(XATTR_PREFIX) {
                xattrs.set(name, Some(value));
            }
        }
        Ok(Item { path: at, body: Body::Entry(Entry { meta, content, xattrs }), meta })
    }

    fn body(&mut self, size: u64) -> Result<Rope, TarError> {
        if self.rope.remaining() < size {
            return Err(TarError::Truncated);
        }
        let body = self.rope.take(size);
        self.rope.take((BLOCK - size % BLOCK) % BLOCK);
        Ok(body)
    }
}

impl Iterator for Reader<'_> {
    type Item = Result<Item, TarError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let item = self.read().transpose();
        self.done = !matches!(item, Some(Ok(_)));
        item
    }
}

struct Header {
    name: BString,
    link: BString,
    flag: u8,
    meta: Meta,
    size: u64,
    major: u32,
    minor: u32,
}

impl Header {
    fn parse(block: &[u8]) -> Result<Self, TarError> {
        let field = |at: usize, len: usize| block.get(at..at + len).unwrap_or_default();
        let number = |at: usize, len: usize| parse_number(field(at, len)).ok_or(TarError::Header);
        let sum: u64 = block
            .iter()
            .enumerate()
            .map(|(at, b)| if (148..156).contains(&at) { u64::from(b' ') } else { u64::from(*b) })
            .sum();
        if number(148, 8)? != sum {
            return Err(TarError::Header);
        }
        let small = |at: usize, len: usize| u32::try_from(number(at, len)?).map_err(|_| TarError::Header);
        let mut name = BString::from(c_string(field(0, 100)));
        // GNU tar uses the prefix's place for other things.
        if field(257, 6) == b"ustar\0" && field(345, 1) != [0] {
            let mut full = BString::from(c_string(field(345, 155)));
            full.push(b'/');
            full.extend_from_slice(&name);
            name = full;
        }
        let seconds = i64::try_from(number(136, 12)?).map_err(|_| TarError::Header)?;
        Ok(Self {
            name,
            link: c_string(field(157, 100)).into(),
            flag: block.get(156).copied().unwrap_or(0),
            meta: Meta {
                mode: (number(100, 8)? & 0o7777) as u32,
                uid: small(108, 8)?,
                gid: small(116, 8)?,
                mtime: Timestamp::from_seconds(seconds),
            },
            size: number(124, 12)?,
            major: small(329, 8).unwrap_or(0),
            minor: small(337, 8).unwrap_or(0),
        })
    }
}

fn c_string(bytes: &[u8]) -> &[u8] {
    bytes.split(|b| *b == 0).next().unwrap_or_default()
}

/// Octal text, or base-256 when the first bit is set (GNU).
fn parse_number(field: &[u8]) -> Option<u64> {
    match field.split_first() {
        Some((first, rest)) if first & 0x80 != 0 => {
            if first & 0x7f != 0 {
                return None;
            }
            rest.iter().try_fold(0u64, |sum, b| sum.checked_mul(256)?.checked_add(u64::from(*b)))
        }
        _ => {
            let digits = c_string(field).trim_with(|c| c == ' ');
            digits.iter().try_fold(0u64, |sum, b| match b {
                b'0'..=b'7' => sum.checked_mul(8)?.checked_add(u64::from(b - b'0')),
                _ => None,
            })
        }
    }
}

fn parse_decimal(text: &BString) -> Option<u64> {
    text.to_str().ok()?.parse().ok()
}

fn parse_pax(mut body: &[u8]) -> Option<BTreeMap<BString, BString>> {
    let mut records = BTreeMap::new();
    while !body.is_empty() {
        let space = body.find_byte(b' ')?;
        let len: usize = body.get(..space)?.to_str().ok()?.parse().ok()?;
        let record = body.get(space + 1..len)?.strip_suffix(b"\n")?;
        let (key, value) = record.split_once_str("=")?;
        records.insert(key.into(), value.into());
        body = body.get(len..)?;
    }
    Some(records)
}

/// A name in an archive as a path below the root.
fn relative(name: &[u8]) -> Result<BString, TarError> {
    if name.len() > path::PATH_MAX || path::components(name).any(|part| part.len() > path::NAME_MAX) {
        return Err(TarError::TooLarge);
    }
    if path::components(name).count() > path::MAX_DEPTH {
        return Err(TarError::TooDeep);
    }
    if path::components(name).any(|part| part == "..") {
        return Err(TarError::Breakout(name.into()));
    }
    Ok(bstr::join("/", path::components(name)).into())
}
