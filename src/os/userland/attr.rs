//! `getfattr`, `setfattr`: extended attributes (attr 2.5).

use std::cell::Cell;

use bstr::{BString, ByteSlice};
use regex_lite::Regex;

use super::pattern::{self, Grammar};
use super::program::{Done, Run, run, spec, text};
use super::walk::Walk;
use crate::base::base64;
use crate::base::errno::Errno;
use crate::os::args::{flag, long_flag, value};
use crate::os::kernel::Proc;

const GET_USAGE: &str = "Usage: getfattr [-hRLP] [-n name|-d] [-e en] [-m pattern] path...\n";
const SET_USAGE: &str = "Usage: setfattr {-n name} [-v value] [-h] file...\n       setfattr {-x name} [-h] file...\n";

spec!(
    GET,
    "getfattr",
    "[-hRLP] [-n name|-d] [-e en] [-m pattern] path...",
    [
        value('n', "name"),
        flag('d', "dump"),
        value('e', "encoding"),
        value('m', "match"),
        long_flag("only-values"),
        flag('h', "no-dereference"),
        long_flag("absolute-names"),
        flag('R', "recursive"),
        flag('L', "logical"),
        flag('P', "physical"),
    ]
);
spec!(
    SET,
    "setfattr",
    "{-n name} [-v value] [-h] file...",
    [value('n', "name"), value('x', "remove"), value('v', "value"), flag('h', "no-dereference"), long_flag("raw")]
);

/// How values are written.
#[derive(Clone, Copy, PartialEq)]
enum Encoding {
    /// As text where most of it can be printed.
    Auto,
    Text,
    Hex,
    Base64,
}

/// What `getfattr` was asked for.
struct Wanted {
    name: Option<BString>,
    pattern: Regex,
    shows_values: bool,
    only_values: bool,
    encoding: Encoding,
    follow: bool,
    keeps_slash: bool,
    /// Whether it was said that slashes are taken off.
    said: Cell<bool>,
}

/// `getfattr`.
pub async fn getfattr(proc: Proc) -> i32 {
    run(proc, &GET, |run| Box::pin(get(run))).await
}

/// `setfattr`.
pub async fn setfattr(proc: Proc) -> i32 {
    run(proc, &SET, |run| Box::pin(set(run))).await
}

async fn get(run: &mut Run) -> Done {
    let operands = run.args.operands.clone();
    let encoding = match run.args.value('e').map(|word| text(word)).as_deref() {
        None => Some(Encoding::Auto),
        Some("text") => Some(Encoding::Text),
        Some("hex") => Some(Encoding::Hex),
        Some("base64") => Some(Encoding::Base64),
        Some(_) => None,
    };
    let (Some(encoding), false) = (encoding, operands.is_empty()) else {
        return misused(run, "getfattr", GET_USAGE).await;
    };
    let pattern = match run.args.value('m').map(|word| text(word)).as_deref() {
        None => "^user\\.".to_owned(),
        Some("-") => String::new(),
        Some(pattern) => pattern.to_owned(),
    };
    let pattern = match pattern::compile(pattern.as_bytes(), Grammar::Extended, false) {
        Ok(pattern) => pattern,
        Err(message) => {
            run.complain(format!("invalid regular expression \"{pattern}\": {message}")).await;
            return Ok(1);
        }
    };
    let name = run.args.value('n').map(ToOwned::to_owned);
    let wanted = Wanted {
        shows_values: run.args.has('d') || name.is_some() || run.args.has("only-values"),
        name,
        pattern,
        only_values: run.args.has("only-values"),
        encoding,
        follow: !run.args.has('h') && !run.args.has('P'),
        keeps_slash: run.args.has("absolute-names"),
        said: Cell::new(false),
    };
    for operand in operands {
        if run.args.has('R') {
            let mut walk = Walk::new(&run.proc, &operand);
            while let Some(visit) = walk.next().await {
                if !visit.leaving {
                    show(run, &visit.path, &wanted).await?;
                }
            }
        } else {
            show(run, &operand, &wanted).await?;
        }
    }
    Ok(0)
}

/// Prints the attributes of one file.
async fn show(run: &mut Run, path: &[u8], wanted: &Wanted) -> Result<(), Errno> {
    let xattrs = match run.proc.xattrs(path, wanted.follow) {
        Ok(xattrs) => xattrs,
        Err(Errno::EOPNOTSUPP) => return Ok(()),
        Err(error) => {
            run.complain_path(path, error).await;
            return Ok(());
        }
    };
    let chosen = xattrs.iter().filter(|(name, _)| match &wanted.name {
        Some(only) => *name == only,
        None => wanted.pattern.is_match(&text(name)),
    });
    let mut lines = Vec::new();
    for (name, value) in chosen {
        if wanted.only_values {
            run.put(value).await?;
            continue;
        }
        lines.extend_from_slice(name);
        if wanted.shows_values {
            lines.push(b'=');
            lines.extend_from_slice(&encoded(value, wanted.encoding));
        }
        lines.push(b'\n');
    }
    if let Some(name) = wanted.name.as_ref().filter(|name| xattrs.get(name).is_none()) {
        run.status = 1;
        run.flush().await?;
        let line = format!("{}: {name}: No such attribute\n", path.as_bstr());
        run.proc.eprint(line).await;
    }
    if lines.is_empty() {
        return Ok(());
    }
    if path.starts_with(b"/") && !wanted.keeps_slash && !wanted.said.replace(true) {
        run.flush().await?;
        run.proc.eprint("getfattr: Removing leading '/' from absolute path names\n").await;
    }
    let shown = if wanted.keeps_slash { path } else { path.trim_start_with(|c| c == '/') };
    run.put([b"# file: ", shown, b"\n", &lines, b"\n"].concat()).await
}

async fn set(run: &mut Run) -> Done {
    let (name, remove) = (run.args.value('n').map(ToOwned::to_owned), run.args.value('x').map(ToOwned::to_owned));
    let given = run.args.value('v').map(ToOwned::to_owned);
    let operands = run.args.operands.clone();
    let (name, value) = match (name, remove) {
        (Some(name), None) if !operands.is_empty() => {
            let raw = given.unwrap_or_default();
            let value = if run.args.has("raw") { Some(raw.into()) } else { decoded(&raw) };
            match value {
                Some(value) => (name, Some(value)),
                None => {
                    run.complain("bad input encoding").await;
                    return Ok(1);
                }
            }
        }
        (None, Some(name)) if !operands.is_empty() && given.is_none() => (name, None),
        _ => return misused(run, "setfattr", SET_USAGE).await,
    };
    for path in operands {
        let follow = !run.args.has('h');
        match run.proc.set_xattr(&path, &name, value.as_deref(), follow) {
            Ok(()) => {}
            // attr has a text of its own for this one.
            Err(Errno::ENODATA) => run.complain([path.as_slice(), b": No such attribute"].concat()).await,
            Err(error) => run.complain_path(&path, error).await,
        }
    }
    Ok(0)
}

async fn misused(run: &mut Run, program: &str, usage: &str) -> Done {
    run.proc.eprint(format!("{usage}Try `{program} --help' for more information.\n")).await;
    Ok(2)
}

/// attr's `encode`: at most an eighth of what is shown as text may be unprintable.
fn encoded(value: &[u8], encoding: Encoding) -> Vec<u8> {
    let content = value.strip_suffix(b"\0").unwrap_or(value);
    let unprintable = content.iter().filter(|byte| !matches!(byte, b' '..=b'~')).count();
    let encoding = match encoding {
        Encoding::Auto if content.len() >= unprintable * 8 => Encoding::Text,
        Encoding::Auto => Encoding::Base64,
        chosen => chosen,
    };
    match encoding {
        Encoding::Hex => value.iter().fold(b"0x".to_vec(), |mut out, byte| {
            out.extend_from_slice(format!("{byte:02x}").as_bytes());
            out
        }),
        Encoding::Base64 => [b"0s".as_slice(), base64::encode(value).as_bytes()].concat(),
        Encoding::Auto | Encoding::Text => {
            let mut out = vec![b'"'];
            for byte in value {
                match byte {
                    b'"' | b'\\' => out.extend_from_slice(&[b'\\', *byte]),
                    0 | b'\n' | b'\r' => out.extend_from_slice(format!("\\{byte:03o}").as_bytes()),
                    _ => out.push(*byte),
                }
            }
            out.push(b'"');
            out
        }
    }
}

/// attr's `decode`: `0x` hexadecimal, `0s` base64, else text with `\` and octal escapes, perhaps in quotes.
fn decoded(text: &[u8]) -> Option<Vec<u8>> {
    if let Some(digits) = text.strip_prefix(b"0x").or_else(|| text.strip_prefix(b"0X")) {
        let digits: Vec<u32> = digits.iter().map(|digit| char::from(*digit).to_digit(16)).collect::<Option<_>>()?;
        return digits.chunks(2).map(|pair| u8::try_from(pair.first()? * 16 + pair.get(1)?).ok()).collect();
    }
    if let Some(code) = text.strip_prefix(b"0s").or_else(|| text.strip_prefix(b"0S")) {
        return base64::decode(code);
    }
    let inner = text.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")).unwrap_or(text);
    let mut out = Vec::new();
    let mut rest = inner;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'\\' {
            out.push(*first);
            continue;
        }
        let octal = rest.get(..3).filter(|digits| digits.iter().all(|digit| matches!(digit, b'0'..=b'7')));
        match (octal, rest.split_first()) {
            (Some(digits), _) => {
                let value = digits.iter().fold(0u32, |sum, digit| sum * 8 + u32::from(digit - b'0'));
                out.push((value & 0xff) as u8);
                rest = rest.get(3..).unwrap_or_default();
            }
            (None, Some((escaped, after))) => {
                out.push(*escaped);
                rest = after;
            }
            (None, None) => out.push(b'\\'),
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_as_attr_writes_them_and_read_back() {
        let cases: [(&[u8], Encoding, &str); 6] = [
            (b"he\"llo", Encoding::Auto, "\"he\\\"llo\""),
            (b"\0\xff", Encoding::Auto, "0sAP8="),
            (b"a\0b", Encoding::Text, "\"a\\000b\""),
            (b"a\0b", Encoding::Auto, "0sYQBi"),
            (b"\0\xff", Encoding::Hex, "0x00ff"),
            (b"", Encoding::Auto, "\"\""),
        ];
        for (value, encoding, written) in cases {
            assert_eq!(encoded(value, encoding).as_bstr(), written);
            assert_eq!(decoded(written.as_bytes()).as_deref(), Some(value));
        }
        assert_eq!(decoded(b"0x1"), None);
        assert_eq!(decoded(b"0s*"), None);
    }
}
