//! A file's content as the journal keeps it: compressed, and in text formats as base64 rather than as a list of numbers.

use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::base::rope::Rope;

/// A file's content.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Content(pub Rope);

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// RFC 4648, without padding.
fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for part in bytes.chunks(3) {
        let word = part.iter().enumerate().fold(0u32, |word, (at, byte)| word | u32::from(*byte) << (16 - 8 * at));
        for at in 0..=part.len() {
            let digit = ALPHABET.get((word >> (18 - 6 * at)) as usize & 63).copied().unwrap_or_default();
            text.push(char::from(digit));
        }
    }
    text
}

fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 2);
    for part in text.as_bytes().chunks(4) {
        let mut word = 0u32;
        for (at, digit) in part.iter().enumerate() {
            let value = match digit {
                b'A'..=b'Z' => digit - b'A',
                b'a'..=b'z' => digit - b'a' + 26,
                b'0'..=b'9' => digit - b'0' + 52,
                b'+' => 62,
                b'/' => 63,
                _ => return None,
            };
            word |= u32::from(value) << (18 - 6 * at);
        }
        let [_, first, second, third] = word.to_be_bytes();
        bytes.extend_from_slice([first, second, third].get(..part.len().checked_sub(1)?)?);
    }
    Some(bytes)
}

impl Serialize for Content {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let kept = self.0.to_pieces();
        if serializer.is_human_readable() {
            serializer.serialize_str(&encode(&kept))
        } else {
            serializer.serialize_bytes(&kept)
        }
    }
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Text formats tell a string from the list of numbers of the first journals; the others have only bytes.
        if deserializer.is_human_readable() {
            deserializer.deserialize_any(Kept)
        } else {
            deserializer.deserialize_bytes(Kept)
        }
    }
}

struct Kept;

impl<'de> Visitor<'de> for Kept {
    type Value = Content;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a file's content")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Content, E> {
        let bytes = decode(text).ok_or_else(|| E::custom("not base64"))?;
        self.visit_bytes(&bytes)
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Content, E> {
        Rope::from_pieces(bytes).map(Content).ok_or_else(|| E::custom("the content is damaged"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Content, A::Error> {
        let mut bytes = Vec::new();
        while let Some(byte) = list.next_element::<u8>()? {
            bytes.push(byte);
        }
        Ok(Content(bytes.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_rfc() {
        for (bytes, text) in [("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg")] {
            assert_eq!(encode(bytes.as_bytes()), text);
            assert_eq!(decode(text).unwrap(), bytes.as_bytes());
        }
        assert_eq!(decode("Zg=="), None);
        assert_eq!(decode("Z"), Some(Vec::new()));
    }

    #[test]
    fn what_compresses_is_kept_small_and_lists_of_numbers_are_still_read() {
        let content = Content("hola ".repeat(10_000).as_str().into());
        let text = serde_json::to_string(&content).unwrap();
        assert!(text.len() < 2_000, "{}", text.len());
        assert_eq!(serde_json::from_str::<Content>(&text).unwrap(), content);
        assert_eq!(serde_json::from_str::<Content>("[104,105]").unwrap(), Content("hi".into()));
        assert!(serde_json::from_str::<Content>("\"AAAA\"").is_err());
    }
}
