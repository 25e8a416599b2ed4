//! `docker volume update`.

use crate::docker::cli::command::*;
use crate::docker::cli::value::Kind::*;

/// `docker volume update`.
pub static COMMAND: Command = Command {
    usage: "[OPTIONS] [VOLUME]",
    short: "Update a volume (cluster volumes only)",
    flags: &[&[long(
        "availability",
        Text,
        "Cluster Volume availability (\"active\", \"pause\", \"drain\") (default \"active\")",
    )
    .not_simulated()]],
    arity: Arity::Exactly(1),
    ..Command::new("update")
};
