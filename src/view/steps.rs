//! What to try next: commands that the page offers and types for the student.
//!
//! Which ones depends on the picture, not on what was typed, so any route counts. They follow the course module from a
//! first pull to three containers of one image.

use std::collections::BTreeSet;

use crate::view::picture::{ContainerState, Picture};

/// A command to try.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Step {
    /// What is typed, without Enter.
    pub command: &'static str,
    /// Why one would.
    pub why: Why,
}

/// Why one would type a command; the words are in [`crate::view::texts`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Why {
    /// One layer arrives.
    PullOne,
    /// The steps that made an image.
    History,
    /// A base for the next step.
    PullBase,
    /// Many layers, one of them there already.
    PullShared,
    /// A container with a shell.
    RunShell,
    /// A server in the background.
    RunFirst,
    /// A second container of the same image.
    RunSecond,
    /// A third.
    RunThird,
    /// A file in one container only.
    Write,
    /// The others do not see it.
    LookElsewhere,
    /// The list of containers.
    List,
    /// What a container changed.
    Diff,
    /// A page of the server.
    Visit,
    /// Stopping a container that was started with `--rm`.
    Stop,
    /// The list of images.
    Images,
    /// Inside a container: which system is it?
    InsideSystem,
    /// Inside: a file in the writable layer.
    InsideWrite,
    /// Inside: out of it.
    InsideExit,
}

const RUN_FIRST: &str = "docker run --rm -d -p 9003:8003 --name instancia1 kubernetescourse/slides-docker";
const RUN_SECOND: &str = "docker run --rm -d -p 9004:8003 --name instancia2 kubernetescourse/slides-docker";
const RUN_THIRD: &str = "docker run --rm -d -p 9005:8003 --name instancia3 kubernetescourse/slides-docker";

/// At most `limit` steps, the most telling first; those in `tried` are left out.
pub fn next_steps(picture: &Picture, tried: &BTreeSet<&'static str>, limit: usize) -> Vec<Step> {
    let containers = picture.containers();
    let running =
        |name: &str| containers.iter().any(|c| c.fact.name == name && matches!(c.fact.state, ContainerState::Running));
    let wrote = |name: &str| containers.iter().any(|c| c.fact.name == name && c.fact.changed_paths > 0);
    let has = |name: &str| picture.has_image(name);
    let inside = containers.iter().any(|c| c.fact.attached && c.fact.state == ContainerState::Running);
    let (first, second, third) = (running("instancia1"), running("instancia2"), running("instancia3"));
    let candidates: &[(bool, &'static str, Why)] = if inside {
        &[
            (true, "cat /etc/os-release", Why::InsideSystem),
            (true, "touch hola.txt && ls", Why::InsideWrite),
            (true, "exit", Why::InsideExit),
        ]
    } else {
        &[
            (!has("ubuntu:latest"), "docker image pull ubuntu", Why::PullOne),
            (has("ubuntu:latest"), "docker image history ubuntu", Why::History),
            (
                has("ubuntu:latest") && !has("debian:stretch-slim"),
                "docker image pull debian:stretch-slim",
                Why::PullBase,
            ),
            (has("debian:stretch-slim") && !has("postgres:11"), "docker image pull postgres:11", Why::PullShared),
            (true, "docker run --rm -ti ubuntu bash", Why::RunShell),
            (!first, RUN_FIRST, Why::RunFirst),
            (first && !second, RUN_SECOND, Why::RunSecond),
            (second && !third, RUN_THIRD, Why::RunThird),
            (
                second && !wrote("instancia2"),
                "docker container exec instancia2 touch /home/node/prueba.txt",
                Why::Write,
            ),
            (
                first && wrote("instancia2"),
                "docker container exec instancia1 ls /home/node/prueba.txt",
                Why::LookElsewhere,
            ),
            (wrote("instancia2"), "docker container diff instancia2", Why::Diff),
            (first, "docker container ls", Why::List),
            (first, "curl localhost:9003", Why::Visit),
            (first, "docker container stop instancia1", Why::Stop),
            (true, "docker image ls", Why::Images),
        ]
    };
    candidates
        .iter()
        .filter(|(fits, command, _)| *fits && (inside || !tried.contains(command)))
        .map(|(_, command, why)| Step { command, why: *why })
        .take(limit)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::picture::tests::World;

    fn whys(world: &World) -> Vec<Why> {
        next_steps(&world.picture(), &BTreeSet::new(), 4).iter().map(|step| step.why).collect()
    }

    #[test]
    fn the_first_step_is_a_pull() {
        assert_eq!(whys(&World::default()), [Why::PullOne, Why::RunShell, Why::RunFirst, Why::Images]);
    }

    #[test]
    fn steps_follow_the_state() {
        let debian = World::default().image("ubuntu:latest", &["u"]).image("debian:stretch-slim", &["d"]);
        assert!(whys(&debian).contains(&Why::PullShared));
        let mut two = World::default().image("slides", &["s"]).container("instancia1").container("instancia2");
        assert!(whys(&two).contains(&Why::Write));
        two.0.containers[1].changed_paths = 1;
        assert!(whys(&two).contains(&Why::LookElsewhere));
    }

    #[test]
    fn inside_a_container_other_steps_count() {
        let mut inside = World::default().image("ubuntu:latest", &["u"]).container("c");
        inside.0.containers[0].attached = true;
        assert_eq!(whys(&inside), [Why::InsideSystem, Why::InsideWrite, Why::InsideExit]);
    }

    #[test]
    fn what_was_tried_is_not_offered_again() {
        let tried = BTreeSet::from(["docker image ls", "docker run --rm -ti ubuntu bash"]);
        let steps = next_steps(&World::default().picture(), &tried, 9);
        assert_eq!(steps.iter().map(|step| step.why).collect::<Vec<_>>(), [Why::PullOne, Why::RunFirst]);
    }
}
