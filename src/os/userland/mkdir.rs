//! `mkdir`.

use bstr::BString;

use super::mode;
use super::program::{Done, Run, below, quoted, run, spec, text};
use crate::base::errno::Errno;
use crate::base::path;
use crate::os::args::{flag, value};
use crate::os::kernel::Proc;

spec!(SPEC, "mkdir", "[OPTION]... DIRECTORY...", [flag('p', "parents"), flag('v', "verbose"), value('m', "mode")]);

/// `mkdir`.
pub async fn main(proc: Proc) -> i32 {
    run(proc, &SPEC, |run| Box::pin(body(run))).await
}

async fn body(run: &mut Run) -> Done {
    if run.args.operands.is_empty() {
        return Ok(run.missing("missing operand").await);
    }
    let mode = match run.args.value('m') {
        Some(given) => match mode::parse(&text(given)) {
            Some(change) => Some(change.apply(0o777, true, run.proc.umask())),
            None => {
                let text = format!("invalid mode '{given}'");
                run.complain(text).await;
                return Ok(1);
            }
        },
        None => None,
    };
    let (parents, verbose) = (run.args.has('p'), run.args.has('v'));
    for operand in run.args.operands.clone() {
        let mut steps = Vec::new();
        if parents {
            let mut at = BString::from(if path::is_absolute(&operand) { "/" } else { "" });
            for name in path::components(&operand) {
                at = if at.is_empty() { name.to_owned() } else { below(&at, name) };
                steps.push(at.clone());
            }
        } else {
            steps.push(operand.clone());
        }
        let last = steps.len().saturating_sub(1);
        for (index, step) in steps.iter().enumerate() {
            match run.proc.mkdir(step, 0o777) {
                Ok(()) => {
                    if let (Some(mode), true) = (mode, index == last) {
                        let _ = run.proc.chmod(step, mode);
                    }
                    if verbose {
                        let name = run.name.clone();
                        run.put(format!("{name}: created directory {}\n", quoted(step))).await?;
                    }
                }
                Err(Errno::EEXIST | Errno::EROFS) if parents && run.proc.stat(step).is_ok_and(|s| s.is_dir()) => {}
                Err(error) => {
                    let shown = if error == Errno::EEXIST || index < last { step } else { &operand };
                    run.complain_of("cannot create directory", shown, error).await;
                    break;
                }
            }
        }
    }
    Ok(0)
}
