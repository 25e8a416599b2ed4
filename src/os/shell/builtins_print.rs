//! `echo` and `printf`.

use bstr::{BString, ByteSlice};

use super::builtins::rest;
use super::dialect::Dialect;
use super::escape::{Escapes, unescape};
use super::shell::{Run, Shell};

/// Writes a builtin's output; an error is told as bash tells it.
pub(super) async fn out(shell: &mut Shell, bytes: &[u8]) -> Run {
    if bytes.is_empty() {
        return Ok(0);
    }
    match shell.proc.write(1, bytes).await {
        Ok(()) => Ok(0),
        Err(crate::base::errno::Errno::EPIPE | crate::base::errno::Errno::EINTR) => Ok(1),
        Err(error) => {
            let text = match shell.dialect {
                // dash tells the name twice.
                Dialect::Dash => format!("{}: I/O error", shell.running),
                _ => format!("write error: {error}"),
            };
            Ok(shell.blame(text).await)
        }
    }
}

pub(super) async fn echo(shell: &mut Shell, args: &[BString]) -> Run {
    let mut operands = rest(args);
    let (mut newline, mut escapes) = (true, shell.dialect == Dialect::Dash);
    while let Some(option) = operands.first() {
        let known: &[u8] = if shell.dialect == Dialect::Dash { b"n" } else { b"neE" };
        let letters = option.strip_prefix(b"-").unwrap_or_default();
        if letters.is_empty() || !letters.iter().all(|l| known.contains(l)) {
            break;
        }
        for letter in letters {
            match letter {
                b'n' => newline = false,
                letter => escapes = *letter == b'e',
            }
        }
        operands = rest(operands);
    }
    let mut text = BString::from(bstr::join(" ", operands));
    if escapes {
        let (plain, ended) = unescape(&text, Escapes::Echo);
        text = plain;
        newline &= !ended;
    }
    if newline {
        text.push(b'\n');
    }
    out(shell, &text).await
}

/// A number as `printf` reads it; `None` when it is none.
fn to_number(text: &[u8]) -> (i64, bool) {
    let text = text.to_str_lossy();
    let text = text.trim_start();
    if let Some(quoted) = text.strip_prefix(['\'', '"']) {
        return (quoted.chars().next().map_or(0, |c| i64::from(u32::from(c))), true);
    }
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (digits, radix) = if let Some(hex) = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        (hex, 16)
    } else if digits.len() > 1 && digits.starts_with('0') {
        (digits, 8)
    } else {
        (digits, 10)
    };
    let end = digits.find(|c: char| !c.is_digit(radix)).unwrap_or(digits.len());
    let value = digits.get(..end).and_then(|d| i64::from_str_radix(d, radix).ok());
    let value = value.unwrap_or(if end == 0 { 0 } else { i64::MAX });
    (if negative { value.wrapping_neg() } else { value }, end == digits.len() && end > 0)
}

struct Spec {
    left: bool,
    zero: bool,
    plus: bool,
    space: bool,
    alternate: bool,
    width: usize,
    precision: Option<usize>,
}

fn pad(spec: &Spec, sign: &str, body: &[u8], zeros: bool) -> Vec<u8> {
    let len = sign.len() + body.chars().count();
    let fill = spec.width.saturating_sub(len);
    let mut out = Vec::new();
    if !spec.left && !zeros {
        out.resize(fill, b' ');
    }
    out.extend_from_slice(sign.as_bytes());
    if !spec.left && zeros {
        out.resize(out.len() + fill, b'0');
    }
    out.extend_from_slice(body);
    if spec.left {
        out.resize(out.len() + fill, b' ');
    }
    out
}

/// Widest field, so that no format asks for all memory.
const MAX_WIDTH: usize = 1 << 16;

pub(super) async fn printf(shell: &mut Shell, args: &[BString]) -> Run {
    let mut operands = rest(args);
    let mut variable = None;
    if shell.dialect == Dialect::Bash && operands.first().is_some_and(|a| a == "-v") {
        variable = operands.get(1).cloned();
        operands = operands.get(2..).unwrap_or_default();
    }
    if operands.first().is_some_and(|a| a == "--") {
        operands = rest(operands);
    }
    let Some(format) = operands.first().cloned() else {
        let usage = if shell.dialect == Dialect::Bash {
            "printf: usage: printf [-v var] format [arguments]\n"
        } else {
            "printf: usage: printf format [arg ...]\n"
        };
        shell.proc.eprint(usage).await;
        return Ok(2);
    };
    let operands = rest(operands);
    let mut next = 0usize;
    let mut text: Vec<u8> = Vec::new();
    let mut status = 0;
    'all: loop {
        shell.proc.tick().await;
        let before = next;
        let mut at = 0;
        while let Some(byte) = format.get(at) {
            at += 1;
            if *byte == b'\\' {
                let mut end = at + 1;
                while end < format.len() && end < at + 9 && format.get(end).is_some_and(u8::is_ascii_hexdigit) {
                    end += 1;
                }
                // Which of the following bytes belong to the escape is for `unescape` to say: try it on one escape.
                let len = escape_len(format.get(at..end).unwrap_or_default());
                let piece = format.get(at - 1..at + len).unwrap_or_default();
                text.extend_from_slice(&unescape(piece, Escapes::Format).0);
                at += len;
                continue;
            }
            if *byte != b'%' {
                text.push(*byte);
                continue;
            }
            if format.get(at) == Some(&b'%') {
                text.push(b'%');
                at += 1;
                continue;
            }
            let mut spec = Spec {
                left: false,
                zero: false,
                plus: false,
                space: false,
                alternate: false,
                width: 0,
                precision: None,
            };
            while let Some(flag) = format.get(at) {
                match flag {
                    b'-' => spec.left = true,
                    b'0' => spec.zero = true,
                    b'+' => spec.plus = true,
                    b' ' => spec.space = true,
                    b'#' => spec.alternate = true,
                    _ => break,
                }
                at += 1;
            }
            let count = |at: &mut usize, next: &mut usize| -> i64 {
                if format.get(*at) == Some(&b'*') {
                    *at += 1;
                    let value = operands.get(*next).map_or(0, |a| to_number(a).0);
                    *next += 1;
                    return value;
                }
                let mut value = 0i64;
                while let Some(digit) = format.get(*at).filter(|b| b.is_ascii_digit()) {
                    value = value.saturating_mul(10).saturating_add(i64::from(digit - b'0'));
                    *at += 1;
                }
                value
            };
            let width = count(&mut at, &mut next);
            spec.left |= width < 0;
            spec.width = usize::try_from(width.unsigned_abs()).unwrap_or(MAX_WIDTH).min(MAX_WIDTH);
            if format.get(at) == Some(&b'.') {
                at += 1;
                spec.precision = usize::try_from(count(&mut at, &mut next)).ok().map(|p| p.min(MAX_WIDTH));
            }
            while matches!(format.get(at), Some(b'l' | b'h' | b'q' | b'j' | b'z' | b'L'))
                && format.get(at + 1).is_some_and(u8::is_ascii_alphabetic)
            {
                at += 1;
            }
            let kind = format.get(at).copied().unwrap_or(0);
            at += 1;
            let argument = operands.get(next).cloned();
            next += 1;
            let value = argument.clone().unwrap_or_default();
            match kind {
                b's' => {
                    let shown: BString = match spec.precision {
                        Some(max) => value.chars().take(max).collect::<String>().into(),
                        None => value,
                    };
                    text.extend(pad(&spec, "", &shown, false));
                }
                b'b' => {
                    let (shown, ended) = unescape(&value, Escapes::Echo);
                    text.extend(pad(&spec, "", &shown, false));
                    if ended {
                        break 'all;
                    }
                }
                b'q' if shell.dialect == Dialect::Bash => {
                    text.extend(pad(&spec, "", &super::quote::if_needed(&value), false));
                }
                b'c' => text.extend(pad(
                    &spec,
                    "",
                    value.chars().next().map(String::from).unwrap_or_default().as_bytes(),
                    false,
                )),
                b'd' | b'i' | b'u' | b'x' | b'X' | b'o' => {
                    let (number, valid) = if argument.is_some() { to_number(&value) } else { (0, true) };
                    if !valid {
                        let message = match shell.dialect {
                            Dialect::Bash => format!("{value}: invalid number"),
                            Dialect::Dash if value.is_empty() || !value.first().is_some_and(u8::is_ascii_digit) => {
                                format!("{value}: expected numeric value")
                            }
                            Dialect::Dash => format!("{value}: not completely converted"),
                            Dialect::Ash => format!("invalid number '{value}'"),
                        };
                        status = shell.blame(message).await;
                    }
                    let signed = matches!(kind, b'd' | b'i');
                    let mut digits = match kind {
                        b'x' => format!("{number:x}"),
                        b'X' => format!("{number:X}"),
                        b'o' => format!("{number:o}"),
                        b'u' => format!("{}", number as u64),
                        _ => number.unsigned_abs().to_string(),
                    };
                    if let Some(least) = spec.precision {
                        digits = format!("{digits:0>least$}");
                    }
                    let sign = match kind {
                        b'x' if spec.alternate && number != 0 => "0x",
                        b'X' if spec.alternate && number != 0 => "0X",
                        b'o' if spec.alternate => "0",
                        _ if signed && number < 0 => "-",
                        _ if signed && spec.plus => "+",
                        _ if signed && spec.space => " ",
                        _ => "",
                    };
                    text.extend(pad(&spec, sign, digits.as_bytes(), spec.zero && spec.precision.is_none()));
                }
                b'f' | b'F' | b'e' | b'E' | b'g' | b'G' => {
                    let parsed = value.to_str_lossy().trim().parse::<f64>();
                    if parsed.is_err() && argument.is_some() {
                        status = shell.blame(format!("{value}: invalid number")).await;
                    }
                    let number = parsed.unwrap_or(0.0);
                    let digits = spec.precision.unwrap_or(6);
                    let shown = match kind {
                        b'e' | b'E' => {
                            let text = format!("{:.digits$e}", number.abs());
                            let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
                            let exponent: i32 = exponent.parse().unwrap_or(0);
                            let sign = if exponent < 0 { '-' } else { '+' };
                            format!("{mantissa}e{sign}{:02}", exponent.abs())
                        }
                        b'g' | b'G' => format!("{}", number.abs()),
                        _ => format!("{:.digits$}", number.abs()),
                    };
                    let sign = if number < 0.0 {
                        "-"
                    } else if spec.plus {
                        "+"
                    } else {
                        ""
                    };
                    text.extend(pad(&spec, sign, shown.as_bytes(), spec.zero));
                }
                kind => {
                    let shown = BString::from(if kind == 0 { Vec::new() } else { vec![kind] });
                    let message = match shell.dialect {
                        Dialect::Bash if kind == 0 => "`%': missing format character".to_owned(),
                        Dialect::Bash => format!("`{shown}': invalid format character"),
                        Dialect::Dash => format!("%{shown}: invalid directive"),
                        Dialect::Ash => format!("%{shown}: invalid format"),
                    };
                    status = shell.blame(message).await;
                    break 'all;
                }
            }
        }
        if next >= operands.len() || next == before || text.len() > 64 << 20 {
            break;
        }
    }
    if let Some(name) = variable {
        shell.assign(&name, text.into(), false).await?;
        return Ok(status);
    }
    let written = out(shell, &text).await?;
    Ok(if status == 0 { written } else { status })
}

/// How many bytes after a backslash belong to it.
fn escape_len(text: &[u8]) -> usize {
    let run = |from: usize, max: usize, radix: u32| {
        text.iter().skip(from).take(max).take_while(|b| char::from(**b).is_digit(radix)).count()
    };
    match text.first() {
        None => 0,
        Some(b'0'..=b'7') => run(0, 3, 8),
        Some(b'x') => 1 + run(1, 2, 16),
        Some(b'u') => 1 + run(1, 4, 16),
        Some(b'U') => 1 + run(1, 8, 16),
        Some(_) => 1,
    }
}
