//! `env` and `printenv`.

use bstr::{BString, ByteSlice};

use super::program::{Done, Run, quoted, run, spec};
use crate::base::errno::Errno;
use crate::os::args::{flag, value};
use crate::os::kernel::Proc;

spec!(
    SPEC,
    "env",
    "[OPTION]... [-] [NAME=VALUE]... [COMMAND [ARG]...]",
    [flag('i', "ignore-environment"), flag('0', "null"), value('u', "unset"), value('C', "chdir")],
    stop_at_operand: true,
    usage_status: 125,
);
spec!(PRINTENV, "printenv", "[OPTION]... [VARIABLE]...", [flag('0', "null")], usage_status: 2);

/// `env`.
pub async fn main(proc: Proc) -> i32 {
    run(proc, &SPEC, |run| Box::pin(body(run))).await
}

/// `printenv`.
pub async fn printenv(proc: Proc) -> i32 {
    run(proc, &PRINTENV, |run| Box::pin(print_body(run))).await
}

async fn body(run: &mut Run) -> Done {
    let mut env = if run.args.has('i') { Vec::new() } else { run.proc.env() };
    let name_of = |entry: &BString| entry.split_once_str("=").map_or(entry.to_vec(), |(name, _)| name.to_vec());
    for name in run.args.values('u') {
        env.retain(|entry| name_of(entry) != name.as_bytes());
    }
    let mut words = run.args.operands.clone().into_iter().peekable();
    if words.peek().is_some_and(|word| word == "-") {
        words.next();
        env.clear();
    }
    while let Some(word) = words.peek()
        && word.contains(&b'=')
    {
        let name = name_of(word);
        let word = word.clone();
        words.next();
        match env.iter_mut().find(|entry| name_of(entry) == name) {
            Some(entry) => *entry = word,
            None => env.push(word),
        }
    }
    if let Some(dir) = run.args.value('C').map(ToOwned::to_owned)
        && let Err(error) = run.proc.chdir(&dir)
    {
        run.complain_of("cannot change directory to", &dir, error).await;
        return Ok(125);
    }
    let command: Vec<BString> = words.collect();
    let Some(program) = command.first().cloned() else {
        let end: &[u8] = if run.args.has('0') { b"\0" } else { b"\n" };
        for entry in env {
            run.put([entry.as_slice(), end].concat()).await?;
        }
        return Ok(0);
    };
    run.proc.set_env(env.clone());
    let started = match run.proc.search(program.as_ref()) {
        Ok(path) => run.proc.exec(&path, command, env).await,
        Err(error) => Err(error),
    };
    match started {
        Ok(status) => Ok(status),
        Err(error) => {
            let shown =
                if run.is_busybox() { format!("can't execute '{program}'") } else { quoted(&program).to_string() };
            run.complain(format!("{shown}: {}", error.strerror())).await;
            Ok(if error == Errno::ENOENT { 127 } else { 126 })
        }
    }
}

async fn print_body(run: &mut Run) -> Done {
    let end: &[u8] = if run.args.has('0') { b"\0" } else { b"\n" };
    let env = run.proc.env();
    if run.args.operands.is_empty() {
        for entry in env {
            run.put([entry.as_slice(), end].concat()).await?;
        }
        return Ok(0);
    }
    for name in run.args.operands.clone() {
        let prefix = [name.as_slice(), b"="].concat();
        match env.iter().find_map(|entry| entry.strip_prefix(prefix.as_slice())) {
            Some(value) => run.put([value, end].concat()).await?,
            None => run.status = 1,
        }
    }
    Ok(0)
}
