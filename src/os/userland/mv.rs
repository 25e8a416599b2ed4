//! `mv`: renames, and copies where a name can't cross file systems.

use super::copy::{Options, copy, destinations};
use super::program::{Done, Run, quoted, run, spec, trimmed};
use super::rm::remove;
use crate::base::errno::Errno;
use crate::os::args::{flag, value};
use crate::os::kernel::Proc;

spec!(
    SPEC,
    "mv",
    "[OPTION]... SOURCE... DEST",
    [
        flag('f', "force"),
        flag('i', "interactive"),
        flag('n', "no-clobber"),
        flag('T', "no-target-directory"),
        flag('u', "update"),
        flag('v', "verbose"),
        value('t', "target-directory"),
    ]
);

/// `mv`.
pub async fn main(proc: Proc) -> i32 {
    run(proc, &SPEC, |run| Box::pin(body(run))).await
}

async fn body(run: &mut Run) -> Done {
    let into = run.args.value('t').map(ToOwned::to_owned);
    let pairs = match destinations(run, into, run.args.has('T')).await {
        Ok(pairs) => pairs,
        Err(status) => return Ok(status),
    };
    let (verbose, no_clobber) = (run.args.has('v'), run.args.has('n'));
    for (from, to) in pairs {
        let source = match run.proc.lstat(trimmed(&from)) {
            Ok(stat) => stat,
            Err(error) => {
                let what = if run.is_busybox() { "cannot rename" } else { "cannot stat" };
                run.complain_of(what, &from, error).await;
                continue;
            }
        };
        if let Ok(target) = run.proc.lstat(&to) {
            if (target.dev, target.ino) == (source.dev, source.ino) && from == to {
                run.complain(format!("{} and {} are the same file", quoted(&from), quoted(&to))).await;
                continue;
            }
            if no_clobber {
                continue;
            }
            if target.is_dir() && !source.is_dir() {
                run.complain(format!("cannot overwrite directory {} with non-directory", quoted(&to))).await;
                continue;
            }
            if !target.is_dir() && source.is_dir() {
                let text = format!("cannot overwrite non-directory {} with directory {}", quoted(&to), quoted(&from));
                run.complain(text).await;
                continue;
            }
        }
        match run.proc.rename(trimmed(&from), &to) {
            Ok(()) if verbose => run.put(format!("renamed {} -> {}\n", quoted(&from), quoted(&to))).await?,
            Ok(()) => {}
            Err(Errno::EXDEV) => {
                let before = std::mem::take(&mut run.status);
                let options = Options {
                    recursive: true,
                    preserve: true,
                    xattrs: !run.is_busybox(),
                    force: true,
                    verbose,
                    ..Options::default()
                };
                copy(run, &from, &to, options).await?;
                if run.status == 0 {
                    remove(run, trimmed(&from), true, false).await?;
                }
                run.status = run.status.max(before);
            }
            Err(Errno::EINVAL) => {
                let text = format!("cannot move {} to a subdirectory of itself, {}", quoted(&from), quoted(&to));
                run.complain(text).await;
            }
            Err(error) => {
                run.complain(format!("cannot move {} to {}: {}", quoted(&from), quoted(&to), error.strerror())).await;
            }
        }
    }
    Ok(0)
}
