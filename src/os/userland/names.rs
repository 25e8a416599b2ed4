//! Users and groups by number and by name: `/etc/passwd` and `/etc/group` of the file system that is looked at.

use std::collections::BTreeMap;

use bstr::{BString, ByteSlice};

use super::program::number;
use crate::os::kernel::Proc;

/// A user's line in `/etc/passwd`.
#[derive(Clone, Debug, Default)]
pub struct User {
    /// The number.
    pub uid: u32,
    /// The number of the first group.
    pub gid: u32,
}

/// What the two files say.
#[derive(Default)]
pub struct Names {
    /// By name.
    pub users: BTreeMap<BString, User>,
    /// Group numbers by name.
    pub groups: BTreeMap<BString, u32>,
    /// Members by group number.
    pub members: BTreeMap<u32, Vec<BString>>,
    user_names: BTreeMap<u32, BString>,
    group_names: BTreeMap<u32, BString>,
}

impl Names {
    /// Reads them; a missing file has no names.
    pub async fn load(proc: &Proc) -> Self {
        let mut names = Self::default();
        for line in lines(proc, b"/etc/passwd").await {
            let fields: Vec<&[u8]> = line.split_str(":").collect();
            if let [name, _, uid, gid, ..] = fields.as_slice()
                && let (Some(uid), Some(gid)) = (number(uid), number(gid))
            {
                names.user_names.entry(uid).or_insert_with(|| (*name).into());
                names.users.entry((*name).into()).or_insert(User { uid, gid });
            }
        }
        for line in lines(proc, b"/etc/group").await {
            let fields: Vec<&[u8]> = line.split_str(":").collect();
            if let [name, _, gid, rest @ ..] = fields.as_slice()
                && let Some(gid) = number(gid)
            {
                names.group_names.entry(gid).or_insert_with(|| (*name).into());
                names.groups.entry((*name).into()).or_insert(gid);
                let members = rest.first().copied().unwrap_or_default();
                let members = members.split_str(",").filter(|m| !m.is_empty()).map(BString::from);
                names.members.entry(gid).or_default().extend(members);
            }
        }
        names
    }

    /// A user's name, or the number.
    pub fn user(&self, uid: u32) -> BString {
        self.user_names.get(&uid).cloned().unwrap_or_else(|| uid.to_string().into())
    }

    /// A user's name, if there is one.
    pub fn user_name(&self, uid: u32) -> Option<&BString> {
        self.user_names.get(&uid)
    }

    /// A group's name, or the number.
    pub fn group(&self, gid: u32) -> BString {
        self.group_names.get(&gid).cloned().unwrap_or_else(|| gid.to_string().into())
    }

    /// A group's name, if there is one.
    pub fn group_name(&self, gid: u32) -> Option<&BString> {
        self.group_names.get(&gid)
    }

    /// The groups that a user is listed in.
    pub fn groups_of(&self, user: &[u8]) -> Vec<u32> {
        self.members.iter().filter(|(_, members)| members.iter().any(|m| m == user)).map(|(gid, _)| *gid).collect()
    }
}

async fn lines(proc: &Proc, path: &[u8]) -> Vec<BString> {
    let content = proc.read_file(path).await.map(|rope| rope.head(1 << 20)).unwrap_or_default();
    content.lines().map(BString::from).collect()
}
