//! Simple commands: assignments, redirections, functions, builtins, programs.

use std::collections::BTreeMap;

use bstr::{BStr, BString, ByteSlice};

use super::ast::*;
use super::dialect::Dialect;
use super::shell::{Flow, Run, Shell, later};
use super::variables::Value;
use crate::base::errno::Errno;
use crate::os::kernel::{Fd, Open};

/// Descriptors that redirections have covered: what each was, if it was open.
pub(super) type Saved = Vec<(Fd, Option<Fd>)>;

/// Here-documents up to this size go into a pipe at once.
const PIPE_BYTES: usize = 32 << 10;

impl Shell {
    pub async fn run_simple(&mut self, assigns: &[Assign], words: &[Word], redirects: &[Redirect], last: bool) -> Run {
        self.substituted = None;
        let args = later(|| self.command_words(words)).await?;
        if args.is_empty() {
            let mut saved = Vec::new();
            let opened = later(|| self.redirect(redirects, Some(&mut saved))).await;
            self.restore(saved);
            if !opened? {
                return Ok(self.redirect_failed());
            }
            for assign in assigns {
                later(|| self.run_assign(assign)).await?;
            }
            let status = self.substituted.unwrap_or(0);
            return Ok(self.set_status(status));
        }
        if self.options.xtrace {
            later(|| self.trace(assigns, &args)).await?;
        }
        let Some(name) = args.first().cloned() else { return Ok(0) };
        if let Some(body) = self.functions.get(&name).cloned() {
            let mut saved = Vec::new();
            if !later(|| self.redirect(redirects, Some(&mut saved))).await? {
                self.restore(saved);
                return Ok(self.redirect_failed());
            }
            let before = later(|| self.assign_for_now(assigns)).await?;
            let run = later(|| self.call(&body, args.get(1..).unwrap_or_default().to_vec())).await;
            self.put_back(before);
            self.restore(saved);
            if let Ok(status) = run {
                self.set_status(status);
            }
            return run;
        }
        if let Some(builtin) = super::builtins::find(&name, self.dialect) {
            return later(|| self.run_builtin(builtin, assigns, args, redirects)).await;
        }
        later(|| self.run_program(assigns, args, redirects, last)).await
    }

    const fn set_status(&mut self, status: i32) -> i32 {
        self.status = status;
        status
    }

    /// The status after a file could not be opened.
    fn redirect_failed(&mut self) -> i32 {
        self.set_status(if self.dialect == Dialect::Dash { 2 } else { 1 })
    }

    async fn command_words(&mut self, words: &[Word]) -> Result<Vec<BString>, Flow> {
        let mut args: Vec<BString> = Vec::new();
        let declares = words.first().and_then(Word::plain).is_some_and(|name| {
            matches!(name.as_slice(), b"export" | b"readonly" | b"local" | b"declare" | b"typeset" | b"alias")
        });
        for word in words {
            if declares
                && let Some(Part::Literal(first)) = word.parts.first()
                && let Some(at) = first.find_byte(b'=')
                && super::parse::is_name(first.get(..at).unwrap_or_default().trim_end_with(|c| c == '+'))
            {
                // `export x=$y` does not split `$y`; a tilde may follow the `=`.
                let (name, tail) = first.split_at(at + 1);
                let mut parts = word.parts.clone();
                parts[0] = Part::Literal(tail.into());
                if tail.is_empty() {
                    parts.remove(0);
                }
                let value = self.expand_text(&Word { parts }).await?;
                args.push([name, value.as_slice()].concat().into());
                continue;
            }
            self.expand_word(word, &mut args).await?;
        }
        Ok(args)
    }

    async fn trace(&mut self, assigns: &[Assign], args: &[BString]) -> Result<(), Flow> {
        let mut line = self.vars.get(b"PS4").cloned().unwrap_or_else(|| "+ ".into());
        for assign in assigns {
            if let AssignValue::Word(word) = &assign.value {
                let value = self.expand_text(word).await?;
                line.extend_from_slice(&[assign.name.as_slice(), b"=", &value, b" "].concat());
            }
        }
        let words: Vec<BString> = args
            .iter()
            .map(|arg| if self.dialect == Dialect::Bash { super::quote::if_needed(arg) } else { arg.clone() })
            .collect();
        line.extend_from_slice(&bstr::join(" ", words));
        line.push(b'\n');
        self.proc.eprint(line).await;
        Ok(())
    }

    /// Carries out an assignment.
    pub async fn run_assign(&mut self, assign: &Assign) -> Result<(), Flow> {
        match (&assign.value, &assign.index) {
            (AssignValue::Word(word), None) => {
                let value = self.expand_text(word).await?;
                if self.options.xtrace {
                    let shown = super::quote::if_needed(&value);
                    let ps4 = self.vars.get(b"PS4").cloned().unwrap_or_else(|| "+ ".into());
                    self.proc.eprint([ps4.as_slice(), &assign.name, b"=", &shown, b"\n"].concat()).await;
                }
                self.assign(&assign.name, value, assign.append).await
            }
            (AssignValue::Word(word), Some(index)) => {
                let value = self.expand_text(word).await?;
                self.assign_element(&assign.name, index, value, assign.append).await
            }
            (AssignValue::Array(items), _) => {
                if self.vars.is_readonly(&assign.name) {
                    return self.assign(&assign.name, BString::default(), false).await;
                }
                let is_map = matches!(self.vars.find(&assign.name).map(|v| &v.value), Some(Value::Map(_)));
                let mut fresh: Vec<(Option<&Word>, BString)> = Vec::new();
                for (key, word) in items {
                    match key {
                        Some(key) => fresh.push((Some(key), self.expand_text(word).await?)),
                        None => {
                            let mut fields = Vec::new();
                            self.expand_word(word, &mut fields).await?;
                            fresh.extend(fields.into_iter().map(|f| (None, f)));
                        }
                    }
                }
                let variable = self.vars.entry(&assign.name);
                let mut next = 0i64;
                match &mut variable.value {
                    Value::Array(old) if assign.append => next = old.keys().next_back().map_or(0, |last| last + 1),
                    Value::Map(_) if assign.append => {}
                    Value::Text(text) if assign.append => {
                        let text = std::mem::take(text);
                        variable.value = Value::Array(BTreeMap::from([(0, text)]));
                        next = 1;
                    }
                    value => *value = if is_map { Value::Map(BTreeMap::new()) } else { Value::Array(BTreeMap::new()) },
                }
                for (key, value) in fresh {
                    match key {
                        Some(key) if is_map => self.assign_element(&assign.name, key, value, false).await?,
                        Some(key) => {
                            next = self.arith_word(key).await?;
                            self.put_element(&assign.name, next, value);
                            next = next.saturating_add(1);
                        }
                        None => {
                            self.put_element(&assign.name, next, value);
                            next = next.saturating_add(1);
                        }
                    }
                }
                Ok(())
            }
        }
    }

    fn put_element(&mut self, name: &[u8], at: i64, value: BString) {
        let variable = self.vars.entry(name);
        match &mut variable.value {
            Value::Array(items) => drop(items.insert(at, value)),
            Value::Map(items) => drop(items.insert(at.to_string().into(), value)),
            Value::Text(text) => {
                let mut items = BTreeMap::from([(0, std::mem::take(text))]);
                items.insert(at, value);
                variable.value = Value::Array(items);
            }
            Value::Unset => variable.value = Value::Array(BTreeMap::from([(at, value)])),
        }
    }

    async fn assign_element(&mut self, name: &[u8], index: &Word, value: BString, append: bool) -> Result<(), Flow> {
        if self.vars.is_readonly(name) {
            return self.assign(name, value, false).await;
        }
        let key = self.expand_document(index).await?;
        if let Some(Value::Map(_)) = self.vars.find(name).map(|v| &v.value) {
            if let Value::Map(items) = &mut self.vars.entry(name).value {
                let old = if append { items.get(&key).cloned().unwrap_or_default() } else { BString::default() };
                items.insert(key, [old, value].concat().into());
            }
            return Ok(());
        }
        let mut at = self.arithmetic(&key).await?;
        let mut old = BString::default();
        if let Some(Value::Array(items)) = self.vars.find(name).map(|v| &v.value) {
            if at < 0 {
                at = items.keys().next_back().map_or(0, |last| last + 1).wrapping_add(at);
            }
            if append {
                old = items.get(&at).cloned().unwrap_or_default();
            }
        }
        if at < 0 {
            let (name, key) = (BStr::new(name), key.as_bstr());
            self.complain(format!("{name}[{key}]: bad array subscript")).await;
            return Err(Flow::Abort(1));
        }
        self.put_element(name, at, [old, value].concat().into());
        Ok(())
    }

    /// Sets variables for one command; what they were comes back.
    async fn assign_for_now(
        &mut self,
        assigns: &[Assign],
    ) -> Result<Vec<(BString, Option<super::variables::Variable>)>, Flow> {
        let mut before = Vec::new();
        for assign in assigns {
            before.push((assign.name.clone(), self.vars.find(&assign.name).cloned()));
            self.run_assign(assign).await?;
            self.vars.entry(&assign.name).exported = true;
        }
        Ok(before)
    }

    fn put_back(&mut self, before: Vec<(BString, Option<super::variables::Variable>)>) {
        for (name, variable) in before.into_iter().rev() {
            match variable {
                Some(variable) => *self.vars.entry(&name) = variable,
                None => self.vars.remove(&name),
            }
        }
    }

    async fn run_builtin(
        &mut self,
        builtin: &'static super::builtins::Builtin,
        assigns: &[Assign],
        args: Vec<BString>,
        redirects: &[Redirect],
    ) -> Run {
        let mut saved = Vec::new();
        match self.redirect(redirects, Some(&mut saved)).await {
            Ok(true) => {}
            Ok(false) => {
                self.restore(saved);
                self.redirect_failed();
                // POSIX: a special builtin whose redirection fails ends a script; bash does so in POSIX mode only.
                return if builtin.special && self.dialect != Dialect::Bash { Err(Flow::Abort(2)) } else { Ok(1) };
            }
            Err(flow) => {
                self.restore(saved);
                return Err(flow);
            }
        }
        let declares = matches!(builtin.name, "declare" | "typeset" | "local" | "export" | "readonly");
        let keeps = builtin.special && self.dialect != Dialect::Bash;
        let arrays: Vec<&Assign> =
            assigns.iter().filter(|a| declares && matches!(a.value, AssignValue::Array(_))).collect();
        let before = if declares && !arrays.is_empty() {
            Vec::new()
        } else {
            match self.assign_for_now(assigns).await {
                Ok(before) => before,
                Err(flow) => {
                    self.restore(saved);
                    return Err(flow);
                }
            }
        };
        self.running = builtin.name;
        let mut run = (builtin.run)(self, &args).await;
        for assign in arrays {
            if run.is_ok()
                && let Err(flow) = self.run_assign(assign).await
            {
                run = Err(flow);
            }
        }
        if keeps {
            for (name, old) in before {
                self.vars.entry(&name).exported = old.is_some_and(|v| v.exported);
            }
        } else {
            self.put_back(before);
        }
        // `exec` without a program keeps its redirections.
        if builtin.name == "exec" && run.is_ok() {
            for (_, old) in saved {
                if let Some(old) = old {
                    let _ = self.proc.close(old);
                }
            }
        } else {
            self.restore(saved);
        }
        if let Ok(status) = run {
            self.set_status(status);
        }
        run
    }

    async fn run_program(&mut self, assigns: &[Assign], args: Vec<BString>, redirects: &[Redirect], last: bool) -> Run {
        let before = self.assign_for_now(assigns).await?;
        let env = self.vars.environment();
        let path = args.first().and_then(|name| self.locate(name.as_bstr()));
        self.put_back(before);
        if last && !self.traps.contains_key("EXIT") && self.trapped.is_none() {
            let status = match self.redirect(redirects, None).await? {
                true => self.become_program(path, args, env).await,
                false => self.redirect_failed(),
            };
            return Err(Flow::Exit(status));
        }
        let monitor = self.options.monitor;
        let text = BString::from(bstr::join(" ", &args));
        // The child opens its files itself, but the tree is the parent's: they are expanded there.
        let mut saved = Vec::new();
        match self.redirect(redirects, Some(&mut saved)).await {
            Ok(true) => {}
            Ok(false) => {
                self.restore(saved);
                return Ok(self.redirect_failed());
            }
            Err(flow) => {
                self.restore(saved);
                return Err(flow);
            }
        }
        let forked = self.fork(monitor.then_some(0), move |mut child| {
            Box::pin(async move { child.become_program(path, args, env).await })
        });
        self.restore(saved);
        match forked {
            Ok(pid) => self.wait_foreground(&[pid], pid, &text).await,
            Err(error) => {
                self.complain(format!("fork: {error}")).await;
                Ok(self.set_status(254))
            }
        }
    }

    /// A program's path, from the table of known ones where it is in it.
    fn locate(&mut self, name: &BStr) -> Option<BString> {
        if name.contains(&b'/') {
            return Some(name.to_owned());
        }
        if let Some((path, hits)) = self.hashed.get_mut(name)
            && self.proc.stat(path).is_ok()
        {
            *hits += 1;
            return Some(path.clone());
        }
        let path = self.find_program(name)?;
        self.hashed.insert(name.to_owned(), (path.clone(), 1));
        Some(path)
    }

    /// Replaces this process by a program; the status with which it ends.
    pub async fn become_program(&mut self, path: Option<BString>, args: Vec<BString>, env: Vec<BString>) -> i32 {
        let name = args.first().cloned().unwrap_or_default();
        let Some(path) = path else {
            let what = if self.dialect == Dialect::Bash { "command not found" } else { "not found" };
            if self.dialect == Dialect::Bash && name.contains(&b'/') {
                self.complain(format!("{name}: No such file or directory")).await;
            } else {
                self.complain(format!("{name}: {what}")).await;
            }
            return 127;
        };
        let error = match self.proc.exec(&path, args.clone(), env).await {
            Ok(status) => return status,
            Err(error) => error,
        };
        let bash = self.dialect == Dialect::Bash;
        let is_dir = self.proc.stat(&path).is_ok_and(|s| s.is_dir());
        let (message, status) = match error {
            Errno::ENOENT if self.proc.stat(&path).is_ok() && bash => {
                ("cannot execute: required file not found".to_owned(), 127)
            }
            Errno::ENOENT if bash => (Errno::ENOENT.strerror().to_owned(), 127),
            Errno::ENOENT => ("not found".to_owned(), 127),
            Errno::EACCES if is_dir && bash => (Errno::EISDIR.strerror().to_owned(), 126),
            Errno::ENOSYS => ("this program is not simulated in Capas".to_owned(), 126),
            Errno::ENOEXEC => {
                let head = self.proc.read_file(&path).await.map(|rope| rope.head(80)).unwrap_or_default();
                let first = head.lines().next().unwrap_or_default();
                if first.contains(&0) {
                    if bash {
                        ("cannot execute binary file: Exec format error".to_owned(), 126)
                    } else {
                        ("Exec format error".to_owned(), 126)
                    }
                } else {
                    // A text without `#!` is a script of this shell.
                    let mut shell = Self::new(self.proc.clone(), self.dialect, path.clone());
                    shell.args = args.get(1..).unwrap_or_default().to_vec();
                    return Box::pin(shell.run_file(&path)).await;
                }
            }
            other => (other.strerror().to_owned(), 126),
        };
        self.complain(format!("{name}: {message}")).await;
        status
    }

    /// Opens the files of redirections. With `saved`, what they cover is kept. `false` after an error that was told.
    pub async fn redirect(&mut self, redirects: &[Redirect], mut saved: Option<&mut Saved>) -> Result<bool, Flow> {
        for redirect in redirects {
            if !self.redirect_one(redirect, saved.as_deref_mut()).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn redirect_one(&mut self, redirect: &Redirect, saved: Option<&mut Saved>) -> Result<bool, Flow> {
        use RedirectOp as Op;
        let default = if matches!(redirect.op, Op::Read | Op::ReadWrite | Op::DupIn | Op::HereDoc | Op::HereString) {
            0
        } else {
            1
        };
        let fd = redirect.fd.unwrap_or(default);
        let mut target = BString::default();
        let opened = match redirect.op {
            Op::HereDoc | Op::HereString => {
                let text = if redirect.op == Op::HereString {
                    let mut text = self.expand_text(&redirect.target).await?;
                    text.push(b'\n');
                    text
                } else {
                    match redirect.body.get() {
                        Some(body) => self.expand_document(body).await?,
                        None => BString::default(),
                    }
                };
                self.text_input(text).await
            }
            Op::DupIn | Op::DupOut => {
                target = self.expand_text(&redirect.target).await?;
                if target == "-" {
                    self.cover(fd, saved);
                    let _ = self.proc.close(fd);
                    return Ok(true);
                }
                match target.to_str().ok().and_then(|t| t.parse::<Fd>().ok()) {
                    Some(from) => {
                        self.cover(fd, saved);
                        return match self.proc.dup2(from, fd) {
                            Ok(()) => Ok(true),
                            Err(error) => {
                                self.complain(format!("{target}: {error}")).await;
                                Ok(false)
                            }
                        };
                    }
                    None if redirect.op == Op::DupOut && redirect.fd.is_none() && self.dialect.is_bash() => {
                        return self.both(&target, Open::WRITE, saved).await;
                    }
                    None => {
                        let message =
                            if self.dialect == Dialect::Bash { "ambiguous redirect" } else { "bad fd number" };
                        self.complain(if self.dialect == Dialect::Bash {
                            format!("{target}: {message}")
                        } else {
                            format!("Syntax error: {}", "Bad fd number")
                        })
                        .await;
                        return Ok(false);
                    }
                }
            }
            op => {
                let mut names = Vec::new();
                if self.dialect == Dialect::Bash {
                    self.expand_word(&redirect.target, &mut names).await?;
                } else {
                    names.push(self.expand_text(&redirect.target).await?);
                }
                let [only] = names.as_slice() else {
                    let shown = names.first().cloned().unwrap_or_default();
                    self.complain(format!("{shown}: ambiguous redirect")).await;
                    return Ok(false);
                };
                target = only.clone();
                let open = match op {
                    Op::Read => Open::READ,
                    Op::Append => Open::APPEND,
                    Op::ReadWrite => Open::READ_WRITE,
                    Op::Both => return self.both(&target, Open::WRITE, saved).await,
                    Op::BothAppend => return self.both(&target, Open::APPEND, saved).await,
                    _ => Open::WRITE,
                };
                if open == Open::WRITE
                    && self.options.noclobber
                    && self.proc.stat(&target).is_ok_and(|s| s.kind == crate::os::fs::node::Kind::File)
                {
                    self.complain(format!("{target}: cannot overwrite existing file")).await;
                    return Ok(false);
                }
                self.proc.open(&target, open)
            }
        };
        match opened {
            Ok(from) if from == fd => {
                if let Some(saved) = saved {
                    saved.push((fd, None));
                }
                Ok(true)
            }
            Ok(from) => {
                self.cover(fd, saved);
                let _ = self.proc.dup2(from, fd);
                let _ = self.proc.close(from);
                Ok(true)
            }
            Err(error) => {
                self.cannot_open(&target, error, !matches!(redirect.op, Op::Read)).await;
                Ok(false)
            }
        }
    }

    async fn cannot_open(&self, target: &BString, error: Errno, creates: bool) {
        let message = match (self.dialect, error, creates) {
            (Dialect::Bash, ..) => format!("{target}: {error}"),
            (Dialect::Dash, Errno::ENOENT, true) => format!("cannot create {target}: Directory nonexistent"),
            (Dialect::Dash, Errno::ENOENT, false) => format!("cannot open {target}: No such file"),
            (Dialect::Dash, _, true) => format!("cannot create {target}: {error}"),
            (Dialect::Dash, _, false) => format!("cannot open {target}: {error}"),
            (Dialect::Ash, Errno::ENOENT, true) => format!("can't create {target}: nonexistent directory"),
            (Dialect::Ash, Errno::ENOENT, false) => format!("can't open {target}: no such file"),
            (Dialect::Ash, _, true) => format!("can't create {target}: {error}"),
            (Dialect::Ash, _, false) => format!("can't open {target}: {error}"),
        };
        self.complain(message).await;
    }

    async fn both(&mut self, target: &BString, open: Open, mut saved: Option<&mut Saved>) -> Result<bool, Flow> {
        match self.proc.open(target, open) {
            Ok(from) => {
                for fd in [1, 2] {
                    self.cover(fd, saved.as_deref_mut());
                    let _ = self.proc.dup2(from, fd);
                }
                if from > 2 {
                    let _ = self.proc.close(from);
                }
                Ok(true)
            }
            Err(error) => {
                self.cannot_open(target, error, true).await;
                Ok(false)
            }
        }
    }

    /// Keeps what a descriptor stands for.
    fn cover(&self, fd: Fd, saved: Option<&mut Saved>) {
        let Some(saved) = saved else { return };
        let copy = self.proc.dup(fd, 10).ok();
        if let Some(copy) = copy {
            self.proc.set_close_on_exec(copy, true);
        }
        saved.push((fd, copy));
    }

    /// Takes redirections back.
    pub fn restore(&self, saved: Saved) {
        for (fd, copy) in saved.into_iter().rev() {
            match copy {
                Some(copy) => {
                    let _ = self.proc.dup2(copy, fd);
                    let _ = self.proc.close(copy);
                }
                None => {
                    let _ = self.proc.close(fd);
                }
            }
        }
    }

    /// A descriptor from which a text can be read.
    async fn text_input(&mut self, text: BString) -> Result<Fd, Errno> {
        let (read, write) = self.proc.pipe()?;
        if text.len() <= PIPE_BYTES {
            self.proc.write(write, &text).await?;
        } else {
            let writer = self.proc.fork(move |child| {
                Box::pin(async move {
                    let _ = child.close(read);
                    i32::from(child.write(write, &text).await.is_err())
                })
            });
            if writer.is_err() {
                let _ = self.proc.close(read);
                let _ = self.proc.close(write);
                return Err(Errno::EAGAIN);
            }
        }
        self.proc.close(write)?;
        Ok(read)
    }
}
