//! Foresight: what a build would do, told by the builder itself while nothing is done.
//!
//! The same code that builds goes through the Dockerfile, looks its steps up in the cache and computes what only needs
//! the context; commands are not run. The store, the cache, the clock and the random numbers of the session stay as they
//! are, so that a page may ask as often as somebody types.

use crate::base::sort::Arrange;
use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use super::world::World;
use super::{buildkit, failure};
use crate::base::digest::ImageId;
use crate::base::rng::Rng;
use crate::docker::daemon::api::build::{BuildEvent, BuildFailure, BuildRequest, BuildSink};
use crate::docker::dockerfile::lint::Warning;

/// What a build would do.
#[derive(Debug, Clone, Default)]
pub struct Foreseen {
    /// What it would tell; of its steps those of the stages that it needs.
    pub events: Vec<BuildEvent>,
    /// The image that would come of it, where the cache has every step.
    pub image: Option<ImageId>,
    /// What would make it fail, as far as can be known.
    pub failure: Option<BuildFailure>,
    /// What the checks find in all of the Dockerfile.
    pub warnings: Vec<Warning>,
    /// What the checks stopped at.
    pub check_failure: Option<BuildFailure>,
}

/// Foresees a build.
pub fn foresee(world: &World, request: &BuildRequest) -> Foreseen {
    let world = still(world);
    let (events, sink) = collector();
    let end = now_or_never(buildkit::foresee(&world, request, &sink));
    let (image, failure) = match end {
        Some(Ok(image)) => (image, None),
        Some(Err(located)) => (None, Some(failure(request, &located))),
        None => (None, None),
    };
    let (warnings, check_failure) = check(&world, request);
    Foreseen { events: events.take(), image, failure, warnings, check_failure }
}

/// What the checks find, in the order of lines, and what they stopped at.
pub fn check(world: &World, request: &BuildRequest) -> (Vec<Warning>, Option<BuildFailure>) {
    let world = still(world);
    let (events, sink) = collector();
    let end = now_or_never(buildkit::check(&world, request, &sink));
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

/// A world whose time passes only for whoever sleeps in it, and whose random numbers are its own.
fn still(world: &World) -> World {
    let clock = Rc::new(Cell::new((world.now)()));
    let sleeper = Rc::clone(&clock);
    World {
        random: Rc::new(RefCell::new(Rng::new(0))),
        now: Rc::new(move || clock.get()),
        sleep: Rc::new(move |time| {
            sleeper.set(sleeper.get() + time);
            Box::pin(std::future::ready(()))
        }),
        ..world.clone()
    }
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
