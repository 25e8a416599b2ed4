//! `RUN --mount=…`: its fields and what may stand in them (BuildKit `instructions/commands_runmount.go`).

use super::error::suggest;
use super::quote::go_quote;

/// The kinds of mounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MountType {
    /// Files of the context, a stage or an image.
    Bind,
    /// A folder that outlives the build.
    Cache,
    /// A file system in memory.
    Tmpfs,
    /// A file that leaves no trace in the image.
    Secret,
    /// An agent's socket.
    Ssh,
}

impl MountType {
    const ALL: [(&'static str, Self); 5] = [
        ("bind", Self::Bind),
        ("cache", Self::Cache),
        ("tmpfs", Self::Tmpfs),
        ("secret", Self::Secret),
        ("ssh", Self::Ssh),
    ];

    /// The name in a Dockerfile.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, own)| *own == self).map_or("", |(name, _)| name)
    }
}

/// A mount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// What kind.
    pub kind: MountType,
    /// The stage or image of a bind mount; empty for the context.
    pub from: String,
    /// The path in the source.
    pub source: String,
    /// The path in the build container.
    pub target: String,
    /// Whether writing fails.
    pub read_only: bool,
    /// The name of a cache or secret.
    pub id: String,
    /// The variable that holds a secret.
    pub env: Option<String>,
    /// `shared`, `private` or `locked`, for a cache.
    pub sharing: String,
    /// Whether a missing secret fails the build.
    pub required: bool,
    /// Permission bits of a cache or secret.
    pub mode: Option<u32>,
    /// The owner of a cache or secret.
    pub uid: Option<u32>,
    /// The group of a cache or secret.
    pub gid: Option<u32>,
    /// The most a tmpfs holds, in bytes.
    pub size_limit_bytes: Option<i64>,
}

/// A mount that can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MountError {
    /// An option that is none.
    #[error("unexpected key '{key}' in '{field}'{}", hint(suggestion))]
    Key {
        /// The key.
        key: String,
        /// The whole option.
        field: String,
        /// A key with almost the same name.
        suggestion: Option<String>,
    },
    /// An option of another type.
    #[error("unexpected key '{key}' for mount type '{kind}'")]
    KeyForType {
        /// The key.
        key: String,
        /// The mount's type.
        kind: &'static str,
    },
    /// An option without a value.
    #[error("invalid field '{0}' must be a key=value pair")]
    Pair(String),
    /// A type that is none.
    #[error("unsupported mount type {}{}", go_quote(value), hint(suggestion))]
    Type {
        /// What was given.
        value: String,
        /// A type with almost the same name.
        suggestion: Option<String>,
    },
    /// A sharing that is none.
    #[error("unsupported sharing value {}", go_quote(.0))]
    Sharing(String),
    /// A value of the wrong form.
    #[error("invalid value for {key}: {value}")]
    Value {
        /// The key.
        key: String,
        /// What was given.
        value: String,
    },
    /// A mode, uid or gid of the wrong form.
    #[error("invalid value {value} for {key}")]
    Number {
        /// The key.
        key: String,
        /// What was given.
        value: String,
    },
    /// A mode, uid or gid where there is none.
    #[error("{key} not allowed for {} type mounts", go_quote(kind))]
    NotAllowed {
        /// The key.
        key: &'static str,
        /// The mount's type.
        kind: &'static str,
    },
    /// A secret from a stage.
    #[error("secret mount should not have a from")]
    SecretFrom,
    /// A secret with sharing.
    #[error("secret mount should not define sharing")]
    SecretSharing,
    /// A secret without a name.
    #[error("invalid secret mount. one of source, target required")]
    SecretName,
    /// Sharing of what is no cache.
    #[error("invalid cache sharing set for {0} mount")]
    CacheSharing(&'static str),
    /// `--network=x`.
    #[error("invalid network mode {}", go_quote(.0))]
    Network(String),
    /// `--security=x`.
    #[error("invalid security mode {}", go_quote(.0))]
    Security(String),
}

fn hint(suggestion: &Option<String>) -> String {
    suggestion.as_ref().map_or_else(String::new, |name| format!(" (did you mean {name}?)"))
}

const KEYS: [&str; 17] = [
    "env",
    "type",
    "from",
    "source",
    "target",
    "readonly",
    "id",
    "sharing",
    "required",
    "mode",
    "uid",
    "gid",
    "src",
    "dst",
    "ro",
    "rw",
    "readwrite",
];

impl Mount {
    /// Reads the value of `--mount`, variables already expanded.
    ///
    /// # Errors
    /// Unknown keys, types and values; combinations that make no sense.
    pub fn parse(text: &str) -> Result<Self, MountError> {
        let mut mount = Self {
            kind: MountType::Bind,
            from: String::new(),
            source: String::new(),
            target: String::new(),
            read_only: false,
            id: String::new(),
            env: None,
            sharing: String::new(),
            required: false,
            mode: None,
            uid: None,
            gid: None,
            size_limit_bytes: None,
        };
        let mut read_only = None;
        for field in text.split(',') {
            let (key, value) = field.split_once('=').map_or((field, None), |(key, value)| (key, Some(value)));
            let key = key.to_lowercase();
            let flag = |value: Option<&str>| match value {
                None | Some("1" | "t" | "T" | "TRUE" | "true" | "True") => Ok(true),
                Some("0" | "f" | "F" | "FALSE" | "false" | "False") => Ok(false),
                Some(value) => Err(MountError::Value { key: key.clone(), value: value.to_owned() }),
            };
            match key.as_str() {
                "readonly" | "ro" => {
                    read_only = Some(flag(value)?);
                    continue;
                }
                "readwrite" | "rw" => {
                    read_only = Some(!flag(value)?);
                    continue;
                }
                "required" if matches!(mount.kind, MountType::Secret | MountType::Ssh) => {
                    mount.required = flag(value)?;
                    continue;
                }
                "required" => return Err(MountError::KeyForType { key, kind: mount.kind.name() }),
                _ => {}
            }
            let Some(value) = value else { return Err(MountError::Pair(field.to_owned())) };
            mount.set(key, value, field)?;
        }
        mount.read_only = read_only.unwrap_or(!matches!(mount.kind, MountType::Cache | MountType::Tmpfs));
        mount.validate()?;
        Ok(mount)
    }

    fn set(&mut self, key: String, value: &str, field: &str) -> Result<(), MountError> {
        let number = |radix| {
            u32::from_str_radix(value, radix)
                .map(Some)
                .map_err(|_| MountError::Number { key: key.clone(), value: value.to_owned() })
        };
        match key.as_str() {
            "type" => {
                let wanted = value.to_lowercase();
                let kind = MountType::ALL.iter().find(|(name, _)| *name == wanted);
                let Some((_, kind)) = kind else {
                    let names = MountType::ALL.map(|(name, _)| name);
                    return Err(MountError::Type { value: value.to_owned(), suggestion: suggest(value, &names, true) });
                };
                self.kind = *kind;
            }
            "from" => self.from = value.to_owned(),
            "source" | "src" => self.source = value.to_owned(),
            "target" | "dst" | "destination" => self.target = value.to_owned(),
            "id" => self.id = value.to_owned(),
            "sharing" => {
                self.sharing = value.to_lowercase();
                if !matches!(self.sharing.as_str(), "shared" | "private" | "locked") {
                    return Err(MountError::Sharing(value.to_owned()));
                }
            }
            "size" if self.kind == MountType::Tmpfs => {
                self.size_limit_bytes = crate::base::size::parse_ram(value);
                if self.size_limit_bytes.is_none() {
                    return Err(MountError::Value { key, value: value.to_owned() });
                }
            }
            "size" => return Err(MountError::KeyForType { key, kind: self.kind.name() }),
            "mode" => self.mode = number(8)?,
            "env" if self.kind == MountType::Secret => self.env = Some(value.to_owned()),
            "uid" => self.uid = number(10)?,
            "gid" => self.gid = number(10)?,
            _ => {
                let suggestion = suggest(&key, &KEYS, true);
                return Err(MountError::Key { key, field: field.to_owned(), suggestion });
            }
        }
        Ok(())
    }

    fn validate(&self) -> Result<(), MountError> {
        let kind = self.kind.name();
        if matches!(self.kind, MountType::Bind | MountType::Tmpfs) {
            for (key, value) in [("mode", self.mode), ("uid", self.uid), ("gid", self.gid)] {
                if value.is_some() {
                    return Err(MountError::NotAllowed { key, kind });
                }
            }
        }
        if self.kind == MountType::Secret {
            if !self.from.is_empty() {
                return Err(MountError::SecretFrom);
            }
            if !self.sharing.is_empty() {
                return Err(MountError::SecretSharing);
            }
            if self.source.is_empty() && self.target.is_empty() && self.id.is_empty() {
                return Err(MountError::SecretName);
            }
        }
        if !self.sharing.is_empty() && self.kind != MountType::Cache {
            return Err(MountError::CacheSharing(kind));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mounts_are_read_and_checked() {
        let cache = Mount::parse("type=cache,target=/root/.cache,sharing=locked").unwrap();
        assert_eq!((cache.kind, cache.target.as_str(), cache.read_only), (MountType::Cache, "/root/.cache", false));
        assert!(Mount::parse("target=/src").unwrap().read_only);
        assert!(!Mount::parse("target=/src,rw").unwrap().read_only);
        assert_eq!(Mount::parse("type=secret,id=k,env=KEY").unwrap().env.as_deref(), Some("KEY"));
        for (text, error) in [
            ("type=cahce", "unsupported mount type \"cahce\" (did you mean cache?)"),
            ("tpye=bind", "unexpected key 'tpye' in 'tpye=bind' (did you mean type?)"),
            ("target", "invalid field 'target' must be a key=value pair"),
            ("required", "unexpected key 'required' for mount type 'bind'"),
            ("type=secret", "invalid secret mount. one of source, target required"),
            ("mode=0644,target=/a", "mode not allowed for \"bind\" type mounts"),
            ("type=cache,mode=9", "invalid value 9 for mode"),
            ("ro=maybe", "invalid value for ro: maybe"),
        ] {
            assert_eq!(Mount::parse(text).unwrap_err().to_string(), error);
        }
    }
}
