//! Putting a package's files into a file system and taking them out again.

use super::status::INFO;
use super::{make_dirs, run, text_of};
use crate::base::errno::Errno;
use crate::base::rope::Rope;
use crate::os::fs::node::{Content, Kind};
use crate::os::kernel::Proc;
use crate::os::userland::packages::Package;
use crate::os::userland::packages::files::PackagedKind;

/// Which paths dpkg leaves out (`path-exclude` and `path-include` of its configuration).
#[derive(Default)]
pub struct Filter {
    rules: Vec<(bool, String)>,
}

impl Filter {
    /// Reads dpkg's configuration.
    pub async fn load(proc: &Proc) -> Self {
        let mut rules = Vec::new();
        for entry in proc.readdir(b"/etc/dpkg/dpkg.cfg.d").unwrap_or_default() {
            for line in text_of(proc, &format!("/etc/dpkg/dpkg.cfg.d/{}", entry.name)).await.lines() {
                if let Some((word, pattern)) = line.trim().split_once([' ', '=']) {
                    match word {
                        "path-exclude" => rules.push((false, pattern.trim().to_owned())),
                        "path-include" => rules.push((true, pattern.trim().to_owned())),
                        _ => {}
                    }
                }
            }
        }
        Self { rules }
    }

    /// Whether a file is put in place: the last rule that matches decides.
    fn lets(&self, path: &str) -> bool {
        self.rules.iter().rev().find(|(_, pattern)| matches(pattern, path)).is_none_or(|(include, _)| *include)
    }
}

/// Whether a pattern with stars matches a path; a star also matches slashes, as in dpkg.
fn matches(pattern: &str, path: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = path.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    true
}

/// Puts a package's files in place.
///
/// # Errors
/// Those of making files: `ENOSPC`, `EROFS`.
pub async fn unpack(proc: &Proc, package: &Package, filter: &Filter) -> Result<(), Errno> {
    for file in package.files() {
        if !filter.lets(&file.path) {
            continue;
        }
        let path = file.path.as_bytes();
        let there = proc.lstat(path).ok();
        let entry = package.entry(&file);
        if file.kind == PackagedKind::Dir {
            if there.is_none() {
                make_dirs(proc, &file.path);
            } else if file.mode == 0o755 && file.uid == 0 {
                continue;
            }
        } else {
            // What the administrator wrote stays, and so does an alternative that was chosen.
            let kept = file.conffile || !file.shipped;
            if there.is_some() && kept {
                continue;
            }
            if there.is_some_and(|stat| stat.kind != Kind::Dir) {
                proc.unlink(path)?;
            }
            let dir = file.path.rsplit_once('/').map_or("", |(dir, _)| dir);
            if !dir.is_empty() && proc.stat(dir.as_bytes()).is_err() {
                make_dirs(proc, dir);
            }
            proc.mknod(path, 0o644, entry.content.clone())?;
        }
        if !matches!(entry.content, Content::Symlink(_)) {
            if file.uid != 0 || file.gid != 0 {
                proc.chown(path, Some(file.uid), Some(file.gid), false)?;
            }
            proc.chmod(path, file.mode)?;
            proc.set_mtime(path, entry.meta.mtime, false)?;
        }
    }
    proc.tick().await;
    Ok(())
}

/// Writes a package's list and scripts into dpkg's database.
///
/// # Errors
/// Those of writing files.
pub async fn enter(proc: &Proc, package: &Package) -> Result<(), Errno> {
    let stem = format!("{INFO}/{}", package.info_name());
    proc.write_file(format!("{stem}.list").as_bytes(), &Rope::from(package.list_text().as_str())).await?;
    let script = package.post_install();
    if !script.is_empty() {
        let path = format!("{stem}.postinst");
        proc.write_file(path.as_bytes(), &Rope::from(script.as_str())).await?;
        proc.chmod(path.as_bytes(), 0o755)?;
    }
    Ok(())
}

/// Runs a package's configuration script, if it has one; its status.
pub async fn configure(proc: &Proc, package: &Package) -> i32 {
    let path = format!("{INFO}/{}.postinst", package.info_name());
    if proc.stat(path.as_bytes()).is_err() { 0 } else { run(proc, &[&path, "configure"]).await }
}

/// Takes out the files that a list names; configuration files only when `purge`.
pub async fn remove(proc: &Proc, info_name: &str, purge: bool) {
    let list = text_of(proc, &format!("{INFO}/{info_name}.list")).await;
    let mut left = Vec::new();
    // Deepest first, so that a directory is empty when its turn comes.
    for path in list.lines().rev().filter(|path| *path != "/.") {
        let is_dir = proc.lstat(path.as_bytes()).is_ok_and(|stat| stat.kind == Kind::Dir);
        if is_dir {
            // Others may have files there; then it stays.
            let _ = proc.rmdir(path.as_bytes());
        } else if path.starts_with("/etc/") && !purge {
            left.push(path);
        } else {
            let _ = proc.unlink(path.as_bytes());
        }
    }
    for ending in ["list", "postinst"] {
        let _ = proc.unlink(format!("{INFO}/{info_name}.{ending}").as_bytes());
    }
    if !left.is_empty() {
        left.reverse();
        let text = left.join("\n") + "\n";
        let _ = proc.write_file(format!("{INFO}/{info_name}.list").as_bytes(), &Rope::from(text.as_str())).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_match_slashes_too() {
        assert!(matches("/usr/share/doc/*", "/usr/share/doc/a/b"));
        assert!(matches("/usr/share/doc/*/copyright", "/usr/share/doc/a/copyright"));
        assert!(!matches("/usr/share/doc/*/copyright", "/usr/share/doc/a/changelog"));
        assert!(!matches("/usr/share/man/*", "/usr/share/doc/a"));
        let filter =
            Filter { rules: vec![(false, "/usr/share/doc/*".into()), (true, "/usr/share/doc/*/copyright".into())] };
        assert!(
            filter.lets("/usr/share/doc/a/copyright") && !filter.lets("/usr/share/doc/a/x") && filter.lets("/bin/a")
        );
    }
}
