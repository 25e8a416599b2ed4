//! `pwd`.

use super::program::{Done, Run, run, spec};
use crate::os::args::flag;
use crate::os::kernel::Proc;

spec!(SPEC, "pwd", "[OPTION]...", [flag('L', "logical"), flag('P', "physical")]);

/// `pwd`.
pub async fn main(proc: Proc) -> i32 {
    run(proc, &SPEC, |run| Box::pin(body(run))).await
}

async fn body(run: &mut Run) -> Done {
    let mut path = run.proc.cwd();
    if run.args.has('L')
        && let Some(logical) = run.proc.getenv("PWD")
        && run.proc.realpath(&logical).ok().as_ref() == Some(&path)
    {
        path = logical;
    }
    path.push(b'\n');
    run.put(path).await?;
    Ok(0)
}
