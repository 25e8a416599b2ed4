//! Quoting for output that can be read back: `set`, `export -p`, `alias`, `xtrace`.

use bstr::BString;

/// Text in single quotes, as the shell would read it back.
pub(super) fn single(text: &[u8]) -> BString {
    let mut out = BString::from("'");
    for byte in text {
        if *byte == b'\'' {
            out.extend_from_slice(b"'\\''");
        } else {
            out.push(*byte);
        }
    }
    out.push(b'\'');
    out
}

/// The same, always quoted: `${x@Q}`.
pub(super) fn quote(text: &[u8]) -> BString {
    single(text)
}

/// Quoted only where it must be.
pub(super) fn if_needed(text: &[u8]) -> BString {
    let plain = |b: &u8| b.is_ascii_alphanumeric() || b"_-+./:,@%=^".contains(b) || *b >= 128;
    if !text.is_empty() && text.iter().all(plain) { text.into() } else { single(text) }
}

/// In double quotes, as `export -p` shows values.
pub(super) fn double(text: &[u8]) -> BString {
    let mut out = BString::from("\"");
    for byte in text {
        if b"\"$`\\".contains(byte) {
            out.push(b'\\');
        }
        out.push(*byte);
    }
    out.push(b'"');
    out
}
