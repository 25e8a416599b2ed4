//! `which`.

use super::program::{Done, Run, below, run, spec};
use crate::os::args::flag;
use crate::os::fs::node::Kind;
use crate::os::kernel::Proc;
use bstr::ByteSlice;

spec!(SPEC, "which", "[-a] args", [flag('a', ""), flag('s', "")]);

/// `which`.
pub async fn main(proc: Proc) -> i32 {
    run(proc, &SPEC, |run| Box::pin(body(run))).await
}

async fn body(run: &mut Run) -> Done {
    let path = run
        .proc
        .getenv("PATH")
        .unwrap_or_else(|| "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".into());
    for name in run.args.operands.clone() {
        let candidates = if name.contains(&b'/') {
            vec![name.clone()]
        } else {
            path.split_str(":").map(|dir| below(dir, &name)).collect()
        };
        let mut found = false;
        for candidate in candidates {
            let is_file = run.proc.stat(&candidate).is_ok_and(|s| s.kind == Kind::File);
            if is_file && run.proc.access(&candidate, 1).is_ok() {
                run.put([candidate.as_slice(), b"\n"].concat()).await?;
                found = true;
                if !run.args.has('a') {
                    break;
                }
            }
        }
        if !found {
            run.status = 1;
        }
    }
    Ok(0)
}
