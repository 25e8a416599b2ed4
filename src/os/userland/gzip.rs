//! `gzip`, `gunzip`, `zcat`, `xz`, `unxz`, `xzcat`, `bzip2`, `bunzip2`, `bzcat`.

use bstr::BString;

use super::program::{Done, Run, run, spec};
use crate::base::errno::Errno;
use crate::base::rope::Rope;
use crate::os::args::flag;
use crate::os::fs::packed::{self, MAX_UNPACKED_BYTES, PackedError, Packing, Unpacking};
use crate::os::fs::{gzip, xz};
use crate::os::kernel::Proc;

/// Work that a chunk of a stream counts as.
const TICKS_A_CHUNK: u64 = 100;

spec!(
    GZIP,
    "gzip",
    "[OPTION]... [FILE]...",
    [
        flag('c', "stdout"),
        flag('d', "decompress"),
        flag('f', "force"),
        flag('k', "keep"),
        flag('n', "no-name"),
        flag('N', "name"),
        flag('q', "quiet"),
        flag('t', "test"),
        flag('v', "verbose"),
        flag('1', "fast"),
        flag('2', ""),
        flag('3', ""),
        flag('4', ""),
        flag('5', ""),
        flag('6', ""),
        flag('7', ""),
        flag('8', ""),
        flag('9', "best")
    ]
);
spec!(
    XZ,
    "xz",
    "[OPTION]... [FILE]...",
    [
        flag('c', "stdout"),
        flag('d', "decompress"),
        flag('z', "compress"),
        flag('f', "force"),
        flag('k', "keep"),
        flag('q', "quiet"),
        flag('t', "test"),
        flag('v', "verbose"),
        flag('T', ""),
        flag('0', ""),
        flag('1', ""),
        flag('6', ""),
        flag('9', "")
    ]
);

spec!(
    BZIP2,
    "bzip2",
    "[flags and input files in any order]",
    [
        flag('c', "stdout"),
        flag('d', "decompress"),
        flag('z', "compress"),
        flag('f', "force"),
        flag('k', "keep"),
        flag('q', "quiet"),
        flag('t', "test"),
        flag('v', "verbose"),
        flag('s', "small"),
        flag('1', "fast"),
        flag('9', "best")
    ]
);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Gzip,
    Xz,
    Bzip2,
}

/// `gzip`.
pub async fn main(proc: Proc) -> i32 {
    run(proc, &GZIP, |run| Box::pin(body(run, Kind::Gzip, false, false))).await
}

/// `gunzip`.
pub async fn gunzip(proc: Proc) -> i32 {
    run(proc, &GZIP, |run| Box::pin(body(run, Kind::Gzip, true, false))).await
}

/// `zcat`.
pub async fn zcat(proc: Proc) -> i32 {
    run(proc, &GZIP, |run| Box::pin(body(run, Kind::Gzip, true, true))).await
}

/// `xz`.
pub async fn xz(proc: Proc) -> i32 {
    run(proc, &XZ, |run| Box::pin(body(run, Kind::Xz, false, false))).await
}

/// `unxz`.
pub async fn unxz(proc: Proc) -> i32 {
    run(proc, &XZ, |run| Box::pin(body(run, Kind::Xz, true, false))).await
}

/// `xzcat`.
pub async fn xzcat(proc: Proc) -> i32 {
    run(proc, &XZ, |run| Box::pin(body(run, Kind::Xz, true, true))).await
}

/// `bzip2`.
pub async fn bzip2(proc: Proc) -> i32 {
    run(proc, &BZIP2, |run| Box::pin(body(run, Kind::Bzip2, false, false))).await
}

/// `bunzip2`.
pub async fn bunzip2(proc: Proc) -> i32 {
    run(proc, &BZIP2, |run| Box::pin(body(run, Kind::Bzip2, true, false))).await
}

/// `bzcat`.
pub async fn bzcat(proc: Proc) -> i32 {
    run(proc, &BZIP2, |run| Box::pin(body(run, Kind::Bzip2, true, true))).await
}

/// Unpacks a file, letting others run meanwhile.
///
/// # Errors
/// It is damaged, or larger than [`MAX_UNPACKED_BYTES`].
pub async fn unpack(proc: &Proc, packing: Packing, content: &Rope) -> Result<Rope, PackedError> {
    let mut unpacking = Unpacking::new(packing, content, MAX_UNPACKED_BYTES);
    while unpacking.step()? {
        proc.work(TICKS_A_CHUNK).await;
    }
    Ok(unpacking.finish())
}

async fn body(run: &mut Run, kind: Kind, unpacks: bool, to_stdout: bool) -> Done {
    let unpacks = unpacks || run.args.has('d') || run.args.has('t');
    let to_stdout = to_stdout || run.args.has('c') || run.args.operands.is_empty();
    let test = run.args.has('t');
    let ending = match kind {
        Kind::Gzip => ".gz",
        Kind::Xz => ".xz",
        Kind::Bzip2 => ".bz2",
    };
    for path in run.inputs() {
        let content = match run.input(&path) {
            Ok(fd) => {
                let content = run.proc.read_all(fd).await;
                run.done_with(fd);
                content
            }
            Err(error) => Err(error),
        };
        let content = match content {
            Ok(content) => content,
            Err(Errno::EISDIR) => {
                run.complain(format!("{path} is a directory -- ignored")).await;
                run.status = 2;
                continue;
            }
            Err(error) => {
                run.complain_path(&path, error).await;
                continue;
            }
        };
        let target: BString = if unpacks {
            let stem = path.strip_suffix(ending.as_bytes()).map(BString::from);
            let stem = stem.or_else(|| path.strip_suffix(b".tgz").map(|stem| [stem, b".tar"].concat().into()));
            match stem {
                Some(stem) => stem,
                None if to_stdout || test => path.clone(),
                None => {
                    run.complain(format!("{path}: unknown suffix -- ignored")).await;
                    run.status = 2;
                    continue;
                }
            }
        } else {
            [path.as_slice(), ending.as_bytes()].concat().into()
        };
        let done: Result<Rope, String> = match (kind, unpacks) {
            (Kind::Gzip, false) => {
                let mut compressing = gzip::Compressing::new(&content);
                while compressing.step() {
                    run.proc.work(TICKS_A_CHUNK).await;
                }
                Ok(compressing.finish())
            }
            (Kind::Xz, false) => Ok(xz::store(&content)),
            (Kind::Gzip, true) if !gzip::is_gzip(&content.head(2)) => Err("not in gzip format".to_owned()),
            (Kind::Gzip, true) => unpack(&run.proc, Packing::Gzip, &content).await.map_err(|e| e.to_string()),
            (Kind::Xz, true) if !xz::is_xz(&content.head(6)) => Err("File format not recognized".to_owned()),
            (Kind::Xz, true) => unpack(&run.proc, Packing::Xz, &content).await.map_err(|e| e.to_string()),
            (Kind::Bzip2, false) => Ok(packed::bzip2(&content)),
            (Kind::Bzip2, true) if Packing::of(&content.head(4)) != Some(Packing::Bzip2) => {
                Err("is not a bzip2 file.".to_owned())
            }
            (Kind::Bzip2, true) => unpack(&run.proc, Packing::Bzip2, &content).await.map_err(|e| e.to_string()),
        };
        let done = match done {
            Ok(done) => done,
            Err(text) => {
                let name = if path == "-" { "stdin".into() } else { path.clone() };
                let gap = if kind == Kind::Gzip && !run.is_busybox() { "\n" } else { "" };
                run.proc.eprint(gap).await;
                run.complain(format!("{name}: {text}")).await;
                continue;
            }
        };
        if test {
            continue;
        }
        if to_stdout {
            run.put_rope(&done).await?;
            continue;
        }
        if run.proc.lstat(&target).is_ok() && !run.args.has('f') {
            run.complain(format!("{target} already exists;\tnot overwritten")).await;
            run.status = 2;
            continue;
        }
        if let Err(error) = run.proc.write_file(&target, &done).await {
            run.complain_path(&target, error).await;
            continue;
        }
        if let Ok(stat) = run.proc.stat(&path) {
            let _ = run.proc.chmod(&target, stat.meta.mode);
            let _ = run.proc.chown(&target, Some(stat.meta.uid), Some(stat.meta.gid), true);
            let _ = run.proc.set_mtime(&target, stat.meta.mtime, true);
        }
        if !run.args.has('k')
            && let Err(error) = run.proc.unlink(&path)
        {
            run.complain_path(&path, error).await;
        }
    }
    Ok(0)
}
