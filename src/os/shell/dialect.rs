//! Which shell this is: what it understands and how it words its complaints.

/// The three shells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dialect {
    /// GNU bash 5.2.
    Bash,
    /// Debian's dash.
    Dash,
    /// busybox's ash.
    Ash,
}

impl Dialect {
    /// Whether the extensions of bash are there. Busybox is built with `ASH_BASH_COMPAT` in Alpine and on Docker Hub.
    pub const fn is_bash(self) -> bool {
        matches!(self, Self::Bash | Self::Ash)
    }
}
