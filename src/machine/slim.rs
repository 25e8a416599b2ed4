//! What would make an image smaller: its Dockerfile, and the changes that trials of it show to help.

use std::cell::RefCell;
use std::rc::Rc;

use super::trial::Laboratory;
use super::{Machine, host};
use crate::base::digest::ImageId;
use crate::base::time::Timestamp;
use crate::docker::build::recipe::{Recipe, request};
use crate::docker::build::remedy::{Diagnosis, TrialError};
use crate::docker::build::world::World;
use crate::docker::capas::{Advice, Advise};
use crate::os::fs::mounts::{Caller, Mounts};

fn recipe(world: &World, mounts: &Mounts, image: ImageId) -> Option<Recipe> {
    let who = Caller { cred: host::student(), ..Caller::root() };
    Recipe::of(world, mounts, &who, host::HOME, image)
}

fn diagnose(world: &World, mounts: &Mounts, now: Timestamp, path: &str, text: &str) -> Result<Diagnosis, TrialError> {
    let laboratory = Laboratory::new(world, now);
    Diagnosis::of(text, &|text| laboratory.build(&request(mounts, path, text)))
}

/// What the program `capas` asks: the Dockerfile of an image, and what would make it smaller.
pub(super) fn adviser(world: World, mounts: Rc<RefCell<Mounts>>) -> Advise {
    Rc::new(move |image| {
        let mounts = mounts.borrow();
        let Some(recipe) = recipe(&world, &mounts, image) else { return Advice::NoRecipe };
        match diagnose(&world, &mounts, (world.now)(), &recipe.path, &recipe.text) {
            Ok(diagnosis) => Advice::Remedies(recipe, diagnosis.remedies),
            Err(_) => Advice::Failed(recipe),
        }
    })
}

impl Machine {
    /// The Dockerfile in the student's folder that would make an image if it were built now.
    pub fn recipe(&self, image: ImageId) -> Option<Recipe> {
        recipe(self.builder(), &self.host_files().borrow(), image)
    }

    /// What the image of the Dockerfile at `path` of the host, with `text` in it, wastes, and what would make it smaller. The
    /// session stays as it is.
    ///
    /// # Errors
    /// The Dockerfile can't be built.
    pub fn diagnose(&self, path: &str, text: &str) -> Result<Diagnosis, TrialError> {
        diagnose(self.builder(), &self.host_files().borrow(), self.now(), path, text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docker::build::remedy::Cause;
    use crate::docker::build::waste::Waste;
    use crate::machine::Config;

    fn built(files: &[(&str, &str)], command: &str) -> (Machine, ImageId) {
        let mut machine = Machine::new(Config::default());
        for (path, text) in files {
            machine.put_file(path, text.as_bytes()).unwrap();
        }
        let (console, hour) = (machine.console(), std::time::Duration::from_secs(3600));
        machine.settle(console, hour, hour);
        machine.input(console, format!("{command}\r").as_bytes());
        machine.settle(console, hour, hour);
        let image = machine.builder().store.borrow().resolve("app").unwrap();
        (machine, image)
    }

    const LATE_RM: &str = "FROM alpine\nRUN cp /bin/busybox /big\nRUN rm /big\n";

    #[test]
    fn an_image_leads_back_to_its_dockerfile() {
        let other = ("/home/alumno/Dockerfile", "FROM alpine\nCMD [\"sh\"]\n");
        let own = ("/home/alumno/work/app/Dockerfile", LATE_RM);
        let (mut machine, image) = built(&[other, own], "docker build -q -t app work/app");
        let recipe = machine.recipe(image).unwrap();
        assert_eq!((recipe.path.as_str(), recipe.folder().as_str()), (own.0, "/home/alumno/work/app"));
        let found = machine.diagnose(&recipe.path, &recipe.text).unwrap();
        let stack = machine.daemon().layer_stack("app").unwrap();
        assert_eq!(Waste::of_stack(&stack).hidden, found.waste.hidden, "the trial wastes what the image does");
        machine.put_file(own.0, b"FROM alpine\nRUN cp /bin/busybox /bigger\n").unwrap();
        assert_eq!(machine.recipe(image), None, "another text makes another image");
    }

    #[test]
    fn an_image_that_was_only_pulled_has_none() {
        let file = ("/home/alumno/Dockerfile", "FROM alpine\nCMD [\"true\"]\n");
        let (machine, _) = built(&[file], "docker build -q -t app . && docker pull -q alpine");
        let alpine = machine.builder().store.borrow().resolve("alpine").unwrap();
        assert_eq!(machine.recipe(alpine), None, "its layers are the same, its config is not");
    }

    const PATH: &str = "/home/alumno/app/Dockerfile";

    fn diagnose(text: &str) -> Diagnosis {
        let mut machine = Machine::new(Config::default());
        machine.put_file("/home/alumno/app/data.txt", "0123456789".repeat(1000).as_bytes()).unwrap();
        let before = machine.daemon().snapshot();
        let diagnosis = machine.diagnose(PATH, text).unwrap_or_else(|error| panic!("{error:?}"));
        assert_eq!(machine.daemon().snapshot(), before, "a trial leaves the session alone");
        diagnosis
    }

    fn changes(text: &str) -> Vec<(Cause, String, u64)> {
        let found = diagnose(text).remedies.into_iter();
        found.map(|remedy| (remedy.cause, remedy.text.clone(), remedy.saved_bytes())).collect()
    }

    #[test]
    fn a_late_rm_belongs_into_the_step_that_adds() {
        let text = "FROM alpine\nRUN cp /bin/busybox /big\nRUN wc -c < /big > /count\nRUN rm /big\n";
        let found = diagnose(text);
        assert_eq!(found.waste.hidden.len(), 1);
        assert_eq!(found.remedies.len(), 1);
        assert_eq!(
            found.remedies[0].text,
            "FROM alpine\nRUN cp /bin/busybox /big \\\n && wc -c < /big > /count \\\n && rm /big\n"
        );
        assert_eq!(found.remedies[0].saved_bytes(), found.waste.hidden_bytes());
    }

    #[test]
    fn a_late_rm_goes_to_the_step_that_adds_unless_somebody_between_needs_the_file() {
        let text = "FROM alpine\nRUN cp /bin/busybox /big\nCOPY data.txt /\nRUN rm /big\n";
        let changed = "FROM alpine\nRUN cp /bin/busybox /big \\\n && rm /big\nCOPY data.txt /\n";
        let [(cause, found, saved)] = &changes(text)[..] else { panic!() };
        assert_eq!((*cause, found.as_str()), (Cause::AddedThenDeleted, changed));
        assert!(*saved > 800_000, "{saved}");
        let text = "FROM alpine\nRUN cp /bin/busybox /big\nCOPY data.txt /\nRUN test -e /big\nRUN rm /big\n";
        assert_eq!(changes(text), []);
    }

    #[test]
    fn an_owner_is_given_while_copying() {
        let text = "FROM alpine\nCOPY data.txt /srv/\nRUN chown -R 1000:1000 /srv/data.txt\n";
        let changed = "FROM alpine\nCOPY --chown=1000:1000 data.txt /srv/\n";
        assert_eq!(changes(text), [(Cause::ChownCopy, changed.to_owned(), 10_000)]);
    }

    #[test]
    fn a_file_for_one_step_is_mounted() {
        let text = "FROM alpine\nCOPY data.txt /tmp/data.txt\nRUN wc -c /tmp/data.txt > /size && rm /tmp/data.txt\n";
        let changed =
            "FROM alpine\nRUN --mount=type=bind,source=data.txt,target=/tmp/data.txt wc -c /tmp/data.txt > /size\n";
        assert_eq!(changes(text), [(Cause::AddedThenDeleted, changed.to_owned(), 10_000)]);
    }

    #[test]
    fn package_caches_stay_out() {
        let [(cause, changed, saved)] = &changes("FROM alpine\nRUN apk update && apk add curl\n")[..] else { panic!() };
        assert_eq!((*cause, changed.as_str()), (Cause::PackageCache, "FROM alpine\nRUN apk add --no-cache curl\n"));
        assert!(*saved > 100_000, "{saved}");
        let text = "FROM debian:bullseye-slim\nRUN apt-get update && apt-get install -y curl\n";
        let [(cause, changed, saved)] = &changes(text)[..] else { panic!() };
        assert_eq!(*cause, Cause::PackageCache);
        assert!(changed.ends_with("install -y curl \\\n && rm -rf /var/lib/apt/lists/*\n"), "{changed}");
        assert!(*saved > 1_000_000, "{saved}");
        assert_eq!(changes("FROM alpine\nRUN apk add --no-cache curl\n"), []);
    }
}
