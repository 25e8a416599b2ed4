//! Help as docker/cli prints it (`cli/cobra.go` usageTemplate, pflag `FlagUsagesWrapped`).
//!
//! One renderer for all commands; the texts are in the tables.

use super::command::{Command, Flag, Noun, Place, Root, Shortcut};
use super::value::Kind;
use crate::base::sort::Arrange;

/// What the help is printed to.
#[derive(Clone, Debug)]
pub struct Screen {
    /// Columns of the terminal on standard input; 80 without one.
    pub width: usize,
    /// Whether standard output is a terminal.
    pub terminal: bool,
    /// The home directory, where the client's configuration is.
    pub home: String,
}

impl Default for Screen {
    fn default() -> Self {
        Self { width: 80, terminal: false, home: "/root".to_owned() }
    }
}

/// Where the tables say the home directory is.
const HOME: &str = "/root";

/// The help of a command that was called `path` (`docker ps`).
pub fn command(command: &Command, path: &str, screen: &Screen) -> String {
    let mut out = format!("Usage:  {}\n\n", use_line(command, path));
    out.push_str(if command.long.is_empty() { command.short } else { command.long });
    out.push_str(&super::command::experimental(path));
    if !command.alias_line.is_empty() {
        out.push_str("\n\nAliases:\n  ");
        out.push_str(command.alias_line);
    }
    push_flags(&mut out, "Options", command.flags(), screen);
    out.push('\n');
    out
}

/// `docker ps [OPTIONS]`.
pub fn use_line(command: &Command, path: &str) -> String {
    if command.usage.is_empty() { path.to_owned() } else { format!("{path} {}", command.usage) }
}

/// The help of a management command.
pub fn noun(noun: &Noun, screen: &Screen) -> String {
    let path = format!("docker {}", noun.name);
    let about = if noun.long.is_empty() { noun.short } else { noun.long };
    let mut out = format!("Usage:  {path} COMMAND\n\n{about}{}", super::command::experimental(&path));
    push_names(&mut out, "Commands", noun.verbs.iter().map(|verb| (verb.name.to_owned(), verb.short)));
    push_flags(&mut out, "Options", noun.flags.iter(), screen);
    out.push_str(&format!("\n\nRun 'docker {} COMMAND --help' for more information on a command.\n", noun.name));
    out
}

/// The help of `docker` itself.
pub fn root(root: &Root, screen: &Screen) -> String {
    let mut out = "Usage:  docker [OPTIONS] COMMAND\n\nA self-sufficient runtime for containers".to_owned();
    let mut common: Vec<&Shortcut> = root.shortcuts.iter().filter(|shortcut| shortcut.common > 0).collect();
    common.arrange_by_key(|shortcut| shortcut.common);
    let nouns = |swarm: bool| {
        let here = root.nouns.iter().filter(move |noun| (noun.place == Place::Swarm) == swarm);
        here.map(|noun| {
            (
                match noun.place {
                    Place::Plugin => format!("{}*", noun.name),
                    _ => noun.name.to_owned(),
                },
                noun.short,
            )
        })
    };
    let others = root.shortcuts.iter().filter(|shortcut| shortcut.common == 0);
    push_names(
        &mut out,
        "Common Commands",
        common.iter().map(|shortcut| (shortcut.name.to_owned(), shortcut.command.short)),
    );
    push_names(&mut out, "Management Commands", nouns(false));
    push_names(&mut out, "Swarm Commands", nouns(true));
    push_names(&mut out, "Commands", others.map(|shortcut| (shortcut.name.to_owned(), shortcut.command.short)));
    push_flags(&mut out, "Global Options", root.flags.iter(), screen);
    out.push_str("\n\nRun 'docker COMMAND --help' for more information on a command.\n\n");
    let more = "For more help on how to use Docker, head to https://docs.docker.com/go/guides/";
    if screen.terminal {
        out.push_str(&format!("\x1b[1m{more}\x1b[0m\n"));
    } else {
        out.push_str(more);
        out.push('\n');
    }
    out
}

fn push_names(out: &mut String, title: &str, names: impl Iterator<Item = (String, &'static str)>) {
    out.push_str(&format!("\n\n{title}:"));
    for (name, short) in names {
        out.push_str(&format!("\n  {name:<11} {short}"));
    }
}

fn push_flags(out: &mut String, title: &str, flags: impl Iterator<Item = &'static Flag>, screen: &Screen) {
    let mut flags: Vec<&Flag> = flags.filter(|flag| !flag.hidden).collect();
    if flags.is_empty() {
        return;
    }
    flags.arrange_by_key(|flag| flag.long);
    let names: Vec<String> = flags.iter().map(|flag| flag_names(flag)).collect();
    let widest = names.iter().map(String::len).max().unwrap_or(0);
    out.push_str(&format!("\n\n{title}:"));
    for (flag, name) in flags.iter().zip(&names) {
        let indent = widest + 3;
        let usage = wrap(indent, screen.width.saturating_sub(1), &flag.usage.replace(HOME, &screen.home));
        let gap = indent - name.len();
        out.push_str(&format!("\n{name}{:gap$}{usage}", ""));
    }
}

fn flag_names(flag: &Flag) -> String {
    let mut name = match flag.short {
        '\0' => format!("      --{}", flag.long),
        short => format!("  -{short}, --{}", flag.long),
    };
    if !matches!(flag.kind, Kind::Bool(_)) {
        name.push(' ');
        name.push_str(flag.kind.type_name());
    }
    name
}

/// pflag `wrap`: `text` behind `indent` columns of a line of `width`; 5 columns more are allowed when that spares an orphan.
fn wrap(indent: usize, width: usize, text: &str) -> String {
    const SLOP: usize = 5;
    let mut indent = indent;
    let mut out = String::new();
    let broken = |indent: usize| format!("\n{:indent$}", "");
    if width == 0 {
        return text.replace('\n', &broken(indent));
    }
    let mut columns = width.saturating_sub(indent);
    if columns < 24 {
        indent = 16;
        columns = width.saturating_sub(indent);
        out.push_str(&broken(indent));
    }
    if columns < 24 {
        return text.replace('\n', &out);
    }
    columns -= SLOP;
    let (line, mut rest) = wrap_line(columns, SLOP, text);
    out.push_str(&line.replace('\n', &broken(indent)));
    while !rest.is_empty() {
        let (line, tail) = wrap_line(columns, SLOP, rest);
        out.push_str(&broken(indent));
        out.push_str(&line.replace('\n', &broken(indent)));
        rest = tail;
    }
    out
}

/// pflag `wrapN`.
fn wrap_line(columns: usize, slop: usize, text: &str) -> (&str, &str) {
    if columns + slop > text.len() {
        return (text, "");
    }
    // The texts are ASCII; one that is not is left in one piece.
    let Some(head) = text.get(..columns) else { return (text, "") };
    let Some(space) = head.rfind([' ', '\t', '\n']).filter(|at| *at > 0) else { return (text, "") };
    let at = match head.rfind('\n') {
        Some(newline) if newline > 0 && newline < space => newline,
        _ => space,
    };
    (text.get(..at).unwrap_or(text), text.get(at + 1..).unwrap_or(""))
}
