//! `install`: copies with owner and mode (coreutils, BusyBox).

use super::names::Names;
use super::program::{Done, Run, number, quoted, run, spec, text};
use crate::os::args::{flag, value};
use crate::os::kernel::Proc;

spec!(
    SPEC,
    "install",
    "[OPTION]... [-T] SOURCE DEST",
    [
        flag('d', "directory"),
        flag('D', ""),
        flag('c', ""),
        flag('p', "preserve-timestamps"),
        flag('s', "strip"),
        flag('v', "verbose"),
        flag('T', "no-target-directory"),
        value('m', "mode"),
        value('o', "owner"),
        value('g', "group"),
        value('t', "target-directory"),
    ]
);

/// `install`.
pub async fn main(proc: Proc) -> i32 {
    run(proc, &SPEC, |run| Box::pin(body(run))).await
}

async fn body(run: &mut Run) -> Done {
    let names = Names::load(&run.proc).await;
    let mode = run
        .args
        .value('m')
        .map_or(Some(0o755), |m| super::mode::parse(&text(m)).map(|change| change.apply(0, false, 0)));
    let Some(mode) = mode else {
        let given = text(run.args.value('m').map_or(b"".as_slice(), |m| m));
        run.complain(format!("invalid mode {}", quoted(given.as_bytes()))).await;
        return Ok(1);
    };
    let uid =
        run.args.value('o').map(|o| number::<u32>(o).or_else(|| names.users.get(&o.to_owned()).map(|user| user.uid)));
    let gid = run.args.value('g').map(|g| number::<u32>(g).or_else(|| names.groups.get(&g.to_owned()).copied()));
    if uid == Some(None) || gid == Some(None) {
        let (what, who) = if uid == Some(None) { ("user", 'o') } else { ("group", 'g') };
        let who = text(run.args.value(who).map_or(b"".as_slice(), |name| name));
        run.complain(format!("invalid {what} {}", quoted(who.as_bytes()))).await;
        return Ok(1);
    }
    let (uid, gid) = (uid.flatten(), gid.flatten());
    let mut pairs = Vec::new();
    let folders = run.args.has('d');
    if folders {
        pairs.extend(run.args.operands.iter().map(|path| (path.clone(), path.clone())));
        if pairs.is_empty() {
            return Ok(run.missing("missing file operand").await);
        }
    } else {
        let into = run.args.value('t').map(ToOwned::to_owned);
        if run.args.has('D') {
            let parent = match &into {
                Some(dir) => Some(dir.clone()),
                None => run.args.operands.last().map(|to| crate::base::path::parent(to).to_owned()),
            };
            make_folders(run, parent.as_ref().map_or(b"", |dir| dir)).await;
        }
        let plain = run.args.has('T');
        match super::copy::destinations(run, into, plain).await {
            Ok(found) => pairs = found,
            Err(status) => return Ok(status),
        }
    }
    for (from, to) in pairs {
        let done = match folders {
            true => {
                make_folders(run, &to).await;
                Ok(())
            }
            false => {
                let _ = run.proc.unlink(&to);
                match run.proc.read_file(&from).await {
                    Ok(content) => run.proc.write_file(&to, &content).await,
                    Err(error) => {
                        run.complain_of("cannot stat", &from, error).await;
                        continue;
                    }
                }
            }
        };
        let mut result = done.and_then(|()| run.proc.chmod(&to, mode));
        if uid.is_some() || gid.is_some() {
            result = result.and_then(|()| run.proc.chown(&to, uid, gid, true)).and_then(|()| run.proc.chmod(&to, mode));
        }
        if run.args.has('p')
            && !folders
            && let Ok(stat) = run.proc.stat(&from)
        {
            result = result.and_then(|()| run.proc.set_mtime(&to, stat.meta.mtime, true));
        }
        if let Err(error) = result {
            run.complain_of("cannot create regular file", &to, error).await;
        } else if run.args.has('v') {
            let line = match folders {
                true => format!("install: creating directory {}\n", quoted(&to)),
                false => format!("{} -> {}\n", quoted(&from), quoted(&to)),
            };
            run.put(line).await?;
        }
    }
    Ok(0)
}

/// A folder and those above it, as far as they are missing.
async fn make_folders(run: &mut Run, path: &[u8]) {
    let mut at = Vec::new();
    for (place, part) in path.split(|byte| *byte == b'/').enumerate() {
        if place > 0 {
            at.push(b'/');
        }
        at.extend_from_slice(part);
        if part.is_empty() || run.proc.stat(&at).is_ok() {
            continue;
        }
        if let Err(error) = run.proc.mkdir(&at, 0o755) {
            run.complain_of("cannot create directory", &at, error).await;
            return;
        }
    }
}
