//! Backslash escapes of `$'...'`, `echo -e` and `printf`.

use bstr::BString;

/// Who is asking: they differ in octal and in `\c`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Escapes {
    /// `$'...'`: `\nnn`, `\cX`.
    AnsiC,
    /// `echo -e` and `%b`: `\0nnn`, `\c` ends the output.
    Echo,
    /// A `printf` format: `\nnn`.
    Format,
}

/// The bytes meant, and whether a `\c` ended them.
pub(super) fn unescape(text: &[u8], escapes: Escapes) -> (BString, bool) {
    let mut out = BString::default();
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        at += 1;
        if *byte != b'\\' {
            out.push(*byte);
            continue;
        }
        let Some(kind) = text.get(at) else {
            out.push(b'\\');
            break;
        };
        at += 1;
        let simple = match kind {
            b'a' => 7,
            b'b' => 8,
            b'e' | b'E' => 27,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'v' => 11,
            b'\\' => b'\\',
            b'\'' | b'"' | b'?' if escapes == Escapes::AnsiC => *kind,
            b'"' if escapes == Escapes::Format => b'"',
            _ => 0,
        };
        if simple != 0 {
            out.push(simple);
            continue;
        }
        let digits = |max: usize, radix: u32, from: usize| -> (u32, usize) {
            let mut value = 0u32;
            let mut end = from;
            while end - from < max
                && let Some(digit) = text.get(end).and_then(|b| char::from(*b).to_digit(radix))
            {
                value = value.wrapping_mul(radix).wrapping_add(digit);
                end += 1;
            }
            (value, end)
        };
        match kind {
            b'0'..=b'7' if escapes != Escapes::Echo || *kind == b'0' => {
                let from = if escapes == Escapes::Echo { at } else { at - 1 };
                let (value, end) = digits(3, 8, from);
                at = end;
                out.push((value & 0xff) as u8);
            }
            b'x' => {
                let (value, end) = digits(2, 16, at);
                if end == at {
                    out.extend_from_slice(b"\\x");
                } else {
                    at = end;
                    out.push((value & 0xff) as u8);
                }
            }
            b'u' | b'U' => {
                let (value, end) = digits(if *kind == b'u' { 4 } else { 8 }, 16, at);
                match char::from_u32(value).filter(|_| end > at) {
                    Some(c) => {
                        at = end;
                        out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                    }
                    None => out.extend_from_slice(&[b'\\', *kind]),
                }
            }
            b'c' if escapes == Escapes::Echo => return (out, true),
            b'c' if escapes == Escapes::AnsiC => {
                if let Some(letter) = text.get(at) {
                    at += 1;
                    out.push(letter & 0x1f);
                }
            }
            _ => out.extend_from_slice(&[b'\\', *kind]),
        }
    }
    (out, false)
}
