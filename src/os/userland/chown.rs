//! `chown` and `chgrp`.

use bstr::{BString, ByteSlice};

use super::names::Names;
use super::program::{Done, Run, number, quoted, run, spec};
use super::walk::Walk;
use crate::base::errno::Errno;
use crate::os::args::{flag, long_value};
use crate::os::kernel::Proc;

spec!(
    SPEC,
    "chown",
    "[OPTION]... [OWNER][:[GROUP]] FILE...",
    [
        flag('R', "recursive"),
        flag('v', "verbose"),
        flag('c', "changes"),
        flag('f', "silent"),
        flag('h', "no-dereference"),
        flag('L', ""),
        flag('P', ""),
        flag('H', ""),
        long_value("reference")
    ]
);
spec!(
    CHGRP,
    "chgrp",
    "[OPTION]... GROUP FILE...",
    [
        flag('R', "recursive"),
        flag('v', "verbose"),
        flag('c', "changes"),
        flag('f', "silent"),
        flag('h', "no-dereference"),
        long_value("reference")
    ]
);

/// `chown`.
pub async fn main(proc: Proc) -> i32 {
    run(proc, &SPEC, |run| Box::pin(body(run, false))).await
}

/// `chgrp`.
pub async fn chgrp(proc: Proc) -> i32 {
    run(proc, &CHGRP, |run| Box::pin(body(run, true))).await
}

type Owners = (Option<u32>, Option<u32>);

/// `user`, `user:group`, `user:`, `:group`; numbers or names.
fn owners(names: &Names, given: &[u8], only_group: bool) -> Result<Owners, String> {
    let group = |name: &[u8]| match names.groups.get(bstr::BStr::new(name)).copied().or_else(|| number(name)) {
        Some(gid) => Ok(gid),
        None => Err(format!("invalid group: {}", quoted(given))),
    };
    if only_group {
        return Ok((None, Some(group(given)?)));
    }
    let (user, rest) = match given
        .split_once_str(":")
        .or_else(|| given.split_once_str(".").filter(|_| !names.users.contains_key(bstr::BStr::new(given))))
    {
        Some((user, rest)) => (user, Some(rest)),
        None => (given, None),
    };
    let known = names.users.get(bstr::BStr::new(user));
    let uid = match (user.is_empty(), known) {
        (true, _) => None,
        (false, Some(user)) => Some(user.uid),
        (false, None) => Some(number(user).ok_or_else(|| format!("invalid user: {}", quoted(given)))?),
    };
    let gid = match rest {
        None => None,
        Some([]) => known.map(|user| user.gid),
        Some(rest) => Some(group(rest)?),
    };
    Ok((uid, gid))
}

async fn body(run: &mut Run, only_group: bool) -> Done {
    let names = Names::load(&run.proc).await;
    let mut operands = run.args.operands.clone();
    let (uid, gid) = match run.args.value("reference").map(ToOwned::to_owned) {
        Some(path) => match run.proc.stat(&path) {
            Ok(stat) => ((!only_group).then_some(stat.meta.uid), Some(stat.meta.gid)),
            Err(error) => {
                run.complain_of("failed to get attributes of", &path, error).await;
                return Ok(1);
            }
        },
        None if operands.is_empty() => return Ok(run.missing("missing operand").await),
        None => {
            let given: BString = operands.remove(0);
            match owners(&names, &given, only_group) {
                Ok(owners) => owners,
                Err(text) => {
                    let text = if run.is_busybox() { format!("unknown user/group {given}") } else { text };
                    run.complain(text).await;
                    return Ok(1);
                }
            }
        }
    };
    if operands.is_empty() {
        let last = run.args.operands.last().cloned().unwrap_or_default();
        return Ok(run.missing(format!("missing operand after {}", quoted(&last))).await);
    }
    let verbose = run.args.has('v') || run.args.has('c');
    let follow = !run.args.has('h');
    for operand in operands {
        let mut walk = Walk::new(&run.proc, &operand);
        walk.max_depth = if run.args.has('R') { usize::MAX } else { 0 };
        while let Some(visit) = walk.next().await {
            if visit.leaving {
                continue;
            }
            let stat = if follow && visit.depth == 0 { run.proc.stat(&visit.path) } else { visit.stat };
            let done: Result<(), Errno> = match stat {
                Ok(_) => run.proc.chown(&visit.path, uid, gid, follow && visit.depth == 0),
                Err(error) if run.is_busybox() => Err(error),
                Err(error) => {
                    run.complain_of("cannot access", &visit.path, error).await;
                    continue;
                }
            };
            match done {
                Ok(()) if verbose => {
                    let what = if only_group { "group" } else { "ownership" };
                    let owner = match (uid, gid) {
                        (Some(uid), Some(gid)) => format!("{}:{}", names.user(uid), names.group(gid)),
                        (Some(uid), None) => names.user(uid).to_string(),
                        (None, Some(gid)) if only_group => names.group(gid).to_string(),
                        (None, Some(gid)) => format!(":{}", names.group(gid)),
                        (None, None) => String::new(),
                    };
                    run.put(format!("changed {what} of {} to {owner}\n", quoted(&visit.path))).await?;
                }
                Ok(()) => {}
                Err(_) if run.args.has('f') => run.status = 1,
                Err(error) if run.is_busybox() => run.complain_path(&visit.path, error).await,
                Err(error) => {
                    let what = if only_group { "group" } else { "ownership" };
                    let text = format!("changing {what} of {}: {}", quoted(&visit.path), error.strerror());
                    run.complain(text).await;
                }
            }
        }
    }
    Ok(0)
}
