//! `xargs`.

use bstr::{BString, ByteSlice};

use super::program::{Done, Run, number, run, spec};
use super::spawn::status_of;
use crate::os::args::{flag, optional, value};
use crate::os::kernel::Proc;

spec!(
    SPEC,
    "xargs",
    "[OPTION]... COMMAND [INITIAL-ARGS]...",
    [
        flag('0', "null"),
        value('d', "delimiter"),
        value('I', "replace"),
        optional('i', ""),
        value('L', "max-lines"),
        value('n', "max-args"),
        value('P', "max-procs"),
        flag('r', "no-run-if-empty"),
        flag('t', "verbose"),
        flag('x', "exit"),
        value('a', "arg-file"),
    ],
    stop_at_operand: true
);

/// `xargs`.
pub async fn main(proc: Proc) -> i32 {
    run(proc, &SPEC, |run| Box::pin(body(run))).await
}

async fn body(run: &mut Run) -> Done {
    let mut command = run.args.operands.clone();
    if command.is_empty() {
        command.push("echo".into());
    }
    let replace = run.args.value('I').map(ToOwned::to_owned).or_else(|| run.args.has('i').then(|| "{}".into()));
    let source: BString = run.args.value('a').map_or("-".into(), ToOwned::to_owned);
    let Some(input) = run.slurp(&source).await else { return Ok(1) };
    let input = input.slice(0..16 << 20).to_vec();
    let items: Result<Vec<BString>, &str> = if run.args.has('0') {
        Ok(input.split(|b| *b == 0).filter(|item| !item.is_empty()).map(BString::from).collect())
    } else if let Some(delimiter) = run.args.value('d') {
        let delimiter = super::echo::unescape(delimiter, false).0.first().copied().unwrap_or(b'\n');
        Ok(input.split(|b| *b == delimiter).filter(|item| !item.is_empty()).map(BString::from).collect())
    } else if replace.is_some() || run.args.has('L') {
        Ok(input.lines().map(|l| BString::from(l.trim_ascii())).filter(|line| !line.is_empty()).collect())
    } else {
        words(&input)
    };
    let items = match items {
        Ok(items) => items,
        Err(text) => {
            run.complain(text).await;
            return Ok(1);
        }
    };
    let most =
        run.args.value('n').or_else(|| run.args.value('L')).and_then(|n| number::<usize>(n)).unwrap_or(5000).max(1);
    let mut commands: Vec<Vec<BString>> = Vec::new();
    if let Some(mark) = &replace {
        for item in &items {
            commands.push(command.iter().map(|word| word.replace(mark, item).into()).collect());
        }
    } else {
        commands.extend(items.chunks(most).map(|chunk| command.iter().chain(chunk).cloned().collect()));
        if items.is_empty() && !run.args.has('r') && !run.is_busybox() {
            commands.push(command);
        }
    }
    let verbose = run.args.has('t');
    for command in commands {
        if verbose {
            let line: Vec<&[u8]> = command.iter().map(|w| w.as_slice()).collect();
            run.proc.eprint([line.join(b" ".as_slice()).as_slice(), b"\n"].concat()).await;
        }
        match status_of(&run.proc, command).await {
            0 => {}
            status @ (126 | 127) => return Ok(status),
            255 => return Ok(124),
            status if status > 128 => return Ok(125),
            _ => run.status = 123,
        }
    }
    Ok(0)
}

/// Words between blanks, with quotes and backslashes.
fn words(input: &[u8]) -> Result<Vec<BString>, &'static str> {
    let (mut words, mut word, mut any) = (Vec::new(), BString::default(), false);
    let mut bytes = input.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\'' | b'"' => {
                any = true;
                loop {
                    match bytes.next() {
                        Some(end) if end == byte => break,
                        Some(b'\n') | None if *byte == b'\'' => {
                            return Err(
                                "unmatched single quote; by default quotes are special to xargs unless you use the -0 option",
                            );
                        }
                        Some(b'\n') | None => {
                            return Err(
                                "unmatched double quote; by default quotes are special to xargs unless you use the -0 option",
                            );
                        }
                        Some(inside) => word.push(*inside),
                    }
                }
            }
            b'\\' => {
                any = true;
                word.extend(bytes.next().copied());
            }
            b' ' | b'\t' | b'\n' => {
                if any {
                    words.push(std::mem::take(&mut word));
                }
                any = false;
            }
            other => {
                any = true;
                word.push(*other);
            }
        }
    }
    if any {
        words.push(word);
    }
    Ok(words)
}
