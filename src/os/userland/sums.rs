//! `sha256sum` and its like, `cksum`, `sum`: one program for every checksum.

use super::program::{Done, Lines, Run, chomp, maybe_quoted, run_as};
use crate::base::digest::hex;
use crate::base::errno::Errno;
use crate::base::path;
use crate::os::args::{Opt, Spec, flag, long_flag};
use crate::os::kernel::Proc;
use bstr::{BString, ByteSlice};
use sha2::digest::DynDigest;

const OPTIONS: &[Opt] = &[
    flag('b', "binary"),
    flag('c', "check"),
    flag('t', "text"),
    flag('w', "warn"),
    flag('s', ""),
    long_flag("quiet"),
    long_flag("status"),
    long_flag("tag"),
    long_flag("strict"),
];

/// The programs: name, what `--tag` calls the sum, usage.
macro_rules! sums {
    ($($name:literal $tag:literal),*) => {
        const SUMS: &[(Spec, &str)] = &[$((
            Spec {
                options: OPTIONS,
                help: concat!("Usage: ", $name, " [OPTION]... [FILE]...\n"),
                busybox_usage: concat!("Usage: ", $name, " [-c[sw]] [FILE]...\n\nPrint or check ", $tag, " checksums\n"),
                ..Spec::new($name)
            },
            $tag,
        )),*];
    };
}
sums!(
    "sha256sum" "SHA256", "md5sum" "MD5", "sha1sum" "SHA1", "sha224sum" "SHA224", "sha384sum" "SHA384", "sha512sum" "SHA512",
    "cksum" "CRC"
);

/// All of them: the name tells which.
pub async fn main(proc: Proc) -> i32 {
    let argv = proc.args();
    let called = argv.first().map(|name| path::file_name(name).to_owned()).unwrap_or_default();
    let found = SUMS.iter().find(|(spec, _)| called == spec.name).or(SUMS.first());
    let Some((spec, tag)) = found else { return 127 };
    run_as(proc, spec, &argv, move |run| Box::pin(body(run, tag))).await
}

fn hasher(tag: &str) -> Box<dyn DynDigest> {
    match tag {
        "MD5" => Box::new(md5::Md5::default()),
        "SHA1" => Box::new(sha1::Sha1::default()),
        "SHA224" => Box::new(sha2::Sha224::default()),
        "SHA384" => Box::new(sha2::Sha384::default()),
        "SHA512" => Box::new(sha2::Sha512::default()),
        _ => Box::new(sha2::Sha256::default()),
    }
}

/// Reads a file through; `cksum`'s result has its length behind it.
async fn digest(run: &Run, tag: &str, path: &[u8]) -> Result<String, Errno> {
    let fd = run.input(path)?;
    let (mut hasher, mut crc, mut length) = (hasher(tag), 0u32, 0u64);
    let done = loop {
        match run.proc.read(fd, 1 << 20).await {
            Ok(piece) if piece.is_empty() => break Ok(()),
            Ok(piece) => {
                length += piece.len();
                piece.for_each_chunk(|chunk| match tag {
                    "CRC" => crc = chunk.iter().fold(crc, |crc, byte| posix_crc(crc, *byte)),
                    _ => hasher.update(chunk),
                });
                run.proc.work(piece.len() / 4096).await;
            }
            Err(error) => break Err(error),
        }
    };
    run.done_with(fd);
    done?;
    if tag == "CRC" {
        // The length follows the bytes, its lowest byte first, as many bytes as it needs.
        let mut rest = length;
        while rest > 0 {
            crc = posix_crc(crc, (rest & 0xff) as u8);
            rest >>= 8;
        }
        return Ok(format!("{} {length}", !crc));
    }
    let mut sum = vec![0; hasher.output_size()];
    let _ = hasher.finalize_into_reset(&mut sum);
    Ok(hex(&sum))
}

/// The CRC of POSIX `cksum`: highest bit first, polynomial 0x04c11db7.
fn posix_crc(crc: u32, byte: u8) -> u32 {
    (0..8).fold(crc ^ u32::from(byte) << 24, |crc, _| crc << 1 ^ if crc >> 31 == 1 { 0x04c1_1db7 } else { 0 })
}

async fn body(run: &mut Run, tag: &'static str) -> Done {
    let digits = hasher(tag).output_size() * 2;
    if tag == "CRC" && run.args.operands.is_empty() {
        let sum = digest(run, tag, b"-").await?;
        run.put(format!("{sum}\n")).await?;
        return Ok(0);
    }
    for path in run.inputs() {
        if run.args.has('c') {
            check(run, tag, digits, &path).await?;
            continue;
        }
        match digest(run, tag, &path).await {
            Ok(hex) if run.args.has("tag") => run.put(format!("{tag} ({path}) = {hex}\n")).await?,
            Ok(sum) if tag == "CRC" => run.put(format!("{sum} {path}\n")).await?,
            Ok(hex) => {
                let mark = if run.args.has('b') { "*" } else { " " };
                run.put([hex.as_bytes(), b" ", mark.as_bytes(), &path, b"\n"].concat()).await?;
            }
            Err(error) => run.complain_path(&path, error).await,
        }
    }
    Ok(0)
}

async fn check(run: &mut Run, tag: &str, digits: usize, path: &[u8]) -> Result<(), Errno> {
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
        let Some((hex, name)) = line.split_once_str(" ").filter(|(hex, _)| hex.len() == digits) else {
            malformed += 1;
            continue;
        };
        let name: BString = name.get(1..).unwrap_or_default().into();
        let verdict = match digest(run, tag, &name).await {
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
