//! The routes of the Engine API, as a table: method, path, who answers.

use std::future::Future;
use std::pin::Pin;

use serde_json::json;

use super::exchange::{Answer, Call, Refusal, Routed};
use super::{build, containers, create, images, networks, streams, system, volumes};
use crate::docker::daemon::api::API_VERSION;

/// The oldest version that is spoken.
const OLDEST: &str = "1.24";

type Work<'a> = Pin<Box<dyn Future<Output = Routed> + 'a>>;

struct Route {
    method: &'static str,
    /// `*` is one part of the path, `**` one or more.
    path: &'static str,
    work: for<'a> fn(&'a Call) -> Work<'a>,
}

macro_rules! routes {
    ($($method:literal $path:literal => $work:path),* $(,)?) => {
        &[$(Route { method: $method, path: $path, work: |call| Box::pin($work(call)) }),*]
    };
}

static ROUTES: &[Route] = routes! {
    "GET" "_ping" => system::ping,
    "HEAD" "_ping" => system::ping,
    "GET" "version" => system::version,
    "GET" "info" => system::info,
    "GET" "events" => system::events,
    "GET" "system/df" => system::disk_usage,
    "POST" "auth" => system::auth,
    "POST" "build" => build::build,
    "POST" "build/prune" => build::prune,
    "POST" "commit" => images::commit,
    "GET" "images/json" => images::list,
    "GET" "images/search" => images::search,
    "GET" "images/get" => images::save,
    "GET" "images/**/get" => images::save_one,
    "GET" "images/**/json" => images::inspect,
    "GET" "images/**/history" => images::history,
    "POST" "images/create" => images::create,
    "POST" "images/load" => images::load,
    "POST" "images/prune" => images::prune,
    "POST" "images/**/tag" => images::tag,
    "POST" "images/**/push" => images::push,
    "DELETE" "images/**" => images::remove,
    "GET" "containers/json" => containers::list,
    "POST" "containers/create" => create::create,
    "POST" "containers/prune" => containers::prune,
    "GET" "containers/*/json" => containers::inspect,
    "GET" "containers/*/top" => containers::top,
    "GET" "containers/*/changes" => containers::changes,
    "GET" "containers/*/export" => containers::export,
    "GET" "containers/*/stats" => containers::stats,
    "GET" "containers/*/logs" => streams::logs,
    "POST" "containers/*/attach" => streams::attach,
    "HEAD" "containers/*/archive" => containers::archive_stat,
    "GET" "containers/*/archive" => containers::archive_get,
    "PUT" "containers/*/archive" => containers::archive_put,
    "POST" "containers/*/start" => containers::start,
    "POST" "containers/*/stop" => containers::stop,
    "POST" "containers/*/restart" => containers::restart,
    "POST" "containers/*/kill" => containers::kill,
    "POST" "containers/*/pause" => containers::pause,
    "POST" "containers/*/unpause" => containers::unpause,
    "POST" "containers/*/rename" => containers::rename,
    "POST" "containers/*/update" => create::update,
    "POST" "containers/*/wait" => containers::wait,
    "POST" "containers/*/resize" => containers::resize,
    "POST" "containers/*/exec" => streams::exec_create,
    "DELETE" "containers/*" => containers::remove,
    "POST" "exec/*/start" => streams::exec_start,
    "POST" "exec/*/resize" => streams::exec_resize,
    "GET" "exec/*/json" => streams::exec_inspect,
    "GET" "plugins" => system::plugins,
    "GET" "plugins/*/json" => system::plugin,
    "GET" "networks" => networks::list,
    "POST" "networks/create" => networks::create,
    "POST" "networks/prune" => networks::prune,
    "GET" "networks/*" => networks::inspect,
    "DELETE" "networks/*" => networks::remove,
    "POST" "networks/*/connect" => networks::connect,
    "POST" "networks/*/disconnect" => networks::disconnect,
    "GET" "volumes" => volumes::list,
    "POST" "volumes/create" => volumes::create,
    "POST" "volumes/prune" => volumes::prune,
    "GET" "volumes/*" => volumes::inspect,
    "DELETE" "volumes/*" => volumes::remove,
};

/// What Docker has beyond these: refused as not simulated rather than as unknown.
const NOT_SIMULATED: &[&str] =
    &["swarm", "nodes", "services", "tasks", "secrets", "configs", "plugins", "session", "grpc", "distribution"];

/// Finds who answers, and lets them.
///
/// # Errors
/// An unknown path, a version that is not spoken; what the route refuses.
pub async fn route(call: &Call) -> Routed {
    let parts: Vec<&str> = call.ask.path.iter().map(String::as_str).collect();
    if let Some(text) = &call.ask.version {
        check(text)?;
    }
    let route = find(&call.ask.method, &parts);
    match route {
        Some(route) => (route.work)(call).await,
        None if parts.iter().take(2).any(|part| NOT_SIMULATED.contains(part)) => {
            Err(Refusal::not_simulated(&format!("{} /{}", call.ask.method, parts.join("/"))))
        }
        None => Ok(Some(Answer::json(404, &json!({"message": "page not found"})))),
    }
}

/// A version as paths have it, without its `v`.
pub fn version(text: &str) -> Option<(u32, u32)> {
    let (major, minor) = text.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// moby `api/server/middleware/version.go`.
fn check(text: &str) -> Result<(), Refusal> {
    let asked = version(text);
    if asked > version(API_VERSION) {
        let why = format!("client version {text} is too new. Maximum supported API version is {API_VERSION}");
        return Err(Refusal::new(400, why));
    }
    if asked < version(OLDEST) {
        let why = format!(
            "client version {text} is too old. Minimum supported API version is {OLDEST}, please upgrade your client to a newer version"
        );
        return Err(Refusal::new(400, why));
    }
    Ok(())
}

fn find(method: &str, parts: &[&str]) -> Option<&'static Route> {
    ROUTES.iter().find(|route| route.method == method && matches(route.path, parts))
}

fn matches(pattern: &str, parts: &[&str]) -> bool {
    let pattern: Vec<&str> = pattern.split('/').collect();
    let same = |pattern: &[&str], parts: &[&str]| {
        pattern.len() == parts.len() && pattern.iter().zip(parts).all(|(p, part)| *p == "*" || p == part)
    };
    match pattern.iter().position(|part| *part == "**") {
        None => same(&pattern, parts),
        Some(at) => {
            let (before, after) = (pattern.get(..at).unwrap_or_default(), pattern.get(at + 1..).unwrap_or_default());
            let end = parts.len().saturating_sub(after.len());
            end > at
                && same(before, parts.get(..at).unwrap_or_default())
                && same(after, parts.get(end..).unwrap_or_default())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_images_may_have_slashes() {
        let path = |method: &str, text: &str| find(method, &text.split('/').collect::<Vec<_>>()).map(|r| r.path);
        assert_eq!(path("GET", "images/localhost:5000/a/b/json"), Some("images/**/json"));
        assert_eq!(path("GET", "images/json"), Some("images/json"));
        assert_eq!(path("DELETE", "images/a/b"), Some("images/**"));
        assert_eq!(path("GET", "containers/a/b/json"), None);
        assert_eq!(path("POST", "containers/create"), Some("containers/create"));
        assert_eq!(path("PUT", "containers/create"), None);
    }

    #[test]
    fn versions_beyond_those_that_are_spoken_are_refused() {
        assert!(check("1.47").is_ok());
        assert!(check("1.24").is_ok());
        assert!(check("1.50").is_err());
        assert!(check("1.12").is_err());
    }
}
