//! Long work in slices, between which the browser gets its turn.

use std::cell::RefCell;
use std::rc::Rc;

use gloo::timers::callback::Timeout;

use crate::ui::dom;

/// How long a slice takes, unless one of its steps takes longer.
const SLICE_MS: f64 = 14.0;

/// The work that is under way. Dropping what it holds ends it.
pub type Slot = Rc<RefCell<Option<Timeout>>>;

/// Does `step` on `state` for as long as it says that there is more, calls `shown` after each slice, and `then` at the end.
pub fn in_slices<T: 'static>(
    slot: &Slot,
    mut state: T,
    mut step: impl FnMut(&mut T) -> bool + 'static,
    mut shown: impl FnMut(&T) + 'static,
    then: impl FnOnce(T) + 'static,
) {
    let again = Rc::clone(slot);
    let next = Timeout::new(0, move || {
        let begin = dom::now_ms();
        while step(&mut state) {
            if dom::now_ms() - begin > SLICE_MS {
                shown(&state);
                return in_slices(&again, state, step, shown, then);
            }
        }
        then(state);
    });
    *slot.borrow_mut() = Some(next);
}
