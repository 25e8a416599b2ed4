//! `test`, `[` and the primaries that `[[` shares with them.

use bstr::{BString, ByteSlice};

use super::dialect::Dialect;
use super::shell::Shell;
use crate::os::fs::node::Kind;

/// A question about one text; `None` for an unknown operator.
pub(super) fn unary(shell: &Shell, op: &[u8], text: &[u8]) -> Option<bool> {
    let proc = &shell.proc;
    let stat = || proc.stat(text).ok();
    Some(match op {
        b"-n" => !text.is_empty(),
        b"-z" => text.is_empty(),
        b"-e" | b"-a" => stat().is_some(),
        b"-f" => stat().is_some_and(|s| s.kind == Kind::File),
        b"-d" => stat().is_some_and(|s| s.kind == Kind::Dir),
        b"-h" | b"-L" => proc.lstat(text).is_ok_and(|s| s.kind == Kind::Symlink),
        b"-p" => stat().is_some_and(|s| s.kind == Kind::Fifo),
        b"-S" => stat().is_some_and(|s| s.kind == Kind::Socket),
        b"-b" => stat().is_some_and(|s| s.kind == Kind::BlockDevice),
        b"-c" => stat().is_some_and(|s| s.kind == Kind::CharDevice),
        b"-s" => stat().is_some_and(|s| s.size_bytes > 0),
        b"-r" => proc.access(text, 4).is_ok(),
        b"-w" => proc.access(text, 2).is_ok(),
        b"-x" => proc.access(text, 1).is_ok(),
        b"-u" => stat().is_some_and(|s| s.meta.mode & 0o4000 != 0),
        b"-g" => stat().is_some_and(|s| s.meta.mode & 0o2000 != 0),
        b"-k" => stat().is_some_and(|s| s.meta.mode & 0o1000 != 0),
        b"-O" => stat().is_some_and(|s| s.meta.uid == proc.cred().uid),
        b"-G" => stat().is_some_and(|s| s.meta.gid == proc.cred().gid),
        b"-t" => text.to_str().ok().and_then(|t| t.trim().parse().ok()).is_some_and(|fd| proc.tty_of(fd).is_some()),
        b"-v" => shell.vars.get(text).is_some(),
        b"-o" => false,
        _ => return None,
    })
}

/// Compares numbers.
pub(super) fn compare(op: &[u8], a: i64, b: i64) -> bool {
    match op {
        b"-eq" => a == b,
        b"-ne" => a != b,
        b"-lt" => a < b,
        b"-le" => a <= b,
        b"-gt" => a > b,
        _ => a >= b,
    }
}

/// A question about two texts; an error is the one that is no number.
pub(super) fn binary(shell: &Shell, left: &[u8], op: &[u8], right: &[u8]) -> Option<Result<bool, BString>> {
    let proc = &shell.proc;
    let number =
        |text: &[u8]| text.to_str().ok().and_then(|t| t.trim().parse::<i64>().ok()).ok_or_else(|| BString::from(text));
    let times = || (proc.stat(left).ok(), proc.stat(right).ok());
    Some(match op {
        b"=" | b"==" => Ok(left == right),
        b"!=" => Ok(left != right),
        b"<" => Ok(left < right),
        b">" => Ok(left > right),
        b"-eq" | b"-ne" | b"-lt" | b"-le" | b"-gt" | b"-ge" => {
            number(left).and_then(|a| number(right).map(|b| compare(op, a, b)))
        }
        b"-nt" => Ok(match times() {
            (Some(a), Some(b)) => a.meta.mtime > b.meta.mtime,
            (a, _) => a.is_some(),
        }),
        b"-ot" => Ok(match times() {
            (Some(a), Some(b)) => a.meta.mtime < b.meta.mtime,
            (_, b) => b.is_some(),
        }),
        b"-ef" => Ok(match times() {
            (Some(a), Some(b)) => (a.dev, a.ino) == (b.dev, b.ino),
            _ => false,
        }),
        _ => return None,
    })
}

/// Evaluates the arguments of `test`; an error is a message.
pub(super) fn evaluate(shell: &Shell, args: &[BString]) -> Result<bool, String> {
    match args {
        [] => Ok(false),
        [one] => Ok(!one.is_empty()),
        [bang, rest] if bang == "!" => Ok(rest.is_empty()),
        [op, text] => match unary(shell, op, text) {
            Some(result) => Ok(result),
            None if shell.dialect == Dialect::Ash => Err(format!("{text}: unknown operand")),
            None => Err(format!("{op}: unary operator expected")),
        },
        [left, op, right] if binary(shell, left, op, right).is_some() => question(shell, left, op, right),
        args => {
            let mut at = 0;
            let result = or(shell, args, &mut at, 0)?;
            if at < args.len() {
                return Err(match args.get(at) {
                    Some(extra) if shell.dialect == Dialect::Ash => format!("{extra}: unknown operand"),
                    _ if args.len() == 3 => {
                        format!("{}: binary operator expected", args.get(1).map_or("", |a| a.to_str().unwrap_or("?")))
                    }
                    _ => "too many arguments".to_owned(),
                });
            }
            Ok(result)
        }
    }
}

fn question(shell: &Shell, left: &[u8], op: &[u8], right: &[u8]) -> Result<bool, String> {
    match binary(shell, left, op, right) {
        Some(Ok(result)) => Ok(result),
        Some(Err(text)) if shell.dialect == Dialect::Bash => Err(format!("{text}: integer expression expected")),
        Some(Err(text)) if shell.dialect == Dialect::Dash => Err(format!("Illegal number: {text}")),
        Some(Err(text)) => Err(format!("{text}: bad number")),
        None => Err(format!("{}: binary operator expected", op.to_str_lossy())),
    }
}

fn or(shell: &Shell, args: &[BString], at: &mut usize, depth: u32) -> Result<bool, String> {
    let mut result = and(shell, args, at, depth)?;
    while args.get(*at).is_some_and(|a| a == "-o") {
        *at += 1;
        result |= and(shell, args, at, depth)?;
    }
    Ok(result)
}

fn and(shell: &Shell, args: &[BString], at: &mut usize, depth: u32) -> Result<bool, String> {
    let mut result = not(shell, args, at, depth)?;
    while args.get(*at).is_some_and(|a| a == "-a") {
        *at += 1;
        result &= not(shell, args, at, depth)?;
    }
    Ok(result)
}

fn not(shell: &Shell, args: &[BString], at: &mut usize, depth: u32) -> Result<bool, String> {
    if depth > 100 {
        return Err("too many arguments".to_owned());
    }
    let Some(first) = args.get(*at) else { return Err("argument expected".to_owned()) };
    if first == "!" {
        *at += 1;
        return Ok(!not(shell, args, at, depth + 1)?);
    }
    if first == "(" {
        *at += 1;
        let result = or(shell, args, at, depth + 1)?;
        if args.get(*at).is_none_or(|a| a != ")") {
            return Err("`)' expected".to_owned());
        }
        *at += 1;
        return Ok(result);
    }
    if let (Some(op), Some(right)) = (args.get(*at + 1), args.get(*at + 2))
        && binary(shell, first, op, right).is_some()
    {
        *at += 3;
        return question(shell, first, op, right);
    }
    if let Some(text) = args.get(*at + 1)
        && first.starts_with(b"-")
        && let Some(result) = unary(shell, first, text)
    {
        *at += 2;
        return Ok(result);
    }
    *at += 1;
    Ok(!first.is_empty())
}
