//! `mkfifo`, `mknod`: files that are no data (coreutils 9.1, BusyBox 1.36).

use super::mode;
use super::program::{Done, Run, number, run, spec, text};
use crate::os::args::value;
use crate::os::fs::node::Content;
use crate::os::kernel::Proc;

spec!(FIFO, "mkfifo", "[OPTION]... NAME...", [value('m', "mode")]);
spec!(NODE, "mknod", "[OPTION]... NAME TYPE [MAJOR MINOR]", [value('m', "mode")]);

/// `mkfifo`.
pub async fn mkfifo(proc: Proc) -> i32 {
    run(proc, &FIFO, |run| Box::pin(fifos(run))).await
}

/// `mknod`.
pub async fn mknod(proc: Proc) -> i32 {
    run(proc, &NODE, |run| Box::pin(node(run))).await
}

/// The permissions that `-m` asks for, where it does; the outer `None` is one that can't be read, and was told.
async fn asked_mode(run: &mut Run) -> Option<Option<u32>> {
    let Some(given) = run.args.value('m').map(|given| text(given)) else { return Some(None) };
    match mode::parse(&given) {
        Some(change) => Some(Some(change.apply(0o666, false, run.proc.umask()))),
        None => {
            run.complain("invalid mode").await;
            None
        }
    }
}

async fn fifos(run: &mut Run) -> Done {
    if run.args.operands.is_empty() {
        return Ok(run.missing("missing operand").await);
    }
    let Some(mode) = asked_mode(run).await else { return Ok(1) };
    for name in run.args.operands.clone() {
        match run.proc.mknod(&name, 0o666, Content::Fifo) {
            Ok(()) => {
                if let Some(mode) = mode {
                    let _ = run.proc.chmod(&name, mode);
                }
            }
            Err(error) if run.is_busybox() => run.complain(format!("{name}: {}", error.strerror())).await,
            Err(error) => run.complain_of("cannot create fifo", &name, error).await,
        }
    }
    Ok(0)
}

async fn node(run: &mut Run) -> Done {
    let operands = run.args.operands.clone();
    let (name, kind, numbers) = match operands.as_slice() {
        [name, kind, numbers @ ..] => (name, text(kind), numbers),
        [] => return Ok(run.missing("missing operand").await),
        [name] => return Ok(run.missing(&format!("missing operand after '{name}'")).await),
    };
    let wanted = usize::from(kind != "p") * 2;
    if let Some(extra) = numbers.get(wanted) {
        return Ok(run.missing(&format!("extra operand '{extra}'")).await);
    }
    if numbers.len() < wanted {
        let last = operands.last().map(|word| text(word)).unwrap_or_default();
        return Ok(run.missing(&format!("missing operand after '{last}'")).await);
    }
    let mut read = [0; 2];
    for (at, (which, given)) in ["major", "minor"].iter().zip(numbers).enumerate() {
        match (number::<u32>(given), read.get_mut(at)) {
            (Some(value), Some(place)) => *place = value,
            _ => {
                run.complain(format!("invalid {which} device number '{given}'")).await;
                return Ok(1);
            }
        }
    }
    let [major, minor] = read;
    let content = match kind.as_str() {
        "p" => Content::Fifo,
        "c" | "u" => Content::CharDevice(major, minor),
        "b" => Content::BlockDevice(major, minor),
        _ => return Ok(run.missing(&format!("invalid device type '{kind}'")).await),
    };
    let Some(mode) = asked_mode(run).await else { return Ok(1) };
    match run.proc.mknod(name, 0o666, content) {
        Ok(()) => {
            if let Some(mode) = mode {
                let _ = run.proc.chmod(name, mode);
            }
        }
        Err(error) => run.complain(format!("{name}: {}", error.strerror())).await,
    }
    Ok(0)
}
