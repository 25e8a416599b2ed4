//! `apt-cache` and the same operations of `apt`: search, show, policy, depends, list.

use std::fmt::Write as _;

use super::Line;
use super::apt_get::Session;
use super::sources;
use super::status::Database;
use crate::os::args::flag;
use crate::os::args::scan::Opt;
use crate::os::kernel::Proc;
use crate::os::userland::packages::{Package, Release};

const OPTIONS: &[Opt] = &[flag('n', "names-only"), flag('f', "full"), flag('a', "all-versions"), flag('q', "quiet")];

/// `apt-cache`.
pub async fn main(proc: Proc) -> i32 {
    let mut line = match Line::read(OPTIONS, &proc.args()) {
        Ok(line) => line,
        Err(fault) => {
            proc.eprint(format!("E: {}\n", super::fault_text(&fault))).await;
            return 100;
        }
    };
    if line.operands.is_empty() {
        let _ =
            proc.print("Usage: apt-cache [options] command\n       apt-cache [options] show pkg1 [pkg2 ...]\n").await;
        return 1;
    }
    let operation = line.operands.remove(0);
    operate(&proc, &operation, &line.operands, false).await
}

/// One operation on the words after it.
pub async fn operate(proc: &Proc, operation: &str, words: &[String], is_apt: bool) -> i32 {
    let Some(release) = sources::release(proc).await else {
        proc.eprint("E: The package catalogue has nothing for this system (/etc/os-release)\n").await;
        return 100;
    };
    let known = sources::known(proc).await;
    let offer = sources::offer(&known, release);
    let database = Database::load(proc).await;
    let find = |name: &str| -> Option<Package> {
        let offered = offer.candidates(release, name).into_iter().next();
        offered.or_else(|| release.package(name).filter(|_| database.is_installed(name)))
    };
    match operation {
        "search" => {
            let mut out = if is_apt { "Sorting...\nFull Text Search...\n".to_owned() } else { String::new() };
            for name in release.names(&offer.lines) {
                let Some(package) = find(name) else { continue };
                let synopsis = package.record.synopsis;
                let hit = |word: &String| {
                    name.contains(word.as_str()) || synopsis.to_lowercase().contains(&word.to_lowercase())
                };
                if words.iter().all(hit) {
                    let _ = if is_apt {
                        let (suite, arch) = (release.codename, package.architecture());
                        writeln!(out, "{name}/{suite} {} {arch}\n  {synopsis}\n", package.version)
                    } else {
                        writeln!(out, "{name} - {synopsis}")
                    };
                }
            }
            let _ = proc.print(out).await;
            0
        }
        "show" | "policy" | "depends" | "madison" => {
            let mut status = 0;
            for name in words {
                let Some(package) = find(name) else {
                    proc.eprint(if operation == "policy" {
                        format!("N: Unable to locate package {name}\n")
                    } else {
                        format!("N: Unable to locate package {name}\nE: No packages found\n")
                    })
                    .await;
                    status = if operation == "policy" { 0 } else { 100 };
                    continue;
                };
                let text = match operation {
                    "show" => show(&package),
                    "depends" => depends(&package),
                    _ => policy(&package, &database, &known, release),
                };
                let _ = proc.print(text).await;
            }
            status
        }
        "pkgnames" => {
            let names: Vec<&str> = release.names(&offer.lines).filter(|name| find(name).is_some()).collect();
            let _ = proc.print(names.join("\n") + "\n").await;
            0
        }
        _ => {
            proc.eprint(format!("E: Invalid operation {operation}\n")).await;
            100
        }
    }
}

fn show(package: &Package) -> String {
    let mut out: String = package
        .status_stanza()
        .lines()
        .filter(|line| !line.starts_with("Status:"))
        .fold(String::new(), |text, line| text + line + "\n");
    let _ = writeln!(out, "Size: {}\n", package.download_bytes());
    out
}

fn depends(package: &Package) -> String {
    package.depends().iter().fold(format!("{}\n", package.name()), |text, name| text + "  Depends: " + name + "\n")
}

fn policy(package: &Package, database: &Database, known: &[sources::Source], release: &'static Release) -> String {
    let installed = database.get(package.name()).map_or("(none)", |stanza| stanza.version());
    let mark = if installed == package.version { " ***" } else { "    " };
    let mut out = format!(
        "{}:\n  Installed: {installed}\n  Candidate: {}\n  Version table:\n{mark} {} 500\n",
        package.name(),
        package.version,
        package.version
    );
    for source in known.iter().filter(|source| match package.record.origin {
        Some(origin) => source.uri.contains(origin),
        None => source.is_archive(release) && source.suite == release.codename,
    }) {
        let component = source.components.first().map_or("main", String::as_str);
        let _ = writeln!(out, "        500 {} {}/{component} amd64 Packages", source.uri, source.suite);
    }
    if installed == package.version {
        out.push_str("        100 /var/lib/dpkg/status\n");
    }
    out
}

/// `apt list`.
pub async fn list(session: &Session) -> i32 {
    let proc = &session.proc;
    let database = Database::load(proc).await;
    let mut out = String::from("Listing...\n");
    if let Some(release) = sources::release(proc).await {
        let offer = sources::offer(&sources::known(proc).await, release);
        let patterns = &session.line.operands;
        let mut names: Vec<&str> = release.names(&offer.lines).collect();
        if session.line.has("upgradable") {
            names.clear();
        }
        for name in names {
            let installed = database.get(name);
            if session.line.has("installed") && installed.is_none() {
                continue;
            }
            if !patterns.is_empty() && !patterns.iter().any(|pattern| fits(pattern, name)) {
                continue;
            }
            let offered = offer.candidates(release, name).into_iter().next();
            let suite = if offered.is_some() { release.codename } else { "now" };
            let (version, arch) = match (installed, &offered) {
                (Some(stanza), _) => (stanza.version(), stanza.architecture()),
                (None, Some(package)) => (package.version, package.architecture()),
                (None, None) => continue,
            };
            let mark = match installed {
                Some(_) if database.auto.contains(name) => " [installed,automatic]",
                Some(_) if offered.is_none() => " [installed,local]",
                Some(_) => " [installed]",
                None => "",
            };
            let _ = writeln!(out, "{name}/{suite} {version} {arch}{mark}");
        }
    }
    let _ = proc.print(out).await;
    0
}

/// Whether a name fits a pattern with stars.
pub fn fits(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let mut last = first;
    for part in parts {
        last = part;
        match rest.find(part) {
            Some(at) => rest = rest.get(at + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    if pattern.contains('*') { last.is_empty() || rest.is_empty() || name.ends_with(last) } else { rest.is_empty() }
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn stars_stand_for_any_text() {
        assert!(fits("nginx*", "nginx-common") && fits("*ssl*", "libssl1.1") && fits("curl", "curl"));
        assert!(!fits("curl", "curlie") && !fits("*x", "xy"));
    }
}
