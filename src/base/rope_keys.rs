//! Structural keys that were found before, by the very segments of a rope: whoever holds a clone of a large rope need not
//! have all of it hashed again. Segments are held weakly, so nothing lives longer for being remembered.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::sync::{Arc, Weak};

use super::Segment;
use crate::base::digest::Digest;
use crate::base::packed::Packed;

/// Ropes of fewer bytes are hashed as soon as they are looked up.
pub(super) const FROM_BYTES: u64 = 1 << 20;
/// Keys that are remembered.
const MAX_KEPT: usize = 256;
/// Keys of small files that are remembered: those of a large build context.
const MAX_SMALL: usize = 1 << 15;

enum Mark {
    Bytes(Weak<Vec<u8>>, Range<usize>),
    Packed(Weak<Packed>, Range<usize>),
    Bulk(u64, u64, u64),
}

impl Mark {
    fn of(segment: &Segment) -> Self {
        match segment {
            Segment::Bytes { data, range } => Self::Bytes(Arc::downgrade(data), range.clone()),
            Segment::Packed { piece, range } => Self::Packed(Arc::downgrade(piece), range.clone()),
            Segment::Bulk { seed, offset, len } => Self::Bulk(*seed, *offset, *len),
        }
    }

    /// A weak pointer keeps its address from being used again, so equal addresses are equal bytes.
    fn is(&self, segment: &Segment) -> bool {
        match (self, segment) {
            (Self::Bytes(own, at), Segment::Bytes { data, range }) => own.as_ptr() == Arc::as_ptr(data) && at == range,
            (Self::Packed(own, at), Segment::Packed { piece, range }) => {
                own.as_ptr() == Arc::as_ptr(piece) && at == range
            }
            (Self::Bulk(a, b, c), Segment::Bulk { seed, offset, len }) => (a, b, c) == (seed, offset, len),
            _ => false,
        }
    }
}

thread_local! {
    static KEPT: RefCell<VecDeque<(Vec<Mark>, Digest)>> = const { RefCell::new(VecDeque::new()) };
}

/// A small file in one piece: where in it, and the key.
type Small = (Weak<Vec<u8>>, Range<usize>, Digest);

thread_local! {
    /// By the address of the piece.
    static SMALL: RefCell<BTreeMap<usize, Small>> = const { RefCell::new(BTreeMap::new()) };
}

/// The key of a small file, found by `make` if nobody looked it up before. A build looks at all files of its context each
/// time, and hardly any of them has changed.
pub(super) fn of_small(segments: &[Segment], make: impl FnOnce() -> Digest) -> Digest {
    let [Segment::Bytes { data, range }] = segments else { return make() };
    let address = Arc::as_ptr(data).addr();
    let known = SMALL.with_borrow(|small| {
        // A weak pointer keeps its address from being used again, so equal addresses are equal bytes.
        let found = small.get(&address).filter(|(own, at, _)| own.as_ptr() == Arc::as_ptr(data) && at == range);
        found.map(|(.., key)| *key)
    });
    known.unwrap_or_else(|| {
        let key = make();
        SMALL.with_borrow_mut(|small| {
            if small.len() >= MAX_SMALL {
                small.clear();
            }
            small.insert(address, (Arc::downgrade(data), range.clone(), key));
        });
        key
    })
}

/// The key of these segments, if it was found before.
pub(super) fn find(segments: &[Segment]) -> Option<Digest> {
    KEPT.with_borrow(|kept| {
        let same = |marks: &[Mark]| marks.len() == segments.len() && marks.iter().zip(segments).all(|(m, s)| m.is(s));
        kept.iter().find(|(marks, _)| same(marks)).map(|(_, key)| *key)
    })
}

/// Remembers a key.
pub(super) fn remember(segments: &[Segment], key: Digest) {
    KEPT.with_borrow_mut(|kept| {
        if kept.len() >= MAX_KEPT {
            kept.pop_front();
        }
        kept.push_back((segments.iter().map(Mark::of).collect(), key));
    });
}
