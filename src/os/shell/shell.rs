//! The state of one shell, how it complains, and how it forks.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use bstr::{BStr, BString, ByteSlice};

use super::ast::Command;
use super::dialect::Dialect;
use super::jobs::Job;
use super::parse::{Fault, SyntaxError};
use super::variables::Variables;
use crate::base::errno::Errno;
use crate::base::path;
use crate::os::kernel::{Disposition, Fd, Proc, Signal};

/// A future that borrows the shell.
/// Longest text of a variable. It is gathered in the page's own memory, whatever the simulated computer has.
const MOST_VALUE_BYTES: usize = 128 << 20;

pub(super) type Later<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// Makes a future where it weighs on nobody's stack: who waits for it holds a pointer. Commands nest, and each level of a
/// shell that calls itself is a poll within a poll.
#[inline(never)]
pub(super) fn later<'a, T, F: Future<Output = T> + 'a>(make: impl FnOnce() -> F) -> Later<'a, T> {
    Box::pin(make())
}

/// What ends more than one command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Flow {
    /// Leaves this many loops.
    Break(u32),
    /// Goes on with the next round of the loop this many out.
    Continue(u32),
    /// Ends the function or sourced file.
    Return(i32),
    /// Ends the shell.
    Exit(i32),
    /// Ctrl-C: back to the prompt.
    Interrupt,
    /// An error that ends a script, and at a prompt the line.
    Abort(i32),
}

/// An exit status, or what ends more than the command.
pub(super) type Run = Result<i32, Flow>;

/// Where commands come from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Source {
    /// `-c`.
    Text,
    /// A file.
    Script,
    /// Standard input, with or without a terminal.
    Input,
}

/// `set -o` options.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Options {
    pub errexit: bool,
    pub nounset: bool,
    pub xtrace: bool,
    pub pipefail: bool,
    pub noglob: bool,
    pub noexec: bool,
    pub noclobber: bool,
    pub verbose: bool,
    pub allexport: bool,
    pub monitor: bool,
}

/// A shell.
#[derive(Clone)]
pub(super) struct Shell {
    pub proc: Proc,
    pub dialect: Dialect,
    /// `$0`.
    pub name: BString,
    /// `$1` and on.
    pub args: Vec<BString>,
    pub vars: Variables,
    pub functions: Rc<BTreeMap<BString, Rc<Command>>>,
    pub aliases: Rc<BTreeMap<BString, BString>>,
    pub options: Options,
    pub shopt: Rc<std::collections::BTreeSet<&'static str>>,
    /// `$?`.
    pub status: i32,
    /// `$$`.
    pub pid: u32,
    /// `$!`.
    pub last_background: Option<u32>,
    pub line: u32,
    pub interactive: bool,
    pub source: Source,
    /// Traps by name; an empty command ignores.
    pub traps: BTreeMap<&'static str, BString>,
    pub jobs: Vec<Job>,
    /// Commands within commands, so that recursion ends.
    pub depth: u32,
    pub loops: u32,
    pub functions_deep: u32,
    pub sources_deep: u32,
    /// Above 0, `set -e` has no say: a condition is being tried.
    pub condition: u32,
    /// The status of the last command substitution of a command.
    pub substituted: Option<i32>,
    /// Our ends of the pipes of `<( )` and `>( )` that are in use, and who is at the other ends.
    pub piped: Vec<(Fd, u32)>,
    pub hashed: BTreeMap<BString, (BString, u32)>,
    pub history: Rc<Vec<BString>>,
    pub subshell: u32,
    /// The letter within a group of options that `getopts` is at.
    pub getopts_at: usize,
    /// What a trap that ran while a child was waited for wants.
    pub trapped: Option<Flow>,
    /// The builtin that runs, for its messages.
    pub running: &'static str,
}

impl Shell {
    pub fn new(proc: Proc, dialect: Dialect, name: BString) -> Self {
        let mut vars = Variables::default();
        for entry in proc.env() {
            let Some(at) = entry.find_byte(b'=') else { continue };
            let (name, value) = entry.split_at(at);
            if super::parse::is_name(name) {
                let variable = vars.entry(name);
                variable.value = super::variables::Value::Text(value.get(1..).unwrap_or_default().into());
                variable.exported = true;
            }
        }
        let cwd = proc.cwd();
        let keeps = vars
            .get(b"PWD")
            .is_some_and(|pwd| path::is_absolute(pwd) && proc.realpath(pwd).ok() == proc.realpath(&cwd).ok());
        if !keeps {
            vars.put(b"PWD", cwd);
        }
        vars.entry(b"PWD").exported = true;
        if vars.get(b"PATH").is_none() {
            let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
            vars.put(b"PATH", path);
        }
        vars.put(b"IFS", " \t\n");
        vars.entry(b"IFS").exported = false;
        vars.put(b"OPTIND", "1");
        vars.put(b"PPID", proc.ppid().to_string());
        if dialect == Dialect::Bash {
            let level = vars.get(b"SHLVL").and_then(|t| t.to_str().ok()?.parse::<i64>().ok()).unwrap_or(0);
            vars.put(b"SHLVL", level.wrapping_add(1).to_string());
            vars.entry(b"SHLVL").exported = true;
            let cred = proc.cred();
            for (name, value) in [
                ("BASH_VERSION", "5.2.15(1)-release".to_owned()),
                ("BASH", "/bin/bash".to_owned()),
                ("HOSTNAME", proc.hostname()),
                ("HOSTTYPE", "x86_64".to_owned()),
                ("OSTYPE", "linux-gnu".to_owned()),
                ("MACHTYPE", "x86_64-pc-linux-gnu".to_owned()),
                ("UID", cred.uid.to_string()),
                ("EUID", cred.uid.to_string()),
            ] {
                if vars.get(name.as_bytes()).is_none() {
                    vars.put(name.as_bytes(), value);
                }
            }
            vars.put_array(
                b"BASH_VERSINFO",
                ["5", "2", "15", "1", "release", "x86_64-pc-linux-gnu"].map(BString::from),
            );
        }
        let pid = proc.pid();
        Self {
            proc,
            dialect,
            name,
            args: Vec::new(),
            vars,
            functions: Rc::default(),
            aliases: Rc::default(),
            options: Options::default(),
            shopt: Rc::default(),
            status: 0,
            pid,
            last_background: None,
            line: 0,
            interactive: false,
            source: Source::Input,
            traps: BTreeMap::new(),
            jobs: Vec::new(),
            depth: 0,
            loops: 0,
            functions_deep: 0,
            sources_deep: 0,
            condition: 0,
            substituted: None,
            piped: Vec::new(),
            hashed: BTreeMap::new(),
            history: Rc::default(),
            subshell: 0,
            getopts_at: 0,
            trapped: None,
            running: "",
        }
    }

    /// The beginning of a message.
    pub fn prefix(&self) -> BString {
        let name =
            if self.source == Source::Script { self.name.as_slice() } else { self.name.trim_start_with(|c| c == '-') };
        let mut out = BString::from(name);
        match self.dialect {
            Dialect::Bash if self.interactive => {}
            Dialect::Bash => out.extend_from_slice(format!(": line {}", self.line.max(1)).as_bytes()),
            Dialect::Dash => out.extend_from_slice(format!(": {}", self.line.max(1)).as_bytes()),
            Dialect::Ash if self.source == Source::Script => {
                out.extend_from_slice(format!(": line {}", self.line.max(1)).as_bytes());
            }
            Dialect::Ash => {}
        }
        out.extend_from_slice(b": ");
        out
    }

    /// Writes a message to standard error.
    pub async fn complain(&self, message: impl AsRef<[u8]>) {
        let mut line = self.prefix();
        line.extend_from_slice(message.as_ref());
        line.push(b'\n');
        self.proc.eprint(line).await;
    }

    /// Writes a message of the running builtin to standard error and returns 1.
    pub async fn blame(&self, message: impl AsRef<[u8]>) -> i32 {
        let mut text = BString::from(self.running);
        text.extend_from_slice(b": ");
        text.extend_from_slice(message.as_ref());
        self.complain(text).await;
        1
    }

    /// Reports a syntax error.
    pub async fn report(&mut self, error: &SyntaxError) {
        let name = self.name.trim_start_with(|c| c == '-').to_owned();
        let name = name.as_bstr();
        let line = error.line;
        let mut shown_line = false;
        let message = match self.dialect {
            Dialect::Bash => match &error.fault {
                Fault::Incomplete(_) => "syntax error: unexpected end of file".to_owned(),
                Fault::Unterminated(quote) => {
                    format!("unexpected EOF while looking for matching `{}'", char::from(*quote))
                }
                Fault::Unexpected(token) => {
                    shown_line = !self.interactive && token != "newline";
                    format!("syntax error near unexpected token `{token}'")
                }
                Fault::TooDeep => "maximum nesting level of commands exceeded (Capas)".to_owned(),
            },
            Dialect::Dash => match &error.fault {
                Fault::Incomplete("") => "Syntax error: end of file unexpected".to_owned(),
                Fault::Incomplete(what) => format!("Syntax error: end of file unexpected (expecting \"{what}\")"),
                Fault::Unterminated(b')') => "Syntax error: end of file unexpected (expecting \")\")".to_owned(),
                Fault::Unterminated(b'}') => "Syntax error: Missing '}'".to_owned(),
                Fault::Unterminated(b'`') => "Syntax error: EOF in backquote substitution".to_owned(),
                Fault::Unterminated(_) => "Syntax error: Unterminated quoted string".to_owned(),
                Fault::Unexpected(token) if token == "newline" => "Syntax error: newline unexpected".to_owned(),
                Fault::Unexpected(token) => {
                    let is_operator = token.iter().all(u8::is_ascii_punctuation);
                    let known = is_operator
                        || matches!(token.as_slice(), b"then" | b"else" | b"elif" | b"fi" | b"do" | b"done" | b"esac");
                    if known {
                        format!("Syntax error: \"{token}\" unexpected")
                    } else {
                        "Syntax error: word unexpected".to_owned()
                    }
                }
                Fault::TooDeep => "Syntax error: nested too deeply (Capas)".to_owned(),
            },
            Dialect::Ash => match &error.fault {
                Fault::Incomplete("") => "syntax error: unexpected end of file".to_owned(),
                Fault::Incomplete(what) => format!("syntax error: unexpected end of file (expecting \"{what}\")"),
                Fault::Unterminated(b')') => "syntax error: unexpected end of file (expecting \")\")".to_owned(),
                Fault::Unterminated(b'}') => "syntax error: missing '}'".to_owned(),
                Fault::Unterminated(b'`') => "syntax error: EOF in backquote substitution".to_owned(),
                Fault::Unterminated(_) => "syntax error: unterminated quoted string".to_owned(),
                Fault::Unexpected(token) if token == "newline" => "syntax error: unexpected newline".to_owned(),
                Fault::Unexpected(token) => format!("syntax error: unexpected \"{token}\""),
                Fault::TooDeep => "syntax error: nested too deeply (Capas)".to_owned(),
            },
        };
        let dash_c = if self.source == Source::Text { "-c: " } else { "" };
        let start = match self.dialect {
            Dialect::Bash if self.interactive => format!("{name}: "),
            Dialect::Bash => format!("{name}: {dash_c}line {line}: "),
            Dialect::Dash => format!("{name}: {line}: "),
            Dialect::Ash if self.source == Source::Script => format!("{name}: line {line}: "),
            Dialect::Ash => format!("{name}: "),
        };
        let mut out = format!("{start}{message}\n");
        if shown_line {
            out.push_str(&format!("{start}`{}'\n", error.text));
        }
        self.proc.eprint(out).await;
        self.status = 2;
    }

    /// Starts a child that is a copy of this shell. `group` puts it into a process group (0: its own).
    pub fn fork(
        &mut self,
        group: Option<u32>,
        body: impl FnOnce(Self) -> Later<'static, i32> + 'static,
    ) -> Result<u32, Errno> {
        let mut child = self.clone();
        let was_interactive = self.is_prompting();
        child.jobs.clear();
        child.subshell += 1;
        child.options.monitor = false;
        // Caught signals go back to their defaults; ignored ones stay ignored (POSIX, "Signals and Error Handling").
        child.traps.retain(|_, command| command.is_empty());
        let pid = self.proc.fork(move |proc| {
            Box::pin(async move {
                if was_interactive {
                    for signal in [Signal::INT, Signal::QUIT, Signal::TERM, Signal::TSTP, Signal::TTIN, Signal::TTOU] {
                        proc.on_signal(signal, Disposition::Default);
                    }
                }
                child.proc = proc;
                body(child).await
            })
        })?;
        if let Some(group) = group {
            let _ = self.proc.set_group(pid, group);
        }
        Ok(pid)
    }

    /// Whether this is the shell that prompts, not one of its children.
    pub const fn is_prompting(&self) -> bool {
        self.interactive && self.subshell == 0
    }

    /// The path of a program, found along `PATH`.
    pub fn find_program(&self, name: &BStr) -> Option<BString> {
        if name.contains(&b'/') {
            return Some(name.to_owned());
        }
        if name.is_empty() {
            return None;
        }
        let path = self.vars.get(b"PATH")?;
        let mut found_without_permission = None;
        for dir in path.split_str(":") {
            let candidate = path::join(if dir.is_empty() { b"." } else { dir }, name);
            if let Ok(stat) = self.proc.stat(&candidate)
                && stat.kind == crate::os::fs::node::Kind::File
            {
                if self.proc.access(&candidate, 1).is_ok() {
                    return Some(candidate);
                }
                found_without_permission.get_or_insert(candidate);
            }
        }
        found_without_permission
    }

    /// Sets a variable as an assignment does.
    ///
    /// A read-only variable is an error.
    pub async fn assign(&mut self, name: &[u8], value: BString, append: bool) -> Result<(), Flow> {
        if self.vars.is_readonly(name) {
            let name = BStr::new(name);
            match self.dialect {
                Dialect::Bash => self.complain(format!("{name}: readonly variable")).await,
                _ => self.complain(format!("{name}: is read only")).await,
            }
            return Err(Flow::Abort(if self.dialect == Dialect::Bash { 1 } else { 2 }));
        }
        let integer = self.vars.find(name).is_some_and(|v| v.integer);
        let value = if integer {
            let old = if append { self.vars.get(name).cloned().unwrap_or_default() } else { BString::default() };
            let text: BString = if append { [old.as_slice(), b"+", value.as_slice()].concat().into() } else { value };
            self.arithmetic(&text).await?.to_string().into()
        } else if append {
            [self.vars.get(name).cloned().unwrap_or_default(), value].concat().into()
        } else {
            value
        };
        // Small values are not worth counting.
        let grown = value.len() >= 1 << 16;
        if value.len() > MOST_VALUE_BYTES {
            self.complain("out of memory").await;
            return Err(Flow::Abort(2));
        }
        self.vars.put(name, value);
        if grown {
            self.proc.set_heap(self.vars.text_bytes()).await;
        }
        if self.options.allexport {
            self.vars.entry(name).exported = true;
        }
        if name == b"PATH" {
            self.hashed.clear();
        }
        if name == b"OPTIND" {
            self.getopts_at = 0;
        }
        Ok(())
    }
}
