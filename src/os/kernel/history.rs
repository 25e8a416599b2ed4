//! What was done at terminals, as their audit log would show it: the command lines that shells took, and what was edited.
//!
//! Nothing in the machine reads it: it is for whoever makes an exercise, or a count, of what a student did.

use std::collections::BTreeMap;

use bstr::BString;

use super::{Kernel, Proc};
use crate::base::path;
use crate::base::rope::Rope;
use crate::base::time::Timestamp;

/// Entries of each kind that are kept; later ones are not noted.
const MAX_NOTED: usize = 10_000;

/// A command line that an interactive shell took.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entered {
    /// The shell's control group: empty on the host, a container's id in a container.
    pub cgroup: String,
    /// The lines, as edited and completed, without the last line's end.
    pub text: String,
    /// When Enter was pressed.
    pub at: Timestamp,
}

/// What was done in an editor of the terminal, from its first screen to its last.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Edited {
    /// The editor's control group: empty on the host, a container's id in a container.
    pub cgroup: String,
    /// When it took over the terminal.
    pub began: Timestamp,
    /// When it gave it back.
    pub ended: Timestamp,
    /// The files that it wrote, by their absolute paths, as it left them.
    pub files: BTreeMap<BString, Rope>,
}

#[derive(Default)]
pub(super) struct History {
    entered: Vec<Entered>,
    edited: Vec<Edited>,
}

/// An editor that is open; [`Proc::close_editor`] notes what was done in it.
pub struct OpenEditor {
    began: Timestamp,
    files: BTreeMap<BString, Rope>,
}

impl OpenEditor {
    /// A file was written.
    pub fn wrote(&mut self, proc: &Proc, name: &[u8], content: Rope) {
        self.files.insert(path::normalize(&path::join(&proc.cwd(), name)), content);
    }
}

impl Proc {
    /// Notes a command line that this process, an interactive shell, took.
    pub fn note_entered(&self, text: &[u8]) {
        let (cgroup, at) = (self.cgroup(), self.now());
        let entered = &mut self.kernel().state.borrow_mut().history.entered;
        if entered.len() < MAX_NOTED {
            let text = String::from_utf8_lossy(text).into_owned();
            entered.push(Entered { cgroup, text, at });
        }
    }

    /// This process, an editor, takes over its terminal.
    pub fn open_editor(&self) -> OpenEditor {
        OpenEditor { began: self.now(), files: BTreeMap::new() }
    }

    /// It gives it back.
    pub fn close_editor(&self, editor: OpenEditor) {
        let (cgroup, ended) = (self.cgroup(), self.now());
        let OpenEditor { began, files } = editor;
        let edited = &mut self.kernel().state.borrow_mut().history.edited;
        if edited.len() < MAX_NOTED {
            edited.push(Edited { cgroup, began, ended, files });
        }
    }
}

impl Kernel {
    /// The command lines that were entered, oldest first; beyond a limit no more are noted.
    pub fn entered(&self) -> Vec<Entered> {
        self.state.borrow().history.entered.clone()
    }

    /// How many command lines were entered.
    pub fn entered_count(&self) -> usize {
        self.state.borrow().history.entered.len()
    }

    /// What was done in editors, in the order in which they were left; beyond a limit no more is noted.
    pub fn edited(&self) -> Vec<Edited> {
        self.state.borrow().history.edited.clone()
    }
}
