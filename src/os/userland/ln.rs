//! `ln`.

use bstr::BString;

use super::program::{Done, Run, below, quoted, run, spec, trimmed};
use crate::base::path;
use crate::os::args::{flag, value};
use crate::os::kernel::Proc;

spec!(
    SPEC,
    "ln",
    "[OPTION]... TARGET LINK_NAME",
    [
        flag('f', "force"),
        flag('n', "no-dereference"),
        flag('r', "relative"),
        flag('s', "symbolic"),
        flag('T', "no-target-directory"),
        flag('v', "verbose"),
        value('t', "target-directory"),
    ]
);

/// `ln`.
pub async fn main(proc: Proc) -> i32 {
    run(proc, &SPEC, |run| Box::pin(body(run))).await
}

async fn body(run: &mut Run) -> Done {
    let mut targets = run.args.operands.clone();
    let has = |letter: char| run.args.has(letter);
    let (symbolic, force, verbose) = (has('s'), has('f'), has('v'));
    let place: BString = match run.args.value('t').map(ToOwned::to_owned) {
        Some(dir) => dir,
        None if targets.is_empty() => return Ok(run.missing("missing file operand").await),
        None if targets.len() == 1 => ".".into(),
        None => targets.pop().unwrap_or_default(),
    };
    let stat = if has('n') { run.proc.lstat(&place) } else { run.proc.stat(&place) };
    let into = stat.is_ok_and(|s| s.is_dir()) && !has('T');
    if targets.len() > 1 && !into {
        run.complain(format!("target {}: No such file or directory", quoted(&place))).await;
        return Ok(1);
    }
    for target in targets {
        let link = if into { below(&place, path::file_name(trimmed(&target))) } else { place.clone() };
        if !symbolic && run.proc.lstat(&target).is_ok_and(|s| s.is_dir()) {
            let text = if run.is_busybox() { "Operation not permitted" } else { "hard link not allowed for directory" };
            let text = if run.is_busybox() { format!("{link}: {text}") } else { format!("{target}: {text}") };
            run.complain(text).await;
            continue;
        }
        if !symbolic && let Err(error) = run.proc.lstat(&target) {
            run.complain_of("failed to access", &target, error).await;
            continue;
        }
        if force && run.proc.lstat(&link).is_ok_and(|s| !s.is_dir()) {
            let _ = run.proc.unlink(&link);
        }
        let text = if run.args.has('r') { relative(run, &target, &link) } else { target.clone() };
        let made = if symbolic { run.proc.symlink(&text, &link) } else { run.proc.link(&target, &link) };
        match made {
            Ok(()) if verbose => {
                let arrow = if symbolic { "->" } else { "=>" };
                run.put(format!("{} {arrow} {}\n", quoted(&link), quoted(&text))).await?;
            }
            Ok(()) => {}
            Err(error) if run.is_busybox() => run.complain_path(&link, error).await,
            Err(error) if symbolic => run.complain_of("failed to create symbolic link", &link, error).await,
            Err(error) => run.complain_of("failed to create hard link", &link, error).await,
        }
    }
    Ok(0)
}

fn relative(run: &Run, target: &[u8], link: &[u8]) -> BString {
    let absolute = |p: &[u8]| path::normalize(&path::join(&run.proc.cwd(), p));
    let (to, from) = (absolute(target), absolute(path::parent(link)));
    let parts = |p: &BString| -> Vec<BString> { path::components(p).map(ToOwned::to_owned).collect() };
    let (to, from) = (parts(&to), parts(&from));
    let common = to.iter().zip(&from).take_while(|(a, b)| a == b).count();
    let mut out: Vec<&[u8]> = from.iter().skip(common).map(|_| b"..".as_slice()).collect();
    out.extend(to.iter().skip(common).map(|name| name.as_slice()));
    if out.is_empty() { ".".into() } else { out.join(b"/".as_slice()).into() }
}
