//! `gem`: `install`, `uninstall`, `list`, `environment`. What it installs is in `static/packages/gems.list`; its words are
//! those of RubyGems (`lib/rubygems/commands`).

use bstr::ByteSlice;

use super::Release;
use super::gems::{self, Gem, Home, Requirement};
use crate::os::kernel::Proc;

/// `gem`.
pub async fn main(proc: Proc, own_version: String) -> i32 {
    let args: Vec<String> = proc.args().iter().skip(1).map(|arg| arg.to_str_lossy().into_owned()).collect();
    let rest = args.get(1..).unwrap_or_default();
    match args.first().map(String::as_str) {
        Some("-v" | "--version") => i32::from(proc.print(format!("{own_version}\n")).await.is_err()),
        Some("install" | "i") => install(&proc, rest).await,
        Some("uninstall") => uninstall(&proc, rest).await,
        Some("list" | "l") => list(&proc, rest).await,
        Some("env" | "environment") => environment(&proc, rest, &own_version).await,
        None | Some("help" | "-h" | "--help") => {
            let text = "RubyGems is a package manager for Ruby.\n\n  Usage:\n    gem -h/--help\n    gem -v/--version\n    gem command [arguments...] [options...]\n\n  Examples:\n    gem install rake\n    gem list --local\n";
            i32::from(proc.print(text).await.is_err())
        }
        Some(other) => {
            proc.eprint(format!("gem: `gem {other}` is not simulated in Capas\n")).await;
            1
        }
    }
}

async fn home(proc: &Proc) -> Home {
    Home::of(proc, Release::of_ruby(proc).await)
}

/// What stands before and behind the flags that take something.
struct Line {
    names: Vec<String>,
    version: Requirement,
}

/// Reads names and `-v`; `known` are flags that change nothing here. The error is any other.
fn line(args: &[String], known: &[&str]) -> Result<Line, String> {
    let mut line = Line { names: Vec::new(), version: Requirement::default() };
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        match arg.as_str() {
            "-v" | "--version" => line.version.0.extend(rest.next().cloned()),
            flag if known.contains(&flag) => {}
            long if long.starts_with("--version=") => line.version.0.extend(long.split_once('=').map(|at| at.1.into())),
            flag if flag.starts_with('-') => return Err(flag.to_owned()),
            name => match name.split_once(':') {
                Some((name, version)) => {
                    line.names.push(name.to_owned());
                    line.version.0.push(version.to_owned());
                }
                None => line.names.push(name.to_owned()),
            },
        }
    }
    Ok(line)
}

async fn refuse(proc: &Proc, flag: &str) -> i32 {
    proc.eprint(format!("gem: {flag} is not simulated in Capas\n")).await;
    1
}

async fn install(proc: &Proc, args: &[String]) -> i32 {
    // Documentation is never made here, and what is there is put there again.
    let known = ["-N", "--no-document", "--no-doc", "--no-ri", "--no-rdoc", "-q", "--quiet", "-f", "--force"];
    let line = match line(args, &known) {
        Ok(line) => line,
        Err(flag) => return refuse(proc, &flag).await,
    };
    if line.names.is_empty() {
        proc.eprint("ERROR:  While executing gem ... (Gem::CommandLineError)\n    Please specify at least one gem name (e.g. gem build GEMNAME)\n").await;
        return 1;
    }
    let home = home(proc).await;
    let (mut done, mut status) = (0, 0);
    for name in &line.names {
        match install_one(proc, &home, name, &line.version).await {
            Ok(count) => done += count,
            Err((code, text)) => {
                proc.eprint(text).await;
                status = code;
            }
        }
    }
    if done > 0 {
        let plural = if done == 1 { "" } else { "s" };
        let _ = proc.print(format!("{done} gem{plural} installed\n")).await;
    }
    status
}

/// Installs a gem and what it needs; how many that were.
async fn install_one(proc: &Proc, home: &Home, name: &str, version: &Requirement) -> Result<usize, (i32, String)> {
    let wanted = version.show();
    if let Err(why) = gems::reach(proc).await {
        let text = format!(
            "ERROR:  Could not find a valid gem '{name}' ({wanted}), here is why:\n          Unable to download data from https://{host}/ - {why} (https://{host}/specs.4.8.gz)\n",
            host = gems::HOST
        );
        return Err((2, text));
    }
    let Some(gem) = gems::gem(name) else {
        return Err((2, format!("ERROR:  Could not find a valid gem '{name}' ({wanted}) in any repository\n")));
    };
    if !version.takes(gem.version) {
        let text = format!(
            "ERROR:  Could not find a valid gem '{name}' ({wanted}) in any repository\nERROR:  Possible alternatives: {name}\n"
        );
        return Err((2, text));
    }
    let installed = home.installed(proc);
    let is_new = |gem: &&Gem| {
        let at_hand = gem.default.is_some() || installed.contains(&(gem.name.to_owned(), gem.version.to_owned()));
        // What is asked for by name is installed again.
        gem.name == name || !at_hand
    };
    let all: Vec<&Gem> = gems::closure([name]).into_iter().filter(is_new).collect();
    if let Some(old) = all.iter().find(|gem| !home.runs(gem)) {
        let text = format!(
            "ERROR:  Error installing {name}:\n\t{} requires Ruby version >= {}. The current ruby version is {}.\n",
            old.name,
            old.ruby.unwrap_or_default(),
            home.ruby()
        );
        return Err((1, text));
    }
    for gem in &all {
        if let Err(why) = home.fetch(proc, gem).await {
            return Err((2, format!("ERROR:  While executing gem ... (Gem::RemoteFetcher::FetchError)\n    {why}\n")));
        }
        let _ = proc.print(format!("Fetching {}.gem\n", gem.full_name())).await;
    }
    for gem in &all {
        if gem.is_native {
            let _ = proc.print("Building native extensions. This could take a while...\n").await;
        }
        if let Err(why) = home.install(proc, gem).await {
            let text = match why.starts_with("While") {
                true => format!("ERROR:  {why}\n"),
                false => format!("ERROR:  Error installing {name}:\n\t{why}"),
            };
            return Err((1, text));
        }
        let _ = proc.print(format!("Successfully installed {}\n", gem.full_name())).await;
    }
    Ok(all.len())
}

async fn uninstall(proc: &Proc, args: &[String]) -> i32 {
    // No question is asked: there is one version, and its programs go with it.
    let known = ["-a", "--all", "-x", "--executables", "-I", "--ignore-dependencies", "-q", "--quiet"];
    let line = match line(args, &known) {
        Ok(line) => line,
        Err(flag) => return refuse(proc, &flag).await,
    };
    let home = home(proc).await;
    for name in &line.names {
        match gems::gem(name).filter(|gem| home.remove(proc, gem)) {
            Some(gem) => drop(proc.print(format!("Successfully uninstalled {}\n", gem.full_name())).await),
            None => drop(proc.print(format!("Gem '{name}' is not installed\n")).await),
        }
    }
    0
}

async fn list(proc: &Proc, args: &[String]) -> i32 {
    let line = match line(args, &["-l", "--local", "-q", "--quiet"]) {
        Ok(line) => line,
        Err(flag) => return refuse(proc, &flag).await,
    };
    let home = home(proc).await;
    let mut versions: std::collections::BTreeMap<String, Vec<String>> = std::collections::BTreeMap::new();
    for (name, version) in home.installed(proc) {
        versions.entry(name).or_default().push(version);
    }
    for (name, version) in gems::defaults() {
        versions.entry(name.to_owned()).or_default().push(format!("default: {version}"));
    }
    let mut text = "\n*** LOCAL GEMS ***\n\n".to_owned();
    for (name, versions) in versions {
        // Names are patterns; as a word they match anywhere.
        if line.names.is_empty() || line.names.iter().any(|wanted| name.contains(wanted.trim_matches(['^', '$']))) {
            text.push_str(&format!("{name} ({})\n", versions.join(", ")));
        }
    }
    i32::from(proc.print(text).await.is_err())
}

async fn environment(proc: &Proc, args: &[String], own_version: &str) -> i32 {
    let home = home(proc).await;
    let text = match args.first().map(String::as_str) {
        Some("gemdir" | "home" | "gemhome") => format!("{}\n", home.dir),
        _ => format!(
            "RubyGems Environment:\n  - RUBYGEMS VERSION: {own_version}\n  - RUBY VERSION: {}\n  - INSTALLATION DIRECTORY: {}\n  - RUBY EXECUTABLE: /usr/local/bin/ruby\n  - EXECUTABLE DIRECTORY: {}/bin\n  - REMOTE SOURCES:\n     - https://{}/\n",
            home.ruby(),
            home.dir,
            home.dir,
            gems::HOST
        ),
    };
    i32::from(proc.print(text).await.is_err())
}
