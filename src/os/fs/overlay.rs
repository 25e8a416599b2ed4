//! A writable layer over a merged tree: Linux overlayfs as Docker's overlay2 uses it.
//!
//! A lookup asks the writable layer, then the one merged tree below: two steps, however many layers there are. What
//! is written is copied up first; what is removed leaves a whiteout; a removed and re-made directory is opaque. Names
//! below are files' numbers ([`Ino`]); paths and permissions are the business of [`super::mounts`].
//!
//! An ordinary file system (the host's disk, a tmpfs) is an overlay over an empty tree.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use bstr::{BStr, BString};

use super::layer::{Change, Layer};
use super::node::{CAPABILITY, Content, Entry, Kind, Meta, Stat, Xattrs};
use super::tree::{self, LayerIndex, Tree};
use crate::base::errno::Errno;
use crate::base::path::{self, MAX_DEPTH};
use crate::base::rope::Rope;
use crate::base::time::Timestamp;

/// A file's number in its file system.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Ino(u32);

/// The root directory of every file system.
pub const ROOT: Ino = Ino(0);

/// At most this many unread events are kept.
const MAX_EVENTS: usize = 4096;
/// Largest file, in bytes.
const MAX_FILE_BYTES: u64 = 1 << 40;

#[derive(Clone, Debug)]
struct Inode {
    meta: Meta,
    ctime: Timestamp,
    content: Content,
    xattrs: Xattrs,
    /// A directory's own names.
    children: BTreeMap<BString, Child>,
    /// The directory or file below that this one shows or was copied from.
    lower: Option<Arc<tree::Node>>,
    /// Whether it is in the writable layer.
    upper: bool,
    /// Where it was first found: for directories their place, for other files one of their names.
    parent: Ino,
    name: BString,
    nlink: u32,
    open: u32,
    free: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Child {
    /// In the writable layer, or a lower file that was looked at (its inode knows which).
    Ino(Ino),
    Whiteout,
}

/// What happened to a file, for those who watch layers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FsEvent {
    /// A file that no lower layer has was made.
    Created(BString),
    /// A lower file was copied into the writable layer to be changed.
    CopiedUp {
        /// The file.
        path: BString,
        /// The layer that held it.
        from: LayerIndex,
        /// How many bytes were copied.
        size_bytes: u64,
    },
    /// A lower file was hidden.
    WhitedOut(BString),
    /// A directory was made anew over a removed lower one, whose content stays hidden.
    MadeOpaque(BString),
}

/// What became of a path, as `docker diff` prints it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Difference {
    /// Added.
    Added,
    /// Changed.
    Changed,
    /// Deleted.
    Deleted,
}

/// A name in a directory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DirEntry {
    /// The name.
    pub name: BString,
    /// What it names.
    pub kind: Kind,
    /// The file's number.
    pub ino: u64,
}

/// A writable file system.
#[derive(Clone, Debug)]
pub struct Overlay {
    dev: u64,
    inodes: Vec<Inode>,
    free: Vec<Ino>,
    lower: Tree,
    resident_bytes: u64,
    /// Writes fail with ENOSPC when more than this many bytes would be held in memory.
    limit_bytes: u64,
    events: VecDeque<FsEvent>,
    changes: u64,
}

impl Overlay {
    /// A writable layer over `lower`. `dev` is its number; at most `limit_bytes` of written bytes are held.
    pub fn new(dev: u64, lower: Tree, limit_bytes: u64) -> Self {
        let node = Arc::clone(lower.root());
        let root = Inode::of_lower(&node, ROOT, BString::default());
        Self {
            dev,
            inodes: vec![root],
            free: Vec::new(),
            lower,
            resident_bytes: 0,
            limit_bytes,
            events: VecDeque::new(),
            changes: 0,
        }
    }

    /// The tree below.
    pub const fn lower(&self) -> &Tree {
        &self.lower
    }

    /// The file system's number.
    pub const fn dev(&self) -> u64 {
        self.dev
    }

    /// Written bytes that are held in memory.
    pub const fn resident_bytes(&self) -> u64 {
        self.resident_bytes
    }

    /// Takes what happened since the last call.
    pub fn take_events(&mut self) -> Vec<FsEvent> {
        self.events.drain(..).collect()
    }

    fn inode(&self, ino: Ino) -> Result<&Inode, Errno> {
        self.inodes.get(ino.0 as usize).filter(|inode| !inode.free).ok_or(Errno::ENOENT)
    }

    /// Grows with every change, and with some looks too.
    pub const fn changes(&self) -> u64 {
        self.changes
    }

    fn inode_mut(&mut self, ino: Ino) -> Result<&mut Inode, Errno> {
        self.changes += 1;
        self.inodes.get_mut(ino.0 as usize).filter(|inode| !inode.free).ok_or(Errno::ENOENT)
    }

    fn dir(&self, ino: Ino) -> Result<&Inode, Errno> {
        self.inode(ino).and_then(|inode| match inode.content {
            Content::Dir { .. } => Ok(inode),
            _ => Err(Errno::ENOTDIR),
        })
    }

    fn add(&mut self, inode: Inode) -> Ino {
        if let Some(ino) = self.free.pop()
            && let Some(slot) = self.inodes.get_mut(ino.0 as usize)
        {
            *slot = inode;
            return ino;
        }
        let ino = Ino(self.inodes.len() as u32);
        self.inodes.push(inode);
        ino
    }

    /// What `dir` calls `name`.
    ///
    /// # Errors
    /// `ENOTDIR`, `ENOENT`, `ENAMETOOLONG`.
    pub fn lookup(&mut self, dir: Ino, name: &BStr) -> Result<Ino, Errno> {
        if name.len() > path::NAME_MAX {
            return Err(Errno::ENAMETOOLONG);
        }
        let inode = self.dir(dir)?;
        match inode.children.get(name) {
            Some(Child::Ino(ino)) => Ok(*ino),
            Some(Child::Whiteout) => Err(Errno::ENOENT),
            None => {
                let node = inode.lower.as_ref().and_then(|lower| lower.children.get(name)).ok_or(Errno::ENOENT)?;
                let found = Inode::of_lower(&Arc::clone(node), dir, name.to_owned());
                let ino = self.add(found);
                self.inode_mut(dir)?.children.insert(name.to_owned(), Child::Ino(ino));
                Ok(ino)
            }
        }
    }

    /// The names in `dir`, sorted, without `.` and `..`.
    ///
    /// # Errors
    /// `ENOTDIR`.
    pub fn readdir(&self, dir: Ino) -> Result<Vec<DirEntry>, Errno> {
        let inode = self.dir(dir)?;
        let mut names: BTreeMap<&BString, DirEntry> = BTreeMap::new();
        for (name, node) in inode.lower.iter().flat_map(|lower| &lower.children) {
            names.insert(name, DirEntry { name: name.clone(), kind: node.kind(), ino: node.ino });
        }
        for (name, child) in &inode.children {
            match child {
                Child::Whiteout => drop(names.remove(name)),
                Child::Ino(ino) => {
                    let child = self.inode(*ino)?;
                    let entry =
                        DirEntry { name: name.clone(), kind: child.content.kind(), ino: self.number(*ino, child) };
                    names.insert(name, entry);
                }
            }
        }
        Ok(names.into_values().collect())
    }

    fn number(&self, ino: Ino, inode: &Inode) -> u64 {
        match &inode.lower {
            // A copied-up file keeps its number, unless copy-up broke a hard link.
            Some(lower) if !inode.upper || lower.links == 1 => lower.ino,
            _ => (1 << 40) + u64::from(ino.0),
        }
    }

    /// What `stat` tells of a file.
    ///
    /// # Errors
    /// `ENOENT` when it is gone.
    pub fn stat(&self, ino: Ino) -> Result<Stat, Errno> {
        let inode = self.inode(ino)?;
        let nlink = match inode.content {
            // overlayfs does not count the directories in a merged one ("nlink=1 seems to pacify find").
            Content::Dir { .. } if self.is_merged(inode) => 1,
            Content::Dir { .. } => {
                let below = inode.lower.iter().flat_map(|lower| &lower.children);
                let below =
                    below.filter(|(name, node)| node.kind() == Kind::Dir && !inode.children.contains_key(*name));
                let is_dir = |child: &Child| matches!(child, Child::Ino(ino) if self.kind(*ino) == Ok(Kind::Dir));
                let dirs = below.count() + inode.children.values().filter(|child| is_dir(child)).count();
                2 + u32::try_from(dirs).unwrap_or(0)
            }
            _ => inode.nlink,
        };
        Ok(Stat {
            dev: self.dev,
            ino: self.number(ino, inode),
            kind: inode.content.kind(),
            meta: inode.meta,
            ctime: inode.ctime,
            nlink,
            size_bytes: inode.content.size_bytes(),
            device: inode.content.device(),
        })
    }

    fn kind(&self, ino: Ino) -> Result<Kind, Errno> {
        Ok(self.inode(ino)?.content.kind())
    }

    /// Whether a directory is shown by more than one layer.
    fn is_merged(&self, inode: &Inode) -> bool {
        self.lower.layers() > 0 && inode.lower.as_ref().is_some_and(|lower| inode.upper || lower.merged)
    }

    /// Kind and metadata: what permission checks and path walks need, without counting links.
    ///
    /// # Errors
    /// `ENOENT` when it is gone.
    pub fn meta(&self, ino: Ino) -> Result<(Kind, Meta), Errno> {
        let inode = self.inode(ino)?;
        Ok((inode.content.kind(), inode.meta))
    }

    /// What a file holds.
    ///
    /// # Errors
    /// `ENOENT` when it is gone.
    pub fn content(&self, ino: Ino) -> Result<&Content, Errno> {
        Ok(&self.inode(ino)?.content)
    }

    /// The place of a directory, or the first known one of another file.
    pub fn path_of(&self, ino: Ino) -> BString {
        let mut names = Vec::new();
        let mut at = ino;
        while at != ROOT
            && let Ok(inode) = self.inode(at)
            && names.len() < MAX_DEPTH * 2
        {
            names.push(inode.name.clone());
            at = inode.parent;
        }
        names.reverse();
        bstr::join("/", names).into()
    }

    /// The layer that supplies a file: `None` when it is the writable one.
    pub fn layer_of(&self, ino: Ino) -> Option<LayerIndex> {
        let inode = self.inode(ino).ok()?;
        if inode.upper { None } else { inode.lower.as_ref().map(|node| node.layer) }
    }

    fn event(&mut self, event: FsEvent) {
        if self.events.len() == MAX_EVENTS {
            self.events.pop_front();
        }
        self.events.push_back(event);
    }

    /// Brings a file into the writable layer, its directories first.
    ///
    /// # Errors
    /// `ENOENT` when it is gone.
    pub fn copy_up(&mut self, ino: Ino) -> Result<(), Errno> {
        let mut chain = Vec::new();
        let mut at = ino;
        while !self.inode(at)?.upper {
            chain.push(at);
            if at == ROOT {
                break;
            }
            at = self.inode(at)?.parent;
        }
        for at in chain.into_iter().rev() {
            let inode = self.inode_mut(at)?;
            inode.upper = true;
            let is_dir = matches!(inode.content, Content::Dir { .. });
            if !is_dir {
                // A lower hard link is broken: the copy is a file of its own.
                inode.nlink = 1;
            }
            if let Some(lower) = inode.lower.as_ref()
                && at != ROOT
            {
                let (from, size_bytes) = (lower.layer, if is_dir { 0 } else { inode.content.size_bytes() });
                let path = self.path_of(at);
                self.event(FsEvent::CopiedUp { path, from, size_bytes });
            }
        }
        Ok(())
    }

    /// The bytes of a file in a range.
    ///
    /// # Errors
    /// `EISDIR`, or `EINVAL` for what has no bytes.
    pub fn read(&self, ino: Ino, offset: u64, len: u64) -> Result<Rope, Errno> {
        match self.content(ino)? {
            Content::File(rope) => Ok(rope.slice(offset..offset.saturating_add(len))),
            Content::Dir { .. } => Err(Errno::EISDIR),
            _ => Err(Errno::EINVAL),
        }
    }

    fn edit(&mut self, ino: Ino, now: Timestamp, change: impl FnOnce(&mut Rope)) -> Result<(), Errno> {
        self.copy_up(ino)?;
        let inode = self.inode_mut(ino)?;
        let Content::File(rope) = &mut inode.content else {
            return Err(if inode.content.kind() == Kind::Dir { Errno::EISDIR } else { Errno::EINVAL });
        };
        let before = rope.resident_bytes();
        change(rope);
        let after = rope.resident_bytes();
        inode.meta.mtime = now;
        inode.ctime = now;
        self.resident_bytes = (self.resident_bytes + after).saturating_sub(before);
        Ok(())
    }

    /// Writes at `offset`.
    ///
    /// # Errors
    /// `ENOSPC`, `EFBIG`, `EISDIR`.
    pub fn write(&mut self, ino: Ino, offset: u64, bytes: &Rope, now: Timestamp) -> Result<(), Errno> {
        let end = offset.checked_add(bytes.len()).filter(|end| *end <= MAX_FILE_BYTES).ok_or(Errno::EFBIG)?;
        let hole = offset.saturating_sub(self.content(ino)?.size_bytes());
        if self.resident_bytes.saturating_add(bytes.resident_bytes()).saturating_add(hole) > self.limit_bytes {
            return Err(Errno::ENOSPC);
        }
        debug_assert!(end >= offset);
        if bytes.is_empty() {
            // Not even the time changes.
            return if self.meta(ino)?.0 == Kind::File { Ok(()) } else { Err(Errno::EINVAL) };
        }
        self.edit(ino, now, |rope| rope.write_at(offset, bytes))
    }

    /// Cuts or extends to `len` bytes.
    ///
    /// # Errors
    /// `ENOSPC`, `EFBIG`, `EISDIR`.
    pub fn truncate(&mut self, ino: Ino, len: u64, now: Timestamp) -> Result<(), Errno> {
        let hole = len.saturating_sub(self.content(ino)?.size_bytes());
        if len > MAX_FILE_BYTES {
            return Err(Errno::EFBIG);
        }
        if self.resident_bytes.saturating_add(hole) > self.limit_bytes {
            return Err(Errno::ENOSPC);
        }
        self.edit(ino, now, |rope| rope.truncate(len))
    }

    /// Changes owner, mode or time.
    ///
    /// # Errors
    /// `ENOENT` when it is gone.
    pub fn set_meta(&mut self, ino: Ino, now: Timestamp, change: impl FnOnce(&mut Meta)) -> Result<(), Errno> {
        self.copy_up(ino)?;
        let inode = self.inode_mut(ino)?;
        change(&mut inode.meta);
        inode.ctime = now;
        Ok(())
    }

    /// A file's extended attributes.
    ///
    /// # Errors
    /// `ENOENT` when it is gone.
    pub fn xattrs(&self, ino: Ino) -> Result<&Xattrs, Errno> {
        Ok(&self.inode(ino)?.xattrs)
    }

    /// Sets an extended attribute, or removes it.
    ///
    /// # Errors
    /// `ENOENT` when the file is gone, `ENODATA` when there is nothing to remove, `ENOSPC`.
    pub fn set_xattr(&mut self, ino: Ino, name: &[u8], value: Option<&[u8]>, now: Timestamp) -> Result<(), Errno> {
        let had = self.inode(ino)?.xattrs.get(name).map(|old| name.len() + old.len());
        if value.is_none() && had.is_none() {
            return Err(Errno::ENODATA);
        }
        let (before, after) = (had.unwrap_or(0) as u64, value.map_or(0, |value| name.len() + value.len()) as u64);
        if after > before && self.resident_bytes.saturating_add(after - before) > self.limit_bytes {
            return Err(Errno::ENOSPC);
        }
        self.copy_up(ino)?;
        let inode = self.inode_mut(ino)?;
        inode.xattrs.set(name, value);
        inode.ctime = now;
        self.resident_bytes = (self.resident_bytes + after).saturating_sub(before);
        Ok(())
    }

    /// Takes a program's capabilities away, as a change of its owner or content does.
    pub fn drop_capabilities(&mut self, ino: Ino, now: Timestamp) {
        if self.inode(ino).is_ok_and(|inode| inode.xattrs.get(CAPABILITY).is_some()) {
            self.set_xattr(ino, CAPABILITY, None, now).unwrap_or_default();
        }
    }

    fn touch_dir(&mut self, dir: Ino, now: Timestamp) -> Result<(), Errno> {
        self.copy_up(dir)?;
        let inode = self.inode_mut(dir)?;
        inode.meta.mtime = now;
        inode.ctime = now;
        Ok(())
    }

    /// How many directories there are on the longest way down from a directory that no lower layer has, itself included.
    fn height(&self, dir: Ino) -> usize {
        let (mut deepest, mut stack) = (0, vec![(dir, 1)]);
        while let Some((at, depth)) = stack.pop() {
            let Ok(inode) = self.dir(at) else { continue };
            deepest = deepest.max(depth);
            stack.extend(inode.children.values().filter_map(|child| match child {
                Child::Ino(ino) => Some((*ino, depth + 1)),
                _ => None,
            }));
        }
        deepest
    }

    fn depth(&self, mut at: Ino) -> usize {
        let mut depth = 0;
        while at != ROOT
            && depth <= MAX_DEPTH
            && let Ok(inode) = self.inode(at)
        {
            depth += 1;
            at = inode.parent;
        }
        depth
    }

    /// Makes a file.
    ///
    /// # Errors
    /// `EEXIST`, `ENOTDIR`, `ENAMETOOLONG`, `ENOSPC`, `EINVAL` for an impossible name.
    pub fn create(
        &mut self,
        dir: Ino,
        name: &BStr,
        meta: Meta,
        content: Content,
        now: Timestamp,
    ) -> Result<Ino, Errno> {
        if name.is_empty() || name == "." || name == ".." || name.contains(&b'/') || name.contains(&0) {
            return Err(Errno::EINVAL);
        }
        match self.lookup(dir, name) {
            Ok(_) => return Err(Errno::EEXIST),
            Err(Errno::ENOENT) => {}
            Err(error) => return Err(error),
        }
        if matches!(content, Content::Dir { .. }) && self.depth(dir) >= MAX_DEPTH {
            return Err(Errno::ENAMETOOLONG);
        }
        let resident = match &content {
            Content::File(rope) => rope.resident_bytes(),
            _ => 0,
        };
        if self.resident_bytes.saturating_add(resident) > self.limit_bytes {
            return Err(Errno::ENOSPC);
        }
        self.touch_dir(dir, now)?;
        let covers = self.lower_has(dir, name)?;
        let content = match content {
            Content::Dir { .. } => Content::Dir { opaque: covers },
            other => other,
        };
        let opaque = matches!(content, Content::Dir { opaque: true });
        let ino = self.add(Inode {
            meta,
            ctime: now,
            content,
            xattrs: Xattrs::default(),
            children: BTreeMap::new(),
            lower: None,
            upper: true,
            parent: dir,
            name: name.to_owned(),
            nlink: 1,
            open: 0,
            free: false,
        });
        self.resident_bytes += resident;
        self.inode_mut(dir)?.children.insert(name.to_owned(), Child::Ino(ino));
        let path = self.path_of(ino);
        self.event(if opaque { FsEvent::MadeOpaque(path) } else { FsEvent::Created(path) });
        Ok(ino)
    }

    /// Whether the directory below has `name`.
    fn lower_has(&self, dir: Ino, name: &BStr) -> Result<bool, Errno> {
        Ok(self.dir(dir)?.lower.as_ref().is_some_and(|lower| lower.children.contains_key(name)))
    }

    /// Gives a file another name.
    ///
    /// # Errors
    /// `EPERM` for a directory, `EEXIST`.
    pub fn link(&mut self, dir: Ino, name: &BStr, ino: Ino, now: Timestamp) -> Result<(), Errno> {
        if self.meta(ino)?.0 == Kind::Dir {
            return Err(Errno::EPERM);
        }
        match self.lookup(dir, name) {
            Ok(_) => return Err(Errno::EEXIST),
            Err(Errno::ENOENT) => {}
            Err(error) => return Err(error),
        }
        self.copy_up(ino)?;
        self.touch_dir(dir, now)?;
        let inode = self.inode_mut(ino)?;
        inode.nlink += 1;
        inode.ctime = now;
        self.inode_mut(dir)?.children.insert(name.to_owned(), Child::Ino(ino));
        let path = path::join(&self.path_of(dir), name);
        self.event(FsEvent::Created(path));
        Ok(())
    }

    /// Takes `name` out of `dir`, leaving a whiteout where the tree below has one.
    fn detach(&mut self, dir: Ino, name: &BStr, now: Timestamp) -> Result<(), Errno> {
        self.touch_dir(dir, now)?;
        let covers = self.lower_has(dir, name)?;
        let inode = self.inode_mut(dir)?;
        if covers {
            inode.children.insert(name.to_owned(), Child::Whiteout);
        } else {
            inode.children.remove(name);
        }
        Ok(())
    }

    fn whited_out(&mut self, dir: Ino, name: &BStr) -> Result<(), Errno> {
        if self.lower_has(dir, name)? {
            let mut path = self.path_of(dir);
            if !path.is_empty() {
                path.push(b'/');
            }
            path.extend_from_slice(name);
            self.event(FsEvent::WhitedOut(path));
        }
        Ok(())
    }

    /// Removes a name of a file.
    ///
    /// # Errors
    /// `ENOENT`, `EISDIR`.
    pub fn unlink(&mut self, dir: Ino, name: &BStr, now: Timestamp) -> Result<(), Errno> {
        let ino = self.lookup(dir, name)?;
        if self.meta(ino)?.0 == Kind::Dir {
            return Err(Errno::EISDIR);
        }
        self.detach(dir, name, now)?;
        self.whited_out(dir, name)?;
        let inode = self.inode_mut(ino)?;
        inode.nlink = inode.nlink.saturating_sub(1);
        inode.ctime = now;
        if !inode.upper {
            inode.nlink = 0;
        }
        self.reclaim(ino);
        Ok(())
    }

    /// Removes an empty directory.
    ///
    /// # Errors
    /// `ENOENT`, `ENOTDIR`, `ENOTEMPTY`.
    pub fn rmdir(&mut self, dir: Ino, name: &BStr, now: Timestamp) -> Result<(), Errno> {
        let ino = self.lookup(dir, name)?;
        if !self.readdir(ino)?.is_empty() {
            return Err(Errno::ENOTEMPTY);
        }
        self.detach(dir, name, now)?;
        self.whited_out(dir, name)?;
        self.inode_mut(ino)?.nlink = 0;
        self.reclaim(ino);
        Ok(())
    }

    /// Renames; what has the new name already is replaced.
    ///
    /// # Errors
    /// `EXDEV` for a directory that is not wholly in the writable layer (overlayfs without `redirect_dir`),
    /// `ENOTEMPTY`, `EISDIR`, `ENOTDIR`, `EINVAL` for a move into itself.
    pub fn rename(
        &mut self,
        dir: Ino,
        name: &BStr,
        new_dir: Ino,
        new_name: &BStr,
        now: Timestamp,
    ) -> Result<(), Errno> {
        let ino = self.lookup(dir, name)?;
        let is_dir = self.meta(ino)?.0 == Kind::Dir;
        if is_dir {
            let mut at = new_dir;
            while at != ROOT {
                if at == ino {
                    return Err(Errno::EINVAL);
                }
                at = self.inode(at)?.parent;
            }
        }
        let replaced = match self.lookup(new_dir, new_name) {
            Ok(old) if old == ino => return Ok(()),
            Ok(old) => Some(old),
            Err(Errno::ENOENT) => None,
            Err(error) => return Err(error),
        };
        let moves = !is_dir || self.inode(ino)?.lower.is_none();
        if let Some(old) = replaced {
            match (is_dir, self.meta(old)?.0 == Kind::Dir) {
                (true, false) => return Err(Errno::ENOTDIR),
                (false, true) => return Err(Errno::EISDIR),
                (true, true) if moves && !self.readdir(old)?.is_empty() => return Err(Errno::ENOTEMPTY),
                _ => {}
            }
        }
        if !moves {
            return Err(Errno::EXDEV);
        }
        if is_dir && self.depth(new_dir) + self.height(ino) > MAX_DEPTH {
            return Err(Errno::ENAMETOOLONG);
        }
        self.copy_up(ino)?;
        if let Some(old) = replaced {
            let inode = self.inode_mut(old)?;
            inode.nlink = if is_dir || !inode.upper { 0 } else { inode.nlink.saturating_sub(1) };
            self.detach(new_dir, new_name, now)?;
            self.reclaim(old);
        }
        self.detach(dir, name, now)?;
        self.whited_out(dir, name)?;
        self.touch_dir(new_dir, now)?;
        // overlayfs marks every directory that is moved into a merged one, whatever is below.
        let covers = self.is_merged(self.inode(new_dir)?);
        let inode = self.inode_mut(ino)?;
        inode.parent = new_dir;
        inode.name = new_name.to_owned();
        inode.ctime = now;
        if let Content::Dir { opaque } = &mut inode.content {
            *opaque |= covers;
        }
        if !is_dir {
            // What it was copied from stays at the old name.
            inode.lower = None;
        }
        self.inode_mut(new_dir)?.children.insert(new_name.to_owned(), Child::Ino(ino));
        let path = self.path_of(ino);
        self.event(FsEvent::Created(path));
        Ok(())
    }

    /// Keeps a file while somebody has it open.
    pub fn hold(&mut self, ino: Ino) {
        if let Ok(inode) = self.inode_mut(ino) {
            inode.open += 1;
        }
    }

    /// Ends a [`Self::hold`].
    pub fn release(&mut self, ino: Ino) {
        if let Ok(inode) = self.inode_mut(ino) {
            inode.open = inode.open.saturating_sub(1);
            self.reclaim(ino);
        }
    }

    fn reclaim(&mut self, ino: Ino) {
        let Ok(inode) = self.inode_mut(ino) else { return };
        if ino == ROOT || inode.nlink > 0 || inode.open > 0 {
            return;
        }
        let resident = match &inode.content {
            Content::File(rope) if inode.upper => rope.resident_bytes(),
            _ => 0,
        };
        // Looked-at lower files of a removed directory go with it.
        let children = std::mem::take(&mut inode.children);
        inode.free = true;
        inode.content = Content::Socket;
        inode.lower = None;
        self.resident_bytes = self.resident_bytes.saturating_sub(resident);
        self.free.push(ino);
        for child in children.into_values() {
            if let Child::Ino(child) = child {
                if let Ok(inode) = self.inode_mut(child) {
                    inode.nlink = 0;
                }
                self.reclaim(child);
            }
        }
    }

    /// The writable layer as a changeset: what `docker commit` makes a layer of.
    pub fn upper(&self) -> Layer {
        let mut changes = BTreeMap::new();
        let mut first_names: BTreeMap<Ino, BString> = BTreeMap::new();
        let mut stack = vec![(ROOT, BString::default())];
        while let Some((dir, at)) = stack.pop() {
            let Ok(inode) = self.inode(dir) else { continue };
            for (name, child) in &inode.children {
                let path = if at.is_empty() { name.clone() } else { path::join(&at, name) };
                match child {
                    Child::Whiteout => drop(changes.insert(path, Change::Whiteout)),
                    Child::Ino(ino) => {
                        let Ok(child) = self.inode(*ino).cloned() else { continue };
                        if !child.upper {
                            continue;
                        }
                        let entry = Arc::new(Entry {
                            meta: child.meta,
                            content: child.content,
                            xattrs: child.xattrs.of_archives(),
                        });
                        if entry.content.kind() == Kind::Dir {
                            stack.push((*ino, path.clone()));
                        } else if child.nlink > 1 {
                            // Tar wants a link's target first: the smallest path holds the file.
                            match first_names.get(ino).cloned() {
                                Some(first) if first < path => {
                                    changes.insert(path, Change::HardLink(first));
                                    continue;
                                }
                                Some(first) => {
                                    for change in changes.values_mut() {
                                        if matches!(change, Change::HardLink(to) if *to == first) {
                                            *change = Change::HardLink(path.clone());
                                        }
                                    }
                                    changes.insert(first, Change::HardLink(path.clone()));
                                    first_names.insert(*ino, path.clone());
                                }
                                None => drop(first_names.insert(*ino, path.clone())),
                            }
                        }
                        changes.insert(path, Change::Put(entry));
                    }
                }
            }
        }
        Layer::new(changes)
    }

    /// What differs from the tree below, sorted by path, each with a leading slash.
    pub fn differences(&self) -> Vec<(BString, Difference)> {
        let mut out = Vec::new();
        for (at, change) in self.upper().entries() {
            let below = self.lower.get(at).is_some();
            let difference = match change {
                Change::Whiteout => Difference::Deleted,
                _ if below => Difference::Changed,
                _ => Difference::Added,
            };
            let mut path = BString::from("/");
            path.extend_from_slice(at);
            out.push((path, difference));
        }
        out
    }

    /// How many paths differ: as many as [`Self::differences`] has, without their names.
    pub fn changed_paths(&self) -> usize {
        let (mut count, mut dirs) = (0, vec![ROOT]);
        while let Some(dir) = dirs.pop() {
            let Ok(inode) = self.inode(dir) else { continue };
            for child in inode.children.values() {
                match child {
                    Child::Whiteout => count += 1,
                    Child::Ino(ino) => {
                        let Ok(child) = self.inode(*ino) else { continue };
                        count += usize::from(child.upper);
                        if child.upper && child.content.kind() == Kind::Dir {
                            dirs.push(*ino);
                        }
                    }
                }
            }
        }
        count
    }

    /// The sum of the sizes of the files in the writable layer, in bytes.
    pub fn upper_size_bytes(&self) -> u64 {
        self.inodes
            .iter()
            .filter(|inode| inode.upper && !inode.free && inode.nlink > 0 && inode.content.kind() == Kind::File)
            .map(|inode| inode.content.size_bytes())
            .sum()
    }
}

impl Inode {
    fn of_lower(node: &Arc<tree::Node>, parent: Ino, name: BString) -> Self {
        let content = match &node.entry.content {
            Content::Dir { .. } => Content::Dir { opaque: false },
            other => other.clone(),
        };
        Self {
            meta: node.entry.meta,
            ctime: node.entry.meta.mtime,
            content,
            xattrs: node.entry.xattrs.clone(),
            children: BTreeMap::new(),
            lower: Some(Arc::clone(node)),
            upper: false,
            parent,
            name,
            nlink: node.links,
            open: 0,
            free: false,
        }
    }
}

#[cfg(test)]
#[path = "overlay_tests.rs"]
mod tests;
