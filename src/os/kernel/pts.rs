//! `/dev/pts`: the terminals of one instance of the file system, each by its number in it.
//!
//! Every container has an instance of its own (`newinstance` in its mount options), so that its first terminal is
//! `/dev/pts/0` there, whatever terminals the host has open. An instance is named as the accounting group is: by the
//! container's id, or by nothing for the host.

use bstr::{BStr, BString, ByteSlice};

use super::tty::{Tty, TtyId, WinSize};
use super::{Kernel, Proc, State};
use crate::base::time::Timestamp;
use crate::os::fs::mounts::{Made, Synthetic};
use crate::os::fs::node::{Content, Meta};

/// The major number of pseudo-terminals.
pub const PTS_MAJOR: u32 = 136;
/// The group `tty`, by which `devpts` is mounted.
const TTY_GROUP: u32 = 5;

/// One instance of the file system.
pub struct PtsFs {
    kernel: Kernel,
    instance: String,
}

impl PtsFs {
    /// The terminals of `instance`.
    pub fn new(kernel: Kernel, instance: &str) -> Self {
        Self { kernel, instance: instance.to_owned() }
    }
}

impl Synthetic for PtsFs {
    fn get(&self, path: &BStr) -> Option<Made> {
        let now = Timestamp(self.kernel.now().0);
        if path.is_empty() {
            return Some(Made { meta: Meta::root(0o755, now), content: Content::Dir { opaque: false } });
        }
        if path == "ptmx" {
            let mode = if self.instance.is_empty() { 0 } else { 0o666 };
            return Some(Made { meta: Meta::root(mode, now), content: Content::CharDevice(5, 2) });
        }
        let number = path.to_str().ok()?.parse().ok()?;
        let state = self.kernel.state.borrow();
        let tty = state.ttys.values().find(|tty| tty.number == number && tty.instance == self.instance)?;
        let mut meta = Meta::root(0o620, now);
        (meta.uid, meta.gid) = (tty.owner, TTY_GROUP);
        Some(Made { meta, content: Content::CharDevice(PTS_MAJOR, number) })
    }

    fn list(&self, _path: &BStr) -> Vec<BString> {
        let state = self.kernel.state.borrow();
        let own = state.ttys.values().filter(|tty| tty.instance == self.instance);
        own.map(|tty| tty.number.to_string().into()).chain(["ptmx".into()]).collect()
    }
}

impl State {
    /// The lowest number that no terminal of an instance has.
    fn free_pts(&self, instance: &str) -> u32 {
        let taken = |number: &u32| self.ttys.values().any(|tty| tty.instance == instance && tty.number == *number);
        (0..u32::MAX).find(|number| !taken(number)).unwrap_or(u32::MAX)
    }
}

impl Kernel {
    /// A new terminal of the host.
    pub fn new_tty(&self, cols: u16, rows: u16) -> TtyId {
        self.new_tty_in("", cols, rows)
    }

    /// A new terminal in a container's `/dev/pts`.
    pub fn new_tty_in(&self, instance: &str, cols: u16, rows: u16) -> TtyId {
        let mut state = self.state.borrow_mut();
        let id = TtyId(state.next_tty);
        state.next_tty += 1;
        let mut tty = Tty::new(&self.queue, WinSize { cols, rows });
        tty.number = state.free_pts(instance);
        instance.clone_into(&mut tty.instance);
        state.ttys.insert(id, tty);
        id
    }

    /// A terminal's number in its `/dev/pts`.
    pub fn pts_number(&self, id: TtyId) -> u32 {
        self.state.borrow().ttys.get(&id).map_or(0, |tty| tty.number)
    }
}

impl Proc {
    /// The terminal that a device number stands for to this process.
    pub(super) fn terminal(&self, number: u32) -> Option<TtyId> {
        let state = self.kernel.state.borrow();
        let own = &state.processes.get(&self.gpid)?.cgroup;
        state.ttys.iter().find(|(_, tty)| tty.number == number && tty.instance == *own).map(|(id, _)| *id)
    }

    /// The number of the terminal behind a descriptor (`ttyname`).
    pub fn pts_of(&self, fd: super::Fd) -> Option<u32> {
        self.tty_of(fd).map(|id| self.kernel.pts_number(id))
    }
}
