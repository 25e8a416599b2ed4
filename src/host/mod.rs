//! `capas`, the machine in a real terminal: the only place of the host program that does input and output.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the host program reads files, arguments, keys and the clock, and prints"
)]

mod clock;
#[cfg(unix)]
mod daemon;
mod grade;
mod interactive;

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use crate::base::language::Language;
use crate::lesson::{exercise, prove, slides, transcript};
use crate::machine::{Config, Machine};
use crate::view::settings::{Choice, Speed};

const USAGE: &str = "\
capas: a Docker you can see through

Usage:
  capas                      an interactive session
  capas -c 'COMMAND'         one command; its status is capas's
  capas run FILE             types each line of FILE and prints what a terminal would show
  capas test FILE.md...      replays transcripts, proves exercises, checks what slides show
  capas grade FILE|LINK...   does submissions again and prints a table (--json, --csv, --steps, --lessons DIR)
  capas daemon [--host unix://PATH]
                             serves Docker's Engine API, for the real docker client
  capas solve FILE.md        prints what a student would hand in who does the solution
  capas --help | --version

Options:
  --seed N                   ids and names follow from it (1)
  --speed real|4x|instant    of the machine's time, in a session and for the daemon: downloads, sleep
";

/// A command is given up after this much virtual time.
const LIMIT: Duration = Duration::from_secs(3600);
/// A program in front that reads the terminal and is silent for this long waits for input.
const QUIET: Duration = Duration::from_secs(15);
/// One that does not read it and is silent for this long is left to itself by `capas run`: a server, perhaps.
const SILENT: Duration = Duration::from_secs(300);
/// The status of a command that was given up, as of `timeout`.
const GIVEN_UP: u8 = 124;

/// Runs the command line of `capas`.
pub fn main() -> ExitCode {
    let mut args: Vec<String> = std::env::args().skip(1).collect();
    let mut config = Config::default();
    if let Some(at) = args.iter().position(|arg| arg == "--seed") {
        let Some(seed) = args.get(at + 1).and_then(|text| text.parse().ok()) else {
            return usage_error("--seed needs a number");
        };
        config.seed = seed;
        args.drain(at..at + 2);
    }
    let mut speed = Speed::default();
    if let Some(at) = args.iter().position(|arg| arg == "--speed") {
        let Some(given) = args.get(at + 1).and_then(|name| Speed::from_name(name)) else {
            return usage_error("--speed needs real, 4x or instant");
        };
        speed = given;
        args.drain(at..at + 2);
    }
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        [] => interactive::run(config, speed),
        ["-h" | "--help" | "help"] => {
            print!("{USAGE}");
            ExitCode::SUCCESS
        }
        ["-V" | "--version"] => {
            println!("capas {}", env!("CARGO_PKG_VERSION"));
            ExitCode::SUCCESS
        }
        ["-c", command] => type_lines(config, command, false),
        ["run", file] => match std::fs::read_to_string(file) {
            Ok(script) => type_lines(config, &script, true),
            Err(error) => {
                eprintln!("capas: {file}: {error}");
                ExitCode::from(1)
            }
        },
        ["bake"] => bake(),
        ["test", files @ ..] if !files.is_empty() => test(files),
        ["grade", args @ ..] if !args.is_empty() => grade::run(args, spoken()),
        #[cfg(unix)]
        ["daemon", args @ ..] => daemon::run(config, speed, args),
        ["solve", file] => grade::solve(file, config.seed, spoken()),
        _ => usage_error("unknown arguments"),
    }
}

/// Writes `static/catalogue/lock` anew: for those who change recipes or packages.
fn bake() -> ExitCode {
    let mut programs = crate::os::kernel::Programs::new();
    crate::machine::host::register(&mut programs);
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/static/catalogue/lock");
    let written = crate::machine::bakery::lock(&programs)
        .and_then(|text| std::fs::write(path, text).map_err(|error| format!("{path}: {error}")));
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("capas: {error}");
            ExitCode::from(1)
        }
    }
}

fn usage_error(problem: &str) -> ExitCode {
    eprint!("capas: {problem}\n\n{USAGE}");
    ExitCode::from(2)
}

/// Types lines one after the other; with `shown`, prints all that the terminal gets.
fn type_lines(config: Config, script: &str, shown: bool) -> ExitCode {
    let config = Config { cols: 120, rows: 40, ..config };
    let mut machine = Machine::new(config);
    let tty = machine.console();
    let mut out = std::io::stdout();
    let mut print = |bytes: &[u8]| {
        // Nobody may be reading any more; the status still tells.
        drop(out.write_all(bytes).and_then(|()| out.flush()));
    };
    let prompt = machine.settle(tty, QUIET, LIMIT);
    if shown {
        print(&prompt);
    }
    for line in script.lines() {
        machine.input(tty, line.as_bytes());
        let echo = machine.settle(tty, Duration::ZERO, LIMIT);
        machine.input(tty, b"\r");
        let mut output = settle(&mut machine, if shown { SILENT } else { LIMIT });
        // Nobody will type anything: a program that reads comes to the end of its input.
        for key in [b"\x04", b"\x03"] {
            if !shown && machine.is_busy(tty) && machine.kernel().is_waited_for(tty) {
                machine.input(tty, key);
                output.extend(settle(&mut machine, LIMIT));
            }
        }
        if shown {
            print(&echo);
            print(&output);
        } else {
            print(&between(&output));
            if machine.is_busy(tty) {
                eprintln!("capas: given up: {line}");
                return ExitCode::from(GIVEN_UP);
            }
        }
    }
    if shown {
        print(b"\r\n");
    }
    machine.input(tty, b"echo $?\r");
    let status = String::from_utf8_lossy(&machine.settle(tty, QUIET, LIMIT)).into_owned();
    let status = status.lines().rev().find_map(|line| line.trim().parse::<u8>().ok());
    ExitCode::from(status.unwrap_or(0))
}

/// Lets time jump until the prompt is back, a program waits for input, or one that doesn't has been silent for `silent`.
fn settle(machine: &mut Machine, silent: Duration) -> Vec<u8> {
    let tty = machine.console();
    let mut output = machine.settle(tty, QUIET, LIMIT);
    let mut since = machine.now();
    while machine.is_busy(tty) && !machine.kernel().is_waited_for(tty) && machine.now().since(since) < silent {
        let before = machine.now();
        let more = machine.settle(tty, silent, LIMIT);
        if !more.is_empty() {
            since = machine.now();
            output.extend(more);
        } else if machine.now() == before {
            break;
        }
    }
    output
}

/// A command's output without the echoed Return before it and the prompt after it.
fn between(output: &[u8]) -> Vec<u8> {
    let start = output.iter().position(|b| *b == b'\n').map_or(0, |at| at + 1);
    let end = output.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
    let body = output.get(start..end.max(start)).unwrap_or_default();
    body.iter().copied().filter(|b| *b != b'\r').collect()
}

/// Proves an exercise; what is wrong is printed with its line.
fn prove(file: &str, text: &str) -> bool {
    let flaws = match exercise::Exercise::parse(text) {
        Ok(exercise) => prove::prove(&exercise),
        Err(flaws) => flaws,
    };
    for flaw in &flaws {
        let line = if flaw.line > 0 { format!(":{}", flaw.line) } else { String::new() };
        println!("{file}{line}: {}", flaw.reason.in_language(spoken()));
    }
    flaws.is_empty()
}

/// The language of the terminal, by its locale.
fn spoken() -> Language {
    let locale =
        ["LC_ALL", "LC_MESSAGES", "LANG"].iter().find_map(|name| std::env::var(name).ok().filter(|l| !l.is_empty()));
    let tag = locale.unwrap_or_default();
    Language::from_tag(tag.split(['_', '.']).next().unwrap_or_default()).unwrap_or(Language::English)
}

fn test(files: &[&str]) -> ExitCode {
    let (mut passed, mut failed) = (0, 0);
    for file in files {
        let text = match std::fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) => {
                eprintln!("capas: {file}: {error}");
                failed += 1;
                continue;
            }
        };
        if exercise::is_exercise(&text) {
            match prove(file, &text) {
                true => passed += 1,
                false => failed += 1,
            }
            continue;
        }
        let report = if slides::is_deck(&text) { slides::run(&text) } else { transcript::run(&text) };
        passed += report.steps - report.failures.len().min(report.steps);
        failed += report.failures.len();
        for failure in &report.failures {
            println!("{file}:{}: {}", failure.line, failure.command);
            failure.expected.iter().for_each(|line| println!("  - {line}"));
            failure.actual.iter().for_each(|line| println!("  + {line}"));
        }
    }
    println!("{passed} passed, {failed} failed");
    if failed == 0 && passed > 0 { ExitCode::SUCCESS } else { ExitCode::from(1) }
}
