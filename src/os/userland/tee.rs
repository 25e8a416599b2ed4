//! `tee`.

use super::program::{Done, Run, run, spec};
use crate::os::args::flag;
use crate::os::kernel::Proc;
use crate::os::kernel::{Disposition, Open, Signal};

spec!(SPEC, "tee", "[OPTION]... [FILE]...", [flag('a', "append"), flag('i', "ignore-interrupts"), flag('p', "")]);

/// `tee`.
pub async fn main(proc: Proc) -> i32 {
    run(proc, &SPEC, |run| Box::pin(body(run))).await
}

async fn body(run: &mut Run) -> Done {
    if run.args.has('i') {
        run.proc.on_signal(Signal::INT, Disposition::Ignore);
    }
    let mut files = Vec::new();
    for path in run.args.operands.clone() {
        match run.proc.open(&path, if run.args.has('a') { Open::APPEND } else { Open::WRITE }) {
            Ok(fd) => files.push((path, fd)),
            Err(error) => run.complain_path(&path, error).await,
        }
    }
    loop {
        let piece = match run.proc.read(0, 1 << 20).await {
            Ok(piece) if piece.is_empty() => return Ok(0),
            Ok(piece) => piece,
            Err(error) => {
                run.complain(format!("read error: {}", error.strerror())).await;
                return Ok(1);
            }
        };
        run.put_rope(&piece).await?;
        for (path, fd) in &files {
            if let Err(error) = run.proc.write_rope(*fd, &piece).await {
                run.complain_path(path, error).await;
            }
        }
    }
}
