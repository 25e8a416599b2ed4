//! The files of a project: read and filled in, what they `include` brought in, what services `extends` put under them
//! (compose-go `loader/include.go`, `loader/extends.go`).
//!
//! Paths of another file are below that file's folder; they are made absolute when it comes from elsewhere.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::project::{Variables, interpolate, merge, pairs, text, texts};
use super::yaml;
use crate::base::path;
use crate::docker::cli::client::{Answer, Client};
use crate::docker::cli::error::CliError;

/// Files that lead on to one another.
const MAX_DEPTH: usize = 20;
/// The parts of a file that have names of their own.
const SECTIONS: [&str; 5] = ["services", "networks", "volumes", "secrets", "configs"];

/// What the files of one project are read with.
pub struct Reader<'a> {
    /// Who reads.
    pub client: &'a Client,
    /// What variables have for values.
    pub env: &'a BTreeMap<String, String>,
    /// Variables without one.
    pub unset: Vec<String>,
    /// Texts stay as they are written (`config --no-interpolate`).
    pub is_raw: bool,
}

fn bad(why: String) -> CliError {
    CliError::Says(15, why)
}

fn folder(file: &str) -> String {
    String::from_utf8_lossy(path::parent(file.as_bytes())).into_owned()
}

fn below(dir: &str, name: &str) -> String {
    path::normalize(&path::join(dir.as_bytes(), name.as_bytes())).to_string()
}

impl Reader<'_> {
    /// Reads a file as it is, with its variables filled in. `-` is standard input.
    ///
    /// # Errors
    /// It is not there or no YAML.
    pub async fn read(&mut self, file: &str) -> Answer<Map<String, Value>> {
        let bytes = match file {
            "-" => self.client.proc.read_all(0).await,
            file => self.client.proc.read_file(file.as_bytes()).await,
        };
        let bytes = bytes.map_err(|_| CliError::Says(14, format!("open {file}: no such file or directory")))?;
        let bytes = bytes.to_vec();
        let mut value = yaml::parse(&String::from_utf8_lossy(&bytes))
            .map_err(|yaml::YamlError(line, what)| bad(format!("yaml: line {line}: {what}")))?;
        let mut path = Vec::new();
        if !self.is_raw {
            interpolate(&mut value, &mut path, &mut Variables { env: self.env, unset: &mut self.unset })
                .map_err(bad)?;
        }
        match value {
            Value::Object(map) => Ok(map),
            Value::Null => Err(CliError::new("empty compose file")),
            _ => Err(bad("top-level object must be a mapping".to_owned())),
        }
    }

    /// Brings in what a file includes and what its services extend.
    ///
    /// # Errors
    /// A file or a service that is not there; what is there already.
    pub async fn complete(&mut self, all: &mut Map<String, Value>, file: &str, dir: &str) -> Answer {
        self.complete_at(all, file, dir, 0).await
    }

    async fn complete_at(&mut self, all: &mut Map<String, Value>, file: &str, dir: &str, depth: usize) -> Answer {
        if depth > MAX_DEPTH {
            return Err(bad(format!("include cycle detected: {file} include {file}")));
        }
        let services: Vec<String> =
            all.get("services").and_then(Value::as_object).into_iter().flat_map(Map::keys).cloned().collect();
        for name in services {
            let own = all.get("services").and_then(|services| services.get(&name)).and_then(Value::as_object).cloned();
            let Some(own) = own.filter(|own| own.contains_key("extends")) else { continue };
            let whole = all.get("services").and_then(Value::as_object).cloned().unwrap_or_default();
            let extended = self.extended(&name, own, &whole, file, dir, 0).await?;
            if let Some(Value::Object(services)) = all.get_mut("services") {
                services.insert(name, Value::Object(extended));
            }
        }
        let included = match all.shift_remove("include") {
            Some(Value::Array(items)) => items,
            Some(_) => return Err(bad(format!("validating {file}: include must be a array"))),
            None => Vec::new(),
        };
        for entry in included {
            let (paths, own_dir) = match &entry {
                Value::Object(map) => (texts(map.get("path")), map.get("project_directory").map(text)),
                one => (vec![text(one)], None),
            };
            let paths: Vec<String> = paths.iter().map(|name| below(dir, name)).collect();
            let Some(first) = paths.first() else { continue };
            let own_dir = own_dir.map_or_else(|| folder(first), |own| below(dir, &own));
            let mut more = Map::new();
            for path in &paths {
                merge(&mut more, self.read(path).await?);
            }
            Box::pin(self.complete_at(&mut more, first, &own_dir, depth + 1)).await?;
            if let Some(Value::Object(services)) = more.get_mut("services") {
                services.values_mut().filter_map(Value::as_object_mut).for_each(|service| absolute(service, &own_dir));
            }
            bring(all, more)?;
        }
        Ok(())
    }

    /// A service over what it extends.
    async fn extended(
        &mut self,
        name: &str,
        mut own: Map<String, Value>,
        services: &Map<String, Value>,
        file: &str,
        dir: &str,
        depth: usize,
    ) -> Answer<Map<String, Value>> {
        let Some(extends) = own.shift_remove("extends") else { return Ok(own) };
        if depth > MAX_DEPTH {
            return Err(bad(format!("circular reference in {file}: {name} extends itself")));
        }
        let (from, other) = match &extends {
            Value::Object(map) => (map.get("file").map(text), map.get("service").map(text).unwrap_or_default()),
            one => (None, text(one)),
        };
        let missing = |place: &str| {
            bad(format!("cannot extend service {name:?} in {file}: service {other:?} not found in {place}"))
        };
        let find = |services: &Map<String, Value>| services.get(&other).and_then(Value::as_object).cloned();
        let mut base = match from {
            None => {
                let base = find(services).ok_or_else(|| missing(file))?;
                Box::pin(self.extended(&other, base, services, file, dir, depth + 1)).await?
            }
            Some(from) => {
                let path = below(dir, &from);
                let all = self.read(&path).await?;
                let others = all.get("services").and_then(Value::as_object).cloned().unwrap_or_default();
                let base = find(&others).ok_or_else(|| missing(&from))?;
                let own_dir = folder(&path);
                let mut base = Box::pin(self.extended(&other, base, &others, &path, &own_dir, depth + 1)).await?;
                absolute(&mut base, &own_dir);
                base
            }
        };
        for key in ["environment", "labels"] {
            // A list and a map of the same thing are merged as maps.
            for service in [&mut base, &mut own] {
                if let Some(Value::Array(_)) = service.get(key) {
                    let map =
                        pairs(service.get(key)).into_iter().map(|(k, v)| (k, v.map_or(Value::Null, Value::String)));
                    let map: Map<String, Value> = map.collect();
                    service.insert(key.to_owned(), Value::Object(map));
                }
            }
        }
        merge(&mut base, own);
        Ok(base)
    }
}

/// Adds what a file that was included has; nothing may be there twice, unless it is the same.
fn bring(all: &mut Map<String, Value>, more: Map<String, Value>) -> Answer {
    for (kind, entries) in more {
        let Value::Object(entries) = entries else { continue };
        if !SECTIONS.contains(&kind.as_str()) {
            continue;
        }
        let into = all.entry(kind.clone()).or_insert_with(|| Value::Object(Map::new()));
        if into.is_null() {
            *into = Value::Object(Map::new());
        }
        for (name, value) in entries {
            match into.get(&name) {
                Some(there) if *there != value => {
                    return Err(bad(format!("{kind}.{name} conflicts with imported resource")));
                }
                Some(_) => {}
                None => {
                    if let Value::Object(into) = into {
                        into.insert(name, value);
                    }
                }
            }
        }
    }
    Ok(())
}

/// Makes the paths of a service, which are below `dir`, absolute.
fn absolute(service: &mut Map<String, Value>, dir: &str) {
    let is_path = |text: &str| text.starts_with('.');
    match service.get_mut("build") {
        Some(Value::String(context)) if !context.contains("://") => *context = below(dir, context),
        Some(Value::Object(build)) => {
            if let Some(Value::String(context)) = build.get_mut("context")
                && !context.contains("://")
            {
                *context = below(dir, context);
            }
        }
        _ => {}
    }
    let files = match service.get_mut("env_file") {
        Some(Value::Array(items)) => items.iter_mut().collect(),
        Some(one) => vec![one],
        None => Vec::new(),
    };
    for file in files {
        match file {
            Value::String(name) => *name = below(dir, name),
            Value::Object(map) => {
                if let Some(Value::String(name)) = map.get_mut("path") {
                    *name = below(dir, name);
                }
            }
            _ => {}
        }
    }
    for volume in service.get_mut("volumes").and_then(Value::as_array_mut).into_iter().flatten() {
        match volume {
            Value::String(spec) if is_path(spec) => {
                let (source, rest) = spec.split_once(':').unwrap_or((spec, ""));
                *spec = format!("{}:{rest}", below(dir, source));
            }
            Value::Object(map) => {
                if let Some(Value::String(source)) = map.get_mut("source")
                    && is_path(source)
                {
                    *source = below(dir, source);
                }
            }
            _ => {}
        }
    }
}
