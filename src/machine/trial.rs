//! Trials: a build in a world of its own, to see what would come of it.
//!
//! The trial starts with the session's images and ends with an image that only it has: the session's store, cache, clock
//! and random numbers stay as they are. Unlike foresight it runs the commands, so it takes as long as they do; nothing in
//! it waits.

use std::cell::RefCell;
use std::rc::Rc;

use super::bakery;
use super::build_world::{self, Site};
use crate::base::time::Timestamp;
use crate::docker::build::error::PullProblem;
use crate::docker::build::foresee::now_or_never;
use crate::docker::build::remedy::{Trial, TrialError};
use crate::docker::build::{self, world::World};
use crate::docker::daemon::api::build::{BuildEvent, BuildRequest, BuildSink};
use crate::docker::image::reference::Reference;
use crate::docker::registry::RegistryError;
use crate::os::kernel::{Kernel, Programs, Stop};

/// Work after which a trial is given up (about a microsecond each).
const FUEL: u64 = 200_000_000;

/// A place for trials; steps that one of them did, the next ones find in its cache.
pub struct Laboratory {
    kernel: Kernel,
    world: World,
}

impl Laboratory {
    /// A laboratory with the images of a session's builder.
    pub fn new(session: &World, now: Timestamp) -> Self {
        let mut programs = Programs::new();
        super::host::register(&mut programs);
        let kernel = Kernel::new(1, now, programs);
        let resolve = Rc::clone(&session.resolve);
        let registry = move |reference: &Reference| match now_or_never(resolve(reference.clone())) {
            Some(found) => found.map_err(|why| match why {
                PullProblem::Denied => RegistryError::Denied,
                PullProblem::NotFound | PullProblem::Platform => RegistryError::ManifestUnknown,
                PullProblem::Unreachable => RegistryError::Unreachable,
            }),
            None => Err(RegistryError::Unreachable),
        };
        let net = kernel.network(|network| network.add());
        let world = build_world::world(Site {
            kernel: kernel.clone(),
            store: Rc::new(RefCell::new(session.store.borrow().clone())),
            registry: Rc::new(registry),
            net,
            is_patient: false,
            seed: 1,
        });
        Self { kernel, world }
    }

    /// Builds.
    ///
    /// # Errors
    /// [`TrialError`].
    pub fn build(&self, request: &BuildRequest) -> Result<Trial, TrialError> {
        let (end, events) = (Rc::new(RefCell::new(None)), Rc::new(RefCell::new(Vec::new())));
        let log = Rc::clone(&events);
        let sink: BuildSink = Rc::new(move |event| {
            if matches!(event, BuildEvent::Layer { .. } | BuildEvent::Cache { .. } | BuildEvent::Base { .. }) {
                log.borrow_mut().push(event);
            }
        });
        let (slot, world, request) = (Rc::clone(&end), self.world.clone(), request.clone());
        let net = self.kernel.network(|network| network.add());
        let started = self.kernel.spawn_with(bakery::spec(&self.kernel, net), |_| {
            Box::pin(async move {
                let built = build::build(&world, &request, &sink).await;
                *slot.borrow_mut() = Some(built);
                0
            })
        });
        let mut fuel = if started.is_ok() { FUEL } else { 0 };
        while end.borrow().is_none() && fuel > 0 {
            match self.kernel.run(1 << 20, None) {
                Stop::Until(time) => self.kernel.advance_to(time),
                Stop::OutOfFuel => {}
                Stop::Idle => break,
            }
            fuel = fuel.saturating_sub(1 << 20);
        }
        let built = end.borrow_mut().take();
        let image = match built {
            Some(Ok(outcome)) => outcome.image,
            Some(Err(failure)) => return Err(TrialError::Failed(failure)),
            None => None,
        };
        let store = self.world.store.borrow().clone();
        image.map(|image| Trial { store, image, events: events.take() }).ok_or(TrialError::Endless)
    }
}

impl Drop for Laboratory {
    fn drop(&mut self) {
        self.kernel.halt();
    }
}
