//! Who a container's process runs as: `user[:group]` looked up in the container's own files (runc `libcontainer/user`).

use super::errors::RuntimeError;
use super::files;
use crate::os::fs::mounts::{Cred, Mounts};

/// A process's user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecUser {
    /// Numbers.
    pub cred: Cred,
    /// The home directory.
    pub home: String,
}

/// Looks `spec` up: empty is root; names must be known, numbers need not.
pub fn lookup(mounts: &Mounts, spec: &str) -> Result<ExecUser, RuntimeError> {
    let (user, group) = match spec.split_once(':') {
        Some((user, group)) => (user, Some(group)),
        None => (spec, None),
    };
    let user = if user.is_empty() { "0" } else { user };
    let passwd = files::lines(mounts, b"/etc/passwd");
    let field = |line: &str, index: usize| line.split(':').nth(index).map(ToOwned::to_owned).unwrap_or_default();
    let number = user.parse::<i64>().ok();
    let found = passwd.iter().find(|line| {
        let name = field(line, 0);
        name == user || number.is_some_and(|n| field(line, 2).parse() == Ok(n))
    });
    let (uid, mut gid, name, home) = match (found, number) {
        (Some(line), _) => {
            (field(line, 2).parse().unwrap_or(0), field(line, 3).parse().unwrap_or(0), field(line, 0), field(line, 5))
        }
        (None, Some(number)) => (in_range(number)?, 0, String::new(), "/".to_owned()),
        (None, None) => return Err(RuntimeError::NoUser(user.to_owned())),
    };
    let groups_file = files::lines(mounts, b"/etc/group");
    let mut groups = Vec::new();
    match group {
        Some(group) => {
            let number = group.parse::<i64>().ok();
            let found = groups_file
                .iter()
                .find(|line| field(line, 0) == group || number.is_some_and(|n| field(line, 2).parse() == Ok(n)));
            gid = match (found, number) {
                (Some(line), _) => field(line, 2).parse().unwrap_or(0),
                (None, Some(number)) => in_range(number)?,
                (None, None) => return Err(RuntimeError::NoGroup(group.to_owned())),
            };
        }
        None => {
            for line in groups_file.iter().filter(|_| !name.is_empty()) {
                if field(line, 3).split(',').any(|member| member == name) {
                    groups.extend(field(line, 2).parse::<u32>().ok());
                }
            }
        }
    }
    let home = if home.is_empty() { "/".to_owned() } else { home };
    Ok(ExecUser { cred: Cred::user(uid, gid, groups), home })
}

/// A group of `--group-add`: its number, or a name that the container knows.
pub fn group(mounts: &Mounts, spec: &str) -> Result<u32, RuntimeError> {
    if let Ok(number) = spec.parse() {
        return in_range(number);
    }
    let lines = files::lines(mounts, b"/etc/group");
    let found = lines.iter().find(|line| line.split(':').next() == Some(spec));
    let number = found.and_then(|line| line.split(':').nth(2)).and_then(|number| number.parse().ok());
    number.ok_or_else(|| RuntimeError::NoGroup(spec.to_owned()))
}

/// The numbers that runc takes.
fn in_range(number: i64) -> Result<u32, RuntimeError> {
    u32::try_from(number).ok().filter(|number| *number <= i32::MAX as u32).ok_or(RuntimeError::IdRange)
}
