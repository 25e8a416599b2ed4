//! The real docker client as an oracle: help, unknown flags, operand counts and other usage errors of every declared command.
//!
//! The client needs no daemon for these. Where it is missing, or is another version, the test says loudly that it was skipped.
#![expect(
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "it asks a real program, reads the source and tells what differs"
)]

use capas::base::sort::Arrange;
use std::collections::BTreeMap;
use std::process::{Command, Stdio};

use bstr::BString;
use capas::docker::cli::CLIENT_VERSION;
use capas::docker::cli::command::{Place, Support, Verb};
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
    // The client here has no plugins.
    let text = |text: BString| {
        text.to_string().replace("  buildx*     Docker Buildx\n", "").replace("  compose*    Docker Compose\n", "")
    };
    Some((i32::from(stop.status), text(stop.out), text(stop.err)))
}

fn client_is_here() -> bool {
    let found = real(&["--version"]).is_some_and(|(_, out, _)| out.contains(CLIENT_VERSION));
    if !found {
        eprintln!("SKIPPED: no docker client {CLIENT_VERSION} here to compare with");
    }
    found
}

fn commands() -> Vec<Vec<&'static str>> {
    let mut all: Vec<Vec<&str>> = ROOT.shortcuts.iter().map(|shortcut| vec![shortcut.name]).collect();
    for noun in ROOT.nouns {
        for verb in noun.verbs.iter().filter(|_| noun.place != Place::Plugin) {
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
    for noun in ROOT.nouns.iter().filter(|noun| !noun.verbs.is_empty() && noun.place != Place::Plugin) {
        lines.extend([vec![noun.name], vec![noun.name, "--help"], vec!["help", noun.name]]);
    }
    for command in commands() {
        lines.push([command.as_slice(), &["--help"]].concat());
    }
    lines.push(vec!["help", "image", "ls"]);
    compare(&lines);
}

/// The commands that the real client's help lists.
fn listed(words: &[&str]) -> Vec<String> {
    let (_, help, _) = real(words).unwrap();
    let lists = help.split("\n\n").filter(|part| part.lines().next().is_some_and(|line| line.ends_with("Commands:")));
    lists.flat_map(|part| part.lines().skip(1)).map(|line| line.split_whitespace().next().unwrap().to_owned()).collect()
}

/// Swarm, plugins, trust and checkpoints are declared as a whole: they are not simulated.
#[test]
fn every_command_of_the_real_client_is_declared() {
    if !client_is_here() {
        return;
    }
    let known: Vec<&str> =
        (ROOT.nouns.iter().map(|noun| noun.name)).chain(ROOT.shortcuts.iter().map(|s| s.name)).collect();
    for name in listed(&["--help"]) {
        assert!(known.contains(&name.as_str()), "docker {name}");
    }
    for noun in ROOT.nouns.iter().filter(|noun| noun.place != Place::Plugin) {
        for name in listed(&[noun.name, "--help"]) {
            let declared = noun.verbs.is_empty() || noun.verbs.iter().any(|verb| verb.name == name);
            assert!(declared, "docker {} {name}", noun.name);
        }
        if noun.verbs.is_empty() {
            let (status, _, text) = ours(&[noun.name, "ls"]).unwrap();
            assert_eq!((status, text), (125, format!("docker: 'docker {}' is not simulated in Capas\n", noun.name)));
        }
    }
}

/// Flags that change nothing here, and why that is right.
const WITHOUT_EFFECT: &[(&str, &str)] = &[
    ("disable-content-trust", "true is the default, and nothing is signed"),
    ("compress", "only the way to the daemon changes"),
    ("force-rm", "no intermediate container is left behind"),
    ("verbose", "only networks of a swarm have more to tell"),
    ("insecure", "every registry is reached in the same way"),
    ("bootstrap", "the builder has booted"),
    ("default", "there is one builder"),
    ("global", "there is one builder"),
    ("load", "images go to the daemon anyway"),
    ("yes", "`compose up` asks nothing"),
    ("kernel-memory", "a daemon since API 1.42 throws it away (moby api/server/router/container)"),
];

/// A flag that is accepted is read by somebody: its name stands in the client's source outside of its declaration.
#[test]
fn every_flag_is_handled_or_declared_not_simulated() {
    let mut source = String::new();
    let mut folders = vec![std::path::PathBuf::from("src/docker/cli")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                source += &std::fs::read_to_string(path).unwrap();
            }
        }
    }
    let source: String = source.split_whitespace().collect::<Vec<_>>().join(" ").replace("( ", "(");
    let mut idle = Vec::new();
    let commands = ROOT.nouns.iter().flat_map(|noun| noun.verbs).copied();
    for command in commands.chain(ROOT.shortcuts.iter().map(|shortcut| shortcut.command)) {
        for flag in command.flags().filter(|_| matches!(command.verb, Verb::Run(_))) {
            let name = format!("\"{}\"", flag.long);
            let declared = source.matches(&format!("long({name}")).count()
                + source.matches(&format!("flag('{}', {name}", flag.short)).count();
            let excused = WITHOUT_EFFECT.iter().any(|(name, _)| *name == flag.long);
            if flag.support == Support::Simulated && !excused && source.matches(&name).count() <= declared {
                idle.push(format!("{} --{}", command.name, flag.long));
            }
        }
    }
    idle.arrange();
    idle.dedup();
    assert!(idle.is_empty(), "{idle:#?}");
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
