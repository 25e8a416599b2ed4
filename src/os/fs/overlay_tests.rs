//! The overlay's claims, and its agreement with a naive map after every operation and commit.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

const NOW: Timestamp = Timestamp(1_000_000_000);

fn meta() -> Meta {
    Meta::root(0o644, Timestamp(0))
}

fn base() -> Tree {
    let put = |content| Change::Put(Arc::new(Entry::new(meta(), content)));
    let layer: Layer = [
        ("d", put(Content::Dir { opaque: false })),
        ("d/a", put(Content::File("lower a".into()))),
        ("d/b", put(Content::File("lower b".into()))),
        ("f", put(Content::File("lower f".into()))),
        ("g", Change::HardLink("f".into())),
    ]
    .into_iter()
    .map(|(path, change)| (BString::from(path), change))
    .collect();
    Tree::of([&layer])
}

fn overlay() -> Overlay {
    Overlay::new(1, base(), 1 << 20)
}

fn at(overlay: &mut Overlay, path: &str) -> Result<Ino, Errno> {
    path::components(path.as_bytes()).try_fold(ROOT, |dir, name| overlay.lookup(dir, name))
}

fn text(overlay: &mut Overlay, path: &str) -> String {
    let ino = at(overlay, path).unwrap();
    String::from_utf8(overlay.read(ino, 0, 100).unwrap().to_vec()).unwrap()
}

fn differences(overlay: &Overlay) -> Vec<String> {
    let letter = |d| match d {
        Difference::Added => 'A',
        Difference::Changed => 'C',
        Difference::Deleted => 'D',
    };
    overlay.differences().iter().map(|(path, d)| format!("{} {path}", letter(*d))).collect()
}

#[test]
fn write_copies_up_and_tells_from_which_layer() {
    let mut o = overlay();
    let a = at(&mut o, "d/a").unwrap();
    assert_eq!(o.layer_of(a), Some(0));
    o.write(a, 0, &"UPPER".into(), NOW).unwrap();
    assert_eq!(text(&mut o, "d/a"), "UPPER a");
    assert_eq!(o.layer_of(a), None);
    assert_eq!(
        o.take_events(),
        [
            FsEvent::CopiedUp { path: "d".into(), from: 0, size_bytes: 0 },
            FsEvent::CopiedUp { path: "d/a".into(), from: 0, size_bytes: 7 }
        ]
    );
    assert_eq!(differences(&o), ["C /d", "C /d/a"]);
}

#[test]
fn reading_copies_nothing_up() {
    let mut o = overlay();
    assert_eq!(text(&mut o, "d/a"), "lower a");
    assert!(o.upper().is_empty());
}

#[test]
fn removed_and_remade_directory_is_opaque() {
    let mut o = overlay();
    let d = at(&mut o, "d").unwrap();
    assert_eq!(o.rmdir(ROOT, "d".into(), NOW), Err(Errno::ENOTEMPTY));
    o.unlink(d, "a".into(), NOW).unwrap();
    o.unlink(d, "b".into(), NOW).unwrap();
    o.rmdir(ROOT, "d".into(), NOW).unwrap();
    assert_eq!(at(&mut o, "d"), Err(Errno::ENOENT));
    assert_eq!(differences(&o), ["D /d"]);
    let d = o.create(ROOT, "d".into(), meta(), Content::Dir { opaque: false }, NOW).unwrap();
    assert!(o.readdir(d).unwrap().is_empty());
    assert!(o.take_events().contains(&FsEvent::MadeOpaque("d".into())));
    let merged = base().with(&o.upper());
    assert!(merged.get(b"d/a").is_none() && merged.get(b"d").is_some());
}

#[test]
fn copy_up_breaks_a_lower_hard_link() {
    let mut o = overlay();
    let (f, g) = (at(&mut o, "f").unwrap(), at(&mut o, "g").unwrap());
    assert_eq!((o.stat(f).unwrap().nlink, o.stat(f).unwrap().ino), (2, o.stat(g).unwrap().ino));
    o.write(f, 0, &"X".into(), NOW).unwrap();
    assert_eq!(text(&mut o, "g"), "lower f");
    assert_eq!(o.stat(f).unwrap().nlink, 1);
}

#[test]
fn rename_of_a_lower_directory_is_exdev_and_of_an_upper_one_works() {
    let mut o = overlay();
    assert_eq!(o.rename(ROOT, "d".into(), ROOT, "e".into(), NOW), Err(Errno::EXDEV));
    let n = o.create(ROOT, "n".into(), meta(), Content::Dir { opaque: false }, NOW).unwrap();
    assert_eq!(o.rename(ROOT, "n".into(), n, "x".into(), NOW), Err(Errno::EINVAL));
    o.rename(ROOT, "n".into(), ROOT, "m".into(), NOW).unwrap();
    assert!(at(&mut o, "m").is_ok() && at(&mut o, "n").is_err());
}

#[test]
fn unlinked_file_lives_while_it_is_open() {
    let mut o = overlay();
    let ino = o.create(ROOT, "tmp".into(), meta(), Content::File("x".into()), NOW).unwrap();
    o.hold(ino);
    o.unlink(ROOT, "tmp".into(), NOW).unwrap();
    assert_eq!(o.read(ino, 0, 9).unwrap().to_vec(), b"x");
    o.release(ino);
    assert_eq!(o.read(ino, 0, 9), Err(Errno::ENOENT));
    assert_eq!(o.resident_bytes(), 0);
}

#[test]
fn a_full_disk_says_so_and_keeps_what_it_has() {
    let mut o = Overlay::new(1, Tree::empty(), 10);
    let ino = o.create(ROOT, "x".into(), meta(), Content::File("12345".into()), NOW).unwrap();
    assert_eq!(o.write(ino, 5, &"678901".into(), NOW), Err(Errno::ENOSPC));
    assert_eq!(o.read(ino, 0, 99).unwrap().to_vec(), b"12345");
}

#[derive(Clone, Debug)]
enum Op {
    Write(String, String),
    Mkdir(String),
    Remove(String),
    Rename(String, String),
    Link(String, String),
    Chmod(String, u32),
}

fn some_path() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["d", "d/a", "d/b", "d/c", "f", "g", "h", "e", "e/a", "e/x", "d/s", "d/s/t"])
        .prop_map(str::to_owned)
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        (some_path(), "[a-z]{0,4}").prop_map(|(p, t)| Op::Write(p, t)),
        some_path().prop_map(Op::Mkdir),
        some_path().prop_map(Op::Remove),
        (some_path(), some_path()).prop_map(|(a, b)| Op::Rename(a, b)),
        (some_path(), some_path()).prop_map(|(a, b)| Op::Link(a, b)),
        (some_path(), 0u32..0o1000).prop_map(|(p, m)| Op::Chmod(p, m)),
    ]
}

/// The naive twin: path -> file (by number, so that hard links share) or directory.
#[derive(Clone, Default)]
struct Naive {
    names: BTreeMap<String, Option<usize>>,
    files: Vec<(String, u32)>,
}

fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

fn apply(o: &mut Overlay, naive: &mut Naive, op: &Op) {
    let dir_of = |o: &mut Overlay, p: &str| at(o, split(p).0);
    match op {
        Op::Write(p, t) => {
            let Ok(dir) = dir_of(o, p) else { return };
            let name = BStr::new(split(p).1);
            let done = match o.lookup(dir, name) {
                Ok(ino) => o.truncate(ino, 0, NOW).and_then(|()| o.write(ino, 0, &t.as_str().into(), NOW)),
                Err(_) => o.create(dir, name, meta(), Content::File(t.as_str().into()), NOW).map(drop),
            };
            if done.is_ok() {
                match naive.names.get(p) {
                    Some(Some(file)) => naive.files[*file].0.clone_from(t),
                    _ => {
                        naive.files.push((t.clone(), 0o644));
                        naive.names.insert(p.clone(), Some(naive.files.len() - 1));
                    }
                }
            } else {
                assert!(naive.names.get(p) == Some(&None) || naive.names.get(split(p).0) != Some(&None));
            }
        }
        Op::Mkdir(p) => {
            let Ok(dir) = dir_of(o, p) else { return };
            let made = o.create(dir, BStr::new(split(p).1), meta(), Content::Dir { opaque: false }, NOW);
            let parent_is_dir = split(p).0.is_empty() || naive.names.get(split(p).0) == Some(&None);
            assert_eq!(made.is_ok(), !naive.names.contains_key(p) && parent_is_dir);
            if made.is_ok() {
                naive.names.insert(p.clone(), None);
            }
        }
        Op::Remove(p) => {
            let Ok(dir) = dir_of(o, p) else { return };
            let name = BStr::new(split(p).1);
            if o.unlink(dir, name, NOW).is_ok() || o.rmdir(dir, name, NOW).is_ok() {
                assert!(!naive.names.keys().any(|k| k.starts_with(&format!("{p}/"))));
                assert!(naive.names.remove(p).is_some());
            }
        }
        Op::Rename(a, b) => {
            let (Ok(from), Ok(to)) = (dir_of(o, a), dir_of(o, b)) else { return };
            let same = naive.names.contains_key(a) && naive.names.get(a) == naive.names.get(b);
            if o.rename(from, BStr::new(split(a).1), to, BStr::new(split(b).1), NOW).is_ok() && a != b {
                if same && naive.names[a].is_some() {
                    return;
                }
                let moved: Vec<_> = naive
                    .names
                    .iter()
                    .filter(|(k, _)| *k == a || k.starts_with(&format!("{a}/")))
                    .map(|(k, v)| (k.clone(), *v))
                    .collect();
                for (key, value) in moved {
                    naive.names.remove(&key);
                    naive.names.insert(key.replacen(a.as_str(), b, 1), value);
                }
            }
        }
        Op::Link(a, b) => {
            let (Ok(ino), Ok(to)) = (at(o, a), dir_of(o, b)) else { return };
            // A link from a file that is still below breaks from its other lower names; the twin gets a copy.
            let was_lower = o.layer_of(ino).is_some();
            if o.link(to, BStr::new(split(b).1), ino, NOW).is_ok() {
                let file = naive.names[a].unwrap();
                let file = if was_lower { unshare(naive, a, file) } else { file };
                naive.names.insert(b.clone(), Some(file));
            }
        }
        Op::Chmod(p, m) => {
            let Ok(ino) = at(o, p) else { return };
            o.set_meta(ino, NOW, |meta| meta.mode = *m).unwrap();
            if let Some(Some(file)) = naive.names.get(p) {
                naive.files[*file].1 = *m;
            }
        }
    }
}

fn unshare(naive: &mut Naive, path: &str, file: usize) -> usize {
    naive.files.push(naive.files[file].clone());
    naive.names.insert(path.to_owned(), Some(naive.files.len() - 1));
    naive.files.len() - 1
}

fn naive_base() -> Naive {
    let mut naive = Naive::default();
    for (path, text) in [("d/a", "lower a"), ("d/b", "lower b"), ("f", "lower f"), ("g", "lower f")] {
        naive.files.push((text.to_owned(), 0o644));
        naive.names.insert(path.to_owned(), Some(naive.files.len() - 1));
    }
    naive.names.insert("d".to_owned(), None);
    naive
}

fn flatten(tree: &Tree) -> BTreeMap<String, Option<(String, u32)>> {
    let mut out = BTreeMap::new();
    let mut stack = vec![(String::new(), Arc::clone(tree.root()))];
    while let Some((at, node)) = stack.pop() {
        for (name, child) in &node.children {
            let path = format!("{at}{name}");
            out.insert(
                path.clone(),
                match &child.entry.content {
                    Content::File(rope) => Some((String::from_utf8(rope.to_vec()).unwrap(), child.entry.meta.mode)),
                    _ => None,
                },
            );
            stack.push((format!("{path}/"), Arc::clone(child)));
        }
    }
    out
}

proptest! {
    #[test]
    fn overlay_equals_a_naive_map_after_every_operation_and_commit(ops in prop::collection::vec(op(), 1..40)) {
        let (mut o, mut naive) = (overlay(), naive_base());
        for op in &ops {
            apply(&mut o, &mut naive, op);
            let expected: BTreeMap<_, _> =
                naive.names.iter().map(|(k, v)| (k.clone(), v.map(|file| naive.files[file].clone()))).collect();
            // Committing the writable layer on the base gives the merged view.
            prop_assert_eq!(flatten(&base().with(&o.upper())), expected.clone());
            // And so does asking the overlay itself.
            for (path, file) in &expected {
                let ino = at(&mut o, path).unwrap();
                if let Some((content, mode)) = file {
                    prop_assert_eq!(&text(&mut o, path), content);
                    prop_assert_eq!(o.stat(ino).unwrap().meta.mode, *mode);
                }
            }
            prop_assert_eq!(o.changed_paths(), o.differences().len());
            // The writable layer survives its tar form.
            prop_assert_eq!(Layer::from_tar(&o.upper().to_tar()).unwrap().size_bytes(), o.upper().size_bytes());
        }
    }
}

#[test]
fn extended_attributes_are_copied_up_and_only_capabilities_reach_a_layer() {
    let mut put = Entry::file(meta(), "x");
    put.xattrs.set(b"user.a", Some(b"1"));
    let layer: Layer = [(BString::from("f"), Change::Put(Arc::new(put)))].into_iter().collect();
    let mut o = Overlay::new(1, Tree::of([&layer]), 1000);
    let f = at(&mut o, "f").unwrap();
    assert_eq!(o.xattrs(f).unwrap().get(b"user.a"), Some(bstr::BStr::new("1")));
    assert_eq!(o.set_xattr(f, b"user.none", None, NOW), Err(Errno::ENODATA));
    assert_eq!(o.set_xattr(f, b"user.big", Some(&[0; 2000]), NOW), Err(Errno::ENOSPC));
    assert!(o.upper().is_empty());
    o.set_xattr(f, super::CAPABILITY, Some(b"cap"), NOW).unwrap();
    let kept = |o: &Overlay| match o.upper().get(b"f") {
        Some(Change::Put(entry)) => entry.xattrs.iter().map(|(name, _)| name.to_string()).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    assert_eq!(kept(&o), ["security.capability"]);
    assert_eq!(o.xattrs(f).unwrap().iter().count(), 2);
    o.drop_capabilities(f, NOW);
    assert!(kept(&o).is_empty());
}
