//! Executables: a file's first bytes name the simulated program; the table has its code.
//!
//! A program exists only where its file does: copy `/bin/busybox` into an empty image and it runs, delete `/bin/ls` and
//! `ls` is gone. The rest of an executable is bulk that gives it its size.

use std::collections::BTreeMap;
use std::rc::Rc;

use bstr::{BStr, BString, ByteSlice};

use super::{Proc, Task};
use crate::base::errno::Errno;
use crate::os::fs::capability::{ALL_CAPABILITIES, FileCapabilities, NO_NEW_PRIVILEGES};
use crate::os::fs::mounts::{Cred, Gained, Place};
use crate::os::fs::node::CAPABILITY;

/// The identification of a 64-bit little-endian ELF file, as every real executable here has.
const ELF: &[u8; 16] = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0";
const MARK: &str = "\0capas-program: ";
/// How much of a file is read to find out what it is.
pub const HEAD_BYTES: u64 = 256;

/// Whose wording a program uses.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Flavour {
    /// GNU and Debian.
    #[default]
    Gnu,
    /// busybox.
    Busybox,
}

/// The first bytes of an executable that runs the simulated program `name`.
pub fn header(name: &str, flavour: Flavour) -> Vec<u8> {
    let flavour = match flavour {
        Flavour::Gnu => "gnu",
        Flavour::Busybox => "busybox",
    };
    let mut head = ELF.to_vec();
    // `node=14.18.2` is the program `node` with a version that it can tell.
    let (name, version) = name.split_once('=').unwrap_or((name, ""));
    let version = if version.is_empty() { String::new() } else { format!(" {version}") };
    head.extend_from_slice(format!("{MARK}{name} {flavour}{version}\n").as_bytes());
    head
}

/// The version that an executable's first bytes tell.
pub fn version(head: &[u8]) -> Option<String> {
    let rest = head.strip_prefix(ELF)?.strip_prefix(MARK.as_bytes())?;
    let line = rest.lines().next()?.to_str().ok()?;
    line.split(' ').nth(2).map(ToOwned::to_owned)
}

/// What the first bytes of a file make it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Format {
    /// A simulated program.
    Program(String, Flavour),
    /// A script with its interpreter and, if there is one, the interpreter's argument.
    Script(BString, Option<BString>),
    /// A real or made-up ELF file without a simulated program.
    ForeignElf,
    /// Nothing that can be executed.
    Unknown,
}

/// Recognises an executable by its first bytes.
pub fn recognise(head: &[u8]) -> Format {
    if let Some(rest) = head.strip_prefix(ELF) {
        let line = rest.strip_prefix(MARK.as_bytes()).and_then(|rest| rest.lines().next());
        let mut words = line.and_then(|line| line.to_str().ok()).unwrap_or_default().split(' ');
        return match (words.next(), words.next()) {
            (Some(name), Some(flavour)) if !name.is_empty() => {
                let flavour = if flavour == "busybox" { Flavour::Busybox } else { Flavour::Gnu };
                Format::Program(name.to_owned(), flavour)
            }
            _ => Format::ForeignElf,
        };
    }
    if head.starts_with(b"\x7fELF") {
        return Format::ForeignElf;
    }
    if let Some(rest) = head.strip_prefix(b"#!") {
        let line = rest.lines().next().unwrap_or_default().trim_ascii();
        let (interpreter, argument) = match line.split_once_str(" ") {
            Some((interpreter, argument)) => (interpreter, Some(BString::from(argument.trim_ascii()))),
            None => (line, None),
        };
        if !interpreter.is_empty() {
            return Format::Script(interpreter.into(), argument);
        }
    }
    Format::Unknown
}

/// What somebody gains by running this file: root has everything anyway, and who may gain no privileges gains none.
///
/// # Errors
/// `EPERM` where the program counts on more than it would get.
pub fn gained(who: &Cred, program: &Place) -> Result<Gained, Errno> {
    let Ok(xattrs) = program.xattrs() else { return Ok(Gained::default()) };
    let Some(capabilities) = xattrs.get(CAPABILITY).and_then(|value| FileCapabilities::read(value)) else {
        return Ok(Gained::default());
    };
    let gained = capabilities.gained(ALL_CAPABILITIES & !who.dropped)?;
    if who.uid == 0 || who.dropped >> NO_NEW_PRIVILEGES & 1 != 0 {
        return Ok(Gained::default());
    }
    Ok(gained)
}

type Main = Rc<dyn Fn(Proc) -> Task>;

/// Completes a program's arguments: the words of the command, the last one being typed (perhaps empty), to full words.
/// `None` leaves it to file names. A word that must be followed directly by more ends in `=`, `/` or `:`.
pub type Complete = Rc<dyn Fn(&Proc, &[BString]) -> Option<Vec<BString>>>;

/// The simulated programs by name.
#[derive(Clone, Default)]
pub struct Programs {
    table: BTreeMap<&'static str, Main>,
    completers: BTreeMap<&'static str, Complete>,
}

impl Programs {
    /// No programs.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a program; the last one of a name counts.
    pub fn add(&mut self, name: &'static str, main: impl Fn(Proc) -> Task + 'static) {
        self.table.insert(name, Rc::new(main));
    }

    /// Sets what completes a program's arguments.
    pub fn add_completer(&mut self, name: &'static str, complete: Complete) {
        self.completers.insert(name, complete);
    }

    /// What completes the arguments of `name`.
    pub fn completer(&self, name: &BStr) -> Option<Complete> {
        self.completers.get(name.to_str().ok()?).cloned()
    }

    /// The program `name`.
    pub fn get(&self, name: &BStr) -> Option<Main> {
        self.table.get(name.to_str().ok()?).cloned()
    }

    /// All names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.table.keys().copied()
    }
}
