//! System calls, as methods of a process's handle. Only those that may wait are `async`.

use std::future::poll_fn;
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use bstr::{BStr, BString, ByteSlice};

use super::exec::{self, Flavour, Format};
use super::file::{Descriptor, Fd, Object, Open, OpenFile};
use super::net::{Incoming, Listener, NetId, Route};
use super::pipe::{Got, Pipe};
use super::process::{Handle, Life, Proc, ProcessInfo, Status, env_value};
use super::pts::PTS_MAJOR;
use super::signal::{Disposition, Signal};
use super::tty::{Termios, Tty, TtyId, WinSize};
use super::wait::Waiters;
use super::{Gpid, Kernel, State, Task, yield_now};
use crate::base::errno::Errno;
use crate::base::path;
use crate::base::rope::Rope;
use crate::base::time::Timestamp;
use crate::os::fs::capability::{
    CAP_KILL, CAP_MKNOD, CAP_NET_BIND_SERVICE, CAP_SETGID, CAP_SETUID, CAP_SYS_ADMIN, NO_NEW_PRIVILEGES,
};
use crate::os::fs::mounts::{Caller, Cred, Gained, How, Mounts, Node};
use crate::os::fs::node::{Content, Kind, Stat, Xattrs};
use crate::os::fs::overlay::DirEntry;

/// Most descriptors a process may have (`ulimit -n`).
const MAX_FILES: i32 = 1024;
/// Bytes that a terminal outside of the machine takes in a tick of work.
const CONSOLE_BYTES_PER_TICK: u64 = 16;
/// Bytes written to such a terminal before others get their turn.
const CONSOLE_SLICE: u64 = 4096;
/// Interpreters of scripts that are scripts themselves.
const MAX_INTERPRETERS: usize = 4;

/// What [`Proc::wait`] learns of a child.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Waited {
    /// It ended and is gone.
    Ended(u32, Status),
    /// It was stopped by a signal.
    Stopped(u32, Signal),
}

/// A connection's address for [`Proc::connect`].
pub type Address = (Ipv4Addr, u16);

impl Proc {
    pub(super) fn with<T>(&self, with: impl FnOnce(&mut super::process::Process) -> T) -> Option<T> {
        self.kernel.state.borrow_mut().processes.get_mut(&self.gpid).map(with)
    }

    /// The kernel.
    pub const fn kernel(&self) -> &Kernel {
        &self.kernel
    }

    /// The machine-wide number.
    pub const fn gpid(&self) -> Gpid {
        self.gpid
    }

    // ---- identity ----

    /// The process's number in its namespace.
    pub fn pid(&self) -> u32 {
        self.with(|p| p.pid).unwrap_or(0)
    }

    /// The parent's number in this namespace; 0 when the parent is outside.
    pub fn ppid(&self) -> u32 {
        let state = self.kernel.state.borrow();
        let Some(own) = state.processes.get(&self.gpid) else { return 0 };
        state.processes.get(&own.parent).filter(|p| p.namespace == own.namespace).map_or(0, |p| p.pid)
    }

    /// The arguments, the name first.
    pub fn args(&self) -> Vec<BString> {
        self.with(|p| p.args.clone()).unwrap_or_default()
    }

    /// What completes the arguments of a program.
    pub fn completer(&self, name: &BStr) -> Option<super::exec::Complete> {
        self.kernel.completer(name)
    }

    /// Replaces the arguments, for programs that are several programs (busybox).
    pub fn set_args(&self, args: Vec<BString>) {
        self.with(|p| p.args = args);
    }

    /// The environment, as `NAME=value`.
    pub fn env(&self) -> Vec<BString> {
        self.with(|p| p.env.clone()).unwrap_or_default()
    }

    /// The value of an environment variable.
    pub fn getenv(&self, name: &str) -> Option<BString> {
        self.with(|p| env_value(&p.env, name).map(BStr::to_owned)).flatten()
    }

    /// Replaces the environment that `exec` callers inherit.
    pub fn set_env(&self, env: Vec<BString>) {
        self.with(|p| p.env = env);
    }

    /// User and groups.
    pub fn cred(&self) -> Cred {
        self.with(|p| p.cred.clone()).unwrap_or_default()
    }

    /// Becomes another user.
    ///
    /// # Errors
    /// `EPERM` for anyone but root.
    pub fn set_cred(&self, cred: Cred) -> Result<(), Errno> {
        let own = self.cred();
        let free = |capability, same| same || own.is_capable(capability);
        if !free(CAP_SETUID, own.uid == cred.uid) || !free(CAP_SETGID, own.uid != 0 || own.gid == cred.gid) {
            return Err(Errno::EPERM);
        }
        // What is dropped stays so.
        // What a file gave stays among users other than root.
        let gained = if own.uid != 0 && cred.uid != 0 { own.gained } else { cred.gained };
        self.with(|p| {
            p.real_uid = cred.uid;
            p.cred = Cred { dropped: own.dropped | cred.dropped, gained, ..cred };
        });
        Ok(())
    }

    /// Whose wording this program uses.
    pub fn flavour(&self) -> Flavour {
        self.with(|p| p.flavour).unwrap_or_default()
    }

    /// The working directory.
    pub fn cwd(&self) -> BString {
        self.with(|p| p.cwd.clone()).unwrap_or_default()
    }

    /// Changes the working directory.
    ///
    /// # Errors
    /// `ENOTDIR`, `EACCES` and those of a walk.
    pub fn chdir(&self, path: &[u8]) -> Result<(), Errno> {
        let who = self.caller();
        let place = self.mounts(|m| m.find(&who, path, true))?;
        let (kind, meta) = place.meta()?;
        if kind != Kind::Dir {
            return Err(Errno::ENOTDIR);
        }
        if !who.cred.allows(kind, &meta, 1) {
            return Err(Errno::EACCES);
        }
        self.with(|p| p.cwd = place.path.clone());
        Ok(())
    }

    /// The umask.
    pub fn umask(&self) -> u32 {
        self.with(|p| p.umask).unwrap_or(0)
    }

    /// Sets the umask.
    pub fn set_umask(&self, umask: u32) {
        self.with(|p| p.umask = umask & 0o777);
    }

    /// The host name.
    pub fn hostname(&self) -> String {
        self.with(|p| p.hostname.borrow().clone()).unwrap_or_default()
    }

    /// Sets the host name for all who share it.
    ///
    /// # Errors
    /// `EPERM` without `CAP_SYS_ADMIN`, which root in a container lacks.
    pub fn set_hostname(&self, name: &str) -> Result<(), Errno> {
        if !self.cred().is_capable(CAP_SYS_ADMIN) {
            return Err(Errno::EPERM);
        }
        self.with(|p| name.clone_into(&mut p.hostname.borrow_mut()));
        Ok(())
    }

    /// The network namespace.
    pub fn net(&self) -> NetId {
        self.with(|p| p.net).unwrap_or_default()
    }

    /// The accounting group: a container's id, empty on the host.
    pub fn cgroup(&self) -> String {
        self.with(|p| p.cgroup.clone()).unwrap_or_default()
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        self.kernel.now()
    }

    /// The processes this one can see.
    pub fn processes(&self) -> Vec<ProcessInfo> {
        self.kernel.processes(self.with(|p| p.namespace))
    }

    // ---- files by path ----

    /// Who asks, for file operations.
    pub fn caller(&self) -> Caller {
        let now = self.now();
        self.with(|p| Caller { cred: p.cred.clone(), cwd: p.cwd.clone(), umask: p.umask, now })
            .unwrap_or_else(Caller::root)
    }

    /// The mount table, for path operations: `proc.mounts(|m| m.stat(&proc.caller(), path, true))`.
    pub fn mounts<T>(&self, with: impl FnOnce(&Mounts) -> Result<T, Errno>) -> Result<T, Errno> {
        let mounts = self.with(|p| Rc::clone(&p.mounts)).ok_or(Errno::ESRCH)?;
        let mounts = mounts.borrow();
        with(&mounts)
    }

    /// The mount table itself, to be changed (mount, bind).
    pub fn mounts_handle(&self) -> Option<Rc<std::cell::RefCell<Mounts>>> {
        self.with(|p| Rc::clone(&p.mounts))
    }

    /// `stat`. Errors are those of a walk, here and in all that take a path.
    ///
    /// # Errors
    /// `ENOENT`, `ENOTDIR`, `EACCES`, `ELOOP`, `ENAMETOOLONG`.
    pub fn stat(&self, path: &[u8]) -> Result<Stat, Errno> {
        self.mounts(|m| m.stat(&self.caller(), path, true))
    }

    /// `lstat`: a symbolic link itself.
    ///
    /// # Errors
    /// As [`Self::stat`].
    pub fn lstat(&self, path: &[u8]) -> Result<Stat, Errno> {
        self.mounts(|m| m.stat(&self.caller(), path, false))
    }

    /// Sorted names, without `.` and `..`.
    ///
    /// # Errors
    /// As [`Self::stat`].
    pub fn readdir(&self, path: &[u8]) -> Result<Vec<DirEntry>, Errno> {
        self.mounts(|m| m.readdir(&self.caller(), path))
    }

    /// The text of a symbolic link.
    ///
    /// # Errors
    /// `EINVAL` for another kind of file.
    pub fn readlink(&self, path: &[u8]) -> Result<BString, Errno> {
        self.mounts(|m| m.readlink(&self.caller(), path))
    }

    /// The absolute path with all links resolved.
    ///
    /// # Errors
    /// As [`Self::stat`].
    pub fn realpath(&self, path: &[u8]) -> Result<BString, Errno> {
        self.mounts(|m| Ok(m.find(&self.caller(), path, true)?.path))
    }

    /// Makes a directory.
    ///
    /// # Errors
    /// `EEXIST`, `EACCES`, `EROFS`.
    pub fn mkdir(&self, path: &[u8], mode: u32) -> Result<(), Errno> {
        self.mknod(path, mode, Content::Dir { opaque: false })
    }

    /// Makes a file of any kind.
    ///
    /// # Errors
    /// `EEXIST`, `EACCES`, `EROFS`; `EPERM` for devices without `CAP_MKNOD`.
    pub fn mknod(&self, path: &[u8], mode: u32, content: Content) -> Result<(), Errno> {
        if content.device().is_some() && !self.cred().is_capable(CAP_MKNOD) {
            return Err(Errno::EPERM);
        }
        self.mounts(|m| m.create(&self.caller(), path, mode, content).map(drop))
    }

    /// Makes a symbolic link.
    ///
    /// # Errors
    /// `EEXIST`, `EACCES`, `EROFS`.
    pub fn symlink(&self, target: &[u8], path: &[u8]) -> Result<(), Errno> {
        self.mknod(path, 0o777, Content::Symlink(target.into()))
    }

    /// Makes a hard link.
    ///
    /// # Errors
    /// `EXDEV`, `EPERM`, `EEXIST`.
    pub fn link(&self, target: &[u8], path: &[u8]) -> Result<(), Errno> {
        self.mounts(|m| m.link(&self.caller(), target, path))
    }

    /// Removes a file.
    ///
    /// # Errors
    /// `EISDIR`, `EACCES`, `EPERM`, `EBUSY`, `EROFS`.
    pub fn unlink(&self, path: &[u8]) -> Result<(), Errno> {
        self.mounts(|m| m.unlink(&self.caller(), path))
    }

    /// Removes an empty directory.
    ///
    /// # Errors
    /// `ENOTEMPTY`, `ENOTDIR` and as [`Self::unlink`].
    pub fn rmdir(&self, path: &[u8]) -> Result<(), Errno> {
        self.mounts(|m| m.rmdir(&self.caller(), path))
    }

    /// Renames.
    ///
    /// # Errors
    /// `EXDEV` and as [`Self::unlink`].
    pub fn rename(&self, from: &[u8], to: &[u8]) -> Result<(), Errno> {
        self.mounts(|m| m.rename(&self.caller(), from, to))
    }

    /// Changes permission bits.
    ///
    /// # Errors
    /// `EPERM`, `EROFS`.
    pub fn chmod(&self, path: &[u8], mode: u32) -> Result<(), Errno> {
        self.mounts(|m| m.chmod(&self.caller(), path, mode))
    }

    /// Changes owner or group.
    ///
    /// # Errors
    /// `EPERM`, `EROFS`.
    pub fn chown(&self, path: &[u8], uid: Option<u32>, gid: Option<u32>, follow: bool) -> Result<(), Errno> {
        self.mounts(|m| m.chown(&self.caller(), path, uid, gid, follow))
    }

    /// Sets the time of the last change.
    ///
    /// # Errors
    /// `EPERM`, `EACCES`, `EROFS`.
    pub fn set_mtime(&self, path: &[u8], mtime: Timestamp, follow: bool) -> Result<(), Errno> {
        self.mounts(|m| m.set_mtime(&self.caller(), path, mtime, follow))
    }

    /// A file's extended attributes.
    ///
    /// # Errors
    /// `EOPNOTSUPP` and those of a walk.
    pub fn xattrs(&self, path: &[u8], follow: bool) -> Result<Xattrs, Errno> {
        self.mounts(|m| m.xattrs(&self.caller(), path, follow))
    }

    /// Sets an extended attribute of a file, or removes it.
    ///
    /// # Errors
    /// As [`crate::os::fs::mounts::Mounts::set_xattr`].
    pub fn set_xattr(&self, path: &[u8], name: &[u8], value: Option<&[u8]>, follow: bool) -> Result<(), Errno> {
        self.mounts(|m| m.set_xattr(&self.caller(), path, name, value, follow))
    }

    /// Whether this process may read (4), write (2), execute (1).
    ///
    /// # Errors
    /// `EACCES`, `EROFS`.
    pub fn access(&self, path: &[u8], wanted: u32) -> Result<(), Errno> {
        self.mounts(|m| m.access(&self.caller(), path, wanted))
    }

    /// Cuts or extends a file.
    ///
    /// # Errors
    /// `EISDIR`, `EACCES`, `EROFS`, `ENOSPC`.
    pub fn truncate(&self, path: &[u8], len: u64) -> Result<(), Errno> {
        let who = self.caller();
        self.mounts(|m| m.truncate(&who, path, len))
    }

    /// The whole content of a regular file (or of what a device gives until it ends).
    ///
    /// # Errors
    /// `EISDIR`, `EACCES` and those of a walk.
    pub async fn read_file(&self, path: &[u8]) -> Result<Rope, Errno> {
        let fd = self.open(path, Open::READ)?;
        let content = self.read_all(fd).await;
        self.close(fd)?;
        content
    }

    /// Replaces a file's content, making it when missing.
    ///
    /// # Errors
    /// As [`Self::open`] and [`Self::write`].
    pub async fn write_file(&self, path: &[u8], content: &Rope) -> Result<(), Errno> {
        let fd = self.open(path, Open::WRITE)?;
        let written = self.write_rope(fd, content).await;
        self.close(fd)?;
        written
    }

    // ---- descriptors ----

    /// Opens a file and returns the lowest free descriptor.
    ///
    /// # Errors
    /// `EACCES`, `EISDIR`, `EEXIST`, `EROFS`, `EMFILE`, `ENXIO` and those of a walk.
    pub fn open(&self, path: &[u8], open: Open) -> Result<Fd, Errno> {
        let who = self.caller();
        if let Some(file) = self.descriptor_at(&who, path) {
            return self.install(file, 0);
        }
        let how = How {
            wanted: u32::from(open.read) * 4 + u32::from(open.write) * 2,
            create: open.create,
            exclusive: open.exclusive,
            truncate: open.truncate,
        };
        let place = self.mounts(|m| m.open(&who, path, how))?;
        let file = match place.content()? {
            Content::CharDevice(major, minor) => self.open_device(major, minor, open)?,
            Content::BlockDevice(..) => return Err(Errno::ENXIO),
            Content::Fifo => {
                let key = match &place.node {
                    Node::Ino(_) => (place.stat()?.dev, place.stat()?.ino),
                    Node::Path(_) => return Err(Errno::ENXIO),
                };
                let queue = &self.kernel.queue;
                let mut state = self.kernel.state.borrow_mut();
                let pipe = Rc::clone(state.fifos.entry(key).or_insert_with(|| Pipe::new(queue)));
                OpenFile::new(if open.write { Object::PipeWrite(pipe) } else { Object::PipeRead(pipe) }, open)
            }
            _ => OpenFile::of_place(place, open)?,
        };
        self.install(file, 0)
    }

    /// What a path such as `/dev/stdout`, `/proc/self/fd/1` or `/proc/1/fd/1` leads to.
    fn descriptor_at(&self, who: &Caller, path: &[u8]) -> Option<Handle> {
        let mut path = path::join(&who.cwd, path);
        for _ in 0..4 {
            let text = path.to_str().ok()?;
            if let Some(number) = text.strip_prefix("/dev/fd/").or_else(|| text.strip_prefix("/proc/self/fd/")) {
                return self.handle(number.parse().ok()?).ok();
            }
            if let Some((pid, number)) = text.strip_prefix("/proc/").and_then(|rest| rest.split_once("/fd/")) {
                let (pid, number): (u32, Fd) = (pid.parse().ok()?, number.parse().ok()?);
                let other = self
                    .processes()
                    .into_iter()
                    .find(|p| p.pid == pid && matches!(who.cred.uid, 0) | (who.cred.uid == p.uid))?;
                return Proc { kernel: self.kernel.clone(), gpid: other.gpid }.handle(number).ok();
            }
            let target = self.mounts(|m| m.readlink(who, &path)).ok()?;
            path = path::join(path::parent(&path), &target);
        }
        None
    }

    fn open_device(&self, major: u32, minor: u32, open: Open) -> Result<Handle, Errno> {
        let object = match (major, minor) {
            (1, 3) => Object::Null,
            (1, 5) => Object::Zero,
            (1, 7) => Object::Full,
            (1, 8 | 9) => Object::Random,
            (5, 0 | 1) => Object::Tty(self.with(|p| p.tty).flatten().ok_or(Errno::ENXIO)?),
            (PTS_MAJOR, number) => Object::Tty(self.terminal(number).ok_or(Errno::EIO)?),
            _ => return Err(Errno::ENXIO),
        };
        Ok(OpenFile::new(object, open))
    }

    /// Enters an open file into the descriptor table, at or above `lowest`.
    ///
    /// # Errors
    /// `EMFILE` when the table is full.
    pub fn install(&self, file: Handle, lowest: Fd) -> Result<Fd, Errno> {
        let limit = self.limits().files.and_then(|n| Fd::try_from(n).ok()).map_or(MAX_FILES, |n| n.min(MAX_FILES));
        self.with(|p| {
            let fd = (lowest.max(0)..limit).find(|fd| !p.files.contains_key(fd)).ok_or(Errno::EMFILE)?;
            p.files.insert(fd, Descriptor { file, close_on_exec: false });
            Ok(fd)
        })
        .unwrap_or(Err(Errno::ESRCH))
    }

    /// The open file behind a descriptor, to be handed to another process.
    ///
    /// # Errors
    /// `EBADF`.
    pub fn handle(&self, fd: Fd) -> Result<Handle, Errno> {
        self.with(|p| p.files.get(&fd).map(|d| Rc::clone(&d.file))).flatten().ok_or(Errno::EBADF)
    }

    /// Closes a descriptor.
    ///
    /// # Errors
    /// `EBADF`.
    pub fn close(&self, fd: Fd) -> Result<(), Errno> {
        // Dropped after the borrow has ended: closing can wake others and release files.
        let closed = self.with(|p| p.files.remove(&fd)).flatten();
        closed.map(drop).ok_or(Errno::EBADF)
    }

    /// Makes `to` stand for what `from` does.
    ///
    /// # Errors
    /// `EBADF`.
    pub fn dup2(&self, from: Fd, to: Fd) -> Result<(), Errno> {
        if !(0..MAX_FILES).contains(&to) {
            return Err(Errno::EBADF);
        }
        let file = self.handle(from)?;
        let old = self.with(|p| p.files.insert(to, Descriptor { file, close_on_exec: false }));
        drop(old);
        Ok(())
    }

    /// A further descriptor for the same open file, at or above `lowest`.
    ///
    /// # Errors
    /// `EBADF`, `EMFILE`.
    pub fn dup(&self, fd: Fd, lowest: Fd) -> Result<Fd, Errno> {
        self.install(self.handle(fd)?, lowest)
    }

    /// Whether a descriptor is closed by `exec`.
    pub fn set_close_on_exec(&self, fd: Fd, close: bool) {
        self.with(|p| {
            if let Some(descriptor) = p.files.get_mut(&fd) {
                descriptor.close_on_exec = close;
            }
        });
    }

    /// The open descriptors.
    pub fn descriptors(&self) -> Vec<Fd> {
        self.with(|p| p.files.keys().copied().collect()).unwrap_or_default()
    }

    /// A pipe: the reading and the writing end.
    ///
    /// # Errors
    /// `EMFILE`.
    pub fn pipe(&self) -> Result<(Fd, Fd), Errno> {
        let (read, write) = self.kernel.pipe();
        Ok((self.install(read, 0)?, self.install(write, 0)?))
    }

    /// `fstat`.
    ///
    /// # Errors
    /// `EBADF`.
    pub fn fstat(&self, fd: Fd) -> Result<Stat, Errno> {
        let file = self.handle(fd)?;
        if let Some(place) = file.place() {
            return place.stat();
        }
        let now = self.now();
        Ok(Stat {
            dev: 6,
            ino: 3,
            kind: file.kind(),
            meta: crate::os::fs::node::Meta::root(0o620, now),
            ctime: now,
            nlink: 1,
            size_bytes: 0,
            device: None,
        })
    }

    /// Moves a file's offset; returns the new one.
    ///
    /// # Errors
    /// `ESPIPE` for what has none.
    pub fn seek(&self, fd: Fd, offset: u64) -> Result<u64, Errno> {
        let file = self.handle(fd)?;
        match file.object {
            Object::Regular(_) | Object::Snapshot(..) => {
                file.offset.set(offset);
                Ok(offset)
            }
            _ => Err(Errno::ESPIPE),
        }
    }

    /// Reads at most `max` bytes; none at the end of the file. Bulk comes as bulk: bound `max` before looking at bytes.
    ///
    /// # Errors
    /// `EBADF`, `EISDIR`, `EINTR`, `EIO`.
    pub async fn read(&self, fd: Fd, max: u64) -> Result<Rope, Errno> {
        self.tick().await;
        let file = self.handle(fd)?;
        if !file.read {
            return Err(Errno::EBADF);
        }
        self.read_handle(&file, max).await
    }

    /// The same for an open file that is in no table.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub async fn read_handle(&self, file: &Handle, max: u64) -> Result<Rope, Errno> {
        poll_fn(|_| {
            let waiters = match &file.object {
                Object::Regular(place) => {
                    let Ok((fs, ino)) = (match (&place.backing, &place.node) {
                        (crate::os::fs::mounts::Backing::Overlay(fs), Node::Ino(ino)) => Ok((fs, *ino)),
                        _ => Err(()),
                    }) else {
                        return Poll::Ready(Err(Errno::EIO));
                    };
                    let got = fs.borrow().read(ino, file.offset.get(), max);
                    return Poll::Ready(got.inspect(|rope| {
                        file.offset.set(file.offset.get() + rope.len());
                        self.charge_io(rope.len(), 0);
                    }));
                }
                Object::Snapshot(_, rope) => {
                    let at = file.offset.get();
                    let got = rope.slice(at..at.saturating_add(max));
                    file.offset.set(at + got.len());
                    self.charge_io(got.len(), 0);
                    return Poll::Ready(Ok(got));
                }
                Object::Dir(_) => return Poll::Ready(Err(Errno::EISDIR)),
                Object::PipeRead(pipe) | Object::Socket { receive: pipe, .. } => match pipe.take(max) {
                    Got::Bytes(bytes) => {
                        self.charge_network(file, bytes.len(), 0);
                        return Poll::Ready(Ok(bytes));
                    }
                    Got::End if pipe.reset.get() => return Poll::Ready(Err(Errno::ECONNRESET)),
                    Got::End => return Poll::Ready(Ok(Rope::new())),
                    Got::Wait => &pipe.can_read,
                },
                Object::Tty(id) => return self.poll_tty_read(*id, max),
                Object::Master(id) => return self.poll_master_read(*id),
                Object::Null => return Poll::Ready(Ok(Rope::new())),
                Object::Zero | Object::Full => {
                    return Poll::Ready(Ok(vec![0; max.min(1 << 16) as usize].into()));
                }
                Object::Random => {
                    let mut bytes = vec![0; max.min(1 << 12) as usize];
                    self.kernel.rng(9).fill(&mut bytes);
                    return Poll::Ready(Ok(bytes.into()));
                }
                Object::PipeWrite(_) | Object::SyntheticWrite(_) => return Poll::Ready(Err(Errno::EBADF)),
            };
            self.wait_on(waiters)
        })
        .await
    }

    /// Registers with `waiters`, unless a handled signal is pending.
    fn wait_on<T>(&self, waiters: &Waiters) -> Poll<Result<T, Errno>> {
        if self.has_pending_signal() {
            return Poll::Ready(Err(Errno::EINTR));
        }
        waiters.add(self.kernel.current());
        Poll::Pending
    }

    fn poll_tty_read(&self, id: TtyId, max: u64) -> Poll<Result<Rope, Errno>> {
        let mut state = self.kernel.state.borrow_mut();
        let group = state.processes.get(&self.gpid).map(|p| (p.namespace, p.group, p.tty));
        let Some(tty) = state.ttys.get_mut(&id) else { return Poll::Ready(Err(Errno::EIO)) };
        let foreground = tty.foreground;
        if let Some(bytes) = tty.read(usize::try_from(max).unwrap_or(usize::MAX)) {
            return Poll::Ready(Ok(bytes.into()));
        }
        let is_foreground = group.is_none_or(|(_, group, own)| {
            own != Some(id) || state.processes.get(&foreground).is_none_or(|leader| leader.pid == group)
        });
        drop(state);
        if self.has_pending_signal() {
            return Poll::Ready(Err(Errno::EINTR));
        }
        if !is_foreground {
            // A background job that reads is stopped (or told, when it handles that).
            let _ = self.kernel.deliver(self.gpid, Signal::TTIN, false);
            if self.has_pending_signal() {
                return Poll::Ready(Err(Errno::EINTR));
            }
        }
        if let Some(tty) = self.kernel.state.borrow().ttys.get(&id) {
            tty.can_read.add(self.gpid);
        }
        Poll::Pending
    }

    fn poll_master_read(&self, id: TtyId) -> Poll<Result<Rope, Errno>> {
        let mut state = self.kernel.state.borrow_mut();
        let Some(tty) = state.ttys.get_mut(&id) else { return Poll::Ready(Ok(Rope::new())) };
        let out = tty.take_output();
        if !out.is_empty() {
            return Poll::Ready(Ok(out.into()));
        }
        if tty.hung_up {
            return Poll::Ready(Ok(Rope::new()));
        }
        tty.master.add(self.gpid);
        drop(state);
        if self.has_pending_signal() { Poll::Ready(Err(Errno::EINTR)) } else { Poll::Pending }
    }

    /// All bytes until the end.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub async fn read_all(&self, fd: Fd) -> Result<Rope, Errno> {
        let mut all = Rope::new();
        loop {
            let part = self.read(fd, 1 << 24).await?;
            if part.is_empty() {
                return Ok(all);
            }
            all.push(&part);
            // What is gathered stands in memory until the process ends.
            self.set_heap(all.len()).await;
            if all.resident_bytes() > 512 << 20 {
                return Err(Errno::ENOMEM);
            }
        }
    }

    /// Writes all bytes, waiting as long as it takes.
    ///
    /// # Errors
    /// `EPIPE` (and SIGPIPE) when nobody reads, `EBADF`, `ENOSPC`, `EINTR`.
    pub async fn write(&self, fd: Fd, bytes: &[u8]) -> Result<(), Errno> {
        self.write_rope(fd, &bytes.into()).await
    }

    /// The same for a rope: bulk stays bulk.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub async fn write_rope(&self, fd: Fd, bytes: &Rope) -> Result<(), Errno> {
        self.tick().await;
        let file = self.handle(fd)?;
        if !file.write {
            return Err(Errno::EBADF);
        }
        self.write_handle(&file, bytes).await
    }

    /// The same for an open file that is in no table.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub async fn write_handle(&self, file: &Handle, bytes: &Rope) -> Result<(), Errno> {
        let mut done = 0;
        poll_fn(|_| match &file.object {
            Object::Regular(place) => Poll::Ready(place.writable().and_then(|(fs, ino)| {
                if file.append {
                    file.offset.set(fs.borrow().content(ino)?.size_bytes());
                }
                place.write(&self.caller(), file.offset.get(), bytes)?;
                self.charge_io(0, bytes.len());
                file.offset.set(file.offset.get() + bytes.len());
                Ok(())
            })),
            Object::PipeWrite(pipe) | Object::Socket { send: pipe, .. } => {
                if pipe.readers.get() == 0 {
                    let _ = self.kernel.deliver(self.gpid, Signal::PIPE, false);
                    return Poll::Ready(Err(Errno::EPIPE));
                }
                let put = pipe.put(&bytes.slice(done..bytes.len()));
                self.charge_network(file, 0, put);
                done += put;
                if done == bytes.len() { Poll::Ready(Ok(())) } else { self.wait_on(&pipe.can_write) }
            }
            Object::Tty(id) => {
                let mut state = self.kernel.state.borrow_mut();
                let state = &mut *state;
                let Some(tty) = state.ttys.get_mut(id).filter(|tty| !tty.hung_up) else {
                    return Poll::Ready(Err(Errno::EIO));
                };
                let end = if tty.is_console { bytes.len().min(done + CONSOLE_SLICE) } else { bytes.len() };
                while done < end && !tty.is_full() {
                    let part = bytes.slice(done..end.min(done + 4096)).to_vec();
                    done += part.len() as u64;
                    if tty.is_console {
                        state.ticks += part.len() as u64 / CONSOLE_BYTES_PER_TICK;
                    }
                    tty.write(&part);
                }
                if done == bytes.len() {
                    return Poll::Ready(Ok(()));
                }
                if tty.is_console {
                    self.kernel.ready_soon(self.gpid);
                } else {
                    tty.can_write.add(self.gpid);
                }
                Poll::Pending
            }
            Object::Master(id) => {
                self.kernel.type_into(*id, &bytes.to_vec());
                Poll::Ready(Ok(()))
            }
            Object::Null | Object::Zero | Object::Random => Poll::Ready(Ok(())),
            Object::Full => Poll::Ready(Err(Errno::ENOSPC)),
            Object::SyntheticWrite(place) => Poll::Ready(match (&place.backing, &place.node) {
                (crate::os::fs::mounts::Backing::Synthetic(fs), Node::Path(path)) => fs.write(path.as_bstr(), bytes),
                _ => Err(Errno::EIO),
            }),
            Object::Snapshot(..) | Object::PipeRead(_) => Poll::Ready(Err(Errno::EBADF)),
            Object::Dir(_) => Poll::Ready(Err(Errno::EISDIR)),
        })
        .await
    }

    /// Writes to standard output; an error is the caller's to ignore or to end on.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub async fn print(&self, text: impl AsRef<[u8]>) -> Result<(), Errno> {
        self.write(1, text.as_ref()).await
    }

    /// Writes to standard error; what can't be written is lost, as in real programs.
    pub async fn eprint(&self, text: impl AsRef<[u8]>) {
        let _ = self.write(2, text.as_ref()).await;
    }

    // ---- processes ----

    /// Starts a copy of this process that runs `main` and returns its number.
    ///
    /// # Errors
    /// `EAGAIN` when there are too many processes.
    pub fn fork(&self, main: impl FnOnce(Proc) -> Task) -> Result<u32, Errno> {
        let gpid = self.kernel.fork(self.gpid, main)?;
        Ok(self.kernel.state.borrow().processes.get(&gpid).map_or(0, |p| p.pid))
    }

    /// Finds a program as `execvp` does: a name with a slash is a path, another is looked up in `PATH`.
    ///
    /// # Errors
    /// `ENOENT`, or `EACCES` when only files without permission were found.
    pub fn search(&self, program: &BStr) -> Result<BString, Errno> {
        if program.contains(&b'/') {
            return Ok(program.to_owned());
        }
        if program.is_empty() {
            return Err(Errno::ENOENT);
        }
        let path = self
            .getenv("PATH")
            .unwrap_or_else(|| "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".into());
        let mut error = Errno::ENOENT;
        for dir in path.split_str(":") {
            let candidate = path::join(if dir.is_empty() { b"." } else { dir }, program);
            match self.stat(&candidate) {
                Ok(stat) if stat.kind != Kind::File => {}
                Ok(_) if self.access(&candidate, 1).is_err() => error = Errno::EACCES,
                Ok(_) => return Ok(candidate),
                Err(_) => {}
            }
        }
        Err(error)
    }

    /// Becomes another program. The new program's exit status is returned, to be passed on as this future's own.
    ///
    /// # Errors
    /// `ENOENT`, `EACCES`, `ENOEXEC`, `ELOOP`; then this program goes on.
    pub async fn exec(&self, path: &[u8], args: Vec<BString>, env: Vec<BString>) -> Result<i32, Errno> {
        let main = self.load(BStr::new(path), args, env)?;
        self.tick().await;
        Ok(main(self.clone()).await)
    }

    /// Makes this process that program and returns its code.
    pub(super) fn load(
        &self,
        path: &BStr,
        args: Vec<BString>,
        env: Vec<BString>,
    ) -> Result<Rc<dyn Fn(Proc) -> Task>, Errno> {
        let (mut path, mut args) = (path.to_owned(), args);
        let who = self.caller();
        for _ in 0..MAX_INTERPRETERS {
            let (place, forbidden, harmless) = self.mounts(|m| {
                let place = m.find(&who, &path, true)?;
                let (forbidden, harmless) = (m.forbids_programs(&place), m.ignores_set_ids(&place));
                Ok((place, forbidden, harmless))
            })?;
            let (kind, meta) = place.meta()?;
            if kind != Kind::File || !who.cred.allows(kind, &meta, 1) || forbidden {
                return Err(Errno::EACCES);
            }
            let Content::File(rope) = place.content()? else { return Err(Errno::EACCES) };
            match exec::recognise(&rope.head(exec::HEAD_BYTES)) {
                Format::Program(name, flavour) => {
                    let Some(main) = self.kernel.state.borrow().programs.get(BStr::new(&name)) else {
                        return Err(Errno::ENOSYS);
                    };
                    let frozen = harmless || who.cred.dropped >> NO_NEW_PRIVILEGES & 1 != 0;
                    let gained = if harmless { Gained::default() } else { exec::gained(&who.cred, &place)? };
                    let closed = self.with(|p| {
                        p.comm = path::file_name(&path).iter().copied().take(15).collect::<Vec<u8>>().into();
                        p.exe = place.path.clone();
                        p.flavour = flavour;
                        (p.image_bytes, p.heap_bytes) = (rope.len(), 0);
                        p.args = args;
                        p.env = env;
                        p.dispositions.retain(|_, d| *d == Disposition::Ignore);
                        p.pending.clear();
                        p.cred.gained = gained;
                        if meta.mode & 0o4000 != 0 && !frozen {
                            p.cred.uid = meta.uid;
                        }
                        if meta.mode & 0o2000 != 0 && !frozen {
                            p.cred.gid = meta.gid;
                        }
                        let closing: Vec<Fd> =
                            p.files.iter().filter(|row| row.1.close_on_exec).map(|row| *row.0).collect();
                        closing.into_iter().filter_map(|fd| p.files.remove(&fd)).collect::<Vec<_>>()
                    });
                    drop(closed);
                    self.charge_io(rope.len(), 0);
                    return Ok(main);
                }
                Format::Script(interpreter, argument) => {
                    let mut with = vec![interpreter.clone()];
                    with.extend(argument);
                    with.push(path);
                    with.extend(args.drain(..).skip(1));
                    args = with;
                    path = interpreter;
                }
                // A real program: there is no processor here to run it.
                Format::ForeignElf => return Err(Errno::ENOSYS),
                Format::Unknown => return Err(Errno::ENOEXEC),
            }
        }
        Err(Errno::ELOOP)
    }

    /// Waits for a child (any, when `pid` is `None`) to end or, with `stopped`, to be stopped.
    ///
    /// # Errors
    /// `ECHILD` when there is no such child, `EINTR`.
    pub async fn wait(&self, pid: Option<u32>, stopped: bool) -> Result<Waited, Errno> {
        poll_fn(|_| match self.try_wait(pid, stopped) {
            Ok(Some(waited)) => Poll::Ready(Ok(waited)),
            Err(error) => Poll::Ready(Err(error)),
            Ok(None) if self.has_pending_signal() => Poll::Ready(Err(Errno::EINTR)),
            Ok(None) => Poll::Pending,
        })
        .await
    }

    /// The same without waiting: `None` when nothing has happened.
    ///
    /// # Errors
    /// `ECHILD`.
    pub fn try_wait(&self, pid: Option<u32>, stopped: bool) -> Result<Option<Waited>, Errno> {
        let mut state = self.kernel.state.borrow_mut();
        let children = state.processes.get(&self.gpid).map(|p| p.children.clone()).unwrap_or_default();
        let mut any = false;
        for gpid in children {
            let Some(child) = state.processes.get_mut(&gpid) else { continue };
            if pid.is_some_and(|pid| pid != child.pid) {
                continue;
            }
            any = true;
            match child.life {
                Life::Zombie(status) => {
                    let pid = child.pid;
                    let gone = state.remove(gpid);
                    drop(state);
                    drop(gone);
                    return Ok(Some(Waited::Ended(pid, status)));
                }
                Life::Stopped(signal) if stopped && !child.stop_reported => {
                    child.stop_reported = true;
                    return Ok(Some(Waited::Stopped(child.pid, signal)));
                }
                _ => {}
            }
        }
        if any { Ok(None) } else { Err(Errno::ECHILD) }
    }

    /// Sends a signal to a process of this namespace; a negative number means a group.
    ///
    /// # Errors
    /// `ESRCH`, `EPERM`.
    pub fn kill(&self, pid: i64, signal: Option<Signal>) -> Result<(), Errno> {
        let targets: Vec<Gpid> = {
            let state = self.kernel.state.borrow();
            let own = state.processes.get(&self.gpid).ok_or(Errno::ESRCH)?;
            let group = if pid == 0 { u64::from(own.group) } else { pid.unsigned_abs() };
            let matches = |p: &&super::process::Process| {
                p.namespace == own.namespace
                    && if pid > 0 { u64::from(p.pid) == group } else { u64::from(p.group) == group || pid == -1 }
            };
            let found: Vec<_> = state.processes.values().filter(matches).collect();
            if found.is_empty() {
                return Err(Errno::ESRCH);
            }
            let (uid, any) = (own.cred.uid, own.cred.is_capable(CAP_KILL));
            let allowed: Vec<Gpid> = found.iter().filter(|p| any || uid == p.cred.uid).map(|p| p.gpid).collect();
            if allowed.is_empty() {
                return Err(Errno::EPERM);
            }
            allowed
        };
        if let Some(signal) = signal {
            for gpid in targets {
                self.kernel.deliver(gpid, signal, false)?;
            }
        }
        Ok(())
    }

    /// Chooses what a signal does to this process.
    pub fn on_signal(&self, signal: Signal, disposition: Disposition) {
        if signal != Signal::KILL && signal != Signal::STOP {
            self.with(|p| p.dispositions.insert(signal, disposition));
        }
    }

    /// Whether a handled signal waits to be taken.
    pub fn has_pending_signal(&self) -> bool {
        self.with(|p| !p.pending.is_empty()).unwrap_or(false)
    }

    /// Takes a handled signal.
    pub fn take_signal(&self) -> Option<Signal> {
        self.with(|p| if p.pending.is_empty() { None } else { Some(p.pending.remove(0)) }).flatten()
    }

    /// The process group.
    pub fn group(&self) -> u32 {
        self.with(|p| p.group).unwrap_or(0)
    }

    /// Moves a process (0: this one) into a group (0: one of its own).
    ///
    /// # Errors
    /// `ESRCH`.
    pub fn set_group(&self, pid: u32, group: u32) -> Result<(), Errno> {
        let mut state = self.kernel.state.borrow_mut();
        let own = state.processes.get(&self.gpid).ok_or(Errno::ESRCH)?;
        let (namespace, pid) = (own.namespace, if pid == 0 { own.pid } else { pid });
        let process =
            state.processes.values_mut().find(|p| p.namespace == namespace && p.pid == pid).ok_or(Errno::ESRCH)?;
        process.group = if group == 0 { pid } else { group };
        Ok(())
    }

    /// Starts a session of its own, without a terminal.
    pub fn set_session(&self) {
        self.with(|p| {
            p.session = p.pid;
            p.group = p.pid;
            p.tty = None;
        });
    }

    /// Sleeps.
    ///
    /// # Errors
    /// `EINTR` when a handled signal arrives first.
    pub async fn sleep(&self, time: Duration) -> Result<(), Errno> {
        let until = self.now() + time;
        let mut armed = false;
        poll_fn(|_| {
            if self.now() >= until {
                return Poll::Ready(Ok(()));
            }
            if self.has_pending_signal() {
                return Poll::Ready(Err(Errno::EINTR));
            }
            if !armed {
                armed = true;
                self.kernel.set_timer(until);
            }
            Poll::Pending
        })
        .await
    }

    /// Waits for a handled signal and takes it.
    pub async fn pause(&self) -> Signal {
        poll_fn(|_| match self.take_signal() {
            Some(signal) => Poll::Ready(signal),
            None => Poll::Pending,
        })
        .await
    }

    /// Counts a unit of work; every so often lets others run. Loops without other system calls call this.
    pub async fn tick(&self) {
        self.work(1).await;
    }

    /// Counts several units of work at once.
    pub async fn work(&self, ticks: u64) {
        if self.kernel.tick(ticks) {
            yield_now(&self.kernel).await;
        }
    }

    // ---- terminals ----

    /// The terminal behind a descriptor (`isatty`).
    pub fn tty_of(&self, fd: Fd) -> Option<TtyId> {
        self.handle(fd).ok()?.tty()
    }

    /// The controlling terminal.
    pub fn tty(&self) -> Option<TtyId> {
        self.with(|p| p.tty).flatten()
    }

    /// Its settings.
    pub fn termios(&self, id: TtyId) -> Termios {
        self.kernel.state.borrow().ttys.get(&id).map_or(Termios::COOKED, |tty| tty.termios)
    }

    /// Changes its settings.
    pub fn set_termios(&self, id: TtyId, termios: Termios) {
        if let Some(tty) = self.kernel.state.borrow_mut().ttys.get_mut(&id) {
            tty.set_termios(termios);
        }
    }

    /// Its size.
    pub fn win_size(&self, id: TtyId) -> WinSize {
        self.kernel.state.borrow().ttys.get(&id).map_or(WinSize { cols: 80, rows: 24 }, |tty| tty.size)
    }

    /// Makes a process group of this namespace the one that gets the terminal's signals.
    pub fn set_foreground(&self, id: TtyId, group: u32) {
        let mut state = self.kernel.state.borrow_mut();
        let namespace = state.processes.get(&self.gpid).map(|p| p.namespace);
        let leader =
            namespace.and_then(|n| state.pid_namespaces.get(&n)).and_then(|numbers| numbers.pids.get(&group)).copied();
        if let (Some(leader), Some(tty)) = (leader, state.ttys.get_mut(&id)) {
            tty.foreground = leader;
            tty.can_read.wake();
        }
    }

    // ---- network ----

    /// Listens on a port of this namespace.
    ///
    /// # Errors
    /// `EADDRINUSE`; `EACCES` below [`super::net::Namespace::first_free_port`] without `CAP_NET_BIND_SERVICE`.
    pub fn listen(&self, address: Ipv4Addr, port: u16) -> Result<(), Errno> {
        let is_capable = self.cred().is_capable(CAP_NET_BIND_SERVICE);
        let waiters = Rc::new(Waiters::new(&self.kernel.queue));
        let net = self.net();
        self.kernel.network(|network| {
            let ns = network.get_mut(net).ok_or(Errno::ENETUNREACH)?;
            if port < ns.first_free_port && !is_capable {
                return Err(Errno::EACCES);
            }
            if ns.listeners.contains_key(&port) || ns.forwards.contains_key(&(Ipv4Addr::UNSPECIFIED, port)) {
                return Err(Errno::EADDRINUSE);
            }
            let (owners, backlog) = ([self.gpid].into(), std::collections::VecDeque::new());
            ns.listeners.insert(port, Listener { address, owners, backlog, waiters });
            Ok(())
        })
    }

    /// Stops listening.
    pub fn unlisten(&self, port: u16) {
        let net = self.net();
        let gone = self.kernel.network(|network| network.get_mut(net).and_then(|ns| ns.listeners.remove(&port)));
        drop(gone);
    }

    /// Waits for a connection on one of `ports`; returns its descriptor, the port and the peer's address.
    ///
    /// # Errors
    /// `EINTR`, `EINVAL` when nothing listens there, `EMFILE`.
    pub async fn accept(&self, ports: &[u16]) -> Result<(Fd, u16, String), Errno> {
        let net = self.net();
        let (incoming, port) = poll_fn(|_| {
            let found = self.kernel.network(|network| {
                let ns = network.get_mut(net).ok_or(Errno::EINVAL)?;
                for port in ports {
                    let listener = ns.listeners.get_mut(port).ok_or(Errno::EINVAL)?;
                    if let Some(incoming) = listener.backlog.pop_front() {
                        return Ok(Ok((incoming, *port)));
                    }
                }
                Ok(Err(ports
                    .iter()
                    .filter_map(|p| ns.listeners.get(p))
                    .map(|l| Rc::clone(&l.waiters))
                    .collect::<Vec<_>>()))
            });
            match found {
                Err(error) => Poll::Ready(Err(error)),
                Ok(Ok(found)) => Poll::Ready(Ok(found)),
                Ok(Err(waiters)) => {
                    if self.has_pending_signal() {
                        return Poll::Ready(Err(Errno::EINTR));
                    }
                    waiters.iter().for_each(|w| w.add(self.gpid));
                    Poll::Pending
                }
            }
        })
        .await?;
        let fd = self.install(incoming.file, 0)?;
        Ok((fd, port, incoming.peer))
    }

    /// Connects and returns the descriptor.
    ///
    /// # Errors
    /// `ECONNREFUSED`, `EHOSTUNREACH`, `ENETUNREACH`, `EMFILE`.
    pub async fn connect(&self, address: Address) -> Result<Fd, Errno> {
        self.tick().await;
        let net = self.net();
        let route = self.kernel.network(|network| network.call(net, address.0, address.1));
        if route.as_ref().err() == Some(&Errno::EHOSTUNREACH) {
            // ARP gets no answer for three seconds.
            self.sleep(Duration::from_secs(3)).await?;
        }
        let (up, down) = (Pipe::new(&self.kernel.queue), Pipe::new(&self.kernel.queue));
        let own = Object::Socket {
            receive: Rc::clone(&down),
            send: Rc::clone(&up),
            peer: format!("{}:{}", address.0, address.1),
        };
        match route? {
            Route::Reset => {
                down.reset.set(true);
                up.open_reader();
            }
            Route::To(to, port) => {
                let waiters = self.kernel.network(|network| {
                    let from = match address.0.is_loopback() && net == to {
                        true => Ipv4Addr::LOCALHOST,
                        false => network.source(net, to),
                    };
                    let peer = format!("{from}:{}", network.ephemeral_port());
                    let listener = network.get_mut(to).and_then(|ns| ns.listeners.get_mut(&port))?;
                    // The far end is open from now on, so that neither side takes the other for gone.
                    let far = Object::Socket { receive: Rc::clone(&up), send: Rc::clone(&down), peer: peer.clone() };
                    listener.backlog.push_back(Incoming { file: OpenFile::new(far, Open::READ_WRITE), peer });
                    Some(Rc::clone(&listener.waiters))
                });
                waiters.ok_or(Errno::ECONNREFUSED)?.wake();
            }
        }
        self.install(OpenFile::new(own, Open::READ_WRITE), 0)
    }

    /// The addresses of a name: a number, `/etc/hosts`, then the namespace's DNS.
    ///
    /// # Errors
    /// `ENOENT` when nobody knows it.
    pub async fn resolve(&self, name: &str) -> Result<Vec<Ipv4Addr>, Errno> {
        if let Ok(address) = name.parse() {
            return Ok(vec![address]);
        }
        if let Ok(hosts) = self.read_file(b"/etc/hosts").await {
            for line in hosts.slice(0..1 << 16).to_vec().lines() {
                let line = line.split_str("#").next().unwrap_or_default().to_str_lossy().into_owned();
                let mut words = line.split_whitespace();
                if let Some(address) = words.next().and_then(|a| a.parse().ok())
                    && words.any(|word| word.eq_ignore_ascii_case(name))
                {
                    return Ok(vec![address]);
                }
            }
        }
        self.lookup(name)
    }

    /// The addresses that the namespace's DNS knows for a name.
    ///
    /// # Errors
    /// `ENOENT` when it knows none.
    pub fn lookup(&self, name: &str) -> Result<Vec<Ipv4Addr>, Errno> {
        let (net, name) = (self.net(), name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase());
        self.kernel
            .network(|network| {
                let ns = network.get(net)?;
                ns.names.get(&name).cloned().or_else(|| ns.far(&name).map(|address| vec![address]))
            })
            .filter(|addresses| !addresses.is_empty())
            .ok_or(Errno::ENOENT)
    }

    /// The name that the namespace's DNS knows for an address.
    pub fn lookup_address(&self, address: Ipv4Addr) -> Option<String> {
        let net = self.net();
        self.kernel.network(|network| network.get(net).and_then(|ns| ns.pointers.get(&address).cloned()))
    }

    /// Ends the sending half of a connection: the peer reads its end.
    ///
    /// # Errors
    /// `EBADF`, `EINVAL` for what is no connection.
    pub fn shutdown(&self, fd: Fd) -> Result<(), Errno> {
        match &self.handle(fd)?.object {
            Object::Socket { send, .. } => {
                send.close_writer();
                Ok(())
            }
            _ => Err(Errno::EINVAL),
        }
    }
}

impl Kernel {
    /// The process that is being polled: for code that runs as part of a process without having been given its handle.
    pub fn current_process(&self) -> Proc {
        Proc { kernel: self.clone(), gpid: self.current() }
    }

    /// A pipe's two ends: reading and writing.
    pub fn pipe(&self) -> (Handle, Handle) {
        let pipe = Pipe::new(&self.queue);
        let read = OpenFile::new(Object::PipeRead(Rc::clone(&pipe)), Open::READ);
        (read, OpenFile::new(Object::PipeWrite(pipe), Open::WRITE))
    }

    /// `/dev/null`, open for both.
    pub fn null(&self) -> Handle {
        OpenFile::new(Object::Null, Open::READ_WRITE)
    }

    /// A new terminal whose master side is outside of the machine: [`Self::take_output`].
    pub fn new_console(&self, cols: u16, rows: u16) -> TtyId {
        let id = self.new_tty(cols, rows);
        if let Some(tty) = self.state.borrow_mut().ttys.get_mut(&id) {
            tty.is_console = true;
        }
        id
    }

    /// The slave side of a terminal: standard input and output of a session.
    pub fn open_tty(&self, id: TtyId) -> Handle {
        OpenFile::new(Object::Tty(id), Open::READ_WRITE)
    }

    /// The master side: what a process reads of and types into another's terminal.
    pub fn open_master(&self, id: TtyId) -> Handle {
        OpenFile::new(Object::Master(id), Open::READ_WRITE)
    }

    /// Types bytes into a terminal.
    pub fn type_into(&self, id: TtyId, bytes: &[u8]) {
        for byte in bytes {
            let (caused, foreground) = {
                let mut state = self.state.borrow_mut();
                let State { ttys, lines, .. } = &mut *state;
                let Some(tty) = ttys.get_mut(&id) else { return };
                lines.typed += u64::from(tty.is_console);
                (tty.typed(*byte), tty.foreground)
            };
            if let Some(signal) = caused {
                self.deliver_group(foreground, signal);
            }
        }
    }

    /// Takes what programs wrote to a terminal.
    pub fn take_output(&self, id: TtyId) -> Vec<u8> {
        self.state.borrow_mut().ttys.get_mut(&id).map(Tty::take_output).unwrap_or_default()
    }

    /// A terminal's size.
    pub fn win_size(&self, id: TtyId) -> WinSize {
        self.state.borrow().ttys.get(&id).map_or(WinSize { cols: 80, rows: 24 }, |tty| tty.size)
    }

    /// Sets a terminal's size and tells its foreground group.
    pub fn resize(&self, id: TtyId, cols: u16, rows: u16) {
        let foreground = {
            let mut state = self.state.borrow_mut();
            let Some(tty) = state.ttys.get_mut(&id) else { return };
            let size = WinSize { cols: cols.max(1), rows: rows.max(1) };
            if tty.size == size {
                return;
            }
            tty.size = size;
            tty.foreground
        };
        self.deliver_group(foreground, Signal::WINCH);
    }

    /// Ends a terminal: readers get the end of the file, writers `EIO`.
    pub fn hang_up(&self, id: TtyId) {
        if let Some(tty) = self.state.borrow_mut().ttys.get_mut(&id) {
            tty.hung_up = true;
            tty.can_read.wake();
            tty.can_write.wake();
            tty.master.wake();
        }
    }

    /// Removes a terminal.
    pub fn remove_tty(&self, id: TtyId) {
        let gone = self.state.borrow_mut().ttys.remove(&id);
        drop(gone);
    }

    /// Whether the process in front of a terminal is a child of `login` (its shell) and waits for a key.
    pub fn is_at_prompt(&self, id: TtyId, login: Gpid) -> bool {
        let state = self.state.borrow();
        let Some(tty) = state.ttys.get(&id) else { return false };
        let shell = state.processes.get(&tty.foreground).is_some_and(|p| p.parent == login);
        shell && !tty.is_readable() && tty.can_read.is_waiting(tty.foreground)
    }

    /// Whether the program in front of a terminal reads from it and has read all that was typed.
    pub fn is_read_from(&self, id: TtyId) -> bool {
        let state = self.state.borrow();
        let reads = |tty: &Tty| !tty.is_readable() && tty.can_read.is_waiting(tty.foreground);
        self.queue.is_empty() && state.ttys.get(&id).is_some_and(reads)
    }

    /// Whether any process waits for what will be typed at a terminal.
    pub fn is_waited_for(&self, id: TtyId) -> bool {
        let state = self.state.borrow();
        state.ttys.get(&id).is_some_and(|tty| !tty.is_readable() && tty.can_read.is_anyone_waiting())
    }

    /// Stops (`pause`) or continues every process of a cgroup, without their noticing.
    pub fn freeze(&self, cgroup: &str, frozen: bool) {
        let mut state = self.state.borrow_mut();
        for process in state.processes.values_mut().filter(|p| p.cgroup == cgroup) {
            match (frozen, process.life) {
                (true, Life::Running) => process.life = Life::Stopped(Signal::STOP),
                (false, Life::Stopped(Signal::STOP)) => {
                    process.life = Life::Running;
                    self.ready_soon(process.gpid);
                }
                _ => {}
            }
        }
    }
}
