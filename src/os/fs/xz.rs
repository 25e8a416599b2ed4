//! xz over ropes: stored writing, bounded reading (the .xz file format, version 1.1.0).
//!
//! Stored means LZMA2 chunks without compression and no check value: a valid archive for every xz, and one that holds
//! bulk as bulk, so that a root file system of tens of megabytes packs and unpacks without a byte being generated.

use std::io::{BufReader, Write};

use flate2::Crc;

use super::gzip::RopeRead;
use crate::base::rope::{CHUNK, Rope};

const MAGIC: &[u8] = &[0xfd, b'7', b'z', b'X', b'Z', 0];
const FOOTER_MAGIC: &[u8] = b"YZ";
/// Stream flags: no check.
const NO_CHECK: [u8; 2] = [0, 0];
/// One LZMA2 filter with the smallest dictionary, padded.
const BLOCK_HEADER: [u8; 8] = [2, 0, 0x21, 1, 0, 0, 0, 0];
const UNCOMPRESSED_RESET: u8 = 1;
const UNCOMPRESSED: u8 = 2;

/// Whether these bytes start an xz stream.
pub fn is_xz(head: &[u8]) -> bool {
    head.starts_with(MAGIC)
}

/// Packs without compression.
pub fn store(content: &Rope) -> Rope {
    let mut out = Rope::from(MAGIC);
    push_checked(&mut out, &NO_CHECK);
    let mut index = vec![0];
    let mut records = Vec::new();
    if !content.is_empty() {
        let start = out.len();
        push_checked(&mut out, &BLOCK_HEADER);
        let mut at = 0;
        while at < content.len() {
            let piece = content.slice(at..at + CHUNK as u64);
            let size = (piece.len() - 1) as u16;
            let control = if at == 0 { UNCOMPRESSED_RESET } else { UNCOMPRESSED };
            out.push_bytes(&[control]);
            out.push_bytes(&size.to_be_bytes());
            out.push(&piece);
            at += piece.len();
        }
        out.push_bytes(&[0]);
        let unpadded = out.len() - start;
        pad(&mut out, unpadded);
        records.push((unpadded, content.len()));
    }
    varint(&mut index, records.len() as u64);
    for (packed, plain) in records {
        varint(&mut index, packed);
        varint(&mut index, plain);
    }
    index.resize(index.len().next_multiple_of(4), 0);
    push_checked(&mut out, &index);
    let backward = (index.len() / 4) as u32;
    let mut footer = backward.to_le_bytes().to_vec();
    footer.extend_from_slice(&NO_CHECK);
    out.push_bytes(&crc32(&footer));
    out.push_bytes(&footer);
    out.push_bytes(FOOTER_MAGIC);
    out
}

/// Unpacks at most `limit` bytes.
///
/// # Errors
/// The stream is damaged or holds more than `limit` bytes.
pub fn decompress(content: &Rope, limit: u64) -> Result<Rope, XzError> {
    if let Some(plain) = stored(content) {
        return if plain.len() > limit { Err(XzError::TooLarge) } else { Ok(plain) };
    }
    let mut sink = Bounded { out: Rope::new(), limit, full: false };
    let mut input = BufReader::new(RopeRead(content.reader()));
    match lzma_rs::xz_decompress(&mut input, &mut sink) {
        Ok(()) => Ok(sink.out),
        Err(_) if sink.full => Err(XzError::TooLarge),
        Err(_) => Err(XzError::Damaged),
    }
}

/// Why an xz stream can't be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum XzError {
    /// It is cut off, or a checksum is wrong.
    #[error("xz: data is truncated or corrupt")]
    Damaged,
    /// It unpacks to more than the caller allows.
    #[error("archive is too large")]
    TooLarge,
}

/// The content of a stream that [`store`] wrote, whose pieces are taken as they are; `None` for any other.
fn stored(content: &Rope) -> Option<Rope> {
    let head = content.head(12);
    if !is_xz(&head) || head.get(6..8)? != NO_CHECK {
        return None;
    }
    let mut out = Rope::new();
    let mut reader = content.reader();
    reader.take_bytes(12)?;
    loop {
        let start = *reader.take_bytes(1)?.first()?;
        if start == 0 {
            return Some(out);
        }
        let mut header = vec![start];
        header.extend(reader.take_bytes(BLOCK_HEADER.len() as u64 - 1)?);
        if header != BLOCK_HEADER || reader.take_bytes(4)? != crc32(&header) {
            return None;
        }
        let mut packed = BLOCK_HEADER.len() as u64 + 4;
        loop {
            let control = *reader.take_bytes(1)?.first()?;
            packed += 1;
            match control {
                0 => break,
                UNCOMPRESSED_RESET | UNCOMPRESSED => {
                    let size = u64::from(u16::from_be_bytes(reader.take_bytes(2)?.try_into().ok()?)) + 1;
                    let piece = reader.take(size);
                    if piece.len() < size {
                        return None;
                    }
                    packed += 2 + size;
                    out.push(&piece);
                }
                _ => return None,
            }
        }
        reader.take_bytes(packed.next_multiple_of(4) - packed)?;
    }
}

fn push_checked(out: &mut Rope, bytes: &[u8]) {
    out.push_bytes(bytes);
    out.push_bytes(&crc32(bytes));
}

fn crc32(bytes: &[u8]) -> [u8; 4] {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum().to_le_bytes()
}

fn pad(out: &mut Rope, size: u64) {
    out.push_bytes(&vec![0; (size.next_multiple_of(4) - size) as usize]);
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

struct Bounded {
    out: Rope,
    limit: u64,
    full: bool,
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.out.len() + bytes.len() as u64 > self.limit {
            self.full = true;
            return Err(std::io::ErrorKind::FileTooLarge.into());
        }
        self.out.push_bytes(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_archives_round_trip_and_hold_no_bulk() {
        let mut content = Rope::from("head");
        content.push(&Rope::bulk(4, 10_000_000));
        content.push_bytes(b"tail");
        let packed = store(&content);
        assert!(packed.resident_bytes() < 10_000);
        assert_eq!(decompress(&packed, 1 << 30), Ok(content));
        assert_eq!(decompress(&packed, 1000), Err(XzError::TooLarge));
        assert_eq!(decompress(&store(&Rope::new()), 1), Ok(Rope::new()));
    }

    #[test]
    fn a_stored_archive_is_one_to_others() {
        let packed = store(&Rope::from("hello"));
        let mut out = Vec::new();
        lzma_rs::xz_decompress(&mut packed.to_vec().as_slice(), &mut out).unwrap();
        assert_eq!(out, b"hello");
    }

    #[test]
    fn compressed_archives_are_read_within_the_limit() {
        let mut packed = Vec::new();
        lzma_rs::xz_compress(&mut b"hello hello hello".as_slice(), &mut packed).unwrap();
        let packed = Rope::from(packed);
        assert_eq!(decompress(&packed, 100), Ok(Rope::from("hello hello hello")));
        assert_eq!(decompress(&packed, 3), Err(XzError::TooLarge));
        assert_eq!(decompress(&packed.slice(0..packed.len() - 9), 100), Err(XzError::Damaged));
        assert_eq!(decompress(&Rope::from("no xz at all"), 100), Err(XzError::Damaged));
    }
}
