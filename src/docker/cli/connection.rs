//! Whether the client can reach its daemon: the socket is there, somebody listens on it, and this user may connect.
//!
//! What is asked then goes through the typed API; the socket decides whether anything is asked at all, so that in a
//! container only who has the host's socket mounted speaks to its daemon.

use crate::base::errno::Errno;

use super::client::{Answer, Client, go_errno};
use super::error::CliError;
use super::parse::Invocation;

/// Where the daemon is, as long as `DOCKER_HOST` says nothing else.
pub const HOST: &str = "unix:///var/run/docker.sock";
/// The API that is spoken before the daemon has told its own.
const FIRST_API: &str = super::CLIENT_API_VERSION;

/// Commands that ask no daemon, and those that tell more before they do.
const LOCAL: [&str; 11] = [
    "docker buildx version",
    "docker compose config",
    "docker compose convert",
    "docker compose version",
    "docker context",
    "docker info",
    "docker logout",
    "docker system info",
    "docker version",
    "docker manifest",
    "docker compose ls",
];

/// What a client finds out before its verb begins.
///
/// # Errors
/// Docker's words of a daemon that can't be reached.
pub fn check(client: &Client, given: &Invocation) -> Answer {
    if LOCAL
        .iter()
        .any(|local| given.path.strip_prefix(local).is_some_and(|rest| !rest.starts_with(char::is_alphabetic)))
    {
        return Ok(());
    }
    let verb = given.path.trim_start_matches("docker ").trim_start_matches("container ");
    let request = request(verb, given.operand_strings().first().map_or("", String::as_str));
    reach(client, &request).map_err(|error| match (error, verb) {
        (CliError::Says(_, text), "run" | "create") => CliError::with_help(verb, &text),
        (error, _) => error,
    })
}

/// The first request of a command, as Go's client names it in its errors.
fn request(verb: &str, operand: &str) -> String {
    let (method, path) = match verb {
        "ps" | "ls" | "list" => ("Get", "containers/json".to_owned()),
        "volume ls" => ("Get", "volumes".to_owned()),
        "network ls" => ("Get", "networks".to_owned()),
        "start" | "stop" | "restart" | "kill" | "pause" | "unpause" | "wait" => {
            ("Post", format!("containers/{operand}/{verb}"))
        }
        "rm" => ("Delete", format!("containers/{operand}")),
        "inspect" | "exec" | "logs" | "attach" | "port" | "top" => ("Get", format!("containers/{operand}/json")),
        "version" | "info" => ("Get", verb.to_owned()),
        _ => return "Head _ping".to_owned(),
    };
    format!("{method} v{FIRST_API}/{path}")
}

/// Whether the daemon can be asked; `request` is its method and path.
///
/// # Errors
/// Docker's words of a daemon that can't be reached.
pub fn reach(client: &Client, request: &str) -> Answer {
    let host = client.env("DOCKER_HOST").filter(|host| !host.is_empty()).unwrap_or_else(|| HOST.to_owned());
    let missing =
        || CliError::new(format!("Cannot connect to the Docker daemon at {host}. Is the docker daemon running?"));
    let Some(path) = host.strip_prefix("unix://") else { return Err(missing()) };
    match client.proc.can_connect_at(path.as_bytes()) {
        Ok(()) => Ok(()),
        Err(error @ (Errno::EACCES | Errno::EPERM)) => {
            let (method, rest) = request.split_once(' ').unwrap_or(("Get", request));
            let escaped = path.replace('/', "%2F");
            let why = go_errno(error);
            Err(CliError::new(format!(
                "permission denied while trying to connect to the Docker daemon socket at {host}: {method} \"http://{escaped}/{rest}\": dial unix {path}: connect: {why}"
            )))
        }
        Err(_) if matches!(path, "/var/run/docker.sock" | "/run/docker.sock") && client.daemon.activate() => Ok(()),
        Err(_) => Err(missing()),
    }
}
