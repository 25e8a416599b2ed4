//! `bundle`: `install`, `exec`, `list`, `check`, `config`, `init`, `add`. It reads `Gemfile`, writes `Gemfile.lock`, and tells
//! which gems are missing, in Bundler's words (`lib/bundler`).

use std::collections::BTreeSet;

use bstr::{BString, ByteSlice};

use super::Release;
use super::gems::{self, Gem, Home, Requirement};
use crate::base::rope::Rope;
use crate::base::sort::Arrange;
use crate::os::kernel::Proc;

/// `Bundler::GemNotFound`.
const NOT_FOUND: i32 = 7;

/// What a `Gemfile` asks for.
#[derive(Default)]
struct Gemfile {
    /// Its folder.
    dir: String,
    asked: Vec<Asked>,
    ruby: Option<String>,
}

struct Asked {
    name: String,
    wanted: Requirement,
    groups: Vec<String>,
    /// Only on another system: counted, never installed.
    is_foreign: bool,
}

/// Why a bundle cannot be used: Bundler's status and words.
pub struct Failure {
    /// The status that Bundler ends with.
    pub status: i32,
    /// The message, without its end of line.
    pub text: String,
}

fn failure(status: i32, text: impl Into<String>) -> Failure {
    Failure { status, text: text.into() }
}

/// Strings and symbols of a list: `:development, :test`, `%i[ mri mingw ]`.
fn symbols(text: &str) -> Vec<String> {
    let mark = |c: char| !(c.is_ascii_alphanumeric() || c == '_');
    text.split(mark).filter(|word| !word.is_empty() && *word != "i").map(ToOwned::to_owned).collect()
}

fn unquote(text: &str) -> Option<&str> {
    let text = text.trim();
    ['"', '\''].iter().find_map(|mark| text.strip_prefix(*mark)?.strip_suffix(*mark))
}

impl Gemfile {
    /// The nearest one, upwards from where the process is.
    async fn find(proc: &Proc) -> Result<Self, Failure> {
        let mut dir = proc.cwd().to_str_lossy().into_owned();
        loop {
            let path = format!("{}/Gemfile", dir.trim_end_matches('/'));
            if let Ok(text) = proc.read_file(path.as_bytes()).await {
                let text = text.to_vec().to_str_lossy().into_owned();
                let mut own = Self::read(&text);
                own.dir = dir;
                return Ok(own);
            }
            match dir.rsplit_once('/') {
                Some((above, _)) if !dir.is_empty() => dir = above.to_owned(),
                _ => return Err(failure(10, "Could not locate Gemfile")),
            }
        }
    }

    fn read(text: &str) -> Self {
        let mut own = Self::default();
        let mut blocks: Vec<Vec<String>> = Vec::new();
        for line in text.lines() {
            let line = line.split(" #").next().unwrap_or_default().trim();
            let (verb, rest) = line.split_once([' ', '(']).unwrap_or((line, ""));
            let rest = rest.trim_end_matches(')');
            match verb {
                "ruby" => own.ruby = unquote(rest).map(ToOwned::to_owned),
                "gem" => own.asked.extend(Self::asked(rest, blocks.concat())),
                "group" => blocks.push(symbols(rest.trim_end_matches(" do"))),
                "end" => drop(blocks.pop()),
                _ if line.ends_with(" do") => blocks.push(Vec::new()),
                _ => {}
            }
        }
        own
    }

    fn asked(rest: &str, mut groups: Vec<String>) -> Option<Asked> {
        let mut words = rest.split(',');
        let name = unquote(words.next()?)?.to_owned();
        let wanted = Requirement(words.map_while(unquote).map(ToOwned::to_owned).collect());
        for key in ["group: ", "groups: ", ":group => "] {
            groups.extend(rest.split_once(key).map(|(_, list)| symbols(list)).unwrap_or_default());
        }
        let platforms = rest.split_once("platforms: ").map(|(_, list)| symbols(list)).unwrap_or_default();
        let is_foreign =
            !platforms.is_empty() && !platforms.iter().any(|name| name.starts_with("mri") || name == "ruby");
        Some(Asked { name, wanted, groups, is_foreign })
    }

    /// The gems that it needs, each after what it needs itself.
    fn resolve(&self, without: &[String]) -> Result<Vec<&'static Gem>, Failure> {
        let mut names = vec!["bundler"];
        for asked in self.asked.iter().filter(|asked| !asked.is_foreign) {
            let wanted = if asked.wanted.0.is_empty() { String::new() } else { format!(" ({})", asked.wanted.show()) };
            let source = format!("rubygems repository https://{}/ or installed locally", gems::HOST);
            let Some(gem) = gems::gem(&asked.name) else {
                return Err(failure(NOT_FOUND, format!("Could not find gem '{}{wanted}' in {source}.", asked.name)));
            };
            if !asked.wanted.takes(gem.version) {
                return Err(failure(
                    NOT_FOUND,
                    format!(
                        "Could not find gem '{}{wanted}' in {source}.\nThe source contains the following gems matching '{}':\n  * {}",
                        asked.name,
                        asked.name,
                        gem.full_name()
                    ),
                ));
            }
            if asked.groups.is_empty() || asked.groups.iter().any(|group| !without.contains(group)) {
                names.push(&asked.name);
            }
        }
        Ok(gems::closure(names))
    }

    /// The text of `Gemfile.lock`.
    fn lock(&self, release: &Release, own_version: &str) -> Result<String, Failure> {
        let mut all = self.resolve(&[])?;
        all.retain(|gem| gem.name != "bundler");
        all.arrange_by_key(|gem| gem.name);
        let mut text = format!("GEM\n  remote: https://{}/\n  specs:\n", gems::HOST);
        for gem in all {
            let full = gem.full_name();
            let version = full.strip_prefix(gem.name).unwrap_or_default().trim_start_matches('-');
            text.push_str(&format!("    {} ({version})\n", gem.name));
            for needed in &gem.depends {
                text.push_str(&format!("      {needed}\n"));
            }
        }
        text.push_str("\nPLATFORMS\n  x86_64-linux\n\nDEPENDENCIES\n");
        let show = |asked: &Asked| match asked.wanted.0.is_empty() {
            true => format!("  {}\n", asked.name),
            false => format!("  {} ({})\n", asked.name, asked.wanted.show()),
        };
        let lines: BTreeSet<String> = self.asked.iter().map(show).collect();
        text.extend(lines);
        if self.ruby.is_some() {
            text.push_str(&format!("\nRUBY VERSION\n   ruby {}p{}\n", release.number, release.patch));
        }
        text.push_str(&format!("\nBUNDLED WITH\n   {own_version}\n"));
        Ok(text)
    }

    fn check_ruby(&self, release: &Release) -> Result<(), Failure> {
        match &self.ruby {
            Some(wanted) if !Requirement(vec![wanted.clone()]).takes(&release.number) => Err(failure(
                18,
                format!("Your Ruby version is {}, but your Gemfile specified {wanted}", release.number),
            )),
            _ => Ok(()),
        }
    }
}

/// Where Bundler's settings of an application are.
fn config_path(proc: &Proc, dir: &str) -> String {
    match proc.getenv("BUNDLE_APP_CONFIG") {
        Some(dir) => format!("{}/config", dir.to_str_lossy()),
        None => format!("{}/.bundle/config", dir.trim_end_matches('/')),
    }
}

/// Groups that are left out: by the environment, else by the settings.
async fn without(proc: &Proc, dir: &str) -> Vec<String> {
    if let Some(groups) = proc.getenv("BUNDLE_WITHOUT") {
        return symbols(&groups.to_str_lossy());
    }
    let text = proc.read_file(config_path(proc, dir).as_bytes()).await.unwrap_or_default().to_vec();
    let text = text.to_str_lossy();
    text.lines().find_map(|line| line.strip_prefix("BUNDLE_WITHOUT: ")).map(symbols).unwrap_or_default()
}

/// The folder of the application that a process is in, once all of its gems are there.
///
/// # Errors
/// What Bundler says when there is no `Gemfile`, or when gems are missing.
pub async fn setup(proc: &Proc, home: &Home) -> Result<String, Failure> {
    let file = Gemfile::find(proc).await?;
    file.check_ruby(home.release())?;
    let all = file.resolve(&without(proc, &file.dir).await)?;
    let missing: Vec<&Gem> = all.into_iter().filter(|gem| !home.has(proc, gem)).collect();
    if missing.is_empty() {
        return Ok(file.dir);
    }
    // What the file asks for comes first.
    let (asked, others): (Vec<&Gem>, Vec<&Gem>) =
        missing.into_iter().partition(|gem| file.asked.iter().any(|asked| asked.name == gem.name));
    let names: Vec<String> = asked.iter().chain(&others).map(|gem| gem.full_name()).collect();
    Err(failure(NOT_FOUND, format!("Could not find {} in any of the sources", names.join(", "))))
}

/// Tells why a bundle cannot be used.
pub async fn tell(proc: &Proc, failure: &Failure) -> i32 {
    proc.eprint(format!("{}\n", failure.text)).await;
    if failure.status == NOT_FOUND && failure.text.ends_with("any of the sources") {
        proc.eprint("Run `bundle install` to install missing gems.\n").await;
    }
    failure.status
}

/// `bundle`, in the version that its file tells.
pub async fn run(proc: Proc, own_version: String) -> i32 {
    let args: Vec<String> = proc.args().iter().skip(1).map(|arg| arg.to_str_lossy().into_owned()).collect();
    let home = Home::of(&proc, Release::of_ruby(&proc).await);
    let rest = args.get(1..).unwrap_or_default();
    let done = match args.first().map(String::as_str) {
        Some("-v" | "--version" | "version") => {
            return i32::from(proc.print(format!("Bundler version {own_version}\n")).await.is_err());
        }
        None => install(&proc, &home, &[], &own_version).await,
        Some("install" | "i") => install(&proc, &home, rest, &own_version).await,
        Some(flag) if flag.starts_with('-') => install(&proc, &home, &args, &own_version).await,
        Some("exec" | "e") => exec(&proc, &home, rest).await,
        Some("list" | "show") => list(&proc, &home).await,
        Some("check") => check(&proc, &home).await,
        Some("config") => config(&proc, rest).await,
        Some("init") => init(&proc).await,
        Some("add") => add(&proc, &home, rest, &own_version).await,
        Some(other) => Err(failure(1, format!("bundle: `bundle {other}` is not simulated in Capas"))),
    };
    match done {
        Ok(status) => status,
        Err(why) => tell(&proc, &why).await,
    }
}

async fn say(proc: &Proc, text: impl AsRef<[u8]>) {
    let _ = proc.print(text).await;
}

async fn install(proc: &Proc, home: &Home, args: &[String], own_version: &str) -> Result<i32, Failure> {
    let (mut is_quiet, mut left_out) = (false, None);
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        let (name, value) = arg.split_once('=').map_or((arg.as_str(), None), |(name, value)| (name, Some(value)));
        match name {
            // How many at a time and how often again: time only.
            "-j" | "--jobs" | "--retry" if value.is_none() => drop(rest.next()),
            "--jobs" | "--retry" | "--no-cache" | "--redownload" => {}
            name if name.starts_with("-j") => {}
            "--quiet" | "-q" => is_quiet = true,
            "--without" => {
                let mut groups = value.map(symbols).unwrap_or_default();
                groups.extend(rest.by_ref().cloned());
                left_out = Some(groups);
            }
            other => return Err(failure(1, format!("bundle: {other} is not simulated in Capas"))),
        }
    }
    let file = Gemfile::find(proc).await?;
    file.check_ruby(home.release())?;
    if let Some(groups) = &left_out {
        set(proc, &config_path(proc, &file.dir), "WITHOUT", &groups.join(":")).await;
    }
    let without = without(proc, &file.dir).await;
    if proc.getenv("BUNDLE_SILENCE_ROOT_WARNING").is_none() && proc.cred().uid == 0 && !is_quiet {
        proc.eprint("Don't run Bundler as root. Bundler can ask for sudo if it is needed, and\ninstalling your bundle as root will break this application for all non-root users\non this machine.\n").await;
    }
    let text = file.lock(home.release(), own_version)?;
    let path = format!("{}/Gemfile.lock", file.dir.trim_end_matches('/'));
    let before = proc.read_file(path.as_bytes()).await.unwrap_or_default().to_vec();
    let all = file.resolve(&without)?;
    let is_new = before != text.as_bytes();
    if is_new || all.iter().any(|gem| !home.has(proc, gem)) {
        if let Err(why) = gems::reach(proc).await {
            let host = gems::HOST;
            let why = format!(
                "Could not fetch specs from https://{host}/ due to underlying error <SocketError: {why} (https://{host}/specs.4.8.gz)>"
            );
            say(proc, format!("Fetching source index from https://{host}/\n\n")).await;
            for turn in 2..5 {
                say(proc, format!("Retrying fetcher due to error ({turn}/4): Bundler::HTTPError {why}\n")).await;
            }
            return Err(failure(17, why));
        }
        if !is_quiet {
            say(proc, format!("Fetching gem metadata from https://{}/..........\n", gems::HOST)).await;
            if is_new {
                say(proc, "Resolving dependencies...\n").await;
            }
        }
    }
    for gem in &all {
        if let Some(old) = Some(gem).filter(|gem| !home.runs(gem)) {
            return Err(failure(
                5,
                format!(
                    "{}-{} requires ruby version >= {}, which is incompatible with the current version, ruby {}p{}",
                    old.name,
                    old.version,
                    old.ruby.unwrap_or_default(),
                    home.release().number,
                    home.release().patch
                ),
            ));
        }
        if home.has(proc, gem) {
            if !is_quiet {
                say(proc, format!("Using {}\n", gem.told())).await;
            }
            continue;
        }
        if !is_quiet {
            say(proc, format!("Fetching {}\n", gem.told())).await;
        }
        home.fetch(proc, gem).await.map_err(|why| failure(17, why))?;
        if !is_quiet {
            let native = if gem.is_native { " with native extensions" } else { "" };
            say(proc, format!("Installing {}{native}\n", gem.told())).await;
        }
        home.install(proc, gem).await.map_err(|why| failure(5, trouble(gem, &why)))?;
    }
    if is_new {
        let written = proc.write_file(path.as_bytes(), &Rope::from(text.as_str())).await;
        written.map_err(|_| {
            failure(23, format!("There was an error while trying to write to `{path}`. It is likely that you need to grant write permissions for that path."))
        })?;
    }
    if !is_quiet {
        let left = match without.as_slice() {
            [] => String::new(),
            [one] => format!("Gems in the group '{one}' were not installed.\n"),
            [first @ .., last] => {
                format!("Gems in the groups '{}' and '{last}' were not installed.\n", first.join("', '"))
            }
        };
        let plural = |count: usize, one: &str, more: &str| format!("{count} {}", if count == 1 { one } else { more });
        let asked = plural(file.asked.len(), "Gemfile dependency", "Gemfile dependencies");
        let installed = plural(all.len(), "gem", "gems");
        say(proc, format!("Bundle complete! {asked}, {installed} now installed.\n{left}Use `bundle info [gemname]` to see where a bundled gem is installed.\n")).await;
    }
    Ok(0)
}

fn trouble(gem: &Gem, why: &str) -> String {
    let why = why.trim_start_matches("ERROR: ");
    format!(
        "Gem::Ext::BuildError: ERROR: {why}\nAn error occurred while installing {} ({}), and Bundler\ncannot continue.",
        gem.name, gem.version
    )
}

async fn exec(proc: &Proc, home: &Home, args: &[String]) -> Result<i32, Failure> {
    setup(proc, home).await?;
    let Some(program) = args.first() else {
        return Err(failure(128, "bundler: exec needs a command to run"));
    };
    let Ok(path) = proc.search(program.as_str().into()) else {
        return Err(failure(
            127,
            format!("bundler: command not found: {program}\nInstall missing gem executables with `bundle install`"),
        ));
    };
    let words: Vec<BString> = args.iter().map(|word| BString::from(word.as_str())).collect();
    match proc.exec(&path, words, proc.env()).await {
        Ok(status) => Ok(status),
        Err(_) => Err(failure(126, format!("bundler: not executable: {program}"))),
    }
}

async fn list(proc: &Proc, home: &Home) -> Result<i32, Failure> {
    let dir = setup(proc, home).await?;
    let file = Gemfile::find(proc).await?;
    let mut all = file.resolve(&without(proc, &dir).await)?;
    all.arrange_by_key(|gem| gem.name);
    let mut text = "Gems included by the bundle:\n".to_owned();
    for gem in all {
        text.push_str(&format!("  * {} ({})\n", gem.name, gem.version));
    }
    text.push_str("Use `bundle info` to print more detailed information about a gem\n");
    say(proc, text).await;
    Ok(0)
}

async fn check(proc: &Proc, home: &Home) -> Result<i32, Failure> {
    let file = Gemfile::find(proc).await?;
    let missing: Vec<&Gem> =
        file.resolve(&without(proc, &file.dir).await)?.into_iter().filter(|gem| !home.has(proc, gem)).collect();
    if missing.is_empty() {
        say(proc, "The Gemfile's dependencies are satisfied\n").await;
        return Ok(0);
    }
    let lines: String = missing.iter().map(|gem| format!(" * {} ({})\n", gem.name, gem.version)).collect();
    Err(failure(1, format!("The following gems are missing\n{lines}Install missing gems with `bundle install`")))
}

/// Writes a setting.
async fn set(proc: &Proc, path: &str, name: &str, value: &str) {
    let text = proc.read_file(path.as_bytes()).await.unwrap_or_default().to_vec();
    let text = text.to_str_lossy();
    let key = format!("BUNDLE_{name}: ");
    let mut lines: Vec<String> =
        text.lines().filter(|line| !line.starts_with(&key) && *line != "---").map(ToOwned::to_owned).collect();
    lines.push(format!("{key}\"{value}\""));
    if let Some((dir, _)) = path.rsplit_once('/') {
        let _ = gems::make_dirs(proc, dir);
    }
    let _ = proc.write_file(path.as_bytes(), &Rope::from(format!("---\n{}\n", lines.join("\n")).as_str())).await;
}

async fn config(proc: &Proc, args: &[String]) -> Result<i32, Failure> {
    let words: Vec<&str> =
        args.iter().map(String::as_str).filter(|word| !matches!(*word, "set" | "--local" | "--global")).collect();
    match words.as_slice() {
        ["without", groups @ ..] if !groups.is_empty() => {
            let dir = proc.cwd().to_str_lossy().into_owned();
            let groups: Vec<&str> = groups.iter().flat_map(|word| word.split([' ', ':'])).collect();
            set(proc, &config_path(proc, &dir), "WITHOUT", &groups.join(":")).await;
            Ok(0)
        }
        // They change how long it takes, and nothing else.
        ["jobs" | "retry" | "silence_root_warning", ..] => Ok(0),
        _ => Err(failure(1, format!("bundle: `bundle config {}` is not simulated in Capas", args.join(" ")))),
    }
}

async fn init(proc: &Proc) -> Result<i32, Failure> {
    let path = format!("{}/Gemfile", proc.cwd().to_str_lossy().trim_end_matches('/'));
    if proc.stat(path.as_bytes()).is_ok() {
        return Err(failure(1, format!("Gemfile already exists at {path}")));
    }
    let text = "# frozen_string_literal: true\n\nsource \"https://rubygems.org\"\n\n# gem \"rails\"\n";
    if let Err(error) = proc.write_file(path.as_bytes(), &Rope::from(text)).await {
        return Err(failure(1, format!("{path}: {}", error.strerror())));
    }
    say(proc, format!("Writing new Gemfile to {path}\n")).await;
    Ok(0)
}

async fn add(proc: &Proc, home: &Home, args: &[String], own_version: &str) -> Result<i32, Failure> {
    let file = Gemfile::find(proc).await?;
    let [name] = args else {
        return Err(failure(1, "bundle: `bundle add` of more than a name is not simulated in Capas"));
    };
    if file.asked.iter().any(|asked| asked.name == *name) {
        return Err(failure(
            4,
            format!(
                "You cannot specify the same gem twice with different version requirements.\nGem already added: {name}"
            ),
        ));
    }
    let path = format!("{}/Gemfile", file.dir.trim_end_matches('/'));
    let text = proc.read_file(path.as_bytes()).await.unwrap_or_default().to_vec();
    let text = text.to_str_lossy().into_owned();
    let version = gems::gem(name).map(|gem| gem.version.split('.').take(2).collect::<Vec<_>>().join("."));
    let version = version.map(|version| format!(", \"~> {version}\"")).unwrap_or_default();
    let more = format!("{text}\ngem \"{name}\"{version}\n");
    let _ = proc.write_file(path.as_bytes(), &Rope::from(more.as_str())).await;
    let done = install(proc, home, &[], own_version).await;
    if done.is_err() {
        // What cannot be had is not left in the file.
        let _ = proc.write_file(path.as_bytes(), &Rope::from(text.as_str())).await;
    }
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gemfile_is_read_with_groups_platforms_and_requirements() {
        let file = Gemfile::read(
            "source \"https://rubygems.org\"\ngit_source(:github) { |repo| \"x\" }\nruby \"3.0.3\"\ngem \"rails\", \"~> 7.0.1\" # the framework\ngem 'devise', '~> 4.8', '>= 4.8.1'\ngem \"tzinfo-data\", platforms: %i[ mingw mswin x64_mingw jruby ]\ngroup :development, :test do\n  gem \"debug\", platforms: %i[ mri mingw x64_mingw ]\nend\ngem \"bootsnap\", require: false\n",
        );
        assert_eq!(file.ruby.as_deref(), Some("3.0.3"));
        let told: Vec<String> = file
            .asked
            .iter()
            .map(|asked| format!("{} {} {:?} {}", asked.name, asked.wanted.show(), asked.groups, asked.is_foreign))
            .collect();
        assert_eq!(
            told,
            [
                "rails ~> 7.0.1 [] false",
                "devise ~> 4.8, >= 4.8.1 [] false",
                "tzinfo-data >= 0 [] true",
                "debug >= 0 [\"development\", \"test\"] false",
                "bootsnap >= 0 [] false"
            ]
        );
        let names = |without: &[&str]| {
            let without: Vec<String> = without.iter().map(|name| (*name).to_owned()).collect();
            file.resolve(&without).map(|all| all.iter().any(|gem| gem.name == "debug")).ok()
        };
        assert_eq!(
            (names(&[]), names(&["development"]), names(&["development", "test"])),
            (Some(true), Some(true), Some(false))
        );
    }

    #[test]
    fn what_is_not_to_be_had_is_told_with_what_there_is() {
        let text = |gemfile: &str| Gemfile::read(gemfile).resolve(&[]).err().map(|why| why.text).unwrap_or_default();
        assert!(text("gem 'nonsense'").starts_with("Could not find gem 'nonsense' in rubygems repository"));
        assert!(text("gem 'rails', '~> 6.1'").ends_with("matching 'rails':\n  * rails-7.0.1"));
    }
}
