//! What programs ask of the desktop around the terminal: to open a file or an address there.
//!
//! A program on the host asks and goes on; whoever runs the machine takes the wishes and does with them what it can. Nothing
//! comes back, so that the machine's course does not depend on what is around it.

use std::collections::VecDeque;

use bstr::BString;

use super::{Kernel, Proc};

/// Wishes kept for the taking; older ones are dropped.
const MAX_KEPT: usize = 32;

/// A wish.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Wish {
    /// To edit a file of the host: its absolute path.
    Edit(BString),
    /// To see what is at an address.
    Browse(String),
    /// Nothing: this file was just opened in an editor of the terminal, for which the desktop may have a better one.
    Editing(BString),
}

/// The wishes that nobody has taken yet.
#[derive(Default)]
pub(super) struct Desktop(VecDeque<Wish>);

impl Proc {
    /// Asks something of the desktop. A container has none: there it is not heard.
    pub fn wish(&self, wish: Wish) {
        if self.cgroup().is_empty() {
            let wishes = &mut self.kernel().state.borrow_mut().desktop.0;
            if wishes.len() >= MAX_KEPT {
                wishes.pop_front();
            }
            wishes.push_back(wish);
        }
    }
}

impl Kernel {
    /// Takes what was asked of the desktop.
    pub fn take_wishes(&self) -> Vec<Wish> {
        self.state.borrow_mut().desktop.0.drain(..).collect()
    }
}
