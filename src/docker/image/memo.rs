//! Digests that are remembered, so that bulk content is hashed once.
//!
//! The key is a rope's description ([`Rope::structural_key`]), never its name: whoever holds the same bytes finds the
//! same facts, and no fact can be found for other bytes. What is preloaded comes from a lock file that a test checks.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use super::manifest::Blob;
use crate::base::digest::{BlobDigest, DiffId, Digest, Hasher};
use crate::base::rope::Rope;
use crate::os::fs::gzip;

/// What is known of an uncompressed tar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TarFacts {
    /// Its SHA-256.
    pub diff_id: DiffId,
    /// Its length.
    pub size_bytes: u64,
    /// Its gzip form, once somebody needed it.
    pub blob: Option<Blob>,
}

/// A shared table of digests. Clones are handles to the same table.
#[derive(Debug, Clone, Default)]
pub struct DigestMemo {
    table: Rc<Table>,
}

#[derive(Debug, Default)]
struct Table {
    facts: RefCell<BTreeMap<Digest, TarFacts>>,
    /// What is known already, until somebody asks.
    source: Cell<Option<Source>>,
}

/// Tells what is known already.
type Source = fn() -> Vec<(Digest, TarFacts)>;

impl DigestMemo {
    /// An empty table.
    pub fn new() -> Self {
        Self::default()
    }

    /// A table that begins with what `source` tells, which is read when somebody asks for the first time.
    pub fn reading(source: Source) -> Self {
        let memo = Self::default();
        memo.table.source.set(Some(source));
        memo
    }

    fn table(&self) -> &RefCell<BTreeMap<Digest, TarFacts>> {
        if let Some(source) = self.table.source.take() {
            self.table.facts.borrow_mut().extend(source());
        }
        &self.table.facts
    }

    /// Adds what somebody else found out.
    pub fn preload(&self, key: Digest, facts: TarFacts) {
        self.table().borrow_mut().insert(key, facts);
    }

    /// Everything known, for writing a lock file.
    pub fn entries(&self) -> Vec<(Digest, TarFacts)> {
        self.table().borrow().iter().map(|(key, facts)| (*key, *facts)).collect()
    }

    /// The diff id of an uncompressed tar.
    pub fn diff_id(&self, tar: &Rope) -> DiffId {
        self.facts(tar).1.diff_id
    }

    /// The blob a registry stores for an uncompressed tar: its deterministic gzip form.
    pub fn blob(&self, tar: &Rope) -> Blob {
        let (key, mut facts) = self.facts(tar);
        if let Some(blob) = facts.blob {
            return blob;
        }
        let (mut hasher, mut size_bytes) = (Hasher::new(), 0);
        gzip::compress_with(tar, |bytes| {
            hasher.update(bytes);
            size_bytes += bytes.len() as u64;
        });
        let blob = Blob { digest: BlobDigest(hasher.finish()), size_bytes };
        facts.blob = Some(blob);
        self.preload(key, facts);
        blob
    }

    fn facts(&self, tar: &Rope) -> (Digest, TarFacts) {
        let key = tar.structural_key();
        let known = self.table().borrow().get(&key).copied();
        let facts = known.unwrap_or_else(|| {
            let facts = TarFacts { diff_id: DiffId(tar.digest()), size_bytes: tar.len(), blob: None };
            self.preload(key, facts);
            facts
        });
        (key, facts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_those_of_the_bytes() {
        let memo = DigestMemo::new();
        let mut tar = Rope::from("header");
        tar.push(&Rope::bulk(7, 100_000));
        assert_eq!(memo.diff_id(&tar).0, Digest::of(&tar.to_vec()));
        let blob = memo.blob(&tar);
        let packed = gzip::compress(&tar);
        assert_eq!((blob.digest.0, blob.size_bytes), (packed.digest(), packed.len()));
        assert_eq!(memo.entries().len(), 1);
        assert_eq!(memo.entries()[0].1.blob, Some(blob));
    }

    #[test]
    fn what_is_preloaded_is_not_computed_again() {
        let memo = DigestMemo::new();
        let tar = Rope::from("x");
        let facts = TarFacts { diff_id: DiffId(Digest::of(b"other")), size_bytes: 1, blob: None };
        memo.preload(tar.structural_key(), facts);
        assert_eq!(memo.diff_id(&tar), facts.diff_id);
    }
}
