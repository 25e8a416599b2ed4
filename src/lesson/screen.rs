//! What a terminal would show: output as lines of text, cursor moves obeyed.

use avt::Terminal;

/// Output beyond this many lines is cut at its start.
const MAX_ROWS: usize = 20_000;

/// The lines that `bytes` leave on a terminal of `cols` columns, without blanks at their ends.
///
/// The screen is as high as the output, so that nothing scrolls away.
pub fn lines(bytes: &[u8], cols: u16) -> Vec<String> {
    let newlines = bytes.iter().filter(|b| **b == b'\n').count();
    let wrapped = bytes.len() / usize::from(cols.max(1));
    let rows = (newlines + wrapped + 2).clamp(40, MAX_ROWS);
    let Ok(mut terminal) = Terminal::new(usize::from(cols), rows) else { return Vec::new() };
    terminal.feed(String::from_utf8_lossy(bytes).as_ref());
    let mut lines: Vec<String> = terminal.screen().text().iter().map(|line| line.trim_end().to_owned()).collect();
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::lines;

    #[test]
    fn redrawn_lines_show_their_last_state() {
        let progress = b"a: Pulling\r\nb: Waiting\r\n\x1b[2A\x1b[2K\ra: Done\x1b[2B\rend\r\n";
        assert_eq!(lines(progress, 80), ["a: Done", "b: Waiting", "end"]);
    }
}
