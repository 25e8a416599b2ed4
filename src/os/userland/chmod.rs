//! `chmod`.

use bstr::BString;

use super::mode;
use super::program::{Done, Run, quoted, run_as, spec, text};
use super::walk::Walk;
use crate::base::errno::Errno;
use crate::os::args::{flag, long_flag, long_value};
use crate::os::fs::node::Kind;
use crate::os::kernel::Proc;

spec!(
    SPEC,
    "chmod",
    "[OPTION]... MODE[,MODE]... FILE...",
    [
        flag('R', "recursive"),
        flag('v', "verbose"),
        flag('c', "changes"),
        flag('f', "silent"),
        flag('f', "quiet"),
        long_value("reference"),
        long_flag("preserve-root"),
    ]
);

/// `chmod`.
pub async fn main(proc: Proc) -> i32 {
    // `-x` and `-rw` are modes, not options.
    let mut argv = proc.args();
    let is_mode = |word: &BString| {
        word.strip_prefix(b"-").is_some_and(|rest| {
            !rest.is_empty() && rest.iter().all(|b| b"rwxXstugo,+=-".contains(b)) && !rest.starts_with(b"-")
        })
    };
    if let Some(at) = argv.iter().skip(1).position(is_mode) {
        let word = argv.remove(at + 1);
        let first = argv.iter().skip(1).position(|w| !w.starts_with(b"-")).map_or(argv.len(), |at| at + 1);
        argv.insert(first, "--".into());
        argv.insert(first + 1, word);
    }
    run_as(proc, &SPEC, &argv, |run| Box::pin(body(run))).await
}

async fn body(run: &mut Run) -> Done {
    let mut operands = run.args.operands.clone();
    let reference = run.args.value("reference").map(ToOwned::to_owned);
    let change = match reference {
        Some(path) => match run.proc.stat(&path) {
            Ok(stat) => mode::Change::Set(stat.meta.mode),
            Err(error) => {
                run.complain_of("failed to get attributes of", &path, error).await;
                return Ok(1);
            }
        },
        None if operands.is_empty() => return Ok(run.missing("missing operand").await),
        None => {
            let given = operands.remove(0);
            match mode::parse(&text(&given)) {
                Some(change) => change,
                None if run.is_busybox() => {
                    run.complain(format!("invalid mode '{given}'")).await;
                    return Ok(1);
                }
                None => return Ok(run.usage(format!("invalid mode: {}", quoted(&given))).await),
            }
        }
    };
    if operands.is_empty() {
        let last = run.args.operands.last().cloned().unwrap_or_default();
        return Ok(run.missing(format!("missing operand after {}", quoted(&last))).await);
    }
    let (verbose, changes, quiet) = (run.args.has('v'), run.args.has('c'), run.args.has('f'));
    for operand in operands {
        let mut walk = Walk::new(&run.proc, &operand);
        walk.max_depth = if run.args.has('R') { usize::MAX } else { 0 };
        while let Some(visit) = walk.next().await {
            if visit.leaving {
                continue;
            }
            let stat = match visit.stat {
                Ok(stat) if stat.kind == Kind::Symlink && visit.depth > 0 => continue,
                Ok(stat) if stat.kind == Kind::Symlink => run.proc.stat(&visit.path),
                other => other,
            };
            let done: Result<(), Errno> = match stat {
                Ok(stat) => {
                    let new = change.apply(stat.meta.mode, stat.is_dir(), run.proc.umask());
                    let done = run.proc.chmod(&visit.path, new);
                    if done.is_ok() && (verbose || (changes && new != stat.meta.mode)) {
                        let shown = |mode: u32| {
                            let mut stat = stat;
                            stat.meta.mode = mode;
                            format!("{mode:04o} ({})", stat.mode_string().get(1..).unwrap_or_default())
                        };
                        let line = if new == stat.meta.mode {
                            format!("mode of {} retained as {}\n", quoted(&visit.path), shown(new))
                        } else {
                            format!(
                                "mode of {} changed from {} to {}\n",
                                quoted(&visit.path),
                                shown(stat.meta.mode),
                                shown(new)
                            )
                        };
                        run.put(line).await?;
                    }
                    done
                }
                Err(error) if run.is_busybox() => Err(error),
                Err(error) => {
                    if !quiet {
                        run.complain_of("cannot access", &visit.path, error).await;
                    }
                    run.status = 1;
                    continue;
                }
            };
            match done {
                Ok(()) => {}
                Err(_) if quiet => run.status = 1,
                Err(error) if run.is_busybox() => run.complain_path(&visit.path, error).await,
                Err(error) => {
                    let text = format!("changing permissions of {}: {}", quoted(&visit.path), error.strerror());
                    run.complain(text).await;
                }
            }
            if let Some(error) = visit.unlisted {
                run.complain_of("cannot read directory", &visit.path, error).await;
            }
        }
    }
    Ok(0)
}
