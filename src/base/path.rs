//! Paths as bytes: Linux names are any bytes but `/` and NUL.
//!
//! These functions look at text only; symbolic links are the file system's business.

use bstr::{BStr, BString, ByteSlice};

/// Longest file name, in bytes (Linux `NAME_MAX`).
pub const NAME_MAX: usize = 255;
/// Longest path, in bytes (Linux `PATH_MAX`, less the NUL).
pub const PATH_MAX: usize = 4095;
/// Deepest directory, a limit of Capas: whoever walks a tree may count on it.
pub const MAX_DEPTH: usize = 256;

/// The names between slashes, without empty ones and `.`; `..` is kept.
pub fn components(path: &[u8]) -> impl DoubleEndedIterator<Item = &BStr> {
    path.split(|b| *b == b'/').filter(|name| !name.is_empty() && *name != b".").map(BStr::new)
}

/// Whether the path starts at the root.
pub fn is_absolute(path: &[u8]) -> bool {
    path.first() == Some(&b'/')
}

/// `path` seen from `base`: itself when absolute, else appended.
pub fn join(base: &[u8], path: &[u8]) -> BString {
    if is_absolute(path) {
        return path.into();
    }
    let mut out = BString::from(base);
    if !path.is_empty() {
        if !out.ends_with(b"/") {
            out.push(b'/');
        }
        out.extend_from_slice(path);
    }
    out
}

/// The absolute form of `path` as text: `.` dropped, `..` taken back, no trailing slash (Go's `path.Clean`).
pub fn normalize(path: &[u8]) -> BString {
    let mut names: Vec<&BStr> = Vec::new();
    for name in components(path) {
        if name == ".." {
            names.pop();
        } else {
            names.push(name);
        }
    }
    let mut out = BString::from("/");
    out.extend_from_slice(&bstr::join("/", names));
    out
}

/// The last name (`basename`); empty for the root.
pub fn file_name(path: &[u8]) -> &BStr {
    let path = path.trim_end_with(|c| c == '/');
    path.rsplit(|b| *b == b'/').next().unwrap_or_default().as_bstr()
}

/// Everything before the last name (`dirname`): `.` for a bare name, `/` for the root.
pub fn parent(path: &[u8]) -> &BStr {
    let trimmed = path.trim_end_with(|c| c == '/');
    match trimmed.rfind_byte(b'/') {
        Some(at) => {
            let dir = trimmed.get(..at).unwrap_or_default().trim_end_with(|c| c == '/');
            if dir.is_empty() { BStr::new("/") } else { BStr::new(dir) }
        }
        None if trimmed.is_empty() && is_absolute(path) => BStr::new("/"),
        None => BStr::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_taken_apart_as_posix_says() {
        assert_eq!(normalize(b"/a/./b//../c/"), "/a/c");
        assert_eq!(normalize(b"/../.."), "/");
        assert_eq!(join(b"/a", b"b/c"), "/a/b/c");
        assert_eq!(join(b"/a", b"/b"), "/b");
        for (path, dir, name) in
            [("/a/b", "/a", "b"), ("/a", "/", "a"), ("a", ".", "a"), ("/", "/", ""), ("a/b/", "a", "b")]
        {
            assert_eq!((parent(path.as_bytes()), file_name(path.as_bytes())), (BStr::new(dir), BStr::new(name)));
        }
    }
}
