//! Any text as a Dockerfile: a result or an error with a place, and every check over what was read.
#![no_main]

use capas::docker::dockerfile::instruction::Command;
use capas::docker::dockerfile::{Instruction, Span, lint, mount, parse, parse_trigger};
use libfuzzer_sys::fuzz_target;

/// A span is of lines that the text has; none at all is said by 0.
fn within(span: Span, lines: usize) {
    assert!(span.start <= span.end && span.end <= lines, "{span:?} of {lines} lines");
}

fn instruction(instruction: &Instruction, lines: usize) {
    within(instruction.span, lines);
    assert!(instruction.span.start > 0);
    match &instruction.command {
        Command::Run(run) => run.mounts.iter().for_each(|text| drop(mount::Mount::parse(text))),
        Command::Onbuild(trigger) => {
            if let Ok(triggered) = parse_trigger(trigger, instruction.span) {
                assert_eq!(triggered.span, instruction.span);
            }
        }
        _ => {}
    }
}

fuzz_target!(|text: &str| {
    let lines = text.split('\n').count();
    let file = match parse(text) {
        Ok(file) => file,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return within(error.span, lines);
        }
    };
    assert!(!file.stages.is_empty());
    for stage in &file.stages {
        within(stage.span, lines);
        stage.instructions.iter().for_each(|each| instruction(each, lines));
    }
    file.global_args.iter().for_each(|each| instruction(each, lines));
    for warning in lint::check(&file) {
        within(warning.span, lines);
        assert!(!warning.text().is_empty() && !warning.short().is_empty());
    }
});
