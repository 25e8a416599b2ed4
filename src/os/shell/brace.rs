//! Brace expansion: `a{b,c}d` and `{1..5}`, on the tree and before anything else.

use bstr::BString;

use super::ast::{Part, Word};

/// An unquoted byte, or a part that braces can't look into.
#[derive(Clone)]
enum Atom {
    Byte(u8),
    Part(Part),
}

/// The words a word becomes; itself when that would be more than `limit`.
pub(super) fn expand(word: &Word, limit: usize) -> Vec<Word> {
    let mut atoms = Vec::new();
    for part in &word.parts {
        match part {
            Part::Literal(text) => atoms.extend(text.iter().map(|b| Atom::Byte(*b))),
            part => atoms.push(Atom::Part(part.clone())),
        }
    }
    // Long words are data, not templates.
    if atoms.len() > 1 << 16 {
        return vec![word.clone()];
    }
    let mut budget = limit;
    match expand_atoms(&atoms, &mut budget, 0) {
        Some(words) => words.into_iter().map(|atoms| to_word(&atoms)).collect(),
        None => vec![word.clone()],
    }
}

fn to_word(atoms: &[Atom]) -> Word {
    let mut parts = Vec::new();
    for atom in atoms {
        match atom {
            Atom::Byte(byte) => match parts.last_mut() {
                Some(Part::Literal(text)) => text.push(*byte),
                _ => parts.push(Part::Literal(BString::from(vec![*byte]))),
            },
            Atom::Part(part) => parts.push(part.clone()),
        }
    }
    if parts.is_empty() { Word::quoted("") } else { Word { parts } }
}

const fn byte(atom: &Atom) -> u8 {
    match atom {
        Atom::Byte(byte) => *byte,
        Atom::Part(_) => 0,
    }
}

/// The closing brace and the commas of the brace at `open`.
fn scan(atoms: &[Atom], open: usize) -> Option<(usize, Vec<usize>)> {
    let mut depth = 0usize;
    let mut commas = Vec::new();
    for (at, atom) in atoms.iter().enumerate().skip(open) {
        match byte(atom) {
            b'{' => depth += 1,
            b'}' => {
                depth -= 1;
                if depth == 0 {
                    return Some((at, commas));
                }
            }
            b',' if depth == 1 => commas.push(at),
            _ => {}
        }
    }
    None
}

fn expand_atoms(atoms: &[Atom], budget: &mut usize, depth: u32) -> Option<Vec<Vec<Atom>>> {
    if depth > 30 {
        return None;
    }
    // Scans that find nothing are bounded, so that `{{{{...` stays cheap.
    let mut tries = 0;
    for open in (0..atoms.len()).filter(|at| atoms.get(*at).is_some_and(|a| byte(a) == b'{')) {
        tries += 1;
        if tries > 200 {
            break;
        }
        let Some((close, commas)) = scan(atoms, open) else { continue };
        let inner = atoms.get(open + 1..close)?;
        let choices: Vec<Vec<Atom>> = if commas.is_empty() {
            match sequence(inner, *budget) {
                Some(items) => items.into_iter().map(|text| text.into_iter().map(Atom::Byte).collect()).collect(),
                None => continue,
            }
        } else {
            let mut all = Vec::new();
            let mut from = open + 1;
            for end in commas.into_iter().chain([close]) {
                all.extend(expand_atoms(atoms.get(from..end)?, budget, depth + 1)?);
                from = end + 1;
            }
            all
        };
        let before = atoms.get(..open)?;
        let after = expand_atoms(atoms.get(close + 1..)?, budget, depth + 1)?;
        let count = choices.len().checked_mul(after.len())?;
        *budget = budget.checked_sub(count)?;
        let mut out = Vec::new();
        for choice in &choices {
            for tail in &after {
                out.push([before, choice, tail].concat());
            }
        }
        return Some(out);
    }
    Some(vec![atoms.to_vec()])
}

/// `1..5`, `a..e`, `0..10..2`.
fn sequence(atoms: &[Atom], limit: usize) -> Option<Vec<Vec<u8>>> {
    let text: String = atoms.iter().map(|a| char::from(byte(a))).collect();
    let mut pieces = text.split("..");
    let (from, to, step) = (pieces.next()?, pieces.next()?, pieces.next());
    if pieces.next().is_some() {
        return None;
    }
    let step: i64 = step.map_or(Some(1), |s| s.parse().ok())?;
    let letter = |t: &str| {
        (t.len() == 1 && t.starts_with(|c: char| c.is_ascii_alphabetic())).then(|| t.bytes().next()).flatten()
    };
    let (start, end, letters) = match (letter(from), letter(to)) {
        (Some(a), Some(b)) => (i64::from(a), i64::from(b), true),
        _ => (from.parse::<i64>().ok()?, to.parse::<i64>().ok()?, false),
    };
    let step = step.unsigned_abs().max(1);
    let count = start.abs_diff(end) / step + 1;
    if count > limit as u64 {
        return None;
    }
    let padded = |t: &str| t.trim_start_matches('-').len() > 1 && t.trim_start_matches('-').starts_with('0');
    let width = if !letters && (padded(from) || padded(to)) { from.len().max(to.len()) } else { 0 };
    let mut out = Vec::new();
    for at in 0..count {
        let distance = i64::try_from(at.saturating_mul(step)).ok()?;
        let value = if start <= end { start.checked_add(distance)? } else { start.checked_sub(distance)? };
        out.push(if letters { vec![u8::try_from(value).ok()?] } else { format!("{value:0width$}").into_bytes() });
    }
    Some(out)
}
