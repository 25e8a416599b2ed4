//! What a command is, as data. Parsing, help and usage errors come from these tables, and so does the list of what is not simulated.

use crate::os::args::{Opt, Takes};

use super::client::{Client, Running};
use super::parse::Invocation;
use super::value::Kind;

/// The help of `--format` where there is a table.
pub const TABLE_FORMAT: &str = "Format output using a custom template:\n'table':            Print output in table format with column headers (default)\n'table TEMPLATE':   Print output in table format using the given Go template\n'json':             Print in JSON format\n'TEMPLATE':         Print output using the given Go template.\nRefer to https://docs.docker.com/go/formatting/ for more information about formatting output with templates";

/// The help of `--format` where there is none.
pub const FORMAT: &str = "Format output using a custom template:\n'json':             Print in JSON format\n'TEMPLATE':         Print output using the given Go template.\nRefer to https://docs.docker.com/go/formatting/ for more information about formatting output with templates";

/// A flag of a command.
#[derive(Clone, Copy, Debug)]
pub struct Flag {
    /// Its letter; `'\0'` when it has none.
    pub short: char,
    /// Its name without dashes.
    pub long: &'static str,
    /// What values it takes.
    pub kind: Kind,
    /// What the help says of it, with its default.
    pub usage: &'static str,
    /// Whether the help leaves it out.
    pub hidden: bool,
    /// Whether using it works.
    pub support: Support,
}

/// Whether a flag does here what it does in Docker.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Support {
    /// It does.
    Simulated,
    /// Using it says so and fails.
    NotSimulated,
    /// The client knows it, but the daemon is too old: the API version that it needs.
    SinceApi(&'static str),
}

/// A flag with a letter.
pub const fn flag(short: char, long: &'static str, kind: Kind, usage: &'static str) -> Flag {
    Flag { short, long, kind, usage, hidden: false, support: Support::Simulated }
}

/// A flag without a letter.
pub const fn long(long: &'static str, kind: Kind, usage: &'static str) -> Flag {
    flag('\0', long, kind, usage)
}

impl Flag {
    /// The help leaves it out.
    pub const fn hidden(mut self) -> Self {
        self.hidden = true;
        self
    }

    /// Using it says that it is not simulated and fails.
    pub const fn not_simulated(mut self) -> Self {
        self.support = Support::NotSimulated;
        self
    }

    /// The daemon is older than this API version and refuses it.
    pub const fn since_api(mut self, version: &'static str) -> Self {
        self.support = Support::SinceApi(version);
        self
    }

    /// The option as the parser knows it.
    pub const fn opt(&self) -> Opt {
        let takes = if let Kind::Bool(_) = self.kind { Takes::Attached } else { Takes::Value };
        Opt { short: self.short, long: self.long, takes }
    }
}

/// How many operands a command takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Arity {
    /// Any number.
    Any,
    /// None.
    None,
    /// Just so many.
    Exactly(u8),
    /// The same, in cobra's own words.
    Just(u8),
    /// So many or more.
    AtLeast(u8),
    /// So many or fewer.
    AtMost(u8),
    /// From the first to the second number.
    Between(u8, u8),
}

/// A verb: `docker container ls`, which is also `docker ps`.
#[derive(Debug)]
pub struct Command {
    /// Its name under its noun.
    pub name: &'static str,
    /// Other names under its noun.
    pub aliases: &'static [&'static str],
    /// Names under its noun that the real client does not have.
    pub foreign_aliases: &'static [&'static str],
    /// What follows its name in its usage line.
    pub usage: &'static str,
    /// One line about it.
    pub short: &'static str,
    /// What its own help says instead; empty when that is `short`.
    pub long: &'static str,
    /// All its names as the help lists them; empty when it has only one.
    pub alias_line: &'static str,
    /// Its flags, in groups that commands share.
    pub flags: &'static [&'static [Flag]],
    /// How many operands it takes.
    pub arity: Arity,
    /// Whether its first operand ends its flags (`docker run`).
    pub stop_at_operand: bool,
    /// What it does.
    pub verb: Verb,
}

impl Command {
    /// A command without flags and operands.
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            aliases: &[],
            foreign_aliases: &[],
            usage: "",
            short: "",
            long: "",
            alias_line: "",
            flags: &[],
            arity: Arity::None,
            stop_at_operand: false,
            verb: Verb::NotSimulated,
        }
    }

    /// All flags of all groups.
    pub fn flags(&self) -> impl Iterator<Item = &'static Flag> {
        self.flags.iter().copied().flatten()
    }

    /// Whether this is one of its names under its noun.
    pub fn is_named(&self, name: &[u8]) -> bool {
        let mut names = std::iter::once(&self.name).chain(self.aliases).chain(self.foreign_aliases);
        names.any(|known| known.as_bytes() == name)
    }
}

/// A management command: `docker image`.
#[derive(Debug)]
pub struct Noun {
    /// Its name.
    pub name: &'static str,
    /// One line about it.
    pub short: &'static str,
    /// Its commands, sorted by name; none means that the noun is not simulated.
    pub verbs: &'static [&'static Command],
    /// Flags before the command's name.
    pub flags: &'static [Flag],
    /// Where the root's help lists it.
    pub place: Place,
    /// What its own help says instead; empty when that is `short`.
    pub long: &'static str,
}

/// Where the root's help lists a management command.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Place {
    /// Among the management commands.
    Management,
    /// The same; it is a plugin, which has a star.
    Plugin,
    /// Among the swarm commands.
    Swarm,
}

impl Noun {
    /// A management command.
    pub const fn new(name: &'static str, short: &'static str, verbs: &'static [&'static Command]) -> Self {
        Self { name, short, verbs, flags: &[], place: Place::Management, long: "" }
    }
}

/// What the help of experimental commands says.
const EXPERIMENTAL: &str = " is an experimental feature.\n  Experimental features provide early access to product functionality. These\n  features may change between releases without warning, or can be removed from a\n  future release. Learn more about experimental features in our documentation:\n  https://docs.docker.com/go/experimental/";

/// The note in the help of `docker manifest` and its commands.
pub fn experimental(path: &str) -> String {
    if path.starts_with("docker manifest") {
        format!("\n\nEXPERIMENTAL:\n  {path}{EXPERIMENTAL}")
    } else {
        String::new()
    }
}

/// A verb that is typed without its noun: `docker ps`.
#[derive(Debug)]
pub struct Shortcut {
    /// The name there.
    pub name: &'static str,
    /// The command.
    pub command: &'static Command,
    /// Its place among the common commands; 0 when it is not one of them.
    pub common: u8,
}

/// What a command does when it runs.
#[derive(Clone, Copy, Debug)]
pub enum Verb {
    /// Nothing: it says so and fails.
    NotSimulated,
    /// This.
    Run(for<'a> fn(&'a Client, &'a Invocation) -> Running<'a>),
}

/// What `docker` itself offers.
#[derive(Debug)]
pub struct Root {
    /// The management commands, sorted by name.
    pub nouns: &'static [&'static Noun],
    /// The commands, sorted by name.
    pub shortcuts: &'static [Shortcut],
    /// The global flags.
    pub flags: &'static [Flag],
}
