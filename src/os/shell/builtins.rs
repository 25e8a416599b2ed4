//! The builtins, as a table. A shell that lacks one does not list it.
//!
//! Those about variables are in `builtins_vars.rs`, those about output in `builtins_print.rs`.

use std::rc::Rc;

use bstr::{BStr, BString, ByteSlice};

use super::builtins_print as print;
use super::builtins_vars as vars;
use super::dialect::Dialect;
use super::shell::{Flow, Later, Run, Shell};
use crate::base::path;
use crate::os::kernel::{Disposition, Signal};

/// A builtin.
pub(super) struct Builtin {
    pub name: &'static str,
    /// POSIX's special builtins: their errors end a script and assignments before them stay.
    pub special: bool,
    /// Only bash has it.
    pub bash: bool,
    pub run: for<'a> fn(&'a mut Shell, &'a [BString]) -> Later<'a, Run>,
}

macro_rules! builtins {
    ($($name:literal $special:literal $bash:literal $run:path;)+) => {
        /// All builtins, sorted by name.
        pub(super) const TABLE: &[Builtin] = &[
            $(Builtin { name: $name, special: $special, bash: $bash, run: |s, a| Box::pin($run(s, a)) },)+
        ];
    };
}

builtins! {
    "." true false source;
    ":" true false yes;
    "[" false false test;
    "alias" false false alias;
    "bg" false false bg;
    "break" true false break_loop;
    "builtin" false true builtin;
    "cd" false false cd;
    "command" false false command;
    "continue" true false continue_loop;
    "declare" false true vars::declare;
    "echo" false false print::echo;
    "eval" true false eval;
    "exec" true false exec;
    "exit" true false exit;
    "export" true false vars::export;
    "false" false false no;
    "fg" false false fg;
    "getopts" false false vars::getopts;
    "hash" false false hash;
    "help" false true help;
    "history" false true history;
    "jobs" false false jobs;
    "kill" false false kill;
    "let" false true vars::let_;
    "local" false false vars::local;
    "logout" false true exit;
    "mapfile" false true vars::mapfile;
    "printf" false false print::printf;
    "pwd" false false pwd;
    "read" false false vars::read;
    "readonly" true false vars::readonly;
    "return" true false return_;
    "set" true false vars::set;
    "shift" true false vars::shift;
    "shopt" false true shopt;
    "source" true true source;
    "test" false false test;
    "times" true false times;
    "trap" true false trap;
    "true" false false yes;
    "type" false false type_;
    "typeset" false true vars::declare;
    "ulimit" false false ulimit;
    "umask" false false umask;
    "unalias" false false unalias;
    "unset" true false vars::unset;
    "wait" false false wait;
}

/// The builtin of a name.
pub(super) fn find(name: &[u8], dialect: Dialect) -> Option<&'static Builtin> {
    let at = TABLE.binary_search_by(|b| b.name.as_bytes().cmp(name)).ok()?;
    TABLE.get(at).filter(|b| {
        !b.bash
            || dialect == Dialect::Bash
            || (dialect == Dialect::Ash
                && b.name != "declare"
                && b.name != "typeset"
                && b.name != "shopt"
                && b.name != "mapfile"
                && b.name != "builtin"
                && b.name != "logout")
    })
}

/// The arguments after the name.
pub(super) fn rest(args: &[BString]) -> &[BString] {
    args.get(1..).unwrap_or_default()
}

pub(super) fn number(text: &[u8]) -> Option<i64> {
    text.to_str().ok()?.trim().parse().ok()
}

async fn yes(_: &mut Shell, _: &[BString]) -> Run {
    Ok(0)
}

async fn no(_: &mut Shell, _: &[BString]) -> Run {
    Ok(1)
}

async fn times(shell: &mut Shell, _: &[BString]) -> Run {
    let _ = shell.proc.print("0m0.000s 0m0.000s\n0m0.000s 0m0.000s\n").await;
    Ok(0)
}

async fn ulimit(shell: &mut Shell, args: &[BString]) -> Run {
    let text = match args.get(1).map(|a| a.as_slice()) {
        Some(b"-n") if args.len() == 2 => {
            let default = if shell.proc.cgroup().is_empty() { 1024 } else { 1_048_576 };
            let limit = shell.proc.limits().files.unwrap_or(default);
            let _ = shell.proc.print(format!("{limit}\n")).await;
            return Ok(0);
        }
        Some(b"-a") if args.len() == 2 => {
            let files =
                shell.proc.limits().files.unwrap_or(if shell.proc.cgroup().is_empty() { 1024 } else { 1_048_576 });
            let files = files.to_string();
            let rows = [
                ("core file size", "(blocks, -c)", "unlimited"),
                ("data seg size", "(kbytes, -d)", "unlimited"),
                ("file size", "(blocks, -f)", "unlimited"),
                ("max memory size", "(kbytes, -m)", "unlimited"),
                ("open files", "(-n)", files.as_str()),
                ("cpu time", "(seconds, -t)", "unlimited"),
                ("max user processes", "(-u)", "unlimited"),
                ("virtual memory", "(kbytes, -v)", "unlimited"),
            ];
            // As bash sets it: names to the left, units up to a fixed column.
            let lines: String = rows
                .iter()
                .map(|(name, unit, limit)| {
                    format!("{name}{unit:>width$} {limit}\n", width = 40usize.saturating_sub(name.len()))
                })
                .collect();
            let _ = shell.proc.print(lines).await;
            return Ok(0);
        }
        None | Some(b"-f" | b"-c" | b"-u" | b"-v" | b"-t" | b"-m" | b"-S" | b"-H") if args.len() < 3 => "unlimited\n",
        _ => return Ok(shell.blame("setting limits is not simulated in Capas").await),
    };
    let _ = shell.proc.print(text).await;
    Ok(0)
}

async fn help(shell: &mut Shell, _: &[BString]) -> Run {
    let mut out = String::from(
        "GNU bash, version 5.2.15(1)-release (x86_64-pc-linux-gnu)\nThese shell commands are defined internally.  Here: the builtins that Capas simulates.\n\n",
    );
    for row in TABLE.iter().filter(|row| find(row.name.as_bytes(), shell.dialect).is_some()) {
        out.push_str(&format!(" {}\n", row.name));
    }
    let _ = shell.proc.print(out).await;
    Ok(0)
}

async fn eval(shell: &mut Shell, args: &[BString]) -> Run {
    let text = BString::from(bstr::join(" ", rest(args)));
    shell.run_text(&text).await
}

async fn source(shell: &mut Shell, args: &[BString]) -> Run {
    let Some(name) = args.get(1) else {
        return Ok(match shell.dialect {
            Dialect::Bash => {
                shell.blame("filename argument required").await;
                shell.complain("usage: . filename [arguments]").await;
                2
            }
            _ => 2,
        });
    };
    let found = if name.contains(&b'/') {
        Some(name.clone())
    } else {
        let in_path = shell.vars.get(b"PATH").and_then(|path| {
            let dirs = path.split_str(":");
            dirs.map(|dir| path::join(if dir.is_empty() { b"." } else { dir }, name))
                .find(|p| shell.proc.stat(p).is_ok_and(|s| s.kind == crate::os::fs::node::Kind::File))
        });
        in_path.or_else(|| (shell.dialect == Dialect::Bash).then(|| name.clone()))
    };
    let content = match &found {
        Some(path) => shell.proc.read_file(path).await,
        None => Err(crate::base::errno::Errno::ENOENT),
    };
    let text = match content {
        Ok(rope) => rope.head(16 << 20),
        Err(error) => {
            return match shell.dialect {
                Dialect::Bash => {
                    shell.complain(format!("{name}: {error}")).await;
                    Ok(1)
                }
                Dialect::Dash => {
                    let what = if found.is_some() {
                        format!("cannot open {name}: No such file")
                    } else {
                        format!("{name}: not found")
                    };
                    shell.blame(what).await;
                    Err(Flow::Abort(if found.is_some() { 2 } else { 127 }))
                }
                Dialect::Ash => {
                    shell.blame(format!("can't open '{name}': {error}")).await;
                    Err(Flow::Abort(2))
                }
            };
        }
    };
    if shell.sources_deep > 20 {
        return Ok(shell.blame("too many nested files").await);
    }
    let before = (args.len() > 2 && shell.dialect == Dialect::Bash)
        .then(|| std::mem::replace(&mut shell.args, args.get(2..).unwrap_or_default().to_vec()));
    let line = std::mem::replace(&mut shell.line, 1);
    shell.sources_deep += 1;
    let run = shell.run_text(&text).await;
    shell.sources_deep -= 1;
    shell.line = line;
    if let Some(before) = before {
        shell.args = before;
    }
    match run {
        Err(Flow::Return(status)) => Ok(status),
        run => run,
    }
}

async fn exec(shell: &mut Shell, args: &[BString]) -> Run {
    let mut args = rest(args);
    if args.first().is_some_and(|a| a == "--") {
        args = rest(args);
    }
    if args.is_empty() {
        return Ok(0);
    }
    let path = args.first().and_then(|name| shell.find_program(name.as_bstr()));
    if path.is_none() {
        let name = args.first().cloned().unwrap_or_default();
        match shell.dialect {
            Dialect::Ash => {
                // In a file lines are counted from one, in an argument from zero.
                let line = shell.line.saturating_sub(u32::from(shell.source != super::shell::Source::Script));
                let own = shell.name.trim_start_with(|c| c == '-').as_bstr();
                shell.proc.eprint(format!("{own}: exec: line {line}: {name}: not found\n")).await;
            }
            _ => drop(shell.blame(format!("{name}: not found")).await),
        }
        return if shell.interactive { Ok(127) } else { Err(Flow::Exit(127)) };
    }
    for signal in [Signal::INT, Signal::QUIT, Signal::TERM, Signal::TSTP, Signal::TTIN, Signal::TTOU] {
        if shell.is_prompting() {
            shell.proc.on_signal(signal, Disposition::Default);
        }
    }
    let env = shell.vars.environment();
    let status = shell.become_program(path, args.to_vec(), env).await;
    Err(Flow::Exit(status))
}

async fn exit(shell: &mut Shell, args: &[BString]) -> Run {
    let status = match args.get(1) {
        None => shell.status,
        Some(text) => match number(text) {
            Some(status) => (status & 0xff) as i32,
            None => {
                match shell.dialect {
                    Dialect::Bash => shell.blame(format!("{text}: numeric argument required")).await,
                    _ => shell.blame(format!("Illegal number: {text}")).await,
                };
                2
            }
        },
    };
    if shell.is_prompting() && shell.dialect == Dialect::Bash && args.first().is_some_and(|a| a == "exit") {
        shell.proc.eprint("exit\n").await;
    }
    Err(Flow::Exit(status))
}

async fn return_(shell: &mut Shell, args: &[BString]) -> Run {
    let status = match args.get(1) {
        None => shell.status,
        Some(text) => number(text).map_or(2, |n| (n & 0xff) as i32),
    };
    if shell.functions_deep == 0 && shell.sources_deep == 0 && shell.dialect == Dialect::Bash {
        shell.blame("can only `return' from a function or sourced script").await;
        return Ok(2);
    }
    Err(Flow::Return(status))
}

async fn loop_count(shell: &mut Shell, args: &[BString]) -> Result<u32, i32> {
    let count = match args.get(1) {
        None => 1,
        Some(text) => match number(text).filter(|n| *n > 0) {
            Some(n) => u32::try_from(n).unwrap_or(u32::MAX),
            None => {
                shell.blame(format!("{text}: loop count out of range")).await;
                return Err(1);
            }
        },
    };
    if shell.loops == 0 {
        if shell.dialect == Dialect::Bash {
            shell.blame("only meaningful in a `for', `while', or `until' loop").await;
        }
        return Err(0);
    }
    Ok(count.min(shell.loops))
}

async fn break_loop(shell: &mut Shell, args: &[BString]) -> Run {
    match loop_count(shell, args).await {
        Ok(count) => Err(Flow::Break(count)),
        Err(status) => Ok(status),
    }
}

async fn continue_loop(shell: &mut Shell, args: &[BString]) -> Run {
    match loop_count(shell, args).await {
        Ok(count) => Err(Flow::Continue(count)),
        Err(status) => Ok(status),
    }
}

async fn test(shell: &mut Shell, args: &[BString]) -> Run {
    let mut operands = rest(args);
    if args.first().is_some_and(|a| a == "[") {
        match operands.split_last() {
            Some((last, others)) if last == "]" => operands = others,
            _ => {
                return Ok(
                    test_fails(shell, if shell.dialect == Dialect::Bash { "missing `]'" } else { "missing ]" }).await
                );
            }
        }
    }
    match super::test::evaluate(shell, operands) {
        Ok(result) => Ok(i32::from(!result)),
        Err(message) => Ok(test_fails(shell, &message).await),
    }
}

/// In ash `test` is busybox's applet, which names the program and not itself (`bb_error_msg`).
async fn test_fails(shell: &Shell, message: &str) -> i32 {
    match shell.dialect {
        Dialect::Ash => shell.proc.eprint(format!("sh: {message}\n")).await,
        _ => drop(shell.blame(message).await),
    }
    2
}

async fn cd(shell: &mut Shell, args: &[BString]) -> Run {
    let mut physical = false;
    let mut operands = rest(args);
    while let Some(option) = operands.first().filter(|a| matches!(a.as_slice(), b"-P" | b"-L" | b"--")) {
        physical = option == "-P";
        operands = rest(operands);
    }
    if operands.len() > 1 && shell.dialect == Dialect::Bash {
        return Ok(shell.blame("too many arguments").await);
    }
    let mut shows = false;
    let target = match operands.first() {
        None => match shell.vars.get(b"HOME").cloned() {
            Some(home) => home,
            None if shell.dialect == Dialect::Bash => return Ok(shell.blame("HOME not set").await),
            None => return Ok(0),
        },
        Some(dash) if dash == "-" => match shell.vars.get(b"OLDPWD").cloned() {
            Some(old) => {
                shows = true;
                old
            }
            None if shell.dialect == Dialect::Bash => return Ok(shell.blame("OLDPWD not set").await),
            None => shell.vars.get(b"PWD").cloned().unwrap_or_default(),
        },
        Some(target) => target.clone(),
    };
    let pwd = shell.vars.get(b"PWD").cloned().unwrap_or_else(|| shell.proc.cwd());
    let mut wanted = target.clone();
    if !path::is_absolute(&target)
        && !target.starts_with(b".")
        && let Some(cdpath) = shell.vars.get(b"CDPATH").cloned()
    {
        for dir in cdpath.split_str(":").filter(|d| !d.is_empty()) {
            let candidate = path::join(dir, &target);
            if shell.proc.stat(&candidate).is_ok_and(|s| s.is_dir()) {
                wanted = candidate;
                shows = true;
                break;
            }
        }
    }
    let logical = path::normalize(&path::join(&pwd, &wanted));
    let destination = if physical || target.is_empty() { wanted } else { logical.clone() };
    if let Err(error) = shell.proc.chdir(if destination.is_empty() { b"." } else { &destination }) {
        let status = match shell.dialect {
            Dialect::Bash => shell.blame(format!("{target}: {error}")).await,
            Dialect::Dash => {
                shell.blame(format!("can't cd to {target}")).await;
                2
            }
            Dialect::Ash => {
                shell.blame(format!("can't cd to {target}: {error}")).await;
                2
            }
        };
        return Ok(status);
    }
    let now = if physical { shell.proc.cwd() } else { logical };
    shell.vars.put(b"OLDPWD", pwd);
    shell.vars.entry(b"OLDPWD").exported = true;
    shell.vars.put(b"PWD", now.clone());
    if shows {
        let _ = shell.proc.print([now.as_slice(), b"\n"].concat()).await;
    }
    Ok(0)
}

async fn pwd(shell: &mut Shell, args: &[BString]) -> Run {
    let physical = args.get(1).is_some_and(|a| a == "-P");
    let cwd =
        if physical { shell.proc.cwd() } else { shell.vars.get(b"PWD").cloned().unwrap_or_else(|| shell.proc.cwd()) };
    print::out(shell, &[cwd.as_slice(), b"\n"].concat()).await
}

async fn umask(shell: &mut Shell, args: &[BString]) -> Run {
    match args.get(1) {
        None => {
            let text = format!("{:04o}\n", shell.proc.umask());
            print::out(shell, text.as_bytes()).await
        }
        Some(symbolic) if symbolic == "-S" => {
            let mask = !shell.proc.umask();
            let part = |shift: u32| {
                let bits = mask >> shift;
                [(4, 'r'), (2, 'w'), (1, 'x')]
                    .iter()
                    .filter(|(b, _)| bits & b != 0)
                    .map(|(_, c)| *c)
                    .collect::<String>()
            };
            let text = format!("u={},g={},o={}\n", part(6), part(3), part(0));
            print::out(shell, text.as_bytes()).await
        }
        Some(text) => match text.to_str().ok().and_then(|t| u32::from_str_radix(t, 8).ok()).filter(|m| *m <= 0o777) {
            Some(mask) => {
                shell.proc.set_umask(mask);
                Ok(0)
            }
            None => Ok(shell.blame(format!("{text}: octal number out of range")).await),
        },
    }
}

async fn alias(shell: &mut Shell, args: &[BString]) -> Run {
    let bash = shell.dialect == Dialect::Bash;
    let line = |name: &BStr, value: &BStr| {
        let value = super::quote::single(value);
        if bash { format!("alias {name}={value}\n") } else { format!("{name}={value}\n") }
    };
    let operands: Vec<&BString> = rest(args).iter().filter(|a| *a != "-p" && *a != "--").collect();
    if operands.is_empty() {
        let out: String = shell.aliases.iter().map(|(n, v)| line(n.as_bstr(), v.as_bstr())).collect();
        return print::out(shell, out.as_bytes()).await;
    }
    let mut status = 0;
    for operand in operands {
        match operand.split_once_str("=") {
            Some((name, value)) if !name.is_empty() => {
                Rc::make_mut(&mut shell.aliases).insert(name.into(), value.into());
            }
            _ => match shell.aliases.get(operand).cloned() {
                Some(value) => {
                    let text = line(operand.as_bstr(), value.as_bstr());
                    status = print::out(shell, text.as_bytes()).await?;
                }
                None => status = shell.blame(format!("{operand}{}not found", if bash { ": " } else { " " })).await,
            },
        }
    }
    Ok(status)
}

async fn unalias(shell: &mut Shell, args: &[BString]) -> Run {
    let mut status = 0;
    for name in rest(args) {
        if name == "-a" {
            Rc::make_mut(&mut shell.aliases).clear();
        } else if Rc::make_mut(&mut shell.aliases).remove(name).is_none() {
            status = shell.blame(format!("{name}: not found")).await;
        }
    }
    Ok(status)
}

async fn builtin(shell: &mut Shell, args: &[BString]) -> Run {
    let args = rest(args);
    let Some(name) = args.first() else { return Ok(0) };
    match find(name, shell.dialect) {
        Some(found) => {
            shell.running = found.name;
            (found.run)(shell, args).await
        }
        None => Ok(shell.blame(format!("{name}: not a shell builtin")).await),
    }
}

/// What a name means, in the order in which it is looked up.
enum Meaning {
    Alias(BString),
    Keyword,
    Function,
    Builtin(bool),
    File(BString, bool),
}

const KEYWORDS: &[&str] =
    &["!", "case", "do", "done", "elif", "else", "esac", "fi", "for", "if", "in", "then", "until", "while", "{", "}"];
const BASH_KEYWORDS: &[&str] = &["[[", "]]", "function", "time", "select", "coproc"];

fn meaning(shell: &Shell, name: &BStr) -> Option<Meaning> {
    if let Some(value) = shell.aliases.get(name).filter(|_| shell.expands_aliases()) {
        return Some(Meaning::Alias(value.clone()));
    }
    let is_keyword = |list: &[&str]| list.iter().any(|k| name == *k);
    if is_keyword(KEYWORDS) || (shell.dialect == Dialect::Bash && is_keyword(BASH_KEYWORDS)) {
        return Some(Meaning::Keyword);
    }
    if shell.functions.contains_key(name) {
        return Some(Meaning::Function);
    }
    if let Some(found) = find(name, shell.dialect) {
        return Some(Meaning::Builtin(found.special));
    }
    if let Some((path, _)) = shell.hashed.get(name) {
        return Some(Meaning::File(path.clone(), true));
    }
    let path = shell.find_program(name)?;
    shell.proc.access(&path, 1).ok()?;
    Some(Meaning::File(path, false))
}

async fn type_(shell: &mut Shell, args: &[BString]) -> Run {
    let mut status = 0;
    let mut out = String::new();
    let (mut kind_only, mut path_only) = (false, false);
    for name in rest(args) {
        match name.as_slice() {
            b"-t" if shell.dialect == Dialect::Bash => kind_only = true,
            b"-p" | b"-P" if shell.dialect == Dialect::Bash => path_only = true,
            b"-a" | b"--" => {}
            _ => {
                let found = meaning(shell, name.as_bstr());
                if kind_only || path_only {
                    match found {
                        Some(Meaning::File(path, _)) if path_only => out.push_str(&format!("{path}\n")),
                        Some(_) if path_only => {}
                        Some(found) => out.push_str(match found {
                            Meaning::Alias(_) => "alias\n",
                            Meaning::Keyword => "keyword\n",
                            Meaning::Function => "function\n",
                            Meaning::Builtin(_) => "builtin\n",
                            Meaning::File(..) => "file\n",
                        }),
                        None => status = 1,
                    }
                    continue;
                }
                let bash = shell.dialect == Dialect::Bash;
                match found {
                    Some(Meaning::Alias(value)) if bash => out.push_str(&format!("{name} is aliased to `{value}'\n")),
                    Some(Meaning::Alias(value)) => out.push_str(&format!("{name} is an alias for {value}\n")),
                    Some(Meaning::Keyword) => out.push_str(&format!("{name} is a shell keyword\n")),
                    Some(Meaning::Function) if bash => out.push_str(&format!("{name} is a function\n")),
                    Some(Meaning::Function) => out.push_str(&format!("{name} is a shell function\n")),
                    Some(Meaning::Builtin(true)) if !bash => {
                        out.push_str(&format!("{name} is a special shell builtin\n"))
                    }
                    Some(Meaning::Builtin(_)) => out.push_str(&format!("{name} is a shell builtin\n")),
                    Some(Meaning::File(path, true)) if bash => out.push_str(&format!("{name} is hashed ({path})\n")),
                    Some(Meaning::File(path, true)) => out.push_str(&format!("{name} is a tracked alias for {path}\n")),
                    Some(Meaning::File(path, false)) => out.push_str(&format!("{name} is {path}\n")),
                    None => {
                        status = if bash { 1 } else { 127 };
                        if bash {
                            shell.blame(format!("{name}: not found")).await;
                        } else {
                            out.push_str(&format!("{name}: not found\n"));
                        }
                    }
                }
            }
        }
    }
    print::out(shell, out.as_bytes()).await?;
    Ok(status)
}

async fn command(shell: &mut Shell, args: &[BString]) -> Run {
    let mut operands = rest(args);
    let (mut short, mut long) = (false, false);
    while let Some(option) = operands.first() {
        match option.as_slice() {
            b"-v" => short = true,
            b"-V" => long = true,
            b"-p" => {}
            b"--" => {
                operands = rest(operands);
                break;
            }
            _ => break,
        }
        operands = rest(operands);
    }
    if long {
        let mut with = vec![BString::from("type")];
        with.extend(operands.iter().cloned());
        return type_(shell, &with).await;
    }
    let Some(name) = operands.first().cloned() else { return Ok(0) };
    if short {
        let Some(found) = meaning(shell, name.as_bstr()) else {
            return Ok(if shell.dialect == Dialect::Bash { 1 } else { 127 });
        };
        let text = match found {
            Meaning::Alias(value) => format!("alias {name}={}\n", super::quote::single(&value)),
            Meaning::File(path, _) => format!("{path}\n"),
            _ => format!("{name}\n"),
        };
        return print::out(shell, text.as_bytes()).await;
    }
    if let Some(found) = find(&name, shell.dialect) {
        shell.running = found.name;
        return match (found.run)(shell, operands).await {
            Err(Flow::Abort(status)) => Ok(status),
            run => run,
        };
    }
    let env = shell.vars.environment();
    let path = shell.find_program(name.as_bstr());
    let with = operands.to_vec();
    let monitor = shell.options.monitor;
    let text = BString::from(bstr::join(" ", operands));
    let forked = shell.fork(monitor.then_some(0), move |mut child| {
        Box::pin(async move { child.become_program(path, with, env).await })
    });
    match forked {
        Ok(pid) => shell.wait_foreground(&[pid], pid, &text).await,
        Err(error) => Ok(shell.blame(format!("fork: {error}")).await),
    }
}

async fn hash(shell: &mut Shell, args: &[BString]) -> Run {
    if args.get(1).is_some_and(|a| a == "-r") {
        shell.hashed.clear();
        return Ok(0);
    }
    if args.len() > 1 {
        for name in rest(args) {
            match shell.find_program(name.as_bstr()) {
                Some(path) => drop(shell.hashed.insert(name.clone(), (path, 0))),
                None => return Ok(shell.blame(format!("{name}: not found")).await),
            }
        }
        return Ok(0);
    }
    let mut out = String::new();
    if shell.hashed.is_empty() {
        if shell.dialect == Dialect::Bash {
            out.push_str("hash: hash table empty\n");
        }
    } else {
        if shell.dialect == Dialect::Bash {
            out.push_str("hits\tcommand\n");
        }
        for (path, hits) in shell.hashed.values() {
            match shell.dialect {
                Dialect::Bash => out.push_str(&format!("{hits:4}\t{path}\n")),
                _ => out.push_str(&format!("{path}\n")),
            }
        }
    }
    print::out(shell, out.as_bytes()).await
}

async fn history(shell: &mut Shell, args: &[BString]) -> Run {
    match args.get(1) {
        Some(clear) if clear == "-c" => {
            shell.history = Rc::default();
            Ok(0)
        }
        count => {
            let all = Rc::clone(&shell.history);
            let wanted = count.and_then(|c| number(c)).and_then(|n| usize::try_from(n).ok()).unwrap_or(all.len());
            let mut out = BString::default();
            for (at, line) in all.iter().enumerate().skip(all.len().saturating_sub(wanted)) {
                out.extend_from_slice(format!("{:5}  {line}\n", at + 1).as_bytes());
            }
            print::out(shell, &out).await
        }
    }
}

async fn jobs(shell: &mut Shell, args: &[BString]) -> Run {
    shell.poll_jobs();
    let mut out = String::new();
    for job in &shell.jobs {
        match args.get(1).map(|a| a.as_slice()) {
            Some(b"-p") => out.push_str(&format!("{}\n", job.group)),
            Some(b"-l") => {
                let line = shell.job_line(job);
                out.push_str(&line.replacen("  ", &format!(" {} ", job.group), 1));
            }
            _ => out.push_str(&shell.job_line(job)),
        }
    }
    shell.jobs.retain(|job| job.ended.is_none());
    print::out(shell, out.as_bytes()).await
}

async fn no_such_job(shell: &mut Shell, spec: &BString) -> i32 {
    let shown = if spec.is_empty() { "current" } else { "" };
    match shell.dialect {
        Dialect::Bash => shell.blame(format!("{spec}{shown}: no such job")).await,
        _ if spec.is_empty() => shell.blame("No current job").await,
        _ => shell.blame(format!("No such job: {spec}")).await,
    }
}

async fn fg(shell: &mut Shell, args: &[BString]) -> Run {
    let spec = args.get(1).cloned().unwrap_or_default();
    shell.poll_jobs();
    if !shell.options.monitor {
        return Ok(shell.blame("no job control").await);
    }
    match shell.find_job(&spec) {
        Some(at) => shell.foreground(at).await,
        None => Ok(no_such_job(shell, &spec).await),
    }
}

async fn bg(shell: &mut Shell, args: &[BString]) -> Run {
    let spec = args.get(1).cloned().unwrap_or_default();
    shell.poll_jobs();
    if !shell.options.monitor {
        return Ok(shell.blame("no job control").await);
    }
    let Some(at) = shell.find_job(&spec) else { return Ok(no_such_job(shell, &spec).await) };
    let Some(job) = shell.jobs.get_mut(at) else { return Ok(1) };
    job.stopped = None;
    let (group, line) = (job.group, format!("[{}]+ {} &\n", job.id, job.text));
    let _ = shell.proc.kill(-i64::from(group), Some(Signal::CONT));
    print::out(shell, line.as_bytes()).await
}

async fn wait(shell: &mut Shell, args: &[BString]) -> Run {
    let specs: Vec<BString> = rest(args).iter().filter(|a| *a != "-n" && *a != "-f").cloned().collect();
    let mut status = 0;
    let targets: Vec<(Option<usize>, u32)> = if specs.is_empty() {
        shell.poll_jobs();
        let running = shell.jobs.iter().filter(|j| j.stopped.is_none());
        running.flat_map(|j| j.pids.iter().map(|pid| (None, *pid))).collect()
    } else {
        let mut all = Vec::new();
        for spec in &specs {
            if spec.starts_with(b"%") {
                match shell.find_job(spec) {
                    Some(at) => {
                        let pids = shell.jobs.get(at).map(|j| j.pids.clone()).unwrap_or_default();
                        if let Some(ended) = shell.jobs.get(at).and_then(|j| j.ended) {
                            status = ended.code();
                        }
                        all.extend(pids.into_iter().map(|pid| (Some(at), pid)));
                    }
                    None => {
                        no_such_job(shell, spec).await;
                        status = 127;
                    }
                }
                continue;
            }
            match number(spec).and_then(|n| u32::try_from(n).ok()) {
                Some(pid) => all.push((shell.jobs.iter().position(|j| j.pids.contains(&pid)), pid)),
                None => {
                    shell.blame(format!("`{spec}': not a pid or valid job spec")).await;
                    status = 1;
                }
            }
        }
        all
    };
    for (_, pid) in targets {
        let known = shell.jobs.iter().find_map(|j| if j.pids.is_empty() && j.group == pid { j.ended } else { None });
        if let Some(ended) = known {
            status = ended.code();
            continue;
        }
        loop {
            match shell.proc.wait(Some(pid), false).await {
                Ok(crate::os::kernel::syscall::Waited::Ended(_, ended)) => {
                    status = ended.code();
                    for job in &mut shell.jobs {
                        if job.pids.contains(&pid) {
                            job.pids.retain(|p| *p != pid);
                            job.ended = Some(ended);
                        }
                    }
                    break;
                }
                Ok(_) => {}
                Err(crate::base::errno::Errno::EINTR) => {
                    // A trapped signal ends `wait` (POSIX).
                    shell.poll_signals().await?;
                    return Ok(128 + 15);
                }
                Err(_) => {
                    if !specs.is_empty() {
                        if shell.dialect == Dialect::Bash {
                            shell.blame(format!("pid {pid} is not a child of this shell")).await;
                        }
                        status = 127;
                    }
                    break;
                }
            }
        }
    }
    if !shell.is_prompting() {
        shell.jobs.retain(|job| !(job.ended.is_some() && job.pids.is_empty()));
    }
    Ok(if specs.is_empty() { 0 } else { status })
}

async fn kill(shell: &mut Shell, args: &[BString]) -> Run {
    let mut operands = rest(args);
    let mut signal = Some(Signal::TERM);
    if let Some(option) = operands.first().filter(|a| a.starts_with(b"-") && a.len() > 1) {
        let name = option.get(1..).unwrap_or_default().to_str_lossy().into_owned();
        operands = rest(operands);
        match name.as_str() {
            "l" | "L" => {
                let mut out = String::new();
                if let Some(code) = operands.first().and_then(|c| number(c)) {
                    let signal = Signal((if code > 128 { code - 128 } else { code } & 0x7f) as u8);
                    out = format!("{}\n", signal.name());
                } else if shell.dialect == Dialect::Bash {
                    for (at, (signal, name, _)) in Signal::ALL.iter().enumerate() {
                        let end = if at % 5 == 4 { "\n" } else { "\t" };
                        out.push_str(&format!("{:2}) SIG{name}{end}", signal.0));
                    }
                    out.push('\n');
                } else {
                    for (_, name, _) in Signal::ALL {
                        out.push_str(&format!("{name}\n"));
                    }
                }
                return print::out(shell, out.as_bytes()).await;
            }
            "-" => {}
            name => {
                let name = if name == "s" || name == "n" {
                    let name = operands.first().map(|n| n.to_str_lossy().into_owned()).unwrap_or_default();
                    operands = rest(operands);
                    name
                } else {
                    name.to_owned()
                };
                match Signal::parse(&name) {
                    Some(Signal(0)) => signal = None,
                    Some(found) => signal = Some(found),
                    None => return Ok(shell.blame(format!("{name}: invalid signal specification")).await),
                }
            }
        }
    }
    if operands.first().is_some_and(|a| a == "--") {
        operands = rest(operands);
    }
    if operands.is_empty() {
        let usage = "usage: kill [-s sigspec | -n signum | -sigspec] pid | jobspec ... or kill -l [sigspec]\n";
        shell
            .proc
            .eprint(if shell.dialect == Dialect::Bash { format!("kill: {usage}") } else { usage.to_owned() })
            .await;
        return Ok(2);
    }
    let mut status = 0;
    for operand in operands {
        let mut continues = false;
        let pid = if operand.starts_with(b"%") {
            match shell.find_job(operand).and_then(|at| shell.jobs.get(at)) {
                Some(job) => {
                    continues = job.stopped.is_some();
                    -i64::from(job.group)
                }
                None => {
                    status = no_such_job(shell, operand).await;
                    continue;
                }
            }
        } else {
            match number(operand) {
                Some(pid) => pid,
                None => {
                    let message = match shell.dialect {
                        Dialect::Bash => format!("{operand}: arguments must be process or job IDs"),
                        _ => format!("Illegal number: {operand}"),
                    };
                    status = shell.blame(message).await;
                    continue;
                }
            }
        };
        if let Err(error) = shell.proc.kill(pid, signal) {
            let message = match shell.dialect {
                Dialect::Bash => format!("({pid}) - {error}"),
                Dialect::Dash => error.to_string(),
                Dialect::Ash => format!("can't kill pid {pid}: {error}"),
            };
            status = shell.blame(message).await;
        } else if continues && signal != Some(Signal::STOP) {
            let _ = shell.proc.kill(pid, Some(Signal::CONT));
        }
    }
    shell.poll_signals().await?;
    Ok(status)
}

async fn trap(shell: &mut Shell, args: &[BString]) -> Run {
    let mut operands = rest(args);
    if operands.first().is_some_and(|a| a == "--") {
        operands = rest(operands);
    }
    if operands.is_empty() || operands.first().is_some_and(|a| a == "-p") {
        let mut out = String::new();
        for (name, command) in &shell.traps {
            let prefix = if shell.dialect == Dialect::Bash && *name != "EXIT" && *name != "ERR" { "SIG" } else { "" };
            out.push_str(&format!("trap -- {} {prefix}{name}\n", super::quote::single(command)));
        }
        return print::out(shell, out.as_bytes()).await;
    }
    if operands.first().is_some_and(|a| a == "-l") {
        return kill(shell, &["kill".into(), "-l".into()]).await;
    }
    let first = operands.first().cloned().unwrap_or_default();
    let resets = first == "-" || (operands.len() == 1) || number(&first).is_some();
    let names =
        if first == "-" || (operands.len() > 1 && number(&first).is_none()) { rest(operands) } else { operands };
    let mut status = 0;
    for name in names {
        let text = name.to_str_lossy();
        let (key, signal) = match text.as_ref() {
            "0" | "EXIT" | "exit" => ("EXIT", None),
            "ERR" | "DEBUG" | "RETURN" if shell.dialect == Dialect::Bash => {
                shell.blame(format!("{text}: this trap is not simulated in Capas")).await;
                status = 1;
                continue;
            }
            other => match Signal::parse(other) {
                Some(signal) => (signal.name(), Some(signal)),
                None => {
                    let message = match shell.dialect {
                        Dialect::Bash => format!("{text}: invalid signal specification"),
                        Dialect::Dash => format!("{text}: bad trap"),
                        Dialect::Ash => format!("{text}: invalid signal specification"),
                    };
                    status = shell.blame(message).await;
                    continue;
                }
            },
        };
        let mut disposition = Disposition::Handle;
        if resets {
            shell.traps.remove(key);
            let ignores =
                matches!(signal, Some(Signal::TERM | Signal::QUIT | Signal::TSTP | Signal::TTIN | Signal::TTOU));
            disposition = match signal {
                Some(Signal::INT) if shell.is_prompting() => Disposition::Handle,
                _ if shell.is_prompting() && ignores => Disposition::Ignore,
                _ => Disposition::Default,
            };
        } else {
            shell.traps.insert(key, first.clone());
            if first.is_empty() {
                disposition = Disposition::Ignore;
            }
        }
        if let Some(signal) = signal {
            shell.proc.on_signal(signal, disposition);
        }
    }
    Ok(status)
}

/// The options of `shopt` that mean something here.
const SHOPT: &[&str] = &["dotglob", "expand_aliases", "nullglob"];

async fn shopt(shell: &mut Shell, args: &[BString]) -> Run {
    let mut set = None;
    let mut status = 0;
    for arg in rest(args) {
        match arg.as_slice() {
            b"-s" => set = Some(true),
            b"-u" => set = Some(false),
            b"-q" => {}
            name => match SHOPT.iter().find(|n| n.as_bytes() == name) {
                Some(name) => match set {
                    Some(true) => drop(Rc::make_mut(&mut shell.shopt).insert(name)),
                    Some(false) => drop(Rc::make_mut(&mut shell.shopt).remove(name)),
                    None => status = i32::from(!shell.shopt.contains(name)),
                },
                // These are on or without effect here; the files that Debian installs set them.
                None if matches!(name, b"checkwinsize" | b"histappend" | b"globstar" | b"cmdhist" | b"extglob") => {}
                None => status = shell.blame(format!("{arg}: invalid shell option name")).await,
            },
        }
    }
    Ok(status)
}
