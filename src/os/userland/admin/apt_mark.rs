//! `apt-mark` (what was asked for and what came as a dependency) and `apt-key`.

use super::apt_cache::fits;
use super::status::Database;
use crate::base::rope::Rope;
use crate::os::kernel::Proc;

/// `apt-mark`.
pub async fn main(proc: Proc) -> i32 {
    let args: Vec<String> = proc.args().iter().skip(1).map(|arg| String::from_utf8_lossy(arg).into_owned()).collect();
    let mut words = args.iter().filter(|arg| !arg.starts_with('-'));
    let operation = words.next().map_or("", String::as_str);
    let names: Vec<&String> = words.collect();
    let mut database = Database::load(&proc).await;
    match operation {
        "showmanual" | "showauto" | "showinstall" => {
            let wanted = |name: &str| match operation {
                "showinstall" => true,
                _ => database.auto.contains(name) == (operation == "showauto"),
            };
            let found: String = database
                .installed()
                .map(super::status::Stanza::name)
                .filter(|name| wanted(name) && (names.is_empty() || names.iter().any(|pattern| fits(pattern, name))))
                .fold(String::new(), |text, name| text + name + "\n");
            i32::from(proc.print(found).await.is_err())
        }
        "showhold" => 0,
        "auto" | "manual" => set(&proc, &mut database, operation, &names).await,
        "hold" | "unhold" => {
            proc.eprint(format!("E: {operation} is not simulated\n")).await;
            100
        }
        "" => {
            let _ = proc.print("Usage: apt-mark [options] {auto|manual} pkg1 [pkg2 ...]\n").await;
            1
        }
        _ => {
            proc.eprint(format!("E: Invalid operation {operation}\n")).await;
            100
        }
    }
}

async fn set(proc: &Proc, database: &mut Database, operation: &str, patterns: &[&String]) -> i32 {
    let installed: Vec<String> = database.installed().map(|stanza| stanza.name().to_owned()).collect();
    let (mut out, mut status) = (String::new(), 0);
    for pattern in patterns {
        // `'.*'` is a regular expression that means all.
        let pattern = if pattern.as_str() == ".*" { "*" } else { pattern.as_str() };
        let mut any = false;
        for name in installed.iter().filter(|name| fits(pattern, name)) {
            any = true;
            let is_auto = operation == "auto";
            let changed = if is_auto { database.auto.insert(name.clone()) } else { database.auto.remove(name) };
            let word = if is_auto { "automatically" } else { "manually" };
            out.push_str(&if changed {
                format!("{name} set to {word} installed.\n")
            } else {
                format!("{name} was already set to {word} installed.\n")
            });
        }
        if !any {
            proc.eprint(format!("E: Unable to locate package {pattern}\n")).await;
            status = 100;
        }
    }
    if status == 0 && database.save_states(proc).await.is_err() {
        proc.eprint("E: Unable to write to /var/lib/apt/extended_states\n").await;
        return 100;
    }
    let _ = proc.print(out).await;
    status
}

/// `apt-key`: keeps a key it is given; key servers are not simulated.
pub async fn apt_key(proc: Proc) -> i32 {
    let args: Vec<String> = proc.args().iter().skip(1).map(|arg| String::from_utf8_lossy(arg).into_owned()).collect();
    proc.eprint("Warning: apt-key is deprecated. Manage keyring files in trusted.gpg.d instead (see apt-key(8)).\n")
        .await;
    match args.first().map(String::as_str) {
        Some("add") => {
            let path = args.get(1).map_or("-", String::as_str);
            let read = if path == "-" { proc.read_all(0).await } else { proc.read_file(path.as_bytes()).await };
            let Ok(key) = read else {
                proc.eprint(format!("gpg: can't open '{path}': No such file or directory\n")).await;
                return 2;
            };
            let mut ring = proc.read_file(b"/etc/apt/trusted.gpg").await.unwrap_or_else(|_| Rope::new());
            ring.push(&key);
            if proc.write_file(b"/etc/apt/trusted.gpg", &ring).await.is_err() {
                return 2;
            }
            let _ = proc.print("OK\n").await;
            0
        }
        Some("list") => 0,
        _ => {
            proc.eprint("E: apt-key can only add and list keys here: key servers are not simulated\n").await;
            1
        }
    }
}
