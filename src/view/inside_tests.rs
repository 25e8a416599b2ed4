//! A small stack of layers, and what is seen inside.

use super::*;
use crate::base::digest::{DiffId, Digest};
use crate::base::time::Timestamp;
use crate::docker::daemon::api::layers::LayerRole;
use crate::os::fs::layer::Layer;
use crate::os::fs::node::{Entry, Meta};

pub fn file(text: &str) -> Change {
    Change::Put(Arc::new(Entry::file(Meta::root(0o644, Timestamp(0)), text)))
}

pub fn dir(opaque: bool) -> Change {
    Change::Put(Arc::new(Entry::new(Meta::root(0o755, Timestamp(0)), Content::Dir { opaque })))
}

pub fn stack(layers: &[&[(&str, Change)]]) -> LayerStack {
    let mut tree = Tree::empty();
    let mut out = Vec::new();
    for (at, entries) in layers.iter().enumerate() {
        let layer: Layer = entries.iter().map(|(path, change)| (BString::from(*path), change.clone())).collect();
        tree = tree.with(&layer);
        let digest = Digest::of(&[at as u8]);
        out.push(StackLayer {
            role: LayerRole::Image { diff_id: DiffId(digest), chain_id: ChainId(digest) },
            size_bytes: layer.size_bytes(),
            layer: Arc::new(layer),
            tree: tree.clone(),
            created_by: String::new(),
            used_by: Vec::new(),
        });
    }
    LayerStack { name: "i".to_owned(), image: None, is_container: false, layers: out, mounts: Vec::new() }
}

fn example() -> LayerStack {
    stack(&[
        &[("etc", dir(false)), ("etc/a", file("1")), ("etc/b", file("22")), ("var", dir(false)), ("var/x", file("x"))],
        &[("etc", dir(false)), ("etc/a", file("333")), ("etc/b", Change::Whiteout), ("etc/c", file("1"))],
        &[("var", dir(true)), ("var/y", file("y"))],
    ])
}

fn shown(stack: &LayerStack, lens: Lens) -> Vec<String> {
    let root = FileNode::of(stack, lens);
    let all = Folds { open: [BString::from("etc"), BString::from("var")].into(), ..Folds::default() };
    let sign = |mark| match mark {
        Mark::Same => ' ',
        Mark::Added => '+',
        Mark::Changed => '~',
        Mark::Hidden => '-',
        Mark::Opaque => 'o',
    };
    let line =
        |row: &Row| row.kind.line().map(|l| format!("{}{} {}@{}", sign(l.mark), row.path, l.size_bytes, l.layer));
    rows(&root, &all).iter().filter_map(line).collect()
}

#[test]
fn a_layer_shows_what_it_adds_changes_and_hides() {
    let stack = example();
    assert_eq!(shown(&stack, Lens::Layer(1)), [" etc 4@1", "~etc/a 3@1", "-etc/b 2@0", "+etc/c 1@1"]);
    assert_eq!(shown(&stack, Lens::Layer(2)), ["ovar 1@2", "-var/x 1@0", "+var/y 1@2"]);
    assert_eq!(shown(&stack, Lens::Layer(0)).len(), 5);
}

#[test]
fn merged_shows_everything_and_from_where() {
    let merged = shown(&example(), Lens::Merged(2));
    assert_eq!(merged, [" etc 4@1", " etc/a 3@1", " etc/c 1@1", "ovar 1@2", "-var/x 1@0", "+var/y 1@2"]);
}

#[test]
fn two_layers_are_compared_by_content() {
    let stack = example();
    let all = shown(&stack, Lens::Between(0, 2));
    assert_eq!(all, [" etc 4@1", "~etc/a 3@1", "-etc/b 2@0", "+etc/c 1@1", " var 1@2", "-var/x 1@0", "+var/y 1@2"]);
    let same = super::tests::stack(&[&[("a", file("1"))], &[("a", file("1"))]]);
    assert_eq!(shown(&same, Lens::Between(0, 1)), [""; 0]);
    assert_eq!(shown(&same, Lens::Layer(1)), ["~a 1@1"], "a layer that brings the same file again says so");
}

#[test]
fn a_tally_counts_what_the_tree_marks() {
    let stack = example();
    for at in 0..3_usize {
        let below = at.checked_sub(1).map(|below| stack.layers[below].tree.clone()).unwrap_or_default();
        let tally = Tally::of(&below, &stack.layers[at]);
        let wanted = [(5, 0, 0), (1, 1, 1), (1, 0, 1)][at];
        assert_eq!((tally.added, tally.changed, tally.hidden), wanted);
    }
}

#[test]
fn filters_open_the_way() {
    let root = FileNode::of(&example(), Lens::Merged(0));
    let found = |filter: &str| -> Vec<String> {
        let folds = Folds { filter: filter.to_owned(), ..Folds::default() };
        rows(&root, &folds).iter().map(|row| row.path.to_string()).collect()
    };
    assert_eq!(found("ETC/B"), ["etc", "etc/b"]);
    assert_eq!(found("etc"), ["etc"]);
    assert_eq!(found("nope"), [""; 0]);
}

#[test]
fn large_folders_are_cut_and_can_be_shown_in_full() {
    let names: Vec<String> = (0..400).map(|n| format!("d/{n:03}")).collect();
    let mut entries = vec![("d", dir(false))];
    entries.extend(names.iter().map(|name| (name.as_str(), file("1"))));
    let root = FileNode::of(&stack(&[&entries]), Lens::Layer(0));
    let mut folds = Folds { open: root.first_open(), ..Folds::default() };
    let lines = rows(&root, &folds);
    assert_eq!(lines.len(), 1 + FOLDER_LINES + 1);
    let more = lines.last().unwrap();
    assert_eq!(more.kind, RowKind::More(250));
    folds.toggle(more);
    assert_eq!(rows(&root, &folds).len(), 401);
}

#[test]
fn keys_walk_the_tree() {
    let root = FileNode::of(&example(), Lens::Merged(0));
    let folds = Folds { open: [BString::from("etc")].into(), ..Folds::default() };
    let lines = rows(&root, &folds);
    let go = |at, key| step(&lines, at, key);
    assert_eq!(go(0, "ArrowDown"), Some(Step::To(1)));
    assert_eq!(go(0, "ArrowUp"), Some(Step::To(0)));
    assert_eq!(go(2, "ArrowLeft"), Some(Step::To(0)));
    assert_eq!(go(0, "ArrowLeft"), Some(Step::Toggle(0)));
    assert_eq!(go(3, "ArrowRight"), Some(Step::Toggle(3)));
    assert_eq!(go(0, "ArrowRight"), Some(Step::To(1)));
    assert_eq!(go(0, "End"), Some(Step::To(3)));
    assert_eq!(go(0, "v"), Some(Step::To(3)));
    assert_eq!(go(1, "Enter"), None);
    assert_eq!(go(9, "Enter"), None);
}
