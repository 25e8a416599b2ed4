//! A stack of layers merged into one immutable tree.
//!
//! Merging costs once a layer; after it a lookup costs the same however many layers there are. Trees share what a
//! further layer does not touch, so an image on top of another adds only its own nodes.

use std::collections::BTreeMap;
use std::sync::Arc;

use bstr::{BStr, BString};

use super::layer::{Change, Layer};
use super::node::{Content, Entry, Kind, Meta};
use crate::base::path;
use crate::base::time::Timestamp;

/// Which layer of a stack, counted from 0 for the lowest.
pub type LayerIndex = u16;

/// A file in a merged tree.
#[derive(Clone, Debug)]
pub struct Node {
    /// The file itself. A directory's metadata is that of the topmost layer that has it.
    pub entry: Arc<Entry>,
    /// A directory's names.
    pub children: BTreeMap<BString, Arc<Node>>,
    /// The topmost layer that has this path.
    pub layer: LayerIndex,
    /// Whether it is a directory that more than one layer has.
    pub merged: bool,
    /// How many names its layer gives it.
    pub links: u32,
    /// Its number, unique in the tree.
    pub ino: u64,
}

impl Node {
    /// The kind of file.
    pub fn kind(&self) -> Kind {
        self.entry.content.kind()
    }
}

impl Drop for Node {
    /// Frees what is below one after the other: paths may be so deep that freeing them from within each other would need
    /// more stack than the page has.
    fn drop(&mut self) {
        let mut todo: Vec<Arc<Self>> = std::mem::take(&mut self.children).into_values().collect();
        while let Some(mut node) = todo.pop().and_then(Arc::into_inner) {
            todo.extend(std::mem::take(&mut node.children).into_values());
        }
    }
}

/// A merged stack of layers.
#[derive(Clone, Debug)]
pub struct Tree {
    root: Arc<Node>,
    layers: LayerIndex,
}

impl Default for Tree {
    fn default() -> Self {
        Self::empty()
    }
}

impl Tree {
    /// No layers: an empty root directory.
    pub fn empty() -> Self {
        let entry = Arc::new(Entry::dir(Meta::root(0o755, Timestamp(0))));
        Self {
            root: Arc::new(Node { entry, children: BTreeMap::new(), layer: 0, merged: false, links: 1, ino: 1 }),
            layers: 0,
        }
    }

    /// All of `layers`, lowest first.
    pub fn of<'a>(layers: impl IntoIterator<Item = &'a Layer>) -> Self {
        layers.into_iter().fold(Self::empty(), |tree, layer| tree.with(layer))
    }

    /// This tree with one more layer on top.
    pub fn with(&self, layer: &Layer) -> Self {
        let mut tree = self.clone();
        let index = self.layers;
        let first_ino = ((u64::from(index) + 1) << 24) + 1;
        let mut links: Vec<(&BStr, &BString)> = Vec::new();
        for (ino, (at, change)) in (first_ino..).zip(layer.entries()) {
            match change {
                Change::Whiteout => tree.remove(at),
                Change::HardLink(target) => links.push((at, target)),
                Change::Put(entry) => tree.put(at, index, |old| {
                    let (children, merged) = match (old, &entry.content) {
                        (Some(old), Content::Dir { opaque: false }) => (old.children.clone(), old.kind() == Kind::Dir),
                        _ => (BTreeMap::new(), false),
                    };
                    Node { entry: Arc::clone(entry), children, layer: index, merged, links: 1, ino }
                }),
            }
        }
        let mut counts: BTreeMap<&BString, u32> = BTreeMap::new();
        for (_, target) in &links {
            *counts.entry(target).or_insert(1) += 1;
        }
        for (target, count) in &counts {
            if let Some(node) = tree.get(target).filter(|node| node.kind() != Kind::Dir) {
                let mut linked = Node::clone(&node);
                (linked.links, linked.layer) = (*count, index);
                tree.put(target, index, |_| linked);
            }
        }
        for (at, target) in links {
            // A link to a file that the layer does not have leads nowhere and is left out, as a broken archive's is.
            if let Some(node) = tree.get(target).filter(|node| node.kind() != Kind::Dir) {
                tree.put_shared(at, index, node);
            }
        }
        tree.layers = index.saturating_add(1);
        tree
    }

    /// The root directory.
    pub const fn root(&self) -> &Arc<Node> {
        &self.root
    }

    /// How many layers were merged.
    pub const fn layers(&self) -> LayerIndex {
        self.layers
    }

    /// The file at `path`; symbolic links are not followed.
    pub fn get(&self, path: &[u8]) -> Option<Arc<Node>> {
        let mut node = &self.root;
        for name in path::components(path) {
            node = node.children.get(name)?;
        }
        Some(Arc::clone(node))
    }

    fn put(&mut self, at: &[u8], layer: LayerIndex, make: impl FnOnce(Option<&Node>) -> Node) {
        let names: Vec<&BStr> = path::components(at).collect();
        let Some((name, dirs)) = names.split_last() else {
            self.root = Arc::new(make(Some(&self.root)));
            return;
        };
        let dir = self.dir_mut(dirs, layer);
        let node = make(dir.children.get(*name).map(Arc::as_ref));
        dir.children.insert((*name).to_owned(), Arc::new(node));
    }

    fn put_shared(&mut self, at: &[u8], layer: LayerIndex, node: Arc<Node>) {
        let names: Vec<&BStr> = path::components(at).collect();
        if let Some((name, dirs)) = names.split_last() {
            self.dir_mut(dirs, layer).children.insert((*name).to_owned(), node);
        }
    }

    /// The directory at `names`, its own copy; missing ones are made, as tar does.
    fn dir_mut(&mut self, names: &[&BStr], layer: LayerIndex) -> &mut Node {
        let mut node = Arc::make_mut(&mut self.root);
        for name in names {
            let missing = || {
                let entry = Arc::new(Entry::dir(Meta::root(0o755, Timestamp(0))));
                Arc::new(Node { entry, children: BTreeMap::new(), layer, merged: false, links: 1, ino: 0 })
            };
            let child = node.children.entry((*name).to_owned()).or_insert_with(missing);
            if child.kind() != Kind::Dir {
                *child = missing();
            }
            node = Arc::make_mut(child);
        }
        node
    }

    fn remove(&mut self, at: &[u8]) {
        if self.get(at).is_none() {
            return;
        }
        let names: Vec<&BStr> = path::components(at).collect();
        if let Some((name, dirs)) = names.split_last() {
            let mut node = Arc::make_mut(&mut self.root);
            for dir in dirs {
                match node.children.get_mut(*dir) {
                    Some(child) => node = Arc::make_mut(child),
                    None => return,
                }
            }
            node.children.remove(*name);
        }
    }

    /// The sum of the sizes of all files, each hard-linked file once a name, in bytes.
    pub fn size_bytes(&self) -> u64 {
        let (mut sum, mut stack) = (0, vec![&self.root]);
        while let Some(node) = stack.pop() {
            if node.kind() == Kind::File {
                sum += node.entry.content.size_bytes();
            }
            stack.extend(node.children.values());
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(entries: &[(&str, Change)]) -> Layer {
        entries.iter().map(|(p, c)| (BString::from(*p), c.clone())).collect()
    }

    fn file(text: &str) -> Change {
        Change::Put(Arc::new(Entry::file(Meta::root(0o644, Timestamp(0)), text)))
    }

    fn dir(opaque: bool) -> Change {
        Change::Put(Arc::new(Entry::new(Meta::root(0o755, Timestamp(0)), Content::Dir { opaque })))
    }

    fn paths(tree: &Tree) -> Vec<String> {
        fn walk(node: &Node, at: &str, out: &mut Vec<String>) {
            for (name, child) in &node.children {
                let path = format!("{at}{name}");
                out.push(format!("{path}@{}", child.layer));
                walk(child, &format!("{path}/"), out);
            }
        }
        let mut out = Vec::new();
        walk(tree.root(), "", &mut out);
        out
    }

    #[test]
    fn whiteout_hides_only_lower_layers() {
        let a = layer(&[("etc", dir(false)), ("etc/a", file("1")), ("etc/b", file("2"))]);
        let b = layer(&[("etc/a", Change::Whiteout)]);
        let c = layer(&[("etc/a", file("3"))]);
        assert_eq!(paths(&Tree::of([&a, &b])), ["etc@0", "etc/b@0"]);
        assert_eq!(paths(&Tree::of([&a, &b, &c])), ["etc@0", "etc/a@2", "etc/b@0"]);
    }

    #[test]
    fn opaque_directory_hides_what_is_below() {
        let a = layer(&[("d", dir(false)), ("d/a", file("1"))]);
        let b = layer(&[("d", dir(true)), ("d/b", file("2"))]);
        assert_eq!(paths(&Tree::of([&a, &b])), ["d@1", "d/b@1"]);
    }

    #[test]
    fn hard_links_share_a_file_within_their_layer() {
        let a = layer(&[("x", file("1")), ("y", Change::HardLink("x".into()))]);
        let tree = Tree::of([&a]);
        let (x, y) = (tree.get(b"x").unwrap(), tree.get(b"y").unwrap());
        assert!(Arc::ptr_eq(&x, &y));
        assert_eq!(x.links, 2);
    }

    #[test]
    fn tar_round_trip_keeps_the_layer() {
        let long = "n".repeat(200);
        let a = layer(&[
            ("", dir(false)),
            ("d", dir(true)),
            ("d/gone", Change::Whiteout),
            ("d/x", file("1")),
            ("d/y", Change::HardLink("d/x".into())),
            (&long, file("long")),
        ]);
        assert_eq!(Layer::from_tar(&a.to_tar()), Ok(a));
    }
}
