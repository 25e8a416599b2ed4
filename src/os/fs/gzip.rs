//! gzip over ropes: deterministic writing (no name, no time); [`super::packed`] reads it.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::write::GzEncoder;

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
    use super::super::packed::{PackedError, Packing};
    use super::*;

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
