//! `grep`, `egrep`, `fgrep`.

use bstr::{BString, ByteSlice};
use regex_lite::Regex;

use super::pattern::{self, Grammar};
use super::program::{Done, Lines, Run, chomp, number, run_as, spec};
use super::walk::Walk;
use crate::base::errno::Errno;
use crate::os::args::{flag, long_optional, long_value, value};
use crate::os::kernel::{Fd, Proc};

spec!(
    SPEC,
    "grep",
    "[OPTION]... PATTERNS [FILE]...",
    [
        flag('E', "extended-regexp"),
        flag('F', "fixed-strings"),
        flag('G', "basic-regexp"),
        flag('P', "perl-regexp"),
        value('e', "regexp"),
        value('f', "file"),
        flag('i', "ignore-case"),
        flag('y', ""),
        flag('w', "word-regexp"),
        flag('x', "line-regexp"),
        flag('s', "no-messages"),
        flag('v', "invert-match"),
        value('m', "max-count"),
        flag('b', "byte-offset"),
        flag('n', "line-number"),
        flag('H', "with-filename"),
        flag('h', "no-filename"),
        flag('o', "only-matching"),
        flag('q', "quiet"),
        flag('q', "silent"),
        flag('a', "text"),
        flag('I', ""),
        flag('r', "recursive"),
        flag('R', "dereference-recursive"),
        flag('L', "files-without-match"),
        flag('l', "files-with-matches"),
        flag('c', "count"),
        flag('z', "null-data"),
        value('A', "after-context"),
        value('B', "before-context"),
        value('C', "context"),
        long_optional("color"),
        long_optional("colour"),
        long_value("include"),
        long_value("exclude"),
        long_value("exclude-dir"),
    ],
    digits: Some('C'),
    usage_status: 2
);

/// `grep`.
pub async fn main(proc: Proc) -> i32 {
    let argv = proc.args();
    run_as(proc, &SPEC, &argv, |run| Box::pin(body(run, Grammar::Basic))).await
}

/// `egrep`.
pub async fn egrep(proc: Proc) -> i32 {
    let argv = proc.args();
    run_as(proc, &SPEC, &argv, |run| Box::pin(body(run, Grammar::Extended))).await
}

/// `fgrep`.
pub async fn fgrep(proc: Proc) -> i32 {
    let argv = proc.args();
    run_as(proc, &SPEC, &argv, |run| Box::pin(body(run, Grammar::Fixed))).await
}

struct Search {
    regex: Regex,
    invert: bool,
    only: bool,
    count: bool,
    list: bool,
    list_without: bool,
    quiet: bool,
    numbers: bool,
    offsets: bool,
    named: bool,
    color: bool,
    text: bool,
    skip_binary: bool,
    before: usize,
    after: usize,
    max: u64,
}

async fn body(run: &mut Run, grammar: Grammar) -> Done {
    let mut operands = run.args.operands.clone();
    let mut patterns: Vec<BString> = Vec::new();
    let given: Vec<BString> = run.args.values('e').map(ToOwned::to_owned).collect();
    patterns.extend(given.iter().flat_map(|p| p.split_str("\n")).map(BString::from));
    let files: Vec<BString> = run.args.values('f').map(ToOwned::to_owned).collect();
    for path in &files {
        match run.slurp(path).await {
            Some(content) => patterns.extend(content.head(1 << 20).lines().map(BString::from)),
            None => return Ok(2),
        }
    }
    if given.is_empty() && files.is_empty() {
        if operands.is_empty() {
            let usage = "Usage: grep [OPTION]... PATTERNS [FILE]...\nTry 'grep --help' for more information.\n";
            if run.is_busybox() {
                return Ok(run.missing("").await);
            }
            run.proc.eprint(usage).await;
            return Ok(2);
        }
        patterns.extend(operands.remove(0).split_str("\n").map(BString::from));
    }
    let search = match prepare(run, &patterns, grammar) {
        Ok(search) => search,
        Err(text) => {
            run.complain(text).await;
            return Ok(2);
        }
    };
    let recursive = run.args.has('r') || run.args.has('R');
    if operands.is_empty() {
        operands.push(if recursive { "." } else { "-" }.into());
    }
    let named = run.args.last_of(&['H', 'h']);
    let several = operands.len() > 1 || recursive;
    let search = Search { named: named == Some('H') || (named.is_none() && several), ..search };
    let bare = run.args.operands.len() < 2 && recursive && given.is_empty()
        || operands == ["."] && run.args.operands.is_empty();
    let (mut matched, silent) = (false, run.args.has('s'));
    'files: for operand in operands {
        let mut paths = vec![operand.clone()];
        if recursive && operand != "-" {
            paths = collect(run, &operand).await;
        }
        for path in paths {
            let fd = match run.input(&path) {
                Ok(fd) => fd,
                Err(error) => {
                    if !silent {
                        run.complain_path(&path, error).await;
                    }
                    run.status = 2;
                    continue;
                }
            };
            let shown: &[u8] = match path.strip_prefix(b"./") {
                Some(rest) if bare => rest,
                _ if path == "-" => b"(standard input)",
                _ => &path,
            };
            let found = grep(run, fd, shown, &search).await?;
            run.done_with(fd);
            match found {
                Ok(found) => matched |= found,
                Err(error) => {
                    if !silent {
                        run.complain_path(&path, error).await;
                    }
                    run.status = 2;
                }
            }
            if matched && search.quiet {
                break 'files;
            }
        }
    }
    if matched && search.quiet {
        run.status = 0;
        return Ok(0);
    }
    Ok(if run.status > 1 { 2 } else { i32::from(!matched) })
}

fn prepare(run: &Run, patterns: &[BString], default: Grammar) -> Result<Search, String> {
    let grammar = match run.args.last_of(&['E', 'F', 'G', 'P']) {
        Some('E') => Grammar::Extended,
        Some('F') => Grammar::Fixed,
        Some('G') => Grammar::Basic,
        Some('P') => return Err("Perl matching not supported in this simulation".to_owned()),
        _ => default,
    };
    let mut alternatives = Vec::new();
    for pattern in patterns {
        let expression = pattern::translate(pattern, grammar)?;
        alternatives.push(if patterns.len() > 1 { format!("(?:{expression})") } else { expression });
    }
    let mut expression = alternatives.join("|");
    if run.args.has('x') {
        expression = format!("^(?:{expression})$");
    } else if run.args.has('w') {
        expression = format!("\\b(?:{expression})\\b");
    }
    let context =
        |letter: char| run.args.value(letter).or_else(|| run.args.value('C')).and_then(|n| number::<usize>(n));
    for letter in ['A', 'B', 'C'] {
        if let Some(value) = run.args.value(letter)
            && number::<usize>(value).is_none()
        {
            return Err(format!("{value}: invalid context length argument"));
        }
    }
    let color = run.args.iter().filter(|(option, _)| option.long.starts_with("colo")).last();
    let color = match color {
        Some((_, None)) => run.proc.tty_of(1).is_some(),
        Some((_, Some(when))) => when == "always" || (when == "auto" && run.proc.tty_of(1).is_some()),
        None => false,
    };
    Ok(Search {
        regex: pattern::build(&expression, run.args.has('i') || run.args.has('y'))?,
        invert: run.args.has('v'),
        only: run.args.has('o'),
        count: run.args.has('c'),
        list: run.args.has('l'),
        list_without: run.args.has('L'),
        quiet: run.args.has('q'),
        numbers: run.args.has('n'),
        offsets: run.args.has('b'),
        named: false,
        color,
        text: run.args.has('a'),
        skip_binary: run.args.has('I'),
        before: context('B').unwrap_or(0),
        after: context('A').unwrap_or(0),
        max: run.args.value('m').and_then(|n| number(n)).unwrap_or(u64::MAX),
    })
}

async fn collect(run: &mut Run, start: &[u8]) -> Vec<BString> {
    let list = |name: &str| -> Vec<BString> { run.args.values(name).map(ToOwned::to_owned).collect() };
    let (include, exclude, exclude_dir) = (list("include"), list("exclude"), list("exclude-dir"));
    let any = |patterns: &[BString], name: &[u8]| patterns.iter().any(|p| pattern::glob(p, name));
    let mut walk = Walk::new(&run.proc, start);
    let mut paths = Vec::new();
    while let Some(visit) = walk.next().await {
        if visit.leaving {
            continue;
        }
        let name = crate::base::path::file_name(&visit.path);
        match visit.stat {
            Ok(stat) if stat.is_dir() => {
                if visit.depth > 0 && any(&exclude_dir, name) {
                    walk.prune();
                } else if let Some(error) = visit.unlisted {
                    run.complain_path(&visit.path, error).await;
                    run.status = 2;
                }
            }
            // Links met on the way and devices are left out.
            Ok(stat) if visit.depth > 0 && stat.kind != crate::os::fs::node::Kind::File => {}
            Ok(_) => {
                if (include.is_empty() || any(&include, name)) && !any(&exclude, name) {
                    paths.push(visit.path);
                }
            }
            Err(_) => paths.push(visit.path),
        }
    }
    paths
}

/// The outer error is one of writing, the inner one of reading.
async fn grep(run: &mut Run, fd: Fd, name: &[u8], search: &Search) -> Result<Result<bool, Errno>, Errno> {
    let mut lines = Lines::new(&run.proc, fd);
    let (mut number, mut offset, mut matches) = (0u64, 0u64, 0u64);
    let mut held: std::collections::VecDeque<(u64, u64, Vec<u8>)> = std::collections::VecDeque::new();
    let (mut trailing, mut last_shown) = (0usize, 0u64);
    let shows = !(search.quiet || search.count || search.list || search.list_without);
    let mut binary = false;
    loop {
        let line = match lines.next().await {
            Ok(Some(line)) => line,
            Ok(None) => break,
            Err(error) => return Ok(Err(error)),
        };
        number += 1;
        let at = offset;
        offset += line.len() as u64;
        if number == 1 || !binary {
            binary = binary || (!search.text && line.contains(&0));
            if binary && search.skip_binary {
                return Ok(Ok(false));
            }
        }
        let (content, _) = chomp(&line);
        let text = pattern::as_text(content);
        let is_match = search.regex.is_match(&text) != search.invert;
        if is_match {
            matches += 1;
            if search.quiet || search.list || search.list_without {
                break;
            }
            if shows && binary {
                break;
            }
            if shows && search.only && !search.invert {
                for found in search.regex.find_iter(&text).filter(|m| !m.is_empty()) {
                    let start = at + found.start() as u64;
                    put_prefix(run, search, name, number, start, b':').await?;
                    let piece = pattern::as_bytes(found.as_str(), content);
                    put_colored(run, search, &piece).await?;
                    run.put("\n").await?;
                }
            } else if shows && !search.only {
                let first = held.front().map_or(number, |row| row.0);
                if (search.before > 0 || search.after > 0) && last_shown > 0 && first > last_shown + 1 {
                    run.put("--\n").await?;
                }
                for (number, at, line) in std::mem::take(&mut held) {
                    put_prefix(run, search, name, number, at, b'-').await?;
                    run.put([chomp(&line).0, b"\n"].concat()).await?;
                }
                put_prefix(run, search, name, number, at, b':').await?;
                put_line(run, search, &text, content).await?;
                last_shown = number;
                trailing = search.after;
            }
            if matches >= search.max {
                break;
            }
        } else if shows && trailing > 0 {
            trailing -= 1;
            put_prefix(run, search, name, number, at, b'-').await?;
            run.put([content, b"\n"].concat()).await?;
            last_shown = number;
        } else if shows && search.before > 0 {
            held.push_back((number, at, line));
            if held.len() > search.before {
                held.pop_front();
            }
        }
        if run.proc.tty_of(0).is_some() && fd == 0 {
            run.flush().await?;
        }
    }
    let matched = matches > 0;
    if search.quiet {
        return Ok(Ok(matched));
    }
    if search.list || search.list_without {
        if matched == search.list {
            run.put([name, b"\n"].concat()).await?;
        }
        return Ok(Ok(if search.list_without { !matched } else { matched }));
    }
    if search.count {
        let prefix: Vec<u8> = if search.named { [name, b":"].concat() } else { Vec::new() };
        run.put([prefix.as_slice(), format!("{matches}\n").as_bytes()].concat()).await?;
    } else if binary && matched && shows {
        let text = [run.name.as_slice(), b": ", name, b": binary file matches\n"].concat();
        run.put(text).await?;
    }
    Ok(Ok(matched))
}

async fn put_prefix(run: &mut Run, search: &Search, name: &[u8], number: u64, at: u64, mark: u8) -> Result<(), Errno> {
    let mut out = Vec::new();
    let paint = |code: &str, text: &[u8], out: &mut Vec<u8>| {
        if search.color {
            out.extend_from_slice(format!("\x1b[{code}m\x1b[K").as_bytes());
        }
        out.extend_from_slice(text);
        if search.color {
            out.extend_from_slice(b"\x1b[m\x1b[K");
        }
    };
    if search.named {
        paint("35", name, &mut out);
        paint("36", &[mark], &mut out);
    }
    if search.numbers {
        paint("32", number.to_string().as_bytes(), &mut out);
        paint("36", &[mark], &mut out);
    }
    if search.offsets {
        paint("32", at.to_string().as_bytes(), &mut out);
        paint("36", &[mark], &mut out);
    }
    run.put(out).await
}

async fn put_colored(run: &mut Run, search: &Search, piece: &[u8]) -> Result<(), Errno> {
    if search.color {
        run.put([b"\x1b[01;31m\x1b[K", piece, b"\x1b[m\x1b[K"].concat()).await
    } else {
        run.put(piece).await
    }
}

async fn put_line(run: &mut Run, search: &Search, text: &str, content: &[u8]) -> Result<(), Errno> {
    if search.color && !search.invert {
        let mut from = 0;
        for found in search.regex.find_iter(text).filter(|m| !m.is_empty()) {
            let before = text.get(from..found.start()).unwrap_or_default();
            run.put(pattern::as_bytes(before, content)).await?;
            put_colored(run, search, &pattern::as_bytes(found.as_str(), content)).await?;
            from = found.end();
        }
        run.put(pattern::as_bytes(text.get(from..).unwrap_or_default(), content)).await?;
    } else {
        run.put(content).await?;
    }
    run.put("\n").await
}
