//! What changes a process's view of files: `chroot`, `mount`, `umount`. Those who share the view see the change; who has
//! another root has a view of its own.

use std::cell::RefCell;
use std::rc::Rc;

use super::process::Proc;
use crate::base::errno::Errno;
use crate::os::fs::capability::{CAP_SYS_ADMIN, CAP_SYS_CHROOT};
use crate::os::fs::layer::{Change, Layer};
use crate::os::fs::mounts::Mount;
use crate::os::fs::node::{Entry, Kind, Meta};
use crate::os::fs::overlay::Overlay;
use crate::os::fs::tree::Tree;

impl Proc {
    /// Whether this process may change what is mounted. The programs `mount` and `umount` have a set-id bit for the sake of
    /// what `/etc/fstab` lets anybody mount, which is nothing.
    pub fn may_mount(&self) -> bool {
        let cred = self.cred();
        cred.is_capable(CAP_SYS_ADMIN) && (self.real_uid() == 0 || cred.uid != 0)
    }

    /// Who started this process, whatever the bits of its program's file.
    pub fn real_uid(&self) -> u32 {
        self.with(|p| p.real_uid).unwrap_or(u32::MAX)
    }

    /// Makes a directory the root of this process and of those that it starts (`chroot`), and goes there.
    ///
    /// # Errors
    /// `EPERM` without `CAP_SYS_CHROOT`; `ENOTDIR` and those of a walk.
    pub fn chroot(&self, path: &[u8]) -> Result<(), Errno> {
        let who = self.caller();
        let mounts = self.mounts(|m| m.below(&who, path))?;
        if !who.cred.is_capable(CAP_SYS_CHROOT) {
            return Err(Errno::EPERM);
        }
        self.with(|p| {
            p.mounts = Rc::new(RefCell::new(mounts));
            p.cwd = "/".into();
        });
        Ok(())
    }

    /// Mounts an empty `tmpfs` of so many bytes (`mount`).
    ///
    /// # Errors
    /// `EPERM` without `CAP_SYS_ADMIN`; `ENOTDIR` and those of a walk.
    pub fn mount_tmpfs(
        &self,
        source: &str,
        at: &[u8],
        size_bytes: u64,
        mode: u32,
        options: &str,
        read_only: bool,
    ) -> Result<(), Errno> {
        let who = self.caller();
        if !self.may_mount() {
            return Err(Errno::EPERM);
        }
        let place = self.mounts(|m| m.find(&who, at, true))?;
        if place.meta()?.0 != Kind::Dir {
            return Err(Errno::ENOTDIR);
        }
        let root = Entry::dir(Meta::root(mode, who.now));
        let layer: Layer = [(bstr::BString::default(), Change::Put(root.into()))].into_iter().collect();
        let overlay = Overlay::new(self.kernel.new_dev(), Tree::of([&layer]), size_bytes);
        let mut mount = Mount::overlay("", source, "tmpfs", &Rc::new(RefCell::new(overlay)));
        mount.at = place.path;
        options.clone_into(&mut mount.options);
        mount.read_only = read_only;
        self.mounts_handle().ok_or(Errno::ESRCH)?.borrow_mut().mount(mount)
    }

    /// Takes the topmost mount at a place away (`umount`).
    ///
    /// # Errors
    /// `EPERM` without `CAP_SYS_ADMIN`; `EINVAL` where nothing is mounted; those of a walk.
    pub fn unmount(&self, at: &[u8]) -> Result<(), Errno> {
        let who = self.caller();
        if !self.may_mount() {
            return Err(Errno::EPERM);
        }
        let place = self.mounts(|m| m.find(&who, at, true))?;
        self.mounts_handle().ok_or(Errno::ESRCH)?.borrow_mut().unmount(&place.path)
    }
}

/// `100m` of a tmpfs.
pub fn tmpfs_bytes(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match text.get(digits.len()..)?.to_ascii_lowercase().as_str() {
        "" => 1,
        "k" => 1 << 10,
        "m" => 1 << 20,
        "g" => 1 << 30,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(unit)
}
