//! File contents and archives as ropes: bytes kept as they are or compressed, and bulk kept as (seed, offset, length).
//!
//! Real images are tens of megabytes and a page is not. A bulk segment's bytes are a pure function of its seed and
//! position and are produced only when somebody looks at them, so that copying, archiving and unpacking a large file
//! moves a few words. Whoever reads (`wc -c`, `sha256sum`, tar, `docker save`) sees the same bytes.

#[path = "rope_keys.rs"]
mod keys;

use std::ops::Range;
use std::sync::Arc;

use super::digest::{Digest, Hasher};
use super::packed::{PIECE, Packed, unpacked};
use super::rng::{Rng, mix};

/// Bytes are handed out in pieces of at most this many.
pub const CHUNK: usize = 64 * 1024;
/// Byte segments smaller than this are merged with what is appended to them.
const MERGE_BELOW: usize = 64 * 1024;
/// Bulk is generated in blocks of this many bytes.
const BLOCK: usize = 4096;
/// The incompressible part of a block: gzip brings bulk to about 38 %, as it does a Debian root file system.
const NOISE: usize = 1500;

/// A sequence of bytes; cheap to clone, slice and concatenate.
#[derive(Clone, Default, Debug)]
pub struct Rope {
    segments: Vec<Segment>,
    len: u64,
    resident_bytes: u64,
}

#[derive(Clone, Debug)]
enum Segment {
    Bytes { data: Arc<Vec<u8>>, range: Range<usize> },
    Packed { piece: Arc<Packed>, range: Range<usize> },
    Bulk { seed: u64, offset: u64, len: u64 },
}

impl Segment {
    fn len(&self) -> u64 {
        match self {
            Self::Bytes { range, .. } | Self::Packed { range, .. } => range.len() as u64,
            Self::Bulk { len, .. } => *len,
        }
    }

    /// Bytes that it holds in memory. Parts of a compressed piece count their share.
    fn resident_bytes(&self) -> u64 {
        match self {
            Self::Bytes { range, .. } => range.len() as u64,
            Self::Packed { piece, range } => {
                (piece.deflated().len() as u64 * range.len() as u64).div_ceil(piece.size_bytes().max(1) as u64)
            }
            Self::Bulk { .. } => 0,
        }
    }

    /// The part of this segment in `range` (which must lie inside it).
    fn slice(&self, range: Range<u64>) -> Self {
        match self {
            Self::Bytes { data, range: own } => Self::Bytes {
                data: Arc::clone(data),
                range: own.start + range.start as usize..own.start + range.end as usize,
            },
            Self::Packed { piece, range: own } => Self::Packed {
                piece: Arc::clone(piece),
                range: own.start + range.start as usize..own.start + range.end as usize,
            },
            Self::Bulk { seed, offset, .. } => {
                Self::Bulk { seed: *seed, offset: offset + range.start, len: range.end - range.start }
            }
        }
    }
}

impl Rope {
    /// No bytes.
    pub const fn new() -> Self {
        Self { segments: Vec::new(), len: 0, resident_bytes: 0 }
    }

    /// `len` bytes generated from `seed`.
    pub fn bulk(seed: u64, len: u64) -> Self {
        let mut rope = Self::new();
        rope.push_segment(Segment::Bulk { seed, offset: 0, len });
        rope
    }

    /// Length in bytes.
    pub const fn len(&self) -> u64 {
        self.len
    }

    /// Whether there are no bytes.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes that are really held in memory (bulk counts nothing).
    pub const fn resident_bytes(&self) -> u64 {
        self.resident_bytes
    }

    /// Appends bytes.
    pub fn push_bytes(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        self.len += bytes.len() as u64;
        self.resident_bytes += bytes.len() as u64;
        if let Some(Segment::Bytes { data, range }) = self.segments.last_mut()
            && range.len() < MERGE_BELOW
        {
            if let Some(own) = Arc::get_mut(data) {
                own.truncate(range.end);
                own.extend_from_slice(bytes);
                range.end = own.len();
            } else {
                let mut merged = data.get(range.clone()).unwrap_or_default().to_vec();
                merged.extend_from_slice(bytes);
                *range = 0..merged.len();
                *data = Arc::new(merged);
            }
            return;
        }
        self.segments.push(Segment::Bytes { range: 0..bytes.len(), data: Arc::new(bytes.to_vec()) });
    }

    /// Appends bytes, compressed where that saves something: for large contents that few will look at.
    pub fn push_packed(&mut self, bytes: &[u8]) {
        for part in bytes.chunks(PIECE) {
            match Packed::of(part) {
                Some(piece) => {
                    self.push_segment(Segment::Packed { range: 0..piece.size_bytes(), piece: Arc::new(piece) })
                }
                None => self.push_segment(Segment::Bytes { range: 0..part.len(), data: Arc::new(part.to_vec()) }),
            }
        }
    }

    /// Appends another rope without copying its large parts.
    pub fn push(&mut self, other: &Self) {
        for segment in &other.segments {
            self.push_segment(segment.clone());
        }
    }

    fn push_segment(&mut self, segment: Segment) {
        if segment.len() == 0 {
            return;
        }
        let small = match &segment {
            Segment::Bytes { data, range } if range.len() < CHUNK / 16 => Some((Arc::clone(data), range.clone())),
            Segment::Packed { piece, range } if range.len() < CHUNK / 16 => Some((unpacked(piece), range.clone())),
            _ => None,
        };
        if let Some((data, range)) = small {
            self.push_bytes(data.get(range).unwrap_or_default());
            return;
        }
        if let (
            Some(Segment::Bulk { seed, offset, len }),
            Segment::Bulk { seed: next_seed, offset: next_offset, len: next_len },
        ) = (self.segments.last_mut(), &segment)
            && seed == next_seed
            && *offset + *len == *next_offset
        {
            *len += next_len;
            self.len += next_len;
            return;
        }
        self.len += segment.len();
        self.resident_bytes += segment.resident_bytes();
        self.segments.push(segment);
    }

    /// The bytes in `range`, cut to what there is.
    pub fn slice(&self, range: Range<u64>) -> Self {
        let (start, end) = (range.start.min(self.len), range.end.min(self.len));
        let mut out = Self::new();
        let mut at = 0;
        for segment in &self.segments {
            let len = segment.len();
            let (from, to) = (start.max(at), end.min(at + len));
            if from < to {
                out.push_segment(segment.slice(from - at..to - at));
            }
            at += len;
            if at >= end {
                break;
            }
        }
        out
    }

    /// Overwrites from `offset` on, filling a gap beyond the end with zeros.
    pub fn write_at(&mut self, offset: u64, bytes: &Self) {
        if offset == self.len {
            self.push(bytes);
            return;
        }
        let mut out = self.slice(0..offset);
        out.extend_zeros(offset);
        out.push(bytes);
        if out.len < self.len {
            out.push(&self.slice(out.len..self.len));
        }
        *self = out;
    }

    /// Cuts or zero-extends to `len` bytes.
    pub fn truncate(&mut self, len: u64) {
        if len < self.len {
            *self = self.slice(0..len);
        } else {
            self.extend_zeros(len);
        }
    }

    fn extend_zeros(&mut self, len: u64) {
        while self.len < len {
            let step = (len - self.len).min(CHUNK as u64) as usize;
            self.push_bytes(&vec![0; step]);
        }
    }

    /// Hands every byte to `visit`, in order, in pieces of at most [`CHUNK`].
    pub fn for_each_chunk(&self, mut visit: impl FnMut(&[u8])) {
        let mut buffer = Vec::new();
        for segment in &self.segments {
            match segment {
                Segment::Bytes { data, range } => {
                    data.get(range.clone()).unwrap_or_default().chunks(CHUNK).for_each(&mut visit);
                }
                Segment::Packed { piece, range } => {
                    unpacked(piece).get(range.clone()).unwrap_or_default().chunks(CHUNK).for_each(&mut visit);
                }
                Segment::Bulk { seed, offset, len } => {
                    let (mut at, end) = (*offset, offset + len);
                    while at < end {
                        buffer.resize((end - at).min(CHUNK as u64) as usize, 0);
                        generate(*seed, at, &mut buffer);
                        visit(&buffer);
                        at += buffer.len() as u64;
                    }
                }
            }
        }
    }

    /// A form for keeping: pieces, each with what it unpacks to and what it takes, as they are in memory; what is not
    /// compressed yet is, and bulk becomes bytes. Read by [`Self::from_pieces`].
    pub fn to_pieces(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let mut add = |len: usize, kept: &[u8]| {
            out.extend((len as u32).to_le_bytes());
            out.extend((kept.len() as u32).to_le_bytes());
            out.extend_from_slice(kept);
        };
        for segment in &self.segments {
            match segment {
                Segment::Packed { piece, range } if range.len() == piece.size_bytes() => {
                    add(piece.size_bytes(), piece.deflated())
                }
                _ => {
                    let part = Self { segments: vec![segment.clone()], len: segment.len(), resident_bytes: 0 };
                    part.for_each_chunk(|chunk| match Packed::of(chunk) {
                        Some(piece) => add(chunk.len(), piece.deflated()),
                        None => add(chunk.len(), chunk),
                    });
                }
            }
        }
        out
    }

    /// Reads what [`Self::to_pieces`] wrote; `None` if it is damaged.
    pub fn from_pieces(mut kept: &[u8]) -> Option<Self> {
        let mut rope = Self::new();
        let number = |kept: &mut &[u8]| -> Option<usize> {
            let (head, rest) = kept.split_first_chunk::<4>()?;
            *kept = rest;
            usize::try_from(u32::from_le_bytes(*head)).ok()
        };
        while !kept.is_empty() {
            let (len, size) = (number(&mut kept)?, number(&mut kept)?);
            let (bytes, rest) = kept.split_at_checked(size)?;
            kept = rest;
            if size == len {
                rope.push_bytes(bytes);
            } else {
                let piece = Arc::new(Packed::from_deflated(bytes, len)?);
                rope.push_segment(Segment::Packed { range: 0..len, piece });
            }
        }
        Some(rope)
    }

    /// A reader that takes the rope apart from the front, each step in the time of what it takes.
    pub const fn reader(&self) -> Reader<'_> {
        Reader { rope: self, segment: 0, inside: 0, at: 0 }
    }

    /// All bytes. Callers bound the length first (`slice`).
    pub fn to_vec(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.len as usize);
        self.for_each_chunk(|chunk| out.extend_from_slice(chunk));
        out
    }

    /// The first bytes, at most `count`: enough to recognise a format.
    pub fn head(&self, count: u64) -> Vec<u8> {
        self.slice(0..count).to_vec()
    }

    /// SHA-256 of the bytes.
    pub fn digest(&self) -> Digest {
        let mut hasher = Hasher::new();
        self.for_each_chunk(|chunk| hasher.update(chunk));
        hasher.finish()
    }

    /// A key that is equal only for ropes with equal bytes, found without generating bulk: the hash of the
    /// rope's canonical description. It serves to remember digests.
    pub fn structural_key(&self) -> Digest {
        if self.len < keys::FROM_BYTES {
            return keys::of_small(&self.segments, || self.find_key());
        }
        keys::find(&self.segments).unwrap_or_else(|| {
            let key = self.find_key();
            keys::remember(&self.segments, key);
            key
        })
    }

    /// Whether all of it is bytes that somebody wrote, and nothing is generated.
    pub fn is_written(&self) -> bool {
        self.segments.iter().all(|segment| !matches!(segment, Segment::Bulk { .. }))
    }

    /// Whether the bytes are equal, found by looking at both up to where they differ. Parts that they share are not
    /// looked at.
    pub fn is_same(&self, other: &Self) -> bool {
        let (mut one, mut two) = (self.reader(), other.reader());
        while self.len == other.len && one.remaining() > 0 {
            let step = one.left_in_segment().min(two.left_in_segment()).min(CHUNK as u64);
            if !one.is_at_same(&two) && one.clone().take(step).to_vec() != two.clone().take(step).to_vec() {
                return false;
            }
            one.skip(step);
            two.skip(step);
        }
        self.len == other.len
    }

    /// Takes the digest of a rope that [is written](Self::is_written) from whoever hashed it part by part; gives its key.
    pub fn note_digest(&self, digest: Digest) -> Digest {
        let mut hasher = Hasher::new();
        hasher.update(b"B");
        hasher.update(digest.as_bytes());
        let key = hasher.finish();
        if self.len >= keys::FROM_BYTES {
            keys::remember(&self.segments, key);
        }
        key
    }

    fn find_key(&self) -> Digest {
        let mut hasher = Hasher::new();
        let mut run: Vec<u8> = Vec::new();
        let mut run_hasher: Option<Hasher> = None;
        // A run of byte segments is described by its hash, whatever the cuts between them.
        let flush = |hasher: &mut Hasher, run: &mut Vec<u8>, run_hasher: &mut Option<Hasher>| {
            if let Some(h) = run_hasher.take() {
                hasher.update(b"B");
                hasher.update(h.finish().as_bytes());
            }
            run.clear();
        };
        for segment in &self.segments {
            match segment {
                Segment::Bytes { data, range } => {
                    run_hasher.get_or_insert_default().update(data.get(range.clone()).unwrap_or_default());
                }
                Segment::Packed { piece, range } => {
                    let data = unpacked(piece);
                    run_hasher.get_or_insert_default().update(data.get(range.clone()).unwrap_or_default());
                }
                Segment::Bulk { seed, offset, len } => {
                    flush(&mut hasher, &mut run, &mut run_hasher);
                    hasher.update(b"K");
                    for word in [seed, offset, len] {
                        hasher.update(&word.to_le_bytes());
                    }
                }
            }
        }
        flush(&mut hasher, &mut run, &mut run_hasher);
        hasher.finish()
    }
}

/// Takes a rope apart from the front.
#[derive(Clone)]
pub struct Reader<'a> {
    rope: &'a Rope,
    segment: usize,
    inside: u64,
    at: u64,
}

impl Reader<'_> {
    /// How many bytes have been taken.
    pub const fn position(&self) -> u64 {
        self.at
    }

    /// How many bytes are left.
    pub const fn remaining(&self) -> u64 {
        self.rope.len - self.at
    }

    /// The next `count` bytes, or as many as are left.
    pub fn take(&mut self, count: u64) -> Rope {
        let mut out = Rope::new();
        while out.len < count
            && let Some(segment) = self.rope.segments.get(self.segment)
        {
            let step = (segment.len() - self.inside).min(count - out.len);
            out.push_segment(segment.slice(self.inside..self.inside + step));
            self.at += step;
            self.inside += step;
            if self.inside == segment.len() {
                self.segment += 1;
                self.inside = 0;
            }
        }
        out
    }

    /// How many bytes are left of the segment that it stands in.
    fn left_in_segment(&self) -> u64 {
        self.rope.segments.get(self.segment).map_or(0, |segment| segment.len() - self.inside)
    }

    /// Whether what follows here and there is the same memory, as far as both segments reach.
    fn is_at_same(&self, other: &Self) -> bool {
        let at = |reader: &Self, start: usize| start as u64 + reader.inside;
        match (self.rope.segments.get(self.segment), other.rope.segments.get(other.segment)) {
            (Some(Segment::Bytes { data, range }), Some(Segment::Bytes { data: others, range: theirs })) => {
                Arc::ptr_eq(data, others) && at(self, range.start) == at(other, theirs.start)
            }
            (Some(Segment::Packed { piece, range }), Some(Segment::Packed { piece: others, range: theirs })) => {
                Arc::ptr_eq(piece, others) && at(self, range.start) == at(other, theirs.start)
            }
            (Some(Segment::Bulk { seed, offset, .. }), Some(Segment::Bulk { seed: others, offset: theirs, .. })) => {
                seed == others && offset + self.inside == theirs + other.inside
            }
            _ => false,
        }
    }

    /// Passes over bytes of the segment that it stands in.
    fn skip(&mut self, count: u64) {
        self.at += count;
        self.inside += count;
        if self.left_in_segment() == 0 {
            self.segment += 1;
            self.inside = 0;
        }
    }

    /// The next `count` bytes as bytes; `None` when fewer are left.
    pub fn take_bytes(&mut self, count: u64) -> Option<Vec<u8>> {
        (self.remaining() >= count).then(|| self.take(count).to_vec())
    }
}

impl From<Vec<u8>> for Rope {
    fn from(bytes: Vec<u8>) -> Self {
        let len = bytes.len() as u64;
        if len == 0 {
            return Self::new();
        }
        Self {
            segments: vec![Segment::Bytes { range: 0..bytes.len(), data: Arc::new(bytes) }],
            len,
            resident_bytes: len,
        }
    }
}

impl From<&[u8]> for Rope {
    fn from(bytes: &[u8]) -> Self {
        bytes.to_vec().into()
    }
}

impl From<&str> for Rope {
    fn from(text: &str) -> Self {
        text.as_bytes().into()
    }
}

impl PartialEq for Rope {
    /// Equal bytes. Bulk is compared by description first, so that equal large files compare at once.
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len && (self.structural_key() == other.structural_key() || self.digest() == other.digest())
    }
}

impl Eq for Rope {}

/// Writes the bulk bytes of `seed` from `offset` on into `buffer`.
fn generate(seed: u64, offset: u64, buffer: &mut [u8]) {
    let mut block = [0; BLOCK];
    let mut done = 0;
    while done < buffer.len() {
        let at = offset + done as u64;
        let (index, inside) = (at / BLOCK as u64, (at % BLOCK as u64) as usize);
        fill_block(seed, index, &mut block);
        let step = (BLOCK - inside).min(buffer.len() - done);
        if let (Some(to), Some(from)) = (buffer.get_mut(done..done + step), block.get(inside..inside + step)) {
            to.copy_from_slice(from);
        }
        done += step;
    }
}

/// One block: noise, then repetitions of it, as code and tables repeat in a real binary.
fn fill_block(seed: u64, index: u64, block: &mut [u8; BLOCK]) {
    let (noise, rest) = block.split_at_mut(NOISE);
    Rng::new(mix(seed ^ mix(index))).fill(noise);
    for part in rest.chunks_mut(NOISE) {
        for (to, from) in part.iter_mut().zip(noise.iter()) {
            *to = *from;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn bulk_reads_the_same_whole_and_in_pieces() {
        let whole = Rope::bulk(42, 100_000).to_vec();
        assert_eq!(whole.len(), 100_000);
        assert_eq!(Rope::bulk(42, 100_000).slice(4_090..70_001).to_vec(), whole[4_090..70_001]);
    }

    #[test]
    fn bulk_compresses_like_binaries() {
        use std::io::Write;
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        gzip.write_all(&Rope::bulk(1, 400_000).to_vec()).unwrap();
        let ratio = gzip.finish().unwrap().len() as f64 / 400_000.0;
        assert!((0.33..0.45).contains(&ratio), "{ratio}");
    }

    #[test]
    fn a_remembered_key_is_never_that_of_other_bytes() {
        // Ropes come and go, so that addresses would be used again; changed ones are no longer what they were.
        let mut kept: Vec<Rope> = Vec::new();
        for round in 0..2_000_u32 {
            let text = format!("file {}", round % 7);
            let mut rope = Rope::from(text.as_str());
            assert_eq!(rope.structural_key(), rope.find_key());
            rope.push_bytes(b"more");
            assert_eq!(rope.structural_key(), rope.find_key());
            let part = rope.slice(1..4);
            assert_eq!(part.structural_key(), part.find_key());
            assert_ne!(part.structural_key(), rope.structural_key());
            if round % 3 == 0 {
                kept.push(rope);
            }
        }
        assert!(kept.iter().all(|rope| rope.structural_key() == rope.find_key()));
    }

    #[test]
    fn structural_key_does_not_depend_on_cuts() {
        let whole = Rope::bulk(3, 10_000);
        let mut cut = whole.slice(0..5_000);
        cut.push(&whole.slice(5_000..10_000));
        cut.push_bytes(b"tail");
        let mut other = whole.clone();
        other.push(&Rope::from("ta"));
        other.push(&Rope::from("il"));
        assert_eq!(cut.structural_key(), other.structural_key());
        assert_ne!(whole.structural_key(), other.structural_key());
    }

    #[test]
    fn a_key_that_was_noted_is_the_key_that_would_be_found() {
        let bytes: Vec<u8> = (0..3_000_000_u32).map(|n| (n ^ (n >> 7)) as u8).collect();
        let mut rope = Rope::new();
        rope.push_packed(&bytes);
        assert_eq!(rope.note_digest(rope.digest()), rope.find_key());
        assert_eq!(rope.clone().structural_key(), rope.find_key());
        let other = rope.slice(1..rope.len());
        assert_ne!(other.structural_key(), rope.structural_key());
        assert_eq!(other.structural_key(), other.find_key());
        assert!(rope.is_written() && !Rope::bulk(1, 1).is_written());
    }

    #[test]
    fn same_bytes_are_found_whatever_the_cuts_and_shared_parts_are_not_looked_at() {
        let bulk = Rope::bulk(3, 1 << 40);
        let mut whole = Rope::from("head");
        whole.push(&bulk);
        whole.push_packed(&[7; 300_000]);
        let mut cut = Rope::from("he");
        cut.push_bytes(b"ad");
        cut.push(&bulk.slice(0..77));
        cut.push(&whole.slice(81..whole.len()));
        assert!(whole.is_same(&cut) && Rope::new().is_same(&Rope::new()));
        let mut other = whole.slice(0..whole.len() - 1);
        assert!(!whole.is_same(&other));
        other.push_bytes(b"8");
        assert!(!whole.is_same(&other));
    }

    #[test]
    fn packed_bytes_read_as_they_were_and_take_less() {
        let text: Vec<u8> = (0..600_000_u32).flat_map(|n| n.to_string().into_bytes()).collect();
        let mut rope = Rope::new();
        text.chunks(1 << 20).for_each(|part| rope.push_packed(part));
        assert_eq!(rope.len(), text.len() as u64);
        assert!(rope.resident_bytes() < rope.len() / 2, "{}", rope.resident_bytes());
        assert_eq!(rope.to_vec(), text);
        assert_eq!(rope.structural_key(), Rope::from(text.clone()).structural_key());
        assert_eq!(rope.slice(262_100..262_200).to_vec(), text[262_100..262_200]);
        let mut reader = rope.reader();
        assert_eq!(reader.take(700_000).to_vec(), text[..700_000]);
        assert_eq!(reader.take_bytes(10).unwrap(), text[700_000..700_010]);
        let kept = rope.to_pieces();
        assert!(kept.len() < text.len() / 2);
        assert_eq!(Rope::from_pieces(&kept).unwrap(), rope);
        assert!(Rope::from_pieces(&kept[..kept.len() - 1]).is_none());
        let mut lies = kept;
        lies[0] ^= 1;
        assert!(Rope::from_pieces(&lies).is_none());
    }

    proptest! {
        #[test]
        fn rope_behaves_as_a_vector(ops in prop::collection::vec((0u8..5, 0u64..300, prop::collection::vec(any::<u8>(), 0..200)), 0..20)) {
            let (mut rope, mut naive) = (Rope::new(), Vec::new());
            for (op, at, bytes) in ops {
                match op {
                    0 => { rope.push_bytes(&bytes); naive.extend_from_slice(&bytes); }
                    1 => {
                        rope.write_at(at, &bytes.as_slice().into());
                        let (at, end) = (at as usize, at as usize + bytes.len());
                        if naive.len() < end.max(at) { naive.resize(end.max(at), 0); }
                        naive[at..end].copy_from_slice(&bytes);
                    }
                    4 => { let many = bytes.repeat(30); rope.push_packed(&many); naive.extend_from_slice(&many); }
                    2 => { rope.truncate(at); naive.resize(at as usize, 0); }
                    _ => { let copy = rope.clone(); rope.push(&copy); naive.extend_from_within(..); }
                }
                prop_assert_eq!(rope.to_vec(), naive.clone());
                prop_assert_eq!(rope.len(), naive.len() as u64);
                prop_assert_eq!(Rope::from_pieces(&rope.to_pieces()), Some(rope.clone()));
            }
        }
    }
}
