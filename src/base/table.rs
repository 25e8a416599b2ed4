//! Aligned columns as Go's `text/tabwriter` sets them for Docker: at least 10 wide, 3 spaces between.

/// Writes rows of cells; the last cell of a row ends it and is not padded.
///
/// Widths are counted in characters, as Go counts runes.
pub fn tabulate(rows: &[Vec<String>]) -> String {
    tabulate_with(rows, 10, 3)
}

/// The same with `tabwriter.NewWriter`'s `minwidth` and `padding`.
pub fn tabulate_with(rows: &[Vec<String>], min_width: usize, padding: usize) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns)
        .map(|column| {
            // A row's last cell does not take part in its column, as no tab ends it.
            let cells = rows.iter().filter(|row| column + 1 < row.len()).filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count() + padding).max().unwrap_or(0).max(min_width)
        })
        .collect();
    let mut out = String::new();
    for row in rows {
        for (index, cell) in row.iter().enumerate() {
            out.push_str(cell);
            if index + 1 < row.len() {
                let width = widths.get(index).copied().unwrap_or(0);
                out.extend(std::iter::repeat_n(' ', width.saturating_sub(cell.chars().count())));
            }
        }
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::tabulate;

    #[test]
    fn columns_are_ten_wide_and_three_apart() {
        let rows = [["REPOSITORY", "TAG", "SIZE"], ["ubuntu", "latest", "72.8MB"]];
        let rows: Vec<Vec<String>> = rows.iter().map(|r| r.iter().map(ToString::to_string).collect()).collect();
        assert_eq!(tabulate(&rows), "REPOSITORY   TAG       SIZE\nubuntu       latest    72.8MB\n");
    }
}
