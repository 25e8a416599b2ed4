//! `jq`: a filter over JSON values: paths, iteration, pipes, comma, operators, construction, `if`, and the functions that
//! one meets every day. Variables, definitions and reductions are refused.

mod parse;
mod values;

use serde_json::{Map, Value};

use parse::{Filter, parse};
use values::{
    as_text, calculate, compare, formatted, index, is_true, items, kind, number, plain, slice, with_argument,
};

use super::program::{Done, Run, spec, text};
use crate::base::sort::Arrange;
use crate::os::args::{flag, value};
use crate::os::kernel::Proc;

spec!(
    SPEC,
    "jq",
    "[OPTIONS] FILTER [FILES...]",
    [
        flag('r', "raw-output"),
        flag('j', "join-output"),
        flag('c', "compact-output"),
        flag('s', "slurp"),
        flag('n', "null-input"),
        flag('e', "exit-status"),
        flag('R', "raw-input"),
        flag('S', "sort-keys"),
        flag('M', "monochrome-output"),
        flag('C', "color-output"),
        flag('a', "ascii-output"),
        flag('\0', "tab"),
        value('\0', "indent"),
        flag('V', "version"),
    ],
    usage_status: 2,
);

/// How deep a filter may be nested, and a value that it makes.
const DEPTH: usize = 100;
/// Values that one filter may yield for one input.
const MOST: usize = 1 << 18;

/// `jq`.
pub async fn main(proc: Proc) -> i32 {
    let mut argv = proc.args();
    // `--arg` takes two words and binds a variable.
    let mut named = Vec::new();
    while let Some(place) = argv.iter().position(|word| word == "--arg" || word == "--argjson") {
        let taken: Vec<_> = argv.splice(place..(place + 3).min(argv.len()), []).collect();
        let [option, name, value] = taken.as_slice() else {
            proc.eprint("jq: --arg takes two parameters (e.g. --arg varname value)\n").await;
            return 2;
        };
        let value = match option == "--arg" {
            true => Value::String(text(value)),
            false => match serde_json::from_slice(value) {
                Ok(value) => value,
                Err(_) => {
                    proc.eprint("jq: Invalid JSON text passed to --argjson\n").await;
                    return 2;
                }
            },
        };
        named.push((text(name), value));
    }
    super::program::run_as(proc, &SPEC, &argv, |run| Box::pin(body(run, named))).await
}

async fn body(run: &mut Run, named: Vec<(String, Value)>) -> Done {
    if run.args.has('V') {
        run.put("jq-1.6\n").await?;
        return Ok(0);
    }
    let mut operands = run.args.operands.clone();
    if operands.is_empty() {
        let usage = "Usage:\tjq [OPTIONS] FILTER [FILES...]\n\tjq [OPTIONS] --args FILTER [ARGUMENTS...]\n\tjq [OPTIONS] --jsonargs FILTER [JSON_VALUES...]\n";
        run.proc.eprint(usage).await;
        return Ok(2);
    }
    let program = text(&operands.remove(0));
    let filter = match parse(&program) {
        Ok(filter) => filter,
        Err(why) => {
            run.proc.eprint(format!("jq: error: {why} (Unix shell quoting issues?) at <top-level>, line 1:\n{program}\njq: 1 compile error\n")).await;
            return Ok(3);
        }
    };
    if operands.is_empty() {
        operands.push("-".into());
    }
    let mut inputs = Vec::new();
    let mut status = 0;
    if run.args.has('n') {
        inputs.push(Value::Null);
        operands.clear();
    }
    for path in operands {
        let rope = match run.input(&path) {
            Ok(fd) => {
                let read = run.proc.read_all(fd).await;
                run.done_with(fd);
                read
            }
            Err(error) => Err(error),
        };
        let bytes = match rope {
            Ok(rope) => rope.to_vec(),
            Err(error) => {
                run.proc.eprint(format!("jq: error: Could not open {path}: {}\n", error.strerror())).await;
                status = 2;
                continue;
            }
        };
        if run.args.has('R') {
            match run.args.has('s') {
                true => inputs.push(Value::String(text(&bytes))),
                false => inputs.extend(text(&bytes).lines().map(|line| Value::String(line.to_owned()))),
            }
            continue;
        }
        for value in serde_json::Deserializer::from_slice(&bytes).into_iter::<Value>() {
            match value {
                Ok(value) => inputs.push(value),
                Err(error) => {
                    run.proc
                        .eprint(format!(
                            "parse error: Invalid literal at line {}, column {}\n",
                            error.line(),
                            error.column()
                        ))
                        .await;
                    status = 2;
                    break;
                }
            }
        }
    }
    if run.args.has('s') && !run.args.has('R') {
        inputs = vec![Value::Array(inputs)];
    }
    let mut last = None;
    for input in inputs {
        run.proc.work(64).await;
        let mut out = Vec::new();
        let mut scope = Scope { named: &named, left: MOST, depth: 0 };
        let done = scope.run(&filter, &input, &mut out);
        for value in out {
            let shown = show(run, &value);
            last = Some(value);
            run.put(shown).await?;
        }
        if let Err(why) = done {
            run.flush().await?;
            run.proc.eprint(format!("jq: error (at <stdin>:0): {why}\n")).await;
            status = 5;
        }
    }
    Ok(match (status, run.args.has('e'), last) {
        (0, true, None) => 4,
        (0, true, Some(Value::Null | Value::Bool(false))) => 1,
        (status, ..) => status,
    })
}

fn show(run: &Run, value: &Value) -> String {
    let end = if run.args.has('j') { "" } else { "\n" };
    if let Value::String(text) = value
        && (run.args.has('r') || run.args.has('j'))
    {
        return format!("{text}{end}");
    }
    let sorted;
    let value = if run.args.has('S') {
        sorted = sort_keys(value, 0);
        &sorted
    } else {
        value
    };
    let indent = match run.args.value("indent").map(|n| text(n).parse::<usize>()) {
        Some(Ok(n)) => " ".repeat(n.min(7)),
        _ if run.args.has("tab") => "\t".to_owned(),
        _ => "  ".to_owned(),
    };
    let mut out = String::new();
    if run.args.has('c') || indent.is_empty() {
        out.push_str(&value.to_string())
    } else {
        pretty(value, &indent, 0, &mut out)
    }
    out + end
}

fn sort_keys(value: &Value, depth: usize) -> Value {
    match value {
        Value::Object(map) if depth < DEPTH => {
            let mut keys: Vec<&String> = map.keys().collect();
            keys.arrange();
            keys.into_iter().filter_map(|key| Some((key.clone(), sort_keys(map.get(key)?, depth + 1)))).collect()
        }
        Value::Array(list) if depth < DEPTH => list.iter().map(|item| sort_keys(item, depth + 1)).collect(),
        other => other.clone(),
    }
}

/// As jq lays it out: empty lists and objects stay closed.
fn pretty(value: &Value, indent: &str, depth: usize, out: &mut String) {
    let line = |depth: usize| format!("\n{}", indent.repeat(depth));
    match value {
        Value::Array(list) if !list.is_empty() => {
            out.push('[');
            for (place, item) in list.iter().enumerate() {
                out.push_str(if place > 0 { "," } else { "" });
                out.push_str(&line(depth + 1));
                pretty(item, indent, depth + 1, out);
            }
            out.push_str(&line(depth));
            out.push(']');
        }
        Value::Object(map) if !map.is_empty() => {
            out.push('{');
            for (place, (key, item)) in map.iter().enumerate() {
                out.push_str(if place > 0 { "," } else { "" });
                out.push_str(&line(depth + 1));
                out.push_str(&format!("{}: ", Value::String(key.clone())));
                pretty(item, indent, depth + 1, out);
            }
            out.push_str(&line(depth));
            out.push('}');
        }
        other => out.push_str(&other.to_string()),
    }
}

struct Scope<'a> {
    named: &'a [(String, Value)],
    left: usize,
    depth: usize,
}

type Ran = Result<(), String>;

impl Scope<'_> {
    fn all(&mut self, filter: &Filter, input: &Value) -> Result<Vec<Value>, String> {
        let mut out = Vec::new();
        self.run(filter, input, &mut out)?;
        Ok(out)
    }

    fn one(&mut self, filter: &Filter, input: &Value) -> Result<Value, String> {
        Ok(self.all(filter, input)?.into_iter().next().unwrap_or(Value::Null))
    }

    fn yields(&mut self, value: Value, out: &mut Vec<Value>) -> Ran {
        self.left = self.left.checked_sub(1).ok_or_else(|| "more values than Capas counts".to_owned())?;
        out.push(value);
        Ok(())
    }

    fn run(&mut self, filter: &Filter, input: &Value, out: &mut Vec<Value>) -> Ran {
        self.depth += 1;
        if self.depth > DEPTH * 4 {
            return Err("the filter is nested too deeply".to_owned());
        }
        let done = self.step(filter, input, out);
        self.depth -= 1;
        done
    }

    fn step(&mut self, filter: &Filter, input: &Value, out: &mut Vec<Value>) -> Ran {
        match filter {
            Filter::Identity => self.yields(input.clone(), out),
            Filter::Recurse => self.recurse(input, out, 0),
            Filter::Literal(value) => self.yields(value.clone(), out),
            Filter::Variable(name) => match self.named.iter().find(|(known, _)| known == name) {
                Some((_, value)) => self.yields(value.clone(), out),
                None => Err(format!("${name} is not defined")),
            },
            Filter::Index(of, key) => {
                for value in self.all(of, input)? {
                    for key in self.all(key, input)? {
                        let found = index(&value, &key)?;
                        self.yields(found, out)?;
                    }
                }
                Ok(())
            }
            Filter::Slice(of, from, to) => {
                let from = from.as_ref().map(|from| self.one(from, input)).transpose()?;
                let to = to.as_ref().map(|to| self.one(to, input)).transpose()?;
                for value in self.all(of, input)? {
                    let found = slice(&value, from.as_ref(), to.as_ref())?;
                    self.yields(found, out)?;
                }
                Ok(())
            }
            Filter::Each(of) => {
                for value in self.all(of, input)? {
                    for item in items(&value)? {
                        self.yields(item, out)?;
                    }
                }
                Ok(())
            }
            Filter::Try(body) => {
                let _ = self.run(body, input, out);
                Ok(())
            }
            Filter::Pipe(left, right) => {
                for value in self.all(left, input)? {
                    self.run(right, &value, out)?;
                }
                Ok(())
            }
            Filter::Comma(left, right) => {
                self.run(left, input, out)?;
                self.run(right, input, out)
            }
            Filter::Negative(of) => {
                for value in self.all(of, input)? {
                    let value = value.as_f64().map(|n| number(-n));
                    let value = value.ok_or_else(|| "this value cannot be negated".to_owned())?;
                    self.yields(value, out)?;
                }
                Ok(())
            }
            Filter::Binary(operator, left, right) => self.binary(operator, left, right, input, out),
            Filter::List(None) => self.yields(Value::Array(Vec::new()), out),
            Filter::List(Some(of)) => {
                let list = self.all(of, input)?;
                self.yields(Value::Array(list), out)
            }
            Filter::Object(pairs) => {
                // Every choice of keys and values makes an object.
                let mut made = vec![Map::new()];
                for (key, value) in pairs {
                    let (keys, values) = (self.all(key, input)?, self.all(value, input)?);
                    let mut next = Vec::new();
                    for map in &made {
                        for key in &keys {
                            let Value::String(key) = key else {
                                return Err("Object keys must be strings".to_owned());
                            };
                            for value in &values {
                                let mut map = map.clone();
                                map.insert(key.clone(), value.clone());
                                next.push(map);
                                self.left = self
                                    .left
                                    .checked_sub(1)
                                    .ok_or_else(|| "more values than Capas counts".to_owned())?;
                            }
                        }
                    }
                    made = next;
                }
                made.into_iter().try_for_each(|map| self.yields(Value::Object(map), out))
            }
            Filter::If(cases, otherwise) => {
                for (test, then) in cases {
                    if is_true(&self.one(test, input)?) {
                        return self.run(then, input, out);
                    }
                }
                self.run(otherwise, input, out)
            }
            Filter::Text(pieces) => {
                let mut text = String::new();
                for piece in pieces {
                    text.push_str(&as_text(&self.one(piece, input)?));
                }
                self.yields(Value::String(text), out)
            }
            Filter::Format(name) => {
                let text = formatted(name, input)?;
                self.yields(Value::String(text), out)
            }
            Filter::Call(name, arguments) => self.call(name, arguments, input, out),
        }
    }

    fn recurse(&mut self, value: &Value, out: &mut Vec<Value>, depth: usize) -> Ran {
        self.yields(value.clone(), out)?;
        if depth > DEPTH * 2 {
            return Err("the value is nested too deeply".to_owned());
        }
        match value {
            Value::Array(list) => list.iter().try_for_each(|item| self.recurse(item, out, depth + 1)),
            Value::Object(map) => map.values().try_for_each(|item| self.recurse(item, out, depth + 1)),
            _ => Ok(()),
        }
    }

    fn binary(&mut self, operator: &str, left: &Filter, right: &Filter, input: &Value, out: &mut Vec<Value>) -> Ran {
        if operator == "//" {
            let found: Vec<Value> = self.all(left, input).unwrap_or_default().into_iter().filter(is_true).collect();
            if found.is_empty() {
                return self.run(right, input, out);
            }
            return found.into_iter().try_for_each(|value| self.yields(value, out));
        }
        if operator == "and" || operator == "or" {
            for value in self.all(left, input)? {
                if is_true(&value) == (operator == "or") {
                    self.yields(Value::Bool(operator == "or"), out)?;
                    continue;
                }
                for value in self.all(right, input)? {
                    self.yields(Value::Bool(is_true(&value)), out)?;
                }
            }
            return Ok(());
        }
        // The right side is the outer loop.
        for b in self.all(right, input)? {
            for a in self.all(left, input)? {
                let value = calculate(operator, &a, &b)?;
                self.yields(value, out)?;
            }
        }
        Ok(())
    }

    /// Items with what a filter makes of each, in the order of that.
    fn keyed(&mut self, list: &[Value], by: Option<&Filter>) -> Result<Vec<(Value, Value)>, String> {
        let mut keyed = Vec::new();
        for item in list {
            let key = match by {
                Some(by) => Value::Array(self.all(by, item)?),
                None => item.clone(),
            };
            keyed.push((key, item.clone()));
        }
        keyed.arrange_by(|a, b| compare(&a.0, &b.0));
        Ok(keyed)
    }

    fn call(&mut self, name: &str, arguments: &[Filter], input: &Value, out: &mut Vec<Value>) -> Ran {
        let first = arguments.first();
        let list = || match input {
            Value::Array(list) => Ok(list.as_slice()),
            other => Err(format!("Cannot index {} with number", kind(other))),
        };
        let value = match (name, first) {
            ("empty", _) => return Ok(()),
            ("error", None) => return Err(as_text(input)),
            ("error", Some(why)) => return Err(as_text(&self.one(why, input)?)),
            ("recurse", _) => return self.recurse(input, out, 0),
            ("select", Some(test)) => {
                for value in self.all(test, input)? {
                    if is_true(&value) {
                        self.yields(input.clone(), out)?;
                    }
                }
                return Ok(());
            }
            ("values", _) if input.is_null() => return Ok(()),
            ("arrays", _) if !input.is_array() => return Ok(()),
            ("values" | "arrays", _) => input.clone(),
            ("first", Some(of)) => match self.all(of, input)?.into_iter().next() {
                Some(value) => value,
                None => return Ok(()),
            },
            ("limit", Some(count)) => {
                let count = self.one(count, input)?.as_u64().unwrap_or(0) as usize;
                let of = arguments.get(1).unwrap_or(&Filter::Identity);
                let all = self.all(of, input)?;
                return all.into_iter().take(count).try_for_each(|value| self.yields(value, out));
            }
            ("range", Some(bound)) => {
                let mut ends = vec![self.one(bound, input)?.as_f64().unwrap_or(0.0)];
                match arguments.get(1) {
                    Some(end) => ends.push(self.one(end, input)?.as_f64().unwrap_or(0.0)),
                    None => ends.insert(0, 0.0),
                }
                let (mut at, end) = (ends.first().copied().unwrap_or(0.0), ends.last().copied().unwrap_or(0.0));
                while at < end {
                    self.yields(number(at), out)?;
                    at += 1.0;
                }
                return Ok(());
            }
            ("map", Some(by)) => {
                let mut made = Vec::new();
                for item in items(input)? {
                    self.run(by, &item, &mut made)?;
                }
                Value::Array(made)
            }
            ("map_values", Some(by)) => match input {
                Value::Object(map) => {
                    let mut made = Map::new();
                    for (key, item) in map {
                        if let Some(value) = self.all(by, item)?.into_iter().next() {
                            made.insert(key.clone(), value);
                        }
                    }
                    Value::Object(made)
                }
                _ => {
                    let mut made = Vec::new();
                    for item in items(input)? {
                        made.extend(self.all(by, &item)?.into_iter().next());
                    }
                    Value::Array(made)
                }
            },
            ("any" | "all", by) => {
                let mut truths = Vec::new();
                for item in items(input)? {
                    truths.push(match by {
                        Some(by) => is_true(&self.one(by, &item)?),
                        None => is_true(&item),
                    });
                }
                Value::Bool(if name == "any" { truths.contains(&true) } else { !truths.contains(&false) })
            }
            ("sort" | "sort_by", by) => {
                Value::Array(self.keyed(list()?, by)?.into_iter().map(|(_, item)| item).collect())
            }
            ("group_by" | "unique" | "unique_by", by) => {
                let mut groups: Vec<(Value, Vec<Value>)> = Vec::new();
                for (key, item) in self.keyed(list()?, by)? {
                    match groups.last_mut().filter(|(last, _)| compare(last, &key).is_eq()) {
                        Some((_, group)) => group.push(item),
                        None => groups.push((key, vec![item])),
                    }
                }
                let whole = name == "group_by";
                let made = groups
                    .into_iter()
                    .filter_map(|(_, group)| if whole { Some(Value::Array(group)) } else { group.into_iter().next() });
                Value::Array(made.collect())
            }
            ("min" | "min_by", by) => self.keyed(list()?, by)?.into_iter().next().map_or(Value::Null, |(_, item)| item),
            ("max" | "max_by", by) => self.keyed(list()?, by)?.pop().map_or(Value::Null, |(_, item)| item),
            ("has" | "in", Some(key)) => {
                let key = self.one(key, input)?;
                let (of, key) = if name == "has" { (input, &key) } else { (&key, input) };
                match (of, key) {
                    (Value::Object(map), Value::String(key)) => Value::Bool(map.contains_key(key)),
                    (Value::Array(list), Value::Number(n)) => {
                        Value::Bool(n.as_u64().is_some_and(|n| (n as usize) < list.len()))
                    }
                    (of, key) => return Err(format!("Cannot check whether {} has a {} key", kind(of), kind(key))),
                }
            }
            (_, Some(argument)) => {
                let argument = self.one(argument, input)?;
                with_argument(name, input, &argument)?
            }
            (_, None) => plain(name, input)?,
        };
        self.yields(value, out)
    }
}
