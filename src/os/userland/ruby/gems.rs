//! Gems: which there are, which are installed, and installing one. What is installed is what the folder of specifications
//! says, so a volume or a cache mount over `/usr/local/bundle` has its own.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;
use std::time::Duration;

use bstr::ByteSlice;

use super::Release;
use crate::base::errno::Errno;
use crate::base::rope::Rope;
use crate::os::fs::node::Content;
use crate::os::kernel::Proc;
use crate::os::userland::packages::compare_versions;
use crate::os::userland::packages::files::seed;

const LIST: &str = include_str!("../../../../static/packages/gems.list");
/// Where gems come from.
pub const HOST: &str = "rubygems.org";
/// Bytes a millisecond that come from there.
const RATE: u64 = 8_000;
/// Until the first byte of a gem is there.
const ROUND_TRIP: Duration = Duration::from_millis(45);
/// KiB of library a millisecond that a compiler makes.
const COMPILED_KIB: u64 = 1;

/// A gem as rubygems.org has it.
#[derive(Debug)]
pub struct Gem {
    /// Its name.
    pub name: &'static str,
    /// Its only version here.
    pub version: &'static str,
    /// The version that Ruby itself brings.
    pub default: Option<&'static str>,
    /// The gems it needs.
    pub depends: Vec<&'static str>,
    /// Whether a part of it is compiled when it is installed.
    pub is_native: bool,
    /// The oldest Ruby that it runs on.
    pub ruby: Option<&'static str>,
    is_compiled: bool,
    archive_kib: u64,
    installed_kib: u64,
    programs: Vec<&'static str>,
}

fn catalogue() -> &'static BTreeMap<&'static str, Gem> {
    static GEMS: OnceLock<BTreeMap<&'static str, Gem>> = OnceLock::new();
    GEMS.get_or_init(|| LIST.lines().filter_map(read).map(|gem| (gem.name, gem)).collect())
}

fn read(line: &'static str) -> Option<Gem> {
    let mut words = line.split(' ');
    let marked = words.next()?;
    let name = marked.trim_end_matches(['!', '@']);
    let version = words.next()?;
    let mut kib = || words.next()?.parse().ok();
    let (archive_kib, installed_kib) = (kib()?, kib()?);
    let (is_native, is_compiled) = (marked.ends_with('!'), marked.ends_with('@'));
    let (default, ruby, programs, depends) = (None, None, Vec::new(), Vec::new());
    let mut gem =
        Gem { name, version, default, depends, is_native, ruby, is_compiled, archive_kib, installed_kib, programs };
    for word in words {
        match word.split_at_checked(1)? {
            ("=", version) => gem.default = Some(version),
            ("^", oldest) => gem.ruby = Some(oldest),
            ("#", names) => gem.programs = names.split(',').collect(),
            _ => gem.depends.push(word),
        }
    }
    Some(gem)
}

/// The gem of that name.
pub fn gem(name: &str) -> Option<&'static Gem> {
    catalogue().get(name)
}

/// Every gem that Ruby brings.
pub fn defaults() -> impl Iterator<Item = (&'static str, &'static str)> {
    catalogue().values().filter_map(|gem| Some((gem.name, gem.default?)))
}

/// These gems and what they need, each after what it needs itself.
pub fn closure<'n>(names: impl IntoIterator<Item = &'n str>) -> Vec<&'static Gem> {
    let (mut out, mut seen) = (Vec::new(), BTreeSet::new());
    // What is still to be done, the last first; a gem is put out when it comes up the second time.
    let mut open: Vec<(&Gem, bool)> = names.into_iter().filter_map(gem).map(|gem| (gem, false)).collect();
    open.reverse();
    while let Some((gem, is_done)) = open.pop() {
        if is_done {
            out.push(gem);
        } else if seen.insert(gem.name) {
            open.push((gem, true));
            open.extend(gem.depends.iter().rev().filter_map(|name| self::gem(name)).map(|gem| (gem, false)));
        }
    }
    out
}

/// Which versions are wanted: `~> 4.8, >= 4.8.1`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requirement(pub Vec<String>);

impl Requirement {
    /// Whether a version will do.
    pub fn takes(&self, version: &str) -> bool {
        self.0.iter().all(|wanted| {
            let (relation, number) = match wanted.split_once(' ') {
                Some((relation, number)) => (relation, number.trim()),
                None => ("=", wanted.as_str()),
            };
            // `3.0` and `3.0.0` are one version to RubyGems.
            let plain = |text: &str| text.trim_end_matches(".0").to_owned();
            let order = compare_versions(&plain(version), &plain(number));
            match relation {
                ">=" => order.is_ge(),
                ">" => order.is_gt(),
                "<=" => order.is_le(),
                "<" => order.is_lt(),
                "!=" => order.is_ne(),
                "~>" => {
                    let kept = number.rsplit_once('.').map_or("", |(kept, _)| kept);
                    order.is_ge() && (version == kept || version.starts_with(&format!("{kept}.")) || kept.is_empty())
                }
                _ => order.is_eq(),
            }
        })
    }

    /// As it is written behind a name.
    pub fn show(&self) -> String {
        let one = |wanted: &String| if wanted.contains(' ') { wanted.clone() } else { format!("= {wanted}") };
        if self.0.is_empty() { ">= 0".to_owned() } else { self.0.iter().map(one).collect::<Vec<_>>().join(", ") }
    }
}

/// Where one Ruby keeps its gems.
pub struct Home {
    /// The folder.
    pub dir: String,
    release: Release,
}

impl Home {
    /// That of a process's Ruby.
    pub fn of(proc: &Proc, release: Release) -> Self {
        let own = format!("/usr/local/lib/ruby/gems/{}", release.series());
        let dir = proc.getenv("GEM_HOME").map_or(own, |dir| dir.to_str_lossy().into_owned());
        Self { dir, release }
    }

    /// What is installed, without what Ruby itself brings: names and versions.
    pub fn installed(&self, proc: &Proc) -> BTreeSet<(String, String)> {
        let entries = proc.readdir(format!("{}/specifications", self.dir).as_bytes()).unwrap_or_default();
        let read = |name: &str| {
            let name = name.strip_suffix(".gemspec")?.trim_end_matches("-x86_64-linux");
            let (name, version) = name.rsplit_once('-')?;
            Some((name.to_owned(), version.to_owned()))
        };
        entries.iter().filter_map(|entry| read(&entry.name.to_str_lossy())).collect()
    }

    /// Whether a gem can be used in the version that the catalogue has.
    pub fn has(&self, proc: &Proc, gem: &Gem) -> bool {
        gem.default == Some(gem.version)
            || proc.stat(format!("{}/specifications/{}.gemspec", self.dir, gem.full_name()).as_bytes()).is_ok()
    }

    /// Ruby's version as RubyGems says it.
    pub fn ruby(&self) -> String {
        format!("{}.{}", self.release.number, self.release.patch)
    }

    /// The Ruby that it belongs to.
    pub const fn release(&self) -> &Release {
        &self.release
    }

    /// Whether a gem runs on this Ruby.
    pub fn runs(&self, gem: &Gem) -> bool {
        gem.ruby.is_none_or(|oldest| compare_versions(&self.release.number, oldest).is_ge())
    }

    /// Brings a gem's archive.
    ///
    /// # Errors
    /// What RubyGems says when rubygems.org cannot be reached.
    pub async fn fetch(&self, proc: &Proc, gem: &Gem) -> Result<(), String> {
        reach(proc).await?;
        let _ = proc.sleep(ROUND_TRIP + Duration::from_millis(gem.archive_kib * 1024 / RATE)).await;
        Ok(())
    }

    /// Puts a gem's files in place.
    ///
    /// # Errors
    /// What RubyGems says when they cannot be written, or when there is no compiler for those that need one.
    pub async fn install(&self, proc: &Proc, gem: &Gem) -> Result<(), String> {
        let dir = format!("{}/gems/{}", self.dir, gem.full_name());
        if gem.is_native {
            if proc.search("gcc".into()).is_err() || proc.search("make".into()).is_err() {
                return Err(self.no_compiler(&dir));
            }
            let _ = proc.sleep(Duration::from_millis(400 + gem.installed_kib / COMPILED_KIB)).await;
        }
        self.put(proc, gem, &dir).await.map_err(|error| {
            format!("While executing gem ... (Errno::{error:?})\n    {} @ dir_s_mkdir - {}", error.strerror(), self.dir)
        })
    }

    async fn put(&self, proc: &Proc, gem: &Gem, dir: &str) -> Result<(), Errno> {
        let full = gem.full_name();
        let bulk = |what: &str, kib: u64| Content::File(Rope::bulk(seed(&format!("{full} {what}")), kib * 1024));
        let library = if gem.is_native || gem.is_compiled { gem.installed_kib / 2 } else { 0 };
        let mut files = vec![
            (format!("{}/cache/{full}.gem", self.dir), bulk("archive", gem.archive_kib)),
            (format!("{dir}/README.md"), Content::File(Rope::from(format!("# {}\n", gem.name).as_str()))),
            (format!("{dir}/lib/{}.rb", gem.name), bulk("lib", gem.installed_kib - library)),
        ];
        if library > 0 {
            files.push((format!("{dir}/lib/{}.so", gem.name), bulk("so", library)));
        }
        if gem.is_native {
            let made = format!("{}/extensions/x86_64-linux/{}/{full}", self.dir, self.release.series());
            files.push((format!("{made}/gem.build_complete"), Content::File(Rope::new())));
            files.push((format!("{made}/{}.so", gem.name), bulk("so", library)));
        }
        let owner = if gem.name == "rails" { "railties" } else { gem.name };
        for program in &gem.programs {
            let text = format!(
                "#!/usr/local/bin/ruby\n# Made by RubyGems when {owner} was installed: it starts the program of the gem.\nrequire 'rubygems'\n\nload Gem.activate_bin_path('{owner}', '{program}', '>= 0.a')\n"
            );
            files.push((format!("{}/bin/{program}", self.dir), Content::File(Rope::from(text.as_str()))));
        }
        let mut spec = format!(
            "# -*- encoding: utf-8 -*-\n# stub: {} {} ruby lib\n\nGem::Specification.new do |s|\n  s.name = \"{}\".freeze\n  s.version = \"{}\"\n",
            gem.name, gem.version, gem.name, gem.version
        );
        for needed in &gem.depends {
            spec.push_str(&format!("  s.add_runtime_dependency(%q<{needed}>.freeze, [\">= 0\"])\n"));
        }
        spec.push_str("end\n");
        // The specification comes last: without it the gem is not there.
        let spec = Content::File(Rope::from(spec.as_str()));
        files.push((format!("{}/specifications/{full}.gemspec", self.dir), spec));
        for (path, content) in files {
            put_file(proc, &path, content)?;
        }
        proc.tick().await;
        Ok(())
    }

    fn no_compiler(&self, dir: &str) -> String {
        let ruby = &self.release;
        format!(
            "ERROR: Failed to build gem native extension.\n\n    current directory: {dir}/ext\n/usr/local/bin/ruby -I /usr/local/lib/ruby/{} extconf.rb\n\
             checking for gcc... no\n*** extconf.rb failed ***\nCould not create Makefile due to some reason, probably lack of necessary\n\
             libraries and/or headers.  Check the mkmf.log file for more details.  You may\nneed configuration options.\n\n\
             The compiler failed to generate an executable file. (RuntimeError)\nYou have to install development tools first.\n\nextconf failed, exit code 1\n",
            ruby.series()
        )
    }

    /// Takes a gem's files away; `false` if there are none.
    pub fn remove(&self, proc: &Proc, gem: &Gem) -> bool {
        let full = gem.full_name();
        let spec = format!("{}/specifications/{full}.gemspec", self.dir);
        if proc.unlink(spec.as_bytes()).is_err() {
            return false;
        }
        for program in &gem.programs {
            let _ = proc.unlink(format!("{}/bin/{program}", self.dir).as_bytes());
        }
        let _ = proc.unlink(format!("{}/cache/{full}.gem", self.dir).as_bytes());
        let made = format!("{}/extensions/x86_64-linux/{}/{full}", self.dir, self.release.series());
        for dir in [format!("{}/gems/{full}/lib", self.dir), format!("{}/gems/{full}", self.dir), made] {
            for entry in proc.readdir(dir.as_bytes()).unwrap_or_default() {
                let _ = proc.unlink(format!("{dir}/{}", entry.name).as_bytes());
            }
            let _ = proc.rmdir(dir.as_bytes());
        }
        true
    }
}

impl Gem {
    /// Name, version and, where it was compiled before, for which machine.
    pub fn full_name(&self) -> String {
        let platform = if self.is_compiled { "-x86_64-linux" } else { "" };
        format!("{}-{}{platform}", self.name, self.version)
    }

    /// Name and version as Bundler says them.
    pub fn told(&self) -> String {
        let platform = if self.is_compiled { " (x86_64-linux)" } else { "" };
        format!("{} {}{platform}", self.name, self.version)
    }
}

/// Whether rubygems.org can be reached; the error is what Ruby says of it.
pub async fn reach(proc: &Proc) -> Result<(), String> {
    match proc.resolve(HOST).await {
        Ok(_) => Ok(()),
        Err(_) => Err(format!(
            "Failed to open TCP connection to {HOST}:443 (getaddrinfo: Temporary failure in name resolution)"
        )),
    }
}

/// Writes a file with the folders above it; what is below a folder `bin` can be run.
pub fn put_file(proc: &Proc, path: &str, content: Content) -> Result<(), Errno> {
    if let Some((dir, _)) = path.rsplit_once('/') {
        make_dirs(proc, dir)?;
    }
    let _ = proc.unlink(path.as_bytes());
    proc.mknod(path.as_bytes(), 0o644, content)?;
    if path.contains("/bin/") { proc.chmod(path.as_bytes(), 0o755) } else { Ok(()) }
}

/// Makes a folder and those above it.
pub fn make_dirs(proc: &Proc, dir: &str) -> Result<(), Errno> {
    if proc.stat(dir.as_bytes()).is_ok() {
        return Ok(());
    }
    for (at, _) in dir.match_indices('/').skip(1).chain([(dir.len(), "")]) {
        match proc.mkdir(dir.get(..at).unwrap_or_default().as_bytes(), 0o755) {
            Ok(()) | Err(Errno::EEXIST) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_read_and_every_dependency_is_there() {
        assert_eq!(catalogue().len(), LIST.lines().count());
        for gem in catalogue().values() {
            for name in &gem.depends {
                assert!(catalogue().contains_key(name), "{} needs {name}", gem.name);
            }
        }
        let nokogiri = gem("nokogiri").unwrap();
        assert_eq!((nokogiri.full_name().as_str(), nokogiri.is_native), ("nokogiri-1.13.1-x86_64-linux", false));
    }

    #[test]
    fn a_gem_comes_after_what_it_needs() {
        let all = closure(["rails"]);
        let at = |name: &str| all.iter().position(|gem| gem.name == name).unwrap();
        assert_eq!(at("rails"), all.len() - 1);
        for gem in &all {
            assert!(gem.depends.iter().all(|needed| at(needed) < at(gem.name)), "{}", gem.name);
        }
    }

    #[test]
    fn requirements_are_those_of_rubygems() {
        let takes = |wanted: &[&str], version: &str| {
            Requirement(wanted.iter().map(|wanted| (*wanted).to_owned()).collect()).takes(version)
        };
        assert!(takes(&[], "1.0") && takes(&["~> 4.8", ">= 4.8.1"], "4.8.1") && takes(&["~> 7.0.1"], "7.0.1"));
        assert!(!takes(&["~> 4.9"], "4.8.1") && !takes(&["~> 7.0.1"], "7.1.0") && takes(&["~> 7.0"], "7.1.0"));
        assert!(takes(&["7.0.1"], "7.0.1") && !takes(&["= 7.0"], "7.0.1") && takes(&["3.0"], "3.0.0"));
        assert!(!takes(&["< 2"], "2.1") && takes(&["!= 2"], "2.1"));
    }
}
