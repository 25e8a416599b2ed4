//! `edit` and `xdg-open`: a file or an address for the desktop around the terminal.

use bstr::ByteSlice;

use super::program::{Done, Run, run, spec, text};
use crate::base::errno::Errno;
use crate::base::path;
use crate::os::fs::node::Kind;
use crate::os::kernel::Proc;
use crate::os::kernel::desktop::Wish;

spec!(EDIT, "edit", "FILE...", []);
spec!(OPEN, "xdg-open", "{file | URL}", []);

/// `edit`.
pub async fn main(proc: Proc) -> i32 {
    run(proc, &EDIT, |run| Box::pin(edit(run))).await
}

/// `xdg-open`.
pub async fn xdg_open(proc: Proc) -> i32 {
    run(proc, &OPEN, |run| Box::pin(open(run))).await
}

/// Tells the desktop that an editor of the terminal was opened on a file.
pub fn tell(run: &Run, name: &[u8]) {
    if !name.is_empty() {
        run.proc.wish(Wish::Editing(path::normalize(&path::join(&run.proc.cwd(), name))));
    }
}

async fn edit(run: &mut Run) -> Done {
    if run.args.operands.is_empty() {
        return Ok(run.missing("missing file operand").await);
    }
    for name in run.args.operands.clone() {
        match run.proc.stat(&name) {
            Ok(stat) if stat.kind == Kind::Dir => run.complain_path(&name, Errno::EISDIR).await,
            Ok(_) | Err(Errno::ENOENT) => {
                run.proc.wish(Wish::Edit(path::normalize(&path::join(&run.proc.cwd(), &name))));
            }
            Err(error) => run.complain_path(&name, error).await,
        }
    }
    Ok(0)
}

async fn open(run: &mut Run) -> Done {
    let Some(what) = run.args.operands.first().cloned() else {
        return Ok(run.missing("missing operand").await);
    };
    if what.contains_str("://") {
        run.proc.wish(Wish::Browse(text(&what)));
        return Ok(0);
    }
    match run.proc.stat(&what) {
        Ok(_) => return edit(run).await,
        // A port of this computer without a scheme is an address all the same.
        Err(_) if what.starts_with(b"localhost") => run.proc.wish(Wish::Browse(text(&what))),
        Err(error) => run.complain_path(&what, error).await,
    }
    Ok(0)
}
