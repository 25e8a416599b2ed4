//! Proves every exercise under `static/exercises`, in every language.

#![expect(clippy::disallowed_methods, reason = "a test reads files")]

use capas::base::sort::Arrange;
use std::path::{Path, PathBuf};

use capas::base::language::Language;
use capas::lesson::exercise::{Exercise, Flaw};
use capas::lesson::index::Index;
use capas::lesson::prove::prove;

/// The exercises of a language, without the list of them.
fn files_of(language: Language) -> std::io::Result<Vec<PathBuf>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("static/exercises").join(language.tag());
    let mut files = std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
    files.retain(|path| path.extension().is_some_and(|e| e == "md") && path.file_stem().is_some_and(|s| s != "README"));
    files.arrange();
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

/// The page's recorder wrote it; tests/browser/recorder.spec.mjs compares what it writes with this file.
#[test]
fn what_the_recorder_writes_holds() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded/una-copia-a-mano.md");
    let exercise = Exercise::parse(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert_eq!(prove(&exercise), []);
    assert!(!exercise.setup.is_empty() && exercise.solution.len() > 5);
}

/// What must be the same in every language, as it is the machine's and not the reader's.
fn machine_part(text: &str) -> Vec<&str> {
    let mut fenced = false;
    let mut lines = Vec::new();
    for line in text.lines() {
        if line.starts_with("```") {
            fenced = !fenced;
        } else if fenced && !line.starts_with(['#', '?', '!', '*']) && !line.trim().is_empty() {
            lines.push(line);
        }
    }
    lines
}

#[test]
fn languages_hold_the_same_exercises() {
    let [spanish, english] = Language::ALL.map(|language| files_of(language).unwrap());
    assert!(spanish.len() >= 30, "{} exercises", spanish.len());
    for (one, other) in spanish.iter().zip(&english) {
        assert_eq!(one.file_name(), other.file_name());
        let (one_text, other_text) = (std::fs::read_to_string(one).unwrap(), std::fs::read_to_string(other).unwrap());
        assert_eq!(machine_part(&one_text), machine_part(&other_text), "{}", one.display());
        let (one, other) = (Exercise::parse(&one_text).unwrap(), Exercise::parse(&other_text).unwrap());
        assert_eq!((&one.id, one.level, one.order, &one.needs), (&other.id, other.level, other.order, &other.needs));
        assert_eq!(one.hints.len(), other.hints.len(), "{}", one.id);
    }
    assert_eq!(spanish.len(), english.len());
}

#[test]
fn the_list_names_every_exercise_in_its_chapter_and_in_order() {
    for language in Language::ALL {
        let files = files_of(language).unwrap();
        let list = files.first().and_then(|file| file.parent()).map(|folder| folder.join("README.md")).unwrap();
        let index = Index::parse(&std::fs::read_to_string(list).unwrap());
        let mut listed = Vec::new();
        for (chapter, level) in index.chapters.iter().zip(1u8..) {
            listed.extend(chapter.lessons.iter().map(|entry| (level, entry.id.clone(), entry.title.clone())));
        }
        let read = |path: &PathBuf| Exercise::parse(&std::fs::read_to_string(path).unwrap()).unwrap();
        let mut exercises: Vec<Exercise> = files.iter().map(read).collect();
        exercises.arrange_by_key(|exercise| exercise.order);
        let known: Vec<&str> = exercises.iter().map(|exercise| exercise.id.as_str()).collect();
        for exercise in &exercises {
            let unknown = exercise.needs.iter().find(|id| !known.contains(&id.as_str()));
            assert_eq!(unknown, None, "{} needs it", exercise.id);
        }
        for (path, exercise) in files.iter().zip(files.iter().map(read)) {
            assert_eq!(path.file_stem().and_then(|stem| stem.to_str()), Some(exercise.id.as_str()));
        }
        let wanted: Vec<_> = exercises.into_iter().map(|e| (e.level, e.id, e.title)).collect();
        assert_eq!(listed, wanted);
    }
}

#[test]
fn the_exercise_of_the_readme_holds() {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let (_, rest) = readme.split_once("````markdown\n").unwrap();
    let (text, _) = rest.split_once("````\n").unwrap();
    assert_eq!(prove(&Exercise::parse(text).unwrap()), []);
}
