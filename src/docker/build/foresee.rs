//! Foresight: what a build would do, told by the builder itself while nothing is done.
//!
//! Its time is its own and passes as in a build: what runs side by side there does so here, so the time that is foretold is
//! that of the longest way through the stages.
//!
//! The same code that builds goes through the Dockerfile, looks its steps up in the cache and computes what only needs
//! the context; commands are not run. The store, the cache, the clock and the random numbers of the session stay as they
//! are, so that a page may ask as often as somebody types.

use crate::base::sort::Arrange;
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::world::World;
use super::{buildkit, failure};
use crate::base::digest::ImageId;
use crate::base::rng::Rng;
use crate::base::time::Timestamp;
use crate::docker::daemon::api::build::{BuildEvent, BuildFailure, BuildRequest, BuildSink};
use crate::docker::dockerfile::lint::Warning;

/// What a build would do.
#[derive(Debug, Clone, Default)]
pub struct Foreseen {
    /// What it would tell; of its steps those of the stages that it needs.
    pub events: Vec<BuildEvent>,
    /// The image that would come of it, where the cache has every step.
    pub image: Option<ImageId>,
    /// How long it would take, as far as can be known.
    pub took: Duration,
    /// What would make it fail, as far as can be known.
    pub failure: Option<BuildFailure>,
    /// What the checks find in all of the Dockerfile.
    pub warnings: Vec<Warning>,
    /// What the checks stopped at.
    pub check_failure: Option<BuildFailure>,
}

/// Foresees a build.
pub fn foresee(world: &World, request: &BuildRequest) -> Foreseen {
    let (world, clock) = still(world);
    let (events, sink) = collector();
    let started = clock.now.get();
    let end = clock.drive(buildkit::foresee(&world, request, &sink));
    let took = clock.now.get().since(started);
    let (image, failure) = match end {
        Some(Ok(image)) => (image, None),
        Some(Err(located)) => (None, Some(failure(request, &located))),
        None => (None, None),
    };
    let (warnings, check_failure) = check(&world, request);
    Foreseen { events: events.take(), image, took, failure, warnings, check_failure }
}

/// What the checks find, in the order of lines, and what they stopped at.
pub fn check(world: &World, request: &BuildRequest) -> (Vec<Warning>, Option<BuildFailure>) {
    let (world, clock) = still(world);
    let (events, sink) = collector();
    let end = clock.drive(buildkit::check(&world, request, &sink));
    let mut warnings: Vec<Warning> = Vec::new();
    for event in events.take() {
        if let BuildEvent::Warning { warning, .. } = event
            && !warnings.contains(&warning)
        {
            warnings.push(warning);
        }
    }
    warnings.arrange_by_key(|warning| warning.span);
    (warnings, end.and_then(Result::err).map(|located| failure(request, &located)))
}

/// A clock of its own: it goes to where the next sleeper wakes whenever nobody gets any further.
#[derive(Default)]
struct Clock {
    now: Cell<Timestamp>,
    alarms: RefCell<BTreeSet<Timestamp>>,
}

impl Clock {
    /// Waits until `time`.
    async fn sleep(self: Rc<Self>, time: Timestamp) {
        poll_fn(|_| {
            if self.now.get() >= time {
                return Poll::Ready(());
            }
            self.alarms.borrow_mut().insert(time);
            Poll::Pending
        })
        .await;
    }

    /// The result of a future that waits for nothing but this clock; `None` for one that waits for something else.
    fn drive<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        let mut future = pin!(future);
        loop {
            if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                return Some(value);
            }
            let next = self.alarms.borrow_mut().pop_first()?;
            self.now.set(next.max(self.now.get()));
        }
    }
}

/// A world with a clock and random numbers of its own.
fn still(world: &World) -> (World, Rc<Clock>) {
    let clock = Rc::new(Clock::default());
    clock.now.set((world.now)());
    let (reader, sleeper) = (Rc::clone(&clock), Rc::clone(&clock));
    let still = World {
        random: Rc::new(RefCell::new(Rng::new(0))),
        now: Rc::new(move || reader.now.get()),
        sleep: Rc::new(move |time| {
            let until = sleeper.now.get() + time;
            Box::pin(Rc::clone(&sleeper).sleep(until))
        }),
        ..world.clone()
    };
    (still, clock)
}

fn collector() -> (Rc<RefCell<Vec<BuildEvent>>>, BuildSink) {
    let events: Rc<RefCell<Vec<BuildEvent>>> = Rc::default();
    let sink = Rc::clone(&events);
    (events, Rc::new(move |event| sink.borrow_mut().push(event)))
}

/// The result of a future that has nothing to wait for.
pub fn now_or_never<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}
