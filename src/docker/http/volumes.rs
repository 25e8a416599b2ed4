//! `/volumes`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::exchange::{Answer, Ask, Call, Refusal, Routed};
use crate::docker::daemon::api::volume::VolumeCreate;

/// A field of a JSON body as text, or nothing.
pub fn text(body: &Value, name: &str) -> String {
    body.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// A field of a JSON body as a table of texts.
pub fn table(body: &Value, name: &str) -> BTreeMap<String, String> {
    let fields = body.get(name).and_then(Value::as_object).into_iter().flatten();
    fields.map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned())).collect()
}

/// `GET /volumes`.
pub async fn list(call: &Call) -> Routed {
    let volumes = call.daemon.volume_list(&call.ask.query.filters()?)?;
    Ok(Some(Answer::json(200, &json!({"Volumes": volumes, "Warnings": null}))))
}

/// `POST /volumes/create`.
pub async fn create(call: &Call) -> Routed {
    let body = call.ask.json()?;
    if body.get("ClusterVolumeSpec").is_some_and(|spec| !spec.is_null()) {
        return Err(Refusal::not_simulated("ClusterVolumeSpec"));
    }
    let request = VolumeCreate {
        name: text(&body, "Name"),
        driver: text(&body, "Driver"),
        driver_opts: table(&body, "DriverOpts"),
        labels: table(&body, "Labels"),
    };
    Ok(Some(Answer::json(201, &json!(call.daemon.volume_create(request)?))))
}

/// The last part of the path: a name.
pub fn last(ask: &Ask) -> &str {
    ask.path.last().map_or("", String::as_str)
}

/// `GET /volumes/{name}`.
pub async fn inspect(call: &Call) -> Routed {
    Ok(Some(Answer::json(200, &json!(call.daemon.volume_inspect(last(&call.ask))?))))
}

/// `DELETE /volumes/{name}`.
pub async fn remove(call: &Call) -> Routed {
    call.daemon.volume_remove(last(&call.ask), call.ask.query.flag("force"))?;
    Ok(Some(Answer::empty(204)))
}

/// `POST /volumes/prune`.
pub async fn prune(call: &Call) -> Routed {
    let report = call.daemon.volume_prune(&call.ask.query.filters()?)?;
    let document = json!({"VolumesDeleted": report.deleted, "SpaceReclaimed": report.space_reclaimed_bytes});
    Ok(Some(Answer::json(200, &document)))
}
