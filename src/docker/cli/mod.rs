//! The docker command line: one file a verb, one table a noun.
