//! What of the client is simulated, read from the tables of its commands: there is no list of it anywhere else.

use super::command::{Command, Flag, Support, Verb};
use super::commands::ROOT;

/// How much of a command is simulated.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Extent {
    /// All of it.
    Whole,
    /// All but these flags, which say so and fail.
    Without(Vec<String>),
    /// Nothing: it says so and fails.
    Nothing,
}

/// A command and how much of it is simulated.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// `docker image ls`; of a noun without any verb only `docker trust`.
    pub name: String,
    /// What its help says in one line.
    pub short: &'static str,
    /// How much.
    pub extent: Extent,
}

/// Every command, in the order of the client's help: nouns with their verbs, then what stands under no noun.
pub fn rows() -> Vec<Row> {
    let verbs = ROOT.nouns.iter().flat_map(|noun| {
        let absent = noun.verbs.is_empty().then(|| Row {
            name: format!("docker {}", noun.name),
            short: noun.short,
            extent: Extent::Nothing,
        });
        let verbs = noun.verbs.iter().map(|command| row(format!("docker {} {}", noun.name, command.name), command));
        absent.into_iter().chain(verbs)
    });
    let is_of_noun = |command: &'static Command| {
        ROOT.nouns.iter().any(|noun| noun.verbs.iter().any(|verb| std::ptr::eq(*verb, command)))
    };
    let others = ROOT.shortcuts.iter().filter(|shortcut| !is_of_noun(shortcut.command));
    let others = others.map(|shortcut| row(format!("docker {}", shortcut.name), shortcut.command));
    let root = Row { name: "docker".to_owned(), short: "Global flags", extent: extent(ROOT.flags.iter()) };
    verbs.chain(others).chain([root]).collect()
}

fn row(name: String, command: &'static Command) -> Row {
    let extent = match command.verb {
        Verb::NotSimulated => Extent::Nothing,
        Verb::Run(_) => extent(command.flags()),
    };
    Row { name, short: command.short, extent }
}

fn extent(flags: impl Iterator<Item = &'static Flag>) -> Extent {
    // Flags that the daemon is too old for are refused by the real one too.
    let missing: Vec<String> =
        flags.filter(|flag| flag.support == Support::NotSimulated).map(|flag| format!("--{}", flag.long)).collect();
    if missing.is_empty() { Extent::Whole } else { Extent::Without(missing) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::sort::Arrange;

    #[test]
    fn every_command_is_told_once() {
        let rows = rows();
        let mut names: Vec<&str> = rows.iter().map(|row| row.name.as_str()).collect();
        let count = names.len();
        names.arrange();
        names.dedup();
        assert_eq!(names.len(), count);
        let of = |name: &str| rows.iter().find(|row| row.name == name).map(|row| row.extent.clone());
        assert_eq!(of("docker container diff"), Some(Extent::Whole));
        assert_eq!(of("docker trust"), Some(Extent::Nothing));
        assert!(of("docker login").is_some(), "commands without a noun");
    }
}
