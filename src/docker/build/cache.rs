//! BuildKit's cache: results of steps by what went into them, base images, cache mounts.
//!
//! An entry holds its layers in the store, so what is cached can be used. Beyond what BuildKit keeps, entries remember
//! what they were made from, so that a miss can be explained.

use crate::base::sort::Arrange;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use super::world::Held;
use crate::base::digest::{ChainId, Digest, Hasher, ManifestDigest};
use crate::base::time::Timestamp;
use crate::docker::daemon::api::build::MissReason;
use crate::docker::image::config::Image;
use crate::docker::image::store::Store;
use crate::os::fs::overlay::Overlay;

/// The most changed files that a miss names.
const MAX_CHANGED: usize = 20;

/// The name of a step's result: a hash over everything that goes into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CacheKey(Digest);

impl CacheKey {
    /// A key over a kind, what is below, and words.
    pub fn of(kind: &str, parent: Option<Self>, words: &[&[u8]]) -> Self {
        let mut hasher = Hasher::new();
        let mut add = |bytes: &[u8]| {
            hasher.update(&(bytes.len() as u64).to_le_bytes());
            hasher.update(bytes);
        };
        add(kind.as_bytes());
        add(parent.as_ref().map_or(&[][..], |key| key.0.as_bytes().as_slice()));
        words.iter().for_each(|word| add(word));
        Self(hasher.finish())
    }

    /// A key that another builder's cache names.
    pub const fn from_digest(digest: Digest) -> Self {
        Self(digest)
    }

    /// The digest by which a cache in an image names it.
    pub const fn digest(self) -> Digest {
        self.0
    }

    /// Its bytes, to make other keys of.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// What went into a step, for explanations.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inputs {
    /// The instruction on one line.
    pub code: String,
    /// The files it copies or mounts, by path.
    pub files: BTreeMap<String, Digest>,
    /// The variables that it sees and what else is around it, by name.
    pub around: BTreeMap<String, String>,
    /// Whether its layer fits on any other (`COPY --link`).
    pub linked: bool,
}

/// A step that was done.
pub struct Done {
    /// Its id.
    pub id: String,
    /// What it stands on.
    pub parent: Option<CacheKey>,
    /// What went into it.
    pub inputs: Inputs,
    /// Its progress line.
    pub description: String,
    /// Its stack.
    pub held: Option<Held>,
    /// Bytes of its layer.
    pub size_bytes: u64,
    /// How long it took.
    pub took: Duration,
    /// When it was done.
    pub created: Timestamp,
}

/// A folder that outlives builds (`RUN --mount=type=cache`).
struct CacheMount {
    name: String,
    overlay: Rc<RefCell<Overlay>>,
    created: Timestamp,
    last_used: Timestamp,
    uses: u64,
}

struct Entry {
    id: String,
    parent: Option<CacheKey>,
    inputs: Inputs,
    description: String,
    held: Option<Held>,
    size_bytes: u64,
    took: Duration,
    created: Timestamp,
    last_used: Timestamp,
    uses: u64,
    order: u64,
}

/// A row of `docker buildx du` and of `docker system df -v`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheRecord {
    /// Its id.
    pub id: String,
    /// `regular`, `exec.cachemount`.
    pub kind: &'static str,
    /// What it is of.
    pub description: String,
    /// Bytes of its own.
    pub size_bytes: u64,
    /// When it was made.
    pub created: Timestamp,
    /// When it was last of use.
    pub last_used: Timestamp,
    /// How often it was.
    pub uses: u64,
    /// Whether an image has the same layers, so that removing it frees nothing.
    pub shared: bool,
}

/// A base image that a build fetched.
pub struct Source {
    /// Its manifest.
    pub digest: ManifestDigest,
    /// The image.
    pub image: Image,
    held: Option<Held>,
}

/// The names under which two tables differ.
fn changed<V: PartialEq>(old: &BTreeMap<String, V>, new: &BTreeMap<String, V>) -> Vec<String> {
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    names.into_iter().filter(|name| old.get(*name) != new.get(*name)).take(MAX_CHANGED).cloned().collect()
}

impl Entry {
    fn hit(&self) -> Option<Hit> {
        let chain = self.held.as_ref()?.chain();
        Some(Hit { chain, created: self.created, size_bytes: self.size_bytes, took: self.took })
    }
}

/// A result that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hit {
    /// The stack, whose top is the step's layer.
    pub chain: ChainId,
    /// When the layer was made.
    pub created: Timestamp,
    /// Its bytes.
    pub size_bytes: u64,
    /// How long it took to make.
    pub took: Duration,
}

/// The cache.
#[derive(Default)]
pub struct BuildCache {
    entries: BTreeMap<CacheKey, Entry>,
    sources: BTreeMap<String, Source>,
    seen_bases: BTreeSet<String>,
    known_files: BTreeSet<Digest>,
    mounts: BTreeMap<String, CacheMount>,
    counter: u64,
}

impl BuildCache {
    /// Looks a step up.
    pub fn lookup(&mut self, key: CacheKey, now: Timestamp) -> Option<Hit> {
        let hit = self.peek(key)?;
        let entry = self.entries.get_mut(&key)?;
        entry.uses += 1;
        entry.last_used = now;
        self.counter += 1;
        entry.order = self.counter;
        Some(hit)
    }

    /// Looks a step up without using it.
    pub fn peek(&self, key: CacheKey) -> Option<Hit> {
        self.entries.get(&key).and_then(Entry::hit)
    }

    /// What an instruction made the last time it was done, whatever it stood on.
    pub fn last_time(&self, code: &str) -> Option<Hit> {
        let same = self.entries.values().filter(|entry| entry.inputs.code == code && entry.held.is_some());
        same.max_by_key(|entry| entry.order).and_then(Entry::hit)
    }

    /// Remembers a step.
    pub fn insert(&mut self, key: CacheKey, done: Done) {
        self.counter += 1;
        let order = self.counter;
        let Done { id, parent, inputs, description, held, size_bytes, took, created } = done;
        let entry = Entry {
            id,
            parent,
            inputs,
            description,
            held,
            size_bytes,
            took,
            created,
            last_used: created,
            uses: 1,
            order,
        };
        self.entries.insert(key, entry);
    }

    /// Why a step on top of `parent` was not found: what is nearest to it tells.
    pub fn explain(&self, parent: Option<CacheKey>, inputs: &Inputs) -> MissReason {
        let newest = |test: &dyn Fn(&Entry) -> bool| {
            self.entries.values().filter(|entry| test(entry)).max_by_key(|entry| entry.order)
        };
        if let Some(same) = newest(&|entry| entry.parent == parent && entry.inputs.code == inputs.code) {
            if same.inputs.files == inputs.files {
                return MissReason::Environment { changed: changed(&same.inputs.around, &inputs.around) };
            }
            return MissReason::Files { changed: changed(&same.inputs.files, &inputs.files) };
        }
        // Of several steps on the same base one of the same kind is likelier to have stood here.
        let keyword = |code: &str| code.split_whitespace().next().map(str::to_uppercase);
        let kind = keyword(&inputs.code);
        let alike = newest(&|entry| entry.parent == parent && keyword(&entry.inputs.code) == kind);
        if let Some(other) = alike.or_else(|| newest(&|entry| entry.parent == parent)) {
            return MissReason::Instruction { before: other.inputs.code.clone() };
        }
        match newest(&|entry| entry.inputs.code == inputs.code) {
            Some(_) => MissReason::Base,
            None => MissReason::New,
        }
    }

    /// A base image that was fetched before, by canonical reference.
    pub fn source(&self, reference: &str) -> Option<&Source> {
        self.sources.get(reference)
    }

    /// Remembers a fetched base image.
    pub fn add_source(&mut self, reference: String, digest: ManifestDigest, image: Image, held: Option<Held>) {
        self.sources.insert(reference, Source { digest, image, held });
    }

    /// Whether a base image was used before; from now on it was.
    pub fn use_base(&mut self, name: String) -> bool {
        !self.seen_bases.insert(name)
    }

    /// Whether a file's content was sent before.
    pub fn knows_file(&self, sum: Digest) -> bool {
        self.known_files.contains(&sum)
    }

    /// Whether a file's content was sent before; from now on it was.
    pub fn learn_file(&mut self, sum: Digest) -> bool {
        !self.known_files.insert(sum)
    }

    /// The file system of a cache mount, which `make` makes and `name` names if it is used for the first time.
    pub fn mount(
        &mut self,
        id: &str,
        name: String,
        now: Timestamp,
        make: impl FnOnce() -> Overlay,
    ) -> Rc<RefCell<Overlay>> {
        let fresh =
            || CacheMount { name, overlay: Rc::new(RefCell::new(make())), created: now, last_used: now, uses: 0 };
        let mount = self.mounts.entry(id.to_owned()).or_insert_with(fresh);
        (mount.last_used, mount.uses) = (now, mount.uses + 1);
        Rc::clone(&mount.overlay)
    }

    /// All records, newest first.
    pub fn records(&self, store: &Store) -> Vec<CacheRecord> {
        let in_images: BTreeSet<ChainId> = store
            .images()
            .flat_map(|image| store.stack(image.config().chain_id()).into_iter().map(|layer| layer.chain_id))
            .collect();
        let mut entries: Vec<&Entry> = self.entries.values().collect();
        entries.arrange_by_key(|entry| std::cmp::Reverse(entry.order));
        let mut out: Vec<CacheRecord> = entries
            .into_iter()
            .map(|entry| CacheRecord {
                id: entry.id.clone(),
                kind: "regular",
                description: entry.description.clone(),
                size_bytes: entry.size_bytes,
                created: entry.created,
                last_used: entry.last_used,
                uses: entry.uses,
                shared: entry.held.as_ref().is_some_and(|held| in_images.contains(&held.chain())),
            })
            .collect();
        out.extend(self.mounts.iter().map(|(id, mount)| CacheRecord {
            id: mount.name.clone(),
            kind: "exec.cachemount",
            description: format!("cached mount {id}"),
            size_bytes: mount.overlay.borrow().upper_size_bytes(),
            created: mount.created,
            last_used: mount.last_used,
            uses: mount.uses,
            shared: false,
        }));
        out
    }

    /// Forgets everything (`all`), or what no image has (`docker builder prune`), as far as it was last used before `until`; returns what
    /// is gone.
    ///
    /// The holds of what is gone are returned too: the caller drops them when the store is not borrowed.
    pub fn prune(&mut self, store: &Store, all: bool, until: Option<Timestamp>) -> (Vec<CacheRecord>, Vec<Held>) {
        let old = |record: &CacheRecord| until.is_none_or(|until| record.last_used < until);
        let goes = |record: &CacheRecord| (all || !record.shared) && old(record);
        let gone: Vec<CacheRecord> = self.records(store).into_iter().filter(goes).collect();
        let ids: BTreeSet<&str> = gone.iter().map(|record| record.id.as_str()).collect();
        let mut holds = Vec::new();
        self.entries.retain(|_, entry| {
            let keep = !ids.contains(entry.id.as_str());
            if !keep {
                holds.extend(entry.held.take());
            }
            keep
        });
        self.mounts.retain(|_, mount| !ids.contains(mount.name.as_str()));
        for source in std::mem::take(&mut self.sources).into_values() {
            holds.extend(source.held);
        }
        self.known_files.clear();
        (gone, holds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inputs(code: &str, files: &[(&str, &str)]) -> Inputs {
        let files = files.iter().map(|(path, text)| (path.to_string(), Digest::of(text.as_bytes()))).collect();
        Inputs { code: code.into(), files, ..Inputs::default() }
    }

    #[test]
    fn keys_differ_with_every_word() {
        let base = CacheKey::of("from", None, &[b"a"]);
        let keys = [
            base,
            CacheKey::of("run", Some(base), &[b"a", b"b"]),
            CacheKey::of("run", Some(base), &[b"ab"]),
            CacheKey::of("run", None, &[b"a", b"b"]),
            CacheKey::of("copy", Some(base), &[b"a", b"b"]),
        ];
        assert_eq!(keys.into_iter().collect::<BTreeSet<_>>().len(), keys.len());
    }

    #[test]
    fn a_miss_is_explained_by_what_is_nearest() {
        let mut cache = BuildCache::default();
        let base = Some(CacheKey::of("from", None, &[b"nginx"]));
        let old = inputs("COPY . /x", &[("a", "1"), ("b", "1")]);
        assert_eq!(cache.explain(base, &old), MissReason::New);
        let key = CacheKey::of("copy", base, &[b"1"]);
        let done = Done {
            id: "id".into(),
            parent: base,
            inputs: old.clone(),
            description: String::new(),
            held: None,
            size_bytes: 0,
            took: Duration::ZERO,
            created: Timestamp(1),
        };
        cache.insert(key, done);
        let new = inputs("COPY . /x", &[("a", "1"), ("b", "2"), ("c", "1")]);
        assert_eq!(cache.explain(base, &new), MissReason::Files { changed: vec!["b".into(), "c".into()] });
        assert_eq!(
            cache.explain(base, &inputs("COPY . /y", &[])),
            MissReason::Instruction { before: "COPY . /x".into() }
        );
        assert_eq!(cache.explain(base, &old), MissReason::Environment { changed: Vec::new() });
        let seen = Inputs { around: [("V".into(), "2".into())].into(), ..old.clone() };
        assert_eq!(cache.explain(base, &seen), MissReason::Environment { changed: vec!["V".into()] });
        assert_eq!(cache.explain(None, &old), MissReason::Base);
        assert_eq!(cache.lookup(key, Timestamp(2)), None, "an entry without layers is of no use");
    }
}
