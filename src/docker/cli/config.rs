//! The client's configuration: `~/.docker/config.json` with the accounts that `docker login` stored.
//!
//! The file is the student's to read and change. What it has beside accounts is kept as it is.

use serde_json::{Map, Value};

use crate::docker::daemon::api::image::Credentials;
use crate::os::kernel::Open;

use super::client::{Client, go_errno};

/// Docker Hub's key in the file.
pub const HUB: &str = "https://index.docker.io/v1/";

/// The configuration.
#[derive(Debug, Default)]
pub struct Config {
    path: String,
    value: Map<String, Value>,
}

impl Config {
    /// Reads the file; without one, or with a broken one, it is empty.
    pub async fn read(client: &Client) -> Self {
        let folder = client.env("DOCKER_CONFIG").unwrap_or_else(|| format!("{}/.docker", client.home()));
        let path = format!("{folder}/config.json");
        let text = client.proc.read_file(path.as_bytes()).await.map(|rope| rope.head(1 << 20)).unwrap_or_default();
        let value = match serde_json::from_slice(&text) {
            Ok(Value::Object(map)) => map,
            _ => Map::new(),
        };
        Self { path, value }
    }

    /// Where it is.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The account for a registry's host, or for `key`.
    pub fn credentials(&self, server: &str) -> Option<Credentials> {
        let auth = self.value.get("auths")?.get(key(server))?.get("auth")?.as_str()?;
        let plain = String::from_utf8(decode(auth)?).ok()?;
        let (username, password) = plain.split_once(':')?;
        Some(Credentials { username: username.to_owned(), password: password.to_owned() })
    }

    /// Sets the account of a server, or forgets it. Tells whether anything changed.
    pub fn set(&mut self, server: &str, credentials: Option<&Credentials>) -> bool {
        let auths = self.value.entry("auths").or_insert_with(|| Value::Object(Map::new()));
        let Value::Object(auths) = auths else { return false };
        match credentials {
            Some(Credentials { username, password }) => {
                let auth = encode(format!("{username}:{password}").as_bytes());
                auths.insert(key(server).to_owned(), serde_json::json!({ "auth": auth }));
                true
            }
            None => auths.shift_remove(key(server)).is_some(),
        }
    }

    /// Writes the file, readable by its owner only.
    ///
    /// # Errors
    /// As Go tells it.
    pub async fn write(&self, client: &Client) -> Result<(), String> {
        let proc = &client.proc;
        let folder = self.path.rsplit_once('/').map_or("/", |(folder, _)| folder);
        // The folder may be there already.
        let _ = proc.mkdir(folder.as_bytes(), 0o700);
        let fail = |errno| format!("Error saving credentials: open {}: {}", self.path, go_errno(errno));
        let text = {
            let mut out = Vec::new();
            let formatter = serde_json::ser::PrettyFormatter::with_indent(b"\t");
            let mut serializer = serde_json::Serializer::with_formatter(&mut out, formatter);
            // Writing into memory cannot fail.
            let _ = serde::Serialize::serialize(&self.value, &mut serializer);
            out
        };
        let fd = proc.open(self.path.as_bytes(), Open { create: Some(0o600), ..Open::WRITE }).map_err(fail)?;
        let written = proc.write(fd, &text).await;
        // The write's result says it all.
        let _ = proc.close(fd);
        written.map_err(fail)
    }
}

/// Docker Hub has many names.
fn key(server: &str) -> &str {
    match server {
        "docker.io" | "index.docker.io" | "registry-1.docker.io" => HUB,
        _ => server,
    }
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Base 64 (RFC 4648) with padding.
pub fn encode(bytes: &[u8]) -> String {
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().fold(0u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let digit = (word >> (18 - 6 * place)) & 63;
            let letter = ALPHABET.get(digit as usize).copied().unwrap_or(b'=');
            out.push(if place > chunk.len() { '=' } else { char::from(letter) });
        }
    }
    out
}

/// Reads it; `None` for what is none.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    for chunk in text.trim_end_matches('=').as_bytes().chunks(4) {
        let mut word = 0u32;
        for byte in chunk {
            let digit = ALPHABET.iter().position(|letter| letter == byte)?;
            word = word << 6 | u32::try_from(digit).ok()?;
        }
        word <<= 6 * (4 - chunk.len());
        let bytes = word.to_be_bytes();
        out.extend(bytes.get(1..chunk.len())?);
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_kept_as_docker_keeps_them() {
        for text in ["", "a", "ab", "abc", "user:pa:ss\u{e9}"] {
            assert_eq!(decode(&encode(text.as_bytes())).unwrap(), text.as_bytes());
        }
        assert_eq!(encode(b"good:good"), "Z29vZDpnb29k");
        assert_eq!(decode("*"), None);
        let mut config = Config::default();
        let account = Credentials { username: "u".into(), password: "p:q".into() };
        assert!(config.set("docker.io", Some(&account)));
        assert_eq!(config.credentials(HUB), Some(account));
        assert!(config.set(HUB, None) && !config.set(HUB, None));
    }
}
