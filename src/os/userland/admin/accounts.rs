//! The account files: `/etc/passwd`, `/etc/group`, `/etc/shadow`, `/etc/gshadow`. Lines that are not touched stay as they are.

use super::text_of;
use crate::base::errno::Errno;
use crate::base::rope::Rope;
use crate::os::kernel::Proc;

/// A file of lines with fields between colons.
pub struct Table {
    path: &'static str,
    /// The lines' fields.
    pub rows: Vec<Vec<String>>,
    changed: bool,
}

impl Table {
    /// Reads a file; a missing one is empty.
    pub async fn load(proc: &Proc, path: &'static str) -> Self {
        let text = text_of(proc, path).await;
        let rows = text.lines().map(|line| line.split(':').map(str::to_owned).collect()).collect();
        Self { path, rows, changed: false }
    }

    /// Whether the file is there.
    pub fn exists(&self, proc: &Proc) -> bool {
        proc.stat(self.path.as_bytes()).is_ok()
    }

    /// Writes it if it was changed.
    ///
    /// # Errors
    /// Those of writing a file.
    pub async fn save(&self, proc: &Proc) -> Result<(), Errno> {
        if !self.changed {
            return Ok(());
        }
        let text = self.rows.iter().fold(String::new(), |text, row| text + &row.join(":") + "\n");
        proc.write_file(self.path.as_bytes(), &Rope::from(text.as_str())).await
    }

    /// The row of a name.
    pub fn get(&self, name: &str) -> Option<&Vec<String>> {
        self.rows.iter().find(|row| row.first().is_some_and(|own| own == name))
    }

    /// The row of a name, to be changed.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Vec<String>> {
        self.changed = true;
        self.rows.iter_mut().find(|row| row.first().is_some_and(|own| own == name))
    }

    /// The row with a number in its third field.
    pub fn by_number(&self, number: u32) -> Option<&Vec<String>> {
        self.rows.iter().find(|row| Self::number(row) == Some(number))
    }

    /// A row's number.
    pub fn number(row: &[String]) -> Option<u32> {
        row.get(2)?.parse().ok()
    }

    /// Appends a row.
    pub fn push(&mut self, fields: &[&str]) {
        self.changed = true;
        self.rows.push(fields.iter().map(|field| (*field).to_owned()).collect());
    }

    /// Takes a name's row out; whether there was one.
    pub fn remove(&mut self, name: &str) -> bool {
        let before = self.rows.len();
        self.rows.retain(|row| row.first().is_none_or(|own| own != name));
        self.changed |= self.rows.len() != before;
        self.rows.len() != before
    }

    /// A free number: for systems the highest below 1000, for people the lowest from 1000 on.
    pub fn free_number(&self, lowest: u32, highest: u32, downwards: bool) -> Option<u32> {
        let free = |number: &u32| self.by_number(*number).is_none();
        if downwards { (lowest..=highest).rev().find(free) } else { (lowest..=highest).find(free) }
    }

    /// Adds a member to a group's last field.
    pub fn add_member(&mut self, group: &str, member: &str) {
        if let Some(row) = self.get_mut(group)
            && let Some(members) = row.last_mut()
            && !members.split(',').any(|own| own == member)
        {
            if !members.is_empty() {
                members.push(',');
            }
            members.push_str(member);
        }
    }

    /// Takes a member out of every group but those named.
    pub fn remove_member(&mut self, member: &str, keep: &[String]) {
        for row in &mut self.rows {
            let kept = row.first().is_some_and(|name| keep.contains(name));
            if let Some(members) = row.last_mut()
                && !kept
                && members.split(',').any(|own| own == member)
            {
                self.changed = true;
                *members = members.split(',').filter(|own| *own != member).collect::<Vec<_>>().join(",");
            }
        }
    }
}

/// All account files.
pub struct Accounts {
    /// `/etc/passwd`.
    pub users: Table,
    /// `/etc/group`.
    pub groups: Table,
    /// `/etc/shadow`.
    pub shadow: Table,
    /// `/etc/gshadow`.
    pub gshadow: Table,
}

impl Accounts {
    /// Reads them.
    pub async fn load(proc: &Proc) -> Self {
        Self {
            users: Table::load(proc, "/etc/passwd").await,
            groups: Table::load(proc, "/etc/group").await,
            shadow: Table::load(proc, "/etc/shadow").await,
            gshadow: Table::load(proc, "/etc/gshadow").await,
        }
    }

    /// Writes what was changed.
    ///
    /// # Errors
    /// Those of writing a file.
    pub async fn save(&self, proc: &Proc) -> Result<(), Errno> {
        for table in [&self.users, &self.groups, &self.shadow, &self.gshadow] {
            table.save(proc).await?;
        }
        Ok(())
    }

    /// Adds a group.
    pub fn add_group(&mut self, proc: &Proc, name: &str, gid: u32) {
        self.groups.push(&[name, "x", &gid.to_string(), ""]);
        if self.gshadow.exists(proc) {
            self.gshadow.push(&[name, "!", "", ""]);
        }
    }

    /// Adds a user without a password.
    pub fn add_user(&mut self, proc: &Proc, user: &NewUser<'_>) {
        let (uid, gid) = (user.uid.to_string(), user.gid.to_string());
        self.users.push(&[user.name, "x", &uid, &gid, user.comment, user.home, user.shell]);
        if self.shadow.exists(proc) {
            let days = (proc.now().seconds() / 86_400).to_string();
            let ageing = if user.is_system { ["", "", ""] } else { ["0", "99999", "7"] };
            self.shadow.push(&[user.name, user.password, &days, ageing[0], ageing[1], ageing[2], "", "", ""]);
        }
    }

    /// A group's number, by name or number.
    pub fn gid(&self, group: &str) -> Option<u32> {
        let by_name = self.groups.get(group).and_then(|row| Table::number(row));
        by_name.or_else(|| group.parse().ok().filter(|number| self.groups.by_number(*number).is_some()))
    }
}

/// A user to be added.
pub struct NewUser<'a> {
    /// The name.
    pub name: &'a str,
    /// The number.
    pub uid: u32,
    /// The first group.
    pub gid: u32,
    /// What people call them.
    pub comment: &'a str,
    /// The home directory.
    pub home: &'a str,
    /// The login shell.
    pub shell: &'a str,
    /// The password's field in shadow: `!` or `*`.
    pub password: &'a str,
    /// Whether it is an account of a service.
    pub is_system: bool,
}

/// Makes a home directory with what `/etc/skel` holds.
pub async fn make_home(proc: &Proc, home: &str, uid: u32, gid: u32, skeleton: bool) {
    super::make_dirs(proc, home);
    let mut paths = vec![home.to_owned()];
    if skeleton {
        for entry in proc.readdir(b"/etc/skel").unwrap_or_default() {
            let to = format!("{home}/{}", entry.name);
            if let Ok(content) = proc.read_file(format!("/etc/skel/{}", entry.name).as_bytes()).await
                && proc.write_file(to.as_bytes(), &content).await.is_ok()
            {
                paths.push(to);
            }
        }
    }
    for path in paths {
        // The administrator may do this; an error shows in the listing.
        let _ = proc.chown(path.as_bytes(), Some(uid), Some(gid), false);
    }
}

/// Whether a name is one that accounts may have (`NAME_REGEX`).
pub fn is_valid_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_lowercase() || b == b'_')
        && bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-' | b'$'))
        && name.len() <= 32
}
