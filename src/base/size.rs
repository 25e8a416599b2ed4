//! Sizes in Docker's words (docker/go-units `size.go`).

const DECIMAL: [&str; 9] = ["B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"];
const BINARY: [&str; 9] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"];

/// Decimal units, four significant digits: `12.35MB` (`HumanSize`; progress, `system df`, prune).
pub fn human_size(bytes: u64) -> String {
    scaled(bytes as f64, 1000.0, &DECIMAL, 4)
}

/// Decimal units, three significant digits: `72.8MB` (`HumanSizeWithPrecision(.., 3)`; `images`, `history`, `ps -s`).
pub fn human_size3(bytes: u64) -> String {
    scaled(bytes as f64, 1000.0, &DECIMAL, 3)
}

/// Binary units, four significant digits: `7.656MiB` (`BytesSize`; `stats`, limits).
pub fn bytes_size(bytes: u64) -> String {
    scaled(bytes as f64, 1024.0, &BINARY, 4)
}

fn scaled(mut value: f64, base: f64, units: &[&str; 9], digits: usize) -> String {
    let mut unit = 0;
    while value >= base && unit + 1 < units.len() {
        value /= base;
        unit += 1;
    }
    format!("{}{}", significant(value, digits), units.get(unit).unwrap_or(&""))
}

/// Go's `%.*g` for values from 0 to below 1024: `digits` significant digits without trailing zeros.
fn significant(value: f64, digits: usize) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let mut magnitude = value.log10().floor() as i32;
    // Rounding can carry into another digit: 9.996 with three digits is 10.
    let rounded = format!("{value:.*e}", digits.saturating_sub(1));
    if let Some(exponent) = rounded.split_once('e').and_then(|(_, e)| e.parse().ok()) {
        magnitude = exponent;
    }
    if magnitude >= digits as i32 {
        // %g switches to an exponent here: 1e+03.
        let (mantissa, _) = rounded.split_once('e').unwrap_or((&rounded, ""));
        let mantissa = trim_zeros(mantissa);
        return format!("{mantissa}e+{magnitude:02}");
    }
    let decimals = (digits as i32 - 1 - magnitude).max(0) as usize;
    trim_zeros(&format!("{value:.decimals$}"))
}

fn trim_zeros(number: &str) -> String {
    if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.').to_owned() } else { number.to_owned() }
}

/// apt's sizes without the unit: `9,950` bytes are `9950 `, 5 417 000 are `5417 k`, 11 400 000 are `11.4 M` (apt-pkg
/// `strutl.cc`, `SizeToStr`).
pub fn apt_size(bytes: u64) -> String {
    let mut value = bytes as f64;
    for (index, unit) in ["", "k", "M", "G", "T"].into_iter().enumerate() {
        if value < 100.0 && index > 0 {
            return format!("{value:.1} {unit}");
        }
        if value < 10_000.0 {
            return format!("{value:.0} {unit}");
        }
        value /= 1000.0;
    }
    format!("{value:.0} P")
}

/// apt's durations: `2s`, `1min 5s` (apt-pkg `strutl.cc`, `TimeToStr`).
pub fn apt_time(seconds: u64) -> String {
    match (seconds / 60, seconds % 60) {
        (0, seconds) => format!("{seconds}s"),
        (minutes, seconds) => format!("{minutes}min {seconds}s"),
    }
}

/// Parses `64m`, `1.5GB`, `128MiB` with binary units (`RAMInBytes`); `None` when it is no size.
pub fn parse_ram(text: &str) -> Option<i64> {
    let cut = text.find(|c: char| !(c.is_ascii_digit() || c == '.' || c == '-')).unwrap_or(text.len());
    let (number, suffix) = text.split_at_checked(cut)?;
    let number: f64 = number.parse().ok().filter(|n: &f64| *n >= 0.0 || text == "-1")?;
    let suffix = suffix.trim_start().to_ascii_lowercase();
    let suffix = suffix.strip_suffix("ib").or_else(|| suffix.strip_suffix('b')).unwrap_or(&suffix);
    let power = match suffix {
        "" => 0,
        "k" => 1,
        "m" => 2,
        "g" => 3,
        "t" => 4,
        "p" => 5,
        _ => return None,
    };
    Some((number * 1024f64.powi(power)) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// docker/go-units size_test.go, and the sizes the course prints.
    #[test]
    fn sizes_read_as_go_units_writes_them() {
        for (bytes, three, four) in [
            (0, "0B", "0B"),
            (1000, "1kB", "1kB"),
            (1024, "1.02kB", "1.024kB"),
            (1_000_000, "1MB", "1MB"),
            (1_048_576, "1.05MB", "1.049MB"),
            (72_776_505, "72.8MB", "72.78MB"),
            (3_420_000_000_000, "3.42TB", "3.42TB"),
            (999, "999B", "999B"),
            (999_999, "1e+03kB", "1000kB"),
            (12_345_678, "12.3MB", "12.35MB"),
        ] {
            assert_eq!((human_size3(bytes), human_size(bytes)), (three.to_owned(), four.to_owned()));
        }
        assert_eq!(bytes_size(8_028_160), "7.656MiB");
        assert_eq!(bytes_size(1024), "1KiB");
    }

    #[test]
    fn apt_keeps_four_digits() {
        for (bytes, text) in
            [(41, "41 "), (9_950, "9950 "), (315_764, "316 k"), (5_417_000, "5417 k"), (11_400_000, "11.4 M")]
        {
            assert_eq!(apt_size(bytes), text);
        }
        assert_eq!(apt_time(65), "1min 5s");
    }

    #[test]
    fn memory_limits_use_binary_units() {
        assert_eq!(parse_ram("32"), Some(32));
        assert_eq!(parse_ram("32k"), Some(32 * 1024));
        assert_eq!(parse_ram("1.5Gb"), Some(3 * 512 * 1024 * 1024));
        assert_eq!(parse_ram("32MiB"), Some(32 * 1024 * 1024));
        assert_eq!(parse_ram(""), None);
        assert_eq!(parse_ram("hello"), None);
        assert_eq!(parse_ram("-32"), None);
    }
}
