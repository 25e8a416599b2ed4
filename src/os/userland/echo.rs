//! `echo`.

use bstr::BString;

use crate::os::kernel::Proc;

/// `echo`: its options are words that it knows whole, everything else is printed.
pub async fn main(proc: Proc) -> i32 {
    let args = proc.args();
    let mut words = args.get(1..).unwrap_or_default();
    let (mut newline, mut escapes) = (true, false);
    while let Some((first, rest)) = words.split_first()
        && let Some(letters) = first.strip_prefix(b"-")
        && !letters.is_empty()
        && letters.iter().all(|b| b"neE".contains(b))
    {
        for letter in letters {
            match letter {
                b'n' => newline = false,
                b'e' => escapes = true,
                _ => escapes = false,
            }
        }
        words = rest;
    }
    let mut out = Vec::new();
    for (index, word) in words.iter().enumerate() {
        if index > 0 {
            out.push(b' ');
        }
        if escapes {
            let (bytes, stop) = unescape(word, true);
            out.extend_from_slice(&bytes);
            if stop {
                newline = false;
                break;
            }
        } else {
            out.extend_from_slice(word);
        }
    }
    if newline {
        out.push(b'\n');
    }
    i32::from(proc.print(out).await.is_err())
}

/// Replaces backslash escapes; tells whether `\c` said to stop. In `echo` octal numbers begin with a zero.
pub fn unescape(text: &[u8], zero: bool) -> (BString, bool) {
    let mut out = BString::default();
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        at += 1;
        if *byte != b'\\' {
            out.push(*byte);
            continue;
        }
        let Some(letter) = text.get(at) else {
            out.push(b'\\');
            break;
        };
        at += 1;
        match letter {
            b'a' => out.push(7),
            b'b' => out.push(8),
            b'c' => return (out, true),
            b'e' => out.push(27),
            b'f' => out.push(12),
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            b'v' => out.push(11),
            b'\\' => out.push(b'\\'),
            b'x' => {
                let digits =
                    text.get(at..).unwrap_or_default().iter().take(2).take_while(|b| b.is_ascii_hexdigit()).count();
                match text
                    .get(at..at + digits)
                    .and_then(|d| std::str::from_utf8(d).ok())
                    .and_then(|d| u8::from_str_radix(d, 16).ok())
                {
                    Some(value) => out.push(value),
                    None => out.extend_from_slice(b"\\x"),
                }
                at += digits;
            }
            b'0'..=b'7' => {
                let start = if zero && *letter == b'0' { at } else { at - 1 };
                if zero && *letter != b'0' {
                    out.extend_from_slice(&[b'\\', *letter]);
                    continue;
                }
                let rest = text.get(start..).unwrap_or_default();
                let digits = rest.iter().take(3).take_while(|b| (b'0'..=b'7').contains(b)).count();
                let value = rest.iter().take(digits).fold(0u32, |sum, b| sum * 8 + u32::from(b - b'0'));
                out.push((value & 0xff) as u8);
                at = start + digits;
            }
            other => out.extend_from_slice(&[b'\\', *other]),
        }
    }
    (out, false)
}
