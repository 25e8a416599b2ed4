//! Open files: what a file descriptor stands for.

use std::cell::Cell;
use std::rc::Rc;

use super::pipe::Pipe;
use super::tty::TtyId;
use crate::base::errno::Errno;
use crate::base::rope::Rope;
use crate::os::fs::mounts::{Backing, Node, Place};
use crate::os::fs::node::{Content, Kind};

/// A file descriptor.
pub type Fd = i32;

/// How a file is opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Open {
    /// For reading.
    pub read: bool,
    /// For writing.
    pub write: bool,
    /// Made when missing, with this mode (before the umask).
    pub create: Option<u32>,
    /// Emptied.
    pub truncate: bool,
    /// Every write goes to the end.
    pub append: bool,
    /// Must not exist yet.
    pub exclusive: bool,
}

impl Open {
    /// `O_RDONLY`.
    pub const READ: Self =
        Self { read: true, write: false, create: None, truncate: false, append: false, exclusive: false };
    /// `O_WRONLY|O_CREAT|O_TRUNC` with mode 0666: what `>` opens.
    pub const WRITE: Self =
        Self { read: false, write: true, create: Some(0o666), truncate: true, append: false, exclusive: false };
    /// `O_WRONLY|O_CREAT|O_APPEND` with mode 0666: what `>>` opens.
    pub const APPEND: Self = Self { truncate: false, append: true, ..Self::WRITE };
    /// `O_RDWR|O_CREAT` with mode 0666: what `<>` opens.
    pub const READ_WRITE: Self = Self { read: true, truncate: false, ..Self::WRITE };
}

/// What is open.
pub(super) enum Object {
    /// A regular file in an overlay.
    Regular(Place),
    /// The bytes that a lower or synthetic file had when it was opened.
    Snapshot(Place, Rope),
    Dir(Place),
    PipeRead(Rc<Pipe>),
    PipeWrite(Rc<Pipe>),
    Socket {
        receive: Rc<Pipe>,
        send: Rc<Pipe>,
        peer: String,
    },
    Tty(TtyId),
    /// The master side of a terminal.
    Master(TtyId),
    Null,
    Zero,
    Full,
    Random,
    /// A file whose writes go to a synthetic file system.
    SyntheticWrite(Place),
}

/// An open file, shared by the descriptors that stand for it.
pub struct OpenFile {
    pub(super) object: Object,
    pub(super) offset: Cell<u64>,
    pub(super) read: bool,
    pub(super) write: bool,
    pub(super) append: bool,
}

impl OpenFile {
    pub(super) fn new(object: Object, open: Open) -> Rc<Self> {
        match &object {
            Object::PipeRead(pipe) => pipe.open_reader(),
            Object::PipeWrite(pipe) => pipe.open_writer(),
            Object::Socket { receive, send, .. } => {
                receive.open_reader();
                send.open_writer();
            }
            Object::Regular(Place { backing: Backing::Overlay(fs), node: Node::Ino(ino), .. }) => {
                fs.borrow_mut().hold(*ino);
            }
            _ => {}
        }
        Rc::new(Self { object, offset: Cell::new(0), read: open.read, write: open.write, append: open.append })
    }

    /// Opens what a walk found. The caller has checked permissions; devices are the kernel's business.
    pub(super) fn of_place(place: Place, open: Open) -> Result<Rc<Self>, Errno> {
        let content = place.content()?;
        let object = match (&content, &place.backing, &place.node) {
            (Content::Dir { .. }, ..) if open.write => return Err(Errno::EISDIR),
            (Content::Dir { .. }, ..) => Object::Dir(place),
            (Content::File(_), Backing::Synthetic(_), _) if open.write => Object::SyntheticWrite(place),
            (Content::File(rope), Backing::Synthetic(_), _) => Object::Snapshot(place, rope.clone()),
            (Content::File(rope), Backing::Overlay(fs), Node::Ino(ino)) => {
                // A lower file opened for reading keeps showing the lower file after a copy-up (overlayfs, "Non-standard
                // behavior").
                let is_lower = fs.borrow().layer_of(*ino).is_some();
                if is_lower && !open.write { Object::Snapshot(place, rope.clone()) } else { Object::Regular(place) }
            }
            (Content::Socket, ..) => return Err(Errno::ENXIO),
            _ => return Err(Errno::ENODEV),
        };
        Ok(Self::new(object, open))
    }

    /// The path it was opened by, where it has one.
    pub fn place(&self) -> Option<&Place> {
        match &self.object {
            Object::Regular(place)
            | Object::Snapshot(place, _)
            | Object::Dir(place)
            | Object::SyntheticWrite(place) => Some(place),
            _ => None,
        }
    }

    /// The kind of file.
    pub fn kind(&self) -> Kind {
        match &self.object {
            Object::Regular(_) | Object::Snapshot(..) | Object::SyntheticWrite(_) => Kind::File,
            Object::Dir(_) => Kind::Dir,
            Object::PipeRead(_) | Object::PipeWrite(_) => Kind::Fifo,
            Object::Socket { .. } => Kind::Socket,
            _ => Kind::CharDevice,
        }
    }

    /// The other end's address, of a connection.
    pub fn peer(&self) -> Option<&str> {
        match &self.object {
            Object::Socket { peer, .. } => Some(peer),
            _ => None,
        }
    }

    /// The terminal behind it.
    pub const fn tty(&self) -> Option<TtyId> {
        match &self.object {
            Object::Tty(id) => Some(*id),
            _ => None,
        }
    }
}

impl Drop for OpenFile {
    fn drop(&mut self) {
        match &self.object {
            Object::PipeRead(pipe) => pipe.close_reader(),
            Object::PipeWrite(pipe) => pipe.close_writer(),
            Object::Socket { receive, send, .. } => {
                receive.close_reader();
                send.close_writer();
            }
            Object::Regular(Place { backing: Backing::Overlay(fs), node: Node::Ino(ino), .. }) => {
                fs.borrow_mut().release(*ino);
            }
            _ => {}
        }
    }
}

/// A descriptor's entry in a process's table.
#[derive(Clone)]
pub(super) struct Descriptor {
    pub file: Rc<OpenFile>,
    pub close_on_exec: bool,
}
