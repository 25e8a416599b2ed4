//! Work side by side on one thread, in virtual time.
//!
//! Which of the tasks goes on first follows from their order alone, so that a build says the same every time.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

/// A part of the work.
pub type Task<'a, E> = Pin<Box<dyn Future<Output = Result<(), E>> + 'a>>;

/// Rings when something is there that others may wait for.
#[derive(Default)]
pub struct Bell(Cell<u64>);

impl Bell {
    /// Rings.
    pub fn ring(&self) {
        self.0.set(self.0.get().wrapping_add(1));
    }

    /// Waits for what another task of [`Bell::all`] makes: asks again whenever something happens.
    pub async fn until<T>(&self, ready: impl Fn() -> Option<T>) -> T {
        poll_fn(|_| ready().map_or(Poll::Pending, Poll::Ready)).await
    }

    /// Does all tasks; the first error ends the others where they stand.
    pub async fn all<E>(&self, tasks: Vec<Task<'_, E>>) -> Result<(), E> {
        let mut tasks: Vec<Option<Task<'_, E>>> = tasks.into_iter().map(Some).collect();
        poll_fn(|context| {
            loop {
                let rung = self.0.get();
                let mut waits = false;
                for slot in &mut tasks {
                    let Some(task) = slot else { continue };
                    match task.as_mut().poll(context) {
                        Poll::Pending => waits = true,
                        Poll::Ready(Ok(())) => {
                            *slot = None;
                            self.ring();
                        }
                        Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                    }
                }
                if !waits {
                    return Poll::Ready(Ok(()));
                }
                // Nothing wakes those that wait for another task, so they are asked until nobody gets any further.
                if self.0.get() == rung {
                    return Poll::Pending;
                }
            }
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docker::build::foresee::now_or_never;
    use std::cell::RefCell;

    #[test]
    fn whoever_waits_goes_on_in_the_same_turn_whatever_the_order() {
        let (bell, made, told) = (Bell::default(), Cell::new(0), RefCell::new(Vec::new()));
        let task = |number: usize, needs: u32| -> Task<'_, ()> {
            let (bell, made, told) = (&bell, &made, &told);
            Box::pin(async move {
                bell.until(|| (made.get() >= needs).then_some(())).await;
                told.borrow_mut().push(number);
                made.set(made.get() + 1);
                bell.ring();
                Ok(())
            })
        };
        assert_eq!(now_or_never(bell.all(vec![task(0, 2), task(1, 1), task(2, 0), task(3, 3)])), Some(Ok(())));
        assert_eq!(*told.borrow(), [2, 1, 0, 3]);
    }

    #[test]
    fn an_error_ends_the_others_and_nobody_waits_for_ever() {
        let bell = Bell::default();
        let never = || -> Task<'_, u8> { Box::pin(std::future::pending()) };
        let fails: Task<'_, u8> = Box::pin(std::future::ready(Err(7)));
        assert_eq!(now_or_never(bell.all(vec![never(), fails, never()])), Some(Err(7)));
        assert_eq!(now_or_never(bell.all(vec![never()])), None);
        assert_eq!(now_or_never(bell.all::<u8>(Vec::new())), Some(Ok(())));
    }
}
