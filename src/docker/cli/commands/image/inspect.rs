//! `docker image inspect`.

use crate::docker::cli::command::*;
use crate::docker::cli::value::Kind::*;

/// `docker image inspect`.
pub static COMMAND: Command = Command {
    usage: "[OPTIONS] IMAGE [IMAGE...]",
    short: "Display detailed information on one or more images",
    flags: &[&[
        flag('f', "format", Text, FORMAT),
        long("platform", Text, "Inspect a specific platform of the multi-platform image.\nIf the image or the server is not multi-platform capable, the command will error out if the platform does not match.\n'os[/arch[/variant]]': Explicit platform (eg. linux/amd64)").since_api("1.49"),
    ]],
    arity: Arity::AtLeast(1),
    ..Command::new("inspect")
};
