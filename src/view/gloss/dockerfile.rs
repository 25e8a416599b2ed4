//! An instruction of a Dockerfile.

use super::Found;
use super::split::{Kind, Token, split};
use super::{docker, shell};
use crate::docker::dockerfile::parse::INSTRUCTIONS;

/// Whether a line begins with an instruction, in capitals as everybody writes them.
pub(super) fn is_instruction(line: &str) -> bool {
    let mut words = line.split_whitespace();
    let first = words.next().unwrap_or_default();
    INSTRUCTIONS.contains(&first) && words.next().is_some()
}

/// Explains an instruction.
pub(super) fn line(found: &mut Found<'_>, text: &str) {
    let tokens = split(text);
    let Some((first, rest)) = tokens.split_first() else { return };
    let says = (found.texts.instruction)(&first.text).to_owned();
    found.add(first.range.clone(), first.text.clone(), "", vec![says]);
    if first.text == "ONBUILD" || first.text == "HEALTHCHECK" {
        if let Some(at) = rest.iter().position(|token| INSTRUCTIONS.contains(&token.text.as_str())) {
            let start = rest.get(at).map_or(text.len(), |token| token.range.start);
            let from = found.pieces.len();
            line(found, text.get(start..).unwrap_or_default());
            for piece in found.pieces.iter_mut().skip(from) {
                piece.range = shell::shifted(&piece.range, start);
            }
        }
        return;
    }
    let flags = rest.iter().take_while(|token| token.text.starts_with("--")).count();
    for flag in rest.iter().take(flags) {
        let name = flag.text.split('=').next().unwrap_or_default();
        let says = (found.texts.instruction_flag)(name).to_owned();
        found.add(flag.range.clone(), name, "", vec![says]);
    }
    let rest: Vec<Token> = rest.iter().skip(flags).cloned().collect();
    match (first.text.as_str(), rest.first()) {
        ("RUN" | "CMD" | "ENTRYPOINT", Some(word)) if !word.text.starts_with('[') => {
            let from = word.range.start;
            shell::line(found, text.get(from..).unwrap_or_default(), from);
        }
        ("RUN" | "CMD" | "ENTRYPOINT", Some(word)) => {
            let says = found.texts.exec_form.to_owned();
            found.add(word.range.start..text.len(), "[ ]", "", vec![says]);
        }
        ("FROM", Some(word)) => {
            if word.text == "scratch" {
                let says = found.texts.scratch.to_owned();
                found.add(word.range.clone(), "scratch", "", vec![says]);
            } else {
                docker::image(found, word, &[]);
            }
            if let (Some(word), Some(name)) = (rest.get(1), rest.get(2)) {
                let says = found.texts.stage.to_owned();
                found.add(word.range.start..name.range.end, format!("AS {}", name.text), "", vec![says]);
            }
        }
        ("COPY" | "ADD", Some(_)) => {
            let words: Vec<&Token> = rest.iter().filter(|token| token.kind == Kind::Word).collect();
            if let Some((to, from)) = words.split_last() {
                for word in from {
                    let says = found.texts.copy_from.to_owned();
                    found.add(word.range.clone(), word.text.clone(), "", vec![says]);
                }
                let says = found.texts.copy_to.to_owned();
                found.add(to.range.clone(), to.text.clone(), "", vec![says]);
            }
        }
        _ => {}
    }
}
