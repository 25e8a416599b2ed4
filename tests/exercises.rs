//! Proves every exercise under `static/exercises`, in every language.

#![expect(clippy::disallowed_methods, reason = "a test reads files")]

use std::path::{Path, PathBuf};

use capas::base::language::Language;
use capas::lesson::exercise::{Exercise, Flaw};
use capas::lesson::prove::prove;

/// The exercises of a language, without the list of them.
fn files_of(language: Language) -> std::io::Result<Vec<PathBuf>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("static/exercises").join(language.tag());
    let mut files = std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
    files.retain(|path| path.extension().is_some_and(|e| e == "md") && path.file_stem().is_some_and(|s| s != "README"));
    files.sort();
    Ok(files)
}

#[test]
fn every_exercise_is_solved_by_its_solution_and_not_before() {
    let (mut passed, mut failed) = (0, Vec::new());
    for path in Language::ALL.into_iter().flat_map(|language| files_of(language).unwrap()) {
        let flaws = match Exercise::parse(&std::fs::read_to_string(&path).unwrap()) {
            Ok(exercise) => prove(&exercise),
            Err(flaws) => flaws,
        };
        passed += usize::from(flaws.is_empty());
        let told =
            |flaw: &Flaw| format!("{}:{}: {}", path.display(), flaw.line, flaw.reason.in_language(Language::English));
        failed.extend(flaws.iter().map(told));
    }
    println!("COUNTED: {passed} passed, {} failed", failed.len());
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
