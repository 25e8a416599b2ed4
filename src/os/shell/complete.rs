//! Completion: commands, files, variables, and what programs register for their own arguments.

use crate::base::sort::Arrange;
use bstr::{BString, ByteSlice};

use super::shell::Shell;
use crate::base::path;

/// What the word before the cursor can become.
pub(super) struct Candidates {
    /// The word being completed, as typed.
    pub word: BString,
    /// Full words, sorted.
    pub words: Vec<BString>,
}

impl Shell {
    /// Completes the end of a text.
    pub(super) fn candidates(&self, before: &[u8]) -> Candidates {
        let start_of_command = before.rfind_byteset(b";|&(\n`").map_or(0, |at| at + 1);
        let command = before.get(start_of_command..).unwrap_or_default();
        let mut words: Vec<BString> =
            command.split(|b| *b == b' ' || *b == b'\t').filter(|w| !w.is_empty()).map(BString::from).collect();
        let ends_in_blank = command.last().is_none_or(|b| *b == b' ' || *b == b'\t');
        if ends_in_blank {
            words.push(BString::default());
        }
        let mut word = words.last().cloned().unwrap_or_default();
        let mut found: Vec<BString> = if word.starts_with(b"$") && !word.contains(&b'/') {
            let prefix = word.get(1..).unwrap_or_default();
            let names = self.vars.iter().map(|v| v.0).filter(|n| n.starts_with(prefix));
            names.map(|n| [b"$", n.as_slice()].concat().into()).collect()
        } else if words.len() == 1 && !word.contains(&b'/') {
            self.commands(&word)
        } else {
            let name = words.first().map(|name| path::file_name(name).to_owned()).unwrap_or_default();
            let own = self.proc.completer(name.as_bstr()).and_then(|complete| complete(&self.proc, &words));
            match own {
                Some(own) => own.into_iter().filter(|w| w.starts_with(&word)).collect(),
                None => {
                    // `--file=na`, `>na` and `a=na` complete the file name.
                    if let Some(at) = word.rfind_byteset(b"=<>") {
                        word = word.get(at + 1..).unwrap_or_default().into();
                    }
                    self.files(&word, name == "cd" || name == "rmdir")
                }
            }
        };
        found.arrange();
        found.dedup();
        Candidates { word, words: found }
    }

    fn commands(&self, prefix: &BString) -> Vec<BString> {
        let mut found: Vec<BString> = Vec::new();
        let mut add = |name: &[u8]| {
            if name.starts_with(prefix) {
                found.push(name.into());
            }
        };
        for builtin in super::builtins::TABLE {
            if super::builtins::find(builtin.name.as_bytes(), self.dialect).is_some() {
                add(builtin.name.as_bytes());
            }
        }
        self.functions.keys().for_each(|name| add(name));
        self.aliases.keys().for_each(|name| add(name));
        for word in ["case", "done", "else", "for", "function", "if", "then", "until", "while"] {
            add(word.as_bytes());
        }
        if let Some(dirs) = self.vars.get(b"PATH") {
            for dir in dirs.split_str(":") {
                for entry in self.proc.readdir(dir).unwrap_or_default() {
                    if entry.name.starts_with(prefix) && self.proc.access(&path::join(dir, &entry.name), 1).is_ok() {
                        add(&entry.name);
                    }
                }
            }
        }
        found
    }

    fn files(&self, word: &BString, only_dirs: bool) -> Vec<BString> {
        let cut = word.rfind_byte(b'/').map_or(0, |at| at + 1);
        let (dir, prefix) = word.split_at(cut);
        let mut place = BString::from(if dir.is_empty() { b"." } else { dir });
        if let Some(rest) = dir.strip_prefix(b"~/")
            && let Some(home) = self.vars.get(b"HOME")
        {
            place = path::join(home, rest);
        }
        let mut found = Vec::new();
        for entry in self.proc.readdir(&place).unwrap_or_default() {
            if !entry.name.starts_with(prefix) || (entry.name.starts_with(b".") && !prefix.starts_with(b".")) {
                continue;
            }
            let is_dir = self.proc.stat(&path::join(&place, &entry.name)).is_ok_and(|s| s.is_dir());
            if only_dirs && !is_dir {
                continue;
            }
            let mut full = BString::from(dir);
            full.extend_from_slice(&entry.name);
            if is_dir {
                full.push(b'/');
            }
            found.push(full);
        }
        found
    }
}

/// The longest text that all words start with.
pub(super) fn common_prefix(words: &[BString]) -> BString {
    let Some(first) = words.first() else { return BString::default() };
    let mut len = first.len();
    for word in words {
        len = first.iter().zip(word.iter()).take(len).take_while(|(a, b)| a == b).count();
    }
    first.get(..len).unwrap_or_default().into()
}
