//! `dpkg` and `dpkg-query`: what is installed, which files it brought, whose a file is; removal.

use std::fmt::Write as _;

use super::apt_cache::fits;
use super::status::{Database, INFO, Stanza, count_files};
use super::unpack;
use super::{Line, fault_text, text_of};
use crate::os::args::scan::Opt;
use crate::os::args::{flag, long_flag, long_value, value};
use crate::os::kernel::Proc;

const OPTIONS: &[Opt] = &[
    flag('l', "list"),
    flag('L', "listfiles"),
    flag('S', "search"),
    flag('s', "status"),
    flag('W', "show"),
    flag('p', "print-avail"),
    flag('r', "remove"),
    flag('P', "purge"),
    flag('i', "install"),
    flag('a', "pending"),
    flag('C', "audit"),
    value('f', "showformat"),
    long_flag("configure"),
    long_flag("unpack"),
    long_flag("get-selections"),
    long_flag("print-architecture"),
    long_flag("print-foreign-architectures"),
    long_flag("compare-versions"),
    long_flag("version"),
    long_flag("help"),
    long_flag("force-all"),
    long_flag("no-pager"),
    long_value("add-architecture"),
    long_value("force-depends"),
];

/// `dpkg`.
pub async fn main(proc: Proc) -> i32 {
    start(proc, "dpkg").await
}

/// `dpkg-query`.
pub async fn query(proc: Proc) -> i32 {
    start(proc, "dpkg-query").await
}

async fn start(proc: Proc, name: &'static str) -> i32 {
    let line = match Line::read(OPTIONS, &proc.args()) {
        Ok(line) => line,
        Err(fault) => {
            let text = fault_text(&fault).replace("unrecognized option '", "unknown option ").replace('\'', "");
            return fail(&proc, name, &text).await;
        }
    };
    let database = Database::load(&proc).await;
    let words = &line.operands;
    if line.has("print-architecture") {
        return i32::from(proc.print("amd64\n").await.is_err());
    }
    if line.has("version") {
        let version = database.get("dpkg").map_or("1.20.9", Stanza::version);
        let text = format!(
            "Debian 'dpkg' package management program version {version} (amd64).\nThis is free software; see the GNU General \
             Public License version 2 or\nlater for copying conditions. There is NO warranty.\n"
        );
        return i32::from(proc.print(text).await.is_err());
    }
    if line.has("compare-versions") {
        return compare(words);
    }
    if line.has("list") {
        return list(&proc, &database, words).await;
    }
    if line.has("listfiles") {
        return files(&proc, &database, words).await;
    }
    if line.has("search") {
        return owners(&proc, words).await;
    }
    if line.has("status") || line.has("print-avail") {
        return status(&proc, &database, words, name).await;
    }
    if line.has("show") {
        return show(&proc, &database, words, line.value("showformat")).await;
    }
    if line.has("get-selections") {
        let text: String = database.installed().fold(String::new(), |mut text, stanza| {
            let name = stanza.info_name();
            let tabs = "\t".repeat((48usize.saturating_sub(name.len())).div_ceil(8).max(1));
            let _ = writeln!(text, "{name}{tabs}install");
            text
        });
        return i32::from(proc.print(text).await.is_err());
    }
    if line.has("configure") {
        // Nothing is ever left half configured.
        return 0;
    }
    if line.has("remove") || line.has("purge") {
        return remove(&proc, database, words, line.has("purge")).await;
    }
    if line.has("install") || line.has("unpack") {
        let Some(path) = words.first() else {
            return fail(&proc, name, "--install needs at least one package archive file argument").await;
        };
        if proc.stat(path.as_bytes()).is_err() {
            proc.eprint(format!("dpkg: error: cannot access archive '{path}': No such file or directory\n")).await;
            return 2;
        }
        return fail(&proc, name, &format!("installing from an archive is not simulated: {path}")).await;
    }
    fail(&proc, name, "need an action option").await
}

async fn fail(proc: &Proc, name: &str, message: &str) -> i32 {
    proc.eprint(format!(
        "{name}: error: {message}\n\nType {name} --help for help about installing and deinstalling packages.\n"
    ))
    .await;
    2
}

fn compare(words: &[String]) -> i32 {
    let [a, operator, b] = words else { return 2 };
    let order = crate::os::userland::packages::compare_versions(a, b);
    let holds = match operator.as_str() {
        "lt" | "<<" => order.is_lt(),
        "le" | "<=" => order.is_le(),
        "eq" | "=" => order.is_eq(),
        "ne" => order.is_ne(),
        "ge" | ">=" => order.is_ge(),
        "gt" | ">>" => order.is_gt(),
        _ => return 2,
    };
    i32::from(!holds)
}

/// The known packages that fit one of the patterns; all when there are none.
fn chosen<'a>(database: &'a Database, patterns: &[String]) -> Vec<&'a Stanza> {
    let fit = |stanza: &&Stanza| {
        patterns.is_empty()
            || patterns.iter().any(|pattern| fits(pattern, stanza.name()) || fits(pattern, &stanza.info_name()))
    };
    database.stanzas.values().filter(fit).collect()
}

/// `dpkg -l`: columns as wide as the widest entry.
async fn list(proc: &Proc, database: &Database, patterns: &[String]) -> i32 {
    let rows = chosen(database, patterns);
    if rows.is_empty() {
        for pattern in patterns {
            proc.eprint(format!("dpkg-query: no packages found matching {pattern}\n")).await;
        }
        return i32::from(!patterns.is_empty());
    }
    let width =
        |least: usize, text: &dyn Fn(&Stanza) -> usize| rows.iter().map(|row| text(row)).max().unwrap_or(0).max(least);
    let names = width(4, &|row| row.info_name().len());
    let versions = width(7, &|row| row.version().len());
    let arches = width(12, &|row| row.architecture().len());
    let texts = width(11, &|row| row.field("Description").unwrap_or_default().chars().count());
    let rule = |count: usize| "=".repeat(count);
    let mut out = format!(
        "Desired=Unknown/Install/Remove/Purge/Hold\n\
         | Status=Not/Inst/Conf-files/Unpacked/halF-conf/Half-inst/trig-aWait/Trig-pend\n\
         |/ Err?=(none)/Reinst-required (Status,Err: uppercase=bad)\n\
         ||/ {:names$} {:versions$} {:arches$} Description\n+++-{}-{}-{}-{}\n",
        "Name",
        "Version",
        "Architecture",
        rule(names),
        rule(versions),
        rule(arches),
        rule(texts)
    );
    for row in rows {
        let _ = writeln!(
            out,
            "{}  {:names$} {:versions$} {:arches$} {}",
            row.letters(),
            row.info_name(),
            row.version(),
            row.architecture(),
            row.field("Description").unwrap_or_default()
        );
    }
    i32::from(proc.print(out).await.is_err())
}

async fn files(proc: &Proc, database: &Database, names: &[String]) -> i32 {
    let mut status = 0;
    for name in names {
        match database.stanzas.get(name.split(':').next().unwrap_or_default()) {
            Some(stanza) => {
                let text = text_of(proc, &format!("{INFO}/{}.list", stanza.info_name())).await;
                let _ = proc.print(text).await;
            }
            None => {
                proc.eprint(format!(
                    "dpkg-query: package '{name}' is not installed\nUse dpkg --contents (= dpkg-deb --contents) to list archive files contents.\n"
                ))
                .await;
                status = 1;
            }
        }
    }
    status
}

/// `dpkg -S`: a word with a slash at its start is a whole path, another any part of one.
async fn owners(proc: &Proc, patterns: &[String]) -> i32 {
    let mut lists = Vec::new();
    for entry in proc.readdir(INFO.as_bytes()).unwrap_or_default() {
        let name = entry.name.to_string();
        if let Some(package) = name.strip_suffix(".list") {
            lists.push((package.to_owned(), text_of(proc, &format!("{INFO}/{name}")).await));
        }
    }
    let mut status = 0;
    for pattern in patterns {
        let mut found: std::collections::BTreeMap<&str, Vec<&str>> = std::collections::BTreeMap::new();
        for (package, list) in &lists {
            for path in list.lines() {
                let hit = if pattern.starts_with('/') { fits(pattern, path) } else { path.contains(pattern.as_str()) };
                if hit {
                    found.entry(path).or_default().push(package);
                }
            }
        }
        if found.is_empty() {
            proc.eprint(format!("dpkg-query: no path found matching pattern {pattern}\n")).await;
            status = 1;
        }
        let text =
            found.iter().fold(String::new(), |text, (path, packages)| text + &packages.join(", ") + ": " + path + "\n");
        let _ = proc.print(text).await;
    }
    status
}

async fn status(proc: &Proc, database: &Database, names: &[String], program: &str) -> i32 {
    let mut status = 0;
    for name in names {
        match database.stanzas.get(name.split(':').next().unwrap_or_default()) {
            Some(stanza) => {
                let _ = proc.print(format!("{}\n", stanza.0)).await;
            }
            None => {
                proc.eprint(format!(
                    "dpkg-query: package '{name}' is not installed and no information is available\nUse {program} --info (= dpkg-deb --info) to examine archive files.\n"
                ))
                .await;
                status = 1;
            }
        }
    }
    status
}

async fn show(proc: &Proc, database: &Database, patterns: &[String], format: Option<&str>) -> i32 {
    let format = format.unwrap_or("${binary:Package}\\t${Version}\\n");
    let mut status = 0;
    for pattern in patterns {
        if chosen(database, std::slice::from_ref(pattern)).is_empty() {
            proc.eprint(format!("dpkg-query: no packages found matching {pattern}\n")).await;
            status = 1;
        }
    }
    let rows = if patterns.is_empty() || status == 0 { chosen(database, patterns) } else { Vec::new() };
    let text: String = rows.into_iter().map(|stanza| filled(format, stanza)).collect();
    let _ = proc.print(text).await;
    status
}

/// A format with `${Field}` and backslashes, filled in for a package.
fn filled(format: &str, stanza: &Stanza) -> String {
    let mut out = String::new();
    let mut rest = format;
    while let Some((before, after)) = rest.split_once("${") {
        out.push_str(before);
        let (field, after) = after.split_once('}').unwrap_or((after, ""));
        let (field, width) = field.split_once(';').unwrap_or((field, "0"));
        let value = match field {
            "binary:Package" => stanza.info_name(),
            "binary:Summary" => stanza.field("Description").unwrap_or_default().to_owned(),
            "db:Status-Abbrev" => format!("{} ", stanza.letters()),
            "db:Status-Status" => {
                stanza.field("Status").and_then(|s| s.rsplit(' ').next()).unwrap_or_default().to_owned()
            }
            field => stanza.field(field).unwrap_or_default().to_owned(),
        };
        match width.parse::<isize>() {
            Ok(width) if width < 0 => {
                let _ = write!(out, "{value:<0$}", width.unsigned_abs().min(4096));
            }
            Ok(width) => {
                let _ = write!(out, "{value:>0$}", width.unsigned_abs().min(4096));
            }
            Err(_) => out.push_str(&value),
        }
        rest = after;
    }
    out.push_str(rest);
    out.replace("\\n", "\n").replace("\\t", "\t")
}

async fn remove(proc: &Proc, mut database: Database, names: &[String], purge: bool) -> i32 {
    if proc.cred().uid != 0 {
        proc.eprint("dpkg: error: requested operation requires superuser privilege\n").await;
        return 2;
    }
    let count = count_files(proc).await;
    let mut status = 0;
    for (index, name) in names.iter().enumerate() {
        let Some(stanza) = database.stanzas.get(name).cloned() else {
            proc.eprint(format!("dpkg: warning: ignoring request to remove {name} which isn't installed\n")).await;
            continue;
        };
        let needs =
            |other: &&Stanza| !names.contains(&other.name().to_owned()) && other.depends().any(|needed| needed == name);
        let dependants: Vec<&str> = database.installed().filter(needs).map(Stanza::name).collect();
        if !dependants.is_empty() {
            let text: String = dependants.iter().map(|other| format!(" {other} depends on {name}.\n")).collect();
            proc.eprint(format!(
                "dpkg: dependency problems prevent removal of {name}:\n{text}\ndpkg: error processing package {name} (--remove):\n \
                 dependency problems - not removing\nErrors were encountered while processing:\n {name}\n"
            ))
            .await;
            status = 1;
            continue;
        }
        if index == 0 {
            let text = format!("(Reading database ... {count} files and directories currently installed.)\n");
            let _ = proc.print(text).await;
        }
        let _ = proc.print(format!("Removing {} ({}) ...\n", stanza.info_name(), stanza.version())).await;
        unpack::remove(proc, &stanza.info_name(), purge).await;
        if proc.stat(format!("{INFO}/{}.list", stanza.info_name()).as_bytes()).is_ok() {
            database.keep_configuration(name);
        } else {
            database.stanzas.remove(name);
        }
    }
    if database.save(proc).await.is_err() {
        status = 2;
    }
    status
}
