//! Why the daemon refused, with this session's own values, and commands that repair it.
//!
//! Causes come from the daemon's typed errors, never from their text. A repair is a command line that is put at the prompt,
//! not run: the student decides.

use crate::base::sort::Arrange;
use crate::docker::daemon::api::snapshot::{ContainerView, Snapshot};
use crate::docker::daemon::api::{DaemonError, RuntimeError};
use crate::docker::image::delete::{Conflict, DeleteError};
use crate::view::gloss::{Slip, SlipKind, slips};
use crate::view::picture::Picture;

/// Repairs that are offered at most.
const MAX_REPAIRS: usize = 3;

/// What was in the way; the words are in [`crate::view::texts::explain`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cause {
    /// `{0}` is the name, `{1}` who has it, `{2}` its state.
    NameTaken,
    /// Nobody has the name `{0}` any more.
    NameFree,
    /// `{0}` is what was asked for.
    NoContainer,
    /// The same of a local image.
    NoImage,
    /// The same of a repository.
    NoRepository,
    /// The same of a tag.
    NoTag,
    /// The same of a volume.
    NoVolume,
    /// The same of a network.
    NoNetwork,
    /// `{0}` runs and is to be removed.
    StillRunning,
    /// `{0}` does not run.
    NotRunning,
    /// `{0}` is paused.
    Paused,
    /// The image is used by the container `{0}`.
    ImageInUse,
    /// Other images stand on it.
    ImageHasChildren,
    /// The image has several names.
    ImageHasNames,
    /// The port `{0}` of the host leads to the container `{1}`.
    PortTaken,
    /// The port `{0}` belongs to a program of the host.
    PortOfHost,
    /// Nobody has the port `{0}` any more.
    PortFree,
    /// The volume `{0}` is mounted by `{1}`.
    VolumeInUse,
    /// Containers `{1}` are on the network `{0}`.
    NetworkInUse,
    /// The image has no program `{0}`.
    NoProgram,
    /// `{0}` is there but may not be executed.
    NotExecutable,
    /// `{0}` stands behind the image and so was taken for the program.
    FlagBehindImage,
    /// Docker has no command `{0}`.
    NoCommand,
    /// `{1}` has no flag `{0}`.
    NoFlag,
    /// The shell finds no program `{0}`.
    NoSuchProgram,
}

/// An explained error.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Explained {
    /// What was in the way.
    pub cause: Cause,
    /// Values of this session for its sentence.
    pub parts: Vec<String>,
    /// Commands that repair it, the gentlest first.
    pub repairs: Vec<String>,
}

/// Explains why the daemon refused `command`, as things stand now; `None` where Docker's own words say it all.
pub fn explain(error: &DaemonError, command: &str, now: &Snapshot) -> Option<Explained> {
    let of = |cause: Cause, parts: &[&str], repairs: Vec<String>| {
        let parts = parts.iter().map(|part| (*part).to_owned()).collect();
        Some(Explained { cause, parts, repairs: repairs.into_iter().take(MAX_REPAIRS).collect() })
    };
    // The command again, with the nearest name that there is in place of the one that there is not.
    let instead = |wrong: &str, names: &mut dyn Iterator<Item = String>, list: &str| -> Vec<String> {
        let mut found: Vec<(usize, String)> = names
            .map(|name| (distance(wrong, &name), name))
            .filter(|(far, name)| *far <= 2.max(name.len() / 3))
            .collect();
        found.arrange();
        let mut repairs: Vec<String> =
            found.iter().filter_map(|(_, name)| replace_word(command, wrong, name)).take(2).collect();
        repairs.push(list.to_owned());
        repairs
    };
    let containers = || now.containers.iter().map(|container| container.name.clone());
    match error {
        DaemonError::NameTaken { name, id } => {
            let bare = name.trim_start_matches('/');
            let holder = now.containers.iter().find(|container| container.id == *id || container.name == bare);
            let Some(holder) = holder else { return of(Cause::NameFree, &[bare], vec![command.to_owned()]) };
            let mut repairs = vec![format!("docker start {bare}"), format!("docker rm -f {bare}")];
            if holder.state == "running" {
                repairs.remove(0);
            }
            of(Cause::NameTaken, &[bare, &short(id), holder.state], repairs)
        }
        DaemonError::NoSuchContainer(name) => {
            of(Cause::NoContainer, &[name], instead(name, &mut containers(), "docker ps -a"))
        }
        DaemonError::NoSuchImage(name) | DaemonError::PullDenied(name) | DaemonError::ManifestUnknown(name) => {
            let cause = match error {
                DaemonError::PullDenied(_) => Cause::NoRepository,
                DaemonError::ManifestUnknown(_) => Cause::NoTag,
                _ => Cause::NoImage,
            };
            let bare = name.trim_end_matches(":latest");
            let mut images =
                now.images.iter().flat_map(|image| image.tags.iter()).flat_map(|tag| {
                    [Some(tag.clone()), tag.split_once(':').map(|(repository, _)| repository.to_owned())]
                });
            let repairs = match cause {
                Cause::NoTag => {
                    name.rsplit_once(':').and_then(|(repository, _)| replace_word(command, name, repository))
                }
                _ => None,
            };
            let near = instead(bare, &mut images.by_ref().flatten(), "docker images");
            of(cause, &[bare], repairs.into_iter().chain(near).collect())
        }
        DaemonError::NoSuchVolume(name) => {
            let mut names = now.volumes.iter().map(|volume| volume.name.clone());
            of(Cause::NoVolume, &[name], instead(name, &mut names, "docker volume ls"))
        }
        DaemonError::NoSuchNetwork(name) => {
            let mut names = now.networks.iter().map(|network| network.name.clone());
            of(Cause::NoNetwork, &[name], instead(name, &mut names, "docker network ls"))
        }
        DaemonError::RemoveRunning { name, .. } => {
            let name = name.trim_start_matches('/');
            of(
                Cause::StillRunning,
                &[name],
                vec![format!("docker stop {name} && docker rm {name}"), format!("docker rm -f {name}")],
            )
        }
        DaemonError::NotRunning(id) | DaemonError::KillNotRunning { id, .. } => {
            let name = name_of(now, id);
            of(Cause::NotRunning, &[&name], vec![format!("docker start {name}"), format!("docker logs {name}")])
        }
        DaemonError::ExecPaused(id) | DaemonError::Paused(id) | DaemonError::AttachPaused(id) => {
            let name = name_of(now, id);
            of(Cause::Paused, &[&name], vec![format!("docker unpause {name}")])
        }
        DaemonError::Delete(delete) => {
            let holder = match delete {
                DeleteError::ReferenceInUse { container, .. } => container,
                DeleteError::Conflict { why: Conflict::Running(id) | Conflict::Stopped(id), .. } => id,
                DeleteError::Conflict { why: Conflict::Children, .. } => {
                    return of(Cause::ImageHasChildren, &[], vec![]);
                }
                DeleteError::Conflict { why: Conflict::References, .. } => {
                    return of(Cause::ImageHasNames, &[], vec![]);
                }
                DeleteError::Store(_) => return None,
            };
            let name = name_of(now, holder);
            of(Cause::ImageInUse, &[&name], vec![format!("docker rm -f {name} && {command}")])
        }
        DaemonError::PortAllocated { name, port, .. } | DaemonError::PortInUse { name, port, .. } => {
            let holds = |container: &&ContainerView| container.ports.iter().any(|held| held.public_port == Some(*port));
            let holder = now.containers.iter().find(holds).map(|container| container.name.as_str());
            let is_host = matches!(error, DaemonError::PortInUse { .. });
            let cause = match holder {
                _ if is_host => Cause::PortOfHost,
                Some(_) => Cause::PortTaken,
                None => Cause::PortFree,
            };
            // The container that could not be started is there all the same.
            let is_left = now.containers.iter().any(|container| container.name == *name);
            let again = if is_left { format!("docker start {name}") } else { command.to_owned() };
            let taken = |port: u16| now.containers.iter().any(|c| c.ports.iter().any(|p| p.public_port == Some(port)));
            let free = (port.saturating_add(1)..u16::MAX).find(|port| !taken(*port));
            let moved = free.and_then(|free| replace_port(command, *port, free)).map(|moved| {
                let is_named = is_left && command.split([' ', '=']).any(|word| word == name);
                if is_named { format!("docker rm {name} && {moved}") } else { moved }
            });
            let repairs = match holder {
                Some(holder) if !is_host => {
                    let stop = format!("docker stop {holder} && {again}");
                    moved.into_iter().chain([stop]).collect()
                }
                _ if is_host => moved.into_iter().collect(),
                _ => vec![again],
            };
            of(cause, &[&port.to_string(), holder.unwrap_or_default()], repairs)
        }
        DaemonError::VolumeInUse { name, containers } => {
            let names: Vec<String> = containers.split(", ").map(|id| name_of(now, id)).collect();
            let repair = format!("docker rm -f {} && {command}", names.join(" "));
            of(Cause::VolumeInUse, &[name, &names.join(", ")], vec![repair])
        }
        DaemonError::NetworkInUse { name, .. } => {
            let on = |container: &&ContainerView| container.networks.iter().any(|(network, _)| network == name);
            let names: Vec<&str> = now.containers.iter().filter(on).map(|container| container.name.as_str()).collect();
            let repair = |container: &&str| format!("docker network disconnect {name} {container}");
            of(Cause::NetworkInUse, &[name, &names.join(", ")], names.iter().map(repair).collect())
        }
        DaemonError::Start(why) | DaemonError::Exec(why) | DaemonError::Runtime(why) => match why {
            RuntimeError::NotInPath(program) if program.starts_with('-') => {
                of(Cause::FlagBehindImage, &[program], before_image(command, program).into_iter().collect())
            }
            RuntimeError::NotInPath(program) | RuntimeError::NoSuchFile(program) => {
                let shell = program.ends_with("bash").then(|| replace_word(command, program, "sh")).flatten();
                of(Cause::NoProgram, &[program], shell.into_iter().collect())
            }
            RuntimeError::NotExecutable(program) | RuntimeError::IsDirectory(program) => {
                of(Cause::NotExecutable, &[program], vec![])
            }
            _ => None,
        },
        _ => None,
    }
}

/// Explains a command that never reached the daemon because the shell or the client does not know a word of it, by the first
/// such word. `status` is what it ended with.
pub fn slip(command: &str, status: i32, picture: &Picture) -> Option<Explained> {
    // A program that is missing ends with 127; what the client refuses with 1 or, from `run`, 125.
    let fits = |slip: &Slip| (slip.kind == SlipKind::Program) == (status == 127);
    let slip = slips(command, picture).into_iter().find(fits)?;
    let bare = |name: &str| name.trim_start_matches('-').to_owned();
    let mut near: Vec<(usize, &String)> = slip
        .names
        .iter()
        .map(|name| (distance(&bare(&slip.wrong), &bare(name)), name))
        .filter(|(far, name)| *far <= 2.max(name.len() / 4) && *far < bare(&slip.wrong).chars().count().max(2))
        .collect();
    near.arrange();
    let instead = |(_, name): &(usize, &String)| {
        Some(format!("{}{name}{}", command.get(..slip.range.start)?, command.get(slip.range.end..)?))
    };
    let mut repairs: Vec<String> = near.iter().filter_map(instead).take(2).collect();
    let (cause, parts) = match &slip.kind {
        SlipKind::Program => (Cause::NoSuchProgram, vec![slip.wrong]),
        SlipKind::Command => (Cause::NoCommand, vec![slip.wrong]),
        SlipKind::Flag(path) => {
            repairs.push(format!("{path} --help"));
            (Cause::NoFlag, vec![slip.wrong, path.clone()])
        }
    };
    Some(Explained { cause, parts, repairs })
}

/// The command with what begins at a flag moved before the word ahead of it, the image.
fn before_image(command: &str, flag: &str) -> Option<String> {
    let words: Vec<&str> = command.split(' ').collect();
    let at = words.iter().position(|word| *word == flag)?;
    let (before, image) = (words.get(..at.checked_sub(1)?)?, words.get(at - 1)?);
    Some([before, words.get(at..)?, &[image]].concat().join(" "))
}

fn short(id: &str) -> String {
    id.chars().take(12).collect()
}

/// The name of the container with this id, or the beginning of the id.
fn name_of(now: &Snapshot, id: &str) -> String {
    let found = now.containers.iter().find(|container| container.id.starts_with(id) || container.name == id);
    found.map_or_else(|| short(id), |container| container.name.clone())
}

/// The command with a word replaced; `None` when it has no such word.
fn replace_word(command: &str, wrong: &str, right: &str) -> Option<String> {
    let words: Vec<&str> = command.split(' ').collect();
    let fixed: Vec<&str> = words.iter().map(|word| if *word == wrong { right } else { *word }).collect();
    (words != fixed).then(|| fixed.join(" "))
}

/// The command with another port of the host published; `None` when it publishes no such port.
fn replace_port(command: &str, port: u16, free: u16) -> Option<String> {
    let port = port.to_string();
    let moved = |word: &str| -> Option<String> {
        let (host, inside) = word.rsplit_once(':')?;
        let before = host.strip_suffix(port.as_str())?;
        (!before.ends_with(|last: char| last.is_ascii_digit())).then(|| format!("{before}{free}:{inside}"))
    };
    let fixed: Vec<String> = command.split(' ').map(|word| moved(word).unwrap_or_else(|| word.to_owned())).collect();
    Some(fixed.join(" ")).filter(|fixed| fixed != command)
}

/// How many letters must be put in, taken out, changed or swapped with their neighbour to make one word of the other
/// (optimal string alignment).
fn distance(a: &str, b: &str) -> usize {
    let letters = |text: &str| text.chars().take(64).collect::<Vec<char>>();
    let (a, b) = (letters(a), letters(b));
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    let cell = |rows: &[Vec<usize>], row: usize, at: usize| {
        rows.get(row).and_then(|row| row.get(at)).copied().unwrap_or(usize::MAX - 1)
    };
    for (i, letter) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, other) in b.iter().enumerate() {
            let changed = cell(&rows, i, j) + usize::from(letter != other);
            let swapped = match (i.checked_sub(1), j.checked_sub(1)) {
                (Some(before), Some(ahead)) if a.get(before) == Some(other) && b.get(ahead) == Some(letter) => {
                    cell(&rows, before, ahead) + 1
                }
                _ => usize::MAX,
            };
            let left = row.last().copied().unwrap_or(0);
            row.push(changed.min(swapped).min(left + 1).min(cell(&rows, i, j + 1) + 1));
        }
        rows.push(row);
    }
    cell(&rows, a.len(), b.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::{Config, Machine};
    use crate::view::timeline::Timeline;
    use std::time::Duration;

    /// What the last command's error is explained with.
    fn explained(lines: &[&str]) -> Explained {
        let mut machine = Machine::new(Config::default());
        let (tty, quiet, limit) = (machine.console(), Duration::from_secs(5), Duration::from_secs(60));
        machine.settle(tty, quiet, limit);
        for line in lines {
            machine.input(tty, format!("{line}\r").as_bytes());
            machine.settle(tty, quiet, limit);
        }
        let mut timeline = Timeline::default();
        timeline.collect(&machine);
        let tick = timeline.ticks().last().unwrap().clone();
        let error = tick.refused.first().unwrap_or_else(|| panic!("{tick:?}"));
        explain(error, &tick.text, &machine.daemon().snapshot()).unwrap()
    }

    #[test]
    fn distances_count_letters() {
        for (a, b, far) in [("", "", 0), ("web", "wbe", 1), ("web", "webs", 1), ("kitten", "sitting", 3), ("a", "", 1)]
        {
            assert_eq!((distance(a, b), distance(b, a)), (far, far), "{a} {b}");
        }
    }

    #[test]
    fn a_name_that_is_taken_is_explained_by_who_has_it() {
        let found = explained(&["docker create --name web alpine", "docker run --name web alpine true"]);
        assert_eq!(found.cause, Cause::NameTaken);
        assert_eq!((found.parts[0].as_str(), found.parts[2].as_str()), ("web", "created"));
        assert_eq!(found.repairs, ["docker start web", "docker rm -f web"]);
    }

    #[test]
    fn a_slip_is_repaired_with_the_nearest_name() {
        let found = explained(&["docker create --name instancia1 alpine", "docker rm instanica1"]);
        assert_eq!((found.cause, found.repairs[0].as_str()), (Cause::NoContainer, "docker rm instancia1"));
    }

    #[test]
    fn a_port_that_is_taken_names_its_holder_and_a_free_one() {
        let run = "docker run -d -p 8080:80 nginx";
        let found = explained(&["docker run -d --name web -p 8080:80 nginx", run]);
        assert_eq!((found.cause, found.parts[..].join(" ")), (Cause::PortTaken, "8080 web".to_owned()));
        assert_eq!(found.repairs[0], "docker run -d -p 8081:80 nginx");
        assert!(found.repairs[1].starts_with("docker stop web && docker start "), "{found:?}");
    }

    #[test]
    fn only_ports_of_the_host_are_moved() {
        for (command, moved) in [
            ("docker run -p80:80 nginx", Some("docker run -p81:80 nginx")),
            ("docker run -p 127.0.0.1:80:8080 nginx", Some("docker run -p 127.0.0.1:81:8080 nginx")),
            ("docker run --publish=80:80/tcp nginx", Some("docker run --publish=81:80/tcp nginx")),
            ("docker run -p 8080:80 nginx", None),
            ("docker start web", None),
        ] {
            assert_eq!(replace_port(command, 80, 81).as_deref(), moved, "{command}");
        }
    }

    #[test]
    fn slips_are_repaired_with_what_the_client_knows() {
        let picture = crate::view::picture::tests::World::default().picture();
        let repaired = |command: &str, status| {
            let found = slip(command, status, &picture).unwrap_or_else(|| panic!("{command}"));
            (found.cause, found.repairs.first().cloned().unwrap_or_default())
        };
        assert_eq!(repaired("docker rnu -d x", 1), (Cause::NoCommand, "docker run -d x".to_owned()));
        assert_eq!(repaired("docker image pul x", 1), (Cause::NoCommand, "docker image pull x".to_owned()));
        assert_eq!(repaired("docker run --detahc x", 125), (Cause::NoFlag, "docker run --detach x".to_owned()));
        assert_eq!(repaired("docker ps --nada", 125), (Cause::NoFlag, "docker ps --help".to_owned()));
        assert_eq!(repaired("sl -l | wc", 127), (Cause::NoSuchProgram, "ls -l | wc".to_owned()));
        assert_eq!(repaired("dokcer ps", 127), (Cause::NoSuchProgram, "docker ps".to_owned()));
        assert_eq!(slip("docker ps", 1, &picture), None);
    }

    #[test]
    fn a_flag_behind_the_image_goes_before_it() {
        let found = explained(&["docker run --name web alpine -d"]);
        assert_eq!(
            (found.cause, found.repairs[0].as_str()),
            (Cause::FlagBehindImage, "docker run --name web -d alpine")
        );
    }

    #[test]
    fn repairs_work() {
        for lines in [
            ["docker run -d --name box nginx", "docker rm box"],
            ["docker create --name box alpine", "docker rmi alpine"],
            ["docker create --name box alpine", "docker exec box ls"],
            ["docker run -d --name web -p 8080:80 nginx", "docker run -d --name other -p 8080:80 nginx"],
        ] {
            let found = explained(&lines);
            let (quiet, limit) = (Duration::from_secs(5), Duration::from_secs(60));
            for repair in &found.repairs {
                let mut machine = Machine::new(Config::default());
                let tty = machine.console();
                for line in lines.iter().copied().chain([repair.as_str()]) {
                    machine.settle(tty, quiet, limit);
                    machine.input(tty, format!("{line}\r").as_bytes());
                }
                machine.settle(tty, quiet, limit);
                let status = machine.commands().all().last().unwrap().status;
                assert_eq!(status, Some(0), "{lines:?}: {repair}");
            }
        }
    }
}
