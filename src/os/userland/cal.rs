//! `cal`: a month or a year (util-linux, BusyBox).

use super::date::LONG_MONTHS;
use super::program::{Done, Run, number, run, spec};
use crate::base::time::Timestamp;
use crate::os::args::{flag, value};
use crate::os::kernel::Proc;

spec!(
    SPEC,
    "cal",
    "[options] [[month] year]",
    [flag('m', ""), flag('y', ""), flag('j', ""), flag('1', ""), flag('3', ""), value('A', "")]
);

/// `cal`.
pub async fn main(proc: Proc) -> i32 {
    run(proc, &SPEC, |run| Box::pin(body(run))).await
}

async fn body(run: &mut Run) -> Done {
    if run.args.has('j') || run.args.has('3') || run.args.has('A') {
        run.complain("days of the year and several months (-j, -3, -A) are not simulated in Capas").await;
        return Ok(1);
    }
    let from_monday = run.args.has('m');
    let now = run.proc.now().civil();
    let words: Vec<Option<u32>> = run.args.operands.iter().map(|word| number(word)).collect();
    let (month, year) = match words.as_slice() {
        [] if run.args.has('y') => (None, u32::try_from(now.year).ok()),
        [] => (Some(u32::from(now.month)), u32::try_from(now.year).ok()),
        [year] => (None, *year),
        [month, year] => (Some(month.unwrap_or(0)), *year),
        _ => (Some(0), None),
    };
    let Some(year) = year.filter(|year| (1..=9999).contains(year)) else {
        run.complain("year must be in the range 1 to 9999").await;
        return Ok(1);
    };
    let Some(month) = month else {
        run.put(format!("{:^66}\n\n", year.to_string()).trim_end().to_owned() + "\n\n").await?;
        for row in 0..4 {
            let three: Vec<Vec<String>> =
                (row * 3..row * 3 + 3).map(|month| month_lines(year, month, false, from_monday)).collect();
            for line in 0..8 {
                let cells: Vec<String> =
                    three.iter().map(|lines| format!("{:<20}", lines.get(line).map_or("", String::as_str))).collect();
                run.put(cells.join("   ").trim_end().to_owned() + "\n").await?;
            }
        }
        return Ok(0);
    };
    if !(1..=12).contains(&month) {
        run.complain("month must be in the range 1 to 12").await;
        return Ok(1);
    }
    for line in month_lines(year, month as usize - 1, true, from_monday) {
        run.put(line.trim_end().to_owned() + "\n").await?;
    }
    Ok(0)
}

/// A month's lines, the first with its name.
fn month_lines(year: u32, month: usize, with_year: bool, from_monday: bool) -> Vec<String> {
    let name = LONG_MONTHS.get(month).copied().unwrap_or_default();
    let title = if with_year { format!("{name} {year}") } else { name.to_owned() };
    let week = if from_monday { "Mo Tu We Th Fr Sa Su" } else { "Su Mo Tu We Th Fr Sa" };
    let mut lines = vec![format!("{title:^20}"), week.to_owned()];
    let (year, number) = (i64::from(year), month as u8 + 1);
    let first = Timestamp::from_date(year, number, 1);
    let next =
        if number == 12 { Timestamp::from_date(year + 1, 1, 1) } else { Timestamp::from_date(year, number + 1, 1) };
    let days = (next.seconds() - first.seconds()) / 86_400;
    let mut line = "   ".repeat((usize::from(first.civil().weekday) + if from_monday { 6 } else { 0 }) % 7);
    for day in 1..=days {
        line.push_str(&format!("{day:>2} "));
        if line.len() >= 21 {
            lines.push(std::mem::take(&mut line));
        }
    }
    lines.push(line);
    lines
}
