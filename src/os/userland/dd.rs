//! `dd`.

use bstr::ByteSlice;

use super::program::{Done, Run, quoted, run, spec, text};
use crate::base::errno::Errno;
use crate::base::rope::Rope;
use crate::os::args::number::gnu_size;
use crate::os::fs::node::Kind;
use crate::os::kernel::{Fd, Open, Proc};

spec!(SPEC, "dd", "[OPERAND]...", []);

/// The largest block: real ones may ask for more, and then dd says that memory is exhausted.
const MAX_BLOCK: u64 = 1 << 30;

/// `dd`.
pub async fn main(proc: Proc) -> i32 {
    run(proc, &SPEC, |run| Box::pin(body(run))).await
}

/// What the operands say.
#[derive(Default)]
struct Job {
    input: Option<Vec<u8>>,
    output: Option<Vec<u8>>,
    ibs: u64,
    obs: u64,
    count: Option<u64>,
    skip: u64,
    seek: u64,
    conv: Vec<String>,
    status: String,
    flags: Vec<String>,
}

impl Job {
    fn has(&self, flag: &str) -> bool {
        self.flags.iter().any(|own| own == flag)
    }
}

/// Blocks as `dd` counts them: whole and partial.
#[derive(Default)]
struct Records {
    whole: u64,
    partial: u64,
}

impl Records {
    fn count(&mut self, length: u64, block: u64) {
        if length == block { self.whole += 1 } else { self.partial += u64::from(length > 0) }
    }
}

/// The operands, or what `dd` says about the first wrong one.
fn job(operands: &[bstr::BString]) -> Result<Job, String> {
    let mut job = Job { ibs: 512, obs: 512, ..Job::default() };
    for operand in operands {
        let Some((key, value)) = operand.split_once_str("=") else {
            return Err(format!("unrecognized operand {}", quoted(operand)));
        };
        let number = || {
            // `2x512` is a product; a `B` at the end counts bytes, which GNU dd has since version 9.1.
            let mut product = 1u64;
            for factor in value.split_str("x") {
                let size = gnu_size(factor).filter(|_| factor.first().is_some_and(u8::is_ascii_digit));
                product = product.checked_mul(size.ok_or(())?).ok_or(())?;
            }
            Ok(product)
        };
        let wrong = |()| format!("invalid number: {}", quoted(value));
        match text(key).as_str() {
            "if" => job.input = Some(value.to_vec()),
            "of" => job.output = Some(value.to_vec()),
            "bs" => {
                job.ibs = number().map_err(wrong)?;
                job.obs = job.ibs;
            }
            "ibs" => job.ibs = number().map_err(wrong)?,
            "obs" => job.obs = number().map_err(wrong)?,
            "count" => job.count = Some(number().map_err(wrong)?),
            "skip" | "iseek" => job.skip = number().map_err(wrong)?,
            "seek" | "oseek" => job.seek = number().map_err(wrong)?,
            "conv" => job.conv = text(value).split(',').map(ToOwned::to_owned).collect(),
            "status" => job.status = text(value),
            "iflag" | "oflag" => {
                // The last seven say how a device is to be used, which changes no byte.
                const FLAGS: [&str; 12] = [
                    "append",
                    "count_bytes",
                    "fullblock",
                    "seek_bytes",
                    "skip_bytes",
                    "direct",
                    "dsync",
                    "sync",
                    "noatime",
                    "nocache",
                    "nonblock",
                    "noctty",
                ];
                for flag in text(value).split(',') {
                    if !FLAGS.contains(&flag) {
                        let side = if key == b"iflag".as_slice() { "input" } else { "output" };
                        return Err(format!("invalid {side} flag: {}", quoted(flag.as_bytes())));
                    }
                    // `append` is of the output only.
                    if flag != "append" || key == b"oflag".as_slice() {
                        job.flags.push(flag.to_owned());
                    }
                }
            }
            _ => return Err(format!("unrecognized operand {}", quoted(operand))),
        }
        if job.ibs == 0 || job.obs == 0 {
            return Err(format!("invalid number: {}", quoted(value)));
        }
    }
    const CONVERSIONS: [&str; 7] = ["notrunc", "fsync", "fdatasync", "noerror", "ucase", "lcase", "sync"];
    if let Some(other) = job.conv.iter().find(|conv| !CONVERSIONS.contains(&conv.as_str())) {
        return Err(format!("invalid conversion: {}", quoted(other.as_bytes())));
    }
    if !["", "none", "noxfer", "progress"].contains(&job.status.as_str()) {
        return Err(format!("invalid status level: {}", quoted(job.status.as_bytes())));
    }
    Ok(job)
}

/// `1048576 bytes (1.0 MB, 1.0 MiB)`, as GNU writes it.
fn amount(bytes: u64) -> String {
    let scaled = |step: f64, units: [&str; 4]| {
        let mut size = bytes as f64 / step;
        let mut at = 0;
        while size >= step && at + 1 < units.len() {
            size /= step;
            at += 1;
        }
        let unit = units.get(at).copied().unwrap_or_default();
        if size < 10.0 { format!("{size:.1} {unit}") } else { format!("{size:.0} {unit}") }
    };
    let metric = scaled(1000.0, ["kB", "MB", "GB", "TB"]);
    let binary = scaled(1024.0, ["KiB", "MiB", "GiB", "TiB"]);
    match bytes {
        1 => "1 byte".into(),
        0..1000 => format!("{bytes} bytes"),
        1000..1024 => format!("{bytes} bytes ({metric})"),
        _ => format!("{bytes} bytes ({metric}, {binary})"),
    }
}

async fn body(run: &mut Run) -> Done {
    let job = match job(&run.args.operands) {
        Ok(job) => job,
        Err(message) => {
            let is_value = message.starts_with("invalid number");
            run.complain(message).await;
            if !is_value {
                run.proc.eprint("Try 'dd --help' for more information.\n").await;
            }
            return Ok(1);
        }
    };
    if job.ibs.max(job.obs) > MAX_BLOCK {
        let size = job.ibs.max(job.obs);
        run.complain(format!("memory exhausted by input buffer of size {size} bytes ({})", amount(size))).await;
        return Ok(1);
    }
    // GNU dd has one buffer where both blocks are of one size, else one for each.
    run.proc.set_heap(if job.ibs == job.obs { job.ibs } else { job.ibs + job.obs }).await;
    let begin = run.proc.now();
    let input = match &job.input {
        Some(path) => match run.proc.open(path.as_bstr(), Open::READ) {
            Ok(fd) => fd,
            Err(error) => return failed(run, "failed to open", path, error).await,
        },
        None => 0,
    };
    let keeps = job.conv.iter().any(|conv| conv == "notrunc") || job.seek > 0;
    let output = match &job.output {
        Some(path) => {
            let how = if job.has("append") { Open::APPEND } else { Open { truncate: !keeps, ..Open::WRITE } };
            match run.proc.open(path.as_bstr(), how) {
                Ok(fd) => fd,
                Err(error) => return failed(run, "failed to open", path, error).await,
            }
        }
        None => 1,
    };
    let (mut read, mut written) = (Records::default(), Records::default());
    let mut total = 0u64;
    let outcome = copy(run, &job, (input, output), (&mut read, &mut written), &mut total).await;
    if job.status != "none" {
        let counts = |records: &Records| format!("{}+{}", records.whole, records.partial);
        run.proc.eprint(format!("{} records in\n{} records out\n", counts(&read), counts(&written))).await;
        if job.status != "noxfer" {
            let seconds = run.proc.now().since(begin).as_secs_f64().max(1e-9);
            let rate = (total as f64 / seconds) as u64;
            // The rate has one unit only.
            let rate = amount(rate.max(1000));
            let rate = rate.split_once('(').map_or("", |(_, rest)| rest.split([',', ')']).next().unwrap_or_default());
            run.proc.eprint(format!("{} copied, {seconds:.6} s, {rate}/s\n", amount(total))).await;
        }
    }
    match outcome {
        Ok(()) => Ok(0),
        Err((reading, error)) => {
            let (what, path) = if reading { ("error reading", &job.input) } else { ("error writing", &job.output) };
            let standard: &[u8] = if reading { b"standard input" } else { b"standard output" };
            let path = path.clone().unwrap_or_else(|| standard.to_vec());
            failed(run, what, &path, error).await
        }
    }
}

async fn failed(run: &mut Run, what: &str, path: &[u8], error: Errno) -> Done {
    run.complain(format!("{what} {}: {}", quoted(path), error.strerror())).await;
    Ok(1)
}

/// Copies; an error says whether it came up while reading.
async fn copy(
    run: &mut Run,
    job: &Job,
    (input, output): (Fd, Fd),
    (read, written): (&mut Records, &mut Records),
    total: &mut u64,
) -> Result<(), (bool, Errno)> {
    let mut skip = if job.has("skip_bytes") { job.skip } else { job.skip.saturating_mul(job.ibs) };
    if skip > 0 && run.proc.seek(input, skip).is_ok() {
        skip = 0;
    }
    while skip > 0 {
        let piece = run.proc.read(input, skip.min(1 << 20)).await.map_err(|error| (true, error))?;
        if piece.is_empty() {
            break;
        }
        skip -= piece.len();
    }
    let seek = if job.has("seek_bytes") { job.seek } else { job.seek.saturating_mul(job.obs) };
    if seek > 0 {
        run.proc.seek(output, seek).map(drop).map_err(|error| (false, error))?;
    }
    let mut left = match job.count {
        Some(count) if job.has("count_bytes") => count,
        Some(count) => count.saturating_mul(job.ibs),
        None => u64::MAX,
    };
    // A block is what one read gives. Of a file or a device like /dev/zero that is a whole block, of a pipe or a terminal
    // what there is, unless iflag=fullblock.
    let whole = job.has("fullblock")
        || (run.proc.tty_of(input).is_none()
            && run.proc.fstat(input).is_ok_and(|stat| matches!(stat.kind, Kind::File | Kind::CharDevice)));
    let mut waiting = Rope::new();
    let mut blocks = job.count.filter(|_| !job.has("count_bytes")).unwrap_or(u64::MAX);
    while left > 0 && blocks > 0 {
        let wanted = job.ibs.min(left);
        let mut piece = run.proc.read(input, wanted).await.map_err(|error| (true, error))?;
        while whole && piece.len() < wanted {
            let more = run.proc.read(input, wanted - piece.len()).await.map_err(|error| (true, error))?;
            if more.is_empty() {
                break;
            }
            piece.push(&more);
        }
        if piece.is_empty() {
            break;
        }
        read.count(piece.len(), job.ibs);
        left -= piece.len();
        blocks -= 1;
        if job.conv.iter().any(|conv| conv == "ucase" || conv == "lcase") {
            let upper = job.conv.iter().any(|conv| conv == "ucase");
            let bytes = piece.to_vec();
            piece = Rope::from(if upper { bytes.to_ascii_uppercase() } else { bytes.to_ascii_lowercase() });
        }
        if job.conv.iter().any(|conv| conv == "sync") && piece.len() < job.ibs {
            let missing = usize::try_from(job.ibs - piece.len()).unwrap_or(0);
            piece.push(&Rope::from(vec![0; missing]));
        }
        if job.ibs == job.obs {
            put(run, output, &piece, job.obs, written, total).await?;
            continue;
        }
        waiting.push(&piece);
        while waiting.len() >= job.obs {
            put(run, output, &waiting.slice(0..job.obs), job.obs, written, total).await?;
            waiting = waiting.slice(job.obs..waiting.len());
        }
    }
    if !waiting.is_empty() {
        put(run, output, &waiting, job.obs, written, total).await?;
    }
    Ok(())
}

async fn put(
    run: &mut Run,
    output: Fd,
    piece: &Rope,
    block: u64,
    written: &mut Records,
    total: &mut u64,
) -> Result<(), (bool, Errno)> {
    run.proc.write_rope(output, piece).await.map_err(|error| (false, error))?;
    written.count(piece.len(), block);
    *total += piece.len();
    Ok(())
}
