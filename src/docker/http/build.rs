//! `/build`: the classic builder, whose context comes as the body. BuildKit's own protocol is not spoken.

use std::cell::Cell;
use std::rc::Rc;

use serde_json::{Value, json};

use super::exchange::{Answer, Call, Refusal, Routed};
use super::progress::{Teller, failure};
use super::volumes::table;
use crate::docker::build::context::from_archive;
use crate::docker::daemon::api::DaemonError;
use crate::docker::daemon::api::build::{BuildEvent, BuildRequest, BuildSink, BuilderVersion};
use crate::docker::image::reference::Reference;
use crate::os::fs::layer::Change;
use crate::os::fs::node::Content;

/// Limits that are sent only if somebody asked for them.
const NOT_SIMULATED: [(&str, &str); 10] = [
    ("cpusetcpus", "--cpuset-cpus"),
    ("cpusetmems", "--cpuset-mems"),
    ("cpushares", "--cpu-shares"),
    ("cpuperiod", "--cpu-period"),
    ("cpuquota", "--cpu-quota"),
    ("memory", "--memory"),
    ("memswap", "--memory-swap"),
    ("shmsize", "--shm-size"),
    ("squash", "--squash"),
    ("extrahosts", "--add-host"),
];

/// `POST /build`.
pub async fn build(call: &Call) -> Routed {
    let query = &call.ask.query;
    let request = request(call)?;
    let quiet = query.flag("q");
    let teller = Teller::new(call);
    let queue = teller.queue();
    let told = Rc::new(Cell::new(false));
    let has_told = Rc::clone(&told);
    let sink: BuildSink = Rc::new(move |event| {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let told = match event {
            BuildEvent::Stream(bytes) => text(&bytes),
            // moby `streamformatter.StderrFormatter`.
            BuildEvent::ErrorStream(bytes) => format!("\x1b[91m{}\x1b[0m", text(&bytes)),
            _ => return,
        };
        has_told.set(true);
        if !quiet {
            queue.borrow_mut().push(json!({"stream": told}));
        }
    });
    let built = teller.beside(call.daemon.build(request, sink)?).await;
    let last = match built {
        Ok(outcome) => {
            let id = outcome.image.map(|id| id.to_string()).unwrap_or_default();
            if quiet { json!({"stream": format!("{id}\n")}) } else { json!({"aux": {"ID": id}}) }
        }
        Err(why) if teller.has_begun() || told.get() => failure(&why.message, Some(why.code)),
        // What is wrong before the first step is no part of the stream.
        Err(why) => return Err(Refusal::new(400, why.message)),
    };
    teller.queue().borrow_mut().push(last);
    teller.flush().await;
    Ok(None)
}

fn request(call: &Call) -> Result<BuildRequest, Refusal> {
    let query = &call.ask.query;
    if let Some(remote) = query.given("remote").filter(|remote| remote != "client-session") {
        return Err(Refusal::not_simulated(&format!("a build from {remote}")));
    }
    let is_set = |name: &str| !matches!(query.text(name).as_str(), "" | "0" | "null" | "[]");
    if let Some((_, flag)) = NOT_SIMULATED.iter().find(|(name, _)| is_set(name)) {
        return Err(Refusal::not_simulated(&format!("build {flag}")));
    }
    if query.text("version") == "2" {
        return Err(Refusal::not_simulated("BuildKit over the API (use DOCKER_BUILDKIT=0)"));
    }
    let json = |name: &str| -> Result<Value, Refusal> {
        let text = query.given(name).unwrap_or_else(|| "{}".to_owned());
        serde_json::from_str(&text).map_err(|_| Refusal::new(400, format!("error reading {name}")))
    };
    let context = from_archive(&call.ask.body).map_err(|error| Refusal::new(400, error.to_string()))?;
    let name = query.given("dockerfile").unwrap_or_else(|| "Dockerfile".to_owned());
    let dockerfile = match context.files.get(name.as_bytes()) {
        Some(Change::Put(entry)) => match &entry.content {
            Content::File(rope) => rope.clone(),
            _ => return Err(Refusal::new(500, format!("the Dockerfile ({name}) is no file"))),
        },
        _ => return Err(Refusal::new(500, format!("Cannot locate specified Dockerfile: {name}"))),
    };
    let mut tags = Vec::new();
    for tag in query.all("t") {
        tags.push(Reference::parse(&tag).map_err(DaemonError::from)?.with_default_tag());
    }
    // An argument without a value is one of the client's environment that is not set there.
    let mut arguments = json("buildargs")?;
    if let Some(arguments) = arguments.as_object_mut() {
        arguments.retain(|_, value| !value.is_null());
    }
    Ok(BuildRequest {
        version: BuilderVersion::Classic,
        context,
        dockerfile,
        dockerfile_name: name,
        tags,
        build_args: table(&json!({"a": arguments}), "a"),
        labels: table(&json!({"a": json("labels")?}), "a"),
        target: query.given("target"),
        no_cache: query.flag("nocache"),
        pull: query.flag("pull"),
        network: query.given("networkmode").filter(|mode| mode != "default"),
        // Clients say only that it is not wanted.
        keep_intermediate: query.given("rm").is_some() && !query.flag("rm") && !query.flag("forcerm"),
        ..BuildRequest::default()
    })
}

/// `POST /build/prune`.
pub async fn prune(call: &Call) -> Routed {
    let report = call.daemon.builder_prune(call.ask.query.flag("all"), &call.ask.query.filters()?)?;
    let document = json!({"CachesDeleted": report.deleted, "SpaceReclaimed": report.space_reclaimed_bytes});
    Ok(Some(Answer::json(200, &document)))
}
