//! `tree`.

use bstr::BString;

use super::program::{Done, Run, below, number, run, spec, text};
use crate::os::args::{flag, value};
use crate::os::fs::node::Kind;
use crate::os::kernel::Proc;

spec!(
    SPEC,
    "tree",
    "[-adfL level] [directory ...]",
    [flag('a', ""), flag('d', ""), flag('f', ""), value('L', ""), flag('C', ""), flag('n', "")]
);

/// `tree`.
pub async fn main(proc: Proc) -> i32 {
    run(proc, &SPEC, |run| Box::pin(body(run))).await
}

async fn body(run: &mut Run) -> Done {
    let depth = run.args.value('L').map_or(Some(64), |level| number::<usize>(level));
    let Some(depth @ 1..) = depth else {
        run.proc.eprint("tree: Invalid level, must be greater than 0.\n").await;
        return Ok(1);
    };
    let mut roots = run.args.operands.clone();
    if roots.is_empty() {
        roots.push(".".into());
    }
    let (mut dirs, mut files) = (0usize, 0usize);
    for root in roots {
        if run.proc.readdir(&root).is_err() {
            run.put(format!("{root}  [error opening dir]\n")).await?;
            run.status = 2;
            continue;
        }
        run.put(format!("{root}\n")).await?;
        dirs += 1;
        let mut open: Vec<(BString, String, std::vec::IntoIter<BString>)> = Vec::new();
        let names = list(run, &root);
        open.push((root, String::new(), names.into_iter()));
        while let Some((dir, prefix, rest)) = open.last_mut() {
            let Some(name) = rest.next() else {
                open.pop();
                continue;
            };
            let (last, path) = (rest.len() == 0, below(dir, &name));
            let line = format!("{prefix}{}", if last { "└── " } else { "├── " });
            let inner = format!("{prefix}{}", if last { "    " } else { "│\u{a0}\u{a0} " });
            let shown = if run.args.has('f') { path.clone() } else { name };
            let kind = run.proc.lstat(&path).map(|stat| stat.kind);
            let target = run.proc.readlink(&path).map(|t| format!(" -> {}", text(&t))).unwrap_or_default();
            run.put(format!("{line}{}{target}\n", text(&shown))).await?;
            run.proc.tick().await;
            if kind == Ok(Kind::Dir) {
                dirs += 1;
                if open.len() < depth {
                    let names = list(run, &path);
                    open.push((path, inner, names.into_iter()));
                }
            } else {
                files += 1;
            }
        }
    }
    let plural = |n: usize, one: &str, many: &str| format!("{n} {}", if n == 1 { one } else { many });
    // Version 2 counts the root too.
    let dirs = plural(dirs, "directory", "directories");
    let files = if run.args.has('d') { String::new() } else { format!(", {}", plural(files, "file", "files")) };
    run.put(format!("\n{dirs}{files}\n")).await?;
    Ok(0)
}

fn list(run: &Run, dir: &[u8]) -> Vec<BString> {
    let entries = run.proc.readdir(dir).unwrap_or_default().into_iter();
    let wanted = entries.map(|entry| entry.name).filter(|name| run.args.has('a') || !name.starts_with(b"."));
    wanted
        .filter(|name| !run.args.has('d') || run.proc.lstat(&below(dir, name)).is_ok_and(|s| s.kind == Kind::Dir))
        .collect()
}
