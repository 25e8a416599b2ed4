//! `sha256sum`.

use super::program::{Done, Lines, Run, chomp, maybe_quoted, run, spec};
use crate::base::digest::Hasher;
use crate::base::errno::Errno;
use crate::os::args::{flag, long_flag};
use crate::os::kernel::Proc;
use bstr::{BString, ByteSlice};

spec!(
    SPEC,
    "sha256sum",
    "[OPTION]... [FILE]...",
    [
        flag('b', "binary"),
        flag('c', "check"),
        flag('t', "text"),
        flag('w', "warn"),
        flag('s', ""),
        long_flag("quiet"),
        long_flag("status"),
        long_flag("tag"),
        long_flag("strict")
    ]
);

/// `sha256sum`.
pub async fn main(proc: Proc) -> i32 {
    run(proc, &SPEC, |run| Box::pin(body(run))).await
}

async fn digest(run: &Run, path: &[u8]) -> Result<String, Errno> {
    let fd = run.input(path)?;
    let mut hasher = Hasher::new();
    let done = loop {
        match run.proc.read(fd, 1 << 20).await {
            Ok(piece) if piece.is_empty() => break Ok(()),
            Ok(piece) => piece.for_each_chunk(|chunk| hasher.update(chunk)),
            Err(error) => break Err(error),
        }
    };
    run.done_with(fd);
    done.map(|()| hasher.finish().hex())
}

async fn body(run: &mut Run) -> Done {
    for path in run.inputs() {
        if run.args.has('c') {
            check(run, &path).await?;
            continue;
        }
        match digest(run, &path).await {
            Ok(hex) if run.args.has("tag") => run.put(format!("SHA256 ({path}) = {hex}\n")).await?,
            Ok(hex) => {
                let mark = if run.args.has('b') { "*" } else { " " };
                run.put([hex.as_bytes(), b" ", mark.as_bytes(), &path, b"\n"].concat()).await?;
            }
            Err(error) => run.complain_path(&path, error).await,
        }
    }
    Ok(0)
}

async fn check(run: &mut Run, path: &[u8]) -> Result<(), Errno> {
    let fd = match run.input(path) {
        Ok(fd) => fd,
        Err(error) => {
            run.complain_path(path, error).await;
            return Ok(());
        }
    };
    let mut lines = Lines::new(&run.proc, fd);
    let (mut bad, mut unreadable, mut good, mut malformed) = (0u32, 0u32, 0u32, 0u32);
    let silent = run.args.has("status") || run.args.has('s');
    while let Ok(Some(line)) = lines.next().await {
        let line = chomp(&line).0;
        let Some((hex, name)) = line.split_once_str(" ").filter(|(hex, _)| hex.len() == 64) else {
            malformed += 1;
            continue;
        };
        let name: BString = name.get(1..).unwrap_or_default().into();
        let verdict = match digest(run, &name).await {
            Ok(own) if own.as_bytes() == hex.to_ascii_lowercase() => {
                good += 1;
                if run.args.has("quiet") { "" } else { "OK" }
            }
            Ok(_) => {
                bad += 1;
                "FAILED"
            }
            Err(error) => {
                run.complain_path(&name, error).await;
                unreadable += 1;
                "FAILED open or read"
            }
        };
        if !silent && !verdict.is_empty() {
            run.put(format!("{}: {verdict}\n", maybe_quoted(&name))).await?;
        }
    }
    run.done_with(fd);
    let plural = |n: u32, one: &str, many: &str| format!("WARNING: {n} {}", if n == 1 { one } else { many });
    if good + bad + unreadable == 0 {
        run.complain(format!("{}: no properly formatted checksum lines found", maybe_quoted(path))).await;
    } else if malformed > 0 {
        let status = run.status;
        run.complain(plural(malformed, "line is improperly formatted", "lines are improperly formatted")).await;
        run.status = status;
    }
    if unreadable > 0 {
        run.complain(plural(unreadable, "listed file could not be read", "listed files could not be read")).await;
    }
    if bad > 0 {
        run.status = 1;
        if !silent {
            run.complain(plural(bad, "computed checksum did NOT match", "computed checksums did NOT match")).await;
        }
    }
    Ok(())
}
