//! The timeline: for every command of the session what it was, what it did, and how it ended.
//!
//! What a command did is read from the daemon's event log: everything that happened from its Enter to the next one's. With
//! two terminals at work at once an event goes to the command that came last, as `docker events` would show it.

use std::rc::Rc;

use crate::docker::daemon::api::DaemonError;
use crate::docker::daemon::api::build::BuildEvent;
use crate::docker::daemon::api::system::{EventKind, EventMessage};
use crate::docker::daemon::events::Logged;
use crate::machine::{Command, Machine};
use crate::os::fs::overlay::FsEvent;

/// Deeds that are kept a command; what follows is only counted.
const MAX_DEEDS: usize = 40;

/// What a command came to, in a word. The colour of its tick.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Effect {
    /// Nothing that Docker keeps.
    #[default]
    Nothing,
    /// Something came.
    Added,
    /// Something went.
    Removed,
    /// Something is not as it was.
    Changed,
    /// It ended with a status that is not 0.
    Failed,
}

/// One thing that the daemon did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Deed {
    /// An event of Docker's own log.
    Event {
        /// What it is about.
        kind: EventKind,
        /// Docker's word: `create`, `die`.
        action: String,
        /// The name, or the beginning of the id.
        name: String,
        /// The exit status of `die`.
        status: Option<i32>,
        /// The image of a container.
        image: Option<String>,
        /// How often it happened in a row.
        times: usize,
    },
    /// A step of a build.
    Step {
        /// The instruction.
        instruction: String,
        /// Its layer was there already.
        is_cached: bool,
    },
    /// Files were made in a container's writable layer.
    Created {
        /// The container.
        container: String,
        /// The first of them.
        path: String,
        /// How many.
        count: usize,
    },
    /// Files of lower layers were copied up to be changed.
    CopiedUp {
        /// The container.
        container: String,
        /// The largest of them.
        path: String,
        /// Its bytes.
        largest_bytes: u64,
        /// How many.
        count: usize,
        /// Bytes copied.
        size_bytes: u64,
    },
    /// Files of lower layers were hidden.
    WhitedOut {
        /// The container.
        container: String,
        /// The first of them.
        path: String,
        /// How many.
        count: usize,
    },
}

/// A command on the timeline.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tick {
    /// What was typed.
    pub text: String,
    /// Its status, once it has ended.
    pub status: Option<i32>,
    /// Typed inside of a container, or behind another program.
    pub is_inside: bool,
    /// Whether there is a moment between it and the command before it.
    pub is_separate: bool,
    /// What the daemon did.
    pub deeds: Vec<Deed>,
    /// What of it there was no room for.
    pub more: usize,
    /// What the daemon refused.
    pub refused: Vec<DaemonError>,
}

impl Tick {
    /// What the command came to. Interrupting is not failing.
    pub fn effect(&self) -> Effect {
        if self.status.is_some_and(|status| status != 0 && status != 130) {
            return Effect::Failed;
        }
        let did = |wanted: &[&str]| {
            self.deeds
                .iter()
                .any(|deed| matches!(deed, Deed::Event { action, .. } if wanted.contains(&action.as_str())))
        };
        let added = did(&["create", "pull", "load", "import", "commit", "tag"]);
        let added = added || self.deeds.iter().any(|deed| matches!(deed, Deed::Step { is_cached: false, .. }));
        let removed = did(&["destroy", "delete", "untag", "prune"]);
        match (added, removed) {
            (true, true) => Effect::Changed,
            (true, false) => Effect::Added,
            (false, true) => Effect::Removed,
            (false, false) if self.deeds.is_empty() => Effect::Nothing,
            (false, false) => Effect::Changed,
        }
    }
}

/// The ticks so far, brought up to date after every slice of the machine.
#[derive(Clone, Default, Debug)]
pub struct Timeline {
    ticks: Vec<Rc<Tick>>,
    cursor: u64,
}

impl Timeline {
    /// The ticks, in the order of the commands.
    pub fn ticks(&self) -> &[Rc<Tick>] {
        &self.ticks
    }

    /// Takes in what happened since the last call; whether anything did.
    pub fn collect(&mut self, machine: &Machine) -> bool {
        let commands = machine.commands().all();
        let before = self.ticks.len();
        for (at, command) in commands.iter().enumerate().skip(before) {
            let is_separate =
                at.checked_sub(1).and_then(|at| commands.get(at)).is_none_or(|last| last.begins < command.begins);
            self.ticks.push(Rc::new(tick(command, is_separate)));
        }
        let mut changed = self.ticks.len() != before;
        // Any command may still have been running; those far back have long ended.
        let late = self.ticks.len().saturating_sub(16);
        for (tick, command) in self.ticks.iter_mut().zip(commands).skip(late) {
            if tick.status != command.status {
                Rc::make_mut(tick).status = command.status;
                changed = true;
            }
        }
        let (events, cursor) = machine.daemon().log_since(self.cursor);
        self.cursor = cursor;
        for event in &events {
            changed |= self.take(event, commands, machine);
        }
        changed
    }

    fn take(&mut self, logged: &Logged, commands: &[Command], machine: &Machine) -> bool {
        let at = match logged {
            Logged::Docker(EventMessage { time, .. }) | Logged::Refused(_, time) => {
                commands.partition_point(|command| command.taken <= *time)
            }
            // These carry no time: they are collected while the command runs, or right after.
            Logged::File(_) | Logged::Build(_) | Logged::Layer(_) | Logged::Sealed(_) => commands.len(),
        };
        let Some(tick) = at.checked_sub(1).and_then(|at| self.ticks.get_mut(at)) else { return false };
        let tick = Rc::make_mut(tick);
        let deed = match logged {
            Logged::Docker(event) => of_event(event),
            Logged::Build(BuildEvent::Cache { instruction, miss, .. }) => {
                Deed::Step { instruction: instruction.clone(), is_cached: miss.is_none() }
            }
            Logged::Refused(error, _) => {
                tick.refused.push(error.clone());
                return true;
            }
            Logged::Build(_) | Logged::Layer(_) | Logged::Sealed(_) => return false,
            Logged::File(file) => {
                let id = &file.container;
                let containers = machine.daemon().container_name(id);
                let container = containers.unwrap_or_else(|| short(id));
                if tick.fold(&container, &file.event) {
                    return true;
                }
                of_file(container, &file.event)
            }
        };
        if tick.deeds.last_mut().is_some_and(|last| last.repeat(&deed)) {
            return true;
        }
        if tick.deeds.len() < MAX_DEEDS {
            tick.deeds.push(deed);
        } else {
            tick.more += 1;
        }
        true
    }
}

impl Deed {
    /// Counts the same event once more; whether it is the same.
    fn repeat(&mut self, other: &Self) -> bool {
        let Self::Event { times: before, .. } = self else { return false };
        let count = std::mem::replace(before, 1);
        let is_same = self == other;
        if let Self::Event { times, .. } = self {
            *times = count + usize::from(is_same);
        }
        is_same
    }
}

impl Tick {
    /// Counts a file event with others of its kind.
    fn fold(&mut self, name: &str, event: &FsEvent) -> bool {
        self.deeds.iter_mut().any(|deed| match (deed, event) {
            (Deed::Created { container, count, .. }, FsEvent::Created(_))
            | (Deed::WhitedOut { container, count, .. }, FsEvent::WhitedOut(_) | FsEvent::MadeOpaque(_))
                if container == name =>
            {
                *count += 1;
                true
            }
            (
                Deed::CopiedUp { container, path, largest_bytes, count, size_bytes },
                FsEvent::CopiedUp { path: copied, size_bytes: more, .. },
            ) if container == name => {
                *count += 1;
                *size_bytes += more;
                // A folder that had to come along says less than the file that was changed.
                if more > largest_bytes {
                    (*path, *largest_bytes) = (rooted(copied), *more);
                }
                true
            }
            _ => false,
        })
    }
}

fn tick(command: &Command, is_separate: bool) -> Tick {
    Tick {
        text: command.text.clone(),
        status: command.status,
        is_inside: !command.is_direct,
        is_separate,
        deeds: Vec::new(),
        more: 0,
        refused: Vec::new(),
    }
}

fn short(id: &str) -> String {
    id.trim_start_matches("sha256:").chars().take(12).collect()
}

fn of_event(event: &EventMessage) -> Deed {
    let attribute = |key: &str| event.attributes.get(key).cloned();
    let status = attribute("exitCode").and_then(|code| code.parse().ok());
    let name = attribute("name").filter(|name| !name.is_empty()).unwrap_or_else(|| event.id.clone());
    // Names that are ids are cut as Docker's tables cut them.
    let is_id = name.len() >= 64 && name.trim_start_matches("sha256:").bytes().all(|byte| byte.is_ascii_hexdigit());
    let name = if is_id { short(&name) } else { name };
    let action = event.action.split(':').next().unwrap_or_default().to_owned();
    let image = attribute("image").filter(|_| event.kind == EventKind::Container);
    Deed::Event { kind: event.kind, action, name, status, image, times: 1 }
}

fn of_file(container: String, event: &FsEvent) -> Deed {
    match event {
        FsEvent::Created(made) => Deed::Created { container, path: rooted(made), count: 1 },
        FsEvent::CopiedUp { path, size_bytes, .. } => {
            let (path, size_bytes) = (rooted(path), *size_bytes);
            Deed::CopiedUp { container, path, largest_bytes: size_bytes, count: 1, size_bytes }
        }
        FsEvent::WhitedOut(hidden) | FsEvent::MadeOpaque(hidden) => {
            Deed::WhitedOut { container, path: rooted(hidden), count: 1 }
        }
    }
}

fn rooted(path: &bstr::BString) -> String {
    format!("/{}", path.to_string().trim_start_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::Config;
    use std::time::Duration;

    fn after(lines: &[&str]) -> Timeline {
        let mut machine = Machine::new(Config::default());
        let (tty, quiet, limit) = (machine.console(), Duration::from_secs(5), Duration::from_secs(60));
        let mut timeline = Timeline::default();
        machine.settle(tty, quiet, limit);
        for line in lines {
            machine.input(tty, format!("{line}\r").as_bytes());
            machine.settle(tty, quiet, limit);
            timeline.collect(&machine);
        }
        timeline
    }

    #[test]
    fn a_tick_is_coloured_by_what_its_command_did() {
        let timeline = after(&[
            "ls",
            "docker create --name box alpine",
            "docker start box",
            "docker rm box; docker rm box",
            "docker rm -f box",
            "docker run --rm alpine true",
        ]);
        let effects: Vec<Effect> = timeline.ticks().iter().map(|tick| tick.effect()).collect();
        use Effect::{Added, Changed, Failed, Nothing, Removed};
        assert_eq!(effects[..3], [Nothing, Added, Changed]);
        // The first `rm` did it, the second one failed; forced, it only says that there is none.
        assert_eq!(effects[3..], [Failed, Nothing, Changed]);
        let gone = timeline.ticks()[3]
            .deeds
            .iter()
            .any(|deed| matches!(deed, Deed::Event { action, .. } if action == "destroy"));
        assert!(gone, "{:?}", timeline.ticks()[3]);
        assert_eq!(after(&["docker create --name box alpine", "docker rm box"]).ticks()[1].effect(), Removed);
    }

    #[test]
    fn the_same_event_in_a_row_is_told_once() {
        let timeline = after(&["docker pull alpine", "docker rmi alpine"]);
        let untag = |deed: &Deed| match deed {
            Deed::Event { action, times, .. } if action == "untag" => Some(*times),
            _ => None,
        };
        // The tag and the digest.
        let times: Vec<usize> = timeline.ticks()[1].deeds.iter().filter_map(untag).collect();
        assert_eq!(times, [2]);
    }

    #[test]
    fn file_events_are_told_by_container_and_counted() {
        let timeline =
            after(&["docker run --name box alpine sh -c 'rm /etc/motd; touch /a /b; echo x >> /etc/passwd'"]);
        let deeds = &timeline.ticks()[0].deeds;
        let has = |wanted: &dyn Fn(&Deed) -> bool| deeds.iter().any(wanted);
        assert!(
            has(&|d| matches!(d, Deed::Created { container, count, .. } if container == "box" && *count >= 2)),
            "{deeds:?}"
        );
        assert!(has(&|d| matches!(d, Deed::WhitedOut { path, .. } if path == "/etc/motd")), "{deeds:?}");
        let passwd = |d: &Deed| matches!(d, Deed::CopiedUp { path, size_bytes, .. } if path == "/etc/passwd" && *size_bytes > 100);
        assert!(has(&passwd), "{deeds:?}");
    }
}
