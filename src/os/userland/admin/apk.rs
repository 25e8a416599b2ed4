//! `apk` (Alpine's apk-tools 2): update, add, del, info, search, upgrade, cache of indexes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::Duration;

use super::unpack::{Filter, unpack};
use super::{Line, fault_text, make_dirs, run, sources, text_of};
use crate::base::rope::Rope;
use crate::os::args::scan::Opt;
use crate::os::args::{flag, long_flag, value};
use crate::os::fs::node::Kind;
use crate::os::kernel::Proc;
use crate::os::userland::packages::{Package, Release};

const INSTALLED: &str = "/lib/apk/db/installed";
const WORLD: &str = "/etc/apk/world";
const CACHE: &str = "/var/cache/apk";
/// Bytes a second on the simulated link.
const RATE: u64 = 10_000_000;
const OPTIONS: &[Opt] = &[
    long_flag("no-cache"),
    long_flag("update-cache"),
    flag('U', "update"),
    flag('u', "upgrade"),
    flag('q', "quiet"),
    flag('v', "verbose"),
    flag('i', "interactive"),
    flag('f', "force"),
    flag('l', "latest"),
    flag('a', "all"),
    flag('e', "installed"),
    flag('L', "contents"),
    flag('d', "description"),
    flag('r', "rdepends"),
    flag('s', "simulate"),
    flag('V', "version"),
    long_flag("purge"),
    long_flag("rdeps"),
    long_flag("available"),
    long_flag("no-progress"),
    long_flag("allow-untrusted"),
    value('t', "virtual"),
    value('X', "repository"),
    value('p', "root"),
];

struct Apk {
    proc: Proc,
    line: Line,
    release: &'static Release,
    /// Stanzas of installed packages by name.
    installed: BTreeMap<String, String>,
    world: BTreeSet<String>,
}

/// `apk`.
pub async fn main(proc: Proc) -> i32 {
    let mut line = match Line::read(OPTIONS, &proc.args()) {
        Ok(line) => line,
        Err(fault) => {
            proc.eprint(format!("apk: {}\n", fault_text(&fault).replace("option '--", "option: ").replace('\'', "")))
                .await;
            return 1;
        }
    };
    let version = "apk-tools 2.12.7, compiled for x86_64.\n";
    if line.has("version") {
        return i32::from(proc.print(version).await.is_err());
    }
    if line.operands.is_empty() {
        let _ = proc.print(format!("{version}\nusage: apk [<OPTIONS>...] COMMAND [<ARGUMENTS>...]\n")).await;
        return 1;
    }
    let command = line.operands.remove(0);
    let Some(release) = sources::release(&proc).await else {
        proc.eprint("ERROR: The package catalogue has nothing for this system (/etc/os-release)\n").await;
        return 99;
    };
    let stanzas = text_of(&proc, INSTALLED).await;
    let installed = stanzas.split("\n\n").filter(|stanza| !stanza.trim().is_empty()).map(|stanza| {
        let stanza = stanza.trim_matches('\n').to_owned();
        (field(&stanza, 'P').to_owned(), stanza)
    });
    let installed = installed.collect();
    let world = text_of(&proc, WORLD).await.split_whitespace().map(str::to_owned).collect();
    let mut apk = Apk { proc, line, release, installed, world };
    match command.as_str() {
        "update" => apk.update().await,
        "add" => apk.add().await,
        "del" => apk.del().await,
        "info" => apk.info().await,
        "list" => apk.list().await,
        "search" => apk.search().await,
        "upgrade" | "fix" => apk.upgrade().await,
        "cache" => 0,
        "policy" | "version" | "fetch" | "index" | "verify" | "audit" | "stats" | "dot" | "manifest" => {
            apk.fail(&format!("apk {command} is not simulated")).await
        }
        _ => {
            apk.proc.eprint(format!("apk: '{command}' is not an apk command. See 'apk --help'.\n")).await;
            1
        }
    }
}

/// The value of a one-letter field.
fn field(stanza: &str, letter: char) -> &str {
    let line = stanza.lines().find(|line| line.starts_with(letter) && line.get(1..2) == Some(":"));
    line.and_then(|line| line.get(2..)).unwrap_or_default()
}

impl Apk {
    async fn fail(&self, message: &str) -> i32 {
        self.proc.eprint(format!("ERROR: {message}\n")).await;
        1
    }

    async fn say(&self, text: impl AsRef<[u8]>) {
        if !self.line.has("quiet") {
            let _ = self.proc.print(text).await;
        }
    }

    async fn locked(&self) -> bool {
        if self.proc.cred().uid == 0 {
            return false;
        }
        self.fail("Unable to lock database: Permission denied").await;
        self.fail("Failed to open apk database: Permission denied").await;
        true
    }

    async fn repositories(&self) -> Vec<String> {
        let text = text_of(&self.proc, "/etc/apk/repositories").await;
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        lines.map(|line| line.rsplit(' ').next().unwrap_or_default().to_owned()).collect()
    }

    fn index_path(url: &str) -> String {
        let id = crate::base::digest::Digest::of(url.as_bytes()).hex();
        format!("{CACHE}/APKINDEX.{}.tar.gz", id.get(..8).unwrap_or_default())
    }

    /// Fetches the indexes; they are kept unless there is to be no cache.
    async fn fetch_indexes(&self, keep: bool) -> bool {
        for url in self.repositories().await {
            self.say(format!("fetch {url}/x86_64/APKINDEX.tar.gz\n")).await;
            if !url.contains("alpinelinux.org") {
                self.proc.eprint(format!("WARNING: Ignoring {url}: DNS lookup error\n")).await;
                continue;
            }
            let bytes = if url.ends_with("/community") { 1_300_000 } else { 620_000 };
            let _ = self.proc.sleep(Duration::from_micros(bytes / (RATE / 1_000_000))).await;
            if keep {
                make_dirs(&self.proc, CACHE);
                let path = Self::index_path(&url);
                let seed = bytes ^ self.release.built.seconds().unsigned_abs();
                if self.proc.write_file(path.as_bytes(), &Rope::bulk(seed, bytes)).await.is_err() {
                    return false;
                }
            }
        }
        true
    }

    async fn update(&mut self) -> i32 {
        if self.locked().await {
            return 99;
        }
        if !self.fetch_indexes(true).await {
            return self.fail("Unable to write the index").await;
        }
        for url in self.repositories().await {
            self.say(format!("{} [{url}]\n", self.release.codename)).await;
        }
        let count = self.release.names("").count();
        self.say(format!("OK: {count} distinct packages available\n")).await;
        0
    }

    /// Whether the packages of the repositories are known, fetching their indexes where that was asked for.
    async fn known(&self) -> bool {
        if self.line.has("no-cache") {
            return self.fetch_indexes(false).await;
        }
        if self.line.has("update-cache") || self.line.has("update") {
            return self.fetch_indexes(true).await;
        }
        let urls = self.repositories().await;
        let there = |url: &String| self.proc.stat(Self::index_path(url).as_bytes()).is_ok();
        if urls.iter().any(there) {
            return true;
        }
        // apk warns, and then knows only what is installed.
        for url in urls {
            self.proc.eprint(format!("WARNING: Ignoring {url}: No such file or directory\n")).await;
        }
        false
    }

    async fn add(&mut self) -> i32 {
        if self.locked().await {
            return 99;
        }
        let known = self.known().await;
        let mut missing = Vec::new();
        let mut wanted = Vec::new();
        for word in &self.line.operands {
            let name = word.split(['=', '<', '>', '~', '@']).next().unwrap_or_default();
            match self.release.package(name) {
                Some(package) if known || self.installed.contains_key(name) => {
                    wanted.push((package.name(), word.clone()))
                }
                _ => missing.push(name.to_owned()),
            }
        }
        if !missing.is_empty() {
            let mut text = String::from("ERROR: unable to select packages:\n");
            for name in missing {
                let _ = writeln!(text, "  {name} (no such package):\n    required by: world[{name}]");
            }
            self.proc.eprint(text).await;
            return 1;
        }
        let virtual_name = self.line.value("virtual").map(str::to_owned);
        let mut order = Vec::new();
        for (name, word) in &wanted {
            self.collect(name, &mut order);
            if virtual_name.is_none() {
                self.world.insert(word.clone());
            }
        }
        if self.line.has("simulate") {
            order.clear();
        }
        let total = order.len() + usize::from(virtual_name.is_some());
        let filter = Filter::default();
        for (index, package) in order.iter().enumerate() {
            let _ = self.proc.sleep(Duration::from_micros(package.download_bytes() / (RATE / 1_000_000))).await;
            self.say(format!("({}/{total}) Installing {} ({})\n", index + 1, package.name(), package.version)).await;
            if let Err(error) = unpack(&self.proc, package, &filter).await {
                return self.fail(&format!("{}-{}: {}", package.name(), package.version, error.strerror())).await;
            }
            self.installed.insert(package.name().to_owned(), package.apk_stanza());
            let script = package.post_install();
            if !script.is_empty() {
                self.say(format!("Executing {}-{}.post-install\n", package.name(), package.version)).await;
                // apk goes on when a script fails.
                run(&self.proc, &["/bin/sh", "-c", &script]).await;
            }
        }
        if let Some(name) = virtual_name {
            let stamp = self.proc.now().civil();
            let version = format!(
                "{:04}{:02}{:02}.{:02}{:02}{:02}",
                stamp.year, stamp.month, stamp.day, stamp.hour, stamp.minute, stamp.second
            );
            self.say(format!("({total}/{total}) Installing {name} ({version})\n")).await;
            let depends: Vec<&str> = wanted.iter().map(|(name, _)| *name).collect();
            let stanza =
                format!("P:{name}\nV:{version}\nA:noarch\nS:0\nI:0\nT:virtual meta package\nD:{}\n", depends.join(" "));
            self.installed.insert(name.clone(), stanza);
            self.world.insert(name);
        }
        if !order.is_empty() {
            if let Some(stanza) = self.installed.get("busybox") {
                self.say(format!("Executing busybox-{}.trigger\n", field(stanza, 'V'))).await;
            }
            if order.iter().any(|package| package.name() == "ca-certificates") {
                self.say(format!("Executing ca-certificates-{}.trigger\n", self.version("ca-certificates"))).await;
            }
        }
        self.finish().await
    }

    fn version(&self, name: &str) -> String {
        self.installed.get(name).map(|stanza| field(stanza, 'V').to_owned()).unwrap_or_default()
    }

    /// Appends a package that is not installed yet after what it needs.
    fn collect(&self, root: &'static str, order: &mut Vec<Package>) {
        let mut visited = BTreeSet::new();
        let mut stack = vec![(root, false)];
        while let Some((name, done)) = stack.pop() {
            let here = self.installed.contains_key(name) || order.iter().any(|package| package.name() == name);
            let Some(package) = self.release.package(name).filter(|_| !here) else { continue };
            if done {
                order.push(package);
            } else if visited.insert(name) {
                stack.push((name, true));
                stack.extend(package.depends().into_iter().rev().map(|needed| (needed, false)));
            }
        }
    }

    /// Writes the database and says what there is now.
    async fn finish(&self) -> i32 {
        let text: String =
            self.installed.values().map(|stanza| format!("{}\n\n", stanza.trim_end_matches('\n'))).collect();
        let world = self.world.iter().fold(String::new(), |text, name| text + name + "\n");
        for (path, text) in [(INSTALLED, text), (WORLD, world)] {
            if let Err(error) = self.proc.write_file(path.as_bytes(), &Rope::from(text.as_str())).await {
                return self.fail(&format!("Failed to write database: {}", error.strerror())).await;
            }
        }
        let bytes: u64 = self.installed.values().filter_map(|stanza| field(stanza, 'I').parse::<u64>().ok()).sum();
        self.say(format!("OK: {} MiB in {} packages\n", bytes >> 20, self.installed.len())).await;
        0
    }

    async fn del(&mut self) -> i32 {
        if self.locked().await {
            return 99;
        }
        for name in &self.line.operands {
            self.world.retain(|word| word.split(['=', '<', '>', '~']).next() != Some(name.as_str()));
        }
        // What the world no longer needs goes.
        let mut needed: BTreeSet<String> = BTreeSet::new();
        let mut stack: Vec<String> = self
            .world
            .iter()
            .map(|word| word.split(['=', '<', '>', '~']).next().unwrap_or_default().to_owned())
            .collect();
        while let Some(name) = stack.pop() {
            let Some(stanza) = self.installed.get(&name) else { continue };
            stack.extend(field(stanza, 'D').split(' ').filter(|word| !word.is_empty()).map(str::to_owned));
            needed.insert(name);
        }
        for base in self.release.base() {
            needed.insert(base.name().to_owned());
        }
        let gone: Vec<String> = self.installed.keys().filter(|name| !needed.contains(*name)).cloned().collect();
        for name in self.line.operands.iter().filter(|name| !gone.contains(name) && self.installed.contains_key(*name))
        {
            self.say(format!("World updated, but the following packages are not removed due to:\n  {name}\n\n")).await;
        }
        for (index, name) in gone.iter().enumerate() {
            let Some(stanza) = self.installed.remove(name) else { continue };
            self.say(format!("({}/{}) Purging {name} ({})\n", index + 1, gone.len(), field(&stanza, 'V'))).await;
            self.take_out(&stanza).await;
        }
        if !gone.is_empty() {
            self.say(format!("Executing busybox-{}.trigger\n", self.version("busybox"))).await;
        }
        self.finish().await
    }

    async fn take_out(&self, stanza: &str) {
        let mut dirs = Vec::new();
        for line in stanza.lines() {
            if let Some(dir) = line.strip_prefix("F:") {
                dirs.push(dir);
            } else if let (Some(name), Some(dir)) = (line.strip_prefix("R:"), dirs.last()) {
                let path = format!("/{dir}/{name}");
                if self.proc.lstat(path.as_bytes()).is_ok_and(|stat| stat.kind != Kind::Dir) {
                    let _ = self.proc.unlink(path.as_bytes());
                }
            }
        }
        for dir in dirs.iter().rev() {
            // Directories that others use are not empty and stay.
            let mut path = format!("/{dir}");
            while path.len() > 1 && self.proc.rmdir(path.as_bytes()).is_ok() {
                path.truncate(path.rfind('/').unwrap_or(0));
            }
        }
        self.proc.tick().await;
    }

    async fn info(&self) -> i32 {
        let mut out = String::new();
        let mut status = 0;
        if self.line.operands.is_empty() {
            for (name, stanza) in &self.installed {
                let _ = if self.line.has("verbose") {
                    writeln!(out, "{name}-{}", field(stanza, 'V'))
                } else {
                    writeln!(out, "{name}")
                };
            }
        }
        for name in &self.line.operands {
            let Some(stanza) = self.installed.get(name) else {
                status = 1;
                continue;
            };
            let full = format!("{name}-{}", field(stanza, 'V'));
            if self.line.has("installed") {
                let _ = writeln!(out, "{name}");
            } else if self.line.has("contents") {
                let _ = writeln!(out, "{full} contains:");
                let mut dir = "";
                for line in stanza.lines() {
                    if let Some(next) = line.strip_prefix("F:") {
                        dir = next;
                    } else if let Some(file) = line.strip_prefix("R:") {
                        let _ = writeln!(out, "{dir}/{file}");
                    }
                }
                out.push('\n');
            } else {
                let mib = field(stanza, 'I').parse::<f64>().unwrap_or(0.0) / 1024.0;
                let size = if mib < 10_000.0 { format!("{mib:.0} KiB") } else { format!("{:.0} MiB", mib / 1024.0) };
                let _ =
                    writeln!(out, "{full} description:\n{}\n\n{full} installed size:\n{size}\n", field(stanza, 'T'));
            }
        }
        let _ = self.proc.print(out).await;
        status
    }

    async fn list(&self) -> i32 {
        let mut out = String::new();
        for name in self.release.names("") {
            let Some(package) = self.release.package(name) else { continue };
            let here = self.installed.contains_key(name);
            if self.line.has("installed") && !here {
                continue;
            }
            let mark = if here { " [installed]" } else { "" };
            let _ = writeln!(out, "{name}-{} x86_64 {{{name}}} (custom){mark}", package.version);
        }
        i32::from(self.proc.print(out).await.is_err())
    }

    async fn search(&self) -> i32 {
        let mut out = String::new();
        if self.known().await {
            for name in self.release.names("") {
                let hit = |word: &String| super::apt_cache::fits(word, name) || name.contains(word.as_str());
                if let Some(package) = self.release.package(name)
                    && (self.line.operands.is_empty() || self.line.operands.iter().any(hit))
                {
                    let _ = if self.line.has("verbose") || self.line.has("description") {
                        writeln!(out, "{name}-{} - {}", package.version, package.record.synopsis)
                    } else {
                        writeln!(out, "{name}-{}", package.version)
                    };
                }
            }
        }
        i32::from(self.proc.print(out).await.is_err())
    }

    async fn upgrade(&mut self) -> i32 {
        if self.locked().await {
            return 99;
        }
        self.known().await;
        self.finish().await
    }
}
