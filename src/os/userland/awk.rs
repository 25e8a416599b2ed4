//! `awk`: the POSIX language but `getline`, pipes and `system`, which it refuses.
//!
//! A program is parsed into a tree; records are read one by one, so it can stand in a pipe that never ends. Work on one
//! record is bounded by [`BUDGET`], as it runs without letting others run.

use crate::base::sort::Arrange;
use std::collections::BTreeMap;

use bstr::{BString, ByteSlice};
use regex_lite::Regex;

use super::pattern::{Grammar, compile};
use super::printf::{fill, float};
use super::program::{Done, Lines, Run, run, spec, text};
use crate::base::rope::Rope;
use crate::os::args::value;
use crate::os::kernel::{Open, Proc};

mod parse;

spec!(
    SPEC,
    "awk",
    "[-F fs][-v var=value] [prog | -f progfile] [file ...]",
    [value('F', "field-separator"), value('v', "assign"), value('f', "file")],
    stop_at_operand: true,
    usage_status: 2,
);

/// Steps of the program on one record.
const BUDGET: u32 = 5_000_000;
/// Calls within calls.
const MAX_DEPTH: usize = 100;

enum E {
    Num(f64),
    Str(String),
    Re(Regex),
    Var(String),
    Idx(String, Vec<E>),
    Field(Box<E>),
    Set(Box<E>, char, Box<E>),
    If(Box<E>, Box<E>, Box<E>),
    Bin(&'static str, Box<E>, Box<E>),
    Un(char, Box<E>),
    Inc(Box<E>, f64, bool),
    In(Vec<E>, String),
    Call(String, Vec<E>),
    /// A group in parentheses: one value, or the subscripts before `in`.
    Group(Vec<E>),
}

enum S {
    Expr(E),
    /// Arguments, whether formatted, and the file with whether it is appended to.
    Print(Vec<E>, bool, Option<(E, bool)>),
    If(E, Box<S>, Option<Box<S>>),
    /// Start, condition, step, body, and whether the body comes first.
    For(Option<Box<S>>, Option<E>, Option<Box<S>>, Box<S>, bool),
    Each(String, String, Box<S>),
    Block(Vec<S>),
    Delete(String, Option<Vec<E>>),
    Leave(Flow, Option<E>),
}

struct Rule {
    begin: bool,
    end: bool,
    from: Option<E>,
    to: Option<E>,
    body: Option<S>,
}

#[derive(Default)]
struct Program {
    rules: Vec<Rule>,
    functions: BTreeMap<String, (Vec<String>, S)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    On,
    Next,
    Break,
    Continue,
    Return,
    Exit,
}

#[derive(Clone, Default)]
enum V {
    #[default]
    Unset,
    Num(f64),
    Str(String),
    /// Text from outside that compares as a number if it looks like one.
    Seen(String),
}

type Fault = String;

/// The number at the beginning of a text, and whether it is all of it.
fn leading(text: &str) -> (f64, bool) {
    let text = text.trim();
    let mut end = 0;
    for (at, c) in text.char_indices() {
        let before = text.get(..at).and_then(|t| t.chars().last()).unwrap_or(' ');
        let fits = c.is_ascii_digit()
            || (c == '.' && !text.get(..at).is_some_and(|t| t.contains(['.', 'e', 'E'])))
            || (matches!(c, '+' | '-') && (at == 0 || matches!(before, 'e' | 'E')))
            || (matches!(c, 'e' | 'E')
                && before.is_ascii_digit()
                && !text.get(..at).is_some_and(|t| t.contains(['e', 'E'])));
        if !fits {
            break;
        }
        end = at + c.len_utf8();
    }
    let mut part = text.get(..end).unwrap_or_default();
    loop {
        match part.parse::<f64>() {
            Ok(number) => return (number, part.len() == text.len()),
            Err(_) if part.is_empty() => return (0.0, false),
            Err(_) => part = part.get(..part.len() - 1).unwrap_or_default(),
        }
    }
}

fn show(number: f64) -> String {
    if number == number.trunc() && number.abs() < 1e16 {
        format!("{}", number as i64)
    } else {
        float(number, b'g', None, "")
    }
}

impl V {
    fn num(&self) -> f64 {
        match self {
            Self::Unset => 0.0,
            Self::Num(number) => *number,
            Self::Str(text) | Self::Seen(text) => leading(text).0,
        }
    }

    fn str(self) -> String {
        match self {
            Self::Unset => String::new(),
            Self::Num(number) => show(number),
            Self::Str(text) | Self::Seen(text) => text,
        }
    }

    /// Its number, if it compares as one.
    fn numeric(&self) -> Option<f64> {
        match self {
            Self::Unset => Some(0.0),
            Self::Num(number) => Some(*number),
            Self::Seen(text) => Some(leading(text)).filter(|found| found.1).map(|found| found.0),
            Self::Str(_) => None,
        }
    }

    fn truth(&self) -> bool {
        match self {
            Self::Str(text) => !text.is_empty(),
            Self::Seen(text) if self.numeric().is_none() => !text.is_empty(),
            _ => self.num() != 0.0,
        }
    }
}

#[derive(Default)]
struct Machine {
    vars: BTreeMap<String, V>,
    arrays: BTreeMap<String, BTreeMap<String, V>>,
    /// Names of the function that runs: parameters to the names that stand for them.
    frames: Vec<BTreeMap<String, String>>,
    calls: usize,
    fields: Vec<String>,
    record: String,
    out: Vec<u8>,
    files: BTreeMap<String, (bool, Vec<u8>)>,
    steps: u32,
    seed: u64,
    result: V,
    regexes: BTreeMap<String, Regex>,
}

impl Machine {
    fn name(&self, name: &str) -> String {
        self.frames.last().and_then(|frame| frame.get(name)).cloned().unwrap_or_else(|| name.to_owned())
    }

    fn var(&self, name: &str) -> V {
        if name == "NF" {
            return V::Num(self.fields.len() as f64);
        }
        self.vars.get(&self.name(name)).cloned().unwrap_or_default()
    }

    fn set_var(&mut self, name: &str, value: V) {
        if name == "NF" {
            self.fields.resize(value.num().clamp(0.0, 1e5) as usize, String::new());
            self.rebuild();
            return;
        }
        self.vars.insert(self.name(name), value);
    }

    fn set_record(&mut self, record: String) -> Result<(), Fault> {
        self.fields = self.split(&record, None)?;
        self.record = record;
        Ok(())
    }

    fn rebuild(&mut self) {
        self.record = self.fields.join(&self.var("OFS").str());
    }

    fn regex(&mut self, text: &str) -> Result<Regex, Fault> {
        if let Some(known) = self.regexes.get(text) {
            return Ok(known.clone());
        }
        let regex = compile(text.as_bytes(), Grammar::Extended, false)?;
        self.regexes.insert(text.to_owned(), regex.clone());
        Ok(regex)
    }

    fn split(&mut self, text: &str, by: Option<Regex>) -> Result<Vec<String>, Fault> {
        let own = |parts: std::str::Split<'_, char>| parts.map(str::to_owned).collect();
        if text.is_empty() {
            return Ok(Vec::new());
        }
        let fs = if by.is_none() { self.var("FS").str() } else { String::new() };
        let regex = match by {
            Some(regex) => regex,
            None if fs == " " => return Ok(text.split_ascii_whitespace().map(str::to_owned).collect()),
            None if fs.is_empty() => return Ok(text.chars().map(String::from).collect()),
            None => match (fs.chars().next(), fs.chars().count()) {
                (Some(c), 1) => return Ok(own(text.split(if c == 't' && fs == "\\t" { '\t' } else { c }))),
                _ => self.regex(&fs)?,
            },
        };
        Ok(regex.split(text).map(str::to_owned).collect())
    }

    fn key(&mut self, subscripts: &[E], p: &Program) -> Result<String, Fault> {
        let mut parts = Vec::new();
        for e in subscripts {
            parts.push(self.eval(e, p)?.str());
        }
        Ok(parts.join("\u{1c}"))
    }

    /// The regular expression that a value stands for.
    fn matcher(&mut self, e: &E, p: &Program) -> Result<Regex, Fault> {
        if let E::Re(regex) = e {
            return Ok(regex.clone());
        }
        let text = self.eval(e, p)?.str();
        self.regex(&text)
    }

    fn assign(&mut self, to: &E, value: V, p: &Program) -> Result<(), Fault> {
        match to {
            E::Var(name) => self.set_var(name, value),
            E::Idx(name, subscripts) => {
                let key = self.key(subscripts, p)?;
                let name = self.name(name);
                self.arrays.entry(name).or_default().insert(key, value);
            }
            E::Field(index) => {
                let index = self.eval(index, p)?.num().clamp(0.0, 1e5) as usize;
                if index == 0 {
                    return self.set_record(value.str());
                }
                if self.fields.len() < index {
                    self.fields.resize(index, String::new());
                }
                self.fields[index - 1] = value.str();
                self.rebuild();
            }
            E::Group(inner) if inner.len() == 1 => {
                if let Some(inner) = inner.first() {
                    self.assign(inner, value, p)?;
                }
            }
            _ => return Err("syntax error: assignment to what is no variable".to_owned()),
        }
        Ok(())
    }

    fn step(&mut self) -> Result<(), Fault> {
        self.steps += 1;
        if self.steps > BUDGET { Err("too much work on one record for Capas".to_owned()) } else { Ok(()) }
    }

    fn eval(&mut self, e: &E, p: &Program) -> Result<V, Fault> {
        self.step()?;
        Ok(match e {
            E::Num(number) => V::Num(*number),
            E::Str(text) => V::Str(text.clone()),
            E::Re(regex) => V::Num(f64::from(u8::from(regex.is_match(&self.record)))),
            E::Var(name) => self.var(name),
            E::Idx(name, subscripts) => {
                let key = self.key(subscripts, p)?;
                let name = self.name(name);
                self.arrays.entry(name).or_default().entry(key).or_default().clone()
            }
            E::Field(index) => match self.eval(index, p)?.num() as usize {
                0 => V::Seen(self.record.clone()),
                index => self.fields.get(index - 1).map_or(V::Unset, |field| V::Seen(field.clone())),
            },
            E::Set(to, op, from) => {
                let mut value = self.eval(from, p)?;
                if *op != '=' {
                    let old = self.eval(to, p)?.num();
                    value = V::Num(arithmetic(*op, old, value.num())?);
                }
                self.assign(to, value.clone(), p)?;
                value
            }
            E::If(test, yes, no) => {
                let test = self.eval(test, p)?.truth();
                self.eval(if test { yes } else { no }, p)?
            }
            E::Un(op, e) => {
                let value = self.eval(e, p)?;
                V::Num(match op {
                    '!' => f64::from(u8::from(!value.truth())),
                    '-' => -value.num(),
                    _ => value.num(),
                })
            }
            E::Inc(e, by, post) => {
                let old = self.eval(e, p)?.num();
                self.assign(e, V::Num(old + by), p)?;
                V::Num(if *post { old } else { old + by })
            }
            E::In(subscripts, name) => {
                let key = self.key(subscripts, p)?;
                V::Num(f64::from(u8::from(self.arrays.get(&self.name(name)).is_some_and(|a| a.contains_key(&key)))))
            }
            E::Group(inner) => match inner.first() {
                Some(first) if inner.len() == 1 => self.eval(first, p)?,
                _ => return Err("syntax error at or near ,".to_owned()),
            },
            E::Bin(op, left, right) => self.binary(op, left, right, p)?,
            E::Call(name, args) => self.call(name, args, p)?,
        })
    }

    fn binary(&mut self, op: &str, left: &E, right: &E, p: &Program) -> Result<V, Fault> {
        if op == "~" || op == "!~" {
            let subject = self.eval(left, p)?.str();
            let found = self.matcher(right, p)?.is_match(&subject);
            return Ok(V::Num(f64::from(u8::from(found == (op == "~")))));
        }
        let a = self.eval(left, p)?;
        if op == "&&" || op == "||" {
            let truth = if a.truth() == (op == "||") { op == "||" } else { self.eval(right, p)?.truth() };
            return Ok(V::Num(f64::from(u8::from(truth))));
        }
        let b = self.eval(right, p)?;
        if op == " " {
            return Ok(V::Str(a.str() + &b.str()));
        }
        if let ("+" | "-" | "*" | "/" | "%" | "^", Some(letter)) = (op, op.chars().next()) {
            return Ok(V::Num(arithmetic(letter, a.num(), b.num())?));
        }
        let order = match (a.numeric(), b.numeric()) {
            (Some(x), Some(y)) if !matches!((&a, &b), (V::Unset, V::Unset)) => x.partial_cmp(&y),
            _ => Some(a.str().cmp(&b.str())),
        };
        let truth = order.is_some_and(|order| match op {
            "<" => order.is_lt(),
            "<=" => order.is_le(),
            "==" => order.is_eq(),
            "!=" => order.is_ne(),
            ">" => order.is_gt(),
            _ => order.is_ge(),
        });
        Ok(V::Num(f64::from(u8::from(truth))))
    }

    fn call(&mut self, name: &str, args: &[E], p: &Program) -> Result<V, Fault> {
        if let Some((parameters, body)) = p.functions.get(name) {
            return self.call_own(parameters, body, args, p);
        }
        if let ("split", [text, E::Var(array), by @ ..]) = (name, args) {
            let text = self.eval(text, p)?.str();
            let by = match by.first() {
                Some(E::Str(space)) if space == " " => Some(self.regex("[ \t\n]+")?),
                // One character stands for itself.
                Some(E::Str(one)) if one.chars().count() == 1 => Some(self.regex(&format!("[{one}]"))?),
                Some(e) => Some(self.matcher(e, p)?),
                None => None,
            };
            let parts = self.split(&text, by)?;
            let count = parts.len();
            let rows = parts.into_iter().zip(1..).map(|(part, index)| (index.to_string(), V::Seen(part))).collect();
            let array = self.name(array);
            self.arrays.insert(array, rows);
            return Ok(V::Num(count as f64));
        }
        if let ("length", [E::Var(array)]) = (name, args)
            && let Some(array) = self.arrays.get(&self.name(array))
        {
            return Ok(V::Num(array.len() as f64));
        }
        if let ("sub" | "gsub", [pattern, with, rest @ ..]) = (name, args) {
            let regex = self.matcher(pattern, p)?;
            let with = self.eval(with, p)?.str();
            let whole = E::Field(Box::new(E::Num(0.0)));
            let target = rest.first().unwrap_or(&whole);
            let subject = self.eval(target, p)?.str();
            let (mut out, mut last, mut count) = (String::new(), 0, 0);
            for found in regex.find_iter(&subject).take(if name == "sub" { 1 } else { usize::MAX }) {
                out.push_str(subject.get(last..found.start()).unwrap_or_default());
                let mut chars = with.chars().peekable();
                while let Some(c) = chars.next() {
                    match c {
                        '&' => out.push_str(found.as_str()),
                        '\\' => out.push(chars.next_if(|c| matches!(c, '&' | '\\')).unwrap_or('\\')),
                        c => out.push(c),
                    }
                }
                (last, count) = (found.end(), count + 1);
            }
            if count > 0 {
                out.push_str(subject.get(last..).unwrap_or_default());
                self.assign(target, V::Str(out), p)?;
            }
            return Ok(V::Num(f64::from(count)));
        }
        if let ("match", [subject, pattern]) = (name, args) {
            let subject = self.eval(subject, p)?.str();
            let found = self.matcher(pattern, p)?.find(&subject).map(|m| {
                (subject.get(..m.start()).map_or(0, |t| t.chars().count()) + 1, m.as_str().chars().count() as f64)
            });
            let (start, length) = found.map_or((0.0, -1.0), |(start, length)| (start as f64, length));
            self.set_var("RSTART", V::Num(start));
            self.set_var("RLENGTH", V::Num(length));
            return Ok(V::Num(start));
        }
        let mut values = Vec::new();
        for e in args {
            values.push(self.eval(e, p)?);
        }
        let mut values = values.into_iter();
        let first = values.next();
        let number = first.as_ref().map_or(0.0, V::num);
        Ok(match (name, first) {
            ("length", None) => V::Num(self.record.chars().count() as f64),
            ("length", Some(v)) => V::Num(v.str().chars().count() as f64),
            ("substr", Some(v)) => {
                let from = values.next().map_or(1.0, |v| v.num()).round();
                let to = values.next().map_or(f64::INFINITY, |v| from + v.num().round());
                let inside = |at: usize| (at as f64 + 1.0) >= from && (at as f64 + 1.0) < to;
                V::Str(v.str().chars().enumerate().filter(|(at, _)| inside(*at)).map(|(_, c)| c).collect())
            }
            ("index", Some(v)) => {
                let (text, sought) = (v.str(), values.next().unwrap_or_default().str());
                V::Num(text.find(&sought).map_or(0, |at| text.get(..at).map_or(0, |t| t.chars().count()) + 1) as f64)
            }
            ("tolower", Some(v)) => V::Str(v.str().to_lowercase()),
            ("toupper", Some(v)) => V::Str(v.str().to_uppercase()),
            ("sprintf", Some(v)) => V::Str(format(&v.str(), values.collect())),
            ("int", _) => V::Num(number.trunc()),
            ("sqrt", _) => V::Num(number.sqrt()),
            ("exp", _) => V::Num(number.exp()),
            ("log", _) => V::Num(number.ln()),
            ("sin", _) => V::Num(number.sin()),
            ("cos", _) => V::Num(number.cos()),
            ("atan2", _) => V::Num(number.atan2(values.next().map_or(0.0, |v| v.num()))),
            ("rand", _) => {
                self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                V::Num((self.seed >> 33) as f64 / (1u64 << 31) as f64)
            }
            ("srand", _) => {
                let old = std::mem::replace(&mut self.seed, number as u64);
                V::Num(old as f64)
            }
            ("close" | "fflush", _) => V::Num(0.0),
            ("system", _) => return Err("system() is not simulated in Capas".to_owned()),
            _ => return Err(format!("function {name} never defined")),
        })
    }

    fn call_own(&mut self, parameters: &[String], body: &S, args: &[E], p: &Program) -> Result<V, Fault> {
        if self.frames.len() >= MAX_DEPTH {
            return Err("function call nesting too deep".to_owned());
        }
        self.calls += 1;
        let mut frame = BTreeMap::new();
        let mut local = Vec::new();
        for (index, parameter) in parameters.iter().enumerate() {
            let own = format!("{parameter} {}", self.calls);
            let outer = match args.get(index) {
                // A name without a value may be an array, which the function shares.
                Some(E::Var(name)) if name != "NF" && !self.vars.contains_key(&self.name(name)) => self.name(name),
                Some(e) => {
                    let value = self.eval(e, p)?;
                    self.vars.insert(own.clone(), value);
                    own.clone()
                }
                None => own.clone(),
            };
            frame.insert(parameter.clone(), outer);
            local.push(own);
        }
        self.frames.push(frame);
        self.result = V::Unset;
        let flow = self.exec(body, p);
        self.frames.pop();
        for name in local {
            self.vars.remove(&name);
            self.arrays.remove(&name);
        }
        if flow? == Flow::Exit {
            return Err("exit within a function is not simulated in Capas".to_owned());
        }
        Ok(std::mem::take(&mut self.result))
    }

    fn exec(&mut self, s: &S, p: &Program) -> Result<Flow, Fault> {
        self.step()?;
        match s {
            S::Expr(e) => drop(self.eval(e, p)?),
            S::Print(args, formatted, to) => {
                let mut values = Vec::new();
                for e in args {
                    values.push(self.eval(e, p)?);
                }
                let text = if *formatted {
                    let rest = values.split_off(values.len().min(1));
                    format(&values.pop().unwrap_or_default().str(), rest)
                } else if values.is_empty() {
                    self.record.clone() + &self.var("ORS").str()
                } else {
                    let parts: Vec<String> = values.into_iter().map(V::str).collect();
                    parts.join(&self.var("OFS").str()) + &self.var("ORS").str()
                };
                match to {
                    None => self.out.extend_from_slice(text.as_bytes()),
                    Some((e, append)) => {
                        let name = self.eval(e, p)?.str();
                        let file = self.files.entry(name).or_insert((*append, Vec::new()));
                        file.1.extend_from_slice(text.as_bytes());
                    }
                }
            }
            S::If(test, yes, no) => {
                if self.eval(test, p)?.truth() {
                    return self.exec(yes, p);
                } else if let Some(no) = no {
                    return self.exec(no, p);
                }
            }
            S::For(start, test, step, body, first) => {
                if let Some(start) = start {
                    self.exec(start, p)?;
                }
                let mut skip = *first;
                loop {
                    if !std::mem::take(&mut skip)
                        && let Some(test) = test
                        && !self.eval(test, p)?.truth()
                    {
                        break;
                    }
                    match self.exec(body, p)? {
                        Flow::On | Flow::Continue => {}
                        Flow::Break => break,
                        flow => return Ok(flow),
                    }
                    if let Some(step) = step {
                        self.exec(step, p)?;
                    }
                }
            }
            S::Each(name, array, body) => {
                let array = self.name(array);
                let mut keys: Vec<String> =
                    self.arrays.get(&array).into_iter().flat_map(|a| a.keys().cloned()).collect();
                // Real ones follow their hash tables; numbers in order are what most of them show for small arrays.
                if keys.iter().all(|key| leading(key).1) {
                    keys.arrange_by(|a, b| leading(a).0.total_cmp(&leading(b).0));
                }
                for key in keys {
                    self.set_var(name, V::Seen(key));
                    match self.exec(body, p)? {
                        Flow::On | Flow::Continue => {}
                        Flow::Break => break,
                        flow => return Ok(flow),
                    }
                }
            }
            S::Block(all) => {
                for s in all {
                    let flow = self.exec(s, p)?;
                    if flow != Flow::On {
                        return Ok(flow);
                    }
                }
            }
            S::Delete(name, subscripts) => {
                let key = subscripts.as_ref().map(|s| self.key(s, p)).transpose()?;
                let array = self.arrays.entry(self.name(name)).or_default();
                match key {
                    Some(key) => drop(array.remove(&key)),
                    None => array.clear(),
                }
            }
            S::Leave(flow, e) => {
                if let Some(e) = e {
                    self.result = self.eval(e, p)?;
                }
                return Ok(*flow);
            }
        }
        Ok(Flow::On)
    }

    /// Runs the rules of a phase: the beginning, a record or the end.
    fn rules(&mut self, p: &Program, phase: u8, active: &mut [bool]) -> Result<Flow, Fault> {
        self.steps = 0;
        for (rule, active) in p.rules.iter().zip(active) {
            let applies = match phase {
                0 => rule.begin,
                2 => rule.end,
                _ if rule.begin || rule.end => false,
                _ => {
                    let starts = match &rule.from {
                        _ if *active => true,
                        Some(e) => self.eval(e, p)?.truth(),
                        None => true,
                    };
                    if starts && let Some(to) = &rule.to {
                        *active = !self.eval(to, p)?.truth();
                    }
                    starts
                }
            };
            if !applies {
                continue;
            }
            let flow = match &rule.body {
                Some(body) => self.exec(body, p)?,
                None => self.exec(&S::Print(Vec::new(), false, None), p)?,
            };
            if flow != Flow::On {
                return Ok(flow);
            }
        }
        Ok(Flow::On)
    }
}

fn arithmetic(op: char, a: f64, b: f64) -> Result<f64, Fault> {
    Ok(match op {
        '+' => a + b,
        '-' => a - b,
        '*' => a * b,
        '^' => a.powf(b),
        _ if b == 0.0 => return Err("division by zero".to_owned()),
        '/' => a / b,
        _ => a % b,
    })
}

/// `printf` by the shell's, with numbers made whole where it wants whole ones.
fn format(format: &str, values: Vec<V>) -> String {
    let mut values = values.into_iter();
    let mut args = Vec::new();
    let mut conversions = format.split('%').skip(1);
    while let Some(part) = conversions.next() {
        let Some(letter) = part.chars().find(|c| c.is_ascii_alphabetic()) else {
            if part.is_empty() {
                conversions.next();
            }
            continue;
        };
        for _ in 0..part.split(letter).next().unwrap_or_default().matches('*').count() {
            args.push(show(values.next().unwrap_or_default().num().trunc()).into());
        }
        let value = values.next().unwrap_or_default();
        let arg = match (letter, &value) {
            ('d' | 'i' | 'u' | 'x' | 'X' | 'o', v) => format!("{}", v.num().trunc() as i64),
            ('e' | 'f' | 'g' | 'E' | 'G', v) => format!("{}", v.num()),
            ('c', V::Num(n)) => char::from_u32(*n as u32).unwrap_or_default().to_string(),
            _ => value.str(),
        };
        args.push(BString::from(arg));
    }
    args.reverse();
    let mut out = Vec::new();
    fill(format.replace('\\', "\\\\").as_bytes(), &mut args, &mut out, &mut Vec::new());
    text(&out)
}

/// `awk`.
pub async fn main(proc: Proc) -> i32 {
    run(proc, &SPEC, |run| Box::pin(body(run))).await
}

async fn body(run: &mut Run) -> Done {
    let mut operands = run.args.operands.clone();
    let source = match run.args.value('f').map(ToOwned::to_owned) {
        Some(path) => run.slurp(&path).await.map(|rope| text(&rope.to_vec())),
        None if operands.is_empty() => return Ok(run.usage("no program given").await),
        None => Some(text(&operands.remove(0))),
    };
    let Some(source) = source else { return Ok(2) };
    let program = match parse::parse(&source) {
        Ok(program) => program,
        Err(fault) => {
            run.complain(format!("line 1: {fault}")).await;
            return Ok(2);
        }
    };
    let mut m = Machine::default();
    for (name, value) in [("FS", " "), ("OFS", " "), ("ORS", "\n"), ("RS", "\n"), ("SUBSEP", "\u{1c}")] {
        m.vars.insert(name.to_owned(), V::Str(value.to_owned()));
    }
    if let Some(fs) = run.args.value('F') {
        let fs = if fs == "t" { "\t".to_owned() } else { parse::unescape(&text(fs)) };
        m.vars.insert("FS".to_owned(), V::Str(fs));
    }
    let given: Vec<String> = run.args.values('v').map(|v| text(v)).collect();
    for (name, value) in given.iter().filter_map(|pair| pair.split_once('=')) {
        m.vars.insert(name.to_owned(), V::Seen(parse::unescape(value)));
    }
    let environ = run.proc.env();
    let environ = environ.iter().filter_map(|pair| pair.split_once_str("="));
    m.arrays.insert("ENVIRON".to_owned(), environ.map(|(k, v)| (text(k), V::Seen(text(v)))).collect());
    let done = records(run, &mut m, &program, &operands).await?;
    run.put(std::mem::take(&mut m.out)).await?;
    for (name, (append, bytes)) in std::mem::take(&mut m.files) {
        if name == "/dev/stderr" {
            run.proc.eprint(bytes).await;
            continue;
        }
        let opened = run.proc.open(name.as_bytes(), if append { Open::APPEND } else { Open::WRITE });
        match opened {
            Ok(fd) => {
                run.proc.write_rope(fd, &Rope::from(bytes)).await?;
                run.proc.close(fd)?;
            }
            Err(error) => {
                run.complain(format!("can't redirect to {name} ({})", error.strerror())).await;
                return Ok(2);
            }
        }
    }
    match done {
        Ok(status) => Ok(status),
        Err(fault) => {
            run.complain(fault).await;
            Ok(2)
        }
    }
}

async fn records(
    run: &mut Run,
    m: &mut Machine,
    p: &Program,
    operands: &[BString],
) -> Result<Result<i32, Fault>, crate::base::errno::Errno> {
    let mut active = vec![false; p.rules.len()];
    let mut status = 0;
    macro_rules! phase {
        ($phase:literal) => {
            match m.rules(p, $phase, &mut active) {
                Ok(flow) => flow,
                Err(fault) => return Ok(Err(fault)),
            }
        };
    }
    let mut flow = phase!(0);
    let reads = p.rules.iter().any(|rule| !rule.begin);
    let mut files: Vec<BString> = Vec::new();
    for operand in operands {
        match operand
            .split_once_str("=")
            .filter(|(name, _)| name.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'_'))
        {
            Some((name, value)) => m.set_var(&text(name), V::Seen(parse::unescape(&text(value)))),
            None => files.push(operand.clone()),
        }
    }
    if files.is_empty() {
        files.push("-".into());
    }
    let (mut total, stop) = (0.0, Flow::Exit);
    for path in files.iter().take(if reads && flow != stop { usize::MAX } else { 0 }) {
        let fd = match run.input(path) {
            Ok(fd) => fd,
            Err(error) => {
                run.complain(format!("cannot open \"{path}\" ({})", error.strerror())).await;
                status = 2;
                continue;
            }
        };
        m.set_var("FILENAME", V::Str(if path == "-" { String::new() } else { text(path) }));
        let mut lines = Lines::new(&run.proc, fd);
        let mut own = 0.0;
        let paragraphs = m.var("RS").str().is_empty();
        let separator = m.var("RS").str().bytes().next().unwrap_or(b'\n');
        if separator != b'\n' {
            lines = Lines::separated(&run.proc, fd, separator);
        }
        let mut whole = Vec::new();
        while flow != stop {
            let next = lines.next().await?;
            if paragraphs {
                if let Some(line) = next.as_ref().filter(|line| line.as_slice() != b"\n") {
                    whole.extend_from_slice(line);
                    continue;
                }
                if whole.is_empty() && next.is_some() {
                    continue;
                }
            }
            let line = if paragraphs { std::mem::take(&mut whole) } else { next.unwrap_or_default() };
            if line.is_empty() {
                break;
            }
            let line = line.strip_suffix(&[separator]).unwrap_or(&line);
            (total, own) = (total + 1.0, own + 1.0);
            m.set_var("NR", V::Num(total));
            m.set_var("FNR", V::Num(own));
            if let Err(fault) = m.set_record(text(line)) {
                return Ok(Err(fault));
            }
            flow = phase!(1);
            run.put(std::mem::take(&mut m.out)).await?;
        }
        run.done_with(fd);
    }
    // `exit` skips to the end's rules, and ends there.
    let early = if flow == stop { Some(std::mem::take(&mut m.result).num() as i32) } else { None };
    if phase!(2) == stop {
        return Ok(Ok(m.result.num() as i32));
    }
    Ok(Ok(early.unwrap_or(status)))
}
