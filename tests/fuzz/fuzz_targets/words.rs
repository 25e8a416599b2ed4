//! Any text as words to expand, with every way to read them, over variables that the input gives.
//!
//! The input's lines but the last are variables, `name=value`; the last is what is expanded.
#![no_main]

use capas::docker::dockerfile::words::{Lex, MAX_BYTES};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let (variables, source) = text.rsplit_once('\n').unwrap_or(("", text));
    let variables: Vec<String> = variables.lines().map(ToOwned::to_owned).collect();
    for flags in 0..16u8 {
        let on = |bit: u8| flags & (1 << bit) != 0;
        let lex = Lex {
            escape: if on(0) { '`' } else { '\\' },
            raw_quotes: on(1),
            raw_escapes: on(1),
            skip_quotes: on(2),
            keep_unset: on(3),
        };
        let expanded = match lex.expand(source, variables.as_slice()) {
            Ok(expanded) => expanded,
            Err(error) => {
                assert_eq!(error.source_text, source);
                assert!(!error.to_string().is_empty());
                continue;
            }
        };
        assert!(expanded.text.len() <= MAX_BYTES + source.len());
        assert!(expanded.words.iter().map(String::len).sum::<usize>() <= expanded.text.len());
        assert!(expanded.matched.is_disjoint(&expanded.unmatched));
        // What has nothing to expand stays as it is.
        if !source.contains(['$', '\'', '"', lex.escape]) {
            assert_eq!(expanded.text, source);
            assert_eq!(expanded.words, source.split_whitespace().collect::<Vec<_>>());
        }
    }
});
