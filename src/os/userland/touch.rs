//! `touch`.

use super::date::parse_date;
use super::program::{Done, Run, number, run, spec, text};
use crate::base::errno::Errno;
use crate::base::time::Timestamp;
use crate::os::args::{flag, value};
use crate::os::kernel::{Open, Proc};

spec!(
    SPEC,
    "touch",
    "[OPTION]... FILE...",
    [
        flag('a', ""),
        flag('c', "no-create"),
        flag('f', ""),
        flag('h', "no-dereference"),
        flag('m', ""),
        value('d', "date"),
        value('r', "reference"),
        value('t', ""),
    ]
);

/// `touch`.
pub async fn main(proc: Proc) -> i32 {
    run(proc, &SPEC, |run| Box::pin(body(run))).await
}

async fn body(run: &mut Run) -> Done {
    if run.args.operands.is_empty() {
        return Ok(run.missing("missing file operand").await);
    }
    let now = run.proc.now();
    let time = if let Some(reference) = run.args.value('r').map(ToOwned::to_owned) {
        match run.proc.stat(&reference) {
            Ok(stat) => stat.meta.mtime,
            Err(error) => {
                run.complain_of("failed to get attributes of", &reference, error).await;
                return Ok(1);
            }
        }
    } else if let Some(given) = run.args.value('d').map(ToOwned::to_owned) {
        match parse_date(&text(&given), now) {
            Some(time) => time,
            None => {
                run.complain(format!("invalid date format '{given}'")).await;
                return Ok(1);
            }
        }
    } else if let Some(given) = run.args.value('t').map(ToOwned::to_owned) {
        match stamp(&text(&given), now) {
            Some(time) => time,
            None => {
                run.complain(format!("invalid date format '{given}'")).await;
                return Ok(1);
            }
        }
    } else {
        now
    };
    // Access times are not kept here: `-a` alone changes nothing that can be seen.
    let sets = run.args.has('m') || !run.args.has('a');
    let follow = !run.args.has('h');
    for path in run.args.operands.clone() {
        let exists = if follow { run.proc.stat(&path) } else { run.proc.lstat(&path) };
        let touched = match exists {
            Ok(_) if sets => run.proc.set_mtime(&path, time, follow),
            Ok(_) => Ok(()),
            Err(Errno::ENOENT) if run.args.has('c') => Ok(()),
            Err(Errno::ENOENT) => {
                let open = Open { truncate: false, ..Open::WRITE };
                run.proc.open(&path, open).and_then(|fd| {
                    let _ = run.proc.close(fd);
                    if time == now { Ok(()) } else { run.proc.set_mtime(&path, time, follow) }
                })
            }
            Err(error) => Err(error),
        };
        match touched {
            Ok(()) => {}
            Err(error) if run.is_busybox() => run.complain_path(&path, error).await,
            Err(error) => run.complain_of("cannot touch", &path, error).await,
        }
    }
    Ok(0)
}

/// `[[CC]YY]MMDDhhmm[.ss]`.
fn stamp(text: &str, now: Timestamp) -> Option<Timestamp> {
    let (digits, seconds) = text.split_once('.').unwrap_or((text, "0"));
    let at = |from: usize| number::<i64>(digits.as_bytes().get(from..from + 2)?);
    let year = match digits.len() {
        8 => now.civil().year,
        10 => 2000 + at(0)?,
        12 => number(digits.as_bytes().get(..4)?)?,
        _ => return None,
    };
    let rest = digits.len() - 8;
    let (month, day) = (u8::try_from(at(rest)?).ok()?, u8::try_from(at(rest + 2)?).ok()?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || !(1970..=9999).contains(&year) {
        return None;
    }
    let (hour, minute) = (at(rest + 4)?, at(rest + 6)?);
    let seconds = seconds.parse::<i64>().ok().filter(|s| (0..=60).contains(s))?;
    let day = Timestamp::from_date(year, month, day).seconds();
    (hour < 24 && minute < 60).then(|| Timestamp::from_seconds(day + hour * 3600 + minute * 60 + seconds))
}
