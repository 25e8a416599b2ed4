//! What a file is: its kind, its metadata, its content.

use std::collections::BTreeMap;
use std::sync::Arc;

use bstr::{BStr, BString, ByteSlice};

use crate::base::rope::Rope;
use crate::base::time::Timestamp;

/// Owner, permissions and time of change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Meta {
    /// Permission bits with set-user-id, set-group-id and sticky: `0o7777` at most.
    pub mode: u32,
    /// The owner's number.
    pub uid: u32,
    /// The group's number.
    pub gid: u32,
    /// When the content last changed.
    pub mtime: Timestamp,
}

impl Meta {
    /// Owned by root.
    pub const fn root(mode: u32, mtime: Timestamp) -> Self {
        Self { mode, uid: 0, gid: 0, mtime }
    }
}

/// The kinds of POSIX files.
#[derive(Clone, Copy, PartialEq, Eq, Debug, PartialOrd, Ord)]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Dir,
    /// A symbolic link.
    Symlink,
    /// A named pipe.
    Fifo,
    /// A character device.
    CharDevice,
    /// A block device.
    BlockDevice,
    /// A Unix socket.
    Socket,
}

impl Kind {
    /// The first letter of `ls -l`.
    pub const fn letter(self) -> char {
        match self {
            Self::File => '-',
            Self::Dir => 'd',
            Self::Symlink => 'l',
            Self::Fifo => 'p',
            Self::CharDevice => 'c',
            Self::BlockDevice => 'b',
            Self::Socket => 's',
        }
    }

    /// The type bits of `st_mode` (`S_IFMT`).
    pub const fn mode_bits(self) -> u32 {
        match self {
            Self::File => 0o100_000,
            Self::Dir => 0o040_000,
            Self::Symlink => 0o120_000,
            Self::Fifo => 0o010_000,
            Self::CharDevice => 0o020_000,
            Self::BlockDevice => 0o060_000,
            Self::Socket => 0o140_000,
        }
    }
}

/// What a file holds. A directory's entries are kept by whoever holds the directory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Content {
    /// Bytes.
    File(Rope),
    /// A directory; an opaque one hides everything that lower layers have at its path.
    Dir {
        /// Whether lower layers are hidden.
        opaque: bool,
    },
    /// The text of a symbolic link.
    Symlink(BString),
    /// A named pipe.
    Fifo,
    /// A character device's major and minor number.
    CharDevice(u32, u32),
    /// A block device's major and minor number.
    BlockDevice(u32, u32),
    /// A Unix socket.
    Socket,
}

impl Content {
    /// The kind of file with this content.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::File(_) => Kind::File,
            Self::Dir { .. } => Kind::Dir,
            Self::Symlink(_) => Kind::Symlink,
            Self::Fifo => Kind::Fifo,
            Self::CharDevice(..) => Kind::CharDevice,
            Self::BlockDevice(..) => Kind::BlockDevice,
            Self::Socket => Kind::Socket,
        }
    }

    /// `st_size`: bytes of a file, length of a link's text.
    pub fn size_bytes(&self) -> u64 {
        match self {
            Self::File(rope) => rope.len(),
            Self::Symlink(text) => text.len() as u64,
            Self::Dir { .. } => 4096,
            _ => 0,
        }
    }

    /// Major and minor number of a device.
    pub const fn device(&self) -> Option<(u32, u32)> {
        match self {
            Self::CharDevice(major, minor) | Self::BlockDevice(major, minor) => Some((*major, *minor)),
            _ => None,
        }
    }
}

/// The attribute that holds a program's file capabilities.
pub const CAPABILITY: &[u8] = b"security.capability";

/// Extended attributes by name, such as `user.origin` or `security.capability`. Most files have none.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Xattrs(Option<Arc<BTreeMap<BString, BString>>>);

impl Xattrs {
    /// Names and values in the order of names.
    pub fn iter(&self) -> impl Iterator<Item = (&BStr, &BStr)> {
        self.0.iter().flat_map(|all| all.iter()).map(|(name, value)| (name.as_bstr(), value.as_bstr()))
    }

    /// The value of an attribute.
    pub fn get(&self, name: &[u8]) -> Option<&BStr> {
        self.0.as_ref()?.get(BStr::new(name)).map(|value| value.as_bstr())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Sets an attribute, or removes it.
    pub fn set(&mut self, name: &[u8], value: Option<&[u8]>) {
        let mut all = self.0.take().unwrap_or_default();
        match value {
            Some(value) => drop(Arc::make_mut(&mut all).insert(name.into(), value.into())),
            None => drop(Arc::make_mut(&mut all).remove(BStr::new(name))),
        }
        self.0 = Some(all).filter(|all| !all.is_empty());
    }

    /// What archives that are made of files carry: file capabilities alone (moby `ReadSecurityXattrToTarHeader`,
    /// containerd `archive/tar.go`). Archives that come from elsewhere may bring more.
    pub fn of_archives(&self) -> Self {
        let mut kept = Self::default();
        if let Some(value) = self.get(CAPABILITY) {
            kept.set(CAPABILITY, Some(value));
        }
        kept
    }
}

/// A file as a layer holds it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Owner, permissions, time.
    pub meta: Meta,
    /// What it holds.
    pub content: Content,
    /// Its extended attributes.
    pub xattrs: Xattrs,
}

impl Entry {
    /// A file without extended attributes.
    pub const fn new(meta: Meta, content: Content) -> Self {
        Self { meta, content, xattrs: Xattrs(None) }
    }

    /// A directory that shows what lower layers hold.
    pub const fn dir(meta: Meta) -> Self {
        Self::new(meta, Content::Dir { opaque: false })
    }

    /// A regular file.
    pub fn file(meta: Meta, content: impl Into<Rope>) -> Self {
        Self::new(meta, Content::File(content.into()))
    }

    /// A symbolic link.
    pub fn symlink(meta: Meta, target: impl Into<BString>) -> Self {
        Self::new(meta, Content::Symlink(target.into()))
    }
}

/// What `stat` tells of a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stat {
    /// The file system's number.
    pub dev: u64,
    /// The file's number in its file system.
    pub ino: u64,
    /// What it is.
    pub kind: Kind,
    /// Owner, permissions, time.
    pub meta: Meta,
    /// When content or metadata last changed.
    pub ctime: Timestamp,
    /// How many names it has.
    pub nlink: u32,
    /// Bytes of a file, length of a link's text.
    pub size_bytes: u64,
    /// Major and minor number of a device.
    pub device: Option<(u32, u32)>,
}

impl Stat {
    /// `st_mode`: type and permission bits.
    pub const fn mode(&self) -> u32 {
        self.kind.mode_bits() | self.meta.mode
    }

    /// Whether it is a directory.
    pub fn is_dir(&self) -> bool {
        self.kind == Kind::Dir
    }

    /// `ls -l`'s ten letters, such as `drwxr-xr-t`.
    pub fn mode_string(&self) -> String {
        let mode = self.meta.mode;
        let bit = |shift: u32, letter: char| if mode >> shift & 1 == 1 { letter } else { '-' };
        let special = |set: u32, exec: u32, lower: char, upper: char| match (mode >> set & 1, mode >> exec & 1) {
            (1, 1) => lower,
            (1, _) => upper,
            (_, 1) => 'x',
            _ => '-',
        };
        [
            self.kind.letter(),
            bit(8, 'r'),
            bit(7, 'w'),
            special(11, 6, 's', 'S'),
            bit(5, 'r'),
            bit(4, 'w'),
            special(10, 3, 's', 'S'),
            bit(2, 'r'),
            bit(1, 'w'),
            special(9, 0, 't', 'T'),
        ]
        .iter()
        .collect()
    }
}
