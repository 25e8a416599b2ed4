//! `capas grade`: a table of submissions, each done again.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::base::language::Language;
use crate::base::table;
use crate::lesson::exercise::{Exercise, Flaw};
use crate::lesson::grade::{Grade, Grader, Verdict};
use crate::lesson::run::Rehearsal;
use crate::lesson::submission::Submission;
use crate::machine::bakery::Catalogue;

/// How the table is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Text,
    Json,
    Csv,
    Steps,
}

/// A line of the table.
struct Row {
    /// The file, or the number of the link.
    source: String,
    result: Result<(Rc<Submission>, Grade), String>,
}

const HEADS: [&str; 7] = ["SOURCE", "NAME", "LESSON", "RESULT", "COMMANDS", "TIME", "HINTS"];

/// Grades; the status is 0 if every submission could be read and solves its lesson.
pub(super) fn run(args: &[&str], language: Language) -> ExitCode {
    let (mut form, mut folder, mut sources) = (Form::Text, None, Vec::new());
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match *arg {
            "--json" => form = Form::Json,
            "--csv" => form = Form::Csv,
            "--steps" => form = Form::Steps,
            "--lessons" => folder = args.next().map(PathBuf::from),
            source => sources.push(source),
        }
    }
    let folder = folder.or_else(|| lessons_folder(language));
    let Some(folder) = folder else {
        eprintln!("capas: where are the lessons? --lessons DIR");
        return ExitCode::from(2);
    };
    let rows = grade_all(&sources, &folder, language);
    match form {
        Form::Text => print!("{}", text(&rows, language)),
        Form::Csv => print!("{}", csv(&rows)),
        Form::Json => println!("{}", Value::Array(rows.iter().map(document).collect())),
        Form::Steps => rows.iter().for_each(|row| steps(row, language)),
    }
    let solved = rows.iter().all(|row| row.result.as_ref().is_ok_and(|(_, grade)| grade.verdict == Verdict::Solved));
    if solved && !rows.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) }
}

/// The exercises beside the source or the working folder. What they ask is the same in every language.
fn lessons_folder(language: Language) -> Option<PathBuf> {
    let roots = [Path::new("static/exercises"), Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/static/exercises"))];
    roots.iter().map(|root| root.join(language.tag())).find(|folder| folder.is_dir())
}

fn grade_all(sources: &[&str], folder: &Path, language: Language) -> Vec<Row> {
    let mut exercises: BTreeMap<String, Result<Rc<Exercise>, String>> = BTreeMap::new();
    let mut read = Vec::new();
    for (at, source) in sources.iter().enumerate() {
        let is_link = source.contains("://");
        let text =
            if is_link { Ok((*source).to_owned()) } else { std::fs::read_to_string(source).map_err(|e| e.to_string()) };
        let name = if is_link { format!("link {}", at + 1) } else { (*source).to_owned() };
        let submission =
            text.and_then(|text| Submission::parse(&text).map(Rc::new).map_err(|say| say.in_language(language)));
        if let Ok(submission) = &submission {
            let id = &submission.lesson;
            exercises.entry(id.clone()).or_insert_with(|| exercise(folder, id).map(Rc::new));
        }
        read.push((name, submission));
    }
    let catalogue = Catalogue::new();
    let grader = |exercise: &Rc<Exercise>| Grader::new(Rc::clone(exercise), catalogue.clone());
    let mut graders: BTreeMap<&str, Grader> =
        exercises.iter().filter_map(|(id, exercise)| Some((id.as_str(), grader(exercise.as_ref().ok()?)))).collect();
    let grade = |(source, submission): (String, Result<Rc<Submission>, String>)| {
        let result = submission.and_then(|submission| match graders.get_mut(submission.lesson.as_str()) {
            Some(grader) => {
                let grade = grader.grade(&submission);
                Ok((submission, grade))
            }
            None => {
                let known = exercises.get(&submission.lesson).and_then(|exercise| exercise.as_ref().err());
                Err(known.cloned().unwrap_or_default())
            }
        });
        Row { source, result }
    };
    read.into_iter().map(grade).collect()
}

fn exercise(folder: &Path, id: &str) -> Result<Exercise, String> {
    // An id comes from the submission: it may name no other folder.
    if id.is_empty() || !id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        return Err("no such lesson".to_owned());
    }
    let path = folder.join(format!("{id}.md"));
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    Exercise::parse(&text).map_err(|_| format!("{}: not an exercise", path.display()))
}

const fn word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Solved => "solved",
        Verdict::Unsolved => "unsolved",
        Verdict::Tampered(_) => "tampered",
        Verdict::Endless => "endless",
    }
}

fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// The cells of a row, and what is to be said besides.
fn cells(row: &Row, language: Language) -> ([String; 7], Option<String>) {
    match &row.result {
        Err(reason) => {
            let blank = String::new;
            (
                [row.source.clone(), blank(), blank(), "unreadable".to_owned(), blank(), blank(), blank()],
                Some(reason.clone()),
            )
        }
        Ok((submission, grade)) => {
            let mark = match grade.par {
                Some((_, true)) => " ★",
                _ => "",
            };
            let hints = if submission.saw_solution {
                format!("{}+solution", submission.hints)
            } else {
                submission.hints.to_string()
            };
            let note = match &grade.verdict {
                Verdict::Tampered(say) => Some(say.in_language(language)),
                _ => None,
            };
            let cells = [
                row.source.clone(),
                submission.name.clone(),
                submission.lesson.clone(),
                format!("{}{mark}", word(&grade.verdict)),
                grade.commands.to_string(),
                clock(grade.time),
                hints,
            ];
            (cells, note)
        }
    }
}

fn text(rows: &[Row], language: Language) -> String {
    let (mut lines, mut notes) = (vec![HEADS.map(ToOwned::to_owned).to_vec()], String::new());
    for row in rows {
        let (cells, note) = cells(row, language);
        if let Some(note) = note {
            notes.push_str(&format!("{}: {note}\n", row.source));
        }
        lines.push(cells.to_vec());
    }
    table::tabulate_with(&lines, 6, 2) + &notes
}

fn csv(rows: &[Row]) -> String {
    let quoted = |cell: &String| {
        // A cell that begins like a formula must not be one in a spreadsheet.
        let cell = if cell.starts_with(['=', '+', '-', '@']) { format!("'{cell}") } else { cell.clone() };
        format!("\"{}\"", cell.replace('"', "\"\""))
    };
    let line = |cells: &[String]| cells.iter().map(quoted).collect::<Vec<_>>().join(",") + "\n";
    let heads = line(&HEADS.map(|head| head.to_lowercase()));
    heads + &rows.iter().map(|row| line(&cells(row, Language::English).0)).collect::<String>()
}

fn document(row: &Row) -> Value {
    match &row.result {
        Err(reason) => json!({"source": row.source, "result": "unreadable", "reason": reason}),
        Ok((submission, grade)) => json!({
            "source": row.source,
            "name": submission.name,
            "lesson": submission.lesson,
            "result": word(&grade.verdict),
            "reason": match &grade.verdict {
                Verdict::Tampered(say) => Some(say.in_language(Language::English)),
                _ => None,
            },
            "commands": grade.commands,
            "seconds": grade.time.as_secs(),
            "par": grade.par.map(|(value, reached)| json!({"value": value, "reached": reached})),
            "hints": submission.hints,
            "saw_solution": submission.saw_solution,
        }),
    }
}

/// A submission command by command.
fn steps(row: &Row, language: Language) {
    let (cells, note) = cells(row, language);
    println!("{}", cells.join("  "));
    if let Some(note) = note {
        println!("  {note}");
    }
    for step in row.result.iter().flat_map(|(_, grade)| &grade.steps) {
        let prompt = if step.is_inside { '»' } else { '$' };
        println!("  {}  [{}]  {prompt} {}", clock(step.at), step.met, printable(&step.text));
    }
}

/// What was typed without what would move a terminal's cursor.
fn printable(text: &str) -> String {
    let shown = |c: char| match c {
        '\n' => '⏎',
        c if c.is_control() => '\u{fffd}',
        c => c,
    };
    text.chars().map(shown).collect()
}

/// `capas solve`: what a student would hand in who does an exercise's solution.
pub(super) fn solve(file: &str, seed: u64, language: Language) -> ExitCode {
    let exercise = std::fs::read_to_string(file).map_err(|error| error.to_string()).and_then(|text| {
        let told = |flaws: Vec<Flaw>| flaws.first().map_or_else(String::new, |flaw| flaw.reason.in_language(language));
        Exercise::parse(&text).map_err(told)
    });
    let exercise = match exercise {
        Ok(exercise) => exercise,
        Err(error) => {
            eprintln!("capas: {file}: {error}");
            return ExitCode::from(1);
        }
    };
    let mut rehearsal = Rehearsal::whole(&exercise, seed, &Catalogue::new());
    while rehearsal.step() {}
    let journal = rehearsal.finish().machine.journal().clone();
    let submission = Submission { lesson: exercise.id, name: String::new(), hints: 0, saw_solution: true, journal };
    println!("{}", submission.to_text());
    ExitCode::SUCCESS
}
