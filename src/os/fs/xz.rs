//! xz over ropes: stored writing, bounded reading (the .xz file format, version 1.1.0).
//!
//! Stored means LZMA2 chunks without compression and no check value: a valid archive for every xz, and one that holds
//! bulk as bulk, so that a root file system of tens of megabytes packs and unpacks without a byte being generated.

use std::io::{BufReader, Read};

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
/// Memory for reading, in KiB: the window of `xz -9` and what else it takes.
const MAX_MEMORY_KIB: u32 = (64 << 10) + 1024;

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

/// Unpacks any stream of this format, with a window no larger than that of `xz -9`.
pub fn reader(content: RopeRead<'_>) -> impl Read {
    lzma_rust2::XzReader::new_mem_limit(BufReader::new(content), true, MAX_MEMORY_KIB)
}

/// The content of a stream that [`store`] wrote, whose pieces are taken as they are; `None` for any other.
pub fn stored(content: &Rope) -> Option<Rope> {
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

#[cfg(test)]
mod tests {
    use super::super::packed::{PackedError, Packing};
    use super::*;

    fn decompress(packed: &Rope, limit: u64) -> Result<Rope, PackedError> {
        Packing::Xz.decompress(packed, limit)
    }

    #[test]
    fn stored_archives_round_trip_and_hold_no_bulk() {
        let mut content = Rope::from("head");
        content.push(&Rope::bulk(4, 10_000_000));
        content.push_bytes(b"tail");
        let packed = store(&content);
        assert!(packed.resident_bytes() < 10_000);
        assert_eq!(decompress(&packed, 1 << 30), Ok(content));
        assert_eq!(decompress(&packed, 1000), Err(PackedError::TooLarge));
        assert_eq!(decompress(&store(&Rope::new()), 1), Ok(Rope::new()));
    }

    #[test]
    fn a_stored_archive_is_one_to_others() {
        let packed = store(&Rope::from("hello"));
        let mut out = Vec::new();
        reader((&packed).into()).read_to_end(&mut out).unwrap();
        assert_eq!(out, b"hello");
    }

    /// `head -c 100000 /dev/zero | xz` (5.4.1).
    const ZEROS: &[u8] = &[
        0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00, 0x00, 0x04, 0xe6, 0xd6, 0xb4, 0x46, 0x02, 0x00, 0x21, 0x01, 0x16, 0x00,
        0x00, 0x00, 0x74, 0x2f, 0xe5, 0xa3, 0xe1, 0x86, 0x9f, 0x00, 0x53, 0x5d, 0x00, 0x00, 0x6f, 0xfd, 0xff, 0xff,
        0xa3, 0xb7, 0xff, 0x47, 0x3e, 0x48, 0x15, 0x72, 0x39, 0x61, 0x51, 0xb8, 0x92, 0x28, 0xe6, 0xa3, 0x86, 0x07,
        0xf9, 0xee, 0xe4, 0x1e, 0x82, 0xd3, 0x2f, 0xc5, 0x3a, 0x3c, 0x01, 0x4b, 0xb1, 0x7e, 0xc9, 0x8a, 0x8a, 0x4d,
        0x2f, 0xa3, 0x0d, 0xd9, 0x7f, 0xa6, 0xe3, 0x8c, 0x23, 0x11, 0x53, 0xe0, 0x59, 0x18, 0xc5, 0x75, 0x8a, 0xe2,
        0x77, 0xf8, 0xb6, 0x94, 0x7f, 0x0c, 0x6a, 0xc0, 0xde, 0x74, 0x49, 0x64, 0xe2, 0xe9, 0x5c, 0x53, 0xb2, 0x04,
        0xd6, 0xb1, 0xf5, 0x97, 0x00, 0x00, 0x00, 0x00, 0x8f, 0xc6, 0x94, 0xa2, 0x18, 0xe3, 0x70, 0xf1, 0x00, 0x01,
        0x6f, 0xa0, 0x8d, 0x06, 0x00, 0x00, 0x90, 0xe4, 0x6e, 0x51, 0xb1, 0xc4, 0x67, 0xfb, 0x02, 0x00, 0x00, 0x00,
        0x00, 0x04, 0x59, 0x5a,
    ];

    #[test]
    fn compressed_archives_are_read_within_the_limit() {
        let packed = Rope::from(ZEROS);
        assert_eq!(decompress(&packed, 100_000), Ok(Rope::from(vec![0; 100_000])));
        assert_eq!(decompress(&packed, 99_999), Err(PackedError::TooLarge));
        for len in 6..packed.len() {
            let error = decompress(&packed.slice(0..len), 100_000);
            assert!(matches!(error, Err(PackedError::Truncated | PackedError::Xz)), "{len}: {error:?}");
        }
        assert_eq!(decompress(&Rope::from("no xz at all"), 100), Err(PackedError::Xz));
    }

    #[test]
    fn a_window_of_gigabytes_is_refused_before_it_is_made() {
        let mut bytes = ZEROS.to_vec();
        // The header of the block: its size, flags, the filter's id, the length of its properties, the window.
        assert_eq!(bytes[12..16], [2, 0, 0x21, 1]);
        bytes[16] = 40;
        let sum = crc32(&bytes[12..20]);
        bytes[20..24].copy_from_slice(&sum);
        assert_eq!(decompress(&Rope::from(bytes), 100_000), Err(PackedError::Xz));
    }
}
