//! The host's files as the page lists them, and what can be done with one.

/// A line of a folder.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// Whether it is a folder.
    pub is_folder: bool,
    /// Bytes.
    pub size_bytes: u64,
}

/// Most bytes that the editor opens.
pub const MAX_TEXT_BYTES: u64 = 1 << 20;

/// A file's text, unless it is none or too much to edit.
pub fn text_of(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok().filter(|text| !text.contains('\0'))
}

/// The folder that a path is in.
pub fn parent(path: &str) -> &str {
    match path.trim_end_matches('/').rsplit_once('/') {
        Some(("", _)) | None => "/",
        Some((parent, _)) => parent,
    }
}

/// The last name of a path.
pub fn name(path: &str) -> &str {
    path.trim_end_matches('/').rsplit_once('/').map_or(path, |(_, name)| name)
}

/// A name in a folder.
pub fn join(folder: &str, name: &str) -> String {
    format!("{}/{name}", folder.trim_end_matches('/'))
}

/// Whether `docker load` can be tried on a file of this name.
pub fn is_archive(name: &str) -> bool {
    [".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz"].iter().any(|end| name.to_ascii_lowercase().ends_with(end))
}

/// A name as one word of a shell's line.
pub fn quoted(name: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./:@%+,=".contains(c);
    if !name.is_empty() && name.chars().all(plain) {
        return name.to_owned();
    }
    format!("'{}'", name.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_come_apart_and_together() {
        assert_eq!((parent("/home/alumno"), name("/home/alumno")), ("/home", "alumno"));
        assert_eq!((parent("/etc"), parent("/")), ("/", "/"));
        assert_eq!((join("/", "etc"), join("/home/", "x")), ("/etc".to_owned(), "/home/x".to_owned()));
    }

    #[test]
    fn names_are_words_for_the_shell() {
        assert_eq!(quoted("imagen.tar"), "imagen.tar");
        assert_eq!(quoted("mi imagen.tar"), "'mi imagen.tar'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }

    #[test]
    fn only_text_is_edited() {
        assert_eq!(text_of(b"FROM alpine\n"), Some("FROM alpine\n"));
        assert_eq!(text_of(b"\x7fELF\0"), None);
        assert_eq!(text_of(b"\xff"), None);
    }
}
