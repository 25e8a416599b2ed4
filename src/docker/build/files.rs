//! Files to copy: found in a tree by path or pattern, summed for the cache, written into a build's new layer.
//!
//! A source is always a merged tree: the context's, an image's or an earlier stage's. What is written goes through the
//! mount table like any process's work, so that links in the destination lead where they lead.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use bstr::{BStr, BString, ByteSlice};

use super::error::BuildError;
use crate::base::digest::{Digest, Hasher};
use crate::base::errno::Errno;
use crate::base::path;
use crate::base::rope::Rope;
use crate::base::time::Timestamp;
use crate::docker::dockerfile::ignore::{Matcher, ParentMatch, has_wildcards, wildcard_match};
use crate::os::fs::layer::Layer;
use crate::os::fs::mounts::{Caller, MAX_LINKS, Mount, Mounts};
use crate::os::fs::node::{Content, Entry, Kind, Meta};
use crate::os::fs::overlay::Overlay;
use crate::os::fs::packed;
use crate::os::fs::tar::{self, Body};
use crate::os::fs::tree::{Node, Tree};

/// The most bytes a build step may hold in memory.
const MAX_RESIDENT_BYTES: u64 = 1 << 29;

/// A file in a source tree.
#[derive(Debug, Clone)]
pub struct Found {
    /// Its path without a leading slash, links resolved.
    pub path: BString,
    /// The last name as it was asked for: a link keeps its own.
    pub name: BString,
    /// The file.
    pub node: Arc<Node>,
    /// Where in the path begins what `--parents` keeps: behind `/./`.
    pub pivot: usize,
}

/// Finds a path in a tree; symbolic links are followed within it.
pub fn find(tree: &Tree, wanted: &[u8]) -> Option<Found> {
    let name = path::file_name(&path::normalize(wanted)).to_owned();
    let mut todo: Vec<BString> = path::components(wanted).rev().map(BStr::to_owned).collect();
    let mut at: Vec<(BString, Arc<Node>)> = Vec::new();
    let mut links = 0;
    while let Some(next) = todo.pop() {
        if next == ".." {
            at.pop();
            continue;
        }
        let dir = at.last().map_or(tree.root(), |(_, node)| node);
        let child = Arc::clone(dir.children.get(&next)?);
        if let Content::Symlink(target) = &child.entry.content {
            links += 1;
            if links > MAX_LINKS {
                return None;
            }
            if path::is_absolute(target) {
                at.clear();
            }
            todo.extend(path::components(target).rev().map(BStr::to_owned));
            continue;
        }
        at.push((next, child));
    }
    let node = at.last().map_or_else(|| Arc::clone(tree.root()), |(_, node)| Arc::clone(node));
    let names: Vec<&BString> = at.iter().map(|(name, _)| name).collect();
    Some(Found { path: bstr::join("/", names).into(), name, node, pivot: 0 })
}

/// Every file under `node` with its path below it, folders before what is in them.
pub fn walk(node: &Arc<Node>) -> Vec<(BString, Arc<Node>)> {
    let mut out = Vec::new();
    let mut stack: Vec<(BString, Arc<Node>)> = vec![(BString::default(), Arc::clone(node))];
    while let Some((at, node)) = stack.pop() {
        for (name, child) in node.children.iter().rev() {
            let path = if at.is_empty() { name.clone() } else { path::join(&at, name) };
            stack.push((path, Arc::clone(child)));
        }
        if !at.is_empty() {
            out.push((at, node));
        }
    }
    out
}

/// The files that a source of COPY names; nothing for a pattern that matches nothing, `None` for a path that is not there.
///
/// # Errors
/// A pattern that can't be read.
pub fn select(tree: &Tree, source: &str) -> Result<Option<Vec<Found>>, BuildError> {
    let wanted = path::normalize(source.as_bytes());
    let pivot = source.trim_start_matches('/').find("/./").map_or(0, |at| at + 1);
    let turned = |found: Found| Found { pivot: pivot.min(found.path.len()), ..found };
    if !has_wildcards(source) {
        return Ok(find(tree, &wanted).map(|found| vec![turned(found)]));
    }
    let pattern = wanted.to_str_lossy().trim_start_matches('/').to_owned();
    let mut out = Vec::new();
    let mut inside: Option<BString> = None;
    for (at, _) in walk(tree.root()) {
        // What is in a folder that matched comes with it.
        if inside.as_ref().is_some_and(|dir| at.strip_prefix(dir.as_slice()).is_some_and(|rest| rest.starts_with(b"/")))
        {
            continue;
        }
        if wildcard_match(&pattern, &at.to_str_lossy())?
            && let Some(found) = find(tree, &at)
        {
            if found.node.kind() == Kind::Dir {
                inside = Some(at);
            }
            out.push(turned(found));
        }
    }
    Ok(Some(out))
}

/// What the sums of files are for: the cache key, and telling which of them changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sums {
    /// Over all of them: equal sums copy equal files.
    pub total: Digest,
    /// Of every single one by its path; folders have none.
    pub files: BTreeMap<String, Digest>,
}

/// Sums over names, kinds, modes, owners and contents, not times.
pub fn sums(found: &[Found], exclude: &Matcher) -> Sums {
    let mut total = Hasher::new();
    let mut files = BTreeMap::new();
    let mut add = |name: &[u8], path: &[u8], node: &Node| {
        let sum = sum_of(node);
        total.update(name);
        total.update(b"\0");
        total.update(sum.as_bytes());
        if node.kind() != Kind::Dir {
            files.insert(BStr::new(path).to_string(), sum);
        }
    };
    for file in found {
        if file.node.kind() != Kind::Dir {
            add(&file.name, &file.path, &file.node);
            continue;
        }
        // What is in a folder comes without its name, and into a folder that may be there already.
        for (at, node) in walk_kept(&file.node, exclude) {
            let path = if file.path.is_empty() { at.clone() } else { path::join(&file.path, &at) };
            add(&at, &path, &node);
        }
    }
    Sums { total: total.finish(), files }
}

fn sum_of(node: &Node) -> Digest {
    let mut hasher = Hasher::new();
    let meta = node.entry.meta;
    let kind = node.kind();
    hasher.update(format!("{kind:?}\0{:o} {} {}\0", meta.mode, meta.uid, meta.gid).as_bytes());
    match &node.entry.content {
        Content::File(rope) => hasher.update(rope.structural_key().as_bytes()),
        Content::Symlink(target) => hasher.update(target),
        content => hasher.update(format!("{:?}", content.device()).as_bytes()),
    }
    for (name, value) in node.entry.xattrs.iter() {
        hasher.update(format!("\0{} {}\0", name.len(), value.len()).as_bytes());
        hasher.update(name);
        hasher.update(value);
    }
    hasher.finish()
}

fn walk_kept(node: &Arc<Node>, exclude: &Matcher) -> Vec<(BString, Arc<Node>)> {
    let mut files = walk(node);
    if exclude.is_empty() {
        return files;
    }
    let mut parents: BTreeMap<BString, ParentMatch> = BTreeMap::new();
    files.retain(|(at, node)| {
        let dir = path::parent(at);
        let parent = parents.get(dir).cloned().unwrap_or_default();
        let (matched, own) = exclude.matches(&at.to_str_lossy(), &parent);
        if node.kind() == Kind::Dir {
            parents.insert(at.clone(), own);
        }
        !matched
    });
    files
}

/// How files are copied.
#[derive(Debug, Default)]
pub struct CopyOptions {
    /// Their owner; otherwise they keep theirs.
    pub owner: Option<(u32, u32)>,
    /// Their permission bits; otherwise they keep theirs.
    pub mode: Option<u32>,
    /// What is left out.
    pub exclude: Matcher,
    /// Archives are unpacked.
    pub unpack: bool,
    /// The folders that lead to a file come with it.
    pub parents: bool,
}

/// The new layer of a build step.
pub struct Destination {
    overlay: Rc<RefCell<Overlay>>,
    mounts: Mounts,
    who: Caller,
}

impl Destination {
    /// An empty layer on top of `lower`; files that are made get the time `now`.
    pub fn new(lower: Tree, now: Timestamp) -> Self {
        let overlay = Rc::new(RefCell::new(Overlay::new(1, lower, MAX_RESIDENT_BYTES)));
        let mounts = Mounts::new(Mount::overlay("/", "overlay", "overlay", &overlay));
        Self { overlay, mounts, who: Caller { now, ..Caller::root() } }
    }

    /// What was written.
    pub fn layer(&self) -> Layer {
        self.overlay.borrow().upper()
    }

    fn fail(at: &[u8]) -> impl Fn(Errno) -> BuildError {
        let path = BStr::new(at).to_string();
        move |errno| BuildError::File { path: path.clone(), errno }
    }

    fn kind(&self, at: &[u8], follow: bool) -> Option<Kind> {
        self.mounts.find(&self.who, at, follow).ok()?.meta().ok().map(|(kind, _)| kind)
    }

    /// Where a path leads: its links are followed, inside the image, even to what is not there yet (continuity
    /// `fs.RootPath`).
    fn resolve(&self, at: &[u8]) -> Result<BString, BuildError> {
        let mut out = BString::from("/");
        let mut todo: Vec<BString> = path::components(at).rev().map(BStr::to_owned).collect();
        let mut links = 0;
        while let Some(name) = todo.pop() {
            let next = path::normalize(&path::join(&out, &name));
            if self.kind(&next, false) != Some(Kind::Symlink) {
                out = next;
                continue;
            }
            links += 1;
            if links > MAX_LINKS {
                return Err(Self::fail(at)(Errno::ELOOP));
            }
            let target = self.mounts.readlink(&self.who, &next).map_err(Self::fail(at))?;
            if path::is_absolute(&target) {
                out = BString::from("/");
            }
            todo.extend(path::components(&target).rev().map(BStr::to_owned));
        }
        Ok(out)
    }

    /// Makes a folder and those above it; existing ones stay as they are.
    ///
    /// # Errors
    /// A file in the way.
    pub fn make_dirs(&self, at: &[u8], owner: Option<(u32, u32)>) -> Result<(), BuildError> {
        let mut dir = BString::from("/");
        for name in path::components(&self.resolve(at)?) {
            dir = path::join(&dir, name);
            match self.kind(&dir, false) {
                Some(Kind::Dir) => {}
                Some(_) => return Err(BuildError::NonDirectory(dir.to_string())),
                None => {
                    let mut meta = Meta::root(0o755, self.who.now);
                    (meta.uid, meta.gid) = owner.unwrap_or((0, 0));
                    self.put(&dir, &Entry::dir(meta))?;
                }
            }
        }
        Ok(())
    }

    /// Puts a file where nothing is, with its own metadata.
    fn put(&self, at: &[u8], entry: &Entry) -> Result<(), BuildError> {
        let content = match &entry.content {
            Content::Dir { .. } => Content::Dir { opaque: false },
            other => other.clone(),
        };
        let place = self.mounts.create(&self.who, at, entry.meta.mode, content).map_err(Self::fail(at))?;
        let (fs, ino) = place.writable().map_err(Self::fail(at))?;
        let mut own = entry.meta;
        if entry.content.kind() == Kind::Symlink {
            // Linux gives links no permissions of their own.
            own.mode = 0o777;
        }
        let changed = fs.borrow_mut().set_meta(ino, self.who.now, |meta| *meta = own);
        changed.map_err(Self::fail(at))?;
        for (name, value) in entry.xattrs.iter() {
            let set = fs.borrow_mut().set_xattr(ino, name, Some(value), self.who.now);
            set.map_err(Self::fail(at))?;
        }
        Ok(())
    }

    /// Clears the place of a file that is about to be written.
    fn clear(&self, at: &[u8]) -> Result<(), BuildError> {
        match self.kind(at, false) {
            None => Ok(()),
            Some(Kind::Dir) => Err(BuildError::ReplaceDirectory(BStr::new(at).to_string())),
            Some(_) => self.mounts.unlink(&self.who, at).map_err(Self::fail(at)),
        }
    }

    /// Copies files to `to`, which must be absolute; a slash at its end makes it a folder.
    ///
    /// # Errors
    /// A folder where a file is or the other way round, a broken archive, no space.
    pub fn copy(&self, files: &[Found], to: &[u8], options: &CopyOptions) -> Result<(), BuildError> {
        let target = path::normalize(to);
        let is_dir = to.ends_with(b"/") || to.ends_with(b"/.") || self.kind(&target, true) == Some(Kind::Dir);
        let mut copied: BTreeMap<u64, BString> = BTreeMap::new();
        for file in files {
            let kept = file.path.get(file.pivot..).unwrap_or_default();
            let base = if options.parents { path::join(&target, path::parent(kept)) } else { target.clone() };
            if file.node.kind() == Kind::Dir {
                let base = if options.parents { path::join(&target, kept) } else { target.clone() };
                self.make_dirs(&base, options.owner)?;
                for (at, node) in walk_kept(&file.node, &options.exclude) {
                    self.copy_one(&path::join(&base, &at), &node, options, &mut copied)?;
                }
                continue;
            }
            if options.unpack
                && let Content::File(rope) = &file.node.entry.content
                && let Some(archive) = unpacked(rope)
            {
                self.make_dirs(&target, options.owner)?;
                self.unpack(&archive, &target, options.owner)?;
                continue;
            }
            let at = if is_dir || options.parents { path::join(&base, &file.name) } else { self.resolve(&target)? };
            self.make_dirs(path::parent(&at), options.owner)?;
            // A file goes into a folder of its name, as `cp` does.
            self.copy_one(&at, &file.node, options, &mut copied)?;
        }
        Ok(())
    }

    fn copy_one(
        &self,
        at: &[u8],
        node: &Node,
        options: &CopyOptions,
        copied: &mut BTreeMap<u64, BString>,
    ) -> Result<(), BuildError> {
        let mut entry = Entry::clone(&node.entry);
        if let Some((uid, gid)) = options.owner {
            (entry.meta.uid, entry.meta.gid) = (uid, gid);
        }
        if let Some(mode) = options.mode.filter(|_| node.kind() != Kind::Symlink) {
            entry.meta.mode = mode;
        }
        if node.kind() == Kind::Dir {
            return match self.kind(at, true) {
                Some(Kind::Dir) => Ok(()),
                Some(_) => Err(BuildError::NonDirectory(BStr::new(at).to_string())),
                None => self.put(at, &entry),
            };
        }
        self.clear(at)?;
        if node.links > 1 {
            if let Some(first) = copied.get(&node.ino) {
                return self.mounts.link(&self.who, first, at).map_err(Self::fail(at));
            }
            copied.insert(node.ino, at.into());
        }
        self.put(at, &entry)
    }

    /// Writes a file of the build's own, such as a here-document.
    ///
    /// # Errors
    /// A folder in its place, no space.
    pub fn write(&self, at: &[u8], content: Rope, options: &CopyOptions) -> Result<(), BuildError> {
        let mut meta = Meta::root(options.mode.unwrap_or(0o644), self.who.now);
        (meta.uid, meta.gid) = options.owner.unwrap_or((0, 0));
        self.make_dirs(path::parent(at), options.owner)?;
        self.clear(at)?;
        self.put(at, &Entry::new(meta, Content::File(content)))
    }

    /// Whether a path leads to a folder.
    pub fn is_dir(&self, at: &[u8]) -> bool {
        self.kind(at, true) == Some(Kind::Dir)
    }

    fn unpack(&self, archive: &Rope, to: &[u8], owner: Option<(u32, u32)>) -> Result<(), BuildError> {
        for item in tar::Reader::new(archive) {
            let item = item?;
            if item.path.is_empty() {
                continue;
            }
            let at = path::join(to, &item.path);
            self.make_dirs(path::parent(&at), None)?;
            match item.body {
                Body::HardLink(target) => {
                    self.clear(&at)?;
                    self.mounts.link(&self.who, &path::join(to, &target), &at).map_err(Self::fail(&at))?;
                }
                Body::Entry(mut entry) => {
                    if let Some((uid, gid)) = owner {
                        (entry.meta.uid, entry.meta.gid) = (uid, gid);
                    }
                    let is_dir = entry.content.kind() == Kind::Dir;
                    match self.kind(&at, false) {
                        Some(Kind::Dir) if is_dir => {
                            let place = self.mounts.find(&self.who, &at, false).map_err(Self::fail(&at))?;
                            let (fs, ino) = place.writable().map_err(Self::fail(&at))?;
                            let changed = fs.borrow_mut().set_meta(ino, self.who.now, |meta| *meta = entry.meta);
                            changed.map_err(Self::fail(&at))?;
                        }
                        _ => {
                            self.clear(&at)?;
                            self.put(&at, &entry)?;
                        }
                    }
                }
            }
        }
        Ok(())
    }
}

/// The plain tar in a file that is an archive; `None` for any other file.
fn unpacked(content: &Rope) -> Option<Rope> {
    let plain = packed::plain(content, packed::MAX_UNPACKED_BYTES).ok()?;
    let is_tar = plain.len() >= 512 && matches!(tar::Reader::new(&plain).next(), Some(Ok(_)));
    is_tar.then_some(plain)
}

/// The numbers that `--chown` means in an image (`user`, `user:group`, numbers or names).
///
/// # Errors
/// A name that the image's passwd or group file does not have.
pub fn owner(tree: &Tree, text: &str) -> Result<(u32, u32), BuildError> {
    let (user, group) = text.split_once(':').map_or((text, None), |(user, group)| (user, Some(group)));
    let rows = |file: &str| {
        let text = find(tree, file.as_bytes()).and_then(|found| match &found.node.entry.content {
            Content::File(rope) => Some(rope.head(1 << 20)),
            _ => None,
        });
        String::from_utf8_lossy(&text.unwrap_or_default()).into_owned()
    };
    let passwd = rows("/etc/passwd");
    let row = passwd.lines().map(|line| line.split(':').collect::<Vec<_>>()).find(|row| row.first() == Some(&user));
    let number = |row: &[&str], at: usize| row.get(at).and_then(|field| field.parse::<u32>().ok());
    let (uid, own_group) = match (user.parse::<u32>(), &row) {
        (Ok(uid), _) => (uid, None),
        (Err(_), _) if user.is_empty() => (0, None),
        (Err(_), Some(row)) => (number(row, 2).unwrap_or(0), number(row, 3)),
        (Err(_), None) => return Err(BuildError::User(user.to_owned())),
    };
    let gid = match group {
        // A number given alone stands for the group too.
        None => own_group.unwrap_or(uid),
        Some(group) => match group.parse::<u32>() {
            Ok(gid) => gid,
            Err(_) => {
                let groups = rows("/etc/group");
                let row = groups
                    .lines()
                    .map(|line| line.split(':').collect::<Vec<_>>())
                    .find(|row| row.first() == Some(&group));
                row.and_then(|row| number(&row, 2)).ok_or_else(|| BuildError::Group(group.to_owned()))?
            }
        },
    };
    Ok((uid, gid))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::os::fs::layer::Change;
    use crate::os::fs::{gzip, xz};

    pub fn tree(files: &[(&str, Content)]) -> Tree {
        let meta = |mode| Meta { mode, uid: 5, gid: 6, mtime: Timestamp::from_seconds(100) };
        let layer: Layer = files
            .iter()
            .map(|(path, content)| {
                let mode = if content.kind() == Kind::Dir { 0o755 } else { 0o644 };
                let entry = Entry::new(meta(mode), content.clone());
                (BString::from(*path), Change::Put(Arc::new(entry)))
            })
            .collect();
        Tree::of([&layer])
    }

    fn file(text: &str) -> Content {
        Content::File(text.into())
    }

    const DIR: Content = Content::Dir { opaque: false };

    fn listing(layer: &Layer) -> Vec<String> {
        layer
            .entries()
            .map(|(path, change)| match change {
                Change::Put(entry) => {
                    let meta = entry.meta;
                    format!("{}{path} {:o} {}:{}", entry.content.kind().letter(), meta.mode, meta.uid, meta.gid)
                }
                other => format!("{path} {other:?}"),
            })
            .collect()
    }

    fn copy(source: &Tree, from: &[&str], to: &str, options: &CopyOptions) -> Result<Vec<String>, BuildError> {
        let base = tree(&[
            ("srv", DIR),
            ("srv/dir", DIR),
            ("srv/file", file("old")),
            ("link", Content::Symlink("srv".into())),
        ]);
        let destination = Destination::new(base, Timestamp::from_seconds(200));
        let mut found = Vec::new();
        for source_path in from {
            found.extend(select(source, source_path)?.unwrap_or_default());
        }
        destination.copy(&found, to.as_bytes(), options)?;
        Ok(listing(&destination.layer()))
    }

    fn sample() -> Tree {
        tree(&[
            ("a.txt", file("1")),
            ("b.txt", file("2")),
            ("c.md", file("3")),
            ("d", DIR),
            ("d/e.txt", file("4")),
            ("d/f", DIR),
            ("d/f/g", file("5")),
            ("to-a", Content::Symlink("a.txt".into())),
            ("d/up", Content::Symlink("../a.txt".into())),
            ("loop", Content::Symlink("loop".into())),
        ])
    }

    #[test]
    fn files_are_found_by_path_and_pattern() {
        let tree = sample();
        let names = |source: &str| {
            let found = select(&tree, source).unwrap();
            found.map(|found| found.iter().map(|f| format!("{}={}", f.name, f.path)).collect::<Vec<_>>())
        };
        assert_eq!(names("a.txt").unwrap(), ["a.txt=a.txt"]);
        assert_eq!(names("./d/../a.txt").unwrap(), ["a.txt=a.txt"]);
        assert_eq!(names("../../a.txt").unwrap(), ["a.txt=a.txt"]);
        assert_eq!(names("to-a").unwrap(), ["to-a=a.txt"]);
        assert_eq!(names("d/up").unwrap(), ["up=a.txt"]);
        assert_eq!(names("*.txt").unwrap(), ["a.txt=a.txt", "b.txt=b.txt"]);
        assert_eq!(names("d/*").unwrap(), ["e.txt=d/e.txt", "f=d/f", "up=a.txt"]);
        assert_eq!(names("*.nope").unwrap(), Vec::<String>::new());
        assert_eq!(names("."), Some(vec!["=".to_owned()]));
        assert_eq!(names("nope"), None);
        assert_eq!(names("loop"), None);
        assert!(select(&tree, "[").is_err());
    }

    #[test]
    fn a_folder_gives_its_contents_and_a_file_goes_where_it_is_told() {
        let source = sample();
        let plain = CopyOptions { owner: Some((0, 0)), ..CopyOptions::default() };
        let got = copy(&source, &["d"], "/new/deep", &plain).unwrap();
        assert_eq!(
            got,
            [
                "dnew 755 0:0",
                "dnew/deep 755 0:0",
                "-new/deep/e.txt 644 0:0",
                "dnew/deep/f 755 0:0",
                "-new/deep/f/g 644 0:0",
                "lnew/deep/up 777 0:0"
            ]
        );
        assert_eq!(copy(&source, &["a.txt"], "/srv/dir", &plain).unwrap().last().unwrap(), "-srv/dir/a.txt 644 0:0");
        assert_eq!(copy(&source, &["a.txt"], "/srv/x", &plain).unwrap().last().unwrap(), "-srv/x 644 0:0");
        assert_eq!(copy(&source, &["a.txt"], "/srv/x/", &plain).unwrap().last().unwrap(), "-srv/x/a.txt 644 0:0");
        assert_eq!(copy(&source, &["a.txt"], "/link/x", &plain).unwrap().last().unwrap(), "-srv/x 644 0:0");
        assert_eq!(copy(&source, &["to-a"], "/t/", &plain).unwrap().last().unwrap(), "-t/to-a 644 0:0");
        assert_eq!(copy(&source, &["a.txt"], "/srv/file", &plain).unwrap().last().unwrap(), "-srv/file 644 0:0");
    }

    #[test]
    fn owner_mode_and_exclusions_are_respected() {
        let source = sample();
        let options = CopyOptions {
            owner: Some((7, 8)),
            mode: Some(0o700),
            exclude: Matcher::new(&["f", "*.md"]).unwrap(),
            ..CopyOptions::default()
        };
        assert_eq!(copy(&source, &["d"], "/x", &options).unwrap(), ["dx 755 7:8", "-x/e.txt 700 7:8", "lx/up 777 7:8"]);
        let kept = copy(&source, &["d/f"], "/x", &CopyOptions::default()).unwrap();
        assert_eq!(kept, ["dx 755 0:0", "-x/g 644 5:6"]);
        let parents = CopyOptions { parents: true, ..CopyOptions::default() };
        let got = copy(&source, &["d/f/g"], "/x/", &parents).unwrap();
        assert_eq!(got.last().unwrap(), "-x/d/f/g 644 5:6");
        let got = copy(&source, &["d/./f/g"], "/x/", &parents).unwrap();
        assert_eq!(got.last().unwrap(), "-x/f/g 644 5:6");
    }

    #[test]
    fn what_is_in_the_way_is_told() {
        let source = sample();
        let plain = CopyOptions::default();
        let fail = |from: &str, to: &str| copy(&source, &[from], to, &plain).unwrap_err().to_string();
        assert_eq!(fail("d", "/srv/file"), "cannot copy to non-directory: /srv/file");
        assert_eq!(fail("a.txt", "/srv/file/x"), "cannot copy to non-directory: /srv/file");
        let tree = tree(&[("dir", file("x"))]);
        let found = select(&tree, "dir").unwrap().unwrap();
        let destination = Destination::new(self::tree(&[("srv", DIR), ("srv/dir", DIR)]), Timestamp(0));
        let error = destination.copy(&found, b"/srv/", &plain).unwrap_err();
        assert_eq!(error.to_string(), "cannot replace to directory /srv/dir with file");
    }

    #[test]
    fn archives_are_unpacked_by_their_bytes() {
        let rootfs: Layer = [
            ("bin", Entry::dir(Meta::root(0o755, Timestamp(0)))),
            ("bin/sh", Entry::file(Meta { uid: 3, ..Meta::root(0o755, Timestamp(0)) }, "#!")),
        ]
        .into_iter()
        .map(|(path, entry)| (BString::from(path), Change::Put(Arc::new(entry))))
        .collect();
        let tar = rootfs.to_tar();
        for archive in [tar.clone(), gzip::compress(&tar), xz::store(&tar), packed::bzip2(&tar)] {
            let source = tree(&[("rootfs.tar.xz", Content::File(archive))]);
            let unpack = CopyOptions { unpack: true, ..CopyOptions::default() };
            assert_eq!(copy(&source, &["rootfs.tar.xz"], "/", &unpack).unwrap(), ["dbin 755 0:0", "-bin/sh 755 3:0"]);
            let whole = copy(&source, &["rootfs.tar.xz"], "/", &CopyOptions::default()).unwrap();
            assert_eq!(whole, ["-rootfs.tar.xz 644 5:6"]);
        }
        let text = tree(&[("a.tar", file("no archive"))]);
        let unpack = CopyOptions { unpack: true, ..CopyOptions::default() };
        assert_eq!(copy(&text, &["a.tar"], "/x/", &unpack).unwrap().last().unwrap(), "-x/a.tar 644 5:6");
    }

    #[test]
    fn sums_tell_contents_apart_but_not_times() {
        let (a, b) = (sample(), sample());
        let none = Matcher::default();
        let sum = |tree: &Tree, path: &str| sums(&[find(tree, path.as_bytes()).unwrap()], &none).total;
        assert_eq!(sum(&a, "d"), sum(&b, "d"));
        assert_ne!(sum(&a, "a.txt"), sum(&a, "b.txt"));
        let changed = a.with(
            &[(
                BString::from("d/f/g"),
                Change::Put(Arc::new(Entry::file(Meta { mode: 0o644, uid: 5, gid: 6, mtime: Timestamp(9) }, "new"))),
            )]
            .into_iter()
            .collect(),
        );
        assert_ne!(sum(&a, "d"), sum(&changed, "d"));
        let without = Matcher::new(&["f"]).unwrap();
        let kept = |tree: &Tree| sums(&[find(tree, b"d").unwrap()], &without);
        assert_eq!(kept(&a), kept(&changed));
        let files = sums(&[find(&a, b"d").unwrap()], &none).files;
        assert_eq!(files.keys().collect::<Vec<_>>(), ["d/e.txt", "d/f/g", "d/up"]);
    }

    #[test]
    fn owners_are_numbers_or_names_of_the_image() {
        let tree = tree(&[
            ("etc", DIR),
            ("etc/passwd", file("root:x:0:0:root:/root:/bin/sh\nnode:x:1000:1001::/home/node:/bin/sh\n")),
            ("etc/group", file("root:x:0:\nwww:x:33:\n")),
        ]);
        assert_eq!(owner(&tree, "node"), Ok((1000, 1001)));
        assert_eq!(owner(&tree, "node:www"), Ok((1000, 33)));
        assert_eq!(owner(&tree, "12"), Ok((12, 12)));
        assert_eq!(owner(&tree, "12:13"), Ok((12, 13)));
        assert_eq!(
            owner(&tree, "x").unwrap_err().to_string(),
            "unable to find user x: no matching entries in passwd file"
        );
        assert_eq!(
            owner(&tree, "1:x").unwrap_err().to_string(),
            "unable to find group x: no matching entries in group file"
        );
    }
}
