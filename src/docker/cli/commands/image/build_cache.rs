//! `docker image build --cache-from` and `--cache-to` (docker/buildx `util/buildflags/cache.go`, `build/opt.go`).
//!
//! The docker driver with the daemon's own image store takes caches from images and writes them into images; it has no
//! place for caches of their own.

use std::collections::BTreeMap;

use crate::base::path;
use crate::docker::cli::client::{Answer, Client};
use crate::docker::cli::error::CliError;
use crate::docker::dockerfile::quote::go_quote;

/// docker/buildx `driver.CacheExport`: what the docker driver can't do without containerd's image store.
const NO_EXPORT: &str = "ERROR: Cache export is not supported for the docker driver.
Switch to a different driver, or turn on the containerd image store, and try again.
Learn more at https://docs.docker.com/go/build-cache-backends/";

/// A place of a cache.
#[derive(Debug, PartialEq, Eq)]
struct Entry {
    kind: String,
    fields: BTreeMap<String, String>,
}

impl Entry {
    fn parse(text: &str) -> Answer<Vec<Self>> {
        if !text.contains('=') {
            let image =
                |name: &str| Self { kind: "registry".to_owned(), fields: [("ref".to_owned(), name.to_owned())].into() };
            return Ok(text.split(',').filter(|name| !name.is_empty()).map(image).collect());
        }
        let mut entry = Self { kind: String::new(), fields: BTreeMap::new() };
        for field in text.split(',') {
            let Some((key, value)) = field.split_once('=') else {
                return Err(CliError::new(format!("ERROR: invalid value {field}")));
            };
            match key.to_lowercase().as_str() {
                "type" => value.clone_into(&mut entry.kind),
                key => drop(entry.fields.insert(key.to_owned(), value.to_owned())),
            }
        }
        if entry.kind.is_empty() {
            return Err(CliError::new(format!("ERROR: type required for {}", go_quote(text))));
        }
        Ok(vec![entry])
    }

    fn field(&self, name: &str) -> &str {
        self.fields.get(name).map(String::as_str).unwrap_or_default()
    }
}

/// The images that `--cache-from` names. Of a folder that is not there buildx only warns.
///
/// # Errors
/// What can't be read, and places that the simulated builder can't take a cache from.
pub async fn sources(client: &Client, given: &[String]) -> Answer<Vec<String>> {
    let mut out = Vec::new();
    for text in given {
        for entry in Entry::parse(text)? {
            match entry.kind.as_str() {
                "registry" if entry.field("ref").is_empty() => {
                    return Err(CliError::new("ERROR: registry cache importer requires ref"));
                }
                "registry" => out.push(entry.field("ref").to_owned()),
                "local" => local(client, &entry).await?,
                kind => return Err(not_simulated("--cache-from", kind)),
            }
        }
    }
    Ok(out)
}

async fn local(client: &Client, entry: &Entry) -> Answer {
    let folder = entry.field("src");
    if folder.is_empty() {
        return Err(CliError::new("ERROR: local cache importer requires src"));
    }
    let index = path::join(folder.as_bytes(), b"index.json");
    if client.proc.stat(&path::join(&client.proc.cwd(), &index)).is_ok() {
        // No builder in here writes such a folder.
        return Err(not_simulated("--cache-from", "local"));
    }
    let why = format!("could not read {index}: open {index}: no such file or directory");
    client.proc.eprint(format!("WARN[0000] local cache import at {folder} not found due to err: {why} \n")).await;
    Ok(())
}

/// Whether the image is to carry its cache: `--cache-to type=inline`, or the build argument that asks for it.
///
/// # Errors
/// What can't be read, and everything but an inline cache, which the docker driver refuses.
pub fn is_inline(given: &[String], build_args: &BTreeMap<String, String>) -> Answer<bool> {
    let mut inline = build_args.get("BUILDKIT_INLINE_CACHE").is_some_and(|value| is_true(value));
    for text in given {
        for entry in Entry::parse(text)? {
            if entry.kind != "inline" {
                return Err(CliError::new(NO_EXPORT));
            }
            inline = true;
        }
    }
    Ok(inline)
}

/// Go's `strconv.ParseBool`.
fn is_true(text: &str) -> bool {
    matches!(text, "1" | "t" | "T" | "true" | "TRUE" | "True")
}

fn not_simulated(flag: &str, kind: &str) -> CliError {
    CliError::Says(125, format!("docker: {flag} type={kind} is not simulated in Capas"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_as_buildx_reads_them() {
        let kinds = |text: &str| {
            Entry::parse(text)
                .map(|entries| {
                    entries.iter().map(|entry| format!("{} {}", entry.kind, entry.field("ref"))).collect::<Vec<_>>()
                })
                .map_err(|error| match error {
                    CliError::Says(_, text) | CliError::Refused(_, text, _) => text,
                    CliError::Status(_) => String::new(),
                })
        };
        assert_eq!(kinds("me/app,me/app:cache").unwrap(), ["registry me/app", "registry me/app:cache"]);
        assert_eq!(kinds("type=registry,ref=me/app").unwrap(), ["registry me/app"]);
        assert_eq!(kinds("TYPE=inline").unwrap(), ["inline "]);
        assert_eq!(kinds("ref=me/app").unwrap_err(), "ERROR: type required for \"ref=me/app\"");
        assert_eq!(kinds("type=registry,me/app").unwrap_err(), "ERROR: invalid value me/app");
    }

    #[test]
    fn only_inline_caches_are_written() {
        let none = BTreeMap::new();
        let arg = |value: &str| BTreeMap::from([("BUILDKIT_INLINE_CACHE".to_owned(), value.to_owned())]);
        let inline = |given: &str, args: &BTreeMap<String, String>| is_inline(&[given.to_owned()], args).ok();
        assert_eq!(inline("type=inline", &none), Some(true));
        assert_eq!(is_inline(&[], &none).ok(), Some(false));
        assert_eq!(is_inline(&[], &arg("1")).ok(), Some(true));
        assert_eq!(is_inline(&[], &arg("0")).ok(), Some(false));
        for kind in ["me/app", "type=registry,ref=me/app,mode=max", "type=local,dest=x", "type=gha"] {
            assert_eq!(inline(kind, &none), None);
        }
    }
}
