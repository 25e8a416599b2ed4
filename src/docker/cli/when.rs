//! Times on the command line and in lists.

use std::time::Duration;

use crate::base::time::{MONTHS, Timestamp, WEEKDAYS, human_duration};

use super::value::parse_duration;

/// A time as `--since` takes it: a duration before now, a date, seconds since 1970 (moby `api/types/time/timestamp.go`).
///
/// # Errors
/// A text that is none of these.
pub fn parse(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    if let (Ok(nanos), false) = (parse_duration(text), text == "0") {
        return Ok(Timestamp(now.0.saturating_sub(nanos)));
    }
    let seconds = || -> Option<Timestamp> {
        let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
        let nanos: i64 = format!("{fraction:0<9}").get(..9)?.parse().ok()?;
        let start = Timestamp::from_seconds(seconds.parse().ok()?);
        Some(Timestamp(start.0.saturating_add(nanos)))
    };
    let date = || {
        let missing = match text.len() {
            10 => "T00:00:00Z",
            13 => ":00:00Z",
            16 => ":00Z",
            _ if text.contains('Z') || text.rsplit_once('T').is_some_and(|(_, time)| time.contains(['+', '-'])) => "",
            _ => "Z",
        };
        Timestamp::parse_rfc3339(&format!("{text}{missing}"))
    };
    let found = if text.contains('-') { date() } else { seconds() };
    let quoted = || crate::os::args::pflag::go_quote(text.as_bytes());
    found.ok_or_else(|| format!("failed to parse value as time or duration: {}", quoted()))
}

/// `2 hours ago`.
pub fn ago(time: Timestamp, now: Timestamp) -> String {
    format!("{} ago", human_duration(now.since(time)))
}

/// As Go prints a time: `2021-12-20 00:00:00.5 +0000 UTC`.
pub fn go(time: Timestamp) -> String {
    let text = time.rfc3339_nano();
    format!("{} +0000 UTC", text.trim_end_matches('Z').replace('T', " "))
}

/// The same in whole seconds.
pub fn go_seconds(time: Timestamp) -> String {
    go(Timestamp::from_seconds(time.seconds()))
}

/// With nine digits, as `docker events` and `docker logs -t` write it.
pub fn fixed(time: Timestamp) -> String {
    let text = Timestamp::from_seconds(time.seconds()).rfc3339_nano();
    format!("{}.{:09}Z", text.trim_end_matches('Z'), time.subsecond_nanos())
}

/// `Wed Jan 22 13:41:17 2025` (Go's `time.ANSIC`).
pub fn ansic(time: Timestamp) -> String {
    let c = time.civil();
    let name = |names: &[&'static str], index: usize| names.get(index).copied().unwrap_or("");
    let (weekday, month) = (name(&WEEKDAYS, usize::from(c.weekday)), name(&MONTHS, usize::from(c.month) - 1));
    format!("{weekday} {month} {:>2} {:02}:{:02}:{:02} {}", c.day, c.hour, c.minute, c.second, c.year)
}

/// One second.
pub const SECOND: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_dates_durations_or_seconds() {
        let now = Timestamp::from_date(2021, 12, 20);
        let at = |text: &str| parse(text, now).map(Timestamp::rfc3339_nano);
        assert_eq!(at("10m").as_deref(), Ok("2021-12-19T23:50:00Z"));
        assert_eq!(at("2021-12-19").as_deref(), Ok("2021-12-19T00:00:00Z"));
        assert_eq!(at("2021-12-19T10:30").as_deref(), Ok("2021-12-19T10:30:00Z"));
        assert_eq!(at("2021-12-19T10:30:05").as_deref(), Ok("2021-12-19T10:30:05Z"));
        assert_eq!(at("2021-12-19T10:30:05+01:00").as_deref(), Ok("2021-12-19T09:30:05Z"));
        assert_eq!(at("1640000000.5").as_deref(), Ok("2021-12-20T11:33:20.5Z"));
        assert_eq!(at("x").unwrap_err(), "failed to parse value as time or duration: \"x\"");
        assert!(at("").is_err() && at("1-1").is_err() && at("ñañañañaña").is_err());
    }

    #[test]
    fn times_are_written_as_go_writes_them() {
        let time = Timestamp::from_seconds(1_640_000_000) + Duration::from_millis(123);
        assert_eq!(go(time), "2021-12-20 11:33:20.123 +0000 UTC");
        assert_eq!(fixed(time), "2021-12-20T11:33:20.123000000Z");
        assert_eq!(ansic(time), "Mon Dec 20 11:33:20 2021");
    }
}
