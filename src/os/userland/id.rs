//! `id`, `whoami`, `groups`.

use bstr::BString;

use super::names::Names;
use super::program::{Done, Run, quoted, run, spec};
use crate::os::args::flag;
use crate::os::kernel::Proc;

spec!(
    SPEC,
    "id",
    "[OPTION]... [USER]...",
    [
        flag('u', "user"),
        flag('g', "group"),
        flag('G', "groups"),
        flag('n', "name"),
        flag('r', "real"),
        flag('z', "zero"),
        flag('a', "")
    ]
);
spec!(WHOAMI, "whoami", "[OPTION]...", []);
spec!(GROUPS, "groups", "[OPTION]... [USERNAME]...", []);

/// `id`.
pub async fn main(proc: Proc) -> i32 {
    run(proc, &SPEC, |run| Box::pin(body(run))).await
}

/// `whoami`.
pub async fn whoami(proc: Proc) -> i32 {
    run(proc, &WHOAMI, |run| Box::pin(whoami_body(run))).await
}

/// `groups`.
pub async fn groups(proc: Proc) -> i32 {
    run(proc, &GROUPS, |run| Box::pin(groups_body(run))).await
}

/// User, group and all groups of a user, or of this process.
fn identity(run: &Run, names: &Names, user: Option<&BString>) -> Option<(u32, u32, Vec<u32>)> {
    let (uid, gid, more) = match user {
        None => {
            let cred = run.proc.cred();
            (cred.uid, cred.gid, cred.groups)
        }
        Some(name) => {
            let uid = super::program::number::<u32>(name).filter(|_| !names.users.contains_key(name));
            let name = uid.and_then(|uid| names.user_name(uid)).unwrap_or(name);
            let user = names.users.get(name)?;
            (user.uid, user.gid, names.groups_of(name))
        }
    };
    let mut all = vec![gid];
    all.extend(more.into_iter().filter(|g| *g != gid));
    Some((uid, gid, all))
}

async fn body(run: &mut Run) -> Done {
    let names = Names::load(&run.proc).await;
    let users: Vec<Option<BString>> = match run.args.operands.as_slice() {
        [] => vec![None],
        users => users.iter().cloned().map(Some).collect(),
    };
    let named = run.args.has('n');
    if (named || run.args.has('r')) && !(run.args.has('u') || run.args.has('g') || run.args.has('G')) {
        run.complain("cannot print only names or real IDs in default format").await;
        return Ok(1);
    }
    for user in users {
        let Some((uid, gid, all)) = identity(run, &names, user.as_ref()) else {
            let user = user.unwrap_or_default();
            let text = if run.is_busybox() {
                format!("unknown user {user}")
            } else {
                format!("{}: no such user", quoted(&user))
            };
            run.complain(text).await;
            continue;
        };
        let show = |number: u32, name: Option<&BString>| match name {
            Some(name) => format!("{number}({name})"),
            None => number.to_string(),
        };
        let line = if run.args.has('u') {
            if named { names.user(uid).to_string() } else { uid.to_string() }
        } else if run.args.has('g') {
            if named { names.group(gid).to_string() } else { gid.to_string() }
        } else if run.args.has('G') {
            let words: Vec<String> =
                all.iter().map(|g| if named { names.group(*g).to_string() } else { g.to_string() }).collect();
            words.join(" ")
        } else {
            let groups: Vec<String> = all.iter().map(|g| show(*g, names.group_name(*g))).collect();
            format!(
                "uid={} gid={} groups={}",
                show(uid, names.user_name(uid)),
                show(gid, names.group_name(gid)),
                groups.join(",")
            )
        };
        run.put(format!("{line}\n")).await?;
    }
    Ok(0)
}

async fn whoami_body(run: &mut Run) -> Done {
    let names = Names::load(&run.proc).await;
    let uid = run.proc.cred().uid;
    match names.user_name(uid) {
        Some(name) => run.put(format!("{name}\n")).await?,
        None if run.is_busybox() => run.complain(format!("unknown uid {uid}")).await,
        None => run.complain(format!("cannot find name for user ID {uid}")).await,
    }
    Ok(0)
}

async fn groups_body(run: &mut Run) -> Done {
    let names = Names::load(&run.proc).await;
    let users: Vec<Option<BString>> = match run.args.operands.as_slice() {
        [] => vec![None],
        users => users.iter().cloned().map(Some).collect(),
    };
    for user in users {
        let Some((_, _, all)) = identity(run, &names, user.as_ref()) else {
            run.complain(format!("{}: no such user", quoted(&user.unwrap_or_default()))).await;
            continue;
        };
        let words: Vec<String> = all.iter().map(|g| names.group(*g).to_string()).collect();
        let prefix = user.map(|u| format!("{u} : ")).unwrap_or_default();
        run.put(format!("{prefix}{}\n", words.join(" "))).await?;
    }
    Ok(0)
}
