//! A line of the shell: its commands one after the other.

use std::ops::Range;

use super::split::{Kind, Token, split};
use super::{Found, SlipKind, docker};
use crate::view::texts::fill;
use crate::view::texts::programs;

/// `$(...)` inside of `$(...)` is looked into up to this depth.
const MAX_DEPTH: usize = 4;

/// Explains a line; `offset` is where it begins in what is pointed at.
pub(super) fn line(found: &mut Found<'_>, text: &str, offset: usize) {
    nested(found, text, offset, 0);
}

fn nested(found: &mut Found<'_>, text: &str, offset: usize, depth: usize) {
    let mut command: Vec<Token> = Vec::new();
    let mut target = false;
    for mut token in split(text) {
        for inner in std::mem::take(&mut token.inner) {
            let says = found.texts.substitution.to_owned();
            found.add(shifted(&(inner.start.saturating_sub(2)..inner.start), offset), "$( )", "", vec![says]);
            if let Some(inside) = text.get(inner.clone()).filter(|_| depth < MAX_DEPTH) {
                nested(found, inside, offset + inner.start, depth + 1);
            }
        }
        token.range = shifted(&token.range, offset);
        match token.kind {
            Kind::Word if target => {
                target = false;
                let says = fill(found.texts.redirect_target, &[&token.text]);
                found.add(token.range, token.text, "", vec![says]);
            }
            Kind::Word => command.push(token),
            Kind::Redirect => {
                target = !token.text.contains("&1") && !token.text.contains("&2");
                let says = (found.texts.operator)(&token.text).to_owned();
                found.add(token.range, token.text, "", vec![says]);
            }
            Kind::Operator | Kind::Comment => {
                words(found, &std::mem::take(&mut command));
                let key = if token.kind == Kind::Comment { "#" } else { token.text.as_str() };
                let says = (found.texts.operator)(key).to_owned();
                found.add(token.range, key, "", vec![says]);
            }
        }
    }
    words(found, &command);
}

pub(super) fn shifted(range: &Range<usize>, offset: usize) -> Range<usize> {
    range.start + offset..range.end + offset
}

/// A command with its arguments.
pub(super) fn words(found: &mut Found<'_>, words: &[Token]) {
    let Some((first, rest)) = words.split_first() else { return };
    let is_assignment = first
        .text
        .split_once('=')
        .is_some_and(|(name, _)| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'));
    if is_assignment {
        let says = fill(found.texts.assignment, &[first.text.split('=').next().unwrap_or_default()]);
        found.add(first.range.clone(), first.text.clone(), "", vec![says]);
        return self::words(found, rest);
    }
    let name = first.text.rsplit('/').next().unwrap_or_default();
    if name == "docker" {
        return docker::command(found, first, rest);
    }
    program(found, first, name);
    // What runs another program: its own flags first.
    let runs_another = programs::RUNNERS.contains(&name);
    let mut only_operands = false;
    for (at, word) in rest.iter().enumerate() {
        if !only_operands && word.text.starts_with('-') && word.text.len() > 1 {
            only_operands = word.text == "--";
            flags(found, name, word);
            continue;
        }
        let is_number = word.text.starts_with(|c: char| c.is_ascii_digit());
        if runs_another && !is_number && !word.text.contains('=') {
            return self::words(found, words.get(at + 1..).unwrap_or_default());
        }
        argument(found, word);
    }
}

fn program(found: &mut Found<'_>, word: &Token, name: &str) {
    let says = match programs::about(name, found.language) {
        Some(about) => about.to_owned(),
        None => {
            if !word.text.contains(['/', '$']) {
                found.slip(word.range.clone(), SlipKind::Program, &word.text, programs::names());
            }
            fill(found.texts.some_program, &[name])
        }
    };
    found.add(word.range.clone(), name, "", vec![says]);
}

/// The flags of a word: a long one, or letters one by one.
fn flags(found: &mut Found<'_>, program: &str, word: &Token) {
    let says = |found: &Found<'_>, flag: &str| {
        programs::flag(program, flag, found.language)
            .map_or_else(|| fill(found.texts.some_flag, &[flag, program]), str::to_owned)
    };
    let whole = word.text.split('=').next().unwrap_or_default().to_owned();
    if whole.starts_with("--") || programs::flag(program, &whole, found.language).is_some() {
        let text = says(found, &whole);
        return found.add(word.range.clone(), whole, "", vec![text]);
    }
    let mut at = word.range.start;
    for (index, letter) in word.text.chars().enumerate().skip(1) {
        // The dash belongs to the first letter.
        let start = if index == 1 { word.range.start } else { at };
        at = start + letter.len_utf8() + usize::from(index == 1);
        if at > word.range.end {
            break;
        }
        let flag = format!("-{letter}");
        let text = says(found, &flag);
        found.add(start..at, flag, "", vec![text]);
    }
}

/// A variable or a pattern in an argument; a plain word says what it is by itself.
pub(super) fn argument(found: &mut Found<'_>, word: &Token) {
    let says = if word.text.starts_with('$') && !word.text.starts_with("$(") {
        fill(found.texts.variable, &[&word.text])
    } else if word.text.contains(['*', '?']) {
        fill(found.texts.pattern, &[&word.text])
    } else if let Some(container) = found.picture.containers().iter().find(|c| c.fact.name == word.text) {
        found.texts.container_now(container, found.language)
    } else {
        return;
    };
    found.add(word.range.clone(), word.text.clone(), "", vec![says]);
}
