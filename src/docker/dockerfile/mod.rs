//! Dockerfiles: lines, typed instructions with spans, words, ignore rules.
