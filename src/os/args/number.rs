//! Numbers as GNU programs accept them in option values.

/// A size with GNU's suffixes: `10`, `1K` (1024), `1kB` (1000), `2MiB`, `b` (512). `None` when it is no size or too large.
pub fn gnu_size(text: &[u8]) -> Option<u64> {
    let digits = text.iter().take_while(|b| b.is_ascii_digit()).count();
    let (number, suffix) = text.split_at_checked(digits)?;
    let number: u64 = std::str::from_utf8(number).ok()?.parse().ok()?;
    if suffix == b"b" {
        return number.checked_mul(512);
    }
    let (letter, base) = match suffix {
        [] => return Some(number),
        [letter] | [letter, b'i', b'B'] => (letter, 1024u64),
        [letter, b'B'] => (letter, 1000),
        _ => return None,
    };
    let power = match letter {
        b'k' | b'K' => 1,
        b'M' | b'm' => 2,
        b'G' => 3,
        b'T' => 4,
        b'P' => 5,
        b'E' => 6,
        _ => return None,
    };
    number.checked_mul(base.checked_pow(power)?)
}

/// A decimal number without sign or suffix.
pub fn decimal(text: &[u8]) -> Option<u64> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suffixes_are_binary_unless_they_end_in_b() {
        for (text, size) in
            [("10", Some(10)), ("1K", Some(1024)), ("1kB", Some(1000)), ("2MiB", Some(2 << 20)), ("1b", Some(512))]
        {
            assert_eq!(gnu_size(text.as_bytes()), size, "{text}");
        }
        for text in ["", "x", "-1", "1Q", "1KiX", "99999999999999999999", "99999999999E"] {
            assert_eq!(gnu_size(text.as_bytes()), None, "{text}");
        }
        assert_eq!(decimal(b"+1"), None);
    }
}
