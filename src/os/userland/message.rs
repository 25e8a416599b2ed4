//! `message`: an executable that prints a text it carries in its own file, after a mark.

use bstr::ByteSlice;

use crate::os::kernel::Proc;

/// What stands before the text; a NUL ends it.
const MARK: &[u8] = b"\0text:\n";
/// How much of the end of the file is searched.
const TAIL: u64 = 16 << 10;

/// Prints the text.
pub async fn main(proc: Proc) -> i32 {
    let name = proc.args().into_iter().next().unwrap_or_default();
    let Ok(path) = proc.search(name.as_ref()) else { return 127 };
    let Ok(own) = proc.read_file(&path).await else { return 126 };
    let tail = own.slice(own.len().saturating_sub(TAIL)..own.len()).to_vec();
    let text = tail.split_once_str(MARK).map(|(_, text)| text.split_str("\0").next().unwrap_or_default());
    match text {
        Some(text) => i32::from(proc.print(text).await.is_err()),
        None => 1,
    }
}
