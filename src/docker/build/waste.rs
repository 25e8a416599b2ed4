//! Waste: what an image stores and then hides.
//!
//! A layer never gets smaller: a file that a later layer deletes, replaces or only gives to another owner is still
//! carried along. [`Waste`] names every such file with the layer that holds it and the layer that hides it.

use crate::base::sort::Arrange;
use std::collections::BTreeMap;
use std::sync::Arc;

use bstr::{BStr, BString, ByteSlice};

use crate::base::digest::{ChainId, DiffId, ImageId};
use crate::docker::daemon::api::layers::{LayerRole, LayerStack, StackLayer};
use crate::docker::image::store::Store;
use crate::os::fs::layer::{Change, Layer};
use crate::os::fs::node::{Content, Entry, Kind};

/// What an image wastes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Waste {
    /// The layers, the lowest first.
    pub layers: Vec<Share>,
    /// Files that are stored and hidden, the largest first.
    pub hidden: Vec<Hidden>,
    /// Bytes of all layers.
    pub stored_bytes: u64,
    /// Bytes of the files that a container sees.
    pub visible_bytes: u64,
}

/// What one layer contributes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// Its place in the store; `None` for layers that are in none.
    pub chain_id: Option<ChainId>,
    /// The digest of its files.
    pub diff_id: Option<DiffId>,
    /// The line of the history that made it.
    pub created_by: String,
    /// Bytes that it stores.
    pub stored_bytes: u64,
    /// Bytes of those that later layers hide.
    pub hidden_bytes: u64,
}

/// A file that is stored and not seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hidden {
    /// Its path, without a leading slash.
    pub path: BString,
    /// Its bytes.
    pub bytes: u64,
    /// The layer that holds it, counted from 0 for the lowest.
    pub holds: usize,
    /// The layer that hides it.
    pub hides: usize,
    /// How.
    pub how: How,
}

/// How a layer hides a file of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// It deletes it, or a folder that it is in.
    Deleted,
    /// It has another file in its place.
    Replaced,
    /// It has the same bytes once more, with another owner, mode or time: what `chown -R` does.
    Copied,
}

/// A file as it is seen so far.
struct Seen<'a> {
    layer: usize,
    /// `None` for another name of a file of its layer, which takes no bytes.
    entry: Option<&'a Entry>,
}

impl Seen<'_> {
    fn bytes(&self) -> u64 {
        self.entry.map_or(0, bytes)
    }
}

fn bytes(entry: &Entry) -> u64 {
    if entry.content.kind() == Kind::File { entry.content.size_bytes() } else { 0 }
}

type SeenFiles<'a> = BTreeMap<&'a BStr, Seen<'a>>;

impl Waste {
    /// What an image of a store wastes; `None` if there is no such image.
    pub fn of_stored(store: &Store, image: ImageId) -> Option<Self> {
        let config = store.image(image)?.config();
        let mut lines = config.history.iter().filter(|line| !line.empty_layer).map(|line| line.created_by.clone());
        let stack = store.stack(config.chain_id());
        let shares = stack.iter().map(|stored| Share {
            chain_id: Some(stored.chain_id),
            diff_id: Some(stored.diff_id),
            created_by: lines.next().unwrap_or_default(),
            stored_bytes: stored.size_bytes,
            hidden_bytes: 0,
        });
        let shares = shares.collect();
        let layers: Vec<Arc<Layer>> = stack.iter().map(|stored| Arc::clone(&stored.layer)).collect();
        Some(Self::of_layers(&layers, shares))
    }

    /// What the image's layers in a stack waste; those that are a container's own do not count.
    pub fn of_stack(stack: &LayerStack) -> Self {
        let own = |layer: &&StackLayer| matches!(layer.role, LayerRole::Image { .. });
        let share = |layer: &StackLayer| {
            let (chain_id, diff_id) = match layer.role {
                LayerRole::Image { chain_id, diff_id } => (Some(chain_id), Some(diff_id)),
                LayerRole::Init | LayerRole::Writable => (None, None),
            };
            let (created_by, stored_bytes) = (layer.created_by.clone(), layer.size_bytes);
            Share { chain_id, diff_id, created_by, stored_bytes, hidden_bytes: 0 }
        };
        let shares = stack.layers.iter().filter(own).map(share).collect();
        let layers: Vec<Arc<Layer>> = stack.layers.iter().filter(own).map(|layer| Arc::clone(&layer.layer)).collect();
        Self::of_layers(&layers, shares)
    }

    /// What a stack of layers wastes, the lowest first.
    pub fn of_layers(layers: &[Arc<Layer>], shares: Vec<Share>) -> Self {
        let mut out = Self { layers: shares, ..Self::default() };
        let mut seen: SeenFiles<'_> = BTreeMap::new();
        for (index, layer) in layers.iter().enumerate() {
            out.stored_bytes += layer.size_bytes();
            for (path, change) in layer.entries() {
                if !matches!(change, Change::Whiteout) {
                    // A layer need not name the folders that it puts files into; a file in their place is gone.
                    for at in path.find_iter("/") {
                        out.hide(&mut seen, BStr::new(path.get(..at).unwrap_or_default()), index, None);
                    }
                }
                match change {
                    Change::Whiteout => out.hide_tree(&mut seen, path, index),
                    Change::HardLink(_) => {
                        out.hide(&mut seen, path, index, None);
                        seen.insert(path, Seen { layer: index, entry: None });
                    }
                    Change::Put(entry) => match &entry.content {
                        Content::Dir { opaque: true } => out.hide_tree(&mut seen, path, index),
                        Content::Dir { opaque: false } => out.hide(&mut seen, path, index, Some(entry)),
                        _ => {
                            if !seen.contains_key(path) {
                                // A file where a folder was hides what was in it.
                                out.hide_tree(&mut seen, path, index);
                            }
                            out.hide(&mut seen, path, index, Some(entry));
                            seen.insert(path, Seen { layer: index, entry: Some(entry) });
                        }
                    },
                }
            }
        }
        out.visible_bytes = seen.values().map(Seen::bytes).sum();
        out.hidden.arrange_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.path.cmp(&b.path)));
        out
    }

    /// Bytes that are stored and not seen.
    pub fn hidden_bytes(&self) -> u64 {
        self.hidden.iter().map(|hidden| hidden.bytes).sum()
    }

    /// How many of a hundred stored bytes a container sees; 100 for an image without bytes.
    pub fn efficiency(&self) -> u8 {
        let percent = self.visible_bytes.saturating_mul(100).checked_div(self.stored_bytes).unwrap_or(100);
        u8::try_from(percent).unwrap_or(100).min(100)
    }

    /// What a layer holds and others hide.
    pub fn held_by(&self, layer: usize) -> impl Iterator<Item = &Hidden> {
        self.hidden.iter().filter(move |hidden| hidden.holds == layer)
    }

    /// What a layer hides.
    pub fn hidden_by(&self, layer: usize) -> impl Iterator<Item = &Hidden> {
        self.hidden.iter().filter(move |hidden| hidden.hides == layer)
    }

    /// Notes that a layer hides the file at `path`, by `entry` if it puts something there.
    fn hide(&mut self, seen: &mut SeenFiles<'_>, path: &BStr, hides: usize, entry: Option<&Entry>) {
        let Some(old) = seen.remove(path) else { return };
        let how = match (entry, old.entry) {
            (Some(new), Some(old)) if new.content == old.content => How::Copied,
            _ => How::Replaced,
        };
        self.note(path, &old, hides, how);
    }

    /// Notes that a layer hides whatever is at and below `path`.
    fn hide_tree(&mut self, seen: &mut SeenFiles<'_>, path: &BStr, hides: usize) {
        let below = |at: &BStr| {
            at.strip_prefix(&**path).is_some_and(|rest| path.is_empty() || rest.is_empty() || rest.starts_with(b"/"))
        };
        // What lies between in the order of bytes, such as `a.txt` between `a` and `a/b`, is left alone.
        let gone: Vec<&BStr> = seen
            .range(path..)
            .map(|(at, _)| *at)
            .take_while(|at| at.starts_with(path))
            .filter(|at| below(at))
            .collect();
        for at in gone {
            if let Some(old) = seen.remove(at) {
                self.note(at, &old, hides, How::Deleted);
            }
        }
    }

    fn note(&mut self, path: &BStr, old: &Seen<'_>, hides: usize, how: How) {
        // A layer that writes a path twice, as an archive may, hides nothing of another layer.
        if old.layer == hides || old.bytes() == 0 {
            return;
        }
        if let Some(share) = self.layers.get_mut(old.layer) {
            share.hidden_bytes += old.bytes();
        }
        self.hidden.push(Hidden { path: path.to_owned(), bytes: old.bytes(), holds: old.layer, hides, how });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::Timestamp;
    use crate::os::fs::node::Meta;

    fn layer(changes: &[(&str, &str)]) -> Arc<Layer> {
        let change = |text: &str| match text {
            "-" => Change::Whiteout,
            "/" => Change::Put(Arc::new(Entry::dir(Meta::root(0o755, Timestamp(0))))),
            "/!" => {
                let meta = Meta::root(0o755, Timestamp(0));
                Change::Put(Arc::new(Entry::new(meta, Content::Dir { opaque: true })))
            }
            text => {
                // `7:text` belongs to user 7.
                let (uid, text) = text.split_once(':').map_or((0, text), |(uid, text)| (uid.parse().unwrap(), text));
                Change::Put(Arc::new(Entry::file(Meta { uid, ..Meta::root(0o644, Timestamp(0)) }, text)))
            }
        };
        Arc::new(changes.iter().map(|(path, text)| (BString::from(*path), change(text))).collect())
    }

    fn waste(layers: &[Arc<Layer>]) -> Waste {
        let share = |layer: &Arc<Layer>| Share {
            chain_id: None,
            diff_id: None,
            created_by: String::new(),
            stored_bytes: layer.size_bytes(),
            hidden_bytes: 0,
        };
        Waste::of_layers(layers, layers.iter().map(share).collect())
    }

    fn told(waste: &Waste) -> Vec<String> {
        let line = |h: &Hidden| format!("{} {} {}>{} {:?}", h.path, h.bytes, h.holds, h.hides, h.how);
        waste.hidden.iter().map(line).collect()
    }

    #[test]
    fn what_is_deleted_replaced_or_copied_is_still_stored() {
        let found = waste(&[
            layer(&[("a", "12345"), ("d", "/"), ("d/x", "123"), ("d.txt", "1"), ("own", "1234")]),
            layer(&[("b", "12"), ("d", "-")]),
            layer(&[("a", "123456"), ("own", "7:1234"), ("nothing", "-")]),
        ]);
        assert_eq!(told(&found), ["a 5 0>2 Replaced", "own 4 0>2 Copied", "d/x 3 0>1 Deleted"]);
        assert_eq!((found.stored_bytes, found.visible_bytes, found.hidden_bytes()), (25, 13, 12));
        assert_eq!(found.efficiency(), 52);
        assert_eq!(found.layers.iter().map(|share| share.hidden_bytes).collect::<Vec<_>>(), [12, 0, 0]);
        assert_eq!((found.held_by(0).count(), found.hidden_by(2).count()), (3, 2));
    }

    #[test]
    fn opaque_folders_and_files_in_their_place_hide_what_was_in_them() {
        let lower = layer(&[("d", "/"), ("d/x", "123"), ("d/e", "/"), ("d/e/y", "1")]);
        let opaque = waste(&[Arc::clone(&lower), layer(&[("d", "/!"), ("d/x", "1")])]);
        assert_eq!(told(&opaque), ["d/x 3 0>1 Deleted", "d/e/y 1 0>1 Deleted"]);
        assert_eq!(
            told(&waste(&[Arc::clone(&lower), layer(&[("d", "12")])])),
            ["d/x 3 0>1 Deleted", "d/e/y 1 0>1 Deleted"]
        );
        assert_eq!(told(&waste(&[layer(&[("d", "12")]), lower])), ["d 2 0>1 Replaced"]);
        assert_eq!((waste(&[]).efficiency(), waste(&[]).stored_bytes), (100, 0));
    }

    proptest::proptest! {
        /// What is stored is either seen or hidden, and what is seen is what the merged tree has.
        #[test]
        fn every_stored_byte_is_seen_or_hidden(stack in proptest::collection::vec(
            proptest::collection::btree_map("[abc](/[abc]){0,2}", "(-|/|/!|[0-9]{1,5})", 0..6), 0..5)) {
            let layers: Vec<Arc<Layer>> = stack.iter().map(|changes| {
                let pairs: Vec<(&str, &str)> = changes.iter().map(|(path, text)| (path.as_str(), text.as_str()))
                    // A layer has nothing below what it deletes or what is a file in it.
                    .filter(|(path, _)| path.match_indices('/').all(|(at, _)| {
                        changes.get(path.split_at(at).0).is_none_or(|above| above.starts_with('/'))
                    })).collect();
                layer(&pairs)
            }).collect();
            let found = waste(&layers);
            proptest::prop_assert_eq!(found.visible_bytes + found.hidden_bytes(), found.stored_bytes);
            let tree = crate::os::fs::tree::Tree::of(layers.iter().map(Arc::as_ref));
            let files = crate::docker::build::files::walk(tree.root());
            let seen: u64 = files.iter().map(|(_, node)| bytes(&node.entry)).sum();
            proptest::prop_assert_eq!(found.visible_bytes, seen);
        }
    }
}
