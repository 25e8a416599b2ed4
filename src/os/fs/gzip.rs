//! gzip over ropes: deterministic writing (no name, no time), bounded reading.

use std::io::{Read, Write};

use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use flate2::{Compression, Crc};

use crate::base::rope::{CHUNK, Reader, Rope};

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
fn stored(content: &Rope) -> Option<Rope> {
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

/// The same, handing the compressed bytes out as they come: for those who hash or count them.
pub fn compress_with(content: &Rope, sink: impl FnMut(&[u8])) {
    let mut encoder = GzEncoder::new(Sink(sink), Compression::new(6));
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

/// Decompresses at most `limit` bytes.
///
/// # Errors
/// The stream is damaged or holds more than `limit` bytes.
pub fn decompress(content: &Rope, limit: u64) -> Result<Rope, GzipError> {
    if let Some(plain) = stored(content) {
        return if plain.len() > limit { Err(GzipError::TooLarge) } else { Ok(plain) };
    }
    let mut unpacking = Unpacking::new(content, limit);
    while unpacking.step()? {}
    Ok(unpacking.out)
}

/// Decompression that is done part by part, for those who let others run meanwhile.
pub struct Unpacking<'a> {
    decoder: MultiGzDecoder<RopeRead<'a>>,
    buffer: Vec<u8>,
    limit: u64,
    /// What there is so far.
    pub out: Rope,
}

impl<'a> Unpacking<'a> {
    /// Will decompress at most `limit` bytes.
    pub fn new(content: &'a Rope, limit: u64) -> Self {
        let decoder = MultiGzDecoder::new(RopeRead(content.reader()));
        Self { decoder, buffer: vec![0; CHUNK], limit, out: Rope::new() }
    }

    /// Decompresses at most [`CHUNK`] bytes; whether there may be more.
    ///
    /// # Errors
    /// As [`decompress`].
    pub fn step(&mut self) -> Result<bool, GzipError> {
        match self.decoder.read(&mut self.buffer) {
            Ok(0) => return Ok(false),
            Ok(count) => self.out.push_bytes(self.buffer.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Err(GzipError::Truncated),
            Err(_) => return Err(GzipError::Damaged),
        }
        if self.out.len() > self.limit { Err(GzipError::TooLarge) } else { Ok(true) }
    }
}

/// Why a gzip stream can't be read. The first two are Go's `compress/gzip` texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GzipError {
    /// It ends too early.
    #[error("unexpected EOF")]
    Truncated,
    /// Its header or checksum is wrong.
    #[error("gzip: invalid checksum")]
    Damaged,
    /// It unpacks to more than the caller allows.
    #[error("archive is too large")]
    TooLarge,
}

/// A rope as `std::io::Read`, for libraries that want one.
pub struct RopeRead<'a>(pub Reader<'a>);

impl Read for RopeRead<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let bytes = self.0.take(buffer.len() as u64).to_vec();
        for (to, from) in buffer.iter_mut().zip(&bytes) {
            *to = *from;
        }
        Ok(bytes.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_stays_bulk_and_is_gzip() {
        for size in [0, 1, 0xffff, 0x10000, 1 << 20] {
            let mut plain = Rope::from("head");
            plain.push(&Rope::bulk(7, size));
            let packed = store(&plain);
            assert!(packed.resident_bytes() < 4096, "{size}");
            assert_eq!(decompress(&packed, 1 << 30).unwrap().digest(), plain.digest(), "{size}");
            let mut other = Vec::new();
            MultiGzDecoder::new(packed.to_vec().as_slice()).read_to_end(&mut other).unwrap();
            assert_eq!(other, plain.to_vec(), "{size}");
            assert_eq!(decompress(&packed, 3), Err(GzipError::TooLarge));
        }
        let mut broken = store(&Rope::from("abc")).to_vec();
        if let Some(byte) = broken.get_mut(16) {
            *byte ^= 1;
        }
        assert!(decompress(&broken.into(), 100).is_err());
    }

    #[test]
    fn gzip_round_trips_and_refuses_damage() {
        let mut content = Rope::from("hello hello hello");
        content.push(&Rope::bulk(9, 200_000));
        let packed = compress(&content);
        assert_eq!(decompress(&packed, 1 << 20), Ok(content));
        assert_eq!(decompress(&packed.slice(0..100), 1 << 20), Err(GzipError::Truncated));
        assert_eq!(decompress(&packed, 1000), Err(GzipError::TooLarge));
    }
}
