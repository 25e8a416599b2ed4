//! From an image back to its Dockerfile, and what a remedy changes in it.
//!
//! No build notes where its Dockerfile was. [`Recipe::of`] finds it all the same: it is the one that would make this very
//! image if it were built now, every step from the cache. Nothing is guessed by names.

use std::sync::Arc;

use super::context;
use super::foresee::foresee;
use super::world::World;
use crate::base::digest::ImageId;
use crate::base::path;
use crate::docker::daemon::api::build::{BuildContext, BuildRequest};
use crate::os::fs::layer::{Change, Layer};
use crate::os::fs::mounts::{Caller, Mounts};
use crate::os::fs::node::{Content, Entry, Kind};

/// The longest Dockerfile that is tried.
const MAX_TEXT_BYTES: u64 = 1 << 20;

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
    /// The Dockerfile in or below `folder` that would make this image if it were built now. `None` if there is none: it was
    /// changed since, its context was, it was built with other flags, or what its steps left in the cache is gone.
    pub fn of(world: &World, mounts: &Mounts, who: &Caller, folder: &str, image: ImageId) -> Option<Self> {
        let makes = |recipe: &Self| foresee(world, &request(mounts, &recipe.path, &recipe.text)).image == Some(image);
        Self::all(mounts, who, folder).into_iter().find(makes)
    }

    /// Dockerfiles in and below a folder, the nearest first.
    fn all(mounts: &Mounts, who: &Caller, folder: &str) -> Vec<Self> {
        let (mut found, mut folders, mut looked) = (Vec::new(), vec![folder.to_owned()], 0);
        for _ in 0..MAX_DEPTH {
            let mut below = Vec::new();
            for folder in std::mem::take(&mut folders) {
                looked += 1;
                if looked > MAX_FOLDERS {
                    return found;
                }
                for entry in mounts.readdir(who, folder.as_bytes()).unwrap_or_default() {
                    let name = entry.name.to_string();
                    let at = path::join(folder.as_bytes(), name.as_bytes()).to_string();
                    let kind = mounts.stat(who, at.as_bytes(), false).map(|stat| stat.kind);
                    match kind {
                        Ok(Kind::Dir) if !name.starts_with('.') => below.push(at),
                        Ok(Kind::File) if is_dockerfile(&name) && found.len() < MAX_TRIED => {
                            found.extend(Self::read(mounts, who, at));
                        }
                        _ => {}
                    }
                }
            }
            folders = below;
        }
        found
    }

    fn read(mounts: &Mounts, who: &Caller, path: String) -> Option<Self> {
        mounts.access(who, path.as_bytes(), 4).ok()?;
        let content = mounts.find(who, path.as_bytes(), true).and_then(|place| place.content()).ok()?;
        let Content::File(content) = content else { return None };
        if content.len() > MAX_TEXT_BYTES {
            return None;
        }
        let text = String::from_utf8(content.to_vec()).ok().filter(|text| !text.contains('\0'))?;
        Some(Self { text, path })
    }

    /// Its folder: the context that it is built with.
    pub fn folder(&self) -> String {
        path::parent(self.path.as_bytes()).to_string()
    }
}

/// A build of the folder in which the Dockerfile at `path` stands, with `text` in the file.
pub fn request(mounts: &Mounts, path: &str, text: &str) -> BuildRequest {
    let folder = path::parent(path.as_bytes()).to_owned();
    request_of(mounts, &folder.to_string(), path, text).0
}

/// The same for another folder, and why that can't be read.
pub fn request_of(mounts: &Mounts, folder: &str, path: &str, text: &str) -> (BuildRequest, Option<String>) {
    let name = path::file_name(path.as_bytes()).to_string();
    let own = path.strip_prefix(folder).map_or(name.as_str(), |rest| rest.trim_start_matches('/'));
    let read = context::from_folder(mounts, &Caller::root(), folder.as_bytes(), own, &[]);
    let (mut context, unreadable) = match read {
        Ok(context) => (context, None),
        Err(error) => (BuildContext::default(), Some(error.to_string())),
    };
    if let Some(Change::Put(entry)) = context.files.get(own.as_bytes()) {
        // What is being typed is not in the file yet and will be when it is built.
        let entry = Entry { content: Content::File(text.into()), ..Entry::clone(entry) };
        let changed = std::iter::once((own.into(), Change::Put(Arc::new(entry))));
        let rest = context.files.entries().filter(|(at, _)| *at != own).map(|(at, c)| (at.to_owned(), c.clone()));
        context.files = Arc::new(rest.chain(changed).collect::<Layer>());
    }
    let dockerfile = text.into();
    (BuildRequest { context, dockerfile, dockerfile_name: name, ..BuildRequest::default() }, unreadable)
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
