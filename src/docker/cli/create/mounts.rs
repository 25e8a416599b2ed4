//! `--volume` and `--mount`.

use std::collections::BTreeSet;

use bstr::ByteSlice;

use crate::base::{path, size};
use crate::docker::cli::value::parse_bool;
use crate::docker::daemon::api::container::{MountKind, MountRequest};

/// Binds with a source, and the paths of anonymous volumes.
///
/// # Errors
/// An empty specification.
pub fn binds(texts: &[String], cwd: &[u8]) -> Result<(Vec<String>, BTreeSet<String>), String> {
    let (mut binds, mut volumes) = (Vec::new(), BTreeSet::new());
    for text in texts {
        // docker/cli `cli/compose/loader/volume.go`.
        let empty = text.len() > 2 && (text.starts_with(':') || text.ends_with(':') || text.contains("::"));
        match text.split_once(':') {
            _ if empty => return Err(format!("invalid spec: {text}: empty section between colons")),
            _ if text.is_empty() => return Err("invalid empty volume spec".to_owned()),
            Some((source, target)) if !source.is_empty() && !target.is_empty() => {
                // Only a path that begins with a dot is made absolute here.
                let bind = match source {
                    _ if source == "." || source.starts_with("./") => {
                        let source = path::normalize(&path::join(cwd, source.as_bytes()));
                        format!("{}:{target}", source.to_str_lossy())
                    }
                    _ => text.clone(),
                };
                if !binds.contains(&bind) {
                    binds.push(bind);
                }
            }
            _ => {
                volumes.insert(text.clone());
            }
        }
    }
    Ok((binds, volumes))
}

/// The requests of `--mount`, whose form has been checked.
///
/// # Errors
/// A kind or an option that is not simulated.
pub fn requests(texts: &[String]) -> Result<Vec<MountRequest>, String> {
    texts.iter().map(|text| request(text)).collect()
}

fn request(text: &str) -> Result<MountRequest, String> {
    let mut mount = MountRequest {
        kind: MountKind::Volume,
        source: String::new(),
        target: String::new(),
        read_only: false,
        no_copy: false,
        tmpfs_size_bytes: 0,
        tmpfs_mode: None,
    };
    for field in text.split(',') {
        let (key, value) = field.split_once('=').unwrap_or((field, "true"));
        let key = key.to_ascii_lowercase();
        let on = parse_bool(value.as_bytes()).unwrap_or(false);
        match key.as_str() {
            "type" => {
                mount.kind = match value.to_ascii_lowercase().as_str() {
                    "bind" => MountKind::Bind,
                    "volume" => MountKind::Volume,
                    "tmpfs" => MountKind::Tmpfs,
                    other => return Err(format!("--mount type={other} is not simulated in Capas")),
                };
            }
            "source" | "src" => value.clone_into(&mut mount.source),
            "target" | "dst" | "destination" => value.clone_into(&mut mount.target),
            "readonly" | "ro" => mount.read_only = on,
            "volume-nocopy" => mount.no_copy = on,
            "tmpfs-size" => {
                mount.tmpfs_size_bytes = size::parse_ram(value).and_then(|n| u64::try_from(n).ok()).unwrap_or(0);
            }
            // The client reads it as octal (docker/cli `opts/mount.go`).
            "tmpfs-mode" => {
                let mode = u32::from_str_radix(value, 8).map_err(|_| format!("invalid value for {key}: {value}"))?;
                mount.tmpfs_mode = Some(mode & 0o7777);
            }
            // How mounts spread between namespaces makes no difference here, nor does how a Mac caches.
            "bind-propagation" | "consistency" => {}
            _ => return Err(format!("--mount {key} is not simulated in Capas")),
        }
    }
    Ok(mount)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn volumes_with_a_source_are_binds() {
        let texts = ["/a", "/h:/c:ro", "vol:/d", "./r:/f", "rel/x:/e"].map(str::to_owned);
        let (binds, volumes) = binds(&texts, b"/home/alumno").unwrap();
        assert_eq!(binds, ["/h:/c:ro", "vol:/d", "/home/alumno/r:/f", "rel/x:/e"]);
        assert_eq!(volumes.into_iter().collect::<Vec<_>>(), ["/a"]);
        assert_eq!(super::binds(&[String::new()], b"/").unwrap_err(), "invalid empty volume spec");
    }

    #[test]
    fn mounts_have_fields() {
        let mount = request("type=bind,source=/h,target=/c,readonly").unwrap();
        assert_eq!((mount.kind, mount.source.as_str(), mount.read_only), (MountKind::Bind, "/h", true));
        assert_eq!(request("type=tmpfs,dst=/t,tmpfs-size=1m").unwrap().tmpfs_size_bytes, 1 << 20);
        assert!(request("type=npipe,dst=/t").is_err());
    }
}
