//! Compressed files, told apart by their first bytes: gzip, bzip2, xz, zstd (moby `archive.DetectCompression`).

use std::io::Read;

use bzip2::bufread::MultiBzDecoder;
use ruzstd::decoding::StreamingDecoder;

use super::gzip::{self, GzipError, RopeRead};
use super::xz::{self, XzError};
use crate::base::rope::{CHUNK, Rope};

/// How a file is compressed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Packing {
    /// RFC 1952.
    Gzip,
    /// bzip2.
    Bzip2,
    /// The .xz format.
    Xz,
    /// RFC 8878.
    Zstd,
}

impl Packing {
    /// What a file that begins with these bytes (eight are enough) is compressed by.
    pub fn of(head: &[u8]) -> Option<Self> {
        match head {
            _ if gzip::is_gzip(head) => Some(Self::Gzip),
            _ if xz::is_xz(head) => Some(Self::Xz),
            [b'B', b'Z', b'h', ..] => Some(Self::Bzip2),
            // A frame, or one to be skipped.
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some(Self::Zstd),
            _ => None,
        }
    }

    /// Unpacks at most `limit` bytes.
    ///
    /// # Errors
    /// The stream is damaged or holds more than `limit` bytes.
    pub fn decompress(self, content: &Rope, limit: u64) -> Result<Rope, PackedError> {
        match self {
            Self::Gzip => gzip::decompress(content, limit).map_err(PackedError::Gzip),
            Self::Xz => xz::decompress(content, limit).map_err(PackedError::Xz),
            Self::Bzip2 => {
                let input = std::io::BufReader::new(RopeRead(content.reader()));
                drain(MultiBzDecoder::new(input), limit, PackedError::Bzip2)
            }
            Self::Zstd => unzstd(content, limit),
        }
    }
}

/// A file as it was before it was compressed; one that is not compressed as it is.
///
/// # Errors
/// As [`Packing::decompress`].
pub fn plain(content: &Rope, limit: u64) -> Result<Rope, PackedError> {
    Packing::of(&content.head(8)).map_or_else(|| Ok(content.clone()), |packing| packing.decompress(content, limit))
}

/// Packs as bzip2 does by default.
pub fn bzip2(content: &Rope) -> Rope {
    let mut out = Vec::new();
    let mut encoder = bzip2::read::BzEncoder::new(RopeRead(content.reader()), bzip2::Compression::best());
    // Reading a rope does not fail.
    encoder.read_to_end(&mut out).unwrap_or_default();
    out.into()
}

/// Frames one after the other, those that hold no content passed over.
fn unzstd(content: &Rope, limit: u64) -> Result<Rope, PackedError> {
    let mut out = Rope::new();
    let mut rest = content.clone();
    while !rest.is_empty() {
        let head = rest.head(8);
        if let [0x50..=0x5f, 0x2a, 0x4d, 0x18, len @ ..] = head.as_slice() {
            let len: [u8; 4] = len.try_into().map_err(|_| PackedError::Truncated)?;
            let end = 8 + u64::from(u32::from_le_bytes(len));
            if end > rest.len() {
                return Err(PackedError::Truncated);
            }
            rest = rest.slice(end..rest.len());
            continue;
        }
        let mut source = RopeRead(rest.reader());
        let mut decoder = StreamingDecoder::new(&mut source).map_err(|_| PackedError::Zstd)?;
        out.push(&drain(&mut decoder, limit.saturating_sub(out.len()), PackedError::Zstd)?);
        let told = decoder.decoder.get_checksum_from_data();
        if told.is_some() && told != decoder.decoder.get_calculated_checksum() {
            return Err(PackedError::Zstd);
        }
        let left = source.0.remaining();
        rest = rest.slice(rest.len() - left..rest.len());
    }
    Ok(out)
}

fn drain(mut from: impl Read, limit: u64, damaged: PackedError) -> Result<Rope, PackedError> {
    let (mut out, mut buffer) = (Rope::new(), vec![0; CHUNK]);
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return Ok(out),
            Ok(count) => out.push_bytes(buffer.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Err(PackedError::Truncated),
            Err(_) => return Err(damaged),
        }
        if out.len() > limit {
            return Err(PackedError::TooLarge);
        }
    }
}

/// Why a compressed file can't be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PackedError {
    /// A gzip stream.
    #[error(transparent)]
    Gzip(GzipError),
    /// An xz stream.
    #[error(transparent)]
    Xz(XzError),
    /// A bzip2 stream (Go's `compress/bzip2` begins so).
    #[error("bzip2 data invalid")]
    Bzip2,
    /// A zstd stream.
    #[error("zstd: data is corrupt")]
    Zstd,
    /// It ends too early.
    #[error("unexpected EOF")]
    Truncated,
    /// It unpacks to more than the caller allows.
    #[error("archive is too large")]
    TooLarge,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `printf 'hello hello hello\n' | zstd` (1.5.4) and `| bzip2` (1.0.8).
    const ZSTD: &[u8] = b"(\xb5/\xfd\x04Xm\x00\x008hello \x0a\x01\x001J\x11\xa3\xaat\xce";
    const BZIP2: &[u8] = b"BZh91AY&SY\xe5\xb5\xf3\x09\x00\x00\x04Q\x00\x00\x10@\x00\x02D\xa0\x00!\xb5\x18\x0c\x02\x90i\xc2\xa3\x0b\xb9\x22\x9c(Hr\xda\xf9\x84\x80";

    #[test]
    fn what_the_real_programs_wrote_is_read() {
        for packed in [ZSTD, BZIP2] {
            let twice = [packed, packed].concat();
            assert_eq!(plain(&packed.into(), 100), Ok(Rope::from("hello hello hello\n")));
            assert_eq!(plain(&twice.as_slice().into(), 100), Ok(Rope::from("hello hello hello\nhello hello hello\n")));
            assert_eq!(plain(&packed.into(), 10), Err(PackedError::TooLarge));
            let cut = Rope::from(packed.get(..packed.len() - 4).unwrap());
            assert!(plain(&cut, 100).is_err(), "{packed:?}");
        }
    }

    #[test]
    fn bzip2_round_trips_and_other_files_stay_as_they_are() {
        let content = Rope::bulk(3, 300_000);
        assert_eq!(plain(&bzip2(&content), 1 << 20), Ok(content));
        assert_eq!(plain(&Rope::from("text"), 1), Ok(Rope::from("text")));
    }

    #[test]
    fn frames_to_be_skipped_hold_nothing() {
        let skipped = [&[0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3], ZSTD].concat();
        assert_eq!(plain(&skipped.as_slice().into(), 100), Ok(Rope::from("hello hello hello\n")));
        assert_eq!(plain(&skipped.get(..10).unwrap().into(), 100), Err(PackedError::Truncated));
    }
}
