//! The builtins about variables and options.

use std::collections::BTreeMap;
use std::rc::Rc;

use bstr::{BString, ByteSlice};

use super::builtins::{number, rest};
use super::builtins_print::out;
use super::dialect::Dialect;
use super::parse::is_name;
use super::quote;
use super::shell::{Flow, Run, Shell};
use super::variables::Value;

fn shown(shell: &Shell, name: &BString, prefix: &str) -> Option<BString> {
    let value = match &shell.vars.find(name)?.value {
        Value::Unset => return Some(format!("{prefix}{name}\n").into()),
        Value::Text(text) => quote::double(text),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(|(k, v)| format!("[{k}]={}", quote::double(v))).collect();
            format!("({})", items.join(" ")).into()
        }
        Value::Map(items) => {
            let items: String = items.iter().map(|(k, v)| format!("[{k}]={} ", quote::double(v))).collect();
            format!("({items})").into()
        }
    };
    Some(format!("{prefix}{name}={value}\n").into())
}

/// What `declare` and its relatives set.
#[derive(Default)]
struct Attributes {
    export: Option<bool>,
    readonly: bool,
    integer: bool,
    array: bool,
    map: bool,
    local: bool,
}

async fn attribute(shell: &mut Shell, operands: &[BString], attributes: &Attributes) -> Run {
    let mut status = 0;
    for operand in operands {
        let (name, value) = match operand.find_byte(b'=') {
            Some(at) => {
                let (name, value) = operand.split_at(at);
                (name, value.get(1..))
            }
            None => (operand.as_slice(), None),
        };
        let (name, append) = match name.strip_suffix(b"+") {
            Some(name) => (name, true),
            None => (name, false),
        };
        if !is_name(name) {
            let message = match shell.dialect {
                Dialect::Bash => format!("`{operand}': not a valid identifier"),
                _ => format!("{}: bad variable name", name.to_str_lossy()),
            };
            status = shell.blame(message).await;
            if shell.dialect != Dialect::Bash {
                return Err(Flow::Abort(2));
            }
            continue;
        }
        if attributes.local {
            shell.vars.make_local(name, shell.dialect != Dialect::Bash);
        }
        if attributes.array || attributes.map {
            let variable = shell.vars.entry(name);
            if attributes.map && !matches!(variable.value, Value::Map(_)) {
                variable.value = Value::Map(BTreeMap::new());
            } else if attributes.array && matches!(variable.value, Value::Unset) {
                variable.value = Value::Array(BTreeMap::new());
            }
        }
        if attributes.integer {
            shell.vars.entry(name).integer = true;
        }
        if let Some(value) = value {
            shell.assign(name, value.into(), append).await?;
        }
        let variable = shell.vars.entry(name);
        if let Some(export) = attributes.export {
            variable.exported = export;
        }
        variable.readonly |= attributes.readonly;
    }
    Ok(status)
}

pub(super) async fn export(shell: &mut Shell, args: &[BString]) -> Run {
    let mut operands = rest(args);
    let mut export = true;
    while let Some(option) = operands.first().filter(|o| o.starts_with(b"-")) {
        export &= option != "-n";
        operands = rest(operands);
    }
    if operands.is_empty() {
        let bash = shell.dialect == Dialect::Bash;
        let mut text = BString::default();
        let names: Vec<BString> = shell.vars.iter().filter(|v| v.1.exported).map(|v| v.0.clone()).collect();
        for name in names {
            if bash {
                text.extend_from_slice(&shown(shell, &name, "declare -x ").unwrap_or_default());
            } else if let Some(value) = shell.vars.get(&name) {
                text.extend_from_slice(format!("export {name}={}\n", quote::single(value)).as_bytes());
            }
        }
        return out(shell, &text).await;
    }
    attribute(shell, operands, &Attributes { export: Some(export), ..Attributes::default() }).await
}

pub(super) async fn readonly(shell: &mut Shell, args: &[BString]) -> Run {
    let mut operands = rest(args);
    while operands.first().is_some_and(|o| o.starts_with(b"-")) {
        operands = rest(operands);
    }
    if operands.is_empty() {
        let mut text = BString::default();
        let names: Vec<BString> = shell.vars.iter().filter(|v| v.1.readonly).map(|v| v.0.clone()).collect();
        for name in names {
            let prefix = if shell.dialect == Dialect::Bash { "declare -r " } else { "readonly " };
            text.extend_from_slice(&shown(shell, &name, prefix).unwrap_or_default());
        }
        return out(shell, &text).await;
    }
    attribute(shell, operands, &Attributes { readonly: true, ..Attributes::default() }).await
}

pub(super) async fn local(shell: &mut Shell, args: &[BString]) -> Run {
    if !shell.vars.has_scope() {
        let message =
            if shell.dialect == Dialect::Bash { "can only be used in a function" } else { "not in a function" };
        return Ok(shell.blame(message).await);
    }
    declare_as(shell, args, true).await
}

pub(super) async fn declare(shell: &mut Shell, args: &[BString]) -> Run {
    let local = shell.vars.has_scope();
    declare_as(shell, args, local).await
}

async fn declare_as(shell: &mut Shell, args: &[BString], local: bool) -> Run {
    let mut operands = rest(args);
    let mut attributes = Attributes { local, ..Attributes::default() };
    let (mut print, mut functions) = (false, false);
    while let Some(option) = operands.first().filter(|o| o.len() > 1 && (o.starts_with(b"-") || o.starts_with(b"+"))) {
        for letter in option.get(1..).unwrap_or_default() {
            match letter {
                b'x' => attributes.export = Some(option.starts_with(b"-")),
                b'r' => attributes.readonly = true,
                b'i' => attributes.integer = true,
                b'a' => attributes.array = true,
                b'A' => attributes.map = true,
                b'g' => attributes.local = false,
                b'p' => print = true,
                b'f' | b'F' => functions = true,
                _ => {}
            }
        }
        operands = rest(operands);
    }
    if functions {
        let names: String = shell.functions.keys().map(|name| format!("declare -f {name}\n")).collect();
        return out(shell, names.as_bytes()).await;
    }
    if print || operands.is_empty() {
        let names: Vec<BString> =
            if operands.is_empty() { shell.vars.iter().map(|v| v.0.clone()).collect() } else { operands.to_vec() };
        let (mut text, mut status) = (BString::default(), 0);
        for name in names {
            let Some(variable) = shell.vars.find(&name) else {
                status = shell.blame(format!("{name}: not found")).await;
                continue;
            };
            let mut letters = String::new();
            match variable.value {
                Value::Array(_) => letters.push('a'),
                Value::Map(_) => letters.push('A'),
                _ => {}
            }
            for (on, letter) in [(variable.integer, 'i'), (variable.readonly, 'r'), (variable.exported, 'x')] {
                if on {
                    letters.push(letter);
                }
            }
            if letters.is_empty() {
                letters.push('-');
            }
            text.extend_from_slice(&shown(shell, &name, &format!("declare -{letters} ")).unwrap_or_default());
        }
        out(shell, &text).await?;
        return Ok(status);
    }
    attribute(shell, operands, &attributes).await
}

pub(super) async fn unset(shell: &mut Shell, args: &[BString]) -> Run {
    let mut functions = false;
    let mut status = 0;
    for name in rest(args) {
        match name.as_slice() {
            b"-f" => functions = true,
            b"-v" => functions = false,
            name if functions => drop(Rc::make_mut(&mut shell.functions).remove(name.as_bstr())),
            name if shell.vars.is_readonly(name) => {
                let shown = name.as_bstr();
                status = match shell.dialect {
                    Dialect::Bash => shell.blame(format!("{shown}: cannot unset: readonly variable")).await,
                    _ => shell.blame(format!("{shown}: is read only")).await,
                };
            }
            name => {
                if let Some(at) = name.find_byte(b'[')
                    && let Some(index) = name.get(at + 1..name.len().saturating_sub(1))
                {
                    let key = index.to_vec();
                    let at_index = number(&key);
                    match &mut shell.vars.entry(name.get(..at).unwrap_or_default()).value {
                        Value::Array(items) => drop(at_index.and_then(|i| items.remove(&i))),
                        Value::Map(items) => drop(items.remove(key.as_bstr())),
                        _ => {}
                    }
                } else if shell.vars.find(name).is_some() {
                    shell.vars.remove(name);
                } else if shell.dialect == Dialect::Bash {
                    Rc::make_mut(&mut shell.functions).remove(name.as_bstr());
                }
            }
        }
    }
    Ok(status)
}

pub(super) async fn shift(shell: &mut Shell, args: &[BString]) -> Run {
    let count = args.get(1).map_or(Some(1), |a| number(a)).and_then(|n| usize::try_from(n).ok());
    match count.filter(|n| *n <= shell.args.len()) {
        Some(count) => {
            shell.args.drain(..count);
            Ok(0)
        }
        None if shell.dialect == Dialect::Dash => {
            shell.blame("can't shift that many").await;
            Err(Flow::Abort(2))
        }
        None => Ok(1),
    }
}

pub(super) async fn let_(shell: &mut Shell, args: &[BString]) -> Run {
    let mut value = 0;
    for text in rest(args) {
        value = shell.arithmetic(text).await?;
    }
    Ok(i32::from(value == 0))
}

fn flag<'a>(shell: &'a mut Shell, letter: u8, name: &str) -> Option<&'a mut bool> {
    let o = &mut shell.options;
    Some(match (letter, name) {
        (b'a', _) | (_, "allexport") => &mut o.allexport,
        (b'e', _) | (_, "errexit") => &mut o.errexit,
        (b'u', _) | (_, "nounset") => &mut o.nounset,
        (b'x', _) | (_, "xtrace") => &mut o.xtrace,
        (b'f', _) | (_, "noglob") => &mut o.noglob,
        (b'n', _) | (_, "noexec") => &mut o.noexec,
        (b'v', _) | (_, "verbose") => &mut o.verbose,
        (b'C', _) | (_, "noclobber") => &mut o.noclobber,
        (b'm', _) | (_, "monitor") => &mut o.monitor,
        (_, "pipefail") => &mut o.pipefail,
        _ => return None,
    })
}

/// Sets the options at the start of arguments; returns how many arguments they were, or the bad one.
pub(super) fn set_options(shell: &mut Shell, args: &[BString]) -> Result<usize, BString> {
    let mut at = 0;
    while let Some(arg) = args.get(at) {
        let on = match arg.first() {
            Some(b'-') => true,
            Some(b'+') => false,
            _ => break,
        };
        if arg.len() == 1 || arg == "--" {
            break;
        }
        at += 1;
        for letter in arg.get(1..).unwrap_or_default() {
            if *letter == b'o' {
                let Some(name) = args.get(at) else { return Ok(at) };
                at += 1;
                match flag(shell, 0, &name.to_str_lossy()) {
                    Some(found) => *found = on,
                    None if matches!(
                        name.as_slice(),
                        b"posix" | b"emacs" | b"vi" | b"history" | b"ignoreeof" | b"braceexpand" | b"histexpand"
                    ) => {}
                    None => return Err(name.clone()),
                }
                continue;
            }
            match flag(shell, *letter, "") {
                Some(found) => *found = on,
                None if matches!(letter, b'b' | b'h' | b'B' | b'H' | b'P' | b'T' | b'E' | b'k' | b'p') => {}
                None => return Err(vec![arg.first().copied().unwrap_or(b'-'), *letter].into()),
            }
        }
    }
    Ok(at)
}

pub(super) async fn set(shell: &mut Shell, args: &[BString]) -> Run {
    if args.len() == 1 {
        let mut text = BString::default();
        for (name, variable) in shell.vars.iter() {
            let value = match &variable.value {
                Value::Text(value) if shell.dialect == Dialect::Bash => quote::if_needed(value),
                Value::Text(value) => quote::single(value),
                Value::Array(items) => {
                    let items: Vec<String> = items.iter().map(|(k, v)| format!("[{k}]={}", quote::double(v))).collect();
                    format!("({})", items.join(" ")).into()
                }
                _ => continue,
            };
            text.extend_from_slice(format!("{name}={value}\n").as_bytes());
        }
        return out(shell, &text).await;
    }
    if args.len() == 2 && args.get(1).is_some_and(|a| a == "-o" || a == "+o") {
        let mut text = String::new();
        for name in [
            "allexport",
            "errexit",
            "monitor",
            "noclobber",
            "noexec",
            "noglob",
            "nounset",
            "pipefail",
            "verbose",
            "xtrace",
        ] {
            let on = flag(shell, 0, name).is_some_and(|f| *f);
            text.push_str(&format!("{name:<15}\t{}\n", if on { "on" } else { "off" }));
        }
        return out(shell, text.as_bytes()).await;
    }
    let operands = rest(args);
    match set_options(shell, operands) {
        Ok(used) => {
            let left = operands.get(used..).unwrap_or_default();
            match left.first() {
                Some(dashes) if dashes == "--" => shell.args = rest(left).to_vec(),
                Some(dash) if dash == "-" => {}
                Some(_) => shell.args = left.to_vec(),
                None => {}
            }
            Ok(0)
        }
        Err(bad) => {
            if shell.dialect == Dialect::Bash {
                shell.blame(format!("{bad}: invalid option")).await;
                return Ok(2);
            }
            shell.blame(format!("Illegal option {bad}")).await;
            Err(Flow::Abort(2))
        }
    }
}

/// Reads a line byte by byte, so that what follows is left for others.
async fn read_line(
    shell: &mut Shell,
    fd: i32,
    raw: bool,
    delimiter: u8,
    max: usize,
) -> Result<(Vec<(u8, bool)>, bool), Flow> {
    let mut line = Vec::new();
    let mut escaped = false;
    loop {
        if line.len() >= max {
            return Ok((line, true));
        }
        match shell.proc.read(fd, 1).await {
            Ok(part) => {
                let Some(byte) = part.to_vec().first().copied() else { return Ok((line, false)) };
                if escaped {
                    escaped = false;
                    if byte != b'\n' {
                        line.push((byte, true));
                    }
                } else if byte == b'\\' && !raw {
                    escaped = true;
                } else if byte == delimiter {
                    return Ok((line, true));
                } else if byte != 0 {
                    line.push((byte, false));
                }
            }
            Err(crate::base::errno::Errno::EINTR) => shell.poll_signals().await?,
            Err(error) => {
                shell.blame(format!("read error: {fd}: {error}")).await;
                return Ok((line, false));
            }
        }
    }
}

pub(super) async fn read(shell: &mut Shell, args: &[BString]) -> Run {
    let (mut raw, mut silent, mut delimiter, mut max, mut fd, mut array) = (false, false, b'\n', usize::MAX, 0, None);
    let mut at = 1;
    while let Some(option) = args.get(at).filter(|a| a.len() > 1 && a.starts_with(b"-")) {
        at += 1;
        if option == "--" {
            break;
        }
        let letters = option.get(1..).unwrap_or_default();
        for (place, letter) in letters.iter().enumerate() {
            let mut value = || {
                let attached = letters.get(place + 1..).unwrap_or_default();
                if attached.is_empty() {
                    at += 1;
                    args.get(at - 1).cloned().unwrap_or_default()
                } else {
                    attached.into()
                }
            };
            match letter {
                b'r' => raw = true,
                b's' => silent = true,
                b'e' => {}
                b'p' => {
                    let prompt = value();
                    if shell.proc.tty_of(0).is_some() {
                        shell.proc.eprint(prompt).await;
                    }
                    break;
                }
                b'd' => {
                    delimiter = value().first().copied().unwrap_or(0);
                    break;
                }
                b'n' | b'N' => {
                    max = number(&value()).and_then(|n| usize::try_from(n).ok()).unwrap_or(usize::MAX);
                    break;
                }
                b'u' => {
                    fd = number(&value()).and_then(|n| i32::try_from(n).ok()).unwrap_or(0);
                    break;
                }
                b't' => {
                    value();
                    break;
                }
                b'a' => {
                    array = Some(value());
                    break;
                }
                _ => {
                    shell.blame(format!("-{}: invalid option", char::from(*letter))).await;
                    return Ok(2);
                }
            }
        }
    }
    let names = args.get(at..).unwrap_or_default();
    let tty = shell.proc.tty_of(fd);
    let before = tty.map(|tty| shell.proc.termios(tty));
    if let (Some(tty), Some(before)) = (tty, before)
        && (silent || max != usize::MAX)
    {
        let canonical = before.canonical && max == usize::MAX;
        shell.proc.set_termios(tty, crate::os::kernel::tty::Termios { echo: !silent, canonical, ..before });
    }
    let got = read_line(shell, fd, raw, delimiter, max).await;
    if let (Some(tty), Some(before)) = (tty, before) {
        shell.proc.set_termios(tty, before);
    }
    let (line, complete) = got?;
    let ifs = shell.vars.get(b"IFS").cloned().unwrap_or_else(|| " \t\n".into());
    let is_ifs = |c: &(u8, bool)| !c.1 && ifs.contains(&c.0);
    let is_space = |c: &(u8, bool)| is_ifs(c) && c.0.is_ascii_whitespace();
    let text = |piece: &[(u8, bool)]| piece.iter().map(|c| c.0).collect::<Vec<u8>>();
    if names.is_empty() && array.is_none() {
        shell.assign(b"REPLY", text(&line).into(), false).await?;
        return Ok(i32::from(!complete));
    }
    let mut left = line.as_slice();
    while left.first().is_some_and(is_space) {
        left = left.get(1..).unwrap_or_default();
    }
    while left.last().is_some_and(is_space) {
        left = left.get(..left.len() - 1).unwrap_or_default();
    }
    let take = |left: &mut &[(u8, bool)]| {
        let end = left.iter().position(is_ifs).unwrap_or(left.len());
        let field = text(left.get(..end).unwrap_or_default());
        let mut after = end;
        while left.get(after).is_some_and(is_space) {
            after += 1;
        }
        if left.get(after).is_some_and(|c| is_ifs(c) && !c.0.is_ascii_whitespace()) {
            after += 1;
            while left.get(after).is_some_and(is_space) {
                after += 1;
            }
        }
        *left = left.get(after..).unwrap_or_default();
        field
    };
    if let Some(name) = array {
        let mut items = Vec::new();
        while !left.is_empty() {
            items.push(BString::from(take(&mut left)));
        }
        shell.vars.put_array(&name, items);
        return Ok(i32::from(!complete));
    }
    for (at, name) in names.iter().enumerate() {
        if !is_name(name) {
            shell.blame(format!("`{name}': not a valid identifier")).await;
            return Ok(1);
        }
        let value = if at + 1 == names.len() {
            let mut last = left;
            // A lone separator at the end belongs to the last field's end.
            if let [body @ .., end] = left
                && is_ifs(end)
                && !body.iter().any(is_ifs)
            {
                last = body;
            }
            text(last)
        } else {
            take(&mut left)
        };
        shell.assign(name, value.into(), false).await?;
    }
    Ok(i32::from(!complete))
}

pub(super) async fn mapfile(shell: &mut Shell, args: &[BString]) -> Run {
    let strip = rest(args).iter().any(|a| a == "-t");
    let name = rest(args).iter().find(|a| !a.starts_with(b"-")).cloned().unwrap_or_else(|| "MAPFILE".into());
    let mut items = Vec::new();
    loop {
        let (line, complete) = read_line(shell, 0, true, b'\n', usize::MAX).await?;
        if line.is_empty() && !complete {
            break;
        }
        let mut text: BString = line.iter().map(|c| c.0).collect::<Vec<u8>>().into();
        if complete && !strip {
            text.push(b'\n');
        }
        items.push(text);
        if !complete {
            break;
        }
    }
    shell.vars.put_array(&name, items);
    Ok(0)
}

pub(super) async fn getopts(shell: &mut Shell, args: &[BString]) -> Run {
    let (Some(spec), Some(name)) = (args.get(1).cloned(), args.get(2).cloned()) else {
        shell.blame("usage: getopts optstring name [arg ...]").await;
        return Ok(2);
    };
    let list = if args.len() > 3 { args.get(3..).unwrap_or_default().to_vec() } else { shell.args.clone() };
    let mut index =
        shell.vars.get(b"OPTIND").and_then(|t| number(t)).and_then(|n| usize::try_from(n).ok()).unwrap_or(1).max(1);
    let silent = spec.starts_with(b":");
    let word = list.get(index - 1).cloned().unwrap_or_default();
    let mut place = shell.getopts_at.max(1);
    if place == 1 && (word.len() < 2 || !word.starts_with(b"-") || word == "--") {
        if word == "--" {
            index += 1;
        }
        shell.vars.put(b"OPTIND", index.to_string());
        shell.assign(&name, "?".into(), false).await?;
        return Ok(1);
    }
    let letter = word.get(place).copied().unwrap_or(b'?');
    place += 1;
    let found = (letter != b':').then(|| spec.find_byte(letter)).flatten();
    let takes = found.is_some_and(|at| spec.get(at + 1) == Some(&b':'));
    let mut value = BString::from(vec![letter]);
    shell.vars.remove(b"OPTARG");
    let ends = place >= word.len();
    let shown = char::from(letter);
    if found.is_none() {
        value = "?".into();
        if silent {
            shell.vars.put(b"OPTARG", vec![letter]);
        } else {
            let (name, bash) = (shell.name.clone(), shell.dialect == Dialect::Bash);
            let text = if bash {
                format!("{name}: illegal option -- {shown}\n")
            } else {
                format!("Illegal option -{shown}\n")
            };
            shell.proc.eprint(text).await;
        }
    } else if takes {
        let attached = word.get(place..).unwrap_or_default();
        if !attached.is_empty() {
            shell.vars.put(b"OPTARG", attached);
        } else if let Some(next) = list.get(index) {
            shell.vars.put(b"OPTARG", next.clone());
            index += 1;
        } else if silent {
            value = ":".into();
            shell.vars.put(b"OPTARG", vec![letter]);
        } else {
            value = "?".into();
            let (name, bash) = (shell.name.clone(), shell.dialect == Dialect::Bash);
            let text = if bash {
                format!("{name}: option requires an argument -- {shown}\n")
            } else {
                format!("No arg for -{shown} option\n")
            };
            shell.proc.eprint(text).await;
        }
        index += 1;
        place = 1;
    }
    if !takes && ends {
        index += 1;
        place = 1;
    }
    shell.vars.put(b"OPTIND", index.to_string());
    shell.getopts_at = place;
    shell.assign(&name, value, false).await?;
    Ok(0)
}
