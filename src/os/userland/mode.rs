//! File modes as `chmod` takes them: octal, or symbolic such as `u+x,go-w`.

/// One clause of a mode.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Clause {
    /// Bits of those whom it concerns, `0o7777` at most; 0 stands for all, less the umask.
    who: u32,
    op: char,
    /// `rwx` for everyone, to be cut by `who`.
    bits: u32,
    /// `X`: execution where it makes sense.
    conditional: bool,
    /// Bits taken over from user (2), group (1) or others (0).
    copy_from: Option<u32>,
}

/// A change of mode.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Change {
    /// Octal digits.
    Set(u32),
    /// Symbolic clauses.
    Clauses(Clauses),
}

/// Symbolic clauses in order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Clauses(Vec<Clause>);

/// Reads a mode.
pub fn parse(text: &str) -> Option<Change> {
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        return u32::from_str_radix(text, 8).ok().filter(|mode| *mode <= 0o7777).map(Change::Set);
    }
    let mut clauses = Vec::new();
    for part in text.split(',') {
        let mut chars = part.chars().peekable();
        let mut who = 0;
        while let Some(c) = chars.peek() {
            who |= match c {
                'u' => 0o4700,
                'g' => 0o2070,
                'o' => 0o1007,
                'a' => 0o7777,
                _ => break,
            };
            chars.next();
        }
        chars.peek()?;
        while let Some(op) = chars.next() {
            if !matches!(op, '+' | '-' | '=') {
                return None;
            }
            let mut clause = Clause { who, op, bits: 0, conditional: false, copy_from: None };
            while let Some(c) = chars.peek() {
                match c {
                    'r' => clause.bits |= 0o444,
                    'w' => clause.bits |= 0o222,
                    'x' => clause.bits |= 0o111,
                    'X' => clause.conditional = true,
                    's' => clause.bits |= 0o6000,
                    't' => clause.bits |= 0o1000,
                    'u' => clause.copy_from = Some(2),
                    'g' => clause.copy_from = Some(1),
                    'o' => clause.copy_from = Some(0),
                    _ => break,
                }
                chars.next();
            }
            clauses.push(clause);
        }
    }
    Some(Change::Clauses(Clauses(clauses)))
}

impl Change {
    /// The mode after the change.
    pub fn apply(&self, mode: u32, is_dir: bool, umask: u32) -> u32 {
        match self {
            // Octal digits leave a directory's set-id bits unless they name them.
            Self::Set(new) if is_dir && *new <= 0o777 => *new | (mode & 0o6000),
            Self::Set(new) => *new,
            Self::Clauses(clauses) => clauses.0.iter().fold(mode, |mode, clause| clause.apply(mode, is_dir, umask)),
        }
    }
}

impl Clause {
    fn apply(self, mode: u32, is_dir: bool, umask: u32) -> u32 {
        let mut bits = self.bits;
        if self.conditional && (is_dir || mode & 0o111 != 0) {
            bits |= 0o111;
        }
        if let Some(from) = self.copy_from {
            let triple = mode >> (3 * from) & 7;
            bits |= triple * 0o111;
        }
        let (who, cut) = if self.who == 0 { (0o7777, !umask) } else { (self.who, !0) };
        let bits = bits & who & cut;
        match self.op {
            '+' => mode | bits,
            '-' => mode & !bits,
            _ => (mode & !(who & if is_dir { 0o1777 } else { 0o7777 })) | bits,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn modes_change_as_chmod_does() {
        for (text, before, after) in [
            ("755", 0o600, 0o755),
            ("u+x", 0o644, 0o744),
            ("+x", 0o644, 0o755),
            ("go-rwx", 0o777, 0o700),
            ("a=r,u+w", 0o777, 0o644),
            ("u=rwx,g=u,o=", 0o000, 0o770),
            ("+X", 0o644, 0o644),
            ("u+s", 0o755, 0o4755),
            ("+t", 0o777, 0o1777),
            ("+w", 0o444, 0o644),
        ] {
            assert_eq!(parse(text).unwrap().apply(before, false, 0o022), after, "{text}");
        }
        assert!(parse("u+q").is_none() && parse("9").is_none() && parse("77777").is_none() && parse("u").is_none());
    }
}
