//! gzip over ropes: deterministic writing (no name, no time); [`super::packed`] reads it.

use std::cell::Cell;
use std::io::{Read, Write};
use std::rc::Rc;

use flate2::write::GzEncoder;
use flate2::{Compression, Crc};

use crate::base::rope::{CHUNK, Reader, Rope};

/// How hard it tries: what `gzip` and Docker do by default.
const LEVEL: u32 = 6;

/// Whether these bytes start a gzip stream.
pub fn is_gzip(head: &[u8]) -> bool {
    head.starts_with(&[0x1f, 0x8b])
}

/// Compresses; the same bytes in give the same bytes out.
pub fn compress(content: &Rope) -> Rope {
    let mut out = Vec::new();
    compress_with(content, |bytes| out.extend_from_slice(bytes));
    out.into()
}

/// Compression that is done part by part, with the bytes of [`compress`].
pub struct Compressing<'a> {
    reader: Reader<'a>,
    encoder: GzEncoder<Vec<u8>>,
}

impl<'a> Compressing<'a> {
    /// Will compress all of `content`.
    pub fn new(content: &'a Rope) -> Self {
        Self { reader: content.reader(), encoder: GzEncoder::new(Vec::new(), Compression::new(LEVEL)) }
    }

    /// Compresses at most [`CHUNK`] bytes; whether there are more.
    pub fn step(&mut self) -> bool {
        // Writing to memory does not fail.
        self.reader.take(CHUNK as u64).for_each_chunk(|chunk| drop(self.encoder.write_all(chunk)));
        self.reader.remaining() > 0
    }

    /// What has come out.
    pub fn finish(self) -> Rope {
        self.encoder.finish().unwrap_or_default().into()
    }
}

/// What we write before stored blocks: no name, no time, an unknown system.
const STORED_HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
/// The most that a stored block holds (RFC 1951, 3.2.4).
const STORED_BYTES: u64 = 0xffff;

/// Packs without compression: a valid stream that holds bulk as bulk.
pub fn store(content: &Rope) -> Rope {
    let mut out = Rope::from(&STORED_HEAD[..]);
    let mut at = 0;
    loop {
        let piece = content.slice(at..at.saturating_add(STORED_BYTES));
        at += piece.len();
        let size = (piece.len() & STORED_BYTES) as u16;
        out.push_bytes(&[u8::from(at >= content.len())]);
        out.push_bytes(&size.to_le_bytes());
        out.push_bytes(&(!size).to_le_bytes());
        out.push(&piece);
        if at >= content.len() {
            break;
        }
    }
    let mut crc = Crc::new();
    content.for_each_chunk(|chunk| crc.update(chunk));
    out.push_bytes(&crc.sum().to_le_bytes());
    out.push_bytes(&((content.len() & 0xffff_ffff) as u32).to_le_bytes());
    out
}

/// What [`store`] packed; `None` for anything else.
pub fn stored(content: &Rope) -> Option<Rope> {
    let mut reader = content.reader();
    if reader.take_bytes(STORED_HEAD.len() as u64)? != STORED_HEAD {
        return None;
    }
    let mut out = Rope::new();
    loop {
        let head = reader.take_bytes(5)?;
        let &[last, low, high, not_low, not_high] = head.as_slice() else { return None };
        let size = u16::from_le_bytes([low, high]);
        if last > 1 || u16::from_le_bytes([not_low, not_high]) != !size {
            return None;
        }
        let piece = reader.take(size.into());
        if piece.len() < u64::from(size) {
            return None;
        }
        out.push(&piece);
        if last == 1 {
            break;
        }
    }
    let mut crc = Crc::new();
    out.for_each_chunk(|chunk| crc.update(chunk));
    let sum = reader.take_bytes(4)?;
    let is_end = reader.take_bytes(4).is_some() && reader.remaining() == 0;
    (is_end && sum == crc.sum().to_le_bytes()).then_some(out)
}

/// The same as [`compress`], handing the compressed bytes out as they come: for those who hash or count them.
pub fn compress_with(content: &Rope, sink: impl FnMut(&[u8])) {
    let mut encoder = GzEncoder::new(Sink(sink), Compression::new(LEVEL));
    // Writing to a sink does not fail.
    content.for_each_chunk(|chunk| drop(encoder.write_all(chunk)));
    drop(encoder.finish());
}

struct Sink<F>(F);

impl<F: FnMut(&[u8])> Write for Sink<F> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        (self.0)(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A rope as `std::io::Read`, for libraries that want one.
pub struct RopeRead<'a> {
    /// What is still to be read.
    pub reader: Reader<'a>,
    /// How far the rope was read, in bytes: for whoever gave the reader away.
    pub place: Rc<Cell<u64>>,
}

impl<'a> From<&'a Rope> for RopeRead<'a> {
    fn from(rope: &'a Rope) -> Self {
        Self { reader: rope.reader(), place: Rc::default() }
    }
}

impl Read for RopeRead<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let bytes = self.reader.take(buffer.len() as u64).to_vec();
        self.place.set(self.reader.position());
        for (to, from) in buffer.iter_mut().zip(&bytes) {
            *to = *from;
        }
        Ok(bytes.len())
    }
}

#[cfg(test)]
mod tests {
    use super::super::packed::{PackedError, Packing};
    use super::*;

    #[test]
    fn what_is_stored_stays_bulk_and_is_gzip() {
        for size in [0, 1, 0xffff, 0x10000, 1 << 20] {
            let mut plain = Rope::from("head");
            plain.push(&Rope::bulk(7, size));
            let packed = store(&plain);
            assert!(packed.resident_bytes() < 4096, "{size}");
            assert_eq!(Packing::Gzip.decompress(&packed, 1 << 30).unwrap().digest(), plain.digest(), "{size}");
            let mut other = Vec::new();
            flate2::read::MultiGzDecoder::new(packed.to_vec().as_slice()).read_to_end(&mut other).unwrap();
            assert_eq!(other, plain.to_vec(), "{size}");
            assert_eq!(Packing::Gzip.decompress(&packed, 3), Err(PackedError::TooLarge));
        }
        let mut broken = store(&Rope::from("abc")).to_vec();
        if let Some(byte) = broken.get_mut(16) {
            *byte ^= 1;
        }
        assert!(Packing::Gzip.decompress(&broken.into(), 100).is_err());
    }

    #[test]
    fn gzip_round_trips_and_refuses_damage() {
        let mut content = Rope::from("hello hello hello");
        content.push(&Rope::bulk(9, 200_000));
        let packed = compress(&content);
        let decompress = |packed: &Rope, limit| Packing::Gzip.decompress(packed, limit);
        let mut parts = Compressing::new(&content);
        while parts.step() {}
        assert_eq!(parts.finish(), packed);
        assert_eq!(decompress(&packed, 1 << 20), Ok(content));
        assert_eq!(decompress(&packed.slice(0..100), 1 << 20), Err(PackedError::Truncated));
        assert_eq!(decompress(&packed, 1000), Err(PackedError::TooLarge));
    }
}
