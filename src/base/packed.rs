//! Bytes that are kept compressed until somebody reads them: what a student drops on the page is large and mostly never
//! looked at.

use std::cell::RefCell;
use std::io::{Read, Write};
use std::sync::Arc;

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;

/// Bytes in one piece: small enough that a look at a few of them costs little.
pub const PIECE: usize = 256 * 1024;
/// Unpacked pieces that are remembered: a reader takes many small bites of one.
const REMEMBERED: usize = 4;

/// A compressed piece.
#[derive(Debug)]
pub struct Packed {
    deflated: Vec<u8>,
    size_bytes: usize,
}

impl Packed {
    /// Compresses at most [`PIECE`] bytes; `None` when that would save little.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).ok()?;
        let deflated = encoder.finish().ok()?;
        (bytes.len() <= PIECE && deflated.len() + deflated.len() / 8 < bytes.len())
            .then_some(Self { deflated, size_bytes: bytes.len() })
    }

    /// From its compressed form, if that unpacks to `len` bytes.
    pub fn from_deflated(deflated: &[u8], len: usize) -> Option<Self> {
        let packed = Self { deflated: deflated.to_vec(), size_bytes: len };
        (len <= PIECE && packed.inflate()?.len() == len).then_some(packed)
    }

    /// How many bytes it unpacks to.
    pub const fn size_bytes(&self) -> usize {
        self.size_bytes
    }

    /// Its compressed form.
    pub fn deflated(&self) -> &[u8] {
        &self.deflated
    }

    fn inflate(&self) -> Option<Vec<u8>> {
        let mut bytes = Vec::with_capacity(self.size_bytes);
        // One byte more would show that the length lies.
        DeflateDecoder::new(self.deflated.as_slice()).take(self.size_bytes as u64 + 1).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    }
}

thread_local! {
    static UNPACKED: RefCell<Vec<(Arc<Packed>, Arc<Vec<u8>>)>> = const { RefCell::new(Vec::new()) };
}

/// The bytes of a piece. The last few are remembered.
pub fn unpacked(packed: &Arc<Packed>) -> Arc<Vec<u8>> {
    UNPACKED.with_borrow_mut(|known| {
        if let Some(at) = known.iter().position(|(piece, _)| Arc::ptr_eq(piece, packed)) {
            let found = known.remove(at);
            let bytes = Arc::clone(&found.1);
            known.push(found);
            return bytes;
        }
        // It was made by `of` or checked by `from_deflated`: it unpacks.
        let bytes = Arc::new(packed.inflate().unwrap_or_default());
        if known.len() >= REMEMBERED {
            known.remove(0);
        }
        known.push((Arc::clone(packed), Arc::clone(&bytes)));
        bytes
    })
}
