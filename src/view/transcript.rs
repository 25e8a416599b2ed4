//! All that a terminal shows, as text: plain, or as Markdown; and where something is in it.

use std::rc::Rc;

use super::screen::{Row, Shown};

/// Every row, the oldest first.
fn rows(shown: &Shown) -> impl Iterator<Item = &Rc<Row>> {
    shown.history.iter().flat_map(|block| block.rows.iter()).chain(shown.rows.iter())
}

/// A row's text.
pub fn text_of(row: &Row) -> String {
    row.runs.iter().map(|run| run.text.as_str()).collect()
}

/// The text: lines that were wrapped are whole again, empty ones at the end are left out.
pub fn plain(shown: &Shown) -> String {
    let mut text = String::new();
    for row in rows(shown) {
        row.runs.iter().for_each(|run| text.push_str(&run.text));
        if !row.wrapped {
            text.push('\n');
        }
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

/// The last command that stands behind a prompt, run or not, whole even where it was wrapped.
pub fn last_command(shown: &Shown) -> Option<String> {
    let text = plain(shown);
    let mut commands = text.lines().rev().filter_map(|line| line.get(super::gloss::prompt(line)?..));
    commands.find(|command| !command.trim().is_empty()).map(|command| command.trim().to_owned())
}

/// The text as a block of Markdown. The fence is longer than any that stands in it.
pub fn markdown(shown: &Shown) -> String {
    let text = plain(shown);
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}console\n{text}{fence}\n")
}

/// How many rows have scrolled away.
pub fn past_rows(shown: &Shown) -> usize {
    shown.history.iter().map(|block| block.rows.len()).sum()
}

/// The numbers of the rows that hold `needle`, counted from the oldest, and their ids. Capitals do not count.
pub fn find(shown: &Shown, needle: &str) -> Vec<(usize, u64)> {
    let needle = needle.to_lowercase();
    if needle.is_empty() {
        return Vec::new();
    }
    let holds = |row: &Row| text_of(row).to_lowercase().contains(&needle);
    rows(shown).enumerate().filter(|(_, row)| holds(row)).map(|(at, row)| (at, row.id)).collect()
}

/// The parts of a text: those that are `needle` and those that are not.
pub fn split<'a>(text: &'a str, needle: &str) -> Vec<(bool, &'a str)> {
    let lower = text.to_lowercase();
    let needle = needle.to_lowercase();
    // Lower case may have another length (`İ`): then nothing can be pointed at.
    if needle.is_empty() || lower.len() != text.len() {
        return vec![(false, text)];
    }
    let mut parts = Vec::new();
    let mut from = 0;
    for (at, found) in lower.match_indices(&needle) {
        parts.extend([(false, text.get(from..at)), (true, text.get(at..at + found.len()))]);
        from = at + found.len();
    }
    parts.push((false, text.get(from..)));
    parts.into_iter().filter_map(|(is, part)| Some((is, part?))).filter(|(_, part)| !part.is_empty()).collect()
}

/// The parts of a text that are ids: of 12 or 64 hexadecimal digits, with or without `sha256:`.
pub fn ids(text: &str) -> Vec<(bool, &str)> {
    let mut parts = Vec::new();
    let mut from = 0;
    let mut at = 0;
    for word in text.split_inclusive(|c: char| !c.is_ascii_hexdigit()) {
        let digits = word.trim_end_matches(|c: char| !c.is_ascii_hexdigit());
        let end = at + digits.len();
        let before = text.get(..at).unwrap_or_default();
        let stands_alone = !before.ends_with(|c: char| c.is_alphanumeric() || c == '_')
            && !text.get(end..).is_some_and(|rest| rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'));
        // Twelve digits without a letter are rather a number.
        let is_id = matches!(digits.len(), 12 | 64)
            && digits.bytes().any(|b| b.is_ascii_lowercase())
            && !digits.bytes().any(|b| b.is_ascii_uppercase());
        if is_id && stands_alone {
            parts.extend([(false, text.get(from..at)), (true, text.get(at..end))]);
            from = end;
        }
        at += word.len();
    }
    parts.push((false, text.get(from..)));
    parts.into_iter().filter_map(|(is, part)| Some((is, part?))).filter(|(_, part)| !part.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::screen::Screen;
    use super::*;

    #[test]
    fn text_and_markdown_hold_everything() {
        let mut screen = Screen::new(10, 3);
        screen.feed(b"0123456789abc\r\nx ``` y\r\n$ \r\n");
        let shown = screen.shown();
        assert_eq!(plain(&shown), "0123456789abc\nx ``` y\n$\n");
        assert_eq!(markdown(&shown), "````console\n0123456789abc\nx ``` y\n$\n````\n");
        assert_eq!(find(&shown, "ABC").iter().map(|found| found.0).collect::<Vec<_>>(), [1]);
        assert_eq!(find(&shown, ""), []);
    }

    #[test]
    fn ids_are_told_from_words_and_numbers() {
        fn marked(text: &str) -> String {
            let mark = |(is, part): &(bool, &str)| if *is { format!("[{part}]") } else { (*part).to_owned() };
            ids(text).iter().map(mark).collect()
        }
        assert_eq!(marked("6e7f7ffaa38b: Pull complete"), "[6e7f7ffaa38b]: Pull complete");
        let digest = "f288e437bcf5c552557ac7cae288b5944382e49b7329a59f73a0ed1247b44fb0";
        assert_eq!(marked(&format!("Digest: sha256:{digest}")), format!("Digest: sha256:[{digest}]"));
        for none in ["202112201200", "x6e7f7ffaa38b", "6e7f7ffaa38bz", "6E7F7FFAA38B", "abcdef", "ñ"] {
            assert_eq!(marked(none), none);
        }
        assert_eq!(marked("d3d5e03442dc"), "[d3d5e03442dc]");
    }

    #[test]
    fn what_is_sought_is_cut_out() {
        assert_eq!(split("Hola hola", "HOLA"), [(true, "Hola"), (false, " "), (true, "hola")]);
        assert_eq!(split("Hola", ""), [(false, "Hola")]);
    }
}
