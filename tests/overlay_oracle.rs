//! The kernel's overlayfs as an oracle for ours: the same changes to the same layers, mounted as Docker's overlay2 mounts
//! them, give the same errors, the same merged view and the same writable layer.
//!
//! Each sequence draws three lower layers and a list of system calls from a seed, as root and as two other users. The
//! real one runs in a chroot on the mount, so that `..` and absolute links mean the same to both. A sequence that differs
//! is made as short as it still differs before it is shown.
#![cfg(target_os = "linux")]
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::panic,
    reason = "it asks the real kernel about real files and tells what differs"
)]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::CString;
use std::fmt::Write as _;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use bstr::{BStr, BString, ByteSlice};
use capas::base::rng::Rng;
use capas::base::time::Timestamp;
use capas::os::fs::layer::{Change, Layer};
use capas::os::fs::mounts::{Caller, Cred, How, Mount, Mounts, Protections};
use capas::os::fs::node::{Content, Entry, Kind, Meta};
use capas::os::fs::overlay::Overlay;
use capas::os::fs::tree::Tree;
use rustix::fs::{AtFlags, CWD, FileType, Gid, Mode, OFlags, Timespec, Timestamps, Uid, XattrFlags};

const SEQUENCES: u64 = 600;
const MOUNT_SEQUENCES: u64 = 50;
const CALLS: u64 = 25;
/// Later times are "now", which differs between the two.
const LAST_OLD_SECOND: i64 = 1_000_000;
const NOW: Timestamp = Timestamp::from_seconds(1_700_000_000);
/// Who asks: user, group, further groups.
const USERS: [(u32, u32, &[u32]); 3] = [(0, 0, &[]), (1000, 1000, &[50]), (1001, 1001, &[])];

#[derive(Clone, Debug)]
enum Call {
    Open {
        path: BString,
        create: Option<u32>,
        exclusive: bool,
        truncate: bool,
        read: bool,
        write: Option<(u64, BString)>,
    },
    Truncate(BString, u64),
    Chmod(BString, u32),
    Chown(BString, Option<u32>, Option<u32>, bool),
    Utimes(BString, i64, bool),
    Link(BString, BString),
    Symlink(BString, BString),
    Mkdir(BString, u32),
    Mkfifo(BString, u32),
    Mkdev(BString, u32),
    Rmdir(BString),
    Unlink(BString),
    Rename(BString, BString),
    Readdir(BString),
    Readlink(BString),
    Stat(BString),
}

#[derive(Clone, Debug)]
struct Step {
    user: usize,
    umask: u32,
    call: Call,
}

// ---- drawing ----

struct Draw(Rng);

impl Draw {
    fn one_in(&mut self, n: u64) -> bool {
        self.0.below(n) == 0
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.0.below(all.len() as u64) as usize]
    }

    fn path(&mut self) -> BString {
        let mut path = BString::default();
        let depth = self.of(&[1, 1, 2, 2, 2, 3]);
        for _ in 0..depth {
            path.push(b'/');
            let name = self.of(&["a", "a", "b", "b", "d", "d", "d", "e", "e", "l"]);
            path.extend_from_slice(name.as_bytes());
        }
        match self.0.below(40) {
            0 | 1 => path.push(b'/'),
            2 => path.extend_from_slice(b"/."),
            3 => path.extend_from_slice(b"/.."),
            4 => path.extend_from_slice(b"/../a"),
            5 => path.extend_from_slice(&[b"/".as_slice(), &[b'n'; 256]].concat()),
            6 => path.extend_from_slice(b"/\xff\xfe"),
            7 => path = self.of(&["/", ".", "..", "", "d", "d/a", "//d//a", "/./d"]).into(),
            8 => path = BString::from(b"/d".repeat(2050)),
            9 => path.extend_from_slice(b"/./a"),
            _ => {}
        }
        path
    }

    fn mode(&mut self) -> u32 {
        let mode = self.of(&[0o755, 0o777, 0o700, 0o644, 0o666, 0o600, 0o555, 0o711, 0o1777, 0o770]);
        mode | self.of(&[0, 0, 0, 0, 0o4000, 0o2000, 0o6000, 0o1000])
    }

    fn id(&mut self) -> u32 {
        self.of(&[0, 1000, 1001, 50])
    }

    fn text(&mut self) -> BString {
        let len = self.of(&[0, 1, 3, 9]);
        (0..len).map(|_| b'a' + self.0.below(26) as u8).collect::<Vec<_>>().into()
    }

    fn link_text(&mut self) -> BString {
        match self.0.below(8) {
            0 => "".into(),
            1 => "l".into(),
            2 => "../d".into(),
            3 => "d/".into(),
            4 => "nowhere".into(),
            _ => self.path(),
        }
    }

    fn step(&mut self) -> Step {
        let user = self.of(&[0, 0, 0, 1, 1, 2]);
        let umask = self.of(&[0o022, 0o022, 0, 0o077]);
        let call = match self.0.below(32) {
            0..=5 => Call::Open {
                path: self.path(),
                create: if self.one_in(3) { None } else { Some(self.mode()) },
                exclusive: self.one_in(5),
                truncate: self.one_in(3),
                read: self.one_in(2),
                write: if self.one_in(6) { None } else { Some((self.of(&[0, 0, 2, 20, u64::MAX]), self.text())) },
            },
            6 => Call::Truncate(self.path(), self.of(&[0, 1, 5, 30])),
            7..=8 => Call::Chmod(self.path(), self.mode()),
            9..=10 => {
                let uid = if self.one_in(3) { None } else { Some(self.id()) };
                let gid = if self.one_in(3) { None } else { Some(self.id()) };
                Call::Chown(self.path(), uid, gid, self.one_in(2))
            }
            11 => Call::Utimes(self.path(), self.0.below(1000) as i64, self.one_in(2)),
            12..=13 => Call::Link(self.path(), self.path()),
            14..=15 => Call::Symlink(self.link_text(), self.path()),
            16..=18 => Call::Mkdir(self.path(), self.mode()),
            19 if self.one_in(3) => Call::Mkdev(self.path(), self.of(&[0, 3])),
            19 => Call::Mkfifo(self.path(), self.mode()),
            20..=21 => Call::Rmdir(self.path()),
            22..=24 => Call::Unlink(self.path()),
            25..=29 => Call::Rename(self.path(), self.path()),
            30 if self.one_in(2) => Call::Readdir(self.path()),
            30 => Call::Readlink(self.path()),
            _ => Call::Stat(self.path()),
        };
        Step { user, umask, call }
    }

    /// Three layers, the lowest first.
    fn stack(&mut self) -> [Layer; 3] {
        let mode = self.of(&[0o755, 0o1777, 0o777]);
        let root = Meta { mode, uid: 0, gid: 0, mtime: Timestamp::from_seconds(7) };
        let root: Layer = [(BString::default(), Change::Put(Arc::new(Entry::dir(root))))].into_iter().collect();
        let mut tree = Tree::of([&root]);
        std::array::from_fn(|_| {
            let layer = self.layer(&tree);
            tree = tree.with(&layer);
            layer
        })
    }

    /// A layer on top of `below`: some of its files hidden or replaced, some new ones.
    fn layer(&mut self, below: &Tree) -> Layer {
        let mut entries = BTreeMap::new();
        let root = below.root().entry.meta;
        entries.insert(BString::default(), Change::Put(Arc::new(Entry::dir(root))));
        self.fill(&mut entries, below, &BString::default(), 0, false);
        Layer::new(entries)
    }

    fn fill(&mut self, entries: &mut BTreeMap<BString, Change>, below: &Tree, dir: &BString, depth: u32, hidden: bool) {
        for name in ["a", "b", "d", "e", "l"] {
            let at = if dir.is_empty() {
                BString::from(name)
            } else {
                bstr::join("/", [dir.as_bytes(), name.as_bytes()]).into()
            };
            let covers = !hidden && below.get(&at).is_some();
            let mtime = Timestamp::from_seconds(1 + self.0.below(1000) as i64);
            let meta = Meta { mode: self.mode(), uid: self.id(), gid: self.id(), mtime };
            let change = match self.0.below(16) {
                0..=2 if covers => Change::Whiteout,
                0..=6 if depth < 2 => {
                    let opaque = covers && self.one_in(4);
                    Change::Put(Arc::new(Entry::new(meta, Content::Dir { opaque })))
                }
                0..=8 => Change::Put(Arc::new(Entry::file(meta, self.text().to_vec()))),
                9 => {
                    let mut target = self.link_text();
                    if target.is_empty() || target.len() > 1000 {
                        target = "d".into();
                    }
                    Change::Put(Arc::new(Entry::symlink(Meta { mode: 0o777, ..meta }, target)))
                }
                10 if self.one_in(2) => Change::Put(Arc::new(Entry::new(meta, Content::Fifo))),
                10 => {
                    let files: Vec<BString> = entries
                        .iter()
                        .filter(
                            |(_, change)| matches!(change, Change::Put(entry) if entry.content.kind() == Kind::File),
                        )
                        .map(|(at, _)| at.clone())
                        .collect();
                    match files.first() {
                        Some(file) => Change::HardLink(file.clone()),
                        None => continue,
                    }
                }
                _ => continue,
            };
            let dir = match &change {
                Change::Put(entry) => match entry.content {
                    Content::Dir { opaque } => Some(opaque),
                    _ => None,
                },
                _ => None,
            };
            entries.insert(at.clone(), change);
            if let Some(opaque) = dir {
                self.fill(entries, below, &at, depth + 1, hidden || opaque);
            }
        }
    }
}

// ---- the real one ----

type Real = Result<(), i32>;

/// What this machine's kernel is set to refuse in shared directories.
fn protections() -> Protections {
    let set = |name: &str| {
        let text = std::fs::read_to_string(format!("/proc/sys/fs/protected_{name}")).unwrap();
        text.trim().parse().unwrap()
    };
    let [fifos, hardlinks, regular, symlinks] = ["fifos", "hardlinks", "regular", "symlinks"].map(set);
    Protections { fifos, hardlinks, regular, symlinks }
}

fn real(result: rustix::io::Result<()>) -> Real {
    result.map_err(rustix::io::Errno::raw_os_error)
}

fn os(bytes: &[u8]) -> &Path {
    Path::new(std::ffi::OsStr::from_bytes(bytes))
}

fn become_user(user: usize) {
    let (uid, gid, groups) = USERS[user];
    let groups: Vec<Gid> = groups.iter().map(|gid| Gid::from_raw(*gid)).collect();
    let keep = |uid| rustix::thread::set_thread_res_uid(None, Uid::from_raw(uid), None);
    keep(0).unwrap();
    rustix::thread::set_thread_groups(&groups).unwrap();
    rustix::thread::set_thread_res_gid(None, Gid::from_raw(gid), None).unwrap();
    keep(uid).unwrap();
}

fn spec(seconds: i64) -> Timestamps {
    let time = Timespec { tv_sec: seconds, tv_nsec: 0 };
    Timestamps { last_access: time, last_modification: time }
}

fn real_call(call: &Call) -> rustix::io::Result<()> {
    let nofollow = |follow: bool| if follow { AtFlags::empty() } else { AtFlags::SYMLINK_NOFOLLOW };
    let mode = Mode::from_raw_mode;
    match call {
        Call::Open { path, create, exclusive, truncate, read, write } => {
            let mut flags = match (read, write) {
                (true, Some(_)) => OFlags::RDWR,
                (_, None) => OFlags::RDONLY,
                (false, Some(_)) => OFlags::WRONLY,
            };
            flags.set(OFlags::CREATE, create.is_some());
            flags.set(OFlags::EXCL, create.is_some() && *exclusive);
            flags.set(OFlags::TRUNC, write.is_some() && *truncate);
            flags.set(OFlags::APPEND, matches!(write, Some((u64::MAX, _))));
            let fd = rustix::fs::open(path.as_bytes(), flags, mode(create.unwrap_or(0)))?;
            match write {
                Some((u64::MAX, text)) => rustix::io::write(&fd, text).map(drop),
                Some((at, text)) => rustix::io::pwrite(&fd, text, *at).map(drop),
                None => Ok(()),
            }
        }
        Call::Truncate(path, len) => {
            // rustix knows ftruncate only; std asks for what truncate(2) asks for, but for directories.
            let status = nix_truncate(path, *len);
            status.map_err(rustix::io::Errno::from_raw_os_error)
        }
        Call::Chmod(path, to) => rustix::fs::chmod(path.as_bytes(), mode(*to)),
        Call::Chown(path, uid, gid, follow) => {
            rustix::fs::chownat(CWD, path.as_bytes(), uid.map(Uid::from_raw), gid.map(Gid::from_raw), nofollow(*follow))
        }
        Call::Utimes(path, time, follow) => {
            rustix::fs::utimensat(CWD, path.as_bytes(), &spec(*time), nofollow(*follow))
        }
        Call::Link(target, path) => rustix::fs::link(target.as_bytes(), path.as_bytes()),
        Call::Symlink(text, path) => rustix::fs::symlink(text.as_bytes(), path.as_bytes()),
        Call::Mkdir(path, to) => rustix::fs::mkdir(path.as_bytes(), mode(*to)),
        Call::Mkfifo(path, to) => rustix::fs::mknodat(CWD, path.as_bytes(), FileType::Fifo, mode(*to), 0),
        Call::Mkdev(path, minor) => {
            let major = u32::from(*minor != 0);
            let device = rustix::fs::makedev(major, *minor);
            rustix::fs::mknodat(CWD, path.as_bytes(), FileType::CharacterDevice, mode(0o644), device)
        }
        Call::Rmdir(path) => rustix::fs::rmdir(path.as_bytes()),
        Call::Unlink(path) => rustix::fs::unlink(path.as_bytes()),
        Call::Rename(from, to) => rustix::fs::rename(from.as_bytes(), to.as_bytes()),
        Call::Readdir(path) => {
            rustix::fs::open(path.as_bytes(), OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty()).map(drop)
        }
        Call::Readlink(path) => rustix::fs::readlink(path.as_bytes(), Vec::new()).map(drop),
        Call::Stat(path) => rustix::fs::stat(path.as_bytes()).map(drop),
    }
}

/// `truncate(2)` by way of `open` and `ftruncate`, with its own errors for what is no regular file.
fn nix_truncate(path: &BString, len: u64) -> Result<(), i32> {
    let code = |error: rustix::io::Errno| error.raw_os_error();
    let stat = rustix::fs::stat(path.as_bytes()).map_err(code)?;
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::Directory => Err(21),
        FileType::RegularFile => {
            let fd = rustix::fs::open(path.as_bytes(), OFlags::WRONLY, Mode::empty()).map_err(code)?;
            rustix::fs::ftruncate(&fd, len).map_err(code)
        }
        _ => Err(22),
    }
}

/// Puts a layer into a directory as overlay2 keeps it.
fn materialize(layer: &Layer, root: &Path) {
    std::fs::create_dir(root).unwrap();
    let mut times = Vec::new();
    let mut links = Vec::new();
    for (path, change) in layer.entries() {
        let at = root.join(os(path));
        match change {
            Change::Whiteout => {
                rustix::fs::mknodat(CWD, &at, FileType::CharacterDevice, Mode::empty(), 0).unwrap();
            }
            Change::HardLink(target) => links.push((root.join(os(target)), at)),
            Change::Put(entry) => {
                match &entry.content {
                    Content::Dir { opaque } => {
                        if !path.is_empty() {
                            std::fs::create_dir(&at).unwrap();
                        }
                        if *opaque {
                            rustix::fs::lsetxattr(&at, "trusted.overlay.opaque", b"y", XattrFlags::empty()).unwrap();
                        }
                    }
                    Content::File(rope) => std::fs::write(&at, rope.to_vec()).unwrap(),
                    Content::Symlink(text) => std::os::unix::fs::symlink(os(text), &at).unwrap(),
                    Content::Fifo => {
                        rustix::fs::mknodat(CWD, &at, FileType::Fifo, Mode::empty(), 0).unwrap();
                    }
                    other => panic!("{other:?} in a layer"),
                }
                std::os::unix::fs::lchown(&at, Some(entry.meta.uid), Some(entry.meta.gid)).unwrap();
                if entry.content.kind() != Kind::Symlink {
                    rustix::fs::chmod(&at, Mode::from_raw_mode(entry.meta.mode)).unwrap();
                }
                times.push((at, entry.meta.mtime.seconds()));
            }
        }
    }
    for (target, at) in links {
        std::fs::hard_link(target, at).unwrap();
    }
    for (at, time) in times.iter().rev() {
        rustix::fs::utimensat(CWD, at, &spec(*time), AtFlags::SYMLINK_NOFOLLOW).unwrap();
    }
}

type View = BTreeMap<BString, String>;

fn line(kind: Kind, meta: (u32, u32, u32), nlink: u64, mtime: i64, held: &str) -> String {
    let (mode, uid, gid) = meta;
    let time = if mtime > LAST_OLD_SECOND { "now".to_owned() } else { mtime.to_string() };
    format!("{} {mode:04o} {uid}:{gid} x{nlink} {time} {held}", kind.letter())
}

/// Everything below a real directory. In the writable layer (`raw`) devices 0/0 are whiteouts and the opaque mark counts.
fn real_view(root: &Path, raw: bool) -> View {
    let mut view = View::new();
    let mut stack = vec![PathBuf::new()];
    while let Some(at) = stack.pop() {
        let full = root.join(&at);
        let stat = match full.symlink_metadata() {
            Ok(stat) => stat,
            Err(error) => {
                view.insert(at.into_os_string().into_vec().into(), error.to_string());
                continue;
            }
        };
        let file_type = stat.file_type();
        let mut held = String::new();
        let kind = if file_type.is_dir() {
            for entry in std::fs::read_dir(&full).unwrap() {
                stack.push(at.join(entry.unwrap().file_name()));
            }
            let mut mark = [0; 8];
            if raw && rustix::fs::lgetxattr(&full, "trusted.overlay.opaque", &mut mark) == Ok(1) && mark[0] == b'y' {
                held.push_str("opaque");
            }
            Kind::Dir
        } else if file_type.is_symlink() {
            held = format!("{:?}", BString::from(std::fs::read_link(&full).unwrap().into_os_string().into_vec()));
            Kind::Symlink
        } else if file_type.is_fifo() {
            Kind::Fifo
        } else if file_type.is_char_device() {
            let _ = write!(held, "{}", stat.rdev());
            Kind::CharDevice
        } else {
            held = format!("{:?}", BString::from(std::fs::read(&full).unwrap()));
            Kind::File
        };
        let path = BString::from(at.into_os_string().into_vec());
        let shown = if raw && kind == Kind::CharDevice && stat.rdev() == 0 {
            "whiteout".to_owned()
        } else {
            let nlink = if raw && kind == Kind::Dir { 0 } else { stat.nlink() };
            line(kind, (stat.mode() & 0o7777, stat.uid(), stat.gid()), nlink, stat.mtime(), &held)
        };
        view.insert(path, shown);
    }
    view
}

// ---- ours ----

fn caller(user: usize, umask: u32) -> Caller {
    let (uid, gid, groups) = USERS[user];
    Caller { cred: Cred::user(uid, gid, groups.to_vec()), cwd: "/".into(), umask, now: NOW }
}

fn our_call(mounts: &Mounts, step: &Step) -> Real {
    let who = caller(step.user, step.umask);
    let done = match &step.call {
        Call::Open { path, create, exclusive, truncate, read, write } => {
            let wanted = if *read || write.is_none() { 4 } else { 0 } + if write.is_some() { 2 } else { 0 };
            let how = How {
                wanted,
                create: *create,
                exclusive: create.is_some() && *exclusive,
                truncate: write.is_some() && *truncate,
            };
            mounts.open(&who, path, how).and_then(|place| match write {
                Some((at, text)) => {
                    let at = if *at == u64::MAX { place.stat()?.size_bytes } else { *at };
                    place.write(&who, at, &text.to_vec().into())
                }
                None => Ok(()),
            })
        }
        Call::Truncate(path, len) => mounts.truncate(&who, path, *len),
        Call::Chmod(path, mode) => mounts.chmod(&who, path, *mode),
        Call::Chown(path, uid, gid, follow) => mounts.chown(&who, path, *uid, *gid, *follow),
        Call::Utimes(path, time, follow) => mounts.set_mtime(&who, path, Timestamp::from_seconds(*time), *follow),
        Call::Link(target, path) => mounts.link(&who, target, path),
        Call::Symlink(text, path) => mounts.create(&who, path, 0, Content::Symlink(text.clone())).map(drop),
        Call::Mkdir(path, mode) => mounts.create(&who, path, *mode, Content::Dir { opaque: false }).map(drop),
        Call::Mkfifo(path, mode) => mounts.create(&who, path, *mode, Content::Fifo).map(drop),
        Call::Mkdev(path, minor) => {
            mounts.create(&who, path, 0o644, Content::CharDevice(u32::from(*minor != 0), *minor)).map(drop)
        }
        Call::Rmdir(path) => mounts.rmdir(&who, path),
        Call::Unlink(path) => mounts.unlink(&who, path),
        Call::Rename(from, to) => mounts.rename(&who, from, to),
        Call::Readdir(path) => mounts.readdir(&who, path).map(drop),
        Call::Readlink(path) => mounts.readlink(&who, path).map(drop),
        Call::Stat(path) => mounts.stat(&who, path, true).map(drop),
    };
    done.map_err(|errno| errno as i32)
}

fn held(content: &Content, raw: bool) -> String {
    match content {
        Content::File(rope) => format!("{:?}", BString::from(rope.to_vec())),
        Content::Symlink(text) => format!("{text:?}"),
        Content::Dir { opaque: true } if raw => "opaque".to_owned(),
        Content::CharDevice(major, minor) => rustix::fs::makedev(*major, *minor).to_string(),
        _ => String::new(),
    }
}

fn our_view(mounts: &Mounts) -> View {
    let mut view = View::new();
    let who = Caller::root();
    let mut stack = vec![BString::default()];
    while let Some(at) = stack.pop() {
        let full = BString::from([b"/", at.as_bytes()].concat());
        let place = mounts.find(&who, &full, false).unwrap();
        let stat = place.stat().unwrap();
        if stat.is_dir() {
            for entry in mounts.readdir(&who, &full).unwrap() {
                let name = entry.name;
                stack.push(if at.is_empty() { name } else { bstr::join("/", [at.as_bytes(), name.as_bytes()]).into() });
            }
        }
        let meta = (stat.meta.mode, stat.meta.uid, stat.meta.gid);
        let held = held(&place.content().unwrap(), false);
        view.insert(at, line(stat.kind, meta, u64::from(stat.nlink), stat.meta.mtime.seconds(), &held));
    }
    view
}

/// The writable layer without its root, whose presence means nothing in a changeset.
fn our_upper(overlay: &Overlay) -> View {
    let upper = overlay.upper();
    let mut names: BTreeMap<&BStr, u64> = BTreeMap::new();
    for (at, change) in upper.entries() {
        let first = if let Change::HardLink(first) = change { first.as_bstr() } else { at };
        *names.entry(first).or_default() += 1;
    }
    let shown = |at: &BStr, change: &Change| match change {
        Change::Whiteout => "whiteout".to_owned(),
        Change::HardLink(_) => format!("a link to a link at {at}"),
        Change::Put(entry) => {
            let kind = entry.content.kind();
            let nlink = if kind == Kind::Dir { 0 } else { names.get(at).copied().unwrap_or(0) };
            let meta = (entry.meta.mode, entry.meta.uid, entry.meta.gid);
            line(kind, meta, nlink, entry.meta.mtime.seconds(), &held(&entry.content, true))
        }
    };
    upper
        .entries()
        .filter(|(at, _)| !at.is_empty())
        .map(|(at, change)| {
            let (first, change) = match change {
                Change::HardLink(first) => (first.as_bstr(), upper.get(first).unwrap()),
                other => (at, other),
            };
            (at.to_owned(), shown(first, change))
        })
        .collect()
}

// ---- side by side ----

struct Bench {
    dir: PathBuf,
    /// The real root, to leave the chroot by.
    root: rustix::fd::OwnedFd,
    count: u32,
}

impl Bench {
    /// A directory on a file system that can hold a writable layer, or why there is none.
    fn new() -> Result<Self, String> {
        if !rustix::process::geteuid().is_root() {
            return Err("not root".to_owned());
        }
        let root = rustix::fs::open("/", OFlags::DIRECTORY, Mode::empty()).map_err(|error| error.to_string())?;
        let mut why = String::new();
        for parent in ["/dev/shm".into(), std::env::temp_dir()] {
            let dir = parent.join(format!("capas-overlay-{}", std::process::id()));
            std::fs::create_dir(&dir).map_err(|error| error.to_string())?;
            let mut bench = Self { dir, root: root.try_clone().map_err(|error| error.to_string())?, count: 0 };
            match bench.mount(&[]) {
                Ok(at) => {
                    bench.unmount(&at);
                    return Ok(bench);
                }
                Err(error) => why = format!("no overlay in {}: {error}", bench.dir.display()),
            }
        }
        Err(why)
    }

    /// Mounts as overlay2 does; the directory that holds everything. Mounting is slow, so that a mount serves many
    /// sequences, each in a directory of its own.
    fn mount(&mut self, stacks: &[[Layer; 3]]) -> Result<PathBuf, String> {
        self.count += 1;
        let dir = self.dir.join(self.count.to_string());
        std::fs::create_dir(&dir).unwrap();
        for name in ["diff", "work", "merged", "0", "1", "2"] {
            std::fs::create_dir(dir.join(name)).unwrap();
        }
        for (sequence, layers) in stacks.iter().enumerate() {
            for (i, layer) in layers.iter().enumerate() {
                materialize(layer, &dir.join(i.to_string()).join(sequence.to_string()));
            }
        }
        let at = dir.display();
        let options = format!(
            "lowerdir={at}/2:{at}/1:{at}/0,upperdir={at}/diff,workdir={at}/work,\
             index=off,redirect_dir=off,metacopy=off,xino=off,volatile"
        );
        let options = CString::new(options).unwrap();
        let flags = rustix::mount::MountFlags::empty();
        rustix::mount::mount("overlay", dir.join("merged"), "overlay", flags, options.as_c_str())
            .map_err(|error| error.to_string())?;
        Ok(dir)
    }

    fn unmount(&self, dir: &Path) {
        rustix::mount::unmount(dir.join("merged"), rustix::mount::UnmountFlags::empty()).unwrap();
        std::fs::remove_dir_all(dir).unwrap();
    }

    fn enter(&self, dir: &Path, sequence: usize) {
        rustix::process::chroot(dir.join("merged").join(sequence.to_string())).unwrap();
        rustix::process::chdir("/").unwrap();
    }

    fn leave(&self) {
        rustix::process::fchdir(&self.root).unwrap();
        rustix::process::chroot(".").unwrap();
    }

    /// What differs after these steps on a fresh mount.
    fn difference(&mut self, layers: &[Layer; 3], steps: &[Step]) -> Option<String> {
        let dir = self.mount(std::slice::from_ref(layers)).unwrap();
        let found = self.replay(&dir, 0, layers, steps);
        self.unmount(&dir);
        found
    }

    /// What differs after these steps, if anything does.
    fn replay(&self, dir: &Path, sequence: usize, layers: &[Layer; 3], steps: &[Step]) -> Option<String> {
        let overlay = Rc::new(RefCell::new(Overlay::new(1, Tree::of(layers), 1 << 20)));
        let mut mounts = Mounts::new(Mount::overlay("/", "overlay", "overlay", &overlay));
        mounts.protections = protections();
        self.enter(dir, sequence);
        let mut found = compare("the merged view before all", &real_view(Path::new("/"), false), &our_view(&mounts));
        for (i, step) in steps.iter().enumerate() {
            if found.is_some() {
                break;
            }
            if let Call::Open { path, .. } = &step.call
                && rustix::fs::stat(path.as_bytes()).is_ok_and(|s| {
                    !matches!(FileType::from_raw_mode(s.st_mode), FileType::RegularFile | FileType::Directory)
                })
            {
                // What opening a pipe or a device means is the business of os/kernel.
                continue;
            }
            rustix::process::umask(Mode::from_raw_mode(step.umask));
            become_user(step.user);
            let theirs = real(real_call(&step.call));
            become_user(0);
            rustix::process::umask(Mode::empty());
            let ours = our_call(&mounts, step);
            found = if theirs == ours {
                compare("the merged view", &real_view(Path::new("/"), false), &our_view(&mounts))
            } else {
                Some(format!("the kernel says {theirs:?}, we say {ours:?}\n"))
            }
            .map(|difference| format!("after step {i} {step:?}: {difference}"));
        }
        self.leave();
        if found.is_none() {
            let diff = dir.join("diff").join(sequence.to_string());
            let mut upper = if diff.exists() { real_view(&diff, true) } else { View::new() };
            upper.remove(BStr::new(""));
            found = compare("the writable layer", &upper, &our_upper(&overlay.borrow()));
        }
        found
    }
}

fn compare(what: &str, theirs: &View, ours: &View) -> Option<String> {
    let mut out = String::new();
    for at in theirs.keys().chain(ours.keys().filter(|at| !theirs.contains_key(*at))) {
        if theirs.get(at) != ours.get(at) {
            let _ = writeln!(out, "  {at:?}: kernel {:?}, ours {:?}", theirs.get(at), ours.get(at));
        }
    }
    (!out.is_empty()).then(|| format!("{what} differs:\n{out}"))
}

/// The same difference with as few steps as possible.
fn shorten(bench: &mut Bench, layers: &[Layer; 3], steps: &[Step], found: String) -> (Vec<Step>, String) {
    let (mut steps, mut found) = (steps.to_vec(), found);
    for i in (0..steps.len()).rev() {
        let mut fewer = steps.clone();
        fewer.remove(i);
        if let Some(difference) = bench.difference(layers, &fewer) {
            (steps, found) = (fewer, difference);
        }
    }
    (steps, found)
}

#[test]
fn overlay_does_what_the_kernel_does() {
    let mut bench = match Bench::new() {
        Ok(bench) => bench,
        Err(why) => {
            eprintln!("SKIPPED: {why}");
            return;
        }
    };
    let mut differences = Vec::new();
    let mut rng = Rng::new(20_260_101);
    for batch in 0..SEQUENCES / MOUNT_SEQUENCES {
        let (mut stacks, mut lists) = (Vec::new(), Vec::new());
        for sequence in 0..MOUNT_SEQUENCES {
            let mut draw = Draw(rng.fork(batch * MOUNT_SEQUENCES + sequence));
            stacks.push(draw.stack());
            lists.push((0..CALLS).map(|_| draw.step()).collect::<Vec<_>>());
        }
        let dir = bench.mount(&stacks).unwrap();
        let found: Vec<_> = (0..stacks.len()).map(|i| bench.replay(&dir, i, &stacks[i], &lists[i])).collect();
        bench.unmount(&dir);
        for (i, found) in found.into_iter().enumerate() {
            let Some(found) = found.filter(|_| differences.len() < 5) else { continue };
            let (steps, found) = shorten(&mut bench, &stacks[i], &lists[i], found);
            let told = format!("sequence {}: {steps:?}\n{found}", batch * MOUNT_SEQUENCES + i as u64);
            differences.push(told.replace(&"/d".repeat(40), ""));
        }
    }
    std::fs::remove_dir_all(&bench.dir).unwrap();
    assert!(differences.is_empty(), "{}", differences.join("\n\n"));
}
