//! What lessons do with a session: look at its machine, put another one in its place, type.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use super::{Console, Session, Topic};
use crate::machine::Machine;
use crate::ui::dom;
use crate::view::picture::Arrivals;

/// What is known of lessons.
#[derive(Default)]
pub(super) struct Lessons {
    /// A lesson of the address is on its way, and its machine is not there yet.
    is_awaited: Cell<bool>,
    /// How many machines were put in place of the first.
    adopted: Cell<u32>,
    /// The last exercise that was solved.
    solved: RefCell<Option<Rc<Solved>>>,
}

/// An exercise that was solved, and how.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Solved {
    /// Its id.
    pub lesson: String,
    /// Commands it took.
    pub commands: u64,
    /// Hints that were seen.
    pub hints: u64,
    /// Whether the solution was seen.
    pub saw_solution: bool,
}

impl Session {
    /// A lesson was asked for, or will not come: until its machine is there, nothing is typed for others.
    pub fn await_lesson(&self, is_awaited: bool) {
        self.0.lessons.is_awaited.set(is_awaited);
        if !is_awaited {
            self.tell(&[Topic::Screen(0)]);
        }
    }

    /// Whether a lesson's machine is still to come.
    pub fn awaits_lesson(&self) -> bool {
        self.0.lessons.is_awaited.get()
    }

    /// How many machines were put in place of the first: another number is another machine.
    pub fn adopted(&self) -> u32 {
        self.0.lessons.adopted.get()
    }

    /// Notes that an exercise was solved.
    pub fn note_solved(&self, solved: Solved) {
        *self.0.lessons.solved.borrow_mut() = Some(Rc::new(solved));
        self.tell(&[Topic::Lesson]);
    }

    /// The last exercise that was solved.
    pub fn solved(&self) -> Option<Rc<Solved>> {
        self.0.lessons.solved.borrow().clone()
    }

    /// Looks at the machine.
    pub fn look<T>(&self, look: impl FnOnce(&Machine) -> T) -> T {
        look(&self.0.state.borrow().machine)
    }

    /// Goes on with another machine. What its terminal printed so far has been taken; it is told the size of the old one.
    pub fn adopt(&self, machine: Machine) {
        self.adopt_with(machine, None);
    }

    /// The same, with what its terminal printed, which is shown as it was.
    pub fn adopt_with(&self, mut machine: Machine, printed: Option<&[u8]>) {
        self.0.lessons.is_awaited.set(false);
        self.0.lessons.adopted.set(self.0.lessons.adopted.get().wrapping_add(1));
        let topics: Vec<Topic> = {
            let mut state = self.0.state.borrow_mut();
            let size = state.consoles.first().map_or((80, 24), |console| console.screen.size());
            let (cols, rows) = (size.0 as u16, size.1 as u16);
            let tty = machine.console();
            let count = state.consoles.len();
            let mut console = Console::new(tty, cols, rows);
            if let Some(printed) = printed {
                // Printed for a terminal of its own size, and only then wrapped for this one.
                let own = machine.kernel().win_size(tty);
                console.screen.resize(own.cols, own.rows);
                console.screen.feed(printed);
                console.screen.resize(cols, rows);
            }
            machine.resize(tty, cols, rows);
            if printed.is_none() {
                // The prompt, on an empty screen of this size.
                machine.input(tty, b"\x0c");
            }
            (state.origin, state.origin_ms) = (machine.now(), dom::now_ms());
            let left = std::mem::replace(&mut state.machine, machine);
            state.adopted(left.journal());
            state.consoles = vec![console];
            (state.pending, state.typing, state.wake) = (VecDeque::new(), None, None);
            state.arrivals = Arrivals::default();
            state.revision = 0;
            state.told = Rc::default();
            state.look_at_docker();
            state.told = Rc::default();
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
