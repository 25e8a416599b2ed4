//! `rm`.

use super::program::{Done, Run, quoted, run, spec, trimmed};
use super::walk::Walk;
use crate::base::errno::Errno;
use crate::base::path;
use crate::os::args::{flag, long_flag, long_optional};
use crate::os::kernel::Proc;

spec!(
    SPEC,
    "rm",
    "[OPTION]... [FILE]...",
    [
        flag('d', "dir"),
        flag('f', "force"),
        flag('i', ""),
        flag('I', ""),
        flag('r', "recursive"),
        flag('R', "recursive"),
        flag('v', "verbose"),
        long_flag("no-preserve-root"),
        long_optional("preserve-root"),
        long_optional("interactive"),
    ]
);

/// `rm`.
pub async fn main(proc: Proc) -> i32 {
    run(proc, &SPEC, |run| Box::pin(body(run))).await
}

async fn body(run: &mut Run) -> Done {
    let (recursive, verbose) = (run.args.has('r') || run.args.has('R'), run.args.has('v'));
    let force = run.args.last_of(&['f', 'i', 'I']) == Some('f');
    let asks = run.args.last_of(&['f', 'i']) == Some('i');
    if run.args.operands.is_empty() && !force {
        return Ok(run.missing("missing operand").await);
    }
    for operand in run.args.operands.clone() {
        let shown = operand.clone();
        let name = path::file_name(trimmed(&operand));
        if recursive && (name == "." || name == "..") {
            let refusing = format!("refusing to remove '.' or '..' directory: skipping {}", quoted(&shown));
            run.complain(refusing).await;
            continue;
        }
        if recursive && path::normalize(&operand) == "/" && !run.args.has("no-preserve-root") {
            run.complain("it is dangerous to operate recursively on '/'").await;
            run.complain("use --no-preserve-root to override this failsafe").await;
            continue;
        }
        let stat = match run.proc.lstat(&operand) {
            Ok(stat) => stat,
            Err(Errno::ENOENT | Errno::ENOTDIR) if force => continue,
            Err(error) => {
                run.complain_of("cannot remove", &shown, error).await;
                continue;
            }
        };
        if asks && !confirm(run, &shown, stat.is_dir()).await {
            continue;
        }
        if stat.is_dir() && !recursive {
            let removed = if run.args.has('d') { run.proc.rmdir(&operand) } else { Err(Errno::EISDIR) };
            match removed {
                Ok(()) if verbose => run.put(format!("removed directory {}\n", quoted(&shown))).await?,
                Ok(()) => {}
                Err(error) if run.is_busybox() && error == Errno::EISDIR => {
                    run.complain(format!("'{shown}' is a directory")).await;
                }
                Err(error) => run.complain_of("cannot remove", &shown, error).await,
            }
            continue;
        }
        remove(run, &operand, recursive, verbose).await?;
    }
    Ok(0)
}

async fn confirm(run: &mut Run, path: &[u8], dir: bool) -> bool {
    let what = if dir { "directory" } else { "regular file" };
    let ask = [run.name.as_slice(), format!(": remove {what} {}? ", quoted(path)).as_bytes()].concat();
    let _ = run.flush().await;
    run.proc.eprint(ask).await;
    let answer = run.proc.read(0, 256).await.map(|a| a.to_vec()).unwrap_or_default();
    matches!(answer.first(), Some(b'y' | b'Y'))
}

/// Removes a file or a tree.
///
/// # Errors
/// Those of writes to standard output.
pub async fn remove(run: &mut Run, path: &[u8], recursive: bool, verbose: bool) -> Result<(), Errno> {
    let mut walk = Walk::new(&run.proc, path);
    while let Some(visit) = walk.next().await {
        let is_dir = visit.stat.as_ref().is_ok_and(|s| s.is_dir());
        if is_dir && !visit.leaving && recursive {
            if let Some(error) = visit.unlisted {
                run.complain_of("cannot remove", &visit.path, error).await;
                walk.prune();
            }
            continue;
        }
        let before = run.status;
        let removed = if is_dir { run.proc.rmdir(&visit.path) } else { run.proc.unlink(&visit.path) };
        match removed {
            Ok(()) if verbose => {
                let what = if is_dir { "removed directory " } else { "removed " };
                run.put(format!("{what}{}\n", quoted(&visit.path))).await?;
            }
            Ok(()) => {}
            // What is left in it has been complained of.
            Err(Errno::ENOTEMPTY) if before > 0 => {}
            Err(error) => run.complain_of("cannot remove", &visit.path, error).await,
        }
    }
    Ok(())
}
