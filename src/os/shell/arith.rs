//! Arithmetic: C's integer expressions over 64-bit numbers that wrap around.

use bstr::{BStr, BString, ByteSlice};

/// Where variables live.
pub(super) trait Variables {
    /// A variable's (or an element's) text.
    fn get(&mut self, name: &BStr, index: Option<i64>) -> Option<BString>;
    /// Sets a variable; an error is a message.
    fn set(&mut self, name: &BStr, index: Option<i64>, value: i64) -> Result<(), String>;
}

/// How deep expressions and variables that hold expressions may be nested.
const MAX_DEPTH: u32 = 40;

/// Evaluates an expression; an empty one is 0.
pub(super) fn evaluate(text: &[u8], variables: &mut dyn Variables) -> Result<i64, String> {
    evaluate_at(text, variables, 0)
}

fn evaluate_at(text: &[u8], variables: &mut dyn Variables, depth: u32) -> Result<i64, String> {
    let mut eval = Eval { text, at: 0, variables, depth, skip: 0 };
    eval.blanks();
    if eval.at >= text.len() {
        return Ok(0);
    }
    let value = eval.comma()?;
    if eval.at < text.len() {
        return Err(eval.fault("syntax error in expression"));
    }
    Ok(value)
}

struct Eval<'a> {
    text: &'a [u8],
    at: usize,
    variables: &'a mut dyn Variables,
    depth: u32,
    /// Above 0 nothing is assigned and nothing fails: the branch is not taken.
    skip: u32,
}

struct Place {
    name: BString,
    index: Option<i64>,
}

/// Binary operators with their precedence; longer ones first.
const BINARY: &[(&str, u8)] = &[
    ("**", 12),
    ("||", 1),
    ("&&", 2),
    ("==", 6),
    ("!=", 6),
    ("<=", 7),
    (">=", 7),
    ("<<", 8),
    (">>", 8),
    ("|", 3),
    ("^", 4),
    ("&", 5),
    ("<", 7),
    (">", 7),
    ("+", 9),
    ("-", 9),
    ("*", 10),
    ("/", 10),
    ("%", 10),
];

const ASSIGN: &[&str] = &["<<=", ">>=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "="];

impl Eval<'_> {
    fn rest(&self) -> &[u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn blanks(&mut self) {
        self.at += self.rest().iter().take_while(|b| b.is_ascii_whitespace()).count();
    }

    fn fault(&self, what: &str) -> String {
        let token = self.rest().to_str_lossy();
        format!("{}: {what} (error token is \"{token}\")", self.text.to_str_lossy().trim_start())
    }

    fn take(&mut self, token: &str) -> bool {
        self.blanks();
        let found = self.rest().starts_with(token.as_bytes());
        if found {
            self.at += token.len();
            self.blanks();
        }
        found
    }

    fn comma(&mut self) -> Result<i64, String> {
        let mut value = self.assignment()?;
        while self.take(",") {
            value = self.assignment()?;
        }
        Ok(value)
    }

    fn place(&mut self) -> Result<Option<Place>, String> {
        let rest = self.rest();
        if !rest.first().is_some_and(|b| b.is_ascii_alphabetic() || *b == b'_') {
            return Ok(None);
        }
        let end = rest.iter().position(|b| !b.is_ascii_alphanumeric() && *b != b'_').unwrap_or(rest.len());
        let name = BString::from(rest.get(..end).unwrap_or_default());
        self.at += end;
        let mut index = None;
        if self.rest().first() == Some(&b'[') {
            self.at += 1;
            index = Some(self.deeper(Self::comma)?);
            if !self.take("]") {
                return Err(self.fault("syntax error: operand expected"));
            }
        }
        self.blanks();
        Ok(Some(Place { name, index }))
    }

    fn deeper<T>(&mut self, with: impl FnOnce(&mut Self) -> Result<T, String>) -> Result<T, String> {
        if self.depth >= MAX_DEPTH {
            return Err(format!("{}: expression recursion level exceeded", self.text.to_str_lossy()));
        }
        self.depth += 1;
        let result = with(self);
        self.depth -= 1;
        result
    }

    fn assignment(&mut self) -> Result<i64, String> {
        self.deeper(Self::assignment_here)
    }

    fn assignment_here(&mut self) -> Result<i64, String> {
        self.blanks();
        let start = self.at;
        if let Some(place) = self.place()? {
            let op = ASSIGN.iter().find(|op| self.rest().starts_with(op.as_bytes()));
            if let Some(op) = op.filter(|op| **op != "=" || !self.rest().starts_with(b"==")) {
                self.take(op);
                let right = self.assignment()?;
                let value = match op.strip_suffix('=') {
                    Some("") | None => right,
                    Some(binary) => {
                        let left = self.read(&place)?;
                        self.apply(binary, left, right)?
                    }
                };
                self.write(&place, value)?;
                return Ok(value);
            }
            self.at = start;
        }
        self.choice()
    }

    fn choice(&mut self) -> Result<i64, String> {
        let condition = self.binary(1)?;
        if !self.take("?") {
            return Ok(condition);
        }
        let yes = self.skipping(condition == 0, Self::assignment)?;
        if !self.take(":") {
            return Err(self.fault("`:' expected for conditional expression"));
        }
        let no = self.skipping(condition != 0, Self::assignment)?;
        Ok(if condition != 0 { yes } else { no })
    }

    fn skipping<T>(&mut self, skip: bool, with: impl FnOnce(&mut Self) -> Result<T, String>) -> Result<T, String> {
        self.skip += u32::from(skip);
        let result = with(self);
        self.skip -= u32::from(skip);
        result
    }

    fn binary(&mut self, least: u8) -> Result<i64, String> {
        let mut left = self.unary()?;
        loop {
            self.blanks();
            let Some((op, level)) = BINARY.iter().find(|(op, _)| self.rest().starts_with(op.as_bytes())).copied()
            else {
                return Ok(left);
            };
            // `a += 1` where a value is needed, not a variable: the assignment can't be meant.
            let assigns = self.rest().get(op.len()) == Some(&b'=') && !matches!(op, "==" | "!=" | "<=" | ">=");
            if level < least || (assigns && !matches!(op, "<" | ">")) {
                return Ok(left);
            }
            self.take(op);
            let skip = (op == "&&" && left == 0) || (op == "||" && left != 0);
            // `**` groups to the right.
            let next = if op == "**" { level } else { level + 1 };
            let right = self.skipping(skip, |e| e.deeper(|e| e.binary(next)))?;
            left = self.apply(op, left, right)?;
        }
    }

    fn apply(&self, op: &str, left: i64, right: i64) -> Result<i64, String> {
        let shift = (right & 63) as u32;
        Ok(match op {
            "**" if right < 0 && self.skip == 0 => return Err(self.fault("exponent less than 0")),
            "**" => {
                let (mut result, mut base, mut exponent) = (1i64, left, right.max(0));
                while exponent > 0 {
                    if exponent & 1 == 1 {
                        result = result.wrapping_mul(base);
                    }
                    base = base.wrapping_mul(base);
                    exponent >>= 1;
                }
                result
            }
            "*" => left.wrapping_mul(right),
            "/" | "%" if right == 0 => {
                if self.skip > 0 {
                    return Ok(0);
                }
                let text = self.text.to_str_lossy();
                return Err(format!("{}: division by 0 (error token is \"{}\")", text.trim_start(), right));
            }
            "/" => left.wrapping_div(right),
            "%" => left.wrapping_rem(right),
            "+" => left.wrapping_add(right),
            "-" => left.wrapping_sub(right),
            "<<" => left.wrapping_shl(shift),
            ">>" => left.wrapping_shr(shift),
            "<" => i64::from(left < right),
            ">" => i64::from(left > right),
            "<=" => i64::from(left <= right),
            ">=" => i64::from(left >= right),
            "==" => i64::from(left == right),
            "!=" => i64::from(left != right),
            "&" => left & right,
            "^" => left ^ right,
            "|" => left | right,
            "&&" => i64::from(left != 0 && right != 0),
            _ => i64::from(left != 0 || right != 0),
        })
    }

    fn unary(&mut self) -> Result<i64, String> {
        self.deeper(Self::unary_here)
    }

    fn unary_here(&mut self) -> Result<i64, String> {
        self.blanks();
        for (op, step) in [("++", 1i64), ("--", -1)] {
            if self.rest().starts_with(op.as_bytes()) {
                let start = self.at;
                self.take(op);
                if let Some(place) = self.place()? {
                    let value = self.read(&place)?.wrapping_add(step);
                    self.write(&place, value)?;
                    return Ok(value);
                }
                self.at = start;
            }
        }
        if self.take("+") {
            return self.unary();
        }
        if self.take("-") {
            return Ok(self.unary()?.wrapping_neg());
        }
        if self.take("!") {
            return Ok(i64::from(self.unary()? == 0));
        }
        if self.take("~") {
            return Ok(!self.unary()?);
        }
        if self.take("(") {
            let value = self.comma()?;
            if !self.take(")") {
                return Err(self.fault("missing `)'"));
            }
            return Ok(value);
        }
        if let Some(place) = self.place()? {
            let value = self.read(&place)?;
            for (op, step) in [("++", 1i64), ("--", -1)] {
                if self.rest().starts_with(op.as_bytes()) {
                    self.take(op);
                    self.write(&place, value.wrapping_add(step))?;
                    break;
                }
            }
            return Ok(value);
        }
        self.number()
    }

    fn number(&mut self) -> Result<i64, String> {
        let rest = self.rest();
        let end = rest
            .iter()
            .position(|b| !b.is_ascii_alphanumeric() && !matches!(b, b'#' | b'_' | b'@'))
            .unwrap_or(rest.len());
        let text = rest.get(..end).unwrap_or_default().to_str_lossy().into_owned();
        if text.is_empty() || !text.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(self.fault("syntax error: operand expected"));
        }
        let (digits, radix) = if let Some((base, digits)) = text.split_once('#') {
            (digits, base.parse().ok().filter(|base| (2..=36).contains(base)))
        } else if let Some(hex) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
            (hex, Some(16))
        } else if text.len() > 1 && text.starts_with('0') {
            (text.as_str(), Some(8))
        } else {
            (text.as_str(), Some(10))
        };
        let Some(radix) = radix else { return Err(self.fault("invalid arithmetic base")) };
        let mut value = 0i64;
        for c in digits.chars() {
            let Some(digit) = c.to_digit(radix) else { return Err(self.fault("value too great for base")) };
            value = value.wrapping_mul(i64::from(radix)).wrapping_add(i64::from(digit));
        }
        self.at += end;
        self.blanks();
        Ok(value)
    }

    fn read(&mut self, place: &Place) -> Result<i64, String> {
        if self.skip > 0 {
            return Ok(0);
        }
        let Some(text) = self.variables.get(place.name.as_bstr(), place.index) else { return Ok(0) };
        let trimmed = text.trim_ascii();
        if let Some(number) = trimmed.to_str().ok().filter(|t| !t.starts_with('0')).and_then(|t| t.parse().ok()) {
            return Ok(number);
        }
        if self.depth >= MAX_DEPTH {
            return Err(format!("{text}: expression recursion level exceeded"));
        }
        evaluate_at(trimmed, self.variables, self.depth + 2)
    }

    fn write(&mut self, place: &Place, value: i64) -> Result<(), String> {
        if self.skip > 0 {
            return Ok(());
        }
        self.variables.set(place.name.as_bstr(), place.index, value)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    impl Variables for BTreeMap<BString, BString> {
        fn get(&mut self, name: &BStr, _: Option<i64>) -> Option<BString> {
            BTreeMap::get(self, name).cloned()
        }
        fn set(&mut self, name: &BStr, _: Option<i64>, value: i64) -> Result<(), String> {
            self.insert(name.into(), value.to_string().into());
            Ok(())
        }
    }

    #[test]
    fn expressions_have_c_s_precedences() {
        let mut vars = BTreeMap::new();
        vars.insert(BString::from("x"), BString::from("5"));
        vars.insert(BString::from("y"), BString::from("x+1"));
        for (text, value) in [
            ("1+2*3", 7),
            ("(1+2)*3", 9),
            ("2**3**2", 512),
            ("-2**2", 4),
            ("7/2-7%4", 0),
            ("x++ + x", 11),
            ("x", 6),
            ("y*2", 14),
            ("z=3,z+=4", 7),
            ("0 && 1/0", 0),
            ("1 ? 2 : 3", 2),
            ("0x10 + 010 + 2#11", 27),
            ("!0 + ~0", 0),
            ("1<<4|1", 17),
            ("3 > 2 == 1", 1),
            ("9223372036854775807+1", i64::MIN),
            ("", 0),
        ] {
            assert_eq!(evaluate(text.as_bytes(), &mut vars), Ok(value), "{text}");
        }
        for text in ["1/0", "1+", "(1", "08", "1 2", "$", "r", "a["] {
            vars.insert(BString::from("r"), BString::from("r"));
            assert!(evaluate(text.as_bytes(), &mut vars).is_err(), "{text}");
        }
        assert!(evaluate("(".repeat(100_000).as_bytes(), &mut vars).is_err());
    }
}
