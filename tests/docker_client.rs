//! The real docker client as an oracle: help, unknown flags, operand counts and other usage errors of every declared command.
//!
//! The client needs no daemon for these. Where it is missing, or is another version, the test says loudly that it was skipped.
#![expect(clippy::print_stderr, clippy::unwrap_used, reason = "it asks a real program and tells what differs")]

use std::collections::BTreeMap;
use std::process::{Command, Stdio};

use bstr::BString;
use capas::docker::cli::CLIENT_VERSION;
use capas::docker::cli::commands::ROOT;
use capas::docker::cli::help::Screen;
use capas::docker::cli::parse::parse;

/// Status, standard output, standard error.
type Answer = (i32, String, String);

fn real(words: &[&str]) -> Option<Answer> {
    // The classic builder's help needs no plugin and prints no notice.
    let mut command = Command::new("docker");
    command.args(words).env("DOCKER_BUILDKIT", "0").env("HOME", "/root").stdin(Stdio::null());
    let output = command.output().ok()?;
    // Where the classic builder is asked for, the client first says what it thinks of it.
    let text = |bytes: Vec<u8>| {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        match text.split_once("environment-variable.\n\n") {
            Some((_, rest)) if text.starts_with("DEPRECATED") => rest.to_owned(),
            _ => text,
        }
    };
    Some((output.status.code()?, text(output.stdout), text(output.stderr)))
}

fn ours(words: &[&str]) -> Option<Answer> {
    let words: Vec<BString> = words.iter().map(|word| BString::from(*word)).collect();
    let stop = parse(&ROOT, &words, &Screen::default()).err()?;
    Some((i32::from(stop.status), stop.out.to_string(), stop.err.to_string()))
}

fn client_is_here() -> bool {
    let found = real(&["--version"]).is_some_and(|(_, out, _)| out.contains(CLIENT_VERSION));
    if !found {
        eprintln!("\n*** SKIPPED: no docker client {CLIENT_VERSION} here to compare with ***\n");
    }
    found
}

fn commands() -> Vec<Vec<&'static str>> {
    let mut all: Vec<Vec<&str>> = ROOT.shortcuts.iter().map(|shortcut| vec![shortcut.name]).collect();
    for noun in ROOT.nouns {
        for verb in noun.verbs {
            all.push(vec![noun.name, verb.name]);
            all.extend(verb.aliases.iter().map(|alias| vec![noun.name, *alias]));
        }
    }
    all
}

fn compare(lines: &[Vec<&str>]) {
    let mut wrong = BTreeMap::new();
    for words in lines {
        let (real, ours) = (real(words).unwrap(), ours(words));
        if ours.as_ref() != Some(&real) {
            wrong.insert(words.join(" "), (real, ours));
        }
    }
    for (line, (real, ours)) in &wrong {
        let ours = ours.clone().unwrap_or((0, "(runs)".to_owned(), String::new()));
        eprintln!(
            "=== docker {line}\n--- real: {}\n{}{}--- ours: {}\n{}{}",
            real.0, real.1, real.2, ours.0, ours.1, ours.2
        );
    }
    assert!(wrong.is_empty(), "{} of {} differ", wrong.len(), lines.len());
}

#[test]
fn help_is_the_real_clients() {
    if !client_is_here() {
        return;
    }
    let mut lines: Vec<Vec<&str>> = vec![vec![], vec!["--help"], vec!["-h"], vec!["help"], vec!["help", "help"]];
    for noun in ROOT.nouns.iter().filter(|noun| !noun.verbs.is_empty()) {
        lines.extend([vec![noun.name], vec![noun.name, "--help"], vec!["help", noun.name]]);
    }
    for command in commands() {
        lines.push([command.as_slice(), &["--help"]].concat());
    }
    lines.push(vec!["help", "image", "ls"]);
    compare(&lines);
}

#[test]
fn unknown_flags_are_refused_as_the_real_client_does() {
    if !client_is_here() {
        return;
    }
    let mut lines = Vec::new();
    for command in commands() {
        lines.push([command.as_slice(), &["--nope-nope"]].concat());
        lines.push([command.as_slice(), &["-Z"]].concat());
    }
    compare(&lines);
}

#[test]
fn operands_are_counted_as_the_real_client_does() {
    if !client_is_here() {
        return;
    }
    let mut lines = Vec::new();
    for command in commands() {
        for count in [0, 1, 3, 9] {
            let words = [command.as_slice(), &["x"; 9][..count]].concat();
            // Where both take the operands there is nothing to compare: the real client then asks its daemon.
            let taken = real(&words).is_some_and(|(_, _, err)| !err.contains("argument"));
            let asks_daemon = ours(&words).is_none_or(|(_, _, err)| !err.contains("argument"));
            if !(taken && asks_daemon) {
                lines.push(words);
            }
        }
    }
    assert!(lines.len() > 50);
    compare(&lines);
}

#[test]
fn usage_errors_are_the_real_clients() {
    if !client_is_here() {
        return;
    }
    let lines = [
        "-v",
        "--version",
        "--nope",
        "-Z",
        "rn",
        "rn --help",
        "rn --nope",
        "foo bar",
        "help rn",
        "help image pll",
        "help ps x",
        "container foo",
        "container foo --help",
        "container foo --nope",
        "container -x",
        "container -h",
        "ps -h",
        "ps -D",
        "ps --version",
        "ps --help --nope",
        "ps --nope --help",
        "ps -- -x",
        "ps --no-trunk",
        "ps -n",
        "ps -n x",
        "ps -n 99999999999999999999",
        "ps -f x",
        "ps --all=x",
        "ps --all=",
        "ps ---all",
        "ps --=x",
        "ps -aqZ",
        "run --rm=x a",
        "run --name",
        "run -itp",
        "run --help x",
        "run -h",
        "run -e = a",
        "run -e =x a",
        "run -l =x a",
        "run -a x a",
        "run --add-host x a",
        "run --add-host x: a",
        "run --add-host :1 a",
        "run --add-host a:b:1 a",
        "run --dns x a",
        "run --link a:b:c a",
        "run --mount x a",
        "run --mount type=bind a",
        "run --mount foo=x a",
        "run --mount readonly=x,target=/x a",
        "run --mount tmpfs-size=x,target=/x a",
        "run --network a=b a",
        "run --ulimit x a",
        "run --ulimit nofile=x a",
        "run --ulimit foo=1 a",
        "run --ulimit nofile=2:1 a",
        "run --sysctl x a",
        "run --blkio-weight x a",
        "run --blkio-weight 99999999 a",
        "run --blkio-weight -1 a",
        "run --stop-timeout x a",
        "run --health-interval x a",
        "run --health-interval 5 a",
        "run --health-interval 5y a",
        "run --memory -1 a",
        "run --memory x a",
        "run --memory-swap x a",
        "run --shm-size x a",
        "run --cpus x a",
        "run --cpus 0.00000000001 a",
        "stop -t x a",
        "images -f x",
        "search --limit x a",
        "volume create --label = a",
        "exec -e = a b",
        "image prune --filter x",
        "commit -c",
        "system",
    ];
    let lines: Vec<Vec<&str>> = lines.iter().map(|line| line.split(' ').collect()).collect();
    compare(&lines);
}
