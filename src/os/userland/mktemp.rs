//! `mktemp` and `truncate`.

use super::program::{Done, Run, below, number, quoted, run, spec};
use crate::base::errno::Errno;
use crate::os::args::{flag, optional, value};
use crate::os::kernel::{Open, Proc};

spec!(
    MKTEMP,
    "mktemp",
    "[OPTION]... [TEMPLATE]",
    [flag('d', "directory"), flag('q', "quiet"), flag('u', "dry-run"), flag('t', ""), optional('p', "tmpdir")]
);
spec!(TRUNCATE, "truncate", "OPTION... FILE...", [value('s', "size"), flag('c', "no-create")]);

/// `mktemp`.
pub async fn main(proc: Proc) -> i32 {
    run(proc, &MKTEMP, |run| Box::pin(body(run))).await
}

/// `truncate`.
pub async fn truncate(proc: Proc) -> i32 {
    run(proc, &TRUNCATE, |run| Box::pin(truncate_body(run))).await
}

async fn body(run: &mut Run) -> Done {
    let given = run.args.operands.first().cloned();
    let in_tmp = given.is_none() || run.args.has('t') || run.args.has('p');
    let template = given.unwrap_or_else(|| "tmp.XXXXXXXXXX".into());
    let stem = template.iter().rposition(|b| *b != b'X').map_or(0, |at| at + 1);
    if template.len() - stem < 3 {
        run.complain(format!("too few X's in template {}", quoted(&template))).await;
        return Ok(1);
    }
    for _ in 0..100 {
        let mut name = template.clone();
        let mut rng = run.proc.kernel().rng(0x6d6b);
        let mut random = vec![0; template.len() - stem];
        rng.fill(&mut random);
        for (place, byte) in name.iter_mut().skip(stem).zip(random) {
            *place = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"[usize::from(byte % 62)];
        }
        let path = if in_tmp { below(b"/tmp", &name) } else { name };
        let made = if run.args.has('d') {
            run.proc.mkdir(&path, 0o700)
        } else {
            let open = Open { create: Some(0o600), exclusive: true, ..Open::WRITE };
            run.proc.open(&path, open).and_then(|fd| run.proc.close(fd))
        };
        match made {
            Ok(()) => {
                run.put(format!("{path}\n")).await?;
                return Ok(0);
            }
            Err(Errno::EEXIST) => {}
            Err(error) => {
                let what = if run.args.has('d') { "directory" } else { "file" };
                run.complain(format!(
                    "failed to create {what} via template {}: {}",
                    quoted(&template),
                    error.strerror()
                ))
                .await;
                return Ok(1);
            }
        }
    }
    Ok(1)
}

async fn truncate_body(run: &mut Run) -> Done {
    let Some(given) = run.args.value('s').map(ToOwned::to_owned) else {
        return Ok(run.usage("you must specify either '--size' or '--reference'").await);
    };
    let (sign, rest) = match given.first() {
        Some(sign @ (b'+' | b'-')) => (*sign, given.get(1..).unwrap_or_default()),
        _ => (b'=', given.as_slice()),
    };
    let unit = match rest.last() {
        Some(b'K' | b'k') => 1u64 << 10,
        Some(b'M' | b'm') => 1 << 20,
        Some(b'G') => 1 << 30,
        _ => 1,
    };
    let digits = rest.get(..rest.len() - usize::from(unit > 1)).unwrap_or_default();
    let Some(size) = number::<u64>(digits).and_then(|n| n.checked_mul(unit)) else {
        run.complain(format!("Invalid number: {}", quoted(&given))).await;
        return Ok(1);
    };
    for path in run.args.operands.clone() {
        if !run.args.has('c') {
            let open = Open { truncate: false, ..Open::WRITE };
            if let Err(error) = run.proc.open(&path, open).and_then(|fd| run.proc.close(fd)) {
                run.complain_of("cannot open", &path, error).await;
                continue;
            }
        }
        let old = run.proc.stat(&path).map_or(0, |stat| stat.size_bytes);
        let size = match sign {
            b'+' => old.saturating_add(size),
            b'-' => old.saturating_sub(size),
            _ => size,
        };
        if let Err(error) = run.proc.truncate(&path, size) {
            run.complain_of("failed to truncate", &path, error).await;
        }
    }
    Ok(0)
}
