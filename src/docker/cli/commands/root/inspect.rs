//! `docker inspect`.

use crate::docker::cli::command::*;
use crate::docker::cli::value::Kind::*;

/// `docker inspect`.
pub static COMMAND: Command = Command {
    usage: "[OPTIONS] NAME|ID [NAME|ID...]",
    short: "Return low-level information on Docker objects",
    flags: &[&[
        flag('f', "format", Text, FORMAT),
        flag('s', "size", Bool(false), "Display total file sizes if the type is container"),
        long("type", Text, "Only inspect objects of the given type"),
    ]],
    arity: Arity::AtLeast(1),
    ..Command::new("inspect")
};
