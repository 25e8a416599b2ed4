//! From an image back to its Dockerfile, and what a remedy changes in it.
//!
//! No build notes where its Dockerfile was. [`Recipe::of`] finds it all the same: it is the one that would make this very
//! image if it were built now, every step from the cache. Nothing is guessed by names.

use crate::base::digest::ImageId;
use crate::base::path;
use crate::docker::build::foresee::foresee;
use crate::machine::{Machine, host};
use crate::os::fs::mounts::Caller;
use crate::os::fs::node::Kind;

use super::files::{self, MAX_TEXT_BYTES};
use super::forecast::request;

/// How deep Dockerfiles are looked for below the student's folder.
const MAX_DEPTH: usize = 4;
/// Folders that are looked into at most.
const MAX_FOLDERS: usize = 200;
/// Dockerfiles that are tried at most.
const MAX_TRIED: usize = 24;

/// A Dockerfile of the host that makes an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipe {
    /// Where it is.
    pub path: String,
    /// What it holds.
    pub text: String,
}

impl Recipe {
    /// The Dockerfile that would make this image if it were built now. `None` if there is none: it was changed since, its
    /// context was, it was built with other flags, or what its steps left in the cache is gone.
    pub fn of(machine: &Machine, image: ImageId) -> Option<Self> {
        let makes = |recipe: &Self| {
            foresee(machine.builder(), &request(machine, &recipe.path, &recipe.text)).image == Some(image)
        };
        Self::all(machine).into_iter().find(makes)
    }

    /// Dockerfiles below the student's folder, the nearest first.
    fn all(machine: &Machine) -> Vec<Self> {
        let (mounts, who) = (machine.host_files(), Caller { cred: host::student(), ..Caller::root() });
        let mounts = mounts.borrow();
        let (mut found, mut folders, mut looked) = (Vec::new(), vec![host::HOME.to_owned()], 0);
        for _ in 0..MAX_DEPTH {
            let mut below = Vec::new();
            for folder in std::mem::take(&mut folders) {
                looked += 1;
                if looked > MAX_FOLDERS {
                    return found;
                }
                for entry in mounts.readdir(&who, folder.as_bytes()).unwrap_or_default() {
                    let name = entry.name.to_string();
                    let at = files::join(&folder, &name);
                    let kind = mounts.stat(&who, at.as_bytes(), false).map(|stat| stat.kind);
                    match kind {
                        Ok(Kind::Dir) if !name.starts_with('.') => below.push(at),
                        Ok(Kind::File) if is_dockerfile(&name) && found.len() < MAX_TRIED => {
                            found.extend(Self::read(machine, at));
                        }
                        _ => {}
                    }
                }
            }
            folders = below;
        }
        found
    }

    fn read(machine: &Machine, path: String) -> Option<Self> {
        let content = machine.file(&path).ok().filter(|content| content.len() <= MAX_TEXT_BYTES)?;
        Some(Self { text: files::text_of(&content.to_vec())?.to_owned(), path })
    }

    /// Its folder: the context that it is built with.
    pub fn folder(&self) -> String {
        path::parent(self.path.as_bytes()).to_string()
    }
}

fn is_dockerfile(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name == "dockerfile"
        || name.starts_with("dockerfile.") && name != "dockerfile.dockerignore"
        || name.ends_with(".dockerfile")
}

/// What becomes of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It stays.
    Kept,
    /// It goes.
    Removed,
    /// It comes.
    Added,
}

/// The lines of two texts: the longest run of lines that both have, in order, is kept. What is far from a change is left
/// out.
pub fn difference<'a>(before: &'a str, after: &'a str) -> Vec<(Fate, &'a str)> {
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    // common[i][j]: how many lines the rests from i and j have in common.
    let mut common = vec![vec![0usize; new.len() + 1]; old.len() + 1];
    let at = |common: &[Vec<usize>], i: usize, j: usize| common.get(i).and_then(|row| row.get(j)).copied().unwrap_or(0);
    for (i, a) in old.iter().enumerate().rev() {
        for (j, b) in new.iter().enumerate().rev() {
            let best = match a == b {
                true => at(&common, i + 1, j + 1) + 1,
                false => at(&common, i + 1, j).max(at(&common, i, j + 1)),
            };
            if let Some(cell) = common.get_mut(i).and_then(|row| row.get_mut(j)) {
                *cell = best;
            }
        }
    }
    let (mut i, mut j, mut out) = (0, 0, Vec::new());
    loop {
        match (old.get(i), new.get(j)) {
            (Some(a), Some(b)) if a == b => {
                out.push((Fate::Kept, *a));
                (i, j) = (i + 1, j + 1);
            }
            (Some(a), b) if b.is_none() || at(&common, i + 1, j) >= at(&common, i, j + 1) => {
                out.push((Fate::Removed, *a));
                i += 1;
            }
            (_, Some(b)) => {
                out.push((Fate::Added, *b));
                j += 1;
            }
            (_, None) => break,
        }
    }
    near_changes(&out)
}

/// The changed lines and the ones next to them.
fn near_changes<'a>(lines: &[(Fate, &'a str)]) -> Vec<(Fate, &'a str)> {
    let is_near = |at: usize| {
        let around = lines.iter().skip(at.saturating_sub(1)).take(if at == 0 { 2 } else { 3 });
        around.into_iter().any(|(fate, _)| *fate != Fate::Kept)
    };
    lines.iter().enumerate().filter(|(at, _)| is_near(*at)).map(|(_, line)| *line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::Config;
    use crate::view::remedy::Diagnosis;
    use crate::view::waste::Waste;

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
        let recipe = Recipe::of(&machine, image).unwrap();
        assert_eq!((recipe.path.as_str(), recipe.folder().as_str()), (own.0, "/home/alumno/work/app"));
        let found = Diagnosis::of(&machine, &recipe.path, &recipe.text).unwrap();
        let stack = machine.daemon().layer_stack("app").unwrap();
        assert_eq!(Waste::of_stack(&stack).hidden, found.waste.hidden, "the trial wastes what the image does");
        machine.put_file(own.0, b"FROM alpine\nRUN cp /bin/busybox /bigger\n").unwrap();
        assert_eq!(Recipe::of(&machine, image), None, "another text makes another image");
    }

    #[test]
    fn an_image_that_was_only_pulled_has_none() {
        let file = ("/home/alumno/Dockerfile", "FROM alpine\nCMD [\"true\"]\n");
        let (machine, _) = built(&[file], "docker build -q -t app . && docker pull -q alpine");
        let alpine = machine.builder().store.borrow().resolve("alpine").unwrap();
        assert_eq!(Recipe::of(&machine, alpine), None, "its layers are the same, its config is not");
    }

    #[test]
    fn a_difference_shows_what_goes_what_comes_and_what_is_beside_it() {
        use Fate::{Added, Kept, Removed};
        let before = "FROM a\nRUN x\nRUN y\nRUN z\nCMD c\nUSER u\n";
        let after = "FROM a\nRUN x\nRUN y && z\nCMD c\nUSER u\n";
        let found = difference(before, after);
        assert_eq!(
            found,
            [(Kept, "RUN x"), (Removed, "RUN y"), (Removed, "RUN z"), (Added, "RUN y && z"), (Kept, "CMD c")]
        );
        assert_eq!(difference("a\n", "a\n"), []);
        assert_eq!(difference("", "a\n"), [(Added, "a")]);
    }
}
