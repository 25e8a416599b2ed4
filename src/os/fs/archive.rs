//! Trees as tar archives: packed from a mount table and unpacked into one, as some user.

use std::collections::BTreeMap;

use bstr::BString;

use super::mounts::{Caller, Mounts, Place};
use super::node::{Content, Entry, Kind, Meta};
use super::tar;
use crate::base::errno::Errno;
use crate::base::path::{self, MAX_DEPTH};
use crate::base::rope::Rope;

/// Makes a directory and those above it; what is there stays.
pub fn mkdir_all(mounts: &Mounts, who: &Caller, at: &[u8], mode: u32) -> Result<Place, Errno> {
    let mut so_far = BString::from("/");
    for name in path::components(at) {
        so_far = path::join(&so_far, name);
        match mounts.find(who, &so_far, true) {
            Ok(place) if place.meta()?.0 == Kind::Dir => {}
            Ok(_) => return Err(Errno::ENOTDIR),
            Err(Errno::ENOENT) => drop(mounts.create(who, &so_far, mode, Content::Dir { opaque: false })?),
            Err(error) => return Err(error),
        }
    }
    mounts.find(who, &so_far, true)
}

/// Removes a file or a whole directory; what is not there is no error.
pub fn remove_all(mounts: &Mounts, who: &Caller, at: &[u8]) -> Result<(), Errno> {
    remove_below(mounts, who, at, 0)
}

fn remove_below(mounts: &Mounts, who: &Caller, at: &[u8], depth: usize) -> Result<(), Errno> {
    let kind = match mounts.stat(who, at, false) {
        Ok(stat) => stat.kind,
        Err(Errno::ENOENT) => return Ok(()),
        Err(error) => return Err(error),
    };
    if kind != Kind::Dir {
        return mounts.unlink(who, at);
    }
    if depth > MAX_DEPTH {
        return Err(Errno::ENAMETOOLONG);
    }
    for entry in mounts.readdir(who, at)? {
        remove_below(mounts, who, &path::join(at, &entry.name), depth + 1)?;
    }
    mounts.rmdir(who, at)
}

/// Packs the file or directory `at` under the name `as_name` (empty: only what is in the directory).
///
/// Mounts other than that of `at` itself are left out when `one_file_system`.
pub fn pack(mounts: &Mounts, who: &Caller, at: &[u8], as_name: &[u8], one_file_system: bool) -> Result<Rope, Errno> {
    let mut out = tar::Writer::new();
    let dev = mounts.stat(who, at, false)?.dev;
    let mut seen: BTreeMap<(u64, u64), BString> = BTreeMap::new();
    let mut stack = vec![(BString::from(at), BString::from(as_name), 0)];
    while let Some((from, name, depth)) = stack.pop() {
        let place = mounts.find(who, &from, false)?;
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
            let xattrs = place.xattrs().unwrap_or_default().of_archives();
            out.entry(&name, &Entry { meta: stat.meta, content, xattrs });
        }
        if stat.kind == Kind::Dir {
            if depth > MAX_DEPTH {
                return Err(Errno::ENAMETOOLONG);
            }
            for entry in mounts.readdir(who, &from)?.into_iter().rev() {
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

/// Unpacks a tar below the directory `at` as `who`, at the time of `who`. `owner` replaces the archive's owners.
pub fn unpack(
    mounts: &Mounts,
    who: &Caller,
    at: &[u8],
    archive: &Rope,
    keep_kinds: bool,
    owner: Option<(u32, u32)>,
) -> Result<(), UnpackError> {
    // Directories' times are set last: filling them changes them.
    let mut dirs: Vec<(BString, Meta)> = Vec::new();
    for item in tar::Reader::new(archive) {
        let item = item.map_err(UnpackError::Tar)?;
        let to = if item.path.is_empty() { BString::from(at) } else { path::join(at, &item.path) };
        let there = mounts.stat(who, &to, false).ok();
        let entry = match item.body {
            tar::Body::HardLink(target) => {
                if there.is_some() {
                    remove_all(mounts, who, &to)?;
                }
                mkdir_all(mounts, who, path::parent(&to), 0o755)?;
                mounts.link(who, &path::join(at, &target), &to)?;
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
                remove_all(mounts, who, &to)?;
            }
        }
        mkdir_all(mounts, who, path::parent(&to), 0o755)?;
        let (uid, gid) = owner.unwrap_or((entry.meta.uid, entry.meta.gid));
        let meta = Meta { uid, gid, ..entry.meta };
        if !(is_dir && mounts.stat(who, &to, false).is_ok()) {
            mounts.create(who, &to, meta.mode, entry.content)?;
        }
        restore(mounts, who, &to, meta)?;
        for (name, value) in entry.xattrs.iter() {
            match mounts.set_xattr(who, &to, name, Some(value), false) {
                // What the file system does not know is left out (moby `createTarFile`).
                Err(Errno::EOPNOTSUPP | Errno::EPERM) => {}
                set => set?,
            }
        }
        if is_dir {
            dirs.push((to, meta));
        }
    }
    for (dir, meta) in dirs.into_iter().rev() {
        mounts.set_mtime(who, &dir, meta.mtime, false)?;
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

/// Gives the top entry of an archive, and all that is below it, another name; an empty one stands for the root.
///
/// # Errors
/// The archive is damaged.
pub fn rebase(archive: &Rope, old: &[u8], new: &[u8]) -> Result<Rope, tar::TarError> {
    let rename = |path: &[u8]| -> BString {
        let rest = match path.strip_prefix(old) {
            Some(rest) if old.is_empty() || rest.is_empty() || rest.starts_with(b"/") => rest,
            _ => return path.into(),
        };
        let rest = rest.strip_prefix(b"/").unwrap_or(rest);
        if new.is_empty() { rest.into() } else { path::join(new, rest) }
    };
    let mut out = tar::Writer::new();
    for item in tar::Reader::new(archive) {
        let item = item?;
        let path = rename(&item.path);
        match item.body {
            tar::Body::HardLink(target) => out.hard_link(&path, &rename(&target)),
            // The folder that is unpacked into is there.
            tar::Body::Entry(_) if path.is_empty() => {}
            tar::Body::Entry(entry) => out.entry(&path, &entry),
        }
    }
    Ok(out.finish())
}
