//! The prompt: startup files, line editing, history, completion.

use std::future::Future;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

use bstr::{BString, ByteSlice};

use super::complete::common_prefix;
use super::dialect::Dialect;
use super::edit::{Editor, Key};
use super::parse::Parser;
use super::shell::{Flow, Shell};
use crate::base::errno::Errno;
use crate::os::kernel::tty::Termios;
use crate::os::kernel::{Disposition, Signal, TtyId};

/// Lines of history that are kept.
const HISTORY: usize = 1000;

/// What reading a line led to.
enum Line {
    Text(BString),
    Interrupted,
    End,
}

impl Shell {
    /// Reads the startup files.
    pub async fn startup(&mut self, login: bool, rc: bool) {
        let home = self.vars.get(b"HOME").cloned().unwrap_or_else(|| "/root".into());
        let mut files: Vec<BString> = Vec::new();
        if login {
            files.push("/etc/profile".into());
            let own = if self.dialect == Dialect::Bash {
                [".bash_profile", ".bash_login", ".profile"].as_slice()
            } else {
                &[".profile"]
            };
            let own = own.iter().map(|name| crate::base::path::join(&home, name.as_bytes()));
            files.extend(own.into_iter().find(|path| self.proc.stat(path).is_ok()));
        } else if self.dialect == Dialect::Bash && rc && self.interactive {
            files.push("/etc/bash.bashrc".into());
            files.push(crate::base::path::join(&home, b".bashrc"));
        } else if self.interactive {
            files.extend(self.vars.get(b"ENV").cloned());
        }
        for file in files {
            if let Ok(rope) = self.proc.read_file(&file).await {
                self.sources_deep += 1;
                let run = self.run_text(&rope.head(1 << 20)).await;
                self.sources_deep -= 1;
                if let Err(Flow::Exit(status)) = run {
                    self.trapped = Some(Flow::Exit(status));
                }
            }
        }
    }

    /// The session at a terminal; the exit status.
    pub async fn interact(&mut self, login: bool, rc: bool, profile: bool) -> i32 {
        let tty = self.proc.tty_of(0);
        self.proc.on_signal(Signal::INT, Disposition::Handle);
        for signal in [Signal::QUIT, Signal::TERM, Signal::TSTP, Signal::TTIN, Signal::TTOU] {
            self.proc.on_signal(signal, Disposition::Ignore);
        }
        self.options.monitor = tty.is_some() && self.proc.tty().is_some();
        if self.options.monitor
            && let Some(tty) = tty
        {
            let _ = self.proc.set_group(0, 0);
            self.proc.set_foreground(tty, self.proc.group());
        }
        let prompt = match self.dialect {
            Dialect::Bash => "\\s-\\v\\$ ",
            Dialect::Dash if self.proc.cred().uid == 0 => "# ",
            Dialect::Dash => "$ ",
            Dialect::Ash => "\\w \\$ ",
        };
        if self.vars.get(b"PS1").is_none() {
            self.vars.put(b"PS1", prompt);
        }
        if self.vars.get(b"PS2").is_none() {
            self.vars.put(b"PS2", "> ");
        }
        if self.dialect == Dialect::Bash {
            let home = self.vars.get(b"HOME").cloned().or_else(|| self.home_of(None)).unwrap_or_else(|| "/".into());
            if self.vars.get(b"HOME").is_none() {
                self.vars.put(b"HOME", home.clone());
            }
            let file = crate::base::path::join(&home, b".bash_history");
            if self.vars.get(b"HISTFILE").is_none() {
                self.vars.put(b"HISTFILE", file);
            }
        }
        if !login || profile {
            self.startup(login, rc).await;
        }
        if let Some(file) = self.vars.get(b"HISTFILE").cloned()
            && let Some(text) = self.small_file(&file)
        {
            self.history = Rc::new(text.lines().map(BString::from).collect());
        }
        let old = self.history.len();
        let status = self.prompt_loop(tty).await;
        self.save_history(old).await;
        for job in &self.jobs {
            if job.stopped.is_some() {
                let _ = self.proc.kill(-i64::from(job.group), Some(Signal::HUP));
                let _ = self.proc.kill(-i64::from(job.group), Some(Signal::CONT));
            }
        }
        self.finish(Ok(status)).await
    }

    async fn save_history(&self, old: usize) {
        let Some(file) = self.vars.get(b"HISTFILE").cloned() else { return };
        let new: Vec<&BString> = self.history.iter().skip(old.min(self.history.len())).collect();
        if new.is_empty() || self.dialect != Dialect::Bash {
            return;
        }
        let open = crate::os::kernel::Open { create: Some(0o600), ..crate::os::kernel::Open::APPEND };
        let Ok(fd) = self.proc.open(&file, open) else { return };
        let mut text = bstr::join("\n", new);
        text.push(b'\n');
        let _ = self.proc.write(fd, &text).await;
        let _ = self.proc.close(fd);
    }

    async fn prompt_loop(&mut self, tty: Option<TtyId>) -> i32 {
        let mut line_number = 1u32;
        loop {
            if let Some(Flow::Exit(status)) = self.trapped.take() {
                return status;
            }
            self.notify_jobs().await;
            if let Some(command) = self.vars.get(b"PROMPT_COMMAND").cloned()
                && self.dialect == Dialect::Bash
            {
                let status = self.status;
                let _ = self.run_text(&command).await;
                self.status = status;
            }
            let mut text = BString::default();
            let begins = tty.map(|tty| (tty, self.proc.line_begins(tty)));
            let list = loop {
                let variable: &[u8] = if text.is_empty() { b"PS1" } else { b"PS2" };
                let prompt = self.prompt(variable).await;
                match self.read_command_line(&prompt, tty).await {
                    Line::Interrupted => {
                        self.status = 130;
                        text.clear();
                        break None;
                    }
                    Line::End => {
                        if text.is_empty() {
                            if self.dialect == Dialect::Bash {
                                self.proc.eprint("exit\n").await;
                            } else if tty.is_some() {
                                self.proc.eprint("\n").await;
                            }
                            return self.status;
                        }
                        let mut parser = Parser::new(&text, self.dialect, None, true).at_line(line_number);
                        if let Err(error) = parser.next_line() {
                            self.report(&error).await;
                        }
                        text.clear();
                        break None;
                    }
                    Line::Text(line) => {
                        let line = match recalled(&line, &self.history, self.dialect) {
                            Ok(None) => line,
                            Ok(Some(expanded)) => {
                                // What was meant is shown before it is done.
                                self.proc.eprint([expanded.as_slice(), b"\n"].concat()).await;
                                expanded
                            }
                            Err(event) => {
                                self.proc.eprint(format!("bash: {event}: event not found\n")).await;
                                text.clear();
                                break None;
                            }
                        };
                        text.extend_from_slice(&line);
                        text.push(b'\n');
                    }
                }
                let mut parser =
                    Parser::new(&text, self.dialect, Some(Rc::clone(&self.aliases)), false).at_line(line_number);
                let mut lists = Vec::new();
                let parsed = loop {
                    match parser.next_line() {
                        Ok(Some(list)) => lists.push(list),
                        Ok(None) => break Ok(()),
                        Err(error) => break Err(error),
                    }
                };
                match parsed {
                    Ok(()) if parser.asks_for_more() && text.len() < 4 << 20 => {}
                    Ok(()) => {
                        if self.dialect == Dialect::Dash || self.dialect == Dialect::Ash {
                            line_number = parser.line();
                        }
                        break Some(lists);
                    }
                    Err(error) if error.is_incomplete() && text.len() < 4 << 20 => {}
                    Err(error) => {
                        self.line = error.line;
                        self.report(&error).await;
                        break Some(Vec::new());
                    }
                }
            };
            self.remember(&text);
            let line = begins
                .filter(|_| !text.trim_ascii().is_empty())
                .map(|(tty, begins)| self.proc.line_taken(tty, begins, text.trim_ascii()));
            for list in list.unwrap_or_default() {
                match self.run_list(&list, false).await {
                    Ok(_) | Err(Flow::Break(_) | Flow::Continue(_) | Flow::Return(_)) => {}
                    Err(Flow::Exit(status)) => {
                        line.inspect(|line| self.proc.line_ended(*line, status));
                        return status;
                    }
                    Err(Flow::Abort(status)) => {
                        self.status = status;
                        self.depth = 0;
                        break;
                    }
                    Err(Flow::Interrupt) => {
                        self.status = 130;
                        break;
                    }
                }
            }
            line.inspect(|line| self.proc.line_ended(*line, self.status));
            // Unwinding may have skipped these.
            (self.depth, self.loops, self.condition, self.functions_deep) = (0, 0, 0, 0);
            self.close_piped(0);
            while self.vars.has_scope() {
                self.vars.pop_scope();
            }
        }
    }

    fn remember(&mut self, text: &[u8]) {
        let line = text.trim_end_with(|c| c == '\n');
        if !line.trim_ascii().is_empty() {
            self.proc.note_entered(line);
        }
        if line.trim_ascii().is_empty() || self.history.last().is_some_and(|last| *last == line) {
            return;
        }
        let history = Rc::make_mut(&mut self.history);
        for line in line.lines() {
            history.push(line.into());
        }
        let excess = history.len().saturating_sub(HISTORY);
        history.drain(..excess);
    }

    /// A prompt with its escapes and expansions carried out.
    async fn prompt(&mut self, variable: &[u8]) -> String {
        let raw = self.vars.get(variable).cloned().unwrap_or_default();
        let mut out: Vec<u8> = Vec::new();
        let mut bytes = raw.iter().copied();
        let escapes = self.dialect != Dialect::Dash;
        while let Some(byte) = bytes.next() {
            if byte != b'\\' || !escapes {
                out.push(byte);
                continue;
            }
            let cwd = || {
                let cwd = self.vars.get(b"PWD").cloned().unwrap_or_default();
                match self
                    .vars
                    .get(b"HOME")
                    .filter(|home| home.len() > 1)
                    .and_then(|home| cwd.strip_prefix(home.as_slice()))
                {
                    Some(rest) if rest.is_empty() || rest.starts_with(b"/") => BString::from([b"~", rest].concat()),
                    _ => cwd,
                }
            };
            match bytes.next() {
                Some(b'u') => out.extend_from_slice(&self.user()),
                Some(b'h') => {
                    out.extend_from_slice(self.proc.hostname().split('.').next().unwrap_or_default().as_bytes())
                }
                Some(b'H') => out.extend_from_slice(self.proc.hostname().as_bytes()),
                Some(b'w') => out.extend_from_slice(&cwd()),
                Some(b'W') => {
                    let cwd = cwd();
                    let name = crate::base::path::file_name(&cwd);
                    out.extend_from_slice(if name.is_empty() { b"/" } else { name });
                }
                Some(b'$') => out.push(if self.proc.cred().uid == 0 { b'#' } else { b'$' }),
                Some(b's') => {
                    out.extend_from_slice(crate::base::path::file_name(self.name.trim_start_with(|c| c == '-')))
                }
                Some(b'v') => out.extend_from_slice(b"5.2"),
                Some(b'V') => out.extend_from_slice(b"5.2.15"),
                Some(b'n') => out.push(b'\n'),
                Some(b'r') => out.push(b'\r'),
                Some(b'a') => out.push(7),
                Some(b'e') => out.push(27),
                Some(b'[') => out.push(1),
                Some(b']') => out.push(2),
                Some(b'j') => out.extend_from_slice(self.jobs.len().to_string().as_bytes()),
                Some(b'!' | b'#') => out.extend_from_slice((self.history.len() + 1).to_string().as_bytes()),
                Some(b't') => {
                    let time = self.proc.now().rfc3339_nano();
                    out.extend_from_slice(time.get(11..19).unwrap_or_default().as_bytes());
                }
                Some(first @ b'0'..=b'3') => {
                    let mut value = u32::from(first - b'0');
                    for digit in bytes.by_ref().take(2) {
                        value = value * 8 + u32::from(digit.wrapping_sub(b'0') & 7);
                    }
                    out.push((value & 0xff) as u8);
                }
                Some(b'\\') => out.push(b'\\'),
                Some(other) => out.extend_from_slice(&[b'\\', other]),
                None => out.push(b'\\'),
            }
        }
        if out.contains(&b'$') || out.contains(&b'`') {
            let mut parser = Parser::new(&out, self.dialect, None, true);
            if let Ok(parts) = parser.quoted_parts(super::parse_word::Stop::End) {
                let status = self.status;
                if let Ok(text) = self.expand_document(&super::ast::Word { parts }).await {
                    out = text.into();
                }
                self.status = status;
            }
        }
        out.to_str_lossy().into_owned()
    }

    fn user(&self) -> BString {
        let uid = self.proc.cred().uid.to_string();
        let passwd = self.small_file(b"/etc/passwd").unwrap_or_default();
        let found = passwd.lines().find_map(|line| {
            let mut fields = line.split_str(":");
            let name = fields.next()?;
            (fields.nth(1)? == uid.as_bytes()).then(|| BString::from(name))
        });
        found.unwrap_or_else(|| if uid == "0" { "root".into() } else { "I have no name!".into() })
    }

    async fn read_command_line(&mut self, prompt: &str, tty: Option<TtyId>) -> Line {
        match tty {
            Some(tty) if self.dialect != Dialect::Dash => self.edit_line(prompt, tty).await,
            _ => self.plain_line(prompt).await,
        }
    }

    /// A line that the terminal itself edits, or that comes from a file.
    async fn plain_line(&mut self, prompt: &str) -> Line {
        self.proc.eprint(prompt.replace(['\u{1}', '\u{2}'], "")).await;
        let mut line = Vec::new();
        loop {
            match self.proc.read(0, 1).await {
                Ok(part) => match part.to_vec().first() {
                    Some(b'\n') => return Line::Text(line.into()),
                    Some(byte) => line.push(*byte),
                    None if line.is_empty() => return Line::End,
                    None => return Line::Text(line.into()),
                },
                Err(Errno::EINTR) => {
                    if self.poll_signals().await.is_err() {
                        self.proc.eprint("\n").await;
                        return Line::Interrupted;
                    }
                }
                Err(_) => return Line::End,
            }
        }
    }

    async fn edit_line(&mut self, prompt: &str, tty: TtyId) -> Line {
        let before = self.proc.termios(tty);
        self.proc.set_termios(tty, Termios { nl_to_crnl: true, ..Termios::RAW });
        let line = self.edit_raw(prompt, tty).await;
        self.proc.set_termios(tty, Termios { nl_to_crnl: true, ..before });
        line
    }

    async fn edit_raw(&mut self, prompt: &str, tty: TtyId) -> Line {
        let history = self.history.as_ref().clone();
        let mut editor = Editor::new(prompt, history);
        let above = prompt.rsplit_once('\n').map(|(above, _)| format!("{above}\n")).unwrap_or_default();
        let shown: String = prompt.chars().filter(|c| !matches!(c, '\u{1}' | '\u{2}')).collect();
        self.proc.eprint(&shown).await;
        let Ok(input) = self.proc.handle(0) else { return Line::End };
        let proc = self.proc.clone();
        let columns = || usize::from(proc.win_size(tty).cols.max(1));
        let mut stale = false;
        loop {
            // What is there is read at once; the screen is brought up to date only before waiting.
            let got = {
                let mut read = pin!(self.proc.read_handle(&input, 1));
                let now = std::future::poll_fn(|context| Poll::Ready(read.as_mut().poll(context))).await;
                match now {
                    Poll::Ready(got) => got,
                    Poll::Pending => {
                        if std::mem::take(&mut stale) {
                            let text = editor.redraw(columns());
                            self.proc.eprint(text).await;
                        }
                        read.await
                    }
                }
            };
            self.proc.tick().await;
            let byte = match got {
                Ok(part) => match part.to_vec().first() {
                    Some(byte) => *byte,
                    None => return Line::End,
                },
                Err(Errno::EINTR) => {
                    if self.poll_signals().await.is_err() {
                        return Line::Interrupted;
                    }
                    stale = true;
                    continue;
                }
                Err(_) => return Line::End,
            };
            match editor.feed(byte) {
                Key::None => stale |= byte != 0,
                key => {
                    let ends = matches!(key, Key::Enter | Key::Interrupt);
                    if ends {
                        editor.finish();
                    }
                    if std::mem::take(&mut stale) || ends {
                        let text = editor.redraw(columns());
                        self.proc.eprint(text).await;
                    }
                    match key {
                        Key::Enter => {
                            self.proc.eprint("\n").await;
                            return Line::Text(editor.text());
                        }
                        Key::Interrupt => {
                            self.proc.eprint("^C\n").await;
                            return Line::Interrupted;
                        }
                        Key::EndOfFile => return Line::End,
                        Key::Clear => {
                            editor.start_over();
                            let text = format!("\x1b[H\x1b[2J{above}{}", editor.redraw(columns()));
                            self.proc.eprint(text).await;
                        }
                        Key::Complete(again) => {
                            self.complete(&mut editor, again, columns()).await;
                            stale = true;
                        }
                        Key::None => {}
                    }
                }
            }
        }
    }

    async fn complete(&self, editor: &mut Editor, again: bool, columns: usize) {
        let before = editor.before();
        let found = self.candidates(&before);
        let common = common_prefix(&found.words);
        match found.words.as_slice() {
            [] => self.proc.eprint("\x07").await,
            [only] => {
                editor.insert(&only.get(found.word.len()..).unwrap_or_default().to_str_lossy());
                if !only.ends_with(b"/") && !only.ends_with(b"=") && !only.ends_with(b":") {
                    editor.insert(" ");
                }
            }
            _ if common.len() > found.word.len() => {
                editor.insert(&common.get(found.word.len()..).unwrap_or_default().to_str_lossy());
            }
            words if again => {
                let names: Vec<String> = words
                    .iter()
                    .map(|w| {
                        let cut = w.trim_end_with(|c| c == '/').rfind_byte(b'/').map_or(0, |at| at + 1);
                        w.get(cut..).unwrap_or_default().to_str_lossy().into_owned()
                    })
                    .collect();
                let mut out = String::from("\n");
                let wide = names.iter().map(|n| n.chars().count()).max().unwrap_or(0) + 2;
                let across = (columns / wide).max(1);
                let rows = names.len().div_ceil(across);
                for row in 0..rows {
                    let line: String = (0..across)
                        .filter_map(|column| names.get(column * rows + row))
                        .map(|name| format!("{name:<wide$}"))
                        .collect();
                    out.push_str(line.trim_end());
                    out.push('\n');
                }
                self.proc.eprint(out).await;
                editor.start_over();
            }
            _ => {}
        }
    }
}

/// A line with its references to earlier ones (`!!`, `!$`, `!*`, `!^`, `!-2`, `!12`, `!cat`) carried out; `None` when it has
/// none. The error is the reference that nothing answers to (bash 5.2, "History Expansion").
fn recalled(line: &[u8], history: &[BString], dialect: Dialect) -> Result<Option<BString>, BString> {
    if dialect != Dialect::Bash || !line.contains(&b'!') {
        return Ok(None);
    }
    let (mut out, mut changed) = (BString::default(), false);
    let (mut at, mut single, mut double) = (0, false, false);
    while let Some(byte) = line.get(at).copied() {
        let next = line.get(at + 1).copied().unwrap_or(b'\n');
        let before = at.checked_sub(1).and_then(|at| line.get(at)).copied().unwrap_or(b' ');
        match byte {
            b'\'' if !double => single = !single,
            b'"' if !single => double = !double,
            b'\\' if !single => {
                out.extend_from_slice(line.get(at..at + 2).unwrap_or(b"\\"));
                at += 2;
                continue;
            }
            b'!' if !single
                && !matches!(before, b'$' | b'[' | b'{')
                && !matches!(next, b' ' | b'\t' | b'\n' | b'=' | b'(')
                && (!double || next != b'"') =>
            {
                let rest = line.get(at + 1..).unwrap_or_default();
                let last = history.last();
                let words = |line: &BString| {
                    line.split_str(" ").filter(|word| !word.is_empty()).map(BString::from).collect::<Vec<_>>()
                };
                let length = match next {
                    b'!' | b'$' | b'*' | b'^' => 1,
                    b'-' => 1 + rest.iter().skip(1).take_while(|byte| byte.is_ascii_digit()).count(),
                    digit if digit.is_ascii_digit() => rest.iter().take_while(|byte| byte.is_ascii_digit()).count(),
                    _ => rest.iter().take_while(|byte| !b" \t;&|<>()\"':".contains(byte)).count(),
                };
                let name = rest.get(..length).unwrap_or_default();
                let number = name.to_str().ok().and_then(|name| name.parse::<i64>().ok());
                let found: Option<BString> = match (next, number) {
                    (b'!', _) => last.cloned(),
                    (b'$', _) => last.and_then(|line| words(line).pop()),
                    (b'^', _) => last.and_then(|line| words(line).into_iter().nth(1)),
                    (b'*', _) => last.map(|line| bstr::join(" ", words(line).get(1..).unwrap_or_default()).into()),
                    (_, Some(back)) if back < 0 => {
                        let place = usize::try_from(-back).ok().and_then(|back| history.len().checked_sub(back));
                        place.and_then(|place| history.get(place)).cloned()
                    }
                    (_, Some(number)) => usize::try_from(number - 1).ok().and_then(|place| history.get(place)).cloned(),
                    _ => history.iter().rev().find(|line| !name.is_empty() && line.starts_with(name)).cloned(),
                };
                match found {
                    Some(found) => out.extend_from_slice(&found),
                    None => return Err([b"!", name].concat().into()),
                }
                changed = true;
                at += 1 + length;
                continue;
            }
            _ => {}
        }
        out.push(byte);
        at += 1;
    }
    Ok(changed.then_some(out))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn earlier_lines_are_recalled() {
        let history: Vec<BString> = ["cp a -a", "ls /tmp/x"].map(BString::from).into();
        let recall = |line: &str| recalled(line.as_bytes(), &history, Dialect::Bash);
        for (line, expanded) in [
            ("sudo !!", "sudo ls /tmp/x"),
            ("cat !$", "cat /tmp/x"),
            ("!cp --size", "cp a -a --size"),
            ("!-2; !1", "cp a -a; cp a -a"),
            ("echo \"!!\"", "echo \"ls /tmp/x\""),
            ("echo !*", "echo /tmp/x"),
        ] {
            assert_eq!(recall(line), Ok(Some(expanded.into())), "{line}");
        }
        for line in
            ["echo hola!", "echo \"hola!\"", "echo '!!'", "[ ! -f x ]", "echo $!", "echo \\!x", "test a != b", "! true"]
        {
            assert_eq!(recall(line).map(|found| found.is_some_and(|found| found != *line)), Ok(false), "{line}");
        }
        assert_eq!(recall("!nope x"), Err("!nope".into()));
        assert_eq!(recall("!99"), Err("!99".into()));
        assert_eq!(recalled(b"echo !!", &history, Dialect::Dash), Ok(None));
        assert_eq!(recalled(b"!!", &[], Dialect::Bash), Err("!!".into()));
    }
}
