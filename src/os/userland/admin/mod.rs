//! The programs of a system's administrator: packages, accounts, certificates, locales.
//!
//! What they install comes from [`super::packages`]; what is installed is what the file system's own databases say, so a
//! container whose `/var/lib/dpkg` is gone has no packages.

mod accounts;
mod adduser;
mod apk;
mod apt_cache;
mod apt_get;
mod apt_mark;
mod certificates;
mod dpkg;
mod dpkg_divert;
mod getent;
mod gosu;
mod locales;
mod shadow;
mod solve;
mod sources;
mod status;
mod unpack;

#[cfg(test)]
mod tests;

use bstr::BString;

use crate::os::args::scan::{Fault, Opt, Syntax, scan};
use crate::os::kernel::process::Status;
use crate::os::kernel::syscall::Waited;
use crate::os::kernel::{Proc, Programs};

type Main = fn(Proc) -> crate::os::kernel::Task;

/// A row of the table: a name and its code.
macro_rules! programs {
    ($($name:literal => $main:path),* $(,)?) => {
        &[$(($name, |proc| Box::pin($main(proc)))),*]
    };
}

const TABLE: &[(&str, Main)] = programs! {
    "addgroup" => adduser::addgroup,
    "adduser" => adduser::adduser,
    "apk" => apk::main,
    "apt" => apt_get::apt,
    "apt-cache" => apt_cache::main,
    "apt-get" => apt_get::main,
    "apt-key" => apt_mark::apt_key,
    "apt-mark" => apt_mark::main,
    "delgroup" => adduser::delgroup,
    "deluser" => adduser::deluser,
    "dpkg" => dpkg::main,
    "dpkg-divert" => dpkg_divert::main,
    "dpkg-query" => dpkg::query,
    "getent" => getent::main,
    "gosu" => gosu::main,
    "groupadd" => shadow::groupadd,
    "groupdel" => shadow::groupdel,
    "locale-gen" => locales::locale_gen,
    "localedef" => locales::localedef,
    "su-exec" => gosu::main,
    "update-ca-certificates" => certificates::main,
    "useradd" => shadow::useradd,
    "userdel" => shadow::userdel,
    "usermod" => shadow::usermod,
};

/// Enters these programs into the kernel's table.
pub fn register(programs: &mut Programs) {
    for (name, main) in TABLE {
        programs.add(name, *main);
    }
}

/// The names of these programs, in order.
pub fn names() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|row| row.0)
}

/// A command line: the options given, and the operands.
struct Line {
    options: Vec<(Opt, Option<String>)>,
    operands: Vec<String>,
}

impl Line {
    /// Reads a process's arguments by a table of options.
    fn read(table: &'static [Opt], args: &[BString]) -> Result<Self, Fault> {
        let words = scan(table, Syntax::default(), args.get(1..).unwrap_or_default(), &|_, _| Ok(()))?;
        let text = |word: &BString| String::from_utf8_lossy(word).into_owned();
        let options = words.occurrences.iter().filter_map(|found| {
            let option = table.get(found.index)?;
            Some((*option, found.value.as_ref().map(text)))
        });
        Ok(Self { options: options.collect(), operands: words.operands.iter().map(text).collect() })
    }

    /// Whether an option was given, by its long name or its letter.
    fn has(&self, name: &str) -> bool {
        self.count(name) > 0
    }

    fn count(&self, name: &str) -> usize {
        self.options.iter().filter(|(option, _)| is_named(option, name)).count()
    }

    fn value(&self, name: &str) -> Option<&str> {
        self.options.iter().rev().find(|(option, _)| is_named(option, name)).and_then(|(_, value)| value.as_deref())
    }
}

fn is_named(option: &Opt, name: &str) -> bool {
    option.long == name || (name.chars().count() == 1 && name.starts_with(option.short))
}

/// What a faulty command line has wrong, in getopt's words.
fn fault_text(fault: &Fault) -> String {
    let first = |cluster: &BString| cluster.first().map_or(' ', |byte| char::from(*byte));
    match fault {
        Fault::UnknownShort(cluster) => format!("invalid option -- '{}'", first(cluster)),
        Fault::ShortNeedsValue(cluster) => format!("option requires an argument -- '{}'", first(cluster)),
        Fault::LongNeedsValue(name) => format!("option '--{name}' requires an argument"),
        Fault::TakesNoValue(name) => format!("option '--{name}' doesn't allow an argument"),
        Fault::Ambiguous(name, _) => format!("option '--{name}' is ambiguous"),
        Fault::UnknownLong(name) | Fault::BadSyntax(name) | Fault::Invalid(_, name, _) => {
            format!("unrecognized option '--{name}'")
        }
    }
}

/// Runs another program and waits for it; 127 when there is no such program.
async fn run(proc: &Proc, words: &[&str]) -> i32 {
    let args: Vec<BString> = words.iter().map(|word| BString::from(*word)).collect();
    let child = proc.fork(move |child| {
        Box::pin(async move {
            let name = args.first().cloned().unwrap_or_default();
            let Ok(path) = child.search(name.as_ref()) else { return 127 };
            let env = child.env();
            child.exec(&path, args, env).await.unwrap_or(126)
        })
    });
    let Ok(child) = child else { return 126 };
    loop {
        match proc.wait(Some(child), false).await {
            Ok(Waited::Ended(_, status)) => return status.code(),
            Ok(Waited::Stopped(..)) => {}
            Err(crate::base::errno::Errno::EINTR) => proc.tick().await,
            Err(_) => return Status::Exited(126).code(),
        }
    }
}

/// The text of a file; empty when there is none.
async fn text_of(proc: &Proc, path: &str) -> String {
    let content = proc.read_file(path.as_bytes()).await.unwrap_or_default();
    String::from_utf8_lossy(&content.head(8 << 20)).into_owned()
}

/// Makes a directory and those above it, as far as they are missing.
fn make_dirs(proc: &Proc, path: &str) {
    for (at, _) in path.match_indices('/').skip(1) {
        let _ = proc.mkdir(path.get(..at).unwrap_or_default().as_bytes(), 0o755);
    }
    let _ = proc.mkdir(path.as_bytes(), 0o755);
}
