//! The rules of the house that the compiler cannot hold: reads every file of `src/` and checks who uses whom.
//!
//! The checker knows tokens, not types: it sees paths that begin with `crate`, `capas`, `self`, `super`, `std`, `core` or
//! the name of a banned crate, also inside groups (`use crate::{base::id, os::fs}`), and skips comments. A path that
//! goes through a re-export counts where it is written.
#![expect(clippy::disallowed_methods, reason = "its subject is the source itself, which are files")]

use std::collections::BTreeMap;
use std::path::Path;

/// The layer of every module, as in `src/lib.rs`. A module uses only modules of lower layers.
const LAYERS: &[(&str, u8)] = &[
    ("base", 0),
    ("os::fs", 1),
    ("os::args", 1),
    ("docker::dockerfile", 1),
    ("os::kernel", 2),
    ("docker::image", 2),
    ("docker::registry", 2),
    ("os::shell", 3),
    ("os::userland", 3),
    ("docker::daemon", 4),
    ("docker::distribution", 4),
    ("docker::build", 5),
    ("docker::cli", 6),
    ("docker::http", 6),
    ("docker::capas", 6),
    ("machine", 7),
    ("lesson", 8),
    ("view", 8),
    ("ui", 9),
    ("embed", 9),
    ("host", 9),
    ("main", 10),
];

/// Uses inside one layer that are meant: user, used, why.
const EXCEPTIONS: &[(&str, &str, &str)] = &[
    ("docker::registry", "docker::image", "what a registry keeps are images: their configs, manifests and references"),
    ("docker::capas", "docker::cli", "what the client does not simulate stands in the client's own tables"),
    ("docker::http", "docker::cli", "how futures run side by side, and how accounts are written, is the client's"),
    ("embed", "ui", "it puts the page into its document and drives its session"),
];

/// Files that only list modules.
const MAPS: &[&str] = &["src/lib.rs", "src/os/mod.rs", "src/docker/mod.rs"];

/// The modules that may do input and output; all others are the engine.
const OUTSIDE: &[&str] = &["ui", "embed", "host", "main"];

/// Paths that the engine may not name, with the reason.
const BANNED: &[(&str, &str)] = &[
    ("web_sys", "the engine knows no browser"),
    ("js_sys", "the engine knows no browser"),
    ("wasm_bindgen", "the engine knows no browser"),
    ("gloo", "the engine knows no browser"),
    ("yew", "the engine draws nothing"),
    ("stylance", "the engine draws nothing"),
    ("crossterm", "the engine knows no real terminal"),
    ("std::fs", "the engine has no files of its own"),
    ("std::env", "configuration comes in through machine::Config"),
    // Addresses are values and may be used.
    ("std::net::TcpStream", "the only network is the simulated one"),
    ("std::net::TcpListener", "the only network is the simulated one"),
    ("std::net::UdpSocket", "the only network is the simulated one"),
    ("std::net::ToSocketAddrs", "the only network is the simulated one"),
    ("std::os", "the only system is the simulated one"),
    ("std::thread", "processes are futures"),
    ("std::process", "only the host program ends or starts anything"),
    ("std::io::stdin", "keystrokes go in through Machine::input"),
    ("std::io::stdout", "output comes out through Machine::take_output"),
    ("std::io::stderr", "output comes out through Machine::take_output"),
    ("std::time::Instant", "time comes in through Machine::advance_to"),
    ("std::time::SystemTime", "time comes in through Machine::advance_to"),
];

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Word(String),
    Text(String),
    Mark(char),
    /// `::`
    Colons,
}

/// Splits Rust source into tokens with their lines; comments vanish, literals are kept whole.
fn tokens(source: &str) -> Vec<(Token, usize)> {
    let bytes: Vec<char> = source.chars().collect();
    let at = |i: usize| bytes.get(i).copied().unwrap_or('\0');
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let (mut out, mut i, mut line) = (Vec::new(), 0, 1);
    while i < bytes.len() {
        let begin = (i, line);
        match at(i) {
            '\n' => {
                line += 1;
                i += 1;
            }
            '/' if at(i + 1) == '/' => {
                while i < bytes.len() && at(i) != '\n' {
                    i += 1;
                }
            }
            '/' if at(i + 1) == '*' => {
                let mut depth = 0;
                loop {
                    match (at(i), at(i + 1)) {
                        ('/', '*') => (depth, i) = (depth + 1, i + 2),
                        ('*', '/') => (depth, i) = (depth - 1, i + 2),
                        (c, _) => {
                            line += usize::from(c == '\n');
                            i += 1;
                        }
                    }
                    if depth == 0 || i >= bytes.len() {
                        break;
                    }
                }
            }
            '"' => {
                i += 1;
                while i < bytes.len() && at(i) != '"' {
                    let step = if at(i) == '\\' { 2 } else { 1 };
                    line += (i..i + step).filter(|&k| at(k) == '\n').count();
                    i += step;
                }
                i += 1;
                out.push((Token::Text(bytes[begin.0..i.min(bytes.len())].iter().collect()), begin.1));
            }
            // A character, unless it is a lifetime or a label.
            '\'' if at(i + 1) == '\\' || at(i + 2) == '\'' => {
                i += if at(i + 1) == '\\' { 3 } else { 2 };
                while i < bytes.len() && at(i) != '\'' {
                    i += 1;
                }
                i += 1;
            }
            c if word(c) => {
                while word(at(i)) {
                    i += 1;
                }
                let name: String = bytes[begin.0..i].iter().collect();
                let hashes = (i..bytes.len()).take_while(|&k| at(k) == '#').count();
                if ["r", "br", "cr"].contains(&name.as_str()) && at(i + hashes) == '"' {
                    i += hashes + 1;
                    let ends = |k: usize| at(k) == '"' && (1..=hashes).all(|h| at(k + h) == '#');
                    while i < bytes.len() && !ends(i) {
                        line += usize::from(at(i) == '\n');
                        i += 1;
                    }
                    i += hashes + 1;
                    out.push((Token::Text(bytes[begin.0..i.min(bytes.len())].iter().collect()), begin.1));
                } else {
                    out.push((Token::Word(name), line));
                }
            }
            ':' if at(i + 1) == ':' => {
                i += 2;
                out.push((Token::Colons, line));
            }
            c => {
                i += 1;
                if !c.is_whitespace() {
                    out.push((Token::Mark(c), line));
                }
            }
        }
    }
    out
}

/// The module a file holds: `src/os/fs/tar.rs` is `os::fs::tar`.
fn module_of(file: &str) -> Vec<String> {
    let inner = file.trim_start_matches("src/").trim_end_matches(".rs");
    let mut parts: Vec<String> = inner.split('/').map(str::to_owned).collect();
    if parts.last().is_some_and(|last| last == "mod" || last == "lib") {
        parts.pop();
    }
    parts
}

/// The entry of [`LAYERS`] that a path lies in.
fn layer_of(path: &[String]) -> Option<(&'static str, u8)> {
    LAYERS
        .iter()
        .copied()
        .find(|(name, _)| name.split("::").enumerate().all(|(i, part)| path.get(i).is_some_and(|p| p == part)))
}

/// A path as written, made absolute: `["crate", "os", "fs"]`, `["std", "env"]`; with its line.
type Use = (Vec<String>, usize);

/// Every path of the file that leads out of it, with `self` and `super` resolved and groups unfolded.
fn uses(file: &str, tokens: &[(Token, usize)]) -> Vec<Use> {
    let (mut found, mut depth, mut i) = (Vec::new(), 0_usize, 0);
    // The module we are in, and the depth of braces at which each inline module began.
    let (mut here, mut inline) = (module_of(file), Vec::new());
    while let Some((token, line)) = tokens.get(i) {
        let next = tokens.get(i + 1).map(|t| &t.0);
        match token {
            Token::Mark('{') => depth += 1,
            Token::Mark('}') => {
                depth = depth.saturating_sub(1);
                if inline.last() == Some(&depth) {
                    inline.pop();
                    here.pop();
                }
            }
            Token::Word(w) if w == "mod" && tokens.get(i + 2).map(|t| &t.0) == Some(&Token::Mark('{')) => {
                if let Some(Token::Word(name)) = next {
                    here.push(name.clone());
                    inline.push(depth);
                }
            }
            // A root begins a path unless it stands in the middle of one. Groups are read by tree(), so their inner
            // words are seen again here, but without a root they are nobody's path.
            Token::Word(w) if i == 0 || tokens[i - 1].0 != Token::Colons => {
                let root: Option<Vec<String>> = match w.as_str() {
                    "crate" | "capas" => Some(vec!["crate".into()]),
                    "self" => Some(std::iter::once("crate".into()).chain(here.iter().cloned()).collect()),
                    "super" => {
                        let parent = here.len().saturating_sub(1);
                        Some(std::iter::once("crate".into()).chain(here.iter().take(parent).cloned()).collect())
                    }
                    "std" | "core" => Some(vec!["std".into()]),
                    w if BANNED.iter().any(|(name, _)| *name == w) => Some(vec![w.to_owned()]),
                    _ => None,
                };
                let leads_on = next == Some(&Token::Colons);
                let bare = i > 0 && matches!(&tokens[i - 1].0, Token::Word(w) if w == "use");
                match root {
                    Some(root) if leads_on => {
                        tree(tokens, i + 2, root, &mut found);
                    }
                    Some(root) if bare => found.push((root, *line)),
                    _ => {}
                }
            }
            _ => {}
        }
        i += 1;
    }
    found
}

/// Reads what follows `path::` and adds every path in it; gives the index after it.
fn tree(tokens: &[(Token, usize)], i: usize, mut path: Vec<String>, found: &mut Vec<Use>) -> usize {
    let line = tokens.get(i).map_or(0, |t| t.1);
    match tokens.get(i).map(|t| &t.0) {
        Some(Token::Word(word)) => {
            match word.as_str() {
                "super" => drop(path.pop()),
                "self" => {}
                _ => path.push(word.clone()),
            }
            if tokens.get(i + 1).map(|t| &t.0) == Some(&Token::Colons) {
                return tree(tokens, i + 2, path, found);
            }
            found.push((path, line));
            i + 1
        }
        Some(Token::Mark('{')) => {
            let mut i = i + 1;
            while let Some((token, _)) = tokens.get(i) {
                match token {
                    Token::Mark('}') => return i + 1,
                    Token::Word(w) if w == "as" => i += 2,
                    Token::Mark(',') => i += 1,
                    Token::Word(_) => i = tree(tokens, i, path.clone(), found),
                    _ => i += 1,
                }
            }
            i
        }
        // `*`, or the `<T>` of a turbofish.
        _ => {
            found.push((path, line));
            i + 1
        }
    }
}

/// What is wrong with a file, as `file:line: what`.
fn faults(file: &str, source: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut fault = |line: usize, text: String| out.push(format!("{file}:{line}: {text}"));
    if !source.starts_with("//!") {
        fault(1, "does not begin with //! saying what the module is".into());
    }
    let tokens = tokens(source);
    for window in tokens.windows(3) {
        if let [(Token::Mark('['), _), (Token::Word(word), line), (Token::Mark('('), _)] = window
            && word == "allow"
        {
            fault(*line, "an allow attribute: use #[expect(.., reason = \"..\")]".into());
        }
    }
    let module = module_of(file);
    if module.first().is_some_and(|first| first == "os") {
        for (token, line) in &tokens {
            if let Token::Word(text) | Token::Text(text) = token
                && text.to_ascii_lowercase().contains("docker")
            {
                fault(*line, format!("os mentions Docker: {text}"));
            }
        }
    }
    if MAPS.contains(&file) {
        return out;
    }
    let Some((mine, my_layer)) = layer_of(&module) else {
        fault(1, "is in no layer: add its module to LAYERS in tests/house.rs".into());
        return out;
    };
    for (path, line) in uses(file, &tokens) {
        let written = path.join("::");
        if !OUTSIDE.contains(&mine) {
            for (banned, why) in BANNED {
                let inside = |longer: &str, shorter: &str| {
                    longer == shorter || longer.strip_prefix(shorter).is_some_and(|rest| rest.starts_with("::"))
                };
                // Tests may ask the real program what it does.
                let is_oracle = *banned == "std::process" && file.ends_with("tests.rs");
                if inside(&written, banned) && !is_oracle {
                    fault(line, format!("{mine} uses {written}: {why}"));
                }
            }
        }
        if path.first().is_none_or(|first| first != "crate") {
            continue;
        }
        let Some((theirs, their_layer)) = layer_of(path.get(1..).unwrap_or_default()) else { continue };
        if mine == "docker::cli" && theirs == "docker::daemon" && path.get(3).is_none_or(|third| third != "api") {
            fault(line, format!("docker::cli uses {written}: of the daemon it knows only api"));
        }
        if mine == theirs || their_layer < my_layer {
            continue;
        }
        if EXCEPTIONS.iter().any(|(user, used, _)| *user == mine && *used == theirs) {
            continue;
        }
        fault(line, format!("{mine} (layer {my_layer}) uses {theirs} (layer {their_layer}): {written}"));
    }
    out
}

/// Every Rust file under `src/`, by its path from the top.
fn source_files() -> std::io::Result<BTreeMap<String, String>> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut files, mut folders) = (BTreeMap::new(), vec![top.join("src")]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(top).unwrap_or(&path).to_string_lossy().replace('\\', "/");
                files.insert(name, std::fs::read_to_string(&path)?);
            }
        }
    }
    Ok(files)
}

#[test]
fn the_source_keeps_to_the_layers() {
    let files = source_files().expect("the source is there");
    let found: Vec<String> = files.iter().flat_map(|(file, source)| faults(file, source)).collect();
    assert!(found.is_empty(), "{} faults:\n{}", found.len(), found.join("\n"));
}

#[test]
fn every_module_of_the_table_exists() {
    let files = source_files().expect("the source is there");
    for (name, _) in LAYERS {
        let there = files.keys().any(|file| layer_of(&module_of(file)).is_some_and(|(found, _)| found == *name));
        assert!(there, "{name} is in LAYERS but has no file");
    }
    for (user, used, _) in EXCEPTIONS {
        let (user, used) =
            (layer_of(&module_of(&user.replace("::", "/"))), layer_of(&module_of(&used.replace("::", "/"))));
        assert!(
            user.is_some() && user.map(|u| u.1) == used.map(|u| u.1),
            "an exception is for two modules of one layer"
        );
    }
}

/// The faults of a file whose text is `//!` and then `body`, without the file's name.
fn complaints(file: &str, body: &str) -> Vec<String> {
    let prefix = format!("{file}:");
    faults(file, &format!("//! A module.\n{body}"))
        .into_iter()
        .map(|fault| fault.strip_prefix(&prefix).map(str::to_owned).unwrap_or(fault))
        .collect()
}

#[test]
fn lower_layers_may_be_used() {
    for (file, body) in [
        ("src/os/fs/overlay.rs", "use crate::base::path;"),
        ("src/os/userland/ls.rs", "use crate::{base::errno, os::{args, fs::node::Node, kernel::*}};"),
        ("src/docker/cli/commands/image/ls.rs", "use crate::docker::daemon::api::{self, Client};"),
        ("src/machine/mod.rs", "use crate::docker::daemon::Daemon;"),
        ("src/os/kernel/net.rs", "use std::net::Ipv4Addr;"),
        ("src/main.rs", "fn main() { capas::ui::mount(); std::env::args(); }"),
        ("src/host/mod.rs", "use std::fs; use crossterm::event;"),
        ("src/os/fs/tar.rs", "use super::node; use super::super::fs::layer; use self::inner::x;"),
        (
            "src/base/id.rs",
            "// crate::ui::x and std::env\n/* crate::os /* nested */ */ const A: &str = \"crate::os::fs \\\" std::fs\";",
        ),
        (
            "src/base/id.rs",
            "const A: &str = r#\"crate::os::fs \" std::fs\"#; fn f<'a>(c: char) -> bool { c == '\"' || c == '\\'' }",
        ),
        ("src/view/mod.rs", "pub(crate) struct A; mod tests { use super::*; }"),
    ] {
        assert_eq!(complaints(file, body), Vec::<String>::new(), "{file}: {body}");
    }
}

#[test]
fn every_broken_rule_is_found_with_its_line() {
    for (file, body, expected) in [
        ("src/base/id.rs", "use crate::os::fs::node;", "2: base (layer 0) uses os::fs (layer 1): crate::os::fs::node"),
        ("src/os/fs/mod.rs", "\nuse crate::os::args;", "3: os::fs (layer 1) uses os::args (layer 1): crate::os::args"),
        (
            "src/os/fs/tar.rs",
            "fn f() { crate::machine::new() }",
            "2: os::fs (layer 1) uses machine (layer 7): crate::machine::new",
        ),
        (
            "src/os/fs/tar.rs",
            "use super::super::kernel::Pid;",
            "2: os::fs (layer 1) uses os::kernel (layer 2): crate::os::kernel::Pid",
        ),
        (
            "src/docker/image/store.rs",
            "use crate::{base::id,\n docker::{image::config as c, build::{plan, cache}}};",
            "3: docker::image (layer 2) uses docker::build (layer 5): crate::docker::build::plan",
        ),
        ("src/lesson/mod.rs", "use crate::view;", "2: lesson (layer 8) uses view (layer 8): crate::view"),
        (
            "src/docker/cli/error.rs",
            "use crate::docker::daemon::containers::Id;",
            "2: docker::cli uses crate::docker::daemon::containers::Id: of the daemon it knows only api",
        ),
        (
            "src/docker/cli/error.rs",
            "use crate::docker::daemon;",
            "2: docker::cli uses crate::docker::daemon: of the daemon it knows only api",
        ),
        ("src/os/shell/lexer.rs", "fn f() { docker_run() }", "2: os mentions Docker: docker_run"),
        ("src/os/shell/lexer.rs", "const A: &str = \"/var/lib/docker\";", "2: os mentions Docker: \"/var/lib/docker\""),
        (
            "src/machine/mod.rs",
            "use std::time::{Duration, Instant};",
            "2: machine uses std::time::Instant: time comes in through Machine::advance_to",
        ),
        (
            "src/machine/mod.rs",
            "fn f() { let x = std::env::var(\"X\"); }",
            "2: machine uses std::env::var: configuration comes in through machine::Config",
        ),
        ("src/view/mod.rs", "use web_sys::Element;", "2: view uses web_sys::Element: the engine knows no browser"),
        ("src/view/mod.rs", "use yew;", "2: view uses yew: the engine draws nothing"),
        (
            "src/base/id.rs",
            "#[allow(dead_code)] struct A;",
            "2: an allow attribute: use #[expect(.., reason = \"..\")]",
        ),
        ("src/base/id.rs", "#![allow(dead_code)]", "2: an allow attribute: use #[expect(.., reason = \"..\")]"),
        ("src/utils.rs", "", "1: is in no layer: add its module to LAYERS in tests/house.rs"),
        (
            "src/os/args/mod.rs",
            "mod a { mod b { use super::super::super::fs::X; } }",
            "2: os::args (layer 1) uses os::fs (layer 1): crate::os::fs::X",
        ),
    ] {
        let found = complaints(file, body);
        assert_eq!(found.first().map(String::as_str), Some(expected), "{file}: {body}: {found:?}");
    }
    assert_eq!(faults("src/base/id.rs", "use std::fmt;").len(), 1, "a file without //!");
}
