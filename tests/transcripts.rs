//! Replays every transcript under `tests/transcripts`. `UPDATE_TRANSCRIPTS=1` rewrites their outputs instead, `TRANSCRIPT=name`
//! takes only those whose path has this in it.

#![expect(clippy::disallowed_methods, reason = "a test reads files and its environment")]

use capas::base::sort::Arrange;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn markdown_files(dir: &Path, out: &mut Vec<PathBuf>) -> std::io::Result<()> {
    let mut entries = std::fs::read_dir(dir)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
    entries.arrange();
    for path in entries {
        if path.is_dir() {
            markdown_files(&path, out)?;
        } else if path.extension().is_some_and(|extension| extension == "md") {
            out.push(path);
        }
    }
    Ok(())
}

/// The line of the heading that a line stands under.
fn heading_above(text: &str, line: usize) -> usize {
    let (mut heading, mut fenced) = (0, false);
    for (at, content) in text.lines().take(line).enumerate() {
        fenced ^= content.starts_with("```");
        if !fenced && content.starts_with('#') {
            heading = at + 1;
        }
    }
    heading
}

/// A line that a transcript holds as long as what it claims does not work yet.
const KNOWN_FAILURE: &str = "<!-- known failure:";

#[test]
fn every_transcript_comes_out_as_written() {
    let mut files = Vec::new();
    markdown_files(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/transcripts")), &mut files).unwrap();
    let only = std::env::var("TRANSCRIPT").unwrap_or_default();
    files.retain(|path| path.display().to_string().contains(&only));
    let (mut cases, mut steps, mut failures) = (0, 0, Vec::new());
    let mut failed_cases = BTreeSet::new();
    for path in &files {
        let text = std::fs::read_to_string(path).unwrap();
        let report = capas::lesson::transcript::run(&text);
        (cases, steps) = (cases + report.cases, steps + report.steps);
        if std::env::var("UPDATE_TRANSCRIPTS").is_ok() {
            std::fs::write(path, &report.updated).unwrap();
        } else if text.contains(KNOWN_FAILURE) {
            // What is announced as not working yet must be taken off the list when it works.
            assert!(!report.failures.is_empty(), "{}: it works now: remove its `known failure` line", path.display());
            println!("SKIPPED: {} is known to fail in {} places", path.display(), report.failures.len());
            cases -= report.cases;
        } else {
            failed_cases.extend(report.failures.iter().map(|failure| (path, heading_above(&text, failure.line))));
            failures.extend(report.failures.iter().map(|f| {
                let block = |lines: &[String]| lines.iter().map(|l| format!("    {l}\n")).collect::<String>();
                format!(
                    "{}:{}: {}\n  expected:\n{}  actual:\n{}",
                    path.display(),
                    f.line,
                    f.command,
                    block(&f.expected),
                    block(&f.actual)
                )
            }));
        }
    }
    println!("{} files, {cases} cases, {steps} steps", files.len());
    // `./dev test` counts this line's numbers in place of this one test.
    println!("COUNTED: {} passed, {} failed", cases.saturating_sub(failed_cases.len()), failed_cases.len());
    assert!(failures.is_empty(), "{} differences\n{}", failures.len(), failures.join("\n"));
}
