//! `find`.

use std::rc::Rc;

use bstr::{BString, ByteSlice};

use super::names::Names;
use super::pattern::glob;
use super::program::{Done, Run, number, quoted, run_as, spec, text};
use super::spawn::status_of;
use super::walk::{Visit, Walk};
use crate::base::path;
use crate::base::time::Timestamp;
use crate::os::args::{Stop, flag};
use crate::os::fs::node::{Kind, Stat};
use crate::os::kernel::Proc;

spec!(SPEC, "find", "[-H] [-L] [-P] [path...] [expression]", [flag('H', ""), flag('L', ""), flag('P', "")]);

/// `find`: its expression is no list of options, so only the name goes through the parser.
pub async fn main(proc: Proc) -> i32 {
    let argv: Vec<BString> = proc.args().into_iter().take(1).collect();
    run_as(proc, &SPEC, &argv, |run| Box::pin(body(run))).await
}

enum Test {
    Name(BString, bool),
    Path(BString, bool),
    Kinds(Vec<Kind>),
    Size(std::cmp::Ordering, u64, u64),
    Newer(Timestamp),
    Age(std::cmp::Ordering, i64, i64),
    Perm(char, u32),
    User(u32),
    Group(u32),
    NoUser,
    Empty,
    Links(std::cmp::Ordering, u64),
    Inum(u64),
    Constant(bool),
    Prune,
    Print(u8),
    Printf(BString),
    Ls,
    Delete,
    Quit,
    Exec(Vec<BString>, bool),
}

enum Expr {
    Test(Test),
    Not(Rc<Expr>),
    And(Rc<Expr>, Rc<Expr>),
    Or(Rc<Expr>, Rc<Expr>),
}

struct Parser<'a> {
    run: &'a Run,
    names: &'a Names,
    words: Vec<BString>,
    at: usize,
    depth: usize,
    acts: bool,
    max_depth: usize,
    min_depth: usize,
    depth_first: bool,
}

type Parsed<T> = Result<T, String>;

impl Parser<'_> {
    fn peek(&self) -> Option<&BString> {
        self.words.get(self.at)
    }

    fn word(&mut self, of: &str) -> Parsed<BString> {
        let word = self.peek().cloned().ok_or_else(|| format!("missing argument to `{of}'"))?;
        self.at += 1;
        Ok(word)
    }

    fn or(&mut self) -> Parsed<Expr> {
        let mut left = self.and()?;
        while self.peek().is_some_and(|w| w == "-o" || w == "-or") {
            self.at += 1;
            left = Expr::Or(Rc::new(left), Rc::new(self.and()?));
        }
        Ok(left)
    }

    fn and(&mut self) -> Parsed<Expr> {
        let mut left = self.not()?;
        loop {
            match self.peek().map(|w| w.to_vec()).as_deref() {
                None | Some(b"-o" | b"-or" | b")" | b",") => return Ok(left),
                Some(b"-a" | b"-and") => self.at += 1,
                Some(_) => {}
            }
            left = Expr::And(Rc::new(left), Rc::new(self.not()?));
        }
    }

    fn not(&mut self) -> Parsed<Expr> {
        let word = self.peek().cloned().ok_or("expected an expression after the operator")?;
        self.depth += 1;
        if self.depth > 100 {
            return Err("expression is nested too deeply".to_owned());
        }
        let expr = match word.as_slice() {
            b"!" | b"-not" => {
                self.at += 1;
                Expr::Not(Rc::new(self.not()?))
            }
            b"(" => {
                self.at += 1;
                let inner = self.or()?;
                if self.peek().is_none_or(|w| w != ")") {
                    return Err(
                        "invalid expression; I was expecting to find a ')' somewhere but did not see one.".to_owned()
                    );
                }
                self.at += 1;
                inner
            }
            _ => self.primary()?,
        };
        self.depth -= 1;
        Ok(expr)
    }

    fn counted(&mut self, of: &str) -> Parsed<(std::cmp::Ordering, BString)> {
        let word = self.word(of)?;
        Ok(match word.first() {
            Some(b'+') => (std::cmp::Ordering::Greater, word.get(1..).unwrap_or_default().into()),
            Some(b'-') => (std::cmp::Ordering::Less, word.get(1..).unwrap_or_default().into()),
            _ => (std::cmp::Ordering::Equal, word),
        })
    }

    fn primary(&mut self) -> Parsed<Expr> {
        let name = text(&self.word("")?);
        let option = name.as_str();
        let test = match option {
            "-name" => Test::Name(self.word(option)?, false),
            "-iname" => Test::Name(self.word(option)?.to_ascii_lowercase().into(), true),
            "-path" | "-wholename" => Test::Path(self.word(option)?, false),
            "-ipath" => Test::Path(self.word(option)?.to_ascii_lowercase().into(), true),
            "-type" => {
                let given = self.word(option)?;
                let mut kinds = Vec::new();
                for letter in given.iter().filter(|b| **b != b',') {
                    kinds.push(match letter {
                        b'f' => Kind::File,
                        b'd' => Kind::Dir,
                        b'l' => Kind::Symlink,
                        b'p' => Kind::Fifo,
                        b's' => Kind::Socket,
                        b'c' => Kind::CharDevice,
                        b'b' => Kind::BlockDevice,
                        other => return Err(format!("Unknown argument to -type: {}", char::from(*other))),
                    });
                }
                Test::Kinds(kinds)
            }
            "-size" => {
                let (order, given) = self.counted(option)?;
                let (digits, unit) = match given.split_last() {
                    Some((unit, digits)) if !unit.is_ascii_digit() => (digits, *unit),
                    _ => (given.as_slice(), b'b'),
                };
                let unit = match unit {
                    b'c' => 1,
                    b'w' => 2,
                    b'b' => 512,
                    b'k' => 1 << 10,
                    b'M' => 1 << 20,
                    b'G' => 1 << 30,
                    other => return Err(format!("invalid -size type `{}'", char::from(other))),
                };
                Test::Size(order, number(digits).ok_or_else(|| format!("invalid argument `{given}' to `-size'"))?, unit)
            }
            "-newer" => {
                let path = self.word(option)?;
                let stat = self.run.proc.stat(&path).map_err(|e| format!("{}: {}", quoted(&path), e.strerror()))?;
                Test::Newer(stat.meta.mtime)
            }
            "-mtime" | "-mmin" | "-ctime" | "-cmin" | "-atime" | "-amin" => {
                let (order, given) = self.counted(option)?;
                let count = number(&given).ok_or_else(|| format!("invalid argument `{given}' to `{option}'"))?;
                Test::Age(order, count, if option.ends_with("time") { 86_400 } else { 60 })
            }
            "-perm" => {
                let given = text(&self.word(option)?);
                let (how, mode) = match given.chars().next() {
                    Some(how @ ('-' | '/')) => (how, given.get(1..).unwrap_or_default()),
                    _ => ('=', given.as_str()),
                };
                let change = super::mode::parse(mode).ok_or_else(|| format!("invalid mode '{given}'"))?;
                Test::Perm(how, change.apply(0, false, 0))
            }
            "-user" | "-uid" => {
                let name = self.word(option)?;
                let known = self.names.users.get(&name).map(|user| user.uid).or_else(|| number(&name));
                Test::User(known.ok_or_else(|| format!("{} is not the name of a known user", quoted(&name)))?)
            }
            "-group" | "-gid" => {
                let name = self.word(option)?;
                let known = self.names.groups.get(&name).copied().or_else(|| number(&name));
                Test::Group(known.ok_or_else(|| format!("{} is not the name of an existing group", quoted(&name)))?)
            }
            "-nouser" => Test::NoUser,
            "-empty" => Test::Empty,
            "-links" => {
                let (order, given) = self.counted(option)?;
                Test::Links(order, number(&given).ok_or("invalid argument to `-links'")?)
            }
            "-inum" => Test::Inum(number(&self.word(option)?).ok_or("invalid argument to `-inum'")?),
            "-executable" => Test::Perm('/', 0o111),
            "-true" => Test::Constant(true),
            "-false" => Test::Constant(false),
            "-prune" => Test::Prune,
            "-maxdepth" | "-mindepth" => {
                let given = self.word(option)?;
                let depth = number(&given).ok_or_else(|| {
                    format!("Expected a positive decimal integer argument to {option}, but got {}", quoted(&given))
                })?;
                *(if option == "-maxdepth" { &mut self.max_depth } else { &mut self.min_depth }) = depth;
                Test::Constant(true)
            }
            "-depth" | "-d" => {
                self.depth_first = true;
                Test::Constant(true)
            }
            "-xdev" | "-mount" | "-follow" | "-noleaf" | "-warn" | "-nowarn" => Test::Constant(true),
            "-print" => Test::Print(b'\n'),
            "-print0" => Test::Print(0),
            "-printf" => Test::Printf(self.word(option)?),
            "-ls" => Test::Ls,
            "-quit" => Test::Quit,
            "-delete" => {
                self.depth_first = true;
                Test::Delete
            }
            "-exec" | "-ok" | "-execdir" => {
                let mut command = Vec::new();
                loop {
                    let word = self.word(option)?;
                    if word == ";" {
                        break Test::Exec(command, false);
                    }
                    if word == "+" && command.last().is_some_and(|w: &BString| w == "{}") {
                        command.pop();
                        break Test::Exec(command, true);
                    }
                    command.push(word);
                }
            }
            other if other.starts_with('-') => return Err(format!("unknown predicate `{other}'")),
            other => return Err(format!("paths must precede expression: `{other}'")),
        };
        if matches!(test, Test::Print(_) | Test::Printf(_) | Test::Ls | Test::Delete | Test::Exec(..)) {
            self.acts = true;
        }
        Ok(Expr::Test(test))
    }
}

async fn body(run: &mut Run) -> Done {
    let words: Vec<BString> = run.proc.args().into_iter().skip(1).collect();
    if words.first().is_some_and(|w| w == "--help") {
        let stop = Stop { out: SPEC.help.into(), ..Stop::default() };
        run.put(stop.out).await?;
        return Ok(0);
    }
    let follow = words.iter().take_while(|w| w.starts_with(b"-") && w.len() == 2).any(|w| w == "-L");
    let words: Vec<BString> = words.into_iter().skip_while(|w| w == "-L" || w == "-H" || w == "-P").collect();
    let begins = |w: &BString| (w.starts_with(b"-") && w.len() > 1) || w == "!" || w == "(";
    let paths = words.iter().position(begins).unwrap_or(words.len());
    let (starts, rest) = words.split_at_checked(paths).unwrap_or_default();
    let names = Names::load(&run.proc).await;
    let mut parser = Parser {
        run,
        names: &names,
        words: rest.to_vec(),
        at: 0,
        depth: 0,
        acts: false,
        max_depth: usize::MAX,
        min_depth: 0,
        depth_first: false,
    };
    let parsed = if rest.is_empty() { Ok(Expr::Test(Test::Constant(true))) } else { parser.or() };
    let parsed = parsed.and_then(|expr| match parser.peek() {
        None => Ok(expr),
        Some(_) => Err("invalid expression; you have too many ')'".to_owned()),
    });
    let (acts, max_depth, min_depth, depth_first) =
        (parser.acts, parser.max_depth, parser.min_depth, parser.depth_first);
    let expr = match parsed {
        Ok(expr) if acts => expr,
        Ok(expr) => Expr::And(Rc::new(expr), Rc::new(Expr::Test(Test::Print(b'\n')))),
        Err(text) => {
            run.complain(text).await;
            return Ok(1);
        }
    };
    let starts = if starts.is_empty() { vec![".".into()] } else { starts.to_vec() };
    let mut search = Search { names, batches: Vec::new(), pruned: false, quit: false, now: run.proc.now() };
    for start in starts {
        let mut walk = Walk::new(&run.proc, &start);
        walk.max_depth = max_depth;
        while let Some(visit) = walk.next().await {
            let stat = match visit.stat {
                Ok(stat) => {
                    if follow {
                        run.proc.stat(&visit.path).unwrap_or(stat)
                    } else {
                        stat
                    }
                }
                Err(error) => {
                    run.complain(format!("{}: {}", quoted(&visit.path), error.strerror())).await;
                    continue;
                }
            };
            if let Some(error) = visit.unlisted {
                run.complain(format!("{}: {}", quoted(&visit.path), error.strerror())).await;
            }
            // Directories come before what is in them, or after.
            let now =
                if stat.is_dir() && visit.depth <= max_depth { visit.leaving == depth_first } else { !visit.leaving };
            if !now || visit.depth < min_depth {
                continue;
            }
            search.pruned = false;
            search.eval(run, &expr, &visit, &stat).await?;
            if search.pruned && !depth_first {
                walk.prune();
            }
            if search.quit {
                break;
            }
        }
        if search.quit {
            break;
        }
    }
    for (mut command, paths) in std::mem::take(&mut search.batches) {
        command.extend(paths);
        run.flush().await?;
        if status_of(&run.proc, command).await != 0 {
            run.status = 1;
        }
    }
    Ok(0)
}

struct Search {
    names: Names,
    batches: Vec<(Vec<BString>, Vec<BString>)>,
    pruned: bool,
    quit: bool,
    now: Timestamp,
}

impl Search {
    async fn eval(
        &mut self,
        run: &mut Run,
        expr: &Expr,
        visit: &Visit,
        stat: &Stat,
    ) -> Result<bool, crate::base::errno::Errno> {
        Ok(match expr {
            Expr::Test(test) => self.test(run, test, visit, stat).await?,
            Expr::Not(inner) => !Box::pin(self.eval(run, inner, visit, stat)).await?,
            Expr::And(a, b) => {
                Box::pin(self.eval(run, a, visit, stat)).await? && Box::pin(self.eval(run, b, visit, stat)).await?
            }
            Expr::Or(a, b) => {
                Box::pin(self.eval(run, a, visit, stat)).await? || Box::pin(self.eval(run, b, visit, stat)).await?
            }
        })
    }

    async fn test(
        &mut self,
        run: &mut Run,
        test: &Test,
        visit: &Visit,
        stat: &Stat,
    ) -> Result<bool, crate::base::errno::Errno> {
        let at = &visit.path;
        let name = match path::file_name(at) {
            name if name.is_empty() => at.as_bstr(),
            name => name,
        };
        Ok(match test {
            Test::Name(pattern, false) => glob(pattern, name),
            Test::Name(pattern, true) => glob(pattern, &name.to_ascii_lowercase()),
            Test::Path(pattern, false) => glob(pattern, at),
            Test::Path(pattern, true) => glob(pattern, &at.to_ascii_lowercase()),
            Test::Kinds(kinds) => kinds.contains(&stat.kind),
            Test::Size(order, count, unit) => stat.size_bytes.div_ceil(*unit).cmp(count) == *order,
            Test::Newer(time) => stat.meta.mtime > *time,
            Test::Age(order, count, unit) => {
                let age = self.now.seconds().saturating_sub(stat.meta.mtime.seconds());
                age.div_euclid(*unit).cmp(count) == *order
            }
            Test::Perm('-', mode) => stat.meta.mode & mode == *mode,
            Test::Perm('/', mode) => *mode == 0 || stat.meta.mode & mode != 0,
            Test::Perm(_, mode) => stat.meta.mode == *mode,
            Test::User(uid) => stat.meta.uid == *uid,
            Test::Group(gid) => stat.meta.gid == *gid,
            Test::NoUser => self.names.user_name(stat.meta.uid).is_none(),
            Test::Empty => match stat.kind {
                Kind::File => stat.size_bytes == 0,
                Kind::Dir => run.proc.readdir(at).is_ok_and(|entries| entries.is_empty()),
                _ => false,
            },
            Test::Links(order, count) => u64::from(stat.nlink).cmp(count) == *order,
            Test::Inum(ino) => stat.ino == *ino,
            Test::Constant(value) => *value,
            Test::Prune => {
                self.pruned = true;
                true
            }
            Test::Quit => {
                self.quit = true;
                true
            }
            Test::Print(end) => {
                run.put([at.as_slice(), &[*end]].concat()).await?;
                true
            }
            Test::Printf(format) => {
                let out = self.printf(run, format, visit, stat, name);
                run.put(out).await?;
                true
            }
            Test::Ls => {
                let line = format!(
                    "{:9} {:6} {} {:3} {:8} {:8} {:8} {} {at}\n",
                    stat.ino,
                    super::ls::blocks_kib(stat),
                    stat.mode_string(),
                    stat.nlink,
                    self.names.user(stat.meta.uid),
                    self.names.group(stat.meta.gid),
                    stat.size_bytes,
                    super::ls::file_time(stat.meta.mtime, self.now)
                );
                run.put(line).await?;
                true
            }
            Test::Delete => {
                if name == "." {
                    return Ok(true);
                }
                let done = if stat.is_dir() { run.proc.rmdir(at) } else { run.proc.unlink(at) };
                if let Err(error) = done {
                    run.complain(format!("cannot delete {}: {}", quoted(at), error.strerror())).await;
                }
                done.is_ok()
            }
            Test::Exec(command, true) => {
                match self.batches.iter_mut().find(|batch| batch.0 == *command) {
                    Some(batch) => batch.1.push(at.clone()),
                    None => self.batches.push((command.clone(), vec![at.clone()])),
                }
                true
            }
            Test::Exec(command, false) => {
                let words = command.iter().map(|word| BString::from(word.replace("{}", at))).collect();
                run.flush().await?;
                status_of(&run.proc, words).await == 0
            }
        })
    }

    fn printf(&self, run: &Run, format: &[u8], visit: &Visit, stat: &Stat, name: &[u8]) -> Vec<u8> {
        let format = super::echo::unescape(format, false).0;
        let mut out = Vec::new();
        let mut bytes = format.iter();
        while let Some(byte) = bytes.next() {
            if *byte != b'%' {
                out.push(*byte);
                continue;
            }
            let piece: Vec<u8> = match bytes.next() {
                Some(b'p') => visit.path.to_vec(),
                Some(b'f') => name.to_vec(),
                Some(b'h') => path::parent(&visit.path).to_vec(),
                Some(b's') => stat.size_bytes.to_string().into(),
                Some(b'm') => format!("{:o}", stat.meta.mode).into(),
                Some(b'M') => stat.mode_string().into(),
                Some(b'u') => self.names.user(stat.meta.uid).into(),
                Some(b'g') => self.names.group(stat.meta.gid).into(),
                Some(b'U') => stat.meta.uid.to_string().into(),
                Some(b'G') => stat.meta.gid.to_string().into(),
                Some(b'i') => stat.ino.to_string().into(),
                Some(b'n') => stat.nlink.to_string().into(),
                Some(b'd') => visit.depth.to_string().into(),
                Some(b'l') => run.proc.readlink(&visit.path).unwrap_or_default().into(),
                Some(b'y') => match stat.kind.letter() {
                    '-' => b"f".to_vec(),
                    letter => letter.to_string().into(),
                },
                Some(b't') => super::date::strftime("%a %b %e %T.%N0 %Y", stat.meta.mtime).into(),
                Some(b'T') => match bytes.next() {
                    Some(b'@') => {
                        format!("{}.{:09}0", stat.meta.mtime.seconds(), stat.meta.mtime.subsecond_nanos()).into()
                    }
                    Some(letter) => super::date::strftime(&format!("%{}", char::from(*letter)), stat.meta.mtime).into(),
                    None => Vec::new(),
                },
                Some(b'%') => b"%".to_vec(),
                Some(other) => vec![b'%', *other],
                None => b"%".to_vec(),
            };
            out.extend_from_slice(&piece);
        }
        out
    }
}
