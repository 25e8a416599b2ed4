//! Build contexts: the files that a client sends, read from a folder or a tar, less what `.dockerignore` leaves out.
//!
//! Ownership is root's, as BuildKit and the classic client send it. Nothing is read twice and nothing is followed: a
//! symbolic link in a context is a link.

use std::collections::BTreeMap;
use std::sync::Arc;

use bstr::{BStr, BString, ByteSlice};

use crate::base::errno::Errno;
use crate::base::path;
use crate::base::rope::Rope;
use crate::docker::daemon::api::build::BuildContext;
use crate::docker::dockerfile::ignore::{self, IgnoreError, Matcher, ParentMatch};
use crate::os::fs::layer::{Change, Layer};
use crate::os::fs::mounts::{Caller, Mounts};
use crate::os::fs::node::{Content, Entry, Kind, Meta};
use crate::os::fs::packed;
use crate::os::fs::tar::TarError;

/// The most files a context may have.
const MAX_FILES: usize = 100_000;

/// A context that can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ContextError {
    /// A file system's refusal.
    #[error("{call} {}: {}", path.as_bstr(), errno.strerror().to_lowercase())]
    File {
        /// What was asked of it: `open`, `lstat`.
        call: &'static str,
        /// What was read.
        path: BString,
        /// Why it could not be.
        errno: Errno,
    },
    /// A broken ignore file.
    #[error("failed to read {name}: {problem}")]
    Ignore {
        /// Its name.
        name: String,
        /// What is wrong with it.
        problem: IgnoreError,
    },
    /// A broken archive.
    #[error("{0}")]
    Tar(#[from] TarError),
    /// A broken compression.
    #[error("{0}")]
    Packed(#[from] packed::PackedError),
    /// More files than this page can hold.
    #[error("build context has more than {MAX_FILES} files")]
    TooManyFiles,
}

/// Reads the context in `folder`. `keep` names files that stay whatever the ignore file says: the classic client keeps
/// the Dockerfile and the ignore file itself.
///
/// # Errors
/// An unreadable file, a broken ignore file, too many files.
pub fn from_folder(
    mounts: &Mounts,
    who: &Caller,
    folder: &[u8],
    dockerfile: &str,
    keep: &[&str],
) -> Result<BuildContext, ContextError> {
    let refused = |call: &'static str, path: &[u8]| {
        let path = BString::from(path);
        move |errno| ContextError::File { call, path: path.clone(), errno }
    };
    let fail = |path: &[u8]| refused("open", path);
    let mut context = BuildContext::default();
    // A Dockerfile may have an ignore file of its own, which then counts alone.
    for name in [format!("{dockerfile}.dockerignore"), ".dockerignore".to_owned()] {
        let at = path::join(folder, name.as_bytes());
        if let Ok(place) = mounts.find(who, &at, true) {
            mounts.access(who, &at, 4).map_err(fail(&at))?;
            if let Content::File(rope) = place.content().map_err(fail(&at))? {
                let text = rope.head(1 << 20);
                context.ignore_patterns = ignore::read_patterns(&String::from_utf8_lossy(&text));
                context.ignore_file = Some((name, rope));
                break;
            }
        }
    }
    let mut patterns = context.ignore_patterns.clone();
    let exclude = |problem| ContextError::Ignore { name: ".dockerignore".to_owned(), problem };
    let first = Matcher::new(&patterns).map_err(exclude)?;
    patterns.extend(keep.iter().filter(|name| first.matches_or_parent_matches(name)).map(|name| format!("!{name}")));
    let matcher = Matcher::new(&patterns).map_err(exclude)?;
    let keeps_all = matcher.is_empty();
    let of_root = |meta: Meta| Meta { uid: 0, gid: 0, ..meta };

    let mut entries: BTreeMap<BString, Change> = BTreeMap::new();
    // Directories that are left out themselves appear only with something in them that is not.
    let mut stack = vec![(BString::default(), ParentMatch::default())];
    let mut left_out: BTreeMap<BString, Entry> = BTreeMap::new();
    while let Some((dir, parent)) = stack.pop() {
        let at = if dir.is_empty() { BString::from(folder) } else { path::join(folder, &dir) };
        let inside = mounts.find(who, &at, true).map_err(fail(&at))?;
        for child in mounts.readdir(who, &at).map_err(fail(&at))? {
            let name = relative(&dir, child.name.as_bstr());
            let file = path::join(folder, &name);
            let (skip, own) =
                if keeps_all { Default::default() } else { matcher.matches(&name.to_str_lossy(), &parent) };
            let place = mounts.find_in(who, &inside, child.name.as_bstr()).map_err(refused("lstat", &file));
            if skip && place.is_err() {
                continue;
            }
            let place = place?;
            let (kind, meta) = place.meta().map_err(refused("lstat", &file))?;
            if skip && (kind != Kind::Dir || !matcher.has_exclusions()) {
                continue;
            }
            match kind {
                Kind::Dir => {
                    let entry = Entry::dir(of_root(meta));
                    if skip {
                        left_out.insert(name.clone(), entry);
                    } else {
                        put(&mut entries, &left_out, name.clone(), entry)?;
                    }
                    stack.push((name, own));
                }
                Kind::File | Kind::Symlink => {
                    if kind == Kind::File && !who.cred.allows(kind, &meta, 4) {
                        return Err(fail(&file)(Errno::EACCES));
                    }
                    let content = place.content().map_err(fail(&file))?;
                    put(
                        &mut entries,
                        &left_out,
                        name,
                        Entry { meta: of_root(meta), content, xattrs: place.xattrs().unwrap_or_default() },
                    )?;
                }
                // Pipes, sockets and devices are no part of a context.
                _ => {}
            }
        }
    }
    context.files = Arc::new(Layer::new(entries));
    Ok(context)
}

fn put(
    entries: &mut BTreeMap<BString, Change>,
    left_out: &BTreeMap<BString, Entry>,
    name: BString,
    entry: Entry,
) -> Result<(), ContextError> {
    if left_out.is_empty() {
        return insert(entries, name, entry);
    }
    for at in name.find_iter("/") {
        let dir = BStr::new(name.get(..at).unwrap_or_default());
        if let Some(entry) = left_out.get(dir)
            && !entries.contains_key(dir)
        {
            entries.insert(dir.to_owned(), Change::Put(Arc::new(entry.clone())));
        }
    }
    insert(entries, name, entry)
}

fn insert(entries: &mut BTreeMap<BString, Change>, name: BString, entry: Entry) -> Result<(), ContextError> {
    if entries.len() >= MAX_FILES {
        return Err(ContextError::TooManyFiles);
    }
    entries.insert(name, Change::Put(Arc::new(entry)));
    Ok(())
}

fn relative(dir: &BString, name: &BStr) -> BString {
    if dir.is_empty() { name.to_owned() } else { path::join(dir, name) }
}

/// Reads a context from an archive (`docker build - < context.tar.gz`).
///
/// # Errors
/// A broken archive.
pub fn from_archive(archive: &Rope) -> Result<BuildContext, ContextError> {
    let plain = packed::plain(archive, packed::MAX_UNPACKED_BYTES)?;
    let mut context = BuildContext { files: Arc::new(Layer::from_tar(&plain)?), ..BuildContext::default() };
    if let Some(Change::Put(entry)) = context.files.get(b".dockerignore")
        && let Content::File(rope) = &entry.content
    {
        context.ignore_patterns = ignore::read_patterns(&String::from_utf8_lossy(&rope.head(1 << 20)));
        context.ignore_file = Some((".dockerignore".to_owned(), rope.clone()));
    }
    Ok(context)
}

/// How many bytes BuildKit's file sync moves for these files: what `transferring context:` counts.
///
/// A file costs a `stat` packet and, where its content is not known to the daemon yet (`with_content`), packets of 32 KiB
/// and an empty one; an empty `stat` ends the list and a `fin` the stream (tonistiigi/fsutil `types/wire.proto`).
pub fn transfer_size_bytes(files: &Layer, with_content: bool) -> u64 {
    let mut transfer = Transfer::new(with_content);
    files.entries().for_each(|(path, change)| transfer.add(path, change));
    transfer.size_bytes
}

/// Files on their way to the builder, and the bytes that they take.
pub struct Transfer {
    with_content: bool,
    next: u64,
    /// The bytes so far.
    pub size_bytes: u64,
}

impl Transfer {
    /// Nothing but the ends of list and stream.
    pub const fn new(with_content: bool) -> Self {
        Self { with_content, next: 0, size_bytes: 2 }
    }

    /// One more file.
    pub fn add(&mut self, path: &BStr, change: &Change) {
        self.size_bytes += packets_bytes(self.next, path, change, self.with_content);
        self.next += 1;
    }
}

fn packets_bytes(id: u64, path: &BStr, change: &Change, with_content: bool) -> u64 {
    let varint = |value: u64| u64::from((64 - value.leading_zeros()).div_ceil(7).max(1));
    let field = |value: u64| if value == 0 { 0 } else { 1 + varint(value) };
    let bytes = |len: u64| if len == 0 { 0 } else { 1 + varint(len) + len };
    let Change::Put(entry) = change else { return 0 };
    let link = if let Content::Symlink(text) = &entry.content { text.len() as u64 } else { 0 };
    let size = if let Content::File(rope) = &entry.content { rope.len() } else { 0 };
    let mode = u64::from(entry.meta.mode);
    // Go's file modes keep the kind in the high bits.
    let mode = if entry.content.kind() == Kind::File { mode } else { mode | 1 << 31 };
    let stat = bytes(path.len() as u64)
        + field(mode)
        + field(size)
        + field(entry.meta.mtime.0.max(0).unsigned_abs())
        + bytes(link);
    let mut sum = bytes(stat);
    if with_content && size > 0 {
        const PIECE: u64 = 32 * 1024;
        let head = 2 + field(id);
        let (whole, rest) = (size / PIECE, size % PIECE);
        sum += whole * (head + bytes(PIECE)) + if rest > 0 { head + bytes(rest) } else { 0 } + head;
    }
    sum
}

/// The same for a single file, such as the Dockerfile.
pub fn transfer_file_size_bytes(name: &str, content: &Rope, mtime: crate::base::time::Timestamp) -> u64 {
    let entry = Entry::new(Meta::root(0o644, mtime), Content::File(content.clone()));
    let files: Layer = [(BString::from(name), Change::Put(Arc::new(entry)))].into_iter().collect();
    transfer_size_bytes(&files, true)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::base::time::Timestamp;
    use crate::os::fs::mounts::Mount;
    use crate::os::fs::overlay::Overlay;
    use crate::os::fs::tree::Tree;
    use crate::os::fs::{gzip, xz};
    use std::cell::RefCell;
    use std::rc::Rc;

    /// A host with these files; a path that ends with a slash is a folder.
    pub fn host(files: &[(&str, &str)]) -> Mounts {
        let overlay = Rc::new(RefCell::new(Overlay::new(1, Tree::empty(), 1 << 24)));
        let mounts = Mounts::new(Mount::overlay("/", "disk", "ext4", &overlay));
        let who = Caller { now: Timestamp::from_date(2026, 1, 1), ..Caller::root() };
        for (path, text) in files {
            for (at, _) in path.match_indices('/').filter(|(at, _)| *at > 0) {
                drop(mounts.create(
                    &who,
                    path.as_bytes().get(..at).unwrap_or_default(),
                    0o755,
                    Content::Dir { opaque: false },
                ));
            }
            if !path.ends_with('/') {
                mounts.create(&who, path.as_bytes(), 0o644, Content::File((*text).into())).unwrap();
            }
        }
        mounts
    }

    fn paths(context: &BuildContext) -> Vec<String> {
        context.files.entries().map(|(path, _)| path.to_string()).collect()
    }

    fn read(files: &[(&str, &str)], keep: &[&str]) -> Result<BuildContext, ContextError> {
        from_folder(&host(files), &Caller::root(), b"/app", "Dockerfile", keep)
    }

    #[test]
    fn ignored_files_are_left_out() {
        let files = [
            ("/app/.dockerignore", "node_modules\n*.log\n!keep.log\ndocs\n!docs/README.md\n"),
            ("/app/Dockerfile", "FROM a"),
            ("/app/a.log", ""),
            ("/app/keep.log", ""),
            ("/app/docs/a.md", ""),
            ("/app/docs/README.md", ""),
            ("/app/node_modules/x/y.js", ""),
            ("/app/src/main.js", ""),
        ];
        let context = read(&files, &[]).unwrap();
        assert_eq!(
            paths(&context),
            [".dockerignore", "Dockerfile", "docs", "docs/README.md", "keep.log", "src", "src/main.js"]
        );
        assert_eq!(context.ignore_patterns.len(), 5);
    }

    #[test]
    fn kept_files_stay_and_an_own_ignore_file_counts_alone() {
        let files = [("/app/.dockerignore", "*\n"), ("/app/Dockerfile", ""), ("/app/a", "")];
        assert_eq!(paths(&read(&files, &["Dockerfile", ".dockerignore"]).unwrap()), [".dockerignore", "Dockerfile"]);
        let files =
            [("/app/.dockerignore", "*\n"), ("/app/Dockerfile.dockerignore", "b\n"), ("/app/a", ""), ("/app/b", "")];
        assert_eq!(paths(&read(&files, &[]).unwrap()), [".dockerignore", "Dockerfile.dockerignore", "a"]);
        let broken = read(&[("/app/.dockerignore", "[\n")], &[]).unwrap_err();
        assert_eq!(broken.to_string(), "failed to read .dockerignore: syntax error in pattern");
        let missing = from_folder(&host(&[]), &Caller::root(), b"/nope", "Dockerfile", &[]).unwrap_err();
        assert_eq!(missing.to_string(), "open /nope: no such file or directory");
    }

    #[test]
    fn an_archive_is_a_context_too() {
        let context = read(&[("/app/a", "1"), ("/app/b/c", "2")], &[]).unwrap();
        let tar = context.files.to_tar();
        for packed in [tar.clone(), gzip::compress(&tar), xz::store(&tar)] {
            assert_eq!(from_archive(&packed).unwrap().files, context.files);
        }
        assert!(from_archive(&Rope::from("no archive")).is_err());
    }

    #[test]
    fn an_empty_context_takes_two_bytes() {
        assert_eq!(transfer_size_bytes(&Layer::default(), true), 2);
        let one = read(&[("/app/index.html", "hello\n")], &[]).unwrap();
        let known = transfer_size_bytes(&one.files, false);
        assert_eq!(known, 31);
        assert_eq!(transfer_size_bytes(&one.files, true), known + 2 + 8 + 2);
    }
}
