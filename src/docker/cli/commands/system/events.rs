//! `docker system events`.

use crate::docker::cli::command::*;
use crate::docker::cli::value::Kind::*;

/// `docker system events`.
pub static COMMAND: Command = Command {
    usage: "[OPTIONS]",
    short: "Get real time events from the server",
    alias_line: "docker system events, docker events",
    flags: &[&[
        flag('f', "filter", Filter, "Filter output based on conditions provided"),
        long("format", Text, FORMAT),
        long("since", Text, "Show all events created since timestamp"),
        long("until", Text, "Stream events until this timestamp"),
    ]],
    ..Command::new("events")
};
