//! `expr`, `factor`, `bc`: programs that count.

use super::pattern::{Grammar, compile};
use super::program::{Done, Lines, Run, quoted, run, spec, text};
use crate::os::args::flag;
use crate::os::kernel::Proc;

spec!(FACTOR, "factor", "[NUMBER]...", []);
spec!(
    BC,
    "bc",
    "[options] [file ...]",
    [flag('q', "quiet"), flag('l', "mathlib"), flag('s', "standard"), flag('i', "interactive")]
);
/// How deep brackets may be nested.
const DEPTH: usize = 60;

/// `expr`: every word is a token, options among them.
pub async fn expr(proc: Proc) -> i32 {
    let words: Vec<String> = proc.args().iter().skip(1).map(|word| text(word)).collect();
    let mut words: &[String] = &words;
    if let Some((first, rest)) = words.split_first()
        && first == "--"
    {
        words = rest;
    }
    if words.is_empty() {
        proc.eprint("expr: missing operand\nTry 'expr --help' for more information.\n").await;
        return 2;
    }
    let mut tokens = Tokens { words, at: 0, depth: 0 };
    let found = tokens.level(0).and_then(|value| match tokens.peek() {
        Some(extra) => Err(format!("syntax error: unexpected argument '{extra}'")),
        None => Ok(value),
    });
    match found {
        Ok(value) => {
            let truth = !(value.is_empty() || value.parse::<i128>().is_ok_and(|n| n == 0));
            match proc.print(value + "\n").await {
                Ok(()) => i32::from(!truth),
                Err(_) => 3,
            }
        }
        Err(message) => {
            proc.eprint(format!("expr: {message}\n")).await;
            2
        }
    }
}

struct Tokens<'a> {
    words: &'a [String],
    at: usize,
    depth: usize,
}

/// From the weakest to the strongest.
const LEVELS: [&[&str]; 6] =
    [&["|"], &["&"], &["<", "<=", "=", "==", "!=", ">=", ">"], &["+", "-"], &["*", "/", "%"], &[":"]];

impl Tokens<'_> {
    fn peek(&self) -> Option<&str> {
        self.words.get(self.at).map(String::as_str)
    }

    fn take(&mut self) -> Result<String, String> {
        let last = self.at.checked_sub(1).and_then(|at| self.words.get(at)).cloned().unwrap_or_default();
        let word = self.words.get(self.at).cloned();
        self.at += 1;
        word.ok_or_else(|| format!("syntax error: missing argument after '{last}'"))
    }

    fn level(&mut self, level: usize) -> Result<String, String> {
        let Some(operators) = LEVELS.get(level) else { return self.primary() };
        let mut left = self.level(level + 1)?;
        while let Some(operator) = self.peek().filter(|word| operators.contains(word)).map(str::to_owned) {
            self.at += 1;
            let right = self.level(level + 1)?;
            left = combine(&left, &operator, &right)?;
        }
        Ok(left)
    }

    fn primary(&mut self) -> Result<String, String> {
        let word = self.take()?;
        match word.as_str() {
            "(" => {
                self.depth += 1;
                if self.depth > DEPTH {
                    return Err("parentheses are nested too deeply".to_owned());
                }
                let inner = self.level(0)?;
                self.depth -= 1;
                match self.take() {
                    Ok(word) if word == ")" => Ok(inner),
                    Ok(word) => Err(format!("syntax error: expecting ')' instead of '{word}'")),
                    Err(_) => Err(format!("syntax error: expecting ')' after '{inner}'")),
                }
            }
            ")" => Err("syntax error: unexpected ')'".to_owned()),
            "+" if self.peek().is_some() => self.take(),
            "length" if self.peek().is_some() => Ok(self.take()?.chars().count().to_string()),
            "match" if self.peek().is_some() => {
                let (left, right) = (self.take()?, self.take()?);
                combine(&left, ":", &right)
            }
            "index" if self.peek().is_some() => {
                let (string, set) = (self.take()?, self.take()?);
                Ok(string.chars().position(|c| set.contains(c)).map_or(0, |at| at + 1).to_string())
            }
            "substr" if self.peek().is_some() => {
                let (string, from, count) = (self.take()?, self.take()?, self.take()?);
                let (from, count) = (from.parse::<usize>().unwrap_or(0), count.parse::<usize>().unwrap_or(0));
                Ok(from.checked_sub(1).map_or_else(String::new, |skip| string.chars().skip(skip).take(count).collect()))
            }
            _ => Ok(word),
        }
    }
}

fn is_nothing(value: &str) -> bool {
    value.is_empty() || value.trim_start_matches('-').chars().all(|c| c == '0') && value != "-"
}

fn combine(left: &str, operator: &str, right: &str) -> Result<String, String> {
    let truth = |value: bool| Ok(u8::from(value).to_string());
    match operator {
        "|" => {
            return Ok(if !is_nothing(left) {
                left
            } else if is_nothing(right) {
                "0"
            } else {
                right
            }
            .to_owned());
        }
        "&" => return Ok(if is_nothing(left) || is_nothing(right) { "0" } else { left }.to_owned()),
        ":" => {
            // Anchored at the beginning.
            let pattern = if right.starts_with('^') { right.to_owned() } else { format!("^{right}") };
            let regex = compile(pattern.as_bytes(), Grammar::Basic, false)?;
            let groups = right.contains("\\(");
            return Ok(match (regex.captures(left), groups) {
                (Some(found), true) => found.get(1).map(|group| group.as_str().to_owned()).unwrap_or_default(),
                (Some(found), false) => found.get(0).map_or(0, |all| all.as_str().chars().count()).to_string(),
                (None, true) => String::new(),
                (None, false) => "0".to_owned(),
            });
        }
        _ => {}
    }
    let numbers = left.parse::<i128>().ok().zip(right.parse::<i128>().ok());
    let ordering = numbers.map_or_else(|| left.cmp(right), |(a, b)| a.cmp(&b));
    match operator {
        "<" => return truth(ordering.is_lt()),
        "<=" => return truth(ordering.is_le()),
        "=" | "==" => return truth(ordering.is_eq()),
        "!=" => return truth(ordering.is_ne()),
        ">=" => return truth(ordering.is_ge()),
        ">" => return truth(ordering.is_gt()),
        _ => {}
    }
    let (a, b) = numbers.ok_or_else(|| "non-integer argument".to_owned())?;
    if matches!(operator, "/" | "%") && b == 0 {
        return Err("division by zero".to_owned());
    }
    let result = match operator {
        "+" => a.checked_add(b),
        "-" => a.checked_sub(b),
        "*" => a.checked_mul(b),
        "/" => a.checked_div(b),
        _ => a.checked_rem(b),
    };
    result.map(|n| n.to_string()).ok_or_else(|| "the number is too large for Capas".to_owned())
}

/// `factor`.
pub async fn factor(proc: Proc) -> i32 {
    run(proc, &FACTOR, |run| Box::pin(factor_body(run))).await
}

async fn factor_body(run: &mut Run) -> Done {
    let mut words: Vec<String> = run.args.operands.iter().map(|word| text(word)).collect();
    if words.is_empty() {
        let rope = run.slurp(b"-").await.unwrap_or_default();
        words = text(&rope.to_vec()).split_whitespace().map(str::to_owned).collect();
    }
    for word in words {
        let Some(number) = word.parse::<u64>().ok().filter(|n| *n > 0) else {
            run.complain(format!("{} is not a valid positive integer", quoted(word.as_bytes()))).await;
            continue;
        };
        let (mut rest, mut divisor, mut out) = (number, 2, format!("{number}:"));
        while divisor <= rest / divisor {
            while rest.is_multiple_of(divisor) {
                out.push_str(&format!(" {divisor}"));
                rest /= divisor;
            }
            divisor += if divisor == 2 { 1 } else { 2 };
            if divisor & 0xffff == 1 {
                run.proc.work(8).await;
            }
        }
        if rest > 1 {
            out.push_str(&format!(" {rest}"));
        }
        run.put(out + "\n").await?;
    }
    Ok(0)
}

/// `bc`.
pub async fn bc(proc: Proc) -> i32 {
    run(proc, &BC, |run| Box::pin(bc_body(run))).await
}

/// A decimal: digits of an integer and how many of them stand behind the point.
#[derive(Clone, Copy)]
struct Decimal {
    units: i128,
    scale: u32,
}

/// Places that a result may have.
const PLACES: u32 = 18;

const fn power(places: u32) -> i128 {
    10i128.pow(if places > 36 { 36 } else { places })
}

impl Decimal {
    fn parse(word: &str) -> Option<Self> {
        let (whole, part) = word.split_once('.').unwrap_or((word, ""));
        let part = part.get(..part.len().min(PLACES as usize)).unwrap_or_default();
        Some(Self { units: format!("0{whole}{part}").parse().ok()?, scale: part.len() as u32 })
    }

    fn at(self, scale: u32) -> Option<Self> {
        let units = match scale.checked_sub(self.scale) {
            Some(more) => self.units.checked_mul(power(more))?,
            None => self.units / power(self.scale - scale),
        };
        Some(Self { units, scale })
    }

    /// As `bc` prints it: no zero before the point.
    fn show(self) -> String {
        let (sign, digits) = (if self.units < 0 { "-" } else { "" }, self.units.unsigned_abs().to_string());
        if self.scale == 0 {
            return format!("{sign}{digits}");
        }
        if self.units == 0 {
            return "0".to_owned();
        }
        let digits = format!("{digits:0>width$}", width = self.scale as usize + 1);
        let (whole, part) = digits.split_at_checked(digits.len() - self.scale as usize).unwrap_or((&digits, ""));
        format!("{sign}{}.{part}", if whole == "0" { "" } else { whole })
    }
}

/// A line of `bc` being read.
struct Sum<'a> {
    rest: &'a str,
    scale: u32,
    names: &'a mut std::collections::BTreeMap<String, Decimal>,
    depth: usize,
}

type Computed = Result<Decimal, &'static str>;
const SYNTAX: &str = "syntax error";
const TOO_LARGE: &str = "the number is too large for Capas";

impl Sum<'_> {
    fn eat(&mut self, mark: &str) -> bool {
        let rest = self.rest.trim_start();
        match rest.strip_prefix(mark) {
            Some(after) => {
                self.rest = after;
                true
            }
            None => false,
        }
    }

    fn comparison(&mut self) -> Computed {
        let left = self.sum()?;
        for (mark, test) in [
            ("==", std::cmp::Ordering::is_eq as fn(std::cmp::Ordering) -> bool),
            ("!=", std::cmp::Ordering::is_ne),
            ("<=", std::cmp::Ordering::is_le),
            (">=", std::cmp::Ordering::is_ge),
            ("<", std::cmp::Ordering::is_lt),
            (">", std::cmp::Ordering::is_gt),
        ] {
            if self.eat(mark) {
                let right = self.sum()?;
                let scale = left.scale.max(right.scale);
                let (a, b) = (left.at(scale).ok_or(TOO_LARGE)?, right.at(scale).ok_or(TOO_LARGE)?);
                return Ok(Decimal { units: i128::from(test(a.units.cmp(&b.units))), scale: 0 });
            }
        }
        Ok(left)
    }

    fn sum(&mut self) -> Computed {
        let mut left = self.product()?;
        loop {
            let minus = if self.eat("+") {
                false
            } else if self.eat("-") {
                true
            } else {
                return Ok(left);
            };
            let right = self.product()?;
            let scale = left.scale.max(right.scale);
            let (a, b) = (left.at(scale).ok_or(TOO_LARGE)?.units, right.at(scale).ok_or(TOO_LARGE)?.units);
            let units = if minus { a.checked_sub(b) } else { a.checked_add(b) };
            left = Decimal { units: units.ok_or(TOO_LARGE)?, scale };
        }
    }

    fn product(&mut self) -> Computed {
        let mut left = self.raised()?;
        loop {
            if self.eat("*") {
                let right = self.raised()?;
                let units = left.units.checked_mul(right.units).ok_or(TOO_LARGE)?;
                let full = left.scale + right.scale;
                let scale = full.min(self.scale.max(left.scale).max(right.scale));
                left = Decimal { units, scale: full }.at(scale).ok_or(TOO_LARGE)?;
            } else if self.eat("/") {
                let right = self.raised()?;
                left = self.divide(left, right)?;
            } else if self.eat("%") {
                let right = self.raised()?;
                let quotient = self.divide(left, right)?;
                let scale = left.scale.max(right.scale + self.scale).min(36);
                let whole = quotient.units.checked_mul(right.units).ok_or(TOO_LARGE)?;
                let whole = Decimal { units: whole, scale: quotient.scale + right.scale }.at(scale).ok_or(TOO_LARGE)?;
                let units = left.at(scale).ok_or(TOO_LARGE)?.units.checked_sub(whole.units).ok_or(TOO_LARGE)?;
                left = Decimal { units, scale };
            } else {
                return Ok(left);
            }
        }
    }

    fn divide(&self, left: Decimal, right: Decimal) -> Computed {
        if right.units == 0 {
            return Err("Divide by zero");
        }
        let units = left.units.checked_mul(power(self.scale + right.scale)).ok_or(TOO_LARGE)? / right.units;
        Decimal { units, scale: self.scale + left.scale }.at(self.scale).ok_or(TOO_LARGE)
    }

    fn raised(&mut self) -> Computed {
        let base = self.atom()?;
        if !self.eat("^") {
            return Ok(base);
        }
        self.depth += 1;
        if self.depth > DEPTH {
            return Err("the line is nested too deeply");
        }
        let exponent = self.raised()?.at(0).ok_or(TOO_LARGE)?.units;
        self.depth -= 1;
        let mut result = Decimal { units: 1, scale: 0 };
        for _ in 0..exponent.unsigned_abs().min(1000) {
            let units = result.units.checked_mul(base.units).ok_or(TOO_LARGE)?;
            result = Decimal { units, scale: result.scale + base.scale };
            let most = self.scale.max(base.scale);
            result = result.at(result.scale.min(most)).ok_or(TOO_LARGE)?;
        }
        if exponent < 0 { self.divide(Decimal { units: 1, scale: 0 }, result) } else { Ok(result) }
    }

    fn atom(&mut self) -> Computed {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err("the line is nested too deeply");
        }
        let found = self.atom_inside();
        self.depth -= 1;
        found
    }

    fn atom_inside(&mut self) -> Computed {
        if self.eat("-") {
            let value = self.atom()?;
            return Ok(Decimal { units: value.units.wrapping_neg(), ..value });
        }
        if self.eat("(") {
            let value = self.comparison()?;
            return if self.eat(")") { Ok(value) } else { Err(SYNTAX) };
        }
        let rest = self.rest.trim_start();
        let is_number = rest.starts_with(|c: char| c.is_ascii_digit() || c == '.');
        let belongs =
            |c: char| if is_number { c.is_ascii_digit() || c == '.' } else { c.is_ascii_lowercase() || c == '_' };
        let end = rest.find(|c| !belongs(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
        self.rest = after;
        match word {
            "" => Err(SYNTAX),
            word if is_number => Decimal::parse(word).ok_or(SYNTAX),
            "scale" => Ok(Decimal { units: self.scale.into(), scale: 0 }),
            "sqrt" if self.eat("(") => {
                let value = self.comparison()?;
                if !self.eat(")") || value.units < 0 {
                    return Err(if value.units < 0 { "Square root of a negative number" } else { SYNTAX });
                }
                let scale = self.scale.max(value.scale).min(PLACES / 2);
                let units = value.at(scale * 2).ok_or(TOO_LARGE)?.units.isqrt();
                Ok(Decimal { units, scale })
            }
            name => Ok(self.names.get(name).copied().unwrap_or(Decimal { units: 0, scale: 0 })),
        }
    }
}

async fn bc_body(run: &mut Run) -> Done {
    let mut names = std::collections::BTreeMap::new();
    let mut scale = if run.args.has('l') { PLACES } else { 0 };
    let mut paths = run.args.operands.clone();
    paths.push("-".into());
    for path in paths {
        let fd = match run.input(&path) {
            Ok(fd) => fd,
            Err(_) => {
                run.proc.eprint(format!("File {path} is unavailable.\n")).await;
                return Ok(1);
            }
        };
        let (mut lines, mut place) = (Lines::new(&run.proc, fd), 0);
        while let Some(line) = lines.next().await? {
            place += 1;
            let line = text(&line);
            for statement in line.split('#').next().unwrap_or_default().split(';') {
                let statement = statement.trim();
                if matches!(statement, "quit" | "halt") {
                    return Ok(0);
                }
                if statement.is_empty() {
                    continue;
                }
                let (target, rest) = match statement.split_once('=') {
                    Some((name, value))
                        if !value.starts_with('=')
                            && !name.trim().is_empty()
                            && name.trim().chars().all(|c| c.is_ascii_lowercase()) =>
                    {
                        (Some(name.trim()), value)
                    }
                    _ => (None, statement),
                };
                let mut sum = Sum { rest, scale, names: &mut names, depth: 0 };
                let value =
                    sum.comparison().and_then(|value| if sum.rest.trim().is_empty() { Ok(value) } else { Err(SYNTAX) });
                match (value, target) {
                    (Ok(value), Some("scale")) => {
                        scale = u32::try_from(value.at(0).map_or(0, |value| value.units)).unwrap_or(0).min(PLACES);
                    }
                    (Ok(value), Some(name)) => drop(names.insert(name.to_owned(), value)),
                    (Ok(value), None) => run.put(value.show() + "\n").await?,
                    (Err(SYNTAX), _) => {
                        run.flush().await?;
                        run.proc.eprint(format!("(standard_in) {place}: syntax error\n")).await;
                    }
                    (Err(why), _) => {
                        run.flush().await?;
                        run.proc.eprint(format!("Runtime error (func=(main), adr=3): {why}\n")).await;
                    }
                }
                run.flush().await?;
            }
        }
        run.done_with(fd);
    }
    Ok(0)
}
