//! `basename` and `dirname`.

use super::program::{Done, Run, run, spec, trimmed};
use crate::base::path;
use crate::os::args::{flag, value};
use crate::os::kernel::Proc;
use bstr::BString;

spec!(SPEC, "basename", "NAME [SUFFIX]", [flag('a', "multiple"), value('s', "suffix"), flag('z', "zero")]);
spec!(DIRNAME, "dirname", "[OPTION] NAME...", [flag('z', "zero")]);

/// `basename`.
pub async fn main(proc: Proc) -> i32 {
    run(proc, &SPEC, |run| Box::pin(body(run))).await
}

/// `dirname`.
pub async fn dirname(proc: Proc) -> i32 {
    run(proc, &DIRNAME, |run| Box::pin(dir_body(run))).await
}

async fn body(run: &mut Run) -> Done {
    let mut names = run.args.operands.clone();
    let mut suffix = run.args.value('s').map(ToOwned::to_owned);
    if names.is_empty() {
        return Ok(run.missing("missing operand").await);
    }
    if !run.args.has('a') && suffix.is_none() {
        if let Some(extra) = names.get(2) {
            let text = format!("extra operand '{extra}'");
            return Ok(run.usage(text).await);
        }
        suffix = if names.len() > 1 { names.pop() } else { None };
    }
    for name in names {
        let base = path::file_name(trimmed(&name)).to_owned();
        let base = if base.is_empty() && name.starts_with(b"/") { BString::from("/") } else { base };
        let base = match suffix.as_ref().and_then(|s| base.strip_suffix(s.as_slice())) {
            Some(stem) if !stem.is_empty() => stem.to_vec(),
            _ => base.to_vec(),
        };
        run.put([base.as_slice(), b"\n"].concat()).await?;
    }
    Ok(0)
}

async fn dir_body(run: &mut Run) -> Done {
    if run.args.operands.is_empty() {
        return Ok(run.missing("missing operand").await);
    }
    for name in run.args.operands.clone() {
        run.put([path::parent(trimmed(&name)).as_ref(), b"\n".as_slice()].concat()).await?;
    }
    Ok(0)
}
