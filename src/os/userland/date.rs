//! `date`. The time zone is that of `TZ`, as far as it can be read: a POSIX rule, or a zone whose file is installed and whose
//! rule is known here; UTC else.

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

pub(super) const LONG_MONTHS: [&str; 12] = [
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
    let zone = if run.args.has('u') { Zone::utc() } else { zone_at(&run.proc, time).await };
    let format = match run.args.operands.first() {
        Some(operand) if operand.starts_with(b"+") => text(operand.get(1..).unwrap_or_default()),
        Some(operand) => {
            let text = format!("invalid date {}", quoted(operand));
            run.complain(text).await;
            return Ok(1);
        }
        None if run.args.has('R') => "%a, %d %b %Y %H:%M:%S %z".to_owned(),
        None if run.args.has('I') => match run.args.value('I').map(|v| text(v)).as_deref() {
            Some("seconds" | "s") => "%Y-%m-%dT%H:%M:%S%:z".to_owned(),
            Some("minutes") => "%Y-%m-%dT%H:%M%:z".to_owned(),
            Some("hours") => "%Y-%m-%dT%H%:z".to_owned(),
            Some("ns") => "%Y-%m-%dT%H:%M:%S,%N%:z".to_owned(),
            _ => "%Y-%m-%d".to_owned(),
        },
        None => "%a %b %e %H:%M:%S %Z %Y".to_owned(),
    };
    run.put(format!("{}\n", strftime_in(&format, time, &zone))).await?;
    Ok(0)
}

/// A time zone at some time.
pub struct Zone {
    name: String,
    /// Seconds east of Greenwich.
    offset: i64,
}

impl Zone {
    fn utc() -> Self {
        Self { name: "UTC".to_owned(), offset: 0 }
    }
}

/// The rules of the zones whose files the catalogue's packages bring, as the last lines of those files have them
/// (tzdata 2021e and later).
const ZONES: [(&str, &str); 11] = [
    ("America/Argentina/Buenos_Aires", "<-03>3"),
    ("America/Bogota", "<-05>5"),
    ("America/Mexico_City", "CST6"),
    ("America/New_York", "EST5EDT,M3.2.0,M11.1.0"),
    ("Asia/Tokyo", "JST-9"),
    ("Atlantic/Canary", "WET0WEST,M3.5.0/1,M10.5.0"),
    ("Europe/Berlin", "CET-1CEST,M3.5.0,M10.5.0/3"),
    ("Europe/London", "GMT0BST,M3.5.0/1,M10.5.0"),
    ("Europe/Madrid", "CET-1CEST,M3.5.0,M10.5.0/3"),
    ("Europe/Paris", "CET-1CEST,M3.5.0,M10.5.0/3"),
    ("UTC", "UTC0"),
];
const FOLDER: &str = "/usr/share/zoneinfo/";

/// The zone that a process's times are in.
async fn zone_at(proc: &Proc, time: Timestamp) -> Zone {
    let rule_of =
        |name: &str| ZONES.iter().find(|(known, _)| *known == name.trim_start_matches("Etc/")).map(|(_, rule)| *rule);
    let Some(given) = proc.getenv("TZ").map(|tz| text(&tz)) else {
        // A link to a zone's file, or a copy of one.
        let target = proc.realpath(b"/etc/localtime").map(|path| text(&path)).unwrap_or_default();
        if let Some(rule) = target.strip_prefix(FOLDER).and_then(rule_of) {
            return resolve(rule, time).unwrap_or_else(Zone::utc);
        }
        if let Ok(own) = proc.read_file(b"/etc/localtime").await {
            for (name, rule) in ZONES {
                if proc.read_file(format!("{FOLDER}{name}").as_bytes()).await.is_ok_and(|file| file == own) {
                    return resolve(rule, time).unwrap_or_else(Zone::utc);
                }
            }
        }
        return Zone::utc();
    };
    let given = given.trim_start_matches(':');
    if proc.stat(format!("{FOLDER}{given}").as_bytes()).is_ok_and(|stat| !stat.is_dir())
        && let Some(rule) = rule_of(given)
    {
        return resolve(rule, time).unwrap_or_else(Zone::utc);
    }
    // glibc takes the letters of a zone that it can't find for a name without an offset; musl has UTC.
    let letters: String = given.chars().take_while(char::is_ascii_alphabetic).collect();
    let unknown = || match proc.flavour() {
        crate::os::kernel::Flavour::Gnu if letters.len() >= 3 => Zone { name: letters.clone(), offset: 0 },
        _ => Zone::utc(),
    };
    resolve(given, time).unwrap_or_else(unknown)
}

/// The name at the beginning of a rule, and the rest.
fn zone_name(rule: &str) -> Option<(&str, &str)> {
    if let Some(quoted) = rule.strip_prefix('<') {
        return quoted.split_once('>');
    }
    let end = rule.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rule.len());
    if end < 3 { None } else { rule.split_at_checked(end) }
}

/// `[+-]hh[:mm[:ss]]` in seconds, and the rest.
fn clock(rule: &str) -> Option<(i64, &str)> {
    let (sign, digits) = match rule.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, rule.strip_prefix('+').unwrap_or(rule)),
    };
    let end = digits.find(|c: char| !(c.is_ascii_digit() || c == ':')).unwrap_or(digits.len());
    let (shown, rest) = digits.split_at_checked(end)?;
    let mut seconds = 0;
    for (place, part) in shown.split(':').enumerate() {
        seconds += part.parse::<i64>().ok().filter(|n| *n <= 167)? * 60i64.pow(2u32.checked_sub(place as u32)?);
    }
    Some((sign * seconds, rest))
}

/// What a POSIX rule says of a time: `CET-1CEST,M3.5.0,M10.5.0/3`.
fn resolve(rule: &str, time: Timestamp) -> Option<Zone> {
    let (name, rest) = zone_name(rule)?;
    let (west, rest) = clock(rest)?;
    let standard = Zone { name: name.to_owned(), offset: -west };
    if rest.is_empty() {
        return Some(standard);
    }
    let (summer_name, rest) = zone_name(rest)?;
    let (summer, rest) = match rest.starts_with(',') || rest.is_empty() {
        true => (3600 - west, rest),
        false => clock(rest).map(|(west, rest)| (-west, rest))?,
    };
    // Without a rule of its own it is that of the United States.
    let rest = rest.strip_prefix(',').unwrap_or("M3.2.0,M11.1.0");
    let (begins, ends) = rest.split_once(',')?;
    let year = time.civil().year;
    let (begins, ends) = (turn(begins, year)? - standard.offset, turn(ends, year)? - summer);
    let now = time.seconds();
    let is_summer = if begins < ends { (begins..ends).contains(&now) } else { !(ends..begins).contains(&now) };
    Some(if is_summer { Zone { name: summer_name.to_owned(), offset: summer } } else { standard })
}

/// `Mmonth.week.day[/time]` of a year, in seconds of the wall clock.
fn turn(rule: &str, year: i64) -> Option<i64> {
    let (date, hour) = rule.split_once('/').unwrap_or((rule, "2"));
    let mut numbers = date.strip_prefix('M')?.split('.').map(str::parse::<i64>);
    let (month, week, day) = (numbers.next()?.ok()?, numbers.next()?.ok()?, numbers.next()?.ok()?);
    if !(1..=12).contains(&month) || !(1..=5).contains(&week) || !(0..=6).contains(&day) {
        return None;
    }
    let first = Timestamp::from_date(year, month as u8, 1);
    let next =
        if month == 12 { Timestamp::from_date(year + 1, 1, 1) } else { Timestamp::from_date(year, month as u8 + 1, 1) };
    let days = (next.seconds() - first.seconds()) / 86_400;
    let mut at = (day - i64::from(first.civil().weekday)).rem_euclid(7) + 7 * (week - 1);
    while at >= days {
        at -= 7;
    }
    Some(first.seconds() + at * 86_400 + clock(hour)?.0)
}

/// A time in a format of `strftime`'s, in UTC.
pub fn strftime(format: &str, time: Timestamp) -> String {
    strftime_in(format, time, &Zone::utc())
}

/// The same in a zone.
fn strftime_in(format: &str, instant: Timestamp, zone: &Zone) -> String {
    let time = Timestamp::from_seconds(instant.seconds().saturating_add(zone.offset));
    let (c, nanosecond) = (time.civil(), instant.civil().nanosecond);
    let east = |colon: &str| {
        let minutes = zone.offset.abs() / 60;
        format!("{}{:02}{colon}{:02}", if zone.offset < 0 { '-' } else { '+' }, minutes / 60, minutes % 60)
    };
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
            'N' => format!("{nanosecond:09}"),
            'p' => if c.hour < 12 { "AM" } else { "PM" }.to_owned(),
            'P' => if c.hour < 12 { "am" } else { "pm" }.to_owned(),
            'a' => WEEKDAYS.get(index(c.weekday)).copied().unwrap_or_default().to_owned(),
            'A' => LONG_WEEKDAYS.get(index(c.weekday)).copied().unwrap_or_default().to_owned(),
            'b' | 'h' => MONTHS.get(month).copied().unwrap_or_default().to_owned(),
            'B' => LONG_MONTHS.get(month).copied().unwrap_or_default().to_owned(),
            'j' => format!("{day_of_year:03}"),
            'u' => monday_based.to_string(),
            'w' => c.weekday.to_string(),
            's' => instant.seconds().to_string(),
            'z' => east(""),
            ':' if chars.as_str().starts_with('z') => {
                chars.next();
                east(":")
            }
            'Z' => zone.name.clone(),
            'F' => strftime_in("%Y-%m-%d", instant, zone),
            'D' | 'x' => strftime_in("%m/%d/%y", instant, zone),
            'T' | 'X' => strftime_in("%H:%M:%S", instant, zone),
            'R' => strftime_in("%H:%M", instant, zone),
            'r' => strftime_in("%I:%M:%S %p", instant, zone),
            'c' => strftime_in("%a %b %e %H:%M:%S %Y", instant, zone),
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
