//! `printf`.

use bstr::BString;

use super::echo::unescape;
use super::program::{number, quoted, text};
use crate::os::kernel::Proc;

/// `printf`.
pub async fn main(proc: Proc) -> i32 {
    let args: Vec<BString> = proc.args().into_iter().skip(1).collect();
    let Some((format, mut rest)) = args.split_first().map(|(f, rest)| (f.clone(), rest.to_vec())) else {
        proc.eprint("printf: missing operand\nTry 'printf --help' for more information.\n").await;
        return 1;
    };
    let mut complaints = Vec::new();
    let mut out = Vec::new();
    rest.reverse();
    loop {
        let before = rest.len();
        let stop = fill(&format, &mut rest, &mut out, &mut complaints);
        proc.tick().await;
        // The format is used again while there are arguments that it takes.
        if stop || rest.is_empty() || rest.len() == before {
            break;
        }
    }
    let written = proc.print(out).await;
    let failed = written.is_err() || !complaints.is_empty();
    for complaint in complaints {
        proc.eprint(format!("printf: {complaint}\n")).await;
    }
    i32::from(failed)
}

pub fn fill(format: &[u8], args: &mut Vec<BString>, out: &mut Vec<u8>, complaints: &mut Vec<String>) -> bool {
    let mut at = 0;
    while let Some(byte) = format.get(at).copied() {
        if byte == b'\\' {
            // An escape with its digits, at most four bytes.
            let len = match format.get(at + 1) {
                Some(b'0'..=b'7') => {
                    1 + format.iter().skip(at + 1).take(3).take_while(|b| (b'0'..=b'7').contains(b)).count()
                }
                Some(b'x') => 2 + format.iter().skip(at + 2).take(2).take_while(|b| b.is_ascii_hexdigit()).count(),
                _ => 2,
            };
            let piece = format.get(at..(at + len).min(format.len())).unwrap_or_default();
            let (bytes, stop) = unescape(piece, false);
            out.extend_from_slice(&bytes);
            if stop {
                return true;
            }
            at += len;
            continue;
        }
        at += 1;
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let start = at;
        while format.get(at).is_some_and(|b| b"-+ #0".contains(b)) {
            at += 1;
        }
        let flags = text(format.get(start..at).unwrap_or_default());
        let count = |at: &mut usize, args: &mut Vec<BString>| -> Option<usize> {
            if format.get(*at) == Some(&b'*') {
                *at += 1;
                return args.pop().and_then(|a| number(&a));
            }
            let from = *at;
            while format.get(*at).is_some_and(u8::is_ascii_digit) {
                *at += 1;
            }
            number(format.get(from..*at).unwrap_or_default())
        };
        let width = count(&mut at, args).unwrap_or(0).min(10_000);
        let precision = if format.get(at) == Some(&b'.') {
            at += 1;
            Some(count(&mut at, args).unwrap_or(0).min(1000))
        } else {
            None
        };
        let Some(letter) = format.get(at).copied() else {
            complaints
                .push(format!("%{}: invalid conversion specification", text(format.get(start..).unwrap_or_default())));
            return true;
        };
        at += 1;
        if letter == b'%' {
            out.push(b'%');
            continue;
        }
        let arg = args.pop();
        let Some((body, stop)) = convert(letter, arg, precision, &flags, complaints) else {
            let spec = text(format.get(start..at).unwrap_or_default());
            complaints.push(format!("%{spec}: invalid conversion specification"));
            return true;
        };
        pad(&body, width, &flags, letter, out);
        if stop {
            return true;
        }
    }
    false
}

/// The text of one conversion, and whether `\c` ended everything.
fn convert(
    letter: u8,
    arg: Option<BString>,
    precision: Option<usize>,
    flags: &str,
    complaints: &mut Vec<String>,
) -> Option<(Vec<u8>, bool)> {
    let arg = arg.unwrap_or_default();
    let plus = if flags.contains('+') {
        "+"
    } else if flags.contains(' ') {
        " "
    } else {
        ""
    };
    Some(match letter {
        b's' => (arg.get(..precision.unwrap_or(arg.len())).unwrap_or(&arg).to_vec(), false),
        b'b' => {
            let (bytes, stop) = unescape(&arg, true);
            (bytes.into(), stop)
        }
        b'c' => (arg.iter().take(1).copied().collect(), false),
        b'q' => (super::program::maybe_quoted(&arg).into(), false),
        b'd' | b'i' | b'u' | b'x' | b'X' | b'o' => {
            let value = integer(&arg, complaints);
            let digits = match letter {
                b'x' => format!("{value:x}"),
                b'X' => format!("{value:X}"),
                b'o' => format!("{value:o}"),
                b'u' => format!("{}", value as u64),
                _ => value.unsigned_abs().to_string(),
            };
            let digits = format!("{digits:0>w$}", w = precision.unwrap_or(0));
            let sign = match letter {
                b'd' | b'i' if value < 0 => "-",
                b'd' | b'i' => plus,
                b'x' if flags.contains('#') => "0x",
                b'X' if flags.contains('#') => "0X",
                b'o' if flags.contains('#') => "0",
                _ => "",
            };
            (format!("{sign}{digits}").into(), false)
        }
        b'f' | b'F' | b'e' | b'g' | b'E' | b'G' => {
            let value: f64 =
                if arg.is_empty() { 0.0 } else { number(&arg).unwrap_or_else(|| invalid(&arg, complaints)) };
            (float(value, letter, precision, plus).into(), false)
        }
        _ => return None,
    })
}

fn invalid(arg: &[u8], complaints: &mut Vec<String>) -> f64 {
    complaints.push(format!("{}: expected a numeric value", quoted(arg)));
    0.0
}

/// A number in one of C's forms.
pub fn float(value: f64, letter: u8, precision: Option<usize>, plus: &str) -> String {
    let sign = if value < 0.0 { "" } else { plus };
    let digits = precision.unwrap_or(6);
    let body = match letter {
        b'e' | b'E' => exponent(value, digits),
        b'g' | b'G' => {
            let significant = digits.max(1);
            let power = if value == 0.0 { 0 } else { value.abs().log10().floor() as i64 };
            if power < -4 || power >= significant as i64 {
                let text = exponent(value, significant - 1);
                match text.split_once('e') {
                    Some((m, e)) if m.contains('.') => format!("{}e{e}", m.trim_end_matches('0').trim_end_matches('.')),
                    _ => text,
                }
            } else {
                let decimals = usize::try_from(significant as i64 - 1 - power).unwrap_or(0);
                let text = format!("{value:.decimals$}");
                if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
            }
        }
        _ => format!("{value:.digits$}"),
    };
    format!("{sign}{body}")
}

fn exponent(value: f64, digits: usize) -> String {
    let text = format!("{value:.digits$e}");
    match text.split_once('e') {
        Some((mantissa, power)) => {
            let (sign, power) = power.strip_prefix('-').map_or(('+', power), |p| ('-', p));
            format!("{mantissa}e{sign}{power:0>2}")
        }
        None => text,
    }
}

fn integer(arg: &[u8], complaints: &mut Vec<String>) -> i64 {
    let whole = text(arg);
    let trimmed = whole.trim();
    if trimmed.is_empty() {
        return 0;
    }
    if let Some(c) = trimmed.strip_prefix(['\'', '"']).and_then(|rest| rest.chars().next()) {
        return i64::from(u32::from(c));
    }
    let (negative, digits) =
        trimmed.strip_prefix('-').map_or((false, trimmed.strip_prefix('+').unwrap_or(trimmed)), |d| (true, d));
    let parsed = if let Some(hex) = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        i64::from_str_radix(hex, 16).ok()
    } else if digits.len() > 1 && digits.starts_with('0') {
        i64::from_str_radix(digits, 8).ok()
    } else {
        digits.parse().ok()
    };
    match parsed {
        Some(value) if negative => -value,
        Some(value) => value,
        None => {
            invalid(arg, complaints);
            let lead: String = digits.chars().take_while(char::is_ascii_digit).collect();
            lead.parse().unwrap_or(0)
        }
    }
}

fn pad(body: &[u8], width: usize, flags: &str, letter: u8, out: &mut Vec<u8>) {
    let missing = width.saturating_sub(body.len());
    if flags.contains('-') {
        out.extend_from_slice(body);
        out.extend(std::iter::repeat_n(b' ', missing));
    } else if flags.contains('0') && !matches!(letter, b's' | b'c' | b'b') {
        let sign = usize::from(body.first().is_some_and(|b| b"+- ".contains(b)));
        out.extend(body.iter().take(sign));
        out.extend(std::iter::repeat_n(b'0', missing));
        out.extend(body.iter().skip(sign));
    } else {
        out.extend(std::iter::repeat_n(b' ', missing));
        out.extend_from_slice(body);
    }
}
