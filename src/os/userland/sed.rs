//! `sed`: addresses, `s y d p q i a c n N h H g G x = b t :` and blocks; other commands are refused.

use bstr::BString;
use regex_lite::Regex;

use super::pattern::{self, Grammar};
use super::program::{Done, Lines, Run, chomp, run, spec, text};
use crate::base::rope::Rope;
use crate::os::args::{flag, optional, value};
use crate::os::kernel::Proc;

spec!(
    SPEC,
    "sed",
    "[OPTION]... {script-only-if-no-other-script} [input-file]...",
    [
        flag('n', "quiet"),
        flag('n', "silent"),
        value('e', "expression"),
        value('f', "file"),
        flag('E', "regexp-extended"),
        flag('r', "regexp-extended"),
        optional('i', "in-place"),
        flag('s', "separate"),
        flag('u', "unbuffered"),
    ]
);

/// `sed`.
pub async fn main(proc: Proc) -> i32 {
    run(proc, &SPEC, |run| Box::pin(body(run))).await
}

enum Address {
    Line(u64),
    Last,
    Match(Regex),
    Step(u64, u64),
    Plus(u64),
}

enum Action {
    Substitute { regex: Regex, with: String, global: bool, nth: usize, print: bool },
    Translate(Vec<(char, char)>),
    Delete,
    DeleteFirst,
    Print,
    PrintFirst,
    Quit(i32),
    Insert(String),
    Append(String),
    Change(String),
    Next,
    AppendNext,
    Hold(char),
    Number,
    Branch(String, bool),
    Label(String),
    Open(usize),
    Close,
}

struct Command {
    from: Option<Address>,
    to: Option<Address>,
    negated: bool,
    action: Action,
    active: bool,
    until: u64,
}

struct Parser {
    chars: Vec<char>,
    at: usize,
    extended: bool,
}

type Parsed<T> = Result<T, String>;

impl Parser {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek();
        self.at += usize::from(c.is_some());
        c
    }

    fn blanks(&mut self) {
        while self.peek().is_some_and(|c| c == ' ' || c == '\t') {
            self.at += 1;
        }
    }

    fn error<T>(&self, message: &str) -> Parsed<T> {
        Err(format!("-e expression #1, char {}: {message}", self.at))
    }

    fn number(&mut self) -> Option<u64> {
        let mut digits = String::new();
        while let Some(c) = self.peek().filter(char::is_ascii_digit) {
            digits.push(c);
            self.at += 1;
        }
        digits.parse().ok()
    }

    /// Text up to a delimiter, with escaped delimiters taken as themselves.
    fn until(&mut self, delimiter: char, what: &str) -> Parsed<String> {
        let mut out = String::new();
        let mut bracket = false;
        loop {
            match self.next() {
                None => return self.error(what),
                Some('\\') => match self.next() {
                    Some(c) if c == delimiter && c != '&' => out.push(c),
                    Some('n') if delimiter != 'n' => out.push_str("\\n"),
                    Some(c) => out.extend(['\\', c]),
                    None => return self.error(what),
                },
                Some(c) if c == delimiter && !bracket => return Ok(out),
                Some(c) => {
                    bracket = (c == '[' || bracket) && c != ']' && what.contains("address");
                    out.push(c);
                }
            }
        }
    }

    fn regex(&self, source: &str, ignore_case: bool) -> Parsed<Regex> {
        let grammar = if self.extended { Grammar::Extended } else { Grammar::Basic };
        pattern::compile(source.as_bytes(), grammar, ignore_case).or_else(|message| self.error(&message))
    }

    fn address(&mut self, second: bool) -> Parsed<Option<Address>> {
        Ok(match self.peek() {
            Some('$') => {
                self.at += 1;
                Some(Address::Last)
            }
            Some('/') => {
                self.at += 1;
                let source = self.until('/', "unterminated address regex")?;
                let fold = self.peek() == Some('I');
                self.at += usize::from(fold);
                Some(Address::Match(self.regex(&source, fold)?))
            }
            Some('+') if second => {
                self.at += 1;
                self.number().map(Address::Plus)
            }
            Some(c) if c.is_ascii_digit() => {
                let line = self.number().unwrap_or(0);
                if self.peek() == Some('~') {
                    self.at += 1;
                    Some(Address::Step(line, self.number().unwrap_or(0)))
                } else {
                    Some(Address::Line(line))
                }
            }
            _ => None,
        })
    }

    /// The text of `a`, `i`, `c`: after the command, or on the lines after a backslash.
    fn lines(&mut self) -> Parsed<String> {
        self.blanks();
        if self.peek() == Some('\\') {
            self.at += 1;
            self.blanks();
            if self.peek() == Some('\n') {
                self.at += 1;
            }
        }
        let mut out = String::new();
        loop {
            match self.next() {
                None | Some('\n') => break,
                Some('\\') => out.extend(self.next()),
                Some(c) => out.push(c),
            }
        }
        if out.is_empty() {
            return self.error("expected \\ after `a', `c' or `i'");
        }
        Ok(out + "\n")
    }

    fn label(&mut self) -> String {
        self.blanks();
        let mut out = String::new();
        while let Some(c) = self.peek().filter(|c| !matches!(c, '\n' | ';' | '}')) {
            out.push(c);
            self.at += 1;
        }
        out.trim().to_owned()
    }

    fn script(&mut self) -> Parsed<Vec<Command>> {
        let mut commands: Vec<Command> = Vec::new();
        let mut open = Vec::new();
        loop {
            while self.peek().is_some_and(|c| c.is_whitespace() || c == ';') {
                self.at += 1;
            }
            if self.peek().is_none() {
                break;
            }
            let from = self.address(false)?;
            self.blanks();
            let mut to = None;
            if from.is_some() && self.peek() == Some(',') {
                self.at += 1;
                self.blanks();
                to = self.address(true)?;
                if to.is_none() {
                    return self.error("unexpected `,'");
                }
            }
            self.blanks();
            let mut negated = false;
            while self.peek() == Some('!') {
                self.at += 1;
                negated = true;
                self.blanks();
            }
            let Some(name) = self.next() else { return self.error("missing command") };
            let action = match name {
                '#' => {
                    while self.peek().is_some_and(|c| c != '\n') {
                        self.at += 1;
                    }
                    continue;
                }
                '{' => {
                    open.push(commands.len());
                    Action::Open(0)
                }
                '}' => {
                    let Some(start) = open.pop() else { return self.error("unexpected `}'") };
                    let end = commands.len();
                    if let Some(Command { action: Action::Open(to), .. }) = commands.get_mut(start) {
                        *to = end;
                    }
                    Action::Close
                }
                's' => self.substitute()?,
                'y' => {
                    let Some(delimiter) = self.next() else { return self.error("unterminated `y' command") };
                    let from = self.until(delimiter, "unterminated `y' command")?.replace("\\n", "\n");
                    let to = self.until(delimiter, "unterminated `y' command")?.replace("\\n", "\n");
                    if from.chars().count() != to.chars().count() {
                        return self.error("strings for `y' command are different lengths");
                    }
                    Action::Translate(from.chars().zip(to.chars()).collect())
                }
                'd' => Action::Delete,
                'D' => Action::DeleteFirst,
                'p' => Action::Print,
                'P' => Action::PrintFirst,
                'q' | 'Q' => {
                    self.blanks();
                    Action::Quit(
                        self.number().and_then(|n| i32::try_from(n).ok()).unwrap_or(0)
                            + if name == 'Q' { 1000 } else { 0 },
                    )
                }
                'i' => Action::Insert(self.lines()?),
                'a' => Action::Append(self.lines()?),
                'c' => Action::Change(self.lines()?),
                'n' => Action::Next,
                'N' => Action::AppendNext,
                'h' | 'H' | 'g' | 'G' | 'x' => Action::Hold(name),
                '=' => Action::Number,
                'b' => Action::Branch(self.label(), false),
                't' => Action::Branch(self.label(), true),
                ':' => Action::Label(self.label()),
                'r' | 'w' | 'R' | 'W' | 'e' | 'l' | 'F' | 'z' | 'T' | 'v' => {
                    return self.error(&format!("the command `{name}' is not simulated"));
                }
                other => return self.error(&format!("unknown command: `{other}'")),
            };
            commands.push(Command { from, to, negated, action, active: false, until: 0 });
            self.blanks();
            match self.peek() {
                None | Some('\n' | ';' | '}' | '#') => {}
                _ if matches!(name, '{' | '}' | 'i' | 'a' | 'c') => {}
                Some(_) => return self.error("extra characters after command"),
            }
        }
        if open.is_empty() { Ok(commands) } else { Err("-e expression #1, char 0: unmatched `{'".to_owned()) }
    }

    fn substitute(&mut self) -> Parsed<Action> {
        let Some(delimiter) = self.next() else { return self.error("unterminated `s' command") };
        let source = self.until(delimiter, "unterminated `s' command")?;
        let with = self.until(delimiter, "unterminated `s' command")?;
        let (mut global, mut nth, mut print, mut fold) = (false, 1, false, false);
        loop {
            match self.peek() {
                Some('g') => global = true,
                Some('p') => print = true,
                Some('i' | 'I') => fold = true,
                Some(c) if c.is_ascii_digit() => {
                    nth = self.number().and_then(|n| usize::try_from(n).ok()).unwrap_or(1).max(1);
                    continue;
                }
                None | Some('\n' | ';' | '}' | ' ' | '#') => break,
                Some(_) => return self.error("unknown option to `s'"),
            }
            self.at += 1;
        }
        Ok(Action::Substitute { regex: self.regex(&source, fold)?, with, global, nth, print })
    }
}

fn substitute(regex: &Regex, with: &str, global: bool, nth: usize, space: &str) -> Option<String> {
    let (mut out, mut from, mut any) = (String::new(), 0, false);
    for (index, found) in regex.captures_iter(space).enumerate() {
        if index + 1 < nth || (index + 1 > nth && !global) {
            continue;
        }
        let Some(whole) = found.get(0) else { continue };
        out.push_str(space.get(from..whole.start()).unwrap_or_default());
        from = whole.end();
        any = true;
        let mut chars = with.chars();
        let mut case = ' ';
        while let Some(c) = chars.next() {
            let piece = match c {
                '&' => whole.as_str().to_owned(),
                '\\' => match chars.next() {
                    Some('n') => "\n".to_owned(),
                    Some('t') => "\t".to_owned(),
                    Some(mark @ ('U' | 'L' | 'E')) => {
                        case = mark;
                        continue;
                    }
                    Some(d) if d.is_ascii_digit() => {
                        let group = d.to_digit(10).and_then(|d| found.get(d as usize));
                        group.map(|m| m.as_str().to_owned()).unwrap_or_default()
                    }
                    Some(c) => c.to_string(),
                    None => String::new(),
                },
                c => c.to_string(),
            };
            match case {
                'U' => out.push_str(&piece.to_uppercase()),
                'L' => out.push_str(&piece.to_lowercase()),
                _ => out.push_str(&piece),
            }
        }
    }
    out.push_str(space.get(from..).unwrap_or_default());
    any.then_some(out)
}

async fn body(run: &mut Run) -> Done {
    let mut operands = run.args.operands.clone();
    let mut script = String::new();
    let parts: Vec<(char, BString)> = run
        .args
        .iter()
        .filter(|(o, _)| matches!(o.short, 'e' | 'f'))
        .filter_map(|(o, v)| Some((o.short, v?.to_owned())))
        .collect();
    for (kind, part) in &parts {
        if *kind == 'e' {
            script.push_str(&text(part));
        } else {
            match run.slurp(part).await {
                Some(content) => script.push_str(&text(&content.head(1 << 20))),
                None => return Ok(1),
            }
        }
        script.push('\n');
    }
    if parts.is_empty() {
        if operands.is_empty() {
            return Ok(run.missing("no script specified").await);
        }
        script = text(&operands.remove(0));
    }
    let extended = run.args.has('E') || run.args.has('r');
    let quiet = run.args.has('n') || script.starts_with("#n\n");
    let in_place = run.args.has('i');
    let backup = run.args.value('i').map(ToOwned::to_owned);
    let groups: Vec<Vec<BString>> = match operands.is_empty() {
        true => vec![vec!["-".into()]],
        false if in_place || run.args.has('s') => operands.into_iter().map(|o| vec![o]).collect(),
        false => vec![operands],
    };
    for group in groups {
        let parsed = Parser { chars: script.chars().collect(), at: 0, extended }.script();
        let mut commands = match parsed {
            Ok(commands) => commands,
            Err(message) => {
                run.complain(message).await;
                return Ok(1);
            }
        };
        let mut lines = Vec::new();
        for path in &group {
            let fd = match run.input(path) {
                Ok(fd) => fd,
                Err(error) => {
                    run.complain(format!("can't read {path}: {}", error.strerror())).await;
                    run.status = 2;
                    continue;
                }
            };
            let mut reader = Lines::new(&run.proc, fd);
            loop {
                match reader.next().await {
                    Ok(Some(line)) => lines.push(line),
                    Ok(None) => break,
                    Err(error) => {
                        run.complain(format!("couldn't read {path}: {}", error.strerror())).await;
                        break;
                    }
                }
            }
            run.done_with(fd);
        }
        if in_place && lines.is_empty() && run.status != 0 {
            continue;
        }
        let (out, quit) = edit(run, &mut commands, &lines, quiet).await;
        if let (true, Some(path)) = (in_place, group.first()) {
            if let Some(suffix) = &backup {
                let kept: Rope = lines.concat().into();
                let _ = run.proc.write_file(&[path.as_slice(), suffix].concat(), &kept).await;
            }
            if let Err(error) = run.proc.write_file(path, &out.into()).await {
                run.complain(format!("couldn't edit {path}: {}", error.strerror())).await;
                return Ok(4);
            }
        } else {
            run.put(out).await?;
        }
        if let Some(status) = quit {
            return Ok(status);
        }
    }
    Ok(0)
}

/// Whether a command is for this line. Ranges remember that they have begun.
fn selects(command: &mut Command, number: u64, last: bool, space: &str) -> bool {
    let hit = |address: &Address| match address {
        Address::Line(line) => number == *line,
        Address::Last => last,
        Address::Match(regex) => regex.is_match(space),
        Address::Step(first, 0) => number == *first,
        Address::Step(first, step) => number >= *first && (number - first).is_multiple_of(*step),
        Address::Plus(_) => false,
    };
    let selected = match (&command.from, &command.to) {
        (None, _) => true,
        (Some(from), None) => hit(from),
        (Some(_), Some(to)) if command.active => {
            command.active = match to {
                Address::Line(line) => number < *line,
                Address::Plus(_) => number < command.until,
                other => !hit(other),
            };
            // A range whose end has passed ends before this line.
            !matches!(to, Address::Line(line) if number > *line)
        }
        (Some(from), Some(to)) => {
            let begins = hit(from);
            if begins {
                command.active = match to {
                    Address::Line(line) => number < *line,
                    Address::Plus(count) => {
                        command.until = number.saturating_add(*count);
                        *count > 0
                    }
                    Address::Last => !last,
                    _ => true,
                };
            }
            begins
        }
    };
    selected != command.negated
}

async fn edit(run: &Run, commands: &mut [Command], lines: &[Vec<u8>], quiet: bool) -> (Vec<u8>, Option<i32>) {
    let (mut out, mut hold, mut at) = (Vec::new(), String::new(), 0usize);
    let mut carried: Option<String> = None;
    let mut steps = 0u64;
    while let Some(line) = lines.get(at) {
        let (mut content, mut ended) = chomp(line);
        let mut space = match carried.take() {
            Some(rest) => rest,
            None => pattern::as_text(content),
        };
        at += 1;
        let (mut appended, mut changed, mut deleted) = (String::new(), false, false);
        let mut quit = None;
        let mut pc = 0;
        while let Some(command) = commands.get_mut(pc) {
            pc += 1;
            steps += 1;
            run.proc.tick().await;
            // A script that branches for ever is cut off rather than left running without end.
            if steps > 50_000_000 {
                return (out, Some(4));
            }
            let last = at >= lines.len();
            if !selects(command, at as u64, last, &space) {
                if let Action::Open(end) = command.action {
                    pc = end;
                }
                continue;
            }
            let put = |out: &mut Vec<u8>, text: &str| {
                out.extend_from_slice(&pattern::as_bytes(text, content));
                out.push(b'\n');
            };
            match &command.action {
                Action::Substitute { regex, with, global, nth, print } => {
                    if let Some(new) = substitute(regex, with, *global, *nth, &space) {
                        space = new;
                        changed = true;
                        if *print {
                            put(&mut out, &space);
                        }
                    }
                }
                Action::Translate(map) => {
                    let swap = |c: char| map.iter().find(|row| row.0 == c).map_or(c, |row| row.1);
                    space = space.chars().map(swap).collect();
                }
                Action::Delete => {
                    deleted = true;
                    break;
                }
                Action::DeleteFirst => {
                    deleted = true;
                    if let Some((_, rest)) = space.split_once('\n') {
                        carried = Some(rest.to_owned());
                        at = at.saturating_sub(1);
                    }
                    break;
                }
                Action::Print => put(&mut out, &space),
                Action::PrintFirst => put(&mut out, space.split('\n').next().unwrap_or_default()),
                Action::Quit(status) => {
                    quit = Some(*status);
                    break;
                }
                Action::Insert(text) => out.extend_from_slice(text.as_bytes()),
                Action::Append(text) => appended.push_str(text),
                Action::Change(text) => {
                    if command.to.is_none() || !command.active || command.negated {
                        out.extend_from_slice(text.as_bytes());
                    }
                    deleted = true;
                    break;
                }
                Action::Next => {
                    if !quiet {
                        put(&mut out, &space);
                    }
                    out.extend_from_slice(std::mem::take(&mut appended).as_bytes());
                    let Some(next) = lines.get(at) else { return (out, None) };
                    (content, ended) = chomp(next);
                    space = pattern::as_text(content);
                    at += 1;
                }
                Action::AppendNext => {
                    let Some(next) = lines.get(at) else {
                        if quiet {
                            return (out, None);
                        }
                        break;
                    };
                    (content, ended) = chomp(next);
                    space.push('\n');
                    space.push_str(&pattern::as_text(content));
                    at += 1;
                }
                Action::Hold('h') => hold.clone_from(&space),
                Action::Hold('H') => hold = format!("{hold}\n{space}"),
                Action::Hold('g') => space.clone_from(&hold),
                Action::Hold('G') => space = format!("{space}\n{hold}"),
                Action::Hold(_) => std::mem::swap(&mut hold, &mut space),
                Action::Number => out.extend_from_slice(format!("{at}\n").as_bytes()),
                Action::Branch(label, conditional) => {
                    if !conditional || std::mem::take(&mut changed) {
                        let label = label.clone();
                        let found = commands.iter().position(|c| matches!(&c.action, Action::Label(l) if *l == label));
                        pc = found.filter(|_| !label.is_empty()).unwrap_or(commands.len());
                    }
                }
                Action::Label(_) | Action::Open(_) | Action::Close => {}
            }
        }
        let silent_quit = quit.is_some_and(|status| status >= 1000);
        if !deleted && !quiet && !silent_quit {
            out.extend_from_slice(&pattern::as_bytes(&space, content));
            if ended || at < lines.len() {
                out.push(b'\n');
            }
        }
        out.extend_from_slice(appended.as_bytes());
        if let Some(status) = quit {
            return (out, Some(status % 1000));
        }
    }
    (out, None)
}
