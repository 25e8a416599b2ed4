//! Image references: `ubuntu`, `nginx:1.27`, `ghcr.io/org/app@sha256:…` (distribution/reference).
//!
//! Inside, a reference is always canonical (`docker.io/library/ubuntu`); people see its familiar form (`ubuntu`).
//! What a reference points at is the store's business.

use std::fmt;

use crate::base::digest::{Digest, DigestError, ManifestDigest};

/// The registry that a name without one belongs to.
pub const DEFAULT_DOMAIN: &str = "docker.io";
/// The tag of a reference that names none.
pub const DEFAULT_TAG: &str = "latest";
const LEGACY_DEFAULT_DOMAIN: &str = "index.docker.io";
const OFFICIAL_PREFIX: &str = "library/";
const NAME_TOTAL_LENGTH_MAX: usize = 255;
const TAG_LENGTH_MAX: usize = 128;

/// A text that is no reference (distribution/reference `reference.go`, `normalize.go`).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// `ErrReferenceInvalidFormat`.
    #[error("invalid reference format")]
    Format,
    /// `ParseNormalizedNamed`, upper-case letters in the path.
    #[error("invalid reference format: repository name ({0}) must be lowercase")]
    Uppercase(String),
    /// `ErrNameTooLong`.
    #[error("repository name must not be more than {NAME_TOTAL_LENGTH_MAX} characters")]
    NameTooLong,
    /// `ParseNormalizedNamed`, a name that looks like an image id.
    #[error("invalid repository name ({0}), cannot specify 64-byte hexadecimal strings")]
    Identifier(String),
    /// `ErrTagInvalidFormat`.
    #[error("invalid tag format")]
    Tag,
    /// A name that is an algorithm's.
    #[error("refusing to create an ambiguous tag using digest algorithm as name")]
    DigestName,
    /// A digest of the right form but the wrong algorithm or length.
    #[error("{0}")]
    Digest(#[from] DigestError),
}

/// A repository's canonical name: registry domain and path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Repository {
    domain: String,
    path: String,
}

impl Repository {
    /// The registry: `docker.io`, `localhost:5000`.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// The path in the registry: `library/ubuntu`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The name people see: without `docker.io/` and `library/`.
    pub fn familiar(&self) -> String {
        if self.domain != DEFAULT_DOMAIN {
            return self.to_string();
        }
        match self.path.strip_prefix(OFFICIAL_PREFIX) {
            Some(rest) if !rest.contains('/') => rest.to_owned(),
            _ => self.path.clone(),
        }
    }
}

impl fmt::Display for Repository {
    /// The canonical name: `docker.io/library/ubuntu`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.domain.is_empty() { f.write_str(&self.path) } else { write!(f, "{}/{}", self.domain, self.path) }
    }
}

/// A repository with an optional tag and an optional digest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    repository: Repository,
    tag: Option<String>,
    digest: Option<ManifestDigest>,
}

impl Reference {
    /// Parses a familiar or canonical reference (`ParseNormalizedNamed`).
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        if is_identifier(text) {
            return Err(ReferenceError::Identifier(text.to_owned()));
        }
        let (domain, remainder) = split_domain(text);
        let remote = remainder.split(':').next().unwrap_or_default();
        if remote.to_lowercase() != remote {
            return Err(ReferenceError::Uppercase(remote.to_owned()));
        }
        let (rest, digest) = match remainder.split_once('@') {
            Some((rest, digest)) => (rest, Some(parse_digest(digest)?)),
            None => (remainder.as_str(), None),
        };
        let name_start = rest.rfind('/').map_or(0, |slash| slash + 1);
        let colon = rest.get(name_start..).and_then(|name| name.find(':')).map(|at| at + name_start);
        let (path, tag) = match colon.and_then(|at| rest.split_at_checked(at)) {
            Some((path, tag)) => (path, tag.strip_prefix(':')),
            None => (rest, None),
        };
        if tag.is_some_and(|tag| !is_tag(tag)) {
            return Err(ReferenceError::Format);
        }
        let mut repository = Repository { domain: domain.to_owned(), path: path.to_owned() };
        if !is_domain(domain) {
            // The grammar's domain is optional, so what is no host may still be the first part of a path.
            repository = Repository { domain: String::new(), path: format!("{domain}/{path}") };
        }
        if !repository.path.split('/').all(is_path_component) {
            return Err(ReferenceError::Format);
        }
        if repository.path.len() > NAME_TOTAL_LENGTH_MAX {
            return Err(ReferenceError::NameTooLong);
        }
        Ok(Self { repository, tag: tag.map(ToOwned::to_owned), digest })
    }

    /// The repository.
    pub fn repository(&self) -> &Repository {
        &self.repository
    }

    /// The tag, if one is named.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The manifest digest, if one is named.
    pub fn digest(&self) -> Option<ManifestDigest> {
        self.digest
    }

    /// Whether there is neither a tag nor a digest.
    pub fn is_name_only(&self) -> bool {
        self.tag.is_none() && self.digest.is_none()
    }

    /// The same with `latest` when there is neither a tag nor a digest (`TagNameOnly`).
    pub fn with_default_tag(mut self) -> Self {
        if self.is_name_only() {
            self.tag = Some(DEFAULT_TAG.to_owned());
        }
        self
    }

    /// A reference to `repository` by tag.
    pub fn tagged(repository: Repository, tag: &str) -> Result<Self, ReferenceError> {
        if is_tag(tag) {
            Ok(Self { repository, tag: Some(tag.to_owned()), digest: None })
        } else {
            Err(ReferenceError::Tag)
        }
    }

    /// A reference to `repository` by manifest digest.
    pub fn digested(repository: Repository, digest: ManifestDigest) -> Self {
        Self { repository, tag: None, digest: Some(digest) }
    }

    /// A reference with a digest and no tag when a digest is named; else tagged, by default `latest` (`ParseDockerRef`).
    pub fn normalized(self) -> Self {
        if self.digest.is_some() { Self { tag: None, ..self } } else { self.with_default_tag() }
    }

    /// What people see: `ubuntu:latest`, `ubuntu@sha256:…` (`FamiliarString`).
    pub fn familiar(&self) -> String {
        self.suffixed(self.repository.familiar())
    }

    fn suffixed(&self, mut name: String) -> String {
        if let Some(tag) = &self.tag {
            name.push(':');
            name.push_str(tag);
        }
        if let Some(digest) = &self.digest {
            name.push('@');
            name.push_str(&digest.to_string());
        }
        name
    }
}

impl fmt::Display for Reference {
    /// The canonical form: `docker.io/library/ubuntu:latest`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.suffixed(self.repository.to_string()))
    }
}

/// Whether this is a full image id: 64 lower-case hexadecimal digits.
pub fn is_identifier(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// `[\w][\w.-]{0,127}`.
fn is_tag(tag: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    tag.len() <= TAG_LENGTH_MAX
        && tag.bytes().next().is_some_and(word)
        && tag.bytes().all(|b| word(b) || b == b'.' || b == b'-')
}

/// Lower-case letters and digits, with `.`, `_`, `__` or any number of `-` between.
fn is_path_component(name: &str) -> bool {
    let alphanumeric = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = name.as_bytes();
    if !(bytes.first().copied().is_some_and(alphanumeric) && bytes.last().copied().is_some_and(alphanumeric)) {
        return false;
    }
    name.split(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        .all(|between| matches!(between, "" | "." | "_" | "__") || between.bytes().all(|b| b == b'-'))
}

/// A host name, IPv4 address or bracketed IPv6 address, with an optional port.
fn is_domain(text: &str) -> bool {
    let (host, port) = match text.strip_prefix('[') {
        Some(v6) => {
            let Some((address, rest)) = v6.split_once(']') else { return false };
            if address.is_empty() || !address.bytes().all(|b| b.is_ascii_hexdigit() || b == b':') {
                return false;
            }
            ("v6", if rest.is_empty() { None } else { Some(rest.strip_prefix(':').unwrap_or("")) })
        }
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let component = |name: &str| {
        !name.is_empty()
            && !name.starts_with('-')
            && !name.ends_with('-')
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    host.split('.').all(component) && port.is_none_or(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit()))
}

/// The registry and the rest, `docker.io` and `library/` added where they are left out (`splitDockerDomain`).
fn split_domain(name: &str) -> (&str, String) {
    let (domain, rest) = match name.split_once('/') {
        None => (DEFAULT_DOMAIN, name),
        Some((LEGACY_DEFAULT_DOMAIN, rest)) => (DEFAULT_DOMAIN, rest),
        Some((first, rest)) if first == "localhost" || first.contains(['.', ':']) || first.to_lowercase() != first => {
            (first, rest)
        }
        Some(_) => (DEFAULT_DOMAIN, name),
    };
    if domain == DEFAULT_DOMAIN && !rest.contains('/') {
        return (domain, format!("{OFFICIAL_PREFIX}{rest}"));
    }
    (domain, rest.to_owned())
}

fn parse_digest(text: &str) -> Result<ManifestDigest, ReferenceError> {
    let (algorithm, encoded) = text.split_once(':').ok_or(ReferenceError::Format)?;
    let word = |part: &str| {
        part.bytes().next().is_some_and(|b| b.is_ascii_alphabetic()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    let is_digest = algorithm.split(['-', '_', '+', '.']).all(word)
        && encoded.len() >= 32
        && encoded.bytes().all(|b| b.is_ascii_hexdigit());
    if is_digest { Ok(ManifestDigest(text.parse()?)) } else { Err(ReferenceError::Format) }
}

/// What an argument that names an image can be (`ParseAnyReference`, less the id prefixes that need a store).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnyReference {
    /// A full image id, with or without `sha256:`.
    Id(Digest),
    /// A name.
    Named(Reference),
}

impl AnyReference {
    /// Parses a full id or a name.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        if is_identifier(text) {
            return Ok(Self::Id(format!("sha256:{text}").parse()?));
        }
        match text.parse() {
            Ok(digest) => Ok(Self::Id(digest)),
            Err(_) => Reference::parse(text).map(Self::Named),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const D: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    /// distribution/reference normalize_test.go, TestParseRepositoryInfo.
    #[test]
    fn names_are_canonical_inside_and_familiar_outside() {
        for (text, canonical, familiar) in [
            ("ubuntu", "docker.io/library/ubuntu", "ubuntu"),
            ("library/ubuntu", "docker.io/library/ubuntu", "ubuntu"),
            ("docker.io/ubuntu", "docker.io/library/ubuntu", "ubuntu"),
            ("index.docker.io/library/ubuntu:1", "docker.io/library/ubuntu:1", "ubuntu:1"),
            ("user/app:v1", "docker.io/user/app:v1", "user/app:v1"),
            ("docker.io/library/a/b", "docker.io/library/a/b", "library/a/b"),
            ("localhost/app", "localhost/app", "localhost/app"),
            ("localhost:5000/app:2.0", "localhost:5000/app:2.0", "localhost:5000/app:2.0"),
            ("ghcr.io/org/app", "ghcr.io/org/app", "ghcr.io/org/app"),
            ("[2001:db8::1]:5000/repo", "[2001:db8::1]:5000/repo", "[2001:db8::1]:5000/repo"),
            ("Foo/bar", "Foo/bar", "Foo/bar"),
        ] {
            let reference = Reference::parse(text).unwrap();
            assert_eq!(
                (reference.to_string().as_str(), reference.familiar().as_str()),
                (canonical, familiar),
                "{text}"
            );
        }
        let both = Reference::parse(&format!("nginx:1.27@{D}")).unwrap();
        assert_eq!(both.tag(), Some("1.27"));
        assert_eq!(both.clone().normalized().familiar(), format!("nginx@{D}"));
        assert_eq!(both.familiar(), format!("nginx:1.27@{D}"));
        assert_eq!(Reference::parse("nginx").unwrap().with_default_tag().familiar(), "nginx:latest");
    }

    #[test]
    fn bad_references_fail_in_dockers_words() {
        let format = "invalid reference format";
        for (text, error) in [
            ("", format),
            (":", format),
            ("a:", format),
            ("-a", format),
            ("a b", format),
            ("a..b", format),
            ("a___b", format),
            ("a/", format),
            ("ubuntu:.5", format),
            ("ubuntu@sha256:12", format),
            ("Nginx", "invalid reference format: repository name (library/Nginx) must be lowercase"),
            ("user/App:v1", "invalid reference format: repository name (user/App) must be lowercase"),
            (&format!("a@sha256:{}", "0".repeat(40)), "invalid checksum digest length"),
            (&format!("a@md9:{}", "0".repeat(40)), "unsupported digest algorithm"),
            (&"a".repeat(300), "repository name must not be more than 255 characters"),
            (
                &"a".repeat(64),
                &format!("invalid repository name ({}), cannot specify 64-byte hexadecimal strings", "a".repeat(64)),
            ),
            (&format!("a:{}", "t".repeat(129)), format),
        ] {
            assert_eq!(Reference::parse(text).unwrap_err().to_string(), error, "{text:?}");
        }
    }

    #[test]
    fn an_id_is_told_from_a_name() {
        let digest: Digest = D.parse().unwrap();
        assert_eq!(AnyReference::parse(D), Ok(AnyReference::Id(digest)));
        assert_eq!(AnyReference::parse(&digest.hex()), Ok(AnyReference::Id(digest)));
        assert!(matches!(AnyReference::parse("e3b0c4"), Ok(AnyReference::Named(_))));
    }

    proptest! {
        #[test]
        fn what_parses_prints_to_itself(text in "[a-zA-Z0-9._:/@-]{0,40}") {
            if let Ok(reference) = Reference::parse(&text) {
                prop_assert_eq!(Reference::parse(&reference.to_string()), Ok(reference.clone()));
                prop_assert_eq!(Reference::parse(&reference.familiar()), Ok(reference));
            }
        }
    }
}
