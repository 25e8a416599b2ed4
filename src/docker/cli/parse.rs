//! From words to a command with its flags and operands, by the tables, in the order in which cobra looks at them.
//!
//! Whatever ends the client before a verb runs (help, version, usage errors) comes back as a [`Stop`].

use bstr::{BStr, BString, ByteSlice, ByteVec};

use crate::os::args::Stop;
use crate::os::args::pflag;
use crate::os::args::scan::Occurrence;

use super::command::{Arity, Command, Flag, Noun, Root, Support, Verb, flag};
use super::help::{self, Screen};
use super::value::{self, Kind};
use super::{CLIENT_COMMIT, CLIENT_VERSION, SERVER_API_VERSION, error};

/// A command with what was given to it.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// The command.
    pub command: &'static Command,
    /// What it was called: `docker ps`.
    pub path: String,
    /// Whether it was called by a name that the real client does not have (`docker container copy`).
    pub foreign: bool,
    /// Its operands.
    pub operands: Vec<BString>,
    /// How many operands stood before `--`.
    pub operands_before_dashes: Option<usize>,
    /// `docker --debug`.
    pub debug: bool,
    /// Flags of its noun.
    noun_flags: &'static [Flag],
    given: Vec<(&'static str, Option<BString>)>,
}

impl Invocation {
    /// Whether the flag was given at all.
    pub fn changed(&self, long: &str) -> bool {
        self.given.iter().any(|(name, _)| *name == long)
    }

    /// A boolean flag, or its default.
    pub fn bool(&self, long: &str) -> bool {
        let default = || self.declared(long).is_some_and(|flag| matches!(flag.kind, Kind::Bool(true)));
        match self.given.iter().rev().find(|(name, _)| *name == long) {
            Some((_, Some(value))) => value::parse_bool(value).unwrap_or_default(),
            Some((_, None)) => true,
            None => default(),
        }
    }

    /// The last value of a flag.
    pub fn value(&self, long: &str) -> Option<&BStr> {
        debug_assert!(self.declared(long).is_some(), "{} has no --{long}", self.path);
        self.given
            .iter()
            .rev()
            .filter(|(name, _)| *name == long)
            .find_map(|(_, value)| value.as_ref().map(|v| v.as_bstr()))
    }

    /// The last value of a flag as text; bytes that are not UTF-8 are replaced.
    pub fn string(&self, long: &str) -> Option<String> {
        self.value(long).map(|value| value.to_str_lossy().into_owned())
    }

    /// All values of a flag.
    pub fn values<'a>(&'a self, long: &'a str) -> impl Iterator<Item = &'a BStr> {
        debug_assert!(self.declared(long).is_some(), "{} has no --{long}", self.path);
        self.given
            .iter()
            .filter(move |(name, _)| *name == long)
            .filter_map(|(_, value)| value.as_ref().map(|v| v.as_bstr()))
    }

    /// All values of a flag as text.
    pub fn strings(&self, long: &str) -> Vec<String> {
        self.values(long).map(|value| value.to_str_lossy().into_owned()).collect()
    }

    /// All values of a flag that takes lists with commas.
    pub fn lists(&self, long: &str) -> Vec<String> {
        self.strings(long).iter().flat_map(|text| text.split(',')).map(str::to_owned).collect()
    }

    /// The last value of a flag that takes a number.
    pub fn int(&self, long: &str) -> Option<i64> {
        self.value(long).and_then(|value| value::parse_int(value).ok())
    }

    /// The flags that were given, in order, with their values.
    pub fn given(&self) -> impl Iterator<Item = (&'static str, Option<&BStr>)> {
        self.given.iter().map(|(name, value)| (*name, value.as_ref().map(|v| v.as_bstr())))
    }

    /// The operand at `index` as text; empty when there is none.
    pub fn operand(&self, index: usize) -> String {
        self.operands.get(index).map(|operand| operand.to_str_lossy().into_owned()).unwrap_or_default()
    }

    /// The operands as text.
    pub fn operand_strings(&self) -> Vec<String> {
        self.operands.iter().map(|operand| operand.to_str_lossy().into_owned()).collect()
    }

    fn declared(&self, long: &str) -> Option<&'static Flag> {
        self.command.flags().chain(self.noun_flags).find(|flag| flag.long == long)
    }
}

/// Reads the words after `docker`.
pub fn parse(root: &'static Root, words: &[BString], screen: &Screen) -> Result<Invocation, Stop> {
    let global = read(root.flags.iter(), words, true).map_err(|fault| bad_root_flag(&fault))?;
    if global.is_set("help") {
        // Only here pflag's note goes to standard error.
        return Err(Stop { status: 0, out: help::root(root, screen).into(), err: global.notes().into() });
    }
    if global.is_set("version") && global.operands.is_empty() {
        return Err(shows(format!("Docker version {CLIENT_VERSION}, build {CLIENT_COMMIT}\n")));
    }
    if let Some(flag) = root.flags.iter().find(|flag| flag.support == Support::NotSimulated && global.is_set(flag.long))
    {
        return Err(error::not_simulated(&format!("--{}", flag.long)));
    }
    let debug = global.is_set("debug");
    let debugged = |given: Invocation| Invocation { debug, ..given };
    let Some((word, rest)) = global.operands.split_first() else {
        return Err(Stop { err: help::root(root, screen).into(), ..Stop::default() });
    };
    if word == "help" {
        return Err(help_topic(root, rest, screen));
    }
    if let Some(noun) = root.nouns.iter().find(|noun| noun.name.as_bytes() == word.as_slice()) {
        return parse_noun(noun, rest, screen).map(debugged);
    }
    if let Some(shortcut) = root.shortcuts.iter().find(|shortcut| shortcut.name.as_bytes() == word.as_slice()) {
        let given = parse_command(shortcut.command, format!("docker {}", shortcut.name), false, rest, screen);
        return given.map(debugged);
    }
    // Cobra reads the whole line as the root's before it finds that the word is no command.
    let global = read(root.flags.iter(), &global.operands, false).map_err(|fault| bad_root_flag(&fault))?;
    if global.is_set("help") {
        return Err(global.help(help::root(root, screen)));
    }
    Err(error::unknown_command("docker", "", word))
}

fn bad_root_flag(message: &BString) -> Stop {
    error::bad_flag(message, "docker [OPTIONS] COMMAND [ARG...]", "docker")
}

fn shows(out: String) -> Stop {
    Stop { out: out.into(), ..Stop::default() }
}

/// `docker help image ls`.
fn help_topic(root: &'static Root, topic: &[BString], screen: &Screen) -> Stop {
    let unknown =
        |words: &[BString]| error::fail(1, [b"unknown help topic: ", bstr::join(" ", words).as_slice()].concat());
    let Some((word, rest)) = topic.split_first() else {
        return shows(help::root(root, screen));
    };
    if word == "help" && rest.is_empty() {
        return shows("Usage:  docker help [command]\n\nHelp about the command\n".to_owned());
    }
    if let Some(noun) = root.nouns.iter().find(|noun| noun.name.as_bytes() == word.as_slice()) {
        return match rest {
            [] => shows(help::noun(noun, screen)),
            [verb, more @ ..] => match noun.verbs.iter().find(|command| command.is_named(verb)) {
                Some(command) if more.is_empty() => {
                    shows(help::command(command, &format!("docker {} {}", noun.name, command.name), screen))
                }
                Some(_) => unknown(more),
                None => unknown(rest),
            },
        };
    }
    match root.shortcuts.iter().find(|shortcut| shortcut.name.as_bytes() == word.as_slice()) {
        Some(shortcut) if rest.is_empty() => {
            shows(help::command(shortcut.command, &format!("docker {}", shortcut.name), screen))
        }
        Some(_) => unknown(rest),
        None => unknown(topic),
    }
}

fn parse_noun(noun: &'static Noun, words: &[BString], screen: &Screen) -> Result<Invocation, Stop> {
    let path = format!("docker {}", noun.name);
    if noun.verbs.is_empty() {
        return Err(error::not_simulated(&format!("'{path}'")));
    }
    let fault = |message: BString| error::bad_flag(&message, &path, &path);
    let read_words = read(noun.flags.iter(), words, true).map_err(fault)?;
    let Some((word, rest)) = read_words.operands.split_first() else {
        return Err(match read_words.is_set("help") {
            true => read_words.help(help::noun(noun, screen)),
            // `docker manifest` has a way of its own to show its help.
            false if noun.name == "manifest" => {
                Stop { err: format!("\n{}", help::noun(noun, screen)).into(), ..Stop::default() }
            }
            false => Stop { err: help::noun(noun, screen).into(), ..Stop::default() },
        });
    };
    if let Some(command) = noun.verbs.iter().find(|command| command.is_named(word)) {
        let foreign = command.foreign_aliases.iter().any(|alias| alias.as_bytes() == word.as_slice());
        if read_words.is_set("help") {
            return Err(read_words.help(help::command(command, &format!("{path} {}", command.name), screen)));
        }
        let mut found = parse_command(command, format!("{path} {}", command.name), foreign, rest, screen)?;
        for occurrence in read_words.occurrences {
            let Some(flag) = noun.flags.get(occurrence.index) else { continue };
            if flag.support == Support::NotSimulated {
                return Err(error::not_simulated(&format!("--{}", flag.long)));
            }
            found.given.push((flag.long, occurrence.value));
        }
        found.noun_flags = noun.flags;
        return Ok(found);
    }
    let all = read(std::iter::empty(), words, false).map_err(fault)?;
    if all.is_set("help") {
        return Err(all.help(help::noun(noun, screen)));
    }
    // Only the experimental noun names itself with `COMMAND` in its usage.
    let use_line = if noun.long.is_empty() { path.clone() } else { format!("{path} COMMAND") };
    Err(error::unknown_command(&path, &use_line, word))
}

fn parse_command(
    command: &'static Command,
    path: String,
    foreign: bool,
    words: &[BString],
    screen: &Screen,
) -> Result<Invocation, Stop> {
    let read_words = read(command.flags(), words, command.stop_at_operand)
        .map_err(|message| error::bad_flag(&message, &help::use_line(command, &path), &path))?;
    if read_words.is_set("help") {
        return Err(read_words.help(help::command(command, &path, screen)));
    }
    let count = read_words.operands.len();
    let fits = match command.arity {
        Arity::Any => true,
        Arity::None => count == 0,
        Arity::Exactly(n) | Arity::Just(n) => count == usize::from(n),
        Arity::AtLeast(n) => count >= usize::from(n),
        Arity::AtMost(n) => count <= usize::from(n),
        Arity::Between(a, b) => (usize::from(a)..=usize::from(b)).contains(&count),
    };
    if !fits {
        return Err(error::bad_arity(command, &path, count));
    }
    if matches!(command.verb, Verb::NotSimulated) {
        return Err(error::not_simulated(&format!("'{path}'")));
    }
    for occurrence in &read_words.occurrences {
        let Some(flag) = read_words.flags.get(occurrence.index) else { continue };
        match flag.support {
            Support::Simulated => (),
            Support::NotSimulated => return Err(error::not_simulated(&format!("--{}", flag.long))),
            Support::SinceApi(version) => {
                let (long, has) = (flag.long, SERVER_API_VERSION);
                let text =
                    format!("\"--{long}\" requires API version {version}, but the Docker daemon API version is {has}");
                return Err(error::fail(1, text));
            }
        }
    }
    let given = read_words.occurrences.into_iter().filter_map(|o| Some((read_words.flags.get(o.index)?.long, o.value)));
    Ok(Invocation {
        debug: false,
        command,
        path,
        foreign,
        noun_flags: &[],
        given: given.collect(),
        operands: read_words.operands,
        operands_before_dashes: read_words.operands_before_dashes,
    })
}

/// Every command's own flag for its help; where the letter is taken, or the name, it yields.
const HELP: Flag = flag('h', "help", Kind::Bool(false), "Print usage").hidden();

struct ReadWords {
    flags: Vec<Flag>,
    occurrences: Vec<Occurrence>,
    operands: Vec<BString>,
    operands_before_dashes: Option<usize>,
}

impl ReadWords {
    fn is_set(&self, long: &str) -> bool {
        let last = self.occurrences.iter().rfind(|o| self.flags.get(o.index).is_some_and(|flag| flag.long == long));
        last.is_some_and(|o| o.value.as_ref().is_none_or(|value| value::parse_bool(value).unwrap_or(true)))
    }

    /// pflag's note on a deprecated shorthand.
    fn notes(&self) -> String {
        let helps = |o: &&Occurrence| o.short && self.flags.get(o.index).is_some_and(|flag| flag.long == "help");
        let note = "Flag shorthand -h has been deprecated, use --help\n";
        self.occurrences.iter().filter(helps).map(|_| note).collect()
    }

    fn help(&self, out: String) -> Stop {
        shows(self.notes() + &out)
    }
}

/// Reads words by a table; the error is pflag's message.
fn read(
    flags: impl Iterator<Item = &'static Flag>,
    words: &[BString],
    stop_at_operand: bool,
) -> Result<ReadWords, BString> {
    let mut flags: Vec<Flag> = flags.copied().collect();
    if !flags.iter().any(|flag| flag.long == HELP.long) {
        let taken = flags.iter().any(|flag| flag.short == HELP.short);
        flags.push(Flag { short: if taken { '\0' } else { HELP.short }, ..HELP });
    }
    let options: Vec<_> = flags.iter().map(Flag::opt).collect();
    let accept = |index: usize, value: Option<&BStr>| flags.get(index).map_or(Ok(()), |flag| flag.kind.accept(value));
    let words =
        pflag::parse(&options, stop_at_operand, words, &accept).map_err(|fault| pflag::message(&options, &fault))?;
    let (occurrences, operands) = (words.occurrences, words.operands);
    Ok(ReadWords { flags, occurrences, operands, operands_before_dashes: words.operands_before_dashes })
}

/// A command line for messages: words joined by blanks.
pub fn joined(words: &[BString]) -> String {
    let mut line = Vec::new();
    line.push_str(bstr::join(" ", words));
    line.to_str_lossy().into_owned()
}
