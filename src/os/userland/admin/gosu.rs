//! `gosu` and `su-exec`: become another user and run a program, with no process left in between.

use bstr::BString;

use super::accounts::{Accounts, Table};
use crate::os::fs::mounts::Cred;
use crate::os::kernel::Proc;

/// `gosu`, `su-exec`.
pub async fn main(proc: Proc) -> i32 {
    let args = proc.args();
    let name = args.first().map_or_else(|| "gosu".to_owned(), ToString::to_string);
    let name = name.rsplit('/').next().unwrap_or_default().to_owned();
    if args.get(1).is_some_and(|arg| arg == "--version") {
        return i32::from(proc.print("1.12 (go1.15.15 on linux/amd64; gc)\n").await.is_err());
    }
    let (Some(user), Some(program)) = (args.get(1), args.get(2)) else {
        proc.eprint(format!("Usage: {name} user-spec command [args]\n   eg: {name} tianon bash\n       {name} nobody:root bash -c 'whoami && id'\n")).await;
        return 1;
    };
    let accounts = Accounts::load(&proc).await;
    let spec = user.to_string();
    let (user, group) = spec.split_once(':').map_or((spec.as_str(), None), |(user, group)| (user, Some(group)));
    let row = accounts.users.get(user).cloned().or_else(|| accounts.users.by_number(user.parse().ok()?).cloned());
    let uid = row.as_ref().and_then(|row| Table::number(row)).or_else(|| user.parse().ok());
    let Some(uid) = uid else {
        proc.eprint(format!(
            "error: failed switching to \"{spec}\": unable to find user {user}: no matching entries in passwd file\n"
        ))
        .await;
        return 1;
    };
    let first = row.as_ref().and_then(|row| row.get(3)?.parse().ok()).unwrap_or(0);
    let gid = match group {
        Some(group) => match accounts.gid(group).or_else(|| group.parse().ok()) {
            Some(gid) => gid,
            None => {
                proc.eprint(format!("error: failed switching to \"{spec}\": unable to find group {group}: no matching entries in group file\n")).await;
                return 1;
            }
        },
        None => first,
    };
    let member = |row: &&Vec<String>| row.last().is_some_and(|members| members.split(',').any(|own| own == user));
    let groups = accounts.groups.rows.iter().filter(member).filter_map(|row| Table::number(row)).collect();
    if proc.set_cred(Cred::user(uid, gid, groups)).is_err() {
        proc.eprint(format!("error: failed switching to \"{spec}\": operation not permitted\n")).await;
        return 1;
    }
    let home = row.and_then(|row| row.get(5).cloned()).unwrap_or_else(|| "/".to_owned());
    let mut env: Vec<BString> = proc.env().into_iter().filter(|entry| !entry.starts_with(b"HOME=")).collect();
    env.push(format!("HOME={home}").into());
    let words = args.get(2..).unwrap_or_default().to_vec();
    let Ok(path) = proc.search(program.as_ref()) else {
        proc.eprint(format!("error: exec: \"{program}\": executable file not found in $PATH\n")).await;
        return 1;
    };
    match proc.exec(&path, words, env).await {
        Ok(status) => status,
        Err(error) => {
            proc.eprint(format!("error: {}\n", error.strerror().to_lowercase())).await;
            1
        }
    }
}
