//! The machine: the only constructor of a world; the student's host, the journal, the event log.
