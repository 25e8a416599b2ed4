//! A layer: an immutable changeset from paths to what it puts or hides (OCI image spec, `layer.md`).
//!
//! Paths are relative to the root, without a leading or trailing slash; the root itself is the empty path and may be
//! left out. A layer's tar is a function of its entries alone, so its diff id is too; only a layer that came in an archive
//! of another writer keeps that archive.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use bstr::{BStr, BString, ByteSlice};

use super::node::{Content, Entry, Kind, Meta};
use super::tar::{self, TarError};
use crate::base::path;
use crate::base::rope::Rope;
use crate::base::time::Timestamp;

/// The prefix of a whiteout's name in a tar.
pub const WHITEOUT_PREFIX: &str = ".wh.";
/// The name that makes its directory opaque in a tar.
pub const OPAQUE_NAME: &str = ".wh..wh..opq";

/// What a layer does at one path.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Change {
    /// Puts a file; a directory is merged with a lower one unless it is opaque.
    Put(Arc<Entry>),
    /// Another name of the file that this same layer puts at the given path.
    HardLink(BString),
    /// Hides what lower layers have here and below.
    Whiteout,
}

/// An immutable changeset.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Layer {
    entries: BTreeMap<BString, Change>,
    /// The archive this was read from, where it is not written as this project writes it.
    source: Option<Rope>,
}

impl Layer {
    /// A layer of these changes.
    pub const fn new(entries: BTreeMap<BString, Change>) -> Self {
        Self { entries, source: None }
    }

    /// The changes in order of their paths.
    pub fn entries(&self) -> impl Iterator<Item = (&BStr, &Change)> {
        self.entries.iter().map(|(path, change)| (path.as_bstr(), change))
    }

    /// What this layer does at `path`.
    pub fn get(&self, path: &[u8]) -> Option<&Change> {
        self.entries.get(BStr::new(path))
    }

    /// The first names of what is changed below the directory `dir`, in order, each as often as something is below it.
    pub fn names_below(&self, dir: &[u8]) -> impl Iterator<Item = &BStr> {
        let prefix = if dir.is_empty() { BString::default() } else { BString::from([dir, b"/"].concat()) };
        let start = (Bound::Excluded(prefix.clone()), Bound::Unbounded);
        let below = self.entries.range::<BString, _>(start);
        let names = below.map_while(move |(path, _)| path.strip_prefix(prefix.as_slice()));
        names.filter_map(|rest| rest.split_str("/").next().map(BStr::new))
    }

    /// How many paths are changed.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing is changed.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The sum of the sizes of the files it puts, in bytes.
    pub fn size_bytes(&self) -> u64 {
        self.entries
            .values()
            .map(|change| match change {
                Change::Put(entry) if entry.content.kind() == Kind::File => entry.content.size_bytes(),
                _ => 0,
            })
            .sum()
    }

    /// The uncompressed tar whose SHA-256 is the layer's diff id.
    pub fn to_tar(&self) -> Rope {
        self.source.clone().unwrap_or_else(|| self.written())
    }

    /// The entries as this project writes them.
    fn written(&self) -> Rope {
        let mut out = tar::Writer::new();
        // A link stands behind the file that it is another name of.
        let mut early: BTreeMap<&BString, Vec<&BString>> = BTreeMap::new();
        for (path, change) in &self.entries {
            if let Change::HardLink(target) = change
                && path < target
            {
                early.entry(target).or_default().push(path);
                continue;
            }
            match change {
                Change::Put(entry) => {
                    out.entry(if path.is_empty() { b"./" } else { path.as_slice() }, entry);
                    if matches!(entry.content, Content::Dir { opaque: true }) {
                        let marker = match path.as_slice() {
                            b"" => BString::from(OPAQUE_NAME),
                            dir => path::join(dir, OPAQUE_NAME.as_bytes()),
                        };
                        out.entry(&marker, &Entry::file(Meta { mode: 0o644, ..entry.meta }, ""));
                    }
                }
                Change::HardLink(target) => out.hard_link(path, target),
                Change::Whiteout => {
                    let mut name = BString::from(WHITEOUT_PREFIX);
                    name.extend_from_slice(path::file_name(path));
                    let at = match path::parent(path) {
                        dir if dir == "." => name,
                        dir => path::join(dir, &name),
                    };
                    let meta = Meta::root(0o600, Timestamp(0));
                    out.entry(&at, &Entry::file(meta, ""));
                }
            }
            early.remove(path).unwrap_or_default().into_iter().for_each(|link| out.hard_link(link, path));
        }
        out.finish()
    }

    /// Reads a layer from an uncompressed tar.
    ///
    /// # Errors
    /// What [`tar::Reader`] refuses: broken headers, sizes that lie, names that leave the root; and links to files that the
    /// layer does not have.
    pub fn from_tar(archive: &Rope) -> Result<Self, TarError> {
        let mut reading = Reading::new(archive);
        while reading.step()? {}
        Ok(reading.finish())
    }

    /// The same for a layer of an image: its tar, and so its diff id, stays what it was, whoever wrote it.
    ///
    /// # Errors
    /// As [`Self::from_tar`].
    pub fn from_archive(archive: &Rope) -> Result<Self, TarError> {
        let mut reading = Reading::new(archive);
        while reading.step()? {}
        Ok(reading.finish().with_archive(archive))
    }

    /// This layer as `archive`, which it was read from, has it: the archive is kept where its bytes are not ours.
    #[must_use]
    pub fn with_archive(mut self, archive: &Rope) -> Self {
        self.source = (!self.written().is_same(archive)).then(|| archive.clone());
        self
    }
}

/// The reading of a layer's tar, item by item.
pub struct Reading<'a> {
    items: tar::Reader<'a>,
    entries: BTreeMap<BString, Change>,
    /// Directories, and when they became so.
    opaque: Vec<(BString, Timestamp)>,
}

impl<'a> Reading<'a> {
    /// Will read an uncompressed tar.
    pub const fn new(archive: &'a Rope) -> Self {
        Self { items: tar::Reader::new(archive), entries: BTreeMap::new(), opaque: Vec::new() }
    }

    /// How many bytes of the tar have been read.
    pub const fn position(&self) -> u64 {
        self.items.position()
    }

    /// Reads one item; whether there may be more.
    ///
    /// # Errors
    /// As [`Layer::from_tar`].
    pub fn step(&mut self) -> Result<bool, TarError> {
        let Some(item) = self.items.next().transpose()? else { return Ok(false) };
        let name = path::file_name(&item.path).to_owned();
        let dir = match path::parent(&item.path) {
            dir if dir == "." => BString::default(),
            dir => dir.to_owned(),
        };
        if name == OPAQUE_NAME {
            let mtime = match &item.body {
                tar::Body::Entry(entry) => entry.meta.mtime,
                tar::Body::HardLink(_) => Timestamp(0),
            };
            self.opaque.push((dir, mtime));
        } else if let Some(hidden) = name.strip_prefix(WHITEOUT_PREFIX.as_bytes()) {
            if matches!(hidden, b"" | b"." | b"..") {
                // It would hide a directory that it is in.
                return Err(TarError::Breakout(item.path));
            }
            // `.wh..wh.*` are aufs's own marks, which mean nothing to a reader.
            if !hidden.starts_with(WHITEOUT_PREFIX.as_bytes()) {
                let at = if dir.is_empty() { BString::from(hidden) } else { path::join(&dir, hidden) };
                self.entries.insert(at, Change::Whiteout);
            }
        } else {
            let change = match item.body {
                tar::Body::Entry(entry) => Change::Put(Arc::new(entry)),
                tar::Body::HardLink(target) => match self.linked(&item.path, &target)? {
                    // Another name of itself.
                    None => return Ok(true),
                    Some(target) => Change::HardLink(target),
                },
            };
            self.entries.insert(item.path, change);
        }
        Ok(true)
    }

    /// The path at which the layer has the file that `at` is to be another name of; `None` for `at` itself. What a link
    /// points at comes before it, so circles can't be.
    fn linked(&self, at: &BString, target: &BString) -> Result<Option<BString>, TarError> {
        match self.entries.get(target) {
            Some(Change::Put(entry)) if entry.content.kind() != Kind::Dir => Ok((at != target).then(|| target.clone())),
            Some(Change::HardLink(first)) => Ok((at != first).then(|| first.clone())),
            _ => Err(TarError::Link { path: at.clone(), target: target.clone() }),
        }
    }

    /// What was read.
    pub fn finish(mut self) -> Layer {
        for (dir, mtime) in self.opaque {
            // A directory that the archive does not have is made for its marker (moby `archive.UnpackLayer`).
            let made = || Change::Put(Arc::new(Entry::dir(Meta::root(0o755, mtime))));
            if let Change::Put(entry) = self.entries.entry(dir).or_insert_with(made)
                && entry.content.kind() == Kind::Dir
            {
                Arc::make_mut(entry).content = Content::Dir { opaque: true };
            }
        }
        Layer { entries: self.entries, source: None }
    }
}

impl FromIterator<(BString, Change)> for Layer {
    fn from_iter<I: IntoIterator<Item = (BString, Change)>>(changes: I) -> Self {
        Self::new(changes.into_iter().collect())
    }
}
