//! The interpreter: lists, pipelines, compound commands.

use std::rc::Rc;

use bstr::{BString, ByteSlice};

use super::ast::*;
use super::dialect::Dialect;
use super::pattern;
use super::shell::{Flow, Later, Run, Shell, later};
use crate::os::kernel::{Signal, Status};

/// Commands within commands: enough for real scripts, little enough for the stack of a browser's tab.
const MAX_DEPTH: u32 = 100;
/// What a trap within a command counts for: it runs in the midst of what it interrupts.
const TRAP_DEPTH: u32 = 4;

impl Shell {
    /// Looks at signals and lets others run; every command does this.
    pub async fn check(&mut self) -> Result<(), Flow> {
        self.proc.tick().await;
        self.poll_signals().await
    }

    /// Takes the signals that have arrived: runs traps, ends on Ctrl-C at a prompt.
    pub async fn poll_signals(&mut self) -> Result<(), Flow> {
        while let Some(signal) = self.proc.take_signal() {
            if let Some(command) = self.traps.get(signal.name()).cloned() {
                let status = self.status;
                self.depth += TRAP_DEPTH;
                let run = self.run_text(&command).await;
                self.depth = self.depth.saturating_sub(TRAP_DEPTH);
                run?;
                self.status = status;
            } else if signal == Signal::INT && self.is_prompting() {
                self.status = 130;
                return Err(Flow::Interrupt);
            }
        }
        Ok(())
    }

    /// Runs commands in a text, as `eval` does.
    pub fn run_text<'a>(&'a mut self, text: &'a [u8]) -> Later<'a, Run> {
        Box::pin(async move {
            let line = self.line.max(1);
            let mut parser =
                super::parse::Parser::new(text, self.dialect, Some(Rc::clone(&self.aliases)), true).at_line(line);
            if !self.expands_aliases() {
                parser.set_aliases(None);
            }
            let mut status = 0;
            loop {
                match parser.next_line() {
                    Ok(Some(list)) => {
                        status = self.run_list(&list, false).await?;
                        if self.expands_aliases() {
                            parser.set_aliases(Some(Rc::clone(&self.aliases)));
                        }
                    }
                    Ok(None) => return Ok(status),
                    Err(error) => {
                        self.report(&error).await;
                        if self.dialect != Dialect::Bash {
                            return Err(Flow::Abort(2));
                        }
                        return Ok(if error.is_incomplete() { 1 } else { 2 });
                    }
                }
            }
        })
    }

    /// Whether aliases are looked up: bash does so at a prompt only.
    pub fn expands_aliases(&self) -> bool {
        self.dialect != Dialect::Bash || self.interactive || self.shopt.contains("expand_aliases")
    }

    /// Runs a list. With `last`, nothing follows it in this process, so its last command may replace the shell.
    pub fn run_list<'a>(&'a mut self, list: &'a List, last: bool) -> Later<'a, Run> {
        Box::pin(async move {
            if self.depth >= MAX_DEPTH {
                self.complain(format!("maximum nesting level of commands exceeded ({MAX_DEPTH}, a limit of Capas)"))
                    .await;
                return Err(Flow::Abort(1));
            }
            self.depth += 1;
            let run = self.run_items(list, last).await;
            self.depth -= 1;
            run
        })
    }

    async fn run_items(&mut self, list: &List, last: bool) -> Run {
        let mut status = 0;
        for (at, item) in list.items.iter().enumerate() {
            self.check().await?;
            if item.background {
                status = later(|| self.run_background(item)).await;
                self.status = status;
                continue;
            }
            let replace = last && at + 1 == list.items.len();
            status = self.run_and_or(item, replace).await?;
        }
        Ok(status)
    }

    async fn run_and_or(&mut self, item: &AndOr, last: bool) -> Run {
        let only = item.rest.is_empty();
        self.condition += u32::from(!only);
        let run = self.run_pipeline(&item.first, last && only).await;
        self.condition -= u32::from(!only);
        let mut status = run?;
        let mut checked = only && !item.first.bang;
        for (at, (and, pipeline)) in item.rest.iter().enumerate() {
            checked = false;
            if *and != (status == 0) {
                continue;
            }
            let is_last = at + 1 == item.rest.len();
            self.condition += u32::from(!is_last);
            let run = self.run_pipeline(pipeline, last && is_last).await;
            self.condition -= u32::from(!is_last);
            status = run?;
            checked = is_last && !pipeline.bang;
        }
        if status != 0 && checked && self.options.errexit && self.condition == 0 {
            return Err(Flow::Exit(status));
        }
        Ok(status)
    }

    async fn run_pipeline(&mut self, pipeline: &Pipeline, last: bool) -> Run {
        let start = self.proc.now();
        self.condition += u32::from(pipeline.bang);
        let run = match pipeline.commands.as_slice() {
            [only] => self.run_command(only, last && !pipeline.bang && !pipeline.timed).await,
            commands => later(|| self.run_pipes(commands, &pipeline.text)).await,
        };
        self.condition -= u32::from(pipeline.bang);
        let mut status = run?;
        if pipeline.bang {
            status = i32::from(status == 0);
        }
        if pipeline.timed {
            let took = self.proc.now().since(start);
            let (minutes, seconds) = (took.as_secs() / 60, took.as_secs() % 60);
            let millis = took.subsec_millis();
            let text = format!("\nreal\t{minutes}m{seconds}.{millis:03}s\nuser\t0m0.000s\nsys\t0m0.000s\n");
            self.proc.eprint(text).await;
        }
        self.status = status;
        Ok(status)
    }

    async fn run_pipes(&mut self, commands: &[Rc<Command>], text: &BString) -> Run {
        let monitor = self.options.monitor;
        let mut pids = Vec::new();
        let mut group = 0;
        let mut input = None;
        for (at, command) in commands.iter().enumerate() {
            let pipe = if at + 1 < commands.len() {
                match self.proc.pipe() {
                    Ok(pipe) => Some(pipe),
                    Err(error) => {
                        self.complain(format!("pipe error: {error}")).await;
                        break;
                    }
                }
            } else {
                None
            };
            let command = Rc::clone(command);
            let before = input;
            let forked = self.fork(monitor.then_some(group), move |mut child| {
                Box::pin(async move {
                    if let Some(fd) = before {
                        let _ = child.proc.dup2(fd, 0);
                        let _ = child.proc.close(fd);
                    }
                    if let Some((read, write)) = pipe {
                        let _ = child.proc.close(read);
                        let _ = child.proc.dup2(write, 1);
                        if write != 1 {
                            let _ = child.proc.close(write);
                        }
                    }
                    let run = child.run_command(&command, true).await;
                    child.finish(run).await
                })
            });
            if let Some(fd) = input.take() {
                let _ = self.proc.close(fd);
            }
            if let Some((read, write)) = pipe {
                let _ = self.proc.close(write);
                input = Some(read);
            }
            match forked {
                Ok(pid) => {
                    if group == 0 {
                        group = pid;
                    }
                    pids.push(pid);
                }
                Err(error) => {
                    self.complain(format!("fork: {error}")).await;
                    break;
                }
            }
        }
        if let Some(fd) = input {
            let _ = self.proc.close(fd);
        }
        if pids.is_empty() {
            return Ok(254);
        }
        self.wait_foreground(&pids, group, text).await
    }

    /// Runs one command.
    pub fn run_command<'a>(&'a mut self, command: &'a Command, last: bool) -> Later<'a, Run> {
        Box::pin(async move {
            self.line = command.line;
            let piped = self.piped.len();
            match &command.kind {
                Kind::Simple(assigns, words) => {
                    let run = later(|| self.run_simple(assigns, words, &command.redirects, last)).await;
                    self.close_piped(piped);
                    return run;
                }
                Kind::Function(name, body) => {
                    Rc::make_mut(&mut self.functions).insert(name.clone(), Rc::clone(body));
                    self.status = 0;
                    return Ok(0);
                }
                Kind::Subshell(list) if !last => return later(|| self.run_subshell(list, command)).await,
                _ => {}
            }
            if command.redirects.is_empty() {
                let run = later(|| self.run_compound(command, last)).await;
                return self.settle(run);
            }
            let mut saved = Vec::new();
            let opened = later(|| self.redirect(&command.redirects, Some(&mut saved))).await;
            let run = match opened {
                Ok(true) => later(|| self.run_compound(command, false)).await,
                Ok(false) => Ok(1),
                Err(flow) => Err(flow),
            };
            self.restore(saved);
            self.close_piped(piped);
            self.settle(run)
        })
    }

    const fn settle(&mut self, run: Run) -> Run {
        if let Ok(status) = run {
            self.status = status;
        }
        run
    }

    async fn run_subshell(&mut self, list: &Rc<List>, command: &Command) -> Run {
        let list = Rc::clone(list);
        // The parent opens the files for the child: the redirections are not in an `Rc` of their own.
        let mut saved = Vec::new();
        if !self.redirect(&command.redirects, Some(&mut saved)).await? {
            self.restore(saved);
            self.status = 1;
            return Ok(1);
        }
        let monitor = self.options.monitor;
        let forked = self.fork(monitor.then_some(0), move |mut child| {
            Box::pin(async move {
                let run = child.run_list(&list, true).await;
                child.finish(run).await
            })
        });
        self.restore(saved);
        match forked {
            Ok(pid) => self.wait_foreground(&[pid], pid, &"( ... )".into()).await,
            Err(error) => {
                self.complain(format!("fork: {error}")).await;
                Ok(254)
            }
        }
    }

    async fn run_compound(&mut self, command: &Command, last: bool) -> Run {
        match &command.kind {
            Kind::Group(list) => self.run_list(list, last).await,
            Kind::Subshell(list) => self.run_list(list, last).await,
            Kind::If(branches, otherwise) => {
                for (condition, body) in branches {
                    if self.holds(condition).await? {
                        return self.run_list(body, last).await;
                    }
                }
                match otherwise {
                    Some(body) => self.run_list(body, last).await,
                    None => Ok(0),
                }
            }
            Kind::While { until, condition, body } => {
                let mut status = 0;
                loop {
                    self.check().await?;
                    self.loops += 1;
                    let holds = self.holds(condition).await;
                    let run = match holds {
                        Ok(holds) if holds == *until => {
                            self.loops -= 1;
                            return Ok(status);
                        }
                        Ok(_) => self.run_list(body, false).await,
                        Err(flow) => Err(flow),
                    };
                    self.loops -= 1;
                    match leave(run, &mut status)? {
                        Next::Round => {}
                        Next::Done => return Ok(status),
                    }
                }
            }
            Kind::For(name, words, body) => {
                let values = match words {
                    Some(words) => later(|| self.expand_words(words)).await?,
                    None => self.args.clone(),
                };
                let mut status = 0;
                for value in values {
                    self.check().await?;
                    later(|| self.assign(name, value, false)).await?;
                    self.loops += 1;
                    let run = self.run_list(body, false).await;
                    self.loops -= 1;
                    if let Next::Done = leave(run, &mut status)? {
                        break;
                    }
                }
                Ok(status)
            }
            Kind::ArithFor(parts, body) => {
                let [start, condition, step] = parts.as_ref();
                later(|| self.arith_word(start)).await?;
                let mut status = 0;
                loop {
                    self.check().await?;
                    if !condition.parts.is_empty() && later(|| self.arith_word(condition)).await? == 0 {
                        return Ok(status);
                    }
                    self.loops += 1;
                    let run = self.run_list(body, false).await;
                    self.loops -= 1;
                    if let Next::Done = leave(run, &mut status)? {
                        return Ok(status);
                    }
                    later(|| self.arith_word(step)).await?;
                }
            }
            Kind::Case(subject, items) => {
                let text = later(|| self.expand_text(subject)).await?;
                let mut falls = false;
                let mut status = 0;
                for item in items {
                    let mut found = falls;
                    for word in &item.patterns {
                        if found {
                            break;
                        }
                        let wanted = later(|| self.expand_pattern(word)).await?;
                        found = pattern::matches(&wanted, &text);
                    }
                    if !found {
                        continue;
                    }
                    status = self.run_list(&item.body, last && item.end == CaseEnd::Break).await?;
                    falls = item.end == CaseEnd::Fall;
                    if item.end == CaseEnd::Break {
                        return Ok(status);
                    }
                }
                Ok(status)
            }
            Kind::Arith(word) => Ok(i32::from(later(|| self.arith_word(word)).await? == 0)),
            Kind::Test(test) => Ok(i32::from(!self.test(test).await?)),
            Kind::Simple(..) | Kind::Function(..) => Ok(0),
        }
    }

    pub async fn arith_word(&mut self, word: &Word) -> Result<i64, Flow> {
        let text = self.expand_document(word).await?;
        self.arithmetic(&text).await
    }

    async fn holds(&mut self, condition: &List) -> Result<bool, Flow> {
        self.condition += 1;
        let run = self.run_list(condition, false).await;
        self.condition -= 1;
        Ok(run? == 0)
    }

    fn test<'a>(&'a mut self, test: &'a Test) -> Later<'a, Result<bool, Flow>> {
        Box::pin(async move {
            Ok(match test {
                Test::Or(a, b) => self.test(a).await? || self.test(b).await?,
                Test::And(a, b) => self.test(a).await? && self.test(b).await?,
                Test::Not(a) => !self.test(a).await?,
                Test::Unary(op, word) => {
                    let text = self.expand_text(word).await?;
                    super::test::unary(self, op, &text).unwrap_or(false)
                }
                Test::Binary(left, op, right) => {
                    let left = self.expand_text(left).await?;
                    match op.as_slice() {
                        b"=" | b"==" => pattern::matches(&self.expand_pattern(right).await?, &left),
                        b"!=" => !pattern::matches(&self.expand_pattern(right).await?, &left),
                        b"=~" => {
                            let regex = self.expand_regex(right).await?;
                            self.matches_regex(&regex, &left)
                        }
                        b"-eq" | b"-ne" | b"-lt" | b"-le" | b"-gt" | b"-ge" => {
                            let right = self.expand_text(right).await?;
                            let (a, b) = (self.arithmetic(&left).await?, self.arithmetic(&right).await?);
                            super::test::compare(op, a, b)
                        }
                        _ => {
                            let right = self.expand_text(right).await?;
                            super::test::binary(self, &left, op, &right).and_then(Result::ok).unwrap_or(false)
                        }
                    }
                }
            })
        })
    }

    /// The regular expression of `=~`: quoted text stands for itself.
    async fn expand_regex(&mut self, word: &Word) -> Result<String, Flow> {
        let mut out = String::new();
        for part in &word.parts {
            let quoted = matches!(part, Part::Quoted(_) | Part::Double(_));
            let text = self.expand_document(&Word { parts: vec![part.clone()] }).await?;
            let text = text.to_str_lossy();
            if quoted {
                out.push_str(&regex_lite::escape(&text));
            } else {
                out.push_str(&text);
            }
        }
        Ok(out)
    }

    fn matches_regex(&mut self, regex: &str, text: &[u8]) -> bool {
        let Ok(regex) = regex_lite::Regex::new(regex) else { return false };
        let text = text.to_str_lossy();
        let Some(found) = regex.captures(&text) else { return false };
        let groups: Vec<BString> = found.iter().map(|g| g.map_or("", |m| m.as_str()).into()).collect();
        self.vars.put_array(b"BASH_REMATCH", groups);
        true
    }

    /// Starts a list in the background.
    async fn run_background(&mut self, item: &Rc<AndOr>) -> i32 {
        let monitor = self.options.monitor;
        let item = Rc::clone(item);
        let text = item.text.clone();
        let forked = self.fork(monitor.then_some(0), move |mut child| {
            Box::pin(async move {
                if !monitor {
                    // A background job of a script reads nothing and ignores Ctrl-C (POSIX, "Asynchronous Lists").
                    for signal in [Signal::INT, Signal::QUIT] {
                        child.proc.on_signal(signal, crate::os::kernel::Disposition::Ignore);
                    }
                    let null = child.proc.kernel().null();
                    let _ = child.proc.close(0);
                    let _ = child.proc.install(null, 0);
                }
                let run = child.run_and_or(&item, true).await;
                child.finish(run).await
            })
        });
        match forked {
            Ok(pid) => {
                self.last_background = Some(pid);
                let id = self.add_job(vec![pid], text, true);
                if self.is_prompting() && self.dialect != Dialect::Ash && monitor {
                    let line = if self.dialect == Dialect::Bash { format!("[{id}] {pid}\n") } else { String::new() };
                    self.proc.eprint(line).await;
                }
                0
            }
            Err(error) => {
                self.complain(format!("fork: {error}")).await;
                254
            }
        }
    }

    /// Calls a function.
    pub async fn call(&mut self, body: &Rc<Command>, args: Vec<BString>) -> Run {
        let before = std::mem::replace(&mut self.args, args);
        let loops = std::mem::take(&mut self.loops);
        self.vars.push_scope();
        self.functions_deep += 1;
        let body = Rc::clone(body);
        let run = self.run_command(&body, false).await;
        self.functions_deep -= 1;
        self.vars.pop_scope();
        self.loops = loops;
        self.args = before;
        match run {
            Err(Flow::Return(status)) => Ok(status),
            run => run,
        }
    }

    /// What a process of this shell exits with after `run`: the EXIT trap has its say.
    pub async fn finish(&mut self, run: Run) -> i32 {
        let mut status = match run {
            Ok(status) | Err(Flow::Exit(status) | Flow::Abort(status) | Flow::Return(status)) => status,
            Err(Flow::Interrupt) => 130,
            Err(_) => self.status,
        };
        if let Some(command) = self.traps.remove("EXIT")
            && !command.is_empty()
        {
            self.status = status;
            if let Err(Flow::Exit(other)) = self.run_text(&command).await {
                status = other;
            }
        }
        status & 0xff
    }

    /// How a child that is waited for ends; signals in between run their traps.
    pub async fn wait_for(&mut self, pid: u32) -> Status {
        loop {
            match self.proc.wait(Some(pid), false).await {
                Ok(crate::os::kernel::syscall::Waited::Ended(_, status)) => return status,
                Ok(_) => {}
                Err(crate::base::errno::Errno::EINTR) => {
                    while let Some(signal) = self.proc.take_signal() {
                        self.late_trap(signal).await;
                    }
                }
                Err(_) => return Status::Exited(127),
            }
        }
    }

    /// Runs the trap of a signal that arrived while a child was waited for.
    pub async fn late_trap(&mut self, signal: Signal) {
        if let Some(command) = self.traps.get(signal.name()).cloned() {
            let status = self.status;
            self.depth += TRAP_DEPTH;
            let run = self.run_text(&command).await;
            self.depth = self.depth.saturating_sub(TRAP_DEPTH);
            // An `exit` in a trap ends the shell: the next check sees to it.
            if let Err(flow @ Flow::Exit(_)) = run {
                self.trapped = Some(flow);
            }
            self.status = status;
        }
    }
}

enum Next {
    Round,
    Done,
}

/// What a loop does after a round.
const fn leave(run: Run, status: &mut i32) -> Result<Next, Flow> {
    match run {
        Ok(code) => {
            *status = code;
            Ok(Next::Round)
        }
        Err(Flow::Break(1)) => {
            *status = 0;
            Ok(Next::Done)
        }
        Err(Flow::Continue(1)) => {
            *status = 0;
            Ok(Next::Round)
        }
        Err(Flow::Break(n)) => Err(Flow::Break(n - 1)),
        Err(Flow::Continue(n)) => Err(Flow::Continue(n - 1)),
        Err(flow) => Err(flow),
    }
}
