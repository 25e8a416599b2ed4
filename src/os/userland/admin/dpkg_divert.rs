//! `dpkg-divert`: moves a package's file aside so that another can take its place.

use super::{Line, fault_text, text_of};
use crate::base::rope::Rope;
use crate::os::args::scan::Opt;
use crate::os::args::{long_flag, long_value};
use crate::os::kernel::Proc;

const DIVERSIONS: &str = "/var/lib/dpkg/diversions";
const OPTIONS: &[Opt] = &[
    long_flag("add"),
    long_flag("remove"),
    long_flag("list"),
    long_flag("local"),
    long_flag("rename"),
    long_flag("no-rename"),
    long_flag("quiet"),
    long_value("divert"),
    long_value("package"),
];

/// `dpkg-divert`.
pub async fn main(proc: Proc) -> i32 {
    let line = match Line::read(OPTIONS, &proc.args()) {
        Ok(line) => line,
        Err(fault) => {
            proc.eprint(format!("dpkg-divert: error: {}\n", fault_text(&fault))).await;
            return 2;
        }
    };
    let text = text_of(&proc, DIVERSIONS).await;
    let lines: Vec<&str> = text.lines().collect();
    let owner =
        |package: &str| if package == ":" { "local diversion".to_owned() } else { format!("diversion by {package}") };
    if line.has("list") {
        let rows = lines.chunks_exact(3).map(|row| match row {
            [path, to, package] => format!("{} of {path} to {to}\n", owner(package)),
            _ => String::new(),
        });
        return i32::from(proc.print(rows.collect::<String>()).await.is_err());
    }
    let Some(path) = line.operands.first() else {
        proc.eprint("dpkg-divert: error: --add needs a single argument\n").await;
        return 2;
    };
    let to = line.value("divert").map_or_else(|| format!("{path}.distrib"), str::to_owned);
    let package = line.value("package").unwrap_or(":");
    let mut rows: Vec<Vec<&str>> = lines.chunks_exact(3).map(<[&str]>::to_vec).collect();
    let (from, target, verb) = if line.has("remove") {
        rows.retain(|row| row.first() != Some(&path.as_str()));
        (to.as_str(), path.as_str(), "Removing")
    } else {
        rows.push(vec![path, &to, package]);
        (path.as_str(), to.as_str(), "Adding")
    };
    let text: String = rows.iter().flatten().fold(String::new(), |text, line| text + line + "\n");
    if let Err(error) = proc.write_file(DIVERSIONS.as_bytes(), &Rope::from(text.as_str())).await {
        proc.eprint(format!("dpkg-divert: error: unable to write {DIVERSIONS}: {}\n", error.strerror())).await;
        return 2;
    }
    if line.has("rename")
        && proc.lstat(from.as_bytes()).is_ok()
        && let Err(error) = proc.rename(from.as_bytes(), target.as_bytes())
    {
        proc.eprint(format!("dpkg-divert: error: rename: {from}: {}\n", error.strerror())).await;
        return 2;
    }
    let said = format!("{verb} '{} of {path} to {to}'\n", owner(package));
    i32::from(!line.has("quiet") && proc.print(said).await.is_err())
}
