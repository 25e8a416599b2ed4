//! What lessons do with a session: look at its machine, put another one in its place, type.

use std::collections::VecDeque;

use super::{Console, Session, Topic};
use crate::machine::Machine;
use crate::ui::dom;
use crate::view::picture::Arrivals;

impl Session {
    /// Looks at the machine.
    pub fn look<T>(&self, look: impl FnOnce(&Machine) -> T) -> T {
        look(&self.0.state.borrow().machine)
    }

    /// Goes on with another machine. What its terminal printed so far has been taken; it is told the size of the old one.
    pub fn adopt(&self, mut machine: Machine) {
        let topics: Vec<Topic> = {
            let mut state = self.0.state.borrow_mut();
            let size = state.consoles.first().map_or((80, 24), |console| console.screen.size());
            let (cols, rows) = (size.0 as u16, size.1 as u16);
            let tty = machine.console();
            let count = state.consoles.len();
            machine.resize(tty, cols, rows);
            // The prompt, on an empty screen of this size.
            machine.input(tty, b"\x0c");
            (state.origin, state.origin_ms) = (machine.now(), dom::now_ms());
            let left = std::mem::replace(&mut state.machine, machine);
            state.adopted(left.journal());
            state.consoles = vec![Console::new(tty, cols, rows)];
            (state.pending, state.typing, state.wake) = (VecDeque::new(), None, None);
            state.arrivals = Arrivals::default();
            state.revision = 0;
            state.told = std::rc::Rc::default();
            state.look_at_docker();
            state.told = std::rc::Rc::default();
            (0..count).map(Topic::Screen).chain([Topic::World, Topic::Consoles, Topic::Time]).collect()
        };
        self.tell(&topics);
        self.pump();
    }

    /// Lets text type itself into a terminal, in place of what stands at the prompt, with Enter after each line.
    pub fn type_lines(&self, at: usize, text: &str) {
        if self.is_settling() {
            return;
        }
        self.send(at, b"\x15");
        let bytes: VecDeque<u8> =
            text.bytes().map(|byte| if byte == b'\n' { b'\r' } else { byte }).chain([b'\r']).collect();
        if dom::wants_less_motion() {
            let bytes: Vec<u8> = bytes.into();
            self.send(at, &bytes);
        } else {
            self.type_next(at, bytes);
        }
    }
}
