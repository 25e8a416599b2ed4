//! Expansion: from words to fields. Braces, tilde, parameters, substitutions, splitting, file names, in that order.

use crate::base::sort::Arrange;
use std::collections::BTreeMap;
use std::rc::Rc;

use bstr::{BStr, BString, ByteSlice};

use super::arith;
use super::ast::*;
use super::dialect::Dialect;
use super::parse::is_name;
use super::pattern;
use super::shell::{Flow, Later, Shell};
use super::variables::Value;
use crate::os::kernel::Status;

/// Most fields that one word may become by braces.
const MAX_BRACES: usize = 100_000;

/// A field that is being put together.
#[derive(Default, Clone)]
pub(super) struct Field {
    /// As text.
    text: BString,
    /// As a pattern, with quoted special characters behind backslashes.
    pattern: Vec<u8>,
    /// It exists even when it is empty.
    quoted: bool,
}

/// The fields of a word.
#[derive(Default)]
struct Fields {
    done: Vec<Field>,
    current: Field,
    /// Something stands in `current`, be it an empty quoted text.
    open: bool,
    split: bool,
    ifs: BString,
    /// The last field ended at a white-space separator.
    after_space: bool,
}

impl Fields {
    fn quoted(&mut self, text: &[u8]) {
        self.current.text.extend_from_slice(text);
        pattern::push_quoted(&mut self.current.pattern, text);
        self.current.quoted = true;
        self.open = true;
    }

    fn literal(&mut self, text: &[u8]) {
        self.current.text.extend_from_slice(text);
        self.current.pattern.extend_from_slice(text);
        self.open = true;
    }

    /// The unquoted result of an expansion.
    fn expanded(&mut self, text: &[u8]) {
        if !self.split {
            self.literal(text);
            return;
        }
        let mut rest = text;
        while let Some(byte) = rest.first().copied() {
            let run = rest.iter().position(|b| self.ifs.contains(b)).unwrap_or(rest.len());
            if run > 0 {
                self.after_space = false;
                self.literal(rest.get(..run).unwrap_or_default());
                rest = rest.get(run..).unwrap_or_default();
                continue;
            }
            if matches!(byte, b' ' | b'\t' | b'\n') {
                if self.open {
                    self.end_field();
                    self.after_space = true;
                }
            } else if self.open || !self.after_space {
                self.open = true;
                self.end_field();
            } else {
                // `a : b`: the colon belongs to the blank before it.
                self.after_space = false;
            }
            rest = rest.get(1..).unwrap_or_default();
        }
    }

    fn end_field(&mut self) {
        if self.open {
            self.done.push(std::mem::take(&mut self.current));
            self.open = false;
        }
    }
}

impl Shell {
    /// The fields that words become.
    pub async fn expand_words(&mut self, words: &[Word]) -> Result<Vec<BString>, Flow> {
        let mut out = Vec::new();
        for word in words {
            self.expand_word(word, &mut out).await?;
        }
        Ok(out)
    }

    /// Appends the fields that a word becomes.
    pub async fn expand_word(&mut self, word: &Word, out: &mut Vec<BString>) -> Result<(), Flow> {
        if self.dialect.is_bash() && word.parts.iter().any(|p| matches!(p, Part::Literal(t) if t.contains(&b'{'))) {
            for word in super::brace::expand(word, MAX_BRACES) {
                self.expand_one(&word, out).await?;
            }
            return Ok(());
        }
        self.expand_one(word, out).await
    }

    async fn expand_one(&mut self, word: &Word, out: &mut Vec<BString>) -> Result<(), Flow> {
        let mut fields = Fields { split: true, ifs: self.ifs(), ..Fields::default() };
        self.word_parts(word, &mut fields, false).await?;
        fields.end_field();
        for field in fields.done {
            if !self.options.noglob && pattern::is_pattern(&field.pattern) {
                let found = self.glob(&field.pattern).await;
                if !found.is_empty() {
                    out.extend(found);
                    continue;
                }
                if self.shopt.contains("nullglob") {
                    continue;
                }
            }
            out.push(field.text);
        }
        Ok(())
    }

    /// A word's text without splitting or file names: assignments, redirections, `case`.
    pub async fn expand_text(&mut self, word: &Word) -> Result<BString, Flow> {
        let mut fields = Fields::default();
        self.word_parts(word, &mut fields, true).await?;
        Ok(joined(fields))
    }

    /// A word as a pattern.
    pub async fn expand_pattern(&mut self, word: &Word) -> Result<Vec<u8>, Flow> {
        let mut fields = Fields::default();
        self.word_parts(word, &mut fields, false).await?;
        fields.end_field();
        let patterns: Vec<Vec<u8>> = fields.done.into_iter().map(|f| f.pattern).collect();
        Ok(patterns.join(&b' '))
    }

    /// The text of a here-document.
    pub async fn expand_document(&mut self, word: &Word) -> Result<BString, Flow> {
        let mut fields = Fields::default();
        self.parts(&word.parts, &mut fields, true).await?;
        Ok(joined(fields))
    }

    fn ifs(&self) -> BString {
        self.vars.get(b"IFS").cloned().unwrap_or_else(|| " \t\n".into())
    }

    async fn word_parts(&mut self, word: &Word, fields: &mut Fields, assignment: bool) -> Result<(), Flow> {
        if let Some(Part::Literal(first)) = word.parts.first()
            && let Some((home, rest)) = self.tilde(first, word.parts.len() == 1, assignment)
        {
            fields.quoted(&home);
            let literal = if assignment { self.tildes_after_colons(&rest) } else { rest };
            fields.literal(&literal);
            return self.parts(word.parts.get(1..).unwrap_or_default(), fields, false).await;
        }
        if assignment
            && let [Part::Literal(only)] = word.parts.as_slice()
            && only.contains_str(":~")
        {
            let text = self.tildes_after_colons(only);
            fields.literal(&text);
            return Ok(());
        }
        self.parts(&word.parts, fields, false).await
    }

    fn tildes_after_colons(&self, text: &[u8]) -> BString {
        let pieces: Vec<BString> = text
            .split_str(":")
            .enumerate()
            .map(|(at, piece)| match self.tilde(piece, true, false) {
                Some((home, rest)) if at > 0 => [home, rest].concat().into(),
                _ => piece.into(),
            })
            .collect();
        bstr::join(":", pieces).into()
    }

    /// `~` and what it stands for, at the start of a text, with the rest.
    fn tilde(&self, text: &[u8], whole: bool, assignment: bool) -> Option<(BString, BString)> {
        let rest = text.strip_prefix(b"~")?;
        let end = rest.iter().position(|b| *b == b'/' || (assignment && *b == b':'));
        if end.is_none() && !whole {
            return None;
        }
        let (user, tail) = rest.split_at(end.unwrap_or(rest.len()));
        let home = match user {
            b"" => self.vars.get(b"HOME").cloned().or_else(|| self.home_of(None))?,
            b"+" => self.vars.get(b"PWD").cloned()?,
            b"-" => self.vars.get(b"OLDPWD").cloned()?,
            user => self.home_of(Some(user))?,
        };
        Some((home, tail.into()))
    }

    /// A user's home folder, from /etc/passwd.
    pub fn home_of(&self, user: Option<&[u8]>) -> Option<BString> {
        let uid = self.proc.cred().uid.to_string();
        let passwd = self.small_file(b"/etc/passwd")?;
        passwd.lines().find_map(|line| {
            let fields: Vec<&[u8]> = line.split_str(":").collect();
            let found = match user {
                Some(user) => fields.first() == Some(&user),
                None => fields.get(2) == Some(&uid.as_bytes()),
            };
            if found { fields.get(5).map(|home| BString::from(*home)) } else { None }
        })
    }

    /// A small regular file's bytes, without waiting.
    pub fn small_file(&self, path: &[u8]) -> Option<Vec<u8>> {
        let place = self.proc.mounts(|m| m.find(&self.proc.caller(), path, true)).ok()?;
        self.proc.access(path, 4).ok()?;
        match place.content().ok()? {
            crate::os::fs::node::Content::File(rope) => Some(rope.head(1 << 20).to_vec()),
            _ => None,
        }
    }

    fn parts<'a>(&'a mut self, parts: &'a [Part], fields: &'a mut Fields, quoted: bool) -> Later<'a, Result<(), Flow>> {
        Box::pin(async move {
            for part in parts {
                self.part(part, fields, quoted).await?;
            }
            Ok(())
        })
    }

    async fn part(&mut self, part: &Part, fields: &mut Fields, quoted: bool) -> Result<(), Flow> {
        let put = |fields: &mut Fields, text: &[u8]| {
            if quoted { fields.quoted(text) } else { fields.expanded(text) }
        };
        match part {
            Part::Literal(text) => {
                if quoted {
                    fields.quoted(text)
                } else {
                    fields.literal(text)
                }
            }
            Part::Quoted(text) => fields.quoted(text),
            Part::Double(inner) => {
                let only_all = matches!(inner.as_slice(), [Part::Param(p)] if is_all(p));
                if !only_all {
                    // Even an empty text in quotes is a field.
                    fields.quoted(b"");
                }
                self.parts(inner, fields, true).await?;
            }
            Part::Param(param) => self.param(param, fields, quoted).await?,
            Part::Command(list) => {
                let text = self.substitute(list).await?;
                put(fields, &text);
            }
            Part::Arith(inner) => {
                let mut inside = Fields::default();
                self.parts(inner, &mut inside, true).await?;
                let text = joined(inside).replace("\"", "");
                let value = self.arithmetic(&text).await?;
                put(fields, value.to_string().as_bytes());
            }
            Part::Process(reads, list) => {
                let path = self.substitute_process(*reads, list).await?;
                put(fields, path.as_bytes());
            }
            Part::Bad(text) => {
                if self.dialect == Dialect::Bash {
                    self.complain(format!("{text}: bad substitution")).await;
                    return Err(Flow::Abort(1));
                }
                self.complain(if self.dialect == Dialect::Dash {
                    "Bad substitution"
                } else {
                    "syntax error: bad substitution"
                })
                .await;
                return Err(Flow::Abort(2));
            }
        }
        Ok(())
    }

    /// Evaluates arithmetic whose expansions are done.
    pub async fn arithmetic(&mut self, text: &[u8]) -> Result<i64, Flow> {
        let mut failed_name = None;
        let result = arith::evaluate(text, &mut Scope { shell: self, unbound: &mut failed_name });
        if let Some(name) = failed_name {
            return Err(self.unbound(name.as_bstr()).await);
        }
        match result {
            Ok(value) => Ok(value),
            Err(message) => {
                if self.dialect == Dialect::Bash {
                    self.complain(message).await;
                    return Err(Flow::Abort(1));
                }
                let short = if message.contains("division by 0") {
                    if self.dialect == Dialect::Dash { "division by zero" } else { "divide by zero" }.to_owned()
                } else if self.dialect == Dialect::Dash {
                    format!("expecting primary: \"{}\"", text.to_str_lossy())
                } else {
                    "syntax error".to_owned()
                };
                self.complain(
                    format!(
                        "arithmetic {}: {short}",
                        if self.dialect == Dialect::Dash { "expression" } else { "syntax error" }
                    )
                    .replace("arithmetic syntax error: syntax error", "arithmetic syntax error")
                    .replace("arithmetic syntax error: divide", "divide"),
                )
                .await;
                Err(Flow::Abort(2))
            }
        }
    }

    async fn unbound(&mut self, name: &BStr) -> Flow {
        match self.dialect {
            Dialect::Bash => {
                let dollar = if name.first().is_some_and(u8::is_ascii_digit) { "$" } else { "" };
                self.complain(format!("{dollar}{name}: unbound variable")).await;
                Flow::Abort(if self.source == super::shell::Source::Text { 127 } else { 1 })
            }
            _ => {
                self.complain(format!("{name}: parameter not set")).await;
                Flow::Abort(2)
            }
        }
    }

    /// Starts the commands of `<( )` or `>( )` at the other end of a pipe; the path that stands for our end of it.
    async fn substitute_process(&mut self, reads: bool, list: &Rc<List>) -> Result<String, Flow> {
        let (Ok((read, write)), true) = (self.proc.pipe(), self.piped.len() < 64) else {
            self.complain("cannot make pipe for process substitution: Too many open files").await;
            return Err(Flow::Abort(1));
        };
        let (own, other, number) = if reads { (read, write, 1) } else { (write, read, 0) };
        let list = Rc::clone(list);
        let forked = self.fork(None, move |mut child| {
            Box::pin(async move {
                let _ = child.proc.close(own);
                let _ = child.proc.dup2(other, number);
                if other != number {
                    let _ = child.proc.close(other);
                }
                let run = child.run_list(&list, true).await;
                child.finish(run).await
            })
        });
        let _ = self.proc.close(other);
        // High up, as bash does, where no script has descriptors of its own.
        let high = self.proc.dup(own, 60).unwrap_or(own);
        if high != own {
            let _ = self.proc.close(own);
        }
        match forked {
            Ok(pid) => {
                self.piped.push((high, pid));
                Ok(format!("/dev/fd/{high}"))
            }
            Err(error) => {
                let _ = self.proc.close(high);
                self.complain(format!("fork: {error}")).await;
                Err(Flow::Abort(254))
            }
        }
    }

    /// Closes the pipes of process substitutions from the given one on.
    pub(super) fn close_piped(&mut self, from: usize) {
        for (fd, pid) in self.piped.drain(from.min(self.piped.len())..) {
            let _ = self.proc.close(fd);
            // Who is done is taken in; nobody waits for the others.
            let _ = self.proc.try_wait(Some(pid), false);
        }
    }

    /// Runs commands and returns what they print, without the last newlines.
    pub async fn substitute(&mut self, list: &Rc<List>) -> Result<BString, Flow> {
        let Ok((read, write)) = self.proc.pipe() else {
            self.complain("cannot make pipe for command substitution: Too many open files").await;
            return Err(Flow::Abort(1));
        };
        let list = Rc::clone(list);
        let forked = self.fork(None, move |mut child| {
            Box::pin(async move {
                let _ = child.proc.close(read);
                let _ = child.proc.dup2(write, 1);
                if write != 1 {
                    let _ = child.proc.close(write);
                }
                let run = child.run_list(&list, true).await;
                child.finish(run).await
            })
        });
        let _ = self.proc.close(write);
        let pid = match forked {
            Ok(pid) => pid,
            Err(error) => {
                let _ = self.proc.close(read);
                self.complain(format!("fork: {error}")).await;
                return Err(Flow::Abort(254));
            }
        };
        let mut text = Vec::new();
        loop {
            match self.proc.read(read, 1 << 16).await {
                Ok(part) if part.is_empty() => break,
                Ok(part) => text.extend_from_slice(&part.to_vec()),
                Err(crate::base::errno::Errno::EINTR) => {
                    if let Err(flow) = self.poll_signals().await {
                        let _ = self.proc.close(read);
                        let _ = self.proc.kill(i64::from(pid), Some(crate::os::kernel::Signal::INT));
                        let _ = self.wait_for(pid).await;
                        return Err(flow);
                    }
                }
                Err(_) => break,
            }
            if text.len() > 64 << 20 {
                break;
            }
        }
        let _ = self.proc.close(read);
        let status = self.wait_for(pid).await;
        self.status = status.code();
        self.substituted = Some(self.status);
        if status == Status::Signaled(crate::os::kernel::Signal::INT) && self.is_prompting() {
            return Err(Flow::Interrupt);
        }
        text.retain(|b| *b != 0);
        while text.last() == Some(&b'\n') {
            text.pop();
        }
        Ok(text.into())
    }

    /// The value of a parameter; `None` when it is unset.
    fn value_of(&mut self, name: &[u8]) -> Option<BString> {
        let number = |n: usize| Some(BString::from(n.to_string()));
        match name {
            b"?" => number(usize::try_from(self.status & 0xff).unwrap_or(0)),
            b"$" => number(self.pid as usize),
            b"#" => number(self.args.len()),
            b"!" => self.last_background.map(|pid| pid.to_string().into()),
            b"-" => Some(self.option_letters()),
            b"0" => Some(self.name.clone()),
            b"@" | b"*" => (!self.args.is_empty()).then(|| bstr::join(" ", &self.args).into()),
            b"LINENO" => number(self.line.max(1) as usize),
            b"BASHPID" if self.dialect == Dialect::Bash => number(self.proc.pid() as usize),
            b"RANDOM" if self.dialect.is_bash() => number((self.proc.kernel().rng(11).next_u64() & 0x7fff) as usize),
            b"SECONDS" if self.dialect == Dialect::Bash => {
                number(self.proc.now().since(self.proc.kernel().boot_time()).as_secs() as usize)
            }
            digits if digits.iter().all(u8::is_ascii_digit) => {
                let at: usize = digits.to_str().ok()?.parse().ok()?;
                self.args.get(at.checked_sub(1)?).cloned()
            }
            name => self.vars.get(name).cloned(),
        }
    }

    /// All values of `$@`, `$*` or `${a[@]}`.
    fn all_of(&self, param: &Param) -> Vec<BString> {
        if matches!(param.name.as_slice(), b"@" | b"*") {
            return self.args.clone();
        }
        match self.vars.find(&param.name).map(|v| &v.value) {
            Some(Value::Array(items)) => items.values().cloned().collect(),
            Some(Value::Map(items)) => items.values().cloned().collect(),
            Some(Value::Text(text)) => vec![text.clone()],
            _ => Vec::new(),
        }
    }

    async fn param(&mut self, param: &Param, fields: &mut Fields, quoted: bool) -> Result<(), Flow> {
        if matches!(param.op, ParamOp::Names) {
            let names: Vec<BString> =
                self.vars.iter().map(|(name, _)| name.clone()).filter(|n| n.starts_with(&param.name)).collect();
            self.put_all(names, b'@', fields, quoted);
            return Ok(());
        }
        if param.indirect && is_all(param) {
            let keys: Vec<BString> = match self.vars.find(&param.name).map(|v| &v.value) {
                Some(Value::Array(items)) => items.keys().map(|k| k.to_string().into()).collect(),
                Some(Value::Map(items)) => items.keys().cloned().collect(),
                Some(Value::Text(_)) => vec!["0".into()],
                _ => Vec::new(),
            };
            self.put_all(keys, b'@', fields, quoted);
            return Ok(());
        }
        if is_all(param) {
            return self.all_param(param, fields, quoted).await;
        }
        let mut name = param.name.clone();
        let mut value = match &param.index {
            Some(index) => self.element(&param.name, index).await?,
            None => self.value_of(&param.name),
        };
        if param.indirect {
            name = value.unwrap_or_default();
            let is_parameter = is_name(&name) || (!name.is_empty() && name.iter().all(u8::is_ascii_digit));
            if !is_parameter && !matches!(name.as_slice(), b"@" | b"*" | b"#" | b"?") {
                self.complain(format!("{name}: invalid variable name")).await;
                return Err(Flow::Abort(1));
            }
            value = self.value_of(&name);
        }
        if value.is_none()
            && self.options.nounset
            && !matches!(&param.op, ParamOp::Default { .. })
            && !matches!(param.name.as_slice(), b"!" if self.dialect != Dialect::Bash)
        {
            return Err(self.unbound(name.as_bstr()).await);
        }
        let text = match &param.op {
            ParamOp::Default { op, null, word } => {
                let is_set = value.as_ref().is_some_and(|v| !(*null && v.is_empty()));
                match (op, is_set) {
                    (b'+', false) => BString::default(),
                    (b'+', true) | (b'-', false) => {
                        return self.default_word(word, fields, quoted).await;
                    }
                    (b'=', false) => {
                        let text = self.expand_text(word).await?;
                        if !is_name(&name) {
                            self.complain(format!("${name}: cannot assign in this way")).await;
                            return Err(Flow::Abort(1));
                        }
                        self.assign(&name, text.clone(), false).await?;
                        text
                    }
                    (b'?', false) => {
                        let text = self.expand_text(word).await?;
                        let text: BString = match (text.is_empty(), null, self.dialect) {
                            (false, ..) => text,
                            (_, true, Dialect::Bash) => "parameter null or not set".into(),
                            (_, false, Dialect::Bash) => "parameter not set".into(),
                            (_, true, _) => "parameter not set or null".into(),
                            _ => "parameter not set".into(),
                        };
                        self.complain(format!("{name}: {text}")).await;
                        let in_text = self.source == super::shell::Source::Text;
                        return Err(Flow::Abort(match self.dialect {
                            Dialect::Bash if in_text => 127,
                            Dialect::Bash => 1,
                            _ => 2,
                        }));
                    }
                    _ => value.unwrap_or_default(),
                }
            }
            op => {
                let value = value.unwrap_or_default();
                self.operate(op, value).await?
            }
        };
        if quoted {
            fields.quoted(&text)
        } else {
            fields.expanded(&text)
        }
        Ok(())
    }

    async fn default_word(&mut self, word: &Word, fields: &mut Fields, quoted: bool) -> Result<(), Flow> {
        if quoted {
            return self.parts(&word.parts, fields, true).await;
        }
        // Unquoted text within is split, quoted text is not.
        let home = match word.parts.first() {
            Some(Part::Literal(text)) => self.tilde(text, word.parts.len() == 1, false),
            _ => None,
        };
        let mut rest = word.parts.as_slice();
        if let Some((home, tail)) = home {
            fields.quoted(&home);
            fields.literal(&tail);
            rest = rest.get(1..).unwrap_or_default();
        }
        for part in rest {
            match part {
                Part::Literal(text) => fields.expanded(text),
                part => self.parts(std::slice::from_ref(part), fields, false).await?,
            }
        }
        Ok(())
    }

    async fn operate(&mut self, op: &ParamOp, value: BString) -> Result<BString, Flow> {
        Ok(match op {
            ParamOp::Length => value.chars().count().to_string().into(),
            ParamOp::Trim { suffix, longest, pattern } => {
                let pattern = self.expand_pattern(pattern).await?;
                pattern::trim(&value, &pattern, *suffix, *longest).into()
            }
            ParamOp::Replace { mode, pattern, with } => {
                let pattern = self.expand_pattern(pattern).await?;
                let with = self.expand_text(with).await?;
                pattern::replace(&value, &pattern, &with, *mode)
            }
            ParamOp::Slice(offset, length) => {
                let count = i64::try_from(value.chars().count()).unwrap_or(i64::MAX);
                let (start, end) = self.range(offset, length.as_ref(), count).await?;
                let chars: Vec<(usize, usize)> = value.char_indices().map(|(from, to, _)| (from, to)).collect();
                let from = chars.get(start).map_or(value.len(), |c| c.0);
                let to = chars.get(end).map_or(value.len(), |c| c.0);
                value.get(from..to.max(from)).unwrap_or_default().into()
            }
            ParamOp::Case { upper, all } => {
                let mut out = String::new();
                for (at, c) in value.to_str_lossy().chars().enumerate() {
                    if !*all && at > 0 {
                        out.push(c);
                    } else if *upper {
                        out.extend(c.to_uppercase());
                    } else {
                        out.extend(c.to_lowercase());
                    }
                }
                out.into()
            }
            ParamOp::Transform(b'Q') => super::quote::quote(&value),
            ParamOp::Transform(b'U') => value.to_str_lossy().to_uppercase().into(),
            ParamOp::Transform(b'L') => value.to_str_lossy().to_lowercase().into(),
            ParamOp::Transform(b'E') => super::escape::unescape(&value, super::escape::Escapes::AnsiC).0,
            _ => value,
        })
    }

    /// Start and end of `:offset:length` within `count` things.
    async fn range(&mut self, offset: &Word, length: Option<&Word>, count: i64) -> Result<(usize, usize), Flow> {
        let text = self.expand_document(offset).await?;
        let mut start = self.arithmetic(&text).await?;
        if start < 0 {
            start = start.saturating_add(count);
        }
        let mut end = count;
        if let Some(length) = length {
            let text = self.expand_document(length).await?;
            let length = self.arithmetic(&text).await?;
            end = if length < 0 { count.saturating_add(length) } else { start.saturating_add(length) };
        }
        if start < 0 || start > count {
            return Ok((usize::MAX, usize::MAX));
        }
        let end = end.clamp(start, count);
        Ok((usize::try_from(start).unwrap_or(0), usize::try_from(end).unwrap_or(0)))
    }

    async fn all_param(&mut self, param: &Param, fields: &mut Fields, quoted: bool) -> Result<(), Flow> {
        let star = match &param.index {
            Some(index) => index_letter(index) == Some(b'*'),
            None => param.name == "*",
        };
        let mut values = self.all_of(param);
        match &param.op {
            ParamOp::Value => {}
            ParamOp::Length => {
                let count = values.len().to_string();
                if quoted {
                    fields.quoted(count.as_bytes())
                } else {
                    fields.expanded(count.as_bytes())
                }
                return Ok(());
            }
            ParamOp::Default { op, null, word } => {
                let is_empty = values.iter().all(|v| v.is_empty());
                let is_set = !values.is_empty() && (!*null || !is_empty);
                match (op, is_set) {
                    (b'+', false) => values.clear(),
                    (b'+', true) | (b'-', false) => return self.default_word(word, fields, quoted).await,
                    _ => {}
                }
            }
            ParamOp::Slice(offset, length) => {
                if matches!(param.name.as_slice(), b"@" | b"*") {
                    values.insert(0, self.name.clone());
                }
                let count = i64::try_from(values.len()).unwrap_or(i64::MAX);
                let (start, end) = self.range(offset, length.as_ref(), count).await?;
                values = values.get(start..end.min(values.len())).unwrap_or_default().to_vec();
            }
            op => {
                let mut changed = Vec::new();
                for value in values {
                    changed.push(self.operate(op, value).await?);
                }
                values = changed;
            }
        }
        self.put_all(values, if star { b'*' } else { b'@' }, fields, quoted);
        Ok(())
    }

    fn put_all(&self, values: Vec<BString>, letter: u8, fields: &mut Fields, quoted: bool) {
        if quoted && (letter == b'*' || !fields.split) {
            let ifs = self.ifs();
            let space = [b' '];
            let separator = if letter == b'*' { ifs.get(..1).unwrap_or_default() } else { &space };
            fields.quoted(&bstr::join(separator, values));
            return;
        }
        for (at, value) in values.iter().enumerate() {
            if at > 0 {
                if fields.split {
                    fields.end_field();
                } else {
                    fields.literal(b" ");
                }
            }
            if quoted { fields.quoted(value) } else { fields.expanded(value) }
        }
    }

    /// An element of an array.
    async fn element(&mut self, name: &[u8], index: &Word) -> Result<Option<BString>, Flow> {
        let text = self.expand_document(index).await?;
        if let Some(Value::Map(items)) = self.vars.find(name).map(|v| &v.value) {
            return Ok(items.get(&text).cloned());
        }
        let at = self.arithmetic(&text).await?;
        Ok(self.vars.find(name).and_then(|v| match &v.value {
            Value::Array(items) => {
                let at = if at < 0 { items.keys().next_back().map_or(0, |last| last + 1).wrapping_add(at) } else { at };
                items.get(&at).cloned()
            }
            Value::Text(text) => (at == 0).then(|| text.clone()),
            _ => None,
        }))
    }

    /// The files that match a pattern, sorted.
    pub async fn glob(&mut self, pattern: &[u8]) -> Vec<BString> {
        let (mut found, rest): (Vec<BString>, &[u8]) = match pattern.first() {
            Some(b'/') => (vec!["/".into()], pattern.trim_start_with(|c| c == '/')),
            _ => (vec![BString::default()], pattern),
        };
        let names: Vec<&[u8]> = rest.split_str("/").collect();
        for (at, name) in names.iter().enumerate() {
            let last = at + 1 == names.len();
            let mut next = Vec::new();
            for base in &found {
                self.proc.tick().await;
                if !pattern::is_pattern(name) {
                    let mut path = base.clone();
                    path.extend_from_slice(&pattern::literal(name));
                    let exists = name.is_empty() || self.proc.lstat(if path.is_empty() { b"." } else { &path }).is_ok();
                    if exists {
                        if !last {
                            path.push(b'/');
                        }
                        next.push(path);
                    }
                    continue;
                }
                let Ok(entries) = self.proc.readdir(if base.is_empty() { b"." } else { base }) else { continue };
                let hidden = name.starts_with(b".") || name.starts_with(b"\\.");
                let mut names: Vec<BString> = entries.into_iter().map(|e| e.name.clone()).collect();
                if hidden {
                    names.splice(0..0, [BString::from("."), BString::from("..")]);
                }
                for entry in names {
                    let shows = hidden || !entry.starts_with(b".") || self.shopt.contains("dotglob");
                    if !shows || !pattern::matches(name, &entry) {
                        continue;
                    }
                    let mut path = base.clone();
                    path.extend_from_slice(&entry);
                    if !last {
                        if !self.proc.stat(&path).is_ok_and(|s| s.is_dir()) {
                            continue;
                        }
                        path.push(b'/');
                    }
                    next.push(path);
                }
            }
            found = next;
        }
        found.arrange();
        found
    }

    /// `$-`.
    pub fn option_letters(&self) -> BString {
        let o = &self.options;
        let mut out = BString::default();
        for (on, letter) in [
            (o.allexport, b'a'),
            (o.errexit, b'e'),
            (o.noglob, b'f'),
            (self.dialect == Dialect::Bash, b'h'),
            (self.interactive, b'i'),
            (o.monitor, b'm'),
            (o.noexec, b'n'),
            (o.nounset, b'u'),
            (o.verbose, b'v'),
            (o.xtrace, b'x'),
            (self.dialect == Dialect::Bash, b'B'),
            (o.noclobber, b'C'),
            (self.dialect == Dialect::Bash && self.interactive, b'H'),
            (self.source == super::shell::Source::Text, b'c'),
            (self.source == super::shell::Source::Input, b's'),
        ] {
            if on {
                out.push(letter);
            }
        }
        out
    }
}

fn joined(mut fields: Fields) -> BString {
    fields.end_field();
    let texts: Vec<BString> = fields.done.into_iter().map(|f| f.text).collect();
    bstr::join(" ", texts).into()
}

fn index_letter(index: &Word) -> Option<u8> {
    match index.parts.as_slice() {
        [Part::Quoted(t) | Part::Literal(t)] if t == "@" || t == "*" => t.first().copied(),
        _ => None,
    }
}

/// Whether a parameter stands for several values.
fn is_all(param: &Param) -> bool {
    match &param.index {
        Some(index) => index_letter(index).is_some(),
        None => matches!(param.name.as_slice(), b"@" | b"*"),
    }
}

/// The shell's variables, for arithmetic.
struct Scope<'a> {
    shell: &'a mut Shell,
    unbound: &'a mut Option<BString>,
}

impl arith::Variables for Scope<'_> {
    fn get(&mut self, name: &BStr, index: Option<i64>) -> Option<BString> {
        let value = match index {
            None => self.shell.value_of(name),
            Some(at) => match self.shell.vars.find(name).map(|v| &v.value) {
                Some(Value::Array(items)) => items.get(&at).cloned(),
                Some(Value::Text(text)) if at == 0 => Some(text.clone()),
                Some(Value::Map(items)) => items.get(BStr::new(&at.to_string())).cloned(),
                _ => None,
            },
        };
        if value.is_none() && self.shell.options.nounset {
            self.unbound.get_or_insert(name.into());
        }
        value
    }

    fn set(&mut self, name: &BStr, index: Option<i64>, value: i64) -> Result<(), String> {
        if self.shell.vars.is_readonly(name) {
            return Err(format!("{name}: readonly variable"));
        }
        let text = BString::from(value.to_string());
        match index {
            None => self.shell.vars.put(name, text),
            Some(at) => {
                let variable = self.shell.vars.entry(name);
                match &mut variable.value {
                    Value::Array(items) => drop(items.insert(at, text)),
                    Value::Map(items) => drop(items.insert(at.to_string().into(), text)),
                    Value::Text(old) => {
                        variable.value = Value::Array(BTreeMap::from([(0, std::mem::take(old)), (at, text)]));
                    }
                    Value::Unset => variable.value = Value::Array(BTreeMap::from([(at, text)])),
                }
            }
        }
        Ok(())
    }
}
