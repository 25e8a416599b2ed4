//! SHA-256 digests and the identities made of them.
//!
//! One type an identity, so that a diff id can't be passed where a blob digest is meant. A digest is always
//! the hash of bytes that a user can export and hash again.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};

/// A SHA-256 value: 32 bytes, shown as `sha256:` and 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// Hashes `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Wraps 32 bytes that are already a hash.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// 64 lower-case hexadecimal digits, without the `sha256:` in front.
    pub fn hex(&self) -> String {
        hex(&self.0)
    }

    /// Docker's short form: the first 12 hexadecimal digits.
    pub fn short(&self) -> String {
        hex(self.0.get(..6).unwrap_or(&[]))
    }
}

/// Hashes a stream of byte chunks.
#[derive(Default)]
pub struct Hasher(Sha256);

impl Hasher {
    /// Starts with nothing hashed.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest of all bytes added.
    pub fn finish(self) -> Digest {
        Digest(self.0.finalize().into())
    }
}

/// Lower-case hexadecimal of any bytes.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", self.hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is no digest. The texts are those of `opencontainers/go-digest`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DigestError {
    /// No `algorithm:hex` form.
    #[error("invalid checksum digest format")]
    Format,
    /// An algorithm other than sha256.
    #[error("unsupported digest algorithm")]
    Algorithm,
    /// A wrong number of hexadecimal digits.
    #[error("invalid checksum digest length")]
    Length,
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let (algorithm, digits) = text.split_once(':').ok_or(DigestError::Format)?;
        if algorithm != "sha256" {
            return Err(DigestError::Algorithm);
        }
        if digits.len() != 64 {
            return Err(DigestError::Length);
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
            let value = |c: &u8| match c {
                b'0'..=b'9' => Ok(c - b'0'),
                b'a'..=b'f' => Ok(c - b'a' + 10),
                _ => Err(DigestError::Format),
            };
            match pair {
                [high, low] => *byte = value(high)? << 4 | value(low)?,
                _ => return Err(DigestError::Length),
            }
        }
        Ok(Self(bytes))
    }
}

impl serde::Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Declares identity types over [`Digest`].
macro_rules! digest_ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Digest);

        impl $name {
            /// Docker's short form: the first 12 hexadecimal digits.
            pub fn short(&self) -> String {
                self.0.short()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = DigestError;

            fn from_str(text: &str) -> Result<Self, DigestError> {
                text.parse().map(Self)
            }
        }
    )+};
}

digest_ids! {
    /// The digest of an image's config JSON: the image's name in the local store.
    ImageId,
    /// The digest of a layer's uncompressed tar.
    DiffId,
    /// The digest over a stack of diff ids (OCI image spec, `config.md`, "Layer ChainID").
    ChainId,
    /// The digest of a manifest's bytes: what `Digest:` prints at the end of a pull.
    ManifestDigest,
    /// The digest of a blob as a registry stores it (a layer's compressed tar, or a config).
    BlobDigest,
    /// A folder of the storage driver: no digest of anything in it, but a number that is drawn.
    FolderId,
}

impl FolderId {
    /// The `nth` of those that somebody draws who has this seed.
    pub fn drawn(seed: &str, nth: impl fmt::Display) -> Self {
        Self(Digest::of(format!("{seed} {nth}").as_bytes()))
    }

    /// The folder's name.
    pub fn name(self) -> String {
        self.0.hex()
    }
}

impl ChainId {
    /// The chain id of `diff_ids`, lowest first; `None` for no layers.
    pub fn of(diff_ids: &[DiffId]) -> Option<Self> {
        let (first, rest) = diff_ids.split_first()?;
        Some(rest.iter().fold(Self(first.0), |parent, diff| parent.then(*diff)))
    }

    /// The chain id of this stack with one more layer on top.
    pub fn then(self, diff: DiffId) -> Self {
        Self(Digest::of(format!("{} {}", self.0, diff.0).as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digest_of_nothing_is_the_well_known_one() {
        assert_eq!(Digest::of(b"").hex(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }

    #[test]
    fn parsing_and_printing_are_inverse() {
        let digest = Digest::of(b"capas");
        assert_eq!(digest.to_string().parse(), Ok(digest));
        assert_eq!("sha256:12".parse::<Digest>(), Err(DigestError::Length));
        assert_eq!("md5:12".parse::<Digest>(), Err(DigestError::Algorithm));
        assert_eq!("nope".parse::<Digest>(), Err(DigestError::Format));
    }

    #[test]
    fn chain_id_of_one_layer_is_its_diff_id() {
        let (a, b) = (DiffId(Digest::of(b"a")), DiffId(Digest::of(b"b")));
        assert_eq!(ChainId::of(&[a]), Some(ChainId(a.0)));
        assert_eq!(ChainId::of(&[a, b]), Some(ChainId(Digest::of(format!("{a} {b}").as_bytes()))));
        assert_eq!(ChainId::of(&[]), None);
    }
}
