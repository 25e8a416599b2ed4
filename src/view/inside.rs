//! Inside layers: the files of an image or container as a tree, with what each layer adds, changes and hides.
//!
//! A [`Lens`] says what is looked at; [`FileNode::of`] makes the tree, [`rows`] the lines that are open, [`step`] what a key does.
//! Nothing here draws. Trees are walked whole, as a folder's size is the sum of what is in it, but only open folders
//! become lines.

use crate::base::sort::Arrange;
use std::collections::BTreeSet;
use std::sync::Arc;

use bstr::{BString, ByteSlice};

use crate::base::digest::ChainId;
use crate::docker::daemon::api::layers::{LayerStack, StackLayer};
use crate::os::fs::layer::Change;
use crate::os::fs::node::{Content, Kind};
use crate::os::fs::tree::{self, Tree};

/// Lines of one folder before the rest is folded into one.
pub const FOLDER_LINES: usize = 150;
/// Trees of at most this many nodes are open at first.
const SMALL_TREE: usize = 60;
/// Folders are walked this deep at most.
const MAX_DEPTH: usize = crate::base::path::MAX_DEPTH;

/// What is looked into.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Subject {
    /// An image or a container, by its id.
    Object(String),
    /// The stack up to a layer.
    Layer(ChainId),
}

/// What is looked at; numbers are places in the stack.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lens {
    /// Only what one layer does.
    Layer(usize),
    /// Everything that is seen at a layer, with what that layer does marked.
    Merged(usize),
    /// What differs from what is seen at one layer to what is seen at another.
    Between(usize, usize),
}

impl Lens {
    /// The layer whose files are seen.
    pub const fn top(self) -> usize {
        match self {
            Self::Layer(at) | Self::Merged(at) | Self::Between(_, at) => at,
        }
    }
}

/// What became of a file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum Mark {
    /// Nothing.
    #[default]
    Same,
    /// It was not there below.
    Added,
    /// It was there below and is another one.
    Changed,
    /// A whiteout hides it.
    Hidden,
    /// A folder that was made anew: what was in it below is hidden.
    Opaque,
}

/// A file or folder of the tree.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct FileNode {
    /// Its name.
    pub name: BString,
    /// Folder, file, ...
    pub is_dir: bool,
    /// What became of it.
    pub mark: Mark,
    /// Its size; a folder's is the sum of what is in it, without what is hidden.
    pub size_bytes: u64,
    /// The layer that supplies it, or, when it is hidden, supplied it.
    pub layer: usize,
    /// Where a symbolic link leads.
    pub target: Option<BString>,
    /// How many files and folders below are marked, itself included.
    pub marked: usize,
    /// What is in a folder, folders first, by name.
    pub children: Vec<Self>,
}

type Shared<'a> = Option<&'a Arc<tree::Node>>;

struct Walk {
    /// The layer whose doing is marked; `None` compares contents.
    layer: Option<usize>,
    keep_same: bool,
}

impl FileNode {
    /// The tree that a lens shows.
    pub fn of(stack: &LayerStack, lens: Lens) -> Self {
        let tree = |at: usize| stack.layers.get(at).map(|layer| layer.tree.clone());
        let below = |at: usize| at.checked_sub(1).and_then(tree).unwrap_or_default();
        let (old, new, walk) = match lens {
            Lens::Layer(at) => (below(at), tree(at), Walk { layer: Some(at), keep_same: false }),
            Lens::Merged(at) => (below(at), tree(at), Walk { layer: Some(at), keep_same: true }),
            Lens::Between(from, to) => {
                (tree(from).unwrap_or_default(), tree(to), Walk { layer: None, keep_same: false })
            }
        };
        let new = new.unwrap_or_default();
        let mut root = walk.node(Some(old.root()), Some(new.root()), 0).unwrap_or_default();
        root.is_dir = true;
        root.mark = Mark::Same;
        root
    }

    /// How many nodes there are below.
    pub fn count(&self) -> usize {
        self.children.iter().map(|child| 1 + child.count()).sum()
    }

    /// The folders that are open at first: all of a small tree, else those that lead to where there is a choice.
    pub fn first_open(&self) -> BTreeSet<BString> {
        let mut open = BTreeSet::new();
        let all = self.count() <= SMALL_TREE;
        let mut todo: Vec<(BString, &Self)> = vec![(BString::default(), self)];
        while let Some((path, node)) = todo.pop() {
            let dirs: Vec<&Self> = node.children.iter().filter(|child| child.is_dir).collect();
            for child in &dirs {
                if all || dirs.len() == 1 && node.children.len() == 1 {
                    let path = join(&path, &child.name);
                    open.insert(path.clone());
                    todo.push((path, child));
                }
            }
        }
        open
    }

    /// The node at a path.
    pub fn get(&self, path: &[u8]) -> Option<&Self> {
        let names = crate::base::path::components(path);
        names.into_iter().try_fold(self, |node, name| node.children.iter().find(|child| child.name == *name))
    }
}

impl Walk {
    /// `None` for what a lens leaves out.
    fn node(&self, old: Shared<'_>, new: Shared<'_>, depth: usize) -> Option<FileNode> {
        let Some(node) = new else {
            let gone = old?;
            return Some(FileNode {
                is_dir: gone.kind() == Kind::Dir,
                mark: Mark::Hidden,
                size_bytes: size_of(gone),
                layer: usize::from(gone.layer),
                target: target(gone),
                marked: 1,
                ..FileNode::default()
            });
        };
        let untouched = old.is_some_and(|old| Arc::ptr_eq(old, node));
        if untouched && !self.keep_same || depth > MAX_DEPTH {
            return None;
        }
        let is_dir = node.kind() == Kind::Dir;
        let mark = if untouched { Mark::Same } else { self.mark(old, node) };
        let old_dir = old.filter(|old| is_dir && old.kind() == Kind::Dir);
        let mut children: Vec<FileNode> = Vec::new();
        for (name, child) in &node.children {
            let before = old_dir.and_then(|old| old.children.get(name));
            if let Some(found) = self.node(before, Some(child), depth + 1) {
                children.push(FileNode { name: name.clone(), ..found });
            }
        }
        for (name, gone) in old_dir.iter().flat_map(|old| &old.children) {
            if !node.children.contains_key(name)
                && let Some(found) = self.node(Some(gone), None, depth + 1)
            {
                children.push(FileNode { name: name.clone(), ..found });
            }
        }
        children.arrange_by(|a, b| (!a.is_dir, &a.name).cmp(&(!b.is_dir, &b.name)));
        if mark == Mark::Same && !self.keep_same && children.is_empty() {
            return None;
        }
        let own = if is_dir { 0 } else { node.entry.content.size_bytes() };
        let seen = children.iter().filter(|child| child.mark != Mark::Hidden).map(|child| child.size_bytes);
        Some(FileNode {
            name: BString::default(),
            is_dir,
            mark,
            size_bytes: seen.fold(own, u64::saturating_add),
            layer: usize::from(node.layer),
            target: target(node),
            marked: usize::from(mark != Mark::Same) + children.iter().map(|child| child.marked).sum::<usize>(),
            children,
        })
    }

    fn mark(&self, old: Shared<'_>, new: &Arc<tree::Node>) -> Mark {
        let Some(old) = old else { return Mark::Added };
        let is_dir = new.kind() == Kind::Dir;
        match self.layer {
            Some(layer) if usize::from(new.layer) != layer => Mark::Same,
            Some(_) if matches!(new.entry.content, Content::Dir { opaque: true }) => Mark::Opaque,
            // Folders stand in a layer also because of what is in them.
            Some(_) if is_dir && old.kind() == Kind::Dir => {
                let (a, b) = (&old.entry.meta, &new.entry.meta);
                if (a.mode, a.uid, a.gid) == (b.mode, b.uid, b.gid) { Mark::Same } else { Mark::Changed }
            }
            Some(_) => Mark::Changed,
            None => {
                let (a, b) = (&old.entry, &new.entry);
                let same_meta = (a.meta.mode, a.meta.uid, a.meta.gid) == (b.meta.mode, b.meta.uid, b.meta.gid);
                let both_dirs = is_dir && old.kind() == Kind::Dir;
                if same_meta && (both_dirs || same_content(&a.content, &b.content)) {
                    Mark::Same
                } else {
                    Mark::Changed
                }
            }
        }
    }
}

/// Whether two files have the same bytes, told from their description.
fn same_content(a: &Content, b: &Content) -> bool {
    match (a, b) {
        (Content::File(a), Content::File(b)) => a.len() == b.len() && a.structural_key() == b.structural_key(),
        (a, b) => a == b,
    }
}

fn size_of(node: &tree::Node) -> u64 {
    let own = if node.kind() == Kind::Dir { 0 } else { node.entry.content.size_bytes() };
    node.children.values().fold(own, |sum, child| sum.saturating_add(size_of(child)))
}

fn target(node: &tree::Node) -> Option<BString> {
    match &node.entry.content {
        Content::Symlink(target) => Some(target.clone()),
        _ => None,
    }
}

fn join(dir: &BString, name: &BString) -> BString {
    if dir.is_empty() { name.clone() } else { crate::base::path::join(dir, name) }
}

/// How many files a layer adds, changes and hides.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Tally {
    /// Files and folders that were not there below.
    pub added: usize,
    /// Files that were, and folders whose owner or mode changed.
    pub changed: usize,
    /// Whiteouts and opaque folders.
    pub hidden: usize,
}

impl Tally {
    /// Of a layer on what is below it.
    pub fn of(below: &Tree, layer: &StackLayer) -> Self {
        let mut tally = Self::default();
        for (path, change) in layer.layer.entries().filter(|(path, _)| !path.is_empty()) {
            let old = below.get(path);
            match (change, old) {
                (Change::Whiteout, _) => tally.hidden += 1,
                (Change::Put(entry), Some(_)) if matches!(entry.content, Content::Dir { opaque: true }) => {
                    tally.hidden += 1;
                }
                (Change::Put(entry), Some(old)) if entry.content.kind() == Kind::Dir && old.kind() == Kind::Dir => {
                    let (a, b) = (old.entry.meta, entry.meta);
                    tally.changed += usize::from((a.mode, a.uid, a.gid) != (b.mode, b.uid, b.gid));
                }
                (_, None) => tally.added += 1,
                (_, Some(_)) => tally.changed += 1,
            }
        }
        tally
    }
}

/// A line of the tree.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// Where it is, from the root, without a leading slash.
    pub path: BString,
    /// What the line is about.
    pub kind: RowKind,
    /// How deep it is, from 1.
    pub level: usize,
    /// Its place among its siblings, from 1.
    pub place: usize,
    /// How many siblings there are, itself included.
    pub siblings: usize,
}

/// What a line is about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RowKind {
    /// A file or a folder that has nothing to show.
    File(Line),
    /// A folder, open or not.
    Folder(Line, bool),
    /// So many more in the folder at the path.
    More(usize),
}

/// What a line shows of a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// Its name.
    pub name: String,
    /// Whether it is a folder.
    pub is_dir: bool,
    /// What became of it.
    pub mark: Mark,
    /// Its size.
    pub size_bytes: u64,
    /// The layer that supplies it.
    pub layer: usize,
    /// Where a link leads.
    pub target: Option<String>,
    /// How many marked files a closed folder holds.
    pub marked: usize,
}

impl RowKind {
    /// What is shown of a file or folder.
    pub const fn line(&self) -> Option<&Line> {
        match self {
            Self::File(line) | Self::Folder(line, _) => Some(line),
            Self::More(_) => None,
        }
    }
}

/// Which folders are open, which are shown in full, and what is looked for.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Folds {
    /// Open folders.
    pub open: BTreeSet<BString>,
    /// Folders of which more than [`FOLDER_LINES`] are shown.
    pub full: BTreeSet<BString>,
    /// Part of a path; empty shows all.
    pub filter: String,
}

impl Folds {
    /// Opens or closes a folder, or shows all of one.
    pub fn toggle(&mut self, row: &Row) {
        match row.kind {
            RowKind::Folder(_, true) => drop(self.open.remove(&row.path)),
            RowKind::Folder(_, false) => drop(self.open.insert(row.path.clone())),
            RowKind::More(_) => drop(self.full.insert(row.path.clone())),
            RowKind::File(_) => {}
        }
    }
}

/// The lines that are open. With a filter: what matches, and the folders that lead there.
pub fn rows(root: &FileNode, folds: &Folds) -> Vec<Row> {
    let mut out = Vec::new();
    let filter = folds.filter.trim().trim_start_matches('/').to_lowercase();
    push_rows(root, &BString::default(), 1, folds, &filter, &mut out);
    out
}

fn push_rows(dir: &FileNode, at: &BString, level: usize, folds: &Folds, filter: &str, out: &mut Vec<Row>) {
    let shown: Vec<(BString, &FileNode)> = dir
        .children
        .iter()
        .map(|child| (join(at, &child.name), child))
        .filter(|(path, child)| filter.is_empty() || matches(child, path, filter))
        .collect();
    let siblings = shown.len();
    let limit = if folds.full.contains(at) { usize::MAX } else { FOLDER_LINES };
    for (place, (path, child)) in shown.into_iter().enumerate() {
        if place == limit {
            out.push(Row {
                path: at.clone(),
                kind: RowKind::More(siblings - limit),
                level,
                place: place + 1,
                siblings,
            });
            return;
        }
        let line = Line {
            name: child.name.to_str_lossy().into_owned(),
            is_dir: child.is_dir,
            mark: child.mark,
            size_bytes: child.size_bytes,
            layer: child.layer,
            target: child.target.as_ref().map(|target| target.to_str_lossy().into_owned()),
            marked: child.marked,
        };
        let place = place + 1;
        if !child.is_dir || child.children.is_empty() {
            out.push(Row { path, kind: RowKind::File(line), level, place, siblings });
            continue;
        }
        // A folder whose own name matches shows what it holds when it is opened; one on the way is open.
        let on_the_way = !filter.is_empty() && !path.to_str_lossy().to_lowercase().contains(filter);
        let open = on_the_way || folds.open.contains(&path);
        out.push(Row { path: path.clone(), kind: RowKind::Folder(line, open), level, place, siblings });
        if open {
            push_rows(child, &path, level + 1, folds, if on_the_way { filter } else { "" }, out);
        }
    }
}

fn matches(node: &FileNode, path: &BString, filter: &str) -> bool {
    path.to_str_lossy().to_lowercase().contains(filter)
        || node.children.iter().any(|child| matches(child, &join(path, &child.name), filter))
}

/// What a key does in a tree (ARIA Authoring Practices, "Tree View").
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// Another line is the active one.
    To(usize),
    /// The active line's folder opens or closes, or shows all.
    Toggle(usize),
}

/// What a key does when the line `at` is active.
pub fn step(rows: &[Row], at: usize, key: &str) -> Option<Step> {
    let row = rows.get(at)?;
    let last = rows.len().saturating_sub(1);
    let to = |place: usize| Some(Step::To(place.min(last)));
    match (key, &row.kind) {
        ("ArrowDown", _) => to(at + 1),
        ("ArrowUp", _) => to(at.saturating_sub(1)),
        ("PageDown", _) => to(at + 12),
        ("PageUp", _) => to(at.saturating_sub(12)),
        ("Home", _) => to(0),
        ("End", _) => to(last),
        ("ArrowRight", RowKind::Folder(_, false)) => Some(Step::Toggle(at)),
        ("ArrowRight", RowKind::Folder(_, true)) => to(at + 1),
        ("ArrowLeft", RowKind::Folder(_, true)) => Some(Step::Toggle(at)),
        ("ArrowLeft", _) => rows.iter().take(at).rposition(|above| above.level < row.level).and_then(to),
        ("Enter" | " ", RowKind::Folder(..) | RowKind::More(_)) => Some(Step::Toggle(at)),
        (key, _) if key.chars().count() == 1 && key != " " => {
            let key = key.to_lowercase();
            let begins = |row: &Row| row.kind.line().is_some_and(|line| line.name.to_lowercase().starts_with(&key));
            let after = rows.iter().skip(at + 1).position(begins).map(|found| found + at + 1);
            after.or_else(|| rows.iter().take(at).position(begins)).and_then(to)
        }
        _ => None,
    }
}

#[cfg(test)]
#[path = "inside_tests.rs"]
pub(super) mod tests;
