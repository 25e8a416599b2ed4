//! `cp`.

use super::copy::{Options, copy, destinations};
use super::program::{Done, Run, run, spec};
use crate::os::args::{flag, long_optional, value};
use crate::os::kernel::Proc;

spec!(
    SPEC,
    "cp",
    "[OPTION]... SOURCE... DEST",
    [
        flag('a', "archive"),
        flag('d', ""),
        flag('f', "force"),
        flag('i', "interactive"),
        flag('l', "link"),
        flag('L', "dereference"),
        flag('n', "no-clobber"),
        flag('P', "no-dereference"),
        flag('p', ""),
        flag('r', "recursive"),
        flag('R', ""),
        flag('s', "symbolic-link"),
        flag('T', "no-target-directory"),
        flag('u', "update"),
        flag('v', "verbose"),
        flag('x', "one-file-system"),
        value('t', "target-directory"),
        long_optional("preserve"),
        long_optional("reflink"),
    ]
);

/// `cp`.
pub async fn main(proc: Proc) -> i32 {
    run(proc, &SPEC, |run| Box::pin(body(run))).await
}

async fn body(run: &mut Run) -> Done {
    let has = |letter: char| run.args.has(letter);
    let recursive = has('a') || has('r') || has('R');
    let options = Options {
        recursive,
        preserve: has('a') || has('p') || run.args.has("preserve"),
        xattrs: !run.is_busybox()
            && (has('a')
                || run
                    .args
                    .value("preserve")
                    .is_some_and(|list| list.split(|b| *b == b',').any(|w| w == b"xattr" || w == b"all"))),
        force: has('f'),
        no_clobber: has('n'),
        verbose: has('v'),
        follow: has('L') || !(recursive || has('P') || has('d')),
        update: has('u'),
        link: has('l'),
        symlink: has('s'),
    };
    let into = run.args.value('t').map(ToOwned::to_owned);
    let pairs = match destinations(run, into, run.args.has('T')).await {
        Ok(pairs) => pairs,
        Err(status) => return Ok(status),
    };
    for (from, to) in pairs {
        copy(run, &from, &to, options).await?;
    }
    Ok(0)
}
