//! `rmdir`.

use bstr::BString;

use super::program::{Done, Run, quoted, run, spec, trimmed};
use crate::base::errno::Errno;
use crate::base::path;
use crate::os::args::{flag, long_flag};
use crate::os::kernel::Proc;

spec!(
    SPEC,
    "rmdir",
    "[OPTION]... DIRECTORY...",
    [flag('p', "parents"), flag('v', "verbose"), long_flag("ignore-fail-on-non-empty")]
);

/// `rmdir`.
pub async fn main(proc: Proc) -> i32 {
    run(proc, &SPEC, |run| Box::pin(body(run))).await
}

async fn body(run: &mut Run) -> Done {
    if run.args.operands.is_empty() {
        return Ok(run.missing("missing operand").await);
    }
    for operand in run.args.operands.clone() {
        let mut at: BString = operand;
        loop {
            if run.args.has('v') {
                let text = format!("{}: removing directory, {}\n", run.name, quoted(&at));
                run.put(text).await?;
            }
            match run.proc.rmdir(&at) {
                Ok(()) => {}
                Err(Errno::ENOTEMPTY) if run.args.has("ignore-fail-on-non-empty") => break,
                Err(error) if run.is_busybox() => {
                    run.complain(format!("'{at}': {}", error.strerror())).await;
                    break;
                }
                Err(error) => {
                    run.complain_of("failed to remove", &at, error).await;
                    break;
                }
            }
            let up = path::parent(trimmed(&at)).to_owned();
            if !run.args.has('p') || up == "." || up == "/" {
                break;
            }
            at = up;
        }
    }
    Ok(0)
}
