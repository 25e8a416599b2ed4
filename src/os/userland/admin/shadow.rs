//! `groupadd`, `groupdel`, `useradd`, `userdel`, `usermod` (shadow).

use super::accounts::{Accounts, NewUser, Table, is_valid_name, make_home};
use super::{Line, fault_text, run};
use crate::os::args::scan::Opt;
use crate::os::args::{flag, value};
use crate::os::kernel::Proc;

const GROUPADD: &[Opt] = &[flag('r', "system"), value('g', "gid"), flag('f', "force"), flag('o', "non-unique")];
const USERADD: &[Opt] = &[
    flag('r', "system"),
    value('u', "uid"),
    value('g', "gid"),
    value('G', "groups"),
    value('d', "home-dir"),
    value('s', "shell"),
    value('c', "comment"),
    value('p', "password"),
    value('k', "skel"),
    flag('m', "create-home"),
    flag('M', "no-create-home"),
    flag('N', "no-user-group"),
    flag('U', "user-group"),
    flag('o', "non-unique"),
    flag('l', "no-log-init"),
];
const USERMOD: &[Opt] = &[
    value('u', "uid"),
    value('g', "gid"),
    value('G', "groups"),
    flag('a', "append"),
    value('d', "home"),
    flag('m', "move-home"),
    value('s', "shell"),
    value('c', "comment"),
    value('l', "login"),
    value('p', "password"),
    flag('L', "lock"),
    flag('U', "unlock"),
    flag('o', "non-unique"),
];
const USERDEL: &[Opt] = &[flag('r', "remove"), flag('f', "force")];

async fn read(proc: &Proc, table: &'static [Opt], program: &str, what: &str) -> Result<(Line, String), i32> {
    let line = match Line::read(table, &proc.args()) {
        Ok(line) => line,
        Err(fault) => {
            proc.eprint(format!("{program}: {}\n", fault_text(&fault))).await;
            return Err(2);
        }
    };
    let Some(name) = line.operands.last().cloned() else {
        proc.eprint(format!("Usage: {program} [options] {what}\n")).await;
        return Err(2);
    };
    if proc.cred().uid != 0 {
        let file = if what == "GROUP" { "group" } else { "passwd" };
        proc.eprint(format!("{program}: Permission denied.\n{program}: cannot lock /etc/{file}; try again later.\n"))
            .await;
        return Err(1);
    }
    Ok((line, name))
}

async fn fail(proc: &Proc, program: &str, status: i32, message: &str) -> i32 {
    proc.eprint(format!("{program}: {message}\n")).await;
    status
}

async fn save(proc: &Proc, program: &str, accounts: &Accounts) -> i32 {
    match accounts.save(proc).await {
        Ok(()) => 0,
        Err(error) => fail(proc, program, 10, &format!("failure while writing changes: {}", error.strerror())).await,
    }
}

/// A number given with an option: `None` when it is none.
fn number(line: &Line, option: &str) -> Option<Option<u32>> {
    line.value(option).map(|text| text.parse().ok())
}

/// `groupadd`.
pub async fn groupadd(proc: Proc) -> i32 {
    let program = "groupadd";
    let (line, name) = match read(&proc, GROUPADD, program, "GROUP").await {
        Ok(read) => read,
        Err(status) => return status,
    };
    let mut accounts = Accounts::load(&proc).await;
    if !is_valid_name(&name) {
        return fail(&proc, program, 3, &format!("'{name}' is not a valid group name")).await;
    }
    if accounts.groups.get(&name).is_some() {
        if line.has("force") {
            return 0;
        }
        return fail(&proc, program, 9, &format!("group '{name}' already exists")).await;
    }
    let gid = match number(&line, "gid") {
        Some(None) => {
            let text = line.value("gid").unwrap_or_default();
            return fail(&proc, program, 3, &format!("invalid group ID '{text}'")).await;
        }
        Some(Some(gid)) if accounts.groups.by_number(gid).is_some() && !line.has("non-unique") => {
            return fail(&proc, program, 4, &format!("GID '{gid}' already exists")).await;
        }
        Some(Some(gid)) => Some(gid),
        None if line.has("system") => accounts.groups.free_number(101, 999, true),
        None => accounts.groups.free_number(1000, 60_000, false),
    };
    let Some(gid) = gid else { return fail(&proc, program, 4, "Can't get unique GID (no more available GIDs)").await };
    accounts.add_group(&proc, &name, gid);
    save(&proc, program, &accounts).await
}

/// `groupdel`.
pub async fn groupdel(proc: Proc) -> i32 {
    let program = "groupdel";
    let (_, name) = match read(&proc, USERDEL, program, "GROUP").await {
        Ok(read) => read,
        Err(status) => return status,
    };
    let mut accounts = Accounts::load(&proc).await;
    let Some(gid) = accounts.groups.get(&name).and_then(|row| Table::number(row)) else {
        return fail(&proc, program, 6, &format!("group '{name}' does not exist")).await;
    };
    let primary = accounts.users.rows.iter().find(|row| row.get(3).is_some_and(|own| *own == gid.to_string()));
    if let Some(user) = primary.and_then(|row| row.first()) {
        return fail(&proc, program, 8, &format!("cannot remove the primary group of user '{user}'")).await;
    }
    accounts.groups.remove(&name);
    accounts.gshadow.remove(&name);
    save(&proc, program, &accounts).await
}

/// `useradd`.
pub async fn useradd(proc: Proc) -> i32 {
    let program = "useradd";
    let (line, name) = match read(&proc, USERADD, program, "LOGIN").await {
        Ok(read) => read,
        Err(status) => return status,
    };
    let mut accounts = Accounts::load(&proc).await;
    if !is_valid_name(&name) {
        return fail(&proc, program, 3, &format!("invalid user name '{name}'")).await;
    }
    if accounts.users.get(&name).is_some() {
        return fail(&proc, program, 9, &format!("user '{name}' already exists")).await;
    }
    let is_system = line.has("system");
    let uid = match number(&line, "uid") {
        Some(None) => {
            let text = line.value("uid").unwrap_or_default();
            return fail(&proc, program, 3, &format!("invalid user ID '{text}'")).await;
        }
        Some(Some(uid)) if accounts.users.by_number(uid).is_some() && !line.has("non-unique") => {
            return fail(&proc, program, 4, &format!("UID {uid} is not unique")).await;
        }
        Some(Some(uid)) => Some(uid),
        None if is_system => accounts.users.free_number(101, 999, true),
        None => accounts.users.free_number(1000, 60_000, false),
    };
    let Some(uid) = uid else { return fail(&proc, program, 4, "Can't get unique UID (no more available UIDs)").await };
    let gid = match line.value("gid") {
        Some(group) => match accounts.gid(group) {
            Some(gid) => gid,
            None => return fail(&proc, program, 6, &format!("group '{group}' does not exist")).await,
        },
        None if line.has("no-user-group") => 100,
        None => {
            if accounts.groups.get(&name).is_some() {
                let text = format!("group {name} exists - if you want to add this user to that group, use -g.");
                return fail(&proc, program, 9, &text).await;
            }
            let free = if accounts.groups.by_number(uid).is_none() {
                Some(uid)
            } else if is_system {
                accounts.groups.free_number(101, 999, true)
            } else {
                accounts.groups.free_number(1000, 60_000, false)
            };
            let Some(gid) = free else {
                return fail(&proc, program, 4, "Can't get unique GID (no more available GIDs)").await;
            };
            accounts.add_group(&proc, &name, gid);
            gid
        }
    };
    for group in line.value("groups").unwrap_or_default().split(',').filter(|group| !group.is_empty()) {
        if accounts.groups.get(group).is_none() {
            return fail(&proc, program, 6, &format!("group '{group}' does not exist")).await;
        }
        accounts.groups.add_member(group, &name);
    }
    let default_home = format!("/home/{name}");
    let home = line.value("home-dir").unwrap_or(&default_home);
    let user = NewUser {
        name: &name,
        uid,
        gid,
        comment: line.value("comment").unwrap_or_default(),
        home,
        shell: line.value("shell").unwrap_or("/bin/sh"),
        password: line.value("password").unwrap_or("!"),
        is_system,
    };
    accounts.add_user(&proc, &user);
    let status = save(&proc, program, &accounts).await;
    if status == 0 && line.has("create-home") && !line.has("no-create-home") {
        make_home(&proc, home, uid, gid, true).await;
    }
    status
}

/// `userdel`.
pub async fn userdel(proc: Proc) -> i32 {
    let program = "userdel";
    let (line, name) = match read(&proc, USERDEL, program, "LOGIN").await {
        Ok(read) => read,
        Err(status) => return status,
    };
    let mut accounts = Accounts::load(&proc).await;
    let Some(row) = accounts.users.get(&name).cloned() else {
        return fail(&proc, program, 6, &format!("user '{name}' does not exist")).await;
    };
    accounts.users.remove(&name);
    accounts.shadow.remove(&name);
    accounts.groups.remove_member(&name, &[]);
    let own_group = accounts.groups.get(&name).is_some_and(|group| group.get(2) == row.get(3));
    if own_group {
        accounts.groups.remove(&name);
        accounts.gshadow.remove(&name);
    }
    let status = save(&proc, program, &accounts).await;
    if let Some(home) = row.get(5).filter(|home| line.has("remove") && home.len() > 1) {
        run(&proc, &["rm", "-rf", home]).await;
    }
    status
}

/// `usermod`.
pub async fn usermod(proc: Proc) -> i32 {
    let program = "usermod";
    let (line, name) = match read(&proc, USERMOD, program, "LOGIN").await {
        Ok(read) => read,
        Err(status) => return status,
    };
    let mut accounts = Accounts::load(&proc).await;
    if accounts.users.get(&name).is_none() {
        return fail(&proc, program, 6, &format!("user '{name}' does not exist")).await;
    }
    if let Some(groups) = line.value("groups") {
        let groups: Vec<String> = groups.split(',').filter(|group| !group.is_empty()).map(str::to_owned).collect();
        for group in &groups {
            if accounts.groups.get(group).is_none() {
                return fail(&proc, program, 6, &format!("group '{group}' does not exist")).await;
            }
        }
        if !line.has("append") {
            accounts.groups.remove_member(&name, &groups);
        }
        for group in &groups {
            accounts.groups.add_member(group, &name);
        }
    }
    let gid = match line.value("gid") {
        Some(group) => match accounts.gid(group) {
            Some(gid) => Some(gid.to_string()),
            None => return fail(&proc, program, 6, &format!("group '{group}' does not exist")).await,
        },
        None => None,
    };
    let old_home = accounts.users.get(&name).and_then(|row| row.get(5)).cloned().unwrap_or_default();
    let changes = [
        (2, line.value("uid").map(str::to_owned)),
        (3, gid),
        (4, line.value("comment").map(str::to_owned)),
        (5, line.value("home").map(str::to_owned)),
        (6, line.value("shell").map(str::to_owned)),
        (0, line.value("login").map(str::to_owned)),
    ];
    if let Some(row) = accounts.users.get_mut(&name) {
        for (index, new) in changes {
            if let (Some(field), Some(new)) = (row.get_mut(index), new) {
                *field = new;
            }
        }
    }
    if let Some(field) = accounts.shadow.get_mut(&name).and_then(|row| row.get_mut(1)) {
        if line.has("lock") && !field.starts_with('!') {
            field.insert(0, '!');
        } else if line.has("unlock") {
            *field = field.trim_start_matches('!').to_owned();
        }
        if let Some(password) = line.value("password") {
            password.clone_into(field);
        }
    }
    let status = save(&proc, program, &accounts).await;
    if let Some(home) = line.value("home").filter(|_| line.has("move-home") && status == 0) {
        let _ = proc.rename(old_home.as_bytes(), home.as_bytes());
    }
    status
}
