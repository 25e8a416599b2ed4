//! The shell: grammar, expansion, interpreter, built-ins, line editor.
//!
//! One interpreter is three programs: GNU bash, Debian's dash (`sh`) and busybox's ash. They differ in what they
//! understand and in how they word things ([`dialect::Dialect`]). A shell is a process like any other: subshells,
//! pipelines and substitutions are forks, programs are `exec`ed, files are descriptors. It leaves to the kernel what
//! processes, terminals and signals do, and to others what programs do.

mod arith;
pub mod ast;
mod brace;
mod builtins;
mod builtins_print;
mod builtins_vars;
pub mod complete;
pub mod dialect;
pub mod edit;
mod escape;
mod expand;
mod interactive;
mod jobs;
pub mod parse;
mod parse_command;
mod parse_word;
mod pattern;
mod quote;
mod run;
#[expect(clippy::module_inception, reason = "the shell's own state is the shell")]
mod shell;
mod simple;
mod test;
mod variables;

use std::rc::Rc;

use bstr::{BString, ByteSlice};

use crate::base::errno::Errno;
use crate::base::path;
use crate::os::kernel::{Flavour, Proc, Programs};
use dialect::Dialect;
use shell::{Flow, Run, Shell, Source};

/// Adds the shells to the programs.
pub fn register(programs: &mut Programs) {
    programs.add("bash", |proc| Box::pin(run(proc, Dialect::Bash)));
    for name in ["sh", "dash", "ash"] {
        programs.add(name, |proc| Box::pin(main(proc)));
    }
}

/// Runs a shell; the program's flavour and its name say which.
pub async fn main(proc: Proc) -> i32 {
    let name = proc.args().first().map(|name| path::file_name(name).to_owned()).unwrap_or_default();
    let dialect = match proc.flavour() {
        Flavour::Busybox => Dialect::Ash,
        Flavour::Gnu if name.ends_with(b"bash") => Dialect::Bash,
        Flavour::Gnu => Dialect::Dash,
    };
    run(proc, dialect).await
}

/// Runs a shell of a dialect.
pub async fn run(proc: Proc, dialect: Dialect) -> i32 {
    let args = proc.args();
    let name = args.first().cloned().unwrap_or_else(|| "sh".into());
    let mut shell = Shell::new(proc, dialect, name.clone());
    let (mut command, mut interactive, mut login, mut stdin) = (false, false, name.starts_with(b"-"), false);
    let (mut rc, mut profile) = (true, true);
    let mut at = 1;
    while let Some(arg) = args.get(at) {
        match arg.as_slice() {
            b"--" | b"-" => {
                at += 1;
                break;
            }
            b"--version" if dialect == Dialect::Bash => {
                let text = "GNU bash, version 5.2.15(1)-release (x86_64-pc-linux-gnu)\n";
                let _ = shell.proc.print(text).await;
                return 0;
            }
            b"--norc" => rc = false,
            b"--noprofile" => profile = false,
            b"--login" => login = true,
            b"--posix" | b"--noediting" => {}
            long if long.starts_with(b"--") => {
                shell.proc.eprint(format!("{name}: {arg}: invalid option\n")).await;
                return 2;
            }
            option if option.len() > 1 && matches!(option.first(), Some(b'-' | b'+')) => {
                let mut left = BString::from(vec![option.first().copied().unwrap_or(b'-')]);
                for letter in option.get(1..).unwrap_or_default() {
                    match letter {
                        b'c' => command = true,
                        b'i' => interactive = true,
                        b'l' => login = true,
                        b's' => stdin = true,
                        letter => left.push(*letter),
                    }
                }
                if left.len() > 1 {
                    let mut with = vec![left];
                    with.extend(args.get(at + 1..).unwrap_or_default().iter().cloned());
                    match builtins_vars::set_options(&mut shell, with.get(..2).unwrap_or(&with)) {
                        Ok(used) => at += used.saturating_sub(1),
                        Err(bad) => {
                            let text = match dialect {
                                Dialect::Dash => format!("{name}: 0: Illegal option {bad}\n"),
                                _ => format!("{name}: {bad}: invalid option\n"),
                            };
                            shell.proc.eprint(text).await;
                            return 2;
                        }
                    }
                }
            }
            _ => break,
        }
        at += 1;
    }
    let mut operands = args.get(at..).unwrap_or_default().iter().cloned();
    if command {
        let Some(text) = operands.next() else {
            let text = match dialect {
                Dialect::Bash => format!("{name}: -c: option requires an argument\n"),
                Dialect::Dash => format!("{name}: 0: -c requires an argument\n"),
                Dialect::Ash => format!("{name}: -c requires an argument\n"),
            };
            shell.proc.eprint(text).await;
            return 2;
        };
        shell.source = Source::Text;
        if let Some(name) = operands.next() {
            shell.name = name;
        }
        shell.args = operands.collect();
        if login && profile {
            shell.startup(true, rc).await;
        }
        return shell.run_script(&text).await;
    }
    if !stdin && let Some(file) = operands.next() {
        shell.args = operands.collect();
        return shell.run_file(&file).await;
    }
    shell.args = operands.collect();
    shell.source = Source::Input;
    let is_terminal = shell.proc.tty_of(0).is_some() && shell.proc.tty_of(2).is_some();
    if interactive || is_terminal {
        shell.interactive = true;
        return shell.interact(login, rc, profile).await;
    }
    if login && profile {
        shell.startup(true, rc).await;
    }
    shell.run_input().await
}

impl Shell {
    /// Runs the text of `-c` or of a file to its end; the process's exit status.
    pub(super) async fn run_script(&mut self, text: &[u8]) -> i32 {
        let run = self.run_lines(text).await;
        self.finish(run).await
    }

    async fn run_lines(&mut self, text: &[u8]) -> Run {
        let aliases = self.expands_aliases().then(|| Rc::clone(&self.aliases));
        let mut parser = parse::Parser::new(text, self.dialect, aliases, true);
        loop {
            let list = match parser.next_line() {
                Ok(Some(list)) => list,
                Ok(None) => return Ok(self.status),
                Err(error) => {
                    self.report(&error).await;
                    return Err(Flow::Abort(2));
                }
            };
            if self.options.noexec {
                continue;
            }
            let last = self.source == Source::Text && parser.is_done() && self.traps.is_empty();
            match self.run_list(&list, last).await {
                Ok(_) | Err(Flow::Break(_) | Flow::Continue(_)) => {}
                Err(flow) => return Err(flow),
            }
            self.check().await?;
            let aliases = self.expands_aliases().then(|| Rc::clone(&self.aliases));
            parser.set_aliases(aliases);
        }
    }

    /// Runs a script file; the process's exit status.
    pub(super) async fn run_file(&mut self, file: &BString) -> i32 {
        let mut file = file.clone();
        if !file.contains(&b'/')
            && self.proc.stat(&file).is_err()
            && let Some(found) = self.find_program(file.as_bstr())
        {
            file = found;
        }
        let content = self.proc.read_file(&file).await;
        let text = match content {
            Ok(rope) => rope.head(16 << 20),
            Err(error) => {
                let name = self.name.clone();
                let text = match self.dialect {
                    Dialect::Bash if error == Errno::EISDIR => format!("{file}: {file}: Is a directory\n"),
                    Dialect::Bash => format!("{name}: {file}: {error}\n"),
                    Dialect::Dash if error == Errno::ENOENT => format!("{name}: 0: cannot open {file}: No such file\n"),
                    Dialect::Dash => format!("{name}: 0: cannot open {file}: {error}\n"),
                    Dialect::Ash => format!("{name}: can't open '{file}': {error}\n"),
                };
                self.proc.eprint(text).await;
                return match (self.dialect, error) {
                    (Dialect::Bash, Errno::ENOENT) => 127,
                    (Dialect::Bash, _) => 126,
                    _ => 2,
                };
            }
        };
        if self.dialect == Dialect::Bash && text.lines().next().is_some_and(|line| line.contains(&0)) {
            let name = self.name.clone();
            self.proc
                .eprint(format!("{file}: {file}: cannot execute binary file\n").replace("{name}", &name.to_str_lossy()))
                .await;
            return 126;
        }
        self.name = file;
        self.source = Source::Script;
        self.run_script(&text).await
    }

    /// Runs commands from standard input that is no terminal, line by line: programs read what follows them.
    async fn run_input(&mut self) -> i32 {
        let run = self.run_input_lines().await;
        self.finish(run).await
    }

    async fn run_input_lines(&mut self) -> Run {
        let mut text: Vec<u8> = Vec::new();
        let mut first_line = 1u32;
        loop {
            let mut ended = false;
            loop {
                match self.proc.read(0, 1).await {
                    Ok(part) if part.is_empty() => {
                        ended = true;
                        break;
                    }
                    Ok(part) => {
                        let byte = part.to_vec();
                        text.extend_from_slice(&byte);
                        if byte == b"\n" {
                            break;
                        }
                    }
                    Err(Errno::EINTR) => self.poll_signals().await?,
                    Err(_) => {
                        ended = true;
                        break;
                    }
                }
            }
            let aliases = self.expands_aliases().then(|| Rc::clone(&self.aliases));
            let mut parser = parse::Parser::new(&text, self.dialect, aliases, ended).at_line(first_line);
            let parsed = parser.next_line();
            let next = parser.line();
            match parsed {
                Ok(_) if parser.asks_for_more() && text.len() < 4 << 20 => continue,
                Err(error) if error.is_incomplete() && !ended && text.len() < 4 << 20 => continue,
                Err(error) => {
                    self.report(&error).await;
                    if ended || self.dialect != Dialect::Bash {
                        return Err(Flow::Abort(2));
                    }
                }
                Ok(None) => {}
                Ok(Some(list)) => match self.run_list(&list, false).await {
                    Ok(_) | Err(Flow::Break(_) | Flow::Continue(_)) => {}
                    Err(flow) => return Err(flow),
                },
            }
            first_line = next;
            text.clear();
            if ended {
                return Ok(self.status);
            }
            self.check().await?;
        }
    }
}

#[cfg(test)]
mod tests;
