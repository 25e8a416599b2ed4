//! Lessons, exercises and their checks, transcripts.
