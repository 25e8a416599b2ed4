//! What happens in the picture: teaching events of the log, as things that move.
//!
//! [`Deeds`] reads the log with a cursor of its own. What it keeps is bounded: the last few a container, and what came
//! with the last look, which is what moves.

use std::collections::{BTreeMap, VecDeque};

use bstr::{BString, ByteSlice};

use crate::docker::daemon::api::Daemon;
use crate::docker::daemon::api::layers::LayerEvent;
use crate::docker::daemon::events::{FileEvent, Logged};
use crate::os::fs::overlay::FsEvent;

/// Files that a container's box shows.
const RECENT: usize = 3;
/// Things that move at once; when more happened, the last ones do.
const MAX_MOVES: usize = 6;
/// Containers whose files are remembered.
const MAX_CONTAINERS: usize = 256;

/// What became of a file of a container.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Touch {
    /// Where, with a leading slash.
    pub path: String,
    /// What.
    pub how: How,
    /// The layer that held it, by the short form of its digest.
    pub from: Option<String>,
}

/// What became of a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum How {
    /// Made.
    Created,
    /// Copied up, so many bytes, to be changed.
    CopiedUp(u64),
    /// Hidden by a whiteout.
    WhitedOut,
    /// A folder made anew over a removed one.
    MadeOpaque,
}

/// Something that moves.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Move {
    /// A file of a container, by the container's id.
    Touched(String, Touch),
    /// A container's writable layer became a layer: container and chain id.
    Sealed(String, String),
    /// A layer was there already, by its chain id.
    Shared(String),
    /// An image was sent to a registry, by its name.
    Pushed(String),
}

/// What happened, as far as it is remembered.
#[derive(Clone, Default, Debug)]
pub struct Deeds {
    cursor: u64,
    recent: BTreeMap<String, VecDeque<Touch>>,
}

impl Deeds {
    /// Reads on in the log: what moves now.
    pub fn read(&mut self, daemon: &Daemon) -> Vec<Move> {
        let (entries, next) = daemon.log_since(self.cursor);
        if next < self.cursor {
            // Another machine, such as one before an undo: nothing moves, but what its containers did is told.
            *self = Self::default();
            let (entries, next) = daemon.log_since(0);
            self.take(&entries);
            self.cursor = next;
            return Vec::new();
        }
        self.cursor = next;
        self.take(&entries)
    }

    /// What last became of a container's files, the oldest first.
    pub fn recent(&self, container: &str) -> Vec<Touch> {
        self.recent.get(container).into_iter().flatten().cloned().collect()
    }

    fn take(&mut self, entries: &[Logged]) -> Vec<Move> {
        let mut moves: Vec<Move> = entries.iter().filter_map(|entry| self.one(entry)).collect();
        moves.drain(..moves.len().saturating_sub(MAX_MOVES));
        moves
    }

    fn one(&mut self, entry: &Logged) -> Option<Move> {
        match entry {
            Logged::File(file) => {
                let touch = touch(file)?;
                if self.recent.len() >= MAX_CONTAINERS && !self.recent.contains_key(&file.container) {
                    self.recent.pop_first();
                }
                let recent = self.recent.entry(file.container.clone()).or_default();
                recent.retain(|known| known.path != touch.path);
                recent.push_back(touch.clone());
                if recent.len() > RECENT {
                    recent.pop_front();
                }
                Some(Move::Touched(file.container.clone(), touch))
            }
            Logged::Sealed(sealed) => Some(Move::Sealed(sealed.container.clone(), sealed.layer.chain_id.to_string())),
            Logged::Layer(LayerEvent::Shared(layer)) => Some(Move::Shared(layer.chain_id.to_string())),
            Logged::Docker(event) if event.action == "push" => Some(Move::Pushed(event.id.clone())),
            _ => None,
        }
    }
}

/// A folder that is copied up on the way to a file is not worth a word.
fn touch(file: &FileEvent) -> Option<Touch> {
    let (path, how): (&BString, How) = match &file.event {
        FsEvent::Created(path) => (path, How::Created),
        FsEvent::CopiedUp { size_bytes: 0, .. } => return None,
        FsEvent::CopiedUp { path, size_bytes, .. } => (path, How::CopiedUp(*size_bytes)),
        FsEvent::WhitedOut(path) => (path, How::WhitedOut),
        FsEvent::MadeOpaque(path) => (path, How::MadeOpaque),
    };
    Some(Touch { path: format!("/{}", path.to_str_lossy()), how, from: file.from.map(|from| from.short()) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::digest::{DiffId, Digest};

    fn file(path: &str, event: fn(BString) -> FsEvent) -> Logged {
        let from = Some(DiffId(Digest::of(b"x")));
        Logged::File(FileEvent { container: "c".to_owned(), event: event(path.into()), from })
    }

    #[test]
    fn the_last_files_of_a_container_are_remembered_once_each() {
        let mut deeds = Deeds::default();
        let moves = deeds.take(&[
            file("a", FsEvent::Created),
            file("b", |path| FsEvent::CopiedUp { path, from: 0, size_bytes: 0 }),
            file("b/c", |path| FsEvent::CopiedUp { path, from: 0, size_bytes: 9 }),
            file("d", FsEvent::WhitedOut),
            file("a", FsEvent::WhitedOut),
            file("e", FsEvent::MadeOpaque),
        ]);
        assert_eq!(moves.len(), 5, "folders on the way say nothing");
        let paths: Vec<String> = deeds.recent("c").into_iter().map(|touch| touch.path).collect();
        assert_eq!(paths, ["/d", "/a", "/e"]);
        assert_eq!(deeds.recent("other"), []);
    }

    #[test]
    fn a_flood_moves_only_its_end() {
        let mut deeds = Deeds::default();
        let names: Vec<Logged> = (0..100).map(|_| file("x", FsEvent::Created)).collect();
        assert_eq!(deeds.take(&names).len(), MAX_MOVES);
    }
}
