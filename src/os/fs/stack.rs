//! Layers one on the other, asked about a path: which of them hold it, which one is seen, what hides what.
//!
//! [`super::tree::Tree`] answers what is seen, in one step. This module answers why, by asking every layer, and is for
//! those who explain.

use std::sync::Arc;

use bstr::{BStr, BString, ByteSlice};

use super::layer::{Change, Layer};
use super::node::{Content, Entry, Kind};
use super::tree::Tree;
use crate::base::path;

/// Links that are followed at most (Linux `MAXSYMLINKS`).
const MAX_LINKS: usize = 40;

/// What a layer does to a path.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Deed {
    /// It has a file or directory there.
    Put(Arc<Entry>),
    /// It has another name of one of its own files there.
    HardLink(BString),
    /// It hides what is below by a whiteout, here or on a directory above: where the whiteout is.
    Whiteout(BString),
    /// It makes a directory anew, this one or one above, and hides what is below it: which one.
    Opaque(BString),
    /// It has something that is no directory where lower layers have one on the way to the path: where.
    Replaced(BString),
}

/// What becomes of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// This is what one sees.
    Wins,
    /// A directory that one sees together with those of other layers.
    Merged,
    /// Hidden by the layer with this place in the stack.
    HiddenBy(usize),
    /// It shows nothing itself: it hides.
    Hides,
}

/// One layer's part in a path.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Holding {
    /// The layer's place in the stack, 0 for the lowest.
    pub layer: usize,
    /// What it does.
    pub deed: Deed,
    /// What becomes of that.
    pub fate: Fate,
}

/// The part that each of `layers` (lowest first) has in `path`, lowest first. Links in `path` are not followed
/// ([`real_path`] does). Layers that have no part are left out, and so is what hides nothing.
pub fn holdings<'a>(layers: impl IntoIterator<Item = &'a Layer>, path: &[u8]) -> Vec<Holding> {
    let at = relative(path);
    let mut out: Vec<Holding> = Vec::new();
    // The places in `out` of what is seen so far; several for merged directories.
    let mut seen: Vec<usize> = Vec::new();
    for (layer, changes) in layers.into_iter().enumerate() {
        let hide = |out: &mut Vec<Holding>, seen: &mut Vec<usize>| {
            for place in seen.drain(..) {
                if let Some(holding) = out.get_mut(place) {
                    holding.fate = Fate::HiddenBy(layer);
                }
            }
        };
        if let Some(deed) = hidden_by(changes, at.as_bstr())
            && !seen.is_empty()
        {
            hide(&mut out, &mut seen);
            out.push(Holding { layer, deed, fate: Fate::Hides });
        }
        let (deed, is_dir) = match changes.get(&at) {
            Some(Change::Put(entry)) => (Deed::Put(Arc::clone(entry)), entry.content.kind() == Kind::Dir),
            Some(Change::HardLink(target)) => (Deed::HardLink(target.clone()), false),
            Some(Change::Whiteout) | None => continue,
        };
        let below_is_dir = seen.last().and_then(|place| out.get(*place)).is_some_and(|below| is_dir_deed(&below.deed));
        if !(is_dir && below_is_dir) {
            hide(&mut out, &mut seen);
        }
        seen.push(out.len());
        out.push(Holding { layer, deed, fate: Fate::Merged });
    }
    if let Some(top) = seen.last().and_then(|place| out.get_mut(*place)) {
        top.fate = Fate::Wins;
    }
    out
}

fn is_dir_deed(deed: &Deed) -> bool {
    matches!(deed, Deed::Put(entry) if entry.content.kind() == Kind::Dir)
}

/// What of a layer hides everything that lower layers have at `at`, apart from a file at `at` itself.
fn hidden_by(layer: &Layer, at: &BStr) -> Option<Deed> {
    let ends = at.find_iter(b"/").chain([at.len()]);
    ends.filter_map(|end| {
        let here = at.get(..end)?.as_bstr();
        let is_whole = end == at.len();
        match layer.get(here)? {
            Change::Whiteout => Some(Deed::Whiteout(here.to_owned())),
            Change::HardLink(_) if !is_whole => Some(Deed::Replaced(here.to_owned())),
            Change::HardLink(_) => None,
            Change::Put(entry) => match entry.content {
                Content::Dir { opaque: true } => Some(Deed::Opaque(here.to_owned())),
                Content::Dir { opaque: false } => None,
                _ if is_whole => None,
                _ => Some(Deed::Replaced(here.to_owned())),
            },
        }
    })
    .next()
}

/// A path as layers write it: from the root, without slashes at its ends.
pub fn relative(path: &[u8]) -> BString {
    let clean = path::normalize(path);
    clean.strip_prefix(b"/").unwrap_or(&clean).into()
}

/// The path that one arrives at when the directories on the way to `path` are links, from the root and without slashes
/// at its ends; the last name is not followed.
pub fn real_path(tree: &Tree, path: &[u8]) -> BString {
    let mut todo: Vec<BString> = path::components(path).rev().map(BStr::to_owned).collect();
    let mut real: Vec<BString> = Vec::new();
    let mut links = 0;
    while let Some(name) = todo.pop() {
        if name == ".." {
            real.pop();
            continue;
        }
        real.push(name);
        if todo.is_empty() {
            break;
        }
        let node = tree.get(&bstr::join("/", &real));
        if let Some(Content::Symlink(target)) = node.as_ref().map(|node| &node.entry.content)
            && links < MAX_LINKS
        {
            links += 1;
            real.pop();
            if path::is_absolute(target) {
                real.clear();
            }
            todo.extend(path::components(target).rev().map(BStr::to_owned));
        }
    }
    bstr::join("/", real).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::Timestamp;
    use crate::os::fs::node::Meta;

    fn layer(entries: &[(&str, Change)]) -> Layer {
        entries.iter().map(|(p, c)| (BString::from(*p), c.clone())).collect()
    }

    fn file(text: &str) -> Change {
        Change::Put(Arc::new(Entry::file(Meta::root(0o644, Timestamp(0)), text)))
    }

    fn dir(opaque: bool) -> Change {
        Change::Put(Arc::new(Entry::new(Meta::root(0o755, Timestamp(0)), Content::Dir { opaque })))
    }

    fn link(target: &str) -> Change {
        Change::Put(Arc::new(Entry::symlink(Meta::root(0o777, Timestamp(0)), target)))
    }

    fn told(layers: &[Layer], path: &str) -> Vec<(usize, Fate)> {
        holdings(layers, path.as_bytes()).into_iter().map(|holding| (holding.layer, holding.fate)).collect()
    }

    #[test]
    fn the_uppermost_file_wins_and_hides_those_below() {
        let layers = [layer(&[("a", file("1"))]), layer(&[("b", file("1"))]), layer(&[("a", file("2"))])];
        assert_eq!(told(&layers, "/a"), [(0, Fate::HiddenBy(2)), (2, Fate::Wins)]);
        assert_eq!(told(&layers, "/b/"), [(1, Fate::Wins)]);
        assert_eq!(told(&layers, "/nope"), []);
    }

    #[test]
    fn whiteouts_hide_also_from_above() {
        let layers = [
            layer(&[("d", dir(false)), ("d/a", file("1"))]),
            layer(&[("d", Change::Whiteout)]),
            layer(&[("d", Change::Whiteout)]),
            layer(&[("d", dir(false)), ("d/a", file("2"))]),
        ];
        let all = holdings(&layers, b"d/a");
        assert_eq!(all[1].deed, Deed::Whiteout("d".into()));
        assert_eq!(told(&layers, "d/a"), [(0, Fate::HiddenBy(1)), (1, Fate::Hides), (3, Fate::Wins)]);
        assert_eq!(told(&layers[..3], "d"), [(0, Fate::HiddenBy(1)), (1, Fate::Hides)]);
    }

    #[test]
    fn directories_are_merged_until_one_is_opaque() {
        let mut layers = vec![layer(&[("d", dir(false)), ("d/a", file("1"))]), layer(&[("d", dir(false))])];
        assert_eq!(told(&layers, "d"), [(0, Fate::Merged), (1, Fate::Wins)]);
        layers.push(layer(&[("d", dir(true)), ("d/a", file("2"))]));
        assert_eq!(
            told(&layers, "d"),
            [(0, Fate::HiddenBy(2)), (1, Fate::HiddenBy(2)), (2, Fate::Hides), (2, Fate::Wins)]
        );
        assert_eq!(told(&layers, "d/a"), [(0, Fate::HiddenBy(2)), (2, Fate::Hides), (2, Fate::Wins)]);
    }

    #[test]
    fn a_file_in_place_of_a_directory_hides_what_was_in_it() {
        let layers = [layer(&[("d", dir(false)), ("d/a", file("1"))]), layer(&[("d", file("x"))])];
        assert_eq!(holdings(&layers, b"d/a")[1].deed, Deed::Replaced("d".into()));
        assert_eq!(told(&layers, "d"), [(0, Fate::HiddenBy(1)), (1, Fate::Wins)]);
    }

    #[test]
    fn what_wins_is_what_the_merged_tree_shows() {
        let layers = [
            layer(&[("d", dir(false)), ("d/a", file("1")), ("d/b", file("1")), ("e", file("1"))]),
            layer(&[("d/a", Change::Whiteout), ("e", Change::Whiteout)]),
            layer(&[("d/b", Change::HardLink("d/c".into())), ("d/c", file("3")), ("d", dir(false))]),
        ];
        let tree = Tree::of(&layers);
        for path in ["d", "d/a", "d/b", "d/c", "e"] {
            let wins = holdings(&layers, path.as_bytes()).into_iter().find(|holding| holding.fate == Fate::Wins);
            let shown = tree.get(path.as_bytes()).map(|node| usize::from(node.layer));
            assert_eq!(wins.map(|holding| holding.layer), shown, "{path}");
        }
    }

    #[test]
    fn links_on_the_way_are_followed_and_loops_end() {
        let layers = [layer(&[
            ("usr", dir(false)),
            ("usr/bin", dir(false)),
            ("bin", link("usr/bin")),
            ("up", link("../usr")),
            ("loop", link("/loop")),
        ])];
        let tree = Tree::of(&layers);
        assert_eq!(real_path(&tree, b"/bin/ls"), "usr/bin/ls");
        assert_eq!(real_path(&tree, b"/up/bin/../x"), "usr/x");
        assert_eq!(real_path(&tree, b"/bin"), "bin");
        assert_eq!(real_path(&tree, b"/loop/x"), "loop/x");
        assert_eq!(real_path(&tree, b"/"), "");
    }
}
