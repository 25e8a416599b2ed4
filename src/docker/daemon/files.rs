//! Files that the daemon writes itself: on the host, in volumes, in and out of containers.
//!
//! Everything goes through a mount table as root with an empty umask, so copy-up, links and mounts behave as for a
//! process. Trees travel as tar archives.

use bstr::{BString, ByteSlice};

use crate::base::errno::Errno;
use crate::base::path::{self, MAX_DEPTH};
use crate::base::rope::Rope;
use crate::base::time::Timestamp;
use crate::os::fs::archive;
use crate::os::fs::mounts::{Caller, How, Mounts, Place};
use crate::os::fs::node::{Content, Kind};

/// Root at `now`, without a umask.
pub fn root(now: Timestamp) -> Caller {
    Caller { umask: 0, now, ..Caller::root() }
}

/// Makes a directory and those above it; what is there stays.
pub fn mkdir_all(mounts: &Mounts, at: &[u8], mode: u32, now: Timestamp) -> Result<Place, Errno> {
    archive::mkdir_all(mounts, &root(now), at, mode)
}

/// Removes a file or a whole directory; what is not there is no error.
pub fn remove_all(mounts: &Mounts, at: &[u8], now: Timestamp) -> Result<(), Errno> {
    archive::remove_all(mounts, &root(now), at)
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

/// The text of a small file, as lines; nothing when it can't be read.
pub fn lines(mounts: &Mounts, at: &[u8]) -> Vec<String> {
    let text = read(mounts, at).map(|rope| rope.head(1 << 20)).unwrap_or_default();
    text.lines().map(|line| line.to_str_lossy().into_owned()).collect()
}
