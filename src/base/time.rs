//! Points in time and Docker's ways of writing them. Nothing here asks a clock.

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

/// Nanoseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

/// A date and time of day in UTC.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Civil {
    /// The year, such as 2026.
    pub year: i64,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 59.
    pub second: u8,
    /// 0 to 999,999,999.
    pub nanosecond: u32,
    /// 0 is Sunday.
    pub weekday: u8,
}

/// English month names, cut to three letters where `date` and `ls` do.
pub const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
/// English weekday names, from Sunday.
pub const WEEKDAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

const NANOS: i64 = 1_000_000_000;

impl Timestamp {
    /// From whole seconds since 1970.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(NANOS))
    }

    /// Whole seconds since 1970, rounded down.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(NANOS)
    }

    /// The nanoseconds within the second.
    pub const fn subsecond_nanos(self) -> u32 {
        self.0.rem_euclid(NANOS) as u32
    }

    /// Midnight (UTC) of a day.
    pub const fn from_date(year: i64, month: u8, day: u8) -> Self {
        // Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", days_from_civil.
        let y = if month <= 2 { year - 1 } else { year };
        let era = y.div_euclid(400);
        let yoe = y.rem_euclid(400);
        let mp = (month as i64 + 9) % 12;
        let doy = (153 * mp + 2) / 5 + day as i64 - 1;
        let doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
        Self::from_seconds((era * 146_097 + doe - 719_468) * 86_400)
    }

    /// Date and time of day in UTC.
    pub const fn civil(self) -> Civil {
        let seconds = self.seconds();
        let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        // The same paper, civil_from_days.
        let z = days + 719_468;
        let era = z.div_euclid(146_097);
        let doe = z.rem_euclid(146_097);
        let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
        let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
        let mp = (5 * doy + 2) / 153;
        let month = if mp < 10 { mp + 3 } else { mp - 9 };
        Civil {
            year: yoe + era * 400 + (month <= 2) as i64,
            month: month as u8,
            day: (doy - (153 * mp + 2) / 5 + 1) as u8,
            hour: (rest / 3600) as u8,
            minute: (rest / 60 % 60) as u8,
            second: (rest % 60) as u8,
            nanosecond: self.subsecond_nanos(),
            weekday: (days + 4).rem_euclid(7) as u8,
        }
    }

    /// RFC 3339 with nine digits and no trailing zeros, as Go's `time.RFC3339Nano` writes.
    pub fn rfc3339_nano(self) -> String {
        let c = self.civil();
        let mut fraction = String::new();
        if c.nanosecond != 0 {
            fraction = format!(".{:09}", c.nanosecond).trim_end_matches('0').to_owned();
        }
        format!("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{fraction}Z", c.year, c.month, c.day, c.hour, c.minute, c.second)
    }

    /// Time since `earlier`; zero when it is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// Parses RFC 3339 with a `Z` or numeric offset; `None` when it is something else.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let number = |range: std::ops::Range<usize>| -> Option<i64> { text.get(range)?.parse().ok() };
        let at = |index: usize, allowed: &[u8]| bytes.get(index).is_some_and(|b| allowed.contains(b));
        if !(at(4, b"-") && at(7, b"-") && at(10, b"Tt ") && at(13, b":") && at(16, b":")) {
            return None;
        }
        let (month, day) = (number(5..7)?, number(8..10)?);
        let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
        if !((1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second < 61) {
            return None;
        }
        let date = Self::from_date(number(0..4)?, month as u8, day as u8);
        let (mut rest, mut nanos) = (text.get(19..)?, 0);
        if let Some(fraction) = rest.strip_prefix('.') {
            let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
            let padded = format!("{:0<9}", fraction.get(..digits)?);
            nanos = padded.get(..9)?.parse::<i64>().ok()?;
            rest = fraction.get(digits..)?;
        }
        let offset = match rest {
            "Z" | "z" => 0,
            _ => {
                let sign = if rest.starts_with('-') { -1 } else { 1 };
                let (h, m) = rest.get(1..)?.split_once(':')?;
                sign * (h.parse::<i64>().ok()? * 3600 + m.parse::<i64>().ok()? * 60)
            }
        };
        let seconds = date.seconds() + hour * 3600 + minute * 60 + second - offset;
        Some(Self(Self::from_seconds(seconds).0.saturating_add(nanos)))
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, time: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(time.as_nanos()).unwrap_or(i64::MAX)))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, time: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(time.as_nanos()).unwrap_or(i64::MAX)))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rfc3339_nano())
    }
}

/// Go's `time.Duration.String`.
pub fn go_duration(nanos: i64) -> String {
    let (sign, abs) = (if nanos < 0 { "-" } else { "" }, nanos.unsigned_abs());
    let fraction = |value: u64, scale: u64, unit: &str| {
        let digits = scale.to_string().len() - 1;
        let text = format!("{}.{:0digits$}", value / scale, value % scale);
        format!("{sign}{}{unit}", text.trim_end_matches('0').trim_end_matches('.'))
    };
    match abs {
        0 => "0s".to_owned(),
        1..1_000 => format!("{sign}{abs}ns"),
        1_000..1_000_000 => fraction(abs, 1_000, "µs"),
        1_000_000..1_000_000_000 => fraction(abs, 1_000_000, "ms"),
        _ => {
            let (minutes, rest) = (abs / 60_000_000_000, abs % 60_000_000_000);
            let seconds = fraction(rest, 1_000_000_000, "s");
            let seconds = seconds.strip_prefix('-').unwrap_or(&seconds);
            match (minutes / 60, minutes % 60) {
                (0, 0) => format!("{sign}{seconds}"),
                (0, minutes) => format!("{sign}{minutes}m{seconds}"),
                (hours, minutes) => format!("{sign}{hours}h{minutes}m{seconds}"),
            }
        }
    }
}

/// A duration in Docker's words, such as `About a minute` (docker/go-units `HumanDuration`).
pub fn human_duration(time: Duration) -> String {
    let seconds = time.as_secs();
    let (minutes, hours) = (seconds / 60, (seconds as f64 / 3600.0 + 0.5) as u64);
    match seconds {
        0 => "Less than a second".to_owned(),
        1 => "1 second".to_owned(),
        2..60 => format!("{seconds} seconds"),
        _ if minutes == 1 => "About a minute".to_owned(),
        _ if minutes < 60 => format!("{minutes} minutes"),
        _ if hours == 1 => "About an hour".to_owned(),
        _ if hours < 48 => format!("{hours} hours"),
        _ if hours < 24 * 7 * 2 => format!("{} days", hours / 24),
        _ if hours < 24 * 30 * 2 => format!("{} weeks", hours / 24 / 7),
        _ if hours < 24 * 365 * 2 => format!("{} months", hours / 24 / 30),
        _ => format!("{} years", seconds / 3600 / 24 / 365),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_civil_dates() {
        let t = Timestamp::from_date(2026, 11, 24) + Duration::from_millis(3_723_450);
        assert_eq!(t.rfc3339_nano(), "2026-11-24T01:02:03.45Z");
        assert_eq!(t.civil().weekday, 2);
        assert_eq!(Timestamp::from_date(2000, 2, 29).seconds(), 951_782_400);
        assert_eq!(Timestamp::default().rfc3339_nano(), "1970-01-01T00:00:00Z");
    }

    #[test]
    fn rfc3339_parses_what_it_prints() {
        for text in ["2026-11-24T01:02:03.45Z", "1969-12-31T23:59:59Z"] {
            assert_eq!(Timestamp::parse_rfc3339(text).map(Timestamp::rfc3339_nano).as_deref(), Some(text));
        }
        assert_eq!(Timestamp::parse_rfc3339("2026-01-01T01:00:00+01:00"), Some(Timestamp::from_date(2026, 1, 1)));
        for bad in ["", "2026", "2026-13-01T00:00:00Z", "2026-01-01T00:00:00", "ñañañañañañañañañañ"] {
            assert_eq!(Timestamp::parse_rfc3339(bad), None, "{bad}");
        }
    }

    #[test]
    fn durations_read_as_go_writes_them() {
        for (nanos, text) in [
            (0, "0s"),
            (1, "1ns"),
            (1_500, "1.5µs"),
            (30_000_000_000, "30s"),
            (3_600_000_000_000, "1h0m0s"),
            (90_500_000_000, "1m30.5s"),
            (500_000_000, "500ms"),
        ] {
            assert_eq!(go_duration(nanos), text);
        }
    }

    /// docker/go-units duration_test.go, TestHumanDuration.
    #[test]
    fn durations_read_as_go_units_writes_them() {
        let day = 24 * 3600;
        for (seconds, text) in [
            (0, "Less than a second"),
            (1, "1 second"),
            (45, "45 seconds"),
            (60, "About a minute"),
            (63, "About a minute"),
            (180, "3 minutes"),
            (3600, "About an hour"),
            (3600 * 3 / 2, "2 hours"),
            (35 * 3600, "35 hours"),
            (2 * day, "2 days"),
            (13 * day, "13 days"),
            (14 * day, "2 weeks"),
            (7 * 8 * day, "8 weeks"),
            (60 * day, "2 months"),
            (18 * 30 * day, "18 months"),
            (35 * 30 * day, "2 years"),
        ] {
            assert_eq!(human_duration(Duration::from_secs(seconds)), text);
        }
    }
}
