//! What a process sees: file systems mounted on one another, walked by path, guarded by permissions.
//!
//! Every system call that takes a path ends here. Paths are walked name by name: search permission on each directory,
//! symbolic links followed at most [`MAX_LINKS`] deep, mount points crossed.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use bstr::{BStr, BString, ByteSlice};

use super::capability::{
    CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER, CAP_FSETID, CAP_MKNOD, CAP_SETFCAP, CAP_SYS_ADMIN,
    FileCapabilities,
};
use super::node::{CAPABILITY, Content, Kind, Meta, Stat, Xattrs};
use super::overlay::{DirEntry, Ino, Overlay, ROOT};
use crate::base::errno::Errno;
use crate::base::path;
use crate::base::rope::Rope;
use crate::base::time::Timestamp;

/// Symbolic links followed in one walk (Linux `MAXSYMLINKS`).
pub const MAX_LINKS: usize = 40;

/// Longest value of an extended attribute in bytes (Linux `XATTR_SIZE_MAX`).
const XATTR_SIZE_MAX: usize = 65536;

/// What a program's file gives to users other than root, a bit a capability.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Gained {
    /// What the program may use.
    pub permitted: u64,
    /// What it uses without asking.
    pub effective: u64,
}

/// Who asks.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Cred {
    /// The effective user.
    pub uid: u32,
    /// The effective group.
    pub gid: u32,
    /// Further groups.
    pub groups: Vec<u32>,
    /// Capabilities that even root does without, by number; [`super::capability::NO_NEW_PRIVILEGES`] keeps set-id bits
    /// from working.
    pub dropped: u64,
    /// The capabilities that a user other than root has, from the file of the program that runs.
    pub gained: Gained,
}

impl Cred {
    /// The all-powerful user.
    pub const ROOT: Self = Self::user(0, 0, Vec::new());

    /// A user of these groups who lacks nothing that such a user has.
    pub const fn user(uid: u32, gid: u32, groups: Vec<u32>) -> Self {
        Self { uid, gid, groups, dropped: 0, gained: Gained { permitted: 0, effective: 0 } }
    }

    /// Whether the capability is effective: root has it unless it was dropped, others where their program's file gives it.
    pub const fn is_capable(&self, capability: u32) -> bool {
        (self.uid == 0 || self.gained.effective >> capability & 1 != 0) && self.dropped >> capability & 1 == 0
    }

    /// Whether this is the owner of a file, or may act as such.
    const fn acts_as(&self, owner: u32) -> bool {
        self.uid == owner || self.is_capable(CAP_FOWNER)
    }

    /// Whether a file with `meta` allows all of `wanted` (4 read, 2 write, 1 execute or search).
    pub fn allows(&self, kind: Kind, meta: &Meta, wanted: u32) -> bool {
        if self.is_capable(CAP_DAC_OVERRIDE) {
            // Root needs one execute bit to run a file.
            return wanted & 1 == 0 || kind == Kind::Dir || meta.mode & 0o111 != 0;
        }
        if self.is_capable(CAP_DAC_READ_SEARCH) && (wanted == 4 || kind == Kind::Dir && wanted & 2 == 0) {
            return true;
        }
        let shift = if self.uid == meta.uid {
            6
        } else if self.in_group(meta.gid) {
            3
        } else {
            0
        };
        meta.mode >> shift & wanted == wanted
    }

    /// Whether the caller belongs to a group.
    pub fn in_group(&self, gid: u32) -> bool {
        self.gid == gid || self.groups.contains(&gid)
    }

    /// Whether files of a group may keep or get its set-id bit from the caller.
    fn keeps_set_gid(&self, gid: u32) -> bool {
        self.in_group(gid) || self.is_capable(CAP_FSETID)
    }

    /// A file's mode after a change that takes set-id bits away (Linux `setattr_should_drop_sgid`).
    fn without_set_ids(&self, meta: &Meta) -> u32 {
        let drop_sgid = meta.mode & 0o010 != 0 || !self.keeps_set_gid(meta.gid);
        meta.mode & !(0o4000 | if drop_sgid { 0o2000 } else { 0 })
    }
}

/// How a file is opened.
#[derive(Clone, Copy, Debug, Default)]
pub struct How {
    /// Read (4) and write (2).
    pub wanted: u32,
    /// Made when missing, with this mode before the umask.
    pub create: Option<u32>,
    /// Must not be there yet.
    pub exclusive: bool,
    /// Emptied.
    pub truncate: bool,
}

/// Everything about a caller that a path operation depends on.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Who asks.
    pub cred: Cred,
    /// From where relative paths start.
    pub cwd: BString,
    /// Permission bits that new files don't get.
    pub umask: u32,
    /// When.
    pub now: Timestamp,
}

/// A file of a [`Synthetic`] file system.
#[derive(Clone, Debug)]
pub struct Made {
    /// Owner and permissions.
    pub meta: Meta,
    /// What it holds at this moment.
    pub content: Content,
}

/// A file system whose files are made when somebody looks, such as `/proc`.
pub trait Synthetic {
    /// The file at `path`, relative to the mount and without slashes at its ends.
    fn get(&self, path: &BStr) -> Option<Made>;

    /// The names in the directory at `path`.
    fn list(&self, path: &BStr) -> Vec<BString>;

    /// Whether files tell how much they hold, as those of a disk do; those of `/proc` do not.
    fn has_sizes(&self) -> bool {
        false
    }

    /// What making a file says where it is not there: nobody makes files here.
    fn refusal(&self) -> Errno {
        Errno::EPERM
    }

    /// Takes bytes written to the file at `path`.
    ///
    /// # Errors
    /// `EACCES` unless the file takes writes.
    fn write(&self, _path: &BStr, _bytes: &Rope) -> Result<(), Errno> {
        Err(Errno::EACCES)
    }
}

/// What is mounted.
#[derive(Clone)]
pub enum Backing {
    /// Files that are kept.
    Overlay(Rc<RefCell<Overlay>>),
    /// Files that are made on the fly.
    Synthetic(Rc<dyn Synthetic>),
}

impl Backing {
    /// A new overlay, shared.
    pub fn overlay(overlay: Overlay) -> Self {
        Self::Overlay(Rc::new(RefCell::new(overlay)))
    }

    fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Overlay(a), Self::Overlay(b)) => Rc::ptr_eq(a, b),
            (Self::Synthetic(a), Self::Synthetic(b)) => Rc::ptr_eq(a, b),
            _ => false,
        }
    }
}

/// A file within a backing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Node {
    /// By number.
    Ino(Ino),
    /// By path, in a synthetic file system.
    Path(BString),
}

/// A mounted file system, or a part of one (a bind).
#[derive(Clone)]
pub struct Mount {
    /// Where, as the namespace sees it.
    pub at: BString,
    /// The first column of `/proc/mounts`.
    pub source: String,
    /// `overlay`, `tmpfs`, `proc`, `ext4`, ...
    pub fs_type: String,
    /// The options column of `/proc/mounts` after `rw` or `ro`.
    pub options: String,
    /// Refuses every change.
    pub read_only: bool,
    /// What is mounted.
    pub backing: Backing,
    /// Which file of it is the mount's root.
    pub root: Node,
}

impl Mount {
    /// A whole overlay.
    pub fn overlay(at: &str, source: &str, fs_type: &str, overlay: &Rc<RefCell<Overlay>>) -> Self {
        Self {
            at: at.into(),
            source: source.to_owned(),
            fs_type: fs_type.to_owned(),
            options: "relatime".to_owned(),
            read_only: false,
            backing: Backing::Overlay(Rc::clone(overlay)),
            root: Node::Ino(ROOT),
        }
    }

    /// A synthetic file system.
    pub fn synthetic(at: &str, fs_type: &str, files: Rc<dyn Synthetic>) -> Self {
        Self {
            at: at.into(),
            source: fs_type.to_owned(),
            fs_type: fs_type.to_owned(),
            options: "nosuid,nodev,noexec,relatime".to_owned(),
            read_only: false,
            backing: Backing::Synthetic(files),
            root: Node::Path(BString::default()),
        }
    }
}

/// A file that a walk found.
#[derive(Clone)]
pub struct Place {
    /// The file system it is in.
    pub backing: Backing,
    /// Which file.
    pub node: Node,
    /// Whether the mount refuses changes.
    pub read_only: bool,
    /// Its absolute path, symbolic links resolved.
    pub path: BString,
    mount: usize,
}

impl Place {
    /// Kind and metadata.
    ///
    /// # Errors
    /// `ENOENT` when it is gone.
    pub fn meta(&self) -> Result<(Kind, Meta), Errno> {
        match (&self.backing, &self.node) {
            (Backing::Overlay(fs), Node::Ino(ino)) => fs.borrow().meta(*ino),
            (Backing::Synthetic(fs), Node::Path(path)) => {
                fs.get(path.as_bstr()).map(|made| (made.content.kind(), made.meta)).ok_or(Errno::ENOENT)
            }
            _ => Err(Errno::EIO),
        }
    }

    /// What `stat` tells.
    ///
    /// # Errors
    /// `ENOENT` when it is gone.
    pub fn stat(&self) -> Result<Stat, Errno> {
        match (&self.backing, &self.node) {
            (Backing::Overlay(fs), Node::Ino(ino)) => fs.borrow().stat(*ino),
            (Backing::Synthetic(fs), Node::Path(path)) => {
                let made = fs.get(path.as_bstr()).ok_or(Errno::ENOENT)?;
                let sum = path.iter().fold(7u64, |sum, b| sum.wrapping_mul(31).wrapping_add(u64::from(*b)));
                Ok(Stat {
                    dev: 5,
                    ino: sum & 0xffff_ffff,
                    kind: made.content.kind(),
                    meta: made.meta,
                    ctime: made.meta.mtime,
                    nlink: 1,
                    size_bytes: if fs.has_sizes() { made.content.size_bytes() } else { 0 },
                    device: made.content.device(),
                })
            }
            _ => Err(Errno::EIO),
        }
    }

    /// What it holds.
    ///
    /// # Errors
    /// `ENOENT` when it is gone.
    pub fn content(&self) -> Result<Content, Errno> {
        match (&self.backing, &self.node) {
            (Backing::Overlay(fs), Node::Ino(ino)) => fs.borrow().content(*ino).cloned(),
            (Backing::Synthetic(fs), Node::Path(path)) => {
                fs.get(path.as_bstr()).map(|made| made.content).ok_or(Errno::ENOENT)
            }
            _ => Err(Errno::EIO),
        }
    }

    /// Whether a name that is not in this directory is not even looked for when it's to be made, as in `/proc`.
    fn refuses_all(&self) -> bool {
        matches!(&self.backing, Backing::Synthetic(fs) if fs.refusal() == Errno::ENOENT)
    }

    /// Its extended attributes.
    ///
    /// # Errors
    /// `ENOENT` when it is gone, `EOPNOTSUPP` in a synthetic file system.
    pub fn xattrs(&self) -> Result<Xattrs, Errno> {
        match (&self.backing, &self.node) {
            (Backing::Overlay(fs), Node::Ino(ino)) => fs.borrow().xattrs(*ino).cloned(),
            _ => Err(Errno::EOPNOTSUPP),
        }
    }

    /// The file's overlay and number, for changes.
    ///
    /// # Errors
    /// `EROFS` on a read-only mount, `EPERM` in a synthetic file system.
    pub fn writable(&self) -> Result<(&Rc<RefCell<Overlay>>, Ino), Errno> {
        match (&self.backing, &self.node) {
            _ if self.read_only => Err(Errno::EROFS),
            (Backing::Overlay(fs), Node::Ino(ino)) => Ok((fs, *ino)),
            _ => Err(Errno::EPERM),
        }
    }

    /// Writes at `offset` of an open file. Others than root lose its set-id bits.
    ///
    /// # Errors
    /// As [`Overlay::write`].
    pub fn write(&self, who: &Caller, offset: u64, bytes: &Rope) -> Result<(), Errno> {
        let (fs, ino) = self.writable()?;
        fs.borrow_mut().write(ino, offset, bytes, who.now)?;
        if bytes.is_empty() {
            return Ok(());
        }
        self.drop_set_ids(who)
    }

    /// Cuts or extends an open file. Others than root lose its set-id bits.
    ///
    /// # Errors
    /// As [`Overlay::truncate`].
    pub fn truncate(&self, who: &Caller, len: u64) -> Result<(), Errno> {
        let (fs, ino) = self.writable()?;
        fs.borrow_mut().truncate(ino, len, who.now)?;
        self.drop_set_ids(who)
    }

    fn drop_set_ids(&self, who: &Caller) -> Result<(), Errno> {
        let (_, meta) = self.meta()?;
        let (fs, ino) = self.writable()?;
        fs.borrow_mut().drop_capabilities(ino, who.now);
        let mode = who.cred.without_set_ids(&meta);
        if who.cred.is_capable(CAP_FSETID) || mode == meta.mode {
            return Ok(());
        }
        fs.borrow_mut().set_meta(ino, who.now, |meta| meta.mode = mode)
    }
}

/// A walk's end: a file (and the directory it was found in, unless it is the root), or a name that its directory does not
/// have.
enum Walked {
    Found(Place, Option<Place>),
    Missing { dir: Place, name: BString },
}

/// What keeps users from harm that others prepare for them in shared directories: the settings of `/proc/sys/fs`
/// (`proc_sys_fs(5)`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Protections {
    /// `protected_fifos`.
    pub fifos: u8,
    /// `protected_hardlinks`.
    pub hardlinks: u8,
    /// `protected_regular`.
    pub regular: u8,
    /// `protected_symlinks`.
    pub symlinks: u8,
}

impl Default for Protections {
    /// As Debian and Ubuntu set them.
    fn default() -> Self {
        Self { fifos: 1, hardlinks: 1, regular: 2, symlinks: 1 }
    }
}

impl Protections {
    /// The names of the settings and their values.
    pub const fn settings(self) -> [(&'static str, u8); 4] {
        [
            ("protected_fifos", self.fifos),
            ("protected_hardlinks", self.hardlinks),
            ("protected_regular", self.regular),
            ("protected_symlinks", self.symlinks),
        ]
    }

    /// Whether a link at a path's end is followed: in a sticky directory that anyone may write to, only one's own and
    /// those of the directory's owner (Linux `may_follow_link`).
    fn may_follow(self, who: &Caller, dir: &Meta, link: &Place) -> Result<bool, Errno> {
        if self.symlinks == 0 || dir.mode & 0o1002 != 0o1002 {
            return Ok(true);
        }
        let owner = link.meta()?.1.uid;
        Ok(owner == who.cred.uid || owner == dir.uid)
    }

    /// Whether a file that would have been made, had it not been there, was put there by somebody else (Linux
    /// `may_create_in_sticky`).
    const fn is_bait(self, who: &Caller, dir: &Meta, kind: Kind, meta: &Meta) -> bool {
        let level = match kind {
            Kind::Fifo => self.fifos,
            Kind::File => self.regular,
            // No setting is for these, so that they count as in a world-writable directory.
            _ => 1,
        };
        if level == 0 || dir.mode & 0o1000 == 0 || meta.uid == dir.uid || meta.uid == who.cred.uid {
            return false;
        }
        dir.mode & 0o002 != 0 || dir.mode & 0o020 != 0 && level >= 2
    }
}

/// A mount table.
#[derive(Clone, Default)]
pub struct Mounts {
    mounts: Vec<Mount>,
    /// What is refused in shared directories.
    pub protections: Protections,
}

impl Mounts {
    /// Only a root file system.
    pub fn new(root: Mount) -> Self {
        Self { mounts: vec![root], protections: Protections::default() }
    }

    /// Whether programs can't be run from where a file is (`noexec`).
    pub fn forbids_programs(&self, place: &Place) -> bool {
        self.mounts.get(place.mount).is_some_and(|mount| mount.options.split(',').any(|option| option == "noexec"))
    }

    /// Whether set-id bits and capabilities of programs there mean nothing (`nosuid`).
    pub fn ignores_set_ids(&self, place: &Place) -> bool {
        self.mounts.get(place.mount).is_some_and(|mount| mount.options.split(',').any(|option| option == "nosuid"))
    }

    /// The table, oldest first.
    pub fn table(&self) -> &[Mount] {
        &self.mounts
    }

    /// The mounts that one sees: those with a type.
    pub fn shown(&self) -> impl Iterator<Item = &Mount> {
        self.mounts.iter().filter(|mount| !mount.fs_type.is_empty())
    }

    /// Mounts on an existing file.
    ///
    /// # Errors
    /// Those of a walk to it.
    pub fn mount(&mut self, mut mount: Mount) -> Result<(), Errno> {
        let point = self.find(&Caller::root(), &mount.at, true)?;
        mount.at = point.path;
        self.mounts.push(mount);
        Ok(())
    }

    /// Binds the file or directory `from` (of this or another table) at `at`.
    ///
    /// # Errors
    /// Those of a walk to `at`.
    pub fn bind(&mut self, from: &Place, at: &[u8], read_only: bool, source: &str) -> Result<(), Errno> {
        self.mount(Mount {
            at: at.into(),
            source: source.to_owned(),
            fs_type: "ext4".to_owned(),
            options: "relatime".to_owned(),
            read_only,
            backing: from.backing.clone(),
            root: from.node.clone(),
        })
    }

    /// Unmounts the topmost mount at `at`.
    ///
    /// # Errors
    /// `EINVAL` when nothing is mounted there.
    pub fn unmount(&mut self, at: &[u8]) -> Result<(), Errno> {
        let at = path::normalize(at);
        let index = self.mounts.iter().rposition(|mount| mount.at == at).filter(|i| *i > 0).ok_or(Errno::EINVAL)?;
        self.mounts.remove(index);
        Ok(())
    }

    /// The table of who has the directory `path` for its root (`chroot`): what is mounted there and below.
    ///
    /// # Errors
    /// Those of a walk to it; `ENOTDIR`.
    pub fn below(&self, who: &Caller, path: &[u8]) -> Result<Self, Errno> {
        let place = self.find(who, path, true)?;
        if place.meta()?.0 != Kind::Dir {
            return Err(Errno::ENOTDIR);
        }
        let mut root = self.mounts.get(place.mount).ok_or(Errno::ENOENT)?.clone();
        root.at = "/".into();
        (root.backing, root.root) = (place.backing, place.node);
        let inside = |mount: &Mount| {
            let rest = mount.at.strip_prefix(place.path.trim_end_with(|c| c == '/'))?;
            rest.starts_with(b"/").then(|| Mount { at: rest.into(), ..mount.clone() }).filter(|mount| mount.at != "/")
        };
        let mounts = std::iter::once(root).chain(self.mounts.iter().filter_map(inside)).collect();
        Ok(Self { mounts, protections: self.protections })
    }

    /// The root directory.
    fn root(&self) -> Result<Place, Errno> {
        let index = self.mounts.iter().rposition(|mount| mount.at == "/").ok_or(Errno::ENOENT)?;
        self.place(index, "/".into()).ok_or(Errno::ENOENT)
    }

    fn place(&self, index: usize, path: BString) -> Option<Place> {
        let mount = self.mounts.get(index)?;
        Some(Place {
            backing: mount.backing.clone(),
            node: mount.root.clone(),
            read_only: mount.read_only,
            path,
            mount: index,
        })
    }

    fn child(&self, dir: &Place, name: &BStr) -> Result<Place, Errno> {
        let mut path = dir.path.clone();
        if !path.ends_with(b"/") {
            path.push(b'/');
        }
        path.extend_from_slice(name);
        if let Some(index) = self.mounts.iter().rposition(|mount| mount.at == path)
            && let Some(place) = self.place(index, path.clone())
        {
            return Ok(place);
        }
        let node = match (&dir.backing, &dir.node) {
            (Backing::Overlay(fs), Node::Ino(ino)) => Node::Ino(fs.borrow_mut().lookup(*ino, name)?),
            (Backing::Synthetic(fs), Node::Path(at)) => {
                let at = if at.is_empty() { name.to_owned() } else { path::join(at, name) };
                fs.get(at.as_bstr()).ok_or(Errno::ENOENT)?;
                Node::Path(at)
            }
            _ => return Err(Errno::EIO),
        };
        Ok(Place { backing: dir.backing.clone(), node, read_only: dir.read_only, path, mount: dir.mount })
    }

    /// A name in a directory that was found before; not followed if it is a link. Whoever looks at all names of a large
    /// directory need not walk to it for each.
    ///
    /// # Errors
    /// `ENOENT`, `ENOTDIR`, `EACCES` without leave to search the directory.
    pub fn find_in(&self, who: &Caller, dir: &Place, name: &BStr) -> Result<Place, Errno> {
        let (kind, meta) = dir.meta()?;
        if kind != Kind::Dir {
            return Err(Errno::ENOTDIR);
        }
        if !who.cred.allows(kind, &meta, 1) {
            return Err(Errno::EACCES);
        }
        self.child(dir, name)
    }

    fn walk(&self, who: &Caller, path: &[u8], follow: bool, create: bool) -> Result<Walked, Errno> {
        if path.is_empty() {
            return Err(Errno::ENOENT);
        }
        if path.len() > path::PATH_MAX {
            return Err(Errno::ENAMETOOLONG);
        }
        let dotted = |path: &[u8]| path.ends_with(b"/.") || path == b".";
        let mut must_search = dotted(path);
        let mut must_be_dir = must_search || path.ends_with(b"/");
        let full = path::join(&who.cwd, path);
        let mut rest: VecDeque<BString> = path::components(&full).map(BStr::to_owned).collect();
        let mut stack = vec![self.root()?];
        let mut links = 0;
        while let Some(name) = rest.pop_front() {
            let Some(dir) = stack.last() else { return Err(Errno::ENOENT) };
            let (kind, meta) = dir.meta()?;
            if kind != Kind::Dir {
                return Err(Errno::ENOTDIR);
            }
            if !who.cred.allows(kind, &meta, 1) {
                return Err(Errno::EACCES);
            }
            if name == ".." {
                if stack.len() > 1 {
                    stack.pop();
                }
                continue;
            }
            if create && rest.is_empty() && must_be_dir && !must_search {
                // Whatever is there: what ends in a slash is not made by `open`.
                return Err(Errno::EISDIR);
            }
            let place = match self.child(dir, name.as_bstr()) {
                Ok(place) => place,
                Err(Errno::ENOENT) if rest.is_empty() && !must_search => {
                    return Ok(Walked::Missing { dir: dir.clone(), name });
                }
                Err(error) => return Err(error),
            };
            if (follow || must_be_dir || !rest.is_empty())
                && let Content::Symlink(target) = place.content()?
            {
                links += 1;
                if links > MAX_LINKS {
                    return Err(Errno::ELOOP);
                }
                if rest.is_empty() && !self.protections.may_follow(who, &meta, &place)? {
                    return Err(Errno::EACCES);
                }
                if path::is_absolute(&target) {
                    stack.truncate(1);
                }
                must_search |= rest.is_empty() && dotted(&target);
                must_be_dir |= must_search || rest.is_empty() && target.ends_with(b"/");
                for part in path::components(&target).rev() {
                    rest.push_front(part.to_owned());
                }
                continue;
            }
            stack.push(place);
        }
        let place = stack.pop().ok_or(Errno::ENOENT)?;
        if must_be_dir {
            let (kind, meta) = place.meta()?;
            if kind != Kind::Dir {
                return Err(Errno::ENOTDIR);
            }
            // The last `.` is looked up like any name.
            if must_search && !who.cred.allows(kind, &meta, 1) {
                return Err(Errno::EACCES);
            }
        }
        Ok(Walked::Found(place, stack.pop()))
    }

    /// The file at `path`; `follow` says whether a symbolic link at its end is followed.
    ///
    /// # Errors
    /// `ENOENT`, `ENOTDIR`, `EACCES`, `ELOOP`, `ENAMETOOLONG`.
    pub fn find(&self, who: &Caller, path: &[u8], follow: bool) -> Result<Place, Errno> {
        match self.walk(who, path, follow, false)? {
            Walked::Found(place, _) => Ok(place),
            Walked::Missing { .. } => Err(Errno::ENOENT),
        }
    }

    /// The directory and name of a file that may or may not exist; the last name is not followed. `odd` is what the
    /// system call says of `.`, `..` and the root.
    fn last(&self, who: &Caller, path: &[u8], odd: [Errno; 3]) -> Result<(Place, BString), Errno> {
        let [dot, dot_dot, root] = odd;
        if path.is_empty() {
            return Err(Errno::ENOENT);
        }
        if path.len() > path::PATH_MAX {
            return Err(Errno::ENAMETOOLONG);
        }
        let name = path::file_name(path);
        if name.is_empty() {
            return Err(root);
        }
        let dir = self.find(who, path::parent(path), true)?;
        match dir.meta()? {
            (Kind::Dir, meta) if who.cred.allows(Kind::Dir, &meta, 1) => {}
            (Kind::Dir, _) => return Err(Errno::EACCES),
            _ => return Err(Errno::ENOTDIR),
        }
        match name.as_bytes() {
            b"." => Err(dot),
            b".." => Err(dot_dot),
            _ => Ok((dir, name.to_owned())),
        }
    }

    /// The directory and name of a file that is to be made (Linux `filename_create`).
    fn new_name(&self, who: &Caller, path: &[u8], kind: Kind) -> Result<(Place, BString), Errno> {
        let (dir, name) = self.last(who, path, [Errno::EEXIST; 3])?;
        match self.child(&dir, name.as_bstr()) {
            Ok(_) => Err(Errno::EEXIST),
            Err(Errno::ENOENT) if kind != Kind::Dir && path.ends_with(b"/") => Err(Errno::ENOENT),
            Err(Errno::ENOENT) if dir.refuses_all() => Err(Errno::ENOENT),
            Err(Errno::ENOENT) if dir.read_only => Err(Errno::EROFS),
            Err(Errno::ENOENT) => Ok((dir, name)),
            Err(error) => Err(error),
        }
    }

    fn may_change(who: &Caller, dir: &Place) -> Result<(), Errno> {
        let (kind, meta) = dir.meta()?;
        if !who.cred.allows(kind, &meta, 3) {
            return Err(Errno::EACCES);
        }
        dir.writable().map(drop)
    }

    /// Whether `who` may take `place` out of `dir`, as a directory or as another file (Linux `may_delete`).
    fn may_remove(who: &Caller, dir: &Place, place: &Place, as_dir: bool) -> Result<(), Errno> {
        Self::may_change(who, dir)?;
        let ((_, dir_meta), (kind, meta)) = (dir.meta()?, place.meta()?);
        let sticky = dir_meta.mode & 0o1000 != 0;
        if sticky && !who.cred.acts_as(meta.uid) && who.cred.uid != dir_meta.uid {
            return Err(Errno::EPERM);
        }
        match (as_dir, kind == Kind::Dir) {
            (true, false) => Err(Errno::ENOTDIR),
            (false, true) => Err(Errno::EISDIR),
            _ if place.mount != dir.mount => Err(Errno::EBUSY),
            _ => Ok(()),
        }
    }

    /// `stat` or, without `follow`, `lstat`.
    ///
    /// # Errors
    /// Those of a walk.
    pub fn stat(&self, who: &Caller, path: &[u8], follow: bool) -> Result<Stat, Errno> {
        self.find(who, path, follow)?.stat()
    }

    /// The sorted names in a directory, without `.` and `..`.
    ///
    /// # Errors
    /// `EACCES` without read permission, `ENOTDIR`.
    pub fn readdir(&self, who: &Caller, path: &[u8]) -> Result<Vec<DirEntry>, Errno> {
        let dir = self.find(who, path, true)?;
        let (kind, meta) = dir.meta()?;
        if kind != Kind::Dir {
            return Err(Errno::ENOTDIR);
        }
        if !who.cred.allows(kind, &meta, 4) {
            return Err(Errno::EACCES);
        }
        match (&dir.backing, &dir.node) {
            (Backing::Overlay(fs), Node::Ino(ino)) => fs.borrow().readdir(*ino),
            (Backing::Synthetic(fs), Node::Path(at)) => Ok(fs
                .list(at.as_bstr())
                .into_iter()
                .filter_map(|name| {
                    let at = if at.is_empty() { name.clone() } else { path::join(at, &name) };
                    let kind = fs.get(at.as_bstr())?.content.kind();
                    Some(DirEntry { name, kind, ino: 0 })
                })
                .collect()),
            _ => Err(Errno::EIO),
        }
    }

    /// The text of a symbolic link.
    ///
    /// # Errors
    /// `EINVAL` for another kind of file.
    pub fn readlink(&self, who: &Caller, path: &[u8]) -> Result<BString, Errno> {
        match self.find(who, path, false)?.content()? {
            Content::Symlink(target) => Ok(target),
            _ => Err(Errno::EINVAL),
        }
    }

    /// Makes a file of any kind; permission bits are cut by the caller's umask (not those of symbolic links).
    ///
    /// # Errors
    /// `EEXIST`, `EACCES`, `EROFS`, `ENOSPC`, `EPERM` for a device and those of a walk.
    pub fn create(&self, who: &Caller, path: &[u8], mode: u32, content: Content) -> Result<Place, Errno> {
        match &content {
            Content::Symlink(target) if target.is_empty() => return Err(Errno::ENOENT),
            Content::Symlink(target) if target.len() > path::PATH_MAX => return Err(Errno::ENAMETOOLONG),
            _ => {}
        }
        let kind = content.kind();
        let (dir, name) = self.new_name(who, path, kind)?;
        Self::may_change(who, &dir)?;
        // A device 0/0 would be a whiteout, which overlayfs lets nobody make.
        if content
            .device()
            .is_some_and(|device| !who.cred.is_capable(CAP_MKNOD) || device == (0, 0) && kind == Kind::CharDevice)
        {
            return Err(Errno::EPERM);
        }
        let (_, dir_meta) = dir.meta()?;
        let mut mode = match kind {
            Kind::Symlink => 0o777,
            Kind::Dir => mode & !who.umask & 0o1777,
            _ => mode & !who.umask,
        };
        let mut gid = who.cred.gid;
        if dir_meta.mode & 0o2000 != 0 {
            gid = dir_meta.gid;
            if kind == Kind::Dir {
                mode |= 0o2000;
            } else if mode & 0o2010 == 0o2010 && !who.cred.keeps_set_gid(gid) {
                mode &= !0o2000;
            }
        }
        let meta = Meta { mode, uid: who.cred.uid, gid, mtime: who.now };
        let (fs, ino) = dir.writable()?;
        fs.borrow_mut().create(ino, name.as_bstr(), meta, content, who.now)?;
        self.child(&dir, name.as_bstr())
    }

    /// Opens a file: finds or makes it, checks permissions, copies it up when it is to be written. Dangling links are
    /// followed.
    ///
    /// # Errors
    /// As [`Self::create`] and [`Self::find`]; `EEXIST` when `exclusive` and there; `EISDIR`.
    pub fn open(&self, who: &Caller, path: &[u8], how: How) -> Result<Place, Errno> {
        let create = how.create.is_some();
        let (place, found_in) = match (self.walk(who, path, !(create && how.exclusive), create)?, how.create) {
            (Walked::Found(..), Some(_)) if how.exclusive => return Err(Errno::EEXIST),
            (Walked::Found(place, dir), _) => (place, dir),
            (Walked::Missing { dir, name }, Some(mode)) => {
                return self.create(who, &path::join(&dir.path, &name), mode, Content::File(Rope::new()));
            }
            (Walked::Missing { .. }, None) => return Err(Errno::ENOENT),
        };
        let (kind, meta) = place.meta()?;
        let writes = how.wanted & 2 != 0;
        if kind == Kind::Dir && (writes || create) {
            return Err(Errno::EISDIR);
        }
        if create
            && let Some(dir) = found_in
            && self.protections.is_bait(who, &dir.meta()?.1, kind, &meta)
        {
            return Err(Errno::EACCES);
        }
        if !who.cred.allows(kind, &meta, how.wanted) {
            return Err(Errno::EACCES);
        }
        if writes && kind == Kind::File {
            if place.read_only {
                return Err(Errno::EROFS);
            }
            if let Ok((fs, ino)) = place.writable() {
                fs.borrow_mut().copy_up(ino)?;
                if how.truncate {
                    place.truncate(who, 0)?;
                }
            }
        }
        Ok(place)
    }

    /// Cuts or extends the file at `path`.
    ///
    /// # Errors
    /// `EISDIR`, `EINVAL` for what has no bytes, `EROFS`, `EACCES`, `ENOSPC` and those of a walk.
    pub fn truncate(&self, who: &Caller, path: &[u8], len: u64) -> Result<(), Errno> {
        let place = self.find(who, path, true)?;
        let (kind, meta) = place.meta()?;
        match kind {
            Kind::Dir => Err(Errno::EISDIR),
            Kind::File if place.read_only => Err(Errno::EROFS),
            Kind::File if !who.cred.allows(kind, &meta, 2) => Err(Errno::EACCES),
            Kind::File => place.truncate(who, len),
            _ => Err(Errno::EINVAL),
        }
    }

    /// Makes a hard link. Others than the owner need a file that they could as well copy and change
    /// ([`Protections::hardlinks`]).
    ///
    /// # Errors
    /// `EPERM` for a directory, `EXDEV` across file systems, `EEXIST`.
    pub fn link(&self, who: &Caller, target: &[u8], path: &[u8]) -> Result<(), Errno> {
        let target = self.find(who, target, false)?;
        let (kind, meta) = target.meta()?;
        let (dir, name) = self.new_name(who, path, Kind::File)?;
        if !target.backing.is(&dir.backing) || target.mount != dir.mount {
            return Err(Errno::EXDEV);
        }
        let risky = kind != Kind::File || meta.mode & 0o4000 != 0 || meta.mode & 0o2010 == 0o2010;
        let protected = self.protections.hardlinks != 0;
        if protected && !who.cred.acts_as(meta.uid) && (risky || !who.cred.allows(kind, &meta, 6)) {
            return Err(Errno::EPERM);
        }
        Self::may_change(who, &dir)?;
        let ((fs, to), (_, ino)) = (dir.writable()?, target.writable()?);
        fs.borrow_mut().link(to, name.as_bstr(), ino, who.now)
    }

    /// Removes a file that is no directory.
    ///
    /// # Errors
    /// `EISDIR`, `EACCES`, `EPERM` (sticky directory), `EBUSY` (mount point), `EROFS`.
    pub fn unlink(&self, who: &Caller, path: &[u8]) -> Result<(), Errno> {
        let (dir, name) = self.last(who, path, [Errno::EISDIR; 3])?;
        if dir.read_only {
            return Err(Errno::EROFS);
        }
        let found = self.child(&dir, name.as_bstr())?;
        if path.ends_with(b"/") {
            return Err(if found.meta()?.0 == Kind::Dir { Errno::EISDIR } else { Errno::ENOTDIR });
        }
        Self::may_remove(who, &dir, &found, false)?;
        let (fs, ino) = dir.writable()?;
        fs.borrow_mut().unlink(ino, name.as_bstr(), who.now)
    }

    /// Removes an empty directory.
    ///
    /// # Errors
    /// `ENOTEMPTY`, `ENOTDIR` and as [`Self::unlink`].
    pub fn rmdir(&self, who: &Caller, path: &[u8]) -> Result<(), Errno> {
        let (dir, name) = self.last(who, path, [Errno::EINVAL, Errno::ENOTEMPTY, Errno::EBUSY])?;
        if dir.read_only {
            return Err(Errno::EROFS);
        }
        let found = self.child(&dir, name.as_bstr())?;
        Self::may_remove(who, &dir, &found, true)?;
        let (fs, ino) = dir.writable()?;
        fs.borrow_mut().rmdir(ino, name.as_bstr(), who.now)
    }

    /// Renames.
    ///
    /// # Errors
    /// `EXDEV` across file systems and for directories of lower layers; as [`Overlay::rename`] and [`Self::unlink`].
    pub fn rename(&self, who: &Caller, from: &[u8], to: &[u8]) -> Result<(), Errno> {
        // Both directories are looked for before the names are looked at.
        let ends = (self.last(who, from, [Errno::EBUSY; 3]), self.last(who, to, [Errno::EBUSY; 3]));
        let ((dir, name), (new_dir, new_name)) = match ends {
            (Ok(from), Ok(to)) => (from, to),
            (Err(Errno::EBUSY), Err(error)) | (Err(error), _) | (_, Err(error)) => return Err(error),
        };
        if !dir.backing.is(&new_dir.backing) || dir.mount != new_dir.mount {
            return Err(Errno::EXDEV);
        }
        if dir.read_only {
            return Err(Errno::EROFS);
        }
        let old = self.child(&dir, name.as_bstr())?;
        let new = match self.child(&new_dir, new_name.as_bstr()) {
            Ok(new) => Some(new),
            Err(Errno::ENOENT) => None,
            Err(error) => return Err(error),
        };
        let (kind, meta) = old.meta()?;
        let is_dir = kind == Kind::Dir;
        if !is_dir && (from.ends_with(b"/") || to.ends_with(b"/")) {
            return Err(Errno::ENOTDIR);
        }
        let holds = |outer: &Place, inner: &Place| {
            inner.path.strip_prefix(outer.path.as_bytes()).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
        };
        if is_dir && holds(&old, &new_dir) {
            return Err(Errno::EINVAL);
        }
        if let Some(new) = &new {
            if new.node == old.node && new.mount == old.mount {
                return Ok(());
            }
            if holds(new, &dir) {
                return Err(Errno::ENOTEMPTY);
            }
        }
        Self::may_remove(who, &dir, &old, is_dir)?;
        match &new {
            Some(new) => Self::may_remove(who, &new_dir, new, is_dir)?,
            None => Self::may_change(who, &new_dir)?,
        }
        // Its entry `..` changes.
        if is_dir && dir.node != new_dir.node && !who.cred.allows(kind, &meta, 2) {
            return Err(Errno::EACCES);
        }
        let ((fs, ino), (_, new_ino)) = (dir.writable()?, new_dir.writable()?);
        fs.borrow_mut().rename(ino, name.as_bstr(), new_ino, new_name.as_bstr(), who.now)
    }

    /// Changes permission bits. Only the owner and root may.
    ///
    /// # Errors
    /// `EPERM`, `EROFS` and those of a walk.
    pub fn chmod(&self, who: &Caller, path: &[u8], mode: u32) -> Result<(), Errno> {
        let place = self.find(who, path, true)?;
        let (_, meta) = place.meta()?;
        let (fs, ino) = place.writable()?;
        if !who.cred.acts_as(meta.uid) {
            return Err(Errno::EPERM);
        }
        let mode = mode & if who.cred.keeps_set_gid(meta.gid) { 0o7777 } else { 0o5777 };
        fs.borrow_mut().set_meta(ino, who.now, |meta| meta.mode = mode)
    }

    /// Changes owner or group. Only root may give files away; an owner may choose among own groups.
    ///
    /// # Errors
    /// `EPERM`, `EROFS` and those of a walk.
    pub fn chown(
        &self,
        who: &Caller,
        path: &[u8],
        uid: Option<u32>,
        gid: Option<u32>,
        follow: bool,
    ) -> Result<(), Errno> {
        let place = self.find(who, path, follow)?;
        let (kind, meta) = place.meta()?;
        let (fs, ino) = place.writable()?;
        let mode = if kind == Kind::Dir { meta.mode } else { who.cred.without_set_ids(&meta) };
        if !who.cred.is_capable(CAP_CHOWN) {
            let owns = who.cred.uid == meta.uid;
            let keeps_owner = uid.is_none_or(|uid| owns && uid == meta.uid);
            let own_group = gid.is_none_or(|gid| owns && (gid == meta.gid || who.cred.in_group(gid)));
            if !(keeps_owner && own_group && (owns || mode == meta.mode)) {
                return Err(Errno::EPERM);
            }
        }
        if kind == Kind::File {
            fs.borrow_mut().drop_capabilities(ino, who.now);
        }
        fs.borrow_mut().set_meta(ino, who.now, |meta| {
            meta.uid = uid.unwrap_or(meta.uid);
            meta.gid = gid.unwrap_or(meta.gid);
            meta.mode = mode;
        })
    }

    /// The extended attributes that the caller may know of. `trusted.` ones are for root.
    ///
    /// # Errors
    /// `EOPNOTSUPP` and those of a walk.
    pub fn xattrs(&self, who: &Caller, path: &[u8], follow: bool) -> Result<Xattrs, Errno> {
        let place = self.find(who, path, follow)?;
        let (kind, meta) = place.meta()?;
        let mut xattrs = place.xattrs()?;
        let hidden: Vec<BString> = xattrs
            .iter()
            .filter(|(name, _)| {
                (name.starts_with(b"trusted.") && !who.cred.is_capable(CAP_SYS_ADMIN))
                    || (name.starts_with(b"user.") && !who.cred.allows(kind, &meta, 4))
            })
            .map(|(name, _)| name.to_owned())
            .collect();
        for name in hidden {
            xattrs.set(&name, None);
        }
        Ok(xattrs)
    }

    /// Sets an extended attribute, or removes it. The rules are those of `xattr(7)`.
    ///
    /// # Errors
    /// `EOPNOTSUPP` for a name of no known class, `ERANGE` for a name of more than 255 bytes, `E2BIG` for a value of more
    /// than 65536, `EINVAL` for capabilities that are none, `EPERM`, `EACCES`, `ENODATA`, `EROFS`, `ENOSPC` and those of a walk.
    pub fn set_xattr(
        &self,
        who: &Caller,
        path: &[u8],
        name: &[u8],
        value: Option<&[u8]>,
        follow: bool,
    ) -> Result<(), Errno> {
        let place = self.find(who, path, follow)?;
        let (kind, meta) = place.meta()?;
        if name.is_empty() || name.len() > path::NAME_MAX {
            return Err(Errno::ERANGE);
        }
        if value.is_some_and(|value| value.len() > XATTR_SIZE_MAX) {
            return Err(Errno::E2BIG);
        }
        let (fs, ino) = match place.writable() {
            Err(Errno::EPERM) => return Err(Errno::EOPNOTSUPP),
            writable => writable?,
        };
        if name.starts_with(b"user.") {
            let sticky = kind == Kind::Dir && meta.mode & 0o1000 != 0 && !who.cred.acts_as(meta.uid);
            if !matches!(kind, Kind::File | Kind::Dir) || sticky {
                return Err(Errno::EPERM);
            }
            if !who.cred.allows(kind, &meta, 2) {
                return Err(Errno::EACCES);
            }
        } else if name == CAPABILITY {
            if value.is_some_and(|value| FileCapabilities::read(value).is_none()) {
                return Err(Errno::EINVAL);
            }
            if !who.cred.is_capable(CAP_SETFCAP) {
                return Err(Errno::EPERM);
            }
        } else if name.starts_with(b"trusted.") || name.starts_with(b"security.") {
            if !who.cred.is_capable(CAP_SYS_ADMIN) {
                return Err(Errno::EPERM);
            }
        } else {
            return Err(Errno::EOPNOTSUPP);
        }
        fs.borrow_mut().set_xattr(ino, name, value, who.now)
    }

    /// Sets the time of the last change.
    ///
    /// # Errors
    /// `EPERM` or `EACCES` for others than the owner, `EROFS` and those of a walk.
    pub fn set_mtime(&self, who: &Caller, path: &[u8], mtime: Timestamp, follow: bool) -> Result<(), Errno> {
        let place = self.find(who, path, follow)?;
        let (kind, meta) = place.meta()?;
        let (fs, ino) = place.writable()?;
        if !(who.cred.acts_as(meta.uid) || mtime == who.now && who.cred.allows(kind, &meta, 2)) {
            return Err(if mtime == who.now { Errno::EACCES } else { Errno::EPERM });
        }
        fs.borrow_mut().set_meta(ino, who.now, |meta| meta.mtime = mtime)
    }

    /// `access`: whether the caller may read (4), write (2), execute (1).
    ///
    /// # Errors
    /// `EACCES`, `EROFS` and those of a walk.
    pub fn access(&self, who: &Caller, path: &[u8], wanted: u32) -> Result<(), Errno> {
        let place = self.find(who, path, true)?;
        let (kind, meta) = place.meta()?;
        if wanted & 2 != 0 && place.read_only {
            return Err(Errno::EROFS);
        }
        if who.cred.allows(kind, &meta, wanted) { Ok(()) } else { Err(Errno::EACCES) }
    }
}

impl Caller {
    /// Root at the root, in 1970: for mounting and set-up.
    pub fn root() -> Self {
        Self { cred: Cred::ROOT, cwd: "/".into(), umask: 0, now: Timestamp(0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::fs::tree::Tree;

    fn table() -> Mounts {
        let overlay = Rc::new(RefCell::new(Overlay::new(1, Tree::empty(), 1 << 20)));
        Mounts::new(Mount::overlay("/", "overlay", "overlay", &overlay))
    }

    fn student() -> Caller {
        Caller { cred: Cred::user(1000, 1000, vec![]), ..Caller::root() }
    }

    const DIR: Content = Content::Dir { opaque: false };

    #[test]
    fn links_are_followed_and_loops_refused() {
        let (m, root) = (table(), Caller::root());
        m.create(&root, b"/a", 0o755, DIR).unwrap();
        m.create(&root, b"/a/f", 0o644, Content::File("x".into())).unwrap();
        m.create(&root, b"/l", 0, Content::Symlink("a".into())).unwrap();
        m.create(&root, b"/loop", 0, Content::Symlink("loop".into())).unwrap();
        assert_eq!(m.find(&root, b"/l/../l/f", true).unwrap().path, "/a/f");
        assert_eq!(m.stat(&root, b"/l", false).unwrap().kind, Kind::Symlink);
        assert_eq!(m.stat(&root, b"/l/", false).unwrap().kind, Kind::Dir);
        assert_eq!(m.stat(&root, b"/loop", true), Err(Errno::ELOOP));
        assert_eq!(m.stat(&root, b"/a/f/x", true), Err(Errno::ENOTDIR));
        assert_eq!(m.stat(&root, b"/a/f/", true), Err(Errno::ENOTDIR));
        assert_eq!(m.stat(&root, b"", true), Err(Errno::ENOENT));
        assert_eq!(m.stat(&root, &[b'x'; 300], true), Err(Errno::ENAMETOOLONG));
    }

    #[test]
    fn permissions_bind_all_but_root() {
        let (m, root, student) = (table(), Caller::root(), student());
        m.create(&root, b"/closed", 0o700, DIR).unwrap();
        m.create(&root, b"/closed/f", 0o644, Content::File("x".into())).unwrap();
        m.create(&root, b"/tmp", 0o1777, DIR).unwrap();
        m.create(&root, b"/tmp/roots", 0o666, Content::File("x".into())).unwrap();
        assert_eq!(m.stat(&student, b"/closed/f", true), Err(Errno::EACCES));
        assert_eq!(m.create(&student, b"/x", 0o644, DIR).err(), Some(Errno::EACCES));
        assert_eq!(m.unlink(&student, b"/tmp/roots"), Err(Errno::EPERM));
        assert_eq!(m.chmod(&student, b"/tmp/roots", 0o777), Err(Errno::EPERM));
        assert!(m.create(&student, b"/tmp/own", 0o644, DIR).is_ok());
    }

    /// `proc_sys_fs(5)`, setting by setting; the kernel itself is asked by `tests/overlay_oracle.rs`.
    #[test]
    fn what_others_put_into_shared_directories_is_refused_as_far_as_the_settings_say() {
        let (mut m, root, student) = (table(), Caller::root(), student());
        let open = How { wanted: 2, create: Some(0o644), ..How::default() };
        m.create(&root, b"/tmp", 0o777, DIR).unwrap();
        m.create(&student, b"/tmp/f", 0o644, Content::File("x".into())).unwrap();
        m.create(&student, b"/tmp/p", 0o666, Content::Fifo).unwrap();
        m.create(&student, b"/tmp/l", 0, Content::Symlink("f".into())).unwrap();
        let mut said = |mode: u32, [fifos, regular, symlinks]: [u8; 3]| {
            m.protections = Protections { fifos, regular, symlinks, ..Protections::default() };
            m.chmod(&root, b"/tmp", mode).unwrap();
            let opened = |path: &[u8]| m.open(&root, path, open).is_ok();
            [opened(b"/tmp/p"), opened(b"/tmp/f"), m.stat(&root, b"/tmp/l", true).is_ok()]
        };
        assert_eq!(said(0o777, [2, 2, 1]), [true; 3]);
        assert_eq!(said(0o1755, [2, 2, 1]), [true; 3]);
        assert_eq!(said(0o1777, [0, 0, 0]), [true; 3]);
        assert_eq!(said(0o1777, [1, 2, 1]), [false; 3]);
        assert_eq!(said(0o1777, [1, 0, 0]), [false, true, true]);
        assert_eq!(said(0o1775, [1, 2, 1]), [true, false, true]);
        assert_eq!(said(0o1775, [2, 1, 1]), [false, true, true]);
        // One's own, and what is only read, is nobody's bait.
        m.protections = Protections::default();
        m.chmod(&root, b"/tmp", 0o1777).unwrap();
        assert!(m.open(&student, b"/tmp/l", open).is_ok());
        assert!(m.open(&root, b"/tmp/f", How { wanted: 6, ..How::default() }).is_ok());
    }

    #[test]
    fn binds_share_files_and_read_only_ones_refuse_changes() {
        let (mut m, root) = (table(), Caller::root());
        for dir in ["/src", "/dst", "/ro"] {
            m.create(&root, dir.as_bytes(), 0o755, DIR).unwrap();
        }
        let from = m.find(&root, b"/src", true).unwrap();
        m.bind(&from, b"/dst", false, "/dev/vda1").unwrap();
        m.bind(&from, b"/ro", true, "/dev/vda1").unwrap();
        m.create(&root, b"/dst/f", 0o644, Content::File("x".into())).unwrap();
        assert!(m.stat(&root, b"/src/f", true).is_ok());
        assert_eq!(m.unlink(&root, b"/ro/f"), Err(Errno::EROFS));
        assert_eq!(m.rmdir(&root, b"/dst"), Err(Errno::EBUSY));
        assert_eq!(m.rename(&root, b"/dst/f", b"/f"), Err(Errno::EXDEV));
        m.unmount(b"/dst").unwrap();
        assert_eq!(m.stat(&root, b"/dst/f", true), Err(Errno::ENOENT));
    }
}
