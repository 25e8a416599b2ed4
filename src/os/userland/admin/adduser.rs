//! `adduser`, `addgroup`, `deluser`, `delgroup`: Debian's scripts and busybox's applets.

use super::accounts::{Accounts, NewUser, Table, make_home};
use super::{Line, fault_text, run};
use crate::base::path;
use crate::os::args::scan::Opt;
use crate::os::args::{flag, long_flag, long_value, value};
use crate::os::kernel::{Flavour, Proc};

const DEBIAN: &[Opt] = &[
    long_flag("system"),
    long_flag("group"),
    long_flag("quiet"),
    long_flag("verbose"),
    long_flag("disabled-login"),
    long_flag("disabled-password"),
    long_flag("no-create-home"),
    long_flag("force-badname"),
    long_flag("allow-bad-names"),
    long_flag("allow-badname"),
    long_flag("remove-home"),
    long_flag("comment-only"),
    long_value("home"),
    long_value("shell"),
    long_value("uid"),
    long_value("gid"),
    long_value("ingroup"),
    long_value("gecos"),
    long_value("comment"),
];
const BUSYBOX: &[Opt] = &[
    flag('S', ""),
    flag('D', ""),
    flag('H', ""),
    value('h', ""),
    value('g', ""),
    value('G', ""),
    value('s', ""),
    value('u', ""),
];
const BUSYBOX_GROUP: &[Opt] = &[flag('S', ""), value('g', "")];

/// What both programs are asked, whichever way it was written.
struct Wish {
    is_system: bool,
    is_quiet: bool,
    with_home: bool,
    home: Option<String>,
    shell: Option<String>,
    number: Option<String>,
    group: Option<String>,
    /// A group of the user's own name.
    own_group: bool,
    comment: Option<String>,
}

async fn read(proc: &Proc, is_group: bool) -> Result<(Wish, Vec<String>), i32> {
    let program = if is_group { "addgroup" } else { "adduser" };
    let busybox = proc.flavour() == Flavour::Busybox;
    let table = match (busybox, is_group) {
        (false, _) => DEBIAN,
        (true, false) => BUSYBOX,
        (true, true) => BUSYBOX_GROUP,
    };
    let line = match Line::read(table, &proc.args()) {
        Ok(line) => line,
        Err(fault) => {
            proc.eprint(format!("{program}: {}\n", fault_text(&fault))).await;
            return Err(1);
        }
    };
    let text = |option: &str| line.value(option).map(str::to_owned);
    let wish = if busybox {
        Wish {
            is_system: line.has("S"),
            is_quiet: true,
            with_home: !line.has("H"),
            home: text("h"),
            shell: text("s"),
            number: if is_group { text("g") } else { text("u") },
            group: text("G"),
            own_group: !line.has("S"),
            comment: text("g"),
        }
    } else {
        let is_system = line.has("system");
        Wish {
            is_system,
            is_quiet: line.has("quiet"),
            with_home: !line.has("no-create-home"),
            home: text("home"),
            shell: text("shell"),
            number: if is_group { text("gid") } else { text("uid") },
            group: text("ingroup").or_else(|| text("gid").filter(|_| !is_group)),
            own_group: !is_system || line.has("group"),
            comment: text("gecos").or_else(|| text("comment")),
        }
    };
    if line.operands.is_empty() {
        let text = if busybox {
            format!("Usage: {program} [OPTIONS] {} [GROUP]\n", if is_group { "GROUP" } else { "USER" })
        } else {
            format!("{program}: Only one or two names allowed.\n")
        };
        proc.eprint(text).await;
        return Err(1);
    }
    if proc.cred().uid != 0 {
        let who = if busybox {
            format!("{program}: permission denied (are you root?)\n")
        } else {
            format!("{program}: Only root may add a user or group to the system.\n")
        };
        proc.eprint(who).await;
        return Err(1);
    }
    Ok((wish, line.operands))
}

async fn say(proc: &Proc, wish: &Wish, text: String) {
    if !wish.is_quiet {
        let _ = proc.print(text).await;
    }
}

async fn save(proc: &Proc, accounts: &Accounts) -> i32 {
    match accounts.save(proc).await {
        Ok(()) => 0,
        Err(error) => {
            proc.eprint(format!("adduser: /etc/passwd: {}\n", error.strerror())).await;
            1
        }
    }
}

/// `addgroup`; with two names, adds a user to a group.
pub async fn addgroup(proc: Proc) -> i32 {
    let (wish, names) = match read(&proc, true).await {
        Ok(read) => read,
        Err(status) => return status,
    };
    let mut accounts = Accounts::load(&proc).await;
    if let [user, group, ..] = names.as_slice() {
        return join(&proc, &wish, &mut accounts, user, group).await;
    }
    let name = names.first().map_or("", String::as_str);
    let busybox = proc.flavour() == Flavour::Busybox;
    if let Some(row) = accounts.groups.get(name) {
        if busybox {
            proc.eprint(format!("addgroup: group '{name}' in use\n")).await;
            return 1;
        }
        let system = Table::number(row).is_some_and(|gid| gid < 1000);
        if wish.is_system && system {
            say(&proc, &wish, format!("addgroup: The group `{name}' already exists as a system group. Exiting.\n"))
                .await;
            return 0;
        }
        proc.eprint(format!("addgroup: The group `{name}' already exists.\n")).await;
        return 1;
    }
    let Some(gid) = group_number(&accounts, wish.number.as_deref(), wish.is_system, busybox) else {
        proc.eprint(format!("addgroup: The GID `{}' is already in use.\n", wish.number.unwrap_or_default())).await;
        return 1;
    };
    accounts.add_group(&proc, name, gid);
    say(&proc, &wish, format!("Adding group `{name}' (GID {gid}) ...\n")).await;
    let status = save(&proc, &accounts).await;
    if status == 0 {
        say(&proc, &wish, "Done.\n".to_owned()).await;
    }
    status
}

/// The number of a new group.
fn group_number(accounts: &Accounts, wanted: Option<&str>, is_system: bool, busybox: bool) -> Option<u32> {
    match wanted {
        Some(number) => number.parse().ok().filter(|number| accounts.groups.by_number(*number).is_none()),
        None if is_system => accounts.groups.free_number(if busybox { 101 } else { 100 }, 999, false),
        None => accounts.groups.free_number(1000, 59_999, false),
    }
}

async fn join(proc: &Proc, wish: &Wish, accounts: &mut Accounts, user: &str, group: &str) -> i32 {
    for (there, kind, name) in
        [(accounts.users.get(user).is_some(), "user", user), (accounts.groups.get(group).is_some(), "group", group)]
    {
        if !there {
            proc.eprint(format!("adduser: The {kind} `{name}' does not exist.\n")).await;
            return 1;
        }
    }
    say(proc, wish, format!("Adding user `{user}' to group `{group}' ...\nAdding user {user} to group {group}\n"))
        .await;
    accounts.groups.add_member(group, user);
    let status = save(proc, accounts).await;
    if status == 0 {
        say(proc, wish, "Done.\n".to_owned()).await;
    }
    status
}

/// Whether the program was called by this name: one script has two.
fn called(proc: &Proc, name: &str) -> bool {
    proc.args().first().is_some_and(|own| path::file_name(own) == name)
}

/// `adduser`; with two names, adds a user to a group.
pub async fn adduser(proc: Proc) -> i32 {
    if called(&proc, "addgroup") {
        return addgroup(proc).await;
    }
    let (wish, names) = match read(&proc, false).await {
        Ok(read) => read,
        Err(status) => return status,
    };
    let mut accounts = Accounts::load(&proc).await;
    if let [user, group, ..] = names.as_slice() {
        return join(&proc, &wish, &mut accounts, user, group).await;
    }
    let name = names.first().map_or("", String::as_str);
    let busybox = proc.flavour() == Flavour::Busybox;
    if accounts.users.get(name).is_some() {
        if wish.is_system && !busybox {
            say(&proc, &wish, format!("The system user `{name}' already exists. Exiting.\n")).await;
            return 0;
        }
        proc.eprint(if busybox {
            format!("adduser: user '{name}' in use\n")
        } else {
            format!("adduser: The user `{name}' already exists.\n")
        })
        .await;
        return 1;
    }
    let uid = match &wish.number {
        Some(number) => number.parse().ok().filter(|number| accounts.users.by_number(*number).is_none()),
        None if wish.is_system => accounts.users.free_number(100, 999, false),
        None => accounts.users.free_number(1000, 59_999, false),
    };
    let Some(uid) = uid else {
        proc.eprint(format!("adduser: The UID {} is already in use.\n", wish.number.unwrap_or_default())).await;
        return 1;
    };
    let kind = if wish.is_system { "system user" } else { "user" };
    say(&proc, &wish, format!("Adding {kind} `{name}' (UID {uid}) ...\n")).await;
    let gid = match &wish.group {
        Some(group) => match accounts.gid(group) {
            Some(gid) => gid,
            None => {
                proc.eprint(format!("adduser: The group `{group}' does not exist.\n")).await;
                return 1;
            }
        },
        None if wish.own_group => {
            let same = accounts.groups.get(name).and_then(|row| Table::number(row));
            let free = Some(uid).filter(|uid| accounts.groups.by_number(*uid).is_none());
            let made = free.or_else(|| group_number(&accounts, None, wish.is_system, busybox));
            let Some(gid) = same.or(made) else { return 1 };
            if same.is_none() {
                say(&proc, &wish, format!("Adding new group `{name}' (GID {gid}) ...\n")).await;
                accounts.add_group(&proc, name, gid);
            }
            gid
        }
        None => 65_534,
    };
    let nologin = if busybox { "/sbin/nologin" } else { "/usr/sbin/nologin" };
    let (plain_shell, plain_home) = match (busybox, wish.is_system) {
        (_, true) => (nologin, if busybox { format!("/home/{name}") } else { "/nonexistent".to_owned() }),
        (true, false) => ("/bin/ash", format!("/home/{name}")),
        (false, false) => ("/bin/bash", format!("/home/{name}")),
    };
    let home = wish.home.clone().unwrap_or(plain_home);
    say(
        &proc,
        &wish,
        format!("Adding new user `{name}' (UID {uid}) with group `{}' ...\n", group_name(&accounts, gid)),
    )
    .await;
    let people = if wish.is_system { "" } else { ",,," };
    accounts.add_user(
        &proc,
        &NewUser {
            name,
            uid,
            gid,
            comment: wish.comment.as_deref().unwrap_or(if busybox { "Linux User,,," } else { people }),
            home: &home,
            shell: wish.shell.as_deref().unwrap_or(plain_shell),
            password: if wish.is_system { "!" } else { "*" },
            is_system: wish.is_system,
        },
    );
    if let Some(group) = wish.group.as_deref().filter(|_| busybox) {
        accounts.groups.add_member(group, name);
    }
    let status = save(&proc, &accounts).await;
    let system_without_home = wish.is_system && (busybox || wish.home.is_none());
    if status == 0 && wish.with_home && !system_without_home {
        if proc.stat(home.as_bytes()).is_ok() {
            say(&proc, &wish, format!("The home directory `{home}' already exists.  Not copying from `/etc/skel'.\n"))
                .await;
        } else {
            say(&proc, &wish, format!("Creating home directory `{home}' ...\n")).await;
            make_home(&proc, &home, uid, gid, !wish.is_system).await;
        }
    } else if status == 0 {
        say(&proc, &wish, format!("Not creating home directory `{home}'.\n")).await;
    }
    status
}

fn group_name(accounts: &Accounts, gid: u32) -> String {
    let name = accounts.groups.by_number(gid).and_then(|row| row.first());
    name.cloned().unwrap_or_else(|| gid.to_string())
}

/// `deluser`; with two names, takes a user out of a group.
pub async fn deluser(proc: Proc) -> i32 {
    if called(&proc, "delgroup") {
        return delgroup(proc).await;
    }
    let (wish, names) = match read(&proc, false).await {
        Ok(read) => read,
        Err(status) => return status,
    };
    let mut accounts = Accounts::load(&proc).await;
    let name = names.first().cloned().unwrap_or_default();
    if accounts.users.get(&name).is_none() {
        proc.eprint(format!("deluser: The user `{name}' does not exist.\n")).await;
        return if wish.is_system { 0 } else { 2 };
    }
    if let Some(group) = names.get(1) {
        let keep: Vec<String> =
            accounts.groups.rows.iter().filter_map(|row| row.first()).filter(|own| *own != group).cloned().collect();
        accounts.groups.remove_member(&name, &keep);
        say(&proc, &wish, format!("Removing user `{name}' from group `{group}' ...\nDone.\n")).await;
        return save(&proc, &accounts).await;
    }
    say(&proc, &wish, format!("Removing user `{name}' ...\n")).await;
    let quiet = save(&proc, &accounts).await;
    let status = run(&proc, &["userdel", &name]).await;
    if status == 127 {
        // Busybox has no userdel.
        accounts.users.remove(&name);
        accounts.shadow.remove(&name);
        accounts.groups.remove_member(&name, &[]);
        return save(&proc, &accounts).await;
    }
    say(&proc, &wish, "Done.\n".to_owned()).await;
    status.max(quiet)
}

/// `delgroup`.
pub async fn delgroup(proc: Proc) -> i32 {
    let (wish, names) = match read(&proc, true).await {
        Ok(read) => read,
        Err(status) => return status,
    };
    let mut accounts = Accounts::load(&proc).await;
    let name = names.first().cloned().unwrap_or_default();
    if !accounts.groups.remove(&name) {
        proc.eprint(format!("delgroup: The group `{name}' does not exist.\n")).await;
        return if wish.is_system { 0 } else { 3 };
    }
    accounts.gshadow.remove(&name);
    say(&proc, &wish, format!("Removing group `{name}' ...\nDone.\n")).await;
    save(&proc, &accounts).await
}
