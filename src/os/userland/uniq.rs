//! `uniq`.

use super::program::{Done, Lines, Run, chomp, number, run, spec};
use crate::os::args::{flag, value};
use crate::os::kernel::Proc;
spec!(
    SPEC,
    "uniq",
    "[OPTION]... [INPUT [OUTPUT]]",
    [
        flag('c', "count"),
        flag('d', "repeated"),
        flag('D', ""),
        flag('i', "ignore-case"),
        flag('u', "unique"),
        value('f', "skip-fields"),
        value('s', "skip-chars"),
        value('w', "check-chars")
    ]
);

/// `uniq`.
pub async fn main(proc: Proc) -> i32 {
    run(proc, &SPEC, |run| Box::pin(body(run))).await
}

async fn body(run: &mut Run) -> Done {
    let input = run.inputs().into_iter().next().unwrap_or_default();
    let fd = match run.input(&input) {
        Ok(fd) => fd,
        Err(error) => {
            run.complain_path(&input, error).await;
            return Ok(1);
        }
    };
    if let Some(output) = run.args.operands.get(1).cloned() {
        match run.proc.open(&output, crate::os::kernel::Open::WRITE) {
            Ok(to) => {
                let _ = run.proc.dup2(to, 1);
            }
            Err(error) => {
                run.complain_path(&output, error).await;
                return Ok(1);
            }
        }
    }
    let count = |letter: char| run.args.value(letter).and_then(|n| number::<usize>(n));
    let (fields, chars, width) = (count('f').unwrap_or(0), count('s').unwrap_or(0), count('w'));
    let fold = run.args.has('i');
    let key = |line: &[u8]| -> Vec<u8> {
        let mut rest = line;
        for _ in 0..fields {
            let blanks = rest.iter().take_while(|b| b.is_ascii_whitespace()).count();
            let word = rest.iter().skip(blanks).take_while(|b| !b.is_ascii_whitespace()).count();
            rest = rest.get(blanks + word..).unwrap_or_default();
        }
        let rest = rest.get(chars..).unwrap_or_default();
        let rest = rest.get(..width.unwrap_or(rest.len())).unwrap_or(rest);
        if fold { rest.to_ascii_lowercase() } else { rest.to_vec() }
    };
    let mut rows: Option<(Vec<u8>, Vec<u8>, u64)> = None;
    let mut lines = Lines::new(&run.proc, fd);
    let mut out: Vec<(Vec<u8>, u64)> = Vec::new();
    loop {
        let line = match lines.next().await {
            Ok(line) => line,
            Err(error) => {
                run.complain(format!("error reading '{input}': {}", error.strerror())).await;
                return Ok(1);
            }
        };
        let Some(line) = line else { break };
        let line = chomp(&line).0.to_vec();
        let own = key(&line);
        match &mut rows {
            Some((same, _, count)) if *same == own => *count += 1,
            _ => {
                if let Some((_, line, count)) = rows.replace((own, line, 1)) {
                    out.push((line, count));
                }
            }
        }
    }
    out.extend(rows.map(|(_, line, count)| (line, count)));
    let (counted, repeated, all, unique) = (run.args.has('c'), run.args.has('d'), run.args.has('D'), run.args.has('u'));
    for (mut line, count) in out {
        if ((repeated || all) && count < 2) || (unique && count > 1) {
            continue;
        }
        line.push(b'\n');
        if counted {
            run.put(format!("{count:7} ")).await?;
        }
        for _ in 0..if all { count } else { 1 } {
            run.put(&line).await?;
        }
    }
    Ok(0)
}
