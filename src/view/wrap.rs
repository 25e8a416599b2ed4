//! Rows that were wrapped at one width, wrapped at another.

use std::rc::Rc;

use super::screen::{Block, Row, Run};

/// The rows of a history with ids below `end`.
pub fn rows_below(history: &[Rc<Block>], end: u64) -> Vec<Rc<Row>> {
    history.iter().flat_map(|block| block.rows.iter()).filter(|row| row.id < end).cloned().collect()
}

/// The same lines in rows of `cols` cells. Their ids are to be given anew.
pub fn wrapped(rows: Vec<Rc<Row>>, cols: usize) -> Vec<Rc<Row>> {
    let mut out = Vec::with_capacity(rows.len());
    let mut line: Vec<Run> = Vec::new();
    for row in rows {
        if line.is_empty() && !row.wrapped && cells(&row.runs) <= cols {
            out.push(row);
            continue;
        }
        line.extend(row.runs.iter().cloned());
        if !row.wrapped {
            cut(&std::mem::take(&mut line), cols, false, &mut out);
        }
    }
    if !line.is_empty() {
        // The line goes on in what the emulation still has.
        cut(&line, cols, true, &mut out);
    }
    out
}

/// Rows in blocks, with ids that end at `end`.
pub fn blocks(rows: Vec<Rc<Row>>, end: u64, block_rows: usize) -> Vec<Rc<Block>> {
    let first = end.saturating_sub(rows.len() as u64);
    let numbered = rows.into_iter().zip(first..).map(|(mut row, id)| {
        if row.id != id {
            Rc::make_mut(&mut row).id = id;
        }
        row
    });
    let mut blocks: Vec<Block> = Vec::new();
    for row in numbered {
        match blocks.last_mut() {
            Some(block) if block.rows.len() < block_rows => block.rows.push(row),
            _ => blocks.push(Block { id: row.id, rows: vec![row] }),
        }
    }
    blocks.into_iter().map(Rc::new).collect()
}

fn cells(runs: &[Run]) -> usize {
    runs.iter().map(width).sum()
}

fn width(run: &Run) -> usize {
    if run.cells > 0 { usize::from(run.cells) } else { run.text.chars().count() }
}

fn cut(line: &[Run], cols: usize, open: bool, out: &mut Vec<Rc<Row>>) {
    let mut row: Vec<Run> = Vec::new();
    let mut used = 0;
    let mut end = |row: &mut Vec<Run>, wrapped: bool| {
        out.push(Rc::new(Row { id: 0, runs: std::mem::take(row), wrapped }));
    };
    for run in line {
        if run.cells > 0 {
            if used + width(run) > cols && used > 0 {
                end(&mut row, true);
                used = 0;
            }
            row.push(run.clone());
            used += width(run);
            continue;
        }
        let mut rest = run.text.as_str();
        while !rest.is_empty() {
            if used >= cols {
                end(&mut row, true);
                used = 0;
            }
            let at = rest.char_indices().nth(cols.max(1) - used.min(cols)).map_or(rest.len(), |(at, _)| at);
            let (part, after) = rest.split_at_checked(at).unwrap_or((rest, ""));
            used += part.chars().count();
            row.push(Run { text: part.to_owned(), style: run.style, cells: 0 });
            rest = after;
        }
    }
    end(&mut row, open);
}
