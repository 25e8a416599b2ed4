//! Completion of docker's command lines: commands and flags from the tables, names from the daemon.
//!
//! What an operand is follows from the command's usage line, as the tables have it: `CONTAINER`, `IMAGE`, `VOLUME`, `NETWORK`.

use bstr::{BString, ByteSlice};

use super::command::{Command, Flag};
use super::commands::ROOT;
use super::value::Kind;
use crate::docker::daemon::api::container::ListOptions;
use crate::docker::daemon::api::image::ImageListOptions;
use crate::docker::daemon::api::{Daemon, Filters};

/// What the last of the words can become; `None` leaves it to file names.
pub fn complete(daemon: &Daemon, words: &[BString]) -> Option<Vec<BString>> {
    let (typed, before) = words.split_last()?;
    let mut before = before.get(1..).unwrap_or_default().iter().filter(|word| !word.starts_with(b"-"));
    let Some(first) = before.next() else {
        let names = ROOT.nouns.iter().map(|noun| noun.name).chain(ROOT.shortcuts.iter().map(|shortcut| shortcut.name));
        return Some(if typed.starts_with(b"-") { flags(ROOT.flags.iter()) } else { owned(names) });
    };
    let shortcut = ROOT.shortcuts.iter().find(|shortcut| shortcut.name.as_bytes() == first.as_slice());
    let command = match (shortcut, ROOT.nouns.iter().find(|noun| noun.name.as_bytes() == first.as_slice())) {
        (Some(shortcut), _) => shortcut.command,
        (None, Some(noun)) => match before.next() {
            Some(verb) => noun.verbs.iter().find(|command| command.is_named(verb))?,
            None => return Some(owned(noun.verbs.iter().map(|command| command.name))),
        },
        (None, None) => return Some(Vec::new()),
    };
    if typed.starts_with(b"-") {
        return Some(flags(command.flags().filter(|flag| !flag.hidden)));
    }
    let taken = words.iter().rev().nth(1).and_then(|word| value_of(command, word));
    operand(daemon, taken.unwrap_or(command.usage), typed)
}

/// What the flag before the word stands for: the name of its value.
fn value_of(command: &Command, word: &[u8]) -> Option<&'static str> {
    let name = word.strip_prefix(b"-")?;
    let flag = command.flags().find(|flag| match name.strip_prefix(b"-") {
        Some(long) => flag.long.as_bytes() == long,
        None => flag.short != '\0' && name.to_str_lossy().ends_with(flag.short),
    })?;
    match (flag.long, flag.kind) {
        (_, Kind::Bool(_)) => None,
        ("network" | "net", _) => Some("NETWORK"),
        ("volumes-from" | "link", _) => Some("CONTAINER"),
        ("volume", _) => Some("VOLUME FILE"),
        ("file" | "env-file" | "output" | "input" | "iidfile" | "cidfile" | "label-file", _) => Some("FILE"),
        _ => Some(""),
    }
}

/// The objects that a usage line speaks of.
fn operand(daemon: &Daemon, usage: &str, typed: &[u8]) -> Option<Vec<BString>> {
    let mut names: Vec<String> = Vec::new();
    if usage.contains("CONTAINER") || usage.contains("NAME|ID") {
        let all = ListOptions { all: true, ..ListOptions::default() };
        // What the daemon refuses cannot be offered.
        let list = daemon.container_list(&all).unwrap_or_default();
        let colon = if usage.contains("CONTAINER:") { ":" } else { "" };
        names.extend(list.iter().flat_map(|c| &c.names).map(|name| format!("{}{colon}", name.trim_start_matches('/'))));
    }
    if usage.contains("IMAGE")
        || usage.contains("REPOSITORY")
        || usage.contains("NAME|ID")
        || usage.contains("NAME[:TAG")
    {
        let list = daemon.image_list(&ImageListOptions::default()).unwrap_or_default();
        names.extend(list.into_iter().flat_map(|image| image.repo_tags));
        // `nginx` is as good a name as `nginx:latest`.
        let short = names.iter().filter_map(|name| name.strip_suffix(":latest")).map(str::to_owned);
        let short: Vec<String> = short.collect();
        names.retain(|name| !name.ends_with(":latest"));
        names.extend(short);
    }
    if usage.contains("VOLUME") || usage.contains("NAME|ID") {
        let list = daemon.volume_list(&Filters::new()).unwrap_or_default();
        names.extend(list.into_iter().map(|volume| volume.name));
    }
    if usage.contains("NETWORK") || usage.contains("NAME|ID") {
        let list = daemon.network_list(&Filters::new()).unwrap_or_default();
        names.extend(list.into_iter().map(|network| network.name));
    }
    let files = ["PATH", "FILE", "file", "DEST"].iter().any(|word| usage.contains(word));
    let fits = names.iter().any(|name| name.as_bytes().starts_with(typed));
    (!files || fits).then(|| owned(names.iter().map(String::as_str)))
}

fn flags<'a>(flags: impl Iterator<Item = &'a Flag>) -> Vec<BString> {
    flags.map(|flag| BString::from(format!("--{}", flag.long))).collect()
}

fn owned<'a>(names: impl Iterator<Item = &'a str>) -> Vec<BString> {
    names.map(BString::from).collect()
}
