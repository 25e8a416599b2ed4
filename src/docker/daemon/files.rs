//! Files that the daemon writes itself: on the host, in volumes, in and out of containers.
//!
//! Everything goes through a mount table as root with an empty umask, so copy-up, links and mounts behave as for a
//! process. Trees travel as tar archives.

use std::collections::BTreeMap;

use bstr::{BString, ByteSlice};

use crate::base::errno::Errno;
use crate::base::path;
use crate::base::rope::Rope;
use crate::base::time::Timestamp;
use crate::os::fs::mounts::{Caller, How, Mounts, Place};
use crate::os::fs::node::{Content, Entry, Kind, Meta};
use crate::os::fs::tar;

/// Deepest directory that is walked.
const MAX_DEPTH: usize = 256;

/// Root at `now`, without a umask.
pub fn root(now: Timestamp) -> Caller {
    Caller { umask: 0, now, ..Caller::root() }
}

/// Makes a directory and those above it; what is there stays.
pub fn mkdir_all(mounts: &Mounts, at: &[u8], mode: u32, now: Timestamp) -> Result<Place, Errno> {
    let who = root(now);
    let mut so_far = BString::from("/");
    for name in path::components(at) {
        so_far = path::join(&so_far, name);
        match mounts.find(&who, &so_far, true) {
            Ok(place) if place.meta()?.0 == Kind::Dir => {}
            Ok(_) => return Err(Errno::ENOTDIR),
            Err(Errno::ENOENT) => drop(mounts.create(&who, &so_far, mode, Content::Dir { opaque: false })?),
            Err(error) => return Err(error),
        }
    }
    mounts.find(&who, &so_far, true)
}

/// Writes a file, its directories first.
pub fn write(mounts: &Mounts, at: &[u8], mode: u32, content: &Rope, now: Timestamp) -> Result<Place, Errno> {
    let who = root(now);
    mkdir_all(mounts, path::parent(at), 0o755, now)?;
    let place = mounts.open(&who, at, How { wanted: 2, create: Some(mode), ..How::default() })?;
    let (fs, ino) = place.writable()?;
    let mut fs = fs.borrow_mut();
    fs.copy_up(ino)?;
    fs.truncate(ino, 0, now)?;
    fs.write(ino, 0, content, now)?;
    drop(fs);
    Ok(place)
}

/// Reads a regular file.
pub fn read(mounts: &Mounts, at: &[u8]) -> Result<Rope, Errno> {
    match mounts.find(&Caller::root(), at, true)?.content()? {
        Content::File(rope) => Ok(rope),
        Content::Dir { .. } => Err(Errno::EISDIR),
        _ => Err(Errno::EINVAL),
    }
}

/// Removes a file or a whole directory; what is not there is no error.
pub fn remove_all(mounts: &Mounts, at: &[u8], now: Timestamp) -> Result<(), Errno> {
    remove_below(mounts, at, now, 0)
}

fn remove_below(mounts: &Mounts, at: &[u8], now: Timestamp, depth: usize) -> Result<(), Errno> {
    let who = root(now);
    let kind = match mounts.stat(&who, at, false) {
        Ok(stat) => stat.kind,
        Err(Errno::ENOENT) => return Ok(()),
        Err(error) => return Err(error),
    };
    if kind != Kind::Dir {
        return mounts.unlink(&who, at);
    }
    if depth > MAX_DEPTH {
        return Err(Errno::ELOOP);
    }
    for entry in mounts.readdir(&who, at)? {
        remove_below(mounts, &path::join(at, &entry.name), now, depth + 1)?;
    }
    mounts.rmdir(&who, at)
}

/// The sum of the regular files below a directory, in bytes.
pub fn size_bytes(mounts: &Mounts, at: &[u8]) -> u64 {
    let who = Caller::root();
    let mut total = 0u64;
    let mut stack = vec![(BString::from(at), 0)];
    while let Some((dir, depth)) = stack.pop() {
        for entry in mounts.readdir(&who, &dir).unwrap_or_default() {
            let child = path::join(&dir, &entry.name);
            match entry.kind {
                Kind::Dir if depth < MAX_DEPTH => stack.push((child, depth + 1)),
                Kind::File => {
                    total = total.saturating_add(mounts.stat(&who, &child, false).map_or(0, |stat| stat.size_bytes));
                }
                _ => {}
            }
        }
    }
    total
}

/// Packs the file or directory `at` under the name `as_name` (empty: only what is in the directory).
///
/// Mounts other than that of `at` itself are left out when `one_file_system`.
pub fn pack(mounts: &Mounts, at: &[u8], as_name: &[u8], one_file_system: bool) -> Result<Rope, Errno> {
    let who = Caller::root();
    let mut out = tar::Writer::new();
    let dev = mounts.stat(&who, at, false)?.dev;
    let mut seen: BTreeMap<(u64, u64), BString> = BTreeMap::new();
    let mut stack = vec![(BString::from(at), BString::from(as_name), 0)];
    while let Some((from, name, depth)) = stack.pop() {
        let place = mounts.find(&who, &from, false)?;
        let stat = place.stat()?;
        let foreign = stat.dev != dev;
        if foreign && one_file_system {
            continue;
        }
        let content = place.content()?;
        if stat.kind != Kind::Dir && stat.nlink > 1 {
            if let Some(first) = seen.get(&(stat.dev, stat.ino)) {
                out.hard_link(&name, first);
                continue;
            }
            seen.insert((stat.dev, stat.ino), name.clone());
        }
        if !name.is_empty() {
            out.entry(&name, &Entry { meta: stat.meta, content });
        }
        if stat.kind == Kind::Dir && depth < MAX_DEPTH {
            for entry in mounts.readdir(&who, &from)?.into_iter().rev() {
                let below = if name.is_empty() { entry.name.clone() } else { path::join(&name, &entry.name) };
                stack.push((path::join(&from, &entry.name), below, depth + 1));
            }
        }
    }
    Ok(out.finish())
}

/// Why unpacking stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UnpackError {
    /// The archive is damaged.
    Tar(tar::TarError),
    /// A file can't be made.
    Errno(Errno),
    /// A directory would replace another kind of file (`true`), or the other way round.
    Overwrite {
        /// Whether a directory is there.
        directory_is_there: bool,
        /// Where.
        path: BString,
    },
}

impl From<Errno> for UnpackError {
    fn from(errno: Errno) -> Self {
        Self::Errno(errno)
    }
}

/// Unpacks a tar below the directory `at`. `owner` replaces the archive's owners.
pub fn unpack(
    mounts: &Mounts,
    at: &[u8],
    archive: &Rope,
    now: Timestamp,
    keep_kinds: bool,
    owner: Option<(u32, u32)>,
) -> Result<(), UnpackError> {
    let who = root(now);
    // Directories' times are set last: filling them changes them.
    let mut dirs: Vec<(BString, Meta)> = Vec::new();
    for item in tar::Reader::new(archive) {
        let item = item.map_err(UnpackError::Tar)?;
        let to = if item.path.is_empty() { BString::from(at) } else { path::join(at, &item.path) };
        let there = mounts.stat(&who, &to, false).ok();
        let entry = match item.body {
            tar::Body::HardLink(target) => {
                if there.is_some() {
                    remove_all(mounts, &to, now)?;
                }
                mkdir_all(mounts, path::parent(&to), 0o755, now)?;
                mounts.link(&who, &path::join(at, &target), &to)?;
                continue;
            }
            tar::Body::Entry(entry) => entry,
        };
        let is_dir = entry.content.kind() == Kind::Dir;
        if let Some(there) = there {
            if keep_kinds && there.is_dir() != is_dir {
                return Err(UnpackError::Overwrite { directory_is_there: there.is_dir(), path: to });
            }
            if !(is_dir && there.is_dir()) {
                remove_all(mounts, &to, now)?;
            }
        }
        mkdir_all(mounts, path::parent(&to), 0o755, now)?;
        let (uid, gid) = owner.unwrap_or((entry.meta.uid, entry.meta.gid));
        let meta = Meta { uid, gid, ..entry.meta };
        if !(is_dir && mounts.stat(&who, &to, false).is_ok()) {
            mounts.create(&who, &to, meta.mode, entry.content)?;
        }
        restore(mounts, &who, &to, meta)?;
        if is_dir {
            dirs.push((to, meta));
        }
    }
    for (dir, meta) in dirs.into_iter().rev() {
        mounts.set_mtime(&who, &dir, meta.mtime, false)?;
    }
    Ok(())
}

fn restore(mounts: &Mounts, who: &Caller, at: &[u8], meta: Meta) -> Result<(), Errno> {
    let stat = mounts.stat(who, at, false)?;
    if (stat.meta.uid, stat.meta.gid) != (meta.uid, meta.gid) {
        mounts.chown(who, at, Some(meta.uid), Some(meta.gid), false)?;
    }
    if stat.kind != Kind::Symlink {
        if mounts.stat(who, at, false)?.meta.mode != meta.mode {
            mounts.chmod(who, at, meta.mode)?;
        }
        mounts.set_mtime(who, at, meta.mtime, false)?;
    }
    Ok(())
}

/// The text of a small file, as lines; nothing when it can't be read.
pub fn lines(mounts: &Mounts, at: &[u8]) -> Vec<String> {
    let text = read(mounts, at).map(|rope| rope.head(1 << 20)).unwrap_or_default();
    text.lines().map(|line| line.to_str_lossy().into_owned()).collect()
}
