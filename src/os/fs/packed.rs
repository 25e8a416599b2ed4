//! Compressed files, told apart by their first bytes: gzip, bzip2, xz, zstd (moby `archive.DetectCompression`).
//!
//! Whatever a stream claims, no more is held than it has unpacked to, and that compressed; and who wants to let others run
//! meanwhile unpacks it part by part.

use std::cell::Cell;
use std::io::{BufReader, Read};
use std::rc::Rc;

use bzip2::bufread::MultiBzDecoder;
use flate2::read::MultiGzDecoder;
use ruzstd::decoding::{FrameDecoder, StreamingDecoder};

use super::gzip::{self, RopeRead};
use super::xz;
use crate::base::packed::PIECE;
use crate::base::rope::{CHUNK, Reader, Rope};

/// What commands unpack a file to at most, in bytes: more than any image of the catalogue holds.
pub const MAX_UNPACKED_BYTES: u64 = 1 << 31;

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
        let mut unpacking = Unpacking::new(self, content, limit);
        while unpacking.step()? {}
        Ok(unpacking.finish())
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
    let mut encoder = bzip2::read::BzEncoder::new(RopeRead::from(content), bzip2::Compression::best());
    // Reading a rope does not fail.
    encoder.read_to_end(&mut out).unwrap_or_default();
    out.into()
}

/// Decompression that is done part by part.
pub struct Unpacking<'a> {
    packing: Packing,
    decoder: Decoder<'a>,
    limit: u64,
    /// How far the file was read.
    place: Rc<Cell<u64>>,
    /// What has come out and is not in `out` yet.
    fresh: Vec<u8>,
    out: Rope,
}

enum Decoder<'a> {
    Reads(Box<dyn Read + 'a>),
    /// What it unpacks to is at hand: parts of the file itself.
    Done(Rope),
}

impl<'a> Unpacking<'a> {
    /// Will decompress at most `limit` bytes.
    pub fn new(packing: Packing, content: &'a Rope, limit: u64) -> Self {
        let input = RopeRead::from(content);
        let place = Rc::clone(&input.place);
        let decoder = match packing {
            Packing::Gzip => match gzip::stored(content) {
                Some(plain) => Decoder::Done(plain),
                None => Decoder::Reads(Box::new(MultiGzDecoder::new(input))),
            },
            Packing::Bzip2 => Decoder::Reads(Box::new(MultiBzDecoder::new(BufReader::new(input)))),
            Packing::Zstd => {
                Decoder::Reads(Box::new(Zstd { input: Some(input.reader), frame: None, place: input.place }))
            }
            Packing::Xz => match xz::stored(content) {
                Some(plain) => Decoder::Done(plain),
                None => Decoder::Reads(Box::new(xz::reader(input))),
            },
        };
        Self { packing, decoder, limit, place, fresh: Vec::new(), out: Rope::new() }
    }

    /// Decompresses at most [`CHUNK`] bytes; whether there may be more.
    ///
    /// # Errors
    /// As [`Packing::decompress`].
    pub fn step(&mut self) -> Result<bool, PackedError> {
        let more = match &mut self.decoder {
            Decoder::Done(plain) => {
                self.out = std::mem::take(plain);
                false
            }
            Decoder::Reads(decoder) => {
                let end = self.fresh.len();
                self.fresh.resize(end + CHUNK, 0);
                let read = decoder.read(self.fresh.get_mut(end..).unwrap_or_default());
                self.fresh.truncate(end + read.as_ref().map_or(0, |count| *count));
                match read {
                    Ok(count) => count > 0,
                    Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                        return Err(PackedError::Truncated);
                    }
                    Err(_) => return Err(self.packing.into()),
                }
            }
        };
        if self.len() > self.limit {
            return Err(PackedError::TooLarge);
        }
        if self.fresh.len() >= PIECE {
            let rest = self.fresh.split_off(PIECE);
            self.out.push_packed(&std::mem::replace(&mut self.fresh, rest));
        }
        Ok(more)
    }

    /// How many bytes of the file have gone in so far.
    pub fn position(&self) -> u64 {
        self.place.get()
    }

    /// How many bytes have come out so far.
    pub const fn len(&self) -> u64 {
        self.out.len() + self.fresh.len() as u64
    }

    /// Whether nothing has come out yet.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What there is.
    pub fn finish(mut self) -> Rope {
        if self.out.is_empty() {
            return Rope::from(self.fresh);
        }
        self.out.push_packed(&self.fresh);
        self.out
    }
}

/// Frames one after the other, those that hold no content passed over.
struct Zstd<'a> {
    /// Where the next frame begins; `None` while one is read.
    input: Option<Reader<'a>>,
    frame: Option<StreamingDecoder<RopeRead<'a>, FrameDecoder>>,
    place: Rc<Cell<u64>>,
}

impl Zstd<'_> {
    /// Begins the next frame; `false` at the end.
    fn next_frame(&mut self) -> std::io::Result<bool> {
        while let Some(mut input) = self.input.take() {
            if input.remaining() == 0 {
                return Ok(false);
            }
            let head = input.clone().take(8).to_vec();
            if let [0x50..=0x5f, 0x2a, 0x4d, 0x18, len @ ..] = head.as_slice() {
                let len: [u8; 4] = len.try_into().map_err(|_| std::io::ErrorKind::UnexpectedEof)?;
                let end = 8 + u64::from(u32::from_le_bytes(len));
                if end > input.remaining() {
                    return Err(std::io::ErrorKind::UnexpectedEof.into());
                }
                input.take(end);
                self.input = Some(input);
            } else {
                let frame = StreamingDecoder::new(RopeRead { reader: input, place: Rc::clone(&self.place) })
                    .map_err(std::io::Error::other)?;
                self.frame = Some(frame);
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl Read for Zstd<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        loop {
            if let Some(frame) = &mut self.frame {
                let count = frame.read(buffer)?;
                if count > 0 {
                    return Ok(count);
                }
            }
            if let Some((source, decoder)) = self.frame.take().map(StreamingDecoder::into_parts) {
                let told = decoder.get_checksum_from_data();
                if told.is_some() && told != decoder.get_calculated_checksum() {
                    return Err(std::io::ErrorKind::InvalidData.into());
                }
                self.input = Some(source.reader);
            }
            if !self.next_frame()? {
                return Ok(0);
            }
        }
    }
}

/// Why a compressed file can't be read. The words are those of Go's packages where it has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PackedError {
    /// A gzip stream's header or checksum is wrong (Go `compress/gzip` `ErrChecksum`).
    #[error("gzip: invalid checksum")]
    Gzip,
    /// An xz stream.
    #[error("xz: data is truncated or corrupt")]
    Xz,
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

impl From<Packing> for PackedError {
    /// That a stream of this kind is damaged.
    fn from(packing: Packing) -> Self {
        match packing {
            Packing::Gzip => Self::Gzip,
            Packing::Bzip2 => Self::Bzip2,
            Packing::Xz => Self::Xz,
            Packing::Zstd => Self::Zstd,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `printf 'hello hello hello\n' | zstd` (1.5.4), `| bzip2` (1.0.8) and `| xz` (5.4.1).
    const ZSTD: &[u8] = b"(\xb5/\xfd\x04Xm\x00\x008hello \x0a\x01\x001J\x11\xa3\xaat\xce";
    const BZIP2: &[u8] = b"BZh91AY&SY\xe5\xb5\xf3\x09\x00\x00\x04Q\x00\x00\x10@\x00\x02D\xa0\x00!\xb5\x18\x0c\x02\x90i\xc2\xa3\x0b\xb9\x22\x9c(Hr\xda\xf9\x84\x80";
    const XZ: &[u8] = b"\xfd\x37\x7a\x58\x5a\x00\x00\x04\xe6\xd6\xb4\x46\x02\x00\x21\x01\x16\x00\x00\x00\x74\x2f\xe5\xa3\xe0\x00\x11\x00\x0c\x5d\x00\x34\x19\x49\xee\x8d\xe9\x4f\x7e\x21\x21\xb0\x00\x00\x1f\x01\xd9\xc8\x87\xc1\x43\xc8\x00\x01\x28\x12\xc9\x6a\x62\x8e\x1f\xb6\xf3\x7d\x01\x00\x00\x00\x00\x04\x59\x5a";

    #[test]
    fn what_the_real_programs_wrote_is_read() {
        for packed in [ZSTD, BZIP2, XZ] {
            let twice = [packed, packed].concat();
            assert_eq!(plain(&packed.into(), 100), Ok(Rope::from("hello hello hello\n")));
            assert_eq!(plain(&twice.as_slice().into(), 100), Ok(Rope::from("hello hello hello\nhello hello hello\n")));
            assert_eq!(plain(&packed.into(), 10), Err(PackedError::TooLarge));
            let cut = Rope::from(packed.get(..packed.len() - 4).unwrap());
            assert!(plain(&cut, 100).is_err(), "{packed:?}");
        }
    }

    #[test]
    fn what_is_packed_round_trips_and_other_files_stay_as_they_are() {
        let content = Rope::bulk(3, 300_000);
        assert_eq!(plain(&bzip2(&content), 1 << 20), Ok(content.clone()));
        assert_eq!(plain(&gzip::compress(&content), 1 << 20), Ok(content));
        assert_eq!(plain(&Rope::from("text"), 1), Ok(Rope::from("text")));
    }

    #[test]
    fn frames_to_be_skipped_hold_nothing() {
        let skipped = [&[0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3], ZSTD].concat();
        assert_eq!(plain(&skipped.as_slice().into(), 100), Ok(Rope::from("hello hello hello\n")));
        assert_eq!(plain(&skipped.get(..10).unwrap().into(), 100), Err(PackedError::Truncated));
    }

    #[test]
    fn a_bomb_of_any_kind_is_held_compressed_until_the_limit_and_refused_there() {
        const LIMIT: u64 = 40 << 20;
        let mut zeros = Rope::new();
        (0..64).for_each(|_| zeros.push_packed(&[0; 1 << 20]));
        for packed in [gzip::compress(&zeros), bzip2(&zeros)] {
            let packing = Packing::of(&packed.head(8)).unwrap();
            let mut unpacking = Unpacking::new(packing, &packed, LIMIT);
            let end = loop {
                assert!(unpacking.len() <= LIMIT && unpacking.out.resident_bytes() < 1 << 20, "{packing:?}");
                match unpacking.step() {
                    Ok(more) => assert!(more, "{packing:?}"),
                    Err(error) => break error,
                }
            };
            assert_eq!(end, PackedError::TooLarge, "{packing:?}");
        }
    }
}
