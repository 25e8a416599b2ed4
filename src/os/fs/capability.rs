//! Capabilities: what root may do, in parts, and what a program's file gives of it to others (capabilities(7)).

use super::mounts::Gained;
use crate::base::errno::Errno;

/// `CAP_CHOWN`.
pub const CAP_CHOWN: u32 = 0;
/// `CAP_DAC_OVERRIDE`.
pub const CAP_DAC_OVERRIDE: u32 = 1;
/// `CAP_DAC_READ_SEARCH`.
pub const CAP_DAC_READ_SEARCH: u32 = 2;
/// `CAP_FOWNER`.
pub const CAP_FOWNER: u32 = 3;
/// `CAP_FSETID`.
pub const CAP_FSETID: u32 = 4;
/// `CAP_KILL`.
pub const CAP_KILL: u32 = 5;
/// `CAP_SETGID`.
pub const CAP_SETGID: u32 = 6;
/// `CAP_SETUID`.
pub const CAP_SETUID: u32 = 7;
/// `CAP_NET_BIND_SERVICE`.
pub const CAP_NET_BIND_SERVICE: u32 = 10;
/// `CAP_NET_ADMIN`.
pub const CAP_NET_ADMIN: u32 = 12;
/// `CAP_SYS_CHROOT`.
pub const CAP_SYS_CHROOT: u32 = 18;
/// `CAP_SYS_ADMIN`.
pub const CAP_SYS_ADMIN: u32 = 21;
/// `CAP_SYS_TIME`.
pub const CAP_SYS_TIME: u32 = 25;
/// `CAP_MKNOD`.
pub const CAP_MKNOD: u32 = 27;
/// `CAP_SETFCAP`.
pub const CAP_SETFCAP: u32 = 31;

/// Linux's capabilities by number, without their `CAP_`.
pub const NAMES: [&str; 41] = [
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "WAKE_ALARM",
    "BLOCK_SUSPEND",
    "AUDIT_READ",
    "PERFMON",
    "BPF",
    "CHECKPOINT_RESTORE",
];
/// A bit each for all of them.
pub const ALL_CAPABILITIES: u64 = (1 << NAMES.len()) - 1;
/// Above the capabilities' bits.
pub const NO_NEW_PRIVILEGES: u32 = 63;

/// `VFS_CAP_REVISION_2` and `_3` with their sizes in bytes; the third adds the root of a user namespace.
const REVISIONS: [(u32, usize); 2] = [(0x0200_0000, 20), (0x0300_0000, 24)];
const REVISION_MASK: u32 = 0xff00_0000;
/// `VFS_CAP_FLAGS_EFFECTIVE`.
const EFFECTIVE: u32 = 1;

/// What the attribute `security.capability` says (Linux `struct vfs_cap_data`): its words are little-endian.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct FileCapabilities {
    /// Given to whoever runs it.
    pub permitted: u64,
    /// Given to those who have them to pass on.
    pub inheritable: u64,
    /// Whether what is given is effective at once, for programs that know nothing of capabilities.
    pub effective: bool,
    /// Whose capabilities they are: root's of a user namespace, 0 for all.
    pub root: u32,
}

impl FileCapabilities {
    /// Reads the attribute; `None` for what the kernel does not take for one.
    pub fn read(value: &[u8]) -> Option<Self> {
        let word = |at: usize| Some(u32::from_le_bytes(value.get(at * 4..)?.first_chunk().copied()?));
        let magic = word(0)?;
        REVISIONS.contains(&(magic & REVISION_MASK, value.len())).then_some(())?;
        let wide = |at| Some(u64::from(word(at)?) | u64::from(word(at + 2)?) << 32);
        let root = if value.len() > 20 { word(5)? } else { 0 };
        Some(Self { permitted: wide(1)?, inheritable: wide(2)?, effective: magic & EFFECTIVE != 0, root })
    }

    /// The attribute.
    pub fn written(&self) -> Vec<u8> {
        let [(second, _), (third, _)] = REVISIONS;
        let revision = if self.root == 0 { second } else { third };
        let half = |wide: u64, shift: u32| (wide >> shift & u64::from(u32::MAX)) as u32;
        let words = [
            revision | if self.effective { EFFECTIVE } else { 0 },
            half(self.permitted, 0),
            half(self.inheritable, 0),
            half(self.permitted, 32),
            half(self.inheritable, 32),
        ];
        let root = (self.root != 0).then_some(self.root);
        words.into_iter().chain(root).flat_map(u32::to_le_bytes).collect()
    }

    /// What one gains by running the program who may have no more than `bound`; nobody here has any to pass on.
    ///
    /// # Errors
    /// `EPERM` where the program counts on what it would not get (Linux `bprm_caps_from_vfs_caps`).
    pub fn gained(&self, bound: u64) -> Result<Gained, Errno> {
        if self.root != 0 {
            return Ok(Gained::default());
        }
        let (wanted, permitted) = (self.permitted & ALL_CAPABILITIES, self.permitted & bound);
        if !self.effective {
            return Ok(Gained { permitted, effective: 0 });
        }
        if permitted == wanted { Ok(Gained { permitted, effective: permitted }) } else { Err(Errno::EPERM) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `getfattr -e hex` shows what the real `setcap` wrote (libcap 2.66, Linux 6.18).
    #[test]
    fn the_attribute_has_the_kernels_bytes() {
        let cases: [(&[u8], FileCapabilities); 4] = [
            (b"\x01\0\0\x02\0\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0", cap(1 << 10, 0, true)),
            (b"\x01\0\0\x02\xff\xff\xff\xff\0\0\0\0\xff\x01\0\0\0\0\0\0", cap(ALL_CAPABILITIES, 0, true)),
            (b"\0\0\0\x02\x09\0\0\0\x28\0\0\0\0\0\0\0\0\0\0\0", cap(9, 0x28, false)),
            (
                b"\0\0\0\x03\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xe8\x03\0\0",
                FileCapabilities { root: 1000, ..cap(1, 0, false) },
            ),
        ];
        for (bytes, capabilities) in cases {
            assert_eq!(FileCapabilities::read(bytes), Some(capabilities));
            assert_eq!(capabilities.written(), bytes);
            assert_eq!(FileCapabilities::read(bytes.get(1..).unwrap()), None);
        }
        assert_eq!(FileCapabilities::read(b""), None);
    }

    fn cap(permitted: u64, inheritable: u64, effective: bool) -> FileCapabilities {
        FileCapabilities { permitted, inheritable, effective, root: 0 }
    }

    #[test]
    fn what_is_out_of_bounds_is_not_gained() {
        let all = ALL_CAPABILITIES;
        assert_eq!(cap(3, 0, true).gained(all), Ok(Gained { permitted: 3, effective: 3 }));
        assert_eq!(cap(3, 0, false).gained(1), Ok(Gained { permitted: 1, effective: 0 }));
        assert_eq!(cap(3, 0, true).gained(1), Err(Errno::EPERM));
        assert_eq!(FileCapabilities { root: 1, ..cap(3, 0, true) }.gained(all), Ok(Gained::default()));
    }
}
