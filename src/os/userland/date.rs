//! `date`. The time zone is UTC, as in a container without zone files.

use super::program::{Done, Run, quoted, run, spec, text};
use crate::base::time::{MONTHS, Timestamp, WEEKDAYS};
use crate::os::args::{flag, optional, value};
use crate::os::fs::capability::CAP_SYS_TIME;
use crate::os::kernel::Proc;

spec!(
    SPEC,
    "date",
    "[OPTION]... [+FORMAT]",
    [
        value('d', "date"),
        value('r', "reference"),
        value('s', "set"),
        flag('u', "utc"),
        flag('R', "rfc-email"),
        optional('I', "iso-8601"),
    ]
);

const LONG_MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const LONG_WEEKDAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// `date`.
pub async fn main(proc: Proc) -> i32 {
    run(proc, &SPEC, |run| Box::pin(body(run))).await
}

async fn body(run: &mut Run) -> Done {
    let mut time = run.proc.now();
    if let Some(given) = run.args.value('d').map(ToOwned::to_owned) {
        match parse_date(&text(&given), time) {
            Some(parsed) => time = parsed,
            None => {
                run.complain(format!("invalid date {}", quoted(&given))).await;
                return Ok(1);
            }
        }
    }
    if let Some(path) = run.args.value('r').map(ToOwned::to_owned) {
        match run.proc.stat(&path) {
            Ok(stat) => time = stat.meta.mtime,
            Err(error) => {
                run.complain_path(&path, error).await;
                return Ok(1);
            }
        }
    }
    if run.args.has('s') {
        let may = run.proc.cred().is_capable(CAP_SYS_TIME);
        let why = if may { "setting the clock is not simulated in Capas" } else { "Operation not permitted" };
        run.complain(format!("cannot set date: {why}")).await;
        return Ok(1);
    }
    let format = match run.args.operands.first() {
        Some(operand) if operand.starts_with(b"+") => text(operand.get(1..).unwrap_or_default()),
        Some(operand) => {
            let text = format!("invalid date {}", quoted(operand));
            run.complain(text).await;
            return Ok(1);
        }
        None if run.args.has('R') => "%a, %d %b %Y %H:%M:%S %z".to_owned(),
        None if run.args.has('I') => match run.args.value('I').map(|v| text(v)).as_deref() {
            Some("seconds" | "s") => "%Y-%m-%dT%H:%M:%S+00:00".to_owned(),
            Some("minutes") => "%Y-%m-%dT%H:%M+00:00".to_owned(),
            Some("hours") => "%Y-%m-%dT%H+00:00".to_owned(),
            Some("ns") => "%Y-%m-%dT%H:%M:%S,%N+00:00".to_owned(),
            _ => "%Y-%m-%d".to_owned(),
        },
        None => "%a %b %e %H:%M:%S %Z %Y".to_owned(),
    };
    run.put(format!("{}\n", strftime(&format, time))).await?;
    Ok(0)
}

/// A time in a format of `strftime`'s.
pub fn strftime(format: &str, time: Timestamp) -> String {
    let c = time.civil();
    let index = |n: u8| usize::from(n);
    let month = index(c.month).saturating_sub(1);
    let day_of_year = (time.seconds() - Timestamp::from_date(c.year, 1, 1).seconds()) / 86_400 + 1;
    let monday_based = if c.weekday == 0 { 7 } else { c.weekday };
    let hour12 = if c.hour.is_multiple_of(12) { 12 } else { c.hour % 12 };
    let mut out = String::new();
    let mut chars = format.chars();
    while let Some(ch) = chars.next() {
        if ch != '%' {
            out.push(ch);
            continue;
        }
        let Some(mut spec) = chars.next() else {
            out.push('%');
            break;
        };
        let unpadded = spec == '-';
        if matches!(spec, '-' | '_' | '0') {
            spec = chars.next().unwrap_or('%');
        }
        let piece = match spec {
            'Y' => c.year.to_string(),
            'y' => format!("{:02}", c.year.rem_euclid(100)),
            'C' => format!("{:02}", c.year / 100),
            'm' => format!("{:02}", c.month),
            'd' => format!("{:02}", c.day),
            'e' => format!("{:2}", c.day),
            'H' => format!("{:02}", c.hour),
            'k' => format!("{:2}", c.hour),
            'I' => format!("{hour12:02}"),
            'l' => format!("{hour12:2}"),
            'M' => format!("{:02}", c.minute),
            'S' => format!("{:02}", c.second),
            'N' => format!("{:09}", c.nanosecond),
            'p' => if c.hour < 12 { "AM" } else { "PM" }.to_owned(),
            'P' => if c.hour < 12 { "am" } else { "pm" }.to_owned(),
            'a' => WEEKDAYS.get(index(c.weekday)).copied().unwrap_or_default().to_owned(),
            'A' => LONG_WEEKDAYS.get(index(c.weekday)).copied().unwrap_or_default().to_owned(),
            'b' | 'h' => MONTHS.get(month).copied().unwrap_or_default().to_owned(),
            'B' => LONG_MONTHS.get(month).copied().unwrap_or_default().to_owned(),
            'j' => format!("{day_of_year:03}"),
            'u' => monday_based.to_string(),
            'w' => c.weekday.to_string(),
            's' => time.seconds().to_string(),
            'z' => "+0000".to_owned(),
            'Z' => "UTC".to_owned(),
            'F' => strftime("%Y-%m-%d", time),
            'D' | 'x' => strftime("%m/%d/%y", time),
            'T' | 'X' => strftime("%H:%M:%S", time),
            'R' => strftime("%H:%M", time),
            'r' => strftime("%I:%M:%S %p", time),
            'c' => strftime("%a %b %e %H:%M:%S %Y", time),
            'n' => "\n".to_owned(),
            't' => "\t".to_owned(),
            '%' => "%".to_owned(),
            other => format!("%{other}"),
        };
        let trimmed = piece.trim_start_matches(['0', ' ']);
        out.push_str(if !unpadded {
            &piece
        } else if trimmed.is_empty() {
            "0"
        } else {
            trimmed
        });
    }
    out
}

/// A date as people give it to `-d`: `@N`, ISO dates with a time, `now`, `yesterday`, `2 days ago`.
pub fn parse_date(text: &str, now: Timestamp) -> Option<Timestamp> {
    let text = text.trim();
    if let Some(seconds) = text.strip_prefix('@') {
        return seconds.split('.').next()?.parse().ok().map(Timestamp::from_seconds);
    }
    let midnight = Timestamp::from_seconds(now.seconds().div_euclid(86_400) * 86_400);
    match text {
        "" => return Some(midnight),
        "now" => return Some(now),
        "today" => return Some(now),
        "yesterday" => return Some(Timestamp::from_seconds(now.seconds() - 86_400)),
        "tomorrow" => return Some(Timestamp::from_seconds(now.seconds() + 86_400)),
        _ => {}
    }
    if let Some(time) = relative(text, now) {
        return Some(time);
    }
    let text = text.strip_suffix(" UTC").unwrap_or(text);
    let text = text.replacen(' ', "T", 1);
    let text = match text.len() {
        10 => format!("{text}T00:00:00Z"),
        16 => format!("{text}:00Z"),
        _ if text.ends_with('Z') || text.get(11..).is_some_and(|t| t.contains(['+', '-'])) => text,
        _ => format!("{text}Z"),
    };
    Timestamp::parse_rfc3339(&text)
}

fn relative(text: &str, now: Timestamp) -> Option<Timestamp> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let (count, unit, back) = match words.as_slice() {
        [count, unit, "ago"] => (*count, *unit, true),
        [count, unit] => (*count, *unit, false),
        _ => return None,
    };
    let count: i64 = count.parse().ok()?;
    let unit = match unit.trim_end_matches('s') {
        "second" | "sec" => 1,
        "minute" | "min" => 60,
        "hour" => 3600,
        "day" => 86_400,
        "week" => 604_800,
        "year" => 31_536_000,
        _ => return None,
    };
    let span = count.checked_mul(unit)?;
    let span = if back { span.checked_neg()? } else { span };
    let seconds = now.seconds().checked_add(span)?;
    seconds.checked_abs().filter(|s| *s < 1 << 33).map(|_| Timestamp::from_seconds(seconds))
}
