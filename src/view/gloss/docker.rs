//! A docker command, by the tables with which the client parses it.

use super::shell;
use super::split::Token;
use super::{Found, SlipKind};
use crate::base::size::human_size3;
use crate::docker::cli::command::{Command, Flag, Noun, Support};
use crate::docker::cli::commands::ROOT;
use crate::docker::cli::value::Kind;
use crate::docker::image::reference::Reference;
use crate::view::texts::fill;
use crate::view::texts::gloss_docker as own;

/// Explains the words behind `docker`.
pub(super) fn command(found: &mut Found<'_>, docker: &Token, words: &[Token]) {
    let says = found.texts.docker.to_owned();
    found.add(docker.range.clone(), "docker", "", vec![says]);
    let mut rest = Words { words, at: 0 };
    let globals: Vec<&'static Flag> = ROOT.flags.iter().collect();
    rest.flags(found, Of { typed: "docker", path: "docker" }, &globals);
    let Some(word) = rest.next() else { return };
    if let Some(shortcut) = ROOT.shortcuts.iter().find(|shortcut| shortcut.name == word.text) {
        let long = ROOT.nouns.iter().find(|noun| noun.verbs.iter().any(|verb| std::ptr::eq(*verb, shortcut.command)));
        let long = long.map(|noun| format!("docker {} {}", noun.name, shortcut.command.name));
        verb(found, word, shortcut.command, format!("docker {}", word.text), long);
        return arguments(found, rest, shortcut.command, &format!("docker {}", word.text), &[]);
    }
    let Some(noun) = ROOT.nouns.iter().find(|noun| noun.name == word.text) else {
        let known = ROOT.nouns.iter().map(|noun| noun.name);
        let known = known.chain(ROOT.shortcuts.iter().map(|shortcut| shortcut.name));
        found.slip(word.range.clone(), SlipKind::Command, &word.text, known);
        let says = fill(found.texts.no_command, &[&word.text]);
        return found.add(word.range.clone(), word.text.clone(), "", vec![says]);
    };
    let says = own::noun(noun.name, found.language).to_owned();
    found.add(word.range.clone(), format!("docker {}", noun.name), noun.short, vec![says]);
    let flags: Vec<&'static Flag> = noun.flags.iter().collect();
    let path = format!("docker {}", noun.name);
    rest.flags(found, Of { typed: &path, path: &path }, &flags);
    let Some(word) = rest.next() else { return };
    let Some(known) = noun.verbs.iter().find(|command| command.is_named(word.text.as_bytes())) else {
        let known = noun.verbs.iter().map(|verb| verb.name);
        found.slip(word.range.clone(), SlipKind::Command, &word.text, known);
        let says = fill(found.texts.no_command, &[&format!("{} {}", noun.name, word.text)]);
        return found.add(word.range.clone(), word.text.clone(), "", vec![says]);
    };
    let short = shortcut_of(noun, known);
    verb(found, word, known, format!("docker {} {}", noun.name, known.name), short);
    arguments(found, rest, known, &format!("{path} {}", word.text), &flags);
}

/// How a command may also be called.
fn shortcut_of(noun: &Noun, command: &'static Command) -> Option<String> {
    let shortcut = ROOT.shortcuts.iter().find(|shortcut| std::ptr::eq(shortcut.command, command))?;
    (noun.name != "compose").then(|| format!("docker {}", shortcut.name))
}

fn verb(found: &mut Found<'_>, word: &Token, command: &'static Command, title: String, also: Option<String>) {
    let path = also.as_deref().filter(|also| also.split(' ').count() > title.split(' ').count()).unwrap_or(&title);
    let mut says = vec![own::command(path.strip_prefix("docker ").unwrap_or(path), found.language).to_owned()];
    says.extend(also.map(|also| fill(found.texts.same_as, &[&also])));
    found.add(word.range.clone(), title, command.short, says);
}

/// Whose flags they are: the command as it was typed, and under its noun.
#[derive(Clone, Copy)]
struct Of<'a> {
    typed: &'a str,
    path: &'a str,
}

/// The words of a command that were not looked at yet.
#[derive(Clone, Copy)]
struct Words<'a> {
    words: &'a [Token],
    at: usize,
}

impl<'a> Words<'a> {
    fn next(&mut self) -> Option<&'a Token> {
        let word = self.words.get(self.at);
        self.at += usize::from(word.is_some());
        word
    }

    fn peek(&self) -> Option<&'a Token> {
        self.words.get(self.at)
    }

    /// Explains flags as long as they come.
    fn flags(&mut self, found: &mut Found<'_>, of: Of<'_>, flags: &[&'static Flag]) {
        while let Some(word) = self.peek().filter(|word| word.text.starts_with('-') && word.text.len() > 1) {
            self.at += 1;
            if word.text == "--" {
                let says = found.texts.end_of_flags.to_owned();
                return found.add(word.range.clone(), "--", "", vec![says]);
            }
            self.flag(found, of, flags, word);
        }
    }

    fn flag(&mut self, found: &mut Found<'_>, of: Of<'_>, flags: &[&'static Flag], word: &Token) {
        let unknown = |found: &mut Found<'_>, range: std::ops::Range<usize>, name: &str| {
            let names: Vec<String> =
                flags.iter().filter(|flag| !flag.hidden).map(|flag| format!("--{}", flag.long)).collect();
            found.slip(range.clone(), SlipKind::Flag(of.typed.to_owned()), name, names.iter().map(String::as_str));
            let says = fill(found.texts.no_flag, &[of.typed, name]);
            found.add(range, name, "", vec![says]);
        };
        let range = word.range.clone();
        if let Some(long) = word.text.strip_prefix("--") {
            let (name, value) = long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value)));
            if name == "help" {
                let says = found.texts.help.to_owned();
                return found.add(range, "--help", "", vec![says]);
            }
            let Some(flag) = flags.iter().find(|flag| flag.long == name) else {
                let end = (range.start + name.len() + 2).min(range.end);
                return unknown(found, range.start..end, &format!("--{name}"));
            };
            match value {
                // The name and its value stand in one word: as much as can be told apart is.
                Some(value) => {
                    let cut = (range.start + name.len() + 3).min(range.end);
                    add_flag(found, range.start..cut, of.path, flag, None);
                    add_flag(found, cut..range.end, of.path, flag, Some(value));
                }
                None => {
                    add_flag(found, range, of.path, flag, None);
                    self.value(found, of.path, flag);
                }
            }
            return;
        }
        let mut at = range.start + 1;
        for (index, letter) in word.text.char_indices().skip(1) {
            let start = if index == 1 { range.start } else { at };
            at = (at + letter.len_utf8()).min(range.end);
            let Some(flag) = flags.iter().find(|flag| flag.short == letter) else {
                unknown(found, start..at, &format!("-{letter}"));
                continue;
            };
            add_flag(found, start..at, of.path, flag, None);
            if !matches!(flag.kind, Kind::Bool(_)) {
                let value = word.text.get(index + letter.len_utf8()..).unwrap_or_default();
                match value.strip_prefix('=').unwrap_or(value) {
                    "" => self.value(found, of.path, flag),
                    value => add_flag(found, at..range.end, of.path, flag, Some(value)),
                }
                return;
            }
        }
    }

    fn value(&mut self, found: &mut Found<'_>, path: &str, flag: &'static Flag) {
        if !matches!(flag.kind, Kind::Bool(_))
            && let Some(word) = self.next()
        {
            add_flag(found, word.range.clone(), path, flag, Some(&word.text));
        }
    }
}

fn add_flag(
    found: &mut Found<'_>,
    range: std::ops::Range<usize>,
    path: &str,
    flag: &'static Flag,
    value: Option<&str>,
) {
    let name = match flag.short {
        '\0' => format!("--{}", flag.long),
        short => format!("-{short}, --{}", flag.long),
    };
    let kind = flag.kind.type_name();
    let title = match value {
        Some(value) => format!("--{} {value}", flag.long),
        None if kind.is_empty() => name,
        None => format!("{name} {kind}"),
    };
    let mut says: Vec<String> = value.map(|value| value_says(found, flag, value)).into_iter().collect();
    let path = path.strip_prefix("docker ").unwrap_or(path);
    says.push(own::flag(path, flag.long, found.language).to_owned());
    if flag.support != Support::Simulated {
        says.push(found.texts.not_simulated.to_owned());
    }
    found.add(range, title, flag.usage, says);
}

/// What a value means.
fn value_says(found: &Found<'_>, flag: &Flag, value: &str) -> String {
    let texts = found.texts;
    match (flag.long, flag.kind) {
        ("publish", _) => port_says(found, value),
        ("volume", _) => volume_says(found, value),
        ("env" | "build-arg", _) => match value.split_once('=') {
            Some((name, value)) => fill(texts.env_value, &[name, value]),
            None => fill(texts.env_name, &[value]),
        },
        ("network", _) => {
            let known = found.picture.networks.iter().find(|network| network.name == value);
            known.map_or_else(String::new, |network| fill(texts.network_now, &[&network.name, &network.driver]))
        }
        ("volumes-from", _) => container_says(found, value.split(':').next().unwrap_or_default()),
        ("tag", Kind::List | Kind::Tag | Kind::Text) => image_says(found, value),
        ("name", _) => match container_says(found, value) {
            text if text == fill(texts.no_container, &[value]) => fill(texts.name_free, &[value]),
            text => text,
        },
        _ => String::new(),
    }
}

/// `127.0.0.1:9003:8003/tcp`.
fn port_says(found: &Found<'_>, value: &str) -> String {
    let (ports, protocol) = value.rsplit_once('/').unwrap_or((value, "tcp"));
    let mut parts = ports.rsplitn(3, ':');
    let (inside, host) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    if host.is_empty() {
        return fill(found.texts.port_any, &[inside, protocol]);
    }
    let mut says = fill(found.texts.port, &[host, inside, protocol]);
    let taken = found.picture.containers().into_iter().find(|container| {
        container.fact.ports.iter().any(|port| port.host.to_string() == host && port.protocol == protocol)
    });
    if let Some(container) = taken {
        says.push(' ');
        says.push_str(&fill(found.texts.port_now, &[host, &container.fact.name]));
    }
    says
}

/// `datos:/var/lib:ro`.
fn volume_says(found: &Found<'_>, value: &str) -> String {
    let texts = found.texts;
    let parts: Vec<&str> = value.split(':').collect();
    let (source, target) = match parts.as_slice() {
        [target] => return fill(texts.volume_anonymous, &[target]),
        [source, target, ..] => (*source, *target),
        [] => return String::new(),
    };
    let mut says = if source.starts_with(['/', '.', '~', '$']) {
        fill(texts.bind, &[source, target])
    } else {
        let known = found.picture.volumes.iter().any(|volume| volume.name == source);
        fill(if known { texts.volume_known } else { texts.volume_new }, &[source, target])
    };
    if parts.get(2).is_some_and(|options| options.split(',').any(|option| option == "ro")) {
        says.push(' ');
        says.push_str(texts.read_only);
    }
    says
}

/// Explains an image's name; `before` comes first.
pub(super) fn image(found: &mut Found<'_>, word: &Token, before: &[String]) {
    let mut says = before.to_vec();
    says.push(image_says(found, &word.text));
    found.add(word.range.clone(), word.text.clone(), "", says);
}

fn image_says(found: &Found<'_>, text: &str) -> String {
    let texts = found.texts;
    if text.contains(['$', '{']) {
        return String::new();
    }
    let images = found.picture.images();
    let by_id = images.iter().find(|image| text.len() >= 4 && image.id.0.hex().starts_with(text));
    if let Some(image) = by_id {
        return fill(texts.image_id, &[image.title(), &human_size3(image.size_bytes)]);
    }
    let Ok(reference) = Reference::parse(text) else { return fill(texts.bad_image, &[text]) };
    let full = reference.clone().with_default_tag();
    let repository = full.repository();
    let tag = match (full.digest(), full.tag()) {
        (Some(digest), _) => format!("@{digest}"),
        (None, tag) => format!(":{}", tag.unwrap_or("latest")),
    };
    let mut says = fill(texts.image, &[repository.path(), repository.domain(), &tag]);
    if reference.is_name_only() {
        says.push(' ');
        says.push_str(texts.image_latest);
    }
    says.push(' ');
    match images.iter().find(|image| image.names.iter().any(|name| *name == full.familiar())) {
        Some(image) => says.push_str(&fill(texts.image_here, &[&human_size3(image.size_bytes)])),
        None => says.push_str(texts.image_not_here),
    }
    says
}

fn container_says(found: &Found<'_>, text: &str) -> String {
    let containers = found.picture.containers();
    let known = containers
        .iter()
        .find(|container| container.fact.name == text)
        .or_else(|| containers.iter().find(|container| text.len() >= 3 && container.fact.id.starts_with(text)));
    match known {
        Some(container) => found.texts.container_now(container, found.language),
        None => fill(found.texts.no_container, &[text]),
    }
}

/// The flags and operands of a command.
fn arguments(
    found: &mut Found<'_>,
    mut rest: Words<'_>,
    command: &'static Command,
    typed: &str,
    noun_flags: &[&'static Flag],
) {
    let flags: Vec<&'static Flag> = command.flags().chain(noun_flags.iter().copied()).collect();
    let noun = ROOT.nouns.iter().find(|noun| noun.verbs.iter().any(|verb| std::ptr::eq(*verb, command)));
    let path = match noun {
        Some(noun) => format!("docker {} {}", noun.name, command.name),
        None => format!("docker {}", command.name),
    };
    let usage = command.usage.lines().next().unwrap_or_default();
    let slots: Vec<&str> =
        usage.split_whitespace().filter(|slot| !matches!(*slot, "[OPTIONS]" | "|" | "URL" | "-")).collect();
    let mut operands = 0;
    loop {
        rest.flags(found, Of { typed, path: &path }, &flags);
        let Some(word) = rest.next() else { return };
        let slot = slots.get(operands).or(slots.last()).copied().unwrap_or_default();
        operands += 1;
        if slot.starts_with("COMMAND") || slot.starts_with("[COMMAND") || (slot.contains("ARG") && operands > 1) {
            // What runs inside is a command of its own.
            return shell::words(found, rest.words.get(rest.at.saturating_sub(1)..).unwrap_or_default());
        }
        operand(found, slot, word);
        if command.stop_at_operand {
            let inside = rest.words.get(rest.at..).unwrap_or_default();
            if !inside.is_empty() {
                shell::words(found, inside);
            }
            return;
        }
    }
}

fn operand(found: &mut Found<'_>, slot: &str, word: &Token) {
    // What is not known before the shell put it in is explained as what it is.
    if word.text.contains('$') {
        return shell::argument(found, word);
    }
    let texts = found.texts;
    let range = word.range.clone();
    let is_copy = slot.contains("_PATH");
    let says = if is_copy {
        match word.text.split_once(':') {
            Some((container, path)) => {
                format!("{} {}", fill(texts.path_inside, &[path, container]), container_says(found, container))
            }
            None => fill(texts.path_host, &[&word.text]),
        }
    } else if slot.contains("CONTAINER") {
        container_says(found, &word.text)
    } else if slot.contains("IMAGE") || slot.contains("REPOSITORY") || slot.contains("NAME[:TAG") {
        return image(found, word, &[]);
    } else if slot.contains("NETWORK") {
        let known = found.picture.networks.iter().find(|network| network.name == word.text);
        known.map_or_else(
            || fill(texts.no_network, &[&word.text]),
            |network| fill(texts.network_now, &[&network.name, &network.driver]),
        )
    } else if slot.contains("VOLUME") {
        let known = found.picture.volumes.iter().find(|volume| volume.name == word.text);
        known.map_or_else(
            || fill(texts.no_volume, &[&word.text]),
            |volume| fill(texts.volume_now, &[&volume.name, &human_size3(volume.size_bytes)]),
        )
    } else if slot == "PATH" {
        (if word.text == "-" { texts.context_stdin } else { texts.context }).to_owned()
    } else if slot.contains("SERVICE") {
        fill(texts.service, &[&word.text])
    } else {
        let matches = |name: &str| name == word.text;
        if found.picture.has_image(&word.text) || found.picture.has_image(&format!("{}:latest", word.text)) {
            image_says(found, &word.text)
        } else if found.picture.containers().iter().any(|container| matches(&container.fact.name)) {
            container_says(found, &word.text)
        } else {
            return;
        }
    };
    found.add(range, word.text.clone(), "", vec![says]);
}
