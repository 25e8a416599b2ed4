//! A walk over a directory tree, in order of names.
//!
//! Symbolic links are not followed. A directory that can't be listed is visited and says why.

use bstr::BString;

use super::program::below;
use crate::base::errno::Errno;
use crate::os::fs::node::Stat;
use crate::os::kernel::Proc;

/// One visit of a walk.
pub struct Visit {
    /// The path as it would be printed.
    pub path: BString,
    /// Directories between it and the walk's start.
    pub depth: usize,
    /// The file, or why it can't be seen.
    pub stat: Result<Stat, Errno>,
    /// Whether this is the second visit of a directory, after what is in it.
    pub leaving: bool,
    /// Why a directory can't be listed.
    pub unlisted: Option<Errno>,
}

enum Step {
    Enter(BString, usize),
    Leave(BString, usize, Stat),
}

/// A walk from one or more starts.
pub struct Walk {
    proc: Proc,
    stack: Vec<Step>,
    /// How many steps the last visit pushed, for `prune`.
    pushed: usize,
    /// Directories deeper than this are not entered.
    pub max_depth: usize,
}

impl Walk {
    /// A walk from `start`.
    pub fn new(proc: &Proc, start: &[u8]) -> Self {
        Self { proc: proc.clone(), stack: vec![Step::Enter(start.into(), 0)], pushed: 0, max_depth: usize::MAX }
    }

    /// The next visit.
    pub async fn next(&mut self) -> Option<Visit> {
        self.proc.tick().await;
        match self.stack.pop()? {
            Step::Leave(path, depth, stat) => {
                self.pushed = 0;
                Some(Visit { path, depth, stat: Ok(stat), leaving: true, unlisted: None })
            }
            Step::Enter(path, depth) => {
                // A link named on the command line with a slash at its end means the directory behind it.
                let stat = self.proc.lstat(&path);
                let mut unlisted = None;
                let before = self.stack.len();
                if let Ok(stat) = &stat
                    && stat.is_dir()
                {
                    self.stack.push(Step::Leave(path.clone(), depth, *stat));
                    if depth < self.max_depth {
                        match self.proc.readdir(&path) {
                            Ok(entries) => {
                                let children = entries.iter().rev();
                                self.stack.extend(children.map(|e| Step::Enter(below(&path, &e.name), depth + 1)));
                            }
                            Err(error) => unlisted = Some(error),
                        }
                    }
                }
                self.pushed = self.stack.len() - before;
                Some(Visit { path, depth, stat, leaving: false, unlisted })
            }
        }
    }

    /// Leaves out what is in the directory that was just visited, and its second visit.
    pub fn prune(&mut self) {
        let keep = self.stack.len().saturating_sub(self.pushed);
        self.stack.truncate(keep);
        self.pushed = 0;
    }
}
