//! Commands: lists, pipelines, compound commands, redirections.

use std::cell::OnceCell;
use std::rc::Rc;

use bstr::{BString, ByteSlice};

use super::ast::*;
use super::dialect::Dialect;
use super::parse::{Fault, Parse, Parser, PendingDoc, is_meta, is_name};
use super::parse_word::Stop;

/// Words that can't start a command.
const CLOSERS: &[&str] = &["then", "else", "elif", "fi", "do", "done", "esac", "}"];

impl Parser {
    /// All commands up to the end of the text.
    pub(super) fn whole(&mut self) -> Parse<List> {
        let mut list = List::default();
        while let Some(line) = self.next_line()? {
            list.items.extend(line.items);
        }
        Ok(list)
    }

    /// The list inside `$(`, up to and with the `)`.
    pub(super) fn list_until_paren(&mut self) -> Parse<List> {
        let list = self.list()?;
        if self.take(")") {
            return Ok(list);
        }
        if self.at_end() {
            return Err(self.error(Fault::Unterminated(b')')));
        }
        Err(self.unexpected())
    }

    /// Commands up to a closing word or operator, which is left.
    fn list(&mut self) -> Parse<List> {
        let mut list = List::default();
        loop {
            self.skip_newlines()?;
            if self.at_end() || self.closes() {
                return Ok(list);
            }
            list.items.push(Rc::new(self.and_or()?));
            self.skip_blanks();
            match self.operator() {
                Some("\n") => self.newline()?,
                Some(op @ (";" | "&")) => {
                    self.at += 1;
                    if let Some(item) = list.items.last_mut().and_then(Rc::get_mut) {
                        item.background = op == "&";
                    }
                }
                _ => return Ok(list),
            }
        }
    }

    fn closes(&self) -> bool {
        matches!(self.operator(), Some(")" | ";;" | ";&" | ";;&"))
            || CLOSERS.iter().any(|word| self.peek_plain() == word.as_bytes())
    }

    /// A list that must not be empty.
    fn commands(&mut self) -> Parse<List> {
        let list = self.list()?;
        if list.items.is_empty() { Err(self.unexpected()) } else { Ok(list) }
    }

    pub(super) fn and_or(&mut self) -> Parse<AndOr> {
        self.skip_blanks();
        let start = self.src.len() - self.at;
        let first = Rc::new(self.pipeline()?);
        let mut rest = Vec::new();
        loop {
            self.skip_blanks();
            let and = match self.operator() {
                Some("&&") => true,
                Some("||") => false,
                _ => break,
            };
            self.at += 2;
            self.skip_newlines()?;
            rest.push((and, Rc::new(self.pipeline()?)));
        }
        Ok(AndOr { first, rest, background: false, text: self.text_from(start) })
    }

    /// The text from a place (counted from the end, which aliases don't move) to here.
    fn text_from(&self, from_end: usize) -> BString {
        let start = self.src.len().saturating_sub(from_end);
        let text = self.src.get(start..self.at).unwrap_or_default().trim_ascii();
        text.get(..text.len().min(1000)).unwrap_or_default().into()
    }

    fn pipeline(&mut self) -> Parse<Pipeline> {
        self.skip_blanks();
        let start = self.src.len() - self.at;
        let (mut bang, mut timed) = (false, false);
        loop {
            match self.peek_plain() {
                b"!" => {
                    self.at += 1;
                    bang = !bang;
                }
                b"time" if self.dialect == Dialect::Bash => {
                    self.at += 4;
                    timed = true;
                }
                _ => break,
            }
            self.skip_blanks();
        }
        let mut commands = Vec::new();
        if timed && (self.at_end() || matches!(self.operator(), Some("\n" | ";"))) {
            commands.push(self.empty_command());
        } else {
            commands.push(self.command()?);
        }
        loop {
            self.skip_blanks();
            match self.operator() {
                Some("|") => self.at += 1,
                Some("|&") => {
                    self.at += 2;
                    let both = Redirect {
                        fd: Some(2),
                        op: RedirectOp::DupOut,
                        target: Word::quoted("1"),
                        body: Rc::default(),
                    };
                    if let Some(command) = commands.last_mut().and_then(Rc::get_mut) {
                        command.redirects.push(both);
                    }
                }
                _ => break,
            }
            self.skip_newlines()?;
            commands.push(self.command()?);
        }
        Ok(Pipeline { bang, timed, commands, text: self.text_from(start) })
    }

    fn empty_command(&self) -> Rc<Command> {
        Rc::new(Command { kind: Kind::Simple(Vec::new(), Vec::new()), redirects: Vec::new(), line: self.line })
    }

    fn command(&mut self) -> Parse<Rc<Command>> {
        self.deeper(Self::command_here)
    }

    fn command_here(&mut self) -> Parse<Rc<Command>> {
        self.skip_blanks();
        self.expand_alias();
        self.skip_blanks();
        let line = self.line;
        let kind = if self.operator() == Some("(") {
            if self.rest().starts_with(b"((")
                && self.dialect == Dialect::Bash
                && let Some(Ok(end)) = self.arith_end(self.at + 2)
            {
                let word = self.arith_text(self.at + 2, end)?;
                self.at = end + 2;
                Kind::Arith(word)
            } else {
                self.at += 1;
                let list = self.commands()?;
                if !self.take(")") {
                    return Err(self.missing(")"));
                }
                Kind::Subshell(Rc::new(list))
            }
        } else {
            let word = self.peek_plain().to_vec();
            match word.as_slice() {
                b"{" => {
                    self.at += 1;
                    let list = self.commands()?;
                    self.keyword("}")?;
                    Kind::Group(list)
                }
                b"if" => self.if_clause()?,
                b"while" | b"until" => {
                    self.at += 5;
                    let condition = self.commands()?;
                    let body = self.do_group()?;
                    Kind::While { until: word == b"until", condition, body }
                }
                b"for" => self.for_clause()?,
                b"case" => self.case_clause()?,
                b"[[" if self.dialect.is_bash() => {
                    self.at += 2;
                    let test = self.test_or()?;
                    self.skip_newlines()?;
                    if self.peek_plain() != b"]]" {
                        return Err(self.unexpected());
                    }
                    self.at += 2;
                    Kind::Test(test)
                }
                b"function" if self.dialect.is_bash() => {
                    self.at += 8;
                    self.skip_blanks();
                    let name = BString::from(self.peek_plain());
                    if name.is_empty() {
                        return Err(self.unexpected());
                    }
                    self.at += name.len();
                    if self.take("(") && !self.take(")") {
                        return Err(self.unexpected());
                    }
                    return self.function(name, line);
                }
                _ => return self.simple(line),
            }
        };
        let mut redirects = Vec::new();
        while let Some(redirect) = self.redirect()? {
            redirects.push(redirect);
        }
        Ok(Rc::new(Command { kind, redirects, line }))
    }

    fn arith_text(&mut self, start: usize, end: usize) -> Parse<Word> {
        let inner = self.src.get(start..end).unwrap_or_default().to_vec();
        let parts = self.deeper(|p| p.sub(&inner).quoted_parts(Stop::End))?;
        self.line += u32::try_from(inner.iter().filter(|b| **b == b'\n').count()).unwrap_or(0);
        Ok(Word { parts })
    }

    fn missing(&mut self, what: &'static str) -> super::parse::SyntaxError {
        self.skip_blanks();
        if self.at_end() { self.error(Fault::Incomplete(what)) } else { self.unexpected() }
    }

    fn keyword(&mut self, word: &'static str) -> Parse<()> {
        self.skip_newlines()?;
        if self.peek_plain() == word.as_bytes() {
            self.at += word.len();
            return Ok(());
        }
        Err(self.missing(word))
    }

    fn do_group(&mut self) -> Parse<List> {
        self.skip_blanks();
        if self.operator() == Some(";") {
            self.at += 1;
        }
        self.keyword("do")?;
        let body = self.commands()?;
        self.keyword("done")?;
        Ok(body)
    }

    fn if_clause(&mut self) -> Parse<Kind> {
        self.at += 2;
        let mut branches = Vec::new();
        loop {
            let condition = self.commands()?;
            self.keyword("then")?;
            branches.push((condition, self.commands()?));
            self.skip_newlines()?;
            match self.peek_plain() {
                b"elif" => self.at += 4,
                b"else" => {
                    self.at += 4;
                    let otherwise = self.commands()?;
                    self.keyword("fi")?;
                    return Ok(Kind::If(branches, Some(otherwise)));
                }
                _ => {
                    self.keyword("fi")?;
                    return Ok(Kind::If(branches, None));
                }
            }
        }
    }

    fn for_clause(&mut self) -> Parse<Kind> {
        self.at += 3;
        self.skip_blanks();
        if self.rest().starts_with(b"((") && self.dialect == Dialect::Bash {
            let start = self.at + 2;
            let Some(Ok(end)) = self.arith_end(start) else { return Err(self.missing("))")) };
            let inner = self.src.get(start..end).unwrap_or_default().to_vec();
            let mut words = [Word::default(), Word::default(), Word::default()];
            let mut pieces = inner.splitn_str(3, ";");
            for word in &mut words {
                let Some(piece) = pieces.next() else { return Err(self.unexpected()) };
                *word = Word { parts: self.deeper(|p| p.sub(piece).quoted_parts(Stop::End))? };
            }
            self.at = end + 2;
            self.skip_newlines()?;
            if self.peek_plain() == b"{" {
                self.at += 1;
                let body = self.commands()?;
                self.keyword("}")?;
                return Ok(Kind::ArithFor(Box::new(words), body));
            }
            let body = self.do_group()?;
            return Ok(Kind::ArithFor(Box::new(words), body));
        }
        let name = BString::from(self.peek_plain());
        if !is_name(&name) {
            return Err(self.unexpected());
        }
        self.at += name.len();
        self.skip_newlines()?;
        let words = if self.peek_plain() == b"in" {
            self.at += 2;
            let mut words = Vec::new();
            while let Some(word) = self.word()? {
                words.push(word);
            }
            match self.operator() {
                Some(";") => self.at += 1,
                Some("\n") => self.newline()?,
                _ => return Err(self.unexpected()),
            }
            Some(words)
        } else {
            None
        };
        let body = self.do_group()?;
        Ok(Kind::For(name, words, body))
    }

    fn case_clause(&mut self) -> Parse<Kind> {
        self.at += 4;
        let Some(subject) = self.word()? else { return Err(self.unexpected()) };
        self.keyword("in")?;
        let mut items = Vec::new();
        loop {
            self.skip_newlines()?;
            if self.peek_plain() == b"esac" {
                self.at += 4;
                return Ok(Kind::Case(subject, items));
            }
            if self.at_end() {
                return Err(self.missing("esac"));
            }
            self.take("(");
            let mut patterns = Vec::new();
            loop {
                let Some(word) = self.word()? else { return Err(self.unexpected()) };
                patterns.push(word);
                if !self.take("|") {
                    break;
                }
            }
            if !self.take(")") {
                return Err(self.unexpected());
            }
            let body = self.list()?;
            self.skip_newlines()?;
            let end = match self.operator() {
                Some(";;") => CaseEnd::Break,
                Some(";&") => CaseEnd::Fall,
                Some(";;&") => CaseEnd::Test,
                _ => {
                    items.push(CaseItem { patterns, body, end: CaseEnd::Break });
                    self.keyword("esac")?;
                    return Ok(Kind::Case(subject, items));
                }
            };
            self.at += if end == CaseEnd::Test { 3 } else { 2 };
            items.push(CaseItem { patterns, body, end });
        }
    }

    fn function(&mut self, name: BString, line: u32) -> Parse<Rc<Command>> {
        self.skip_newlines()?;
        let body = self.command()?;
        if matches!(body.kind, Kind::Simple(..)) && self.dialect.is_bash() {
            return Err(self.unexpected());
        }
        Ok(Rc::new(Command { kind: Kind::Function(name, body), redirects: Vec::new(), line }))
    }

    /// Puts an alias's value in its place when the next word is one.
    fn expand_alias(&mut self) {
        let Some(aliases) = self.aliases.clone() else { return };
        for _ in 0..64 {
            let left = self.src.len() - self.at;
            // What was being expanded here has been read past.
            self.expanding.retain(|(_, end)| *end < left);
            let word = BString::from(self.peek_plain());
            let Some(value) = aliases.get(&word) else { return };
            if self.expanding.iter().any(|(name, _)| *name == word) || self.src.len() > 8 << 20 {
                return;
            }
            let end = left - word.len();
            self.alias_next = value.ends_with(b" ");
            self.src.splice(self.at..self.at + word.len(), value.iter().copied());
            self.expanding.push((word, end));
            self.skip_blanks();
        }
    }

    fn simple(&mut self, line: u32) -> Parse<Rc<Command>> {
        if self.closes() && self.operator().is_none() {
            return Err(self.unexpected());
        }
        let (mut assigns, mut words, mut redirects) = (Vec::new(), Vec::new(), Vec::new());
        loop {
            self.skip_blanks();
            if let Some(redirect) = self.redirect()? {
                redirects.push(redirect);
                continue;
            }
            let declares = words.first().and_then(Word::plain).is_some_and(|name| {
                matches!(name.as_slice(), b"declare" | b"local" | b"export" | b"readonly" | b"typeset")
            });
            if words.is_empty()
                && let Some(assign) = self.assignment()?
            {
                assigns.push(assign);
                continue;
            }
            if declares && let Some(end) = self.array_start() {
                // `declare a=(...)`: the value is kept as an assignment of its own.
                let name = BString::from(self.rest().get(..end).unwrap_or_default());
                if let Some(assign) = self.assignment()? {
                    assigns.push(assign);
                    words.push(Word::quoted(name));
                    continue;
                }
            }
            if std::mem::take(&mut self.alias_next) && !words.is_empty() {
                self.expand_alias();
            }
            let Some(word) = self.word()? else { break };
            words.push(word);
            if words.len() == 1
                && assigns.is_empty()
                && redirects.is_empty()
                && let Some(name) = words.first().and_then(Word::plain).cloned()
            {
                self.skip_blanks();
                if self.operator() == Some("(") {
                    self.at += 1;
                    if !self.take(")") {
                        // Bash names what stands after the bracket, dash the bracket itself.
                        return Err(self.unexpected());
                    }
                    return self.function(name, line);
                }
            }
        }
        if assigns.is_empty() && words.is_empty() && redirects.is_empty() {
            return Err(self.unexpected());
        }
        self.skip_blanks();
        if self.operator() == Some("(") {
            return Err(self.unexpected());
        }
        Ok(Rc::new(Command { kind: Kind::Simple(assigns, words), redirects, line }))
    }

    /// Where the name of an array assignment that stands here ends.
    fn array_start(&self) -> Option<usize> {
        let rest = self.rest();
        let end = rest.iter().position(|b| !b.is_ascii_alphanumeric() && *b != b'_')?;
        (is_name(rest.get(..end)?) && rest.get(end..)?.starts_with(b"=(")).then_some(end)
    }

    fn assignment(&mut self) -> Parse<Option<Assign>> {
        let rest = self.rest();
        let Some(end) = rest.iter().position(|b| !b.is_ascii_alphanumeric() && *b != b'_') else { return Ok(None) };
        let Some(name) = rest.get(..end).filter(|name| is_name(name)).map(BString::from) else { return Ok(None) };
        let bash = self.dialect == Dialect::Bash;
        let (saved, line) = (self.at, self.line);
        let mut index = None;
        if bash && rest.get(end) == Some(&b'[') {
            self.at += end;
            match self.index() {
                Ok(word) => index = Some(word),
                Err(_) => {
                    (self.at, self.line) = (saved, line);
                    return Ok(None);
                }
            }
        } else {
            self.at += end;
        }
        let append = bash && self.rest().starts_with(b"+=");
        if !append && self.peek() != b'=' {
            (self.at, self.line) = (saved, line);
            return Ok(None);
        }
        self.at += 1 + usize::from(append);
        if bash && self.peek() == b'(' && index.is_none() {
            self.at += 1;
            let mut items = Vec::new();
            loop {
                self.skip_newlines()?;
                if self.take(")") {
                    break;
                }
                if self.at_end() {
                    return Err(self.error(Fault::Unterminated(b')')));
                }
                let mut key = None;
                if self.peek() == b'[' {
                    let (saved, line) = (self.at, self.line);
                    match self.index() {
                        Ok(word) if self.peek() == b'=' => {
                            self.at += 1;
                            key = Some(word);
                        }
                        _ => (self.at, self.line) = (saved, line),
                    }
                }
                let word = if key.is_some() && is_meta(self.peek()) { Some(Word::default()) } else { self.word()? };
                let Some(word) = word else { return Err(self.unexpected()) };
                items.push((key, word));
            }
            return Ok(Some(Assign { name, index, append, value: AssignValue::Array(items) }));
        }
        let value = if is_meta(self.peek()) { Word::default() } else { Word { parts: self.parts(Stop::Meta)? } };
        Ok(Some(Assign { name, index, append, value: AssignValue::Word(value) }))
    }

    fn redirect(&mut self) -> Parse<Option<Redirect>> {
        self.skip_blanks();
        let digits = self.rest().iter().take_while(|b| b.is_ascii_digit()).count();
        let mut fd = None;
        if digits > 0 {
            if digits > 4 || !matches!(self.peek_at(digits), b'<' | b'>') {
                return Ok(None);
            }
            fd = self.rest().get(..digits).and_then(|d| d.to_str().ok()).and_then(|d| d.parse().ok());
            self.at += digits;
        } else if self.dialect == Dialect::Bash && matches!(self.rest(), [b'<' | b'>', b'(', ..]) {
            return Ok(None);
        }
        let op = match self.operator() {
            Some("<") => RedirectOp::Read,
            Some(">" | ">|") => RedirectOp::Write,
            Some(">>") => RedirectOp::Append,
            Some("<>") => RedirectOp::ReadWrite,
            Some("<&") => RedirectOp::DupIn,
            Some(">&") => RedirectOp::DupOut,
            Some("&>") => RedirectOp::Both,
            Some("&>>") => RedirectOp::BothAppend,
            Some("<<" | "<<-") => RedirectOp::HereDoc,
            Some("<<<") => RedirectOp::HereString,
            _ => return Ok(None),
        };
        let text = self.operator().unwrap_or_default();
        self.at += text.len();
        let Some(target) = self.word()? else { return Err(self.unexpected()) };
        let body = Rc::new(OnceCell::new());
        if op == RedirectOp::HereDoc {
            let (delimiter, quoted) = delimiter(&target);
            self.pending.push(PendingDoc { delimiter, quoted, strip_tabs: text == "<<-", body: Rc::clone(&body) });
        }
        Ok(Some(Redirect { fd, op, target, body }))
    }

    fn test_or(&mut self) -> Parse<Test> {
        let mut left = self.test_and()?;
        loop {
            self.skip_newlines()?;
            if self.operator() != Some("||") {
                return Ok(left);
            }
            self.at += 2;
            left = Test::Or(Box::new(left), Box::new(self.test_and()?));
        }
    }

    fn test_and(&mut self) -> Parse<Test> {
        let mut left = self.test_not()?;
        loop {
            self.skip_newlines()?;
            if self.operator() != Some("&&") {
                return Ok(left);
            }
            self.at += 2;
            left = Test::And(Box::new(left), Box::new(self.test_not()?));
        }
    }

    fn test_not(&mut self) -> Parse<Test> {
        self.deeper(|p| {
            p.skip_newlines()?;
            if p.peek_plain() == b"!" {
                p.at += 1;
                return Ok(Test::Not(Box::new(p.test_not()?)));
            }
            if p.take("(") {
                let inner = p.test_or()?;
                return if p.take(")") { Ok(inner) } else { Err(p.missing(")")) };
            }
            p.test_primary()
        })
    }

    fn test_primary(&mut self) -> Parse<Test> {
        if self.peek_plain() == b"]]" {
            return Err(self.unexpected());
        }
        let Some(first) = self.word()? else { return Err(self.unexpected()) };
        self.skip_blanks();
        if let Some(op) = first.plain().filter(|op| op.len() == 2 && op.starts_with(b"-"))
            && !self.at_end()
            && self.peek_plain() != b"]]"
            && !is_meta(self.peek())
            && !matches!(self.peek_plain(), b"=" | b"==" | b"!=" | b"=~")
        {
            let Some(operand) = self.word()? else { return Err(self.unexpected()) };
            return Ok(Test::Unary(op.clone(), operand));
        }
        let op: BString = match self.operator() {
            Some(op @ ("<" | ">")) => {
                self.at += 1;
                op.into()
            }
            Some("&&" | "||" | ")" | "\n") => return Ok(Test::Unary("-n".into(), first)),
            Some(_) => return Err(self.unexpected()),
            None if self.at_end() => return Err(self.error(Fault::Incomplete("]]"))),
            None if self.peek_plain() == b"]]" => return Ok(Test::Unary("-n".into(), first)),
            None => {
                let op = BString::from(self.peek_plain());
                let known: &[&str] =
                    &["=", "==", "!=", "=~", "-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-nt", "-ot", "-ef"];
                if !known.iter().any(|k| op == *k) {
                    return Err(self.unexpected());
                }
                self.at += op.len();
                op
            }
        };
        self.skip_blanks();
        let second = if op == "=~" { Some(Word { parts: self.parts(Stop::Blank)? }) } else { self.word()? };
        match second {
            Some(second) => Ok(Test::Binary(first, op, second)),
            None => Err(self.unexpected()),
        }
    }
}

/// A here-document's delimiter with its quotes removed, and whether it had any.
fn delimiter(word: &Word) -> (BString, bool) {
    fn collect(parts: &[Part], text: &mut BString, quoted: &mut bool) {
        for part in parts {
            match part {
                Part::Literal(t) => text.extend_from_slice(t),
                Part::Quoted(t) => {
                    *quoted = true;
                    text.extend_from_slice(t);
                }
                Part::Double(inner) => {
                    *quoted = true;
                    collect(inner, text, quoted);
                }
                Part::Param(p) if matches!(p.op, ParamOp::Value) => {
                    text.push(b'$');
                    text.extend_from_slice(&p.name);
                }
                _ => {}
            }
        }
    }
    let (mut text, mut quoted) = (BString::default(), false);
    collect(&word.parts, &mut text, &mut quoted);
    (text, quoted)
}
