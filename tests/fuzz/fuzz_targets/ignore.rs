//! Any text as a `.dockerignore`, and any as a path that it is asked about.
//!
//! The input's first line is the path, the rest is the file.
#![no_main]

use capas::docker::dockerfile::ignore::{Matcher, ParentMatch, clean, has_wildcards, read_patterns, wildcard_match};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let (path, file) = text.split_once('\n').unwrap_or((text, ""));
    let cleaned = clean(path);
    assert_eq!(clean(&cleaned), cleaned);
    let patterns = read_patterns(file);
    for pattern in &patterns {
        if let Ok(true) = wildcard_match(pattern, path)
            && !has_wildcards(pattern)
            && !pattern.contains('\\')
        {
            assert_eq!(pattern, path);
        }
    }
    let Ok(matcher) = Matcher::new(&patterns) else { return };
    assert!(patterns.iter().any(|pattern| !pattern.is_empty()) || matcher.is_empty());
    let matched = matcher.matches_or_parent_matches(path);
    if matcher.is_empty() {
        assert!(!matched);
    }
    // A walk that tells each directory's answer to what is in it comes to the same.
    let (mut walked, mut parent) = (false, ParentMatch::default());
    if cleaned != "." {
        let mut at = String::new();
        for part in cleaned.split('/') {
            if !at.is_empty() || cleaned.starts_with('/') && part != cleaned {
                at.push_str(if at.is_empty() && part.is_empty() { "" } else { "/" });
            }
            at.push_str(part);
            (walked, parent) = matcher.matches(&at, &parent);
        }
    }
    if !cleaned.starts_with('/') {
        assert_eq!(walked, matched);
    }
    // Everything, and then its own negation.
    if let Ok(all) = Matcher::new(&["**"]) {
        assert!(cleaned == "." || all.matches_or_parent_matches(path));
    }
});
