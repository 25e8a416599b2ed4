//! `readlink` and `realpath`.

use bstr::BString;

use super::program::{Done, Run, run, spec};
use crate::base::errno::Errno;
use crate::base::path;
use crate::os::args::flag;
use crate::os::kernel::Proc;

spec!(
    SPEC,
    "readlink",
    "[OPTION]... FILE...",
    [
        flag('f', "canonicalize"),
        flag('e', "canonicalize-existing"),
        flag('m', "canonicalize-missing"),
        flag('n', "no-newline"),
        flag('q', "quiet"),
        flag('s', "silent"),
        flag('v', "verbose"),
        flag('z', "zero"),
    ]
);
spec!(
    REALPATH,
    "realpath",
    "[OPTION]... FILE...",
    [
        flag('e', "canonicalize-existing"),
        flag('m', "canonicalize-missing"),
        flag('q', "quiet"),
        flag('s', "strip"),
        flag('z', "zero"),
    ]
);

/// `readlink`.
pub async fn main(proc: Proc) -> i32 {
    run(proc, &SPEC, |run| Box::pin(body(run))).await
}

/// `realpath`.
pub async fn realpath(proc: Proc) -> i32 {
    run(proc, &REALPATH, |run| Box::pin(real_body(run))).await
}

async fn body(run: &mut Run) -> Done {
    if run.args.operands.is_empty() {
        return Ok(run.missing("missing operand").await);
    }
    for operand in run.args.operands.clone() {
        let found = match run.args.last_of(&['f', 'e', 'm']) {
            None => run.proc.readlink(&operand),
            Some(how) => canonical(run, &operand, how),
        };
        match found {
            Ok(mut text) => {
                if !run.args.has('n') {
                    text.push(if run.args.has('z') { 0 } else { b'\n' });
                }
                run.put(text).await?;
            }
            Err(error) if run.args.has('v') => run.complain_path(&operand, error).await,
            Err(_) => run.status = 1,
        }
    }
    Ok(0)
}

async fn real_body(run: &mut Run) -> Done {
    if run.args.operands.is_empty() {
        return Ok(run.missing("missing operand").await);
    }
    for operand in run.args.operands.clone() {
        let found = if run.args.has('s') {
            Ok(path::normalize(&path::join(&run.proc.cwd(), &operand)))
        } else {
            canonical(run, &operand, run.args.last_of(&['e', 'm']).unwrap_or('f'))
        };
        match found {
            Ok(mut text) => {
                text.push(if run.args.has('z') { 0 } else { b'\n' });
                run.put(text).await?;
            }
            Err(_) if run.args.has('q') => run.status = 1,
            Err(error) => run.complain_path(&operand, error).await,
        }
    }
    Ok(0)
}

/// The path without links: all of it must be there (`e`), all but the last name (`f`), or nothing (`m`).
fn canonical(run: &Run, operand: &[u8], how: char) -> Result<BString, Errno> {
    let mut at: BString = operand.into();
    // A link to nowhere is followed as far as it goes.
    for _ in 0..40 {
        match run.proc.realpath(&at) {
            Ok(found) => return Ok(found),
            Err(error) if how == 'e' || error == Errno::ELOOP => return Err(error),
            Err(_) => {}
        }
        let parent = path::parent(&at).to_owned();
        let dir = match run.proc.realpath(&parent) {
            Ok(dir) => dir,
            Err(error) if how == 'f' => return Err(error),
            Err(_) => return Ok(path::normalize(&path::join(&run.proc.cwd(), &at))),
        };
        let full = path::join(&dir, path::file_name(&at));
        match run.proc.readlink(&full) {
            Ok(target) => at = path::join(&dir, &target),
            Err(_) => return Ok(path::normalize(&full)),
        }
    }
    Err(Errno::ELOOP)
}
